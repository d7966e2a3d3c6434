#include "filter/only.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/strbuf.h"
#include "dns/rrtype.h"

/* The longest item that is no name: an IPv6 prefix, a type, two AS numbers. */
#define ITEM_TEXT 64

/* --- lists */

/* The next item of a list, with its "~" taken off. false: there is none. */
static bool next_item(struct reader *list, bool *ret_not, struct span *ret)
{
	struct span rest = span_of(list->base + list->pos, reader_left(list));
	const uint8_t *bar;

	if (rest.n == 0)
		return false;
	bar = (const uint8_t *)memchr(rest.p, '|', rest.n);
	*ret = read_span(list, bar == NULL ? rest.n : (size_t)(bar - rest.p));
	read_skip(list, bar == NULL ? 0 : 1);
	*ret_not = ret->n > 0 && ret->p[0] == '~';
	if (*ret_not)
		*ret = span_of(ret->p + 1, ret->n - 1);
	return true;
}

/* How many items at most. */
static size_t items_of(struct span value)
{
	size_t n = 1;

	for (size_t i = 0; i < value.n; i++)
		n += value.p[i] == '|';
	return n;
}

/* false: too long to be anything. */
static bool item_text(struct span item, char buf[ITEM_TEXT])
{
	if (item.n == 0 || item.n >= ITEM_TEXT)
		return false;
	memcpy(buf, item.p, item.n);
	buf[item.n] = '\0';
	return true;
}

/* --- reading */

static int by_name(const void *a, const void *b)
{
	return name_compare(*(const struct name *)a, *(const struct name *)b);
}

/* The octets that names of rules have. */
static bool is_plain_name(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i] | 0x20; /* in lower case, where it is a letter */

		if (!((c >= 'a' && c <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '-' || s.p[i] == '_' || s.p[i] == '.'))
			return false;
	}
	return s.n > 0;
}

static RESULT read_denyallow(struct filter_only *o, struct span value, struct arena *a, const char **ret_reason)
{
	struct reader list = reader_of(value);
	struct name_buf nb;
	struct span item;
	bool negated;

	*ret_reason = "$denyallow wants names, \"|\" between them";
	o->denyallow = (struct name *)arena_alloc_array(a, items_of(value), sizeof *o->denyallow);
	if (o->denyallow == NULL)
		return FAIL(ERR_NOMEM);
	while (next_item(&list, &negated, &item)) {
		if (negated || !is_plain_name(item))
			return FAIL(ERR_FORMAT);
		TRY(name_from_text_n((const char *)item.p, item.n, NULL, &nb));
		if (nb.labels == 0)
			return FAIL(ERR_FORMAT);
		name_lower(&nb);
		o->denyallow[o->denyallows] = name_dup_in(a, name_of(&nb));
		if (o->denyallow[o->denyallows++].wire == NULL)
			return FAIL(ERR_NOMEM);
	}
	qsort(o->denyallow, o->denyallows, sizeof *o->denyallow, by_name);
	return o->denyallows > 0 ? DONE : FAIL(ERR_FORMAT);
}

typedef bool range_fn(struct span item, struct filter_range *ret);

static bool read_type(struct span item, struct filter_range *ret)
{
	char text[ITEM_TEXT];
	uint16_t type;

	if (!item_text(item, text) || !OK(rrtype_parse(text, &type)))
		return false;
	*ret = (struct filter_range){ type, type, false };
	return true;
}

/* "64500" or "AS64500"; nobody has the number 0. */
static bool read_as(struct span s, uint32_t *ret)
{
	if (s.n > 2 && (s.p[0] == 'A' || s.p[0] == 'a') && (s.p[1] == 'S' || s.p[1] == 's'))
		s = span_of(s.p + 2, s.n - 2);
	return span_number(s, UINT32_MAX, ret) && *ret != 0;
}

static bool read_as_range(struct span item, struct filter_range *ret)
{
	const uint8_t *dash = item.n > 0 ? (const uint8_t *)memchr(item.p, '-', item.n) : NULL;
	struct span first = dash == NULL ? item : span_of(item.p, (size_t)(dash - item.p));
	struct span last = dash == NULL ? item : span_of(dash + 1, item.n - first.n - 1);
	struct filter_range r = { .negated = false };

	if (!read_as(first, &r.first) || !read_as(last, &r.last) || r.first > r.last)
		return false;
	*ret = r;
	return true;
}

