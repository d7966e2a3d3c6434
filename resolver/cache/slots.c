#include "resolver/cache/slots.h"

#include <assert.h>

#include "base/lock.h"
#include "base/mem.h"

#define FIRST_BUCKETS 4u
#define QUEUE_LEAST 16u
#define MAX_BUCKETS (UINT32_C(1) << 24)
#define RESERVE_SHARE 16u              /* this part of the limit is held back for what is retired but not yet free */
#define RESERVE_LEAST (UINT64_C(1) << 20) /* and that much may be retired in any case */
#define PROBATION_SHARE 10u
#define EVICT_AT_ONCE 64u              /* items that one put evicts: after a lowered limit the cache shrinks by steps */

_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "slots are words that change in one step");

/* An element of the probation queue: names an item that may be gone, and whose address and hash may have come back in another. */
struct candidate {
	uint64_t hash;
	uint32_t ticket;
};

/* A ring. */
struct queue {
	struct candidate *ring OWNED_FIELD;
	uint32_t cap;  /* a power of two, or 0 */
	uint32_t head; /* oldest */
	uint32_t len;
};

struct slots_shard {
	_Alignas(64) struct lock lock;
	uint32_t entries;
	uint32_t hand;               /* the clock's, a slot of the table */
	uint64_t octets;             /* of the items */
	uint64_t probation_octets;
	uint32_t probation_entries;
	uint32_t tickets;            /* given out */
	struct queue queue;
	_Atomic uint64_t evicted;
	_Atomic uint64_t hits, misses;
	_Atomic uint64_t seen_entries; /* a copy of entries that is read without the lock */
};

static void account_release(struct slots_account *a) TAKES(1);
static void account_release(struct slots_account *a)
{
	if (atomic_fetch_sub_explicit(&a->holders, 1, memory_order_acq_rel) == 1)
		mem_free(a);
}

void slots_item_free(struct slot_item *item)
{
	mem_free(item);
}

static void table_free(struct slots_table *t) TAKES(1);
static void table_free(struct slots_table *t)
{
	mem_free(t);
}
DEFINE_AUTO(struct slots_table, table_free)

static void item_release(const struct slots_account *a, struct slot_item *item)
{
	if (item != NULL && a->release != NULL)
		a->release(item);
}

static void item_destroy(struct retired *r)
{
	struct slot_item *item = PARENT_OF(r, struct slot_item, retired);
	struct slots_account *a = item->account;

	atomic_fetch_sub_explicit(&a->octets, item->octets, memory_order_relaxed);
	item_release(a, item);
	slots_item_free(item); /* own-ok: R4 retired: nobody else has it any more */
	account_release(a);    /* own-ok: R4 the hold that retiring it took */
}

static void table_destroy(struct retired *r)
{
	struct slots_table *t = PARENT_OF(r, struct slots_table, retired);
	struct slots_account *a = t->account;

	atomic_fetch_sub_explicit(&a->octets, t->octets, memory_order_relaxed);
	table_free(t);      /* own-ok: R4 retired: nobody else has it any more */
	account_release(a); /* own-ok: R4 the hold that retiring it took */
}

static void account_add(struct slots *s, uint32_t octets)
{
	atomic_fetch_add_explicit(&s->account->octets, octets, memory_order_relaxed);
	atomic_fetch_add_explicit(&s->account->holders, 1, memory_order_relaxed);
}

/* Nobody who looks from now on can find it. */
static void item_retire(struct slots *s, struct epoch_member *m, struct slot_item *item)
{
	atomic_fetch_sub_explicit(&s->octets, item->octets, memory_order_relaxed);
	account_add(s, item->octets);
	epoch_retire(m, &item->retired, item->octets, item_destroy);
}

static struct slots_table *table_new(struct slots *s, uint32_t buckets) OWNED_BY(table_free);
static struct slots_table *table_new(struct slots *s, uint32_t buckets)
{
	size_t line = sizeof(struct slots_table) + buckets * sizeof(struct slots_bucket);
	size_t size = line + (size_t)buckets * SLOTS_BUCKET * sizeof(uint16_t);
	AUTO(table_free) struct slots_table *t = mem_alloc_aligned(64, size);

