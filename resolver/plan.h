/*
 * plan.h: everything that follows from one configuration, in the forms in which the parts of the resolver use it. Immutable, made by the thread that reads the
 * configuration, shared by all workers by counting: each holds the one it works by, and those that resolutions under way began with. The zones that are answered
 * locally are counted on their own, for they also change at run time.
 */
#ifndef RESOLVER_PLAN_H
#define RESOLVER_PLAN_H

#include <stdatomic.h>

#include "conf/conf.h"
#include "resolver/cache/infra.h"
#include "resolver/cache/rrcache.h"
#include "resolver/core/core.h"
#include "resolver/core/validation.h"
#include "resolver/dnstap/tap_settings.h"
#include "resolver/local/local.h"
#include "resolver/serve/serve_settings.h"
#include "resolver/serve/upstream.h"

struct zones {
	_Atomic uint32_t refs;
	struct local_zones *z OWNED_FIELD;
};
void zones_unref(struct zones *z) TAKES(1);
struct zones *zones_new(struct local_zones *z) TAKES(1) OWNED_BY(zones_unref) NONNULL; /* NULL: out of memory */
struct zones *zones_ref(const struct zones *z) OWNED_BY(zones_unref) NONNULL;
DEFINE_AUTO(struct zones, zones_unref)

#define PLAN_PORTS 8192u

struct plan {
	_Atomic uint32_t refs;
	struct conf *conf OWNED_FIELD;
	struct core_settings *core OWNED_FIELD;
	struct serve_settings *serve OWNED_FIELD;
	struct upstream_settings upstream; /* its `from` is the one below */
	struct addr *from OWNED_FIELD;
	uint8_t *ports OWNED_FIELD;        /* PLAN_PORTS octets, a bit for each port that questions may leave from; NULL: the host's own choice */
	struct tap_settings *tap OWNED_FIELD;
	struct zones *zones OWNED_FIELD;   /* as the configuration has them */
	struct validation *validation OWNED_FIELD; /* likewise; NULL: nothing is validated */
	struct rrcache_limits rrcache;
	struct infra_limits infra;
	size_t answer_octets;              /* msg-cache-size */
	size_t key_octets;                 /* key-cache-size */
	size_t denial_octets;              /* neg-cache-size */
	size_t watched_addresses;          /* answer-policy-addresses */
	unsigned int threads;
	char *snapshot OWNED_FIELD;        /* path, or NULL */
	uint32_t snapshot_sec;             /* 0: only at the stop */
};

void plan_unref(struct plan *p) TAKES(1);
struct plan *plan_ref(const struct plan *p) OWNED_BY(plan_unref) NONNULL;
DEFINE_AUTO(struct plan, plan_unref)
/* Takes the configuration. before: the plan in force, whose drawn secrets stay, or NULL. What is wrong is added to report; ERR_FORMAT, ERR_NOMEM. */
RESULT plan_make(struct conf *c, const struct plan *before, struct rng *rng, struct strbuf *report, struct plan **ret_plan) TAKES(1)
    __attribute__((nonnull(1, 3, 4, 5)));
/* Descriptors that the plan's limits could use in all. */
uint64_t plan_files(const struct plan *p) NONNULL;
/* Upstream sockets of a worker that may rest until the next question, beside those in use. */
uint32_t plan_resting(const struct plan *p) NONNULL;
/* Only that many may be open: each limit gets its share, so that what finds no descriptor waits its turn instead of failing. Before the plan is shared. */
void plan_fit_files(struct plan *p, uint64_t files) NONNULL;
/* Do answers that were made under a still hold under b? */
bool plan_same_answers(const struct plan *a, const struct plan *b) NONNULL;

#endif
