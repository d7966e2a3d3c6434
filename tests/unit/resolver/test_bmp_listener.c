/* Routers that tell by BMP: who may, what their peers' routes become, and what remains when peers and sessions go. */
#include "tests/unit/resolver/routes_world.h"

#include "base/strbuf.h"
#include "resolver/routes/bmp_listener.h"
#include "resolver/routes/board.h"
#include "tests/unit/rpki/bgp_bytes.h"

#define HOLD_MS 5000u
#define STALL_MS 1000u

struct fixture {
	struct routes_world w;
	struct route_live *live;
	struct route_counts counts;
	struct bmp_listener *b;
	uint8_t room[4000];
	struct writer out;
};

static void open_with(struct fixture *f, const char *allowed, uint32_t sessions, uint64_t routes)
{
	struct prefix p[1];
	struct bmp_listener_options o = { .allowed = p, .allowed_count = allowed != NULL, .limits = { 4096, 3 }, .max_sessions = sessions, .max_routes = routes,
		.hold_ms = HOLD_MS, .stall_ms = STALL_MS };
	struct endpoint at = { .port = 11019, .a = { .family = ADDR_V4, .b = { 127, 0, 0, 1 } } };

	memset(f, 0, sizeof *f);
	world_open(&f->w);
	f->live = route_live_new(f->w.loop, world_changed, &f->w);
	assert_non_null(f->live);
	if (allowed != NULL)
		assert_true(OK(prefix_parse(allowed, &p[0])));
	f->b = bmp_listener_new(&f->w.host->host, f->live, &f->counts, &o);
	assert_non_null(f->b);
	assert_true(OK(bmp_listener_add(f->b, &at)));
	world_turn(&f->w);
	assert_int_equal(f->w.host->acceptor_count, 1);
	f->out = writer_of(f->room, sizeof f->room);
}

static void finish(struct fixture *f)
{
	bmp_listener_free(MOVE(f->b));
	route_live_free(MOVE(f->live));
	world_turn(&f->w);
	world_close(&f->w);
}

static void send(struct fixture *f, size_t stream)
{
	world_data(&f->w, stream, writer_done(&f->out));
	f->out = writer_of(f->room, sizeof f->room);
}

/* A router connects, and tells that its peer 1 is up; that is sent with what it tells next. Gives its stream. */
static size_t comes(struct fixture *f, const char *from)
{
	size_t s = world_accept(&f->w, 0, from);

	write_up(&f->out, 0, 0, 1, 64500, 0, 0);
	return s;
}

static void announces(struct fixture *f, size_t stream, uint8_t peer, const char *prefix, uint32_t origin)
{
	write_monitoring(&f->out, 0, 0, peer, 64500, NULL, prefix, origin);
	send(f, stream);
}

static bool add_route(void *ctx, const struct announced_routes *r)
{
	struct strbuf *out = ctx;
	char text[ADDR_TEXT];

	strbuf_printf(out, "%s/%u", addr_text(&r->prefix.a, text), r->prefix.len);
	for (size_t i = 0; i < r->n; i++)
		strbuf_printf(out, "=%u", announced_at(r, i).origin);
	strbuf_putc(out, ' ');
	return true;
}

static void holds(struct fixture *f, const char *want)
{
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(1000);

	world_pass(&f->w, ROUTE_LIVE_MS);
	announced_each(route_live_now(f->live), add_route, out);
	assert_string_equal(strbuf_text(out), want);
}

static void is_described(struct fixture *f, uint32_t sessions, uint32_t peers, const char *want)
{
	AUTO(route_sheet_unref) struct route_sheet *s = route_sheet_new();
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(1000);

	assert_non_null(s);
	assert_true(OK(bmp_listener_describe(f->b, s)));
	for (size_t i = 0; i < s->source_count; i++)
		strbuf_printf(out, "[%s: %u]", s->sources[i].name, (unsigned int)s->sources[i].routes);
	assert_string_equal(strbuf_text(out), want);
	assert_int_equal(s->bmp_sessions, sessions);
	assert_int_equal(s->bmp_peers, peers);
}

