/*
 * A node stands for four bits of the address. The prefixes that end within it, 1 to 4 bits long, have a bit each in `values`, in the order of their length and then their bits; the
 * children, by their four bits, one each in `children`. Behind it lie as many slots as bits are set: children first.
 *
 * What may be written: a node that only one parent holds, which only one parent holds, and so on up to the edit. No state that somebody reads can come to it, since each state
 * holds its roots. `own` makes it so on the way down.
 */
#include "rpki/routes/announced.h"

#include <limits.h>
#include <stdatomic.h>
#include <string.h>

#include "base/cursor.h"
#include "base/mem.h"

#define STEP 4u
#define VALUES 30u       /* prefixes that end within a node */
#define STEPS (128u / STEP)

/* More than one route of a prefix, or one with a time. Immutable. */
struct several {
	atomic_uint refs;
	uint32_t n;
	struct announced_route route[];
};

struct node;
/* A value is a route without a time whose path is its origin: origin << 32 | source << 1 | 1; or a pointer to others, which is even. */
union slot {
	uint64_t one;
	struct several *several OWNED_FIELD; /* a share of it, as of the child */
	struct node *child OWNED_FIELD;
};

struct node {
	atomic_uint refs;
	uint32_t values;
	uint16_t children;
	union slot slot[];
};

struct roots {
	struct node *v4 OWNED_FIELD, *v6 OWNED_FIELD; /* NULL: empty */
	union slot all4, all6;                          /* of 0.0.0.0/0 and ::/0; one 0: none */
	size_t prefixes, routes;
};

struct announced {
	atomic_uint refs;
	uint64_t generation;
	struct roots roots;
};

struct announced_edit {
	struct roots roots;
};

/* ------------------------------------------------------------------------------------------------------------------- slots */

static bool is_one(union slot v)
{
	return (v.one & 1) != 0;
}

static void several_unref(struct several *s) TAKES(1);
DEFINE_AUTO(struct several, several_unref)
static void several_unref(struct several *s)
{
	if (s != NULL && atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) == 1)
		mem_free(s);
}

static void value_unref(union slot *v)
{
	if (!is_one(*v))
		several_unref(MOVE(v->several));
	v->one = 0;
}

static void value_ref(union slot v)
{
	if (!is_one(v) && v.several != NULL)
		(void)atomic_fetch_add_explicit(&v.several->refs, 1, memory_order_relaxed);
}

static struct announced_route route_of(uint64_t one)
{
	uint32_t origin = (uint32_t)(one >> 32);

	return (struct announced_route){ .origin = origin, .source = (uint32_t)one >> 1, .path = origin };
}

static bool fits_in_one(const struct announced_route *r)
{
	return r->since == 0 && r->path == r->origin && r->source < 1u << 31;
}

static size_t value_count(union slot v)
{
	return is_one(v) ? 1 : v.several != NULL ? v.several->n : 0;
}

static struct announced_route value_at(union slot v, size_t i)
{
	return is_one(v) ? route_of(v.one) : v.several->route[i];
}

/* Where the route of this source and path is; value_count() when there is none. */
static size_t value_find(union slot v, uint32_t source, uint32_t path)
{
	size_t n = value_count(v), i;

	for (i = 0; i < n; i++) {
		struct announced_route r = value_at(v, i);

		if (r.source == source && r.path == path)
			break;
	}
	return i;
}

/* The routes of `old`, with the one at `at` left out or replaced by r, or, when there is none at `at`, with r behind them. An empty result is 0. */
static RESULT value_make(union slot old, size_t at, const struct announced_route *r, union slot *ret)
{
	size_t was = value_count(old), n = was + (at == was) - (r == NULL);

	if (n == 0) {
		*ret = (union slot){ .one = 0 };
		return DONE;
	}
	if (n == 1) {
		struct announced_route only = r != NULL ? *r : value_at(old, at == 0);

		if (fits_in_one(&only)) {
			*ret = (union slot){ .one = (uint64_t)only.origin << 32 | (uint64_t)only.source << 1 | 1 };
			return DONE;
		}
	}
	AUTO(several_unref) struct several *s = (struct several *)mem_alloc_raw(sizeof *s + n * sizeof s->route[0]);

	if (s == NULL)
		return FAIL(ERR_NOMEM);
	atomic_init(&s->refs, 1);
	s->n = 0;
	for (size_t i = 0; i < was; i++)
		if (i != at)
			s->route[s->n++] = value_at(old, i);
	if (r != NULL)
		s->route[s->n++] = *r;
	*ret = (union slot){ .one = 0 };
	ret->several = MOVE(s);
	return DONE;
}

