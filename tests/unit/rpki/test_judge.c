/* Verdicts on the route to an address: each state with its evidence, several routes of a prefix, and what is missing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "rpki/routes/judge.h"

static struct prefix prefix_of(const char *text)
{
	struct prefix p = { .len = 0 };

	assert_true(OK(prefix_parse(text, &p)));
	return p;
}

static struct payload_table *vrps(void) OWNED_BY(table_unref);
static struct payload_table *vrps(void)
{
	static const struct {
		const char *prefix;
		uint8_t maxlen;
		uint32_t asn;
	} of[] = { { "192.0.0.0/16", 24, 64496 }, { "192.0.2.0/24", 24, 64497 }, { "198.51.100.0/24", 24, 0 }, { "203.0.113.0/24", 24, 64498 }, { "2001:db8::/32", 32, 64496 },
		{ "10.0.0.0/8", 8, 64496 }, { "10.0.0.0/8", 8, 0 } };
	struct table_builder *b = table_builder_new(NULL);
	struct payload_table *t = NULL;

	for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
		struct prefix p = prefix_of(of[i].prefix);
		struct vrp v;

		assert_true(OK(vrp_make(&p, of[i].maxlen, of[i].asn, &v)));
		assert_true(OK(table_builder_add_vrp(b, &v, SOURCE_NONE)));
	}
	assert_true(OK(table_builder_finish(b, 1, &t)));
	return t;
}

static struct announced *routes(void) OWNED_BY(announced_unref);
static struct announced *routes(void)
{
	static const struct {
		const char *prefix;
		uint32_t origin, source;
	} of[] = { { "192.0.2.0/24", 64497, 1 }, { "192.0.3.0/24", 64511, 1 }, { "192.0.4.0/25", 64496, 1 }, { "203.0.113.0/24", 64511, 1 }, { "203.0.113.0/24", 64498, 2 },
		{ "100.64.0.0/10", 1, 1 }, { "198.51.100.0/24", 0, 1 }, { "2001:db8::/33", 64496, 1 }, { "2001:db8:8000::/33", 64496, SOURCE_WITHOUT_LENGTH | 3 } };
	AUTO(announced_unref) struct announced *empty = announced_new();
	struct announced_edit *e = announced_edit_new(empty);
	struct announced *a = NULL;

	for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
		struct prefix p = prefix_of(of[i].prefix);
		struct announced_route r = { .origin = of[i].origin, .source = of[i].source, .path = of[i].origin };

		assert_true(OK(announced_set(e, &p, &r)));
	}
	assert_true(OK(announced_edit_publish(e, 1, &a)));
	return a;
}

static void says(const struct route_view *v, const char *address, const char *state, bool contested, const char *evidence)
{
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(1000);
	struct addr a;
	struct route_verdict got;

	assert_true(OK(addr_parse(address, &a)));
	got = route_judge(v, &a);
	verdict_evidence(&got, out);
	assert_string_equal(verdict_state_text(got.state), state);
	assert_string_equal(strbuf_text(out), evidence);
	assert_int_equal(got.contested, contested);
	assert_int_equal(got.generation, route_view_generation(v));
}

static void with_both_sides(void **state)
{
	AUTO(table_unref) struct payload_table *t = vrps();
	AUTO(announced_unref) struct announced *a = routes();
	AUTO(route_view_unref) struct route_view *v = NULL;

	(void)state;
	assert_true(OK(route_view_new(t, a, 9, &v)));
	says(v, "192.0.2.1", "valid", false, "192.0.2.0/24 by AS64497, VRP 192.0.2.0/24-24 AS64497");
	says(v, "192.0.3.1", "invalid origin", false, "192.0.3.0/24 by AS64511, VRP 192.0.0.0/16-24 AS64496");
	says(v, "192.0.4.1", "invalid length", false, "192.0.4.0/25 by AS64496, VRP 192.0.0.0/16-24 AS64496");
	says(v, "192.0.5.1", "unknown", false, "");
	says(v, "203.0.113.7", "valid", true, "203.0.113.0/24 by AS64498, VRP 203.0.113.0/24-24 AS64498");
	says(v, "100.64.1.1", "not-found", false, "100.64.0.0/10 by AS1, no VRP");
	says(v, "198.51.100.1", "invalid origin", false, "198.51.100.0/24 by a set of ASes, VRP 198.51.100.0/24-24 AS0");
	says(v, "2001:db8::1", "invalid length", false, "2001:db8::/33 by AS64496, VRP 2001:db8::/32-32 AS64496");
	says(v, "2001:db8:8000::1", "valid", false, "2001:db8:8000::/33 of AS64496, VRP 2001:db8::/32-32 AS64496");
}

static void without_a_side(void **state)
{
	AUTO(table_unref) struct payload_table *t = vrps();
	AUTO(announced_unref) struct announced *a = routes();
	AUTO(route_view_unref) struct route_view *v = NULL, *cover = NULL, *later = NULL;
	const struct addr none = { .family = ADDR_UNIX };

	(void)state;
	assert_true(OK(route_view_new(NULL, a, 1, &v)));
	says(v, "192.0.2.1", "unknown", false, "");
	assert_true(OK(route_view_new(t, NULL, 2, &cover)));
	says(cover, "192.0.2.1", "covered", false, "VRP 192.0.2.0/24-24 AS64497");
	says(cover, "198.51.100.1", "AS0 only", false, "VRP 198.51.100.0/24-24 AS0");
	says(cover, "10.0.0.1", "covered", false, "VRP 10.0.0.0/8-8 AS64496");
	says(cover, "100.64.1.1", "uncovered", false, "");
	assert_int_equal(route_judge(cover, &none).state, VERDICT_UNKNOWN);
	assert_true(OK(route_view_with(cover, a, 3, &later)));
	route_view_unref(MOVE(cover)); /* the index lives on */
	says(later, "192.0.2.1", "valid", false, "192.0.2.0/24 by AS64497, VRP 192.0.2.0/24-24 AS64497");
	assert_int_equal(route_view_generation(later), 3);
}

