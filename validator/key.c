#include "validator/key.h"

#include <stdatomic.h>

#include "base/libcrypto.h"
#include "base/mem.h"

struct key {
	RSA *rsa OWNED_FIELD;                   /* one of these three, as the algorithm's family is; none: fault says why */
	EC_KEY *ec OWNED_FIELD;
	EVP_MD_CTX *eddsa OWNED_FIELD;          /* ready to verify; copied for each use */
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
	case KEY_UNMADE:
		return "not looked at";
	}
	return "unknown fault";
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

/* Empties the thread's queue of errors; whether memory was among them. Some failed allocations are told only as "error in a library", which no signature or key
 * can bring about: these have a reason that is named. */
static bool was_memory(void)
{
	unsigned long e;
	bool named = false, any = false;

	while ((e = ERR_get_error()) != 0) {
		any = true;
		if (ERR_GET_REASON(e) == ERR_R_MALLOC_FAILURE) {
			ERR_clear_error();
			return true;
		}
		named = named || (ERR_GET_REASON(e) & ERR_RFLAG_COMMON) == 0;
	}
	return any && !named;
}

/* What went well may have had an error on its way, too. */
static void forget_errors(void)
{
	if (ERR_peek_error() != 0)
		ERR_clear_error();
}

static bool rsa_set(RSA *rsa, struct span n, struct span e)
{
	AUTO(BN_free) BIGNUM *modulus = BN_bin2bn(n.p, (int)n.n, NULL);
	AUTO(BN_free) BIGNUM *exponent = BN_bin2bn(e.p, (int)e.n, NULL);

	return modulus != NULL && exponent != NULL && RSA_set0_key(rsa, MOVE(modulus), MOVE(exponent), NULL) == 1;
}

/* RFC 3110 section 2. Leading zeros, which it prohibits, are passed over: they change nothing, and other validators take them. */
static enum key_fault make_rsa(struct key *k, struct span public, const struct key_limits *limits, bool *ret_nomem)
{
	struct reader r = reader_of(public);
	size_t min_bits = k->algorithm == ALG_RSASHA512 && limits->rsa_min_bits < 1024 ? 1024 : limits->rsa_min_bits;
	size_t e_len = read8(&r);
	struct span e, n;

	if (e_len == 0)
		e_len = read16(&r);
	e = without_zeros(read_span(&r, e_len));
	n = without_zeros(read_rest(&r));
	if (!reader_ok(&r) || e.n == 0 || n.n == 0)
		return KEY_FORMAT;
	if (bits_of(n) < min_bits || bits_of(n) > limits->rsa_max_bits || bits_of(n) > KEY_RSA_MAX_BITS)
		return KEY_SIZE;
	if (bits_of(e) > limits->rsa_exponent_bits || e.n > 8 || (e.p[e.n - 1] & 1) == 0 || bits_of(e) < 2)
		return KEY_EXPONENT;
	k->cost = rsa_cost(bits_of(n), bits_of(e));
	k->rsa = RSA_new();
	if (k->rsa == NULL || !rsa_set(k->rsa, n, e)) {
		*ret_nomem = true;
	}
	return KEY_GOOD;
}

/* The curve's parameters, worked out once for the process: that costs several times as much as the rest of a key. NULL: out of memory. */
static const EC_GROUP *curve_of(const struct algorithm *alg) BORROWED;
static const EC_GROUP *curve_of(const struct algorithm *alg)
{
	static _Atomic(EC_GROUP *) curves[2];
	bool p384 = alg->number == ALG_ECDSAP384;
	EC_GROUP *known = atomic_load_explicit(&curves[p384], memory_order_acquire);
	AUTO(EC_GROUP_free) EC_GROUP *made = NULL;

	if (known != NULL)
		return known;
	made = EC_GROUP_new_by_curve_name(p384 ? NID_secp384r1 : NID_X9_62_prime256v1);
	if (made == NULL || !atomic_compare_exchange_strong(&curves[p384], &known, made))
		return known;
	return MOVE(made); /* own-ok: R3 the process keeps it */
}

