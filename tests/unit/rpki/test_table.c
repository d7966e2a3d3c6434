#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/rng.h"
#include "rpki/routes/table.h"

static struct vrp vrp_of(const char *prefix, uint8_t maxlen, uint32_t asn)
{
	struct prefix p;
	struct vrp v = { .asn = 0 };

	assert_true(OK(prefix_parse(prefix, &p)));
	assert_true(OK(vrp_make(&p, maxlen, asn, &v)));
	return v;
}

static void add(struct table_builder *b, const char *prefix, uint8_t maxlen, uint32_t asn, uint32_t source)
{
	struct vrp v = vrp_of(prefix, maxlen, asn);

	assert_true(OK(table_builder_add_vrp(b, &v, source)));
}

static void check_vrp(const struct payload_table *t, size_t i, const char *prefix, uint8_t maxlen, uint32_t asn)
{
	struct vrp v = table_vrp(t, i), want = vrp_of(prefix, maxlen, asn);

	assert_int_equal(vrp_compare(&v, &want), 0);
}

static void vrps_are_sorted_and_unique(void **state)
{
	AUTO(table_builder_free) struct table_builder *b = table_builder_new(NULL);
	AUTO(table_unref) struct payload_table *t = NULL;

	(void)state;
	assert_non_null(b);
	add(b, "2001:db8::/32", 48, 64496, SOURCE_NONE);
	add(b, "192.0.2.0/24", 24, 64497, SOURCE_NONE);
	add(b, "192.0.2.0/24", 24, 64496, SOURCE_NONE);
	add(b, "192.0.2.0/24", 24, 64497, SOURCE_NONE);
	add(b, "192.0.0.0/16", 24, 64496, SOURCE_NONE);
	add(b, "192.0.0.0/20", 20, 64496, SOURCE_NONE);
	add(b, "0.0.0.0/0", 0, 0, SOURCE_NONE);
	add(b, "::/0", 0, 0, SOURCE_NONE);
	assert_true(OK(table_builder_finish(MOVE(b), 7, &t)));
	assert_int_equal(table_generation(t), 7);
	assert_int_equal(table_count(t, PAYLOAD_VRP), 7);
	assert_int_equal(table_vrps4(t), 5);
	check_vrp(t, 0, "0.0.0.0/0", 0, 0);
	check_vrp(t, 1, "192.0.0.0/20", 20, 64496);
	check_vrp(t, 2, "192.0.0.0/16", 24, 64496);
	check_vrp(t, 3, "192.0.2.0/24", 24, 64496);
	check_vrp(t, 4, "192.0.2.0/24", 24, 64497);
	check_vrp(t, 5, "::/0", 0, 0);
	check_vrp(t, 6, "2001:db8::/32", 48, 64496);
	assert_int_equal(table_sources(t, PAYLOAD_VRP, 0), 0);
}

static void unsound_payloads_are_refused(void **state)
{
	AUTO(table_builder_free) struct table_builder *b = table_builder_new(NULL);
	struct vrp v = { .family = ADDR_V4, .len = 24, .maxlen = 23 };
	struct router_key k = { .asn = 1 };
	uint32_t one = 1;

	(void)state;
	assert_non_null(b);
	assert_int_equal(table_builder_add_vrp(b, &v, SOURCE_NONE).e, ERR_RANGE);
	v.maxlen = 33;
	assert_int_equal(table_builder_add_vrp(b, &v, SOURCE_NONE).e, ERR_RANGE);
	v.maxlen = 24;
	v.addr[3] = 1;
	assert_int_equal(table_builder_add_vrp(b, &v, SOURCE_NONE).e, ERR_RANGE);
	v.addr[3] = 0;
	v.addr[4] = 1;
	assert_int_equal(table_builder_add_vrp(b, &v, SOURCE_NONE).e, ERR_RANGE);
	v.addr[4] = 0;
	assert_int_equal(table_builder_add_vrp(b, &v, 0).e, ERR_RANGE);
	v.family = ADDR_UNIX;
	assert_int_equal(table_builder_add_vrp(b, &v, SOURCE_NONE).e, ERR_RANGE);
	assert_int_equal(table_builder_add_key(b, &k, SOURCE_NONE).e, ERR_RANGE);
	assert_int_equal(table_builder_add_aspa(b, 1, &one, 0, SOURCE_NONE).e, ERR_RANGE);
	v = (struct vrp){ .family = ADDR_V6, .len = 20, .maxlen = 128, .addr = { 0x20, 1, 0xf8 } };
	assert_int_equal(table_builder_add_vrp(b, &v, SOURCE_NONE).e, ERR_RANGE);
	v.addr[2] = 0xf0;
	assert_true(OK(table_builder_add_vrp(b, &v, SOURCE_NONE)));
}

