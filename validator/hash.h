/*
 * hash.h: the digests of DNSSEC over data in pieces: of signatures (RFC 3110, 5702, 6605) and of DS (RFC 3658, 4509, 6605). On the stack, by libcrypto's plain functions,
 * which cannot fail; docs/decisions/0006-libcryptos-plain-functions.md says why not by EVP.
 */
#ifndef VALIDATOR_HASH_H
#define VALIDATOR_HASH_H

#include "base/cursor.h"

#define HASH_MAX_OCTETS 64

enum hash_kind { HASH_NONE, HASH_SHA1, HASH_SHA256, HASH_SHA384, HASH_SHA512 };

/* The digest of all pieces in their order; how many octets it has: 20, 32, 48 or 64; of HASH_NONE 0. */
size_t hash_pieces(enum hash_kind kind, const struct span *pieces, size_t count, uint8_t ret_digest[HASH_MAX_OCTETS]) NONNULL;

#endif
