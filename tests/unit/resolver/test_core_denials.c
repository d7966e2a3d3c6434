/* Answers that the iterator makes from denials of other names (RFC 8198), and where it must not: what stands in whose way, and what clients are told. */
#include "signed_zone.h"

#include "base/strbuf.h"
#include "conf/conf.h"
#include "resolver/cache/rrcache.h"
#include "resolver/core/core.h"
#include "resolver/core/lookup.h"
#include "resolver/core/settings.h"
#include "resolver/core/validation.h"

#define ANCHOR "server:\n module-config: \"validator iterator\"\n trust-anchor: \"example. DS 1 13 2 0000000000000000000000000000000000000000000000000000000000000001\"\n"

struct rig {
	struct turn t;
	struct conf *conf;
	struct core_settings *settings;
	struct validation *v;
	struct rrcache *c;
	struct denials *d;
	struct nsec3_hasher *h;
	struct now now;
	/* of the last look-up */
	struct draft draft;
	struct lookup k;
};

static struct rig rig_begin(const char *conf)
{
	struct rrcache_limits l = { .octets = 1 << 20, .max_ttl = 86400, .max_negative_ttl = 3600 };
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(10000);
	struct mem_usage before = mem_usage();
	struct rig r = { .t = turn_begin(), .now = at_sec(1000) };

	r.t.before = before;
	r.t.before.objects--; /* the report goes before rig_end() */
	if (!OK(conf_load_text(conf, "test", report, &r.conf)) || !OK(core_settings_make(r.conf, report, &r.settings)) ||
	    !OK(validation_make(r.conf, report, &r.v)))
		fail_msg("%s", strbuf_text(report));
	r.c = rrcache_new(&l, &test_key);
	r.d = denials_new(1 << 20, &test_key);
	r.h = nsec3_hasher_new();
	assert_true(r.v != NULL && r.c != NULL && r.d != NULL && r.h != NULL);
	return r;
}

static void rig_end(struct rig *r)
{
	rrcache_free(r->c);
	denials_free(r->d);
	nsec3_hasher_free(r->h);
	validation_unref(r->v);
	core_settings_free(r->settings);
	conf_free(r->conf);
	turn_end(&r->t);
}

static enum lookup_kind look_with(struct rig *r, const char *name, uint16_t type, unsigned int flags)
{
	enum lookup_kind kind = LOOKUP_NOTHING;

	r->draft = (struct draft){ 0 };
	r->k = (struct lookup){ .cache = r->c, .denials = r->d, .hasher = r->h, .validation = r->v, .settings = r->settings, .now = &r->now, .arena = r->t.a,
		.draft = &r->draft, .flags = flags, .type = type, .name = nm(&r->t, name), .aliases_left = 5 };
	assert_true(OK(lookup_answer(&r->k, &kind)));
	return kind;
}

static enum lookup_kind look(struct rig *r, const char *name, uint16_t type)
{
	return look_with(r, name, type, LOOKUP_CHECKED);
}

/* How many sets are in a part, and the first of a type there. */
static size_t count_in(const struct rig *r, enum msg_part part)
{
	return r->draft.part[part - 1].count;
}

static struct answer_set set_in(const struct rig *r, enum msg_part part, uint16_t type)
{
	size_t i = 0;

	while (i < count_in(r, part) && r->draft.part[part - 1].sets[i].rs->type != type)
		i++;
	assert_true(i < count_in(r, part));
	return r->draft.part[part - 1].sets[i];
}

static void put_nsec(struct rig *r, const char *owner, const char *next, const uint16_t *types, unsigned int n)
{
	struct node node = { .name = nm(&r->t, owner), .types = n };

	memcpy(node.type, types, n * sizeof *types);
	denials_put(r->d, nm(&r->t, "example."), zone_nsec(r->t.a, nm(&r->t, "example."), &node, nm(&r->t, next), 300), &r->now);
}
#define PUT_NSEC(r, owner, next, ...) \
	put_nsec(r, owner, next, (const uint16_t[]){ __VA_ARGS__ }, sizeof((const uint16_t[]){ __VA_ARGS__ }) / sizeof(uint16_t))

static void put_data(struct rig *r, const struct rrset *rs, enum bundle_kind kind)
{
	struct bundle_key k = { rrset_name(rs), kind == BUNDLE_DATA ? rs->type : 0, CLASS_IN, (uint8_t)kind };

	assert_true(OK(rrcache_put(r->c, r->t.m, &k, &rs, 1, rs->ttl, &r->now)));
}

