/*
 * mrt.h: routes of an MRT table dump: TABLE_DUMP_V2 (RFC 6396 section 4.3), with path identifiers too (RFC 8050). Octets come in pieces of any size; the memory is that of one
 * record. Records of other kinds are passed over and counted.
 */
#ifndef RPKI_ROUTES_MRT_H
#define RPKI_ROUTES_MRT_H

#include "rpki/routes/source.h"

struct mrt;

void mrt_free(struct mrt *m) TAKES(1);
/* to: gets each origin of a prefix once, however many peers have it; outlives the reader. max_record: octets of the largest record. */
struct mrt *mrt_new(struct source_sink *to, uint32_t max_record) OWNED_BY(mrt_free) NONNULL;
DEFINE_AUTO(struct mrt, mrt_free)
/* ERR_FORMAT, ERR_LIMIT: this is no MRT file, or a record is too large; mrt_counts tells where. ERR_NOMEM; or what the sink said. */
RESULT mrt_feed(struct mrt *m, struct span octets) NONNULL;
/* At the end. ERR_FORMAT: within a record, or without any routes. */
RESULT mrt_end(struct mrt *m) NONNULL;
const struct source_counts *mrt_counts(const struct mrt *m) BORROWED NONNULL;

#endif
