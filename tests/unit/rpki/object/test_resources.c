/* Sets of addresses and AS numbers: reading, containing, intersecting, printing; beside a slow model of small numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/strbuf.h"
#include "rpki/object/resources.h"


#define S(literal) span_of(literal, sizeof(literal) - 1)

static struct arena *a;

static bool read_ip(struct span s, struct resources *r)
{
	struct report rep;
	bool nomem = false;

	report_init(&rep);
	*r = (struct resources){ .ip4 = CLAIM_NONE };
	return resources_read_ip(s, a, &rep, r, &nomem) && report_good(&rep);
}

static void prefixes_and_ranges(void **state)
{
	AUTO(strbuf_free) struct strbuf *b = strbuf_new(1000);
	struct resources r;

	(void)state;
	/* 10.0.0.0/8, 10.255... is in it; 192.0.2.0-192.0.2.5 */
	assert_true(read_ip(S("\x30\x1b\x30\x19\x04\x02\x00\x01\x30\x13\x03\x02\x00\x0a\x30\x0d\x03\x04\x01\xc0\x00\x02\x03\x05\x01\xc0\x00\x02\x04"), &r));
	resources_print(&r, b, 10);
	assert_string_equal(strbuf_text(b), "IPv4 10.0.0.0/8, 192.0.2.0-192.0.2.5");
	assert_true(set32_has(&r.v4, 0x0a000000, 0x0affffff));
	assert_false(set32_has(&r.v4, 0x0a000000, 0x0b000000));
	assert_true(set32_has(&r.v4, 0xc0000205, 0xc0000205));
	assert_false(set32_has(&r.v4, 0xc0000205, 0xc0000206));
	assert_false(set32_has(&r.v4, 0, 0));
	assert_int_equal(r.ip6, CLAIM_NONE);
}

static void the_whole_of_ipv6(void **state)
{
	AUTO(strbuf_free) struct strbuf *b = strbuf_new(1000);
	struct resources r;

	(void)state;
	assert_true(read_ip(S("\x30\x0b\x30\x09\x04\x02\x00\x02\x30\x03\x03\x01\x00"), &r));
	resources_print(&r, b, 10);
	assert_string_equal(strbuf_text(b), "IPv6 ::/0");
	assert_true(set128_has(&r.v6, 0, ~(rpki_u128)0));
}

static void order(void **state)
{
	struct resources r;

	(void)state;
	assert_false(read_ip(S("\x30\x10\x30\x0e\x04\x02\x00\x01\x30\x08\x03\x02\x00\x0a\x03\x02\x00\x0a"), &r)); /* twice */
	assert_false(read_ip(S("\x30\x10\x30\x0e\x04\x02\x00\x01\x30\x08\x03\x02\x00\x0a\x03\x02\x00\x0b"), &r)); /* 10/8 and 11/8 touch */
	assert_true(read_ip(S("\x30\x10\x30\x0e\x04\x02\x00\x01\x30\x08\x03\x02\x00\x0a\x03\x02\x00\x0c"), &r));
	assert_false(read_ip(S("\x30\x10\x30\x0e\x04\x02\x00\x01\x30\x08\x03\x02\x00\x0c\x03\x02\x00\x0a"), &r));
	assert_false(read_ip(S("\x30\x10\x30\x06\x04\x02\x00\x02\x05\x00\x30\x06\x04\x02\x00\x01\x05\x00"), &r)); /* IPv6 before IPv4 */
	assert_true(read_ip(S("\x30\x10\x30\x06\x04\x02\x00\x01\x05\x00\x30\x06\x04\x02\x00\x02\x05\x00"), &r));
	assert_true(r.ip4 == CLAIM_INHERIT && r.ip6 == CLAIM_INHERIT);
}

