#include "resolver/serve/filtering.h"

#include <stdio.h>
#include <string.h>

#include "dns/rrtype.h"
#include "resolver/core/alias.h"
#include "resolver/serve/answer_addresses.h"

enum filter_route filtering_route_of(enum verdict_state s)
{
	switch (s) {
	case VERDICT_VALID:
		return FILTER_ROUTE_VALID;
	case VERDICT_INVALID_ORIGIN:
	case VERDICT_INVALID_LENGTH:
		return FILTER_ROUTE_INVALID;
	case VERDICT_NOT_FOUND:
		return FILTER_ROUTE_NOT_FOUND;
	case VERDICT_COVERED:
		return FILTER_ROUTE_COVERED;
	case VERDICT_UNCOVERED:
		return FILTER_ROUTE_UNCOVERED;
	case VERDICT_AS0:
		return FILTER_ROUTE_AS0;
	case VERDICT_UNKNOWN:
	case VERDICT_STATES:
		break;
	}
	return FILTER_ROUTE_UNKNOWN;
}

/* Addresses on their way into an array: counted first, then taken. */
struct taking {
	const struct filtering *f BORROWED_FIELD;
	struct filter_address *to ARENA_FIELD; /* NULL: they are only counted */
	size_t count;
};

static bool take(void *ctx, const struct addr *a)
{
	struct taking *t = ctx;
	struct route_facts facts = { .state = VERDICT_UNKNOWN };

	t->count++;
	if (t->to == NULL)
		return true;
	if (filter_wants_routes(t->f->filter)) {
		facts = route_facts_of(t->f->view, a);
		if (t->f->seen != NULL)
			t->f->seen(t->f->ctx, a, &facts);
	}
	t->to[t->count - 1] = (struct filter_address){ *a, filtering_route_of(facts.state), facts.origin, 0 };
	return true;
}

static void take_all(struct taking *t, const struct answer_set *sets, size_t n)
{
	t->count = 0;
	for (size_t i = 0; i < n; i++)
		(void)answer_addresses(sets[i].rs, take, t);
}

static RESULT addresses_of(const struct filtering *f, const struct answer_set *sets, size_t n, struct arena *arena, struct taking *ret)
{
	*ret = (struct taking){ .f = f };
	if (!filter_wants_answers(f->filter))
		return DONE;
	take_all(ret, sets, n);
	if (ret->count == 0)
		return DONE;
	ret->to = arena_alloc_array(arena, ret->count, sizeof *ret->to);
	if (ret->to == NULL)
		return FAIL(ERR_NOMEM);
	take_all(ret, sets, n);
	return DONE;
}

/* In order: what was asked for, or what local data lead to; then where each alias leads. */
static size_t chain_of(const struct answer *a, size_t own, struct name *names)
{
	struct name target;
	size_t n = 0;

	names[n++] = a->q.name;
	if (own > 0 && a->sets[own - 1].rs->type == RR_CNAME && alias_target(a->sets[own - 1].rs, &target))
		names[0] = target;
	for (size_t i = own; i < a->answer_count; i++)
		if (a->sets[i].rs->type == RR_CNAME && alias_target(a->sets[i].rs, &target))
			names[n++] = target;
	return n;
}

RESULT filtering_answer(const struct filtering *f, const struct answer *a, size_t own, struct arena *arena, struct filter_hit *ret_hit)
{
	struct name *names = arena_alloc_array(arena, a->answer_count + 1, sizeof *names);
	struct taking t = { .f = f };
	size_t n;

	if (names == NULL)
		return FAIL(ERR_NOMEM);
	n = chain_of(a, own, names);
	if (a->answer_count > own)
		TRY(addresses_of(f, a->sets + own, a->answer_count - own, arena, &t));
	(void)filter_answer(f->filter, names, n, a->q.type, t.to, t.to != NULL ? t.count : 0, ret_hit);
	return DONE;
}

RESULT filtering_set(const struct filtering *f, const struct rrset *rs, struct arena *arena, struct filter_hit *ret_hit)
{
	struct answer_set set = { rs, rs->ttl };
	struct name owner = rrset_name(rs);
	struct taking t;

	TRY(addresses_of(f, &set, 1, arena, &t));
	(void)filter_answer(f->filter, &owner, 1, rs->type, t.to, t.to != NULL ? t.count : 0, ret_hit);
	return DONE;
}

/* The file's name without its folders, which are nobody else's business. */
static const char *short_source(const char *source) BORROWED;
static const char *short_source(const char *source)
{
	const char *last = strrchr(source, '/');

	return last != NULL ? last + 1 : source;
}

void filtering_say(const struct filter_hit *h, const struct name *asked, char *to, size_t size)
{
	char name[NAME_TEXT], addr[ADDR_TEXT], origin[24] = "";
	const char *source = short_source(h->source);

	if (h->address != NULL) {
		if (h->address->origin != 0)
			(void)snprintf(origin, sizeof origin, ", AS%u", h->address->origin);
		(void)snprintf(to, size, "%s:%u: %s: %s (%s%s)", source, h->line, h->rule, addr_text(&h->address->addr, addr), filter_route_text(h->address->state), origin);
	} else if (!name_equal(h->name, *asked)) {
		(void)snprintf(to, size, "%s:%u: %s: %s", source, h->line, h->rule, name_to_text(h->name, name));
	} else {
		(void)snprintf(to, size, "%s:%u: %s", source, h->line, h->rule);
	}
}
