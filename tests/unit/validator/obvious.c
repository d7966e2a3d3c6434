#include "tests/unit/validator/obvious.h"

#include <stdlib.h>

#include "base/libcrypto.h"

/* --- names as octets */

/* Octets of the name at p, or 0 when there is none. */
static size_t name_octets(const uint8_t *p, size_t n)
{
	size_t at = 0;

	while (at < n && p[at] != 0) {
		if (p[at] > 63)
			return 0;
		at += 1u + p[at];
	}
	return at < n && at + 1 <= 255 ? at + 1 : 0;
}

static unsigned int count_labels(const uint8_t *p)
{
	unsigned int n = 0;

	for (; *p != 0; p += 1 + *p)
		n++;
	return n;
}

static void lower(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] >= 'A' && p[i] <= 'Z')
			p[i] = (uint8_t)(p[i] + 32);
}

static bool same_octets_but_case(const uint8_t *a, const uint8_t *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t x = a[i], y = b[i];

		lower(&x, 1);
		lower(&y, 1);
		if (x != y)
			return false;
	}
	return true;
}

/* Whether top is name or above it. */
static bool at_or_above(const uint8_t *top, const uint8_t *name)
{
	size_t n = name_octets(top, 255);

	for (;; name += 1 + *name) {
		if (name_octets(name, 255) == n && same_octets_but_case(name, top, n))
			return true;
		if (*name == 0)
			return false;
	}
}

/* --- canonical form (RFC 4034 section 6, RFC 6840 section 5.1) */

/* The names in the rdata, one after another from some place on: how many, and where the first begins. RFC 4034 section 6.2 (3) by type, without NSEC (RFC 6840
 * section 5.1) and HINFO (which has none). */
static unsigned int names_in(uint16_t type, const uint8_t *p, size_t n, size_t *ret_at)
{
	*ret_at = 0;
	switch (type) {
	case 2:  /* NS */
	case 3:  /* MD */
	case 4:  /* MF */
	case 5:  /* CNAME */
	case 7:  /* MB */
	case 8:  /* MG */
	case 9:  /* MR */
	case 12: /* PTR */
	case 30: /* NXT */
	case 39: /* DNAME */
		return 1;
	case 6:  /* SOA */
	case 14: /* MINFO */
	case 17: /* RP */
		return 2;
	case 15: /* MX */
	case 18: /* AFSDB */
	case 21: /* RT */
	case 36: /* KX */
		*ret_at = 2;
		return 1;
	case 26: /* PX */
		*ret_at = 2;
		return 2;
	case 33: /* SRV */
		*ret_at = 6;
		return 1;
	case 35: /* NAPTR */
		*ret_at = 4;
		for (int strings = 0; strings < 3 && *ret_at < n; strings++)
			*ret_at += 1u + p[*ret_at];
		return 1;
	case 24: /* SIG */
	case 46: /* RRSIG */
		*ret_at = 18;
		return 1;
	case 38: /* A6: bits of the prefix, the rest of the address, and the prefix's name when there are any (RFC 2874 section 3.1) */
		if (n == 0 || p[0] == 0 || p[0] > 128)
			return 0;
		*ret_at = 1 + (128u - p[0] + 7) / 8;
		return 1;
	default:
		return 0;
	}
}

static void canonical_rdata(uint16_t type, uint8_t *p, size_t n)
{
	size_t at = 0;

	for (unsigned int names = names_in(type, p, n, &at); names > 0 && at < n; names--) {
		size_t octets = name_octets(p + at, n - at);

		lower(p + at, octets);
		at += octets;
	}
}

struct obvious_rr {
	uint8_t *p;
	size_t n;
};

static int canonical_order(const void *a, const void *b)
{
	const struct obvious_rr *x = a, *y = b;

	for (size_t i = 0; i < x->n && i < y->n; i++)
		if (x->p[i] != y->p[i])
			return x->p[i] < y->p[i] ? -1 : 1;
	return x->n < y->n ? -1 : x->n > y->n ? 1 : 0;
}

#define RRSIG_SIGNER 18

/* RFC 4035 section 5.3.2: the owner's name as it was when it was signed. 0: impossible. */
static size_t signed_owner(const uint8_t *owner, unsigned int rrsig_labels, uint8_t out[300])
{
	unsigned int fqdn_labels = count_labels(owner);
	bool star = owner[0] == 1 && owner[1] == '*';
	size_t n;

	if (rrsig_labels > fqdn_labels - (star ? 1u : 0u))
		return 0;
	if (rrsig_labels == fqdn_labels - (star ? 1u : 0u)) {
		n = name_octets(owner, 255);
		memcpy(out, owner, n);
		lower(out, n);
		return n;
	}
	for (; fqdn_labels > rrsig_labels; fqdn_labels--)
		owner += 1 + *owner;
	n = name_octets(owner, 255);
	out[0] = 1;
	out[1] = '*';
	memcpy(out + 2, owner, n);
	lower(out + 2, n);
	return n + 2;
}

