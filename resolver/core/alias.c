#include "resolver/core/alias.h"

#include "base/arena.h"

bool alias_target(const struct rrset *cname, struct name *ret_target)
{
	return cname->count > 0 && rrset_target(cname, 0, ret_target);
}

RESULT dname_substitute(const struct rrset *dname, struct name n, struct name_buf *ret_target)
{
	struct name owner = rrset_name(dname), target;

	if (!name_is_strictly_under(n, owner) || dname->count == 0 || !rrset_target(dname, 0, &target))
		return FAIL(ERR_FORMAT);
	if (!OK(name_concat(n, n.labels - owner.labels, target, ret_target)))
		return FAIL(ERR_SPACE);
	return DONE;
}

const struct rrset *dname_cname(struct arena *a, const struct rrset *dname, struct name owner, struct name target)
{
	struct span rdata = { target.wire, target.len };
	struct rrset *rs = rrset_make_in(a, owner, RR_CNAME, dname->rclass, dname->ttl, &rdata, 1, 0);

	if (rs != NULL) {
		rs->rank = dname->rank;
		rs->security = dname->security;
	}
	return rs;
}