static void one_customer_has_one_aspa(void **state)
{
	AUTO(table_builder_free) struct table_builder *b = table_builder_new(NULL);
	AUTO(table_unref) struct payload_table *t = NULL;
	static const uint32_t first[] = { 30, 10 }, second[] = { 20, 10, 0 }, none[] = { 0, 0 };
	static const uint32_t want[] = { 10, 20, 30 };
	struct aspa_payload a;

	(void)state;
	assert_non_null(b);
	assert_true(OK(table_builder_add_aspa(b, 5, first, 2, SOURCE_NONE)));
	assert_true(OK(table_builder_add_aspa(b, 3, none, 2, SOURCE_NONE)));
	assert_true(OK(table_builder_add_aspa(b, 5, second, 3, SOURCE_NONE)));
	assert_true(OK(table_builder_finish(MOVE(b), 1, &t)));
	assert_int_equal(table_count(t, PAYLOAD_ASPA), 2);
	a = table_aspa(t, 0);
	assert_int_equal(a.customer, 3);
	assert_int_equal(a.n, 1);
	assert_int_equal(a.providers[0], 0);
	assert_true(aspa_is_sound(&a));
	a = table_aspa(t, 1);
	assert_int_equal(a.customer, 5);
	assert_int_equal(a.n, 3);
	assert_memory_equal(a.providers, want, sizeof want);
}

/* However often it is said (found by fuzz_table_text): AS 0 is alone, or not there. */
static void as_0_stays_only_alone(void **state)
{
	static const uint32_t both[] = { 0, 3 };
	AUTO(table_builder_free) struct table_builder *b = table_builder_new(NULL);
	AUTO(table_unref) struct payload_table *t = NULL;
	struct aspa_payload a;

	(void)state;
	assert_true(OK(table_builder_add_aspa(b, 1, both, 2, SOURCE_NONE)));
	assert_true(OK(table_builder_add_aspa(b, 1, both, 2, SOURCE_NONE)));
	assert_true(OK(table_builder_finish(MOVE(b), 1, &t)));
	assert_int_equal(table_count(t, PAYLOAD_ASPA), 1);
	a = table_aspa(t, 0);
	assert_int_equal(a.n, 1);
	assert_int_equal(a.providers[0], 3);
}

static void a_customer_with_too_many_providers_is_left_out_whole(void **state)
{
	struct table_limits limits = { .providers = 2 };
	AUTO(table_builder_free) struct table_builder *b = table_builder_new(&limits);
	AUTO(table_unref) struct payload_table *t = NULL;
	static const uint32_t p[] = { 1, 2, 3 };

	(void)state;
	assert_non_null(b);
	assert_true(OK(table_builder_add_aspa(b, 5, p, 3, SOURCE_NONE)));
	assert_true(OK(table_builder_add_aspa(b, 6, p, 2, SOURCE_NONE)));
	assert_true(OK(table_builder_finish(MOVE(b), 1, &t)));
	assert_int_equal(table_count(t, PAYLOAD_ASPA), 1);
	assert_int_equal(table_aspa(t, 0).customer, 6);
	assert_int_equal(table_customers_withheld(t), 1);
}

