/*
 * settings.h: what the configuration says to the iterator: root hints, configured zones, limits and switches. Made once, never changed, shared by all workers;
 * a reload makes a new one. Everything in it lives in its arena.
 */
#ifndef RESOLVER_CORE_SETTINGS_H
#define RESOLVER_CORE_SETTINGS_H

#include "base/addr.h"
#include "base/tokens.h"
#include "dns/msg.h"
#include "resolver/core/budget.h"
#include "resolver/core/core.h"
#include "resolver/core/route.h"

struct arena;

/* A name server that is known by configuration: a root hint, or a stub-host or forward-host. */
struct known_server {
	struct name name;
	const struct addr *addrs ARENA_FIELD;
	size_t addr_count;
};

enum zone_kind { ZONE_STUB, ZONE_FORWARD };
struct zone_host {
	struct name name;
	uint16_t port;
};

/* One stub-zone: or forward-zone: clause. */
struct zone_conf {
	struct name name;
	enum zone_kind kind;
	const struct endpoint *addrs ARENA_FIELD;
	size_t addr_count;
	const struct zone_host *hosts ARENA_FIELD; /* their addresses are looked up */
	size_t host_count;
	bool first;    /* when it fails, ask the servers of the delegation */
	bool no_cache; /* what it says is not kept */
	bool prime;    /* stub: ask its servers for the zone's NS set, and then those */
	bool tcp;      /* only TCP */
	const char *where ARENA_FIELD; /* for messages */
};

/* zone-policy: */
struct zone_route {
	struct name name;
	enum route_policy policy;
};

/* ratelimit-for-domain: and ratelimit-below-domain: */
struct zone_rate {
	struct name name;
	uint32_t per_sec; /* 0: no limit */
	bool below;       /* of all zones below the name, not of its own */
};

#define FETCH_POLICY 5 /* numbers of target-fetch-policy, by depth of the question */

struct core_settings {
	struct arena *arena OWNED_FIELD;
	struct budget_limits client;       /* of a client's question */
	struct budget_limits sub;          /* of a sub-question */
	uint32_t parallel_targets;         /* sub-questions for addresses of one delegation at once */
	uint32_t dead_targets;             /* names of one delegation that may turn out to have no address before it is given up */
	uint32_t target_time_ms;           /* age of a question after which no more names of servers are looked up for it */
	uint32_t max_wait_ms;              /* for one answer of a server that is not known to be slower */
	uint32_t unknown_wait_ms;          /* the same of one of which nothing is known, if longer (unknown-server-time-limit) */
	uint32_t max_tries;                /* questions of one address that may time out before it is given up for this question */
	uint32_t timeouts_per_zone;        /* shared by the addresses of a delegation, two each at least */
	uint32_t failure_first_sec, failure_max_sec; /* RFC 9520 section 3.2 */
	uint32_t outage_max_sec;           /* the same where servers were silent: they may be back any time */
	uint32_t exhausted_sec;            /* how long a question that ran out of its budget is remembered */
	uint32_t chain_links;              /* DS and DNSKEY questions for one question's chain of trust */
	uint32_t cached_judgements;        /* entries of the cache that are validated for one question */
	uint32_t dead_zone_failures;       /* failed questions in a row after which a zone whose servers all refuse is not asked for a while */
	bool ipv4, ipv6;
	bool qmin, qmin_strict;
	uint32_t qmin_steps, qmin_one_label; /* RFC 9156 section 2.3: MAX_MINIMISE_COUNT, MINIMISE_ONE_LAB */
	bool minimal_responses;
	bool drop_spare_ns;                /* iter-scrub-promiscuous */
	uint32_t max_ns;                   /* of a delegation that are used (iter-scrub-ns) */
	uint32_t max_chain;                /* aliases taken from one reply (iter-scrub-cname) */
	uint32_t max_rrsigs;               /* of an RRset that are kept (iter-scrub-rrsig) */
	int fetch_policy[FETCH_POLICY];
	enum addr_family preferred;        /* of servers' addresses (prefer-ip4, prefer-ip6); ADDR_NONE: as they are fast */
	uint32_t fast_permil, fast_servers; /* so many choices of a thousand are among so many servers, the fastest ones */
	bool no_do;                        /* disable-edns-do: while nothing is validated */
	bool harden_glue, harden_below_nxdomain;
	bool verify_glue;                  /* harden-unverified-glue */
	bool reset_expired;                /* serve-expired-ttl-reset */
	uint32_t min_ttl, max_ttl, min_negative_ttl, max_negative_ttl; /* seconds */
	struct prefix_map *no_query OWNED_FIELD;      /* addresses that are never asked */
	struct prefix_map *private_addrs OWNED_FIELD; /* addresses that public names may not have; NULL: none are configured */
	const struct name *private_domains ARENA_FIELD;
	size_t private_domain_count;
	const struct name *plain_case ARENA_FIELD; /* caps-exempt */
	size_t plain_case_count;
	struct token_rate rate;            /* ratelimit: of zones that zone_rates does not name; its per_sec may be 0: no limit */
	size_t rate_octets;                /* ratelimit-size */
	bool limits_rates;                 /* there is a limit for some zone */
	const struct zone_rate *zone_rates ARENA_FIELD; /* deepest first */
	size_t zone_rate_count;
	uint32_t invalid_ttl;              /* seconds: unsigned data that came over an invalid route are kept no longer */
	enum route_policy route_policy;
	const struct zone_route *zone_routes ARENA_FIELD; /* deepest first */
	size_t zone_route_count;
	const struct known_server *roots ARENA_FIELD;
	size_t root_count;
	const struct zone_conf *zones ARENA_FIELD; /* deepest first; of equal names forward-zone first */
	size_t zone_count;
};

/* The deepest configured zone at or above n that is not in `except` (a set of bits by index, at most 64 are looked at), or NULL. */
const struct zone_conf *settings_zone(const struct core_settings *s, struct name n, uint64_t except) BORROWED;
/* That of the deepest zone-policy: at or above n, else policy:. */
enum route_policy settings_route_policy(const struct core_settings *s, struct name n);
/* Upstream questions a second for this zone: what is said of it, else of the closest name above it, else ratelimit:. 0: no limit. */
uint32_t settings_zone_rate(const struct core_settings *s, struct name zone);
/* Is there a policy that may leave nobody to ask? */
bool settings_requires_routes(const struct core_settings *s) NONNULL;
/* May this address be asked? Never the unspecified address, multicast or broadcast; not what do-not-query-* names; not a family that is off. */
bool settings_may_ask(const struct core_settings *s, const struct addr *a) NONNULL;
/* Is the address one that names outside of private-domain must not have (also as an IPv4-mapped IPv6 address)? */
bool settings_is_private(const struct core_settings *s, const struct addr *a) NONNULL;
bool settings_is_private_domain(const struct core_settings *s, struct name n);
/* Is n asked for without random case (caps-exempt)? */
bool settings_is_plain_case(const struct core_settings *s, struct name n);

#endif
