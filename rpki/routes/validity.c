#include "rpki/routes/validity.h"

#define NOBODY UINT32_MAX
#define SAMPLE 32u /* nodes between two samples: the last steps of a search stay within a few cache lines */

struct node4 {
	uint32_t addr;
	uint32_t first;  /* VRP of the table: the first of this prefix */
	uint32_t parent; /* the nearest node that covers this one */
	uint8_t len;
};

struct node6 {
	uint64_t high, low;
	uint32_t first, parent;
	uint8_t len;
};

struct validity_index {
	struct payload_table *table OWNED_FIELD;
	struct node4 *v4 OWNED_FIELD;
	struct node6 *v6 OWNED_FIELD;
	uint32_t *sample4 OWNED_FIELD; /* addresses of nodes 0, SAMPLE, 2 * SAMPLE, ... */
	uint64_t *sample6 OWNED_FIELD; /* upper halves of theirs */
	size_t n4, n6;
};

void validity_free(struct validity_index *x)
{
	if (x == NULL)
		return;
	table_unref(MOVE(x->table));
	mem_free(MOVE(x->v4));
	mem_free(MOVE(x->v6));
	mem_free(MOVE(x->sample4));
	mem_free(MOVE(x->sample6));
	mem_free(x);
}

const struct payload_table *validity_table(const struct validity_index *x)
{
	return x->table;
}

size_t validity_octets(const struct validity_index *x)
{
	return sizeof *x + x->n4 * sizeof *x->v4 + x->n6 * sizeof *x->v6 + (x->n4 / SAMPLE + 1) * sizeof *x->sample4 +
	    (x->n6 / SAMPLE + 1) * sizeof *x->sample6;
}

static inline uint64_t load64(const uint8_t *p)
{
	return (uint64_t)load32(p) << 32 | load32(p + 4);
}

static inline bool covers4(const struct node4 *n, uint32_t addr, unsigned int len)
{
	return n->len <= len && (n->len == 0 || (n->addr ^ addr) >> (32 - n->len) == 0);
}

static inline bool covers6(const struct node6 *n, uint64_t high, uint64_t low, unsigned int len)
{
	if (n->len > len)
		return false;
	if (n->len <= 64)
		return n->len == 0 || (n->high ^ high) >> (64 - n->len) == 0;
	return n->high == high && (n->low ^ low) >> (128 - n->len) == 0;
}

/* ---------------------------------------------------------------------------------------------------------------- building */

/* The prefixes at one address, from VRP i on: the first VRP of each length. Returns the VRP behind the last. */
static size_t lengths_at(const struct payload_table *t, size_t i, size_t end, uint32_t first[129])
{
	struct vrp v = table_vrp(t, i), w = v;

	for (unsigned int l = 0; l <= vrp_bits(&v); l++)
		first[l] = NOBODY;
	do {
		if (first[w.len] == NOBODY)
			first[w.len] = (uint32_t)i;
		if (++i == end)
			break;
		w = table_vrp(t, i);
	} while (memcmp(w.addr, v.addr, sizeof v.addr) == 0);
	return i;
}

/* The nearest node that covers the new one: on the way up from the one before it. */
static uint32_t parent4(const struct node4 *v, size_t n, uint32_t addr, unsigned int len)
{
	uint32_t p = n == 0 ? NOBODY : (uint32_t)(n - 1);

	while (p != NOBODY && !covers4(&v[p], addr, len))
		p = v[p].parent;
	return p;
}

static uint32_t parent6(const struct node6 *v, size_t n, uint64_t high, uint64_t low, unsigned int len)
{
	uint32_t p = n == 0 ? NOBODY : (uint32_t)(n - 1);

	while (p != NOBODY && !covers6(&v[p], high, low, len))
		p = v[p].parent;
	return p;
}

