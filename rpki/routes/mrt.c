#include "rpki/routes/mrt.h"

#include "base/mem.h"
#include "base/strbuf.h"
#include "rpki/routes/bgp.h"

#define HEADER 12u
#define TABLE_DUMP_V2 13u

enum { /* RFC 6396 section 4.3, RFC 8050 section 4 */
	PEER_INDEX_TABLE = 1,
	RIB_IPV4_UNICAST = 2,
	RIB_IPV6_UNICAST = 4,
	RIB_IPV4_UNICAST_ADDPATH = 8,
	RIB_IPV6_UNICAST_ADDPATH = 10,
};

#define SAME_MAX 16u /* origins of one prefix that are told apart; more are told again */

struct mrt {
	struct source_sink *to BORROWED_FIELD;
	struct strbuf *held OWNED_FIELD;       /* the record that has begun */
	uint32_t *peers OWNED_FIELD;           /* their AS numbers */
	size_t npeers;
	uint32_t max_record;
	uint64_t at; /* octets of the file before the record */
	struct source_counts counts;
};

void mrt_free(struct mrt *m)
{
	if (m == NULL)
		return;
	strbuf_free(MOVE(m->held));
	mem_free(MOVE(m->peers));
	mem_free(m);
}

struct mrt *mrt_new(struct source_sink *to, uint32_t max_record)
{
	AUTO(mrt_free) struct mrt *m = (struct mrt *)mem_alloc(sizeof *m);

	if (m == NULL)
		return NULL;
	m->to = to;
	m->max_record = max_record;
	m->held = strbuf_new((size_t)HEADER + max_record);
	return m->held != NULL ? MOVE(m) : NULL;
}

const struct source_counts *mrt_counts(const struct mrt *m)
{
	return &m->counts;
}

/* ----------------------------------------------------------------------------------------------------------------- records */

static void bad_record(struct mrt *m)
{
	if (m->counts.bad++ == 0)
		m->counts.first_bad = m->at + 1;
}

/* RFC 6396 section 4.3.1. False: it does not hold together. */
static bool read_peers(struct reader *r, uint32_t *peers, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t type = read8(r);

		read_skip(r, 4); /* BGP identifier */
		read_skip(r, (type & 1) != 0 ? 16 : 4);
		peers[i] = (type & 2) != 0 ? read32(r) : read16(r);
	}
	return reader_ok(r);
}

static RESULT index_record(struct mrt *m, struct span body)
{
	struct reader r = reader_of(body);
	AUTO(mem_free) void *peers = NULL;
	size_t n;

	read_skip(&r, 4); /* the collector */
	read_skip(&r, read16(&r)); /* the view's name */
	n = read16(&r);
	peers = mem_alloc_array(n, sizeof(uint32_t));
	if (peers == NULL)
		return FAIL(ERR_NOMEM);
	if (!read_peers(&r, (uint32_t *)peers, n)) {
		bad_record(m);
		return DONE;
	}
	mem_free(MOVE(m->peers));
	m->peers = (uint32_t *)MOVE(peers);
	m->npeers = n;
	return DONE;
}

struct origins {
	uint32_t list[SAME_MAX];
	size_t n;
};

static bool is_new(struct origins *o, uint32_t origin)
{
	for (size_t i = 0; i < o->n; i++)
		if (o->list[i] == origin)
			return false;
	if (o->n < SAME_MAX)
		o->list[o->n++] = origin;
	return true;
}

/* One entry of section 4.3.4. False: it does not hold together. */
static bool read_entry(const struct mrt *m, struct reader *r, bool paths, struct bgp_attributes *ret)
{
	uint16_t peer = read16(r);
	struct span attributes;

	read_skip(r, paths ? 8 : 4); /* when it came, and its identifier */
	attributes = read_span(r, read16(r));
	return reader_ok(r) && peer < m->npeers && OK(bgp_attributes_read(attributes, 4, m->peers[peer], ret));
}