static void counted(struct fixture *f, enum route_counter k, uint64_t n)
{
	assert_int_equal(route_counts_get(&f->counts, k), n);
}

/* -------------------------------------------------------------------------------------------------------------------- cases */

static void routes_come_and_go_with_their_peers(void **state)
{
	struct fixture f;
	size_t s;

	(void)state;
	open_with(&f, NULL, 2, 100);
	s = comes(&f, "127.0.0.1");
	write_up(&f.out, 0, 0, 2, 64500, 0, 0);
	write_monitoring(&f.out, 0, 0, 1, 64500, NULL, "10.0.0.0/8", 64496);
	write_monitoring(&f.out, 0, 0, 2, 64500, NULL, "10.0.0.0/8", 64497);
	write_monitoring(&f.out, 0, 0, 2, 64500, NULL, "11.0.0.0/8", 64497);
	send(&f, s);
	holds(&f, "10.0.0.0/8=64496=64497 11.0.0.0/8=64497 ");
	is_described(&f, 1, 2, "[bmp 127.0.0.1, peer 0.0.0.1 AS64500, before policy: 1][bmp 127.0.0.1, peer 0.0.0.2 AS64500, before policy: 2]");
	announces(&f, s, 1, "10.0.0.0/8", 64498); /* another origin takes the former's place */
	holds(&f, "10.0.0.0/8=64497=64498 11.0.0.0/8=64497 ");
	write_monitoring(&f.out, 0, 0, 2, 64500, "11.0.0.0/8", NULL, 0);
	write_monitoring(&f.out, 0, 0, 2, 64500, "12.0.0.0/8", NULL, 0); /* was not there */
	send(&f, s);
	holds(&f, "10.0.0.0/8=64497=64498 ");
	write_down(&f.out, 0, 0, 1, 64500);
	send(&f, s);
	holds(&f, "10.0.0.0/8=64497 ");
	is_described(&f, 1, 1, "[bmp 127.0.0.1, peer 0.0.0.2 AS64500, before policy: 1]");
	counted(&f, ROUTES_BMP_ACCEPTED, 1);
	counted(&f, ROUTES_BMP_CHANGES, 6);
	counted(&f, ROUTES_BMP_MESSAGES, 9);
	finish(&f);
}

static void updates_are_published_together(void **state)
{
	struct fixture f;
	size_t s;

	(void)state;
	open_with(&f, NULL, 2, 100);
	s = comes(&f, "127.0.0.1");
	send(&f, s);
	world_pass(&f.w, 1000);
	f.w.changed = 0;
	for (uint32_t i = 0; i < 8; i++) {
		announces(&f, s, 1, "10.0.0.0/8", i + 1);
		world_pass(&f.w, 10);
	}
	assert_int_equal(f.w.changed, 1); /* the first */
	world_pass(&f.w, ROUTE_LIVE_MS);
	assert_int_equal(f.w.changed, 2); /* all others */
	finish(&f);
}

static void what_a_session_told_stays_for_the_hold_time(void **state)
{
	struct fixture f;
	size_t s;

	(void)state;
	open_with(&f, NULL, 2, 100);
	s = comes(&f, "127.0.0.1");
	announces(&f, s, 1, "10.0.0.0/8", 1);
	world_closed(&f.w, s, ERR_CLOSED);
	world_pass(&f.w, HOLD_MS - 1000);
	holds(&f, "10.0.0.0/8=1 ");
	is_described(&f, 0, 0, "[bmp 127.0.0.1, peer 0.0.0.1 AS64500, before policy, ended: 1]");
	s = comes(&f, "127.0.0.1"); /* it comes back, and has lost one and learnt another */
	announces(&f, s, 1, "11.0.0.0/8", 1);
	holds(&f, "10.0.0.0/8=1 11.0.0.0/8=1 ");
	world_pass(&f.w, HOLD_MS);
	holds(&f, "11.0.0.0/8=1 ");
	write_monitoring(&f.out, 0, 0, 1, 64500, NULL, "12.0.0.0/8", 1);
	world_data(&f.w, s, span_of(f.room, f.out.pos - 3)); /* within a message */
	world_closed(&f.w, s, ERR_SYSTEM);
	holds(&f, "11.0.0.0/8=1 ");
	world_pass(&f.w, HOLD_MS + 1000);
	holds(&f, "");
	counted(&f, ROUTES_BMP_ENDED, 2);
	finish(&f);
}

