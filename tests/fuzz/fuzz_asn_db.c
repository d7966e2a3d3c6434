/* A database of autonomous systems: what it tells are sound prefixes, each once, as many as it says, in time that its size bounds. */
#include <stdlib.h>

#include "rpki/routes/announced.h"
#include "rpki/routes/asn_db.h"
#include "tests/fuzz/failing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x) \
	do { \
		if (!(x) && !mem_failed()) \
			abort(); \
	} while (0)

struct heard {
	struct source_sink sink; /* first */
	struct announced_edit *e BORROWED_FIELD;
	uint64_t n;
};

static RESULT hear(struct source_sink *s, const struct prefix *p, uint32_t origin)
{
	struct heard *h = (struct heard *)(void *)s;
	struct announced_route r = { .origin = origin, .source = 1, .path = origin };

	h->n++;
	CHECK(OK(announced_set(h->e, p, &r)));
	return DONE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct asn_db_limits limits = { .octets = 1u << 20, .networks = 10000 };
	AUTO(announced_unref) struct announced *empty = announced_new();
	AUTO(announced_edit_free) struct announced_edit *e = empty != NULL ? announced_edit_new(empty) : NULL;
	struct heard h = { .sink = { hear }, .e = e };
	struct source_counts c;
	struct result r;

	if (e == NULL)
		return 0;
	r = asn_db_read(span_of(data, size), &limits, &h.sink, &c);
	CHECK(!OK(r) || (h.n > 0 && h.n == c.routes));
	CHECK(h.n <= limits.networks);
	CHECK(announced_edit_count(e) == h.n || !OK(r)); /* a network stands at one place of a tree */
	return 0;
}
