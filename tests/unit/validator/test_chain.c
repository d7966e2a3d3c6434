#include "tests/unit/validator/tree_test.h"

static struct tree *t;
static struct tree_asker asker;
static struct work work;

static int setup(void **state)
{
	(void)state;
	t = tree_new();
	asker = (struct tree_asker){ .t = t };
	work.left = 10000000;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tree_free(MOVE(t));
	return 0;
}

static struct name zone_name(const char *text)
{
	struct name_buf *b = arena_alloc(t->arena, sizeof *b);

	*b = nb(text);
	return name_of(b);
}

static void learn_it(enum trust_state s, const char *zone)
{
	tree_learn(&asker, trust_new(s, zone_name(zone), 60, NULL, NULL, 0, NULL));
}

static void assert_asks(const struct chain_step *s, const char *name, uint16_t type)
{
	char text[NAME_TEXT];

	assert_int_equal(s->what, CHAIN_ASK);
	assert_string_equal(name_to_text(s->name, text), name);
	assert_int_equal(s->type, type);
}

/* One step, with its reference given back. */
static struct chain_step step(const char *zone, enum trust_state *ret)
{
	struct chain_env e = tree_env(t, &asker, &work);
	struct chain_step s;

	chain_zone(&e, zone_name(zone), &s);
	if (s.what == CHAIN_KNOWN)
		*ret = s.trust->state;
	chain_step_done(&s);
	return s;
}

static struct chain_step step_of(const char *owner, uint16_t type, enum trust_state *ret)
{
	struct chain_env e = tree_env(t, &asker, &work);
	struct chain_step s;

	chain_zone_of(&e, zone_name(owner), type, &s);
	if (s.what == CHAIN_KNOWN)
		*ret = s.trust->state;
	chain_step_done(&s);
	return s;
}

static void zones_are_walked_from_the_anchor(void **state)
{
	enum trust_state s = TRUST_NONE;
	const struct trust *known;
	struct chain_step got;

	(void)state;
	got = step("example.com.", &s);
	assert_asks(&got, ".", RR_DNSKEY);
	tree_resolve(t, ".", RR_DNSKEY);
	got = step("example.com.", &s); /* the referral has the DS RRset */
	assert_asks(&got, "com.", RR_DNSKEY);
	tree_resolve(t, "com.", RR_DNSKEY);
	got = step("example.com.", &s);
	assert_asks(&got, "example.com.", RR_DNSKEY);
	assert_int_equal(step("insecure.com.", &s).what, CHAIN_KNOWN); /* its proof came along */
	assert_int_equal(s, TRUST_INSECURE);
	tree_resolve(t, "example.com.", RR_DNSKEY);
	assert_int_equal(step("example.com.", &s).what, CHAIN_KNOWN);
	assert_int_equal(s, TRUST_KEYS);
	known = tree_known(&asker, zone_name("example.com."));
	assert_true(known != NULL && known->ttl == 3600);
	assert_int_equal(step("www.insecure.com.", &s).what, CHAIN_KNOWN);
	assert_int_equal(s, TRUST_INSECURE);
}

static void without_referrals_the_ds_is_asked_for(void **state)
{
	enum trust_state s = TRUST_NONE;
	struct chain_step got;

	(void)state;
	t->referrals = false;
	tree_resolve(t, ".", RR_DNSKEY);
	got = step("example.com.", &s);
	assert_asks(&got, "com.", RR_DS);
	tree_resolve(t, "com.", RR_DS);
	got = step("example.com.", &s);
	assert_asks(&got, "com.", RR_DNSKEY);
	tree_resolve(t, "com.", RR_DNSKEY);
	got = step("insecure.com.", &s);
	assert_asks(&got, "insecure.com.", RR_DS);
	tree_resolve(t, "insecure.com.", RR_DS);
	assert_int_equal(step("insecure.com.", &s).what, CHAIN_KNOWN);
	assert_int_equal(s, TRUST_INSECURE);
}

