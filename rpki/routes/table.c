#include "rpki/routes/table.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "rpki/routes/raw.h"
#include "rpki/routes/table_inside.h"

#define TALS 16u /* names of trust anchors of which each stands in the text once */

struct table_builder {
	struct raw raw;
	struct table_limits limits;
	struct slot_source *sources OWNED_FIELD;
	size_t nsources, room_sources;
	char *text OWNED_FIELD;
	size_t ntext, room_text;
	uint32_t tals[TALS]; /* where their names are in the text */
	size_t ntals;
	bool sourced[PAYLOAD_KINDS]; /* some payload has a source */
};

/* --------------------------------------------------------------------------------------------------------------- lifetime */

static void own_done(struct table_own *o)
{
	mem_free(MOVE(o->v4));
	mem_free(MOVE(o->v6));
	mem_free(MOVE(o->keys));
	mem_free(MOVE(o->aspas));
	mem_free(MOVE(o->octets));
	mem_free(MOVE(o->providers));
	for (unsigned int k = 0; k < PAYLOAD_KINDS; k++) {
		mem_free(MOVE(o->first[k]));
		mem_free(MOVE(o->ids[k]));
	}
	mem_free(MOVE(o->sources));
	mem_free(MOVE(o->text));
}

void table_unref(struct payload_table *t)
{
	if (t == NULL || atomic_fetch_sub_explicit(&t->refs, 1, memory_order_acq_rel) != 1)
		return;
	own_done(&t->own);
	if (t->mapped)
		(void)munmap(t->image, t->image_octets);
	else
		mem_free(MOVE(t->image));
	mem_free(t);
}

struct payload_table *table_ref(const struct payload_table *t)
{
	struct payload_table *m = (struct payload_table *)(uintptr_t)t; /* only the count is written */

	atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
	return m;
}

void table_builder_free(struct table_builder *b)
{
	if (b == NULL)
		return;
	raw_done(&b->raw);
	mem_free(MOVE(b->sources));
	mem_free(MOVE(b->text));
	mem_free(b);
}

struct table_builder *table_builder_new(const struct table_limits *limits)
{
	AUTO(table_builder_free) struct table_builder *b = (struct table_builder *)mem_alloc(sizeof *b);

	if (b == NULL)
		return NULL;
	if (limits != NULL)
		b->limits = *limits;
	if (b->limits.providers == 0 || b->limits.providers > PAYLOAD_PROVIDERS_MAX)
		b->limits.providers = PAYLOAD_PROVIDERS_MAX;
	return MOVE(b);
}

/* -------------------------------------------------------------------------------------------------------------- collecting */

static RESULT copy_text(struct table_builder *b, const char *from, uint32_t *ret)
{
	void *p = b->text;
	struct result r;
	size_t n;

	if (from == NULL) {
		*ret = TEXT_NONE;
		return DONE;
	}
	n = strlen(from) + 1;
	r = raw_grow(&p, b->ntext, n, &b->room_text, 1);
	b->text = p;
	TRY(r);
	memcpy(b->text + b->ntext, from, n);
	*ret = (uint32_t)b->ntext;
	b->ntext += n;
	return DONE;
}

/* There are few of them, and each has many objects. */
static RESULT copy_tal(struct table_builder *b, const char *tal, uint32_t *ret)
{
	for (size_t i = b->ntals; i-- > 0;) {
		if (strcmp(b->text + b->tals[i], tal) == 0) {
			*ret = b->tals[i];
			return DONE;
		}
	}
	TRY(copy_text(b, tal, ret));
	if (b->ntals < TALS)
		b->tals[b->ntals++] = *ret;
	return DONE;
}

RESULT table_builder_add_source(struct table_builder *b, const struct payload_source *s, uint32_t *ret_id)
{
	struct slot_source copy = { .kind = s->kind, .not_before = s->not_before, .not_after = s->not_after, .chain_not_before = s->chain_not_before,
		.chain_not_after = s->chain_not_after, .stale = s->stale };
	void *p = b->sources;
	struct result r = raw_grow(&p, b->nsources, 1, &b->room_sources, sizeof *b->sources);

	b->sources = p;
	TRY(r);
	TRY(copy_tal(b, s->tal != NULL ? s->tal : "", &copy.tal));
	TRY(copy_text(b, s->uri, &copy.uri));
	TRY(copy_text(b, s->comment, &copy.comment));
	b->sources[b->nsources] = copy;
	*ret_id = (uint32_t)b->nsources++;
	return DONE;
}

