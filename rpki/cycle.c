/*
 * cycle.c: the gate of a validation run (which any of its threads asks), and the fetches on the loop that open it. Repositories are entries of a table that only grows, under one lock; an
 * entry's `state` is what both sides look at. Threads make new entries and wake the loop by a message; the loop does everything else.
 *
 * The run is over when validation is idle, no entry is under way, and no trust anchor is. In this order: once idle, nobody makes a new entry.
 */
#include "rpki/cycle.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/lock.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "net/http_url.h"
#include "rpki/fetch/anchor_fetch.h"
#include "rpki/fetch/patience.h"
#include "rpki/fetch/rrdp_fetch.h"
#include "rpki/fetch/rrdp_keep.h"
#include "rpki/fetch/rsync_fetch.h"
#include "rpki/fetch/uri.h"
#include "rpki/object/key.h"
#include "rpki/routes/table.h"
#include "rpki/store/store.h"
#include "rpki/validate/collect.h"
#include "rpki/validate/stored.h"

#define BUCKETS 1024u
#define ANCHOR_OCTETS (1u << 20)

LOOP_HANDLE(place)
LOOP_HANDLE_IMPL(place)
LOOP_HANDLE(post)
LOOP_HANDLE_IMPL(post)
LOOP_HANDLE_IMPL(cycle)

enum state { STATE_NEW, STATE_UNDER_WAY, STATE_GOOD, STATE_FAILED };

struct place {
	struct cycle *c PARENT_FIELD;
	struct place *chain PARENT_FIELD;    /* of the same bucket; the cycle owns them all */
	enum state state;                    /* under the lock */
	uint32_t number;
	bool rrdp;
	char *uri OWNED_FIELD, *module OWNED_FIELD; /* module: of the first point that wanted it; "": none */
	size_t anchor;
	/* the loop's */
	place_h self;
	rrdp_fetch_h by_rrdp;
	rsync_fetch_h by_rsync;
	struct rrdp_keep *keep OWNED_FIELD;
	timer_h deadline;
	uint64_t begun_ms;
	char *why OWNED_FIELD;
	struct cycle_repository report;
};

struct place_at {
	struct place *place OWNED_FIELD;
};

/* A trust anchor's certificate, being fetched. */
struct post {
	struct cycle *c PARENT_FIELD;
	size_t anchor;
	bool done;
	post_h self;
	anchor_fetch_h fetch;
	timer_h deadline;
	char *uri OWNED_FIELD, *why OWNED_FIELD;
};

struct bucket {
	struct place *first BORROWED_FIELD;
};

struct wake {
	struct message m; /* first: it is freed by it */
	cycle_h c;
};

struct cycle {
	struct validate_gate gate; /* first: it is known by it */
	struct loop *loop PARENT_FIELD;
	struct dead dead;
	cycle_h self;
	struct cycle_events ev;
	struct cycle_options o;
	struct stored *stored OWNED_FIELD;
	struct unsafe *unsafe OWNED_FIELD;
	struct collector *collector OWNED_FIELD;
	struct validation *validation OWNED_FIELD;
	struct anchor_result *results OWNED_FIELD;
	struct post *posts OWNED_FIELD;
	size_t anchors, posts_left;
	uint64_t begun_ms;
	timer_h deadline;
	struct result error;  /* the first of the run's own */

	struct lock lock;
	struct place_at *places OWNED_FIELD; /* under the lock, as is all below */
	size_t count, room, seen;            /* seen: those that the loop has begun */
	struct bucket *buckets OWNED_FIELD;
	uint32_t *per_anchor OWNED_FIELD;
	struct cycle_counts counts;
	bool woken, late;                    /* late: nothing new is begun */
	bool closed;
};

struct cycle_limits cycle_limits_default(void)
{
	return (struct cycle_limits){ .repositories = 5000, .anchor_repositories = 1000, .branch_repositories = 50, .transfer_ms = 300000, .repository_ms = 600000,
		.run_ms = 1800000 };
}

static uint64_t ms_now(const struct cycle *c)
{
	return now_ms(loop_now(c->loop));
}

/* -------------------------------------------------------------------------------------------------------------------- end of it */