/* example. has nothing but its apex, h and what the cases add. */
static void put_zone(struct rig *r)
{
	denials_put(r->d, nm(&r->t, "example."), zone_soa(r->t.a, nm(&r->t, "example."), 200, 100), &r->now);
	PUT_NSEC(r, "example.", "h.example.", RR_SOA, RR_NS);
	PUT_NSEC(r, "h.example.", "example.", RR_A);
}

static void names_in_gaps_are_denied_with_proofs(void **state)
{
	struct rig r = rig_begin(ANCHOR);

	(void)state;
	put_zone(&r);
	assert_int_equal(look(&r, "a.example.", RR_A), LOOKUP_NXDOMAIN);
	assert_true(r.k.synthesized);
	assert_int_equal(count_in(&r, PART_AUTHORITY), 2);
	assert_int_equal(set_in(&r, PART_AUTHORITY, RR_SOA).ttl, 100); /* MINIMUM */
	assert_int_equal(set_in(&r, PART_AUTHORITY, RR_NSEC).ttl, 300);
	assert_int_equal(set_in(&r, PART_AUTHORITY, RR_NSEC).rs->sigs, 1);
	assert_int_equal(look(&r, "h.example.", RR_TXT), LOOKUP_NODATA);
	assert_true(r.k.synthesized);
	assert_int_equal(look(&r, "h.example.", RR_A), LOOKUP_NOTHING);
	assert_false(r.k.synthesized);
	assert_int_equal(look(&r, "example.", RR_DS), LOOKUP_NOTHING);
	assert_int_equal(look(&r, "a.test.", RR_A), LOOKUP_NOTHING);
	r.now = at_sec(1150);
	assert_int_equal(look(&r, "a.example.", RR_A), LOOKUP_NXDOMAIN);
	assert_int_equal(set_in(&r, PART_AUTHORITY, RR_SOA).ttl, 50);
	assert_int_equal(set_in(&r, PART_AUTHORITY, RR_NSEC).ttl, 150);
	r.now = at_sec(1200);
	assert_int_equal(look(&r, "a.example.", RR_A), LOOKUP_NOTHING);
	rig_end(&r);
}

static void those_who_check_for_themselves_get_none(void **state)
{
	struct rig r = rig_begin(ANCHOR);

	(void)state;
	put_zone(&r);
	assert_int_equal(look_with(&r, "a.example.", RR_A, 0), LOOKUP_NOTHING);
	assert_int_equal(look(&r, "a.example.", RR_A), LOOKUP_NXDOMAIN);
	rig_end(&r);
}

static void data_at_hand_and_aliases_come_first(void **state)
{
	struct rig r = rig_begin(ANCHOR);
	struct name target = nm(&r.t, "b.example.");
	const struct rrset *alias = make_set(&r.t, "alias.test.", RR_CNAME, 50, span_of(target.wire, target.len), RANK_ANSWER_AUTH, SECURITY_INSECURE);

	(void)state;
	put_zone(&r);
	put_data(&r, a_set(&r.t, "a.example.", 100, 1, RANK_ANSWER_AUTH, SECURITY_SECURE), BUNDLE_DATA);
	assert_int_equal(look(&r, "a.example.", RR_A), LOOKUP_ANSWER);
	put_data(&r, alias, BUNDLE_DATA);
	assert_int_equal(look(&r, "alias.test.", RR_A), LOOKUP_NXDOMAIN);
	assert_int_equal(count_in(&r, PART_ANSWER), 1);
	assert_int_equal(count_in(&r, PART_AUTHORITY), 2);
	rig_end(&r);
}

/* A denial without any record is not secure, however secure the alias that leads there; what has a record is as secure as that. */
static void an_empty_denial_takes_the_security_of_the_whole(void **state)
{
	struct rig r = rig_begin(ANCHOR);
	struct name target = nm(&r.t, "end.example.");
	struct bundle_key k = { target, RR_A, CLASS_IN, BUNDLE_NODATA };
	const struct rrset *soa = soa_set(&r.t, "example.", 100, RANK_AUTHORITY, SECURITY_SECURE);
	struct answer a = { .rcode = 0 };

	(void)state;
	put_data(&r, make_set(&r.t, "alias.example.", RR_CNAME, 50, span_of(target.wire, target.len), RANK_ANSWER_AUTH, SECURITY_SECURE), BUNDLE_DATA);
	assert_true(OK(rrcache_put(r.c, r.t.m, &k, NULL, 0, 30, &r.now)));
	assert_true(OK(rrcache_set_security(r.c, r.t.m, rrcache_get(r.c, &k, &r.now, 0), SECURITY_INSECURE, 30, &r.now)));
	assert_int_equal(look(&r, "alias.example.", RR_A), LOOKUP_NODATA);
	assert_true(OK(draft_finish(&r.draft, r.t.a, &a)));
	assert_int_equal(a.security, SECURITY_INSECURE);
	k.type = RR_TXT;
	assert_true(OK(rrcache_put(r.c, r.t.m, &k, &soa, 1, 30, &r.now)));
	assert_int_equal(look(&r, "alias.example.", RR_TXT), LOOKUP_NODATA);
	assert_true(OK(draft_finish(&r.draft, r.t.a, &a)));
	assert_int_equal(a.security, SECURITY_SECURE);
	rig_end(&r);
}

