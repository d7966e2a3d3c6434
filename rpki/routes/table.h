/*
 * table.h: a set of payloads, immutable once built, shared by reference count between threads. Sorted in canonical order, each payload once; 12 octets for an
 * IPv4 VRP and 24 for an IPv6 one. Optionally each payload knows its sources: the objects or local exceptions that it comes from.
 *
 *   collect   table_builder_new, table_builder_add_*, in any order, duplicates welcome
 *   publish   table_builder_finish: sorts, merges duplicates, unites the ASPAs of one customer
 *   read      table_vrp(t, i) and the like; no function changes a table
 */
#ifndef RPKI_ROUTES_TABLE_H
#define RPKI_ROUTES_TABLE_H

#include "base/mem.h"
#include "rpki/routes/payload.h"

struct payload_table;
struct table_builder;

void table_unref(struct payload_table *t) TAKES(1); /* any thread; the last one frees */
struct payload_table *table_ref(const struct payload_table *t) OWNED_BY(table_unref) NONNULL __attribute__((returns_nonnull));
DEFINE_AUTO(struct payload_table, table_unref)

/* Where a payload comes from. All text is copied. */
enum source_kind { SOURCE_ROA, SOURCE_CER, SOURCE_ASPA, SOURCE_EXCEPTION };
struct payload_source {
	enum source_kind kind;
	const char *tal BORROWED_FIELD;     /* name of the trust anchor, "" for an exception */
	const char *uri BORROWED_FIELD;     /* of the object, or the path of the exceptions' file; NULL: unknown */
	const char *comment BORROWED_FIELD; /* of an exception; NULL: none */
	/* Seconds since 1970; of an exception 0. */
	int64_t not_before, not_after;             /* of the object's own certificate */
	int64_t chain_not_before, chain_not_after; /* of all certificates up to the trust anchor together */
	int64_t stale;                             /* when the first manifest or CRL on the way ends */
};

#define SOURCE_NONE UINT32_MAX /* of payloads whose source nobody asks for */

struct table_limits {
	uint32_t vrps, keys, aspas; /* 0: no limit but UINT32_MAX */
	uint32_t providers;         /* of one customer; 0: PAYLOAD_PROVIDERS_MAX, and never more */
};

void table_builder_free(struct table_builder *b) TAKES(1);
struct table_builder *table_builder_new(const struct table_limits *limits) OWNED_BY(table_builder_free); /* limits may be NULL */
DEFINE_AUTO(struct table_builder, table_builder_free)
RESULT table_builder_add_source(struct table_builder *b, const struct payload_source *s, uint32_t *ret_id) NONNULL;
/* source: an id from above or SOURCE_NONE. ERR_RANGE: the payload is not sound; ERR_LIMIT; ERR_NOMEM. On failure nothing was added. */
RESULT table_builder_add_vrp(struct table_builder *b, const struct vrp *v, uint32_t source) NONNULL;
struct raw;
RESULT table_builder_add_raw_vrps(struct table_builder *b, const struct raw *r) NONNULL; /* sound ones (raw.h), without sources, past the limits. ERR_NOMEM, ERR_LIMIT */
RESULT table_builder_add_key(struct table_builder *b, const struct router_key *k, uint32_t source) NONNULL;
/* providers in any order, with duplicates; at least one. AS0 goes away when the customer has other providers. */
RESULT table_builder_add_aspa(struct table_builder *b, uint32_t customer, const uint32_t *providers, size_t n, uint32_t source)
    __attribute__((nonnull(1)));
/* All payloads of t, with their sources. */
RESULT table_builder_add_table(struct table_builder *b, const struct payload_table *t) NONNULL;
/* Those of t that leave_out does not want left out; ret_left counts the others by kind. */
typedef bool table_filter_fn(void *ctx, const struct payload_table *t, enum payload_kind k, size_t i);
RESULT table_builder_add_unless(struct table_builder *b, const struct payload_table *t, table_filter_fn *leave_out, void *ctx,
    size_t ret_left[PAYLOAD_KINDS]) __attribute__((nonnull(1, 2)));
/* The payloads of plus that minus does not have, without sources. An ASPA with other providers is another payload. */
RESULT table_builder_add_difference(struct table_builder *b, const struct payload_table *plus, const struct payload_table *minus) NONNULL;
/* generation: a number of the caller's that identifies this table. A customer with more providers than allowed is left out whole and
 * counted: cut short, its ASPA would make good routes invalid. */
RESULT table_builder_finish(struct table_builder *b, uint64_t generation, struct payload_table **ret_table) TAKES(1) NONNULL;

uint64_t table_generation(const struct payload_table *t) NONNULL;
size_t table_count(const struct payload_table *t, enum payload_kind k) NONNULL;
size_t table_vrps4(const struct payload_table *t) NONNULL; /* VRPs 0 to table_vrps4() - 1 are IPv4, the rest IPv6 */
size_t table_octets(const struct payload_table *t) NONNULL; /* of memory */
size_t table_customers_withheld(const struct payload_table *t) NONNULL;
struct vrp table_vrp(const struct payload_table *t, size_t i) NONNULL;
struct router_key table_key(const struct payload_table *t, size_t i) NONNULL; /* its spki lasts as long as t */
struct aspa_payload table_aspa(const struct payload_table *t, size_t i) NONNULL;      /* likewise its providers */
/* The first VRP that is not before v in canonical order; table_count() when there is none. */
size_t table_find_vrp(const struct payload_table *t, const struct vrp *v) NONNULL;
bool table_has_vrp(const struct payload_table *t, const struct vrp *v) NONNULL;
bool aspa_equal(const struct aspa_payload *a, const struct aspa_payload *b) NONNULL;
/* Does t have payload i of another table? Both are in order: for i that grows *at goes along, from 0. Of an ASPA the customer counts alone, whoever its providers are. */
bool table_has_next(const struct payload_table *t, const struct payload_table *of, enum payload_kind k, size_t i, size_t *at) NONNULL;
/* Both have the same payloads; sources do not count. */
bool table_equal(const struct payload_table *a, const struct payload_table *b) NONNULL;

/* Sources of payload i in the order they were added, each once; none when it was built with SOURCE_NONE. */
size_t table_sources(const struct payload_table *t, enum payload_kind k, size_t i) NONNULL;
struct payload_source table_source(const struct payload_table *t, enum payload_kind k, size_t i, size_t which) NONNULL;

#endif
