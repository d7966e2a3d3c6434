#include "rpki/routes/bmp.h"

#include "base/mem.h"
#include "base/strbuf.h"

#define VERSION 3u
#define COMMON 6u /* octets of the common header */
#define BGP_HEADER 19u
#define BGP_OPEN 1u

enum { ROUTE_MONITORING, STATISTICS_REPORT, PEER_DOWN, PEER_UP, INITIATION, TERMINATION, ROUTE_MIRRORING }; /* section 4.1 */
enum { PEER_LOC_RIB = 3 };                                                                                  /* RFC 9069 section 4.1; below: section 4.2 */
enum { FLAG_IPV6 = 0x80, FLAG_POST_POLICY = 0x40, FLAG_AS2 = 0x20, FLAG_OUT = 0x10 };                        /* section 4.2, RFC 8671 section 4 */
enum { CAPABILITIES = 2, CAPABILITY_AS4 = 65, CAPABILITY_PATHS = 69, EXTENDED_PARAMETERS = 255 };           /* RFC 5492, 6793, 7911, 9072 */

/* By what a router tells its peers, and views of them, apart. */
struct key {
	uint8_t type, view;
	uint8_t distinguisher[8];
	uint8_t address[16];
	uint8_t id[4];
};

struct peer {
	struct key key;
	uint32_t number, as;
	bool paths4, paths6; /* RFC 7911 */
};

struct bmp {
	struct bmp_sink *to BORROWED_FIELD;
	struct bmp_limits limits;
	struct strbuf *held OWNED_FIELD; /* the message that has begun */
	struct peer *peers OWNED_FIELD;  /* that are up */
	size_t npeers, room, last;       /* last: the one that was monitored last; most often it is the next, too */
	uint32_t next;                   /* number */
	struct bmp_counts counts;
};

struct bmp_limits bmp_limits_default(void)
{
	return (struct bmp_limits){ .message = 1u << 20, .peers = 10000 };
}

void bmp_free(struct bmp *b)
{
	if (b == NULL)
		return;
	strbuf_free(MOVE(b->held));
	mem_free(MOVE(b->peers));
	mem_free(b);
}

struct bmp *bmp_new(struct bmp_sink *to, const struct bmp_limits *limits)
{
	AUTO(bmp_free) struct bmp *b = (struct bmp *)mem_alloc(sizeof *b);

	if (b == NULL)
		return NULL;
	b->to = to;
	b->limits = *limits;
	b->held = strbuf_new(limits->message);
	return b->held != NULL ? MOVE(b) : NULL;
}

const struct bmp_counts *bmp_counts(const struct bmp *b)
{
	return &b->counts;
}

size_t bmp_peers(const struct bmp *b)
{
	return b->npeers;
}

bool bmp_within_message(const struct bmp *b)
{
	return strbuf_len(b->held) > 0;
}

/* ------------------------------------------------------------------------------------------------------------------- peers */

struct per_peer {
	struct key key;
	uint8_t flags;
	uint32_t as;
	struct addr address;
};

/* Section 4.2. False: the message is too short. */
static bool read_per_peer(struct reader *r, struct per_peer *ret)
{
	struct per_peer p = { .key = { .type = read8(r) } };
	struct span distinguisher, address, id;
	bool local = p.key.type == PEER_LOC_RIB;

	p.flags = read8(r);
	distinguisher = read_span(r, sizeof p.key.distinguisher);
	address = read_span(r, sizeof p.key.address);
	p.as = read32(r);
	id = read_span(r, sizeof p.key.id);
	read_skip(r, 8); /* when */
	if (!reader_ok(r))
		return false;
	p.key.view = (uint8_t)(local ? BMP_LOC_RIB : (p.flags & FLAG_POST_POLICY) != 0 ? BMP_AFTER_POLICY : BMP_BEFORE_POLICY);
	memcpy(p.key.distinguisher, distinguisher.p, sizeof p.key.distinguisher);
	memcpy(p.key.address, address.p, sizeof p.key.address);
	memcpy(p.key.id, id.p, sizeof p.key.id);
	if (!local && (p.flags & FLAG_IPV6) != 0) {
		p.address.family = ADDR_V6;
		memcpy(p.address.b, address.p, 16);
	} else if (!local) {
		p.address.family = ADDR_V4;
		memcpy(p.address.b, address.p + 12, 4);
	}
	*ret = p;
	return true;
}

