#include "tests/unit/validator/validator_test.h"

#include "dns/edns.h"
#include "tests/unit/validator/signer.h"
#include "validator/ds.h"

#define D1 "0123456789012345678901234567890123456789"
#define D2 "0123456789012345678901234567890123456789012345678901234567890123"
#define D4 "012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345"

static struct arena *arena;

static struct rrset *ds_set(const char *const *rdata)
{
	return signed_set(arena, "example.", RR_DS, 60, rdata, NULL);
}

/* How many of the set may be followed; ede: what is said when none may. */
static unsigned int usable(const char *const *rdata, const struct algorithm_policy *p, uint16_t *ede)
{
	struct rrset *set = ds_set(rdata);
	unsigned int n = 0;
	uint16_t code = 0;
	bool any = ds_any_usable(set, p, &code);

	for (size_t i = 0; i < set->count; i++)
		n += ds_usable(set, i, p);
	assert_int_equal(any, n != 0);
	assert_int_equal(any, code == 0);
	*ede = code;
	return n;
}

static void rdata_is_checked(void **state)
{
	uint8_t room[60] = { 0, 1, 8, 1 };
	struct ds d;

	(void)state;
	for (unsigned int type = 0; type < 256; type++) {
		static const uint8_t lengths[5] = { 0, 20, 32, 0, 48 };
		uint8_t want = type < 5 ? lengths[type] : 0;

		room[3] = (uint8_t)type;
		for (size_t n = 0; n <= sizeof room; n++)
			assert_int_equal(OK(ds_parse(span_of(room, n), &d)), n > 4 && (want == 0 || n == 4u + want));
	}
}

static void what_can_be_followed(void **state)
{
	uint16_t ede;

	(void)state;
	assert_int_equal(usable(TEXTS("1 8 2 " D2), NULL, &ede), 1);
	assert_int_equal(usable(TEXTS("1 8 2 " D2, "1 8 4 " D4, "2 13 2 " D2), NULL, &ede), 3);
	assert_int_equal(usable(TEXTS("1 8 1 " D1), NULL, &ede), 1);
	assert_int_equal(usable(TEXTS("1 8 1 " D1, "1 8 2 " D2), NULL, &ede), 1); /* RFC 4509 section 3 */
	assert_int_equal(usable(TEXTS("1 8 1 " D1, "2 8 4 " D4), NULL, &ede), 1);
	assert_int_equal(usable(TEXTS("1 8 1 " D1, "2 99 2 " D2), NULL, &ede), 1); /* that SHA-2 one is of no use */
	assert_int_equal(usable(TEXTS("1 99 2 " D2), NULL, &ede), 0);
	assert_int_equal(ede, EDE_UNSUPPORTED_DNSKEY);
	assert_int_equal(usable(TEXTS("1 12 2 " D2, "1 3 2 " D2), NULL, &ede), 0);
	assert_int_equal(ede, EDE_UNSUPPORTED_DNSKEY);
	assert_int_equal(usable(TEXTS("1 8 3 " D2), NULL, &ede), 0);
	assert_int_equal(ede, EDE_UNSUPPORTED_DS);
	assert_int_equal(usable(TEXTS("1 8 99 00"), NULL, &ede), 0);
	assert_int_equal(ede, EDE_UNSUPPORTED_DS);
	assert_int_equal(usable(TEXTS("1 8 99 00", "1 99 2 " D2), NULL, &ede), 0);
	assert_int_equal(ede, EDE_UNSUPPORTED_DS);
	assert_int_equal(usable(TEXTS("1 99 99 00", "1 8 2 " D2), NULL, &ede), 1);
}

static void policy_switches_off(void **state)
{
	struct algorithm_policy p = { { 0 }, { 0 } };
	uint16_t ede;

	(void)state;
	digest_switch_off(&p, DIGEST_SHA1);
	assert_int_equal(usable(TEXTS("1 8 1 " D1), &p, &ede), 0);
	assert_int_equal(ede, EDE_UNSUPPORTED_DS);
	digest_switch_off(&p, DIGEST_SHA256);
	assert_int_equal(usable(TEXTS("1 8 2 " D2, "1 8 4 " D4), &p, &ede), 1);
	p = (struct algorithm_policy){ { 0 }, { 0 } };
	digest_switch_off(&p, DIGEST_SHA256);
	assert_int_equal(usable(TEXTS("1 8 1 " D1, "1 8 2 " D2), &p, &ede), 1); /* what is off does not put SHA-1 aside */
	algorithm_switch_off(&p, ALG_RSASHA256);
	assert_int_equal(usable(TEXTS("1 8 4 " D4), &p, &ede), 0);
	assert_int_equal(ede, EDE_UNSUPPORTED_DNSKEY);
}

static struct span ds_of(const struct signer *s, uint8_t digest_type, const char *owner)
{
	static const enum hash_kind hashes[] = { 0, HASH_SHA1, HASH_SHA256, 0, HASH_SHA384 };
	struct name_buf name = nb(owner);
	struct span dnskey = signer_dnskey(s);
	uint8_t room[4 + HASH_MAX_OCTETS];
	size_t n;

	store16(room, signer_tag(s));
	room[2] = dnskey.p[3];
	room[3] = digest_type;
	n = 4 + hash_pieces(hashes[digest_type], (struct span[]){ { name.b, name.len }, dnskey }, 2, room + 4);
	return span_of(arena_dup(arena, room, n), n);
}

static struct rrset *set_of(const char *owner, uint16_t type, const struct span *rdata, size_t n)
{
	struct name_buf name = nb(owner);

