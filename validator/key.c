#include "validator/key.h"

#include "base/libcrypto.h"
#include "base/mem.h"

#define RSA_MAX_OCTETS (KEY_RSA_MAX_BITS / 8)

struct key {
	EVP_PKEY *pkey OWNED_FIELD;             /* NULL: fault says why */
	const struct algorithm *alg SHARED_FIELD; /* a row of the table; NULL: not in it */
	enum key_fault fault;
	uint16_t tag;
	uint16_t flags;
	uint8_t algorithm;
	uint32_t cost;                          /* thousandths of a unit */
};

struct keyset {
	struct name_buf owner;
	size_t count;
	struct key **keys OWNED_FIELD; /* count of them */
};

RESULT dnskey_parse(struct span rdata, struct dnskey *ret)
{
	struct reader r = reader_of(rdata);
	struct dnskey k = { .rdata = rdata };

	k.flags = read16(&r);
	k.protocol = read8(&r);
	k.algorithm = read8(&r);
	k.public = read_rest(&r);
	if (!reader_ok(&r) || k.public.n == 0)
		return FAIL(ERR_FORMAT);
	*ret = k;
	return DONE;
}

uint16_t dnskey_tag(struct span rdata)
{
	uint32_t sum = 0;

	if (rdata.n >= 7 && rdata.p[3] == ALG_RSAMD5) /* the last but two octets of the modulus */
		return load16(rdata.p + rdata.n - 3);
	for (size_t i = 0; i < rdata.n; i++)
		sum += (i & 1) != 0 ? rdata.p[i] : (uint32_t)rdata.p[i] << 8;
	return (uint16_t)(sum + (sum >> 16));
}

const char *key_fault_text(enum key_fault f)
{
	switch (f) {
	case KEY_GOOD:
		return "good";
	case KEY_FORMAT:
		return "malformed public key";
	case KEY_NOT_ZONE:
		return "not a zone key";
	case KEY_PROTOCOL:
		return "protocol is not 3";
	case KEY_REVOKED:
		return "revoked";
	case KEY_ALGORITHM:
		return "unsupported algorithm";
	case KEY_SIZE:
		return "RSA modulus too short or too long";
	case KEY_EXPONENT:
		return "RSA exponent not accepted";
	case KEY_POINT:
		return "not a point of the curve";
	}
	return "unknown fault";
}

/* OSSL_PARAM's integers are in the machine's order. */
static void native_order(uint8_t *to, struct span from)
{
	for (size_t i = 0; i < from.n; i++)
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
		to[i] = from.p[from.n - 1 - i];
#else
		to[i] = from.p[i];
#endif
}

static struct span without_zeros(struct span s)
{
	while (s.n > 0 && s.p[0] == 0)
		s = (struct span){ s.p + 1, s.n - 1 };
	return s;
}

static size_t bits_of(struct span number) /* without leading zeros */
{
	size_t bits = number.n * 8;

	if (number.n == 0)
		return 0;
	for (uint8_t top = number.p[0]; (top & 0x80) == 0; top = (uint8_t)(top << 1))
		bits--;
	return bits;
}

static uint32_t rsa_cost(size_t modulus_bits, size_t exponent_bits)
{
	uint32_t cost = modulus_bits <= 1024 ? WORK_RSA_1024 : modulus_bits <= 2048 ? WORK_RSA_2048 : modulus_bits <= 3072 ? WORK_RSA_3072 : WORK_RSA_4096;

	return cost * (uint32_t)((exponent_bits + 16) / 17); /* the table is for 65537; each bit is a squaring */
}

static enum key_fault from_params(struct key *k, const char *type, OSSL_PARAM *params, bool *ret_nomem)
{
	AUTO(EVP_PKEY_CTX_free) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	AUTO(EVP_PKEY_free) EVP_PKEY *pkey = NULL;

	if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) <= 0) {
		*ret_nomem = true;
		return KEY_POINT;
	}
	if (EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) <= 0 || pkey == NULL) {
		ERR_clear_error();
		return KEY_POINT;
	}
	k->pkey = MOVE(pkey);
	return KEY_GOOD;
}

/* RFC 3110 section 2. Leading zeros, which it prohibits, are passed over: they change nothing, and other validators take them. */
static enum key_fault make_rsa(struct key *k, struct span public, const struct key_limits *limits, bool *ret_nomem)
{
	struct reader r = reader_of(public);
	size_t min_bits = k->algorithm == ALG_RSASHA512 && limits->rsa_min_bits < 1024 ? 1024 : limits->rsa_min_bits;
	uint8_t e_native[8], n_native[RSA_MAX_OCTETS];
	size_t e_len = read8(&r);
	struct span e, n;
	OSSL_PARAM params[3];

