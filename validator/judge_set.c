/*
 * judge_set.c: one RRset on its own merits (RFC 4035 section 5.3): a CNAME worked out from a DNAME, a set with signatures, a set without, the keys of a zone.
 */
#include "validator/judge_inside.h"

#include "base/arena.h"
#include "dns/edns.h"

/* --- one set: aliases worked out */

static bool is_substitution(const struct rrset *dname, const struct rrset *cname)
{
	struct name owner = rrset_name(cname), from = rrset_name(dname), to, target;
	struct name_buf b;

	return dname->type == RR_DNAME && dname->count == 1 && name_is_strictly_under(owner, from) && rrset_target(dname, 0, &to) &&
	    rrset_target(cname, 0, &target) && OK(name_concat(owner, owner.labels - from.labels, to, &b)) && name_equal(name_of(&b), target);
}

/* The DNAME before it that an unsigned CNAME was worked out from (RFC 6672 section 5.3.1); NULL: none. */
static struct seen *origin_of(struct judge *j, size_t i) IN_ARENA;
static struct seen *origin_of(struct judge *j, size_t i)
{
	const struct rrset *cname = j->answer[i].set;

	if (cname->type != RR_CNAME || cname->count != 1 || cname->sigs > 0)
		return NULL;
	for (size_t k = i; k-- > 0;)
		if (is_substitution(j->answer[k].set, cname))
			return &j->answer[k];
	return NULL;
}

static enum judge_what inherit(struct run *r, struct seen *s, const struct seen *from)
{
	if (from->security == SECURITY_SECURE && from->good != NULL)
		return seen_settle_secure(r, s, from->zone, from->good->ttl);
	seen_settle(s, from->security, from->ede, from->text, from->zone);
	return JUDGE_DONE;
}

/* --- one set: its signatures */

static RESULT verify(struct run *r, struct seen *s, const struct keyset *keys, struct sig_report *ret)
{
	struct chain_env *e = r->e;

	if (s->keys != keys)
		s->progress = (struct sig_progress){ .begun = false };
	s->keys = keys;
	return rrset_verify_on(s->set, keys, NULL, &e->policy->algorithms, &e->time, &e->policy->signatures, e->arena, e->work, &s->progress, ret);
}

static void note_report(struct seen *s, const struct sig_report *report, struct name by)
{
	if (s->by.wire != NULL && report->verdict <= s->report.verdict)
		return;
	s->report = *report;
	s->by = by;
}

static void note_verdict(struct seen *s, enum sig_verdict v, unsigned int index, const struct rrsig *sig, struct name by)
{
	struct sig_report report = { .verdict = v, .ede = sig_verdict_ede(v), .index = (uint16_t)index, .tag = sig->tag, .algorithm = sig->algorithm };

	note_report(s, &report, by);
}

/* A wildcard may not make records that belong to one name alone; for DNAME see RFC 6672 section 3.3. */
static bool may_be_expanded(uint16_t type)
{
	return type != RR_DS && type != RR_DNAME && !is_denial(type);
}

enum judge_what seen_try_keys(struct run *r, struct seen *s, struct name signer, const struct keyset *keys)
{
	struct sig_report report = { 0 };
	struct name_buf source;
	struct rrsig sig;
	struct result v;
	uint32_t ttl;

	/* The SOA and the proofs of one zone come again and again. */
	if (r->e->verified != NULL && (is_denial(s->set->type) || s->set->type == RR_SOA) && r->e->verified(r->e->user, signer, s->set, &ttl))
		return seen_settle_secure(r, s, signer, ttl);
	v = verify(r, s, keys, &report);
	if (!OK(v))
		return run_error(v);
	if (report.verdict == SIG_GOOD && report.wildcard && !may_be_expanded(s->set->type)) {
		report.verdict = SIG_LABELS;
		report.ede = EDE_BOGUS;
	}
	if (report.verdict != SIG_GOOD) {
		s->refuted = true;
		note_report(s, &report, signer);
		return JUDGE_DONE;
	}
	s->labels = report.labels;
	s->wildcard = report.wildcard;
	if (s->wildcard && OK(rrsig_parse(rrset_sig(s->set, report.index), &sig)) && rrsig_wildcard(&sig, s->set, &source)) {
		s->source = name_dup_in(r->j->arena, name_of(&source));
		if (s->source.wire == NULL)
			return JUDGE_NO_ROOM;
	}
	return seen_settle_secure(r, s, signer, report.ttl);
}

/* One signer who could be right. */
static enum judge_what try_signer(struct run *r, struct seen *s, unsigned int index, const struct rrsig *sig)
{
	struct name owner = rrset_name(s->set);
	/* NSEC stands on both sides of a cut. */
	struct name low = s->set->type == RR_DS || s->set->type == RR_NSEC ? name_parent(owner) : owner;
	AUTO(trust_unref) struct trust *t = NULL;
	struct chain_step step;
	enum judge_what what;
	bool wrong;

