/*
 * cycle_inside.h: what the files behind cycle.h share: cycle.c (a run from its beginning to its end), cycle_gate.c (the gate of validation, which any thread asks), cycle_fetch.c (what
 * opens it, on the loop).
 */
#ifndef RPKI_CYCLE_INSIDE_H
#define RPKI_CYCLE_INSIDE_H

#include "base/lock.h"
#include "rpki/cycle.h"
#include "rpki/fetch/anchor_fetch.h"
#include "rpki/fetch/rrdp_fetch.h"
#include "rpki/fetch/rrdp_keep.h"
#include "rpki/fetch/rsync_fetch.h"
#include "rpki/validate/collect.h"
#include "rpki/validate/stored.h"

#define CYCLE_BUCKETS 1024u

LOOP_HANDLE(place)
LOOP_HANDLE(post)

enum state { STATE_NEW, STATE_UNDER_WAY, STATE_GOOD, STATE_FAILED };

struct place {
	struct cycle *c PARENT_FIELD;
	struct place *chain PARENT_FIELD;    /* of the same bucket; the cycle owns them all */
	enum state state;                    /* under the lock */
	uint32_t number;
	bool rrdp;
	char *uri OWNED_FIELD, *module OWNED_FIELD; /* module: of the first point that wanted it; "": none */
	size_t anchor;
	/* the loop's */
	place_h self;
	rrdp_fetch_h by_rrdp;
	rsync_fetch_h by_rsync;
	struct rrdp_keep *keep OWNED_FIELD;
	timer_h deadline;
	uint64_t begun_ms;
	char *why OWNED_FIELD;
	struct cycle_repository report;
};

struct place_at {
	struct place *place OWNED_FIELD;
};

/* A trust anchor's certificate, being fetched. */
struct post {
	struct cycle *c PARENT_FIELD;
	size_t anchor;
	bool done;
	post_h self;
	anchor_fetch_h fetch;
	timer_h deadline;
	char *uri OWNED_FIELD, *why OWNED_FIELD;
};

struct bucket {
	struct place *first BORROWED_FIELD;
};

struct cycle {
	struct validate_gate gate; /* first: it is known by it */
	struct loop *loop PARENT_FIELD;
	struct dead dead;
	cycle_h self;
	struct cycle_events ev;
	struct cycle_options o;
	struct stored *stored OWNED_FIELD;
	struct unsafe *unsafe OWNED_FIELD;
	struct collector *collector OWNED_FIELD;
	struct validation *validation OWNED_FIELD;
	struct anchor_result *results OWNED_FIELD;
	struct post *posts OWNED_FIELD;
	size_t anchors, posts_left;
	uint64_t begun_ms;
	timer_h deadline;
	struct result error;  /* the first of the run's own */

	struct lock lock;
	struct place_at *places OWNED_FIELD; /* under the lock, as is all below */
	size_t count, room, seen;            /* seen: those that the loop has begun */
	struct bucket *buckets OWNED_FIELD;
	uint32_t *per_anchor OWNED_FIELD;
	struct cycle_counts counts;
	bool woken, late;                    /* late: nothing new is begun */
	bool closed;
};

/* --- cycle.c */

void cycle_check(struct cycle *c) NONNULL; /* after everything that happens: what is new is begun, and perhaps all is done */
void cycle_fail(struct cycle *c, struct result why) NONNULL; /* the run ends with that, when it is the first */

/* --- cycle_gate.c: called by any thread, but place_free() */

void place_free(struct place *p) TAKES(1);
DEFINE_AUTO(struct place, place_free)
bool cycle_gate_may_pass(struct validate_gate *g, const struct validate_point *p, uint32_t *ret_place) NONNULL;
void cycle_gate_idle(struct validate_gate *g) NONNULL;

/* --- cycle_fetch.c */

/* Nothing more comes of it. */
void place_stop(struct place *p) NONNULL;
void post_stop(struct post *p) NONNULL;
/* Not done when time was up. */
void place_give_up(struct place *p, const char *why) NONNULL;
void post_give_up(struct post *p, const char *why) NONNULL;
bool cycle_begin_next(struct cycle *c) NONNULL; /* false: nothing is new */
void cycle_begin_anchors(struct cycle *c) NONNULL;

#endif
