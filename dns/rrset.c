#include "dns/rrset.h"

#include "base/arena.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "dns/rdata.h"

/* Up to here a set is searched pair by pair, above it is sorted first. */
#define FEW 24

void rrset_free(struct rrset *rs)
{
	mem_free(rs);
}

struct rrset *rrset_copy(const struct rrset *rs)
{
	return (struct rrset *)mem_dup(rs, rs->octets);
}

struct rrset *rrset_copy_in(struct arena *a, const struct rrset *rs)
{
	return (struct rrset *)arena_dup(a, rs, rs->octets);
}

/* --- order of rdata, without a heap: merge sort of indices, as it is stable and never quadratic */

struct order {
	const struct span *rdata BORROWED_FIELD;
	uint16_t type;
};

static int order_compare(const struct order *o, uint16_t a, uint16_t b)
{
	return rdata_compare(o->type, o->rdata[a], o->rdata[b]);
}

/* Sorts index[0..n), with n places of scratch. */
static void order_sort(const struct order *o, uint16_t *index, uint16_t *scratch, size_t n)
{
	uint16_t *from = index;
	uint16_t *to = scratch;

	for (size_t width = 1; width < n; width *= 2) {
		for (size_t low = 0; low < n; low += 2 * width) {
			size_t mid = low + width < n ? low + width : n;
			size_t high = mid + width < n ? mid + width : n;
			size_t a = low;
			size_t b = mid;

			for (size_t i = low; i < high; i++)
				to[i] = a < mid && (b == high || order_compare(o, from[a], from[b]) <= 0) ? from[a++] : from[b++];
		}
		from = to;
		to = from == scratch ? index : scratch;
	}
	if (from != index)
		memcpy(index, from, n * sizeof *index);
}

/* --- making */

/* Copies to `to` what has not been there before, in order of first appearance. Returns their number, SIZE_MAX when the arena is full. */
static size_t unique(struct arena *a, uint16_t type, const struct span *rdata, size_t n, struct span *to)
{
	struct order o = { rdata, type };
	uint16_t *index;
	size_t kept = 0;

	if (n <= FEW) {
		for (size_t i = 0; i < n; i++) {
			size_t j = 0;

			while (j < kept && rdata_compare(type, to[j], rdata[i]) != 0)
				j++;
			if (j == kept)
				to[kept++] = rdata[i];
		}
		return kept;
	}
	index = (uint16_t *)arena_alloc_array(a, 3 * n, sizeof *index);
	if (index == NULL)
		return SIZE_MAX;
	for (size_t i = 0; i < n; i++)
		index[i] = (uint16_t)i;
	order_sort(&o, index, index + n, n);
	for (size_t i = 1; i < n; i++) /* the third part: set for what follows an equal one */
		index[2 * n + index[i]] = order_compare(&o, index[i - 1], index[i]) == 0;
	for (size_t i = 0; i < n; i++)
		if (index[2 * n + i] == 0)
			to[kept++] = rdata[i];
	return kept;
}

struct rrset *rrset_make_unique_in(struct arena *a, struct name owner, uint16_t type, uint16_t rclass, uint32_t ttl, const struct span *rdata,
    size_t count, size_t sigs)
{
	size_t n = count + sigs;
	size_t at = sizeof(struct rrset) + n * sizeof(uint32_t) + owner.len;
	uint64_t octets = at;
	struct rrset *rs;

	if (count > UINT16_MAX || sigs > UINT16_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		if (rdata[i].n > UINT16_MAX)
			return NULL;
		octets += sizeof(uint16_t) + rdata[i].n;
	}
	if (octets > UINT32_MAX)
		return NULL;
	rs = (struct rrset *)arena_alloc(a, octets);
	if (rs == NULL)
		return NULL;
	*rs = (struct rrset){
		.octets = (uint32_t)octets,
		.ttl = ttl,
		.type = type,
		.rclass = rclass,
		.count = (uint16_t)count,
		.sigs = (uint16_t)sigs,
		.name_len = owner.len,
		.name_labels = owner.labels,
	};
	memcpy(&rs->offset[n], owner.wire, owner.len);
	for (size_t i = 0; i < n; i++) {
		uint16_t len = (uint16_t)rdata[i].n;
		uint8_t *to = (uint8_t *)rs + at;

		rs->offset[i] = (uint32_t)at;
		memcpy(to, &len, sizeof len);
		if (len != 0)
			memcpy(to + sizeof len, rdata[i].p, len);
		at += sizeof len + len;
	}
	return rs;
}

