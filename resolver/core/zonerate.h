/*
 * zonerate.h: how often the servers of single zones are asked (ratelimit), by all workers together: a token bucket for each zone, the longest unused go when there are
 * too many. In shards with one short lock each; only questions that go upstream come here, and only where a limit is configured.
 */
#ifndef RESOLVER_CORE_ZONERATE_H
#define RESOLVER_CORE_ZONERATE_H

#include <stddef.h>

#include "base/hash.h"
#include "base/own.h"
#include "base/tokens.h"
#include "dns/name.h"

struct zonerate;

void zonerate_free(struct zonerate *z) TAKES(1);
struct zonerate *zonerate_new(const struct hash_key *key) OWNED_BY(zonerate_free) NONNULL;
DEFINE_AUTO(struct zonerate, zonerate_free)
/* One question to the servers of zone. octets: of memory for all zones; a change of it shrinks as it goes. Where memory cannot be had nothing is limited. */
enum token_verdict zonerate_take(struct zonerate *z, struct name zone, const struct token_rate *r, size_t octets, uint64_t now_ms) NONNULL;
size_t zonerate_entries(struct zonerate *z) NONNULL;

#endif
