/*
 * rrcache.h: what was learnt from the network, for the iterator. One table shared by all workers; entries are immutable, found
 * without a lock, and good until the end of the turn (base/epoch). An entry is a *bundle* of RRsets under one key:
 *
 *   BUNDLE_DATA        key (name, type): that RRset with its signatures; also CNAME and DNAME at their own owner and type
 *   BUNDLE_DELEGATION  key (zone, 0): the parent's NS set, DS set or the proof that there is none, and the glue of this referral. The
 *                      child's own NS set is BUNDLE_DATA and never replaces or prolongs it (ghost domains); glue never answers a client
 *   BUNDLE_NODATA      key (name, type): SOA and proofs
 *   BUNDLE_NXDOMAIN    key (name, 0): SOA and proofs; covers everything below (RFC 8020)
 *   BUNDLE_FAILURE     key (name, type): no data; why resolution failed, for RFC 9520, with a back-off that doubles
 *
 * Bounded in octets, evicting by S3-FIFO (resolver/cache/slots.h); what is retired but not yet freed counts. A flush of a
 * subtree is remembered: entries that were in the making before it are gone.
 */
#ifndef RESOLVER_CACHE_RRCACHE_H
#define RESOLVER_CACHE_RRCACHE_H

#include "base/clock.h"
#include "dns/edns.h"
#include "dns/rrset.h"

struct rrcache;
struct epoch_member;
struct stats;
struct strbuf;

enum bundle_kind { BUNDLE_DATA, BUNDLE_DELEGATION, BUNDLE_NODATA, BUNDLE_NXDOMAIN, BUNDLE_FAILURE, BUNDLE_KINDS };

struct bundle_key {
	struct name name;
	uint16_t type; /* 0 for BUNDLE_DELEGATION and BUNDLE_NXDOMAIN */
	uint16_t rclass;
	uint8_t kind; /* enum bundle_kind */
};

/* What the cache keeps beside the RRsets. */
struct bundle_info {
	uint8_t rank;         /* lowest of its sets */
	uint8_t security;     /* lowest of its sets */
	uint16_t rcode;       /* FAILURE: what to answer */
	uint32_t stored_sec;  /* mono, seconds */
	uint32_t expires_sec; /* mono, seconds; the TTL left is expires_sec - now, 0 when past */
	uint32_t ttl;         /* as stored: expires_sec - stored_sec */
	uint32_t stale_from_sec; /* mono, seconds: keep_expired_sec counts from here: expires_sec, or a later rrcache_prolong() */
	uint16_t ede;         /* FAILURE: extended error, with its text */
	uint16_t failures;    /* FAILURE: in a row */
	bool by_route;        /* FAILURE: policy on routes left nobody to ask; its text is for clients */
	bool doubtful;        /* DELEGATION: unsigned, and it came over an invalid route */
};

struct bundle; /* immutable, shared */
const struct bundle_info *bundle_info(const struct bundle *b) BORROWED NONNULL;
size_t bundle_count(const struct bundle *b) NONNULL;
const struct rrset *bundle_set(const struct bundle *b, size_t i) BORROWED NONNULL;
/* The set of that owner and type, or NULL. */
const struct rrset *bundle_find(const struct bundle *b, struct name owner, uint16_t type) BORROWED NONNULL;
const char *bundle_text(const struct bundle *b) BORROWED NONNULL; /* FAILURE: why; otherwise its note, or "" */
struct bundle_key bundle_key(const struct bundle *b) NONNULL;

struct rrcache_limits {
	size_t octets;              /* rrset-cache-size */
	uint32_t min_ttl, max_ttl;  /* cache-min-ttl, cache-max-ttl */
	uint32_t max_negative_ttl, min_negative_ttl;
	uint32_t keep_expired_sec;  /* serve-expired-ttl: how long past its end, or the last rrcache_prolong(), an entry may be found with RRCACHE_STALE; 0: not */
	uint32_t max_bundle_octets; /* larger ones are not kept; 0: 65536 */
	uint32_t max_flushes;       /* subtree flushes remembered; beyond, the oldest is forgotten; 0: 4096 */
};

void rrcache_free(struct rrcache *c) TAKES(1);
struct rrcache *rrcache_new(const struct rrcache_limits *l, const struct hash_key *key) OWNED_BY(rrcache_free) NONNULL;
DEFINE_AUTO(struct rrcache, rrcache_free)
void rrcache_set_limits(struct rrcache *c, const struct rrcache_limits *l) NONNULL; /* reload; shrinks as it goes */

#define RRCACHE_STALE 1u /* also an expired entry, within keep_expired_sec */
/* NULL: nothing there. The caller's epoch member is online. */
const struct bundle *rrcache_get(struct rrcache *c, const struct bundle_key *k, const struct now *now, unsigned int flags) BORROWED NONNULL;
/* The deepest delegation at or above name (for a DS question: strictly above), down from at most `name`. NULL: not even the
 * root's. */
const struct bundle *rrcache_deepest_delegation(struct rrcache *c, struct name name, uint16_t rclass, const struct now *now) BORROWED NONNULL;
/* The NXDOMAIN at or above name that covers it, not above `top` (RFC 8020); NULL: none. */
const struct bundle *rrcache_covering_nxdomain(struct rrcache *c, struct name name, struct name top, uint16_t rclass, const struct now *now) BORROWED NONNULL;

