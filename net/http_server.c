#include "net/http_server.h"

#include <stdio.h>

#include "base/strbuf.h"
#include "net/http_body.h"
#include "net/http_head.h"

#define LOOK_MS 1000u
#define LAST_MS 2000u
#define READ_ROOM ((size_t)192 * 1024)  /* octets that were read and wait; more than the host gives at once on top of WAIT_MOST */
#define WAIT_MOST ((size_t)32 * 1024)   /* above it nothing more is read until the answer is sent */
#define HEAD_ROOM ((size_t)8192)        /* of an answer */

LOOP_HANDLE_IMPL(http_ask)
LOOP_HANDLE(http_server)
LOOP_HANDLE_IMPL(http_server)

enum part { PART_HEAD, PART_BODY, PART_ASKED, PART_SENDING, PART_LAST };

struct http_ask { /* a connection */
	struct http_server *server PARENT_FIELD;
	struct host *host PARENT_FIELD;
	struct http_ask *next OWNED_FIELD;
	struct http_ask **at PARENT_FIELD;
	struct dead dead;
	http_ask_h self;
	stream_h stream;
	enum part part;
	bool closed, paused;
	bool ending;       /* the connection ends with this answer */
	bool advancing;    /* requests are being read: who answers leaves the next one to that loop */
	bool chunked;      /* the answer is */
	bool bodiless;     /* HEAD */
	bool tail;         /* the last chunk is still to be sent */
	uint64_t since_ms; /* this part began, or a piece left */
	struct strbuf *in OWNED_FIELD;   /* what was read */
	struct strbuf *head OWNED_FIELD; /* of the request */
	struct strbuf *body OWNED_FIELD;
	struct http_body *reader OWNED_FIELD;
	struct http_request request;     /* its texts are head's */
	struct http_page *page OWNED_FIELD;
	size_t piece;
};

struct ear {
	struct ear *next OWNED_FIELD;
	struct host *host PARENT_FIELD;
	acceptor_h acceptor;
};

struct http_server {
	struct host *host PARENT_FIELD;
	http_server_h self;
	struct http_server_options o;
	struct http_server_events ev;
	struct http_server_counts counts;
	struct ear *ears OWNED_FIELD;
	struct http_ask *clients OWNED_FIELD;
	struct strbuf *room OWNED_FIELD; /* for the head of an answer, or a chunk */
	timer_h look;
	uint64_t looks;
};

static void advance(struct http_ask *c);
static void send_on(struct http_ask *c);

/* ------------------------------------------------------------------------------------------------------------- connections */

static void client_free(struct http_ask *c) TAKES(1);
static void client_free(struct http_ask *c)
{
	if (c == NULL)
		return;
	strbuf_free(MOVE(c->in));
	strbuf_free(MOVE(c->head));
	strbuf_free(MOVE(c->body));
	http_body_free(MOVE(c->reader));
	http_page_unref(MOVE(c->page));
	mem_free(c);
}
DEFINE_AUTO(struct http_ask, client_free)

static void client_bury(struct dead *d)
{
	client_free(PARENT_OF(d, struct http_ask, dead));
}

static void client_close(struct http_ask *c)
{
	if (c->closed)
		return;
	c->closed = true;
	http_ask_retire(c->server->host->loop, c->self);
	host_stream_close(c->host, c->stream);
	*c->at = c->next;
	if (c->next != NULL)
		c->next->at = c->at;
	c->next = NULL;
	c->server->counts.clients--;
	http_page_unref(MOVE(c->page)); /* it may be large: it does not wait for the grave */
	loop_bury(c->server->host->loop, &c->dead, client_bury);
}

static void enter(struct http_ask *c, enum part part)
{
	c->part = part;
	c->since_ms = now_ms(loop_now(c->server->host->loop));
}

/* While an answer is under way, only so much is read ahead. */
static void set_reading(struct http_ask *c)
{
	bool pause = !c->closed && (c->part == PART_ASKED || c->part == PART_SENDING) && strbuf_len(c->in) >= WAIT_MOST;

	if (c->closed || pause == c->paused)
		return;
	c->paused = pause;
	host_stream_pause(c->host, c->stream, pause);
}

