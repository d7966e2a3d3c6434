/*
 * Threads publish, read and retire at once, for a bounded number of turns. What a reader finds must carry its canary until the
 * end of the turn; destroying overwrites it, and the sanitizers see the rest.
 */
#include "unit.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/epoch.h"
#include "base/rng.h"

#define CANARY UINT64_C(0x5ca1ab1e0ddba11)
#define SLOTS 16
#define THREADS 4

struct object {
	struct retired r;
	uint64_t canary; /* immutable while published */
	uint64_t value;  /* likewise: CANARY ^ value is check */
	uint64_t check;
};

struct world {
	struct epoch *e;
	struct object *_Atomic slot[SLOTS];
	_Atomic uint64_t made, destroyed, reads;
	uint64_t turns;
};

static struct world *world_of_object; /* for destroy, which is given nothing else */

static void object_destroy(struct retired *r)
{
	struct object *o = (struct object *)(void *)r;

	if (o->canary != CANARY)
		abort();
	o->canary = 0xdead;
	o->check = 0xdead;
	atomic_fetch_add_explicit(&world_of_object->destroyed, 1, memory_order_relaxed);
	mem_free(o);
}

static struct object *object_new(struct world *w, uint64_t value) OWNED_BY(mem_free);
static struct object *object_new(struct world *w, uint64_t value)
{
	struct object *o = mem_alloc(sizeof(*o));

	if (o == NULL)
		abort();
	o->canary = CANARY;
	o->value = value;
	o->check = CANARY ^ value;
	atomic_fetch_add_explicit(&w->made, 1, memory_order_relaxed);
	return o;
}

static void replace(struct world *w, struct epoch_member *m, uint32_t i, uint64_t value)
{
	struct object *old = atomic_exchange_explicit(&w->slot[i], object_new(w, value), memory_order_acq_rel);

	if (old != NULL)
		epoch_retire(m, &old->r, sizeof(*old), object_destroy);
}

static void check(const struct object *o)
{
	if (o->canary != CANARY || o->check != (CANARY ^ o->value))
		abort();
}

/* One turn: some objects are borrowed, others replaced, and at the end all that was borrowed must still be good. */
static void turn(struct world *w, struct epoch_member *m, struct rng *r)
{
	const struct object *held[8];
	unsigned int n = 0;

	for (unsigned int i = 0; i < 8; i++) {
		const struct object *o = atomic_load_explicit(&w->slot[rng_below(r, SLOTS)], memory_order_acquire);

		if (o != NULL)
			held[n++] = o;
		if (rng_below(r, 4) == 0)
			replace(w, m, rng_below(r, SLOTS), rng64(r));
	}
	if (rng_below(r, 64) == 0)
		sched_yield();
	for (unsigned int i = 0; i < n; i++)
		check(held[i]);
	atomic_fetch_add_explicit(&w->reads, n, memory_order_relaxed);
}

struct worker {
	struct world *w;
	pthread_t thread;
	uint64_t seed;
};

static void *work(void *p)
{
	struct worker *me = p;
	AUTO(rng_free) struct rng *r = rng_new_seeded(me->seed);
	struct epoch_member *m = epoch_join(me->w->e);

	epoch_online(m);
	for (uint64_t i = 0; i < me->w->turns; i++) {
		turn(me->w, m, r);
		epoch_quiesce(m);
		switch (rng_below(r, 16)) {
		case 0: /* sleeps */
			epoch_offline(m);
			if (rng_below(r, 8) == 0)
				sched_yield();
			epoch_online(m);
			break;
		case 1:
			if (rng_below(r, 32) == 0) { /* another thread comes in its place */
				epoch_leave(m);
				m = epoch_join(me->w->e);
				epoch_online(m);
			}
			break;
		default:
			break;
		}
	}
	epoch_leave(m);
	return NULL;
}

static uint64_t turns_wanted(void)
{
	const char *s = getenv("CAIRN_STRESS_TURNS");

	return s != NULL ? strtoull(s, NULL, 10) : 20000;
}

static void nothing_is_freed_under_a_reader(void **state)
{
	static struct worker workers[THREADS];
	struct mem_usage before = mem_usage();
	struct world w = { .e = epoch_new(), .turns = turns_wanted() };
	uint64_t left = 0;

	(void)state;
	world_of_object = &w;
	for (unsigned int i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){ .w = &w, .seed = i + 1 };
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	}
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(workers[i].thread, NULL);
	for (unsigned int i = 0; i < SLOTS; i++) {
		if (w.slot[i] == NULL)
			continue;
		check(w.slot[i]);
		mem_free(w.slot[i]);
		left++;
	}
	epoch_free(w.e);
	assert_true(w.reads > 0);
	assert_int_equal(w.made, w.destroyed + left);
	assert_true(w.destroyed > w.turns / 2);
	assert_int_equal(mem_usage().objects, before.objects);
}

/*
 * Coming online against freeing. The reader's stores are slow on purpose (lines that the other thread writes too), so that
 * without the full fence of epoch_online the one that says "online" comes too late for the freeing thread.
 */
struct duel {
	struct world *w;
	_Alignas(64) _Atomic uint64_t busy[32][8];
	_Atomic bool stop;
};

static void *duel_read(void *p)
{
	struct duel *d = p;
	struct epoch_member *m = epoch_join(d->w->e);

	for (uint64_t i = 0; i < d->w->turns * 100; i++) {
		const struct object *o;

		for (unsigned int k = 0; k < 32; k++)
			atomic_store_explicit(&d->busy[k][0], i, memory_order_relaxed);
		epoch_online(m);
		o = atomic_load_explicit(&d->w->slot[0], memory_order_acquire);
		for (unsigned int k = 0; o != NULL && k < 8; k++)
			check(o);
		epoch_offline(m);
	}
	epoch_leave(m);
	atomic_store(&d->stop, true);
	return NULL;
}

static void coming_online_is_noticed(void **state)
{
	static struct duel d;
	struct world w = { .e = epoch_new(), .turns = turns_wanted() };
	struct epoch_member *m = epoch_join(w.e);
	pthread_t t;

	(void)state;
	d.w = &w;
	atomic_store(&d.stop, false);
	world_of_object = &w;
	epoch_online(m);
	assert_int_equal(pthread_create(&t, NULL, duel_read, &d), 0);
	for (uint64_t i = 0; !atomic_load_explicit(&d.stop, memory_order_relaxed); i++) {
		replace(&w, m, 0, i);
		epoch_quiesce(m);
		atomic_store_explicit(&d.busy[i % 32][1], i, memory_order_relaxed);
	}
	pthread_join(t, NULL);
	if (w.slot[0] != NULL)
		mem_free(w.slot[0]);
	epoch_leave(m);
	epoch_free(w.e);
}

static void what_is_retired_is_freed_in_time(void **state)
{
	struct epoch *e = epoch_new();
	struct epoch_member *m = epoch_join(e);
	struct world w = { .e = e };

	(void)state;
	world_of_object = &w;
	epoch_online(m);
	for (unsigned int i = 0; i < 1000; i++) {
		replace(&w, m, 0, i);
		epoch_quiesce(m);
		assert_int_equal(epoch_retired_octets(e), 0);
	}
	mem_free(w.slot[0]);
	epoch_leave(m);
	epoch_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_freed_under_a_reader),
		cmocka_unit_test(coming_online_is_noticed),
		cmocka_unit_test(what_is_retired_is_freed_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
