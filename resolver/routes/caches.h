/*
 * caches.h: the RTR servers that VRPs come from (rtr_client.h over connections: TCP, Unix sockets, TLS). All are kept connected, and the first in order of preference that has data which have not
 * expired is the one that counts: where it ends, the next is there at once.
 */
#ifndef RESOLVER_ROUTES_CACHES_H
#define RESOLVER_ROUTES_CACHES_H

#include "net/host.h"
#include "rpki/routes/rtr_client.h"

struct route_caches;
struct tls_trust;

struct route_cache_at {
	const char *name BORROWED_FIELD; /* as the operator wrote it; a path when it has a slash */
	struct endpoint at;              /* otherwise */
	bool tls;
	const char *host BORROWED_FIELD; /* with TLS: whom its certificate must be for, a name or, where literal, an address */
	bool literal;
};

/* What another data set, or none, means to the owner; never within a call of this header. */
typedef void route_caches_fn(void *owner);

void route_caches_free(struct route_caches *c) TAKES(1);
/* at: copied. changed(owner) follows whenever the data that count are others, or were confirmed, or a server comes, goes, or has other data. host outlives it. */
struct route_caches *route_caches_new(struct host *h, const struct route_cache_at *at, size_t n, route_caches_fn *changed, void *owner) OWNED_BY(route_caches_free)
    __attribute__((nonnull(1, 4, 5)));
DEFINE_AUTO(struct route_caches, route_caches_free)

/* Server i of so many, in order of preference: its client and its name. */
size_t route_caches_count(const struct route_caches *c) NONNULL;
const struct rtr_client *route_caches_at(const struct route_caches *c, size_t i, const char **ret_name) BORROWED NONNULL;
/* Which authorities are known, and who we are; for the connections that begin from now on. NULL: there are none over TLS. */
void route_caches_trust(struct route_caches *c, struct tls_trust *t) TAKES(2) __attribute__((nonnull(1)));
/* The client whose data count, and its name; NULL: none has any. */
const struct rtr_client *route_caches_best(const struct route_caches *c, const char **ret_name) BORROWED NONNULL;

#endif
