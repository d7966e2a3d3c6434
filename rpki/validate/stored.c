#include "rpki/validate/stored.h"

#include "base/arena.h"
#include "base/mem.h"
#include "rpki/store/store.h"

#define NOTES_AT_ONCE 1000u

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
};

struct stored_reader {
	struct objects_reader reader;
	const struct stored *stored BORROWED_FIELD; /* outlives its readers */
	struct store_view *view OWNED_FIELD;
	/* The source of the last object: those of a publication point come in a row. */
	char *last OWNED_FIELD; /* kind and URI */
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

static const struct objects_ops ops = { stored_open, stored_close, stored_find, stored_anchor, stored_recall, stored_by_hash };

void stored_free(struct stored *s)
{
	if (s == NULL)
		return;
	arena_free(MOVE(s->kept));
	mem_free(s);
}

struct stored *stored_new(struct store *store, bool rrdp)
{
	AUTO(stored_free) struct stored *s = mem_alloc(sizeof *s);

	if (s == NULL)
		return NULL;
	s->objects.ops = &ops;
	s->keeper.keep = stored_keep;
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

/* A name has its last octet behind it, so that "is it the same" is one comparison. */
static RESULT source(struct stored_reader *r, enum store_kind kind, struct span uri, struct store_source *ret)
{
	if (r->last != NULL && r->last_n == uri.n + 1 && r->last[uri.n] == (char)kind && memcmp(r->last, uri.p, uri.n) == 0) {
		*ret = r->source;
		return DONE;
	}
	TRY(store_source(r->view, kind, uri, ret));
	mem_free(MOVE(r->last));
	r->last = mem_alloc(uri.n + 1);
	if (r->last == NULL)
		return FAIL(ERR_NOMEM);
	memcpy(r->last, uri.p, uri.n);
	r->last[uri.n] = (char)kind;
	r->last_n = uri.n + 1;
	r->source = *ret;
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

static RESULT stored_find(struct objects_reader *given, struct span notify, struct span uri, size_t max, struct arena *a, struct span *ret, uint8_t ret_hash[OBJECT_HASH])
{
	struct stored_reader *r = (struct stored_reader *)(void *)given;
	struct span module = rsync_module(uri);
	struct store_source src;
	struct result found = FAIL(ERR_NOTFOUND);

	(void)a;
	if (notify.n > 0 && r->stored->rrdp)
		found = source(r, STORE_RRDP, notify, &src);
	if (found.e == ERR_NOTFOUND && module.n > 0)
		found = source(r, STORE_RSYNC, module, &src);
	TRY(found);
	return object(r, &src, uri, max, ret, ret_hash);
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
	return (struct stored *)(void *)((char *)k - offsetof(struct stored, keeper));
}

static RESULT stored_keep(struct objects_keeper *k, struct span key, struct span value, const uint8_t *hashes, size_t count)
{
	struct stored *s = stored_of(k);
	struct note *n;

	if (s->kept == NULL)
		s->kept = arena_new(0);
	n = s->kept != NULL ? arena_alloc(s->kept, sizeof *n) : NULL;
	if (n == NULL)
		return FAIL(ERR_NOMEM);
	n->note.key = span_of(arena_dup(s->kept, key.p, key.n), key.n);
	n->note.value = span_of(arena_dup(s->kept, value.p, value.n), value.n);
	n->note.objects = arena_dup(s->kept, hashes, count * OBJECT_HASH);
	n->note.object_count = count;
	if (n->note.key.p == NULL || n->note.value.p == NULL || n->note.objects == NULL)
		return FAIL(ERR_NOMEM);
	n->next = s->notes;
	s->notes = n;
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
	struct result r = s->notes != NULL ? write_notes(s) : DONE;

	s->notes = NULL;
	arena_free(MOVE(s->kept));
	return r;
}
