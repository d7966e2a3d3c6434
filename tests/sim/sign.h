/*
 * sign.h: a signer for worlds (RFC 4034, RFC 5155): keys of a fixed set, digests, signatures, hashes of names. Written for itself, without the validator's code, so that
 * the two do not share a mistake. All names and rdata given to it are in lower case; everything it makes is the same in each run: RSA with PKCS#1 and Ed25519 only.
 */
#ifndef TESTS_SIM_SIGN_H
#define TESTS_SIM_SIGN_H

#include "dns/rrset.h"

#define SIGN_KEYS 6u /* of each kind */
#define SIGN_HASH 20u

/* A private key. Algorithms 5, 7 and 8 share RSA keys of 512 bits (dear to nobody); 15 is Ed25519. */
struct sign_key {
	uint8_t algorithm;
	uint8_t number; /* < SIGN_KEYS */
};

struct span sign_dnskey(struct arena *a, struct sign_key k, uint16_t flags) NONNULL; /* rdata */
uint16_t sign_tag(struct span dnskey);
/* Digest types 1, 2 and 4; with others 32 octets that are no digest. */
struct span sign_ds(struct arena *a, struct name owner, struct span dnskey, uint8_t digest_type) NONNULL;

struct sign_how {
	struct sign_key key;
	uint16_t tag;
	struct name signer;
	uint32_t inception, expiration; /* seconds since 1970 */
};
/* The octets that are signed: the RRSIG's rdata without the signature, then the RRs. source is where the set stands in its zone: "*.x" for what is made of it. */
struct span sign_data(struct arena *a, const struct sign_how *how, const struct rrset *rs, struct name source, size_t *ret_head) NONNULL;
/* The RRSIG's rdata: the first `head` octets of the data, and the signature over all of it. */
struct span sign_rrsig(struct arena *a, struct sign_key k, struct span data, size_t head) NONNULL;

void sign_nsec3_hash(struct name n, struct span salt, unsigned int iterations, uint8_t out[SIGN_HASH]);
void sign_base32(const uint8_t hash[SIGN_HASH], char out[33]); /* base32hex, lower case */
/* Types (in rising order) as a bit map. */
struct span sign_bitmap(struct arena *a, const uint16_t *types, size_t n) NONNULL;

#endif
