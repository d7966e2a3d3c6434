#include "rpki/object/aspa.h"

bool aspa_next(struct reader *walk, uint32_t *ret_provider)
{
	uint64_t as;

	if (reader_end(walk) || !der_small(der_integer(walk), UINT32_MAX, &as) || !reader_ok(walk))
		return false;
	*ret_provider = (uint32_t)as;
	return true;
}

static bool read_providers(struct report *rep, struct aspa *a)
{
	struct reader r = aspa_begin(a);
	uint64_t last = 0, as = 0;

	if (reader_end(&r))
		BROKEN(rep, ASPA_EMPTY);
	for (; !reader_end(&r); last = as) {
		if (!der_small(der_integer(&r), UINT32_MAX, &as) || !reader_ok(&r))
			UNREADABLE(rep, ASPA_PROVIDER);
		if (as == a->customer)
			BROKEN(rep, ASPA_SELF);
		if (a->count++ > 0 && as <= last)
			BROKEN(rep, ASPA_ORDER);
	}
	return true;
}

static bool read_all(const struct cms *cms, struct report *rep, struct aspa *a)
{
	struct reader outer = reader_of(cms->content), r = der_enter(&outer, DER_SEQUENCE);
	uint64_t version = 0, customer = 0;
	struct span as;

	if (!reader_ok(&outer) || !reader_end(&outer))
		UNREADABLE(rep, ASPA_DER);
	if (der_peek(&r) == DER_CONSTRUCTED) {
		struct reader in = der_enter(&r, DER_CONSTRUCTED);

		if (!der_small(der_integer(&in), UINT64_MAX, &version))
			version = 0;
		der_leave(&r, &in);
	}
	if (version != 1)
		BROKEN(rep, ASPA_VERSION);
	as = der_integer(&r);
	if (reader_ok(&r) && !der_small(as, UINT32_MAX, &customer))
		BROKEN(rep, ASPA_CUSTOMER);
	a->customer = (uint32_t)customer;
	a->providers = der_get(&r, DER_SEQUENCE);
	if (!reader_ok(&r) || !reader_end(&r))
		UNREADABLE(rep, ASPA_DER);
	return read_providers(rep, a);
}

RESULT aspa_read(const struct cms *cms, struct report *rep, struct aspa *ret)
{
	size_t before = rep->count;

	*ret = (struct aspa){ 0 };
	return read_all(cms, rep, ret) && rep->count == before ? DONE : FAIL(ERR_FORMAT);
}

static bool check(const struct aspa *aspa, const struct cert *ee, const struct resources *effective, struct report *rep)
{
	if (ee->claimed.ip4 != CLAIM_NONE || ee->claimed.ip6 != CLAIM_NONE)
		BROKEN(rep, ASPA_IP_RESOURCES);
	if (ee->claimed.as == CLAIM_INHERIT)
		BROKEN(rep, ASPA_INHERIT);
	if (!resources_have_as(effective, aspa->customer))
		BROKEN_AT(rep, ASPA_CONTAINED, "AS%u", aspa->customer);
	return true;
}

RESULT aspa_check(const struct aspa *aspa, const struct cert *ee, const struct resources *effective, struct report *rep)
{
	size_t before = rep->count;

	return check(aspa, ee, effective, rep) && rep->count == before ? DONE : FAIL(ERR_FORMAT);
}
