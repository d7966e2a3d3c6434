/* finish.c: the end of a resolution: the answer is composed, everybody that waits is told, failures are remembered. */
#include "resolver/core/resolution.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "resolver/core/lookup.h"

#define WHY_MAX 400

/* --- telling */

static void tell_parents(struct resolution *q, const struct answer *a)
{
	while (q->parent_count > 0) {
		struct resolution *p = q->parents[--q->parent_count];
		struct sub s = { 0 };

		for (size_t i = 0; i < p->sub_count; i++) {
			if (p->subs[i].of == q) {
				s = p->subs[i];
				p->subs[i] = p->subs[--p->sub_count];
				break;
			}
		}
		p->limited = p->limited || a->limited;
		if (a->by_route && p->route_why == NULL && a->ede_count > 0 && a->ede[0].text != NULL)
			p->route_why = arena_strdup(p->arena, a->ede[0].text);
		sub_told(p, &s, a);
		query_run(p);
	}
	q->budget.parent = NULL;
}

void waiter_free(struct waiter *w)
{
	mem_free(w);
}

static void waiter_bury(struct dead *d)
{
	waiter_free(PARENT_OF(d, struct waiter, dead));
}

void waiter_close(struct waiter *w)
{
	struct loop *l = w->resolution->core->env.loop;
	struct waiter **at = &w->resolution->waiters;

	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	loop_timer_stop(l, &w->stale);
	waiter_retire(l, w->self);
	loop_bury(l, &w->dead, waiter_bury);
}

void waiter_tell(struct waiter *w, const struct answer *a)
{
	struct loop *l = w->resolution->core->env.loop;
	void *object = loop_slot_get(l, w->type, w->who);

	waiter_close(w);
	if (object != NULL)
		w->fn(l, object, w->tag, a);
}

static void tell_waiters(struct resolution *q, const struct answer *a)
{
	struct answer stale;
	bool looked = false, found = false;

	while (q->waiters != NULL) {
		struct waiter *w = q->waiters;
		bool wants_stale = (w->stale_ok && a->rcode == RCODE_SERVFAIL) || a->by_route;

		if (wants_stale && !looked) {
			found = a->by_route ? finish_find_validated(q->core, q->settings, &q->q, query_is_raw(q), q->arena, a, &stale) :
				finish_find_stale(q->core, q->settings, &q->q, query_is_raw(q), q->arena, &stale);
			looked = true;
		}
		waiter_tell(w, wants_stale && found ? &stale : a);
	}
}

void finish_with(struct resolution *q, const struct answer *a)
{
	q->state = QUERY_DONE;
	stats_inc(q->core->env.stats, COUNT_RESOLUTIONS);
	if (a->rcode == RCODE_SERVFAIL)
		stats_inc(q->core->env.stats, COUNT_CORE_FAILURES);
	/* From here on the question is not joined any more: who is told may ask it again. */
	flight_remove(&q->core->flights, &q->flight);
	if (q->shared.flight.listed)
		core_shared_release(q->core->env.shared, &q->shared);
	sub_charge_parents(q);
	remote_tell_all(q, a);
	tell_waiters(q, a);
	tell_parents(q, a);
	resolution_close(q);
}

/* --- answers */

void finish_answer(struct resolution *q, uint16_t rcode, bool stale)
{
	struct answer a = { .q = q->q, .rcode = rcode, .stale = stale, .synthesized = q->synthesized, .route = q->route };

	if (!OK(draft_finish(&q->draft, q->arena, &a))) {
		finish_failure(q, FAIL_ROOM, "out of memory");
		return;
	}
	a.cacheable = a.ttl > 0 && !q->capped && !q->uncached && !stale && !q->lenient;
	if (q->insecure_ede != 0 && a.security == SECURITY_INSECURE)
		answer_add_ede(&a, q->insecure_ede, q->insecure_text);
	validate_finish_answer(q->core, !query_is_raw(q), &a);
	if (q->state == QUERY_LOOKUP)
		stats_inc(q->core->env.stats, COUNT_CORE_CACHE_ANSWERS);
	finish_with(q, &a);
}

