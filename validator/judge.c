/*
 * A reply is judged in order: the sets of the answer one by one, the proofs that expanded wildcards need, the denial that a negative reply is. Each part
 * that is settled stays so, and a run that had to stop goes on where it stopped. The first part that is bogus ends it.
 */
#include "validator/judge.h"

#include "base/arena.h"
#include "dns/edns.h"
#include "dns/rrtype.h"
#include "validator/nsec.h"
#include "validator/nsec3.h"

#define SIGNATURES_LOOKED_AT 32 /* of one set, for their signers */
#define SIGNERS_TRIED 4         /* of one set, and of one denial */
#define DENIALS_KEPT 8          /* NSEC and NSEC3 sets that one proof may need: up to so many are verified and kept even when it needs fewer */
#define ASKED_IN_VAIN 3         /* the same question may come up that often in a row; its answer must have taught nothing */
#define UNKNOWN_TTL 60          /* seconds, of what was learnt from others who did not say how long it holds */

struct signers { /* whose word was looked at already */
	struct name tried[SIGNERS_TRIED];
	unsigned int n;
};

struct seen { /* one set of the reply */
	const struct rrset *set BORROWED_FIELD;
	bool done;
	enum security security;          /* once done */
	uint16_t ede;
	const char *text ARENA_FIELD;
	struct name zone;                /* signer, or the zone that the verdict is about */
	struct rrset *good ARENA_FIELD;  /* SECURE: the copy with its TTL */
	struct rrset *trial ARENA_FIELD; /* of a denial: a copy that proofs are tried with before it is verified */
	unsigned int labels;             /* of the signature that counted */
	bool wildcard;                   /* expanded; proven once `expansion` says so */
	enum denial expansion;
	struct name source;
	/* While its signers are gone through. */
	unsigned int at;                 /* pass * SIGNATURES_LOOKED_AT + signature */
	struct signers signers;
	bool refuted;                    /* a zone that could have signed it did not: `report`, `by` */
	struct sig_report report;        /* the nearest */
	struct name by;
	struct sig_progress progress;    /* where work ran out */
	const struct keyset *keys BORROWED_FIELD; /* what with; only compared */
	uint16_t failed_ede;             /* the trust in a signer could not be found out */
	const char *failed_text ARENA_FIELD;
	struct name failed_zone;
};

struct judge {
	struct arena *arena PARENT_FIELD;
	struct judge_reply reply;
	struct seen *answer ARENA_FIELD;
	struct seen *authority ARENA_FIELD;
	size_t bad_denials;              /* NSEC and NSEC3 sets that did not verify */
	struct nsec3_memo hashes;
	struct seen negative;            /* the denial as one part; its set is NULL */
	bool way_out_done, way_out_learnt;
	struct chain_memo memo;
	struct question asked;
	unsigned int asked_in_vain;
	bool done;
	struct judgement out;
};

/* What one run has at hand. */
struct run {
	struct judge *j BORROWED_FIELD;
	struct chain_env *e BORROWED_FIELD;
	struct question ask;
};

struct judge *judge_new(struct arena *a, const struct judge_reply *r)
{
	struct judge *j = arena_alloc(a, sizeof *j);

	if (j == NULL)
		return NULL;
	j->arena = a;
	j->reply = *r;
	j->answer = arena_alloc_array(a, r->answers + 1, sizeof *j->answer);
	j->authority = arena_alloc_array(a, r->authorities + 1, sizeof *j->authority);
	if (j->answer == NULL || j->authority == NULL)
		return NULL;
	for (size_t i = 0; i < r->answers; i++)
		j->answer[i].set = r->answer[i];
	for (size_t i = 0; i < r->authorities; i++)
		j->authority[i].set = r->authority[i];
	return j;
}

const struct judgement *judge_judgement(const struct judge *j)
{
	return &j->out;
}

/* --- small things */

static void settle(struct seen *s, enum security security, uint16_t ede, const char *text, struct name zone)
{
	s->done = true;
	s->security = security;
	s->ede = ede;
	s->text = text;
	s->zone = zone;
}

static enum judge_what error_what(struct result r)
{
	return r.e == ERR_BUDGET ? JUDGE_WORK : JUDGE_NO_ROOM;
}

static bool is_denial(uint16_t type)
{
	return type == RR_NSEC || type == RR_NSEC3;
}

/* The name whose zone must hold data at owner: DS belongs above the cut. */
static struct name home_of(struct name owner, uint16_t type)
{
	return type == RR_DS ? name_parent(owner) : owner;
}

