/*
 * patience.h: how long a repository is waited for that did not answer in the runs before: back-off that tries in every run. One that is dead costs each run the time until a
 * connection is given up; from
 * `after` failures in a row on that time is halved with each further one, down to `least_ms`. Once it connects it has all the time that others have, so what a run finds is the same;
 * and so that one
 * which is there but slow to connect is found too, every PATIENCE_EVERY-th failure is followed by a run that waits in full.
 */
#ifndef RPKI_FETCH_PATIENCE_H
#define RPKI_FETCH_PATIENCE_H

#include "base/mem.h"

struct store;

#define PATIENCE_EVERY 8u

struct patience_options {
	uint32_t full_ms;  /* for a connection; connect-timeout: */
	uint32_t least_ms; /* 2000 to full_ms; 0: nobody is waited for less */
	uint32_t after;    /* failures in a row; at least 1 */
	uint32_t max;      /* repositories that are remembered; the next that fails is not */
};

struct patience;

void patience_free(struct patience *x) TAKES(1);
struct patience *patience_new(void) OWNED_BY(patience_free); /* NULL: out of memory */
DEFINE_AUTO(struct patience, patience_free)
void patience_set(struct patience *x, const struct patience_options *o) NONNULL;

/* For the next try; 0: as long as for any other. */
uint32_t patience_ms(const struct patience *x, const char *uri) NONNULL;
uint32_t patience_failures(const struct patience *x, const char *uri) NONNULL; /* in a row, so far */
/* How a try ended. Without memory nothing is noted: then it is waited for in full. */
void patience_note(struct patience *x, const char *uri, bool failed) NONNULL;

/* What is known, into a note of the store, so that a process that begins anew goes on with it; nothing is written when nothing has changed. ERR_NOMEM, and those of the store. */
RESULT patience_keep(struct patience *x, struct store *s, int64_t now) NONNULL;
/* Takes it from there, into one that knows nothing yet: unless it is older than PATIENCE_KEPT_SEC, or not what patience_keep() writes. */
RESULT patience_recall(struct patience *x, struct store *s, int64_t now) NONNULL;
#define PATIENCE_KEPT_SEC 86400

#endif
