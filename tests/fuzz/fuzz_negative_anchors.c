/* The file of negative trust anchors: whatever is in it, what is taken is in force, within a week, and comes back as it was written. */
#include <stdlib.h>

#include "base/strbuf.h"
#include "resolver/anchors_nta.h"
#include "tests/fuzz/failing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW INT64_C(1800000000)
static int run(struct negatives *n, struct negatives *back, struct span input, struct strbuf *report, struct strbuf *text)
{
	HOLDS(OK(negatives_read(n, "fuzz", input, NOW, 300, report)));
	for (size_t i = 0; i < n->n; i++)
		HOLDS(n->list[i].until > NOW && n->list[i].until <= NOW + NTA_LIFETIME_MAX);
	negatives_write(n, text);
	strbuf_clear(report);
	HOLDS(OK(negatives_read(back, "fuzz", strbuf_span(text), NOW, 300, report)) && strbuf_len(report) == 0);
	HOLDS(back->n == n->n);
	for (size_t i = 0; i < n->n; i++)
		HOLDS(back->list[i].until == n->list[i].until && back->list[i].force == n->list[i].force &&
		      name_equal(name_of(&back->list[i].name), name_of(&n->list[i].name)));
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(1 << 20);
	AUTO(strbuf_free) struct strbuf *text = strbuf_new(NTA_FILE_MAX);
	struct negatives n = { .n = 0 }, back = { .n = 0 };

	if (report == NULL || text == NULL || size > 1 << 16)
		return 0;
	(void)run(&n, &back, span_of(data, size), report, text);
	negatives_done(&n);
	negatives_done(&back);
	return 0;
}
