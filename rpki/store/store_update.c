/*
 * store_update.c: what a source publishes. Objects come in batches; a batch is one transaction, does no harm when it is the last, and none when it comes
 * again. All that a source has anew is written as the next generation of its map; differences are kept in memory until they are committed. The last
 * transaction says which generation counts, or writes the differences.
 */
#include "rpki/store/store_inside.h"

#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "rpki/object/key.h"

/* An object, or only its hash, that waits for its batch. */
struct item {
	struct item *next ARENA_FIELD;
	struct span uri, octets; /* octets.p NULL: the object is there already */
	uint8_t hash[STORE_HASH];
};

/* A URI that differs from what the source had. */
struct change {
	struct change *next ARENA_FIELD;  /* in the order in which they came */
	struct change *chain ARENA_FIELD; /* of the same slot */
	struct span uri;
	uint64_t slot;
	uint8_t hash[STORE_HASH];
	bool gone;
};

struct store_update {
	struct store *store PARENT_FIELD;
	enum store_kind kind;
	enum store_how how;
	void *uri_octets OWNED_FIELD;
	struct span uri;
	struct record base;      /* as it was at the beginning */
	bool known;              /* the source was there at the beginning */
	uint32_t id, generation; /* of what is being written; 0: not yet */
	struct arena *batch OWNED_FIELD;
	struct item *first ARENA_FIELD, *last ARENA_FIELD;
	size_t batch_octets;
	struct arena *changes OWNED_FIELD;
	struct change *change_first ARENA_FIELD, *change_last ARENA_FIELD;
	struct change **slots OWNED_FIELD;
	size_t slot_count, change_count;
};

void store_update_free(struct store_update *u)
{
	if (u == NULL)
		return;
	arena_free(MOVE(u->batch));
	arena_free(MOVE(u->changes));
	mem_free(MOVE(u->slots));
	mem_free(MOVE(u->uri_octets));
	mem_free(u);
}

static RESULT look_at_source(struct store_update *u)
{
	AUTO(mdb_txn_abort) MDB_txn *txn = NULL;
	struct span state;
	struct result r;

	TRY(store_begin(u->store, MDB_RDONLY, &txn));
	r = store_record_get(u->store, txn, u->kind, u->uri, &u->base, &state);
	u->known = OK(r);
	if (r.e == ERR_NOTFOUND)
		u->base = (struct record){ 0 };
	else
		TRY(r);
	return u->how == STORE_CHANGE && u->base.generation == 0 ? FAIL(ERR_NOTFOUND) : DONE;
}

RESULT store_update_begin(struct store *s, enum store_kind kind, struct span uri, enum store_how how, struct store_update **ret)
{
	AUTO(store_update_free) struct store_update *u = mem_alloc(sizeof *u);

	if (u == NULL)
		return FAIL(ERR_NOMEM);
	if (uri.n == 0 || uri.n > UINT16_MAX)
		return FAIL(ERR_RANGE);
	*u = (struct store_update){ .store = s, .kind = kind, .how = how };
	u->uri_octets = mem_dup(uri.p, uri.n);
	u->batch = arena_new(0);
	u->changes = arena_new(0);
	if (u->uri_octets == NULL || u->batch == NULL || u->changes == NULL)
		return FAIL(ERR_NOMEM);
	u->uri = span_of(u->uri_octets, uri.n);
	TRY(look_at_source(u));
	*ret = MOVE(u);
	return DONE;
}

/* --- batches */

static RESULT put_object(struct store *s, MDB_txn *txn, const struct item *i)
{
	MDB_val key = store_val(i->hash, STORE_HASH), data = store_val(i->octets.p, i->octets.n), old;
	int code = mdb_get(txn, s->objects, &key, &old);

	if (code == 0 && span_equal(store_span(old), i->octets))
		return DONE; /* and what differs, though its hash is the same, has been damaged on disk */
	if (code != 0 && code != MDB_NOTFOUND)
		return store_result(code);
	return store_result(mdb_put(txn, s->objects, &key, &data, 0));
}

