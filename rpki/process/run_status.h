/* run_status.h: the facts of a run (rpki/cycle.h) in the form in which they are shown (rpki/serve/status.h). */
#ifndef RPKI_PROCESS_RUN_STATUS_H
#define RPKI_PROCESS_RUN_STATUS_H

#include "rpki/cycle.h"
#include "rpki/serve/status.h"

struct run_times {
	int64_t start, done, next; /* wall time, seconds; next: 0 when none is planned */
};

/* before: the status of the run before, for what goes on from there (when a repository was reached last, how many runs there were); NULL: there was none. ERR_NOMEM. */
RESULT run_status_make(const struct cycle_report *r, const struct locators *l, const struct run_times *t, const struct status *before, struct status **ret)
    __attribute__((nonnull(1, 2, 3, 5)));

#endif
