#include "rpki/fetch/anchor_fetch.h"

#include <strings.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "rpki/fetch/rsync_fetch.h"
#include "rpki/object/cert.h"
#include "rpki/object/tal.h"
#include "rpki/store/store.h"

#define WHY_MAX 8192u

LOOP_HANDLE_IMPL(anchor_fetch)

struct anchor_fetch {
	struct fetcher *fetcher PARENT_FIELD;
	struct dead dead;
	anchor_fetch_h self;
	struct anchor_fetch_events ev;
	struct store *store PARENT_FIELD;
	char *dir OWNED_FIELD, *text OWNED_FIELD;
	struct arena *arena OWNED_FIELD;
	struct tal tal;               /* in text and arena */
	struct anchor_fetch_options o; /* the numbers */
	size_t turn, next;            /* first those of the kinds that may be used; then the others, where there were none */
	size_t tried;
	char *uri OWNED_FIELD;        /* that is fetched */
	bool refused;                 /* what comes is not wanted */
	struct strbuf *body OWNED_FIELD, *why OWNED_FIELD;
	fetch_h transfer;
	timer_h start;
	bool closed;
};

static void anchor_fetch_free(struct anchor_fetch *f) TAKES(1);
static void anchor_fetch_free(struct anchor_fetch *f)
{
	if (f == NULL)
		return;
	mem_free(f->dir);
	mem_free(f->text);
	mem_free(f->uri);
	arena_free(f->arena);
	strbuf_free(f->body);
	strbuf_free(f->why);
	mem_free(f);
}
DEFINE_AUTO(struct anchor_fetch, anchor_fetch_free)

static void anchor_fetch_bury(struct dead *d)
{
	anchor_fetch_free(PARENT_OF(d, struct anchor_fetch, dead));
}

static void anchor_fetch_close(struct anchor_fetch *f)
{
	struct loop *l = f->fetcher->loop;

	if (f->closed)
		return;
	f->closed = true;
	anchor_fetch_retire(l, f->self);
	loop_timer_stop(l, &f->start);
	fetcher_cancel(f->fetcher, f->transfer);
	loop_bury(l, &f->dead, anchor_fetch_bury);
}

static void finish(struct anchor_fetch *f, bool good)
{
	struct loop *l = f->fetcher->loop;
	void *who = loop_slot_get(l, f->ev.type, f->ev.who);
	struct anchor_report rep = { .good = good, .uri = f->uri != NULL ? f->uri : "", .why = strbuf_text(f->why) };

	anchor_fetch_close(f);
	if (who != NULL)
		f->ev.ended(l, who, f->self, &rep);
}

/* ---------------------------------------------------------------------------------------------------------- what has come */

static void tell(struct anchor_fetch *f, const char *why)
{
	strbuf_printf(f->why, "%s: %s\n", f->uri, why);
}

static RESULT keep(struct anchor_fetch *f, struct span octets)
{
	AUTO(store_update_free) struct store_update *u = NULL;
	AUTO(store_view_close) struct store_view *v = NULL;
	uint8_t is[STORE_HASH], was[STORE_HASH];
	struct span uri = span_text(f->uri), kept;
	struct store_source src;

	sha256_of(octets, is);
	TRY(store_view_open(f->store, &v));
	if (OK(store_source(v, STORE_ANCHOR, uri, &src)) && OK(store_find(v, &src, uri, was)) && memcmp(is, was, sizeof is) == 0 && OK(store_object(v, was, &kept)))
		return DONE;
	store_view_close(MOVE(v));
	TRY(store_update_begin(f->store, STORE_ANCHOR, uri, STORE_REPLACE, &u));
	TRY(store_update_publish(u, uri, NULL, octets));
	return store_update_commit(u, span_of("", 0), f->o.now);
}

