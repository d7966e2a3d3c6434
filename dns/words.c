#include "dns/words.h"

#include <arpa/inet.h>

#include "base/strbuf.h"
#include "dns/name.h"

/* --- the lexer */

struct lexer lexer_of(struct span text)
{
	const char *p = text.n != 0 ? (const char *)text.p : "";

	return (struct lexer){ .p = p, .end = p + text.n, .line = 1 };
}

/* Over blanks, comments and, within parentheses, lines. */
static enum lexed skip_blank(struct lexer *l, const char **ret_msg)
{
	for (; l->p < l->end; l->p++) {
		switch (*l->p) {
		case ' ':
		case '\t':
		case '\r':
			break;
		case '\n':
			if (l->depth == 0)
				return LEX_END;
			l->line++;
			break;
		case ';':
			while (l->p + 1 < l->end && l->p[1] != '\n')
				l->p++;
			break;
		case '(':
			l->depth++;
			break;
		case ')':
			if (l->depth == 0) {
				*ret_msg = "an opening parenthesis before this closing one";
				return LEX_ERROR;
			}
			l->depth--;
			break;
		default:
			return LEX_WORD;
		}
	}
	if (l->depth == 0)
		return LEX_END;
	*ret_msg = "a closing parenthesis before the end of the text";
	return LEX_ERROR;
}

/* The octets up to the quote that ends them; l->p is behind the opening one, and behind the closing one afterwards. */
static bool skip_quoted(struct lexer *l, const char **ret_msg)
{
	for (; l->p < l->end && *l->p != '\n'; l->p++) {
		if (*l->p == '"') {
			l->p++;
			return true;
		}
		if (*l->p == '\\' && l->p + 1 < l->end && l->p[1] != '\n')
			l->p++;
	}
	*ret_msg = "a closing quote before the end of the line";
	return false;
}

static bool ends_word(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ';' || c == '(' || c == ')';
}

static bool skip_plain(struct lexer *l, bool pair, const char **ret_msg)
{
	bool value = false; /* behind the first '=' of a pair */

	while (l->p < l->end && !ends_word(*l->p)) {
		char c = *l->p;

		if (c == '"' && !value)
			return true; /* the next word */
		l->p++;
		if (c == '\\' && l->p < l->end && *l->p != '\n')
			l->p++;
		else if (c == '"' && !skip_quoted(l, ret_msg))
			return false;
		else if (c == '=')
			value = pair;
	}
	return true;
}

static enum lexed next_word(struct lexer *l, bool pair, struct word *ret, const char **ret_msg)
{
	enum lexed e = skip_blank(l, ret_msg);
	const char *start = l->p;

	l->found = (struct span){ NULL, 0 };
	if (e != LEX_WORD)
		return e;
	if (*start == '"') {
		l->p++;
		if (!skip_quoted(l, ret_msg))
			return LEX_ERROR;
		*ret = (struct word){ span_of(start + 1, (size_t)(l->p - start) - 2), true };
	} else {
		if (!skip_plain(l, pair, ret_msg))
			return LEX_ERROR;
		*ret = (struct word){ span_of(start, (size_t)(l->p - start)), false };
	}
	l->found = ret->s;
	return LEX_WORD;
}

enum lexed lexer_next(struct lexer *l, struct word *ret, const char **ret_msg)
{
	return next_word(l, false, ret, ret_msg);
}

enum lexed lexer_next_pair(struct lexer *l, struct word *ret, const char **ret_msg)
{
	return next_word(l, true, ret, ret_msg);
}

bool lexer_at_blank(const struct lexer *l)
{
	return l->p < l->end && (*l->p == ' ' || *l->p == '\t');
}

bool lexer_next_entry(struct lexer *l)
{
	struct word w;
	const char *msg;
	enum lexed e;

	while ((e = lexer_next(l, &w, &msg)) != LEX_END) {
		if (e == LEX_ERROR && l->p < l->end && *l->p == ')')
			l->p++; /* the one that opened nothing */
		else if (e == LEX_ERROR && l->p == l->end)
			return false; /* else a quote was not closed, and ends with its line */
	}
	if (l->p == l->end)
		return false;
	l->p++;
	l->line++;
	return true;
}

