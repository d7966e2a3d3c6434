/*
 * stored.h: objects from the store. What an RRDP source has counts for CAs that name it, unless rsync has brought the URI's module later: it stands in where RRDP fails. For CAs without
 * RRDP, and where it has never brought anything, rsync counts alone. One never fills gaps of the other: a publication point is taken from one state of one repository.
 */
#ifndef RPKI_VALIDATE_STORED_H
#define RPKI_VALIDATE_STORED_H

#include "rpki/validate/objects.h"

struct store;
struct stored;

void stored_free(struct stored *s) TAKES(1);
/* The store outlives it. rrdp false: only what came by rsync counts. */
struct stored *stored_new(struct store *store, bool rrdp) OWNED_BY(stored_free) NONNULL;
DEFINE_AUTO(struct stored, stored_free)
const struct objects *stored_objects(const struct stored *s) BORROWED NONNULL; /* as long as it */
struct objects_keeper *stored_keeper(struct stored *s) BORROWED NONNULL;       /* likewise */
/* Writes what a run gave to the keeper and is not written yet: much is written before, a piece a transaction. Whether it worked or not, there is nothing to write afterwards. */
RESULT stored_write_kept(struct stored *s) NONNULL;
/*
 * After a run that has come to its end, and after stored_write_kept(): deletes what is remembered of publication points that it did not come by, and last good states
 * of such that have ended (all of them when they are more than those in use, by a margin). What their objects held in the store is for store_collect(). The next run is counted anew.
 */
RESULT stored_sweep(struct stored *s, int64_t now) NONNULL;

/* "rsync://HOST/MODULE/" of an rsync URI: what is fetched at once. n 0: it has none. */
struct span rsync_module(struct span uri);

#endif