struct rrset *rrset_make_in(struct arena *a, struct name owner, uint16_t type, uint16_t rclass, uint32_t ttl, const struct span *rdata,
    size_t count, size_t sigs)
{
	struct span few[FEW];
	struct span *kept = few;
	size_t n;
	size_t n_sigs;

	if (count > UINT16_MAX || sigs > UINT16_MAX)
		return NULL;
	if (count + sigs > FEW)
		kept = (struct span *)arena_alloc_array(a, count + sigs, sizeof *kept);
	if (kept == NULL)
		return NULL;
	n = unique(a, type, rdata, count, kept);
	if (n == SIZE_MAX)
		return NULL;
	n_sigs = unique(a, RR_RRSIG, rdata + count, sigs, kept + n);
	if (n_sigs == SIZE_MAX)
		return NULL;
	return rrset_make_unique_in(a, owner, type, rclass, ttl, kept, n, n_sigs);
}

struct rrset *rrset_renamed_in(struct arena *a, const struct rrset *rs, struct name owner)
{
	size_t n = (size_t)rs->count + rs->sigs;
	size_t head = sizeof *rs + n * sizeof(uint32_t);
	size_t body = rs->octets - head - rs->name_len;
	struct rrset *copy = (struct rrset *)arena_alloc(a, head + owner.len + body);

	if (copy == NULL)
		return NULL;
	memcpy(copy, rs, head);
	memcpy((uint8_t *)copy + head, owner.wire, owner.len);
	memcpy((uint8_t *)copy + head + owner.len, (const uint8_t *)rs + head + rs->name_len, body);
	for (size_t i = 0; i < n; i++)
		copy->offset[i] = copy->offset[i] - rs->name_len + owner.len;
	copy->octets = (uint32_t)(head + owner.len + body);
	copy->name_len = owner.len;
	copy->name_labels = owner.labels;
	return copy;
}

/* --- looking */

bool rrset_target(const struct rrset *rs, size_t i, struct name *ret)
{
	struct span rdata = rrset_rdata(rs, i);
	size_t at;

	switch (rs->type) {
	case RR_NS:
	case RR_MD:
	case RR_MF:
	case RR_CNAME:
	case RR_MB:
	case RR_MG:
	case RR_MR:
	case RR_PTR:
	case RR_NSAP_PTR:
	case RR_DNAME:
		at = 0;
		break;
	case RR_MX:
	case RR_AFSDB:
	case RR_RT:
	case RR_KX:
	case RR_LP:
	case RR_SVCB:
	case RR_HTTPS:
		at = 2;
		break;
	case RR_SRV:
		at = 6;
		break;
	default:
		return false;
	}
	return rdata.n > at && OK(name_from_wire((struct span){ rdata.p + at, rdata.n - at }, ret));
}

static bool has_rdata(const struct rrset *rs, struct span rdata)
{
	for (size_t i = 0; i < rs->count; i++)
		if (rdata_compare(rs->type, rrset_rdata(rs, i), rdata) == 0)
			return true;
	return false;
}

