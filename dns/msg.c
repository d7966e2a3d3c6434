#include "dns/msg.h"

#include "base/arena.h"
#include "dns/fields.h"
#include "dns/rdata.h"

#define RR_LEAST 11 /* octets of the smallest RR: root, type, class, TTL, length */
#define TTL_MAX 0x7fffffffu
#define NOTHING UINT32_MAX

/* --- a client's query, in place */

static bool read_question(struct reader *r, struct question *q)
{
	if (!OK(name_from_wire((struct span){ r->base + r->pos, reader_left(r) }, &q->name)))
		return false;
	read_skip(r, q->name.len);
	q->type = read16(r);
	q->rclass = read16(r);
	return reader_ok(r);
}

static void edns_from_ttl(struct edns *e, uint16_t size, uint32_t ttl, struct span options)
{
	*e = (struct edns){
		.present = true,
		.dnssec_ok = (ttl & 0x8000) != 0,
		.compact_ok = (ttl & 0x4000) != 0,
		.version = (uint8_t)(ttl >> 16),
		.ext_rcode = (uint8_t)(ttl >> 24),
		.udp_size = size,
		.options = options,
	};
}

/* One RR after the question: false when it makes the query malformed. last: nothing may follow it. */
static bool read_query_rr(struct reader *r, bool additional, bool last, unsigned int max_options, struct msg_query *q)
{
	size_t start = r->pos;
	bool at_root = reader_left(r) > 0 && r->base[r->pos] == 0;
	uint16_t type;
	uint16_t rclass;
	uint32_t ttl;
	struct span rdata;

	if (!OK(name_skip(r)))
		return false;
	type = read16(r);
	rclass = read16(r);
	ttl = read32(r);
	rdata = read_span(r, read16(r));
	if (!reader_ok(r))
		return false;
	if (type == RR_OPT) {
		if (!additional || q->edns.present || !at_root || !OK(edns_check_options(rdata, max_options)))
			return false;
		edns_from_ttl(&q->edns, rclass, ttl, rdata);
	} else if (type == RR_TSIG || (type == RR_SIG && rdata.n > 2 && load16(rdata.p) == 0)) {
		if (!additional || !last)
			return false;
		q->tail = span_of(r->base + start, r->pos - start);
	}
	return true;
}

enum msg_verdict msg_read_query(struct span packet, unsigned int max_options, struct msg_query *ret)
{
	struct reader r = reader_of(packet);
	unsigned int counts[4];
	unsigned int extra;

	memset(ret, 0, sizeof *ret);
	ret->q.name = name_root;
	ret->id = read16(&r);
	ret->flags = read16(&r);
	for (unsigned int i = 0; i < 4; i++)
		counts[i] = read16(&r);
	if (!reader_ok(&r) || (ret->flags & MSG_QR) != 0)
		return MSG_DROP;
	if (msg_opcode(ret->flags) != OPCODE_QUERY)
		return MSG_NOTIMP;
	if (counts[0] != 1 || !read_question(&r, &ret->q)) {
		ret->q.name = name_root;
		return MSG_FORMERR;
	}
	ret->question_end = (uint16_t)r.pos;
	if (packet.n > MSG_MAX || counts[1] != 0)
		return MSG_FORMERR;
	extra = counts[2] + counts[3]; /* the authority section of an IXFR query has a SOA */
	if (extra > reader_left(&r) / RR_LEAST)
		return MSG_FORMERR;
	for (unsigned int i = 0; i < extra; i++)
		if (!read_query_rr(&r, i >= counts[2], i + 1 == extra, max_options, ret))
			return MSG_FORMERR;
	if (!reader_end(&r))
		return MSG_FORMERR;
	return ret->edns.present && ret->edns.version != 0 ? MSG_BADVERS : MSG_GOOD;
}

/* --- whole messages: RRs are collected section by section into groups, which become RRsets */

struct group {
	struct name owner;
	uint64_t hash;
	uint32_t ttl;
	uint32_t head[2]; /* first and last RR of the lists: data, signatures */
	uint32_t tail[2];
	uint16_t count[2];
	uint16_t type;
	uint16_t rclass;
};

struct item {
	struct span rdata;
	uint64_t hash;
	uint32_t next; /* in its group */
	uint32_t group; /* twice its index, plus one for a signature */
};

#define FEW 24 /* RRs of a section that are collected on the stack */
#define SLOTS(n) (2 * (n) + 16)