bool lexer_is_last(struct lexer *l)
{
	struct word w;
	const char *msg;

	while (lexer_next_entry(l))
		if (lexer_next(l, &w, &msg) != LEX_END)
			return false;
	return true;
}

/* --- words */

bool word_is(struct span w, const char *text)
{
	return strlen(text) == w.n && octets_equal_nocase(w.p, (const uint8_t *)text, w.n);
}

bool word_number(struct span w, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;

	for (size_t i = 0; i < w.n; i++) {
		unsigned int digit = w.p[i] - (unsigned int)'0';

		if (digit > 9 || __builtin_mul_overflow(v, 10u, &v) || __builtin_add_overflow(v, digit, &v) || v > max)
			return false;
	}
	if (w.n == 0)
		return false;
	*ret = v;
	return true;
}

static uint32_t unit_seconds(uint8_t c)
{
	switch (c | 0x20) {
	case 's':
		return 1;
	case 'm':
		return 60;
	case 'h':
		return 3600;
	case 'd':
		return 86400;
	case 'w':
		return 604800;
	default:
		return 0;
	}
}

bool word_period(struct span w, uint32_t *ret)
{
	uint64_t all = 0;
	size_t i = 0;

	if (w.n == 0)
		return false;
	while (i < w.n) {
		size_t start = i;
		uint32_t unit = 1;
		uint64_t v;

		while (i < w.n && w.p[i] >= '0' && w.p[i] <= '9')
			i++;
		if (!word_number((struct span){ w.p + start, i - start }, UINT32_MAX, &v))
			return false;
		if (i < w.n)
			unit = unit_seconds(w.p[i++]);
		else if (start != 0)
			return false; /* a number without unit behind one with */
		all += v * unit;
		if (unit == 0 || all > UINT32_MAX)
			return false;
	}
	*ret = (uint32_t)all;
	return true;
}

/* Days since 1970-01-01 of a date in the Gregorian calendar; year from 1970. */
static uint64_t days_of(unsigned int year, unsigned int month, unsigned int day)
{
	static const unsigned int before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
	unsigned int y = year - 1;
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return 365u * (uint64_t)(year - 1970) + y / 4 - y / 100 + y / 400 - 477 + before[month - 1] + (leap && month > 2) + day - 1;
}

static unsigned int month_days(unsigned int year, unsigned int month)
{
	return (unsigned int)(month == 12 ? 31 : days_of(year, month + 1, 1) - days_of(year, month, 1));
}

static unsigned int digits(const uint8_t *p, size_t n)
{
	unsigned int v = 0;

	for (size_t i = 0; i < n; i++)
		v = v * 10 + (p[i] - (unsigned int)'0');
	return v;
}

bool word_time(struct span w, uint32_t *ret)
{
	unsigned int f[6];
	uint64_t t;

	if (w.n != 14) {
		if (!word_number(w, UINT32_MAX, &t))
			return false;
		*ret = (uint32_t)t;
		return true;
	}
	for (size_t i = 0; i < w.n; i++)
		if (w.p[i] < '0' || w.p[i] > '9')
			return false;
	f[0] = digits(w.p, 4);
	for (size_t i = 1; i < 6; i++)
		f[i] = digits(w.p + 2 + 2 * i, 2);
	if (f[0] < 1970 || f[1] < 1 || f[1] > 12 || f[2] < 1 || f[2] > month_days(f[0], f[1]) || f[3] > 23 || f[4] > 59 || f[5] > 60)
		return false;
	t = days_of(f[0], f[1], f[2]) * 86400u + f[3] * 3600u + f[4] * 60u + f[5];
	if (t > UINT32_MAX)
		return false;
	*ret = (uint32_t)t;
	return true;
}

