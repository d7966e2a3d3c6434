/*
 * stats_base.h: what was counted since the counters were last set to zero. Workers alone write counters (stats.h), so zero is a note of what they were then. It is taken when they are
 * told by the control socket's "stats" or in the log (statistics-interval:), which share it, unless statistics-cumulative: is given. On the main loop.
 */
#ifndef RESOLVER_STATS_BASE_H
#define RESOLVER_STATS_BASE_H

#include "resolver/stats.h"

struct loop;
struct stats_base;

void stats_base_free(struct stats_base *b) TAKES(1);
/* The loop, and the counters that are added, outlive it. NULL: out of memory. */
struct stats_base *stats_base_new(struct loop *l, unsigned int workers) OWNED_BY(stats_base_free) NONNULL;
DEFINE_AUTO(struct stats_base, stats_base_free)
/* The next worker's, from 0 on; `workers` times. */
void stats_base_add(struct stats_base *b, const struct stats *s) NONNULL;

unsigned int stats_base_workers(const struct stats_base *b) NONNULL;
uint64_t stats_base_since_ms(const struct stats_base *b) NONNULL; /* mono: the last stats_base_told() */
/* requestlist.max is of the whole time: it is a maximum. */
uint64_t stats_base_count(const struct stats_base *b, unsigned int worker, enum counter k) NONNULL;
uint64_t stats_base_total(const struct stats_base *b, enum counter k) NONNULL; /* of all workers */
void stats_base_zero(struct stats_base *b) NONNULL;
/* They have been told: they begin anew, unless they are cumulative. */
void stats_base_told(struct stats_base *b) NONNULL;

/* statistics-interval: (seconds, 0: never) and statistics-cumulative:. An interval that has begun goes on when it is as long as before. ERR_NOMEM: nothing is logged. */
RESULT stats_base_set(struct stats_base *b, uint64_t log_every_sec, bool cumulative) NONNULL;

#endif
