/*
 * bmp_listener.h: routers tell of their routes by BMP (rpki/routes/bmp.h; RFC 7854): they connect, and each peer of theirs is a source of announced routes (live.h). Whoever may
 * not is closed at once. A peer that goes down takes its routes with it. What a session told when it ends stays for the hold time, so that a router that comes back does not
 * make the routes unknown; of one router address there is at most one such remainder.
 */
#ifndef RESOLVER_ROUTES_BMP_LISTENER_H
#define RESOLVER_ROUTES_BMP_LISTENER_H

#include "net/host.h"
#include "resolver/routes/counts.h"
#include "resolver/routes/live.h"
#include "rpki/routes/bmp.h"

struct bmp_listener;
struct route_sheet;

struct bmp_listener_options {
	const struct prefix *allowed BORROWED_FIELD; /* copied; who may connect; none: this machine */
	size_t allowed_count;
	struct bmp_limits limits;  /* of a session */
	uint32_t max_sessions;
	uint64_t max_routes;       /* of a session */
	uint64_t hold_ms, stall_ms; /* stall_ms: within which a message that has begun ends, and the first one comes */
};

void bmp_listener_free(struct bmp_listener *b) TAKES(1); /* the routes that came by it stay with `live` */
/* host, live and counts outlive it. */
struct bmp_listener *bmp_listener_new(struct host *h, struct route_live *live, struct route_counts *counts, const struct bmp_listener_options *o) OWNED_BY(bmp_listener_free)
    NONNULL;
DEFINE_AUTO(struct bmp_listener, bmp_listener_free)
/* Listens there, too; where that fails, said once, it is tried again every few seconds. ERR_NOMEM. */
RESULT bmp_listener_add(struct bmp_listener *b, const struct endpoint *at) NONNULL;
/* Sessions end, and all of their routes go. ERR_NOMEM: it can be tried again. */
RESULT bmp_listener_forget(struct bmp_listener *b) NONNULL;
/* Its peers as sources, and how many there are. ERR_NOMEM. */
RESULT bmp_listener_describe(const struct bmp_listener *b, struct route_sheet *s) NONNULL;

#endif
