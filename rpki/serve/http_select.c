/* Selectors of a query, and the pages of a table of which they select. */
#include "rpki/serve/http_inside.h"

#include <stdlib.h>

/* -------------------------------------------------------------------------------------------------------------- selectors */

void selection_done(struct selection *s)
{
	mem_free(MOVE(s->prefixes));
	mem_free(MOVE(s->asns));
}

bool asn_read(const char *text, uint32_t *ret_asn)
{
	uint64_t n;

	if ((text[0] == 'A' || text[0] == 'a') && (text[1] == 'S' || text[1] == 's'))
		text += 2;
	if (!http_read_number(span_text(text), &n) || n > UINT32_MAX)
		return false;
	*ret_asn = (uint32_t)n;
	return true;
}

static RESULT add_asn(struct selection *s, const char *text)
{
	void *list = s->asns;
	uint32_t asn;

	if (!asn_read(text, &asn))
		return FAIL(ERR_FORMAT);
	if (s->nasns + s->nprefixes >= SELECTORS_MAX)
		return FAIL(ERR_LIMIT);
	TRY(mem_resize(&list, s->nasns, s->nasns + 1, sizeof *s->asns));
	s->asns = (uint32_t *)list;
	s->asns[s->nasns++] = asn;
	return DONE;
}

static RESULT add_prefix(struct selection *s, const char *text)
{
	void *list = s->prefixes;
	struct prefix p;

	if (strchr(text, '/') == NULL || !OK(prefix_parse(text, &p)))
		return FAIL(ERR_FORMAT);
	if (s->nasns + s->nprefixes >= SELECTORS_MAX)
		return FAIL(ERR_LIMIT);
	TRY(mem_resize(&list, s->nprefixes, s->nprefixes + 1, sizeof *s->prefixes));
	s->prefixes = (struct prefix *)list;
	s->prefixes[s->nprefixes++] = p;
	return DONE;
}

/* "routeOrigins,aspas" */
static bool read_excluded(struct selection *s, const char *text)
{
	static const char *const words[PAYLOAD_KINDS] = { "routeOrigins", "routerKeys", "aspas" };
	struct span list = span_text(text), member;

	while (http_next_member(&list, &member)) {
		bool known = false;

		for (unsigned int k = 0; k < PAYLOAD_KINDS; k++) {
			if (!span_equal(member, span_text(words[k])))
				continue;
			s->exclude[k] = known = true;
		}
		if (!known)
			return false;
	}
	return true;
}

static RESULT read_one(struct selection *s, const char *key, const char *value, const char **why)
{
	struct result r = FAIL(ERR_FORMAT);

	*why = "expected select-asn, select-prefix, include and exclude";
	if (strcmp(key, "select-asn") == 0 || strcmp(key, "filter-asn") == 0) {
		*why = "select-asn: expected an AS number";
		r = add_asn(s, value);
	} else if (strcmp(key, "select-prefix") == 0 || strcmp(key, "filter-prefix") == 0) {
		*why = "select-prefix: expected a prefix, such as 192.0.2.0/24";
		r = add_prefix(s, value);
	} else if (strcmp(key, "include") == 0) {
		*why = "include: expected more-specifics";
		s->more_specifics = strcmp(value, "more-specifics") == 0;
		r = s->more_specifics ? DONE : FAIL(ERR_FORMAT);
	} else if (strcmp(key, "exclude") == 0) {
		*why = "exclude: expected routeOrigins, routerKeys or aspas";
		r = read_excluded(s, value) ? DONE : FAIL(ERR_FORMAT);
	}
	if (r.e == ERR_LIMIT)
		*why = "too many selectors";
	return r;
}

RESULT selection_read(struct span query, struct selection *s, const char **why)
{
	AUTO(mem_free) void *room = mem_alloc_raw(query.n + 1);
	const char *key, *value;

	*s = (struct selection){ .nasns = 0 };
	*why = "out of memory";
	if (room == NULL)
		return FAIL(ERR_NOMEM);
	while (http_query_next(&query, (char *)room, &key, &value))
		TRY(read_one(s, key, value, why));
	*why = "the query is malformed";
	return query.n == 0 ? DONE : FAIL(ERR_FORMAT);
}

