#include "tests/unit/validator/signer.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/libcrypto.h"
#include "dns/rdata.h"
#include "tests/unit/validator/obvious.h"

#define SIGNER_DNSKEY 300

struct signer {
	EVP_PKEY *pkey OWNED_FIELD; /* RSA and EdDSA */
	EC_KEY *ec OWNED_FIELD;
	uint8_t algorithm;
	size_t dnskey_octets;
	uint8_t dnskey[SIGNER_DNSKEY];
};

/* RSA keys of 1024 bits, made for this purpose and used for no other. */
static const char *const rsa_keys[] = {
	"MIICXQIBAAKBgQDDC+SYfhhYl/XGiW508hsorbbuG1SbMAiYF9ODEXRzoX7MnhA0mTh9Q8UflRnc3KgasGoELtagpkPVH7uY5e4iLd0ejmS6RsuDhDjDENvp"
	"dXAMiX1697TWaWqCuacevy+bAZ7tnZMQfaHx3jjXBHKOYbAkDfa9iG5ivvGPQy8+RwIDAQABAoGBAIY8/DKbrkPjKitfUN859ck0bc9Ijh1UnMWYuGDftYcT"
	"ogJP0xVwUrmb1+KZqrggQa5EtmJ0nhDo/YyED4f2z8IQuGa7wvRTG0OOvZmM5T1fH+CemYlb/NmaldCQmW9NhdtQzYFom16+lcLxYRrlNEPDXdoI4cn4DKzp"
	"nB+qw48xAkEA4VrBnvN4n6Jz+6ZA6VcZpmy19ZnB+NVeUKnsAGDx6MdQxj6MA1uUNwpuEUreHcMmZZqzdjVGxuiyvlGY7b32bwJBAN2SBnXTkcrxJtxAzNfS"
	"k/OC/wuQuOP1NBgkg2mvPkX6czqjwXJHSkYIY5uBexH+wHy1GWBswusZLNBezG/Q4akCQEiSQoIeo/y8gx9KNeMvAnqezaYvAtFQXRQa9H5WufCdpzyATfSS"
	"3FMxT6rP8mGhQ886l4p8s7NAorc5bcc6Ao8CQQCbQ+ndBY5j3UtzCsHA96KQARsCmr7Fl52S0Xt5QsFrvk6jJ/+2OjjVDKnoXfrFKHTwruOCi5SntLOPrO6r"
	"6H9JAkAxd9egphLoCOqG3GtI+La3gjlGv/FVJLQFRFd2n0+sfwAPD0iaNvY7T5l6f8gDo2WhZXO7tI+d9reg7XU3kwUT",
	"MIICXwIBAAKBgQDM1E/AjZVBXwdyvzLrmfec/JW2SfFzHEt4hHo3foREhQvOZdvU8qiWLk3dJKwC2GQU9uVLHmQUkWTYyGmjkEYQvQCivPBCds/oEOyaAssi"
	"MQ+FZPcv7zUKawUkVdiFoZtl+Lj6sA/2QLuqEkN4LFnAgylwBNyX1M4OtQoWYheQ7wIDAQABAoGBAIeccYjstErpncbM6+usrpHTcVOVNTSfISCTpU8khnHP"
	"HHf0XE1qs09rLMYjR3dCyVBP/pNzdZNgh8I3Pim6lYfC2Uu9s0zl29sKTlg2i3x5WESNcgyJDtusFPwTDBXUhSKWXTH3VaGOI2LpzmX2o8DFdDe2+C6dGb3M"
	"v2QYzGiRAkEA/C3yrmCweM6OSqNbFRkXoOSP2OqxByhwsYd8WIo7MqfnmkzqG5gK8x6di8llAv4aOnZk8i9RIPE4xXmYbADDCwJBAM/uuI8LXC110p3vFE1D"
	"2+zB9rqPiMnMNzOCooah+48WqapzVOMC5M2B8zUVt7SuhitPyXVNLgh6Xx6CaOKs2C0CQQCFL+tNR8nMdCNYrkAru23sTureQM2wnx4t1QXKaW9siJtctiSq"
	"4DlgQBorOvm7g+LsX51e/7iUcnJucZMb76cTAkEAy2etZ1EnlNkDdbfg1kyhoROFNq8ekrmQ7nTGZImkui7jPnif+4pjJJ4QukdKdBed7FSasIMVmvmKfx/3"
	"Vnba6QJBANeGkhlBWXwCl9ltvyX44hxeZp75Vunys8IWPllcT86sJjUJr/2+6wfxlDw9fWSasjtI3oHwALKzF43xM5KlS1c=",
	"MIICXAIBAAKBgQC4fujM+K0/mg32iVc95YbGcoT5+V+VLLH/phXIzdirOgVdpD0nWVYT2SgCQqiFfWPGFvOjH0jQ24UQSwChpLZKoSh3oQ/69yBXPWGk8i2/"
	"DTzjbgb7bF0ydblLitHETGMZn13Dl3dgpDfOY3PLqc/1h/7gEvcxfBha3pR+t8qRGQIDAQABAoGBAJJIddeHWP6z7FxMuzKlmb4hMRRuyH2kCaI1EtK7fA8P"
	"mw+LWL2pVNm59cINDkeBiymWKylsdbS8SX4IqgCAc9PRqQ0kp9SuJZQK0yWOBp0FmaPO7peExbj4HLIIRgXULU6Rbf1mr/MiFqfZnlBn2bzdSsJW326ZDlek"
	"irzSc/39AkEA4SFmQEFKHZMFbFrybpr6qdJBvIAA95mLcpIW80Fna7aWXWuQz10pjOyxr0YZfbFb5gGCMah4ciX+lfhlB+dVxwJBANHLIxDnPQLddZnpW48V"
	"/clynZd7vlcUlmpcnSJgAgVHGGlDLClzL2uMggSD9dfTMz+Wh/MztUH8pMxu8kiHYh8CQCctlcrG0ewVotL5fMkMxWR6R6BTMlfka6UTkVTh4+qVytMVHg1I"
	"LCvvIPjcnSEHlXOQfaTAqb1LqWNV59cZRg8CQH1T/CPJ8FG42NtUY+ULvyvL88ceHmxJGT57C0gQ0MQ0X6nqfgRZElgOfVGTP5dqTTBMjfTEzCCafBzAnq6j"
	"agMCQAodW9CgzeLh4Itdxc3mD5Lk350VMjz/dHPAA5GjZNLTsIb2FZzeCE42hNXYDZdk4pIpPnFao4XsOidTR+bfuV8=",
};

