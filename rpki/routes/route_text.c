#include "rpki/routes/route_text.h"

#include "base/mem.h"
#include "base/strbuf.h"

struct route_text {
	struct source_sink *to BORROWED_FIELD;
	struct strbuf *line OWNED_FIELD; /* that has begun */
	bool too_long;                   /* the line that has begun */
	bool any;                        /* a line with words was seen */
	uint64_t number;                 /* of the line that has begun, from 1 */
	struct source_counts counts;
};

void route_text_free(struct route_text *t)
{
	if (t == NULL)
		return;
	strbuf_free(MOVE(t->line));
	mem_free(t);
}

struct route_text *route_text_new(struct source_sink *to)
{
	AUTO(route_text_free) struct route_text *t = (struct route_text *)mem_alloc(sizeof *t);

	if (t == NULL)
		return NULL;
	t->to = to;
	t->number = 1;
	t->line = strbuf_new(ROUTE_LINE_MAX);
	return t->line != NULL ? MOVE(t) : NULL;
}

const struct source_counts *route_text_counts(const struct route_text *t)
{
	return &t->counts;
}

/* ------------------------------------------------------------------------------------------------------------------- words */

/* A decimal number that is the whole text. */
bool route_text_asn(struct span s, uint32_t *ret)
{
	struct reader r = reader_of(s);

	if (s.n > 2 && (s.p[0] | 0x20) == 'a' && (s.p[1] | 0x20) == 's')
		read_skip(&r, 2);
	return span_number(read_rest(&r), UINT32_MAX, ret);
}

static bool has(struct span s, char c)
{
	return s.n > 0 && memchr(s.p, c, s.n) != NULL;
}

/* "A/len" of a span, which has no NUL. */
static bool prefix_word(struct span s, struct prefix *ret)
{
	char text[ADDR_TEXT + 4];

	if (s.n >= sizeof text || has(s, '\0') || !has(s, '/'))
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return OK(prefix_parse(text, ret));
}

static bool parted_word(struct span address, struct span length, struct prefix *ret)
{
	char text[ADDR_TEXT + 4];
	struct writer w = writer_of(text, sizeof text);

	write_octets(&w, address.p, address.n);
	write8(&w, '/');
	write_octets(&w, length.p, length.n);
	return writer_ok(&w) && !has(address, '/') && prefix_word(writer_done(&w), ret);
}

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == ',' || c == '|';
}

static void skip_space(struct reader *r)
{
	for (struct reader look = *r; !reader_end(&look) && is_space(read8(&look));)
		*r = look;
}

/* The next word; braces hold a set together. */
static struct span next_word(struct reader *r)
{
	struct reader look;
	bool set = false;
	size_t n = 0;

	skip_space(r);
	for (look = *r; !reader_end(&look); n++) {
		uint8_t c = read8(&look);

		if (!set && is_space(c))
			break;
		set = c == '{' || (set && c != '}');
	}
	return read_span(r, n);
}

/* All that is left, without blanks at its ends: the third word of pfx2as, in which commas make a set. */
static struct span last_word(struct reader *r)
{
	struct reader look;
	size_t n = 0, at = 0;

	skip_space(r);
	for (look = *r; !reader_end(&look);) {
		at++;
		if (!is_space(read8(&look)))
			n = at;
	}
	return read_span(r, n);
}

/* Up to a '_' or the end. */
static struct span next_origin(struct reader *r)
{
	struct reader look = *r;
	struct span word;
	size_t n = 0;

	while (!reader_end(&look) && read8(&look) != '_')
		n++;
	word = read_span(r, n);
	if (!reader_end(r))
		read_skip(r, 1);
	return word;
}

/* ------------------------------------------------------------------------------------------------------------------- lines */

/* Origins with '_' between them; a set has none that counts. *ret_good false: one is no origin, and those before it are told. */
static RESULT tell(struct route_text *t, const struct prefix *p, struct span origins, bool *ret_good)
{
	struct reader r = reader_of(origins);

	*ret_good = origins.n > 0;
	while (*ret_good && !reader_end(&r)) {
		struct span word = next_origin(&r);
		bool set = has(word, '{') || has(word, ',');
		uint32_t origin = 0;

		*ret_good = set || route_text_asn(word, &origin);
		if (*ret_good) {
			TRY(t->to->route(t->to, p, origin));
			t->counts.routes++;
		}
	}
	return DONE;
}

static void bad_line(struct route_text *t)
{
	if (t->counts.bad++ == 0)
		t->counts.first_bad = t->number;
}

static RESULT read_line(struct route_text *t, struct span line)
{
	struct reader r = reader_of(line);
	struct span word[2] = { next_word(&r), { NULL, 0 } };
	bool first = !t->any, good = false;
	struct prefix p;

	if (word[0].n == 0 || word[0].p[0] == '#' || word[0].p[0] == '%' || word[0].p[0] == ';')
		return DONE;
	t->any = true;
	word[1] = next_word(&r);
	if (prefix_word(word[0], &p))
		TRY(tell(t, &p, word[1], &good));
	else if (prefix_word(word[1], &p))
		TRY(tell(t, &p, word[0], &good));
	else if (word[1].n > 0 && parted_word(word[0], word[1], &p))
		TRY(tell(t, &p, last_word(&r), &good));
	if (!good && !(first && !has(word[0], '.') && !has(word[0], ':') && (word[0].p[0] < '0' || word[0].p[0] > '9')))
		bad_line(t);
	return DONE;
}

static RESULT end_line(struct route_text *t)
{
	struct result r = DONE;

	if (t->too_long)
		bad_line(t);
	else
		r = read_line(t, strbuf_span(t->line));
	strbuf_clear(t->line);
	t->too_long = false;
	t->number++;
	return r;
}

RESULT route_text_feed(struct route_text *t, struct span text)
{
	struct reader r = reader_of(text);

	while (!reader_end(&r)) {
		struct reader look = r;
		struct span rest = read_rest(&look), part;
		const uint8_t *end = memchr(rest.p, '\n', rest.n);

		part = read_span(&r, end != NULL ? (size_t)(end - rest.p) : rest.n);
		if (strbuf_len(t->line) + part.n > ROUTE_LINE_MAX)
			t->too_long = true;
		else
			strbuf_add_span(t->line, part);
		if (!strbuf_ok(t->line))
			return strbuf_result(t->line);
		if (end == NULL)
			return DONE;
		read_skip(&r, 1);
		TRY(end_line(t));
	}
	return DONE;
}

RESULT route_text_end(struct route_text *t)
{
	if (strbuf_len(t->line) > 0 || t->too_long)
		TRY(end_line(t));
	return t->counts.routes > 0 && t->counts.bad <= t->counts.routes ? DONE : FAIL(ERR_FORMAT);
}
