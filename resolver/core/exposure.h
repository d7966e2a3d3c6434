/*
 * exposure.h: what the routes to a zone's servers and its signatures mean together, in words that promise no more than what is known.
 *
 *   covered     VRPs say who may announce the address, and the announced route, where one is known, is one of those: networks that validate drop others'. Not all networks do
 *   uncovered   no VRP covers it: a false route looks like a true one to everybody
 *   invalid     VRPs cover it, and what is announced is against them; or nobody may announce it (AS 0)
 *   unknown     there are no VRPs, or nobody has told of a route: nothing can be said
 *
 *   unsigned and uncovered         who takes over the route to one server can answer what he likes, and nothing would tell
 *   unsigned with an invalid route  who announces the route may be doing so now
 *   signed but hijackable          he can keep answers away and replay those whose signatures have not expired; forged ones do not validate
 *   signed with an invalid route    who announces the route may be doing so now
 */
#ifndef RESOLVER_CORE_EXPOSURE_H
#define RESOLVER_CORE_EXPOSURE_H

#include "rpki/routes/judge.h"

enum route_guard { GUARD_UNKNOWN, GUARD_COVERED, GUARD_UNCOVERED, GUARD_INVALID, ROUTE_GUARDS };
enum route_guard route_guard_of(enum verdict_state s);
const char *route_guard_text(enum route_guard g) BORROWED; /* "covered", ... */

/* A zone's server addresses by how their routes are guarded. */
struct guard_counts {
	uint32_t n[ROUTE_GUARDS];
};
static inline uint32_t guard_counts_open(const struct guard_counts *c) { return c->n[GUARD_UNCOVERED] + c->n[GUARD_INVALID]; }

/* The worst last. */
enum exposure { EXPOSURE_NONE, EXPOSURE_SIGNED, EXPOSURE_SIGNED_INVALID, EXPOSURE_UNSIGNED, EXPOSURE_UNSIGNED_INVALID, EXPOSURES };
/* signed: there is a chain of trust, whether or not it holds. */
enum exposure exposure_of(const struct guard_counts *c, bool is_signed) NONNULL;
const char *exposure_text(enum exposure e) BORROWED; /* "signed but hijackable", ...; of EXPOSURE_NONE NULL */

#endif
