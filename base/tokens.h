/*
 * tokens.h: a token bucket: how often something may be done. It holds a second's worth, fills as time passes, and each time takes one. For whoever counts many
 * (clients, zones): the bucket stands in what is kept of each. All zero but for parts is a new one; no I/O, no clock.
 */
#ifndef BASE_TOKENS_H
#define BASE_TOKENS_H

#include <stdbool.h>
#include <stdint.h>

#define TOKEN_PARTS 1000u      /* a token is so many parts, so that a slow rate loses nothing to rounding */
#define TOKENS_FULL UINT64_MAX /* parts of a new bucket: cut to size at its first use */

struct tokens {
	uint64_t last_ms;
	uint64_t parts;
	uint32_t refused; /* since the last that was within the rate */
};

struct token_rate {
	uint32_t per_sec;
	uint32_t factor; /* over the limit, one in so many passes; 0: none */
	bool backoff;    /* over the limit, each that comes counts: only who slows down passes again */
};

enum token_verdict {
	TOKEN_NONE,   /* over the limit */
	TOKEN_TAKEN,  /* within it */
	TOKEN_PASSED, /* over it, but the one in `factor` */
};

/* Times that run backwards (those of several threads may differ a little) count as no time. */
static inline enum token_verdict tokens_take(struct tokens *t, const struct token_rate *r, uint64_t now_ms)
{
	uint64_t full = (uint64_t)r->per_sec * TOKEN_PARTS, passed = now_ms > t->last_ms ? now_ms - t->last_ms : 0;

	/* per_sec tokens a second are per_sec parts a millisecond */
	if (t->parts > full || passed >= 1000 || t->parts + passed * r->per_sec > full)
		t->parts = full;
	else
		t->parts += passed * r->per_sec;
	t->last_ms += passed;
	if (t->parts >= TOKEN_PARTS) {
		t->parts -= TOKEN_PARTS;
		t->refused = 0;
		return TOKEN_TAKEN;
	}
	if (r->backoff)
		t->parts = 0;
	return r->factor != 0 && ++t->refused % r->factor == 0 ? TOKEN_PASSED : TOKEN_NONE;
}

#endif
