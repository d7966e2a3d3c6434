/* The cache's side of an RTR connection: octets in, octets out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/rng.h"
#include "base/strbuf.h"
#include "rpki/serve/rtr_session.h"

struct side {
	struct rtr_feed *feed OWNED_FIELD;
	struct rtr_counts counts;
	struct rtr_session s;
	struct rtr_state ids;
	struct strbuf *out OWNED_FIELD;
	size_t read; /* of out */
};

/* A table of n VRPs: AS numbers from `first` on. */
static struct payload_table *table_of(uint32_t first, uint32_t n) OWNED_BY(table_unref);
static struct payload_table *table_of(uint32_t first, uint32_t n)
{
	AUTO(table_builder_free) struct table_builder *b = table_builder_new(NULL);
	struct payload_table *t = NULL;

	assert_non_null(b);
	for (uint32_t i = 0; i < n; i++) {
		struct vrp v = { .family = ADDR_V4, .len = 8, .maxlen = 8, .addr = { 10 }, .asn = first + i };

		assert_true(OK(table_builder_add_vrp(b, &v, SOURCE_NONE)));
	}
	assert_true(OK(table_builder_finish(MOVE(b), 1, &t)));
	return t;
}

static void publish(struct side *x, uint32_t first, uint32_t n)
{
	bool changed;

	assert_true(OK(rtr_feed_publish(x->feed, table_of(first, n), &changed)));
	assert_true(changed);
}

static int set_up(void **state)
{
	struct side *x = mem_alloc(sizeof *x);
	struct rtr_feed_options o = { .timers = RTR_TIMERS_USUAL, .history = { 3, 1u << 20 } };
	struct rng *rng = rng_new_seeded(1);

	assert_true(x != NULL && rng != NULL);
	x->ids = rtr_state_draw(rng);
	x->feed = rtr_feed_new(&o, &x->ids);
	x->out = strbuf_new(1u << 20);
	assert_true(x->feed != NULL && x->out != NULL);
	rtr_session_init(&x->s, x->feed, &x->counts);
	rng_free(rng);
	*state = x;
	return 0;
}

static int tear_down(void **state)
{
	struct side *x = *state;

	rtr_session_done(&x->s);
	rtr_feed_free(x->feed);
	strbuf_free(x->out);
	mem_free(x);
	return 0;
}

/* Everything that it wants to send, in pieces of at most `max`. */
static void drain(struct side *x, size_t max)
{
	for (;;) {
		struct span p = rtr_session_output(&x->s, max);

		if (p.n == 0)
			break;
		assert_true(p.n <= max);
		strbuf_add_span(x->out, p);
	}
	assert_true(strbuf_ok(x->out));
}

/* The next PDU of the output; type 255: there is none. */
static struct rtr_pdu next(struct side *x)
{
	struct span all = strbuf_span(x->out);
	struct rtr_pdu p = { .h = { .type = 255 } };
	enum rtr_error code;
	const char *why;
	uint32_t n;

	if (x->read == all.n)
		return p;
	assert_true(all.n - x->read >= RTR_HEADER);
	n = rtr_header_of(all.p + x->read).length;
	assert_true(n <= all.n - x->read);
	assert_true(OK(rtr_read(span_of(all.p + x->read, n), &p, &code, &why)));
	x->read += n;
	return p;
}

static void ask_reset(struct side *x, uint8_t version)
{
	uint8_t room[16];
	struct writer w = writer_of(room, sizeof room);

	rtr_write_reset_query(&w, version);
	rtr_session_input(&x->s, writer_done(&w));
}

static void ask_serial(struct side *x, uint8_t version, uint16_t session, uint32_t serial)
{
	uint8_t room[16];
	struct writer w = writer_of(room, sizeof room);

	rtr_write_serial_query(&w, version, session, serial);
	rtr_session_input(&x->s, writer_done(&w));
}

/* A whole response of n payload PDUs. */
static void expect_response(struct side *x, uint8_t version, unsigned int n, uint32_t serial)
{
	struct rtr_pdu p = next(x);

	assert_int_equal(p.h.type, RTR_CACHE_RESPONSE);
	assert_int_equal(p.h.version, version);
	assert_int_equal(p.h.field, x->ids.session[version]);
	for (unsigned int i = 0; i < n; i++)
		assert_int_equal(next(x).h.type, RTR_IPV4);
	p = next(x);
	assert_int_equal(p.h.type, RTR_END_OF_DATA);
	assert_int_equal(p.h.field, x->ids.session[version]);
	assert_int_equal(p.serial, serial);
}

