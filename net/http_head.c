#include "net/http_head.h"

#include <strings.h>

size_t http_head_end(struct span octets)
{
	const uint8_t *end = octets.n < 4 ? NULL : memmem(octets.p, octets.n, "\r\n\r\n", 4);

	return end == NULL ? 0 : (size_t)(end - octets.p) + 4;
}

bool http_next_line(struct reader *r, struct span *ret)
{
	struct reader look = *r;
	size_t n = 0;

	for (;;) {
		uint8_t c = read8(&look);

		if (!reader_ok(&look) || c == '\0' || c == '\n' || (c < 0x20 && c != '\t' && c != '\r') || c == 0x7f)
			return false;
		if (c == '\r')
			break;
		n++;
	}
	if (read8(&look) != '\n')
		return false;
	*ret = read_span(r, n);
	read_skip(r, 2);
	return true;
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool read_status(struct span line, struct http_head *h)
{
	struct reader r = reader_of(line);
	struct span version = read_span(&r, 9);
	uint8_t a, b, c;

	if (!reader_ok(&r) || memcmp(version.p, "HTTP/1.", 7) != 0 || !is_digit(version.p[7]) || version.p[8] != ' ')
		return false;
	a = read8(&r);
	b = read8(&r);
	c = read8(&r);
	if (a < '1' || a > '5' || !is_digit(b) || !is_digit(c) || (!reader_end(&r) && read8(&r) != ' '))
		return false;
	h->status = (unsigned int)(a - '0') * 100 + (unsigned int)(b - '0') * 10 + (unsigned int)(c - '0');
	h->close = version.p[7] == '0';
	return true;
}

struct span http_trim(struct span s)
{
	while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = span_of(&s.p[1], s.n - 1);
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

bool http_is_text(struct span s, const char *text)
{
	return s.n == strlen(text) && strncasecmp((const char *)s.p, text, s.n) == 0;
}

bool http_is_token(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];

		if (!is_digit(c) && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && (c == 0 || strchr("!#$%&'*+-.^_`|~", c) == NULL))
			return false;
	}
	return s.n > 0;
}

bool http_read_number(struct span v, uint64_t *ret)
{
	struct reader r = reader_of(v);
	uint64_t n = 0;

	if (v.n == 0 || v.n > 18)
		return false;
	while (!reader_end(&r)) {
		uint8_t c = read8(&r);

		if (!is_digit(c))
			return false;
		n = n * 10 + (uint64_t)(c - '0');
	}
	*ret = n;
	return true;
}

/* RFC 9112 section 6.3: a length that is there twice must be the same. */
static bool read_length(struct span v, struct http_head *h)
{
	uint64_t n;

	if (!http_read_number(v, &n) || (h->has_length && h->length != n))
		return false;
	h->has_length = true;
	h->length = n;
	return true;
}

static void read_text(struct span v, char *to, size_t max)
{
	size_t n = v.n > max ? 0 : v.n;

	if (n > 0)
		memcpy(to, v.p, n);
	to[n] = '\0';
}

bool http_next_member(struct span *list, struct span *ret)
{
	const uint8_t *comma;
	size_t n;

	if (list->n == 0)
		return false;
	comma = memchr(list->p, ',', list->n);
	n = comma == NULL ? list->n : (size_t)(comma - list->p);
	*ret = http_trim(span_of(list->p, n));
	n = comma == NULL ? n : n + 1;
	*list = span_of(&list->p[n], list->n - n);
	return true;
}

static void read_connection(struct span v, struct http_head *h)
{
	struct span member;

	while (http_next_member(&v, &member))
		if (http_is_text(member, "close"))
			h->close = true;
}

static RESULT read_field(struct span line, struct http_head *h)
{
	const uint8_t *colon = line.n == 0 ? NULL : memchr(line.p, ':', line.n);
	struct span name, v;
	size_t n;

	if (colon == NULL)
		return FAIL(ERR_FORMAT);
	n = (size_t)(colon - line.p);
	name = span_of(line.p, n);
	v = http_trim(span_of(&line.p[n + 1], line.n - n - 1));
	if (!http_is_token(name)) /* a line that continues the one before, too (RFC 9112 section 5.2) */
		return FAIL(ERR_FORMAT);
	if (http_is_text(name, "content-length"))
		return read_length(v, h) ? DONE : FAIL(ERR_FORMAT);
	if (http_is_text(name, "transfer-encoding")) {
		if (h->chunked || !http_is_text(v, "chunked"))
			return FAIL(ERR_UNSUPPORTED);
		h->chunked = true;
	} else if (http_is_text(name, "content-encoding")) {
		if (h->gzip || (!http_is_text(v, "gzip") && !http_is_text(v, "x-gzip") && !http_is_text(v, "identity")))
			return FAIL(ERR_UNSUPPORTED);
		h->gzip = !http_is_text(v, "identity");
	} else if (http_is_text(name, "connection")) {
		read_connection(v, h);
	} else if (http_is_text(name, "etag")) {
		read_text(v, h->etag, HTTP_TAG_MAX);
	} else if (http_is_text(name, "last-modified")) {
		read_text(v, h->modified, HTTP_TAG_MAX);
	} else if (http_is_text(name, "location")) {
		read_text(v, h->location, HTTP_LOCATION_MAX);
	}
	return DONE;
}

RESULT http_head_parse(struct span text, struct http_head *ret)
{
	struct reader r = reader_of(text);
	struct http_head h = { .status = 0 };
	struct span line;

	if (!http_next_line(&r, &line) || !read_status(line, &h))
		return FAIL(ERR_FORMAT);
	for (;;) {
		if (!http_next_line(&r, &line))
			return FAIL(ERR_FORMAT);
		if (line.n == 0)
			break;
		TRY(read_field(line, &h));
	}
	/* Two lengths: an attack on whoever is between us and the server (RFC 9112 section 6.3), or a confused server. */
	if (!reader_end(&r) || (h.chunked && h.has_length))
		return FAIL(ERR_FORMAT);
	*ret = h;
	return DONE;
}
