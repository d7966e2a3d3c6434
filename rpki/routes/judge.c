#include "rpki/routes/judge.h"

#include <stdatomic.h>

#include "base/mem.h"
#include "base/strbuf.h"

/* An index that several views share: announced routes change often, VRPs seldom. */
struct index {
	atomic_uint refs;
	struct validity_index *x OWNED_FIELD;
};

struct route_view {
	atomic_uint refs;
	uint64_t generation;
	struct index *vrps OWNED_FIELD;        /* a share; NULL: none */
	struct announced *announced OWNED_FIELD; /* a share; NULL: no source */
	struct announced *database OWNED_FIELD;  /* a share; NULL: none */
};

static void index_unref(struct index *i) TAKES(1);
DEFINE_AUTO(struct index, index_unref)
static void index_unref(struct index *i)
{
	if (i == NULL || atomic_fetch_sub_explicit(&i->refs, 1, memory_order_acq_rel) != 1)
		return;
	validity_free(MOVE(i->x));
	mem_free(i);
}

void route_view_unref(struct route_view *v)
{
	if (v == NULL || atomic_fetch_sub_explicit(&v->refs, 1, memory_order_acq_rel) != 1)
		return;
	index_unref(MOVE(v->vrps));
	announced_unref(MOVE(v->announced));
	announced_unref(MOVE(v->database));
	mem_free(v);
}

struct route_view *route_view_ref(const struct route_view *v)
{
	struct route_view *shared = (struct route_view *)(uintptr_t)v; /* only the count is written */

	(void)atomic_fetch_add_explicit(&shared->refs, 1, memory_order_relaxed);
	return shared;
}

static RESULT view_new(struct index *vrps, const struct announced *announced, const struct announced *database, uint64_t generation, struct route_view **ret) TAKES(1);
static RESULT view_new(struct index *vrps, const struct announced *announced, const struct announced *database, uint64_t generation, struct route_view **ret)
{
	AUTO(index_unref) struct index *mine = vrps;
	AUTO(route_view_unref) struct route_view *v = (struct route_view *)mem_alloc(sizeof *v);

	if (v == NULL)
		return FAIL(ERR_NOMEM);
	atomic_init(&v->refs, 1);
	v->generation = generation;
	v->vrps = MOVE(mine);
	if (announced != NULL)
		v->announced = announced_ref(announced);
	if (database != NULL)
		v->database = announced_ref(database);
	*ret = MOVE(v);
	return DONE;
}

RESULT route_view_new(const struct payload_table *table, const struct announced *announced, uint64_t generation, struct route_view **ret)
{
	AUTO(index_unref) struct index *i = NULL;

	if (table != NULL) {
		i = (struct index *)mem_alloc(sizeof *i);
		if (i == NULL)
			return FAIL(ERR_NOMEM);
		atomic_init(&i->refs, 1);
		TRY(validity_new(table, &i->x));
	}
	return view_new(MOVE(i), announced, NULL, generation, ret);
}

static struct index *index_ref(const struct index *i) OWNED_BY(index_unref);
static struct index *index_ref(const struct index *i)
{
	struct index *shared = (struct index *)(uintptr_t)i; /* only the count is written */

	if (shared != NULL)
		(void)atomic_fetch_add_explicit(&shared->refs, 1, memory_order_relaxed);
	return shared;
}

RESULT route_view_with(const struct route_view *v, const struct announced *announced, uint64_t generation, struct route_view **ret)
{
	return view_new(index_ref(v->vrps), announced, v->database, generation, ret);
}

RESULT route_view_with_database(const struct route_view *v, const struct announced *database, uint64_t generation, struct route_view **ret)
{
	return view_new(index_ref(v->vrps), v->announced, database, generation, ret);
}

uint64_t route_view_generation(const struct route_view *v)
{
	return v->generation;
}

bool route_view_has_vrps(const struct route_view *v)
{
	return v->vrps != NULL;
}

/* ---------------------------------------------------------------------------------------------------------------- verdicts */

/* The VRP to show: one that says why. */
struct search {
	uint32_t origin;
	unsigned int len; /* of the route; 0 with any_length */
	bool any_length;
	bool found, found_own, matched;
	struct vrp vrp;
};

/* The most specific comes first. A match ends it; one of the same origin tells more of a length than others do, and any AS more than AS 0. */
static bool look(void *ctx, const struct vrp *v)
{
	struct search *s = (struct search *)ctx;
	bool own = s->origin != 0 ? v->asn == s->origin : v->asn != 0;

	if (own && s->origin != 0 && (s->any_length || s->len <= v->maxlen)) {
		s->vrp = *v;
		s->matched = s->found = true;
		return false;
	}
	if (!s->found || (own && !s->found_own))
		s->vrp = *v;
	s->found = true;
	s->found_own = s->found_own || own;
	return true;
}

static struct prefix host_of(const struct addr *a)
{
	return (struct prefix){ .a = *a, .len = a->family == ADDR_V4 ? 32 : 128 };
}

/* One route to the address. */
static struct route_verdict judge_one(const struct validity_index *x, const struct addr *addr, const struct prefix *route, const struct announced_route *from)
{
	struct search s = { .origin = from->origin, .len = route->len, .any_length = (from->source & SOURCE_WITHOUT_LENGTH) != 0 };
	struct route_verdict v = { .has_route = true, .route = *route, .from = *from };
	struct prefix host = host_of(addr);

