#include "tests/unit/dns/dns_test.h"

#include "validator/hash.h"

static void assert_digest(enum hash_kind kind, const char *hex)
{
	struct span pieces[3] = { span_text("a"), { NULL, 0 }, span_text("bc") };
	uint8_t digest[HASH_MAX_OCTETS], want[HASH_MAX_OCTETS];
	size_t n = unhex(hex, want, sizeof want);

	assert_int_equal(hash_pieces(kind, pieces, 3, digest), n);
	assert_memory_equal(digest, want, n);
}

static void digests_of_fips_180(void **state) /* "abc" */
{
	(void)state;
	assert_digest(HASH_SHA1, "a9993e36 4706816a ba3e2571 7850c26c 9cd0d89d");
	assert_digest(HASH_SHA256, "ba7816bf 8f01cfea 414140de 5dae2223 b00361a3 96177a9c b410ff61 f20015ad");
	assert_digest(HASH_SHA384, "cb00753f45a35e8b b5a03d699ac65007 272c32ab0eded163 1a8b605a43ff5bed 8086072ba1e7cc23 58baeca134c825a7");
	assert_digest(HASH_SHA512, "ddaf35a193617aba cc417349ae204131 12e6fa4e89a97ea2 0a9eeee64b55d39a 2192992a274fc1a8 36ba3c23a3feebbd 454d4423643ce80e "
				   "2a9ac94fa54ca49f");
	assert_digest(HASH_NONE, "");
}

static void nothing_has_a_digest_too(void **state)
{
	uint8_t digest[HASH_MAX_OCTETS], want[20];

	(void)state;
	unhex("da39a3ee 5e6b4b0d 3255bfef 95601890 afd80709", want, sizeof want);
	assert_int_equal(hash_pieces(HASH_SHA1, &(struct span){ NULL, 0 }, 0, digest), 20);
	assert_memory_equal(digest, want, 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digests_of_fips_180),
		cmocka_unit_test(nothing_has_a_digest_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
