/* Routes and resolutions: who is asked last or not at all, what is told then, and what becomes of data that came over an invalid route. */
#include "core_world.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/mem.h"
#include "resolver/cache/rrcache.h"
#include "tests/unit/resolver/route_world.h"

#define NOT_INVALID CONF "route-validation:\n\tpolicy: require-not-invalid\n"
#define HONEST "192.0.2.53"
#define TAKEN "198.51.100.53"

#define ROOT_LINES \
	ROOT_PRIMING, \
	{ ROOT, ".only.test.", "*", "ns: only.test. 172800 NS ns.only.test.; ar: ns.only.test. 172800 A " TAKEN }, \
	{ ROOT, ".both.test.", "*", "ns: both.test. 172800 NS ns.both.test.; both.test. 172800 NS ns.else.test.; ar: ns.both.test. 172800 A " TAKEN }, \
	{ ROOT, ".else.test.", "*", "ns: else.test. 172800 NS ns.else.test.; ar: ns.else.test. 172800 A " HONEST }, \
	{ HONEST, "ns.else.test.", "A", "AA; Q 3600 A " HONEST }, \
	{ HONEST, "*", "A", "AA; Q 3600 A 10.0.0.1" }, \
	{ TAKEN, "void.only.test.", "A", "AA; ns: only.test. 3600 SOA a. b. 1 2 3 4 3600" }, \
	{ TAKEN, ".sub.only.test.", "A", "ns: sub.only.test. 172800 NS ns.sub.only.test.; ar: ns.sub.only.test. 172800 A " HONEST }, \
	{ TAKEN, "*", "A", "AA; Q 3600 A 66.66.6.6" }

static const struct line lines[] = { ROOT_LINES, { 0 } };

/* As if it had been learnt before, with that verdict of the validator. */
static void learnt(struct world *w, const char *name, uint8_t security, uint32_t ttl)
{
	static const uint8_t address[4] = { 10, 0, 0, 9 };
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct span d = span_of(address, 4);
	struct name_buf nb;
	struct bundle_key k = { .type = RR_A, .rclass = CLASS_IN, .kind = BUNDLE_DATA };
	struct now now = world_now(w);
	struct rrset *rs;

	assert_true(OK(name_from_text(name, NULL, &nb)));
	k.name = name_of(&nb);
	rs = rrset_make_in(a, k.name, RR_A, CLASS_IN, ttl, &d, 1, 0);
	rs->rank = RANK_ANSWER_AUTH;
	rs->security = security;
	assert_true(OK(rrcache_put(world_cache(w), world_member(w), &k, (const struct rrset *const *)&rs, 1, ttl, &now)));
}

static void another_is_looked_for_before_an_invalid_one_is_asked(void **state)
{
	BEGIN(CONF, lines);

	route_world_put(world_routes(w), true, true);
	t = world_ask(w, "www.both.test.", "A"); /* the other server's name has no address yet */
	assert_has(t->text, "10.0.0.1");
	assert_has_not(world_log(w), TAKEN);
	assert_int_equal(world_count(w, COUNT_ROUTE_LAST), 0);
	t = world_ask(w, "www.only.test.", "A");
	assert_has(t->text, "66.66.6.6");
	assert_int_equal(world_count(w, COUNT_ROUTE_LAST), 1);
	END;
}

static void nobody_is_left_to_ask(void **state)
{
	BEGIN(NOT_INVALID, lines);

	route_world_put(world_routes(w), true, true);
	for (int i = 0; i < 2; i++) { /* the second time from the memory of failures */
		t = world_ask(w, "www.only.test.", "A");
		assert_int_equal(t->rcode, RCODE_SERVFAIL);
		assert_int_equal(t->ede[0], EDE_NO_REACHABLE);
		assert_string_equal(t->ede_text[0], "at delegation only.test.: " TAKEN ": route invalid origin, 198.51.100.0/24 by AS64511, VRP 198.51.100.0/24-24 AS64496");
	}
	assert_has_not(world_log(w), TAKEN);
	assert_int_equal(world_count(w, COUNT_ROUTE_REFUSED), 1);
	assert_int_equal(world_count(w, COUNT_CORE_FAILURE_HITS), 1);
	route_world_put(world_routes(w), true, false);
	world_run(w, 1100);
	t = world_ask(w, "www.only.test.", "A");
	assert_has(t->text, "66.66.6.6"); /* its route is valid again */
	END;
}

