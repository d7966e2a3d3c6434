/*
 * validate.c: QUERY_VALIDATE: a reply, or an entry of the cache that nobody has validated yet, is judged (validator/judge.h) before it is stored and told. What the judge wants to know
 * of the chain of trust is asked by sub-questions (QUERY_CHAIN), which are judged themselves and leave what they prove in the key cache. A bogus reply is held against its server: others are
 * asked, as long as the budget lasts, before the question fails.
 */
#include "resolver/core/resolution.h"

#include "resolver/core/lookup.h"
#include "validator/sentinel.h"

LOOP_HANDLE_IMPL(core)

/* --- work */

static void work_refill(struct loop *l, void *object)
{
	struct core *c = object;

	(void)l;
	c->turn_spent = 0;
	c->refilling = false;
}

static uint32_t slice_of(const struct core *c)
{
	return c->env.validation->work_slice;
}

static uint32_t turn_left(const struct core *c)
{
	return slice_of(c) > c->turn_spent ? slice_of(c) - c->turn_spent : 0;
}

/* What the question, and all that wait for it on the same account, have left. */
static uint32_t question_left(const struct resolution *q)
{
	uint32_t left = UINT32_MAX;

	for (const struct budget *b = &q->budget; b != NULL; b = b->parent)
		left = b->left.work < left ? b->left.work : left;
	return left;
}

static void charge(struct resolution *q, uint32_t spent)
{
	struct core *c = q->core;

	if (spent == 0)
		return;
	(void)budget_take_work(&q->budget, spent); /* it was there: it has just been looked at */
	stats_add(c->env.stats, COUNT_VAL_WORK, spent);
	c->turn_spent += spent;
	if (!c->refilling)
		c->refilling = OK(loop_at_turn_end(c->env.loop, &core_loop_type, c->self.v, work_refill));
	if (!c->refilling) /* no memory for the hook: better too much work than none ever after */
		c->turn_spent = 0;
}

/* Enough for one verification of any kind: less is not worth starting with. */
static bool is_turn_over(const struct core *c)
{
	return turn_left(c) < WORK_P384 && turn_left(c) < slice_of(c) / 2;
}

void validate_forget_pause(struct resolution *q)
{
	struct core *c = q->core;

	if (!q->paused)
		return;
	*(q->paused_before != NULL ? &q->paused_before->paused_behind : &c->paused_first) = q->paused_behind;
	*(q->paused_behind != NULL ? &q->paused_behind->paused_before : &c->paused_last) = q->paused_before;
	q->paused_before = q->paused_behind = NULL;
	q->paused = false;
}

static RESULT arm_resume(struct core *c);

/* In the order in which they paused, as far as this turn's work reaches. */
static void resume(struct loop *l, void *object)
{
	struct core *c = object;

	(void)l;
	c->resume = (timer_h){ 0 };
	while (c->paused_first != NULL && (c->env.validation == NULL || !is_turn_over(c))) {
		struct resolution *q = c->paused_first;

		validate_forget_pause(q);
		q->state = QUERY_VALIDATE;
		query_run(q);
	}
	/* Without a timer they would wait for their deadlines. */
	while (c->paused_first != NULL && !OK(arm_resume(c)))
		finish_failure(c->paused_first, FAIL_ROOM, "out of memory");
}

static RESULT arm_resume(struct core *c)
{
	return c->resume.v != 0 ? DONE : loop_timer(c->env.loop, &core_loop_type, c->self.v, resume, 1, &c->resume);
}

/* Others come first: it goes on in another turn. */
static void pause(struct resolution *q)
{
	if (q->late) {
		finish_failure(q, FAIL_TIME, "out of time");
		return;
	}
	stats_inc(q->core->env.stats, COUNT_VAL_PAUSES);
	if (!OK(arm_resume(q->core))) {
		finish_failure(q, FAIL_ROOM, "out of memory");
		return;
	}
	q->state = QUERY_CHAIN;
	q->paused = true;
	q->paused_before = q->core->paused_last;
	*(q->paused_before != NULL ? &q->paused_before->paused_behind : &q->core->paused_first) = q;
	q->core->paused_last = q;
}

