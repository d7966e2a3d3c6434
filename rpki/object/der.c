#include "rpki/object/der.h"

#include <stdio.h>

#include "base/arena.h"

struct span der_integer(struct reader *r)
{
	struct span s = der_get(r, DER_INTEGER);

	if (s.n == 0 || (s.n > 1 && ((s.p[0] == 0 && (s.p[1] & 0x80) == 0) || (s.p[0] == 0xff && (s.p[1] & 0x80) != 0))))
		reader_fail(r);
	return s;
}

bool der_small(struct span integer, uint64_t max, uint64_t *ret_value)
{
	struct reader r = reader_of(integer);
	uint64_t v = 0;

	if (integer.n == 0 || der_negative(integer) || integer.n > 9 || (integer.n == 9 && integer.p[0] != 0))
		return false;
	while (!reader_end(&r))
		v = v << 8 | read8(&r);
	if (v > max)
		return false;
	*ret_value = v;
	return true;
}

bool der_boolean(struct reader *r)
{
	struct span s = der_get(r, DER_BOOLEAN);

	if (s.n != 1 || (s.p[0] != 0 && s.p[0] != 0xff)) {
		reader_fail(r);
		return false;
	}
	return s.p[0] != 0;
}

struct bits der_bits_of(struct reader *r, struct span contents)
{
	struct reader in = reader_of(contents);
	uint8_t unused = read8(&in);
	struct span octets = der_rest(&in);

	if (!reader_ok(&in) || unused > 7 || (octets.n == 0 && unused != 0) ||
	    (octets.n > 0 && (octets.p[octets.n - 1] & ((1u << unused) - 1)) != 0)) {
		reader_fail(r);
		return (struct bits){ { NULL, 0 }, 0 };
	}
	return (struct bits){ octets, unused };
}

struct bits der_bit_string(struct reader *r) { return der_bits_of(r, der_get(r, DER_BIT_STRING)); }

static unsigned int read_digits(struct reader *r, unsigned int count)
{
	unsigned int v = 0;

	while (count-- > 0) {
		uint8_t c = read8(r);

		if (c < '0' || c > '9')
			reader_fail(r);
		v = v * 10 + (c - '0');
	}
	return v;
}

/* Days since 1970-01-01 in the Gregorian calendar; a year begins in March, so that the leap day is its last. */
static int64_t days_of(unsigned int year, unsigned int month, unsigned int day)
{
	int64_t y = (int64_t)year - (month <= 2);
	int64_t m = month > 2 ? month - 3 : month + 9;

	return y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + (int64_t)day - 1 - 719468;
}

static unsigned int days_in(unsigned int year, unsigned int month)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

