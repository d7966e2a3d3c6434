/*
 * explain.c: first what answers is found, alias by alias; then the zones that it needs (explain_zone.c), and last it is judged by their keys. What is believed here is what the
 * validator's parts say to sets of the caches now; what the caches say of their security does not count.
 */
#include "resolver/core/explain.h"

#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "resolver/core/alias.h"
#include "resolver/core/explain_inside.h"
#include "resolver/core/explain_words.h"
#include "resolver/core/lookup.h"
#include "validator/nsec3.h"

#define EXPLAIN_ARENA (64u << 20)
#define SIGNERS_LOOKED_AT 32
#define MENDS 6 /* different remedies that are told */

/* To read signatures by when nothing is validated. */
static struct val_policy plain_policy(void)
{
	return (struct val_policy){ .keys = KEY_LIMITS, .signatures = SIG_LIMITS, .denials = DENIAL_LIMITS, .skew_min = SIG_SKEW_MIN, .skew_max = SIG_SKEW_MAX };
}

void explanation_free(struct explanation *x)
{
	if (x == NULL)
		return;
	for (size_t i = 0; i < x->zone_count; i++)
		keyset_free(MOVE(x->zones[i].keyset));
	mem_free(MOVE(x->zones));
	arena_free(MOVE(x->arena));
	mem_free(x);
}

/* --- what the files share */

const struct bundle *explain_entry(const struct explaining *w, struct name n, uint16_t type, enum bundle_kind kind)
{
	struct bundle_key k = { n, type, CLASS_IN, (uint8_t)kind };
	const struct bundle *b = rrcache_get(w->e->rrcache, &k, w->e->now, 0);

	return b != NULL || w->e->kept == NULL ? b : rrcache_get(w->e->kept, &k, w->e->now, 0);
}

static const struct bundle *covering_nxdomain(const struct explaining *w, struct name n) BORROWED;
static const struct bundle *covering_nxdomain(const struct explaining *w, struct name n)
{
	const struct bundle *b = rrcache_covering_nxdomain(w->e->rrcache, n, name_root, CLASS_IN, w->e->now);

	return b != NULL || w->e->kept == NULL ? b : rrcache_covering_nxdomain(w->e->kept, n, name_root, CLASS_IN, w->e->now);
}

RESULT explain_failure(const struct explaining *w, struct name n, uint16_t type, const char **ret_text)
{
	const struct bundle *b = explain_entry(w, n, type, BUNDLE_FAILURE);

	if (b == NULL) {
		*ret_text = NULL;
		return DONE;
	}
	*ret_text = arena_strdup(w->x->arena, bundle_text(b)[0] != '\0' ? bundle_text(b) : "it failed lately");
	return *ret_text != NULL ? DONE : FAIL(ERR_NOMEM);
}

void explain_want(struct explaining *w, struct name n, uint16_t type)
{
	struct explanation *x = w->x;

	for (size_t i = 0; i < x->wanted_count; i++) {
		if (x->wanted[i].type == type && name_equal(x->wanted[i].name, n))
			return;
	}
	n = name_dup_in(x->arena, n);
	if (x->wanted_count < EXPLAIN_WANTED && n.wire != NULL)
		x->wanted[x->wanted_count++] = (struct question){ n, type, CLASS_IN };
}

struct explain_finding explain_unknown(const char *reason)
{
	return (struct explain_finding){ .verdict = EXPLAIN_UNKNOWN, .reason = reason };
}

struct explain_finding explain_inherit(const struct explaining *w, const struct explain_zone *z)
{
	const char *name = explain_name(w->x->arena, z->name);

	return (struct explain_finding){ .verdict = z->finding.verdict, .ede = z->finding.ede, .inherited = true,
		.reason = arena_printf(w->x->arena, "the zone %s is %s", name, explain_verdict_text(z->finding.verdict)) };
}

/* --- what answers */

/* A record and where it is from. */
struct found {
	const struct bundle *b BORROWED_FIELD; /* NULL: EXPLAIN_MISSING */
	const struct rrset *rs BORROWED_FIELD; /* EXPLAIN_DATA, EXPLAIN_ALIAS */
};

static const struct bundle *dname_above(const struct explaining *w, struct name n) BORROWED;
static const struct bundle *dname_above(const struct explaining *w, struct name n)
{
	for (unsigned int strip = 1; strip < n.labels; strip++) {
		const struct bundle *b = explain_entry(w, name_strip(n, strip), RR_DNAME, BUNDLE_DATA);

		if (b != NULL)
			return b;
	}
	return NULL;
}

