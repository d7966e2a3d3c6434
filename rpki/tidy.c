#include "rpki/tidy.h"

#include <string.h>

#include "base/arena.h"
#include "base/log.h"
#include "rpki/store/store.h"

#define DAY 86400
#define UNUSED_DAYS 14
#define KEY "collected" /* the note with the time of the last collection */

struct old {
	struct old *next ARENA_FIELD;
	enum store_kind kind;
	struct span uri;
};

struct look {
	struct arena *arena BORROWED_FIELD;
	struct old *first ARENA_FIELD;
	int64_t before;
};

static RESULT look_at(void *ctx, enum store_kind kind, struct span uri, const struct store_source *src)
{
	struct look *x = (struct look *)ctx;
	struct old *o;

	if (kind == STORE_ANCHOR || src->updated >= x->before)
		return DONE;
	o = arena_alloc(x->arena, sizeof *o);
	if (o == NULL)
		return FAIL(ERR_NOMEM);
	o->kind = kind;
	o->uri = span_of(arena_dup(x->arena, uri.p, uri.n), uri.n);
	o->next = x->first;
	x->first = o;
	return o->uri.p != NULL ? DONE : FAIL(ERR_NOMEM);
}

static bool was_wanted(const struct cycle_report *r, const struct old *o)
{
	for (size_t i = 0; i < r->repository_count; i++)
		if (r->repositories[i].rrdp == (o->kind == STORE_RRDP) && span_equal(o->uri, span_text(r->repositories[i].uri)))
			return true;
	return false;
}

/* A trust anchor that was not usable leaves out what is below it: then nothing is known of who is wanted. */
static bool all_usable(const struct cycle_report *r)
{
	for (size_t i = 0; i < r->anchor_count; i++)
		if (!r->anchors[i].usable)
			return false;
	return true;
}

static RESULT forget_old(struct store *s, const struct cycle_report *r, int64_t now)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	AUTO(store_view_close) struct store_view *v = NULL;
	struct look x = { .arena = a, .before = now - (int64_t)UNUSED_DAYS * DAY };

	if (a == NULL)
		return FAIL(ERR_NOMEM);
	TRY(store_view_open(s, &v));
	TRY(store_each_source(v, look_at, &x));
	store_view_close(MOVE(v));
	for (const struct old *o = x.first; o != NULL; o = o->next)
		if (!was_wanted(r, o))
			TRY(store_forget(s, o->kind, o->uri));
	return DONE;
}

static int64_t last_time(struct store *s)
{
	AUTO(store_view_close) struct store_view *v = NULL;
	struct store_note n;

	if (!OK(store_view_open(s, &v)) || !OK(store_note_get(v, span_text(KEY), &n)) || n.value.n != 8)
		return 0;
	return (int64_t)((uint64_t)load32(n.value.p) << 32 | load32(n.value.p + 4));
}

static RESULT note_time(struct store *s, int64_t now)
{
	uint8_t octets[8];
	struct store_note n = { .key = span_text(KEY), .value = span_of(octets, sizeof octets) };

	store32(octets, (uint32_t)((uint64_t)now >> 32));
	store32(octets + 4, (uint32_t)now);
	return store_notes_put(s, &n, 1);
}

static RESULT collect(struct store *s, int64_t now)
{
	struct store_collected done;

	TRY(store_collect(s, &done));
	log_info("store: %llu objects and %llu entries of maps that nothing names were deleted", (unsigned long long)done.objects, (unsigned long long)done.entries);
	return note_time(s, now);
}

void tidy(struct store *s, const struct cycle_report *r, int64_t now)
{
	int64_t last = last_time(s);
	struct result x = DONE;

	if (last == 0) /* a store that has just been begun */
		x = note_time(s, now);
	else if (last > now || now - last >= DAY || r->counts.store_full > 0) {
		x = all_usable(r) ? forget_old(s, r, now) : DONE;
		if (OK(x))
			x = collect(s, now);
	}
	if (!OK(x))
		log_warn("the store cannot be tidied: %s", err_text(x.e));
}