	if (t == NULL)
		return NULL;
	t->mask = buckets - 1;
	t->octets = slots_octets(size + 48);
	t->ghost = (uint16_t *)(void *)((char *)t + line);
	t->account = s->account;
	return MOVE(t);
}

static inline _Atomic uint64_t *table_slot(struct slots_table *t, uint32_t i) BORROWED;
static inline _Atomic uint64_t *table_slot(struct slots_table *t, uint32_t i)
{
	return &t->bucket[i / SLOTS_BUCKET].word[i % SLOTS_BUCKET];
}

static inline uint32_t table_slots(const struct slots_table *t)
{
	return (t->mask + 1) * SLOTS_BUCKET;
}

static inline uint64_t word_of(const struct slot_item *item, uint64_t hash)
{
	return slots_tag(hash) << 48 | ((uint64_t)(uintptr_t)item & SLOT_POINTER);
}

/* The slot of an item of that hash which matches, or, with match NULL, of exactly `key`. NULL: none. */
static _Atomic uint64_t *slot_find(struct slots_table *t, uint64_t hash, slots_match_fn *match, const void *key) BORROWED;
static _Atomic uint64_t *slot_find(struct slots_table *t, uint64_t hash, slots_match_fn *match, const void *key)
{
	for (unsigned int way = 0; t != NULL && way < 2; way++) {
		struct slots_bucket *b = &t->bucket[slots_bucket_of(hash, t->mask, way)];

		for (unsigned int i = 0; i < SLOTS_BUCKET; i++) {
			uint64_t w = atomic_load_explicit(&b->word[i], memory_order_relaxed);
			const struct slot_item *item = slots_item(w);

			if (w == 0 || w >> 48 != slots_tag(hash))
				continue;
			if (match == NULL ? item == key : item->hash == hash && match(key, item))
				return &b->word[i];
		}
	}
	return NULL;
}

static _Atomic uint64_t *slot_empty(struct slots_table *t, uint64_t hash) BORROWED;
static _Atomic uint64_t *slot_empty(struct slots_table *t, uint64_t hash)
{
	for (unsigned int way = 0; way < 2; way++) {
		struct slots_bucket *b = &t->bucket[slots_bucket_of(hash, t->mask, way)];

		for (unsigned int i = 0; i < SLOTS_BUCKET; i++)
			if (atomic_load_explicit(&b->word[i], memory_order_relaxed) == 0)
				return &b->word[i];
	}
	return NULL;
}

/* The slot among the sixteen of this hash that is missed least: on probation before main, then by hits. */
static _Atomic uint64_t *slot_coldest(struct slots_table *t, uint64_t hash) BORROWED;
static _Atomic uint64_t *slot_coldest(struct slots_table *t, uint64_t hash)
{
	_Atomic uint64_t *best = NULL;
	unsigned int best_heat = UINT32_MAX;

	for (unsigned int way = 0; way < 2; way++) {
		struct slots_bucket *b = &t->bucket[slots_bucket_of(hash, t->mask, way)];

		for (unsigned int i = 0; i < SLOTS_BUCKET; i++) {
			uint64_t w = atomic_load_explicit(&b->word[i], memory_order_relaxed);
			unsigned int heat = (unsigned int)(w & SLOT_COUNT) * 2 + ((w & SLOT_PROBATION) == 0);

			if (heat < best_heat) {
				best_heat = heat;
				best = &b->word[i];
			}
		}
	}
	return best;
}

/* --- what left probation without a hit, remembered */

static inline uint16_t *ghost_of(struct slots_table *t, uint64_t hash) BORROWED;
static inline uint16_t *ghost_of(struct slots_table *t, uint64_t hash)
{
	return &t->ghost[(uint32_t)(hash >> 8) & (table_slots(t) - 1)];
}

static inline uint16_t ghost_mark(uint64_t hash)
{
	return (uint16_t)(slots_tag(hash) | 1);
}

/* --- the probation queue */

static struct candidate *queue_at(const struct queue *q, uint32_t i) BORROWED;
static struct candidate *queue_at(const struct queue *q, uint32_t i)
{
	return &q->ring[(q->head + i) & (q->cap - 1)];
}

