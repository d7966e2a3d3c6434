/* The RTR service on real sockets: a Unix socket in a directory of the test's own. */
#include "tests/unit/net/net_test.h"

#include <stdlib.h>

#include "rpki/serve/rtr_server.h"

LOOP_HANDLE_IMPL(user)

static char dir[] = "/tmp/cairn-rtr-XXXXXX", path[sizeof dir + 8];

struct fixture {
	struct user *u;
	struct rtr_feed *feed;
	struct rtr_server *server;
};

static void publish(struct fixture *x, uint32_t first, uint32_t n)
{
	AUTO(table_builder_free) struct table_builder *b = table_builder_new(NULL);
	struct payload_table *t = NULL;
	bool changed;

	assert_non_null(b);
	for (uint32_t i = 0; i < n; i++) {
		struct vrp v = { .family = ADDR_V6, .len = 8, .maxlen = 8, .addr = { 0x20 }, .asn = first + i };

		assert_true(OK(table_builder_add_vrp(b, &v, SOURCE_NONE)));
	}
	assert_true(OK(table_builder_finish(MOVE(b), 1, &t)));
	assert_true(OK(rtr_feed_publish(x->feed, t, &changed)));
	assert_true(changed);
	if (x->server != NULL)
		rtr_server_published(x->server);
}

static int set_up(void **state)
{
	struct fixture *x = (struct fixture *)mem_alloc(sizeof *x);
	struct rtr_feed_options o = { .timers = RTR_TIMERS_USUAL, .history = { 10, 1u << 20 } };
	struct rtr_server_options so = RTR_SERVER_USUAL;
	struct listen_options lo = { .path = path, .dscp = -1, .keepalive = true };
	struct rtr_state ids;
	void *u;

	assert_non_null(x);
	assert_int_equal(user_start(&u), 0);
	x->u = (struct user *)u;
	so.max_clients = 2;
	so.notify_ms = 100;
	ids = rtr_state_draw(loop_rng(x->u->loop));
	x->feed = rtr_feed_new(&o, &ids);
	assert_non_null(x->feed);
	x->server = rtr_server_new(x->u->host, x->feed, &so);
	assert_non_null(x->server);
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof path, "%s/rtr", dir);
	assert_true(OK(rtr_server_listen(x->server, &lo)));
	*state = x;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *x = *state;
	void *u = x->u;

	rtr_server_free(x->server);
	rtr_feed_free(x->feed);
	mem_free(x);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
	memcpy(dir + sizeof dir - 7, "XXXXXX", 6);
	return user_end(&u);
}

/* The router's side: all octets are counted, the last ones kept. */
static void on_connected(struct loop *l, void *object, stream_h s)
{
	struct user *u = (struct user *)object;

	(void)l, (void)s;
	u->connected++;
}

static void on_data(struct loop *l, void *object, stream_h s, struct span octets)
{
	struct user *u = (struct user *)object;

	(void)l, (void)s;
	u->octets += octets.n;
	for (size_t i = 0; i < octets.n; i++) {
		if (u->last_len == sizeof u->last) {
			memmove(u->last, u->last + 1024, sizeof u->last - 1024);
			u->last_len -= 1024;
		}
		u->last[u->last_len++] = octets.p[i];
	}
}

static void on_closed(struct loop *l, void *object, stream_h s, enum err e)
{
	struct user *u = (struct user *)object;

	(void)l, (void)s;
	u->closed++;
	u->close_error = e;
}

static stream_h dial(struct fixture *x)
{
	struct exchange_options o = { .path = path };
	struct stream_events ev = { &user_loop_type, x->u->self.v, on_connected, on_data, NULL, on_closed };
	unsigned int before = x->u->connected;
	stream_h s;

	assert_true(OK(host_connect(x->u->host, &o, &ev, &s)));
	RUN_UNTIL(x->u, x->u->connected > before);
	return s;
}

static void ask_reset(struct fixture *x, stream_h s, uint8_t version)
{
	uint8_t room[8];
	struct writer w = writer_of(room, sizeof room);

	x->u->octets = x->u->last_len = 0;
	rtr_write_reset_query(&w, version);
	assert_true(OK(host_stream_write(x->u->host, s, writer_done(&w))));
}