static void inherit_is_the_issuers(void **state)
{
	static const struct range32 issuer_v4 = { 100, 200 }, inner = { 150, 160 }, outer = { 150, 201 };
	struct resources issuer = { .ip4 = CLAIM_SET, .v4 = { &issuer_v4, 1 } }, c = { .ip4 = CLAIM_INHERIT, .as = CLAIM_INHERIT }, e;
	const char *kind;
	bool trimmed;

	(void)state;
	assert_true(resources_effective(&c, &issuer, &e, &kind));
	assert_true(e.ip4 == CLAIM_SET && e.v4.n == 1 && e.as == CLAIM_NONE);
	c = (struct resources){ .ip4 = CLAIM_SET, .v4 = { &inner, 1 } };
	assert_true(resources_effective(&c, &issuer, &e, &kind));
	c.v4.r = &outer;
	assert_false(resources_effective(&c, &issuer, &e, &kind));
	assert_string_equal(kind, "IPv4 addresses");
	assert_true(OK(resources_trimmed(&c, &issuer, a, &e, &trimmed)));
	assert_true(trimmed && e.v4.n == 1 && e.v4.r[0].lo == 150 && e.v4.r[0].hi == 200);
	c = (struct resources){ .as = CLAIM_SET, .asn = { &inner, 1 } };
	assert_true(OK(resources_trimmed(&c, &issuer, a, &e, &trimmed)));
	assert_true(trimmed && e.asn.n == 0);
}

/* Sets of numbers below 64 as bits of a word: the model. */
static struct set32 set_of(uint64_t bits)
{
	struct range32 *r = arena_alloc_array(a, 64, sizeof *r);
	uint32_t n = 0;

	for (uint32_t i = 0; i < 64; i++) {
		if ((bits >> i & 1) == 0)
			continue;
		if (n > 0 && r[n - 1].hi + 1 == i)
			r[n - 1].hi = i;
		else
			r[n++] = (struct range32){ i, i };
	}
	return (struct set32){ r, n };
}

static void beside_a_model(void **state)
{
	uint64_t x = 88172645463325252u;

	(void)state;
	for (unsigned int round = 0; round < 2000; round++) {
		uint64_t p, q, both;
		struct resources one, two, e;
		struct set32 expect;
		bool trimmed;

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		p = x & (x >> 3);
		q = round % 3 == 0 ? p | x << 5 : x << 7;
		both = p & q;
		one = (struct resources){ .ip4 = CLAIM_SET, .v4 = set_of(p), .ip6 = CLAIM_NONE };
		two = (struct resources){ .ip4 = CLAIM_SET, .v4 = set_of(q) };
		assert_int_equal(set32_within(&one.v4, &two.v4), both == p);
		assert_true(OK(resources_trimmed(&one, &two, a, &e, &trimmed)));
		expect = set_of(both);
		assert_int_equal(trimmed, both != p);
		assert_int_equal(e.v4.n, expect.n);
		assert_memory_equal(e.v4.r, expect.r, expect.n * sizeof *expect.r);
		for (uint32_t i = 0; i < 64; i++)
			assert_int_equal(set32_has(&one.v4, i, i), p >> i & 1);
		arena_reset(a);
	}
}

static void addresses_as_text(void **state)
{
	char room[PREFIX_TEXT];
	struct ip_prefix p = { 6, 48, (rpki_u128)0x20010db80001 << 80 };

	(void)state;
	assert_string_equal(ip_prefix_text(&p, room), "2001:db8:1::/48");
	assert_true(ip_prefix_last(&p) == (p.lo | (((rpki_u128)1 << 80) - 1)));
	p = (struct ip_prefix){ 4, 0, 0 };
	assert_string_equal(ip_prefix_text(&p, room), "0.0.0.0/0");
	assert_true(ip_prefix_last(&p) == UINT32_MAX);
	p = (struct ip_prefix){ 6, 0, 0 };
	assert_true(ip_prefix_last(&p) == ~(rpki_u128)0);
	p = (struct ip_prefix){ 4, 32, 0xc0000201 };
	assert_string_equal(ip_prefix_text(&p, room), "192.0.2.1/32");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prefixes_and_ranges),
		cmocka_unit_test(the_whole_of_ipv6),
		cmocka_unit_test(order),
		cmocka_unit_test(inherit_is_the_issuers),
		cmocka_unit_test(beside_a_model),
		cmocka_unit_test(addresses_as_text),
	};
	int failed;

	a = arena_new(0);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_free(a);
	return failed;
}
