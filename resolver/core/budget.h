/*
 * budget.h: what one client question may cost (architecture.md, decision 5). A resolution and its sub-questions each have a cap; a parent is charged what a
 * sub-question spends while the parent waits. Running out is an answer, a counter and a log line; it is remembered for that client question only.
 */
#ifndef RESOLVER_CORE_BUDGET_H
#define RESOLVER_CORE_BUDGET_H

#include "base/own.h"

struct budget_limits {
	uint32_t packets;     /* upstream packets, all retries, TCP connects and fallbacks counted: a few dozen */
	uint32_t octets;      /* received from upstream */
	uint32_t subquestions;
	uint32_t cname_steps; /* aliases followed (max-query-restarts) */
	uint32_t depth;       /* of sub-questions */
	uint32_t referrals;
	uint32_t work;        /* thousandths of a unit (validator/work.h): verifications, hashes */
	uint32_t time_ms;     /* from the first client's question to giving up */
};

struct budget {
	struct budget_limits left;
	struct budget *parent PARENT_FIELD; /* charged as well; NULL for a client question. Valid while the parent waits */
};

/* False, and nothing taken, when this budget or one above it does not have n left. */
bool budget_take_packets(struct budget *b, uint32_t n) NONNULL;
bool budget_take_octets(struct budget *b, uint32_t n) NONNULL;
bool budget_take_work(struct budget *b, uint32_t n) NONNULL;
bool budget_take_subquestions(struct budget *b, uint32_t n) NONNULL;
bool budget_take_referrals(struct budget *b, uint32_t n) NONNULL;
bool budget_take_alias(struct budget *b) NONNULL; /* of this budget alone: a chain belongs to one question */

#endif
