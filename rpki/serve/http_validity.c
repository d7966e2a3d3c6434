/* The validity of routes (RFC 6811) with its evidence, in the form that the RIPE NCC's validator gave it and Routinator gives it. */
#include "rpki/serve/http_inside.h"

#include <stdio.h>

#include "rpki/serve/json.h"

#define JSON_MEMORY ((size_t)32 << 20)

/* "ADDRESS/LENGTH". Bits behind the length are taken for what they are: the announcement's prefix is asked for, and people type addresses. */
static bool read_prefix(const char *text, struct prefix *ret)
{
	const char *slash = strchr(text, '/');
	AUTO_CHARS char *address = slash != NULL ? mem_strndup(text, (size_t)(slash - text)) : NULL;
	uint64_t len;
	size_t octets;

	if (address == NULL || !OK(addr_parse(address, &ret->a)) || !http_read_number(span_text(slash + 1), &len))
		return false;
	octets = ret->a.family == ADDR_V4 ? 4 : 16;
	if (len > octets * 8)
		return false;
	ret->len = (uint8_t)len;
	for (size_t i = 0; i < octets; i++)
		if (i * 8 + 8 > len)
			ret->a.b[i] &= i * 8 >= len ? 0 : (uint8_t)(0xff << (8 - len % 8));
	return true;
}

RESULT route_read(const char *asn, const char *prefix, struct route *ret)
{
	struct route r = { .asn = 0 };

	if (!asn_read(asn, &r.asn) || !read_prefix(prefix, &r.prefix))
		return FAIL(ERR_FORMAT);
	*ret = r;
	return DONE;
}

static RESULT read_member(const struct json *j, struct route *ret)
{
	const struct json *asn = json_member(j, "asn"), *prefix = json_member(j, "prefix");
	char number[24];

	if (asn == NULL || prefix == NULL || prefix->type != JSON_STRING)
		return FAIL(ERR_FORMAT);
	if (asn->type == JSON_STRING)
		return route_read(asn->text, prefix->text, ret);
	if (asn->type != JSON_INTEGER || asn->number < 0)
		return FAIL(ERR_FORMAT);
	(void)snprintf(number, sizeof number, "%lld", (long long)asn->number);
	return route_read(number, prefix->text, ret);
}

RESULT routes_read(struct span json, struct route **ret_routes, size_t *ret_n)
{
	AUTO(arena_free) struct arena *a = arena_new(JSON_MEMORY);
	AUTO(mem_free) void *list = NULL;
	const struct json *top, *routes;
	struct json_error wrong;
	size_t n = 0;

	if (a == NULL)
		return FAIL(ERR_NOMEM);
	TRY(json_read(json, a, &top, &wrong));
	routes = top->type == JSON_OBJECT ? json_member(top, "routes") : NULL;
	if (routes == NULL || routes->type != JSON_ARRAY)
		return FAIL(ERR_FORMAT);
	list = mem_alloc_array(routes->n, sizeof(struct route));
	if (list == NULL)
		return FAIL(ERR_NOMEM);
	for (const struct json *j = routes->child; j != NULL; j = j->next) {
		if (j->type != JSON_OBJECT)
			return FAIL(ERR_FORMAT);
		TRY(read_member(j, (struct route *)list + n));
		n++;
	}
	*ret_routes = (struct route *)MOVE(list);
	*ret_n = n;
	return DONE;
}

/* -------------------------------------------------------------------------------------------------------------- the answer */

enum evidence { MATCHED, UNMATCHED_AS, UNMATCHED_LENGTH, EVIDENCES };

struct showing {
	const struct route *route BORROWED_FIELD;
	struct strbuf *out BORROWED_FIELD;
	enum evidence wanted;
	const char *indent BORROWED_FIELD;
	size_t n[EVIDENCES];
	bool counts; /* only */
};

static enum evidence evidence_of(const struct route *r, const struct vrp *v)
{
	if (r->prefix.len > v->maxlen)
		return UNMATCHED_LENGTH;
	return v->asn == r->asn && r->asn != 0 ? MATCHED : UNMATCHED_AS;
}

