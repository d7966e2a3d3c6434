#include "tests/unit/validator/obvious_denial.h"
#include "tests/unit/validator/tree_test.h"

static struct tree *t;

static int setup(void **state)
{
	(void)state;
	t = tree_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tree_free(MOVE(t));
	return 0;
}

/* The verdict, asked from an empty memory. */
#define EXPECT(name, type, want_security, want_ede) \
	do { \
		const struct judgement *j_; \
		tree_forget(t); \
		j_ = tree_resolve(t, (name), (type)); \
		assert_non_null(j_); \
		if (j_->security != (want_security) || j_->ede != (want_ede)) \
			fail_msg("%s: security %d, EDE %u: %s", (name), (int)j_->security, j_->ede, j_->text != NULL ? j_->text : ""); \
	} while (0)

static void healthy_data_is_secure(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		t->referrals = i == 0;
		EXPECT("www.example.com.", RR_A, SECURITY_SECURE, 0);
		EXPECT("www.org.", RR_A, SECURITY_SECURE, 0);
		EXPECT("www.signed.org.", RR_A, SECURITY_SECURE, 0);
		EXPECT("www.sub.example.com.", RR_A, SECURITY_SECURE, 0);
		EXPECT(".", RR_SOA, SECURITY_SECURE, 0);
		EXPECT(".", RR_DNSKEY, SECURITY_SECURE, 0);
		EXPECT("example.com.", RR_DNSKEY, SECURITY_SECURE, 0);
		EXPECT("example.com.", RR_DS, SECURITY_SECURE, 0);
		EXPECT("sub.example.com.", RR_DS, SECURITY_SECURE, 0);
		EXPECT("alias.example.com.", RR_A, SECURITY_SECURE, 0);
		EXPECT("www.tree.example.com.", RR_A, SECURITY_SECURE, 0);
		EXPECT("a.wild.example.com.", RR_A, SECURITY_SECURE, 0);
		EXPECT("a.wildalias.example.com.", RR_A, SECURITY_SECURE, 0);
		EXPECT("a.b.wild.signed.org.", RR_A, SECURITY_SECURE, 0);
	}
}

static void denials_are_secure(void **state)
{
	(void)state;
	EXPECT("none.example.com.", RR_A, SECURITY_SECURE, 0);
	EXPECT("a.b.none.signed.org.", RR_A, SECURITY_SECURE, 0);
	EXPECT("www.example.com.", RR_TXT, SECURITY_SECURE, 0);
	EXPECT("www.signed.org.", RR_TXT, SECURITY_SECURE, 0);
	EXPECT("empty.example.com.", RR_A, SECURITY_SECURE, 0);
	EXPECT("empty.signed.org.", RR_A, SECURITY_SECURE, 0);
	EXPECT("nowhere.example.com.", RR_A, SECURITY_SECURE, 0);
	EXPECT("x.wild.example.com.", RR_TXT, SECURITY_SECURE, 0);
	EXPECT("insecure.com.", RR_DS, SECURITY_SECURE, 0);
	EXPECT("www.example.com.", RR_DS, SECURITY_SECURE, 0);
	EXPECT("none.", RR_A, SECURITY_SECURE, 0);
	EXPECT(".", RR_DS, SECURITY_SECURE, 0);
}

static void unsigned_delegations_are_insecure(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		t->referrals = i == 0;
		EXPECT("www.insecure.com.", RR_A, SECURITY_INSECURE, 0);
		EXPECT("none.insecure.com.", RR_A, SECURITY_INSECURE, 0);
		EXPECT("www.insecure.com.", RR_DS, SECURITY_INSECURE, 0);
		EXPECT("www.unsigned.org.", RR_A, SECURITY_INSECURE, 0);
		EXPECT("unsigned.org.", RR_DS, SECURITY_INSECURE, 0);
		EXPECT("www.plain.example.com.", RR_A, SECURITY_INSECURE, 0);
		EXPECT("none.plain.example.com.", RR_A, SECURITY_INSECURE, 0);
		EXPECT("www.island.insecure.com.", RR_A, SECURITY_INSECURE, 0);
		EXPECT("www.unknown.com.", RR_A, SECURITY_INSECURE, EDE_UNSUPPORTED_DNSKEY);
		EXPECT("www.digest.com.", RR_A, SECURITY_INSECURE, EDE_UNSUPPORTED_DS);
		EXPECT("away.example.com.", RR_A, SECURITY_SECURE, 0); /* an alias alone */
		EXPECT("none.org.", RR_A, SECURITY_INSECURE, 0);       /* opt-out */
		assert_int_equal(tree_resolve(t, "none.org.", RR_A)->authority[0].rs->security, SECURITY_INSECURE);
		EXPECT("a.wild.org.", RR_A, SECURITY_INSECURE, 0);     /* opt-out */
	}
}

/* --- broken, one way each */

