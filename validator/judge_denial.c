/*
 * judge_denial.c: negative replies (RFC 4035 section 5.4, RFC 5155 section 8, RFC 9824): whose denial it is, what it proves, and whether that is what the reply says.
 */
#include "validator/judge_inside.h"

#include "base/arena.h"
#include "dns/edns.h"
#include "dns/rrtype.h"

/* Whether it is what the reply says. */
static bool denial_fits(const struct judge *j, const struct denial_verdict *v)
{
	switch (v->what) {
	case DENIAL_PROVEN_NXDOMAIN:
		return j->reply.kind == JUDGE_NXDOMAIN || v->compact;
	case DENIAL_PROVEN_NODATA: /* careless servers deny empty non-terminals: the caller believes the proof */
	case DENIAL_WILDCARD_NODATA:
		return true;
	case DENIAL_NO_DS_INSECURE:
		return j->reply.kind == JUDGE_NODATA;
	case DENIAL_INSECURE_OPTOUT:
		return j->reply.kind == JUDGE_NODATA || v->no_wildcard;
	case DENIAL_ITERATIONS_INSECURE:
		return true;
	case DENIAL_NOT_PROVEN:
	case DENIAL_WILDCARD_ANSWER:
	case DENIAL_TOO_MUCH_WORK:
	case DENIAL_FAILED:
		break;
	}
	return false;
}

/* The zone's SOA goes with the denial, and must be as good. */
static enum judge_what verify_soa(struct run *r, struct name zone, const struct keyset *keys, bool *ret_bad)
{
	struct judge *j = r->j;

	*ret_bad = false;
	for (size_t i = 0; i < j->reply.authorities; i++) {
		struct seen *s = &j->authority[i];
		enum judge_what what;

		if (s->set->type != RR_SOA || s->set->count == 0 || !name_equal(rrset_name(s->set), zone))
			continue;
		if (!s->done) {
			what = seen_verify_beside(r, s, zone, keys);
			if (what != JUDGE_DONE)
				return what;
		}
		if (s->security == SECURITY_SECURE)
			continue;
		seen_settle(&j->negative, SECURITY_BOGUS, s->ede, s->text, zone);
		*ret_bad = true;
		return JUDGE_DONE;
	}
	return JUDGE_DONE;
}

static void cap_soas(struct judge *j, uint32_t ttl)
{
	for (size_t i = 0; i < j->reply.authorities; i++)
		if (j->authority[i].set->type == RR_SOA)
			seen_cap_ttl(&j->authority[i], ttl);
}

/* What the denial says of the name as a zone, for whoever asked for its DS RRset. */
static enum judge_what learn_denial(struct run *r, enum denial what, uint32_t ttl)
{
	struct judge *j = r->j;
	const struct seen *n = &j->negative;

	if (j->reply.type != RR_DS || j->reply.answers > 0)
		return JUDGE_DONE;
	if (ttl == UINT32_MAX)
		ttl = UNKNOWN_TTL;
	switch (what) {
	case DENIAL_NO_DS_INSECURE:
	case DENIAL_INSECURE_OPTOUT:
	case DENIAL_ITERATIONS_INSECURE:
		return run_learn(r, TRUST_INSECURE, j->reply.name, ttl, n->ede,
		    n->text != NULL ? n->text : chain_insecure_text(r->e, j->reply.name, n->zone, what));
	case DENIAL_PROVEN_NODATA:
		return run_learn(r, TRUST_NO_CUT, j->reply.name, ttl, 0, NULL);
	case DENIAL_PROVEN_NXDOMAIN:
	case DENIAL_WILDCARD_NODATA:
		return run_learn(r, TRUST_NO_NAME, j->reply.name, ttl, 0, NULL);
	case DENIAL_NOT_PROVEN:
	case DENIAL_WILDCARD_ANSWER:
	case DENIAL_TOO_MUCH_WORK:
	case DENIAL_FAILED:
		break;
	}
	return JUDGE_DONE;
}