/* What a zone's name is not, counts not. */
static void names_that_are_no_zones_are_passed_over(void **state)
{
	enum trust_state s = TRUST_NONE;

	(void)state;
	tree_resolve(t, "www.example.com.", RR_A);
	learn_it(TRUST_NO_CUT, "www.example.com.");
	assert_int_equal(step("www.example.com.", &s).what, CHAIN_KNOWN);
	assert_int_equal(s, TRUST_NO_CUT);
	learn_it(TRUST_NO_NAME, "none.example.com.");
	step("none.example.com.", &s);
	assert_int_equal(s, TRUST_NO_NAME);
	assert_int_equal(step_of("www.example.com.", RR_A, &s).what, CHAIN_KNOWN);
	assert_int_equal(s, TRUST_KEYS);
	assert_int_equal(step_of("a.b.none.example.com.", RR_A, &s).what, CHAIN_KNOWN); /* nothing below it is looked at */
	assert_int_equal(s, TRUST_KEYS);
	assert_int_equal(step_of("www.example.com.", RR_DS, &s).what, CHAIN_KNOWN);
	assert_int_equal(s, TRUST_KEYS);
}

static void the_search_for_cuts_goes_down_by_labels_and_ends(void **state)
{
	enum trust_state s = TRUST_NONE;
	struct chain_step got;
	char name[NAME_TEXT];

	(void)state;
	tree_resolve(t, "www.example.com.", RR_A);
	got = step_of("www.plain.example.com.", RR_A, &s);
	assert_asks(&got, "plain.example.com.", RR_DS);
	tree_resolve(t, "plain.example.com.", RR_DS);
	assert_int_equal(step_of("www.plain.example.com.", RR_A, &s).what, CHAIN_KNOWN);
	assert_int_equal(s, TRUST_INSECURE);
	got = step_of("www.sub.example.com.", RR_A, &s);
	assert_asks(&got, "sub.example.com.", RR_DS);
	tree_resolve(t, "sub.example.com.", RR_DS);
	got = step_of("www.sub.example.com.", RR_A, &s);
	assert_asks(&got, "sub.example.com.", RR_DNSKEY);
	/* Not for ever. */
	strcpy(name, "example.com.");
	for (unsigned int i = 0; i < VAL_MAX_PROBES; i++) {
		memmove(name + 2, name, strlen(name) + 1);
		memcpy(name, "a.", 2);
		got = step_of(name, RR_A, &s);
		assert_asks(&got, name, RR_DS);
		learn_it(TRUST_NO_CUT, name);
	}
	memmove(name + 4, name, strlen(name) + 1);
	memcpy(name, "b.b.", 4);
	assert_int_equal(step_of(name, RR_A, &s).what, CHAIN_KNOWN);
	assert_int_equal(s, TRUST_KEYS);
}

static void questions_that_failed_are_told(void **state)
{
	enum trust_state s = TRUST_NONE;
	struct chain_step got;

	(void)state;
	asker.failures[asker.n++] = (struct tree_failure){ zone_name("example.com."), RR_DNSKEY, 0, NULL };
	asker.failures[asker.n++] = (struct tree_failure){ zone_name("digest.com."), RR_DS, EDE_NO_REACHABLE, "nobody there" };
	asker.failures[asker.n++] = (struct tree_failure){ zone_name("unknown.com."), RR_DS, EDE_SIG_EXPIRED, "the signature of something" };
	tree_resolve(t, "com.", RR_DNSKEY);
	got = step("example.com.", &s);
	assert_int_equal(got.what, CHAIN_BOGUS);
	assert_int_equal(got.ede, EDE_DNSKEY_MISSING);
	got = step("www.example.com.", &s); /* and so for all below it */
	assert_int_equal(got.what, CHAIN_BOGUS);
	got = step("digest.com.", &s);
	assert_int_equal(got.what, CHAIN_BOGUS);
	assert_int_equal(got.ede, EDE_NO_REACHABLE);
	assert_string_equal(got.text, "digest.com DS: nobody there");
	got = step("unknown.com.", &s);
	assert_string_equal(got.text, "the signature of something");
}