static bool put(struct http_ask *c, struct span octets)
{
	if (OK(host_stream_write(c->host, c->stream, octets))) {
		c->server->counts.octets_sent += octets.n;
		return true;
	}
	client_close(c);
	return false;
}

/* --------------------------------------------------------------------------------------------------------------- answering */

const char *http_status_text(unsigned int status)
{
	static const struct {
		unsigned int status;
		const char *text BORROWED_FIELD;
	} texts[] = { { 200, "OK" }, { 204, "No Content" }, { 301, "Moved Permanently" }, { 302, "Found" }, { 304, "Not Modified" }, { 400, "Bad Request" }, { 403, "Forbidden" },
		{ 404, "Not Found" }, { 405, "Method Not Allowed" }, { 408, "Request Timeout" }, { 411, "Length Required" }, { 413, "Content Too Large" }, { 414, "URI Too Long" },
		{ 415, "Unsupported Media Type" }, { 417, "Expectation Failed" }, { 431, "Request Header Fields Too Large" }, { 500, "Internal Server Error" },
		{ 501, "Not Implemented" }, { 503, "Service Unavailable" }, { 505, "HTTP Version Not Supported" } };

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if (texts[i].status == status)
			return texts[i].text;
	return "Unknown";
}

static bool client_has_it(const struct http_request *q, const struct http_response *r)
{
	if (r->status != 200 || (q->method != HTTP_GET && q->method != HTTP_HEAD))
		return false;
	if (q->none_match.p != NULL) /* then the date does not count (RFC 9110 section 13.1.3) */
		return r->etag != NULL && http_tag_matches(q->none_match, r->etag);
	return r->modified != 0 && q->modified_since != INT64_MIN && r->modified <= q->modified_since;
}

/* How the body's end is told. The first piece is rendered before, so that a short page has a length. */
static void say_length(struct http_ask *c, const struct http_response *r, struct strbuf *out)
{
	struct span first;

	c->chunked = false;
	if (r->status == 304 || r->status == 204)
		return;
	if (c->page == NULL) {
		strbuf_puts(out, "Content-Length: 0\r\n");
		return;
	}
	if (!c->bodiless)
		(void)!OK(http_page_piece(c->page, 0, &first));
	if (http_page_complete(c->page)) {
		strbuf_printf(out, "Content-Length: %llu\r\n", (unsigned long long)http_page_length(c->page));
	} else if (c->request.old) {
		c->ending = true;
	} else if (!c->bodiless) {
		strbuf_puts(out, "Transfer-Encoding: chunked\r\n");
		c->chunked = true;
	}
}

static void say_head(struct http_ask *c, const struct http_response *r, struct strbuf *out)
{
	char date[HTTP_DATE_ROOM];
	bool gzip = c->page != NULL && http_page_is_gzip(c->page);

	strbuf_clear(out);
	strbuf_printf(out, "HTTP/1.1 %u %s\r\nDate: %s\r\n", r->status, http_status_text(r->status), http_date_print(loop_now(c->server->host->loop)->wall_sec, date));
	if (r->type != NULL && r->status != 304)
		strbuf_printf(out, "Content-Type: %s\r\n", r->type);
	if (r->etag != NULL)
		strbuf_printf(out, "ETag: %s%s\r\n", gzip && strncmp(r->etag, "W/", 2) != 0 ? "W/" : "", r->etag);
	if (r->modified != 0)
		strbuf_printf(out, "Last-Modified: %s\r\n", http_date_print(r->modified, date));
	if (gzip && r->status != 304)
		strbuf_puts(out, "Content-Encoding: gzip\r\n");
	strbuf_puts(out, "Vary: Accept-Encoding\r\nX-Content-Type-Options: nosniff\r\n");
	if (r->fields != NULL)
		strbuf_puts(out, r->fields);
	say_length(c, r, out);
	strbuf_puts(out, c->ending ? "Connection: close\r\n\r\n" : c->request.old ? "Connection: keep-alive\r\n\r\n" : "\r\n");
}

