/*
 * run.c: points in a stack (the newest first, so that few wait), and threads that take them. Whoever has looked at a point tells the sink of it, and puts its children on the stack, under the
 * one lock; nothing else is shared. A point whose place the gate keeps shut is parked there until validate_release(), and no walk is repeated. Nothing is left to do when the stack is empty
 * and nobody is at work.
 */
#include "rpki/validate/validate.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "base/arena.h"
#include "base/lock.h"
#include "base/strbuf.h"
#include "rpki/object/roa.h"
#include "rpki/object/tal.h"
#include "rpki/validate/point.h"

struct validate_limits validate_limits_default(void)
{
	return (struct validate_limits){ .depth = 32, .branch = 50000, .files = 100000, .children = 100000, .payloads = 500000, .object = 16u << 20 };
}

struct parked {
	struct ca *first OWNED_FIELD;
};

struct validation {
	struct validate_options options;
	struct anchor_result *results BORROWED_FIELD;
	struct lock lock;
	pthread_cond_t news;
	struct ca *stack OWNED_FIELD;
	struct parked *parked OWNED_FIELD; /* by place */
	size_t places;
	void *threads OWNED_FIELD;         /* pthread_t: started of them */
	unsigned int started;
	unsigned int at_work;
	uint64_t releases;   /* a reader that is older does not see what has come */
	bool closed;         /* nothing new comes: who finds nothing to do leaves */
	struct result error; /* the first one: everybody stops */
};

/* --- telling the sink */

static RESULT tell_roa(struct validate_sink *s, const struct product *x)
{
	const struct roa roa = { .as = x->as, .blocks = x->what, .prefixes = x->prefixes };

	return s->ops->roa(s, &x->origin, &roa);
}

static RESULT tell_products(const struct validation *r, const struct point *p)
{
	struct validate_sink *s = r->options.sink;

	for (struct product *x = p->products; x != NULL; x = x->next) {
		x->origin.tal = r->options.anchors[p->ca->anchor].name;
		if (x->item->kind == COUNTED_ROA)
			TRY(tell_roa(s, x));
		else if (x->item->kind == COUNTED_ASPA)
			TRY(s->ops->aspa(s, &x->origin, x->as, x->list, x->n));
		else
			TRY(s->ops->router_key(s, &x->origin, x->as, x->ski, x->what));
	}
	return DONE;
}

static RESULT tell_point(struct validate_sink *s, const struct point *p)
{
	const struct told_point told = { .repository = p->ca->cert.repository, .notify = p->ca->cert.notify, .cert = p->ca->depth > 0 ? p->ca->uri : span_of(NULL, 0), .failed = p->failed,
		.kept = p->kept, .valid = p->valid, .invalid = p->invalid, .wanting = p->wanting };

	return s->ops->point(s, &told);
}

static RESULT tell(struct validation *r, struct point *p)
{
	struct anchor_result *to = &r->results[p->ca->anchor];

	to->points++;
	to->points_failed += p->failed;
	to->points_kept += p->kept;
	to->points_remembered += p->remembered;
	to->limits += p->limits;
	if (p->ca->depth == 0)
		to->usable = !p->failed;
	for (size_t i = 0; i < COUNTED; i++) {
		to->valid[i] += p->valid[i];
		to->invalid[i] += p->invalid[i];
	}
	for (size_t i = 0; i < WANTINGS; i++)
		to->wanting[i] += p->wanting[i];
	for (const struct refusal *f = p->refusals; f != NULL; f = f->next)
		r->options.sink->ops->refused(r->options.sink, r->options.anchors[p->ca->anchor].name, f->uri, f->why);
	if (r->options.sink->ops->point != NULL)
		TRY(tell_point(r->options.sink, p));
	TRY(point_keep(p));
	if (p->failed)
		return r->options.sink->ops->unsafe != NULL ? r->options.sink->ops->unsafe(r->options.sink, &p->ca->effective) : DONE;
	to->payloads += p->payloads;
	return tell_products(r, p);
}

static void put_on(struct ca **list, struct ca *given) TAKES(2);
static void put_on(struct ca **list, struct ca *given)
{
	given->next = MOVE(*list);
	*list = MOVE(given);
}

