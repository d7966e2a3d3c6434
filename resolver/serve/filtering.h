/*
 * filtering.h: an answer as the filter sees it (filter/filter.h): the names of its alias chain, and its addresses with what the RPKI says of the routes to them. Knows neither
 * clients nor caches: who serves asks (answer_filter.h), and the operator (control/filter.c).
 */
#ifndef RESOLVER_SERVE_FILTERING_H
#define RESOLVER_SERVE_FILTERING_H

#include "base/arena.h"
#include "filter/filter.h"
#include "resolver/core/answer.h"
#include "resolver/core/route.h"

/* An address is judged by these facts. */
typedef void filtering_seen_fn(void *ctx, const struct addr *a, const struct route_facts *f);

struct filtering {
	const struct filter *filter BORROWED_FIELD;
	const struct route_view *view BORROWED_FIELD; /* NULL: nothing is known of routes */
	filtering_seen_fn *seen;                      /* NULL: nobody wants to know; only where conditions on routes count */
	void *ctx PARENT_FIELD;                       /* own-ok: R15 of seen, good for the call */
};

/*
 * own: so many sets of the answer section are local data: the chain begins with what the last of them leads to. What ret_hit points to is the filter's, or in the arena.
 * ERR_NOMEM: no verdict.
 */
RESULT filtering_answer(const struct filtering *f, const struct answer *a, size_t own, struct arena *arena, struct filter_hit *ret_hit) NONNULL;
/* One set that comes along: its owner and its addresses. */
RESULT filtering_set(const struct filtering *f, const struct rrset *rs, struct arena *arena, struct filter_hit *ret_hit) NONNULL;
enum filter_route filtering_route_of(enum verdict_state s);
/* "filter.txt:12: ||example.com^$route=invalid: 192.0.2.80 (invalid, AS64511)", or with "NAME" for a name of the chain that was not asked for. */
void filtering_say(const struct filter_hit *h, const struct name *asked, char *to, size_t size) NONNULL;

#endif
