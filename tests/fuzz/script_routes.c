/* script_routes.c: prefixes, origins and VRPs such that the route to each server has the state that route_of() says, in words of its own; the resolver finds it by the longest prefix. */
#include "tests/fuzz/script_routes.h"

#include <stdio.h>
#include <stdlib.h>

#include "resolver/routes/board.h"
#include "resolver/serve/filter_board.h"
#include "tests/sim/world_inside.h"

#define ORIGIN 64500u
#define OTHER 64501u

enum route { VALID, CONTESTED, WRONG_ORIGIN, TOO_LONG, NOT_FOUND, NOWHERE };

enum policy { NOTHING, OFF, LOG, PREFER, NOT_INVALID, ONLY_VALID, POLICIES };

/* Policies of routes are fewer than the bits have room for: the last two are for rules of the filter, which see the routes, and block in earnest or not. */
static bool has_rules(uint8_t how)
{
	return (how & 7) >= POLICIES;
}

static bool blocks(uint8_t how)
{
	return (how & 7) == POLICIES + 1;
}

static enum policy policy_of(uint8_t how)
{
	return has_rules(how) ? LOG : (enum policy)(how & 7);
}

static bool has_vrps(uint8_t how)
{
	return (how & 8) == 0;
}

/* Roots can be asked always: without them nothing is. Of an address only its prefix counts (add_route()): forwarders share theirs. */
static enum route route_of(uint8_t how, const struct model_server *v, const struct addr *a)
{
	static const enum route of[8] = { VALID, WRONG_ORIGIN, VALID, NOT_FOUND, TOO_LONG, CONTESTED, NOWHERE, VALID };

	return v->root ? VALID : of[(a->b[2] + (a->family == ADDR_V6 ? a->b[3] + 1u : 53u) + (how >> 4)) % 8];
}

bool script_routes_policy(struct run *r, uint8_t how)
{
	static const char *const words[POLICIES] = { NULL, "off", "log", "prefer", "require-not-invalid", "require-valid" };
	size_t n = strlen(r->conf);
	const char *word = words[policy_of(how)];

	if (word != NULL && n + 100 < sizeof r->conf)
		(void)snprintf(r->conf + n, sizeof r->conf - n, "route-validation:\n policy: %s\nserver:\n", word);
	if (blocks(how))
		r->damaged = r->guests = r->policies = r->limits = true;
	return policy_of(how) >= NOT_INVALID || blocks(how);
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

/* Each server has a /24 or /32 to itself, but for the forwarders. */
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

static const char rules[] = "||z1.t0^\n|h2.t0^\n@@||h0.z1.t0^\n*c5.t*\n||t1^$dnstype=TXT\n@@||c4.t1^$important\n||h1.t0^$important\n"
    "*$address=30.0.0.0/11\n*$address=2001:db8:5000::/36,asn=64501\n*$route=invalid\n@@||t0^$route=valid,address=30.0.0.0/12\n||t1^$route=~valid|~not-found,denyallow=z2.t1\n";

static void hang_rules(struct run *r, uint8_t how)
{
	static const struct hash_key key = { { 1, 2 } };
	const struct filter_limits no_limits = { 0 };
	const struct filter_options o = { (enum filter_told)(how >> 4 & 7) % (FILTER_TOLD_NOTHING + 1), (how & 8) != 0 ? 0 : 20, !blocks(how) };
	AUTO(filter_builder_free) struct filter_builder *b = filter_builder_new(&no_limits, &key, NULL, NULL);
	AUTO(filter_free) struct filter *f = NULL;
	AUTO(filter_sheet_unref) struct filter_sheet *s = NULL;

	if (b == NULL || !OK(filter_add_text(b, "script", span_text(rules))) || !OK(filter_build(MOVE(b), &f)) || filter_count(f)->refused > 0)
		abort();
	s = filter_sheet_new(MOVE(f), &o);
	if (s == NULL)
		abort();
	filter_board_put(r->shared->filters, MOVE(s));
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
	if (has_rules(how))
		hang_rules(r, how);
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