/* given: what the last run was allowed to spend, and that was not enough for its next step. A whole slice that bought nothing never will. */
static void out_of_work(struct resolution *q, uint32_t given, uint32_t spent)
{
	if (question_left(q) > 0 && (spent > 0 || (given < question_left(q) && given < slice_of(q->core)))) {
		pause(q);
		return;
	}
	stats_inc(q->core->env.stats, COUNT_VAL_OUT_OF_WORK);
	finish_failure(q, FAIL_BUDGET, "the question's budget of validation is spent");
}

/* --- what the chain is made of */

static const struct trust *known(void *user, struct name zone) BORROWED;
static const struct trust *known(void *user, struct name zone)
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

static bool referral(void *user, struct name zone, const struct rrset *const **ret_sets, size_t *ret_n)
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

static bool cut(void *user, struct name name, struct name *ret_zone)
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

static struct chain_env chain_env_of(struct resolution *q, struct work *w)
{
	const struct validation *v = q->core->env.validation;

	return (struct chain_env){
		.policy = &v->policy, .anchors = v->anchors, .ntas = v->ntas, .wall = query_now(q)->wall_sec, .time = time_of(q), .hasher = q->core->hasher,
		.arena = q->arena, .work = w, .user = q, .known = known, .referral = referral, .cut = cut, .failed = failed, .denied = denied, .verified = verified, .learn = learn,
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

static void ask_link(struct resolution *q, const struct question *s)
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

/* --- a reply that is to be judged */

static enum judge_kind kind_of(const struct scrubbed *s)
{
	switch (s->kind) {
	case REPLY_ALIAS:
		return JUDGE_ALIAS;
	case REPLY_NXDOMAIN:
		return JUDGE_NXDOMAIN;
	case REPLY_NODATA:
	case REPLY_EMPTY:
		return JUDGE_NODATA;
	case REPLY_ANSWER:
	case REPLY_REFERRAL:
	case REPLY_LAME:
	case REPLY_ERROR:
	case REPLY_KINDS:
		break;
	}
	return JUDGE_ANSWER;
}

static struct judge *judge_of(struct resolution *q) IN_ARENA;
static struct judge *judge_of(struct resolution *q)
{
	const struct scrubbed *s = q->reply;
	struct judge_reply *r = arena_alloc(q->arena, sizeof *r);

	if (r == NULL)
		return NULL;
	*r = (struct judge_reply){
		.name = q->from_cache ? q->cached.name : q->asked.name, .type = q->from_cache && q->cached.type != 0 ? q->cached.type : q->now.type,
		.kind = kind_of(s), .final = s->final, .zone = name_root, .answer = s->answer.sets, .answers = s->answer.count, .authority = s->authority.sets,
		.authorities = s->authority.count,
	};
	if (!q->from_cache && !q->from_denials && q->deleg != NULL)
		r->zone = q->deleg->zone;
	else
		(void)cut(q, r->type == RR_DS && r->name.labels > 0 ? name_parent(r->name) : r->name, &r->zone);
	return judge_new(q->arena, r);
}

static RESULT set_put(struct resolution *q, struct scrub_sets *to, size_t room, const struct rrset *rs)
{
	if (to->sets == NULL) {
		to->sets = arena_alloc_array(q->arena, room + 1, sizeof *to->sets);
		if (to->sets == NULL)
			return FAIL(ERR_NOMEM);
		to->cap = room + 1;
	}
	to->sets[to->count++] = rs;
	return DONE;
}

/* denial: the sets are worth what they prove, not what their signatures are worth. */
static RESULT take_judged(struct resolution *q, const struct judgement *j, const struct judged_set *from, size_t n, bool denial, struct scrub_sets *to)
{
	for (size_t i = 0; i < n; i++) {
		if (from[i].rs == NULL)
			continue;
		if (from[i].rs->security == SECURITY_UNCHECKED || (denial && j->security != SECURITY_SECURE))
			from[i].rs->security = (uint8_t)j->security;
		TRY(set_put(q, to, n, from[i].rs));
	}
	return DONE;
}

/* A courtesy on whose worth nothing rests: it counts as much as what it stands beside, so that the whole is as good as its answer. */
static RESULT take_additional(struct resolution *q, const struct judgement *j, const struct scrub_sets *from, struct scrub_sets *to)
{
	for (size_t i = 0; i < from->count; i++) {
		struct rrset *copy;

		if (q->core->env.validation->clean_additional && j->security == SECURITY_SECURE && from->sets[i]->sigs == 0)
			continue;
		copy = rrset_copy_in(q->arena, from->sets[i]);
		if (copy == NULL)
			return FAIL(ERR_NOMEM);
		copy->security = (uint8_t)j->security;
		TRY(set_put(q, to, from->count, copy));
	}
	return DONE;
}

/* What an answer was expanded from answers other names too (RFC 8198 section 5.3); not where a part of it must not be told. */
static void keep_wildcards(struct resolution *q, const struct judgement *j, size_t n)
{
	if (q->deleg != NULL && q->deleg->conf != NULL && q->deleg->conf->no_cache)
		return;
	for (size_t i = 0; i < n; i++) {
		const struct judged_set *s = &j->answer[i];
		struct bundle_key k = { s->source, 0, CLASS_IN, BUNDLE_DATA };
		const struct rrset *rs, *told = NULL;

		if (s->rs == NULL || s->source.wire == NULL || s->rs->security != SECURITY_SECURE)
			continue;
		k.type = s->rs->type;
		rs = rrset_renamed_in(q->arena, s->rs, s->source);
		if (rs != NULL && OK(scrub_private(q->arena, q->settings, rs, &told)) && told == rs)
			(void)OK(rrcache_put(q->core->env.rrcache, q->core->env.member, &k, &rs, 1, rs->ttl, query_now(q)));
	}
}

/* The proof that goes with a denial lives no longer than that (RFC 9077 section 3.2). */
static void keep_denial(struct resolution *q, struct name zone, const struct rrset *rs, uint32_t most)
{
	uint32_t left;

	if (!denials_has(q->core->env.denials, zone, rs, query_now(q), &left) || left < rs->ttl / 2)
		denials_put_for(q->core->env.denials, zone, rs, most, query_now(q));
}

static void keep_denials(struct resolution *q, const struct judgement *j, const struct scrubbed *s)
{
	struct denials *d = core_denials(q->core);
	uint32_t most = s->negative_ttl > 0 ? s->negative_ttl : UINT32_MAX;

	if (d == NULL || j->security != SECURITY_SECURE || (q->deleg != NULL && q->deleg->conf != NULL && q->deleg->conf->no_cache))
		return;
	for (size_t i = 0; i < s->authority.count; i++) {
		const struct rrset *rs = s->authority.sets[i];

		if (rs->security == SECURITY_SECURE && (rs->type == RR_NSEC || rs->type == RR_NSEC3 || rs->type == RR_SOA))
			keep_denial(q, j->zone, rs, rs->type == RR_SOA ? UINT32_MAX : most);
	}
}

/* A denial whose records are signed, and that still leaves the name insecure: it must not pass for a secure one (RFC 5155 section 9.2, RFC 9276 section 3.2). */
static bool is_unproven(enum reply_kind kind, const struct judgement *j)
{
	return (kind == REPLY_NODATA || kind == REPLY_EMPTY || kind == REPLY_NXDOMAIN) &&
	    (j->denial == DENIAL_INSECURE_OPTOUT || j->denial == DENIAL_ITERATIONS_INSECURE);
}

/* Policy comes behind the validator: what is bogus must not become an answer because part of it was taken out. */
static RESULT take_out_private(struct resolution *q, struct scrubbed *s)
{
	struct scrub_sets *parts[] = { &s->answer, &s->additional };

	for (size_t k = 0; k < 2; k++) {
		size_t n = 0;

		for (size_t i = 0; i < parts[k]->count; i++) {
			const struct rrset *rs = parts[k]->sets[i], *rest;

			TRY(scrub_private(q->arena, q->settings, rs, &rest));
			if (rest != rs)
				stats_inc(q->core->env.stats, COUNT_CORE_PRIVATE);
			if (rest != NULL)
				parts[k]->sets[n++] = rest;
		}
		parts[k]->count = n;
	}
	return DONE;
}

static RESULT apply(struct resolution *q, const struct judgement *j, struct scrubbed **ret)
{
	struct scrubbed *s = arena_alloc(q->arena, sizeof *s);

	if (s == NULL)
		return FAIL(ERR_NOMEM);
	*s = *q->reply;
	s->answer = s->authority = s->additional = (struct scrub_sets){ 0 };
	TRY(take_judged(q, j, j->answer, q->reply->answer.count, false, &s->answer));
	TRY(take_judged(q, j, j->authority, q->reply->authority.count, s->kind == REPLY_NODATA || s->kind == REPLY_NXDOMAIN || s->kind == REPLY_EMPTY, &s->authority));
	if (is_unproven(q->reply->kind, j)) {
		for (size_t i = 0; i < q->reply->authority.count; i++) {
			if (j->authority[i].rs != NULL)
				j->authority[i].rs->security = (uint8_t)j->security;
		}
	}
	TRY(take_additional(q, j, &q->reply->additional, &s->additional));
	for (size_t i = 0; i < s->authority.count; i++) {
		if (s->authority.sets[i]->type != RR_NS && s->authority.sets[i]->ttl < s->negative_ttl)
			s->negative_ttl = s->authority.sets[i]->ttl; /* RFC 9077 section 3 */
	}
	if (q->core->env.validation->aggressive)
		keep_wildcards(q, j, q->reply->answer.count);
	keep_denials(q, j, s);
	TRY(take_out_private(q, s));
	*ret = s;
	return DONE;
}

/* --- entries of the cache */

static RESULT copy_of_entry(struct resolution *q, const struct bundle *b, struct scrubbed *s)
{
	uint32_t left = bundle_ttl_left(b, query_now(q)), lived = bundle_info(b)->ttl - left;
	bool data = q->cached.kind == BUNDLE_DATA;

	for (size_t i = 0; i < bundle_count(b); i++) {
		struct rrset *rs = rrset_copy_in(q->arena, bundle_set(b, i));

		if (rs == NULL)
			return FAIL(ERR_NOMEM);
		rs->security = SECURITY_UNCHECKED;
		rs->ttl = i > 0 && rs->ttl > lived ? rs->ttl - lived : left;
		if (data && i == 0)
			TRY(set_put(q, &s->answer, 1, rs));
		else if (rs->type == RR_A || rs->type == RR_AAAA)
			TRY(set_put(q, &s->additional, bundle_count(b), rs));
		else
			TRY(set_put(q, &s->authority, bundle_count(b), rs));
	}
	s->negative_ttl = left;
	return DONE;
}

static enum reply_kind reply_kind_of(const struct bundle_key *k, uint16_t wanted)
{
	switch ((enum bundle_kind)k->kind) {
	case BUNDLE_NODATA:
		return REPLY_NODATA;
	case BUNDLE_NXDOMAIN:
		return REPLY_NXDOMAIN;
	case BUNDLE_DATA:
	case BUNDLE_DELEGATION:
	case BUNDLE_FAILURE:
	case BUNDLE_KINDS:
		break;
	}
	return k->type != wanted && (k->type == RR_CNAME || k->type == RR_DNAME) ? REPLY_ALIAS : REPLY_ANSWER;
}

/* --- servers that know nothing of signatures */

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
		const struct trust *t = known(q, name_suffix(zone, labels));

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
	const struct trust *t = known(q, q->deleg->zone);
	const struct rrset *const *sets;
	size_t n;

	if (f.kind != ANCHOR_KEYS)
		return false;
	if (name_equal(f.zone, q->deleg->zone))
		return t == NULL || t->state == TRUST_KEYS;
	if (t != NULL)
		return t->state == TRUST_KEYS || t->state == TRUST_DS;
	return !is_below_insecure(q, q->deleg->zone, f.zone.labels) && referral(q, q->deleg->zone, &sets, &n) && sets[0]->type == RR_DS;
}

/* A cut below the zone, on the same servers, that is known to be unsigned. */
static bool is_below_unsigned(struct resolution *q, struct name name)
{
	for (unsigned int labels = q->deleg->zone.labels + 1u; labels <= name.labels; labels++) {
		const struct trust *t = known(q, name_suffix(name, labels));

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
static bool has_lost_signatures(struct resolution *q)
{
	return !q->from_cache && !q->from_denials && q->deleg != NULL && !has_signatures(q->reply) && zone_is_signed(q) &&
	    !is_below_unsigned(q, q->asked.name) && (q->reply->spoilt || was_signed(q));
}

/* Nothing is signed, where the zone is: another server may do better, before the chain of trust is searched for an unsigned cut. */
static bool ask_for_signatures(struct resolution *q)
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
	t = known(q, sig.signer);
	return (t == NULL || t->state == TRUST_KEYS || t->state == TRUST_DS) &&
	    anchors_find_with(v->anchors, v->ntas, query_now(q)->wall_sec, sig.signer).kind == ANCHOR_KEYS;
}

/*
 * What stands behind a signed alias without a signature may be made up, or belong to a cut that the server serves too: it is asked for by its own name, where it is judged on its own merits.
 * False: out of memory.
 */
static bool cut_unsigned_end(struct resolution *q)
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
		if ((s->authority.sets[i]->type == RR_NSEC || s->authority.sets[i]->type == RR_NSEC3) && !OK(set_put(q, &alias->authority, s->authority.count, s->authority.sets[i])))
			return false;
	}
	q->reply = alias;
	return true;
}

