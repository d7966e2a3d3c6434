#include "resolver/cache/gaps.h"

#include "base/mem.h"
#include "resolver/cache/key.h"
#include "validator/nsec.h"

#define KEY_END 0u    /* behind each label */
#define KEY_ESCAPE 1u /* before what stands for an octet 0 (1) or 1 (2) */

/* What a block of this size takes from the heap, about. */
static uint32_t heap_octets(size_t size)
{
	return (uint32_t)((size + 8 + 15) & ~(size_t)15);
}

/* --- sort keys */

static size_t label_key(const uint8_t *label, uint8_t *out)
{
	size_t n = 0;

	for (unsigned int i = 1; i <= label[0]; i++) {
		uint8_t c = label[i];

		if (c <= KEY_ESCAPE) {
			out[n++] = KEY_ESCAPE;
			c++;
		} else if (c >= 'A' && c <= 'Z') {
			c |= 0x20;
		}
		out[n++] = c;
	}
	out[n++] = KEY_END;
	return n;
}

size_t gap_key(struct name name, unsigned int zone_labels, uint8_t ret[GAP_KEY_OCTETS])
{
	KEY_SCRATCH uint8_t at[NAME_MAX_LABELS];
	unsigned int below = name.labels > zone_labels ? name.labels - zone_labels : 0, pos = 0;
	size_t n = 0;

	for (unsigned int i = 0; i < below; i++) {
		at[i] = (uint8_t)pos;
		pos += 1u + name.wire[pos];
	}
	for (unsigned int i = below; i-- > 0; )
		n += label_key(name.wire + at[i], ret + n);
	return n;
}

/* --- gaps */

void gap_free(struct gap *g)
{
	mem_free(g);
}

/* The block: the gap, its set, both keys. */
static struct gap *gap_block(const struct rrset *rs, struct span owner, struct span next, uint32_t now) OWNED_BY(gap_free);
static struct gap *gap_block(const struct rrset *rs, struct span owner, struct span next, uint32_t now)
{
	size_t keys = sizeof(struct gap) + ((rs->octets + 7u) & ~(size_t)7), size = keys + owner.n + next.n;
	AUTO(gap_free) struct gap *g = mem_alloc_raw(size);
	uint8_t *p = (uint8_t *)g;

	if (g == NULL)
		return NULL;
	*g = (struct gap){ .octets = heap_octets(size), .expires_sec = now > UINT32_MAX - rs->ttl ? UINT32_MAX : now + rs->ttl };
	g->shown_until_sec = g->expires_sec;
	memcpy(p + sizeof *g, rs, rs->octets);
	g->set = (const struct rrset *)(const void *)(p + sizeof *g);
	if (owner.n != 0)
		memcpy(p + keys, owner.p, owner.n);
	if (next.n != 0)
		memcpy(p + keys + owner.n, next.p, next.n);
	g->node.key = span_of(p + keys, owner.n);
	g->next = span_of(p + keys + owner.n, next.n);
	return MOVE(g);
}

static bool speaks_below(struct span types)
{
	return !bitmap_is_cut(types) && !bitmap_has(types, RR_DNAME) && !bitmap_has(types, RR_NXNAME);
}

static struct gap *gap_of_nsec(struct name zone, const struct rrset *rs, uint32_t now) OWNED_BY(gap_free);
static struct gap *gap_of_nsec(struct name zone, const struct rrset *rs, uint32_t now)
{
	KEY_SCRATCH uint8_t owner[GAP_KEY_OCTETS], next[GAP_KEY_OCTETS];
	AUTO(gap_free) struct gap *g = NULL;
	struct nsec n;

	if (!OK(nsec_read(rs, zone, &n)))
		return NULL;
	g = gap_block(rs, span_of(owner, gap_key(n.owner, zone.labels, owner)), span_of(next, gap_key(n.next, zone.labels, next)), now);
	if (g == NULL || !OK(nsec_read(g->set, zone, &n)))
		return NULL;
	g->order = GAP_NSEC;
	g->types = n.types;
	g->speaks_below = speaks_below(n.types);
	return MOVE(g);
}

