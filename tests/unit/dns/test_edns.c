#include "tests/unit/dns/dns_test.h"

static void options_are_walked(void **state)
{
	static const uint8_t octets[] = { 0, 3, 0, 0, 0, 10, 0, 2, 'a', 'b', 0xff, 0xff, 0, 1, 'c' };
	struct reader r = reader_of(span_of(octets, sizeof octets));
	uint16_t code;
	struct span data;

	(void)state;
	assert_ok(edns_check_options(span_of(octets, sizeof octets), 0));
	assert_ok(edns_check_options(span_of(octets, sizeof octets), 3));
	assert_err(edns_check_options(span_of(octets, sizeof octets), 2), ERR_LIMIT);
	assert_ok(edns_check_options(span_of(NULL, 0), 1));
	assert_true(edns_next_option(&r, &code, &data) && code == EDNS_NSID && data.n == 0);
	assert_true(edns_next_option(&r, &code, &data) && code == EDNS_COOKIE && span_equal(data, span_text("ab")));
	assert_true(edns_next_option(&r, &code, &data) && code == 65535 && data.n == 1);
	assert_false(edns_next_option(&r, &code, &data));
	for (size_t n = 1; n < sizeof octets; n++)
		assert_int_equal(edns_check_options(span_of(octets, n), 0).e, n == 4 || n == 10 ? ERR_NONE : ERR_FORMAT);
}

static void a_broken_list_just_ends(void **state)
{
	static const uint8_t octets[] = { 0, 3, 0, 9, 1 };
	struct reader r = reader_of(span_of(octets, sizeof octets));
	uint16_t code = 7;
	struct span data = { NULL, 0 };

	(void)state;
	assert_false(edns_next_option(&r, &code, &data));
	assert_false(edns_next_option(&r, &code, &data));
	assert_int_equal(code, 7);
}

static void errors_have_their_registered_phrases(void **state)
{
	(void)state;
	assert_string_equal(ede_text(EDE_OTHER), "Other Error");
	assert_string_equal(ede_text(EDE_NO_REACHABLE), "No Reachable Authority");
	assert_string_equal(ede_text(EDE_SYNTHESIZED), "Synthesized");
	assert_string_equal(ede_text(31), "");
	assert_string_equal(ede_text(65535), "");
	for (unsigned int code = 0; code <= EDE_INVALID_QTYPE; code++)
		assert_true(strlen(ede_text((uint16_t)code)) > 5);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_walked),
		cmocka_unit_test(a_broken_list_just_ends),
		cmocka_unit_test(errors_have_their_registered_phrases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
