/*
 * cycle.h: one run of the relying party. Trust anchors' certificates are fetched first; validation begins with each as it arrives, and goes on in threads while repositories are fetched:
 * a publication point whose repository is not up to date in this run waits for it, and nothing else waits. RRDP comes first; where it fails, rsync brings the same objects; where that fails
 * too, or time is up, what was fetched before serves. The run is over when nothing is left to be looked at, or waited for.
 *
 *   A repository is   RRDP: a notification URI, or rsync: a module
 *   new --> under way --> good
 *    |          `-------> failed      (or too late: cancelled)
 *    `- one too many: never fetched, what is in the store serves
 */
#ifndef RPKI_CYCLE_H
#define RPKI_CYCLE_H

#include "rpki/engine.h"
#include "rpki/fetch/fetcher.h"
#include "rpki/fetch/rrdp_sync.h"
#include "rpki/fetch/rsync_tree.h"

struct hash_key;
struct patience;
struct point_fact;
struct repository_fact;
struct store;
LOOP_HANDLE(cycle)

struct cycle_limits {
	uint32_t repositories;        /* that are fetched in a run; 5000 */
	uint32_t anchor_repositories; /* of one trust anchor; 1000 */
	uint32_t branch_repositories; /* of one member of a registry, and all below it; 50 */
	uint32_t transfer_ms;         /* each file, each module; 300 s */
	uint32_t repository_ms;       /* all of a repository, and its wait for its turn; 600 s */
	uint32_t run_ms;              /* then all that is under way is given up; 1800 s */
};
struct cycle_limits cycle_limits_default(void);

struct cycle_options {
	struct fetcher *fetcher BORROWED_FIELD; /* NULL: nothing is fetched, what is in the store serves */
	struct store *store BORROWED_FIELD;
	const char *dir BORROWED_FIELD;         /* the cache: large files are spooled here */
	const char *rsync_dir BORROWED_FIELD;   /* where the fetcher's folders are */
	const struct locators *locators BORROWED_FIELD;
	bool rrdp, rsync;                       /* which may be used */
	bool dubious_hosts;                     /* addresses and localhost too */
	struct cycle_limits limits;
	struct rrdp_limits rrdp_limits;
	struct rsync_tree_limits tree_limits;
	struct validate_limits validate_limits;
	enum unsafe_policy unsafe;
	uint32_t unsafe_ranges;                 /* as of unsafe_new() */
	unsigned int threads;
	int64_t now;                            /* of validation */
	uint64_t generation;                    /* of the table */
	struct patience *patience BORROWED_FIELD; /* with repositories that failed before (rpki/fetch/patience.h): asked, and told; NULL: nobody is waited for less */
	const struct hash_key *points_key BORROWED_FIELD; /* publication points are noted by it, for the loss guard; NULL: they are not */
	struct strbuf *refused BORROWED_FIELD;  /* gets a line for each object that was refused; may be NULL */
};

enum cycle_how { CYCLE_UNDER_WAY, CYCLE_UNCHANGED, CYCLE_DELTAS, CYCLE_SNAPSHOT, CYCLE_RSYNC, CYCLE_FAILED };

struct cycle_repository {
	bool rrdp;
	const char *uri BORROWED_FIELD;
	size_t anchor;              /* the first that wanted it */
	enum cycle_how how;
	bool fallback;              /* rsync stands in for RRDP */
	char session[RRDP_SESSION + 1]; /* RRDP: now; "": none */
	uint64_t serial;            /* likewise; 0: none */
	int32_t notification_status, file_status; /* as in rrdp_sync.h */
	uint32_t deltas;
	uint64_t octets;            /* that were read */
	uint64_t published, withdrawn;
	uint32_t took_ms;
	uint32_t failures;          /* runs in a row, this one among them */
	uint32_t patience_ms;       /* so long a connection was waited for; 0: as long as for any other */
	const char *why BORROWED_FIELD; /* why it failed, or went another way than usual: one line; "" */
};

struct cycle_anchor {
	bool fetched;               /* a good certificate came in this run */
	const char *uri BORROWED_FIELD; /* from here; "" */
	const char *why BORROWED_FIELD; /* what went wrong, a line for each URI; "" */
};

struct cycle_counts {
	uint64_t repositories, failed;      /* looked for in this run */
	uint64_t too_late;                  /* of them: given up because of repository_ms or run_ms */
	uint64_t over_limit;                /* points whose repository was one too many */
	uint64_t dubious;                   /* points whose repository's host was none to go to */
	uint64_t store_full;                /* repositories that did not fit */
};

/* Everything in it is good during the call that tells it. */
struct cycle_report {
	struct result result;                /* ERR_NONE: the table is there. ERR_FORMAT: the store is damaged; ERR_NOMEM, ERR_SYSTEM, ERR_LIMIT: the store is full */
	struct payload_table *table BORROWED_FIELD; /* table_ref() keeps it; NULL with an error */
	struct payload_table *unsafe BORROWED_FIELD; /* what is unsafe of what was found (rpki/validate/unsafe.h); NULL: nothing */
	uint64_t unsafe_left_out;            /* ranges of addresses that were one too many */
	const struct anchor_result *anchors BORROWED_FIELD; /* one for each locator, as is: */
	const struct cycle_anchor *fetched BORROWED_FIELD;
	size_t anchor_count;
	const struct cycle_repository *repositories BORROWED_FIELD;
	size_t repository_count;
	const struct point_fact *points BORROWED_FIELD; /* that were looked at (rpki/validate/collect.h) */
	size_t point_count;
	const struct repository_fact *facts BORROWED_FIELD; /* what repositories have (likewise), in no order */
	size_t fact_count;
	struct cycle_counts counts;
	uint64_t objects_stored, octets_stored; /* in the store, at the end */
	uint32_t took_ms;
};

struct cycle_events {
	const struct loop_type *type BORROWED_FIELD;
	uint64_t who;
	/* Each time that a repository is done: r; or a trust anchor's certificate: a, of that number. May be NULL. */
	void (*progress)(struct loop *l, void *object, const struct cycle_repository *r, const struct cycle_anchor *a, size_t anchor, const struct cycle_counts *counts);
	void (*ended)(struct loop *l, void *object, cycle_h c, const struct cycle_report *report); /* once */
};

/* Begins. What o points to outlives the run; o itself is copied. Events follow in later turns. ERR_NOMEM, ERR_SYSTEM. */
RESULT cycle_begin(struct loop *l, const struct cycle_options *o, const struct cycle_events *ev, cycle_h *ret) NONNULL;
/* Gives up all that is under way: the run ends soon, with what is there. */
void cycle_hurry(struct loop *l, cycle_h c) NONNULL;
void cycle_stop(struct loop *l, cycle_h c) NONNULL; /* no event follows. A stale handle is fine */

#endif
