#include "resolver/core/explain_check.h"

#include <string.h>

#include "base/arena.h"
#include "validator/ds.h"
#include "validator/nsec3.h"

#define PROOF_SETS 64u

const char *explain_match_text(enum explain_match m)
{
	switch (m) {
	case MATCH_NO_KEY:
		return "no such key";
	case MATCH_DIFFERS:
		return "the key with this tag is another one";
	case MATCH_FAULTY:
		return "names a key that cannot be used";
	case MATCH_KEY:
		return "names a key";
	case MATCH_UNTRIED:
		break;
	}
	return "not compared";
}

/* --- signatures */

/* One set on the table. */
struct subject {
	const struct rrset *rs BORROWED_FIELD;
	const struct keyset *keys BORROWED_FIELD; /* or NULL */
	const bool *allowed BORROWED_FIELD;       /* or NULL: any */
	struct canonical data;
	bool have_data;
	unsigned int failures;
};

/* The point in time near now that 32 bits leave open (RFC 4034 section 3.1.5). */
static int64_t date_of(const struct explain_tools *t, uint32_t when)
{
	return (int64_t)t->time.now + (int32_t)(when - t->time.now);
}

static RESULT verify(struct explain_tools *t, struct subject *s, const struct rrsig *sig, const struct key *key)
{
	if (!s->have_data) {
		TRY(canonical_make(t->arena, s->rs, &s->data));
		s->have_data = true;
	}
	return rrsig_verify(sig, s->rs, &s->data, key, t->arena, &t->work);
}

/* All keys of its tag and algorithm: the best that comes of it. *ret_counts: a key did it that is allowed to. */
static RESULT try_keys(struct explain_tools *t, struct subject *s, const struct rrsig *sig, struct explain_sig *ret, bool *ret_counts)
{
	unsigned int same = 0;

	ret->verdict = SIG_NO_KEY;
	for (size_t i = 0; i < keyset_count(s->keys); i++) {
		const struct key *key = keyset_key(s->keys, i);
		struct result r;

		if (key_tag(key) != sig->tag || key_algorithm(key) != sig->algorithm)
			continue;
		if (key_fault(key) != KEY_GOOD) {
			if (ret->verdict < SIG_KEY_FAULT) {
				ret->verdict = SIG_KEY_FAULT;
				ret->fault = key_fault(key);
			}
			continue;
		}
		if (same++ >= t->policy->signatures.max_same_tag || s->failures >= t->policy->signatures.max_failures)
			break;
		r = verify(t, s, sig, key);
		if (OK(r)) {
			ret->verdict = SIG_GOOD;
			*ret_counts = s->allowed == NULL || s->allowed[i];
			if (*ret_counts)
				return DONE;
			continue;
		}
		if (r.e != ERR_REFUSED)
			return r;
		s->failures++;
		if (ret->verdict < SIG_BAD)
			ret->verdict = SIG_BAD;
	}
	return DONE;
}

static void count_dates(struct explain_tools *t, enum sig_verdict v)
{
	if (v == SIG_GOOD)
		t->dates_good++;
	else if (v == SIG_EXPIRED || v == SIG_NOT_YET)
		t->dates_bad++;
}

/* ret_counts: a good signature counts for the set. */
static RESULT check_one(struct explain_tools *t, struct subject *s, struct span rdata, struct explain_sig *ret, bool *ret_counts)
{
	struct rrsig sig;
	struct result r;

	*ret = (struct explain_sig){ .verdict = SIG_FORMAT, .tried = true };
	*ret_counts = false;
	if (!OK(rrsig_parse(rdata, &sig)))
		return DONE;
	*ret = (struct explain_sig){ .readable = true, .tag = sig.tag, .algorithm = sig.algorithm, .labels = sig.labels,
		.signer = name_dup_in(t->arena, sig.signer), .inception = date_of(t, sig.inception), .expiration = date_of(t, sig.expiration) };
	if (ret->signer.wire == NULL)
		return FAIL(ERR_NOMEM);
	ret->verdict = rrsig_check(&sig, s->rs, &t->time);
	count_dates(t, ret->verdict);
	ret->tried = true;
	if (ret->verdict == SIG_MISSING || ret->verdict == SIG_SIGNER || ret->verdict == SIG_LABELS)
		return DONE;
	if (s->keys != NULL && !name_equal(sig.signer, keyset_owner(s->keys)))
		ret->verdict = SIG_SIGNER;
	else if (!algorithm_usable(&t->policy->algorithms, sig.algorithm))
		ret->verdict = SIG_ALGORITHM;
	if (ret->verdict != SIG_GOOD)
		return DONE;
	ret->tried = s->keys != NULL;
	if (s->keys == NULL)
		return DONE;
	r = try_keys(t, s, &sig, ret, ret_counts);
	if (r.e != ERR_BUDGET)
		return r;
	t->out_of_work = true;
	ret->tried = false;
	ret->verdict = SIG_GOOD;
	return DONE;
}

