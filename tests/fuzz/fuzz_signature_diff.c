/* Signatures: keys, an RRset and its signatures made from the input and spoilt by it; the validator and the second implementation agree on what is signed. */
#include "tests/fuzz/failing.h"
#include "tests/unit/validator/signature_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct sigmodel m;

	if (a == NULL)
		return 0;
	if (MINE(sigmodel_make(&m, a, span_of(data, size))))
		sigmodel_check(&m);
	sigmodel_done(&m);
	return 0;
}
