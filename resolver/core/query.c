/*
 * The states of a resolution. Left of an arrow is what happens, in brackets the file that does it.
 *
 *                 known: finish_answer [finish.c]
 *              +-------------------------------------------> DONE
 *              |                                              ^
 *  LOOKUP -----+ not known         no delegation              | failure: finish_failure [finish.c]
 *   ^  ^       +-----------> LOCATE -------------> PRIMING    |   (from any state)
 *   |  |                      |  ^ <--------------- |         |
 *   |  |                      |  | another zone of            |
 *   |  |                      v  | the configuration          |
 *   |  |  no address        SELECT ---------------------------+ no server is left, nothing poor at hand
 *   |  |  TARGETS <---------- | ^ ^
 *   |  |     |  an address    | | |  referral, bad reply, time-out, a step of minimisation [take.c]
 *   |  |     +----------------|-+ |
 *   |  |                      v   |
 *   |  |                    ASKING
 *   |  |                      | answer, alias, denial [take.c]; or a poor reply when nothing better is left
 *   |  | alias                v      a link of the chain of trust is missing, or the turn's work is spent
 *   |  +---- STORE <------ VALIDATE <--------> CHAIN
 *   |          |              | bogus: another server: SELECT; none is left: finish_bogus. An entry of the cache: LOCATE
 *   |          | otherwise: finish_answer
 *   |          +-----------> DONE
 *   +------ LOOKUP: an entry nobody has validated yet: VALIDATE, and then LOOKUP again
 *  REMOTE: another worker has the question; its answer ends it, its disappearance makes it LOOKUP.
 *  STEP, out of SELECT: another question of this worker asks the same step of minimisation; when that is over: LOCATE.
 *
 * What is true in each: LOOKUP: `now` is what is looked for, `draft` the aliases that led to it. SELECT, TARGETS, ASKING: deleg is set. ASKING: `ask` is
 * live and `server` is in deleg. TARGETS, PRIMING: sub_count > 0. VALIDATE, CHAIN, STORE: reply is set. CHAIN: sub_count > 0 or `paused`.
 */
#include "resolver/core/resolution.h"

#include <assert.h>

#include "base/strbuf.h"
#include "resolver/core/lookup.h"
#include "resolver/core/select.h"

static const char *const state_text[QUERY_STATES] = {
	[QUERY_LOOKUP] = "looks into the cache", [QUERY_LOCATE] = "looks for servers", [QUERY_SELECT] = "chooses a server", [QUERY_ASKING] = "asks", [QUERY_STEP] = "waits for a step",
	[QUERY_TARGETS] = "waits for addresses of name servers", [QUERY_PRIMING] = "waits for priming", [QUERY_VALIDATE] = "validates", [QUERY_CHAIN] = "waits for keys",
	[QUERY_STORE] = "stores", [QUERY_REMOTE] = "waits for another worker", [QUERY_DONE] = "done",
};

const char *query_state_text(enum query_state s)
{
	return state_text[s];
}

struct deleg_env query_deleg_env(struct resolution *q)
{
	return (struct deleg_env){
		.arena = q->arena, .settings = q->settings, .cache = q->core->env.rrcache, .rng = loop_rng(q->core->env.loop), .now = query_now(q),
		.routes = core_routes(q->core), .asked = q->now.name, .renew = q->renew,
	};
}

static void out_of_memory(struct resolution *q)
{
	finish_failure(q, FAIL_ROOM, "out of memory");
}

/* --- LOOKUP */

