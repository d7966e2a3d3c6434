/*
 * explain_keep.h: answers that the caches do not keep (their TTL is 0), kept for one explanation in a small cache of its own, where resolver/core/explain.h looks for what is not
 * in the others.
 */
#ifndef RESOLVER_CORE_EXPLAIN_KEEP_H
#define RESOLVER_CORE_EXPLAIN_KEEP_H

#include "resolver/cache/rrcache.h"
#include "resolver/core/answer.h"

struct rrcache *explain_keeper(const struct hash_key *key) OWNED_BY(rrcache_free) NONNULL;
/* The answer, each alias on its own, or that there is none. What cannot be kept is left out. */
void explain_keep(struct rrcache *c, struct epoch_member *m, const struct answer *a, const struct now *now) NONNULL;

#endif