static RESULT read_ranges(struct filter_ranges *s, struct span value, range_fn *one, struct arena *a)
{
	struct reader list = reader_of(value);
	struct span item;
	bool negated;

	s->r = (struct filter_range *)arena_alloc_array(a, items_of(value), sizeof *s->r);
	if (s->r == NULL)
		return FAIL(ERR_NOMEM);
	while (next_item(&list, &negated, &item)) {
		if (!one(item, &s->r[s->n]))
			return FAIL(ERR_FORMAT);
		s->r[s->n++].negated = negated;
	}
	return s->n > 0 ? DONE : FAIL(ERR_FORMAT);
}

static RESULT read_types(struct filter_only *o, struct span value, struct arena *a, const char **ret_reason)
{
	size_t kept = 0;

	*ret_reason = "$dnstype wants types of records, \"|\" between them";
	TRY(read_ranges(&o->types, value, read_type, a));
	for (size_t i = 0; i < o->types.n; i++)
		if (!o->types.r[i].negated)
			o->types.r[kept++] = o->types.r[i];
	if (kept > 0)
		o->types.n = kept; /* as others read "A|~CNAME": A alone */
	return DONE;
}

static RESULT read_asn(struct filter_only *o, struct span value, struct arena *a, const char **ret_reason)
{
	*ret_reason = "$asn wants AS numbers from 1 on or FIRST-LAST, \"|\" between them";
	return read_ranges(&o->asn, value, read_as_range, a);
}

static RESULT read_nets(struct filter_only *o, struct span value, struct arena *a, const char **ret_reason)
{
	struct reader list = reader_of(value);
	char text[ITEM_TEXT];
	struct span item;
	bool negated;

	*ret_reason = "$address wants addresses or prefixes without host bits, \"|\" between them";
	o->net = (struct filter_net *)arena_alloc_array(a, items_of(value), sizeof *o->net);
	if (o->net == NULL)
		return FAIL(ERR_NOMEM);
	while (next_item(&list, &negated, &item)) {
		if (!item_text(item, text) || !OK(prefix_parse(text, &o->net[o->nets].p)))
			return FAIL(ERR_FORMAT);
		o->net[o->nets++].negated = negated;
	}
	return o->nets > 0 ? DONE : FAIL(ERR_FORMAT);
}

static const char *const route_words[FILTER_ROUTES] = {
	[FILTER_ROUTE_VALID] = "valid", [FILTER_ROUTE_INVALID] = "invalid", [FILTER_ROUTE_NOT_FOUND] = "not-found", [FILTER_ROUTE_UNKNOWN] = "unknown",
	[FILTER_ROUTE_COVERED] = "covered", [FILTER_ROUTE_UNCOVERED] = "uncovered", [FILTER_ROUTE_AS0] = "as0",
};
#define ALL_ROUTES ((1u << FILTER_ROUTES) - 1u)

const char *filter_route_text(enum filter_route r)
{
	return r < FILTER_ROUTES ? route_words[r] : "unknown";
}

static bool span_is(struct span s, const char *word)
{
	return s.p != NULL && s.n == strlen(word) && octets_equal_nocase(s.p, (const uint8_t *)word, s.n);
}

static uint32_t route_bit(struct span item)
{
	for (unsigned int i = 0; i < FILTER_ROUTES; i++)
		if (span_is(item, route_words[i]))
			return 1u << i;
	return 0;
}

static RESULT read_routes(struct filter_only *o, struct span value, struct arena *a, const char **ret_reason)
{
	struct reader list = reader_of(value);
	uint32_t with = 0, without = 0;
	struct span item;
	bool negated;

	(void)a;
	*ret_reason = "$route wants valid, invalid, not-found, unknown, covered, uncovered or as0, \"|\" between them, and some state must be left";
	while (next_item(&list, &negated, &item)) {
		uint32_t bit = route_bit(item);

		if (bit == 0)
			return FAIL(ERR_FORMAT);
		*(negated ? &without : &with) |= bit;
	}
	o->routes = (with == 0 && without != 0 ? ALL_ROUTES : with) & ~without;
	return o->routes != 0 ? DONE : FAIL(ERR_FORMAT);
}

