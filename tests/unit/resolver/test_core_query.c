#include "core_world.h"

#include "base/mem.h"
#include "base/strbuf.h"

#define CONF "server:\n\tqname-minimisation: no\n\ttarget-fetch-policy: \"0 0 0 0 0\"\n"
#define QMIN "server:\n\tqname-minimisation: yes\n\ttarget-fetch-policy: \"0 0 0 0 0\"\n"
#define ROOT "198.41.0.4"
/* The thirteen root servers all say the same; priming included. */
#define ROOT_LINES \
	{ "*", ".", "NS", "AA; . 518400 NS a.root-servers.net.; ar: a.root-servers.net. 518400 A 198.41.0.4" }, \
	{ ROOT, ".com.", "*", "ns: com. 172800 NS a.gtld.net.; ar: a.gtld.net. 172800 A 192.5.6.30" }, \
	{ ROOT, ".net.", "*", "ns: net. 172800 NS a.gtld.net.; ar: a.gtld.net. 172800 A 192.5.6.30" }
#define COM "192.5.6.30"

#define BEGIN(conf, lines) \
	struct mem_usage before = mem_usage(); \
	struct world *w = world_new((conf), (lines)); \
	const struct told *t = NULL; \
	(void)t; \
	(void)state
#define END \
	world_free(w); \
	assert_int_equal(mem_usage().objects, before.objects)

static const struct line plain[] = {
	ROOT_LINES,
	{ COM, ".example.com.", "*", "ns: example.com. 172800 NS ns1.example.com.; ar: ns1.example.com. 172800 A 1.2.3.4" },
	{ COM, ".nowhere.com.", "*", "AA; NXDOMAIN; ns: com. 900 SOA a. b. 1 2 3 4 600" },
	{ "1.2.3.4", "www.example.com.", "A", "AA; www.example.com. 300 A 10.20.30.40; ns: example.com. NS ns1.example.com.; ar: ns1.example.com. A 6.6.6.6" },
	{ "1.2.3.4", "www.example.com.", "*", "AA; ns: example.com. 900 SOA a. b. 1 2 3 4 60" },
	{ "1.2.3.4", "alias.example.com.", "A", "AA; alias.example.com. CNAME www.example.com.; www.example.com. 300 A 10.20.30.40" },
	{ "1.2.3.4", "out.example.com.", "A", "AA; out.example.com. CNAME www.other.com.; www.other.com. A 6.6.6.6" },
	{ "1.2.3.4", ".example.com.", "*", "AA; NXDOMAIN; ns: example.com. 900 SOA a. b. 1 2 3 4 60" },
	{ COM, ".other.com.", "*", "ns: other.com. NS ns.other.com.; ar: ns.other.com. A 1.2.3.5" },
	{ "1.2.3.5", "www.other.com.", "A", "AA; www.other.com. A 10.0.0.5" },
	{ 0 },
};

static void a_name_is_resolved_from_the_root_and_then_from_the_cache(void **state)
{
	BEGIN(CONF, plain);

	t = world_ask(w, "www.example.com.", "A");
	assert_int_equal(t->rcode, RCODE_NOERROR);
	assert_string_equal(t->text, "an:\nwww.example.com. 300 IN A 10.20.30.40\nns:\nar:\n");
	assert_true(t->cacheable);
	assert_int_equal(world_packets(w), 4); /* priming, root, com, example.com */
	world_forget(w);
	world_run(w, 100000);
	t = world_ask(w, "WWW.example.com.", "A");
	assert_has(t->text, "200 IN A 10.20.30.40");
	assert_int_equal(world_packets(w), 0);
	world_run(w, 210000);
	(void)world_ask(w, "www.example.com.", "A");
	assert_string_equal(world_log(w), "1.2.3.4 www.example.com. A\n");
	END;
}

static void glue_never_answers_a_client(void **state)
{
	BEGIN(CONF, plain);

	(void)world_ask(w, "www.example.com.", "A");
	t = world_ask(w, "ns1.example.com.", "A");
	assert_int_equal(t->rcode, RCODE_NXDOMAIN);
	END;
}

static void spare_ns_records_move_nothing(void **state)
{
	BEGIN(CONF, plain);

	(void)world_ask(w, "www.example.com.", "A");
	(void)world_ask(w, "www.example.com.", "AAAA");
	assert_has_not(world_log(w), "6.6.6.6");
	END;
}

static void denials_are_kept_as_long_as_the_soa_says(void **state)
{
	BEGIN(CONF, plain);

	t = world_ask(w, "www.example.com.", "AAAA");
	assert_int_equal(t->rcode, RCODE_NOERROR);
	assert_has(t->text, "an:\nns:\nexample.com. 60 IN SOA");
	t = world_ask(w, "nx.example.com.", "A");
	assert_int_equal(t->rcode, RCODE_NXDOMAIN);
	world_forget(w);
	(void)world_ask(w, "www.example.com.", "AAAA");
	(void)world_ask(w, "nx.example.com.", "MX");
	t = world_ask(w, "below.nx.example.com.", "A"); /* RFC 8020 */
	assert_int_equal(t->rcode, RCODE_NXDOMAIN);
	assert_int_equal(world_packets(w), 0);
	world_run(w, 61000);
	(void)world_ask(w, "www.example.com.", "AAAA");
	assert_int_equal(world_packets(w), 1);
	END;
}

static void aliases_are_followed_but_not_believed_across_zones(void **state)
{
	BEGIN(CONF, plain);

	t = world_ask(w, "alias.example.com.", "A");
	assert_has(t->text, "alias.example.com. 3600 IN CNAME www.example.com.\nwww.example.com. 300 IN A 10.20.30.40\n");
	t = world_ask(w, "out.example.com.", "A");
	assert_has(t->text, "out.example.com. 3600 IN CNAME www.other.com.\nwww.other.com. 3600 IN A 10.0.0.5\n");
	END;
}

static void equal_questions_share_one_resolution_of_all_workers(void **state)
{
	size_t first[200];
	BEGIN(CONF, plain);

	(void)world_ask(w, "nothing.nowhere.com.", "A");
	world_forget(w);
	for (size_t i = 0; i < 200; i++) {
		world_use_core(w, i % 2);
		first[i] = world_begin(w, i % 3 == 0 ? "wWw.example.com." : "www.example.com.", "A", NULL);
	}
	world_run(w, 200);
	for (size_t i = 0; i < 200; i++) {
		t = world_told(w, first[i]);
		assert_int_equal(t->times, 1);
		assert_has(t->text, "10.20.30.40");
	}
	assert_int_equal(world_packets(w), 2);
	assert_int_equal(world_count(w, COUNT_CORE_JOINED), 198);
	assert_int_equal(world_count(w, COUNT_CORE_JOINED_REMOTE), 1);
	END;
}

