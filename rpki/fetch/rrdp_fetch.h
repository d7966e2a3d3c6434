/* rrdp_fetch.h: rrdp_sync.h driven by a fetcher: one repository brought up to date on a loop, its files one after the other. */
#ifndef RPKI_FETCH_RRDP_FETCH_H
#define RPKI_FETCH_RRDP_FETCH_H

#include "rpki/fetch/fetcher.h"
#include "rpki/fetch/rrdp_sync.h"

LOOP_HANDLE(rrdp_fetch)

struct rrdp_fetch_events {
	const struct loop_type *type BORROWED_FIELD;
	uint64_t who;
	/* Once. The report is good during the call. */
	void (*ended)(struct loop *l, void *object, rrdp_fetch_h f, const struct rrdp_report *report);
};

/*
 * Begins. o and store are copied, but for what the store's ctx is; fetcher and that outlive the run. deadline_ms: for each file; 0: the fetcher's. Events follow in later
 * turns, also where it fails at once. Each run has ended, or was stopped, before the fetcher and the loop are freed. ERR_NOMEM.
 */
RESULT rrdp_fetch_begin(struct fetcher *fetcher, const struct rrdp_options *o, const struct rrdp_store *store, uint32_t deadline_ms, const struct rrdp_fetch_events *ev,
	rrdp_fetch_h *ret) NONNULL;
/* Aborts, in the store too. No event follows. A stale handle is fine. Not to be called by the store's functions. */
void rrdp_fetch_stop(struct loop *l, rrdp_fetch_h f) NONNULL;

#endif