typedef struct result read_fn(struct filter_only *o, struct span value, struct arena *a, const char **ret_reason);

static const struct {
	const char *name BORROWED_FIELD;
	read_fn *read;
} modifiers[] = { { "denyallow", read_denyallow }, { "dnstype", read_types }, { "route", read_routes }, { "asn", read_asn }, { "address", read_nets } };

static bool given(const struct filter_only *o, read_fn *which)
{
	return which == read_denyallow ? o->denyallow != NULL : which == read_types ? o->types.r != NULL : which == read_routes ? o->routes != 0 :
	    which == read_asn ? o->asn.r != NULL : o->net != NULL;
}

RESULT only_read(struct filter_only *o, struct span name, struct span value, struct arena *a, const char **ret_reason)
{
	for (size_t i = 0; i < sizeof modifiers / sizeof modifiers[0]; i++) {
		if (!span_is(name, modifiers[i].name))
			continue;
		*ret_reason = "a modifier is said twice";
		if (given(o, modifiers[i].read))
			return FAIL(ERR_FORMAT);
		/* What a value ends with is no item. */
		if (value.n > 0 && value.p[value.n - 1] == '|')
			value.n = 0;
		struct result r = modifiers[i].read(o, value, a, ret_reason);

		return OK(r) || r.e == ERR_NOMEM ? r : FAIL(ERR_FORMAT);
	}
	return FAIL(ERR_NOTFOUND);
}

RESULT only_address(struct filter_only *o, const struct addr *address, struct arena *a)
{
	o->net = (struct filter_net *)arena_alloc(a, sizeof *o->net);
	if (o->net == NULL)
		return FAIL(ERR_NOMEM);
	o->net[0].p = (struct prefix){ *address, (uint8_t)(addr_octets(address) * 8) };
	o->nets = 1;
	return DONE;
}

/* --- printing */

static void print_head(struct strbuf *out, const char *name, size_t before)
{
	if (strbuf_len(out) > before)
		strbuf_putc(out, ',');
	strbuf_puts(out, name);
	strbuf_putc(out, '=');
}

static void print_bar(struct strbuf *out, size_t i, bool negated)
{
	if (i > 0)
		strbuf_putc(out, '|');
	if (negated)
		strbuf_putc(out, '~');
}

static void print_routes(uint32_t routes, struct strbuf *out)
{
	size_t done = 0;

	for (unsigned int i = 0; i < FILTER_ROUTES; i++) {
		if ((routes >> i & 1) == 0)
			continue;
		print_bar(out, done++, false);
		strbuf_puts(out, route_words[i]);
	}
}

static void print_types(const struct filter_ranges *s, struct strbuf *out)
{
	char text[RRTYPE_TEXT];

	for (size_t i = 0; i < s->n; i++) {
		print_bar(out, i, s->r[i].negated);
		strbuf_puts(out, rrtype_text((uint16_t)s->r[i].first, text));
	}
}

static void print_asn(const struct filter_ranges *s, struct strbuf *out)
{
	for (size_t i = 0; i < s->n; i++) {
		print_bar(out, i, s->r[i].negated);
		strbuf_number(out, s->r[i].first);
		if (s->r[i].last == s->r[i].first)
			continue;
		strbuf_putc(out, '-');
		strbuf_number(out, s->r[i].last);
	}
}

static void print_nets(const struct filter_only *o, struct strbuf *out)
{
	char text[ADDR_TEXT];

	for (size_t i = 0; i < o->nets; i++) {
		print_bar(out, i, o->net[i].negated);
		strbuf_puts(out, addr_text(&o->net[i].p.a, text));
		strbuf_putc(out, '/');
		strbuf_number(out, o->net[i].p.len);
	}
}

static void print_denyallow(const struct filter_only *o, struct strbuf *out)
{
	char text[NAME_TEXT];

	for (size_t i = 0; i < o->denyallows; i++) {
		print_bar(out, i, false);
		strbuf_puts(out, name_to_text(o->denyallow[i], text));
		strbuf_cut(out, strbuf_len(out) - 1); /* the final dot */
	}
}

