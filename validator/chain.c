/*
 * The walk has two legs. climb() goes from the zone asked about towards its trust anchor, from each zone to the one that speaks for it, until something is known; descend() comes
 * back and learns each zone's trust from the one above, until a question is needed. Nothing is kept but what learn() keeps, so the next call climbs less far.
 */
#include "validator/chain_inside.h"

#include "base/arena.h"
#include "dns/edns.h"
#include "dns/rrtype.h"

#define TEXT_MAX 400        /* octets of a reason */
#define ANCHOR_TTL 60       /* seconds that what configuration says is taken for known */
#define SIGNERS_LOOKED_AT 16 /* signatures of one set that are read to see whose they are */

void chain_step_done(struct chain_step *s)
{
	trust_unref(MOVE(s->trust));
}

/* --- steps */

void step_known(struct chain_step *ret, struct trust *t)
{
	*ret = (struct chain_step){ .what = t != NULL ? CHAIN_KNOWN : CHAIN_NO_ROOM };
	ret->trust = MOVE(t);
}

void step_bogus(struct chain_step *ret, uint16_t ede, const char *text)
{
	*ret = (struct chain_step){ .what = CHAIN_BOGUS, .ede = ede, .text = text };
}

static void say_error(struct chain_step *ret, struct result r)
{
	*ret = (struct chain_step){ .what = r.e == ERR_BUDGET ? CHAIN_WORK : CHAIN_NO_ROOM };
}

/* Codes of RFC 8914 that say what is wrong with signatures, keys and proofs: the text that came with one names what it is about. */
static bool is_dnssec_error(uint16_t ede)
{
	return (ede >= EDE_UNSUPPORTED_DNSKEY && ede <= EDE_UNSUPPORTED_DS) || (ede >= EDE_INDETERMINATE && ede <= EDE_NSEC_MISSING) ||
	    ede == EDE_SIG_BEFORE_INCEPTION || ede == EDE_NSEC3_ITERATIONS;
}

static void say_failed(struct chain_env *e, struct name name, uint16_t type, const struct chain_failure *f, struct chain_step *ret)
{
	uint16_t ede = f->ede != 0 ? f->ede : type == RR_DNSKEY ? EDE_DNSKEY_MISSING : EDE_BOGUS;
	char s[NAME_TEXT + RRTYPE_TEXT + 1];
	const char *text;

	chain_set_words(s, name, type);
	if (f->text == NULL)
		text = arena_printf(e->arena, "no answer that can be believed for %s", s);
	else if (is_dnssec_error(f->ede))
		text = arena_printf(e->arena, "%.*s", TEXT_MAX, f->text);
	else
		text = arena_printf(e->arena, "%s: %.*s", s, TEXT_MAX, f->text);
	step_bogus(ret, ede, text);
}

/* The question is next, unless it was asked and failed. */
static void ask(struct chain_env *e, struct name name, uint16_t type, struct chain_step *ret)
{
	struct chain_failure f = { 0 };

	if (e->failed(e->user, name, type, &f))
		say_failed(e, name, type, &f, ret);
	else
		*ret = (struct chain_step){ .what = CHAIN_ASK, .name = name, .type = type };
}

void chain_learn(struct chain_env *e, const struct trust *t)
{
	e->learn(e->user, trust_ref(t)); /* own-ok: R3 learn takes it */
}

/* --- what configuration says */

static void say_configured(struct chain_env *e, const struct anchor_found *f, struct chain_step *ret)
{
	char z[NAME_TEXT];
	const char *text = NULL;

	chain_words(z, f->zone);
	if (f->kind == ANCHOR_NEGATIVE)
		text = arena_printf(e->arena, "negative trust anchor for %s", z);
	else if (f->kind == ANCHOR_INSECURE)
		text = arena_printf(e->arena, "domain-insecure: %s", z);
	step_known(ret, trust_new(f->kind == ANCHOR_NONE ? TRUST_NONE : TRUST_INSECURE, f->zone, ANCHOR_TTL, NULL, NULL,
	    f->kind == ANCHOR_NEGATIVE ? EDE_NEGATIVE_ANCHOR : 0, text));
}