static bool source_known(const struct table_builder *b, uint32_t source)
{
	return source == SOURCE_NONE || source < b->nsources;
}

RESULT table_builder_add_vrp(struct table_builder *b, const struct vrp *v, uint32_t source)
{
	if (!vrp_is_sound(v) || !source_known(b, source))
		return FAIL(ERR_RANGE);
	if (b->limits.vrps != 0 && b->raw.n4 + b->raw.n6 >= b->limits.vrps)
		return FAIL(ERR_LIMIT);
	TRY(raw_add_vrp(&b->raw, v, source));
	b->sourced[PAYLOAD_VRP] |= source != SOURCE_NONE;
	return DONE;
}

RESULT table_builder_add_raw_vrps(struct table_builder *b, const struct raw *r)
{
	return raw_add_vrps(&b->raw, r, SOURCE_NONE);
}

RESULT table_builder_add_key(struct table_builder *b, const struct router_key *k, uint32_t source)
{
	if (k->spki.n == 0 || k->spki.n > PAYLOAD_SPKI_MAX || !source_known(b, source))
		return FAIL(ERR_RANGE);
	if (b->limits.keys != 0 && b->raw.nkeys >= b->limits.keys)
		return FAIL(ERR_LIMIT);
	TRY(raw_add_key(&b->raw, k, source));
	b->sourced[PAYLOAD_KEY] |= source != SOURCE_NONE;
	return DONE;
}

RESULT table_builder_add_aspa(struct table_builder *b, uint32_t customer, const uint32_t *providers, size_t n, uint32_t source)
{
	struct aspa_payload a = { .customer = customer, .providers = providers, .n = n };

	if (n == 0 || n > UINT32_MAX || !source_known(b, source))
		return FAIL(ERR_RANGE);
	if (b->limits.aspas != 0 && b->raw.naspas >= b->limits.aspas)
		return FAIL(ERR_LIMIT);
	TRY(raw_add_aspa(&b->raw, &a, source));
	b->sourced[PAYLOAD_ASPA] |= source != SOURCE_NONE;
	return DONE;
}

static const char *text_at(const struct payload_table *t, uint32_t at) BORROWED;
static const char *text_at(const struct payload_table *t, uint32_t at)
{
	return at != TEXT_NONE ? t->text + at : NULL;
}

static struct payload_source source_value(const struct payload_table *t, uint32_t id)
{
	const struct slot_source *s = &t->sources[id];

	return (struct payload_source){ .kind = s->kind, .tal = text_at(t, s->tal), .uri = text_at(t, s->uri), .comment = text_at(t, s->comment),
		.not_before = s->not_before, .not_after = s->not_after, .chain_not_before = s->chain_not_before, .chain_not_after = s->chain_not_after,
		.stale = s->stale };
}

/* Adds those sources of payload i of t that b does not have yet; ids says which have become which. */
static RESULT add_sources_of(struct table_builder *b, const struct payload_table *t, enum payload_kind k, size_t i, uint32_t *ids)
{
	for (size_t w = 0; w < table_sources(t, k, i); w++) {
		uint32_t old = t->lists[k].ids[t->lists[k].first[i] + w];

		struct payload_source s = source_value(t, old);

		if (ids[old] == SOURCE_NONE)
			TRY(table_builder_add_source(b, &s, &ids[old]));
	}
	return DONE;
}

static RESULT add_one_of(struct table_builder *b, const struct payload_table *t, enum payload_kind k, size_t i, uint32_t source)
{
	struct vrp v;
	struct router_key key;
	struct aspa_payload a;

	switch (k) {
	case PAYLOAD_VRP:
		v = table_vrp(t, i);
		return table_builder_add_vrp(b, &v, source);
	case PAYLOAD_KEY:
		key = table_key(t, i);
		return table_builder_add_key(b, &key, source);
	case PAYLOAD_ASPA:
		a = table_aspa(t, i);
		return table_builder_add_aspa(b, a.customer, a.providers, a.n, source);
	case PAYLOAD_KINDS:
		break;
	}
	return FAIL(ERR_RANGE);
}

