/* The HTTP client on the simulator's network, without TLS: scripted servers, virtual time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "net/http_client.h"
#include "tests/sim/net.h"

LOOP_HANDLE(asker)
LOOP_HANDLE_IMPL(asker)

#define SECOND 1000000000ull

struct asker {
	unsigned int answers, ended;
	struct http_answer answer;
	char etag[64], body[4096], why[200];
	size_t octets;
	enum err e;
	bool cancel_at_answer, cancel_at_body, pause_at_answer;
	http_transfer_h at;
	struct http_client *client;
};

/* What a server does with the n-th request of a run; the last line of the script for all that follow. */
struct line {
	const char *say;
	bool close;      /* afterwards */
	unsigned int drip_ms; /* an octet each; 0: all at once */
};

struct server {
	const struct line *script;
	size_t lines, requests, connections;
	bool refuse, mute;
	char heard[8192]; /* of this connection */
	char last[4096];  /* the last whole request */
};

struct drip {
	struct sim_conn *c;
	const char *rest;
	unsigned int ms;
	bool gone;
};

struct rig {
	struct sim *sim;
	struct loop *loop;
	struct rng *rng;
	struct host *host;
	struct asker a;
	asker_h self;
	struct server v, other;
	struct drip drip;
	struct addr at4, at4b;
	struct http_options o;
};

static struct addr ip(const char *text)
{
	struct addr a;

	assert_true(OK(addr_parse(text, &a)));
	return a;
}

static void on_answer(struct loop *l, void *object, http_transfer_h t, const struct http_answer *x)
{
	struct asker *a = (struct asker *)object;

	(void)l;
	a->answers++;
	a->answer = *x;
	(void)snprintf(a->etag, sizeof a->etag, "%s", x->etag);
	if (a->cancel_at_answer)
		http_cancel(a->client, t);
	if (a->pause_at_answer)
		http_pause(a->client, t, true);
}

static void on_body(struct loop *l, void *object, http_transfer_h t, struct span octets)
{
	struct asker *a = (struct asker *)object;

	(void)l;
	for (size_t i = 0; i < octets.n && a->octets + i + 1 < sizeof a->body; i++)
		a->body[a->octets + i] = (char)octets.p[i];
	a->octets += octets.n;
	if (a->cancel_at_body)
		http_cancel(a->client, t);
}

static void on_ended(struct loop *l, void *object, http_transfer_h t, enum err e, const char *why)
{
	struct asker *a = (struct asker *)object;

	(void)l, (void)t;
	a->ended++;
	a->e = e;
	(void)snprintf(a->why, sizeof a->why, "%s", why);
}

static void dripping(struct sim *s, void *ctx, uint64_t arg)
{
	struct drip *d = (struct drip *)ctx;

	(void)arg;
	if (d->gone || *d->rest == '\0')
		return;
	sim_conn_write(s, d->c, span_of(d->rest++, 1));
	sim_at(s, d->ms * (SECOND / 1000), dripping, d, 0);
}

static bool v_connection(struct sim *s, void *ctx, struct sim_conn *c)
{
	struct server *v = (struct server *)ctx;

	(void)s, (void)c;
	v->connections++;
	v->heard[0] = '\0';
	return !v->refuse;
}

static struct rig *the_rig; /* for drips */

static void v_data(struct sim *s, void *ctx, struct sim_conn *c, struct span octets)
{
	struct server *v = (struct server *)ctx;
	const struct line *l;

	if (v->mute)
		return;
	(void)strncat(v->heard, (const char *)octets.p, octets.n);
	if (strstr(v->heard, "\r\n\r\n") == NULL)
		return;
	(void)snprintf(v->last, sizeof v->last, "%.4000s", v->heard);
	v->heard[0] = '\0';
	if (v->lines == 0) { /* nobody thought that it would be asked: without memory for the first address the second one is tried */
		sim_conn_close(s, c);
		return;
	}
	l = &v->script[v->requests < v->lines ? v->requests : v->lines - 1];
	v->requests++;
	if (l->drip_ms > 0) {
		the_rig->drip = (struct drip){ .c = c, .rest = l->say, .ms = l->drip_ms };
		sim_at(s, 0, dripping, &the_rig->drip, 0);
		return;
	}
	sim_conn_write(s, c, span_text(l->say));
	if (l->close)
		sim_conn_close(s, c);
}

