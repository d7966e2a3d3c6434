#include "conf_test.h"

#include "conf/lex.h"

static void assert_token(struct lex_token t, enum lex_kind kind, const char *text)
{
	assert_int_equal(t.kind, kind);
	assert_int_equal(t.text.n, strlen(text));
	assert_memory_equal(t.text.p, text, t.text.n);
}

static void a_keyword_ends_with_a_colon(void **state)
{
	struct lex l = lex_of(span_text("port:53"));

	(void)state;
	assert_token(lex_keyword(&l), LEX_KEYWORD, "port");
	assert_token(lex_value(&l), LEX_WORD, "53");
	assert_int_equal(lex_value(&l).kind, LEX_END);
	l = lex_of(span_text("port :"));
	assert_token(lex_keyword(&l), LEX_WORD, "port");
	assert_token(lex_keyword(&l), LEX_STRAY, ":");
}

static void lines_are_counted(void **state)
{
	struct lex l = lex_of(span_text("a:\n\r\n# c: d\n\tb: \rc:"));
	struct lex_token t = lex_keyword(&l);

	(void)state;
	assert_int_equal(t.line, 1);
	t = lex_keyword(&l);
	assert_token(t, LEX_KEYWORD, "b");
	assert_int_equal(t.line, 4);
	assert_true(t.new_line);
	assert_int_equal(lex_keyword(&l).line, 5);
}

static void quotes_hold_blanks_and_the_other_quote(void **state)
{
	struct lex l = lex_of(span_text("\"a 'b' #c\" '\"' \"\"x"));
	struct lex_token t;

	(void)state;
	assert_token(lex_value(&l), LEX_WORD, "a 'b' #c");
	assert_token(lex_value(&l), LEX_WORD, "\"");
	t = lex_value(&l);
	assert_token(t, LEX_WORD, "");
	assert_true(t.quoted);
	assert_false(t.new_line);
	t = lex_value(&l);
	assert_token(t, LEX_WORD, "x");
	assert_false(t.quoted);
}

static void a_backslash_keeps_the_quote_and_stays(void **state)
{
	struct lex l = lex_of(span_text("\"a\\\"b\" c\\ d e\\\n"));

	(void)state;
	assert_token(lex_value(&l), LEX_WORD, "a\\\"b");
	assert_token(lex_value(&l), LEX_WORD, "c\\ d");
	assert_token(lex_value(&l), LEX_WORD, "e");
	assert_token(lex_value(&l), LEX_STRAY, "\\");
	assert_int_equal(lex_value(&l).kind, LEX_END);
}

static void a_hash_begins_a_comment_only_where_a_word_could_begin(void **state)
{
	struct lex l = lex_of(span_text("1.2.3.4@853#name #comment\n\"x\"#c"));

	(void)state;
	assert_token(lex_value(&l), LEX_WORD, "1.2.3.4@853#name");
	assert_token(lex_value(&l), LEX_WORD, "x");
	assert_int_equal(lex_value(&l).kind, LEX_END);
}

static void an_open_quote_ends_with_its_line(void **state)
{
	struct lex l = lex_of(span_text("\"abc\nnext:"));

	(void)state;
	assert_token(lex_value(&l), LEX_UNFINISHED, "abc");
	assert_token(lex_keyword(&l), LEX_KEYWORD, "next");
	l = lex_of(span_text("'"));
	assert_token(lex_value(&l), LEX_UNFINISHED, "");
	l = lex_of(span_text("'\\"));
	assert_token(lex_value(&l), LEX_UNFINISHED, "");
}

static void any_octets_end(void **state)
{
	char text[3];

	(void)state;
	for (unsigned int i = 0; i < 65536; i++) {
		struct lex l;

		text[0] = (char)i;
		text[1] = (char)(i >> 8);
		l = lex_of(span_of(text, 2));
		for (int n = 0; lex_keyword(&l).kind != LEX_END; n++)
			assert_true(n < 3);
		l = lex_of(span_of(text, 2));
		for (int n = 0; lex_value(&l).kind != LEX_END; n++)
			assert_true(n < 3);
	}
}

static void a_token_can_be_read_again(void **state)
{
	struct lex l = lex_of(span_text("\xef\xbb\xbf" "a: \n b:"));
	struct lex_token t;

	(void)state;
	assert_token(lex_keyword(&l), LEX_KEYWORD, "a");
	t = lex_value(&l);
	assert_token(t, LEX_WORD, "b:");
	lex_back(&l, &t);
	t = lex_keyword(&l);
	assert_token(t, LEX_KEYWORD, "b");
	assert_int_equal(t.line, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_keyword_ends_with_a_colon),
		cmocka_unit_test(lines_are_counted),
		cmocka_unit_test(quotes_hold_blanks_and_the_other_quote),
		cmocka_unit_test(a_backslash_keeps_the_quote_and_stays),
		cmocka_unit_test(a_hash_begins_a_comment_only_where_a_word_could_begin),
		cmocka_unit_test(an_open_quote_ends_with_its_line),
		cmocka_unit_test(any_octets_end),
		cmocka_unit_test(a_token_can_be_read_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