static void look_done(struct resolution *q, const struct lookup *k, enum lookup_kind kind)
{
	switch (kind) {
	case LOOKUP_NOTHING:
		if (k->name.wire != q->now.name.wire) {
			q->except = 0;
			q->qmin = (struct qmin){ 0 };
		}
		q->now.name = k->name;
		q->budget.left.cname_steps = k->aliases_left;
		q->state = QUERY_LOCATE;
		break;
	case LOOKUP_ANSWER:
	case LOOKUP_NODATA:
		finish_answer(q, RCODE_NOERROR, false);
		break;
	case LOOKUP_NXDOMAIN:
		finish_answer(q, RCODE_NXDOMAIN, false);
		break;
	case LOOKUP_TOO_LONG:
		finish_answer(q, RCODE_YXDOMAIN, false);
		break;
	case LOOKUP_FAILURE:
		finish_cached_failure(q, k->failure);
		break;
	case LOOKUP_LOOP:
		finish_failure(q, FAIL_ALIASES, "the chain of aliases is a loop or too long");
		break;
	case LOOKUP_UNCHECKED:
		validate_cached(q, k->unchecked, k->name, k->aliases_left);
		break;
	}
}

static void look(struct resolution *q)
{
	enum lookup_kind kind = LOOKUP_NOTHING;
	struct lookup k = {
		.cache = q->core->env.rrcache, .settings = q->settings, .now = query_now(q), .arena = q->arena, .draft = &q->draft,
		.type = q->now.type, .name = q->now.name, .aliases_left = q->budget.left.cname_steps,
		.denials = q->rejudge ? NULL : core_denials(q->core), .hasher = q->core->hasher, .validation = q->core->env.validation,
		.flags = core_lookup_flags(q->core, q->lenient || query_is_raw(q)) | (q->rejudge && query_validates(q) ? LOOKUP_REJUDGE : 0),
	};

	if (!q->skip_cache && !OK(lookup_answer(&k, &kind))) {
		out_of_memory(q);
		return;
	}
	q->skip_cache = false;
	q->synthesized = q->synthesized || k.synthesized;
	if (q->rejudge && kind == LOOKUP_NOTHING && core_denials(q->core) != NULL) {
		struct denied_answer d;

		k.denials = core_denials(q->core);
		lookup_denied(&k, &d);
		if (d.what == DENIED_NXDOMAIN || d.what == DENIED_NODATA) {
			validate_denied(q, &d);
			return;
		}
	}
	look_done(q, &k, kind);
}

/* --- LOCATE */

/* All servers of the zone refused one question after another: others are not tried before the failure has aged (RFC 9520 section 3.2). */
static const struct bundle *zone_is_dead(struct resolution *q, const struct deleg *d)
{
	struct bundle_key k = { d->zone, 0, CLASS_IN, BUNDLE_FAILURE };
	const struct bundle *b;

	if (d->source != DELEG_REFERRAL)
		return NULL;
	b = rrcache_get(q->core->env.rrcache, &k, query_now(q), 0);
	return b != NULL && bundle_info(b)->failures >= q->settings->dead_zone_failures ? b : NULL;
}

static void enter(struct resolution *q, struct deleg *d)
{
	const struct bundle *dead = zone_is_dead(q, d);

	q->deleg = d;
	q->empties = 0;
	q->qmin_timeouts = 0;
	qmin_enter_zone(&q->qmin, d->zone);
	if (d->conf != NULL)
		sub_fetch_ahead(q); /* of configured servers, which are trusted, at once */
	if (dead != NULL)
		finish_cached_failure(q, dead);
	else
		q->state = QUERY_SELECT;
}

static void use_hints(struct resolution *q)
{
	struct deleg_env e = query_deleg_env(q);
	struct deleg *d;

	if (!OK(deleg_from_hints(&e, &d)))
		out_of_memory(q);
	else
		enter(q, d);
}

/* Asks for the NS set of the root, or of a stub that wants priming, first. False: do without. */
static bool prime(struct resolution *q, struct name zone)
{
	struct question s = { zone, RR_NS, CLASS_IN };

	if (q->unprimed || q->purpose == FOR_PRIMING || q->core->prime_after_ms > now_ms(query_now(q)))
		return false;
	q->state = QUERY_PRIMING;
	switch (sub_ask(q, &s, FOR_PRIMING, NULL, 0, 0)) {
	case SUB_WAIT:
	case SUB_TOLD:
		return true;
	case SUB_LOOP:
	case SUB_REFUSED:
		break;
	}
	q->state = QUERY_LOCATE;
	return false;
}

