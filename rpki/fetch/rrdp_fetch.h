/* rrdp_fetch.h: rrdp_sync.h driven by the HTTP client: one repository brought up to date on a loop, its files one after the other over one connection. */
#ifndef RPKI_FETCH_RRDP_FETCH_H
#define RPKI_FETCH_RRDP_FETCH_H

#include "net/http_client.h"
#include "rpki/fetch/rrdp_sync.h"

LOOP_HANDLE(rrdp_fetch)

struct rrdp_fetch_events {
	const struct loop_type *type BORROWED_FIELD;
	uint64_t who;
	/* Once. The report is good during the call. */
	void (*ended)(struct loop *l, void *object, rrdp_fetch_h f, const struct rrdp_report *report);
};

/*
 * Begins. o, the addresses of the host (see http_client.h) and store are copied, but for what the store's ctx is; client and that outlive the run. Events follow in later
 * turns, also where it fails at once. Each run has ended, or was stopped, before the client and the loop are freed. ERR_NOMEM.
 */
RESULT rrdp_fetch_begin(struct http_client *client, struct loop *l, const struct rrdp_options *o, const struct rrdp_store *store, const struct addr *addresses,
	size_t count, const struct rrdp_fetch_events *ev, rrdp_fetch_h *ret) __attribute__((nonnull(1, 2, 3, 4, 7, 8)));
/* Aborts. No event follows. A stale handle is fine. The object is gone at the end of the turn. */
void rrdp_fetch_stop(struct loop *l, rrdp_fetch_h f) NONNULL;

#endif