static void begin_answer(struct http_ask *c, const struct http_response *r, struct http_page *page) TAKES(3);
static void begin_answer(struct http_ask *c, const struct http_response *r, struct http_page *page)
{
	AUTO(http_page_unref) struct http_page *own = page;
	struct http_response out = *r;

	if (client_has_it(&c->request, r)) {
		out.status = 304;
		c->server->counts.not_modified++;
	}
	c->bodiless = c->request.method == HTTP_HEAD || out.status == 304 || out.status == 204;
	c->page = MOVE(own);
	c->piece = 0;
	enter(c, PART_SENDING);
	say_head(c, &out, c->server->room);
	c->tail = c->chunked;
	if (c->bodiless)
		http_page_unref(MOVE(c->page));
	if (!strbuf_ok(c->server->room)) {
		client_close(c);
		return;
	}
	if (put(c, strbuf_span(c->server->room)))
		send_on(c);
}

void http_server_respond(struct http_server *s, http_ask_h ask, const struct http_response *r, struct http_page *page)
{
	AUTO(http_page_unref) struct http_page *own = page;
	struct http_ask *c = http_ask_get(s->host->loop, ask);

	if (c == NULL || c->part != PART_ASKED)
		return;
	begin_answer(c, r, MOVE(own));
	if (!c->closed && !c->advancing)
		advance(c);
}

void http_server_refuse(struct http_server *s, http_ask_h ask, unsigned int status, const char *text)
{
	AUTO_CHARS char *line = mem_printf("%s\n", text);
	struct http_response r = { .status = status, .type = "text/plain;charset=utf-8" };

	if (status == 405)
		r.fields = "Allow: GET, HEAD\r\n";
	else if (status == 503)
		r.fields = "Retry-After: 10\r\n";
	http_server_respond(s, ask, &r, line != NULL ? http_page_text(span_text(line), false) : NULL);
}

/* Nobody was asked: the request itself is wrong, and where the next one would begin is not sure. */
static void refuse_early(struct http_ask *c, unsigned int status)
{
	AUTO_CHARS char *line = mem_printf("%u %s\n", status, http_status_text(status));
	struct http_response r = { .status = status, .type = "text/plain;charset=utf-8" };

	c->server->counts.malformed++;
	c->request = (struct http_request){ .method = HTTP_GET, .modified_since = INT64_MIN };
	c->ending = true;
	if (status == 405)
		r.fields = "Allow: GET, HEAD\r\n";
	strbuf_clear(c->in);
	enter(c, PART_ASKED);
	begin_answer(c, &r, line != NULL ? http_page_text(span_text(line), false) : NULL);
}

/* ----------------------------------------------------------------------------------------------------------------- sending */

/* One piece, as a chunk where the answer is chunked. False: there is none, or the connection is gone. */
static bool send_piece(struct http_ask *c)
{
	struct strbuf *room = c->server->room;
	struct result r = FAIL(ERR_NOTFOUND);
	struct span piece = { NULL, 0 };

	if (c->page != NULL)
		r = http_page_piece(c->page, c->piece, &piece);
	if (OK(r)) {
		c->piece++;
		if (!c->chunked)
			return put(c, piece);
		strbuf_clear(room);
		strbuf_printf(room, "%zx\r\n", piece.n);
		return put(c, strbuf_span(room)) && put(c, piece) && put(c, span_text("\r\n"));
	}
	if (r.e != ERR_NOTFOUND) {
		client_close(c); /* it was chunked, or ends before its length: the client sees that it is not whole */
		return false;
	}
	if (c->tail) {
		c->tail = false;
		(void)put(c, span_text("0\r\n\r\n"));
	}
	return false;
}

/* The answer has been written, and has left. */
static void answered(struct http_ask *c)
{
	bool lingers = c->ending && !c->request.old && !c->closed;

	http_page_unref(MOVE(c->page));
	strbuf_clear(c->head);
	strbuf_free(MOVE(c->body));
	if (lingers) {
		enter(c, PART_LAST);
		strbuf_clear(c->in);
		set_reading(c);
	} else if (c->ending) {
		client_close(c);
	} else {
		enter(c, PART_HEAD);
	}
}

