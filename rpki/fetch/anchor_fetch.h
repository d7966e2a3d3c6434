/*
 * anchor_fetch.h: the certificate of one trust anchor (RFC 8630): the URIs of its locator are tried in turn, and the first certificate that has the locator's key and is valid now
 * is put into the store, under its URI. What is no such certificate leaves the store as it was.
 */
#ifndef RPKI_FETCH_ANCHOR_FETCH_H
#define RPKI_FETCH_ANCHOR_FETCH_H

#include "rpki/fetch/fetcher.h"

struct store;
LOOP_HANDLE(anchor_fetch)

struct anchor_fetch_options {
	struct span locator;                /* its text; copied */
	const char *dir BORROWED_FIELD;     /* where the fetcher's folders are; copied */
	struct store *store BORROWED_FIELD; /* outlives the run */
	bool https, rsync;                  /* which may be used. A locator without a URI of such a kind is used with the others */
	uint32_t object_octets;
	uint32_t deadline_ms;               /* of each transfer; 0: the fetcher's */
	int64_t now;
};

struct anchor_report {
	bool good;
	const char *uri BORROWED_FIELD; /* the one that was good; otherwise the last that was tried, or "" */
	const char *why BORROWED_FIELD; /* a line for each that was not */
};

struct anchor_fetch_events {
	const struct loop_type *type BORROWED_FIELD;
	uint64_t who;
	void (*ended)(struct loop *l, void *object, anchor_fetch_h f, const struct anchor_report *report); /* once; the report is good during the call */
};

/* ERR_NOMEM; ERR_FORMAT: no locator. Then nothing was begun. */
RESULT anchor_fetch_begin(struct fetcher *fetcher, const struct anchor_fetch_options *o, const struct anchor_fetch_events *ev, anchor_fetch_h *ret) NONNULL;
void anchor_fetch_stop(struct loop *l, anchor_fetch_h f) NONNULL; /* no event follows. A stale handle is fine */

#endif