static void who_cancels_is_not_told_and_the_last_one_ends_it(void **state)
{
	size_t a, b;
	BEGIN(CONF, plain);

	a = world_begin(w, "www.example.com.", "A", NULL);
	b = world_begin(w, "www.example.com.", "A", NULL);
	world_cancel(w, a);
	assert_true(core_resolutions(world_core(w)) > 0);
	world_cancel(w, b);
	assert_int_equal(core_resolutions(world_core(w)), 0);
	world_run(w, 1000);
	assert_int_equal(world_told(w, a)->times, 0);
	assert_int_equal(world_packets(w), 1);
	END;
}

/* --- servers that do not serve */

#define SIX(reply) \
	{ COM, ".bad.com.", "*", "ns: bad.com. NS ns1.bad.com.; bad.com. NS ns2.bad.com.; bad.com. NS ns3.bad.com.; bad.com. NS ns4.bad.com.; " \
	  "bad.com. NS ns5.bad.com.; bad.com. NS ns6.bad.com.; ar: ns1.bad.com. A 1.1.1.1; ns2.bad.com. A 1.1.1.2; ns3.bad.com. A 1.1.1.3; " \
	  "ns4.bad.com. A 1.1.1.4; ns5.bad.com. A 1.1.1.5; ns6.bad.com. A 1.1.1.6" }, \
	{ "*", ".bad.com.", "*", reply }

static void lame_case(const char *conf, const struct line *lines, const char *word)
{
	struct world *w = world_new(conf, lines);
	const struct told *t;
	char name[40];

	t = world_ask(w, "www.bad.com.", "A");
	assert_int_equal(t->rcode, RCODE_SERVFAIL);
	assert_true(world_packets(w) <= 18);
	assert_has(t->why, "zone bad.com.: ");
	assert_has(t->why, word);
	assert_int_equal(t->ede[0], EDE_NO_REACHABLE);
	world_forget(w);
	for (size_t i = 0; i < 20; i++) {
		t = world_ask(w, "www.bad.com.", "A");
		assert_int_equal(t->rcode, RCODE_SERVFAIL);
	}
	assert_int_equal(t->ede[t->ede_count - 1], EDE_CACHED_ERROR);
	assert_int_equal(world_packets(w), 0);
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof name, "www%d.bad.com.", i);
		t = world_ask(w, name, "A");
		assert_int_equal(t->rcode, RCODE_SERVFAIL);
	}
	assert_true(world_packets(w) <= 60); /* three each at most */
	world_free(w);
}

static void broken_zones_cost_few_packets(void **state)
{
	static const struct line refused[] = { ROOT_LINES, SIX("REFUSED"), { 0 } };
	static const struct line servfail[] = { ROOT_LINES, SIX("SERVFAIL"), { 0 } };
	static const struct line formerr[] = { ROOT_LINES, SIX("FORMERR"), { 0 } };
	static const struct line notimp[] = { ROOT_LINES, SIX("NOTIMP"), { 0 } };
	static const struct line upward[] = { ROOT_LINES, SIX("ns: . NS a.root-servers.net."), { 0 } };
	static const struct line itself[] = { ROOT_LINES, SIX("ns: bad.com. NS ns1.bad.com."), { 0 } };
	static const struct line silent[] = { ROOT_LINES, SIX("DROP"), { 0 } };
	static const struct line garbage[] = { ROOT_LINES, SIX("GARBAGE"), { 0 } };
	static const char qmin[] = "server:\n\tqname-minimisation: yes\n";

	(void)state;
	lame_case(CONF, refused, "REFUSED");
	lame_case(CONF, servfail, "SERVFAIL");
	lame_case(CONF, formerr, "FORMERR");
	lame_case(CONF, notimp, "NOTIMP");
	lame_case(CONF, upward, "lame");
	lame_case(CONF, itself, "lame");
	lame_case(CONF, silent, "timed out");
	lame_case(CONF, garbage, "malformed");
	lame_case(qmin, refused, "REFUSED");
	lame_case(qmin, silent, "timed out");
}

static void an_empty_reply_counts_only_when_nobody_knows_better(void **state)
{
	static const struct line lines[] = {
		ROOT_LINES,
		{ COM, ".a.com.", "*", "ns: a.com. NS ns1.a.com.; a.com. NS ns2.a.com.; ar: ns1.a.com. A 1.1.1.1; ns2.a.com. A 1.1.1.2" },
		{ "1.1.1.1", "*", "*", "AA" },
		{ "1.1.1.2", "www.a.com.", "A", "AA; www.a.com. A 10.0.0.1" },
		{ "1.1.1.2", "*", "*", "AA" },
		{ 0 },
	};
	BEGIN(CONF, lines);

	t = world_ask(w, "www.a.com.", "A");
	assert_has(t->text, "10.0.0.1");
	t = world_ask(w, "x.a.com.", "A");
	assert_int_equal(t->rcode, RCODE_NOERROR);
	assert_string_equal(t->text, "an:\nns:\nar:\n");
	assert_false(t->cacheable);
	END;
}

static void a_recursive_server_is_the_last_resort(void **state)
{
	static const struct line lines[] = {
		ROOT_LINES,
		{ COM, ".a.com.", "*", "ns: a.com. NS ns1.a.com.; a.com. NS ns2.a.com.; ar: ns1.a.com. A 1.1.1.1; ns2.a.com. A 1.1.1.2" },
		{ "1.1.1.1", "*", "*", "RA; Q A 10.0.0.66" },
		{ "1.1.1.2", "www.a.com.", "A", "AA; www.a.com. A 10.0.0.1" },
		{ 0 },
	};
	BEGIN(CONF, lines);

	for (int i = 0; i < 8; i++) {
		t = world_ask(w, "www.a.com.", "A");
		assert_has(t->text, "10.0.0.1\n");
		world_run(w, 4000000);
	}
	t = world_ask(w, "x.a.com.", "A");
	assert_has(t->text, "10.0.0.66");
	END;
}

/* --- name servers that live elsewhere */

static void names_of_servers_are_looked_up(void **state)
{
	static const struct line lines[] = {
		ROOT_LINES,
		{ COM, ".glueless.com.", "*", "ns: glueless.com. NS ns.other.com." },
		{ COM, ".other.com.", "*", "ns: other.com. NS ns.other.com.; ar: ns.other.com. A 1.2.3.5" },
		{ "1.2.3.5", "ns.other.com.", "A", "AA; ns.other.com. A 1.2.3.5" },
		{ "1.2.3.5", "www.glueless.com.", "A", "AA; www.glueless.com. A 10.0.0.9" },
		{ 0 },
	};
	BEGIN(CONF, lines);

	t = world_ask(w, "www.glueless.com.", "A");
	assert_has(t->text, "10.0.0.9");
	assert_int_equal(world_count(w, COUNT_CORE_SUBQUESTIONS), 1);
	assert_has_not(world_log(w), "1.2.3.5 ns.other.com. A"); /* the glue says where it is */
	/* But who asks for that address gets it from its zone, not the glue. */
	world_forget(w);
	t = world_ask(w, "ns.other.com.", "A");
	assert_has(t->text, "1.2.3.5");
	assert_string_equal(world_log(w), "1.2.3.5 ns.other.com. A\n");
	END;
}

