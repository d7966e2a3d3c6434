#include "validator/signature.h"

#include <stdlib.h>

#include "base/arena.h"
#include "dns/edns.h"
#include "dns/rdata.h"

#define RRSIG_FIXED 18 /* octets before the signer's name */

RESULT rrsig_parse(struct span rdata, struct rrsig *ret)
{
	struct reader r = reader_of(rdata);
	struct rrsig s;

	s.type = read16(&r);
	s.algorithm = read8(&r);
	s.labels = read8(&r);
	s.ttl = read32(&r);
	s.expiration = read32(&r);
	s.inception = read32(&r);
	s.tag = read16(&r);
	if (!reader_ok(&r))
		return FAIL(ERR_FORMAT);
	s.fixed = (struct span){ rdata.p, RRSIG_FIXED };
	TRY(name_from_wire((struct span){ rdata.p + RRSIG_FIXED, rdata.n - RRSIG_FIXED }, &s.signer));
	read_skip(&r, s.signer.len);
	s.signature = read_rest(&r);
	if (!reader_ok(&r)) /* an empty signature is one that does not verify */
		return FAIL(ERR_FORMAT);
	*ret = s;
	return DONE;
}

uint16_t sig_verdict_ede(enum sig_verdict v)
{
	switch (v) {
	case SIG_MISSING:
		return EDE_RRSIGS_MISSING;
	case SIG_ALGORITHM:
		return EDE_UNSUPPORTED_DNSKEY;
	case SIG_DATES:
		return EDE_SIG_BEFORE_INCEPTION;
	case SIG_EXPIRED:
		return EDE_SIG_EXPIRED;
	case SIG_NOT_YET:
		return EDE_SIG_NOT_YET;
	case SIG_NO_KEY:
	case SIG_KEY_FAULT: /* none that can be used */
		return EDE_DNSKEY_MISSING;
	case SIG_FORMAT:
	case SIG_SIGNER:
	case SIG_LABELS:
	case SIG_BAD:
	case SIG_GOOD:
		return EDE_BOGUS;
	}
	return EDE_BOGUS;
}

const char *sig_verdict_text(enum sig_verdict v)
{
	switch (v) {
	case SIG_MISSING:
		return "no signature covers it";
	case SIG_FORMAT:
		return "malformed signature";
	case SIG_SIGNER:
		return "signer is not the zone that holds it";
	case SIG_LABELS:
		return "impossible label count in signature";
	case SIG_ALGORITHM:
		return "signature of an unsupported algorithm";
	case SIG_DATES:
		return "signature expires before its inception";
	case SIG_EXPIRED:
		return "signature expired";
	case SIG_NOT_YET:
		return "signature not yet valid";
	case SIG_NO_KEY:
		return "no such key in the zone";
	case SIG_KEY_FAULT:
		return "the signature's key cannot be used";
	case SIG_BAD:
		return "signature does not verify";
	case SIG_GOOD:
		return "good";
	}
	return "unknown verdict";
}

/* --- checks without a key */

/* Serial number arithmetic: RFC 4034 section 3.1.5. */
static bool later(uint32_t a, uint32_t b)
{
	return a != b && a - b < UINT32_C(1) << 31;
}

static uint32_t skew_of(const struct rrsig *sig, const struct sig_time *t)
{
	uint32_t skew = (sig->expiration - sig->inception) / 10;

	return skew < t->skew_min ? t->skew_min : skew > t->skew_max ? t->skew_max : skew;
}

static enum sig_verdict check_dates(const struct rrsig *sig, const struct sig_time *t)
{
	uint32_t skew = skew_of(sig, t);

	if (t->ignore)
		return SIG_GOOD;
	if (later(sig->inception, sig->expiration))
		return SIG_DATES;
	if (later(sig->inception, t->now) && sig->inception - t->now > skew)
		return SIG_NOT_YET;
	if (later(t->now, sig->expiration) && t->now - sig->expiration > skew)
		return SIG_EXPIRED;
	return SIG_GOOD;
}

/* The zone that may sign: the owner's own for what stands at an apex, the parent's for DS, else any at or above the owner. */
static bool signer_fits(const struct rrsig *sig, const struct rrset *set)
{
	struct name owner = rrset_name(set);

	if (!name_is_under(owner, sig->signer))
		return false;
	switch (set->type) {
	case RR_DNSKEY:
	case RR_SOA:
	case RR_NSEC3PARAM:
		return sig->signer.labels == owner.labels;
	case RR_DS:
		return sig->signer.labels < owner.labels;
	default:
		return true;
	}
}

