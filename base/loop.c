/*
 * A turn, in loop_turn(): wait, read the clock, messages, timers, descriptors, hooks, grave, epoch. While waiting the back end only
 * notes what is ready (loop_fd_ready), so every callback of the turn sees the clock that was read after the wait.
 *
 * Invariants:
 *  1. A slot, timer or watch handle is an index and a generation; a generation is never used twice.
 *  2. Callbacks run from loop_turn() only, never from inside a wait, and never after their object was retired.
 *  3. The grave is emptied when no callback is on the stack.
 */
#include "base/loop.h"

#include <assert.h>
#include <stdatomic.h>

#include "base/epoch.h"
#include "base/mem.h"
#include "base/timerq.h"

#define NO_SLOT UINT32_MAX
#define NS_PER_MS 1000000u
#define RETIRED_WAIT_NS 1000000000u /* the longest sleep while something retired is not freed */
#define HOOK_ROUNDS 16 /* times that hooks may ask for hooks within one turn */

struct role on_loop;

void NO_THREAD_SAFETY loop_entered(void)
{
}

struct slot {
	const struct loop_type *type PARENT_FIELD; /* NULL: free */
	void *object PARENT_FIELD;                 /* whose owner retires the slot before it frees it */
	uint32_t gen;
	uint32_t next; /* free slot, or NO_SLOT */
};

struct watch {
	struct timer_call call; /* fn: of a source, else NULL */
	loop_fd_fn *fd_fn;      /* of a descriptor, else NULL */
	void *handle PARENT_FIELD; /* the back end's */
	uint32_t gen;
	uint32_t next;      /* free watch, or NO_SLOT */
	unsigned int ready; /* events since the last callback; not 0: it is in the list of ready ones */
	bool used;
};

struct ready {
	uint32_t slot, gen;
};

struct loop {
	struct loop_backend b;
	struct now now;
	struct rng *rng PARENT_FIELD;
	struct epoch_member *member PARENT_FIELD; /* may be NULL */
	struct timerq *timers OWNED_FIELD;

	struct slot *slots OWNED_FIELD;
	uint32_t slots_used, slots_room, slots_free;
	uint64_t live, stale;

	struct watch *watches OWNED_FIELD;
	uint32_t watches_used, watches_room, watches_free;
	struct ready *ready OWNED_FIELD; /* room for every watch */
	uint32_t ready_count, ready_room;

	struct timer_call *hooks OWNED_FIELD;
	size_t hooks_count, hooks_room;

	struct dead *grave OWNED_FIELD;
	struct dead **grave_end PARENT_FIELD; /* where the next one is linked */

	_Atomic bool stop;
	_Alignas(64) struct message *_Atomic posted OWNED_FIELD; /* newest first; other threads write here */
};

static bool loop_fill(struct loop *l, struct rng *rng, struct epoch_member *member)
{
	l->rng = rng;
	l->member = member;
	l->slots_free = NO_SLOT;
	l->watches_free = NO_SLOT;
	l->grave_end = &l->grave;
	atomic_init(&l->stop, false);
	atomic_init(&l->posted, NULL);
	l->timers = timerq_new();
	return l->timers != NULL;
}

struct loop *loop_new(const struct loop_backend *b, struct rng *rng, struct epoch_member *member)
{
	AUTO(loop_free) struct loop *l = mem_alloc_aligned(_Alignof(struct loop), sizeof(*l));

	if (l == NULL) {
		b->free(b->ctx);
		return NULL;
	}
	l->b = *b;
	if (!loop_fill(l, rng, member))
		return NULL;
	l->b.now(l->b.ctx, &l->now);
	return MOVE(l);
}

/* Takes all that was posted, oldest first. */
static struct message *take_posted(struct loop *l) BORROWED;
static struct message *take_posted(struct loop *l)
{
	struct message *m = atomic_exchange_explicit(&l->posted, NULL, memory_order_acquire);
	struct message *oldest = NULL;

	while (m != NULL) {
		struct message *next = m->next;

		m->next = oldest;
		oldest = m;
		m = next;
	}
	return oldest;
}

static void drop_posted(struct loop *l)
{
	struct message *m = take_posted(l);

	while (m != NULL) {
		struct message *next = m->next;

		m->free(m);
		m = next;
	}
}

