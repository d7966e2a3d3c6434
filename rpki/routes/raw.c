#include "rpki/routes/raw.h"

#include <stdlib.h>

#define FIRST_ROOM ((size_t)64)

void raw_done(struct raw *r)
{
	mem_free(MOVE(r->v4));
	mem_free(MOVE(r->v6));
	mem_free(MOVE(r->keys));
	mem_free(MOVE(r->aspas));
	mem_free(MOVE(r->octets));
	mem_free(MOVE(r->providers));
	*r = (struct raw){ .n4 = 0 };
}

RESULT raw_grow(void **p, size_t n, size_t more, size_t *room, size_t size)
{
	size_t want = *room < FIRST_ROOM ? FIRST_ROOM : *room;

	if (more <= *room - n)
		return DONE;
	if (more > UINT32_MAX || n + more > UINT32_MAX)
		return FAIL(ERR_LIMIT);
	while (want < n + more)
		want += want / 2;
	TRY(mem_resize(p, *room, want, size));
	*room = want;
	return DONE;
}

/* GROW(r, field, count, room, more): the array in r->field has room for `more` behind its count. */
#define GROW(r, field, count, room_field, more) \
	do { \
		void *p_ = (r)->field; \
		struct result g_ = raw_grow(&p_, (r)->count, (more), &(r)->room_field, sizeof *(r)->field); \
		(r)->field = p_; \
		if (!OK(g_)) \
			return g_; \
	} while (0)

RESULT raw_add_vrp(struct raw *r, const struct vrp *v, uint32_t tag)
{
	if (v->family == ADDR_V4) {
		struct raw4 *x;

		GROW(r, v4, n4, room4, 1);
		x = &r->v4[r->n4++];
		memcpy(x->key, v->addr, 4);
		x->key[4] = v->maxlen;
		x->key[5] = v->len;
		store32(x->key + 6, v->asn);
		x->tag = tag;
	} else {
		struct raw6 *x;

		GROW(r, v6, n6, room6, 1);
		x = &r->v6[r->n6++];
		memcpy(x->key, v->addr, 16);
		x->key[16] = v->maxlen;
		x->key[17] = v->len;
		store32(x->key + 18, v->asn);
		x->tag = tag;
	}
	return DONE;
}

bool raw_vrps_are(const struct raw *r, uint32_t tag)
{
	for (size_t i = 0; i < r->n4; i++)
		if (r->v4[i].tag != tag || (i > 0 && memcmp(r->v4[i - 1].key, r->v4[i].key, RAW4_KEY) == 0))
			return false;
	for (size_t i = 0; i < r->n6; i++)
		if (r->v6[i].tag != tag || (i > 0 && memcmp(r->v6[i - 1].key, r->v6[i].key, RAW6_KEY) == 0))
			return false;
	return true;
}

RESULT raw_add_vrps(struct raw *to, const struct raw *from, uint32_t tag)
{
	GROW(to, v4, n4, room4, from->n4);
	GROW(to, v6, n6, room6, from->n6);
	for (size_t i = 0; i < from->n4; i++) {
		to->v4[to->n4] = from->v4[i];
		to->v4[to->n4++].tag = tag;
	}
	for (size_t i = 0; i < from->n6; i++) {
		to->v6[to->n6] = from->v6[i];
		to->v6[to->n6++].tag = tag;
	}
	return DONE;
}

RESULT raw_add_key(struct raw *r, const struct router_key *k, uint32_t tag)
{
	struct raw_key *x;

	GROW(r, keys, nkeys, room_keys, 1);
	GROW(r, octets, noctets, room_octets, k->spki.n);
	x = &r->keys[r->nkeys];
	*x = (struct raw_key){ .asn = k->asn, .at = r->noctets, .n = (uint32_t)k->spki.n, .tag = tag, .order = (uint32_t)r->nkeys };
	memcpy(x->ski, k->ski, sizeof x->ski);
	if (k->spki.n != 0)
		memcpy(r->octets + r->noctets, k->spki.p, k->spki.n);
	r->noctets += k->spki.n;
	r->nkeys++;
	return DONE;
}

RESULT raw_add_aspa(struct raw *r, const struct aspa_payload *a, uint32_t tag)
{
	GROW(r, aspas, naspas, room_aspas, 1);
	GROW(r, providers, nproviders, room_providers, a->n);
	r->aspas[r->naspas] = (struct raw_aspa){
		.customer = a->customer, .at = r->nproviders, .n = (uint32_t)a->n, .tag = tag, .order = (uint32_t)r->naspas
	};
	if (a->n != 0)
		memcpy(r->providers + r->nproviders, a->providers, a->n * sizeof *a->providers);
	r->nproviders += a->n;
	r->naspas++;
	return DONE;
}

struct vrp raw4_vrp(const struct raw4 *x)
{
	struct vrp v = { .family = ADDR_V4, .maxlen = x->key[4], .len = x->key[5], .asn = load32(x->key + 6) };

	memcpy(v.addr, x->key, 4);
	return v;
}

