/* heard_routes.h: a sink of announced routes that counts what it is told, and puts it into a table. */
#ifndef TESTS_FUZZ_HEARD_ROUTES_H
#define TESTS_FUZZ_HEARD_ROUTES_H

#include <stdlib.h>

#include "rpki/routes/announced.h"
#include "tests/fuzz/failing.h"

#define CHECK(x) \
	do { \
		if (!(x) && !mem_failed()) \
			abort(); \
	} while (0)

struct heard {
	struct source_sink sink; /* first */
	struct announced_edit *e BORROWED_FIELD; /* NULL: only counted */
	uint64_t sum, n;
};

static inline UNUSED RESULT hear(struct source_sink *s, const struct prefix *p, uint32_t origin)
{
	struct heard *h = (struct heard *)(void *)s;
	struct announced_route r = { .origin = origin, .source = 1, .path = origin };

	h->n++;
	h->sum = h->sum * 1099511628211u + p->a.b[0] + ((uint64_t)p->a.b[15] << 8) + ((uint64_t)p->len << 16) + origin;
	if (h->e != NULL)
		CHECK(OK(announced_set(h->e, p, &r)));
	return DONE;
}

#endif
