/*
 * Readers, writers and flushers on both caches and the server facts at once, over few names and little memory, so that
 * everything is replaced, evicted and freed all the time. What a reader finds must be whole and belong to the name he asked
 * for, to the end of his turn. Run under ThreadSanitizer as well.
 */
#include "cache_unit.h"

#include <pthread.h>
#include <stdatomic.h>

#include "resolver/cache/anscache.h"
#include "resolver/cache/infra.h"
#include "resolver/cache/rrcache.h"

#define READERS 3
#define WRITERS 2
#define NAMES 3000u
#define TURNS 800u
#define IN_A_TURN 60u

struct shared {
	struct epoch *e;
	struct anscache *ans;
	struct rrcache *rr;
	struct infra *infra;
	_Atomic uint64_t found, wrong;
};

struct worker {
	struct shared *s;
	uint64_t x;
	bool writes;
};

static uint32_t draw(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return (uint32_t)(*x >> 32);
}

static void number_name(uint8_t name[11], uint32_t n)
{
	memcpy(name, "\5nAAAA\3abc", 11);
	for (int i = 0; i < 4; i++)
		name[2 + i] = (uint8_t)('a' + (n >> (4 * i) & 15));
}

static struct ans_key key_of(const uint8_t name[11])
{
	return (struct ans_key){ { name, 11, 2 }, RR_A, CLASS_IN, 0 };
}

/* All octets behind the question are one mark, and the stamp as well. */
static void write_answer(struct shared *s, struct epoch_member *m, uint32_t n, uint8_t mark)
{
	uint8_t name[11];
	size_t len = 12 + 11 + 4 + 60 + n % 50;
	struct ans_entry *e = ans_entry_new(0, len, 0);

	if (e == NULL)
		return;
	number_name(name, n);
	struct ans_key k = key_of(name);
	uint8_t *p = (uint8_t *)(e + 1);
	memcpy(p + 12, name, 11);
	store16(p + 23, RR_A);
	store16(p + 25, CLASS_IN);
	memset(p + 27, mark, len - 27);
	e->question_end = 27;
	e->stamp = mark;
	e->hash = anscache_hash(s->ans, &k);
	anscache_put(s->ans, m, MOVE(e));
}

static bool answer_is_whole(const struct ans_entry *e, const uint8_t name[11])
{
	if (memcmp(ans_packet(e) + 12, name, 11) != 0)
		return false;
	for (size_t i = 27; i < e->len; i++)
		if (ans_packet(e)[i] != e->stamp)
			return false;
	return true;
}

static bool bundle_is_whole(const struct bundle *b, const uint8_t name[11])
{
	const struct rrset *rs = bundle_set(b, 0);

	return memcmp(rrset_name(rs).wire, name, 11) == 0 && rrset_rdata(rs, 0).n == 4 && rrset_rdata(rs, 0).p[0] == 192;
}

static void read_turn(struct worker *w, const struct now *now)
{
	const struct ans_entry *held[IN_A_TURN];
	uint8_t name[IN_A_TURN][11];

	for (unsigned int i = 0; i < IN_A_TURN; i++) {
		number_name(name[i], draw(&w->x) % NAMES);
		struct ans_key k = key_of(name[i]);
		struct bundle_key bk = { k.name, RR_A, CLASS_IN, BUNDLE_DATA };
		uint64_t h = anscache_hash(w->s->ans, &k);
		anscache_prefetch(w->s->ans, h);
		anscache_prefetch_entry(w->s->ans, h);
		held[i] = anscache_get(w->s->ans, &k, h);
		const struct bundle *b = rrcache_get(w->s->rr, &bk, now, RRCACHE_STALE);
		if (b != NULL && !bundle_is_whole(b, name[i]))
			w->s->wrong++;
		(void)rrcache_deepest_delegation(w->s->rr, k.name, CLASS_IN, now);
	}
	for (unsigned int i = 0; i < IN_A_TURN; i++) {
		w->s->found += held[i] != NULL;
		w->s->wrong += held[i] != NULL && !answer_is_whole(held[i], name[i]);
	}
}

static void write_set(struct worker *w, struct epoch_member *m, struct arena *a, uint32_t n, const struct now *now)
{
	uint8_t name[11], address[4] = { 192, 0, 2, (uint8_t)n };
	struct span rdata = span_of(address, 4);

	number_name(name, n);
	struct bundle_key k = { { name, 11, 2 }, RR_A, CLASS_IN, BUNDLE_DATA };
	const struct rrset *rs = rrset_make_in(a, k.name, RR_A, CLASS_IN, 1 + n % 5, &rdata, 1, 0);
	if (rs != NULL)
		(void)OK(rrcache_put(w->s->rr, m, &k, &rs, 1, 0, now));
	const struct bundle *b = rrcache_get(w->s->rr, &k, now, 0);
	if (b != NULL && n % 3 == 0)
		(void)OK(rrcache_set_security(w->s->rr, m, b, SECURITY_INSECURE, 60, now));
	if (n % 7 == 0)
		(void)OK(rrcache_put_failure(w->s->rr, m, &k, 2, 0, "why", 5, 300, now));
	arena_reset(a);
}

