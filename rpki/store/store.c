/* store.c: the file, its views, and what they find. */
#include "rpki/store/store_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "rpki/object/key.h"

#define FILE_NAME "objects.mdb"
#define DATABASES 5

struct store_limits store_limits_default(void)
{
	return (struct store_limits){ .octets = UINT64_C(16) << 30, .object_octets = 8u << 20, .batch_octets = 4u << 20, .changes = 100000, .readers = 128 };
}

/* --- LMDB's words and ours */

struct result store_result(int code)
{
	switch (code) {
	case 0:
		return DONE;
	case MDB_NOTFOUND:
		return FAIL(ERR_NOTFOUND);
	case MDB_KEYEXIST:
		return FAIL(ERR_EXISTS);
	case MDB_MAP_FULL:
	case MDB_TXN_FULL:
	case MDB_READERS_FULL:
		return FAIL(ERR_LIMIT);
	case ENOMEM:
		return FAIL(ERR_NOMEM);
	case MDB_BAD_VALSIZE:
		return FAIL(ERR_RANGE);
	default:
		if (code < 0)
			return FAIL(ERR_FORMAT);
		errno = code;
		return FAIL(ERR_SYSTEM);
	}
}

RESULT store_begin(struct store *s, unsigned int flags, MDB_txn **ret)
{
	return store_result(mdb_txn_begin(s->env, NULL, flags, ret));
}

MDB_val store_val(const void *p, size_t n)
{
	union {
		const void *in BORROWED_FIELD;
		void *out BORROWED_FIELD;
	} u = { p }; /* LMDB does not write to what it is given without MDB_RESERVE */

	return (MDB_val){ n, u.out };
}

struct span store_span(MDB_val v)
{
	return span_of(v.mv_data, v.mv_size);
}

/* --- keys and records */

static void store64(uint8_t *p, uint64_t v)
{
	store32(p, (uint32_t)(v >> 32));
	store32(p + 4, (uint32_t)v);
}

static uint64_t load64(const uint8_t *p)
{
	return (uint64_t)load32(p) << 32 | load32(p + 4);
}

void store_source_key(enum store_kind kind, struct span uri, uint8_t ret[SOURCE_KEY])
{
	ret[0] = (uint8_t)kind;
	sha256_of(uri, ret + 1);
}

void store_map_prefix(uint32_t id, uint32_t generation, uint8_t ret[MAP_PREFIX])
{
	store32(ret, id);
	store32(ret + 4, generation);
}

void store_map_key(uint32_t id, uint32_t generation, struct span uri, uint8_t ret[MAP_KEY])
{
	store_map_prefix(id, generation, ret);
	sha256_of(uri, ret + MAP_PREFIX);
}

/* Number of octets of the URI behind the fixed fields, the URI, the state. */
RESULT store_record_read(MDB_val v, struct record *ret, struct span *ret_uri, struct span *ret_state)
{
	const uint8_t *p = v.mv_data;
	size_t uri;

	if (v.mv_size < RECORD + 4)
		return FAIL(ERR_FORMAT);
	*ret = (struct record){ load32(p), load32(p + 4), load32(p + 8), load64(p + 12), (int64_t)load64(p + 20) };
	uri = load32(p + RECORD);
	if (uri > v.mv_size - RECORD - 4)
		return FAIL(ERR_FORMAT);
	*ret_uri = span_of(p + RECORD + 4, uri);
	*ret_state = span_of(p + RECORD + 4 + uri, v.mv_size - RECORD - 4 - uri);
	return DONE;
}

RESULT store_record_get(struct store *s, MDB_txn *txn, enum store_kind kind, struct span uri, struct record *ret, struct span *ret_state)
{
	uint8_t k[SOURCE_KEY] = { 0 };
	MDB_val key = store_val(k, sizeof k), v;
	struct span own;

	store_source_key(kind, uri, k);
	TRY(store_result(mdb_get(txn, s->sources, &key, &v)));
	TRY(store_record_read(v, ret, &own, ret_state));
	return span_equal(own, uri) ? DONE : FAIL(ERR_FORMAT);
}

