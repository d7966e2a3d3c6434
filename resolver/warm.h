/*
 * warm.h: the cache survives a restart: a snapshot is written at the stop and on a timer, and read at the start, in slices on the
 * main loop, while workers answer. A file that cannot be used is set aside (renamed with ".bad") and said so; it never keeps the
 * daemon from starting.
 */
#ifndef RESOLVER_WARM_H
#define RESOLVER_WARM_H

#include "base/loop.h"

struct plan;
struct shared;
struct epoch_member;

struct warm;
LOOP_HANDLE(warm)

void warm_close(struct warm *w) TAKES(1); /* what is unfinished is given up; the old file stays */
/* l is the main loop. */
struct warm *warm_open(struct loop *l, struct shared *s, struct epoch_member *m) OWNED_BY(warm_close) NONNULL;
DEFINE_AUTO(struct warm, warm_close)
/* Also at a reload: path and interval. */
void warm_set_plan(struct warm *w, const struct plan *p) NONNULL;
/* Of all that verdicts in the cache depend on: 32 octets. A snapshot that was made under another one is read as unchecked. */
void warm_set_digest(struct warm *w, const uint8_t digest[32]) NONNULL;
void warm_start_reading(struct warm *w) NONNULL;
void warm_start_writing(struct warm *w) NONNULL; /* now, when none is under way */
bool warm_is_busy(const struct warm *w) NONNULL;
/* The last one, in one go: workers have stopped. */
void warm_write_all(struct warm *w) NONNULL;

#endif
