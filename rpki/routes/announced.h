/*
 * announced.h: routes that are announced, as far as somebody has told: prefix, origin AS, by whom, since when. A verdict of RFC 6811 needs them beside the VRPs (table.h).
 *
 * A persistent trie: a state is immutable and shared by reference count between threads; an edit makes the next state, copies the path to what it changes, and shares the
 * rest. Four bits of the address a step, and in each node only what there is: a /24 costs some 16 octets.
 *
 *   load     announced_edit_new(empty), announced_set for each route, announced_edit_publish
 *   update   the same from the state that counts: the cost is that of the paths
 *   read     announced_find: the most specific prefix that has routes for an address
 *
 * One route of a prefix is told by (source, path): a later one takes its place. A table from a file has several origins for a prefix, and no paths: there the path is the origin.
 */
#ifndef RPKI_ROUTES_ANNOUNCED_H
#define RPKI_ROUTES_ANNOUNCED_H

#include "base/addr.h"
#include "rpki/routes/source.h"

struct announced;
struct announced_edit;

struct announced_route {
	uint32_t origin; /* AS number; 0: none that a VRP could match (an AS_SET, RFC 6811 section 2) */
	uint32_t source; /* the caller's number of the file or BMP peer */
	uint32_t path;   /* an identifier of RFC 7911; 0 without; the origin in a table from a file */
	uint32_t since;  /* seconds since 1970; 0: as old as its source */
};

void announced_unref(struct announced *a) TAKES(1); /* any thread; the last one frees */
struct announced *announced_ref(const struct announced *a) OWNED_BY(announced_unref) NONNULL __attribute__((returns_nonnull));
DEFINE_AUTO(struct announced, announced_unref)
struct announced *announced_new(void) OWNED_BY(announced_unref); /* without routes */

uint64_t announced_generation(const struct announced *a) NONNULL;
size_t announced_prefixes(const struct announced *a) NONNULL;
size_t announced_count(const struct announced *a) NONNULL; /* of routes */
size_t announced_octets(const struct announced *a) NONNULL; /* of memory, what is shared included; walks over all of it */

/* The routes of one prefix. Good as long as the state. */
struct announced_routes {
	struct prefix prefix;
	size_t n; /* at least 1 */
	struct announced_route one;                       /* when n is 1 */
	const struct announced_route *more BORROWED_FIELD; /* otherwise */
};
static inline struct announced_route announced_at(const struct announced_routes *r, size_t i)
{
	return r->n == 1 ? r->one : r->more[i];
}

/* The most specific prefix with routes that covers the address. False: nobody has told of any. */
bool announced_find(const struct announced *a, const struct addr *addr, struct announced_routes *ret) NONNULL;
/* The most specific one that covers the whole prefix. */
bool announced_find_over(const struct announced *a, const struct prefix *p, struct announced_routes *ret) NONNULL;
/* All that there is, IPv4 first, a prefix before those it covers. The walk ends when fn says false. */
typedef bool announced_fn(void *ctx, const struct announced_routes *r);
void announced_each(const struct announced *a, announced_fn *fn, void *ctx) __attribute__((nonnull(1, 2)));
/* The same for the prefix and what is inside of it, IPv4 or IPv6. */
void announced_within(const struct announced *a, const struct prefix *p, announced_fn *fn, void *ctx) __attribute__((nonnull(1, 2, 3)));

/* --- the next state; one thread */

void announced_edit_free(struct announced_edit *e) TAKES(1); /* what was not published is forgotten */
struct announced_edit *announced_edit_new(const struct announced *from) OWNED_BY(announced_edit_free) NONNULL;
DEFINE_AUTO(struct announced_edit, announced_edit_free)
/* Adds a route, or puts it in place of the one with its source and path. ERR_RANGE: no sound prefix; ERR_NOMEM. On failure nothing changed. */
RESULT announced_set(struct announced_edit *e, const struct prefix *p, const struct announced_route *r) NONNULL;
/* Readers of announced routes tell it (source.h): what it hears becomes routes of that source, one for each origin. */
struct announced_sink {
	struct source_sink sink; /* first */
	struct announced_edit *e BORROWED_FIELD;
	uint32_t source;
};
struct announced_sink announced_sink(struct announced_edit *e, uint32_t source) NONNULL;
/* ERR_NOTFOUND; ERR_RANGE; ERR_NOMEM: nothing changed. */
RESULT announced_remove(struct announced_edit *e, const struct prefix *p, uint32_t source, uint32_t path) NONNULL;
/* All routes of a source, or of those that fn says; one walk over all. ERR_NOMEM: some are gone already, and it can be tried again. */
typedef bool announced_source_fn(const void *ctx, uint32_t source);
RESULT announced_drop(struct announced_edit *e, uint32_t source) NONNULL;
RESULT announced_drop_where(struct announced_edit *e, announced_source_fn *fn, const void *ctx) __attribute__((nonnull(1, 2)));
size_t announced_edit_count(const struct announced_edit *e) NONNULL; /* of routes, so far */
/* The state so far; the edit goes on from it. ERR_NOMEM. */
RESULT announced_edit_state(const struct announced_edit *e, uint64_t generation, struct announced **ret) NONNULL;
/* generation: a number of the caller's that identifies the state. ERR_NOMEM. */
RESULT announced_edit_publish(struct announced_edit *e, uint64_t generation, struct announced **ret) TAKES(1) NONNULL;

#endif