/* ------------------------------------------------------------------------------------------------------------------- nodes */

static unsigned int count_children(const struct node *n)
{
	return (unsigned int)__builtin_popcount(n->children);
}

static unsigned int count_slots(const struct node *n)
{
	return count_children(n) + (unsigned int)__builtin_popcount(n->values);
}

static size_t node_octets(unsigned int slots)
{
	return sizeof(struct node) + slots * sizeof(union slot);
}

static unsigned int child_at(const struct node *n, unsigned int bits)
{
	return (unsigned int)__builtin_popcount(n->children & ((1u << bits) - 1));
}

static unsigned int value_slot(const struct node *n, unsigned int value)
{
	return count_children(n) + (unsigned int)__builtin_popcount(n->values & ((1u << value) - 1));
}

static void node_unref(struct node *n) TAKES(1);
DEFINE_AUTO(struct node, node_unref)
static void node_unref(struct node *n)
{
	unsigned int children;

	if (n == NULL || atomic_fetch_sub_explicit(&n->refs, 1, memory_order_acq_rel) != 1)
		return;
	children = count_children(n);
	for (unsigned int i = 0; i < children; i++)
		node_unref(MOVE(n->slot[i].child)); /* as deep as an address is long */
	for (unsigned int i = children; i < count_slots(n); i++)
		value_unref(&n->slot[i]);
	mem_free(n);
}

static void node_ref(struct node *n)
{
	if (n != NULL)
		(void)atomic_fetch_add_explicit(&n->refs, 1, memory_order_relaxed);
}

/* With room for `slots`, and none of them set. */
static struct node *node_new(unsigned int slots) OWNED_BY(node_unref);
static struct node *node_new(unsigned int slots)
{
	AUTO(mem_free) void *p = mem_alloc_raw(node_octets(slots));
	struct node *n = p;

	if (n == NULL)
		return NULL;
	atomic_init(&n->refs, 1);
	n->values = 0;
	n->children = 0;
	return MOVE(p);
}

/* A copy of *at in its place when others hold it too. */
static RESULT own(struct node **at)
{
	const struct node *old = *at;
	unsigned int slots = count_slots(old), children = count_children(old);

	if (atomic_load_explicit(&old->refs, memory_order_acquire) == 1)
		return DONE;
	AUTO(node_unref) struct node *n = node_new(slots);

	if (n == NULL)
		return FAIL(ERR_NOMEM);
	n->values = old->values;
	n->children = old->children;
	memcpy(n->slot, old->slot, slots * sizeof n->slot[0]);
	for (unsigned int i = 0; i < children; i++)
		node_ref(n->slot[i].child);
	for (unsigned int i = children; i < slots; i++)
		value_ref(n->slot[i]);
	node_unref(MOVE(*at));
	*at = MOVE(n);
	return DONE;
}

/* Makes room for a slot at `where` of a node that is ours alone. */
static RESULT widen(struct node **at, unsigned int where)
{
	struct node *n = *at;
	unsigned int slots = count_slots(n);
	void *p = n;

	TRY(mem_resize(&p, node_octets(slots), node_octets(slots + 1), 1));
	n = p;
	memmove(&n->slot[where + 1], &n->slot[where], (slots - where) * sizeof n->slot[0]);
	*at = n;
	return DONE;
}

/* Takes slot `where` out. The memory stays as it is: removals are few, and the next change of a shared node fits it again. */
static void narrow(struct node *n, unsigned int where)
{
	memmove(&n->slot[where], &n->slot[where + 1], (count_slots(n) - where - 1) * sizeof n->slot[0]);
}

/* --------------------------------------------------------------------------------------------------------------- the prefix */

/* A prefix as the way through the nodes. */
struct way {
	const uint8_t *addr BORROWED_FIELD;
	unsigned int last;  /* step at which it ends */
	unsigned int value; /* its bit there */
};

static unsigned int step_bits(const uint8_t *addr, unsigned int step)
{
	return step % 2 == 0 ? addr[step / 2] >> 4 : addr[step / 2] & 15;
}