/* A zone cannot speak about names below a delegation that is known, nor about those that the configuration sends elsewhere. */
static void delegations_and_configured_zones_are_out_of_reach(void **state)
{
	struct rig r = rig_begin(ANCHOR "forward-zone:\n name: corp.example\n forward-addr: 192.0.2.1\nstub-zone:\n name: lab.example\n stub-addr: 192.0.2.2\n");

	(void)state;
	put_zone(&r);
	put_data(&r, ns_set(&r.t, "cut.example.", "ns.cut.example.", 100), BUNDLE_DELEGATION);
	assert_int_equal(look(&r, "a.cut.example.", RR_A), LOOKUP_NOTHING);
	assert_int_equal(look(&r, "cut.example.", RR_A), LOOKUP_NOTHING);
	assert_int_equal(look(&r, "cut.example.", RR_DS), LOOKUP_NXDOMAIN); /* which the zone above is asked */
	assert_int_equal(look(&r, "cuttle.example.", RR_A), LOOKUP_NXDOMAIN);
	assert_int_equal(look(&r, "a.corp.example.", RR_A), LOOKUP_NOTHING);
	assert_int_equal(look(&r, "corp.example.", RR_A), LOOKUP_NOTHING);
	assert_int_equal(look(&r, "a.lab.example.", RR_A), LOOKUP_NOTHING);
	assert_int_equal(look(&r, "a.lab.example.", RR_DS), LOOKUP_NOTHING);
	assert_int_equal(look(&r, "corporate.example.", RR_A), LOOKUP_NXDOMAIN);
	rig_end(&r);
}

/* The same for a name above that does not exist (RFC 8020). */
static void no_such_name_above_does_not_reach_configured_zones(void **state)
{
	struct rig r = rig_begin(ANCHOR " harden-below-nxdomain: yes\nforward-zone:\n name: corp.test\n forward-addr: 192.0.2.1\n");

	(void)state;
	put_data(&r, soa_set(&r.t, "test.", 100, RANK_AUTHORITY, SECURITY_SECURE), BUNDLE_NXDOMAIN);
	assert_int_equal(look(&r, "a.test.", RR_A), LOOKUP_NXDOMAIN);
	assert_int_equal(look(&r, "a.corp.test.", RR_A), LOOKUP_NOTHING);
	assert_int_equal(look(&r, "corp.test.", RR_A), LOOKUP_NOTHING);
	rig_end(&r);
}

static void what_is_insecure_by_configuration_is_not_denied(void **state)
{
	struct rig r = rig_begin(ANCHOR " domain-insecure: corp.example\n");

	(void)state;
	put_zone(&r);
	assert_int_equal(look(&r, "a.corp.example.", RR_A), LOOKUP_NOTHING);
	assert_int_equal(look(&r, "a.example.", RR_A), LOOKUP_NXDOMAIN);
	rig_end(&r);
}

static void put_wildcard(struct rig *r, uint32_t ttl, enum security s)
{
	const struct rrset *rs = a_set(&r->t, "*.example.", ttl, 7, RANK_ANSWER_AUTH, s);
	struct bundle_key k = { rrset_name(rs), RR_A, CLASS_IN, BUNDLE_DATA };

	(void)rrcache_flush_name(r->c, r->t.m, rrset_name(rs), 0);
	assert_true(OK(rrcache_put(r->c, r->t.m, &k, &rs, 1, ttl, &r->now)));
}

