#include "base/addr.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "base/cursor.h"
#include "base/mem.h"

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return a->family == b->family && memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && a->scope == b->scope && addr_equal(&a->a, &b->a);
}

RESULT addr_parse(const char *text, struct addr *ret)
{
	struct addr a = { 0 };

	if (inet_pton(AF_INET, text, a.b) == 1)
		a.family = ADDR_V4;
	else if (inet_pton(AF_INET6, text, a.b) == 1)
		a.family = ADDR_V6;
	else
		return FAIL(ERR_FORMAT);
	*ret = a;
	return DONE;
}

/* The whole of s is a decimal number from 0 to max, without sign or blank. */
static RESULT parse_number(struct span s, uint32_t max, uint32_t *ret)
{
	uint32_t v;

	if (!span_number(s, UINT32_MAX, &v))
		return FAIL(ERR_FORMAT);
	if (v > max)
		return FAIL(ERR_RANGE);
	*ret = v;
	return DONE;
}

/* The address that is written in the first n octets of text. */
static RESULT parse_part(const char *text, size_t n, struct addr *ret)
{
	char copy[ADDR_TEXT];

	if (n >= sizeof(copy))
		return FAIL(ERR_FORMAT);
	memcpy(copy, text, n);
	copy[n] = '\0';
	return addr_parse(copy, ret);
}

/* A scope is an interface's index or its name. */
static RESULT parse_scope(struct span s, uint32_t *ret)
{
	char name[IF_NAMESIZE];
	uint32_t scope;

	if (OK(parse_number(s, UINT32_MAX, ret)))
		return DONE;
	if (s.n == 0 || s.n >= sizeof(name))
		return FAIL(ERR_FORMAT);
	memcpy(name, s.p, s.n);
	name[s.n] = '\0';
	scope = if_nametoindex(name);
	if (scope == 0)
		return FAIL(ERR_NOTFOUND);
	*ret = scope;
	return DONE;
}

static bool is_link_local(const struct addr *a)
{
	return a->family == ADDR_V6 && ((a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80) || (a->b[0] == 0xff && (a->b[1] & 0x0f) == 2));
}

RESULT endpoint_parse(const char *text, uint16_t default_port, struct endpoint *ret)
{
	size_t n = strcspn(text, "%@");
	struct endpoint e = { .port = default_port };
	const char *rest = text + n;
	uint32_t port;

	TRY(parse_part(text, n, &e.a));
	if (*rest == '%') {
		size_t scope_len = strcspn(rest + 1, "@");

		if (!is_link_local(&e.a))
			return FAIL(ERR_FORMAT);
		TRY(parse_scope(span_of(rest + 1, scope_len), &e.scope));
		rest += 1 + scope_len;
	}
	if (*rest == '@') {
		TRY(parse_number(span_text(rest + 1), UINT16_MAX, &port));
		e.port = (uint16_t)port;
	}
	*ret = e;
	return DONE;
}

/* An address as two words in host order; IPv4 in the top 32 bits of the first, so that a prefix length counts from the same end. */
struct bits {
	uint64_t hi, lo;
};

static inline struct bits bits_of(const struct addr *a)
{
	return (struct bits){
		(uint64_t)load32(a->b) << 32 | load32(a->b + 4),
		(uint64_t)load32(a->b + 8) << 32 | load32(a->b + 12),
	};
}

static inline struct bits bits_mask(unsigned int len)
{
	return (struct bits){
		len == 0 ? 0 : len >= 64 ? UINT64_MAX : UINT64_MAX << (64 - len),
		len <= 64 ? 0 : len >= 128 ? UINT64_MAX : UINT64_MAX << (128 - len),
	};
}

/* a and b agree in their first len bits. */
static inline bool bits_agree(struct bits a, struct bits b, unsigned int len)
{
	struct bits m = bits_mask(len);

	return (((a.hi ^ b.hi) & m.hi) | ((a.lo ^ b.lo) & m.lo)) == 0;
}

