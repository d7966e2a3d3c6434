/*
 * rrdp_sync.h: one repository brought up to date by RRDP (RFC 8182 section 3.4, RFC 9674, RFC 9697). A machine without I/O: it says which file it wants, is given
 * what the network has, and writes to a store. Whoever drives it fetches one file after the other:
 *
 *	while ((q = rrdp_sync_request(s)) != NULL) {
 *		...fetch q->uri; at the head of the answer rrdp_sync_answer(), with each piece of the body rrdp_sync_data(), which both may say that
 *		the transfer is to be given up; at its end, good or bad, rrdp_sync_end()
 *	}
 *
 *   notification --- not modified, or nothing new ----------------------------------> unchanged
 *        |  |
 *        |  `- next serials are there, nothing changed after the fact -> deltas ----> deltas
 *        |                                                                 | one fails
 *        `---- new session, gap, changed delta, too many, nothing known    v
 *                                                        `----------> snapshot -----> snapshot
 *   Anything that fails in the notification or the snapshot ends in `failed`, and the store stays as it was.
 *
 * Snapshots and deltas are looked into only after their hash has been found right. All changes of a run are one update of the store: they count together or not at all.
 */
#ifndef RPKI_FETCH_RRDP_SYNC_H
#define RPKI_FETCH_RRDP_SYNC_H

#include "rpki/fetch/rrdp_state.h"

/* Where the objects go; rpki/store keeps them. After an error of any but abort, abort follows. */
struct rrdp_store {
	void *ctx BORROWED_FIELD;
	/* All that the repository has, anew (whole), or changes to it. */
	struct result (*begin)(void *ctx, bool whole);
	/* ERR_EXISTS, ERR_NOTFOUND, ERR_REFUSED: what is there is not what `replaces` says (NULL: nothing is to be there). */
	struct result (*publish)(void *ctx, struct span uri, const uint8_t *replaces, struct span octets);
	struct result (*withdraw)(void *ctx, struct span uri, const uint8_t hash[RRDP_HASH]);
	struct result (*commit)(void *ctx, struct span state); /* makes it visible, with the state */
	struct result (*touch)(void *ctx, struct span state);  /* nothing has changed but the state */
	void (*abort)(void *ctx);                              /* of what was begun */
};

struct rrdp_options {
	const char *uri BORROWED_FIELD;   /* of the notification */
	const char *spool BORROWED_FIELD; /* folder for large files; NULL: in memory */
	struct span state;                /* as it was committed or touched last; empty: nothing is known */
	const struct rrdp_limits *limits BORROWED_FIELD;
	uint32_t connect_ms;              /* for who fetches: as in fetcher.h */
};

enum rrdp_outcome { RRDP_UNDER_WAY, RRDP_UNCHANGED, RRDP_BY_DELTAS, RRDP_BY_SNAPSHOT, RRDP_FAILED };

struct rrdp_request {
	enum rrdp_file kind;
	const char *uri BORROWED_FIELD;                              /* until the request has ended */
	const char *etag BORROWED_FIELD, *modified BORROWED_FIELD; /* for If-None-Match and If-Modified-Since; "": none */
	uint64_t max_octets;                                        /* of the body, expanded */
};

struct rrdp_report {
	enum rrdp_outcome outcome;
	uint64_t serial;              /* now; 0: nothing is known */
	uint32_t deltas;              /* that were applied */
	uint64_t octets;              /* of all files, expanded */
	struct rrdp_counts counts;    /* of what was committed */
	enum err store;               /* what the store said last when it failed: ERR_FORMAT: it is damaged; ERR_NONE: it did not */
	const char *session BORROWED_FIELD; /* now; "": none */
	int32_t notification_status, file_status; /* HTTP's, of the notification and of the last other file; 0: not asked for, -1: no answer */
	const char *why BORROWED_FIELD; /* lines: why deltas could not be used, why it failed; "": nothing to tell */
};

struct rrdp_sync;

void rrdp_sync_free(struct rrdp_sync *s) TAKES(1); /* aborts what is under way */
/* o and store: copied, but not the limits and what the store's ctx is. NULL: out of memory. A URI that is no https: URI fails at once. */
struct rrdp_sync *rrdp_sync_new(const struct rrdp_options *o, const struct rrdp_store *store) OWNED_BY(rrdp_sync_free) NONNULL;
DEFINE_AUTO(struct rrdp_sync, rrdp_sync_free)

const struct rrdp_request *rrdp_sync_request(const struct rrdp_sync *s) BORROWED NONNULL; /* NULL: it has ended */
/* The head of the answer: its status, and its tags ("": none). An error: the body is not wanted. rrdp_sync_end() still follows. */
RESULT rrdp_sync_answer(struct rrdp_sync *s, unsigned int status, const char *etag, const char *modified) NONNULL;
RESULT rrdp_sync_data(struct rrdp_sync *s, struct span octets) NONNULL;
/* The transfer has ended; e other than ERR_NONE with text: it failed. */
void rrdp_sync_end(struct rrdp_sync *s, enum err e, const char *text) NONNULL;
struct rrdp_report rrdp_sync_report(const struct rrdp_sync *s) NONNULL;

#endif
