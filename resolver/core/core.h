/*
 * core.h: the iterator: from a question to an answer, by way of the caches and the servers of the delegations. No I/O of its own: it asks upstream.h, arms
 * timers, reads the clock and draws numbers, all from what it is given, so the simulator drives it as production does.
 *
 * core_resolve() joins the resolution of the same question that is under way (also at another worker), or starts one. A *resolution* is a state machine in an
 * arena of its own (query.c draws its states). What it learns goes to the caches; the answer goes to everyone that waits.
 */
#ifndef RESOLVER_CORE_CORE_H
#define RESOLVER_CORE_CORE_H

#include "base/loop.h"
#include "resolver/core/answer.h"
#include "resolver/core/budget.h"

struct core;          /* one per worker */
struct core_settings; /* immutable, made from the configuration: settings.h */
struct denials;
struct keycache;
struct validation;    /* immutable: validation.h */
struct core_shared;   /* questions in flight, for all workers; in shards with one short lock each */
struct conf;
struct strbuf;
struct route_board;
struct rrcache;
struct infra;
struct upstream;
struct stats;
struct epoch_member;
struct prefix_map;
LOOP_HANDLE(waiter)

void core_settings_free(struct core_settings *s) TAKES(1);
/* Root hints, stub-zone: and forward-zone: clauses, limits and switches. Messages about what is wrong are added to report. */
RESULT core_settings_make(const struct conf *c, struct strbuf *report, struct core_settings **ret_settings) NONNULL;
DEFINE_AUTO(struct core_settings, core_settings_free)

void core_shared_free(struct core_shared *s) TAKES(1);
struct core_shared *core_shared_new(const struct hash_key *key) OWNED_BY(core_shared_free) NONNULL;
DEFINE_AUTO(struct core_shared, core_shared_free)

/* Do policies that require something of routes act as `log` now, for want of VRPs? As of the last question that they concerned; any thread. */
bool core_shared_is_unguarded(const struct core_shared *s) NONNULL;

struct core_env {
	struct loop *loop PARENT_FIELD;
	struct upstream *upstream PARENT_FIELD;
	struct rrcache *rrcache PARENT_FIELD;
	struct infra *infra PARENT_FIELD;
	struct core_shared *shared PARENT_FIELD;
	struct stats *stats PARENT_FIELD;
	struct epoch_member *member PARENT_FIELD;
	const struct core_settings *settings SHARED_FIELD;
	struct keycache *keycache PARENT_FIELD;            /* NULL as the next two: nothing is validated */
	struct denials *denials PARENT_FIELD;
	const struct validation *validation SHARED_FIELD;
	struct route_board *routes PARENT_FIELD;           /* NULL: nothing is known of routes */
};
void core_free(struct core *c) TAKES(1); /* ends what is under way; everyone that waits is told SERVFAIL first */
struct core *core_new(const struct core_env *env) OWNED_BY(core_free) NONNULL;
DEFINE_AUTO(struct core, core_free)
/* Reload: resolutions under way go on with the settings they began with (which the caller keeps until core_oldest_settings() says otherwise). */
void core_set_settings(struct core *c, const struct core_settings *s) NONNULL;
/* What is validated by from now on, also by resolutions under way; borrowed until the next call. NULL: nothing is. */
void core_set_validation(struct core *c, const struct validation *v) __attribute__((nonnull(1)));
const struct core_settings *core_oldest_settings(const struct core *c) BORROWED NONNULL;

struct resolve_request {
	struct question q;
	bool check_disabled;    /* CD */
	bool refresh;           /* prefetch: do not answer from the RRset cache */
	bool no_upstream;       /* RD clear: only from the cache */
	bool stale_ok;          /* on failure an expired answer will do */
	bool stale_first;       /* an expired answer at once, when there is one (who was told so asks again, with refresh) */
	uint32_t stale_after_ms; /* and after that time, while the resolution goes on; 0: only on failure (RFC 8767 section 5) */
};
/* a is good during the call. Called once unless cancelled; with stale_after_ms a second time is not made: the waiter is done. May be called before core_resolve
 * returns when the caches have the answer. */
typedef void resolve_fn(struct loop *l, void *object, uint32_t tag, const struct answer *a);
RESULT core_resolve(struct core *c, const struct resolve_request *r, const struct loop_type *t, uint64_t who, uint32_t tag, resolve_fn *fn,
    waiter_h *ret) NONNULL;
/* The waiter leaves; the resolution goes on while anyone else waits, and otherwise ends. */
void core_cancel(struct core *c, waiter_h w) NONNULL;

/* For the control socket. */
void core_dump_requests(const struct core *c, struct strbuf *out) NONNULL; /* this worker's resolutions: question, state, age, server asked */
size_t core_resolutions(const struct core *c) NONNULL;
void core_drop_oldest(struct core *c, size_t n) NONNULL; /* overload: the oldest slow work first; its waiters get SERVFAIL */
/* "lookup": which delegation and servers would be used for name. */
void core_explain_servers(struct core *c, struct name name, struct strbuf *out) NONNULL;
/* The same for a thread that has no core; its epoch member is online. */
void core_explain_servers_of(struct rrcache *cache, struct infra *infra, const struct core_settings *settings, struct name name, const struct now *now,
    struct strbuf *out) __attribute__((nonnull(1, 2, 3, 5, 6)));

#endif