/* What another question is having looked up already costs nothing: it comes first. */
static void an_address_that_is_looked_for_already_comes_first(void **state)
{
#define NS_OF(k, x) "; m" k ".com. NS ns." x k ".net."
#define MANY(k) { COM, ".m" k ".com.", "*", "ns: m" k ".com. NS ns.y.net." NS_OF(k, "a") NS_OF(k, "b") NS_OF(k, "c") NS_OF(k, "d") NS_OF(k, "e") }
	static const struct line lines[] = {
		ROOT_LINES,
		{ COM, ".one.com.", "*", "ns: one.com. NS ns.y.net." },
		MANY("0"), MANY("1"), MANY("2"), MANY("3"), MANY("4"), MANY("5"),
		{ COM, ".y.net.", "*", "ns: y.net. NS ns.z.y.net.; ar: ns.z.y.net. A 1.2.3.99" }, /* silent; of the others there is no word at all */
		{ 0 },
	};
	BEGIN(CONF, lines);

	(void)world_begin(w, "www.one.com.", "A", NULL);
	world_run(w, 300);
	assert_has(world_log(w), "ns.y.net. A");
	for (char k = '0'; k <= '5'; k++) {
		char name[] = "www.m0.com.", line[] = " ns.a0.net. A";
		size_t others = 0;

		name[5] = line[5] = k;
		world_forget(w);
		(void)world_begin(w, name, "A", NULL);
		world_run(w, 15);
		for (line[4] = 'a'; line[4] <= 'e'; line[4]++)
			others += strstr(world_log(w), line) != NULL;
		assert_int_equal(others, 1); /* and one more at the same time */
	}
	world_free(w);
	(void)before;
}

/* Addresses are looked up ahead of need until two of a zone's servers are known, whatever more the policy allows. */
static void no_more_is_looked_up_ahead_than_two_servers(void **state)
{
	static const struct line lines[] = {
		ROOT_LINES,
		{ COM, ".two.com.", "*", "ns: two.com. NS ns1.two.com.; two.com. NS ns2.two.com.; two.com. NS ns.a.net.; two.com. NS ns.b.net.; ar: ns1.two.com. A 1.2.3.4; ns2.two.com. A 1.2.3.4" },
		{ COM, ".one.com.", "*", "ns: one.com. NS ns1.one.com.; one.com. NS ns.a.net.; one.com. NS ns.b.net.; ar: ns1.one.com. A 1.2.3.4" },
		{ "1.2.3.4", "*", "A", "AA; Q A 10.0.0.9" },
		{ COM, "*", "*", "AA; Q A 1.2.3.4" },
		{ 0 },
	};
	BEGIN("server:\n\tqname-minimisation: no\n\ttarget-fetch-policy: \"3 2 1 0 0\"\n", lines);

	t = world_ask(w, "www.two.com.", "A");
	assert_has(t->text, "10.0.0.9");
	world_run(w, 1000);
	assert_has_not(world_log(w), "ns.a.net.");
	assert_has_not(world_log(w), "ns.b.net.");
	world_forget(w);
	t = world_ask(w, "www.one.com.", "A");
	assert_has(t->text, "10.0.0.9");
	world_run(w, 1000);
	assert_true((strstr(world_log(w), "ns.a.net. A") == NULL) != (strstr(world_log(w), "ns.b.net. A") == NULL));
	END;
}

static void glue_that_leads_nowhere_is_not_the_last_word(void **state)
{
	static const struct line lines[] = {
		ROOT_LINES,
		{ COM, ".glueless.com.", "*", "ns: glueless.com. NS ns.other.com." },
		{ COM, ".other.com.", "*", "ns: other.com. NS ns.other.com.; other.com. NS ns2.other.com.; ar: ns.other.com. A 1.2.3.9; ns2.other.com. A 1.2.3.6" },
		{ "1.2.3.6", "ns.other.com.", "A", "AA; ns.other.com. A 1.2.3.5" }, /* it has moved, and its parent has not been told */
		{ "1.2.3.5", "www.glueless.com.", "A", "AA; www.glueless.com. A 10.0.0.9" },
		{ 0 },
	};
	BEGIN(CONF, lines);

	t = world_ask(w, "www.glueless.com.", "A");
	assert_has(t->text, "10.0.0.9");
	assert_has(world_log(w), "1.2.3.9 www.glueless.com. A");
	assert_has(world_log(w), "1.2.3.6 ns.other.com. A");
	END;
}

static void circles_of_delegations_fail_fast_and_stay_failed(void **state)
{
	static const struct line lines[] = {
		ROOT_LINES,
		{ COM, ".left.com.", "*", "ns: left.com. NS ns.right.com." },
		{ COM, ".right.com.", "*", "ns: right.com. NS ns.left.com." },
		{ 0 },
	};
	char name[40];
	BEGIN(CONF, lines);

	t = world_ask(w, "www.left.com.", "A");
	assert_int_equal(t->rcode, RCODE_SERVFAIL);
	assert_has(t->why, "zone left.com.: ns.right.com. could not be looked up");
	assert_true(world_packets(w) <= 5);
	world_forget(w);
	for (int i = 0; i < 10; i++) {
		snprintf(name, sizeof name, "w%d.left.com.", i);
		t = world_ask(w, name, "A");
		assert_int_equal(t->rcode, RCODE_SERVFAIL);
	}
	assert_true(world_packets(w) <= 1);
	assert_true(world_count(w, COUNT_CORE_TARGET_LOOPS) > 0);
	END;
}

static void many_glueless_names_cost_few_packets(void **state)
{
	char referral[4000] = "ns:";
	struct line lines[8] = { ROOT_LINES };

	for (int i = 0; i < 50; i++)
		snprintf(referral + strlen(referral), sizeof referral - strlen(referral), "; nxns.com. NS n%d.victim.com.", i);
	lines[3] = (struct line){ COM, ".nxns.com.", "*", referral };
	lines[4] = (struct line){ COM, ".victim.com.", "*", "ns: victim.com. NS ns.victim.com.; ar: ns.victim.com. A 1.2.3.9" };
	lines[5] = (struct line){ "1.2.3.9", "*", "*", "AA; NXDOMAIN; ns: victim.com. SOA a. b. 1 2 3 4 60" };
	{
		BEGIN(CONF, lines);
		char name[40];

		(void)world_ask(w, "x.victim.com.", "A");
		world_forget(w);
		for (int i = 0; i < 5; i++) {
			snprintf(name, sizeof name, "w%d.nxns.com.", i);
			world_forget(w);
			t = world_ask(w, name, "A");
			assert_int_equal(t->rcode, RCODE_SERVFAIL);
			assert_true(world_packets(w) <= 7);
		}
		END;
	}
}

