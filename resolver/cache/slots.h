/*
 * slots.h: the index of both caches: a hash table whose readers take no lock and, on a hit, write at most a two-bit count.
 *
 * The table is cut into shards by hash. A shard's table is an array of buckets, one cache line each, of eight slots; a slot is
 * one atomic word: the item's address (48 bits, the lowest four are zero), sixteen bits of its hash, a hit count of two bits,
 * and one bit that says *probation*. An item stands in one of two buckets. Writers hold the shard's lock. A table that is too
 * full is copied into one twice as large, and retired: readers never wait.
 *
 * Eviction is S3-FIFO with a clock as its main queue. What is new is on probation, in a queue that may hold a tenth of the
 * octets; who leaves it without a hit is evicted, but remembered for a while by 16 bits of its hash; who comes back, or was
 * hit, belongs to the main part, where the clock's hand goes round and takes what has not been hit lately. Names that are asked
 * once (scans, random subdomains) thus use a tenth of the cache and no more.
 *
 * Invariants:
 *  1. An item is published once, is immutable from then on (but for what only the index writes) and is retired to the epoch
 *     when it leaves its slot.
 *  2. A slot changes its item only under the shard's lock; readers change the count bits only, by compare-and-exchange.
 *  3. An item on probation has one element in the shard's queue, with its hash and ticket; elements that match nothing are
 *     stale and skipped.
 *  4. slots.octets is the sum of what is live: items, tables, queues. Retired octets are in the account until the epoch frees them.
 */
#ifndef RESOLVER_CACHE_SLOTS_H
#define RESOLVER_CACHE_SLOTS_H

#include <stdatomic.h>

#include "base/epoch.h"
#include "base/own.h"

#define SLOTS_BUCKET 8u
#define SLOT_COUNT UINT64_C(0x3)
#define SLOT_PROBATION UINT64_C(0x4)
#define SLOT_POINTER UINT64_C(0x0000fffffffffff0)

struct slot_item;

/* Counts what is retired but not yet freed; lives until the cache and its last retired object are gone. */
struct slots_account {
	_Atomic uint64_t octets;
	_Atomic uint64_t holders;
	void (*release)(struct slot_item *item); /* lets go of what an item holds beside its block, before that is freed; NULL: nothing */
};

/* First member of what is kept. hash and octets are set by the maker, the rest belongs to the index. Allocated by base/mem
 * as one block. */
struct slot_item {
	struct retired retired;
	uint64_t hash;
	struct slots_account *account SHARED_FIELD;
	uint32_t octets; /* of the block: slots_octets(size) */
	uint32_t ticket; /* of its element in the probation queue */
};

/* What a block of this size takes from the heap. */
static inline uint32_t slots_octets(size_t size) { return (uint32_t)((size + 8 + 15) & ~(size_t)15); }

struct slots_bucket {
	_Alignas(64) _Atomic uint64_t word[SLOTS_BUCKET];
};

struct slots_table {
	_Alignas(64) struct retired retired;
	struct slots_account *account SHARED_FIELD;
	uint32_t octets;
	uint32_t mask;              /* buckets - 1 */
	uint16_t *ghost PARENT_FIELD; /* behind the buckets: one for each slot, under the lock */
	struct slots_bucket bucket[];
};

struct slots_shard;

#define SLOTS_MAX_SHARDS 256u

struct slots {
	uint32_t shard_mask;
	_Atomic uint64_t limit;
	_Atomic uint64_t octets; /* invariant 4 */
	_Atomic uint64_t refused;
	struct slots_account *account OWNED_FIELD; /* this cache's hold on it */
	struct slots_shard *shard OWNED_FIELD;
	/* Apart from what writers write. NULL until the first item. */
	_Alignas(64) _Atomic(struct slots_table *) table[SLOTS_MAX_SHARDS] OWNED_FIELD;
};

typedef bool slots_match_fn(const void *key, const struct slot_item *item);
/* May `item` be published where `old` (NULL: nothing) is? Called under the shard's lock. */
typedef bool slots_replace_fn(const void *user, const struct slot_item *old, const struct slot_item *item);

enum slots_verdict { SLOTS_NEW, SLOTS_REPLACED, SLOTS_REFUSED /* by replace */, SLOTS_FULL /* no room, or no memory */ };

void slots_free(struct slots *s) TAKES(1); /* no reader is left */
struct slots *slots_new(size_t limit_octets) OWNED_BY(slots_free);
DEFINE_AUTO(struct slots, slots_free)
/* For items that hold something beside their block: called once for each, before it is freed, by whatever thread frees it. Set before the first put. */
void slots_set_release(struct slots *s, void (*release)(struct slot_item *item)) NONNULL;
void slots_set_limit(struct slots *s, size_t limit_octets) NONNULL; /* each later slots_put shrinks some more */