RESULT table_builder_add_table(struct table_builder *b, const struct payload_table *t)
{
	return table_builder_add_unless(b, t, NULL, NULL, NULL);
}

RESULT table_builder_add_unless(struct table_builder *b, const struct payload_table *t, table_filter_fn *leave_out, void *ctx,
    size_t ret_left[PAYLOAD_KINDS])
{
	AUTO(mem_free) void *room = mem_alloc_array(t->nsources + 1, sizeof(uint32_t));
	uint32_t *ids = room;

	if (ids == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t i = 0; i < t->nsources; i++)
		ids[i] = SOURCE_NONE;
	for (unsigned int k = 0; k < PAYLOAD_KINDS; k++) {
		for (size_t i = 0; i < table_count(t, k); i++) {
			size_t n = table_sources(t, k, i);

			if (leave_out != NULL && leave_out(ctx, t, k, i)) {
				ret_left[k]++;
				continue;
			}
			TRY(add_sources_of(b, t, k, i, ids));
			if (n == 0)
				TRY(add_one_of(b, t, k, i, SOURCE_NONE));
			for (size_t w = 0; w < n; w++)
				TRY(add_one_of(b, t, k, i, ids[t->lists[k].ids[t->lists[k].first[i] + w]]));
		}
	}
	return DONE;
}

/* What stands in plus only: both are in order, so one walk over both finds it. */
static RESULT add_other_vrps(struct table_builder *b, const struct payload_table *plus, const struct payload_table *minus)
{
	size_t j = 0, n = table_count(minus, PAYLOAD_VRP);

	for (size_t i = 0; i < table_count(plus, PAYLOAD_VRP); i++) {
		struct vrp v = table_vrp(plus, i), m;
		int c = 1;

		for (; j < n; j++) {
			m = table_vrp(minus, j);
			c = vrp_compare(&m, &v);
			if (c >= 0)
				break;
		}
		if (j == n || c != 0)
			TRY(table_builder_add_vrp(b, &v, SOURCE_NONE));
	}
	return DONE;
}

static RESULT add_other_keys(struct table_builder *b, const struct payload_table *plus, const struct payload_table *minus)
{
	size_t j = 0;

	for (size_t i = 0; i < plus->nkeys; i++) {
		struct router_key k = table_key(plus, i), m;
		int c = 1;

		for (; j < minus->nkeys; j++) {
			m = table_key(minus, j);
			c = router_key_compare(&m, &k);
			if (c >= 0)
				break;
		}
		if (j == minus->nkeys || c != 0)
			TRY(table_builder_add_key(b, &k, SOURCE_NONE));
	}
	return DONE;
}

static RESULT add_other_aspas(struct table_builder *b, const struct payload_table *plus, const struct payload_table *minus)
{
	size_t j = 0;

	for (size_t i = 0; i < plus->naspas; i++) {
		struct aspa_payload a = table_aspa(plus, i), m = { .customer = 0 };

		while (j < minus->naspas && minus->aspas[j].customer < a.customer)
			j++;
		if (j < minus->naspas)
			m = table_aspa(minus, j);
		if (j == minus->naspas || !aspa_equal(&a, &m))
			TRY(table_builder_add_aspa(b, a.customer, a.providers, a.n, SOURCE_NONE));
	}
	return DONE;
}

RESULT table_builder_add_difference(struct table_builder *b, const struct payload_table *plus, const struct payload_table *minus)
{
	TRY(add_other_vrps(b, plus, minus));
	TRY(add_other_keys(b, plus, minus));
	return add_other_aspas(b, plus, minus);
}

/* --------------------------------------------------------------------------------------------------------------- finishing */