static void queue_drop_oldest(struct queue *q)
{
	q->head = (q->head + 1) & (q->cap - 1);
	q->len--;
}

static bool has_ticket(const void *key, const struct slot_item *item)
{
	return item->ticket == *(const uint32_t *)key;
}

/* The slot of a candidate that is still on probation, or NULL. */
static _Atomic uint64_t *candidate_slot(struct slots_table *t, const struct candidate *c) BORROWED;
static _Atomic uint64_t *candidate_slot(struct slots_table *t, const struct candidate *c)
{
	_Atomic uint64_t *slot = slot_find(t, c->hash, has_ticket, &c->ticket);

	return slot != NULL && (atomic_load_explicit(slot, memory_order_relaxed) & SLOT_PROBATION) != 0 ? slot : NULL;
}

/* Leaves out what is stale; keeps the order. */
static void queue_compact(struct queue *q, struct slots_table *t)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < q->len; i++)
		if (candidate_slot(t, queue_at(q, i)) != NULL)
			*queue_at(q, kept++) = *queue_at(q, i);
	q->len = kept;
}

static bool queue_resize(struct slots *s, struct queue *q, uint32_t cap)
{
	struct queue next = { .cap = cap, .len = q->len };

	if (cap < q->len || cap > MAX_BUCKETS)
		return false;
	next.ring = mem_alloc_array(cap, sizeof(struct candidate));
	if (next.ring == NULL)
		return false;
	for (uint32_t i = 0; i < q->len; i++)
		next.ring[i] = *queue_at(q, i);
	mem_free(MOVE(q->ring));
	atomic_fetch_add_explicit(&s->octets, ((uint64_t)cap - q->cap) * sizeof(struct candidate), memory_order_relaxed);
	*q = next;
	return true;
}

/* Before item is published. False: no memory. */
static bool queue_push(struct slots *s, struct slots_shard *sh, struct slots_table *t, struct slot_item *item)
{
	struct queue *q = &sh->queue;
	bool was_full = q->len == q->cap;

	if (was_full)
		queue_compact(q, t);
	if (q->cap == 0 || (was_full && q->len > q->cap / 4 * 3))
		(void)queue_resize(s, q, q->cap != 0 ? q->cap * 2 : QUEUE_LEAST);
	if (q->len == q->cap)
		return false;
	item->ticket = ++sh->tickets;
	*queue_at(q, q->len++) = (struct candidate){ item->hash, item->ticket };
	return true;
}

/* While the cache fills everything is on probation, later a tenth. */
static void queue_shrink(struct slots *s, struct slots_shard *sh, struct slots_table *t)
{
	if (sh->queue.cap <= QUEUE_LEAST || sh->probation_entries >= sh->queue.cap / 4)
		return;
	queue_compact(&sh->queue, t);
	(void)queue_resize(s, &sh->queue, sh->queue.cap / 2);
}

/* --- slots under the lock */

static void shard_note_entries(struct slots_shard *sh)
{
	atomic_store_explicit(&sh->seen_entries, sh->entries, memory_order_relaxed);
}

static void probation_left(struct slots_shard *sh, const struct slot_item *item)
{
	sh->probation_octets -= item->octets;
	sh->probation_entries--;
}

/* Empties a slot. */
static void slot_remove(struct slots *s, struct slots_shard *sh, struct epoch_member *m, _Atomic uint64_t *slot)
{
	uint64_t w = atomic_exchange_explicit(slot, 0, memory_order_acq_rel);
	struct slot_item *item = slots_item(w);

	if ((w & SLOT_PROBATION) != 0)
		probation_left(sh, item);
	sh->octets -= item->octets;
	sh->entries--;
	shard_note_entries(sh);
	item_retire(s, m, item);
}

static void slot_evict(struct slots *s, struct slots_shard *sh, struct epoch_member *m, _Atomic uint64_t *slot)
{
	atomic_store_explicit(&sh->evicted, atomic_load_explicit(&sh->evicted, memory_order_relaxed) + 1, memory_order_relaxed);
	slot_remove(s, sh, m, slot);
}

