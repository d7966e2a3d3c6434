#include "unit.h"

#include <string.h>

#include "base/strbuf.h"

static void text_grows(void **state)
{
	AUTO(strbuf_free) struct strbuf *b = strbuf_new(100000);
	char big[1000];

	(void)state;
	assert_string_equal(strbuf_text(b), "");
	strbuf_printf(b, "%s-%d", "a", 5);
	strbuf_puts(b, "/");
	strbuf_putc(b, '!');
	strbuf_add(b, NULL, 0);
	strbuf_add_span(b, span_text("end"));
	assert_string_equal(strbuf_text(b), "a-5/!end");
	assert_int_equal(strbuf_len(b), 8);
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	strbuf_printf(b, "<%s>", big);
	assert_int_equal(strbuf_len(b), 8 + 2 + 999);
	assert_int_equal(strlen(strbuf_text(b)), strbuf_len(b));
	assert_true(strbuf_ok(b));
	assert_ok(strbuf_result(b));
}

static void the_maximum_is_kept_and_the_error_sticks(void **state)
{
	AUTO(strbuf_free) struct strbuf *b = strbuf_new(10);

	(void)state;
	strbuf_puts(b, "0123456789");
	assert_true(strbuf_ok(b));
	strbuf_putc(b, 'x');
	assert_err(strbuf_result(b), ERR_LIMIT);
	assert_string_equal(strbuf_text(b), "0123456789");
	strbuf_cut(b, 2);
	strbuf_putc(b, 'x');
	assert_string_equal(strbuf_text(b), "01");
	assert_false(strbuf_ok(b));
	strbuf_clear(b);
	strbuf_puts(b, "new");
	assert_string_equal(strbuf_text(b), "new");
	strbuf_printf(b, "%300d", 1);
	assert_err(strbuf_result(b), ERR_LIMIT);
	assert_string_equal(strbuf_text(b), "new");
}

static void an_output_queue_drops_from_the_front(void **state)
{
	AUTO(strbuf_free) struct strbuf *b = strbuf_new(100);

	(void)state;
	strbuf_drop(b, 5);
	strbuf_puts(b, "hello world");
	strbuf_drop(b, 6);
	assert_string_equal(strbuf_text(b), "world");
	strbuf_drop(b, 100);
	assert_int_equal(strbuf_len(b), 0);
	assert_string_equal(strbuf_text(b), "");
}

static void the_content_can_be_taken(void **state)
{
	AUTO(strbuf_free) struct strbuf *b = strbuf_new(100);
	AUTO_CHARS char *nothing = strbuf_take(b);
	AUTO_CHARS char *text = NULL;

	(void)state;
	assert_string_equal(nothing, "");
	strbuf_puts(b, "abc");
	text = strbuf_take(b);
	assert_string_equal(text, "abc");
	assert_int_equal(strbuf_len(b), 0);
	strbuf_puts(b, "d");
	assert_string_equal(strbuf_text(b), "d");
	strbuf_fail(b, ERR_FORMAT);
	assert_null(strbuf_take(b));
}

static void labels_of_metrics_are_escaped(void **state)
{
	AUTO(strbuf_free) struct strbuf *b = strbuf_new(100);

	(void)state;
	assert_non_null(b);
	strbuf_metric_label(b, "uri", "a\"b\\c\nd\x01\xe9 ~");
	assert_string_equal(strbuf_text(b), "uri=\"a\\\"b\\\\c\\nd?? ~\"");
	strbuf_metric_label(b, "", "");
	assert_string_equal(strbuf_text(b) + strbuf_len(b) - 3, "=\"\"");
}

static void json_strings_are_escaped(void **state)
{
	AUTO(strbuf_free) struct strbuf *b = strbuf_new(60);

	(void)state;
	strbuf_json_string(b, span_of("a\"\\\n\x01\xff\0z", 8));
	assert_string_equal(strbuf_text(b), "\"a\\\"\\\\\\n\\u0001\\u00ff\\u0000z\"");
	for (unsigned int i = 0; i < 10; i++)
		strbuf_json_string(b, span_text("more"));
	assert_false(strbuf_ok(b));
	assert_int_equal(strbuf_text(b)[strbuf_len(b) - 1], '"'); /* no half string */
}

static bool fill(void)
{
	AUTO(strbuf_free) struct strbuf *b = strbuf_new(1000000);
	AUTO_CHARS char *text = NULL;

	if (b == NULL)
		return false;
	for (unsigned int i = 0; i < 1000; i++)
		strbuf_printf(b, "%u ", i);
	if (!strbuf_ok(b))
		assert_err(strbuf_result(b), ERR_NOMEM);
	text = strbuf_take(b);
	return text != NULL;
}

static void memory_may_run_out(void **state)
{
	(void)state;
	assert_true(for_each_failing_allocation(fill) >= 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_grows),
		cmocka_unit_test(the_maximum_is_kept_and_the_error_sticks),
		cmocka_unit_test(an_output_queue_drops_from_the_front),
		cmocka_unit_test(the_content_can_be_taken),
		cmocka_unit_test(json_strings_are_escaped),
		cmocka_unit_test(labels_of_metrics_are_escaped),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