static void wheels_of_delegations_cost_few_packets(void **state)
{
	char referral[4][1000];
	struct line lines[12] = { ROOT_LINES };
	static const char *const zones[] = { ".z0.com.", ".z1.com.", ".z2.com.", ".z3.com." };

	for (int z = 0; z < 4; z++) {
		strcpy(referral[z], "ns:");
		for (int i = 0; i < 8; i++)
			snprintf(referral[z] + strlen(referral[z]), 60, "; z%d.com. NS n%d.z%d.com.", z, i, (z + 1 + i % 3) % 4);
		lines[3 + z] = (struct line){ COM, zones[z], "*", referral[z] };
	}
	{
		BEGIN(CONF, lines);
		char name[40];

		t = world_ask(w, "www.z0.com.", "A");
		assert_int_equal(t->rcode, RCODE_SERVFAIL);
		assert_true(world_packets(w) <= 12);
		world_forget(w);
		for (int i = 0; i < 20; i++) {
			snprintf(name, sizeof name, "w%d.z0.com.", i);
			t = world_ask(w, name, "A");
			assert_int_equal(t->rcode, RCODE_SERVFAIL);
		}
		assert_true(world_packets(w) <= 20);
		END;
	}
}

/* Names of name servers in a zone that never says a word (NRDelegation): few are looked up, and not for long. */
static void names_that_lead_to_silence_are_given_up_in_time(void **state)
{
	char referral[7900] = "ns:";
	struct line lines[8] = { ROOT_LINES };
	uint32_t waited = 0;

	for (int i = 0; i < 60; i++)
		snprintf(referral + strlen(referral), sizeof referral - strlen(referral), "; nr.com. NS n%d.silent.com.", i);
	lines[3] = (struct line){ COM, ".nr.com.", "*", referral };
	lines[4] = (struct line){ COM, ".silent.com.", "*", "ns: silent.com. NS ns.silent.com.; ar: ns.silent.com. A 1.2.3.9" };
	{
		size_t n;
		BEGIN(CONF, lines);

		(void)world_ask(w, "x.com.", "A");
		world_forget(w);
		n = world_begin(w, "www.nr.com.", "A", NULL);
		for (; waited < 20000 && world_told(w, n)->times == 0; waited += 100)
			world_run(w, 100);
		t = world_told(w, n);
		assert_int_equal(t->rcode, RCODE_SERVFAIL);
		assert_true(waited <= 5000);
		END;
	}
}

/* Chains of aliases, each through a zone whose servers have to be looked up, each of those with aliases: one budget for all of it. */
static void what_is_multiplied_is_paid_from_one_budget(void **state)
{
	static const struct line lines[] = {
		ROOT_LINES,
		{ COM, ".a.com.", "*", "ns: a.com. NS n1.b.com.; a.com. NS n2.b.com.; a.com. NS n3.c.com.; a.com. NS n4.c.com." },
		{ COM, ".b.com.", "*", "ns: b.com. NS n1.d.com.; b.com. NS n2.d.com.; b.com. NS n3.e.com.; b.com. NS n4.e.com." },
		{ COM, ".c.com.", "*", "ns: c.com. NS n1.d.com.; c.com. NS n2.e.com.; c.com. NS n3.f.com.; c.com. NS n4.f.com." },
		{ COM, ".d.com.", "*", "ns: d.com. NS n.d.com.; ar: n.d.com. A 9.9.9.1" },
		{ COM, ".e.com.", "*", "ns: e.com. NS n.e.com.; ar: n.e.com. A 9.9.9.2" },
		{ COM, ".f.com.", "*", "ns: f.com. NS n.f.com.; ar: n.f.com. A 9.9.9.3" },
		{ "9.9.9.1", "*", "*", "AA; Q CNAME x.c.com." },
		{ "9.9.9.2", "*", "*", "AA; Q CNAME y.b.com." },
		{ "9.9.9.3", "*", "*", "SERVFAIL" },
		{ 0 },
	};
	BEGIN(QMIN, lines);

	t = world_ask(w, "1.2.3.4.5.6.7.8.a.com.", "A");
	assert_int_equal(t->rcode, RCODE_SERVFAIL);
	assert_true(world_packets(w) <= 60);
	END;
}

/* An outage, however long, is over for everybody within seconds of its end. */
static void after_an_outage_names_come_back_soon(void **state)
{
	static const struct line dead[] = { ROOT_LINES, { COM, "*", "*", "DROP" }, { "1.2.3.4", "*", "*", "DROP" }, { 0 } };
	uint32_t waited = 0;
	BEGIN(CONF, plain);

	(void)world_ask(w, "www.example.com.", "A");
	world_run(w, 400000);
	world_set_lines(w, dead);
	for (int i = 0; i < 200; i++) {
		t = world_ask(w, "www.example.com.", "A");
		assert_int_equal(t->rcode, RCODE_SERVFAIL);
		world_run(w, 2000);
	}
	world_set_lines(w, plain);
	do {
		world_run(w, 1000);
		waited += 1000;
		t = world_ask(w, "www.example.com.", "A");
	} while (t->rcode != RCODE_NOERROR && waited < 100000);
	assert_true(waited <= 31000);
	END;
}

static void glue_that_points_at_us_is_not_asked(void **state)
{
	static const struct line lines[] = {
		ROOT_LINES,
		{ COM, "x.com.", "*", "AA; x.com. A 1.2.3.4" },
		{ COM, ".self.com.", "*", "ns: self.com. NS a.self.com.; self.com. NS b.self.com.; self.com. NS c.self.com.; "
		  "ar: a.self.com. A 127.0.0.1; b.self.com. A 0.0.0.0; c.self.com. AAAA ::; a.self.com. AAAA ::1; b.self.com. AAAA ::ffff:1.2.3.4" },
		{ 0 },
	};
	BEGIN(CONF, lines);

	(void)world_ask(w, "x.com.", "A");
	world_forget(w);
	for (int i = 0; i < 10; i++) {
		t = world_ask(w, i % 2 ? "w1.self.com." : "w2.self.com.", "A");
		assert_int_equal(t->rcode, RCODE_SERVFAIL);
		assert_has(t->why, "has no address that may be asked");
	}
	assert_int_equal(world_packets(w), 1);
	END;
}