/* Source lists grow as payloads are taken over in order. */
static RESULT lists_init(struct payload_table *t, enum payload_kind k, size_t most)
{
	t->own.first[k] = (uint32_t *)mem_alloc_array(most + 1, sizeof(uint32_t));
	t->own.ids[k] = (uint32_t *)mem_alloc_array(most, sizeof(uint32_t));
	if (t->own.first[k] == NULL || t->own.ids[k] == NULL)
		return FAIL(ERR_NOMEM);
	t->lists[k].first = t->own.first[k];
	t->lists[k].ids = t->own.ids[k];
	return DONE;
}

static void lists_add(struct payload_table *t, enum payload_kind k, size_t payload, uint32_t id)
{
	uint32_t *first = t->own.first[k], *ids = t->own.ids[k], *n = &t->lists[k].n;

	if (first == NULL)
		return;
	if (id != SOURCE_NONE) {
		bool known = false;

		for (uint32_t i = first[payload]; i < *n && !known; i++)
			known = ids[i] == id;
		if (!known)
			ids[(*n)++] = id;
	}
	first[payload + 1] = *n;
}

static RESULT take_prefixes(const struct raw *r, struct payload_table *t)
{
	struct table_own *o = &t->own;

	t->v4 = o->v4 = (struct slot4 *)mem_alloc_array(r->n4, sizeof *o->v4);
	t->v6 = o->v6 = (struct slot6 *)mem_alloc_array(r->n6, sizeof *o->v6);
	if (o->v4 == NULL || o->v6 == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t i = 0; i < r->n4; i++) {
		const uint8_t *k = r->v4[i].key;

		if (i == 0 || memcmp(k, r->v4[i - 1].key, RAW4_KEY) != 0)
			o->v4[t->n4++] = (struct slot4){ .addr = load32(k), .asn = load32(k + 6), .maxlen = k[4], .len = k[5] };
		lists_add(t, PAYLOAD_VRP, t->n4 - 1, r->v4[i].tag);
	}
	for (size_t i = 0; i < r->n6; i++) {
		const uint8_t *k = r->v6[i].key;

		if (i == 0 || memcmp(k, r->v6[i - 1].key, RAW6_KEY) != 0) {
			struct slot6 *s = &o->v6[t->n6++];

			*s = (struct slot6){ .asn = load32(k + 18), .maxlen = k[16], .len = k[17] };
			memcpy(s->addr, k, sizeof s->addr);
		}
		lists_add(t, PAYLOAD_VRP, t->n4 + t->n6 - 1, r->v6[i].tag);
	}
	return DONE;
}

static RESULT take_keys(struct raw *r, struct payload_table *t)
{
	struct table_own *o = &t->own;

	t->keys = o->keys = (struct slot_key *)mem_alloc_array(r->nkeys, sizeof *o->keys);
	if (o->keys == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t i = 0; i < r->nkeys; i++) {
		struct router_key k = raw_key_value(r, &r->keys[i]), before = { .asn = 0 };

		if (i > 0)
			before = raw_key_value(r, &r->keys[i - 1]);
		if (i == 0 || router_key_compare(&k, &before) != 0) {
			struct slot_key *s = &o->keys[t->nkeys++];

			*s = (struct slot_key){ .asn = k.asn, .n = (uint32_t)k.spki.n, .at = (uint32_t)r->keys[i].at };
			memcpy(s->ski, k.ski, sizeof s->ski);
		}
		lists_add(t, PAYLOAD_KEY, t->nkeys - 1, r->keys[i].tag);
	}
	t->octets = o->octets = MOVE(r->octets);
	t->noctets = r->noctets;
	return DONE;
}

static int number_order(const void *pa, const void *pb)
{
	const uint32_t *a = pa, *b = pb;

	return *a < *b ? -1 : *a > *b;
}

/* Sorts, and leaves each once; AS0 stays only alone. Returns how many are left. */
static size_t unite(uint32_t *v, size_t n)
{
	size_t out = 0, from = 0;

	qsort(v, n, sizeof *v, number_order);
	while (from + 1 < n && v[from] == 0 && v[n - 1] != 0)
		from++;
	for (size_t i = from; i < n; i++)
		if (out == 0 || v[out - 1] != v[i])
			v[out++] = v[i];
	return out;
}

