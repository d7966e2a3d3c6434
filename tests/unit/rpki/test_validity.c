#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/rng.h"
#include "rpki/routes/validity.h"

static struct prefix prefix_of(const char *text)
{
	struct prefix p = { .len = 0 };

	assert_true(OK(prefix_parse(text, &p)));
	return p;
}

static void add(struct table_builder *b, const char *prefix, uint8_t maxlen, uint32_t asn)
{
	struct prefix p = prefix_of(prefix);
	struct vrp v = { .asn = 0 };

	assert_true(OK(vrp_make(&p, maxlen, asn, &v)));
	assert_true(OK(table_builder_add_vrp(b, &v, SOURCE_NONE)));
}

static struct validity_index *index_of(struct table_builder *b) TAKES(1) OWNED_BY(validity_free);
static struct validity_index *index_of(struct table_builder *b)
{
	AUTO(table_unref) struct payload_table *t = NULL;
	struct validity_index *x = NULL;

	assert_true(OK(table_builder_finish(b, 1, &t)));
	assert_true(OK(validity_new(t, &x)));
	return x;
}

static enum route_state state_of(const struct validity_index *x, const char *prefix, uint32_t origin)
{
	struct prefix p = prefix_of(prefix);

	return validity_of(x, &p, origin);
}

static void routes_are_judged_as_rfc_6811_says(void **state)
{
	struct table_builder *b = table_builder_new(NULL);
	AUTO(validity_free) struct validity_index *x = NULL;
	struct prefix p;

	(void)state;
	assert_non_null(b);
	add(b, "192.0.0.0/16", 20, 64496);
	add(b, "192.0.2.0/24", 24, 64497);
	add(b, "192.0.2.0/24", 24, 0);
	add(b, "198.51.100.0/24", 24, 0);
	add(b, "2001:db8::/32", 48, 64496);
	add(b, "2001:db8::/64", 80, 64498);
	x = index_of(MOVE(b));
	assert_int_equal(state_of(x, "192.0.0.0/16", 64496), ROUTE_VALID);
	assert_int_equal(state_of(x, "192.0.16.0/20", 64496), ROUTE_VALID);
	assert_int_equal(state_of(x, "192.0.16.0/21", 64496), ROUTE_INVALID_LENGTH);
	assert_int_equal(state_of(x, "192.0.2.0/24", 64496), ROUTE_INVALID_LENGTH);
	assert_int_equal(state_of(x, "192.0.2.0/24", 64497), ROUTE_VALID);
	assert_int_equal(state_of(x, "192.0.2.0/25", 64497), ROUTE_INVALID_LENGTH);
	assert_int_equal(state_of(x, "192.0.2.0/24", 1), ROUTE_INVALID_ORIGIN);
	assert_int_equal(state_of(x, "192.0.0.0/15", 64496), ROUTE_NOT_FOUND);
	assert_int_equal(state_of(x, "191.255.0.0/16", 64496), ROUTE_NOT_FOUND);
	assert_int_equal(state_of(x, "192.1.0.0/16", 64496), ROUTE_NOT_FOUND);
	assert_int_equal(state_of(x, "198.51.100.0/24", 0), ROUTE_INVALID_ORIGIN); /* AS 0 matches nothing */
	assert_int_equal(state_of(x, "2001:db8::/48", 64496), ROUTE_VALID);
	assert_int_equal(state_of(x, "2001:db8:0:0:1::/80", 64498), ROUTE_VALID);
	assert_int_equal(state_of(x, "2001:db8::/81", 64498), ROUTE_INVALID_LENGTH);
	assert_int_equal(state_of(x, "2001:db9::/32", 64496), ROUTE_NOT_FOUND);
	p = prefix_of("198.51.100.7");
	assert_int_equal(validity_cover(x, &p), COVER_AS0);
	p = prefix_of("192.0.2.7");
	assert_int_equal(validity_cover(x, &p), COVER_SOME);
	p = prefix_of("203.0.113.1");
	assert_int_equal(validity_cover(x, &p), COVER_NONE);
	assert_string_equal(route_state_text(ROUTE_INVALID_LENGTH), "invalid");
	assert_string_equal(route_state_text(ROUTE_NOT_FOUND), "not-found");
}