/* True: it is said, and ret is the step. False: an island of security encloses the name. */
static bool by_configuration(struct chain_env *e, struct name name, struct anchor_found *ret_found, struct chain_step *ret)
{
	*ret_found = anchors_find_with(e->anchors, e->ntas, e->wall, name);
	if (ret_found->kind == ANCHOR_KEYS)
		return false;
	say_configured(e, ret_found, ret);
	return true;
}

/* --- up */

struct walk {
	struct chain_env *e BORROWED_FIELD;
	struct anchor_found anchor;
	struct name path[NAME_MAX_LABELS + 1]; /* from the zone asked about upwards; all are suffixes of its name */
	size_t n;
};

static bool is_cut(const struct trust *t)
{
	return t != NULL && t->state != TRUST_NO_CUT && t->state != TRUST_NO_NAME;
}

/* The labels of who signed a set that speaks about the cut at zone, when it may be so: strictly above, and not above `least`. */
static bool signer_above(struct chain_env *e, const struct rrset *set, struct name zone, unsigned int least, unsigned int *ret_labels)
{
	struct rrsig sig;

	for (size_t i = 0; i < set->sigs && i < SIGNERS_LOOKED_AT; i++) {
		if (!OK(rrsig_parse(rrset_sig(set, i), &sig)) || rrsig_check(&sig, set, &e->time) != SIG_GOOD)
			continue;
		if (sig.signer.labels < least || !name_is_strictly_under(zone, sig.signer))
			continue;
		*ret_labels = sig.signer.labels;
		return true;
	}
	return false;
}

static bool is_denial(const struct rrset *set)
{
	return set->type == RR_NSEC || set->type == RR_NSEC3;
}

static bool is_ds_of(const struct rrset *set, struct name zone)
{
	return set->type == RR_DS && set->count > 0 && name_equal(rrset_name(set), zone);
}

/* Who signed what the referral to zone brought. */
static bool signer_of_referral(struct chain_env *e, struct name zone, unsigned int least, unsigned int *ret_labels)
{
	const struct rrset *const *sets;
	size_t n;

	if (!e->referral(e->user, zone, &sets, &n))
		return false;
	for (size_t i = 0; i < n; i++)
		if (is_ds_of(sets[i], zone) && signer_above(e, sets[i], zone, least, ret_labels))
			return true;
	for (size_t i = 0; i < n && i < DENIAL_SETS; i++)
		if (is_denial(sets[i]) && signer_above(e, sets[i], zone, least, ret_labels))
			return true;
	return false;
}

/* The deepest cut at or above name that is remembered, but not above the anchor's zone. */
static unsigned int cut_labels(struct chain_env *e, struct name name, unsigned int least)
{
	struct name cut;

	if (e->cut(e->user, name, &cut) && name_is_under(name, cut) && cut.labels > least)
		return cut.labels;
	return least;
}

/* The deepest name from name up to that of `least` labels, which is excluded, that is known to begin a zone; `least` when there is none. */
static unsigned int known_cut_labels(struct chain_env *e, struct name name, unsigned int least)
{
	for (unsigned int labels = name.labels; labels > least; labels--)
		if (is_cut(e->known(e->user, name_suffix(name, labels))))
			return labels;
	return least;
}

/* The zone strictly above this one that speaks about its cut. */
static struct name zone_above(const struct walk *w, struct name zone)
{
	unsigned int least = w->anchor.zone.labels, labels = 0;
	struct name parent = name_parent(zone);

	if (!signer_of_referral(w->e, zone, least, &labels))
		labels = cut_labels(w->e, parent, least);
	return name_suffix(zone, known_cut_labels(w->e, parent, labels));
}

static void climb(struct walk *w, struct name zone)
{
	for (bool first = true;; first = false) {
		bool top = zone.labels <= w->anchor.zone.labels;
		const struct trust *t = w->e->known(w->e->user, zone);

		if (top || first || t == NULL || is_cut(t))
			w->path[w->n++] = zone;
		if (top || (t != NULL && (first || is_cut(t))))
			return;
		zone = zone_above(w, zone);
	}
}

/* --- down */

