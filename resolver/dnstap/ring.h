/*
 * ring.h: the queue between one worker and the thread that sends: frames of octets in a block of fixed size, without a lock. One thread puts, another one takes. A frame is written in
 * place; when there is no room it is the new one that is left out.
 */
#ifndef RESOLVER_DNSTAP_RING_H
#define RESOLVER_DNSTAP_RING_H

#include "base/cursor.h"

struct tap_ring;

void tap_ring_free(struct tap_ring *r) TAKES(1);
/* octets: rounded up to a power of two, at least 4096; at most a quarter of them in one frame. NULL: no memory. */
struct tap_ring *tap_ring_new(size_t octets) OWNED_BY(tap_ring_free);
DEFINE_AUTO(struct tap_ring, tap_ring_free)

/* The putting thread: room for a frame of n octets, or NULL; then tap_ring_commit() with the same n. */
uint8_t *tap_ring_room(struct tap_ring *r, size_t n) BORROWED NONNULL;
/* True: more than half of the room is taken now, and was not before. */
bool tap_ring_commit(struct tap_ring *r, size_t n) NONNULL;

/* The taking thread: the oldest frame, good until tap_ring_done(). False: there is none. */
bool tap_ring_next(struct tap_ring *r, struct span *ret) NONNULL;
void tap_ring_done(struct tap_ring *r) NONNULL;

#endif
