#include "rpki/validate/stored.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/mem.h"
#include "rpki/store/store.h"
#include "rpki/validate/remember.h"

#define OTHER_NOTES 1u /* that are not validation's: the time of the last collection */
#define NOTES_AT_ONCE 1000u
#define KEPT_OCTETS (2u << 20) /* of notes that wait to be written */
#define SPARE_NOTES 1000u      /* of last good states that no run needs, besides as many as it does */

struct note {
	struct note *next ARENA_FIELD;
	struct store_note note;
};

struct stored {
	struct objects objects;
	struct objects_keeper keeper;
	struct store *store PARENT_FIELD;
	bool rrdp;
	struct arena *kept OWNED_FIELD; /* notes that are not written yet; NULL: none */
	struct note *notes ARENA_FIELD;
	struct result written;     /* what went wrong before the end */
	/* What counts in this run, by the first octets of its key's hash: a false likeness keeps a note that nobody needs. */
	uint64_t *used OWNED_FIELD;
	size_t used_n, used_room;
};

struct stored_reader {
	struct objects_reader reader;
	const struct stored *stored BORROWED_FIELD; /* outlives its readers */
	struct store_view *view OWNED_FIELD;
	/* The source of the last object: those of a publication point come in a row. */
	char *last OWNED_FIELD; /* notification URI, NUL, module */
	size_t last_n;
	struct store_source source;
};

static RESULT stored_open(const struct objects *o, struct objects_reader **ret);
static void stored_close(struct objects_reader *r);
static RESULT stored_find(struct objects_reader *r, struct span notify, struct span uri, size_t max, struct arena *a, struct span *ret, uint8_t ret_hash[OBJECT_HASH]);
static RESULT stored_anchor(struct objects_reader *r, struct span uri, size_t max, struct arena *a, struct span *ret);

static RESULT stored_recall(struct objects_reader *r, struct span key, struct span *ret);
static RESULT stored_by_hash(struct objects_reader *r, const uint8_t hash[OBJECT_HASH], size_t max, struct span *ret);
static RESULT stored_keep(struct objects_keeper *k, struct span key, struct span value, const uint8_t *hashes, size_t count);
static RESULT stored_used(struct objects_keeper *k, struct span key);

static RESULT stored_state(struct objects_reader *r, struct span notify, struct span base, uint8_t ret[OBJECT_STATE]);
static RESULT stored_hash_at(struct objects_reader *r, struct span notify, struct span base, const uint8_t uri[OBJECT_HASH], uint8_t ret_hash[OBJECT_HASH]);

static const struct objects_ops ops = { stored_open, stored_close, stored_find, stored_anchor, stored_recall, stored_by_hash, stored_state, stored_hash_at };

void stored_free(struct stored *s)
{
	if (s == NULL)
		return;
	arena_free(MOVE(s->kept));
	mem_free(MOVE(s->used));
	mem_free(s);
}

struct stored *stored_new(struct store *store, bool rrdp)
{
	AUTO(stored_free) struct stored *s = mem_alloc(sizeof *s);

	if (s == NULL)
		return NULL;
	s->objects.ops = &ops;
	s->keeper.keep = stored_keep;
	s->keeper.used = stored_used;
	s->store = store;
	s->rrdp = rrdp;
	return MOVE(s);
}

const struct objects *stored_objects(const struct stored *s)
{
	return &s->objects;
}

static void reader_free(struct stored_reader *r) TAKES(1);
static void reader_free(struct stored_reader *r)
{
	if (r == NULL)
		return;
	store_view_close(MOVE(r->view));
	mem_free(MOVE(r->last));
	mem_free(r);
}
DEFINE_AUTO(struct stored_reader, reader_free)

static RESULT stored_open(const struct objects *o, struct objects_reader **ret)
{
	AUTO(reader_free) struct stored_reader *r = mem_alloc(sizeof *r);
	const struct stored *s = (const struct stored *)(const void *)o;

	if (r == NULL)
		return FAIL(ERR_NOMEM);
	r->reader.ops = &ops;
	r->stored = s;
	TRY(store_view_open(s->store, &r->view));
	*ret = &MOVE(r)->reader;
	return DONE;
}

static void stored_close(struct objects_reader *r)
{
	reader_free((struct stored_reader *)(void *)r); /* own-ok: R4 objects_close() took it */
}

/* --- */

struct span rsync_module(struct span uri)
{
	size_t n = strlen("rsync://"), slashes = 0;

	if (uri.n < n || memcmp(uri.p, "rsync://", n) != 0)
		return (struct span){ NULL, 0 };
	for (; n < uri.n; n++) {
		slashes += uri.p[n] == '/';
		if (slashes == 2)
			return span_of(uri.p, n + 1);
	}
	return (struct span){ NULL, 0 };
}

