#include "resolver/serve/watched.h"

#include "base/lock.h"
#include "base/mem.h"
#include "resolver/core/route.h"

#define SLICE 256u     /* addresses that are judged in one holding of the lock */
#define FIRST_ROOM 64u
#define BITS 32u

struct watched_address {
	struct addr a;
	bool used;
	uint8_t state;   /* enum verdict_state */
	uint32_t origin;
};

struct watched {
	struct lock lock;
	struct hash_key key;
	struct watched_address *slots OWNED_FIELD; /* open addressing; at most half are used */
	size_t room, count, max; /* room: 0 or a power of two */
	uint32_t made;           /* another number for each table */
	bool lost;               /* some were forgotten */
};

void watched_free(struct watched *w)
{
	if (w == NULL)
		return;
	lock_done(&w->lock);
	mem_free(MOVE(w->slots));
	mem_free(w);
}

struct watched *watched_new(size_t max, const struct hash_key *key)
{
	AUTO(watched_free) struct watched *w = (struct watched *)mem_alloc(sizeof *w);

	if (w == NULL)
		return NULL;
	lock_init(&w->lock);
	w->key = *key;
	w->max = max;
	return MOVE(w);
}

static uint64_t hash_of(const struct watched *w, const struct addr *a)
{
	return siphash13(&w->key, a->b, a->family == ADDR_V4 ? 4 : 16);
}

static struct watched_address *find(struct watched_address *slots, size_t room, uint64_t hash, const struct addr *a) BORROWED;
static struct watched_address *find(struct watched_address *slots, size_t room, uint64_t hash, const struct addr *a)
{
	size_t at = (size_t)hash & (room - 1);

	while (slots[at].used && !addr_equal(&slots[at].a, a))
		at = (at + 1) & (room - 1);
	return &slots[at];
}

static void forget(struct watched *w)
{
	mem_free(MOVE(w->slots));
	w->room = w->count = 0;
	w->made++;
	w->lost = true;
}

static bool grow(struct watched *w)
{
	size_t room = w->room == 0 ? FIRST_ROOM : w->room * 2;
	AUTO(mem_free) void *made = mem_alloc_array(room, sizeof(struct watched_address));
	struct watched_address *slots = (struct watched_address *)made;

	if (slots == NULL)
		return false;
	for (size_t i = 0; i < w->room; i++) {
		if (w->slots[i].used)
			*find(slots, room, hash_of(w, &w->slots[i].a), &w->slots[i].a) = w->slots[i];
	}
	mem_free(MOVE(w->slots));
	w->slots = (struct watched_address *)MOVE(made);
	w->room = room;
	w->made++;
	return true;
}

void watched_set_max(struct watched *w, size_t max)
{
	lock_take(&w->lock);
	w->max = max;
	if (w->count > max)
		forget(w);
	lock_give(&w->lock);
}

uint32_t watched_note(struct watched *w, const struct addr *a, const struct route_facts *f, bool *ret_full)
{
	uint64_t hash = hash_of(w, a);
	struct watched_address *s;

	*ret_full = false;
	lock_take(&w->lock);
	s = w->room > 0 ? find(w->slots, w->room, hash, a) : NULL;
	if (s == NULL || !s->used) {
		if (w->count >= w->max || (w->count * 2 >= w->room && !grow(w))) {
			forget(w);
			*ret_full = true;
		} else {
			*find(w->slots, w->room, hash, a) = (struct watched_address){ *a, true, (uint8_t)f->state, f->origin };
			w->count++;
		}
	} /* one that is there stays as it was: whoever looks next is to see that it moved */
	lock_give(&w->lock);
	return UINT32_C(1) << (hash >> 32) % BITS;
}

/* The bit of one that moved, or 0. */
static uint32_t look_at(const struct watched *w, struct watched_address *s, const struct route_view *v, enum watched_for what)
{
	struct route_facts now;
	bool moved;

	if (!s->used)
		return 0;
	now = route_facts_of(v, &s->a);
	moved = what == WATCHED_FACTS ? now.state != (enum verdict_state)s->state || now.origin != s->origin :
					(verdict_rank(now.state) == 2) != (verdict_rank((enum verdict_state)s->state) == 2);
	s->state = (uint8_t)now.state;
	s->origin = now.origin;
	return moved ? UINT32_C(1) << (hash_of(w, &s->a) >> 32) % BITS : 0;
}

uint32_t watched_look(struct watched *w, const struct route_view *v, enum watched_for what)
{
	uint32_t moved = 0, made = 0;
	size_t at = 0;
	bool more = true;

	while (more) {
		lock_take(&w->lock);
		if (w->made != made) /* it is another table: from its beginning */
			at = 0;
		made = w->made;
		if (w->lost)
			moved = UINT32_MAX;
		w->lost = false;
		for (size_t end = at + SLICE; at < w->room && at < end; at++)
			moved |= look_at(w, &w->slots[at], v, what);
		more = at < w->room;
		lock_give(&w->lock);
	}
	return moved;
}

size_t watched_count(struct watched *w)
{
	size_t n;

	lock_take(&w->lock);
	n = w->count;
	lock_give(&w->lock);
	return n;
}
