/* Files of trust anchors, plain and of RFC 5011: what is read is written as a file that reads as the same; a refusal has a reason. */
#include <stdlib.h>

#include "base/strbuf.h"
#include "tests/fuzz/failing.h"
#include "validator/anchors.h"
#include "validator/rfc5011.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(1 << 16);
	AUTO(strbuf_free) struct strbuf *first = strbuf_new(AUTOTRUST_FILE_MAX);
	AUTO(strbuf_free) struct strbuf *second = strbuf_new(AUTOTRUST_FILE_MAX);
	AUTO(autotrust_free) struct autotrust *t = NULL;
	AUTO(autotrust_free) struct autotrust *back = NULL;
	AUTO(anchors_free) struct anchors *a = anchors_new();

	if (report == NULL || first == NULL || second == NULL || a == NULL)
		return 0;
	if (OK(anchors_add_text(a, "fuzz", span_of(data, size), report))) {
		HOLDS(OK(anchors_seal(a)) && anchors_zones(a) != 0);
		for (size_t i = 0; i < anchors_zones(a); i++)
			HOLDS(anchors_find(a, anchors_zone_at(a, i).zone).kind == ANCHOR_KEYS);
	} else {
		HOLDS(strbuf_len(report) != 0);
	}
	strbuf_clear(report);
	if (!OK(autotrust_read("fuzz", span_of(data, size), &t, report))) {
		HOLDS(strbuf_len(report) != 0);
		return 0;
	}
	autotrust_write(t, first);
	HOLDS(strbuf_ok(first));
	HOLDS(OK(autotrust_read("fuzz", strbuf_span(first), &back, report)));
	autotrust_write(back, second);
	HOLDS(span_equal(strbuf_span(first), strbuf_span(second)));
	return 0;
}
