/* counts.h: what the keeper of routes counts (counters.def). The keeper's thread writes; any thread reads. */
#ifndef RESOLVER_ROUTES_COUNTS_H
#define RESOLVER_ROUTES_COUNTS_H

#include <stdatomic.h>

#include "base/own.h"

enum route_counter {
#define COUNTER(id, name, doc) ROUTES_##id,
#include "resolver/routes/counters.def"
#undef COUNTER
	ROUTE_COUNTERS
};

struct route_counts {
	_Atomic uint64_t count[ROUTE_COUNTERS];
};

static inline void route_counts_add(struct route_counts *c, enum route_counter k, uint64_t n)
{
	(void)atomic_fetch_add_explicit(&c->count[k], n, memory_order_relaxed);
}
static inline uint64_t route_counts_get(const struct route_counts *c, enum route_counter k)
{
	return atomic_load_explicit(&c->count[k], memory_order_relaxed);
}

const char *route_counter_name(enum route_counter k) BORROWED;
const char *route_counter_doc(enum route_counter k) BORROWED;

#endif