/* RFC 6605 section 4: the point's two coordinates. */
static enum key_fault make_ecdsa(struct key *k, struct span public, bool *ret_nomem)
{
	uint8_t point[1 + 96] = { POINT_CONVERSION_UNCOMPRESSED };
	const EC_GROUP *curve = curve_of(k->alg);

	memcpy(point + 1, public.p, public.n);
	k->ec = EC_KEY_new();
	if (curve == NULL || k->ec == NULL || EC_KEY_set_group(k->ec, curve) != 1) {
		*ret_nomem = true;
		return KEY_POINT;
	}
	if (EC_KEY_oct2key(k->ec, point, 1 + public.n, NULL) == 1)
		return KEY_GOOD;
	*ret_nomem = was_memory();
	return KEY_POINT;
}

static enum key_fault make_eddsa(struct key *k, struct span public, bool *ret_nomem)
{
	const char *type = k->alg->number == ALG_ED448 ? "ED448" : "ED25519";
	AUTO(EVP_PKEY_free) EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key_ex(NULL, type, NULL, public.p, public.n);

	k->eddsa = EVP_MD_CTX_new();
	if (pkey == NULL || k->eddsa == NULL || EVP_DigestVerifyInit_ex(k->eddsa, NULL, NULL, NULL, NULL, pkey, NULL) != 1)
		*ret_nomem = true; /* there is no other reason: a point that is none shows when it verifies */
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
		return make_eddsa(k, d->public, ret_nomem);
	case ALG_FAMILY_NONE:
		break;
	}
	return KEY_ALGORITHM;
}

