/* route_world.h: for tests: small tables of routes and VRPs. */
#ifndef TESTS_UNIT_RESOLVER_ROUTE_WORLD_H
#define TESTS_UNIT_RESOLVER_ROUTE_WORLD_H

#include "resolver/routes/board.h"

struct route_world_row {
	const char *prefix BORROWED_FIELD;
	uint32_t origin, vrp; /* who announces it, and who may; 0: nobody */
};

struct addr route_world_addr(const char *text);
/* vrps: false: there are none, not even an empty table. */
struct route_view *route_world_of(const struct route_world_row *rows, size_t n, bool vrps, uint64_t generation) OWNED_BY(route_view_unref) NONNULL;
/* 192.0.2.0/24 and 198.51.100.0/24 of AS 64496, both announced by it; when `taken`, the second one by AS 64511. Each is newer than the one before. */
struct route_view *route_world_view(bool vrps, bool taken) OWNED_BY(route_view_unref);
void route_world_put(struct route_board *b, bool vrps, bool taken) NONNULL; /* hangs it up */

#endif
