#include "filter/rule.h"

#include "base/arena.h"
#include "base/strbuf.h"

/* A pattern with fewer octets that it can name, and not anchored, holds for so many names that nobody means it. */
#define LEAST_OCTETS 3

static RESULT refuse(const char **ret_reason, const char *why)
{
	*ret_reason = why;
	return FAIL(ERR_FORMAT);
}

static bool starts_with(struct span s, const char *what)
{
	size_t n = strlen(what);

	return s.n >= n && memcmp(s.p, what, n) == 0;
}

static struct span without_first(struct span s, size_t n)
{
	return span_of(s.p + n, s.n - n);
}

static bool ends_with(struct span s, uint8_t c)
{
	return s.n > 0 && s.p[s.n - 1] == c;
}

static bool has(struct span s, int c)
{
	return s.n > 0 && memchr(s.p, c, s.n) != NULL;
}

/* --- modifiers */

struct modifiers {
	struct filter_only only;
	bool important;
	bool badfilter;
	bool others; /* more than badfilter */
};

static RESULT read_modifier(struct modifiers *m, struct span one, struct arena *a, const char **ret_reason)
{
	const uint8_t *equals = one.n > 0 ? (const uint8_t *)memchr(one.p, '=', one.n) : NULL;
	struct span name = equals == NULL ? one : span_of(one.p, (size_t)(equals - one.p));
	struct span value = equals == NULL ? span_of(NULL, 0) : without_first(one, name.n + 1);
	bool *flag = span_equal(one, span_text("important")) ? &m->important : span_equal(one, span_text("badfilter")) ? &m->badfilter : NULL;
	struct result r;

	m->others |= flag != &m->badfilter;
	if (flag != NULL && *flag)
		return refuse(ret_reason, "a modifier is said twice");
	if (flag != NULL) {
		*flag = true;
		return DONE;
	}
	r = only_read(&m->only, name, value, a, ret_reason);
	return r.e == ERR_NOTFOUND ? refuse(ret_reason, "a modifier that is not known: the rule is dropped whole") : r;
}

static RESULT read_modifiers(struct modifiers *m, struct span text, struct arena *a, const char **ret_reason)
{
	while (true) {
		const uint8_t *comma = text.n > 0 ? (const uint8_t *)memchr(text.p, ',', text.n) : NULL;
		struct span one = comma == NULL ? text : span_of(text.p, (size_t)(comma - text.p));

		if (one.n == 0)
			return refuse(ret_reason, "a modifier is missing");
		TRY(read_modifier(m, one, a, ret_reason));
		if (comma == NULL)
			return DONE;
		text = without_first(text, one.n + 1);
	}
}

/* --- patterns */

struct body {
	struct span core;
	enum pattern_start start;
	bool end;
	bool star_before; /* there was "*" before the core, behind it, anything but the core at all */
	bool star_behind;
	bool bare;
	bool missing;     /* nothing between anchors */
};

static void take_ends(struct body *b)
{
	b->bare = b->core.n > 0;
	if (starts_with(b->core, "||"))
		b->start = PATTERN_LABEL;
	else if (starts_with(b->core, "|"))
		b->start = PATTERN_FIRST;
	b->core = without_first(b->core, b->start == PATTERN_LABEL ? 2 : b->start == PATTERN_FIRST ? 1 : 0);
	while (ends_with(b->core, '|') || ends_with(b->core, '^')) {
		b->end = true;
		b->core.n--;
	}
	b->missing = b->core.n == 0 && (b->start != PATTERN_ANYWHERE || b->end);
	b->bare &= b->start == PATTERN_ANYWHERE && !b->end;
}

/* "*" at an end takes the anchor there away. */
static void take_stars(struct body *b)
{
	while (starts_with(b->core, "*")) {
		b->star_before = true;
		b->start = PATTERN_ANYWHERE;
		b->core = without_first(b->core, 1);
	}
	if (b->end && ends_with(b->core, '.') && b->core.n > 1)
		b->core.n--; /* the final dot of a name */
	while (ends_with(b->core, '*')) {
		b->star_behind = true;
		b->end = false;
		b->core.n--;
	}
	b->bare &= !b->star_before && !b->star_behind;
}

static const char *odd_octet(uint8_t c) BORROWED;
static const char *odd_octet(uint8_t c)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '*')
		return NULL;
	switch (c) {
	case '/':
	case ':':
		return "a URL, or something else that is no name";
	case '|':
	case '^':
		return "\"^\" and \"|\" are at the ends of a pattern only";
	default:
		return c < 128 ? "an octet that no name of a rule has" : "not ASCII: names are written in their xn-- form";
	}
}