void only_print(const struct filter_only *o, struct strbuf *out)
{
	size_t before = strbuf_len(out);

	if (o->denyallows > 0) {
		print_head(out, "denyallow", before);
		print_denyallow(o, out);
	}
	if (o->types.n > 0) {
		print_head(out, "dnstype", before);
		print_types(&o->types, out);
	}
	if (o->routes != 0) {
		print_head(out, "route", before);
		print_routes(o->routes, out);
	}
	if (o->asn.n > 0) {
		print_head(out, "asn", before);
		print_asn(&o->asn, out);
	}
	if (o->nets > 0) {
		print_head(out, "address", before);
		print_nets(o, out);
	}
}

/* --- keeping */

static bool copy_ranges(struct filter_ranges *s, struct arena *a)
{
	if (s->n == 0)
		return true;
	s->r = (struct filter_range *)arena_dup(a, s->r, s->n * sizeof *s->r);
	return s->r != NULL;
}

static bool copy_names(struct filter_only *o, const struct filter_only *from, struct arena *a)
{
	if (from->denyallows == 0)
		return true;
	o->denyallow = (struct name *)arena_alloc_array(a, from->denyallows, sizeof *o->denyallow);
	for (size_t i = 0; o->denyallow != NULL && i < from->denyallows; i++) {
		o->denyallow[i] = name_dup_in(a, from->denyallow[i]);
		if (o->denyallow[i].wire == NULL)
			return false;
	}
	return o->denyallow != NULL;
}

struct filter_only *only_copy(const struct filter_only *o, struct arena *a)
{
	struct filter_only *c = (struct filter_only *)arena_dup(a, o, sizeof *o);

	if (c == NULL || !copy_ranges(&c->types, a) || !copy_ranges(&c->asn, a) || !copy_names(c, o, a))
		return NULL;
	if (o->nets == 0)
		return c;
	c->net = (struct filter_net *)arena_dup(a, o->net, o->nets * sizeof *o->net);
	return c->net != NULL ? c : NULL;
}

/* --- holding */

bool only_is_empty(const struct filter_only *o)
{
	return o->denyallows == 0 && o->types.n == 0 && !only_asks_address(o);
}

bool only_asks_route(const struct filter_only *o)
{
	return o->routes != 0 || o->asn.n > 0;
}

bool only_asks_address(const struct filter_only *o)
{
	return only_asks_route(o) || o->nets > 0;
}

/* One of two values may do, and none of the two must be negated. */
static bool ranges_hold(const struct filter_ranges *s, uint32_t a, uint32_t b)
{
	bool asked = false, held = false;

	for (size_t i = 0; i < s->n; i++) {
		const struct filter_range *r = &s->r[i];
		bool in = (a >= r->first && a <= r->last) || (b >= r->first && b <= r->last);

		if (in && r->negated)
			return false;
		asked |= !r->negated;
		held |= in;
	}
	return held || !asked;
}

static bool nets_hold(const struct filter_only *o, const struct addr *a)
{
	bool asked = false, held = false;

	for (size_t i = 0; i < o->nets; i++) {
		bool in = prefix_covers(&o->net[i].p, a);

		if (in && o->net[i].negated)
			return false;
		asked |= !o->net[i].negated;
		held |= in;
	}
	return held || !asked;
}

static bool denied(const struct filter_only *o, struct name n)
{
	while (n.labels > 0) {
		if (bsearch(&n, o->denyallow, o->denyallows, sizeof *o->denyallow, by_name) != NULL)
			return true;
		n = name_parent(n);
	}
	return false;
}

bool only_holds_question(const struct filter_only *o, struct name n, uint16_t type, uint16_t as)
{
	return ranges_hold(&o->types, type, as) && (o->denyallows == 0 || !denied(o, n));
}

bool only_holds_address(const struct filter_only *o, const struct filter_address *a)
{
	if (o->routes != 0 && (a->state >= FILTER_ROUTES || (o->routes >> a->state & 1) == 0))
		return false;
	if (o->asn.n > 0 && (a->origin == 0 || !ranges_hold(&o->asn, a->origin, a->origin)))
		return false;
	return nets_hold(o, &a->addr);
}
