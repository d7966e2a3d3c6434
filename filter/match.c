/* What a filter says of a question and of an answer. */
#include "base/own.h"
#include "dns/rrtype.h"
#include "filter/inside.h"

/* A name that is being judged: what it is asked for (twice the same but for targets), and its text once some pattern wanted it. */
struct judged {
	const struct filter *f BORROWED_FIELD;
	struct name name;
	uint16_t type, as;
	bool conditions; /* the rules with conditions on addresses, or those without */
	bool has_text;
	struct pattern_text text;
};

/* Each rule that holds for the name, in no order. */
typedef void holds_fn(void *ctx, const struct judged *j, const struct filter_rule *r);

static bool names_it(const struct filter_rule *r, struct name n, struct name suffix)
{
	if (r->kind == RULE_NAME ? suffix.labels != n.labels : r->kind == RULE_BELOW && suffix.labels == n.labels)
		return false;
	return name_equal(r->name, suffix);
}

static void if_it_holds(const struct judged *j, const struct filter_rule *r, holds_fn *fn, void *ctx)
{
	if (r->only == NULL || only_holds_question(r->only, j->name, j->type, j->as))
		fn(ctx, j, r);
}

static void look_up(const struct judged *j, struct name suffix, holds_fn *fn, void *ctx)
{
	const struct filter *f = j->f;
	uint32_t at = f->slot[name_hash(&f->key, suffix) & (f->slots - 1)];

	for (; at != NO_RULE; at = f->rule[at].next) {
		const struct filter_rule *r = &f->rule[at];

		if (names_it(r, j->name, suffix) && filter_rule_asks_address(r) == j->conditions)
			if_it_holds(j, r, fn, ctx);
	}
}

static void walk(struct judged *j, holds_fn *fn, void *ctx)
{
	const struct filter *f = j->f;
	const struct filter_tried *t = &f->tried[j->conditions];

	if (!j->conditions || f->named_conditions)
		for (struct name n = j->name; n.labels > 0; n = name_parent(n))
			if ((f->labels[n.labels / 64] >> n.labels % 64 & 1) != 0)
				look_up(j, n, fn, ctx);
	for (size_t i = 0; i < t->n; i++) {
		const struct filter_rule *r = &f->rule[t->rule[i]];

		if (r->kind == RULE_PATTERN && !j->has_text) {
			pattern_text_of(j->name, &j->text);
			j->has_text = true;
		}
		if (r->kind == RULE_ANY || pattern_holds(&r->pattern, &j->text))
			if_it_holds(j, r, fn, ctx);
	}
}

static struct judged judged_of(const struct filter *f, struct name n, size_t place, uint16_t type, bool conditions)
{
	return (struct judged){ .f = f, .name = n, .type = type, .as = place == 0 ? type : RR_CNAME, .conditions = conditions };
}

/* --- names */

/* The first of each class: [exception][important]. */
struct first {
	const struct filter_rule *rule[2][2] BORROWED_FIELD;
};

static bool comes_before(const struct filter_rule *a, const struct filter_rule *b)
{
	return b == NULL || a < b; /* both are of one array, which is in the order they were added */
}

static void note_first(void *ctx, const struct judged *j, const struct filter_rule *r)
{
	const struct filter_rule **at = &((struct first *)ctx)->rule[r->exception][r->important];

	(void)j;
	if (comes_before(r, *at))
		*at = r;
}

static enum filter_verdict hit(struct filter_hit *h, enum filter_verdict v, const struct filter_rule *r, struct name n, const struct filter_address *a)
{
	*h = (struct filter_hit){ v, r->important, r->text, r->source, r->line, n, a };
	return v;
}

/* level: what exceptions have said so far: 0: nothing, 1: an exception, 2: an important one; *allowed says which. */
static enum filter_verdict judge_name(const struct filter *f, struct name n, size_t place, uint16_t type, unsigned int *level, struct filter_hit *h)
{
	struct judged j = judged_of(f, n, place, type, false);
	struct first first = { .rule = { { NULL } } };

	walk(&j, note_first, &first);
	for (unsigned int l = 2; l > *level; l--) {
		const struct filter_rule *exception = first.rule[1][l - 1];

		if (exception == NULL)
			continue;
		*level = l;
		(void)hit(h, FILTER_ALLOWED, exception, n, NULL);
	}
	for (unsigned int l = 2; l > *level; l--)
		if (first.rule[0][l - 1] != NULL)
			return hit(h, FILTER_BLOCKED, first.rule[0][l - 1], n, NULL);
	return h->verdict;
}