static void a_budget_ends_what_would_not_end(void **state)
{
	/* Every name below com. is delegated one label deeper, each to a server without glue in another such zone. */
	static const struct line lines[] = {
		ROOT_LINES,
		{ COM, ".a.com.", "*", "AA; Q CNAME b.b.b.com." },
		{ COM, "*", "*", "AA; Q CNAME x.a.com." },
		{ 0 },
	};
	BEGIN(CONF, lines);

	t = world_ask(w, "www.a.com.", "A");
	assert_int_equal(t->rcode, RCODE_SERVFAIL);
	assert_true(world_packets(w) <= 12);
	END;
}

static void chains_of_eleven_are_answered_and_longer_ones_end(void **state)
{
	struct line lines[80] = { ROOT_LINES };
	char names[64][24], replies[64][80];

	for (int i = 0; i < 64; i++) {
		snprintf(names[i], sizeof names[i], "c%d.com.", i);
		snprintf(replies[i], sizeof replies[i], i == 63 ? "AA; Q A 10.0.0.1" : "AA; Q CNAME c%d.com.", i + 1);
		lines[3 + i] = (struct line){ COM, names[i], "A", replies[i] };
	}
	{
		BEGIN(CONF, lines);

		t = world_ask(w, "c53.com.", "A"); /* ten aliases */
		assert_has(t->text, "10.0.0.1");
		t = world_ask(w, "c52.com.", "A"); /* eleven */
		assert_has(t->text, "10.0.0.1");
		world_forget(w);
		t = world_ask(w, "c0.com.", "A");
		assert_int_equal(t->rcode, RCODE_SERVFAIL);
		assert_true(world_packets(w) <= 12);
		END;
	}
}

/* --- ghosts */

static void a_zone_cannot_prolong_its_own_delegation(void **state)
{
	static const struct line alive[] = {
		ROOT_LINES,
		{ COM, ".ghost.com.", "*", "ns: ghost.com. 60 NS ns.ghost.com.; ar: ns.ghost.com. 60 A 6.6.6.1" },
		{ "6.6.6.1", "ghost.com.", "NS", "AA; ghost.com. 86400 NS ns.ghost.com.; ar: ns.ghost.com. 86400 A 6.6.6.1" },
		{ "6.6.6.1", "ns.ghost.com.", "A", "AA; ns.ghost.com. 86400 A 6.6.6.1" },
		{ "6.6.6.1", ".deep.ghost.com.", "*", "ns: deep.ghost.com. 86400 NS ns.deep.ghost.com.; ar: ns.deep.ghost.com. 86400 A 6.6.6.1" },
		{ "6.6.6.1", "*", "A", "AA; Q 5 A 6.6.6.6" },
		{ 0 },
	};
	static const struct line revoked[] = {
		ROOT_LINES,
		{ COM, "*", "*", "AA; NXDOMAIN; ns: com. 900 SOA a. b. 1 2 3 4 600" },
		{ "6.6.6.1", ".deep.ghost.com.", "A", "AA; Q 5 A 6.6.6.6" },
		{ "6.6.6.1", "*", "A", "AA; Q 5 A 6.6.6.6" },
		{ 0 },
	};
	BEGIN(CONF, alive);

	(void)world_ask(w, "www.ghost.com.", "A");
	(void)world_ask(w, "www.deep.ghost.com.", "A");
	world_run(w, 50000);
	world_set_lines(w, revoked);
	t = world_ask(w, "ghost.com.", "NS");
	t = world_ask(w, "ns.ghost.com.", "A");
	world_run(w, 16000);
	t = world_ask(w, "w2.ghost.com.", "A");
	assert_int_equal(t->rcode, RCODE_NXDOMAIN);
	t = world_ask(w, "w2.deep.ghost.com.", "A");
	assert_int_equal(t->rcode, RCODE_NXDOMAIN);
	END;
}

static void addresses_of_a_zones_servers_are_kept_no_longer_than_its_delegation(void **state)
{
	static const struct line lines[] = {
		ROOT_LINES,
		{ COM, ".ghost.com.", "*", "ns: ghost.com. 60 NS ns.ghost.com.; ar: ns.ghost.com. 60 A 6.6.6.1" },
		{ "6.6.6.1", "ns.ghost.com.", "A", "AA; ns.ghost.com. 86400 A 6.6.6.1" },
		{ 0 },
	};
	BEGIN(CONF, lines);

	t = world_ask(w, "ns.ghost.com.", "A");
	assert_has(t->text, "86400 IN A");
	assert_false(t->cacheable);
	t = world_ask(w, "ns.ghost.com.", "A");
	assert_has_not(t->text, "86400 IN A");
	assert_true(t->ttl <= 60);
	END;
}

/* --- QNAME minimisation */


static void servers_see_no_more_of_a_name_than_they_need(void **state)
{
	BEGIN(QMIN, plain);

	t = world_ask(w, "alias.example.com.", "A");
	assert_has(t->text, "10.20.30.40");
	assert_has(world_log(w), ROOT " com. A\n" COM " example.com. A\n1.2.3.4 alias.example.com. A\n");
	END;
}

static void minimisation_is_given_up_where_servers_do_not_bear_it(void **state)
{
	static const struct line lines[] = {
		ROOT_LINES,
		{ COM, ".a.com.", "*", "ns: a.com. NS ns1.a.com.; ar: ns1.a.com. A 1.1.1.1" },
		{ "1.1.1.1", "w.ent.a.com.", "A", "AA; w.ent.a.com. A 10.0.0.1" },
		{ "1.1.1.1", "ent.a.com.", "*", "AA; NXDOMAIN; ns: a.com. SOA a. b. 1 2 3 4 60" },
		{ "1.1.1.1", "w.no.a.com.", "A", "AA; w.no.a.com. A 10.0.0.2" },
		{ "1.1.1.1", "no.a.com.", "*", "REFUSED" },
		{ "1.1.1.1", "w.mute.a.com.", "A", "AA; w.mute.a.com. A 10.0.0.3" },
		{ 0 },
	};
	BEGIN(QMIN, lines);

	t = world_ask(w, "w.ent.a.com.", "A");
	assert_has(t->text, "10.0.0.1");
	t = world_ask(w, "w.no.a.com.", "A");
	assert_has(t->text, "10.0.0.2");
	t = world_ask(w, "w.mute.a.com.", "A");
	assert_has(t->text, "10.0.0.3");
	assert_int_equal(world_count(w, COUNT_CORE_QMIN_RELAXED), 2);
	END;
}

static size_t count_of(const char *log, const char *line)
{
	size_t n = 0;

	for (const char *at = strstr(log, line); at != NULL; at = strstr(at + 1, line))
		n++;
	return n;
}

