#include "validator/ds.h"

#include "dns/edns.h"

RESULT ds_parse(struct span rdata, struct ds *ret)
{
	struct reader r = reader_of(rdata);
	const struct digest_kind *kind;
	struct ds d;

	d.tag = read16(&r);
	d.algorithm = read8(&r);
	d.digest_type = read8(&r);
	d.digest = read_rest(&r);
	kind = digest_find(d.digest_type);
	if (!reader_ok(&r) || d.digest.n == 0 || (kind != NULL && d.digest.n != kind->octets))
		return FAIL(ERR_FORMAT);
	*ret = d;
	return DONE;
}

static bool usable_alone(const struct rrset *set, size_t i, const struct algorithm_policy *policy, struct ds *ret)
{
	return OK(ds_parse(rrset_rdata(set, i), ret)) && algorithm_usable(policy, ret->algorithm) && digest_usable(policy, ret->digest_type);
}

/* Whether the set has a usable DS with a SHA-2 digest. */
static bool has_strong(const struct rrset *set, const struct algorithm_policy *policy)
{
	struct ds d;

	for (size_t i = 0; i < set->count; i++)
		if (usable_alone(set, i, policy, &d) && d.digest_type != DIGEST_SHA1)
			return true;
	return false;
}

static bool may_follow(const struct rrset *set, size_t i, const struct algorithm_policy *policy, bool strong, struct ds *ret)
{
	return usable_alone(set, i, policy, ret) && (ret->digest_type != DIGEST_SHA1 || !strong);
}

bool ds_usable(const struct rrset *set, size_t i, const struct algorithm_policy *policy)
{
	struct ds d;

	return may_follow(set, i, policy, has_strong(set, policy), &d);
}

bool ds_any_usable(const struct rrset *set, const struct algorithm_policy *policy, uint16_t *ret_ede)
{
	uint16_t ede = EDE_UNSUPPORTED_DNSKEY;
	struct ds d;

	for (size_t i = 0; i < set->count; i++) {
		if (usable_alone(set, i, policy, &d))
			return true;
		if (OK(ds_parse(rrset_rdata(set, i), &d)) && algorithm_usable(policy, d.algorithm))
			ede = EDE_UNSUPPORTED_DS; /* it was for the digest's sake */
	}
	*ret_ede = ede;
	return false;
}

/* RFC 4034 section 5.1.4 */
static bool is_digest_of(const struct ds *ds, const struct digest_kind *kind, struct name owner, struct span dnskey)
{
	uint8_t digest[HASH_MAX_OCTETS];
	struct name_buf lower;
	struct span pieces[2];

	name_copy(&lower, owner);
	name_lower(&lower);
	pieces[0] = (struct span){ lower.b, lower.len };
	pieces[1] = dnskey;
	return span_equal(ds->digest, (struct span){ digest, hash_pieces(kind->hash, pieces, 2, digest) });
}

RESULT ds_matches(const struct ds *ds, struct name owner, struct span dnskey, struct work *work)
{
	const struct digest_kind *kind = digest_find(ds->digest_type);
	struct dnskey k;

	if (kind == NULL || kind->octets != ds->digest.n || !OK(dnskey_parse(dnskey, &k)) || k.algorithm != ds->algorithm || dnskey_tag(dnskey) != ds->tag ||
	    (k.flags & DNSKEY_ZONE) == 0 || k.protocol != 3)
		return FAIL(ERR_REFUSED);
	if (!work_spend(work, WORK_DIGEST + WORK_HASHED_KIB * (uint32_t)(dnskey.n / 1024)))
		return FAIL(ERR_BUDGET);
	return is_digest_of(ds, kind, owner, dnskey) ? DONE : FAIL(ERR_REFUSED);
}

/* One DS against all keys. *misses: digests that still may be computed in vain. */
static RESULT vouch_one(const struct ds *ds, const struct rrset *dnskeys, struct work *work, unsigned int *misses, bool *vouched)
{
	for (size_t k = 0; k < dnskeys->count; k++) {
		uint32_t before = work->left;
		struct result r = ds_matches(ds, rrset_name(dnskeys), rrset_rdata(dnskeys, k), work);

		if (OK(r))
			vouched[k] = true;
		else if (r.e != ERR_REFUSED)
			return r;
		else if (work->left != before && (*misses)-- == 0)
			return FAIL(ERR_LIMIT);
	}
	return DONE;
}

RESULT ds_vouch(const struct rrset *set, const struct rrset *dnskeys, const struct algorithm_policy *policy, unsigned int max_misses, struct work *work,
    bool *vouched, size_t *ret_count)
{
	bool strong = has_strong(set, policy);
	size_t count = 0;
	struct ds d;

	memset(vouched, 0, dnskeys->count * sizeof *vouched);
	for (size_t i = 0; i < set->count; i++)
		if (may_follow(set, i, policy, strong, &d))
			TRY(vouch_one(&d, dnskeys, work, &max_misses, vouched));
	for (size_t k = 0; k < dnskeys->count; k++)
		count += vouched[k];
	*ret_count = count;
	return DONE;
}
