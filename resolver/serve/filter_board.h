/*
 * filter_board.h: where the filter in force (filter/filter.h) hangs for all workers to see, with what the configuration says to do with what it blocks. A sheet is immutable and
 * counted; the main thread hangs one up, and then raises the stamp that stored answers are judged under. Only answers that are made come here: one short lock, and that only
 * when another sheet hangs there.
 */
#ifndef RESOLVER_SERVE_FILTER_BOARD_H
#define RESOLVER_SERVE_FILTER_BOARD_H

#include <stdatomic.h>

#include "filter/filter.h"

/* block-answer: */
enum filter_told { FILTER_TOLD_NULL, FILTER_TOLD_NXDOMAIN, FILTER_TOLD_NODATA, FILTER_TOLD_REFUSED, FILTER_TOLD_NOTHING };

struct filter_options {
	enum filter_told told;
	uint32_t ttl;  /* block-ttl:, seconds */
	bool dry_run;
};

struct filter_sheet {
	atomic_uint refs;
	struct filter *filter OWNED_FIELD;
	struct filter_options options;
};

void filter_sheet_unref(struct filter_sheet *s) TAKES(1); /* any thread */
struct filter_sheet *filter_sheet_new(struct filter *f, const struct filter_options *o) TAKES(1) OWNED_BY(filter_sheet_unref) NONNULL; /* held once; NULL: no memory */
DEFINE_AUTO(struct filter_sheet, filter_sheet_unref)

struct filter_board;
void filter_board_free(struct filter_board *b) TAKES(1);
struct filter_board *filter_board_new(void) OWNED_BY(filter_board_free);
DEFINE_AUTO(struct filter_board, filter_board_free)
/* NULL: nothing is filtered. */
void filter_board_put(struct filter_board *b, struct filter_sheet *s) TAKES(2) __attribute__((nonnull(1)));
/* Another number for each sheet; 0: nothing ever hung there. Any thread, without the lock. */
uint64_t filter_board_number(const struct filter_board *b) NONNULL;
/* The sheet that hangs there; NULL: none. */
struct filter_sheet *filter_board_get(struct filter_board *b) OWNED_BY(filter_sheet_unref) NONNULL;

/* One thread's place before the board. */
struct filter_seat {
	struct filter_sheet *sheet OWNED_FIELD; /* that hung there when it looked last */
	uint64_t number;
};
/* The sheet that hangs there now; NULL: none, or without a rule. Good until the next call. */
const struct filter_sheet *filter_seat_sheet(struct filter_seat *s, struct filter_board *b) BORROWED NONNULL;
void filter_seat_done(struct filter_seat *s) NONNULL;

#endif