static bool find_stale(struct core *c, const struct core_settings *s, const struct question *q, bool raw, bool prolong, struct arena *a, struct answer *ret)
{
	struct draft draft = { 0 };
	enum lookup_kind kind = LOOKUP_NOTHING;
	struct answer found = { .q = *q, .stale = true };
	struct lookup k = {
		.cache = c->env.rrcache, .settings = s, .now = loop_now(c->env.loop), .arena = a, .draft = &draft,
		.flags = LOOKUP_STALE | LOOKUP_NO_FAILURES | core_lookup_flags(c, raw), .type = q->type, .name = q->name, .aliases_left = s->client.cname_steps,
		.prolong = prolong ? c->env.member : NULL,
	};

	if (!OK(lookup_answer(&k, &kind)) || (kind != LOOKUP_ANSWER && kind != LOOKUP_NODATA && kind != LOOKUP_NXDOMAIN))
		return false;
	if (kind == LOOKUP_NXDOMAIN)
		found.rcode = RCODE_NXDOMAIN;
	if (!OK(draft_finish(&draft, a, &found)))
		return false;
	answer_add_ede(&found, kind == LOOKUP_NXDOMAIN ? EDE_STALE_NXDOMAIN : EDE_STALE, NULL);
	*ret = found;
	return true;
}

bool finish_find_stale(struct core *c, const struct core_settings *s, const struct question *q, bool raw, struct arena *a, struct answer *ret)
{
	if (!find_stale(c, s, q, raw, false, a, ret))
		return false;
	stats_inc(c->env.stats, COUNT_CORE_STALE);
	return true;
}

bool finish_find_validated(struct core *c, const struct core_settings *s, const struct question *q, bool raw, struct arena *a, const struct answer *failure, struct answer *ret)
{
	if (!find_stale(c, s, q, raw, false, a, ret) || ret->security != SECURITY_SECURE)
		return false;
	if (failure->ede_count > 0)
		answer_add_ede(ret, failure->ede[0].code, failure->ede[0].text);
	stats_inc(c->env.stats, COUNT_CORE_STALE);
	stats_inc(c->env.stats, COUNT_ROUTE_STALE);
	return true;
}

void finish_prolong_stale(struct core *c, const struct core_settings *s, const struct question *q, bool raw, struct arena *a)
{
	struct answer unused;

	if (s->reset_expired)
		(void)find_stale(c, s, q, raw, true, a, &unused);
}

/* --- failures */

static bool had_outcome(const struct resolution *q, enum server_outcome o)
{
	for (size_t i = 0; q->deleg != NULL && i < q->deleg->server_count; i++) {
		if (q->deleg->servers[i].outcome == o)
			return true;
	}
	return false;
}

static bool nobody_was_asked(const struct resolution *q)
{
	if (q->deleg == NULL || q->deleg->server_count == 0)
		return false;
	for (size_t i = 0; i < q->deleg->server_count; i++) {
		if (q->deleg->servers[i].outcome != SERVER_UNTRIED)
			return false;
	}
	return true;
}

/* Each server was asked and said no: that is the zone's fault, not this name's. */
static bool all_refused(const struct resolution *q)
{
	if (q->deleg == NULL || q->deleg->source != DELEG_REFERRAL || q->deleg->server_count == 0)
		return false;
	for (size_t i = 0; i < q->deleg->server_count; i++) {
		const struct deleg_server *s = &q->deleg->servers[i];

		if (s->outcome != SERVER_LAME && s->outcome != SERVER_RCODE && s->outcome != SERVER_MALFORMED) /* bogus is no refusal */
			return false;
	}
	return true;
}

static const char *compose_why(struct resolution *q, const char *what) IN_ARENA;
static const char *compose_why(struct resolution *q, const char *what)
{
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(WHY_MAX * 4);

	if (out == NULL)
		return what;
	if (what != NULL)
		strbuf_printf(out, "%s%s", what, q->deleg != NULL ? "; " : "");
	if (q->deleg != NULL)
		deleg_explain(q->deleg, out);
	if (strbuf_len(out) > WHY_MAX)
		strbuf_cut(out, WHY_MAX);
	return arena_strdup(q->arena, strbuf_text(out));
}

/* What policy on routes kept from being asked, here or for what this question needed. NULL: nothing, or that was not what it failed by. */
static const char *route_why(const struct resolution *q, enum fail_cause cause) IN_ARENA;
static const char *route_why(const struct resolution *q, enum fail_cause cause)
{
	bool network = cause == FAIL_SERVERS || cause == FAIL_TIME;

	for (const struct chain_fault *f = q->chain; f != NULL && cause == FAIL_BOGUS; f = f->next)
		network = network || (f->failed && f->network != 0);
	if (!network)
		return NULL;
	return q->deleg != NULL && q->deleg->route_why != NULL ? q->deleg->route_why : q->route_why;
}