static void place_free(struct place *p) TAKES(1);
static void place_free(struct place *p)
{
	if (p == NULL)
		return;
	rrdp_keep_free(MOVE(p->keep));
	mem_free(p->uri);
	mem_free(p->module);
	mem_free(p->why);
	mem_free(p);
}
DEFINE_AUTO(struct place, place_free)

/* Nothing more comes of it. */
static void place_stop(struct place *p)
{
	struct loop *l = p->c->loop;

	loop_timer_stop(l, &p->deadline);
	rrdp_fetch_stop(l, p->by_rrdp);
	rsync_fetch_stop(l, p->by_rsync);
	if (p->self.v != 0)
		place_retire(l, p->self);
	p->self.v = 0;
}

static void post_stop(struct post *p)
{
	struct loop *l = p->c->loop;

	loop_timer_stop(l, &p->deadline);
	anchor_fetch_stop(l, p->fetch);
	if (p->self.v != 0)
		post_retire(l, p->self);
	p->self.v = 0;
}

static void cycle_free(struct cycle *c) TAKES(1);
static void cycle_free(struct cycle *c)
{
	if (c == NULL)
		return;
	validate_abort(MOVE(c->validation));
	for (size_t i = 0; i < c->count; i++)
		place_free(MOVE(c->places[i].place));
	for (size_t i = 0; c->posts != NULL && i < c->anchors; i++) {
		mem_free(MOVE(c->posts[i].uri));
		mem_free(MOVE(c->posts[i].why));
	}
	mem_free(c->places);
	mem_free(c->posts);
	mem_free(c->buckets);
	mem_free(c->per_anchor);
	mem_free(c->results);
	collector_free(MOVE(c->collector));
	unsafe_free(MOVE(c->unsafe));
	stored_free(MOVE(c->stored));
	lock_done(&c->lock);
	mem_free(c);
}
DEFINE_AUTO(struct cycle, cycle_free)

static void cycle_bury(struct dead *d)
{
	cycle_free((struct cycle *)(void *)((char *)d - offsetof(struct cycle, dead)));
}

static void cycle_close(struct cycle *c)
{
	if (c->closed)
		return;
	c->closed = true;
	validate_abort(MOVE(c->validation)); /* after it no thread asks the gate */
	cycle_retire(c->loop, c->self);
	loop_timer_stop(c->loop, &c->deadline);
	for (size_t i = 0; i < c->count; i++)
		place_stop(c->places[i].place);
	for (size_t i = 0; i < c->anchors; i++)
		post_stop(&c->posts[i]);
	for (size_t i = 0; i < c->count; i++)
		rrdp_keep_free(MOVE(c->places[i].place->keep));
	stored_free(MOVE(c->stored)); /* from here on store, fetcher and locators may go */
	loop_bury(c->loop, &c->dead, cycle_bury);
}

/* ----------------------------------------------------------------------------------------------------------------------- the gate */

static struct cycle *cycle_of(struct validate_gate *g) BORROWED;
static struct cycle *cycle_of(struct validate_gate *g)
{
	return (struct cycle *)(void *)g;
}

static void check(struct cycle *c);

static void wake_run(struct loop *l, struct message *m)
{
	struct cycle *c = cycle_get(l, ((const struct wake *)(const void *)m)->c);

	if (c == NULL)
		return;
	lock_take(&c->lock);
	c->woken = false;
	lock_give(&c->lock);
	check(c);
}

static void wake_free(struct message *m)
{
	mem_free(m); /* own-ok: R4 the queue owned it */
}

static void wake_drop(struct wake *w) TAKES(1);
static void wake_drop(struct wake *w)
{
	mem_free(w);
}
DEFINE_AUTO(struct wake, wake_drop)

/* With the lock. */
static bool wake_up(struct cycle *c)
{
	AUTO(wake_drop) struct wake *w = NULL;

	if (c->woken)
		return true;
	w = mem_alloc(sizeof *w);
	if (w == NULL)
		return false;
	w->m.run = wake_run;
	w->m.free = wake_free;
	w->c = c->self;
	c->woken = true;
	loop_post(c->loop, &MOVE(w)->m);
	return true;
}

static void gate_idle(struct validate_gate *g)
{
	struct cycle *c = cycle_of(g);

	lock_take(&c->lock);
	(void)wake_up(c); /* out of memory: the run's deadline ends it */
	lock_give(&c->lock);
}

