/*
 * denials.c: all zones that denials are known of, in shards by the hash of their names. What one zone's gaps say is in gapproof.c, how they are kept in gaps.c.
 *
 * A look-up goes up the labels of its name; that a zone has gaps is said by a count beside the lock, so that zones without any cost no lock. All zones share one
 * limit; what is evicted is the longest unused gap of the longest unused zone, be it in another shard (one lock at a time).
 */
#include "resolver/cache/denials.h"

#include <stdatomic.h>

#include "base/arena.h"
#include "base/lock.h"
#include "base/mem.h"
#include "resolver/cache/gapproof.h"
#include "resolver/cache/key.h"
#include "resolver/cache/rrcache.h"

#define SHARDS 16u
#define LISTED 1024u     /* counts of zones with gaps, by hash, in each shard */
#define FIRST_HEADS 16u
#define EVICT_AT_ONCE 64u /* gaps that one put evicts: after a lowered limit the cache shrinks by steps */
#define NO_ZONE UINT64_MAX

struct shard {
	_Alignas(64) struct lock lock;
	struct gap_zone **head OWNED_FIELD; /* chains; heads of them, a power of two or 0 */
	uint32_t heads, zones;
	struct gap_zone *newest PARENT_FIELD;
	struct gap_zone *oldest PARENT_FIELD;
	uint64_t drawn; /* random numbers */
	uint64_t hits, misses, evicted, refused;
	_Atomic uint64_t oldest_ms; /* when the oldest was used; NO_ZONE */
	_Atomic uint16_t listed[LISTED];
};

struct denials {
	struct hash_key key;
	_Atomic size_t limit;
	_Atomic size_t octets;
	_Atomic size_t entries;
	struct shard shard[SHARDS];
};

/* --- zones of a shard, under its lock */

static struct shard *shard_of(struct denials *d, uint64_t hash) BORROWED;
static struct shard *shard_of(struct denials *d, uint64_t hash)
{
	return &d->shard[(hash >> 56) & (SHARDS - 1)];
}

static _Atomic uint16_t *listed_of(struct shard *sh, uint64_t hash) BORROWED;
static _Atomic uint16_t *listed_of(struct shard *sh, uint64_t hash)
{
	return &sh->listed[(hash >> 32) & (LISTED - 1)];
}

static struct gap_zone **head_of(struct shard *sh, uint64_t hash) BORROWED;
static struct gap_zone **head_of(struct shard *sh, uint64_t hash)
{
	return &sh->head[(uint32_t)hash & (sh->heads - 1)];
}

static struct gap_zone *zone_find(struct shard *sh, uint64_t hash, struct name name) BORROWED;
static struct gap_zone *zone_find(struct shard *sh, uint64_t hash, struct name name)
{
	struct gap_zone *z = sh->heads != 0 ? *head_of(sh, hash) : NULL;

	while (z != NULL && (z->hash != hash || z->name_len != name.len || !key_equal(z->name, name.wire, name.len)))
		z = z->chain;
	return z;
}

static void note_oldest(struct shard *sh)
{
	atomic_store_explicit(&sh->oldest_ms, sh->oldest != NULL ? sh->oldest->used_ms : NO_ZONE, memory_order_relaxed);
}

static void unlink_zone(struct shard *sh, struct gap_zone *z)
{
	if (z == sh->newest)
		sh->newest = z->older;
	else
		z->newer->older = z->older;
	if (z == sh->oldest)
		sh->oldest = z->newer;
	else
		z->older->newer = z->newer;
}

static void link_newest(struct shard *sh, struct gap_zone *z)
{
	z->newer = NULL;
	z->older = sh->newest;
	if (sh->newest != NULL)
		sh->newest->newer = z;
	else
		sh->oldest = z;
	sh->newest = z;
}

static void zone_used(struct shard *sh, struct gap_zone *z, const struct now *now)
{
	z->used_ms = now_ms(now);
	if (z != sh->newest) {
		unlink_zone(sh, z);
		link_newest(sh, z);
	}
	note_oldest(sh);
}

/* Without memory the chains grow longer instead. */
static void grow(struct denials *d, struct shard *sh)
{
	struct shard grown = { .heads = sh->heads != 0 ? sh->heads * 2 : FIRST_HEADS };

	grown.head = mem_alloc_array(grown.heads, sizeof(struct gap_zone *));
	if (grown.head == NULL)
		return;
	for (struct gap_zone *z = sh->newest; z != NULL; z = z->older) {
		struct gap_zone **at = head_of(&grown, z->hash);

		z->chain = *at;
		*at = z;
	}
	atomic_fetch_add_explicit(&d->octets, (grown.heads - sh->heads) * sizeof(struct gap_zone *), memory_order_relaxed);
	mem_free(MOVE(sh->head));
	sh->head = grown.head;
	sh->heads = grown.heads;
}

