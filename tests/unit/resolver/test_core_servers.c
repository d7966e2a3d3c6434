/* Resolution with scripted servers that do not serve, live elsewhere, lead in circles or nowhere: few packets, and an end. */
#include "core_lines.h"

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

/* How many of n names of a zone that has both, not asked for yet in this world, the server is asked for. */
static unsigned int asked_of(struct world *w, const char *server, unsigned int n)
{
	unsigned int count = 0;
	char name[40];

	for (unsigned int i = 0; i < n; i++) {
		snprintf(name, sizeof name, "x%u.both.com.", i);
		world_forget(w);
		assert_int_equal(world_ask(w, name, "A")->rcode, RCODE_NOERROR);
		count += strstr(world_log(w), server) != NULL;
	}
	return count;
}

static void a_family_of_addresses_is_preferred(void **state)
{
	static const char *const conf[] = { CONF, CONF "\tprefer-ip4: yes\n", CONF "\tprefer-ip6: yes\n", CONF "\tprefer-ip4: yes\n\tprefer-ip6: yes\n" };
	static const struct line lines[] = {
		ROOT_LINES,
		{ COM, ".both.com.", "*", "ns: both.com. NS ns1.both.com.; ar: ns1.both.com. A 1.1.1.1; ns1.both.com. AAAA 2001:db8::1" },
		{ "*", ".both.com.", "*", "AA; Q A 10.0.0.1" },
		{ 0 },
	};
	/* Silent on the one that is preferred: the other is asked. */
	static const struct line silent[] = {
		ROOT_LINES,
		{ COM, ".both.com.", "*", "ns: both.com. NS ns1.both.com.; ar: ns1.both.com. A 1.1.1.1; ns1.both.com. AAAA 2001:db8::1" },
		{ "1.1.1.1", ".both.com.", "*", "DROP" },
		{ "*", ".both.com.", "*", "AA; Q A 10.0.0.1" },
		{ 0 },
	};

	unsigned int v4[4];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct world *w = world_new(conf[i], lines);

		v4[i] = asked_of(w, "1.1.1.1 ", 40);
		world_free(w);
	}
	assert_int_equal(v4[1], 40);
	assert_int_equal(v4[2], 0);
	assert_int_equal(v4[3], v4[0]); /* both is neither */
	{
		struct world *w = world_new(conf[1], silent);

		assert_int_equal(asked_of(w, "2001:db8::1 ", 10), 10);
		world_free(w);
	}
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

static void how_many_aliases_are_followed_is_configured(void **state)
{
	static const struct line lines[] = {
		{ "*", "c0.com.", "*", "AA; Q CNAME c1.com." }, { "*", "c1.com.", "*", "AA; Q CNAME c2.com." }, { "*", "c2.com.", "*", "AA; Q CNAME c3.com." },
		{ "*", "c3.com.", "*", "AA; Q A 10.0.0.1" }, { 0 },
	};
	BEGIN(CONF "\tmax-query-restarts: 2\n", lines);

	t = world_ask(w, "c1.com.", "A");
	assert_has(t->text, "c3.com. 3600 IN A 10.0.0.1");
	t = world_ask(w, "c0.com.", "A");
	assert_int_equal(t->rcode, RCODE_SERVFAIL);
	assert_has(t->why, "aliases");
	END;
}

/* --- ratelimit */

static const struct line wide[] = {
	ROOT_LINES,
	{ COM, ".example.com.", "*", "ns: example.com. 172800 NS ns1.example.com.; ar: ns1.example.com. 172800 A 1.2.3.4" },
	{ COM, ".other.com.", "*", "ns: other.com. 172800 NS ns1.other.com.; ar: ns1.other.com. 172800 A 1.2.3.5" },
	{ COM, ".needs.com.", "*", "ns: needs.com. 172800 NS ns.x.example.com." },
	{ "1.2.3.4", "ns.x.example.com.", "AAAA", "AA; ns: example.com. 900 SOA a. b. 1 2 3 4 60" },
	{ "1.2.3.4", "alias.x.example.com.", "A", "AA; Q CNAME www.example.com." },
	{ "1.2.3.4", ".example.com.", "*", "AA; Q A 10.0.0.1" },
	{ "*", ".other.com.", "*", "AA; Q A 10.0.0.2" },
	{ "10.0.0.1", ".needs.com.", "*", "AA; Q A 10.0.0.3" },
	{ 0 },
};

