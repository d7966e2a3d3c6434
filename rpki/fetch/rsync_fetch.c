#include "rpki/fetch/rsync_fetch.h"

#include <errno.h>
#include <stdio.h>

#include "base/mem.h"
#include "rpki/object/key.h"
#include "rpki/store/store.h"

LOOP_HANDLE_IMPL(rsync_fetch)

struct rsync_fetch {
	struct fetcher *fetcher PARENT_FIELD;
	struct dead dead;
	rsync_fetch_h self;
	struct rsync_fetch_events ev;
	char *uri OWNED_FIELD, *dir OWNED_FIELD; /* dir: of the tree */
	struct store *store PARENT_FIELD;
	struct rsync_tree_limits limits;
	int64_t now;
	fetch_h transfer;
	bool closed;
};

static void rsync_fetch_free(struct rsync_fetch *f) TAKES(1);
static void rsync_fetch_free(struct rsync_fetch *f)
{
	if (f == NULL)
		return;
	mem_free(f->uri);
	mem_free(f->dir);
	mem_free(f);
}
DEFINE_AUTO(struct rsync_fetch, rsync_fetch_free)

static void rsync_fetch_bury(struct dead *d)
{
	rsync_fetch_free(PARENT_OF(d, struct rsync_fetch, dead));
}

static void rsync_fetch_close(struct rsync_fetch *f)
{
	struct loop *l = f->fetcher->loop;

	if (f->closed)
		return;
	f->closed = true;
	rsync_fetch_retire(l, f->self);
	fetcher_cancel(f->fetcher, f->transfer);
	loop_bury(l, &f->dead, rsync_fetch_bury);
}

/* ----------------------------------------------------------------------------------------------- from the folder to the store */

struct compare {
	const struct store_view *view BORROWED_FIELD;
	struct store_source source;
	uint64_t same, other;
};

static RESULT compare_one(void *ctx, struct span uri, struct span octets)
{
	struct compare *c = (struct compare *)ctx;
	uint8_t is[STORE_HASH], was[STORE_HASH];
	struct result r = store_find(c->view, &c->source, uri, was);
	struct span kept;

	if (r.e == ERR_NOTFOUND) {
		c->other++;
		return DONE;
	}
	TRY(r);
	sha256_of(octets, is);
	r = memcmp(is, was, sizeof is) == 0 ? store_object(c->view, was, &kept) : FAIL(ERR_NOTFOUND); /* bits that have flipped are written anew */
	if (r.e != ERR_NOTFOUND)
		TRY(r);
	c->same += OK(r);
	c->other += !OK(r);
	return DONE;
}

static RESULT count_one(void *ctx, struct span uri, const uint8_t hash[STORE_HASH])
{
	(void)uri, (void)hash;
	(*(uint64_t *)ctx)++;
	return DONE;
}

/* Whether the store has just this. Readers are not left open while it is written to. */
static RESULT is_same(struct rsync_fetch *f, struct rsync_report *rep, bool *ret)
{
	AUTO(store_view_close) struct store_view *v = NULL;
	struct compare c = { .same = 0 };
	uint64_t entries = 0;
	struct result r;

	*ret = false;
	TRY(store_view_open(f->store, &v));
	r = store_source(v, STORE_RSYNC, span_text(f->uri), &c.source);
	if (r.e == ERR_NOTFOUND)
		return DONE;
	TRY(r);
	c.view = v;
	TRY(rsync_tree_read(f->dir, span_text(f->uri), &f->limits, compare_one, &c, &rep->counts));
	TRY(store_each(v, &c.source, count_one, &entries));
	*ret = c.other == 0 && entries == c.same;
	return DONE;
}

static RESULT publish_one(void *ctx, struct span uri, struct span octets)
{
	return store_update_publish((struct store_update *)ctx, uri, NULL, octets);
}

static RESULT write_all(struct rsync_fetch *f, struct rsync_report *rep)
{
	AUTO(store_update_free) struct store_update *u = NULL;

	TRY(store_update_begin(f->store, STORE_RSYNC, span_text(f->uri), STORE_REPLACE, &u));
	TRY(rsync_tree_read(f->dir, span_text(f->uri), &f->limits, publish_one, u, &rep->counts));
	rep->changed = true;
	return store_update_commit(u, span_of("", 0), f->now);
}

static RESULT take_in(struct rsync_fetch *f, struct rsync_report *rep)
{
	bool same;

	TRY(is_same(f, rep, &same));
	return same ? store_touch(f->store, STORE_RSYNC, span_text(f->uri), span_of("", 0), f->now) : write_all(f, rep);
}

static void on_ended(struct loop *l, void *object, fetch_h h, const struct fetch_end *e)
{
	struct rsync_fetch *f = (struct rsync_fetch *)object;
	void *who = loop_slot_get(l, f->ev.type, f->ev.who);
	struct rsync_report rep = { .why = e->why };
	char why[200];

	(void)h;
	if (e->e == ERR_NONE) {
		struct result r = take_in(f, &rep);

		rep.good = OK(r);
		rep.store = r.e;
		rep.changed = rep.changed && rep.good;
		(void)snprintf(why, sizeof why, "what rsync brought cannot be taken: %s", r.e == ERR_SYSTEM ? strerror(errno) : err_text(r.e));
		rep.why = rep.good ? "" : why;
	}
	rsync_fetch_close(f);
	if (who != NULL)
		f->ev.ended(l, who, f->self, &rep);
}

/* ------------------------------------------------------------------------------------------------------------------- whole */

void rsync_fetch_folder(const char *uri, uint8_t ret_folder[FETCH_FOLDER])
{
	uint8_t hash[STORE_HASH];

	sha256_of(span_text(uri), hash);
	memcpy(ret_folder, hash, FETCH_FOLDER);
}

RESULT rsync_fetch_begin(struct fetcher *fetcher, const struct rsync_fetch_options *o, const struct rsync_fetch_events *ev, rsync_fetch_h *ret)
{
	AUTO(rsync_fetch_free) struct rsync_fetch *f = mem_alloc(sizeof *f);
	struct fetch_events fe = { .type = &rsync_fetch_loop_type, .ended = on_ended };
	struct fetch_rsync q = { .uri = o->uri, .deadline_ms = o->deadline_ms, .connect_ms = o->connect_ms };
	struct result r;

	if (f == NULL)
		return FAIL(ERR_NOMEM);
	rsync_fetch_folder(o->uri, q.folder);
	f->fetcher = fetcher;
	f->ev = *ev;
	f->store = o->store;
	f->limits = *o->limits;
	f->now = o->now;
	f->uri = mem_strdup(o->uri);
	f->dir = fetch_folder_path(o->dir, q.folder);
	if (f->uri == NULL || f->dir == NULL)
		return FAIL(ERR_NOMEM);
	f->self = rsync_fetch_enlist(fetcher->loop, f);
	if (f->self.v == 0)
		return FAIL(ERR_NOMEM);
	fe.who = f->self.v;
	r = fetcher_rsync(fetcher, &q, &fe, &f->transfer);
	if (!OK(r)) {
		rsync_fetch_retire(fetcher->loop, f->self);
		return r;
	}
	*ret = f->self;
	(void)MOVE(f); /* own-ok: R3 the loop has it by its handle until it is buried */
	return DONE;
}

void rsync_fetch_stop(struct loop *l, rsync_fetch_h h)
{
	struct rsync_fetch *f = rsync_fetch_get(l, h);

	if (f != NULL)
		rsync_fetch_close(f);
}
