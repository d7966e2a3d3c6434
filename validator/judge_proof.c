/*
 * judge_proof.c: proofs of a zone: only what they rest on is verified. For wildcards (RFC 4035 section 5.3.4), and for cuts that an alias crosses.
 */
#include "validator/judge_inside.h"

#include "base/arena.h"
#include "dns/edns.h"
#include "dns/rrtype.h"

#define DENIALS_KEPT 8          /* NSEC and NSEC3 sets that one proof may need: up to so many are verified and kept even when it needs fewer */

/* --- proofs */

static bool is_signed_by(struct run *r, const struct rrset *set, struct name zone)
{
	struct rrsig sig;

	for (unsigned int i = 0; i < set->sigs && i < SIGNATURES_LOOKED_AT; i++) {
		enum sig_verdict v;

		if (!OK(rrsig_parse(rrset_sig(set, i), &sig)) || !name_equal(sig.signer, zone))
			continue;
		v = rrsig_check(&sig, set, &r->e->time);
		if (v == SIG_GOOD || is_about_time(v))
			return true;
	}
	return false;
}

/* Verifies a set of the authority section with the keys of zone. Bad: settled as bogus, with the reason. */
enum judge_what seen_verify_beside(struct run *r, struct seen *s, struct name zone, const struct keyset *keys)
{
	enum judge_what what;

	if (s->set->security == SECURITY_SECURE)
		return seen_take_secure(r, s);
	what = seen_try_keys(r, s, zone, keys);
	return what == JUDGE_DONE && !s->done ? seen_settle_refuted(r, s) : what;
}

/* A denial as it would be, were it good: NULL in *ret when it is not the zone's, or did not verify. */
static RESULT trial_of(struct run *r, struct seen *s, struct name zone, const struct rrset **ret)
{
	*ret = NULL;
	if (!is_denial(s->set->type) || s->set->count == 0)
		return DONE;
	if (s->done) {
		*ret = s->good != NULL && name_equal(s->zone, zone) ? s->good : NULL;
		return DONE;
	}
	if (s->asked_zone.wire == NULL || !name_equal(s->asked_zone, zone)) {
		s->asked_zone = zone;
		s->of_zone = is_signed_by(r, s->set, zone);
	}
	if (!s->of_zone)
		return DONE;
	if (s->trial == NULL) {
		s->trial = rrset_copy_in(r->j->arena, s->set);
		if (s->trial == NULL)
			return FAIL(ERR_NOMEM);
		s->trial->security = SECURITY_SECURE;
	}
	*ret = s->trial;
	return DONE;
}

static RESULT proof_of(struct run *r, struct name zone, struct proof *ret)
{
	struct judge *j = r->j;
	size_t most = r->e->policy->denials.sets != 0 ? r->e->policy->denials.sets : SIZE_MAX, n = 0;
	const struct rrset **sets = arena_alloc_array(j->arena, j->reply.authorities + 1, sizeof *sets);
	bool *used = arena_alloc_array(j->arena, j->reply.authorities + 1, sizeof *used);

	ret->of = arena_alloc_array(j->arena, j->reply.authorities + 1, sizeof(struct seen *));
	if (sets == NULL || used == NULL || ret->of == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t i = 0; i < j->reply.authorities && n < most; i++) {
		TRY(trial_of(r, &j->authority[i], zone, &sets[n]));
		ret->of[n] = &j->authority[i];
		n += sets[n] != NULL;
	}
	ret->p = (struct denial_proof){ .zone = zone, .sets = sets, .n = n, .limits = r->e->policy->denials, .hasher = r->e->hasher, .work = r->e->work,
		.arena = j->arena, .used = used, .memo = &j->hashes };
	ret->ttl = UINT32_MAX;
	return DONE;
}

/* Verifies what a verdict rests on. *ret_good: it all holds. */
static enum judge_what verify_used(struct run *r, struct proof *p, const struct keyset *keys, bool *ret_good)
{
	*ret_good = true;
	for (size_t i = 0; i < p->p.n; i++) {
		enum judge_what what;

		if (!p->p.used[i])
			continue;
		if (!p->of[i]->done) {
			what = seen_verify_beside(r, p->of[i], p->p.zone, keys);
			if (what != JUDGE_DONE)
				return what;
			r->j->bad_denials += p->of[i]->security != SECURITY_SECURE;
		}
		if (p->of[i]->good == NULL)
			*ret_good = false;
		else if (p->of[i]->good->ttl < p->ttl)
			p->ttl = p->of[i]->good->ttl;
	}
	return JUDGE_DONE;
}

