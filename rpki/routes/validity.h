/*
 * validity.h: is a route valid (RFC 6811)? An index of a table's prefixes: nodes in order of address and length, each with the nearest that covers it, and a sample of
 * their addresses small enough for the cache. A look-up is one search and a few steps up. Immutable; any thread reads.
 */
#ifndef RPKI_ROUTES_VALIDITY_H
#define RPKI_ROUTES_VALIDITY_H

#include "rpki/routes/table.h"

enum route_state {
	ROUTE_NOT_FOUND,      /* no VRP covers the route */
	ROUTE_VALID,          /* a VRP matches */
	ROUTE_INVALID_ORIGIN, /* VRPs cover it, none is of its origin */
	ROUTE_INVALID_LENGTH, /* VRPs of its origin cover it, all of them for shorter prefixes */
};

/* What can be said of a prefix whose origin is not known. */
enum cover_state { COVER_NONE, COVER_SOME, COVER_AS0 /* covered, and nobody may announce it */ };

struct validity_index;

void validity_free(struct validity_index *x) TAKES(1);
/* Holds a reference to t. ERR_NOMEM. */
RESULT validity_new(const struct payload_table *t, struct validity_index **ret_index) NONNULL;
DEFINE_AUTO(struct validity_index, validity_free)
const struct payload_table *validity_table(const struct validity_index *x) BORROWED NONNULL;
size_t validity_octets(const struct validity_index *x) NONNULL; /* of memory, without the table */

/* origin 0: none that a VRP could match (AS_SET, RFC 6811 section 2; AS 0, RFC 7607). */
enum route_state validity_of(const struct validity_index *x, const struct prefix *route, uint32_t origin) NONNULL;
enum cover_state validity_cover(const struct validity_index *x, const struct prefix *p) NONNULL;
const char *route_state_text(enum route_state s) BORROWED; /* "valid", "invalid", "not-found" */

/* The evidence: each VRP that covers the prefix, the most specific first. The walk ends when fn says false. */
typedef bool validity_vrp_fn(void *ctx, const struct vrp *v);
void validity_covering(const struct validity_index *x, const struct prefix *p, validity_vrp_fn *fn, void *ctx) __attribute__((nonnull(1, 2, 3)));

#endif