/* NULL: out of memory. */
static struct gap_zone *zone_make(struct denials *d, struct shard *sh, uint64_t hash, struct name name) BORROWED;
static struct gap_zone *zone_make(struct denials *d, struct shard *sh, uint64_t hash, struct name name)
{
	struct gap_zone *found = zone_find(sh, hash, name);
	AUTO(gap_zone_free) struct gap_zone *made = NULL;
	struct gap_zone *z, **at;

	if (found != NULL)
		return found;
	if (sh->zones >= sh->heads)
		grow(d, sh);
	made = sh->heads != 0 ? gap_zone_new(name, hash) : NULL;
	if (made == NULL)
		return NULL;
	atomic_fetch_add_explicit(&d->octets, made->octets, memory_order_relaxed);
	z = made;
	link_newest(sh, z);
	at = head_of(sh, hash);
	made->chain = *at;
	*at = MOVE(made);
	sh->zones++;
	return z;
}

static void zone_drop(struct denials *d, struct shard *sh, struct gap_zone *z)
{
	struct gap_zone **at = head_of(sh, z->hash);

	while (*at != z)
		at = &(*at)->chain;
	*at = z->chain;
	unlink_zone(sh, z);
	note_oldest(sh);
	sh->zones--;
	atomic_fetch_sub_explicit(&d->octets, z->octets, memory_order_relaxed);
	gap_zone_free(z); /* own-ok: R4 out of its chain now: it was the table's */
}

/* What a zone had before something was done to it. */
struct had {
	size_t octets, gaps;
};

static struct had zone_had(const struct gap_zone *z)
{
	return (struct had){ z->octets, gap_zone_count(z) };
}

/* Brings the sums up to date, and drops the zone when nothing is left of it. */
static void zone_settle(struct denials *d, struct shard *sh, struct gap_zone *z, const struct had *had)
{
	size_t gaps = gap_zone_count(z);
	_Atomic uint16_t *listed = listed_of(sh, z->hash);

	atomic_fetch_add_explicit(&d->octets, z->octets - had->octets, memory_order_relaxed); /* modulo: it may have shrunk */
	atomic_fetch_add_explicit(&d->entries, gaps - had->gaps, memory_order_relaxed);
	if (z->listed != (gaps > 0)) {
		z->listed = gaps > 0;
		atomic_store_explicit(listed, (uint16_t)(atomic_load_explicit(listed, memory_order_relaxed) + (z->listed ? 1 : -1)), memory_order_relaxed);
	}
	if (gaps == 0 && z->soa == NULL)
		zone_drop(d, sh, z);
}

static void zone_empty(struct denials *d, struct shard *sh, struct gap_zone *z)
{
	struct had had = zone_had(z);

	while (z->newest != NULL)
		gap_zone_remove(z, z->newest);
	gap_zone_drop_soa(z);
	zone_settle(d, sh, z, &had);
}

/* --- room */

static bool evict_one(struct denials *d)
{
	uint64_t oldest = NO_ZONE;
	struct shard *sh = NULL;
	struct gap_zone *z;

	for (unsigned int i = 0; i < SHARDS; i++) {
		uint64_t ms = atomic_load_explicit(&d->shard[i].oldest_ms, memory_order_relaxed);

		if (ms < oldest || (sh == NULL && ms != NO_ZONE)) {
			oldest = ms;
			sh = &d->shard[i];
		}
	}
	if (sh == NULL)
		return false;
	lock_take(&sh->lock);
	z = sh->oldest;
	if (z != NULL) {
		struct had had = zone_had(z);

		if (z->oldest != NULL)
			gap_zone_remove(z, z->oldest);
		if (z->oldest == NULL)
			gap_zone_drop_soa(z);
		sh->evicted++;
		zone_settle(d, sh, z, &had);
	}
	lock_give(&sh->lock);
	return true;
}

static void shrink(struct denials *d)
{
	for (unsigned int i = 0; i < EVICT_AT_ONCE; i++) {
		if (atomic_load_explicit(&d->octets, memory_order_relaxed) <= atomic_load_explicit(&d->limit, memory_order_relaxed) || !evict_one(d))
			return;
	}
}