static void empty_grave(struct loop *l)
{
	while (l->grave != NULL) {
		struct dead *d = l->grave;

		l->grave = d->next;
		if (l->grave == NULL)
			l->grave_end = &l->grave;
		d->fn(d);
	}
}

void loop_free(struct loop *l)
{
	if (l == NULL)
		return;
	if (l->grave_end != NULL) { /* it was filled */
		empty_grave(l);
		drop_posted(l);
		empty_grave(l);
	}
	for (uint32_t i = 0; i < l->watches_used; i++)
		if (l->watches[i].handle != NULL)
			l->b.unwatch(l->b.ctx, l->watches[i].handle);
	l->b.free(l->b.ctx);
	timerq_free(l->timers);
	mem_free(l->slots);
	mem_free(l->watches);
	mem_free(l->ready);
	mem_free(l->hooks);
	mem_free(l);
}

const struct now *loop_now(const struct loop *l)
{
	return &l->now;
}

struct rng *loop_rng(struct loop *l)
{
	return l->rng;
}

uint64_t loop_stale_events(const struct loop *l)
{
	return l->stale;
}

uint64_t loop_live_handles(const struct loop *l)
{
	return l->live;
}

void *loop_backend_ctx(const struct loop *l, void (*free_fn)(void *ctx))
{
	return l->b.free == free_fn ? l->b.ctx : NULL;
}

/* --- handles --- */

static RESULT grow(void **array, uint32_t *room, size_t size)
{
	uint32_t more = *room != 0 ? *room * 2 : 32;

	if (more > UINT32_MAX / 2)
		return FAIL(ERR_NOMEM);
	TRY(mem_resize(array, *room, more, size));
	*room = more;
	return DONE;
}

uint64_t loop_slot_add(struct loop *l, const struct loop_type *t, void *object)
{
	uint32_t i = l->slots_free;

	if (i == NO_SLOT) {
		if (l->slots_used == l->slots_room && !OK(grow((void **)&l->slots, &l->slots_room, sizeof(*l->slots))))
			return 0;
		i = l->slots_used++;
		l->slots[i].gen = 1;
	} else {
		l->slots_free = l->slots[i].next;
	}
	l->slots[i] = (struct slot){ t, object, l->slots[i].gen, NO_SLOT };
	l->live++;
	return (uint64_t)l->slots[i].gen << 32 | i;
}

static inline bool slot_is_live(const struct loop *l, uint64_t slot)
{
	uint32_t i = (uint32_t)slot;

	return i < l->slots_used && l->slots[i].type != NULL && l->slots[i].gen == (uint32_t)(slot >> 32);
}

void *loop_slot_get(const struct loop *l, const struct loop_type *t, uint64_t slot)
{
	const struct slot *s;

	if (!slot_is_live(l, slot))
		return NULL;
	s = &l->slots[(uint32_t)slot];
	assert(s->type == t); /* the handle types of C already say so */
	return s->type == t ? s->object : NULL;
}

void loop_slot_retire(struct loop *l, uint64_t slot)
{
	struct slot *s;

	if (!slot_is_live(l, slot))
		return;
	s = &l->slots[(uint32_t)slot];
	s->type = NULL;
	s->object = NULL;
	l->live--;
	if (++s->gen == 0) /* invariant 1: this slot has been through all its generations */
		return;
	s->next = l->slots_free;
	l->slots_free = (uint32_t)slot;
}

void loop_bury(struct loop *l, struct dead *d, void (*fn)(struct dead *))
{
	d->next = NULL;
	d->fn = fn;
	*l->grave_end = d;
	l->grave_end = &d->next;
}

/* Runs a callback, unless its object is gone. */
static bool run_call(struct loop *l, const struct timer_call *c)
{
	void *object = loop_slot_get(l, c->type, c->who);

	if (object == NULL) {
		l->stale++;
		return false;
	}
	c->fn(l, object);
	return true;
}

/* --- timers --- */

RESULT loop_timer(struct loop *l, const struct loop_type *t, uint64_t who, loop_fn *fn, uint64_t wait_ms, timer_h *ret_timer)
{
	struct timer_call c = { t, who, fn };
	uint64_t due;

	if (__builtin_mul_overflow(wait_ms, NS_PER_MS, &due) || __builtin_add_overflow(due, l->now.mono_ns, &due))
		due = UINT64_MAX - 1;
	return timerq_add(l->timers, due, &c, ret_timer);
}

