#include "resolver/worker.h"

#include <inttypes.h>

#include "base/epoch.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "resolver/apart.h"
#include "resolver/cache/anscache.h"
#include "resolver/cache/denials.h"
#include "resolver/cache/keycache.h"
#include "resolver/serve/listener.h"
#include "resolver/routes/board.h"
#include "resolver/serve/filter_board.h"
#include "resolver/serve/serve.h"
#include "resolver/serve/watched.h"

/* A plan that a resolution still works by. */
struct plan_hold {
	struct plan_hold *next OWNED_FIELD;
	struct plan *plan OWNED_FIELD;
};

void shared_free(struct shared *s)
{
	if (s == NULL)
		return;
	anscache_free(MOVE(s->anscache));
	rrcache_free(MOVE(s->rrcache));
	infra_free(MOVE(s->infra));
	keycache_free(MOVE(s->keycache));
	denials_free(MOVE(s->denials));
	core_shared_free(MOVE(s->core));
	route_board_free(MOVE(s->routes));
	filter_board_free(MOVE(s->filters));
	watched_free(MOVE(s->watched));
	epoch_free(MOVE(s->epoch));
	mem_free(s);
}

struct shared *shared_new(const struct plan *p, struct rng *rng)
{
	AUTO(shared_free) struct shared *s = mem_alloc(sizeof *s);
	struct hash_key key[7];

	if (s == NULL)
		return NULL;
	for (size_t i = 0; i < sizeof key / sizeof key[0]; i++)
		key[i] = rng_hash_key(rng);
	atomic_init(&s->stamp, 1);
	s->epoch = epoch_new();
	s->rrcache = rrcache_new(&p->rrcache, &key[0]);
	s->anscache = anscache_new(p->answer_octets, &key[1]);
	s->infra = infra_new(&p->infra, &key[2]);
	s->core = core_shared_new(&key[3]);
	s->keycache = keycache_new(p->key_octets, &key[4]);
	s->routes = route_board_new();
	s->filters = filter_board_new();
	s->denials = denials_new(p->denial_octets, &key[5]);
	s->watched = watched_new(p->watched_addresses, &key[6]);
	if (s->epoch == NULL || s->rrcache == NULL || s->anscache == NULL || s->infra == NULL || s->core == NULL ||
	    s->keycache == NULL || s->routes == NULL || s->filters == NULL || s->denials == NULL || s->watched == NULL)
		return NULL;
	return MOVE(s);
}

void shared_set_plan(struct shared *s, const struct plan *p)
{
	rrcache_set_limits(s->rrcache, &p->rrcache);
	anscache_set_limit(s->anscache, p->answer_octets);
	infra_set_limits(s->infra, &p->infra);
	keycache_set_limit(s->keycache, p->key_octets);
	denials_set_limit(s->denials, p->denial_octets);
	watched_set_max(s->watched, p->watched_addresses);
}

void shared_raise_stamp(struct shared *s)
{
	atomic_fetch_add_explicit(&s->stamp, 1, memory_order_release);
}

static bool has_moved(void *user, const struct ans_entry *e)
{
	const uint32_t *moved = user;

	return (e->watched & *moved) != 0;
}

void shared_look_at_routes(struct shared *s, struct epoch_member *m)
{
	AUTO(route_sheet_unref) struct route_sheet *sheet = NULL;
	uint64_t number = route_board_number(s->routes);
	uint32_t moved;

	if (number == s->looked)
		return;
	s->looked = number;
	sheet = route_board_get(s->routes);
	moved = sheet != NULL ? watched_look(s->watched, sheet->view, s->watched_for) : 0;
	if (moved != 0)
		(void)anscache_flush(s->anscache, m, has_moved, &moved);
}

static void plan_hold_free(struct plan_hold *h) TAKES(1);
DEFINE_AUTO(struct plan_hold, plan_hold_free)
static void plan_hold_free(struct plan_hold *h)
{
	if (h == NULL)
		return;
	plan_unref(MOVE(h->plan));
	mem_free(h);
}

/* All from *at on. */
static void free_holds(struct plan_hold **at)
{
	while (*at != NULL) {
		AUTO(plan_hold_free) struct plan_hold *h = MOVE(*at);

		*at = MOVE(h->next);
	}
}

/* own-ok: R13 what is resolved apart ends in apart.c */
void worker_free(struct worker *w)
{
	if (w == NULL)
		return;
	apart_end_all(w);
	serve_free(MOVE(w->serve));
	core_free(MOVE(w->core));
	upstream_free(MOVE(w->upstream));
	tap_done(&w->tap);
	free_holds(&w->old);
	zones_unref(MOVE(w->zones));
	validation_unref(MOVE(w->validation));
	plan_unref(MOVE(w->plan));
	mem_free(w);
}

/* Somebody sends us what we did not ask for, so much of it that he may have guessed right: nothing of what was learnt stays. */
static void empty_caches(struct upstream_alarm *a)
{
	struct worker *w = PARENT_OF(a, struct worker, alarm);
	struct shared *s = w->env.shared;

	stats_inc(&w->stats, COUNT_UNWANTED_ALARMS);
	(void)rrcache_flush_zone(s->rrcache, w->env.member, name_root);
	shared_raise_stamp(s);
	log_limited(LOG_LEVEL_WARN, "%" PRIu64 " unwanted replies came (unwanted-reply-threshold): the caches are emptied", w->plan->upstream.unwanted_most);
}