/* A chain that wants the very question that is judged: there is nothing to be had. */
static void refuse_own_question(struct run *r, struct chain_step *s)
{
	const struct judge_reply *q = &r->j->reply;
	const char *zone;

	if (s->what != CHAIN_ASK || s->type != q->type || !name_equal(s->name, q->name))
		return;
	zone = chain_name_text(r->e->arena, s->name);
	s->what = CHAIN_BOGUS;
	s->ede = s->type == RR_DNSKEY ? EDE_DNSKEY_MISSING : EDE_NSEC_MISSING;
	s->text = zone == NULL ? NULL
	    : arena_printf(r->e->arena, s->type == RR_DNSKEY ? "%s should have keys, and has no DNSKEY RRset" : "DS RRset of %s: proven by itself alone", zone);
}

/* What cannot be settled now; JUDGE_DONE: it can. */
static enum judge_what halted(struct run *r, const struct chain_step *s)
{
	switch (s->what) {
	case CHAIN_ASK:
		r->ask = (struct question){ s->name, s->type, CLASS_IN };
		return JUDGE_ASK;
	case CHAIN_WORK:
		return JUDGE_WORK;
	case CHAIN_NO_ROOM:
		return JUDGE_NO_ROOM;
	case CHAIN_KNOWN:
	case CHAIN_BOGUS:
		break;
	}
	return JUDGE_DONE;
}

/* Insecure or indeterminate by what is known of a zone. */
static enum judge_what settle_unsigned(struct run *r, struct seen *s, const struct trust *t)
{
	const char *text = t->text == NULL ? NULL : arena_strdup(r->j->arena, t->text);
	struct name zone = name_dup_in(r->j->arena, name_of(&t->zone));

	if (zone.wire == NULL || (t->text != NULL && text == NULL))
		return JUDGE_NO_ROOM;
	settle(s, t->state == TRUST_NONE ? SECURITY_INDETERMINATE : SECURITY_INSECURE, t->ede, text, zone);
	return JUDGE_DONE;
}

static enum judge_what settle_secure(struct run *r, struct seen *s, struct name zone, uint32_t ttl)
{
	struct rrset *copy = rrset_copy_in(r->j->arena, s->set);

	if (copy == NULL)
		return JUDGE_NO_ROOM;
	copy->security = SECURITY_SECURE;
	if (ttl < copy->ttl)
		copy->ttl = ttl;
	s->good = copy;
	settle(s, SECURITY_SECURE, 0, NULL, zone);
	return JUDGE_DONE;
}

static void cap_ttl(struct seen *s, uint32_t ttl)
{
	if (s->good != NULL && ttl < s->good->ttl)
		s->good->ttl = ttl;
}

/* It was found secure before: whose it is, is in its signatures. */
static enum judge_what take_secure(struct run *r, struct seen *s)
{
	struct rrsig sig;
	struct name zone = rrset_name(s->set);

	if (s->set->sigs > 0 && OK(rrsig_parse(rrset_sig(s->set, 0), &sig)))
		zone = sig.signer;
	return settle_secure(r, s, zone, s->set->ttl);
}

static RESULT verify(struct run *r, struct seen *s, const struct keyset *keys, struct sig_report *ret)
{
	struct chain_env *e = r->e;

	if (s->keys != keys)
		s->progress = (struct sig_progress){ .begun = false };
	s->keys = keys;
	return rrset_verify_on(s->set, keys, NULL, &e->policy->algorithms, &e->time, &e->policy->signatures, e->arena, e->work, &s->progress, ret);
}

static bool is_zone(const struct trust *t)
{
	return t != NULL && t->state != TRUST_NO_CUT && t->state != TRUST_NO_NAME;
}

/* Whether a zone that is known to begin between signer and name makes the signer's word there void. An anchor does so too. */
static bool is_wrong_side(struct run *r, struct name name, unsigned int signer_labels)
{
	struct anchor_found f = anchors_find_with(r->e->anchors, r->e->ntas, r->e->wall, name);

	if (f.kind != ANCHOR_NONE && f.zone.labels > signer_labels)
		return true;
	for (unsigned int labels = name.labels; labels > signer_labels; labels--)
		if (is_zone(r->e->known(r->e->user, name_suffix(name, labels))))
			return true;
	return false;
}

/*
 * Whether a signer, whose keys are known, may speak of name: not when a zone begins between them, be it known or a delegation that is remembered and turns out
 * to be real.
 */
static enum judge_what check_side(struct run *r, struct name name, struct name signer, bool *ret_wrong)
{
	AUTO(trust_unref) struct trust *t = NULL;
	struct chain_step step;
	enum judge_what what = JUDGE_DONE;
	struct name cut;

	*ret_wrong = is_wrong_side(r, name, signer.labels);
	if (*ret_wrong || !r->e->cut(r->e->user, name, &cut) || cut.labels <= signer.labels || !name_is_under(name, cut))
		return JUDGE_DONE;
	chain_zone(r->e, name_suffix(name, cut.labels), &step);
	refuse_own_question(r, &step);
	t = MOVE(step.trust);
	what = halted(r, &step);
	*ret_wrong = step.what != CHAIN_KNOWN || is_zone(t);
	return what;
}

