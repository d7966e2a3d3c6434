#include "conf_test.h"

#include "conf/report.h"

static void a_line_has_file_line_severity_and_option(void **state)
{
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(REPORT_MAX);
	struct report r = { .out = out };

	(void)state;
	report_add(&r, SEVERITY_ERROR, "f", 3, "port", "found %d", 1);
	report_add(&r, SEVERITY_WARNING, "f", 0, NULL, "x");
	report_end(&r);
	assert_string_equal(strbuf_text(out), "f:3: error: port: found 1\nf: warning: x\n");
	assert_int_equal(r.errors, 1);
	assert_int_equal(r.warnings, 1);
}

static void nobody_needs_to_read_it(void **state)
{
	struct report r = { .out = NULL };

	(void)state;
	report_add(&r, SEVERITY_ERROR, "f", 3, NULL, "x");
	report_end(&r);
	assert_int_equal(r.errors, 1);
}

static void foreign_text_is_escaped_and_cut(void **state)
{
	char big[100];
	const char *q;

	(void)state;
	assert_string_equal(report_quote(span_text("a\n\x1b\xff")), "'a\\x0a\\x1b\\xff'");
	assert_string_equal(report_quote(span_text("")), "''");
	memset(big, 0xff, sizeof(big));
	q = report_quote(span_of(big, sizeof(big)));
	assert_int_equal(strlen(q), REPORT_FOUND * 4 + 5);
	assert_string_equal(q + strlen(q) - 4, "...'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_has_file_line_severity_and_option),
		cmocka_unit_test(nobody_needs_to_read_it),
		cmocka_unit_test(foreign_text_is_escaped_and_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
