/*
 * The format: a tree of nodes with two records each, 16 octets of zeros, a section of typed values, and behind a marker a map that says how large the tree is. A record below the number of nodes is
 * a node, that number is nothing, and what is above is a value's place.
 */
#include "rpki/routes/asn_db.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "rpki/routes/announced.h"
#include "rpki/routes/route_text.h"

#define MARKER 14u               /* octets */
#define MARKER_WITHIN (128u * 1024) /* from the end */
#define GAP 16u                  /* octets between tree and values */
#define V4_DEPTH 96u             /* of the IPv4 networks in a tree of IPv6 */
#define VALUES 1000u             /* that are looked at to find one of a map */

enum { POINTER = 1, TEXT, DOUBLE, OCTETS, UINT16, UINT32, MAP, INT32, UINT64, UINT128, ARRAY, BOOLEAN = 14, FLOAT };

struct asn_db_limits asn_db_limits_default(void)
{
	return (struct asn_db_limits){ .octets = (size_t)1 << 30, .networks = 20000000 };
}

/* ------------------------------------------------------------------------------------------------------------------ values */

struct value {
	unsigned int type;
	uint32_t size; /* octets, or entries of a map or an array; of a pointer: where to */
};

static uint32_t read_number(struct reader *r, unsigned int octets)
{
	uint32_t v = 0;

	for (unsigned int i = 0; i < octets; i++)
		v = v << 8 | read8(r);
	return v;
}

static struct value read_pointer(struct reader *r, uint8_t control)
{
	static const uint32_t more[] = { 0, 2048, 526336, 0 };
	unsigned int n = control >> 3 & 3;
	uint32_t high = n < 3 ? (control & 7u) << 8 * (n + 1) : 0;

	return (struct value){ .type = POINTER, .size = high + read_number(r, n + 1) + more[n] };
}

static struct value read_head(struct reader *r)
{
	static const uint32_t more[] = { 29, 285, 65821 };
	uint8_t control = read8(r);
	struct value v = { .type = control >> 5, .size = control & 31u };

	if (v.type == POINTER)
		return read_pointer(r, control);
	if (v.type == 0)
		v.type = 7u + read8(r);
	if (v.size >= 29)
		v.size = more[v.size - 29] + read_number(r, v.size - 28);
	return v;
}

/* Past the value whose head was read, and all that is in it. False: it does not hold together, or is more than there is a budget for. */
static bool skip_rest(struct reader *r, struct value v, unsigned int *budget)
{
	uint64_t more = 1;

	for (;;) {
		if (v.type == TEXT || v.type == OCTETS || v.type == UINT16 || v.type == UINT32 || v.type == INT32 || v.type == UINT64 || v.type == UINT128)
			read_skip(r, v.size);
		else if (v.type == DOUBLE || v.type == FLOAT)
			read_skip(r, v.type == DOUBLE ? 8 : 4);
		else if (v.type == MAP || v.type == ARRAY)
			more += v.type == MAP ? (uint64_t)v.size * 2 : v.size;
		else if (v.type != POINTER && v.type != BOOLEAN)
			return false;
		if (!reader_ok(r))
			return false;
		if (--more == 0)
			return true;
		if (*budget == 0)
			return false;
		*budget -= 1;
		v = read_head(r);
	}
}

/* A value where a pointer may stand for it; *r goes to the value itself, in *ret. A pointer to a pointer is none. */
static bool follow(struct span section, struct reader *r, struct value *ret)
{
	struct value v = read_head(r);

	if (v.type == POINTER && reader_ok(r)) {
		*r = reader_of(section);
		read_skip(r, v.size);
		v = read_head(r);
	}
	*ret = v;
	return reader_ok(r) && v.type != POINTER;
}

static bool is_key(struct span section, struct reader *at, struct value v, const char *key)
{
	struct reader r = *at;
	struct span text;

	if (v.type == POINTER) {
		r = reader_of(section);
		read_skip(&r, v.size);
		v = read_head(&r);
	} else {
		read_skip(at, v.size);
	}
	text = read_span(&r, v.size);
	return v.type == TEXT && reader_ok(&r) && text.n == strlen(key) && memcmp(text.p, key, text.n) == 0;
}