static uint32_t bucket_of(bool rrdp, struct span uri)
{
	uint8_t hash[32];

	sha256_of(uri, hash);
	return (load32(hash) + rrdp) % BUCKETS;
}

static struct place *find_place(const struct cycle *c, bool rrdp, struct span uri) BORROWED;
static struct place *find_place(const struct cycle *c, bool rrdp, struct span uri)
{
	struct place *p = c->buckets[bucket_of(rrdp, uri)].first;

	while (p != NULL && (p->rrdp != rrdp || !span_equal(span_text(p->uri), uri)))
		p = p->chain;
	return p;
}

static struct place *make_place(struct cycle *c, bool rrdp, struct span uri, struct span module, size_t anchor) BORROWED;
static struct place *make_place(struct cycle *c, bool rrdp, struct span uri, struct span module, size_t anchor)
{
	AUTO(place_free) struct place *p = mem_alloc(sizeof *p);
	struct bucket *b = &c->buckets[bucket_of(rrdp, uri)];
	struct place *made = p;

	if (p == NULL)
		return NULL;
	p->uri = mem_strndup((const char *)uri.p, uri.n);
	p->module = mem_strndup(module.n > 0 ? (const char *)module.p : "", module.n);
	if (p->uri == NULL || p->module == NULL)
		return NULL;
	if (c->count == c->room) {
		if (!OK(mem_resize((void **)(void *)&c->places, c->room, c->room + 64, sizeof *c->places)))
			return NULL;
		c->room += 64;
	}
	p->c = c;
	p->rrdp = rrdp;
	p->anchor = anchor;
	p->number = (uint32_t)c->count;
	p->chain = b->first;
	b->first = made;
	c->places[c->count++].place = MOVE(p);
	c->per_anchor[anchor]++;
	c->counts.repositories++;
	return made;
}

static bool one_too_many(const struct cycle *c, const struct validate_point *p)
{
	const struct cycle_limits *l = &c->o.limits;

	return c->count >= l->repositories || c->per_anchor[p->anchor] >= l->anchor_repositories ||
	    (p->branch_repositories != NULL && *p->branch_repositories >= l->branch_repositories);
}

/* Names of this machine are not to be asked for by a stranger's word, and a name has a dot. */
static bool host_is_dubious(struct span host)
{
	return host.n == 0 || memchr(host.p, '.', host.n) == NULL || memchr(host.p, ':', host.n) != NULL || (host.p[host.n - 1] >= '0' && host.p[host.n - 1] <= '9') ||
	    (host.n >= 9 && strncasecmp((const char *)host.p + host.n - 9, "localhost", 9) == 0);
}

static struct span rsync_host(struct span module)
{
	size_t from = strlen("rsync://"), n = from;

	while (n < module.n && module.p[n] != '/' && module.p[n] != ':')
		n++;
	return n > from ? span_of(module.p + from, n - from) : (struct span){ NULL, 0 };
}

static bool may_fetch(struct cycle *c, bool rrdp, struct span uri)
{
	struct http_url u;
	bool good = rrdp ? OK(http_url_parse(uri, &u)) : uri.n > 0 && rsync_folder_ok(uri);

	if (!good)
		return false;
	if (c->o.dubious_hosts || !host_is_dubious(rrdp ? u.host : rsync_host(uri)))
		return true;
	c->counts.dubious++;
	return false;
}

/* Where a point that wants this waits; NULL: nowhere, and *ret_good says whether because it is there. */
static struct place *wait_for(struct cycle *c, const struct validate_point *p, bool rrdp, struct span uri, struct span module, bool *ret_good) BORROWED;
static struct place *wait_for(struct cycle *c, const struct validate_point *p, bool rrdp, struct span uri, struct span module, bool *ret_good)
{
	struct place *at = find_place(c, rrdp, uri);

