/* heard_routes.h: for tests: a sink of announced routes that writes down what it is told: "PREFIX=ORIGIN " of each. */
#ifndef TESTS_UNIT_RPKI_HEARD_ROUTES_H
#define TESTS_UNIT_RPKI_HEARD_ROUTES_H

#include "base/strbuf.h"
#include "rpki/routes/source.h"

struct heard {
	struct source_sink sink; /* first */
	struct strbuf *out;
};

static inline UNUSED RESULT hear(struct source_sink *s, const struct prefix *p, uint32_t origin)
{
	struct heard *h = (struct heard *)(void *)s;
	char text[ADDR_TEXT];

	strbuf_printf(h->out, "%s/%u=%u ", addr_text(&p->a, text), p->len, origin);
	return strbuf_result(h->out);
}

#endif
