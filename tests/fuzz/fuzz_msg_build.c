/*
 * The builder, told what to do by the input: sets with owners and rdata made of a few labels, limits, rotation, options, padding. The message fits, reads
 * back, and holds exactly what was said to be in it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "dns/build.h"
#include "tests/fuzz/failing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x) \
	do { \
		if (!(x)) \
			abort(); \
	} while (0)
#define MAX_SETS 64

/* Up to fifteen labels of few letters, so that suffixes are shared, in both cases. */
static void take_name(struct reader *r, struct name_buf *ret)
{
	unsigned int labels = read8(r) % 16;
	size_t at = 0;

	ret->labels = 0;
	for (unsigned int i = 0; i < labels; i++) {
		uint8_t c = read8(r);
		unsigned int n = 1 + (c >> 5) * (c & 1 ? 1 : 2);

		ret->b[at++] = (uint8_t)n;
		memset(ret->b + at, (c & 2 ? 'a' : 'A') + (c >> 2 & 7), n);
		at += n;
		ret->labels++;
	}
	ret->b[at++] = 0;
	ret->len = (uint8_t)at;
}

static size_t take_rdata(struct reader *r, uint16_t type, uint8_t *out, size_t cap)
{
	struct writer w = writer_of(out, cap);
	struct name_buf n;

	switch (type) {
	case RR_MX:
	case RR_KX:
		write16(&w, read16(r));
		break;
	case RR_SRV:
		write32(&w, read32(r));
		write16(&w, read16(r));
		break;
	case RR_SOA:
		take_name(r, &n);
		write_octets(&w, n.b, n.len);
		break;
	default:
		break;
	}
	if (type == RR_TXT) {
		uint8_t text[256];
		size_t len = read8(r);

		memset(text, 'x', sizeof text);
		write8(&w, (uint8_t)len);
		write_octets(&w, text, len);
		return w.pos;
	}
	take_name(r, &n);
	write_octets(&w, n.b, n.len);
	for (int i = 0; type == RR_SOA && i < 5; i++)
		write32(&w, read8(r));
	return w.pos;
}

static struct rrset *take_set(struct reader *r, struct arena *a) IN_ARENA;
static struct rrset *take_set(struct reader *r, struct arena *a)
{
	static const uint16_t types[8] = { RR_NS, RR_CNAME, RR_MX, RR_SRV, RR_SOA, RR_TXT, RR_DNAME, RR_KX };
	uint8_t what = read8(r);
	uint16_t type = types[what & 7];
	size_t count = 1 + (what >> 3);
	struct span spans[32];
	static uint8_t rdata[32][600];
	struct name_buf owner;

	take_name(r, &owner);
	for (size_t i = 0; i < count; i++)
		spans[i] = (struct span){ rdata[i], take_rdata(r, type, rdata[i], sizeof rdata[i]) };
	return rrset_make_in(a, name_of(&owner), type, CLASS_IN, read16(r), spans, count, 0);
}

/* Sets of one name and type in one section are read back as one: only the first of them is put. */
static bool is_new(struct rrset *const *sets, const uint8_t *parts, size_t n, const struct rrset *rs, unsigned int part)
{
	for (size_t i = 0; i < n; i++)
		if (parts[i] == part && sets[i]->type == rs->type && name_equal(rrset_name(sets[i]), rrset_name(rs)))
			return false;
	return true;
}

static void check(struct arena *a, struct span message, struct rrset *const *sets, const uint8_t *parts, size_t n, size_t rrs)
{
	static uint16_t offsets[65535];
	size_t count = 0;
	size_t at[4] = { 0, 0, 0, 0 };
	struct msg m;

	if (!OK(msg_read(a, message, NULL, &m))) {
		CHECK(mem_failed());
		return;
	}
	for (size_t i = 0; i < n; i++) {
		const struct msg_section *s = parts[i] == PART_ANSWER ? &m.answer : parts[i] == PART_AUTHORITY ? &m.authority : &m.additional;

		CHECK(at[parts[i]] < s->count);
		CHECK(MINE(rrset_same_data(s->sets[at[parts[i]]++], sets[i])));
	}
	CHECK(at[1] == m.answer.count && at[2] == m.authority.count && at[3] == m.additional.count);
	CHECK(OK(msg_ttl_offsets(message, offsets, 65535, &count)) && count == rrs);
	CHECK(rrs == 0 || msg_ttl_offsets(message, offsets, rrs - 1, &count).e == ERR_SPACE);
	for (size_t cut = 1; cut < message.n; cut += 1 + message.n / 8)
		CHECK(!OK(msg_ttl_offsets(span_of(message.p, message.n - cut), offsets, 65535, &count)));
}

/* The sets have used the input up: what options there are the flags say. */
static void add_options(struct builder *b, uint8_t flags)
{
	static const unsigned int blocks[] = { 0, 128, 468, 3 };
	struct edns_out e = { 1232, flags & 0x30 ? 23 : 0, (flags & 0x10) != 0, (flags & 0x20) != 0 };
	unsigned int block = blocks[flags >> 2 & 3];
	size_t room;

	build_edns_start(b, &e);
	build_edns_option(b, EDNS_NSID, span_of("a server", flags >> 5));
	build_edns_error(b, flags, (flags & 0x40) != 0 ? "text" : NULL);
	room = b->w.pos + 4 <= b->limit ? b->limit - b->w.pos - 4 : 0;
	build_edns_pad(b, block);
	if (block != 0 && room >= block && b->opt_at != 0)
		CHECK(b->w.pos % block == 0);
	build_edns_end(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t buf[65535];
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct reader r = reader_of(span_of(data, size));
	struct rrset *sets[MAX_SETS];
	uint8_t parts[MAX_SETS];
	unsigned int part = PART_ANSWER;
	size_t n = 0;
	size_t rrs = 0;
	size_t limit = read16(&r);
	uint8_t flags = read8(&r);
	struct builder b;
	size_t octets;

	if (a == NULL || size < 4)
		return 0;
	build_start(&b, buf, sizeof buf, limit, (flags & 1) != 0 ? 11 : 0, 1, MSG_QR);
	if ((flags & 2) != 0) {
		struct name_buf name;
		struct question q;

		take_name(&r, &name);
		q = (struct question){ name_of(&name), RR_A, CLASS_IN };
		build_question(&b, &q);
	}
	while (!reader_end(&r) && n < MAX_SETS) {
		uint8_t c = read8(&r);
		struct rrset *rs = take_set(&r, a);

		if (rs == NULL)
			return 0;
		if ((c & 3) == 3 && part < PART_ADDITIONAL)
			part++;
		if (!is_new(sets, parts, n, rs, part) || !build_rrset(&b, (enum msg_part)part, rs, rs->ttl, (c & 4) != 0, c >> 3))
			continue;
		sets[n] = rs;
		parts[n++] = (uint8_t)part;
		rrs += rs->count;
	}
	if ((flags & 1) != 0)
		add_options(&b, flags);
	octets = build_finish(&b);
	CHECK(octets <= limit);
	if (octets != 0)
		check(a, (struct span){ buf, octets }, sets, parts, n, rrs);
	else
		CHECK(n == 0);
	return 0;
}