static void stop(struct validation *r, struct result why)
{
	if (OK(r->error))
		r->error = why;
}

/* The list of those that wait at a place; NULL: out of memory. */
static struct ca **waiting_at(struct validation *r, uint32_t place) BORROWED;
static struct ca **waiting_at(struct validation *r, uint32_t place)
{
	if (place >= r->places) {
		size_t n = (size_t)place + 64;

		if (!OK(mem_resize((void **)(void *)&r->parked, r->places, n, sizeof *r->parked)))
			return NULL;
		r->places = n;
	}
	return &r->parked[place].first;
}

/* Where a CA's point belongs: to the stack, or to those that wait. */
static struct ca **list_for(struct validation *r, const struct ca *c) BORROWED;
static struct ca **list_for(struct validation *r, const struct ca *c)
{
	struct validate_gate *g = r->options.gate;
	struct validate_point p = { .anchor = c->anchor, .notify = c->cert.notify, .manifest = c->cert.manifest,
		.branch_repositories = c->branch != NULL ? &c->branch->repositories : NULL };
	struct ca **list;
	uint32_t place;

	if (g == NULL || g->may_pass(g, &p, &place))
		return &r->stack;
	list = waiting_at(r, place);
	if (list == NULL)
		stop(r, FAIL(ERR_NOMEM));
	return list != NULL ? list : &r->stack;
}

static void push_all(struct validation *r, struct ca *given) TAKES(2);
static void push_all(struct validation *r, struct ca *given)
{
	while (given != NULL) {
		struct ca *next = MOVE(given->next); /* own-ok: R3 the rest of the list, which this loop holds */
		struct ca **list = list_for(r, given);

		put_on(list, MOVE(given));
		given = next;
	}
}

static void free_list(struct ca **list)
{
	while (*list != NULL) {
		AUTO(ca_free) struct ca *c = MOVE(*list);

		*list = MOVE(c->next);
	}
}

/* --- threads */

static RESULT look_at(struct validation *r, struct objects_reader *reader, struct ca *ca)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct point p = { .options = &r->options, .reader = reader, .ca = ca, .arena = a };
	struct result done = a != NULL ? point_validate(&p) : FAIL(ERR_NOMEM);

	lock_take(&r->lock);
	if (OK(done))
		done = tell(r, &p);
	if (OK(done) && !p.failed)
		push_all(r, MOVE(p.children));
	lock_give(&r->lock);
	free_list(&p.children);
	return done;
}

/* The next point, and how new a reader must be for it. False: there is none, and there will be none. Who waits keeps no reader: it would keep old pages of the store. */
static bool take_next(struct validation *r, struct objects_reader **reader, struct ca **ret, uint64_t *ret_releases)
{
	bool found;

	lock_take(&r->lock);
	while (r->stack == NULL && (r->at_work > 0 || !r->closed) && OK(r->error)) {
		objects_close(MOVE(*reader));
		pthread_cond_wait(&r->news, &r->lock.m);
	}
	found = r->stack != NULL && OK(r->error);
	if (found) {
		struct ca *c = MOVE(r->stack); /* own-ok: R3 the caller's from here on */

		r->stack = MOVE(c->next);
		*ret = c;
		*ret_releases = r->releases;
		r->at_work++;
	}
	lock_give(&r->lock);
	return found;
}

static void finished_one(struct validation *r, struct result how)
{
	struct validate_gate *g = r->options.gate;

	lock_take(&r->lock);
	r->at_work--;
	if (!OK(how))
		stop(r, how);
	if (g != NULL && r->at_work == 0 && (r->stack == NULL || !OK(r->error)))
		g->idle(g);
	pthread_cond_broadcast(&r->news);
	lock_give(&r->lock);
}

static RESULT renew(const struct validation *r, struct objects_reader **reader)
{
	objects_close(MOVE(*reader));
	return r->options.objects->ops->open(r->options.objects, reader);
}

static void work(struct validation *r)
{
	AUTO(objects_close) struct objects_reader *reader = NULL;
	uint64_t seen = 0;

	for (;;) {
		AUTO(ca_free) struct ca *c = NULL;
		struct result done = DONE;
		uint64_t releases;

		if (!take_next(r, &reader, &c, &releases))
			return;
		if (reader == NULL || seen != releases)
			done = renew(r, &reader);
		seen = releases;
		finished_one(r, OK(done) ? look_at(r, reader, c) : done);
	}
}

