#include "tests/unit/dns/dns_test.h"

#include "base/base64.h"
#include "dns/words.h"

/* The words of a text, each in brackets, entries ended by '|', an error by '!'. */
static void check_lexer(const char *text, bool pairs, const char *want)
{
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(10000);
	struct lexer l = lexer_of(span_text(text));
	unsigned int rounds = 0;

	do {
		struct word w;
		const char *msg;
		enum lexed e;

		while ((e = pairs ? lexer_next_pair(&l, &w, &msg) : lexer_next(&l, &w, &msg)) == LEX_WORD)
			strbuf_printf(out, w.quoted ? "\"%.*s\"" : "[%.*s]", (int)w.s.n, (const char *)w.s.p);
		strbuf_puts(out, e == LEX_ERROR ? "!|" : "|");
		assert_true(++rounds < 100);
	} while (lexer_next_entry(&l));
	assert_string_equal(strbuf_text(out), want);
}

static void text_is_cut_into_words(void **state)
{
	(void)state;
	check_lexer("", false, "|");
	check_lexer("a b\tc\r\nd ; e\n;f\n\n", false, "[a][b][c]|[d]||||");
	check_lexer("a (b\nc ; x ) y\n) d\ne", false, "[a][b][c][d]|[e]|");
	check_lexer("((a)\n)b", false, "[a][b]|");
	check_lexer("\"a b\" \"\" \"c\\\"d\"e\"f\"", false, "\"a b\"\"\"\"c\\\"d\"[e]\"f\"|");
	check_lexer("a\\ b\\;c\\\"d\\(e", false, "[a\\ b\\;c\\\"d\\(e]|");
	check_lexer("a\\\nb", false, "[a\\]|[b]|");
	check_lexer("a ) b\nc", false, "[a]!|[c]|");
	check_lexer("a \"b\nc", false, "[a]!|[c]|");
	check_lexer("a ( b\nc", false, "[a][b][c]!|");
	check_lexer("a ( \"b\nc ) d\ne", false, "[a]!|[e]|");
	check_lexer("k=\"a b\" c=\"\\\"\" d", true, "[k=\"a b\"][c=\"\\\"\"][d]|");
	check_lexer("k=\"a b\" c", false, "[k=]\"a b\"[c]|");
	check_lexer("k=\"a\nb", true, "!|[b]|");
}

static void lines_are_counted(void **state)
{
	struct lexer l = lexer_of(span_text("a\n(b\nc)\nd"));
	struct word w;
	const char *msg;

	(void)state;
	assert_int_equal(lexer_next(&l, &w, &msg), LEX_WORD);
	assert_int_equal(l.line, 1);
	assert_true(lexer_next_entry(&l));
	assert_int_equal(lexer_next(&l, &w, &msg), LEX_WORD);
	assert_int_equal(lexer_next(&l, &w, &msg), LEX_WORD);
	assert_int_equal(l.line, 3);
	assert_true(lexer_next_entry(&l));
	assert_int_equal(l.line, 4);
	assert_false(lexer_next_entry(&l));
}

static void numbers(void **state)
{
	uint64_t v = 0;

	(void)state;
	assert_true(word_number(span_text("0"), 0, &v));
	assert_true(word_number(span_text("18446744073709551615"), UINT64_MAX, &v) && v == UINT64_MAX);
	assert_false(word_number(span_text("18446744073709551616"), UINT64_MAX, &v));
	assert_false(word_number(span_text("256"), 255, &v));
	assert_false(word_number(span_text(""), 255, &v));
	assert_false(word_number(span_text("1a"), 255, &v));
	assert_false(word_number(span_text("-1"), 255, &v));
}

static void periods(void **state)
{
	uint32_t v = 0;
	static const char *const bad[] = { "", "x", "1y", "h", "1h1", "71w1193046471", "4294967296", "1d4294967295s", "1hh" };

	(void)state;
	assert_true(word_period(span_text("4294967295"), &v) && v == UINT32_MAX);
	assert_true(word_period(span_text("1W2d3H4m5s"), &v) && v == 604800 + 2 * 86400 + 3 * 3600 + 4 * 60 + 5);
	assert_true(word_period(span_text("0"), &v) && v == 0);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(word_period(span_text(bad[i]), &v));
}

static void dates(void **state)
{
	static const char *const bad[] = { "20210229000000", "20211301000000", "20210001000000", "20210100000000", "20210101240000", "20210101006000",
		"20210101000061", "19691231235959", "21060207062816", "2021010100000", "202101010000000", "2021010100000x", "" };
	uint32_t v = 0;

	(void)state;
	assert_true(word_time(span_text("19700101000000"), &v) && v == 0);
	assert_true(word_time(span_text("20000229120000"), &v) && v == 951825600);
	assert_true(word_time(span_text("21060207062815"), &v) && v == UINT32_MAX);
	assert_true(word_time(span_text("1234567890"), &v) && v == 1234567890);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (word_time(span_text(bad[i]), &v))
			fail_msg("%s", bad[i]);
	for (uint64_t t = 0; t <= UINT32_MAX; t += 86399 * 7) {
		AUTO(strbuf_free) struct strbuf *out = strbuf_new(100);
		char want[32];
		time_t tt = (time_t)t;
		struct tm tm;

		gmtime_r(&tt, &tm);
		strftime(want, sizeof want, "%Y%m%d%H%M%S", &tm);
		text_print_time((uint32_t)t, out);
		assert_string_equal(strbuf_text(out), want);
		assert_true(word_time(strbuf_span(out), &v) && v == t);
	}
}