/* A signed delegation in a span with opt-out: neither the delegation nor the span denies anything that could be asked. */
static bool is_useless(const struct nsec3 *n)
{
	return n->opt_out && bitmap_is_cut(n->types) && bitmap_has(n->types, RR_DS);
}

static struct gap *gap_of_nsec3(struct name zone, const struct rrset *rs, uint32_t now) OWNED_BY(gap_free);
static struct gap *gap_of_nsec3(struct name zone, const struct rrset *rs, uint32_t now)
{
	AUTO(gap_free) struct gap *g = NULL;
	unsigned int iterations = 0;
	struct span salt = { NULL, 0 };
	struct nsec3 n;

	if (rs->count != 1 || !OK(nsec3_read(rs, 0, zone, &n, &salt, &iterations)) || iterations > GAP_ITERATIONS || is_useless(&n))
		return NULL;
	g = gap_block(rs, span_of(n.owner_hash, sizeof n.owner_hash), n.next_hash, now);
	if (g == NULL || !OK(nsec3_read(g->set, 0, zone, &n, &salt, &iterations)))
		return NULL;
	g->order = GAP_NSEC3;
	g->types = n.types;
	g->salt = salt;
	g->iterations = (uint16_t)iterations;
	g->opt_out = n.opt_out;
	g->speaks_below = speaks_below(n.types);
	return MOVE(g);
}

struct gap *gap_new(struct name zone, const struct rrset *rs, uint32_t now)
{
	if (rs->ttl == 0 || rs->sigs == 0)
		return NULL;
	return rs->type == RR_NSEC ? gap_of_nsec(zone, rs, now) : rs->type == RR_NSEC3 ? gap_of_nsec3(zone, rs, now) : NULL;
}

static const struct gap *gap_of(const struct sorted_node *n) BORROWED;
static const struct gap *gap_of(const struct sorted_node *n)
{
	return (const struct gap *)(const void *)n;
}

static struct gap *gap_at(struct sorted_node *n) BORROWED;
static struct gap *gap_at(struct sorted_node *n)
{
	return (struct gap *)(void *)n;
}

bool gap_covers(const struct gap *g, struct span key)
{
	bool behind = sorted_compare(g->node.key, key) < 0;

	if (sorted_compare(g->node.key, g->next) < 0)
		return behind && sorted_compare(key, g->next) < 0;
	return behind || (sorted_compare(key, g->next) < 0 && sorted_compare(key, g->node.key) != 0);
}

/* --- the order of use */

static void unlink_gap(struct gap_zone *z, struct gap *g)
{
	if (g == z->newest)
		z->newest = g->older;
	else
		g->newer->older = g->older;
	if (g == z->oldest)
		z->oldest = g->newer;
	else
		g->older->newer = g->newer;
}

static void link_newest(struct gap_zone *z, struct gap *g)
{
	g->newer = NULL;
	g->older = z->newest;
	if (z->newest != NULL)
		z->newest->newer = g;
	else
		z->oldest = g;
	z->newest = g;
}

void gap_zone_used(struct gap_zone *z, struct gap *g)
{
	if (g == z->newest)
		return;
	unlink_gap(z, g);
	link_newest(z, g);
}

void gap_zone_remove(struct gap_zone *z, struct gap *g)
{
	sorted_remove(&z->order[g->order], &g->node);
	unlink_gap(z, g);
	for (unsigned int i = 0; i < GAP_PLACES; i++) {
		if (z->last[i] == g)
			z->last[i] = NULL;
	}
	z->octets -= g->octets;
	gap_free(g); /* own-ok: R4 out of its lists now: it was the zone's */
}

/* --- finding */

/* The gap at or before the key, round the circle. */
static struct sorted_node *before(const struct sorted *s, struct span key) BORROWED;
static struct sorted_node *before(const struct sorted *s, struct span key)
{
	struct sorted_node *n = sorted_floor(s, key);

	return n != NULL ? n : sorted_last(s);
}

