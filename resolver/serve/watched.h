/*
 * watched.h: addresses that stand in answers, with the facts of the routes to them that these were judged by, so that a stored answer is judged again when those of one of its
 * own addresses move, and not whenever the table of routes does. Each address has one of 32 bits; a stored answer has those of its addresses (anscache.h), and the ones whose bit moved
 * are taken out. Only answers that are made, and whoever looks, come here: one short lock.
 */
#ifndef RESOLVER_SERVE_WATCHED_H
#define RESOLVER_SERVE_WATCHED_H

#include "base/addr.h"
#include "base/hash.h"

struct route_facts;
struct route_view;
struct watched;

void watched_free(struct watched *w) TAKES(1);
/* max: addresses that it remembers. */
struct watched *watched_new(size_t max, const struct hash_key *key) OWNED_BY(watched_free) NONNULL;
DEFINE_AUTO(struct watched, watched_free)
void watched_set_max(struct watched *w, size_t max) NONNULL;

/* An answer with this address was judged by it. Its bit. *ret_full: there was no place, or no memory: all are forgotten, and all answers with addresses will be judged again. */
uint32_t watched_note(struct watched *w, const struct addr *a, const struct route_facts *f, bool *ret_full) NONNULL;
/* What an address moves by. */
enum watched_for {
	WATCHED_INVALID, /* whether its route is invalid */
	WATCHED_FACTS,   /* its state, or its origin */
};
/* Judges all that are watched by this view. The bits of those that moved since. One thread at a time. */
uint32_t watched_look(struct watched *w, const struct route_view *v, enum watched_for what) NONNULL;
size_t watched_count(struct watched *w) NONNULL;

#endif