	if (run_is_wrong_side(r, low, sig->signer.labels)) {
		note_verdict(s, SIG_SIGNER, index, sig, sig->signer);
		return JUDGE_DONE;
	}
	chain_zone(r->e, sig->signer, &step);
	run_refuse_own_question(r, &step);
	t = MOVE(step.trust);
	what = run_halted(r, &step);
	if (what != JUDGE_DONE)
		return what;
	if (step.what == CHAIN_BOGUS) {
		if (s->failed_zone.wire == NULL) {
			s->failed_ede = step.ede;
			s->failed_text = step.text;
			s->failed_zone = sig->signer;
		}
		return JUDGE_DONE;
	}
	switch (t->state) {
	case TRUST_KEYS:
		what = run_check_side(r, low, sig->signer, &wrong);
		if (what != JUDGE_DONE)
			return what;
		if (!wrong)
			return seen_try_keys(r, s, sig->signer, t->keys);
		break;
	case TRUST_INSECURE:
	case TRUST_NONE:
		return seen_settle_unsigned(r, s, t);
	case TRUST_NO_CUT:
	case TRUST_NO_NAME:
	case TRUST_DS:
		break;
	}
	note_verdict(s, SIG_SIGNER, index, sig, sig->signer);
	return JUDGE_DONE;
}

/* The signatures, those in date first. JUDGE_DONE without s->done: none of them settles it. */
static enum judge_what judge_signatures(struct run *r, struct seen *s)
{
	unsigned int n = s->set->sigs < SIGNATURES_LOOKED_AT ? s->set->sigs : SIGNATURES_LOOKED_AT;

	for (; s->at < 2 * n && !s->done && s->signers.n < SIGNERS_TRIED; s->at++) {
		unsigned int i = s->at % n;
		enum sig_verdict v = SIG_FORMAT;
		struct rrsig sig = { 0 };
		enum judge_what what;

		if (OK(rrsig_parse(rrset_sig(s->set, i), &sig)))
			v = rrsig_check(&sig, s->set, &r->e->time);
		if (s->at < n ? v != SIG_GOOD : !is_about_time(v)) {
			if (s->at >= n && v != SIG_GOOD)
				note_verdict(s, v, i, &sig, v == SIG_FORMAT ? rrset_name(s->set) : sig.signer);
			continue;
		}
		if (!is_new(&s->signers, sig.signer))
			continue;
		what = try_signer(r, s, i, &sig);
		if (what != JUDGE_DONE)
			return what;
		s->signers.tried[s->signers.n++] = sig.signer;
	}
	return JUDGE_DONE;
}

enum judge_what seen_settle_refuted(struct run *r, struct seen *s)
{
	const char *text = chain_signature_text(r->e, s->set, s->by, &s->report);

	if (text == NULL)
		return JUDGE_NO_ROOM;
	seen_settle(s, SECURITY_BOGUS, s->report.ede, text, s->by);
	return JUDGE_DONE;
}

/* No signature speaks for it: it must belong to a zone that is not signed. */
static enum judge_what judge_unsigned(struct run *r, struct seen *s)
{
	AUTO(trust_unref) struct trust *t = NULL;
	struct sig_report missing = { .verdict = SIG_MISSING, .ede = EDE_RRSIGS_MISSING };
	bool none = s->by.wire == NULL || s->report.verdict == SIG_MISSING;
	struct chain_step step;
	enum judge_what what;
	struct name zone, owner = rrset_name(s->set);
	/* What stands in place of a DS RRset belongs above the cut as that would. */
	uint16_t type = r->j->reply.type == RR_DS && name_equal(owner, r->j->reply.name) ? RR_DS : s->set->type;

	chain_zone_of(r->e, owner, type, &step);
	run_refuse_own_question(r, &step);
	t = MOVE(step.trust);
	what = run_halted(r, &step);
	if (what != JUDGE_DONE)
		return what;
	if (step.what == CHAIN_BOGUS) {
		seen_settle(s, SECURITY_BOGUS, step.ede, step.text, home_of(owner, type));
		return JUDGE_DONE;
	}
	if (t->state == TRUST_INSECURE || t->state == TRUST_NONE)
		return seen_settle_unsigned(r, s, t);
	zone = name_dup_in(r->j->arena, name_of(&t->zone));
	if (zone.wire == NULL)
		return JUDGE_NO_ROOM;
	if (none)
		s->report = missing;
	s->by = zone;
	return seen_settle_refuted(r, s);
}

/* --- one set: a zone's keys */

static enum judge_what take_keys(struct run *r, struct seen *s, const struct rrset *ds, const struct anchor_zone *anchor, bool known)
{
	struct chain_step step;
	struct sig_report report = { 0 };
	struct result v = chain_keys(r->e, s->set, ds, anchor, &report, &step);
	AUTO(trust_unref) struct trust *t = MOVE(step.trust);

