#include "resolver/core/explain_keep.h"

#include "resolver/core/alias.h"

#define KEEP_OCTETS (4u << 20)
#define KEEP_SEC 300u   /* longer than an explanation takes */
#define KEEP_PROOFS 64u /* sets of the authority section */

struct rrcache *explain_keeper(const struct hash_key *key)
{
	static const struct rrcache_limits limits = { .octets = KEEP_OCTETS, .min_ttl = KEEP_SEC, .max_ttl = KEEP_SEC, .min_negative_ttl = KEEP_SEC,
		.max_negative_ttl = KEEP_SEC };

	return rrcache_new(&limits, key);
}

/* What stands in authority: SOA and proofs, behind the set that it is about, if any. */
static size_t gather(const struct answer *a, const struct rrset *first, const struct rrset *sets[KEEP_PROOFS + 1])
{
	size_t n = 0;

	if (first != NULL)
		sets[n++] = first;
	for (size_t i = 0; i < a->authority_count && n < KEEP_PROOFS; i++) {
		const struct rrset *rs = a->sets[a->answer_count + i].rs;

		if (rs->count > 0 && (rs->type == RR_SOA || rs->type == RR_NSEC || rs->type == RR_NSEC3))
			sets[n++] = rs;
	}
	return n;
}

static void put(struct rrcache *c, struct epoch_member *m, const struct bundle_key *k, const struct answer *a, const struct rrset *first, const struct now *now)
{
	const struct rrset *sets[KEEP_PROOFS + 1];
	size_t n = gather(a, first, sets);

	(void)OK(rrcache_put(c, m, k, sets, n, KEEP_SEC, now)); /* then it stays unknown */
}

/* Where the aliases from name on lead to; false: to data of that type. */
static bool ends_without(const struct answer *a, struct name *name)
{
	for (size_t i = 0; i < a->answer_count; i++) {
		const struct rrset *rs = a->sets[i].rs;
		struct name target;

		if (!name_equal(rrset_name(rs), *name))
			continue;
		if (rs->type == a->q.type)
			return false;
		if (rs->type == RR_CNAME && alias_target(rs, &target))
			*name = target;
	}
	return true;
}

void explain_keep(struct rrcache *c, struct epoch_member *m, const struct answer *a, const struct now *now)
{
	struct bundle_key k = { .rclass = CLASS_IN };

	if (a->rcode != RCODE_NOERROR && a->rcode != RCODE_NXDOMAIN && a->rcode != RCODE_YXDOMAIN)
		return;
	for (size_t i = 0; i < a->answer_count; i++) {
		const struct rrset *rs = a->sets[i].rs;

		k = (struct bundle_key){ rrset_name(rs), rs->type, CLASS_IN, BUNDLE_DATA };
		if (rs->count > 0)
			put(c, m, &k, a, rs, now);
	}
	k = (struct bundle_key){ a->q.name, a->rcode == RCODE_NXDOMAIN ? 0 : a->q.type, CLASS_IN, a->rcode == RCODE_NXDOMAIN ? BUNDLE_NXDOMAIN : BUNDLE_NODATA };
	if (a->rcode != RCODE_YXDOMAIN && ends_without(a, &k.name))
		put(c, m, &k, a, NULL, now);
}
