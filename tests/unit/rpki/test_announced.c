/* Announced routes against a plain list: random changes, several states at once, sources that end, memory that runs out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "rpki/routes/announced.h"

#define MODEL 4096u

struct entry {
	struct prefix prefix;
	struct announced_route route;
};

struct model {
	struct entry list[MODEL];
	size_t n;
};

static struct prefix prefix_of(const char *text)
{
	struct prefix p = { .len = 0 };

	assert_true(OK(prefix_parse(text, &p)));
	return p;
}

static bool same_prefix(const struct prefix *a, const struct prefix *b)
{
	return a->len == b->len && addr_equal(&a->a, &b->a);
}

/* -------------------------------------------------------------------------------------------------------------- the model */

static size_t model_find(const struct model *m, const struct prefix *p, uint32_t source, uint32_t path)
{
	size_t i;

	for (i = 0; i < m->n; i++)
		if (same_prefix(&m->list[i].prefix, p) && m->list[i].route.source == source && m->list[i].route.path == path)
			break;
	return i;
}

static void model_set(struct model *m, const struct prefix *p, const struct announced_route *r)
{
	size_t i = model_find(m, p, r->source, r->path);

	assert_true(i < MODEL);
	m->list[i] = (struct entry){ *p, *r };
	m->n += i == m->n;
}

static bool model_remove(struct model *m, const struct prefix *p, uint32_t source, uint32_t path)
{
	size_t i = model_find(m, p, source, path);

	if (i == m->n)
		return false;
	m->list[i] = m->list[--m->n];
	return true;
}

static void model_drop(struct model *m, uint32_t source)
{
	for (size_t i = 0; i < m->n;) {
		if (m->list[i].route.source == source)
			m->list[i] = m->list[--m->n];
		else
			i++;
	}
}

/* Routes of the longest prefix that covers a, counted; *ret_len is its length. */
static size_t model_longest(const struct model *m, const struct addr *a, unsigned int *ret_len)
{
	size_t n = 0;

	*ret_len = 0;
	for (size_t i = 0; i < m->n; i++) {
		if (!prefix_covers(&m->list[i].prefix, a))
			continue;
		if (n == 0 || m->list[i].prefix.len > *ret_len)
			n = 0;
		else if (m->list[i].prefix.len < *ret_len)
			continue;
		*ret_len = m->list[i].prefix.len;
		n++;
	}
	return n;
}

struct seen {
	const struct model *m;
	size_t routes, prefixes;
};

static bool see(void *ctx, const struct announced_routes *routes)
{
	struct seen *s = ctx;

	s->prefixes++;
	for (size_t i = 0; i < routes->n; i++) {
		struct announced_route r = announced_at(routes, i);
		size_t at = model_find(s->m, &routes->prefix, r.source, r.path);

		assert_true(at < s->m->n);
		assert_int_equal(s->m->list[at].route.origin, r.origin);
		assert_int_equal(s->m->list[at].route.since, r.since);
		s->routes++;
	}
	return true;
}

static void same_as(const struct announced *a, const struct model *m)
{
	struct seen s = { .m = m };

	announced_each(a, see, &s);
	assert_int_equal(s.routes, m->n);
	assert_int_equal(announced_count(a), m->n);
	assert_int_equal(announced_prefixes(a), s.prefixes);
}

/* ---------------------------------------------------------------------------------------------------------------- chances */

/* Few enough that they cover one another and come again. */
static struct prefix some_prefix(struct rng *g)
{
	struct prefix p = { .a = { .family = rng_below(g, 2) == 0 ? ADDR_V4 : ADDR_V6 } };
	unsigned int bits = p.a.family == ADDR_V4 ? 32 : 128;

	p.len = (uint8_t)rng_below(g, bits + 1);
	if (rng_below(g, 2) == 0)
		p.len = (uint8_t)(8 + rng_below(g, 17));
	p.a.b[0] = (uint8_t)(10 + rng_below(g, 2));
	p.a.b[1] = (uint8_t)rng_below(g, 4);
	p.a.b[2] = (uint8_t)rng_below(g, 256);
	p.a.b[bits / 8 - 1] |= (uint8_t)rng_below(g, 2);
	for (unsigned int i = p.len; i < bits; i++)
		p.a.b[i / 8] &= (uint8_t)~(0x80u >> i % 8);
	return p;
}