	*ret_good = at != NULL && at->state == STATE_GOOD;
	if (at != NULL)
		return at->state == STATE_NEW || at->state == STATE_UNDER_WAY ? at : NULL;
	if (c->late || !may_fetch(c, rrdp, uri))
		return NULL;
	if (one_too_many(c, p)) {
		c->counts.over_limit++;
		return NULL;
	}
	at = make_place(c, rrdp, uri, module, p->anchor);
	if (at == NULL || !wake_up(c)) {
		if (at != NULL)
			at->state = STATE_FAILED;
		return NULL; /* out of memory: as if it could not be fetched */
	}
	at->report.fallback = !rrdp && c->o.rrdp && p->notify.n > 0;
	if (p->branch_repositories != NULL)
		++*p->branch_repositories;
	return at;
}

static bool gate_may_pass(struct validate_gate *g, const struct validate_point *p, uint32_t *ret_place)
{
	struct cycle *c = cycle_of(g);
	struct span module = rsync_module(p->manifest);
	struct place *at = NULL;
	uint64_t over, dubious;
	bool good = false;

	lock_take(&c->lock);
	over = c->counts.over_limit;
	dubious = c->counts.dubious;
	if (c->o.rrdp && p->notify.n > 0)
		at = wait_for(c, p, true, p->notify, module, &good);
	if (at == NULL && !good && c->o.rsync)
		at = wait_for(c, p, false, module, module, &good);
	if (c->counts.over_limit > over)
		c->counts.over_limit = over + 1; /* by RRDP and by rsync it is the same point */
	if (c->counts.dubious > dubious)
		c->counts.dubious = dubious + 1;
	if (at != NULL)
		*ret_place = at->number;
	lock_give(&c->lock);
	return at == NULL;
}

/* ------------------------------------------------------------------------------------------------------------------- repositories */

static void keep_why(struct place *p, const char *why)
{
	size_t n = strlen(why), from;

	while (n > 0 && why[n - 1] == '\n')
		n--;
	for (from = n; from > 0 && why[from - 1] != '\n';)
		from--;
	mem_free(MOVE(p->why));
	p->why = mem_strndup(why + from, n - from); /* the last line says why it failed */
}

static void count_late(struct cycle *c)
{
	lock_take(&c->lock);
	c->counts.too_late++;
	lock_give(&c->lock);
}

static void tell_progress(struct cycle *c, const struct cycle_repository *r, const struct cycle_anchor *a, size_t anchor)
{
	void *who = loop_slot_get(c->loop, c->ev.type, c->ev.who);
	struct cycle_counts counts;

	if (who == NULL || c->ev.progress == NULL)
		return;
	lock_take(&c->lock);
	counts = c->counts;
	lock_give(&c->lock);
	c->ev.progress(c->loop, who, r, a, anchor, &counts);
}

/* The repository itself has ended it, not this machine. */
static void note_patience(struct place *p, bool failed)
{
	if (p->c->o.patience == NULL)
		return;
	patience_note(p->c->o.patience, p->uri, failed);
	p->report.failures = patience_failures(p->c->o.patience, p->uri);
}

static void place_done(struct place *p, enum cycle_how how, const char *why)
{
	struct cycle *c = p->c;
	uint64_t took = p->begun_ms > 0 ? ms_now(c) - p->begun_ms : 0;

	place_stop(p);
	rrdp_keep_free(MOVE(p->keep));
	keep_why(p, why);
	p->report.rrdp = p->rrdp;
	p->report.uri = p->uri;
	p->report.anchor = p->anchor;
	p->report.how = how;
	p->report.why = p->why != NULL ? p->why : "";
	p->report.took_ms = took > UINT32_MAX ? UINT32_MAX : (uint32_t)took;
	lock_take(&c->lock);
	p->state = how == CYCLE_FAILED ? STATE_FAILED : STATE_GOOD;
	c->counts.failed += how == CYCLE_FAILED;
	lock_give(&c->lock);
	if (c->validation != NULL)
		validate_release(c->validation, p->number);
	tell_progress(c, &p->report, NULL, p->anchor);
}

static void fail_run(struct cycle *c, struct result why)
{
	if (OK(c->error))
		c->error = why;
}

/* A damaged store ends the run: nothing in it is to be believed. One that is full only leaves this repository as it was. */
static void hear_of_store(struct cycle *c, enum err e)
{
	if (e == ERR_FORMAT)
		fail_run(c, FAIL(ERR_FORMAT));
	lock_take(&c->lock);
	c->counts.store_full += e == ERR_LIMIT;
	lock_give(&c->lock);
}

