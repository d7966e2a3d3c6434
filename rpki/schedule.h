/*
 * schedule.h: runs of the relying party, one after the other: once, or every refresh: seconds with some jitter. It has the store, which it opens, sets aside when it is
 * damaged, and tidies after a run; and says in the log what a run found: a line for each trust anchor, and one for each repository that cannot be reached.
 *
 *   waiting --> running --> tidying --> waiting
 *      ^           `- the store is damaged: it is set aside, and a new one begun: running
 */
#ifndef RPKI_SCHEDULE_H
#define RPKI_SCHEDULE_H

#include "rpki/cycle.h"

struct conf;
struct schedule;

struct schedule_options {
	const struct conf *conf BORROWED_FIELD;  /* during the call: what counts is copied */
	struct fetcher *fetcher BORROWED_FIELD;  /* outlives it; NULL: nothing is fetched */
	bool once;                               /* no run follows the first */
	bool at_given;
	int64_t at_sec;                          /* the time of validation, when given */
	const struct hash_key *points_key BORROWED_FIELD; /* as in cycle.h; outlives it */
};

struct schedule_events {
	const struct loop_type *type BORROWED_FIELD;
	uint64_t who;
	/* As in cycle.h; may be NULL. */
	void (*progress)(struct loop *l, void *object, const struct cycle_repository *r, const struct cycle_anchor *a, size_t anchor, const struct cycle_counts *counts);
	/* After each run, good or not. Everything is good during the call. The schedule is not freed by it. */
	void (*ended)(struct loop *l, void *object, const struct cycle_report *report, const struct locators *locators);
};

void schedule_free(struct schedule *s) TAKES(1); /* no event follows */
/*
 * Opens the store, reads the locators, and begins the first run in a later turn. The reason for an error is in the log. ERR_SYSTEM, ERR_NOTFOUND, ERR_EXISTS, ERR_LIMIT: of the
 * store or the locators; ERR_NOMEM.
 */
RESULT schedule_new(struct loop *l, const struct schedule_options *o, const struct schedule_events *ev, struct schedule **ret) NONNULL;
DEFINE_AUTO(struct schedule, schedule_free)
void schedule_run_now(struct schedule *s) NONNULL; /* when one is under way: after it */
void schedule_hurry(struct schedule *s) NONNULL;   /* the one under way ends soon, with what is there */
/* Another configuration, and the locators read again: from the next run on. On an error the old ones stay. */
RESULT schedule_reload(struct schedule *s, const struct conf *conf) NONNULL;
bool schedule_is_running(const struct schedule *s) NONNULL; /* a run is under way */
/* What the log said of the last run, or of the one under way; see run_log.h. Until the next turn. */
const char *schedule_said(const struct schedule *s) BORROWED NONNULL;
int64_t schedule_next_sec(const struct schedule *s) NONNULL; /* wall time of the next run; 0: none is planned, or one is under way */

#endif