static void validated_records_serve_though_expired(void **state)
{
	BEGIN(NOT_INVALID, lines);

	route_world_put(world_routes(w), true, true);
	learnt(w, "signed.only.test.", SECURITY_SECURE, 5);
	learnt(w, "unsigned.only.test.", SECURITY_INSECURE, 5);
	world_run(w, 10000);
	for (int i = 0; i < 2; i++) {
		t = world_ask(w, "signed.only.test.", "A");
		assert_int_equal(t->rcode, RCODE_NOERROR);
		assert_true(t->stale);
		assert_has(t->text, "10.0.0.9");
		assert_int_equal(t->ede[0], EDE_STALE);
		assert_int_equal(t->ede[1], EDE_NO_REACHABLE);
		assert_has(t->ede_text[1], TAKEN ": route invalid origin");
	}
	assert_int_equal(world_count(w, COUNT_ROUTE_STALE), 2);
	/* Nobody knows who said the other one; also where expired answers would do. */
	t = world_ask_with(w, "unsigned.only.test.", "A", &(struct resolve_request){ .stale_ok = true });
	assert_int_equal(t->rcode, RCODE_SERVFAIL);
	assert_has(t->ede_text[0], "route invalid origin");
	END;
}

static void what_a_server_needs_is_held_to_it_too(void **state)
{
	static const struct line glueless[] = {
		{ ROOT, ".far.test.", "*", "ns: far.test. 172800 NS ns.only.test." },
		ROOT_LINES, { 0 },
	};
	BEGIN(NOT_INVALID, glueless);

	route_world_put(world_routes(w), true, true);
	t = world_ask(w, "www.far.test.", "A");
	assert_int_equal(t->rcode, RCODE_SERVFAIL);
	assert_has(t->ede_text[0], TAKEN ": route invalid origin");
	assert_has_not(world_log(w), TAKEN);
	END;
}

static void forwarders_are_judged_by_the_name(void **state)
{
	BEGIN(CONF "forward-zone:\n\tname: \".\"\n\tforward-addr: " TAKEN "\nroute-validation:\n\tzone-policy: \"bank.test\" require-not-invalid\n", lines);

	route_world_put(world_routes(w), true, true);
	t = world_ask(w, "www.shop.test.", "A");
	assert_has(t->text, "66.66.6.6");
	t = world_ask(w, "www.bank.test.", "A");
	assert_int_equal(t->rcode, RCODE_SERVFAIL);
	assert_has(t->ede_text[0], TAKEN ": route invalid origin");
	assert_int_equal(world_packets(w), 1);
	END;
}

static void without_vrps_what_is_required_is_only_counted(void **state)
{
	BEGIN(CONF "route-validation:\n\tpolicy: require-valid\n", lines);

	assert_false(core_shared_is_unguarded(world_shared(w)));
	t = world_ask(w, "a.only.test.", "A"); /* nothing hangs on the board */
	assert_int_equal(t->rcode, RCODE_NOERROR);
	assert_true(core_shared_is_unguarded(world_shared(w)));
	route_world_put(world_routes(w), false, true);
	t = world_ask(w, "b.only.test.", "A");
	assert_int_equal(t->rcode, RCODE_NOERROR);
	assert_true(world_count(w, COUNT_ROUTE_UNGUARDED) >= 3);
	assert_int_equal(world_count(w, COUNT_ROUTE_REFUSED), 0);
	route_world_put(world_routes(w), true, true);
	t = world_ask(w, "c.only.test.", "A");
	assert_int_equal(t->rcode, RCODE_SERVFAIL);
	assert_false(core_shared_is_unguarded(world_shared(w)));
	END;
}

static uint32_t ttl_of(const struct told *t, const char *rdata)
{
	const char *at = strstr(t->text, rdata);

	assert_non_null(at);
	while (at > t->text && at[-1] != '\n')
		at--;
	return (uint32_t)strtoul(strchr(at, ' '), NULL, 10);
}

