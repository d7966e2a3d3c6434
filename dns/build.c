#include "dns/build.h"

#include "dns/rdata.h"

#define POINTER_END 0x4000 /* offsets from here on do not fit a pointer */
#define WAYS 4
#define RR_FIXED 10 /* type, class, TTL and length */

void build_start(struct builder *b, uint8_t *buf, size_t cap, size_t limit, size_t reserve, uint16_t id, uint16_t flags)
{
	size_t max = cap < limit ? cap : limit;

	if (max > MSG_MAX)
		max = MSG_MAX;
	b->limit = max;
	b->reserved = reserve < max ? reserve : max;
	b->w = writer_of(buf, max - b->reserved);
	memset(b->counts, 0, sizeof b->counts);
	memset(b->tag, 0, sizeof b->tag);
	b->names = 0;
	b->opt_at = 0;
	write16(&b->w, id);
	write16(&b->w, flags);
	write32(&b->w, 0);
	write32(&b->w, 0);
}

/* --- names */

/* Lower-cases the letters of a word of octets roughly: enough that names equal without case hash equally. */
static uint32_t label_hash(uint16_t parent, const uint8_t *label)
{
	uint64_t h = (parent + UINT64_C(1)) * UINT64_C(0x9e3779b97f4a7c15);
	size_t n = 1u + label[0];
	size_t i = 0;
	uint64_t v;

	for (; i + 8 <= n; i += 8) {
		memcpy(&v, label + i, sizeof v);
		h = (h ^ (v | UINT64_C(0x2020202020202020))) * UINT64_C(0xff51afd7ed558ccd);
		h ^= h >> 29;
	}
	for (v = 0; i < n; i++)
		v = v << 8 | label[i] | 0x20;
	h = (h ^ v) * UINT64_C(0xc4ceb9fe1a85ec53);
	return (uint32_t)(h >> 32);
}

static inline uint8_t tag_of(uint32_t hash)
{
	return (uint8_t)(hash >> 24 | 1);
}

/* The entry of this label below this parent, or NULL. */
static const uint16_t *find_label(const struct builder *b, uint32_t hash, uint16_t parent, const uint8_t *label)
{
	size_t bucket = hash % (BUILD_NAMES / WAYS) * WAYS;

	for (size_t i = bucket; i < bucket + WAYS; i++)
		if (b->tag[i] == tag_of(hash) && b->parent[i] == parent &&
		    octets_equal_nocase(b->w.base + b->offset[i], label, 1u + label[0]))
			return &b->offset[i];
	return NULL;
}

static bool remember_label(struct builder *b, uint32_t hash, uint16_t parent, size_t offset)
{
	size_t bucket = hash % (BUILD_NAMES / WAYS) * WAYS;

	if (offset >= POINTER_END)
		return false;
	for (size_t i = bucket; i < bucket + WAYS; i++)
		if (b->tag[i] == 0) {
			b->tag[i] = tag_of(hash);
			b->offset[i] = (uint16_t)offset;
			b->parent[i] = parent;
			b->names++;
			return true;
		}
	return false;
}

/* Forgets what stood at and after pos, which is taken back. */
static void forget_labels(struct builder *b, size_t pos)
{
	for (size_t i = 0; i < BUILD_NAMES; i++)
		if (b->tag[i] != 0 && b->offset[i] >= pos) {
			b->tag[i] = 0;
			b->names--;
		}
}

