/*
 * The walk has two legs. climb() goes from the zone asked about towards its trust anchor, from each zone to the one that speaks for it, until something is known; descend() comes
 * back and learns each zone's trust from the one above, until a question is needed. Nothing is kept but what learn() keeps, so the next call climbs less far.
 */
#include "validator/chain.h"

#include <stdio.h>
#include <time.h>

#include "base/arena.h"
#include "dns/edns.h"
#include "dns/rrtype.h"

#define TEXT_MAX 400        /* octets of a reason */
#define TEXT_NAME_MAX 160   /* of a name in it */
#define ANCHOR_TTL 60       /* seconds that what configuration says is taken for known */
#define SIGNERS_LOOKED_AT 16 /* signatures of one set that are read to see whose they are */

void chain_step_done(struct chain_step *s)
{
	trust_unref(MOVE(s->trust));
}

/* --- words */

/* As in a sentence: no final dot, cut when it is long. */
static const char *words(char room[NAME_TEXT], struct name n)
{
	size_t len = strlen(name_to_text(n, room));

	if (len > 1 && room[len - 1] == '.')
		room[--len] = '\0';
	if (len > TEXT_NAME_MAX)
		memcpy(room + TEXT_NAME_MAX - 3, "...", 4);
	return room;
}

const char *chain_name_text(struct arena *a, struct name n)
{
	char room[NAME_TEXT];

	return arena_strdup(a, words(room, n));
}

/* "www.example.com A" */
static const char *set_words(char room[NAME_TEXT + RRTYPE_TEXT + 1], struct name owner, uint16_t type)
{
	char t[RRTYPE_TEXT];
	size_t len = strlen(words(room, owner));

	snprintf(room + len, RRTYPE_TEXT + 1, " %s", rrtype_text(type, t));
	return room;
}