/* The ASPAs of one customer, from `at` on in sorted order, become one. Returns where the next customer begins. */
static size_t take_customer(const struct raw *r, size_t at, uint32_t most, struct payload_table *t)
{
	uint32_t customer = r->aspas[at].customer;
	uint32_t *room = t->own.providers + t->nproviders;
	size_t end = at, n = 0;

	for (; end < r->naspas && r->aspas[end].customer == customer; end++) {
		memcpy(room + n, r->providers + r->aspas[end].at, r->aspas[end].n * sizeof *room);
		n += r->aspas[end].n;
	}
	n = unite(room, n);
	if (n > most) {
		t->withheld++;
		return end;
	}
	t->own.aspas[t->naspas] = (struct slot_aspa){ .customer = customer, .n = (uint32_t)n, .at = (uint32_t)t->nproviders };
	t->nproviders += n;
	for (size_t i = at; i < end; i++)
		lists_add(t, PAYLOAD_ASPA, t->naspas, r->aspas[i].tag);
	t->naspas++;
	return end;
}

static RESULT take_aspas(const struct raw *r, uint32_t most, struct payload_table *t)
{
	struct table_own *o = &t->own;

	t->aspas = o->aspas = (struct slot_aspa *)mem_alloc_array(r->naspas, sizeof *o->aspas);
	t->providers = o->providers = (uint32_t *)mem_alloc_array(r->nproviders, sizeof *o->providers);
	if (o->aspas == NULL || o->providers == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t i = 0; i < r->naspas;)
		i = take_customer(r, i, most, t);
	return DONE;
}

RESULT table_builder_finish(struct table_builder *b, uint64_t generation, struct payload_table **ret_table)
{
	AUTO(table_builder_free) struct table_builder *own = b;
	AUTO(table_unref) struct payload_table *t = (struct payload_table *)mem_alloc(sizeof *t);
	const struct raw *r = &own->raw;
	size_t counts[PAYLOAD_KINDS] = { r->n4 + r->n6, r->nkeys, r->naspas };

	if (t == NULL)
		return FAIL(ERR_NOMEM);
	atomic_init(&t->refs, 1);
	t->generation = generation;
	TRY(raw_sort(&own->raw));
	for (unsigned int k = 0; k < PAYLOAD_KINDS; k++)
		if (own->sourced[k])
			TRY(lists_init(t, k, counts[k]));
	TRY(take_prefixes(r, t));
	TRY(take_aspas(r, own->limits.providers, t));
	TRY(take_keys(&own->raw, t));
	t->sources = t->own.sources = MOVE(own->sources);
	t->nsources = own->nsources;
	t->text = t->own.text = MOVE(own->text);
	t->ntext = own->ntext;
	*ret_table = MOVE(t);
	return DONE;
}

/* ----------------------------------------------------------------------------------------------------------------- reading */

uint64_t table_generation(const struct payload_table *t)
{
	return t->generation;
}

size_t table_count(const struct payload_table *t, enum payload_kind k)
{
	switch (k) {
	case PAYLOAD_VRP:
		return t->n4 + t->n6;
	case PAYLOAD_KEY:
		return t->nkeys;
	case PAYLOAD_ASPA:
		return t->naspas;
	case PAYLOAD_KINDS:
		break;
	}
	return 0;
}

size_t table_vrps4(const struct payload_table *t)
{
	return t->n4;
}

size_t table_octets(const struct payload_table *t)
{
	size_t n = sizeof *t + t->n4 * sizeof *t->v4 + t->n6 * sizeof *t->v6 + t->nkeys * sizeof *t->keys + t->noctets;

	n += t->naspas * sizeof *t->aspas + t->nproviders * sizeof *t->providers;
	for (unsigned int k = 0; k < PAYLOAD_KINDS; k++)
		if (t->lists[k].first != NULL)
			n += (table_count(t, k) + 1 + t->lists[k].n) * sizeof(uint32_t);
	n += t->nsources * sizeof *t->sources + t->ntext;
	return n;
}

size_t table_customers_withheld(const struct payload_table *t)
{
	return t->withheld;
}

struct vrp table_vrp(const struct payload_table *t, size_t i)
{
	struct vrp v;