static void expect_report(struct side *x, uint8_t version, enum rtr_error code)
{
	struct rtr_pdu p = next(x);

	assert_int_equal(p.h.type, RTR_ERROR);
	assert_int_equal(p.h.version, version);
	assert_int_equal(p.h.field, code);
}

static void expect_nothing(struct side *x)
{
	assert_int_equal(next(x).h.type, 255);
}

static void a_reset_query_gets_everything_in_each_version(void **state)
{
	struct side *x = *state;

	publish(x, 1, 5);
	for (uint8_t v = 0; v <= RTR_VERSION_MAX; v++) {
		rtr_session_done(&x->s);
		rtr_session_init(&x->s, x->feed, &x->counts);
		ask_reset(x, v);
		drain(x, v == 0 ? 1 : 1000);
		expect_response(x, v, 5, 1);
		expect_nothing(x);
		assert_int_equal(x->s.state, RTR_OPEN);
	}
	assert_true(x->ids.session[0] != x->ids.session[1] && x->ids.session[1] != x->ids.session[2] &&
		x->ids.session[0] != x->ids.session[2]);
}

static void without_data_there_is_no_data_and_then_a_notify(void **state)
{
	struct side *x = *state;

	ask_reset(x, 1);
	drain(x, 100);
	expect_report(x, 1, RTR_NO_DATA);
	assert_int_equal(x->s.state, RTR_OPEN);
	assert_false(rtr_session_notify(&x->s));
	publish(x, 1, 5);
	assert_true(rtr_session_notify(&x->s));
	drain(x, 100);
	assert_int_equal(next(x).h.type, RTR_SERIAL_NOTIFY);
	ask_reset(x, 1);
	drain(x, 100);
	expect_response(x, 1, 5, 1);
}

static void a_serial_query_gets_the_difference(void **state)
{
	struct side *x = *state;

	publish(x, 1, 50);
	publish(x, 2, 50);
	publish(x, 3, 50);
	ask_serial(x, 2, x->ids.session[2], 1);
	drain(x, 1000);
	expect_response(x, 2, 4, 3);
	ask_serial(x, 2, x->ids.session[2], 3);
	drain(x, 1000);
	expect_response(x, 2, 0, 3);
	ask_serial(x, 2, x->ids.session[2], 1); /* from what was kept */
	drain(x, 1000);
	expect_response(x, 2, 4, 3);
	publish(x, 4, 50);
	publish(x, 5, 50);
	ask_serial(x, 2, x->ids.session[2], 1);
	drain(x, 1000);
	assert_int_equal(next(x).h.type, RTR_CACHE_RESET);
	ask_serial(x, 2, x->ids.session[2], 99);
	drain(x, 1000);
	assert_int_equal(next(x).h.type, RTR_CACHE_RESET);
	assert_int_equal(x->s.state, RTR_OPEN);
}

static void a_difference_longer_than_everything_is_a_reset(void **state)
{
	struct side *x = *state;

	publish(x, 1, 5);
	publish(x, 100, 5);
	ask_serial(x, 1, x->ids.session[1], 1);
	drain(x, 1000);
	assert_int_equal(next(x).h.type, RTR_CACHE_RESET);
}

static void another_session_id_is_a_reset_at_first_and_corrupt_later(void **state)
{
	struct side *x = *state;

	publish(x, 1, 5);
	ask_serial(x, 1, x->ids.session[1] ^ 1, 1);
	drain(x, 1000);
	assert_int_equal(next(x).h.type, RTR_CACHE_RESET);
	ask_reset(x, 1);
	drain(x, 1000);
	expect_response(x, 1, 5, 1);
	ask_serial(x, 1, x->ids.session[1] ^ 1, 1);
	drain(x, 1000);
	expect_report(x, 1, RTR_CORRUPT_DATA);
	assert_int_equal(x->s.state, RTR_ENDED);
}

static void a_version_too_high_may_be_asked_again_lower(void **state)
{
	struct side *x = *state;
	static const uint8_t strange[] = { 9, 77, 0, 0, 0, 0, 0, 11, 'a', 'b', 'c' };

	publish(x, 1, 5);
	rtr_session_input(&x->s, span_of(strange, sizeof strange));
	drain(x, 1000);
	expect_report(x, 2, RTR_UNSUPPORTED_VERSION);
	assert_int_equal(x->s.state, RTR_NEW);
	assert_false(rtr_session_notify(&x->s));
	ask_reset(x, 2);
	drain(x, 1000);
	expect_response(x, 2, 5, 1);
	ask_reset(x, 1);
	drain(x, 1000);
	expect_report(x, 2, RTR_UNEXPECTED_VERSION);
	assert_int_equal(x->s.state, RTR_ENDED);
	assert_int_equal(x->s.end, RTR_END_MALFORMED);
}