static void v_closed(struct sim *s, void *ctx, struct sim_conn *c)
{
	(void)s, (void)ctx, (void)c;
	the_rig->drip.gone = true;
}

static const struct sim_node_events node_events = { .connection = v_connection, .data = v_data, .closed = v_closed };

static int start(void **state)
{
	struct rig *g = (struct rig *)test_calloc(1, sizeof *g);
	struct addr own4 = ip("198.51.100.1"), own6 = ip("2001:db8::1");

	the_rig = g;
	g->at4 = ip("192.0.2.1");
	g->at4b = ip("192.0.2.2");
	g->sim = sim_new(7);
	g->rng = rng_new_seeded(7);
	g->loop = sim_loop_new(g->sim, g->rng, NULL);
	g->host = sim_host_new(g->sim, g->loop, &own4, &own6);
	assert_non_null(g->host);
	assert_true(OK(sim_node(g->sim, &g->at4, &node_events, &g->v)));
	assert_true(OK(sim_node(g->sim, &g->at4b, &node_events, &g->other)));
	g->self = asker_enlist(g->loop, &g->a);
	g->o = http_options_default();
	g->a.client = http_client_new(g->host, &g->o);
	assert_non_null(g->a.client);
	*state = g;
	return 0;
}

static void options(struct rig *g)
{
	http_client_free(g->a.client);
	g->a.client = http_client_new(g->host, &g->o);
	assert_non_null(g->a.client);
}

static int stop(void **state)
{
	struct rig *g = (struct rig *)*state;

	http_client_free(g->a.client);
	asker_retire(g->loop, g->self);
	host_free(g->host);
	assert_int_equal(loop_live_handles(g->loop), 0);
	loop_free(g->loop);
	rng_free(g->rng);
	sim_free(g->sim);
	test_free(g);
	assert_int_equal(mem_usage().objects, 0);
	return 0;
}

static void begin(struct rig *g, const char *uri, uint64_t max)
{
	struct addr addresses[2] = { g->at4, g->at4b };
	struct http_wish q = { .uri = uri, .etag = "\"old\"", .addresses = addresses, .count = 2, .max_octets = max, .gzip = true };
	struct http_events ev = { .type = &asker_loop_type, .who = g->self.v, .answer = on_answer, .body = on_body, .ended = on_ended };
	struct asker fresh = { .client = g->a.client, .cancel_at_answer = g->a.cancel_at_answer, .cancel_at_body = g->a.cancel_at_body, .pause_at_answer = g->a.pause_at_answer };

	g->a = fresh;
	assert_true(OK(http_get(g->a.client, &q, &ev, &g->a.at)));
	assert_int_equal(g->a.ended, 0);
}

static void nothing(struct loop *l, struct message *m)
{
	(void)l, (void)m;
}

static void nothing_to_free(struct message *m)
{
	(void)m;
}

static void run(struct rig *g, uint64_t seconds)
{
	struct message wake = { .run = nothing, .free = nothing_to_free };

	loop_post(g->loop, &wake); /* what a test did between turns is seen */
	(void)sim_run(g->sim, sim_now_ns(g->sim) + seconds * SECOND);
}

#define SCRIPT(g, ...) \
	static const struct line script_[] = { __VA_ARGS__ }; \
	(g)->v.script = script_; \
	(g)->v.lines = sizeof script_ / sizeof script_[0]

static void get(struct rig *g, const char *uri)
{
	begin(g, uri, 1000);
	run(g, 5);
}

static void ended_well(const struct rig *g, const char *body)
{
	if (g->a.ended != 1 || g->a.e != ERR_NONE)
		fail_msg("ended %u times, error %d: %s", g->a.ended, g->a.e, g->a.why);
	assert_string_equal(g->a.body, body);
}

static void failed(const struct rig *g, enum err e, const char *why)
{
	if (g->a.ended != 1 || g->a.e != e || strstr(g->a.why, why) == NULL)
		fail_msg("ended %u times, error %d: %s", g->a.ended, g->a.e, g->a.why);
}

