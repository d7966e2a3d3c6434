/*
 * key.h: DNSKEY RRs (RFC 4034 section 2) as keys that verify. A zone's keys are taken from its DNSKEY RRset once: libcrypto's form of each is made when the
 * set is, and never again. A struct keyset is immutable from then on, so any thread may verify with it. A key that is malformed, or that would be
 * dear to use (RSA with a huge modulus or exponent), is kept with its fault and never tried.
 */
#ifndef VALIDATOR_KEY_H
#define VALIDATOR_KEY_H

#include "base/cursor.h"
#include "dns/rrset.h"
#include "validator/algorithm.h"
#include "validator/work.h"

enum { DNSKEY_ZONE = 0x0100, DNSKEY_REVOKE = 0x0080, DNSKEY_SEP = 0x0001 }; /* flags; RFC 4034 section 2.1.1, RFC 5011 section 7 */

/* The rdata of one DNSKEY, looked at. */
struct dnskey {
	uint16_t flags;
	uint8_t protocol;
	uint8_t algorithm;
	struct span public; /* the public key field */
	struct span rdata;  /* all of it */
};
RESULT dnskey_parse(struct span rdata, struct dnskey *ret) NONNULL; /* ERR_FORMAT: too short */
uint16_t dnskey_tag(struct span rdata);                             /* RFC 4034 appendix B; algorithm 1 by its own rule */

/* Why a key does not verify. */
enum key_fault {
	KEY_GOOD,
	KEY_FORMAT,    /* rdata too short, or the public key field not of its algorithm's form or length */
	KEY_NOT_ZONE,  /* without the zone key flag (RFC 4034 section 2.1.1) */
	KEY_PROTOCOL,  /* not 3 (section 2.1.2) */
	KEY_REVOKED,   /* RFC 5011 section 2.1: signs nothing but the statement that it is revoked */
	KEY_ALGORITHM, /* unknown or switched off */
	KEY_SIZE,      /* RSA modulus outside the limits */
	KEY_EXPONENT,  /* RSA exponent even, 1, or above the limit */
	KEY_POINT,     /* libcrypto refuses it: not a point of the curve */
	KEY_UNMADE,    /* keyset_make_some() was not told to look at it */
};
const char *key_fault_text(enum key_fault f) BORROWED; /* for messages and extended errors */

#define KEY_RSA_MIN_BITS 512      /* RFC 5702 section 2.1, RFC 3110 section 4; of algorithm 10: 1024 (RFC 5702 section 2.2) */
#define KEY_RSA_MAX_BITS 4096     /* RFC 3110 section 4 */
#define KEY_RSA_EXPONENT_BITS 64
#define KEY_MAX_KEYS 64           /* DNSKEY RRs in a zone's set */

struct key_limits {
	uint16_t rsa_min_bits;
	uint16_t rsa_max_bits;      /* at most KEY_RSA_MAX_BITS */
	uint16_t rsa_exponent_bits; /* at most 64 */
	uint16_t max_keys;
};
#define KEY_LIMITS ((struct key_limits){ KEY_RSA_MIN_BITS, KEY_RSA_MAX_BITS, KEY_RSA_EXPONENT_BITS, KEY_MAX_KEYS })

struct key;
void key_free(struct key *k) TAKES(1);
DEFINE_AUTO(struct key, key_free)
/* Never NULL but when out of memory; what is wrong with it is its fault. policy NULL: nothing is switched off. */
struct key *key_new(struct span rdata, const struct algorithm_policy *policy, const struct key_limits *limits) OWNED_BY(key_free)
    __attribute__((nonnull(3)));
enum key_fault key_fault(const struct key *k) NONNULL;
uint16_t key_tag(const struct key *k) NONNULL;
uint16_t key_flags(const struct key *k) NONNULL;
uint8_t key_algorithm(const struct key *k) NONNULL;
uint32_t key_cost(const struct key *k) NONNULL; /* of one verification, thousandths of a unit */
/* Verifies signature, in DNSSEC's form, over the pieces in their order. DONE: it is good. ERR_REFUSED: it is not; also with a key that has a fault.
 * ERR_NOMEM (of EdDSA libcrypto does not tell: then refused). Costs are the caller's to spend. Any thread, also several at once. */
RESULT key_verify(const struct key *k, struct span signature, const struct span *pieces, size_t count) NONNULL;
/* True for algorithms that must see all signed data in one piece (Ed25519, Ed448): key_verify with one piece. */
bool key_wants_one_piece(const struct key *k) NONNULL;

/* The keys of a zone, in the order of the RRset's RRs. */
struct keyset;
void keyset_free(struct keyset *ks) TAKES(1);
DEFINE_AUTO(struct keyset, keyset_free)
/* ERR_LIMIT: more than max_keys; ERR_BUDGET: work ran out; ERR_NOMEM; ERR_FORMAT: not a DNSKEY RRset. */
RESULT keyset_make(const struct rrset *dnskeys, const struct algorithm_policy *policy, const struct key_limits *limits, struct work *work,
    struct keyset **ret_keys) __attribute__((nonnull(1, 3, 4, 5)));
/* The same, but only the marked ones (one flag for each RR) are made and paid for; the others have the fault KEY_UNMADE, and their tag and algorithm. */
RESULT keyset_make_some(const struct rrset *dnskeys, const bool *marked, const struct algorithm_policy *policy, const struct key_limits *limits,
    struct work *work, struct keyset **ret_keys) __attribute__((nonnull(1, 2, 4, 5, 6)));
/* Makes, and pays for, the others of the same RRset. Before the set is shared. ERR_BUDGET, ERR_NOMEM: it is as good as before. */
RESULT keyset_complete(struct keyset *ks, const struct rrset *dnskeys, const struct algorithm_policy *policy, const struct key_limits *limits,
    struct work *work) __attribute__((nonnull(1, 2, 4, 5)));
struct name keyset_owner(const struct keyset *ks) NONNULL; /* borrows from ks */
size_t keyset_count(const struct keyset *ks) NONNULL;
const struct key *keyset_key(const struct keyset *ks, size_t i) BORROWED NONNULL; /* i < count */

#endif