extern void ECDSA_SIG_free(ECDSA_SIG *) TAKES(1);
extern ECDSA_SIG *ECDSA_do_sign(const unsigned char *, int, EC_KEY *) OWNED_BY(ECDSA_SIG_free);
extern void EC_POINT_free(EC_POINT *) TAKES(1);
extern EC_POINT *EC_POINT_new(const EC_GROUP *) OWNED_BY(EC_POINT_free);
extern EVP_PKEY *EVP_PKEY_new_raw_private_key_ex(OSSL_LIB_CTX *, const char *, const char *, const unsigned char *, size_t) OWNED_BY(EVP_PKEY_free);
extern EVP_PKEY *d2i_PrivateKey(int, EVP_PKEY **, const unsigned char **, long) OWNED_BY(EVP_PKEY_free);
DEFINE_AUTO(ECDSA_SIG, ECDSA_SIG_free)
DEFINE_AUTO(EC_POINT, EC_POINT_free)

static void must(bool so)
{
	if (!so)
		abort();
}

static EVP_PKEY *rsa_key(unsigned int number) OWNED_BY(EVP_PKEY_free);
static EVP_PKEY *rsa_key(unsigned int number)
{
	const char *text = rsa_keys[number % (sizeof rsa_keys / sizeof *rsa_keys)];
	uint8_t der[1024];
	const uint8_t *p = der;
	int n = EVP_DecodeBlock(der, (const uint8_t *)text, (int)strlen(text));

	must(n > 0);
	return d2i_PrivateKey(EVP_PKEY_RSA, NULL, &p, n);
}