/* Its place in the list; the number of peers when it is not up. */
static size_t find_peer(const struct bmp *b, const struct key *k)
{
	size_t i;

	if (b->last < b->npeers && memcmp(&b->peers[b->last].key, k, sizeof *k) == 0)
		return b->last;
	for (i = 0; i < b->npeers; i++)
		if (memcmp(&b->peers[i].key, k, sizeof *k) == 0)
			break;
	return i;
}

/* What one OPEN says of RFC 7911: bit 0 to receive, bit 1 to send, of each family. */
struct paths {
	uint8_t v4, v6;
};

static void read_capability(uint8_t code, struct span value, struct paths *p)
{
	struct reader r = reader_of(value);

	while (code == CAPABILITY_PATHS && reader_left(&r) >= 4) {
		uint16_t afi = read16(&r);
		uint8_t safi = read8(&r), how = read8(&r) & 3;

		if (safi == 1 && afi == 1)
			p->v4 = how;
		else if (safi == 1 && afi == 2)
			p->v6 = how;
	}
}

static void read_parameter(uint8_t type, struct span value, struct paths *p)
{
	struct reader r = reader_of(value);

	while (type == CAPABILITIES && !reader_end(&r)) {
		uint8_t code = read8(&r);

		read_capability(code, read_span(&r, read8(&r)), p);
	}
}

/* An OPEN (RFC 4271 section 4.2), which ends where its header says. False: it does not hold together. */
static bool read_open(struct reader *r, struct paths *ret)
{
	struct reader head = *r, body;
	bool extended;
	uint16_t length;

	read_skip(&head, 16);
	length = read16(&head);
	if (length < BGP_HEADER || read8(&head) != BGP_OPEN)
		return false;
	read_skip(r, BGP_HEADER);
	body = reader_of(read_span(r, length - BGP_HEADER));
	read_skip(&body, 1 + 2 + 2 + 4); /* version, AS, hold time, identifier */
	extended = read8(&body) == EXTENDED_PARAMETERS && reader_left(&body) >= 3 && body.base[body.pos] == EXTENDED_PARAMETERS; /* RFC 9072 */
	if (extended)
		read_skip(&body, 3);
	while (!reader_end(&body)) {
		uint8_t type = read8(&body);

		read_parameter(type, read_span(&body, extended ? read16(&body) : read8(&body)), ret);
	}
	return reader_ok(r) && reader_ok(&body);
}

static RESULT take_down(struct bmp *b, size_t at)
{
	uint32_t number = b->peers[at].number;

	b->peers[at] = b->peers[--b->npeers];
	return b->to->ops->down(b->to, number);
}

static RESULT add_peer(struct bmp *b, const struct per_peer *p, const struct paths *sent, const struct paths *received)
{
	bool local = p->key.type == PEER_LOC_RIB;
	struct bmp_peer told = { .address = p->address, .as = p->as, .view = (enum bmp_view)p->key.view };
	struct peer peer = { .key = p->key, .number = b->next, .as = p->as };

	/* We hear what the peer sends and the router takes; of a Loc-RIB both OPENs are the router's (RFC 9069 section 4.4). */
	peer.paths4 = local ? sent->v4 != 0 : (sent->v4 & 1) != 0 && (received->v4 & 2) != 0;
	peer.paths6 = local ? sent->v6 != 0 : (sent->v6 & 1) != 0 && (received->v6 & 2) != 0;
	if (b->npeers >= b->limits.peers)
		return FAIL(ERR_LIMIT);
	if (b->npeers == b->room) {
		TRY(mem_resize((void **)(void *)&b->peers, b->room, b->room * 2 + 4, sizeof *b->peers));
		b->room = b->room * 2 + 4;
	}
	TRY(b->to->ops->up(b->to, b->next, &told));
	b->peers[b->npeers++] = peer;
	b->next++;
	return DONE;
}

/* Section 4.10 */
static RESULT peer_up(struct bmp *b, struct reader *r, const struct per_peer *p)
{
	struct paths sent = { 0, 0 }, received = { 0, 0 };
	size_t at = find_peer(b, &p->key);

	read_skip(r, 16 + 2 + 2); /* the router's address, and both ports */
	if (!read_open(r, &sent) || !read_open(r, &received))
		return FAIL(ERR_FORMAT);
	if (at < b->npeers) { /* it went down and came up, and nobody said so */
		b->counts.strange++;
		TRY(take_down(b, at));
	}
	return add_peer(b, p, &sent, &received);
}

