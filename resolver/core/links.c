/*
 * links.c: the links of a question's chain of trust: what is known of zones (from the key cache, from what was learnt for this very question, from referrals that are remembered), what is learnt,
 * and what is asked by sub-questions.
 */
#include "resolver/core/validate_inside.h"

const struct trust *links_known(void *user, struct name zone)
{
	const struct resolution *q = user;
	const struct trust *t = keycache_get(q->core->env.keycache, zone, query_now(q));
	const struct learnt *l = q->learnt;

	while (l != NULL && !name_equal(name_of(&l->trust->zone), zone))
		l = l->next;
	/* Another worker may have learnt more, and the cache may have lost it. */
	return l != NULL && (t == NULL || (t->state == TRUST_DS && l->trust->state != TRUST_DS)) ? l->trust : t;
}

void validate_forget(struct resolution *q)
{
	for (struct learnt *l = q->learnt; l != NULL; l = l->next)
		trust_unref(MOVE(l->trust));
	q->learnt = NULL;
}

/* Each zone once; its DS RRset says less than its keys. Without memory for it, the cache may still have it. */
static void remember(struct resolution *q, const struct trust *t)
{
	struct learnt *l = q->learnt;

	while (l != NULL && !name_equal(name_of(&l->trust->zone), name_of(&t->zone)))
		l = l->next;
	if (l != NULL && t->state == TRUST_DS && l->trust->state != TRUST_DS)
		return;
	if (l == NULL) {
		l = arena_alloc(q->arena, sizeof *l);
		if (l == NULL)
			return;
		l->next = q->learnt;
		q->learnt = l;
	}
	trust_unref(MOVE(l->trust));
	l->trust = trust_ref(t);
}

bool links_referral(void *user, struct name zone, const struct rrset *const **ret_sets, size_t *ret_n)
{
	const struct resolution *q = user;
	struct bundle_key k = { zone, 0, CLASS_IN, BUNDLE_DELEGATION };
	const struct bundle *b = rrcache_get(q->core->env.rrcache, &k, query_now(q), 0);
	const struct rrset **sets = b == NULL ? NULL : arena_alloc_array(q->arena, bundle_count(b) + 1, sizeof *sets);
	size_t n = 0;

	if (sets == NULL)
		return false;
	for (size_t i = 0; i < bundle_count(b); i++) {
		const struct rrset *rs = bundle_set(b, i);

		if (rs->type == RR_DS || rs->type == RR_NSEC || rs->type == RR_NSEC3)
			sets[n++] = rs;
	}
	*ret_sets = sets;
	*ret_n = n;
	return n > 0;
}

bool links_cut(void *user, struct name name, struct name *ret_zone)
{
	const struct resolution *q = user;
	const struct bundle *b = rrcache_deepest_delegation(q->core->env.rrcache, name, CLASS_IN, query_now(q));

	if (b != NULL)
		*ret_zone = name_suffix(name, bundle_key(b).name.labels);
	return b != NULL;
}

static struct chain_fault *find_link(const struct resolution *q, struct name name, uint16_t type) BORROWED;
static struct chain_fault *find_link(const struct resolution *q, struct name name, uint16_t type)
{
	struct chain_fault *f = q->chain;

	while (f != NULL && (f->type != type || !name_equal(f->name, name)))
		f = f->next;
	return f;
}

static bool failed(void *user, struct name name, uint16_t type, struct chain_failure *ret)
{
	const struct chain_fault *f = find_link(user, name, type);

	if (f == NULL || !f->failed)
		return false;
	*ret = f->why;
	return true;
}

static void learn(void *user, struct trust *t) TAKES(2);
static void learn(void *user, struct trust *t)
{
	struct resolution *q = user;

	remember(q, t);
	keycache_put(q->core->env.keycache, q->core->env.member, MOVE(t), q->settings->max_ttl, query_now(q));
}

/* What is kept for aggressive use need not be verified again, whatever comes with it. */
static bool verified(void *user, struct name zone, const struct rrset *rs, uint32_t *ret_ttl)
{
	const struct resolution *q = user;

	return core_denials(q->core) != NULL && denials_has(q->core->env.denials, zone, rs, query_now(q), ret_ttl);
}

static void denied(void *user, struct name zone, const struct rrset *rs)
{
	struct resolution *q = user;

	if (core_denials(q->core) != NULL)
		denials_put(q->core->env.denials, zone, rs, query_now(q));
}

