/* How a filter is made: lines are read, rules kept once each, and what $badfilter names is taken out at the end. */
#include "base/arena.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "filter/inside.h"
#include "filter/lines.h"

/* Of a refused line, so much is told. */
#define TOLD_OCTETS 256

/* Rules in a growing array, with the hash of each one's form. */
struct kept {
	struct filter_rule *rule OWNED_FIELD;
	uint64_t *id OWNED_FIELD;
	size_t n, cap;
};

struct filter_builder {
	struct filter_limits limits;
	struct hash_key key;
	filter_refused_fn *refused;
	void *ctx BORROWED_FIELD;
	struct arena *arena OWNED_FIELD;   /* of what is kept */
	struct arena *scratch OWNED_FIELD; /* of the line that is being read */
	struct strbuf *form OWNED_FIELD;
	struct strbuf *other OWNED_FIELD;
	struct kept rules;
	struct kept off;           /* $badfilter */
	uint32_t *seen OWNED_FIELD; /* hash table: a rule's number and 1 */
	size_t seen_cap;           /* a power of two, or 0 */
	const char *source ARENA_FIELD;
	const char *text ARENA_FIELD; /* of the line that is being read, once it is kept */
	uint32_t line;
	struct span line_text;
	uint64_t told;
	struct filter_counts counts;
};

static void kept_done(struct kept *k)
{
	mem_free(MOVE(k->rule));
	mem_free(MOVE(k->id));
}

void filter_builder_free(struct filter_builder *b)
{
	if (b == NULL)
		return;
	kept_done(&b->rules);
	kept_done(&b->off);
	mem_free(MOVE(b->seen));
	strbuf_free(MOVE(b->form));
	strbuf_free(MOVE(b->other));
	arena_free(MOVE(b->scratch));
	arena_free(MOVE(b->arena));
	mem_free(b);
}

struct filter_builder *filter_builder_new(const struct filter_limits *limits, const struct hash_key *key, filter_refused_fn *refused, void *ctx)
{
	AUTO(filter_builder_free) struct filter_builder *b = (struct filter_builder *)mem_alloc(sizeof *b);
	/* A form is longer than its line only where prefixes get their length and $route all its states. */
	size_t form = limits->line == 0 || limits->line > SIZE_MAX / 8 ? SIZE_MAX / 2 : limits->line * 4 + 256;

	if (b == NULL)
		return NULL;
	b->limits = *limits;
	b->key = *key;
	b->refused = refused;
	b->ctx = ctx;
	b->arena = arena_new(0); /* the limit is of rules, and told by rule */
	b->scratch = arena_new(0);
	b->form = strbuf_new(form);
	b->other = strbuf_new(form);
	if (b->arena == NULL || b->scratch == NULL || b->form == NULL || b->other == NULL)
		return NULL;
	return MOVE(b);
}

/* --- refusing */

static void refuse(struct filter_builder *b, struct span text, const char *reason)
{
	struct filter_refusal r = { b->source, b->line, { text.p, text.n < TOLD_OCTETS ? text.n : TOLD_OCTETS }, reason };

	b->counts.refused++;
	if (b->refused == NULL || b->told == b->limits.told)
		return;
	b->told++;
	b->refused(b->ctx, &r);
}

static RESULT over_limit(struct filter_builder *b, struct span text, const char *reason)
{
	b->counts.over_limit++;
	refuse(b, text, reason);
	return DONE;
}

/* --- keeping */

static RESULT grow(struct kept *k)
{
	size_t cap = k->cap == 0 ? 64 : k->cap * 2;
	void *rules = k->rule, *ids = k->id;
	struct result r = mem_resize(&rules, k->cap, cap, sizeof *k->rule);

	k->rule = (struct filter_rule *)rules;
	if (OK(r))
		r = mem_resize(&ids, k->cap, cap, sizeof *k->id);
	k->id = (uint64_t *)ids;
	if (OK(r))
		k->cap = cap;
	return r;
}

