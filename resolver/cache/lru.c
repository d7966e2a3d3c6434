#include "resolver/cache/lru.h"

#include "base/mem.h"

#define FIRST_HEADS 16u

void lru_node_free(struct lru_node *n)
{
	mem_free(n);
}

void lru_init(struct lru *l, uint32_t max)
{
	*l = (struct lru){ .max = max };
}

void lru_done(struct lru *l)
{
	while (l->oldest != NULL)
		lru_remove(l, l->oldest);
	mem_free(MOVE(l->head));
	l->heads = 0;
}

static void unlink_node(struct lru *l, struct lru_node *n)
{
	if (n == l->newest)
		l->newest = n->older;
	else
		n->newer->older = n->older;
	if (n == l->oldest)
		l->oldest = n->newer;
	else
		n->older->newer = n->newer;
}

static void link_newest(struct lru *l, struct lru_node *n)
{
	n->newer = NULL;
	n->moved = ++l->moves;
	n->older = l->newest;
	if (l->newest != NULL)
		l->newest->newer = n;
	else
		l->oldest = n;
	l->newest = n;
}

static struct lru_node **head_of(const struct lru *l, uint64_t hash) BORROWED;
static struct lru_node **head_of(const struct lru *l, uint64_t hash)
{
	return &l->head[(uint32_t)hash & (l->heads - 1)];
}

void lru_remove(struct lru *l, struct lru_node *n)
{
	struct lru_node **at = head_of(l, n->hash);

	while (*at != n)
		at = &(*at)->chain;
	*at = n->chain;
	unlink_node(l, n);
	l->count--;
	lru_node_free(n); /* own-ok: R4 out of its chain now: it was the table's */
}

void lru_set_max(struct lru *l, uint32_t max)
{
	l->max = max;
	while (l->count > max && l->oldest != NULL) {
		l->evicted++;
		lru_remove(l, l->oldest);
	}
}

struct lru_node *lru_find(struct lru *l, uint64_t hash, lru_match_fn *match, const void *key)
{
	struct lru_node *n = l->heads != 0 ? *head_of(l, hash) : NULL;

	while (n != NULL && (n->hash != hash || !match(key, n)))
		n = n->chain;
	if (n != NULL && l->moves - n->moved > l->count / 8) {
		unlink_node(l, n);
		link_newest(l, n);
	}
	return n;
}

/* Without memory the chains grow longer instead. */
static void grow(struct lru *l)
{
	struct lru grown = { .heads = l->heads != 0 ? l->heads * 2 : FIRST_HEADS };

	grown.head = mem_alloc_array(grown.heads, sizeof(struct lru_node *));
	if (grown.head == NULL)
		return;
	for (struct lru_node *n = l->newest; n != NULL; n = n->older) {
		struct lru_node **at = head_of(&grown, n->hash);

		n->chain = *at;
		*at = n;
	}
	mem_free(MOVE(l->head));
	l->head = grown.head;
	l->heads = grown.heads;
}

bool lru_add(struct lru *l, struct lru_node *given)
{
	AUTO(lru_node_free) struct lru_node *n = given;

	if (l->count >= l->heads)
		grow(l);
	if (l->heads == 0 || l->max == 0)
		return false;
	struct lru_node **at = head_of(l, n->hash);
	link_newest(l, n);
	n->chain = *at;
	*at = MOVE(n);
	l->count++;
	lru_set_max(l, l->max);
	return true;
}