static RESULT take_dname(struct explaining *w, struct explain_record *r, const struct bundle *b, struct found *f)
{
	struct name_buf target;
	struct result made;

	f->rs = bundle_find(b, bundle_key(b).name, RR_DNAME);
	if (f->rs == NULL)
		return DONE;
	made = dname_substitute(f->rs, r->name, &target);
	if (!OK(made) && made.e != ERR_SPACE)
		return DONE;
	f->b = b;
	r->kind = EXPLAIN_ALIAS;
	r->type = RR_DNAME;
	if (made.e == ERR_SPACE)
		return DONE;
	r->target = name_dup_in(w->x->arena, name_of(&target));
	return r->target.wire != NULL ? DONE : FAIL(ERR_NOMEM);
}

static RESULT take_cname(struct explaining *w, struct explain_record *r, const struct bundle *b, struct found *f)
{
	struct name target;

	f->rs = bundle_find(b, r->name, RR_CNAME);
	if (f->rs == NULL || !alias_target(f->rs, &target))
		return DONE;
	f->b = b;
	r->kind = EXPLAIN_ALIAS;
	r->type = RR_CNAME;
	r->target = name_dup_in(w->x->arena, target);
	return r->target.wire != NULL ? DONE : FAIL(ERR_NOMEM);
}

/* An alias; r->kind stays EXPLAIN_MISSING when there is none. A CNAME without signatures may have been made from a DNAME, which has some. */
static RESULT take_alias(struct explaining *w, struct explain_record *r, struct found *f)
{
	const struct bundle *cname = r->type == RR_CNAME ? NULL : explain_entry(w, r->name, RR_CNAME, BUNDLE_DATA), *dname = dname_above(w, r->name);
	const struct rrset *rs = cname == NULL ? NULL : bundle_find(cname, r->name, RR_CNAME);

	if (dname != NULL && (rs == NULL || rs->sigs == 0))
		TRY(take_dname(w, r, dname, f));
	if (r->kind == EXPLAIN_MISSING && cname != NULL)
		TRY(take_cname(w, r, cname, f));
	return DONE;
}

static RESULT find_one(struct explaining *w, struct explain_record *r, struct found *f)
{
	const struct bundle *b = explain_entry(w, r->name, r->type, BUNDLE_DATA);
	const struct rrset *rs = b == NULL ? NULL : bundle_find(b, r->name, r->type);

	*f = (struct found){ NULL, NULL };
	if (rs != NULL && rs->count > 0) {
		r->kind = EXPLAIN_DATA;
		*f = (struct found){ b, rs };
		return DONE;
	}
	TRY(take_alias(w, r, f));
	if (r->kind != EXPLAIN_MISSING)
		return DONE;
	f->b = explain_entry(w, r->name, r->type, BUNDLE_NODATA);
	if (f->b != NULL) {
		r->kind = EXPLAIN_NODATA;
		return DONE;
	}
	f->b = covering_nxdomain(w, r->name);
	if (f->b != NULL) {
		r->kind = EXPLAIN_NXDOMAIN;
		return DONE;
	}
	explain_want(w, r->name, r->type);
	return explain_failure(w, r->name, r->type, &r->failure);
}

static RESULT find_records(struct explaining *w, struct found f[EXPLAIN_RECORDS])
{
	struct explanation *x = w->x;
	struct name name = x->q.name;

	while (x->record_count < EXPLAIN_RECORDS) {
		struct explain_record *r = &x->records[x->record_count];

		*r = (struct explain_record){ .kind = EXPLAIN_MISSING, .name = name, .type = x->q.type, .zone = EXPLAIN_TOP };
		TRY(find_one(w, r, &f[x->record_count]));
		x->record_count++;
		if (r->kind != EXPLAIN_ALIAS || r->target.wire == NULL)
			break;
		name = r->target;
	}
	return DONE;
}

/* --- whose it is */

static struct name owner_of(const struct explain_record *r, const struct found *f)
{
	return f->rs != NULL ? rrset_name(f->rs) : r->name;
}

static void note_signers(const struct explaining *w, const struct rrset *rs, struct name owner, bool signers[NAME_MAX_LABELS + 1])
{
	struct rrsig sig;

	for (size_t i = 0; i < rs->sigs && i < SIGNERS_LOOKED_AT && w->e->validation != NULL; i++) {
		if (OK(rrsig_parse(rrset_sig(rs, i), &sig)) && name_is_under(owner, sig.signer) && rrsig_check(&sig, rs, &w->t.time) > SIG_LABELS)
			signers[sig.signer.labels] = true;
	}
}

