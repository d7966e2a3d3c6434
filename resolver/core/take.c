/* take.c: what a reply means for the question: on to the next server, down to the next zone, along an alias, or to the end. */
#include "resolver/core/resolution.h"

#define MAX_EMPTY 2u       /* empty replies of a zone's servers before one is taken for "no data" */
#define QMIN_TIMEOUTS 2u   /* unanswered minimised questions before the whole one is asked (RFC 9156 section 2.3 leaves the number open) */

static struct deleg_server *server_of(struct resolution *q) BORROWED;
static struct deleg_server *server_of(struct resolution *q)
{
	return &q->deleg->servers[q->server];
}

static void next_server(struct resolution *q, enum server_outcome outcome)
{
	server_of(q)->outcome = (uint8_t)outcome;
	server_of(q)->done = true;
	q->state = QUERY_SELECT;
}

static void relax_qmin(struct resolution *q)
{
	if (q->qmin.by_ns) { /* that was the last try */
		next_server(q, SERVER_RCODE);
		return;
	}
	if (!q->qmin.off)
		stats_inc(q->core->env.stats, COUNT_CORE_QMIN_RELAXED);
	q->qmin.off = true;
	q->state = QUERY_SELECT;
}

/* --- no reply */

/* A lone server is asked more often than each of many; those that answered badly are out of it. */
static uint32_t tries_of_each(const struct resolution *q)
{
	uint32_t silent = 0, share;

	for (size_t i = 0; i < q->deleg->server_count; i++) {
		const struct deleg_server *s = &q->deleg->servers[i];

		silent += !s->done || s->outcome == SERVER_TIMEOUT;
	}
	share = q->settings->timeouts_per_zone / (silent > 0 ? silent : 1);
	if (share < 2)
		share = 2;
	return share < q->settings->max_tries ? share : q->settings->max_tries;
}

static void take_timeout(struct resolution *q)
{
	struct deleg_server *s = server_of(q);

	s->outcome = SERVER_TIMEOUT;
	s->timeouts++;
	if (s->timeouts >= tries_of_each(q))
		s->done = true;
	if (query_is_minimised(q) && ++q->qmin_timeouts >= QMIN_TIMEOUTS)
		q->qmin.off = true;
	q->state = QUERY_SELECT;
}

static void take_malformed(struct resolution *q)
{
	if (query_is_minimised(q))
		relax_qmin(q);
	else
		next_server(q, SERVER_MALFORMED);
}

/* --- replies that lead on */

static void take_referral(struct resolution *q, const struct scrubbed *s)
{
	struct deleg_env e = query_deleg_env(q);
	struct deleg *d;
	uint32_t expires, shown;

	if (!budget_take_referrals(&q->budget, 1)) {
		finish_failure(q, FAIL_BUDGET, "too many referrals");
		return;
	}
	stats_inc(q->core->env.stats, COUNT_CORE_REFERRALS);
	server_of(q)->outcome = SERVER_ANSWERED;
	if (!OK(store_referral(q, s, &expires, &shown))) {
		finish_failure(q, FAIL_ROOM, "out of memory");
		return;
	}
	sub_prefetch_keys(q, s);
	if (sub_is_served_by_glue(q)) {
		finish_with(q, &(struct answer){ .q = q->q, .by_glue = true });
		return;
	}
	/* The glue stands beside the NS set in what was kept. */
	{
		size_t n = s->authority.count + s->additional.count;
		const struct rrset **sets = arena_alloc_array(q->arena, n + 1, sizeof *sets);

		if (sets == NULL) {
			finish_failure(q, FAIL_ROOM, "out of memory");
			return;
		}
		for (size_t i = 0; i < n; i++)
			sets[i] = i < s->authority.count ? s->authority.sets[i] : s->additional.sets[i - s->authority.count];
		if (!OK(deleg_from_sets(&e, s->cut, sets, n, expires, &d))) {
			finish_failure(q, FAIL_ROOM, "out of memory");
			return;
		}
	}
	d->shown_until_sec = shown;
	d->doubtful = s->doubtful_ttl != 0;
	q->deleg = d;
	q->weak = NULL;
	q->empties = 0;
	q->qmin_timeouts = 0;
	if (query_is_minimised(q))
		q->qmin.steps++;
	qmin_enter_zone(&q->qmin, d->zone);
	q->state = QUERY_SELECT;
}

static void take_lame(struct resolution *q, const struct scrubbed *s)
{
	stats_inc(q->core->env.stats, COUNT_CORE_LAME);
	if (query_is_minimised(q)) {
		relax_qmin(q);
		return;
	}
	/* A configured server may be the only one there is, and its answers differ by name: it is not written off. */
	if (q->deleg->conf == NULL)
		infra_note_lame(q->core->env.infra, &server_of(q)->at, q->deleg->zone, s->lame, query_now(q));
	next_server(q, SERVER_LAME);
}

static void take_error(struct resolution *q, const struct scrubbed *s)
{
	server_of(q)->rcode = s->rcode;
	if (query_is_minimised(q)) {
		relax_qmin(q);
		return;
	}
	/* SERVFAIL may concern this name alone; REFUSED and NOTAUTH are about the zone. */
	if (q->deleg->conf == NULL && (s->lame == LAME_REFUSED || s->lame == LAME_NOTAUTH))
		infra_note_lame(q->core->env.infra, &server_of(q)->at, q->deleg->zone, s->lame, query_now(q));
	next_server(q, SERVER_RCODE);
}