/* The next piece, when the one before has left. */
static void send_on(struct http_ask *c)
{
	if (c->part != PART_SENDING || host_stream_unsent(c->host, c->stream) >= HTTP_PIECE)
		return;
	if (send_piece(c) || c->closed)
		return;
	if (host_stream_unsent(c->host, c->stream) == 0)
		answered(c);
}

static void on_drained(struct loop *l, void *object, stream_h h)
{
	struct http_ask *c = (struct http_ask *)object;

	(void)h;
	c->since_ms = now_ms(loop_now(l));
	send_on(c);
	if (!c->closed && c->part == PART_HEAD)
		advance(c);
}

/* ----------------------------------------------------------------------------------------------------------------- reading */

/* Takes the head out of what was read; 0: it is not all there. */
static size_t take_head(struct http_ask *c)
{
	struct span in = strbuf_span(c->in);
	size_t n;

	while (in.n >= 2 && in.p[0] == '\r' && in.p[1] == '\n') { /* RFC 9112 section 2.2 */
		strbuf_drop(c->in, 2);
		in = strbuf_span(c->in);
	}
	n = http_head_end(in);
	if (n == 0 || n > c->server->o.max_head)
		return n;
	strbuf_clear(c->head);
	strbuf_add(c->head, in.p, n);
	strbuf_drop(c->in, n);
	return n;
}

static void ask(struct http_ask *c)
{
	struct http_server *s = c->server;
	struct loop *l = s->host->loop;
	void *object = loop_slot_get(l, s->ev.type, s->ev.who);

	enter(c, PART_ASKED);
	s->counts.requests++;
	if (object == NULL) {
		client_close(c);
		return;
	}
	s->ev.asked(l, object, c->self, &c->request, c->body != NULL ? strbuf_span(c->body) : span_of("", 0));
	set_reading(c);
}

/* What a body must be for us to read it; else the status that says so. */
static unsigned int body_wrong(const struct http_ask *c)
{
	const struct http_request *q = &c->request;

	if (q->method == HTTP_OTHER || q->method == HTTP_OPTIONS)
		return 405;
	if (q->method == HTTP_POST && !q->has_length && !q->chunked)
		return 411;
	if (q->method != HTTP_POST && (q->chunked || q->length > 0))
		return 400;
	return q->has_length && q->length > c->server->o.max_body ? 413 : 0;
}

static RESULT keep_body(void *ctx, struct span s)
{
	struct strbuf *body = (struct strbuf *)ctx;

	strbuf_add_span(body, s);
	return strbuf_result(body);
}

static RESULT begin_body(struct http_ask *c)
{
	struct http_head h = { .status = 200, .chunked = c->request.chunked, .has_length = c->request.has_length, .length = c->request.length };

	enter(c, PART_BODY);
	http_body_free(MOVE(c->reader));
	strbuf_free(MOVE(c->body));
	c->reader = http_body_new(&h, c->server->o.max_body);
	c->body = strbuf_new(c->server->o.max_body);
	if (c->reader == NULL || c->body == NULL)
		return FAIL(ERR_NOMEM);
	if (c->request.expects && !put(c, span_text("HTTP/1.1 100 Continue\r\n\r\n")))
		return FAIL(ERR_CLOSED);
	return DONE;
}

/* True: there is something to go on with. */
static bool read_head(struct http_ask *c)
{
	size_t n = take_head(c);
	unsigned int wrong;

	if (n > c->server->o.max_head || (n == 0 && strbuf_len(c->in) > c->server->o.max_head)) {
		refuse_early(c, 431);
		return false;
	}
	if (n == 0)
		return false;
	wrong = http_request_parse(strbuf_span(c->head), &c->server->o.request, &c->request);
	if (wrong != 0) {
		refuse_early(c, wrong);
		return false;
	}
	c->ending = c->request.close;
	wrong = body_wrong(c);
	if (wrong != 0) {
		refuse_early(c, wrong);
		return false;
	}
	if (c->request.method != HTTP_POST) {
		ask(c);
	} else if (!OK(begin_body(c))) {
		client_close(c);
	}
	return true;
}

