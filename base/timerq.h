/*
 * timerq.h: the timers of one loop: a four-way heap by due time, and among equals by order of asking, so that a run replays.
 * Adding and stopping cost O(log n); a timer is named by slot and generation, so stopping one that has fired does nothing.
 * Used by loop.c alone.
 */
#ifndef BASE_TIMERQ_H
#define BASE_TIMERQ_H

#include "base/loop.h"

struct timerq;

/* What is called when the timer is due, as given to loop_timer(). */
struct timer_call {
	const struct loop_type *type PARENT_FIELD;
	uint64_t who;
	loop_fn *fn;
};

void timerq_free(struct timerq *q) TAKES(1);
struct timerq *timerq_new(void) OWNED_BY(timerq_free);
DEFINE_AUTO(struct timerq, timerq_free)

RESULT timerq_add(struct timerq *q, uint64_t due_ns, const struct timer_call *call, timer_h *ret_timer) NONNULL; /* ERR_NOMEM */
bool timerq_stop(struct timerq *q, timer_h timer) NONNULL; /* false: it has fired or was stopped before */
/* Takes out the first timer that is due at now_ns and was added before the mark. */
bool timerq_pop(struct timerq *q, uint64_t now_ns, uint64_t mark, struct timer_call *ret_call) NONNULL;
uint64_t timerq_mark(const struct timerq *q) NONNULL; /* timers added from now on are not before it */
uint64_t timerq_next(const struct timerq *q) NONNULL; /* when the first is due; UINT64_MAX: there is none */
size_t timerq_count(const struct timerq *q) NONNULL;

#endif
