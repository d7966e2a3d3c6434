/*
 * store.c: what was learnt goes to the cache, and into the answer. What a zone says of its own name servers (its NS set, their addresses) is kept no longer than
 * the delegation that led there: a zone cannot prolong its own life (ghost domains, attacks B8).
 */
#include "resolver/core/lookup.h"
#include "resolver/core/resolution.h"

#define PRIMED_MIN_SEC 3600u /* a root that gives its servers a TTL below this is not asked for them each time */

static uint32_t left_until(struct resolution *q, uint32_t sec)
{
	uint32_t now = now_sec(query_now(q));

	return serial_before(now, sec) ? sec - now : 0;
}

/* Seconds left of the delegation that the reply came by. */
static uint32_t deleg_left(struct resolution *q)
{
	return q->deleg == NULL || !q->deleg->expires ? UINT32_MAX : left_until(q, q->deleg->expires_sec);
}

static bool concerns_deleg(struct resolution *q, const struct rrset *rs)
{
	if (q->deleg == NULL || !q->deleg->expires)
		return false;
	if (rs->type == RR_NS)
		return name_equal(rrset_name(rs), q->deleg->zone);
	return (rs->type == RR_A || rs->type == RR_AAAA) && deleg_has_target(q->deleg, rrset_name(rs));
}

static uint32_t ttl_to_keep(struct resolution *q, const struct rrset *rs)
{
	uint32_t left = concerns_deleg(q, rs) ? deleg_left(q) : UINT32_MAX;

	return rs->ttl < left ? rs->ttl : left;
}

/* What clients are told of a zone's name servers: by the referral's own TTL. That the zones above it may end before is for the cache to see. */
static uint32_t ttl_to_show(struct resolution *q, const struct rrset *rs)
{
	uint32_t left = concerns_deleg(q, rs) ? left_until(q, q->deleg->shown_until_sec) : UINT32_MAX;

	return rs->ttl < left ? rs->ttl : left;
}

/* The least of them. */
static bool all_secure(const struct rrset *const *sets, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (sets[i]->security != SECURITY_SECURE)
			return false;
	}
	return n > 0;
}

/* Unsigned data of an invalid route do not live long. */
static uint32_t ttl_in_doubt(const struct scrubbed *s, const struct rrset *rs, uint32_t ttl)
{
	return s->doubtful_ttl != 0 && rs->security != SECURITY_SECURE && s->doubtful_ttl < ttl ? s->doubtful_ttl : ttl;
}

static RESULT put_noted(struct resolution *q, const struct scrubbed *s, const struct bundle_key *k, const struct rrset *const *sets, size_t n, uint32_t ttl, const char *note)
{
	const struct core_env *e = &q->core->env;
	struct result r;

	if (s->doubtful_ttl == 0)
		return rrcache_put_noted(e->rrcache, e->member, k, sets, n, ttl, note, query_now(q));
	if (!all_secure(sets, n) && s->doubtful_ttl < ttl)
		ttl = s->doubtful_ttl;
	r = rrcache_put_doubtful(e->rrcache, e->member, k, sets, n, ttl, note, query_now(q));
	if (r.e == ERR_EXISTS)
		stats_inc(e->stats, COUNT_ROUTE_KEPT_OUT);
	return r;
}

static RESULT put(struct resolution *q, const struct scrubbed *s, enum bundle_kind kind, struct name owner, uint16_t type, const struct rrset *const *sets, size_t n, uint32_t ttl)
{
	struct bundle_key k = { owner, type, CLASS_IN, (uint8_t)kind };

	return put_noted(q, s, &k, sets, n, ttl, NULL);
}

static bool keeps(const struct resolution *q)
{
	return q->deleg == NULL || q->deleg->conf == NULL || !q->deleg->conf->no_cache;
}

/* --- what stands beside an answer */

struct beside {
	const struct rrset **sets ARENA_FIELD;
	size_t count;
};

/* Goes into the bundle of the answer: denials always (they prove a wildcard), the rest when clients are shown it. It must last as long as the answer. */
static RESULT add_beside(struct resolution *q, struct beside *b, const struct scrub_sets *from, const struct rrset *with, uint32_t ttl, bool all)
{
	for (size_t i = 0; i < from->count; i++) {
		const struct rrset *rs = from->sets[i];
		bool denial = rs->type == RR_NSEC || rs->type == RR_NSEC3;
		struct rrset *copy;

		if (ttl_to_keep(q, rs) < ttl || (!all && !denial) || (q->settings->minimal_responses && !denial && rs->type != RR_SOA))
			continue;
		copy = rrset_copy_in(q->arena, rs);
		if (copy == NULL)
			return FAIL(ERR_NOMEM);
		copy->ttl = ttl_to_keep(q, rs);
		copy->rank = with->rank; /* a bundle counts as much as the least of its sets */
		b->sets[b->count++] = copy;
	}
	return DONE;
}