/* However often a router comes and goes, what it left is there once. */
static void a_router_that_flaps_leaves_one_remainder(void **state)
{
	struct fixture f;

	(void)state;
	open_with(&f, "192.0.2.0/24", 2, 100);
	for (unsigned int i = 0; i < 20; i++) {
		size_t s = comes(&f, i % 2 == 0 ? "192.0.2.1" : "::ffff:192.0.2.1");

		announces(&f, s, 1, "10.0.0.0/8", i + 1);
		world_closed(&f.w, s, ERR_CLOSED);
	}
	holds(&f, "10.0.0.0/8=20 ");
	for (unsigned int i = 0; i < 5; i++) { /* nor do many leave more than as many as may be there */
		char from[20] = "192.0.2.10";
		size_t s;

		from[9] = (char)('2' + i);
		s = comes(&f, from);
		announces(&f, s, 1, "11.0.0.0/8", i + 1);
		world_closed(&f.w, s, ERR_CLOSED);
	}
	holds(&f, "11.0.0.0/8=4=5 ");
	finish(&f);
}

static void who_may_not_is_closed_at_once(void **state)
{
	struct fixture f;

	(void)state;
	open_with(&f, NULL, 2, 100);
	assert_false(world_is_open(&f.w, world_accept(&f.w, 0, "192.0.2.1")));
	counted(&f, ROUTES_BMP_REFUSED, 1);
	assert_true(world_is_open(&f.w, world_accept(&f.w, 0, "::1")));
	assert_true(world_is_open(&f.w, world_accept(&f.w, 0, "127.0.0.2")));
	assert_false(world_is_open(&f.w, world_accept(&f.w, 0, "127.0.0.3")));
	counted(&f, ROUTES_BMP_SHED, 1);
	finish(&f);
	open_with(&f, "192.0.2.0/24", 2, 100);
	assert_true(world_is_open(&f.w, world_accept(&f.w, 0, "192.0.2.1")));
	assert_true(world_is_open(&f.w, world_accept(&f.w, 0, "::ffff:192.0.2.2")));
	assert_false(world_is_open(&f.w, world_accept(&f.w, 0, "127.0.0.1")));
	counted(&f, ROUTES_BMP_REFUSED, 1);
	finish(&f);
}

static void what_is_no_bmp_or_too_much_ends_a_session(void **state)
{
	struct fixture f;
	size_t s;

	(void)state;
	open_with(&f, NULL, 20, 2);
	s = world_accept(&f.w, 0, "127.0.0.1");
	world_data(&f.w, s, span_of("GET / HTTP/1.0\r\n", 16));
	assert_false(world_is_open(&f.w, s));
	counted(&f, ROUTES_BMP_MALFORMED, 1);
	s = comes(&f, "127.0.0.1"); /* routes */
	announces(&f, s, 1, "10.0.0.0/8", 1);
	announces(&f, s, 1, "11.0.0.0/8", 1);
	announces(&f, s, 1, "11.0.0.0/8", 2);
	assert_true(world_is_open(&f.w, s));
	announces(&f, s, 1, "12.0.0.0/8", 1);
	assert_false(world_is_open(&f.w, s));
	counted(&f, ROUTES_BMP_LIMITED, 1);
	s = world_accept(&f.w, 0, "127.0.0.1"); /* peers */
	for (uint8_t i = 1; i <= 4; i++)
		write_up(&f.out, 0, 0, i, 64500, 0, 0);
	send(&f, s);
	assert_false(world_is_open(&f.w, s));
	counted(&f, ROUTES_BMP_LIMITED, 2);
	s = world_accept(&f.w, 0, "127.0.0.1"); /* octets */
	world_data(&f.w, s, span_of("\3\0\1\0\0\0", 6));
	assert_false(world_is_open(&f.w, s));
	counted(&f, ROUTES_BMP_LIMITED, 3);
	s = world_accept(&f.w, 0, "127.0.0.1"); /* the router says goodbye */
	bmp_finish(&f.out, bmp_begin(&f.out, BMP_TERMINATION));
	send(&f, s);
	assert_false(world_is_open(&f.w, s));
	counted(&f, ROUTES_BMP_ENDED, 5);
	finish(&f);
}

