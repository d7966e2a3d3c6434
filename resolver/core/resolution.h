/*
 * resolution.h: one question under way, as the files of the core see it; no header of others includes it.
 *
 * Glossary
 *   resolution   a question with its own arena, budget and state. For clients, for the address of a name server (target), for priming, or for the DS or DNSKEY RRset
 *                that another one's validation needs (a link of the chain of trust)
 *   raw          not validated: what is learnt stays SECURITY_UNCHECKED. For clients that set CD, for targets, for priming
 *   waiter       somebody outside of the core that is told the answer
 *   parent       a resolution that waits for this one as its sub-question; on the same worker always
 *   remote       a resolution of another worker that stands in for its clients and waits for this one
 *   draft        the answer as far as it is known: aliases first
 *
 * Who calls whom: core.c makes resolutions and knows the waiters; query.c runs the states; take.c reads replies; validate.c has them judged; store.c gives what was learnt to
 * the cache; sub.c makes and joins sub-questions; finish.c composes the answer, tells everybody and closes; remote.c speaks with other workers.
 *
 * Invariants
 *  1. A resolution that is not closing has a waiter, a parent, a remote, or goes on for the caches' sake (detached).
 *  2. subs of one are exactly those that have it as a parent.
 *  3. No resolution waits, over any number of steps, for itself: sub.c refuses the step that would close the circle.
 *  4. `ask` names a live exchange in QUERY_ASKING only.
 *  6. What a raw resolution learns is told to raw ones only; others look at the cache with LOOKUP_CHECKED.
 *  5. A callback never runs a resolution that is running further up the stack: it leaves a new state behind, which the loop of query_run sees.
 */
#ifndef RESOLVER_CORE_RESOLUTION_H
#define RESOLVER_CORE_RESOLUTION_H

#include "base/arena.h"
#include "resolver/cache/denials.h"
#include "resolver/cache/infra.h"
#include "resolver/cache/keycache.h"
#include "resolver/cache/rrcache.h"
#include "resolver/core/deleg.h"
#include "resolver/core/draft.h"
#include "resolver/core/inflight.h"
#include "resolver/core/qmin.h"
#include "resolver/core/scrub.h"
#include "resolver/core/settings.h"
#include "resolver/core/validation.h"
#include "resolver/serve/upstream.h"
#include "resolver/stats.h"
#include "validator/judge.h"
#include "validator/nsec3.h"

LOOP_HANDLE(resolution)
LOOP_HANDLE(core)

enum query_state {
	QUERY_LOOKUP,   /* look into the cache for `now` */
	QUERY_LOCATE,   /* find the servers to ask about it */
	QUERY_SELECT,   /* choose one of them, or look for more addresses */
	QUERY_ASKING,   /* upstream has the question */
	QUERY_STEP,     /* another one asks the same step of minimisation of the same zone */
	QUERY_TARGETS,  /* wait for addresses of name servers */
	QUERY_PRIMING,  /* wait for the NS set of the root or of a stub */
	QUERY_VALIDATE, /* `reply` is believed as far as scrubbing goes */
	QUERY_CHAIN,    /* wait for a link of the chain of trust, or for the next turn's share of work */
	QUERY_STORE,    /* give it to the cache and to the draft */
	QUERY_REMOTE,   /* another worker resolves it */
	QUERY_DONE,
	QUERY_STATES
};

enum query_purpose { FOR_CLIENT, FOR_TARGET, FOR_PRIMING, FOR_CHAIN };

enum fail_cause {
	FAIL_SERVERS, /* the servers did: evidence, remembered with a back-off that doubles */
	FAIL_TIME,    /* they were too slow: likewise */
	FAIL_ALIASES, /* aliases that go in circles or too far: likewise */
	FAIL_BUDGET,  /* we gave up: remembered for this question only, for seconds */
	FAIL_ROOM,    /* no descriptors or memory: not remembered */
	FAIL_RATE,    /* the zone is asked no more often (ratelimit): not remembered */
	FAIL_DROPPED, /* overload or end of the program: not remembered */
	FAIL_CACHED,  /* remembered from before */
	FAIL_BOGUS,   /* the answer, or a link of its chain of trust, does not validate: remembered with a back-off up to val-bogus-ttl */
};

/* Why an answer was found bogus. */
struct bogus {
	bool is;
	bool spoilt; /* records of wrong form had been left out */
	uint16_t ede;
	const char *text ARENA_FIELD;
};

/* What was learnt of zones for this question: it stays at hand whatever the key cache has room for. */
struct learnt {
	struct learnt *next ARENA_FIELD;
	struct trust *trust OWNED_FIELD; /* a reference, given back with the resolution */
};