/* The proof that nothing is closer than a wildcard goes with the answer as long as that lives. */
static uint32_t ttl_with_proofs(struct resolution *q, const struct scrubbed *s, uint32_t ttl)
{
	for (size_t i = 0; i < s->authority.count; i++) {
		const struct rrset *rs = s->authority.sets[i];

		if ((rs->type == RR_NSEC || rs->type == RR_NSEC3) && ttl_to_keep(q, rs) < ttl)
			ttl = ttl_to_keep(q, rs);
	}
	return ttl;
}

enum beside_what { BESIDE_NOTHING, BESIDE_PROOFS, BESIDE_ALL };

/* Was it made from a wildcard, as its signatures have it (RFC 4035 section 5.3.4)? */
static bool is_expanded(const struct rrset *rs)
{
	struct rrsig sig;

	return rs->sigs > 0 && OK(rrsig_parse(rrset_sig(rs, 0), &sig)) && sig.labels < rs->name_labels && rs->name_labels > 0 &&
	    !name_is_wildcard(rrset_name(rs));
}

static RESULT put_answer(struct resolution *q, const struct scrubbed *s, const struct rrset *rs, enum beside_what beside)
{
	struct beside b = { arena_alloc_array(q->arena, 1 + s->authority.count + s->additional.count, sizeof *b.sets), 0 };
	uint32_t ttl = rs->type == RR_DNAME && rs->ttl == 0 ? DNAME_GRACE_SEC : ttl_to_keep(q, rs);
	struct rrset *copy = rrset_copy_in(q->arena, rs);

	if (b.sets == NULL || copy == NULL)
		return FAIL(ERR_NOMEM);
	if (beside != BESIDE_NOTHING)
		ttl = ttl_with_proofs(q, s, ttl);
	copy->ttl = ttl;
	b.sets[b.count++] = copy;
	if (beside != BESIDE_NOTHING)
		TRY(add_beside(q, &b, &s->authority, rs, ttl, beside == BESIDE_ALL));
	if (beside == BESIDE_ALL)
		TRY(add_beside(q, &b, &s->additional, rs, ttl, true));
	/* Refused by the cache (something better is there, or its TTL is 0): the answer at hand is good all the same. */
	(void)OK(put_noted(q, s, &(struct bundle_key){ rrset_name(rs), rs->type, CLASS_IN, BUNDLE_DATA }, b.sets, b.count, ttl, s->spoilt ? NOTE_SPOILT : NULL));
	return DONE;
}

/* A CNAME that was worked out from the DNAME before it is no data of its own. */
static bool is_synthesized(const struct scrubbed *s, size_t i)
{
	const struct rrset *rs = s->answer.sets[i];

	for (size_t k = 0; rs->type == RR_CNAME && k < i; k++) {
		if (s->answer.sets[k]->type == RR_DNAME && name_is_strictly_under(rrset_name(rs), rrset_name(s->answer.sets[k])))
			return true;
	}
	return false;
}

static RESULT put_answers(struct resolution *q, const struct scrubbed *s)
{
	bool single = s->kind == REPLY_ANSWER && q->asked.type != RR_ANY && q->asked.type != RR_RRSIG;

	if (!keeps(q))
		return DONE;
	for (size_t i = 0; i < s->answer.count; i++) {
		const struct rrset *rs = s->answer.sets[i];

		if (rs->count > 0 && !is_synthesized(s, i))
			TRY(put_answer(q, s, rs, single && i + 1 == s->answer.count ? BESIDE_ALL : is_expanded(rs) ? BESIDE_PROOFS : BESIDE_NOTHING));
	}
	return DONE;
}

static RESULT put_negative(struct resolution *q, const struct scrubbed *s, struct name name, uint16_t type)
{
	size_t n = s->authority.count + s->additional.count;
	const struct rrset **sets = arena_alloc_array(q->arena, n + 1, sizeof *sets);

	if (s->negative_ttl == 0 || !keeps(q))
		return DONE;
	if (sets == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t i = 0; i < n; i++)
		sets[i] = i < s->authority.count ? s->authority.sets[i] : s->additional.sets[i - s->authority.count];
	if (s->kind == REPLY_NXDOMAIN)
		(void)OK(put(q, s, BUNDLE_NXDOMAIN, name, 0, sets, n, s->negative_ttl));
	else
		(void)OK(put(q, s, BUNDLE_NODATA, name, type, sets, n, s->negative_ttl));
	return DONE;
}