/* The keys of a zone whose DS RRset or anchor is known. */
static void ask_keys(struct walk *w, struct name zone, bool of_anchor, struct chain_step *ret)
{
	struct chain_env *e = w->e;
	struct chain_failure f = { 0 };
	char z[NAME_TEXT];

	if (of_anchor && !e->policy->stripped_is_bogus && e->failed(e->user, zone, RR_DNSKEY, &f))
		step_known(ret, trust_new(TRUST_INSECURE, zone, ANCHOR_TTL, NULL, NULL, 0,
		    arena_printf(e->arena, "the trust anchor of %s has no keys that validate, which harden-dnssec-stripped allows", chain_words(z, zone))));
	else
		ask(e, zone, RR_DNSKEY, ret);
}

static void found_insecure(struct chain_env *e, struct name zone, uint32_t ttl, uint16_t ede, const char *text, struct chain_step *ret)
{
	step_known(ret, trust_new(TRUST_INSECURE, zone, ttl, NULL, NULL, ede, text));
	if (ret->what == CHAIN_KNOWN)
		chain_learn(e, ret->trust);
}

void chain_learn_ds(struct chain_env *e, const struct rrset *ds, uint32_t ttl, struct chain_step *ret)
{
	struct name zone = rrset_name(ds);
	uint16_t ede = 0;
	char z[NAME_TEXT];

	if (!ds_any_usable(ds, &e->policy->algorithms, &ede)) {
		found_insecure(e, zone, ttl, ede, arena_printf(e->arena, "DS RRset of %s: no %s that is validated", chain_words(z, zone),
		    ede == EDE_UNSUPPORTED_DS ? "digest" : "algorithm"), ret);
		return;
	}
	step_known(ret, trust_new(TRUST_DS, zone, ttl, NULL, ds, 0, NULL));
	if (ret->what == CHAIN_KNOWN)
		chain_learn(e, ret->trust);
}

/* --- what was verified already */

struct chain_seen {
	struct chain_seen *next ARENA_FIELD;
	struct rrset *set ARENA_FIELD; /* secure, with its TTL, when good */
	struct name zone;              /* whose keys */
	bool done;
	bool good;
	bool wildcard;
	const struct keyset *keys BORROWED_FIELD; /* what progress was made with; only compared */
	struct sig_progress progress;
};

static bool same_block(const struct rrset *a, const struct rrset *b)
{
	return a->octets == b->octets && a->type == b->type && a->rclass == b->rclass && a->count == b->count && a->sigs == b->sigs &&
	    memcmp(a->offset, b->offset, a->octets - offsetof(struct rrset, offset)) == 0;
}

static struct chain_seen *seen_before(const struct chain_env *e, const struct rrset *set, struct name zone) IN_ARENA;
static struct chain_seen *seen_before(const struct chain_env *e, const struct rrset *set, struct name zone)
{
	struct chain_seen *s = e->memo != NULL ? e->memo->first : NULL;

	while (s != NULL && !(same_block(s->set, set) && name_equal(s->zone, zone)))
		s = s->next;
	return s;
}

static struct chain_seen *add_seen(struct chain_env *e, const struct rrset *set, struct name zone) IN_ARENA;
static struct chain_seen *add_seen(struct chain_env *e, const struct rrset *set, struct name zone)
{
	struct chain_seen *s = arena_alloc(e->arena, sizeof *s);

	if (s == NULL)
		return NULL;
	s->set = rrset_copy_in(e->arena, set);
	s->zone = name_dup_in(e->arena, zone);
	if (s->set == NULL || s->zone.wire == NULL)
		return NULL;
	if (e->memo != NULL) {
		s->next = e->memo->first;
		e->memo->first = s;
	}
	return s;
}