static void routers_synchronise_and_are_notified(void **state)
{
	struct fixture *x = *state;
	stream_h s;
	uint64_t first_ms;

	publish(x, 1, 5000);
	s = dial(x);
	ask_reset(x, s, 1);
	RUN_UNTIL(x->u, x->u->octets == 8 + 5000 * 32 + 24);
	assert_int_equal(rtr_header_of(x->u->last + x->u->last_len - 24).type, RTR_END_OF_DATA);
	RUN_UNTIL(x->u, rtr_server_counts(x->server)->clients == 1);
	first_ms = now_ms(loop_now(x->u->loop));
	x->u->octets = x->u->last_len = 0;
	publish(x, 2, 5000);
	publish(x, 3, 5000); /* the first Notify was not long ago: this one waits, */
	publish(x, 4, 5000); /* and tells of both */
	RUN_UNTIL(x->u, x->u->octets == 24);
	assert_int_equal(x->u->last[1], RTR_SERIAL_NOTIFY);
	assert_int_equal(load32(x->u->last + 20), rtr_feed_state(x->feed).serial);
	assert_int_equal(rtr_server_counts(x->server)->sessions.notifies, 2);
	assert_true(now_ms(loop_now(x->u->loop)) - first_ms >= 100);
	assert_int_equal(rtr_server_counts(x->server)->accepted, 1);
	assert_true(rtr_server_counts(x->server)->octets_sent > 5000u * 32u);
}

static void a_router_too_many_is_closed(void **state)
{
	struct fixture *x = *state;

	(void)dial(x);
	(void)dial(x);
	(void)dial(x);
	RUN_UNTIL(x->u, x->u->closed == 1);
	assert_int_equal(rtr_server_counts(x->server)->clients, 2);
	assert_int_equal(rtr_server_counts(x->server)->refused, 1);
}

static void a_router_that_does_not_read_is_dropped(void **state)
{
	struct fixture *x = *state;
	stream_h s;

	publish(x, 1, 100000);
	s = dial(x);
	host_stream_pause(x->u->host, s, true);
	ask_reset(x, s, 2);
	RUN_UNTIL(x->u, rtr_server_counts(x->server)->octets_sent > 0);
	for (uint32_t i = 0; i < RTR_SERVER_USUAL.max_behind; i++)
		publish(x, 2 + i, 100000);
	assert_int_equal(rtr_server_counts(x->server)->clients, 1);
	publish(x, 100, 100000);
	assert_int_equal(rtr_server_counts(x->server)->clients, 0);
	assert_int_equal(rtr_server_counts(x->server)->dropped_behind, 1);
	host_stream_close(x->u->host, s);
}

static void who_breaks_the_protocol_is_told_and_closed(void **state)
{
	struct fixture *x = *state;
	stream_h s = dial(x);
	static const uint8_t bad[8] = { 1, 77, 0, 0, 0, 0, 0, 8 };

	assert_true(OK(host_stream_write(x->u->host, s, span_of(bad, sizeof bad))));
	RUN_UNTIL(x->u, x->u->closed == 1);
	assert_int_equal(x->u->last[1], RTR_ERROR);
	assert_int_equal(x->u->last[3], RTR_UNSUPPORTED_TYPE);
	assert_int_equal(rtr_server_counts(x->server)->ended_malformed, 1);
}

static void goodbye_ends_all(void **state)
{
	struct fixture *x = *state;
	stream_h s;

	publish(x, 1, 10);
	s = dial(x);
	ask_reset(x, s, 2);
	RUN_UNTIL(x->u, x->u->octets == 8 + 10 * 32 + 24);
	x->u->last_len = 0;
	rtr_server_goodbye(x->server, RTR_CACHE_RESTART);
	RUN_UNTIL(x->u, x->u->closed == 1);
	assert_int_equal(x->u->last[1], RTR_ERROR);
	assert_int_equal(x->u->last[3], RTR_CACHE_RESTART);
	assert_int_equal(rtr_server_counts(x->server)->clients, 0);
}

int main(void)
{
#define SERVER_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		SERVER_TEST(routers_synchronise_and_are_notified),
		SERVER_TEST(a_router_too_many_is_closed),
		SERVER_TEST(a_router_that_does_not_read_is_dropped),
		SERVER_TEST(who_breaks_the_protocol_is_told_and_closed),
		SERVER_TEST(goodbye_ends_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