	if (v.e == ERR_REFUSED) {
		seen_settle(s, SECURITY_BOGUS, step.ede, step.text, rrset_name(s->set));
		return JUDGE_DONE;
	}
	if (!OK(v))
		return run_error(v);
	if (!known) /* of known keys the DS RRset's remaining life is not known here */
		chain_learn(r->e, t);
	if (t->state == TRUST_KEYS)
		return seen_settle_secure(r, s, rrset_name(s->set), report.ttl);
	return seen_settle_unsigned(r, s, t);
}

/* Found secure before, and the keys themselves have been forgotten since. */
static enum judge_what learn_keys_again(struct run *r, const struct rrset *set)
{
	const struct trust *known = r->e->known(r->e->user, rrset_name(set));
	AUTO(keyset_free) struct keyset *keys = NULL;
	AUTO(trust_unref) struct trust *t = NULL;
	struct result made;

	if (known != NULL && known->state == TRUST_KEYS)
		return JUDGE_DONE;
	made = keyset_make(set, &r->e->policy->algorithms, &r->e->policy->keys, r->e->work, &keys);
	if (!OK(made))
		return run_error(made);
	t = trust_new(TRUST_KEYS, rrset_name(set), set->ttl, MOVE(keys), NULL, 0, NULL);
	if (t == NULL)
		return JUDGE_NO_ROOM;
	chain_learn(r->e, t);
	return JUDGE_DONE;
}

static enum judge_what judge_keys(struct run *r, struct seen *s)
{
	const struct anchor_zone *anchor = NULL;
	AUTO(trust_unref) struct trust *t = NULL;
	struct chain_step step;
	enum judge_what what;

	chain_zone_for_keys(r->e, rrset_name(s->set), &anchor, &step);
	run_refuse_own_question(r, &step);
	t = MOVE(step.trust);
	what = run_halted(r, &step);
	if (what != JUDGE_DONE)
		return what;
	if (step.what == CHAIN_BOGUS) {
		seen_settle(s, SECURITY_BOGUS, step.ede, step.text, rrset_name(s->set));
		return JUDGE_DONE;
	}
	if (anchor != NULL)
		return take_keys(r, s, NULL, anchor, false);
	switch (t->state) {
	case TRUST_DS:
		return take_keys(r, s, t->ds, NULL, false);
	case TRUST_KEYS:
		if (t->ds != NULL)
			return take_keys(r, s, t->ds, NULL, true);
		what = seen_try_keys(r, s, rrset_name(s->set), t->keys);
		return what == JUDGE_DONE && !s->done ? seen_settle_refuted(r, s) : what;
	case TRUST_INSECURE:
	case TRUST_NONE:
		return seen_settle_unsigned(r, s, t);
	case TRUST_NO_CUT:
	case TRUST_NO_NAME:
		break;
	}
	return judge_unsigned(r, s);
}

/* --- one set */

static enum judge_what judge_set(struct run *r, size_t i)
{
	struct seen *s = &r->j->answer[i], *from = origin_of(r->j, i);
	enum judge_what what;

	if (s->set->count == 0) { /* signatures alone: nothing signs them */
		seen_settle(s, SECURITY_INDETERMINATE, 0, NULL, r->j->reply.zone);
		return JUDGE_DONE;
	}
	if (s->set->security == SECURITY_SECURE) {
		what = s->set->type == RR_DNSKEY ? learn_keys_again(r, s->set) : JUDGE_DONE;
		return what == JUDGE_DONE ? seen_take_secure(r, s) : what;
	}
	if (from != NULL)
		return inherit(r, s, from);
	if (s->set->type == RR_DNSKEY)
		return judge_keys(r, s);
	what = judge_signatures(r, s);
	if (what != JUDGE_DONE || s->done)
		return what;
	if (s->refuted)
		return seen_settle_refuted(r, s);
	if (s->failed_zone.wire != NULL) {
		seen_settle(s, SECURITY_BOGUS, s->failed_ede, s->failed_text, s->failed_zone);
		return JUDGE_DONE;
	}
	return judge_unsigned(r, s);
}

/* *ret_stop: one is bogus. */
enum judge_what run_answer(struct run *r, bool *ret_stop)
{
	struct judge *j = r->j;

	*ret_stop = false;
	for (size_t i = 0; i < j->reply.answers; i++) {
		enum judge_what what;

		if (!j->answer[i].done) {
			what = judge_set(r, i);
			if (what == JUDGE_DONE)
				what = run_learn_from_set(r, &j->answer[i]);
			if (what != JUDGE_DONE)
				return what;
		}
		*ret_stop = j->answer[i].security == SECURITY_BOGUS;
		if (*ret_stop)
			return JUDGE_DONE;
	}
	return JUDGE_DONE;
}
