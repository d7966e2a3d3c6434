/* rrdp_keep.h: what rrdp_sync.h writes to, over the store: each run is one update of the repository's source. */
#ifndef RPKI_FETCH_RRDP_KEEP_H
#define RPKI_FETCH_RRDP_KEEP_H

#include "rpki/fetch/rrdp_sync.h"

struct arena;
struct store;
struct rrdp_keep;

void rrdp_keep_free(struct rrdp_keep *k) TAKES(1); /* aborts what is under way */
/* For the repository with this notification URI. now: wall time, seconds, that commits carry. The store outlives it. */
struct rrdp_keep *rrdp_keep_new(struct store *s, const char *notify, int64_t now) OWNED_BY(rrdp_keep_free) NONNULL;
DEFINE_AUTO(struct rrdp_keep, rrdp_keep_free)
struct rrdp_store rrdp_keep_store(struct rrdp_keep *k) NONNULL; /* as long as k */
/* The state that the last run left, copied into the arena; empty when there is none. */
RESULT rrdp_keep_state(struct rrdp_keep *k, struct arena *a, struct span *ret) NONNULL;

#endif
