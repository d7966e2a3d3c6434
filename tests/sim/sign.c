/* sign.c: the signer. Its keys are made when first used and kept until the process ends. */
#include "tests/sim/sign.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/libcrypto.h"
#include "validator/algorithm.h"

extern EVP_PKEY *d2i_AutoPrivateKey(EVP_PKEY **, const unsigned char **, long) OWNED_BY(EVP_PKEY_free);
extern EVP_PKEY *EVP_PKEY_new_raw_private_key_ex(OSSL_LIB_CTX *, const char *, const char *, const unsigned char *, size_t) OWNED_BY(EVP_PKEY_free);

#define RSA_OCTETS 64u
#define MODULUS_AT 10u /* in the octets of a key below */

/* RSA private keys (RFC 8017 appendix A.1.2) as base64: small ones, which are broken with ease, and that is nobody's loss. */
static const char *const rsa_keys[SIGN_KEYS] = {
	"MIIBOQIBAAJBAJ6VgX9sHBvS2rNde0S9rQBgxcJZwfCTVYMUWwxAyThwWe7JlQ3yYEPvmNnWu/dYvdLltxTQKsYQF87pmTKBlrcCAwEAAQJADkHatp39mPLH/sA0yOVUnGgW33Y6XWqh"
	"kXtPBDb+4Df1XWL7qFBHcmy1YiKuUv9kMdKH36weSVJ1CkRTCDFz4QIhANC29pb04XQ0GTHTAXzUY05UTjtR4m3SxrZcTmqZ7b79AiEAwoMP8wFuyCSDKbovxhoxxwjQahzH8IE+rTDa"
	"NpFuTMMCIEgqOvDPEvUe3mc/0g/bT8rRk4snMOdQLaz4FZT+TBnxAiBlQVzYH3LP9VHiMu4TricjeU8lLf5XELDT745owaQtiQIgQZcZmzVV9l8vzhUy7oy4k2ZgBnJCp13TTb4VwyO/"
	"dIY=",
	"MIIBPQIBAAJBAK7/ff9IqX7mbhM03EGTj9yrxGcL0s1XD2HBd0C6K8H+R/uGTIRYFlDeGgYvhpp7oUdDQLAPqns5BD5oiBcWapMCAwEAAQJBAKxv8XXV4b67zQd79PVhNEcbsoJfsi7I"
	"dM2814eea3PRPXLAViWSFRsJX+7D7hR1MpSEF2ezv3hltErDwm4z7YECIQDVtDCFgIKZ7C2RgD50gfQckwG5AZPxR4yBW5oVWKQxcwIhANGiLfMSzUT4Ke3W8lgDyqLVSntCM1s30t26"
	"SME+PhphAiEAj9dJEZL+VTxzL4xyfVk7RkBs2GoHek/+ctOFUvjnC6ECIQC6OBALUlNoBe7xKTTkPJH/7eqY7ajDSiaV8on4p3rxYQIhAJplU4Aer3eJHKLTyV9zmUrsH2t6KycZZyBn"
	"W5Chre1k",
	"MIIBOwIBAAJBANYwAJP44NeWdFvm91lsX3eaOXncQw8JutlkHkEvmHC+vBOSM3iAxTdiDBVNZ7OzR+5C1rI8rPMWQQYG0CjoYh8CAwEAAQJAVZ6+vGgiyUuVnB9KBW8zAoaeLz6DeAF1"
	"te01wu0ZzQdWws5R0gK0A1H3CXzYjPb0jFLRoLgh9eWLclF37kO0YQIhAOyDJbhdzpenwiXxU9A0Lz4cdjQw+0oZRx4u3aSXMTk3AiEA59Xy6hGka0x0Mj+ITEHwaWToxyJGxgOeEZ+/"
	"AfG3clkCIQCRQXKXKrXJGnT4zKBHDOW+5cgLAdIzjhbJiMsDXQAUPQIhAImupRHfol7ay9Mfqglny6g79oZ008U7Vr+uuFgmPkUZAiBASyAy86vZmaubzYNnu9U9yJizSDgs9HSj1Vt6"
	"hJOEiw==",
	"MIIBPAIBAAJBANKsP66IApQxN3lZk9+VyHS8mldlsmaA8XQiy+iFSSpKk7KtG/zDMynRR7ICJJ1PtB0Y+9q82YXvOvvwHY3WSCcCAwEAAQJBAIb5HIOxWBWhwqzYm0jwKdHA1BGSck4B"
	"5rBFaua6HjodC7JSDzAaoS6BLgFvhFvhDyFeH2KQe1W077Ibqq0UlGECIQD0i4tr6bIqV1TuvWmx1DHhB8mTq8/+Pm54PWHxvDkVgwIhANyKhqtBwiG3Ien5dru7ysPsbar0B3oBxria"
	"1Lh72KWNAiEArcs+msLLTCwkwEb9BtS3XiYarEg+2YGlIO7+3L3YE+ECICifu77AFipvuWeH9D8QkIEWg/0Bhn8K5LgMjTKOXZHhAiEAqvfsSGPobQI0Yg5sc0dA6S6BX5eVgaoRtRQz"
	"K2V5ZHg=",
	"MIIBPAIBAAJBAMIaQrjFyUhJp3hMyFimg9kO1Eyxu7Aa4T60Yjf6H47fR3cmrm3/3rSoq0IqJgcTl7C68IO1+plim0W8zgHUBUsCAwEAAQJBALkdHmDlkE82n1bls3SIadoKgIIcRylu"
	"mT6Z/cnw60PvFSU1d3VXdO3cIdfOf59SomuDEpTyDZosSay3/7HtLrECIQD6+drmBbcAxJJgcY5N0OK9TR1tZXpe4YKi/LCOk/2FFwIhAMX89By0iauxSO01SKjpz11AZJRHm1F72r6B"
	"QLCIXgntAiAxmZ+BRi/cnvyuwsJ07othDhR6wktk5PyEaZwbEXRREQIhAJuhZ1JZKA7qYOT1iZQdln866tUUJKc8sIonl+4sg59RAiEA5xL3iiF8phPgn6IvLKxqOGyfWa+QBveyUxF1"
	"WMwmAps=",
	"MIIBPAIBAAJBAN4hsFiKZjJkftAVclfgo91MfBxRYDd8bTYM10cxaEJdjy2IJIJZcn6RPB4XZ87APwRido1kvlshIzjpINjsvGsCAwEAAQJBAJxiRV+gWCCkJa9jWfPKQDMdlMbu93k4"
	"zT5fPfRuMUN+gCgZyYlgk8cdo5cpS5aBi+jO+3V87+rseUMm9bbIifECIQD/pDY+v3+FCtPDKqJBy4bH2rkr5EO32zckgQmvPd5U8wIhAN5xcfsMtMHyyrOcP2hXAsnqeePF6u/UV7ha"
	"2KRhiLipAiEAs8+8O/yUZG8OLjvBr0fKAK8PChlfrGWr7qg4uKNqzBMCIG52hbS29ZiO2kxhXjeRZgghUZBj+6xHlZwuOQFAkiWpAiEAokfj1bkaWxeXM9V2Eo4VfPBg7vNoY8Vik2fm"
	"PpoL8Ms=",
};

