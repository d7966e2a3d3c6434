#include "rpki/guard.h"

#include <stdlib.h>
#include <string.h>

#include "rpki/routes/expiry.h"
#include "rpki/validate/collect.h"

#define ABOVE 128u /* points on the way up: more than validation goes down */

enum fate { FATE_THERE, FATE_GONE, FATE_MISSING };

struct guard {
	struct guard_options o;
	struct hash_key key;
	struct payload_table *served OWNED_FIELD; /* NULL: nothing was applied yet */
	struct point_fact *points OWNED_FIELD;    /* the last known of each, in the order of ids */
	size_t npoints;
	char **names OWNED_FIELD;                 /* of the reports */
	struct guard_report *reports OWNED_FIELD;
	size_t nreports, room;
	uint64_t held;
};

static void names_free(char **names, size_t n)
{
	for (size_t i = 0; names != NULL && i < n; i++)
		mem_free(MOVE(names[i]));
}

void guard_free(struct guard *g)
{
	if (g == NULL)
		return;
	table_unref(MOVE(g->served));
	mem_free(MOVE(g->points));
	names_free(g->names, g->nreports);
	mem_free(MOVE(g->names));
	mem_free(MOVE(g->reports));
	mem_free(g);
}

struct guard *guard_new(const struct guard_options *o, const struct hash_key *key)
{
	AUTO(guard_free) struct guard *g = mem_alloc(sizeof *g);

	if (g == NULL)
		return NULL;
	g->key = *key;
	guard_set_options(g, o);
	return MOVE(g);
}

const struct hash_key *guard_key(const struct guard *g)
{
	return &g->key;
}

void guard_set_options(struct guard *g, const struct guard_options *o)
{
	g->o = *o;
}

void guard_recall(struct guard *g, const struct payload_table *served)
{
	if (g->served == NULL)
		g->served = table_ref(served);
}

const struct guard_report *guard_reports(const struct guard *g, size_t *ret_n)
{
	*ret_n = g->nreports;
	return g->reports;
}

uint64_t guard_held(const struct guard *g)
{
	return g->held;
}

/* ------------------------------------------------------------------------------------------------------------------ points */

static int by_id(const void *pa, const void *pb)
{
	const struct point_fact *a = pa, *b = pb;

	return a->id < b->id ? -1 : a->id > b->id;
}

static const struct point_fact *find_point(const struct point_fact *points, size_t n, uint64_t id) BORROWED;
static const struct point_fact *find_point(const struct point_fact *points, size_t n, uint64_t id)
{
	struct point_fact key = { .id = id };

	return n > 0 ? bsearch(&key, points, n, sizeof *points, by_id) : NULL;
}

/* One of each id: two CAs may share a folder while a key rolls over, and then one that is good is enough. Returns how many are left. */
static size_t sort_points(struct point_fact *p, size_t n)
{
	size_t out = 0;

	if (n > 1)
		qsort(p, n, sizeof *p, by_id);
	for (size_t i = 0; i < n; i++) {
		if (out > 0 && p[out - 1].id == p[i].id)
			p[out - 1].failed = p[out - 1].failed && p[i].failed;
		else
			p[out++] = p[i];
	}
	return out;
}

struct facts {
	const struct guard_run *run BORROWED_FIELD;
	struct point_fact *now BORROWED_FIELD; /* of this run, sorted */
	size_t n;
	const struct point_fact *before BORROWED_FIELD;
	size_t nbefore;
};

static bool anchor_usable(const struct guard_run *run, const char *name, bool *ret_known)
{
	for (size_t i = 0; i < run->nanchors; i++) {
		if (strcmp(run->anchors[i].name, name) != 0)
			continue;
		*ret_known = true;
		return run->anchors[i].usable;
	}
	*ret_known = false;
	return false;
}

/* Whether data are wanting for an object of this trust anchor in the point `id`. */
static bool is_wanting(const struct facts *f, const char *tal, uint64_t id)
{
	bool known, usable = anchor_usable(f->run, tal, &known);

	if (!known)
		return false; /* its locator was taken away */
	if (!usable)
		return true;
	for (unsigned int i = 0; i < ABOVE && id != 0; i++) {
		const struct point_fact *p = find_point(f->now, f->n, id);

		if (p != NULL)
			return p->failed;
		p = find_point(f->before, f->nbefore, id);
		id = p != NULL ? p->parent : 0;
	}
	return false;
}