/* A step of minimisation was answered by something else than a referral. */
static void take_step(struct resolution *q, const struct scrubbed *s)
{
	server_of(q)->outcome = SERVER_ANSWERED;
	server_of(q)->tries = 0;
	q->state = QUERY_SELECT;
	switch (s->kind) {
	case REPLY_ANSWER:
	case REPLY_NODATA:
	case REPLY_EMPTY:
		if (!s->second_hand)
			store_aside(q, s);
		qmin_advance(&q->qmin, &q->asked);
		break;
	case REPLY_NXDOMAIN:
	case REPLY_ALIAS: /* nothing is delegated below an alias, or a DNAME covers the name: the whole question tells */
		relax_qmin(q);
		break;
	case REPLY_REFERRAL:
	case REPLY_LAME:
	case REPLY_ERROR:
	case REPLY_KINDS:
		break;
	}
}

/* --- replies that end it */

static void keep_as_weak(struct resolution *q, struct scrubbed *s, enum server_outcome outcome)
{
	if (q->weak == NULL || (q->weak->kind == REPLY_EMPTY && s->kind != REPLY_EMPTY))
		q->weak = s;
	next_server(q, outcome);
}

static void take_empty(struct resolution *q, struct scrubbed *s)
{
	keep_as_weak(q, s, SERVER_EMPTY);
	if (++q->empties >= MAX_EMPTY)
		query_give_up(q);
}

/*
 * "No DS", said by the zone whose DS it is (RFC 4035 section 3.1.4.1): its servers serve a zone further up as well, which is where they were asked, but not the one between. That
 * one is looked for.
 */
static bool look_above_ds(struct resolution *q, const struct scrubbed *s)
{
	if (!rrtype_is_at_parent(q->now.type) || s->kind != REPLY_NODATA || q->qmin.above || q->deleg->source == DELEG_FORWARD ||
	    q->deleg->zone.labels + 1u >= q->now.name.labels || scrub_find(&s->authority, q->now.name, RR_SOA) == NULL)
		return false;
	qmin_look_above(&q->qmin, q->deleg->zone);
	server_of(q)->outcome = SERVER_ANSWERED;
	server_of(q)->tries = 0;
	q->state = QUERY_SELECT;
	return true;
}

static void take_final(struct resolution *q, struct scrubbed *s)
{
	if (look_above_ds(q, s))
		return;
	server_of(q)->outcome = SERVER_ANSWERED;
	q->reply = s;
	q->state = QUERY_VALIDATE;
}

static void take_whole(struct resolution *q, struct scrubbed *s)
{
	switch (s->kind) {
	case REPLY_ANSWER:
	case REPLY_ALIAS:
	case REPLY_NODATA:
	case REPLY_NXDOMAIN:
		if (s->second_hand)
			keep_as_weak(q, s, SERVER_SECOND_HAND);
		else
			take_final(q, s);
		break;
	case REPLY_EMPTY:
		if (s->second_hand)
			take_lame(q, s);
		else
			take_empty(q, s);
		break;
	case REPLY_REFERRAL:
	case REPLY_LAME:
	case REPLY_ERROR:
	case REPLY_KINDS:
		break;
	}
}

/* In strict mode "no such name" of a step is believed for all names below (RFC 9156 section 2.3, RFC 8020). */
static bool ends_at_step(const struct resolution *q, const struct scrubbed *s)
{
	return s->kind == REPLY_NXDOMAIN && q->settings->qmin_strict && !s->second_hand;
}

/* What is not signed is the word of whoever has the route; and so is that of the servers it leads to. */
static void note_route(struct resolution *q, struct scrubbed *s)
{
	s->doubtful_ttl = 0;
	if (!server_of(q)->route_invalid && !q->deleg->doubtful)
		return;
	s->doubtful_ttl = q->deleg->route_policy >= ROUTE_POLICY_PREFER ? q->settings->invalid_ttl : UINT32_MAX;
	stats_inc(q->core->env.stats, COUNT_ROUTE_UNSIGNED);
}

static void take_message(struct resolution *q, const struct msg *m)
{
	struct scrub_request r = {
		.settings = q->settings, .zone = q->deleg->zone, .q = q->asked, .recursive = q->deleg->source == DELEG_FORWARD,
		.judged = query_validates(q),
	};
	struct scrubbed *s = arena_alloc(q->arena, sizeof *s);

	if (s == NULL || !OK(scrub_reply(q->arena, &r, m, s))) {
		finish_failure(q, FAIL_ROOM, "a reply took too much memory");
		return;
	}
	note_route(q, s);
	stats_add(q->core->env.stats, COUNT_CORE_SCRUBBED, s->dropped);
	if (s->filtered)
		stats_inc(q->core->env.stats, COUNT_CORE_PRIVATE);
	if (s->kind == REPLY_REFERRAL)
		take_referral(q, s);
	else if (s->kind == REPLY_LAME)
		take_lame(q, s);
	else if (s->kind == REPLY_ERROR)
		take_error(q, s);
	else if (query_is_minimised(q) && !ends_at_step(q, s))
		take_step(q, s);
	else
		take_whole(q, s);
}

void take_reply(struct resolution *q, const struct ask_reply *r)
{
	switch (r->outcome) {
	case ASK_REPLY:
		take_message(q, r->msg);
		break;
	case ASK_TIMEOUT:
		take_timeout(q);
		break;
	case ASK_UNREACHABLE:
		next_server(q, SERVER_UNREACHABLE);
		break;
	case ASK_MALFORMED:
		take_malformed(q);
		break;
	case ASK_BUDGET:
		finish_failure(q, FAIL_BUDGET, "the question's budget of upstream packets or octets is spent");
		break;
	case ASK_NO_ROOM:
		finish_failure(q, FAIL_ROOM, "no room for another exchange");
		break;
	}
}
