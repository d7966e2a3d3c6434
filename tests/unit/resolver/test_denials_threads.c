/*
 * Threads that learn, ask, flush and resize on the denials and the key cache at once, with little memory. Every other zone is NSEC3's. What is said must be true
 * of the zone, whatever part of it is known. Run under ThreadSanitizer as well.
 */
#include "signed_zone.h"

#include <pthread.h>
#include <stdatomic.h>

#include "resolver/cache/keycache.h"
#include "resolver/cache/rrcache.h"

#define THREADS 4
#define ZONES 12u
#define TURNS 150u
#define IN_A_TURN 40u

struct shared {
	struct epoch *e;
	struct denials *d;
	struct keycache *k;
	struct zone *z; /* ZONES of them; only read */
	_Atomic uint64_t said, wrong, keys;
};

struct worker {
	struct shared *s;
	uint64_t x;
};

/* A name that nobody else builds: in this thread's arena. */
static void ask_one(struct worker *w, struct arena *a, struct nsec3_hasher *h, const struct now *now)
{
	static const uint16_t types[] = { RR_A, RR_TXT, RR_DS, RR_NS };
	struct zone *z = &w->s->z[zone_draw(&w->x, ZONES)];
	struct zone mine = *z;
	uint16_t type = types[zone_draw(&w->x, 4)];
	struct denied_answer got;
	struct name name;
	unsigned int closest;

	mine.arena = a;
	name = zone_random_name(&mine, &w->x);
	denials_find(w->s->d, name, type, name_root, h, 20, a, now, &got);
	if (got.what == DENIED_NOTHING)
		return;
	w->s->said++;
	if (got.what != zone_says(&mine, name, type, &closest) && (got.what != DENIED_WILDCARD || zone_find(&mine, name) != NULL))
		w->s->wrong++;
	for (size_t i = 0; i < got.n; i++)
		w->s->wrong += !name_is_under(rrset_name(got.sets[i]), z->apex) || got.sets[i]->sigs != 1 || got.sets[i]->ttl == 0;
}

static void learn_one(struct worker *w, struct epoch_member *m, const struct now *now)
{
	struct zone *z = &w->s->z[zone_draw(&w->x, ZONES)];
	struct trust *t = trust_new(TRUST_INSECURE, z->apex, 1 + zone_draw(&w->x, 9), NULL, NULL, 0, "a text");

	denials_put(w->s->d, z->apex, z->set[zone_draw(&w->x, z->sets)], now);
	denials_put(w->s->d, z->apex, z->soa, now);
	if (t != NULL)
		keycache_put(w->s->k, m, t, 60, now);
}

static void change_something(struct worker *w, struct epoch_member *m)
{
	struct zone *z = &w->s->z[zone_draw(&w->x, ZONES)];
	struct cache_usage u;

	switch (zone_draw(&w->x, 12)) {
	case 0:
		(void)denials_flush(w->s->d, z->apex);
		(void)keycache_flush(w->s->k, m, z->apex);
		break;
	case 1:
		denials_set_limit(w->s->d, (60u + zone_draw(&w->x, 100)) << 10);
		break;
	case 2:
		denials_usage(w->s->d, &u);
		break;
	default:
		break;
	}
}

static void turn(struct worker *w, struct epoch_member *m, struct arena *a, struct nsec3_hasher *h, const struct now *now)
{
	const struct trust *held[IN_A_TURN];

	for (unsigned int i = 0; i < IN_A_TURN; i++) {
		held[i] = keycache_get(w->s->k, w->s->z[zone_draw(&w->x, ZONES)].apex, now);
		if (i % 3 == 0)
			learn_one(w, m, now);
		ask_one(w, a, h, now);
	}
	change_something(w, m);
	for (unsigned int i = 0; i < IN_A_TURN; i++) {
		w->s->keys += held[i] != NULL;
		w->s->wrong += held[i] != NULL && strcmp(held[i]->text, "a text") != 0;
	}
	arena_reset(a);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct epoch_member *m = epoch_join(w->s->e);
	struct arena *a = arena_new(0);
	struct nsec3_hasher *h = nsec3_hasher_new();

	for (unsigned int i = 0; m != NULL && a != NULL && h != NULL && i < TURNS; i++) {
		struct now now = at_ms(i * 200);

		epoch_online(m);
		turn(w, m, a, h, &now);
		epoch_quiesce(m);
		if (i % 16 == 0)
			epoch_offline(m);
	}
	nsec3_hasher_free(h);
	arena_free(a);
	epoch_leave(m);
	return NULL;
}

static void make_zones(struct shared *s, struct arena *a)
{
	AUTO(nsec3_hasher_free) struct nsec3_hasher *h = nsec3_hasher_new();
	uint64_t x = 0x9e3779b97f4a7c15u;

	assert_non_null(h);
	s->z = arena_alloc_array(a, ZONES, sizeof *s->z);
	assert_non_null(s->z);
	for (unsigned int i = 0; i < ZONES; i++) {
		char label[8];

		(void)snprintf(label, sizeof label, "zone%u", i);
		zone_make(&s->z[i], a, zone_name_below(a, name_root, label, strlen(label)), &x);
		s->z[i].ttl = 3;
		if (i % 2 == 0)
			zone_make_nsecs(&s->z[i]);
		else
			zone_make_nsec3s(&s->z[i], h);
	}
}

static void what_is_said_is_true_while_everything_changes(void **state)
{
	uint64_t before = mem_usage().objects;
	struct arena *a = arena_new(0);
	struct shared s = { .e = epoch_new(), .d = denials_new(100 << 10, &test_key), .k = keycache_new(20 << 10, &test_key) };
	struct worker w[THREADS];
	pthread_t t[THREADS];

	(void)state;
	assert_true(a != NULL && s.e != NULL && s.d != NULL && s.k != NULL);
	make_zones(&s, a);
	for (unsigned int i = 0; i < THREADS; i++) {
		w[i] = (struct worker){ &s, 88172645463325252u + i * 7919u };
		assert_int_equal(pthread_create(&t[i], NULL, work, &w[i]), 0);
	}
	for (unsigned int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(t[i], NULL), 0);
	assert_int_equal(s.wrong, 0);
	assert_true(s.said > 1000 && s.keys > 1000);
	denials_free(s.d);
	keycache_free(s.k);
	epoch_free(s.e);
	arena_free(a);
	assert_int_equal(mem_usage().objects, before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_said_is_true_while_everything_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