static void keys_are_ordered_by_identifier_length_key_and_asn(void **state)
{
	AUTO(table_builder_free) struct table_builder *b = table_builder_new(NULL);
	AUTO(table_unref) struct payload_table *t = NULL;
	static const char *const want[] = { "z", "aa", "ab", "ab" };
	struct router_key k = { .ski = { 1 }, .asn = 9, .spki = span_text("ab") };

	(void)state;
	assert_non_null(b);
	assert_true(OK(table_builder_add_key(b, &k, SOURCE_NONE)));
	assert_true(OK(table_builder_add_key(b, &k, SOURCE_NONE)));
	k.asn = 8;
	assert_true(OK(table_builder_add_key(b, &k, SOURCE_NONE)));
	k.spki = span_text("aa");
	assert_true(OK(table_builder_add_key(b, &k, SOURCE_NONE)));
	k.spki = span_text("z");
	assert_true(OK(table_builder_add_key(b, &k, SOURCE_NONE)));
	assert_true(OK(table_builder_finish(MOVE(b), 1, &t)));
	assert_int_equal(table_count(t, PAYLOAD_KEY), 4);
	for (size_t i = 0; i < 4; i++)
		assert_true(span_equal(table_key(t, i).spki, span_text(want[i])));
	assert_int_equal(table_key(t, 2).asn, 8);
	assert_int_equal(table_key(t, 3).asn, 9);
}

static void sources_follow_their_payload(void **state)
{
	AUTO(table_builder_free) struct table_builder *b = table_builder_new(NULL), *second = table_builder_new(NULL);
	AUTO(table_unref) struct payload_table *t = NULL, *copy = NULL;
	struct payload_source s = { .kind = SOURCE_ROA, .tal = "one", .uri = "rsync://a/b.roa" };
	uint32_t id1, id2;

	(void)state;
	assert_non_null(b);
	assert_non_null(second);
	assert_true(OK(table_builder_add_source(b, &s, &id1)));
	s = (struct payload_source){ .kind = SOURCE_EXCEPTION, .uri = "/etc/slurm.json", .comment = "mine" };
	assert_true(OK(table_builder_add_source(b, &s, &id2)));
	add(b, "192.0.2.0/24", 24, 2, id2);
	add(b, "192.0.2.0/24", 24, 1, id2);
	add(b, "192.0.2.0/24", 24, 1, id1);
	add(b, "192.0.2.0/24", 24, 1, id2);
	add(b, "2001:db8::/32", 32, 1, SOURCE_NONE);
	assert_true(OK(table_builder_finish(MOVE(b), 1, &t)));
	assert_true(OK(table_builder_add_table(second, t)));
	assert_true(OK(table_builder_finish(MOVE(second), 2, &copy)));
	assert_true(table_equal(t, copy));
	assert_int_equal(table_sources(copy, PAYLOAD_VRP, 0), 2);
	assert_string_equal(table_source(copy, PAYLOAD_VRP, 0, 0).comment, "mine");
	assert_string_equal(table_source(copy, PAYLOAD_VRP, 0, 1).tal, "one");
	assert_int_equal(table_sources(copy, PAYLOAD_VRP, 1), 1);
	assert_string_equal(table_source(copy, PAYLOAD_VRP, 1, 0).uri, "/etc/slurm.json");
	assert_string_equal(table_source(copy, PAYLOAD_VRP, 1, 0).tal, "");
	assert_int_equal(table_sources(copy, PAYLOAD_VRP, 2), 0);
}

static void limits_refuse(void **state)
{
	struct table_limits limits = { .vrps = 1, .keys = 1, .aspas = 1 };
	AUTO(table_builder_free) struct table_builder *b = table_builder_new(&limits);
	struct vrp v = vrp_of("192.0.2.0/24", 24, 1);
	struct router_key k = { .spki = span_text("x") };
	uint32_t p = 1;

	(void)state;
	assert_non_null(b);
	assert_true(OK(table_builder_add_vrp(b, &v, SOURCE_NONE)));
	assert_int_equal(table_builder_add_vrp(b, &v, SOURCE_NONE).e, ERR_LIMIT);
	assert_true(OK(table_builder_add_key(b, &k, SOURCE_NONE)));
	assert_int_equal(table_builder_add_key(b, &k, SOURCE_NONE).e, ERR_LIMIT);
	assert_true(OK(table_builder_add_aspa(b, 1, &p, 1, SOURCE_NONE)));
	assert_int_equal(table_builder_add_aspa(b, 1, &p, 1, SOURCE_NONE).e, ERR_LIMIT);
}