/* Takes the oldest on probation that was not hit; those that were become main. False: nobody is left on probation. */
static bool evict_probation(struct slots *s, struct slots_shard *sh, struct slots_table *t, struct epoch_member *m)
{
	while (sh->queue.len != 0) {
		struct candidate c = *queue_at(&sh->queue, 0);
		_Atomic uint64_t *slot = candidate_slot(t, &c);

		queue_drop_oldest(&sh->queue);
		if (slot == NULL)
			continue;
		uint64_t w = atomic_load_explicit(slot, memory_order_relaxed);
		if ((w & SLOT_COUNT) != 0) {
			probation_left(sh, slots_item(w));
			atomic_fetch_and_explicit(slot, ~SLOT_PROBATION, memory_order_relaxed); /* with its hits: the hand may be near */
			continue;
		}
		*ghost_of(t, c.hash) = ghost_mark(c.hash);
		slot_evict(s, sh, m, slot);
		return true;
	}
	return false;
}

/* Moves the hand until something that is neither hit nor on probation is found; each pass takes one from the counts, so the
 * fourth finds it. */
static bool evict_main(struct slots *s, struct slots_shard *sh, struct slots_table *t, struct epoch_member *m)
{
	uint64_t steps = (uint64_t)table_slots(t) * (SLOT_COUNT + 2);

	if (sh->entries == sh->probation_entries)
		return false;
	while (steps-- != 0) {
		sh->hand = (sh->hand + 1) & (table_slots(t) - 1);
		_Atomic uint64_t *slot = table_slot(t, sh->hand);
		uint64_t w = atomic_load_explicit(slot, memory_order_relaxed);

		if (w == 0 || (w & SLOT_PROBATION) != 0)
			continue;
		if ((w & SLOT_COUNT) == 0) {
			slot_evict(s, sh, m, slot);
			return true;
		}
		atomic_compare_exchange_strong_explicit(slot, &w, w - 1, memory_order_relaxed, memory_order_relaxed);
	}
	return false;
}

static bool evict_one(struct slots *s, struct slots_shard *sh, struct slots_table *t, struct epoch_member *m)
{
	if (t == NULL || sh->entries == 0)
		return false;
	if (sh->probation_octets * PROBATION_SHARE > sh->octets && evict_probation(s, sh, t, m))
		return true;
	return evict_main(s, sh, t, m) || evict_probation(s, sh, t, m);
}

/* --- tables of another size */

/* Copies words into another table. Counts that readers add to the old one meanwhile are lost. False: an item has no place there. */
static bool table_copy(struct slots_table *to, struct slots_table *from)
{
	for (uint32_t i = 0; i < table_slots(from); i++) {
		uint64_t w = atomic_load_explicit(table_slot(from, i), memory_order_relaxed);

		if (w == 0)
			continue;
		_Atomic uint64_t *slot = slot_empty(to, slots_item(w)->hash);
		if (slot == NULL)
			return false;
		atomic_store_explicit(slot, w, memory_order_relaxed);
	}
	for (uint32_t i = 0; i < table_slots(to); i++)
		to->ghost[i] = from->ghost[i & (table_slots(from) - 1)];
	return true;
}

/* False: no memory, or not everything has a place in that many buckets; then all is as it was. */
static bool table_resize(struct slots *s, uint32_t at, uint32_t buckets, struct epoch_member *m)
{
	struct slots_table *old = atomic_load_explicit(&s->table[at], memory_order_relaxed);
	AUTO(table_free) struct slots_table *made = buckets <= MAX_BUCKETS ? table_new(s, buckets) : NULL;
	struct slots_table *t = made;

	if (t == NULL || (old != NULL && !table_copy(t, old)))
		return false;
	atomic_store_explicit(&s->table[at], t, memory_order_release);
	made = NULL; /* it is published */
	atomic_fetch_add_explicit(&s->octets, t->octets, memory_order_relaxed);
	if (old != NULL) {
		atomic_fetch_sub_explicit(&s->octets, old->octets, memory_order_relaxed);
		account_add(s, old->octets);
		epoch_retire(m, &old->retired, old->octets, table_destroy);
	}
	return true;
}