/* The servers are asked about the name that the look-up had come to. */
static void ask_instead(struct resolution *q)
{
	q->reply = NULL;
	q->judge = NULL;
	q->from_cache = q->from_denials = false;
	q->except = 0;
	q->qmin = (struct qmin){ 0 };
	q->state = QUERY_LOCATE;
}

void validate_cached(struct resolution *q, const struct bundle *b, struct name at, uint32_t aliases_left)
{
	struct scrubbed *s = arena_alloc(q->arena, sizeof *s);

	q->now.name = at;
	q->budget.left.cname_steps = aliases_left;
	if (q->from_cache_left == 0) {
		ask_instead(q);
		return;
	}
	q->from_cache_left--;
	q->from_cache = true;
	q->cached = bundle_key(b);
	q->cached.name = name_dup_in(q->arena, q->cached.name);
	if (s == NULL || q->cached.name.wire == NULL) {
		finish_failure(q, FAIL_ROOM, "out of memory");
		return;
	}
	*s = (struct scrubbed){ .kind = reply_kind_of(&q->cached, q->now.type), .final = q->cached.name, .note = bundle_text(b)[0] != '\0' ? NOTE_SPOILT : "" };
	if (!OK(copy_of_entry(q, b, s))) {
		finish_failure(q, FAIL_ROOM, "out of memory");
		return;
	}
	q->reply = s;
	q->judge = NULL;
	q->state = QUERY_VALIDATE;
}