bool selection_is_all(const struct selection *s)
{
	return s->nasns == 0 && s->nprefixes == 0;
}

/* The first prefix has all of the second. */
static bool covers(const struct prefix *a, const struct prefix *b)
{
	return a->a.family == b->a.family && a->len <= b->len && bits_equal(a->a.b, b->a.b, a->len);
}

static bool has_vrp(const struct selection *s, const struct vrp *v)
{
	struct prefix p = vrp_prefix(v);

	for (size_t i = 0; i < s->nprefixes; i++)
		if (covers(&p, &s->prefixes[i]) || (s->more_specifics && covers(&s->prefixes[i], &p)))
			return true;
	return false;
}

bool selection_has(const struct selection *s, const struct payload_table *t, enum payload_kind k, size_t i)
{
	struct vrp v = { .asn = 0 };
	uint32_t asn;

	if (selection_is_all(s))
		return true;
	if (k == PAYLOAD_VRP)
		v = table_vrp(t, i);
	asn = k == PAYLOAD_VRP ? v.asn : k == PAYLOAD_KEY ? table_key(t, i).asn : table_aspa(t, i).customer;
	for (size_t n = 0; n < s->nasns; n++)
		if (s->asns[n] == asn)
			return true;
	return k == PAYLOAD_VRP && has_vrp(s, &v);
}

/* ------------------------------------------------------------------------------------------------------------------- pages */

struct table_source {
	struct http_source source;
	struct shown *shown OWNED_FIELD;
	struct payload_table *selected OWNED_FIELD; /* NULL: all of it */
	struct output_info info;
	struct output *output OWNED_FIELD;
};

static void table_source_free(struct table_source *s) TAKES(1);
static void table_source_free(struct table_source *s)
{
	if (s == NULL)
		return;
	output_free(MOVE(s->output));
	table_unref(MOVE(s->selected));
	shown_unref(MOVE(s->shown));
	mem_free(s);
}
DEFINE_AUTO(struct table_source, table_source_free)

static bool table_more(struct http_source *s, struct strbuf *out, size_t want)
{
	return output_more(((struct table_source *)(void *)s)->output, out, want);
}

static void free_source(struct http_source *s) TAKES(1);
static void free_source(struct http_source *s)
{
	AUTO(table_source_free) struct table_source *t = (struct table_source *)(void *)s;

	(void)t;
}

static bool left_out(void *ctx, const struct payload_table *t, enum payload_kind k, size_t i)
{
	return !selection_has((const struct selection *)ctx, t, k, i);
}

static RESULT select_of(const struct payload_table *t, struct selection *s, struct payload_table **ret)
{
	AUTO(table_builder_free) struct table_builder *b = table_builder_new(NULL);
	size_t left[PAYLOAD_KINDS];

	if (b == NULL)
		return FAIL(ERR_NOMEM);
	TRY(table_builder_add_unless(b, t, left_out, s, left));
	return table_builder_finish(MOVE(b), table_generation(t), ret);
}

RESULT table_page(const struct shown *d, enum output_format f, const struct selection *s, bool gzip, struct http_page **ret_page)
{
	AUTO(mem_free) void *memory = mem_alloc(sizeof(struct table_source));
	AUTO(http_source_free) struct http_source *source = NULL;
	struct table_source *x = memory;
	struct selection copy = *s;

	if (x == NULL)
		return FAIL(ERR_NOMEM);
	x->source = (struct http_source){ table_more, free_source };
	source = MOVE(memory);
	x->shown = shown_ref(d);
	x->info = d->info;
	memcpy(x->info.exclude, s->exclude, sizeof s->exclude);
	if (!selection_is_all(s))
		TRY(select_of(d->table, &copy, &x->selected));
	TRY(output_new(f, x->selected != NULL ? x->selected : d->table, &x->info, &x->output));
	*ret_page = http_page_new(MOVE(source), gzip);
	return *ret_page != NULL ? DONE : FAIL(ERR_NOMEM);
}