static bool count_vrp(void *ctx, const struct vrp *v)
{
	uint32_t *asns = ctx;

	asns[++asns[0]] = v->asn;
	return asns[0] < 2;
}

static void what_verdicts_come_from(void **state)
{
	AUTO(table_unref) struct payload_table *t = vrps();
	AUTO(announced_unref) struct announced *a = routes();
	AUTO(route_view_unref) struct route_view *v = NULL, *without = NULL;
	struct prefix p = prefix_of("203.0.113.0/24"), host = prefix_of("192.0.2.1/32");
	struct announced_route false_one = { .origin = 64511 };
	uint32_t asns[3] = { 0 };

	(void)state;
	assert_true(OK(route_view_new(t, a, 4, &v)));
	assert_true(OK(route_view_new(NULL, NULL, 5, &without)));
	assert_ptr_equal(route_view_announced(v), a);
	assert_null(route_view_announced(without));
	assert_true(route_view_octets(v) >= table_octets(t));
	assert_int_equal(route_view_octets(without), 0);
	route_view_covering(v, &host, count_vrp, asns);
	assert_int_equal(asns[0], 2);
	assert_int_equal(asns[1], 64497); /* the more specific first */
	assert_int_equal(asns[2], 64496);
	asns[0] = 0;
	route_view_covering(without, &host, count_vrp, asns);
	assert_int_equal(asns[0], 0);
	assert_int_equal(route_judge_one(v, &p, &false_one).state, VERDICT_INVALID_ORIGIN); /* though another route of the prefix is valid */
	assert_int_equal(route_judge_one(v, &p, &false_one).generation, 4);
	assert_int_equal(route_judge_one(without, &p, &false_one).state, VERDICT_UNKNOWN);
	assert_int_equal(route_judge_one(without, &p, &false_one).from.origin, 64511);
}