/* What is between dots: no label is longer than 63, none is empty but for a dot at an end that is not anchored. */
static RESULT check_core(const struct body *b, const char **ret_reason)
{
	size_t run = 0;

	for (size_t i = 0; i < b->core.n; i++) {
		const char *odd = odd_octet(b->core.p[i]);

		if (odd != NULL)
			return refuse(ret_reason, odd);
		if (b->core.p[i] == '.' && run == 0 && (i > 0 ? b->core.p[i - 1] == '.' : b->start != PATTERN_ANYWHERE))
			return refuse(ret_reason, "a label without octets");
		run = b->core.p[i] == '.' || b->core.p[i] == '*' ? 0 : run + 1;
		if (run > 63)
			return refuse(ret_reason, "a label over 63 octets");
	}
	if (b->end && ends_with(b->core, '.'))
		return refuse(ret_reason, "a label without octets");
	return b->core.n > NAME_MAX_OCTETS ? refuse(ret_reason, "a name over 255 octets") : DONE;
}

static bool has_letters(const struct body *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->core.n; i++)
		n += b->core.p[i] != '.' && b->core.p[i] != '*';
	return n >= LEAST_OCTETS;
}

static RESULT set_name(struct filter_rule *r, enum rule_kind kind, struct span text, struct arena *a, const char **ret_reason)
{
	struct name_buf nb;

	*ret_reason = "a name over 255 octets";
	if (!OK(name_from_text_n((const char *)text.p, text.n, NULL, &nb)))
		return FAIL(ERR_FORMAT);
	name_lower(&nb);
	r->kind = kind;
	r->name = name_dup_in(a, name_of(&nb));
	return r->name.wire != NULL ? DONE : FAIL(ERR_NOMEM);
}

static RESULT set_pattern(struct filter_rule *r, const struct body *b, struct arena *a)
{
	uint8_t *core = (uint8_t *)arena_dup(a, b->core.p, b->core.n);
	size_t n = 0;

	if (core == NULL)
		return FAIL(ERR_NOMEM);
	octets_lower(core, core, b->core.n);
	for (size_t i = 0; i < b->core.n; i++)
		if (core[i] != '*' || core[n - 1] != '*') /* it starts with none */
			core[n++] = core[i];
	r->kind = RULE_PATTERN;
	r->pattern = (struct pattern){ span_of(core, n), b->start, b->end };
	return DONE;
}

/* ||192.0.2.1^: lists have such lines. false: no address. */
static bool read_address(struct span core, struct addr *ret)
{
	char text[ADDR_TEXT];

	if (core.n == 0 || core.n >= sizeof text || has(core, '%'))
		return false;
	memcpy(text, core.p, core.n);
	text[core.n] = '\0';
	return OK(addr_parse(text, ret)) && addr_octets(ret) > 0;
}

static RESULT set_address(struct filter_rule *r, const struct body *b, struct modifiers *m, const struct addr *address, struct arena *a, const char **ret_reason)
{
	if (b->start == PATTERN_ANYWHERE || !b->end)
		return refuse(ret_reason, "an address: write ||ADDRESS^");
	if (m->only.nets > 0)
		return refuse(ret_reason, "an address, and $address");
	r->kind = RULE_ANY;
	return only_address(&m->only, address, a);
}

/* A dot that is not at the end. */
static bool has_dot(struct span s)
{
	return has(span_of(s.p, s.n - 1), '.');
}

static RESULT set_body(struct filter_rule *r, struct body *b, struct modifiers *m, struct arena *a, const char **ret_reason)
{
	struct addr address;
	bool plain, dotted;

	take_ends(b);
	if (b->missing)
		return refuse(ret_reason, "a name is missing");
	if (read_address(b->core, &address))
		return set_address(r, b, m, &address, a, ret_reason);
	take_stars(b);
	if (b->core.n == 0) {
		r->kind = RULE_ANY;
		return only_is_empty(&m->only) ? refuse(ret_reason, "it holds for each name: it needs a condition") : DONE;
	}
	TRY(check_core(b, ret_reason));
	plain = !has(b->core, '*');
	dotted = starts_with(b->core, ".") && b->core.n > 1 && b->core.p[1] != '.';
	if (plain && b->end && b->start == PATTERN_LABEL)
		return set_name(r, RULE_SUBTREE, b->core, a, ret_reason);
	if (plain && b->end && b->start == PATTERN_FIRST)
		return set_name(r, RULE_NAME, b->core, a, ret_reason);
	if (plain && b->end && dotted)
		return set_name(r, RULE_BELOW, without_first(b->core, 1), a, ret_reason);
	if (plain && b->star_before && !b->star_behind && dotted)
		return set_name(r, RULE_SUBTREE, without_first(b->core, 1), a, ret_reason);
	if (plain && b->bare && !r->exception && !m->others && !starts_with(b->core, ".") && has_dot(b->core))
		return set_name(r, RULE_NAME, b->core, a, ret_reason);
	if (b->start == PATTERN_ANYWHERE && only_is_empty(&m->only) && !has_letters(b))
		return refuse(ret_reason, "too short: it holds for too many names");
	return set_pattern(r, b, a);
}