void validate_denied(struct resolution *q, const struct denied_answer *d)
{
	struct scrubbed *s = arena_alloc(q->arena, sizeof *s);

	if (s == NULL) {
		finish_failure(q, FAIL_ROOM, "out of memory");
		return;
	}
	*s = (struct scrubbed){ .kind = d->what == DENIED_NXDOMAIN ? REPLY_NXDOMAIN : REPLY_NODATA, .final = q->now.name, .negative_ttl = d->ttl, .note = "",
		.authority = { .sets = d->sets, .count = d->n, .cap = d->n } };
	q->asked = q->now;
	q->reply = s;
	q->judge = NULL;
	q->from_denials = true;
	q->state = QUERY_VALIDATE;
}

/* It need not be kept: it is where it came from. */
static void finish_denied(struct resolution *q, const struct scrubbed *s)
{
	for (size_t i = 0; i < s->authority.count; i++) {
		if (!OK(draft_add(&q->draft, q->arena, PART_AUTHORITY, s->authority.sets[i], s->authority.sets[i]->ttl))) {
			finish_failure(q, FAIL_ROOM, "out of memory");
			return;
		}
	}
	q->synthesized = q->uncached = true;
	finish_answer(q, s->kind == REPLY_NXDOMAIN ? RCODE_NXDOMAIN : RCODE_NOERROR, false);
}

