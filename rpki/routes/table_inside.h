/*
 * table_inside.h: how a table lies in memory, and so in an image (table_image.h): arrays of values without pointers. Only table.c and table_image.c see it.
 */
#ifndef RPKI_ROUTES_TABLE_INSIDE_H
#define RPKI_ROUTES_TABLE_INSIDE_H

#include <stdatomic.h>

#include "rpki/routes/table.h"

struct slot4 {
	uint32_t addr; /* host order */
	uint32_t asn;
	uint8_t maxlen, len;
	uint8_t pad[2];
};

struct slot6 {
	uint8_t addr[16];
	uint32_t asn;
	uint8_t maxlen, len;
	uint8_t pad[2];
};

struct slot_key {
	uint8_t ski[PAYLOAD_SKI];
	uint32_t asn;
	uint32_t at, n; /* n octets from at on are the SPKI */
};

struct slot_aspa {
	uint32_t customer;
	uint32_t at, n; /* n providers from at on */
};

#define TEXT_NONE UINT32_MAX
struct slot_source {
	int64_t not_before, not_after, chain_not_before, chain_not_after, stale;
	uint32_t kind;
	uint32_t tal, uri, comment; /* where each begins in the text, where it ends with a NUL; TEXT_NONE: there is none */
};

/* Payload i has the sources ids[first[i]] to ids[first[i + 1] - 1]. */
struct source_lists {
	const uint32_t *first BORROWED_FIELD; /* NULL: nobody has any */
	const uint32_t *ids BORROWED_FIELD;
	uint32_t n;
};

/* What a table that was built owns; of one that was read from an image all are NULL. */
struct table_own {
	struct slot4 *v4 OWNED_FIELD;
	struct slot6 *v6 OWNED_FIELD;
	struct slot_key *keys OWNED_FIELD;
	struct slot_aspa *aspas OWNED_FIELD;
	uint8_t *octets OWNED_FIELD;
	uint32_t *providers OWNED_FIELD;
	uint32_t *first[PAYLOAD_KINDS] OWNED_FIELD;
	uint32_t *ids[PAYLOAD_KINDS] OWNED_FIELD;
	struct slot_source *sources OWNED_FIELD;
	char *text OWNED_FIELD;
};

struct payload_table {
	atomic_uint refs;
	uint64_t generation;
	/* Views of what is owned, or of the image. */
	const struct slot4 *v4 BORROWED_FIELD;
	const struct slot6 *v6 BORROWED_FIELD;
	const struct slot_key *keys BORROWED_FIELD;
	const struct slot_aspa *aspas BORROWED_FIELD;
	const uint8_t *octets BORROWED_FIELD;     /* of all SPKIs */
	const uint32_t *providers BORROWED_FIELD; /* of all ASPAs */
	const struct slot_source *sources BORROWED_FIELD;
	const char *text BORROWED_FIELD;          /* of all sources */
	struct source_lists lists[PAYLOAD_KINDS];
	size_t n4, n6, nkeys, naspas, noctets, nproviders, nsources, ntext;
	size_t withheld;
	struct table_own own;
	void *image OWNED_FIELD; /* NULL: the table was built */
	size_t image_octets;
	bool mapped;             /* the image is a mapping, not memory of mem.h */
};

#endif
