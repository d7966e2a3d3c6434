/* root-anchors.xml: a refusal has a reason; what is accepted is text of DS records that can be trust anchors of the root, unless a digest has a wrong length. */
#include <stdlib.h>

#include "base/strbuf.h"
#include "tests/fuzz/failing.h"
#include "validator/anchors.h"
#include "validator/rootxml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(1 << 16);
	AUTO(strbuf_free) struct strbuf *text = strbuf_new(ANCHOR_FILE_MAX);
	AUTO(anchors_free) struct anchors *a = anchors_new();

	if (report == NULL || text == NULL || a == NULL)
		return 0;
	if (!OK(rootxml_text("fuzz", span_of(data, size), 1790000000, text, report))) {
		HOLDS(strbuf_len(report) != 0 || size > ROOTXML_MAX);
		return 0;
	}
	HOLDS(strncmp(strbuf_text(text), ". IN DS ", 8) == 0);
	if (OK(anchors_add_text(a, "fuzz", strbuf_span(text), report)))
		HOLDS(OK(anchors_seal(a)) && anchors_zones(a) == 1 && name_is_root(anchors_zone_at(a, 0).zone));
	else
		HOLDS(strbuf_len(report) != 0);
	return 0;
}
