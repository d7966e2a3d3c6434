#include "net/http_inside.h"

#include "net/http_body.h"

#define ROOM ((size_t)32 * 1024)
#define REQUEST_MAX 8192u
#define INTERIM_MAX 10u /* answers 1xx before the real one */

LOOP_HANDLE_IMPL(http_transfer)

struct http_transfer {
	struct http_client *client PARENT_FIELD;
	struct http_transfer *next OWNED_FIELD;
	struct http_transfer **at PARENT_FIELD;
	struct dead dead;
	http_transfer_h self;
	struct http_events ev;
	char *uri OWNED_FIELD;
	struct http_url url; /* points into uri */
	char *etag OWNED_FIELD, *modified OWNED_FIELD; /* "": none */
	struct endpoint *to OWNED_FIELD;
	size_t to_count, to_next;
	uint64_t max_octets;
	bool gzip, closed, asked, heard, retried, paused, was_paused;
	unsigned int redirects, interim;
	struct http_conn *conn PARENT_FIELD;
	struct strbuf *head OWNED_FIELD;
	struct http_body *body OWNED_FIELD; /* NULL: the head is not all there */
	timer_h connect, deadline, rate;
	uint32_t connect_ms; /* 0: the client's */
	uint64_t window; /* octets since the rate was looked at */
};

struct http_options http_options_default(void)
{
	return (struct http_options){ .agent = "cairn", .head_octets = 64u << 10, .connect_ms = 15000, .deadline_ms = 600000, .rate_octets = 1000, .rate_ms = 10000,
		.idle_ms = 30000, .idle_max = 64, .redirects = 5 };
}

static void transfer_free(struct http_transfer *t) TAKES(1);
static void transfer_free(struct http_transfer *t)
{
	if (t == NULL)
		return;
	http_body_free(t->body);
	strbuf_free(t->head);
	mem_free(t->uri);
	mem_free(t->etag);
	mem_free(t->modified);
	mem_free(t->to);
	mem_free(t);
}
DEFINE_AUTO(struct http_transfer, transfer_free)

static void transfer_bury(struct dead *d)
{
	transfer_free(PARENT_OF(d, struct http_transfer, dead));
}

static void leave_conn(struct http_transfer *t, bool keep)
{
	struct http_conn *x = t->conn;

	t->conn = NULL;
	if (x != NULL)
		http_conn_leave(x, keep);
}

static void transfer_close(struct http_transfer *t, bool keep)
{
	struct loop *l = t->client->host->loop;

	if (t->closed)
		return;
	t->closed = true;
	http_transfer_retire(l, t->self);
	loop_timer_stop(l, &t->connect);
	loop_timer_stop(l, &t->deadline);
	loop_timer_stop(l, &t->rate);
	leave_conn(t, keep);
	*t->at = t->next;
	if (t->next != NULL)
		t->next->at = t->at;
	t->next = NULL;
	loop_bury(l, &t->dead, transfer_bury);
}

/* The one who hears, or NULL: nobody is left, and the transfer is over. */
static void *listener(struct http_transfer *t) BORROWED;
static void *listener(struct http_transfer *t)
{
	void *object = loop_slot_get(t->client->host->loop, t->ev.type, t->ev.who);

	if (object == NULL)
		transfer_close(t, false);
	return object;
}

static void end(struct http_transfer *t, enum err e, bool keep, const char *why)
{
	struct http_counts *n = &t->client->counts;
	void *object;

	if (t->closed)
		return;
	if (e == ERR_NONE)
		n->completed++;
	else
		n->failed++;
	n->too_large += e == ERR_LIMIT;
	object = listener(t);
	transfer_close(t, keep);
	if (object != NULL)
		t->ev.ended(t->client->host->loop, object, t->self, e, why);
}

/* ----------------------------------------------------------------------------------------------------- time, and addresses */

static void on_deadline(struct loop *l, void *object)
{
	struct http_transfer *t = (struct http_transfer *)object;

	(void)l;
	t->client->counts.too_late++;
	end(t, ERR_TIMEOUT, false, "not done within the time that a transfer has");
}

static void arm_rate(struct http_transfer *t);