/* A walk that had to stop goes on where it stopped. */
static void referrals_are_verified_once(void **state)
{
	struct chain_memo memo = { .first = NULL };
	struct chain_env e;
	struct chain_step s;
	unsigned int runs = 0;

	(void)state;
	tree_resolve(t, "com.", RR_DNSKEY);
	do {
		struct work little = { WORK_ED25519 + 500 };

		e = tree_env(t, &asker, &little);
		e.memo = &memo;
		chain_zone(&e, zone_name("insecure.com."), &s);
		runs++;
	} while (s.what == CHAIN_WORK && runs < 100);
	assert_int_equal(s.what, CHAIN_KNOWN);
	assert_int_equal(s.trust->state, TRUST_INSECURE);
	assert_in_range(runs, 2, 8); /* one for each NSEC */
	chain_step_done(&s);
}

/* --- keys */

static struct result keys(const struct rrset *set, const struct rrset *ds, const struct anchor_zone *anchor, struct chain_step *ret)
{
	struct chain_env e = tree_env(t, &asker, &work);
	struct sig_report report = { 0 };

	return chain_keys(&e, set, ds, anchor, &report, ret);
}

static const struct rrset *keys_of(const char *zone)
{
	return tree_set(t, tree_find(t, zone), name_of(&tree_find(t, zone)->name), RR_DNSKEY);
}

static void keys_are_vouched_for_by_ds(void **state)
{
	const struct rrset *set = keys_of("example.com."), *ds = tree_ds(t, tree_find(t, "example.com."));
	struct chain_step s;

	(void)state;
	assert_ok(keys(set, ds, NULL, &s));
	assert_int_equal(s.trust->state, TRUST_KEYS);
	assert_true(rrset_same_data(s.trust->ds, ds));
	chain_step_done(&s);
	assert_err(keys(set, tree_ds(t, tree_find(t, "com.")), NULL, &s), ERR_REFUSED);
	assert_int_equal(s.ede, EDE_DNSKEY_MISSING);
	assert_err(keys(tree_unsigned(t->arena, set), ds, NULL, &s), ERR_REFUSED);
	assert_int_equal(s.ede, EDE_RRSIGS_MISSING);
	work.left = 10;
	assert_err(keys(set, ds, NULL, &s), ERR_BUDGET);
	work.left = WORK_KEY_MADE + WORK_DIGEST;
	assert_err(keys(set, ds, NULL, &s), ERR_BUDGET);
}

/* RFC 5011 section 2.1: such a key validates nothing. */
static void revoked_keys_vouch_for_nothing(void **state)
{
	struct tree_zone *z = tree_find(t, "example.com.");
	uint8_t *rdata = arena_dup(t->arena, z->dnskey.p, z->dnskey.n);
	struct chain_step s;

	(void)state;
	rdata[1] |= DNSKEY_REVOKE;
	z->dnskey.p = rdata;
	z->tag = dnskey_tag(z->dnskey);
	assert_err(keys(keys_of("example.com."), tree_ds(t, z), NULL, &s), ERR_REFUSED);
	assert_int_equal(s.ede, EDE_DNSKEY_MISSING);
	assert_non_null(strstr(s.text, "revoked"));
}