static RESULT form_of(const struct filter_rule *r, struct strbuf *out)
{
	strbuf_clear(out);
	filter_rule_print(r, out);
	return strbuf_result(out);
}

/* The place of a form in the table: of the same one, or a free one. */
static RESULT find(struct filter_builder *b, uint64_t id, size_t *ret_place)
{
	size_t i = id & (b->seen_cap - 1);

	while (b->seen[i] != 0) {
		if (b->rules.id[b->seen[i] - 1] == id) {
			TRY(form_of(&b->rules.rule[b->seen[i] - 1], b->other));
			if (span_equal(strbuf_span(b->form), strbuf_span(b->other)))
				break;
		}
		i = (i + 1) & (b->seen_cap - 1);
	}
	*ret_place = i;
	return DONE;
}

static RESULT grow_seen(struct filter_builder *b)
{
	size_t cap = b->seen_cap == 0 ? 128 : b->seen_cap * 2;
	AUTO(mem_free) void *room = mem_alloc_array(cap, sizeof(uint32_t));
	uint32_t *seen = (uint32_t *)room;

	if (seen == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t n = 0; n < b->rules.n; n++) {
		size_t i = b->rules.id[n] & (cap - 1);

		while (seen[i] != 0)
			i = (i + 1) & (cap - 1);
		seen[i] = (uint32_t)n + 1;
	}
	mem_free(MOVE(b->seen));
	b->seen = (uint32_t *)MOVE(room);
	b->seen_cap = cap;
	return DONE;
}

/* What so many rules take in memory, here or in the filter: the larger of both. */
static size_t octets_of(const struct filter_builder *b, size_t rules)
{
	return arena_used(b->arena) + rules * (sizeof(struct filter_rule) + sizeof(uint64_t) + 4 * sizeof(uint32_t));
}

static bool is_tried(const struct filter_rule *r)
{
	return r->kind == RULE_PATTERN || r->kind == RULE_ANY;
}

/* NULL: there is room for one more. */
static const char *lacks_room(const struct filter_builder *b, const struct filter_rule *r) BORROWED;
static const char *lacks_room(const struct filter_builder *b, const struct filter_rule *r)
{
	size_t rules = b->rules.n + b->off.n;

	if (rules >= UINT32_MAX - 1 || (b->limits.rules != 0 && rules >= b->limits.rules))
		return "more rules than the limit";
	if (b->limits.patterns != 0 && is_tried(r) && !r->badfilter && b->counts.patterns >= b->limits.patterns)
		return "more patterns than the limit";
	if (b->limits.octets != 0 && octets_of(b, rules + 1) + b->line_text.n + strbuf_len(b->form) > b->limits.octets)
		return "more octets than the limit";
	return NULL;
}

static RESULT keep_text(struct filter_builder *b)
{
	char *text = (char *)arena_alloc(b->arena, b->line_text.n + 1);

	if (text == NULL)
		return FAIL(ERR_NOMEM);
	memcpy(text, b->line_text.p, b->line_text.n);
	b->text = text;
	return DONE;
}

static RESULT copy_in(struct filter_builder *b, const struct filter_rule *r, struct filter_rule *ret)
{
	TRY(filter_rule_copy(r, b->arena, ret));
	if (b->text == NULL)
		TRY(keep_text(b));
	ret->text = b->text;
	ret->source = b->source;
	ret->line = b->line;
	return DONE;
}

static void count(struct filter_builder *b, const struct filter_rule *r)
{
	b->counts.rules++;
	b->counts.exceptions += r->exception;
	b->counts.patterns += is_tried(r);
	b->counts.conditions += filter_rule_asks_address(r);
}

