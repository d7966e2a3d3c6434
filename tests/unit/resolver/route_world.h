/* route_world.h: a small table of routes and VRPs: 192.0.2.0/24 and 198.51.100.0/24 of AS 64496, both announced by it; when `taken`, the second one by AS 64511. */
#ifndef TESTS_UNIT_RESOLVER_ROUTE_WORLD_H
#define TESTS_UNIT_RESOLVER_ROUTE_WORLD_H

#include "resolver/routes/board.h"

struct addr route_world_addr(const char *text);
struct route_view *route_world_view(bool vrps, bool taken) OWNED_BY(route_view_unref);
void route_world_put(struct route_board *b, bool vrps, bool taken) NONNULL; /* hangs it up */

#endif