static bool read_body(struct http_ask *c)
{
	struct reader r = reader_of(strbuf_span(c->in));
	struct result e = http_body_feed(c->reader, &r, keep_body, c->body);

	if (!OK(e)) {
		refuse_early(c, e.e == ERR_LIMIT ? 413 : e.e == ERR_NOMEM ? 503 : 400);
		return false;
	}
	strbuf_drop(c->in, r.pos);
	if (!http_body_ended(c->reader))
		return false;
	ask(c);
	return true;
}

/* As many requests as can be dealt with now. */
static void advance(struct http_ask *c)
{
	bool on = true;

	c->advancing = true;
	while (on && !c->closed) {
		if (c->part == PART_HEAD && strbuf_len(c->in) > 0)
			on = read_head(c);
		else if (c->part == PART_BODY)
			on = read_body(c);
		else
			on = false;
	}
	c->advancing = false;
	set_reading(c);
}

static void on_data(struct loop *l, void *object, stream_h h, struct span octets)
{
	struct http_ask *c = (struct http_ask *)object;

	(void)h;
	c->server->counts.octets_read += octets.n;
	if (c->part == PART_LAST)
		return;
	if (c->part == PART_HEAD && strbuf_len(c->in) == 0)
		c->since_ms = now_ms(loop_now(l));
	strbuf_add_span(c->in, octets);
	if (!strbuf_ok(c->in)) {
		client_close(c);
		return;
	}
	advance(c);
}

static void on_closed(struct loop *l, void *object, stream_h h, enum err e)
{
	(void)l, (void)h, (void)e;
	client_close((struct http_ask *)object);
}

/* --------------------------------------------------------------------------------------------------------------- accepting */

static bool is_idle(const struct http_ask *c)
{
	return c->part == PART_LAST || (c->part == PART_HEAD && strbuf_len(c->in) == 0);
}

/* One that is idle goes for one that comes. */
static bool make_place(struct http_server *s)
{
	struct http_ask *oldest = NULL;

	if (s->counts.clients < s->o.max_clients)
		return true;
	for (struct http_ask *c = s->clients; c != NULL; c = c->next)
		if (is_idle(c) && (oldest == NULL || c->since_ms <= oldest->since_ms))
			oldest = c;
	if (oldest != NULL)
		client_close(oldest);
	return oldest != NULL;
}

static void arm_look(struct http_server *s);

static void on_accept(struct loop *l, void *object, acceptor_h a, stream_h stream, const struct endpoint *from, const struct endpoint *local)
{
	struct http_server *s = (struct http_server *)object;
	AUTO(client_free) struct http_ask *made = NULL;
	struct http_ask *c;
	struct stream_events ev = { .type = &http_ask_loop_type, .data = on_data, .drained = on_drained, .closed = on_closed };

	(void)from, (void)local;
	s->counts.refused++; /* until it is taken in */
	if (!make_place(s))
		return;
	made = (struct http_ask *)mem_alloc(sizeof *made);
	if (made == NULL)
		return;
	c = made;
	c->server = s;
	c->host = s->host;
	for (const struct ear *e = s->ears; e != NULL; e = e->next)
		if (e->acceptor.v == a.v)
			c->host = e->host;
	c->stream = stream;
	c->in = strbuf_new(READ_ROOM);
	c->head = strbuf_new(s->o.max_head);
	if (c->in == NULL || c->head == NULL)
		return;
	c->self = http_ask_enlist(l, c);
	ev.who = c->self.v;
	if (c->self.v == 0)
		return;
	if (!OK(host_stream_adopt(c->host, stream, &ev))) {
		http_ask_retire(l, c->self);
		return;
	}
	enter(c, PART_HEAD);
	c->next = s->clients;
	if (c->next != NULL)
		c->next->at = &c->next;
	c->at = &s->clients;
	s->clients = MOVE(made);
	s->counts.refused--;
	s->counts.accepted++;
	s->counts.clients++;
	arm_look(s);
}