/* --- what is learnt on the way */

/* By configuration alone: not what is insecure by it, or without an anchor. */
static bool is_in_island(struct run *r, struct name name)
{
	return anchors_find_with(r->e->anchors, r->e->ntas, r->e->wall, name).kind == ANCHOR_KEYS;
}

/* No zone above that speaks for the name: an anchor begins there. */
static unsigned int least_labels(struct run *r, struct name name)
{
	struct anchor_found f = anchors_find_with(r->e->anchors, r->e->ntas, r->e->wall, name);

	return f.kind == ANCHOR_NONE ? 0 : f.zone.labels;
}

static bool has_entry(struct run *r, struct name name)
{
	struct anchor_found f = anchors_find_with(r->e->anchors, r->e->ntas, r->e->wall, name);

	return f.kind != ANCHOR_NONE && name_equal(f.zone, name);
}

static enum judge_what learn(struct run *r, enum trust_state state, struct name zone, uint32_t ttl, uint16_t ede, const char *text)
{
	AUTO(trust_unref) struct trust *t = NULL;

	if (has_entry(r, zone)) /* what others say of it does not count */
		return JUDGE_DONE;
	t = trust_new(state, zone, ttl, NULL, NULL, ede, text);
	if (t == NULL)
		return JUDGE_NO_ROOM;
	chain_learn(r->e, t);
	return JUDGE_DONE;
}

/* A set that is settled may say where zones begin. */
static enum judge_what learn_from_set(struct run *r, const struct seen *s)
{
	const struct judge_reply *q = &r->j->reply;
	struct chain_step step;
	bool full, asked_for = q->type == RR_DS && name_equal(rrset_name(s->set), q->name);

	/* Whoever asks where zones begin must find that he need not ask further. */
	if (s->security == SECURITY_INSECURE && asked_for && is_in_island(r, home_of(q->name, RR_DS)))
		return learn(r, TRUST_INSECURE, q->name, UNKNOWN_TTL, s->ede, s->text);
	if (s->security != SECURITY_SECURE || s->good == NULL || (s->wildcard && s->expansion != DENIAL_WILDCARD_ANSWER))
		return JUDGE_DONE;
	if (s->set->type == RR_CNAME && asked_for)
		return learn(r, TRUST_NO_CUT, q->name, s->good->ttl, 0, NULL);
	if (s->set->type != RR_DS || has_entry(r, rrset_name(s->set)))
		return JUDGE_DONE;
	chain_learn_ds(r->e, s->good, s->good->ttl, &step);
	full = step.what != CHAIN_KNOWN;
	chain_step_done(&step);
	return full ? JUDGE_NO_ROOM : JUDGE_DONE;
}

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
		return settle_secure(r, s, from->zone, from->good->ttl);
	settle(s, from->security, from->ede, from->text, from->zone);
	return JUDGE_DONE;
}

/* --- one set: its signatures */

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

static bool is_about_time(enum sig_verdict v)
{
	return v == SIG_DATES || v == SIG_EXPIRED || v == SIG_NOT_YET;
}

static bool is_new(const struct signers *d, struct name signer)
{
	for (unsigned int i = 0; i < d->n; i++)
		if (name_equal(d->tried[i], signer))
			return false;
	return true;
}

/* A wildcard may not make records that belong to one name alone; for DNAME see RFC 6672 section 3.3. */
static bool may_be_expanded(uint16_t type)
{
	return type != RR_DS && type != RR_DNAME && !is_denial(type);
}

static enum judge_what try_keys(struct run *r, struct seen *s, struct name signer, const struct keyset *keys)
{
	struct sig_report report = { 0 };
	struct result v = verify(r, s, keys, &report);
	struct name_buf source;
	struct rrsig sig;

	if (!OK(v))
		return error_what(v);
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
	return settle_secure(r, s, signer, report.ttl);
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

	if (is_wrong_side(r, low, sig->signer.labels)) {
		note_verdict(s, SIG_SIGNER, index, sig, sig->signer);
		return JUDGE_DONE;
	}
	chain_zone(r->e, sig->signer, &step);
	refuse_own_question(r, &step);
	t = MOVE(step.trust);
	what = halted(r, &step);
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
		what = check_side(r, low, sig->signer, &wrong);
		if (what != JUDGE_DONE)
			return what;
		if (!wrong)
			return try_keys(r, s, sig->signer, t->keys);
		break;
	case TRUST_INSECURE:
	case TRUST_NONE:
		return settle_unsigned(r, s, t);
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

static enum judge_what settle_refuted(struct run *r, struct seen *s)
{
	const char *text = chain_signature_text(r->e, s->set, s->by, &s->report);