/* An entry without records says nothing but that there are none. */
static void mark_entry(struct resolution *q, enum security security)
{
	const struct bundle *b = rrcache_get(q->core->env.rrcache, &q->cached, query_now(q), 0);

	if (b != NULL)
		(void)OK(rrcache_set_security(q->core->env.rrcache, q->core->env.member, b, security, bundle_ttl_left(b, query_now(q)), query_now(q)));
}

static RESULT put_entry(struct resolution *q, const struct scrubbed *s)
{
	size_t n = s->answer.count + s->authority.count + s->additional.count, at = 0;
	const struct rrset **sets = arena_alloc_array(q->arena, n + 1, sizeof *sets);

	if (sets == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t i = 0; i < s->answer.count; i++)
		sets[at++] = s->answer.sets[i];
	for (size_t i = 0; i < s->authority.count; i++)
		sets[at++] = s->authority.sets[i];
	for (size_t i = 0; i < s->additional.count; i++)
		sets[at++] = s->additional.sets[i];
	/* Something better may have come meanwhile; the look-up will see. */
	if (n > 0)
		(void)OK(rrcache_put_noted(q->core->env.rrcache, q->core->env.member, &q->cached, sets, n,
		    q->cached.kind == BUNDLE_DATA ? s->answer.sets[0]->ttl : s->negative_ttl, s->note[0] != '\0' ? s->note : NULL, query_now(q)));
	return DONE;
}

