#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rpki/serve/json.h"

static int set_up(void **state)
{
	*state = arena_new(0);
	return *state == NULL;
}

static int tear_down(void **state)
{
	arena_free(*state);
	return 0;
}

static const struct json *read_ok(struct arena *a, const char *text) BORROWED;
static const struct json *read_ok(struct arena *a, const char *text)
{
	const struct json *j = NULL;
	struct json_error e = { .why = "" };

	assert_true(OK(json_read(span_text(text), a, &j, &e)));
	return j;
}

static void values_of_every_type(void **state)
{
	const struct json *j = read_ok(*state, " { \"a\" : [ 1, -2, 1.5, 1e3, true, false, null, \"x\", {} ], \"b\" : [ ] } ");
	static const enum json_type want[] = { JSON_INTEGER, JSON_INTEGER, JSON_FRACTION, JSON_FRACTION, JSON_TRUE, JSON_FALSE, JSON_NULL, JSON_STRING,
		JSON_OBJECT };
	const struct json *a = json_member(j, "a");
	size_t i = 0;

	assert_int_equal(j->type, JSON_OBJECT);
	assert_int_equal(j->n, 2);
	assert_int_equal(a->n, 9);
	for (const struct json *c = a->child; c != NULL; c = c->next)
		assert_int_equal(c->type, want[i++]);
	assert_int_equal(i, 9);
	assert_int_equal(a->child->next->number, -2);
	assert_int_equal(json_member(j, "b")->n, 0);
	assert_null(json_member(j, "c"));
	assert_null(json_member(a, "c"));
	assert_string_equal(json_type_text(NULL), "nothing");
	assert_string_equal(json_type_text(a), "an array");
}

static void strings_are_decoded(void **state)
{
	const struct json *j = read_ok(*state, "\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u20AC\\ud83d\\ude00\"");

	assert_string_equal(j->text, "a\"\\/\b\f\n\r\tA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
	assert_int_equal(j->n, strlen(j->text));
}

static void what_is_no_json_is_told_with_its_place(void **state)
{
	static const struct {
		const char *text;
		size_t line, column;
	} cases[] = { { "", 1, 1 }, { "[", 1, 2 }, { "[1,]", 1, 4 }, { "{\n \"a\" 1}", 2, 6 }, { "{\"a\":1,\"a\":2}", 1, 11 }, { "01", 1, 3 },
		{ "\"a", 1, 2 }, { "\"\n\"", 2, 1 }, { "\"\\x\"", 1, 4 }, { "\"\\u12g4\"", 1, 6 }, { "\"\\u0000\"", 1, 8 }, { "\"\\ud800\"", 1, 8 },
		{ "\"\\udc00\"", 1, 8 }, { "\"\\ud800\\u0041\"", 1, 14 }, { "tru", 1, 4 }, { "1 2", 1, 3 }, { "-", 1, 2 }, { "1.", 1, 3 }, { "1e", 1, 3 },
		{ "92233720368547758070", 1, 21 }, { "\"\\\"", 1, 2 }, { "{1:2}", 1, 2 }, { "[1 2]", 1, 4 } };

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct json *j = NULL;
		struct json_error e = { .why = NULL };

		assert_int_equal(json_read(span_text(cases[i].text), *state, &j, &e).e, ERR_FORMAT);
		assert_non_null(e.why);
		assert_int_equal(e.line, cases[i].line);
		assert_int_equal(e.column, cases[i].column);
	}
}

static void depth_and_members_are_bounded(void **state)
{
	char text[1000] = "", *at = text;
	const struct json *j;
	struct json_error e;

	memset(text, '[', JSON_DEPTH + 1);
	memset(text + JSON_DEPTH + 1, ']', JSON_DEPTH + 1);
	assert_int_equal(json_read(span_text(text), *state, &j, &e).e, ERR_FORMAT);
	assert_string_equal(e.why, "too deep");
	assert_true(OK(json_read(span_of(text + 1, 2 * JSON_DEPTH), *state, &j, &e)));
	memset(text, 0, sizeof text);
	*at++ = '{';
	for (unsigned int i = 0; i <= JSON_MEMBERS; i++)
		at += snprintf(at, 20, "\"%u\":1,", i);
	at[-1] = '}';
	assert_int_equal(json_read(span_text(text), *state, &j, &e).e, ERR_FORMAT);
	assert_string_equal(e.why, "too many members");
}

int main(void)
{
#define JSON_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		JSON_TEST(values_of_every_type),
		JSON_TEST(strings_are_decoded),
		JSON_TEST(what_is_no_json_is_told_with_its_place),
		JSON_TEST(depth_and_members_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