enum { SPOIL_SIGN, SPOIL_STRIP, SPOIL_DROP, SPOIL_RDATA };

static struct {
	const char *owner; /* of the set; NULL: of any */
	uint16_t type;     /* of the set; 0: any */
	struct tree_how how;
	const char *key_of; /* signed by that zone instead */
	int what;
	bool also;          /* the good signature stays beside it */
} spoil;

static const struct rrset *spoilt(struct tree *tree, const struct rrset *set)
{
	struct name_buf owner = nb(spoil.owner != NULL ? spoil.owner : ".");
	struct tree_zone *z;
	struct rrsig sig;

	if (set->count == 0 || (spoil.type != 0 && set->type != spoil.type) || (spoil.owner != NULL && !name_equal(name_of(&owner), rrset_name(set))))
		return set;
	if (spoil.what == SPOIL_STRIP)
		return tree_unsigned(tree->arena, set);
	if (spoil.what == SPOIL_RDATA) {
		uint8_t other[4] = { 6, 6, 6, 6 };
		struct span rdata[2] = { { other, 4 }, rrset_sig(set, 0) };

		return rrset_make_in(tree->arena, rrset_name(set), set->type, set->rclass, set->ttl, rdata, 1, 1);
	}
	if (set->sigs == 0 || !OK(rrsig_parse(rrset_sig(set, 0), &sig)))
		return set;
	z = spoil.key_of != NULL ? tree_find(tree, spoil.key_of) : tree_home(tree, sig.signer, RR_SOA);
	return tree_sign(tree->arena, spoil.also ? set : tree_unsigned(tree->arena, set), z, spoil.how);
}

static void spoil_section(struct tree *tree, const struct rrset **sets, size_t *n)
{
	size_t kept = 0;

	for (size_t i = 0; i < *n; i++) {
		const struct rrset *s = spoilt(tree, sets[i]);

		if (spoil.what == SPOIL_DROP && (spoil.type == 0 || s->type == spoil.type))
			continue;
		sets[kept++] = s;
	}
	*n = kept;
}

static void spoil_reply(struct tree *tree, struct tree_reply *p)
{
	size_t n = p->r.answers;

	for (size_t i = 0; i < n; i++)
		p->answer[i] = spoilt(tree, p->answer[i]);
	spoil_section(tree, p->authority, &p->r.authorities);
}

static void spoil_with(const char *owner, uint16_t type, struct tree_how how, const char *key_of, int what, bool also)
{
	spoil.owner = owner;
	spoil.type = type;
	spoil.how = how;
	spoil.key_of = key_of;
	spoil.what = what;
	spoil.also = also;
	t->spoil = spoil_reply;
	t->spoil_referral = spoilt;
}
#define SPOIL(owner, type, how) spoil_with((owner), (type), (how), NULL, SPOIL_SIGN, false)
#define SPOIL_AS(owner, type, what) spoil_with((owner), (type), TREE_GOOD, NULL, (what), false)
#define SPOIL_BY(owner, type, zone) spoil_with((owner), (type), TREE_GOOD, (zone), SPOIL_SIGN, false)
#define SPOIL_BESIDE(owner, type, how, zone) spoil_with((owner), (type), (how), (zone), SPOIL_SIGN, true)

#define EXPIRED ((struct tree_how){ TREE_NOW - 86400 * 30, TREE_NOW - 86400 * 5, -1, false })
#define EARLY ((struct tree_how){ TREE_NOW + 86400 * 5, TREE_NOW + 86400 * 30, -1, false })
#define CORRUPT ((struct tree_how){ TREE_NOW - 86400, TREE_NOW + 86400, -1, true })
#define BACKWARDS ((struct tree_how){ TREE_NOW + 86400, TREE_NOW - 86400, -1, false })

static const char *text_of(const char *name, uint16_t type)
{
	const struct judgement *j;

	tree_forget(t);
	j = tree_resolve(t, name, type);
	assert_non_null(j);
	return j->text != NULL ? j->text : "";
}