bool der_time_value(uint8_t tag, struct span contents, int64_t *ret_sec)
{
	struct reader r = reader_of(contents);
	unsigned int year, month, day, hour, minute, second;

	if (tag == DER_UTC_TIME) {
		year = read_digits(&r, 2);
		year += year >= 50 ? 1900 : 2000;
	} else if (tag == DER_GENERALIZED_TIME) {
		year = read_digits(&r, 4);
	} else {
		return false;
	}
	month = read_digits(&r, 2);
	day = read_digits(&r, 2);
	hour = read_digits(&r, 2);
	minute = read_digits(&r, 2);
	second = read_digits(&r, 2);
	if (read8(&r) != 'Z' || !reader_ok(&r) || !reader_end(&r))
		return false;
	if (month < 1 || month > 12 || day < 1 || day > days_in(year, month) || hour > 23 || minute > 59 || second > 59)
		return false;
	*ret_sec = days_of(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
	return true;
}

/* X.690 section 11.6: as octets, the shorter one as if zeros followed. */
static bool before_or_equal(struct span a, struct span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n > 0 ? memcmp(a.p, b.p, n) : 0;

	return c < 0 || (c == 0 && a.n <= b.n);
}

bool der_utf8_is_good(struct span contents)
{
	struct reader r = reader_of(contents);

	while (!reader_end(&r)) {
		uint8_t c = read8(&r), from = 0x80, to = 0xbf; /* of the octet after the first: there the overlong and the too high end */

		if (c < 0x80)
			continue;
		if (c < 0xc2 || c > 0xf4)
			return false;
		if (c == 0xe0)
			from = 0xa0;
		else if (c == 0xed)
			to = 0x9f;
		else if (c == 0xf0)
			from = 0x90;
		else if (c == 0xf4)
			to = 0x8f;
		for (unsigned int more = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3; more > 0; more--) {
			uint8_t next = read8(&r); /* 0 at the end */

			if (next < from || next > to)
				return false;
			from = 0x80;
			to = 0xbf;
		}
	}
	return true;
}

bool der_set_is_sorted(struct span contents)
{
	struct reader r = reader_of(contents);
	struct span last = { NULL, 0 };

	while (!reader_end(&r)) {
		struct span next = der_whole_any(&r);

		if (!reader_ok(&r) || (last.p != NULL && !before_or_equal(last, next)))
			return false;
		last = next;
	}
	return true;
}

const char *der_oid_text(struct span oid, char room[DER_OID_TEXT])
{
	struct reader r = reader_of(oid);
	size_t at = 0;
	bool first = true;

	room[0] = '\0';
	while (!reader_end(&r)) {
		uint64_t v = 0;
		uint8_t c;
		int n;

		do {
			c = read8(&r);
			v = v << 7 | (c & 0x7f);
		} while ((c & 0x80) != 0 && !reader_end(&r) && v >> 56 == 0);
		if (first)
			n = snprintf(room + at, DER_OID_TEXT - at, "%u.%llu", v < 80 ? (unsigned int)(v / 40) : 2u,
			    (unsigned long long)(v < 80 ? v % 40 : v - 80));
		else
			n = snprintf(room + at, DER_OID_TEXT - at, ".%llu", (unsigned long long)v);
		first = false;
		if (n < 0 || (size_t)n >= DER_OID_TEXT - at)
			break;
		at += (size_t)n;
	}
	return room;
}

/* The contents of a primitive type are as DER wants them. */
static bool primitive_is_strict(uint8_t tag, struct span s)
{
	struct reader r = reader_of(s);
	int64_t t;

	switch (tag) {
	case DER_BOOLEAN:
		return s.n == 1 && (s.p[0] == 0 || s.p[0] == 0xff);
	case DER_INTEGER:
	case DER_ENUMERATED:
		return s.n == 1 || (s.n > 1 && !(s.p[0] == 0 && (s.p[1] & 0x80) == 0) && !(s.p[0] == 0xff && (s.p[1] & 0x80) != 0));
	case DER_BIT_STRING:
		der_bits_of(&r, s);
		return reader_ok(&r);
	case DER_NULL:
		return s.n == 0;
	case DER_OID: /* ends with an octet that ends a number; no number begins with zeros */
		for (size_t i = 0; i < s.n; i++)
			if (s.p[i] == 0x80 && (i == 0 || (s.p[i - 1] & 0x80) == 0))
				return false;
		return s.n > 0 && (s.p[s.n - 1] & 0x80) == 0;
	case DER_UTF8_STRING:
		return der_utf8_is_good(s);
	case DER_UTC_TIME:
	case DER_GENERALIZED_TIME:
		return der_time_value(tag, s, &t);
	default:
		return true;
	}
}

bool der_is_strict(struct span s, unsigned int max_depth)
{
	struct reader stack[DER_MAX_DEPTH + 1];
	unsigned int depth = 0;
	bool some = false;

	if (max_depth > DER_MAX_DEPTH)
		max_depth = DER_MAX_DEPTH;
	stack[0] = reader_of(s);
	for (;;) {
		struct reader *r = &stack[depth];
		uint8_t tag;
		struct span in;

		if (reader_end(r)) {
			if (depth == 0)
				return some && reader_ok(r);
			depth--;
			continue;
		}
		if (depth == 0 && some)
			return false; /* something after the one element */
		some = true;
		in = der_any(r, &tag);
		if (!reader_ok(r))
			return false;
		if ((tag & 0x20) == 0) {
			if ((tag & 0xc0) == 0 && (tag == DER_SEQUENCE - 0x20 || tag == DER_SET - 0x20 || !primitive_is_strict(tag, in)))
				return false;
			continue;
		}
		if ((tag & 0xc0) == 0 && tag != DER_SEQUENCE && tag != DER_SET)
			return false; /* constructed strings are BER */
		if (tag == DER_SET && !der_set_is_sorted(in))
			return false;
		if (++depth > max_depth)
			return false;
		stack[depth] = reader_of(in);
	}
}

/* --- BER */

struct ber {
	struct writer out;
	uint8_t tags[BER_MAX_DEPTH]; /* of the elements around the one that is met */
};

/* Below ContentInfo, its [0] and SignedData: a certificate in its [0], or a SignerInfo's [0]. What is signed is not rewritten. */
static bool is_signed(const struct ber *b, unsigned int depth, uint8_t tag)
{
	return (depth == 4 && b->tags[3] == DER_CONSTRUCTED) || (depth == 5 && b->tags[3] == DER_SET && tag == DER_CONSTRUCTED);
}

#define HEAD_MAX 6

/* The contents begin HEAD_MAX octets after start: the head is put before them, and the gap closed. */
static void put_head(struct writer *w, size_t start, uint8_t tag)
{
	uint8_t head[HEAD_MAX] = { tag };
	size_t n = w->pos - start - HEAD_MAX, octets = 0, len = 2;

	for (size_t v = n; n >= 0x80 && v > 0; v >>= 8)
		octets++;
	head[1] = (uint8_t)(octets == 0 ? n : 0x80 | octets);
	for (size_t i = octets; i > 0; i--)
		head[len++] = (uint8_t)(n >> (8 * (i - 1)));
	memcpy(w->base + start, head, len);
	memmove(w->base + start + len, w->base + start + HEAD_MAX, n);
	w->pos = start + len + n;
}

static bool ber_element(struct ber *b, struct reader *r, unsigned int depth);

/* The pieces of a constructed OCTET STRING, up to its end. */
static bool ber_pieces(struct ber *b, struct reader *r, bool indefinite, unsigned int depth)
{
	while (indefinite ? der_peek(r) != 0 : !reader_end(r)) {
		struct reader look = *r;
		uint8_t tag = read8(&look), first = read8(&look);

		if (tag == DER_OCTET_STRING) {
			write_span(&b->out, der_get(r, DER_OCTET_STRING));
		} else if (tag == (DER_OCTET_STRING | 0x20) && depth + 1 < BER_MAX_DEPTH && first == 0x80) {
			*r = look;
			if (!ber_pieces(b, r, true, depth + 1)) /* as deep as BER_MAX_DEPTH */
				return false;
		} else if (tag == (DER_OCTET_STRING | 0x20) && depth + 1 < BER_MAX_DEPTH) {
			struct reader in = der_enter(r, tag);

			if (!ber_pieces(b, &in, false, depth + 1))
				return false;
		} else {
			return false;
		}
		if (!reader_ok(r))
			return false;
	}
	return reader_ok(r) && (!indefinite || read16(r) == 0) && reader_ok(r);
}

static bool ber_element(struct ber *b, struct reader *r, unsigned int depth)
{
	struct reader look = *r;
	uint8_t tag = read8(&look), first = read8(&look);
	size_t start = b->out.pos;
	bool string = tag == (DER_OCTET_STRING | 0x20), indefinite = first == 0x80;

	if ((!indefinite && !string) || is_signed(b, depth, tag)) {
		write_span(&b->out, der_whole_any(r));
		return reader_ok(r);
	}
	if (depth == BER_MAX_DEPTH || (tag & 0x20) == 0 || (tag & 0x1f) == 0x1f)
		return false;
	b->tags[depth] = tag;
	write_octets(&b->out, (const uint8_t[HEAD_MAX]){ 0 }, HEAD_MAX);
	if (string && !indefinite) {
		struct reader in = der_enter(r, tag);

		if (!ber_pieces(b, &in, false, depth))
			return false;
	} else if (string) {
		*r = look;
		if (!ber_pieces(b, r, true, depth))
			return false;
	} else {
		*r = look;
		while (der_peek(r) != 0)
			if (!ber_element(b, r, depth + 1)) /* as deep as BER_MAX_DEPTH */
				return false;
		if (read16(r) != 0)
			return false;
	}
	if (!reader_ok(r) || !writer_ok(&b->out))
		return false;
	put_head(&b->out, start, string ? DER_OCTET_STRING : tag);
	return true;
}

RESULT ber_to_der(struct span s, struct arena *a, struct span *ret)
{
	size_t room = s.n + s.n / 1024 + (size_t)HEAD_MAX * (BER_MAX_DEPTH + 1); /* a head may grow by two octets when its length is huge */
	uint8_t *base = arena_alloc(a, room);
	struct ber b = { .out = writer_of(base, room) };
	struct reader r = reader_of(s);

	if (base == NULL)
		return FAIL(ERR_NOMEM);
	if (!ber_element(&b, &r, 0) || !reader_end(&r) || !writer_ok(&b.out))
		return FAIL(ERR_FORMAT);
	*ret = writer_done(&b.out);
	return DONE;
}
