/* heard.c: open addressing over 64 bits a record. */
#include "tests/sim/heard.h"

#include <stdlib.h>

#include "base/mem.h"

struct heard {
	uint64_t *slots OWNED_FIELD; /* 0: free */
	size_t room, count;          /* room: a power of two */
};

void heard_free(struct heard *h)
{
	if (h == NULL)
		return;
	mem_free(MOVE(h->slots));
	mem_free(h);
}

struct heard *heard_new(void)
{
	AUTO(heard_free) struct heard *h = (struct heard *)mem_alloc(sizeof *h);

	if (h == NULL)
		abort();
	h->room = 1024;
	h->slots = (uint64_t *)mem_alloc_array(h->room, sizeof *h->slots);
	if (h->slots == NULL)
		abort();
	return MOVE(h);
}

static uint64_t mix(uint64_t x, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t c = p[i] >= 'A' && p[i] <= 'Z' ? (uint8_t)(p[i] + 32) : p[i]; /* names keep their case or not; other octets do no harm */

		x = (x ^ c) * UINT64_C(1099511628211);
	}
	return x;
}

/* star: in place of the owner's first label stands an asterisk. */
static uint64_t hash_of(struct name owner, bool star, uint16_t type, struct span rdata)
{
	static const uint8_t asterisk[] = { 1, '*' };
	uint64_t x = UINT64_C(14695981039346656037) ^ type;

	if (star)
		x = mix(x, asterisk, sizeof asterisk);
	x = mix(mix(x, owner.wire, owner.len), rdata.p, rdata.n);
	x ^= x >> 29;
	return x != 0 ? x : 1;
}

static uint64_t *find(const struct heard *h, uint64_t x) BORROWED;
static uint64_t *find(const struct heard *h, uint64_t x)
{
	size_t i = (size_t)x & (h->room - 1);

	while (h->slots[i] != 0 && h->slots[i] != x)
		i = (i + 1) & (h->room - 1);
	return &h->slots[i];
}

static void grow(struct heard *h)
{
	struct heard more = { .room = h->room * 2 };

	more.slots = (uint64_t *)mem_alloc_array(more.room, sizeof *more.slots);
	if (more.slots == NULL)
		abort();
	for (size_t i = 0; i < h->room; i++) {
		if (h->slots[i] != 0)
			*find(&more, h->slots[i]) = h->slots[i];
	}
	mem_free(MOVE(h->slots));
	h->slots = more.slots;
	h->room = more.room;
}

static void add(struct heard *h, uint64_t x)
{
	uint64_t *at = find(h, x);

	if (*at == x)
		return;
	*at = x;
	if (++h->count * 2 > h->room)
		grow(h);
}

void heard_add(struct heard *h, const struct rrset *rs, struct name source)
{
	for (unsigned int k = 0; k < rs->count; k++) {
		add(h, hash_of(rrset_name(rs), false, rs->type, rrset_rdata(rs, k)));
		if (!name_equal(source, rrset_name(rs)))
			add(h, hash_of(source, false, rs->type, rrset_rdata(rs, k)));
	}
}

static bool has(const struct heard *h, struct name owner, uint16_t type, struct span rdata)
{
	uint64_t x = hash_of(owner, false, type, rdata);

	if (*find(h, x) == x)
		return true;
	while (owner.labels > 0) {
		owner = name_parent(owner);
		x = hash_of(owner, true, type, rdata);
		if (*find(h, x) == x)
			return true;
	}
	return false;
}

bool heard_has(const struct heard *h, const struct rrset *rs)
{
	for (unsigned int k = 0; k < rs->count; k++) {
		if (!has(h, rrset_name(rs), rs->type, rrset_rdata(rs, k)))
			return false;
	}
	return true;
}