void loop_timer_stop(struct loop *l, timer_h *timer)
{
	(void)timerq_stop(l->timers, *timer);
	timer->v = 0;
}

/* Only timers that were there before the first of them runs: one that asks again for no wait does not hold up the turn. */
static void run_timers(struct loop *l)
{
	uint64_t mark = timerq_mark(l->timers);
	struct timer_call c;

	while (timerq_pop(l->timers, l->now.mono_ns, mark, &c))
		(void)run_call(l, &c);
}

/* --- descriptors --- */

static RESULT watch_slot(struct loop *l, uint32_t *ret_slot)
{
	uint32_t i = l->watches_free;

	if (i != NO_SLOT) {
		l->watches_free = l->watches[i].next;
		*ret_slot = i;
		return DONE;
	}
	if (l->watches_used == l->watches_room)
		TRY(grow((void **)&l->watches, &l->watches_room, sizeof(*l->watches)));
	if (l->ready_room < l->watches_room)
		TRY(grow((void **)&l->ready, &l->ready_room, sizeof(*l->ready)));
	i = l->watches_used++;
	l->watches[i].gen = 1;
	*ret_slot = i;
	return DONE;
}

static void watch_give(struct loop *l, uint32_t i)
{
	struct watch *w = &l->watches[i];
	uint32_t gen = w->gen + 1;

	*w = (struct watch){ .gen = gen, .next = NO_SLOT };
	if (gen == 0)
		return;
	w->next = l->watches_free;
	l->watches_free = i;
}

RESULT loop_watch(struct loop *l, const struct loop_type *t, uint64_t who, int fd, unsigned int events, loop_fd_fn *fn,
    watch_h *ret_watch)
{
	struct result r;
	struct watch *w;
	uint32_t i;

	TRY(watch_slot(l, &i));
	w = &l->watches[i];
	*w = (struct watch){ .call = { t, who, NULL }, .fd_fn = fn, .gen = w->gen, .used = true };
	r = l->b.watch(l->b.ctx, l, fd, events, i, &w->handle);
	if (!OK(r)) {
		w->handle = NULL;
		watch_give(l, i);
		return r;
	}
	ret_watch->v = (uint64_t)w->gen << 32 | i;
	return DONE;
}

static void watch_end(struct loop *l, uint32_t i)
{
	struct watch *w = &l->watches[i];

	if (w->handle != NULL)
		l->b.unwatch(l->b.ctx, w->handle);
	watch_give(l, i);
}

void loop_unwatch(struct loop *l, watch_h *watch)
{
	uint32_t i = (uint32_t)watch->v;

	if (watch->v != 0 && i < l->watches_used && l->watches[i].used && l->watches[i].gen == (uint32_t)(watch->v >> 32))
		watch_end(l, i);
	watch->v = 0;
}

RESULT loop_source(struct loop *l, const struct loop_type *t, uint64_t who, loop_fn *fn, uint32_t *ret_slot)
{
	struct watch *w;
	uint32_t i;

	TRY(watch_slot(l, &i));
	w = &l->watches[i];
	*w = (struct watch){ .call = { t, who, fn }, .gen = w->gen, .used = true };
	*ret_slot = i;
	return DONE;
}

void loop_fd_ready(struct loop *l, uint32_t slot, unsigned int events)
{
	struct watch *w;

	if (slot >= l->watches_used || !l->watches[slot].used || events == 0)
		return;
	w = &l->watches[slot];
	if (w->ready == 0) {
		if (l->ready_count == l->ready_room) /* only when slots were reused since the wait: it is told again */
			return;
		l->ready[l->ready_count++] = (struct ready){ slot, w->gen };
	}
	w->ready |= events;
}

static void run_watch(struct loop *l, struct ready r)
{
	struct watch w = l->watches[r.slot]; /* a copy: the callback may make the table grow */
	void *object;

	if (!w.used || w.gen != r.gen)
		return;
	l->watches[r.slot].ready = 0;
	if (w.call.fn != NULL) {
		(void)run_call(l, &w.call);
		return;
	}
	object = loop_slot_get(l, w.call.type, w.call.who);
	if (object != NULL) {
		w.fd_fn(l, object, w.ready);
		return;
	}
	l->stale++; /* its owner has not said loop_unwatch: nobody else will, and the descriptor stays ready */
	watch_end(l, r.slot);
}

