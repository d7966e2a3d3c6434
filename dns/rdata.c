#include "dns/rdata.h"

#include "dns/build.h"
#include "dns/fields.h"

#define HOPS_PER_NAME 128

RESULT rdata_read_budget(struct reader *msg, uint16_t type, uint16_t len, unsigned int *hops, struct writer *out)
{
	const uint8_t *f = format_of(type);
	struct reader r = { msg->base, msg->pos + len, msg->pos, false };
	size_t copied = msg->pos; /* what stands before is in out */

	if (len > reader_left(msg)) {
		reader_fail(msg);
		return FAIL(ERR_FORMAT);
	}
	for (; *f != F_END && reader_ok(&r); f++) {
		struct name_buf name;

		if (!field_may_be_compressed(*f)) {
			field_skip(*f, &r);
			continue;
		}
		write_octets(out, r.base + copied, r.pos - copied);
		if (OK(name_read_budget(&r, hops, &name)))
			write_octets(out, name.b, name.len);
		copied = r.pos;
	}
	if (!reader_ok(&r) || !reader_end(&r)) {
		reader_fail(msg);
		return FAIL(ERR_FORMAT);
	}
	write_octets(out, r.base + copied, r.pos - copied);
	msg->pos = r.pos;
	return writer_ok(out) ? DONE : FAIL(ERR_SPACE);
}

RESULT rdata_read(struct reader *msg, uint16_t type, uint16_t len, struct writer *out)
{
	unsigned int hops = 2 * HOPS_PER_NAME;

	return rdata_read_budget(msg, type, len, &hops, out);
}

RESULT rdata_check(uint16_t type, struct span rdata)
{
	struct reader r = reader_of(rdata);

	if (rdata.n > UINT16_MAX)
		return FAIL(ERR_FORMAT);
	for (const uint8_t *f = format_of(type); *f != F_END && reader_ok(&r); f++)
		field_skip(*f, &r);
	return reader_ok(&r) && reader_end(&r) ? DONE : FAIL(ERR_FORMAT);
}

static bool is_lowered(const uint8_t *f)
{
	for (; *f != F_END; f++)
		if (field_is_lowered(*f) || *f == F_A6)
			return true;
	return false;
}

unsigned int rdata_names(uint16_t type, struct span rdata, struct rdata_name ret[RDATA_NAMES])
{
	struct reader r = reader_of(rdata);
	unsigned int n = 0;

	for (const uint8_t *f = format_of(type); is_lowered(f) && n < RDATA_NAMES; f++) {
		size_t at = r.pos;
		struct name name;

		if (*f == F_A6 && rdata.n > 1 && rdata.p[0] != 0)
			at = 1u + (128u - rdata.p[0] + 7) / 8;
		if (!field_is_lowered(*f) && !(*f == F_A6 && at != 0)) {
			field_skip(*f, &r);
			continue;
		}
		if (at >= rdata.n || !OK(name_from_wire((struct span){ rdata.p + at, rdata.n - at }, &name)))
			break;
		r.pos = at + name.len;
		ret[n++] = (struct rdata_name){ (uint16_t)at, name.len, name.labels, *f == F_NAME_1035 };
	}
	return n;
}

void rdata_write(struct builder *b, uint16_t type, struct span rdata)
{
	struct rdata_name names[RDATA_NAMES];
	unsigned int n = *format_of(type) == F_A ? 0 : rdata_names(type, rdata, names);
	size_t done = 0;

	for (unsigned int i = 0; i < n && names[i].compress; i++) {
		write_octets(&b->w, rdata.p + done, names[i].at - done);
		build_name(b, (struct name){ rdata.p + names[i].at, names[i].len, names[i].labels }, true);
		done = (size_t)names[i].at + names[i].len;
	}
	write_octets(&b->w, rdata.p + done, rdata.n - done);
}

/* Where names begin that go to the end of the rdata, so that nobody needs to walk their labels: NS, MX, SRV and their like. */
static bool names_to_end(uint16_t type, struct span rdata, size_t *ret)
{
	const uint8_t *f = format_of(type);
	struct reader r = reader_of(rdata);
	const uint8_t *rest;

	for (; *f != F_END && !field_is_lowered(*f); f++)
		field_skip(*f, &r);
	for (rest = f; field_is_lowered(*rest); rest++)
		;
	*ret = r.pos;
	return *rest == F_END && rest != f && reader_ok(&r);
}

void rdata_canonical(uint16_t type, struct span rdata, uint8_t *out)
{
	struct rdata_name names[RDATA_NAMES];
	unsigned int n = rdata_names(type, rdata, names);

	if (rdata.n != 0)
		memcpy(out, rdata.p, rdata.n);
	for (unsigned int i = 0; i < n; i++)
		octets_lower(out + names[i].at, out + names[i].at, names[i].len);
}

#define HEAD 1536 /* names end before: two names and NAPTR's three strings */

/* The canonical form of the first octets, up to where the last name ends. */
static struct span canonical_head(uint16_t type, struct span rdata, uint8_t head[HEAD])
{
	struct rdata_name names[RDATA_NAMES];
	unsigned int n;
	size_t end;

	if (rdata.n <= HEAD && names_to_end(type, rdata, &end)) {
		memcpy(head, rdata.p, end);
		octets_lower(head + end, rdata.p + end, rdata.n - end);
		return (struct span){ head, rdata.n };
	}
	n = rdata_names(type, rdata, names);
	end = n != 0 ? (size_t)names[n - 1].at + names[n - 1].len : 0;
	if (end > HEAD)
		return (struct span){ head, 0 };
	memcpy(head, rdata.p, end);
	for (unsigned int i = 0; i < n; i++)
		octets_lower(head + names[i].at, head + names[i].at, names[i].len);
	return (struct span){ head, end };
}

static int compare_octets(const uint8_t *a, const uint8_t *b, size_t n)
{
	return n != 0 ? memcmp(a, b, n) : 0;
}

int rdata_compare(uint16_t type, struct span a, struct span b)
{
	uint8_t head_a[HEAD];
	uint8_t head_b[HEAD];
	size_t min = a.n < b.n ? a.n : b.n;
	int c;

	if (is_lowered(format_of(type))) {
		struct span ha = canonical_head(type, a, head_a);
		struct span hb = canonical_head(type, b, head_b);
		size_t n = ha.n < hb.n ? ha.n : hb.n;

		c = compare_octets(ha.p, hb.p, n);
		if (c == 0 && ha.n > n)
			c = compare_octets(ha.p + n, b.p + n, (ha.n < min ? ha.n : min) - n);
		else if (c == 0 && hb.n > n)
			c = compare_octets(a.p + n, hb.p + n, (hb.n < min ? hb.n : min) - n);
		n = ha.n > hb.n ? ha.n : hb.n;
		if (c == 0 && min > n)
			c = compare_octets(a.p + n, b.p + n, min - n);
	} else {
		c = compare_octets(a.p, b.p, min);
	}
	if (c == 0 && a.n != b.n)
		c = a.n < b.n ? -1 : 1;
	return c;
}

uint64_t rdata_hash(const struct hash_key *key, uint16_t type, struct span rdata)
{
	uint8_t head[HEAD];
	struct span h;

	if (rdata.n == 0 || !is_lowered(format_of(type)))
		return siphash13(key, rdata.n != 0 ? rdata.p : head, rdata.n);
	h = canonical_head(type, rdata, head);
	if (h.n == rdata.n)
		return siphash13(key, head, h.n);
	return siphash13(key, head, h.n) ^ siphash13(key, rdata.p + h.n, rdata.n - h.n);
}
