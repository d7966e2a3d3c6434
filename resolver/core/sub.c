/* sub.c: questions that a resolution asks on its own behalf. Equal ones are shared, circles are refused, and what they cost is charged to all that wait. */
#include "resolver/core/resolution.h"

#include <string.h>

#include "resolver/core/lookup.h"

#define MAX_VISITS 256u /* of a search for circles; past it a circle is assumed */

static bool waits_for(const struct resolution *from, const struct resolution *to, unsigned int *visits)
{
	if (from == to || ++*visits > MAX_VISITS)
		return true;
	for (size_t i = 0; i < from->sub_count; i++) {
		if (waits_for(from->subs[i].of, to, visits))
			return true;
	}
	return false;
}

/* --- who waits for whom */

static bool room_for_parent(struct resolution *of)
{
	size_t cap = of->parent_cap * 2 + 4;
	struct resolution **more;

	if (of->parent_count < of->parent_cap)
		return true;
	more = arena_alloc_array(of->arena, cap, sizeof(*more));
	if (more == NULL)
		return false;
	if (of->parent_count > 0)
		memcpy(more, of->parents, of->parent_count * sizeof(*more));
	of->parents = more;
	of->parent_cap = cap;
	return true;
}

static bool link_to(struct resolution *parent, struct resolution *of, const struct sub *s)
{
	if (parent->sub_count == MAX_SUBS || !room_for_parent(of))
		return false;
	parent->subs[parent->sub_count] = *s;
	parent->subs[parent->sub_count++].of = of;
	of->parents[of->parent_count++] = parent;
	return true;
}

static void forget_parent(struct resolution *of, const struct resolution *parent)
{
	for (size_t i = 0; i < of->parent_count; i++) {
		if (of->parents[i] == parent) {
			of->parents[i] = of->parents[--of->parent_count];
			break;
		}
	}
	if (of->budget.parent == &parent->budget)
		of->budget.parent = NULL;
}

void sub_leave_all(struct resolution *q)
{
	while (q->sub_count > 0) {
		struct resolution *of = q->subs[--q->sub_count].of;

		forget_parent(of, q);
		resolution_unwanted(of);
	}
}

/* The parent that made it is charged by the budget's own chain; those that joined, here. */
void sub_charge_parents(struct resolution *q)
{
	uint32_t spent = q->packets_seen - q->budget.left.packets;

	q->packets_seen = q->budget.left.packets;
	for (size_t i = 0; i < q->parent_count; i++) {
		struct resolution *p = q->parents[i];

		if (q->budget.parent != &p->budget && !budget_take_packets(&p->budget, spent))
			p->budget.left.packets = 0;
	}
}

/* --- asking */

/* From the cache, with what it knows of failures too. */
static bool answer_at_hand(struct resolution *q, const struct question *s, struct answer *ret)
{
	struct draft draft = { 0 };
	enum lookup_kind kind = LOOKUP_NOTHING;
	struct lookup k = {
		.cache = q->core->env.rrcache, .settings = q->settings, .now = query_now(q), .arena = q->arena, .draft = &draft,
		.type = s->type, .name = s->name, .aliases_left = q->settings->sub.cname_steps,
	};

	*ret = (struct answer){ .q = *s };
	if (!OK(lookup_answer(&k, &kind)) || kind == LOOKUP_NOTHING)
		return false;
	if (kind == LOOKUP_FAILURE || kind == LOOKUP_LOOP || kind == LOOKUP_TOO_LONG)
		ret->rcode = RCODE_SERVFAIL;
	else if (kind == LOOKUP_NXDOMAIN)
		ret->rcode = RCODE_NXDOMAIN;
	return OK(draft_finish(&draft, q->arena, ret));
}

static unsigned int flags_of(enum query_purpose p)
{
	switch (p) {
	case FOR_TARGET:
		return FLIGHT_RAW;
	case FOR_PRIMING:
		return FLIGHT_PRIME;
	case FOR_CHAIN:
	case FOR_CLIENT:
		break;
	}
	return 0;
}

static struct resolution *start(struct resolution *q, const struct question *s, enum query_purpose p) BORROWED;
static struct resolution *start(struct resolution *q, const struct question *s, enum query_purpose p)
{
	struct resolution *of;

	if (q->depth >= q->settings->client.depth || (p != FOR_CHAIN && !budget_take_subquestions(&q->budget, 1)))
		return NULL;
	of = resolution_new(q->core, s, flags_of(p), p, q);
	if (of == NULL)
		return NULL;
	stats_inc(q->core->env.stats, p == FOR_PRIMING ? COUNT_CORE_PRIMINGS : p == FOR_CHAIN ? COUNT_CORE_CHAIN_LINKS : COUNT_CORE_SUBQUESTIONS);
	return of;
}