static void a_body_by_length(void **state)
{
	struct rig *g = (struct rig *)*state;

	SCRIPT(g, { "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: \"new\"\r\n\r\nhello", false, 0 });
	get(g, "https://h.example:8443/a/b?c");
	ended_well(g, "hello");
	assert_int_equal(g->a.answer.status, 200);
	assert_string_equal(g->a.etag, "\"new\"");
	assert_string_equal(g->v.last,
		"GET /a/b?c HTTP/1.1\r\nHost: h.example:8443\r\nUser-Agent: cairn\r\nAccept: */*\r\nAccept-Encoding: gzip\r\nIf-None-Match: \"old\"\r\n\r\n");
}

static void a_connection_is_used_again(void **state)
{
	struct rig *g = (struct rig *)*state;

	SCRIPT(g, { "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na", false, 0 }, { "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n", false, 0 },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nbc\r\n0\r\n\r\n", false, 0 });
	get(g, "https://h.example/1");
	ended_well(g, "a");
	get(g, "https://H.example/2");
	ended_well(g, "");
	assert_int_equal(g->a.answer.status, 304);
	get(g, "https://h.example/3");
	ended_well(g, "bc");
	assert_int_equal(g->v.connections, 1);
	assert_int_equal(http_counts(g->a.client)->reused, 2);
	get(g, "https://other.example/3");
	ended_well(g, "bc");
	assert_int_equal(g->v.connections, 2);
	run(g, 60); /* unused ones do not stay for ever */
	assert_int_equal(sim_host_open(g->host), 0);
}

static void a_connection_that_was_closed_meanwhile_is_made_again(void **state)
{
	struct rig *g = (struct rig *)*state;

	SCRIPT(g, { "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na", false, 0 }, { "", true, 0 }, { "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb", false, 0 });
	get(g, "https://h.example/1");
	get(g, "https://h.example/2");
	ended_well(g, "b");
	assert_int_equal(g->v.connections, 2);
}

static void a_fresh_connection_that_says_nothing_is_an_error(void **state)
{
	struct rig *g = (struct rig *)*state;

	SCRIPT(g, { "", true, 0 });
	get(g, "https://h.example/1");
	failed(g, ERR_CLOSED, "closed");
	assert_int_equal(g->v.connections, 1);
}

static void a_body_until_the_connection_closes(void **state)
{
	struct rig *g = (struct rig *)*state;

	SCRIPT(g, { "HTTP/1.0 200 OK\r\n\r\nhello", true, 0 });
	get(g, "https://h.example/1");
	ended_well(g, "hello");
}

static void a_body_that_is_cut_off(void **state)
{
	struct rig *g = (struct rig *)*state;

	SCRIPT(g, { "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello", true, 0 }, { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", true, 0 },
		{ "HTTP/1.1 200 OK\r\nContent-Le", true, 0 });
	for (unsigned int i = 0; i < 3; i++) {
		get(g, "https://h.example/1");
		failed(g, ERR_CLOSED, "closed");
	}
}

static void what_is_no_answer(void **state)
{
	struct rig *g = (struct rig *)*state;

	SCRIPT(g, { "SSH-2.0\r\n\r\n", false, 0 }, { "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", false, 0 },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", false, 0 }, { "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n", false, 0 },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", false, 0 }, { "HTTP/1.1 101 Switching\r\n\r\n", false, 0 },
		{ "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", false, 0 });
	for (unsigned int i = 0; i < 7; i++) {
		get(g, "https://h.example/1");
		failed(g, ERR_FORMAT, "");
	}
}

static void a_coding_that_was_not_asked_for(void **state)
{
	struct rig *g = (struct rig *)*state;

	SCRIPT(g, { "HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 3\r\n\r\nabc", false, 0 });
	get(g, "https://h.example/1");
	failed(g, ERR_UNSUPPORTED, "not asked for");
}

static void interim_answers_are_left_out(void **state)
{
	struct rig *g = (struct rig *)*state;

	SCRIPT(g, { "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na", false, 0 });
	get(g, "https://h.example/1");
	ended_well(g, "a");
	assert_int_equal(g->a.answers, 1);
}

static void too_large(void **state)
{
	struct rig *g = (struct rig *)*state;

	SCRIPT(g, { "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world", false, 0 }, { "HTTP/1.0 200 OK\r\n\r\nhello world", true, 0 },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nhello \r\n5\r\nworld\r\n0\r\n\r\n", false, 0 });
	for (unsigned int i = 0; i < 3; i++) {
		begin(g, "https://h.example/1", 10);
		run(g, 5);
		failed(g, ERR_LIMIT, "larger");
		assert_true(g->a.octets <= 10);
	}
	assert_int_equal(http_counts(g->a.client)->too_large, 3);
}

static void a_head_that_is_too_long(void **state)
{
	struct rig *g = (struct rig *)*state;

	SCRIPT(g, { "HTTP/1.1 200 OK\r\nX-Long: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nContent-Length: 0\r\n\r\n", false, 0 });
	g->o.head_octets = 60;
	options(g);
	get(g, "https://h.example/1");
	failed(g, ERR_LIMIT, "head");
}

static void redirects_stay_at_the_origin(void **state)
{
	struct rig *g = (struct rig *)*state;

	SCRIPT(g, { "HTTP/1.1 301 Moved\r\nLocation: /two\r\nContent-Length: 0\r\n\r\n", false, 0 },
		{ "HTTP/1.1 302 Found\r\nLocation: https://h.example:443/three\r\nContent-Length: 3\r\n\r\nxyz", false, 0 },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na", false, 0 }, { "HTTP/1.1 302 Found\r\nLocation: https://other.example/\r\nContent-Length: 0\r\n\r\n", false, 0 },
		{ "HTTP/1.1 302 Found\r\nLocation: http://h.example/\r\nContent-Length: 0\r\n\r\n", false, 0 },
		{ "HTTP/1.1 302 Found\r\nLocation: //h.example/\r\nContent-Length: 0\r\n\r\n", false, 0 },
		{ "HTTP/1.1 307 Again\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n", false, 0 });
	get(g, "https://h.example/1");
	ended_well(g, "a");
	assert_non_null(strstr(g->v.last, "GET /three "));
	assert_int_equal(g->a.answers, 1);
	assert_int_equal(http_counts(g->a.client)->redirects, 2);
	get(g, "https://h.example/1");
	failed(g, ERR_REFUSED, "another origin");
	get(g, "https://h.example/1");
	failed(g, ERR_REFUSED, "cannot be used");
	get(g, "https://h.example/1");
	failed(g, ERR_REFUSED, "cannot be used");
	get(g, "https://h.example/1");
	failed(g, ERR_REFUSED, "too many redirects");
	assert_int_equal(g->v.requests, 3 + 3 + 6);
}

static void addresses_are_tried_in_order(void **state)
{
	struct rig *g = (struct rig *)*state;

	SCRIPT(g, { "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na", false, 0 });
	g->other.script = g->v.script;
	g->other.lines = 1;
	g->v.refuse = true;
	get(g, "https://h.example/1");
	ended_well(g, "a");
	assert_int_equal(g->other.requests, 1);
	sim_node_down(g->sim, &g->at4, true);
	begin(g, "https://g.example/1", 10);
	run(g, 14);
	assert_int_equal(g->a.ended, 0);
	run(g, 3);
	ended_well(g, "a");
	sim_node_down(g->sim, &g->at4b, true);
	begin(g, "https://f.example/1", 10);
	run(g, 40);
	failed(g, ERR_TIMEOUT, "no connection in time");
}

/* Of which nobody expects much. */
static void a_connection_may_be_waited_for_less(void **state)
{
	struct rig *g = (struct rig *)*state;
	struct http_wish q = { .uri = "https://f.example/1", .addresses = &g->at4, .count = 1, .max_octets = 10, .connect_ms = 4000 };
	struct http_events ev = { .type = &asker_loop_type, .who = g->self.v, .answer = on_answer, .body = on_body, .ended = on_ended };

	sim_node_down(g->sim, &g->at4, true);
	assert_true(OK(http_get(g->a.client, &q, &ev, &g->a.at)));
	run(g, 3);
	assert_int_equal(g->a.ended, 0);
	run(g, 2);
	failed(g, ERR_TIMEOUT, "no connection in time");
	/* One that takes the request and says nothing; one that answers has all the time that others have. */
	sim_node_down(g->sim, &g->at4, false);
	g->v.mute = true;
	g->a.ended = 0;
	assert_true(OK(http_get(g->a.client, &q, &ev, &g->a.at)));
	run(g, 3);
	assert_int_equal(g->a.ended, 0);
	run(g, 2);
	failed(g, ERR_TIMEOUT, "no answer in time");
	SCRIPT(g, { "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nabcdefgh", false, 150 });
	g->v.mute = false;
	g->a.ended = 0;
	g->a.octets = 0;
	assert_true(OK(http_get(g->a.client, &q, &ev, &g->a.at)));
	run(g, 9);
	ended_well(g, "abcdefgh");
}

static void nobody_listens(void **state)
{
	struct rig *g = (struct rig *)*state;

	g->v.refuse = g->other.refuse = true;
	get(g, "https://h.example/1");
	failed(g, ERR_REFUSED, "nobody listens");
}

static void a_server_that_drips_is_cut(void **state)
{
	struct rig *g = (struct rig *)*state;

	SCRIPT(g, { "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", false, 100 });
	begin(g, "https://h.example/1", 1000);
	run(g, 9);
	assert_int_equal(g->a.ended, 0);
	run(g, 3);
	failed(g, ERR_TIMEOUT, "slower");
	assert_int_equal(http_counts(g->a.client)->too_slow, 1);
}

static void a_server_that_says_nothing_is_cut(void **state)
{
	struct rig *g = (struct rig *)*state;

	g->v.mute = true;
	begin(g, "https://h.example/1", 1000);
	run(g, 12);
	failed(g, ERR_TIMEOUT, "slower");
}

static void a_transfer_has_a_deadline(void **state)
{
	struct rig *g = (struct rig *)*state;

	SCRIPT(g, { "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", false, 100 });
	g->o.rate_octets = 1;
	g->o.deadline_ms = 11000;
	options(g);
	begin(g, "https://h.example/1", 1000);
	run(g, 10);
	assert_int_equal(g->a.ended, 0);
	run(g, 2);
	failed(g, ERR_TIMEOUT, "within the time");
	assert_int_equal(http_counts(g->a.client)->too_late, 1);
}

static void a_paused_transfer_is_not_too_slow(void **state)
{
	struct rig *g = (struct rig *)*state;

	SCRIPT(g, { "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", false, 0 });
	g->a.pause_at_answer = true;
	begin(g, "https://h.example/1", 1000);
	run(g, 60);
	assert_int_equal(g->a.answers, 1);
	assert_int_equal(g->a.ended, 0);
	http_pause(g->a.client, g->a.at, false);
	run(g, 30);
	failed(g, ERR_TIMEOUT, "slower");
}

static void a_transfer_that_is_paused_before_it_has_a_connection_brings_nothing(void **state)
{
	struct rig *g = (struct rig *)*state;

	SCRIPT(g, { "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", false, 0 });
	begin(g, "https://h.example/1", 1000);
	http_pause(g->a.client, g->a.at, true);
	run(g, 5);
	assert_int_equal(g->v.requests + g->other.requests, 1); /* it is asked for */
	assert_int_equal(g->a.octets + g->a.ended, 0);
	http_pause(g->a.client, g->a.at, false);
	run(g, 5);
	assert_int_equal(g->a.octets, 5);
	assert_int_equal(g->a.e, ERR_NONE);
}

static void the_one_who_asks_may_end_it_anywhere(void **state)
{
	struct rig *g = (struct rig *)*state;

	SCRIPT(g, { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", false, 0 });
	begin(g, "https://h.example/1", 1000);
	http_cancel(g->a.client, g->a.at);
	http_cancel(g->a.client, g->a.at);
	run(g, 5);
	assert_int_equal(g->a.answers + g->a.ended, 0);
	g->a.cancel_at_answer = true;
	get(g, "https://h.example/1");
	assert_int_equal(g->a.answers, 1);
	assert_int_equal(g->a.ended + g->a.octets, 0);
	g->a.cancel_at_answer = false;
	g->a.cancel_at_body = true;
	get(g, "https://h.example/1");
	assert_int_equal(g->a.ended, 0);
	assert_int_equal(g->a.octets, 2);
	g->a.cancel_at_body = false;
	begin(g, "https://h.example/1", 1000);
	asker_retire(g->loop, g->self); /* or be gone */
	run(g, 5);
	assert_int_equal(g->a.answers + g->a.ended, 0);
	run(g, 40);
	assert_int_equal(sim_host_open(g->host), 0);
	g->self = asker_enlist(g->loop, &g->a);
}

static void the_client_may_end_with_transfers_under_way(void **state)
{
	struct rig *g = (struct rig *)*state;

	g->v.mute = true;
	begin(g, "https://h.example/1", 1000);
	run(g, 5);
	options(g);
	run(g, 5);
	assert_int_equal(g->a.ended, 0);
	assert_int_equal(sim_host_open(g->host), 0);
}

static void what_cannot_be_asked_for(void **state)
{
	struct rig *g = (struct rig *)*state;
	struct http_wish q = { .uri = "http://h.example/", .addresses = &g->at4, .count = 1 };
	struct http_events ev = { .type = &asker_loop_type, .who = g->self.v, .answer = on_answer, .body = on_body, .ended = on_ended };
	http_transfer_h t;

	assert_int_equal(http_get(g->a.client, &q, &ev, &t).e, ERR_FORMAT);
	q.uri = "https://h.example/";
	q.count = 0;
	assert_int_equal(http_get(g->a.client, &q, &ev, &t).e, ERR_RANGE);
}

static void an_address_in_the_uri_needs_no_other(void **state)
{
	struct rig *g = (struct rig *)*state;

	SCRIPT(g, { "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na", false, 0 });
	get(g, "https://192.0.2.1/1");
	ended_well(g, "a");
	assert_non_null(strstr(g->v.last, "Host: 192.0.2.1\r\n"));
}

static void by_a_proxy(void **state)
{
	struct rig *g = (struct rig *)*state;

	SCRIPT(g, { "HTTP/1.1 200 Connected\r\n\r\n", false, 0 }, { "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na", false, 0 },
		{ "HTTP/1.1 403 No\r\n\r\n", false, 0 }, { "HTTP/1.1 200 OK\r\n\r\nmore", false, 0 }, { "nonsense\r\n\r\n", false, 0 });
	g->o.by_proxy = true;
	g->o.proxy = (struct endpoint){ .a = g->at4, .port = 3128 };
	options(g);
	get(g, "https://[2001:db8::5]:444/1");
	ended_well(g, "a");
	assert_non_null(strstr(g->v.last, "GET /1 HTTP/1.1\r\nHost: [2001:db8::5]:444\r\n"));
	get(g, "https://h.example/1");
	failed(g, ERR_REFUSED, "proxy refuses");
	get(g, "https://h.example/1");
	failed(g, ERR_FORMAT, "proxy says more");
	get(g, "https://h.example/1");
	failed(g, ERR_FORMAT, "proxy does not speak");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_body_by_length),
		CASE(a_connection_is_used_again),
		CASE(a_connection_that_was_closed_meanwhile_is_made_again),
		CASE(a_fresh_connection_that_says_nothing_is_an_error),
		CASE(a_body_until_the_connection_closes),
		CASE(a_body_that_is_cut_off),
		CASE(what_is_no_answer),
		CASE(a_coding_that_was_not_asked_for),
		CASE(interim_answers_are_left_out),
		CASE(too_large),
		CASE(a_head_that_is_too_long),
		CASE(redirects_stay_at_the_origin),
		CASE(addresses_are_tried_in_order),
		CASE(a_connection_may_be_waited_for_less),
		CASE(nobody_listens),
		CASE(a_server_that_drips_is_cut),
		CASE(a_server_that_says_nothing_is_cut),
		CASE(a_transfer_has_a_deadline),
		CASE(a_paused_transfer_is_not_too_slow),
		CASE(a_transfer_that_is_paused_before_it_has_a_connection_brings_nothing),
		CASE(the_one_who_asks_may_end_it_anywhere),
		CASE(the_client_may_end_with_transfers_under_way),
		CASE(what_cannot_be_asked_for),
		CASE(an_address_in_the_uri_needs_no_other),
		CASE(by_a_proxy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