void build_name(struct builder *b, struct name n, bool compress)
{
	uint8_t at[NAME_MAX_LABELS + 1];
	uint32_t hash = 0;
	uint16_t parent = 0;
	size_t pos = 0;
	size_t start;
	unsigned int left; /* labels that are not known */

	for (unsigned int i = 0; i < n.labels; i++) {
		at[i] = (uint8_t)pos;
		pos += 1u + n.wire[pos];
	}
	at[n.labels] = (uint8_t)pos;
	for (left = n.labels; left > 0; left--) {
		const uint8_t *label = n.wire + at[left - 1];
		const uint16_t *known;

		hash = label_hash(parent, label);
		known = find_label(b, hash, parent, label);
		if (known == NULL)
			break;
		parent = *known;
	}
	start = b->w.pos;
	if (compress && parent != 0) {
		write_octets(&b->w, n.wire, at[left]);
		write16(&b->w, (uint16_t)(0xc000 | parent));
	} else {
		write_octets(&b->w, n.wire, n.len);
	}
	if (!writer_ok(&b->w))
		return;
	while (left > 0 && remember_label(b, hash, parent, start + at[left - 1])) {
		parent = (uint16_t)(start + at[--left]);
		if (left > 0)
			hash = label_hash(parent, n.wire + at[left - 1]);
	}
}

void build_question(struct builder *b, const struct question *q)
{
	build_name(b, q->name, true);
	write16(&b->w, q->type);
	write16(&b->w, q->rclass);
	b->counts[0]++;
}

/* --- RRsets */

/* What the second and later RRs of a set have as their owner: the pointer that the first one has, or one to it. */
static uint16_t owner_pointer(const struct builder *b, size_t start, size_t end)
{
	uint16_t first = load16(b->w.base + start);

	if (end - start == 2 && first >= 0xc000)
		return first;
	return start < POINTER_END && end - start > 2 ? (uint16_t)(0xc000 | start) : 0;
}

static void write_rr(struct builder *b, uint16_t *owner, const struct rrset *rs, uint16_t type, uint32_t ttl, struct span rdata)
{
	size_t start = b->w.pos;
	size_t length_at;

	if (*owner != 0)
		write16(&b->w, *owner);
	else
		build_name(b, rrset_name(rs), true);
	if (*owner == 0 && writer_ok(&b->w) && b->w.pos - start >= 2)
		*owner = owner_pointer(b, start, b->w.pos);
	write16(&b->w, type);
	write16(&b->w, rs->rclass);
	write32(&b->w, ttl);
	length_at = b->w.pos;
	write16(&b->w, (uint16_t)rdata.n);
	rdata_write(b, type, rdata);
	if (writer_ok(&b->w))
		patch16(&b->w, length_at, (uint16_t)(b->w.pos - length_at - 2));
}

bool build_rrset(struct builder *b, enum msg_part part, const struct rrset *rs, uint32_t ttl, bool with_sigs, unsigned int first)
{
	size_t start = b->w.pos;
	size_t n = (size_t)rs->count + (with_sigs ? rs->sigs : 0);
	size_t at = rs->count != 0 ? first % rs->count : 0;
	uint16_t owner = 0;

	if (!writer_ok(&b->w) || n + b->counts[part] > UINT16_MAX)
		return false;
	for (size_t i = 0; i < n && writer_ok(&b->w); i++) {
		if (i < rs->count)
			write_rr(b, &owner, rs, rs->type, ttl, rrset_rdata(rs, at));
		else
			write_rr(b, &owner, rs, RR_RRSIG, ttl, rrset_sig(rs, i - rs->count));
		at = at + 1 < rs->count ? at + 1 : 0;
	}
	if (writer_ok(&b->w)) {
		b->counts[part] = (uint16_t)(b->counts[part] + n);
		return true;
	}
	forget_labels(b, start);
	writer_rewind(&b->w, start);
	return false;
}

RESULT msg_ttl_offsets(struct span message, uint16_t *offsets, size_t max, size_t *ret_count)
{
	struct reader r = reader_of(message);
	unsigned int questions;
	unsigned int n = 0;
	size_t found = 0;

	if (message.n > MSG_MAX)
		return FAIL(ERR_FORMAT);
	read_skip(&r, 4);
	questions = read16(&r);
	for (unsigned int i = 0; i < 3; i++)
		n += read16(&r);
	while (questions-- > 0 && reader_ok(&r)) {
		TRY(name_skip(&r));
		read_skip(&r, 4);
	}
	while (n-- > 0 && reader_ok(&r)) {
		uint16_t type;

		TRY(name_skip(&r));
		type = read16(&r);
		read_skip(&r, 2);
		if (type != RR_OPT) {
			if (found == max)
				return FAIL(ERR_SPACE);
			offsets[found++] = (uint16_t)r.pos;
		}
		read_skip(&r, 4);
		read_skip(&r, read16(&r));
	}
	if (!reader_ok(&r) || !reader_end(&r))
		return FAIL(ERR_FORMAT);
	*ret_count = found;
	return DONE;
}

