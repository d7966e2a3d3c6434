#include "tests/unit/validator/validator_test.h"

#include <pthread.h>

#include "tests/unit/validator/crypto_fail.h"
#include "tests/unit/validator/signer.h"
#include "validator/key.h"

static enum key_fault fault_of_octets(struct span rdata, struct key_limits limits, const struct algorithm_policy *policy)
{
	AUTO(key_free) struct key *k = key_new(rdata, policy, &limits);

	assert_non_null(k);
	return key_fault(k);
}

static enum key_fault fault_of(const char *text)
{
	AUTO(arena_free) struct arena *a = arena_new(0);

	return fault_of_octets(rdata_of(a, RR_DNSKEY, text), KEY_LIMITS, NULL);
}

/* An RSA key with an exponent and a modulus of so many octets; both begin with the octet given. */
static enum key_fault fault_of_rsa(uint8_t alg, size_t e_octets, uint8_t e_first, uint8_t e_last, size_t n_octets, uint8_t n_first)
{
	uint8_t room[2048] = { 0x01, 0x00, 3, alg };
	struct writer w = writer_of(room, sizeof room);

	w.pos = 4;
	if (e_octets > 255) {
		write8(&w, 0);
		write16(&w, (uint16_t)e_octets);
	} else {
		write8(&w, (uint8_t)e_octets);
	}
	for (size_t i = 0; i < e_octets; i++)
		write8(&w, i == e_octets - 1 ? e_last : i == 0 ? e_first : 0);
	for (size_t i = 0; i < n_octets; i++)
		write8(&w, i == 0 ? n_first : 0x5b);
	assert_true(writer_ok(&w));
	return fault_of_octets(writer_done(&w), KEY_LIMITS, NULL);
}

static void tags_are_those_of_the_rfcs(void **state)
{
	static const struct {
		const char *text;
		uint16_t tag;
	} keys[] = { { KEY_RFC4034, 60485 }, { KEY_RFC5702_8, 9033 }, { KEY_RFC5702_10, 3740 }, { KEY_RFC6605_13, 55648 }, { KEY_RFC6605_14, 10771 },
		{ KEY_RFC8080_15, 3613 }, { KEY_RFC8080_16, 9713 } };
	AUTO(arena_free) struct arena *a = arena_new(0);

	(void)state;
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		struct span rdata = rdata_of(a, RR_DNSKEY, keys[i].text);

		assert_int_equal(dnskey_tag(rdata), keys[i].tag);
		assert_int_equal(fault_of_octets(rdata, KEY_LIMITS, NULL), KEY_GOOD);
	}
}

static void flags_and_protocol_count(void **state)
{
	(void)state;
	assert_int_equal(fault_of("0 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4="), KEY_NOT_ZONE);
	assert_int_equal(fault_of("257 2 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4="), KEY_PROTOCOL);
	assert_int_equal(fault_of("385 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4="), KEY_REVOKED);
	assert_int_equal(fault_of("257 3 12 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4="), KEY_ALGORITHM);
	assert_int_equal(fault_of("257 3 1 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4="), KEY_ALGORITHM);
}

static void an_algorithm_can_be_off(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct algorithm_policy p = { { 0 }, { 0 } };
	struct span rdata = rdata_of(a, RR_DNSKEY, KEY_RFC4034);

	(void)state;
	algorithm_switch_off(&p, ALG_RSASHA1);
	assert_int_equal(fault_of_octets(rdata, KEY_LIMITS, &p), KEY_ALGORITHM);
	assert_int_equal(fault_of_octets(rdata, KEY_LIMITS, NULL), KEY_GOOD);
}

static void lengths_are_those_of_the_algorithm(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);

	(void)state;
	assert_int_equal(fault_of("257 3 16 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4="), KEY_FORMAT);
	assert_int_equal(fault_of("257 3 13 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4="), KEY_FORMAT);
	for (size_t n = 0; n < 5; n++) { /* cut off anywhere */
		struct span rdata = rdata_of(a, RR_DNSKEY, KEY_RFC4034);

		rdata.n = n;
		assert_int_equal(fault_of_octets(rdata, KEY_LIMITS, NULL), KEY_FORMAT);
	}
}

static void a_point_must_be_on_its_curve(void **state)
{
	(void)state;
	assert_int_equal(fault_of("257 3 13 GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAQ=="), KEY_POINT);
	assert_int_equal(fault_of("257 3 13 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="), KEY_POINT);
}

