#include "rpki/commands/verdict.h"

#include "rpki/serve/output_inside.h"

/* Why a VRP that covers a route does not match it. */
enum match { MATCH, OTHER_AS, TOO_LONG, MATCHES };

static enum match match_of(const struct vrp *v, const struct judged_route *r)
{
	if (r->prefix.len > v->maxlen)
		return TOO_LONG;
	return v->asn == r->origin && v->asn != 0 ? MATCH : OTHER_AS;
}

/* How many of each cover a route. */
struct counted {
	const struct judged_route *route BORROWED_FIELD;
	size_t n[MATCHES];
};

static bool count_vrp(void *ctx, const struct vrp *v)
{
	struct counted *c = ctx;

	c->n[match_of(v, c->route)]++;
	return true;
}

/* The sentences are those of the RIPE NCC's validator: programs compare them. */
static const char *description(const struct counted *c) BORROWED;
static const char *description(const struct counted *c)
{
	if (c->n[MATCH] > 0)
		return "At least one VRP Matches the Route Prefix";
	if (c->n[OTHER_AS] > 0)
		return "At least one VRP Covers the Route Prefix, but no VRP ASN matches the route origin ASN";
	if (c->n[TOO_LONG] > 0)
		return "At least one VRP Covers the Route Prefix, but the Route Prefix length is greater than the maximum length allowed by VRP(s) matching this route "
		       "origin ASN";
	return "No VRP Covers the Route Prefix";
}

static void put_prefix(struct strbuf *out, const struct prefix *p)
{
	char room[ADDR_TEXT];

	strbuf_printf(out, "%s/%u", addr_text(&p->a, room), p->len);
}

struct listing {
	const struct judged_route *route BORROWED_FIELD;
	const struct payload_table *table BORROWED_FIELD;
	struct strbuf *out BORROWED_FIELD;
	const char *indent BORROWED_FIELD;
	enum match want;
	bool first;
};

static bool list_vrp(void *ctx, const struct vrp *v)
{
	struct listing *l = ctx;

	if (match_of(v, l->route) != l->want)
		return true;
	strbuf_printf(l->out, "%s\n%s        {\n%s          \"asn\": \"AS%u\",\n%s          \"prefix\": \"", l->first ? "" : ",", l->indent, l->indent, v->asn, l->indent);
	output_prefix(l->out, v);
	strbuf_printf(l->out, "\",\n%s          \"max_length\": \"%u\"\n%s        }", l->indent, v->maxlen, l->indent);
	l->first = false;
	return true;
}

void verdict_json(const struct validity_index *x, const struct judged_route *r, const char *indent, struct strbuf *out)
{
	static const char *const names[MATCHES] = { "matched", "unmatched_as", "unmatched_length" };
	struct counted c = { .route = r };
	bool invalid;

	validity_covering(x, &r->prefix, count_vrp, &c);
	invalid = c.n[MATCH] == 0 && c.n[OTHER_AS] + c.n[TOO_LONG] > 0;
	strbuf_printf(out, "{\n%s  \"route\": {\n%s    \"origin_asn\": \"AS%u\",\n%s    \"prefix\": \"", indent, indent, r->origin, indent);
	put_prefix(out, &r->prefix);
	strbuf_printf(out, "\"\n%s  },\n%s  \"validity\": {\n%s    \"state\": \"%s\",\n", indent, indent, indent,
		c.n[MATCH] > 0 ? "valid" : invalid ? "invalid" : "not-found");
	if (invalid)
		strbuf_printf(out, "%s    \"reason\": \"%s\",\n", indent, c.n[OTHER_AS] > 0 ? "as" : "length");
	strbuf_printf(out, "%s    \"description\": \"%s\",\n%s    \"VRPs\": {\n", indent, description(&c), indent);
	for (unsigned int m = 0; m < MATCHES; m++) {
		struct listing l = { .route = r, .table = validity_table(x), .out = out, .indent = indent, .want = m, .first = true };

		strbuf_printf(out, "%s      \"%s\": [", indent, names[m]);
		validity_covering(x, &r->prefix, list_vrp, &l);
		strbuf_printf(out, "\n%s      ]%s\n", indent, m + 1 < MATCHES ? "," : "");
	}
	strbuf_printf(out, "%s    }\n%s  }\n%s}", indent, indent, indent);
}

static bool tell_vrp(void *ctx, const struct vrp *v)
{
	static const char *const words[MATCHES] = { "matches", "is of another AS", "is for shorter prefixes" };
	struct listing *l = ctx;
	size_t i = table_find_vrp(l->table, v);

	strbuf_puts(l->out, "  ");
	output_prefix(l->out, v);
	strbuf_printf(l->out, "-%u AS%u %s", v->maxlen, v->asn, words[match_of(v, l->route)]);
	for (size_t w = 0; w < table_sources(l->table, PAYLOAD_VRP, i); w++) {
		struct payload_source s = table_source(l->table, PAYLOAD_VRP, i, w);

		strbuf_printf(l->out, "%s%s%s%s", w == 0 ? ": " : ", ", s.kind == SOURCE_EXCEPTION ? "exception" : s.tal, s.uri != NULL ? " " : "",
			s.uri != NULL ? s.uri : "");
		if (s.comment != NULL)
			strbuf_printf(l->out, " (%s)", s.comment);
	}
	strbuf_putc(l->out, '\n');
	return true;
}

void verdict_text(const struct validity_index *x, const struct judged_route *r, bool evidence, struct strbuf *out)
{
	struct listing l = { .route = r, .table = validity_table(x), .out = out };
	enum route_state s = validity_of(x, &r->prefix, r->origin);

	put_prefix(out, &r->prefix);
	strbuf_printf(out, " AS%u: %s%s\n", r->origin, route_state_text(s),
		s == ROUTE_INVALID_ORIGIN ? " (origin)" : s == ROUTE_INVALID_LENGTH ? " (length)" : "");
	if (evidence)
		validity_covering(x, &r->prefix, tell_vrp, &l);
}
