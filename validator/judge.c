/*
 * A reply is judged in order: the sets of the answer one by one, the proofs that expanded wildcards need, the denial that a negative reply is. Each part
 * that is settled stays so, and a run that had to stop goes on where it stopped. The first part that is bogus ends it.
 */
#include "validator/judge_inside.h"

#include "base/arena.h"
#include "dns/edns.h"
#include "dns/rrtype.h"

#define ASKED_IN_VAIN 3         /* the same question may come up that often in a row; its answer must have taught nothing */

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

void seen_settle(struct seen *s, enum security security, uint16_t ede, const char *text, struct name zone)
{
	s->done = true;
	s->security = security;
	s->ede = ede;
	s->text = text;
	s->zone = zone;
}

enum judge_what run_error(struct result r)
{
	return r.e == ERR_BUDGET ? JUDGE_WORK : JUDGE_NO_ROOM;
}

/* A chain that wants the very question that is judged: there is nothing to be had. */
void run_refuse_own_question(struct run *r, struct chain_step *s)
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
enum judge_what run_halted(struct run *r, const struct chain_step *s)
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
enum judge_what seen_settle_unsigned(struct run *r, struct seen *s, const struct trust *t)
{
	const char *text = t->text == NULL ? NULL : arena_strdup(r->j->arena, t->text);
	struct name zone = name_dup_in(r->j->arena, name_of(&t->zone));

	if (zone.wire == NULL || (t->text != NULL && text == NULL))
		return JUDGE_NO_ROOM;
	seen_settle(s, t->state == TRUST_NONE ? SECURITY_INDETERMINATE : SECURITY_INSECURE, t->ede, text, zone);
	return JUDGE_DONE;
}

enum judge_what seen_settle_secure(struct run *r, struct seen *s, struct name zone, uint32_t ttl)
{
	struct rrset *copy = rrset_copy_in(r->j->arena, s->set);

	if (copy == NULL)
		return JUDGE_NO_ROOM;
	copy->security = SECURITY_SECURE;
	if (ttl < copy->ttl)
		copy->ttl = ttl;
	s->good = copy;
	seen_settle(s, SECURITY_SECURE, 0, NULL, zone);
	return JUDGE_DONE;
}

void seen_cap_ttl(struct seen *s, uint32_t ttl)
{
	if (s->good != NULL && ttl < s->good->ttl)
		s->good->ttl = ttl;
}

/* It was found secure before: whose it is, is in its signatures. */
enum judge_what seen_take_secure(struct run *r, struct seen *s)
{
	struct rrsig sig;
	struct name zone = rrset_name(s->set);

	if (s->set->sigs > 0 && OK(rrsig_parse(rrset_sig(s->set, 0), &sig)))
		zone = sig.signer;
	return seen_settle_secure(r, s, zone, s->set->ttl);
}

/* Whether a zone that is known to begin between signer and name makes the signer's word there void. An anchor does so too. */
bool run_is_wrong_side(struct run *r, struct name name, unsigned int signer_labels)
{
	struct anchor_found f = anchors_find_with(r->e->anchors, r->e->ntas, r->e->wall, name);

	if (f.kind != ANCHOR_NONE && f.zone.labels > signer_labels)
		return true;
	for (unsigned int labels = name.labels; labels > signer_labels; labels--) {
		const struct trust *t = r->e->known(r->e->user, name_suffix(name, labels));

		if (is_zone(t) && !is_guess(t))
			return true;
	}
	return false;
}

/*
 * Whether a signer, whose keys are known, may speak of name: not when a zone begins between them, be it known or a delegation that is remembered and turns out
 * to be real.
 */
enum judge_what run_check_side(struct run *r, struct name name, struct name signer, bool *ret_wrong)
{
	AUTO(trust_unref) struct trust *t = NULL;
	struct chain_step step;
	enum judge_what what = JUDGE_DONE;
	struct name cut;

	*ret_wrong = run_is_wrong_side(r, name, signer.labels);
	if (*ret_wrong || !r->e->cut(r->e->user, name, &cut) || cut.labels <= signer.labels || !name_is_under(name, cut))
		return JUDGE_DONE;
	chain_zone(r->e, name_suffix(name, cut.labels), &step);
	run_refuse_own_question(r, &step);
	t = MOVE(step.trust);
	what = run_halted(r, &step);
	*ret_wrong = step.what != CHAIN_KNOWN || is_zone(t);
	return what;
}

/* --- what is learnt on the way */

/* By configuration alone: not what is insecure by it, or without an anchor. */
bool run_is_in_island(struct run *r, struct name name)
{
	return anchors_find_with(r->e->anchors, r->e->ntas, r->e->wall, name).kind == ANCHOR_KEYS;
}

/* No zone above that speaks for the name: an anchor begins there. */
unsigned int run_least_labels(struct run *r, struct name name)
{
	struct anchor_found f = anchors_find_with(r->e->anchors, r->e->ntas, r->e->wall, name);

	return f.kind == ANCHOR_NONE ? 0 : f.zone.labels;
}

static bool has_entry(struct run *r, struct name name)
{
	struct anchor_found f = anchors_find_with(r->e->anchors, r->e->ntas, r->e->wall, name);

	return f.kind != ANCHOR_NONE && name_equal(f.zone, name);
}

enum judge_what run_learn(struct run *r, enum trust_state state, struct name zone, uint32_t ttl, uint16_t ede, const char *text)
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
enum judge_what run_learn_from_set(struct run *r, const struct seen *s)
{
	const struct judge_reply *q = &r->j->reply;
	struct chain_step step;
	bool full, asked_for = q->type == RR_DS && name_equal(rrset_name(s->set), q->name);

	/* Whoever asks where zones begin must find that he need not ask further. */
	if (s->security == SECURITY_INSECURE && asked_for && run_is_in_island(r, home_of(q->name, RR_DS)))
		return run_learn(r, TRUST_INSECURE, q->name, UNKNOWN_TTL, s->ede, s->text);
	if (s->security != SECURITY_SECURE || s->good == NULL || (s->wildcard && s->expansion != DENIAL_WILDCARD_ANSWER))
		return JUDGE_DONE;
	if (s->set->type == RR_CNAME && asked_for)
		return run_learn(r, TRUST_NO_CUT, q->name, s->good->ttl, 0, NULL);
	if (s->set->type != RR_DS || has_entry(r, rrset_name(s->set)))
		return JUDGE_DONE;
	chain_learn_ds(r->e, s->good, s->good->ttl, &step);
	full = step.what != CHAIN_KNOWN;
	chain_step_done(&step);
	return full ? JUDGE_NO_ROOM : JUDGE_DONE;
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
	    !OK(rrsig_parse(rrset_sig(s->set, 0), &sig)) || run_is_wrong_side(r, home_of(rrset_name(s->set), s->set->type), sig.signer.labels))
		return;
	t = r->e->known(r->e->user, sig.signer);
	if (t == NULL || t->state != TRUST_KEYS)
		return;
	if (seen_try_keys(r, s, sig.signer, t->keys) == JUDGE_DONE && s->done && s->wildcard)
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
	enum judge_what what = run_answer(r, &stop);

	if (what == JUDGE_DONE && !stop)
		what = run_expansions(r, &stop);
	if (what == JUDGE_DONE && !stop && is_negative(j))
		what = run_denial(r);
	if (what == JUDGE_DONE && !stop && j->reply.kind == JUDGE_ALIAS)
		what = run_way_out(r);
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