static void a_step_is_asked_once_for_all_that_need_it(void **state)
{
	static const struct line lines[] = {
		ROOT_LINES,
		{ COM, ".a.com.", "*", "ns: a.com. NS ns1.a.com.; ar: ns1.a.com. A 1.1.1.1" },
		{ "1.1.1.1", "*", "A", "AA; Q A 10.0.0.1" },
		{ 0 },
	};
	size_t q[3];
	BEGIN(QMIN, lines);

	q[0] = world_begin(w, "x.a.com.", "A", NULL);
	q[1] = world_begin(w, "y.a.com.", "A", NULL);
	q[2] = world_begin(w, "z.a.com.", "A", NULL);
	world_cancel(w, q[2]); /* who waits may leave */
	world_run(w, 2000);
	t = world_told(w, q[0]);
	assert_has(t->text, "10.0.0.1");
	assert_has(world_told(w, q[1])->text, "10.0.0.1");
	assert_true(world_count(w, COUNT_CORE_STEPS_SHARED) >= 1);
	assert_int_equal(count_of(world_log(w), " com. A"), 1);
	assert_int_equal(count_of(world_log(w), " a.com. A"), 1);
	END;
}

/* Whoever asks the step gives up: the others do not hang on it. Nor does he who waits for it when he leaves. */
static void a_step_that_is_given_up_is_asked_by_another(void **state)
{
	static const struct line lines[] = {
		ROOT_LINES,
		{ COM, ".a.com.", "*", "ns: a.com. NS ns1.a.com.; ar: ns1.a.com. A 1.1.1.1" },
		{ "1.1.1.1", "*", "A", "AA; Q A 10.0.0.1" },
		{ 0 },
	};

	for (unsigned int leaves = 0; leaves < 2; leaves++) {
		size_t q[2];
		BEGIN(QMIN, lines);

		q[0] = world_begin(w, "x.a.com.", "A", NULL);
		q[1] = world_begin(w, "y.a.com.", "A", NULL);
		for (int i = 0; i < 100 && world_count(w, COUNT_CORE_STEPS_SHARED) == 0; i++)
			world_run(w, 1);
		assert_int_equal(world_count(w, COUNT_CORE_STEPS_SHARED), 1); /* one hangs on the other */
		world_cancel(w, q[leaves]);
		world_run(w, 200);
		t = world_told(w, q[1 - leaves]);
		assert_has(t->text, "10.0.0.1");
		END;
	}
}

static void many_labels_take_at_most_ten_steps(void **state)
{
	static const struct line lines[] = {
		ROOT_LINES,
		{ COM, ".a.com.", "*", "ns: a.com. NS ns1.a.com.; ar: ns1.a.com. A 1.1.1.1" },
		{ "1.1.1.1", "1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6.7.8.9.0.a.com.", "A", "AA; Q A 10.0.0.1" },
		{ "1.1.1.1", "*", "*", "AA; ns: a.com. SOA a. b. 1 2 3 4 60" },
		{ 0 },
	};
	BEGIN(QMIN, lines);

	t = world_ask(w, "1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6.7.8.9.0.a.com.", "A");
	assert_has(t->text, "10.0.0.1");
	assert_true(world_packets(w) <= 12); /* priming, ten steps, the question */
	END;
}

/* --- configured zones */

static void forwarders_are_asked_for_everything_and_held_to_their_zone(void **state)
{
	static const struct line lines[] = {
		ROOT_LINES,
		{ "9.9.9.9", "www.corp.com.", "A", "RA; www.corp.com. CNAME www.bank.com.; www.bank.com. A 6.6.6.6" },
		{ "9.9.9.9", "*", "*", "RA; SERVFAIL" },
		{ COM, "www.bank.com.", "A", "AA; www.bank.com. A 10.0.0.1" },
		{ 0 },
	};
	BEGIN(CONF "forward-zone:\n\tname: corp.com\n\tforward-addr: 9.9.9.9\n", lines);

	t = world_ask(w, "www.corp.com.", "A");
	assert_has(t->text, "www.bank.com. 3600 IN A 10.0.0.1");
	assert_has_not(t->text, "6.6.6.6");
	END;
}

static void forward_first_falls_back_to_the_servers_of_the_zone(void **state)
{
	static const struct line lines[] = {
		ROOT_LINES,
		{ "9.9.9.9", "*", "*", "RA; SERVFAIL" },
		{ COM, "www.corp.com.", "A", "AA; www.corp.com. A 10.0.0.1" },
		{ 0 },
	};
	BEGIN(CONF "forward-zone:\n\tname: corp.com\n\tforward-addr: 9.9.9.9\n\tforward-first: yes\n", lines);

	t = world_ask(w, "www.corp.com.", "A");
	assert_has(t->text, "10.0.0.1");
	END;
}

static void a_stub_stands_for_a_delegation(void **state)
{
	static const struct line lines[] = {
		{ "9.9.9.9", "www.corp.test.", "A", "AA; www.corp.test. A 10.0.0.1" },
		{ 0 },
	};
	BEGIN(CONF "stub-zone:\n\tname: corp.test\n\tstub-addr: 9.9.9.9\n\tstub-no-cache: yes\n", lines);

	t = world_ask(w, "www.corp.test.", "A");
	assert_has(t->text, "10.0.0.1");
	assert_false(t->cacheable);
	(void)world_ask(w, "www.corp.test.", "A");
	assert_int_equal(world_packets(w), 2);
	END;
}

static void a_stub_that_wants_priming_is_asked_for_its_servers(void **state)
{
	static const struct line lines[] = {
		{ "9.9.9.9", "corp.test.", "NS", "AA; corp.test. NS ns.corp.test.; ar: ns.corp.test. A 9.9.9.10" },
		{ "9.9.9.10", "www.corp.test.", "A", "AA; www.corp.test. A 10.0.0.1" },
		{ 0 },
	};
	BEGIN(CONF "stub-zone:\n\tname: corp.test\n\tstub-addr: 9.9.9.9\n\tstub-prime: yes\n", lines);

	t = world_ask(w, "www.corp.test.", "A");
	assert_has(t->text, "10.0.0.1");
	assert_string_equal(world_log(w), "9.9.9.9 corp.test. NS\n9.9.9.10 www.corp.test. A\n");
	END;
}

/* --- the rest */

static void ds_is_asked_above_the_cut(void **state)
{
	static const struct line lines[] = {
		ROOT_LINES,
		{ COM, "a.com.", "DS", "AA; ns: com. 900 SOA a. b. 1 2 3 4 60" },
		{ COM, ".a.com.", "*", "ns: a.com. NS ns1.a.com.; ar: ns1.a.com. A 1.1.1.1" },
		{ "1.1.1.1", "*", "A", "AA; Q A 10.0.0.1" },
		{ 0 },
	};
	BEGIN(CONF, lines);

	(void)world_ask(w, "www.a.com.", "A");
	t = world_ask(w, "a.com.", "DS");
	assert_has(t->text, "com. 60 IN SOA");
	assert_has_not(world_log(w), "1.1.1.1 a.com. DS");
	END;
}

