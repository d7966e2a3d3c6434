#include "resolver/core/budget.h"

#include <stddef.h>

/* Which of the limits: the offset keeps one walk of the chain for all of them. */
static uint32_t *field(struct budget *b, size_t offset) BORROWED;
static uint32_t *field(struct budget *b, size_t offset)
{
	return (uint32_t *)(void *)((char *)&b->left + offset);
}

static bool take(struct budget *b, size_t offset, uint32_t n)
{
	for (struct budget *at = b; at != NULL; at = at->parent) {
		if (*field(at, offset) < n)
			return false;
	}
	for (struct budget *at = b; at != NULL; at = at->parent)
		*field(at, offset) -= n;
	return true;
}

bool budget_take_packets(struct budget *b, uint32_t n)
{
	return take(b, offsetof(struct budget_limits, packets), n);
}

bool budget_take_octets(struct budget *b, uint32_t n)
{
	return take(b, offsetof(struct budget_limits, octets), n);
}

bool budget_take_work(struct budget *b, uint32_t n)
{
	return take(b, offsetof(struct budget_limits, work), n);
}

bool budget_take_subquestions(struct budget *b, uint32_t n)
{
	return take(b, offsetof(struct budget_limits, subquestions), n);
}

bool budget_take_referrals(struct budget *b, uint32_t n)
{
	return take(b, offsetof(struct budget_limits, referrals), n);
}

bool budget_take_alias(struct budget *b)
{
	if (b->left.cname_steps == 0)
		return false;
	b->left.cname_steps--;
	return true;
}
