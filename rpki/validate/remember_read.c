/* remember_read.c: a note, read: foreign octets like any other, though it was we who wrote them. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "rpki/object/roa.h"
#include "rpki/validate/remember.h"

static uint64_t get64(struct reader *r)
{
	uint64_t high = read32(r);

	return high << 32 | read32(r);
}

static struct span get_span(struct reader *r)
{
	return read_span(r, read32(r));
}

RESULT remember_open(struct span note, struct remembered *ret)
{
	struct reader r = reader_of(note), end;
	uint32_t n;

	if (note.n < 8)
		return FAIL(ERR_FORMAT);
	end = reader_of(span_of(note.p + note.n - 8, 8));
	if (get64(&end) != remember_sum(span_of(note.p, note.n - 8)))
		return FAIL(ERR_FORMAT);
	r = reader_of(span_of(note.p, note.n - 8));
	ret->from = (int64_t)get64(&r);
	ret->until = (int64_t)get64(&r);
	ret->states = read_span(&r, 2 * OBJECT_STATE);
	ret->good = get_span(&r);
	n = read32(&r);
	if (n > reader_left(&r) / REMEMBER_PAIR)
		return FAIL(ERR_FORMAT);
	ret->seen = read_span(&r, n * REMEMBER_PAIR);
	ret->found = read_rest(&r);
	return reader_ok(&r) ? DONE : FAIL(ERR_FORMAT);
}

static RESULT get_set32(struct reader *r, struct arena *a, enum claim *ret_claim, struct set32 *ret)
{
	uint8_t claim = read8(r);
	uint32_t n = read32(r);
	struct range32 *list;

	if (claim > CLAIM_SET || n > reader_left(r) / 8)
		return FAIL(ERR_FORMAT);
	list = arena_alloc_array(a, n + 1, sizeof *list);
	if (list == NULL)
		return FAIL(ERR_NOMEM);
	for (uint32_t i = 0; i < n; i++) {
		list[i] = (struct range32){ read32(r), 0 };
		list[i].hi = read32(r);
		if (list[i].lo > list[i].hi || (i > 0 && list[i].lo <= list[i - 1].hi))
			return FAIL(ERR_FORMAT);
	}
	*ret_claim = (enum claim)claim;
	*ret = (struct set32){ list, n };
	return reader_ok(r) ? DONE : FAIL(ERR_FORMAT);
}

static rpki_u128 get128(struct reader *r)
{
	rpki_u128 high = get64(r);

	return high << 64 | get64(r);
}

static RESULT get_set128(struct reader *r, struct arena *a, enum claim *ret_claim, struct set128 *ret)
{
	uint8_t claim = read8(r);
	uint32_t n = read32(r);
	struct range128 *list;

	if (claim > CLAIM_SET || n > reader_left(r) / 32)
		return FAIL(ERR_FORMAT);
	list = arena_alloc_array(a, n + 1, sizeof *list);
	if (list == NULL)
		return FAIL(ERR_NOMEM);
	for (uint32_t i = 0; i < n; i++) {
		list[i].lo = get128(r);
		list[i].hi = get128(r);
		if (list[i].lo > list[i].hi || (i > 0 && list[i].lo <= list[i - 1].hi))
			return FAIL(ERR_FORMAT);
	}
	*ret_claim = (enum claim)claim;
	*ret = (struct set128){ list, n };
	return reader_ok(r) ? DONE : FAIL(ERR_FORMAT);
}

/* Every address of a ROA can be walked over. */
static bool roa_is_whole(const struct product *x)
{
	const struct roa roa = { .as = x->as, .blocks = x->what, .prefixes = x->prefixes };
	struct roa_walk w = roa_begin(&roa);
	struct roa_prefix p;
	size_t n = 0;

	while (roa_next(&w, &p))
		n++;
	return n == x->prefixes;
}

static RESULT get_list(struct reader *r, struct arena *a, struct product *x)
{
	uint32_t n = read32(r), *list;

	if (n > reader_left(r) / 4)
		return FAIL(ERR_FORMAT);
	list = arena_alloc_array(a, (size_t)n + 1, sizeof *list);
	if (list == NULL)
		return FAIL(ERR_NOMEM);
	for (uint32_t i = 0; i < n; i++)
		list[i] = read32(r);
	x->list = list;
	x->n = n;
	return DONE;
}

