#include "rpki/object/prefix_list.h"

#include "rpki/object/roa.h"

struct prefix_list_walk prefix_list_begin(const struct prefix_list *l)
{
	return (struct prefix_list_walk){ reader_of(l->blocks), { NULL, 0, 0, false }, 0 };
}

bool prefix_list_next(struct prefix_list_walk *w, struct ip_prefix *ret)
{
	for (;;) {
		struct reader in;

		while (!reader_end(&w->prefixes)) {
			struct bits b = der_bit_string(&w->prefixes);

			if (reader_ok(&w->prefixes) && w->family != 0 && ip_prefix_of_bits(w->family, b, ret))
				return true;
		}
		if (reader_end(&w->families))
			return false;
		in = der_enter(&w->families, DER_SEQUENCE);
		w->family = address_family(der_get(&in, DER_OCTET_STRING));
		w->prefixes = der_enter(&in, DER_SEQUENCE);
	}
}

/* Prefixes ascend, IPv4 first; equal addresses by their lengths. */
static bool read_block(struct reader *r, struct report *rep, struct prefix_list *l, uint8_t *last_family)
{
	struct reader in = der_enter(r, DER_SEQUENCE), list;
	uint8_t family = address_family(der_get(&in, DER_OCTET_STRING));
	struct ip_prefix last = { 0 }, p;
	bool first = true;

	list = der_enter(&in, DER_SEQUENCE);
	der_leave(r, &in);
	if (!reader_ok(r))
		UNREADABLE(rep, SPL_DER);
	if (family == 0) {
		BROKEN(rep, SPL_FAMILY);
		return true;
	}
	if (family <= *last_family)
		BROKEN(rep, SPL_FAMILY);
	*last_family = family;
	if (reader_end(&list))
		BROKEN(rep, SPL_EMPTY);
	for (; !reader_end(&list); last = p, first = false) {
		struct bits b = der_bit_string(&list);

		if (!reader_ok(&list) || !ip_prefix_of_bits(family, b, &p))
			UNREADABLE(rep, SPL_PREFIX);
		if (!first && (p.lo < last.lo || (p.lo == last.lo && p.len <= last.len)))
			BROKEN(rep, SPL_ORDER);
		l->count++;
	}
	return true;
}

static bool read_all(const struct cms *cms, struct report *rep, struct prefix_list *l)
{
	struct reader outer = reader_of(cms->content), r = der_enter(&outer, DER_SEQUENCE), blocks;
	uint8_t last_family = 0;
	uint64_t as = 0;
	struct span number;

	if (!reader_ok(&outer) || !reader_end(&outer))
		UNREADABLE(rep, SPL_DER);
	if (der_peek(&r) == DER_CONSTRUCTED) {
		BROKEN(rep, SPL_VERSION);
		der_whole_any(&r);
	}
	number = der_integer(&r);
	if (reader_ok(&r) && !der_small(number, UINT32_MAX, &as))
		BROKEN(rep, SPL_AS);
	l->as = (uint32_t)as;
	l->blocks = der_get(&r, DER_SEQUENCE);
	if (!reader_ok(&r) || !reader_end(&r))
		UNREADABLE(rep, SPL_DER);
	blocks = reader_of(l->blocks);
	while (!reader_end(&blocks))
		if (!read_block(&blocks, rep, l, &last_family))
			return false;
	return true;
}

RESULT prefix_list_read(const struct cms *cms, struct report *rep, struct prefix_list *ret)
{
	size_t before = rep->count;

	*ret = (struct prefix_list){ 0 };
	return read_all(cms, rep, ret) && rep->count == before ? DONE : FAIL(ERR_FORMAT);
}

static bool check(const struct prefix_list *l, const struct cert *ee, const struct resources *effective, struct report *rep)
{
	if (ee->claimed.ip4 != CLAIM_NONE || ee->claimed.ip6 != CLAIM_NONE)
		BROKEN(rep, SPL_IP_RESOURCES);
	if (ee->claimed.as == CLAIM_INHERIT)
		BROKEN(rep, SPL_INHERIT);
	if (!resources_have_as(effective, l->as))
		BROKEN_AT(rep, SPL_CONTAINED, "AS%u", l->as);
	return true;
}

RESULT prefix_list_check(const struct prefix_list *l, const struct cert *ee, const struct resources *effective, struct report *rep)
{
	size_t before = rep->count;

	return check(l, ee, effective, rep) && rep->count == before ? DONE : FAIL(ERR_FORMAT);
}
