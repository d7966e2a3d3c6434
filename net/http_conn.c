#include "net/http_inside.h"

#include <strings.h>

#include "net/http_head.h"

#define ROOM ((size_t)32 * 1024)
#define PROXY_HEAD 8192u

LOOP_HANDLE_IMPL(http_conn)

static void conn_free(struct http_conn *x) TAKES(1);
static void conn_free(struct http_conn *x)
{
	if (x == NULL)
		return;
	tls_client_free(x->tls);
	strbuf_free(x->proxy_head);
	mem_free(x->host);
	mem_free(x);
}
DEFINE_AUTO(struct http_conn, conn_free)

static void conn_bury(struct dead *d)
{
	conn_free(PARENT_OF(d, struct http_conn, dead));
}

static void set_idle(struct http_conn *x, bool idle)
{
	if (idle)
		x->client->idle++;
	else
		x->client->idle--;
}

void http_conn_close(struct http_conn *x)
{
	struct loop *l = x->client->host->loop;

	if (x->state == CONN_CLOSED)
		return;
	x->state = CONN_CLOSED;
	if (x->user == NULL)
		set_idle(x, false);
	x->user = NULL;
	loop_timer_stop(l, &x->idle);
	http_conn_retire(l, x->self);
	host_stream_close(x->client->host, x->stream);
	*x->at = x->next;
	if (x->next != NULL)
		x->next->at = x->at;
	x->next = NULL;
	loop_bury(l, &x->dead, conn_bury);
}

static void lose(struct http_conn *x, enum err e, bool in_order, const char *why)
{
	struct http_transfer *user = x->user;

	http_conn_close(x);
	if (user != NULL)
		transfer_lost(user, e, in_order, why);
}

/* --------------------------------------------------------------------------------------------------------------- outwards */

static RESULT send_wire(struct http_conn *x, struct span octets)
{
	TRY(host_stream_write(x->client->host, x->stream, octets));
	x->client->counts.octets_out += octets.n;
	return DONE;
}

static RESULT send_tls(struct http_conn *x)
{
	struct span s = tls_client_output(x->tls);
	struct result r = s.n > 0 ? send_wire(x, s) : DONE;

	tls_client_sent(x->tls);
	return r;
}

RESULT http_conn_write(struct http_conn *x, struct span octets)
{
	if (x->tls == NULL)
		return send_wire(x, octets);
	TRY(tls_client_write(x->tls, octets));
	return send_tls(x);
}

/* ---------------------------------------------------------------------------------------------------------------- inwards */

static void opened(struct http_conn *x)
{
	x->state = CONN_OPEN;
	if (x->user != NULL)
		transfer_open(x->user);
}

static void feed_tls(struct http_conn *x, struct span octets);

static void start_tls(struct http_conn *x)
{
	if (x->client->o.trust == NULL) {
		opened(x);
		return;
	}
	x->state = CONN_TLS;
	x->tls = tls_client_new(x->client->o.trust, x->host, x->literal);
	if (x->tls == NULL)
		lose(x, ERR_NOMEM, false, "TLS cannot be begun");
	else
		feed_tls(x, span_of("", 0));
}

static void ask_proxy(struct http_conn *x)
{
	AUTO(strbuf_free) struct strbuf *b = strbuf_new(2048);
	bool brackets = x->literal && strchr(x->host, ':') != NULL;

	x->state = CONN_PROXY;
	x->proxy_head = strbuf_new(PROXY_HEAD);
	if (b != NULL) {
		for (unsigned int i = 0; i < 2; i++)
			strbuf_printf(b, "%s%s%s%s:%u%s", i == 0 ? "CONNECT " : "Host: ", brackets ? "[" : "", x->host, brackets ? "]" : "", x->port,
				i == 0 ? " HTTP/1.1\r\n" : "\r\n\r\n");
	}
	if (b == NULL || x->proxy_head == NULL || !strbuf_ok(b) || !OK(send_wire(x, strbuf_span(b))))
		lose(x, ERR_NOMEM, false, "the proxy cannot be asked");
}

static void on_connected(struct loop *l, void *object, stream_h s)
{
	struct http_conn *x = (struct http_conn *)object;

	(void)l, (void)s;
	if (x->client->o.by_proxy)
		ask_proxy(x);
	else
		start_tls(x);
}

static void on_proxy(struct http_conn *x, struct span octets)
{
	struct http_head h;
	size_t end;

	strbuf_add_span(x->proxy_head, octets);
	end = strbuf_ok(x->proxy_head) ? http_head_end(strbuf_span(x->proxy_head)) : 0;
	if (!strbuf_ok(x->proxy_head))
		lose(x, ERR_LIMIT, false, "the proxy's answer is too long");
	else if (end == 0)
		return;
	else if (!OK(http_head_parse(span_of(strbuf_span(x->proxy_head).p, end), &h)))
		lose(x, ERR_FORMAT, false, "the proxy does not speak HTTP");
	else if (h.status / 100 != 2)
		lose(x, ERR_REFUSED, false, "the proxy refuses the connection");
	else if (strbuf_len(x->proxy_head) > end) /* nobody behind it has been spoken to yet */
		lose(x, ERR_FORMAT, false, "the proxy says more than it was asked");
	else
		start_tls(x);
}

