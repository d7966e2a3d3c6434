/*
 * chain_keys.c: which DNSKEY RRset a DS RRset or an anchor makes good (RFC 4035 section 5.2, RFC 6840 sections 5.11 and 6, RFC 5011 section 2.1).
 */
#include "validator/chain_inside.h"

#include "base/arena.h"
#include "dns/edns.h"

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

	chain_words(z, rrset_name(dnskeys));
	if (!first_voucher(e, v, &tag, &algorithm)) {
		step_bogus(ret, ede, arena_printf(e->arena, "DNSKEY RRset of %s: no key matches a %s", z, what));
		return;
	}
	for (size_t i = 0; i < dnskeys->count; i++)
		if (OK(dnskey_parse(rrset_rdata(dnskeys, i), &k)) && (k.flags & DNSKEY_ZONE) == 0 && k.algorithm == algorithm &&
		    dnskey_tag(rrset_rdata(dnskeys, i)) == tag)
			ede = EDE_NO_ZONE_KEY;
	step_bogus(ret, ede, arena_printf(e->arena, "DNSKEY RRset of %s: no %skey matches the %s with tag %u (algorithm %u)", z,
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
		if (ret->verdict <= SIG_NO_KEY) { /* of that algorithm there is nothing at all */
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
	step_known(ret, trust_new(TRUST_INSECURE, rrset_name(dnskeys), dnskeys->ttl, NULL, NULL, 0,
	    arena_printf(e->arena, "the keys of %s do not validate, which harden-dnssec-stripped allows", chain_words(z, rrset_name(dnskeys)))));
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
		step_bogus(ret, EDE_BOGUS, arena_printf(e->arena, "DNSKEY RRset of %s: %u keys are more than are looked at", chain_words(z, zone), dnskeys->count));
		return FAIL(ERR_REFUSED);
	}
	TRY(r);
	TRY(verify_vouched(e, dnskeys, keys, vouched, &report));
	if (report.verdict == SIG_GOOD && e->policy->all_algorithms)
		TRY(verify_all_algorithms(e, dnskeys, keys, v, vouched, &report));
	if (report.verdict != SIG_GOOD) {
		step_bogus(ret, report.ede, chain_signature_text(e, dnskeys, zone, &report));
		return FAIL(ERR_REFUSED);
	}
	TRY(keyset_complete(keys, dnskeys, &e->policy->algorithms, &e->policy->keys, e->work));
	ttl = v->anchor == NULL && v->ds != NULL && v->ds->ttl < report.ttl ? v->ds->ttl : report.ttl;
	step_known(ret, trust_new(TRUST_KEYS, zone, ttl, MOVE(keys), v->anchor == NULL ? v->ds : NULL, 0, NULL));
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
		step_known(ret, trust_new(TRUST_INSECURE, rrset_name(dnskeys), dnskeys->ttl, NULL, NULL, ede,
		    arena_printf(e->arena, "%s has no algorithm and digest that is validated", chain_words(z, rrset_name(dnskeys)))));
		return ret->what == CHAIN_KNOWN ? DONE : FAIL(ERR_NOMEM);
	}
	r = vouch(e, dnskeys, &v, vouched, &count);
	if (r.e == ERR_LIMIT) {
		step_bogus(ret, EDE_DNSKEY_MISSING, arena_printf(e->arena, "DNSKEY RRset of %s: too many DS have the tags of keys and match none", chain_words(z, rrset_name(dnskeys))));
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