	if (text == NULL)
		return JUDGE_NO_ROOM;
	settle(s, SECURITY_BOGUS, s->report.ede, text, s->by);
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
	refuse_own_question(r, &step);
	t = MOVE(step.trust);
	what = halted(r, &step);
	if (what != JUDGE_DONE)
		return what;
	if (step.what == CHAIN_BOGUS) {
		settle(s, SECURITY_BOGUS, step.ede, step.text, home_of(owner, type));
		return JUDGE_DONE;
	}
	if (t->state == TRUST_INSECURE || t->state == TRUST_NONE)
		return settle_unsigned(r, s, t);
	zone = name_dup_in(r->j->arena, name_of(&t->zone));
	if (zone.wire == NULL)
		return JUDGE_NO_ROOM;
	if (none)
		s->report = missing;
	s->by = zone;
	return settle_refuted(r, s);
}

/* --- one set: a zone's keys */

static enum judge_what take_keys(struct run *r, struct seen *s, const struct rrset *ds, const struct anchor_zone *anchor, bool known)
{
	struct chain_step step;
	struct sig_report report = { 0 };
	struct result v = chain_keys(r->e, s->set, ds, anchor, &report, &step);
	AUTO(trust_unref) struct trust *t = MOVE(step.trust);

	if (v.e == ERR_REFUSED) {
		settle(s, SECURITY_BOGUS, step.ede, step.text, rrset_name(s->set));
		return JUDGE_DONE;
	}
	if (!OK(v))
		return error_what(v);
	if (!known) /* of known keys the DS RRset's remaining life is not known here */
		chain_learn(r->e, t);
	if (t->state == TRUST_KEYS)
		return settle_secure(r, s, rrset_name(s->set), report.ttl);
	return settle_unsigned(r, s, t);
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
		return error_what(made);
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
	refuse_own_question(r, &step);
	t = MOVE(step.trust);
	what = halted(r, &step);
	if (what != JUDGE_DONE)
		return what;
	if (step.what == CHAIN_BOGUS) {
		settle(s, SECURITY_BOGUS, step.ede, step.text, rrset_name(s->set));
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
		what = try_keys(r, s, rrset_name(s->set), t->keys);
		return what == JUDGE_DONE && !s->done ? settle_refuted(r, s) : what;
	case TRUST_INSECURE:
	case TRUST_NONE:
		return settle_unsigned(r, s, t);
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
		settle(s, SECURITY_INDETERMINATE, 0, NULL, r->j->reply.zone);
		return JUDGE_DONE;
	}
	if (s->set->security == SECURITY_SECURE) {
		what = s->set->type == RR_DNSKEY ? learn_keys_again(r, s->set) : JUDGE_DONE;
		return what == JUDGE_DONE ? take_secure(r, s) : what;
	}
	if (from != NULL)
		return inherit(r, s, from);
	if (s->set->type == RR_DNSKEY)
		return judge_keys(r, s);
	what = judge_signatures(r, s);
	if (what != JUDGE_DONE || s->done)
		return what;
	if (s->refuted)
		return settle_refuted(r, s);
	if (s->failed_zone.wire != NULL) {
		settle(s, SECURITY_BOGUS, s->failed_ede, s->failed_text, s->failed_zone);
		return JUDGE_DONE;
	}
	return judge_unsigned(r, s);
}

/* *ret_stop: one is bogus. */
static enum judge_what judge_answer(struct run *r, bool *ret_stop)
{
	struct judge *j = r->j;

	*ret_stop = false;
	for (size_t i = 0; i < j->reply.answers; i++) {
		enum judge_what what;

		if (!j->answer[i].done) {
			what = judge_set(r, i);
			if (what == JUDGE_DONE)
				what = learn_from_set(r, &j->answer[i]);
			if (what != JUDGE_DONE)
				return what;
		}
		*ret_stop = j->answer[i].security == SECURITY_BOGUS;
		if (*ret_stop)
			return JUDGE_DONE;
	}
	return JUDGE_DONE;
}

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
static enum judge_what verify_beside(struct run *r, struct seen *s, struct name zone, const struct keyset *keys)
{
	enum judge_what what;

	if (s->set->security == SECURITY_SECURE)
		return take_secure(r, s);
	what = try_keys(r, s, zone, keys);
	return what == JUDGE_DONE && !s->done ? settle_refuted(r, s) : what;
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
	if (!is_signed_by(r, s->set, zone))
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

struct proof { /* what a zone can deny with, and whose each is */
	struct denial_proof p;
	struct seen **of ARENA_FIELD;
	uint32_t ttl; /* the least of those that counted */
};

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
			what = verify_beside(r, p->of[i], p->p.zone, keys);
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
		what = verify_beside(r, p->of[i], p->p.zone, keys);
		if (what != JUDGE_DONE)
			return what;
		good = p->of[i]->good != NULL;
	}
	return JUDGE_DONE;
}

