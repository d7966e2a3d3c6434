#include "resolver/core/zonerate.h"

#include "base/lock.h"
#include "base/mem.h"
#include "resolver/cache/lru.h"

#define SHARDS 16
#define HEADS_OCTETS (2 * sizeof(void *)) /* an entry's part of the table's heads, at most */

/* A zone is known by the hash of its name alone: the key is secret and the hash has 64 bits, and two zones that met would share a rate, no more. */
struct entry {
	struct lru_node node; /* first */
	struct tokens tokens;
};

struct shard {
	struct lock lock;
	struct lru zones;
};

struct zonerate {
	struct hash_key key;
	struct shard shard[SHARDS];
};

void zonerate_free(struct zonerate *z)
{
	if (z == NULL)
		return;
	for (size_t i = 0; i < SHARDS; i++) {
		lru_done(&z->shard[i].zones);
		lock_done(&z->shard[i].lock);
	}
	mem_free(z);
}

struct zonerate *zonerate_new(const struct hash_key *key)
{
	AUTO(zonerate_free) struct zonerate *z = mem_alloc(sizeof *z);

	if (z == NULL)
		return NULL;
	z->key = *key;
	for (size_t i = 0; i < SHARDS; i++) {
		lock_init(&z->shard[i].lock);
		lru_init(&z->shard[i].zones, 0);
	}
	return MOVE(z);
}

static uint32_t entries_in(size_t octets)
{
	size_t n = octets / SHARDS / (sizeof(struct entry) + HEADS_OCTETS);

	return n == 0 ? 1 : n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

static bool is_the_one(const void *key, const struct lru_node *n)
{
	(void)key;
	(void)n;
	return true; /* its hash was compared */
}

static enum token_verdict take(struct lru *zones, uint64_t hash, const struct token_rate *r, uint64_t now_ms)
{
	AUTO(lru_node_free) struct lru_node *made = NULL;
	struct entry *e = (struct entry *)(void *)lru_find(zones, hash, is_the_one, NULL);
	enum token_verdict v;

	if (e != NULL)
		return tokens_take(&e->tokens, r, now_ms);
	made = mem_alloc(sizeof(struct entry));
	if (made == NULL)
		return TOKEN_TAKEN;
	made->hash = hash;
	e = (struct entry *)(void *)made;
	e->tokens.parts = TOKENS_FULL;
	v = tokens_take(&e->tokens, r, now_ms);
	return lru_add(zones, MOVE(made)) ? v : TOKEN_TAKEN;
}

enum token_verdict zonerate_take(struct zonerate *z, struct name zone, const struct token_rate *r, size_t octets, uint64_t now_ms)
{
	uint64_t hash = name_hash(&z->key, zone);
	struct shard *s = &z->shard[hash >> 60]; /* the low bits choose the head */
	enum token_verdict v;
	uint32_t max = entries_in(octets);

	lock_take(&s->lock);
	if (s->zones.max != max)
		lru_set_max(&s->zones, max);
	v = take(&s->zones, hash, r, now_ms);
	lock_give(&s->lock);
	return v;
}

size_t zonerate_entries(struct zonerate *z)
{
	size_t n = 0;

	for (size_t i = 0; i < SHARDS; i++) {
		lock_take(&z->shard[i].lock);
		n += z->shard[i].zones.count;
		lock_give(&z->shard[i].lock);
	}
	return n;
}