	if (i < t->n4) {
		const struct slot4 *s = &t->v4[i];

		v = (struct vrp){ .asn = s->asn, .family = ADDR_V4, .len = s->len, .maxlen = s->maxlen };
		store32(v.addr, s->addr);
	} else {
		const struct slot6 *s = &t->v6[i - t->n4];

		v = (struct vrp){ .asn = s->asn, .family = ADDR_V6, .len = s->len, .maxlen = s->maxlen };
		memcpy(v.addr, s->addr, sizeof v.addr);
	}
	return v;
}

struct router_key table_key(const struct payload_table *t, size_t i)
{
	const struct slot_key *s = &t->keys[i];
	struct router_key k = { .asn = s->asn, .spki = span_of(t->octets + s->at, s->n) };

	memcpy(k.ski, s->ski, sizeof k.ski);
	return k;
}

struct aspa_payload table_aspa(const struct payload_table *t, size_t i)
{
	return (struct aspa_payload){ .customer = t->aspas[i].customer, .providers = t->providers + t->aspas[i].at, .n = t->aspas[i].n };
}

size_t table_find_vrp(const struct payload_table *t, const struct vrp *v)
{
	size_t low = v->family == ADDR_V4 ? 0 : t->n4;
	size_t high = v->family == ADDR_V4 ? t->n4 : t->n4 + t->n6;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		struct vrp m = table_vrp(t, mid);

		if (vrp_compare(&m, v) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

bool table_has_vrp(const struct payload_table *t, const struct vrp *v)
{
	size_t i = table_find_vrp(t, v);
	struct vrp found;

	if (i == table_count(t, PAYLOAD_VRP))
		return false;
	found = table_vrp(t, i);
	return vrp_compare(&found, v) == 0;
}

bool aspa_equal(const struct aspa_payload *a, const struct aspa_payload *b)
{
	return a->customer == b->customer && a->n == b->n && memcmp(a->providers, b->providers, a->n * sizeof *a->providers) == 0;
}

static int compare_payloads(const struct payload_table *t, size_t i, const struct payload_table *of, size_t j, enum payload_kind k)
{
	if (k == PAYLOAD_VRP) {
		struct vrp a = table_vrp(t, i), b = table_vrp(of, j);

		return vrp_compare(&a, &b);
	}
	if (k == PAYLOAD_KEY) {
		struct router_key a = table_key(t, i), b = table_key(of, j);

		return router_key_compare(&a, &b);
	}
	uint32_t a = table_aspa(t, i).customer, b = table_aspa(of, j).customer;

	return a < b ? -1 : a > b;
}

bool table_has_next(const struct payload_table *t, const struct payload_table *of, enum payload_kind k, size_t i, size_t *at)
{
	for (; *at < table_count(t, k); (*at)++) {
		int c = compare_payloads(t, *at, of, i, k);

		if (c >= 0)
			return c == 0;
	}
	return false;
}

bool table_equal(const struct payload_table *a, const struct payload_table *b)
{
	if (a->n4 != b->n4 || a->n6 != b->n6 || a->nkeys != b->nkeys || a->naspas != b->naspas)
		return false;
	for (size_t i = 0; i < a->n4 + a->n6; i++) {
		struct vrp x = table_vrp(a, i), y = table_vrp(b, i);

		if (vrp_compare(&x, &y) != 0)
			return false;
	}
	for (size_t i = 0; i < a->nkeys; i++) {
		struct router_key x = table_key(a, i), y = table_key(b, i);

		if (router_key_compare(&x, &y) != 0)
			return false;
	}
	for (size_t i = 0; i < a->naspas; i++) {
		struct aspa_payload x = table_aspa(a, i), y = table_aspa(b, i);

		if (!aspa_equal(&x, &y))
			return false;
	}
	return true;
}

size_t table_sources(const struct payload_table *t, enum payload_kind k, size_t i)
{
	const struct source_lists *l = &t->lists[k];

	return l->first != NULL ? l->first[i + 1] - l->first[i] : 0;
}

struct payload_source table_source(const struct payload_table *t, enum payload_kind k, size_t i, size_t which)
{
	return source_value(t, t->lists[k].ids[t->lists[k].first[i] + which]);
}
