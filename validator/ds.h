/*
 * ds.h: DS RRs (RFC 4034 section 5), the parent's statement on which keys may sign the child's DNSKEY RRset. Trust anchors given as DS are the same.
 */
#ifndef VALIDATOR_DS_H
#define VALIDATOR_DS_H

#include "validator/key.h"

struct ds {
	uint16_t tag;
	uint8_t algorithm;
	uint8_t digest_type;
	struct span digest;
};
RESULT ds_parse(struct span rdata, struct ds *ret) NONNULL; /* ERR_FORMAT: too short, or the digest not of its type's length */

/* Whether the i-th DS of the set may be followed: algorithm and digest usable, well-formed, and not a SHA-1 digest in a set that has a usable
 * SHA-2 one (RFC 4509 section 3). */
bool ds_usable(const struct rrset *set, size_t i, const struct algorithm_policy *policy) __attribute__((nonnull(1)));
/* Whether any may. No: the zone below is insecure (RFC 4035 section 5.2, RFC 6840 section 5.2). *ret_ede: which extended error says why
 * (EDE_UNSUPPORTED_DS, EDE_UNSUPPORTED_DNSKEY); untouched when one may. */
bool ds_any_usable(const struct rrset *set, const struct algorithm_policy *policy, uint16_t *ret_ede) __attribute__((nonnull(1, 3)));
/* Whether it is the digest of this DNSKEY under this owner name (RFC 4034 section 5.1.4). DONE: it is; ERR_REFUSED: it is not, and nothing was
 * spent unless tag and algorithm agree; ERR_BUDGET, ERR_NOMEM. */
RESULT ds_matches(const struct ds *ds, struct name owner, struct span dnskey, struct work *work) NONNULL;

#define DS_MAX_MISSES 8 /* digests that may be computed in vain for one DNSKEY RRset */

/* Marks in vouched (one flag for each RR of dnskeys, cleared at first) the keys that a usable DS names. *ret_count: how many. ERR_LIMIT: more than
 * max_misses digests matched nothing; ERR_BUDGET, ERR_NOMEM. What revoked keys are worth is the caller's to say (a struct key's fault). */
RESULT ds_vouch(const struct rrset *set, const struct rrset *dnskeys, const struct algorithm_policy *policy, unsigned int max_misses, struct work *work,
    bool *vouched, size_t *ret_count) __attribute__((nonnull(1, 2, 5, 6, 7)));

#endif