static bool same_sorted(const struct rrset *a, const struct rrset *b)
{
	size_t n = a->count;
	AUTO(mem_free) void *spans = mem_alloc_array(2 * n, sizeof(struct span));
	AUTO(mem_free) void *places = mem_alloc_array(3 * n, sizeof(uint16_t));
	struct span *rdata = (struct span *)spans;
	uint16_t *index = (uint16_t *)places;
	struct order of_a = { rdata, a->type };
	struct order of_b = { NULL, a->type };
	size_t i;

	if (rdata == NULL || index == NULL)
		return false;
	of_b.rdata = rdata + n;
	for (i = 0; i < n; i++) {
		rdata[i] = rrset_rdata(a, i);
		rdata[n + i] = rrset_rdata(b, i);
		index[i] = index[n + i] = (uint16_t)i;
	}
	order_sort(&of_a, index, index + 2 * n, n);
	order_sort(&of_b, index + n, index + 2 * n, n);
	i = 0;
	while (i < n && rdata_compare(a->type, rdata[index[i]], rdata[n + index[n + i]]) == 0)
		i++;
	return i == n;
}

bool rrset_same_data(const struct rrset *a, const struct rrset *b)
{
	size_t i = 0;

	if (a->type != b->type || a->rclass != b->rclass || a->count != b->count || !name_equal(rrset_name(a), rrset_name(b)))
		return false;
	while (i < a->count && rdata_compare(a->type, rrset_rdata(a, i), rrset_rdata(b, i)) == 0)
		i++;
	if (i == a->count)
		return true;
	if (a->count > FEW)
		return same_sorted(a, b);
	for (i = 0; i < a->count; i++) /* neither has duplicates */
		if (!has_rdata(b, rrset_rdata(a, i)))
			return false;
	return true;
}

/* Exactly what rrset_make_unique_in lays out, so that nothing in the block is unchecked. */
RESULT rrset_check_block(struct span block)
{
	struct rrset rs;
	struct name owner;
	size_t n;
	size_t at;

	if (block.n < sizeof rs)
		return FAIL(ERR_FORMAT);
	memcpy(&rs, block.p, sizeof rs);
	n = (size_t)rs.count + rs.sigs;
	at = sizeof rs + n * sizeof(uint32_t);
	if (rs.octets != block.n || n == 0 || at > block.n || rs.rank > RANK_LOCAL || rs.security > SECURITY_SECURE)
		return FAIL(ERR_FORMAT);
	TRY(name_from_wire((struct span){ block.p + at, block.n - at }, &owner));
	if (owner.len != rs.name_len || owner.labels != rs.name_labels)
		return FAIL(ERR_FORMAT);
	at += owner.len;
	for (size_t i = 0; i < n; i++) {
		uint32_t offset;
		uint16_t len;

		memcpy(&offset, block.p + sizeof rs + i * sizeof offset, sizeof offset);
		if (offset != at || block.n - at < sizeof len)
			return FAIL(ERR_FORMAT);
		memcpy(&len, block.p + at, sizeof len);
		at += sizeof len;
		if (block.n - at < len)
			return FAIL(ERR_FORMAT);
		TRY(rdata_check(i < rs.count ? rs.type : RR_RRSIG, (struct span){ block.p + at, len }));
		at += len;
	}
	return at == block.n ? DONE : FAIL(ERR_FORMAT);
}

/* --- text */

void rrset_print(const struct rrset *rs, uint32_t ttl, struct strbuf *out)
{
	char owner[NAME_TEXT];
	char rclass[RRTYPE_TEXT];
	char type[RRTYPE_TEXT];

	name_to_text(rrset_name(rs), owner);
	for (size_t i = 0; i < (size_t)rs->count + rs->sigs; i++) {
		uint16_t t = i < rs->count ? rs->type : RR_RRSIG;

		strbuf_printf(out, "%s %u %s %s ", owner, (unsigned int)ttl, rrclass_text(rs->rclass, rclass), rrtype_text(t, type));
		rdata_print(t, rrset_item_(rs, i), out);
		strbuf_putc(out, '\n');
	}
}
