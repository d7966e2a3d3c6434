/* roa.h: route origin authorizations (RFC 9582). Prefixes are read where they are: roa_next() walks over them, nothing is copied. */
#ifndef RPKI_OBJECT_ROA_H
#define RPKI_OBJECT_ROA_H

#include "rpki/object/cms.h"

struct roa {
	uint32_t as;
	struct span blocks; /* the contents of ipAddrBlocks */
	size_t prefixes;
};

struct roa_prefix {
	struct ip_prefix p;
	uint8_t max_len; /* p.len when none is given */
};

/* The eContent by itself. ERR_FORMAT: a rule is broken. *ret points into cms's octets. */
RESULT roa_read(const struct cms *cms, struct report *rep, struct roa *ret) NONNULL;
/* Its EE certificate: no AS numbers, nothing inherited, and all prefixes in what it has (section 5). effective: of cert_check(), or the claimed ones. */
RESULT roa_check(const struct roa *roa, const struct cert *ee, const struct resources *effective, struct report *rep) NONNULL;

struct roa_walk {
	struct reader families;
	struct reader addresses;
	uint8_t family;
};
struct roa_walk roa_begin(const struct roa *roa) NONNULL;
bool roa_next(struct roa_walk *w, struct roa_prefix *ret) NONNULL; /* false at the end; of a ROA that was read without a fault */

/* For signed prefix lists, too: the OCTET STRING's family, 4, 6 or 0. */
uint8_t address_family(struct span octets);

#endif