static void rsa_has_limits(void **state)
{
	struct key_limits strict = KEY_LIMITS;
	AUTO(arena_free) struct arena *a = arena_new(0);

	(void)state;
	assert_int_equal(fault_of_rsa(8, 3, 1, 1, 64, 0x80), KEY_GOOD);
	assert_int_equal(fault_of_rsa(8, 3, 1, 1, 64, 0x7f), KEY_SIZE);   /* 511 bits */
	assert_int_equal(fault_of_rsa(10, 3, 1, 1, 64, 0x80), KEY_SIZE);  /* RFC 5702: RSA/SHA-512 from 1024 */
	assert_int_equal(fault_of_rsa(10, 3, 1, 1, 128, 0x80), KEY_GOOD);
	assert_int_equal(fault_of_rsa(8, 3, 1, 1, 512, 0xff), KEY_GOOD);
	assert_int_equal(fault_of_rsa(8, 3, 1, 1, 513, 0x01), KEY_SIZE);  /* 4097 bits */
	assert_int_equal(fault_of_rsa(8, 3, 1, 1, 1024, 0xff), KEY_SIZE);
	assert_int_equal(fault_of_rsa(8, 8, 0xff, 1, 256, 0x80), KEY_GOOD);
	assert_int_equal(fault_of_rsa(8, 9, 1, 1, 256, 0x80), KEY_EXPONENT); /* 65 bits */
	assert_int_equal(fault_of_rsa(8, 256, 0xff, 1, 256, 0x80), KEY_EXPONENT);
	assert_int_equal(fault_of_rsa(8, 3, 1, 2, 256, 0x80), KEY_EXPONENT); /* even */
	assert_int_equal(fault_of_rsa(8, 1, 1, 1, 256, 0x80), KEY_EXPONENT); /* one */
	assert_int_equal(fault_of_rsa(8, 1, 3, 3, 256, 0x80), KEY_GOOD);
	assert_int_equal(fault_of_rsa(8, 1, 0, 0, 256, 0x80), KEY_FORMAT);
	assert_int_equal(fault_of_rsa(8, 3, 1, 1, 0, 0), KEY_FORMAT);
	assert_int_equal(fault_of_rsa(8, 9, 0, 1, 257, 0), KEY_EXPONENT);    /* zeros before them do not count: the exponent is 1 */
	strict.rsa_min_bits = 1025;
	assert_int_equal(fault_of_octets(rdata_of(a, RR_DNSKEY, KEY_RFC4034), strict, NULL), KEY_SIZE);
}

static void dear_keys_cost_more(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct key_limits limits = KEY_LIMITS;
	AUTO(key_free) struct key *small = key_new(rdata_of(a, RR_DNSKEY, KEY_RFC4034), NULL, &limits);
	AUTO(key_free) struct key *p384 = key_new(rdata_of(a, RR_DNSKEY, KEY_RFC6605_14), NULL, &limits);

	(void)state;
	assert_non_null(small);
	assert_non_null(p384);
	assert_int_equal(key_cost(small), WORK_RSA_1024);
	assert_int_equal(key_cost(p384), WORK_P384);
	assert_int_equal(key_tag(small), 60485);
	assert_int_equal(key_flags(small), 256);
	assert_int_equal(key_algorithm(p384), 14);
	assert_false(key_wants_one_piece(small));
}

static void a_set_is_made_once_and_within_limits(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct rrset *set = signed_set(a, "Example.NET.", RR_DNSKEY, 60, TEXTS(KEY_RFC6605_13, KEY_RFC6605_14, "257 3 99 AAAA"), NULL);
	struct key_limits limits = KEY_LIMITS;
	AUTO(keyset_free) struct keyset *ks = NULL;
	struct name_buf owner = nb("example.net.");
	struct work work = { 3 * WORK_KEY_MADE - 1 };
	size_t good = 0;

	(void)state;
	assert_err(keyset_make(set, NULL, &limits, &work, &ks), ERR_BUDGET);
	assert_int_equal(work.left, 3 * WORK_KEY_MADE - 1);
	work.left = 3 * WORK_KEY_MADE;
	limits.max_keys = 2;
	assert_err(keyset_make(set, NULL, &limits, &work, &ks), ERR_LIMIT);
	limits.max_keys = 3;
	assert_ok(keyset_make(set, NULL, &limits, &work, &ks));
	assert_int_equal(work.left, 0);
	assert_int_equal(keyset_count(ks), 3);
	assert_true(name_equal_case(keyset_owner(ks), name_of(&owner)));
	for (size_t i = 0; i < 3; i++)
		good += key_fault(keyset_key(ks, i)) == KEY_GOOD;
	assert_int_equal(good, 2);
	set = signed_set(a, "example.net.", RR_A, 60, TEXTS("192.0.2.1"), NULL);
	work.left = 10000;
	assert_err(keyset_make(set, NULL, &limits, &work, &ks), ERR_FORMAT);
}

