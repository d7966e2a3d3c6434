/* The tree against an array that is kept in order by hand. */
#include "cache_unit.h"

#include "resolver/cache/sorted.h"

#define ITEMS 400

struct item {
	struct sorted_node node;
	uint8_t key[12];
	size_t len;
};

struct model {
	struct item *at[ITEMS]; /* in order */
	unsigned int n;
};

static uint32_t draw(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return (uint32_t)(*x >> 32);
}

/* Few octets, many of them zero, around the eight that a node keeps as a number. */
static struct span random_key(uint64_t *x, uint8_t out[12])
{
	size_t n = draw(x) % 3 != 0 ? draw(x) % 4 : 6 + draw(x) % 7;

	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)(draw(x) % 3 != 0 ? 0 : draw(x) % 2 != 0 ? 255 : 1);
	return span_of(out, n);
}

/* How many of the model's are before the key. */
static unsigned int rank_of(const struct model *m, struct span key)
{
	unsigned int i = 0;

	while (i < m->n && sorted_compare(m->at[i]->node.key, key) < 0)
		i++;
	return i;
}

static bool is_there(const struct model *m, unsigned int i, struct span key)
{
	return i < m->n && span_equal(m->at[i]->node.key, key);
}

static void check(const struct sorted *s, const struct model *m, struct span key)
{
	unsigned int i = rank_of(m, key);
	bool there = is_there(m, i, key);
	const struct sorted_node *floor = sorted_floor(s, key), *above = sorted_above(s, key);

	assert_ptr_equal(floor, there ? &m->at[i]->node : i > 0 ? &m->at[i - 1]->node : NULL);
	i += there;
	assert_ptr_equal(above, i < m->n ? &m->at[i]->node : NULL);
	assert_ptr_equal(sorted_first(s), m->n > 0 ? &m->at[0]->node : NULL);
	assert_ptr_equal(sorted_last(s), m->n > 0 ? &m->at[m->n - 1]->node : NULL);
}

static void a_tree_does_as_an_array_in_order(void **state)
{
	static struct item items[ITEMS];
	static struct model m;
	struct sorted s = { NULL, 0 };
	uint64_t x = 0x9e3779b97f4a7c15u;
	uint8_t octets[12];

	(void)state;
	for (unsigned int step = 0; step < 20000; step++) {
		struct item *it = &items[draw(&x) % ITEMS];
		struct span key = random_key(&x, octets);
		unsigned int i;

		check(&s, &m, key);
		if (it->node.key.p != NULL) {
			i = rank_of(&m, it->node.key);
			sorted_remove(&s, &it->node);
			memmove(&m.at[i], &m.at[i + 1], (--m.n - i) * sizeof m.at[0]);
			it->node.key.p = NULL;
		} else if (!is_there(&m, rank_of(&m, key), key)) {
			i = rank_of(&m, key);
			memcpy(it->key, octets, sizeof octets);
			sorted_add(&s, &it->node, span_of(it->key, key.n), draw(&x) % 50); /* equal ones are fine */
			memmove(&m.at[i + 1], &m.at[i], (m.n++ - i) * sizeof m.at[0]);
			m.at[i] = it;
		}
		assert_int_equal(s.count, m.n);
		if (step % 100 == 0)
			assert_true(sorted_check(&s));
	}
}

static unsigned int depth_of(const struct sorted_node *n)
{
	unsigned int a, b;

	if (n == NULL)
		return 0;
	a = depth_of(n->less);
	b = depth_of(n->more);
	return 1 + (a > b ? a : b);
}

static void keys_that_come_in_order_do_not_make_it_deep(void **state)
{
	static struct item items[20000];
	struct sorted s = { NULL, 0 };
	uint64_t x = 88172645463325252u;

	(void)state;
	for (unsigned int i = 0; i < 20000; i++) {
		store32(items[i].key, i);
		sorted_add(&s, &items[i].node, span_of(items[i].key, 4), draw(&x));
	}
	assert_true(sorted_check(&s));
	assert_in_range(depth_of(s.top), 15, 60);
	for (unsigned int i = 0; i < 20000; i++)
		sorted_remove(&s, &items[i].node);
	assert_null(s.top);
}

static void strings_are_before_what_begins_with_them(void **state)
{
	(void)state;
	assert_true(sorted_compare(span_of("a", 1), span_of("a\0", 2)) < 0);
	assert_true(sorted_compare(span_of("a\0", 2), span_of("a\1", 2)) < 0);
	assert_true(sorted_compare(span_of(NULL, 0), span_of("\0", 1)) < 0);
	assert_true(sorted_compare(span_of("b", 1), span_of("a\377", 2)) > 0);
	assert_int_equal(sorted_compare(span_of("ab", 2), span_of("ab", 2)), 0);
	assert_true(sorted_head(span_of("a", 1)) == UINT64_C(0x6100000000000000));
	assert_true(sorted_head(span_of("abcdefghi", 9)) == UINT64_C(0x6162636465666768));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tree_does_as_an_array_in_order),
		cmocka_unit_test(keys_that_come_in_order_do_not_make_it_deep),
		cmocka_unit_test(strings_are_before_what_begins_with_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
