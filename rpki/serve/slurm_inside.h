/* slurm_inside.h: what slurm_read.c makes and slurm.c uses. */
#ifndef RPKI_SERVE_SLURM_INSIDE_H
#define RPKI_SERVE_SLURM_INSIDE_H

#include "rpki/routes/validity.h"
#include "rpki/serve/slurm.h"

struct key_filter {
	uint32_t asn;
	uint8_t ski[PAYLOAD_SKI];
	bool has_asn, has_ski;
};

/* A growing list of numbers. */
struct numbers {
	uint32_t *v OWNED_FIELD;
	size_t n, room;
};

/* What a file speaks of, to find conflicts between files. */
struct prefix_scope {
	struct prefix p;
	uint32_t file;
};
struct number_scope {
	uint32_t number, file;
};
struct number_scopes {
	struct number_scope *v OWNED_FIELD;
	size_t n, room;
};

struct slurm {
	/* Filters of prefixes, as VRPs of any maxLength: those for all origins (their AS number is 0) and those for one. */
	struct validity_index *any OWNED_FIELD;
	struct validity_index *one OWNED_FIELD;
	struct numbers origins;   /* filters for an origin whatever the prefix, ascending */
	struct numbers customers; /* ASPA filters, ascending */
	struct key_filter *keys OWNED_FIELD;
	size_t nkeys, room_keys;
	struct payload_table *asserted OWNED_FIELD;
	size_t nasserted[PAYLOAD_KINDS];
};

/* While files are read. */
struct slurm_work {
	struct slurm *s PARENT_FIELD;
	struct table_builder *any OWNED_FIELD;
	struct table_builder *one OWNED_FIELD;
	struct table_builder *asserted OWNED_FIELD;
	struct strbuf *report PARENT_FIELD;
	size_t findings;
	enum err failed; /* ERR_NOMEM and the like; findings are no failure */

	struct prefix_scope *prefixes OWNED_FIELD;
	size_t nprefixes, room_prefixes;
	struct number_scopes router_asns, customers;

	/* Where we are, for messages and scopes. */
	const char *file BORROWED_FIELD;
	uint32_t file_number;
	uint32_t plain_source; /* of assertions without a comment */
	const char *section BORROWED_FIELD;
	const char *list BORROWED_FIELD;
	size_t item;
};

void slurm_work_done(struct slurm_work *w) NONNULL;
void slurm_read_file(struct slurm_work *w, const struct slurm_file *f) NONNULL;
/* One line of the report; place: below the item, or NULL. */
void slurm_finding(struct slurm_work *w, const char *place, const char *fmt, ...) PRINTF_LIKE(3, 4) __attribute__((nonnull(1, 3)));

#endif
