/*
 * ask.h: a question of the main loop, resolved by a worker's core. The main loop has no core of its own, and a worker is touched by its own thread only: the question goes there as a
 * message, and what was answered comes back as another one, copied.
 */
#ifndef RESOLVER_ASK_H
#define RESOLVER_ASK_H

#include "resolver/core/core.h"

struct validation;
struct worker;

/* fn(home, object, tag, answer) runs on the home loop, in a later turn, unless its object is gone by then. answer is good during the call; NULL: the question could not be
 * asked, or its answer not be carried. Nothing is told when the worker ends first. ERR_NOMEM. */
RESULT ask_worker(struct worker *w, struct loop *home, const struct resolve_request *r, const struct loop_type *t, uint64_t who, uint32_t tag, resolve_fn *fn)
    NONNULL;
/* The same, but apart from the worker's caches and validated by something else (apart.h). */
RESULT ask_apart(struct worker *w, struct loop *home, const struct resolve_request *r, const struct validation *by, const struct loop_type *t, uint64_t who,
    uint32_t tag, resolve_fn *fn) NONNULL;

#endif