static void *thread_main(void *ctx) BORROWED;
static void *thread_main(void *ctx)
{
	work(ctx);
	return NULL;
}

/* With fewer than wanted it takes longer. Signals are the loop's. */
static RESULT start_threads(struct validation *r, unsigned int wanted)
{
	sigset_t all, old;

	if (wanted == 0)
		return DONE;
	r->threads = mem_alloc_array(wanted, sizeof(pthread_t));
	if (r->threads == NULL)
		return FAIL(ERR_NOMEM);
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	while (r->started < wanted && pthread_create((pthread_t *)r->threads + r->started, NULL, thread_main, r) == 0)
		r->started++;
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	return DONE;
}

static void join_threads(struct validation *r)
{
	lock_take(&r->lock);
	r->closed = true;
	pthread_cond_broadcast(&r->news);
	lock_give(&r->lock);
	while (r->started > 0)
		pthread_join(((pthread_t *)r->threads)[--r->started], NULL);
}

/* --- trust anchors */

static void refused(const struct validation *r, size_t at, struct span uri, const char *why)
{
	r->options.sink->ops->refused(r->options.sink, r->options.anchors[at].name, uri, why);
}

static void refused_by(const struct validation *r, size_t at, struct span uri, struct arena *a, const struct report *rep)
{
	char room[64];
	const char *why = arena_printf(a, "%s: %s", rule_place(rep->first, room), rule_text(rep->first));

	refused(r, at, uri, why != NULL ? why : "refused");
}

/* The certificate at one of the locator's URIs, when it is good. */
static RESULT look_for_anchor(struct validation *r, size_t at, struct objects_reader *reader, struct arena *a, const struct tal *tal, size_t i, struct ca **ret)
{
	AUTO(public_key_free) struct public_key *key = NULL;
	AUTO(ca_free) struct ca *c = NULL;
	struct span octets;
	struct report rep;
	struct result found = reader->ops->anchor(reader, tal->uris[i], r->options.limits.object, a, &octets);

	report_init(&rep);
	if (found.e == ERR_NOTFOUND || found.e == ERR_LIMIT || found.e == ERR_SYSTEM)
		return FAIL(ERR_NOTFOUND);
	TRY(found);
	found = ca_new(octets, CERT_TA, tal->uris[i], &rep, &c);
	if (OK(found))
		found = cert_check_ta(&c->cert, &tal->key.whole, r->options.now, &rep, &key);
	if (!OK(found) && found.e != ERR_FORMAT)
		return found;
	r->results[at].valid[COUNTED_CERT] += OK(found);
	r->results[at].invalid[COUNTED_CERT] += !OK(found);
	if (!OK(found)) {
		refused_by(r, at, tal->uris[i], a, &rep);
		return FAIL(ERR_NOTFOUND);
	}
	*ret = MOVE(c);
	return DONE;
}

static bool newer(const struct ca *a, const struct ca *b)
{
	return b == NULL || a->cert.not_before > b->cert.not_before || (a->cert.not_before == b->cert.not_before && a->cert.not_after > b->cert.not_after);
}

/* The newest that is good (RFC 8630 section 3): by another URI an older one may have come, today or long ago. */
static RESULT find_anchor(struct validation *r, size_t at, struct objects_reader *reader, struct arena *a, const struct tal *tal)
{
	AUTO(ca_free) struct ca *best = NULL;

	for (size_t i = 0; i < tal->count; i++) {
		AUTO(ca_free) struct ca *c = NULL;
		struct result found = look_for_anchor(r, at, reader, a, tal, i, &c);

		if (found.e == ERR_NOTFOUND)
			continue;
		TRY(found);
		if (!newer(c, best))
			continue;
		ca_free(MOVE(best));
		best = MOVE(c);
	}
	if (best == NULL) {
		refused(r, at, tal->count > 0 ? tal->uris[0] : span_text("trust anchor"), "RFC 8630 section 3: no good certificate of the trust anchor at any URI of its locator");
		return DONE;
	}
	best->anchor = at;
	best->effective = best->cert.claimed;
	best->chain_not_before = best->cert.not_before;
	best->chain_not_after = best->cert.not_after;
	best->stale = INT64_MAX;
	r->results[at].not_after = best->cert.not_after;
	push_all(r, MOVE(best));
	return DONE;
}