static void note_best(struct explain_set *s, size_t i, bool counts)
{
	enum sig_verdict v = s->sigs[i].verdict;

	if (v == SIG_GOOD && !counts)
		v = SIG_NO_KEY; /* by none that may: or not tried */
	if (i == 0 || v > s->verdict) {
		s->verdict = v;
		s->best = i;
	}
}

RESULT explain_set_make(struct explain_tools *t, const struct rrset *rs, uint32_t ttl, const struct keyset *keys, const bool *allowed, struct explain_set *ret)
{
	struct subject s = { .keys = keys, .allowed = allowed };
	struct rrset *copy = rrset_copy_in(t->arena, rs);

	*ret = (struct explain_set){ .ttl = ttl, .tried = keys != NULL, .verdict = SIG_MISSING };
	ret->sigs = arena_alloc_array(t->arena, EXPLAIN_SIGS, sizeof *ret->sigs);
	if (copy == NULL || ret->sigs == NULL)
		return FAIL(ERR_NOMEM);
	s.rs = ret->rs = copy;
	copy->security = SECURITY_UNCHECKED;
	for (size_t i = 0; i < copy->sigs && i < EXPLAIN_SIGS && copy->count > 0; i++) {
		bool counts = false;

		TRY(check_one(t, &s, rrset_sig(copy, i), &ret->sigs[i], &counts));
		ret->sig_count++;
		note_best(ret, i, counts);
		if (!ret->sigs[i].tried)
			ret->tried = false;
	}
	if (ret->verdict == SIG_GOOD) {
		ret->tried = true;
		copy->security = SECURITY_SECURE;
	}
	return DONE;
}

/* --- links and keys */

static void read_ds(struct span rdata, struct explain_link *ret)
{
	struct ds d;

	if (!OK(ds_parse(rdata, &d)))
		return;
	ret->readable = true;
	ret->tag = d.tag;
	ret->algorithm = d.algorithm;
	ret->digest_type = d.digest_type;
}

static void read_anchor_key(const struct explain_tools *t, struct span rdata, struct explain_link *ret)
{
	struct dnskey k;

	if (!OK(dnskey_parse(rdata, &k)))
		return;
	ret->readable = true;
	ret->tag = dnskey_tag(rdata);
	ret->algorithm = k.algorithm;
	ret->usable = algorithm_usable(&t->policy->algorithms, k.algorithm);
}

/* The DS RRs of an anchor as a set; NULL in *ret: it has none. In the order of the anchor. */
static RESULT ds_of_anchor(struct explain_tools *t, struct name zone, const struct anchor_zone *anchor, const struct rrset **ret)
{
	size_t count = anchor_zone_count(anchor), n = 0;
	struct span *rdata = arena_alloc_array(t->arena, count + 1, sizeof *rdata);

	*ret = NULL;
	if (rdata == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t i = 0; i < count; i++) {
		if (anchor_zone_rr(anchor, i).type == RR_DS)
			rdata[n++] = anchor_zone_rr(anchor, i).rdata;
	}
	if (n == 0)
		return DONE;
	*ret = rrset_make_in(t->arena, zone, RR_DS, CLASS_IN, 0, rdata, n, 0);
	return *ret != NULL ? DONE : FAIL(ERR_NOMEM);
}

static bool same_ds(const struct rrset *ds, struct span rdata, const struct algorithm_policy *policy)
{
	for (size_t i = 0; i < ds->count; i++) {
		if (span_equal(rrset_rdata(ds, i), rdata))
			return ds_usable(ds, i, policy);
	}
	return false;
}

