/* Server cookies: the vectors of RFC 9018 appendix A, and who is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "resolver/serve/cookie.h"

static size_t unhex(const char *text, uint8_t *to)
{
	size_t n = strlen(text) / 2;

	for (size_t i = 0; i < n; i++) {
		unsigned int v;

		assert_int_equal(sscanf(text + 2 * i, "%2x", &v), 1);
		to[i] = (uint8_t)v;
	}
	return n;
}

static struct cookie_secrets secrets(const char *first, const char *second)
{
	struct cookie_secrets s = { .count = 1 };

	assert_true(OK(cookie_secret_parse(first, &s.key[0])));
	if (second != NULL) {
		assert_true(OK(cookie_secret_parse(second, &s.key[1])));
		s.count = 2;
	}
	return s;
}

static enum cookie_state judge(
    const struct cookie_secrets *s, const char *cookie, const char *client, int64_t at, const char *want_reply)
{
	uint8_t option[64], reply[COOKIE_FULL], want[COOKIE_FULL];
	size_t n = unhex(cookie, option);
	struct addr a;
	enum cookie_state state;

	assert_true(OK(addr_parse(client, &a)));
	state = cookie_judge(s, span_of(option, n), &a, at, reply);
	if (want_reply != NULL) {
		assert_int_equal(unhex(want_reply, want), COOKIE_FULL);
		assert_memory_equal(reply, want, COOKIE_FULL);
	}
	return state;
}

#define SECRET "e5e973e5a6b2a43f48e7dc849e37bfcf"
#define CLIENT "2464c4abcf10c957"
#define FIRST CLIENT "010000005cf79f111f8130c3eee29480"
#define ADDRESS "198.51.100.100"
#define AT 1559731985

static void a_new_client_gets_the_cookie_of_rfc_9018_a1(void **state)
{
	struct cookie_secrets s = secrets(SECRET, NULL);

	(void)state;
	assert_int_equal(judge(&s, CLIENT, ADDRESS, AT, FIRST), COOKIE_ALONE);
}

static void a_good_cookie_comes_back_as_it_was(void **state)
{
	struct cookie_secrets s = secrets(SECRET, NULL);

	(void)state;
	assert_int_equal(judge(&s, FIRST, ADDRESS, AT + 10, FIRST), COOKIE_GOOD);
}

static void an_older_cookie_is_renewed_as_in_a2(void **state)
{
	struct cookie_secrets s = secrets(SECRET, NULL);

	(void)state;
	assert_int_equal(judge(&s, FIRST, ADDRESS, 1559734385, CLIENT "010000005cf7a871d4a564a1442aca77"), COOKIE_RENEW);
}

static void reserved_bits_do_not_matter_as_in_a3(void **state)
{
	struct cookie_secrets s = secrets(SECRET, NULL);

	(void)state;
	assert_int_equal(
	    judge(&s, "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5", "203.0.113.203", 0x5cf78f71, NULL), COOKIE_GOOD);
}

static void a_rolled_secret_is_still_accepted_as_in_a4(void **state)
{
	struct cookie_secrets s = secrets("445536bcd2513298075a5d379663c962", "dd3bdf9344b678b185a6f5cb60fca715");

	(void)state;
	assert_int_equal(
	    judge(&s, "22681ab97d52c298010000005cf7c57926556bd0934c72f8", "2001:db8:220:1:59de:d0f4:8769:82b8", 0x5cf7c609, NULL),
	    COOKIE_GOOD);
}

static void another_address_another_secret_and_other_times_are_refused(void **state)
{
	struct cookie_secrets s = secrets(SECRET, NULL), other = secrets("445536bcd2513298075a5d379663c962", NULL);

	(void)state;
	assert_int_equal(judge(&s, FIRST, "198.51.100.101", AT, NULL), COOKIE_BAD);
	assert_int_equal(judge(&other, FIRST, ADDRESS, AT, NULL), COOKIE_BAD);
	assert_int_equal(judge(&s, FIRST, ADDRESS, AT + 3601, NULL), COOKIE_BAD);
	assert_int_equal(judge(&s, FIRST, ADDRESS, AT + 3600, NULL), COOKIE_RENEW);
	assert_int_equal(judge(&s, FIRST, ADDRESS, AT - 301, NULL), COOKIE_BAD);
	assert_int_equal(judge(&s, FIRST, ADDRESS, AT - 300, NULL), COOKIE_GOOD);
	assert_int_equal(judge(&s, CLIENT "020000005cf79f111f8130c3eee29480", ADDRESS, AT, NULL), COOKIE_BAD);
	assert_int_equal(judge(&s, FIRST "00", ADDRESS, AT, NULL), COOKIE_BAD);
}

static void a_bad_cookie_is_answered_with_a_good_one(void **state)
{
	struct cookie_secrets s = secrets(SECRET, NULL);

	(void)state;
	assert_int_equal(judge(&s, CLIENT "0100000000000000ffffffffffffffff", ADDRESS, AT, FIRST), COOKIE_BAD);
}

static void lengths_that_cannot_be_are_malformed(void **state)
{
	static const size_t bad[] = { 0, 1, 7, 9, 15, 41, 60 };
	struct cookie_secrets s = secrets(SECRET, NULL);
	struct addr a = { ADDR_V4, { 192, 0, 2, 1 } };
	uint8_t octets[64] = { 0 }, reply[COOKIE_FULL];

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(cookie_judge(&s, span_of(octets, bad[i]), &a, AT, reply), COOKIE_MALFORMED);
	assert_int_equal(cookie_judge(&s, span_of(octets, 16), &a, AT, reply), COOKIE_BAD);
	assert_int_equal(cookie_judge(&s, span_of(octets, 40), &a, AT, reply), COOKIE_BAD);
}

static void a_secret_is_thirty_two_digits(void **state)
{
	struct hash_key k;

	(void)state;
	assert_false(OK(cookie_secret_parse("e5e973e5a6b2a43f48e7dc849e37bfc", &k)));
	assert_false(OK(cookie_secret_parse("e5e973e5a6b2a43f48e7dc849e37bfcf0", &k)));
	assert_false(OK(cookie_secret_parse("g5e973e5a6b2a43f48e7dc849e37bfcf", &k)));
	assert_true(OK(cookie_secret_parse("E5E973E5A6B2A43F48E7DC849E37BFCF", &k)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_client_gets_the_cookie_of_rfc_9018_a1),
		cmocka_unit_test(a_good_cookie_comes_back_as_it_was),
		cmocka_unit_test(an_older_cookie_is_renewed_as_in_a2),
		cmocka_unit_test(reserved_bits_do_not_matter_as_in_a3),
		cmocka_unit_test(a_rolled_secret_is_still_accepted_as_in_a4),
		cmocka_unit_test(another_address_another_secret_and_other_times_are_refused),
		cmocka_unit_test(a_bad_cookie_is_answered_with_a_good_one),
		cmocka_unit_test(lengths_that_cannot_be_are_malformed),
		cmocka_unit_test(a_secret_is_thirty_two_digits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
