/* Differences as Routinator's json-delta says them: what comes and what goes, one object each. */
#include "rpki/serve/http_inside.h"

#include "base/base64.h"
#include "rpki/serve/output_inside.h"

enum stage { DELTA_HEAD, DELTA_ANNOUNCED, DELTA_BETWEEN, DELTA_WITHDRAWN, DELTA_END, DELTA_OVER };

struct delta_source {
	struct http_source source;
	struct shown *shown OWNED_FIELD;
	struct payload_delta *delta OWNED_FIELD; /* NULL: all is announced */
	uint32_t from;
	enum stage stage;
	enum payload_kind kind;
	size_t i;
	bool first;
};

static void delta_source_free(struct delta_source *s) TAKES(1);
static void delta_source_free(struct delta_source *s)
{
	if (s == NULL)
		return;
	delta_free(MOVE(s->delta));
	shown_unref(MOVE(s->shown));
	mem_free(s);
}
DEFINE_AUTO(struct delta_source, delta_source_free)

static void free_source(struct http_source *s) TAKES(1);
static void free_source(struct http_source *s)
{
	AUTO(delta_source_free) struct delta_source *d = (struct delta_source *)(void *)s;

	(void)d;
}

static void say_head(const struct delta_source *s, struct strbuf *out)
{
	strbuf_printf(out, "{\n  \"reset\": %s,\n  \"session\": \"%llu\",\n  \"serial\": %u,\n", s->delta == NULL ? "true" : "false",
		(unsigned long long)s->shown->session, s->shown->serial);
	if (s->delta != NULL)
		strbuf_printf(out, "  \"fromSerial\": %u,\n", s->from);
	strbuf_printf(out, "  \"generated\": %lld,\n  \"generatedTime\": \"", (long long)s->shown->info.generated_sec);
	iso_time(out, s->shown->info.generated_sec);
	strbuf_puts(out, "\",\n  \"announced\": [");
}

static void say_vrp(const struct payload_table *t, size_t i, struct strbuf *out)
{
	struct vrp v = table_vrp(t, i);

	strbuf_printf(out, "\n    {\n      \"type\": \"routeOrigin\",\n      \"asn\": \"AS%u\",\n      \"prefix\": \"", v.asn);
	output_prefix(out, &v);
	strbuf_printf(out, "\",\n      \"maxLength\": %u\n    }", v.maxlen);
}

static void say_key(const struct payload_table *t, size_t i, struct strbuf *out)
{
	struct router_key k = table_key(t, i);

	strbuf_puts(out, "\n    {\n      \"type\": \"routerKey\",\n      \"keyIdentifier\": \"");
	output_hex(out, k.ski, sizeof k.ski);
	strbuf_printf(out, "\",\n      \"asn\": \"AS%u\",\n      \"keyInfo\": \"", k.asn);
	base64_print(out, k.spki, 0);
	strbuf_puts(out, "\"\n    }");
}

static void say_aspa(const struct payload_table *t, size_t i, struct strbuf *out)
{
	struct aspa_payload a = table_aspa(t, i);

	strbuf_printf(out, "\n    {\n      \"type\": \"aspa\",\n      \"customerAsn\": \"AS%u\",\n      \"providerAsns\": [", a.customer);
	for (size_t p = 0; p < a.n; p++)
		strbuf_printf(out, "%s\"AS%u\"", p > 0 ? ", " : "", a.providers[p]);
	strbuf_puts(out, "]\n    }");
}

/* The next item of t, if there is one. An ASPA that comes back with other providers does not go. */
static bool say_next(struct delta_source *s, const struct payload_table *t, struct strbuf *out)
{
	for (; s->kind < PAYLOAD_KINDS; s->kind++, s->i = 0) {
		while (s->i < table_count(t, s->kind)) {
			size_t i = s->i++;

			if (s->kind == PAYLOAD_ASPA && s->stage == DELTA_WITHDRAWN && delta_replaces(s->delta, i))
				continue;
			strbuf_puts(out, s->first ? "" : ",");
			s->first = false;
			if (s->kind == PAYLOAD_VRP)
				say_vrp(t, i, out);
			else if (s->kind == PAYLOAD_KEY)
				say_key(t, i, out);
			else
				say_aspa(t, i, out);
			return true;
		}
	}
	return false;
}

static void begin_list(struct delta_source *s)
{
	s->kind = PAYLOAD_VRP;
	s->i = 0;
	s->first = true;
	s->stage++;
}

static void step(struct delta_source *s, struct strbuf *out)
{
	switch (s->stage) {
	case DELTA_HEAD:
		say_head(s, out);
		begin_list(s);
		break;
	case DELTA_ANNOUNCED:
		if (!say_next(s, s->delta != NULL ? delta_announced(s->delta) : s->shown->table, out))
			s->stage++;
		break;
	case DELTA_BETWEEN:
		strbuf_puts(out, "\n  ],\n  \"withdrawn\": [");
		begin_list(s);
		break;
	case DELTA_WITHDRAWN:
		if (s->delta == NULL || !say_next(s, delta_withdrawn(s->delta), out))
			s->stage++;
		break;
	case DELTA_END:
		strbuf_puts(out, "\n  ]\n}\n");
		s->stage++;
		break;
	case DELTA_OVER:
		break;
	}
}

static bool delta_more(struct http_source *source, struct strbuf *out, size_t want)
{
	struct delta_source *s = (struct delta_source *)(void *)source;

	while (s->stage != DELTA_OVER && strbuf_len(out) < want && strbuf_ok(out))
		step(s, out);
	return s->stage != DELTA_OVER;
}

RESULT delta_page(const struct shown *d, struct payload_delta *delta, uint32_t serial, bool gzip, struct http_page **ret_page)
{
	AUTO(delta_free) struct payload_delta *own = delta;
	AUTO(mem_free) void *memory = mem_alloc(sizeof(struct delta_source));
	AUTO(http_source_free) struct http_source *source = NULL;
	struct delta_source *x = memory;

	if (x == NULL)
		return FAIL(ERR_NOMEM);
	x->source = (struct http_source){ delta_more, free_source };
	source = MOVE(memory);
	x->shown = shown_ref(d);
	x->delta = MOVE(own);
	x->from = serial;
	*ret_page = http_page_new(MOVE(source), gzip);
	return *ret_page != NULL ? DONE : FAIL(ERR_NOMEM);
}
