#include "resolver/routes/board.h"

#include "base/lock.h"
#include "base/mem.h"

struct route_board {
	struct lock lock;
	struct route_sheet *state OWNED_FIELD; /* under the lock */
	_Atomic uint64_t number;
	struct route_counts counts;
};

void route_sheet_unref(struct route_sheet *s)
{
	if (s == NULL || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
		return;
	route_view_unref(MOVE(s->view));
	mem_free(MOVE(s->cache));
	for (size_t i = 0; i < s->source_count; i++)
		mem_free(MOVE(s->sources[i].name));
	mem_free(MOVE(s->sources));
	for (size_t i = 0; i < s->rtr_count; i++)
		mem_free(MOVE(s->rtrs[i].name));
	mem_free(MOVE(s->rtrs));
	mem_free(s);
}

struct route_sheet *route_sheet_new(void)
{
	AUTO(route_sheet_unref) struct route_sheet *s = (struct route_sheet *)mem_alloc(sizeof *s);

	if (s != NULL)
		atomic_init(&s->refs, 1);
	return MOVE(s);
}

RESULT route_sheet_add_source(struct route_sheet *s, uint32_t number, const char *name, uint64_t at_ms, uint64_t routes)
{
	AUTO_CHARS char *copy = mem_strdup(name);

	if (copy == NULL)
		return FAIL(ERR_NOMEM);
	TRY(mem_resize((void **)(void *)&s->sources, s->source_count, s->source_count + 1, sizeof *s->sources));
	s->sources[s->source_count].number = number;
	s->sources[s->source_count].at_ms = at_ms;
	s->sources[s->source_count].routes = routes;
	s->sources[s->source_count++].name = MOVE(copy);
	return DONE;
}

RESULT route_sheet_add_rtr(struct route_sheet *s, const char *name, const struct route_rtr *r)
{
	AUTO_CHARS char *copy = mem_strdup(name);

	if (copy == NULL)
		return FAIL(ERR_NOMEM);
	TRY(mem_resize((void **)(void *)&s->rtrs, s->rtr_count, s->rtr_count + 1, sizeof *s->rtrs));
	s->rtrs[s->rtr_count] = *r;
	s->rtrs[s->rtr_count++].name = MOVE(copy);
	return DONE;
}

const struct route_source *route_sheet_source(const struct route_sheet *s, uint32_t number)
{
	for (size_t i = 0; i < s->source_count; i++)
		if (s->sources[i].number == number)
			return &s->sources[i];
	return NULL;
}

void route_board_free(struct route_board *b)
{
	if (b == NULL)
		return;
	route_sheet_unref(MOVE(b->state));
	lock_done(&b->lock);
	mem_free(b);
}

struct route_board *route_board_new(void)
{
	AUTO(route_board_free) struct route_board *b = (struct route_board *)mem_alloc(sizeof *b);

	if (b != NULL)
		lock_init(&b->lock);
	return MOVE(b);
}

struct route_counts *route_board_counts(struct route_board *b)
{
	return &b->counts;
}

void route_board_put(struct route_board *b, struct route_sheet *s)
{
	AUTO(route_sheet_unref) struct route_sheet *before = NULL;

	lock_take(&b->lock);
	before = MOVE(b->state);
	b->state = MOVE(s);
	(void)atomic_fetch_add_explicit(&b->number, 1, memory_order_release);
	lock_give(&b->lock);
}

struct route_sheet *route_board_get(struct route_board *b)
{
	AUTO(route_sheet_unref) struct route_sheet *s = NULL;

	lock_take(&b->lock);
	if (b->state != NULL) {
		(void)atomic_fetch_add_explicit(&b->state->refs, 1, memory_order_relaxed);
		s = b->state;
	}
	lock_give(&b->lock);
	return MOVE(s);
}

uint64_t route_board_number(const struct route_board *b)
{
	return atomic_load_explicit(&b->number, memory_order_acquire);
}