	if (e_len == 0)
		e_len = read16(&r);
	e = without_zeros(read_span(&r, e_len));
	n = without_zeros(read_rest(&r));
	if (!reader_ok(&r) || e.n == 0 || n.n == 0)
		return KEY_FORMAT;
	if (bits_of(n) < min_bits || bits_of(n) > limits->rsa_max_bits || n.n > sizeof n_native)
		return KEY_SIZE;
	if (bits_of(e) > limits->rsa_exponent_bits || e.n > sizeof e_native || (e.p[e.n - 1] & 1) == 0 || bits_of(e) < 2)
		return KEY_EXPONENT;
	native_order(e_native, e);
	native_order(n_native, n);
	params[0] = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, n_native, n.n);
	params[1] = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, e_native, e.n);
	params[2] = OSSL_PARAM_construct_end();
	k->cost = rsa_cost(bits_of(n), bits_of(e));
	return from_params(k, "RSA", params, ret_nomem);
}

/* RFC 6605 section 4: the point's two coordinates. */
static enum key_fault make_ecdsa(struct key *k, struct span public, bool *ret_nomem)
{
	uint8_t point[1 + 96] = { 4 /* uncompressed */ };
	char group[16];
	OSSL_PARAM params[3];

	memcpy(point + 1, public.p, public.n);
	memcpy(group, k->alg->group, strlen(k->alg->group) + 1);
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
	params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, 1 + public.n);
	params[2] = OSSL_PARAM_construct_end();
	return from_params(k, "EC", params, ret_nomem);
}

static enum key_fault make_eddsa(struct key *k, struct span public)
{
	k->pkey = EVP_PKEY_new_raw_public_key_ex(NULL, k->alg->group, NULL, public.p, public.n);
	if (k->pkey == NULL) {
		ERR_clear_error();
		return KEY_POINT;
	}
	return KEY_GOOD;
}

static enum key_fault make_key(struct key *k, const struct dnskey *d, const struct algorithm_policy *policy, const struct key_limits *limits,
    bool *ret_nomem)
{
	if ((d->flags & DNSKEY_ZONE) == 0)
		return KEY_NOT_ZONE;
	if (d->protocol != 3)
		return KEY_PROTOCOL;
	if (k->alg == NULL || !algorithm_usable(policy, d->algorithm))
		return KEY_ALGORITHM;
	if (k->alg->public_octets != 0 && d->public.n != k->alg->public_octets)
		return KEY_FORMAT;
	switch (k->alg->family) {
	case ALG_FAMILY_RSA:
		return make_rsa(k, d->public, limits, ret_nomem);
	case ALG_FAMILY_ECDSA:
		return make_ecdsa(k, d->public, ret_nomem);
	case ALG_FAMILY_EDDSA:
		return make_eddsa(k, d->public);
	case ALG_FAMILY_NONE:
		break;
	}
	return KEY_ALGORITHM;
}

void key_free(struct key *k)
{
	if (k == NULL)
		return;
	EVP_PKEY_free(MOVE(k->pkey));
	mem_free(k);
}

struct key *key_new(struct span rdata, const struct algorithm_policy *policy, const struct key_limits *limits)
{
	AUTO(key_free) struct key *k = mem_alloc(sizeof *k);
	struct dnskey d;
	bool nomem = false;

	if (k == NULL)
		return NULL;
	k->tag = dnskey_tag(rdata);
	if (!OK(dnskey_parse(rdata, &d))) {
		k->fault = KEY_FORMAT;
		return MOVE(k);
	}
	k->flags = d.flags;
	k->algorithm = d.algorithm;
	k->alg = algorithm_find(d.algorithm);
	k->cost = k->alg != NULL ? k->alg->cost : 0;
	k->fault = make_key(k, &d, policy, limits, &nomem);
	if (nomem)
		return NULL;
	if (k->fault == KEY_GOOD && (k->flags & DNSKEY_REVOKE) != 0)
		k->fault = KEY_REVOKED; /* whole, as its own signature over the DNSKEY RRset is still checked (RFC 5011) */
	return MOVE(k);
}

enum key_fault key_fault(const struct key *k) { return k->fault; }
uint16_t key_tag(const struct key *k) { return k->tag; }
uint16_t key_flags(const struct key *k) { return k->flags; }
uint8_t key_algorithm(const struct key *k) { return k->algorithm; }
uint32_t key_cost(const struct key *k) { return k->cost; }

bool key_wants_one_piece(const struct key *k)
{
	return k->alg != NULL && k->alg->family == ALG_FAMILY_EDDSA;
}

