/* Differences, the history of them, and what a router makes of changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/rng.h"
#include "rpki/routes/changes.h"
#include "rpki/routes/delta.h"

/* A table of a few payloads out of a small world, so that tables overlap. */
static struct payload_table *random_table(struct rng *rng) OWNED_BY(table_unref);
static struct payload_table *random_table(struct rng *rng)
{
	struct table_builder *b = table_builder_new(NULL);
	struct payload_table *t = NULL;

	assert_non_null(b);
	for (unsigned int i = rng_below(rng, 30); i > 0; i--) {
		struct vrp v = { .family = rng_below(rng, 2) ? ADDR_V4 : ADDR_V6, .len = 8, .maxlen = 9, .asn = rng_below(rng, 3) };

		v.addr[0] = (uint8_t)rng_below(rng, 5);
		assert_true(OK(table_builder_add_vrp(b, &v, SOURCE_NONE)));
	}
	for (unsigned int i = rng_below(rng, 5); i > 0; i--) {
		uint8_t octet = (uint8_t)rng_below(rng, 3);
		struct router_key k = { .asn = rng_below(rng, 2), .spki = span_of(&octet, 1) };

		assert_true(OK(table_builder_add_key(b, &k, SOURCE_NONE)));
	}
	for (unsigned int i = rng_below(rng, 5); i > 0; i--) {
		uint32_t p[2] = { 1 + rng_below(rng, 3), 1 + rng_below(rng, 3) };

		assert_true(OK(table_builder_add_aspa(b, rng_below(rng, 3), p, 2, SOURCE_NONE)));
	}
	assert_true(OK(table_builder_finish(MOVE(b), 1, &t)));
	return t;
}

static void add_all(struct payload_changes *c, bool announce, const struct payload_delta *d)
{
	const struct payload_table *t = announce ? delta_announced(d) : delta_withdrawn(d);

	for (size_t i = 0; i < table_count(t, PAYLOAD_VRP); i++) {
		struct vrp v = table_vrp(t, i);

		assert_true(OK(changes_add_vrp(c, announce, &v)));
	}
	for (size_t i = 0; i < table_count(t, PAYLOAD_KEY); i++) {
		struct router_key k = table_key(t, i);

		assert_true(OK(changes_add_key(c, announce, &k)));
	}
	for (size_t i = 0; i < table_count(t, PAYLOAD_ASPA); i++) {
		struct aspa_payload a = table_aspa(t, i);

		if (!announce && delta_replaces(d, i))
			continue;
		if (!announce)
			a.n = 0;
		assert_true(OK(changes_add_aspa(c, announce, &a)));
	}
}

/* What a router has that held `from` and heard d. */
static struct payload_table *hear(const struct payload_table *from, const struct payload_delta *d) OWNED_BY(table_unref);
static struct payload_table *hear(const struct payload_table *from, const struct payload_delta *d)
{
	AUTO(changes_free) struct payload_changes *c = changes_new(NULL);
	struct changes_problem problem = { .fault = CHANGES_SOUND };
	struct payload_table *t = NULL;

	assert_non_null(c);
	add_all(c, true, d);
	add_all(c, false, d);
	assert_true(OK(changes_apply(c, from, 1, &problem, &t)));
	assert_int_equal(problem.fault, CHANGES_SOUND);
	return t;
}

static void a_difference_leads_from_one_table_to_the_other(void **state)
{
	AUTO(rng_free) struct rng *rng = rng_new_seeded(3);

	(void)state;
	for (unsigned int i = 0; i < 500; i++) {
		AUTO(table_unref) struct payload_table *a = random_table(rng), *b = random_table(rng), *got = NULL;
		AUTO(delta_free) struct payload_delta *d = NULL, *same = NULL;

		assert_true(OK(delta_between(a, b, &d)));
		got = hear(a, d);
		assert_true(table_equal(got, b));
		assert_int_equal(delta_is_empty(d), table_equal(a, b));
		assert_true(OK(delta_between(a, a, &same)));
		assert_true(delta_is_empty(same));
	}
}

static void joined_differences_are_the_difference_of_the_ends(void **state)
{
	AUTO(rng_free) struct rng *rng = rng_new_seeded(4);

	(void)state;
	for (unsigned int i = 0; i < 500; i++) {
		AUTO(table_unref) struct payload_table *a = random_table(rng), *b = random_table(rng), *c = random_table(rng);
		AUTO(delta_free) struct payload_delta *ab = NULL, *bc = NULL, *joined = NULL, *direct = NULL;

		assert_true(OK(delta_between(a, b, &ab)));
		assert_true(OK(delta_between(b, c, &bc)));
		assert_true(OK(delta_join(ab, bc, &joined)));
		assert_true(OK(delta_between(a, c, &direct)));
		assert_true(table_equal(delta_announced(joined), delta_announced(direct)));
		assert_true(table_equal(delta_withdrawn(joined), delta_withdrawn(direct)));
	}
}