RESULT explain_links_make(struct explain_tools *t, const struct rrset *ds, const struct anchor_zone *anchor, struct explain_zone *z)
{
	size_t count = anchor != NULL ? anchor_zone_count(anchor) : ds != NULL ? ds->count : 0;
	const struct rrset *set = ds;

	z->links = arena_alloc_array(t->arena, count + 1, sizeof *z->links);
	if (z->links == NULL)
		return FAIL(ERR_NOMEM);
	if (anchor != NULL)
		TRY(ds_of_anchor(t, z->name, anchor, &set));
	for (size_t i = 0; i < count; i++) {
		struct anchor_rr rr = anchor != NULL ? anchor_zone_rr(anchor, i) : (struct anchor_rr){ RR_DS, rrset_rdata(ds, i) };
		struct explain_link *l = &z->links[z->link_count++];

		*l = (struct explain_link){ .type = rr.type };
		if (rr.type == RR_DNSKEY) {
			read_anchor_key(t, rr.rdata, l);
		} else {
			read_ds(rr.rdata, l);
			l->usable = set != NULL && same_ds(set, rr.rdata, &t->policy->algorithms);
		}
	}
	return DONE;
}

/* Is it that key? ERR_REFUSED: no. */
static RESULT compare(struct explain_tools *t, const struct rrset *dnskeys, size_t k, uint16_t type, struct span rdata)
{
	struct ds d;

	if (type == RR_DNSKEY)
		return span_equal(rdata, rrset_rdata(dnskeys, k)) ? DONE : FAIL(ERR_REFUSED);
	TRY(ds_parse(rdata, &d));
	return ds_matches(&d, rrset_name(dnskeys), rrset_rdata(dnskeys, k), &t->work);
}

/* The keys that one link names. */
static RESULT match_link(struct explain_tools *t, const struct rrset *dnskeys, struct span rdata, struct explain_zone *z, struct explain_link *l)
{
	unsigned int misses = 0;

	if (!l->readable || (l->type == RR_DS && digest_find(l->digest_type) == NULL))
		return DONE;
	l->match = MATCH_NO_KEY;
	for (size_t k = 0; k < z->key_count && misses <= DS_MAX_MISSES; k++) {
		struct explain_key *key = &z->keys[k];
		struct result r;

		if (key->tag != l->tag || key->algorithm != l->algorithm)
			continue;
		r = compare(t, dnskeys, k, l->type, rdata);
		if (r.e == ERR_BUDGET)
			t->out_of_work = true;
		else if (r.e == ERR_NOMEM)
			return r;
		if (!OK(r)) {
			misses++;
			if (key->fault == KEY_NOT_ZONE || key->fault == KEY_PROTOCOL)
				l->match = MATCH_FAULTY; /* no digest is worked out for such a key */
			else if (l->match == MATCH_NO_KEY)
				l->match = MATCH_DIFFERS;
			continue;
		}
		l->match = key->fault == KEY_GOOD ? MATCH_KEY : MATCH_FAULTY;
		key->named = key->named || l->usable;
	}
	return DONE;
}

static RESULT read_keys(struct explain_tools *t, const struct rrset *dnskeys, struct explain_zone *z)
{
	struct result r = keyset_make(dnskeys, &t->policy->algorithms, &t->policy->keys, &t->work, &z->keyset);

	if (r.e == ERR_NOMEM)
		return r;
	t->out_of_work = t->out_of_work || r.e == ERR_BUDGET;
	z->keys = arena_alloc_array(t->arena, dnskeys->count + 1u, sizeof *z->keys);
	if (z->keys == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t i = 0; i < dnskeys->count; i++) {
		struct explain_key *k = &z->keys[z->key_count++];
		struct dnskey d;

		*k = (struct explain_key){ .fault = KEY_FORMAT };
		if (!OK(dnskey_parse(rrset_rdata(dnskeys, i), &d)))
			continue;
		k->tag = dnskey_tag(rrset_rdata(dnskeys, i));
		k->flags = d.flags;
		k->algorithm = d.algorithm;
		k->fault = z->keyset != NULL ? key_fault(keyset_key(z->keyset, i)) : KEY_GOOD;
	}
	return DONE;
}