/* Asks for n names of a zone at the same time: how many are answered. Each call has new names. */
static unsigned int answered(struct world *w, const char *zone, unsigned int n)
{
	unsigned long long when = world_now(w).mono_ns / 1000000;
	unsigned int good = 0;
	size_t first = 0;
	char name[64];

	for (unsigned int i = 0; i < n; i++) {
		size_t at;

		snprintf(name, sizeof name, "n%u-%llu.%s", i, when, zone);
		at = world_begin(w, name, "A", NULL);
		first = i == 0 ? at : first;
	}
	world_run(w, 50);
	for (size_t i = first; i < first + n; i++) {
		assert_int_equal(world_told(w, i)->times, 1);
		good += world_told(w, i)->rcode == RCODE_NOERROR;
		if (world_told(w, i)->rcode == RCODE_SERVFAIL) {
			assert_has(world_told(w, i)->why, "ratelimit");
			assert_int_equal(world_told(w, i)->ede[0], EDE_OTHER);
		}
	}
	return good;
}

static void a_zone_is_asked_no_more_often_than_its_limit(void **state)
{
	BEGIN(CONF "\tratelimit: 10\n\tratelimit-factor: 0\n", wide);

	assert_int_equal(answered(w, "example.com.", 1), 1);
	assert_int_equal(world_count(w, COUNT_CORE_RATELIMITED), 0);
	assert_in_range(answered(w, "example.com.", 20), 9, 10);
	assert_in_range(world_count(w, COUNT_CORE_RATELIMITED), 10, 11);
	world_use_core(w, 1);
	assert_in_range(answered(w, "example.com.", 20), 0, 1); /* of all workers together */
	assert_int_equal(answered(w, "other.com.", 3), 3);
	world_run(w, 1000);
	t = world_ask(w, "www.example.com.", "A");
	assert_int_equal(t->rcode, RCODE_NOERROR);
	END;
}

static void what_a_limit_refuses_is_not_remembered(void **state)
{
	BEGIN(CONF "\tratelimit-for-domain: example.com 3\n\tratelimit-factor: 0\n", wide);

	assert_int_equal(answered(w, "example.com.", 1), 1);
	assert_in_range(answered(w, "example.com.", 9), 2, 3);
	world_forget(w);
	t = world_ask(w, "www.example.com.", "A");
	assert_int_equal(t->rcode, RCODE_SERVFAIL);
	t = world_ask(w, "www.needs.com.", "A"); /* nor what failed for want of it */
	assert_int_equal(t->rcode, RCODE_SERVFAIL);
	assert_has_not(world_log(w), "1.2.3.4");
	world_run(w, 1000);
	t = world_ask(w, "www.example.com.", "A");
	assert_has(t->text, "10.0.0.1");
	t = world_ask(w, "www.needs.com.", "A");
	assert_has(t->text, "10.0.0.3");
	END;
}

#define FOUR CONF "\tratelimit-for-domain: example.com 4\n\tratelimit-factor: 0\n"
static void over_a_limit_some_pass_or_none_until_it_is_quiet(void **state)
{
	{
		BEGIN(CONF "\tratelimit: 4\n\tratelimit-factor: 5\n", wide);
		assert_int_equal(answered(w, "example.com.", 1), 1);
		assert_in_range(answered(w, "example.com.", 53), 3 + 9, 4 + 10);
		END;
	}
	{
		BEGIN(CONF "\tratelimit-for-domain: example.com 1\n\tratelimit-factor: 3\n", wide);
		assert_int_equal(answered(w, "example.com.", 1), 1);
		assert_int_equal(answered(w, "example.com.", 2), 0);
		t = world_ask(w, "alias.x.example.com.", "A"); /* the third: it passes to its end, though that takes two questions */
		assert_has(t->text, "www.example.com. 3600 IN A 10.0.0.1");
		END;
	}
	for (int backoff = 0; backoff < 2; backoff++) {
		unsigned int good = 0;

		BEGIN(backoff ? FOUR "\tratelimit-backoff: yes\n" : FOUR, wide);
		assert_int_equal(answered(w, "example.com.", 1), 1);
		assert_in_range(answered(w, "example.com.", 8), 3, 4);
		for (int i = 0; i < 40; i++) /* twenty a second, for two */
			good += answered(w, "example.com.", 1);
		assert_in_range(good, backoff ? 0 : 7, backoff ? 0 : 9);
		world_run(w, 1000);
		assert_int_equal(answered(w, "example.com.", 1), 1);
		END;
	}
}

