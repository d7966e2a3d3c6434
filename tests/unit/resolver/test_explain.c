/* What is found out about a small signed world that is right, or wrong in one way: the verdict, the words, and what is missed. */
#include "explain_world.h"

#define EXPLAIN(w, name, type) WORLD_EXPLAIN(w, name, type); assert_non_null(x)

#define assert_has(text, part) \
	do { \
		if ((text) == NULL || strstr((text), (part)) == NULL) \
			fail_msg("\"%s\" has no \"%s\"", (text) != NULL ? (text) : "(null)", (part)); \
	} while (0)

static void says(struct explain_world *w, enum explain_verdict v, uint16_t ede, const char *reason, const char *mend)
{
	world_fill(w);
	{
		EXPLAIN(w, "www.example.com.", RR_A);
		if (x->finding.verdict != v)
			fail_msg("%s: %s, expected %s: %s", explain_verdict_text(x->finding.verdict), x->finding.reason, explain_verdict_text(v), reason);
		assert_int_equal(x->finding.ede, ede);
		assert_has(x->finding.reason, reason);
		if (mend != NULL)
			assert_has(x->finding.mend, mend);
	}
	world_done(w);
}

static void a_whole_chain_is_secure(void **state)
{
	struct explain_world w = { .conf = NULL };

	(void)state;
	world_fill(&w);
	{
		EXPLAIN(&w, "www.example.com.", RR_A);
		assert_int_equal(x->finding.verdict, EXPLAIN_SECURE);
		assert_null(x->finding.mend);
		assert_int_equal(x->zone_count, 3);
		assert_true(x->zones[0].anchored);
		assert_false(x->zones[2].anchored);
		assert_int_equal(x->zones[2].parent, 1);
		for (size_t i = 0; i < 3; i++) {
			assert_int_equal(x->zones[i].finding.verdict, EXPLAIN_SECURE);
			assert_int_equal(x->zones[i].link_count, 1);
			assert_int_equal(x->zones[i].links[0].match, MATCH_KEY);
			assert_true(x->zones[i].keys[0].named);
			assert_int_equal(x->zones[i].dnskey.sigs[0].verdict, SIG_GOOD);
			assert_int_equal(x->zones[i].server_count, 1);
			assert_int_equal(x->zones[i].dnskey.sigs[0].inception, w.now.wall_sec - 3600);
			assert_int_equal(x->zones[i].dnskey.sigs[0].expiration, w.now.wall_sec + 3600);
		}
		assert_int_equal(x->record_count, 1);
		assert_int_equal(x->records[0].kind, EXPLAIN_DATA);
		assert_int_equal(x->records[0].zone, 2);
		assert_int_equal(x->wanted_count, 0);
		assert_false(x->clock);
		assert_false(x->out_of_work);
	}
	world_done(&w);
}

static void aliases_are_followed_each_on_its_own(void **state)
{
	struct explain_world w = { .data_spoilt = true };

	(void)state;
	world_fill(&w);
	{
		EXPLAIN(&w, "alias.example.com.", RR_A);
		assert_int_equal(x->record_count, 2);
		assert_int_equal(x->records[0].kind, EXPLAIN_ALIAS);
		assert_int_equal(x->records[0].finding.verdict, EXPLAIN_SECURE);
		assert_int_equal(x->records[1].finding.verdict, EXPLAIN_BOGUS);
		assert_int_equal(x->finding.verdict, EXPLAIN_BOGUS);
	}
	world_done(&w);
}

