/* Tables as lines: CSV by the names in its first line, BIRD, OpenBGPD, RPSL by their words. */
#include "rpki/commands/table_file.h"
#include "rpki/routes/route_text.h"

#define COLUMNS 16u
#define WORDS 32u
#define ASPA_WORDS 65536u

/* The next piece up to `end`, which is passed over. False: there is nothing left. */
static bool next_line(struct reader *r, struct span *ret)
{
	struct span left = span_of(r->base + r->pos, reader_left(r));
	const uint8_t *end = left.n > 0 ? memchr(left.p, '\n', left.n) : NULL;

	if (left.n == 0)
		return false;
	*ret = read_span(r, end != NULL ? (size_t)(end - left.p) : left.n);
	if (end != NULL)
		read_skip(r, 1);
	if (ret->n > 0 && ret->p[ret->n - 1] == '\r')
		ret->n--;
	return true;
}

static bool is_text(struct span s, const char *text)
{
	size_t n = strlen(text);

	if (s.n != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if ((s.p[i] >= 'A' && s.p[i] <= 'Z' ? s.p[i] | 0x20 : s.p[i]) != (uint8_t)text[i])
			return false;
	return true;
}

/* --------------------------------------------------------------------------------------------------------------------- CSV */

/* Cells, without their quotes. Returns how many; more than `most` are not told. */
static size_t cells_of(struct span line, struct span *cells, size_t most)
{
	struct reader r = reader_of(line);
	size_t n = 0;

	do {
		struct span left = span_of(r.base + r.pos, reader_left(&r)), cell;
		const uint8_t *comma = left.n > 0 ? memchr(left.p, ',', left.n) : NULL;

		cell = read_span(&r, comma != NULL ? (size_t)(comma - left.p) : left.n);
		if (cell.n >= 2 && cell.p[0] == '"' && cell.p[cell.n - 1] == '"')
			cell = span_of(cell.p + 1, cell.n - 2);
		if (n < most)
			cells[n] = cell;
		n++;
		if (comma == NULL)
			break;
		read_skip(&r, 1);
	} while (reader_ok(&r));
	return n < most ? n : most;
}

enum column { COLUMN_ASN, COLUMN_PREFIX, COLUMN_MAX, COLUMN_TA, COLUMN_URI, COLUMN_KINDS };

struct csv {
	size_t at[COLUMN_KINDS]; /* COLUMNS: there is none */
	uint32_t source;
	struct span last_ta, last_uri;
};

static bool read_header(struct span line, struct csv *ret)
{
	static const struct {
		const char *name BORROWED_FIELD;
		enum column is;
	} names[] = { { "asn", COLUMN_ASN }, { "ip prefix", COLUMN_PREFIX }, { "prefix", COLUMN_PREFIX }, { "max length", COLUMN_MAX },
		{ "max prefix length", COLUMN_MAX }, { "trust anchor", COLUMN_TA }, { "uri", COLUMN_URI } };
	struct span cells[COLUMNS];
	size_t n = cells_of(line, cells, COLUMNS);

	for (size_t k = 0; k < COLUMN_KINDS; k++)
		ret->at[k] = COLUMNS;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < sizeof names / sizeof names[0]; k++)
			if (is_text(cells[i], names[k].name))
				ret->at[names[k].is] = i;
	ret->source = SOURCE_NONE;
	ret->last_ta = ret->last_uri = span_of(NULL, 0);
	return ret->at[COLUMN_ASN] < COLUMNS && ret->at[COLUMN_PREFIX] < COLUMNS;
}

static struct span cell(const struct csv *c, const struct span *cells, size_t n, enum column k)
{
	return c->at[k] < n ? cells[c->at[k]] : span_of(NULL, 0);
}

static RESULT csv_source(struct table_text *t, struct csv *c, struct span ta, struct span uri)
{
	AUTO_CHARS char *tal = mem_strndup(ta.n > 0 ? (const char *)ta.p : "", ta.n), *from = mem_strndup(uri.n > 0 ? (const char *)uri.p : "", uri.n);
	struct payload_source s = { .kind = SOURCE_ROA, .tal = tal, .uri = uri.n > 0 ? from : NULL };

	if (span_equal(ta, c->last_ta) && span_equal(uri, c->last_uri))
		return DONE;
	if (tal == NULL || from == NULL)
		return FAIL(ERR_NOMEM);
	c->last_ta = ta;
	c->last_uri = uri;
	return table_builder_add_source(t->b, &s, &c->source);
}

static RESULT csv_line(struct table_text *t, struct csv *c, struct span line)
{
	struct span cells[COLUMNS];
	size_t n = cells_of(line, cells, COLUMNS);
	struct span max = cell(c, cells, n, COLUMN_MAX);
	struct prefix p;
	uint32_t asn, longest = 0;

	if (!route_text_asn(cell(c, cells, n, COLUMN_ASN), &asn))
		return table_wrong(t, cell(c, cells, n, COLUMN_ASN), "an AS number");
	if (!table_prefix(cell(c, cells, n, COLUMN_PREFIX), &p))
		return table_wrong(t, cell(c, cells, n, COLUMN_PREFIX), "a prefix");
	if (max.n > 0 && !span_number(max, 128, &longest))
		return table_wrong(t, max, "a maximum length");
	TRY(csv_source(t, c, cell(c, cells, n, COLUMN_TA), cell(c, cells, n, COLUMN_URI)));
	return table_add(t, &p, max.n > 0, longest, asn, c->source);
}

