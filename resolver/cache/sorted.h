/*
 * sorted.h: octet strings in order: a tree in which each string's place is decided by memcmp and the tree's shape by random numbers (a treap; Seidel and Aragon
 * 1996), so that no order of arrival makes it deep. Nodes are embedded in what is kept. Not locked.
 */
#ifndef RESOLVER_CACHE_SORTED_H
#define RESOLVER_CACHE_SORTED_H

#include "base/cursor.h"
#include "base/own.h"

struct sorted_node {
	struct sorted_node *less PARENT_FIELD; /* both: of the same tree; what embeds the nodes owns them */
	struct sorted_node *more PARENT_FIELD;
	uint64_t head;      /* the key's first eight octets as a number, zeros where it is shorter */
	struct span key;    /* stays as long as the node is in a tree */
	uint32_t priority;
};

struct sorted {
	struct sorted_node *top PARENT_FIELD;
	size_t count;
};

uint64_t sorted_head(struct span key);
/* Is a before b (negative), the same (0), behind it (positive)? A string is before all that begin with it. */
int sorted_compare(struct span a, struct span b);
/* random: of 32 bits, not to be guessed by who chooses keys. The key is in no node of the tree. */
void sorted_add(struct sorted *s, struct sorted_node *n, struct span key, uint32_t random) NONNULL;
void sorted_remove(struct sorted *s, struct sorted_node *n) NONNULL; /* is in the tree */
/* The node with the greatest key that is not behind this one; NULL: none. */
struct sorted_node *sorted_floor(const struct sorted *s, struct span key) BORROWED NONNULL;
struct sorted_node *sorted_above(const struct sorted *s, struct span key) BORROWED NONNULL; /* the least key behind this one; NULL: none */
struct sorted_node *sorted_first(const struct sorted *s) BORROWED NONNULL;
struct sorted_node *sorted_last(const struct sorted *s) BORROWED NONNULL;
bool sorted_check(const struct sorted *s) NONNULL; /* for tests: order, priorities and count are right */

#endif