/* An empty slot for that hash in a larger table. Twice as many buckets are enough but for very rare hashes. NULL: not to be had. */
static _Atomic uint64_t *table_grow(struct slots *s, uint32_t at, uint64_t hash, struct epoch_member *m) BORROWED;
static _Atomic uint64_t *table_grow(struct slots *s, uint32_t at, uint64_t hash, struct epoch_member *m)
{
	const struct slots_table *old = atomic_load_explicit(&s->table[at], memory_order_relaxed);
	uint32_t buckets = old != NULL ? (old->mask + 1) * 2 : FIRST_BUCKETS;
	_Atomic uint64_t *slot = NULL;

	for (unsigned int i = 0; i < 3 && slot == NULL; i++, buckets *= 2)
		if (table_resize(s, at, buckets, m))
			slot = slot_empty(atomic_load_explicit(&s->table[at], memory_order_relaxed), hash);
	return slot;
}

/* After a lowered limit the index must not be what fills the cache. */
static void shard_shrink(struct slots *s, struct slots_shard *sh, uint32_t at, struct epoch_member *m)
{
	struct slots_table *t = atomic_load_explicit(&s->table[at], memory_order_relaxed);

	if (t != NULL && t->mask + 1 > FIRST_BUCKETS && sh->entries < table_slots(t) / 8)
		(void)table_resize(s, at, (t->mask + 1) / 2, m);
}

/* --- room */

static uint64_t reserve_of(uint64_t limit)
{
	return limit / RESERVE_SHARE;
}

static bool too_full(const struct slots *s, uint64_t more)
{
	uint64_t limit = atomic_load_explicit(&s->limit, memory_order_relaxed);

	return atomic_load_explicit(&s->octets, memory_order_relaxed) + more > limit - reserve_of(limit);
}

static bool too_much_retired(const struct slots *s)
{
	uint64_t reserve = reserve_of(atomic_load_explicit(&s->limit, memory_order_relaxed));

	return atomic_load_explicit(&s->account->octets, memory_order_relaxed) > (reserve > RESERVE_LEAST ? reserve : RESERVE_LEAST);
}

/* Evicts, from the item's shard first. False: the item cannot be taken. One lock at a time. */
static bool make_room(struct slots *s, struct epoch_member *m, const struct slot_item *item)
{
	uint32_t first = slots_shard_of(s, item->hash);
	unsigned int left = EVICT_AT_ONCE;

	if (item->octets > atomic_load_explicit(&s->limit, memory_order_relaxed) / 4)
		return false;
	for (uint32_t i = 0; i <= s->shard_mask && too_full(s, item->octets); i++) {
		uint32_t at = (first + i) & s->shard_mask;
		struct slots_shard *sh = &s->shard[at];

		lock_take(&sh->lock);
		while (left != 0 && too_full(s, item->octets) && !too_much_retired(s) &&
		    evict_one(s, sh, atomic_load_explicit(&s->table[at], memory_order_relaxed), m))
			left--;
		queue_shrink(s, sh, atomic_load_explicit(&s->table[at], memory_order_relaxed));
		if (too_full(s, item->octets))
			shard_shrink(s, sh, at, m);
		lock_give(&sh->lock);
		if (left == 0 || too_much_retired(s))
			break;
	}
	return !too_full(s, item->octets);
}

/* A slot for a new item: an empty one, in a larger table if need be, else the coldest's. NULL: there is no table and no
 * memory for one. */
static _Atomic uint64_t *slot_for(struct slots *s, struct slots_shard *sh, uint32_t at, uint64_t hash, struct epoch_member *m) BORROWED;
static _Atomic uint64_t *slot_for(struct slots *s, struct slots_shard *sh, uint32_t at, uint64_t hash, struct epoch_member *m)
{
	struct slots_table *t = atomic_load_explicit(&s->table[at], memory_order_relaxed);
	_Atomic uint64_t *slot = t != NULL ? slot_empty(t, hash) : NULL;
	bool worth_it = t == NULL || sh->entries >= table_slots(t) / 16; /* else the hash is to blame */
	bool crowded = t == NULL || sh->entries >= table_slots(t) / 4 * 3;

	if ((slot == NULL && worth_it) || crowded) {
		_Atomic uint64_t *larger = table_grow(s, at, hash, m);

		if (larger != NULL)
			return larger;
		t = atomic_load_explicit(&s->table[at], memory_order_relaxed);
		slot = t != NULL ? slot_empty(t, hash) : NULL;
	}
	if (slot == NULL && t != NULL) {
		slot = slot_coldest(t, hash);
		slot_evict(s, sh, m, slot);
	}
	return slot;
}