/* Signers of the record; of a denial those of its proofs. */
static void find_signers(const struct explaining *w, const struct explain_record *r, const struct found *f, bool signers[NAME_MAX_LABELS + 1])
{
	memset(signers, 0, (NAME_MAX_LABELS + 1) * sizeof *signers);
	if (f->rs != NULL)
		note_signers(w, f->rs, owner_of(r, f), signers);
	for (size_t i = 0; f->b != NULL && f->rs == NULL && i < bundle_count(f->b); i++)
		note_signers(w, bundle_set(f->b, i), r->name, signers);
}

/* --- is it good */

static const char *about(struct explaining *w, const char *what, struct name n, uint16_t type) IN_ARENA;
static const char *about(struct explaining *w, const char *what, struct name n, uint16_t type)
{
	char t[RRTYPE_TEXT];
	const char *text = arena_printf(w->x->arena, "%s %s %s", what, explain_name(w->x->arena, n), rrtype_text(type, t));

	return text != NULL ? text : "";
}

static RESULT read_proof(struct explaining *w, struct explain_record *r, const struct bundle *b, const struct keyset *keys)
{
	const struct rrset **sets = arena_alloc_array(w->x->arena, bundle_count(b) + 1, sizeof *sets);

	if (sets == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t i = 0; i < bundle_count(b); i++)
		sets[i] = bundle_set(b, i);
	return explain_proof_make(&w->t, sets, bundle_count(b), bundle_ttl_left(b, w->e->now), keys, &r->proof);
}

static struct explain_finding insecure_proof(struct explaining *w, const struct explain_record *r, const struct explain_zone *z)
{
	const char *name = explain_name(w->x->arena, r->name), *zone = explain_name(w->x->arena, z->name);
	bool iterations = r->proof.what == DENIAL_ITERATIONS_INSECURE;

	return (struct explain_finding){ .verdict = EXPLAIN_INSECURE, .ede = iterations ? EDE_NSEC3_ITERATIONS : 0,
		.reason = iterations ? arena_printf(w->x->arena, "%s denies with more NSEC3 iterations than are followed", zone) :
				       arena_printf(w->x->arena, "%s lies in an opt-out span of %s, where unsigned delegations are", name, zone),
		.mend = iterations ? arena_printf(w->x->arena, "Nothing is bogus; zone %s should be signed with 0 NSEC3 iterations (RFC 9276).", zone) : NULL };
}

static bool denial_fits(const struct explain_record *r)
{
	switch (r->proof.what) {
	case DENIAL_PROVEN_NXDOMAIN:
		return r->kind == EXPLAIN_NXDOMAIN || r->proof.compact;
	case DENIAL_PROVEN_NODATA:
	case DENIAL_WILDCARD_NODATA:
	case DENIAL_NO_DS_INSECURE:
		return r->kind == EXPLAIN_NODATA;
	case DENIAL_NOT_PROVEN:
	case DENIAL_WILDCARD_ANSWER:
	case DENIAL_INSECURE_OPTOUT:
	case DENIAL_ITERATIONS_INSECURE:
	case DENIAL_TOO_MUCH_WORK:
	case DENIAL_FAILED:
		break;
	}
	return false;
}

static RESULT judge_denial(struct explaining *w, struct explain_record *r, const struct explain_zone *z)
{
	explain_proof_judge(&w->t, &r->proof, z->name, r->name, r->type);
	if (r->proof.what == DENIAL_INSECURE_OPTOUT || r->proof.what == DENIAL_ITERATIONS_INSECURE)
		r->finding = insecure_proof(w, r, z);
	else if (denial_fits(r))
		r->finding = (struct explain_finding){ .verdict = EXPLAIN_SECURE };
	else if (!r->proof.judged)
		r->finding = explain_unknown("the work for an explanation was spent");
	else
		r->finding = explain_bad_proof(w->x->arena, &r->proof, z->name,
		    about(w, r->kind == EXPLAIN_NODATA ? "that there is no" : "that there is neither name nor wildcard for", r->name, r->type), w->x->wall);
	return DONE;
}

