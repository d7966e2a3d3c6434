/* The HTTP server on the loopback, its pages, and the shelf. Its limits are set so low that no test waits for long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/libz.h"
#include "net/http_server.h"
#include "tests/unit/net/net_test.h"

LOOP_HANDLE_IMPL(user)

struct rig {
	struct user *u;
	struct http_server *server;
	struct http_page *page;
	struct endpoint where;
	http_ask_h held; /* of /hold */
	unsigned int asked;
	char body[64];
	char heard[1 << 20];
	size_t n;
	bool closed, deaf;
	stream_h client;
};

LOOP_HANDLE(rig)
LOOP_HANDLE_IMPL(rig)

static rig_h self;

/* "0\n1\n2\n..." */
struct lines {
	struct http_source source;
	unsigned int at, end, calls;
	unsigned int *freed;
};

static bool lines_more(struct http_source *s, struct strbuf *out, size_t want)
{
	struct lines *x = (struct lines *)(void *)s;

	x->calls++;
	while (x->at < x->end && strbuf_len(out) < want)
		strbuf_printf(out, "%u\n", x->at++);
	return x->at < x->end;
}

static void lines_free(struct http_source *s) TAKES(1);
static void lines_free(struct http_source *s)
{
	struct lines *x = (struct lines *)(void *)s;

	if (x->freed != NULL)
		(*x->freed)++;
	mem_free(x);
}

static struct http_page *lines_page(unsigned int end, bool gzip, unsigned int *freed)
{
	struct lines *x = (struct lines *)mem_alloc(sizeof *x);

	assert_non_null(x);
	*x = (struct lines){ .source = { lines_more, lines_free }, .end = end, .freed = freed };
	return http_page_new(&x->source, gzip);
}

static void on_asked(struct loop *l, void *object, http_ask_h ask, const struct http_request *q, struct span body)
{
	struct rig *r = (struct rig *)object;
	struct http_response a = { .status = 200, .type = "text/plain", .etag = "\"v1\"", .modified = 784111777, .fields = "X-Test: yes\r\n" };

	(void)l;
	r->asked++;
	(void)snprintf(r->body, sizeof r->body, "%.*s", (int)body.n, body.n > 0 ? (const char *)body.p : "");
	if (span_equal(q->path, span_text("/hold")))
		r->held = ask;
	else if (span_equal(q->path, span_text("/page")))
		http_server_respond(r->server, ask, &a, http_page_ref(r->page));
	else if (span_equal(q->path, span_text("/gzip")))
		http_server_respond(r->server, ask, &a, lines_page(100, q->takes_gzip, NULL));
	else if (span_equal(q->path, span_text("/none")))
		http_server_respond(r->server, ask, &a, NULL);
	else
		http_server_refuse(r->server, ask, 404, "nothing is here");
}

static void start(struct rig *r, struct user *u, const struct http_server_options *o)
{
	struct http_server_events ev = { .type = &rig_loop_type, .asked = on_asked };
	struct listen_options lo = { .dscp = -1 };
	unsigned int port = 20000 + (unsigned int)getpid() % 20000;

	memset(r, 0, sizeof *r);
	r->u = u;
	self = rig_enlist(u->loop, r);
	ev.who = self.v;
	r->server = http_server_new(u->host, o, &ev);
	assert_non_null(r->server);
	for (unsigned int i = 0; i < 50; i++) {
		char text[32];

		(void)snprintf(text, sizeof text, "127.0.0.1@%u", port + i);
		lo.at = r->where = at(text);
		if (OK(http_server_listen(r->server, u->host, &lo)))
			return;
	}
	fail();
}

static void stop(struct rig *r)
{
	host_stream_close(r->u->host, r->client);
	http_server_free(MOVE(r->server));
	http_page_unref(MOVE(r->page));
	rig_retire(r->u->loop, self);
	loop_turn(r->u->loop, false);
}

/* --------------------------------------------------------------------------------------------------------------- the client */

static void on_connected(struct loop *l, void *object, stream_h s)
{
	struct rig *r = (struct rig *)object;

	(void)l, (void)s;
	r->u->connected++;
	host_stream_pause(r->u->host, s, r->deaf);
}