	validity_covering(x, s.any_length ? &host : route, look, &s);
	v.has_vrp = s.found;
	v.vrp = s.vrp;
	v.state = s.matched ? VERDICT_VALID : !s.found ? VERDICT_NOT_FOUND : s.found_own && s.origin != 0 ? VERDICT_INVALID_LENGTH : VERDICT_INVALID_ORIGIN;
	return v;
}

static struct route_verdict judge_cover(const struct validity_index *x, const struct addr *addr)
{
	struct prefix host = host_of(addr);
	struct search s = { .any_length = true };
	struct route_verdict v = { .state = VERDICT_UNCOVERED };

	validity_covering(x, &host, look, &s);
	if (!s.found)
		return v;
	v.has_vrp = true;
	v.vrp = s.vrp;
	v.state = validity_cover(x, &host) == COVER_AS0 ? VERDICT_AS0 : VERDICT_COVERED;
	return v;
}

static struct route_verdict judge_routes(const struct validity_index *x, const struct addr *addr, const struct announced_routes *routes)
{
	struct route_verdict best = { .state = VERDICT_UNKNOWN };
	bool invalid = false;

	for (size_t i = 0; i < routes->n; i++) {
		struct announced_route from = announced_at(routes, i);
		struct route_verdict v = judge_one(x, addr, &routes->prefix, &from);

		invalid = invalid || verdict_rank(v.state) == 2;
		if (i == 0 || verdict_rank(v.state) < verdict_rank(best.state))
			best = v;
	}
	best.contested = invalid && verdict_rank(best.state) < 2;
	return best;
}

/* What is announced goes before what a database thinks. */
bool route_view_find(const struct route_view *v, const struct addr *addr, struct announced_routes *ret)
{
	if (v->announced != NULL && announced_find(v->announced, addr, ret))
		return true;
	return v->database != NULL && announced_find(v->database, addr, ret);
}

const struct announced *route_view_database(const struct route_view *v)
{
	return v->database;
}

struct route_verdict route_judge(const struct route_view *v, const struct addr *addr)
{
	struct route_verdict verdict = { .state = VERDICT_UNKNOWN };
	struct announced_routes routes;

	if ((addr->family == ADDR_V4 || addr->family == ADDR_V6) && v->vrps != NULL) {
		if (v->announced == NULL && v->database == NULL)
			verdict = judge_cover(v->vrps->x, addr);
		else if (route_view_find(v, addr, &routes))
			verdict = judge_routes(v->vrps->x, addr, &routes);
	}
	verdict.generation = v->generation;
	return verdict;
}

const struct announced *route_view_announced(const struct route_view *v)
{
	return v->announced;
}

size_t route_view_octets(const struct route_view *v)
{
	return v->vrps != NULL ? table_octets(validity_table(v->vrps->x)) + validity_octets(v->vrps->x) : 0;
}

void route_view_covering(const struct route_view *v, const struct prefix *p, validity_vrp_fn *fn, void *ctx)
{
	if (v->vrps != NULL)
		validity_covering(v->vrps->x, p, fn, ctx);
}

struct route_verdict route_judge_one(const struct route_view *v, const struct prefix *route, const struct announced_route *from)
{
	struct route_verdict verdict = { .state = VERDICT_UNKNOWN, .has_route = true, .route = *route, .from = *from };

	if (v->vrps != NULL)
		verdict = judge_one(v->vrps->x, &route->a, route, from);
	verdict.generation = v->generation;
	return verdict;
}

unsigned int verdict_rank(enum verdict_state s)
{
	switch (s) {
	case VERDICT_VALID:
		return 0;
	case VERDICT_INVALID_ORIGIN:
	case VERDICT_INVALID_LENGTH:
		return 2;
	case VERDICT_UNKNOWN:
	case VERDICT_NOT_FOUND:
	case VERDICT_COVERED:
	case VERDICT_UNCOVERED:
	case VERDICT_AS0:
	case VERDICT_STATES:
		return 1;
	}
	return 1;
}

const char *verdict_state_text(enum verdict_state s)
{
	static const char *const texts[VERDICT_STATES] = {
		[VERDICT_UNKNOWN] = "unknown", [VERDICT_VALID] = "valid", [VERDICT_INVALID_ORIGIN] = "invalid origin", [VERDICT_INVALID_LENGTH] = "invalid length",
		[VERDICT_NOT_FOUND] = "not-found", [VERDICT_COVERED] = "covered", [VERDICT_UNCOVERED] = "uncovered", [VERDICT_AS0] = "AS0 only",
	};

	return s < VERDICT_STATES ? texts[s] : "unknown";
}

void verdict_evidence(const struct route_verdict *v, struct strbuf *out)
{
	char text[ADDR_TEXT];

	if (v->has_route && v->from.origin != 0)
		strbuf_printf(out, "%s/%u %s AS%u", addr_text(&v->route.a, text), v->route.len, (v->from.source & SOURCE_WITHOUT_LENGTH) != 0 ? "of" : "by", v->from.origin);
	else if (v->has_route)
		strbuf_printf(out, "%s/%u by a set of ASes", addr_text(&v->route.a, text), v->route.len);
	if (v->has_vrp) {
		struct prefix p = vrp_prefix(&v->vrp);

		strbuf_printf(out, "%sVRP %s/%u-%u AS%u", v->has_route ? ", " : "", addr_text(&p.a, text), p.len, v->vrp.maxlen, v->vrp.asn);
	} else if (v->has_route) {
		strbuf_puts(out, ", no VRP");
	}
}