static void on_rate(struct loop *l, void *object)
{
	struct http_transfer *t = (struct http_transfer *)object;
	const struct http_options *o = &t->client->o;
	bool excused = t->paused || t->was_paused;

	(void)l;
	if (!excused && t->window < (uint64_t)o->rate_octets * o->rate_ms / 1000) {
		t->client->counts.too_slow++;
		end(t, ERR_TIMEOUT, false, "slower than the rate that a transfer must have");
		return;
	}
	arm_rate(t);
}

static void arm_rate(struct http_transfer *t)
{
	struct loop *l = t->client->host->loop;

	loop_timer_stop(l, &t->rate);
	t->window = 0;
	t->was_paused = t->paused;
	if (!OK(loop_timer(l, &http_transfer_loop_type, t->self.v, on_rate, t->client->o.rate_ms, &t->rate)))
		end(t, ERR_NOMEM, false, err_text(ERR_NOMEM));
}

static void on_connect_late(struct loop *l, void *object);

/* The next address that a connection can be begun to; after the last one it ends with what went wrong before. */
static void connect_next(struct http_transfer *t, enum err e, const char *why)
{
	struct loop *l = t->client->host->loop;

	while (t->to_next < t->to_count) {
		struct result r = http_conn_open(t->client, t, &t->to[t->to_next++], &t->url, &t->conn);

		if (!OK(r)) {
			e = r.e;
			why = "no connection can be made";
			continue;
		}
		if (!OK(loop_timer(l, &http_transfer_loop_type, t->self.v, on_connect_late, t->connect_ms > 0 ? t->connect_ms : t->client->o.connect_ms, &t->connect)))
			end(t, ERR_NOMEM, false, err_text(ERR_NOMEM));
		return;
	}
	end(t, e, false, why);
}

static void on_connect_late(struct loop *l, void *object)
{
	struct http_transfer *t = (struct http_transfer *)object;

	(void)l;
	leave_conn(t, false);
	connect_next(t, ERR_TIMEOUT, "no connection in time");
}

static void begin(struct loop *l, void *object)
{
	struct http_transfer *t = (struct http_transfer *)object;

	(void)l;
	t->asked = t->heard = false;
	t->interim = 0;
	t->to_next = 0;
	strbuf_clear(t->head);
	if (!t->retried)
		t->conn = http_conn_reuse(t->client, t, &t->url);
	if (t->conn != NULL)
		transfer_open(t);
	else
		connect_next(t, ERR_RANGE, "no address");
}

/* ---------------------------------------------------------------------------------------------------------------- request */

static void write_request(const struct http_transfer *t, struct strbuf *b)
{
	bool brackets = t->url.literal && memchr(t->url.host.p, ':', t->url.host.n) != NULL;

	strbuf_puts(b, "GET ");
	strbuf_add_span(b, t->url.target);
	strbuf_printf(b, " HTTP/1.1\r\nHost: %s%.*s%s", brackets ? "[" : "", (int)t->url.host.n, (const char *)t->url.host.p, brackets ? "]" : "");
	if (t->url.port != 443)
		strbuf_printf(b, ":%u", t->url.port);
	strbuf_printf(b, "\r\nUser-Agent: %s\r\nAccept: */*\r\nAccept-Encoding: %s\r\n", t->client->agent, t->gzip ? "gzip" : "identity");
	if (t->etag[0] != '\0')
		strbuf_printf(b, "If-None-Match: %s\r\n", t->etag);
	if (t->modified[0] != '\0')
		strbuf_printf(b, "If-Modified-Since: %s\r\n", t->modified);
	strbuf_puts(b, "\r\n");
}

static void on_answer_late(struct loop *l, void *object)
{
	struct http_transfer *t = (struct http_transfer *)object;

	(void)l;
	t->connect.v = 0;
	t->client->counts.too_slow++;
	end(t, ERR_TIMEOUT, false, "no answer in time");
}