static RESULT judge_expansion(struct explaining *w, struct explain_record *r, const struct explain_zone *z, const struct bundle *b)
{
	struct name owner = rrset_name(r->set.rs);
	struct name_buf source;
	struct rrsig sig;

	r->finding = (struct explain_finding){ .verdict = EXPLAIN_SECURE };
	if (!OK(rrsig_parse(rrset_sig(r->set.rs, r->set.best), &sig)) || !rrsig_wildcard(&sig, r->set.rs, &source))
		return DONE;
	r->expanded = true;
	r->source = name_dup_in(w->x->arena, name_of(&source));
	if (r->source.wire == NULL)
		return FAIL(ERR_NOMEM);
	if (r->set.rs->type != RR_NSEC && r->set.rs->type != RR_NSEC3)
		TRY(read_proof(w, r, b, z->keyset));
	explain_proof_judge_expansion(&w->t, &r->proof, z->name, owner, sig.labels);
	if (r->proof.what == DENIAL_INSECURE_OPTOUT || r->proof.what == DENIAL_ITERATIONS_INSECURE)
		r->finding = insecure_proof(w, r, z);
	else if (!r->proof.judged)
		r->finding = explain_unknown("the work for an explanation was spent");
	else if (r->proof.what != DENIAL_WILDCARD_ANSWER)
		r->finding = explain_bad_proof(w->x->arena, &r->proof, z->name, about(w, "that nothing is closer than the wildcard to", owner, r->type), w->x->wall);
	return DONE;
}

/* An unsigned set in a signed zone: perhaps an unsigned zone begins in between. */
static void look_for_cuts(struct explaining *w, struct name owner, uint16_t type, const struct explain_zone *z)
{
	unsigned int most = type == RR_DS && owner.labels > 0 ? owner.labels - 1u : owner.labels, left = EXPLAIN_PROBES;

	for (unsigned int labels = z->name.labels + 1u; labels <= most && left > 0; labels++, left--) {
		struct name n = name_suffix(owner, labels);

		if (explain_entry(w, n, RR_DS, BUNDLE_NODATA) == NULL && explain_entry(w, n, RR_DS, BUNDLE_DATA) == NULL &&
		    covering_nxdomain(w, n) == NULL)
			explain_want(w, n, RR_DS);
	}
}

static RESULT judge_set(struct explaining *w, struct explain_record *r, const struct found *f, const struct explain_zone *z)
{
	if (r->type == RR_DNSKEY && name_equal(r->name, z->name)) { /* it was judged with its zone */
		r->set = z->dnskey;
		r->finding = (struct explain_finding){ .verdict = EXPLAIN_SECURE };
		return DONE;
	}
	if (r->set.verdict == SIG_GOOD)
		return judge_expansion(w, r, z, f->b);
	if (r->set.sig_count == 0)
		look_for_cuts(w, owner_of(r, f), r->type, z);
	r->finding = r->set.tried || r->set.sig_count == 0 || !w->t.out_of_work ? explain_bad_set(w->x->arena, &r->set, z->name, w->x->wall) :
										 explain_unknown("the work for an explanation was spent");
	return DONE;
}

/* What there is to be seen, whether or not there are keys for it. */
static RESULT read_record(struct explaining *w, struct explain_record *r, const struct found *f, const struct keyset *keys)
{
	if (f->b == NULL)
		return DONE;
	if (f->rs != NULL)
		return explain_set_make(&w->t, f->rs, bundle_ttl_left(f->b, w->e->now), keys, NULL, &r->set);
	return read_proof(w, r, f->b, keys);
}

static RESULT judge_record(struct explaining *w, struct explain_record *r, const struct found *f)
{
	const struct explain_zone *z = r->zone == EXPLAIN_TOP ? NULL : &w->x->zones[r->zone];
	bool secure = z != NULL && z->finding.verdict == EXPLAIN_SECURE;

	TRY(read_record(w, r, f, secure ? z->keyset : NULL));
	if (z != NULL && !secure && (r->kind != EXPLAIN_MISSING || z->finding.verdict == EXPLAIN_BOGUS)) {
		r->finding = explain_inherit(w, z);
		return DONE;
	}
	switch (r->kind) {
	case EXPLAIN_DATA:
	case EXPLAIN_ALIAS:
		if (z != NULL)
			return judge_set(w, r, f, z);
		break;
	case EXPLAIN_NODATA:
	case EXPLAIN_NXDOMAIN:
		if (z != NULL)
			return judge_denial(w, r, z);
		break;
	case EXPLAIN_MISSING:
		break;
	}
	r->finding = explain_unknown(r->failure != NULL ? arena_printf(w->x->arena, "it could not be had: %s", r->failure) : "it is not in the cache");
	return DONE;
}

