/* Routes and the choice of servers: what each policy makes of each state, that verdicts are kept with the servers until there is a newer view, and whom select_server takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/rng.h"
#include "base/strbuf.h"
#include "conf/conf.h"
#include "resolver/core/select.h"
#include "tests/unit/resolver/route_world.h"

static const struct infra_limits limits = { .host_ttl_sec = 900, .max_entries = 1000, .min_rtt_ms = 50, .max_rtt_ms = 120000, .lame_ttl_sec = 900 };
static const struct now at = { .mono_ns = UINT64_C(1000000000), .wall_sec = 1700000000 };

struct kit {
	struct arena *arena;
	struct infra *infra;
	struct rng *rng;
	struct core_settings *settings;
	struct deleg d;
	struct deleg_server servers[4];
};

/* 192.0.2.0/24 and 198.51.100.0/24 of AS 1, 203.0.113.0/24 of AS 2; the last is announced by AS 3. Of 100.64.0.0/10 only a route is known. */
static struct route_view *view(bool vrps, uint64_t generation) OWNED_BY(route_view_unref);
static struct route_view *view(bool vrps, uint64_t generation)
{
	static const struct route_world_row rows[] = { { "192.0.2.0/24", 1, 1 }, { "198.51.100.0/24", 1, 1 }, { "203.0.113.0/24", 3, 2 }, { "100.64.0.0/10", 4, 0 } };

	return route_world_of(rows, 4, vrps, generation);
}

static void open_kit(struct kit *k, const char *conf, const char *const *addresses, size_t n)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(10000);
	AUTO(conf_free) struct conf *c = NULL;

	*k = (struct kit){ .arena = arena_new(0), .infra = infra_new(&limits, &(struct hash_key){ { 1, 2 } }), .rng = rng_new_seeded(5) };
	assert_true(OK(conf_load_text(conf, "test", report, &c)));
	assert_true(OK(core_settings_make(c, report, &k->settings)));
	for (size_t i = 0; i < n; i++) {
		assert_true(OK(endpoint_parse(addresses[i], 53, &k->servers[i].at)));
		infra_note_rtt(k->infra, &k->servers[i].at, 10000, &at);
	}
	k->d = (struct deleg){ .zone = name_root, .servers = k->servers, .server_count = n };
}

static void close_kit(struct kit *k)
{
	core_settings_free(k->settings);
	rng_free(k->rng);
	infra_free(k->infra);
	arena_free(k->arena);
}

static void policies(void **state)
{
	static const char *const address[] = { "192.0.2.1", "100.64.0.1", "203.0.113.1" };
	static const enum route_use want[5][3] = {
		[ROUTE_POLICY_OFF] = { ROUTE_USUAL, ROUTE_USUAL, ROUTE_USUAL },
		[ROUTE_POLICY_LOG] = { ROUTE_USUAL, ROUTE_USUAL, ROUTE_USUAL },
		[ROUTE_POLICY_PREFER] = { ROUTE_FIRST, ROUTE_USUAL, ROUTE_LAST },
		[ROUTE_POLICY_NOT_INVALID] = { ROUTE_FIRST, ROUTE_USUAL, ROUTE_NEVER },
		[ROUTE_POLICY_VALID] = { ROUTE_FIRST, ROUTE_NEVER, ROUTE_NEVER },
	};
	AUTO(route_view_unref) struct route_view *v = view(true, 7), *without = view(false, 8);
	struct kit k;

	(void)state;
	open_kit(&k, "server:\n", address, 3);
	for (unsigned int p = 0; p < 5; p++) {
		for (size_t i = 0; i < 3; i++) {
			struct route_rule rule = { v, (enum route_policy)p }, no_vrps = { without, (enum route_policy)p }, none = { NULL, (enum route_policy)p };
			struct server_facts f;

			infra_get(k.infra, &k.servers[i].at, &at, &f);
			assert_int_equal(route_use_of(&rule, route_state_of(&rule, k.infra, &k.servers[i].at, &f, &at)), want[p][i]);
			infra_get(k.infra, &k.servers[i].at, &at, &f);
			assert_int_equal(f.route_generation, p == ROUTE_POLICY_OFF ? 0 : 7);
			assert_int_equal(route_use_of(&rule, route_state_of(&rule, k.infra, &k.servers[i].at, &f, &at)), want[p][i]);
			assert_int_equal(route_use_of(&no_vrps, route_state_of(&no_vrps, k.infra, &k.servers[i].at, &f, &at)), ROUTE_USUAL);
			infra_get(k.infra, &k.servers[i].at, &at, &f);
			assert_int_equal(f.route_generation, p == ROUTE_POLICY_OFF ? 0 : 8);
			assert_int_equal(route_use_of(&none, route_state_of(&none, k.infra, &k.servers[i].at, &f, &at)), ROUTE_USUAL);
		}
	}
	close_kit(&k);
}

