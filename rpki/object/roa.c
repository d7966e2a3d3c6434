#include "rpki/object/roa.h"

uint8_t address_family(struct span octets)
{
	uint16_t afi = octets.n == 2 ? load16(octets.p) : 0;

	return afi == 1 ? 4 : afi == 2 ? 6 : 0;
}

/* ROAIPAddress. What is wrong: a rule, or RULE_NONE. */
static enum rule read_address(struct reader *r, uint8_t family, struct roa_prefix *ret)
{
	struct reader in = der_enter(r, DER_SEQUENCE);
	struct bits b = der_bit_string(&in);
	uint64_t max;

	if (!reader_ok(&in) || !ip_prefix_of_bits(family, b, &ret->p))
		return RULE_ROA_PREFIX;
	ret->max_len = ret->p.len;
	if (reader_end(&in))
		return RULE_NONE;
	if (!der_small(der_integer(&in), family == 4 ? 32 : 128, &max) || max < ret->p.len)
		return RULE_ROA_MAX_LENGTH;
	ret->max_len = (uint8_t)max;
	der_leave(r, &in);
	return reader_ok(r) ? RULE_NONE : RULE_ROA_DER;
}

/* A family may come twice: hundreds of real ROAs have it so, made under RFC 6482, and no other checker minds. */
static bool read_family(struct reader *r, struct report *rep, struct roa *roa)
{
	struct reader in = der_enter(r, DER_SEQUENCE), list;
	struct span octets = der_get(&in, DER_OCTET_STRING);
	uint8_t family = address_family(octets);

	list = der_enter(&in, DER_SEQUENCE);
	der_leave(r, &in);
	if (!reader_ok(r))
		UNREADABLE(rep, ROA_DER);
	if (family == 0) {
		BROKEN(rep, ROA_FAMILY);
		return true;
	}
	if (reader_end(&list))
		BROKEN(rep, ROA_EMPTY_FAMILY);
	while (!reader_end(&list)) {
		struct roa_prefix p;
		enum rule wrong = read_address(&list, family, &p);

		if (!reader_ok(&list))
			UNREADABLE(rep, ROA_DER);
		if (wrong != RULE_NONE && report_broken(rep, wrong))
			return false;
		roa->prefixes++;
	}
	return true;
}

/* [0] EXPLICIT INTEGER DEFAULT 0. A primitive one is met, and is as wrong. */
static bool read_version(struct reader *r, struct report *rep)
{
	uint8_t tag = der_peek(r);
	struct reader in;
	uint64_t version;

	if (tag == DER_CONTEXT) {
		der_whole_any(r);
		BROKEN(rep, ROA_VERSION);
	}
	if (tag != DER_CONSTRUCTED)
		return true;
	in = der_enter(r, DER_CONSTRUCTED);
	if (!der_small(der_integer(&in), UINT64_MAX, &version) || version != 0)
		BROKEN(rep, ROA_VERSION);
	else
		BROKEN(rep, ROA_VERSION_DEFAULT);
	return true;
}

static bool read_all(const struct cms *cms, struct report *rep, struct roa *roa)
{
	struct reader outer = reader_of(cms->content), r = der_enter(&outer, DER_SEQUENCE), blocks;
	struct span as_id;
	uint64_t as = 0;

	if (!reader_ok(&outer) || !reader_end(&outer))
		UNREADABLE(rep, ROA_DER);
	if (!read_version(&r, rep))
		return false;
	as_id = der_integer(&r);
	if (reader_ok(&r) && !der_small(as_id, UINT32_MAX, &as))
		BROKEN(rep, ROA_AS);
	roa->as = (uint32_t)as;
	roa->blocks = der_get(&r, DER_SEQUENCE);
	if (!reader_ok(&r) || !reader_end(&r))
		UNREADABLE(rep, ROA_DER);
	blocks = reader_of(roa->blocks);
	if (reader_end(&blocks))
		BROKEN(rep, ROA_EMPTY);
	while (!reader_end(&blocks))
		if (!read_family(&blocks, rep, roa))
			return false;
	return true;
}

RESULT roa_read(const struct cms *cms, struct report *rep, struct roa *ret)
{
	size_t before = rep->count;

	*ret = (struct roa){ 0 };
	return read_all(cms, rep, ret) && rep->count == before ? DONE : FAIL(ERR_FORMAT);
}

struct roa_walk roa_begin(const struct roa *roa)
{
	return (struct roa_walk){ reader_of(roa->blocks), { NULL, 0, 0, false }, 0 };
}

bool roa_next(struct roa_walk *w, struct roa_prefix *ret)
{
	for (;;) {
		struct reader in;

		while (!reader_end(&w->addresses)) {
			if (w->family != 0 && read_address(&w->addresses, w->family, ret) == RULE_NONE)
				return true;
			if (!reader_ok(&w->addresses) || w->family == 0)
				break;
		}
		if (reader_end(&w->families))
			return false;
		in = der_enter(&w->families, DER_SEQUENCE);
		w->family = address_family(der_get(&in, DER_OCTET_STRING));
		w->addresses = der_enter(&in, DER_SEQUENCE);
	}
}

static bool check(const struct roa *roa, const struct cert *ee, const struct resources *effective, struct report *rep)
{
	struct roa_walk w = roa_begin(roa);
	struct roa_prefix p;
	char room[PREFIX_TEXT];

	if (ee->claimed.as != CLAIM_NONE)
		BROKEN(rep, ROA_AS_RESOURCES);
	if (ee->claimed.ip4 == CLAIM_INHERIT || ee->claimed.ip6 == CLAIM_INHERIT)
		BROKEN(rep, ROA_INHERIT);
	while (roa_next(&w, &p))
		if (!resources_have_prefix(effective, &p.p))
			BROKEN_AT(rep, ROA_CONTAINED, "%s", rep->notes != NULL ? ip_prefix_text(&p.p, room) : "");
	return true;
}

RESULT roa_check(const struct roa *roa, const struct cert *ee, const struct resources *effective, struct report *rep)
{
	size_t before = rep->count;

	return check(roa, ee, effective, rep) && rep->count == before ? DONE : FAIL(ERR_FORMAT);
}
