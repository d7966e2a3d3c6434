/*
 * store_collect.c: garbage. Maps that do not count are deleted first, a piece a transaction. Then all hashes that maps and notes name are gathered (their
 * first eight octets, sorted: a false likeness keeps an object that nobody needs, no more), and objects that are not among them are deleted.
 */
#include "rpki/store/store_inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define PIECE 10000u /* deletions in one transaction */

struct marks {
	uint64_t *list OWNED_FIELD; /* sorted once it is complete */
	size_t n, room;
};

static void marks_free(struct marks *m) TAKES(1);
static void marks_free(struct marks *m)
{
	if (m == NULL)
		return;
	mem_free(MOVE(m->list));
	mem_free(m);
}
DEFINE_AUTO(struct marks, marks_free)

static uint64_t mark_of(const uint8_t hash[STORE_HASH])
{
	return (uint64_t)load32(hash) << 32 | load32(hash + 4);
}

static RESULT mark(struct marks *m, const uint8_t hash[STORE_HASH])
{
	if (m->n == m->room) {
		size_t room = m->room == 0 ? 4096 : m->room * 2;

		TRY(mem_resize((void **)(void *)&m->list, m->room, room, sizeof *m->list));
		m->room = room;
	}
	m->list[m->n++] = mark_of(hash);
	return DONE;
}

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static bool is_marked(const struct marks *m, const uint8_t hash[STORE_HASH])
{
	uint64_t key = mark_of(hash);

	return m->n > 0 && bsearch(&key, m->list, m->n, sizeof key, by_value) != NULL;
}

/* --- maps that do not count */

struct counting {
	uint32_t (*list)[2] OWNED_FIELD; /* id, generation */
	size_t n, room;
};

static void counting_free(struct counting *c) TAKES(1);
static void counting_free(struct counting *c)
{
	if (c == NULL)
		return;
	mem_free(MOVE(c->list));
	mem_free(c);
}
DEFINE_AUTO(struct counting, counting_free)

static int by_pair(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	if (x[0] != y[0])
		return x[0] < y[0] ? -1 : 1;
	return x[1] < y[1] ? -1 : x[1] > y[1];
}

static RESULT note_source(struct counting *c, const struct record *r)
{
	if (c->n == c->room) {
		size_t room = c->room == 0 ? 64 : c->room * 2;

		TRY(mem_resize((void **)(void *)&c->list, c->room, room, sizeof *c->list));
		c->room = room;
	}
	c->list[c->n][0] = r->id;
	c->list[c->n++][1] = r->generation;
	return DONE;
}

static RESULT list_sources(struct store *s, MDB_txn *txn, struct counting *list)
{
	AUTO(mdb_cursor_close) MDB_cursor *c = NULL;
	MDB_val key, data;
	int code;

	list->n = 0;
	TRY(store_result(mdb_cursor_open(txn, s->sources, &c)));
	for (code = mdb_cursor_get(c, &key, &data, MDB_FIRST); code == 0; code = mdb_cursor_get(c, &key, &data, MDB_NEXT)) {
		struct span uri, state;
		struct record r;

		TRY(store_record_read(data, &r, &uri, &state));
		if (r.generation != 0)
			TRY(note_source(list, &r));
	}
	if (list->n > 1)
		qsort(list->list, list->n, sizeof *list->list, by_pair);
	return code == MDB_NOTFOUND ? DONE : store_result(code);
}

static bool counts(const struct counting *list, uint32_t id, uint32_t generation)
{
	uint32_t pair[2] = { id, generation };

	return list->n > 0 && bsearch(pair, list->list, list->n, sizeof *list->list, by_pair) != NULL;
}

/* Deletes some entries of maps that do not count; *ret_more: there may be more. Maps that do are stepped over, not through. */
static RESULT delete_entries(struct store *s, MDB_txn *txn, const struct counting *list, uint64_t *deleted, bool *ret_more)
{
	AUTO(mdb_cursor_close) MDB_cursor *c = NULL;
	uint8_t from[MAP_PREFIX] = { 0 };
	MDB_val key = store_val(from, sizeof from), data;
	unsigned int n = 0;
	int code;

	*ret_more = false;
	TRY(store_result(mdb_cursor_open(txn, s->maps, &c)));
	for (code = mdb_cursor_get(c, &key, &data, MDB_SET_RANGE); code == 0;) {
		uint32_t id, generation;

		if (key.mv_size != MAP_KEY)
			return FAIL(ERR_FORMAT);
		id = load32(key.mv_data);
		generation = load32((const uint8_t *)key.mv_data + 4);
		if (counts(list, id, generation)) {
			store_map_prefix(id, generation + 1, from); /* generations end before UINT32_MAX */
			key = store_val(from, sizeof from);
			code = mdb_cursor_get(c, &key, &data, MDB_SET_RANGE);
			continue;
		}
		if (n == PIECE) {
			*ret_more = true;
			break;
		}
		TRY(store_result(mdb_cursor_del(c, 0)));
		n++;
		code = mdb_cursor_get(c, &key, &data, MDB_NEXT); /* behind what is gone */
	}
	*deleted += n;
	return code == 0 || code == MDB_NOTFOUND ? DONE : store_result(code);
}

