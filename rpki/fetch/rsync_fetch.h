/*
 * rsync_fetch.h: one module of an rsync server brought up to date in the store: a fetcher brings it into a folder, and what is there becomes the source's map, all at once. The
 * folder stays, so that the next run only asks for what has changed; what it has is read and hashed each time, and the store is written only where something is different.
 */
#ifndef RPKI_FETCH_RSYNC_FETCH_H
#define RPKI_FETCH_RSYNC_FETCH_H

#include "rpki/fetch/fetcher.h"
#include "rpki/fetch/rsync_tree.h"

struct store;
LOOP_HANDLE(rsync_fetch)

struct rsync_fetch_options {
	const char *uri BORROWED_FIELD;   /* of the module, with its last slash */
	const char *dir BORROWED_FIELD;   /* where the fetcher's folders are */
	struct store *store BORROWED_FIELD; /* outlives the run */
	const struct rsync_tree_limits *limits BORROWED_FIELD; /* copied */
	uint32_t deadline_ms;               /* 0: the fetcher's */
	uint32_t connect_ms;                /* likewise */
	int64_t now;                        /* wall time of the commit */
};

struct rsync_report {
	bool good, changed;             /* changed: there was something to commit */
	enum err store;                 /* as in rrdp_sync.h */
	struct rsync_tree_counts counts;
	const char *why BORROWED_FIELD; /* one line; "" when good */
};

struct rsync_fetch_events {
	const struct loop_type *type BORROWED_FIELD;
	uint64_t who;
	void (*ended)(struct loop *l, void *object, rsync_fetch_h f, const struct rsync_report *report); /* once; the report is good during the call */
};

/* The texts of o are copied. ERR_NOMEM, or what fetcher_rsync says: nothing was begun. */
RESULT rsync_fetch_begin(struct fetcher *fetcher, const struct rsync_fetch_options *o, const struct rsync_fetch_events *ev, rsync_fetch_h *ret) NONNULL;
void rsync_fetch_stop(struct loop *l, rsync_fetch_h f) NONNULL; /* no event follows. A stale handle is fine */

/* The folder that a URI has. */
void rsync_fetch_folder(const char *uri, uint8_t ret_folder[FETCH_FOLDER]) NONNULL;

#endif
