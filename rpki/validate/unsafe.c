#include "rpki/validate/unsafe.h"

#include <stdlib.h>
#include <string.h>

#include "rpki/routes/table.h"

#define MOST_RANGES 1000000u

/* Of IPv4 addresses the lowest 32 bits. */
struct ranges {
	struct range128 *list OWNED_FIELD;
	size_t n, room;
};

struct unsafe {
	struct ranges v4, v6;
	uint32_t max;
	uint64_t left_out;
};

void unsafe_free(struct unsafe *x)
{
	if (x == NULL)
		return;
	mem_free(MOVE(x->v4.list));
	mem_free(MOVE(x->v6.list));
	mem_free(x);
}

struct unsafe *unsafe_new(uint32_t max)
{
	AUTO(unsafe_free) struct unsafe *x = mem_alloc(sizeof *x);

	if (x != NULL)
		x->max = max > 0 ? max : MOST_RANGES;
	return MOVE(x);
}

static int by_first(const void *a, const void *b)
{
	const struct range128 *x = a, *y = b;

	return x->lo < y->lo ? -1 : x->lo > y->lo;
}

static void join(struct ranges *r)
{
	size_t n = 0;

	if (r->n < 2)
		return;
	qsort(r->list, r->n, sizeof *r->list, by_first);
	for (size_t i = 1; i < r->n; i++) {
		struct range128 *last = &r->list[n];

		if (r->list[i].lo > last->hi)
			r->list[++n] = r->list[i];
		else if (r->list[i].hi > last->hi)
			last->hi = r->list[i].hi;
	}
	r->n = n + 1;
}

/* What a CA has, those below it have too: joining often makes room enough. */
static RESULT make_room(const struct unsafe *x, struct ranges *to)
{
	size_t room = to->room == 0 ? 64 : 2 * to->room;

	join(to);
	if (to->room >= x->max || (to->room > 0 && to->n <= to->room / 2))
		return DONE;
	if (room > x->max)
		room = x->max;
	TRY(mem_resize((void **)(void *)&to->list, to->room, room, sizeof *to->list));
	to->room = room;
	return DONE;
}

static RESULT add(struct unsafe *x, struct ranges *to, rpki_u128 lo, rpki_u128 hi)
{
	if (to->n == to->room)
		TRY(make_room(x, to));
	if (to->n == to->room)
		x->left_out++;
	else
		to->list[to->n++] = (struct range128){ lo, hi };
	return DONE;
}

RESULT unsafe_add(struct unsafe *x, const struct resources *r)
{
	for (uint32_t i = 0; i < r->v4.n; i++)
		if (r->v4.r[i].lo != 0 || r->v4.r[i].hi != UINT32_MAX)
			TRY(add(x, &x->v4, r->v4.r[i].lo, r->v4.r[i].hi));
	for (uint32_t i = 0; i < r->v6.n; i++)
		if (r->v6.r[i].lo != 0 || r->v6.r[i].hi != ~(rpki_u128)0)
			TRY(add(x, &x->v6, r->v6.r[i].lo, r->v6.r[i].hi));
	return DONE;
}

void unsafe_seal(struct unsafe *x)
{
	join(&x->v4);
	join(&x->v6);
}

bool unsafe_is_empty(const struct unsafe *x)
{
	return x->v4.n == 0 && x->v6.n == 0;
}

uint64_t unsafe_left_out(const struct unsafe *x)
{
	return x->left_out;
}

static bool overlaps(const struct ranges *r, rpki_u128 lo, rpki_u128 hi)
{
	size_t from = 0, to = r->n;

	while (from < to) { /* the first that does not end before it */
		size_t mid = from + (to - from) / 2;

		if (r->list[mid].hi < lo)
			from = mid + 1;
		else
			to = mid;
	}
	return from < r->n && r->list[from].lo <= hi;
}

bool unsafe_has(const struct unsafe *x, const struct vrp *v)
{
	struct ip_prefix p = { .family = v->family == ADDR_V4 ? 4 : 6, .len = v->len };
	unsigned int octets = p.family == 4 ? 4 : 16;

	for (unsigned int i = 0; i < octets; i++)
		p.lo = p.lo << 8 | v->addr[i];
	return overlaps(p.family == 4 ? &x->v4 : &x->v6, p.lo, ip_prefix_last(&p));
}

/* ------------------------------------------------------------------------------------------------------------------- tables */

struct asking {
	const struct unsafe *x BORROWED_FIELD;
	bool those; /* the unsafe ones are left out; else all others are */
};

static bool leave_out(void *ctx, const struct payload_table *t, enum payload_kind k, size_t i)
{
	const struct asking *a = ctx;
	struct vrp v;

	if (k != PAYLOAD_VRP)
		return !a->those;
	v = table_vrp(t, i);
	return unsafe_has(a->x, &v) == a->those;
}

static RESULT some_of(const struct unsafe *x, bool those, const struct payload_table *t, uint64_t generation, struct payload_table **ret)
{
	AUTO(table_builder_free) struct table_builder *b = table_builder_new(NULL);
	struct asking a = { x, those };
	size_t left[PAYLOAD_KINDS];

	if (b == NULL)
		return FAIL(ERR_NOMEM);
	TRY(table_builder_add_unless(b, t, leave_out, &a, left));
	return table_builder_finish(MOVE(b), generation, ret);
}

RESULT unsafe_part(const struct unsafe *x, enum unsafe_policy policy, uint64_t generation, struct payload_table **t, struct payload_table **ret_unsafe)
{
	AUTO(table_unref) struct payload_table *unsafe = NULL, *safe = NULL;

	*ret_unsafe = NULL;
	if (unsafe_is_empty(x))
		return DONE;
	TRY(some_of(x, false, *t, generation, &unsafe));
	if (unsafe == NULL || table_count(unsafe, PAYLOAD_VRP) == 0)
		return DONE;
	if (policy == UNSAFE_REJECT) {
		TRY(some_of(x, true, *t, generation, &safe));
		table_unref(MOVE(*t));
		*t = MOVE(safe);
	}
	*ret_unsafe = MOVE(unsafe);
	return DONE;
}