/*
 * A proof by the zone's records: first what they would prove, were they all good; then the few that this rests on are verified, and if one does not hold it is tried
 * without it. labels: of a wildcard's signature, for the proof of an expansion; 0: a denial of name and type.
 */
static enum judge_what prove(struct run *r, struct name zone, const struct keyset *keys, struct name name, uint16_t type, unsigned int labels, struct proof *ret,
    struct denial_verdict *ret_verdict)
{
	bool good = false;

	while (!good) {
		enum judge_what what;

		if (!OK(proof_of(r, zone, ret)))
			return JUDGE_NO_ROOM;
		if (r->j->bad_denials >= r->e->policy->signatures.max_failures)
			ret->p.n = 0;
		*ret_verdict = labels > 0 ? denial_prove_expansion(&ret->p, name, labels) : denial_prove(&ret->p, name, type);
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

static bool brings_unsigned(const struct judge *j, bool soa)
{
	for (size_t i = 0; i < j->reply.authorities; i++) {
		const struct rrset *set = j->authority[i].set;

		if ((soa ? set->type == RR_SOA : is_denial(set->type)) && set->sigs == 0)
			return true;
	}
	return false;
}

/* s: an expanded set, or the denial. any: NSEC or NSEC3 of the zone came along. */
static enum judge_what settle_unproven(struct run *r, struct seen *s, struct name name, uint16_t type, struct name zone, bool any, const struct denial_verdict *v)
{
	const struct seen *bad = bad_denial(r->j);
	bool stripped = bad == NULL && brings_unsigned(r->j, false);
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
	settle(s, SECURITY_BOGUS, bad != NULL ? bad->ede : stripped ? (uint16_t)EDE_RRSIGS_MISSING : s->set != NULL || any ? (uint16_t)EDE_BOGUS : (uint16_t)EDE_NSEC_MISSING,
	    text, zone);
	s->good = NULL;
	return JUDGE_DONE;
}

static enum judge_what settle_opted_out(struct run *r, struct seen *s, struct name name, struct name zone, const struct denial_verdict *v)
{
	const char *text = chain_insecure_text(r->e, name, zone, v->what);

	if (text == NULL)
		return JUDGE_NO_ROOM;
	settle(s, SECURITY_INSECURE, v->ede, text, zone);
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
	refuse_own_question(r, &step);
	t = MOVE(step.trust);
	what = halted(r, &step);
	if (what != JUDGE_DONE)
		return what;
	if (step.what == CHAIN_BOGUS || t->state != TRUST_KEYS) /* they were there a moment ago */
		return JUDGE_NO_ROOM;
	what = prove(r, s->zone, t->keys, owner, s->set->type, s->labels, &p, &v);
	if (what != JUDGE_DONE)
		return what;
	switch (v.what) {
	case DENIAL_WILDCARD_ANSWER:
		s->expansion = v.what;
		cap_ttl(s, p.ttl);
		return learn_from_set(r, s);
	case DENIAL_INSECURE_OPTOUT:
	case DENIAL_ITERATIONS_INSECURE:
		s->expansion = v.what;
		return settle_opted_out(r, s, owner, s->zone, &v);
	case DENIAL_TOO_MUCH_WORK:
	case DENIAL_FAILED:
	case DENIAL_NOT_PROVEN:
	case DENIAL_PROVEN_NXDOMAIN:
	case DENIAL_PROVEN_NODATA:
	case DENIAL_WILDCARD_NODATA:
	case DENIAL_NO_DS_INSECURE:
		break;
	}
	return settle_unproven(r, s, owner, s->set->type, s->zone, p.p.n > 0, &v);
}

static enum judge_what judge_expansions(struct run *r, bool *ret_stop)
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

	for (unsigned int labels = zone.labels + 1u; labels <= final.labels; labels++) {
		struct name name = name_suffix(final, labels);
		struct denial_verdict v;
		enum judge_what what;
		struct proof p;
		const char *text;

		what = prove(r, zone, keys, name, RR_DS, 0, &p, &v);
		if (what != JUDGE_DONE)
			return what;
		if (v.what == DENIAL_PROVEN_NODATA)
			continue;
		if (v.what != DENIAL_NO_DS_INSECURE)
			break;
		text = chain_insecure_text(r->e, name, zone, v.what);
		*ret_learnt = true;
		return text == NULL ? JUDGE_NO_ROOM : learn(r, TRUST_INSECURE, name, p.ttl, 0, text);
	}
	return JUDGE_DONE;
}

/* A server that also serves an unsigned zone below may show at once that the alias leads into it: a question for the DS RRset less. */
static enum judge_what judge_way_out(struct run *r)
{
	struct judge *j = r->j;
	AUTO(trust_unref) struct trust *t = NULL;
	const struct seen *last;
	const struct trust *known;
	enum judge_what what;