static RESULT put_entry(struct store *s, MDB_txn *txn, uint32_t id, uint32_t generation, struct span uri, const uint8_t hash[STORE_HASH], unsigned int flags)
{
	uint8_t k[MAP_KEY] = { 0 }, *p;
	MDB_val key = store_val(k, sizeof k), v = { STORE_HASH + uri.n, NULL };

	store_map_key(id, generation, uri, k);
	TRY(store_result(mdb_put(txn, s->maps, &key, &v, flags | MDB_RESERVE)));
	p = v.mv_data;
	memcpy(p, hash, STORE_HASH);
	memcpy(p + STORE_HASH, uri.p, uri.n);
	return DONE;
}

static RESULT next_id(struct store *s, MDB_txn *txn, uint32_t *ret)
{
	uint8_t octets[4];
	MDB_val key = store_val("next", 4), v;
	int code = mdb_get(txn, s->meta, &key, &v);
	uint32_t id;

	if (code != 0 && code != MDB_NOTFOUND)
		return store_result(code);
	if (code == 0 && v.mv_size != 4)
		return FAIL(ERR_FORMAT);
	id = code == 0 ? load32(v.mv_data) : 1;
	store32(octets, id + 1);
	v = store_val(octets, sizeof octets);
	*ret = id;
	return id == UINT32_MAX ? FAIL(ERR_LIMIT) : store_result(mdb_put(txn, s->meta, &key, &v, 0));
}

/* A generation that nobody has written to, not even an update that was cut short. It counts as taken once this transaction is committed. */
static RESULT take_generation(struct store_update *u, MDB_txn *txn, uint32_t *ret_id, uint32_t *ret_generation)
{
	AUTO(mem_free) void *copy = NULL;
	struct record r = { .next_generation = 1 };
	struct span state = { NULL, 0 };
	struct result known = store_record_get(u->store, txn, u->kind, u->uri, &r, &state);

	if (known.e == ERR_NOTFOUND) {
		r = (struct record){ .next_generation = 1 };
		TRY(next_id(u->store, txn, &r.id));
	} else
		TRY(known);
	if (state.n > 0) {
		copy = mem_dup(state.p, state.n); /* writing moves what is in the file */
		if (copy == NULL)
			return FAIL(ERR_NOMEM);
		state.p = copy;
	}
	*ret_id = r.id;
	*ret_generation = r.next_generation;
	if (r.next_generation == UINT32_MAX)
		return FAIL(ERR_LIMIT);
	r.next_generation++;
	return store_record_put(u->store, txn, u->kind, u->uri, &r, state);
}

static RESULT write_batch(struct store_update *u, MDB_txn *txn)
{
	for (const struct item *i = u->first; i != NULL; i = i->next) {
		if (i->octets.p != NULL)
			TRY(put_object(u->store, txn, i));
		if (u->how == STORE_REPLACE)
			TRY(put_entry(u->store, txn, u->id, u->generation, i->uri, i->hash, MDB_NOOVERWRITE));
	}
	return DONE;
}

static RESULT empty_batch(struct store_update *u)
{
	u->first = u->last = NULL;
	u->batch_octets = 0;
	arena_free(MOVE(u->batch));
	u->batch = arena_new(0);
	return u->batch != NULL ? DONE : FAIL(ERR_NOMEM);
}

static RESULT flush(struct store_update *u)
{
	AUTO(mdb_txn_abort) MDB_txn *txn = NULL;
	uint32_t id = u->id, generation = u->generation;

	if (u->first == NULL && (u->generation != 0 || u->how == STORE_CHANGE))
		return DONE;
	TRY(store_begin(u->store, MDB_NOMETASYNC, &txn));
	if (u->how == STORE_REPLACE && generation == 0) {
		TRY(take_generation(u, txn, &id, &generation));
		u->id = id;
		u->generation = generation;
	}
	TRY(write_batch(u, txn));
	TRY(store_result(mdb_txn_commit(MOVE(txn))));
	return empty_batch(u);
}

static RESULT add_item(struct store_update *u, struct span uri, struct span octets, const uint8_t hash[STORE_HASH])
{
	struct item *i;

	if (u->batch == NULL)
		return FAIL(ERR_NOMEM);
	i = arena_alloc(u->batch, sizeof *i);
	if (i == NULL)
		return FAIL(ERR_NOMEM);
	i->uri = span_of(arena_dup(u->batch, uri.p, uri.n), uri.n);
	i->octets = octets;
	if (octets.p != NULL)
		i->octets.p = arena_dup(u->batch, octets.p, octets.n);
	if (i->uri.p == NULL || (octets.p != NULL && i->octets.p == NULL))
		return FAIL(ERR_NOMEM);
	memcpy(i->hash, hash, STORE_HASH);
	if (u->last != NULL)
		u->last->next = i;
	else
		u->first = i;
	u->last = i;
	u->batch_octets += sizeof *i + uri.n + octets.n;
	return u->batch_octets < u->store->limits.batch_octets ? DONE : flush(u);
}

