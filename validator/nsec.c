#include "validator/nsec.h"

/* Calls with the types of one window; false at the end of the bit map or at a fault in it. */
static bool next_window(struct reader *r, unsigned int *ret_window, struct span *ret_bits)
{
	unsigned int window = read8(r);
	unsigned int n = read8(r);
	struct span bits = read_span(r, n);

	if (!reader_ok(r) || n == 0 || n > 32)
		return false;
	*ret_window = window;
	*ret_bits = bits;
	return true;
}

bool bitmap_has(struct span bitmap, uint16_t type)
{
	struct reader r = reader_of(bitmap);
	unsigned int window = 0;
	struct span bits = { NULL, 0 };

	while (next_window(&r, &window, &bits)) {
		size_t at = (type & 0xff) / 8;

		if (window == type >> 8)
			return at < bits.n && (bits.p[at] & (0x80 >> (type & 7))) != 0;
	}
	return false;
}

bool bitmap_has_data(struct span bitmap)
{
	struct reader r = reader_of(bitmap);
	unsigned int window = 0;
	struct span bits = { NULL, 0 };

	while (next_window(&r, &window, &bits)) {
		for (size_t i = 0; i < bits.n * 8; i++) {
			uint16_t type = (uint16_t)(window << 8 | i);

			if ((bits.p[i / 8] & (0x80 >> (i & 7))) != 0 && type != RR_RRSIG && type != RR_NSEC && type != RR_NXNAME)
				return true;
		}
	}
	return false;
}

bool bitmap_is_nxname(struct span bitmap)
{
	return bitmap_has(bitmap, RR_NXNAME) && !bitmap_has_data(bitmap);
}

bool bitmap_is_cut(struct span bitmap)
{
	return bitmap_has(bitmap, RR_NS) && !bitmap_has(bitmap, RR_SOA);
}

bool bitmap_denies(struct span bitmap, uint16_t type, bool root)
{
	if (type == RR_ANY) /* an empty non-terminal */
		return !bitmap_has_data(bitmap);
	if (bitmap_has(bitmap, type) || bitmap_has(bitmap, RR_CNAME))
		return false;
	if (type == RR_DS)
		return root || !bitmap_has(bitmap, RR_SOA);
	return !bitmap_is_cut(bitmap);
}

/* Fields of an RRSIG (RFC 4034 section 3.1): type covered, algorithm, labels, original TTL, expiration, inception, key tag, signer. */
static bool sig_is_of(struct span rdata, struct name owner, struct name zone)
{
	struct reader r = reader_of(rdata);
	struct name signer;
	unsigned int labels;

	read_skip(&r, 3);
	labels = read8(&r);
	read_skip(&r, 14);
	if (!reader_ok(&r) || !OK(name_from_wire(read_rest(&r), &signer)))
		return false;
	return labels == owner.labels - (name_is_wildcard(owner) ? 1u : 0u) && name_equal(signer, zone);
}

bool denial_set_is_of(const struct rrset *rs, struct name zone)
{
	struct name owner = rrset_name(rs);

	if (rs->rclass != CLASS_IN || rs->security != SECURITY_SECURE || !name_is_under(owner, zone))
		return false;
	for (size_t i = 0; i < rs->sigs; i++) {
		if (!sig_is_of(rrset_sig(rs, i), owner, zone))
			return false;
	}
	return true;
}

RESULT nsec_read(const struct rrset *rs, struct name zone, struct nsec *ret)
{
	struct nsec n = { .owner = rrset_name(rs), .set = rs };
	struct span rdata;

	if (rs->type != RR_NSEC || rs->count != 1 || !denial_set_is_of(rs, zone))
		return FAIL(ERR_REFUSED);
	rdata = rrset_rdata(rs, 0);
	TRY(name_from_wire(rdata, &n.next));
	n.types = (struct span){ rdata.p + n.next.len, rdata.n - n.next.len };
	if (!name_is_under(n.next, zone))
		return FAIL(ERR_REFUSED);
	n.last = name_equal(n.next, zone);
	if (!n.last && name_compare(n.owner, n.next) >= 0)
		return FAIL(ERR_REFUSED);
	if (bitmap_has(n.types, RR_SOA) ? !name_equal(n.owner, zone) : name_equal(n.owner, zone) && bitmap_has(n.types, RR_NS))
		return FAIL(ERR_REFUSED);
	*ret = n;
	return DONE;
}

bool nsec_matches(const struct nsec *n, struct name name)
{
	return name_equal(n->owner, name);
}

bool nsec_covers(const struct nsec *n, struct name name)
{
	if (name_compare(n->owner, name) >= 0 || (!n->last && name_compare(name, n->next) >= 0))
		return false;
	if (name_is_strictly_under(name, n->owner) && (bitmap_is_cut(n->types) || bitmap_has(n->types, RR_DNAME)))
		return false;
	return true;
}

bool nsec_shows_empty(const struct nsec *n, struct name name)
{
	return name_is_strictly_under(n->next, name);
}

unsigned int nsec_encloser_labels(const struct nsec *n, struct name name)
{
	unsigned int a = name_common_labels(name, n->owner);
	unsigned int b = name_common_labels(name, n->next);

	return a > b ? a : b;
}