static bool is_third(void *user, const struct ans_entry *e)
{
	(void)user;
	return e->stamp % 3 == 0;
}

static void flush_something(struct worker *w, struct epoch_member *m)
{
	static const uint8_t zone[] = "\3abc";

	switch (draw(&w->x) % 40) {
	case 0:
		(void)anscache_flush(w->s->ans, m, is_third, NULL);
		break;
	case 1:
		(void)rrcache_flush_zone(w->s->rr, m, (struct name){ zone, 5, 1 });
		break;
	case 2:
		(void)rrcache_flush_class(w->s->rr, m, FLUSH_NEGATIVE);
		break;
	case 3:
		anscache_set_limit(w->s->ans, (128u + draw(&w->x) % 256) << 10);
		break;
	default:
		break;
	}
}

static struct result look(void *user, const struct bundle *b)
{
	*(uint64_t *)user += bundle_info(b)->ttl;
	return DONE;
}

static void write_turn(struct worker *w, struct epoch_member *m, struct arena *a, const struct now *now)
{
	uint64_t sum = 0;
	struct result r;

	for (unsigned int i = 0; i < IN_A_TURN; i++) {
		uint32_t n = draw(&w->x) % NAMES;
		struct endpoint e = { { ADDR_V4, { 192, 0, (uint8_t)(n >> 8), (uint8_t)n } }, 53, 0 };
		struct server_facts f;

		write_answer(w->s, m, n, (uint8_t)draw(&w->x));
		write_set(w, m, a, n, now);
		infra_note_rtt(w->s->infra, &e, n, now);
		infra_note_timeout(w->s->infra, &e, now);
		infra_get(w->s->infra, &e, now, &f);
		if (n % 5 == 0) {
			uint8_t name[11];

			number_name(name, n);
			struct ans_key k = key_of(name);
			const struct ans_entry *old = anscache_get(w->s->ans, &k, anscache_hash(w->s->ans, &k));
			if (old != NULL)
				anscache_drop(w->s->ans, m, old);
		}
	}
	flush_something(w, m);
	(void)rrcache_visit(w->s->rr, 0, 64, look, &sum, &r);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct epoch_member *m = epoch_join(w->s->e);
	struct arena *a = arena_new(0);

	for (unsigned int turn = 0; m != NULL && a != NULL && turn < TURNS; turn++) {
		struct now now = at_ms(turn * 50);

		epoch_online(m);
		if (w->writes)
			write_turn(w, m, a, &now);
		else
			read_turn(w, &now);
		epoch_quiesce(m);
		if (turn % 16 == 0)
			epoch_offline(m);
	}
	arena_free(a);
	epoch_leave(m);
	return NULL;
}

/* So that readers find something, whoever runs first. */
static void fill(struct shared *s)
{
	struct epoch_member *m = epoch_join(s->e);

	assert_non_null(m);
	epoch_online(m);
	for (uint32_t n = 0; n < NAMES; n++)
		write_answer(s, m, n, (uint8_t)n);
	epoch_offline(m);
	epoch_leave(m);
}

static void readers_see_whole_entries_while_writers_replace_and_evict(void **state)
{
	struct rrcache_limits l = { .octets = 300 << 10, .max_ttl = 86400, .keep_expired_sec = 10 };
	struct infra_limits il = { .host_ttl_sec = 900, .max_entries = 1100, .min_rtt_ms = 50, .max_rtt_ms = 1000 };
	uint64_t before = mem_usage().objects;
	struct shared s = { epoch_new(), anscache_new(256 << 10, &test_key), rrcache_new(&l, &test_key), infra_new(&il, &test_key), 0, 0 };
	struct worker w[READERS + WRITERS];
	pthread_t t[READERS + WRITERS];

	(void)state;
	assert_true(s.e != NULL && s.ans != NULL && s.rr != NULL && s.infra != NULL);
	fill(&s);
	for (unsigned int i = 0; i < READERS + WRITERS; i++) {
		w[i] = (struct worker){ &s, 88172645463325252u + i * 7919u, i >= READERS };
		assert_int_equal(pthread_create(&t[i], NULL, work, &w[i]), 0);
	}
	for (unsigned int i = 0; i < READERS + WRITERS; i++)
		assert_int_equal(pthread_join(t[i], NULL), 0);
	assert_int_equal(s.wrong, 0);
	assert_true(s.found > 1000);
	assert_true(rrcache_usage(s.rr).evicted > 0);
	anscache_free(s.ans);
	rrcache_free(s.rr);
	infra_free(s.infra);
	epoch_free(s.e);
	assert_int_equal(mem_usage().objects, before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(readers_see_whole_entries_while_writers_replace_and_evict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