/* How often each server is taken, of 400 choices, each with that result. */
static void take_many_as(struct kit *k, const struct route_view *v, enum select_result as, unsigned int *ret)
{
	struct deleg_env e = { .arena = k->arena, .settings = k->settings, .rng = k->rng, .now = &at, .routes = v };

	memset(ret, 0, 4 * sizeof *ret);
	for (unsigned int n = 0; n < 400; n++) {
		size_t server = 9;

		assert_int_equal(select_server(&e, &k->d, RR_A, k->infra, &server), as);
		ret[server]++;
	}
}

static void take_many(struct kit *k, const struct route_view *v, unsigned int *ret)
{
	take_many_as(k, v, SELECT_SERVER, ret);
}

static void valid_ones_first_invalid_ones_last(void **state)
{
	static const char *const address[] = { "203.0.113.1", "100.64.0.1", "192.0.2.1", "198.51.100.1" };
	AUTO(route_view_unref) struct route_view *v = view(true, 1);
	unsigned int taken[4];
	struct kit k;

	(void)state;
	open_kit(&k, "server:\n", address, 4);
	take_many(&k, NULL, taken);
	for (size_t i = 0; i < 4; i++)
		assert_true(taken[i] > 50);
	take_many(&k, v, taken);
	assert_int_equal(taken[0], 0);
	assert_in_range(taken[1], 1, 39); /* explored now and then */
	assert_true(taken[2] > 100 && taken[3] > 100);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(k.servers[i].route_invalid, i == 0);
	k.servers[2].done = k.servers[3].done = true;
	take_many(&k, v, taken);
	assert_int_equal(taken[1], 400);
	k.servers[1].done = true;
	take_many_as(&k, v, SELECT_LAST, taken);
	assert_int_equal(taken[0], 400); /* no other is left */
	close_kit(&k);
}

/* A forwarder answers for all zones: the policy is that of the name asked for. An authoritative server's is its zone's. */
static void a_forwarders_policy_is_that_of_the_name(void **state)
{
	static const char *const address[] = { "203.0.113.1" };
	AUTO(route_view_unref) struct route_view *v = view(true, 1);
	struct name_buf bank;
	struct deleg_env e;
	size_t server;
	struct kit k;

	(void)state;
	assert_true(OK(name_from_text("www.bank.example", NULL, &bank)));
	open_kit(&k, "route-validation:\n policy: prefer\n zone-policy: \"bank.example\" require-not-invalid\n", address, 1);
	e = (struct deleg_env){ .arena = k.arena, .settings = k.settings, .rng = k.rng, .now = &at, .routes = v, .asked = name_of(&bank) };
	assert_int_equal(select_server(&e, &k.d, RR_A, k.infra, &server), SELECT_LAST);
	k.d.source = DELEG_FORWARD;
	assert_int_equal(select_policy(&e, &k.d), ROUTE_POLICY_NOT_INVALID);
	assert_int_equal(select_server(&e, &k.d, RR_A, k.infra, &server), SELECT_NONE);
	assert_int_equal(k.d.route_refused, 1);
	assert_int_equal(k.servers[0].outcome, SERVER_ROUTE);
	close_kit(&k);
}

static void what_a_condition_is_told(void **state)
{
	static const struct route_world_row two_origins[] = { { "192.0.2.0/24", 1, 1 }, { "192.0.2.0/24", 3, 0 } };
	AUTO(route_view_unref) struct route_view *v = view(true, 1), *without = view(false, 2), *contested = route_world_of(two_origins, 2, true, 3);
	struct addr taken = route_world_addr("203.0.113.9"), held = route_world_addr("192.0.2.9"), nobodys = route_world_addr("10.0.0.1");
	struct route_facts f = route_facts_of(v, &taken);

	(void)state;
	assert_int_equal(f.state, VERDICT_INVALID_ORIGIN);
	assert_int_equal(f.origin, 3);
	f = route_facts_of(v, &held);
	assert_int_equal(f.state, VERDICT_VALID);
	assert_int_equal(f.origin, 1);
	assert_false(f.contested);
	f = route_facts_of(contested, &held);
	assert_int_equal(f.state, VERDICT_VALID);
	assert_true(f.contested);
	f = route_facts_of(v, &nobodys);
	assert_int_equal(f.state, VERDICT_UNKNOWN);
	assert_int_equal(f.origin, 0);
	assert_int_equal(route_facts_of(without, &taken).state, VERDICT_UNKNOWN);
	assert_int_equal(route_facts_of(NULL, &taken).state, VERDICT_UNKNOWN);
}

/* 192.0.2.0/24 announced by origin, which AS 1 and AS 2 may. */
static struct route_view *announced_by(uint32_t origin, uint64_t generation) OWNED_BY(route_view_unref);
static struct route_view *announced_by(uint32_t origin, uint64_t generation)
{
	const struct route_world_row rows[] = { { "192.0.2.0/24", origin, 1 }, { "192.0.2.0/24", 0, 2 } };