	if (j->way_out_done || j->reply.answers == 0 || j->reply.authorities == 0)
		return JUDGE_DONE;
	last = &j->answer[j->reply.answers - 1];
	if (last->security != SECURITY_SECURE || !name_is_strictly_under(j->reply.final, last->zone) || last->zone.labels < least_labels(r, j->reply.final))
		return JUDGE_DONE;
	known = r->e->known(r->e->user, last->zone);
	if (known == NULL || known->state != TRUST_KEYS)
		return JUDGE_DONE;
	t = trust_ref(known);
	what = learn_cut(r, last->zone, t->keys, &j->way_out_learnt);
	j->way_out_done = what == JUDGE_DONE;
	return what;
}

/* --- denials */

/* The compact form says NODATA for names that do not exist (RFC 9824 section 3.1). */
static bool is_compact(const struct denial_proof *p, struct name name)
{
	struct nsec n;

	for (size_t i = 0; i < p->n; i++)
		if (OK(nsec_read(p->sets[i], p->zone, &n)) && nsec_matches(&n, name) && nsec_is_nxname(&n))
			return true;
	return false;
}

/* Whether it is what the reply says. */
static bool denial_fits(const struct judge *j, const struct denial_proof *p, const struct denial_verdict *v)
{
	switch (v->what) {
	case DENIAL_PROVEN_NXDOMAIN:
		return j->reply.kind == JUDGE_NXDOMAIN || is_compact(p, j->reply.final);
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
			what = verify_beside(r, s, zone, keys);
			if (what != JUDGE_DONE)
				return what;
		}
		if (s->security == SECURITY_SECURE)
			continue;
		settle(&j->negative, SECURITY_BOGUS, s->ede, s->text, zone);
		*ret_bad = true;
		return JUDGE_DONE;
	}
	return JUDGE_DONE;
}

static void cap_soas(struct judge *j, uint32_t ttl)
{
	for (size_t i = 0; i < j->reply.authorities; i++)
		if (j->authority[i].set->type == RR_SOA)
			cap_ttl(&j->authority[i], ttl);
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
		return learn(r, TRUST_INSECURE, j->reply.name, ttl, n->ede,
		    n->text != NULL ? n->text : chain_insecure_text(r->e, j->reply.name, n->zone, what));
	case DENIAL_PROVEN_NODATA:
		return learn(r, TRUST_NO_CUT, j->reply.name, ttl, 0, NULL);
	case DENIAL_PROVEN_NXDOMAIN:
	case DENIAL_WILDCARD_NODATA:
		return learn(r, TRUST_NO_NAME, j->reply.name, ttl, 0, NULL);
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
	refuse_own_question(r, &step);
	t = MOVE(step.trust);
	what = halted(r, &step);
	if (what != JUDGE_DONE || step.what == CHAIN_BOGUS || (t->state != TRUST_INSECURE && t->state != TRUST_NONE))
		return what;
	return settle_unsigned(r, &j->negative, t);
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
	what = prove(r, zone, keys, j->reply.final, j->reply.type, 0, &p, &v);
	if (what != JUDGE_DONE)
		return what;
	if (!denial_fits(j, &p.p, &v)) {
		if (p.p.n == 0) {
			what = look_for_cut(r, zone);
			if (what != JUDGE_DONE || j->negative.done)
				return what;
		}
		if (v.what != DENIAL_NOT_PROVEN)
			v.text = "the proof says something else than the reply";
		return settle_unproven(r, &j->negative, j->reply.final, j->reply.type, zone, p.p.n > 0, &v);
	}
	j->out.denial = v.what;
	cap_soas(j, p.ttl);
	if (v.what == DENIAL_INSECURE_OPTOUT || v.what == DENIAL_ITERATIONS_INSECURE)
		what = settle_opted_out(r, &j->negative, j->reply.final, zone, &v);
	else
		settle(&j->negative, SECURITY_SECURE, 0, NULL, zone);
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

	if (!name_is_under(low, signer) || is_wrong_side(r, low, signer.labels))
		return JUDGE_DONE;
	chain_zone(r->e, signer, &step);
	refuse_own_question(r, &step);
	t = MOVE(step.trust);
	what = halted(r, &step);
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
		return settle_unsigned(r, &j->negative, t);
	if (t->state != TRUST_KEYS)
		return JUDGE_DONE;
	what = check_side(r, low, signer, &wrong);
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
	bool stripped = brings_unsigned(j, false) || brings_unsigned(j, true);
	struct chain_step step;
	enum judge_what what;
	char type[RRTYPE_TEXT];
	struct name by;

	chain_zone_of(r->e, j->reply.final, j->reply.type, &step);
	refuse_own_question(r, &step);
	t = MOVE(step.trust);
	what = halted(r, &step);
	if (what != JUDGE_DONE)
		return what;
	if (step.what == CHAIN_BOGUS) {
		settle(&j->negative, SECURITY_BOGUS, step.ede, step.text, home_of(j->reply.final, j->reply.type));
		return JUDGE_DONE;
	}
	if (t->state == TRUST_INSECURE || t->state == TRUST_NONE) {
		what = settle_unsigned(r, &j->negative, t);
		/* Whoever asks where zones begin must find that he need not ask further. */
		if (what == JUDGE_DONE && t->state == TRUST_INSECURE && is_in_island(r, home_of(j->reply.final, j->reply.type)))
			what = learn_denial(r, DENIAL_NO_DS_INSECURE, t->ttl < UNKNOWN_TTL ? t->ttl : UNKNOWN_TTL);
		return what;
	}
	by = name_dup_in(j->arena, name_of(&t->zone));
	zone = by.wire == NULL ? NULL : chain_name_text(r->e->arena, by);
	if (name == NULL || zone == NULL)
		return JUDGE_NO_ROOM;
	settle(&j->negative, SECURITY_BOGUS, stripped ? EDE_RRSIGS_MISSING : j->reply.authorities > 0 || j->reply.type == RR_DS ? EDE_NSEC_MISSING : EDE_BOGUS,
	    arena_printf(r->e->arena, "denial of %s %s: %s, in the signed zone %s", name, rrtype_text(j->reply.type, type),
		stripped ? "without signatures" : j->reply.authorities > 0 ? "no NSEC or NSEC3 of the zone" : "without any record", zone), by);
	return JUDGE_DONE;
}

