#include "cache_unit.h"

#include "resolver/cache/slots.h"

struct thing {
	struct slot_item item;
	uint64_t number;
	uint64_t version;
	char filling[100];
};

/* Well spread over shards, buckets and tags. */
static uint64_t hash_of(uint64_t number)
{
	return siphash13(&test_key, &number, sizeof(number));
}

static bool is_number(const void *key, const struct slot_item *item)
{
	return ((const struct thing *)(const void *)item)->number == *(const uint64_t *)key;
}

static struct slot_item *make(uint64_t number, uint64_t version) OWNED_BY(slots_item_free);
static struct slot_item *make(uint64_t number, uint64_t version)
{
	struct thing *x = mem_alloc(sizeof(*x));

	assert_non_null(x);
	x->item.hash = hash_of(number);
	x->item.octets = slots_octets(sizeof(*x));
	x->number = number;
	x->version = version;
	return &x->item;
}

static enum slots_verdict put(struct slots *s, struct turn *t, uint64_t number, uint64_t version)
{
	enum slots_verdict v = slots_put(s, t->m, make(number, version), is_number, &number, NULL, NULL, true);

	epoch_quiesce(t->m);
	return v;
}

static const struct thing *get(struct slots *s, uint64_t number)
{
	return (const struct thing *)(const void *)slots_find(s, hash_of(number), is_number, &number, false);
}

static bool has(struct slots *s, uint64_t number)
{
	return slots_find(s, hash_of(number), is_number, &number, true) != NULL;
}

#define BEGIN(octets) \
	struct turn t = turn_begin(); \
	struct slots *s = slots_new(octets); \
	(void)state; \
	assert_non_null(s)
#define END \
	assert_true(slots_check(s)); \
	slots_free(s); \
	turn_end(&t)

static void everything_is_found_while_there_is_room(void **state)
{
	BEGIN(8 << 20);
	for (uint64_t i = 0; i < 20000; i++)
		assert_int_equal(put(s, &t, i, 0), SLOTS_NEW);
	for (uint64_t i = 0; i < 20000; i++)
		assert_true(has(s, i));
	for (uint64_t i = 20000; i < 25000; i++)
		assert_false(has(s, i));
	assert_int_equal(slots_usage(s).entries, 20000);
	assert_int_equal(slots_usage(s).evicted, 0);
	END;
}

static bool never(const void *user, const struct slot_item *old, const struct slot_item *item)
{
	(void)item;
	return old == user;
}

static void an_item_is_replaced_or_refused(void **state)
{
	BEGIN(1 << 20);
	uint64_t n = 7;

	assert_int_equal(put(s, &t, 7, 1), SLOTS_NEW);
	assert_int_equal(put(s, &t, 7, 2), SLOTS_REPLACED);
	assert_int_equal(get(s, 7)->version, 2);
	assert_int_equal(slots_put(s, t.m, make(7, 3), is_number, &n, never, NULL, true), SLOTS_REFUSED);
	assert_int_equal(get(s, 7)->version, 2);
	assert_int_equal(slots_put(s, t.m, make(7, 3), is_number, &n, never, get(s, 7), true), SLOTS_REPLACED);
	assert_int_equal(get(s, 7)->version, 3);
	n = 8;
	assert_int_equal(slots_put(s, t.m, make(8, 1), is_number, &n, never, get(s, 7), true), SLOTS_REFUSED);
	assert_false(has(s, 8));
	assert_int_equal(slots_usage(s).entries, 1);
	END;
}

static void exactly_one_item_is_dropped(void **state)
{
	BEGIN(1 << 20);
	const struct thing *old;

	put(s, &t, 1, 1);
	old = get(s, 1);
	assert_true(slots_drop(s, t.m, &old->item));
	assert_false(slots_drop(s, t.m, &old->item));
	assert_false(has(s, 1));
	END;
}

/* Fills the cache, asks some, then lets many pass that are asked once. */
static void what_was_hit_survives_a_scan(void **state)
{
	BEGIN(1 << 20);
	unsigned int left = 0;

	for (uint64_t i = 0; i < 500; i++) {
		put(s, &t, i, 0);
		assert_non_null(get(s, i));
	}
	for (uint64_t i = 0; i < 50000; i++)
		put(s, &t, 1000000 + i, 0);
	for (uint64_t i = 0; i < 500; i++)
		left += has(s, i);
	assert_true(left > 490);
	assert_true(slots_usage(s).octets <= slots_usage(s).limit);
	END;
}