/* A link of the chain of trust that could not be had. */
struct chain_fault {
	struct chain_fault *next ARENA_FIELD;
	struct name name;
	uint16_t type;
	bool failed; /* false: asked for, and answered */
	struct chain_failure why;
	uint16_t network; /* extended error, when nobody could be reached for it; 0: it was something else */
};

struct waiter {
	waiter_h self;
	struct dead dead;
	struct resolution *resolution PARENT_FIELD; /* NULL once it was told */
	struct waiter *next OWNED_FIELD;            /* of the same resolution */
	const struct loop_type *type BORROWED_FIELD;
	uint64_t who;
	uint32_t tag;
	resolve_fn *fn;
	bool stale_ok;
	timer_h stale;
};

/* One that this resolution waits for. */
struct sub {
	struct resolution *of BORROWED_FIELD; /* leaves the list before it dies (invariant 2) */
	enum query_purpose purpose;
	struct deleg *deleg ARENA_FIELD;      /* FOR_TARGET: whose target it is */
	size_t target;
	int family;
};
#define MAX_SUBS 8

struct remote {
	struct remote *next ARENA_FIELD;
	uint32_t core;
	uint64_t resolution; /* handle there */
	uint32_t packets_left; /* of our budget when it joined */
};

struct resolution {
	struct core *core PARENT_FIELD;
	resolution_h self;
	struct dead dead;
	struct resolution *older BORROWED_FIELD, *newer OWNED_FIELD; /* in the core's list */
	struct flight flight;
	struct shared_flight shared;
	struct arena *arena OWNED_FIELD;
	const struct core_settings *settings SHARED_FIELD;
	enum query_purpose purpose;
	enum query_state state, was;   /* was: what query_note_move() saw last */
	bool running, closing;
	bool detached;         /* goes on though nobody waits */
	bool renew;            /* prefetch */
	bool skip_cache;       /* prefetch, priming: the next look-up finds nothing */
	bool unprimed;         /* priming failed: the hints will have to do */
	bool capped;           /* the answer has data that the cache keeps for a shorter time */
	bool uncached;         /* part of it came from a zone that is not to be cached */
	bool rate_passed;      /* it is the one in ratelimit-factor: no limit holds it up any more */
	bool limited;          /* what it needed could not be had because of ratelimit */
	bool late;             /* its time is over: what is at hand is judged without another question */
	bool lenient;          /* val-permissive-mode: it was bogus, and is told all the same */
	uint16_t insecure_ede; /* why part of it is insecure; 0: nothing to say */
	const char *insecure_text ARENA_FIELD;
	bool synthesized;      /* part of it was made from denials of other names */
	bool rejudge;          /* FOR_CHAIN: what the cache has is judged once more, so that its trust is learnt */
	struct question q;     /* as asked for */
	uint32_t depth;        /* 0: for a client */
	uint64_t started_ms;
	timer_h deadline;

	struct waiter *waiters OWNED_FIELD;
	struct resolution **parents ARENA_FIELD;
	size_t parent_count, parent_cap;
	struct sub subs[MAX_SUBS];
	size_t sub_count;
	struct remote *remotes ARENA_FIELD;

	struct budget budget;
	uint32_t packets_seen; /* left in the budget when the parents were last charged */

	struct draft draft;
	struct question now;   /* what is looked for: the name moves along aliases */
	struct qmin qmin;
	struct flight step;    /* listed while it asks a step that others may wait for */
	struct resolution *step_first BORROWED_FIELD; /* who waits for it; they leave before they die */
	struct resolution *step_of BORROWED_FIELD;    /* QUERY_STEP: whom it waits for */
	struct resolution *step_next BORROWED_FIELD;
	uint32_t step_waits;
	uint32_t qmin_timeouts;
	struct deleg *deleg ARENA_FIELD;
	uint64_t except;       /* configured zones that failed */
	struct question asked; /* of the server: perhaps minimised */
	size_t server;         /* index in deleg */
	ask_h ask;
	struct scrubbed *reply ARENA_FIELD; /* QUERY_VALIDATE, QUERY_STORE */
	struct scrubbed *weak ARENA_FIELD;  /* the best of the poor replies, for want of better */
	uint32_t empties;      /* replies of this delegation with nothing in them */