static enum judge_what judge_denial(struct run *r)
{
	struct judge *j = r->j;
	struct signers d = { .n = 0 };
	enum judge_what what;

	if (j->negative.done)
		return JUDGE_DONE;
	if (j->reply.type == RR_RRSIG && j->reply.kind == JUDGE_NODATA) { /* every name of a signed zone has some: nothing denies them */
		settle(&j->negative, SECURITY_INDETERMINATE, 0, NULL, j->reply.zone);
		return JUDGE_DONE;
	}
	what = try_deniers(r, true, &d);
	if (what == JUDGE_DONE && !j->negative.done)
		what = try_deniers(r, false, &d);
	if (what != JUDGE_DONE || j->negative.done)
		return what;
	if (j->negative.failed_zone.wire == NULL)
		return judge_bare_denial(r);
	settle(&j->negative, SECURITY_BOGUS, j->negative.failed_ede, j->negative.failed_text, j->negative.failed_zone);
	return JUDGE_DONE;
}

/* --- the whole */

/* The less, the worse. */
static int worth(enum security s)
{
	switch (s) {
	case SECURITY_UNCHECKED:
	case SECURITY_BOGUS:
		return 0;
	case SECURITY_INDETERMINATE:
		return 1;
	case SECURITY_INSECURE:
		return 2;
	case SECURITY_SECURE:
		return 3;
	}
	return 0;
}

static void add_part(struct judgement *out, const struct seen *s, bool first)
{
	if (!s->done)
		return;
	if (first || worth(s->security) < worth(out->security) || (s->security == out->security && out->ede == 0 && s->ede != 0)) {
		out->security = s->security;
		out->ede = s->ede;
		out->text = s->text;
		out->zone = s->zone;
	}
}

static bool is_negative(const struct judge *j)
{
	return j->reply.kind == JUDGE_NODATA || j->reply.kind == JUDGE_NXDOMAIN;
}

static void weigh(struct judge *j)
{
	bool first = true;

	j->out.security = SECURITY_INDETERMINATE;
	j->out.zone = j->reply.zone;
	for (size_t i = 0; i < j->reply.answers; i++) {
		const struct seen *s = &j->answer[i];

		if (s->set->count == 0 && j->reply.type == RR_ANY) /* stray signatures */
			continue;
		if (s->expansion != DENIAL_NOT_PROVEN && j->out.denial == DENIAL_NOT_PROVEN)
			j->out.denial = s->expansion;
		add_part(&j->out, s, first);
		first = false;
	}
	if (is_negative(j))
		add_part(&j->out, &j->negative, first);
}