/* --- writers */

static bool insert(struct slots *s, struct slots_shard *sh, uint32_t at, struct epoch_member *m, struct slot_item *item)
{
	_Atomic uint64_t *slot = slot_for(s, sh, at, item->hash, m);
	struct slots_table *t = atomic_load_explicit(&s->table[at], memory_order_relaxed);
	uint64_t w = word_of(item, item->hash);

	if (slot == NULL)
		return false;
	if (*ghost_of(t, item->hash) == ghost_mark(item->hash)) {
		*ghost_of(t, item->hash) = 0;
	} else if (queue_push(s, sh, t, item)) {
		w |= SLOT_PROBATION;
		sh->probation_octets += item->octets;
		sh->probation_entries++;
	}
	item->account = s->account;
	sh->octets += item->octets;
	sh->entries++;
	shard_note_entries(sh);
	atomic_fetch_add_explicit(&s->octets, item->octets, memory_order_relaxed);
	atomic_store_explicit(slot, w, memory_order_release);
	return true;
}

/* Puts item in the place of the slot's, with its hits. One on probation that was asked for again is main from now on. */
static void replace_in(struct slots *s, struct slots_shard *sh, struct slots_table *t, struct epoch_member *m, _Atomic uint64_t *slot,
    struct slot_item *item, bool used_again) TAKES(6);
static void replace_in(struct slots *s, struct slots_shard *sh, struct slots_table *t, struct epoch_member *m, _Atomic uint64_t *slot,
    struct slot_item *item, bool used_again)
{
	uint64_t w = atomic_load_explicit(slot, memory_order_relaxed);
	struct slot_item *old = slots_item(w);
	uint64_t bits = w & SLOT_COUNT;

	if ((w & SLOT_PROBATION) != 0) {
		probation_left(sh, old);
		if (!used_again && queue_push(s, sh, t, item)) {
			bits |= SLOT_PROBATION;
			sh->probation_octets += item->octets;
			sh->probation_entries++;
		}
	}
	item->account = s->account;
	sh->octets += item->octets;
	sh->octets -= old->octets;
	atomic_fetch_add_explicit(&s->octets, item->octets, memory_order_relaxed);
	atomic_store_explicit(slot, word_of(item, item->hash) | bits, memory_order_release);
	item_retire(s, m, old);
}

enum slots_verdict slots_put(struct slots *s, struct epoch_member *m, struct slot_item *given, slots_match_fn *match, const void *key,
    slots_replace_fn *replace, const void *user, bool used_again)
{
	AUTO(slots_item_free) struct slot_item *item = given;
	uint32_t at = slots_shard_of(s, item->hash);
	struct slots_shard *sh = &s->shard[at];
	enum slots_verdict v = SLOTS_FULL;
	bool fits = ((uint64_t)(uintptr_t)item & ~SLOT_POINTER) == 0 && make_room(s, m, item);

	lock_take(&sh->lock);
	struct slots_table *t = atomic_load_explicit(&s->table[at], memory_order_relaxed);
	_Atomic uint64_t *slot = slot_find(t, item->hash, match, key);
	const struct slot_item *old = slot != NULL ? slots_item(atomic_load_explicit(slot, memory_order_relaxed)) : NULL;
	if (replace != NULL && !replace(user, old, item)) {
		v = SLOTS_REFUSED;
	} else if (!fits && old != NULL) {
		slot_remove(s, sh, m, slot); /* what is newer cannot be kept, what is older must not be found */
	} else if (fits && old != NULL) {
		replace_in(s, sh, t, m, slot, MOVE(item), used_again);
		v = SLOTS_REPLACED;
	} else if (fits && insert(s, sh, at, m, item)) {
		item = NULL; /* the slot has it */
		v = SLOTS_NEW;
	}
	lock_give(&sh->lock);
	item_release(s->account, item);
	if (v == SLOTS_FULL)
		atomic_fetch_add_explicit(&s->refused, 1, memory_order_relaxed);
	return v;
}