static void locate(struct resolution *q)
{
	struct deleg_env e = query_deleg_env(q);
	struct deleg *d;

	if (q->purpose == FOR_PRIMING) {
		const struct zone_conf *z = settings_zone(q->settings, q->now.name, 0);

		if (z == NULL || z->kind != ZONE_STUB || !name_equal(z->name, q->now.name))
			use_hints(q);
		else if (!OK(deleg_from_conf(&e, z, &d)))
			out_of_memory(q);
		else
			enter(q, d);
		return;
	}
	if (!OK(deleg_find(&e, q->now.name, q->now.type, q->except, &d))) {
		out_of_memory(q);
		return;
	}
	if (d == NULL) {
		if (!prime(q, name_root) && !q->closing)
			use_hints(q);
		return;
	}
	if (d->source == DELEG_STUB && d->conf->prime && prime(q, d->zone))
		return;
	if (!q->closing)
		enter(q, d);
}

/* --- SELECT */

static void asked_told(struct loop *l, void *object, uint32_t tag, const struct ask_reply *r)
{
	struct resolution *q = object;

	(void)l;
	(void)tag;
	assert(q->state == QUERY_ASKING); /* invariant 4 */
	q->ask = (ask_h){ 0 };
	q->running = true;
	sub_charge_parents(q);
	take_reply(q, r);
	step_end(q);
	q->running = false;
	query_run(q);
}

/* The next question to show: steps whose outcome the cache knows are left out. */
static struct question next_question(struct resolution *q)
{
	bool plain = q->deleg->source == DELEG_FORWARD || q->purpose == FOR_PRIMING;

	for (;;) {
		struct question asked = qmin_question(&q->qmin, q->settings, &q->now, plain);

		if (asked.name.labels == q->now.name.labels || q->qmin.above || !lookup_is_known(q->core->env.rrcache, asked.name, asked.type, query_now(q)))
			return asked;
		qmin_advance(&q->qmin, &asked);
	}
}

/* By the server's round trip, but bounded: two questions get an answer sooner than a long wait. */
static uint32_t wait_for(const struct resolution *q, const struct server_facts *f)
{
	uint32_t most = q->settings->max_wait_ms;

	if (f->srtt_us == 0 && q->settings->unknown_wait_ms > most)
		most = q->settings->unknown_wait_ms;
	if (f->srtt_us / 1000 * 3 > most)
		most = f->srtt_us / 1000 * 3;
	return f->timeout_ms < most ? f->timeout_ms : most;
}

/*
 * ratelimit: may the zone's servers get another question? Who is let through once gets to its end. Keys and priming count, but always pass: they are few, all other
 * questions depend on them, and that they are missing may be taken for more than it is.
 */
static bool is_within_rate(struct resolution *q)
{
	struct token_rate rate = q->settings->rate;
	enum token_verdict v;

	rate.per_sec = settings_zone_rate(q->settings, q->deleg->zone);
	if (rate.per_sec == 0 || q->deleg->source == DELEG_FORWARD)
		return true;
	v = zonerate_take(core_shared_rates(q->core->env.shared), q->deleg->zone, &rate, q->settings->rate_octets, now_ms(query_now(q)));
	q->rate_passed = q->rate_passed || v == TOKEN_PASSED;
	return v != TOKEN_NONE || q->rate_passed || q->purpose == FOR_CHAIN || q->purpose == FOR_PRIMING;
}

