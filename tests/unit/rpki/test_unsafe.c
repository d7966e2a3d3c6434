/* VRPs that overlap what a CA that failed has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rpki/routes/table.h"
#include "rpki/validate/unsafe.h"

static struct vrp vrp(const char *text, uint8_t maxlen, uint32_t asn)
{
	struct prefix p;
	struct vrp v;

	assert_true(OK(prefix_parse(text, &p)));
	assert_true(OK(vrp_make(&p, maxlen, asn, &v)));
	return v;
}

static bool has(const struct unsafe *x, const char *text)
{
	struct prefix p;
	struct vrp v;

	assert_true(OK(prefix_parse(text, &p)));
	v = vrp(text, p.len, 1);
	return unsafe_has(x, &v);
}

static void add4(struct unsafe *x, uint32_t lo, uint32_t hi)
{
	const struct range32 one = { lo, hi };
	const struct resources r = { .ip4 = CLAIM_SET, .v4 = { &one, 1 } };

	assert_true(OK(unsafe_add(x, &r)));
}

/* Within, around, at both ends, beside; and nothing of the other family. */
static void what_overlaps_is_unsafe(void **state)
{
	struct unsafe *x = unsafe_new(0);
	const struct range128 six = { (rpki_u128)0x20010db8u << 96, ((rpki_u128)0x20010db9u << 96) - 1 };
	const struct resources r = { .ip6 = CLAIM_SET, .v6 = { &six, 1 } };

	(void)state;
	assert_non_null(x);
	assert_true(unsafe_is_empty(x));
	add4(x, 0xc0000200u, 0xc00002ffu); /* 192.0.2.0/24 */
	add4(x, 0x0a000000u, 0x0a0000ffu); /* 10.0.0.0/24 */
	assert_true(OK(unsafe_add(x, &r)));
	unsafe_seal(x);
	assert_false(unsafe_is_empty(x));
	assert_true(has(x, "192.0.2.0/24") && has(x, "192.0.2.0/25") && has(x, "192.0.0.0/16") && has(x, "192.0.2.255/32") && has(x, "0.0.0.0/0"));
	assert_false(has(x, "192.0.3.0/24") || has(x, "192.0.1.0/24") || has(x, "192.0.1.255/32") || has(x, "255.0.0.0/8") || has(x, "0.0.0.0/8"));
	assert_true(has(x, "10.0.0.0/8") && has(x, "2001:db8::/32") && has(x, "2001:db8:ffff::/48") && has(x, "::/0"));
	assert_false(has(x, "2001:db9::/32") || has(x, "2001:db7::/32"));
	unsafe_free(x);
}

/* A trust anchor that failed would make everything unsafe. */
static void all_addresses_are_none(void **state)
{
	const struct range128 six = { 0, ~(rpki_u128)0 };
	const struct resources r = { .ip6 = CLAIM_SET, .v6 = { &six, 1 } };
	struct unsafe *x = unsafe_new(0);

	(void)state;
	assert_non_null(x);
	add4(x, 0, UINT32_MAX);
	assert_true(OK(unsafe_add(x, &r)));
	unsafe_seal(x);
	assert_true(unsafe_is_empty(x));
	unsafe_free(x);
}

static void ranges_are_joined_and_bounded(void **state)
{
	struct unsafe *x = unsafe_new(100);

	(void)state;
	assert_non_null(x);
	for (uint32_t i = 0; i < 1000; i++)
		add4(x, 0x0a000000u + i % 10 * 256, 0x0a0000ffu + i % 10 * 256);
	assert_int_equal(unsafe_left_out(x), 0);
	for (uint32_t i = 0; i < 200; i++)
		add4(x, 0x0b000000u + i * 512, 0x0b0000ffu + i * 512);
	assert_true(unsafe_left_out(x) > 0 && unsafe_left_out(x) <= 200);
	unsafe_seal(x);
	assert_true(has(x, "10.0.9.0/24") && has(x, "11.0.0.0/24") && !has(x, "11.0.1.0/24"));
	unsafe_free(x);
}

static struct payload_table *three(void) OWNED_BY(table_unref);
static struct payload_table *three(void)
{
	AUTO(table_builder_free) struct table_builder *b = table_builder_new(NULL);
	const struct vrp v[] = { vrp("10.0.0.0/24", 24, 1), vrp("192.0.2.0/25", 25, 2), vrp("2001:db8::/32", 48, 3) };
	struct payload_table *t = NULL;
	const uint32_t provider = 9;

	assert_non_null(b);
	for (size_t i = 0; i < 3; i++)
		assert_true(OK(table_builder_add_vrp(b, &v[i], SOURCE_NONE)));
	assert_true(OK(table_builder_add_aspa(b, 4, &provider, 1, SOURCE_NONE)));
	assert_true(OK(table_builder_finish(MOVE(b), 1, &t)));
	return t;
}

static void a_table_is_parted(void **state)
{
	AUTO(table_unref) struct payload_table *t = three(), *unsafe = NULL;
	AUTO(unsafe_free) struct unsafe *x = unsafe_new(0);
	const struct payload_table *before = t;

	(void)state;
	assert_non_null(x);
	unsafe_seal(x);
	assert_true(OK(unsafe_part(x, UNSAFE_REJECT, 2, &t, &unsafe)));
	assert_true(t == before && unsafe == NULL); /* nothing failed */
	add4(x, 0xc6336400u, 0xc63364ffu);
	unsafe_seal(x);
	assert_true(OK(unsafe_part(x, UNSAFE_REJECT, 2, &t, &unsafe)));
	assert_true(t == before && unsafe == NULL); /* nothing overlaps */
	add4(x, 0xc0000200u, 0xc00002ffu);
	unsafe_seal(x);
	assert_true(OK(unsafe_part(x, UNSAFE_WARN, 2, &t, &unsafe)));
	assert_true(t == before && table_count(unsafe, PAYLOAD_VRP) == 1 && table_vrp(unsafe, 0).asn == 2 && table_count(unsafe, PAYLOAD_ASPA) == 0);
	table_unref(MOVE(unsafe));
	assert_true(OK(unsafe_part(x, UNSAFE_REJECT, 2, &t, &unsafe)));
	assert_int_equal(table_count(unsafe, PAYLOAD_VRP), 1);
	assert_int_equal(table_count(t, PAYLOAD_VRP), 2);
	assert_int_equal(table_count(t, PAYLOAD_ASPA), 1);
	assert_true(table_vrp(t, 0).asn == 1 && table_vrp(t, 1).asn == 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_overlaps_is_unsafe),
		cmocka_unit_test(all_addresses_are_none),
		cmocka_unit_test(ranges_are_joined_and_bounded),
		cmocka_unit_test(a_table_is_parted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