	struct judge *judge ARENA_FIELD;    /* of `reply`, while it is validated */
	bool from_cache;                    /* `reply` was in the cache, unchecked, as `cached` */
	bool from_denials;                  /* `reply` was made of denials of other names */
	struct bundle_key cached;           /* the name in the arena */
	uint32_t from_cache_left;           /* entries of the cache that may still be judged for this question */
	uint32_t restarts_left;             /* other servers that may still be asked for want of a valid answer */
	const char *route_why ARENA_FIELD;  /* what it needed could not be had, because policy on routes left nobody to ask for it */
	uint8_t route;                      /* to the servers that were asked: route_worse() of all */
	struct bogus bogus;                 /* the first verdict; decides when no server does better */
	struct chain_fault *chain ARENA_FIELD; /* what was asked for the chain of trust */
	struct learnt *learnt ARENA_FIELD;
	uint32_t chain_left;                /* links that may still be asked for */
	bool paused;                        /* QUERY_CHAIN: it waits for another turn, in the core's list */
	struct resolution *paused_before BORROWED_FIELD, *paused_behind BORROWED_FIELD;
	struct name primed;    /* FOR_PRIMING: the zone */

	struct answer answer;  /* once it is done */
};

#define ARENA_POOL 256
struct core {
	struct core_env env;
	const struct core_settings *settings SHARED_FIELD;
	uint32_t number; /* in core_shared */
	bool closing;
	struct flight_table flights;
	struct flight_table steps; /* of minimisation, by their leaders */
	struct resolution *oldest OWNED_FIELD, *newest BORROWED_FIELD;
	size_t count;
	struct arena *pool[ARENA_POOL] OWNED_FIELD;
	size_t pooled;
	uint64_t prime_after_ms; /* mono: priming failed, not again before then */
	struct nsec3_hasher *hasher OWNED_FIELD;
	struct route_seat seat;
	core_h self;
	uint16_t moves[QUERY_STATES]; /* from each state: bits of those that have followed it. For tests: which arrows of query.c's drawing were taken */
	uint32_t turn_spent;     /* on validation, in this turn */
	bool refilling;          /* at the end of the turn it becomes 0 */
	struct resolution *paused_first BORROWED_FIELD, *paused_last BORROWED_FIELD; /* they leave before they die */
	timer_h resume;          /* armed when there are any */
};

const char *query_state_text(enum query_state s) BORROWED;
struct deleg_env query_deleg_env(struct resolution *q) NONNULL;
static inline const struct now *query_now(const struct resolution *q) { return loop_now(q->core->env.loop); }
static inline void query_note_move(struct resolution *q)
{
	q->core->moves[q->was] |= (uint16_t)(1u << q->state);
	q->was = q->state;
}
static inline bool query_is_minimised(const struct resolution *q)
{
	return q->asked.type != q->now.type || q->asked.name.labels != q->now.name.labels;
}

/* core.c */
struct arena *core_arena(struct core *c) OWNED_BY(arena_free) NONNULL; /* from the pool */
void core_arena_return(struct core *c, struct arena *a) TAKES(2) NONNULL;
/* Listed and handled, in QUERY_LOOKUP, with a deadline; nobody waits yet. NULL: out of memory. It belongs to the core until resolution_close(). */
struct resolution *resolution_new(struct core *c, const struct question *q, unsigned int flags, enum query_purpose p, struct resolution *parent)
    BORROWED __attribute__((nonnull(1, 2)));
/* Ends it without a word: what it asks is cancelled, what it waits for is left, it is buried. */
void resolution_close(struct resolution *q) NONNULL;
/* Closes it when nobody is left that wants it (invariant 1). */
void resolution_unwanted(struct resolution *q) NONNULL;

/* query.c */
void query_run(struct resolution *q) NONNULL;
void query_give_up(struct resolution *q) NONNULL; /* the servers of this delegation are used up */

/* steps.c */
bool step_join(struct resolution *q) NONNULL;  /* `asked` is under way: it waits. False: ask yourself */
void step_lead(struct resolution *q) NONNULL;  /* it asks `asked` */
void step_end(struct resolution *q) NONNULL;   /* what it asked is answered or given up: who waits looks again */
void step_leave(struct resolution *q) NONNULL; /* it waits no longer */

/* validate.c */
static inline bool query_is_raw(const struct resolution *q) { return (q->flight.flags & (FLIGHT_CD | FLIGHT_RAW | FLIGHT_PRIME)) != 0; }
/* Is what this one learns validated? */
static inline bool query_validates(const struct resolution *q) { return q->core->env.validation != NULL && !query_is_raw(q); }
void query_validate(struct resolution *q) NONNULL; /* QUERY_VALIDATE */
void validate_forget_pause(struct resolution *q) NONNULL; /* it goes on, or ends */
/* An entry of the cache is to be judged: QUERY_VALIDATE comes next. */
void validate_cached(struct resolution *q, const struct bundle *b, struct name at, uint32_t aliases_left) NONNULL;
/* What denials of other names say is the reply to FOR_CHAIN: it is judged, so that its trust is learnt. */
void validate_denied(struct resolution *q, const struct denied_answer *d) NONNULL;
void validate_told(struct resolution *q, const struct resolution *of, const struct answer *a) NONNULL; /* a link that was asked for */
void validate_forget(struct resolution *q) NONNULL; /* what was learnt, before the arena goes */
RESULT core_work_start(struct core *c) NONNULL; /* a core is new: it accounts for each turn's work. ERR_NOMEM */
void core_work_end(struct core *c) NONNULL;
/* RFC 8509: what a client is told instead of a secure answer to a sentinel's question; and val-clean-additional. */
void validate_finish_answer(const struct core *c, bool checked, struct answer *a) NONNULL;
/* Denials for aggressive use; NULL when the configuration does not want it. */
static inline struct denials *core_denials(const struct core *c) BORROWED;
static inline struct denials *core_denials(const struct core *c)
{
	return c->env.validation != NULL && c->env.validation->aggressive ? c->env.denials : NULL;
}
/* The flags of a look-up that answers somebody, who validates or not. */
unsigned int core_lookup_flags(const struct core *c, bool raw) NONNULL;

