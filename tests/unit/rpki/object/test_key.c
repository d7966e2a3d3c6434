/* Public keys and signatures; digests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "rpki/object/key.h"
#include "tests/unit/rpki/object/toy.h"


#define S(literal) span_of(literal, sizeof(literal) - 1)

static struct toy *toy;

static void digests(void **state)
{
	uint8_t d[32], e[32];

	(void)state;
	sha256_of(S("abc"), d);
	assert_memory_equal(d, "\xba\x78\x16\xbf\x8f\x01\xcf\xea\x41\x41\x40\xde\x5d\xae\x22\x23\xb0\x03\x61\xa3\x96\x17\x7a\x9c\xb4\x10\xff\x61\xf2\x00\x15\xad", 32);
	sha256_of_three(S("a"), S(""), S("bc"), e);
	assert_memory_equal(d, e, 32);
	sha1_of(S("abc"), d);
	assert_memory_equal(d, "\xa9\x99\x3e\x36\x47\x06\x81\x6a\xba\x3e\x25\x71\x78\x50\xc2\x6c\x9c\xd0\xd8\x9d", 20);
}

static void rsa(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	AUTO(public_key_free) struct public_key *key = NULL;
	struct report rep;
	struct cert ta;
	uint8_t digest[32];

	(void)state;
	report_init(&rep);
	assert_true(OK(cert_read(toy_object(toy, TOY_TA), CERT_TA, CERT_USE_ANY, a, &rep, &ta)));
	assert_true(key_info_is_profile_rsa(&ta.key));
	assert_true(OK(public_key_make(&ta.key, &key)));
	sha256_of(ta.tbs, digest);
	assert_true(public_key_verify(key, digest, ta.signature));
	digest[0] ^= 1;
	assert_false(public_key_verify(key, digest, ta.signature));
	digest[0] ^= 1;
	assert_false(public_key_verify(key, digest, span_of(ta.signature.p, 255)));
	assert_false(public_key_verify(key, digest, S("")));
}

static void p256(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	AUTO(public_key_free) struct public_key *key = NULL;
	struct report rep;
	struct cert c;
	struct key_info wrong;
	uint8_t digest[32] = { 0 };
	uint8_t *point;

	(void)state;
	report_init(&rep);
	assert_true(OK(cert_read(toy_object(toy, TOY_ROUTER), CERT_ROUTER, CERT_USE_ANY, a, &rep, &c)));
	assert_int_equal(c.key.kind, KEY_KIND_P256);
	assert_true(OK(public_key_make(&c.key, &key)));
	assert_false(public_key_verify(key, digest, S("\x30\x06\x02\x01\x01\x02\x01\x01")));
	wrong = c.key;
	point = arena_dup(a, wrong.octets.p, wrong.octets.n);
	point[64] ^= 1; /* no longer on the curve */
	wrong.octets.p = point;
	public_key_free(MOVE(key));
	assert_int_equal(public_key_make(&wrong, &key).e, ERR_FORMAT);
	wrong.kind = KEY_KIND_UNKNOWN;
	assert_int_equal(public_key_make(&wrong, &key).e, ERR_UNSUPPORTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digests),
		cmocka_unit_test(rsa),
		cmocka_unit_test(p256),
	};
	int failed;

	toy = toy_new();
	if (toy == NULL)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	toy_free(toy);
	return failed;
}
