/*
 * explain_text.h: an explanation (resolver/core/explain.h) as a tree of lines: what clients are told, the verdict, why and what to mend; then zone by zone what ties it to the zone
 * above, with every signature's dates, and the records that answer. At most about 110 columns; what came from the network is escaped.
 */
#ifndef RESOLVER_CONTROL_EXPLAIN_TEXT_H
#define RESOLVER_CONTROL_EXPLAIN_TEXT_H

#include "resolver/core/explain.h"

void explain_text(const struct explanation *x, const struct explain_told *told, struct strbuf *out) NONNULL;

/* Words that the JSON form uses too. */
const char *explain_security_text(enum security s) BORROWED;
const char *explain_source_text(const struct explain_zone *z) BORROWED NONNULL; /* "referral", "stub-zone", ..., "none" */
const char *explain_role_text(uint16_t flags) BORROWED;                  /* of a key: "KSK", "ZSK", "revoked", "none" */

#endif