static void keys_of_anchors_are_found(void **state)
{
	const struct anchor_zone *root = anchors_find(t->anchors, zone_name("example.")).keys;
	AUTO(anchors_free) struct anchors *old = anchors_new();
	struct span strange = rdata_of(t->arena, RR_DS, "1 253 2 0000000000000000000000000000000000000000000000000000000000000000");
	struct chain_step s;

	(void)state;
	assert_ok(keys(keys_of("."), NULL, root, &s));
	assert_int_equal(s.trust->state, TRUST_KEYS);
	assert_null(s.trust->ds);
	chain_step_done(&s);
	tree_new_key(t, tree_find(t, "."));
	assert_err(keys(keys_of("."), NULL, root, &s), ERR_REFUSED);
	assert_non_null(strstr(s.text, "trust anchor"));
	t->policy.stripped_is_bogus = false;
	assert_ok(keys(keys_of("."), NULL, root, &s));
	assert_int_equal(s.trust->state, TRUST_INSECURE);
	chain_step_done(&s);
	/* An anchor that nobody can follow. */
	assert_ok(anchors_add(old, name_root, RR_DS, strange));
	assert_ok(anchors_seal(old));
	assert_ok(keys(keys_of("."), NULL, anchors_find(old, name_root).keys, &s));
	assert_int_equal(s.trust->state, TRUST_INSECURE);
	assert_int_equal(s.trust->ede, EDE_UNSUPPORTED_DNSKEY);
	chain_step_done(&s);
}

/* harden-algo-downgrade: what the DS RRset announces must all be there. */
static void all_algorithms_may_be_wanted(void **state)
{
	struct tree_zone *z = tree_find(t, "example.com.");
	struct span ds[2] = { tree_ds_rdata(t, z), rdata_of(t->arena, RR_DS, DS_RFC6605_13) };
	struct rrset *both = rrset_make_in(t->arena, name_of(&z->name), RR_DS, CLASS_IN, 3600, ds, 2, 0);
	struct chain_step s;

	(void)state;
	assert_ok(keys(keys_of("example.com."), both, NULL, &s));
	chain_step_done(&s);
	t->policy.all_algorithms = true;
	assert_err(keys(keys_of("example.com."), both, NULL, &s), ERR_REFUSED);
	assert_int_equal(s.ede, EDE_BOGUS);
	assert_ok(keys(keys_of("example.com."), tree_ds(t, z), NULL, &s));
	chain_step_done(&s);
}

static void too_many_keys_are_refused(void **state)
{
	struct tree_zone *z = tree_find(t, "example.com.");
	struct span rdata[70];
	struct rrset *set;
	struct chain_step s;

	(void)state;
	rdata[0] = z->dnskey;
	for (int i = 1; i < 70; i++) {
		uint8_t *other = arena_dup(t->arena, z->dnskey.p, z->dnskey.n);

		other[10] = (uint8_t)i;
		other[11] ^= 0x55;
		rdata[i] = (struct span){ other, z->dnskey.n };
	}
	set = rrset_make_in(t->arena, name_of(&z->name), RR_DNSKEY, CLASS_IN, 3600, rdata, 70, 0);
	assert_err(keys(tree_sign(t->arena, set, z, TREE_GOOD), tree_ds(t, z), NULL, &s), ERR_REFUSED);
	assert_non_null(strstr(s.text, "70 keys"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(zones_are_walked_from_the_anchor, setup, teardown),
		cmocka_unit_test_setup_teardown(without_referrals_the_ds_is_asked_for, setup, teardown),
		cmocka_unit_test_setup_teardown(names_that_are_no_zones_are_passed_over, setup, teardown),
		cmocka_unit_test_setup_teardown(the_search_for_cuts_goes_down_by_labels_and_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(questions_that_failed_are_told, setup, teardown),
		cmocka_unit_test_setup_teardown(referrals_are_verified_once, setup, teardown),
		cmocka_unit_test_setup_teardown(keys_are_vouched_for_by_ds, setup, teardown),
		cmocka_unit_test_setup_teardown(revoked_keys_vouch_for_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(keys_of_anchors_are_found, setup, teardown),
		cmocka_unit_test_setup_teardown(all_algorithms_may_be_wanted, setup, teardown),
		cmocka_unit_test_setup_teardown(too_many_keys_are_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
