#include "resolver/apart.h"

#include "base/epoch.h"
#include "base/mem.h"
#include "base/rng.h"
#include "resolver/cache/denials.h"
#include "resolver/cache/keycache.h"
#include "resolver/worker.h"

#define APART_OCTETS (1u << 20) /* of each cache */

struct apart {
	struct apart *next OWNED_FIELD; /* of the worker */
	struct worker *worker PARENT_FIELD;
	struct dead dead;
	bool ending;
	struct plan *plan OWNED_FIELD;
	struct validation *validation OWNED_FIELD;
	struct epoch *epoch OWNED_FIELD;
	struct epoch_member *member OWNED_FIELD; /* online all its life: nothing that it read goes away */
	struct rrcache *rrcache OWNED_FIELD;
	struct keycache *keycache OWNED_FIELD;
	struct denials *denials OWNED_FIELD;
	struct core_shared *shared OWNED_FIELD;
	struct core *core OWNED_FIELD;
};

static void apart_free(struct apart *a) TAKES(1);
DEFINE_AUTO(struct apart, apart_free)
static void apart_free(struct apart *a)
{
	if (a == NULL)
		return;
	core_free(MOVE(a->core));
	core_shared_free(MOVE(a->shared));
	keycache_free(MOVE(a->keycache));
	denials_free(MOVE(a->denials));
	rrcache_free(MOVE(a->rrcache));
	epoch_leave(MOVE(a->member));
	epoch_free(MOVE(a->epoch));
	validation_unref(MOVE(a->validation));
	plan_unref(MOVE(a->plan));
	mem_free(a);
}

static bool make_core(struct apart *a)
{
	const struct worker_env *e = &a->worker->env;
	struct core_env core = { .loop = e->loop, .upstream = a->worker->upstream, .rrcache = a->rrcache, .infra = e->shared->infra, .shared = a->shared,
		.stats = &a->worker->stats, .member = a->member, .settings = a->plan->core, .keycache = a->keycache, .denials = a->denials,
		.validation = a->validation };

	a->core = core_new(&core);
	return a->core != NULL;
}

static bool make_caches(struct apart *a)
{
	struct rrcache_limits limits = a->plan->rrcache;
	struct hash_key key[4];

	for (size_t i = 0; i < sizeof key / sizeof key[0]; i++)
		key[i] = rng_hash_key(loop_rng(a->worker->env.loop));
	limits.octets = APART_OCTETS;
	a->epoch = epoch_new();
	if (a->epoch == NULL)
		return false;
	a->member = epoch_join(a->epoch);
	a->rrcache = rrcache_new(&limits, &key[0]);
	a->keycache = keycache_new(APART_OCTETS, &key[1]);
	a->denials = denials_new(APART_OCTETS, &key[2]);
	a->shared = core_shared_new(&key[3]);
	if (a->member == NULL || a->rrcache == NULL || a->keycache == NULL || a->denials == NULL || a->shared == NULL)
		return false;
	epoch_online(a->member);
	return true;
}

struct apart *apart_begin(struct worker *w, const struct validation *by)
{
	AUTO(apart_free) struct apart *made = mem_alloc(sizeof *made);
	struct apart *a = made;

	if (a == NULL)
		return NULL;
	a->worker = w;
	a->plan = plan_ref(w->plan);
	a->validation = validation_ref(by);
	if (!make_caches(a) || !make_core(a))
		return NULL;
	a->next = MOVE(w->apart);
	w->apart = MOVE(made);
	return a;
}

struct core *apart_core(struct apart *a)
{
	return a->core;
}

/* The worker has it no longer. */
static struct apart *take_out(struct apart *a) OWNED_BY(apart_free);
static struct apart *take_out(struct apart *a)
{
	struct apart **at = &a->worker->apart;
	AUTO(apart_free) struct apart *out = NULL;

	while (*at != a)
		at = &(*at)->next;
	out = MOVE(*at);
	*at = MOVE(out->next);
	return MOVE(out);
}

static void bury(struct dead *d)
{
	apart_free(PARENT_OF(d, struct apart, dead));
}

void apart_end(struct apart *a)
{
	AUTO(apart_free) struct apart *out = NULL;

	if (a->ending)
		return;
	a->ending = true;
	out = take_out(a);
	loop_bury(out->worker->env.loop, &out->dead, bury);
	(void)MOVE(out); /* own-ok: R3 the grave has it */
}

void apart_end_all(struct worker *w)
{
	while (w->apart != NULL) {
		AUTO(apart_free) struct apart *a = take_out(w->apart);

		a->ending = true;
	}
}