static inline unsigned int bit_at(struct bits a, unsigned int i)
{
	return (unsigned int)((i < 64 ? a.hi >> (63 - i) : a.lo >> ((127 - i) & 63)) & 1);
}

/* The length of what a and b have in common, at most max. */
static unsigned int bits_common(struct bits a, struct bits b, unsigned int max)
{
	uint64_t hi = a.hi ^ b.hi, lo = a.lo ^ b.lo;
	unsigned int n = hi != 0 ? (unsigned int)__builtin_clzll(hi) : lo != 0 ? 64 + (unsigned int)__builtin_clzll(lo) : 128;

	return n < max ? n : max;
}

RESULT prefix_parse(const char *text, struct prefix *ret)
{
	const char *slash = strchr(text, '/');
	size_t n = slash != NULL ? (size_t)(slash - text) : strlen(text);
	struct prefix p;
	struct bits b, m;
	uint32_t len;

	TRY(parse_part(text, n, &p.a));
	len = (uint32_t)addr_octets(&p.a) * 8;
	if (slash != NULL)
		TRY(parse_number(span_text(slash + 1), len, &len));
	b = bits_of(&p.a);
	m = bits_mask(len);
	if ((b.hi & ~m.hi) != 0 || (b.lo & ~m.lo) != 0)
		return FAIL(ERR_RANGE);
	p.len = (uint8_t)len;
	*ret = p;
	return DONE;
}

bool prefix_covers(const struct prefix *p, const struct addr *a)
{
	return p->a.family == a->family && bits_agree(bits_of(&p->a), bits_of(a), p->len);
}

char *addr_text(const struct addr *a, char buf[ADDR_TEXT])
{
	const char *s = NULL;

	if (a->family == ADDR_V4)
		s = inet_ntop(AF_INET, a->b, buf, ADDR_TEXT);
	else if (a->family == ADDR_V6)
		s = inet_ntop(AF_INET6, a->b, buf, ADDR_TEXT);
	if (s == NULL)
		snprintf(buf, ADDR_TEXT, "%s", a->family == ADDR_UNIX ? "unix" : "none");
	return buf;
}

char *endpoint_text(const struct endpoint *e, char buf[ENDPOINT_TEXT])
{
	char a[ADDR_TEXT];

	addr_text(&e->a, a);
	if (addr_octets(&e->a) == 0)
		snprintf(buf, ENDPOINT_TEXT, "%.45s", a);
	else if (e->scope != 0)
		snprintf(buf, ENDPOINT_TEXT, "%.45s%%%u@%u", a, e->scope, e->port);
	else
		snprintf(buf, ENDPOINT_TEXT, "%.45s@%u", a, e->port);
	return buf;
}

static bool all_zero(const uint8_t *p, size_t n)
{
	uint8_t any = 0;

	for (size_t i = 0; i < n; i++)
		any |= p[i];
	return any == 0;
}

bool addr_is_loopback(const struct addr *a)
{
	struct addr u = addr_unmap(a);

	if (u.family == ADDR_V4)
		return u.b[0] == 127;
	return u.family == ADDR_V6 && all_zero(u.b, 15) && u.b[15] == 1;
}

bool addr_is_unspecified(const struct addr *a)
{
	return addr_octets(a) != 0 && all_zero(a->b, sizeof(a->b));
}

bool addr_is_multicast(const struct addr *a)
{
	struct addr u = addr_unmap(a);

	if (u.family == ADDR_V4)
		return (u.b[0] & 0xf0) == 0xe0 || load32(u.b) == UINT32_MAX;
	return u.family == ADDR_V6 && u.b[0] == 0xff;
}

struct addr addr_unmap(const struct addr *a)
{
	struct addr u = { .family = ADDR_V4 };

	if (a->family != ADDR_V6 || !all_zero(a->b, 10) || a->b[10] != 0xff || a->b[11] != 0xff)
		return *a;
	memcpy(u.b, a->b + 12, 4);
	return u;
}

