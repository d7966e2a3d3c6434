/* Conditions: when they hold. */
#include "filter/only.h"

#include "tests/unit/filter/made.h"

/* Reads NAME=VALUE into o. */
static void add(struct filter_only *o, struct arena *a, const char *name, const char *value)
{
	const char *reason;

	assert_true(OK(only_read(o, span_text(name), span_text(value), a, &reason)));
}

static struct filter_address address(const char *text, enum filter_route state, uint32_t origin)
{
	struct filter_address a = { .state = state, .origin = origin };

	assert_true(OK(addr_parse(text, &a.addr)));
	return a;
}

static bool holds_for(const char *name, const char *value, const struct filter_address *at)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct filter_only o = { .routes = 0 };

	add(&o, a, name, value);
	assert_true(only_asks_address(&o));
	assert_int_equal(only_asks_route(&o), strcmp(name, "address") != 0);
	return only_holds_address(&o, at);
}

static void states_are_those_that_are_named(void **state)
{
	(void)state;
	for (enum filter_route r = 0; r < FILTER_ROUTES; r++) {
		struct filter_address a = address("192.0.2.1", r, 0);
		char negated[32];

		(void)snprintf(negated, sizeof negated, "~%s", filter_route_text(r));
		assert_true(holds_for("route", filter_route_text(r), &a));
		assert_false(holds_for("route", negated, &a));
		assert_true(holds_for("route", "valid|invalid|not-found|unknown|covered|uncovered|as0", &a));
	}
	assert_string_equal(filter_route_text(FILTER_ROUTES), "unknown");
	const struct filter_address beyond = address("192.0.2.1", FILTER_ROUTES, 0);
	assert_false(holds_for("route", "~valid", &beyond));
}

static void origins_are_known_or_no_condition_holds(void **state)
{
	struct filter_address a = address("192.0.2.1", FILTER_ROUTE_VALID, 64500);

	(void)state;
	assert_true(holds_for("asn", "64500", &a));
	assert_true(holds_for("asn", "1-64500", &a));
	assert_false(holds_for("asn", "1-64499|64501-4294967295", &a));
	assert_false(holds_for("asn", "~64500", &a));
	assert_true(holds_for("asn", "~64501", &a));
	assert_false(holds_for("asn", "64000-65000|~64500", &a));
	a.origin = 0;
	assert_false(holds_for("asn", "~64501", &a));
	assert_false(holds_for("asn", "1-4294967295", &a));
}

static void prefixes_have_a_family(void **state)
{
	const struct filter_address v4 = address("192.0.2.1", FILTER_ROUTE_UNKNOWN, 0), v6 = address("2001:db8::1", FILTER_ROUTE_UNKNOWN, 0);

	(void)state;
	assert_true(holds_for("address", "192.0.2.0/24", &v4));
	assert_false(holds_for("address", "192.0.2.0/24", &v6));
	assert_true(holds_for("address", "192.0.2.0/24|2001:db8::/32", &v6));
	assert_false(holds_for("address", "192.0.2.0/24|~192.0.2.1", &v4));
	assert_true(holds_for("address", "~192.0.2.0/24", &v6));
	assert_false(holds_for("address", "::/0", &v4));
}

static bool holds_asked(const char *name, const char *value, const char *qname, uint16_t type, uint16_t as)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct name_buf nb = name_buf(qname);
	struct filter_only o = { .routes = 0 };

	add(&o, a, name, value);
	assert_false(only_asks_address(&o));
	return only_holds_question(&o, name_of(&nb), type, as);
}

static void types_are_those_of_the_question_and_of_the_target(void **state)
{
	(void)state;
	assert_true(holds_asked("dnstype", "A|AAAA", "a.b", RR_AAAA, RR_AAAA));
	assert_false(holds_asked("dnstype", "A|AAAA", "a.b", RR_TXT, RR_TXT));
	assert_true(holds_asked("dnstype", "A", "a.b", RR_A, RR_CNAME));
	assert_true(holds_asked("dnstype", "CNAME", "a.b", RR_A, RR_CNAME));
	assert_false(holds_asked("dnstype", "~CNAME", "a.b", RR_A, RR_CNAME));
	assert_true(holds_asked("dnstype", "~CNAME", "a.b", RR_A, RR_A));
	assert_true(holds_asked("dnstype", "TYPE65280", "a.b", 65280, 65280));
}

static void denyallow_is_of_subtrees(void **state)
{
	(void)state;
	assert_false(holds_asked("denyallow", "org|b.com", "b.com", RR_A, RR_A));
	assert_false(holds_asked("denyallow", "org|b.com", "A.B.com", RR_A, RR_A));
	assert_false(holds_asked("denyallow", "org|b.com", "org", RR_A, RR_A));
	assert_true(holds_asked("denyallow", "org|b.com", "com", RR_A, RR_A));
	assert_true(holds_asked("denyallow", "org|b.com", "ab.com", RR_A, RR_A));
	assert_true(holds_asked("denyallow", "org", ".", RR_A, RR_A));
}

static void what_asks_for_nothing_holds(void **state)
{
	const struct filter_address a = address("192.0.2.1", FILTER_ROUTE_INVALID, 1);
	const struct filter_only o = { .routes = 0 };

	(void)state;
	assert_true(only_is_empty(&o));
	assert_true(only_holds_address(&o, &a));
	assert_true(only_holds_question(&o, name_root, RR_A, RR_A));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(states_are_those_that_are_named),
		cmocka_unit_test(origins_are_known_or_no_condition_holds),
		cmocka_unit_test(prefixes_have_a_family),
		cmocka_unit_test(types_are_those_of_the_question_and_of_the_target),
		cmocka_unit_test(denyallow_is_of_subtrees),
		cmocka_unit_test(what_asks_for_nothing_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