static void ranks(void **state)
{
	(void)state;
	for (enum verdict_state s = 0; s < VERDICT_STATES; s++)
		assert_int_equal(verdict_rank(s), s == VERDICT_VALID ? 0 : s == VERDICT_INVALID_ORIGIN || s == VERDICT_INVALID_LENGTH ? 2 : 1);
}

static void memory_may_run_out(void **state)
{
	AUTO(table_unref) struct payload_table *t = vrps();
	struct result r = FAIL(ERR_NOMEM);

	(void)state;
	for (uint64_t n = 1; !OK(r) && n < 50; n++) {
		AUTO(route_view_unref) struct route_view *v = NULL;

		mem_fail_at(n, false);
		r = route_view_new(t, NULL, 1, &v);
		mem_fail_at(0, false);
		assert_int_equal(OK(r), v != NULL);
	}
	assert_true(OK(r));
}

/* What is announced goes before a database, whatever the lengths. */
static void a_database_is_asked_where_nobody_has_told(void **state)
{
	static const struct {
		const char *prefix;
		uint32_t origin;
	} of[] = { { "192.0.2.0/25", 64511 }, { "203.0.112.0/24", 64497 }, { "192.0.9.0/26", 64496 }, { "198.18.0.0/15", 64496 }, { "10.0.0.0/7", 64496 } };
	AUTO(table_unref) struct payload_table *t = vrps();
	AUTO(announced_unref) struct announced *a = routes(), *empty = announced_new(), *database = NULL;
	AUTO(route_view_unref) struct route_view *both = NULL, *with = NULL, *alone = NULL, *only = NULL;
	struct announced_edit *e = announced_edit_new(empty);

	(void)state;
	for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
		struct prefix p = prefix_of(of[i].prefix);
		struct announced_route r = { .origin = of[i].origin, .source = SOURCE_WITHOUT_LENGTH | 9, .path = of[i].origin };

		assert_true(OK(announced_set(e, &p, &r)));
	}
	assert_true(OK(announced_edit_publish(e, 1, &database)));
	assert_true(OK(route_view_new(t, a, 1, &both)));
	assert_true(OK(route_view_with_database(both, database, 2, &with)));
	assert_ptr_equal(route_view_database(with), database);
	says(with, "192.0.2.1", "valid", false, "192.0.2.0/24 by AS64497, VRP 192.0.2.0/24-24 AS64497");
	says(with, "192.0.9.1", "valid", false, "192.0.9.0/26 of AS64496, VRP 192.0.0.0/16-24 AS64496");
	says(with, "10.1.1.1", "valid", false, "10.0.0.0/7 of AS64496, VRP 10.0.0.0/8-8 AS64496"); /* a network shorter than the VRP: the address counts */
	says(with, "11.1.1.1", "not-found", false, "10.0.0.0/7 of AS64496, no VRP");
	says(with, "198.18.0.1", "not-found", false, "198.18.0.0/15 of AS64496, no VRP");
	says(both, "192.0.9.1", "unknown", false, "");
	assert_true(OK(route_view_with(with, NULL, 3, &alone)));
	says(alone, "192.0.2.1", "invalid origin", false, "192.0.2.0/25 of AS64511, VRP 192.0.2.0/24-24 AS64497");
	says(alone, "192.0.2.200", "unknown", false, "");
	assert_true(OK(route_view_with_database(alone, NULL, 4, &only)));
	says(only, "192.0.2.1", "covered", false, "VRP 192.0.2.0/24-24 AS64497");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(with_both_sides),
		cmocka_unit_test(without_a_side),
		cmocka_unit_test(what_verdicts_come_from),
		cmocka_unit_test(ranks),
		cmocka_unit_test(memory_may_run_out),
		cmocka_unit_test(a_database_is_asked_where_nobody_has_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