struct vrp raw6_vrp(const struct raw6 *x)
{
	struct vrp v = { .family = ADDR_V6, .maxlen = x->key[16], .len = x->key[17], .asn = load32(x->key + 18) };

	memcpy(v.addr, x->key, 16);
	return v;
}

/* ----------------------------------------------------------------------------------------------------------------- sorting */

struct histogram {
	uint32_t count[RAW6_KEY][256];
};

/* For a few: the passes of a radix sort cost the same for one as for thousands. */
#define FEW 64u
#define INSERTION_SORT(name, type, width) \
	static void name(type *v, size_t n) \
	{ \
		for (size_t i = 1; i < n; i++) { \
			type x = v[i]; \
			size_t k = i; \
\
			for (; k > 0 && memcmp(v[k - 1].key, x.key, (width)) > 0; k--) \
				v[k] = v[k - 1]; \
			v[k] = x; \
		} \
	}
INSERTION_SORT(insert4, struct raw4, RAW4_KEY)
INSERTION_SORT(insert6, struct raw6, RAW6_KEY)

/* One pass for each octet of the key, the last first; both arrays have n elements, and the result is in *v. */
#define RADIX_SORT(name, type, width) \
	static void name(type **v, type **other, size_t n, struct histogram *h) \
	{ \
		for (size_t i = 0; i < n; i++) \
			for (unsigned int d = 0; d < (width); d++) \
				h->count[d][(*v)[i].key[d]]++; \
		for (unsigned int d = (width); d-- > 0;) { \
			uint32_t *count = h->count[d], at = 0; \
			type *from = *v, *to = *other; \
\
			if (count[from[0].key[d]] == n) \
				continue; \
			for (unsigned int x = 0; x < 256; x++) { \
				uint32_t k = count[x]; \
\
				count[x] = at; \
				at += k; \
			} \
			for (size_t i = 0; i < n; i++) \
				to[count[from[i].key[d]]++] = from[i]; \
			*v = to; \
			*other = from; \
		} \
	}
RADIX_SORT(radix4, struct raw4, RAW4_KEY)
RADIX_SORT(radix6, struct raw6, RAW6_KEY)

/* What comes from a table, or from one over RTR, is in order already: one look in place of all the passes. */
#define IS_SORTED(name, type, width) \
	static bool name(const type *v, size_t n) \
	{ \
		for (size_t i = 1; i < n; i++) \
			if (memcmp(v[i - 1].key, v[i].key, (width)) > 0) \
				return false; \
		return true; \
	}
IS_SORTED(is_sorted4, struct raw4, RAW4_KEY)
IS_SORTED(is_sorted6, struct raw6, RAW6_KEY)

static RESULT sort4(struct raw *r)
{
	AUTO(mem_free) void *histogram = NULL, *room = NULL;
	struct raw4 *a = r->v4, *b;

	if (is_sorted4(r->v4, r->n4))
		return DONE;
	if (r->n4 < FEW) {
		insert4(r->v4, r->n4);
		return DONE;
	}
	histogram = mem_alloc(sizeof(struct histogram));
	room = mem_alloc_array(r->n4, sizeof *r->v4);
	if (histogram == NULL || room == NULL)
		return FAIL(ERR_NOMEM);
	b = room;
	radix4(&a, &b, r->n4, histogram);
	if (a != r->v4)
		memcpy(r->v4, a, r->n4 * sizeof *a);
	return DONE;
}

static RESULT sort6(struct raw *r)
{
	AUTO(mem_free) void *histogram = NULL, *room = NULL;
	struct raw6 *a = r->v6, *b;

	if (is_sorted6(r->v6, r->n6))
		return DONE;
	if (r->n6 < FEW) {
		insert6(r->v6, r->n6);
		return DONE;
	}
	histogram = mem_alloc(sizeof(struct histogram));
	room = mem_alloc_array(r->n6, sizeof *r->v6);
	if (histogram == NULL || room == NULL)
		return FAIL(ERR_NOMEM);
	b = room;
	radix6(&a, &b, r->n6, histogram);
	if (a != r->v6)
		memcpy(r->v6, a, r->n6 * sizeof *a);
	return DONE;
}

static int key_order(const void *pa, const void *pb, void *ctx)
{
	const struct raw_key *a = pa, *b = pb;
	const struct raw *r = ctx;
	struct router_key ka = raw_key_value(r, a), kb = raw_key_value(r, b);
	int c = router_key_compare(&ka, &kb);

	return c != 0 ? c : a->order < b->order ? -1 : a->order > b->order;
}

static int aspa_order(const void *pa, const void *pb)
{
	const struct raw_aspa *a = pa, *b = pb;

	if (a->customer != b->customer)
		return a->customer < b->customer ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

RESULT raw_sort(struct raw *r)
{
	TRY(sort4(r));
	TRY(sort6(r));
	if (r->nkeys > 1)
		qsort_r(r->keys, r->nkeys, sizeof *r->keys, key_order, r);
	if (r->naspas > 1)
		qsort(r->aspas, r->naspas, sizeof *r->aspas, aspa_order);
	return DONE;
}
