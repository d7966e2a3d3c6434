/* rsc.h: signed checklists (RFC 9323): digests of files, signed with resources. */
#ifndef RPKI_OBJECT_RSC_H
#define RPKI_OBJECT_RSC_H

#include "rpki/object/cms.h"

struct rsc {
	struct resources resources;
	struct span files; /* the contents of the checkList */
	size_t count;
};

/* ERR_FORMAT, ERR_NOMEM. */
RESULT rsc_read(const struct cms *cms, struct arena *a, struct report *rep, struct rsc *ret) NONNULL;
/* Its EE certificate has the resources, and inherits nothing. */
RESULT rsc_check(const struct rsc *rsc, const struct cert *ee, const struct resources *effective, struct report *rep) NONNULL;
static inline struct reader rsc_begin(const struct rsc *r) { return reader_of(r->files); }
bool rsc_next(struct reader *walk, struct span *ret_name, struct span *ret_hash) NONNULL; /* name.n is 0 without a name; false at the end */

#endif