/* ------------------------------------------------------------------------------------------------------------------- words */

/* Between spaces, ';', ',', '{' and '}'; comments are cut off. */
static size_t words_of(struct span line, struct span *words, size_t most)
{
	struct reader r = reader_of(line);
	size_t n = 0;

	while (!reader_end(&r) && n < most) {
		size_t from = r.pos;

		while (!reader_end(&r) && memchr(" \t;,{}", r.base[r.pos], 6) == NULL && r.base[r.pos] != '#')
			read_skip(&r, 1);
		if (r.pos > from)
			words[n++] = span_of(r.base + from, r.pos - from);
		if (!reader_end(&r) && r.base[r.pos] == '#')
			break;
		read_skip(&r, 1);
	}
	return n;
}

/* "... PREFIX [max|maxlen N] as|source-as A [expires T]" */
static RESULT route_line(struct table_text *t, const struct span *words, size_t n, struct span line)
{
	bool has_prefix = false, has_max = false, has_asn = false;
	struct prefix p = { .len = 0 };
	uint32_t max = 0, asn = 0;

	for (size_t i = 0; i < n; i++) {
		struct span value = i + 1 < n ? words[i + 1] : span_of(NULL, 0);

		if (!has_prefix && memchr(words[i].p, '/', words[i].n) != NULL) {
			if (!table_prefix(words[i], &p))
				return table_wrong(t, words[i], "a prefix");
			has_prefix = true;
		} else if (is_text(words[i], "max") || is_text(words[i], "maxlen")) {
			has_max = span_number(value, 128, &max);
			if (!has_max)
				return table_wrong(t, value, "a maximum length");
		} else if (is_text(words[i], "as") || is_text(words[i], "source-as")) {
			has_asn = route_text_asn(value, &asn);
			if (!has_asn)
				return table_wrong(t, value, "an AS number");
		}
	}
	if (!has_prefix || !has_asn)
		return table_wrong(t, line, "a prefix and an AS number, as relying parties write them: CSV, BIRD, OpenBGPD, RPSL or JSON");
	return table_add(t, &p, has_max, max, asn, SOURCE_NONE);
}

/* "customer-as A [expires T] provider-as { B C }" of OpenBGPD */
static RESULT aspa_line(struct table_text *t, struct span line)
{
	AUTO(mem_free) void *room = mem_alloc_array(ASPA_WORDS, sizeof(struct span)), *numbers = mem_alloc_array(ASPA_WORDS, sizeof(uint32_t));
	struct span *words = room;
	uint32_t *providers = numbers, customer = 0;
	size_t n, found = 0;
	bool in = false;

	if (words == NULL || providers == NULL)
		return FAIL(ERR_NOMEM);
	n = words_of(line, words, ASPA_WORDS);
	if (n < 2 || !route_text_asn(words[1], &customer))
		return table_wrong(t, line, "customer-as and an AS number");
	for (size_t i = 2; i < n; i++) {
		if (in && !route_text_asn(words[i], &providers[found++]))
			return table_wrong(t, words[i], "the AS number of a provider");
		in = in || is_text(words[i], "provider-as");
	}
	if (found == 0)
		return table_wrong(t, line, "provider-as and AS numbers");
	return table_builder_add_aspa(t->b, customer, providers, found, SOURCE_NONE);
}

/* RPSL: a route object is "route: P" and, in a later line, "origin: A". */
struct rpsl {
	bool has_route;
	struct prefix p;
};

static RESULT rpsl_line(struct table_text *t, struct rpsl *x, const struct span *words, size_t n)
{
	uint32_t asn;

	if (n == 2 && (is_text(words[0], "route:") || is_text(words[0], "route6:"))) {
		x->has_route = table_prefix(words[1], &x->p);
		return x->has_route ? DONE : table_wrong(t, words[1], "a prefix");
	}
	if (n < 2 || !is_text(words[0], "origin:"))
		return DONE;
	if (!x->has_route || !route_text_asn(words[1], &asn))
		return table_wrong(t, words[1], "the AS number of a route");
	x->has_route = false;
	return table_add(t, &x->p, false, 0, asn, SOURCE_NONE);
}

static bool is_frame(const struct span *words, size_t n)
{
	return n == 0 || (n == 1 && (is_text(words[0], "roa-set") || is_text(words[0], "aspa-set")));
}

static bool is_rpsl(const struct span *words, size_t n)
{
	return n > 0 && words[0].p[words[0].n - 1] == ':';
}

RESULT table_lines_read(struct table_text *t, struct span text)
{
	struct reader r = reader_of(text);
	struct rpsl rpsl = { .has_route = false };
	struct csv csv;
	struct span line;
	bool is_csv = false;

	for (t->line = 1; next_line(&r, &line); t->line++) {
		struct span words[WORDS];
		size_t n;

		if (t->line == 1 && read_header(line, &csv)) {
			is_csv = true;
			continue;
		}
		if (is_csv) {
			if (line.n > 0)
				TRY(csv_line(t, &csv, line));
			continue;
		}
		n = words_of(line, words, WORDS);
		if (is_frame(words, n))
			continue;
		if (is_rpsl(words, n))
			TRY(rpsl_line(t, &rpsl, words, n));
		else if (is_text(words[0], "customer-as"))
			TRY(aspa_line(t, line));
		else
			TRY(route_line(t, words, n, line));
	}
	return DONE;
}
