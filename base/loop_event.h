/* loop_event.h: the production back end of a loop, on libevent. No other file of base/ sees libevent. */
#ifndef BASE_LOOP_EVENT_H
#define BASE_LOOP_EVENT_H

#include "base/loop.h"

RESULT loop_event_backend(struct loop_backend *ret_backend) NONNULL;
/* fn(l, object) in a turn for each arrival of signal signo, on a loop that has this back end. Lasts as long as the loop. */
RESULT loop_event_signal(struct loop *l, int signo, const struct loop_type *t, uint64_t who, loop_fn *fn) NONNULL;

#endif
