/* The router's side of RTR: what it asks, what it keeps, and for how long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rpki/routes/rtr_client.h"

#define SESSION 77

static uint8_t room[4096];

/* What the client sent last. */
static struct rtr_pdu said(struct rtr_client *c)
{
	struct span out = rtr_client_output(c);
	struct rtr_pdu p = { .h = { .type = 255 } };
	enum rtr_error code;
	const char *why;

	if (out.n > 0)
		assert_true(OK(rtr_read(out, &p, &code, &why)));
	return p;
}

static struct rtr_client *dialled(uint8_t version) OWNED_BY(rtr_client_free);
static struct rtr_client *dialled(uint8_t version)
{
	struct rtr_client_options o = RTR_CLIENT_USUAL;
	struct rtr_client *c;

	o.max_version = version;
	c = rtr_client_new(&o);
	assert_non_null(c);
	assert_int_equal(rtr_client_tick(c, 1000), RTR_WISH_CONNECT);
	rtr_client_connected(c, 1000);
	return c;
}

static struct vrp vrp_of(uint32_t asn)
{
	return (struct vrp){ .family = ADDR_V4, .len = 8, .maxlen = 8, .addr = { 10 }, .asn = asn };
}

/* An answer: announcements of AS numbers, 0: withdrawals of -n. */
static void answer(struct rtr_client *c, uint64_t now, uint8_t version, uint32_t serial, const int *changes, size_t n)
{
	struct writer w = writer_of(room, sizeof room);

	rtr_write_cache_response(&w, version, SESSION);
	for (size_t i = 0; i < n; i++) {
		struct vrp v = vrp_of((uint32_t)abs(changes[i]));

		rtr_write_vrp(&w, version, changes[i] > 0, &v);
	}
	rtr_write_end_of_data(&w, version, SESSION, serial, &RTR_TIMERS_USUAL);
	rtr_client_input(c, now, writer_done(&w));
}
#define ANSWER(c, now, version, serial, ...) \
	answer((c), (now), (version), (serial), (const int[]){ __VA_ARGS__ }, sizeof((const int[]){ __VA_ARGS__ }) / sizeof(int))

static void send_error(struct rtr_client *c, uint64_t now, uint8_t version, enum rtr_error code)
{
	struct writer w = writer_of(room, sizeof room);

	rtr_write_error(&w, version, code, span_of(NULL, 0), "");
	rtr_client_input(c, now, writer_done(&w));
}

static void a_client_keeps_up_with_its_cache(void **state)
{
	AUTO(rtr_client_free) struct rtr_client *c = dialled(2);
	struct writer w = writer_of(room, sizeof room);
	struct rtr_pdu p = said(c);
	struct vrp one = vrp_of(1), two = vrp_of(2);

	(void)state;
	assert_int_equal(p.h.type, RTR_RESET_QUERY);
	assert_int_equal(p.h.version, 2);
	ANSWER(c, 2000, 2, 5, 1, 3);
	assert_int_equal(rtr_client_state(c), RTR_CLIENT_RESTS);
	assert_int_equal(table_count(rtr_client_table(c), PAYLOAD_VRP), 2);
	assert_int_equal(rtr_client_serial(c), 5);
	assert_int_equal(said(c).h.type, 255);
	rtr_write_serial_notify(&w, 2, SESSION, 6);
	rtr_client_input(c, 3000, writer_done(&w));
	p = said(c);
	assert_int_equal(p.h.type, RTR_SERIAL_QUERY);
	assert_int_equal(p.serial, 5);
	assert_int_equal(p.h.field, SESSION);
	ANSWER(c, 4000, 2, 6, 2, -1);
	assert_false(table_has_vrp(rtr_client_table(c), &one));
	assert_true(table_has_vrp(rtr_client_table(c), &two));
	assert_int_equal(table_generation(rtr_client_table(c)), 2);
	/* the refresh interval leads to the next query */
	assert_int_equal(rtr_client_due(c), 4000 + 3600 * 1000);
	assert_int_equal(rtr_client_tick(c, 4000 + 3600 * 1000), RTR_WISH_NOTHING);
	assert_int_equal(said(c).h.type, RTR_SERIAL_QUERY);
	/* no answer: the connection is given up, then dialled again, and the session goes on */
	assert_int_equal(rtr_client_tick(c, 4000 + 3660 * 1000), RTR_WISH_CLOSE);
	rtr_client_disconnected(c, 4000 + 3660 * 1000);
	assert_int_equal(rtr_client_tick(c, 4000 + 3660 * 1000), RTR_WISH_NOTHING);
	assert_int_equal(rtr_client_tick(c, 4000 + 3661 * 1000), RTR_WISH_CONNECT);
	/* the expire interval ends it */
	assert_non_null(rtr_client_table(c));
	(void)rtr_client_tick(c, 4000 + 7200 * 1000);
	assert_null(rtr_client_table(c));
	assert_int_equal(rtr_client_counts(c)->expiries, 1);
}