static void build4(struct validity_index *x)
{
	size_t end = table_vrps4(x->table);
	uint32_t first[129];

	for (size_t i = 0; i < end;) {
		struct vrp v = table_vrp(x->table, i);
		uint32_t addr = load32(v.addr);

		i = lengths_at(x->table, i, end, first);
		for (unsigned int l = 0; l <= 32; l++) {
			if (first[l] == NOBODY)
				continue;
			x->v4[x->n4] = (struct node4){
				.addr = addr, .first = first[l], .parent = parent4(x->v4, x->n4, addr, l), .len = (uint8_t)l
			};
			if (x->n4 % SAMPLE == 0)
				x->sample4[x->n4 / SAMPLE] = addr;
			x->n4++;
		}
	}
}

static void build6(struct validity_index *x)
{
	size_t end = table_count(x->table, PAYLOAD_VRP);
	uint32_t first[129];

	for (size_t i = table_vrps4(x->table); i < end;) {
		struct vrp v = table_vrp(x->table, i);
		uint64_t high = load64(v.addr), low = load64(v.addr + 8);

		i = lengths_at(x->table, i, end, first);
		for (unsigned int l = 0; l <= 128; l++) {
			if (first[l] == NOBODY)
				continue;
			x->v6[x->n6] = (struct node6){ .high = high, .low = low, .first = first[l],
				.parent = parent6(x->v6, x->n6, high, low, l), .len = (uint8_t)l };
			if (x->n6 % SAMPLE == 0)
				x->sample6[x->n6 / SAMPLE] = high;
			x->n6++;
		}
	}
}

RESULT validity_new(const struct payload_table *t, struct validity_index **ret_index)
{
	AUTO(validity_free) struct validity_index *x = (struct validity_index *)mem_alloc(sizeof *x);
	size_t n4 = table_vrps4(t), n6 = table_count(t, PAYLOAD_VRP) - n4;
	void *p4, *p6;

	if (x == NULL)
		return FAIL(ERR_NOMEM);
	x->table = table_ref(t);
	x->v4 = (struct node4 *)mem_alloc_array(n4, sizeof *x->v4);
	x->v6 = (struct node6 *)mem_alloc_array(n6, sizeof *x->v6);
	x->sample4 = (uint32_t *)mem_alloc_array(n4 / SAMPLE + 1, sizeof *x->sample4);
	x->sample6 = (uint64_t *)mem_alloc_array(n6 / SAMPLE + 1, sizeof *x->sample6);
	if (x->v4 == NULL || x->v6 == NULL || x->sample4 == NULL || x->sample6 == NULL)
		return FAIL(ERR_NOMEM);
	build4(x);
	build6(x);
	/* Several VRPs share a prefix: what they do not need is given back. Staying larger would do no harm. */
	p4 = x->v4;
	if (OK(mem_resize(&p4, n4, x->n4 + 1, sizeof *x->v4)))
		x->v4 = (struct node4 *)p4;
	p6 = x->v6;
	if (OK(mem_resize(&p6, n6, x->n6 + 1, sizeof *x->v6)))
		x->v6 = (struct node6 *)p6;
	*ret_index = MOVE(x);
	return DONE;
}

/* --------------------------------------------------------------------------------------------------------------- searching */

/*
 * A search gives the last node that is not behind (addr, len), or NOBODY. All nodes that cover it are this one and those above it. At the edge of a block it
 * may give one that is behind, with the same address and longer: the nodes above that are the same.
 */
