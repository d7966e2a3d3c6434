/* Trust anchor locators: what is taken has URIs of the two schemes and a key of the profile; what is refused is said. */
#include <stdlib.h>

#include "base/arena.h"
#include "rpki/object/cert.h"
#include "rpki/object/tal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x) \
	do { \
		if (!(x)) \
			abort(); \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct report rep;
	struct result r;
	struct tal t;

	if (a == NULL)
		return 0;
	report_init(&rep);
	r = tal_read(span_of(data, size), a, &rep, &t);
	if (r.e == ERR_NOMEM)
		return 0;
	CHECK(OK(r) == report_good(&rep));
	CHECK(!OK(r) || (t.count > 0 && t.count <= TAL_MAX_URIS && key_info_is_profile_rsa(&t.key) && span_equal(t.key.whole, t.key_octets)));
	for (size_t i = 0; i < t.count; i++)
		CHECK(uri_is(t.uris[i], "rsync://") || uri_is(t.uris[i], "https://"));
	return 0;
}