static unsigned int labels_of(struct name owner) /* RFC 4034 section 3.1.3 */
{
	return owner.labels - (name_is_wildcard(owner) ? 1u : 0u);
}

enum sig_verdict rrsig_check(const struct rrsig *sig, const struct rrset *set, const struct sig_time *time)
{
	if (sig->type != set->type)
		return SIG_MISSING;
	if (!signer_fits(sig, set))
		return SIG_SIGNER;
	if (sig->labels > labels_of(rrset_name(set)) || sig->labels < sig->signer.labels)
		return SIG_LABELS;
	return check_dates(sig, time);
}

bool rrsig_wildcard(const struct rrsig *sig, const struct rrset *set, struct name_buf *ret_source)
{
	struct name owner = rrset_name(set);
	struct name encloser;

	if (sig->labels >= labels_of(owner))
		return false;
	encloser = name_suffix(owner, sig->labels);
	ret_source->b[0] = 1;
	ret_source->b[1] = '*';
	memcpy(ret_source->b + 2, encloser.wire, encloser.len); /* the owner had at least one octet and its length more */
	ret_source->len = (uint8_t)(encloser.len + 2);
	ret_source->labels = (uint8_t)(encloser.labels + 1);
	return true;
}

uint32_t rrsig_ttl(const struct rrsig *sig, const struct rrset *set, const struct sig_time *time)
{
	uint32_t ttl = set->ttl < sig->ttl ? set->ttl : sig->ttl;
	uint32_t end = sig->expiration, left;

	if (time->ignore)
		return ttl;
	if (!later(end, time->now)) /* it lives on by the skew alone */
		end += skew_of(sig, time);
	left = later(end, time->now) ? end - time->now : 0;
	return ttl < left ? ttl : left;
}

/* --- canonical form and order */

static int by_octets(const void *a, const void *b)
{
	const struct span *x = a, *y = b;
	size_t n = x->n < y->n ? x->n : y->n;
	int order = n == 0 ? 0 : memcmp(x->p, y->p, n);

	return order != 0 ? order : (x->n > y->n) - (x->n < y->n);
}

RESULT canonical_make(struct arena *a, const struct rrset *set, struct canonical *ret)
{
	struct canonical c = { NULL, 0, 0 };
	size_t octets = 0, at = 0;
	uint8_t *room;

	for (size_t i = 0; i < set->count; i++)
		octets += rrset_rdata(set, i).n;
	c.rdata = arena_alloc_array(a, set->count + 1u, sizeof *c.rdata);
	room = arena_alloc(a, octets + 1);
	if (c.rdata == NULL || room == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t i = 0; i < set->count; i++) {
		struct span rdata = rrset_rdata(set, i);

		rdata_canonical(set->type, rdata, room + at);
		c.rdata[i] = (struct span){ room + at, rdata.n };
		at += rdata.n;
	}
	qsort(c.rdata, set->count, sizeof *c.rdata, by_octets);
	for (size_t i = 0; i < set->count; i++) /* RFC 4034 section 6.3: duplicates do not count */
		if (c.count == 0 || !span_equal(c.rdata[c.count - 1], c.rdata[i])) {
			c.rdata[c.count++] = c.rdata[i];
			c.octets += c.rdata[c.count - 1].n;
		}
	*ret = c;
	return DONE;
}

/* --- verification (RFC 4034 section 3.1.8.1) */

#define RR_HEAD (NAME_MAX_OCTETS + 8)

/* What stands before the rdata of each RR, but for its length: owner | type | class | original TTL. */
static size_t head_of(const struct rrsig *sig, const struct rrset *set, uint8_t room[RR_HEAD])
{
	struct writer w = writer_of(room, RR_HEAD);
	struct name_buf owner;

	if (!rrsig_wildcard(sig, set, &owner))
		name_copy(&owner, rrset_name(set));
	name_lower(&owner);
	write_octets(&w, owner.b, owner.len);
	write16(&w, set->type);
	write16(&w, set->rclass);
	write32(&w, sig->ttl);
	return w.pos;
}

/* All signed data as pieces: the RRSIG's head, its signer, then for each RR head, length and rdata. */
static struct span *signed_pieces(struct arena *a, const struct rrsig *sig, const struct rrset *set, const struct canonical *data, size_t *ret_count)
    IN_ARENA;
static struct span *signed_pieces(struct arena *a, const struct rrsig *sig, const struct rrset *set, const struct canonical *data, size_t *ret_count)
{
	struct span *pieces = arena_alloc_array(a, 2 + 3 * data->count, sizeof *pieces);
	uint8_t *lengths = arena_alloc(a, 2 * data->count + 1);
	struct name_buf *signer = arena_alloc(a, sizeof *signer);
	uint8_t *head = arena_alloc(a, RR_HEAD);
	size_t n = 0, head_len;

