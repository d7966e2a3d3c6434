/* What the configuration says about the log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "conf/conf.h"
#include "resolver/log_options.h"

static struct conf *conf_of(const char *options) OWNED_BY(conf_free);
static struct conf *conf_of(const char *options)
{
	AUTO_CHARS char *text = mem_printf("server:\n%s", options);
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(10000);
	struct conf *c = NULL;

	assert_non_null(text);
	assert_non_null(report);
	if (!OK(conf_load_text(text, "test", report, &c)))
		fail_msg("%s", strbuf_text(report));
	return c;
}

static enum log_time time_with(const char *options)
{
	AUTO(conf_free) struct conf *c = conf_of(options);

	return log_options_read(c, false).time;
}

static void times_are_as_unbound_has_them_and_iso_unless_told(void **state)
{
	(void)state;
	assert_int_equal(time_with(""), LOG_TIME_ISO);
	assert_int_equal(time_with(" log-time-ascii: yes\n"), LOG_TIME_ISO);
	assert_int_equal(time_with(" log-time-iso: no\n"), LOG_TIME_TEXT);
	assert_int_equal(time_with(" log-time-ascii: no\n"), LOG_TIME_SECONDS);
	assert_int_equal(time_with(" log-time-ascii: no\n log-time-iso: yes\n"), LOG_TIME_SECONDS);
}

static void a_file_comes_before_syslog_and_the_foreground_has_none(void **state)
{
	AUTO(conf_free) struct conf *usual = conf_of("");
	AUTO(conf_free) struct conf *file = conf_of(" logfile: /tmp/x\n log-identity: me\n");
	AUTO(conf_free) struct conf *none = conf_of(" use-syslog: no\n");
	struct log_config c = log_options_read(usual, false);

	(void)state;
	assert_true(c.syslog && !c.json && !c.thread_id);
	assert_null(c.file);
	assert_string_equal(c.ident, "cairnd");
	assert_false(log_options_read(usual, true).syslog);
	assert_false(log_options_read(none, false).syslog);
	c = log_options_read(file, false);
	assert_false(c.syslog);
	assert_string_equal(c.file, "/tmp/x");
	assert_string_equal(c.ident, "me");
}

static void each_option_makes_a_difference(void **state)
{
	static const char *const options[] = { " use-syslog: no\n", " logfile: /tmp/x\n", " log-identity: me\n", " log-json: yes\n", " log-time-ascii: no\n",
		" log-time-iso: no\n", " log-thread-id: yes\n" };
	AUTO(conf_free) struct conf *usual = conf_of(" log-identity: cairnd\n prefetch: yes\n verbosity: 3\n");

	(void)state;
	for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
		AUTO(conf_free) struct conf *one = conf_of(options[i]);
		AUTO(conf_free) struct conf *same = conf_of(options[i]);

		assert_false(log_options_same(usual, one));
		assert_true(log_options_same(one, same));
	}
	{
		AUTO(conf_free) struct conf *other = conf_of("");

		assert_true(log_options_same(usual, other));
	}
}

static void verbosity_goes_up_to_five(void **state)
{
	(void)state;
	assert_int_equal(log_options_level(0), LOG_LEVEL_NOTICE);
	assert_int_equal(log_options_level(1), LOG_LEVEL_INFO);
	assert_int_equal(log_options_level(3), LOG_LEVEL_DEBUG);
	assert_int_equal(log_options_level(5), LOG_LEVEL_TRACE);
	assert_int_equal(log_options_level(9), LOG_LEVEL_TRACE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_as_unbound_has_them_and_iso_unless_told),
		cmocka_unit_test(a_file_comes_before_syslog_and_the_foreground_has_none),
		cmocka_unit_test(each_option_makes_a_difference),
		cmocka_unit_test(verbosity_goes_up_to_five),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