static void random_sets_are_found_again(void **state)
{
	AUTO(rng_free) struct rng *rng = rng_new_seeded(1);
	AUTO(table_builder_free) struct table_builder *b = table_builder_new(NULL);
	AUTO(table_unref) struct payload_table *t = NULL, *held = NULL;
	static struct vrp all[5000];

	(void)state;
	assert_non_null(b);
	for (size_t i = 0; i < 5000; i++) {
		struct vrp *v = &all[i];

		*v = (struct vrp){ .family = rng_below(rng, 3) > 0 ? ADDR_V4 : ADDR_V6, .asn = rng_below(rng, 3) };
		v->len = (uint8_t)rng_below(rng, 17);
		v->maxlen = (uint8_t)(v->len + rng_below(rng, 4));
		rng_fill(rng, v->addr, v->len / 8);
		if (v->len % 8 != 0)
			v->addr[v->len / 8] = (uint8_t)(rng32(rng) << (8 - v->len % 8));
		assert_true(OK(table_builder_add_vrp(b, v, SOURCE_NONE)));
	}
	assert_true(OK(table_builder_finish(MOVE(b), 1, &t)));
	for (size_t i = 0; i < 5000; i++) {
		assert_true(table_has_vrp(t, &all[i]));
		all[i].asn += 3;
		assert_false(table_has_vrp(t, &all[i]));
	}
	for (size_t i = 1; i < table_count(t, PAYLOAD_VRP); i++) {
		struct vrp x = table_vrp(t, i - 1), y = table_vrp(t, i);

		assert_true(vrp_compare(&x, &y) < 0);
		assert_int_equal(table_find_vrp(t, &y), i);
	}
	held = table_ref(t);
	table_unref(MOVE(t));
	assert_true(table_octets(held) >= 12 * table_count(held, PAYLOAD_VRP));
}

static void no_memory_leaves_nothing(void **state)
{
	uint64_t before = mem_usage().objects;

	(void)state;
	for (uint64_t n = 1; n < 100; n++) {
		struct table_builder *b;
		struct payload_table *t = NULL;
		struct vrp v = vrp_of("192.0.2.0/24", 24, 1);
		struct result r = FAIL(ERR_NOMEM);
		struct payload_source s = { .kind = SOURCE_ROA, .tal = "one" };
		uint32_t id = SOURCE_NONE, p = 1;
		struct router_key k = { .spki = span_text("x") };

		mem_fail_at(n, false);
		b = table_builder_new(NULL);
		if (b != NULL && OK(table_builder_add_source(b, &s, &id)) && OK(table_builder_add_vrp(b, &v, id)) &&
		    OK(table_builder_add_vrp(b, &v, id)) && OK(table_builder_add_key(b, &k, id)) &&
		    OK(table_builder_add_aspa(b, 1, &p, 1, id)))
			r = table_builder_finish(MOVE(b), 1, &t);
		mem_fail_at(0, false);
		table_builder_free(b);
		table_unref(t);
		assert_int_equal(mem_usage().objects, before);
		if (OK(r))
			return;
		assert_int_equal(r.e, ERR_NOMEM);
	}
	fail();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vrps_are_sorted_and_unique),
		cmocka_unit_test(unsound_payloads_are_refused),
		cmocka_unit_test(one_customer_has_one_aspa),
		cmocka_unit_test(as_0_stays_only_alone),
		cmocka_unit_test(a_customer_with_too_many_providers_is_left_out_whole),
		cmocka_unit_test(keys_are_ordered_by_identifier_length_key_and_asn),
		cmocka_unit_test(sources_follow_their_payload),
		cmocka_unit_test(limits_refuse),
		cmocka_unit_test(random_sets_are_found_again),
		cmocka_unit_test(no_memory_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
