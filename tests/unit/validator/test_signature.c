#include "tests/unit/validator/validator_test.h"

#include "dns/edns.h"
#include "validator/ds.h"
#include "validator/signature.h"

static struct arena *arena;

static struct sig_report verify(const char *zone, const char *const *keys, struct rrset *set, uint32_t now)
{
	struct rrset *dnskeys = signed_set(arena, zone, RR_DNSKEY, 3600, keys, NULL);
	struct key_limits kl = KEY_LIMITS;
	struct sig_limits sl = SIG_LIMITS;
	struct work work = { 1000000 };
	struct sig_time t = { now, SIG_SKEW_MIN, SIG_SKEW_MAX, false };
	AUTO(keyset_free) struct keyset *ks = NULL;
	struct sig_report r = { 0 };

	assert_ok(keyset_make(dnskeys, NULL, &kl, &work, &ks));
	assert_ok(rrset_verify(set, ks, NULL, NULL, &t, &sl, arena, &work, &r));
	return r;
}

static struct sig_report a_set(const char *owner, const char *address, const char *key, const char *sig, uint32_t now)
{
	return verify("Example.net.", TEXTS(key), signed_set(arena, owner, RR_A, 3600, TEXTS(address), TEXTS(sig)), now);
}

static void signatures_of_the_rfcs(void **state)
{
	struct rrset *mx;

	(void)state;
	assert_int_equal(a_set("www.example.net.", "192.0.2.91", KEY_RFC5702_8, SIG_RFC5702_8, 1300000000).verdict, SIG_GOOD);
	assert_int_equal(a_set("www.example.net.", "192.0.2.91", KEY_RFC5702_10, SIG_RFC5702_10, 1300000000).verdict, SIG_GOOD);
	assert_int_equal(a_set("WWW.example.net.", "192.0.2.1", KEY_RFC6605_13, SIG_RFC6605_13, 1283000000).verdict, SIG_GOOD);
	assert_int_equal(a_set("www.example.net.", "192.0.2.1", KEY_RFC6605_14, SIG_RFC6605_14, 1283000000).verdict, SIG_GOOD);
	mx = signed_set(arena, "example.com.", RR_MX, 3600, TEXTS("10 MAIL.example.com."), TEXTS(SIG_RFC8080_15));
	assert_int_equal(verify("example.com.", TEXTS(KEY_RFC8080_15), mx, 1439000000).verdict, SIG_GOOD);
	mx = signed_set(arena, "example.com.", RR_MX, 3600, TEXTS("10 mail.example.com."), TEXTS(SIG_RFC8080_16));
	assert_int_equal(verify("example.com.", TEXTS(KEY_RFC8080_16), mx, 1439000000).verdict, SIG_GOOD);
}

static void what_is_wrong_is_said(void **state)
{
	struct sig_report r;

	(void)state;
	r = a_set("www.example.net.", "192.0.2.2", KEY_RFC6605_13, SIG_RFC6605_13, 1283000000);
	assert_int_equal(r.verdict, SIG_BAD);
	assert_int_equal(r.ede, EDE_BOGUS);
	r = a_set("www.example.net.", "192.0.2.1", KEY_RFC6605_13, SIG_RFC6605_13, 1300000000);
	assert_int_equal(r.verdict, SIG_EXPIRED);
	assert_int_equal(r.ede, EDE_SIG_EXPIRED);
	r = a_set("www.example.net.", "192.0.2.1", KEY_RFC6605_13, SIG_RFC6605_13, 1200000000);
	assert_int_equal(r.ede, EDE_SIG_NOT_YET);
	r = a_set("www.example.net.", "192.0.2.1", KEY_RFC6605_14, SIG_RFC6605_13, 1283000000);
	assert_int_equal(r.ede, EDE_DNSKEY_MISSING);
	r = a_set("example.net.", "192.0.2.1", KEY_RFC6605_13, SIG_RFC6605_13, 1283000000);
	assert_int_equal(r.verdict, SIG_LABELS);
	r = a_set("www.example.org.", "192.0.2.1", KEY_RFC6605_13, SIG_RFC6605_13, 1283000000);
	assert_int_equal(r.verdict, SIG_SIGNER);
	r = a_set("www.example.net.", "192.0.2.1", KEY_RFC6605_13, "A 13 1 3600 20100909100439 20100812100439 55648 example.net. AAAA", 1283000000);
	assert_int_equal(r.verdict, SIG_LABELS); /* fewer than the signer's */
}

static void digests_of_the_rfcs(void **state)
{
	struct rrset *ds = signed_set(arena, "example.net.", RR_DS, 60, TEXTS(DS_RFC6605_13, DS_RFC6605_14), NULL);
	struct rrset *keys = signed_set(arena, "EXAMPLE.net.", RR_DNSKEY, 60, TEXTS(KEY_RFC6605_13, KEY_RFC6605_14, KEY_RFC5702_8), NULL);
	struct work work = { 100000 };
	bool vouched[3];
	size_t n = 0;

	(void)state;
	assert_ok(ds_vouch(ds, keys, NULL, DS_MAX_MISSES, &work, vouched, &n));
	assert_int_equal(n, 2);
	ds = signed_set(arena, "example.org.", RR_DS, 60, TEXTS(DS_RFC6605_13), NULL);
	keys = signed_set(arena, "example.org.", RR_DNSKEY, 60, TEXTS(KEY_RFC6605_13), NULL);
	assert_ok(ds_vouch(ds, keys, NULL, DS_MAX_MISSES, &work, vouched, &n));
	assert_int_equal(n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signatures_of_the_rfcs),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(digests_of_the_rfcs),
	};
	int failed;

	arena = arena_new(0);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_free(MOVE(arena));
	return failed;
}
