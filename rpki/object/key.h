/*
 * key.h: public keys of the RPKI and their signatures (RFC 7935: RSA of 2048 bits with the exponent 65537; RFC 8208: P-256 for routers), by libcrypto's
 * plain functions (docs/decisions/0006). A CA's key is made once and kept while its products are checked; it is immutable, any thread may verify with it.
 */
#ifndef RPKI_OBJECT_KEY_H
#define RPKI_OBJECT_KEY_H

#include "rpki/object/der.h"

struct public_key;
void public_key_free(struct public_key *k) TAKES(1);
DEFINE_AUTO(struct public_key, public_key_free)

enum key_kind {
	KEY_KIND_UNKNOWN, /* another algorithm */
	KEY_KIND_RSA,
	KEY_KIND_P256,
};

/* A SubjectPublicKeyInfo, looked at. */
struct key_info {
	enum key_kind kind;
	struct span whole;    /* the SubjectPublicKeyInfo */
	struct span octets;   /* of the BIT STRING: what a key identifier is the SHA-1 of */
	struct span modulus;  /* RSA, without leading zero octet */
	struct span exponent;
	bool readable;        /* the key itself could be read */
};

/* Reads a SubjectPublicKeyInfo. r fails when it is none. */
struct key_info key_info_read(struct reader *r) NONNULL;
bool key_info_is_profile_rsa(const struct key_info *i) NONNULL; /* 2048 bits, 65537 */

/* *ret_key is owned by the caller. ERR_UNSUPPORTED: no key of a kind that verifies; ERR_FORMAT: libcrypto does not take it; ERR_NOMEM. */
RESULT public_key_make(const struct key_info *i, struct public_key **ret_key) NONNULL;
/* True when the signature over this SHA-256 digest is good: PKCS #1 v1.5, or ECDSA in DER. */
bool public_key_verify(const struct public_key *k, const uint8_t digest[32], struct span signature) NONNULL;

/* Digests. */
void sha256_of(struct span s, uint8_t ret_digest[32]);
void sha256_of_three(struct span a, struct span b, struct span c, uint8_t ret_digest[32]);
void sha1_of(struct span s, uint8_t ret_digest[20]);

#endif