bool word_address(struct span w, size_t octets, uint8_t *out)
{
	char text[INET6_ADDRSTRLEN];

	if (w.n == 0 || w.n >= sizeof text || memchr(w.p, 0, w.n) != NULL)
		return false;
	memcpy(text, w.p, w.n);
	text[w.n] = '\0';
	return inet_pton(octets == 4 ? AF_INET : AF_INET6, text, out) == 1;
}

bool word_unescape(struct span w, struct writer *out)
{
	const char *p = (const char *)w.p;
	const char *end = p + w.n;

	while (p < end) {
		uint8_t c = (uint8_t)*p++;

		if (c == '\\' && !text_unescape(&p, end, &c))
			return false;
		write8(out, c);
	}
	return writer_ok(out);
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool base16_add(struct base16 *b, struct span w, struct writer *out)
{
	for (size_t i = 0; i < w.n; i++) {
		int d = hex_digit(w.p[i]);

		if (d < 0)
			return false;
		if (b->odd)
			write8(out, (uint8_t)(b->high << 4 | (unsigned int)d));
		else
			b->high = (unsigned int)d;
		b->odd = !b->odd;
	}
	return true;
}

bool word_hex(struct span w, struct writer *out)
{
	struct base16 b = { 0, false };

	return base16_add(&b, w, out) && !b.odd;
}

bool word_base32hex(struct span w, struct writer *out)
{
	unsigned int bits = 0;
	unsigned int n = 0;

	for (size_t i = 0; i < w.n; i++) {
		unsigned int c = w.p[i];
		unsigned int v = c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'v' ? (c | 0x20) - 'a' + 10 : 32;

		if (v == 32)
			return false;
		bits = (bits << 5 | v) & 0xfff;
		n += 5;
		if (n >= 8) {
			n -= 8;
			write8(out, (uint8_t)(bits >> n));
		}
	}
	return n < 5 && (bits & ((1u << n) - 1)) == 0;
}

/* --- printing */

void text_quote_octet(uint8_t c, struct strbuf *out)
{
	if (c < ' ' || c > 126)
		strbuf_printf(out, "\\%03u", (unsigned int)c);
	else if (c == '"' || c == '\\')
		strbuf_printf(out, "\\%c", c);
	else
		strbuf_putc(out, (char)c);
}

void text_quote(struct span s, struct strbuf *out)
{
	strbuf_putc(out, '"');
	for (size_t i = 0; i < s.n; i++)
		text_quote_octet(s.p[i], out);
	strbuf_putc(out, '"');
}

void text_print_hex(struct span s, struct strbuf *out)
{
	static const char hex[] = "0123456789abcdef";

	for (size_t i = 0; i < s.n; i++) {
		strbuf_putc(out, hex[s.p[i] >> 4]);
		strbuf_putc(out, hex[s.p[i] & 15]);
	}
}

void text_print_base32hex(struct span s, struct strbuf *out)
{
	static const char digit[] = "0123456789abcdefghijklmnopqrstuv";
	unsigned int bits = 0;
	unsigned int n = 0;

	for (size_t i = 0; i < s.n; i++) {
		bits = (bits << 8 | s.p[i]) & 0xffff;
		for (n += 8; n >= 5; n -= 5)
			strbuf_putc(out, digit[bits >> (n - 5) & 31]);
	}
	if (n > 0)
		strbuf_putc(out, digit[bits << (5 - n) & 31]);
}

void text_print_time(uint32_t t, struct strbuf *out)
{
	unsigned int days = t / 86400;
	unsigned int rest = t % 86400;
	unsigned int year = 1970 + days / 366; /* at most a little too early */
	unsigned int month = 1;

	while (days_of(year + 1, 1, 1) <= days)
		year++;
	while (month < 12 && days_of(year, month + 1, 1) <= days)
		month++;
	days -= (unsigned int)days_of(year, month, 1);
	strbuf_printf(out, "%04u%02u%02u%02u%02u%02u", year, month, days + 1, rest / 3600, rest / 60 % 60, rest % 60);
}