static void limits_are_those_of_the_closest_name(void **state)
{
	BEGIN(CONF "\tratelimit-below-domain: com 2\n\tratelimit-for-domain: other.com 0\n\tratelimit-factor: 0\n", wide);

	assert_int_equal(answered(w, "example.com.", 1), 1);
	assert_in_range(answered(w, "example.com.", 9), 1, 2);
	assert_int_equal(answered(w, "other.com.", 9), 9);
	for (int i = 0; i < 9; i++) { /* com. itself is asked freely */
		char zone[24];

		snprintf(zone, sizeof zone, "z%d.com.", i);
		(void)world_begin(w, zone, "A", NULL);
	}
	world_run(w, 50);
	assert_int_equal(world_count(w, COUNT_CORE_RATELIMITED), 9 - 1 - (world_count(w, COUNT_CORE_RATELIMITED) == 7));
	END;
}

static void forwarders_are_not_limited(void **state)
{
	static const struct line lines[] = { { "9.9.9.9", "*", "*", "RA; Q A 10.0.0.9" }, { 0 } };
	BEGIN(CONF "\tratelimit: 1\n\tratelimit-factor: 0\nforward-zone:\n\tname: \".\"\n\tforward-addr: 9.9.9.9\n", lines);

	assert_int_equal(answered(w, "example.com.", 20), 20);
	END;
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

static void caps_exempt_names_are_asked_for_in_plain_case(void **state)
{
	static const struct line lines[] = {
		ROOT_LINES,
		{ COM, "*", "*", "AA; Q 60 A 1.2.3.4" },
		{ 0 },
	};
	BEGIN(CONF "\tcaps-exempt: \"odd.com\"\n\tcaps-exempt: \"other.com\"\n", lines);

	t = world_ask(w, "www.odd.com.", "A");
	assert_int_equal(t->rcode, RCODE_NOERROR);
	assert_has(world_log(w), COM " www.odd.com. A plain\n");
	(void)world_ask(w, "a.OTHER.com.", "A");
	assert_has(world_log(w), COM " a.OTHER.com. A plain\n");
	(void)world_ask(w, "www.oddly.com.", "A");
	assert_has(world_log(w), COM " www.oddly.com. A\n");
	assert_has_not(world_log(w), "without-DO");
	END;
}

static void disable_edns_do_asks_without_the_flag(void **state)
{
	static const struct line lines[] = {
		ROOT_LINES,
		{ COM, "*", "*", "AA; Q 60 A 1.2.3.4" },
		{ 0 },
	};
	BEGIN(CONF "\tdisable-edns-do: yes\n", lines);

	t = world_ask(w, "www.odd.com.", "A");
	assert_int_equal(t->rcode, RCODE_NOERROR);
	assert_has(world_log(w), COM " www.odd.com. A without-DO\n");
	assert_has_not(world_log(w), " A\n");
	END;
}

static void a_server_never_heard_is_waited_for_as_long_as_is_wished(void **state)
{
	static const struct line lines[] = {
		ROOT_LINES,
		{ COM, "*", "*", "AA; Q 60 A 1.2.3.4" },
		{ 0 },
	};
	BEGIN(CONF "\tunknown-server-time-limit: 3000\n", lines);

	(void)world_ask(w, "www.odd.com.", "A");
	assert_int_equal(world_timeout_ms(w), 3000);
	END;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
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
		cmocka_unit_test(caps_exempt_names_are_asked_for_in_plain_case),
		cmocka_unit_test(disable_edns_do_asks_without_the_flag),
		cmocka_unit_test(a_server_never_heard_is_waited_for_as_long_as_is_wished),
		cmocka_unit_test(glue_that_points_at_us_is_not_asked),
		cmocka_unit_test(after_an_outage_names_come_back_soon),
		cmocka_unit_test(a_budget_ends_what_would_not_end),
		cmocka_unit_test(a_family_of_addresses_is_preferred),
		cmocka_unit_test(chains_of_eleven_are_answered_and_longer_ones_end),
		cmocka_unit_test(how_many_aliases_are_followed_is_configured),
		cmocka_unit_test(a_zone_is_asked_no_more_often_than_its_limit),
		cmocka_unit_test(what_a_limit_refuses_is_not_remembered),
		cmocka_unit_test(over_a_limit_some_pass_or_none_until_it_is_quiet),
		cmocka_unit_test(limits_are_those_of_the_closest_name),
		cmocka_unit_test(forwarders_are_not_limited),
		cmocka_unit_test(a_zone_cannot_prolong_its_own_delegation),
		cmocka_unit_test(addresses_of_a_zones_servers_are_kept_no_longer_than_its_delegation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