static struct announced_route some_route(struct rng *g)
{
	struct announced_route r = { .origin = rng_below(g, 6), .source = rng_below(g, 4), .path = rng_below(g, 3), .since = rng_below(g, 2) * rng_below(g, 1000) };

	if (rng_below(g, 2) == 0) {
		r.path = r.origin;
		r.since = 0;
	}
	if (rng_below(g, 50) == 0)
		r.source = UINT32_MAX; /* does not fit where one route usually does */
	return r;
}

/* What covers the whole prefix, the longest one; and how many lie within it. */
static size_t model_over(const struct model *m, const struct prefix *p, unsigned int *ret_len, size_t *ret_within)
{
	size_t n = 0;

	*ret_len = 0;
	*ret_within = 0;
	for (size_t i = 0; i < m->n; i++) {
		const struct prefix *x = &m->list[i].prefix;

		*ret_within += x->len >= p->len && prefix_covers(p, &x->a);
		if (x->len > p->len || x->len < *ret_len || !prefix_covers(x, &p->a))
			continue;
		n = x->len > *ret_len ? 1 : n + 1;
		*ret_len = x->len;
	}
	return n;
}

static void look_at_prefix(const struct announced *a, const struct model *m, const struct prefix *p)
{
	struct announced_routes found = { .n = 0 };
	struct seen s = { .m = m };
	unsigned int len;
	size_t within, n = model_over(m, p, &len, &within);

	assert_int_equal(announced_find_over(a, p, &found), n > 0);
	assert_int_equal(found.n, n);
	assert_int_equal(found.prefix.len, len);
	announced_within(a, p, see, &s);
	assert_int_equal(s.routes, within);
}

static void look_around(const struct announced *a, const struct model *m, struct rng *g)
{
	for (unsigned int i = 0; i < 20; i++) {
		struct prefix p = some_prefix(g);
		struct announced_routes found = { .n = 0 };
		unsigned int len;
		size_t n = model_longest(m, &p.a, &len);

		look_at_prefix(a, m, &p);
		assert_int_equal(announced_find(a, &p.a, &found), n > 0);
		if (n == 0)
			continue;
		assert_int_equal(found.n, n);
		assert_int_equal(found.prefix.len, len);
		assert_true(prefix_covers(&found.prefix, &p.a));
	}
}

static void an_edit(struct announced_edit *e, struct model *m, struct rng *g)
{
	for (unsigned int k = rng_below(g, 60); k > 0; k--) {
		struct prefix p = some_prefix(g);
		struct announced_route r = some_route(g);

		if (m->n > 0 && rng_below(g, 3) == 0) { /* of one that is there */
			struct entry some = m->list[rng_below(g, (uint32_t)m->n)];

			p = some.prefix;
			r.source = some.route.source;
			r.path = some.route.path;
		}
		if (rng_below(g, 5) < 3) {
			assert_true(OK(announced_set(e, &p, &r)));
			model_set(m, &p, &r);
		} else {
			assert_int_equal(OK(announced_remove(e, &p, r.source, r.path)), model_remove(m, &p, r.source, r.path));
		}
	}
	if (rng_below(g, 40) == 0) {
		uint32_t source = rng_below(g, 4);

		assert_true(OK(announced_drop(e, source)));
		model_drop(m, source);
	}
}

static void many_states_are_what_a_list_says(void **state)
{
	enum { KEPT = 4, ROUNDS = 400 };
	AUTO(rng_free) struct rng *g = rng_new_seeded(16);
	struct announced *kept[KEPT] = { NULL };
	struct model *model = calloc(KEPT, sizeof *model), *now = calloc(1, sizeof *now);

	(void)state;
	assert_non_null(model);
	assert_non_null(now);
	for (size_t i = 0; i < KEPT; i++)
		kept[i] = announced_new();
	for (unsigned int round = 1; round <= ROUNDS; round++) {
		size_t from = rng_below(g, KEPT), to = rng_below(g, KEPT); /* from may be an old one: states branch */
		struct announced_edit *e = announced_edit_new(kept[from]);
		struct announced *a = NULL;

		*now = model[from];
		an_edit(e, now, g);
		if (rng_below(g, 10) == 0) {
			announced_edit_free(e);
			continue;
		}
		assert_true(OK(announced_edit_publish(e, round, &a)));
		assert_int_equal(announced_generation(a), round);
		announced_unref(kept[to]);
		kept[to] = a;
		model[to] = *now;
		look_around(a, now, g);
		for (size_t i = 0; i < KEPT; i++)
			same_as(kept[i], &model[i]);
	}
	for (size_t i = 0; i < KEPT; i++)
		announced_unref(kept[i]);
	free(model);
	free(now);
}

