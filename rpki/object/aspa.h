/* aspa.h: autonomous system provider authorizations (draft-ietf-sidrops-aspa-profile, version 1: the providers without address families). */
#ifndef RPKI_OBJECT_ASPA_H
#define RPKI_OBJECT_ASPA_H

#include "rpki/object/cms.h"

struct aspa {
	uint32_t customer;
	struct span providers; /* the contents of the SEQUENCE OF: ascending, each once */
	size_t count;
};

RESULT aspa_read(const struct cms *cms, struct report *rep, struct aspa *ret) NONNULL;
/* Its EE certificate has the customer's number, no addresses, and inherits nothing (section 4). */
RESULT aspa_check(const struct aspa *aspa, const struct cert *ee, const struct resources *effective, struct report *rep) NONNULL;
static inline struct reader aspa_begin(const struct aspa *a) { return reader_of(a->providers); }
bool aspa_next(struct reader *walk, uint32_t *ret_provider) NONNULL; /* false at the end */

#endif
