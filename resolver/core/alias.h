/* alias.h: CNAME (RFC 1034 section 3.6.2) and DNAME (RFC 6672) as functions on names and RRsets. */
#ifndef RESOLVER_CORE_ALIAS_H
#define RESOLVER_CORE_ALIAS_H

#include "dns/rrset.h"

struct arena;

/* The target of a CNAME set: that of its first RR (there must be one only). False for an empty set. */
bool alias_target(const struct rrset *cname, struct name *ret_target) NONNULL;
/* n, which is strictly below the DNAME's owner, with that part replaced by the DNAME's target. ERR_SPACE: longer than 255 octets: the answer is YXDOMAIN
 * (RFC 6672 section 2.2). ERR_FORMAT: n is not below it. */
RESULT dname_substitute(const struct rrset *dname, struct name n, struct name_buf *ret_target) NONNULL;
/* The CNAME that a DNAME stands for, with the DNAME's TTL and rank (RFC 6672 section 3.1). NULL: the arena is full. */
const struct rrset *dname_cname(struct arena *a, const struct rrset *dname, struct name owner, struct name target) IN_ARENA NONNULL;

#endif