/* The others, when they are few: those who ask for proofs see them all, and they deny other names (RFC 8198). One that is bad ends it. */
static enum judge_what verify_spare(struct run *r, struct proof *p, const struct keyset *keys)
{
	bool good = true;

	for (size_t i = 0; p->p.n <= DENIALS_KEPT && i < p->p.n && good; i++) {
		enum judge_what what;

		if (p->of[i]->done)
			continue;
		what = seen_verify_beside(r, p->of[i], p->p.zone, keys);
		if (what != JUDGE_DONE)
			return what;
		good = p->of[i]->good != NULL;
	}
	return JUDGE_DONE;
}

/*
 * A proof by the zone's records: first what they would prove, were they all good; then the few that this rests on are verified, and if one does not hold it is tried
 * without it. labels: of a wildcard's signature, for the proof of an expansion; -1: a denial of name and type.
 */
enum judge_what run_prove(struct run *r, struct name zone, const struct keyset *keys, struct name name, uint16_t type, int labels, struct proof *ret,
    struct denial_verdict *ret_verdict)
{
	bool good = false;

	while (!good) {
		enum judge_what what;

		if (!OK(proof_of(r, zone, ret)))
			return JUDGE_NO_ROOM;
		if (r->j->bad_denials >= r->e->policy->signatures.max_failures)
			ret->p.n = 0;
		*ret_verdict = labels >= 0 ? denial_prove_expansion(&ret->p, name, (unsigned int)labels) : denial_prove(&ret->p, name, type);
		if (ret_verdict->what == DENIAL_TOO_MUCH_WORK)
			return JUDGE_WORK;
		if (ret_verdict->what == DENIAL_FAILED)
			return JUDGE_NO_ROOM;
		if (ret_verdict->what == DENIAL_NOT_PROVEN)
			return JUDGE_DONE;
		what = verify_used(r, ret, keys, &good);
		if (what != JUDGE_DONE)
			return what;
	}
	return verify_spare(r, ret, keys);
}

/* The first denial that did not verify. */
static const struct seen *bad_denial(const struct judge *j)
{
	for (size_t i = 0; i < j->reply.authorities; i++)
		if (j->authority[i].done && j->authority[i].security == SECURITY_BOGUS && is_denial(j->authority[i].set->type))
			return &j->authority[i];
	return NULL;
}

bool run_brings_unsigned(const struct judge *j, bool soa)
{
	for (size_t i = 0; i < j->reply.authorities; i++) {
		const struct rrset *set = j->authority[i].set;

		if ((soa ? set->type == RR_SOA : is_denial(set->type)) && set->sigs == 0)
			return true;
	}
	return false;
}

/* s: an expanded set, or the denial. any: NSEC or NSEC3 of the zone came along. */
enum judge_what seen_settle_unproven(struct run *r, struct seen *s, struct name name, uint16_t type, struct name zone, bool any, const struct denial_verdict *v)
{
	const struct seen *bad = bad_denial(r->j);
	bool stripped = bad == NULL && run_brings_unsigned(r->j, false);
	const char *n = chain_name_text(r->e->arena, name), *z = chain_name_text(r->e->arena, zone), *text;
	char t[RRTYPE_TEXT];

	if (n == NULL || z == NULL)
		return JUDGE_NO_ROOM;
	text = bad != NULL ? bad->text
			   : arena_printf(r->e->arena, "denial by %s about %s %s: %s", z, n, rrtype_text(type, t),
				 stripped ? "NSEC or NSEC3 without signature" : v->text);
	if (text == NULL)
		return JUDGE_NO_ROOM;
	/* "NSEC missing" is said of data that is missing (RFC 8914 section 4.13), and when there is none at all. */
	seen_settle(s, SECURITY_BOGUS, bad != NULL ? bad->ede : stripped ? (uint16_t)EDE_RRSIGS_MISSING : s->set != NULL || any ? (uint16_t)EDE_BOGUS : (uint16_t)EDE_NSEC_MISSING,
	    text, zone);
	s->good = NULL;
	return JUDGE_DONE;
}

enum judge_what seen_settle_opted_out(struct run *r, struct seen *s, struct name name, struct name zone, const struct denial_verdict *v)
{
	const char *text = chain_insecure_text(r->e, name, zone, v->what);

	if (text == NULL)
		return JUDGE_NO_ROOM;
	seen_settle(s, SECURITY_INSECURE, v->ede, text, zone);
	s->good = NULL;
	return JUDGE_DONE;
}

/* --- proofs of expansion (RFC 4035 section 5.3.4) */

