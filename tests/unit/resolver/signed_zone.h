/*
 * signed_zone.h: small random zones for the tests of aggressive denial: names with delegations, aliases, wildcards and empty non-terminals, what a question about
 * them must be answered, and their NSEC or NSEC3 records as secure RRsets. The signatures are of the right form only: nothing here verifies them.
 */
#ifndef TESTS_UNIT_RESOLVER_SIGNED_ZONE_H
#define TESTS_UNIT_RESOLVER_SIGNED_ZONE_H

#include <stdlib.h>

#include "cache_unit.h"
#include "resolver/cache/denials.h"
#include "validator/nsec3.h"

#define ZONE_NODES 40

struct node {
	struct name name;
	uint16_t type[6];
	unsigned int types; /* 0: an empty non-terminal */
};

struct zone {
	struct arena *arena;
	struct name apex;
	struct node node[ZONE_NODES * 5];
	unsigned int nodes; /* in canonical order, the apex first */
	uint32_t ttl;
	/* NSEC3 */
	uint8_t salt[4];
	unsigned int salt_len, iterations;
	bool opt_out;
	const struct rrset *set[ZONE_NODES * 5]; /* the denials, in order */
	unsigned int sets;
	const struct rrset *soa;
};

static inline uint32_t zone_draw(uint64_t *x, uint32_t below)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return (uint32_t)(*x >> 32) % below;
}

static inline struct name zone_name_below(struct arena *a, struct name above, const void *label, size_t n)
{
	struct name_buf b = { .len = 2, .labels = 1 };
	struct name_buf out;
	struct name made;

	b.b[0] = (uint8_t)n;
	memcpy(b.b + 1, label, n);
	b.b[n + 1] = 0;
	b.len = (uint8_t)(n + 2);
	assert_true(OK(name_concat(name_of(&b), 1, above, &out)));
	made = name_dup_in(a, name_of(&out));
	assert_non_null(made.wire);
	return made;
}

/* A name of up to three labels below the apex, out of few labels, so that names meet. */
static inline struct name zone_random_name(struct zone *z, uint64_t *x)
{
	static const struct { const char *p; size_t n; } label[] = { { "a", 1 }, { "b", 1 }, { "B", 1 }, { "ab", 2 }, { "*", 1 }, { "\0", 1 }, { "\1", 1 },
		{ "a\0", 2 }, { "\377", 1 }, { "*a", 2 } };
	struct name n = z->apex;

	for (unsigned int i = zone_draw(x, 4); i > 0; i--) {
		unsigned int k = zone_draw(x, sizeof label / sizeof label[0]);

		n = zone_name_below(z->arena, n, label[k].p, label[k].n);
	}
	return n;
}

static inline struct node *zone_find(struct zone *z, struct name n)
{
	for (unsigned int i = 0; i < z->nodes; i++) {
		if (name_equal(z->node[i].name, n))
			return &z->node[i];
	}
	return NULL;
}

static inline bool node_has(const struct node *n, uint16_t type)
{
	for (unsigned int i = 0; i < n->types; i++) {
		if (n->type[i] == type)
			return true;
	}
	return false;
}

static inline bool node_is_cut(const struct node *n) { return node_has(n, RR_NS) && !node_has(n, RR_SOA); }

static inline struct node *zone_add(struct zone *z, struct name n)
{
	struct node *at = zone_find(z, n);

	if (at == NULL) {
		at = &z->node[z->nodes++];
		*at = (struct node){ .name = n };
	}
	return at;
}

static inline void node_add(struct node *n, uint16_t type)
{
	if (!node_has(n, type))
		n->type[n->types++] = type;
}

/* Nothing is in the zone below a delegation or a DNAME. */
static inline bool zone_is_hidden(struct zone *z, struct name n)
{
	for (unsigned int i = z->apex.labels; i < n.labels; i++) {
		struct node *above = zone_find(z, name_suffix(n, i));

		if (above != NULL && (node_is_cut(above) || node_has(above, RR_DNAME)))
			return true;
	}
	return false;
}

static inline bool zone_has_below(struct zone *z, struct name n)
{
	for (unsigned int i = 0; i < z->nodes; i++) {
		if (name_is_strictly_under(z->node[i].name, n))
			return true;
	}
	return false;
}

static inline void zone_fill_node(struct zone *z, struct node *n, uint64_t *x)
{
	if (n->types > 0)
		return;
	switch (zone_draw(x, 8)) {
	case 0:
		node_add(n, RR_CNAME);
		break;
	case 1:
	case 2:
		if (zone_has_below(z, n->name))
			break;
		node_add(n, RR_NS);
		if (zone_draw(x, 2) == 0)
			node_add(n, RR_DS);
		break;
	case 3:
		if (zone_has_below(z, n->name))
			break;
		node_add(n, RR_DNAME);
		break;
	default:
		break;
	}
	if (n->types == 0)
		node_add(n, zone_draw(x, 2) == 0 ? RR_A : RR_TXT);
}

