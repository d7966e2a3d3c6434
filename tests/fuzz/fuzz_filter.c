/*
 * Lists of rules, beside a slow model (naive.h). The input is a list. What is kept of it prints as a form that is read as the same rule; and names and addresses made from
 * the rules themselves are judged as the model judges them by those forms. Each line alone is refused or taken as it is within the list.
 */
#include "base/arena.h"
#include "base/strbuf.h"
#include "dns/rrtype.h"
#include "filter/inside.h"
#include "tests/fuzz/kit.h"
#include "tests/unit/filter/naive.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RULES 70
#define NAMES 12
#define ADDRESSES 4
#define FORM 2000

static const struct filter_limits limits = { .rules = RULES, .patterns = 30, .octets = 14000, .line = 400, .told = 5 };
static const struct hash_key key = { { 3, 4 } };

struct told {
	uint64_t n;
};

static void tell(void *ctx, const struct filter_refusal *r)
{
	((struct told *)ctx)->n++;
	CHECK(r->reason != NULL && *r->reason != '\0' && r->source != NULL && r->text.n <= 256);
}

/* What the list of rules came to. */
struct world {
	const struct filter *f BORROWED_FIELD;
	const char *forms[RULES] OWNED_FIELD;
	struct name_buf name[NAMES];
	size_t names;
	struct filter_address address[ADDRESSES];
	size_t addresses;
};

/* --- forms */

static void check_form(const struct filter_rule *r, const char **ret_form)
{
	AUTO(strbuf_free) struct strbuf *form = strbuf_new(FORM), *again = strbuf_new(FORM);
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct filter_rule back;
	const char *reason;

	CHECK(form != NULL && again != NULL && a != NULL);
	filter_rule_print(r, form);
	CHECK(strbuf_ok(form) && OK(filter_rule_read(strbuf_span(form), a, &back, &reason)));
	filter_rule_print(&back, again);
	CHECK(span_equal(strbuf_span(form), strbuf_span(again)));
	CHECK(back.kind == r->kind && back.exception == r->exception && back.important == r->important && filter_rule_asks_address(&back) == filter_rule_asks_address(r));
	*ret_form = strbuf_take(form);
}

/* --- questions */

static void add_name(struct world *w, const char *text, size_t n)
{
	if (w->names < NAMES && OK(name_from_text_n(text, n, NULL, &w->name[w->names])))
		w->names++;
}

/* A name, one below it, one beside it. */
static void names_of_name(struct world *w, struct name n)
{
	struct name_buf below = { .len = 2, .labels = 0, .b = { 1, 'x' } };

	if (w->names + 3 > NAMES)
		return;
	name_copy(&w->name[w->names++], n);
	if (OK(name_concat((struct name){ (const uint8_t *)"\1x", 3, 1 }, 1, n, &below)))
		name_copy(&w->name[w->names++], name_of(&below));
	name_copy(&w->name[w->names++], name_parent(n));
}

static void names_of_pattern(struct world *w, const struct pattern *p)
{
	static const char *const around[][2] = { { "", "" }, { "Q.", "" }, { "q", ".q" } };
	char text[NAME_TEXT];

	for (size_t i = 0; i < 3; i++) {
		size_t n = (size_t)snprintf(text, sizeof text, "%s%.*s%s", around[i][0], (int)p->core.n, (const char *)p->core.p, around[i][1]);

		for (size_t k = 0; k < n; k++)
			if (text[k] == '*')
				text[k] = k % 2 == 0 ? 'z' : '.';
		add_name(w, text, n);
	}
}

static void addresses_of(struct world *w, const struct filter_only *o)
{
	struct filter_address *a = &w->address[w->addresses];

	if (w->addresses == ADDRESSES || !only_asks_address(o))
		return;
	*a = (struct filter_address){ .addr = { .family = ADDR_V4, .b = { 192, 0, 2, 1 } }, .state = (enum filter_route)((o->routes + w->addresses) % FILTER_ROUTES), .excepted = 5 };
	if (o->nets > 0)
		a->addr = o->net[0].p.a;
	if (o->asn.n > 0)
		a->origin = o->asn.r[0].last;
	w->addresses++;
}

static void make_questions(struct world *w)
{
	add_name(w, "example.org", 11);
	for (size_t i = w->f->rules; i-- > 0;) {
		const struct filter_rule *r = &w->f->rule[i];

		if (r->kind == RULE_PATTERN)
			names_of_pattern(w, &r->pattern);
		else if (r->kind != RULE_ANY)
			names_of_name(w, r->name);
		if (r->only != NULL)
			addresses_of(w, r->only);
		if (r->only != NULL && r->only->denyallows > 0)
			names_of_name(w, r->only->denyallow[0]);
	}
}