static bool make_parts(struct worker *w)
{
	const struct worker_env *e = &w->env;
	struct core_env core = { .loop = e->loop,
		.rrcache = e->shared->rrcache, .routes = e->shared->routes,
		.infra = e->shared->infra,
		.shared = e->shared->core,
		.stats = &w->stats,
		.member = e->member,
		.settings = w->plan->core,
		.keycache = e->shared->keycache,
		.denials = e->shared->denials,
		.validation = w->validation };
	struct serve_env serve = { .loop = e->loop,
		.host = e->host,
		.anscache = e->shared->anscache,
		.member = e->member,
		.stats = &w->stats,
		.settings = w->plan->serve,
		.zones = w->zones->z,
		.stamp = &e->shared->stamp,
		.workers = e->workers,
		.validation = w->validation,
		.routes = e->shared->routes,
		.watched = e->shared->watched,
		.filters = e->shared->filters };

	w->upstream = upstream_new(e->loop, e->host, e->shared->infra, &w->stats, &w->plan->upstream);
	if (w->upstream == NULL)
		return false;
	w->alarm.raise = empty_caches;
	upstream_set_alarm(w->upstream, &w->alarm);
	core.upstream = w->upstream;
	w->core = core_new(&core);
	if (w->core == NULL)
		return false;
	serve.core = w->core;
	w->serve = serve_new(&serve);
	return w->serve != NULL;
}

/* Tells dnstap what the plan says. */
static void set_tap(struct worker *w)
{
	struct tap_ring *ring = w->env.tap != NULL && w->plan->tap->wanted != 0 ? w->env.tap->ring : NULL;
	struct tap *t = ring != NULL ? &w->tap : NULL;

	w->tap.settings = ring != NULL ? w->plan->tap : NULL;
	w->tap.ring = ring;
	w->tap.bell = ring != NULL ? w->env.tap->bell : NULL;
	w->tap.stats = &w->stats;
	w->tap.routes = w->env.shared->routes;
	serve_set_tap(w->serve, t);
	upstream_set_tap(w->upstream, t);
}

struct worker *worker_new(const struct worker_env *env)
{
	AUTO(worker_free) struct worker *w = mem_alloc(sizeof *w);

	if (w == NULL)
		return NULL;
	w->env = *env;
	w->plan = plan_ref(env->plan);
	w->zones = zones_ref(env->zones);
	w->env.plan = w->plan;
	w->env.zones = w->zones;
	if (env->validation != NULL)
		w->validation = validation_ref(env->validation);
	w->env.validation = w->validation;
	if (!make_parts(w))
		return NULL;
	set_tap(w);
	return MOVE(w);
}

RESULT worker_listen(struct worker *w, struct strbuf *report, size_t *ret_failed)
{
	return listener_open(w->serve, report, ret_failed);
}

void worker_stop_listening(struct worker *w)
{
	w->serve->stopping = true;
	listener_close_all(w->serve);
}

/* Lets go of the plans that no resolution works by any more: all that are older than the oldest in use. */
static void drop_old_plans(struct worker *w)
{
	const struct core_settings *oldest = core_oldest_settings(w->core);
	struct plan_hold **at = &w->old;

	/* the list begins with the newest: keep up to and with the oldest in use */
	while (*at != NULL && oldest != w->plan->core) {
		struct plan_hold *h = *at;

		at = &h->next;
		if (h->plan->core == oldest)
			break;
	}
	free_holds(at);
}

void worker_set_plan(struct worker *w, const struct plan *p, const struct zones *z)
{
	AUTO(plan_hold_free) struct plan_hold *h = mem_alloc(sizeof *h);

	if (h == NULL)
		return; /* goes on as before; the next reload may have more luck */
	h->plan = MOVE(w->plan);
	h->next = MOVE(w->old);
	w->old = MOVE(h);
	w->plan = plan_ref(p);
	w->env.plan = w->plan;
	upstream_set(w->upstream, &p->upstream);
	core_set_settings(w->core, w->plan->core);
	worker_set_zones(w, z);
	set_tap(w);
	drop_old_plans(w);
}

void worker_set_zones(struct worker *w, const struct zones *z)
{
	AUTO(zones_unref) struct zones *before = MOVE(w->zones);

	/* messages run first in a turn: nothing is borrowed from the old zones now */
	w->zones = zones_ref(z);
	w->env.zones = z;
	serve_set(w->serve, w->plan->serve, z->z);
}

void worker_set_validation(struct worker *w, const struct validation *v)
{
	AUTO(validation_unref) struct validation *before = MOVE(w->validation);

	if (v != NULL)
		w->validation = validation_ref(v);
	w->env.validation = w->validation;
	core_set_validation(w->core, w->validation);
	serve_set_validation(w->serve, w->validation);
}

struct worker_gauges worker_gauges(const struct worker *w)
{
	return (struct worker_gauges){ w->serve->clients.count, w->serve->refreshes.count, w->serve->sessions.count,
		core_resolutions(w->core) };
}