/* --- putting */

static uint64_t hash_of(const struct denials *d, struct name n)
{
	KEY_SCRATCH struct key_chain chain;

	key_chain_init(&chain, &d->key, n);
	return chain.of[chain.labels];
}

static void put_gap(struct denials *d, struct shard *sh, uint64_t hash, struct name zone, struct gap *given, const struct now *now) TAKES(5);
static void put_gap(struct denials *d, struct shard *sh, uint64_t hash, struct name zone, struct gap *given, const struct now *now)
{
	AUTO(gap_free) struct gap *g = given;
	struct gap_zone *z = zone_make(d, sh, hash, zone);

	if (z == NULL) {
		sh->refused++;
		return;
	}
	struct had had = zone_had(z);
	gap_zone_add(z, MOVE(g), (uint32_t)key_mix(&d->key, sh->drawn++, 0));
	zone_used(sh, z, now);
	zone_settle(d, sh, z, &had);
}

static void put_soa(struct denials *d, struct shard *sh, uint64_t hash, struct name zone, const struct rrset *soa, const struct now *now)
{
	struct gap_zone *z = zone_make(d, sh, hash, zone);

	if (z == NULL) {
		sh->refused++;
		return;
	}
	struct had had = zone_had(z);
	(void)gap_zone_set_soa(z, soa, now_sec(now));
	zone_used(sh, z, now);
	zone_settle(d, sh, z, &had);
}

void denials_put(struct denials *d, struct name zone, const struct rrset *rs, const struct now *now)
{
	denials_put_for(d, zone, rs, UINT32_MAX, now);
}

void denials_put_for(struct denials *d, struct name zone, const struct rrset *rs, uint32_t most, const struct now *now)
{
	size_t limit = atomic_load_explicit(&d->limit, memory_order_relaxed);
	AUTO(gap_free) struct gap *g = NULL;
	struct shard *sh;
	uint64_t hash;

	if (limit == 0 || rs->octets > limit / 4 || rs->security != SECURITY_SECURE)
		return;
	if (rs->type != RR_SOA) {
		g = gap_new(zone, rs, now_sec(now));
		if (g == NULL)
			return;
		if (most < rs->ttl)
			g->expires_sec -= rs->ttl - most;
	}
	hash = hash_of(d, zone);
	sh = shard_of(d, hash);
	lock_take(&sh->lock);
	if (g != NULL)
		put_gap(d, sh, hash, zone, MOVE(g), now);
	else
		put_soa(d, sh, hash, zone, rs, now);
	lock_give(&sh->lock);
	shrink(d);
}

bool denials_has(struct denials *d, struct name zone, const struct rrset *rs, const struct now *now, uint32_t *ret_left)
{
	uint64_t hash = hash_of(d, zone);
	struct shard *sh = shard_of(d, hash);
	struct gap_zone *z;
	bool has = false;

	if (atomic_load_explicit(&d->limit, memory_order_relaxed) == 0)
		return false;
	lock_take(&sh->lock);
	z = zone_find(sh, hash, zone);
	if (z != NULL) {
		struct had had = zone_had(z);

		has = gap_zone_has(z, rs, now_sec(now), ret_left);
		zone_settle(d, sh, z, &had); /* what had expired is gone */
	}
	lock_give(&sh->lock);
	return has;
}

/* --- answers */

struct asking {
	struct denials *d BORROWED_FIELD;
	struct gap_question q;
	struct nsec3_hasher *hasher BORROWED_FIELD;
	unsigned int hashes_left;
	struct arena *arena BORROWED_FIELD;
	const struct now *now BORROWED_FIELD;
	struct gap_hashes hashes;
	struct denied_answer *ret BORROWED_FIELD;
};

static bool take_set(struct asking *k, const struct rrset *rs, uint32_t expires_sec, uint32_t shown_until_sec, struct denied_answer *to)
{
	struct rrset *copy = rrset_copy_in(k->arena, rs);

	if (copy == NULL)
		return false;
	copy->ttl = shown_until_sec - k->q.now_sec;
	if (expires_sec - k->q.now_sec < to->ttl)
		to->ttl = expires_sec - k->q.now_sec;
	to->sets[to->n++] = copy;
	return true;
}

static bool take_soa(struct asking *k, struct gap_zone *z, struct denied_answer *to)
{
	if (z->soa == NULL || k->q.now_sec >= z->soa_expires_sec) {
		gap_zone_drop_soa(z);
		return false;
	}
	if (z->soa_minimum < to->ttl)
		to->ttl = z->soa_minimum;
	return to->ttl > 0 && take_set(k, z->soa, z->soa_expires_sec, z->soa_expires_sec, to);
}