static void on_data(struct loop *l, void *object, stream_h s, struct span octets)
{
	struct rig *r = (struct rig *)object;

	(void)l, (void)s;
	assert_true(r->n + octets.n < sizeof r->heard);
	memcpy(r->heard + r->n, octets.p, octets.n);
	r->n += octets.n;
	r->heard[r->n] = '\0';
}

static void on_closed(struct loop *l, void *object, stream_h s, enum err e)
{
	struct rig *r = (struct rig *)object;

	(void)l, (void)s, (void)e;
	r->closed = true;
}

static void dial(struct rig *r)
{
	struct exchange_options o = { .to = r->where };
	struct stream_events ev = { .type = &rig_loop_type, .who = self.v, .connected = on_connected, .data = on_data, .closed = on_closed };

	host_stream_close(r->u->host, r->client);
	r->n = 0;
	r->heard[0] = '\0';
	r->closed = false;
	r->u->connected = 0;
	assert_true(OK(host_connect(r->u->host, &o, &ev, &r->client)));
	RUN_UNTIL(r->u, r->u->connected == 1);
}

static void say(struct rig *r, const char *text)
{
	assert_true(OK(host_stream_write(r->u->host, r->client, span_text(text))));
}

static bool has(const struct rig *r, const char *text)
{
	return strstr(r->heard, text) != NULL;
}