static void wildcards_answer_for_names_that_are_not_there(void **state)
{
	struct rig r = rig_begin(ANCHOR);
	struct answer_set got;

	(void)state;
	denials_put(r.d, nm(&r.t, "example."), zone_soa(r.t.a, nm(&r.t, "example."), 200, 100), &r.now);
	PUT_NSEC(&r, "c.example.", "e.example.", RR_A);
	assert_int_equal(look(&r, "d.example.", RR_A), LOOKUP_NOTHING); /* the wildcard is not at hand */
	put_wildcard(&r, 500, SECURITY_UNCHECKED);
	assert_int_equal(look(&r, "d.example.", RR_A), LOOKUP_NOTHING);
	put_wildcard(&r, 500, SECURITY_INSECURE);
	assert_int_equal(look(&r, "d.example.", RR_A), LOOKUP_NOTHING);
	put_wildcard(&r, 500, SECURITY_SECURE);
	assert_int_equal(look(&r, "D.example.", RR_A), LOOKUP_ANSWER);
	got = set_in(&r, PART_ANSWER, RR_A);
	assert_true(name_equal(rrset_name(got.rs), nm(&r.t, "d.example.")) && r.k.synthesized);
	assert_int_equal(got.rs->security, SECURITY_SECURE);
	assert_int_equal(got.ttl, 300); /* no longer than the proof */
	assert_int_equal(count_in(&r, PART_AUTHORITY), 1);
	assert_int_equal(set_in(&r, PART_AUTHORITY, RR_NSEC).ttl, 300);
	assert_int_equal(look(&r, "d.example.", RR_TXT), LOOKUP_NOTHING);
	assert_int_equal(look(&r, "f.example.", RR_A), LOOKUP_NOTHING); /* in no gap */
	assert_int_equal(look(&r, "x.c.example.", RR_A), LOOKUP_NXDOMAIN); /* c exists: *.example is not for names below it */
	PUT_NSEC(&r, "*.example.", "c.example.", RR_A);
	assert_int_equal(look(&r, "d.example.", RR_TXT), LOOKUP_NODATA);
	assert_int_equal(count_in(&r, PART_AUTHORITY), 3);
	assert_int_equal(look(&r, "d.example.", RR_A), LOOKUP_ANSWER);
	rig_end(&r);
}

/* NSEC3 that says nothing of the name above: a wildcard there shows that it exists, unless it belongs to a zone below. */
static void a_wildcard_shows_that_the_name_above_exists(void **state)
{
	static const char *const signer[] = { "sub.example.", "example." };
	struct rig r = rig_begin(ANCHOR);
	static struct zone z;
	uint8_t address[4] = { 192, 0, 2, 1 };

	(void)state;
	z = (struct zone){ .arena = r.t.a, .apex = nm(&r.t, "example."), .ttl = 100 };
	node_add(zone_add(&z, z.apex), RR_SOA);
	node_add(zone_add(&z, nm(&r.t, "sub.example.")), RR_A);
	node_add(zone_add(&z, nm(&r.t, "*.sub.example.")), RR_A);
	zone_make_nsec3s(&z, r.h);
	for (unsigned int i = 0; i < z.sets; i++) { /* but for the one that matches sub */
		struct nsec3_zone all;
		struct work w = { UINT32_MAX };
		const struct nsec3 *sub = NULL;

		assert_true(OK(nsec3_collect(&z.set[i], 1, z.apex, r.t.a, r.h, &w, &all)) && OK(nsec3_match(&all, nm(&r.t, "sub.example."), &sub)));
		if (sub == NULL)
			denials_put(r.d, z.apex, z.set[i], &r.now);
	}
	for (unsigned int i = 0; i < 2; i++) {
		struct rrset *rs = zone_set(r.t.a, nm(&r.t, "*.sub.example."), RR_A, 100, span_of(address, 4), nm(&r.t, signer[i]));
		const char *name = NULL;

		rs->rank = RANK_ANSWER_AUTH;
		put_data(&r, rs, BUNDLE_DATA);
		for (char c = 'a'; c <= 'z' && name == NULL; c++) { /* one whose hash is in the gap that is known */
			char text[] = "x.sub.example.";
			struct denied_answer d;

			text[0] = c;
			denials_find(r.d, nm(&r.t, text), RR_A, name_root, r.h, 9, r.t.a, &r.now, &d);
			if (d.what == DENIED_WILDCARD && d.guess)
				name = arena_strdup(r.t.a, text);
		}
		assert_non_null(name);
		assert_int_equal(look(&r, name, RR_A), i == 0 ? LOOKUP_NOTHING : LOOKUP_ANSWER);
	}
	rig_end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_in_gaps_are_denied_with_proofs),
		cmocka_unit_test(those_who_check_for_themselves_get_none),
		cmocka_unit_test(data_at_hand_and_aliases_come_first),
		cmocka_unit_test(an_empty_denial_takes_the_security_of_the_whole),
		cmocka_unit_test(delegations_and_configured_zones_are_out_of_reach),
		cmocka_unit_test(no_such_name_above_does_not_reach_configured_zones),
		cmocka_unit_test(what_is_insecure_by_configuration_is_not_denied),
		cmocka_unit_test(wildcards_answer_for_names_that_are_not_there),
		cmocka_unit_test(a_wildcard_shows_that_the_name_above_exists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