/* What RRDP has brought, unless rsync has brought something later: that was when RRDP failed. */
static RESULT choose(const struct stored_reader *r, struct span notify, struct span module, struct store_source *ret)
{
	struct store_source rsync = { 0 };
	struct result by_rrdp = notify.n > 0 && r->stored->rrdp ? store_source(r->view, STORE_RRDP, notify, ret) : FAIL(ERR_NOTFOUND);
	struct result by_rsync = module.n > 0 ? store_source(r->view, STORE_RSYNC, module, &rsync) : FAIL(ERR_NOTFOUND);

	if (!OK(by_rrdp) && by_rrdp.e != ERR_NOTFOUND)
		return by_rrdp;
	if (by_rsync.e == ERR_NOTFOUND)
		return by_rrdp;
	TRY(by_rsync);
	if (!OK(by_rrdp) || rsync.updated > ret->updated)
		*ret = rsync;
	return DONE;
}

static RESULT object(const struct stored_reader *r, const struct store_source *src, struct span uri, size_t max, struct span *ret, uint8_t ret_hash[OBJECT_HASH])
{
	struct span octets;

	TRY(store_find(r->view, src, uri, ret_hash));
	TRY(store_object(r->view, ret_hash, &octets));
	if (octets.n > max)
		return FAIL(ERR_LIMIT);
	*ret = octets;
	return DONE;
}

/* Whose word counts for a CA with this notification URI at URIs of this one's module. The last answer is kept, under both names with a NUL between them. */
static RESULT source_for(struct stored_reader *r, struct span notify, struct span uri, struct store_source *ret)
{
	struct span module = rsync_module(uri);
	size_t n = notify.n + 1 + module.n;
	struct writer w;

	if (r->last != NULL && r->last_n == n && r->last[notify.n] == '\0' && (notify.n == 0 || memcmp(r->last, notify.p, notify.n) == 0) &&
	    (module.n == 0 || memcmp(r->last + notify.n + 1, module.p, module.n) == 0)) {
		*ret = r->source;
		return DONE;
	}
	TRY(choose(r, notify, module, ret));
	mem_free(MOVE(r->last));
	r->last = mem_alloc(n);
	if (r->last == NULL)
		return FAIL(ERR_NOMEM);
	w = writer_of((uint8_t *)r->last, n);
	write_span(&w, notify);
	write8(&w, 0);
	write_span(&w, module);
	r->last_n = n;
	r->source = *ret;
	return DONE;
}

static RESULT stored_find(struct objects_reader *given, struct span notify, struct span uri, size_t max, struct arena *a, struct span *ret, uint8_t ret_hash[OBJECT_HASH])
{
	struct stored_reader *r = (struct stored_reader *)(void *)given;
	struct store_source src;

	(void)a;
	TRY(source_for(r, notify, uri, &src));
	return object(r, &src, uri, max, ret, ret_hash);
}

static RESULT stored_state(struct objects_reader *given, struct span notify, struct span base, uint8_t ret[OBJECT_STATE])
{
	struct stored_reader *r = (struct stored_reader *)(void *)given;
	struct writer w = writer_of(ret, OBJECT_STATE);
	struct store_source src;
	struct result found = source_for(r, notify, base, &src);

	memset(ret, 0, OBJECT_STATE);
	if (found.e == ERR_NOTFOUND)
		return DONE;
	TRY(found);
	write32(&w, 1); /* not unknown */
	write32(&w, src.id);
	write32(&w, src.generation);
	write32(&w, (uint32_t)(src.commits >> 32));
	write32(&w, (uint32_t)src.commits);
	return DONE;
}

static RESULT stored_hash_at(struct objects_reader *given, struct span notify, struct span base, const uint8_t uri[OBJECT_HASH], uint8_t ret_hash[OBJECT_HASH])
{
	struct stored_reader *r = (struct stored_reader *)(void *)given;
	struct store_source src;

	TRY(source_for(r, notify, base, &src));
	return store_find_hashed(r->view, &src, uri, ret_hash);
}

static RESULT stored_anchor(struct objects_reader *given, struct span uri, size_t max, struct arena *a, struct span *ret)
{
	struct stored_reader *r = (struct stored_reader *)(void *)given;
	uint8_t hash[OBJECT_HASH];
	struct store_source src;

	(void)a;
	TRY(store_source(r->view, STORE_ANCHOR, uri, &src));
	return object(r, &src, uri, max, ret, hash);
}

static RESULT stored_recall(struct objects_reader *given, struct span key, struct span *ret)
{
	const struct stored_reader *r = (const struct stored_reader *)(const void *)given;
	struct store_note n;

	TRY(store_note_get(r->view, key, &n));
	*ret = n.value;
	return DONE;
}

static RESULT stored_by_hash(struct objects_reader *given, const uint8_t hash[OBJECT_HASH], size_t max, struct span *ret)
{
	const struct stored_reader *r = (const struct stored_reader *)(const void *)given;
	struct span octets;

	TRY(store_object(r->view, hash, &octets));
	if (octets.n > max)
		return FAIL(ERR_LIMIT);
	*ret = octets;
	return DONE;
}

/* --- what is kept */

struct objects_keeper *stored_keeper(struct stored *s)
{
	return &s->keeper;
}

static struct stored *stored_of(struct objects_keeper *k) BORROWED;
static struct stored *stored_of(struct objects_keeper *k)
{
	return PARENT_OF(k, struct stored, keeper);
}

