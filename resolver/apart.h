/*
 * apart.h: a core that asks through a worker's sockets but has caches of its own, all empty, and validates by something else: to see whether a zone would validate without its
 * negative trust anchor (RFC 7646 section 2). It lives for one question.
 */
#ifndef RESOLVER_APART_H
#define RESOLVER_APART_H

#include "resolver/core/core.h"

struct apart;
struct validation;
struct worker;

/* by is shared. NULL: out of memory. The worker has it until apart_end(), or ends it itself: then whoever waits is told a failure. */
struct apart *apart_begin(struct worker *w, const struct validation *by) BORROWED NONNULL;
struct core *apart_core(struct apart *a) BORROWED NONNULL;
void apart_end(struct apart *a) NONNULL; /* when the turn is over; fine in a callback of its core */
void apart_end_all(struct worker *w) NONNULL; /* the worker ends: at once */

#endif
