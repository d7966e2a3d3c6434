#include "resolver/local/nametable.h"

#include "base/mem.h"

void nametable_done(struct nametable *t)
{
	mem_free(MOVE(t->slot));
	t->slots = t->used = 0;
}

uint64_t nametable_hash(struct name n, uint16_t rclass)
{
	static const struct hash_key key = { { 0x636169726e6c6f63, 0x616c6e616d657321 } };

	return name_hash(&key, n) + rclass * 0x9e3779b97f4a7c15u;
}

/* The slot of a name: the one that holds it, or the free one where it would go. */
static size_t find(const struct nametable *t, struct name n, uint16_t rclass, uint64_t hash)
{
	size_t i = hash & (t->slots - 1);

	while (t->slot[i] != NULL) {
		if (t->slot[i]->hash == hash && t->slot[i]->rclass == rclass && name_equal(t->slot[i]->name, n))
			break;
		i = (i + 1) & (t->slots - 1);
	}
	return i;
}

struct named *nametable_get(const struct nametable *t, struct name n, uint16_t rclass)
{
	if (t->used == 0)
		return NULL;
	return t->slot[find(t, n, rclass, nametable_hash(n, rclass))];
}

static RESULT grow(struct nametable *t)
{
	struct nametable bigger = { .slots = t->slots == 0 ? 64 : t->slots * 2, .used = t->used };

	bigger.slot = (struct named **)mem_alloc_array(bigger.slots, sizeof(struct named *));
	if (bigger.slot == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t i = 0; i < t->slots; i++) {
		struct named *n = t->slot[i];

		if (n != NULL)
			bigger.slot[find(&bigger, n->name, n->rclass, n->hash)] = n;
	}
	mem_free(MOVE(t->slot));
	*t = bigger;
	return DONE;
}

RESULT nametable_add(struct nametable *t, struct named *n)
{
	if ((t->used + 1) * 4 > t->slots * 3)
		TRY(grow(t));
	n->hash = nametable_hash(n->name, n->rclass);
	/* own-ok: R6 what the table points at lives in the arena of its owner */
	t->slot[find(t, n->name, n->rclass, n->hash)] = n;
	t->used++;
	return DONE;
}
