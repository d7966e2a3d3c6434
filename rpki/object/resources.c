#include "rpki/object/resources.h"

#include <stdio.h>

#include "base/addr.h"
#include "base/arena.h"
#include "base/strbuf.h"

/* --- sets */

bool set32_has(const struct set32 *s, uint32_t lo, uint32_t hi)
{
	uint32_t from = 0, to = s->n;

	while (from < to) { /* the first range that ends at lo or after it */
		uint32_t middle = from + (to - from) / 2;

		if (s->r[middle].hi < lo)
			from = middle + 1;
		else
			to = middle;
	}
	return from < s->n && s->r[from].lo <= lo && hi <= s->r[from].hi;
}

bool set128_has(const struct set128 *s, rpki_u128 lo, rpki_u128 hi)
{
	uint32_t from = 0, to = s->n;

	while (from < to) {
		uint32_t middle = from + (to - from) / 2;

		if (s->r[middle].hi < lo)
			from = middle + 1;
		else
			to = middle;
	}
	return from < s->n && s->r[from].lo <= lo && hi <= s->r[from].hi;
}

bool set32_within(const struct set32 *inner, const struct set32 *outer)
{
	for (uint32_t i = 0; i < inner->n; i++)
		if (!set32_has(outer, inner->r[i].lo, inner->r[i].hi))
			return false;
	return true;
}

bool set128_within(const struct set128 *inner, const struct set128 *outer)
{
	for (uint32_t i = 0; i < inner->n; i++)
		if (!set128_has(outer, inner->r[i].lo, inner->r[i].hi))
			return false;
	return true;
}

static RESULT set32_common(const struct set32 *a, const struct set32 *b, struct arena *arena, struct set32 *ret)
{
	struct range32 *out = arena_alloc_array(arena, (size_t)a->n + b->n + 1, sizeof *out);
	uint32_t n = 0;

	if (out == NULL)
		return FAIL(ERR_NOMEM);
	for (uint32_t i = 0, j = 0; i < a->n && j < b->n;) {
		uint32_t lo = a->r[i].lo > b->r[j].lo ? a->r[i].lo : b->r[j].lo;
		uint32_t hi = a->r[i].hi < b->r[j].hi ? a->r[i].hi : b->r[j].hi;

		if (lo <= hi)
			out[n++] = (struct range32){ lo, hi };
		if (a->r[i].hi < b->r[j].hi)
			i++;
		else
			j++;
	}
	*ret = (struct set32){ out, n };
	return DONE;
}

static RESULT set128_common(const struct set128 *a, const struct set128 *b, struct arena *arena, struct set128 *ret)
{
	struct range128 *out = arena_alloc_array(arena, (size_t)a->n + b->n + 1, sizeof *out);
	uint32_t n = 0;

	if (out == NULL)
		return FAIL(ERR_NOMEM);
	for (uint32_t i = 0, j = 0; i < a->n && j < b->n;) {
		rpki_u128 lo = a->r[i].lo > b->r[j].lo ? a->r[i].lo : b->r[j].lo;
		rpki_u128 hi = a->r[i].hi < b->r[j].hi ? a->r[i].hi : b->r[j].hi;

		if (lo <= hi)
			out[n++] = (struct range128){ lo, hi };
		if (a->r[i].hi < b->r[j].hi)
			i++;
		else
			j++;
	}
	*ret = (struct set128){ out, n };
	return DONE;
}

bool resources_have_prefix(const struct resources *r, const struct ip_prefix *p)
{
	rpki_u128 last = ip_prefix_last(p);

	if (p->family == 4)
		return r->ip4 == CLAIM_SET && set32_has(&r->v4, (uint32_t)p->lo, (uint32_t)last);
	return r->ip6 == CLAIM_SET && set128_has(&r->v6, p->lo, last);
}

bool resources_have_as(const struct resources *r, uint32_t as) { return r->as == CLAIM_SET && set32_has(&r->asn, as, as); }

