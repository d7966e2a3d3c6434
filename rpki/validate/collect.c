#include "rpki/validate/collect.h"

#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "rpki/object/roa.h"
#include "rpki/routes/table.h"
#include "rpki/validate/validate.h"

struct collector {
	struct validate_sink sink;
	struct table_builder *builder OWNED_FIELD;
	struct strbuf *refused BORROWED_FIELD;
};

static struct collector *collector_of(struct validate_sink *s) BORROWED;
static struct collector *collector_of(struct validate_sink *s)
{
	return (struct collector *)(void *)s;
}

static RESULT source_of(struct collector *c, const struct origin *o, enum source_kind kind, uint32_t *ret)
{
	AUTO_CHARS char *uri = mem_strndup((const char *)o->uri.p, o->uri.n);
	struct payload_source s = { .kind = kind, .tal = o->tal, .uri = uri, .not_before = o->not_before, .not_after = o->not_after,
		.chain_not_before = o->chain_not_before, .chain_not_after = o->chain_not_after, .stale = o->stale };

	if (uri == NULL)
		return FAIL(ERR_NOMEM);
	return table_builder_add_source(c->builder, &s, ret);
}

static struct vrp vrp_of(uint32_t as, const struct roa_prefix *p)
{
	struct vrp v = { .asn = as, .family = p->p.family == 4 ? ADDR_V4 : ADDR_V6, .len = p->p.len, .maxlen = p->max_len };
	unsigned int octets = p->p.family == 4 ? 4 : 16;

	for (unsigned int i = 0; i < octets; i++)
		v.addr[i] = (uint8_t)(p->p.lo >> (8 * (octets - 1 - i)));
	return v;
}

static RESULT add_roa(struct validate_sink *s, const struct origin *o, const struct roa *roa)
{
	struct collector *c = collector_of(s);
	struct roa_walk w = roa_begin(roa);
	struct roa_prefix p;
	uint32_t source;

	TRY(source_of(c, o, SOURCE_ROA, &source));
	while (roa_next(&w, &p)) {
		struct vrp v = vrp_of(roa->as, &p);

		TRY(table_builder_add_vrp(c->builder, &v, source));
	}
	return DONE;
}

static RESULT add_aspa(struct validate_sink *s, const struct origin *o, uint32_t customer, const uint32_t *providers, size_t n)
{
	struct collector *c = collector_of(s);
	uint32_t source;

	TRY(source_of(c, o, SOURCE_ASPA, &source));
	return table_builder_add_aspa(c->builder, customer, providers, n, source);
}

static RESULT add_router_key(struct validate_sink *s, const struct origin *o, uint32_t as, struct span ski, struct span spki)
{
	struct collector *c = collector_of(s);
	struct router_key k = { .asn = as, .spki = spki };
	uint32_t source;

	if (ski.n != sizeof k.ski)
		return DONE; /* the profile's rules have seen to it */
	memcpy(k.ski, ski.p, sizeof k.ski);
	TRY(source_of(c, o, SOURCE_CER, &source));
	return table_builder_add_key(c->builder, &k, source);
}

static void refused(struct validate_sink *s, const char *tal, struct span uri, const char *why)
{
	struct collector *c = collector_of(s);

	if (c->refused == NULL || !strbuf_ok(c->refused))
		return;
	strbuf_printf(c->refused, "%s: ", tal);
	strbuf_add_span(c->refused, uri);
	strbuf_printf(c->refused, ": %s\n", why);
}

static const struct validate_sink_ops ops = { add_roa, add_aspa, add_router_key, refused };

void collector_free(struct collector *c)
{
	if (c == NULL)
		return;
	table_builder_free(MOVE(c->builder));
	mem_free(c);
}

struct collector *collector_new(struct strbuf *lines)
{
	AUTO(collector_free) struct collector *c = mem_alloc(sizeof *c);

	if (c == NULL)
		return NULL;
	c->sink.ops = &ops;
	c->refused = lines;
	c->builder = table_builder_new(NULL);
	return c->builder != NULL ? MOVE(c) : NULL;
}

struct validate_sink *collector_sink(struct collector *c)
{
	return &c->sink;
}

RESULT collector_finish(struct collector *c, uint64_t generation, struct payload_table **ret)
{
	TRY(table_builder_finish(MOVE(c->builder), generation, ret));
	c->builder = table_builder_new(NULL);
	return c->builder != NULL ? DONE : FAIL(ERR_NOMEM);
}