struct gap *gap_zone_at(struct gap_zone *z, enum gap_order o, struct span key, uint32_t now, bool *ret_match)
{
	struct sorted_node *n = before(&z->order[o], key);
	struct gap *g = n != NULL ? gap_at(n) : NULL;
	bool match = g != NULL && sorted_compare(g->node.key, key) == 0;

	if (g == NULL || (!match && !gap_covers(g, key)))
		return NULL;
	if (now >= g->expires_sec) {
		gap_zone_remove(z, g);
		return NULL;
	}
	*ret_match = match;
	return g;
}

static struct gap *find_set(struct gap_zone *z, const struct rrset *rs, uint32_t now) BORROWED;
static struct gap *find_set(struct gap_zone *z, const struct rrset *rs, uint32_t now)
{
	KEY_SCRATCH uint8_t owner[GAP_KEY_OCTETS];

	if (rs->type == RR_NSEC)
		return gap_zone_match(z, GAP_NSEC, span_of(owner, gap_key(rrset_name(rs), z->name_labels, owner)), now);
	if (rs->type != RR_NSEC3 || !nsec3_owner_hash(rrset_name(rs), gap_zone_name(z), owner))
		return NULL;
	return gap_zone_match(z, GAP_NSEC3, span_of(owner, NSEC3_HASH_OCTETS), now);
}

static bool is_same(const struct rrset *a, const struct rrset *b)
{
	if (a->sigs != b->sigs || !rrset_same_data(a, b))
		return false;
	for (size_t i = 0; i < a->sigs; i++) {
		if (!span_equal(rrset_sig(a, i), rrset_sig(b, i)))
			return false;
	}
	return true;
}

bool gap_zone_has(struct gap_zone *z, const struct rrset *rs, uint32_t now, uint32_t *ret_left)
{
	struct gap *g;

	if (!name_is_under(rrset_name(rs), gap_zone_name(z)))
		return false;
	if (rs->type == RR_SOA) {
		*ret_left = z->soa != NULL && now < z->soa_expires_sec ? z->soa_expires_sec - now : 0;
		return *ret_left > 0 && name_equal(rrset_name(rs), gap_zone_name(z)) && is_same(z->soa, rs);
	}
	g = find_set(z, rs, now);
	if (g == NULL || !is_same(g->set, rs))
		return false;
	*ret_left = g->shown_until_sec - now;
	return *ret_left > 0;
}

/* Gaps do not contradict each other: one that speaks of the key is the only one. */
struct gap *gap_zone_at_place(struct gap_zone *z, enum gap_order o, enum gap_place at, struct span key, uint32_t now, bool *ret_match)
{
	struct gap *g = z->last[at];

	if (g != NULL && now < g->expires_sec) {
		bool match = sorted_compare(g->node.key, key) == 0;

		if (match || gap_covers(g, key)) {
			*ret_match = match;
			return g;
		}
	}
	g = gap_zone_at(z, o, key, now, ret_match);
	z->last[at] = g;
	return g;
}

struct gap *gap_zone_match(struct gap_zone *z, enum gap_order o, struct span key, uint32_t now)
{
	bool match = false;
	struct gap *g = gap_zone_at(z, o, key, now, &match);

	return match ? g : NULL;
}

/* --- changing */

static void remove_order(struct gap_zone *z, enum gap_order o)
{
	while (z->order[o].top != NULL)
		gap_zone_remove(z, gap_at(z->order[o].top));
	if (o == GAP_NSEC3)
		z->apex_known = z->star_known = false;
}

static bool same_parameters(const struct gap *a, const struct gap *b)
{
	return a->iterations == b->iterations && span_equal(a->salt, b->salt);
}