bool sub_is_looked_for(struct core *c, const struct question *s)
{
	return flight_find(&c->flights, flight_hash(core_shared_key(c->env.shared), s, FLIGHT_RAW), s, FLIGHT_RAW) != NULL;
}

enum sub_result sub_ask(struct resolution *q, const struct question *s, enum query_purpose p, struct deleg *d, size_t target, int family)
{
	unsigned int flags = flags_of(p), visits = 0;
	struct core *c = q->core;
	struct sub here = { NULL, p, d, target, family };
	struct flight *f;
	struct resolution *of;
	struct answer a;
	size_t before;

	if (p == FOR_TARGET && answer_at_hand(q, s, &a)) {
		sub_told(q, &here, &a);
		return SUB_TOLD;
	}
	f = flight_find(&c->flights, flight_hash(core_shared_key(c->env.shared), s, flags), s, flags);
	if (f != NULL) {
		of = PARENT_OF(f, struct resolution, flight);
		if (waits_for(of, q, &visits))
			return SUB_LOOP;
		return link_to(q, of, &here) ? SUB_WAIT : SUB_REFUSED;
	}
	of = start(q, s, p);
	if (of == NULL)
		return SUB_REFUSED;
	if (!link_to(q, of, &here)) {
		resolution_close(of);
		return SUB_REFUSED;
	}
	before = q->sub_count;
	query_run(of);
	return q->closing || q->sub_count >= before ? SUB_WAIT : SUB_TOLD;
}

/* --- told */

static const struct rrset *find_addresses(const struct answer *a, struct name owner, uint16_t type)
{
	for (size_t i = 0; i < a->answer_count; i++) {
		if (a->sets[i].rs->type == type && name_equal(rrset_name(a->sets[i].rs), owner))
			return a->sets[i].rs;
	}
	return NULL;
}

static const struct rrset *glue_of(const struct resolution *q, struct name target, uint16_t type) BORROWED;
static const struct rrset *glue_of(const struct resolution *q, struct name target, uint16_t type)
{
	const struct bundle *b = rrcache_deepest_delegation(q->core->env.rrcache, target, CLASS_IN, query_now(q));

	return b == NULL ? NULL : bundle_find(b, target, type);
}

/* True: nobody but delegations waits for this address, and the referral that has just been kept brought glue for it: a packet less (kept for when that glue leads nowhere). */
bool sub_is_served_by_glue(const struct resolution *q)
{
	if (q->purpose != FOR_TARGET || q->settings->verify_glue || q->waiters != NULL || q->remotes != NULL || !name_equal(q->now.name, q->q.name))
		return false;
	for (size_t i = 0; i < q->parent_count; i++) {
		const struct resolution *p = q->parents[i];

		for (size_t k = 0; k < p->sub_count; k++) {
			if (p->subs[k].of == q && p->subs[k].purpose != FOR_TARGET)
				return false;
		}
	}
	return glue_of(q, q->q.name, q->q.type) != NULL;
}

/*
 * The glue of the referral to the name's own zone, in place of that zone's word. Before that is asked for, the name still counts as not looked up, so that it will be asked for when nobody is
 * found at the glue; when it was asked for in vain, the glue is the last word.
 */
static bool use_glue(struct resolution *parent, const struct sub *s, bool in_vain)
{
	struct deleg_env e = query_deleg_env(parent);
	struct deleg_target *t = &s->deleg->targets[s->target];
	const struct rrset *rs = glue_of(parent, t->name, s->family == FAMILY_V4 ? RR_A : RR_AAAA);

	if (in_vain && rs != NULL && deleg_must_verify(&e, s->deleg, t->name))
		stats_inc(parent->core->env.stats, COUNT_CORE_UNVERIFIED_GLUE);
	if (in_vain)
		return rs != NULL && OK(deleg_add_addresses(&e, s->deleg, s->target, s->family, rs));
	t->state[s->family] = TARGET_UNASKED;
	return OK(deleg_refresh(&e, s->deleg)) && (t->has_glue || t->state[s->family] == TARGET_FOUND);
}

static void told_target(struct resolution *parent, const struct sub *s, const struct answer *a)
{
	struct deleg_env e = query_deleg_env(parent);
	struct deleg_target *t = &s->deleg->targets[s->target];
	bool ok = true;

	if (a->rcode == RCODE_NXDOMAIN)
		t->state[FAMILY_V4] = t->state[FAMILY_V6] = TARGET_NONE;
	else if (a->by_glue || a->rcode != RCODE_NOERROR)
		ok = use_glue(parent, s, !a->by_glue);
	else /* a name server's name is no alias (RFC 2181 section 10.3): only its own addresses count */
		ok = OK(deleg_add_addresses(&e, s->deleg, s->target, s->family, find_addresses(a, t->name, s->family == FAMILY_V4 ? RR_A : RR_AAAA)));
	if (!ok)
		t->state[s->family] = TARGET_FAILED;
	if (!ok || (t->state[FAMILY_V4] == TARGET_NONE && t->state[FAMILY_V6] == TARGET_NONE))
		s->deleg->dead_targets++;
}