bool obvious_signed_data(struct span rrsig, const struct rrset *set, uint8_t *room, size_t cap, size_t *ret_n)
{
	struct writer w = writer_of(room, cap);
	struct obvious_rr *rrs = calloc(set->count + 1u, sizeof *rrs);
	uint8_t owner[300];
	size_t signer, owner_octets;

	if (rrs == NULL)
		abort();
	signer = rrsig.n > RRSIG_SIGNER ? name_octets(rrsig.p + RRSIG_SIGNER, rrsig.n - RRSIG_SIGNER) : 0;
	owner_octets = rrsig.n > RRSIG_SIGNER ? signed_owner(rrset_name(set).wire, rrsig.p[3], owner) : 0;
	write_octets(&w, rrsig.p, RRSIG_SIGNER + signer);
	if (writer_ok(&w))
		lower(room + RRSIG_SIGNER, signer);
	for (size_t i = 0; i < set->count; i++) {
		struct span rdata = rrset_rdata(set, i);

		rrs[i].p = malloc(rdata.n + 1);
		if (rrs[i].p == NULL)
			abort();
		rrs[i].n = rdata.n;
		memcpy(rrs[i].p, rdata.p, rdata.n);
		canonical_rdata(set->type, rrs[i].p, rdata.n);
	}
	qsort(rrs, set->count, sizeof *rrs, canonical_order);
	for (size_t i = 0; i < set->count; i++) {
		if (i > 0 && canonical_order(&rrs[i - 1], &rrs[i]) == 0)
			continue;
		write_octets(&w, owner, owner_octets);
		write16(&w, set->type);
		write16(&w, set->rclass);
		write_octets(&w, rrsig.p + 4, 4); /* the original TTL */
		write16(&w, (uint16_t)rrs[i].n);
		write_octets(&w, rrs[i].p, rrs[i].n);
	}
	for (size_t i = 0; i < set->count; i++)
		free(rrs[i].p);
	free(rrs);
	*ret_n = w.pos;
	return signer != 0 && owner_octets != 0 && writer_ok(&w);
}

/* --- keys */

uint16_t obvious_tag(struct span dnskey) /* RFC 4034 appendix B */
{
	unsigned long ac = 0;

	for (size_t i = 0; i < dnskey.n; i++)
		ac += (i & 1) != 0 ? dnskey.p[i] : (unsigned long)dnskey.p[i] << 8;
	ac += ac >> 16 & 0xffff;
	return (uint16_t)(ac & 0xffff);
}

static EVP_PKEY *from_params(const char *type, OSSL_PARAM *params) OWNED_BY(EVP_PKEY_free);
static EVP_PKEY *from_params(const char *type, OSSL_PARAM *params)
{
	AUTO(EVP_PKEY_CTX_free) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	AUTO(EVP_PKEY_free) EVP_PKEY *pkey = NULL;

	if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1)
		abort();
	if (EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
		return NULL;
	return MOVE(pkey);
}

/* A number that the machine's order is told of by libcrypto itself. */
static bool number(const uint8_t *p, size_t n, uint8_t *room, size_t *ret_octets, int *ret_bits)
{
	AUTO(BN_free) BIGNUM *b = BN_bin2bn(p, (int)n, NULL);

	if (b == NULL)
		abort();
	*ret_bits = BN_num_bits(b);
	*ret_octets = (size_t)BN_num_bytes(b);
	return *ret_octets <= 512 && BN_bn2nativepad(b, room, (int)*ret_octets) >= 0;
}

