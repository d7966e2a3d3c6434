#include "resolver/core/draft.h"

#include <string.h>

#include "base/arena.h"

void draft_clear(struct draft *d)
{
	d->note = NULL;
	d->bare = false;
	for (size_t i = 0; i < 3; i++)
		d->part[i].count = 0;
}

bool draft_has(const struct draft *d, enum msg_part part, struct name owner, uint16_t type)
{
	const struct draft_part *p = &d->part[part - 1];

	for (size_t i = 0; i < p->count; i++) {
		if (p->sets[i].rs->type == type && name_equal(rrset_name(p->sets[i].rs), owner))
			return true;
	}
	return false;
}

RESULT draft_add(struct draft *d, struct arena *a, enum msg_part part, const struct rrset *rs, uint32_t ttl)
{
	struct draft_part *p = &d->part[part - 1];
	struct answer_set *sets;

	if (draft_has(d, part, rrset_name(rs), rs->type))
		return DONE;
	if (p->count == p->cap) {
		sets = arena_alloc_array(a, p->cap * 2 + 4, sizeof *sets);
		if (sets == NULL)
			return FAIL(ERR_NOMEM);
		if (p->count > 0)
			memcpy(sets, p->sets, p->count * sizeof *sets);
		p->sets = sets;
		p->cap = p->cap * 2 + 4;
	}
	p->sets[p->count++] = (struct answer_set){ rs, ttl };
	return DONE;
}

RESULT draft_add_copy(struct draft *d, struct arena *a, enum msg_part part, const struct rrset *rs, uint32_t ttl)
{
	const struct rrset *copy;

	if (draft_has(d, part, rrset_name(rs), rs->type))
		return DONE;
	copy = rrset_copy_in(a, rs);
	return copy == NULL ? FAIL(ERR_NOMEM) : draft_add(d, a, part, copy, ttl);
}

RESULT draft_finish(const struct draft *d, struct arena *a, struct answer *ret)
{
	size_t n = d->part[0].count + d->part[1].count + d->part[2].count, at = 0;
	struct answer_set *sets = arena_alloc_array(a, n + 1, sizeof *sets);
	uint32_t ttl = UINT32_MAX;
	uint8_t security = SECURITY_SECURE;

	if (sets == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t p = 0; p < 3; p++) {
		for (size_t i = 0; i < d->part[p].count; i++) {
			sets[at] = d->part[p].sets[i];
			if (p < 2 && sets[at].ttl < ttl)
				ttl = sets[at].ttl;
			if (p < 2 && sets[at].rs->security < security)
				security = sets[at].rs->security;
			at++;
		}
	}
	ret->sets = sets;
	ret->answer_count = d->part[0].count;
	ret->authority_count = d->part[1].count;
	ret->additional_count = d->part[2].count;
	ret->ttl = n == 0 || ttl == UINT32_MAX ? 0 : ttl;
	if (d->bare && security > SECURITY_INSECURE)
		security = SECURITY_INSECURE;
	ret->security = n == 0 ? SECURITY_UNCHECKED : security;
	if (d->note != NULL)
		answer_add_ede(ret, EDE_OTHER, d->note);
	return DONE;
}

RESULT answer_copy_in(struct arena *a, const struct answer *from, struct answer *ret)
{
	size_t n = from->answer_count + from->authority_count + from->additional_count;
	struct answer_set *sets = arena_alloc_array(a, n + 1, sizeof *sets);
	struct answer to = *from;

	to.q.name = name_dup_in(a, from->q.name);
	if (sets == NULL || to.q.name.wire == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t i = 0; i < n; i++) {
		sets[i] = (struct answer_set){ rrset_copy_in(a, from->sets[i].rs), from->sets[i].ttl };
		if (sets[i].rs == NULL)
			return FAIL(ERR_NOMEM);
	}
	to.sets = sets;
	for (size_t i = 0; i < from->ede_count; i++) {
		to.ede[i].text = from->ede[i].text == NULL ? NULL : arena_strdup(a, from->ede[i].text);
		if (from->ede[i].text != NULL && to.ede[i].text == NULL)
			return FAIL(ERR_NOMEM);
	}
	to.why = from->why == NULL ? NULL : arena_strdup(a, from->why);
	if (from->why != NULL && to.why == NULL)
		return FAIL(ERR_NOMEM);
	*ret = to;
	return DONE;
}

void answer_add_ede(struct answer *a, uint16_t code, const char *text)
{
	if (a->ede_count < ANSWER_EDES)
		a->ede[a->ede_count++] = (struct ede){ code, text };
}
