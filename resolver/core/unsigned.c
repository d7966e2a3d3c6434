/*
 * unsigned.c: replies without signatures where there should be some: before the chain of trust is searched for an unsigned cut, which costs questions, what can be told without: a server that knows
 * nothing of signatures, signatures that were lost on the way, an unsigned end of a signed chain of aliases.
 */
#include "resolver/core/validate_inside.h"

#include "resolver/core/lookup.h"

static bool has_signatures(const struct scrubbed *s)
{
	const struct scrub_sets *parts[] = { &s->answer, &s->authority };

	for (size_t k = 0; k < 2; k++) {
		for (size_t i = 0; i < parts[k]->count; i++) {
			if (parts[k]->sets[i]->sigs > 0)
				return true;
		}
	}
	return false;
}

/* A DS RRset below a zone that is known to be unsigned is worth nothing. */
static bool is_below_insecure(struct resolution *q, struct name zone, unsigned int top)
{
	for (unsigned int labels = zone.labels; labels-- > top; ) {
		const struct trust *t = links_known(q, name_suffix(zone, labels));

		if (t != NULL && t->state == TRUST_INSECURE)
			return true;
	}
	return false;
}

/* Should the zone that was asked sign what it says, as far as is known without asking? */
static bool zone_is_signed(struct resolution *q)
{
	const struct validation *v = q->core->env.validation;
	struct anchor_found f = anchors_find_with(v->anchors, v->ntas, query_now(q)->wall_sec, q->deleg->zone);
	const struct trust *t = links_known(q, q->deleg->zone);
	const struct rrset *const *sets;
	size_t n;

	if (f.kind != ANCHOR_KEYS)
		return false;
	if (name_equal(f.zone, q->deleg->zone))
		return t == NULL || t->state == TRUST_KEYS;
	if (t != NULL)
		return t->state == TRUST_KEYS || t->state == TRUST_DS;
	return !is_below_insecure(q, q->deleg->zone, f.zone.labels) && links_referral(q, q->deleg->zone, &sets, &n) && sets[0]->type == RR_DS;
}

/* A cut below the zone, on the same servers, that is known to be unsigned. */
static bool is_below_unsigned(struct resolution *q, struct name name)
{
	for (unsigned int labels = q->deleg->zone.labels + 1u; labels <= name.labels; labels++) {
		const struct trust *t = links_known(q, name_suffix(name, labels));

		if (t != NULL && t->state == TRUST_INSECURE)
			return true;
	}
	return false;
}

static bool has_other_server(struct resolution *q)
{
	struct deleg_env e = query_deleg_env(q);
	size_t target;
	int family;

	for (size_t i = 0; i < q->deleg->server_count; i++) {
		if (i != q->server && !q->deleg->servers[i].done)
			return true;
	}
	return deleg_next_target(&e, q->deleg, &target, &family);
}

/* The set was signed by this very zone when it was seen last, expired or not: no cut has come between. */
static bool was_signed(struct resolution *q)
{
	struct bundle_key k = { q->reply->final, q->now.type, CLASS_IN, BUNDLE_DATA };
	const struct bundle *b = rrcache_get(q->core->env.rrcache, &k, query_now(q), RRCACHE_STALE);
	struct rrsig sig;

	return b != NULL && lookup_security(b) == SECURITY_SECURE && bundle_set(b, 0)->sigs > 0 && OK(rrsig_parse(rrset_sig(bundle_set(b, 0), 0), &sig)) &&
	    name_equal(sig.signer, q->deleg->zone);
}

/* Signatures that were of wrong form, or were there before, are missing: no reason to look for an unsigned cut. */
bool unsigned_is_lost(struct resolution *q)
{
	return !q->from_cache && !q->from_denials && q->deleg != NULL && !has_signatures(q->reply) && zone_is_signed(q) &&
	    !is_below_unsigned(q, q->asked.name) && (q->reply->spoilt || was_signed(q));
}

/* Nothing is signed, where the zone is: another server may do better, before the chain of trust is searched for an unsigned cut. */
bool unsigned_ask_others(struct resolution *q)
{
	if (!q->core->env.validation->lame_check || q->from_cache || q->from_denials || q->deleg == NULL || q->restarts_left == 0 || has_signatures(q->reply))
		return false;
	if (q->now.type == RR_RRSIG || !has_other_server(q) || !zone_is_signed(q) || is_below_unsigned(q, q->asked.name))
		return false;
	q->restarts_left--;
	stats_inc(q->core->env.stats, COUNT_VAL_UNSIGNED);
	q->deleg->servers[q->server].outcome = SERVER_UNSIGNED;
	q->deleg->servers[q->server].done = true;
	if (q->weak == NULL)
		q->weak = q->reply;
	q->reply = NULL;
	q->state = QUERY_SELECT;
	return true;
}

/* Was the set signed by a zone that holds the name, as far as is known, and whose keys we look at? */
static bool speaks_for(struct resolution *q, const struct rrset *rs, struct name name)
{
	const struct validation *v = q->core->env.validation;
	const struct trust *t;
	struct rrsig sig;

	if (rs->sigs == 0 || !OK(rrsig_parse(rrset_sig(rs, 0), &sig)) || !name_is_under(name, sig.signer))
		return false;
	t = links_known(q, sig.signer);
	return (t == NULL || t->state == TRUST_KEYS || t->state == TRUST_DS) &&
	    anchors_find_with(v->anchors, v->ntas, query_now(q)->wall_sec, sig.signer).kind == ANCHOR_KEYS;
}

/*
 * What stands behind a signed alias without a signature may be made up, or belong to a cut that the server serves too: it is asked for by its own name, where it is judged on its own merits.
 * False: out of memory.
 */
bool unsigned_cut_end(struct resolution *q)
{
	const struct scrubbed *s = q->reply;
	struct scrubbed *alias;
	const struct rrset *last;
	size_t n = s->answer.count;

	if (q->from_cache || q->from_denials || q->deleg == NULL || s->kind != REPLY_ANSWER || n < 2 || is_below_unsigned(q, s->final))
		return true;
	if (!speaks_for(q, s->answer.sets[0], s->final))
		return true;
	last = s->answer.sets[n - 1];
	if (last->sigs > 0 || last->count == 0 || last->type == RR_CNAME || name_equal(rrset_name(last), q->asked.name) || s->answer.sets[0]->sigs == 0)
		return true;
	alias = arena_alloc(q->arena, sizeof *alias);
	if (alias == NULL)
		return false;
	*alias = *s;
	while (alias->answer.count > 0 && name_equal(rrset_name(s->answer.sets[alias->answer.count - 1]), s->final))
		alias->answer.count--;
	alias->kind = REPLY_ALIAS;
	alias->authority = alias->additional = (struct scrub_sets){ 0 };
	for (size_t i = 0; i < s->authority.count; i++) {
		if ((s->authority.sets[i]->type == RR_NSEC || s->authority.sets[i]->type == RR_NSEC3) && !OK(validate_put(q, &alias->authority, s->authority.count, s->authority.sets[i])))
			return false;
	}
	q->reply = alias;
	return true;
}