static bool take_wildcard(struct asking *k, unsigned int closest, struct denied_answer *to)
{
	static const uint8_t star[] = { 1, '*', 0 };
	struct name_buf n;

	if (!OK(name_concat((struct name){ star, sizeof star, 1 }, 1, name_suffix(k->q.name, closest), &n)))
		return false;
	to->wildcard = name_dup_in(k->arena, name_of(&n));
	return to->wildcard.wire != NULL;
}

/* Copies what proves it. False: there is no SOA, without which only the absence of a DS is of use, or no memory. */
static bool take(struct asking *k, struct gap_zone *z, const struct gap_proof *p)
{
	struct denied_answer to = { .what = p->what, .guess = p->guess, .ttl = UINT32_MAX };

	to.sets = arena_alloc_array(k->arena, 1 + p->gaps, sizeof *to.sets);
	if (to.sets == NULL)
		return false;
	if (p->what == DENIED_WILDCARD) {
		if (!take_wildcard(k, p->closest, &to))
			return false;
	} else if (!take_soa(k, z, &to)) {
		if (k->q.type != RR_DS || p->what != DENIED_NODATA)
			return false;
		to.no_soa = true;
	}
	for (unsigned int i = 0; i < p->gaps; i++) {
		if (!take_set(k, p->gap[i]->set, p->gap[i]->expires_sec, p->gap[i]->shown_until_sec, &to))
			return false;
		gap_zone_used(z, p->gap[i]);
	}
	*k->ret = to;
	return true;
}

/* One look at a zone. *ret_labels: of a wildcard whose hash is needed. */
static enum gap_need prove(struct asking *k, struct gap_zone *z, struct gap_proof *ret, unsigned int *ret_labels)
{
	*ret = (struct gap_proof){ .what = DENIED_NOTHING };
	if (z->order[GAP_NSEC].count > 0)
		gap_prove_nsec(z, &k->q, ret);
	if (ret->what != DENIED_NOTHING || z->order[GAP_NSEC3].count == 0)
		return GAP_DECIDED;
	if (k->hashes.level == NULL)
		k->hashes.level = arena_alloc_array(k->arena, 1u + k->q.name.labels - z->name_labels, NSEC3_HASH_OCTETS);
	if (k->hashes.level == NULL || !gap_hashes_sync(z, &k->hashes))
		return GAP_DECIDED;
	return gap_prove_nsec3(z, &k->q, &k->hashes, ret, ret_labels);
}

/* Under the lock. *ret_has: there is such a zone, and it has gaps. */
static enum gap_need ask_zone(struct asking *k, struct shard *sh, uint64_t hash, struct name zone, bool *ret_has, unsigned int *ret_labels)
{
	struct gap_zone *z = zone_find(sh, hash, zone);
	enum gap_need need = GAP_DECIDED;
	struct gap_proof p;
	struct had had;

	if (z == NULL || gap_zone_count(z) == 0)
		return GAP_DECIDED;
	*ret_has = true;
	had = zone_had(z);
	zone_used(sh, z, k->now);
	need = prove(k, z, &p, ret_labels);
	if (need == GAP_DECIDED) {
		if (p.what != DENIED_NOTHING && take(k, z, &p))
			sh->hits++;
		else
			sh->misses++;
	}
	zone_settle(k->d, sh, z, &had);
	return need;
}

/* The hash that was missing; without any lock. False: there are no more for this question, or libcrypto failed. */
static bool compute(struct asking *k, enum gap_need need, unsigned int zone_labels, unsigned int star_labels)
{
	static const uint8_t star[] = { 1, '*', 0 };
	struct gap_hashes *h = &k->hashes;
	struct span salt = { h->salt, h->salt_len };
	struct name_buf wildcard;

	if (k->hashes_left == 0)
		return false;
	k->hashes_left--;
	if (need == GAP_NEEDS_LEVEL) {
		if (!OK(nsec3_hash(k->hasher, name_suffix(k->q.name, zone_labels + h->levels), salt, h->iterations, h->level[h->levels])))
			return false;
		h->levels++;
		return true;
	}
	if (!OK(name_concat((struct name){ star, sizeof star, 1 }, 1, name_suffix(k->q.name, star_labels), &wildcard)) ||
	    !OK(nsec3_hash(k->hasher, name_of(&wildcard), salt, h->iterations, h->star)))
		return false;
	h->star_known = true;
	h->star_labels = star_labels;
	return true;
}