static void ask_server(struct resolution *q, size_t server)
{
	struct deleg_server *s = &q->deleg->servers[server];
	struct ask_request r = {
		.server = s->at, .recurse = q->deleg->source == DELEG_FORWARD,
		.dnssec_ok = !q->settings->no_do || q->core->env.validation != NULL, .plain_case = settings_is_plain_case(q->settings, q->now.name),
		/* Whoever validates wants the data as it is, not somebody else's verdict (RFC 6840 section 5.9). */
		.check_disabled = (q->flight.flags & FLIGHT_CD) != 0 || (q->deleg->source == DELEG_FORWARD && q->core->env.validation != NULL),
		.tcp = q->deleg->conf != NULL && q->deleg->conf->tcp, .zone = q->deleg->zone,
	};
	struct server_facts facts;
	struct result done;

	q->asked = next_question(q);
	if (query_is_minimised(q) && q->deleg->conf == NULL && step_join(q))
		return;
	if (q->settings->limits_rates && !is_within_rate(q)) {
		finish_failure(q, FAIL_RATE, "the zone is asked as often as its ratelimit allows");
		return;
	}
	q->server = server;
	r.q = q->asked;
	infra_get(q->core->env.infra, &s->at, query_now(q), &facts);
	r.timeout_ms = wait_for(q, &facts);
	s->tries++;
	q->state = QUERY_ASKING;
	done = upstream_ask(q->core->env.upstream, &r, q->arena, &q->budget, &resolution_loop_type, q->self.v, 0, asked_told, &q->ask);
	if (OK(done)) {
		route_count(q->core, &facts);
		q->route = route_worse(q->core, &facts, q->route);
		if (query_is_minimised(q) && q->deleg->conf == NULL)
			step_lead(q);
		return;
	}
	q->ask = (ask_h){ 0 };
	if (done.e == ERR_BUDGET)
		finish_failure(q, FAIL_BUDGET, "the question's budget of upstream packets is spent");
	else if (done.e == ERR_LIMIT || done.e == ERR_NOMEM)
		finish_failure(q, FAIL_ROOM, "no room for another exchange");
	else {
		s->outcome = SERVER_UNREACHABLE;
		s->done = true;
		q->state = QUERY_SELECT;
	}
}

/* A target whose address somebody else is looking up already costs no packet. */
static bool next_target(struct resolution *q, const struct deleg_env *e, size_t *ret_target, int *ret_family)
{
	const struct deleg *d = q->deleg;

	for (size_t i = 0; i < d->target_count; i++) {
		struct question s = { d->targets[i].name, RR_A, CLASS_IN };

		if (d->targets[i].state[FAMILY_V4] == TARGET_UNASKED && deleg_may_look_for(d, i) && sub_is_looked_for(q->core, &s)) {
			*ret_target = i;
			*ret_family = FAMILY_V4;
			return true;
		}
	}
	return deleg_next_target(e, d, ret_target, ret_family);
}

/* Starts sub-questions for addresses, as many at once as allowed. True: SELECT has something new to look at, or waits. */
static bool look_for_targets(struct resolution *q)
{
	static const uint16_t types[FAMILIES] = { RR_A, RR_AAAA };
	struct deleg_env e = query_deleg_env(q);
	struct deleg *d = q->deleg;
	size_t target;
	int family;

	/* What no name server's address could be found for in that time is as good as dead (attack C3). */
	if (now_ms(query_now(q)) - q->started_ms >= q->settings->target_time_ms && !deleg_is_asking(d))
		return false;
	while (!q->closing && deleg_count_asking(d) < q->settings->parallel_targets && next_target(q, &e, &target, &family)) {
		struct question s = { d->targets[target].name, types[family], CLASS_IN };
		size_t before = d->server_count;

		d->targets[target].state[family] = TARGET_ASKING;
		switch (sub_ask(q, &s, FOR_TARGET, d, target, family)) {
		case SUB_WAIT:
			break;
		case SUB_TOLD:
			if (d->server_count > before)
				return true;
			break;
		case SUB_LOOP:
			d->targets[target].state[family] = TARGET_LOOP;
			d->dead_targets++;
			stats_inc(q->core->env.stats, COUNT_CORE_TARGET_LOOPS);
			break;
		case SUB_REFUSED:
			d->targets[target].state[family] = TARGET_FAILED;
			d->dead_targets++;
			break;
		}
	}
	if (q->closing)
		return true;
	if (!deleg_is_asking(d))
		return false;
	q->state = QUERY_TARGETS;
	return true;
}

