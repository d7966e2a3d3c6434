#include "cache_unit.h"

#include "resolver/cache/lru.h"

struct thing {
	struct lru_node node;
	unsigned int number;
};

static bool is_number(const void *key, const struct lru_node *n)
{
	return ((const struct thing *)(const void *)n)->number == *(const unsigned int *)key;
}

/* Hashes on purpose bad: every fourth is the same. */
static bool add(struct lru *l, unsigned int number)
{
	struct thing *x = mem_alloc(sizeof(*x));

	if (x == NULL)
		return false;
	x->node.hash = number % 4;
	x->number = number;
	return lru_add(l, &x->node);
}

static bool has(struct lru *l, unsigned int number)
{
	return lru_find(l, number % 4, is_number, &number) != NULL;
}

static void the_least_recently_used_goes_first(void **state)
{
	struct lru l;
	uint64_t before = mem_usage().objects;

	(void)state;
	lru_init(&l, 3);
	for (unsigned int i = 1; i <= 3; i++)
		assert_true(add(&l, i));
	assert_true(has(&l, 1));
	assert_true(add(&l, 4));
	assert_true(has(&l, 1));
	assert_false(has(&l, 2));
	assert_true(has(&l, 3));
	assert_true(has(&l, 4));
	assert_int_equal(l.evicted, 1);
	lru_set_max(&l, 1);
	assert_int_equal(l.count, 1);
	assert_true(has(&l, 4));
	lru_done(&l);
	assert_int_equal(mem_usage().objects, before);
}

/* 80 nodes: one that has eleven in front of it becomes the newest when it is found, one with ten stays where it is. */
static void what_is_new_enough_stays_where_it_is(void **state)
{
	const unsigned int near = 70, far = 69;
	struct lru l;

	(void)state;
	lru_init(&l, 80);
	for (unsigned int i = 0; i < 80; i++)
		assert_true(add(&l, i));
	assert_non_null(lru_find(&l, near % 4, is_number, &near));
	assert_true(is_number(&(unsigned int){ 79 }, lru_newest(&l)));
	assert_non_null(lru_find(&l, far % 4, is_number, &far));
	assert_false(is_number(&far, lru_newest(&l)));
	assert_non_null(lru_find(&l, 68 % 4, is_number, &(unsigned int){ 68 }));
	assert_true(is_number(&(unsigned int){ 68 }, lru_newest(&l)));
	lru_done(&l);
}

static void many_are_found_and_can_be_removed(void **state)
{
	struct lru l;
	unsigned int n = 0;

	(void)state;
	lru_init(&l, 1000);
	for (unsigned int i = 0; i < 500; i++)
		assert_true(add(&l, i));
	for (unsigned int i = 0; i < 500; i += 2)
		lru_remove(&l, lru_find(&l, i % 4, is_number, &i));
	for (unsigned int i = 0; i < 500; i++)
		assert_int_equal(has(&l, i), i % 2 == 1);
	for (const struct lru_node *x = lru_newest(&l); x != NULL; x = lru_older(x))
		n++;
	assert_int_equal(n, 250);
	lru_done(&l);
}

static void without_memory_nothing_is_added_or_chains_grow_longer(void **state)
{
	struct lru l;
	uint64_t before = mem_usage().objects;

	(void)state;
	lru_init(&l, 1000);
	mem_fail_at(2, false);
	assert_false(add(&l, 1));
	mem_fail_at(0, false);
	for (unsigned int i = 0; i < 100; i++) {
		mem_fail_at(i < 20 ? 0 : 2, false);
		assert_true(add(&l, i));
	}
	mem_fail_at(0, false);
	for (unsigned int i = 0; i < 100; i++)
		assert_true(has(&l, i));
	lru_done(&l);
	assert_int_equal(mem_usage().objects, before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_least_recently_used_goes_first),
		cmocka_unit_test(what_is_new_enough_stays_where_it_is),
		cmocka_unit_test(many_are_found_and_can_be_removed),
		cmocka_unit_test(without_memory_nothing_is_added_or_chains_grow_longer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
