/*
 * crl.h: certificate revocation lists (RFC 6487 section 5). Their number must be well-formed and is looked at no further (RFC 9829). The serial numbers
 * are kept sorted, so that a look-up in a list of tens of thousands costs little.
 */
#ifndef RPKI_OBJECT_CRL_H
#define RPKI_OBJECT_CRL_H

#include "rpki/object/key.h"
#include "rpki/object/rule.h"

struct cert;

struct crl {
	struct span whole;
	struct span tbs;
	struct span signature;
	struct span issuer;
	struct span aki;
	struct span number;    /* INTEGER's octets */
	int64_t this_update;
	int64_t next_update;
	const struct span *revoked ARENA_FIELD; /* serial numbers, sorted by length and octets */
	size_t revoked_count;
};

#define CRL_MAX_ENTRIES 1000000 /* the largest seen has 21,272 */

/* ERR_FORMAT: a rule is broken, and *ret is as far as it came; ERR_NOMEM. *ret points into the octets and the arena. */
RESULT crl_read(struct span whole, struct arena *a, struct report *rep, struct crl *ret) NONNULL;
/* Issuer, key identifier, times and signature. ERR_FORMAT: not good. */
RESULT crl_check(const struct crl *crl, const struct cert *issuer, const struct public_key *key, int64_t now, struct report *rep) NONNULL;
bool crl_has(const struct crl *crl, struct span serial) NONNULL;

#endif