/* All plaintext that is there. */
static void read_tls(struct http_conn *x)
{
	for (;;) {
		size_t n = 0;
		struct result r = tls_client_read(x->tls, x->client->room, ROOM, &n);

		if (OK(r))
			r = send_tls(x); /* a key update asks for an answer */
		if (!OK(r)) {
			lose(x, r.e, false, tls_client_why(x->tls)[0] != '\0' ? tls_client_why(x->tls) : err_text(r.e));
			return;
		}
		if (n == 0)
			break;
		if (x->user == NULL) {
			http_conn_close(x); /* nothing was asked for */
			return;
		}
		transfer_octets(x->user, span_of(x->client->room, n));
		if (x->state == CONN_CLOSED)
			return;
	}
	if (tls_client_ended(x->tls))
		lose(x, ERR_CLOSED, true, "the server closed the connection");
}

static void feed_tls(struct http_conn *x, struct span octets)
{
	struct result r = tls_client_input(x->tls, octets), sent = send_tls(x); /* an alert, too */

	if (OK(r))
		r = sent;
	if (!OK(r)) {
		lose(x, r.e, false, tls_client_why(x->tls)[0] != '\0' ? tls_client_why(x->tls) : err_text(r.e));
		return;
	}
	if (!tls_client_ready(x->tls))
		return;
	if (x->state == CONN_TLS)
		opened(x);
	if (x->state == CONN_OPEN)
		read_tls(x);
}

static void on_data(struct loop *l, void *object, stream_h s, struct span octets)
{
	struct http_conn *x = (struct http_conn *)object;

	(void)l, (void)s;
	x->client->counts.octets_in += octets.n;
	if (x->user != NULL)
		transfer_wire(x->user, octets.n);
	if (x->state == CONN_PROXY)
		on_proxy(x, octets);
	else if (x->tls != NULL)
		feed_tls(x, octets);
	else if (x->user != NULL)
		transfer_octets(x->user, octets);
	else
		http_conn_close(x);
}

static void on_closed(struct loop *l, void *object, stream_h s, enum err e)
{
	struct http_conn *x = (struct http_conn *)object;

	(void)l, (void)s;
	/* With TLS only the server's own word counts: anybody can close a connection. */
	if (e == ERR_CLOSED)
		lose(x, e, x->tls == NULL && x->state == CONN_OPEN, "the connection was closed");
	else if (e == ERR_REFUSED)
		lose(x, e, false, "nobody listens there");
	else
		lose(x, e, false, "the connection failed");
}

/* ------------------------------------------------------------------------------------------------------- opening, leaving */

static RESULT fill(struct http_conn *x, const struct http_url *u)
{
	x->host = mem_strndup((const char *)u->host.p, u->host.n);
	x->port = u->port;
	x->literal = u->literal;
	return x->host != NULL ? DONE : FAIL(ERR_NOMEM);
}

RESULT http_conn_open(struct http_client *c, struct http_transfer *user, const struct endpoint *to, const struct http_url *u, struct http_conn **ret)
{
	AUTO(conn_free) struct http_conn *made = (struct http_conn *)mem_alloc(sizeof *made);
	struct http_conn *x = made;
	struct loop *l = c->host->loop;
	struct exchange_options o = { .to = *to };
	struct stream_events ev = { .type = &http_conn_loop_type, .connected = on_connected, .data = on_data, .closed = on_closed };
	struct result r;

	if (made == NULL)
		return FAIL(ERR_NOMEM);
	TRY(fill(x, u));
	x->client = c;
	x->user = user;
	x->self = http_conn_enlist(l, x);
	if (x->self.v == 0)
		return FAIL(ERR_NOMEM);
	ev.who = x->self.v;
	r = host_connect(c->host, &o, &ev, &x->stream);
	if (!OK(r)) {
		http_conn_retire(l, x->self);
		return r;
	}
	x->next = c->conns;
	if (x->next != NULL)
		x->next->at = &x->next;
	x->at = &c->conns;
	c->conns = MOVE(made);
	c->counts.connections++;
	*ret = x;
	return DONE;
}

struct http_conn *http_conn_reuse(struct http_client *c, struct http_transfer *user, const struct http_url *u)
{
	for (struct http_conn *x = c->conns; x != NULL; x = x->next) {
		if (x->user != NULL || x->port != u->port || strlen(x->host) != u->host.n ||
		    strncasecmp(x->host, (const char *)u->host.p, u->host.n) != 0)
			continue;
		set_idle(x, false);
		loop_timer_stop(c->host->loop, &x->idle);
		x->user = user;
		x->used = true;
		c->counts.reused++;
		return x;
	}
	return NULL;
}

static void on_idle(struct loop *l, void *object)
{
	struct http_conn *x = (struct http_conn *)object;

	(void)l;
	http_conn_close(x);
}

void http_conn_leave(struct http_conn *x, bool keep)
{
	struct http_client *c = x->client;

	if (!keep || x->state != CONN_OPEN || c->idle >= c->o.idle_max ||
	    !OK(loop_timer(c->host->loop, &http_conn_loop_type, x->self.v, on_idle, c->o.idle_ms, &x->idle))) {
		http_conn_close(x);
		return;
	}
	host_stream_pause(c->host, x->stream, false);
	x->user = NULL;
	set_idle(x, true);
}