/* What clients are told of it. */
static const char *route_text(const struct answer *a) BORROWED;
static const char *route_text(const struct answer *a)
{
	for (size_t i = 0; i < a->ede_count; i++) {
		if (a->ede[i].code == EDE_NO_REACHABLE)
			return a->ede[i].text;
	}
	return NULL;
}

static void remember_failure(struct resolution *q, enum fail_cause cause, const struct answer *a)
{
	struct bundle_key k = { q->q.name, q->q.type, q->q.rclass, BUNDLE_FAILURE };
	uint32_t first = q->settings->failure_first_sec, max = q->settings->failure_max_sec;
	uint16_t ede = a->by_route ? EDE_NO_REACHABLE | FAILURE_BY_ROUTE : a->ede[0].code;
	const char *why = a->by_route ? route_text(a) : a->why;

	if (q->limited || cause == FAIL_ROOM || cause == FAIL_DROPPED || cause == FAIL_CACHED || (cause == FAIL_BUDGET && q->purpose != FOR_CLIENT))
		return;
	/* Slow, but nobody was silent: what was learnt so far makes the next try shorter. */
	if (cause == FAIL_TIME && !had_outcome(q, SERVER_TIMEOUT) && !had_outcome(q, SERVER_UNREACHABLE))
		return;
	if (a->by_route) /* policy, and the next table may allow it */
		first = max = 1;
	else if (cause == FAIL_BOGUS)
		max = q->core->env.validation != NULL ? q->core->env.validation->bogus_max_sec : first;
	else if (cause == FAIL_BUDGET)
		first = max = q->settings->exhausted_sec;
	else if (nobody_was_asked(q)) /* servers in back-off: their clock runs already */
		first = max = 1;
	else if (had_outcome(q, SERVER_TIMEOUT) || had_outcome(q, SERVER_UNREACHABLE)) /* an outage ends without notice */
		max = q->settings->outage_max_sec;
	if (q->purpose == FOR_PRIMING || why == NULL)
		return;
	/* Not remembered when memory is short: then it is asked again. */
	(void)OK(rrcache_put_failure(q->core->env.rrcache, q->core->env.member, &k, RCODE_SERVFAIL, ede, why, first, max, query_now(q)));
	if (cause == FAIL_BOGUS && !name_equal(q->now.name, q->q.name)) { /* the aliases that led there are in the cache, and lead there again */
		k.name = q->now.name;
		(void)OK(rrcache_put_failure(q->core->env.rrcache, q->core->env.member, &k, RCODE_SERVFAIL, ede, why, first, max, query_now(q)));
		k.name = q->q.name;
	}
	if (cause == FAIL_SERVERS && all_refused(q)) {
		k.name = q->deleg->zone;
		k.type = 0;
		(void)OK(rrcache_put_failure(q->core->env.rrcache, q->core->env.member, &k, RCODE_SERVFAIL, ede, why, first, max / 10 + 1, query_now(q)));
	}
}

/* At which delegation; and where the route to a server was the reason, that. NULL: none, or no memory. */
static const char *where_it_failed(struct resolution *q) IN_ARENA;
static const char *where_it_failed(struct resolution *q)
{
	char text[NAME_TEXT];

	if (q->deleg == NULL)
		return NULL;
	if (q->deleg->route_why != NULL)
		return arena_printf(q->arena, "at delegation %s: %s", name_to_text(q->deleg->zone, text), q->deleg->route_why);
	if (q->route_why != NULL)
		return q->route_why;
	return arena_printf(q->arena, "at delegation %s", name_to_text(q->deleg->zone, text));
}

