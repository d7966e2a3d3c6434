/* The real root zone validates by the built-in trust anchor, and denies what is not in it: by the parts of validator/. */
#include "tests/unit/validator/rootzone.h"

#include "dns/edns.h"
#include "tests/unit/validator/obvious.h"
#include "validator/anchors.h"
#include "validator/denial.h"
#include "validator/ds.h"
#include "validator/nsec3.h"
#include "validator/signature.h"

static size_t n_tops;
static struct keyset *root_keys;
static struct rrset *root_dnskeys;

static int unload(void **state)
{
	keyset_free(MOVE(root_keys));
	return root_unload(state);
}

static struct sig_report verify_at(const struct rrset *set, const bool *allowed, uint32_t now)
{
	struct sig_limits limits = SIG_LIMITS;
	struct sig_time t = { now, SIG_SKEW_MIN, SIG_SKEW_MAX, false };
	struct work work = { 20 * WORK_UNIT };
	struct sig_report r = { 0 };

	assert_ok(rrset_verify(set, root_keys, allowed, NULL, &t, &limits, arena, &work, &r));
	return r;
}

static void the_builtin_anchor_vouches_for_the_keys(void **state)
{
	AUTO(anchors_free) struct anchors *anchors = anchors_new();
	struct key_limits limits = KEY_LIMITS;
	struct work work = { 100 * WORK_UNIT };
	struct anchor_found found;
	struct span spans[8];
	bool vouched[8];
	struct rrset *ds;
	size_t n = 0;

	(void)state;
	assert_ok(anchors_add_root(anchors));
	assert_ok(anchors_seal(anchors));
	found = anchors_find(anchors, name_root);
	assert_int_equal(found.kind, ANCHOR_KEYS);
	assert_int_equal(anchor_zone_count(found.keys), 2);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(anchor_zone_rr(found.keys, i).type, RR_DS);
		spans[i] = anchor_zone_rr(found.keys, i).rdata;
	}
	ds = rrset_make_in(arena, name_root, RR_DS, CLASS_IN, 3600, spans, 2, 0);
	root_dnskeys = find(name_root, RR_DNSKEY);
	assert_non_null(root_dnskeys);
	assert_true(root_dnskeys->count <= 8);
	assert_ok(ds_vouch(ds, root_dnskeys, NULL, DS_MAX_MISSES, &work, vouched, &n));
	assert_int_equal(n, 1);
	assert_ok(keyset_make(root_dnskeys, NULL, &limits, &work, &root_keys));
	assert_int_equal(verify_at(root_dnskeys, vouched, NOON).verdict, SIG_GOOD);
	assert_int_equal(verify_at(root_dnskeys, vouched, NOON).tag, 20326);
	for (size_t i = 0; i < root_dnskeys->count; i++)
		assert_int_equal(vouched[i], key_tag(keyset_key(root_keys, i)) == 20326);
	memset(vouched, 0, sizeof vouched);
	assert_int_equal(verify_at(root_dnskeys, vouched, NOON).verdict, SIG_NO_KEY);
}

/* Everything that the root signs, and nothing that it does not: delegations and glue. The second implementation says the same. */
static void every_set_of_the_zone_is_signed(void **state)
{
	struct obvious_time t = { NOON, SIG_SKEW_MIN, SIG_SKEW_MAX };
	size_t good = 0, bare = 0;

	(void)state;
	for (size_t i = 0; i < n_sets; i++) {
		bool authoritative = sets[i]->name_labels == 0 || sets[i]->type == RR_DS || sets[i]->type == RR_NSEC;

		assert_int_equal(sets[i]->sigs != 0, authoritative);
		if (!authoritative) {
			bare++;
			continue;
		}
		assert_int_equal(verify_at(sets[i], NULL, NOON).verdict, SIG_GOOD);
		assert_false(verify_at(sets[i], NULL, NOON).wildcard);
		assert_true(obvious_is_signed(sets[i], root_dnskeys, &t));
		sets[i]->security = SECURITY_SECURE;
		good++;
	}
	print_message("%zu sets signed, %zu not\n", good, bare);
	assert_true(good > 2800);
}

static struct denial_verdict prove(struct name name, uint16_t type, const struct rrset *const *proof, size_t n)
{
	static struct nsec3_hasher *hasher;
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct work work = { 1000 };
	struct denial_verdict v;

	if (hasher == NULL)
		hasher = nsec3_hasher_new();
	v = denial_prove(&(struct denial_proof){ .zone = name_root, .sets = proof, .n = n, .limits = DENIAL_LIMITS, .hasher = hasher, .work = &work, .arena = a },
	    name, type);
	assert_int_equal(work.left, 1000); /* NSEC costs no hash */
	return v;
}

