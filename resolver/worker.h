/*
 * worker.h: one loop's worth of resolver: the serving side, the iterator and the upstream side, put together from an environment.
 * It knows neither threads nor sockets: the daemon makes one for each core on real hosts, the simulator several on virtual hosts in
 * one thread.
 *
 * Nothing is changed in a worker by another thread. What it shall do comes as a message on its loop: worker_set_plan() and its like
 * are called there.
 */
#ifndef RESOLVER_WORKER_H
#define RESOLVER_WORKER_H

#include <stdatomic.h>

#include "base/hash.h"
#include "net/host.h"
#include "resolver/dnstap/tap.h"
#include "resolver/plan.h"
#include "resolver/serve/watched.h"
#include "resolver/stats.h"

struct anscache;
struct apart;
struct core;
struct core_shared;
struct epoch;
struct epoch_member;
struct denials;
struct filter_board;
struct infra;
struct keycache;
struct route_board;
struct rrcache;
struct serve;
struct upstream;

/* What all workers of a process (or of a simulation) have in common. */
struct shared {
	struct epoch *epoch OWNED_FIELD;
	struct rrcache *rrcache OWNED_FIELD;
	struct anscache *anscache OWNED_FIELD;
	struct infra *infra OWNED_FIELD;
	struct keycache *keycache OWNED_FIELD;
	struct denials *denials OWNED_FIELD;
	struct core_shared *core OWNED_FIELD;
	struct route_board *routes OWNED_FIELD;
	struct filter_board *filters OWNED_FIELD;
	struct watched *watched OWNED_FIELD; /* addresses in answers */
	_Atomic uint64_t stamp; /* generation that answers are judged under */
	enum watched_for watched_for; /* main thread only, like: */
	uint64_t looked;        /* the board's number at the last shared_look_at_routes() */
};
void shared_free(struct shared *s) TAKES(1); /* all workers are gone */
struct shared *shared_new(const struct plan *p, struct rng *rng) OWNED_BY(shared_free) NONNULL;
DEFINE_AUTO(struct shared, shared_free)
void shared_set_plan(struct shared *s, const struct plan *p) NONNULL; /* sizes and limits of the caches */
/* Every stored answer is judged again before it is given: after a flush, or when the configuration has changed. */
void shared_raise_stamp(struct shared *s) NONNULL;
/* Routes may have changed: stored answers are taken out with an address whose verdict moved. One thread at a time, with its member, which is online. */
void shared_look_at_routes(struct shared *s, struct epoch_member *m) NONNULL;

struct worker_env {
	struct loop *loop PARENT_FIELD;
	struct host *host PARENT_FIELD;
	struct epoch_member *member PARENT_FIELD;
	struct shared *shared PARENT_FIELD;
	const struct plan *plan SHARED_FIELD;   /* the worker takes a count of its own */
	const struct zones *zones SHARED_FIELD; /* likewise */
	unsigned int number, workers;
	const struct validation *validation SHARED_FIELD; /* likewise; NULL: nothing is validated */
	const struct tap_seat *tap PARENT_FIELD;          /* dnstap; NULL: none */
};

struct worker {
	struct worker_env env;
	struct plan *plan OWNED_FIELD;
	struct zones *zones OWNED_FIELD;
	struct validation *validation OWNED_FIELD;
	struct plan_hold *old OWNED_FIELD; /* plans that resolutions under way began with */
	struct stats stats;
	struct tap tap; /* in use while its settings are not NULL */
	struct upstream *upstream OWNED_FIELD;
	struct upstream_alarm alarm; /* its */
	struct core *core OWNED_FIELD;
	struct serve *serve OWNED_FIELD;
	struct apart *apart OWNED_FIELD; /* cores beside it (apart.h) */
};

void worker_free(struct worker *w) TAKES(1);
struct worker *worker_new(const struct worker_env *env) OWNED_BY(worker_free) NONNULL;
DEFINE_AUTO(struct worker, worker_free)
/* Opens what the plan says it shall listen to, and closes what it no longer says. */
RESULT worker_listen(struct worker *w, struct strbuf *report, size_t *ret_failed) NONNULL;
void worker_set_plan(struct worker *w, const struct plan *p, const struct zones *z) NONNULL;
void worker_set_zones(struct worker *w, const struct zones *z) NONNULL;
/* What is validated by from now on: the plan's, with what was learnt or said since. NULL: nothing is. */
void worker_set_validation(struct worker *w, const struct validation *v) __attribute__((nonnull(1)));
void worker_stop_listening(struct worker *w) NONNULL;
/* Gauges, for statistics. */
struct worker_gauges {
	uint64_t waiting, refreshing, sessions, resolutions;
};
struct worker_gauges worker_gauges(const struct worker *w) NONNULL;

#endif
