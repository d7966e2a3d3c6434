/*
 * lru.h: a small hash table that drops what was not used for the longest time, for facts that a lock protects. Nodes are embedded
 * as the first member of what is kept, and allocated by base/mem. One thread at a time.
 */
#ifndef RESOLVER_CACHE_LRU_H
#define RESOLVER_CACHE_LRU_H

#include "base/own.h"

struct lru_node {
	struct lru_node *chain OWNED_FIELD;   /* next of the same head */
	struct lru_node *newer PARENT_FIELD;
	struct lru_node *older PARENT_FIELD;
	uint64_t hash;
	uint32_t moved; /* when it became the newest, on lru.moves */
};

struct lru {
	struct lru_node **head OWNED_FIELD;
	struct lru_node *newest PARENT_FIELD;
	struct lru_node *oldest PARENT_FIELD;
	uint32_t heads; /* a power of two, or 0 */
	uint32_t count;
	uint32_t max;   /* nodes */
	uint32_t moves; /* how often a node became the newest */
	uint64_t evicted;
};

typedef bool lru_match_fn(const void *key, const struct lru_node *n);

void lru_node_free(struct lru_node *n) TAKES(1);
DEFINE_AUTO(struct lru_node, lru_node_free)
void lru_init(struct lru *l, uint32_t max) NONNULL;
void lru_done(struct lru *l) NONNULL;
void lru_set_max(struct lru *l, uint32_t max) NONNULL; /* drops what is too much */
/* Found ones become the newest, but for those that have no more than an eighth of all nodes in front of them: they are as safe where they are. NULL: none. */
struct lru_node *lru_find(struct lru *l, uint64_t hash, lru_match_fn *match, const void *key) BORROWED;
/* n is new: no node matches it. False: no memory, or max is 0; it is freed. */
bool lru_add(struct lru *l, struct lru_node *n) TAKES(2) NONNULL;
void lru_remove(struct lru *l, struct lru_node *n) NONNULL; /* and frees it */
static inline struct lru_node *lru_newest(const struct lru *l) BORROWED;
static inline struct lru_node *lru_newest(const struct lru *l) { return l->newest; }
static inline struct lru_node *lru_older(const struct lru_node *n) BORROWED;
static inline struct lru_node *lru_older(const struct lru_node *n) { return n->older; }

#endif