struct collector {
	struct group *groups ARENA_FIELD;
	struct item *items ARENA_FIELD;
	uint16_t *group_slots ARENA_FIELD; /* index + 1 of a group, 0: free */
	uint16_t *item_slots ARENA_FIELD;
	uint32_t slots;
	uint32_t n_groups;
	uint32_t n_items;
};

struct parse {
	struct arena *arena BORROWED_FIELD;
	struct reader r;
	const struct hash_key *key BORROWED_FIELD;
	unsigned int hops;
	unsigned int max_options;
	struct writer room; /* for decompressed rdata until it is in an RRset */
	size_t memo_at;     /* the owner name that a pointer gave last; 0: none */
	struct name memo;
	uint64_t memo_hash;
	struct edns edns;
	bool drop_bad_rdata;
	unsigned int bad_rdata;
};

struct record {
	struct name owner;
	uint64_t owner_hash;
	size_t owner_at; /* what its pointer points at, 0 when it is none */
	uint32_t ttl;
	uint16_t type;
	uint16_t rclass;
	uint16_t len;
};

static RESULT no_room(const struct arena *a)
{
	return FAIL(arena_exhausted(a) ? ERR_LIMIT : ERR_NOMEM);
}

static inline uint32_t slot_of(uint64_t hash, uint32_t slots)
{
	return (uint32_t)(((hash >> 32) * slots) >> 32);
}

static uint64_t group_hash(const struct hash_key *key, uint64_t name_hash, uint16_t type, uint16_t rclass)
{
	uint8_t b[12];

	memcpy(b, &name_hash, sizeof name_hash);
	store16(b + 8, type);
	store16(b + 10, rclass);
	return siphash13(key, b, sizeof b);
}

/* The owner: in buf, or, when its pointer is that of an RR before, that one's. */
static RESULT read_owner(struct parse *p, struct name_buf *buf, struct record *rr)
{
	const uint8_t *at = p->r.base + p->r.pos;

	rr->owner_at = 0;
	if (reader_left(&p->r) >= 2 && at[0] >= 0xc0)
		rr->owner_at = load16(at) & 0x3fffu;
	if (rr->owner_at != 0 && rr->owner_at == p->memo_at) {
		read_skip(&p->r, 2);
		rr->owner = p->memo;
		rr->owner_hash = p->memo_hash;
		return DONE;
	}
	TRY(name_read_budget(&p->r, &p->hops, buf));
	rr->owner = name_of(buf);
	rr->owner_hash = name_hash(p->key, rr->owner);
	return DONE;
}

/* Checked and uncompressed rdata: where it is in the packet, or in the room. */
static RESULT read_rdata(struct parse *p, uint16_t type, uint16_t len, struct span *ret)
{
	const uint8_t *f = format_of(type);
	size_t start;
	size_t least = len + 2u * NAME_MAX_OCTETS;

	while (*f != F_END && !field_may_be_compressed(*f))
		f++;
	if (*f == F_END) {
		*ret = read_span(&p->r, len);
		return reader_ok(&p->r) ? rdata_check(type, *ret) : FAIL(ERR_FORMAT);
	}
	if (writer_left(&p->room) < least) {
		size_t size = least > 4096 ? least : 4096;
		uint8_t *more = (uint8_t *)arena_alloc(p->arena, size);

		if (more == NULL)
			return no_room(p->arena);
		p->room = writer_of(more, size);
	}
	start = p->room.pos;
	TRY(rdata_read_budget(&p->r, type, len, &p->hops, &p->room));
	*ret = (struct span){ p->room.base + start, p->room.pos - start };
	return DONE;
}

/* The group of this owner, type and class, made when there is none; NULL when the arena is full. */
static struct group *find_group(struct parse *p, struct collector *c, const struct record *rr, uint16_t type) BORROWED;
static struct group *find_group(struct parse *p, struct collector *c, const struct record *rr, uint16_t type)
{
	uint64_t hash = group_hash(p->key, rr->owner_hash, type, rr->rclass);
	uint32_t slot = slot_of(hash, c->slots);
	struct group *g;

	for (; c->group_slots[slot] != 0; slot = slot + 1 < c->slots ? slot + 1 : 0) {
		g = &c->groups[c->group_slots[slot] - 1u];
		if (g->hash == hash && g->type == type && g->rclass == rr->rclass && name_equal(g->owner, rr->owner))
			return g;
	}
	g = &c->groups[c->n_groups];
	*g = (struct group){ .hash = hash, .ttl = rr->ttl, .head = { NOTHING, NOTHING }, .type = type, .rclass = rr->rclass };
	g->owner = rr->owner.wire == p->memo.wire ? rr->owner : name_dup_in(p->arena, rr->owner);
	if (g->owner.wire == NULL)
		return NULL;
	c->group_slots[slot] = (uint16_t)++c->n_groups;
	return g;
}