bool resources_effective(const struct resources *claimed, const struct resources *issuer, struct resources *ret, const char **ret_kind)
{
	struct resources e = *claimed;

	*ret_kind = "";
	if (e.ip4 == CLAIM_INHERIT) {
		e.ip4 = issuer->ip4;
		e.v4 = issuer->v4;
	} else if (e.ip4 == CLAIM_SET && (issuer->ip4 != CLAIM_SET || !set32_within(&e.v4, &issuer->v4))) {
		*ret_kind = "IPv4 addresses";
	}
	if (e.ip6 == CLAIM_INHERIT) {
		e.ip6 = issuer->ip6;
		e.v6 = issuer->v6;
	} else if (e.ip6 == CLAIM_SET && (issuer->ip6 != CLAIM_SET || !set128_within(&e.v6, &issuer->v6))) {
		*ret_kind = "IPv6 addresses";
	}
	if (e.as == CLAIM_INHERIT) {
		e.as = issuer->as;
		e.asn = issuer->asn;
	} else if (e.as == CLAIM_SET && (issuer->as != CLAIM_SET || !set32_within(&e.asn, &issuer->asn))) {
		*ret_kind = "AS numbers";
	}
	if (**ret_kind != '\0')
		return false;
	*ret = e;
	return true;
}

RESULT resources_trimmed(const struct resources *claimed, const struct resources *issuer, struct arena *a, struct resources *ret, bool *ret_trimmed)
{
	static const struct resources none;
	struct resources e = *claimed;
	const char *kind;

	*ret_trimmed = false;
	if (resources_effective(claimed, issuer, ret, &kind))
		return DONE;
	*ret_trimmed = true;
	if (e.ip4 == CLAIM_SET)
		TRY(set32_common(&claimed->v4, issuer->ip4 == CLAIM_SET ? &issuer->v4 : &none.v4, a, &e.v4));
	if (e.ip6 == CLAIM_SET)
		TRY(set128_common(&claimed->v6, issuer->ip6 == CLAIM_SET ? &issuer->v6 : &none.v6, a, &e.v6));
	if (e.as == CLAIM_SET)
		TRY(set32_common(&claimed->asn, issuer->as == CLAIM_SET ? &issuer->asn : &none.asn, a, &e.asn));
	if (e.v4.n == 0 && e.ip4 == CLAIM_SET)
		e.ip4 = CLAIM_NONE; /* nothing of it is the issuer's */
	if (e.v6.n == 0 && e.ip6 == CLAIM_SET)
		e.ip6 = CLAIM_NONE;
	if (e.asn.n == 0 && e.as == CLAIM_SET)
		e.as = CLAIM_NONE;
	return resources_effective(&e, issuer, ret, &kind) ? DONE : FAIL(ERR_RANGE);
}

/* --- addresses */

/* The bits as the upper ones of a number of `width` bits; those that are not there are zero, or one. */
static rpki_u128 number_of_bits(struct bits b, unsigned int width, bool ones)
{
	struct reader r = reader_of(b.octets);
	unsigned int left = width - (unsigned int)bits_count(b);
	rpki_u128 v = 0;

	while (!reader_end(&r))
		v = v << 8 | read8(&r);
	v >>= b.unused;
	if (left >= 128)
		return ones ? ~(rpki_u128)0 : 0;
	v <<= left;
	return ones ? v | (((rpki_u128)1 << left) - 1) : v;
}

bool ip_prefix_of_bits(uint8_t family, struct bits b, struct ip_prefix *ret)
{
	unsigned int width = family == 4 ? 32 : 128;

	if (bits_count(b) > width)
		return false;
	*ret = (struct ip_prefix){ family, (uint8_t)bits_count(b), number_of_bits(b, width, false) };
	if (width == 32)
		ret->lo &= UINT32_MAX;
	return true;
}

const char *address_text(uint8_t family, rpki_u128 v, char room[PREFIX_TEXT])
{
	struct addr a = { .family = family };

	for (unsigned int i = family == 4 ? 4 : 16; i-- > 0; v >>= 8)
		a.b[i] = (uint8_t)v;
	return addr_text(&a, room);
}

const char *ip_prefix_text(const struct ip_prefix *p, char room[PREFIX_TEXT])
{
	size_t n = strlen(address_text(p->family, p->lo, room));

	snprintf(room + n, PREFIX_TEXT - n, "/%u", p->len);
	return room;
}

/* --- reading */

struct reading {
	struct arena *a PARENT_FIELD;
	struct report *rep PARENT_FIELD;
	struct resources *res PARENT_FIELD;
	bool *nomem PARENT_FIELD;
	enum rule der, family, safi, empty, order, range;
	bool may_inherit;
};

/* How many elements there are; 0, too, when they cannot be read. */
static uint32_t count_elements(struct reader r)
{
	uint32_t n = 0;

	while (!reader_end(&r) && n <= RESOURCES_MAX_RANGES) {
		der_whole_any(&r);
		n++;
	}
	return n;
}

