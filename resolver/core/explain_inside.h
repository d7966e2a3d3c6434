/* explain_inside.h: an explanation in the making, as the files that make it see it; no header of others includes it. */
#ifndef RESOLVER_CORE_EXPLAIN_INSIDE_H
#define RESOLVER_CORE_EXPLAIN_INSIDE_H

#include "resolver/core/explain_check.h"

struct explaining {
	const struct explain_env *e BORROWED_FIELD;
	struct explanation *x BORROWED_FIELD;
	struct explain_tools t;
};

/* The entry of that kind; NULL: none that has not expired. */
const struct bundle *explain_entry(const struct explaining *w, struct name n, uint16_t type, enum bundle_kind kind) BORROWED NONNULL;
/* Why the question failed lately, copied; NULL: it did not. */
RESULT explain_failure(const struct explaining *w, struct name n, uint16_t type, const char **ret_text) NONNULL;
void explain_want(struct explaining *w, struct name n, uint16_t type) NONNULL;
struct explain_finding explain_unknown(const char *reason);
/* What holds for what stands below z, which is not secure. */
struct explain_finding explain_inherit(const struct explaining *w, const struct explain_zone *z) NONNULL;

/* explain_zone.c: the zones at and above name (for DS: strictly above), from the top, as far as they are not known yet; signers[n]: a signature names the zone of that many labels. */
RESULT explain_add_zones(struct explaining *w, struct name name, uint16_t type, const bool signers[NAME_MAX_LABELS + 1]) NONNULL;
/* The deepest known zone at or above name (for DS: strictly above); EXPLAIN_TOP: none. */
size_t explain_zone_of(const struct explanation *x, struct name name, uint16_t type) NONNULL;

#endif