void key_free(struct key *k)
{
	if (k == NULL)
		return;
	RSA_free(MOVE(k->rsa));
	EC_KEY_free(MOVE(k->ec));
	EVP_MD_CTX_free(MOVE(k->eddsa));
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
	forget_errors();
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

static bool verify_rsa(const struct key *k, struct span signature, const struct span *pieces, size_t count)
{
	static const int types[] = { [HASH_SHA1] = NID_sha1, [HASH_SHA256] = NID_sha256, [HASH_SHA512] = NID_sha512 };
	uint8_t digest[HASH_MAX_OCTETS];
	size_t n = hash_pieces(k->alg->hash, pieces, count, digest);

	return RSA_verify(types[k->alg->hash], digest, (unsigned int)n, signature.p, (unsigned int)signature.n, k->rsa) == 1;
}

static bool verify_ecdsa(const struct key *k, struct span signature, const struct span *pieces, size_t count)
{
	uint8_t digest[HASH_MAX_OCTETS], room[DER_MAX];
	struct span der = ecdsa_der(signature, room);
	size_t n = hash_pieces(k->alg->hash, pieces, count, digest);

	return ECDSA_verify(0, digest, (int)n, der.p, (int)der.n, k->ec) == 1;
}

static bool verify_eddsa(const struct key *k, struct span signature, const struct span *pieces, size_t count, bool *ret_nomem)
{
	AUTO(EVP_MD_CTX_free) EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (ctx == NULL || EVP_MD_CTX_copy_ex(ctx, k->eddsa) != 1) {
		*ret_nomem = true;
		return false;
	}
	return count == 1 && EVP_DigestVerify(ctx, signature.p, signature.n, pieces[0].p, pieces[0].n) == 1;
}

RESULT key_verify(const struct key *k, struct span signature, const struct span *pieces, size_t count)
{
	bool good, nomem = false;

	if ((k->fault != KEY_GOOD && k->fault != KEY_REVOKED) || signature.n == 0 ||
	    (k->alg->signature_octets != 0 && signature.n != k->alg->signature_octets))
		return FAIL(ERR_REFUSED);
	good = k->rsa != NULL ? verify_rsa(k, signature, pieces, count)
	     : k->ec != NULL  ? verify_ecdsa(k, signature, pieces, count)
			      : verify_eddsa(k, signature, pieces, count, &nomem);
	if (good) {
		forget_errors();
		return DONE;
	}
	nomem = was_memory() || nomem; /* the thread's queue of errors is emptied in any case: it would grow */
	return nomem ? FAIL(ERR_NOMEM) : FAIL(ERR_REFUSED);
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

static struct key *unmade_key(struct span rdata) OWNED_BY(key_free);
static struct key *unmade_key(struct span rdata)
{
	AUTO(key_free) struct key *k = mem_alloc(sizeof *k);
	struct dnskey d;

	if (k == NULL)
		return NULL;
	k->tag = dnskey_tag(rdata);
	k->fault = KEY_UNMADE;
	if (OK(dnskey_parse(rdata, &d))) {
		k->flags = d.flags;
		k->algorithm = d.algorithm;
	}
	return MOVE(k);
}

static size_t count_marked(const bool *marked, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += marked == NULL || marked[i];
	return count;
}

/* marked NULL: all. */
static RESULT make_keyset(const struct rrset *dnskeys, const bool *marked, const struct algorithm_policy *policy, const struct key_limits *limits,
    struct work *work, struct keyset **ret_keys)
{
	AUTO(keyset_free) struct keyset *ks = NULL;

	if (dnskeys->type != RR_DNSKEY || dnskeys->count == 0)
		return FAIL(ERR_FORMAT);
	if (dnskeys->count > limits->max_keys)
		return FAIL(ERR_LIMIT);
	if (!work_spend(work, WORK_KEY_MADE * (uint32_t)count_marked(marked, dnskeys->count)))
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
		struct span rdata = rrset_rdata(dnskeys, ks->count);

		if (marked == NULL || marked[ks->count])
			ks->keys[ks->count] = key_new(rdata, policy, limits);
		else
			ks->keys[ks->count] = unmade_key(rdata);
		if (ks->keys[ks->count] == NULL)
			return FAIL(ERR_NOMEM);
	}
	*ret_keys = MOVE(ks);
	return DONE;
}

RESULT keyset_make(const struct rrset *dnskeys, const struct algorithm_policy *policy, const struct key_limits *limits, struct work *work,
    struct keyset **ret_keys)
{
	return make_keyset(dnskeys, NULL, policy, limits, work, ret_keys);
}

RESULT keyset_make_some(const struct rrset *dnskeys, const bool *marked, const struct algorithm_policy *policy, const struct key_limits *limits,
    struct work *work, struct keyset **ret_keys)
{
	return make_keyset(dnskeys, marked, policy, limits, work, ret_keys);
}

RESULT keyset_complete(struct keyset *ks, const struct rrset *dnskeys, const struct algorithm_policy *policy, const struct key_limits *limits, struct work *work)
{
	uint32_t unmade = 0;

	if (dnskeys->count != ks->count)
		return FAIL(ERR_FORMAT);
	for (size_t i = 0; i < ks->count; i++)
		unmade += ks->keys[i]->fault == KEY_UNMADE;
	if (!work_spend(work, WORK_KEY_MADE * unmade))
		return FAIL(ERR_BUDGET);
	for (size_t i = 0; i < ks->count; i++) {
		AUTO(key_free) struct key *k = NULL;

		if (ks->keys[i]->fault != KEY_UNMADE)
			continue;
		k = key_new(rrset_rdata(dnskeys, i), policy, limits);
		if (k == NULL)
			return FAIL(ERR_NOMEM);
		key_free(MOVE(ks->keys[i]));
		ks->keys[i] = MOVE(k);
	}
	return DONE;
}

struct name keyset_owner(const struct keyset *ks) { return name_of(&ks->owner); }
size_t keyset_count(const struct keyset *ks) { return ks->count; }
const struct key *keyset_key(const struct keyset *ks, size_t i) { return ks->keys[i]; }