static inline int zone_by_name(const void *a, const void *b)
{
	return name_compare(((const struct node *)a)->name, ((const struct node *)b)->name);
}

static inline void zone_sort(struct zone *z) { qsort(z->node, z->nodes, sizeof z->node[0], zone_by_name); }

static inline void zone_make(struct zone *z, struct arena *a, struct name apex, uint64_t *x)
{
	unsigned int want = zone_draw(x, ZONE_NODES) + 1, named;

	*z = (struct zone){ .arena = a, .apex = apex, .ttl = 100, .opt_out = zone_draw(x, 3) == 0, .salt_len = zone_draw(x, 5), .iterations = zone_draw(x, 3) };
	for (unsigned int i = 0; i < z->salt_len; i++)
		z->salt[i] = (uint8_t)zone_draw(x, 256);
	struct node *top = zone_add(z, apex);
	node_add(top, RR_SOA);
	node_add(top, RR_NS);
	for (unsigned int i = 0; i < want; i++) {
		struct name n = zone_random_name(z, x);

		if (!zone_is_hidden(z, n))
			zone_fill_node(z, zone_add(z, n), x);
	}
	named = z->nodes;
	for (unsigned int i = 0; i < named; i++) {
		for (unsigned int k = apex.labels; k < z->node[i].name.labels; k++)
			(void)zone_add(z, name_suffix(z->node[i].name, k));
	}
	zone_sort(z);
}

/* What a server with the whole zone would say. *ret_closest: of wildcards. */
static inline enum denied zone_says(struct zone *z, struct name name, uint16_t type, unsigned int *ret_closest)
{
	struct node *n = zone_find(z, name), *w;
	unsigned int labels = name.labels;

	*ret_closest = 0;
	if (!name_is_under(name, z->apex) || zone_is_hidden(z, name))
		return DENIED_NOTHING;
	if (n != NULL) {
		if (n->types == 0)
			return DENIED_NODATA;
		if (type == RR_ANY || node_has(n, type) || node_has(n, RR_CNAME))
			return DENIED_NOTHING;
		if (type == RR_DS)
			return name_equal(name, z->apex) && !name_is_root(name) ? DENIED_NOTHING : DENIED_NODATA;
		return node_is_cut(n) ? DENIED_NOTHING : DENIED_NODATA;
	}
	while (zone_find(z, name_suffix(name, labels)) == NULL)
		labels--;
	*ret_closest = labels;
	w = zone_find(z, zone_name_below(z->arena, name_suffix(name, labels), "*", 1));
	if (w == NULL)
		return DENIED_NXDOMAIN;
	if (type == RR_ANY || node_is_cut(w) || node_has(w, RR_DNAME))
		return DENIED_NOTHING;
	return node_has(w, type) || node_has(w, RR_CNAME) ? DENIED_WILDCARD : DENIED_NODATA;
}

/* --- records */

static inline size_t zone_bitmap(const struct node *n, bool nsec, uint8_t *out)
{
	uint8_t bits[32] = { 0 };
	size_t used = 0;

	for (unsigned int i = 0; i < n->types; i++)
		bits[n->type[i] / 8] |= (uint8_t)(0x80 >> n->type[i] % 8);
	if (n->types > 0 && (!node_is_cut(n) || nsec || node_has(n, RR_DS)))
		bits[RR_RRSIG / 8] |= 0x80 >> RR_RRSIG % 8;
	if (nsec)
		bits[RR_NSEC / 8] |= 0x80 >> RR_NSEC % 8;
	for (size_t i = 0; i < sizeof bits; i++)
		used = bits[i] != 0 ? i + 1 : used;
	if (used == 0)
		return 0;
	out[0] = 0;
	out[1] = (uint8_t)used;
	memcpy(out + 2, bits, used);
	return used + 2;
}

/* One RR with one signature of that signer. */
static inline struct rrset *zone_set(struct arena *a, struct name owner, uint16_t type, uint32_t ttl, struct span rdata, struct name signer)
{
	uint8_t sig[18 + NAME_MAX_OCTETS + 8] = { (uint8_t)(type >> 8), (uint8_t)type, 13 };
	struct span both[2] = { rdata, { sig, 18u + signer.len + 8u } };
	struct rrset *rs;

	sig[3] = (uint8_t)(owner.labels - (name_is_wildcard(owner) ? 1 : 0));
	memcpy(sig + 18, signer.wire, signer.len);
	rs = rrset_make_in(a, owner, type, CLASS_IN, ttl, both, 1, 1);
	assert_non_null(rs);
	rs->security = SECURITY_SECURE;
	rs->rank = RANK_AUTHORITY;
	return rs;
}

static inline const struct rrset *zone_soa(struct arena *a, struct name apex, uint32_t ttl, uint32_t minimum)
{
	uint8_t rdata[22] = { 0 };

	store32(rdata + 18, minimum);
	return zone_set(a, apex, RR_SOA, ttl, span_of(rdata, sizeof rdata), apex);
}