/* No SOA says how long (RFC 2308 section 5): long enough not to be asked by every repeat. Without records it cannot say itself that it was judged: only an unsigned zone gets here. */
static void put_empty(struct resolution *q, const struct scrubbed *s, struct name name, uint16_t type)
{
	struct bundle_key k = { name, type, CLASS_IN, BUNDLE_NODATA };
	const struct bundle *b;

	if (!keeps(q))
		return;
	(void)OK(put(q, s, BUNDLE_NODATA, name, type, NULL, 0, q->settings->failure_first_sec));
	b = query_validates(q) && !q->lenient ? rrcache_get(q->core->env.rrcache, &k, query_now(q), 0) : NULL;
	if (b != NULL && bundle_count(b) == 0)
		(void)OK(rrcache_set_security(q->core->env.rrcache, q->core->env.member, b, SECURITY_INSECURE, bundle_ttl_left(b, query_now(q)), query_now(q)));
}

/* Spare NS sets, where the configuration keeps them: shown when somebody asks without recursion what we know (never used for resolving). */
static RESULT put_spare_ns(struct resolution *q, const struct scrubbed *s)
{
	if (q->settings->drop_spare_ns || !keeps(q))
		return DONE;
	for (size_t i = 0; i < s->authority.count; i++) {
		const struct rrset *rs = s->authority.sets[i];
		const struct rrset **sets;

		if (rs->type != RR_NS)
			continue;
		sets = arena_alloc_array(q->arena, s->additional.count + 1, sizeof *sets);
		if (sets == NULL)
			return FAIL(ERR_NOMEM);
		sets[0] = rs;
		for (size_t k = 0; k < s->additional.count; k++) {
			struct rrset *copy = rrset_copy_in(q->arena, s->additional.sets[k]);

			if (copy == NULL)
				return FAIL(ERR_NOMEM);
			copy->rank = rs->rank; /* a bundle counts as much as the least of its sets; only the first is ever looked for */
			sets[k + 1] = copy;
		}
		(void)OK(put(q, s, BUNDLE_DATA, rrset_name(rs), RR_NS, sets, s->additional.count + 1, ttl_to_keep(q, rs)));
	}
	return DONE;
}

/* --- replies */

static RESULT draft_part_of(struct resolution *q, const struct scrubbed *s, enum msg_part part, const struct scrub_sets *from)
{
	for (size_t i = 0; i < from->count; i++)
		TRY(draft_add(&q->draft, q->arena, part, from->sets[i], ttl_in_doubt(s, from->sets[i], ttl_to_show(q, from->sets[i]))));
	return DONE;
}

/* A zone may not prolong its delegation, but it may shorten it: its own NS set with a lower TTL is taken at its word. */
static void shorten_delegation(struct resolution *q, const struct scrubbed *s)
{
	const struct rrset *ns = q->deleg == NULL ? NULL : scrub_find(&s->authority, q->deleg->zone, RR_NS);
	struct bundle_key k = { .type = 0, .rclass = CLASS_IN, .kind = BUNDLE_DELEGATION };
	const struct rrset *sets[64];
	const struct bundle *b;

	if (ns == NULL || !s->authoritative || !q->deleg->expires || ns->ttl >= deleg_left(q))
		return;
	k.name = q->deleg->zone;
	b = rrcache_get(q->core->env.rrcache, &k, query_now(q), 0);
	if (b == NULL || bundle_count(b) > sizeof sets / sizeof sets[0])
		return;
	for (size_t i = 0; i < bundle_count(b); i++)
		sets[i] = bundle_set(b, i);
	(void)OK(put(q, s, BUNDLE_DELEGATION, k.name, 0, sets, bundle_count(b), ns->ttl));
}

RESULT store_reply(struct resolution *q, const struct scrubbed *s)
{
	struct name end = s->final;

	for (size_t i = 0; i < s->answer.count; i++) {
		const struct rrset *rs = s->answer.sets[i];

		q->capped = q->capped || ttl_to_keep(q, rs) < rs->ttl;
		TRY(draft_add(&q->draft, q->arena, PART_ANSWER, rs, ttl_in_doubt(s, rs, rs->ttl)));
	}
	q->uncached = q->uncached || !keeps(q);
	if (s->spoilt)
		q->draft.note = NOTE_SPOILT;
	TRY(draft_part_of(q, s, PART_AUTHORITY, &s->authority)); /* beside aliases: what proves that they come from a wildcard */
	if (s->kind != REPLY_ALIAS)
		TRY(draft_part_of(q, s, PART_ADDITIONAL, &s->additional));
	q->draft.bare = (s->kind == REPLY_NODATA || s->kind == REPLY_NXDOMAIN || s->kind == REPLY_EMPTY) && s->authority.count == 0;
	if (s->kind == REPLY_NODATA || s->kind == REPLY_NXDOMAIN)
		TRY(put_negative(q, s, end, q->now.type));
	else if (s->kind == REPLY_EMPTY)
		put_empty(q, s, end, q->now.type);
	TRY(put_spare_ns(q, s));
	shorten_delegation(q, s);
	return put_answers(q, s);
}

