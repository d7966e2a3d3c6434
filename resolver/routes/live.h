/*
 * live.h: the announced routes as they are now, and as they will be when the changes under way are made known. A state is immutable (rpki/routes/announced.h); changes of many
 * turns are gathered in one edit, which is published when the one before is 200 ms old, and so never later than that. What a change costs is its path.
 */
#ifndef RESOLVER_ROUTES_LIVE_H
#define RESOLVER_ROUTES_LIVE_H

#include "base/loop.h"
#include "rpki/routes/announced.h"

struct route_live;

#define ROUTE_LIVE_MS 200u /* between two publications */

/* route_live_now() is another one than before; from a timer or at the end of a turn. */
typedef void route_live_fn(void *owner);

void route_live_free(struct route_live *l) TAKES(1);
struct route_live *route_live_new(struct loop *l, route_live_fn *changed, void *owner) OWNED_BY(route_live_free) NONNULL;
DEFINE_AUTO(struct route_live, route_live_free)

const struct announced *route_live_now(const struct route_live *l) BORROWED NONNULL; /* good until the next state */
/* To be changed within this turn; then it is published in time. NULL: out of memory. */
struct announced_edit *route_live_edit(struct route_live *l) BORROWED NONNULL;
/* What is under way becomes the state at once; nobody is told. ERR_NOMEM: it stays under way. */
RESULT route_live_settle(struct route_live *l) NONNULL;
/* The state that a itself was made of is settled: a takes its place. Nobody is told. */
void route_live_replace(struct route_live *l, struct announced *a) TAKES(2) NONNULL;
uint32_t route_live_source(struct route_live *l) NONNULL; /* a number for another source, never used before */

#endif