/* RFC 3110 section 2; sizes of RFC 3110 section 4 and RFC 5702 section 2; an exponent is odd, above 1, and of no more than 64 bits here. */
static EVP_PKEY *rsa_key(unsigned int algorithm, const uint8_t *p, size_t n) OWNED_BY(EVP_PKEY_free);
static EVP_PKEY *rsa_key(unsigned int algorithm, const uint8_t *p, size_t n)
{
	uint8_t e_room[512], n_room[512];
	size_t e_at = 1, e_len = n > 0 ? p[0] : 0, e_octets, n_octets;
	int e_bits, n_bits;
	OSSL_PARAM params[3];

	if (e_len == 0 && n >= 3) {
		e_len = (size_t)p[1] << 8 | p[2];
		e_at = 3;
	}
	if (e_len == 0 || e_at + e_len >= n)
		return NULL;
	if (!number(p + e_at, e_len, e_room, &e_octets, &e_bits) || !number(p + e_at + e_len, n - e_at - e_len, n_room, &n_octets, &n_bits))
		return NULL;
	if (n_bits < (algorithm == 10 ? 1024 : 512) || n_bits > 4096 || e_bits < 2 || e_bits > 64 || (p[e_at + e_len - 1] & 1) == 0)
		return NULL;
	params[0] = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, n_room, n_octets);
	params[1] = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, e_room, e_octets);
	params[2] = OSSL_PARAM_construct_end();
	return from_params("RSA", params);
}

static EVP_PKEY *ecdsa_key(unsigned int algorithm, const uint8_t *p, size_t n) OWNED_BY(EVP_PKEY_free);
static EVP_PKEY *ecdsa_key(unsigned int algorithm, const uint8_t *p, size_t n)
{
	char group[] = "P-256";
	uint8_t point[97] = { 4 };
	OSSL_PARAM params[3];

	if (algorithm == 14)
		memcpy(group, "P-384", 6);
	if (n != (algorithm == 14 ? 96 : 64))
		return NULL;
	memcpy(point + 1, p, n);
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
	params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, n + 1);
	params[2] = OSSL_PARAM_construct_end();
	return from_params("EC", params);
}

static EVP_PKEY *public_key(struct span dnskey) OWNED_BY(EVP_PKEY_free);
static EVP_PKEY *public_key(struct span dnskey)
{
	const uint8_t *p = dnskey.p + 4;
	size_t n = dnskey.n - 4;

	if (dnskey.n <= 4)
		return NULL;
	switch (dnskey.p[3]) {
	case 5:
	case 7:
	case 8:
	case 10:
		return rsa_key(dnskey.p[3], p, n);
	case 13:
	case 14:
		return ecdsa_key(dnskey.p[3], p, n);
	case 15:
		return n == 32 ? EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, p, n) : NULL;
	case 16:
		return n == 57 ? EVP_PKEY_new_raw_public_key_ex(NULL, "ED448", NULL, p, n) : NULL;
	default:
		return NULL;
	}
}

/* RFC 6605 section 4 to the form that X9.62 has: libcrypto writes it. */
static size_t ecdsa_signature(const uint8_t *p, size_t half, uint8_t *out)
{
	ECDSA_SIG *sig = ECDSA_SIG_new();
	int n;

	if (sig == NULL || ECDSA_SIG_set0(sig, BN_bin2bn(p, (int)half, NULL), BN_bin2bn(p + half, (int)half, NULL)) != 1)
		abort();
	n = i2d_ECDSA_SIG(sig, &out);
	ECDSA_SIG_free(sig);
	return n > 0 ? (size_t)n : 0;
}

static const char *hash_name(unsigned int algorithm)
{
	return algorithm == 5 || algorithm == 7 ? "SHA1" : algorithm == 8 || algorithm == 13 ? "SHA256" : algorithm == 10 ? "SHA512"
	    : algorithm == 14 ? "SHA384" : NULL;
}

static bool verify_octets(struct span dnskey, struct span signature, struct span data)
{
	AUTO(EVP_PKEY_free) EVP_PKEY *pkey = public_key(dnskey);
	AUTO(EVP_MD_CTX_free) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned int algorithm = pkey != NULL ? dnskey.p[3] : 0;
	uint8_t der[200];
	bool good;

	if (algorithm == 13 || algorithm == 14) {
		size_t half = algorithm == 14 ? 48 : 32;

		if (signature.n != 2 * half)
			return false;
		signature = span_of(der, ecdsa_signature(signature.p, half, der));
	}
	good = pkey != NULL && EVP_DigestVerifyInit_ex(ctx, NULL, hash_name(algorithm), NULL, NULL, pkey, NULL) == 1 &&
	    EVP_DigestVerify(ctx, signature.p, signature.n, data.p, data.n) == 1;
	ERR_clear_error();
	return good;
}

bool obvious_verify(struct span dnskey, struct span rrsig, const struct rrset *set)
{
	size_t cap = 1000 + (size_t)set->octets + 300u * set->count, n = 0, head;
	uint8_t *data = malloc(cap);
	bool good = false;

	if (data == NULL)
		abort();
	if (obvious_signed_data(rrsig, set, data, cap, &n)) {
		head = RRSIG_SIGNER + name_octets(rrsig.p + RRSIG_SIGNER, rrsig.n - RRSIG_SIGNER);
		good = head < rrsig.n && verify_octets(dnskey, span_of(rrsig.p + head, rrsig.n - head), span_of(data, n));
	}
	free(data);
	return good;
}

