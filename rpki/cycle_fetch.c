/* cycle_fetch.c: repositories and trust anchors' certificates, being fetched. All of it is the loop's. */
#include "rpki/cycle_inside.h"

#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "rpki/fetch/patience.h"
#include "rpki/store/store.h"

#define ANCHOR_OCTETS (1u << 20)

LOOP_HANDLE_IMPL(place)
LOOP_HANDLE_IMPL(post)

static uint64_t ms_now(const struct cycle *c)
{
	return now_ms(loop_now(c->loop));
}

void place_stop(struct place *p)
{
	struct loop *l = p->c->loop;

	loop_timer_stop(l, &p->deadline);
	rrdp_fetch_stop(l, p->by_rrdp);
	rsync_fetch_stop(l, p->by_rsync);
	if (p->self.v != 0)
		place_retire(l, p->self);
	p->self.v = 0;
}

void post_stop(struct post *p)
{
	struct loop *l = p->c->loop;

	loop_timer_stop(l, &p->deadline);
	anchor_fetch_stop(l, p->fetch);
	if (p->self.v != 0)
		post_retire(l, p->self);
	p->self.v = 0;
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

/* A damaged store ends the run: nothing in it is to be believed. One that is full only leaves this repository as it was. */
static void hear_of_store(struct cycle *c, enum err e)
{
	if (e == ERR_FORMAT)
		cycle_fail(c, FAIL(ERR_FORMAT));
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
	cycle_check(c);
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
	cycle_check(c);
}

void place_give_up(struct place *p, const char *why)
{
	count_late(p->c);
	place_done(p, CYCLE_FAILED, why);
}

static void on_place_late(struct loop *l, void *object)
{
	struct place *p = (struct place *)object;
	struct cycle *c = p->c;

	(void)l;
	note_patience(p, true);
	place_give_up(p, "given up: not done within the time that a repository has");
	cycle_check(c);
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

bool cycle_begin_next(struct cycle *c)
{
	struct place *p = next_new(c);

	if (p != NULL)
		place_begin(p);
	return p != NULL;
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
		cycle_fail(c, x);
}

static void on_anchor(struct loop *l, void *object, anchor_fetch_h f, const struct anchor_report *r)
{
	struct post *p = (struct post *)object;
	struct cycle *c = p->c;

	(void)l, (void)f;
	post_done(p, r);
	cycle_check(c);
}

void post_give_up(struct post *p, const char *why)
{
	struct anchor_report r = { .uri = "", .why = why };

	count_late(p->c);
	post_done(p, &r);
}

static void on_anchor_late(struct loop *l, void *object)
{
	struct post *p = (struct post *)object;
	struct cycle *c = p->c;

	(void)l;
	post_give_up(p, "given up: not done within the time that a repository has\n");
	cycle_check(c);
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

void cycle_begin_anchors(struct cycle *c)
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
