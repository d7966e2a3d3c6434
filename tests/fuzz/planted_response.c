/* fuzz_response with a scrubber that believes a server of a zone as if it were one of the root: its oracle must say so (cache poisoning). */
#include "resolver/core/scrub.h"

static RESULT credulous(struct arena *a, const struct scrub_request *r, const struct msg *m, struct scrubbed *ret)
{
	struct scrub_request wide = *r;

	wide.zone = name_root;
	return scrub_reply(a, &wide, m, ret);
}
#define scrub_reply credulous
#include "tests/fuzz/fuzz_response.c"
