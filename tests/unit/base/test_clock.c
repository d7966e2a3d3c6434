#include "unit.h"

#include <stdio.h>
#include <time.h>

#include "base/clock.h"

static void the_clock_runs(void **state)
{
	struct now a = clock_read(), b;
	uint64_t p = clock_precise_ns();

	(void)state;
	while (clock_precise_ns() == p)
		;
	b = clock_read();
	assert_true(b.mono_ns >= a.mono_ns);
	assert_true(b.wall_sec > 1700000000);
	assert_true(b.wall_nsec < 1000000000);
	assert_int_equal(now_ms(&a), a.mono_ns / 1000000);
}

static void dates_are_written_as_the_library_does(void **state)
{
	char mine[32], theirs[32];

	(void)state;
	for (int64_t t = -70000000000; t < 250000000000; t += 86399 * 977) {
		time_t tt = (time_t)t;
		struct tm tm;

		gmtime_r(&tt, &tm);
		if (tm.tm_year + 1900 < 0)
			continue;
		snprintf(theirs, sizeof(theirs), "%04d-%02d-%02dT%02d:%02d:%02dZ", (tm.tm_year + 1900) % 100000, tm.tm_mon + 1,
		    tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
		assert_string_equal(clock_iso(t, mine), theirs);
	}
	assert_string_equal(clock_iso(0, mine), "1970-01-01T00:00:00Z");
	assert_string_equal(clock_iso(951782400, mine), "2000-02-29T00:00:00Z");
	clock_iso(INT64_MAX, mine);
	clock_iso(INT64_MIN, mine);
}

static void what_is_written_is_read(void **state)
{
	char buf[32];

	(void)state;
	for (int64_t t = -60000000000; t < 250000000000; t += 86399 * 1009) {
		int64_t got = 1;

		assert_ok(clock_parse(clock_iso(t, buf), &got));
		assert_true(got == t);
	}
}

static void every_form_is_read(void **state)
{
	int64_t t;

	(void)state;
	assert_ok(clock_parse("20040509183619", &t)); /* RFC 4034 section 3.3 */
	assert_int_equal(t, 1084127779);
	assert_ok(clock_parse("1084127779", &t));
	assert_int_equal(t, 1084127779);
	assert_ok(clock_parse("2004-05-09T18:36:19Z", &t));
	assert_int_equal(t, 1084127779);
	assert_ok(clock_parse("2004-05-09 18:36:19.999z", &t));
	assert_int_equal(t, 1084127779);
	assert_ok(clock_parse("2004-05-09T18:36Z", &t));
	assert_int_equal(t, 1084127760);
	assert_ok(clock_parse("2004-05-09", &t));
	assert_int_equal(t, 1084060800);
	assert_ok(clock_parse("2016-12-31T23:59:60Z", &t));
	assert_int_equal(t, 1483228800);
	assert_ok(clock_parse("0", &t));
	assert_int_equal(t, 0);
}

static void nonsense_is_refused(void **state)
{
	static const char *const bad[] = { "", "x", "-1", "2004-05", "2004-05-09T", "2004-05-09T18:36:19", "2004-05-09T18:36:19+01:00", "12 ",
		"2004-05-09T18:36:19.Z", "2004-05-09T18:36:19Zx", "2004-5-9", "20040509T183619Z" };
	static const char *const out[] = { "20041309183619", "20040431183619", "20030229000000", "20040509243619", "20040509186019",
		"20040509183661", "20040009183619", "20040500183619", "99999999999999999999999" };
	int64_t t = 5;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_err(clock_parse(bad[i], &t), ERR_FORMAT);
	for (size_t i = 0; i < sizeof(out) / sizeof(out[0]); i++)
		assert_err(clock_parse(out[i], &t), ERR_RANGE);
	assert_int_equal(t, 5);
}

static void serials_wrap(void **state)
{
	(void)state;
	assert_true(serial_before(1, 2));
	assert_false(serial_before(2, 2));
	assert_true(serial_before(0xffffffff, 0));
	assert_false(serial_before(0, 0xffffffff));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_clock_runs),
		cmocka_unit_test(dates_are_written_as_the_library_does),
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(every_form_is_read),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(serials_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
