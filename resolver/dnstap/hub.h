/*
 * hub.h: the queues of all workers, and the thread that sends what is in them to the collector: Frame Streams (libfstrm) over a Unix socket, TCP or TLS. The thread waits for a slow or
 * absent collector, nobody else does. Functions but those marked are for the main thread.
 */
#ifndef RESOLVER_DNSTAP_HUB_H
#define RESOLVER_DNSTAP_HUB_H

#include "base/own.h"

struct plan;
struct tap_hub;
struct tap_seat;

enum tap_count {
#define COUNTER(id, name, doc) TAPS_##id,
#include "resolver/dnstap/counters.def"
#undef COUNTER
	TAP_COUNTS
};

void tap_hub_close(struct tap_hub *h) TAKES(1); /* sends what is left, for half a second at most */
struct tap_hub *tap_hub_open(unsigned int workers) OWNED_BY(tap_hub_close);
DEFINE_AUTO(struct tap_hub, tap_hub_close)
/* Goes by this plan from now on: files of TLS are read now. Before the workers do. Threads are begun by tap_hub_start() at first, later at once. ERR_NOMEM, ERR_SYSTEM. */
RESULT tap_hub_set(struct tap_hub *h, const struct plan *p) NONNULL;
/* Privileges were dropped, and threads may run. */
RESULT tap_hub_start(struct tap_hub *h) NONNULL;

/* Worker i's; it looks there when it has got a new plan. Good until the hub is closed. */
const struct tap_seat *tap_hub_seat(const struct tap_hub *h, unsigned int i) BORROWED NONNULL;
/* Any thread. */
uint64_t tap_hub_count(const struct tap_hub *h, enum tap_count c) NONNULL;
const char *tap_count_name(enum tap_count c) BORROWED;
const char *tap_count_doc(enum tap_count c) BORROWED;
/* "libfstrm", or NULL where this program was built without it. */
const char *tap_hub_by(void) BORROWED;

#endif