	return route_world_of(rows, 2, true, generation);
}

/* What the log has now. */
static void read_log(const char *path, char room[4096])
{
	FILE *f = fopen(path, "r");
	size_t n;

	assert_non_null(f);
	n = fread(room, 1, 4095, f);
	room[n] = '\0';
	(void)fclose(f);
}

static void changes_are_said_once(void **state)
{
	static const char *const address[] = { "192.0.2.1" };
	static const uint32_t origins[] = { 1, 1, 2, 3 };
	char path[] = "/tmp/cairn-test-route-XXXXXX", text[4096];
	struct log_config to_file = { .ident = "test", .file = path, .level = LOG_LEVEL_NOTICE }, usual = { .ident = "test", .level = LOG_LEVEL_ERROR };
	int fd = mkstemp(path);
	struct kit k;

	(void)state;
	assert_true(fd >= 0);
	(void)close(fd);
	open_kit(&k, "server:\n", address, 1);
	assert_true(OK(log_setup(&to_file)));
	for (size_t i = 0; i < 4; i++) {
		AUTO(route_view_unref) struct route_view *v = announced_by(origins[i], i + 1);
		struct route_rule rule = { v, ROUTE_POLICY_LOG };
		struct server_facts f;

		infra_get(k.infra, &k.servers[0].at, &at, &f);
		for (unsigned int workers = 0; workers < 3; workers++) /* all of them have looked before any has judged */
			assert_int_equal(route_use_of(&rule, route_state_of(&rule, k.infra, &k.servers[0].at, &f, &at)), ROUTE_USUAL);
		infra_get(k.infra, &k.servers[0].at, &at, &f);
		assert_int_equal(f.route_origin, origins[i]);
	}
	assert_true(OK(log_setup(&usual)));
	read_log(path, text);
	(void)unlink(path);
	assert_null(strstr(text, "not looked at")); /* nothing is wrong with it */
	assert_non_null(strstr(text, "route to server 192.0.2.1: valid as before, but by AS2 (was AS1): 192.0.2.0/24 by AS2, VRP 192.0.2.0/24-24 AS2\n"));
	assert_non_null(strstr(text, "route to server 192.0.2.1: invalid origin (was valid): 192.0.2.0/24 by AS3, VRP 192.0.2.0/24-24 AS1\n"));
	assert_null(strstr(strstr(text, "as before") + 1, "as before"));
	assert_null(strstr(strstr(text, "(was valid)") + 1, "(was valid)"));
	close_kit(&k);
}

static void what_is_required(void **state)
{
	static const char *const address[] = { "203.0.113.1", "100.64.0.1", "192.0.2.1", "203.0.113.2" };
	AUTO(route_view_unref) struct route_view *v = view(true, 1);
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(1000);
	unsigned int taken[4];
	struct kit k;
	struct deleg_env e;
	size_t server;

	(void)state;
	open_kit(&k, "route-validation:\n policy: require-not-invalid\n zone-policy: \"example.com\" off\n zone-policy: \"a.example.com\" require-valid\n", address, 4);
	take_many(&k, v, taken);
	assert_int_equal(taken[0], 0);
	assert_int_equal(taken[3], 0);
	assert_int_equal(k.servers[0].outcome, SERVER_ROUTE);
	assert_int_equal(k.d.route_refused, 2); /* each once, however often one is chosen */
	assert_string_equal(k.d.route_why, "203.0.113.1: route invalid origin, 203.0.113.0/24 by AS3, VRP 203.0.113.0/24-24 AS2");
	k.servers[1].done = k.servers[2].done = true;
	e = (struct deleg_env){ .arena = k.arena, .settings = k.settings, .rng = k.rng, .now = &at, .routes = v };
	assert_int_equal(select_server(&e, &k.d, RR_A, k.infra, &server), SELECT_NONE);
	deleg_explain(&k.d, out);
	assert_non_null(strstr(strbuf_text(out), "203.0.113.1@53 may not be asked"));

	assert_int_equal(settings_route_policy(k.settings, name_root), ROUTE_POLICY_NOT_INVALID);
	for (size_t i = 0; i < 3; i++) {
		static const char *const names[] = { "www.example.com", "x.a.example.com", "example.org" };
		static const enum route_policy want[] = { ROUTE_POLICY_OFF, ROUTE_POLICY_VALID, ROUTE_POLICY_NOT_INVALID };
		struct name_buf n;

		assert_true(OK(name_from_text(names[i], NULL, &n)));
		assert_int_equal(settings_route_policy(k.settings, name_of(&n)), want[i]);
	}
	close_kit(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(policies),
		cmocka_unit_test(valid_ones_first_invalid_ones_last),
		cmocka_unit_test(changes_are_said_once),
		cmocka_unit_test(what_is_required),
		cmocka_unit_test(a_forwarders_policy_is_that_of_the_name),
		cmocka_unit_test(what_a_condition_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
