/*
 * filter_keeper.h: makes the filter (filter/filter.h) that filter: asks for and hangs it up (serve/filter_board.h): at the start, at each reload, and when a file of rules was
 * changed or replaced. Rules of the configuration come first, then the files in the order in which they are listed. A file that cannot be read is said so once, and what it
 * said before stays. On the main loop.
 */
#ifndef RESOLVER_FILTER_KEEPER_H
#define RESOLVER_FILTER_KEEPER_H

#include "base/own.h"

struct conf;
struct filter_board;
struct filter_keeper;
struct loop;
struct plan;
struct strbuf;

/* Another filter hangs there. */
typedef void filter_changed_fn(void *ctx);

void filter_keeper_close(struct filter_keeper *k) TAKES(1);
/* Loop and board outlive it. */
struct filter_keeper *filter_keeper_open(struct loop *l, struct filter_board *b, filter_changed_fn *changed, void *ctx) OWNED_BY(filter_keeper_close)
    __attribute__((nonnull(1, 2, 3)));
DEFINE_AUTO(struct filter_keeper, filter_keeper_close)
/* Goes by this plan's filter: from now on. ERR_NOMEM: by what there was before, as far as it could not be made. */
RESULT filter_keeper_set(struct filter_keeper *k, const struct plan *p) NONNULL;

struct filter_keeper_counts {
	uint64_t read, failed; /* readings of files */
	uint64_t made_ms;      /* mono: when a filter was made last; 0: never */
};
struct filter_keeper_counts filter_keeper_counts(const struct filter_keeper *k) NONNULL;

/* Are the rules of the configuration rules? What is none is added to report. ERR_FORMAT, ERR_NOMEM. */
RESULT filter_check(const struct conf *c, struct strbuf *report) NONNULL;

#endif