static void on_rrdp(struct loop *l, void *object, rrdp_fetch_h f, const struct rrdp_report *r)
{
	static const enum cycle_how how[] = { CYCLE_UNDER_WAY, CYCLE_UNCHANGED, CYCLE_DELTAS, CYCLE_SNAPSHOT, CYCLE_FAILED };
	struct place *p = (struct place *)object;
	struct cycle *c = p->c;

	(void)l, (void)f;
	p->report.serial = r->serial;
	memcpy(p->report.session, r->session, strlen(r->session));
	p->report.notification_status = r->notification_status;
	p->report.file_status = r->file_status;
	p->report.deltas = r->deltas;
	p->report.octets = r->octets;
	p->report.published = r->counts.published;
	p->report.withdrawn = r->counts.withdrawn;
	hear_of_store(c, r->store);
	if (r->store == ERR_NONE)
		note_patience(p, how[r->outcome] == CYCLE_FAILED);
	place_done(p, how[r->outcome], r->why);
	check(c);
}

static void on_rsync(struct loop *l, void *object, rsync_fetch_h f, const struct rsync_report *r)
{
	struct place *p = (struct place *)object;
	struct cycle *c = p->c;

	(void)l, (void)f;
	p->report.octets = r->counts.octets;
	p->report.published = r->counts.files;
	hear_of_store(c, r->store);
	if (r->store == ERR_NONE)
		note_patience(p, !r->good);
	place_done(p, !r->good ? CYCLE_FAILED : r->changed ? CYCLE_RSYNC : CYCLE_UNCHANGED, r->why);
	check(c);
}

static void on_place_late(struct loop *l, void *object)
{
	struct place *p = (struct place *)object;
	struct cycle *c = p->c;

	(void)l;
	count_late(c);
	note_patience(p, true);
	place_done(p, CYCLE_FAILED, "given up: not done within the time that a repository has");
	check(c);
}

/* The wall time that a commit carries. What rsync brings where RRDP failed is to be newer than what RRDP brought before, and the other way round: the newer one serves. */
static int64_t commit_time(const struct cycle *c, enum store_kind other, const char *uri, int64_t ahead)
{
	AUTO(store_view_close) struct store_view *v = NULL;
	struct store_source src;

	if (*uri == '\0' || !OK(store_view_open(c->o.store, &v)) || !OK(store_source(v, other, span_text(uri), &src)) || src.updated + ahead <= c->o.now)
		return c->o.now;
	return src.updated + ahead;
}

static RESULT begin_rrdp(struct place *p)
{
	struct cycle *c = p->c;
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct rrdp_fetch_events ev = { .type = &place_loop_type, .who = p->self.v, .ended = on_rrdp };
	struct rrdp_options o = { .uri = p->uri, .spool = c->o.dir, .limits = &c->o.rrdp_limits, .connect_ms = p->report.patience_ms };
	struct rrdp_store s;

	if (a == NULL)
		return FAIL(ERR_NOMEM);
	p->keep = rrdp_keep_new(c->o.store, p->uri, commit_time(c, STORE_RSYNC, p->module, 0));
	if (p->keep == NULL)
		return FAIL(ERR_NOMEM);
	TRY(rrdp_keep_state(p->keep, a, &o.state));
	s = rrdp_keep_store(p->keep);
	return rrdp_fetch_begin(c->o.fetcher, &o, &s, c->o.limits.transfer_ms, &ev, &p->by_rrdp);
}

/* The latest commit of those RRDP sources for which this module stands in. */
static int64_t rsync_commit_time(struct cycle *c, const struct place *p)
{
	int64_t t = c->o.now;

	for (size_t i = 0; i < c->count; i++) {
		const struct place *x = c->places[i].place;
		int64_t at = x->rrdp && x->state == STATE_FAILED ? commit_time(c, STORE_RRDP, x->uri, 1) : t;

		if (at > t && at - t < INT32_MAX && strcmp(x->module, p->uri) == 0)
			t = at;
	}
	return t;
}