/*
 * Stores copies of the sets. The TTL of DATA and DELEGATION is the least of the sets' and of ttl, unless that is 0; of negative
 * kinds it is ttl (RFC 2308 section 5, computed by the caller). It is bounded by the limits, which are taken as they are: a
 * max_ttl of 0 keeps nothing. The first set gets that TTL; what stands beside it may keep a longer one. The sets' rank and
 * security stay; the bundle's are the least of them.
 *
 * Replaces what is there unless that is unexpired and of higher rank, or of equal rank and secure while the new one is not
 * (ERR_EXISTS). Storing DATA removes a NODATA and a covering NXDOMAIN at the name, and the reverse, by the same rule, where a
 * negative answer has the rank of an answer: what it may not remove refuses it (ERR_EXISTS). DATA and NODATA also end a FAILURE
 * of their key. TTL 0 is not stored (ERR_RANGE), but ends what had expired, so that it is not served as stale. ERR_LIMIT:
 * larger than max_bundle_octets, or there is no room.
 */
RESULT rrcache_put(struct rrcache *c, struct epoch_member *m, const struct bundle_key *k, const struct rrset *const *sets, size_t n, uint32_t ttl,
    const struct now *now);
/* With a note that clients are told as an extended error (EDE_OTHER): bundle_text() gives it. NULL: none. */
RESULT rrcache_put_noted(struct rrcache *c, struct epoch_member *m, const struct bundle_key *k, const struct rrset *const *sets, size_t n, uint32_t ttl,
    const char *note, const struct now *now);
/* For what came over an invalid route: unless it is secure, it takes the place of nothing that is, not even of what has expired and may still be served as stale (ERR_EXISTS). */
RESULT rrcache_put_doubtful(struct rrcache *c, struct epoch_member *m, const struct bundle_key *k, const struct rrset *const *sets, size_t n, uint32_t ttl,
    const char *note, const struct now *now);
#define FAILURE_BY_ROUTE 0x8000u /* beside ede: policy on routes left nobody to ask, and text is for clients */
/* Notes one more failure: kept 5 s at first, doubling to 300 s (RFC 9520 section 3.2) while failures follow one another. */
RESULT rrcache_put_failure(struct rrcache *c, struct epoch_member *m, const struct bundle_key *k, uint16_t rcode, uint16_t ede, const char *text,
    uint32_t first_sec, uint32_t max_sec, const struct now *now);
/* The same entry with a verdict of the validator. ERR_NOTFOUND when it has changed meanwhile. */
RESULT rrcache_set_security(struct rrcache *c, struct epoch_member *m, const struct bundle *b, enum security s, uint32_t max_ttl, const struct now *now) NONNULL;

/* serve-expired-ttl-reset: an attempt to learn it anew failed, so its time as a stale entry begins again. Does nothing with one that has not expired; ERR_NOTFOUND when it has changed meanwhile. */
RESULT rrcache_prolong(struct rrcache *c, struct epoch_member *m, const struct bundle *b, const struct now *now) NONNULL;

/* Flushes. Each returns the number of entries that went at once; subtree flushes are also remembered with their time. */
size_t rrcache_flush_name(struct rrcache *c, struct epoch_member *m, struct name name, uint16_t type /* 0: all */) NONNULL;
size_t rrcache_flush_zone(struct rrcache *c, struct epoch_member *m, struct name zone) NONNULL;
enum rrcache_class { FLUSH_BOGUS, FLUSH_NEGATIVE, FLUSH_ALL };
size_t rrcache_flush_class(struct rrcache *c, struct epoch_member *m, enum rrcache_class what) NONNULL;

/* Visits entries slot by slot (dump, snapshot, statistics): returns the next cursor, 0 at the end; at most `slots` slots a
 * call. Entries that move meanwhile may be seen twice or not at all. */
typedef struct result rrcache_visit_fn(void *user, const struct bundle *b);
uint64_t rrcache_visit(struct rrcache *c, uint64_t cursor, size_t slots, rrcache_visit_fn *fn, void *user, struct result *ret);

/* A flush that came after the caller read rrcache_flush_count() and covers name? For stale copies that are kept elsewhere. */
uint64_t rrcache_flush_count(const struct rrcache *c) NONNULL;
bool rrcache_flushed_since(const struct rrcache *c, struct name name, uint64_t count) NONNULL;

/* What a snapshot brings back: the bundle as it was, age_sec after it was stored with that TTL; past its end it is stale.
 * What is there already is newer and stays (ERR_EXISTS). flush_count is that of when the reading began. ERR_RANGE: too old. */
RESULT rrcache_restore(struct rrcache *c, struct epoch_member *m, const struct bundle_key *k, const struct rrset *const *sets, size_t n, uint32_t ttl,
    uint64_t age_sec, uint64_t flush_count, const struct now *now);

/* octets counts entries, index, and what is retired but not yet free. In the answer cache hits and misses are 0: workers
 * count them. */
struct cache_usage {
	uint64_t entries, octets, limit_octets, evicted, hits, misses;
	uint64_t refused; /* entries that were too large, or came when too much was retired or memory ran out */
};
struct cache_usage rrcache_usage(const struct rrcache *c) NONNULL;

#endif
