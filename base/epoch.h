/*
 * epoch.h: when may a shared object be freed? A thread with a loop is a member: *online* during its turns, *offline* while it
 * sleeps. An object that was unpublished is retired with the epoch of that moment on the retiring member's own list, and freed
 * once every online member has passed a quiescent point (the end of a turn) since. An offline member holds nothing up. Readers
 * pay nothing: no count, no fence on the way of a hit; epoch_quiesce costs one store and one load a turn.
 */
#ifndef BASE_EPOCH_H
#define BASE_EPOCH_H

#include "base/own.h"

struct epoch;        /* one per process (or per simulation) */
struct epoch_member; /* one per thread that borrows shared objects */

void epoch_free(struct epoch *e) TAKES(1); /* all members have left; frees what is still retired */
struct epoch *epoch_new(void) OWNED_BY(epoch_free);
DEFINE_AUTO(struct epoch, epoch_free)

/* A member starts offline. Leaving hands what it had retired to the epoch, which frees it in time. Both may lock. */
void epoch_leave(struct epoch_member *m) TAKES(1);
struct epoch_member *epoch_join(struct epoch *e) OWNED_BY(epoch_leave) NONNULL;
DEFINE_AUTO(struct epoch_member, epoch_leave)

void epoch_online(struct epoch_member *m) NONNULL;  /* from here on shared objects may be borrowed; fine when it is */
void epoch_quiesce(struct epoch_member *m) NONNULL; /* end of a turn: nothing is borrowed; frees what has become free */
void epoch_offline(struct epoch_member *m) NONNULL; /* before sleeping */
bool epoch_pending(const struct epoch_member *m) NONNULL; /* something that m retired is not freed yet: do not sleep for ever */

/* Embedded in a shared object. */
struct retired {
	struct retired *next OWNED_FIELD;
	void (*destroy)(struct retired *r); /* frees the object that embeds this */
	uint64_t epoch;
	uint32_t octets; /* counted in epoch_retired_octets() until freed */
};
/* The object is reachable by nobody who starts to look now; destroy(r) runs later on a member's thread. m is online. */
void epoch_retire(struct epoch_member *m, struct retired *r, size_t octets, void (*destroy)(struct retired *)) NONNULL;
uint64_t epoch_retired_octets(const struct epoch *e) NONNULL; /* all members' retired but unfreed octets, for cache limits */

#endif
