/* Sort keys against the canonical order of names, and what a zone keeps of gaps that come one after the other. */
#include "signed_zone.h"

#include "resolver/cache/gaps.h"

static struct span key_of(struct name n, unsigned int zone_labels, uint8_t out[GAP_KEY_OCTETS])
{
	return span_of(out, gap_key(n, zone_labels, out));
}

static int sign(int x) { return (x > 0) - (x < 0); }

static void keys_have_the_order_of_names_and_begin_with_those_of_names_above(void **state)
{
	struct turn t = turn_begin();
	static struct zone z;
	uint64_t x = 88172645463325252u;
	uint8_t ka[GAP_KEY_OCTETS], kb[GAP_KEY_OCTETS];

	(void)state;
	for (unsigned int i = 0; i < 20000; i++) {
		struct name apex = i % 2 != 0 ? name_root : nm(&t, "Zone.TEST."), a, b;
		struct span sa, sb;

		z = (struct zone){ .arena = t.a, .apex = apex };
		a = zone_random_name(&z, &x);
		b = zone_random_name(&z, &x);
		sa = key_of(a, apex.labels, ka);
		sb = key_of(b, apex.labels, kb);
		assert_int_equal(sign(sorted_compare(sa, sb)), sign(name_compare(a, b)));
		assert_int_equal(gap_key_is_under(sa, sb), name_is_under(a, b));
		if (i % 512 == 0)
			arena_reset(t.a);
	}
	turn_end(&t);
}

static void the_longest_names_have_keys(void **state)
{
	struct turn t = turn_begin();
	struct name_buf low = { .len = 255, .labels = 127 }, wide = { .len = 0, .labels = 0 };
	uint8_t key[GAP_KEY_OCTETS];

	(void)state;
	for (unsigned int i = 0; i < 127; i++)
		low.b[2 * i] = 1; /* 127 labels of one octet 0 */
	assert_int_equal(gap_key(name_of(&low), 0, key), 127 * 3);
	for (unsigned int i = 0; i < 3; i++) {
		wide.b[wide.len] = 63;
		wide.len = (uint8_t)(wide.len + 64);
		wide.labels++;
	}
	wide.b[wide.len] = 61;
	wide.len = 255;
	wide.labels++;
	assert_int_equal(gap_key(name_of(&wide), 0, key), (3 * 63 + 61) * 2 + 4);
	turn_end(&t);
}

static struct gap *nsec_gap(struct turn *t, const char *owner, const char *next, uint32_t ttl) OWNED_BY(gap_free);
static struct gap *nsec_gap(struct turn *t, const char *owner, const char *next, uint32_t ttl)
{
	struct name apex = nm(t, "example.");
	struct node n = { nm(t, owner), { RR_A }, 1 };

	if (name_equal(n.name, apex))
		n.type[0] = RR_SOA;
	return gap_new(apex, zone_nsec(t->a, apex, &n, nm(t, next), ttl), 100);
}

static void add(struct turn *t, struct gap_zone *z, const char *owner, const char *next)
{
	struct gap *g = nsec_gap(t, owner, next, 50);

	assert_non_null(g);
	gap_zone_add(z, g, (uint32_t)strlen(owner) * 7919);
}

static const struct gap *at(struct turn *t, struct gap_zone *z, const char *name, uint32_t now, bool *ret_match)
{
	uint8_t key[GAP_KEY_OCTETS];

	*ret_match = false;
	return gap_zone_at(z, GAP_NSEC, key_of(nm(t, name), 1, key), now, ret_match);
}

static bool covers(struct turn *t, struct gap_zone *z, const char *name)
{
	bool match;

	return at(t, z, name, 100, &match) != NULL && !match;
}

static bool matches(struct turn *t, struct gap_zone *z, const char *name)
{
	bool match;

	return at(t, z, name, 100, &match) != NULL && match;
}

static void gaps_do_not_contradict_each_other(void **state)
{
	struct turn t = turn_begin();

	(void)state;
	{
		AUTO(gap_zone_free) struct gap_zone *z = gap_zone_new(nm(&t, "Example."), 1);
		size_t empty = z->octets;

		add(&t, z, "example.", "d.example.");
		add(&t, z, "d.example.", "h.example.");
		add(&t, z, "h.example.", "example.");
		assert_true(covers(&t, z, "a.example.") && covers(&t, z, "z.example.") && matches(&t, z, "H.example."));
		add(&t, z, "e.example.", "f.example."); /* e came: what denied it is gone */
		assert_int_equal(gap_zone_count(z), 3);
		assert_false(covers(&t, z, "g.example.") || matches(&t, z, "d.example."));
		add(&t, z, "b.example.", "g.example."); /* e is gone, and b came */
		assert_int_equal(gap_zone_count(z), 2);
		assert_true(covers(&t, z, "e.example.") && matches(&t, z, "h.example.") && !covers(&t, z, "a.example."));
		add(&t, z, "example.", "b.example.");
		assert_int_equal(gap_zone_count(z), 3);
		add(&t, z, "h.example.", "i.example."); /* the same owner */
		assert_int_equal(gap_zone_count(z), 3);
		assert_false(covers(&t, z, "z.example."));
		add(&t, z, "example.", "example."); /* nothing but the apex */
		assert_int_equal(gap_zone_count(z), 1);
		assert_true(covers(&t, z, "h.example."));
		gap_zone_remove(z, z->newest);
		assert_int_equal(z->octets, empty);
	}
	turn_end(&t);
}