/* The value that the map has for key, as a reader behind its head. */
static bool find_value(struct span section, struct reader map, const char *key, struct value *ret, struct reader *ret_at)
{
	unsigned int budget = VALUES;
	struct value v;

	if (!follow(section, &map, &v) || v.type != MAP)
		return false;
	for (uint32_t n = v.size; n > 0 && budget > 0; n--, budget--) {
		struct value k = read_head(&map);

		if (k.type != TEXT && k.type != POINTER)
			return false;
		if (is_key(section, &map, k, key)) {
			*ret_at = map;
			return follow(section, ret_at, ret);
		}
		if (!skip_rest(&map, read_head(&map), &budget))
			return false;
	}
	return false;
}

static bool find_number(struct span section, struct reader map, const char *key, uint32_t *ret)
{
	struct value v;
	struct reader at;

	if (!find_value(section, map, key, &v, &at) || (v.type != UINT16 && v.type != UINT32) || v.size > 4)
		return false;
	*ret = read_number(&at, v.size);
	return reader_ok(&at);
}

/* ---------------------------------------------------------------------------------------------------------------- the whole */

struct database {
	struct span tree, values;
	uint32_t nodes;
	unsigned int bits; /* of a record: 24, 28 or 32 */
	bool v6;
};

/* What is behind the last marker. */
static bool find_metadata(struct span s, struct span *ret)
{
	size_t first = s.n > MARKER_WITHIN ? s.n - MARKER_WITHIN : 0;

	for (size_t at = s.n; at-- > first;) {
		struct reader r = reader_of(s);
		struct span here;

		read_skip(&r, at);
		here = read_span(&r, MARKER);
		if (!reader_ok(&r) || !span_equal(here, span_of("\xab\xcd\xefMaxMind.com", MARKER)))
			continue;
		*ret = read_rest(&r);
		return true;
	}
	return false;
}

static bool is_whole(struct span value)
{
	unsigned int budget = VALUES;
	struct reader r = reader_of(value);

	return skip_rest(&r, read_head(&r), &budget);
}

static bool open_database(struct span s, struct database *ret)
{
	struct database db = { .nodes = 0 };
	struct span meta;
	struct reader r = reader_of(s);
	uint32_t bits = 0, version = 0;

	if (!find_metadata(s, &meta) || !is_whole(meta) || !find_number(meta, reader_of(meta), "node_count", &db.nodes) || !find_number(meta, reader_of(meta), "record_size", &bits) ||
	    !find_number(meta, reader_of(meta), "ip_version", &version))
		return false;
	if ((bits != 24 && bits != 28 && bits != 32) || (version != 4 && version != 6))
		return false;
	db.bits = bits;
	db.v6 = version == 6;
	db.tree = read_span(&r, (size_t)db.nodes * bits / 4);
	read_skip(&r, GAP);
	db.values = read_rest(&r);
	*ret = db;
	return reader_ok(&r);
}

/* Both records of a node. */
static void read_node(const struct database *db, uint32_t node, uint32_t ret[2])
{
	struct reader r = reader_of(db->tree);
	uint8_t middle;

	read_skip(&r, (size_t)node * db->bits / 4);
	ret[0] = read_number(&r, db->bits / 8);
	middle = db->bits == 28 ? read8(&r) : 0;
	ret[1] = read_number(&r, db->bits / 8);
	ret[0] |= (uint32_t)(middle >> 4) << 24;
	ret[1] |= (uint32_t)(middle & 15) << 24;
}

struct walk {
	const struct database *db BORROWED_FIELD;
	struct source_sink *to BORROWED_FIELD;
	struct source_counts counts;
	uint64_t networks;  /* that may still be told */
	uint64_t nodes;     /* that may still be looked at: each once */
	uint64_t v4;        /* node of ::/96; UINT64_MAX: there is none */
	uint8_t addr[16];   /* the way here */
};

/* ---------------------------------------------------------------------------------------------------------------- networks */

static bool asn_of(const struct walk *w, struct reader map, uint32_t *ret)
{
	struct value v;
	struct reader at;
	struct span text;

	if (find_number(w->db->values, map, "autonomous_system_number", ret))
		return true;
	if (!find_value(w->db->values, map, "asn", &v, &at) || v.type != TEXT)
		return false;
	text = read_span(&at, v.size);
	return reader_ok(&at) && route_text_asn(text, ret);
}

