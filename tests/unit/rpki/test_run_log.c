/* What the log said of a run: lines with their level, a limit, strangers' octets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rpki/run_log.h"

static void lines_have_their_level(void **state)
{
	struct run_log *x = run_log_new(1000);

	(void)state;
	assert_non_null(x);
	assert_string_equal(run_log_text(x), "");
	run_log_say(x, LOG_LEVEL_WARN, "repository %s: %d", "rsync://r.example/m/", 5);
	run_log_lines(x, LOG_LEVEL_VERBOSE, "ripe: ", "one\ntwo\n");
	assert_string_equal(run_log_text(x), "[WARN] repository rsync://r.example/m/: 5\n[DEBUG] ripe: one\n[DEBUG] ripe: two\n");
	run_log_clear(x);
	run_log_say(x, LOG_LEVEL_NOTICE, "anew");
	assert_string_equal(run_log_text(x), "[INFO] anew\n");
	run_log_free(x);
}

static void what_does_not_fit_is_counted(void **state)
{
	struct run_log *x = run_log_new(44);

	(void)state;
	assert_non_null(x);
	run_log_say(x, LOG_LEVEL_ERROR, "%s", "one line of some length");
	run_log_say(x, LOG_LEVEL_ERROR, "%s", "another line of some length");
	run_log_say(x, LOG_LEVEL_ERROR, "%s", "a");
	assert_true(run_log_left_out(x) == 1);
	assert_string_equal(run_log_text(x), "[ERROR] one line of some length\n[ERROR] a\n[WARN] 1 more lines do not fit (run-log-size)\n");
	run_log_free(x);
}

static void nothing_is_kept_of_size_0(void **state)
{
	struct run_log *x = run_log_new(0);

	(void)state;
	assert_non_null(x);
	run_log_say(x, LOG_LEVEL_ERROR, "something");
	assert_true(run_log_left_out(x) == 1);
	run_log_free(x);
}

/* A name of a file may have an escape sequence, or a line break. */
static void strangers_octets_are_no_lines(void **state)
{
	struct run_log *x = run_log_new(1000);
	char line[4000];

	(void)state;
	assert_non_null(x);
	run_log_say(x, LOG_LEVEL_WARN, "a\x1b[31mb\nc\xff");
	assert_string_equal(run_log_text(x), "[WARN] a?[31mb?c?\n");
	memset(line, 'x', sizeof line - 1);
	line[sizeof line - 1] = '\0';
	run_log_clear(x);
	run_log_lines(x, LOG_LEVEL_WARN, "", line);
	assert_int_equal(run_log_left_out(x), 1);
	run_log_free(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_have_their_level),
		cmocka_unit_test(what_does_not_fit_is_counted),
		cmocka_unit_test(nothing_is_kept_of_size_0),
		cmocka_unit_test(strangers_octets_are_no_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
