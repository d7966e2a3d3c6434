#include "resolver/anchors_probe.h"

#include "base/arena.h"
#include "base/mem.h"

struct sig_time anchors_time(const struct val_policy *v, int64_t wall)
{
	return (struct sig_time){ .now = v->fixed_date ? v->date : (uint32_t)(uint64_t)wall, .skew_min = v->skew_min, .skew_max = v->skew_max,
		.ignore = v->ignore_dates };
}

struct probe {
	const struct autotrust *t BORROWED_FIELD;
	const struct val_policy *v BORROWED_FIELD;
	const struct rrset *set BORROWED_FIELD;
	struct keyset *keys OWNED_FIELD;
	struct arena *arena OWNED_FIELD;
	struct work work;
	struct sig_time time;
	bool *anchor ARENA_FIELD;     /* of each key: it is one */
	struct ta_seen *seen ARENA_FIELD;
	struct ta_probe found;
	struct sig_report report;
};

static void probe_done(struct probe *p)
{
	keyset_free(MOVE(p->keys));
	arena_free(MOVE(p->arena));
}

static bool same_but_revoked(struct span a, struct span b)
{
	return a.n == b.n && a.n > 4 && a.p[0] == b.p[0] && ((a.p[1] ^ b.p[1]) & ~DNSKEY_REVOKE) == 0 && memcmp(a.p + 2, b.p + 2, a.n - 2) == 0;
}

/* Whether the entry is this key: itself, whether or not it is revoked by now, or by its digest. */
static RESULT entry_is_key(struct probe *p, const struct ta_key *k, struct span key, bool *ret_is)
{
	struct span entry = span_of(k->rdata, k->n);
	struct result r;
	struct ds ds;

	*ret_is = false;
	if (k->type == RR_DNSKEY) {
		*ret_is = same_but_revoked(entry, key);
		return DONE;
	}
	if (!OK(ds_parse(entry, &ds)) || !digest_usable(&p->v->algorithms, ds.digest_type))
		return DONE;
	r = ds_matches(&ds, rrset_name(p->set), key, &p->work);
	if (r.e == ERR_REFUSED)
		return DONE;
	TRY(r);
	*ret_is = true;
	return DONE;
}

/* One key of the set: what the entries say of it, and what it says of itself. */
static RESULT look_at_key(struct probe *p, size_t i)
{
	struct span rdata = rrset_rdata(p->set, i);
	struct ta_seen *s = &p->seen[i];
	struct dnskey key;
	bool ours = false;

	s->rdata = rdata;
	if (!OK(dnskey_parse(rdata, &key)))
		return DONE;
	for (size_t k = 0; k < p->t->count; k++) {
		const struct ta_key *entry = &p->t->keys[k];
		bool is;

		TRY(entry_is_key(p, entry, rdata, &is));
		if (!is)
			continue;
		ours = true;
		s->by_ds = s->by_ds || entry->type == RR_DS;
		p->anchor[i] = p->anchor[i] || (ta_is_anchor(entry) && (key.flags & DNSKEY_REVOKE) == 0);
	}
	if (ours && (key.flags & DNSKEY_REVOKE) != 0)
		TRY(rrset_verify_revocation(p->set, p->keys, i, &p->time, p->arena, &p->work, &s->self_signed));
	return DONE;
}

static uint32_t life_left(const struct probe *p)
{
	struct rrsig sig;
	uint32_t left;

	if (!OK(rrsig_parse(rrset_sig(p->set, p->report.index), &sig)))
		return 0;
	left = sig.expiration - p->time.now;
	return p->time.ignore ? INT32_MAX : (int32_t)left > 0 ? left : 0;
}

static RESULT look(struct probe *p)
{
	struct rrsig sig;
	size_t usable = 0;

	p->arena = arena_new(0);
	if (p->arena == NULL)
		return FAIL(ERR_NOMEM);
	TRY(keyset_make(p->set, &p->v->algorithms, &p->v->keys, &p->work, &p->keys));
	p->anchor = arena_alloc_array(p->arena, p->set->count + 1u, sizeof *p->anchor);
	p->seen = arena_alloc_array(p->arena, p->set->count + 1u, sizeof *p->seen);
	if (p->anchor == NULL || p->seen == NULL)
		return FAIL(ERR_NOMEM);
	memset(p->anchor, 0, (p->set->count + 1u) * sizeof *p->anchor);
	memset(p->seen, 0, (p->set->count + 1u) * sizeof *p->seen);
	for (size_t i = 0; i < p->set->count; i++)
		TRY(look_at_key(p, i));
	TRY(rrset_verify(p->set, p->keys, p->anchor, &p->v->algorithms, &p->time, &p->v->signatures, p->arena, &p->work, &p->report));
	/* keys of algorithms that are not followed are no news: nothing that they sign could be followed */
	for (size_t i = 0; i < p->set->count; i++) {
		if (algorithm_usable(&p->v->algorithms, key_algorithm(keyset_key(p->keys, i))))
			p->seen[usable++] = p->seen[i];
	}
	p->found = (struct ta_probe){ .keys = p->seen, .count = usable, .validated = p->report.verdict == SIG_GOOD, .original_ttl = p->set->ttl };
	if (p->found.validated) {
		if (OK(rrsig_parse(rrset_sig(p->set, p->report.index), &sig)))
			p->found.original_ttl = sig.ttl;
		p->found.sig_left = life_left(p);
	}
	return DONE;
}

RESULT anchors_probe(struct autotrust *t, const struct ta_policy *p, const struct val_policy *v, const struct rrset *dnskeys, int64_t wall, bool *ret_changed,
    enum sig_verdict *ret_verdict)
{
	__attribute__((cleanup(probe_done))) struct probe look_at = { .t = t, .v = v, .set = dnskeys, .work = { PROBE_WORK }, .time = anchors_time(v, wall) };
	struct result r;

	*ret_changed = false;
	*ret_verdict = SIG_MISSING;
	if (dnskeys == NULL) {
		autotrust_failed(t, wall);
		return DONE;
	}
	r = look(&look_at);
	if (!OK(r)) {
		autotrust_failed(t, wall);
		return r;
	}
	*ret_verdict = look_at.report.verdict;
	return autotrust_probe(t, p, &look_at.found, wall, ret_changed);
}