static void denials_are_proven_or_not(void **state)
{
	static const struct {
		struct explain_world w;
		enum explain_verdict v;
		const char *reason;
	} cases[] = {
		{ { .conf = NULL }, EXPLAIN_SECURE, NULL },
		{ { .denial_unsigned = true }, EXPLAIN_BOGUS, "alias.example.com NSEC has no signature" },
		{ { .denial_gap = true }, EXPLAIN_BOGUS, "no NSEC covers the wildcard" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct explain_world w = cases[i].w;

		world_fill(&w);
		{
			EXPLAIN(&w, "nope.example.com.", RR_A);
			assert_int_equal(x->records[0].kind, EXPLAIN_NXDOMAIN);
			assert_int_equal(x->finding.verdict, cases[i].v);
			if (cases[i].reason != NULL)
				assert_has(x->finding.reason, cases[i].reason);
		}
		world_done(&w);
	}
}

static void wildcards_need_their_proof(void **state)
{
	(void)state;
	says(&(struct explain_world){ .wild = true, .wild_unproven = true }, EXPLAIN_BOGUS, EDE_NSEC_MISSING, "nothing proves that nothing is closer than the wildcard",
	    "Sign zone example.com anew");
	{
		struct explain_world w = { .wild = true };

		world_fill(&w);
		{
			EXPLAIN(&w, "www.example.com.", RR_A);
			assert_int_equal(x->finding.verdict, EXPLAIN_SECURE);
			assert_true(x->records[0].expanded);
			assert_true(name_equal(x->records[0].source, nm(&w.t, "*.example.com.")));
			assert_int_equal(x->records[0].proof.what, DENIAL_WILDCARD_ANSWER);
		}
		world_done(&w);
	}
}

static void each_fault_has_its_words(void **state)
{
	(void)state;
	says(&(struct explain_world){ .ds_other = true }, EXPLAIN_BOGUS, EDE_DNSKEY_MISSING, "no key of example.com is named by a DS record", "Publish the DNSKEY with tag");
	says(&(struct explain_world){ .ds_digest = true }, EXPLAIN_BOGUS, EDE_DNSKEY_MISSING, "has the digest of another key", "Have com replace the DS record");
	says(&(struct explain_world){ .keys_by_other = true }, EXPLAIN_BOGUS, EDE_RRSIGS_MISSING, "is not signed by any key that", "Sign the DNSKEY RRset of example.com");
	says(&(struct explain_world){ .dnskey_none = true }, EXPLAIN_BOGUS, EDE_DNSKEY_MISSING, "publishes no DNSKEY records", "have its parent remove the DS records");
	says(&(struct explain_world){ .no_dnskey = { [Z_EXAMPLE] = true }, .dnskey_failed = true }, EXPLAIN_BOGUS, EDE_DNSKEY_MISSING, "could not be had: 192.0.2.3@53 timed out",
	    "See that the servers of example.com answer");
	says(&(struct explain_world){ .no_ds_unproven = true }, EXPLAIN_BOGUS, EDE_NSEC_MISSING, "nothing proves that example.com is an unsigned delegation", "Sign zone com anew");
	says(&(struct explain_world){ .data_from = -864000, .data_to = -259200 }, EXPLAIN_BOGUS, EDE_SIG_EXPIRED, "expired on 2023-11-11T22:30:00Z, 3 days ago",
	    "Sign zone example.com anew");
	says(&(struct explain_world){ .data_from = 172800, .data_to = 864000 }, EXPLAIN_BOGUS, EDE_SIG_NOT_YET, "in 2 days", "look at the clock of the machine that signs");
	says(&(struct explain_world){ .data_unsigned = true }, EXPLAIN_BOGUS, EDE_RRSIGS_MISSING, "www.example.com A has no signature", "Sign www.example.com A in zone example.com.");
	says(&(struct explain_world){ .data_spoilt = true }, EXPLAIN_BOGUS, EDE_BOGUS, "does not verify", "was changed after it was signed");
	says(&(struct explain_world){ .data_by_other = true }, EXPLAIN_BOGUS, EDE_DNSKEY_MISSING, "which example.com does not publish", "Publish the DNSKEY with tag");
}

static void insecurity_has_its_reason(void **state)
{
	(void)state;
	says(&(struct explain_world){ .no_ds = true }, EXPLAIN_INSECURE, 0, "com proves that it has no DS record", "Nothing is broken.");
	says(&(struct explain_world){ .ds_unknown = true }, EXPLAIN_INSECURE, EDE_UNSUPPORTED_DS, "have no digest that is validated", "Nothing is broken");
	says(&(struct explain_world){ .conf = "\tdomain-insecure: \"example.com\"\n" }, EXPLAIN_INSECURE, 0, "domain-insecure: example.com", NULL);
}

static void a_negative_trust_anchor_says_until_when(void **state)
{
	struct explain_world w = { .data_spoilt = true };

	(void)state;
	world_fill(&w);
	assert_true(OK(ntas_set(w.validation->ntas, nm(&w.t, "com."), 7200, w.now.wall_sec)));
	{
		EXPLAIN(&w, "www.example.com.", RR_A);
		assert_int_equal(x->finding.verdict, EXPLAIN_INSECURE);
		assert_int_equal(x->finding.ede, EDE_NEGATIVE_ANCHOR);
		assert_has(x->finding.reason, "negative trust anchor for com, until 2023-11-15T00:30:00Z, in 2 hours");
		assert_int_equal(x->zones[1].nta_until, w.now.wall_sec + 7200);
		assert_true(x->zones[2].finding.inherited);
	}
	world_done(&w);
}

static void without_an_anchor_or_a_validator_it_is_indeterminate(void **state)
{
	struct explain_world w = { .data_spoilt = true };

	(void)state;
	world_fill(&w);
	validation_unref(w.validation);
	w.validation = NULL;
	{
		EXPLAIN(&w, "www.example.com.", RR_A);
		assert_int_equal(x->finding.verdict, EXPLAIN_INDETERMINATE);
		assert_has(x->finding.reason, "nothing is validated");
		assert_int_equal(x->records[0].set.sig_count, 1);
	}
	world_done(&w);
}

static void wants(const struct explanation *x, struct explain_world *w, const char *name, uint16_t type)
{
	for (size_t i = 0; i < x->wanted_count; i++) {
		if (x->wanted[i].type == type && name_equal(x->wanted[i].name, nm(&w->t, name)))
			return;
	}
	fail_msg("%s %u is not wanted", name, type);
}

static void what_is_missing_is_wanted(void **state)
{
	static const struct {
		struct explain_world w;
		const char *name;
		uint16_t type;
	} cases[] = {
		{ { .no_dnskey = { [Z_EXAMPLE] = true } }, "example.com.", RR_DNSKEY },
		{ { .no_dnskey = { [Z_ROOT] = true } }, ".", RR_DNSKEY },
		{ { .ds_missing = true }, "example.com.", RR_DS },
		{ { .data_missing = true }, "www.example.com.", RR_A },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct explain_world w = cases[i].w;

		world_fill(&w);
		{
			EXPLAIN(&w, "www.example.com.", RR_A);
			assert_int_equal(x->finding.verdict, EXPLAIN_UNKNOWN);
			wants(x, &w, cases[i].name, cases[i].type);
			assert_has(x->finding.reason, "not in the cache");
		}
		world_done(&w);
	}
}

static void unsigned_data_may_be_below_a_cut_that_is_not_known(void **state)
{
	struct explain_world w = { .data_unsigned = true };
	const struct rrset *proof;

	(void)state;
	world_fill(&w);
	{
		EXPLAIN(&w, "www.example.com.", RR_A);
		assert_int_equal(x->finding.verdict, EXPLAIN_BOGUS);
		wants(x, &w, "www.example.com.", RR_DS);
	}
	proof = world_signed(&w, world_set(&w, "www.example.com.", RR_NSEC, "x.example.com. NS RRSIG NSEC"), Z_EXAMPLE);
	world_put(&w, BUNDLE_NODATA, "www.example.com.", RR_DS, &proof, 1);
	{
		EXPLAIN(&w, "www.example.com.", RR_A);
		assert_int_equal(x->finding.verdict, EXPLAIN_INSECURE);
		assert_int_equal(x->zone_count, 4);
		assert_false(x->zones[3].cut_known);
	}
	proof = world_signed(&w, world_set(&w, "www.example.com.", RR_NSEC, "x.example.com. A RRSIG NSEC"), Z_EXAMPLE);
	world_put(&w, BUNDLE_NODATA, "www.example.com.", RR_DS, &proof, 1);
	{
		EXPLAIN(&w, "www.example.com.", RR_A);
		assert_int_equal(x->finding.verdict, EXPLAIN_BOGUS); /* no cut: it should have been signed */
		assert_int_equal(x->zone_count, 3);
	}
	world_done(&w);
}

/* A signature names a zone that is proven not to begin there. */
static void a_signer_alone_makes_no_zone(void **state)
{
	struct explain_world w = { .conf = NULL };
	const struct rrset *proof;

	(void)state;
	world_fill(&w);
	world_put_data(&w, world_signed_for(&w, world_set(&w, "a.www.example.com.", RR_A, "192.0.2.9"), w.other, "www.example.com.", 0, 0));
	proof = world_signed(&w, world_set(&w, "www.example.com.", RR_NSEC, "x.example.com. A RRSIG NSEC"), Z_EXAMPLE);
	world_put(&w, BUNDLE_NODATA, "www.example.com.", RR_DS, &proof, 1);
	{
		EXPLAIN(&w, "a.www.example.com.", RR_A);
		assert_int_equal(x->finding.verdict, EXPLAIN_BOGUS);
		assert_int_equal(x->zone_count, 3);
		assert_has(x->finding.reason, "is by www.example.com, not by the zone example.com");
	}
	world_done(&w);
}

static void dates_that_are_all_wrong_point_at_the_clock(void **state)
{
	struct explain_world w = { .all_from = -864000, .all_to = -432000, .data_from = -864000, .data_to = -432000 };

	(void)state;
	world_fill(&w);
	{
		EXPLAIN(&w, "www.example.com.", RR_A);
		assert_int_equal(x->finding.verdict, EXPLAIN_BOGUS);
		assert_true(x->clock);
		assert_has(x->finding.mend, "Look at the clock of this machine first: it says 2023-11-14T22:30:00Z");
		assert_true(x->zones[2].finding.inherited);
	}
	world_done(&w);
}

static void servers_tell_what_is_known_of_them(void **state)
{
	struct explain_world w = { .conf = NULL };
	struct endpoint at;

	(void)state;
	world_fill(&w);
	assert_true(OK(endpoint_parse("192.0.2.2", 53, &at)));
	infra_note_rtt(w.infra, &at, 12000, &w.now);
	{
		EXPLAIN(&w, "www.example.com.", RR_A);
		assert_true(x->zones[1].servers[0].asked);
		assert_int_equal(x->zones[1].servers[0].rtt_ms, 12);
		assert_false(x->zones[2].servers[0].asked);
	}
	world_done(&w);
}

static const struct rrset *ttl_0(struct explain_world *w, const struct rrset *rs)
{
	struct rrset *copy = rrset_copy_in(w->t.a, rs);

	copy->ttl = 0;
	return copy;
}

/* What is not in the caches is looked for among the answers that were kept for the explanation. */
static void answers_that_no_cache_keeps_are_examined_all_the_same(void **state)
{
	struct explain_world w = { .data_missing = true };
	struct answer_set sets[3];
	struct answer a;

	(void)state;
	world_fill(&w);
	w.kept = explain_keeper(&test_key);
	sets[0].rs = ttl_0(&w, world_signed(&w, world_set(&w, "first.example.com.", RR_CNAME, "www.example.com."), Z_EXAMPLE));
	sets[1].rs = ttl_0(&w, world_data(&w));
	a = (struct answer){ .q = { nm(&w.t, "first.example.com."), RR_A, CLASS_IN }, .sets = sets, .answer_count = 2 };
	explain_keep(w.kept, w.t.m, &a, &w.now);
	{
		EXPLAIN(&w, "first.example.com.", RR_A);
		assert_int_equal(x->finding.verdict, EXPLAIN_SECURE);
		assert_int_equal(x->record_count, 2);
	}
	sets[1].rs = ttl_0(&w, world_signed(&w, world_set(&w, "example.com.", RR_SOA, "ns.example.com. m.example.com. 1 2 3 4 0"), Z_EXAMPLE));
	sets[2].rs = ttl_0(&w, world_signed(&w, world_set(&w, "www.example.com.", RR_NSEC, "x.example.com. A RRSIG NSEC"), Z_EXAMPLE));
	a = (struct answer){ .q = { nm(&w.t, "first.example.com."), RR_MX, CLASS_IN }, .sets = sets, .answer_count = 1, .authority_count = 2 };
	explain_keep(w.kept, w.t.m, &a, &w.now);
	{
		EXPLAIN(&w, "first.example.com.", RR_MX);
		assert_int_equal(x->finding.verdict, EXPLAIN_SECURE);
		assert_int_equal(x->records[1].kind, EXPLAIN_NODATA);
		assert_int_equal(x->records[1].proof.what, DENIAL_PROVEN_NODATA);
	}
	a = (struct answer){ .q = { nm(&w.t, "www.example.com."), RR_TXT, CLASS_IN }, .rcode = RCODE_SERVFAIL };
	explain_keep(w.kept, w.t.m, &a, &w.now);
	{
		EXPLAIN(&w, "www.example.com.", RR_TXT);
		assert_int_equal(x->finding.verdict, EXPLAIN_UNKNOWN); /* a failure says nothing */
	}
	rrcache_free(w.kept);
	world_done(&w);
}

static void it_survives_want_of_memory(void **state)
{
	static const struct explain_world cases[] = { { .conf = NULL }, { .ds_other = true }, { .no_ds = true }, { .wild = true } };
	unsigned int made = 0;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct explain_world w = cases[i];

		world_fill(&w);
		for (uint64_t n = 1; n < 200; n++) {
			mem_fail_at(n, true);
			{
				WORLD_EXPLAIN(&w, "www.example.com.", RR_A);
				mem_fail_at(0, false);
				made += x != NULL;
			}
		}
		world_done(&w);
	}
	assert_true(made > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_chain_is_secure),
		cmocka_unit_test(aliases_are_followed_each_on_its_own),
		cmocka_unit_test(denials_are_proven_or_not),
		cmocka_unit_test(wildcards_need_their_proof),
		cmocka_unit_test(each_fault_has_its_words),
		cmocka_unit_test(insecurity_has_its_reason),
		cmocka_unit_test(a_negative_trust_anchor_says_until_when),
		cmocka_unit_test(without_an_anchor_or_a_validator_it_is_indeterminate),
		cmocka_unit_test(what_is_missing_is_wanted),
		cmocka_unit_test(unsigned_data_may_be_below_a_cut_that_is_not_known),
		cmocka_unit_test(a_signer_alone_makes_no_zone),
		cmocka_unit_test(dates_that_are_all_wrong_point_at_the_clock),
		cmocka_unit_test(servers_tell_what_is_known_of_them),
		cmocka_unit_test(answers_that_no_cache_keeps_are_examined_all_the_same),
		cmocka_unit_test(it_survives_want_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
