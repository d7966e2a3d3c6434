#include "rpki/validate/collect.h"

#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "rpki/object/roa.h"
#include "rpki/routes/table.h"
#include "rpki/validate/unsafe.h"
#include "rpki/validate/validate.h"

struct collector {
	struct validate_sink sink;
	struct table_builder *builder OWNED_FIELD;
	struct strbuf *refused BORROWED_FIELD;
	struct unsafe *unsafe BORROWED_FIELD;      /* NULL: nobody asks */
	const struct hash_key *key BORROWED_FIELD; /* NULL: points are not noted */
	struct point_fact *points OWNED_FIELD;
	size_t npoints, room;
	struct repository_fact *repositories OWNED_FIELD; /* their URIs are owned */
	uint32_t *order OWNED_FIELD;               /* of their URIs */
	size_t nrepositories, repositories_room;
	uint32_t last;                             /* that was counted */
	bool by_module;
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

static uint64_t folder_id(const struct hash_key *key, struct span folder)
{
	uint64_t id;

	while (folder.n > 0 && folder.p[folder.n - 1] == '/')
		folder.n--;
	id = siphash13(key, folder.p, folder.n);
	return id != 0 ? id : 1;
}

uint64_t point_id(const struct hash_key *key, struct span uri)
{
	while (uri.n > 0 && uri.p[uri.n - 1] != '/')
		uri.n--;
	return folder_id(key, uri);
}

/* The notification's URI, or the module: "rsync://HOST/MODULE/". */
static struct span uri_of(const struct collector *c, const struct told_point *p)
{
	size_t slashes = 0, n = 0;

	if (p->notify.n > 0 && !c->by_module)
		return p->notify;
	while (n < p->repository.n && slashes < 4)
		slashes += p->repository.p[n++] == '/';
	return span_of(p->repository.p, n);
}

static int compare(struct span a, const char *b)
{
	size_t n = strlen(b);
	int x = memcmp(a.p, b, a.n < n ? a.n : n);

	return x != 0 ? x : a.n < n ? -1 : a.n > n;
}

/* Where it is in the order, or belongs. */
static size_t place_of(const struct collector *c, struct span uri)
{
	size_t from = 0, to = c->nrepositories;

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (compare(uri, c->repositories[c->order[mid]].uri) > 0)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

static RESULT add_repository(struct collector *c, struct span uri, size_t at)
{
	AUTO_CHARS char *copy = mem_strndup((const char *)uri.p, uri.n);
	size_t room = c->repositories_room + c->repositories_room / 2 + 16;

	if (copy == NULL)
		return FAIL(ERR_NOMEM);
	if (c->nrepositories == c->repositories_room) {
		TRY(mem_resize((void **)(void *)&c->order, c->repositories_room, room, sizeof *c->order));
		TRY(mem_resize((void **)(void *)&c->repositories, c->repositories_room, room, sizeof *c->repositories));
		c->repositories_room = room;
	}
	memmove(&c->order[at + 1], &c->order[at], (c->nrepositories - at) * sizeof *c->order);
	c->order[at] = (uint32_t)c->nrepositories;
	c->repositories[c->nrepositories] = (struct repository_fact){ .uri = MOVE(copy) }; /* own-ok: R3 collector_free() has it */
	c->nrepositories++;
	return DONE;
}

static RESULT repository_of(struct collector *c, const struct told_point *p, uint32_t *ret)
{
	struct span uri = uri_of(c, p);
	size_t at;

	*ret = c->last;
	if (uri.n > 0 && c->last < c->nrepositories && compare(uri, c->repositories[c->last].uri) == 0)
		return DONE;
	*ret = NO_REPOSITORY;
	if (uri.n == 0)
		return DONE;
	at = place_of(c, uri);
	if (at == c->nrepositories || compare(uri, c->repositories[c->order[at]].uri) != 0) {
		if (c->nrepositories >= COLLECTOR_REPOSITORIES)
			return DONE;
		TRY(add_repository(c, uri, at));
	}
	*ret = c->last = c->order[at];
	return DONE;
}

static void count(struct repository_fact *r, const struct told_point *p)
{
	r->points++;
	r->points_failed += p->failed;
	r->points_kept += p->kept;
	for (size_t i = 0; i < COUNTED; i++) {
		r->valid[i] += p->valid[i];
		r->invalid[i] += p->invalid[i];
	}
	for (size_t i = 0; i < WANTINGS; i++)
		r->wanting[i] += p->wanting[i];
}

static RESULT point(struct validate_sink *s, const struct told_point *p)
{
	struct collector *c = collector_of(s);
	uint32_t repository;

	TRY(repository_of(c, p, &repository));
	if (repository != NO_REPOSITORY)
		count(&c->repositories[repository], p);
	if (c->key == NULL)
		return DONE;
	if (c->npoints == c->room) {
		size_t room = c->room + c->room / 2 + 64;

		TRY(mem_resize((void **)(void *)&c->points, c->room, room, sizeof *c->points));
		c->room = room;
	}
	c->points[c->npoints++] = (struct point_fact){ folder_id(c->key, p->repository), p->cert.n > 0 ? point_id(c->key, p->cert) : 0, repository, p->failed };
	return DONE;
}

static RESULT unsafe(struct validate_sink *s, const struct resources *r)
{
	struct collector *c = collector_of(s);

	return c->unsafe != NULL ? unsafe_add(c->unsafe, r) : DONE;
}

void collector_note_unsafe(struct collector *c, struct unsafe *x)
{
	c->unsafe = x;
}

void collector_note_points(struct collector *c, const struct hash_key *key)
{
	c->key = key;
}

void collector_by_module(struct collector *c)
{
	c->by_module = true;
}

const struct repository_fact *collector_repositories(const struct collector *c, size_t *ret_n)
{
	*ret_n = c->nrepositories;
	return c->repositories;
}

const struct point_fact *collector_points(const struct collector *c, size_t *ret_n)
{
	*ret_n = c->npoints;
	return c->points;
}

static const struct validate_sink_ops ops = { add_roa, add_aspa, add_router_key, refused, point, unsafe };

void collector_free(struct collector *c)
{
	if (c == NULL)
		return;
	table_builder_free(MOVE(c->builder));
	mem_free(MOVE(c->points));
	for (size_t i = 0; i < c->nrepositories; i++)
		mem_free((char *)(uintptr_t)c->repositories[i].uri); /* own-ok: R4 add_repository() has made it */
	mem_free(MOVE(c->repositories));
	mem_free(MOVE(c->order));
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