	if (pieces == NULL || lengths == NULL || signer == NULL || head == NULL)
		return NULL;
	head_len = head_of(sig, set, head);
	name_copy(signer, sig->signer);
	name_lower(signer);
	pieces[n++] = sig->fixed;
	pieces[n++] = (struct span){ signer->b, signer->len };
	for (size_t i = 0; i < data->count; i++) {
		store16(lengths + 2 * i, (uint16_t)data->rdata[i].n);
		pieces[n++] = (struct span){ head, head_len };
		pieces[n++] = (struct span){ lengths + 2 * i, 2 };
		pieces[n++] = data->rdata[i];
	}
	*ret_count = n;
	return pieces;
}

static size_t octets_of(const struct span *pieces, size_t count)
{
	size_t octets = 0;

	for (size_t i = 0; i < count; i++)
		octets += pieces[i].n;
	return octets;
}

static RESULT join(struct arena *a, const struct span *pieces, size_t count, struct span *ret)
{
	size_t octets = octets_of(pieces, count);
	uint8_t *room = arena_alloc(a, octets + 1);
	struct writer w;

	if (room == NULL)
		return FAIL(ERR_NOMEM);
	w = writer_of(room, octets);
	for (size_t i = 0; i < count; i++)
		write_span(&w, pieces[i]);
	*ret = writer_done(&w);
	return DONE;
}

RESULT rrsig_verify(const struct rrsig *sig, const struct rrset *set, const struct canonical *data, const struct key *key, struct arena *a,
    struct work *work)
{
	size_t count = 0;
	struct span *pieces = signed_pieces(a, sig, set, data, &count);
	struct span whole;

	if (pieces == NULL)
		return FAIL(ERR_NOMEM);
	if (!work_spend(work, key_cost(key) + WORK_HASHED_KIB * (uint32_t)(octets_of(pieces, count) / 1024)))
		return FAIL(ERR_BUDGET);
	if (!key_wants_one_piece(key))
		return key_verify(key, sig->signature, pieces, count);
	TRY(join(a, pieces, count, &whole));
	return key_verify(key, sig->signature, &whole, 1);
}

/* --- one RRset, its signatures and a zone's keys */

struct trial {
	const struct rrset *set BORROWED_FIELD;
	const struct keyset *keys BORROWED_FIELD;
	const bool *allowed BORROWED_FIELD;
	const struct sig_limits *limits BORROWED_FIELD;
	struct arena *arena BORROWED_FIELD;
	struct work *work BORROWED_FIELD;
	struct canonical data;
	bool have_data;
	struct sig_progress *at BORROWED_FIELD;
};

static RESULT try_key(struct trial *t, const struct rrsig *sig, const struct key *key)
{
	struct result r;

	if (!t->have_data) {
		TRY(canonical_make(t->arena, t->set, &t->data));
		t->have_data = true;
	}
	r = rrsig_verify(sig, t->set, &t->data, key, t->arena, t->work);
	t->at->report.tried += OK(r) || r.e == ERR_REFUSED;
	return r;
}

/* The keys that have the signature's tag and algorithm, one after the other. at->best: what came of it. */
static RESULT try_keys(struct trial *t, const struct rrsig *sig)
{
	struct sig_progress *at = t->at;

	for (; at->key < keyset_count(t->keys); at->key++) {
		const struct key *key = keyset_key(t->keys, at->key);
		struct result r;

		if (key_tag(key) != sig->tag || key_algorithm(key) != sig->algorithm || (t->allowed != NULL && !t->allowed[at->key]))
			continue;
		if (key_fault(key) != KEY_GOOD) {
			if (at->best < SIG_KEY_FAULT) {
				at->best = SIG_KEY_FAULT;
				at->fault = key_fault(key);
			}
			continue;
		}
		if (at->same >= t->limits->max_same_tag || at->failures >= t->limits->max_failures) {
			at->report.limited = true;
			break;
		}
		r = try_key(t, sig, key);
		if (OK(r)) {
			at->best = SIG_GOOD;
			at->same++;
			return DONE;
		}
		if (r.e != ERR_REFUSED)
			return r;
		at->same++;
		at->failures++;
		at->best = SIG_BAD;
	}
	return DONE;
}

static enum sig_verdict check_all(const struct trial *t, const struct rrsig *sig, const struct algorithm_policy *policy, const struct sig_time *time)
{
	enum sig_verdict v = rrsig_check(sig, t->set, time);