static inline const struct rrset *zone_nsec(struct arena *a, struct name apex, const struct node *n, struct name next, uint32_t ttl)
{
	uint8_t rdata[NAME_MAX_OCTETS + 40];

	memcpy(rdata, next.wire, next.len);
	return zone_set(a, n->name, RR_NSEC, ttl, span_of(rdata, next.len + zone_bitmap(n, true, rdata + next.len)), apex);
}

static inline void zone_make_nsecs(struct zone *z)
{
	const struct node *owner[ZONE_NODES * 5];
	unsigned int n = 0;

	for (unsigned int i = 0; i < z->nodes; i++) {
		if (z->node[i].types > 0)
			owner[n++] = &z->node[i];
	}
	z->sets = n;
	for (unsigned int i = 0; i < n; i++)
		z->set[i] = zone_nsec(z->arena, z->apex, owner[i], owner[(i + 1) % n]->name, z->ttl);
	z->soa = zone_soa(z->arena, z->apex, z->ttl, z->ttl);
}

struct hashed_node {
	uint8_t hash[NSEC3_HASH_OCTETS];
	const struct node *node;
};

static inline int zone_by_hash(const void *a, const void *b)
{
	return memcmp(((const struct hashed_node *)a)->hash, ((const struct hashed_node *)b)->hash, NSEC3_HASH_OCTETS);
}

static inline struct name zone_hash_owner(struct arena *a, struct name apex, const uint8_t *hash)
{
	static const char digit[] = "0123456789abcdefghijklmnopqrstuv";
	char label[33];

	for (unsigned int i = 0; i < 32; i++) {
		unsigned int bit = i * 5, v = (unsigned int)(hash[bit / 8] << 8 | (bit / 8 + 1 < NSEC3_HASH_OCTETS ? hash[bit / 8 + 1] : 0));

		label[i] = digit[v >> (11 - bit % 8) & 31];
	}
	return zone_name_below(a, apex, label, 32);
}

static inline const struct rrset *zone_nsec3(struct zone *z, const struct hashed_node *n, const struct hashed_node *next, bool opt_out)
{
	uint8_t rdata[5 + 4 + 21 + 40] = { 1, opt_out, (uint8_t)(z->iterations >> 8), (uint8_t)z->iterations, (uint8_t)z->salt_len };
	size_t at = 5;

	memcpy(rdata + at, z->salt, z->salt_len);
	at += z->salt_len;
	rdata[at++] = NSEC3_HASH_OCTETS;
	memcpy(rdata + at, next->hash, NSEC3_HASH_OCTETS);
	at += NSEC3_HASH_OCTETS;
	at += zone_bitmap(n->node, false, rdata + at);
	return zone_set(z->arena, zone_hash_owner(z->arena, z->apex, n->hash), RR_NSEC3, z->ttl, span_of(rdata, at), z->apex);
}

/* With opt-out, unsigned delegations and what is there for their sake only are left out (RFC 5155 section 7.1). */
static inline bool zone_leaves_out(struct zone *z, const struct node *n)
{
	if (!z->opt_out || name_equal(n->name, z->apex))
		return false;
	if (n->types > 0)
		return node_is_cut(n) && !node_has(n, RR_DS);
	for (unsigned int i = 0; i < z->nodes; i++) {
		if (z->node[i].types > 0 && name_is_strictly_under(z->node[i].name, n->name) && !zone_leaves_out(z, &z->node[i]))
			return false;
	}
	return true;
}

static inline bool zone_hash_lies_in(const struct hashed_node *n, const struct hashed_node *next, const uint8_t *hash)
{
	bool behind = memcmp(n->hash, hash, NSEC3_HASH_OCTETS) < 0, before = memcmp(hash, next->hash, NSEC3_HASH_OCTETS) < 0;

	return zone_by_hash(n, next) < 0 ? behind && before : behind || before;
}

static inline void zone_make_nsec3s(struct zone *z, struct nsec3_hasher *h)
{
	struct hashed_node all[ZONE_NODES * 5], *owner = all, *left_out;
	unsigned int n = 0, out = 0;

	for (unsigned int i = 0; i < z->nodes; i++) {
		struct hashed_node *at = zone_leaves_out(z, &z->node[i]) ? &all[z->nodes - ++out] : &all[n++];

		at->node = &z->node[i];
		assert_true(OK(nsec3_hash(h, z->node[i].name, span_of(z->salt, z->salt_len), z->iterations, at->hash)));
	}
	left_out = &all[n];
	qsort(owner, n, sizeof owner[0], zone_by_hash);
	z->sets = n;
	for (unsigned int i = 0; i < n; i++) {
		bool opt_out = z->opt_out && owner[i].hash[0] % 2 == 0; /* others only where they must */

		for (unsigned int k = 0; k < out; k++)
			opt_out = opt_out || zone_hash_lies_in(&owner[i], &owner[(i + 1) % n], left_out[k].hash);
		z->set[i] = zone_nsec3(z, &owner[i], &owner[(i + 1) % n], opt_out);
	}
	z->soa = zone_soa(z->arena, z->apex, z->ttl, z->ttl);
}

#endif