/* depth: bits of w->addr; place: of what is known of the network */
static RESULT tell(struct walk *w, unsigned int depth, uint64_t place)
{
	static const uint8_t v4[12];
	struct prefix p = { .a = { .family = ADDR_V6 }, .len = (uint8_t)depth };
	struct reader r = reader_of(w->db->values);
	uint32_t asn;

	if (place >= w->db->values.n) {
		w->counts.bad++;
		return DONE;
	}
	read_skip(&r, (size_t)place);
	if (!asn_of(w, r, &asn)) {
		w->counts.passed++;
		return DONE;
	}
	if (w->networks-- == 0)
		return FAIL(ERR_LIMIT);
	w->counts.routes++;
	if (depth >= V4_DEPTH && memcmp(w->addr, v4, sizeof v4) == 0) {
		p = (struct prefix){ .a = { .family = ADDR_V4 }, .len = (uint8_t)(depth - V4_DEPTH) };
		memcpy(p.a.b, w->addr + sizeof v4, 4);
	} else {
		memcpy(p.a.b, w->addr, 16);
	}
	return w->to->route(w->to, &p, asn);
}

/* -------------------------------------------------------------------------------------------------------------------- tree */

static bool is_v4_way(const struct walk *w, unsigned int depth)
{
	static const uint8_t zeros[16];

	return depth == V4_DEPTH && memcmp(w->addr, zeros, sizeof zeros) == 0;
}

static RESULT walk_node(struct walk *w, uint32_t node, unsigned int depth);

static RESULT walk_side(struct walk *w, uint32_t record, unsigned int depth)
{
	uint64_t first = (uint64_t)w->db->nodes + GAP;

	if (record == w->db->nodes)
		return DONE;
	if (record > w->db->nodes)
		return tell(w, depth, record >= first ? record - first : UINT64_MAX);
	if (depth >= 128)
		return FAIL(ERR_FORMAT);
	if (record == w->v4 && !is_v4_way(w, depth))
		return DONE; /* 2002::/16 and the like point back to the IPv4 networks */
	return walk_node(w, record, depth);
}

static RESULT walk_node(struct walk *w, uint32_t node, unsigned int depth)
{
	uint32_t record[2];

	if (w->nodes-- == 0)
		return FAIL(ERR_FORMAT);
	read_node(w->db, node, record);
	TRY(walk_side(w, record[0], depth + 1));
	w->addr[depth / 8] |= (uint8_t)(0x80u >> depth % 8);
	TRY(walk_side(w, record[1], depth + 1));
	w->addr[depth / 8] &= (uint8_t)~(0x80u >> depth % 8);
	return DONE;
}

static uint64_t find_v4(const struct database *db)
{
	uint32_t record[2] = { 0, 0 };

	for (unsigned int i = 0; i < V4_DEPTH; i++) {
		if (record[0] >= db->nodes)
			return UINT64_MAX;
		read_node(db, record[0], record);
	}
	return record[0] < db->nodes ? record[0] : UINT64_MAX;
}

RESULT asn_db_read(struct span octets, const struct asn_db_limits *limits, struct source_sink *to, struct source_counts *ret_counts)
{
	struct database db;
	struct walk w = { .db = &db, .to = to, .networks = limits->networks, .v4 = UINT64_MAX };
	struct result r;

	*ret_counts = w.counts;
	if (!open_database(octets, &db))
		return FAIL(ERR_FORMAT);
	w.nodes = db.nodes;
	if (db.v6)
		w.v4 = find_v4(&db);
	r = db.nodes > 0 ? walk_node(&w, 0, db.v6 ? 0 : V4_DEPTH) : DONE;
	*ret_counts = w.counts;
	return OK(r) && w.counts.routes == 0 ? FAIL(ERR_FORMAT) : r;
}

RESULT asn_db_load(const char *path, const struct asn_db_limits *limits, struct announced_edit *e, uint32_t source, struct strbuf *what)
{
	struct announced_sink into = announced_sink(e, source);
	struct source_counts c = { .routes = 0 };
	AUTO_CHARS char *text = NULL;
	size_t n = 0;
	struct result r = file_read_all(path, limits->octets, &text, &n);

	if (OK(r))
		r = asn_db_read(span_of(text, n), limits, &into.sink, &c);
	if (OK(r))
		strbuf_printf(what, "%s: %" PRIu64 " networks (ASN database)", path, c.routes);
	else if (r.e == ERR_LIMIT)
		strbuf_printf(what, "%s: too large, after %" PRIu64 " networks", path, c.routes);
	else if (r.e == ERR_FORMAT)
		strbuf_printf(what, "%s: found %" PRIu64 " networks, expected a whole database of autonomous systems in MaxMind's format", path, c.routes);
	else if (r.e == ERR_SYSTEM)
		strbuf_printf(what, "%s: %s", path, strerror(errno));
	else
		strbuf_printf(what, "%s: %s", path, err_text(r.e));
	if (c.bad > 0)
		strbuf_printf(what, "; %" PRIu64 " places in it do not hold together", c.bad);
	return r;
}