static void every_top_level_has_keys_or_provably_none(void **state)
{
	size_t secure = 0, insecure = 0;

	(void)state;
	for (size_t i = 0; i < n_sets; i++) {
		struct name top = rrset_name(sets[i]);
		const struct rrset *nsec = find(top, RR_NSEC);
		struct rrset *ds = find(top, RR_DS);
		uint16_t ede = 0;

		if (!is_top(i))
			continue;
		n_tops++;
		assert_non_null(nsec);
		/* the parent's record says nothing about what is the child's */
		assert_int_equal(prove(top, RR_A, &nsec, 1).what, DENIAL_NOT_PROVEN);
		assert_int_equal(prove(top, RR_NS, &nsec, 1).what, DENIAL_NOT_PROVEN);
		if (ds != NULL) {
			assert_int_equal(ds->security, SECURITY_SECURE);
			assert_true(ds_any_usable(ds, NULL, &ede));
			assert_int_equal(prove(top, RR_DS, &nsec, 1).what, DENIAL_NOT_PROVEN);
			secure++;
		} else {
			assert_int_equal(prove(top, RR_DS, &nsec, 1).what, DENIAL_NO_DS_INSECURE);
			insecure++;
		}
	}
	print_message("%zu top levels signed, %zu not\n", secure, insecure);
	assert_true(secure > 1300 && insecure > 100);
}

static void every_gap_between_top_levels_is_empty(void **state)
{
	static const struct name star = { (const uint8_t *)"\1*", 3, 1 };
	const struct rrset *first = find(name_root, RR_NSEC); /* it covers the wildcard */
	size_t gaps = 0;

	(void)state;
	for (size_t i = 0; i < n_nsecs; i++) {
		const struct rrset *proof[2] = { nsecs[i], first };
		struct name top = rrset_name(nsecs[i]);
		struct name_buf in_gap, below;

		if (top.labels == 0)
			continue; /* its gap is asked with the wildcard's */
		in_gap = behind(top);
		assert_null(find(name_of(&in_gap), RR_NS));
		assert_int_equal(prove(name_of(&in_gap), RR_A, proof, 2).what, DENIAL_PROVEN_NXDOMAIN);
		assert_int_equal(prove(name_of(&in_gap), RR_DS, proof, 2).what, DENIAL_PROVEN_NXDOMAIN);
		assert_ok(name_concat(star, 1, name_of(&in_gap), &below));
		assert_int_equal(prove(name_of(&below), RR_A, proof, 2).what, DENIAL_PROVEN_NXDOMAIN);
		assert_int_equal(prove(name_of(&in_gap), RR_A, proof, 1).what, DENIAL_NOT_PROVEN); /* the wildcard is left open */
		assert_int_equal(prove(name_of(&in_gap), RR_A, proof + 1, 1).what, DENIAL_NOT_PROVEN);
		assert_ok(name_concat(star, 1, top, &below));
		assert_int_equal(prove(name_of(&below), RR_A, proof, 2).what, DENIAL_NOT_PROVEN); /* that is the child's to say */
		gaps++;
	}
	assert_int_equal(prove(star, RR_A, &first, 1).what, DENIAL_PROVEN_NXDOMAIN);
	assert_int_equal(gaps, n_tops);
	assert_int_equal(prove(name_root, RR_DS, &first, 1).what, DENIAL_PROVEN_NODATA);
	assert_int_equal(prove(name_root, RR_TXT, &first, 1).what, DENIAL_PROVEN_NODATA);
	assert_int_equal(prove(name_root, RR_NS, &first, 1).what, DENIAL_NOT_PROVEN);
}

/* The same sets with one octet of rdata or signature another, or at another time. */
static void what_was_changed_or_is_out_of_date_is_refused(void **state)
{
	size_t tried = 0;

	(void)state;
	for (size_t i = 0; i < n_sets; i += 7) {
		struct span spans[65];
		struct rrset *broken;
		struct sig_report r;
		uint8_t *copy;
		size_t which = i / 7 % 2 == 0 ? sets[i]->count : 0, at;

		if (sets[i]->sigs == 0)
			continue;
		for (size_t k = 0; k < (size_t)sets[i]->count + sets[i]->sigs; k++)
			spans[k] = rrset_item_(sets[i], k);
		copy = arena_dup(arena, spans[which].p, spans[which].n);
		at = spans[which].n - 1 - i % 13 % spans[which].n;
		copy[at] ^= 1u << (i % 8);
		spans[which].p = copy;
		broken = rrset_make_unique_in(arena, rrset_name(sets[i]), sets[i]->type, CLASS_IN, sets[i]->ttl, spans, sets[i]->count, sets[i]->sigs);
		r = verify_at(broken, NULL, NOON);
		assert_int_equal(r.verdict, SIG_BAD);
		assert_int_equal(r.ede, EDE_BOGUS);
		r = verify_at(sets[i], NULL, NOON + 60 * DAY);
		assert_int_equal(r.verdict, SIG_EXPIRED);
		assert_int_equal(r.ede, EDE_SIG_EXPIRED);
		r = verify_at(sets[i], NULL, NOON - 60 * DAY);
		assert_int_equal(r.verdict, SIG_NOT_YET);
		assert_int_equal(r.ede, EDE_SIG_NOT_YET);
		tried++;
	}
	assert_true(tried > 400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_builtin_anchor_vouches_for_the_keys),
		cmocka_unit_test(every_set_of_the_zone_is_signed),
		cmocka_unit_test(every_top_level_has_keys_or_provably_none),
		cmocka_unit_test(every_gap_between_top_levels_is_empty),
		cmocka_unit_test(what_was_changed_or_is_out_of_date_is_refused),
	};

	return root_there() ? cmocka_run_group_tests(tests, root_load, unload) : 77;
}