/* Adds rdata to a group's list, unless it is there already. */
static void add_item(struct parse *p, struct collector *c, struct group *g, uint16_t type, struct span rdata)
{
	unsigned int list = type == RR_RRSIG;
	uint32_t group = (uint32_t)(g - c->groups) * 2 + list;
	uint64_t hash = rdata_hash(p->key, type, rdata) + group * UINT64_C(0x9e3779b97f4a7c15);
	uint32_t slot = slot_of(hash, c->slots);
	struct item *it;

	for (; c->item_slots[slot] != 0; slot = slot + 1 < c->slots ? slot + 1 : 0) {
		it = &c->items[c->item_slots[slot] - 1u];
		if (it->hash == hash && it->group == group && rdata_compare(type, it->rdata, rdata) == 0)
			return;
	}
	c->items[c->n_items] = (struct item){ rdata, hash, NOTHING, group };
	if (g->head[list] == NOTHING)
		g->head[list] = c->n_items;
	else
		c->items[g->tail[list]].next = c->n_items;
	g->tail[list] = c->n_items;
	g->count[list]++;
	c->item_slots[slot] = (uint16_t)++c->n_items;
}

static RESULT read_opt(struct parse *p, const struct record *rr)
{
	struct span options = read_span(&p->r, rr->len);

	if (!reader_ok(&p->r) || p->edns.present || rr->owner.len != 1)
		return FAIL(ERR_FORMAT);
	TRY(edns_check_options(options, p->max_options));
	if (options.n != 0) {
		const uint8_t *copy = (const uint8_t *)arena_dup(p->arena, options.p, options.n);

		if (copy == NULL)
			return no_room(p->arena);
		options.p = copy;
	}
	edns_from_ttl(&p->edns, rr->rclass, rr->ttl, options);
	return DONE;
}

static RESULT read_record(struct parse *p, struct collector *c, bool additional)
{
	struct name_buf buf;
	struct record rr;
	struct span rdata;
	struct group *g;
	struct reader before;
	struct result r;
	uint16_t type;

	TRY(read_owner(p, &buf, &rr));
	rr.type = read16(&p->r);
	rr.rclass = read16(&p->r);
	rr.ttl = read32(&p->r);
	rr.len = read16(&p->r);
	if (!reader_ok(&p->r))
		return FAIL(ERR_FORMAT);
	if (rr.type == RR_OPT)
		return additional ? read_opt(p, &rr) : FAIL(ERR_FORMAT);
	if (rr.type == 0 || (rr.type >= RR_IXFR && rr.type <= RR_ANY))
		return FAIL(ERR_FORMAT);
	if (rr.ttl > TTL_MAX)
		rr.ttl = 0;
	before = p->r;
	r = read_rdata(p, rr.type, rr.len, &rdata);
	if (r.e == ERR_FORMAT && p->drop_bad_rdata) {
		p->r = before;
		read_skip(&p->r, rr.len);
		p->bad_rdata++;
		return reader_ok(&p->r) ? DONE : FAIL(ERR_FORMAT);
	}
	TRY(r);
	type = rr.type == RR_RRSIG && rdata.n >= 2 ? load16(rdata.p) : rr.type;
	g = find_group(p, c, &rr, type);
	if (g == NULL)
		return no_room(p->arena);
	if (rr.ttl < g->ttl)
		g->ttl = rr.ttl;
	add_item(p, c, g, rr.type, rdata);
	if (rr.owner_at != 0 && rr.owner_at != p->memo_at) {
		p->memo_at = rr.owner_at;
		p->memo = g->owner;
		p->memo_hash = rr.owner_hash;
	}
	return DONE;
}

/* A list in the order of the message. */
static size_t gather(const struct collector *c, uint32_t first, struct span *to)
{
	size_t n = 0;

	for (uint32_t i = first; i != NOTHING; i = c->items[i].next)
		to[n++] = c->items[i].rdata;
	return n;
}

