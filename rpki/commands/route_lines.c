#include "rpki/commands/route_lines.h"

#include "rpki/commands/table_file.h"
#include "rpki/routes/route_text.h"

static bool is_gap(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == ',' || c == ';';
}

/* The next word of a line; n 0: there is none. */
static struct span next_word(struct reader *r)
{
	size_t from;

	while (!reader_end(r) && is_gap(r->base[r->pos]))
		read_skip(r, 1);
	from = r->pos;
	while (!reader_end(r) && !is_gap(r->base[r->pos]) && r->base[r->pos] != '#')
		read_skip(r, 1);
	return span_of(r->base + from, r->pos - from);
}

static bool is_arrow(struct span s)
{
	return s.n == 2 && memcmp(s.p, "=>", 2) == 0;
}

/* ret_empty: nothing stands there. */
static RESULT read_line(struct span line, struct table_text *t, struct judged_route *ret, bool *ret_empty)
{
	struct reader r = reader_of(line);
	bool has_origin = false, has_prefix = false;
	struct judged_route route = { .origin = 0 };
	struct span word;

	while ((word = next_word(&r)).n > 0) {
		if (is_arrow(word))
			continue;
		if (!has_prefix && table_prefix(word, &route.prefix))
			has_prefix = true;
		else if (!has_origin && route_text_asn(word, &route.origin))
			has_origin = true;
		else
			return table_wrong(t, word, has_prefix && has_origin ? "the end of the line" : has_prefix ? "an AS number" : "a prefix");
	}
	*ret_empty = !has_prefix && !has_origin;
	if (has_prefix != has_origin)
		return table_wrong(t, line, has_prefix ? "an AS number too" : "a prefix too");
	*ret = route;
	return DONE;
}

RESULT route_lines_read(struct span text, const char *name, struct strbuf *why, route_fn *fn, void *ctx)
{
	struct reader r = reader_of(text);
	struct table_text t = { .name = name, .why = why };

	for (t.line = 1; !reader_end(&r); t.line++) {
		const uint8_t *end = memchr(r.base + r.pos, '\n', reader_left(&r));
		struct span line = read_span(&r, end != NULL ? (size_t)(end - (r.base + r.pos)) : reader_left(&r));
		struct judged_route route;
		bool empty = true;

		read_skip(&r, end != NULL ? 1 : 0);
		TRY(read_line(line, &t, &route, &empty));
		if (!empty)
			TRY(fn(ctx, &route));
	}
	return DONE;
}