	return rrset_make_in(arena, name_of(&name), type, CLASS_IN, 60, rdata, n, 0);
}

static void a_digest_is_of_key_and_owner(void **state)
{
	static const uint8_t types[] = { 1, 2, 4 };
	AUTO(signer_free) struct signer *s = signer_new(13, 257, 0), *t = signer_new(13, 257, 1);
	struct name_buf upper = nb("EXAMPLE."), other = nb("exbmple.");
	struct work work = { 100000 };
	struct ds d;

	(void)state;
	for (size_t i = 0; i < sizeof types; i++) {
		uint32_t before = work.left;

		assert_ok(ds_parse(ds_of(s, types[i], "example."), &d));
		assert_ok(ds_matches(&d, name_of(&upper), signer_dnskey(s), &work));
		assert_int_equal(work.left, before - WORK_DIGEST);
		assert_err(ds_matches(&d, name_of(&other), signer_dnskey(s), &work), ERR_REFUSED);
		before = work.left;
		assert_err(ds_matches(&d, name_of(&upper), signer_dnskey(t), &work), ERR_REFUSED); /* the tag differs: for nothing */
		d.algorithm = 14;
		assert_err(ds_matches(&d, name_of(&upper), signer_dnskey(s), &work), ERR_REFUSED);
		d.algorithm = 13;
		d.digest_type = 3;
		assert_err(ds_matches(&d, name_of(&upper), signer_dnskey(s), &work), ERR_REFUSED);
		assert_int_equal(work.left, before);
		d.digest_type = types[i];
		work.left = WORK_DIGEST - 1;
		assert_err(ds_matches(&d, name_of(&upper), signer_dnskey(s), &work), ERR_BUDGET);
		work.left = 100000;
	}
}

static void only_zone_keys_are_vouched_for(void **state)
{
	static const uint16_t flags[] = { 257, 256, 385, 1, 0 };
	struct work work = { 100000 };

	(void)state;
	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
		AUTO(signer_free) struct signer *s = signer_new(13, flags[i], 0);
		struct span key = signer_dnskey(s), ds = ds_of(s, 2, "example.");
		bool vouched[1];
		size_t n = 0;

		assert_ok(ds_vouch(set_of("example.", RR_DS, &ds, 1), set_of("example.", RR_DNSKEY, &key, 1), NULL, DS_MAX_MISSES, &work, vouched, &n));
		assert_int_equal(n, (flags[i] & DNSKEY_ZONE) != 0);
	}
}

static void a_sha1_digest_beside_sha2_vouches_for_nothing(void **state)
{
	AUTO(signer_free) struct signer *s = signer_new(13, 257, 0), *t = signer_new(13, 257, 1);
	struct span keys[2] = { signer_dnskey(s), signer_dnskey(t) }, ds[2] = { ds_of(s, 1, "example."), ds_of(t, 2, "example.") };
	struct rrset *dnskeys = set_of("example.", RR_DNSKEY, keys, 2);
	struct work work = { 100000 };
	bool vouched[2];
	size_t n = 0;

	(void)state;
	assert_ok(ds_vouch(set_of("example.", RR_DS, ds, 2), dnskeys, NULL, DS_MAX_MISSES, &work, vouched, &n));
	assert_int_equal(n, 1);
	assert_false(vouched[0]);
	assert_true(vouched[1]);
	assert_ok(ds_vouch(set_of("example.", RR_DS, ds, 1), dnskeys, NULL, DS_MAX_MISSES, &work, vouched, &n));
	assert_int_equal(n, 1);
	assert_true(vouched[0]);
}

/* Digests that match nothing, of the tag of a key that is there. */
static void misses_are_limited(void **state)
{
	AUTO(signer_free) struct signer *s = signer_new(13, 257, 0);
	struct span key = signer_dnskey(s), ds[20];
	struct rrset *dnskeys = set_of("example.", RR_DNSKEY, &key, 1);
	struct work work = { 100000 };
	bool vouched[1];
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < 20; i++) {
		uint8_t *p;

		ds[i] = ds_of(s, 2, "example.");
		p = arena_dup(arena, ds[i].p, ds[i].n);
		p[5] ^= (uint8_t)(i < 19 ? i + 1 : 0);
		ds[i].p = p;
	}
	assert_ok(ds_vouch(set_of("example.", RR_DS, ds, 8), dnskeys, NULL, 8, &work, vouched, &n));
	assert_int_equal(n, 0);
	assert_err(ds_vouch(set_of("example.", RR_DS, ds, 9), dnskeys, NULL, 8, &work, vouched, &n), ERR_LIMIT);
	assert_ok(ds_vouch(set_of("example.", RR_DS, ds + 12, 8), dnskeys, NULL, 8, &work, vouched, &n));
	assert_int_equal(n, 1);
	work.left = 3 * WORK_DIGEST;
	assert_err(ds_vouch(set_of("example.", RR_DS, ds, 8), dnskeys, NULL, 8, &work, vouched, &n), ERR_BUDGET);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rdata_is_checked),
		cmocka_unit_test(what_can_be_followed),
		cmocka_unit_test(policy_switches_off),
		cmocka_unit_test(a_digest_is_of_key_and_owner),
		cmocka_unit_test(only_zone_keys_are_vouched_for),
		cmocka_unit_test(a_sha1_digest_beside_sha2_vouches_for_nothing),
		cmocka_unit_test(misses_are_limited),
	};
	int failed;

	arena = arena_new(0);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_free(MOVE(arena));
	return failed;
}