/* The validator tries so many and no more. */
static RESULT count_misses(struct explain_tools *t, const struct rrset *dnskeys, const struct rrset *ds, struct explain_zone *z)
{
	bool *unused = ds == NULL ? NULL : arena_alloc_array(t->arena, dnskeys->count + 1u, sizeof *unused);
	struct result r;
	size_t count;

	if (ds == NULL)
		return DONE;
	if (unused == NULL)
		return FAIL(ERR_NOMEM);
	r = ds_vouch(ds, dnskeys, &t->policy->algorithms, DS_MAX_MISSES, &t->work, unused, &count);
	z->too_many_misses = r.e == ERR_LIMIT;
	t->out_of_work = t->out_of_work || r.e == ERR_BUDGET;
	return r.e == ERR_NOMEM ? r : DONE;
}

RESULT explain_keys_make(struct explain_tools *t, const struct rrset *dnskeys, uint32_t ttl, const struct rrset *ds, const struct anchor_zone *anchor,
    struct explain_zone *z)
{
	bool *named = arena_alloc_array(t->arena, dnskeys->count + 1u, sizeof *named);

	if (named == NULL)
		return FAIL(ERR_NOMEM);
	TRY(read_keys(t, dnskeys, z));
	for (size_t i = 0; i < z->link_count; i++) {
		struct span rdata = anchor != NULL ? anchor_zone_rr(anchor, i).rdata : ds != NULL ? rrset_rdata(ds, i) : (struct span){ NULL, 0 };

		TRY(match_link(t, dnskeys, rdata, z, &z->links[i]));
	}
	TRY(count_misses(t, dnskeys, ds, z));
	for (size_t i = 0; i < z->key_count; i++)
		named[i] = z->keys[i].named;
	return explain_set_make(t, dnskeys, ttl, z->keyset, named, &z->dnskey);
}

/* --- proofs */

RESULT explain_proof_make(struct explain_tools *t, const struct rrset *const *sets, size_t n, uint32_t ttl, const struct keyset *keys, struct explain_proof *ret)
{
	*ret = (struct explain_proof){ 0 };
	ret->sets = arena_alloc_array(t->arena, n + 1, sizeof *ret->sets);
	if (ret->sets == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t i = 0; i < n && ret->n < PROOF_SETS; i++) {
		if (sets[i]->count > 0 && (sets[i]->type == RR_NSEC || sets[i]->type == RR_NSEC3 || sets[i]->type == RR_SOA))
			TRY(explain_set_make(t, sets[i], ttl, keys, NULL, &ret->sets[ret->n++]));
	}
	return DONE;
}

/* What the validator may believe. false: memory is short. */
static bool proof_of(struct explain_tools *t, const struct explain_proof *p, struct name zone, struct denial_proof *ret)
{
	const struct rrset **sets = arena_alloc_array(t->arena, p->n + 1, sizeof *sets);
	size_t n = 0;

	if (sets == NULL)
		return false;
	for (size_t i = 0; i < p->n; i++) {
		if (p->sets[i].verdict == SIG_GOOD)
			sets[n++] = p->sets[i].rs;
	}
	*ret = (struct denial_proof){ .zone = zone, .sets = sets, .n = n, .limits = t->policy->denials, .hasher = t->hasher, .work = &t->work, .arena = t->arena };
	return true;
}

static void note_verdict(struct explain_tools *t, struct explain_proof *p, const struct denial_verdict *v)
{
	t->out_of_work = t->out_of_work || v->what == DENIAL_TOO_MUCH_WORK;
	p->judged = v->what != DENIAL_TOO_MUCH_WORK && v->what != DENIAL_FAILED;
	p->what = v->what;
	p->compact = v->compact;
	p->text = v->text;
}

void explain_proof_judge(struct explain_tools *t, struct explain_proof *p, struct name zone, struct name name, uint16_t type)
{
	struct denial_verdict v;
	struct denial_proof d;

	if (!proof_of(t, p, zone, &d))
		return;
	v = denial_prove(&d, name, type);
	note_verdict(t, p, &v);
}

void explain_proof_judge_expansion(struct explain_tools *t, struct explain_proof *p, struct name zone, struct name name, unsigned int labels)
{
	struct denial_verdict v;
	struct denial_proof d;

	if (!proof_of(t, p, zone, &d))
		return;
	v = denial_prove_expansion(&d, name, labels);
	note_verdict(t, p, &v);
}
