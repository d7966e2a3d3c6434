/*
 * keeper.h: keeps the board (board.h) up to date, on a thread and loop of its own, for a large table takes longer to read than any client should wait: VRPs from RTR servers
 * (caches.h), announced routes from files, read again when they change. What a failed reading found is thrown away, and what was there before stays.
 */
#ifndef RESOLVER_ROUTES_KEEPER_H
#define RESOLVER_ROUTES_KEEPER_H

#include "base/own.h"

struct plan;
struct route_board;
struct route_keeper;

void route_keeper_close(struct route_keeper *k) TAKES(1); /* joins the thread */
/* The board outlives it. No thread runs before the first plan that has a use for one. */
struct route_keeper *route_keeper_open(struct route_board *b) OWNED_BY(route_keeper_close) NONNULL;
DEFINE_AUTO(struct route_keeper, route_keeper_close)
/* Goes by this plan's route-validation: from now on. ERR_NOMEM, ERR_SYSTEM: by the one before. */
RESULT route_keeper_set(struct route_keeper *k, const struct plan *p) NONNULL;

#endif
