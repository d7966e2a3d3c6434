#include "cache_unit.h"

#include "base/cursor.h"
#include "resolver/cache/anscache.h"
#include "resolver/cache/rrcache.h"

/* A packet with header and question only, followed by `extra` octets. */
static struct ans_entry *entry(const struct anscache *c, const struct ans_key *k, size_t extra)
{
	size_t len = MSG_HEADER + k->name.len + 4u + extra;
	struct ans_entry *e = ans_entry_new(2, len, 3);
	uint8_t *p;

	if (e == NULL)
		return NULL;
	p = (uint8_t *)(e + 1) + 4;
	octets_lower(p + MSG_HEADER, k->name.wire, k->name.len);
	store16(p + MSG_HEADER + k->name.len, k->type);
	store16(p + MSG_HEADER + k->name.len + 2, k->rclass);
	e->question_end = (uint16_t)(MSG_HEADER + k->name.len + 4u);
	e->variant = k->variant;
	e->hash = anscache_hash(c, k);
	return e;
}

static struct ans_key key(struct turn *t, const char *name, uint16_t type, uint32_t variant)
{
	return (struct ans_key){ nm(t, name), type, CLASS_IN, variant };
}

static void put(struct anscache *c, struct turn *t, const struct ans_key *k, uint64_t stamp)
{
	struct ans_entry *e = entry(c, k, 40);

	assert_non_null(e);
	e->stamp = stamp;
	anscache_put(c, t->m, MOVE(e));
}

static const struct ans_entry *get(struct anscache *c, const struct ans_key *k)
{
	uint64_t h = anscache_hash(c, k);

	anscache_prefetch(c, h);
	anscache_prefetch_entry(c, h);
	return anscache_get(c, k, h);
}

static struct cache_usage usage(const struct anscache *c)
{
	struct cache_usage u;

	anscache_usage(c, &u);
	return u;
}

#define BEGIN(octets) \
	struct turn t = turn_begin(); \
	struct anscache *c = anscache_new((octets), &test_key); \
	(void)state; \
	assert_non_null(c)
#define END \
	anscache_free(c); \
	turn_end(&t)

static void an_answer_is_found_by_its_question_in_any_case(void **state)
{
	BEGIN(1 << 20);
	struct ans_key k = key(&t, "www.example.org.", RR_A, ANS_DO);
	struct ans_key upper = key(&t, "WWW.Example.Org.", RR_A, ANS_DO);
	const struct ans_entry *e;

	assert_null(get(c, &k));
	put(c, &t, &upper, 42);
	e = get(c, &k);
	assert_non_null(e);
	assert_ptr_equal(get(c, &upper), e);
	assert_int_equal(e->stamp, 42);
	assert_int_equal(e->len, 12 + 17 + 4 + 40);
	assert_int_equal(e->ede_len, 3);
	assert_ptr_equal(ans_packet(e), (const uint8_t *)(e + 1) + 4);
	assert_ptr_equal(ans_ede(e), ans_packet(e) + e->len);
	END;
}

static void every_part_of_the_key_counts(void **state)
{
	BEGIN(1 << 20);
	struct ans_key k = key(&t, "www.example.org.", RR_A, ANS_DO), other;

	put(c, &t, &k, 1);
	other = key(&t, "www.example.com.", RR_A, ANS_DO);
	assert_null(get(c, &other));
	other = key(&t, "www.example.org.", RR_AAAA, ANS_DO);
	assert_null(get(c, &other));
	other = key(&t, "www.example.org.", RR_A, ANS_DO | ANS_CD);
	assert_null(get(c, &other));
	other = key(&t, "www.example.org.", RR_A, ANS_DO | 1 << 2);
	assert_null(get(c, &other));
	other = k;
	other.rclass = CLASS_CH;
	assert_null(get(c, &other));
	/* the hash alone is not believed */
	other = key(&t, "wwx.example.org.", RR_A, ANS_DO);
	assert_null(anscache_get(c, &other, anscache_hash(c, &k)));
	other = key(&t, "www.example.org.", RR_A, 0);
	assert_null(anscache_get(c, &other, anscache_hash(c, &k)));
	other = key(&t, "www.example.org.", RR_AAAA, ANS_DO);
	assert_null(anscache_get(c, &other, anscache_hash(c, &k)));
	END;
}