RESULT store_record_put(struct store *s, MDB_txn *txn, enum store_kind kind, struct span uri, const struct record *r, struct span state)
{
	uint8_t k[SOURCE_KEY] = { 0 }, *p;
	MDB_val key = store_val(k, sizeof k), v = { RECORD + 4 + uri.n + state.n, NULL };

	if (uri.n > UINT32_MAX || state.n > UINT32_MAX)
		return FAIL(ERR_RANGE);
	store_source_key(kind, uri, k);
	TRY(store_result(mdb_put(txn, s->sources, &key, &v, MDB_RESERVE)));
	p = v.mv_data;
	store32(p, r->id);
	store32(p + 4, r->generation);
	store32(p + 8, r->next_generation);
	store64(p + 12, r->commits);
	store64(p + 20, (uint64_t)r->updated);
	store32(p + RECORD, (uint32_t)uri.n);
	memcpy(p + RECORD + 4, uri.p, uri.n);
	if (state.n > 0)
		memcpy(p + RECORD + 4 + uri.n, state.p, state.n);
	return DONE;
}

RESULT store_entry_read(MDB_val v, uint8_t ret_hash[STORE_HASH], struct span *ret_uri)
{
	const uint8_t *p = v.mv_data;

	if (v.mv_size < STORE_HASH)
		return FAIL(ERR_FORMAT);
	memcpy(ret_hash, p, STORE_HASH);
	*ret_uri = span_of(p + STORE_HASH, v.mv_size - STORE_HASH);
	return DONE;
}

RESULT store_entry_get(struct store *s, MDB_txn *txn, uint32_t id, uint32_t generation, struct span uri, uint8_t ret_hash[STORE_HASH])
{
	uint8_t k[MAP_KEY] = { 0 };
	MDB_val key = store_val(k, sizeof k), v;
	struct span own;

	store_map_key(id, generation, uri, k);
	TRY(store_result(mdb_get(txn, s->maps, &key, &v)));
	TRY(store_entry_read(v, ret_hash, &own));
	return span_equal(own, uri) ? DONE : FAIL(ERR_FORMAT);
}

/* --- the file */

void store_close(struct store *s)
{
	if (s == NULL)
		return;
	mdb_env_close(MOVE(s->env));
	mem_free(s);
}

static RESULT say(struct strbuf *why, const char *dir, const char *what, int code)
{
	struct result r = store_result(code);

	if (code != 0)
		strbuf_printf(why, "%s/" FILE_NAME ": %s: %s", dir, what, mdb_strerror(code));
	return r;
}

static int open_databases(struct store *s, MDB_txn *txn)
{
	struct {
		const char *name SHARED_FIELD;
		MDB_dbi *at BORROWED_FIELD;
	} all[DATABASES] = { { "objects", &s->objects }, { "sources", &s->sources }, { "maps", &s->maps }, { "notes", &s->notes }, { "meta", &s->meta } };
	int code = 0;

	for (size_t i = 0; i < DATABASES && code == 0; i++)
		code = mdb_dbi_open(txn, all[i].name, s->limits.only_look ? 0 : MDB_CREATE, all[i].at);
	return code;
}

static RESULT check_version(struct store *s, MDB_txn *txn, const char *dir, struct strbuf *why)
{
	uint8_t octets[4];
	MDB_val key = store_val("version", 7), v;
	int code = mdb_get(txn, s->meta, &key, &v);

	if (code == MDB_NOTFOUND && !s->limits.only_look) {
		store32(octets, STORE_VERSION);
		v = store_val(octets, sizeof octets);
		return say(why, dir, "cannot be written", mdb_put(txn, s->meta, &key, &v, 0));
	}
	TRY(say(why, dir, "cannot be read", code));
	if (v.mv_size == 4 && load32(v.mv_data) == STORE_VERSION)
		return DONE;
	strbuf_printf(why, "%s/" FILE_NAME ": a store of another version, expected version %u", dir, STORE_VERSION);
	return FAIL(ERR_FORMAT);
}

static RESULT prepare(struct store *s, const char *dir, struct strbuf *why)
{
	AUTO(mdb_txn_abort) MDB_txn *txn = NULL;

	TRY(say(why, dir, "cannot be used", mdb_txn_begin(s->env, NULL, s->limits.only_look ? MDB_RDONLY : 0, &txn)));
	TRY(say(why, dir, "is damaged", open_databases(s, txn)));
	TRY(check_version(s, txn, dir, why));
	return say(why, dir, "cannot be written", mdb_txn_commit(MOVE(txn)));
}