/* An IPAddressOrRange of either family. A range that is a prefix, or has bits that it need not, is not canonical. */
static bool read_range(const struct reading *g, struct reader *r, unsigned int width, rpki_u128 *ret_lo, rpki_u128 *ret_hi)
{
	struct reader in;
	struct bits lo, hi;
	rpki_u128 size;

	if (der_peek(r) == DER_BIT_STRING) {
		lo = der_bit_string(r);
		if (!reader_ok(r) || bits_count(lo) > width) {
			report_broken(g->rep, g->der);
			return false;
		}
		*ret_lo = number_of_bits(lo, width, false);
		*ret_hi = number_of_bits(lo, width, true);
		return true;
	}
	in = der_enter(r, DER_SEQUENCE);
	lo = der_bit_string(&in);
	hi = der_bit_string(&in);
	der_leave(r, &in);
	if (!reader_ok(r) || bits_count(lo) > width || bits_count(hi) > width) {
		report_broken(g->rep, g->der);
		return false;
	}
	*ret_lo = number_of_bits(lo, width, false);
	*ret_hi = number_of_bits(hi, width, true);
	if (*ret_lo > *ret_hi) {
		report_broken(g->rep, g->order);
		return false;
	}
	/* RFC 3779 section 2.2.3.9: no trailing zeros in the lower end, no trailing ones in the upper */
	if (lo.octets.n > 0 && (lo.octets.p[lo.octets.n - 1] >> lo.unused & 1) == 0 && report_broken(g->rep, g->range))
		return false;
	if (hi.octets.n > 0 && (hi.octets.p[hi.octets.n - 1] >> hi.unused & 1) == 1 && report_broken(g->rep, g->range))
		return false;
	size = *ret_hi - *ret_lo; /* one less than the size; a prefix when that is a power of two, and the lower end a multiple of it */
	return !((size & (size + 1)) == 0 && (*ret_lo & size) == 0 && report_broken(g->rep, g->range));
}

static bool no_room(const struct reading *g, const void *p)
{
	if (p == NULL)
		*g->nomem = true;
	return p == NULL;
}

static bool read_v4(const struct reading *g, struct reader in)
{
	uint32_t most = count_elements(in), n = 0;
	struct range32 *out = arena_alloc_array(g->a, most + 1, sizeof *out);

	if (no_room(g, out))
		return false;
	if (most > RESOURCES_MAX_RANGES)
		UNREADABLE(g->rep, RESOURCES_LIMIT);
	g->res->ip4 = CLAIM_SET;
	while (!reader_end(&in)) {
		rpki_u128 lo, hi;

		if (!read_range(g, &in, 32, &lo, &hi))
			return false;
		if (n > 0 && lo <= (rpki_u128)out[n - 1].hi + 1) { /* before, over or right after the one before it */
			if (report_broken(g->rep, g->order))
				return false;
			continue;
		}
		out[n++] = (struct range32){ (uint32_t)lo, (uint32_t)hi };
		g->res->v4 = (struct set32){ out, n };
	}
	return n > 0 || !report_broken(g->rep, g->empty);
}

static bool read_v6(const struct reading *g, struct reader in)
{
	uint32_t most = count_elements(in), n = 0;
	struct range128 *out = arena_alloc_array(g->a, most + 1, sizeof *out);

	if (no_room(g, out))
		return false;
	if (most > RESOURCES_MAX_RANGES)
		UNREADABLE(g->rep, RESOURCES_LIMIT);
	g->res->ip6 = CLAIM_SET;
	while (!reader_end(&in)) {
		rpki_u128 lo, hi;

		if (!read_range(g, &in, 128, &lo, &hi))
			return false;
		if (n > 0 && (out[n - 1].hi == ~(rpki_u128)0 || lo <= out[n - 1].hi + 1)) {
			if (report_broken(g->rep, g->order))
				return false;
			continue;
		}
		out[n++] = (struct range128){ lo, hi };
		g->res->v6 = (struct set128){ out, n };
	}
	return n > 0 || !report_broken(g->rep, g->empty);
}

static bool read_inherit(const struct reading *g, struct reader *in, enum claim *claim)
{
	if (der_get(in, DER_NULL).n != 0 || !reader_ok(in)) {
		report_broken(g->rep, g->der);
		return false;
	}
	*claim = CLAIM_INHERIT;
	return true;
}

