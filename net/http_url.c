#include "net/http_url.h"

#include <strings.h>

#include "base/addr.h"

#define HOST_MAX 253u
#define LABEL_MAX 63u

static bool is_alnum(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* RFC 3986: unreserved, sub-delims, and what paths and queries have besides. */
static bool is_target_octet(uint8_t c)
{
	return is_alnum(c) || (c != 0 && strchr("-._~!$&'()*+,;=:@/?%", c) != NULL);
}

static struct span cut(struct reader *r, const char *at) /* up to an octet of `at`, or the end */
{
	struct reader look = *r;
	size_t n = 0;

	while (!reader_end(&look)) {
		uint8_t c = read8(&look);

		if (c != 0 && strchr(at, c) != NULL)
			break;
		n++;
	}
	return read_span(r, n);
}

static bool host_is_name(struct span host)
{
	struct reader r = reader_of(host);
	size_t label = 0;

	if (host.n == 0 || host.n > HOST_MAX)
		return false;
	while (!reader_end(&r)) {
		uint8_t c = read8(&r);

		if (c == '.' && label == 0)
			return false;
		if (c != '.' && c != '-' && c != '_' && !is_alnum(c))
			return false;
		label = c == '.' ? 0 : label + 1;
		if (label > LABEL_MAX)
			return false;
	}
	return true;
}

static bool host_is_address(struct span host)
{
	char text[ADDR_TEXT] = "";
	struct addr a;

	if (host.n == 0 || host.n >= sizeof text || memchr(host.p, '%', host.n) != NULL)
		return false;
	memcpy(text, host.p, host.n);
	return OK(addr_parse(text, &a));
}

static bool read_port(struct span digits, uint16_t *ret)
{
	struct reader r = reader_of(digits);
	uint32_t v = 0;

	if (digits.n == 0 || digits.n > 5)
		return false;
	while (!reader_end(&r)) {
		uint8_t c = read8(&r);

		if (c < '0' || c > '9')
			return false;
		v = v * 10 + (uint32_t)(c - '0');
	}
	*ret = (uint16_t)v;
	return v > 0 && v <= UINT16_MAX;
}

static bool read_authority(struct reader *r, struct http_url *u)
{
	struct reader look = *r;

	if (read8(&look) == '[') {
		read_skip(r, 1);
		u->host = cut(r, "]/");
		if (read8(r) != ']' || !host_is_address(u->host) || memchr(u->host.p, ':', u->host.n) == NULL)
			return false;
		u->literal = true;
	} else {
		u->host = cut(r, ":/");
		if (!host_is_name(u->host))
			return false;
		u->literal = host_is_address(u->host);
	}
	look = *r;
	if (read8(&look) != ':')
		return true;
	read_skip(r, 1);
	return read_port(cut(r, "/"), &u->port);
}

static bool target_is_clean(struct span target)
{
	struct reader r = reader_of(target), path;

	while (!reader_end(&r))
		if (!is_target_octet(read8(&r)))
			return false;
	r = reader_of(target);
	path = reader_of(cut(&r, "?"));
	while (!reader_end(&path)) {
		struct span segment;

		read_skip(&path, 1);
		segment = cut(&path, "/");
		if (span_equal(segment, span_text(".")) || span_equal(segment, span_text("..")))
			return false;
	}
	return true;
}

RESULT http_url_parse(struct span text, struct http_url *ret)
{
	struct reader r = reader_of(text);
	struct http_url u = { .port = 443 };
	struct span scheme;

	if (text.n > HTTP_URL_MAX)
		return FAIL(ERR_LIMIT);
	scheme = read_span(&r, 8);
	if (!reader_ok(&r) || strncasecmp((const char *)scheme.p, "https://", 8) != 0 || !read_authority(&r, &u))
		return FAIL(ERR_FORMAT);
	u.target = read_rest(&r);
	if (u.target.n == 0 || u.target.p[0] != '/' || !target_is_clean(u.target))
		return FAIL(ERR_FORMAT);
	*ret = u;
	return DONE;
}

bool http_url_same_origin(const struct http_url *a, const struct http_url *b)
{
	return a->port == b->port && a->host.n == b->host.n && strncasecmp((const char *)a->host.p, (const char *)b->host.p, a->host.n) == 0;
}