static void broken_signatures_are_bogus(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		t->referrals = i == 0;
		SPOIL("www.example.com.", RR_A, EXPIRED);
		EXPECT("www.example.com.", RR_A, SECURITY_BOGUS, EDE_SIG_EXPIRED);
		EXPECT("alias.example.com.", RR_A, SECURITY_BOGUS, EDE_SIG_EXPIRED);
		assert_non_null(strstr(text_of("www.example.com.", RR_A), "signature of www.example.com A by example.com (tag "));
		assert_non_null(strstr(text_of("www.example.com.", RR_A), "expired on 2027-01-10 08:00:00"));
		SPOIL("www.example.com.", RR_A, EARLY);
		EXPECT("www.example.com.", RR_A, SECURITY_BOGUS, EDE_SIG_NOT_YET);
		SPOIL("www.example.com.", RR_A, BACKWARDS);
		EXPECT("www.example.com.", RR_A, SECURITY_BOGUS, EDE_SIG_BEFORE_INCEPTION);
		SPOIL("www.example.com.", RR_A, CORRUPT);
		EXPECT("www.example.com.", RR_A, SECURITY_BOGUS, EDE_BOGUS);
		SPOIL_AS("www.example.com.", RR_A, SPOIL_RDATA);
		EXPECT("www.example.com.", RR_A, SECURITY_BOGUS, EDE_BOGUS);
		SPOIL_AS("www.example.com.", RR_A, SPOIL_STRIP);
		EXPECT("www.example.com.", RR_A, SECURITY_BOGUS, EDE_RRSIGS_MISSING);
		assert_non_null(strstr(text_of("www.example.com.", RR_A), "www.example.com A has no signature"));
		SPOIL(NULL, RR_DNSKEY, EXPIRED);
		EXPECT("www.example.com.", RR_A, SECURITY_BOGUS, EDE_SIG_EXPIRED);
		SPOIL("example.com.", RR_DNSKEY, CORRUPT);
		EXPECT("www.example.com.", RR_A, SECURITY_BOGUS, EDE_BOGUS);
		EXPECT("none.example.com.", RR_A, SECURITY_BOGUS, EDE_BOGUS);
		SPOIL_AS("example.com.", RR_DNSKEY, SPOIL_STRIP);
		EXPECT("www.example.com.", RR_A, SECURITY_BOGUS, EDE_RRSIGS_MISSING);
		SPOIL("example.com.", RR_DS, EXPIRED);
		EXPECT("www.example.com.", RR_A, SECURITY_BOGUS, EDE_SIG_EXPIRED);
		SPOIL_AS("example.com.", RR_DS, SPOIL_STRIP);
		EXPECT("www.example.com.", RR_A, SECURITY_BOGUS, EDE_RRSIGS_MISSING);
		SPOIL("example.com.", RR_SOA, EXPIRED);
		EXPECT("none.example.com.", RR_A, SECURITY_BOGUS, EDE_SIG_EXPIRED);
		SPOIL_AS("example.com.", RR_SOA, SPOIL_STRIP);
		EXPECT("none.example.com.", RR_A, SECURITY_BOGUS, EDE_RRSIGS_MISSING);
		SPOIL(NULL, RR_NSEC, CORRUPT);
		EXPECT("none.example.com.", RR_A, SECURITY_BOGUS, EDE_BOGUS);
		EXPECT("www.insecure.com.", RR_A, SECURITY_BOGUS, EDE_BOGUS);
		EXPECT("a.wild.example.com.", RR_A, SECURITY_BOGUS, EDE_BOGUS);
		SPOIL(NULL, RR_NSEC, EXPIRED);
		EXPECT("none.example.com.", RR_A, SECURITY_BOGUS, EDE_SIG_EXPIRED);
		SPOIL_AS(NULL, RR_NSEC, SPOIL_DROP);
		EXPECT("none.example.com.", RR_A, SECURITY_BOGUS, EDE_NSEC_MISSING);
		EXPECT("a.wild.example.com.", RR_A, SECURITY_BOGUS, EDE_BOGUS);
		EXPECT("a.wildalias.example.com.", RR_A, SECURITY_BOGUS, EDE_BOGUS);
		SPOIL_AS(NULL, RR_NSEC, SPOIL_STRIP);
		EXPECT("none.example.com.", RR_A, SECURITY_BOGUS, EDE_RRSIGS_MISSING);
		EXPECT("www.example.com.", RR_TXT, SECURITY_BOGUS, EDE_RRSIGS_MISSING);
		SPOIL_AS(NULL, RR_NSEC3, SPOIL_DROP);
		EXPECT("none.signed.org.", RR_A, SECURITY_BOGUS, EDE_NSEC_MISSING);
		SPOIL("tree.example.com.", RR_DNAME, CORRUPT);
		EXPECT("www.tree.example.com.", RR_A, SECURITY_BOGUS, EDE_BOGUS);
		SPOIL_AS("alias.example.com.", RR_CNAME, SPOIL_STRIP);
		EXPECT("alias.example.com.", RR_A, SECURITY_BOGUS, EDE_RRSIGS_MISSING);
	}
}

/* A bad signature beside a good one does no harm. */
static void one_good_signature_is_enough(void **state)
{
	(void)state;
	SPOIL_BESIDE("www.example.com.", RR_A, CORRUPT, NULL);
	EXPECT("www.example.com.", RR_A, SECURITY_SECURE, 0);
	SPOIL_BESIDE("www.example.com.", RR_A, EXPIRED, NULL);
	EXPECT("www.example.com.", RR_A, SECURITY_SECURE, 0);
	SPOIL_BESIDE("www.example.com.", RR_A, TREE_GOOD, "com.");
	EXPECT("www.example.com.", RR_A, SECURITY_SECURE, 0);
}

