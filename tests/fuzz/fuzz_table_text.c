/*
 * Files of other relying parties, as `cairn-rpki diff` and `validate` read them. First octet even: a table; what is read, written as JSON, reads back the same. Odd: routes, one a line; each
 * is written back and read again. What is refused is said where.
 */
#include <stdio.h>
#include <stdlib.h>

#include "rpki/commands/route_lines.h"
#include "rpki/commands/table_file.h"
#include "rpki/serve/output.h"
#include "tests/fuzz/failing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MOST (1u << 20)
#define ROUTES 1000u

static struct payload_table *read_table(struct span text, struct strbuf *why) OWNED_BY(table_unref);
static struct payload_table *read_table(struct span text, struct strbuf *why)
{
	struct payload_table *t = NULL;
	struct result r = table_text_read(text, "x", why, &t);

	if (r.e == ERR_FORMAT && strbuf_len(why) == 0 && strbuf_ok(why) && !mem_failed())
		abort(); /* wrong, and nobody says what */
	return t;
}

static char *as_json(const struct payload_table *t) OWNED_BY(mem_free);
static char *as_json(const struct payload_table *t)
{
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(MOST);
	AUTO(output_free) struct output *o = NULL;
	struct output_info info = { .generated_sec = 0 };

	if (out == NULL || !OK(output_new(OUTPUT_JSON, t, &info, &o)))
		return NULL;
	while (output_more(o, out, strbuf_len(out) + 100))
		if (!strbuf_ok(out))
			return NULL;
	return strbuf_take(out);
}

struct told {
	struct judged_route last;
	size_t n;
};

static RESULT tell(void *ctx, const struct judged_route *r)
{
	struct told *t = ctx;

	t->last = *r;
	return ++t->n < ROUTES ? DONE : FAIL(ERR_LIMIT);
}

static bool routes_hold(struct span text, struct strbuf *why)
{
	struct told told = { .n = 0 }, again = { .n = 0 };
	struct result r = route_lines_read(text, "x", why, tell, &told);
	char room[ADDR_TEXT + 32], address[ADDR_TEXT];

	if (r.e == ERR_FORMAT)
		return strbuf_len(why) > 0 || !strbuf_ok(why);
	if (!OK(r) || told.n == 0)
		return true;
	(void)snprintf(room, sizeof room, "%s/%u => AS%u", addr_text(&told.last.prefix.a, address), told.last.prefix.len, told.last.origin);
	return OK(route_lines_read(span_text(room), "y", why, tell, &again)) && again.n == 1 && again.last.origin == told.last.origin &&
	    again.last.prefix.len == told.last.prefix.len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(strbuf_free) struct strbuf *why = MINE(strbuf_new(MOST));
	AUTO(table_unref) struct payload_table *t = NULL, *again = NULL;
	AUTO_CHARS char *text = NULL;

	if (why == NULL || size == 0)
		return 0;
	if ((data[0] & 1) != 0) {
		HOLDS(routes_hold(span_of(data + 1, size - 1), why));
		return 0;
	}
	t = read_table(span_of(data + 1, size - 1), why);
	if (t == NULL)
		return 0;
	text = as_json(t);
	if (text == NULL)
		return 0;
	again = read_table(span_text(text), why);
	HOLDS(again != NULL && table_equal(t, again));
	return 0;
}
