#include "rpki/object/key.h"

#include <stdatomic.h>

#include "base/libcrypto.h"
#include "base/mem.h"
#include "rpki/object/oid.h"

struct public_key {
	RSA *rsa OWNED_FIELD; /* one of the two */
	EC_KEY *ec OWNED_FIELD;
};

void public_key_free(struct public_key *k)
{
	if (k == NULL)
		return;
	RSA_free(MOVE(k->rsa));
	EC_KEY_free(MOVE(k->ec));
	mem_free(k);
}

/* RSAPublicKey (RFC 8017 appendix A.1.1). */
static void read_rsa(struct key_info *i)
{
	struct reader outer = reader_of(i->octets), in = der_enter(&outer, DER_SEQUENCE);
	struct span n = der_integer(&in), e = der_integer(&in);

	der_leave(&outer, &in);
	if (!reader_ok(&outer) || !reader_end(&outer) || der_negative(n) || der_negative(e))
		return;
	if (n.p[0] == 0) {
		struct reader r = reader_of(n);

		read_skip(&r, 1);
		n = der_rest(&r);
	}
	i->modulus = n;
	i->exponent = e;
	i->readable = n.n > 0;
}

struct key_info key_info_read(struct reader *r)
{
	struct reader look = *r, in = der_enter(&look, DER_SEQUENCE), alg = der_enter(&in, DER_SEQUENCE);
	struct key_info i = { .whole = der_whole(r, DER_SEQUENCE) };
	struct span oid = der_get(&alg, DER_OID);
	struct bits bits;

	if (OID_IS(oid, OID_RSA_ENCRYPTION)) {
		i.kind = der_get(&alg, DER_NULL).n == 0 && reader_ok(&alg) ? KEY_KIND_RSA : KEY_KIND_UNKNOWN;
	} else if (OID_IS(oid, OID_EC_PUBLIC_KEY)) {
		struct span curve = der_get(&alg, DER_OID);

		i.kind = OID_IS(curve, OID_P256) ? KEY_KIND_P256 : KEY_KIND_UNKNOWN;
	} else {
		der_rest(&alg);
	}
	der_leave(&in, &alg);
	bits = der_bit_string(&in);
	der_leave(&look, &in);
	if (!reader_ok(&look)) {
		reader_fail(r);
		return i;
	}
	i.octets = bits.octets;
	if (bits.unused != 0)
		return i;
	if (i.kind == KEY_KIND_RSA)
		read_rsa(&i);
	else if (i.kind == KEY_KIND_P256)
		i.readable = bits.octets.n == 65 && bits.octets.p[0] == POINT_CONVERSION_UNCOMPRESSED; /* RFC 8208 section 3.1 */
	return i;
}

bool key_info_is_profile_rsa(const struct key_info *i)
{
	static const uint8_t f4[] = { 1, 0, 1 };

	return i->kind == KEY_KIND_RSA && i->modulus.n == 256 && (i->modulus.p[0] & 0x80) != 0 && span_equal(i->exponent, span_of(f4, 3));
}

static bool rsa_set(RSA *rsa, struct span n, struct span e)
{
	AUTO(BN_free) BIGNUM *modulus = BN_bin2bn(n.p, (int)n.n, NULL);
	AUTO(BN_free) BIGNUM *exponent = BN_bin2bn(e.p, (int)e.n, NULL);

	return modulus != NULL && exponent != NULL && RSA_set0_key(rsa, MOVE(modulus), MOVE(exponent), NULL) == 1;
}

static RESULT make_rsa(struct public_key *k, const struct key_info *i)
{
	if (!key_info_is_profile_rsa(i) || (i->modulus.p[255] & 1) == 0)
		return FAIL(ERR_FORMAT); /* others would be dear, or never good */
	k->rsa = RSA_new();
	return k->rsa != NULL && rsa_set(k->rsa, i->modulus, i->exponent) ? DONE : FAIL(ERR_NOMEM);
}

/* The curve's parameters, worked out once for the process. NULL: out of memory. */
static const EC_GROUP *p256(void) BORROWED;
static const EC_GROUP *p256(void)
{
	static _Atomic(EC_GROUP *) curve;
	EC_GROUP *known = atomic_load_explicit(&curve, memory_order_acquire);
	AUTO(EC_GROUP_free) EC_GROUP *made = NULL;

	if (known != NULL)
		return known;
	made = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	if (made == NULL || !atomic_compare_exchange_strong(&curve, &known, made))
		return known;
	return MOVE(made); /* own-ok: R3 the process keeps it */
}

static RESULT make_p256(struct public_key *k, const struct key_info *i)
{
	const EC_GROUP *curve = p256();

	k->ec = EC_KEY_new();
	if (curve == NULL || k->ec == NULL || EC_KEY_set_group(k->ec, curve) != 1)
		return FAIL(ERR_NOMEM);
	if (EC_KEY_oct2key(k->ec, i->octets.p, i->octets.n, NULL) == 1)
		return DONE;
	ERR_clear_error();
	return FAIL(ERR_FORMAT);
}

RESULT public_key_make(const struct key_info *i, struct public_key **ret_key)
{
	AUTO(public_key_free) struct public_key *k = mem_alloc(sizeof *k);

	if (k == NULL)
		return FAIL(ERR_NOMEM);
	if (!i->readable || i->kind == KEY_KIND_UNKNOWN)
		return FAIL(ERR_UNSUPPORTED);
	TRY(i->kind == KEY_KIND_RSA ? make_rsa(k, i) : make_p256(k, i));
	*ret_key = MOVE(k);
	return DONE;
}

bool public_key_verify(const struct public_key *k, const uint8_t digest[32], struct span signature)
{
	int good;

	if (signature.n == 0 || signature.n > 1024)
		return false;
	if (k->rsa != NULL)
		good = RSA_verify(NID_sha256, digest, 32, signature.p, (unsigned int)signature.n, k->rsa);
	else
		good = ECDSA_verify(0, digest, 32, signature.p, (int)signature.n, k->ec);
	if (good != 1)
		ERR_clear_error();
	return good == 1;
}

void sha256_of(struct span s, uint8_t ret_digest[32])
{
	SHA256_CTX c;

	SHA256_Init(&c);
	SHA256_Update(&c, s.p, s.n);
	SHA256_Final(ret_digest, &c);
}

void sha256_of_three(struct span a, struct span b, struct span c, uint8_t ret_digest[32])
{
	SHA256_CTX x;

	SHA256_Init(&x);
	SHA256_Update(&x, a.p, a.n);
	SHA256_Update(&x, b.p, b.n);
	SHA256_Update(&x, c.p, c.n);
	SHA256_Final(ret_digest, &x);
}

void sha1_of(struct span s, uint8_t ret_digest[20])
{
	SHA_CTX c;

	SHA1_Init(&c);
	SHA1_Update(&c, s.p, s.n);
	SHA1_Final(ret_digest, &c);
}