static void what_has_expired_is_removed_when_it_is_found(void **state)
{
	struct turn t = turn_begin();
	bool match;

	(void)state;
	{
		AUTO(gap_zone_free) struct gap_zone *z = gap_zone_new(nm(&t, "example."), 1);

		add(&t, z, "example.", "d.example.");
		assert_non_null(at(&t, z, "a.example.", 149, &match));
		assert_null(at(&t, z, "e.example.", 150, &match));
		assert_int_equal(gap_zone_count(z), 1);
		assert_null(at(&t, z, "a.example.", 150, &match));
		assert_int_equal(gap_zone_count(z), 0);
		assert_true(z->newest == NULL && z->oldest == NULL);
	}
	turn_end(&t);
}

static const struct gap *at_star(struct turn *t, struct gap_zone *z, const char *name, uint32_t now, bool *ret_match)
{
	uint8_t key[GAP_KEY_OCTETS];

	*ret_match = false;
	return gap_zone_at_place(z, GAP_NSEC, GAP_STAR, key_of(nm(t, name), 1, key), now, ret_match);
}

static void what_was_found_last_is_forgotten_when_it_goes(void **state)
{
	struct turn t = turn_begin();
	const struct gap *first;
	bool match;

	(void)state;
	{
		AUTO(gap_zone_free) struct gap_zone *z = gap_zone_new(nm(&t, "example."), 1);

		add(&t, z, "a.example.", "d.example.");
		add(&t, z, "x.example.", "z.example.");
		first = at_star(&t, z, "b.example.", 100, &match);
		assert_true(first != NULL && !match && z->last[GAP_STAR] == first);
		assert_ptr_equal(at_star(&t, z, "c.example.", 100, &match), first);
		assert_ptr_equal(at_star(&t, z, "a.example.", 100, &match), first);
		assert_true(match);
		assert_non_null(at_star(&t, z, "y.example.", 100, &match)); /* another */
		assert_true(z->last[GAP_STAR] != first && z->last[GAP_STAR] != NULL);
		assert_null(at_star(&t, z, "g.example.", 100, &match));
		assert_ptr_equal(at_star(&t, z, "b.example.", 100, &match), first);
		add(&t, z, "b.example.", "c.example."); /* which the first one denies: it goes */
		assert_null(z->last[GAP_STAR]);
		assert_non_null(at_star(&t, z, "b.example.", 100, &match));
		assert_true(match);
		assert_null(at_star(&t, z, "b.example.", 150, &match)); /* expired */
		assert_null(z->last[GAP_STAR]);
	}
	turn_end(&t);
}

static void hashes_go_round(void **state)
{
	struct turn t = turn_begin();
	struct gap g = { .next = span_of("b", 1) };

	(void)state;
	g.node.key = span_of("x", 1);
	assert_true(gap_covers(&g, span_of("z", 1)) && gap_covers(&g, span_of("a", 1)));
	assert_false(gap_covers(&g, span_of("b", 1)) || gap_covers(&g, span_of("x", 1)) || gap_covers(&g, span_of("m", 1)));
	g.next = g.node.key; /* the only one */
	assert_true(gap_covers(&g, span_of("y", 1)) && gap_covers(&g, span_of("a", 1)) && !gap_covers(&g, span_of("x", 1)));
	g.node.key = span_of("b", 1);
	assert_true(gap_covers(&g, span_of("c", 1)) && !gap_covers(&g, span_of("z", 1)) && !gap_covers(&g, span_of("a", 1)));
	turn_end(&t);
}

static void the_longest_unused_is_the_oldest(void **state)
{
	struct turn t = turn_begin();
	bool match;

	(void)state;
	{
		AUTO(gap_zone_free) struct gap_zone *z = gap_zone_new(nm(&t, "example."), 1);

		add(&t, z, "a.example.", "b.example.");
		add(&t, z, "c.example.", "d.example.");
		add(&t, z, "e.example.", "f.example.");
		gap_zone_used(z, z->oldest);
		assert_ptr_equal(z->newest, at(&t, z, "a.example.", 100, &match));
		assert_ptr_equal(z->oldest, at(&t, z, "c.example.", 100, &match));
		gap_zone_used(z, z->newest->older);
		assert_ptr_equal(z->newest, at(&t, z, "e.example.", 100, &match));
		gap_zone_remove(z, z->newest->older);
		assert_ptr_equal(z->newest->older, z->oldest);
		assert_ptr_equal(z->oldest->newer, z->newest);
	}
	turn_end(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_have_the_order_of_names_and_begin_with_those_of_names_above),
		cmocka_unit_test(the_longest_names_have_keys),
		cmocka_unit_test(gaps_do_not_contradict_each_other),
		cmocka_unit_test(what_has_expired_is_removed_when_it_is_found),
		cmocka_unit_test(what_was_found_last_is_forgotten_when_it_goes),
		cmocka_unit_test(hashes_go_round),
		cmocka_unit_test(the_longest_unused_is_the_oldest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