/* len at least 1 */
static struct way way_to(const struct prefix *p)
{
	unsigned int last = (p->len - 1u) / STEP, bits = (p->len - 1u) % STEP + 1;

	return (struct way){ .addr = p->a.b, .last = last, .value = (1u << bits) - 2 + (step_bits(p->a.b, last) >> (STEP - bits)) };
}

static bool prefix_is_sound(const struct prefix *p)
{
	unsigned int bits = p->a.family == ADDR_V4 ? 32 : p->a.family == ADDR_V6 ? 128 : 0;

	if (bits == 0 || p->len > bits)
		return false;
	for (unsigned int i = p->len; i < bits; i++)
		if ((p->a.b[i / 8] >> (7 - i % 8) & 1) != 0)
			return false;
	return true;
}

/* ----------------------------------------------------------------------------------------------------------------- changing */

/* What is done to the value of one prefix. */
struct change {
	struct way way;
	const struct announced_route *set BORROWED_FIELD; /* NULL: removes */
	uint32_t source, path;
	int routes, prefixes; /* how their numbers change */
};

/* Changes *v. */
static RESULT change_value(struct change *c, union slot *v)
{
	size_t was = value_count(*v), at = value_find(*v, c->source, c->path);
	union slot made;

	if (c->set == NULL && at == was)
		return FAIL(ERR_NOTFOUND);
	TRY(value_make(*v, at, c->set, &made));
	value_unref(v);
	*v = made;
	c->routes = (int)value_count(made) - (int)was;
	c->prefixes = (value_count(made) > 0) - (was > 0);
	return DONE;
}

/* Nodes from `step` on with the value at their end; nothing was there. */
static RESULT build(struct change *c, unsigned int step, struct node **ret)
{
	AUTO(node_unref) struct node *below = NULL;

	for (unsigned int s = c->way.last + 1; s-- > step;) {
		AUTO(node_unref) struct node *n = node_new(1);

		if (n == NULL)
			return FAIL(ERR_NOMEM);
		n->slot[0] = (union slot){ .one = 0 };
		if (s == c->way.last) {
			TRY(change_value(c, &n->slot[0]));
			n->values = 1u << c->way.value;
		} else {
			n->slot[0].child = MOVE(below);
			n->children = (uint16_t)(1u << step_bits(c->way.addr, s));
		}
		below = MOVE(n);
	}
	*ret = MOVE(below);
	return DONE;
}

static RESULT change_end(struct change *c, struct node **at)
{
	uint32_t bit = 1u << c->way.value;
	unsigned int where = value_slot(*at, c->way.value);
	union slot made = { .one = 0 };

	if (((*at)->values & bit) == 0) {
		TRY(change_value(c, &made));
		struct result r = widen(at, where);

		if (!OK(r)) {
			value_unref(&made);
			return r;
		}
		(*at)->slot[where] = made;
		(*at)->values |= bit;
		return DONE;
	}
	TRY(change_value(c, &(*at)->slot[where]));
	if (value_count((*at)->slot[where]) == 0) {
		narrow(*at, where);
		(*at)->values &= ~bit;
	}
	return DONE;
}

/* *at, a node or NULL, stands for the bits of this step. It may come to be empty: the caller takes it out then. */
static RESULT change(struct change *c, unsigned int step, struct node **at)
{
	unsigned int bits = step_bits(c->way.addr, step), where;
	AUTO(node_unref) struct node *made = NULL;

	if (*at == NULL)
		return c->set != NULL ? build(c, step, at) : FAIL(ERR_NOTFOUND);
	TRY(own(at));
	if (step == c->way.last)
		return change_end(c, at);
	where = child_at(*at, bits);
	if (((*at)->children >> bits & 1) == 0) {
		if (c->set == NULL)
			return FAIL(ERR_NOTFOUND);
		TRY(build(c, step + 1, &made));
		TRY(widen(at, where));
		(*at)->slot[where] = (union slot){ .one = 0 };
		(*at)->slot[where].child = MOVE(made);
		(*at)->children |= (uint16_t)(1u << bits);
		return DONE;
	}
	TRY(change(c, step + 1, &(*at)->slot[where].child));
	if (count_slots((*at)->slot[where].child) == 0) {
		node_unref(MOVE((*at)->slot[where].child));
		narrow(*at, where);
		(*at)->children &= (uint16_t)~(1u << bits);
	}
	return DONE;
}