static char *path_of(const char *dir, const char *end) OWNED_BY(mem_free);
static char *path_of(const char *dir, const char *end)
{
	return mem_printf("%s/" FILE_NAME "%s", dir, end);
}

RESULT store_open(const char *dir, const struct store_limits *limits, struct strbuf *why, struct store **ret)
{
	AUTO(store_close) struct store *s = mem_alloc(sizeof *s);
	AUTO_CHARS char *path = path_of(dir, "");
	int dead;

	if (s == NULL || path == NULL)
		return FAIL(ERR_NOMEM);
	if (limits->octets < 1u << 20 || limits->batch_octets == 0 || limits->readers == 0) {
		strbuf_printf(why, "%s: a store needs at least a MiB, a batch and a reader", dir);
		return FAIL(ERR_RANGE);
	}
	s->limits = *limits;
	if (!s->limits.only_look && mkdir(dir, 0750) != 0 && errno != EEXIST) {
		strbuf_printf(why, "%s: cannot be made: %s", dir, strerror(errno));
		return FAIL(ERR_SYSTEM);
	}
	TRY(say(why, dir, "cannot be used", mdb_env_create(&s->env)));
	TRY(say(why, dir, "cannot be used", mdb_env_set_maxdbs(s->env, DATABASES)));
	TRY(say(why, dir, "cannot be used", mdb_env_set_maxreaders(s->env, limits->readers)));
	TRY(say(why, dir, "cannot be used", mdb_env_set_mapsize(s->env, (size_t)limits->octets & ~(size_t)0xffff)));
	TRY(say(why, dir, "cannot be opened", mdb_env_open(s->env, path, MDB_NOSUBDIR | MDB_NOTLS | MDB_NORDAHEAD | (limits->only_look ? MDB_RDONLY : 0u), 0640)));
	if (!limits->only_look)
		TRY(say(why, dir, "cannot be used", mdb_reader_check(s->env, &dead))); /* views of a process that was killed */
	TRY(prepare(s, dir, why));
	*ret = MOVE(s);
	return DONE;
}

RESULT store_set_aside(const char *dir)
{
	AUTO_CHARS char *path = path_of(dir, ""), *bad = path_of(dir, ".bad"), *lock = path_of(dir, "-lock");

	if (path == NULL || bad == NULL || lock == NULL)
		return FAIL(ERR_NOMEM);
	if (rename(path, bad) != 0 && errno != ENOENT)
		return FAIL(ERR_SYSTEM);
	if (unlink(lock) != 0 && errno != ENOENT)
		return FAIL(ERR_SYSTEM);
	return DONE;
}

static RESULT count(MDB_txn *txn, MDB_dbi dbi, uint64_t *ret)
{
	MDB_stat st;

	TRY(store_result(mdb_stat(txn, dbi, &st)));
	*ret = st.ms_entries;
	return DONE;
}

static uint64_t octets_of(const MDB_stat *st)
{
	return (uint64_t)st->ms_psize * (st->ms_branch_pages + st->ms_leaf_pages + st->ms_overflow_pages);
}

RESULT store_usage(struct store *s, struct store_usage *ret)
{
	AUTO(mdb_txn_abort) MDB_txn *txn = NULL;
	const MDB_dbi all[DATABASES] = { s->objects, s->sources, s->maps, s->notes, s->meta };
	struct store_usage u = { 0 };
	MDB_envinfo info;
	MDB_stat st;

	TRY(store_begin(s, MDB_RDONLY, &txn));
	TRY(store_result(mdb_env_info(s->env, &info)));
	for (size_t i = 0; i < DATABASES; i++) {
		TRY(store_result(mdb_stat(txn, all[i], &st)));
		u.used_octets += octets_of(&st);
	}
	u.file_octets = (uint64_t)st.ms_psize * ((uint64_t)info.me_last_pgno + 1);
	TRY(count(txn, s->objects, &u.objects));
	TRY(count(txn, s->sources, &u.sources));
	TRY(count(txn, s->maps, &u.entries));
	TRY(count(txn, s->notes, &u.notes));
	*ret = u;
	return DONE;
}

/* --- views */

void store_view_close(struct store_view *v)
{
	if (v == NULL)
		return;
	mdb_txn_abort(MOVE(v->txn));
	mem_free(v);
}

