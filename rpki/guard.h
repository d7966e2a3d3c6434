/*
 * guard.h: the loss guard, between validation and what routers and HTTP get. When a trust anchor or a large part of the table vanishes at once between two runs, what vanished for want of data
 * stays served, and there is an alarm, until the data come back, at most for a limit, and never past its own expiry. What was validly withdrawn or revoked, or has expired, goes at once. No
 * I/O; nothing of it ever goes back into validation.
 *
 * How it knows: a payload's object lies in a publication point. When that was validated in this run, the object is gone because its CA took it away. When it failed, data are wanting.
 * When it was not looked at, the same is asked of the point above, as it was known before, up to the trust anchor: a good point that no longer has a child has given it up.
 */
#ifndef RPKI_GUARD_H
#define RPKI_GUARD_H

#include "base/hash.h"
#include "base/mem.h"
#include "rpki/routes/table.h"

struct guard;
struct point_fact;

struct guard_options {
	bool on;
	uint32_t share;   /* per cent of a trust anchor's payloads, or of all, from which on a loss is implausible; 1 to 100 */
	int64_t most_sec; /* how long what vanished stays */
};
#define GUARD_USUAL ((struct guard_options){ true, 10, 86400 })

/* What a run found. */
struct guard_anchor {
	const char *name BORROWED_FIELD;
	bool usable;
};
struct guard_run {
	const struct guard_anchor *anchors BORROWED_FIELD; /* those that are configured */
	size_t nanchors;
	const struct point_fact *points BORROWED_FIELD;    /* all that were looked at: rpki/validate/collect.h */
	size_t npoints;
	int64_t now;
};

/* Of one trust anchor. */
struct guard_report {
	const char *anchor BORROWED_FIELD; /* as long as the guard, until it is applied again */
	uint64_t served;   /* payloads that it had in the table before */
	uint64_t missing;  /* of these, now: for want of data, and not expired */
	uint64_t gone;     /* validly withdrawn, revoked, expired */
	uint64_t held;     /* of the missing: that stay served */
	int64_t since;     /* when holding began; 0: nothing is held */
	bool given_up;     /* in this run: they were held for as long as may be */
};

void guard_free(struct guard *g) TAKES(1);
/* key: secret; what points are noted by (collector_note_points()). */
struct guard *guard_new(const struct guard_options *o, const struct hash_key *key) OWNED_BY(guard_free) NONNULL;
DEFINE_AUTO(struct guard, guard_free)
const struct hash_key *guard_key(const struct guard *g) BORROWED NONNULL;
void guard_set_options(struct guard *g, const struct guard_options *o) NONNULL;
/* The table that is served so far, of an earlier process: what vanishes in the first run is judged by the trust anchors alone. Not before something was applied. */
void guard_recall(struct guard *g, const struct payload_table *served) NONNULL;
/* *ret: fresh itself once more, or a table that has what is held besides. ERR_NOMEM, ERR_LIMIT: nothing was remembered. */
RESULT guard_apply(struct guard *g, const struct guard_run *run, const struct payload_table *fresh, struct payload_table **ret) NONNULL;
/* After it: a report for each trust anchor that has, or had, payloads. */
const struct guard_report *guard_reports(const struct guard *g, size_t *ret_n) BORROWED NONNULL;
uint64_t guard_held(const struct guard *g) NONNULL; /* payloads that are held, in all */

#endif