static void a_reset_replaces_everything(void **state)
{
	AUTO(rtr_client_free) struct rtr_client *c = dialled(1);
	struct writer w = writer_of(room, sizeof room);
	struct vrp one = vrp_of(1);

	(void)state;
	(void)said(c);
	ANSWER(c, 2000, 1, 5, 1);
	rtr_client_disconnected(c, 3000);
	rtr_client_connected(c, 4000);
	assert_int_equal(said(c).h.type, RTR_SERIAL_QUERY);
	rtr_write_cache_reset(&w, 1);
	rtr_client_input(c, 4000, writer_done(&w));
	assert_int_equal(said(c).h.type, RTR_RESET_QUERY);
	assert_non_null(rtr_client_table(c)); /* until the new one is whole */
	ANSWER(c, 5000, 1, 9, 2);
	assert_false(table_has_vrp(rtr_client_table(c), &one));
	assert_int_equal(table_count(rtr_client_table(c), PAYLOAD_VRP), 1);
}

static void what_may_not_be_is_reported(void **state)
{
	static const struct {
		int changes[2];
		enum rtr_error code;
	} cases[] = { { { 1, 1 }, RTR_DUPLICATE_ANNOUNCEMENT }, { { 1, -1 }, RTR_UNKNOWN_WITHDRAWAL } };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		AUTO(rtr_client_free) struct rtr_client *c = dialled(1);
		struct rtr_pdu p;

		(void)said(c);
		answer(c, 2000, 1, 1, cases[i].changes, 2);
		p = said(c);
		assert_int_equal(p.h.type, RTR_ERROR);
		assert_int_equal(p.h.field, cases[i].code);
		assert_int_equal(p.erroneous.n, 20);
		assert_null(rtr_client_table(c));
		assert_int_equal(rtr_client_tick(c, 2000), RTR_WISH_CLOSE);
	}
	{
		AUTO(rtr_client_free) struct rtr_client *c = dialled(1);
		struct rtr_pdu p;

		(void)said(c);
		ANSWER(c, 2000, 1, 1, 1);
		assert_int_equal(rtr_client_tick(c, 2000 + 3600 * 1000), RTR_WISH_NOTHING);
		(void)said(c);
		ANSWER(c, 2000 + 3600 * 1000, 1, 2, -9);
		p = said(c);
		assert_int_equal(p.h.field, RTR_UNKNOWN_WITHDRAWAL);
		assert_int_equal(rtr_client_last_error(c), RTR_UNKNOWN_WITHDRAWAL);
		assert_null(rtr_client_table(c)); /* it cannot be trusted any more */
	}
}

static void the_version_goes_down_to_what_the_cache_speaks(void **state)
{
	AUTO(rtr_client_free) struct rtr_client *c = dialled(2), *silent = dialled(2), *lower = dialled(2);

	(void)state;
	(void)said(c);
	send_error(c, 2000, 0, RTR_UNSUPPORTED_VERSION);
	assert_int_equal(rtr_client_version(c), 0);
	assert_int_equal(said(c).h.type, RTR_RESET_QUERY);
	ANSWER(c, 3000, 0, 1, 1);
	assert_non_null(rtr_client_table(c));
	/* one that closes without a word */
	(void)said(silent);
	rtr_client_disconnected(silent, 1000);
	rtr_client_connected(silent, 2000);
	assert_int_equal(said(silent).h.version, 1);
	/* one that says it and closes */
	send_error(silent, 2000, 0, RTR_UNSUPPORTED_VERSION);
	rtr_client_disconnected(silent, 2000);
	rtr_client_connected(silent, 4000);
	assert_int_equal(said(silent).h.version, 0);
	/* one that answers in a lower version at once */
	(void)said(lower);
	ANSWER(lower, 2000, 1, 1, 1);
	assert_int_equal(rtr_client_version(lower), 1);
	assert_non_null(rtr_client_table(lower));
}

