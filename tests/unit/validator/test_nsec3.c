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

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(hashes_of_rfc_5155_appendix_a) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
