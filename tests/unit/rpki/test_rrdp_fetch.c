/* RRDP over the HTTP client, with a server on the simulator's network. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/libcrypto.h"
#include "base/mem.h"
#include "base/rng.h"
#include "rpki/fetch/fetcher_direct.h"
#include "rpki/fetch/rrdp_fetch.h"
#include "tests/sim/net.h"

LOOP_HANDLE(asker)
LOOP_HANDLE_IMPL(asker)

#define SECOND 1000000000ull
#define SNAPSHOT "<snapshot version='1' xmlns='http://www.ripe.net/rpki/rrdp' session_id='b4772554-7369-4e0e-94f8-883d01bcabc8' serial='1'>" \
	"<publish uri='rsync://a/m/x'>TWFu</publish></snapshot>"

struct asker {
	unsigned int ended;
	enum rrdp_outcome outcome;
	char why[500];
};

struct rig {
	struct sim *sim;
	struct loop *loop;
	struct rng *rng;
	struct host *host;
	struct fetcher *fetcher;
	struct asker a;
	asker_h self;
	char notification[1000];
	unsigned int requests, connections, status;
	bool mute;
	uint8_t state[1000];
	size_t state_len;
	unsigned int published, commits, touches, aborts;
};

static bool v_connection(struct sim *s, void *ctx, struct sim_conn *c)
{
	(void)s, (void)c;
	((struct rig *)ctx)->connections++;
	return true;
}

static void v_data(struct sim *s, void *ctx, struct sim_conn *c, struct span octets)
{
	struct rig *g = (struct rig *)ctx;
	const char *request = (const char *)octets.p, *body = g->notification;
	char head[300];

	if (g->mute)
		return;
	g->requests++;
	if (memmem(request, octets.n, "If-None-Match: \"n\"", 18) != NULL) {
		sim_conn_write(s, c, span_text("HTTP/1.1 304 Not Modified\r\n\r\n"));
		return;
	}
	if (memcmp(request, "GET /s.xml ", 11) == 0)
		body = SNAPSHOT;
	(void)snprintf(head, sizeof head, "HTTP/1.1 %u X\r\nETag: \"n\"\r\nContent-Length: %zu\r\n\r\n", body == g->notification ? g->status : 200, strlen(body));
	sim_conn_write(s, c, span_text(head));
	sim_conn_write(s, c, span_text(body));
}

static const struct sim_node_events node = { .connection = v_connection, .data = v_data };

static RESULT m_begin(void *ctx, bool whole)
{
	(void)ctx, (void)whole;
	return DONE;
}

static RESULT m_publish(void *ctx, struct span uri, const uint8_t *replaces, struct span octets)
{
	(void)uri, (void)replaces, (void)octets;
	((struct rig *)ctx)->published++;
	return DONE;
}

static RESULT m_withdraw(void *ctx, struct span uri, const uint8_t hash[RRDP_HASH])
{
	(void)ctx, (void)uri, (void)hash;
	return DONE;
}

static RESULT m_keep(struct rig *g, struct span state)
{
	assert_true(state.n <= sizeof g->state);
	memcpy(g->state, state.p, state.n);
	g->state_len = state.n;
	return DONE;
}

static RESULT m_commit(void *ctx, struct span state)
{
	((struct rig *)ctx)->commits++;
	return m_keep((struct rig *)ctx, state);
}

static RESULT m_touch(void *ctx, struct span state)
{
	((struct rig *)ctx)->touches++;
	return m_keep((struct rig *)ctx, state);
}

static void m_abort(void *ctx)
{
	((struct rig *)ctx)->aborts++;
}

static void on_ended(struct loop *l, void *object, rrdp_fetch_h f, const struct rrdp_report *r)
{
	struct asker *a = (struct asker *)object;

	(void)l, (void)f;
	a->ended++;
	a->outcome = r->outcome;
	(void)snprintf(a->why, sizeof a->why, "%s", r->why);
}

static struct addr ip(const char *text)
{
	struct addr a;

	assert_true(OK(addr_parse(text, &a)));
	return a;
}

static void look_up(const char *host, struct names_answer *ret)
{
	if (strcmp(host, "h") == 0)
		ret->a[ret->n++] = ip("192.0.2.1");
	else
		(void)snprintf(ret->why, sizeof ret->why, "no such name");
}

static int start(void **state)
{
	struct rig *g = (struct rig *)test_calloc(1, sizeof *g);
	struct addr own4 = ip("198.51.100.1"), own6 = ip("2001:db8::1"), at = ip("192.0.2.1");
	struct fetcher_direct_options o = fetcher_direct_options_default();
	uint8_t hash[RRDP_HASH];
	SHA256_CTX sha;
	int n;

	g->status = 200;
	g->sim = sim_new(7);
	g->rng = rng_new_seeded(7);
	g->loop = sim_loop_new(g->sim, g->rng, NULL);
	g->host = sim_host_new(g->sim, g->loop, &own4, &own6);
	o.name_threads = 0;
	o.lookup = look_up;
	g->fetcher = fetcher_direct_new(g->host, &o);
	assert_non_null(g->fetcher);
	assert_true(OK(sim_node(g->sim, &at, &node, g)));
	g->self = asker_enlist(g->loop, &g->a);
	SHA256_Init(&sha);
	SHA256_Update(&sha, SNAPSHOT, strlen(SNAPSHOT));
	SHA256_Final(hash, &sha);
	n = snprintf(g->notification, sizeof g->notification,
		"<notification version='1' xmlns='http://www.ripe.net/rpki/rrdp' session_id='b4772554-7369-4e0e-94f8-883d01bcabc8' serial='1'><snapshot uri='https://h/s.xml' hash='");
	for (size_t i = 0; i < sizeof hash; i++)
		n += snprintf(g->notification + n, 3, "%02x", hash[i]);
	(void)snprintf(g->notification + n, sizeof g->notification - (size_t)n, "'/></notification>");
	*state = g;
	return 0;
}

static int stop(void **state)
{
	struct rig *g = (struct rig *)*state;

	fetcher_free(g->fetcher);
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

static void nothing(struct loop *l, struct message *m)
{
	(void)l, (void)m;
}

static void nothing_to_free(struct message *m)
{
	(void)m;
}

static rrdp_fetch_h begin_at(struct rig *g, const char *uri)
{
	static const struct rrdp_limits limits = { .notification_octets = 10000, .snapshot_octets = 10000, .object_octets = 100, .elements = 10, .list = 10,
		.token_octets = 10000 };
	struct rrdp_store store = { g, m_begin, m_publish, m_withdraw, m_commit, m_touch, m_abort };
	struct rrdp_options o = { .uri = uri, .state = span_of(g->state, g->state_len), .limits = &limits };
	struct rrdp_fetch_events ev = { .type = &asker_loop_type, .who = g->self.v, .ended = on_ended };
	rrdp_fetch_h f;

	g->a = (struct asker){ 0 };
	assert_true(OK(rrdp_fetch_begin(g->fetcher, &o, &store, 0, &ev, &f)));
	assert_int_equal(g->a.ended, 0);
	return f;
}

static rrdp_fetch_h begin(struct rig *g)
{
	return begin_at(g, "https://h/n.xml");
}

static void run(struct rig *g)
{
	struct message wake = { .run = nothing, .free = nothing_to_free };

	loop_post(g->loop, &wake);
	(void)sim_run(g->sim, sim_now_ns(g->sim) + 20 * SECOND);
}

static void a_repository_is_fetched_and_then_unchanged(void **state)
{
	struct rig *g = (struct rig *)*state;

	(void)begin(g);
	run(g);
	assert_int_equal(g->a.outcome, RRDP_BY_SNAPSHOT);
	assert_true(g->published == 1 && g->commits == 1);
	assert_int_equal(g->connections, 1);
	(void)begin(g);
	run(g);
	assert_int_equal(g->a.outcome, RRDP_UNCHANGED);
	assert_true(g->touches == 1 && g->requests == 3);
	assert_int_equal(g->connections, 1);
}

static void what_fails_is_told(void **state)
{
	struct rig *g = (struct rig *)*state;

	g->status = 404;
	(void)begin(g);
	run(g);
	assert_int_equal(g->a.ended, 1);
	assert_int_equal(g->a.outcome, RRDP_FAILED);
	assert_non_null(strstr(g->a.why, "HTTP status 404"));
	g->status = 200;
	memset(g->notification, 'x', 10);
	(void)begin(g);
	run(g);
	assert_int_equal(g->a.outcome, RRDP_FAILED);
	assert_non_null(strstr(g->a.why, "notification, line 1"));
	(void)begin_at(g, "https://other/n.xml");
	run(g);
	assert_int_equal(g->a.outcome, RRDP_FAILED);
	assert_non_null(strstr(g->a.why, "no address"));
	g->mute = true;
	(void)begin(g);
	run(g);
	assert_int_equal(g->a.outcome, RRDP_FAILED);
	assert_non_null(strstr(g->a.why, "slower"));
	assert_int_equal(g->commits + g->touches, 0);
}

static void a_run_may_be_stopped(void **state)
{
	struct rig *g = (struct rig *)*state;
	rrdp_fetch_h f = begin(g);

	rrdp_fetch_stop(g->loop, f);
	rrdp_fetch_stop(g->loop, f);
	run(g);
	g->mute = true;
	f = begin(g);
	run(g);
	f = begin(g);
	rrdp_fetch_stop(g->loop, f);
	run(g);
	assert_int_equal(g->a.ended, 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = { CASE(a_repository_is_fetched_and_then_unchanged), CASE(what_fails_is_told), CASE(a_run_may_be_stopped) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
