/* output_inside.h: how a format is described to output.c: what stands before and after each kind of payload, and how one of them is written. */
#ifndef RPKI_SERVE_OUTPUT_INSIDE_H
#define RPKI_SERVE_OUTPUT_INSIDE_H

#include "rpki/serve/output.h"

struct output {
	const struct output_form *form BORROWED_FIELD;
	const struct payload_table *table SHARED_FIELD;
	const struct output_info *info BORROWED_FIELD;
	uint32_t *order OWNED_FIELD; /* of the VRPs; NULL: canonical */
	unsigned int stage;          /* the kind of payload, or one more than the last: all is said */
	bool begun, open;            /* begun: the beginning stands; open: the head of this kind does */
	size_t i;                    /* the next payload of this kind */
};

typedef void output_fn(struct output *o, struct strbuf *out);
typedef void output_item_fn(struct output *o, struct strbuf *out, size_t i);

/* NULL functions write nothing. */
struct output_form {
	output_fn *begin, *end;
	output_fn *head[PAYLOAD_KINDS], *foot[PAYLOAD_KINDS];
	output_item_fn *item[PAYLOAD_KINDS]; /* NULL: the format does not have this kind, nor its head and foot */
	const char *between BORROWED_FIELD;  /* items */
	bool lists_always;                   /* a kind that is left out has its head and foot nevertheless */
};

extern const struct output_form output_forms[OUTPUT_FORMATS];

/* Shared by formats. */
void output_prefix(struct strbuf *out, const struct vrp *v) NONNULL; /* "192.0.2.0/24" */
const char *output_ta(const struct output *o, enum payload_kind k, size_t i) BORROWED NONNULL; /* its trust anchor, "N/A" of exceptions */
void output_hex(struct strbuf *out, const uint8_t *octets, size_t n) NONNULL; /* capitals */

#endif