/* --- differences */

static uint64_t slot_of(struct span uri)
{
	uint8_t hash[STORE_HASH];

	/* Whoever finds many URIs whose hashes begin alike makes a chain, not a wrong answer; the limit of changes bounds it. */
	sha256_of(uri, hash);
	return (uint64_t)load32(hash) << 32 | load32(hash + 4);
}

static struct change *find_change(const struct store_update *u, struct span uri, uint64_t slot) BORROWED;
static struct change *find_change(const struct store_update *u, struct span uri, uint64_t slot)
{
	struct change *c = u->slot_count > 0 ? u->slots[slot & (u->slot_count - 1)] : NULL;

	while (c != NULL && (c->slot != slot || !span_equal(c->uri, uri)))
		c = c->chain;
	return c;
}

static RESULT grow_slots(struct store_update *u)
{
	size_t n = u->slot_count == 0 ? 64 : u->slot_count * 2;
	AUTO(mem_free) void *slots = mem_alloc_array(n, sizeof *u->slots);

	if (slots == NULL)
		return FAIL(ERR_NOMEM);
	mem_free(MOVE(u->slots));
	u->slots = MOVE(slots);
	u->slot_count = n;
	for (struct change *c = u->change_first; c != NULL; c = c->next) {
		c->chain = u->slots[c->slot & (n - 1)];
		u->slots[c->slot & (n - 1)] = c;
	}
	return DONE;
}

static RESULT add_change(struct store_update *u, struct span uri, uint64_t slot, struct change **ret)
{
	struct change *c;

	if (u->change_count >= u->store->limits.changes)
		return FAIL(ERR_LIMIT);
	if (u->change_count >= u->slot_count)
		TRY(grow_slots(u));
	c = arena_alloc(u->changes, sizeof *c);
	if (c == NULL)
		return FAIL(ERR_NOMEM);
	c->uri = span_of(arena_dup(u->changes, uri.p, uri.n), uri.n);
	if (c->uri.p == NULL)
		return FAIL(ERR_NOMEM);
	c->slot = slot;
	c->chain = u->slots[slot & (u->slot_count - 1)];
	u->slots[slot & (u->slot_count - 1)] = c;
	if (u->change_last != NULL)
		u->change_last->next = c;
	else
		u->change_first = c;
	u->change_last = c;
	u->change_count++;
	*ret = c;
	return DONE;
}

static RESULT base_hash(struct store_update *u, struct span uri, uint8_t ret_hash[STORE_HASH])
{
	AUTO(mdb_txn_abort) MDB_txn *txn = NULL;

	if (u->base.generation == 0)
		return FAIL(ERR_NOTFOUND);
	TRY(store_begin(u->store, MDB_RDONLY, &txn));
	return store_entry_get(u->store, txn, u->base.id, u->base.generation, uri, ret_hash);
}

/* Is there at the URI, after the differences so far, what should be there? expected NULL: nothing. */
static RESULT check_before(struct store_update *u, const struct change *c, struct span uri, const uint8_t *expected)
{
	uint8_t hash[STORE_HASH];
	bool there;

	if (c != NULL) {
		there = !c->gone;
		memcpy(hash, c->hash, STORE_HASH);
	} else {
		struct result r = base_hash(u, uri, hash);

		if (r.e != ERR_NOTFOUND)
			TRY(r);
		there = OK(r);
	}
	if (expected == NULL)
		return there ? FAIL(ERR_EXISTS) : DONE;
	if (!there)
		return FAIL(ERR_NOTFOUND);
	return memcmp(hash, expected, STORE_HASH) == 0 ? DONE : FAIL(ERR_REFUSED);
}

static RESULT change(struct store_update *u, struct span uri, const uint8_t *before, const uint8_t *after)
{
	uint64_t slot = slot_of(uri);
	struct change *c = find_change(u, uri, slot);

	TRY(check_before(u, c, uri, before));
	if (c == NULL)
		TRY(add_change(u, uri, slot, &c));
	c->gone = after == NULL;
	if (after != NULL)
		memcpy(c->hash, after, STORE_HASH);
	return DONE;
}