static void signers_on_the_wrong_side_do_not_count(void **state)
{
	(void)state;
	/* A zone above signs what is not its own any more. */
	SPOIL_BY("www.example.com.", RR_A, "com.");
	EXPECT("www.example.com.", RR_A, SECURITY_BOGUS, EDE_BOGUS);
	SPOIL_BY("www.sub.example.com.", RR_A, "example.com.");
	EXPECT("sub.example.com.", RR_DS, SECURITY_SECURE, 0); /* now it is known to be a zone */
	tree_resolve(t, "sub.example.com.", RR_DNSKEY);
	assert_int_equal(tree_resolve(t, "www.sub.example.com.", RR_A)->security, SECURITY_BOGUS);
	/* A child signs its parent's data. */
	SPOIL_BY("example.com.", RR_DS, "example.com.");
	EXPECT("www.example.com.", RR_A, SECURITY_BOGUS, EDE_BOGUS);
	/* Somebody aside. */
	SPOIL_BY("www.example.com.", RR_A, "signed.org.");
	EXPECT("www.example.com.", RR_A, SECURITY_BOGUS, EDE_BOGUS);
	/* Fewer labels than the signer has: a wildcard of the parent (attack D8). */
	SPOIL("www.example.com.", RR_A, ((struct tree_how){ TREE_NOW - 86400, TREE_NOW + 86400, 1, false }));
	EXPECT("www.example.com.", RR_A, SECURITY_BOGUS, EDE_BOGUS);
}

/* What a wildcard may not make, however well it is signed (RFC 6672 section 3.3 for DNAME); of the rest the name's absence is to be proven. */
static void not_all_is_expanded(void **state)
{
	const struct tree_how starred = { TREE_NOW - 86400, TREE_NOW + 86400, 2, false };

	(void)state;
	SPOIL("www.example.com.", RR_A, starred);
	EXPECT("www.example.com.", RR_A, SECURITY_BOGUS, EDE_BOGUS);
	assert_non_null(strstr(text_of("www.example.com.", RR_A), "denial by example.com"));
	SPOIL("tree.example.com.", RR_DNAME, starred);
	EXPECT("www.tree.example.com.", RR_A, SECURITY_BOGUS, EDE_BOGUS);
	assert_non_null(strstr(text_of("www.tree.example.com.", RR_A), "impossible label count"));
	SPOIL("sub.example.com.", RR_DS, starred);
	EXPECT("sub.example.com.", RR_DS, SECURITY_BOGUS, EDE_BOGUS);
	SPOIL("example.com.", RR_DS, ((struct tree_how){ TREE_NOW - 86400, TREE_NOW + 86400, 1, false }));
	EXPECT("www.example.com.", RR_A, SECURITY_BOGUS, EDE_BOGUS);
	SPOIL(NULL, RR_NSEC, starred);
	EXPECT("none.example.com.", RR_A, SECURITY_BOGUS, EDE_BOGUS);
}

static void other_alias(struct tree *tree, struct tree_reply *p)
{
	struct name_buf to = nb("leaf.empty.example.com.");
	struct span rdata = { to.b, to.len };

	if (p->r.answers > 1 && p->answer[0]->type == RR_DNAME)
		p->answer[1] = rrset_make_in(tree->arena, rrset_name(p->answer[1]), RR_CNAME, CLASS_IN, 3600, &rdata, 1, 0);
}

/* That a zone might begin where the one above denies with too many iterations is a guess: what that one signed at the very name says more. */
static void signatures_refute_what_was_only_possible(void **state)
{
	const struct judgement *j;

	(void)state;
	tree_find(t, "signed.org.")->iterations = 500;
	tree_forget(t);
	j = tree_resolve(t, "www.signed.org.", RR_DS);
	assert_int_equal(j->security, SECURITY_INSECURE);
	assert_int_equal(j->ede, EDE_NSEC3_ITERATIONS);
	j = tree_resolve(t, "www.signed.org.", RR_A);
	assert_int_equal(j->security, SECURITY_SECURE);
	SPOIL("www.signed.org.", RR_A, CORRUPT);
	assert_int_equal(tree_resolve(t, "www.signed.org.", RR_A)->security, SECURITY_BOGUS);
	SPOIL_AS("www.signed.org.", RR_A, SPOIL_STRIP);
	assert_int_equal(tree_resolve(t, "www.signed.org.", RR_A)->security, SECURITY_INSECURE);
}

/* A CNAME beside a DNAME counts only as what that makes of the name. */
static void aliases_are_what_their_dname_makes(void **state)
{
	(void)state;
	t->spoil = other_alias;
	EXPECT("www.tree.example.com.", RR_A, SECURITY_BOGUS, EDE_RRSIGS_MISSING);
}

