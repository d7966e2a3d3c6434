/*
 * answer_route.h: answer-policy: what it means that the route to an address in an answer is invalid. An answer is judged when it is made, after the validator and whoever
 * else had a say, for clients and for the answer cache alike; never on the way of a hit. What it was judged by is watched (watched.h).
 *
 * A blocked answer is "no data" (NOERROR without records, and without a SOA, so that nobody else keeps it) with the extended error 15: the name exists, and its other
 * addresses may be reached. An answer without addresses, failures and what is bogus among them, stays what it is.
 */
#ifndef RESOLVER_SERVE_ANSWER_ROUTE_H
#define RESOLVER_SERVE_ANSWER_ROUTE_H

#include "resolver/cache/anscache.h"
#include "resolver/core/answer.h"
#include "resolver/serve/policy_note.h"
#include "resolver/serve/reply.h"

struct serve;

struct answer_route {
	struct answer instead;         /* what is told in place of it */
	char text[REPLY_EDE_TEXT + 1]; /* why */
	uint32_t mask;                 /* bits of the addresses that decided (watched.h); 0: routes do not count */
	uint64_t number;               /* of the sheet it was judged by (board.h) */
	struct policy_note note;       /* for those who watch, when something was decided */
};

/* What is told: the answer, or j->instead, good as long as j and a. */
const struct answer *answer_route_judge(struct serve *s, const struct answer *a, struct answer_route *j) BORROWED NONNULL;
/* The answer was stored: it is taken out when routes have changed since it was judged. */
void answer_route_stored(struct serve *s, const struct ans_key *k, uint64_t hash, const struct answer_route *j) NONNULL;

#endif