/* --- the verdict */

static void accept(struct resolution *q, const struct judgement *j)
{
	struct scrubbed *s;

	if (!OK(apply(q, j, &s))) {
		finish_failure(q, FAIL_ROOM, "out of memory");
		return;
	}
	q->bogus = (struct bogus){ 0 };
	q->judge = NULL;
	if (j->security == SECURITY_INSECURE && j->ede != 0) {
		q->insecure_ede = j->ede;
		q->insecure_text = j->text;
	}
	/* Careless servers say so of names that have others below them: the proof decides. */
	if (s->kind == REPLY_NXDOMAIN && (j->denial == DENIAL_PROVEN_NODATA || j->denial == DENIAL_WILDCARD_NODATA) && j->security == SECURITY_SECURE)
		s->kind = REPLY_NODATA;
	/* The entry says something else than its proof: whoever asks next must not find it as validated. */
	if (q->from_cache && s->kind != q->reply->kind) {
		ask_instead(q);
		return;
	}
	if (q->from_denials) {
		finish_denied(q, s);
		return;
	}
	if (!q->from_cache) {
		q->reply = s;
		q->state = QUERY_STORE;
		return;
	}
	if (s->answer.count + s->authority.count + s->additional.count == 0)
		mark_entry(q, j->security);
	else if (!OK(put_entry(q, s))) {
		finish_failure(q, FAIL_ROOM, "out of memory");
		return;
	}
	q->reply = NULL;
	q->from_cache = q->rejudge = false;
	q->state = QUERY_LOOKUP;
}

static bool chain_failed(const struct resolution *q)
{
	for (const struct chain_fault *f = q->chain; f != NULL; f = f->next) {
		if (f->failed)
			return true;
	}
	return false;
}

static void refuse(struct resolution *q, const struct judgement *j)
{
	stats_inc(q->core->env.stats, COUNT_VAL_BOGUS_REPLIES);
	if (!q->bogus.is)
		q->bogus = (struct bogus){ true, q->reply->spoilt, j->ede != 0 ? j->ede : EDE_BOGUS, j->text };
	q->judge = NULL;
	if (q->core->env.validation->permissive) {
		/* Told as it is, kept as what nobody has validated. */
		q->lenient = true;
		q->state = q->from_cache ? QUERY_LOOKUP : QUERY_STORE;
		q->from_cache = false;
		return;
	}
	if ((q->from_cache || q->from_denials) && !chain_failed(q)) {
		ask_instead(q);
		return;
	}
	if (q->deleg == NULL || q->restarts_left == 0 || chain_failed(q)) {
		finish_bogus(q);
		return;
	}
	q->restarts_left--;
	stats_inc(q->core->env.stats, COUNT_VAL_RESTARTS);
	q->deleg->servers[q->server].outcome = SERVER_BOGUS;
	q->deleg->servers[q->server].done = true;
	q->reply = NULL;
	q->state = QUERY_SELECT;
}