static void a_newer_answer_replaces_an_older_one(void **state)
{
	BEGIN(1 << 20);
	struct ans_key k = key(&t, "a.example.", RR_A, 0);
	const struct ans_entry *old;

	put(c, &t, &k, 1);
	old = get(c, &k);
	put(c, &t, &k, 2);
	assert_int_equal(get(c, &k)->stamp, 2);
	assert_int_equal(old->stamp, 1); /* good until the turn ends */
	assert_int_equal(usage(c).entries, 1);
	anscache_drop(c, t.m, old); /* is not there any more */
	assert_int_equal(usage(c).entries, 1);
	anscache_drop(c, t.m, get(c, &k));
	assert_null(get(c, &k));
	assert_int_equal(usage(c).entries, 0);
	END;
}

static bool has_stamp(void *user, const struct ans_entry *e)
{
	return e->stamp == *(const uint64_t *)user;
}

static void answers_are_flushed_by_choice_or_all(void **state)
{
	BEGIN(1 << 20);
	struct ans_key a = key(&t, "a.example.", RR_A, 0), b = key(&t, "b.example.", RR_A, 0);
	uint64_t two = 2;

	put(c, &t, &a, 1);
	put(c, &t, &b, 2);
	assert_int_equal(anscache_flush(c, t.m, has_stamp, &two), 1);
	assert_non_null(get(c, &a));
	assert_null(get(c, &b));
	assert_int_equal(anscache_flush(c, t.m, NULL, NULL), 1);
	assert_null(get(c, &a));
	END;
}

static void an_entry_that_cannot_be_found_or_held_is_freed(void **state)
{
	BEGIN(1 << 20);
	struct ans_key k = key(&t, "a.example.", RR_A, 0);
	struct ans_entry *e = entry(c, &k, 10);

	e->question_end = 12;
	anscache_put(c, t.m, MOVE(e));
	e = entry(c, &k, 10);
	e->question_end = (uint16_t)(e->len + 1);
	anscache_put(c, t.m, MOVE(e));
	anscache_set_limit(c, 1000);
	e = entry(c, &k, 500);
	anscache_put(c, t.m, MOVE(e));
	assert_int_equal(usage(c).entries, 0);
	assert_int_equal(usage(c).refused, 1);
	assert_null(ans_entry_new(1, 65536, 0));
	END;
}

static void what_is_retired_counts_until_it_is_freed(void **state)
{
	BEGIN(1 << 20);
	struct ans_key k = key(&t, "a.example.", RR_A, 0);
	uint64_t one;

	put(c, &t, &k, 1);
	one = usage(c).octets;
	put(c, &t, &k, 2);
	assert_true(usage(c).octets > one);
	epoch_quiesce(t.m);
	assert_int_equal(usage(c).octets, one);
	END;
}

static void number_key(struct ans_key *k, uint8_t buf[16], uint32_t n)
{
	memcpy(buf, "\10xxxxxxxx\7", 10);
	for (int i = 0; i < 8; i++)
		buf[1 + i] = (uint8_t)('a' + (n >> (4 * i) & 15));
	memcpy(buf + 9, "\0", 1);
	*k = (struct ans_key){ { buf, 10, 1 }, RR_A, CLASS_IN, 0 };
}

/* One look-up, and the answer stored when it is not there. */
static bool ask(struct anscache *c, struct epoch_member *m, uint32_t n)
{
	uint8_t name[16];
	struct ans_key k;
	struct ans_entry *e;

	number_key(&k, name, n);
	if (anscache_get(c, &k, anscache_hash(c, &k)) != NULL)
		return true;
	e = entry(c, &k, 100);
	assert_non_null(e);
	anscache_put(c, m, MOVE(e));
	epoch_quiesce(m);
	return false;
}

static uint32_t draw(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return (uint32_t)(*x >> 32);
}