static void what_comes_back_after_its_eviction_is_no_longer_on_probation(void **state)
{
	BEGIN(1 << 20);
	unsigned int left = 0;

	for (uint64_t i = 0; i < 20000; i++)
		put(s, &t, i, 0);
	for (uint64_t i = 14000; i < 14500; i++) { /* evicted not long ago: remembered */
		if (!has(s, i))
			put(s, &t, i, 0);
	}
	for (uint64_t i = 0; i < 20000; i++)
		put(s, &t, 1000000 + i, 0);
	for (uint64_t i = 14000; i < 14500; i++)
		left += has(s, i);
	print_message("%u of 500 that came back have stayed\n", left);
	assert_true(left > 350);
	END;
}

/* Main is not for ever: what is no longer asked makes room for what is. */
static void what_was_popular_goes_when_others_are(void **state)
{
	BEGIN(256 << 10);
	unsigned int old = 0, new = 0;

	for (uint64_t i = 0; i < 600; i++) {
		put(s, &t, i, 0);
		for (int k = 0; k < 5; k++)
			(void)get(s, i);
	}
	for (int round = 0; round < 30; round++)
		for (uint64_t i = 100000; i < 100600; i++)
			if (get(s, i) == NULL)
				put(s, &t, i, 0);
	for (uint64_t i = 0; i < 600; i++) {
		old += has(s, i);
		new += has(s, 100000 + i);
	}
	print_message("old %u, new %u of 600\n", old, new);
	assert_true(new > 450);
	END;
}

/* The hand spares what was asked since it last came by, however much passes through the main part. */
static void what_is_asked_again_and_again_stays(void **state)
{
	unsigned int missed = 0;
	BEGIN(1 << 20);

	for (uint64_t i = 0; i < 100; i++) {
		put(s, &t, i, 0);
		assert_non_null(get(s, i));
	}
	for (uint64_t i = 1000; i < 60000; i++) {
		put(s, &t, i, 0);
		assert_non_null(get(s, i));
		for (uint64_t k = 0; i % 200 == 0 && k < 100; k++)
			missed += get(s, k) == NULL;
	}
	assert_int_equal(missed, 0);
	assert_true(slots_usage(s).evicted > 50000);
	END;
}

static bool is_odd(void *user, const struct slot_item *item)
{
	(void)user;
	return ((const struct thing *)(const void *)item)->number % 2 == 1;
}

static bool count_visits(void *user, const struct slot_item *item)
{
	((uint8_t *)user)[((const struct thing *)(const void *)item)->number]++;
	return true;
}

static void sweeps_and_visits_reach_all(void **state)
{
	static uint8_t seen[3000];
	uint64_t cursor = 0;
	BEGIN(4 << 20);

	for (uint64_t i = 0; i < 3000; i++)
		put(s, &t, i, 0);
	assert_int_equal(slots_sweep(s, t.m, is_odd, NULL), 1500);
	memset(seen, 0, sizeof(seen));
	do
		cursor = slots_visit(s, cursor, 3, count_visits, seen);
	while (cursor != 0);
	for (uint64_t i = 0; i < 3000; i++)
		assert_int_equal(seen[i], i % 2 == 0);
	END;
}

/* The same few put and dropped without end: the queue must not grow with them. */
static void stale_candidates_are_cleared_away(void **state)
{
	BEGIN(1 << 20);
	uint64_t octets;

	for (uint64_t i = 0; i < 20; i++)
		put(s, &t, i, 0);
	octets = slots_usage(s).octets;
	for (uint64_t k = 0; k < 20000; k++) {
		assert_true(slots_drop(s, t.m, &get(s, k % 20)->item));
		put(s, &t, k % 20, k);
	}
	epoch_quiesce(t.m);
	print_message("%u octets at first, %u in the end\n", (unsigned int)octets, (unsigned int)slots_usage(s).octets);
	assert_true(slots_usage(s).octets <= octets * 3);
	END;
}

static void an_item_too_large_is_refused_and_ends_the_older_one(void **state)
{
	BEGIN(64 << 10);
	uint64_t n = 1;
	struct slot_item *large = make(1, 2);

	put(s, &t, 1, 1);
	large->octets = 17 << 10;
	assert_int_equal(slots_put(s, t.m, MOVE(large), is_number, &n, NULL, NULL, true), SLOTS_FULL);
	assert_false(has(s, 1));
	assert_int_equal(slots_usage(s).refused, 1);
	END;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_is_found_while_there_is_room),
		cmocka_unit_test(an_item_is_replaced_or_refused),
		cmocka_unit_test(exactly_one_item_is_dropped),
		cmocka_unit_test(what_was_hit_survives_a_scan),
		cmocka_unit_test(what_comes_back_after_its_eviction_is_no_longer_on_probation),
		cmocka_unit_test(what_was_popular_goes_when_others_are),
		cmocka_unit_test(what_is_asked_again_and_again_stays),
		cmocka_unit_test(sweeps_and_visits_reach_all),
		cmocka_unit_test(stale_candidates_are_cleared_away),
		cmocka_unit_test(an_item_too_large_is_refused_and_ends_the_older_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