	if (v == SIG_MISSING || v == SIG_SIGNER || v == SIG_LABELS)
		return v;
	if (!name_equal(sig->signer, keyset_owner(t->keys)))
		return SIG_SIGNER;
	return algorithm_usable(policy, sig->algorithm) ? v : SIG_ALGORITHM;
}

static void note(struct trial *t, size_t index, const struct rrsig *sig, enum sig_verdict v, enum key_fault fault)
{
	struct sig_report *r = &t->at->report;

	if (v <= r->verdict)
		return;
	r->verdict = v;
	r->ede = v == SIG_KEY_FAULT && fault == KEY_NOT_ZONE ? (uint16_t)EDE_NO_ZONE_KEY : sig_verdict_ede(v);
	r->index = (uint16_t)index;
	r->tag = sig->tag;
	r->algorithm = sig->algorithm;
	r->labels = sig->labels;
	r->fault = fault;
}

static RESULT try_signatures(struct trial *t, const struct algorithm_policy *policy, const struct sig_time *time)
{
	struct sig_progress *at = t->at;

	for (; at->sig < t->set->sigs && at->report.verdict != SIG_GOOD; at->sig++) {
		struct rrsig sig = { 0 };
		enum sig_verdict v = SIG_FORMAT;

		if (OK(rrsig_parse(rrset_sig(t->set, at->sig), &sig)))
			v = check_all(t, &sig, policy, time);
		if (v == SIG_GOOD) {
			if (at->verified >= t->limits->max_signatures || (at->failures >= t->limits->max_failures && at->same == 0)) {
				at->report.limited = true;
				break;
			}
			TRY(try_keys(t, &sig));
			v = at->best;
			at->verified += at->same > 0;
		}
		note(t, at->sig, &sig, v, at->fault);
		if (v == SIG_GOOD) {
			struct name_buf source;

			at->report.wildcard = rrsig_wildcard(&sig, t->set, &source);
			at->report.ttl = rrsig_ttl(&sig, t->set, time);
		}
		at->key = 0;
		at->same = 0;
		at->best = SIG_NO_KEY;
		at->fault = KEY_GOOD;
	}
	return DONE;
}

RESULT rrset_verify_on(const struct rrset *set, const struct keyset *keys, const bool *allowed, const struct algorithm_policy *policy,
    const struct sig_time *time, const struct sig_limits *limits, struct arena *a, struct work *work, struct sig_progress *p, struct sig_report *ret)
{
	struct trial t = { .set = set, .keys = keys, .allowed = allowed, .limits = limits, .arena = a, .work = work, .at = p };

	if (!p->begun)
		*p = (struct sig_progress){ .begun = true, .best = SIG_NO_KEY, .report = { .verdict = SIG_MISSING, .ede = EDE_RRSIGS_MISSING } };
	if (set->count != 0) /* stray signatures sign nothing */
		TRY(try_signatures(&t, policy, time));
	*ret = p->report;
	return DONE;
}

RESULT rrset_verify(const struct rrset *set, const struct keyset *keys, const bool *allowed, const struct algorithm_policy *policy,
    const struct sig_time *time, const struct sig_limits *limits, struct arena *a, struct work *work, struct sig_report *ret)
{
	struct sig_progress p = { .begun = false };

	return rrset_verify_on(set, keys, allowed, policy, time, limits, a, work, &p, ret);
}

RESULT rrset_verify_revocation(const struct rrset *set, const struct keyset *keys, size_t i, const struct sig_time *time, struct arena *a,
    struct work *work, bool *ret_revoked)
{
	struct canonical data;
	unsigned int failures = 0;

	if (set->type != RR_DNSKEY || set->count == 0 || i >= keyset_count(keys) || key_fault(keyset_key(keys, i)) != KEY_REVOKED) {
		*ret_revoked = false;
		return DONE;
	}
	TRY(canonical_make(a, set, &data));
	for (size_t s = 0; s < set->sigs && failures < SIG_MAX_FAILURES; s++) {
		const struct key *key = keyset_key(keys, i);
		struct rrsig sig;
		struct result r;

		if (!OK(rrsig_parse(rrset_sig(set, s), &sig)) || rrsig_check(&sig, set, time) != SIG_GOOD || sig.tag != key_tag(key) ||
		    sig.algorithm != key_algorithm(key) || !name_equal(sig.signer, keyset_owner(keys)))
			continue;
		r = rrsig_verify(&sig, set, &data, key, a, work);
		if (OK(r)) {
			*ret_revoked = true;
			return DONE;
		}
		if (r.e != ERR_REFUSED)
			return r;
		failures++;
	}
	*ret_revoked = false;
	return DONE;
}
