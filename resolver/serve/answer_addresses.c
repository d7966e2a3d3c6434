#include "resolver/serve/answer_addresses.h"

#include "base/cursor.h"
#include "dns/rrtype.h"

#define KEY_IPV4HINT 4u /* RFC 9460 section 14.3.2 */
#define KEY_IPV6HINT 6u

struct visit {
	answer_address_fn *fn;
	void *ctx PARENT_FIELD; /* own-ok: R15 the caller's, good for the call */
};

/* Octets of one address of that family. */
static struct addr addr_made(enum addr_family family, const uint8_t *octets)
{
	struct addr a = { .family = family };

	memcpy(a.b, octets, family == ADDR_V4 ? 4 : 16);
	return addr_unmap(&a);
}

/* Addresses one behind the other. */
static bool each_in(const struct visit *v, struct span all, enum addr_family family)
{
	size_t size = family == ADDR_V4 ? 4 : 16;

	for (size_t at = 0; at + size <= all.n; at += size) {
		struct addr a = addr_made(family, all.p + at);

		if (!v->fn(v->ctx, &a))
			return false;
	}
	return true;
}

/* ipv4hint and ipv6hint. */
static bool each_hint(const struct visit *v, struct span rdata)
{
	struct reader r = reader_of(rdata);

	(void)read16(&r);
	if (!OK(name_skip(&r)))
		return true;
	while (!reader_end(&r)) {
		uint16_t key = read16(&r);
		struct span value = read_span(&r, read16(&r));

		if ((key == KEY_IPV4HINT && !each_in(v, value, ADDR_V4)) || (key == KEY_IPV6HINT && !each_in(v, value, ADDR_V6)))
			return false;
	}
	return true;
}

static bool each_of_rr(const struct visit *v, uint16_t type, struct span rdata)
{
	switch (type) {
	case RR_A:
		return each_in(v, rdata, ADDR_V4);
	case RR_AAAA:
		return each_in(v, rdata, ADDR_V6);
	case RR_SVCB:
	case RR_HTTPS:
		return each_hint(v, rdata);
	default:
		return true;
	}
}

bool answer_addresses(const struct rrset *rs, answer_address_fn *fn, void *ctx)
{
	struct visit v = { fn, ctx };

	for (size_t i = 0; i < rs->count; i++)
		if (!each_of_rr(&v, rs->type, rrset_rdata(rs, i)))
			return false;
	return true;
}