/* A set of a referral under the keys of the zone above. ERR_BUDGET, ERR_NOMEM. */
static RESULT verify(struct chain_env *e, const struct rrset *set, const struct keyset *keys, const struct chain_seen **ret)
{
	struct chain_seen *s = seen_before(e, set, keyset_owner(keys));
	struct sig_report report = { 0 };
	uint32_t ttl = 0;

	if (s == NULL)
		s = add_seen(e, set, keyset_owner(keys));
	if (s == NULL)
		return FAIL(ERR_NOMEM);
	*ret = s;
	if (s->done)
		return DONE;
	/* The same closest encloser stands in every proof of an opt-out zone. */
	if (e->verified != NULL && is_denial(set) && e->verified(e->user, keyset_owner(keys), set, &ttl)) {
		s->done = s->good = true;
		s->set->security = SECURITY_SECURE;
		s->set->ttl = ttl < set->ttl ? ttl : set->ttl;
		return DONE;
	}
	if (s->keys != keys)
		s->progress = (struct sig_progress){ .begun = false };
	s->keys = keys;
	TRY(rrset_verify_on(set, keys, NULL, &e->policy->algorithms, &e->time, &e->policy->signatures, e->arena, e->work, &s->progress, &report));
	s->done = true;
	s->good = report.verdict == SIG_GOOD;
	s->wildcard = report.wildcard;
	if (s->good) {
		s->set->security = SECURITY_SECURE;
		s->set->ttl = report.ttl;
	}
	return DONE;
}

/* A referral's DS RRset. True: it validates, and ret is the step. */
static bool take_ds(struct walk *w, const struct keyset *keys, const struct rrset *ds, struct chain_step *ret)
{
	const struct chain_seen *seen;
	struct result r = verify(w->e, ds, keys, &seen);

	if (!OK(r)) {
		say_error(ret, r);
		return true;
	}
	if (!seen->good || seen->wildcard)
		return false;
	chain_learn_ds(w->e, seen->set, seen->set->ttl, ret);
	return true;
}

/* A referral's proof that there is no DS. True: it is good, or could not be finished, and ret is the step. */
static bool take_denial(struct walk *w, const struct keyset *keys, struct name zone, const struct rrset *const *sets, size_t n, struct chain_step *ret)
{
	struct chain_env *e = w->e;
	size_t most = e->policy->denials.sets != 0 ? e->policy->denials.sets : SIZE_MAX, good = 0, bad = 0;
	const struct rrset **proofs = arena_alloc_array(e->arena, n + 1, sizeof *proofs);
	uint32_t ttl = UINT32_MAX;
	struct denial_proof p;
	struct denial_verdict v;

	if (proofs == NULL) {
		say_error(ret, FAIL(ERR_NOMEM));
		return true;
	}
	for (size_t i = 0; i < n && good < most && bad < e->policy->signatures.max_failures; i++) {
		const struct chain_seen *seen;
		struct result r;

		if (!is_denial(sets[i]) || sets[i]->sigs == 0)
			continue;
		r = verify(e, sets[i], keys, &seen);
		if (!OK(r)) {
			say_error(ret, r);
			return true;
		}
		bad += !seen->good;
		if (!seen->good)
			continue;
		proofs[good++] = seen->set;
		ttl = seen->set->ttl < ttl ? seen->set->ttl : ttl;
	}
	p = (struct denial_proof){ .zone = keyset_owner(keys), .sets = proofs, .n = good, .limits = e->policy->denials, .hasher = e->hasher, .work = e->work,
		.arena = e->arena };
	v = denial_prove(&p, zone, RR_DS);
	if (v.what == DENIAL_NO_DS_INSECURE || v.what == DENIAL_INSECURE_OPTOUT || v.what == DENIAL_ITERATIONS_INSECURE) {
		found_insecure(e, zone, ttl, v.ede, chain_insecure_text(e, zone, keyset_owner(keys), v.what), ret);
		for (size_t i = 0; e->denied != NULL && i < good; i++)
			e->denied(e->user, keyset_owner(keys), proofs[i]);
	} else if (v.what == DENIAL_TOO_MUCH_WORK || v.what == DENIAL_FAILED) {
		say_error(ret, FAIL(v.what == DENIAL_FAILED ? ERR_NOMEM : ERR_BUDGET));
	} else {
		return false;
	}
	return true;
}

/* From a zone with keys to a cut below it. */
static void step_down(struct walk *w, const struct keyset *keys, struct name zone, struct chain_step *ret)
{
	struct chain_env *e = w->e;
	const struct rrset *const *sets;
	struct chain_failure f = { 0 };
	size_t n;

	if (!e->failed(e->user, zone, RR_DS, &f) && e->referral(e->user, zone, &sets, &n)) {
		bool has_ds = false;

		for (size_t i = 0; i < n && !has_ds; i++) {
			has_ds = is_ds_of(sets[i], zone);
			if (has_ds && take_ds(w, keys, sets[i], ret))
				return;
		}
		if (!has_ds && take_denial(w, keys, zone, sets, n, ret))
			return;
	}
	ask(e, zone, RR_DS, ret);
}

