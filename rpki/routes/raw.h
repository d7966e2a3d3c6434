/*
 * raw.h: payloads in the order they came, each with a tag of the collector's own, and their sorting. What table_builder and changes collect in; only
 * rpki/routes sees it.
 *
 * Prefixes lie as octets that compare like canonical order: address, maxLength, length, AS number. They are sorted by a radix sort on these octets (half a million
 * in about ten milliseconds), which skips octets that are all the same and keeps the order of equals.
 */
#ifndef RPKI_ROUTES_RAW_H
#define RPKI_ROUTES_RAW_H

#include "base/mem.h"
#include "rpki/routes/payload.h"

#define RAW4_KEY 10
#define RAW6_KEY 22

struct raw4 {
	uint8_t key[RAW4_KEY];
	uint8_t pad[2];
	uint32_t tag;
};
struct raw6 {
	uint8_t key[RAW6_KEY];
	uint8_t pad[2];
	uint32_t tag;
};
struct raw_key {
	uint8_t ski[PAYLOAD_SKI];
	uint32_t asn;
	size_t at; /* of the SPKI in octets */
	uint32_t n;
	uint32_t tag, order;
};
struct raw_aspa {
	uint32_t customer;
	size_t at; /* of the first provider */
	uint32_t n;
	uint32_t tag, order;
};

struct raw {
	struct raw4 *v4 OWNED_FIELD;
	struct raw6 *v6 OWNED_FIELD;
	struct raw_key *keys OWNED_FIELD;
	struct raw_aspa *aspas OWNED_FIELD;
	uint8_t *octets OWNED_FIELD;     /* of all SPKIs */
	uint32_t *providers OWNED_FIELD; /* of all ASPAs, as they came */
	size_t n4, n6, nkeys, naspas, noctets, nproviders;
	size_t room4, room6, room_keys, room_aspas, room_octets, room_providers;
};

void raw_done(struct raw *r) NONNULL;
RESULT raw_add_vrp(struct raw *r, const struct vrp *v, uint32_t tag) NONNULL;
RESULT raw_add_key(struct raw *r, const struct router_key *k, uint32_t tag) NONNULL;
RESULT raw_add_aspa(struct raw *r, const struct aspa_payload *a, uint32_t tag) NONNULL;
/* Sorts all four; equals stay in the order in which they came. ERR_NOMEM: some may be sorted, none is lost. */
RESULT raw_sort(struct raw *r) NONNULL;

/* Of sorted ones: each VRP stands there once, with this tag. */
bool raw_vrps_are(const struct raw *r, uint32_t tag) NONNULL;
/* All VRPs of `from` once more, with a tag of their own. ERR_NOMEM, ERR_LIMIT: none. */
RESULT raw_add_vrps(struct raw *to, const struct raw *from, uint32_t tag) NONNULL;

struct vrp raw4_vrp(const struct raw4 *x) NONNULL;
struct vrp raw6_vrp(const struct raw6 *x) NONNULL;
static inline struct router_key raw_key_value(const struct raw *r, const struct raw_key *k)
{
	struct router_key v = { .asn = k->asn, .spki = span_of(r->octets + k->at, k->n) };

	memcpy(v.ski, k->ski, sizeof v.ski);
	return v;
}
static inline struct aspa_payload raw_aspa_value(const struct raw *r, const struct raw_aspa *a)
{
	return (struct aspa_payload){ .customer = a->customer, .providers = a->n != 0 ? r->providers + a->at : NULL, .n = a->n };
}

/* Makes room for `more` further elements. ERR_NOMEM; ERR_LIMIT: more than UINT32_MAX of them. */
RESULT raw_grow(void **p, size_t n, size_t more, size_t *room, size_t size) NONNULL;

#endif