/* A server of both sides of a cut may say for the child, which is not signed, what it says for itself: the SOA alone. JUDGE_DONE without negative.done: there is no such cut. */
static enum judge_what look_for_cut(struct run *r, struct name zone)
{
	struct judge *j = r->j;
	AUTO(trust_unref) struct trust *t = NULL;
	struct chain_step step;
	enum judge_what what;

	if (name_equal(home_of(j->reply.final, j->reply.type), zone))
		return JUDGE_DONE;
	chain_zone_of(r->e, j->reply.final, j->reply.type, &step);
	run_refuse_own_question(r, &step);
	t = MOVE(step.trust);
	what = run_halted(r, &step);
	if (what != JUDGE_DONE || step.what == CHAIN_BOGUS || (t->state != TRUST_INSECURE && t->state != TRUST_NONE))
		return what;
	return seen_settle_unsigned(r, &j->negative, t);
}

/* With the keys of the zone that the denial is of. */
static enum judge_what prove_denial(struct run *r, struct name zone, const struct keyset *keys)
{
	struct judge *j = r->j;
	struct denial_verdict v;
	enum judge_what what;
	struct proof p;
	bool bad;

	what = verify_soa(r, zone, keys, &bad);
	if (what != JUDGE_DONE || bad)
		return what;
	what = run_prove(r, zone, keys, j->reply.final, j->reply.type, -1, &p, &v);
	if (what != JUDGE_DONE)
		return what;
	if (!denial_fits(j, &v)) {
		if (p.p.n == 0) {
			what = look_for_cut(r, zone);
			if (what != JUDGE_DONE || j->negative.done)
				return what;
		}
		if (v.what != DENIAL_NOT_PROVEN)
			v.text = "the proof says something else than the reply";
		return seen_settle_unproven(r, &j->negative, j->reply.final, j->reply.type, zone, p.p.n > 0, &v);
	}
	j->out.denial = v.what;
	cap_soas(j, p.ttl);
	if (v.what == DENIAL_INSECURE_OPTOUT || v.what == DENIAL_ITERATIONS_INSECURE)
		what = seen_settle_opted_out(r, &j->negative, j->reply.final, zone, &v);
	else
		seen_settle(&j->negative, SECURITY_SECURE, 0, NULL, zone);
	return what == JUDGE_DONE ? learn_denial(r, v.what, p.ttl) : what;
}

/* One who may have signed the denial. JUDGE_DONE without negative.done: it was not he. */
static enum judge_what try_denier(struct run *r, struct name signer)
{
	struct judge *j = r->j;
	struct name low = home_of(j->reply.final, j->reply.type);
	AUTO(trust_unref) struct trust *t = NULL;
	struct chain_step step;
	enum judge_what what;
	bool wrong;

	if (!name_is_under(low, signer) || run_is_wrong_side(r, low, signer.labels))
		return JUDGE_DONE;
	chain_zone(r->e, signer, &step);
	run_refuse_own_question(r, &step);
	t = MOVE(step.trust);
	what = run_halted(r, &step);
	if (what != JUDGE_DONE)
		return what;
	if (step.what == CHAIN_BOGUS) {
		if (j->negative.failed_zone.wire == NULL) {
			j->negative.failed_ede = step.ede;
			j->negative.failed_text = step.text;
			j->negative.failed_zone = signer;
		}
		return JUDGE_DONE;
	}
	if (t->state == TRUST_INSECURE || t->state == TRUST_NONE)
		return seen_settle_unsigned(r, &j->negative, t);
	if (t->state != TRUST_KEYS)
		return JUDGE_DONE;
	what = run_check_side(r, low, signer, &wrong);
	return what != JUDGE_DONE || wrong ? what : prove_denial(r, signer, t->keys);
}

/* Everybody who signed SOA, then NSEC and NSEC3, in that order. */
static enum judge_what try_deniers(struct run *r, bool soa, struct signers *d)
{
	struct judge *j = r->j;
	struct rrsig sig;