RESULT store_update_publish(struct store_update *u, struct span uri, const uint8_t *replaces, struct span octets)
{
	uint8_t hash[STORE_HASH];

	if (octets.n > u->store->limits.object_octets)
		return FAIL(ERR_LIMIT);
	if (uri.n == 0 || uri.n > UINT16_MAX || octets.p == NULL || (u->how == STORE_REPLACE && replaces != NULL))
		return FAIL(ERR_RANGE);
	sha256_of(octets, hash);
	if (u->how == STORE_CHANGE)
		TRY(change(u, uri, replaces, hash));
	return add_item(u, uri, octets, hash);
}

RESULT store_update_withdraw(struct store_update *u, struct span uri, const uint8_t hash[STORE_HASH])
{
	return u->how == STORE_CHANGE ? change(u, uri, hash, NULL) : FAIL(ERR_RANGE);
}

RESULT store_update_keep(struct store_update *u, struct span uri)
{
	uint8_t hash[STORE_HASH];

	if (u->how != STORE_REPLACE)
		return FAIL(ERR_RANGE);
	TRY(base_hash(u, uri, hash));
	return add_item(u, uri, (struct span){ NULL, 0 }, hash);
}

/* --- the last transaction */

static RESULT write_changes(struct store_update *u, MDB_txn *txn, const struct record *r)
{
	for (const struct change *c = u->change_first; c != NULL; c = c->next) {
		uint8_t k[MAP_KEY] = { 0 };
		MDB_val key = store_val(k, sizeof k);
		int code;

		if (!c->gone) {
			TRY(put_entry(u->store, txn, r->id, r->generation, c->uri, c->hash, 0));
			continue;
		}
		store_map_key(r->id, r->generation, c->uri, k);
		code = mdb_del(txn, u->store->maps, &key, NULL);
		if (code != 0 && code != MDB_NOTFOUND) /* came and went within these differences */
			return store_result(code);
	}
	return DONE;
}

RESULT store_update_commit(struct store_update *u, struct span state, int64_t now)
{
	AUTO(mdb_txn_abort) MDB_txn *txn = NULL;
	struct record r;
	struct span old;
	struct result known;

	TRY(flush(u));
	TRY(store_begin(u->store, 0, &txn));
	known = store_record_get(u->store, txn, u->kind, u->uri, &r, &old);
	if (known.e == ERR_NOTFOUND)
		return FAIL(ERR_REFUSED); /* forgotten meanwhile */
	TRY(known);
	if (r.commits != u->base.commits || (u->known && r.id != u->base.id))
		return FAIL(ERR_REFUSED);
	if (u->how == STORE_REPLACE)
		r.generation = u->generation;
	else
		TRY(write_changes(u, txn, &r));
	r.commits++;
	r.updated = now;
	TRY(store_record_put(u->store, txn, u->kind, u->uri, &r, state));
	return store_result(mdb_txn_commit(MOVE(txn))); /* syncs the whole file: what the batches have put as well */
}

RESULT store_touch(struct store *s, enum store_kind kind, struct span uri, struct span state, int64_t now)
{
	AUTO(mdb_txn_abort) MDB_txn *txn = NULL;
	struct record r;
	struct span old;

	TRY(store_begin(s, 0, &txn));
	TRY(store_record_get(s, txn, kind, uri, &r, &old));
	if (r.generation == 0)
		return FAIL(ERR_NOTFOUND);
	r.updated = now;
	TRY(store_record_put(s, txn, kind, uri, &r, state));
	return store_result(mdb_txn_commit(MOVE(txn)));
}

RESULT store_forget(struct store *s, enum store_kind kind, struct span uri)
{
	AUTO(mdb_txn_abort) MDB_txn *txn = NULL;
	uint8_t k[SOURCE_KEY] = { 0 };
	MDB_val key = store_val(k, sizeof k);
	int code;

	store_source_key(kind, uri, k);
	TRY(store_begin(s, 0, &txn));
	code = mdb_del(txn, s->sources, &key, NULL);
	if (code == MDB_NOTFOUND)
		return DONE;
	TRY(store_result(code));
	return store_result(mdb_txn_commit(MOVE(txn)));
}