static void describe(struct resolution *q, enum fail_cause cause, const char *what, struct answer *a)
{

	switch (cause) {
	case FAIL_SERVERS:
	case FAIL_TIME:
	case FAIL_CACHED:
		answer_add_ede(a, EDE_NO_REACHABLE, where_it_failed(q));
		if (had_outcome(q, SERVER_TIMEOUT) || had_outcome(q, SERVER_UNREACHABLE))
			answer_add_ede(a, EDE_NETWORK, had_outcome(q, SERVER_TIMEOUT) ? "name servers time out" : "name servers cannot be reached");
		else if (had_outcome(q, SERVER_RCODE))
			answer_add_ede(a, EDE_NETWORK, "name servers answer with errors");
		break;
	case FAIL_ALIASES:
	case FAIL_BUDGET:
	case FAIL_ROOM:
	case FAIL_RATE:
	case FAIL_DROPPED:
		answer_add_ede(a, EDE_OTHER, what);
		break;
	case FAIL_BOGUS:
		answer_add_ede(a, q->bogus.ede, q->bogus.text);
		for (const struct chain_fault *f = q->chain; f != NULL; f = f->next) {
			if (f->failed && f->network != 0 && a->ede_count < 2)
				answer_add_ede(a, f->network, f->network == EDE_NO_REACHABLE ? q->route_why : NULL);
		}
		if (q->bogus.spoilt)
			answer_add_ede(a, EDE_OTHER, NOTE_SPOILT);
		a->bogus = true;
		break;
	}
}

static void count_cause(struct resolution *q, enum fail_cause cause)
{
	if (cause == FAIL_BUDGET)
		stats_inc(q->core->env.stats, COUNT_CORE_OUT_OF_BUDGET);
	else if (cause == FAIL_TIME)
		stats_inc(q->core->env.stats, COUNT_CORE_OUT_OF_TIME);
	else if (cause == FAIL_RATE)
		stats_inc(q->core->env.stats, COUNT_CORE_RATELIMITED);
	else if (cause == FAIL_DROPPED)
		stats_inc(q->core->env.stats, COUNT_CORE_DROPPED);
	else if (cause == FAIL_BOGUS)
		stats_inc(q->core->env.stats, COUNT_VAL_BOGUS);
}

static void log_bogus(const struct resolution *q, const struct answer *a)
{
	uint8_t level = q->core->env.validation == NULL ? 0 : q->core->env.validation->log_level;
	char name[NAME_TEXT], type[RRTYPE_TEXT];

	if (level == 1)
		log_info("validation failure <%s %s IN>", name_to_text(q->q.name, name), rrtype_text(q->q.type, type));
	else if (level >= 2)
		log_info("validation failure <%s %s IN>: %s", name_to_text(q->q.name, name), rrtype_text(q->q.type, type), a->why != NULL ? a->why : "?");
}

void finish_bogus(struct resolution *q)
{
	q->bogus.is = true;
	finish_failure(q, FAIL_BOGUS, q->bogus.text);
}

void finish_failure(struct resolution *q, enum fail_cause cause, const char *what)
{
	struct answer a = { .q = q->q, .rcode = RCODE_SERVFAIL, .route = q->route };

	/* A server did answer, but not what can be believed: that is what went wrong, whatever else failed afterwards. */
	if (q->bogus.is && (cause == FAIL_SERVERS || cause == FAIL_TIME || cause == FAIL_BUDGET)) {
		cause = FAIL_BOGUS;
		what = q->bogus.text;
	}
	count_cause(q, cause);
	describe(q, cause, what, &a);
	a.why = compose_why(q, what);
	if (cause == FAIL_BOGUS)
		log_bogus(q, &a);
	a.by_route = route_why(q, cause) != NULL;
	a.limited = q->limited = q->limited || cause == FAIL_RATE;
	remember_failure(q, cause, &a);
	if (q->purpose == FOR_CLIENT)
		finish_prolong_stale(q->core, q->settings, &q->q, query_is_raw(q), q->arena);
	finish_with(q, &a);
}

void finish_describe_failure(struct answer *a, const struct bundle *b, struct arena *arena)
{
	a->rcode = bundle_info(b)->rcode;
	a->bogus = ede_is_dnssec(bundle_info(b)->ede);
	a->why = arena_strdup(arena, bundle_text(b));
	a->by_route = bundle_info(b)->by_route;
	answer_add_ede(a, bundle_info(b)->ede, a->bogus || a->by_route ? a->why : NULL);
	answer_add_ede(a, EDE_CACHED_ERROR, NULL);
}

void finish_cached_failure(struct resolution *q, const struct bundle *b)
{
	struct answer a = { .q = q->q };

	stats_inc(q->core->env.stats, COUNT_CORE_FAILURE_HITS);
	finish_describe_failure(&a, b, q->arena);
	finish_with(q, &a);
}