static bool product_is_good(const struct product *x)
{
	switch (x->item->kind) {
	case COUNTED_ROA:
		return x->n == 0 && x->ski.n == 0 && roa_is_whole(x);
	case COUNTED_ASPA:
		return x->what.n == 0 && x->ski.n == 0 && x->prefixes == 0;
	case COUNTED_ROUTER:
		return x->n == 0 && x->prefixes == 0;
	case COUNTED_CERT:
	case COUNTED_CRL:
	case COUNTED_MANIFEST:
	case COUNTED_GHOSTBUSTERS:
	case COUNTED_TAK:
	case COUNTED_OTHER:
	case COUNTED:
		break;
	}
	return false; /* others give nothing */
}

static RESULT get_product(struct reader *r, struct point *p, const struct item *item, struct product **ret)
{
	struct product *x = arena_alloc(p->arena, sizeof *x);

	if (x == NULL)
		return FAIL(ERR_NOMEM);
	x->item = item;
	x->as = read32(r);
	x->what = get_span(r);
	x->ski = get_span(r);
	x->prefixes = read32(r);
	TRY(get_list(r, p->arena, x));
	if (!reader_ok(r) || !product_is_good(x))
		return FAIL(ERR_FORMAT);
	product_origin(p, x);
	*ret = x;
	return DONE;
}

/* What items and CAs begin with. */
static RESULT get_head(struct reader *r, struct known *ret)
{
	struct span hash = read_span(r, OBJECT_HASH);

	*ret = (struct known){ .hash = hash.p, .kind = COUNTED_CERT };
	ret->not_before = (int64_t)get64(r);
	ret->not_after = (int64_t)get64(r);
	ret->uri = get_span(r);
	ret->serial = get_span(r);
	return reader_ok(r) ? DONE : FAIL(ERR_FORMAT);
}

static RESULT get_item_head(struct reader *r, struct known *ret)
{
	uint8_t kind;

	TRY(get_head(r, ret));
	kind = read8(r);
	if (kind != COUNTED_ROA && kind != COUNTED_ASPA && kind != COUNTED_ROUTER && kind != COUNTED_GHOSTBUSTERS && kind != COUNTED_TAK)
		return FAIL(ERR_FORMAT);
	ret->kind = (enum counted)kind;
	return reader_ok(r) ? DONE : FAIL(ERR_FORMAT);
}

static RESULT get_item(struct reader *r, struct point *p, struct item **ret)
{
	struct item *i = arena_alloc(p->arena, sizeof *i);
	struct known head;

	if (i == NULL)
		return FAIL(ERR_NOMEM);
	TRY(get_item_head(r, &head));
	*i = (struct item){ NULL, head.kind, head.uri, head.hash, head.serial, head.not_before, head.not_after };
	*ret = i;
	return DONE;
}

static RESULT get_effective(struct reader *r, struct ca *c)
{
	uint8_t as_claimed = read8(r);

	if (as_claimed > 1)
		return FAIL(ERR_FORMAT);
	c->as_claimed = as_claimed == 1;
	if (c->as_claimed)
		return DONE;
	TRY(get_set32(r, c->arena, &c->effective.ip4, &c->effective.v4));
	TRY(get_set128(r, c->arena, &c->effective.ip6, &c->effective.v6));
	return get_set32(r, c->arena, &c->effective.as, &c->effective.asn);
}

static RESULT copy_text(struct span s, struct arena *a, struct span *ret)
{
	const uint8_t *copy = arena_dup(a, s.p != NULL ? s.p : (const uint8_t *)"", s.n);

	if (copy == NULL)
		return FAIL(ERR_NOMEM);
	*ret = span_of(copy, s.n);
	return DONE;
}

/* A text of the note, copied: the note goes before the CA does. */
static RESULT get_text(struct reader *r, struct arena *a, struct span *ret)
{
	return copy_text(get_span(r), a, ret);
}

static RESULT read_child(struct reader *r, struct ca *c)
{
	struct known head;
	struct span identity;

	TRY(get_head(r, &head));
	identity = read_span(r, OBJECT_HASH);
	if (identity.n != OBJECT_HASH)
		return FAIL(ERR_FORMAT);
	memcpy(c->hash, head.hash, OBJECT_HASH);
	memcpy(c->identity, identity.p, OBJECT_HASH);
	c->identified = c->brief = true;
	c->cert.not_before = head.not_before;
	c->cert.not_after = head.not_after;
	TRY(copy_text(head.uri, c->arena, &c->uri));
	TRY(copy_text(head.serial, c->arena, &c->cert.serial));
	TRY(get_text(r, c->arena, &c->cert.notify));
	TRY(get_text(r, c->arena, &c->cert.manifest));
	TRY(get_text(r, c->arena, &c->cert.repository));
	TRY(get_text(r, c->arena, &c->cert.ski));
	TRY(get_effective(r, c));
	return reader_ok(r) ? DONE : FAIL(ERR_FORMAT);
}