/*
 * The table is a binary trie with compressed paths, one per family. A node stands for the prefix of its first len bits; its children
 * are longer prefixes of it and differ in bit number len. A node without a value is a fork and has two children. Nodes
 * lie in one array and name each other by index; 0 is none, so number 0 is not used.
 */
struct node {
	struct bits key; /* bits behind len are zero */
	uint32_t child[2];
	uint32_t value;
	uint8_t len; /* 0..128 */
	bool has_value;
};

struct prefix_map {
	struct node *nodes OWNED_FIELD;
	uint32_t used, room; /* nodes in use (number 0 counts), nodes allocated */
	uint32_t root[2];    /* of IPv4 and IPv6 */
	size_t count;        /* nodes with a value */
};

struct prefix_map *prefix_map_new(void)
{
	AUTO(prefix_map_free) struct prefix_map *m = mem_alloc(sizeof(*m));

	if (m == NULL)
		return NULL;
	m->used = 1;
	return MOVE(m);
}

void prefix_map_free(struct prefix_map *m)
{
	if (m == NULL)
		return;
	mem_free(m->nodes);
	mem_free(m);
}

/* Room for a put, which adds at most two nodes: after this nothing can fail half way. */
static RESULT map_reserve(struct prefix_map *m)
{
	uint32_t room = m->room != 0 ? m->room * 2 : 16;

	if (m->used + 2 <= m->room)
		return DONE;
	if (room > UINT32_MAX / 2)
		return FAIL(ERR_LIMIT);
	TRY(mem_resize((void **)&m->nodes, m->room, room, sizeof(*m->nodes)));
	m->room = room;
	return DONE;
}

static uint32_t map_add(struct prefix_map *m, struct bits key, unsigned int len)
{
	struct bits mask = bits_mask(len);

	m->nodes[m->used] = (struct node){ .key = { key.hi & mask.hi, key.lo & mask.lo }, .len = (uint8_t)len };
	return m->used++;
}

static void map_set(struct prefix_map *m, uint32_t at, uint32_t value)
{
	struct node *n = &m->nodes[at];

	if (!n->has_value)
		m->count++;
	n->has_value = true;
	n->value = value;
}

RESULT prefix_map_put(struct prefix_map *m, const struct prefix *p, uint32_t value)
{
	struct bits key = bits_of(&p->a);
	uint32_t *link, leaf;

	if (addr_octets(&p->a) == 0 || p->len > addr_octets(&p->a) * 8)
		return FAIL(ERR_RANGE);
	TRY(map_reserve(m));
	link = &m->root[p->a.family == ADDR_V6];
	while (*link != 0) {
		uint32_t at = *link;
		struct node *n = &m->nodes[at];
		unsigned int common = bits_common(key, n->key, n->len < p->len ? n->len : p->len);

		if (common < n->len) { /* the new prefix leaves the path above this node: a node is put between */
			uint32_t above = map_add(m, key, common);

			m->nodes[above].child[bit_at(n->key, common)] = at;
			*link = above;
			continue;
		}
		if (n->len == p->len) {
			map_set(m, at, value);
			return DONE;
		}
		link = &n->child[bit_at(key, n->len)];
	}
	leaf = map_add(m, key, p->len);
	*link = leaf;
	map_set(m, leaf, value);
	return DONE;
}

bool prefix_map_get(const struct prefix_map *m, const struct addr *a, uint32_t *ret_value)
{
	struct bits key = bits_of(a);
	unsigned int max = (unsigned int)addr_octets(a) * 8;
	uint32_t at = max != 0 ? m->root[a->family == ADDR_V6] : 0;
	bool found = false;
	uint32_t value = 0;

	while (at != 0) {
		const struct node *n = &m->nodes[at];

		if (!bits_agree(key, n->key, n->len))
			break;
		if (n->has_value) {
			found = true;
			value = n->value;
		}
		if (n->len >= max)
			break;
		at = n->child[bit_at(key, n->len)];
	}
	if (found)
		*ret_value = value;
	return found;
}

size_t prefix_map_count(const struct prefix_map *m)
{
	return m->count;
}