static inline uint32_t slots_shard_of(const struct slots *s, uint64_t hash) { return (uint32_t)(hash >> 56) & s->shard_mask; }
static inline uint32_t slots_bucket_of(uint64_t hash, uint32_t mask, unsigned int way)
{
	uint32_t first = (uint32_t)hash & mask;

	if (way == 0)
		return first;
	uint32_t other = (uint32_t)(hash >> 20) & mask;
	return other != first ? other : (first ^ 1) & mask;
}
static inline uint64_t slots_tag(uint64_t hash) { return (hash >> 40) & 0xffff; }
static inline struct slot_item *slots_item(uint64_t word) BORROWED;
static inline struct slot_item *slots_item(uint64_t word) { return (struct slot_item *)(uintptr_t)(word & SLOT_POINTER); }

static inline void slots_prefetch(const struct slots *s, uint64_t hash)
{
	const struct slots_table *t = atomic_load_explicit(&s->table[slots_shard_of(s, hash)], memory_order_acquire);

	if (t != NULL)
		__builtin_prefetch(&t->bucket[slots_bucket_of(hash, t->mask, 0)]);
}

/* The second step of a prefetch: the item that looks like the one, as far as its slot tells. */
static inline void slots_prefetch_item(const struct slots *s, uint64_t hash)
{
	const struct slots_table *t = atomic_load_explicit(&s->table[slots_shard_of(s, hash)], memory_order_acquire);

	if (t == NULL)
		return;
	const struct slots_bucket *b = &t->bucket[slots_bucket_of(hash, t->mask, 0)];
	for (unsigned int i = 0; i < SLOTS_BUCKET; i++) {
		uint64_t w = atomic_load_explicit(&b->word[i], memory_order_relaxed);

		if (w >> 48 == slots_tag(hash) && w != 0) {
			const char *own = (const char *)slots_item(w) + sizeof(struct slot_item); /* what is before it is for writers */

			__builtin_prefetch(own);
			__builtin_prefetch(own + 64);
			__builtin_prefetch(own + 128);
		}
	}
}

/* The item, good until the end of the turn, or NULL. A hit is counted unless `peek`. */
static inline __attribute__((always_inline)) const struct slot_item *slots_find(struct slots *s, uint64_t hash, slots_match_fn *match,
    const void *key, bool peek)
{
	struct slots_table *t = atomic_load_explicit(&s->table[slots_shard_of(s, hash)], memory_order_acquire);
	uint64_t tag = slots_tag(hash);

	if (t == NULL)
		return NULL;
	for (unsigned int way = 0; way < 2; way++) {
		struct slots_bucket *b = &t->bucket[slots_bucket_of(hash, t->mask, way)];

		for (unsigned int i = 0; i < SLOTS_BUCKET; i++) {
			uint64_t w = atomic_load_explicit(&b->word[i], memory_order_acquire);

			if (w >> 48 != tag || w == 0)
				continue;
			const struct slot_item *item = slots_item(w);
			if (!match(key, item))
				continue;
			if (!peek && (w & SLOT_COUNT) != SLOT_COUNT)
				atomic_compare_exchange_strong_explicit(&b->word[i], &w, w + 1, memory_order_relaxed, memory_order_relaxed);
			return item;
		}
	}
	return NULL;
}

/* Publishes item, in place of one that matches when replace allows. What is not published is released and freed. `used_again`: a
 * replacement is a second use of the key. */
enum slots_verdict slots_put(struct slots *s, struct epoch_member *m, struct slot_item *item, slots_match_fn *match, const void *key,
    slots_replace_fn *replace, const void *user, bool used_again) TAKES(3);
/* Takes exactly this item out; false: it was not there any more. */
bool slots_drop(struct slots *s, struct epoch_member *m, const struct slot_item *item) NONNULL;
/* Takes out all that `doomed` says; shard by shard, each under its lock. */
size_t slots_sweep(struct slots *s, struct epoch_member *m, bool (*doomed)(void *user, const struct slot_item *item), void *user);
/* Visits at most `buckets` buckets from cursor on without a lock; the next cursor, 0 at the end or when fn said false. */
uint64_t slots_visit(struct slots *s, uint64_t cursor, size_t buckets, bool (*fn)(void *user, const struct slot_item *item), void *user);

struct slots_usage {
	uint64_t entries, octets /* live and retired */, limit, evicted, refused, hits, misses;
};
struct slots_usage slots_usage(const struct slots *s) NONNULL;
/* For tests: is every sum what a recount says, and every item where it can be found? */
bool slots_check(struct slots *s) NONNULL;
/* For caches whose look-ups may write: one count in the shard. */
void slots_count(struct slots *s, uint64_t hash, bool hit) NONNULL;
void slots_item_free(struct slot_item *item) TAKES(1);
DEFINE_AUTO(struct slot_item, slots_item_free)

#endif