static void bases_round_trip(void **state)
{
	uint8_t in[64];

	(void)state;
	for (size_t n = 0; n < sizeof in; n++) {
		AUTO(strbuf_free) struct strbuf *hex = strbuf_new(1000);
		AUTO(strbuf_free) struct strbuf *b32 = strbuf_new(1000);
		AUTO(strbuf_free) struct strbuf *b64 = strbuf_new(1000);
		uint8_t out[64];
		struct writer w = writer_of(out, sizeof out);
		struct base64 state64 = { .form = BASE64_LOOSE };

		for (size_t i = 0; i < n; i++)
			in[i] = (uint8_t)(i * 37 + n * 91);
		text_print_hex((struct span){ in, n }, hex);
		text_print_base32hex((struct span){ in, n }, b32);
		base64_print(b64, (struct span){ in, n }, 0);
		assert_true(word_hex(strbuf_span(hex), &w));
		assert_true(w.pos == n && memcmp(out, in, n) == 0);
		w = writer_of(out, sizeof out);
		assert_true(word_base32hex(strbuf_span(b32), &w));
		assert_true(w.pos == n && memcmp(out, in, n) == 0);
		w = writer_of(out, sizeof out);
		for (size_t i = 0; i < strbuf_len(b64); i++) /* a digit a word */
			assert_true(base64_read(&state64, (struct span){ strbuf_span(b64).p + i, 1 }, &w));
		assert_true(base64_end(&state64));
		assert_true(w.pos == n && memcmp(out, in, n) == 0);
	}
}

static void vectors_of_rfc_4648(void **state)
{
	static const char *const b64[] = { "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy" };
	static const char *const b32[] = { "", "co", "cpng", "cpnmu", "cpnmuog", "cpnmuoj1", "cpnmuoj1e8" };

	(void)state;
	for (size_t n = 0; n <= 6; n++) {
		AUTO(strbuf_free) struct strbuf *out = strbuf_new(100);

		base64_print(out, span_of("foobar", n), 0);
		assert_string_equal(strbuf_text(out), b64[n]);
		strbuf_clear(out);
		text_print_base32hex(span_of("foobar", n), out);
		assert_string_equal(strbuf_text(out), b32[n]);
	}
}

static void bad_digits_are_refused(void **state)
{
	static const char *const bad64[] = { "A", "AA", "AAA", "A===", "AA=A", "AA=", "====", "AA==AAAA", "A-==", "AA==="};
	static const char *const bad32[] = { "0", "w0", "0=", "01" };
	uint8_t out[64];

	(void)state;
	for (size_t i = 0; i < sizeof bad64 / sizeof bad64[0]; i++) {
		struct writer w = writer_of(out, sizeof out);
		struct base64 b = { .form = BASE64_LOOSE };

		if (base64_read(&b, span_text(bad64[i]), &w) && base64_end(&b))
			fail_msg("%s", bad64[i]);
	}
	for (size_t i = 0; i < sizeof bad32 / sizeof bad32[0]; i++) {
		struct writer w = writer_of(out, sizeof out);

		if (word_base32hex(span_text(bad32[i]), &w))
			fail_msg("%s", bad32[i]);
	}
}

static void quoting_hides_nothing_and_forges_nothing(void **state)
{
	uint8_t all[256];
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(10000);
	struct lexer l;
	struct word w;
	const char *msg;
	uint8_t back[256];
	struct writer room = writer_of(back, sizeof back);

	(void)state;
	for (size_t i = 0; i < 256; i++)
		all[i] = (uint8_t)i;
	text_quote(span_of(all, 256), out);
	for (const char *p = strbuf_text(out); *p != '\0'; p++)
		assert_true(*p >= ' ' && *p < 127);
	l = lexer_of(strbuf_span(out));
	assert_int_equal(lexer_next(&l, &w, &msg), LEX_WORD);
	assert_true(w.quoted && word_unescape(w.s, &room));
	assert_int_equal(room.pos, 256);
	assert_memory_equal(back, all, 256);
}

static void addresses(void **state)
{
	uint8_t a[16];

	(void)state;
	assert_true(word_address(span_text("1.2.3.4"), 4, a));
	assert_true(word_address(span_text("::ffff:1.2.3.4"), 16, a));
	assert_false(word_address(span_text("1.2.3"), 4, a));
	assert_false(word_address(span_text(""), 4, a));
	assert_false(word_address(span_of("1.2.3.4\0", 8), 4, a));
	assert_false(word_address(span_text("1111111111111111111111111111111111111111111111111111111111"), 16, a));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_cut_into_words),
		cmocka_unit_test(lines_are_counted),
		cmocka_unit_test(numbers),
		cmocka_unit_test(periods),
		cmocka_unit_test(dates),
		cmocka_unit_test(bases_round_trip),
		cmocka_unit_test(vectors_of_rfc_4648),
		cmocka_unit_test(bad_digits_are_refused),
		cmocka_unit_test(quoting_hides_nothing_and_forges_nothing),
		cmocka_unit_test(addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