bool obvious_ds_matches(struct span ds, struct name owner, struct span dnskey)
{
	uint8_t data[70000], digest[EVP_MAX_MD_SIZE];
	unsigned int n = 0;
	const EVP_MD *md;

	if (ds.n <= 4 || dnskey.n <= 4 || dnskey.n > 65535)
		return false;
	md = ds.p[3] == 1 ? EVP_sha1() : ds.p[3] == 2 ? EVP_sha256() : ds.p[3] == 4 ? EVP_sha384() : NULL;
	if (md == NULL || load16(ds.p) != obvious_tag(dnskey) || ds.p[2] != dnskey.p[3])
		return false;
	memcpy(data, owner.wire, owner.len);
	lower(data, owner.len);
	memcpy(data + owner.len, dnskey.p, dnskey.n);
	if (EVP_Digest(data, owner.len + dnskey.n, digest, &n, md, NULL) != 1)
		abort();
	return ds.n - 4 == n && memcmp(ds.p + 4, digest, n) == 0;
}

/* --- RFC 4035 section 5.3.1 */

/* How far a is behind b on the circle of 2^32 seconds (RFC 1982); 2^31 is neither before nor behind. */
static int64_t circle(uint32_t a, uint32_t b)
{
	int64_t d = (int64_t)a - (int64_t)b;

	while (d > INT64_C(0x7fffffff))
		d -= INT64_C(0x100000000);
	while (d < -INT64_C(0x80000000))
		d += INT64_C(0x100000000);
	return d;
}

static bool is_current(uint32_t inception, uint32_t expiration, const struct obvious_time *t)
{
	int64_t life = circle(expiration, inception);
	int64_t skew = (int64_t)(uint32_t)(expiration - inception) / 10;

	if (life < 0 && life != -INT64_C(0x80000000))
		return false;
	if (skew < t->skew_min)
		skew = t->skew_min;
	if (skew > t->skew_max)
		skew = t->skew_max;
	if (circle(inception, t->now) > skew)
		return false;
	return circle(t->now, expiration) <= skew;
}

static bool may_sign(struct span rrsig, struct span dnskey, const struct rrset *set, const struct rrset *dnskeys, const struct obvious_time *t)
{
	const uint8_t *owner = rrset_name(set).wire, *zone = rrset_name(dnskeys).wire, *signer = rrsig.p + RRSIG_SIGNER;
	size_t n = rrsig.n > RRSIG_SIGNER ? name_octets(signer, rrsig.n - RRSIG_SIGNER) : 0;
	unsigned int labels, owner_labels = count_labels(owner), zone_labels = count_labels(zone);

	if (n == 0 || n + RRSIG_SIGNER >= rrsig.n || dnskey.n <= 4)
		return false;
	if (load16(rrsig.p) != set->type)
		return false;
	if (name_octets(zone, 255) != n || !same_octets_but_case(signer, zone, n)) /* the zone that holds the keys signs */
		return false;
	if (!at_or_above(zone, owner))
		return false;
	if ((set->type == RR_DNSKEY || set->type == RR_SOA || set->type == RR_NSEC3PARAM) && zone_labels != owner_labels)
		return false;
	if (set->type == RR_DS && zone_labels == owner_labels)
		return false;
	labels = rrsig.p[3];
	if (labels > owner_labels - (owner[0] == 1 && owner[1] == '*' ? 1u : 0u) || labels < zone_labels)
		return false;
	if (!is_current(load32(rrsig.p + 12), load32(rrsig.p + 8), t))
		return false;
	if ((load16(dnskey.p) & 0x0100) == 0 || (load16(dnskey.p) & 0x0080) != 0 || dnskey.p[2] != 3)
		return false;
	return dnskey.p[3] == rrsig.p[2] && obvious_tag(dnskey) == load16(rrsig.p + 16);
}

bool obvious_is_signed(const struct rrset *set, const struct rrset *dnskeys, const struct obvious_time *t)
{
	if (set->count == 0)
		return false;
	for (size_t s = 0; s < set->sigs; s++)
		for (size_t k = 0; k < dnskeys->count; k++) {
			struct span rrsig = rrset_sig(set, s), dnskey = rrset_rdata(dnskeys, k);

			if (may_sign(rrsig, dnskey, set, dnskeys, t) && obvious_verify(dnskey, rrsig, set))
				return true;
		}
	return false;
}
