#include "rpki/fetch/uri.h"

#include <strings.h>

static bool is_alnum(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool all(struct span s, const char *besides) /* letters, digits, and these */
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_alnum(s.p[i]) && (s.p[i] == 0 || strchr(besides, s.p[i]) == NULL))
			return false;
	return true;
}

static struct span segment(struct reader *r) /* up to the next slash, which is read too */
{
	struct reader look = *r;
	size_t n = 0;
	struct span s;

	while (!reader_end(&look) && read8(&look) != '/')
		n++;
	s = read_span(r, n);
	if (!reader_end(r))
		read_skip(r, 1);
	return s;
}

static bool host_ok(struct span s)
{
	const uint8_t *colon = s.n == 0 ? NULL : memchr(s.p, ':', s.n);
	size_t host = colon == NULL ? s.n : (size_t)(colon - s.p);
	struct reader port;

	if (host == 0 || host > 253 || s.p[0] == '.' || s.p[0] == '-' || !all(span_of(s.p, host), ".-_"))
		return false;
	if (colon == NULL)
		return true;
	port = reader_of(s);
	read_skip(&port, host + 1);
	if (reader_left(&port) == 0 || reader_left(&port) > 5)
		return false;
	while (!reader_end(&port)) {
		uint8_t c = read8(&port);

		if (c < '0' || c > '9')
			return false;
	}
	return true;
}

bool rsync_name_ok(struct span name)
{
	return name.n > 0 && name.n <= RSYNC_NAME_MAX && name.p[0] != '.' && all(name, "-._~!$&'()*+,;=:@");
}

/* The names behind the host: at least so many. */
static bool uri_ok(struct span uri, unsigned int names)
{
	struct reader r = reader_of(uri);
	struct span scheme = read_span(&r, 8);
	unsigned int n = 0;

	if (uri.n > RSYNC_URI_MAX || !reader_ok(&r) || strncasecmp((const char *)scheme.p, "rsync://", 8) != 0 || !host_ok(segment(&r)))
		return false;
	while (!reader_end(&r)) {
		if (!rsync_name_ok(segment(&r)))
			return false;
		n++;
	}
	return n >= names;
}

bool rsync_uri_ok(struct span uri)
{
	return uri.n > 0 && uri.p[uri.n - 1] != '/' && uri_ok(uri, 2);
}

bool rsync_folder_ok(struct span uri)
{
	return uri_ok(uri, 1);
}
