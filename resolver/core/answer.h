/* answer.h: the outcome of a resolution: what to tell a client, and why. Lives in the resolution's arena; borrowed by whoever is told. */
#ifndef RESOLVER_CORE_ANSWER_H
#define RESOLVER_CORE_ANSWER_H

#include "dns/edns.h"
#include "dns/msg.h"

#define ANSWER_EDES 4

struct policy_note;

struct answer_set {
	const struct rrset *rs BORROWED_FIELD; /* in the arena, or shared and good for this turn */
	uint32_t ttl;                          /* seconds left now */
};

struct answer {
	struct question q;        /* as asked */
	uint16_t rcode;
	bool authoritative;       /* AA: local data */
	bool cacheable;           /* a TTL above 0, not a failure of our own */
	bool bogus;               /* SERVFAIL because it does not validate */
	bool by_route;            /* SERVFAIL because policy on routes left nobody to ask; the first extended error says why */
	bool limited;             /* SERVFAIL because a zone is asked no more often (ratelimit); not remembered */
	bool synthesized;         /* from denials of other names (RFC 8198) */
	bool by_glue;             /* of a name server's address, for resolutions only: the cache has glue for it, which will do */
	bool stale;               /* at least one set has expired (RFC 8767) */
	uint8_t security;         /* enum security, the least of its parts */
	uint32_t ttl;             /* least of the sets, for negative answers by RFC 2308 */
	struct answer_set *sets ARENA_FIELD; /* answer, then authority, then additional */
	size_t answer_count, authority_count, additional_count;
	struct ede ede[ANSWER_EDES];
	size_t ede_count;
	uint8_t route;            /* 1 + enum verdict_state, the worst of the servers that were asked for it; 0: not known */
	const struct policy_note *policy BORROWED_FIELD; /* what the operator's policy made of it (serve/policy_note.h), until the call returns; NULL: nothing */
	const char *why ARENA_FIELD; /* failures: one line for the log: which servers failed how. NULL otherwise */
};

#endif
