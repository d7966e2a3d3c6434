/* tidy.h: what is thrown away after a run, so that the store does not grow for ever. */
#ifndef RPKI_TIDY_H
#define RPKI_TIDY_H

#include "rpki/cycle.h"

struct store;

/*
 * Sources that no run has asked for in a fortnight are forgotten; and once a day, or when the store is full, what nothing names any more is deleted. now: wall time.
 * What fails is only not thrown away: the next run tries again.
 */
void tidy(struct store *s, const struct cycle_report *r, int64_t now) NONNULL;

#endif
