/*
 * run.c: points in a stack (the newest first, so that few wait), and threads that take them. Whoever has looked at a point tells the sink of it, and puts its children on the stack, under the
 * one lock; nothing else is shared. The run is over when the stack is empty and nobody is at work.
 */
#include "rpki/validate/validate.h"

#include <errno.h>
#include <pthread.h>
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

struct run {
	const struct validate_options *o BORROWED_FIELD;
	struct anchor_result *results BORROWED_FIELD;
	struct lock lock;
	pthread_cond_t news;
	struct ca *stack OWNED_FIELD;
	unsigned int at_work;
	struct result error; /* the first one: everybody stops */
};

/* --- telling the sink */

static RESULT tell_roa(struct validate_sink *s, const struct product *x)
{
	const struct roa roa = { .as = x->as, .blocks = x->what, .prefixes = x->prefixes };

	return s->ops->roa(s, &x->origin, &roa);
}

static RESULT tell_products(const struct run *r, const struct point *p)
{
	struct validate_sink *s = r->o->sink;

	for (struct product *x = p->products; x != NULL; x = x->next) {
		x->origin.tal = r->o->anchors[p->ca->anchor].name;
		if (x->kind == COUNTED_ROA)
			TRY(tell_roa(s, x));
		else if (x->kind == COUNTED_ASPA)
			TRY(s->ops->aspa(s, &x->origin, x->as, x->list, x->n));
		else
			TRY(s->ops->router_key(s, &x->origin, x->as, x->ski, x->what));
	}
	return DONE;
}

static RESULT tell(struct run *r, struct point *p)
{
	struct anchor_result *to = &r->results[p->ca->anchor];

	to->points++;
	to->points_failed += p->failed;
	to->points_kept += p->kept;
	to->limits += p->limits;
	if (p->ca->depth == 0)
		to->usable = !p->failed;
	for (size_t i = 0; i < COUNTED; i++) {
		to->valid[i] += p->valid[i];
		to->invalid[i] += p->invalid[i];
	}
	for (const struct refusal *f = p->refusals; f != NULL; f = f->next)
		r->o->sink->ops->refused(r->o->sink, r->o->anchors[p->ca->anchor].name, f->uri, f->why);
	TRY(point_keep(p));
	if (p->failed)
		return DONE;
	to->payloads += p->payloads;
	return tell_products(r, p);
}

static void push_all(struct run *r, struct ca *given) TAKES(2);
static void push_all(struct run *r, struct ca *given)
{
	while (given != NULL) {
		struct ca *next = MOVE(given->next); /* own-ok: R3 the rest of the list, which this loop holds */

		given->next = MOVE(r->stack);
		r->stack = MOVE(given);
		given = next;
	}
}

/* --- threads */

static RESULT look_at(struct run *r, struct objects_reader *reader, struct ca *ca)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct point p = { .options = r->o, .reader = reader, .ca = ca, .arena = a };
	struct result done = a != NULL ? point_validate(&p) : FAIL(ERR_NOMEM);

	lock_take(&r->lock);
	if (OK(done))
		done = tell(r, &p);
	if (OK(done) && !p.failed)
		push_all(r, MOVE(p.children));
	lock_give(&r->lock);
	while (p.children != NULL) {
		AUTO(ca_free) struct ca *c = MOVE(p.children);

		p.children = MOVE(c->next);
	}
	return done;
}

static void stop(struct run *r, struct result why)
{
	if (OK(r->error))
		r->error = why;
}

/* The next point; NULL: there is none, and there will be none. */
static struct ca *take_next(struct run *r) OWNED_BY(ca_free);
static struct ca *take_next(struct run *r)
{
	AUTO(ca_free) struct ca *c = NULL;

	lock_take(&r->lock);
	while (r->stack == NULL && r->at_work > 0 && OK(r->error))
		pthread_cond_wait(&r->news, &r->lock.m);
	if (r->stack != NULL && OK(r->error)) {
		c = MOVE(r->stack);
		r->stack = MOVE(c->next);
		r->at_work++;
	}
	lock_give(&r->lock);
	return MOVE(c);
}

static void finished_one(struct run *r, struct result how)
{
	lock_take(&r->lock);
	r->at_work--;
	if (!OK(how))
		stop(r, how);
	pthread_cond_broadcast(&r->news);
	lock_give(&r->lock);
}

static void work(struct run *r)
{
	AUTO(objects_close) struct objects_reader *reader = NULL;
	struct result opened = r->o->objects->ops->open(r->o->objects, &reader);

	if (!OK(opened)) {
		lock_take(&r->lock);
		stop(r, opened);
		pthread_cond_broadcast(&r->news);
		lock_give(&r->lock);
		return;
	}
	for (;;) {
		AUTO(ca_free) struct ca *c = take_next(r);

		if (c == NULL)
			return;
		finished_one(r, look_at(r, reader, c));
	}
}

