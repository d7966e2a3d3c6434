/* base/base64: the forms that specifications want, in any pieces; what one form allows, the others refuse. */
#include "unit.h"

#include "base/base64.h"
#include "base/strbuf.h"

/* In two pieces, cut at `cut`. */
static bool decode_as(const char *text, unsigned int form, size_t cut, struct writer *out)
{
	struct base64 b = { .form = (uint8_t)form };
	size_t n = strlen(text);

	if (cut > n)
		cut = n;
	return base64_read(&b, span_of(text, cut), out) && base64_read(&b, span_of(text + cut, n - cut), out) && base64_end(&b);
}

static bool decode(const char *text, size_t cut, struct writer *out)
{
	return decode_as(text, BASE64_BLANKS, cut, out);
}

static void base64_is_the_same_in_any_pieces(void **state)
{
	static const char *const text[] = { "", "TQ==", "TWE=", "TWFu", "TWFuTQ==", "T\nW F\tu\r\n TWE = ", "TWFuTWFuTWFuTWFu" };
	static const char *const want[] = { "", "M", "Ma", "Man", "ManM", "ManMa", "ManManManMan" };
	char room[64];

	(void)state;
	for (size_t i = 0; i < sizeof text / sizeof text[0]; i++) {
		for (size_t cut = 0; cut <= strlen(text[i]); cut++) {
			struct writer out = writer_of(room, sizeof room);

			assert_true(decode(text[i], cut, &out));
			assert_true(span_equal(writer_done(&out), span_text(want[i])));
		}
	}
}

static void base64_has_one_form(void **state)
{
	static const char *const bad[] = { "T", "TQ", "TQ=", "TR==", "TWF=", "TQ===", "TWE==", "=", "TQ==TQ==", "TQ=A", "TW-u", "TW\x80u", "TWF\v", "TWFu=" };
	char room[64];
	struct writer out;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		for (size_t cut = 0; cut <= strlen(bad[i]); cut++) {
			out = writer_of(room, sizeof room);
			assert_false(decode(bad[i], cut, &out));
		}
	}
	out = writer_of(room, 2);
	assert_false(decode("TWFu", 4, &out)); /* no room */
}

static void every_octet_but_the_digits_is_refused(void **state)
{
	char room[16], text[5] = "TWFu";
	unsigned int taken = 0;

	(void)state;
	for (unsigned int c = 1; c < 256; c++) {
		struct writer out = writer_of(room, sizeof room);

		text[1] = (char)c;
		taken += decode(text, 4, &out);
	}
	assert_int_equal(taken, 64);
}

/* Each of these texts is good in one form alone. */
static void each_form_allows_its_own(void **state)
{
	static const struct {
		const char *text, *want;
		unsigned int form;
	} of[] = {
		{ "T WF\tu", "Man", BASE64_BLANKS },
		{ "__-_", "\xff\xff\xbf", BASE64_URL },
		{ "TQ", "M", BASE64_UNPADDED },
		{ "TWE", "Ma", BASE64_UNPADDED },
		{ "TR==", "M", BASE64_LOOSE },
		{ "TWF=", "Ma", BASE64_LOOSE },
	};
	static const unsigned int forms[] = { 0, BASE64_BLANKS, BASE64_URL, BASE64_UNPADDED, BASE64_LOOSE };
	char room[16];

	(void)state;
	for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
		for (size_t f = 0; f < sizeof forms / sizeof forms[0]; f++) {
			struct writer out = writer_of(room, sizeof room);

			assert_int_equal(decode_as(of[i].text, forms[f], 2, &out), forms[f] == of[i].form);
			if (forms[f] == of[i].form)
				assert_true(span_equal(writer_done(&out), span_text(of[i].want)));
		}
	}
}

static void what_is_printed_is_read_again(void **state)
{
	static const unsigned int forms[] = { 0, BASE64_URL, BASE64_UNPADDED, BASE64_URL | BASE64_UNPADDED };
	uint8_t in[40], room[64];

	(void)state;
	for (size_t n = 0; n <= sizeof in; n++) {
		for (size_t f = 0; f < sizeof forms / sizeof forms[0]; f++) {
			AUTO(strbuf_free) struct strbuf *text = strbuf_new(100);
			struct writer out = writer_of(room, sizeof room);

			for (size_t i = 0; i < n; i++)
				in[i] = (uint8_t)(255 - i * 37 - n);
			base64_print(text, span_of(in, n), forms[f]);
			assert_true(decode_as(strbuf_text(text), forms[f], n / 2, &out));
			assert_true(span_equal(writer_done(&out), span_of(in, n)));
			assert_true(base64_room(strbuf_len(text)) >= n);
			assert_int_equal(strbuf_len(text), (forms[f] & BASE64_UNPADDED) != 0 ? (n * 8 + 5) / 6 : (n + 2) / 3 * 4);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base64_is_the_same_in_any_pieces),
		cmocka_unit_test(base64_has_one_form),
		cmocka_unit_test(every_octet_but_the_digits_is_refused),
		cmocka_unit_test(each_form_allows_its_own),
		cmocka_unit_test(what_is_printed_is_read_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