/* A point in time near now, which the 32 bits of a signature leave open (RFC 4034 section 3.1.5). */
static void time_words(char room[32], uint32_t when, const struct chain_env *e)
{
	time_t t = (time_t)(e->wall + (int32_t)(when - (uint32_t)e->wall));
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL || strftime(room, 32, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		snprintf(room, 32, "%lu", (unsigned long)when);
}

const char *chain_signature_text(struct chain_env *e, const struct rrset *set, struct name zone, const struct sig_report *r)
{
	char z[NAME_TEXT], s[NAME_TEXT + RRTYPE_TEXT + 1], when[32];
	struct rrsig sig;
	bool have = r->index < set->sigs && OK(rrsig_parse(rrset_sig(set, r->index), &sig));
	const char *what = sig_verdict_text(r->verdict);

	words(z, zone);
	set_words(s, rrset_name(set), set->type);
	switch (r->verdict) {
	case SIG_MISSING:
		return arena_printf(e->arena, "%s has no signature, in the signed zone %s", s, z);
	case SIG_EXPIRED:
		time_words(when, have ? sig.expiration : 0, e);
		return arena_printf(e->arena, "signature of %s by %s (tag %u, algorithm %u) expired on %s", s, z, r->tag, r->algorithm, when);
	case SIG_NOT_YET:
		time_words(when, have ? sig.inception : 0, e);
		return arena_printf(e->arena, "signature of %s by %s (tag %u, algorithm %u) is not valid before %s", s, z, r->tag, r->algorithm, when);
	case SIG_NO_KEY:
		return arena_printf(e->arena, "signature of %s by %s: no key has its tag %u and algorithm %u", s, z, r->tag, r->algorithm);
	case SIG_KEY_FAULT:
		return arena_printf(e->arena, "signature of %s by %s: its key (tag %u, algorithm %u) cannot be used: %s", s, z, r->tag, r->algorithm,
		    key_fault_text(r->fault));
	case SIG_FORMAT:
	case SIG_SIGNER:
	case SIG_LABELS:
		return arena_printf(e->arena, "%s in the signed zone %s: %s", s, z, what);
	case SIG_ALGORITHM:
	case SIG_DATES:
	case SIG_BAD:
	case SIG_GOOD:
		break;
	}
	return arena_printf(e->arena, "signature of %s by %s (tag %u, algorithm %u): %s%s", s, z, r->tag, r->algorithm, what,
	    r->limited ? "; others were left untried" : "");
}

/* --- steps */

static void say_known(struct chain_step *ret, struct trust *t) TAKES(2);
static void say_known(struct chain_step *ret, struct trust *t)
{
	*ret = (struct chain_step){ .what = t != NULL ? CHAIN_KNOWN : CHAIN_NO_ROOM };
	ret->trust = MOVE(t);
}

static void say_bogus(struct chain_step *ret, uint16_t ede, const char *text)
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

	set_words(s, name, type);
	if (f->text == NULL)
		text = arena_printf(e->arena, "no answer that can be believed for %s", s);
	else if (is_dnssec_error(f->ede))
		text = arena_printf(e->arena, "%.*s", TEXT_MAX, f->text);
	else
		text = arena_printf(e->arena, "%s: %.*s", s, TEXT_MAX, f->text);
	say_bogus(ret, ede, text);
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

	words(z, f->zone);
	if (f->kind == ANCHOR_NEGATIVE)
		text = arena_printf(e->arena, "negative trust anchor for %s", z);
	else if (f->kind == ANCHOR_INSECURE)
		text = arena_printf(e->arena, "domain-insecure: %s", z);
	say_known(ret, trust_new(f->kind == ANCHOR_NONE ? TRUST_NONE : TRUST_INSECURE, f->zone, ANCHOR_TTL, NULL, NULL,
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
		say_known(ret, trust_new(TRUST_INSECURE, zone, ANCHOR_TTL, NULL, NULL, 0,
		    arena_printf(e->arena, "the trust anchor of %s has no keys that validate, which harden-dnssec-stripped allows", words(z, zone))));
	else
		ask(e, zone, RR_DNSKEY, ret);
}

static void found_insecure(struct chain_env *e, struct name zone, uint32_t ttl, uint16_t ede, const char *text, struct chain_step *ret)
{
	say_known(ret, trust_new(TRUST_INSECURE, zone, ttl, NULL, NULL, ede, text));
	if (ret->what == CHAIN_KNOWN)
		chain_learn(e, ret->trust);
}

void chain_learn_ds(struct chain_env *e, const struct rrset *ds, uint32_t ttl, struct chain_step *ret)
{
	struct name zone = rrset_name(ds);
	uint16_t ede = 0;
	char z[NAME_TEXT];

	if (!ds_any_usable(ds, &e->policy->algorithms, &ede)) {
		found_insecure(e, zone, ttl, ede, arena_printf(e->arena, "DS RRset of %s: no %s that is validated", words(z, zone),
		    ede == EDE_UNSUPPORTED_DS ? "digest" : "algorithm"), ret);
		return;
	}
	say_known(ret, trust_new(TRUST_DS, zone, ttl, NULL, ds, 0, NULL));
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

	if (s == NULL)
		s = add_seen(e, set, keyset_owner(keys));
	if (s == NULL)
		return FAIL(ERR_NOMEM);
	*ret = s;
	if (s->done)
		return DONE;
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

const char *chain_insecure_text(struct chain_env *e, struct name name, struct name zone, enum denial why)
{
	char n[NAME_TEXT], z[NAME_TEXT];

	words(n, name);
	words(z, zone);
	if (why == DENIAL_ITERATIONS_INSECURE)
		return arena_printf(e->arena, "%s denies with more NSEC3 iterations than are followed: nothing is proven about %s", z, n);
	if (why == DENIAL_INSECURE_OPTOUT)
		return arena_printf(e->arena, "%s is in an opt-out span of %s", n, z);
	return arena_printf(e->arena, "%s proves that there is no DS RRset at %s", z, n);
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
		say_known(ret, trust_ref(t));
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
			say_known(ret, MOVE(above));
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

/* --- keys */

/* What vouches for a DNSKEY RRset: DS RRs, keys themselves. */
struct vouchers {
	const struct rrset *ds BORROWED_FIELD; /* or NULL */
	const struct anchor_zone *anchor BORROWED_FIELD; /* whose DNSKEY RRs count; or NULL */
};

static bool is_usable_key(const struct chain_env *e, struct anchor_rr rr)
{
	struct dnskey k;

	return rr.type == RR_DNSKEY && OK(dnskey_parse(rr.rdata, &k)) && algorithm_usable(&e->policy->algorithms, k.algorithm);
}

/* An anchor's DS RRs as a set; none: NULL in *ret. */
static RESULT ds_of_anchor(struct chain_env *e, struct name zone, const struct anchor_zone *anchor, const struct rrset **ret)
{
	size_t count = anchor_zone_count(anchor), n = 0;
	struct span *rdata = arena_alloc_array(e->arena, count + 1, sizeof *rdata);

	if (rdata == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t i = 0; i < count; i++)
		if (anchor_zone_rr(anchor, i).type == RR_DS)
			rdata[n++] = anchor_zone_rr(anchor, i).rdata;
	*ret = n == 0 ? NULL : rrset_make_in(e->arena, zone, RR_DS, CLASS_IN, UINT32_MAX, rdata, n, 0);
	return n != 0 && *ret == NULL ? FAIL(ERR_NOMEM) : DONE;
}

/* Whether there is anything that can be followed; no: why. */
static bool any_usable(const struct chain_env *e, const struct vouchers *v, uint16_t *ret_ede)
{
	for (size_t i = 0; v->anchor != NULL && i < anchor_zone_count(v->anchor); i++)
		if (is_usable_key(e, anchor_zone_rr(v->anchor, i)) || anchor_cannot_match(anchor_zone_rr(v->anchor, i).type, anchor_zone_rr(v->anchor, i).rdata))
			return true;
	*ret_ede = EDE_UNSUPPORTED_DNSKEY;
	return v->ds != NULL && ds_any_usable(v->ds, &e->policy->algorithms, ret_ede);
}

static RESULT vouch(struct chain_env *e, const struct rrset *dnskeys, const struct vouchers *v, bool *vouched, size_t *ret_count)
{
	size_t count = 0;

	memset(vouched, 0, dnskeys->count * sizeof *vouched);
	if (v->ds != NULL)
		TRY(ds_vouch(v->ds, dnskeys, &e->policy->algorithms, DS_MAX_MISSES, e->work, vouched, &count));
	for (size_t i = 0; v->anchor != NULL && i < anchor_zone_count(v->anchor); i++) {
		struct anchor_rr rr = anchor_zone_rr(v->anchor, i);

		for (size_t k = 0; is_usable_key(e, rr) && k < dnskeys->count; k++)
			vouched[k] = vouched[k] || span_equal(rr.rdata, rrset_rdata(dnskeys, k));
	}
	for (size_t k = count = 0; k < dnskeys->count; k++)
		count += vouched[k];
	*ret_count = count;
	return DONE;
}

/* The first DS, or key of an anchor, that could have matched: for the reason. */
static bool first_voucher(const struct chain_env *e, const struct vouchers *v, uint16_t *ret_tag, uint8_t *ret_algorithm)
{
	struct dnskey k;
	struct ds d;

	for (size_t i = 0; v->ds != NULL && i < v->ds->count; i++) {
		if (!ds_usable(v->ds, i, &e->policy->algorithms) || !OK(ds_parse(rrset_rdata(v->ds, i), &d)))
			continue;
		*ret_tag = d.tag;
		*ret_algorithm = d.algorithm;
		return true;
	}
	for (size_t i = 0; v->anchor != NULL && i < anchor_zone_count(v->anchor); i++) {
		struct anchor_rr rr = anchor_zone_rr(v->anchor, i);

		if (!is_usable_key(e, rr) || !OK(dnskey_parse(rr.rdata, &k)))
			continue;
		*ret_tag = dnskey_tag(rr.rdata);
		*ret_algorithm = k.algorithm;
		return true;
	}
	return false;
}

static void say_no_match(struct chain_env *e, const struct rrset *dnskeys, const struct vouchers *v, struct chain_step *ret)
{
	uint16_t tag = 0, ede = EDE_DNSKEY_MISSING;
	uint8_t algorithm = 0;
	char z[NAME_TEXT];
	const char *what = v->anchor != NULL ? "trust anchor" : "DS";
	struct dnskey k;

	words(z, rrset_name(dnskeys));
	if (!first_voucher(e, v, &tag, &algorithm)) {
		say_bogus(ret, ede, arena_printf(e->arena, "DNSKEY RRset of %s: no key matches a %s", z, what));
		return;
	}
	for (size_t i = 0; i < dnskeys->count; i++)
		if (OK(dnskey_parse(rrset_rdata(dnskeys, i), &k)) && (k.flags & DNSKEY_ZONE) == 0 && k.algorithm == algorithm &&
		    dnskey_tag(rrset_rdata(dnskeys, i)) == tag)
			ede = EDE_NO_ZONE_KEY;
	say_bogus(ret, ede, arena_printf(e->arena, "DNSKEY RRset of %s: no %skey matches the %s with tag %u (algorithm %u)", z,
	    ede == EDE_NO_ZONE_KEY ? "zone " : "", what, tag, algorithm));
}

/* Whether what vouches speaks of this algorithm. */
static bool vouches_for(const struct chain_env *e, const struct vouchers *v, uint8_t algorithm)
{
	struct dnskey k;
	struct ds d;

	for (size_t i = 0; v->ds != NULL && i < v->ds->count; i++)
		if (ds_usable(v->ds, i, &e->policy->algorithms) && OK(ds_parse(rrset_rdata(v->ds, i), &d)) && d.algorithm == algorithm)
			return true;
	for (size_t i = 0; v->anchor != NULL && i < anchor_zone_count(v->anchor); i++)
		if (is_usable_key(e, anchor_zone_rr(v->anchor, i)) && OK(dnskey_parse(anchor_zone_rr(v->anchor, i).rdata, &k)) && k.algorithm == algorithm)
			return true;
	return false;
}

static RESULT verify_keys(struct chain_env *e, const struct rrset *dnskeys, const struct keyset *keys, const bool *allowed, struct sig_report *ret)
{
	return rrset_verify(dnskeys, keys, allowed, &e->policy->algorithms, &e->time, &e->policy->signatures, e->arena, e->work, ret);
}

/* harden-algo-downgrade: each algorithm that is vouched for must sign (RFC 6840 section 5.11 asks it of signers, not of validators). */
static RESULT verify_all_algorithms(struct chain_env *e, const struct rrset *dnskeys, const struct keyset *keys, const struct vouchers *v, const bool *vouched,
    struct sig_report *ret)
{
	bool *allowed = arena_alloc_array(e->arena, dnskeys->count + 1u, sizeof *allowed);
	uint32_t ttl = ret->ttl;

	if (allowed == NULL)
		return FAIL(ERR_NOMEM);
	for (unsigned int a = 0; a < 256 && ret->verdict == SIG_GOOD; a++) {
		if (!vouches_for(e, v, (uint8_t)a))
			continue;
		for (size_t k = 0; k < dnskeys->count; k++)
			allowed[k] = vouched[k] && key_algorithm(keyset_key(keys, k)) == a;
		TRY(verify_keys(e, dnskeys, keys, allowed, ret));
		if (ret->verdict != SIG_GOOD && ret->verdict <= SIG_NO_KEY) { /* of that algorithm there is nothing at all */
			ret->verdict = SIG_NO_KEY;
			ret->ede = EDE_BOGUS;
			ret->algorithm = (uint8_t)a;
		}
		ttl = ret->ttl < ttl ? ret->ttl : ttl;
	}
	ret->ttl = ttl;
	return DONE;
}

static RESULT refuse_keys(struct chain_env *e, const struct rrset *dnskeys, const struct anchor_zone *anchor, struct chain_step *ret)
{
	char z[NAME_TEXT];

	if (anchor == NULL || e->policy->stripped_is_bogus)
		return FAIL(ERR_REFUSED);
	chain_step_done(ret);
	say_known(ret, trust_new(TRUST_INSECURE, rrset_name(dnskeys), dnskeys->ttl, NULL, NULL, 0,
	    arena_printf(e->arena, "the keys of %s do not validate, which harden-dnssec-stripped allows", words(z, rrset_name(dnskeys)))));
	return ret->what == CHAIN_KNOWN ? DONE : FAIL(ERR_NOMEM);
}

/* One good signature by a key that is vouched for; goes on where a run before stopped. */
static RESULT verify_vouched(struct chain_env *e, const struct rrset *dnskeys, const struct keyset *keys, const bool *vouched, struct sig_report *ret)
{
	struct sig_progress once = { .begun = false }, *p = &once;

	if (e->memo != NULL) {
		p = &e->memo->progress;
		if (e->memo->dnskeys != dnskeys || memcmp(e->memo->vouched, vouched, dnskeys->count * sizeof *vouched) != 0)
			*p = (struct sig_progress){ .begun = false };
		e->memo->dnskeys = dnskeys;
		e->memo->vouched = vouched;
	}
	return rrset_verify_on(dnskeys, keys, vouched, &e->policy->algorithms, &e->time, &e->policy->signatures, e->arena, e->work, p, ret);
}

/* The set is vouched for, and is it signed? The keys that do not matter for that are made last. */
static RESULT check_keys(struct chain_env *e, const struct rrset *dnskeys, const struct vouchers *v, const bool *vouched, struct sig_report *ret_good,
    struct chain_step *ret)
{
	AUTO(keyset_free) struct keyset *keys = NULL;
	struct name zone = rrset_name(dnskeys);
	struct result r = keyset_make_some(dnskeys, vouched, &e->policy->algorithms, &e->policy->keys, e->work, &keys);
	struct sig_report report = { 0 };
	uint32_t ttl;
	char z[NAME_TEXT];

	if (r.e == ERR_LIMIT) {
		say_bogus(ret, EDE_BOGUS, arena_printf(e->arena, "DNSKEY RRset of %s: %u keys are more than are looked at", words(z, zone), dnskeys->count));
		return FAIL(ERR_REFUSED);
	}
	TRY(r);
	TRY(verify_vouched(e, dnskeys, keys, vouched, &report));
	if (report.verdict == SIG_GOOD && e->policy->all_algorithms)
		TRY(verify_all_algorithms(e, dnskeys, keys, v, vouched, &report));
	if (report.verdict != SIG_GOOD) {
		say_bogus(ret, report.ede, chain_signature_text(e, dnskeys, zone, &report));
		return FAIL(ERR_REFUSED);
	}
	TRY(keyset_complete(keys, dnskeys, &e->policy->algorithms, &e->policy->keys, e->work));
	ttl = v->anchor == NULL && v->ds != NULL && v->ds->ttl < report.ttl ? v->ds->ttl : report.ttl;
	say_known(ret, trust_new(TRUST_KEYS, zone, ttl, MOVE(keys), v->anchor == NULL ? v->ds : NULL, 0, NULL));
	if (ret->what != CHAIN_KNOWN)
		return FAIL(ERR_NOMEM);
	*ret_good = report;
	return DONE;
}

RESULT chain_keys(struct chain_env *e, const struct rrset *dnskeys, const struct rrset *ds, const struct anchor_zone *anchor, struct sig_report *ret_good,
    struct chain_step *ret)
{
	struct vouchers v = { ds, anchor };
	bool *vouched = arena_alloc_array(e->arena, dnskeys->count + 1u, sizeof *vouched);
	size_t count = 0;
	uint16_t ede = 0;
	char z[NAME_TEXT];
	struct result r;

	*ret = (struct chain_step){ .what = CHAIN_NO_ROOM };
	if (vouched == NULL)
		return FAIL(ERR_NOMEM);
	if (anchor != NULL)
		TRY(ds_of_anchor(e, rrset_name(dnskeys), anchor, &v.ds));
	if (!any_usable(e, &v, &ede)) {
		say_known(ret, trust_new(TRUST_INSECURE, rrset_name(dnskeys), dnskeys->ttl, NULL, NULL, ede,
		    arena_printf(e->arena, "%s has no algorithm and digest that is validated", words(z, rrset_name(dnskeys)))));
		return ret->what == CHAIN_KNOWN ? DONE : FAIL(ERR_NOMEM);
	}
	r = vouch(e, dnskeys, &v, vouched, &count);
	if (r.e == ERR_LIMIT) {
		say_bogus(ret, EDE_DNSKEY_MISSING, arena_printf(e->arena, "DNSKEY RRset of %s: too many DS have the tags of keys and match none", words(z, rrset_name(dnskeys))));
		return refuse_keys(e, dnskeys, anchor, ret);
	}
	TRY(r);
	if (count == 0) {
		say_no_match(e, dnskeys, &v, ret);
		return refuse_keys(e, dnskeys, anchor, ret);
	}
	r = check_keys(e, dnskeys, &v, vouched, ret_good, ret);
	return r.e == ERR_REFUSED ? refuse_keys(e, dnskeys, anchor, ret) : r;
}