static RESULT get_child(struct reader *r, struct point *p, struct ca **ret)
{
	AUTO(ca_free) struct ca *c = ca_brief();

	if (c == NULL)
		return FAIL(ERR_NOMEM);
	TRY(read_child(r, c));
	memcpy(c->by, p->ca->identity, sizeof c->by);
	*ret = MOVE(c);
	return DONE;
}

static RESULT get_refusal(struct reader *r, struct point *p, struct refusal **ret)
{
	struct refusal *f = arena_alloc(p->arena, sizeof *f);
	struct span why;

	if (f == NULL)
		return FAIL(ERR_NOMEM);
	f->uri = get_span(r);
	why = get_span(r);
	if (!reader_ok(r) || why.n == 0 || memchr(why.p, '\0', why.n) != why.p + why.n - 1)
		return FAIL(ERR_FORMAT);
	f->why = (const char *)why.p;
	*ret = f;
	return DONE;
}

/* The last of each list. */
struct ends {
	struct item *item ARENA_FIELD;
	struct product *product ARENA_FIELD;
	struct ca *child BORROWED_FIELD;
	struct refusal *refusal ARENA_FIELD;
};

static RESULT take_item(struct reader *r, struct point *p, struct ends *e)
{
	struct item *i;

	TRY(get_item(r, p, &i));
	if (e->item != NULL)
		e->item->next = i;
	else
		p->items = i;
	e->item = i;
	return DONE;
}

static RESULT take_product(struct reader *r, struct point *p, struct ends *e)
{
	struct product *x;

	if (e->item == NULL)
		return FAIL(ERR_FORMAT);
	TRY(get_product(r, p, e->item, &x));
	if (e->product != NULL)
		e->product->next = x;
	else
		p->products = x;
	e->product = x;
	return DONE;
}

/* How many there may be below one member of a registry is counted in each run anew. */
static RESULT no_room(struct point *p, const struct ca *c, struct ends *e)
{
	struct refusal *f = arena_alloc(p->arena, sizeof *f);
	const uint8_t *uri = arena_dup(p->arena, c->uri.p, c->uri.n);

	if (f == NULL || uri == NULL)
		return FAIL(ERR_NOMEM);
	*f = (struct refusal){ p->refusals, span_of(uri, c->uri.n), CHILD_NO_ROOM };
	p->refusals = f;
	if (e->refusal == NULL)
		e->refusal = f;
	p->valid[COUNTED_CERT]--;
	p->invalid[COUNTED_CERT]++;
	p->limits++;
	return DONE;
}

static RESULT take_child(struct reader *r, struct point *p, struct ends *e)
{
	AUTO(ca_free) struct ca *c = NULL;
	struct ca *placed;
	bool room;

	TRY(get_child(r, p, &c));
	placed = c;
	if (p->ca->depth + 1 >= CA_MAX_DEPTH)
		return FAIL(ERR_FORMAT);
	TRY(child_below(c, p->ca, p->stale));
	TRY(child_join(p, c, &room));
	if (!room)
		return no_room(p, c, e);
	if (e->child != NULL)
		e->child->next = MOVE(c);
	else
		p->children = MOVE(c);
	e->child = placed;
	p->child_count++;
	return DONE;
}

static RESULT take_refusal(struct reader *r, struct point *p, struct ends *e)
{
	struct refusal *f;

	TRY(get_refusal(r, p, &f));
	if (e->refusal != NULL)
		e->refusal->next = f;
	else
		p->refusals = f;
	e->refusal = f;
	return DONE;
}

#define COUNTS_OCTETS (3 * 8 + COUNTED * 2 * 8)
static void read_counts(struct reader *r, struct point *p)
{
	p->own_stale = (int64_t)get64(r);
	p->stale = p->own_stale < p->ca->stale ? p->own_stale : p->ca->stale;
	p->payloads = get64(r);
	p->limits = get64(r);
	for (size_t i = 0; i < COUNTED; i++) {
		p->valid[i] = get64(r);
		p->invalid[i] = get64(r);
	}
}

/* Items with their products, then CAs, then refusals. */
static bool in_order(uint8_t last, uint8_t what)
{
	bool in_items = last == 'o' || last == 'p';

	return what == 'o' || what == 'p' ? in_items : what == 'c' ? last != 'r' : true;
}