/* --- the whole */

static bool worse(const struct explain_finding *a, const struct explain_finding *b)
{
	return a->verdict > b->verdict || (a->verdict == b->verdict && b->inherited && !a->inherited);
}

static void add_mend(const char **mends, size_t *n, const struct explain_finding *f)
{
	if (f->mend == NULL || *n == MENDS)
		return;
	for (size_t i = 0; i < *n; i++) {
		if (strcmp(mends[i], f->mend) == 0)
			return;
	}
	mends[(*n)++] = f->mend;
}

static const char *clock_mend(struct explaining *w) IN_ARENA;
static const char *clock_mend(struct explaining *w)
{
	char iso[32];

	return arena_printf(w->x->arena, "Look at the clock of this machine first: it says %s, and no signature that was seen is valid at that time.", clock_iso(w->x->wall, iso));
}

static RESULT conclude(struct explaining *w)
{
	struct explanation *x = w->x;
	const char *mends[MENDS + 1], *all = NULL;
	size_t n = 0;

	x->clock = w->t.dates_good == 0 && w->t.dates_bad > 0 && (w->t.dates_bad > 1 || x->zone_count == 1);
	x->out_of_work = w->t.out_of_work;
	for (size_t i = 0; i < x->record_count; i++) {
		if (i == 0 || worse(&x->records[i].finding, &x->finding))
			x->finding = x->records[i].finding;
	}
	for (size_t i = 0; i < x->zone_count && x->finding.inherited; i++) {
		if (x->zones[i].finding.verdict == x->finding.verdict && !x->zones[i].finding.inherited)
			x->finding = x->zones[i].finding;
	}
	if (x->clock)
		mends[n++] = clock_mend(w);
	for (size_t i = 0; i < x->zone_count; i++) {
		if (x->zones[i].finding.verdict == x->finding.verdict)
			add_mend(mends, &n, &x->zones[i].finding);
	}
	for (size_t i = 0; i < x->record_count; i++) {
		if (x->records[i].finding.verdict == x->finding.verdict)
			add_mend(mends, &n, &x->records[i].finding);
	}
	for (size_t i = 0; i < n; i++) {
		all = all == NULL ? mends[i] : arena_printf(x->arena, "%s %s", all, mends[i]);
		if (all == NULL)
			return FAIL(ERR_NOMEM);
	}
	x->finding.mend = all;
	return DONE;
}

static RESULT explain(struct explaining *w)
{
	struct explanation *x = w->x;
	struct found found[EXPLAIN_RECORDS] = { { NULL, NULL } };
	bool signers[NAME_MAX_LABELS + 1];

	TRY(find_records(w, found));
	for (size_t i = 0; i < x->record_count; i++) {
		struct explain_record *r = &x->records[i];

		find_signers(w, r, &found[i], signers);
		TRY(explain_add_zones(w, owner_of(r, &found[i]), r->kind == EXPLAIN_ALIAS ? 0 : r->type, signers));
		r->zone = explain_zone_of(x, owner_of(r, &found[i]), r->kind == EXPLAIN_ALIAS ? 0 : r->type);
		TRY(judge_record(w, r, &found[i]));
	}
	return conclude(w);
}

struct explanation *explain_make(const struct explain_env *e, const struct question *q)
{
	AUTO(explanation_free) struct explanation *x = mem_alloc(sizeof *x);
	AUTO(nsec3_hasher_free) struct nsec3_hasher *hasher = nsec3_hasher_new();
	const struct val_policy plain = plain_policy(), *p = e->validation != NULL ? &e->validation->policy : &plain;
	struct explaining w = { .e = e, .x = x };

	if (x == NULL || hasher == NULL)
		return NULL;
	x->arena = arena_new(EXPLAIN_ARENA);
	if (x->arena == NULL)
		return NULL;
	x->q = (struct question){ name_dup_in(x->arena, q->name), q->type, q->rclass };
	x->wall = p->fixed_date ? p->date : e->now->wall_sec;
	w.t = (struct explain_tools){ .arena = x->arena, .hasher = hasher, .policy = p, .work = { EXPLAIN_WORK },
		.time = { .now = (uint32_t)x->wall, .skew_min = p->skew_min, .skew_max = p->skew_max, .ignore = p->ignore_dates } };
	if (x->q.name.wire == NULL || !OK(explain(&w)))
		return NULL;
	return MOVE(x);
}