static void choose(struct resolution *q)
{
	struct deleg_env e = query_deleg_env(q);
	uint32_t refused = q->deleg->route_refused;
	enum select_result found;
	size_t server;

	route_note_guard(q->core, e.routes, select_policy(&e, q->deleg));
	found = select_server(&e, q->deleg, q->now.type, q->core->env.infra, &server);
	stats_add(q->core->env.stats, COUNT_ROUTE_REFUSED, q->deleg->route_refused - refused);
	switch (found) {
	case SELECT_SERVER:
		/* Before one that kept silent is asked again, the names whose addresses are not known yet. */
		if (q->deleg->servers[server].timeouts == 0 || !look_for_targets(q))
			ask_server(q, server);
		break;
	case SELECT_LAST:
		if (look_for_targets(q))
			break;
		stats_inc(q->core->env.stats, COUNT_ROUTE_LAST);
		ask_server(q, server);
		break;
	case SELECT_NONE:
	case SELECT_BLOCKED:
		if (!look_for_targets(q))
			query_give_up(q);
		break;
	}
}

static bool try_next_zone(struct resolution *q)
{
	const struct zone_conf *z = q->deleg->conf;
	size_t index;

	if (z == NULL || !z->first)
		return false;
	index = (size_t)(z - q->settings->zones);
	if (index >= 64)
		return false;
	q->except |= (uint64_t)1 << index;
	q->qmin = (struct qmin){ 0 };
	q->weak = NULL;
	q->state = QUERY_LOCATE;
	return true;
}

/*
 * Servers that fail on both the minimised and the whole question may be such as know their cuts only by NS records: one of them is asked that way (RFC 9156
 * section 2.1 leaves the type to us; RFC 7816 had NS).
 */
static bool try_by_ns(struct resolution *q)
{
	struct deleg *d = q->deleg;

	if (!q->qmin.off || q->qmin.by_ns || d->source == DELEG_FORWARD || q->qmin.steps >= q->settings->qmin_steps)
		return false;
	for (size_t i = 0; i < d->server_count; i++) {
		if (d->servers[i].outcome != SERVER_RCODE || d->servers[i].rcode != RCODE_SERVFAIL)
			continue;
		q->qmin.off = false;
		q->qmin.by_ns = true;
		d->servers[i].done = false;
		q->state = QUERY_SELECT;
		return true;
	}
	return false;
}

/* Name servers that only the zone itself names: not for choosing from, but better than nothing. They live as long as the delegation. */
static bool try_child_names(struct resolution *q)
{
	struct bundle_key k = { q->deleg->zone, RR_NS, CLASS_IN, BUNDLE_DATA };
	struct deleg_env e = query_deleg_env(q);
	const struct bundle *b;
	bool more;

	if (q->deleg->source != DELEG_REFERRAL || q->deleg->asked_child)
		return false;
	q->deleg->asked_child = true;
	b = rrcache_get(q->core->env.rrcache, &k, query_now(q), 0);
	if (b == NULL || bundle_info(b)->rank < RANK_AUTHORITY || !OK(deleg_add_names(&e, q->deleg, bundle_find(b, q->deleg->zone, RR_NS), &more)) || !more)
		return false;
	q->state = QUERY_SELECT;
	return true;
}

/* harden-unverified-glue: addresses that could not be verified, when those that could lead nowhere. */
static bool try_held_glue(struct resolution *q)
{
	struct deleg_env e = query_deleg_env(q);
	bool more;

	if (q->deleg->held == NULL || !OK(deleg_use_held(&e, q->deleg, &more)) || !more)
		return false;
	stats_inc(q->core->env.stats, COUNT_CORE_UNVERIFIED_GLUE);
	q->state = QUERY_SELECT;
	return true;
}

