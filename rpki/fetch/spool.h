/*
 * spool.h: a file from the network until its hash is known. Small ones stay in memory, larger ones go to a file without a name in the folder given. Nothing in
 * it is looked at before spool_check() has said that it is what was announced.
 */
#ifndef RPKI_FETCH_SPOOL_H
#define RPKI_FETCH_SPOOL_H

#include "base/cursor.h"

#define SPOOL_HASH 32 /* octets of a SHA-256 */
#define SPOOL_IN_MEMORY ((size_t)256 * 1024)

struct spool;

void spool_free(struct spool *s) TAKES(1);
/* max: octets. dir: an existing folder; NULL: memory only. NULL when out of memory. */
struct spool *spool_new(const char *dir, uint64_t max) OWNED_BY(spool_free);
DEFINE_AUTO(struct spool, spool_free)

/* ERR_LIMIT: more than max octets; ERR_SYSTEM (see errno): the file cannot be written; ERR_NOMEM. Nothing may be added after an error or spool_check. */
RESULT spool_add(struct spool *s, struct span octets) NONNULL;
uint64_t spool_octets(const struct spool *s) NONNULL;
/* The end. ERR_REFUSED: the SHA-256 of it all is another. */
RESULT spool_check(struct spool *s, const uint8_t want[SPOOL_HASH]) NONNULL;

/* fn hears all octets in order, in pieces; last with the last one (of no octets when there are none). What fn returns in error ends it. ERR_SYSTEM, ERR_NOMEM. */
typedef struct result spool_fn(void *ctx, struct span octets, bool last);
RESULT spool_replay(struct spool *s, spool_fn *fn, void *ctx) __attribute__((nonnull(1, 2)));

#endif