void query_validate(struct resolution *q)
{
	uint32_t given, left;
	struct question ask;
	struct chain_env e;
	struct work w;

	if (!query_validates(q)) {
		q->state = QUERY_STORE;
		return;
	}
	if (q->judge == NULL && has_lost_signatures(q)) {
		refuse(q, &(struct judgement){ .security = SECURITY_BOGUS, .ede = EDE_RRSIGS_MISSING, .text = "the reply lacks the signatures that it should have" });
		return;
	}
	if (q->judge == NULL && !cut_unsigned_end(q)) {
		finish_failure(q, FAIL_ROOM, "out of memory");
		return;
	}
	if (q->judge == NULL && ask_for_signatures(q))
		return;
	if (q->judge == NULL)
		q->judge = judge_of(q);
	if (q->judge == NULL) {
		finish_failure(q, FAIL_ROOM, "out of memory");
		return;
	}
	if (is_turn_over(q->core)) {
		pause(q);
		return;
	}
	left = question_left(q);
	given = turn_left(q->core) < left ? turn_left(q->core) : left;
	w.left = given;
	e = chain_env_of(q, &w);
	switch (judge_run(q->judge, &e, &ask)) {
	case JUDGE_DONE:
		charge(q, given - w.left);
		if (judge_judgement(q->judge)->security == SECURITY_BOGUS)
			refuse(q, judge_judgement(q->judge));
		else
			accept(q, judge_judgement(q->judge));
		break;
	case JUDGE_ASK:
		charge(q, given - w.left);
		ask_link(q, &ask);
		break;
	case JUDGE_WORK:
		charge(q, given - w.left);
		out_of_work(q, given, given - w.left);
		break;
	case JUDGE_NO_ROOM:
		finish_failure(q, FAIL_ROOM, "out of memory");
		break;
	}
}

/* --- what is told */

unsigned int core_lookup_flags(const struct core *c, bool raw)
{
	return raw || c->env.validation == NULL ? 0 : LOOKUP_CHECKED;
}

/* Why a name is not validated, when that is more than that nobody signed it. */
static void explain_insecure(const struct core *c, struct answer *a)
{
	for (unsigned int labels = a->q.name.labels; a->ede_count == 0 && labels > 0; labels--) {
		const struct trust *t = keycache_get(c->env.keycache, name_suffix(a->q.name, labels), loop_now(c->env.loop));

		if (t == NULL || t->state == TRUST_NO_CUT)
			continue;
		if (t->state == TRUST_INSECURE && t->ede != 0)
			answer_add_ede(a, t->ede, t->text);
		if (t->state != TRUST_NO_NAME)
			break;
	}
}

static bool is_anchor_tag(const struct anchors *anchors, uint16_t tag)
{
	struct anchor_found f = anchors_find(anchors, name_root);

	for (size_t i = 0; f.kind == ANCHOR_KEYS && i < anchor_zone_count(f.keys); i++) {
		struct anchor_rr rr = anchor_zone_rr(f.keys, i);

		if (rr.type == RR_DNSKEY ? dnskey_tag_of(rr.rdata) == tag : rr.rdata.n >= 2 && load16(rr.rdata.p) == tag)
			return true;
	}
	return false;
}

void validate_finish_answer(const struct core *c, bool checked, struct answer *a)
{
	const struct validation *v = c->env.validation;
	uint16_t tag;
	enum sentinel s;

	if (a->synthesized)
		stats_inc(c->env.stats, a->rcode == RCODE_NXDOMAIN ? COUNT_AGGRESSIVE_NXDOMAIN : COUNT_AGGRESSIVE_NOERROR);
	if (a->rcode == RCODE_YXDOMAIN && a->security == SECURITY_SECURE)
		a->security = SECURITY_INDETERMINATE; /* nobody signed that */
	if (v == NULL || !checked)
		return;
	if (a->security == SECURITY_INSECURE)
		explain_insecure(c, a);
	if (!v->sentinel || a->security != SECURITY_SECURE || (a->q.type != RR_A && a->q.type != RR_AAAA))
		return;
	s = sentinel_parse(a->q.name, &tag);
	if (s == SENTINEL_NONE || !sentinel_refuses(s, is_anchor_tag(v->anchors, tag)))
		return;
	*a = (struct answer){ .q = a->q, .rcode = RCODE_SERVFAIL };
}

RESULT core_work_start(struct core *c)
{
	c->self = core_enlist(c->env.loop, c);
	return c->self.v != 0 ? DONE : FAIL(ERR_NOMEM);
}

void core_work_end(struct core *c)
{
	loop_timer_stop(c->env.loop, &c->resume);
	core_retire(c->env.loop, c->self);
}
