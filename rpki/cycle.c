/*
 * cycle.c: a run from its beginning to its end, which is when validation is idle, no repository is under way, and no trust anchor is. In this order: once idle, nobody makes a new entry of
 * the gate's table (cycle_gate.c).
 */
#include "rpki/cycle_inside.h"

#include <string.h>

#include "base/mem.h"
#include "rpki/routes/table.h"
#include "rpki/store/store.h"

LOOP_HANDLE_IMPL(cycle)

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
	cycle_free(PARENT_OF(d, struct cycle, dead));
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

/* ------------------------------------------------------------------------------------------------------------------------- the end */

void cycle_fail(struct cycle *c, struct result why)
{
	if (OK(c->error))
		c->error = why;
}

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

void cycle_check(struct cycle *c)
{
	bool idle;

	do {
		if (c->closed)
			return;
		idle = validate_is_idle(c->validation);
	} while (cycle_begin_next(c));
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

		if (p->state == STATE_NEW || p->state == STATE_UNDER_WAY)
			place_give_up(p, "given up: the run took too long");
	}
	for (size_t i = 0; i < c->anchors && !c->closed; i++)
		if (!c->posts[i].done)
			post_give_up(&c->posts[i], "given up: the run took too long\n");
	if (!c->closed)
		cycle_check(c);
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
		cycle_fail(c, r);
	cycle_begin_anchors(c);
	cycle_check(c);
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
	c->buckets = mem_alloc_array(CYCLE_BUCKETS, sizeof *c->buckets);
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
	c->gate = (struct validate_gate){ .may_pass = cycle_gate_may_pass, .idle = cycle_gate_idle };
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