/* ---------------------------------------------------------------------------------------------------------------- messages */

struct telling {
	struct bmp *b BORROWED_FIELD;
	uint32_t number;
};

static RESULT tell(void *ctx, const struct bgp_change *c)
{
	struct telling *t = (struct telling *)ctx;

	t->b->counts.changes++;
	return t->b->to->ops->change(t->b->to, t->number, c);
}

static RESULT monitoring(struct bmp *b, struct reader *r, const struct per_peer *p)
{
	size_t at = find_peer(b, &p->key);
	const struct peer *peer;
	struct bgp_session s;
	struct telling t = { .b = b };
	struct result read;
	bool mended;

	if (at == b->npeers) {
		b->counts.strange++;
		return DONE;
	}
	peer = &b->peers[at];
	b->last = at;
	s = (struct bgp_session){ .as_octets = (p->flags & FLAG_AS2) != 0 && p->key.type != PEER_LOC_RIB ? 2 : 4, .paths4 = peer->paths4, .paths6 = peer->paths6, .speaker = peer->as };
	t.number = peer->number;
	read = bgp_update_read(read_rest(r), &s, tell, &t, &mended);
	b->counts.bad += mended || read.e == ERR_FORMAT;
	return read.e == ERR_FORMAT ? DONE : read;
}

static RESULT of_peer(struct bmp *b, uint8_t type, struct reader *r)
{
	struct per_peer p;
	size_t at;

	if (!read_per_peer(r, &p))
		return FAIL(ERR_FORMAT);
	if (p.key.type > PEER_LOC_RIB || (p.key.type != PEER_LOC_RIB && (p.flags & FLAG_OUT) != 0)) {
		b->counts.passed++;
		return DONE;
	}
	if (type == ROUTE_MONITORING)
		return monitoring(b, r, &p);
	if (type == PEER_UP)
		return peer_up(b, r, &p);
	at = find_peer(b, &p.key);
	if (at < b->npeers)
		return take_down(b, at);
	b->counts.strange++;
	return DONE;
}

static RESULT message(struct bmp *b, struct span s)
{
	struct reader r = reader_of(s);
	uint8_t type;

	read_skip(&r, COMMON - 1);
	type = read8(&r);
	b->counts.messages++;
	switch (type) {
	case ROUTE_MONITORING:
	case PEER_DOWN:
	case PEER_UP:
		return of_peer(b, type, &r);
	case TERMINATION:
		return FAIL(ERR_CLOSED);
	default: /* section 4: what is not known is passed over */
		b->counts.passed++;
		return DONE;
	}
}

/* Takes octets until `want` of the message are held. */
static bool hold(struct bmp *b, struct reader *r, size_t want)
{
	size_t n = want - strbuf_len(b->held);

	if (n > reader_left(r))
		n = reader_left(r);
	strbuf_add_span(b->held, read_span(r, n));
	return strbuf_len(b->held) == want && strbuf_ok(b->held);
}

/* *ret_more: there may be another message. */
static RESULT next(struct bmp *b, struct reader *r, bool *ret_more)
{
	struct reader head;
	uint32_t length;

	*ret_more = false;
	if (strbuf_len(b->held) < COMMON && !hold(b, r, COMMON))
		return strbuf_result(b->held);
	head = reader_of(strbuf_span(b->held));
	if (read8(&head) != VERSION)
		return FAIL(ERR_FORMAT);
	length = read32(&head);
	if (length < COMMON)
		return FAIL(ERR_FORMAT);
	if (length > b->limits.message)
		return FAIL(ERR_LIMIT);
	if (!hold(b, r, length))
		return strbuf_result(b->held);
	TRY(message(b, strbuf_span(b->held)));
	strbuf_clear(b->held);
	*ret_more = !reader_end(r);
	return DONE;
}

RESULT bmp_feed(struct bmp *b, struct span octets)
{
	struct reader r = reader_of(octets);
	bool more = !reader_end(&r);

	while (more)
		TRY(next(b, &r, &more));
	return DONE;
}

RESULT bmp_end(struct bmp *b)
{
	strbuf_clear(b->held);
	while (b->npeers > 0)
		TRY(take_down(b, b->npeers - 1));
	return DONE;
}