/* The deepest anchor above a name decides (attack D15). */
static void islands_are_not_bypassed(void **state)
{
	(void)state;
	tree_configure(t, TEXTS(".", "island.insecure.com."), NULL);
	EXPECT("www.island.insecure.com.", RR_A, SECURITY_SECURE, 0);
	EXPECT("island.insecure.com.", RR_DS, SECURITY_INSECURE, 0);
	assert_int_equal(tree_resolve(t, "www.island.insecure.com.", RR_A)->security, SECURITY_SECURE);
	tree_new_key(t, tree_find(t, "unknown.com."));
	/* Signed by the insecure parent: no way out. */
	tree_find(t, "insecure.com.")->key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	SPOIL_BY("www.island.insecure.com.", RR_A, "insecure.com.");
	EXPECT("www.island.insecure.com.", RR_A, SECURITY_BOGUS, EDE_BOGUS);
	SPOIL_BY("www.island.insecure.com.", RR_A, "com.");
	EXPECT("www.island.insecure.com.", RR_A, SECURITY_BOGUS, EDE_BOGUS);
	SPOIL_AS("www.island.insecure.com.", RR_A, SPOIL_STRIP);
	EXPECT("www.island.insecure.com.", RR_A, SECURITY_BOGUS, EDE_RRSIGS_MISSING);
	/* Without an anchor above. */
	tree_configure(t, TEXTS("island.insecure.com."), NULL);
	EXPECT("www.island.insecure.com.", RR_A, SECURITY_BOGUS, EDE_RRSIGS_MISSING);
	EXPECT("www.example.com.", RR_A, SECURITY_INDETERMINATE, 0);
	EXPECT("none.example.com.", RR_A, SECURITY_INDETERMINATE, 0);
	SPOIL_BY("www.island.insecure.com.", RR_A, "com.");
	EXPECT("www.island.insecure.com.", RR_A, SECURITY_BOGUS, EDE_BOGUS);
}

static void configuration_makes_insecure(void **state)
{
	struct name_buf n = nb("example.com.");

	(void)state;
	tree_configure(t, TEXTS("."), TEXTS("example.com."));
	SPOIL(NULL, 0, CORRUPT);
	EXPECT("www.example.com.", RR_A, SECURITY_INSECURE, 0);
	EXPECT("none.example.com.", RR_A, SECURITY_INSECURE, 0);
	EXPECT("example.com.", RR_DNSKEY, SECURITY_INSECURE, 0);
	EXPECT("example.com.", RR_DS, SECURITY_BOGUS, EDE_BOGUS); /* the parent's */
	assert_string_equal(text_of("www.example.com.", RR_A), "domain-insecure: example.com");
	tree_configure(t, TEXTS("."), NULL);
	EXPECT("www.example.com.", RR_A, SECURITY_BOGUS, EDE_BOGUS);
	assert_ok(ntas_set(t->ntas, name_of(&n), 3600, TREE_NOW));
	EXPECT("www.example.com.", RR_A, SECURITY_INSECURE, EDE_NEGATIVE_ANCHOR);
	EXPECT("www.sub.example.com.", RR_A, SECURITY_INSECURE, EDE_NEGATIVE_ANCHOR);
}

static void anchors_may_be_keys(void **state)
{
	struct tree_zone *z = tree_find(t, "example.com.");

	(void)state;
	anchors_free(MOVE(t->anchors));
	t->anchors = anchors_new();
	assert_ok(anchors_add(t->anchors, name_of(&z->name), RR_DNSKEY, z->dnskey));
	assert_ok(anchors_seal(t->anchors));
	EXPECT("www.example.com.", RR_A, SECURITY_SECURE, 0);
	EXPECT("www.sub.example.com.", RR_A, SECURITY_SECURE, 0);
	tree_new_key(t, z);
	EXPECT("www.example.com.", RR_A, SECURITY_BOGUS, EDE_DNSKEY_MISSING);
	t->policy.stripped_is_bogus = false;
	EXPECT("www.example.com.", RR_A, SECURITY_INSECURE, 0);
}

static void keys_that_do_not_match_are_told(void **state)
{
	struct tree_zone *z = tree_find(t, "example.com.");

	(void)state;
	z->ds_text = "12345 15 2 0000000000000000000000000000000000000000000000000000000000000000";
	EXPECT("www.example.com.", RR_A, SECURITY_BOGUS, EDE_DNSKEY_MISSING);
	assert_string_equal(text_of("www.example.com.", RR_A), "DNSKEY RRset of example.com: no key matches the DS with tag 12345 (algorithm 15)");
	z->ds_text = NULL;
	EXPECT("www.example.com.", RR_A, SECURITY_SECURE, 0);
}