static void history_knows_the_last_serials_within_its_limits(void **state)
{
	AUTO(rng_free) struct rng *rng = rng_new_seeded(5);
	struct history_limits limits = { .serials = 3, .octets = 1u << 20 };
	AUTO(history_free) struct payload_history *h = history_new(&limits, UINT32_MAX - 1);
	struct payload_table *t[6];
	AUTO(delta_free) struct payload_delta *none = NULL;
	uint32_t serial = 0;

	(void)state;
	assert_non_null(h);
	for (unsigned int i = 0; i < 6; i++)
		t[i] = random_table(rng);
	assert_true(OK(history_since(h, UINT32_MAX - 1, &none)));
	assert_true(delta_is_empty(none));
	for (unsigned int i = 1; i < 6; i++) {
		AUTO(delta_free) struct payload_delta *d = NULL;

		assert_true(OK(delta_between(t[i - 1], t[i], &d)));
		assert_true(OK(history_add(h, MOVE(d), &serial)));
		assert_int_equal(serial, UINT32_MAX - 1 + i);
	}
	assert_int_equal(history_serial(h), 3);
	assert_int_equal(history_count(h), 3);
	for (unsigned int back = 0; back < 6; back++) {
		AUTO(delta_free) struct payload_delta *d = NULL;
		AUTO(table_unref) struct payload_table *got = NULL;

		if (back > 3) {
			assert_int_equal(history_since(h, serial - back, &d).e, ERR_NOTFOUND);
			continue;
		}
		assert_true(OK(history_since(h, serial - back, &d)));
		got = hear(t[5 - back], d);
		assert_true(table_equal(got, t[5]));
	}
	assert_int_equal(history_since(h, serial + 1, &none).e, ERR_NOTFOUND);
	for (unsigned int i = 0; i < 6; i++)
		table_unref(t[i]);
}

static void history_is_bounded_in_octets(void **state)
{
	AUTO(rng_free) struct rng *rng = rng_new_seeded(6);
	struct history_limits limits = { .serials = 1000, .octets = 4096 };
	AUTO(history_free) struct payload_history *h = history_new(&limits, 0);
	AUTO(table_unref) struct payload_table *before = random_table(rng);
	uint32_t serial;

	(void)state;
	assert_non_null(h);
	for (unsigned int i = 0; i < 50; i++) {
		AUTO(table_unref) struct payload_table *next = random_table(rng);
		AUTO(delta_free) struct payload_delta *d = NULL;

		assert_true(OK(delta_between(before, next, &d)));
		assert_true(OK(history_add(h, MOVE(d), &serial)));
		assert_true(history_octets(h) <= limits.octets);
		table_unref(MOVE(before));
		before = MOVE(next);
	}
	assert_true(history_count(h) > 0);
	assert_true(history_count(h) < 50);
}

static void what_may_not_be_changed_is_told(void **state)
{
	AUTO(changes_free) struct payload_changes *c = changes_new(NULL);
	AUTO(changes_free) struct payload_changes *w = changes_new(NULL);
	AUTO(changes_free) struct payload_changes *k = changes_new(NULL);
	AUTO(changes_free) struct payload_changes *a = changes_new(NULL);
	struct vrp v = { .family = ADDR_V4, .len = 8, .maxlen = 8, .addr = { 10 }, .asn = 1 };
	struct router_key key = { .spki = span_text("x"), .asn = 3 };
	struct aspa_payload aspa = { .customer = 7 };
	struct changes_problem p;
	AUTO(table_unref) struct payload_table *t = NULL;

	(void)state;
	assert_true(c != NULL && w != NULL && k != NULL && a != NULL);
	assert_true(OK(changes_add_vrp(c, true, &v)));
	assert_true(OK(changes_add_vrp(c, false, &v)));
	assert_true(OK(changes_add_vrp(c, true, &v)));
	assert_true(OK(changes_apply(c, NULL, 1, &p, &t)));
	assert_true(table_has_vrp(t, &v));
	assert_true(OK(changes_add_vrp(c, true, &v)));
	table_unref(MOVE(t));
	assert_int_equal(changes_apply(c, NULL, 1, &p, &t).e, ERR_FORMAT);
	assert_int_equal(p.fault, CHANGES_DUPLICATE);
	assert_int_equal(p.kind, PAYLOAD_VRP);
	assert_int_equal(p.vrp.asn, 1);
	assert_true(OK(changes_add_vrp(w, false, &v)));
	assert_int_equal(changes_apply(w, NULL, 1, &p, &t).e, ERR_FORMAT);
	assert_int_equal(p.fault, CHANGES_UNKNOWN);
	assert_true(OK(changes_add_key(k, false, &key)));
	assert_int_equal(changes_apply(k, NULL, 1, &p, &t).e, ERR_FORMAT);
	assert_int_equal(p.kind, PAYLOAD_KEY);
	assert_int_equal(p.key.asn, 3);
	assert_true(OK(changes_add_aspa(a, false, &aspa)));
	assert_int_equal(changes_apply(a, NULL, 1, &p, &t).e, ERR_FORMAT);
	assert_int_equal(p.kind, PAYLOAD_ASPA);
	assert_int_equal(p.customer, 7);
	assert_int_equal(changes_add_aspa(a, true, &aspa).e, ERR_RANGE);
	assert_int_equal(changes_count(a), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_difference_leads_from_one_table_to_the_other),
		cmocka_unit_test(joined_differences_are_the_difference_of_the_ends),
		cmocka_unit_test(history_knows_the_last_serials_within_its_limits),
		cmocka_unit_test(history_is_bounded_in_octets),
		cmocka_unit_test(what_may_not_be_changed_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
