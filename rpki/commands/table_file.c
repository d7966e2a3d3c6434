#include "rpki/commands/table_file.h"

#include <errno.h>

#include "base/file.h"
#include "rpki/routes/table_image.h"
#include "rpki/serve/rtr_keep.h"

#define FOUND_MAX 60u

bool table_prefix(struct span s, struct prefix *ret)
{
	char text[ADDR_TEXT + 8];

	if (s.n == 0 || s.n >= sizeof text || memchr(s.p, '/', s.n) == NULL || memchr(s.p, '\0', s.n) != NULL)
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return OK(prefix_parse(text, ret));
}

struct result table_wrong(struct table_text *t, struct span found, const char *expected)
{
	size_t n = found.n > FOUND_MAX ? FOUND_MAX : found.n;

	strbuf_puts(t->why, t->name);
	if (t->line > 0)
		strbuf_printf(t->why, ":%zu", t->line);
	strbuf_puts(t->why, ": found ");
	strbuf_json_string(t->why, span_of(found.p, n));
	strbuf_printf(t->why, "%s, expected %s\n", n < found.n ? "..." : "", expected);
	return FAIL(ERR_FORMAT);
}

RESULT table_add(struct table_text *t, const struct prefix *p, bool has_max, uint32_t max, uint32_t asn, uint32_t source)
{
	struct vrp v = { .family = p->a.family, .len = p->len, .maxlen = has_max ? (uint8_t)max : p->len, .asn = asn };
	char number[16];
	struct writer w = writer_of(number, sizeof number);

	memcpy(v.addr, p->a.b, sizeof v.addr);
	if ((has_max && max > 128) || !vrp_is_sound(&v)) {
		for (uint32_t d = 1000000000; d > 0; d /= 10)
			if (max >= d || d == 1)
				write8(&w, (uint8_t)('0' + max / d % 10));
		return table_wrong(t, writer_done(&w), "a maximum length from that of the prefix to 32 or 128");
	}
	return table_builder_add_vrp(t->b, &v, source);
}

RESULT table_text_read(struct span text, const char *name, struct strbuf *why, struct payload_table **ret)
{
	AUTO(table_builder_free) struct table_builder *b = table_builder_new(NULL);
	struct table_text t = { .name = name, .why = why, .b = b };
	size_t n = 0;

	if (b == NULL)
		return FAIL(ERR_NOMEM);
	while (n < text.n && memchr(" \t\r\n", text.p[n], 4) != NULL)
		n++;
	if (n < text.n && text.p[n] == '{')
		TRY(table_json_read(&t, text));
	else
		TRY(table_lines_read(&t, text));
	return table_builder_finish(MOVE(b), 0, ret);
}

static bool begins(struct span s, const char *with)
{
	size_t n = strlen(with);

	return s.n >= n && memcmp(s.p, with, n) == 0;
}

/* Of what the RTR service kept, whatever its age. */
static RESULT read_kept(const char *path, struct payload_table **ret)
{
	struct rtr_feed_options o = { .timers = RTR_TIMERS_USUAL, .history = { 1, 1 } };
	struct rtr_state ids = { .session = { 1, 2, 3 } };
	AUTO(rtr_feed_free) struct rtr_feed *f = rtr_feed_new(&o, &ids);
	int64_t at;

	if (f == NULL)
		return FAIL(ERR_NOMEM);
	TRY(rtr_keep_read(path, f, &o.history, 0, RTR_KEEP_ANY_AGE, &at));
	*ret = table_ref(rtr_feed_table(f));
	return DONE;
}

RESULT table_file_read(const char *path, struct strbuf *why, struct payload_table **ret)
{
	AUTO_CHARS char *text = NULL;
	size_t n = 0;
	struct result r = file_read_all(path, TABLE_FILE_MAX, &text, &n);
	bool told = false;

	if (OK(r) && begins(span_of(text, n), "cairntab")) {
		r = table_image_take(MOVE(text), n, ret);
	} else if (OK(r) && begins(span_of(text, n), "cairnrtr")) {
		r = read_kept(path, ret);
	} else if (OK(r)) {
		r = table_text_read(span_of(text, n), path, why, ret);
		told = r.e == ERR_FORMAT;
	}
	if (!OK(r) && !told)
		strbuf_printf(why, "%s: %s\n", path, r.e == ERR_SYSTEM ? strerror(errno) : r.e == ERR_FORMAT ? "damaged, or of another version" : err_text(r.e));
	return r;
}