/* --- EDNS */

void build_edns_start(struct builder *b, const struct edns_out *e)
{
	size_t start = b->w.pos;

	if (!writer_ok(&b->w))
		return;
	build_set_rcode(b, e->rcode & 15);
	b->w.cap += b->reserved;
	b->reserved = 0;
	write8(&b->w, 0);
	write16(&b->w, RR_OPT);
	write16(&b->w, e->udp_size);
	write8(&b->w, (uint8_t)(e->rcode >> 4));
	write8(&b->w, 0);
	write16(&b->w, (uint16_t)((e->dnssec_ok ? 0x8000 : 0) | (e->compact_ok ? 0x4000 : 0)));
	write16(&b->w, 0);
	if (!writer_ok(&b->w)) {
		writer_rewind(&b->w, start);
		return;
	}
	b->opt_at = (uint16_t)(b->w.pos - 2);
	b->counts[PART_ADDITIONAL]++;
}

bool build_edns_option(struct builder *b, uint16_t code, struct span data)
{
	if (b->opt_at == 0 || data.n > UINT16_MAX || !writer_ok(&b->w) || writer_left(&b->w) < 4 + data.n)
		return false;
	write16(&b->w, code);
	write16(&b->w, (uint16_t)data.n);
	write_span(&b->w, data);
	return true;
}

bool build_edns_error(struct builder *b, uint16_t code, const char *text)
{
	size_t n = text != NULL ? strlen(text) : 0;

	if (b->opt_at == 0 || n > UINT16_MAX - 2 || !writer_ok(&b->w) || writer_left(&b->w) < 6 + n)
		return false;
	write16(&b->w, EDNS_ERROR);
	write16(&b->w, (uint16_t)(2 + n));
	write16(&b->w, code);
	write_octets(&b->w, text, n);
	return true;
}

void build_edns_pad(struct builder *b, unsigned int block)
{
	size_t n;

	if (b->opt_at == 0 || block == 0 || !writer_ok(&b->w) || writer_left(&b->w) < 4)
		return;
	n = block - 1 - (b->w.pos + 4 + block - 1) % block;
	if (n > writer_left(&b->w) - 4)
		n = writer_left(&b->w) - 4;
	write16(&b->w, EDNS_PADDING);
	write16(&b->w, (uint16_t)n);
	while (n-- > 0)
		write8(&b->w, 0);
}

void build_edns_end(struct builder *b)
{
	if (b->opt_at != 0)
		patch16(&b->w, b->opt_at, (uint16_t)(b->w.pos - b->opt_at - 2u));
	b->opt_at = 0;
}

/* --- the header */

void build_set_flags(struct builder *b, uint16_t set, uint16_t clear)
{
	if (b->w.pos >= MSG_HEADER)
		store16(b->w.base + 2, (uint16_t)((load16(b->w.base + 2) & ~(unsigned int)clear) | set));
}

void build_set_rcode(struct builder *b, unsigned int rcode)
{
	build_set_flags(b, (uint16_t)(rcode & 15), 15);
}

size_t build_finish(struct builder *b)
{
	if (!writer_ok(&b->w) || b->w.pos < MSG_HEADER)
		return 0;
	build_edns_end(b);
	for (unsigned int i = 0; i < 4; i++)
		store16(b->w.base + 4 + (size_t)2 * i, b->counts[i]);
	return b->w.pos;
}
