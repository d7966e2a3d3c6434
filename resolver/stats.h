/*
 * stats.h: counters, one block per worker, added to without a lock and summed when read. Each part of the resolver lists its own in
 * <part>/counters.def as COUNTER(ID, "name as unbound-control prints it or cairn's own", "what it counts"). Gauges are asked of
 * their owners.
 */
#ifndef RESOLVER_STATS_H
#define RESOLVER_STATS_H

#include <stdatomic.h>

#include "base/own.h"

enum counter {
#define COUNTER(id, name, doc) COUNT_##id,
#include "resolver/core/counters.def"
#include "resolver/cache/counters.def"
#include "resolver/serve/counters.def"
#include "resolver/local/counters.def"
#undef COUNTER
	COUNTERS
};

struct stats {
	_Atomic uint64_t count[COUNTERS]; /* written by one worker, read by any */
};

static inline void stats_add(struct stats *s, enum counter c, uint64_t n)
{
	atomic_store_explicit(&s->count[c], atomic_load_explicit(&s->count[c], memory_order_relaxed) + n, memory_order_relaxed);
}
static inline void stats_inc(struct stats *s, enum counter c) { stats_add(s, c, 1); }
static inline uint64_t stats_get(const struct stats *s, enum counter c)
{
	return atomic_load_explicit(&s->count[c], memory_order_relaxed);
}

const char *counter_name(enum counter c) BORROWED;
const char *counter_doc(enum counter c) BORROWED;

#endif