static void told_primed(struct resolution *parent, const struct answer *a)
{
	/* With the NS set in the cache LOCATE finds it; if it did not work out, the hints or the configured servers are asked themselves. */
	if (a->rcode != RCODE_NOERROR || a->answer_count == 0)
		parent->core->prime_after_ms = now_ms(query_now(parent)) + 5000;
	parent->unprimed = true;
	if (parent->state == QUERY_PRIMING)
		parent->state = QUERY_LOCATE;
}

void sub_told(struct resolution *parent, const struct sub *s, const struct answer *a)
{
	switch (s->purpose) {
	case FOR_PRIMING:
		told_primed(parent, a);
		break;
	case FOR_CHAIN:
		validate_told(parent, s->of, a);
		break;
	case FOR_TARGET:
		told_target(parent, s, a);
		if (parent->state == QUERY_TARGETS && s->deleg == parent->deleg)
			parent->state = QUERY_SELECT;
		break;
	case FOR_CLIENT:
		break;
	}
}

/* --- ahead of need */

#define AT_HAND 2 /* servers of a zone whose addresses are known before they are needed */

static size_t policy_of(const struct resolution *q)
{
	size_t at = q->depth < FETCH_POLICY ? q->depth : FETCH_POLICY - 1;
	int n = q->settings->fetch_policy[at];

	return n < 0 ? SIZE_MAX : (size_t)n;
}

/* True: a look-up was started. */
static bool fetch(struct resolution *q, struct name name, uint16_t type)
{
	struct question s = { name, type, CLASS_IN };
	struct resolution *of;
	struct answer a;

	if (name_equal(name, q->now.name) || sub_is_looked_for(q->core, &s) || answer_at_hand(q, &s, &a))
		return false;
	of = start(q, &s, FOR_TARGET);
	if (of == NULL)
		return false;
	of->detached = true;
	of->budget.parent = NULL;
	query_run(of);
	return true;
}

static bool is_known(struct core *c, const struct deleg_target *t)
{
	struct question s = { t->name, RR_A, CLASS_IN };

	return t->has_glue || t->state[FAMILY_V4] == TARGET_FOUND || t->state[FAMILY_V6] == TARGET_FOUND || sub_is_looked_for(c, &s);
}

/*
 * Only names without any address, of a delegation whose servers have just answered: a hostile one has nothing to gain from it. And only until
 * another server is known to turn to when this one is silent: who needs a third looks it up then.
 */
void sub_fetch_ahead(struct resolution *q)
{
	struct deleg *d = q->deleg;
	struct deleg_env e = query_deleg_env(q);
	size_t left = policy_of(q), known = 0;

	if (d == NULL || q->depth > 0 || left == 0 || !OK(deleg_refresh(&e, d)))
		return;
	for (size_t i = 0; d->conf == NULL && i < d->target_count && known < AT_HAND; i++)
		known += is_known(q->core, &d->targets[i]);
	if (d->conf == NULL && left > AT_HAND - known)
		left = AT_HAND - known;
	for (size_t i = 0; i < d->target_count && left > 0; i++) {
		struct deleg_target *t = &d->targets[i];

		if (t->has_glue || t->state[FAMILY_V4] != TARGET_UNASKED || t->state[FAMILY_V6] == TARGET_FOUND)
			continue;
		if (d->source == DELEG_REFERRAL && name_is_under(t->name, d->zone))
			continue;
		left -= fetch(q, t->name, RR_A);
	}
}

void sub_prefetch_keys(struct resolution *q, const struct scrubbed *referral)
{
	struct question s = { referral->cut, RR_DNSKEY, CLASS_IN };
	struct resolution *of;

	if (!query_validates(q) || !q->core->env.validation->prefetch_keys || q->depth > 0 || scrub_find(&referral->authority, referral->cut, RR_DS) == NULL)
		return;
	if (keycache_get(q->core->env.keycache, referral->cut, query_now(q)) != NULL ||
	    flight_find(&q->core->flights, flight_hash(core_shared_key(q->core->env.shared), &s, 0), &s, 0) != NULL)
		return;
	of = start(q, &s, FOR_CHAIN);
	if (of == NULL)
		return;
	of->detached = true;
	of->budget.parent = NULL;
	query_run(of);
}
