#include "cache_unit.h"

#include "resolver/cache/key.h"

static uint8_t plain_lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

static void every_octet_at_every_place_is_lowered_as_one_by_one(void **state)
{
	(void)state;
	for (unsigned int c = 0; c < 256; c++) {
		for (unsigned int at = 0; at < 8; at++) {
			uint64_t x = lower8(UINT64_C(0x41ff5a7b60404100) ^ (uint64_t)c << (8 * at));
			uint64_t y = UINT64_C(0x41ff5a7b60404100) ^ (uint64_t)c << (8 * at);

			for (unsigned int i = 0; i < 8; i++)
				assert_int_equal(x >> (8 * i) & 0xff, plain_lower((uint8_t)(y >> (8 * i))));
		}
	}
}

static void every_length_is_lowered_and_compared_to_its_last_octet(void **state)
{
	uint8_t any[80], lower[80];

	(void)state;
	for (size_t n = 0; n <= 64; n++) {
		for (size_t i = 0; i < sizeof(any); i++)
			any[i] = (uint8_t)(i % 3 == 0 ? 'A' + i % 26 : i * 37);
		memset(lower, 0xaa, sizeof(lower));
		key_lower(lower, any, n);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(lower[i], plain_lower(any[i]));
		assert_int_equal(lower[n], 0xaa);
		assert_true(key_equal(lower, any, n));
		for (size_t i = 0; i < n; i++) {
			lower[i] ^= 1;
			assert_false(key_equal(lower, any, n));
			lower[i] ^= 1;
		}
	}
}

static void a_suffix_has_the_same_hash_in_every_name_and_any_case(void **state)
{
	struct turn t = turn_begin();
	struct key_chain a, b, c;

	(void)state;
	key_chain_init(&a, &test_key, nm(&t, "www.Example.ORG."));
	key_chain_init(&b, &test_key, nm(&t, "eXample.org."));
	key_chain_init(&c, &test_key, nm(&t, "www.example.com."));
	assert_int_equal(a.labels, 3);
	assert_int_equal(b.labels, 2);
	for (unsigned int i = 0; i <= 2; i++)
		assert_int_equal(a.of[i], b.of[i]);
	assert_int_equal(a.of[0], c.of[0]);
	for (unsigned int i = 1; i <= 3; i++)
		assert_int_not_equal(a.of[i], c.of[i]);
	turn_end(&t);
}

/* The octets of "cd." end "xy\002cd." too, but within a label. */
static void a_name_is_not_taken_for_the_end_of_a_label(void **state)
{
	struct turn t = turn_begin();
	struct key_chain whole, inside, alone;
	struct hash_key other = { { test_key.k[0] + 1, test_key.k[1] } };

	(void)state;
	key_chain_init(&alone, &other, nm(&t, "cd."));
	key_chain_init(&alone, &test_key, nm(&t, "cd."));
	key_chain_init(&whole, &test_key, nm(&t, "xy\\002cd."));
	assert_int_equal(whole.labels, 1);
	key_chain_init(&inside, &test_key, nm(&t, "cd."));
	assert_int_equal(inside.of[1], alone.of[1]);
	assert_int_not_equal(inside.of[1], whole.of[1]);
	key_chain_init(&whole, &test_key, nm(&t, "a.b.CD."));
	key_chain_init(&inside, &test_key, nm(&t, "B.cd."));
	assert_int_equal(inside.labels, 2);
	assert_int_equal(inside.of[2], whole.of[2]);
	key_chain_init(&inside, &test_key, name_root);
	assert_int_equal(inside.labels, 0);
	assert_int_equal(inside.of[0], whole.of[0]);
	key_chain_init(&inside, &other, nm(&t, "a.b.cd."));
	assert_int_not_equal(inside.of[3], whole.of[3]);
	turn_end(&t);
}

static void labels_cannot_be_shifted_into_each_other(void **state)
{
	struct turn t = turn_begin();
	struct key_chain a, b;

	(void)state;
	key_chain_init(&a, &test_key, nm(&t, "ab.c."));
	key_chain_init(&b, &test_key, nm(&t, "a.bc."));
	assert_int_not_equal(a.of[2], b.of[2]);
	assert_int_not_equal(key_mix(&test_key, a.of[2], 1), key_mix(&test_key, a.of[2], 2));
	turn_end(&t);
}

static void the_longest_name_has_all_its_labels(void **state)
{
	uint8_t wire[255];
	struct key_chain a;

	(void)state;
	for (size_t i = 0; i < 254; i += 2) {
		wire[i] = 1;
		wire[i + 1] = 'x';
	}
	wire[254] = 0;
	key_chain_init(&a, &test_key, (struct name){ wire, 255, 127 });
	assert_int_equal(a.labels, 127);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_octet_at_every_place_is_lowered_as_one_by_one),
		cmocka_unit_test(every_length_is_lowered_and_compared_to_its_last_octet),
		cmocka_unit_test(a_suffix_has_the_same_hash_in_every_name_and_any_case),
		cmocka_unit_test(a_name_is_not_taken_for_the_end_of_a_label),
		cmocka_unit_test(labels_cannot_be_shifted_into_each_other),
		cmocka_unit_test(the_longest_name_has_all_its_labels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
