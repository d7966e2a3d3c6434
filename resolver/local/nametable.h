/*
 * nametable.h: a hash table from (name, class) to an object that begins with struct named, all of one arena. Grows as needed; no removal: an object that is gone
 * carries a mark of its own. The hash needs no secret: only the operator's own configuration is inserted.
 */
#ifndef RESOLVER_LOCAL_NAMETABLE_H
#define RESOLVER_LOCAL_NAMETABLE_H

#include "dns/name.h"

struct arena;

struct named { /* first member of what is kept */
	struct name name;
	uint64_t hash;
	uint16_t rclass;
};

struct nametable {
	struct named **slot OWNED_FIELD; /* a power of two of them, or NULL */
	size_t slots, used;
};

void nametable_done(struct nametable *t) NONNULL;
uint64_t nametable_hash(struct name n, uint16_t rclass);
struct named *nametable_get(const struct nametable *t, struct name n, uint16_t rclass) BORROWED;
/* n->name and n->rclass are set and not in the table; n->hash is filled in. */
RESULT nametable_add(struct nametable *t, struct named *n) NONNULL;

#endif