/* Nothing lives longer than the signatures that it rests on (RFC 4035 section 5.3.3). */
static void lives_end_with_signatures(void **state)
{
	const struct judgement *j;

	(void)state;
	SPOIL("www.example.com.", RR_A, ((struct tree_how){ TREE_NOW - 86400, TREE_NOW + 100, -1, false }));
	tree_forget(t);
	j = tree_resolve(t, "www.example.com.", RR_A);
	assert_int_equal(j->answer[0].rs->ttl, 100);
	assert_int_equal(j->answer[0].rs->security, SECURITY_SECURE);
	SPOIL(NULL, RR_NSEC, ((struct tree_how){ TREE_NOW - 86400, TREE_NOW + 50, -1, false }));
	tree_forget(t);
	j = tree_resolve(t, "none.example.com.", RR_A);
	assert_int_equal(j->denial, DENIAL_PROVEN_NXDOMAIN);
	assert_int_equal(j->authority[0].rs->type, RR_SOA);
	assert_int_equal(j->authority[0].rs->ttl, 50);
	j = tree_resolve(t, "a.wild.example.com.", RR_A);
	assert_int_equal(j->answer[0].rs->ttl, 50);
	assert_int_equal(j->denial, DENIAL_WILDCARD_ANSWER);
	assert_string_equal(chain_name_text(t->arena, j->answer[0].source), "*.wild.example.com");
	tree_resolve(t, "insecure.com.", RR_DS);
	assert_int_equal(t->known[t->knowns - 1]->state, TRUST_INSECURE);
	assert_int_equal(t->known[t->knowns - 1]->ttl, 50);
	SPOIL("example.com.", RR_DS, ((struct tree_how){ TREE_NOW - 86400, TREE_NOW + 70, -1, false }));
	tree_forget(t);
	tree_resolve(t, "www.example.com.", RR_A);
	assert_int_equal(t->known[t->knowns - 1]->state, TRUST_KEYS); /* of example.com */
	assert_int_equal(t->known[t->knowns - 1]->ttl, 70);
}

/* What is known to be secure is not looked at again, and teaches what it taught. */
static void secure_sets_are_taken_as_they_are(void **state)
{
	static const struct {
		const char *name;
		uint16_t type;
		enum trust_state teaches;
	} cases[] = { { "example.com.", RR_DS, TRUST_DS }, { "example.com.", RR_DNSKEY, TRUST_KEYS }, { "insecure.com.", RR_DS, TRUST_INSECURE },
		{ "www.example.com.", RR_DS, TRUST_NO_CUT }, { "none.example.com.", RR_DS, TRUST_NO_NAME } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct judgement *j;
		struct tree_reply p;
		struct name_buf name = nb(cases[i].name);
		struct name at = name_of(&name);

		(void)tree_resolve(t, "www.example.com.", RR_A);
		tree_serve(t, at, cases[i].type, &p);
		for (size_t k = 0; k < p.r.answers + p.r.authorities; k++) {
			const struct rrset **set = k < p.r.answers ? &p.answer[k] : &p.authority[k - p.r.answers];
			struct rrset *copy = rrset_copy_in(t->arena, *set);

			copy->security = SECURITY_SECURE;
			*set = copy;
		}
		while (t->knowns > 0 && name_equal(name_of(&t->known[t->knowns - 1]->zone), at))
			trust_unref(MOVE(t->known[--t->knowns]));
		mem_fail_hold(true);
		j = tree_judge(t, &p.r);
		mem_fail_hold(false);
		assert_int_equal(j->security, SECURITY_SECURE);
		assert_int_equal(t->known[t->knowns - 1]->state, cases[i].teaches);
		assert_true(name_equal(name_of(&t->known[t->knowns - 1]->zone), at));
	}
}

/* ANY: each set on its own; signatures alone are nothing that could be signed. */
static void questions_of_many_types(void **state)
{
	struct name_buf name = nb("example.com.");
	const struct judgement *j;
	struct tree_reply p;
	struct tree_zone *z = tree_find(t, "example.com.");

	(void)state;
	memset(&p, 0, sizeof p);
	p.r = (struct judge_reply){ .name = name_of(&name), .type = RR_ANY, .kind = JUDGE_ANSWER, .final = name_of(&name), .zone = name_of(&name), .answer = p.answer,
		.authority = p.authority };
	p.answer[p.r.answers++] = tree_set(t, z, name_of(&name), RR_SOA);
	p.answer[p.r.answers++] = tree_set(t, z, name_of(&name), RR_MX);
	p.answer[p.r.answers++] = tree_set(t, z, name_of(&name), RR_DNSKEY);
	mem_fail_hold(true);
	j = tree_judge(t, &p.r);
	assert_int_equal(j->security, SECURITY_SECURE);
	p.answer[p.r.answers] = rrset_make_in(t->arena, name_of(&name), RR_NSEC, CLASS_IN, 60, (struct span[]){ rrset_sig(p.answer[0], 0) }, 0, 1);
	p.r.answers++;
	j = tree_judge(t, &p.r);
	assert_int_equal(j->security, SECURITY_SECURE);
	assert_null(j->answer[3].rs);
	p.answer[1] = tree_unsigned(t->arena, p.answer[1]);
	j = tree_judge(t, &p.r);
	assert_int_equal(j->security, SECURITY_BOGUS);
	assert_int_equal(j->ede, EDE_RRSIGS_MISSING);
	p.r.type = RR_RRSIG;
	p.answer[0] = p.answer[3];
	p.r.answers = 1;
	j = tree_judge(t, &p.r);
	assert_int_equal(j->security, SECURITY_INDETERMINATE);
	assert_int_equal(j->ede, 0);
	mem_fail_hold(false);
	EXPECT("www.example.com.", RR_RRSIG, SECURITY_INDETERMINATE, 0);
	EXPECT("none.example.com.", RR_RRSIG, SECURITY_SECURE, 0);
	EXPECT("empty.signed.org.", RR_ANY, SECURITY_SECURE, 0);
}

