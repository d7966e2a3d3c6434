/*
 * heard.h: what servers said of names that they have a say on: the only records that a resolver may keep or tell. A set of hashes: one in 2^40 that is not there is taken for one that is.
 */
#ifndef TESTS_SIM_HEARD_H
#define TESTS_SIM_HEARD_H

#include "dns/rrset.h"

struct heard;
void heard_free(struct heard *h) TAKES(1);
struct heard *heard_new(void) OWNED_BY(heard_free);
DEFINE_AUTO(struct heard, heard_free)

/* Each record of the set; source: where a wildcard's data stands, which whoever expands it himself tells under other names. */
void heard_add(struct heard *h, const struct rrset *rs, struct name source) NONNULL;
/* Every record of the set was said, of this name or of a wildcard above it. */
bool heard_has(const struct heard *h, const struct rrset *rs) NONNULL;

#endif
