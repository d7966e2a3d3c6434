#include "base/timerq.h"

#include "base/mem.h"

#define WAYS 4u
#define NO_SLOT UINT32_MAX

struct entry { /* of the heap: what is compared lies here, so that sifting touches nothing else */
	uint64_t due_ns;
	uint64_t seq;
	uint32_t slot;
};

struct timer {
	struct timer_call call;
	uint32_t gen; /* of the timer that is or was here; 0: never again, the generations are used up */
	uint32_t at;  /* place in the heap; in a free slot the next free one, or NO_SLOT */
};

struct timerq {
	struct entry *heap OWNED_FIELD;
	struct timer *timers OWNED_FIELD;
	uint32_t count;       /* entries of the heap in use */
	uint32_t used;        /* timers that were in use at some time */
	uint32_t room;        /* of both arrays */
	uint32_t free;        /* first free slot, or NO_SLOT */
	uint64_t seq;
};

struct timerq *timerq_new(void)
{
	AUTO(timerq_free) struct timerq *q = mem_alloc(sizeof(*q));

	if (q == NULL)
		return NULL;
	q->free = NO_SLOT;
	return MOVE(q);
}

void timerq_free(struct timerq *q)
{
	if (q == NULL)
		return;
	mem_free(q->heap);
	mem_free(q->timers);
	mem_free(q);
}

static inline bool before(const struct entry *a, const struct entry *b)
{
	return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->seq < b->seq;
}

static inline void place(struct timerq *q, uint32_t at, struct entry e)
{
	q->heap[at] = e;
	q->timers[e.slot].at = at;
}

static void sift_up(struct timerq *q, uint32_t at, struct entry e)
{
	while (at > 0) {
		uint32_t above = (at - 1) / WAYS;

		if (!before(&e, &q->heap[above]))
			break;
		place(q, at, q->heap[above]);
		at = above;
	}
	place(q, at, e);
}

/* The first of at's children, which exist from index first on. */
static uint32_t first_child(const struct timerq *q, uint32_t first)
{
	uint32_t end = q->count - first < WAYS ? q->count : first + WAYS;
	uint32_t best = first;

	for (uint32_t i = first + 1; i < end; i++)
		if (before(&q->heap[i], &q->heap[best]))
			best = i;
	return best;
}

static void sift_down(struct timerq *q, uint32_t at, struct entry e)
{
	while (at < (q->count + WAYS - 2) / WAYS) { /* it has a child */
		uint32_t child = first_child(q, at * WAYS + 1);

		if (!before(&q->heap[child], &e))
			break;
		place(q, at, q->heap[child]);
		at = child;
	}
	place(q, at, e);
}

static RESULT reserve(struct timerq *q)
{
	uint32_t room = q->room != 0 ? q->room * 2 : 64;

	if (q->free != NO_SLOT || q->used < q->room)
		return DONE;
	if (room > UINT32_MAX / 8)
		return FAIL(ERR_NOMEM);
	TRY(mem_resize((void **)&q->heap, q->room, room, sizeof(*q->heap)));
	TRY(mem_resize((void **)&q->timers, q->room, room, sizeof(*q->timers)));
	q->room = room;
	return DONE;
}

static uint32_t take_slot(struct timerq *q)
{
	uint32_t slot = q->free;

	if (slot == NO_SLOT) {
		slot = q->used++;
		q->timers[slot].gen = 1;
	} else {
		q->free = q->timers[slot].at;
	}
	return slot;
}

static void give_slot(struct timerq *q, uint32_t slot)
{
	struct timer *t = &q->timers[slot];

	if (++t->gen == 0)
		return;
	t->at = q->free;
	q->free = slot;
}

RESULT timerq_add(struct timerq *q, uint64_t due_ns, const struct timer_call *call, timer_h *ret_timer)
{
	uint32_t slot;

	TRY(reserve(q));
	slot = take_slot(q);
	q->timers[slot].call = *call;
	q->count++;
	sift_up(q, q->count - 1, (struct entry){ due_ns, q->seq++, slot });
	ret_timer->v = (uint64_t)q->timers[slot].gen << 32 | slot;
	return DONE;
}

static void take_out(struct timerq *q, uint32_t at)
{
	struct entry last = q->heap[--q->count];

	give_slot(q, q->heap[at].slot);
	if (at == q->count)
		return;
	if (at > 0 && before(&last, &q->heap[(at - 1) / WAYS]))
		sift_up(q, at, last);
	else
		sift_down(q, at, last);
}

bool timerq_stop(struct timerq *q, timer_h timer)
{
	uint32_t slot = (uint32_t)timer.v, gen = (uint32_t)(timer.v >> 32);

	if (gen == 0 || slot >= q->used || q->timers[slot].gen != gen)
		return false;
	take_out(q, q->timers[slot].at);
	return true;
}

bool timerq_pop(struct timerq *q, uint64_t now_ns, uint64_t mark, struct timer_call *ret_call)
{
	if (q->count == 0 || q->heap[0].due_ns > now_ns || q->heap[0].seq >= mark)
		return false;
	*ret_call = q->timers[q->heap[0].slot].call;
	take_out(q, 0);
	return true;
}

uint64_t timerq_mark(const struct timerq *q)
{
	return q->seq;
}

uint64_t timerq_next(const struct timerq *q)
{
	return q->count != 0 ? q->heap[0].due_ns : UINT64_MAX;
}

size_t timerq_count(const struct timerq *q)
{
	return q->count;
}
