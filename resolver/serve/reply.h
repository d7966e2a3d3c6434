/* reply.h: the OPT record of our replies, and replies that are not more than a code. Composed in place, no allocation. */
#ifndef RESOLVER_SERVE_REPLY_H
#define RESOLVER_SERVE_REPLY_H

#include "resolver/serve/request.h"
#include "resolver/serve/serve_settings.h"

#define REPLY_OPT_MIN 11 /* octets of an OPT without options */

struct stats;

/* Octets that reply_opt() writes at most, without extra. */
static inline size_t reply_opt_size(const struct serve_settings *s, const struct reply_to *to)
{
	if (!to->edns)
		return 0;
	return REPLY_OPT_MIN + (to->nsid ? 4u + s->nsid_len : 0) + (to->cookie_len > 0 ? 4u + to->cookie_len : 0) +
	       (to->keepalive ? 6u : 0);
}

/* Writes the OPT: nothing when the client has no EDNS. rcode's upper bits go into it. extra: finished options (EDE), left out one
 * by one from the end when the room does not hold them. Counts are the caller's. */
void reply_opt(struct writer *w, const struct serve_settings *s, const struct reply_to *to, uint16_t rcode, struct span extra)
    NONNULL;

/* Adds an extended DNS error as an option (RFC 8914), the text cut at REPLY_EDE_TEXT. */
#define REPLY_EDE_TEXT 200u
void reply_ede_option(struct writer *w, uint16_t code, const char *text) __attribute__((nonnull(1)));

struct reply_code {
	uint16_t rcode;
	bool recursion_available;
	bool truncated;
	bool bare; /* the header alone */
	struct span ede; /* finished options */
};
/* Header, question and OPT; to->limit octets are enough for it. Returns the length. */
size_t reply_compose(
    const struct serve_settings *s, const struct reply_to *to, const struct reply_code *c, uint8_t *buf, size_t cap) NONNULL;

void reply_count(struct stats *st, uint16_t rcode, bool no_data) NONNULL; /* statistics by code */

#endif