/* take.c */
void take_reply(struct resolution *q, const struct ask_reply *r) NONNULL;

/* store.c */
RESULT store_reply(struct resolution *q, const struct scrubbed *s) NONNULL;
/* What a minimised question brought: kept, but no part of the answer. */
void store_aside(struct resolution *q, const struct scrubbed *s) NONNULL;
RESULT store_referral(struct resolution *q, const struct scrubbed *s, uint32_t *ret_expires_sec, uint32_t *ret_shown_sec) NONNULL;
RESULT store_primed(struct resolution *q, const struct scrubbed *s) NONNULL;

/* sub.c */
enum sub_result {
	SUB_WAIT,    /* under way: sub_told() will be called */
	SUB_TOLD,    /* the answer was at hand: sub_told() was called */
	SUB_LOOP,    /* it would wait for itself */
	SUB_REFUSED, /* budget or depth is used up, or memory */
};
enum sub_result sub_ask(struct resolution *q, const struct question *s, enum query_purpose p, struct deleg *d, size_t target, int family)
    __attribute__((nonnull(1, 2)));
void sub_told(struct resolution *parent, const struct sub *s, const struct answer *a) NONNULL;
void sub_leave_all(struct resolution *q) NONNULL;          /* q waits for nothing any more */
void sub_charge_parents(struct resolution *q) NONNULL;
/* prefetch-key: a signed delegation's keys are asked for before anything of it has come back. */
void sub_prefetch_keys(struct resolution *q, const struct scrubbed *referral) NONNULL;
bool sub_is_served_by_glue(const struct resolution *q) NONNULL;
/* Is this address being looked up for somebody? */
bool sub_is_looked_for(struct core *c, const struct question *s) NONNULL;
/* Looks up, on the quiet, addresses of targets that were not needed this time (target-fetch-policy). */
void sub_fetch_ahead(struct resolution *q) NONNULL;

/* finish.c */
void finish_answer(struct resolution *q, uint16_t rcode, bool stale) NONNULL;
void finish_failure(struct resolution *q, enum fail_cause cause, const char *what) __attribute__((nonnull(1))); /* what: NULL: which servers failed how */
void finish_cached_failure(struct resolution *q, const struct bundle *b) NONNULL;
void finish_bogus(struct resolution *q) NONNULL; /* q->bogus says why */
void finish_with(struct resolution *q, const struct answer *a) NONNULL; /* an answer from elsewhere, good for this call */
/* The answer from expired records, when there is one. */
bool finish_find_stale(struct core *c, const struct core_settings *s, const struct question *q, bool raw, struct arena *a, struct answer *ret) NONNULL;
/* The same for a failure by policy on routes: only of records that had been validated. It says, too, why it had to be so. */
bool finish_find_validated(struct core *c, const struct core_settings *s, const struct question *q, bool raw, struct arena *a, const struct answer *failure, struct answer *ret)
    NONNULL;
/* serve-expired-ttl-reset, where it is set: an attempt to refresh failed, now or lately, so what would be told as stale may be told for longer. */
void finish_prolong_stale(struct core *c, const struct core_settings *s, const struct question *q, bool raw, struct arena *a) NONNULL;
void finish_describe_failure(struct answer *a, const struct bundle *b, struct arena *arena) NONNULL;
void waiter_free(struct waiter *w) TAKES(1);
DEFINE_AUTO(struct waiter, waiter_free)
void waiter_close(struct waiter *w) NONNULL; /* it leaves, told or not */
void waiter_tell(struct waiter *w, const struct answer *a) NONNULL; /* closes it first */

/* remote.c */
bool remote_join(struct resolution *q, uint32_t core, uint64_t resolution) NONNULL; /* false: that worker is gone */
void remote_tell_all(struct resolution *q, const struct answer *a) NONNULL;

#endif