bool slots_drop(struct slots *s, struct epoch_member *m, const struct slot_item *item)
{
	uint32_t at = slots_shard_of(s, item->hash);
	struct slots_shard *sh = &s->shard[at];

	lock_take(&sh->lock);
	_Atomic uint64_t *slot = slot_find(atomic_load_explicit(&s->table[at], memory_order_relaxed), item->hash, NULL, item);
	if (slot != NULL)
		slot_remove(s, sh, m, slot);
	lock_give(&sh->lock);
	return slot != NULL;
}

static size_t sweep_shard(struct slots *s, uint32_t at, struct epoch_member *m, bool (*doomed)(void *, const struct slot_item *), void *user)
{
	struct slots_shard *sh = &s->shard[at];
	size_t n = 0;

	lock_take(&sh->lock);
	struct slots_table *t = atomic_load_explicit(&s->table[at], memory_order_relaxed);
	for (uint32_t i = 0; t != NULL && i < table_slots(t); i++) {
		uint64_t w = atomic_load_explicit(table_slot(t, i), memory_order_relaxed);

		if (w != 0 && doomed(user, slots_item(w))) {
			slot_remove(s, sh, m, table_slot(t, i));
			n++;
		}
	}
	lock_give(&sh->lock);
	return n;
}

size_t slots_sweep(struct slots *s, struct epoch_member *m, bool (*doomed)(void *user, const struct slot_item *item), void *user)
{
	size_t n = 0;

	for (uint32_t i = 0; i <= s->shard_mask; i++)
		n += sweep_shard(s, i, m, doomed, user);
	return n;
}

/* A cursor is the shard in the upper half and a bucket in the lower. */
uint64_t slots_visit(struct slots *s, uint64_t cursor, size_t buckets, bool (*fn)(void *user, const struct slot_item *item), void *user)
{
	uint64_t at = cursor >> 32;
	uint64_t bucket = cursor & UINT32_MAX;

	for (; at <= s->shard_mask; at++, bucket = 0) {
		struct slots_table *t = atomic_load_explicit(&s->table[at], memory_order_acquire);

		for (; t != NULL && bucket <= t->mask; bucket++) {
			if (buckets-- == 0)
				return at << 32 | bucket;
			for (unsigned int i = 0; i < SLOTS_BUCKET; i++) {
				uint64_t w = atomic_load_explicit(&t->bucket[bucket].word[i], memory_order_acquire);

				if (w != 0 && !fn(user, slots_item(w)))
					return 0;
			}
		}
	}
	return 0;
}

/* --- life */

static void shard_done(struct slots *s, uint32_t at)
{
	struct slots_table *t = atomic_load_explicit(&s->table[at], memory_order_acquire);

	for (uint32_t i = 0; t != NULL && i < table_slots(t); i++) {
		struct slot_item *item = slots_item(atomic_load_explicit(table_slot(t, i), memory_order_relaxed));

		item_release(s->account, item);
		slots_item_free(item); /* own-ok: R4 the slot's */
	}
	table_free(t); /* own-ok: R4 the last one, which no reader is left to see */
	mem_free(MOVE(s->shard[at].queue.ring));
	lock_done(&s->shard[at].lock);
}

void slots_set_release(struct slots *s, void (*release)(struct slot_item *item))
{
	s->account->release = release;
}

void slots_free(struct slots *s)
{
	if (s == NULL)
		return;
	for (uint32_t i = 0; s->shard != NULL && i <= s->shard_mask; i++)
		shard_done(s, i);
	mem_free(s->shard);
	if (s->account != NULL)
		account_release(s->account);
	mem_free(s);
}

