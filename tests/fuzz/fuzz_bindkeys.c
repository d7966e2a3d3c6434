/* Trust anchors in BIND's form: a refusal has a reason; what is accepted is text that the zone-file reader can at least take apart line by line. */
#include <stdlib.h>

#include "base/strbuf.h"
#include "tests/fuzz/failing.h"
#include "validator/anchors.h"
#include "validator/bindkeys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(1 << 16);
	AUTO(strbuf_free) struct strbuf *text = strbuf_new(2 * ANCHOR_FILE_MAX);
	AUTO(anchors_free) struct anchors *a = anchors_new();

	if (report == NULL || text == NULL || a == NULL)
		return 0;
	if (!OK(bindkeys_text("fuzz", span_of(data, size), text, report))) {
		HOLDS(strbuf_len(report) != 0);
		return 0;
	}
	HOLDS(memchr(strbuf_text(text), '$', strbuf_len(text)) == NULL && memchr(strbuf_text(text), '(', strbuf_len(text)) == NULL);
	if (!OK(anchors_add_text(a, "fuzz", strbuf_span(text), report)))
		HOLDS(strbuf_len(report) != 0);
	return 0;
}