static RESULT begin_rsync(struct place *p)
{
	struct cycle *c = p->c;
	struct rsync_fetch_events ev = { .type = &place_loop_type, .who = p->self.v, .ended = on_rsync };
	struct rsync_fetch_options o = { .uri = p->uri, .dir = c->o.rsync_dir, .store = c->o.store, .limits = &c->o.tree_limits, .deadline_ms = c->o.limits.transfer_ms,
		.connect_ms = p->report.patience_ms };

	lock_take(&c->lock);
	o.now = rsync_commit_time(c, p);
	lock_give(&c->lock);
	return rsync_fetch_begin(c->o.fetcher, &o, &ev, &p->by_rsync);
}

static void place_begin(struct place *p)
{
	struct cycle *c = p->c;
	struct result r = FAIL(ERR_NOMEM);

	p->begun_ms = ms_now(c);
	p->report.patience_ms = c->o.patience != NULL ? patience_ms(c->o.patience, p->uri) : 0;
	p->self = place_enlist(c->loop, p);
	if (p->self.v != 0)
		r = loop_timer(c->loop, &place_loop_type, p->self.v, on_place_late, c->o.limits.repository_ms, &p->deadline);
	if (OK(r))
		r = p->rrdp ? begin_rrdp(p) : begin_rsync(p);
	if (OK(r))
		return;
	hear_of_store(c, r.e);
	place_done(p, CYCLE_FAILED, err_text(r.e));
}

/* The next that nobody has begun; NULL: none. */
static struct place *next_new(struct cycle *c) BORROWED;
static struct place *next_new(struct cycle *c)
{
	struct place *p = NULL;

	lock_take(&c->lock);
	while (p == NULL && c->seen < c->count) {
		p = c->places[c->seen++].place;
		if (p->state != STATE_NEW)
			p = NULL;
		else
			p->state = STATE_UNDER_WAY;
	}
	lock_give(&c->lock);
	return p;
}

/* ------------------------------------------------------------------------------------------------------------------ trust anchors */

static void post_done(struct post *p, const struct anchor_report *r)
{
	struct cycle *c = p->c;
	struct cycle_anchor told = { .fetched = r->good, .uri = r->uri, .why = r->why };
	struct result x;

	post_stop(p);
	p->done = true;
	p->uri = r->good ? mem_strdup(r->uri) : NULL;
	p->why = mem_strdup(r->why);
	c->posts_left--;
	tell_progress(c, NULL, &told, p->anchor);
	x = validate_anchor(c->validation, p->anchor);
	if (!OK(x))
		fail_run(c, x);
}

static void on_anchor(struct loop *l, void *object, anchor_fetch_h f, const struct anchor_report *r)
{
	struct post *p = (struct post *)object;
	struct cycle *c = p->c;

	(void)l, (void)f;
	post_done(p, r);
	check(c);
}

static void on_anchor_late(struct loop *l, void *object)
{
	struct post *p = (struct post *)object;
	struct cycle *c = p->c;
	struct anchor_report r = { .uri = "", .why = "given up: not done within the time that a repository has\n" };

	(void)l;
	count_late(c);
	post_done(p, &r);
	check(c);
}

static RESULT post_begin(struct post *p)
{
	struct cycle *c = p->c;
	struct anchor_fetch_events ev = { .type = &post_loop_type, .ended = on_anchor };
	struct anchor_fetch_options o = { .locator = locators_list(c->o.locators)[p->anchor].text, .dir = c->o.rsync_dir, .store = c->o.store, .https = c->o.rrdp,
		.rsync = c->o.rsync, .object_octets = ANCHOR_OCTETS, .deadline_ms = c->o.limits.transfer_ms, .now = c->o.now };

	p->self = post_enlist(c->loop, p);
	if (p->self.v == 0)
		return FAIL(ERR_NOMEM);
	ev.who = p->self.v;
	TRY(loop_timer(c->loop, &post_loop_type, p->self.v, on_anchor_late, c->o.limits.repository_ms, &p->deadline));
	return anchor_fetch_begin(c->o.fetcher, &o, &ev, &p->fetch);
}

static void begin_anchors(struct cycle *c)
{
	for (size_t i = 0; i < c->anchors; i++) {
		struct post *p = &c->posts[i];
		struct anchor_report none = { .uri = "", .why = "" };
		struct result r = c->o.fetcher != NULL ? post_begin(p) : DONE;

		if (OK(r) && c->o.fetcher != NULL)
			continue;
		if (!OK(r) && r.e != ERR_FORMAT) /* what is wrong with a locator is said by validation */
			none.why = err_text(r.e);
		post_done(p, &none);
	}
}