/* ------------------------------------------------------------------------------------------------------------------- limits */

static void look_at(struct http_ask *c, uint64_t now)
{
	const struct http_server_options *o = &c->server->o;
	uint64_t ms = now - c->since_ms;

	switch (c->part) {
	case PART_HEAD:
		if (strbuf_len(c->in) == 0 && ms >= o->idle_ms) {
			client_close(c);
		} else if (strbuf_len(c->in) > 0 && ms >= o->head_ms) {
			c->server->counts.late++;
			refuse_early(c, 408);
		}
		break;
	case PART_BODY:
		if (ms >= o->body_ms) {
			c->server->counts.late++;
			refuse_early(c, 408);
		}
		break;
	case PART_SENDING:
		if (ms >= o->stall_ms) {
			c->server->counts.dropped_stalled++;
			client_close(c);
		}
		break;
	case PART_LAST:
		if (ms >= LAST_MS)
			client_close(c);
		break;
	case PART_ASKED: /* the owner's matter */
		break;
	}
}

/* Memory that clients hold: a page counts once. */
static void look_at_pages(struct http_server *s)
{
	for (;;) {
		struct http_ask *slowest = NULL;
		size_t held = 0;

		s->looks++;
		for (struct http_ask *c = s->clients; c != NULL; c = c->next) {
			if (c->page == NULL)
				continue;
			if (http_page_first_seen(c->page, s->looks))
				held += http_page_octets(c->page);
			if (slowest == NULL || c->piece < slowest->piece)
				slowest = c;
		}
		if (slowest == NULL || held <= s->o.max_held)
			return;
		s->counts.dropped_held++;
		client_close(slowest);
	}
}

static void on_look(struct loop *l, void *object)
{
	struct http_server *s = (struct http_server *)object;
	uint64_t now = now_ms(loop_now(l));

	s->look.v = 0;
	for (struct http_ask *c = s->clients, *next; c != NULL; c = next) {
		next = c->next;
		look_at(c, now);
	}
	look_at_pages(s);
	arm_look(s);
}

/* Without memory for the timer the next client that comes asks again. */
static void arm_look(struct http_server *s)
{
	if (s->clients != NULL && s->look.v == 0)
		(void)!OK(loop_timer(s->host->loop, &http_server_loop_type, s->self.v, on_look, LOOK_MS, &s->look));
}

/* ---------------------------------------------------------------------------------------------------------------- lifetime */

void http_server_free(struct http_server *s)
{
	if (s == NULL)
		return;
	while (s->ears != NULL) {
		AUTO(mem_free) void *first = s->ears;
		struct ear *e = first;

		host_accept_close(e->host, e->acceptor);
		s->ears = e->next;
	}
	while (s->clients != NULL)
		client_close(s->clients);
	loop_timer_stop(s->host->loop, &s->look);
	if (s->self.v != 0)
		http_server_retire(s->host->loop, s->self);
	strbuf_free(MOVE(s->room));
	mem_free(s);
}

struct http_server *http_server_new(struct host *h, const struct http_server_options *o, const struct http_server_events *ev)
{
	AUTO(http_server_free) struct http_server *s = (struct http_server *)mem_alloc(sizeof *s);

	if (s == NULL)
		return NULL;
	s->host = h;
	s->o = *o;
	s->ev = *ev;
	s->room = strbuf_new(HEAD_ROOM);
	s->self = http_server_enlist(h->loop, s);
	return s->room != NULL && s->self.v != 0 ? MOVE(s) : NULL;
}

RESULT http_server_listen(struct http_server *s, struct host *h, const struct listen_options *o)
{
	AUTO(mem_free) void *memory = mem_alloc(sizeof(struct ear));
	struct ear *e = memory;

	if (e == NULL)
		return FAIL(ERR_NOMEM);
	e->host = h;
	TRY(host_accept(h, o, &http_server_loop_type, s->self.v, on_accept, &e->acceptor));
	e->next = s->ears;
	s->ears = MOVE(memory);
	return DONE;
}

const struct http_server_counts *http_server_counts(const struct http_server *s)
{
	return &s->counts;
}