static struct {
	EVP_PKEY *key OWNED_FIELD;
	uint8_t modulus[RSA_OCTETS];
} rsa[SIGN_KEYS];
static struct {
	EVP_PKEY *key OWNED_FIELD;
	uint8_t public[32];
} ed[SIGN_KEYS];

static void sure(bool good)
{
	if (!good)
		abort(); /* the simulator's own tools */
}

static void *get(struct arena *a, size_t n) IN_ARENA;
static void *get(struct arena *a, size_t n)
{
	void *p = arena_alloc(a, n);

	sure(p != NULL);
	return p;
}

/* ---- keys ----------------------------------------------------------------------------------------------------------------------------------- */

static void make_rsa(unsigned int i)
{
	uint8_t der[512];
	const uint8_t *p = der;
	int n = EVP_DecodeBlock(der, (const unsigned char *)rsa_keys[i], (int)strlen(rsa_keys[i]));

	sure(n > 0);
	rsa[i].key = d2i_AutoPrivateKey(NULL, &p, n);
	sure(rsa[i].key != NULL);
	memcpy(rsa[i].modulus, der + MODULUS_AT, RSA_OCTETS);
}

static void make_ed(unsigned int i)
{
	uint8_t secret[32];
	size_t n = sizeof ed[i].public;

	memset(secret, (int)i + 1, sizeof secret);
	ed[i].key = EVP_PKEY_new_raw_private_key_ex(NULL, "ED25519", NULL, secret, sizeof secret);
	sure(ed[i].key != NULL && EVP_PKEY_get_raw_public_key(ed[i].key, ed[i].public, &n) > 0 && n == sizeof ed[i].public);
}

