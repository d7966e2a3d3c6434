/*
 * render.h: from the outcome of a resolution to a stored answer: written once for all clients whose question has the same key, then
 * copied and patched for each (hit.h). Answers that may not be stored are rendered the same way and live until the end of the call.
 */
#ifndef RESOLVER_SERVE_RENDER_H
#define RESOLVER_SERVE_RENDER_H

#include "base/clock.h"
#include "resolver/cache/anscache.h"
#include "resolver/core/answer.h"
#include "resolver/serve/serve_settings.h"

#define RENDER_SCRATCH 65535u /* octets: the largest message */

struct render {
	const struct serve_settings *settings BORROWED_FIELD;
	const struct now *now BORROWED_FIELD;
	uint64_t stamp;
	uint8_t *scratch BORROWED_FIELD; /* RENDER_SCRATCH octets */
};

/* k: what it will be found by; its name is in any case, and stored in lower case. hash is anscache_hash(k), 0 for what is not
 * stored. ERR_NOMEM. */
RESULT render_answer(
    const struct render *r, const struct answer *a, const struct ans_key *k, uint64_t hash, struct ans_entry **ret_entry) NONNULL;

#endif