void transfer_open(struct http_transfer *t)
{
	AUTO(strbuf_free) struct strbuf *b = strbuf_new(REQUEST_MAX);
	struct result r = FAIL(ERR_NOMEM);

	loop_timer_stop(t->client->host->loop, &t->connect);
	if (b != NULL) {
		write_request(t, b);
		r = strbuf_result(b);
	}
	if (OK(r))
		r = http_conn_write(t->conn, strbuf_span(b));
	if (!OK(r)) {
		end(t, r.e, false, "the request cannot be written");
		return;
	}
	t->asked = true;
	if (t->paused)
		host_stream_pause(t->client->host, t->conn->stream, true); /* it was asked for before there was a connection */
	if (t->connect_ms > 0 && !OK(loop_timer(t->client->host->loop, &http_transfer_loop_type, t->self.v, on_answer_late, t->connect_ms, &t->connect)))
		end(t, ERR_NOMEM, false, err_text(ERR_NOMEM));
	else
		arm_rate(t);
}

/* ----------------------------------------------------------------------------------------------------------------- answer */

static bool is_redirect(unsigned int status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* The URI that a Location means: absolute, or a path. */
static char *redirect_target(const struct http_transfer *t, const char *location) OWNED_BY(mem_free);
static char *redirect_target(const struct http_transfer *t, const char *location)
{
	size_t head = (size_t)(t->url.target.p - (const uint8_t *)t->uri);

	if (location[0] == '/' && location[1] != '/')
		return mem_printf("%.*s%s", (int)head, t->uri, location);
	return mem_strdup(location);
}

static void redirect(struct http_transfer *t, const struct http_head *h)
{
	AUTO_CHARS char *uri = redirect_target(t, h->location);
	struct http_url u;
	bool keep = !h->close && h->has_length && h->length == 0;

	if (uri == NULL)
		end(t, ERR_NOMEM, false, err_text(ERR_NOMEM));
	else if (t->redirects >= t->client->o.redirects)
		end(t, ERR_REFUSED, false, "too many redirects");
	else if (!OK(http_url_parse(span_text(uri), &u)))
		end(t, ERR_REFUSED, false, "a redirect to what cannot be used");
	else if (!http_url_same_origin(&u, &t->url))
		end(t, ERR_REFUSED, false, "a redirect to another origin (RFC 9674)");
	else {
		t->redirects++;
		t->client->counts.redirects++;
		mem_free(MOVE(t->uri));
		t->uri = MOVE(uri);
		t->url = u;
		loop_timer_stop(t->client->host->loop, &t->rate);
		leave_conn(t, keep);
		if (!OK(loop_timer(t->client->host->loop, &http_transfer_loop_type, t->self.v, begin, 0, &t->connect)))
			end(t, ERR_NOMEM, false, err_text(ERR_NOMEM));
	}
}

static RESULT on_body(void *ctx, struct span octets)
{
	struct http_transfer *t = (struct http_transfer *)ctx;
	void *object = t->closed ? NULL : listener(t);

	if (object == NULL)
		return FAIL(ERR_CLOSED);
	t->ev.body(t->client->host->loop, object, t->self, octets);
	return t->closed ? FAIL(ERR_CLOSED) : DONE;
}

static const char *body_error(enum err e)
{
	if (e == ERR_LIMIT)
		return "the body is larger than allowed";
	return e == ERR_FORMAT ? "the body's coding is broken" : err_text(e);
}

static void feed_body(struct http_transfer *t, struct reader *r)
{
	struct result x = http_body_feed(t->body, r, on_body, t);

	if (t->closed)
		return;
	if (!OK(x))
		end(t, x.e, false, body_error(x.e));
	else if (http_body_ended(t->body))
		end(t, ERR_NONE, http_body_keeps(t->body) && reader_end(r), "");
}

/* The head is all there: text. */
static void on_head(struct http_transfer *t, struct span text)
{
	struct http_head h;
	struct http_answer a;
	struct result r = http_head_parse(text, &h);
	void *object;

	if (!OK(r)) {
		end(t, r.e, false, r.e == ERR_UNSUPPORTED ? "the answer has a coding that was not asked for" : "the answer is no HTTP");
	} else if (h.status < 200) {
		strbuf_clear(t->head);
		if (h.status == 101 || ++t->interim > INTERIM_MAX)
			end(t, ERR_FORMAT, false, "too many answers that are none");
	} else if (is_redirect(h.status) && h.location[0] != '\0') {
		redirect(t, &h);
	} else if (h.has_length && !h.gzip && h.length > t->max_octets && h.status == 200) {
		end(t, ERR_LIMIT, false, body_error(ERR_LIMIT));
	} else {
		t->body = http_body_new(&h, t->max_octets);
		if (t->body == NULL) {
			end(t, ERR_NOMEM, false, err_text(ERR_NOMEM));
			return;
		}
		a = (struct http_answer){ h.status, h.etag, h.modified };
		object = listener(t);
		if (object != NULL)
			t->ev.answer(t->client->host->loop, object, t->self, &a);
	}
}

/* Takes from r what belongs to the head, up to its end. */
static void feed_head(struct http_transfer *t, struct reader *r)
{
	size_t before = strbuf_len(t->head), from = before > 3 ? before - 3 : 0, end_at, take;
	struct reader look = *r;
	struct span all;

	take = reader_left(r) < t->client->o.head_octets - before ? reader_left(r) : t->client->o.head_octets - before;
	strbuf_add_span(t->head, read_span(&look, take));
	if (!strbuf_ok(t->head)) {
		end(t, ERR_NOMEM, false, err_text(ERR_NOMEM));
		return;
	}
	all = strbuf_span(t->head);
	end_at = http_head_end(span_of(&all.p[from], all.n - from));
	if (end_at == 0) {
		read_skip(r, take);
		if (all.n >= t->client->o.head_octets)
			end(t, ERR_LIMIT, false, "the answer's head is longer than allowed");
		return;
	}
	read_skip(r, from + end_at - before);
	on_head(t, span_of(all.p, from + end_at));
}

void transfer_octets(struct http_transfer *t, struct span octets)
{
	struct reader r = reader_of(octets);
	struct http_conn *x = t->conn;

	if (!t->heard)
		loop_timer_stop(t->client->host->loop, &t->connect);
	t->heard = true;
	while (!t->closed && t->conn == x && t->body == NULL && !reader_end(&r))
		feed_head(t, &r);
	if (!t->closed && t->body != NULL)
		feed_body(t, &r);
}

void transfer_wire(struct http_transfer *t, size_t octets)
{
	t->window += octets;
}

static void again(struct http_transfer *t)
{
	t->retried = true;
	if (!OK(loop_timer(t->client->host->loop, &http_transfer_loop_type, t->self.v, begin, 0, &t->connect)))
		end(t, ERR_NOMEM, false, err_text(ERR_NOMEM));
}

void transfer_lost(struct http_transfer *t, enum err e, bool in_order, const char *why)
{
	struct loop *l = t->client->host->loop;
	bool used = t->conn != NULL && t->conn->used;

	t->conn = NULL;
	if (t->closed)
		return;
	loop_timer_stop(l, &t->connect);
	loop_timer_stop(l, &t->rate);
	if (!t->asked)
		connect_next(t, e, why);
	else if (!t->heard && used && !t->retried)
		again(t); /* the server had closed it before the request came */
	else if (t->body != NULL && in_order && OK(http_body_close(t->body)))
		end(t, ERR_NONE, false, "");
	else
		end(t, e, false, why);
}

/* ------------------------------------------------------------------------------------------------------------------ whole */

void http_client_free(struct http_client *c)
{
	if (c == NULL)
		return;
	while (c->transfers != NULL)
		transfer_close(c->transfers, false);
	while (c->conns != NULL)
		http_conn_close(c->conns);
	mem_free(c->agent);
	mem_free(c->room);
	mem_free(c);
}

struct http_client *http_client_new(struct host *h, const struct http_options *o)
{
	AUTO(http_client_free) struct http_client *c = (struct http_client *)mem_alloc(sizeof *c);

	if (c == NULL)
		return NULL;
	c->host = h;
	c->o = *o;
	c->agent = mem_strdup(o->agent);
	c->room = (uint8_t *)mem_alloc_raw(ROOM);
	return c->agent != NULL && c->room != NULL ? MOVE(c) : NULL;
}

static bool tag_ok(const char *tag) /* it becomes part of a line */
{
	for (; *tag != '\0'; tag++)
		if (((uint8_t)*tag < 0x20 && *tag != '\t') || *tag == 0x7f)
			return false;
	return true;
}

static RESULT fill_addresses(struct http_transfer *t, const struct http_wish *q)
{
	char text[ADDR_TEXT] = "";
	bool alone = t->client->o.by_proxy || t->url.literal;

	t->to_count = alone ? 1 : q->count;
	if (t->to_count == 0)
		return FAIL(ERR_RANGE);
	t->to = (struct endpoint *)mem_alloc_array(t->to_count, sizeof *t->to);
	if (t->to == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t i = 0; i < t->to_count && !alone; i++)
		t->to[i] = (struct endpoint){ .a = q->addresses[i], .port = t->url.port };
	if (t->client->o.by_proxy) {
		t->to[0] = t->client->o.proxy;
	} else if (alone) {
		memcpy(text, t->url.host.p, t->url.host.n); /* http_url_parse has read it as an address */
		t->to[0].port = t->url.port;
		return addr_parse(text, &t->to[0].a);
	}
	return DONE;
}

static RESULT fill(struct http_transfer *t, const struct http_wish *q)
{
	const char *etag = q->etag != NULL ? q->etag : "", *modified = q->modified != NULL ? q->modified : "";

	t->uri = mem_strdup(q->uri);
	t->etag = mem_strdup(tag_ok(etag) ? etag : "");
	t->modified = mem_strdup(tag_ok(modified) ? modified : "");
	t->head = strbuf_new(t->client->o.head_octets);
	if (t->uri == NULL || t->etag == NULL || t->modified == NULL || t->head == NULL)
		return FAIL(ERR_NOMEM);
	if (!OK(http_url_parse(span_text(t->uri), &t->url)))
		return FAIL(ERR_FORMAT);
	t->max_octets = q->max_octets;
	t->gzip = q->gzip;
	t->connect_ms = q->connect_ms;
	return fill_addresses(t, q);
}

static RESULT set_timers(struct http_transfer *t)
{
	struct loop *l = t->client->host->loop;

	TRY(loop_timer(l, &http_transfer_loop_type, t->self.v, begin, 0, &t->connect));
	return loop_timer(l, &http_transfer_loop_type, t->self.v, on_deadline, t->client->o.deadline_ms, &t->deadline);
}

RESULT http_get(struct http_client *c, const struct http_wish *q, const struct http_events *ev, http_transfer_h *ret)
{
	AUTO(transfer_free) struct http_transfer *made = (struct http_transfer *)mem_alloc(sizeof *made);
	struct http_transfer *t = made;
	struct loop *l = c->host->loop;
	struct result r;

	if (made == NULL)
		return FAIL(ERR_NOMEM);
	t->client = c;
	t->ev = *ev;
	TRY(fill(t, q));
	t->self = http_transfer_enlist(l, t);
	if (t->self.v == 0)
		return FAIL(ERR_NOMEM);
	r = set_timers(t);
	if (!OK(r)) {
		loop_timer_stop(l, &t->connect);
		http_transfer_retire(l, t->self);
		return r;
	}
	t->next = c->transfers;
	if (t->next != NULL)
		t->next->at = &t->next;
	t->at = &c->transfers;
	c->transfers = MOVE(made);
	c->counts.transfers++;
	*ret = t->self;
	return DONE;
}

void http_cancel(struct http_client *c, http_transfer_h h)
{
	struct http_transfer *t = http_transfer_get(c->host->loop, h);

	if (t != NULL)
		transfer_close(t, false);
}

void http_pause(struct http_client *c, http_transfer_h h, bool paused)
{
	struct http_transfer *t = http_transfer_get(c->host->loop, h);

	if (t == NULL)
		return;
	t->paused = paused;
	t->was_paused = t->was_paused || paused;
	if (t->conn != NULL && (t->asked || !paused)) /* not before its TLS stands */
		host_stream_pause(c->host, t->conn->stream, paused);
}

const struct http_counts *http_counts(const struct http_client *c)
{
	return &c->counts;
}