RESULT store_view_open(struct store *s, struct store_view **ret)
{
	AUTO(store_view_close) struct store_view *v = mem_alloc(sizeof *v);

	if (v == NULL)
		return FAIL(ERR_NOMEM);
	v->store = s;
	TRY(store_begin(s, MDB_RDONLY, &v->txn));
	*ret = MOVE(v);
	return DONE;
}

RESULT store_source(const struct store_view *v, enum store_kind kind, struct span uri, struct store_source *ret)
{
	struct record r;
	struct span state;

	TRY(store_record_get(v->store, v->txn, kind, uri, &r, &state));
	if (r.generation == 0)
		return FAIL(ERR_NOTFOUND);
	*ret = (struct store_source){ r.id, r.generation, r.updated, state, r.commits };
	return DONE;
}

RESULT store_find(const struct store_view *v, const struct store_source *src, struct span uri, uint8_t ret_hash[STORE_HASH])
{
	return store_entry_get(v->store, v->txn, src->id, src->generation, uri, ret_hash);
}

RESULT store_find_hashed(const struct store_view *v, const struct store_source *src, const uint8_t uri[STORE_HASH], uint8_t ret_hash[STORE_HASH])
{
	uint8_t k[MAP_KEY] = { 0 };
	MDB_val key = store_val(k, sizeof k), data;
	struct span own;

	store_map_prefix(src->id, src->generation, k);
	memcpy(k + MAP_PREFIX, uri, STORE_HASH);
	TRY(store_result(mdb_get(v->txn, v->store->maps, &key, &data)));
	return store_entry_read(data, ret_hash, &own);
}

RESULT store_object(const struct store_view *v, const uint8_t hash[STORE_HASH], struct span *ret)
{
	MDB_val key = store_val(hash, STORE_HASH), data;
	uint8_t is[STORE_HASH];

	TRY(store_result(mdb_get(v->txn, v->store->objects, &key, &data)));
	sha256_of(store_span(data), is);
	if (memcmp(is, hash, STORE_HASH) != 0)
		return FAIL(ERR_NOTFOUND); /* bits have flipped: as good as lost */
	*ret = store_span(data);
	return DONE;
}

RESULT store_each(const struct store_view *v, const struct store_source *src, store_entry_fn *fn, void *ctx)
{
	AUTO(mdb_cursor_close) MDB_cursor *c = NULL;
	uint8_t prefix[MAP_PREFIX];
	MDB_val key = store_val(prefix, sizeof prefix), data;
	int code;

	store_map_prefix(src->id, src->generation, prefix);
	TRY(store_result(mdb_cursor_open(v->txn, v->store->maps, &c)));
	for (code = mdb_cursor_get(c, &key, &data, MDB_SET_RANGE); code == 0; code = mdb_cursor_get(c, &key, &data, MDB_NEXT)) {
		uint8_t hash[STORE_HASH];
		struct span uri;

		if (key.mv_size != MAP_KEY)
			return FAIL(ERR_FORMAT);
		if (memcmp(key.mv_data, prefix, sizeof prefix) != 0)
			return DONE;
		TRY(store_entry_read(data, hash, &uri));
		TRY(fn(ctx, uri, hash));
	}
	return code == MDB_NOTFOUND ? DONE : store_result(code);
}

RESULT store_each_source(const struct store_view *v, store_source_fn *fn, void *ctx)
{
	AUTO(mdb_cursor_close) MDB_cursor *c = NULL;
	MDB_val key, data;
	int code;

	TRY(store_result(mdb_cursor_open(v->txn, v->store->sources, &c)));
	for (code = mdb_cursor_get(c, &key, &data, MDB_FIRST); code == 0; code = mdb_cursor_get(c, &key, &data, MDB_NEXT)) {
		struct record r;
		struct span uri, state;
		struct store_source src;

		TRY(store_record_read(data, &r, &uri, &state));
		src = (struct store_source){ r.id, r.generation, r.updated, state, r.commits };
		if (key.mv_size == SOURCE_KEY && r.generation != 0)
			TRY(fn(ctx, (enum store_kind)((const uint8_t *)key.mv_data)[0], uri, &src));
	}
	return code == MDB_NOTFOUND ? DONE : store_result(code);
}