/* Whether it is the certificate; else it says why not. */
static bool take(struct anchor_fetch *f, struct span octets)
{
	AUTO(public_key_free) struct public_key *key = NULL;
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct report rep;
	struct cert cert;
	struct result r;
	char room[64];

	report_init(&rep);
	r = a != NULL ? cert_read(octets, CERT_TA, CERT_USE_ANY, a, &rep, &cert) : FAIL(ERR_NOMEM);
	if (OK(r))
		r = cert_check_ta(&cert, &f->tal.key.whole, f->o.now, &rep, &key);
	if (r.e == ERR_FORMAT) {
		strbuf_printf(f->why, "%s: %s: %s\n", f->uri, rule_place(rep.first, room), rule_text(rep.first));
		return false;
	}
	if (OK(r))
		r = keep(f, octets);
	if (!OK(r))
		tell(f, err_text(r.e));
	return OK(r);
}

struct found {
	struct anchor_fetch *f BORROWED_FIELD;
	bool there, good;
};

static RESULT look(void *ctx, struct span uri, struct span octets)
{
	struct found *x = (struct found *)ctx;

	if (x->there || !span_equal(uri, span_text(x->f->uri)))
		return DONE;
	x->there = true;
	x->good = take(x->f, octets);
	return DONE;
}

/* The one file that rsync was asked for. */
static bool take_file(struct anchor_fetch *f)
{
	struct rsync_tree_limits limits = { .depth = 0, .files = 10, .octets = UINT64_MAX, .object_octets = f->o.object_octets };
	struct rsync_tree_counts counts;
	struct found x = { .f = f };
	const char *slash = strrchr(f->uri, '/');
	uint8_t folder[FETCH_FOLDER];
	AUTO_CHARS char *dir = NULL;
	struct result r;

	rsync_fetch_folder(f->uri, folder);
	dir = fetch_folder_path(f->dir, folder);
	r = dir != NULL && slash != NULL ? rsync_tree_read(dir, span_of(f->uri, (size_t)(slash - f->uri) + 1), &limits, look, &x, &counts) : FAIL(ERR_NOMEM);
	if (!x.there)
		tell(f, OK(r) ? "rsync brought no such file" : err_text(r.e));
	return x.good;
}

/* ----------------------------------------------------------------------------------------------------------- one after another */

static void ask_next(struct anchor_fetch *f);

static void on_head(struct loop *l, void *object, fetch_h h, const struct fetch_head *a)
{
	struct anchor_fetch *f = (struct anchor_fetch *)object;

	(void)l, (void)h;
	f->refused = a->status != 200;
	if (f->refused)
		strbuf_printf(f->why, "%s: HTTP status %u\n", f->uri, a->status);
}

static void on_body(struct loop *l, void *object, fetch_h h, struct span octets)
{
	struct anchor_fetch *f = (struct anchor_fetch *)object;

	(void)l, (void)h;
	if (!f->refused)
		strbuf_add_span(f->body, octets);
}

static void on_got(struct loop *l, void *object, fetch_h h, const struct fetch_end *e)
{
	struct anchor_fetch *f = (struct anchor_fetch *)object;

	(void)l, (void)h;
	if (!f->refused && e->e != ERR_NONE)
		tell(f, e->why);
	else if (!f->refused && !strbuf_ok(f->body))
		tell(f, err_text(strbuf_result(f->body).e));
	if (!f->refused && e->e == ERR_NONE && strbuf_ok(f->body) && take(f, strbuf_span(f->body)))
		finish(f, true);
	else
		ask_next(f);
}

static void on_brought(struct loop *l, void *object, fetch_h h, const struct fetch_end *e)
{
	struct anchor_fetch *f = (struct anchor_fetch *)object;

	(void)l, (void)h;
	if (e->e != ERR_NONE)
		tell(f, e->why);
	if (e->e == ERR_NONE && take_file(f))
		finish(f, true);
	else
		ask_next(f);
}

static bool is_https(struct span uri)
{
	return uri.n > 8 && strncasecmp((const char *)uri.p, "https://", 8) == 0;
}

