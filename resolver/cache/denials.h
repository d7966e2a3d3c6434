/*
 * denials.h: aggressive use of validated denials (RFC 8198): NSEC and NSEC3 RRsets that were found secure, by zone and in canonical order, so that a name in a known gap needs no
 * question. One for all workers, in shards by zone with one short lock each; bounded in octets; the zone that was not used for the longest time goes first.
 *
 * Not used: NSEC3 with opt-out for "no such name" and for DS, anything that is not SECURITY_SECURE, a zone's NSEC3 chain with other parameters than its newest one.
 */
#ifndef RESOLVER_CACHE_DENIALS_H
#define RESOLVER_CACHE_DENIALS_H

#include "base/clock.h"
#include "dns/rrset.h"

struct denials;
struct arena;
struct cache_usage;
struct hash_key;
struct nsec3_hasher;

void denials_free(struct denials *d) TAKES(1);
struct denials *denials_new(size_t octets, const struct hash_key *key) OWNED_BY(denials_free) NONNULL;
DEFINE_AUTO(struct denials, denials_free)
void denials_set_limit(struct denials *d, size_t octets) NONNULL; /* 0: nothing is kept */

/* An NSEC or NSEC3 RRset that zone's keys verified, kept for its TTL; and the zone's SOA RRset with its signature, which negative answers carry. Copies. Others are passed over. */
void denials_put_for(struct denials *d, struct name zone, const struct rrset *rs, uint32_t most, const struct now *now) NONNULL; /* for at most so many seconds, whatever its TTL */
void denials_put(struct denials *d, struct name zone, const struct rrset *rs, const struct now *now) NONNULL;

/* Is that very set, with the same signatures, kept? Then it need not be verified again; *ret_left: for how many seconds. */
bool denials_has(struct denials *d, struct name zone, const struct rrset *rs, const struct now *now, uint32_t *ret_left) NONNULL;

enum denied {
	DENIED_NOTHING,  /* ask */
	DENIED_NXDOMAIN, /* the name does not exist, and no wildcard covers it */
	DENIED_NODATA,   /* the name, or the wildcard for it, exists without the type */
	DENIED_WILDCARD, /* only the wildcard `wildcard` can answer, if there is one: the sets prove that nothing is closer. It is not known not to exist */
};
struct denied_answer {
	enum denied what;
	struct name wildcard;                  /* in the arena */
	const struct rrset **sets ARENA_FIELD; /* copies: SOA first unless DENIED_WILDCARD, then the proofs; each with TTL as it is left */
	size_t n;
	bool guess;                            /* DENIED_WILDCARD: that nothing closer than the wildcard exists is proven only if the wildcard itself does */
	bool no_soa;                           /* DS alone: the zone's SOA is not at hand. Good for the chain of trust, but not to be told */
	uint32_t ttl;                          /* seconds: the least left of the sets, and for denials by RFC 2308 section 5 (RFC 9077) */
};
/* The deepest zone with denials at or above name (for DS: above) is asked. At most max_hashes hashes are computed for one question. ret->what is DENIED_NOTHING too when
 * memory is short. floor: zones above that name do not count (a delegation is known there that the denials of a zone above cannot speak about). */
void denials_find(struct denials *d, struct name name, uint16_t type, struct name floor, struct nsec3_hasher *h, unsigned int max_hashes, struct arena *a,
    const struct now *now, struct denied_answer *ret) NONNULL;

size_t denials_flush(struct denials *d, struct name zone) NONNULL; /* everything of zones at and below that name, and what stands at or below it in zones above; how many */
void denials_usage(const struct denials *d, struct cache_usage *ret) NONNULL;

#endif