static void a_message_ends_in_time(void **state)
{
	struct fixture f;
	size_t silent, begun, idle;

	(void)state;
	open_with(&f, NULL, 20, 100);
	silent = world_accept(&f.w, 0, "127.0.0.1");
	begun = world_accept(&f.w, 0, "127.0.0.1");
	idle = comes(&f, "127.0.0.1");
	send(&f, idle);
	world_pass(&f.w, STALL_MS * 3 / 4);
	assert_true(world_is_open(&f.w, silent));
	world_data(&f.w, begun, span_of("\3\0\0\0\6\4\3", 7)); /* a message, and the first octet of the next */
	world_pass(&f.w, STALL_MS * 3 / 4);
	assert_false(world_is_open(&f.w, silent));
	world_data(&f.w, begun, span_of("\0\0", 2)); /* a trickle is none */
	world_pass(&f.w, STALL_MS);
	assert_false(world_is_open(&f.w, begun));
	world_pass(&f.w, STALL_MS * 100);
	assert_true(world_is_open(&f.w, idle));
	counted(&f, ROUTES_BMP_STALLED, 2);
	finish(&f);
}

static void an_address_in_use_is_tried_again(void **state)
{
	struct fixture f;
	struct endpoint at = { .port = 11020, .a = { .family = ADDR_V4, .b = { 127, 0, 0, 1 } } };

	(void)state;
	open_with(&f, NULL, 2, 100);
	f.w.host->accept_error = ERR_SYSTEM;
	assert_true(OK(bmp_listener_add(f.b, &at)));
	world_pass(&f.w, 10000);
	assert_int_equal(f.w.host->acceptor_count, 1);
	f.w.host->accept_error = ERR_NONE;
	world_pass(&f.w, 3000);
	assert_int_equal(f.w.host->acceptor_count, 2);
	world_pass(&f.w, 10000);
	assert_int_equal(f.w.host->acceptor_count, 2);
	finish(&f);
}

static void all_of_it_can_be_forgotten(void **state)
{
	struct fixture f;
	size_t first, second;

	(void)state;
	open_with(&f, NULL, 20, 100);
	first = comes(&f, "127.0.0.1");
	announces(&f, first, 1, "10.0.0.0/8", 1);
	second = comes(&f, "127.0.0.2");
	announces(&f, second, 1, "10.0.0.0/8", 2);
	world_closed(&f.w, first, ERR_CLOSED);
	assert_true(OK(bmp_listener_forget(f.b)));
	assert_true(OK(route_live_settle(f.live)));
	assert_int_equal(announced_count(route_live_now(f.live)), 0);
	assert_false(world_is_open(&f.w, second));
	is_described(&f, 0, 0, "");
	finish(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(routes_come_and_go_with_their_peers),
		cmocka_unit_test(updates_are_published_together),
		cmocka_unit_test(what_a_session_told_stays_for_the_hold_time),
		cmocka_unit_test(a_router_that_flaps_leaves_one_remainder),
		cmocka_unit_test(who_may_not_is_closed_at_once),
		cmocka_unit_test(what_is_no_bmp_or_too_much_ends_a_session),
		cmocka_unit_test(a_message_ends_in_time),
		cmocka_unit_test(an_address_in_use_is_tried_again),
		cmocka_unit_test(all_of_it_can_be_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