/* --- objects that nobody names */

static RESULT mark_maps(struct store *s, MDB_txn *txn, struct marks *m)
{
	AUTO(mdb_cursor_close) MDB_cursor *c = NULL;
	MDB_val key, data;
	int code;

	TRY(store_result(mdb_cursor_open(txn, s->maps, &c)));
	for (code = mdb_cursor_get(c, &key, &data, MDB_FIRST); code == 0; code = mdb_cursor_get(c, &key, &data, MDB_NEXT)) {
		uint8_t hash[STORE_HASH];
		struct span uri;

		TRY(store_entry_read(data, hash, &uri));
		TRY(mark(m, hash));
	}
	return code == MDB_NOTFOUND ? DONE : store_result(code);
}

static RESULT mark_notes(struct store *s, MDB_txn *txn, struct marks *m)
{
	AUTO(mdb_cursor_close) MDB_cursor *c = NULL;
	MDB_val key, data;
	int code;

	TRY(store_result(mdb_cursor_open(txn, s->notes, &c)));
	for (code = mdb_cursor_get(c, &key, &data, MDB_FIRST); code == 0; code = mdb_cursor_get(c, &key, &data, MDB_NEXT)) {
		struct store_note n;

		TRY(store_note_read(key, data, &n));
		for (size_t i = 0; i < n.object_count; i++)
			TRY(mark(m, n.objects + i * STORE_HASH));
	}
	return code == MDB_NOTFOUND ? DONE : store_result(code);
}

static RESULT mark_all(struct store *s, struct marks *m)
{
	AUTO(mdb_txn_abort) MDB_txn *txn = NULL;

	TRY(store_begin(s, MDB_RDONLY, &txn));
	TRY(mark_maps(s, txn, m));
	TRY(mark_notes(s, txn, m));
	if (m->n > 1)
		qsort(m->list, m->n, sizeof *m->list, by_value);
	return DONE;
}

/* From *from on; where it stopped goes there. */
static RESULT delete_objects(struct store *s, MDB_txn *txn, const struct marks *m, uint8_t from[STORE_HASH], uint64_t *deleted, bool *ret_more)
{
	AUTO(mdb_cursor_close) MDB_cursor *c = NULL;
	MDB_val key = store_val(from, STORE_HASH), data;
	unsigned int n = 0;
	int code;

	*ret_more = false;
	TRY(store_result(mdb_cursor_open(txn, s->objects, &c)));
	for (code = mdb_cursor_get(c, &key, &data, MDB_SET_RANGE); code == 0; code = mdb_cursor_get(c, &key, &data, MDB_NEXT)) {
		if (key.mv_size != STORE_HASH)
			return FAIL(ERR_FORMAT);
		if (is_marked(m, key.mv_data))
			continue;
		if (n == PIECE) {
			memcpy(from, key.mv_data, STORE_HASH);
			*ret_more = true;
			break;
		}
		TRY(store_result(mdb_cursor_del(c, 0)));
		n++;
	}
	*deleted += n;
	return code == 0 || code == MDB_NOTFOUND ? DONE : store_result(code);
}

static RESULT collect_entries(struct store *s, struct counting *list, uint64_t *deleted, bool *ret_more)
{
	AUTO(mdb_txn_abort) MDB_txn *txn = NULL;

	TRY(store_begin(s, 0, &txn));
	TRY(list_sources(s, txn, list));
	TRY(delete_entries(s, txn, list, deleted, ret_more));
	return store_result(mdb_txn_commit(MOVE(txn)));
}

static RESULT collect_objects(struct store *s, const struct marks *m, uint8_t from[STORE_HASH], uint64_t *deleted, bool *ret_more)
{
	AUTO(mdb_txn_abort) MDB_txn *txn = NULL;

	TRY(store_begin(s, 0, &txn));
	TRY(delete_objects(s, txn, m, from, deleted, ret_more));
	return store_result(mdb_txn_commit(MOVE(txn)));
}

RESULT store_collect(struct store *s, struct store_collected *ret)
{
	AUTO(marks_free) struct marks *m = mem_alloc(sizeof *m);
	AUTO(counting_free) struct counting *list = mem_alloc(sizeof *list);
	struct store_collected done = { 0 };
	uint8_t from[STORE_HASH] = { 0 };
	bool more = true;

	if (m == NULL || list == NULL)
		return FAIL(ERR_NOMEM);
	while (more)
		TRY(collect_entries(s, list, &done.entries, &more));
	TRY(mark_all(s, m));
	for (more = true; more; )
		TRY(collect_objects(s, m, from, &done.objects, &more));
	*ret = done;
	return DONE;
}
