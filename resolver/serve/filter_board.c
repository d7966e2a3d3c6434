#include "resolver/serve/filter_board.h"

#include "base/lock.h"
#include "base/mem.h"

struct filter_board {
	struct lock lock;
	struct filter_sheet *sheet OWNED_FIELD;
	_Atomic uint64_t number;
};

void filter_sheet_unref(struct filter_sheet *s)
{
	if (s == NULL || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
		return;
	filter_free(MOVE(s->filter));
	mem_free(s);
}

struct filter_sheet *filter_sheet_new(struct filter *f, const struct filter_options *o)
{
	AUTO(filter_free) struct filter *mine = f;
	AUTO(filter_sheet_unref) struct filter_sheet *s = (struct filter_sheet *)mem_alloc(sizeof *s);

	if (s == NULL)
		return NULL;
	atomic_init(&s->refs, 1);
	s->filter = MOVE(mine);
	s->options = *o;
	return MOVE(s);
}

void filter_board_free(struct filter_board *b)
{
	if (b == NULL)
		return;
	filter_sheet_unref(MOVE(b->sheet));
	lock_done(&b->lock);
	mem_free(b);
}

struct filter_board *filter_board_new(void)
{
	AUTO(filter_board_free) struct filter_board *b = (struct filter_board *)mem_alloc(sizeof *b);

	if (b != NULL)
		lock_init(&b->lock);
	return MOVE(b);
}

void filter_board_put(struct filter_board *b, struct filter_sheet *s)
{
	AUTO(filter_sheet_unref) struct filter_sheet *before = NULL;

	lock_take(&b->lock);
	before = MOVE(b->sheet);
	b->sheet = MOVE(s);
	(void)atomic_fetch_add_explicit(&b->number, 1, memory_order_release);
	lock_give(&b->lock);
}

uint64_t filter_board_number(const struct filter_board *b)
{
	return atomic_load_explicit(&b->number, memory_order_acquire);
}

struct filter_sheet *filter_board_get(struct filter_board *b)
{
	AUTO(filter_sheet_unref) struct filter_sheet *s = NULL;

	lock_take(&b->lock);
	if (b->sheet != NULL) {
		(void)atomic_fetch_add_explicit(&b->sheet->refs, 1, memory_order_relaxed);
		s = b->sheet;
	}
	lock_give(&b->lock);
	return MOVE(s);
}

const struct filter_sheet *filter_seat_sheet(struct filter_seat *s, struct filter_board *b)
{
	uint64_t number = filter_board_number(b);

	if (number != s->number) {
		filter_sheet_unref(MOVE(s->sheet));
		s->sheet = filter_board_get(b);
		s->number = number;
	}
	return s->sheet != NULL && !filter_is_empty(s->sheet->filter) ? s->sheet : NULL;
}

void filter_seat_done(struct filter_seat *s)
{
	filter_sheet_unref(MOVE(s->sheet));
}