static uint16_t some_type(const struct filter *f, size_t turn)
{
	for (size_t i = turn; i < f->rules; i++)
		if (f->rule[i].only != NULL && f->rule[i].only->types.n > 0)
			return (uint16_t)f->rule[i].only->types.r[0].first;
	return RR_A;
}

/* A chain of up to three names that starts with this one. */
static void ask(struct world *w, size_t first)
{
	size_t count = w->names - first < 3 ? w->names - first : 3, rule = SIZE_MAX;
	uint16_t type = some_type(w->f, first);
	struct filter_hit hit;
	struct name names[3] = { name_root, name_root, name_root };
	enum filter_verdict want;

	for (size_t i = 0; i < count; i++)
		names[i] = name_of(&w->name[first + i]);
	want = naive_question(w->forms, w->f->rules, names[0], type, &rule);
	CHECK(filter_question(w->f, names[0], type, &hit) == want && hit.verdict == want);
	CHECK(want != FILTER_BLOCKED || hit.rule == w->f->rule[rule].text);
	want = naive_answer(w->forms, w->f->rules, names, count, type, w->address, w->addresses, &rule);
	CHECK(filter_answer(w->f, names, count, type, w->address, w->addresses, &hit) == want && hit.verdict == want);
	CHECK(want != FILTER_BLOCKED || (hit.rule == w->f->rule[rule].text && hit.important == w->f->rule[rule].important));
	CHECK((want == FILTER_PASS) == (hit.rule == NULL));
}

/* --- lists */

static struct filter *list_of(struct span text, struct told *told) OWNED_BY(filter_free);
static struct filter *list_of(struct span text, struct told *told)
{
	AUTO(filter_builder_free) struct filter_builder *b = KIT_FAILING(filter_builder_new(&limits, &key, tell, told));
	struct filter *f = NULL;
	struct result r = FAIL(ERR_NOMEM);

	if (b != NULL)
		r = KIT_FAILING(filter_add_text(b, "list", text));
	if (OK(r))
		r = KIT_FAILING(filter_add_text(b, "list", span_of(NULL, 0)));
	if (OK(r))
		r = KIT_FAILING(filter_build(MOVE(b), &f));
	CHECK(OK(r) ? f != NULL : f == NULL && r.e == ERR_NOMEM && mem_failed());
	return f;
}

static void check_counts(const struct filter *f, const struct told *told)
{
	const struct filter_counts *c = filter_count(f);

	CHECK(c->rules == f->rules && c->rules <= limits.rules && c->patterns <= limits.patterns && c->over_limit <= c->refused);
	CHECK(told->n == (c->refused < limits.told ? c->refused : limits.told));
	CHECK(filter_is_empty(f) == (c->rules == 0) && filter_wants_answers(f) == (c->conditions > 0) && (!filter_wants_routes(f) || filter_wants_answers(f)));
	CHECK(filter_octets(f) > 0);
}

/* The first line by itself: refused when something was refused in it. */
static void check_line(struct span text)
{
	const uint8_t *end = text.n > 0 ? (const uint8_t *)memchr(text.p, '\n', text.n) : NULL;
	struct span line = end == NULL ? text : span_of(text.p, (size_t)(end - text.p));
	struct told told = { 0 };
	AUTO(filter_builder_free) struct filter_builder *b = KIT_FAILING(filter_builder_new(&limits, &key, tell, &told));
	struct result r;

	if (b == NULL)
		return;
	r = KIT_FAILING(filter_add_rule(b, "rule", 1, line));
	CHECK(r.e == ERR_NOMEM ? mem_failed() : OK(r) == (told.n == 0));
}

static void one_input(const uint8_t *data, size_t size)
{
	AUTO(filter_free) struct filter *f = NULL;
	struct world w = { .names = 0 };
	struct told told = { 0 };

	if (size > 4096)
		return;
	check_line(span_of(data, size));
	f = list_of(span_of(data, size), &told);
	if (f == NULL)
		return;
	check_counts(f, &told);
	w.f = f;
	for (size_t i = 0; i < f->rules; i++)
		check_form(&f->rule[i], &w.forms[i]);
	make_questions(&w);
	for (size_t i = 0; i < w.names; i++)
		ask(&w, i);
	for (size_t i = 0; i < f->rules; i++)
		mem_free((void *)(uintptr_t)w.forms[i]);
}

KIT_TARGET(one_input)