/* Other data beside a secure answer (NS): kept when it is secure at no further question (RFC 4035 section 3.2.3). */
static void try_spare(struct run *r, struct seen *s)
{
	const struct trust *t;
	struct rrsig sig;

	if (s->set->count == 0 || s->set->sigs == 0 || is_denial(s->set->type) || s->set->type == RR_SOA || s->set->type == RR_DNSKEY ||
	    !OK(rrsig_parse(rrset_sig(s->set, 0), &sig)) || is_wrong_side(r, home_of(rrset_name(s->set), s->set->type), sig.signer.labels))
		return;
	t = r->e->known(r->e->user, sig.signer);
	if (t == NULL || t->state != TRUST_KEYS)
		return;
	if (try_keys(r, s, sig.signer, t->keys) == JUDGE_DONE && s->done && s->wildcard)
		s->good = NULL; /* nobody asked for it: its proof is not looked for */
}

static bool copy_as(struct judge *j, const struct seen *s, enum security security, struct judged_set *ret)
{
	ret->rs = rrset_copy_in(j->arena, s->set);
	if (ret->rs != NULL)
		ret->rs->security = (uint8_t)security;
	return ret->rs != NULL;
}

/* A set of the authority section; those that say nothing beside a secure answer are left out. */
static bool put_authority(struct run *r, struct seen *s, struct judged_set *ret)
{
	struct judge *j = r->j;

	if (j->out.security == SECURITY_SECURE && !s->done && s->set->security != SECURITY_SECURE)
		try_spare(r, s);
	if (s->good != NULL && j->reply.kind == JUDGE_ALIAS && is_denial(s->set->type) && !j->way_out_learnt && j->out.denial == DENIAL_NOT_PROVEN)
		return true; /* it says nothing about what was asked */
	if (s->good != NULL) {
		ret->rs = s->good;
		if (is_negative(j) && j->negative.done && worth(j->negative.security) < worth(SECURITY_SECURE))
			ret->rs->security = (uint8_t)j->negative.security; /* the denial is as good as what it proves */
		return true;
	}
	if (j->out.security == SECURITY_SECURE || (s->done && j->out.security != SECURITY_BOGUS))
		return true;
	return copy_as(j, s, j->out.security, ret);
}

static enum judge_what finish(struct run *r)
{
	struct judge *j = r->j;

	weigh(j);
	j->out.answer = arena_alloc_array(j->arena, j->reply.answers + 1, sizeof *j->out.answer);
	j->out.authority = arena_alloc_array(j->arena, j->reply.authorities + 1, sizeof *j->out.authority);
	if (j->out.answer == NULL || j->out.authority == NULL)
		return JUDGE_NO_ROOM;
	for (size_t i = 0; i < j->reply.answers; i++) {
		const struct seen *s = &j->answer[i];

		j->out.answer[i].source = s->source;
		if (s->good != NULL)
			j->out.answer[i].rs = s->good;
		else if (s->set->count == 0 && j->reply.type == RR_ANY && j->out.security == SECURITY_SECURE)
			continue;
		else if (!copy_as(j, s, s->done ? s->security : SECURITY_BOGUS, &j->out.answer[i]))
			return JUDGE_NO_ROOM;
	}
	for (size_t i = 0; i < j->reply.authorities; i++)
		if (!put_authority(r, &j->authority[i], &j->out.authority[i]))
			return JUDGE_NO_ROOM;
	j->done = true;
	return JUDGE_DONE;
}

static enum judge_what run(struct run *r)
{
	struct judge *j = r->j;
	bool stop = false;
	enum judge_what what = judge_answer(r, &stop);

	if (what == JUDGE_DONE && !stop)
		what = judge_expansions(r, &stop);
	if (what == JUDGE_DONE && !stop && is_negative(j))
		what = judge_denial(r);
	if (what == JUDGE_DONE && !stop && j->reply.kind == JUDGE_ALIAS)
		what = judge_way_out(r);
	return what == JUDGE_DONE ? finish(r) : what;
}

/* A question that was answered and still is needed taught nothing: the keys are not kept, for want of room perhaps. */
static bool asks_in_vain(struct judge *j, const struct question *q)
{
	bool same = j->asked.name.wire != NULL && j->asked.type == q->type && name_equal(j->asked.name, q->name);

	j->asked = *q;
	j->asked_in_vain = same ? j->asked_in_vain + 1 : 0;
	return j->asked_in_vain > ASKED_IN_VAIN;
}

enum judge_what judge_run(struct judge *j, struct chain_env *e, struct question *ret_ask)
{
	struct run r = { .j = j, .e = e };
	enum judge_what what;

	if (j->done)
		return JUDGE_DONE;
	e->memo = &j->memo;
	what = run(&r);
	if (what != JUDGE_ASK)
		return what;
	r.ask.name = name_dup_in(j->arena, r.ask.name);
	if (r.ask.name.wire == NULL || asks_in_vain(j, &r.ask))
		return JUDGE_NO_ROOM;
	*ret_ask = r.ask;
	return JUDGE_ASK;
}