static RESULT rib_record(struct mrt *m, struct span body, uint8_t family, bool paths)
{
	struct reader r = reader_of(body);
	struct origins seen = { .n = 0 };
	struct prefix p;
	uint16_t entries;
	bool good;

	read_skip(&r, 4); /* number of the record */
	good = bgp_prefix_read(&r, family, &p);
	entries = read16(&r);
	for (unsigned int i = 0; good && i < entries; i++) {
		struct bgp_attributes a;

		good = read_entry(m, &r, paths, &a);
		if (!good || !a.path || !is_new(&seen, a.origin))
			continue;
		TRY(m->to->route(m->to, &p, a.origin));
		m->counts.routes++;
	}
	if (!good || !reader_ok(&r))
		bad_record(m);
	return DONE;
}

static RESULT record(struct mrt *m, uint16_t type, uint16_t subtype, struct span body)
{
	if (type != TABLE_DUMP_V2)
		subtype = 0;
	switch (subtype) {
	case PEER_INDEX_TABLE:
		return index_record(m, body);
	case RIB_IPV4_UNICAST:
	case RIB_IPV4_UNICAST_ADDPATH:
		return rib_record(m, body, ADDR_V4, subtype == RIB_IPV4_UNICAST_ADDPATH);
	case RIB_IPV6_UNICAST:
	case RIB_IPV6_UNICAST_ADDPATH:
		return rib_record(m, body, ADDR_V6, subtype == RIB_IPV6_UNICAST_ADDPATH);
	default:
		m->counts.passed++;
		return DONE;
	}
}

/* ----------------------------------------------------------------------------------------------------------------- framing */

/* Types that RFC 6396 and IANA's registry know: what tells an MRT file from anything else. */
static bool is_type(uint16_t type)
{
	return type >= 11 && type <= 65;
}

/* Takes octets until `want` of the record are held. False: there are not so many yet. */
static bool hold(struct mrt *m, struct reader *r, size_t want, struct result *ret)
{
	size_t have = strbuf_len(m->held), n = want - have;

	if (n > reader_left(r))
		n = reader_left(r);
	if (n > 0) {
		struct span s = read_span(r, n);

		strbuf_add(m->held, s.p, s.n);
	}
	*ret = strbuf_ok(m->held) ? DONE : FAIL(ERR_NOMEM);
	return strbuf_len(m->held) == want;
}

/* A whole record when there is one; moves on behind it. */
static RESULT next(struct mrt *m, struct reader *r, bool *ret_more)
{
	struct reader head;
	struct result got;
	uint16_t type, subtype;
	uint32_t length;

	*ret_more = false;
	if (strbuf_len(m->held) < HEADER && !hold(m, r, HEADER, &got))
		return got;
	head = reader_of(strbuf_span(m->held));
	read_skip(&head, 4); /* when it was written */
	type = read16(&head);
	subtype = read16(&head);
	length = read32(&head);
	if (!is_type(type))
		return FAIL(ERR_FORMAT);
	if (length > m->max_record)
		return FAIL(ERR_LIMIT);
	if (!hold(m, r, (size_t)HEADER + length, &got))
		return got;
	head = reader_of(strbuf_span(m->held));
	read_skip(&head, HEADER);
	TRY(record(m, type, subtype, read_rest(&head)));
	m->at += HEADER + (uint64_t)length;
	strbuf_clear(m->held);
	*ret_more = !reader_end(r);
	return DONE;
}

RESULT mrt_feed(struct mrt *m, struct span octets)
{
	struct reader r = reader_of(octets);
	bool more = !reader_end(&r);

	while (more) {
		struct result e = next(m, &r, &more);

		if (e.e == ERR_FORMAT || e.e == ERR_LIMIT)
			bad_record(m);
		TRY(e);
	}
	return DONE;
}

RESULT mrt_end(struct mrt *m)
{
	if (strbuf_len(m->held) > 0)
		bad_record(m);
	return strbuf_len(m->held) == 0 && m->counts.routes > 0 ? DONE : FAIL(ERR_FORMAT);
}