static void no_data_is_asked_again_and_shutdown_ends_the_data(void **state)
{
	AUTO(rtr_client_free) struct rtr_client *c = dialled(2);

	(void)state;
	(void)said(c);
	send_error(c, 2000, 2, RTR_NO_DATA);
	assert_int_equal(rtr_client_state(c), RTR_CLIENT_RESTS);
	assert_int_equal(rtr_client_due(c), 2000 + 600 * 1000);
	assert_int_equal(rtr_client_tick(c, 2000 + 600 * 1000), RTR_WISH_NOTHING);
	assert_int_equal(said(c).h.type, RTR_RESET_QUERY);
	ANSWER(c, 700000, 2, 1, 1);
	send_error(c, 700000, 2, RTR_CACHE_RESTART);
	assert_non_null(rtr_client_table(c));
	assert_int_equal(rtr_client_tick(c, 700000), RTR_WISH_CLOSE);
	rtr_client_disconnected(c, 700000);
	rtr_client_connected(c, 800000);
	(void)said(c);
	answer(c, 800000, 2, 1, NULL, 0);
	send_error(c, 800000, 2, RTR_CACHE_SHUTDOWN);
	assert_null(rtr_client_table(c));
}

static void octets_may_come_one_by_one(void **state)
{
	AUTO(rtr_client_free) struct rtr_client *c = dialled(2);
	struct writer w = writer_of(room, sizeof room);
	struct vrp v = vrp_of(1);
	uint32_t providers[] = { 1, 2, 3 };
	struct aspa_payload a = { .customer = 9, .providers = providers, .n = 3 };
	struct router_key k = { .asn = 5, .spki = span_text("key") };

	(void)state;
	(void)said(c);
	rtr_write_cache_response(&w, 2, SESSION);
	rtr_write_vrp(&w, 2, true, &v);
	rtr_write_key(&w, 2, true, &k);
	rtr_write_aspa(&w, 2, true, &a);
	rtr_write_end_of_data(&w, 2, SESSION, 3, &RTR_TIMERS_USUAL);
	for (size_t i = 0; i < w.pos; i++)
		rtr_client_input(c, 2000, span_of(room + i, 1));
	assert_int_equal(rtr_client_state(c), RTR_CLIENT_RESTS);
	assert_int_equal(table_count(rtr_client_table(c), PAYLOAD_ASPA), 1);
	assert_int_equal(table_aspa(rtr_client_table(c), 0).n, 3);
	assert_int_equal(table_count(rtr_client_table(c), PAYLOAD_KEY), 1);
}

static void more_than_the_limit_is_refused(void **state)
{
	struct rtr_client_options o = RTR_CLIENT_USUAL;
	AUTO(rtr_client_free) struct rtr_client *c = NULL;

	(void)state;
	o.limits.vrps = 2;
	c = rtr_client_new(&o);
	assert_non_null(c);
	rtr_client_connected(c, 1000);
	(void)said(c);
	ANSWER(c, 2000, 2, 1, 1, 2, 3);
	assert_int_equal(said(c).h.field, RTR_INTERNAL_ERROR);
	assert_null(rtr_client_table(c));
}

static void a_notify_of_another_session_ends_it(void **state)
{
	AUTO(rtr_client_free) struct rtr_client *c = dialled(1);
	struct writer w = writer_of(room, sizeof room);

	(void)state;
	(void)said(c);
	ANSWER(c, 2000, 1, 1, 1);
	rtr_write_serial_notify(&w, 1, SESSION + 1, 2);
	rtr_client_input(c, 3000, writer_done(&w));
	assert_int_equal(said(c).h.field, RTR_CORRUPT_DATA);
	assert_null(rtr_client_table(c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_client_keeps_up_with_its_cache),
		cmocka_unit_test(a_reset_replaces_everything),
		cmocka_unit_test(what_may_not_be_is_reported),
		cmocka_unit_test(the_version_goes_down_to_what_the_cache_speaks),
		cmocka_unit_test(no_data_is_asked_again_and_shutdown_ends_the_data),
		cmocka_unit_test(octets_may_come_one_by_one),
		cmocka_unit_test(more_than_the_limit_is_refused),
		cmocka_unit_test(a_notify_of_another_session_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