/* Data that nobody asked for goes when it is not secure, and harms nothing. */
static void what_stands_beside_is_dropped_when_it_is_not_secure(void **state)
{
	struct name_buf name = nb("www.example.com."), apex = nb("example.com.");
	struct tree_zone *z = tree_find(t, "example.com.");
	const struct judgement *j;
	struct tree_reply p;

	(void)state;
	tree_resolve(t, "www.example.com.", RR_A);
	tree_serve(t, name_of(&name), RR_A, &p);
	p.authority[p.r.authorities++] = tree_set(t, z, name_of(&apex), RR_NS);
	p.authority[p.r.authorities++] = tree_unsigned(t->arena, p.authority[0]);
	mem_fail_hold(true);
	j = tree_judge(t, &p.r);
	mem_fail_hold(false);
	assert_int_equal(j->security, SECURITY_SECURE);
	assert_int_equal(j->authority[0].rs->security, SECURITY_SECURE);
	assert_null(j->authority[1].rs);
}

static bool compact_by_nsec3;

static void compact_denial(struct tree *tree, struct tree_reply *p)
{
	char owner[NAME_TEXT], next[NAME_TEXT + 64];
	struct tree_zone *z = tree_home(tree, p->r.final, p->r.type);

	if (p->r.kind != JUDGE_NXDOMAIN)
		return;
	if (compact_by_nsec3) { /* that it covers all other names as well is of no use to it */
		char zone[NAME_TEXT], label[33];
		uint8_t hash[20];

		obvious_nsec3_label(p->r.final, span_of(NULL, 0), 0, hash, label);
		snprintf(owner, sizeof owner, "%s.%s", label, name_to_text(name_of(&z->name), zone));
		snprintf(next, sizeof next, "1 0 0 - %s NXNAME", label);
	} else {
		name_to_text(p->r.final, owner);
		snprintf(next, sizeof next, "\\000.%s RRSIG NSEC NXNAME", owner);
	}
	p->r.kind = JUDGE_NODATA;
	p->r.authorities = 2;
	p->authority[1] = tree_sign(tree->arena, signed_set(tree->arena, owner, compact_by_nsec3 ? RR_NSEC3 : RR_NSEC, 3600, TEXTS(next), NULL), z, TREE_GOOD);
}

/* RFC 9824: NODATA whose NSEC or NSEC3 says that the name is not there. */
static void compact_denial_is(bool by_nsec3)
{
	const struct judgement *j;

	compact_by_nsec3 = by_nsec3;
	t->spoil = compact_denial;
	EXPECT("none.example.com.", RR_A, SECURITY_SECURE, 0);
	j = tree_resolve(t, "none.example.com.", RR_A);
	assert_int_equal(j->denial, DENIAL_PROVEN_NXDOMAIN);
	tree_resolve(t, "none.example.com.", RR_DS);
	assert_int_equal(t->known[t->knowns - 1]->state, TRUST_NO_NAME);
}

static void compact_denial_is_a_denial(void **state)
{
	(void)state;
	compact_denial_is(false);
}

static void compact_denial_by_nsec3_is_a_denial(void **state)
{
	(void)state;
	compact_denial_is(true);
}

static bool mute_keys(struct name name, uint16_t type)
{
	return type == RR_DNSKEY && name.labels == 2;
}
static bool mute_ds(struct name name, uint16_t type)
{
	return type == RR_DS && name.labels == 2;
}

static void unanswered_questions_are_bogus(void **state)
{
	(void)state;
	t->mute = mute_keys;
	EXPECT("www.example.com.", RR_A, SECURITY_BOGUS, EDE_DNSKEY_MISSING);
	assert_string_equal(text_of("www.example.com.", RR_A), "no answer that can be believed for example.com DNSKEY");
	t->mute_ede = EDE_NO_REACHABLE;
	EXPECT("www.example.com.", RR_A, SECURITY_BOGUS, EDE_NO_REACHABLE);
	EXPECT("www.insecure.com.", RR_A, SECURITY_INSECURE, 0);
	t->mute = mute_ds;
	EXPECT("www.example.com.", RR_A, SECURITY_SECURE, 0);
	t->referrals = false;
	EXPECT("www.example.com.", RR_A, SECURITY_BOGUS, EDE_NO_REACHABLE);
	EXPECT("www.insecure.com.", RR_A, SECURITY_BOGUS, EDE_NO_REACHABLE);
}