static void nothing(struct filter_hit *h)
{
	*h = (struct filter_hit){ .verdict = FILTER_PASS };
}

enum filter_verdict filter_question(const struct filter *f, struct name qname, uint16_t qtype, struct filter_hit *ret_hit)
{
	unsigned int level = 0;

	nothing(ret_hit);
	return judge_name(f, qname, 0, qtype, &level, ret_hit);
}

/* --- addresses */

struct addresses {
	struct filter_address *a BORROWED_FIELD;
	size_t n;
	unsigned int level;            /* of exceptions for names */
	const struct filter_rule *best BORROWED_FIELD; /* block, or exception */
	const struct filter_address *best_address BORROWED_FIELD;
	struct name best_name;
};

static bool is_better(const struct filter_rule *r, const struct filter_rule *best)
{
	return best == NULL || r->important > best->important || (r->important == best->important && r < best);
}

static void note_address(struct addresses *s, const struct judged *j, const struct filter_rule *r, const struct filter_address *a)
{
	if (!is_better(r, s->best))
		return;
	s->best = r;
	s->best_address = a;
	s->best_name = j->name;
}

static void except_addresses(void *ctx, const struct judged *j, const struct filter_rule *r)
{
	struct addresses *s = (struct addresses *)ctx;
	uint8_t level = r->important ? 2 : 1;

	for (size_t i = 0; r->exception && i < s->n; i++) {
		if (!only_holds_address(r->only, &s->a[i]))
			continue;
		note_address(s, j, r, &s->a[i]);
		if (s->a[i].excepted < level)
			s->a[i].excepted = level;
	}
}

static void block_addresses(void *ctx, const struct judged *j, const struct filter_rule *r)
{
	struct addresses *s = (struct addresses *)ctx;
	unsigned int level = r->important ? 2 : 1;

	for (size_t i = 0; !r->exception && i < s->n; i++)
		if (level > s->a[i].excepted && only_holds_address(r->only, &s->a[i]))
			note_address(s, j, r, &s->a[i]);
}

static void walk_all(const struct filter *f, const struct name *names, size_t name_count, uint16_t qtype, holds_fn *fn, struct addresses *s)
{
	s->best = NULL;
	for (size_t i = 0; i < name_count; i++) {
		struct judged j = judged_of(f, names[i], i, qtype, true);

		walk(&j, fn, s);
	}
}

/* h: what the names have come to, which stays when no address is blocked and none excepted. */
static enum filter_verdict judge_addresses(const struct filter *f, const struct name *names, size_t name_count, uint16_t qtype, struct addresses *s, struct filter_hit *h)
{
	for (size_t i = 0; i < s->n; i++)
		s->a[i].excepted = (uint8_t)s->level;
	walk_all(f, names, name_count, qtype, except_addresses, s);
	if (s->best != NULL && h->verdict == FILTER_PASS)
		(void)hit(h, FILTER_ALLOWED, s->best, s->best_name, s->best_address);
	walk_all(f, names, name_count, qtype, block_addresses, s);
	return s->best != NULL ? hit(h, FILTER_BLOCKED, s->best, s->best_name, s->best_address) : h->verdict;
}

enum filter_verdict filter_answer(const struct filter *f, const struct name *names, size_t name_count, uint16_t qtype, struct filter_address *addresses, size_t address_count,
    struct filter_hit *ret_hit)
{
	struct addresses s = { .a = addresses, .n = address_count };

	nothing(ret_hit);
	for (size_t i = 0; i < name_count; i++)
		if (judge_name(f, names[i], i, qtype, &s.level, ret_hit) == FILTER_BLOCKED)
			return FILTER_BLOCKED;
	if (address_count == 0 || f->counts.conditions == 0)
		return ret_hit->verdict;
	return judge_addresses(f, names, name_count, qtype, &s, ret_hit);
}

/* --- what it needs */

bool filter_is_empty(const struct filter *f)
{
	return f->rules == 0;
}

bool filter_wants_answers(const struct filter *f)
{
	return f->counts.conditions > 0;
}

bool filter_wants_routes(const struct filter *f)
{
	return f->wants_routes;
}
