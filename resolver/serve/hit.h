/*
 * hit.h: from a stored answer to a reply by copy and patch: ID, flags, the question in the client's letter case, TTLs less their
 * age, rotation, OPT. No allocation, no lock, no system call. Every answer goes this way, freshly resolved ones too (client.c), so
 * that there is one composer.
 */
#ifndef RESOLVER_SERVE_HIT_H
#define RESOLVER_SERVE_HIT_H

#include "resolver/cache/anscache.h"
#include "resolver/serve/reply.h"

/* Bits of ans_entry.flags. */
enum {
	HIT_NEEDS_AUTHORITY = 1, /* the authority section belongs to the answer: a negative one, or a proof of a wildcard */
	HIT_KEEPS_TTL = 2,       /* TTLs do not age: serve-original-ttl, or expired data */
	HIT_NO_DATA = 4,         /* for statistics */
	HIT_STALE = 8,           /* has expired data: not published */
	HIT_FILTERED = 16,       /* a rule of the filter blocked it */
};

/*
 * Writes the reply for `to` into buf of cap octets; it has at most to->limit. When it does not fit, additional records go first,
 * then authority records that are not needed, and then whole RRs from the end, with TC (RFC 2181 section 9). Returns the length, 0
 * when cap is too small for header, question and OPT.
 */
size_t hit_compose(const struct serve_settings *s, const struct ans_entry *e, const struct reply_to *to, uint32_t now_sec,
    uint8_t *buf, size_t cap) NONNULL;

/* May e answer now, as far as time and the settings' generation go? */
static inline bool hit_is_fresh(const struct ans_entry *e, uint64_t stamp, uint32_t now_sec)
{
	return e->stamp == stamp && (int32_t)(e->expires_sec - now_sec) > 0;
}

#endif
