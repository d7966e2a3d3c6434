/*
 * The epoch is a counter that each retirement moves on by one. An object carries the number that it found; it is free once every
 * online member has *seen* a greater one, for a member notes the counter when it holds nothing.
 *
 * Why that is right (C11): the retirer unpublished the object and then added to the counter (release). A member that has seen a
 * greater number has read that addition or a later one (acquire), so it looks for objects after the unpublishing, and finds the
 * object no more; what it held before it had given up when it stored what it saw (release), which the freeing
 * member reads (acquire). A member that comes online stores what it sees and only then looks for objects, and who frees
 * looks at the members after the addition: a full fence on both sides, so that at least one notices the other.
 *
 * Members are never freed before their epoch, so that the list of them can be walked without a lock; those that left are used again.
 */
#include "base/epoch.h"

#include <assert.h>
#include <stdatomic.h>

#include "base/lock.h"
#include "base/mem.h"

#define LINE 64 /* octets of a cache line */
#define OFFLINE 0u

/* ThreadSanitizer does not know fences; there, a read-modify-write that nobody else touches gives the same order on the machine. */
#if defined(__SANITIZE_THREAD__)
#define EPOCH_NO_FENCE 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define EPOCH_NO_FENCE 1
#endif
#endif

#ifdef EPOCH_NO_FENCE
static void full_fence(void)
{
	static _Thread_local _Atomic int mine;

	atomic_fetch_add_explicit(&mine, 1, memory_order_seq_cst);
}
#else
static inline void full_fence(void)
{
	atomic_thread_fence(memory_order_seq_cst);
}
#endif

/* Retired objects, oldest first: their epochs do not fall. */
struct retired_list {
	struct retired *first OWNED_FIELD;
	struct retired *last PARENT_FIELD; /* good when first is not NULL */
};

struct epoch_member {
	_Alignas(LINE) _Atomic uint64_t seen; /* OFFLINE, or the counter when the member last held nothing */
	_Alignas(LINE) struct epoch *epoch PARENT_FIELD;
	struct epoch_member *next OWNED_FIELD;       /* in epoch->members; never changes once it is there */
	const struct epoch_member *holds_up PARENT_FIELD; /* the member that the last look found in the way, or NULL */
	struct retired_list mine;
	bool left; /* under epoch->lock: may be used again */
};

struct epoch {
	_Alignas(LINE) _Atomic uint64_t counter;
	_Atomic uint64_t octets;
	_Atomic bool have_orphans; /* orphans is not empty: a hint for who passes by */
	_Alignas(LINE) struct epoch_member *_Atomic members OWNED_FIELD;
	struct lock lock;            /* of what follows, and of joining and leaving */
	struct retired_list orphans; /* retired by members that left */
};

struct epoch *epoch_new(void)
{
	AUTO(epoch_free) struct epoch *e = mem_alloc_aligned(_Alignof(struct epoch), sizeof(*e));

	if (e == NULL)
		return NULL;
	atomic_init(&e->counter, 1);
	atomic_init(&e->octets, 0);
	atomic_init(&e->have_orphans, false);
	atomic_init(&e->members, NULL);
	lock_init(&e->lock);
	return MOVE(e);
}

static struct retired *list_pop(struct retired_list *l) BORROWED;
static struct retired *list_pop(struct retired_list *l)
{
	struct retired *r = l->first;

	l->first = r->next;
	return r;
}

static void list_add(struct retired_list *l, struct retired *r)
{
	r->next = NULL;
	if (l->first == NULL)
		l->first = r; /* own-ok: R6 retired: whoever frees the list destroys it */
	else
		l->last->next = r; /* own-ok: R6 retired, as above */
	l->last = r;
}

/* Moves all of from into to, both in order. */
static void list_merge(struct retired_list *to, struct retired_list *from)
{
	struct retired_list all = { NULL, NULL };

	while (to->first != NULL || from->first != NULL) {
		bool other = to->first == NULL || (from->first != NULL && from->first->epoch < to->first->epoch);

		list_add(&all, list_pop(other ? from : to));
	}
	*to = all;
}

/* Frees what was retired before epoch `seen`, which every online member has seen. destroy may retire more. */
static void list_free(struct epoch *e, struct retired_list *l, uint64_t seen)
{
	while (l->first != NULL && l->first->epoch < seen) {
		struct retired *r = list_pop(l);
		uint64_t octets = r->octets;

		r->destroy(r);
		atomic_fetch_sub_explicit(&e->octets, octets, memory_order_relaxed);
	}
}

void epoch_free(struct epoch *e)
{
	struct epoch_member *m;

	if (e == NULL)
		return;
	m = atomic_load_explicit(&e->members, memory_order_acquire);
	while (m != NULL) {
		struct epoch_member *next = m->next;

		assert(m->left);
		list_free(e, &m->mine, UINT64_MAX);
		mem_free(m);
		m = next;
	}
	list_free(e, &e->orphans, UINT64_MAX);
	lock_done(&e->lock);
	mem_free(e);
}