static struct rrset *torture_set;

static bool make_it(void)
{
	struct key_limits limits = KEY_LIMITS;
	struct work work = { 100 * WORK_KEY_MADE };
	AUTO(keyset_free) struct keyset *ks = NULL;

	return OK(keyset_make(torture_set, NULL, &limits, &work, &ks));
}

static void memory_may_run_out(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);

	(void)state;
	torture_set = signed_set(a, "example.net.", RR_DNSKEY, 60, TEXTS(KEY_RFC6605_13, KEY_RFC5702_8), NULL);
	assert_int_equal(for_each_failing_allocation(make_it), 4);
}

static struct span crypto_key, crypto_sig, crypto_data;

/* Whatever fails in libcrypto is "no memory": never a fault of the key, never a bad signature. */
static bool make_and_verify(void)
{
	struct key_limits limits = KEY_LIMITS;
	AUTO(key_free) struct key *k = key_new(crypto_key, NULL, &limits);
	struct result r;

	if (k == NULL)
		return false;
	assert_int_equal(key_fault(k), KEY_GOOD);
	r = key_verify(k, crypto_sig, &crypto_data, 1);
	assert_true(OK(r) || r.e == ERR_NOMEM || (key_wants_one_piece(k) && r.e == ERR_REFUSED)); /* EdDSA: see key_verify() */
	return OK(r);
}

static bool make_a_bad_one(void)
{
	struct key_limits limits = KEY_LIMITS;
	AUTO(key_free) struct key *k = key_new(crypto_key, NULL, &limits);

	if (k == NULL)
		return false;
	assert_int_equal(key_fault(k), KEY_POINT);
	return true;
}

static void libcrypto_may_run_out_of_memory(void **state)
{
	static const struct {
		uint8_t alg;
		unsigned int least; /* allocations that there must have been, or nothing was tried */
	} algs[] = { { 5, 10 }, { 8, 10 }, { 10, 10 }, { 13, 10 }, { 14, 10 }, { 15, 5 }, { 16, 5 } };
	AUTO(arena_free) struct arena *a = arena_new(0);

	(void)state;
	for (size_t i = 0; i < sizeof algs / sizeof *algs; i++) {
		AUTO(signer_free) struct signer *signer = signer_new(algs[i].alg, 257, 0);

		crypto_key = signer_dnskey(signer);
		crypto_data = span_text("data");
		crypto_sig = signer_sign_in(a, signer, crypto_data);
		assert_true(for_each_failing_crypto_allocation(make_and_verify) >= algs[i].least);
	}
	crypto_key = rdata_of(a, RR_DNSKEY, "257 3 13 GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAQ==");
	assert_true(for_each_failing_crypto_allocation(make_a_bad_one) >= 3);
}

