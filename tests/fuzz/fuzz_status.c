/* The facts of a run as flat octets. What can be read is written again, octet for octet. */
#include <stdlib.h>

#include "base/strbuf.h"
#include "rpki/serve/status.h"
#include "tests/fuzz/failing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(status_free) struct status *s = NULL;
	AUTO(strbuf_free) struct strbuf *again = strbuf_new(STATUS_OCTETS_MAX);

	HOLDS(again != NULL);
	if (!OK(status_decode(span_of(data, size), &s)))
		return 0;
	HOLDS(OK(status_encode(s, again)) && span_equal(strbuf_span(again), span_of(data, size)));
	return 0;
}
