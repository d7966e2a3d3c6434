/* prefix_list.h: signed prefix lists (draft-ietf-sidrops-rpki-prefixlist): all prefixes that an AS may originate. */
#ifndef RPKI_OBJECT_PREFIX_LIST_H
#define RPKI_OBJECT_PREFIX_LIST_H

#include "rpki/object/cms.h"

struct prefix_list {
	uint32_t as;
	struct span blocks;
	size_t count;
};

RESULT prefix_list_read(const struct cms *cms, struct report *rep, struct prefix_list *ret) NONNULL;
/* Its EE certificate has the AS number, no addresses, and inherits nothing. */
RESULT prefix_list_check(const struct prefix_list *l, const struct cert *ee, const struct resources *effective, struct report *rep) NONNULL;

struct prefix_list_walk {
	struct reader families;
	struct reader prefixes;
	uint8_t family;
};
struct prefix_list_walk prefix_list_begin(const struct prefix_list *l) NONNULL;
bool prefix_list_next(struct prefix_list_walk *w, struct ip_prefix *ret) NONNULL; /* false at the end */

#endif