static void versions_too_high_again_and_again_end_it(void **state)
{
	struct side *x = *state;

	for (unsigned int i = 0; i < RTR_VERSION_OFFERS; i++) {
		assert_int_equal(x->s.state, RTR_NEW);
		ask_reset(x, 3);
		drain(x, 1000);
		expect_report(x, 2, RTR_UNSUPPORTED_VERSION);
	}
	assert_int_equal(x->s.state, RTR_ENDED);
}

static void what_a_router_may_not_send_is_reported(void **state)
{
	static const struct {
		uint8_t octets[24];
		uint8_t n;
		enum rtr_error code;
	} cases[] = {
		{ { 1, 99, 0, 0, 0, 0, 0, 8 }, 8, RTR_UNSUPPORTED_TYPE },
		{ { 1, 3, 0, 0, 0, 0, 0, 8 }, 8, RTR_INVALID_REQUEST },
		{ { 1, 4, 0, 0, 0, 0, 0, 20, 1, 8, 8, 0, 10 }, 20, RTR_INVALID_REQUEST },
		{ { 1, 2, 0, 0, 0, 0, 0, 0 }, 8, RTR_CORRUPT_DATA },
		{ { 1, 2, 0, 0, 0, 0, 0, 7 }, 8, RTR_CORRUPT_DATA },
		{ { 1, 2, 0, 0, 0, 0, 0, 12, 1, 2, 3, 4 }, 12, RTR_CORRUPT_DATA },
		{ { 1, 1, 0, 0, 0, 0, 0, 8 }, 8, RTR_CORRUPT_DATA },
		{ { 1, 1, 0, 0, 0xff, 0xff, 0xff, 0xff, 1 }, 9, RTR_CORRUPT_DATA },
		{ { 0, 9, 0, 0, 0, 0, 0, 40 }, 8, RTR_UNSUPPORTED_TYPE },
		{ { 1, 0, 0, 0, 0, 0, 0, 12, 0, 0, 0, 1 }, 12, RTR_INVALID_REQUEST },
	};
	struct side *x = *state;

	publish(x, 1, 5);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct rtr_pdu p;

		rtr_session_done(&x->s);
		rtr_session_init(&x->s, x->feed, &x->counts);
		rtr_session_input(&x->s, span_of(cases[i].octets, cases[i].n));
		assert_int_equal(x->s.state, RTR_LAST);
		drain(x, 1000);
		p = next(x);
		assert_int_equal(p.h.type, RTR_ERROR);
		assert_int_equal(p.h.field, cases[i].code);
		assert_int_equal(p.h.version, cases[i].octets[0]);
		assert_int_equal(p.erroneous.n, cases[i].n);
		assert_memory_equal(p.erroneous.p, cases[i].octets, cases[i].n);
		assert_int_equal(x->s.state, RTR_ENDED);
		expect_nothing(x);
	}
}

static void an_error_report_is_never_answered(void **state)
{
	static const uint8_t reports[][16] = { { 1, 10, 0, 3, 0, 0, 0, 16 }, { 9, 10, 0, 3, 0, 0, 0, 16 }, { 1, 10, 0, 3, 0, 0, 0, 0 } };
	struct side *x = *state;

	for (size_t i = 0; i < 3; i++) {
		rtr_session_done(&x->s);
		rtr_session_init(&x->s, x->feed, &x->counts);
		rtr_session_input(&x->s, span_of(reports[i], 16));
		drain(x, 1000);
		expect_nothing(x);
		assert_int_equal(x->s.state, RTR_ENDED);
		assert_int_equal(x->s.end, RTR_END_REPORT);
		assert_int_equal(x->s.peer_error, 3);
	}
}

static void queries_wait_for_the_response_under_way(void **state)
{
	struct side *x = *state;

	publish(x, 1, 5);
	ask_reset(x, 1);
	assert_false(rtr_session_reading(&x->s));
	ask_serial(x, 1, x->ids.session[1], 1);
	ask_reset(x, 1);
	drain(x, 7);
	expect_response(x, 1, 5, 1);
	expect_response(x, 1, 0, 1);
	expect_response(x, 1, 5, 1);
	assert_true(rtr_session_reading(&x->s));
}

static void a_flood_of_queries_ends_it(void **state)
{
	struct side *x = *state;

	publish(x, 1, 5);
	for (unsigned int i = 0; i < RTR_WAITING_MAX / 8 + 1; i++)
		ask_reset(x, 1);
	assert_int_equal(x->s.state, RTR_OPEN);
	ask_reset(x, 1);
	assert_int_equal(x->s.state, RTR_ENDED);
	assert_int_equal(x->s.end, RTR_END_FLOOD);
}