static RESULT copy(struct arena *a, const void *p, size_t n, const uint8_t **ret)
{
	*ret = arena_dup(a, n > 0 ? p : "", n);
	return *ret != NULL ? DONE : FAIL(ERR_NOMEM);
}

static RESULT add_note(struct stored *s, struct span key, struct span value, const uint8_t *hashes, size_t count)
{
	struct note *n = arena_alloc(s->kept, sizeof *n);
	const uint8_t *own_key, *own_value;

	if (n == NULL)
		return FAIL(ERR_NOMEM);
	TRY(copy(s->kept, key.p, key.n, &own_key));
	TRY(copy(s->kept, value.p, value.n, &own_value));
	TRY(copy(s->kept, hashes, count * OBJECT_HASH, &n->note.objects));
	n->note.key = span_of(own_key, key.n);
	n->note.value = span_of(own_value, value.n);
	n->note.object_count = count;
	n->next = s->notes;
	s->notes = n;
	return DONE;
}

static RESULT stored_keep(struct objects_keeper *k, struct span key, struct span value, const uint8_t *hashes, size_t count)
{
	struct stored *s = stored_of(k);

	if (s->kept == NULL)
		s->kept = arena_new(0);
	if (s->kept == NULL)
		return FAIL(ERR_NOMEM);
	TRY(add_note(s, key, value, hashes, count));
	if (arena_used(s->kept) >= KEPT_OCTETS && OK(s->written))
		s->written = stored_write_kept(s); /* a store that is full ends no run */
	return DONE;
}

static RESULT write_notes(struct stored *s)
{
	AUTO(mem_free) void *list = mem_alloc_array(NOTES_AT_ONCE, sizeof(struct store_note));
	const struct note *n = s->notes;

	if (list == NULL)
		return FAIL(ERR_NOMEM);
	while (n != NULL) {
		size_t count = 0;

		for (; n != NULL && count < NOTES_AT_ONCE; n = n->next)
			((struct store_note *)list)[count++] = n->note;
		TRY(store_notes_put(s->store, list, count));
	}
	return DONE;
}

RESULT stored_write_kept(struct stored *s)
{
	struct result r = s->notes != NULL ? write_notes(s) : DONE, before = s->written;

	s->notes = NULL;
	s->written = DONE;
	arena_free(MOVE(s->kept));
	return OK(before) ? r : before;
}

/* --- what is no longer needed */

static uint64_t mark_of(struct span key)
{
	return key.n < 9 ? 0 : (uint64_t)load32(key.p + 1) << 32 | load32(key.p + 5);
}

static RESULT stored_used(struct objects_keeper *k, struct span key)
{
	struct stored *s = stored_of(k);

	if (s->used_n == s->used_room) {
		size_t room = s->used_room == 0 ? 1024 : s->used_room * 2;

		TRY(mem_resize((void **)(void *)&s->used, s->used_room, room, sizeof *s->used));
		s->used_room = room;
	}
	s->used[s->used_n++] = mark_of(key);
	return DONE;
}

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

struct sweeping {
	const struct stored *stored BORROWED_FIELD;
	int64_t now;
	uint64_t used, spare; /* last good states */
	bool counting, drop_spare;
};

static bool is_used(const struct stored *s, struct span key)
{
	uint64_t mark = mark_of(key);

	return s->used_n > 0 && bsearch(&mark, s->used, s->used_n, sizeof mark, by_value) != NULL;
}

/* A last good state may be needed again when the way to it is mended, as long as it has not ended. */
static bool keep_spare(struct sweeping *w, const struct store_note *n)
{
	int64_t next_update = n->value.n < GOOD_HEAD ? 0 : (int64_t)((uint64_t)load32(n->value.p + OBJECT_HASH) << 32 | load32(n->value.p + OBJECT_HASH + 4));

	w->spare++;
	return !w->drop_spare && next_update >= w->now;
}

static bool keep_note(void *ctx, const struct store_note *n)
{
	struct sweeping *w = ctx;
	bool used = is_used(w->stored, n->key), keep = true;

	if (n->key.n == 0)
		return true;
	if (n->key.p[0] == GOOD_LETTER) {
		w->used += used;
		keep = used || keep_spare(w, n);
	} else if (n->key.p[0] == REMEMBER_LETTER) {
		keep = used;
	}
	return keep || w->counting;
}

static RESULT sweep(struct stored *s, int64_t now)
{
	struct sweeping w = { .stored = s, .now = now, .counting = true };
	struct store_usage u;

	if (s->used_n > 1)
		qsort(s->used, s->used_n, sizeof *s->used, by_value);
	TRY(store_usage(s->store, &u));
	if (u.notes <= s->used_n + OTHER_NOTES)
		return DONE;
	TRY(store_notes_sweep(s->store, keep_note, &w));
	w.drop_spare = w.spare > w.used + SPARE_NOTES;
	w.counting = false;
	return store_notes_sweep(s->store, keep_note, &w);
}

RESULT stored_sweep(struct stored *s, int64_t now)
{
	struct result r = sweep(s, now);

	s->used_n = 0;
	return r;
}
