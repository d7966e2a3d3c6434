/*
 * validate.c: QUERY_VALIDATE: a reply, or an entry of the cache that nobody has validated yet, is judged (validator/judge.h) before it is stored and told. What the judge wants to know
 * of the chain of trust is asked by sub-questions (QUERY_CHAIN), which are judged themselves and leave what they prove in the key cache. A bogus reply is held against its server: others are
 * asked, as long as the budget lasts, before the question fails.
 */
#include "resolver/core/validate_inside.h"

#include "resolver/core/lookup.h"
#include "validator/sentinel.h"

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
		(void)links_cut(q, r->type == RR_DS && r->name.labels > 0 ? name_parent(r->name) : r->name, &r->zone);
	return judge_new(q->arena, r);
}

RESULT validate_put(struct resolution *q, struct scrub_sets *to, size_t room, const struct rrset *rs)
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
		TRY(validate_put(q, to, n, from[i].rs));
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
		TRY(validate_put(q, to, from->count, copy));
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
			TRY(validate_put(q, &s->answer, 1, rs));
		else if (rs->type == RR_A || rs->type == RR_AAAA)
			TRY(validate_put(q, &s->additional, bundle_count(b), rs));
		else
			TRY(validate_put(q, &s->authority, bundle_count(b), rs));
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

/* It was a step of minimisation that was answered so: a name that exists says nothing about the one below it that is asked for. */
static bool went_on(struct resolution *q)
{
	if (q->from_cache || q->from_denials || !query_is_minimised(q))
		return false;
	q->reply = NULL;
	qmin_advance(&q->qmin, &q->asked);
	q->state = QUERY_SELECT;
	return true;
}

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
	if (s->kind == REPLY_NXDOMAIN && (j->denial == DENIAL_PROVEN_NODATA || j->denial == DENIAL_WILDCARD_NODATA) && j->security == SECURITY_SECURE) {
		s->kind = REPLY_NODATA;
		if (went_on(q))
			return;
	}
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
	if (q->judge == NULL && unsigned_is_lost(q)) {
		refuse(q, &(struct judgement){ .security = SECURITY_BOGUS, .ede = EDE_RRSIGS_MISSING, .text = "the reply lacks the signatures that it should have" });
		return;
	}
	if (q->judge == NULL && !unsigned_cut_end(q)) {
		finish_failure(q, FAIL_ROOM, "out of memory");
		return;
	}
	if (q->judge == NULL && unsigned_ask_others(q))
		return;
	if (q->judge == NULL)
		q->judge = judge_of(q);
	if (q->judge == NULL) {
		finish_failure(q, FAIL_ROOM, "out of memory");
		return;
	}
	if (work_turn_is_over(q->core)) {
		work_pause(q);
		return;
	}
	left = work_question_left(q);
	given = work_turn_left(q->core) < left ? work_turn_left(q->core) : left;
	w.left = given;
	e = links_env(q, &w);
	switch (judge_run(q->judge, &e, &ask)) {
	case JUDGE_DONE:
		work_charge(q, given - w.left);
		if (judge_judgement(q->judge)->security == SECURITY_BOGUS)
			refuse(q, judge_judgement(q->judge));
		else
			accept(q, judge_judgement(q->judge));
		break;
	case JUDGE_ASK:
		work_charge(q, given - w.left);
		links_ask(q, &ask);
		break;
	case JUDGE_WORK:
		work_charge(q, given - w.left);
		work_is_out(q, given, given - w.left);
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
