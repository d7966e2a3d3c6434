/*
 * flushes.h: which subtrees were flushed, and when. Flushes are counted; each entry of a cache carries the count at the time it
 * was made, and is hidden when a later flush covers its name. An immutable set that is replaced as a whole, so that readers
 * take no lock. A flush is forgotten when all that is older must have expired, or when there are too many: the sweep that every
 * flush does as well has removed all but what was just being stored.
 */
#ifndef RESOLVER_CACHE_FLUSHES_H
#define RESOLVER_CACHE_FLUSHES_H

#include <stdatomic.h>

#include "base/hash.h"
#include "base/lock.h"
#include "dns/name.h"

struct epoch_member;
struct flush_set; /* immutable, shared */

struct flushes {
	_Atomic(struct flush_set *) set OWNED_FIELD;
	_Atomic uint64_t count;
	struct hash_key key;
	struct lock lock; /* of writers */
};

void flushes_init(struct flushes *f, const struct hash_key *key) NONNULL;
void flushes_done(struct flushes *f) NONNULL;
/* Adds one. until_sec: mono, when all that is older will be of no use. False: no memory, it is not remembered. */
bool flushes_add(struct flushes *f, struct epoch_member *m, struct name zone, uint32_t until_sec, uint32_t max) NONNULL;
/* Forgets all when the last has run out. Cheap when there is nothing to forget. */
void flushes_age(struct flushes *f, struct epoch_member *m, uint32_t now_sec) NONNULL;
bool flushes_cover(const struct flushes *f, const uint8_t *name, uint8_t len, uint8_t labels, uint64_t count) NONNULL;
size_t flushes_remembered(const struct flushes *f) NONNULL;

static inline uint64_t flushes_count(const struct flushes *f) { return atomic_load_explicit(&f->count, memory_order_acquire); }

#endif