/* ---------------------------------------------------------------------------------------------------------------- payloads */

/* Of payload i of what was served, that is not in the fresh table. */
static enum fate fate_of(const struct facts *f, const struct guard *g, enum payload_kind k, size_t i)
{
	for (size_t w = 0; w < table_sources(g->served, k, i); w++) {
		struct payload_source s = table_source(g->served, k, i, w);

		if (s.kind == SOURCE_EXCEPTION || s.uri == NULL || source_expiry(&s) < f->run->now)
			continue;
		if (is_wanting(f, s.tal, point_id(&g->key, span_text(s.uri))))
			return FATE_MISSING;
	}
	return FATE_GONE;
}

/* The trust anchor of a payload: that of its first source; NULL: none. */
static const char *anchor_of(const struct payload_table *t, enum payload_kind k, size_t i) BORROWED;
static const char *anchor_of(const struct payload_table *t, enum payload_kind k, size_t i)
{
	for (size_t w = 0; w < table_sources(t, k, i); w++) {
		struct payload_source s = table_source(t, k, i, w);

		if (s.kind != SOURCE_EXCEPTION)
			return s.tal;
	}
	return NULL;
}

static RESULT report_for(struct guard *g, const char *anchor, size_t *ret)
{
	for (size_t i = 0; i < g->nreports; i++) {
		if (strcmp(g->names[i], anchor) == 0) {
			*ret = i;
			return DONE;
		}
	}
	if (g->nreports == g->room) {
		size_t room = g->room * 2 + 8;

		TRY(mem_resize((void **)(void *)&g->names, g->room, room, sizeof *g->names));
		TRY(mem_resize((void **)(void *)&g->reports, g->room, room, sizeof *g->reports));
		g->room = room;
	}
	g->names[g->nreports] = mem_strdup(anchor);
	if (g->names[g->nreports] == NULL)
		return FAIL(ERR_NOMEM);
	g->reports[g->nreports] = (struct guard_report){ .anchor = g->names[g->nreports] };
	*ret = g->nreports++;
	return DONE;
}

/* What became of each payload that was served: fate and report of payload n of kind k, in one row. */
struct judged {
	uint8_t *fate[PAYLOAD_KINDS] OWNED_FIELD;
	uint16_t *report[PAYLOAD_KINDS] OWNED_FIELD;
};

static void judged_done(struct judged *j)
{
	for (unsigned int k = 0; k < PAYLOAD_KINDS; k++) {
		mem_free(MOVE(j->fate[k]));
		mem_free(MOVE(j->report[k]));
	}
}

static RESULT judge_kind(struct guard *g, const struct facts *f, const struct payload_table *fresh, enum payload_kind k, struct judged *j)
{
	size_t n = table_count(g->served, k), at = 0;

	j->fate[k] = mem_alloc_array(n, sizeof *j->fate[k]);
	j->report[k] = mem_alloc_array(n, sizeof *j->report[k]);
	if (j->fate[k] == NULL || j->report[k] == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t i = 0; i < n; i++) {
		const char *anchor = anchor_of(g->served, k, i);
		size_t r = 0;

		if (anchor == NULL) {
			j->fate[k][i] = FATE_GONE; /* nobody's: not ours to hold */
			continue;
		}
		TRY(report_for(g, anchor, &r));
		if (r > UINT16_MAX)
			return FAIL(ERR_LIMIT);
		j->report[k][i] = (uint16_t)r;
		j->fate[k][i] = table_has_next(fresh, g->served, k, i, &at) ? FATE_THERE : (uint8_t)fate_of(f, g, k, i);
		g->reports[r].served++;
		g->reports[r].missing += j->fate[k][i] == FATE_MISSING;
		g->reports[r].gone += j->fate[k][i] == FATE_GONE;
	}
	return DONE;
}