static bool show_vrp(void *ctx, const struct vrp *v)
{
	struct showing *s = (struct showing *)ctx;
	enum evidence e = evidence_of(s->route, v);
	struct prefix p = vrp_prefix(v);
	char text[ADDR_TEXT];

	if (!s->counts && e == s->wanted) {
		strbuf_printf(s->out, "%s\n%s          {\n%s            \"asn\": \"AS%u\",\n", s->n[e] > 0 ? "," : "", s->indent, s->indent, v->asn);
		strbuf_printf(s->out, "%s            \"prefix\": \"%s/%u\",\n%s            \"max_length\": \"%u\"\n", s->indent, addr_text(&p.a, text), v->len, s->indent,
			v->maxlen);
		strbuf_printf(s->out, "%s          }", s->indent);
	}
	s->n[e]++;
	return strbuf_ok(s->out);
}

/* The sentences are those of the RIPE NCC's validator: programs compare them. */
static const char *description(const size_t n[EVIDENCES])
{
	if (n[MATCHED] > 0)
		return "At least one VRP Matches the Route Prefix";
	if (n[UNMATCHED_AS] > 0)
		return "At least one VRP Covers the Route Prefix, but no VRP ASN matches the route origin ASN";
	if (n[UNMATCHED_LENGTH] > 0)
		return "At least one VRP Covers the Route Prefix, but the Route Prefix length is greater than the maximum length allowed by VRP(s) matching this route "
		       "origin ASN";
	return "No VRP Covers the Route Prefix";
}

static void show_route(const struct validity_index *x, const struct route *r, const char *indent, struct strbuf *out)
{
	static const char *const lists[EVIDENCES] = { "matched", "unmatched_as", "unmatched_length" };
	struct showing count = { .route = r, .out = out, .counts = true };
	char text[ADDR_TEXT];

	validity_covering(x, &r->prefix, show_vrp, &count);
	strbuf_printf(out, "%s    \"route\": {\n%s      \"origin_asn\": \"AS%u\",\n%s      \"prefix\": \"%s/%u\"\n%s    },\n", indent, indent, r->asn, indent,
		addr_text(&r->prefix.a, text), r->prefix.len, indent);
	strbuf_printf(out, "%s    \"validity\": {\n%s      \"state\": \"%s\",\n", indent, indent,
		count.n[MATCHED] > 0 ? "valid" : count.n[UNMATCHED_AS] + count.n[UNMATCHED_LENGTH] > 0 ? "invalid" : "not-found");
	if (count.n[MATCHED] == 0 && count.n[UNMATCHED_AS] + count.n[UNMATCHED_LENGTH] > 0)
		strbuf_printf(out, "%s      \"reason\": \"%s\",\n", indent, count.n[UNMATCHED_AS] > 0 ? "as" : "length");
	strbuf_printf(out, "%s      \"description\": \"%s\",\n%s      \"VRPs\": {\n", indent, description(count.n), indent);
	for (unsigned int e = 0; e < EVIDENCES; e++) {
		struct showing s = { .route = r, .out = out, .wanted = (enum evidence)e, .indent = indent };

		strbuf_printf(out, "%s        \"%s\": [", indent, lists[e]);
		validity_covering(x, &r->prefix, show_vrp, &s);
		strbuf_printf(out, "\n%s        ]%s\n", indent, e + 1 < EVIDENCES ? "," : "");
	}
	strbuf_printf(out, "%s      }\n%s    }\n", indent, indent);
}

static void show_end(struct strbuf *out, int64_t generated)
{
	strbuf_puts(out, ",\n  \"generatedTime\": \"");
	iso_time(out, generated);
	strbuf_puts(out, "\"\n}\n");
}

void validity_show(const struct validity_index *x, const struct route *r, int64_t generated, struct strbuf *out)
{
	strbuf_puts(out, "{\n  \"validated_route\": {\n");
	show_route(x, r, "", out);
	strbuf_puts(out, "  }");
	show_end(out, generated);
}

void validity_show_all(const struct validity_index *x, const struct route *r, size_t n, int64_t generated, struct strbuf *out)
{
	strbuf_puts(out, "{\n  \"validated_routes\": [");
	for (size_t i = 0; i < n && strbuf_ok(out); i++) {
		strbuf_puts(out, i > 0 ? ",\n    {\n" : "\n    {\n");
		show_route(x, &r[i], "  ", out);
		strbuf_puts(out, "    }");
	}
	strbuf_puts(out, "\n  ]");
	show_end(out, generated);
}