/* Servers of com. and of a.b.com., but not of b.com. between them, speak of a.b.com.'s DS for a.b.com. itself: the zone above it is looked for. */
static void ds_of_a_zone_astride_is_asked_of_the_zone_between(void **state)
{
	static const struct line lines[] = {
		ROOT_LINES,
		{ COM, "a.b.com.", "*", "AA; ns: a.b.com. 900 SOA a. b. 1 2 3 4 60" },
		{ COM, ".b.com.", "*", "ns: b.com. NS ns1.b.com.; ar: ns1.b.com. A 1.1.1.1" },
		{ "1.1.1.1", "a.b.com.", "DS", "AA; Q DS 1 13 2 0000000000000000000000000000000000000000000000000000000000000001" },
		{ 0 },
	};
	BEGIN(CONF, lines);

	t = world_ask(w, "a.b.com.", "DS");
	assert_has(t->text, "a.b.com. 3600 IN DS");
	assert_has(world_log(w), COM " a.b.com. DS\n" COM " b.com. A\n1.1.1.1 a.b.com. DS\n");
	END;
}

/* Nobody knows of a zone between: then it is what the only servers say. */
static void ds_of_a_zone_that_nobody_else_knows_of_is_what_it_says(void **state)
{
	static const struct line lines[] = {
		ROOT_LINES,
		{ COM, "a.b.com.", "*", "AA; ns: a.b.com. 900 SOA a. b. 1 2 3 4 60" },
		{ COM, ".b.com.", "*", "AA; ns: com. 900 SOA a. b. 1 2 3 4 60" },
		{ 0 },
	};
	BEGIN(CONF, lines);

	t = world_ask(w, "a.b.com.", "DS");
	assert_int_equal(t->rcode, RCODE_NOERROR);
	assert_has(t->text, "a.b.com. 60 IN SOA");
	assert_string_equal(strstr(world_log(w), COM), COM " a.b.com. DS\n" COM " b.com. A\n" COM " a.b.com. DS\n");
	END;
}

static void private_addresses_are_taken_out_of_public_names(void **state)
{
	static const struct line lines[] = {
		ROOT_LINES,
		{ COM, "one.com.", "A", "AA; one.com. A 10.0.0.1; one.com. A 1.2.3.4" },
		{ COM, "all.com.", "A", "AA; all.com. A 10.0.0.1" },
		{ COM, "six.com.", "AAAA", "AA; six.com. AAAA ::ffff:10.0.0.1" },
		{ COM, "good.com.", "A", "AA; good.com. A 10.0.0.1" },
		{ 0 },
	};
	BEGIN(CONF "server:\n\tprivate-address: 10.0.0.0/8\n\tprivate-domain: good.com\n", lines);

	t = world_ask(w, "one.com.", "A");
	assert_string_equal(t->text, "an:\none.com. 3600 IN A 1.2.3.4\nns:\nar:\n");
	t = world_ask(w, "all.com.", "A");
	assert_int_equal(t->rcode, RCODE_NOERROR);
	assert_string_equal(t->text, "an:\nns:\nar:\n");
	t = world_ask(w, "six.com.", "AAAA");
	assert_string_equal(t->text, "an:\nns:\nar:\n");
	t = world_ask(w, "good.com.", "A");
	assert_has(t->text, "10.0.0.1");
	END;
}

static void without_recursion_desired_only_the_cache_speaks(void **state)
{
	struct resolve_request r = { .no_upstream = true };
	BEGIN(CONF, plain);

	t = world_ask_with(w, "www.example.com.", "A", &r);
	assert_int_equal(t->rcode, RCODE_REFUSED);
	assert_int_equal(world_packets(w), 0);
	(void)world_ask(w, "www.example.com.", "A");
	world_forget(w);
	t = world_ask_with(w, "www.example.com.", "A", &r);
	assert_has(t->text, "10.20.30.40");
	t = world_ask_with(w, "other.example.com.", "A", &r);
	assert_has(t->text, "ns:\nexample.com. 86400 IN NS ns1.example.com.\nar:\nns1.example.com. 86400 IN A 1.2.3.4\n");
	assert_int_equal(world_packets(w), 0);
	END;
}

static void expired_answers_serve_when_servers_fail_or_are_slow(void **state)
{
	static const struct line dead[] = { ROOT_LINES, { "1.2.3.4", "*", "*", "DROP" }, { 0 } };
	struct resolve_request on_failure = { .stale_ok = true }, soon = { .stale_ok = true, .stale_after_ms = 100 };
	size_t n;
	BEGIN(CONF, plain);

	(void)world_ask(w, "www.example.com.", "A");
	world_set_lines(w, dead);
	world_run(w, 400000);
	n = world_begin(w, "www.example.com.", "A", &soon);
	world_run(w, 150);
	t = world_told(w, n);
	assert_int_equal(t->times, 1);
	assert_true(t->stale);
	assert_int_equal(t->ede[0], EDE_STALE);
	assert_has(t->text, "0 IN A 10.20.30.40");
	assert_true(core_resolutions(world_core(w)) > 0); /* it goes on */
	world_run(w, 20000);
	assert_int_equal(world_told(w, n)->times, 1);
	t = world_ask_with(w, "www.example.com.", "A", &on_failure);
	assert_true(t->stale);
	assert_has(t->text, "10.20.30.40");
	t = world_ask(w, "www.example.com.", "A");
	assert_int_equal(t->rcode, RCODE_SERVFAIL);
	END;
}

static void questions_that_are_not_ours_to_resolve_are_refused(void **state)
{
	BEGIN(CONF, plain);

	t = world_ask(w, "example.com.", "AXFR");
	assert_int_equal(t->rcode, RCODE_REFUSED);
	assert_int_equal(t->ede[0], EDE_INVALID_QTYPE);
	t = world_ask(w, "example.com.", "OPT");
	assert_int_equal(t->rcode, RCODE_REFUSED);
	assert_int_equal(world_packets(w), 0);
	END;
}

static void any_is_answered_with_what_is_at_hand(void **state)
{
	BEGIN(CONF, plain);

	(void)world_ask(w, "www.example.com.", "A");
	world_forget(w);
	t = world_ask(w, "www.example.com.", "ANY");
	assert_has(t->text, "10.20.30.40");
	assert_int_equal(world_packets(w), 0);
	END;
}