/* RFC 3110 section 2; the exponent is 65537. */
static void put_rsa(struct signer *s, struct writer *w)
{
	BIGNUM *n = NULL;
	uint8_t room[128];

	must(EVP_PKEY_get_bn_param(s->pkey, OSSL_PKEY_PARAM_RSA_N, &n) == 1 && BN_bn2binpad(n, room, sizeof room) == sizeof room);
	BN_free(n);
	write_octets(w, "\3\1\0\1", 4);
	write_octets(w, room, sizeof room);
}

static EC_KEY *ec_key(bool p384, unsigned int number) OWNED_BY(EC_KEY_free);
static EC_KEY *ec_key(bool p384, unsigned int number)
{
	AUTO(EC_GROUP_free) EC_GROUP *g = EC_GROUP_new_by_curve_name(p384 ? NID_secp384r1 : NID_X9_62_prime256v1);
	AUTO(EC_KEY_free) EC_KEY *ec = EC_KEY_new();
	AUTO(EC_POINT_free) EC_POINT *point = EC_POINT_new(g);
	uint8_t secret[32] = { 0x5c, 0xa1 };
	AUTO(BN_free) BIGNUM *d = NULL;

	store32(secret + 28, number + 1);
	d = BN_bin2bn(secret, sizeof secret, NULL);
	must(EC_KEY_set_group(ec, g) == 1 && EC_POINT_mul(g, point, d, NULL, NULL, NULL) == 1 && EC_KEY_set_private_key(ec, d) == 1 &&
	    EC_KEY_set_public_key(ec, point) == 1);
	return MOVE(ec);
}

static void put_ec(struct signer *s, struct writer *w)
{
	uint8_t room[100];
	size_t n = EC_POINT_point2oct(EC_KEY_get0_group(s->ec), EC_KEY_get0_public_key(s->ec), POINT_CONVERSION_UNCOMPRESSED, room, sizeof room, NULL);

	must(n == 65 || n == 97);
	write_octets(w, room + 1, n - 1);
}

static EVP_PKEY *eddsa_key(bool ed448, unsigned int number) OWNED_BY(EVP_PKEY_free);
static EVP_PKEY *eddsa_key(bool ed448, unsigned int number)
{
	uint8_t secret[57] = { 0x5c, 0xa1 };

	store32(secret + 28, number + 1);
	return EVP_PKEY_new_raw_private_key_ex(NULL, ed448 ? "ED448" : "ED25519", NULL, secret, ed448 ? 57 : 32);
}

static void put_eddsa(struct signer *s, struct writer *w)
{
	uint8_t room[57];
	size_t n = sizeof room;

	must(EVP_PKEY_get_raw_public_key(s->pkey, room, &n) == 1);
	write_octets(w, room, n);
}

void signer_free(struct signer *s)
{
	if (s == NULL)
		return;
	EVP_PKEY_free(MOVE(s->pkey));
	EC_KEY_free(MOVE(s->ec));
	free(s);
}

struct signer *signer_new(uint8_t algorithm, uint16_t flags, unsigned int number)
{
	struct signer *s = calloc(1, sizeof *s);
	struct writer w;

	must(s != NULL);
	s->algorithm = algorithm;
	w = writer_of(s->dnskey, sizeof s->dnskey);
	write16(&w, flags);
	write8(&w, 3);
	write8(&w, algorithm);
	if (algorithm == 13 || algorithm == 14) {
		s->ec = ec_key(algorithm == 14, number);
		put_ec(s, &w);
	} else if (algorithm == 15 || algorithm == 16) {
		s->pkey = eddsa_key(algorithm == 16, number);
		put_eddsa(s, &w);
	} else {
		s->pkey = rsa_key(number);
		put_rsa(s, &w);
	}
	must(writer_ok(&w));
	s->dnskey_octets = w.pos;
	return s;
}

