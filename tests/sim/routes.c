/*
 * routes.c: routes in the virtual Internet: everybody's are as they should be, but those to servers that somebody has taken. All of IPv4 and of 2000::/3 are announced by AS 64496, as the VRPs
 * have it; what is taken, address by address, by AS 64511.
 */
#include <stdlib.h>

#include "resolver/routes/board.h"
#include "tests/sim/run.h"

#define HONEST_AS 64496u
#define TAKING_AS 64511u

static void ok(struct result r)
{
	if (!OK(r))
		abort();
}

static void announce(struct announced_edit *e, const struct prefix *p, uint32_t origin)
{
	struct announced_route r = { .origin = origin, .path = origin };

	ok(announced_set(e, p, &r));
}

void routes_hang(struct run *r, const struct addr *taken, size_t n, bool vrps)
{
	static const char *const all[] = { "0.0.0.0/1", "128.0.0.0/1", "2000::/3" };
	AUTO(announced_unref) struct announced *empty = announced_new(), *a = NULL;
	AUTO(table_unref) struct payload_table *t = NULL;
	AUTO(route_sheet_unref) struct route_sheet *s = route_sheet_new();
	AUTO(announced_edit_free) struct announced_edit *e = empty != NULL ? announced_edit_new(empty) : NULL;
	AUTO(table_builder_free) struct table_builder *b = table_builder_new(NULL);

	if (s == NULL || e == NULL || b == NULL)
		abort();
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		struct prefix p;
		struct vrp v;

		ok(prefix_parse(all[i], &p));
		announce(e, &p, HONEST_AS);
		ok(vrp_make(&p, 0, HONEST_AS, &v));
		ok(table_builder_add_vrp(b, &v, SOURCE_NONE));
	}
	for (size_t i = 0; i < n; i++)
		announce(e, &(struct prefix){ .a = taken[i], .len = taken[i].family == ADDR_V4 ? 32 : 128 }, TAKING_AS);
	ok(announced_edit_publish(MOVE(e), 1, &a));
	ok(table_builder_finish(MOVE(b), 1, &t));
	ok(route_view_new(vrps ? t : NULL, a, ++r->routes, &s->view));
	route_board_put(r->shared->routes, MOVE(s));
}

#define MOST_TAKEN 200

void routes_hijack(struct run *r)
{
	struct addr taken[MOST_TAKEN];

	routes_hang(r, taken, world_hijacked(r->world, taken, MOST_TAKEN), true);
}