/* A signature is refused when any bit of it or of the data is another, or its length is. */
static void every_algorithm_verifies_and_refuses(void **state)
{
	static const uint8_t algs[] = { 5, 7, 8, 10, 13, 14, 15, 16 };
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct key_limits limits = KEY_LIMITS;

	(void)state;
	for (size_t i = 0; i < sizeof algs; i++) {
		AUTO(signer_free) struct signer *signer = signer_new(algs[i], 257, 0);
		AUTO(key_free) struct key *k = key_new(signer_dnskey(signer), NULL, &limits);
		struct span data = span_text("What is signed, in pieces.");
		struct span sig = signer_sign_in(a, signer, data);
		struct span pieces[3] = { { data.p, 5 }, { data.p + 5, 0 }, { data.p + 5, data.n - 5 } };
		uint8_t room[1024];

		assert_non_null(k);
		assert_int_equal(key_fault(k), KEY_GOOD);
		assert_int_equal(key_algorithm(k), algs[i]);
		assert_int_equal(key_wants_one_piece(k), algs[i] >= 15);
		assert_ok(key_verify(k, sig, &data, 1));
		if (key_wants_one_piece(k))
			assert_err(key_verify(k, sig, pieces, 3), ERR_REFUSED);
		else
			assert_ok(key_verify(k, sig, pieces, 3));
		memcpy(room, sig.p, sig.n);
		room[sig.n] = 0;
		assert_err(key_verify(k, span_of(room, sig.n - 1), &data, 1), ERR_REFUSED);
		assert_err(key_verify(k, span_of(room, sig.n + 1), &data, 1), ERR_REFUSED);
		assert_err(key_verify(k, span_of(room, 0), &data, 1), ERR_REFUSED);
		for (size_t bit = 0; bit < sig.n * 8; bit += 37) {
			room[bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_err(key_verify(k, span_of(room, sig.n), &data, 1), ERR_REFUSED);
			room[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		memset(room, 0, sig.n); /* r = s = 0 */
		assert_err(key_verify(k, span_of(room, sig.n), &data, 1), ERR_REFUSED);
		memset(room, 0xff, sig.n);
		assert_err(key_verify(k, span_of(room, sig.n), &data, 1), ERR_REFUSED);
		data.n--;
		assert_err(key_verify(k, sig, &data, 1), ERR_REFUSED);
		assert_int_equal(ERR_peek_error(), 0);
	}
}

struct shared_use {
	const struct key *key;
	struct span sig, data;
	unsigned int good;
};

static void *use_key(void *arg)
{
	struct shared_use *u = arg;
	uint8_t bad[512];

	memcpy(bad, u->sig.p, u->sig.n);
	bad[u->sig.n - 1] ^= 1;
	for (unsigned int i = 0; i < 20; i++) {
		u->good += OK(key_verify(u->key, u->sig, &u->data, 1));
		u->good += !OK(key_verify(u->key, span_of(bad, u->sig.n), &u->data, 1));
	}
	return NULL;
}

/* The first use of a key, too, where libcrypto keeps what it works out. */
static void threads_share_a_key(void **state)
{
	static const uint8_t algs[] = { 8, 13, 14, 15, 16 };
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct key_limits limits = KEY_LIMITS;

	(void)state;
	for (size_t i = 0; i < sizeof algs; i++) {
		AUTO(signer_free) struct signer *signer = signer_new(algs[i], 257, 1);
		AUTO(key_free) struct key *k = key_new(signer_dnskey(signer), NULL, &limits);
		struct span data = span_text("data");
		struct shared_use uses[4];
		pthread_t threads[4];

		for (size_t t = 0; t < 4; t++)
			uses[t] = (struct shared_use){ k, signer_sign_in(a, signer, data), data, 0 };
		for (size_t t = 0; t < 4; t++)
			assert_int_equal(pthread_create(&threads[t], NULL, use_key, &uses[t]), 0);
		for (size_t t = 0; t < 4; t++) {
			assert_int_equal(pthread_join(threads[t], NULL), 0);
			assert_int_equal(uses[t].good, 40);
		}
	}
}

static void every_fault_has_a_text(void **state)
{
	(void)state;
	for (int f = KEY_GOOD; f <= KEY_POINT; f++)
		assert_string_not_equal(key_fault_text((enum key_fault)f), "unknown fault");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tags_are_those_of_the_rfcs),
		cmocka_unit_test(flags_and_protocol_count),
		cmocka_unit_test(an_algorithm_can_be_off),
		cmocka_unit_test(lengths_are_those_of_the_algorithm),
		cmocka_unit_test(a_point_must_be_on_its_curve),
		cmocka_unit_test(rsa_has_limits),
		cmocka_unit_test(dear_keys_cost_more),
		cmocka_unit_test(a_set_is_made_once_and_within_limits),
		cmocka_unit_test(memory_may_run_out),
		cmocka_unit_test(every_algorithm_verifies_and_refuses),
		cmocka_unit_test(threads_share_a_key),
		cmocka_unit_test(libcrypto_may_run_out_of_memory),
		cmocka_unit_test(every_fault_has_a_text),
	};

	crypto_fail_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