/* ------------------------------------------------------------------------------------------------------------------------- the end */

static void tell_end(struct cycle *c, struct cycle_report *r, struct cycle_anchor *fetched, struct cycle_repository *list)
{
	void *who = loop_slot_get(c->loop, c->ev.type, c->ev.who);
	uint64_t took = ms_now(c) - c->begun_ms;

	for (size_t i = 0; i < c->count; i++)
		list[i] = c->places[i].place->report;
	r->anchor_count = fetched != NULL ? c->anchors : 0;
	for (size_t i = 0; i < r->anchor_count; i++) {
		const struct post *p = &c->posts[i];

		fetched[i] = (struct cycle_anchor){ .fetched = p->uri != NULL, .uri = p->uri != NULL ? p->uri : "", .why = p->why != NULL ? p->why : "" };
	}
	r->anchors = c->results;
	r->fetched = fetched;
	r->repositories = list;
	r->repository_count = c->count;
	r->counts = c->counts;
	r->took_ms = took > UINT32_MAX ? UINT32_MAX : (uint32_t)took;
	cycle_close(c);
	if (who != NULL)
		c->ev.ended(c->loop, who, c->self, r);
}

static void note_usage(const struct cycle *c, struct cycle_report *r)
{
	struct store_usage u;

	if (!OK(store_usage(c->o.store, &u)))
		return;
	r->objects_stored = u.objects;
	r->octets_stored = u.used_octets;
}

static void finish(struct cycle *c)
{
	AUTO(mem_free) void *fetched = mem_alloc_array(c->anchors, sizeof(struct cycle_anchor)), *list = mem_alloc_array(c->count, sizeof(struct cycle_repository));
	AUTO(table_unref) struct payload_table *table = NULL, *unsafe = NULL;
	struct cycle_report r = { .result = validate_end(MOVE(c->validation)) };

	if (OK(r.result) && !OK(c->error))
		r.result = c->error;
	if (fetched == NULL || list == NULL) {
		r.result = FAIL(ERR_NOMEM);
		c->count = 0; /* nothing of them can be told */
	}
	if (OK(r.result))
		r.result = stored_write_kept(c->stored);
	if (OK(r.result))
		r.result = stored_sweep(c->stored, c->o.now);
	if (OK(r.result))
		r.result = collector_finish(c->collector, c->o.generation, &table);
	unsafe_seal(c->unsafe);
	if (OK(r.result))
		r.result = unsafe_part(c->unsafe, c->o.unsafe, c->o.generation, &table, &unsafe);
	r.unsafe = unsafe;
	r.unsafe_left_out = unsafe_left_out(c->unsafe);
	r.table = OK(r.result) ? table : NULL;
	r.points = collector_points(c->collector, &r.point_count);
	r.facts = collector_repositories(c->collector, &r.fact_count);
	note_usage(c, &r);
	tell_end(c, &r, fetched, list);
}

static bool is_under_way(struct cycle *c)
{
	bool any = false;

	lock_take(&c->lock);
	for (size_t i = 0; i < c->count && !any; i++)
		any = c->places[i].place->state == STATE_UNDER_WAY;
	lock_give(&c->lock);
	return any;
}

/* After everything that happens: what is new is begun, and perhaps all is done. */
static void check(struct cycle *c)
{
	bool idle;

	do {
		struct place *p;

		if (c->closed)
			return;
		idle = validate_is_idle(c->validation);
		p = next_new(c);
		if (p == NULL)
			break;
		place_begin(p);
	} while (true);
	if (idle && ((c->posts_left == 0 && !is_under_way(c)) || !OK(c->error) || validate_has_failed(c->validation)))
		finish(c);
}

static void hurry(struct cycle *c)
{
	lock_take(&c->lock);
	c->late = true;
	lock_give(&c->lock);
	for (size_t i = 0; i < c->count && !c->closed; i++) {
		struct place *p = c->places[i].place;

		if (p->state != STATE_NEW && p->state != STATE_UNDER_WAY)
			continue;
		count_late(c);
		place_done(p, CYCLE_FAILED, "given up: the run took too long");
	}
	for (size_t i = 0; i < c->anchors && !c->closed; i++) {
		struct anchor_report r = { .uri = "", .why = "given up: the run took too long\n" };

		if (!c->posts[i].done)
			post_done(&c->posts[i], &r);
	}
	if (!c->closed)
		check(c);
}

