/* script_routes.c: prefixes, origins and VRPs such that the route to each server has the state that route_of() says, in words of its own; the resolver finds it by the longest prefix. */
#include "tests/fuzz/script_routes.h"

#include <stdio.h>
#include <stdlib.h>

#include "resolver/routes/board.h"
#include "tests/sim/world_inside.h"

#define ORIGIN 64500u
#define OTHER 64501u

enum route { VALID, CONTESTED, WRONG_ORIGIN, TOO_LONG, NOT_FOUND, NOWHERE };

enum policy { NOTHING, OFF, LOG, PREFER, NOT_INVALID, ONLY_VALID, POLICIES };

static enum policy policy_of(uint8_t how)
{
	return (enum policy)((how & 7) % POLICIES);
}

static bool has_vrps(uint8_t how)
{
	return (how & 8) == 0;
}

/* Roots can be asked always: without them nothing is. */
static enum route route_of(uint8_t how, const struct model_server *v, const struct addr *a)
{
	static const enum route of[8] = { VALID, WRONG_ORIGIN, VALID, NOT_FOUND, TOO_LONG, CONTESTED, NOWHERE, VALID };

	return v->root ? VALID : of[(a->b[2] + a->b[3] + (how >> 4) + (a->family == ADDR_V6)) % 8];
}

bool script_routes_policy(struct run *r, uint8_t how)
{
	static const char *const words[POLICIES] = { NULL, "off", "log", "prefer", "require-not-invalid", "require-valid" };
	size_t n = strlen(r->conf);
	const char *word = words[policy_of(how)];

	if (word != NULL && n + 100 < sizeof r->conf)
		(void)snprintf(r->conf + n, sizeof r->conf - n, "route-validation:\n policy: %s\nserver:\n", word);
	return policy_of(how) >= NOT_INVALID;
}

static struct prefix prefix_around(const struct addr *a, uint8_t len)
{
	struct prefix p = { *a, len };

	for (unsigned int i = len / 8u; i < 16; i++)
		p.a.b[i] = 0;
	return p;
}

static void announce(struct announced_edit *e, const struct prefix *p, uint32_t origin)
{
	struct announced_route r = { .origin = origin, .source = 1, .path = origin };

	if (!OK(announced_set(e, p, &r)))
		abort();
}

/* Each server has a /24 or /32 to itself. */
static void add_route(struct announced_edit *e, struct table_builder *b, const struct addr *a, enum route route)
{
	uint8_t len = a->family == ADDR_V4 ? 24 : 32;
	struct prefix net = prefix_around(a, len), host = prefix_around(a, a->family == ADDR_V4 ? 32 : 48);
	struct vrp v;

	if (route == NOWHERE)
		return;
	announce(e, route == TOO_LONG ? &host : &net, ORIGIN);
	if (route == CONTESTED)
		announce(e, &net, OTHER);
	if (route == NOT_FOUND)
		return;
	if (!OK(vrp_make(&net, 0, route == WRONG_ORIGIN ? OTHER : ORIGIN, &v)) || !OK(table_builder_add_vrp(b, &v, SOURCE_NONE)))
		abort();
}

void script_routes_start(struct run *r, uint8_t how)
{
	AUTO(announced_unref) struct announced *empty = announced_new(), *routes = NULL;
	AUTO(table_unref) struct payload_table *t = NULL;
	struct announced_edit *e = empty != NULL ? announced_edit_new(empty) : NULL;
	struct table_builder *b = table_builder_new(NULL);
	struct route_sheet *s = route_sheet_new();

	if (e == NULL || b == NULL || s == NULL)
		abort();
	for (const struct model_server *v = r->world->servers; v != NULL; v = v->next) {
		add_route(e, b, &v->v4, route_of(how, v, &v->v4));
		add_route(e, b, &v->v6, route_of(how, v, &v->v6));
	}
	if (!OK(announced_edit_publish(MOVE(e), 1, &routes)) || !OK(table_builder_finish(MOVE(b), 1, &t)) || !OK(route_view_new(has_vrps(how) ? t : NULL, routes, 1, &s->view)))
		abort();
	s->has_sources = true;
	if (policy_of(how) == NOTHING)
		route_sheet_unref(s);
	else
		route_board_put(r->shared->routes, s);
}

bool script_routes_forbid(uint8_t how, const struct model_server *v, const struct addr *at)
{
	enum route route = route_of(how, v, at);

	if (!has_vrps(how))
		return false;
	if (policy_of(how) == NOT_INVALID)
		return route == WRONG_ORIGIN || route == TOO_LONG;
	return policy_of(how) == ONLY_VALID && route != VALID && route != CONTESTED;
}