static void an_empty_table_knows_nothing(void **state)
{
	struct table_builder *b = table_builder_new(NULL);
	AUTO(validity_free) struct validity_index *x = NULL;

	(void)state;
	assert_non_null(b);
	x = index_of(MOVE(b));
	assert_int_equal(state_of(x, "0.0.0.0/0", 1), ROUTE_NOT_FOUND);
	assert_int_equal(state_of(x, "2001:db8::/32", 1), ROUTE_NOT_FOUND);
	assert_int_equal(table_count(validity_table(x), PAYLOAD_VRP), 0);
}

/* The obvious way: every VRP is looked at. */
static enum route_state slowly(const struct payload_table *t, const struct prefix *p, uint32_t origin, size_t *ret_covering)
{
	enum route_state s = ROUTE_NOT_FOUND;

	*ret_covering = 0;
	for (size_t i = 0; i < table_count(t, PAYLOAD_VRP); i++) {
		struct vrp v = table_vrp(t, i);

		if (v.family != p->a.family || v.len > p->len || !bits_equal(v.addr, p->a.b, v.len))
			continue;
		++*ret_covering;
		if (s == ROUTE_VALID)
			continue;
		if (v.asn != origin || origin == 0)
			s = s == ROUTE_NOT_FOUND ? ROUTE_INVALID_ORIGIN : s;
		else
			s = p->len <= v.maxlen ? ROUTE_VALID : ROUTE_INVALID_LENGTH;
	}
	return s;
}

static bool count_covering(void *ctx, const struct vrp *v)
{
	size_t *n = ctx;

	(void)v;
	++*n;
	return true;
}

/* Few addresses, many lengths: deep nests, many nodes of one address, at every edge of the index's blocks. */
static struct vrp random_vrp(struct rng *rng)
{
	struct vrp v = { .family = rng_below(rng, 2) ? ADDR_V4 : ADDR_V6, .asn = rng_below(rng, 4) };
	unsigned int bits = vrp_bits(&v);

	v.len = (uint8_t)rng_below(rng, bits + 1);
	v.maxlen = (uint8_t)(v.len + rng_below(rng, bits - v.len + 1));
	for (unsigned int i = 0; i < v.len; i++)
		if (rng_below(rng, 8) == 0)
			v.addr[i / 8] |= (uint8_t)(0x80 >> i % 8);
	return v;
}

static void the_index_agrees_with_looking_at_all(void **state)
{
	AUTO(rng_free) struct rng *rng = rng_new_seeded(2);

	(void)state;
	for (unsigned int round = 0; round < 20; round++) {
		struct table_builder *b = table_builder_new(NULL);
		AUTO(validity_free) struct validity_index *x = NULL;

		assert_non_null(b);
		for (unsigned int i = 0; i < 40 * round; i++) {
			struct vrp v = random_vrp(rng);

			assert_true(OK(table_builder_add_vrp(b, &v, SOURCE_NONE)));
		}
		x = index_of(MOVE(b));
		for (unsigned int i = 0; i < 1000; i++) {
			struct vrp v = random_vrp(rng);
			struct prefix p = vrp_prefix(&v);
			size_t want, n = 0;

			assert_int_equal(validity_of(x, &p, v.asn), slowly(validity_table(x), &p, v.asn, &want));
			validity_covering(x, &p, count_covering, &n);
			assert_int_equal(n, want);
		}
		assert_true(validity_octets(x) > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(routes_are_judged_as_rfc_6811_says),
		cmocka_unit_test(an_empty_table_knows_nothing),
		cmocka_unit_test(the_index_agrees_with_looking_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
