/*
 * An answer of HTTP: the first octet says how long the pieces of the body are, then come head and body. In pieces or at once it is the same, and the body is never longer
 * than asked for. The first line by itself is tried as a URI.
 */
#include <stdlib.h>

#include "base/hash.h"
#include "net/http_body.h"
#include "net/http_url.h"
#include "rpki/fetch/uri.h"
#include "tests/fuzz/failing.h"

#define MAX 20000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct told {
	uint64_t octets, sum; /* sum: over the octets, whatever the pieces */
};

static RESULT tell(void *ctx, struct span s)
{
	struct told *t = (struct told *)ctx;

	for (size_t i = 0; i < s.n; i++)
		t->sum = t->sum * 31 + s.p[i] + 1;
	t->octets += s.n;
	return DONE;
}

static struct result read_body(const struct http_head *h, struct span wire, size_t piece, struct told *t, size_t *ret_taken)
{
	AUTO(http_body_free) struct http_body *b = http_body_new(h, MAX);
	struct reader in = reader_of(wire);

	if (b == NULL)
		return FAIL(ERR_NOMEM);
	while (!reader_end(&in) && !http_body_ended(b)) {
		struct reader look = in;
		struct reader part = reader_of(read_span(&look, reader_left(&in) < piece ? reader_left(&in) : piece));

		TRY(http_body_feed(b, &part, tell, t));
		read_skip(&in, part.pos);
	}
	*ret_taken = in.pos;
	return http_body_close(b);
}

static bool uris_hold(struct span s)
{
	struct http_url u, v;
	const uint8_t *line = s.n == 0 ? NULL : memchr(s.p, '\r', s.n);

	s = span_of(s.p, line == NULL ? s.n : (size_t)(line - s.p));
	if (rsync_uri_ok(s) && (!rsync_folder_ok(s) || s.n > RSYNC_URI_MAX))
		return false;
	if (rsync_name_ok(s) && memchr(s.p, '/', s.n) != NULL)
		return false;
	if (!OK(http_url_parse(s, &u)))
		return true;
	return OK(http_url_parse(s, &v)) && http_url_same_origin(&u, &v) && u.port > 0 && u.host.n > 0 && u.target.n > 0 && u.target.p[0] == '/';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_of(span_of(data, size));
	size_t piece = (size_t)read8(&r) + 1, taken = 0, again = 0, end;
	struct span all = read_rest(&r), wire;
	struct told once = { 0 }, pieces = { 0 };
	struct http_head h;
	struct result a, b;

	if (size == 0)
		return 0;
	HOLDS(uris_hold(all));
	end = http_head_end(all);
	if (end == 0 || !OK(http_head_parse(span_of(all.p, end), &h)))
		return 0;
	HOLDS(h.status >= 100 && h.status < 600 && !(h.chunked && h.has_length));
	r = reader_of(all);
	read_skip(&r, end);
	wire = read_rest(&r);
	a = read_body(&h, wire, SIZE_MAX, &once, &taken);
	b = read_body(&h, wire, piece, &pieces, &again);
	HOLDS(a.e != ERR_NOMEM && b.e != ERR_NOMEM);
	HOLDS(once.octets <= MAX && pieces.octets <= MAX);
	HOLDS(OK(a) == OK(b) && (!OK(a) || (once.sum == pieces.sum && taken == again)));
	return 0;
}