struct span signer_dnskey(const struct signer *s)
{
	return span_of(s->dnskey, s->dnskey_octets);
}

uint16_t signer_tag(const struct signer *s)
{
	return obvious_tag(signer_dnskey(s));
}

static const EVP_MD *md_of(uint8_t algorithm)
{
	return algorithm >= 15 ? NULL : algorithm == 14 ? EVP_sha384() : algorithm == 10 ? EVP_sha512() : algorithm <= 7 ? EVP_sha1() : EVP_sha256();
}

static size_t sign_ec(const struct signer *s, struct span data, uint8_t *room)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned int n = 0;
	int half = s->algorithm == 14 ? 48 : 32;
	AUTO(ECDSA_SIG_free) ECDSA_SIG *sig = NULL;

	must(EVP_Digest(data.p, data.n, digest, &n, md_of(s->algorithm), NULL) == 1);
	sig = ECDSA_do_sign(digest, (int)n, s->ec);
	must(sig != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(sig), room, half) == half && BN_bn2binpad(ECDSA_SIG_get0_s(sig), room + half, half) == half);
	return (size_t)half * 2;
}

struct span signer_sign_in(struct arena *a, const struct signer *s, struct span data)
{
	uint8_t room[512];
	size_t n = sizeof room;

	if (s->ec != NULL) {
		n = sign_ec(s, data, room);
	} else {
		AUTO(EVP_MD_CTX_free) EVP_MD_CTX *ctx = EVP_MD_CTX_new();

		must(EVP_DigestSignInit(ctx, NULL, md_of(s->algorithm), NULL, s->pkey) == 1 && EVP_DigestSign(ctx, room, &n, data.p, data.n) == 1);
	}
	return span_of(arena_dup(a, room, n), n);
}

struct span signer_rrsig_in(struct arena *a, const struct signer *s, const struct signer_how *how, const struct rrset *set)
{
	size_t cap = 600 + (size_t)set->octets + 300u * set->count;
	uint8_t *data = arena_alloc(a, cap), *rdata = arena_alloc(a, 900);
	struct name owner = rrset_name(set);
	struct writer w = writer_of(rdata, 900);
	size_t n = 0;

	write16(&w, set->type);
	write8(&w, s->algorithm);
	write8(&w, how->labels >= 0 ? (uint8_t)how->labels : (uint8_t)(owner.labels - (name_is_wildcard(owner) ? 1u : 0u)));
	write32(&w, how->ttl);
	write32(&w, how->expiration);
	write32(&w, how->inception);
	write16(&w, how->tag != 0 ? how->tag : signer_tag(s));
	write_octets(&w, how->zone.wire, how->zone.len);
	write8(&w, 0); /* any signature: it is cut off again */
	must(obvious_signed_data(writer_done(&w), set, data, cap, &n));
	writer_rewind(&w, w.pos - 1);
	write_span(&w, signer_sign_in(a, s, span_of(data, n)));
	must(writer_ok(&w));
	return writer_done(&w);
}

struct rrset *signer_with_in(struct arena *a, const struct rrset *set, const struct span *sigs, size_t n)
{
	struct span *all = arena_alloc_array(a, set->count + n + 1u, sizeof *all);
	struct rrset *rs;

	for (size_t i = 0; i < set->count; i++)
		all[i] = rrset_rdata(set, i);
	for (size_t i = 0; i < n; i++)
		all[set->count + i] = sigs[i];
	rs = rrset_make_unique_in(a, rrset_name(set), set->type, set->rclass, set->ttl, all, set->count, n);
	must(rs != NULL);
	return rs;
}

struct rrset *signer_signed_in(struct arena *a, const struct signer *s, const struct signer_how *how, const struct rrset *set)
{
	struct span sig = signer_rrsig_in(a, s, how, set);

	return signer_with_in(a, set, &sig, 1);
}
