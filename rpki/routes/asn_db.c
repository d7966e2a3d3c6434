#include "rpki/routes/asn_db.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "base/libmaxminddb.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "rpki/routes/announced.h"
#include "rpki/routes/route_text.h"

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)
#define V4_DEPTH 96u /* of the IPv4 networks in a tree of IPv6 */

struct asn_db_limits asn_db_limits_default(void)
{
	return (struct asn_db_limits){ .octets = (size_t)1 << 30, .networks = 20000000 };
}

struct walk {
	const MMDB_s *db BORROWED_FIELD;
	struct source_sink *to BORROWED_FIELD;
	struct source_counts counts;
	uint64_t networks;  /* that may still be told */
	uint64_t nodes;     /* that may still be looked at: each once */
	uint64_t v4;        /* node of ::/96; UINT64_MAX: there is none */
	uint8_t addr[16];   /* the way here */
	unsigned int first; /* bits before the tree begins: 96 in one of IPv4 */
};

/* ---------------------------------------------------------------------------------------------------------------- networks */

static bool asn_of(MMDB_entry_s *entry, uint32_t *ret)
{
	static const char *const number[] = { "autonomous_system_number", NULL }, *const text[] = { "asn", NULL };
	MMDB_entry_data_s d;

	if (MMDB_aget_value(entry, &d, number) == MMDB_SUCCESS && d.has_data && d.type == MMDB_DATA_TYPE_UINT32) {
		*ret = d.uint32;
		return true;
	}
	return MMDB_aget_value(entry, &d, text) == MMDB_SUCCESS && d.has_data && d.type == MMDB_DATA_TYPE_UTF8_STRING && route_text_asn(span_of(d.utf8_string, d.data_size), ret);
}

/* depth: bits of w->addr */
static RESULT tell(struct walk *w, unsigned int depth, MMDB_entry_s *entry)
{
	static const uint8_t v4[12];
	struct prefix p = { .a = { .family = ADDR_V6 }, .len = (uint8_t)depth };
	uint32_t asn;

	if (!asn_of(entry, &asn)) {
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

static RESULT walk_side(struct walk *w, uint8_t type, uint64_t value, MMDB_entry_s *entry, unsigned int depth)
{
	switch (type) {
	case MMDB_RECORD_TYPE_EMPTY:
		return DONE;
	case MMDB_RECORD_TYPE_DATA:
		return tell(w, depth, entry);
	case MMDB_RECORD_TYPE_SEARCH_NODE:
		if (depth >= 128)
			return FAIL(ERR_FORMAT);
		if (value == w->v4 && w->first == 0 && !is_v4_way(w, depth))
			return DONE; /* 2002::/16 and the like point back to the IPv4 networks */
		return walk_node(w, (uint32_t)value, depth);
	default:
		w->counts.bad++;
		return DONE;
	}
}

static RESULT walk_node(struct walk *w, uint32_t node, unsigned int depth)
{
	MMDB_search_node_s n;

	if (w->nodes-- == 0 || MMDB_read_node(w->db, node, &n) != MMDB_SUCCESS)
		return FAIL(ERR_FORMAT);
	TRY(walk_side(w, n.left_record_type, n.left_record, &n.left_record_entry, depth + 1));
	w->addr[depth / 8] |= (uint8_t)(0x80u >> depth % 8);
	TRY(walk_side(w, n.right_record_type, n.right_record, &n.right_record_entry, depth + 1));
	w->addr[depth / 8] &= (uint8_t)~(0x80u >> depth % 8);
	return DONE;
}

static uint64_t find_v4(const MMDB_s *db)
{
	MMDB_search_node_s n;
	uint32_t node = 0;

	for (unsigned int i = 0; i < V4_DEPTH; i++) {
		if (MMDB_read_node(db, node, &n) != MMDB_SUCCESS || n.left_record_type != MMDB_RECORD_TYPE_SEARCH_NODE)
			return UINT64_MAX;
		node = (uint32_t)n.left_record;
	}
	return node;
}

static RESULT walk_all(const MMDB_s *db, const struct asn_db_limits *limits, struct source_sink *to, struct source_counts *ret_counts)
{
	struct walk w = { .db = db, .to = to, .networks = limits->networks, .nodes = db->metadata.node_count, .v4 = UINT64_MAX };
	struct result r;

	if (db->metadata.ip_version == 4)
		w.first = V4_DEPTH;
	else
		w.v4 = find_v4(db);
	r = db->metadata.node_count > 0 ? walk_node(&w, 0, w.first) : DONE;
	*ret_counts = w.counts;
	return OK(r) && w.counts.routes == 0 ? FAIL(ERR_FORMAT) : r;
}

/* -------------------------------------------------------------------------------------------------------------------- file */

/* A memory file with these octets, which nobody can change any more. ERR_SYSTEM. */
static RESULT sealed_copy(struct span s, int *ret_fd)
{
	int fd = memfd_create("asn-db", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct reader r = reader_of(s);

	if (fd < 0)
		return FAIL(ERR_SYSTEM);
	while (!reader_end(&r)) {
		ssize_t n = write(fd, r.base + r.pos, reader_left(&r));

		if (n <= 0) {
			(void)close(fd);
			return FAIL(ERR_SYSTEM);
		}
		read_skip(&r, (size_t)n);
	}
	if (fcntl(fd, F_ADD_SEALS, SEALS) != 0) {
		(void)close(fd);
		return FAIL(ERR_SYSTEM);
	}
	*ret_fd = fd;
	return DONE;
}

RESULT asn_db_read(struct span octets, const struct asn_db_limits *limits, struct source_sink *to, struct source_counts *ret_counts)
{
	char path[40];
	MMDB_s db;
	struct result r;
	int fd, e;

	*ret_counts = (struct source_counts){ .routes = 0 };
	if (octets.n == 0)
		return FAIL(ERR_FORMAT);
	TRY(sealed_copy(octets, &fd));
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	memset(&db, 0, sizeof db);
	e = MMDB_open(path, MMDB_MODE_MMAP, &db);
	if (e == MMDB_SUCCESS) {
		r = walk_all(&db, limits, to, ret_counts);
		MMDB_close(&db);
	} else {
		r = FAIL(e == MMDB_OUT_OF_MEMORY_ERROR ? ERR_NOMEM : e == MMDB_FILE_OPEN_ERROR || e == MMDB_IO_ERROR ? ERR_SYSTEM : ERR_FORMAT);
	}
	(void)close(fd);
	return r;
}

struct into {
	struct source_sink sink; /* first */
	struct announced_edit *e BORROWED_FIELD;
	uint32_t source;
};

static RESULT put(struct source_sink *s, const struct prefix *p, uint32_t origin)
{
	struct into *i = (struct into *)(void *)s;
	struct announced_route r = { .origin = origin, .source = i->source, .path = origin };

	return announced_set(i->e, p, &r);
}

RESULT asn_db_load(const char *path, const struct asn_db_limits *limits, struct announced_edit *e, uint32_t source, struct strbuf *what)
{
	struct into into = { .sink = { .route = put }, .e = e, .source = source };
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
