/*
 * keycache.h: what is known of zones as links of the chain of trust (validator/trust.h): keys that verify, validated DS RRsets, proven insecure cuts, names that are no
 * cuts. One for all workers; found without a lock, good until the end of the turn. Nothing bogus is in it: failures are the RRset cache's.
 */
#ifndef RESOLVER_CACHE_KEYCACHE_H
#define RESOLVER_CACHE_KEYCACHE_H

#include "base/clock.h"
#include "validator/trust.h"

struct keycache;
struct cache_usage;
struct epoch_member;
struct hash_key;

#define KEYCACHE_MIN_TTL 5 /* seconds: a chain is walked in several turns, and a TTL of 0 must not make it start again each time */

void keycache_free(struct keycache *c) TAKES(1);
struct keycache *keycache_new(size_t octets, const struct hash_key *key) OWNED_BY(keycache_free) NONNULL;
DEFINE_AUTO(struct keycache, keycache_free)
void keycache_set_limit(struct keycache *c, size_t octets) NONNULL;
/* NULL: nothing, or it has expired. */
const struct trust *keycache_get(struct keycache *c, struct name zone, const struct now *now) BORROWED NONNULL;
/* Takes the reference. Kept for its ttl (KEYCACHE_MIN_TTL at least, max_ttl at most) from now. TRUST_DS does not replace TRUST_KEYS that has the same life or a longer one. */
void keycache_put(struct keycache *c, struct epoch_member *m, struct trust *t, uint32_t max_ttl, const struct now *now) TAKES(3) NONNULL;
/* Everything at and below the name (the root: everything); how many. Remembered: what is put later but was learnt before may come back for its TTL. */
size_t keycache_flush(struct keycache *c, struct epoch_member *m, struct name zone) NONNULL;
/* Everything that says what is not: insecure, no cut, no name; how many. */
size_t keycache_flush_negative(struct keycache *c, struct epoch_member *m) NONNULL;
void keycache_usage(const struct keycache *c, struct cache_usage *ret) NONNULL;

#endif
