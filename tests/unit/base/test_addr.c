#include "unit.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "base/rng.h"

static struct addr parsed(const char *text)
{
	struct addr a = { 0 };

	assert_ok(addr_parse(text, &a));
	return a;
}

static struct prefix parsed_prefix(const char *text)
{
	struct prefix p = { { 0 }, 0 };

	assert_ok(prefix_parse(text, &p));
	return p;
}

static void addresses_go_to_text_and_back(void **state)
{
	static const char *const texts[] = { "0.0.0.0", "192.0.2.1", "255.255.255.255", "::", "::1", "2001:db8::1", "fe80::1",
		"2001:db8:0:1:1:1:1:1", "::ffff:192.0.2.1", "2001:db8:1:2:3:4:5:6" };
	char buf[ADDR_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct addr a = parsed(texts[i]);

		assert_string_equal(addr_text(&a, buf), texts[i]);
	}
}

static void nonsense_is_no_address(void **state)
{
	static const char *const bad[] = { "", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.4 ", " 1.2.3.4", ":", ":::", "1::2::3", "fe80::1%1", "g::",
		"2001:db8:1:2:3:4:5:6:7", "1.2.3.4@53", "01.2.3.4x" };
	struct addr a = { .family = 77 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_err(addr_parse(bad[i], &a), ERR_FORMAT);
	assert_int_equal(a.family, 77);
}

static void endpoints_have_ports_and_scopes(void **state)
{
	struct endpoint e;
	char buf[ENDPOINT_TEXT], text[80];
	unsigned int lo = if_nametoindex("lo");

	(void)state;
	assert_ok(endpoint_parse("192.0.2.1", 53, &e));
	assert_string_equal(endpoint_text(&e, buf), "192.0.2.1@53");
	assert_ok(endpoint_parse("2001:db8::5@65535", 53, &e));
	assert_int_equal(e.port, 65535);
	assert_string_equal(endpoint_text(&e, buf), "2001:db8::5@65535");
	assert_ok(endpoint_parse("fe80::1%7@5", 53, &e));
	assert_int_equal(e.scope, 7);
	assert_string_equal(endpoint_text(&e, buf), "fe80::1%7@5");
	if (lo != 0) {
		snprintf(text, sizeof(text), "fe80::1%%lo@5");
		assert_ok(endpoint_parse(text, 53, &e));
		assert_int_equal(e.scope, lo);
	}
	e.a = parsed("2001:db8:1111:2222:3333:4444:5555:6666");
	e.scope = UINT32_MAX;
	e.port = 65535;
	assert_string_equal(endpoint_text(&e, buf), "2001:db8:1111:2222:3333:4444:5555:6666%4294967295@65535");
	assert_err(endpoint_parse("1.2.3.4@", 53, &e), ERR_FORMAT);
	assert_err(endpoint_parse("1.2.3.4@65536", 53, &e), ERR_RANGE);
	assert_err(endpoint_parse("1.2.3.4@99999999999999", 53, &e), ERR_FORMAT);
	assert_err(endpoint_parse("1.2.3.4@-1", 53, &e), ERR_FORMAT);
	assert_err(endpoint_parse("1.2.3.4@5@6", 53, &e), ERR_FORMAT);
	assert_err(endpoint_parse("1.2.3.4%lo", 53, &e), ERR_FORMAT);
	assert_err(endpoint_parse("fe80::1%", 53, &e), ERR_FORMAT);
	assert_err(endpoint_parse("fe80::1%nosuchif9", 53, &e), ERR_NOTFOUND);
	assert_err(endpoint_parse("fe80::1%averyveryverylongname", 53, &e), ERR_FORMAT);
	assert_err(endpoint_parse("@53", 53, &e), ERR_FORMAT);
}

static void endpoints_compare_by_all_parts(void **state)
{
	struct endpoint a, b;

	(void)state;
	assert_ok(endpoint_parse("fe80::1%1@53", 53, &a));
	b = a;
	assert_true(endpoint_equal(&a, &b));
	b.port = 54;
	assert_false(endpoint_equal(&a, &b));
	b = a;
	b.scope = 2;
	assert_false(endpoint_equal(&a, &b));
	b = a;
	b.a = parsed("fe80::2");
	assert_false(endpoint_equal(&a, &b));
}

static void prefixes_are_strict(void **state)
{
	struct prefix p = parsed_prefix("192.0.2.0/24");
	struct addr in = parsed("192.0.2.255"), out = parsed("192.0.3.0"), six = parsed("::");

	(void)state;
	assert_int_equal(p.len, 24);
	assert_true(prefix_covers(&p, &in));
	assert_false(prefix_covers(&p, &out));
	p = parsed_prefix("0.0.0.0/0");
	assert_true(prefix_covers(&p, &out));
	assert_false(prefix_covers(&p, &six));
	p = parsed_prefix("2001:db8::/33");
	in = parsed("2001:db8:7fff::1");
	out = parsed("2001:db8:8000::1");
	assert_true(prefix_covers(&p, &in));
	assert_false(prefix_covers(&p, &out));
	assert_int_equal(parsed_prefix("::1").len, 128);
	assert_int_equal(parsed_prefix("10.0.0.1").len, 32);
	assert_err(prefix_parse("192.0.2.1/24", &p), ERR_RANGE);
	assert_err(prefix_parse("192.0.2.0/33", &p), ERR_RANGE);
	assert_err(prefix_parse("2001:db8::1/64", &p), ERR_RANGE);
	assert_err(prefix_parse("::/129", &p), ERR_RANGE);
	assert_err(prefix_parse("192.0.2.0/", &p), ERR_FORMAT);
	assert_err(prefix_parse("/24", &p), ERR_FORMAT);
	assert_err(prefix_parse("192.0.2.0/2x", &p), ERR_FORMAT);
	assert_err(prefix_parse("192.0.2.0/24/1", &p), ERR_FORMAT);
}

static void kinds_of_addresses(void **state)
{
	struct addr a = parsed("127.1.2.3");
	char buf[ADDR_TEXT];

	(void)state;
	assert_true(addr_is_loopback(&a));
	a = parsed("::1");
	assert_true(addr_is_loopback(&a));
	a = parsed("::ffff:127.0.0.1");
	assert_true(addr_is_loopback(&a));
	a = addr_unmap(&a);
	assert_string_equal(addr_text(&a, buf), "127.0.0.1");
	a = parsed("::2");
	assert_false(addr_is_loopback(&a));
	a = addr_unmap(&a);
	assert_string_equal(addr_text(&a, buf), "::2");
	a = parsed("0.0.0.0");
	assert_true(addr_is_unspecified(&a));
	a = parsed("::");
	assert_true(addr_is_unspecified(&a));
	a = parsed("::1");
	assert_false(addr_is_unspecified(&a));
	a = (struct addr){ .family = ADDR_UNIX };
	assert_false(addr_is_unspecified(&a));
	assert_string_equal(addr_text(&a, buf), "unix");
	a = parsed("224.0.0.251");
	assert_true(addr_is_multicast(&a));
	a = parsed("255.255.255.255");
	assert_true(addr_is_multicast(&a));
	a = parsed("240.0.0.1");
	assert_false(addr_is_multicast(&a));
	a = parsed("ff02::fb");
	assert_true(addr_is_multicast(&a));
}

static void the_longest_match_wins(void **state)
{
	AUTO(prefix_map_free) struct prefix_map *m = prefix_map_new();
	static const char *const prefixes[] = { "10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "10.1.2.3", "0.0.0.0/0" };
	static const struct {
		const char *addr;
		uint32_t value;
	} want[] = { { "10.1.2.3", 3 }, { "10.1.2.4", 2 }, { "10.1.3.1", 1 }, { "10.2.0.0", 0 }, { "11.0.0.0", 4 } };
	struct addr six = parsed("::1");
	struct prefix p;
	uint32_t v = 99;

	(void)state;
	for (uint32_t i = 0; i < 5; i++) {
		p = parsed_prefix(prefixes[i]);
		assert_ok(prefix_map_put(m, &p, i));
	}
	for (uint32_t i = 0; i < 5; i++) {
		struct addr a = parsed(want[i].addr);

		assert_true(prefix_map_get(m, &a, &v));
		assert_int_equal(v, want[i].value);
	}
	v = 99;
	assert_false(prefix_map_get(m, &six, &v));
	assert_int_equal(v, 99);
	assert_int_equal(prefix_map_count(m), 5);
	p = parsed_prefix("10.1.0.0/16");
	assert_ok(prefix_map_put(m, &p, 77));
	assert_int_equal(prefix_map_count(m), 5);
	p.a.family = ADDR_UNIX;
	assert_err(prefix_map_put(m, &p, 1), ERR_RANGE);
}

struct naive {
	struct prefix p;
	uint32_t value;
};

static struct prefix random_prefix(struct rng *r)
{
	struct prefix p = { { .family = rng_below(r, 2) ? ADDR_V4 : ADDR_V6 }, 0 };
	unsigned int bits = (unsigned int)addr_octets(&p.a) * 8;

	p.len = (uint8_t)rng_below(r, bits + 1);
	if (rng_below(r, 2) && p.len > 12)
		p.len = (uint8_t)(rng_below(r, 12)); /* short ones meet more often */
	for (unsigned int i = 0; i < p.len; i++)
		if (rng_below(r, i < 8 ? 2 : 4) == 0)
			p.a.b[i / 8] |= (uint8_t)(0x80 >> (i % 8));
	return p;
}

static bool naive_get(const struct naive *list, size_t n, const struct addr *a, uint32_t *ret)
{
	int best = -1;

	for (size_t i = 0; i < n; i++) {
		if (prefix_covers(&list[i].p, a) && list[i].p.len >= best) { /* later ones replace */
			best = list[i].p.len;
			*ret = list[i].value;
		}
	}
	return best >= 0;
}

static void a_random_table_agrees_with_a_list(void **state)
{
	static struct naive list[400];
	AUTO(rng_free) struct rng *r = rng_new_seeded(42);

	(void)state;
	for (unsigned int round = 0; round < 40; round++) {
		AUTO(prefix_map_free) struct prefix_map *m = prefix_map_new();
		size_t n = 1 + rng_below(r, 400);

		for (size_t i = 0; i < n; i++) {
			list[i] = (struct naive){ random_prefix(r), rng32(r) };
			assert_ok(prefix_map_put(m, &list[i].p, list[i].value));
		}
		for (unsigned int i = 0; i < 500; i++) {
			struct addr a = rng_below(r, 2) ? random_prefix(r).a : list[rng_below(r, (uint32_t)n)].p.a;
			uint32_t got = 0, want = 0;

			a.b[rng_below(r, (uint32_t)addr_octets(&a))] ^= (uint8_t)(1u << rng_below(r, 8));
			assert_int_equal(prefix_map_get(m, &a, &got), naive_get(list, n, &a, &want));
			assert_int_equal(got, want);
		}
	}
}

static bool build(void)
{
	AUTO(prefix_map_free) struct prefix_map *m = prefix_map_new();
	AUTO(rng_free) struct rng *r = rng_new_seeded(1);

	if (m == NULL || r == NULL)
		return false;
	for (uint32_t i = 0; i < 200; i++) {
		struct prefix p = random_prefix(r);

		if (!OK(prefix_map_put(m, &p, i)))
			return false;
	}
	return true;
}

static void memory_may_run_out(void **state)
{
	(void)state;
	assert_true(for_each_failing_allocation(build) >= 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_go_to_text_and_back),
		cmocka_unit_test(nonsense_is_no_address),
		cmocka_unit_test(endpoints_have_ports_and_scopes),
		cmocka_unit_test(endpoints_compare_by_all_parts),
		cmocka_unit_test(prefixes_are_strict),
		cmocka_unit_test(kinds_of_addresses),
		cmocka_unit_test(the_longest_match_wins),
		cmocka_unit_test(a_random_table_agrees_with_a_list),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