/* One IPAddressFamily. Families come in the order of their octets, each once (RFC 3779 section 2.2.3.3). */
static bool read_family(const struct reading *g, struct reader *r, uint16_t *last)
{
	struct reader in = der_enter(r, DER_SEQUENCE);
	struct span family = der_get(&in, DER_OCTET_STRING);
	uint16_t afi;

	if (!reader_ok(&in)) {
		report_broken(g->rep, g->der);
		return false;
	}
	if (family.n == 3 && report_broken(g->rep, g->safi))
		return false;
	afi = family.n >= 2 ? load16(family.p) : 0;
	if (family.n < 2 || family.n > 3 || (afi != 1 && afi != 2)) {
		if (report_broken(g->rep, g->family))
			return false;
		return true; /* of no kind that is known: nothing is taken from it */
	}
	if (afi <= *last && report_broken(g->rep, g->order))
		return false;
	if (afi <= *last)
		return true;
	*last = afi;
	if (g->may_inherit && der_peek(&in) == DER_NULL) {
		if (!read_inherit(g, &in, afi == 1 ? &g->res->ip4 : &g->res->ip6))
			return false;
	} else {
		struct reader list = der_enter(&in, DER_SEQUENCE);

		if (!reader_ok(&in)) {
			report_broken(g->rep, g->der);
			return false;
		}
		if (!(afi == 1 ? read_v4(g, list) : read_v6(g, list)))
			return false;
	}
	if (!reader_end(&in)) {
		report_broken(g->rep, g->der);
		return false;
	}
	return true;
}

static bool read_ip(const struct reading *g, struct span contents)
{
	struct reader outer = reader_of(contents), r = der_enter(&outer, DER_SEQUENCE);
	uint16_t last = 0;

	if (!reader_ok(&outer) || !reader_end(&outer)) {
		report_broken(g->rep, g->der);
		return false;
	}
	if (reader_end(&r) && report_broken(g->rep, g->empty))
		return false;
	while (!reader_end(&r))
		if (!read_family(g, &r, &last))
			return false;
	return true;
}

static bool read_as_list(const struct reading *g, struct reader in)
{
	uint32_t most = count_elements(in), n = 0;
	struct range32 *out = arena_alloc_array(g->a, most + 1, sizeof *out);

	if (no_room(g, out))
		return false;
	if (most > RESOURCES_MAX_RANGES)
		UNREADABLE(g->rep, RESOURCES_LIMIT);
	g->res->as = CLAIM_SET;
	while (!reader_end(&in)) {
		uint64_t lo = 0, hi = 0;
		bool good;

		if (der_peek(&in) == DER_INTEGER) {
			good = der_small(der_integer(&in), UINT32_MAX, &lo);
			hi = lo;
		} else {
			struct reader range = der_enter(&in, DER_SEQUENCE);

			good = der_small(der_integer(&range), UINT32_MAX, &lo) && der_small(der_integer(&range), UINT32_MAX, &hi);
			der_leave(&in, &range);
			if (good && lo == hi && report_broken(g->rep, g->range)) /* a range of one is a number */
				return false;
			if (good && lo > hi) {
				if (report_broken(g->rep, g->order))
					return false;
				continue;
			}
		}
		if (!good || !reader_ok(&in)) {
			report_broken(g->rep, g->der);
			return false;
		}
		if (n > 0 && lo <= (uint64_t)out[n - 1].hi + 1) {
			if (report_broken(g->rep, g->order))
				return false;
			continue;
		}
		out[n++] = (struct range32){ (uint32_t)lo, (uint32_t)hi };
		g->res->asn = (struct set32){ out, n };
	}
	return n > 0 || !report_broken(g->rep, g->empty);
}

/* asnum [0] EXPLICIT, rdi [1] EXPLICIT; the latter is not for the RPKI (RFC 6487 section 4.8.11), and of the family rule. */
static bool read_as(const struct reading *g, struct span contents)
{
	struct reader outer = reader_of(contents), r = der_enter(&outer, DER_SEQUENCE);

	if (!reader_ok(&outer) || !reader_end(&outer)) {
		report_broken(g->rep, g->der);
		return false;
	}
	if (reader_end(&r) && report_broken(g->rep, g->empty))
		return false;
	if (der_peek(&r) == DER_CONSTRUCTED) {
		struct reader in = der_enter(&r, DER_CONSTRUCTED);

		if (g->may_inherit && der_peek(&in) == DER_NULL) {
			if (!read_inherit(g, &in, &g->res->as))
				return false;
		} else {
			struct reader list = der_enter(&in, DER_SEQUENCE);

			if (!reader_ok(&in)) {
				report_broken(g->rep, g->der);
				return false;
			}
			if (!read_as_list(g, list))
				return false;
		}
		der_leave(&r, &in);
	}
	if (der_peek(&r) == DER_CONSTRUCTED + 1) {
		der_whole_any(&r);
		if (report_broken(g->rep, g->family))
			return false;
	}
	if (!reader_ok(&r) || !reader_end(&r)) {
		report_broken(g->rep, g->der);
		return false;
	}
	return true;
}

