/* ghostbusters.h: whom to call about a publication point (RFC 6493): a vCard. */
#ifndef RPKI_OBJECT_GHOSTBUSTERS_H
#define RPKI_OBJECT_GHOSTBUSTERS_H

#include "rpki/object/cms.h"

/* Text as it is in the vCard, unfolded by nobody; n is 0 when there is none. */
struct ghostbusters {
	struct span vcard;
	struct span name;         /* FN */
	struct span organization; /* ORG */
	struct span email;
	struct span telephone;
	struct span address;      /* ADR */
};

RESULT ghostbusters_read(const struct cms *cms, struct report *rep, struct ghostbusters *ret) NONNULL;
RESULT ghostbusters_check(const struct cert *ee, struct report *rep) NONNULL; /* its EE certificate inherits all (section 6) */

#endif