static void dname_moves_a_tree(void **state)
{
	static const struct line lines[] = {
		ROOT_LINES,
		{ COM, ".old.com.", "A", "AA; old.com. 600 DNAME new.com.; www.old.com. CNAME evil.com." },
		{ COM, "www.new.com.", "A", "AA; www.new.com. A 10.0.0.7" },
		{ COM, "mail.new.com.", "A", "AA; mail.new.com. A 10.0.0.8" },
		{ 0 },
	};
	BEGIN(CONF, lines);

	t = world_ask(w, "www.old.com.", "A");
	assert_has(t->text, "an:\nold.com. 600 IN DNAME new.com.\nwww.old.com. 600 IN CNAME www.new.com.\nwww.new.com. 3600 IN A 10.0.0.7\n");
	world_forget(w);
	t = world_ask(w, "mail.old.com.", "A");
	assert_has(t->text, "mail.old.com. 600 IN CNAME mail.new.com.\nmail.new.com. 3600 IN A 10.0.0.8\n");
	assert_string_equal(world_log(w), COM " mail.new.com. A\n");
	END;
}

static void overload_drops_the_oldest_and_shutdown_tells_all(void **state)
{
	static const struct line silent[] = { ROOT_LINES, { 0 } };
	size_t a, b;
	BEGIN(CONF, silent);

	a = world_begin(w, "a.com.", "A", NULL);
	world_run(w, 100);
	b = world_begin(w, "b.com.", "A", NULL);
	core_drop_oldest(world_core(w), 1);
	assert_int_equal(world_told(w, a)->rcode, RCODE_SERVFAIL);
	assert_int_equal(world_told(w, b)->times, 0);
	END;
}

static void the_operator_sees_what_is_under_way_and_who_would_be_asked(void **state)
{
	struct strbuf *out = strbuf_new(10000);
	BEGIN(CONF, plain);

	(void)world_ask(w, "www.example.com.", "A");
	(void)world_begin(w, "www.other.com.", "A", NULL);
	core_dump_requests(world_core(w), out);
	assert_has(strbuf_text(out), "www.other.com. IN A 0.000 asks 192.5.6.30@53\n");
	strbuf_clear(out);
	{
		struct name_buf nb;

		assert_true(OK(name_from_text("www.example.com.", NULL, &nb)));
		core_explain_servers(world_core(w), name_of(&nb), out);
	}
	assert_has(strbuf_text(out), "delegation of example.com. from its parent\nname server ns1.example.com.\n1.2.3.4@53 rtt 10 ms");
	strbuf_free(out);
	world_free(w);
	(void)before;
	(void)t;
}

static void memory_may_run_out_anywhere(void **state)
{
	(void)state;
	for (uint64_t n = 1; n < 1000; n++) {
		struct world *w = world_new(QMIN, plain);
		bool failed;
		size_t q;

		world_fail_at(w, n);
		q = world_begin(w, "out.example.com.", "A", NULL);
		for (int i = 0; i < 40 && world_told(w, q)->times == 0; i++)
			world_run(w, 500);
		failed = mem_failed();
		mem_fail_at(0, false);
		assert_true(world_told(w, q)->times == 1 || world_told(w, q)->times == 999);
		world_free(w);
		if (!failed)
			return;
	}
	fail_msg("never ran without a failure");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_resolved_from_the_root_and_then_from_the_cache),
		cmocka_unit_test(glue_never_answers_a_client),
		cmocka_unit_test(spare_ns_records_move_nothing),
		cmocka_unit_test(denials_are_kept_as_long_as_the_soa_says),
		cmocka_unit_test(aliases_are_followed_but_not_believed_across_zones),
		cmocka_unit_test(equal_questions_share_one_resolution_of_all_workers),
		cmocka_unit_test(who_cancels_is_not_told_and_the_last_one_ends_it),
		cmocka_unit_test(broken_zones_cost_few_packets),
		cmocka_unit_test(an_empty_reply_counts_only_when_nobody_knows_better),
		cmocka_unit_test(a_recursive_server_is_the_last_resort),
		cmocka_unit_test(names_of_servers_are_looked_up),
		cmocka_unit_test(an_address_that_is_looked_for_already_comes_first),
		cmocka_unit_test(no_more_is_looked_up_ahead_than_two_servers),
		cmocka_unit_test(glue_that_leads_nowhere_is_not_the_last_word),
		cmocka_unit_test(circles_of_delegations_fail_fast_and_stay_failed),
		cmocka_unit_test(many_glueless_names_cost_few_packets),
		cmocka_unit_test(wheels_of_delegations_cost_few_packets),
		cmocka_unit_test(names_that_lead_to_silence_are_given_up_in_time),
		cmocka_unit_test(what_is_multiplied_is_paid_from_one_budget),
		cmocka_unit_test(glue_that_points_at_us_is_not_asked),
		cmocka_unit_test(after_an_outage_names_come_back_soon),
		cmocka_unit_test(a_budget_ends_what_would_not_end),
		cmocka_unit_test(chains_of_eleven_are_answered_and_longer_ones_end),
		cmocka_unit_test(a_zone_cannot_prolong_its_own_delegation),
		cmocka_unit_test(addresses_of_a_zones_servers_are_kept_no_longer_than_its_delegation),
		cmocka_unit_test(servers_see_no_more_of_a_name_than_they_need),
		cmocka_unit_test(minimisation_is_given_up_where_servers_do_not_bear_it),
		cmocka_unit_test(a_step_is_asked_once_for_all_that_need_it),
		cmocka_unit_test(a_step_that_is_given_up_is_asked_by_another),
		cmocka_unit_test(many_labels_take_at_most_ten_steps),
		cmocka_unit_test(forwarders_are_asked_for_everything_and_held_to_their_zone),
		cmocka_unit_test(forward_first_falls_back_to_the_servers_of_the_zone),
		cmocka_unit_test(a_stub_stands_for_a_delegation),
		cmocka_unit_test(a_stub_that_wants_priming_is_asked_for_its_servers),
		cmocka_unit_test(ds_is_asked_above_the_cut),
		cmocka_unit_test(ds_of_a_zone_astride_is_asked_of_the_zone_between),
		cmocka_unit_test(ds_of_a_zone_that_nobody_else_knows_of_is_what_it_says),
		cmocka_unit_test(private_addresses_are_taken_out_of_public_names),
		cmocka_unit_test(without_recursion_desired_only_the_cache_speaks),
		cmocka_unit_test(expired_answers_serve_when_servers_fail_or_are_slow),
		cmocka_unit_test(questions_that_are_not_ours_to_resolve_are_refused),
		cmocka_unit_test(any_is_answered_with_what_is_at_hand),
		cmocka_unit_test(dname_moves_a_tree),
		cmocka_unit_test(overload_drops_the_oldest_and_shutdown_tells_all),
		cmocka_unit_test(the_operator_sees_what_is_under_way_and_who_would_be_asked),
		cmocka_unit_test(memory_may_run_out_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