static RESULT change_prefix(struct announced_edit *e, const struct prefix *p, struct change *c)
{
	struct roots *x = &e->roots;
	struct node **at = p->a.family == ADDR_V4 ? &x->v4 : &x->v6;

	if (!prefix_is_sound(p))
		return FAIL(ERR_RANGE);
	if (p->len == 0) {
		TRY(change_value(c, p->a.family == ADDR_V4 ? &x->all4 : &x->all6));
	} else {
		c->way = way_to(p);
		TRY(change(c, 0, at));
		if (count_slots(*at) == 0) {
			node_unref(MOVE(*at));
		}
	}
	x->routes = (size_t)((int64_t)x->routes + c->routes);
	x->prefixes = (size_t)((int64_t)x->prefixes + c->prefixes);
	return DONE;
}

RESULT announced_set(struct announced_edit *e, const struct prefix *p, const struct announced_route *r)
{
	struct change c = { .set = r, .source = r->source, .path = r->path };

	return change_prefix(e, p, &c);
}

static RESULT put_heard(struct source_sink *s, const struct prefix *p, uint32_t origin)
{
	struct announced_sink *x = (struct announced_sink *)(void *)s;
	struct announced_route r = { .origin = origin, .source = x->source, .path = origin };

	return announced_set(x->e, p, &r);
}

struct announced_sink announced_sink(struct announced_edit *e, uint32_t source)
{
	return (struct announced_sink){ .sink = { .route = put_heard }, .e = e, .source = source };
}

RESULT announced_remove(struct announced_edit *e, const struct prefix *p, uint32_t source, uint32_t path)
{
	struct change c = { .source = source, .path = path };

	return change_prefix(e, p, &c);
}

/* ------------------------------------------------------------------------------------------------------------------ reading */

static struct announced_routes routes_of(union slot v, const struct addr *a, unsigned int len)
{
	struct announced_routes r = { .prefix = { .a = { .family = a->family }, .len = (uint8_t)len }, .n = value_count(v) };

	memcpy(r.prefix.a.b, a->b, (len + 7) / 8);
	if (len % 8 != 0)
		r.prefix.a.b[len / 8] &= (uint8_t)(0xff00u >> len % 8);
	if (r.n == 1)
		r.one = value_at(v, 0);
	else if (r.n > 1)
		r.more = v.several->route;
	return r;
}

/* Values of the prefixes that cover four bits: one of each length. */
static uint32_t covering(unsigned int bits)
{
	return 1u << (bits >> 3) | 1u << (2 + (bits >> 2)) | 1u << (6 + (bits >> 1)) | 1u << (14 + bits);
}

/* Length of the prefix that has this bit among a node's values. */
static unsigned int length_of(unsigned int value)
{
	return value < 2 ? 1 : value < 6 ? 2 : value < 14 ? 3 : 4;
}

/* The most specific that is not longer than `most` bits. */
static bool find(const struct announced *a, const struct addr *addr, unsigned int most, struct announced_routes *ret)
{
	const struct roots *x = &a->roots;
	const struct node *n = addr->family == ADDR_V4 ? x->v4 : addr->family == ADDR_V6 ? x->v6 : NULL;
	union slot best = addr->family == ADDR_V4 ? x->all4 : addr->family == ADDR_V6 ? x->all6 : (union slot){ .one = 0 };
	unsigned int len = 0;

	for (unsigned int step = 0; n != NULL && step * STEP <= most; step++) {
		unsigned int bits = step_bits(addr->b, step);
		uint32_t here = n->values & covering(bits);

		while (here != 0 && step * STEP + length_of(31u - (unsigned int)__builtin_clz(here)) > most)
			here &= ~(UINT32_C(1) << (31u - (unsigned int)__builtin_clz(here)));
		if (here != 0) {
			unsigned int value = 31u - (unsigned int)__builtin_clz(here);

			best = n->slot[value_slot(n, value)];
			len = step * STEP + length_of(value);
		}
		n = (n->children >> bits & 1) != 0 ? n->slot[child_at(n, bits)].child : NULL;
	}
	if (value_count(best) == 0)
		return false;
	*ret = routes_of(best, addr, len);
	return true;
}