static void write_der_integer(struct writer *w, struct span number)
{
	number = without_zeros(number);
	bool pad = number.n == 0 || (number.p[0] & 0x80) != 0;

	write8(w, 0x02);
	write8(w, (uint8_t)(number.n + pad));
	if (pad)
		write8(w, 0);
	write_span(w, number);
}

#define DER_MAX 104 /* two integers of 49 octets and their heads; all lengths are below 128 */

/* RFC 6605 section 4 has r and s side by side; libcrypto wants a SEQUENCE of two INTEGERs. */
static struct span ecdsa_der(struct span rs, uint8_t room[DER_MAX])
{
	struct writer w = writer_of(room, DER_MAX);

	write8(&w, 0x30);
	write8(&w, 0);
	write_der_integer(&w, (struct span){ rs.p, rs.n / 2 });
	write_der_integer(&w, (struct span){ rs.p + rs.n / 2, rs.n / 2 });
	room[1] = (uint8_t)(w.pos - 2);
	return writer_done(&w);
}

static int verify_pieces(EVP_MD_CTX *ctx, struct span signature, const struct span *pieces, size_t count, bool one_piece)
{
	if (one_piece)
		return count == 1 ? EVP_DigestVerify(ctx, signature.p, signature.n, pieces[0].p, pieces[0].n) : 0;
	for (size_t i = 0; i < count; i++)
		if (pieces[i].n != 0 && EVP_DigestVerifyUpdate(ctx, pieces[i].p, pieces[i].n) <= 0)
			return 0;
	return EVP_DigestVerifyFinal(ctx, signature.p, signature.n);
}

RESULT key_verify(const struct key *k, struct span signature, const struct span *pieces, size_t count)
{
	AUTO(EVP_MD_CTX_free) EVP_MD_CTX *ctx = NULL;
	uint8_t der[DER_MAX];
	bool good;

	if (k->pkey == NULL || signature.n == 0 || (k->alg->signature_octets != 0 && signature.n != k->alg->signature_octets))
		return FAIL(ERR_REFUSED);
	if (k->alg->family == ALG_FAMILY_ECDSA)
		signature = ecdsa_der(signature, der);
	ctx = EVP_MD_CTX_new();
	if (ctx == NULL || EVP_DigestVerifyInit_ex(ctx, NULL, k->alg->hash, NULL, NULL, k->pkey, NULL) <= 0) {
		ERR_clear_error();
		return FAIL(ERR_NOMEM);
	}
	good = verify_pieces(ctx, signature, pieces, count, key_wants_one_piece(k)) == 1;
	if (!good)
		ERR_clear_error(); /* the thread's queue would grow */
	return good ? DONE : FAIL(ERR_REFUSED);
}

void keyset_free(struct keyset *ks)
{
	if (ks == NULL)
		return;
	for (size_t i = 0; i < ks->count; i++)
		key_free(MOVE(ks->keys[i]));
	mem_free(MOVE(ks->keys));
	mem_free(ks);
}

RESULT keyset_make(const struct rrset *dnskeys, const struct algorithm_policy *policy, const struct key_limits *limits, struct work *work,
    struct keyset **ret_keys)
{
	AUTO(keyset_free) struct keyset *ks = NULL;

	if (dnskeys->type != RR_DNSKEY || dnskeys->count == 0)
		return FAIL(ERR_FORMAT);
	if (dnskeys->count > limits->max_keys)
		return FAIL(ERR_LIMIT);
	if (!work_spend(work, WORK_KEY_MADE * dnskeys->count))
		return FAIL(ERR_BUDGET);
	ks = mem_alloc(sizeof *ks);
	if (ks == NULL)
		return FAIL(ERR_NOMEM);
	name_copy(&ks->owner, rrset_name(dnskeys));
	name_lower(&ks->owner);
	ks->keys = mem_alloc_array(dnskeys->count, sizeof *ks->keys);
	if (ks->keys == NULL)
		return FAIL(ERR_NOMEM);
	for (ks->count = 0; ks->count < dnskeys->count; ks->count++) {
		ks->keys[ks->count] = key_new(rrset_rdata(dnskeys, ks->count), policy, limits);
		if (ks->keys[ks->count] == NULL)
			return FAIL(ERR_NOMEM);
	}
	*ret_keys = MOVE(ks);
	return DONE;
}

struct name keyset_owner(const struct keyset *ks) { return name_of(&ks->owner); }
size_t keyset_count(const struct keyset *ks) { return ks->count; }
const struct key *keyset_key(const struct keyset *ks, size_t i) { return ks->keys[i]; }