RESULT filter_rule_read(struct span text, struct arena *a, struct filter_rule *ret_rule, const char **ret_reason)
{
	struct filter_rule r = { .kind = RULE_ANY };
	struct modifiers m = { .important = false };
	struct body b = { .start = PATTERN_ANYWHERE };
	const uint8_t *dollar;

	r.exception = starts_with(text, "@@");
	if (r.exception)
		text = without_first(text, 2);
	if (text.n == 0)
		return refuse(ret_reason, "a name is missing");
	if (text.p[0] == '/')
		return refuse(ret_reason, "regular expressions are not read: \"*\" is any run of octets, and \"||\" the start of a label");
	dollar = (const uint8_t *)memchr(text.p, '$', text.n);
	b.core = dollar == NULL ? text : span_of(text.p, (size_t)(dollar - text.p));
	if (dollar != NULL)
		TRY(read_modifiers(&m, without_first(text, b.core.n + 1), a, ret_reason));
	TRY(set_body(&r, &b, &m, a, ret_reason));
	r.important = m.important;
	r.badfilter = m.badfilter;
	if (!only_is_empty(&m.only)) {
		r.only = (struct filter_only *)arena_dup(a, &m.only, sizeof m.only);
		if (r.only == NULL)
			return FAIL(ERR_NOMEM);
	}
	*ret_rule = r;
	return DONE;
}

RESULT filter_rule_read_name(struct span text, struct arena *a, struct filter_rule *ret_rule, const char **ret_reason)
{
	struct body b = { .core = text, .start = PATTERN_FIRST, .end = true };
	struct filter_rule r = { .kind = RULE_NAME };

	if (ends_with(b.core, '.') && b.core.n > 1)
		b.core.n--;
	if (has(b.core, '*'))
		return refuse(ret_reason, "\"*\" in a name of a hosts file");
	TRY(check_core(&b, ret_reason));
	if (b.core.n == 0 || !has(b.core, '.'))
		return refuse(ret_reason, "a name without a dot: write ||NAME^");
	TRY(set_name(&r, RULE_NAME, b.core, a, ret_reason));
	*ret_rule = r;
	return DONE;
}

/* --- printing */

static void print_name(struct name n, struct strbuf *out)
{
	char text[NAME_TEXT];

	strbuf_puts(out, name_to_text(n, text));
	strbuf_cut(out, strbuf_len(out) - 1); /* the final dot */
}

static void print_body(const struct filter_rule *r, struct strbuf *out)
{
	static const char *const before[] = { [PATTERN_ANYWHERE] = "*", [PATTERN_LABEL] = "||", [PATTERN_FIRST] = "|" };

	switch (r->kind) {
	case RULE_NAME:
	case RULE_SUBTREE:
	case RULE_BELOW:
		strbuf_puts(out, r->kind == RULE_NAME ? "|" : r->kind == RULE_SUBTREE ? "||" : ".");
		print_name(r->name, out);
		strbuf_putc(out, '^');
		return;
	case RULE_PATTERN:
		strbuf_puts(out, before[r->pattern.start]);
		strbuf_add_span(out, r->pattern.core);
		strbuf_putc(out, r->pattern.end ? '^' : '*');
		return;
	case RULE_ANY:
		strbuf_putc(out, '*');
		return;
	}
}

void filter_rule_print(const struct filter_rule *r, struct strbuf *out)
{
	if (r->exception)
		strbuf_puts(out, "@@");
	print_body(r, out);
	if (r->important)
		strbuf_puts(out, "$important");
	if (r->only == NULL)
		return;
	strbuf_putc(out, r->important ? ',' : '$');
	only_print(r->only, out);
}

/* --- keeping */

RESULT filter_rule_copy(const struct filter_rule *r, struct arena *a, struct filter_rule *ret_rule)
{
	struct filter_rule c = *r;

	if (r->kind != RULE_PATTERN && r->kind != RULE_ANY) {
		c.name = name_dup_in(a, r->name);
		if (c.name.wire == NULL)
			return FAIL(ERR_NOMEM);
	}
	if (r->kind == RULE_PATTERN) {
		c.pattern.core.p = (const uint8_t *)arena_dup(a, r->pattern.core.p, r->pattern.core.n);
		if (c.pattern.core.p == NULL)
			return FAIL(ERR_NOMEM);
	}
	if (r->only != NULL) {
		c.only = only_copy(r->only, a);
		if (c.only == NULL)
			return FAIL(ERR_NOMEM);
	}
	*ret_rule = c;
	return DONE;
}

bool filter_rule_asks_address(const struct filter_rule *r)
{
	return r->only != NULL && only_asks_address(r->only);
}