static RESULT keep(struct filter_builder *b, const struct filter_rule *r, uint64_t id, struct span text)
{
	struct kept *k = r->badfilter ? &b->off : &b->rules;
	const char *lacks = lacks_room(b, r);

	if (lacks != NULL)
		return over_limit(b, text, lacks);
	if (k->n == k->cap)
		TRY(grow(k));
	TRY(copy_in(b, r, &k->rule[k->n]));
	k->id[k->n++] = id;
	if (!r->badfilter)
		count(b, r);
	return DONE;
}

static RESULT take(struct filter_builder *b, const struct filter_rule *r, struct span text)
{
	size_t place, before = b->rules.n;
	uint64_t id;

	TRY(form_of(r, b->form));
	id = siphash13(&b->key, strbuf_text(b->form), strbuf_len(b->form));
	if (r->badfilter)
		return keep(b, r, id, text);
	if ((b->rules.n + 1) * 2 > b->seen_cap)
		TRY(grow_seen(b));
	TRY(find(b, id, &place));
	if (b->seen[place] != 0) {
		b->counts.duplicates++;
		return DONE;
	}
	TRY(keep(b, r, id, text));
	if (b->rules.n > before)
		b->seen[place] = (uint32_t)b->rules.n;
	return DONE;
}

/* --- reading */

typedef struct result rule_fn(struct span text, struct arena *a, struct filter_rule *ret_rule, const char **ret_reason);

static RESULT read_one(struct filter_builder *b, rule_fn *read, struct span text)
{
	const char *reason = "";
	struct filter_rule rule;
	struct result r;

	arena_reset(b->scratch);
	r = read(text, b->scratch, &rule, &reason);
	if (OK(r))
		return take(b, &rule, text);
	if (r.e == ERR_NOMEM)
		return r;
	refuse(b, text, reason);
	return DONE;
}

static RESULT read_hosts(struct filter_builder *b, struct filter_line *l)
{
	bool nowhere = line_goes_nowhere(l);
	struct span name;

	while (line_next_name(l, &name, &b->counts.skipped)) {
		if (nowhere)
			TRY(read_one(b, filter_rule_read_name, name));
		else
			refuse(b, name, "a hosts line blocks by 0.0.0.0, :: or a loopback address, and names are not sent elsewhere");
	}
	return DONE;
}

static RESULT read_line(struct filter_builder *b, struct span line)
{
	struct filter_line l;

	b->text = NULL;
	if (b->limits.line != 0 && line.n > b->limits.line)
		return over_limit(b, line, "a line over the limit");
	line_read(line, &l);
	b->line_text = l.text;
	switch (l.kind) {
	case LINE_NOTHING:
		break;
	case LINE_SKIPPED:
		b->counts.skipped++;
		break;
	case LINE_HOSTS:
		return read_hosts(b, &l);
	case LINE_RULE:
		return read_one(b, filter_rule_read, l.text);
	case LINE_REFUSED:
		refuse(b, l.text, l.reason);
		break;
	}
	return DONE;
}

static RESULT set_source(struct filter_builder *b, const char *source)
{
	if (b->source != NULL && strcmp(b->source, source) == 0)
		return DONE;
	b->source = arena_strdup(b->arena, source);
	return b->source != NULL ? DONE : FAIL(ERR_NOMEM);
}

RESULT filter_add_text(struct filter_builder *b, const char *source, struct span text)
{
	struct reader r;
	struct span line;

	TRY(set_source(b, source));
	if (text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0)
		text = span_of(text.p + 3, text.n - 3);
	r = reader_of(text);
	for (b->line = 1; lines_next(&r, &line); b->line++)
		TRY(read_line(b, line));
	return DONE;
}

RESULT filter_add_rule(struct filter_builder *b, const char *source, uint32_t line, struct span text)
{
	uint64_t refused = b->counts.refused;

	TRY(set_source(b, source));
	b->line = line;
	TRY(read_line(b, text));
	return b->counts.refused == refused ? DONE : FAIL(ERR_FORMAT);
}

/* --- building */