static void run_ready(struct loop *l)
{
	for (uint32_t i = 0; i < l->ready_count; i++)
		run_watch(l, l->ready[i]);
	l->ready_count = 0;
}

/* --- messages --- */

void loop_post(struct loop *to, struct message *m)
{
	struct message *head = atomic_load_explicit(&to->posted, memory_order_relaxed);

	do {
		m->next = head;
	} while (!atomic_compare_exchange_weak_explicit(&to->posted, &head, m, memory_order_seq_cst, memory_order_relaxed));
	if (head == NULL) /* else whoever posted that one has woken the loop */
		to->b.wake(to->b.ctx);
}

static void run_messages(struct loop *l)
{
	struct message *m = take_posted(l);

	while (m != NULL) {
		struct message *next = m->next;

		m->run(l, m);
		m->free(m);
		m = next;
	}
}

/* --- turns --- */

RESULT loop_at_turn_end(struct loop *l, const struct loop_type *t, uint64_t who, loop_fn *fn)
{
	size_t more = l->hooks_room != 0 ? l->hooks_room * 2 : 16;

	if (l->hooks_count == l->hooks_room) {
		TRY(mem_resize((void **)&l->hooks, l->hooks_room, more, sizeof(*l->hooks)));
		l->hooks_room = more;
	}
	l->hooks[l->hooks_count++] = (struct timer_call){ t, who, fn };
	return DONE;
}

static void run_hooks(struct loop *l)
{
	size_t done = 0;

	for (unsigned int round = 0; round < HOOK_ROUNDS && done < l->hooks_count; round++) {
		for (size_t end = l->hooks_count; done < end; done++) {
			struct timer_call c = l->hooks[done];

			(void)run_call(l, &c);
		}
	}
	for (size_t i = done; i < l->hooks_count; i++)
		l->hooks[i - done] = l->hooks[i];
	l->hooks_count -= done;
}

/* How long may be waited, in nanoseconds. The clock is read anew: the turn before may have been long. */
static uint64_t may_wait_ns(struct loop *l)
{
	uint64_t next = timerq_next(l->timers);

	if (l->ready_count != 0 || l->hooks_count != 0 || atomic_load_explicit(&l->stop, memory_order_relaxed) ||
	    atomic_load_explicit(&l->posted, memory_order_relaxed) != NULL)
		return 0;
	if (next == UINT64_MAX)
		return UINT64_MAX;
	l->b.now(l->b.ctx, &l->now);
	return next > l->now.mono_ns ? next - l->now.mono_ns : 0;
}

/* What waits on the member's list is freed by it alone, so it does not sleep for long on it. */
static uint64_t bounded_wait_ns(struct loop *l)
{
	uint64_t wait_ns = may_wait_ns(l);

	return wait_ns > RETIRED_WAIT_NS && l->member != NULL && epoch_pending(l->member) ? RETIRED_WAIT_NS : wait_ns;
}

static void wait_for_events(struct loop *l, uint64_t wait_ns)
{
	if (wait_ns != 0 && l->member != NULL)
		epoch_offline(l->member);
	l->b.wait(l->b.ctx, l, wait_ns);
	if (l->member != NULL)
		epoch_online(l->member); /* costs nothing when it is */
}

void loop_turn(struct loop *l, bool may_wait)
{
	wait_for_events(l, may_wait ? bounded_wait_ns(l) : 0);
	l->b.now(l->b.ctx, &l->now);
	loop_entered();
	run_messages(l);
	run_timers(l);
	run_ready(l);
	run_hooks(l);
	empty_grave(l);
	if (l->member != NULL)
		epoch_quiesce(l->member);
}

void loop_run(struct loop *l)
{
	while (!atomic_exchange_explicit(&l->stop, false, memory_order_acquire))
		loop_turn(l, true);
	if (l->member != NULL)
		epoch_offline(l->member);
}

void loop_stop(struct loop *l)
{
	atomic_store_explicit(&l->stop, true, memory_order_release);
	l->b.wake(l->b.ctx);
}
