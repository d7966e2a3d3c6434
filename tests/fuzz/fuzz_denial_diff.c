/* Denial of existence by any records at all: the validator says nothing that the second implementation does not find in them, and sees what it finds. */
#include "tests/unit/validator/denial_draw.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(nsec3_hasher_free) struct nsec3_hasher *h = nsec3_hasher_new();
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct draw d = { 0 };

	if (a != NULL && h != NULL)
		draw_run(&d, a, h, span_of(data, size));
	return 0;
}