static RESULT make_sets(struct parse *p, const struct collector *c, struct span *spans, struct msg_section *ret)
{
	const struct rrset **sets;

	if (c->n_groups == 0)
		return DONE;
	sets = (const struct rrset **)arena_alloc_array(p->arena, c->n_groups, sizeof *sets);
	if (sets == NULL)
		return no_room(p->arena);
	for (uint32_t i = 0; i < c->n_groups; i++) {
		const struct group *g = &c->groups[i];
		size_t n = gather(c, g->head[0], spans);
		size_t sigs = gather(c, g->head[1], spans + n);

		sets[i] = rrset_make_unique_in(p->arena, g->owner, g->type, g->rclass, g->ttl, spans, n, sigs);
		if (sets[i] == NULL)
			return no_room(p->arena);
	}
	*ret = (struct msg_section){ sets, c->n_groups };
	return DONE;
}

static RESULT read_records(struct parse *p, struct collector *c, struct span *spans, unsigned int n, bool additional,
    struct msg_section *ret)
{
	for (unsigned int i = 0; i < n; i++)
		TRY(read_record(p, c, additional));
	return make_sets(p, c, spans, ret);
}

static RESULT read_few(struct parse *p, unsigned int n, bool additional, struct msg_section *ret)
{
	struct group groups[FEW];
	struct item items[FEW];
	uint16_t slots[2][SLOTS(FEW)];
	struct span spans[FEW];
	struct collector c = { groups, items, slots[0], slots[1], SLOTS(FEW), 0, 0 };

	memset(slots, 0, sizeof slots);
	return read_records(p, &c, spans, n, additional, ret);
}

static RESULT read_section(struct parse *p, unsigned int n, bool additional, struct msg_section *ret)
{
	struct collector c = { .slots = SLOTS(n) };
	struct span *spans;

	if (n > reader_left(&p->r) / RR_LEAST)
		return FAIL(ERR_FORMAT);
	if (n <= FEW)
		return read_few(p, n, additional, ret);
	c.groups = (struct group *)arena_alloc_array(p->arena, n, sizeof *c.groups);
	c.items = (struct item *)arena_alloc_array(p->arena, n, sizeof *c.items);
	c.group_slots = (uint16_t *)arena_alloc_array(p->arena, 2u * c.slots, sizeof *c.group_slots);
	spans = (struct span *)arena_alloc_array(p->arena, n, sizeof *spans);
	if (c.groups == NULL || c.items == NULL || c.group_slots == NULL || spans == NULL)
		return no_room(p->arena);
	c.item_slots = c.group_slots + c.slots;
	return read_records(p, &c, spans, n, additional, ret);
}

static RESULT read_question_in(struct arena *a, struct reader *r, struct question *ret)
{
	struct question q;

	if (!read_question(r, &q))
		return FAIL(ERR_FORMAT);
	q.name = name_dup_in(a, q.name);
	if (q.name.wire == NULL)
		return no_room(a);
	*ret = q;
	return DONE;
}

RESULT msg_read(struct arena *a, struct span packet, const struct msg_limits *limits, struct msg *ret)
{
	static const struct hash_key fixed = { { 0, 0 } };
	static const struct msg_limits none = { .key = NULL };
	const struct msg_limits *l = limits != NULL ? limits : &none;
	uint8_t room[2048];
	struct parse p = {
		.arena = a,
		.r = reader_of(packet),
		.key = l->key != NULL ? l->key : &fixed,
		.hops = l->max_hops != 0 ? l->max_hops : MSG_HOPS,
		.max_options = l->max_options,
		.drop_bad_rdata = l->drop_bad_rdata,
		.room = writer_of(room, sizeof room),
	};
	unsigned int counts[4];
	struct msg m;

	memset(&m, 0, sizeof m);
	m.id = read16(&p.r);
	m.flags = read16(&p.r);
	for (unsigned int i = 0; i < 4; i++)
		counts[i] = read16(&p.r);
	if (!reader_ok(&p.r) || packet.n > MSG_MAX || counts[0] > 1)
		return FAIL(ERR_FORMAT);
	if (l->max_rrs != 0 && counts[1] + counts[2] + counts[3] > l->max_rrs)
		return FAIL(ERR_LIMIT);
	m.has_question = counts[0] == 1;
	m.q.name = name_root;
	if (m.has_question)
		TRY(read_question_in(a, &p.r, &m.q));
	TRY(read_section(&p, counts[1], false, &m.answer));
	TRY(read_section(&p, counts[2], false, &m.authority));
	TRY(read_section(&p, counts[3], true, &m.additional));
	if (!reader_end(&p.r))
		return FAIL(ERR_FORMAT);
	m.edns = p.edns;
	m.rcode = (uint16_t)(msg_rcode(m.flags) | (unsigned int)p.edns.ext_rcode << 4);
	m.bad_rdata = p.bad_rdata;
	*ret = m;
	return DONE;
}
