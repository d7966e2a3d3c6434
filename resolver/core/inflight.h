/*
 * inflight.h: questions under way, so that equal ones share one resolution (RFC 5452 section 5: no birthday). A table per worker, on its own loop; and
 * core_shared, for all workers, in shards with one short lock each: it says which worker resolves a client's question. The others join there by messages.
 *
 * A core enters core_shared with its loop and leaves before the loop goes; messages to a core that has left are dropped, so that no loop is
 * touched after its end.
 */
#ifndef RESOLVER_CORE_INFLIGHT_H
#define RESOLVER_CORE_INFLIGHT_H

#include "base/hash.h"
#include "base/loop.h"
#include "dns/msg.h"
#include "resolver/core/core.h"
#include "resolver/core/zonerate.h"

#define FLIGHT_CD 1u    /* checking disabled: another answer */
#define FLIGHT_PRIME 2u /* priming: not from the cache, and from hints */
#define FLIGHT_RAW 4u   /* not validated: for our own use */

/* Embedded in what is under way; the name is the embedding object's. */
struct flight {
	struct flight *next BORROWED_FIELD; /* in its bucket */
	uint64_t hash;
	struct question q;
	unsigned int flags;
	bool listed;
};

struct flight_table {
	struct flight **buckets OWNED_FIELD; /* size is a power of two */
	size_t size, count;
};
void flight_table_done(struct flight_table *t) NONNULL;
uint64_t flight_hash(const struct hash_key *key, const struct question *q, unsigned int flags) NONNULL;
/* ERR_NOMEM. */
RESULT flight_add(struct flight_table *t, struct flight *f) NONNULL;
void flight_remove(struct flight_table *t, struct flight *f) NONNULL; /* does nothing when it is not listed */
struct flight *flight_find(const struct flight_table *t, uint64_t hash, const struct question *q, unsigned int flags) BORROWED NONNULL;

/* --- all workers */

struct shared_flight {
	struct flight flight;
	uint32_t core;       /* number of the core that resolves it */
	uint64_t resolution; /* its handle there */
};

/* A number for a core, above 0; 0: out of memory. */
uint32_t core_shared_enter(struct core_shared *s, struct loop *l) NONNULL;
void core_shared_leave(struct core_shared *s, uint32_t core) NONNULL;
/* Lists f unless somebody else resolves the question: then false, and who it is. */
bool core_shared_claim(struct core_shared *s, struct shared_flight *f, uint32_t *ret_core, uint64_t *ret_resolution) NONNULL;
void core_shared_release(struct core_shared *s, struct shared_flight *f) NONNULL;
/* False, and m freed, when that core has left. */
bool core_shared_post(struct core_shared *s, uint32_t core, struct message *m) TAKES(3) NONNULL;
const struct hash_key *core_shared_key(const struct core_shared *s) BORROWED NONNULL;

/* What was asked of single zones, by all workers. */
struct zonerate *core_shared_rates(struct core_shared *s) BORROWED NONNULL;

/* Whether policies that require something of routes have VRPs to go by. True: that is another answer than the last time anybody asked. */
bool core_shared_note_guard(struct core_shared *s, bool guarded) NONNULL;

#endif