/* Begins, goes on with or ends holding, anchor by anchor. True: something is held. */
static bool decide(struct guard *g, int64_t now)
{
	uint64_t served = 0, missing = 0;
	bool all, any = false;

	for (size_t i = 0; i < g->nreports; i++) {
		served += g->reports[i].served;
		missing += g->reports[i].missing;
	}
	all = missing > 0 && missing * 100 >= served * g->o.share;
	g->held = 0;
	for (size_t i = 0; i < g->nreports; i++) {
		struct guard_report *r = &g->reports[i];
		bool implausible = r->missing > 0 && (all || r->missing * 100 >= r->served * g->o.share);

		if (!g->o.on || r->missing == 0) {
			r->since = 0;
			continue;
		}
		if (r->since == 0 && implausible)
			r->since = now;
		if (r->since != 0 && now - r->since > g->o.most_sec) {
			r->given_up = true;
			r->since = 0;
		}
		r->held = r->since != 0 ? r->missing : 0;
		g->held += r->held;
		any = any || r->held > 0;
	}
	return any;
}

struct leaving {
	const struct guard *g BORROWED_FIELD;
	const struct judged *j BORROWED_FIELD;
};

static bool leave_out(void *ctx, const struct payload_table *t, enum payload_kind k, size_t i)
{
	const struct leaving *l = ctx;

	(void)t;
	return l->j->fate[k][i] != FATE_MISSING || l->g->reports[l->j->report[k][i]].held == 0;
}

static RESULT join(const struct guard *g, const struct judged *j, const struct payload_table *fresh, struct payload_table **ret)
{
	AUTO(table_builder_free) struct table_builder *b = table_builder_new(NULL);
	struct leaving l = { g, j };
	size_t left[PAYLOAD_KINDS] = { 0 };

	if (b == NULL)
		return FAIL(ERR_NOMEM);
	TRY(table_builder_add_table(b, fresh));
	TRY(table_builder_add_unless(b, g->served, leave_out, &l, left));
	return table_builder_finish(MOVE(b), table_generation(fresh), ret);
}

/* ------------------------------------------------------------------------------------------------------------------- a run */

/* Points of this run, and below points that are not good those of before: one may ask for them again. */
static RESULT merge_points(const struct facts *f, bool holding, struct point_fact **ret, size_t *ret_n)
{
	AUTO(mem_free) void *room = mem_alloc_array(f->n + (holding ? f->nbefore : 0), sizeof(struct point_fact));
	struct point_fact *p = room;
	size_t n = f->n;

	if (p == NULL)
		return FAIL(ERR_NOMEM);
	if (n > 0)
		memcpy(p, f->now, n * sizeof *p);
	for (size_t i = 0; holding && i < f->nbefore; i++)
		if (find_point(f->now, f->n, f->before[i].id) == NULL)
			p[n++] = f->before[i];
	*ret_n = sort_points(p, n);
	*ret = MOVE(room);
	return DONE;
}

static RESULT apply(struct guard *g, const struct facts *f, const struct payload_table *fresh, struct judged *j, struct payload_table **ret)
{
	AUTO(table_unref) struct payload_table *t = NULL;
	AUTO(mem_free) void *points = NULL;
	bool holding = false;
	size_t n = 0;

	for (size_t i = 0; i < g->nreports; i++) {
		struct guard_report *r = &g->reports[i];

		*r = (struct guard_report){ .anchor = r->anchor, .since = r->since };
	}
	for (unsigned int k = 0; k < PAYLOAD_KINDS && g->served != NULL; k++)
		TRY(judge_kind(g, f, fresh, k, j));
	holding = decide(g, f->run->now);
	if (holding)
		TRY(join(g, j, fresh, &t));
	else
		t = table_ref(fresh);
	TRY(merge_points(f, holding, (struct point_fact **)(void *)&points, &n));
	mem_free(MOVE(g->points));
	g->points = MOVE(points);
	g->npoints = n;
	table_unref(MOVE(g->served));
	g->served = table_ref(t);
	*ret = MOVE(t);
	return DONE;
}

RESULT guard_apply(struct guard *g, const struct guard_run *run, const struct payload_table *fresh, struct payload_table **ret)
{
	AUTO(mem_free) void *now = mem_alloc_array(run->npoints, sizeof(struct point_fact));
	struct facts f = { .run = run, .now = now, .before = g->points, .nbefore = g->npoints };
	struct judged j = { .fate = { NULL } };
	struct result r;

	if (now == NULL)
		return FAIL(ERR_NOMEM);
	if (run->npoints > 0)
		memcpy(now, run->points, run->npoints * sizeof(struct point_fact));
	f.n = sort_points(now, run->npoints);
	r = apply(g, &f, fresh, &j, ret);
	judged_done(&j);
	return r;
}