static void unsigned_data_of_an_invalid_route_do_not_live_long(void **state)
{
	BEGIN(CONF, lines);

	route_world_put(world_routes(w), true, true);
	t = world_ask(w, "www.only.test.", "A");
	assert_int_equal(ttl_of(t, "66.66.6.6"), 60);
	assert_int_equal(t->ttl, 60);
	(void)world_ask(w, "void.only.test.", "A");
	t = world_ask(w, "www.sub.only.test.", "A"); /* servers that it leads to, whatever their route */
	assert_int_equal(ttl_of(t, "10.0.0.1"), 60);
	assert_int_equal(world_count(w, COUNT_ROUTE_UNSIGNED), 4);
	world_forget(w);
	world_run(w, 50000);
	(void)world_ask(w, "void.only.test.", "A");
	t = world_ask(w, "other.sub.only.test.", "A"); /* by the delegation in the cache */
	assert_string_equal(world_log(w), HONEST " other.sub.only.test. A\n");
	assert_int_equal(ttl_of(t, "10.0.0.1"), 60);
	world_run(w, 11000);
	world_forget(w);
	route_world_put(world_routes(w), true, false);
	t = world_ask(w, "www.only.test.", "A");
	assert_int_equal(ttl_of(t, "66.66.6.6"), 3600);
	(void)world_ask(w, "void.only.test.", "A");
	(void)world_ask(w, "other.sub.only.test.", "A");
	assert_string_equal(world_log(w), TAKEN " www.only.test. A\n" TAKEN " void.only.test. A\n");
	world_run(w, 60000);
	world_forget(w);
	t = world_ask(w, "third.sub.only.test.", "A");
	assert_string_equal(world_log(w), TAKEN " third.sub.only.test. A\n" HONEST " third.sub.only.test. A\n");
	assert_int_equal(ttl_of(t, "10.0.0.1"), 3600);
	END;
}

static void the_dry_run_shortens_nothing(void **state)
{
	BEGIN(CONF "route-validation:\n\tpolicy: log\n", lines);

	route_world_put(world_routes(w), true, true);
	t = world_ask(w, "www.only.test.", "A");
	assert_int_equal(ttl_of(t, "66.66.6.6"), 3600);
	assert_int_equal(world_count(w, COUNT_ROUTE_UNSIGNED), 1);
	END;
}

/* The validated record has expired, and a server with an invalid route says something else, or that there is none. */
static void validated_data_stay(const char *conf, bool taken, bool stays)
{
	void *nothing = NULL, **state = &nothing;
	struct resolve_request stale = { .stale_ok = true };
	static const struct line silent[] = { ROOT_LINES, { 0 } };

	BEGIN(conf, silent);
	route_world_put(world_routes(w), true, taken);
	learnt(w, "www.only.test.", SECURITY_SECURE, 5);
	learnt(w, "void.only.test.", SECURITY_SECURE, 5);
	world_run(w, 10000);
	(void)world_ask(w, "www.only.test.", "A");
	(void)world_ask(w, "void.only.test.", "A");
	assert_int_equal(world_count(w, COUNT_ROUTE_KEPT_OUT), stays ? 2 : 0);
	world_set_lines(w, silent + sizeof silent / sizeof silent[0] - 1); /* nobody answers any more */
	world_run(w, 4000000);
	t = world_ask_with(w, "www.only.test.", "A", &stale);
	assert_has(t->text, stays ? "10.0.0.9" : "66.66.6.6");
	t = world_ask_with(w, "void.only.test.", "A", &stale);
	if (stays)
		assert_has(t->text, "10.0.0.9");
	else
		assert_has_not(t->text, "10.0.0.9");
	END;
}

static void unsigned_data_of_an_invalid_route_replace_nothing_validated(void **state)
{
	(void)state;
	validated_data_stay(CONF, true, true);
	validated_data_stay(CONF "route-validation:\n\tpolicy: log\n", true, true);
	validated_data_stay(CONF, false, false);
	validated_data_stay(CONF "route-validation:\n\tpolicy: off\n", true, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_is_looked_for_before_an_invalid_one_is_asked),
		cmocka_unit_test(nobody_is_left_to_ask),
		cmocka_unit_test(validated_records_serve_though_expired),
		cmocka_unit_test(what_a_server_needs_is_held_to_it_too),
		cmocka_unit_test(forwarders_are_judged_by_the_name),
		cmocka_unit_test(without_vrps_what_is_required_is_only_counted),
		cmocka_unit_test(unsigned_data_of_an_invalid_route_do_not_live_long),
		cmocka_unit_test(the_dry_run_shortens_nothing),
		cmocka_unit_test(unsigned_data_of_an_invalid_route_replace_nothing_validated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
