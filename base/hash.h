/* hash.h: SipHash (Aumasson and Bernstein 2012) with a secret key: hashes of foreign data cannot be made to collide. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/own.h"

struct hash_key {
	uint64_t k[2];
};

uint64_t siphash24(const struct hash_key *key, const void *p, size_t n) NONNULL; /* cookies (RFC 9018) and what leaves the process */
uint64_t siphash13(const struct hash_key *key, const void *p, size_t n) NONNULL; /* tables in memory */

#endif