static size_t times(const struct rig *r, const char *text)
{
	size_t n = 0;

	for (const char *p = r->heard; (p = strstr(p, text)) != NULL; p++)
		n++;
	return n;
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

static struct rig rig; /* large */

/* ---------------------------------------------------------------------------------------------------------------- requests */

static void one_after_the_other(void **state)
{
	struct http_server_options o = HTTP_SERVER_USUAL;

	start(&rig, (struct user *)*state, &o);
	dial(&rig);
	say(&rig, GET("/none") "\r\n" GET("/nothing") "HEAD /gzip HTTP/1.1\r\nHost: x\r\n\r\n" GET("/gzip"));
	RUN_UNTIL(rig.u, has(&rig, "\n99\n"));
	assert_int_equal(times(&rig, "HTTP/1.1 200 OK"), 3);
	assert_int_equal(times(&rig, "HTTP/1.1 404 Not Found"), 1);
	assert_true(has(&rig, "Content-Length: 0\r\n") && has(&rig, "X-Test: yes\r\n") && has(&rig, "nothing is here\n"));
	assert_true(has(&rig, "ETag: \"v1\"\r\n") && has(&rig, "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
	assert_true(has(&rig, "Content-Length: 290\r\n"));
	assert_int_equal(times(&rig, "\n42\n"), 1); /* HEAD has no body */
	assert_false(rig.closed);
	/* in pieces */
	rig.n = 0;
	for (const char *p = "GET /none HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"; *p != '\0'; p++) {
		char octet[2] = { *p, '\0' };

		say(&rig, octet);
		loop_turn(rig.u->loop, false);
	}
	RUN_UNTIL(rig.u, has(&rig, "Connection: close\r\n"));
	assert_int_equal(http_server_counts(rig.server)->requests, 5);
	stop(&rig);
}

static void wrong_ones(void **state)
{
	static const char *const says[][2] = {
		{ "GET / HTTP/1.1\r\n\r\n", " 400 " },
		{ "DELETE / HTTP/1.1\r\nHost: x\r\n\r\n", " 405 " },
		{ "POST / HTTP/1.1\r\nHost: x\r\n\r\n", " 411 " },
		{ "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 17\r\n\r\n", " 413 " },
		{ "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n11\r\n01234567890123456\r\n0\r\n\r\n", " 413 " },
		{ "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nq\r\n", " 400 " },
		{ "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", " 400 " },
		{ "GET /0123456789012345678901234567890123456789 HTTP/1.1\r\nHost: x\r\n\r\n", " 414 " },
		{ "GET / HTTP/1.1\r\nHost: x\r\nA: 012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789", " 431 " },
	};
	struct http_server_options o = HTTP_SERVER_USUAL;

	o.max_body = 16;
	o.max_head = 100;
	o.request.target = 40;
	start(&rig, (struct user *)*state, &o);
	for (size_t i = 0; i < sizeof says / sizeof says[0]; i++) {
		dial(&rig);
		say(&rig, says[i][0]);
		RUN_UNTIL(rig.u, has(&rig, "\r\n\r\n"));
		if (!has(&rig, says[i][1]))
			fail_msg("%s: %s", says[i][0], rig.heard);
		assert_true(has(&rig, "Connection: close\r\n"));
	}
	assert_int_equal(rig.asked, 0);
	assert_int_equal(http_server_counts(rig.server)->malformed, sizeof says / sizeof says[0]);
	stop(&rig);
}

static void posted(void **state)
{
	struct http_server_options o = HTTP_SERVER_USUAL;

	start(&rig, (struct user *)*state, &o);
	dial(&rig);
	say(&rig, "POST /none HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
	RUN_UNTIL(rig.u, has(&rig, "HTTP/1.1 100 Continue\r\n\r\n"));
	assert_int_equal(rig.asked, 0);
	say(&rig, "helloPOST /none HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n");
	RUN_UNTIL(rig.u, times(&rig, " 200 OK") == 2);
	assert_string_equal(rig.body, "abcd");
	stop(&rig);
}

static void what_the_client_has(void **state)
{
	struct http_server_options o = HTTP_SERVER_USUAL;
	unsigned int freed = 0;

	start(&rig, (struct user *)*state, &o);
	rig.page = lines_page(1000000, false, &freed);
	dial(&rig);
	say(&rig, "GET /page HTTP/1.1\r\nHost: x\r\nIf-None-Match: \"v0\", W/\"v1\"\r\n\r\n");
	RUN_UNTIL(rig.u, has(&rig, "\r\n\r\n"));
	assert_true(has(&rig, " 304 Not Modified\r\n") && has(&rig, "ETag: \"v1\"") && !has(&rig, "Content-Length"));
	dial(&rig);
	say(&rig, "GET /page HTTP/1.1\r\nHost: x\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n");
	RUN_UNTIL(rig.u, has(&rig, " 304 "));
	assert_true(http_page_length(rig.page) == 0); /* nothing was rendered */
	dial(&rig);
	say(&rig, "GET /none HTTP/1.1\r\nHost: x\r\nIf-None-Match: \"v2\"\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n");
	RUN_UNTIL(rig.u, has(&rig, " 200 "));
	assert_int_equal(http_server_counts(rig.server)->not_modified, 2);
	stop(&rig);
	assert_int_equal(freed, 1);
}

static void long_pages(void **state)
{
	struct http_server_options o = HTTP_SERVER_USUAL;
	uint64_t whole;

	start(&rig, (struct user *)*state, &o);
	rig.page = lines_page(100000, false, NULL);
	dial(&rig);
	say(&rig, GET("/page"));
	RUN_UNTIL(rig.u, has(&rig, "\r\n0\r\n\r\n"));
	assert_true(has(&rig, "Transfer-Encoding: chunked\r\n") && !has(&rig, "Content-Length"));
	whole = http_page_length(rig.page);
	assert_true(http_page_complete(rig.page) && whole == 588890);
	/* now its length is known, and nothing is rendered again */
	dial(&rig);
	say(&rig, GET("/page") GET("/none"));
	RUN_UNTIL(rig.u, has(&rig, "Content-Length: 0\r\n"));
	assert_true(has(&rig, "Content-Length: 588890\r\n") && http_page_length(rig.page) == whole);
	/* an old client is told the end by the connection's */
	http_page_unref(MOVE(rig.page));
	rig.page = lines_page(100000, false, NULL);
	dial(&rig);
	say(&rig, "GET /page HTTP/1.0\r\n\r\n");
	RUN_UNTIL(rig.u, rig.closed);
	assert_true(has(&rig, "\r\n\r\n0\n1\n2\n") && has(&rig, "\n99999\n") && !has(&rig, "chunked"));
	stop(&rig);
}

static void packed(void **state)
{
	struct http_server_options o = HTTP_SERVER_USUAL;
	char out[1024];
	z_stream z = { .avail_out = sizeof out };
	const char *body;

	start(&rig, (struct user *)*state, &o);
	dial(&rig);
	say(&rig, "GET /gzip HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n");
	RUN_UNTIL(rig.u, strstr(rig.heard, "\r\n\r\n") != NULL && rig.n > 300);
	assert_true(has(&rig, "Content-Encoding: gzip\r\n") && has(&rig, "Vary: Accept-Encoding\r\n") && has(&rig, "ETag: W/\"v1\"\r\n"));
	body = strstr(rig.heard, "\r\n\r\n") + 4;
	assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
	z.next_in = (const Bytef *)body;
	z.avail_in = (unsigned int)(rig.n - (size_t)(body - rig.heard));
	z.next_out = (Bytef *)out;
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(z.total_out, 290);
	assert_memory_equal(out + 287, "99\n", 3);
	(void)inflateEnd(&z);
	stop(&rig);
}

static void later(void **state)
{
	struct http_server_options o = HTTP_SERVER_USUAL;

	start(&rig, (struct user *)*state, &o);
	dial(&rig);
	say(&rig, GET("/hold") GET("/none"));
	RUN_UNTIL(rig.u, rig.asked == 1);
	loop_turn(rig.u->loop, false);
	assert_int_equal(rig.n, 0); /* the second waits for the first */
	http_server_refuse(rig.server, rig.held, 503, "not now");
	RUN_UNTIL(rig.u, has(&rig, " 200 OK"));
	assert_true(has(&rig, " 503 ") && has(&rig, "Retry-After: "));
	http_server_refuse(rig.server, rig.held, 404, "too late"); /* it was answered */
	/* a client that goes makes its ask stale */
	say(&rig, GET("/hold"));
	RUN_UNTIL(rig.u, rig.asked == 3);
	host_stream_close(rig.u->host, rig.client);
	RUN_UNTIL(rig.u, http_server_counts(rig.server)->clients == 0);
	http_server_refuse(rig.server, rig.held, 404, "gone");
	stop(&rig);
}

/* ------------------------------------------------------------------------------------------------------------------- limits */

static void slow_ones(void **state)
{
	struct http_server_options o = HTTP_SERVER_USUAL;

	o.head_ms = o.body_ms = o.stall_ms = 50;
	start(&rig, (struct user *)*state, &o);
	dial(&rig);
	say(&rig, "GET / HT");
	RUN_UNTIL(rig.u, has(&rig, " 408 "));
	dial(&rig);
	say(&rig, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na");
	RUN_UNTIL(rig.u, has(&rig, " 408 "));
	rig.page = lines_page(10000000, false, NULL);
	rig.deaf = true;
	dial(&rig);
	say(&rig, GET("/page"));
	RUN_UNTIL(rig.u, http_server_counts(rig.server)->dropped_stalled == 1);
	assert_false(http_page_complete(rig.page)); /* no more is rendered than is read */
	assert_int_equal(http_server_counts(rig.server)->late, 2);
	stop(&rig);
}

static void idle_ones(void **state)
{
	struct http_server_options o = HTTP_SERVER_USUAL;
	stream_h first;

	o.idle_ms = 50;
	start(&rig, (struct user *)*state, &o);
	dial(&rig);
	RUN_UNTIL(rig.u, rig.closed);
	stop(&rig);
	/* one that is idle gives its place, one that is not keeps it */
	o = HTTP_SERVER_USUAL;
	o.max_clients = 1;
	start(&rig, (struct user *)*state, &o);
	dial(&rig);
	RUN_UNTIL(rig.u, http_server_counts(rig.server)->clients == 1);
	first = rig.client;
	rig.client.v = 0;
	dial(&rig);
	say(&rig, GET("/hold"));
	RUN_UNTIL(rig.u, rig.asked == 1);
	host_stream_close(rig.u->host, first);
	first = rig.client;
	rig.client.v = 0;
	dial(&rig);
	RUN_UNTIL(rig.u, rig.closed);
	assert_int_equal(http_server_counts(rig.server)->refused, 1);
	host_stream_close(rig.u->host, first);
	stop(&rig);
}

static void what_clients_hold(void **state)
{
	struct http_server_options o = HTTP_SERVER_USUAL;

	o.max_held = 1 << 20;
	start(&rig, (struct user *)*state, &o);
	rig.page = lines_page(1000000, false, NULL);
	for (struct span s; !http_page_complete(rig.page);)
		assert_true(OK(http_page_piece(rig.page, SIZE_MAX, &s)) || http_page_complete(rig.page));
	rig.deaf = true;
	dial(&rig);
	say(&rig, GET("/page"));
	RUN_UNTIL(rig.u, http_server_counts(rig.server)->dropped_held == 1);
	stop(&rig);
}

/* ------------------------------------------------------------------------------------------------------------------ without */

static void shelf(void **state)
{
	struct http_shelf *s = http_shelf_new(11000);
	struct http_page *p;
	struct span piece;

	(void)state;
	assert_non_null(s);
	for (unsigned int i = 0; i < 3; i++) {
		char key[8], text[3000];

		memset(text, 'x', sizeof text);
		(void)snprintf(key, sizeof key, "%u", i);
		p = http_page_text(span_of(text, sizeof text), false);
		assert_non_null(p);
		assert_true(OK(http_page_piece(p, 0, &piece)));
		http_shelf_put(s, key, p);
		http_page_unref(MOVE(p));
	}
	p = http_shelf_find(s, "0"); /* it becomes the newest */
	assert_non_null(p);
	http_page_unref(MOVE(p));
	p = lines_page(1000, false, NULL);
	assert_true(OK(http_page_piece(p, 0, &piece)));
	http_shelf_put(s, "lines", p);
	http_page_unref(MOVE(p));
	assert_int_equal(http_shelf_count(s), 2);
	assert_null(http_shelf_find(s, "1"));
	p = http_shelf_find(s, "0");
	assert_non_null(p);
	http_shelf_clear(s);
	assert_int_equal(http_shelf_count(s), 0);
	assert_true(OK(http_page_piece(p, 0, &piece)) && piece.n == 3000); /* who holds it keeps it */
	http_page_unref(MOVE(p));
	http_shelf_free(MOVE(s));
	assert_int_equal(mem_usage().objects, 0);
}

static void pages_without_memory(void **state)
{
	(void)state;
	for (unsigned int gzip = 0; gzip < 2; gzip++) {
		bool over = false;

		for (uint64_t n = 1; !over; n++) {
			struct http_page *p;
			struct span piece;
			struct result r = DONE;
			unsigned int freed = 0;
			struct lines *x = (struct lines *)mem_alloc(sizeof *x);

			*x = (struct lines){ .source = { lines_more, lines_free }, .end = 100000, .freed = &freed };
			mem_fail_at(n, true);
			p = http_page_new(&x->source, gzip == 1);
			for (size_t i = 0; p != NULL && OK(r); i++)
				r = http_page_piece(p, i, &piece);
			over = !mem_failed();
			mem_fail_at(0, false);
			assert_true(p == NULL || r.e == (over ? ERR_NOTFOUND : ERR_NOMEM));
			http_page_unref(MOVE(p));
			assert_int_equal(freed, 1);
			assert_int_equal(mem_usage().objects, 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_after_the_other, user_start, user_end),
		cmocka_unit_test_setup_teardown(wrong_ones, user_start, user_end),
		cmocka_unit_test_setup_teardown(posted, user_start, user_end),
		cmocka_unit_test_setup_teardown(what_the_client_has, user_start, user_end),
		cmocka_unit_test_setup_teardown(long_pages, user_start, user_end),
		cmocka_unit_test_setup_teardown(packed, user_start, user_end),
		cmocka_unit_test_setup_teardown(later, user_start, user_end),
		cmocka_unit_test_setup_teardown(slow_ones, user_start, user_end),
		cmocka_unit_test_setup_teardown(idle_ones, user_start, user_end),
		cmocka_unit_test_setup_teardown(what_clients_hold, user_start, user_end),
		cmocka_unit_test(shelf),
		cmocka_unit_test(pages_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