static RESULT start_anchor(struct validation *r, size_t at, struct objects_reader *reader)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct report rep;
	struct result read;
	struct tal tal;

	if (a == NULL)
		return FAIL(ERR_NOMEM);
	report_init(&rep);
	read = tal_read(r->options.anchors[at].text, a, &rep, &tal);
	if (read.e == ERR_FORMAT) {
		refused_by(r, at, span_text("trust anchor locator"), a, &rep);
		return DONE;
	}
	TRY(read);
	return find_anchor(r, at, reader, a, &tal);
}

RESULT validate_anchor(struct validation *r, size_t at)
{
	AUTO(objects_close) struct objects_reader *reader = NULL;
	struct result done;

	TRY(renew(r, &reader));
	lock_take(&r->lock);
	done = start_anchor(r, at, reader);
	pthread_cond_broadcast(&r->news);
	lock_give(&r->lock);
	return done;
}

/* --- whole */

static void validation_free(struct validation *r) TAKES(1);
static void validation_free(struct validation *r)
{
	if (r == NULL)
		return;
	join_threads(r);
	free_list(&r->stack);
	for (size_t i = 0; i < r->places; i++)
		free_list(&r->parked[i].first);
	mem_free(MOVE(r->parked));
	mem_free(MOVE(r->threads));
	pthread_cond_destroy(&r->news);
	lock_done(&r->lock);
	mem_free(r);
}
DEFINE_AUTO(struct validation, validation_free)

static struct validation *validation_new(const struct validate_options *o, struct anchor_result *results) OWNED_BY(validation_free);
static struct validation *validation_new(const struct validate_options *o, struct anchor_result *results)
{
	AUTO(validation_free) struct validation *r = mem_alloc(sizeof *r);

	if (r == NULL)
		return NULL;
	memset(results, 0, o->anchor_count * sizeof *results);
	r->options = *o;
	r->results = results;
	lock_init(&r->lock);
	pthread_cond_init(&r->news, NULL);
	return MOVE(r);
}

RESULT validate_begin(const struct validate_options *o, struct anchor_result *results, struct validation **ret)
{
	AUTO(validation_free) struct validation *r = validation_new(o, results);

	if (r == NULL)
		return FAIL(ERR_NOMEM);
	TRY(start_threads(r, o->threads));
	if (r->started == 0)
		return FAIL(ERR_SYSTEM);
	*ret = MOVE(r);
	return DONE;
}

void validate_release(struct validation *r, uint32_t place)
{
	lock_take(&r->lock);
	r->releases++;
	if (place < r->places)
		push_all(r, MOVE(r->parked[place].first));
	pthread_cond_broadcast(&r->news);
	lock_give(&r->lock);
}

bool validate_is_idle(struct validation *r)
{
	bool idle;

	lock_take(&r->lock);
	idle = r->at_work == 0 && (r->stack == NULL || !OK(r->error));
	lock_give(&r->lock);
	return idle;
}

bool validate_has_failed(struct validation *r)
{
	bool failed;

	lock_take(&r->lock);
	failed = !OK(r->error);
	lock_give(&r->lock);
	return failed;
}

RESULT validate_end(struct validation *given)
{
	AUTO(validation_free) struct validation *r = given;

	join_threads(r);
	return r->error;
}

void validate_abort(struct validation *given)
{
	AUTO(validation_free) struct validation *r = given;

	if (r == NULL)
		return;
	lock_take(&r->lock);
	stop(r, FAIL(ERR_CLOSED));
	lock_give(&r->lock);
}

RESULT validate_run(const struct validate_options *o, struct anchor_result *ret)
{
	AUTO(validation_free) struct validation *r = validation_new(o, ret);

	if (r == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t i = 0; i < o->anchor_count; i++)
		TRY(validate_anchor(r, i));
	TRY(start_threads(r, o->threads - 1));
	lock_take(&r->lock);
	r->closed = true;
	lock_give(&r->lock);
	work(r); /* this thread as well */
	join_threads(r);
	return r->error;
}