static uint32_t last4(const struct validity_index *x, uint32_t addr, unsigned int len)
{
	size_t low = 0, high = (x->n4 + SAMPLE - 1) / SAMPLE;

	while (low < high) { /* the first sample with a greater address */
		size_t mid = low + (high - low) / 2;

		if (x->sample4[mid] <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	high = low * SAMPLE < x->n4 ? low * SAMPLE : x->n4;
	low = low > 0 ? (low - 1) * SAMPLE : 0;
	while (low < high) { /* the first node behind (addr, len) */
		size_t mid = low + (high - low) / 2;
		const struct node4 *n = &x->v4[mid];

		if (n->addr < addr || (n->addr == addr && n->len <= len))
			low = mid + 1;
		else
			high = mid;
	}
	return low > 0 ? (uint32_t)(low - 1) : NOBODY;
}

static bool not_behind6(const struct node6 *n, uint64_t high, uint64_t low, unsigned int len)
{
	if (n->high != high)
		return n->high < high;
	if (n->low != low)
		return n->low < low;
	return n->len <= len;
}

/* The first sample from `from` on that is greater than key, or not less than it. */
static size_t sample_after(const struct validity_index *x, size_t from, uint64_t key, bool greater)
{
	size_t low = from, high = (x->n6 + SAMPLE - 1) / SAMPLE;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (x->sample6[mid] < key || (greater && x->sample6[mid] == key))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static uint32_t last6(const struct validity_index *x, uint64_t ahigh, uint64_t alow, unsigned int len)
{
	size_t from = sample_after(x, 0, ahigh, false), to = sample_after(x, from, ahigh, true);
	size_t low = from > 0 ? (from - 1) * SAMPLE : 0, high = to * SAMPLE < x->n6 ? to * SAMPLE : x->n6;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (not_behind6(&x->v6[mid], ahigh, alow, len))
			low = mid + 1;
		else
			high = mid;
	}
	return low > 0 ? (uint32_t)(low - 1) : NOBODY;
}

/* Calls fn for the VRPs of the prefix whose first VRP is `first`. */
static bool vrps_of(const struct validity_index *x, uint32_t first, validity_vrp_fn *fn, void *ctx)
{
	struct vrp v = table_vrp(x->table, first), w = v;
	size_t end = v.family == ADDR_V4 ? table_vrps4(x->table) : table_count(x->table, PAYLOAD_VRP);

	for (size_t i = first;;) {
		if (w.len == v.len && !fn(ctx, &w))
			return false;
		if (++i == end)
			return true;
		w = table_vrp(x->table, i);
		if (memcmp(w.addr, v.addr, sizeof v.addr) != 0)
			return true;
	}
}

void validity_covering(const struct validity_index *x, const struct prefix *p, validity_vrp_fn *fn, void *ctx)
{
	uint32_t n;

	if (p->a.family == ADDR_V4) {
		uint32_t addr = load32(p->a.b);

		for (n = last4(x, addr, p->len); n != NOBODY; n = x->v4[n].parent)
			if (covers4(&x->v4[n], addr, p->len) && !vrps_of(x, x->v4[n].first, fn, ctx))
				return;
	} else if (p->a.family == ADDR_V6) {
		uint64_t high = load64(p->a.b), low = load64(p->a.b + 8);

		for (n = last6(x, high, low, p->len); n != NOBODY; n = x->v6[n].parent)
			if (covers6(&x->v6[n], high, low, p->len) && !vrps_of(x, x->v6[n].first, fn, ctx))
				return;
	}
}

struct verdict {
	enum route_state state;
	uint32_t origin;
	uint8_t len;
};

static bool judge(void *ctx, const struct vrp *v)
{
	struct verdict *d = ctx;

	if (v->asn == d->origin && d->origin != 0) {
		if (d->len <= v->maxlen) {
			d->state = ROUTE_VALID;
			return false;
		}
		d->state = ROUTE_INVALID_LENGTH;
	} else if (d->state == ROUTE_NOT_FOUND) {
		d->state = ROUTE_INVALID_ORIGIN;
	}
	return true;
}

enum route_state validity_of(const struct validity_index *x, const struct prefix *route, uint32_t origin)
{
	struct verdict d = { .state = ROUTE_NOT_FOUND, .origin = origin, .len = route->len };

	validity_covering(x, route, judge, &d);
	return d.state;
}

static bool see_cover(void *ctx, const struct vrp *v)
{
	enum cover_state *s = ctx;

	*s = v->asn != 0 ? COVER_SOME : COVER_AS0;
	return *s == COVER_AS0;
}

enum cover_state validity_cover(const struct validity_index *x, const struct prefix *p)
{
	enum cover_state s = COVER_NONE;

	validity_covering(x, p, see_cover, &s);
	return s;
}

const char *route_state_text(enum route_state s)
{
	switch (s) {
	case ROUTE_NOT_FOUND:
		return "not-found";
	case ROUTE_VALID:
		return "valid";
	case ROUTE_INVALID_ORIGIN:
	case ROUTE_INVALID_LENGTH:
		return "invalid";
	}
	return "";
}
