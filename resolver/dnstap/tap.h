/*
 * tap.h: one worker's tap: it says whether a message is wanted, and puts it into the worker's queue (ring.h), from which a thread of its own sends (hub.h). It never waits: what finds no
 * room is left out and counted. Where nothing is wanted there is no tap, and those who would tell look at one pointer.
 */
#ifndef RESOLVER_DNSTAP_TAP_H
#define RESOLVER_DNSTAP_TAP_H

#include <stdatomic.h>

#include "base/clock.h"
#include "resolver/core/route.h"
#include "resolver/dnstap/event.h"

struct stats;
struct tap_ring;
struct tap_settings;

/* How a worker wakes the thread that sends. */
struct tap_bell {
	int fd;              /* an eventfd */
	_Atomic bool asleep; /* it sleeps until the bell rings */
};
void tap_bell_ring(struct tap_bell *b) NONNULL; /* any thread */

/* What the hub (hub.h) has for one worker; it may change between two plans. */
struct tap_seat {
	struct tap_ring *ring OWNED_FIELD; /* the hub's, until it is closed; NULL: nothing was ever wanted */
	struct tap_bell *bell PARENT_FIELD;
};

struct tap {
	const struct tap_settings *settings SHARED_FIELD;
	struct tap_ring *ring PARENT_FIELD;
	struct tap_bell *bell PARENT_FIELD;
	struct stats *stats PARENT_FIELD;
	struct route_board *routes PARENT_FIELD; /* NULL: nothing is known of routes */
	struct route_seat seat;
	uint32_t passed; /* messages left out since the last one, by dnstap-sample-rate */
};

/* Shall a message of this type be told now? To be asked once for each. */
bool tap_wants(struct tap *t, enum tap_type type) NONNULL;
/* Into the queue, with who we are. */
void tap_tell(struct tap *t, struct tap_event *e) NONNULL;
void tap_done(struct tap *t) NONNULL;

struct tap_time tap_time_of(const struct now *now) NONNULL;
/* When mono_ns was, not later than now. */
struct tap_time tap_time_at(const struct now *now, uint64_t mono_ns) NONNULL;

#define TAP_EXTRA_MAX 256u
/* What is known of the route to a server: {"route":"valid","origin":64496,"prefix":"192.0.2.0/24"}, as far as it is; empty where nothing is known of routes. */
struct span tap_extra_server(struct tap *t, const struct addr *server, char room[TAP_EXTRA_MAX]) NONNULL;

/* Where a reply came from. */
enum tap_how { TAP_HOW_CODE, TAP_HOW_CACHE, TAP_HOW_RESOLVED, TAP_HOW_LOCAL };
/* {"from":"cache","dnssec":"secure","route":"valid"}: route: 1 + enum verdict_state, the worst of the servers that were asked, or 0; security: enum security. */
struct span tap_extra_reply(enum tap_how how, uint8_t security, uint8_t route, char room[TAP_EXTRA_MAX]) NONNULL;

#endif