/* True: the zone has denials, so those above it are not asked. */
static bool ask(struct asking *k, uint64_t hash, struct name zone)
{
	struct shard *sh = shard_of(k->d, hash);
	enum gap_need need = GAP_NEEDS_LEVEL;
	unsigned int labels = 0;
	bool has = false;

	while (need != GAP_DECIDED) {
		lock_take(&sh->lock);
		need = ask_zone(k, sh, hash, zone, &has, &labels);
		lock_give(&sh->lock);
		if (need != GAP_DECIDED && !compute(k, need, zone.labels, labels))
			break;
	}
	return has;
}

void denials_find(struct denials *d, struct name name, uint16_t type, struct name floor, struct nsec3_hasher *h, unsigned int max_hashes, struct arena *a,
    const struct now *now, struct denied_answer *ret)
{
	struct asking k = { .d = d, .q = { name, type, now_sec(now) }, .hasher = h, .hashes_left = max_hashes, .arena = a, .now = now, .ret = ret };
	unsigned int top = type == RR_DS && name.labels > 0 ? name.labels - 1u : name.labels;
	KEY_SCRATCH struct key_chain chain;

	*ret = (struct denied_answer){ .what = DENIED_NOTHING };
	if (atomic_load_explicit(&d->entries, memory_order_relaxed) == 0)
		return;
	key_chain_init(&chain, &d->key, name);
	for (unsigned int i = top + 1; i-- > floor.labels; ) {
		uint64_t hash = chain.of[i];

		if (atomic_load_explicit(listed_of(shard_of(d, hash), hash), memory_order_relaxed) != 0 && ask(&k, hash, name_suffix(name, i)))
			return;
	}
}

/* --- flushing */

size_t denials_flush(struct denials *d, struct name name)
{
	size_t n = 0;

	for (unsigned int i = 0; i < SHARDS; i++) {
		struct shard *sh = &d->shard[i];

		lock_take(&sh->lock);
		for (struct gap_zone *z = sh->newest, *next; z != NULL; z = next) {
			struct had had = zone_had(z);

			next = z->older;
			if (name_is_under(gap_zone_name(z), name)) {
				n += had.gaps;
				zone_empty(d, sh, z);
			} else if (name_is_under(name, gap_zone_name(z))) {
				n += gap_zone_flush(z, name);
				zone_settle(d, sh, z, &had);
			}
		}
		lock_give(&sh->lock);
	}
	return n;
}

/* --- life */

void denials_free(struct denials *d)
{
	if (d == NULL)
		return;
	for (unsigned int i = 0; i < SHARDS; i++) {
		struct shard *sh = &d->shard[i];

		while (sh->newest != NULL)
			zone_drop(d, sh, sh->newest);
		mem_free(MOVE(sh->head));
		lock_done(&sh->lock);
	}
	mem_free(d);
}

struct denials *denials_new(size_t octets, const struct hash_key *key)
{
	AUTO(denials_free) struct denials *d = mem_alloc_aligned(64, sizeof *d);

	if (d == NULL)
		return NULL;
	d->key = *key;
	atomic_init(&d->limit, octets);
	for (unsigned int i = 0; i < SHARDS; i++) {
		lock_init(&d->shard[i].lock);
		atomic_init(&d->shard[i].oldest_ms, NO_ZONE);
	}
	return MOVE(d);
}

void denials_set_limit(struct denials *d, size_t octets)
{
	atomic_store_explicit(&d->limit, octets, memory_order_relaxed);
	if (octets == 0)
		(void)denials_flush(d, name_root);
	shrink(d);
}

void denials_usage(const struct denials *d, struct cache_usage *ret)
{
	struct cache_usage u = { .entries = atomic_load_explicit(&d->entries, memory_order_relaxed),
		.octets = atomic_load_explicit(&d->octets, memory_order_relaxed),
		.limit_octets = atomic_load_explicit(&d->limit, memory_order_relaxed) };

	for (unsigned int i = 0; i < SHARDS; i++) {
		struct shard *sh = (struct shard *)(uintptr_t)&d->shard[i]; /* the lock changes, what is counted does not */

		lock_take(&sh->lock);
		u.evicted += sh->evicted;
		u.hits += sh->hits;
		u.misses += sh->misses;
		u.refused += sh->refused;
		lock_give(&sh->lock);
	}
	*ret = u;
}