bool resources_read_ip(struct span extension, struct arena *a, struct report *rep, struct resources *res, bool *ret_nomem)
{
	struct reading g = { a, rep, res, ret_nomem, RULE_IP_DER, RULE_IP_FAMILY, RULE_IP_SAFI, RULE_IP_EMPTY, RULE_IP_ORDER, RULE_IP_RANGE, true };

	return read_ip(&g, extension);
}

bool resources_read_as(struct span extension, struct arena *a, struct report *rep, struct resources *res, bool *ret_nomem)
{
	struct reading g = { a, rep, res, ret_nomem, RULE_AS_DER, RULE_AS_RDI, RULE_AS_RDI, RULE_AS_EMPTY, RULE_AS_ORDER, RULE_AS_RANGE, true };

	return read_as(&g, extension);
}

bool resources_read_ip_list(struct span contents, struct arena *a, struct report *rep, struct resources *res, bool *ret_nomem)
{
	struct reading g = { a, rep, res, ret_nomem, RULE_RSC_IP, RULE_RSC_IP, RULE_RSC_IP, RULE_RSC_IP, RULE_RSC_IP, RULE_RSC_IP, false };

	return read_ip(&g, contents);
}

bool resources_read_as_list(struct span contents, struct arena *a, struct report *rep, struct resources *res, bool *ret_nomem)
{
	struct reading g = { a, rep, res, ret_nomem, RULE_RSC_AS, RULE_RSC_AS, RULE_RSC_AS, RULE_RSC_AS, RULE_RSC_AS, RULE_RSC_AS, false };

	return read_as(&g, contents);
}

/* --- text */

static void print_one(struct strbuf *out, uint8_t family, rpki_u128 lo, rpki_u128 hi)
{
	char a[PREFIX_TEXT], b[PREFIX_TEXT];
	rpki_u128 size = hi - lo;
	unsigned int len = family == 4 ? 32 : 128;

	if ((size & (size + 1)) != 0 || (lo & size) != 0) {
		strbuf_printf(out, "%s-%s", address_text(family, lo, a), address_text(family, hi, b));
		return;
	}
	for (; size != 0; size >>= 1)
		len--;
	strbuf_printf(out, "%s/%u", address_text(family, lo, a), len);
}

static void print_claim(enum claim c, const char *what, struct strbuf *out, bool *first)
{
	if (c == CLAIM_NONE)
		return;
	strbuf_printf(out, "%s%s", *first ? "" : "; ", what);
	*first = false;
	if (c == CLAIM_INHERIT)
		strbuf_puts(out, " inherit");
}

void resources_print(const struct resources *r, struct strbuf *out, size_t max)
{
	bool first = true;

	print_claim(r->ip4, "IPv4", out, &first);
	for (uint32_t i = 0; r->ip4 == CLAIM_SET && i < r->v4.n; i++) {
		strbuf_puts(out, i == 0 ? " " : ", ");
		if (i >= max) {
			strbuf_puts(out, "...");
			break;
		}
		print_one(out, 4, r->v4.r[i].lo, r->v4.r[i].hi);
	}
	print_claim(r->ip6, "IPv6", out, &first);
	for (uint32_t i = 0; r->ip6 == CLAIM_SET && i < r->v6.n; i++) {
		strbuf_puts(out, i == 0 ? " " : ", ");
		if (i >= max) {
			strbuf_puts(out, "...");
			break;
		}
		print_one(out, 6, r->v6.r[i].lo, r->v6.r[i].hi);
	}
	print_claim(r->as, "AS", out, &first);
	for (uint32_t i = 0; r->as == CLAIM_SET && i < r->asn.n; i++) {
		strbuf_puts(out, i == 0 ? " " : ", ");
		if (i >= max) {
			strbuf_puts(out, "...");
			break;
		}
		strbuf_printf(out, "%u", r->asn.r[i].lo);
		if (r->asn.r[i].lo != r->asn.r[i].hi)
			strbuf_printf(out, "-%u", r->asn.r[i].hi);
	}
}
