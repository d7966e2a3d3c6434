/*
 * unpack.h: a file that may be packed, as the octets that it stands for. gzip and bzip2 are known by how they begin, several members one behind the other included; anything else
 * goes through as it is. Input in pieces of any size; what comes out is bounded.
 */
#ifndef BASE_UNPACK_H
#define BASE_UNPACK_H

#include "base/cursor.h"

struct unpack;

typedef RESULT unpack_fn(void *ctx, struct span octets);

void unpack_free(struct unpack *u) TAKES(1);
/* max: octets that may come out. NULL: no memory. */
struct unpack *unpack_new(uint64_t max) OWNED_BY(unpack_free);
DEFINE_AUTO(struct unpack, unpack_free)
/* fn gets what comes out. ERR_FORMAT: not what it began as; ERR_LIMIT: more than max; ERR_NOMEM; or what fn said. After an error it can only be freed. */
RESULT unpack_feed(struct unpack *u, struct span octets, unpack_fn *fn, void *ctx) __attribute__((nonnull(1, 3)));
/* At the end of the file. ERR_FORMAT: within a member. */
RESULT unpack_end(struct unpack *u, unpack_fn *fn, void *ctx) __attribute__((nonnull(1, 2)));

#endif