void query_give_up(struct resolution *q)
{
	if (q->weak != NULL) {
		if (q->weak->second_hand)
			stats_inc(q->core->env.stats, COUNT_CORE_SECOND_HAND);
		q->reply = q->weak;
		q->weak = NULL;
		q->judge = NULL;
		q->from_cache = false;
		q->state = QUERY_VALIDATE;
		return;
	}
	if (try_held_glue(q) || try_child_names(q) || try_by_ns(q))
		return;
	if (q->bogus.is)
		finish_bogus(q);
	else if (!try_next_zone(q))
		finish_failure(q, FAIL_SERVERS, NULL);
}

/* --- STORE */

static uint32_t count_aliases(const struct scrubbed *s)
{
	uint32_t n = 0;

	for (size_t i = 0; i < s->answer.count; i++)
		n += s->answer.sets[i]->type == RR_CNAME;
	return n;
}

static bool follow_aliases(struct resolution *q, const struct scrubbed *s)
{
	for (uint32_t n = count_aliases(s); n > 0; n--) {
		if (!budget_take_alias(&q->budget))
			return false;
	}
	return !draft_has(&q->draft, PART_ANSWER, s->final, RR_CNAME) && !name_equal(s->final, q->q.name);
}

static uint16_t rcode_of(const struct scrubbed *s)
{
	switch (s->kind) {
	case REPLY_NXDOMAIN:
		return RCODE_NXDOMAIN;
	case REPLY_ANSWER:
		return s->rcode == RCODE_YXDOMAIN ? RCODE_YXDOMAIN : RCODE_NOERROR;
	case REPLY_ALIAS:
	case REPLY_REFERRAL:
	case REPLY_NODATA:
	case REPLY_EMPTY:
	case REPLY_LAME:
	case REPLY_ERROR:
	case REPLY_KINDS:
		break;
	}
	return RCODE_NOERROR;
}

static void store(struct resolution *q)
{
	const struct scrubbed *s = q->reply;

	q->reply = NULL;
	if (!OK(q->purpose == FOR_PRIMING ? store_primed(q, s) : store_reply(q, s))) {
		out_of_memory(q);
		return;
	}
	if (s->kind != REPLY_ALIAS) {
		if (q->deleg->conf == NULL)
			sub_fetch_ahead(q);
		finish_answer(q, rcode_of(s), false);
		return;
	}
	if (!follow_aliases(q, s)) {
		finish_failure(q, FAIL_ALIASES, "the chain of aliases is a loop or too long");
		return;
	}
	stats_inc(q->core->env.stats, COUNT_CORE_ALIASES);
	q->now.name = s->final;
	q->except = 0;
	q->qmin = (struct qmin){ 0 };
	q->weak = NULL;
	q->state = QUERY_LOOKUP;
}

/* --- the machine */

/* Its time was over before, and what was at hand then did not do. */
static bool is_too_late(struct resolution *q)
{
	if (!q->late)
		return false;
	finish_failure(q, FAIL_TIME, "out of time");
	return true;
}

static bool step(struct resolution *q)
{
	switch (q->state) {
	case QUERY_LOOKUP:
		look(q);
		return true;
	case QUERY_LOCATE:
		if (!is_too_late(q))
			locate(q);
		return true;
	case QUERY_SELECT:
		assert(q->deleg != NULL);
		if (!is_too_late(q))
			choose(q);
		return true;
	case QUERY_VALIDATE:
		assert(q->reply != NULL);
		query_validate(q);
		return true;
	case QUERY_STORE:
		assert(q->reply != NULL);
		store(q);
		return true;
	case QUERY_TARGETS:
	case QUERY_PRIMING:
		assert(q->sub_count > 0);
		return false;
	case QUERY_CHAIN:
		assert(q->sub_count > 0 || q->paused);
		return false;
	case QUERY_ASKING:
	case QUERY_STEP:
	case QUERY_REMOTE:
	case QUERY_DONE:
	case QUERY_STATES:
		break;
	}
	return false;
}

void query_run(struct resolution *q)
{
	if (q->running) /* invariant 5 */
		return;
	q->running = true;
	do
		query_note_move(q);
	while (!q->closing && step(q));
	q->running = false;
}