static void a_query_may_come_octet_by_octet(void **state)
{
	struct side *x = *state;
	uint8_t room[32];
	struct writer w = writer_of(room, sizeof room);

	publish(x, 1, 5);
	rtr_write_reset_query(&w, 1);
	rtr_write_serial_query(&w, 1, x->ids.session[1], 1);
	for (size_t i = 0; i < w.pos; i++)
		rtr_session_input(&x->s, span_of(room + i, 1));
	drain(x, 100);
	expect_response(x, 1, 5, 1);
	expect_response(x, 1, 0, 1);
}

static void a_notify_waits_for_the_end_of_a_response_and_comes_once(void **state)
{
	struct side *x = *state;

	publish(x, 1, 50);
	assert_false(rtr_session_notify(&x->s)); /* no version yet */
	ask_reset(x, 1);
	publish(x, 2, 50);
	assert_false(rtr_session_notify(&x->s));
	drain(x, 7);
	expect_response(x, 1, 50, 1);
	{
		struct rtr_pdu p = next(x);

		assert_int_equal(p.h.type, RTR_SERIAL_NOTIFY);
		assert_int_equal(p.h.field, x->ids.session[1]);
		assert_int_equal(p.serial, 2);
	}
	expect_nothing(x);
	assert_false(rtr_session_notify(&x->s));
	ask_serial(x, 1, x->ids.session[1], 1);
	drain(x, 100);
	expect_response(x, 1, 2, 2);
}

static void the_cache_says_goodbye_in_version_2(void **state)
{
	struct side *x = *state;

	publish(x, 1, 5);
	for (uint8_t v = 0; v <= RTR_VERSION_MAX; v++) {
		rtr_session_done(&x->s);
		rtr_session_init(&x->s, x->feed, &x->counts);
		ask_reset(x, v);
		drain(x, 100);
		expect_response(x, v, 5, 1);
		rtr_session_goodbye(&x->s, RTR_CACHE_RESTART);
		drain(x, 100);
		if (v == 2)
			expect_report(x, 2, RTR_CACHE_RESTART);
		expect_nothing(x);
		assert_int_equal(x->s.state, RTR_ENDED);
	}
}

static void the_same_table_again_is_no_change(void **state)
{
	struct side *x = *state;
	bool changed = true;

	publish(x, 1, 5);
	assert_true(OK(rtr_feed_publish(x->feed, table_of(1, 5), &changed)));
	assert_false(changed);
	assert_int_equal(rtr_feed_state(x->feed).serial, 1);
	assert_true(rtr_feed_octets(x->feed) > 0);
}

static void no_memory_ends_a_session_at_worst(void **state)
{
	struct side *x = *state;

	publish(x, 1, 50);
	publish(x, 2, 50);
	for (uint64_t n = 1; n < 40; n++) {
		rtr_session_done(&x->s);
		rtr_session_init(&x->s, x->feed, &x->counts);
		mem_fail_at(n, false);
		ask_serial(x, 1, x->ids.session[1], 1);
		ask_reset(x, 1);
		while (rtr_session_output(&x->s, 1000).n > 0)
			;
		mem_fail_at(0, false);
		assert_true(x->s.state == RTR_OPEN || x->s.state == RTR_ENDED);
	}
	ask_reset(x, 1);
	drain(x, 1000);
	expect_response(x, 1, 50, 2);
}

int main(void)
{
#define SESSION_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		SESSION_TEST(a_reset_query_gets_everything_in_each_version),
		SESSION_TEST(without_data_there_is_no_data_and_then_a_notify),
		SESSION_TEST(a_serial_query_gets_the_difference),
		SESSION_TEST(a_difference_longer_than_everything_is_a_reset),
		SESSION_TEST(another_session_id_is_a_reset_at_first_and_corrupt_later),
		SESSION_TEST(a_version_too_high_may_be_asked_again_lower),
		SESSION_TEST(versions_too_high_again_and_again_end_it),
		SESSION_TEST(what_a_router_may_not_send_is_reported),
		SESSION_TEST(an_error_report_is_never_answered),
		SESSION_TEST(queries_wait_for_the_response_under_way),
		SESSION_TEST(a_flood_of_queries_ends_it),
		SESSION_TEST(a_query_may_come_octet_by_octet),
		SESSION_TEST(a_notify_waits_for_the_end_of_a_response_and_comes_once),
		SESSION_TEST(the_cache_says_goodbye_in_version_2),
		SESSION_TEST(the_same_table_again_is_no_change),
		SESSION_TEST(no_memory_ends_a_session_at_worst),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