/* Every gap that says something else than g about g's owner, or has an owner that g says is not there. */
static void remove_contradicted(struct gap_zone *z, const struct gap *g)
{
	struct sorted *s = &z->order[g->order];
	struct sorted_node *n = before(s, g->node.key);

	if (n != NULL && (sorted_compare(n->key, g->node.key) == 0 || gap_covers(gap_of(n), g->node.key)))
		gap_zone_remove(z, gap_at(n));
	while ((n = sorted_above(s, g->node.key)) != NULL && gap_covers(g, n->key))
		gap_zone_remove(z, gap_at(n));
	while (n == NULL && (n = sorted_first(s)) != NULL && gap_covers(g, n->key)) {
		gap_zone_remove(z, gap_at(n));
		n = NULL;
	}
}

void gap_zone_add(struct gap_zone *z, struct gap *given, uint32_t random)
{
	AUTO(gap_free) struct gap *g = given;
	struct sorted *s = &z->order[g->order];

	if (g->order == GAP_NSEC3 && (s->top == NULL || !same_parameters(g, gap_of(s->top))))
		remove_order(z, GAP_NSEC3);
	remove_contradicted(z, g);
	sorted_add(s, &g->node, g->node.key, random);
	z->octets += g->octets;
	link_newest(z, g);
	g = NULL; /* it is in the lists */
}

/* --- the SOA */

/* MINIMUM: the last of the five numbers behind two names (RFC 1035 section 3.3.13). */
static bool soa_minimum(const struct rrset *soa, uint32_t *ret)
{
	struct span rdata = rrset_rdata(soa, 0);

	if (rdata.n < 22)
		return false;
	*ret = load32(rdata.p + rdata.n - 4);
	return true;
}

bool gap_zone_set_soa(struct gap_zone *z, const struct rrset *soa, uint32_t now)
{
	struct name zone = gap_zone_name(z);
	AUTO(rrset_free) struct rrset *copy = NULL;
	uint32_t minimum = 0;

	if (soa->type != RR_SOA || soa->count != 1 || soa->sigs == 0 || soa->ttl == 0 || !name_equal(rrset_name(soa), zone) ||
	    !denial_set_is_of(soa, zone) || !soa_minimum(soa, &minimum))
		return false;
	copy = rrset_copy(soa);
	if (copy == NULL)
		return false;
	gap_zone_drop_soa(z);
	z->octets += heap_octets(copy->octets);
	z->soa = MOVE(copy);
	z->soa_expires_sec = now > UINT32_MAX - soa->ttl ? UINT32_MAX : now + soa->ttl;
	z->soa_minimum = minimum;
	return true;
}

void gap_zone_drop_soa(struct gap_zone *z)
{
	if (z->soa != NULL)
		z->octets -= heap_octets(z->soa->octets);
	rrset_free(MOVE(z->soa));
}

/* --- life */

void gap_zone_free(struct gap_zone *z)
{
	if (z == NULL)
		return;
	while (z->newest != NULL)
		gap_zone_remove(z, z->newest);
	rrset_free(MOVE(z->soa));
	mem_free(z);
}

struct gap_zone *gap_zone_new(struct name zone, uint64_t hash)
{
	size_t size = sizeof(struct gap_zone) + zone.len;
	AUTO(gap_zone_free) struct gap_zone *z = mem_alloc(size);

	if (z == NULL)
		return NULL;
	z->hash = hash;
	z->octets = heap_octets(size);
	z->name_len = zone.len;
	z->name_labels = zone.labels;
	key_lower(z->name, zone.wire, zone.len);
	return MOVE(z);
}

size_t gap_zone_flush(struct gap_zone *z, struct name name)
{
	KEY_SCRATCH uint8_t octets[GAP_KEY_OCTETS];
	struct span key = span_of(octets, gap_key(name, z->name_labels, octets));
	struct sorted *s = &z->order[GAP_NSEC];
	size_t had = gap_zone_count(z);
	struct sorted_node *n = before(s, key);

	if (n != NULL && (sorted_compare(n->key, key) == 0 || gap_covers(gap_of(n), key)))
		gap_zone_remove(z, gap_at(n));
	while ((n = sorted_above(s, key)) != NULL && gap_key_is_under(n->key, key))
		gap_zone_remove(z, gap_at(n));
	remove_order(z, GAP_NSEC3);
	return had - gap_zone_count(z);
}
