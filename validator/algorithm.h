/*
 * algorithm.h: which DNSKEY algorithms and DS digests are validated, as a table (RFC 9904). What is unknown or switched off is as if it were not
 * there: a zone whose DS RRset has nothing else is insecure (RFC 6840 section 5.2, RFC 4035 section 5.2).
 */
#ifndef VALIDATOR_ALGORITHM_H
#define VALIDATOR_ALGORITHM_H

#include "validator/hash.h"

enum {
	ALG_RSAMD5 = 1, ALG_DSA = 3, ALG_RSASHA1 = 5, ALG_DSA_NSEC3 = 6, ALG_RSASHA1_NSEC3 = 7, ALG_RSASHA256 = 8, ALG_RSASHA512 = 10, ALG_GOST = 12,
	ALG_ECDSAP256 = 13, ALG_ECDSAP384 = 14, ALG_ED25519 = 15, ALG_ED448 = 16,
};
enum { DIGEST_SHA1 = 1, DIGEST_SHA256 = 2, DIGEST_GOST = 3, DIGEST_SHA384 = 4 };

enum alg_family { ALG_FAMILY_NONE, ALG_FAMILY_RSA, ALG_FAMILY_ECDSA, ALG_FAMILY_EDDSA };

struct algorithm {
	uint8_t number;                  /* IANA DNS security algorithm numbers */
	enum alg_family family;
	const char *name BORROWED_FIELD; /* mnemonic */
	enum hash_kind hash;             /* HASH_NONE: the signature scheme has its own */
	uint16_t public_octets;          /* of the public key field; 0: varies */
	uint16_t signature_octets;       /* 0: that of the modulus */
	uint32_t cost;                   /* of one verification, thousandths of a unit (work.h); 0: depends on the key */
};
struct digest_kind {
	uint8_t number;                  /* IANA DS digest algorithms */
	uint8_t octets;
	enum hash_kind hash;
	const char *name BORROWED_FIELD;
};

/* What configuration has switched off. All zero: everything of the table is validated. */
struct algorithm_policy {
	uint32_t algorithms_off[8]; /* bit n of the 256: algorithm n is off */
	uint32_t digests_off[8];
};

/* NULL: not in the table. Static storage. */
const struct algorithm *algorithm_find(uint8_t number) BORROWED;
const struct digest_kind *digest_find(uint8_t number) BORROWED;

void algorithm_switch_off(struct algorithm_policy *p, uint8_t number) NONNULL;
void digest_switch_off(struct algorithm_policy *p, uint8_t number) NONNULL;
/* In the table and not switched off. policy NULL: nothing is off. */
bool algorithm_usable(const struct algorithm_policy *p, uint8_t number);
bool digest_usable(const struct algorithm_policy *p, uint8_t number);

#endif