static EVP_PKEY *key_of(struct sign_key k) BORROWED;
static EVP_PKEY *key_of(struct sign_key k)
{
	sure(k.number < SIGN_KEYS);
	if (k.algorithm == ALG_ED25519) {
		if (ed[k.number].key == NULL)
			make_ed(k.number);
		return ed[k.number].key;
	}
	if (rsa[k.number].key == NULL)
		make_rsa(k.number);
	return rsa[k.number].key;
}

struct span sign_dnskey(struct arena *a, struct sign_key k, uint16_t flags)
{
	bool is_ed = k.algorithm == ALG_ED25519;
	size_t n = 4 + (is_ed ? 32 : 4 + RSA_OCTETS);
	uint8_t *d = get(a, n);

	(void)key_of(k);
	store16(d, flags);
	d[2] = 3;
	d[3] = k.algorithm;
	if (is_ed) {
		memcpy(d + 4, ed[k.number].public, 32);
	} else { /* RFC 3110 section 2 */
		memcpy(d + 4, "\3\1\0\1", 4);
		memcpy(d + 8, rsa[k.number].modulus, RSA_OCTETS);
	}
	return span_of(d, n);
}

uint16_t sign_tag(struct span dnskey)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < dnskey.n; i++)
		sum += i % 2 == 0 ? (uint32_t)dnskey.p[i] << 8 : dnskey.p[i];
	return (uint16_t)(sum + (sum >> 16));
}

struct span sign_ds(struct arena *a, struct name owner, struct span dnskey, uint8_t digest_type)
{
	const char *kind = digest_type == 1 ? "SHA1" : digest_type == 4 ? "SHA384" : "SHA256";
	size_t n = digest_type == 1 ? 20 : digest_type == 4 ? 48 : 32;
	uint8_t *d = get(a, 4 + n), *in = get(a, owner.len + dnskey.n);

	store16(d, sign_tag(dnskey));
	d[2] = dnskey.p[3];
	d[3] = digest_type;
	octets_lower(in, owner.wire, owner.len);
	memcpy(in + owner.len, dnskey.p, dnskey.n);
	sure(EVP_Q_digest(NULL, kind, NULL, in, owner.len + dnskey.n, d + 4, NULL) > 0);
	return span_of(d, 4 + n);
}

/* ---- signatures ----------------------------------------------------------------------------------------------------------------------------- */

static int compare(const void *x, const void *y)
{
	const struct span *a = x, *b = y;
	int order = memcmp(a->p, b->p, a->n < b->n ? a->n : b->n);

	return order != 0 ? order : (a->n > b->n) - (a->n < b->n);
}

