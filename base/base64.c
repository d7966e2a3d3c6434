#include "base/base64.h"

#include "base/strbuf.h"

/* The value of each octet: 0 to 63, or one of these. */
#define BLANK 64u
#define EQUALS 65u
#define MINUS 66u
#define LOW_LINE 67u
#define WRONG 255u

#define W WRONG
static const uint8_t value_of[256] = {
	W, W, W, W, W, W, W, W, W, BLANK, BLANK, W, W, BLANK, W, W, /* tab, line feed, carriage return */
	W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W,
	BLANK, W, W, W, W, W, W, W, W, W, W, 62, W, MINUS, W, 63,
	52, 53, 54, 55, 56, 57, 58, 59, 60, 61, W, W, W, EQUALS, W, W,
	W, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
	15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, W, W, W, W, LOW_LINE,
	W, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
	41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, W, W, W, W, W,
	[128 ... 255] = W,
};
#undef W

/* Whole groups of four digits, as long as nothing else comes: nearly all of a real file. */
static void read_groups(struct reader *r, struct writer *out)
{
	while (reader_left(r) >= 4 && writer_left(out) >= 3) {
		struct reader look = *r;
		struct span s = read_span(&look, 4);
		/* lint-ok: fanalyzer:-Wanalyzer-null-dereference there are at least four octets */
		uint32_t a = value_of[s.p[0]], b = value_of[s.p[1]], c = value_of[s.p[2]], d = value_of[s.p[3]];

		if ((a | b | c | d) > 63)
			return;
		*r = look;
		a = a << 18 | b << 12 | c << 6 | d;
		write8(out, (uint8_t)(a >> 16));
		write16(out, (uint16_t)a);
	}
}

static bool read_one(struct base64 *b, uint8_t v, struct writer *out)
{
	if (v == BLANK)
		return (b->form & BASE64_BLANKS) != 0;
	if (v == EQUALS)
		return (b->have == 2 || b->have == 3) && b->have + ++b->pad <= 4;
	if ((v == MINUS || v == LOW_LINE) && (b->form & BASE64_URL) != 0)
		v = v == MINUS ? 62 : 63;
	if (v > 63 || b->pad > 0)
		return false;
	b->bits = b->bits << 6 | v;
	if (b->have == 1)
		write8(out, (uint8_t)(b->bits >> 4));
	else if (b->have == 2)
		write8(out, (uint8_t)(b->bits >> 2));
	else if (b->have == 3)
		write8(out, (uint8_t)b->bits);
	b->have = (b->have + 1) % 4;
	return true;
}

bool base64_read(struct base64 *b, struct span text, struct writer *out)
{
	struct reader r = reader_of(text);

	while (!reader_end(&r) && writer_ok(out)) {
		if (b->have == 0 && b->pad == 0)
			read_groups(&r, out);
		if (!reader_end(&r) && !read_one(b, value_of[read8(&r)], out))
			return false;
	}
	return writer_ok(out);
}

bool base64_end(const struct base64 *b)
{
	bool whole = b->have + b->pad == 4 || (b->pad == 0 && b->have >= 2 && (b->form & BASE64_UNPADDED) != 0);

	if (b->have == 0)
		return b->pad == 0;
	return whole && ((b->form & BASE64_LOOSE) != 0 || (b->bits & (b->have == 2 ? 0x0fu : 0x03u)) == 0);
}

void base64_print(struct strbuf *out, struct span octets, unsigned int form)
{
	static const char usual[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	static const char of_urls[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	const char *digit = (form & BASE64_URL) != 0 ? of_urls : usual;

	for (size_t i = 0; i < octets.n; i += 3) {
		const uint8_t *p = octets.p + i;
		size_t left = octets.n - i;
		uint32_t v = (uint32_t)p[0] << 16 | (left > 1 ? (uint32_t)p[1] << 8 : 0) | (left > 2 ? p[2] : 0);
		char quad[4] = { digit[v >> 18], digit[v >> 12 & 63], left > 1 ? digit[v >> 6 & 63] : '=', left > 2 ? digit[v & 63] : '=' };

		strbuf_add(out, quad, left < 3 && (form & BASE64_UNPADDED) != 0 ? left + 1 : sizeof quad);
	}
}
