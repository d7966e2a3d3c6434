/*
 * route_shown.h: what is known of the route to an address or of a prefix, with all that it comes from: routes by origin, source and age, VRPs by server, serial and age. As lines
 * of text, each with an indent, and as members of a JSON object that the caller has opened. docs/guide/routes.md has the fields.
 */
#ifndef RESOLVER_CONTROL_ROUTE_SHOWN_H
#define RESOLVER_CONTROL_ROUTE_SHOWN_H

#include "base/clock.h"
#include "resolver/control/json.h"
#include "resolver/routes/board.h"

struct route_scene {
	const struct route_sheet *sheet BORROWED_FIELD;
	const struct now *now BORROWED_FIELD;
};

#define ROUTE_SHOWN_VRPS 16u   /* that cover one prefix; more are counted */
#define ROUTE_SHOWN_ROUTES 16u /* origins of one prefix, and prefixes within one */

/* Seconds since then; of a time to come 0. */
uint64_t route_age_sec(const struct route_scene *s, uint64_t mono_ms) NONNULL;

void route_text_vrps(const struct route_scene *s, struct strbuf *out) NONNULL;
void route_text_rtrs(const struct route_scene *s, struct strbuf *out) NONNULL; /* each server by itself, also those whose data do not count */
void route_text_sources(const struct route_scene *s, struct strbuf *out) NONNULL;
/* The address's line begins with head: "192.0.2.1", "server ns1.example. 192.0.2.1"; the others are two columns deeper. */
void route_text_addr(const struct route_scene *s, const struct addr *a, const char *head, unsigned int indent, struct strbuf *out) NONNULL;
void route_text_prefix(const struct route_scene *s, const struct prefix *p, struct strbuf *out) NONNULL;

void route_json_data(const struct route_scene *s, struct json_out *j) NONNULL; /* "data": VRPs and sources of routes */
void route_json_addr(const struct route_scene *s, const struct addr *a, struct json_out *j) NONNULL;
void route_json_prefix(const struct route_scene *s, const struct prefix *p, struct json_out *j) NONNULL;

#endif