	for (size_t i = 0; i < j->reply.authorities; i++) {
		const struct rrset *set = j->authority[i].set;

		if (set->count == 0 || (soa ? set->type != RR_SOA : !is_denial(set->type)))
			continue;
		for (unsigned int k = 0; k < set->sigs && k < SIGNATURES_LOOKED_AT && d->n < SIGNERS_TRIED && !j->negative.done; k++) {
			enum sig_verdict v;
			enum judge_what what;

			if (!OK(rrsig_parse(rrset_sig(set, k), &sig)))
				continue;
			v = rrsig_check(&sig, set, &r->e->time);
			if ((v != SIG_GOOD && !is_about_time(v)) || !is_new(d, sig.signer))
				continue;
			d->tried[d->n++] = sig.signer;
			what = try_denier(r, sig.signer);
			if (what != JUDGE_DONE)
				return what;
		}
	}
	return JUDGE_DONE;
}

/* Nobody signed it whom we could ask. */
static enum judge_what judge_bare_denial(struct run *r)
{
	struct judge *j = r->j;
	const char *name = chain_name_text(r->e->arena, j->reply.final), *zone;
	AUTO(trust_unref) struct trust *t = NULL;
	bool stripped = run_brings_unsigned(j, false) || run_brings_unsigned(j, true);
	struct chain_step step;
	enum judge_what what;
	char type[RRTYPE_TEXT];
	struct name by;

	chain_zone_of(r->e, j->reply.final, j->reply.type, &step);
	run_refuse_own_question(r, &step);
	t = MOVE(step.trust);
	what = run_halted(r, &step);
	if (what != JUDGE_DONE)
		return what;
	if (step.what == CHAIN_BOGUS) {
		seen_settle(&j->negative, SECURITY_BOGUS, step.ede, step.text, home_of(j->reply.final, j->reply.type));
		return JUDGE_DONE;
	}
	if (t->state == TRUST_INSECURE || t->state == TRUST_NONE) {
		what = seen_settle_unsigned(r, &j->negative, t);
		/* Whoever asks where zones begin must find that he need not ask further. */
		if (what == JUDGE_DONE && t->state == TRUST_INSECURE && run_is_in_island(r, home_of(j->reply.final, j->reply.type)))
			what = learn_denial(r, DENIAL_NO_DS_INSECURE, t->ttl < UNKNOWN_TTL ? t->ttl : UNKNOWN_TTL);
		return what;
	}
	by = name_dup_in(j->arena, name_of(&t->zone));
	zone = by.wire == NULL ? NULL : chain_name_text(r->e->arena, by);
	if (name == NULL || zone == NULL)
		return JUDGE_NO_ROOM;
	seen_settle(&j->negative, SECURITY_BOGUS, stripped ? EDE_RRSIGS_MISSING : j->reply.authorities > 0 || j->reply.type == RR_DS ? EDE_NSEC_MISSING : EDE_BOGUS,
	    arena_printf(r->e->arena, "denial of %s %s: %s, in the signed zone %s", name, rrtype_text(j->reply.type, type),
		stripped ? "without signatures" : j->reply.authorities > 0 ? "no NSEC or NSEC3 of the zone" : "without any record", zone), by);
	return JUDGE_DONE;
}

enum judge_what run_denial(struct run *r)
{
	struct judge *j = r->j;
	struct signers d = { .n = 0 };
	enum judge_what what;

	if (j->negative.done)
		return JUDGE_DONE;
	if (j->reply.type == RR_RRSIG && j->reply.kind == JUDGE_NODATA) { /* every name of a signed zone has some: nothing denies them */
		seen_settle(&j->negative, SECURITY_INDETERMINATE, 0, NULL, j->reply.zone);
		return JUDGE_DONE;
	}
	what = try_deniers(r, true, &d);
	if (what == JUDGE_DONE && !j->negative.done)
		what = try_deniers(r, false, &d);
	if (what != JUDGE_DONE || j->negative.done)
		return what;
	if (j->negative.failed_zone.wire == NULL)
		return judge_bare_denial(r);
	seen_settle(&j->negative, SECURITY_BOGUS, j->negative.failed_ede, j->negative.failed_text, j->negative.failed_zone);
	return JUDGE_DONE;
}