/* Where the climb ended. An anchor beats what the zones above say of its zone. */
static void start(struct walk *w, struct name zone, struct chain_step *ret)
{
	const struct trust *t = w->e->known(w->e->user, zone);
	bool of_anchor = name_equal(zone, w->anchor.zone);

	if (t != NULL && (!of_anchor || t->state == TRUST_KEYS || t->state == TRUST_INSECURE))
		step_known(ret, trust_ref(t));
	else
		ask_keys(w, zone, of_anchor, ret);
}

static bool is_secure(const struct chain_step *s)
{
	return s->what == CHAIN_KNOWN && (s->trust->state == TRUST_KEYS || s->trust->state == TRUST_DS);
}

/* for_keys: the zone's own keys are not asked for. */
static void descend(struct walk *w, bool for_keys, struct chain_step *ret)
{
	size_t i = w->n - 1;

	start(w, w->path[i], ret);
	while (is_secure(ret) && !(for_keys && i == 0)) {
		AUTO(trust_unref) struct trust *above = MOVE(ret->trust);

		if (above->state == TRUST_DS) {
			ask_keys(w, w->path[i], false, ret);
		} else if (i > 0) {
			i--;
			step_down(w, above->keys, w->path[i], ret);
		} else {
			step_known(ret, MOVE(above));
			break;
		}
	}
}

void chain_zone(struct chain_env *e, struct name zone, struct chain_step *ret)
{
	struct walk w = { .e = e };

	if (by_configuration(e, zone, &w.anchor, ret))
		return;
	climb(&w, zone);
	descend(&w, false, ret);
}

void chain_zone_for_keys(struct chain_env *e, struct name zone, const struct anchor_zone **ret_anchor, struct chain_step *ret)
{
	struct walk w = { .e = e };

	*ret_anchor = NULL;
	if (by_configuration(e, zone, &w.anchor, ret))
		return;
	if (name_equal(zone, w.anchor.zone)) {
		*ret_anchor = w.anchor.keys;
		*ret = (struct chain_step){ .what = CHAIN_KNOWN };
		return;
	}
	climb(&w, zone);
	descend(&w, true, ret);
}

/* --- whose data is unsigned */

/* Down from the zone in ret, which has keys. */
static void look_below(struct chain_env *e, struct name low, struct chain_step *ret)
{
	unsigned int probes = 0;

	for (unsigned int labels = ret->trust->zone.labels + 1u; labels <= low.labels && probes <= e->policy->max_probes; labels++) {
		struct name name = name_suffix(low, labels);
		const struct trust *t = e->known(e->user, name);

		if (t == NULL) {
			if (probes == e->policy->max_probes)
				return;
			chain_step_done(ret);
			ask(e, name, RR_DS, ret);
			return;
		}
		if (t->state == TRUST_NO_NAME)
			return;
		if (t->state == TRUST_NO_CUT) {
			probes++;
			continue;
		}
		chain_step_done(ret);
		chain_zone(e, name, ret);
		if (ret->what != CHAIN_KNOWN || ret->trust->state != TRUST_KEYS)
			return;
		probes = 0;
	}
}

void chain_zone_of(struct chain_env *e, struct name owner, uint16_t type, struct chain_step *ret)
{
	struct name low = type == RR_DS ? name_parent(owner) : owner;
	struct anchor_found found;
	unsigned int labels;

	if (by_configuration(e, low, &found, ret))
		return;
	labels = known_cut_labels(e, low, cut_labels(e, low, found.zone.labels));
	for (;;) {
		chain_zone(e, name_suffix(low, labels), ret);
		if (ret->what != CHAIN_KNOWN || is_cut(ret->trust) || labels <= found.zone.labels)
			break;
		chain_step_done(ret);
		labels--;
		labels = known_cut_labels(e, name_suffix(low, labels), cut_labels(e, name_suffix(low, labels), found.zone.labels));
	}
	if (ret->what == CHAIN_KNOWN && ret->trust->state == TRUST_KEYS)
		look_below(e, low, ret);
}
