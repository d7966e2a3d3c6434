/*
 * slurm.h: local exceptions (SLURM, RFC 8416, and its version 2 with ASPAs, draft-ietf-sidrops-aspa-slurm): filters that take payloads out, and assertions that
 * add some, after all filters. From several files; where two of them speak of the same addresses, AS numbers of router keys or customers, the whole set is rejected
 * (RFC 8416 section 4.2).
 */
#ifndef RPKI_SERVE_SLURM_H
#define RPKI_SERVE_SLURM_H

#include "base/strbuf.h"
#include "rpki/routes/table.h"

struct slurm;

struct slurm_file {
	const char *name BORROWED_FIELD; /* for messages and as the source of assertions */
	struct span text;
};

#define SLURM_FINDINGS_MAX 50u /* that are written to the report; the others are counted there */

void slurm_free(struct slurm *s) TAKES(1);
DEFINE_AUTO(struct slurm, slurm_free)
/*
 * Reads n files (none: exceptions that change nothing). Each thing that is wrong is a line of report: "NAME: PLACE: found X, expected Y", PLACE as in
 * locallyAddedAssertions.prefixAssertions[3].prefix, or "NAME:LINE:COLUMN: ..." where the text is no JSON. ERR_FORMAT: something was wrong, and nothing is used; ERR_NOMEM.
 */
RESULT slurm_read(const struct slurm_file *files, size_t n, struct strbuf *report, struct slurm **ret_slurm) __attribute__((nonnull(3, 4)));

struct slurm_counts {
	size_t filtered[PAYLOAD_KINDS]; /* payloads that a filter took out */
	size_t asserted[PAYLOAD_KINDS]; /* assertions */
};
/* The payloads of t (NULL: none) that no filter takes out, and the assertions, as a new table with their sources. */
RESULT slurm_apply(const struct slurm *s, const struct payload_table *t, const struct table_limits *limits, uint64_t generation,
    struct slurm_counts *ret_counts, struct payload_table **ret_table) __attribute__((nonnull(1, 5, 6)));

#endif