static struct epoch_member *find_left(struct epoch *e) BORROWED;
static struct epoch_member *find_left(struct epoch *e)
{
	struct epoch_member *m = atomic_load_explicit(&e->members, memory_order_relaxed);

	while (m != NULL && !m->left)
		m = m->next;
	return m;
}

static bool add_member(struct epoch *e)
{
	AUTO(mem_free) void *p = mem_alloc_aligned(_Alignof(struct epoch_member), sizeof(struct epoch_member));
	struct epoch_member *m = p;

	if (m == NULL)
		return false;
	atomic_init(&m->seen, OFFLINE);
	m->epoch = e;
	m->left = true;
	m->next = atomic_load_explicit(&e->members, memory_order_relaxed);
	atomic_store_explicit(&e->members, MOVE(p), memory_order_release);
	return true;
}

/* A member that left, or a new one. e->lock is held. */
static struct epoch_member *take_member(struct epoch *e) BORROWED;
static struct epoch_member *take_member(struct epoch *e)
{
	struct epoch_member *m = find_left(e);

	if (m == NULL && add_member(e))
		m = atomic_load_explicit(&e->members, memory_order_relaxed);
	if (m != NULL)
		m->left = false;
	return m;
}

struct epoch_member *epoch_join(struct epoch *e)
{
	struct epoch_member *m;

	lock_take(&e->lock);
	m = take_member(e);
	lock_give(&e->lock);
	return m;
}

static inline bool in_the_way(const struct epoch_member *m, uint64_t epoch)
{
	uint64_t seen = atomic_load_explicit(&m->seen, memory_order_acquire);

	return seen != OFFLINE && seen <= epoch;
}

/* The least that an online member has seen; UINT64_MAX when none is online. */
static uint64_t least_seen(struct epoch_member *m)
{
	struct epoch *e = m->epoch;
	uint64_t least = UINT64_MAX;

	full_fence();
	m->holds_up = NULL;
	for (const struct epoch_member *o = atomic_load_explicit(&e->members, memory_order_acquire); o != NULL; o = o->next) {
		uint64_t seen = atomic_load_explicit(&o->seen, memory_order_acquire);

		if (seen != OFFLINE && seen < least) {
			least = seen;
			m->holds_up = o;
		}
	}
	return least;
}

/* Frees what can be freed. When the member that was in the way the last time still is, the others need not be asked. */
static void reclaim(struct epoch_member *m)
{
	if (m->mine.first == NULL)
		return;
	if (m->holds_up != NULL && in_the_way(m->holds_up, m->mine.first->epoch))
		return;
	list_free(m->epoch, &m->mine, least_seen(m));
}

static void adopt_orphans(struct epoch_member *m)
{
	struct epoch *e = m->epoch;

	lock_take(&e->lock);
	list_merge(&m->mine, &e->orphans);
	atomic_store_explicit(&e->have_orphans, false, memory_order_relaxed);
	lock_give(&e->lock);
}

void epoch_leave(struct epoch_member *m)
{
	struct epoch *e;

	if (m == NULL)
		return;
	e = m->epoch;
	epoch_offline(m);
	reclaim(m);
	lock_take(&e->lock);
	list_merge(&e->orphans, &m->mine);
	atomic_store_explicit(&e->have_orphans, e->orphans.first != NULL, memory_order_relaxed);
	m->holds_up = NULL;
	m->left = true;
	lock_give(&e->lock);
}

static inline bool is_online(const struct epoch_member *m)
{
	return atomic_load_explicit(&m->seen, memory_order_relaxed) != OFFLINE;
}

static inline void note(struct epoch_member *m)
{
	uint64_t now = atomic_load_explicit(&m->epoch->counter, memory_order_acquire);

	atomic_store_explicit(&m->seen, now, memory_order_release);
}

void epoch_online(struct epoch_member *m)
{
	if (is_online(m))
		return;
	note(m);
	full_fence();
}

void epoch_quiesce(struct epoch_member *m)
{
	if (is_online(m))
		note(m);
	if (atomic_load_explicit(&m->epoch->have_orphans, memory_order_relaxed))
		adopt_orphans(m);
	reclaim(m);
}

void epoch_offline(struct epoch_member *m)
{
	atomic_store_explicit(&m->seen, OFFLINE, memory_order_release);
	reclaim(m);
}

bool epoch_pending(const struct epoch_member *m)
{
	return m->mine.first != NULL;
}

void epoch_retire(struct epoch_member *m, struct retired *r, size_t octets, void (*destroy)(struct retired *))
{
	struct epoch *e = m->epoch;

	r->destroy = destroy;
	r->octets = octets < UINT32_MAX ? (uint32_t)octets : UINT32_MAX;
	atomic_fetch_add_explicit(&e->octets, r->octets, memory_order_relaxed);
	r->epoch = atomic_fetch_add_explicit(&e->counter, 1, memory_order_acq_rel);
	list_add(&m->mine, r);
}

uint64_t epoch_retired_octets(const struct epoch *e)
{
	return atomic_load_explicit(&e->octets, memory_order_relaxed);
}