static struct sig_time time_of(const struct resolution *q)
{
	const struct val_policy *p = &q->core->env.validation->policy;

	return (struct sig_time){
		.now = p->fixed_date ? p->date : (uint32_t)query_now(q)->wall_sec, .skew_min = p->skew_min, .skew_max = p->skew_max, .ignore = p->ignore_dates,
	};
}

struct chain_env links_env(struct resolution *q, struct work *w)
{
	const struct validation *v = q->core->env.validation;

	return (struct chain_env){
		.policy = &v->policy, .anchors = v->anchors, .ntas = v->ntas, .wall = query_now(q)->wall_sec, .time = time_of(q), .hasher = q->core->hasher,
		.arena = q->arena, .work = w, .user = q, .known = links_known, .referral = links_referral, .cut = links_cut, .failed = failed, .denied = denied, .verified = verified, .learn = learn,
	};
}

/* --- the links that are asked for */

static void fail_link(struct chain_fault *f, uint16_t ede, const char *text)
{
	f->failed = true;
	f->network = ede == EDE_NO_REACHABLE || ede == EDE_NETWORK ? ede : 0;
	f->why.ede = ede_is_dnssec(ede) ? ede : f->type == RR_DNSKEY ? EDE_DNSKEY_MISSING : EDE_INDETERMINATE;
	f->why.text = text;
}

void validate_told(struct resolution *q, const struct resolution *of, const struct answer *a)
{
	struct chain_fault *f = find_link(q, a->q.name, a->q.type);
	const char *text = NULL;

	for (const struct learnt *l = of->learnt; l != NULL; l = l->next)
		remember(q, l->trust);
	if (f != NULL && a->rcode != RCODE_NOERROR && a->rcode != RCODE_NXDOMAIN) {
		if (a->ede_count > 0 && a->ede[0].text != NULL)
			text = arena_strdup(q->arena, a->ede[0].text);
		fail_link(f, a->ede_count > 0 ? a->ede[0].code : EDE_OTHER, text);
		if (f->network != 0 && a->ede_count > 1 && a->ede[1].code == EDE_NETWORK)
			f->network = EDE_NETWORK;
	}
	if (q->state == QUERY_CHAIN)
		q->state = QUERY_VALIDATE;
}

static struct chain_fault *add_link(struct resolution *q, const struct question *s) BORROWED;
static struct chain_fault *add_link(struct resolution *q, const struct question *s)
{
	struct chain_fault *f = arena_alloc(q->arena, sizeof *f);

	if (f == NULL)
		return NULL;
	*f = (struct chain_fault){ .next = q->chain, .name = name_dup_in(q->arena, s->name), .type = s->type };
	if (f->name.wire == NULL)
		return NULL;
	q->chain = f;
	return f;
}

void links_ask(struct resolution *q, const struct question *s)
{
	struct chain_fault *f = find_link(q, s->name, s->type);
	struct question ask = *s;

	if (f != NULL && f->failed) { /* the judge has been told so, and asks again */
		finish_failure(q, FAIL_BUDGET, "the chain of trust cannot be established");
		return;
	}
	if (f != NULL) { /* answered, but what it proved is not there: the cache had no room, or the world changed under way */
		fail_link(f, EDE_INDETERMINATE, "what was asked for the chain of trust did not last");
		return;
	}
	f = add_link(q, s);
	if (f == NULL) {
		finish_failure(q, FAIL_ROOM, "out of memory");
		return;
	}
	if (q->late) {
		finish_failure(q, FAIL_TIME, "out of time");
		return;
	}
	if (q->chain_left == 0) {
		finish_failure(q, FAIL_BUDGET, "the chain of trust has too many links");
		return;
	}
	q->chain_left--;
	ask.name = f->name;
	q->state = QUERY_CHAIN;
	switch (sub_ask(q, &ask, FOR_CHAIN, NULL, 0, 0)) {
	case SUB_WAIT:
	case SUB_TOLD:
		break;
	case SUB_LOOP:
		/* A question about DS that the cache answers with an alias, which nobody signed: only that very question could say whether a zone begins there. */
		fail_link(f, f->type == RR_DS ? EDE_RRSIGS_MISSING : EDE_INDETERMINATE, "the chain of trust depends on itself: an answer without signature");
		q->state = QUERY_VALIDATE;
		break;
	case SUB_REFUSED:
		finish_failure(q, FAIL_BUDGET, "the question's budget of sub-questions is spent");
		break;
	}
}
