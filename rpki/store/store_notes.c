/* store_notes.c: what validation wants to remember, with the objects that must stay for it. */
#include "rpki/store/store_inside.h"

#include <string.h>

#include "base/mem.h"

/* Number of objects 4, hashes, value. */
RESULT store_note_read(MDB_val key, MDB_val value, struct store_note *ret)
{
	const uint8_t *p = value.mv_data;
	size_t n;

	if (value.mv_size < 4)
		return FAIL(ERR_FORMAT);
	n = load32(p);
	if (n > (value.mv_size - 4) / STORE_HASH)
		return FAIL(ERR_FORMAT);
	*ret = (struct store_note){ .key = store_span(key), .objects = p + 4, .object_count = n };
	ret->value = span_of(p + 4 + n * STORE_HASH, value.mv_size - 4 - n * STORE_HASH);
	return DONE;
}

RESULT store_note_get(const struct store_view *v, struct span key, struct store_note *ret)
{
	MDB_val k = store_val(key.p, key.n), data;

	TRY(store_result(mdb_get(v->txn, v->store->notes, &k, &data)));
	return store_note_read(k, data, ret);
}

static RESULT put_note(struct store *s, MDB_txn *txn, const struct store_note *n)
{
	MDB_val key = store_val(n->key.p, n->key.n), v = { 4 + n->object_count * STORE_HASH + n->value.n, NULL };
	uint8_t *p;
	int code;

	if (n->key.n == 0 || n->key.n > 500 || n->object_count > UINT32_MAX / STORE_HASH)
		return FAIL(ERR_RANGE);
	if (n->value.n == 0 && n->object_count == 0) {
		code = mdb_del(txn, s->notes, &key, NULL);
		return code == MDB_NOTFOUND ? DONE : store_result(code);
	}
	TRY(store_result(mdb_put(txn, s->notes, &key, &v, MDB_RESERVE)));
	p = v.mv_data;
	store32(p, (uint32_t)n->object_count);
	if (n->object_count > 0)
		memcpy(p + 4, n->objects, n->object_count * STORE_HASH);
	if (n->value.n > 0)
		memcpy(p + 4 + n->object_count * STORE_HASH, n->value.p, n->value.n);
	return DONE;
}

RESULT store_notes_put(struct store *s, const struct store_note *notes, size_t n)
{
	AUTO(mdb_txn_abort) MDB_txn *txn = NULL;

	if (n == 0)
		return DONE;
	TRY(store_begin(s, 0, &txn));
	for (size_t i = 0; i < n; i++)
		TRY(put_note(s, txn, &notes[i]));
	return store_result(mdb_txn_commit(MOVE(txn)));
}

static RESULT sweep(struct store *s, MDB_txn *txn, store_note_fn *keep, void *ctx)
{
	AUTO(mdb_cursor_close) MDB_cursor *c = NULL;
	MDB_val key, data;
	int code;

	TRY(store_result(mdb_cursor_open(txn, s->notes, &c)));
	for (code = mdb_cursor_get(c, &key, &data, MDB_FIRST); code == 0; code = mdb_cursor_get(c, &key, &data, MDB_NEXT)) {
		struct store_note n;

		TRY(store_note_read(key, data, &n));
		if (!keep(ctx, &n))
			TRY(store_result(mdb_cursor_del(c, 0)));
	}
	return code == MDB_NOTFOUND ? DONE : store_result(code);
}

RESULT store_notes_sweep(struct store *s, store_note_fn *keep, void *ctx)
{
	AUTO(mdb_txn_abort) MDB_txn *txn = NULL;

	TRY(store_begin(s, 0, &txn));
	TRY(sweep(s, txn, keep, ctx));
	return store_result(mdb_txn_commit(MOVE(txn)));
}