/* However small the turns are, the verdict is the same, if each holds its dearest step. */
static void work_may_be_cut_in_slices(void **state)
{
	static const struct {
		const char *name;
		uint16_t type;
		enum security want;
	} cases[] = {
		{ "www.example.com.", RR_A, SECURITY_SECURE }, { "a.wild.example.com.", RR_A, SECURITY_SECURE }, { "none.example.com.", RR_A, SECURITY_SECURE },
		{ "a.b.none.signed.org.", RR_A, SECURITY_SECURE }, { "www.plain.example.com.", RR_A, SECURITY_INSECURE },
		{ "www.unsigned.org.", RR_A, SECURITY_INSECURE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		unsigned int whole;

		tree_forget(t);
		t->slice = 0;
		assert_int_equal(tree_resolve(t, cases[i].name, cases[i].type)->security, cases[i].want);
		whole = t->runs;
		tree_forget(t);
		t->slice = 8000;
		assert_int_equal(tree_resolve(t, cases[i].name, cases[i].type)->security, cases[i].want);
		assert_true(t->runs >= whole);
		assert_true(t->runs > whole || cases[i].type != RR_A || cases[i].name[0] != 'n');
		tree_forget(t);
		t->slice = 1;
		assert_null(tree_resolve(t, cases[i].name, cases[i].type)); /* no verdict */
	}
}

/* Keys that are not kept cannot be asked for without end. */
static void what_is_not_kept_ends(void **state)
{
	(void)state;
	t->forget = true;
	assert_null(tree_resolve(t, "www.example.com.", RR_A));
	assert_true(t->questions < 100);
}

/* Memory that runs out is no verdict. */
static void memory_may_run_out(void **state)
{
	static const char *const names[] = { "www.example.com.", "none.signed.org.", "www.unsigned.org.", "a.wild.example.com.", "www.plain.example.com." };

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		enum security want;

		tree_forget(t);
		want = tree_resolve(t, names[i], RR_A)->security;
		for (unsigned int n = 1;; n++) {
			const struct judgement *j;
			bool failed;

			tree_forget(t);
			mem_fail_at(n, false);
			j = tree_resolve(t, names[i], RR_A);
			failed = mem_failed();
			mem_fail_at(0, false);
			if (j != NULL)
				assert_int_equal(j->security, want);
			if (!failed)
				break;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(healthy_data_is_secure, setup, teardown),
		cmocka_unit_test_setup_teardown(denials_are_secure, setup, teardown),
		cmocka_unit_test_setup_teardown(unsigned_delegations_are_insecure, setup, teardown),
		cmocka_unit_test_setup_teardown(broken_signatures_are_bogus, setup, teardown),
		cmocka_unit_test_setup_teardown(one_good_signature_is_enough, setup, teardown),
		cmocka_unit_test_setup_teardown(signers_on_the_wrong_side_do_not_count, setup, teardown),
		cmocka_unit_test_setup_teardown(not_all_is_expanded, setup, teardown),
		cmocka_unit_test_setup_teardown(signatures_refute_what_was_only_possible, setup, teardown),
		cmocka_unit_test_setup_teardown(aliases_are_what_their_dname_makes, setup, teardown),
		cmocka_unit_test_setup_teardown(islands_are_not_bypassed, setup, teardown),
		cmocka_unit_test_setup_teardown(configuration_makes_insecure, setup, teardown),
		cmocka_unit_test_setup_teardown(anchors_may_be_keys, setup, teardown),
		cmocka_unit_test_setup_teardown(keys_that_do_not_match_are_told, setup, teardown),
		cmocka_unit_test_setup_teardown(lives_end_with_signatures, setup, teardown),
		cmocka_unit_test_setup_teardown(secure_sets_are_taken_as_they_are, setup, teardown),
		cmocka_unit_test_setup_teardown(questions_of_many_types, setup, teardown),
		cmocka_unit_test_setup_teardown(what_stands_beside_is_dropped_when_it_is_not_secure, setup, teardown),
		cmocka_unit_test_setup_teardown(compact_denial_is_a_denial, setup, teardown),
		cmocka_unit_test_setup_teardown(compact_denial_by_nsec3_is_a_denial, setup, teardown),
		cmocka_unit_test_setup_teardown(unanswered_questions_are_bogus, setup, teardown),
		cmocka_unit_test_setup_teardown(work_may_be_cut_in_slices, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_not_kept_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(memory_may_run_out, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
