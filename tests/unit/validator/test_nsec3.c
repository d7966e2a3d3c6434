#include "tests/unit/dns/dns_test.h"
#include "validator/nsec3.h"

static void hashes_of_rfc_5155_appendix_a(void **state)
{
	static const uint8_t salt[] = { 0xaa, 0xbb, 0xcc, 0xdd };
	static const char *const rdata[] = { "1 0 12 aabbccdd 2t7b4g4vsa5smi47k61mv5bv1a22bojr A" };
	static const char *const owner[] = { "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example.", "35MTHGPGCU1QG68FAB165KLNSNK3DPVL.example.",
		"2t7b4g4vsa5smi47k61mv5bv1a22bojr.example." };
	static const char *const name[] = { "example.", "A.example.", "ns1.example." };
	AUTO(nsec3_hasher_free) struct nsec3_hasher *h = nsec3_hasher_new();
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct name_buf zone = nb("example.");

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct rrset *rs = make_set(a, owner[i], RR_NSEC3, 300, rdata, 1);
		const struct rrset *sets[] = { rs };
		struct work work = { 1000000 };
		struct name_buf q = nb(name[i]);
		struct nsec3_zone z;
		const struct nsec3 *found = NULL;
		uint8_t hash[NSEC3_HASH_OCTETS];

		rs->security = SECURITY_SECURE;
		assert_ok(nsec3_collect(sets, 1, name_of(&zone), a, h, &work, &z));
		assert_int_equal(z.n, 1);
		assert_ok(nsec3_match(&z, name_of(&q), &found));
		assert_non_null(found);
		assert_ok(nsec3_hash(h, name_of(&q), span_of(salt, 4), 12, hash));
		assert_memory_equal(found->owner_hash, hash, sizeof hash);
		assert_ok(nsec3_match(&z, name_of(&q), &found));
		assert_int_equal(z.hashes, 1);
		work.left = 0;
		assert_int_equal(nsec3_match(&z, name_root, &found).e, ERR_BUDGET);
	}
}

static bool covered(struct arena *a, struct nsec3_hasher *h, const char *owner, const char *next, const char *name)
{
	char text[100];
	const char *rdata[] = { text };
	struct name_buf zone = nb("example."), q = nb(name);
	struct work work = { 1000000 };
	const struct nsec3 *found = NULL;
	const struct rrset *sets[1];
	struct nsec3_zone z;
	struct rrset *rs;

	snprintf(text, sizeof text, "1 0 12 aabbccdd %s A", next);
	rs = make_set(a, owner, RR_NSEC3, 300, rdata, 1);
	rs->security = SECURITY_SECURE;
	sets[0] = rs;
	assert_ok(nsec3_collect(sets, 1, name_of(&zone), a, h, &work, &z));
	assert_int_equal(z.n, 1);
	assert_ok(nsec3_cover(&z, name_of(&q), &found));
	return found != NULL;
}

/* "ns1.example." is 2t7b..., "example." 0p9m..., "a.example." 35mt...: the chain is a circle, and neither end is in the span. */
static void a_span_has_no_ends_and_may_go_round(void **state)
{
	static const char ns1[] = "2t7b4g4vsa5smi47k61mv5bv1a22bojr", apex[] = "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom", a_[] = "35mthgpgcu1qg68fab165klnsnk3dpvl";
	static const char ns1_owner[] = "2t7b4g4vsa5smi47k61mv5bv1a22bojr.example.", apex_owner[] = "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example.",
			  a_owner[] = "35mthgpgcu1qg68fab165klnsnk3dpvl.example.";
	AUTO(nsec3_hasher_free) struct nsec3_hasher *h = nsec3_hasher_new();
	AUTO(arena_free) struct arena *a = arena_new(0);

	(void)state;
	assert_true(covered(a, h, apex_owner, a_, "ns1.example."));
	assert_false(covered(a, h, apex_owner, ns1, "ns1.example."));
	assert_false(covered(a, h, ns1_owner, a_, "ns1.example."));
	assert_false(covered(a, h, apex_owner, ns1, "a.example."));
	assert_true(covered(a, h, ns1_owner, apex, "a.example.")); /* the last one: from 2t7b round to 0p9m */
	assert_true(covered(a, h, a_owner, ns1, "example."));
	assert_false(covered(a, h, a_owner, apex, "ns1.example."));
	assert_false(covered(a, h, a_owner, ns1, "a.example."));
	assert_false(covered(a, h, a_owner, ns1, "ns1.example."));
	assert_true(covered(a, h, ns1_owner, ns1, "a.example.")); /* the only one: all but itself */
	assert_true(covered(a, h, ns1_owner, ns1, "example."));
	assert_false(covered(a, h, ns1_owner, ns1, "ns1.example."));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes_of_rfc_5155_appendix_a),
		cmocka_unit_test(a_span_has_no_ends_and_may_go_round),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
