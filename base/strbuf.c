#include "base/strbuf.h"

#include <stdio.h>
#include <string.h>

#define FIRST_ROOM ((size_t)128)

struct strbuf {
	char *p OWNED_FIELD; /* NULL before the first octet; else p[len] is NUL */
	size_t len;          /* octets of content, len <= max */
	size_t room;         /* octets at p, the NUL's included */
	size_t max;
	enum err error;
};

struct strbuf *strbuf_new(size_t max)
{
	AUTO(strbuf_free) struct strbuf *b = mem_alloc(sizeof(*b));

	if (b == NULL)
		return NULL;
	b->max = max < SIZE_MAX - 1 ? max : SIZE_MAX - 1;
	return MOVE(b);
}

void strbuf_free(struct strbuf *b)
{
	if (b == NULL)
		return;
	mem_free(b->p);
	mem_free(b);
}

/* Makes room for n more octets and the NUL. */
static bool strbuf_need(struct strbuf *b, size_t n)
{
	size_t want, room = b->room != 0 ? b->room : FIRST_ROOM;

	if (b->error != ERR_NONE)
		return false;
	if (n > b->max - b->len) {
		b->error = ERR_LIMIT;
		return false;
	}
	want = b->len + n + 1;
	if (want <= b->room)
		return true;
	while (room < want)
		room = room <= SIZE_MAX / 2 ? room * 2 : want;
	if (room > b->max + 1)
		room = b->max + 1;
	if (!OK(mem_resize((void **)&b->p, b->room, room, 1))) {
		b->error = ERR_NOMEM;
		return false;
	}
	b->room = room;
	return true;
}

void strbuf_add(struct strbuf *b, const void *p, size_t n)
{
	if (!strbuf_need(b, n))
		return;
	if (n != 0)
		memcpy(b->p + b->len, p, n);
	b->len += n;
	b->p[b->len] = '\0';
}

void strbuf_add_span(struct strbuf *b, struct span s)
{
	strbuf_add(b, s.p, s.n);
}

void strbuf_puts(struct strbuf *b, const char *s)
{
	strbuf_add(b, s, strlen(s));
}

void strbuf_putc(struct strbuf *b, char c)
{
	strbuf_add(b, &c, 1);
}

void strbuf_number(struct strbuf *b, uint64_t n)
{
	char digits[20];
	size_t at = sizeof digits;

	do
		digits[--at] = (char)('0' + n % 10);
	while ((n /= 10) != 0);
	strbuf_add(b, digits + at, sizeof digits - at);
}

void strbuf_vprintf(struct strbuf *b, const char *fmt, va_list ap)
{
	char small[256];
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(small, sizeof(small), fmt, ap);
	if (n < 0) {
		strbuf_fail(b, ERR_FORMAT);
	} else if ((size_t)n < sizeof(small)) {
		strbuf_add(b, small, (size_t)n);
	} else if (strbuf_need(b, (size_t)n)) {
		vsnprintf(b->p + b->len, (size_t)n + 1, fmt, again);
		b->len += (size_t)n;
	}
	va_end(again);
}

void strbuf_printf(struct strbuf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	strbuf_vprintf(b, fmt, ap);
	va_end(ap);
}

static void json_octet(struct strbuf *b, uint8_t c)
{
	switch (c) {
	case '"':
		strbuf_puts(b, "\\\"");
		return;
	case '\\':
		strbuf_puts(b, "\\\\");
		return;
	case '\n':
		strbuf_puts(b, "\\n");
		return;
	default:
		if (c < 0x20 || c > 0x7e)
			strbuf_printf(b, "\\u%04x", c);
		else
			strbuf_putc(b, (char)c);
	}
}

void strbuf_json_string(struct strbuf *b, struct span s)
{
	size_t start = b->len;

	strbuf_putc(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		size_t from = i;

		while (i < s.n && s.p[i] >= 0x20 && s.p[i] <= 126 && s.p[i] != '"' && s.p[i] != '\\')
			i++;
		if (i > from)
			strbuf_add(b, s.p + from, i - from);
		if (i < s.n)
			json_octet(b, s.p[i]);
	}
	strbuf_putc(b, '"');
	if (!strbuf_ok(b))
		strbuf_cut(b, start);
}

void strbuf_metric_label(struct strbuf *b, const char *name, const char *value)
{
	strbuf_puts(b, name);
	strbuf_puts(b, "=\"");
	for (; *value != '\0'; value++) {
		if (*value == '\n') {
			strbuf_puts(b, "\\n");
			continue;
		}
		if (*value == '"' || *value == '\\')
			strbuf_putc(b, '\\');
		strbuf_putc(b, *value >= ' ' && *value <= '~' ? *value : '?');
	}
	strbuf_putc(b, '"');
}

const char *strbuf_text(const struct strbuf *b)
{
	return b->p != NULL ? b->p : "";
}

struct span strbuf_span(const struct strbuf *b)
{
	return span_of(strbuf_text(b), b->len);
}

size_t strbuf_len(const struct strbuf *b)
{
	return b->len;
}

bool strbuf_ok(const struct strbuf *b)
{
	return b->error == ERR_NONE;
}

RESULT strbuf_result(const struct strbuf *b)
{
	return FAIL(b->error);
}

void strbuf_fail(struct strbuf *b, enum err e)
{
	if (b->error == ERR_NONE)
		b->error = e;
}

void strbuf_cut(struct strbuf *b, size_t len)
{
	if (len >= b->len)
		return;
	b->len = len;
	b->p[len] = '\0';
}

void strbuf_drop(struct strbuf *b, size_t n)
{
	if (n > b->len)
		n = b->len;
	if (n == 0)
		return;
	memmove(b->p, b->p + n, b->len - n + 1);
	b->len -= n;
}

void strbuf_clear(struct strbuf *b)
{
	strbuf_cut(b, 0);
	b->error = ERR_NONE;
}

char *strbuf_take(struct strbuf *b)
{
	if (b->error != ERR_NONE || !strbuf_need(b, 0))
		return NULL;
	b->p[b->len] = '\0';
	b->len = 0;
	b->room = 0;
	return MOVE(b->p);
}
