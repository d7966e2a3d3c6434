/* What kind of line a line is, and the names of hosts files. */
#include "filter/lines.h"

#include "tests/unit/filter/made.h"

static struct filter_line read_text(const char *text)
{
	struct filter_line l;

	line_read(span_text(text), &l);
	return l;
}

static void kinds_are_told_line_by_line(void **state)
{
	static const struct {
		const char *line;
		enum line_kind kind;
	} row[] = {
		{ "", LINE_NOTHING },
		{ " \t\r", LINE_NOTHING },
		{ "! Title: a list", LINE_NOTHING },
		{ "# b\xc3\xbc" "cher", LINE_NOTHING },
		{ "; x", LINE_NOTHING },
		{ "[Adblock Plus 2.0]", LINE_NOTHING },
		{ "##.banner", LINE_NOTHING },
		{ "example.org##.banner", LINE_SKIPPED },
		{ "example.org#@#.b\xc3\xbc", LINE_SKIPPED },
		{ "example.org#?#div", LINE_SKIPPED },
		{ "example.org#$#x", LINE_SKIPPED },
		{ "example.org#%#x", LINE_SKIPPED },
		{ "example.org#@$?#x", LINE_SKIPPED },
		{ "example.org$$script", LINE_SKIPPED },
		{ "localhost", LINE_SKIPPED },
		{ "0.0.0.0 example.org", LINE_HOSTS },
		{ "::1\texample.org", LINE_HOSTS },
		{ "fe80::1%lo0 localhost", LINE_HOSTS },
		{ "0.0.0.0 example.org ## both", LINE_HOSTS },
		{ "||example.org^", LINE_RULE },
		{ "  ||example.org^  # a comment\r", LINE_RULE },
		{ "0.0.0.0", LINE_RULE },
		{ "example.org#x", LINE_RULE },
		{ "a.example b.example", LINE_REFUSED },
		{ "b\xc3\xbc" "cher.example", LINE_REFUSED },
		{ "a\x01.example", LINE_REFUSED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
		if (read_text(row[i].line).kind != row[i].kind)
			fail_msg("%s: %d", row[i].line, (int)read_text(row[i].line).kind);
	assert_true(span_equal(read_text("  ||a.b^ \t# c\r").text, span_text("||a.b^")));
}

static void hosts_lines_have_all_their_names(void **state)
{
	struct filter_line l = read_text("127.0.0.1  a.example\tlocalhost 10.0.0.1 b.example#c.example");
	uint64_t skipped = 0;
	struct span name;

	(void)state;
	assert_true(line_next_name(&l, &name, &skipped));
	assert_true(span_equal(name, span_text("a.example")));
	assert_true(line_next_name(&l, &name, &skipped));
	assert_true(span_equal(name, span_text("b.example")));
	assert_false(line_next_name(&l, &name, &skipped));
	assert_int_equal(skipped, 2);
}

static void some_addresses_go_nowhere(void **state)
{
	struct filter_line l;

	(void)state;
	l = read_text("0.0.0.0 a.b");
	assert_true(line_goes_nowhere(&l));
	l = read_text(":: a.b");
	assert_true(line_goes_nowhere(&l));
	l = read_text("::1 a.b");
	assert_true(line_goes_nowhere(&l));
	l = read_text("127.0.0.53 a.b");
	assert_true(line_goes_nowhere(&l));
	l = read_text("192.0.2.1 a.b");
	assert_false(line_goes_nowhere(&l));
}

static void a_text_has_lines(void **state)
{
	struct reader r = reader_of(span_text("a\r\n\nb"));
	struct span line;

	(void)state;
	assert_true(lines_next(&r, &line));
	assert_true(span_equal(line, span_text("a\r")));
	assert_true(lines_next(&r, &line));
	assert_int_equal(line.n, 0);
	assert_true(lines_next(&r, &line));
	assert_true(span_equal(line, span_text("b")));
	assert_false(lines_next(&r, &line));
	r = reader_of(span_of(NULL, 0));
	assert_false(lines_next(&r, &line));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_are_told_line_by_line),
		cmocka_unit_test(hosts_lines_have_all_their_names),
		cmocka_unit_test(some_addresses_go_nowhere),
		cmocka_unit_test(a_text_has_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