struct span sign_data(struct arena *a, const struct sign_how *how, const struct rrset *rs, struct name source, size_t *ret_head)
{
	struct span *rdata = arena_alloc_array(a, rs->count, sizeof *rdata);
	size_t room = 18 + 255;
	struct writer w;
	struct name_buf owner, signer;

	sure(rdata != NULL);
	for (size_t i = 0; i < rs->count; i++) {
		rdata[i] = rrset_rdata(rs, i);
		room += 255 + 10 + rdata[i].n;
	}
	qsort(rdata, rs->count, sizeof *rdata, compare);
	name_copy(&owner, source);
	name_lower(&owner);
	name_copy(&signer, how->signer);
	name_lower(&signer);
	w = writer_of(get(a, room), room);
	write16(&w, rs->type);
	write8(&w, how->key.algorithm);
	write8(&w, (uint8_t)(source.labels - name_is_wildcard(source)));
	write32(&w, rs->ttl);
	write32(&w, how->expiration);
	write32(&w, how->inception);
	write16(&w, how->tag);
	write_octets(&w, signer.b, signer.len);
	*ret_head = w.pos;
	for (size_t i = 0; i < rs->count; i++) {
		write_octets(&w, owner.b, owner.len);
		write16(&w, rs->type);
		write16(&w, CLASS_IN);
		write32(&w, rs->ttl);
		write16(&w, (uint16_t)rdata[i].n);
		write_span(&w, rdata[i]);
	}
	sure(writer_ok(&w));
	return writer_done(&w);
}

struct span sign_rrsig(struct arena *a, struct sign_key k, struct span data, size_t head)
{
	AUTO(EVP_MD_CTX_free) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	const char *digest = k.algorithm == ALG_ED25519 ? NULL : k.algorithm == ALG_RSASHA256 ? "SHA256" : "SHA1";
	size_t n = 64;
	uint8_t *d = get(a, head + n);

	memcpy(d, data.p, head);
	sure(ctx != NULL && EVP_DigestSignInit_ex(ctx, NULL, digest, NULL, NULL, key_of(k), NULL) > 0 && EVP_DigestSign(ctx, d + head, &n, data.p, data.n) > 0);
	return span_of(d, head + n);
}

/* ---- names as hashes, types as bits ----------------------------------------------------------------------------------------------------------- */

void sign_nsec3_hash(struct name n, struct span salt, unsigned int iterations, uint8_t out[SIGN_HASH])
{
	uint8_t in[NAME_MAX_OCTETS + 255];
	size_t len = n.len;

	octets_lower(in, n.wire, n.len);
	for (unsigned int i = 0; i <= iterations; i++) {
		if (salt.n > 0)
			memcpy(in + len, salt.p, salt.n);
		sure(EVP_Q_digest(NULL, "SHA1", NULL, in, len + salt.n, out, NULL) > 0);
		memcpy(in, out, SIGN_HASH);
		len = SIGN_HASH;
	}
}

void sign_base32(const uint8_t hash[SIGN_HASH], char out[33])
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuv";

	for (unsigned int i = 0; i < 32; i++) {
		unsigned int bit = i * 5, two = (unsigned int)hash[bit / 8] << 8 | (bit / 8 + 1 < SIGN_HASH ? hash[bit / 8 + 1] : 0);

		out[i] = digits[two >> (11 - bit % 8) & 31];
	}
	out[32] = '\0';
}

struct span sign_bitmap(struct arena *a, const uint16_t *types, size_t n)
{
	uint8_t *d = get(a, n * 34 + 1);
	size_t at = 0;

	for (size_t i = 0; i < n;) {
		unsigned int window = types[i] >> 8, last = 0;

		d[at] = (uint8_t)window;
		for (; i < n && types[i] >> 8 == window; i++) {
			last = (types[i] & 255u) / 8;
			d[at + 2 + last] |= (uint8_t)(0x80 >> (types[i] & 7));
		}
		d[at + 1] = (uint8_t)(last + 1);
		at += 2 + last + 1;
	}
	return span_of(d, at);
}