bool announced_find(const struct announced *a, const struct addr *addr, struct announced_routes *ret)
{
	return find(a, addr, UINT_MAX, ret);
}

bool announced_find_over(const struct announced *a, const struct prefix *p, struct announced_routes *ret)
{
	return find(a, &p->a, p->len, ret);
}

struct walk {
	announced_fn *fn;
	void *ctx BORROWED_FIELD;
	struct addr addr;
	const struct prefix *within BORROWED_FIELD; /* NULL: everywhere */
};

/* Have the first `bits` bits of where the walk is and the prefix it keeps to anything in common? */
static bool is_on_way(const struct walk *w, unsigned int bits)
{
	struct prefix p;

	if (w->within == NULL)
		return true;
	p = (struct prefix){ .a = w->within->a, .len = (uint8_t)(bits < w->within->len ? bits : w->within->len) };
	return prefix_covers(&p, &w->addr);
}

static bool walk_values(struct walk *w, const struct node *n, unsigned int step)
{
	for (unsigned int value = 0; value < VALUES; value++) {
		unsigned int bits = length_of(value), top = value + 2 - (1u << bits);
		struct announced_routes r;

		if ((n->values >> value & 1) == 0)
			continue;
		w->addr.b[step / 2] = (uint8_t)((w->addr.b[step / 2] & (step % 2 == 0 ? 0 : 0xf0)) | (top << (STEP - bits)) << (step % 2 == 0 ? 4 : 0));
		r = routes_of(n->slot[value_slot(n, value)], &w->addr, step * STEP + bits);
		if (w->within != NULL && (r.prefix.len < w->within->len || !prefix_covers(w->within, &r.prefix.a)))
			continue;
		if (!w->fn(w->ctx, &r))
			return false;
	}
	return true;
}

static bool walk_node(struct walk *w, const struct node *n, unsigned int step)
{
	if (n == NULL)
		return true;
	if (!walk_values(w, n, step))
		return false;
	for (unsigned int bits = 0; bits < 16; bits++) {
		if ((n->children >> bits & 1) == 0)
			continue;
		w->addr.b[step / 2] = (uint8_t)(step % 2 == 0 ? bits << 4 : (w->addr.b[step / 2] & 0xf0u) | bits);
		if (is_on_way(w, (step + 1) * STEP) && !walk_node(w, n->slot[child_at(n, bits)].child, step + 1))
			return false;
	}
	return true;
}

static bool walk_family(const struct roots *x, uint8_t family, const struct prefix *within, announced_fn *fn, void *ctx)
{
	struct walk w = { .fn = fn, .ctx = ctx, .addr = { .family = family }, .within = within };
	union slot all = family == ADDR_V4 ? x->all4 : x->all6;

	if (value_count(all) > 0 && (within == NULL || within->len == 0)) {
		struct announced_routes r = routes_of(all, &w.addr, 0);

		if (!fn(ctx, &r))
			return false;
	}
	return walk_node(&w, family == ADDR_V4 ? x->v4 : x->v6, 0);
}

void announced_each(const struct announced *a, announced_fn *fn, void *ctx)
{
	if (walk_family(&a->roots, ADDR_V4, NULL, fn, ctx))
		(void)walk_family(&a->roots, ADDR_V6, NULL, fn, ctx);
}

void announced_within(const struct announced *a, const struct prefix *p, announced_fn *fn, void *ctx)
{
	(void)walk_family(&a->roots, p->a.family, p, fn, ctx);
}

static size_t octets_of(const struct node *n)
{
	size_t octets;

	if (n == NULL)
		return 0;
	octets = node_octets(count_slots(n));
	for (unsigned int i = 0; i < count_slots(n); i++) {
		if (i < count_children(n))
			octets += octets_of(n->slot[i].child);
		else if (!is_one(n->slot[i]))
			octets += sizeof(struct several) + value_count(n->slot[i]) * sizeof(struct announced_route);
	}
	return octets;
}

/* ------------------------------------------------------------------------------------------------------------------- states */

static void roots_ref(const struct roots *x)
{
	node_ref(x->v4);
	node_ref(x->v6);
	value_ref(x->all4);
	value_ref(x->all6);
}