static uint32_t shards_for(size_t limit)
{
	return limit >= (size_t)64 << 20 ? SLOTS_MAX_SHARDS : limit >= (size_t)1 << 20 ? 64 : 4;
}

struct slots *slots_new(size_t limit)
{
	AUTO(slots_free) struct slots *s = mem_alloc_aligned(64, sizeof(*s));
	uint32_t n = shards_for(limit);

	if (s == NULL)
		return NULL;
	s->shard_mask = n - 1;
	atomic_init(&s->limit, limit);
	s->account = mem_alloc(sizeof(*s->account));
	if (s->account == NULL)
		return NULL;
	atomic_init(&s->account->holders, 1);
	s->shard = mem_alloc_aligned(64, n * sizeof(*s->shard));
	if (s->shard == NULL)
		return NULL;
	for (uint32_t i = 0; i < n; i++)
		lock_init(&s->shard[i].lock);
	return MOVE(s);
}

void slots_set_limit(struct slots *s, size_t limit)
{
	atomic_store_explicit(&s->limit, limit, memory_order_relaxed);
}

void slots_count(struct slots *s, uint64_t hash, bool hit)
{
	struct slots_shard *sh = &s->shard[slots_shard_of(s, hash)];

	atomic_fetch_add_explicit(hit ? &sh->hits : &sh->misses, 1, memory_order_relaxed);
}

struct slots_usage slots_usage(const struct slots *s)
{
	struct slots_usage u = {
		.octets = atomic_load_explicit(&s->octets, memory_order_relaxed) + atomic_load_explicit(&s->account->octets, memory_order_relaxed),
		.limit = atomic_load_explicit(&s->limit, memory_order_relaxed),
		.refused = atomic_load_explicit(&s->refused, memory_order_relaxed),
	};

	for (uint32_t i = 0; i <= s->shard_mask; i++) {
		u.entries += atomic_load_explicit(&s->shard[i].seen_entries, memory_order_relaxed);
		u.evicted += atomic_load_explicit(&s->shard[i].evicted, memory_order_relaxed);
		u.hits += atomic_load_explicit(&s->shard[i].hits, memory_order_relaxed);
		u.misses += atomic_load_explicit(&s->shard[i].misses, memory_order_relaxed);
	}
	return u;
}

/* --- for tests */

struct recount {
	uint64_t octets, probation_octets;
	uint32_t entries, probation_entries;
};

static bool recount_slot(struct slots_table *t, uint64_t w, struct recount *n)
{
	const struct slot_item *item = slots_item(w);

	n->entries++;
	n->octets += item->octets;
	if ((w & SLOT_PROBATION) != 0) {
		n->probation_entries++;
		n->probation_octets += item->octets;
	}
	return slot_find(t, item->hash, NULL, item) != NULL;
}

static bool shard_check(struct slots_shard *sh, struct slots_table *t, uint64_t *ret_octets)
{
	struct recount n = { 0 };
	uint32_t candidates = 0;
	bool good = true;

	for (uint32_t i = 0; t != NULL && i < table_slots(t); i++) {
		uint64_t w = atomic_load_explicit(table_slot(t, i), memory_order_relaxed);

		if (w != 0)
			good &= recount_slot(t, w, &n);
	}
	for (uint32_t i = 0; i < sh->queue.len; i++)
		candidates += candidate_slot(t, queue_at(&sh->queue, i)) != NULL;
	*ret_octets += n.octets + (t != NULL ? t->octets : 0) + sh->queue.cap * sizeof(struct candidate);
	return good && n.entries == sh->entries && n.octets == sh->octets && n.probation_entries == sh->probation_entries &&
	    n.probation_octets == sh->probation_octets && candidates == n.probation_entries;
}

bool slots_check(struct slots *s)
{
	uint64_t octets = 0;
	bool good = true;

	for (uint32_t i = 0; i <= s->shard_mask; i++) {
		lock_take(&s->shard[i].lock);
		good &= shard_check(&s->shard[i], atomic_load_explicit(&s->table[i], memory_order_relaxed), &octets);
		lock_give(&s->shard[i].lock);
	}
	return good && octets == atomic_load_explicit(&s->octets, memory_order_relaxed);
}