#define POPULAR 20000u
/* Zipf with exponent 1: the k-th is asked in proportion to 1/k. */
static uint32_t zipf(uint64_t *x)
{
	static double sums[POPULAR];
	uint32_t low = 0, high = POPULAR - 1;
	double u;

	for (uint32_t i = 0; sums[POPULAR - 1] == 0 && i < POPULAR; i++)
		sums[i] = (i == 0 ? 0 : sums[i - 1]) + 1.0 / (i + 1);
	u = draw(x) / 4294967296.0 * sums[POPULAR - 1];
	while (low < high) {
		uint32_t mid = (low + high) / 2;

		if (sums[mid] < u)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Hits in 100 of a client with usual habits, while `noise` names that are asked once come between each two of his questions. */
static double hit_rate(struct anscache *c, struct epoch_member *m, unsigned int questions, unsigned int noise, uint64_t *x, uint32_t *once)
{
	unsigned int hits = 0;

	for (unsigned int i = 0; i < questions; i++) {
		for (unsigned int n = 0; n < noise; n++)
			(void)ask(c, m, (*once)++);
		hits += ask(c, m, zipf(x));
	}
	return 100.0 * hits / questions;
}

static void names_asked_once_do_not_push_out_what_is_asked_often(void **state)
{
	BEGIN(1 << 20); /* room for some 4,000 answers of that size */
	uint64_t x = 88172645463325252u;
	uint32_t once = 1000000;
	double calm, storm;

	(void)hit_rate(c, t.m, 60000, 0, &x, &once);
	calm = hit_rate(c, t.m, 40000, 0, &x, &once);
	storm = hit_rate(c, t.m, 40000, 4, &x, &once); /* forty times what the cache holds */
	print_message("hit rate: %.1f, among names asked once: %.1f; %u entries, %u KiB\n", calm, storm,
	    (unsigned int)usage(c).entries, (unsigned int)(usage(c).octets >> 10));
	assert_true(calm > 75);
	assert_true(calm - storm <= 5);
	assert_true(usage(c).octets <= usage(c).limit_octets);
	END;
}

static void memory_stays_within_its_limit(void **state)
{
	BEGIN(1 << 20);
	for (uint32_t i = 0; i < 50000; i++) {
		(void)ask(c, t.m, i);
		assert_true(usage(c).octets <= usage(c).limit_octets);
	}
	assert_true(usage(c).entries > 3000);
	assert_true(usage(c).evicted > 40000);
	END;
}

/* A thread that does not end its turn holds what was retired: then nothing new is taken, and nothing more evicted. */
static void when_too_much_is_retired_nothing_new_is_taken(void **state)
{
	BEGIN(1 << 20);
	struct epoch_member *sleeper = epoch_join(t.e);

	for (uint32_t i = 0; i < 10000; i++)
		(void)ask(c, t.m, i);
	epoch_online(sleeper);
	for (uint32_t i = 10000; i < 100000; i++)
		(void)ask(c, t.m, i);
	assert_true(usage(c).octets < usage(c).limit_octets + (2 << 20));
	assert_true(usage(c).refused > 50000);
	epoch_leave(sleeper);
	epoch_quiesce(t.m);
	for (uint32_t i = 0; i < 1000; i++)
		(void)ask(c, t.m, 200000 + i);
	assert_true(usage(c).octets <= usage(c).limit_octets);
	END;
}

static void out_of_memory_loses_nothing_but_what_was_to_be_stored(void **state)
{
	(void)state;
	for (uint64_t n = 1;; n++) {
		struct turn t = turn_begin();
		struct anscache *c;
		bool failed;

		mem_fail_at(n, false);
		c = anscache_new(1 << 20, &test_key);
		for (uint32_t i = 0; c != NULL && i < 3000; i++) {
			uint8_t name[16];
			struct ans_key k;
			struct ans_entry *e;

			number_key(&k, name, i);
			e = entry(c, &k, 10);
			if (e != NULL)
				anscache_put(c, t.m, MOVE(e));
		}
		failed = mem_failed();
		mem_fail_at(0, false);
		if (c != NULL)
			assert_true(usage(c).entries >= 2995); /* a table or a queue that could not grow costs a little */
		anscache_free(c);
		turn_end(&t);
		if (!failed || n > 400)
			break;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_is_found_by_its_question_in_any_case),
		cmocka_unit_test(every_part_of_the_key_counts),
		cmocka_unit_test(a_newer_answer_replaces_an_older_one),
		cmocka_unit_test(answers_are_flushed_by_choice_or_all),
		cmocka_unit_test(an_entry_that_cannot_be_found_or_held_is_freed),
		cmocka_unit_test(what_is_retired_counts_until_it_is_freed),
		cmocka_unit_test(names_asked_once_do_not_push_out_what_is_asked_often),
		cmocka_unit_test(memory_stays_within_its_limit),
		cmocka_unit_test(when_too_much_is_retired_nothing_new_is_taken),
		cmocka_unit_test(out_of_memory_loses_nothing_but_what_was_to_be_stored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