static RESULT ask(struct anchor_fetch *f)
{
	struct fetch_events ev = { .type = &anchor_fetch_loop_type, .who = f->self.v, .head = on_head, .body = on_body, .ended = is_https(span_text(f->uri)) ? on_got : on_brought };
	struct fetch_get get = { .uri = f->uri, .etag = "", .modified = "", .max_octets = f->o.object_octets, .deadline_ms = f->o.deadline_ms };
	struct fetch_rsync run = { .uri = f->uri, .deadline_ms = f->o.deadline_ms };

	f->tried++;
	f->refused = false;
	strbuf_clear(f->body);
	if (is_https(span_text(f->uri)))
		return fetcher_get(f->fetcher, &get, &ev, &f->transfer);
	rsync_fetch_folder(f->uri, run.folder);
	return fetcher_rsync(f->fetcher, &run, &ev, &f->transfer);
}

/* In the first turn those of the kinds that may be used, https first; in the second the rest, when nothing was tried. */
static bool wanted(const struct anchor_fetch *f, struct span uri)
{
	bool https = is_https(uri), may = https ? f->o.https : f->o.rsync;

	switch (f->turn) {
	case 0:
		return may && https;
	case 1:
		return may && !https;
	default:
		return f->tried == 0;
	}
}

static void ask_next(struct anchor_fetch *f)
{
	for (; f->turn < 3; f->turn++, f->next = 0) {
		while (f->next < f->tal.count) {
			struct span uri = f->tal.uris[f->next++];
			struct result r;

			if (!wanted(f, uri))
				continue;
			mem_free(MOVE(f->uri));
			f->uri = mem_strndup((const char *)uri.p, uri.n);
			r = f->uri != NULL ? ask(f) : FAIL(ERR_NOMEM);
			if (OK(r))
				return;
			if (f->uri != NULL)
				tell(f, err_text(r.e));
		}
	}
	finish(f, false);
}

static void on_start(struct loop *l, void *object)
{
	(void)l;
	ask_next((struct anchor_fetch *)object);
}

/* ------------------------------------------------------------------------------------------------------------------- whole */

static RESULT fill(struct anchor_fetch *f, const struct anchor_fetch_options *o)
{
	struct report rep;

	f->o = *o;
	f->store = o->store;
	f->o.dir = NULL;
	f->dir = mem_strdup(o->dir);
	f->text = mem_strndup((const char *)o->locator.p, o->locator.n);
	f->arena = arena_new(0);
	f->body = strbuf_new(o->object_octets);
	f->why = strbuf_new(WHY_MAX);
	if (f->dir == NULL || f->text == NULL || f->arena == NULL || f->body == NULL || f->why == NULL)
		return FAIL(ERR_NOMEM);
	report_init(&rep);
	return tal_read(span_of(f->text, o->locator.n), f->arena, &rep, &f->tal);
}

RESULT anchor_fetch_begin(struct fetcher *fetcher, const struct anchor_fetch_options *o, const struct anchor_fetch_events *ev, anchor_fetch_h *ret)
{
	AUTO(anchor_fetch_free) struct anchor_fetch *f = mem_alloc(sizeof *f);
	struct result r;

	if (f == NULL)
		return FAIL(ERR_NOMEM);
	f->fetcher = fetcher;
	f->ev = *ev;
	TRY(fill(f, o));
	f->self = anchor_fetch_enlist(fetcher->loop, f);
	if (f->self.v == 0)
		return FAIL(ERR_NOMEM);
	r = loop_timer(fetcher->loop, &anchor_fetch_loop_type, f->self.v, on_start, 0, &f->start);
	if (!OK(r)) {
		anchor_fetch_retire(fetcher->loop, f->self);
		return r;
	}
	*ret = f->self;
	(void)MOVE(f); /* own-ok: R3 the loop has it by its handle until it is buried */
	return DONE;
}

void anchor_fetch_stop(struct loop *l, anchor_fetch_h h)
{
	struct anchor_fetch *f = anchor_fetch_get(l, h);

	if (f != NULL)
		anchor_fetch_close(f);
}
