/*
 * answer_filter.h: filter: what it does to questions and answers. A question is judged when it was found neither in local data nor in the answer cache: a blocked one is
 * answered from here, and nobody is asked. An answer is judged once, when it is made, after the validator and after answer-policy: (answer_route.h), for clients and for the
 * answer cache alike; never on the way of a hit. Whose conditions are on routes is watched (watched.h).
 *
 * What is told in place of it is as block-answer: says: the addresses 0.0.0.0 and ::, NXDOMAIN, no data, REFUSED, or nothing at all; with the extended error 15 and the rule;
 * never AD. Negative ones come with a SOA, so that others keep them no longer than block-ttl:. What is bogus stays what it is. With dry-run: all is judged with the answer,
 * counted, logged, and told as it is.
 */
#ifndef RESOLVER_SERVE_ANSWER_FILTER_H
#define RESOLVER_SERVE_ANSWER_FILTER_H

#include "resolver/cache/anscache.h"
#include "resolver/core/answer.h"
#include "resolver/serve/policy_note.h"
#include "resolver/serve/reply.h"

struct serve;

struct answer_filter {
	struct answer instead;         /* what is told in place of it; its sets are in the arena of the serving side */
	struct policy_note note;
	char text[REPLY_EDE_TEXT + 1]; /* why */
	bool blocked;
	bool nothing;                  /* nothing is told at all */
	uint32_t mask;                 /* bits of the addresses that may decide (watched.h) */
	uint64_t routes, filter;       /* numbers of the sheets it was judged by (board.h, filter_board.h) */
};

/* Is the question blocked? Then j->instead is to be told, or j->nothing. */
bool answer_filter_question(struct serve *s, const struct question *q, struct answer_filter *j) NONNULL;
/* What is told: the answer, or j->instead, good as long as j and a, until the next call; or j->nothing. own: so many sets of the answer section are local data, and not judged. */
const struct answer *answer_filter_judge(struct serve *s, const struct answer *a, size_t own, struct answer_filter *j) BORROWED NONNULL;
/* The answer was stored: it is taken out when the filter or routes have changed since it was judged. */
void answer_filter_stored(struct serve *s, const struct ans_key *k, uint64_t hash, const struct answer_filter *j) NONNULL;

#endif
