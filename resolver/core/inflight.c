#include "resolver/core/inflight.h"

#include <stdatomic.h>

#include "base/lock.h"
#include "base/mem.h"

#define FIRST_SIZE 64
#define SHARDS 16

/* --- a table */

void flight_table_done(struct flight_table *t)
{
	mem_free(MOVE(t->buckets));
	t->size = t->count = 0;
}

uint64_t flight_hash(const struct hash_key *key, const struct question *q, unsigned int flags)
{
	uint32_t rest[2] = { (uint32_t)q->type << 16 | q->rclass, flags };

	return name_hash(key, q->name) ^ siphash13(key, rest, sizeof rest);
}

static RESULT grow(struct flight_table *t)
{
	size_t size = t->size == 0 ? FIRST_SIZE : t->size * 2;
	AUTO(mem_free) void *made = mem_alloc_array(size, sizeof(struct flight *));
	struct flight **buckets = made;

	if (buckets == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t i = 0; i < t->size; i++) {
		struct flight *f = t->buckets[i];

		while (f != NULL) {
			struct flight *next = f->next;

			f->next = buckets[f->hash & (size - 1)];
			buckets[f->hash & (size - 1)] = f;
			f = next;
		}
	}
	mem_free(MOVE(t->buckets));
	t->buckets = MOVE(made);
	t->size = size;
	return DONE;
}

RESULT flight_add(struct flight_table *t, struct flight *f)
{
	struct flight **at;

	if (t->count >= t->size)
		TRY(grow(t));
	at = &t->buckets[f->hash & (t->size - 1)];
	f->next = *at;
	*at = f;
	f->listed = true;
	t->count++;
	return DONE;
}

void flight_remove(struct flight_table *t, struct flight *f)
{
	if (!f->listed)
		return;
	for (struct flight **at = &t->buckets[f->hash & (t->size - 1)]; *at != NULL; at = &(*at)->next) {
		if (*at == f) {
			*at = f->next;
			break;
		}
	}
	f->listed = false;
	t->count--;
}

struct flight *flight_find(const struct flight_table *t, uint64_t hash, const struct question *q, unsigned int flags)
{
	if (t->size == 0)
		return NULL;
	for (struct flight *f = t->buckets[hash & (t->size - 1)]; f != NULL; f = f->next) {
		if (f->hash == hash && f->flags == flags && f->q.type == q->type && f->q.rclass == q->rclass && name_equal(f->q.name, q->name))
			return f;
	}
	return NULL;
}

/* --- all workers */

struct shard {
	struct lock lock;
	struct flight_table table;
};

struct core_shared {
	struct hash_key key;
	struct shard shards[SHARDS];
	struct zonerate *rates OWNED_FIELD;
	struct lock lock; /* of what follows */
	struct loop **loops OWNED_FIELD; /* by number - 1; NULL: has left. The loops are their workers' */
	uint32_t cores;
	atomic_bool unguarded;
};

void core_shared_free(struct core_shared *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < SHARDS; i++) {
		flight_table_done(&s->shards[i].table);
		lock_done(&s->shards[i].lock);
	}
	zonerate_free(MOVE(s->rates));
	mem_free(MOVE(s->loops));
	lock_done(&s->lock);
	mem_free(s);
}

struct core_shared *core_shared_new(const struct hash_key *key)
{
	AUTO(core_shared_free) struct core_shared *s = mem_alloc(sizeof *s);

	if (s == NULL)
		return NULL;
	s->key = *key;
	for (size_t i = 0; i < SHARDS; i++)
		lock_init(&s->shards[i].lock);
	lock_init(&s->lock);
	s->rates = zonerate_new(key);
	return s->rates == NULL ? NULL : MOVE(s);
}

const struct hash_key *core_shared_key(const struct core_shared *s)
{
	return &s->key;
}

struct zonerate *core_shared_rates(struct core_shared *s)
{
	return s->rates;
}

uint32_t core_shared_enter(struct core_shared *s, struct loop *l)
{
	uint32_t number = 0;
	void *loops;

	lock_take(&s->lock);
	loops = s->loops;
	if (OK(mem_resize(&loops, s->cores, s->cores + 1, sizeof *s->loops))) {
		s->loops = loops;
		s->loops[s->cores] = l; /* own-ok: R6 the array is ours; a loop is its worker's, which leaves before it ends */
		number = ++s->cores;
	}
	lock_give(&s->lock);
	return number;
}

void core_shared_leave(struct core_shared *s, uint32_t core)
{
	if (core == 0)
		return;
	lock_take(&s->lock);
	s->loops[core - 1] = NULL;
	lock_give(&s->lock);
}

static struct shard *shard_of(struct core_shared *s, uint64_t hash) BORROWED;
static struct shard *shard_of(struct core_shared *s, uint64_t hash)
{
	return &s->shards[hash >> 60]; /* the low bits choose the bucket */
}

bool core_shared_claim(struct core_shared *s, struct shared_flight *f, uint32_t *ret_core, uint64_t *ret_resolution)
{
	struct shard *shard = shard_of(s, f->flight.hash);
	struct shared_flight *other;
	bool mine = true;

	lock_take(&shard->lock);
	other = (struct shared_flight *)(void *)flight_find(&shard->table, f->flight.hash, &f->flight.q, f->flight.flags);
	if (other != NULL) {
		*ret_core = other->core;
		*ret_resolution = other->resolution;
		mine = false;
	} else {
		/* Unlisted when memory is short: then equal questions of other workers are asked twice, no more. */
		(void)OK(flight_add(&shard->table, &f->flight));
	}
	lock_give(&shard->lock);
	return mine;
}

void core_shared_release(struct core_shared *s, struct shared_flight *f)
{
	struct shard *shard = shard_of(s, f->flight.hash);

	lock_take(&shard->lock);
	flight_remove(&shard->table, &f->flight);
	lock_give(&shard->lock);
}

bool core_shared_post(struct core_shared *s, uint32_t core, struct message *m)
{
	bool there;

	lock_take(&s->lock);
	there = core > 0 && core <= s->cores && s->loops[core - 1] != NULL;
	if (there)
		loop_post(s->loops[core - 1], MOVE(m));
	lock_give(&s->lock);
	if (!there)
		m->free(m);
	return there;
}

bool core_shared_note_guard(struct core_shared *s, bool guarded)
{
	if (atomic_load_explicit(&s->unguarded, memory_order_relaxed) == !guarded)
		return false;
	return atomic_exchange_explicit(&s->unguarded, !guarded, memory_order_relaxed) == guarded;
}

bool core_shared_is_unguarded(const struct core_shared *s)
{
	return atomic_load_explicit(&s->unguarded, memory_order_relaxed);
}
