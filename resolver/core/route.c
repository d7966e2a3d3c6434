#include "resolver/core/route.h"

#include "base/arena.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "resolver/core/resolution.h"
#include "resolver/routes/board.h"

#define REASON_MAX 400u

static void say_change(const struct endpoint *server, const struct route_verdict *v, const char *before)
{
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(REASON_MAX);
	char text[ADDR_TEXT];

	if (out == NULL)
		return;
	verdict_evidence(v, out);
	log_limited(LOG_LEVEL_NOTICE, "route to server %s: %s (was %s)%s%s", addr_text(&server->a, text), verdict_state_text(v->state), before, strbuf_len(out) > 0 ? ": " : "",
	    strbuf_text(out));
}

static void say_origin(const struct endpoint *server, const struct route_verdict *v, uint32_t before)
{
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(REASON_MAX);
	char text[ADDR_TEXT];

	if (out == NULL)
		return;
	verdict_evidence(v, out);
	log_limited(LOG_LEVEL_NOTICE, "route to server %s: %s as before, but by AS%u (was AS%u): %s", addr_text(&server->a, text), verdict_state_text(v->state), v->from.origin, before,
	    strbuf_text(out));
}

/* What the operator should hear of: anything with an invalid route, and changes between what is known; not that data have come or gone. */
static bool is_news(bool known, enum verdict_state before, enum verdict_state after)
{
	if (!known)
		return verdict_rank(after) == 2;
	if (before == after)
		return false;
	return verdict_rank(before) == 2 || verdict_rank(after) == 2 || (before != VERDICT_UNKNOWN && after != VERDICT_UNKNOWN);
}

static enum verdict_state state_of(const struct route_view *view, struct infra *infra, const struct endpoint *server, const struct server_facts *f, const struct now *now)
{
	struct route_verdict v;
	bool known = f->route_generation != 0;
	uint32_t origin;

	if (f->route_generation == route_view_generation(view))
		return f->route_state;
	v = route_judge(view, &server->a);
	origin = v.has_route ? v.from.origin : 0;
	if (!infra_note_route(infra, server, (uint8_t)v.state, origin, route_view_generation(view), now))
		return v.state; /* another worker was first, and has said what there is to say */
	if (is_news(known, f->route_state, v.state))
		say_change(server, &v, known ? verdict_state_text(f->route_state) : "not looked at");
	else if (known && origin != f->route_origin && origin != 0 && f->route_origin != 0)
		say_origin(server, &v, f->route_origin);
	return v.state;
}

enum verdict_state route_state_of(const struct route_rule *r, struct infra *infra, const struct endpoint *server, const struct server_facts *f, const struct now *now)
{
	return r->view == NULL || r->policy == ROUTE_POLICY_OFF ? VERDICT_UNKNOWN : state_of(r->view, infra, server, f, now);
}

enum route_use route_use_of(const struct route_rule *r, enum verdict_state state)
{
	unsigned int rank = verdict_rank(state);

	if (r->view == NULL || r->policy == ROUTE_POLICY_OFF)
		return ROUTE_USUAL;
	if (r->policy == ROUTE_POLICY_LOG || !route_view_has_vrps(r->view))
		return ROUTE_USUAL;
	if (rank == 2)
		return r->policy == ROUTE_POLICY_PREFER ? ROUTE_LAST : ROUTE_NEVER;
	if (rank == 1)
		return r->policy == ROUTE_POLICY_VALID ? ROUTE_NEVER : ROUTE_USUAL;
	return ROUTE_FIRST;
}

void route_note_guard(struct core *c, const struct route_view *view, enum route_policy policy)
{
	bool guarded = view != NULL && route_view_has_vrps(view);

	if (policy < ROUTE_POLICY_NOT_INVALID)
		return;
	if (!guarded)
		stats_inc(c->env.stats, COUNT_ROUTE_UNGUARDED);
	if (!core_shared_note_guard(c->env.shared, guarded))
		return;
	if (guarded)
		log_notice("routes: there are VRPs again: require-not-invalid and require-valid are in force");
	else
		log_warn("routes: there are no VRPs that have not expired: require-not-invalid and require-valid act as log");
}

void route_count(struct core *c, const struct server_facts *f)
{
	const struct route_view *view = core_routes(c);
	bool judged = view != NULL && f->route_generation == route_view_generation(view);

	_Static_assert(COUNT_ROUTE_ASKED_UNJUDGED - COUNT_ROUTE_ASKED_UNKNOWN == VERDICT_STATES, "a counter for each state");
	stats_inc(c->env.stats, judged ? (enum counter)(COUNT_ROUTE_ASKED_UNKNOWN + f->route_state) : COUNT_ROUTE_ASKED_UNJUDGED);
}

uint8_t route_worse(struct core *c, const struct server_facts *f, uint8_t other)
{
	const struct route_view *view = core_routes(c);

	if (view == NULL || f->route_generation != route_view_generation(view))
		return other;
	if (other != 0 && verdict_rank((enum verdict_state)(other - 1)) >= verdict_rank(f->route_state))
		return other;
	return (uint8_t)(1 + f->route_state);
}

struct route_facts route_facts_of(const struct route_view *view, const struct addr *a)
{
	struct announced_routes routes;
	struct route_verdict v;

	if (view == NULL)
		return (struct route_facts){ .state = VERDICT_UNKNOWN };
	v = route_judge(view, a);
	if (!v.has_route && route_view_find(view, a, &routes)) /* without VRPs nothing is judged, but who announces it is known */
		v.from = announced_at(&routes, 0);
	return (struct route_facts){ v.state, v.from.origin, v.contested };
}

void route_say(const struct route_view *view, const struct addr *a, struct strbuf *out)
{
	struct route_verdict v = route_judge(view, a);
	char text[ADDR_TEXT];

	strbuf_printf(out, "%s: route %s, ", addr_text(a, text), verdict_state_text(v.state));
	verdict_evidence(&v, out);
}

const char *route_reason(const struct route_rule *r, const struct endpoint *server, struct arena *a)
{
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(REASON_MAX);

	if (out == NULL)
		return NULL;
	route_say(r->view, &server->a, out);
	return arena_strdup(a, strbuf_text(out));
}

void route_seat_done(struct route_seat *s)
{
	route_sheet_unref(MOVE(s->sheet));
}

const struct route_view *route_seat_view(struct route_seat *s, struct route_board *b)
{
	uint64_t number = route_board_number(b);

	if (number != s->number) {
		route_sheet_unref(MOVE(s->sheet));
		s->sheet = route_board_get(b);
		s->number = number;
	}
	return s->sheet != NULL ? s->sheet->view : NULL;
}

const struct route_view *core_routes(struct core *c)
{
	return c->env.routes != NULL ? route_seat_view(&c->seat, c->env.routes) : NULL;
}