static void roots_unref(struct roots *x)
{
	node_unref(MOVE(x->v4));
	node_unref(MOVE(x->v6));
	value_unref(&x->all4);
	value_unref(&x->all6);
	*x = (struct roots){ .prefixes = 0 };
}

void announced_unref(struct announced *a)
{
	if (a == NULL || atomic_fetch_sub_explicit(&a->refs, 1, memory_order_acq_rel) != 1)
		return;
	roots_unref(&a->roots);
	mem_free(a);
}

struct announced *announced_ref(const struct announced *a)
{
	struct announced *shared = (struct announced *)(uintptr_t)a; /* only the count is written */

	(void)atomic_fetch_add_explicit(&shared->refs, 1, memory_order_relaxed);
	return shared;
}

struct announced *announced_new(void)
{
	AUTO(announced_unref) struct announced *a = (struct announced *)mem_alloc(sizeof *a);

	if (a != NULL)
		atomic_init(&a->refs, 1);
	return MOVE(a);
}

uint64_t announced_generation(const struct announced *a)
{
	return a->generation;
}

size_t announced_prefixes(const struct announced *a)
{
	return a->roots.prefixes;
}

size_t announced_count(const struct announced *a)
{
	return a->roots.routes;
}

size_t announced_octets(const struct announced *a)
{
	return sizeof *a + octets_of(a->roots.v4) + octets_of(a->roots.v6);
}

void announced_edit_free(struct announced_edit *e)
{
	if (e == NULL)
		return;
	roots_unref(&e->roots);
	mem_free(e);
}

struct announced_edit *announced_edit_new(const struct announced *from)
{
	AUTO(announced_edit_free) struct announced_edit *e = (struct announced_edit *)mem_alloc(sizeof *e);

	if (e == NULL)
		return NULL;
	roots_ref(&from->roots);
	e->roots = from->roots;
	return MOVE(e);
}

RESULT announced_edit_publish(struct announced_edit *e, uint64_t generation, struct announced **ret)
{
	AUTO(announced_edit_free) struct announced_edit *mine = e;
	AUTO(announced_unref) struct announced *a = announced_new();

	if (a == NULL)
		return FAIL(ERR_NOMEM);
	a->generation = generation;
	a->roots = mine->roots;
	mine->roots = (struct roots){ .prefixes = 0 };
	*ret = MOVE(a);
	return DONE;
}

RESULT announced_edit_state(const struct announced_edit *e, uint64_t generation, struct announced **ret)
{
	AUTO(announced_unref) struct announced *a = announced_new();

	if (a == NULL)
		return FAIL(ERR_NOMEM);
	roots_ref(&e->roots);
	a->generation = generation;
	a->roots = e->roots;
	*ret = MOVE(a);
	return DONE;
}

size_t announced_edit_count(const struct announced_edit *e)
{
	return e->roots.routes;
}

/* ---------------------------------------------------------------------------------------------------- the end of a source */

struct drop {
	struct announced_edit *e BORROWED_FIELD;
	announced_source_fn *fn;
	const void *ctx BORROWED_FIELD;
	struct result r;
};

static bool drop_routes(void *ctx, const struct announced_routes *routes)
{
	struct drop *d = (struct drop *)ctx;

	for (size_t i = 0; i < routes->n && OK(d->r); i++) {
		struct announced_route r = announced_at(routes, i);

		if (d->fn(d->ctx, r.source))
			d->r = announced_remove(d->e, &routes->prefix, r.source, r.path);
	}
	return OK(d->r);
}

/* Walks over what there is now, which the edit does not write while somebody else holds it, too. */
RESULT announced_drop_where(struct announced_edit *e, announced_source_fn *fn, const void *ctx)
{
	struct roots now = e->roots;
	struct drop d = { .e = e, .fn = fn, .ctx = ctx, .r = DONE };

	roots_ref(&now);
	if (walk_family(&now, ADDR_V4, NULL, drop_routes, &d))
		(void)walk_family(&now, ADDR_V6, NULL, drop_routes, &d);
	roots_unref(&now);
	return d.r;
}

static bool is_source(const void *ctx, uint32_t source)
{
	const uint32_t *wanted = ctx;

	return source == *wanted;
}

RESULT announced_drop(struct announced_edit *e, uint32_t source)
{
	return announced_drop_where(e, is_source, &source);
}