void filter_free(struct filter *f)
{
	if (f == NULL)
		return;
	mem_free(MOVE(f->rule));
	mem_free(MOVE(f->slot));
	mem_free(MOVE(f->tried[0].rule));
	mem_free(MOVE(f->tried[1].rule));
	arena_free(MOVE(f->arena));
	mem_free(f);
}

/* Marks what $badfilter takes back. */
static RESULT disable(struct filter_builder *b)
{
	size_t place;

	for (size_t i = 0; i < b->off.n && b->seen_cap > 0; i++) {
		TRY(form_of(&b->off.rule[i], b->form));
		TRY(find(b, b->off.id[i], &place));
		if (b->seen[place] != 0)
			b->rules.rule[b->seen[place] - 1].badfilter = true;
	}
	return DONE;
}

/* Counts anew what is left. */
static void drop_disabled(struct filter_builder *b)
{
	struct kept *k = &b->rules;
	size_t left = 0;

	b->counts.rules = b->counts.exceptions = b->counts.patterns = b->counts.conditions = 0;
	for (size_t i = 0; i < k->n; i++) {
		if (k->rule[i].badfilter)
			continue;
		k->rule[left++] = k->rule[i];
		count(b, &k->rule[i]);
	}
	b->counts.disabled = k->n - left;
	k->n = left;
}

static RESULT make_tables(struct filter *f)
{
	f->slots = 16;
	while (f->slots < f->rules)
		f->slots *= 2;
	f->slot = (uint32_t *)mem_alloc_array(f->slots, sizeof *f->slot);
	f->tried[0].rule = (uint32_t *)mem_alloc_array(f->counts.patterns, sizeof *f->tried[0].rule);
	f->tried[1].rule = (uint32_t *)mem_alloc_array(f->counts.patterns, sizeof *f->tried[1].rule);
	if (f->slot == NULL || f->tried[0].rule == NULL || f->tried[1].rule == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t i = 0; i < f->slots; i++)
		f->slot[i] = NO_RULE;
	return DONE;
}

/* From the last to the first, so that chains go from the first to the last. */
static void enter_named(struct filter *f)
{
	for (size_t i = f->rules; i-- > 0;) {
		struct filter_rule *r = &f->rule[i];
		uint32_t *slot;

		if (is_tried(r))
			continue;
		slot = &f->slot[name_hash(&f->key, r->name) & (f->slots - 1)];
		r->next = *slot;
		*slot = (uint32_t)i;
		f->labels[r->name.labels / 64] |= 1ull << r->name.labels % 64;
		f->named_conditions |= filter_rule_asks_address(r);
	}
}

static void enter_tried(struct filter *f)
{
	for (size_t i = 0; i < f->rules; i++) {
		const struct filter_rule *r = &f->rule[i];
		struct filter_tried *t = &f->tried[filter_rule_asks_address(r)];

		f->wants_routes |= r->only != NULL && only_asks_route(r->only);
		if (is_tried(r))
			t->rule[t->n++] = (uint32_t)i;
	}
}

RESULT filter_build(struct filter_builder *builder, struct filter **ret_filter)
{
	AUTO(filter_builder_free) struct filter_builder *b = builder;
	AUTO(filter_free) struct filter *f = (struct filter *)mem_alloc(sizeof *f);

	if (f == NULL)
		return FAIL(ERR_NOMEM);
	TRY(disable(b));
	drop_disabled(b);
	f->arena = MOVE(b->arena);
	f->rule = MOVE(b->rules.rule);
	f->rules = b->rules.n;
	f->counts = b->counts;
	f->key = b->key;
	TRY(make_tables(f));
	enter_named(f);
	enter_tried(f);
	*ret_filter = MOVE(f);
	return DONE;
}

const struct filter_counts *filter_count(const struct filter *f)
{
	return &f->counts;
}

size_t filter_octets(const struct filter *f)
{
	return sizeof *f + arena_used(f->arena) + f->rules * sizeof *f->rule + (f->slots + 2 * f->counts.patterns) * sizeof *f->slot;
}