void store_aside(struct resolution *q, const struct scrubbed *s)
{
	/* What fails here costs a question later on, no more. */
	if (s->kind == REPLY_NODATA)
		(void)OK(put_negative(q, s, q->asked.name, q->asked.type));
	else if (s->kind == REPLY_ANSWER)
		(void)OK(put_answers(q, s));
}

static uint32_t least_ttl(const struct rrset *const *sets, size_t n)
{
	uint32_t ttl = UINT32_MAX;

	for (size_t i = 0; i < n; i++) {
		if (sets[i]->type == RR_NS || sets[i]->type == RR_A || sets[i]->type == RR_AAAA || sets[i]->type == RR_DS)
			ttl = sets[i]->ttl < ttl ? sets[i]->ttl : ttl;
	}
	return ttl;
}

RESULT store_referral(struct resolution *q, const struct scrubbed *s, uint32_t *ret_expires_sec, uint32_t *ret_shown_sec)
{
	size_t n = s->authority.count + s->additional.count;
	const struct rrset **sets = arena_alloc_array(q->arena, n + 1, sizeof *sets);
	uint32_t ttl, left = deleg_left(q);

	if (sets == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t i = 0; i < n; i++)
		sets[i] = i < s->authority.count ? s->authority.sets[i] : s->additional.sets[i - s->authority.count];
	ttl = least_ttl(sets, n);
	ttl = ttl < left ? ttl : left;
	if (s->doubtful_ttl != 0 && s->doubtful_ttl < ttl) /* nobody signs a referral */
		ttl = s->doubtful_ttl;
	if (keeps(q))
		(void)OK(put(q, s, BUNDLE_DELEGATION, s->cut, 0, sets, n, ttl));
	*ret_expires_sec = now_sec(query_now(q)) + ttl;
	*ret_shown_sec = now_sec(query_now(q)) + (s->doubtful_ttl != 0 && s->doubtful_ttl < least_ttl(sets, n) ? s->doubtful_ttl : least_ttl(sets, n));
	return DONE;
}

/* Names in a stub's own zone, without addresses (minimal responses have none), cannot be looked up but at the servers that they are to replace. */
static bool can_be_found(struct name zone, const struct rrset *ns, const struct scrub_sets *addresses)
{
	struct name target;

	for (size_t i = 0; i < ns->count; i++) {
		if (rrset_target(ns, i, &target) && !name_is_under(target, zone))
			return true;
	}
	return addresses->count > 0 || name_is_root(zone); /* the root's are in the hints */
}

RESULT store_primed(struct resolution *q, const struct scrubbed *s)
{
	const struct rrset *ns = s->kind == REPLY_ANSWER ? scrub_find(&s->answer, q->now.name, RR_NS) : NULL;
	const struct rrset **sets = arena_alloc_array(q->arena, s->additional.count + 1, sizeof *sets);
	uint32_t ttl;
	size_t n = 0;

	if (sets == NULL)
		return FAIL(ERR_NOMEM);
	if (ns == NULL || !can_be_found(q->now.name, ns, &s->additional))
		return store_reply(q, s);
	sets[n++] = ns;
	for (size_t i = 0; i < s->additional.count; i++)
		sets[n++] = s->additional.sets[i];
	ttl = least_ttl(sets, n);
	if (ttl < PRIMED_MIN_SEC && name_is_root(q->now.name)) {
		for (size_t i = 0; i < n; i++) {
			struct rrset *copy = rrset_copy_in(q->arena, sets[i]);

			if (copy == NULL)
				return FAIL(ERR_NOMEM);
			copy->ttl = copy->ttl < PRIMED_MIN_SEC ? PRIMED_MIN_SEC : copy->ttl;
			sets[i] = copy;
		}
		ttl = PRIMED_MIN_SEC;
	}
	(void)OK(put(q, s, BUNDLE_DELEGATION, q->now.name, 0, sets, n, ttl));
	return store_reply(q, s);
}