static void on_deadline(struct loop *l, void *object)
{
	(void)l;
	hurry((struct cycle *)object);
}

static void on_start(struct loop *l, void *object)
{
	struct cycle *c = (struct cycle *)object;
	struct result r;

	(void)l;
	c->deadline.v = 0;
	r = loop_timer(c->loop, &cycle_loop_type, c->self.v, on_deadline, c->o.limits.run_ms, &c->deadline);
	if (!OK(r))
		fail_run(c, r);
	begin_anchors(c);
	check(c);
}

/* ----------------------------------------------------------------------------------------------------------------------- beginning */

static RESULT fill(struct cycle *c, const struct cycle_options *o)
{
	size_t n = locators_count(o->locators);

	c->o = *o;
	c->anchors = n;
	if (o->fetcher == NULL)
		c->late = true;
	c->results = mem_alloc_array(n, sizeof *c->results);
	c->per_anchor = mem_alloc_array(n, sizeof *c->per_anchor);
	c->buckets = mem_alloc_array(BUCKETS, sizeof *c->buckets);
	c->stored = stored_new(o->store, o->rrdp);
	c->collector = collector_new(o->refused);
	c->unsafe = unsafe_new(o->unsafe_ranges);
	c->posts = mem_alloc_array(n, sizeof *c->posts);
	if (c->results == NULL || c->per_anchor == NULL || c->buckets == NULL || c->stored == NULL || c->collector == NULL || c->unsafe == NULL || c->posts == NULL)
		return FAIL(ERR_NOMEM);
	collector_note_unsafe(c->collector, c->unsafe);
	if (!o->rrdp)
		collector_by_module(c->collector);
	if (o->points_key != NULL)
		collector_note_points(c->collector, o->points_key);
	for (size_t i = 0; i < n; i++) {
		c->posts[i].c = c;
		c->posts[i].anchor = i;
	}
	c->posts_left = n;
	return DONE;
}

static RESULT begin_validation(struct cycle *c)
{
	struct validate_options v = { .now = c->o.now, .threads = c->o.threads > 0 ? c->o.threads : 1, .limits = c->o.validate_limits, .objects = stored_objects(c->stored),
		.sink = collector_sink(c->collector), .keeper = stored_keeper(c->stored), .gate = &c->gate, .anchors = locators_list(c->o.locators),
		.anchor_count = c->anchors };

	return validate_begin(&v, c->results, &c->validation);
}

RESULT cycle_begin(struct loop *l, const struct cycle_options *o, const struct cycle_events *ev, cycle_h *ret)
{
	AUTO(cycle_free) struct cycle *c = mem_alloc(sizeof *c);
	struct result r;

	if (c == NULL)
		return FAIL(ERR_NOMEM);
	lock_init(&c->lock);
	c->loop = l;
	c->ev = *ev;
	c->gate = (struct validate_gate){ .may_pass = gate_may_pass, .idle = gate_idle };
	c->begun_ms = now_ms(loop_now(l));
	TRY(fill(c, o));
	c->self = cycle_enlist(l, c);
	if (c->self.v == 0)
		return FAIL(ERR_NOMEM);
	r = loop_timer(l, &cycle_loop_type, c->self.v, on_start, 0, &c->deadline);
	if (OK(r))
		r = begin_validation(c);
	if (!OK(r)) {
		loop_timer_stop(l, &c->deadline);
		cycle_retire(l, c->self);
		return r;
	}
	*ret = c->self;
	(void)MOVE(c); /* own-ok: R3 the loop has it by its handle until it is buried */
	return DONE;
}

void cycle_hurry(struct loop *l, cycle_h h)
{
	struct cycle *c = cycle_get(l, h);

	if (c != NULL)
		hurry(c);
}

void cycle_stop(struct loop *l, cycle_h h)
{
	struct cycle *c = cycle_get(l, h);

	if (c != NULL)
		cycle_close(c);
}