static void prefixes_come_in_order(void **state)
{
	static const char *const texts[] = { "0.0.0.0/0", "10.0.0.0/7", "10.0.0.0/8", "10.0.0.0/32", "10.128.0.0/9", "192.0.2.0/24", "192.0.2.255/32", "::/0", "2001:db8::/32",
		"2001:db8::/48", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff/128" };
	AUTO(announced_unref) struct announced *empty = announced_new(), *a = NULL;
	struct announced_edit *e = announced_edit_new(empty);
	struct announced_routes found;
	struct addr addr = { .family = ADDR_NONE };

	(void)state;
	for (size_t i = sizeof texts / sizeof texts[0]; i-- > 0;) {
		struct prefix p = prefix_of(texts[i]);
		struct announced_route r = { .origin = (uint32_t)i, .path = (uint32_t)i };

		assert_true(OK(announced_set(e, &p, &r)));
	}
	assert_true(OK(announced_edit_publish(MOVE(e), 7, &a)));
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) { /* each is the longest for its own address, but where a longer one has the same */
		struct prefix p = prefix_of(texts[i]);

		assert_true(announced_find(a, &p.a, &found));
		assert_true(found.prefix.len >= p.len);
		assert_int_equal(texts[found.one.origin][0], texts[i][0]);
	}
	assert_false(announced_find(a, &addr, &found));
	assert_false(announced_find(empty, &found.prefix.a, &found));
	assert_int_equal(announced_prefixes(a), sizeof texts / sizeof texts[0]);
}

static void what_is_no_prefix_is_refused(void **state)
{
	AUTO(announced_unref) struct announced *empty = announced_new();
	AUTO(announced_edit_free) struct announced_edit *e = announced_edit_new(empty);
	struct announced_route r = { .origin = 1 };
	struct prefix p = prefix_of("10.0.0.0/8");

	(void)state;
	p.a.b[1] = 1;
	assert_int_equal(announced_set(e, &p, &r).e, ERR_RANGE);
	p = prefix_of("10.0.0.0/8");
	p.len = 33;
	assert_int_equal(announced_set(e, &p, &r).e, ERR_RANGE);
	p.a.family = ADDR_UNIX;
	assert_int_equal(announced_remove(e, &p, 0, 0).e, ERR_RANGE);
	p = prefix_of("10.0.0.0/8");
	assert_int_equal(announced_remove(e, &p, 0, 0).e, ERR_NOTFOUND);
}

/* Each change fails at each allocation, and leaves all as it was; then it works. */
static void memory_may_run_out(void **state)
{
	AUTO(rng_free) struct rng *g = rng_new_seeded(3);
	AUTO(announced_unref) struct announced *empty = announced_new(), *before = NULL;
	struct model *m = calloc(1, sizeof *m);
	struct announced_edit *e = announced_edit_new(empty);

	(void)state;
	assert_non_null(m);
	for (unsigned int k = 0; k < 200; k++) {
		struct prefix p = some_prefix(g);
		struct announced_route r = some_route(g);

		assert_true(OK(announced_set(e, &p, &r)));
		model_set(m, &p, &r);
	}
	assert_true(OK(announced_edit_publish(MOVE(e), 1, &before)));
	for (unsigned int k = 0; k < 60; k++) {
		struct prefix p = some_prefix(g);
		struct announced_route r = some_route(g);
		struct result done = FAIL(ERR_NOMEM);

		for (uint64_t n = 1; done.e == ERR_NOMEM; n++) {
			AUTO(announced_edit_free) struct announced_edit *x = announced_edit_new(before);
			AUTO(announced_unref) struct announced *after = NULL;

			mem_fail_at(n, false);
			done = k % 3 == 0 ? announced_drop(x, r.source) : k % 3 == 1 ? announced_remove(x, &p, r.source, r.path) : announced_set(x, &p, &r);
			mem_fail_at(0, false);
			assert_true(OK(announced_edit_publish(MOVE(x), 2, &after)));
			if (done.e == ERR_NOMEM && k % 3 != 0)
				same_as(after, m);
		}
		same_as(before, m);
	}
	free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_states_are_what_a_list_says),
		cmocka_unit_test(prefixes_come_in_order),
		cmocka_unit_test(what_is_no_prefix_is_refused),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
