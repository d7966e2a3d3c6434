/*
 * quota.h: what one worker remembers of single clients: how fast they ask (a token bucket), how many of their questions wait, how
 * many connections they hold. A client is an IPv4 address or an IPv6 /64: a host has all of a /64 to itself. Entries with something
 * open stay; the others go, the longest unused first, when the table has its size. Touched by a hit only when ip-ratelimit is set.
 */
#ifndef RESOLVER_SERVE_QUOTA_H
#define RESOLVER_SERVE_QUOTA_H

#include "base/addr.h"
#include "base/hash.h"
#include "base/own.h"

struct quota;

void quota_free(struct quota *q) TAKES(1);
struct quota *quota_new(const struct hash_key *key, size_t octets) OWNED_BY(quota_free) NONNULL;
DEFINE_AUTO(struct quota, quota_free)
void quota_set_size(struct quota *q, size_t octets) NONNULL; /* octets of the entries that may go */

struct quota_rate {
	uint32_t per_sec;
	uint32_t factor; /* over the limit, one in so many passes; 0: none */
	bool backoff;    /* over the limit, each question counts: only who slows down passes again */
};
/* Takes one token. False: over the limit. A table that could not grow for lack of memory says true. */
bool quota_take_token(struct quota *q, const struct addr *client, const struct quota_rate *r, uint64_t now_ms) NONNULL;

enum quota_kind { QUOTA_WAITING, QUOTA_SESSIONS, QUOTA_KINDS };
/* One more of a kind, unless the client has `limit` already (0: no limit): false, and nothing changed. Also false when memory ran
 * out. */
bool quota_open(struct quota *q, const struct addr *client, enum quota_kind k, uint32_t limit) NONNULL;
void quota_close(struct quota *q, const struct addr *client, enum quota_kind k) NONNULL; /* one less */
uint32_t quota_count(const struct quota *q, const struct addr *client, enum quota_kind k) NONNULL;
size_t quota_entries(const struct quota *q) NONNULL;

#endif