static enum judge_what judge_expansion(struct run *r, struct seen *s)
{
	AUTO(trust_unref) struct trust *t = NULL;
	struct name owner = rrset_name(s->set);
	struct denial_verdict v;
	struct proof p;
	struct chain_step step;
	enum judge_what what;

	chain_zone(r->e, s->zone, &step);
	run_refuse_own_question(r, &step);
	t = MOVE(step.trust);
	what = run_halted(r, &step);
	if (what != JUDGE_DONE)
		return what;
	if (step.what == CHAIN_BOGUS || t->state != TRUST_KEYS) /* they were there a moment ago */
		return JUDGE_NO_ROOM;
	what = run_prove(r, s->zone, t->keys, owner, s->set->type, (int)s->labels, &p, &v);
	if (what != JUDGE_DONE)
		return what;
	switch (v.what) {
	case DENIAL_WILDCARD_ANSWER:
		s->expansion = v.what;
		seen_cap_ttl(s, p.ttl);
		return run_learn_from_set(r, s);
	case DENIAL_INSECURE_OPTOUT:
	case DENIAL_ITERATIONS_INSECURE:
		s->expansion = v.what;
		return seen_settle_opted_out(r, s, owner, s->zone, &v);
	case DENIAL_TOO_MUCH_WORK:
	case DENIAL_FAILED:
	case DENIAL_NOT_PROVEN:
	case DENIAL_PROVEN_NXDOMAIN:
	case DENIAL_PROVEN_NODATA:
	case DENIAL_WILDCARD_NODATA:
	case DENIAL_NO_DS_INSECURE:
		break;
	}
	return seen_settle_unproven(r, s, owner, s->set->type, s->zone, p.p.n > 0, &v);
}

enum judge_what run_expansions(struct run *r, bool *ret_stop)
{
	struct judge *j = r->j;

	for (size_t i = 0; i < j->reply.answers && !*ret_stop; i++) {
		struct seen *s = &j->answer[i];
		enum judge_what what;

		if (s->security != SECURITY_SECURE || !s->wildcard || s->expansion != DENIAL_NOT_PROVEN)
			continue;
		what = judge_expansion(r, s);
		if (what != JUDGE_DONE)
			return what;
		*ret_stop = s->security == SECURITY_BOGUS;
	}
	return JUDGE_DONE;
}

/* --- aliases that leave the zone */

/* The cut nearest to the zone on the way down to the name at the end that the proofs show to be unsigned. */
static enum judge_what learn_cut(struct run *r, struct name zone, const struct keyset *keys, bool *ret_learnt)
{
	struct name final = r->j->reply.final;

	for (unsigned int labels = zone.labels + 1u; labels <= final.labels && labels <= zone.labels + r->e->policy->max_probes; labels++) {
		struct name name = name_suffix(final, labels);
		struct denial_verdict v;
		enum judge_what what;
		struct proof p;
		const char *text;

		what = run_prove(r, zone, keys, name, RR_DS, -1, &p, &v);
		if (what != JUDGE_DONE)
			return what;
		if (v.what == DENIAL_PROVEN_NODATA)
			continue;
		if (v.what != DENIAL_NO_DS_INSECURE)
			break;
		text = chain_insecure_text(r->e, name, zone, v.what);
		*ret_learnt = true;
		return text == NULL ? JUDGE_NO_ROOM : run_learn(r, TRUST_INSECURE, name, p.ttl, 0, text);
	}
	return JUDGE_DONE;
}

/* A server that also serves an unsigned zone below may show at once that the alias leads into it: a question for the DS RRset less. */
enum judge_what run_way_out(struct run *r)
{
	struct judge *j = r->j;
	AUTO(trust_unref) struct trust *t = NULL;
	const struct seen *last;
	const struct trust *known;
	enum judge_what what;

	if (j->way_out_done || j->reply.answers == 0 || j->reply.authorities == 0)
		return JUDGE_DONE;
	last = &j->answer[j->reply.answers - 1];
	if (last->security != SECURITY_SECURE || !name_is_strictly_under(j->reply.final, last->zone) || last->zone.labels < run_least_labels(r, j->reply.final))
		return JUDGE_DONE;
	known = r->e->known(r->e->user, last->zone);
	if (known == NULL || known->state != TRUST_KEYS)
		return JUDGE_DONE;
	t = trust_ref(known);
	if (t == NULL)
		return JUDGE_NO_ROOM;
	what = learn_cut(r, last->zone, t->keys, &j->way_out_learnt);
	j->way_out_done = what == JUDGE_DONE;
	return what;
}
