/*
 * judge.h: what can be said of the route to an address, from both sides: the VRPs (validity.h) and the announced routes (announced.h). A view is one immutable state of
 * both, shared by reference count; verdicts are values with their evidence. States are never mixed up: where a side is missing, the words say so.
 *
 *   with announced routes     valid, invalid (origin or length), not-found: RFC 6811; unknown: nobody has told of a route
 *   without any source        covered, uncovered, or AS 0 only (RFC 6483 section 4): what VRPs say of the address, whoever announces it
 *   without VRPs              unknown
 *
 * A prefix may have several routes. Each is judged by itself, and the verdict is the best of them: somebody's false route must not take the true one's place, or anybody
 * could switch a server off. `contested` says that another one is invalid.
 */
#ifndef RPKI_ROUTES_JUDGE_H
#define RPKI_ROUTES_JUDGE_H

#include "rpki/routes/announced.h"
#include "rpki/routes/validity.h"

struct strbuf;

enum verdict_state {
	VERDICT_UNKNOWN,
	VERDICT_VALID,
	VERDICT_INVALID_ORIGIN,
	VERDICT_INVALID_LENGTH,
	VERDICT_NOT_FOUND,
	VERDICT_COVERED,
	VERDICT_UNCOVERED,
	VERDICT_AS0,
	VERDICT_STATES
};

/* Sources whose prefixes are no announcements, but networks of a database: nothing follows from their length. */
#define SOURCE_WITHOUT_LENGTH (1u << 30)

struct route_verdict {
	enum verdict_state state;
	bool contested;                 /* another route of the same prefix is invalid */
	bool has_route, has_vrp;
	struct prefix route;            /* the announced prefix that covers the address */
	struct announced_route from;    /* its origin, source and age */
	struct vrp vrp;                 /* that decided: the matching one, or the most specific that covers */
	uint64_t generation;            /* of the view */
};

struct route_view;

void route_view_unref(struct route_view *v) TAKES(1); /* any thread */
struct route_view *route_view_ref(const struct route_view *v) OWNED_BY(route_view_unref) NONNULL __attribute__((returns_nonnull));
DEFINE_AUTO(struct route_view, route_view_unref)
/* table: NULL: there are no VRPs that have not expired. announced: NULL: there is no source of routes. Both are referred to. generation: a number of the caller's. */
RESULT route_view_new(const struct payload_table *table, const struct announced *announced, uint64_t generation, struct route_view **ret) __attribute__((nonnull(4)));
/* The same with other routes: the index of VRPs is shared. */
RESULT route_view_with(const struct route_view *v, const struct announced *announced, uint64_t generation, struct route_view **ret) __attribute__((nonnull(1, 4)));
/* The same with another database of autonomous systems (asn_db.h), which is asked where nobody has told of a route; NULL: none. */
RESULT route_view_with_database(const struct route_view *v, const struct announced *database, uint64_t generation, struct route_view **ret) __attribute__((nonnull(1, 4)));
uint64_t route_view_generation(const struct route_view *v) NONNULL;
bool route_view_has_vrps(const struct route_view *v) NONNULL;

/* addr: IPv4 or IPv6; of others nothing is known. */
struct route_verdict route_judge(const struct route_view *v, const struct addr *addr) NONNULL;
/* --- for those who show what verdicts come from */

/* The routes that a verdict on the address is made of. False: nobody knows of any. */
bool route_view_find(const struct route_view *v, const struct addr *addr, struct announced_routes *ret) NONNULL;
const struct announced *route_view_database(const struct route_view *v) BORROWED NONNULL; /* NULL: none */
/* NULL: there is no source of routes. */
const struct announced *route_view_announced(const struct route_view *v) BORROWED NONNULL;
size_t route_view_octets(const struct route_view *v) NONNULL; /* of memory, for VRPs and their index */
/* Each VRP that covers the prefix, the most specific first, until fn says false. */
void route_view_covering(const struct route_view *v, const struct prefix *p, validity_vrp_fn *fn, void *ctx) __attribute__((nonnull(1, 2, 3)));
/* One route by itself. */
struct route_verdict route_judge_one(const struct route_view *v, const struct prefix *route, const struct announced_route *from) NONNULL;

/* What server selection goes by: 0 valid, 1 nothing speaks against it, 2 invalid. */
unsigned int verdict_rank(enum verdict_state s);
const char *verdict_state_text(enum verdict_state s) BORROWED; /* "valid", "invalid origin", ... */
/* "192.0.2.0/24 by AS64511, VRP 192.0.0.0/16-20 AS64496"; of a database's network "192.0.2.0/24 of AS64511" */
void verdict_evidence(const struct route_verdict *v, struct strbuf *out) NONNULL;

#endif
