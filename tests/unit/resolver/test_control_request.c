/* Command lines and their pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "resolver/control/request.h"

static void words(void **state)
{
	struct request_words w;
	const char *problem;

	(void)state;
	assert_true(OK(request_words_read(span_text("UBCT1 local_data  a.test.\tA 192.0.2.1"), &w, &problem)));
	assert_int_equal(w.count, 4);
	assert_string_equal(w.word[0], "local_data");
	assert_string_equal(w.word[1], "a.test.");
	assert_string_equal(w.word[3], "192.0.2.1");
	assert_string_equal(w.rest[1], "a.test.\tA 192.0.2.1"); /* as it was written */
	assert_false(w.json);
	request_words_done(&w);
	assert_true(OK(request_words_read(span_text("UBCT1 --json status"), &w, &problem)));
	assert_true(w.json);
	assert_int_equal(w.count, 1);
	assert_string_equal(w.word[0], "status");
	request_words_done(&w);
}

static void not_a_command(void **state)
{
	static const char *const bad[] = { "", "UBCT1", "UBCT1 ", "UBCT1  --json ", "UBCT2 status", "status", "GET / HTTP/1.1", "UBCT1status" };
	struct request_words w;
	const char *problem;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_int_equal(request_words_read(span_text(bad[i]), &w, &problem).e, ERR_FORMAT);
		assert_string_not_equal(problem, "");
	}
	assert_int_equal(request_words_read(span_of("UBCT1 sta\0tus", 13), &w, &problem).e, ERR_FORMAT);
}

static void many_words_keep_the_rest(void **state)
{
	char line[1024] = "UBCT1";
	struct request_words w;
	const char *problem;

	(void)state;
	for (int i = 0; i < 100; i++)
		memcpy(line + 5 + 2 * i, " x", 3);
	assert_true(OK(request_words_read(span_text(line), &w, &problem)));
	assert_int_equal(w.count, REQUEST_WORDS);
	assert_string_equal(w.word[REQUEST_WORDS - 1], w.rest[REQUEST_WORDS - 1]);
	request_words_done(&w);
}

static void lines_in_pieces(void **state)
{
	static const char text[] = "UBCT1 load_cache\r\none\n\n\004\nleft";
	struct request_lines l;
	struct span line;
	char seen[200] = "";

	(void)state;
	for (size_t piece = 1; piece < sizeof text; piece++) {
		size_t n = 0;

		seen[0] = '\0';
		assert_true(OK(request_lines_init(&l)));
		for (size_t at = 0; at < sizeof text - 1; at += piece) {
			assert_true(OK(request_lines_add(&l, span_of(text + at, sizeof text - 1 - at < piece ? sizeof text - 1 - at : piece))));
			while (request_lines_next(&l, &line)) {
				memcpy(seen + n, line.p, line.n);
				n += line.n;
				seen[n++] = '|';
				assert_int_equal(request_line_is_end(line), line.n == 1);
			}
		}
		seen[n] = '\0';
		assert_string_equal(seen, "UBCT1 load_cache|one||\004|");
		request_lines_done(&l);
	}
}

static void a_line_has_its_limit(void **state)
{
	static char big[REQUEST_LINE_MAX / 2];
	struct request_lines l;

	(void)state;
	memset(big, 'x', sizeof big);
	assert_true(OK(request_lines_init(&l)));
	assert_true(OK(request_lines_add(&l, span_of(big, sizeof big))));
	assert_true(OK(request_lines_add(&l, span_of(big, sizeof big))));
	assert_int_equal(request_lines_add(&l, span_of(big, sizeof big)).e, ERR_LIMIT);
	request_lines_done(&l);
}

static void memory_may_run_out(void **state)
{
	(void)state;
	for (uint64_t n = 1;; n++) {
		struct request_words w;
		const char *problem;
		struct result r;

		mem_fail_at(n, false);
		r = request_words_read(span_text("UBCT1 flush a.test"), &w, &problem);
		if (!mem_failed()) {
			mem_fail_at(0, false);
			assert_true(OK(r));
			request_words_done(&w);
			break;
		}
		mem_fail_at(0, false);
		assert_int_equal(r.e, ERR_NOMEM);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words),
		cmocka_unit_test(not_a_command),
		cmocka_unit_test(many_words_keep_the_rest),
		cmocka_unit_test(lines_in_pieces),
		cmocka_unit_test(a_line_has_its_limit),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
