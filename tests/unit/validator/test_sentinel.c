#include "tests/unit/dns/dns_test.h"

#include "validator/sentinel.h"

static void expect(const char *name, enum sentinel want, uint16_t want_tag)
{
	struct name_buf n = nb(name);
	uint16_t tag = 7;

	assert_int_equal(sentinel_parse(name_of(&n), &tag), want);
	assert_int_equal(tag, want == SENTINEL_NONE ? 7 : want_tag);
}

static void labels_of_rfc_8509(void **state)
{
	(void)state;
	expect("root-key-sentinel-is-ta-20326.example.", SENTINEL_IS_TA, 20326);
	expect("ROOT-key-sentinel-NOT-ta-00042.example.", SENTINEL_NOT_TA, 42);
	expect("root-key-sentinel-is-ta-65535.", SENTINEL_IS_TA, 65535);
	expect("root-key-sentinel-is-ta-65536.", SENTINEL_NONE, 0);
	expect("root-key-sentinel-is-ta-2032.", SENTINEL_NONE, 0);
	expect("root-key-sentinel-is-ta-020326.", SENTINEL_NONE, 0);
	expect("root-key-sentinel-is-ta-2032x.", SENTINEL_NONE, 0);
	expect("www.root-key-sentinel-is-ta-20326.", SENTINEL_NONE, 0);
	expect(".", SENTINEL_NONE, 0);
}

static void what_a_sentinel_refuses(void **state)
{
	(void)state;
	assert_false(sentinel_refuses(SENTINEL_IS_TA, true));
	assert_true(sentinel_refuses(SENTINEL_IS_TA, false));
	assert_true(sentinel_refuses(SENTINEL_NOT_TA, true));
	assert_false(sentinel_refuses(SENTINEL_NOT_TA, false));
	assert_false(sentinel_refuses(SENTINEL_NONE, true));
	assert_false(sentinel_refuses(SENTINEL_NONE, false));
}

static void names_of_rfc_8145(void **state)
{
	static const uint16_t tags[] = { 38696, 20326, 38696 };
	uint16_t many[13];
	char text[NAME_TEXT];
	struct name_buf zone = nb("example.");
	struct name_buf n;

	(void)state;
	assert_ok(ta_signal_name(name_root, tags, 3, &n));
	assert_string_equal(name_to_text(name_of(&n), text), "_ta-4f66-9728.");
	assert_ok(ta_signal_name(name_of(&zone), tags + 1, 1, &n));
	assert_string_equal(name_to_text(name_of(&n), text), "_ta-4f66.example.");
	assert_err(ta_signal_name(name_root, tags, 0, &n), ERR_RANGE);
	for (uint16_t i = 0; i < 13; i++)
		many[i] = i;
	assert_ok(ta_signal_name(name_root, many, 12, &n));
	assert_int_equal(n.b[0], 63);
	assert_err(ta_signal_name(name_root, many, 13, &n), ERR_SPACE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(labels_of_rfc_8509),
		cmocka_unit_test(what_a_sentinel_refuses),
		cmocka_unit_test(names_of_rfc_8145),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