RESULT remember_take(struct span found, struct point *p)
{
	struct reader r = reader_of(found);
	struct ends e = { NULL, NULL, NULL, NULL };
	uint8_t flags = read8(&r), last = 'o';

	if ((flags & 3) == 3 || flags >= 4u << WANTINGS)
		return FAIL(ERR_FORMAT);
	p->failed = (flags & 1) != 0;
	p->kept = (flags & 2) != 0;
	for (size_t i = 0; i < WANTINGS; i++)
		p->wanting[i] = (flags & 4u << i) != 0;
	read_counts(&r, p);
	while (reader_ok(&r) && !reader_end(&r)) {
		uint8_t what = read8(&r);

		if (!in_order(last, what))
			return FAIL(ERR_FORMAT);
		last = what;
		if (what == 'o')
			TRY(take_item(&r, p, &e));
		else if (what == 'p')
			TRY(take_product(&r, p, &e));
		else if (what == 'c')
			TRY(take_child(&r, p, &e));
		else if (what == 'r')
			TRY(take_refusal(&r, p, &e));
		else
			return FAIL(ERR_FORMAT);
	}
	return reader_ok(&r) ? DONE : FAIL(ERR_FORMAT);
}

/* --- objects that are as they were, in a point that is not */

static void skip_product(struct reader *r)
{
	read_skip(r, 4);
	(void)get_span(r);
	(void)get_span(r);
	read_skip(r, 4);
	read_skip(r, (size_t)read32(r) * 4);
}

static void skip_set(struct reader *r, size_t octets)
{
	read_skip(r, 1);
	read_skip(r, (size_t)read32(r) * octets);
}

static void skip_child(struct reader *r)
{
	read_skip(r, OBJECT_HASH);
	for (int i = 0; i < 4; i++)
		(void)get_span(r);
	if (read8(r) == 1)
		return;
	skip_set(r, 8);
	skip_set(r, 32);
	skip_set(r, 8);
}

/* The next item or CA, with all that belongs to it. False: there is none. */
static bool next_known(struct reader *r, struct known *ret)
{
	size_t at = r->pos;
	uint8_t what = read8(r);

	if ((what != 'o' && what != 'c') || !OK(what == 'o' ? get_item_head(r, ret) : get_head(r, ret)))
		return false;
	if (what == 'c')
		skip_child(r);
	while (what == 'o' && !reader_end(r) && r->base[r->pos] == 'p') {
		read_skip(r, 1);
		skip_product(r);
	}
	ret->octets = span_of(r->base + at, r->pos - at);
	return reader_ok(r);
}

static int by_hash(const void *a, const void *b)
{
	const struct known *x = a, *y = b;

	return memcmp(x->hash, y->hash, OBJECT_HASH);
}

RESULT remember_know(struct point *p, struct span found)
{
	struct reader r = reader_of(found), again;
	struct known one;
	size_t n = 0;

	read_skip(&r, 1 + COUNTS_OCTETS);
	again = r;
	while (next_known(&r, &one))
		n++;
	p->known = arena_alloc_array(p->arena, n + 1, sizeof *p->known);
	if (p->known == NULL)
		return FAIL(ERR_NOMEM);
	while (p->known_count < n && next_known(&again, &p->known[p->known_count]))
		p->known_count++;
	if (n > 1)
		qsort(p->known, n, sizeof *p->known, by_hash);
	return DONE;
}

const struct known *remember_find(const struct point *p, const uint8_t hash[OBJECT_HASH], struct span uri)
{
	const struct known wanted = { .hash = hash };
	const struct known *k = bsearch(&wanted, p->known, p->known_count, sizeof *p->known, by_hash), *end = p->known + p->known_count;

	if (k == NULL)
		return NULL;
	while (k > p->known && by_hash(k - 1, k) == 0)
		k--;
	for (; k < end && memcmp(k->hash, hash, OBJECT_HASH) == 0; k++)
		if (span_equal(k->uri, uri))
			return k; /* the same octets may have two names */
	return NULL;
}

static uint64_t payloads_of(const struct product *x)
{
	return x->item->kind == COUNTED_ROA ? x->prefixes : x->item->kind == COUNTED_ASPA ? x->n : 1;
}

static RESULT reuse_item(struct reader *r, struct point *p)
{
	struct product *first = NULL, *last = NULL, *x;
	struct item *item;
	uint64_t payloads = 0;

	TRY(get_item(r, p, &item));
	while (!reader_end(r)) {
		read_skip(r, 1);
		TRY(get_product(r, p, item, &x));
		payloads += payloads_of(x);
		if (last != NULL)
			last->next = x;
		else
			first = x;
		last = x;
	}
	p->payloads += payloads;
	item->next = p->items;
	p->items = item;
	if (last == NULL)
		return DONE;
	last->next = p->products;
	p->products = first;
	return DONE;
}

RESULT remember_reuse(struct point *p, const struct known *k, struct ca **ret_child)
{
	struct reader r = reader_of(k->octets);

	if (read8(&r) == 'c')
		return get_child(&r, p, ret_child);
	return reuse_item(&r, p);
}