static void *thread_main(void *ctx) BORROWED;
static void *thread_main(void *ctx)
{
	work(ctx);
	return NULL;
}

static RESULT work_in_threads(struct run *r)
{
	unsigned int started = 0;
	AUTO(mem_free) void *ids = mem_alloc_array(r->o->threads, sizeof(pthread_t));

	if (ids == NULL)
		return FAIL(ERR_NOMEM);
	while (started + 1 < r->o->threads && pthread_create((pthread_t *)ids + started, NULL, thread_main, r) == 0)
		started++;
	work(r); /* this thread as well; with fewer than wanted it takes longer */
	for (unsigned int i = 0; i < started; i++)
		pthread_join(((pthread_t *)ids)[i], NULL);
	return r->error;
}

/* --- trust anchors */

static void refused(const struct run *r, size_t at, struct span uri, const char *why)
{
	r->o->sink->ops->refused(r->o->sink, r->o->anchors[at].name, uri, why);
}

static void refused_by(const struct run *r, size_t at, struct span uri, struct arena *a, const struct report *rep)
{
	char room[64];
	const char *why = arena_printf(a, "%s: %s", rule_place(rep->first, room), rule_text(rep->first));

	refused(r, at, uri, why != NULL ? why : "refused");
}

/* The first certificate at one of the locator's URIs that is good (RFC 8630 section 3). */
static RESULT find_anchor(struct run *r, size_t at, struct objects_reader *reader, struct arena *a, const struct tal *tal)
{
	for (size_t i = 0; i < tal->count; i++) {
		AUTO(public_key_free) struct public_key *key = NULL;
		AUTO(ca_free) struct ca *c = NULL;
		struct span octets;
		struct report rep;
		struct result found = reader->ops->anchor(reader, tal->uris[i], r->o->limits.object, a, &octets);

		report_init(&rep);
		if (found.e == ERR_NOTFOUND || found.e == ERR_LIMIT || found.e == ERR_SYSTEM)
			continue;
		TRY(found);
		found = ca_new(octets, CERT_TA, tal->uris[i], &rep, &c);
		if (OK(found))
			found = cert_check_ta(&c->cert, &tal->key.whole, r->o->now, &rep, &key);
		if (!OK(found) && found.e != ERR_FORMAT)
			return found;
		r->results[at].valid[COUNTED_CERT] += OK(found);
		r->results[at].invalid[COUNTED_CERT] += !OK(found);
		if (!OK(found)) {
			refused_by(r, at, tal->uris[i], a, &rep);
			continue;
		}
		c->anchor = at;
		c->effective = c->cert.claimed;
		c->chain_not_before = c->cert.not_before;
		c->chain_not_after = c->cert.not_after;
		c->stale = INT64_MAX;
		r->results[at].not_after = c->cert.not_after;
		push_all(r, MOVE(c));
		return DONE;
	}
	refused(r, at, tal->count > 0 ? tal->uris[0] : span_text("trust anchor"), "RFC 8630 section 3: no good certificate of the trust anchor at any URI of its locator");
	return DONE;
}

static RESULT start_anchor(struct run *r, size_t at, struct objects_reader *reader)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct report rep;
	struct result read;
	struct tal tal;

	if (a == NULL)
		return FAIL(ERR_NOMEM);
	report_init(&rep);
	read = tal_read(r->o->anchors[at].text, a, &rep, &tal);
	if (read.e == ERR_FORMAT) {
		refused_by(r, at, span_text("trust anchor locator"), a, &rep);
		return DONE;
	}
	TRY(read);
	return find_anchor(r, at, reader, a, &tal);
}

static RESULT start_anchors(struct run *r)
{
	AUTO(objects_close) struct objects_reader *reader = NULL;

	TRY(r->o->objects->ops->open(r->o->objects, &reader));
	for (size_t i = 0; i < r->o->anchor_count; i++)
		TRY(start_anchor(r, i, reader));
	return DONE;
}

RESULT validate_run(const struct validate_options *o, struct anchor_result *ret)
{
	struct run r = { .o = o, .results = ret };
	struct result done;

	memset(ret, 0, o->anchor_count * sizeof *ret);
	lock_init(&r.lock);
	pthread_cond_init(&r.news, NULL);
	done = start_anchors(&r);
	if (OK(done))
		done = work_in_threads(&r);
	while (r.stack != NULL) {
		AUTO(ca_free) struct ca *c = MOVE(r.stack);

		r.stack = MOVE(c->next);
	}
	pthread_cond_destroy(&r.news);
	lock_done(&r.lock);
	return done;
}
