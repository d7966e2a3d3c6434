#include "tests/unit/filter/naive.h"

#include <stdio.h>
#include <stdlib.h>

#include "dns/rrtype.h"

#define ROOM 2048
#define NAME_ROOM 256 /* a name as text without its final dot, and without escapes */

/* --- a form taken apart */

struct parts {
	bool exception, important, asks_address;
	char pattern[ROOM];
	char modifiers[ROOM]; /* "dnstype=A,route=valid" */
};

static void take_apart(const char *form, struct parts *p)
{
	const char *dollar = strchr(form, '$');

	p->exception = strncmp(form, "@@", 2) == 0;
	form += p->exception ? 2 : 0;
	(void)snprintf(p->pattern, sizeof p->pattern, "%.*s", (int)(dollar == NULL ? strlen(form) : (size_t)(dollar - form)), form);
	(void)snprintf(p->modifiers, sizeof p->modifiers, ",%s,", dollar == NULL ? "" : dollar + 1);
	p->important = strstr(p->modifiers, ",important,") != NULL;
	p->asks_address = strstr(p->modifiers, ",route=") != NULL || strstr(p->modifiers, ",asn=") != NULL || strstr(p->modifiers, ",address=") != NULL;
}

/* The value of a modifier; false: it is not there. */
static bool value_of(const struct parts *p, const char *name, char value[ROOM])
{
	char head[32];
	const char *at;

	(void)snprintf(head, sizeof head, ",%s=", name);
	at = strstr(p->modifiers, head);
	if (at == NULL)
		return false;
	at += strlen(head);
	(void)snprintf(value, ROOM, "%.*s", (int)strcspn(at, ","), at);
	return true;
}

/* --- names */

static void text_of(struct name n, char text[NAME_ROOM])
{
	size_t at = 0;

	for (unsigned int i = 0; i < n.labels; i++) {
		struct span label = name_label(n, i);

		if (i > 0)
			text[at++] = '.';
		for (size_t k = 0; k < label.n; k++) {
			int c = label.p[k] >= 'A' && label.p[k] <= 'Z' ? label.p[k] + 32 : label.p[k];

			text[at++] = c != '\0' && strchr("abcdefghijklmnopqrstuvwxyz0123456789-_", c) != NULL ? (char)c : '\1';
		}
	}
	text[at] = '\0';
}

/* All places where the pattern may have come to, after each of its octets. */
static bool pattern_matches(const char *pattern, const char *text)
{
	size_t n = strlen(text), length = strlen(pattern);
	bool here[NAME_ROOM] = { false }, label = strncmp(pattern, "||", 2) == 0, first = !label && pattern[0] == '|', end = length > 0 && pattern[length - 1] == '^';

	for (size_t i = 0; i <= n; i++)
		here[i] = label ? i == 0 || text[i - 1] == '.' : !first || i == 0;
	for (size_t k = label ? 2 : first ? 1 : 0; k < length - end; k++) {
		bool before = false;

		for (size_t i = n + 1; pattern[k] != '*' && i-- > 0;)
			here[i] = i > 0 && here[i - 1] && text[i - 1] == pattern[k];
		for (size_t i = 0; pattern[k] == '*' && i <= n; i++)
			before = here[i] = here[i] || before;
	}
	for (size_t i = 0; i <= n; i++)
		if (here[i] && (!end || i == n))
			return true;
	return false;
}

static bool is_under(const char *text, const char *top)
{
	size_t n = strlen(text), m = strlen(top);

	return n >= m && strcmp(text + n - m, top) == 0 && (n == m || text[n - m - 1] == '.');
}

/* --- lists: each item by itself */

typedef bool item_fn(const char *item, const void *what);

static bool list_holds(char *list, item_fn *fn, const void *what)
{
	bool asked = false, held = false;

	for (char *item = strtok(list, "|"); item != NULL; item = strtok(NULL, "|")) {
		bool negated = item[0] == '~', in = fn(item + negated, what);

		if (in && negated)
			return false;
		asked |= !negated;
		held |= in;
	}
	return held || !asked;
}

struct types {
	uint16_t type, as;
};
static bool is_type(const char *item, const void *what)
{
	const struct types *t = (const struct types *)what;
	char a[RRTYPE_TEXT], b[RRTYPE_TEXT];

	return strcmp(item, rrtype_text(t->type, a)) == 0 || strcmp(item, rrtype_text(t->as, b)) == 0;
}

static bool is_above(const char *item, const void *what)
{
	return is_under((const char *)what, item);
}

static bool is_state(const char *item, const void *what)
{
	return strcmp(item, filter_route_text(((const struct filter_address *)what)->state)) == 0;
}

static bool is_origin(const char *item, const void *what)
{
	uint32_t origin = ((const struct filter_address *)what)->origin;
	char *end;
	unsigned long first = strtoul(item, &end, 10), last = *end == '-' ? strtoul(end + 1, NULL, 10) : first;

	return origin >= first && origin <= last;
}

static bool is_around(const char *item, const void *what)
{
	struct prefix p;

	return OK(prefix_parse(item, &p)) && prefix_covers(&p, &((const struct filter_address *)what)->addr);
}

static bool holds_for_name(const struct parts *p, struct name n, uint16_t type, uint16_t as)
{
	struct types t = { type, as };
	char text[NAME_ROOM], value[ROOM];

	text_of(n, text);
	if (!pattern_matches(p->pattern, text))
		return false;
	if (value_of(p, "dnstype", value) && !list_holds(value, is_type, &t))
		return false;
	return !value_of(p, "denyallow", value) || !list_holds(value, is_above, text);
}

static bool holds_for_address(const struct parts *p, const struct filter_address *a)
{
	char value[ROOM];

	if (value_of(p, "route", value) && !list_holds(value, is_state, a))
		return false;
	if (value_of(p, "asn", value) && (a->origin == 0 || !list_holds(value, is_origin, a)))
		return false;
	return !value_of(p, "address", value) || list_holds(value, is_around, a);
}

/* --- verdicts */

struct case_ {
	const struct parts *rule;
	size_t n;
	const struct name *names;
	size_t name_count;
	uint16_t type;
};

static bool holds(const struct case_ *c, size_t rule, size_t name)
{
	return holds_for_name(&c->rule[rule], c->names[name], c->type, name == 0 ? c->type : RR_CNAME);
}

/* It holds for some name and this address. */
static bool holds_at(const struct case_ *c, size_t rule, const struct filter_address *a)
{
	for (size_t i = 0; i < c->name_count; i++)
		if (holds(c, rule, i))
			return holds_for_address(&c->rule[rule], a);
	return false;
}

static int class_of(const struct parts *p)
{
	return p->important ? 2 : 1;
}

/* A block that is stronger than the one before: the first of the highest class. */
static bool is_stronger(const struct case_ *c, size_t rule, size_t best)
{
	return best == SIZE_MAX || class_of(&c->rule[rule]) > class_of(&c->rule[best]);
}

static size_t block_of_name(const struct case_ *c, size_t name, int level)
{
	size_t best = SIZE_MAX;

	for (size_t r = 0; r < c->n; r++) {
		const struct parts *p = &c->rule[r];

		if (!p->exception && !p->asks_address && class_of(p) > level && holds(c, r, name) && is_stronger(c, r, best))
			best = r;
	}
	return best;
}

static int exceptions_of_name(const struct case_ *c, size_t name, int level)
{
	for (size_t r = 0; r < c->n; r++) {
		const struct parts *p = &c->rule[r];

		if (p->exception && !p->asks_address && class_of(p) > level && holds(c, r, name))
			level = class_of(p);
	}
	return level;
}

static int exceptions_of_address(const struct case_ *c, const struct filter_address *a, int level)
{
	for (size_t r = 0; r < c->n; r++) {
		const struct parts *p = &c->rule[r];

		if (p->exception && p->asks_address && class_of(p) > level && holds_at(c, r, a))
			level = class_of(p);
	}
	return level;
}

static size_t block_of_addresses(const struct case_ *c, const struct filter_address *addresses, const int *levels, size_t count)
{
	size_t best = SIZE_MAX;

	for (size_t r = 0; r < c->n; r++) {
		const struct parts *p = &c->rule[r];

		for (size_t i = 0; i < count; i++)
			if (!p->exception && p->asks_address && class_of(p) > levels[i] && holds_at(c, r, &addresses[i]) && is_stronger(c, r, best))
				best = r;
	}
	return best;
}

static enum filter_verdict judge(const struct case_ *c, const struct filter_address *addresses, size_t count, int *levels, size_t *ret_rule)
{
	int level = 0;
	bool allowed;

	for (size_t i = 0; i < c->name_count; i++) {
		level = exceptions_of_name(c, i, level);
		*ret_rule = block_of_name(c, i, level);
		if (*ret_rule != SIZE_MAX)
			return FILTER_BLOCKED;
	}
	allowed = level > 0;
	for (size_t i = 0; i < count; i++) {
		allowed |= exceptions_of_address(c, &addresses[i], 0) > 0;
		levels[i] = exceptions_of_address(c, &addresses[i], level);
	}
	*ret_rule = block_of_addresses(c, addresses, levels, count);
	return *ret_rule != SIZE_MAX ? FILTER_BLOCKED : allowed ? FILTER_ALLOWED : FILTER_PASS;
}

enum filter_verdict naive_answer(const char *const *forms, size_t n, const struct name *names, size_t name_count, uint16_t qtype, const struct filter_address *addresses,
    size_t address_count, size_t *ret_rule)
{
	struct parts *rule = calloc(n + 1, sizeof *rule);
	int *levels = calloc(address_count + 1, sizeof *levels);
	struct case_ c = { rule, n, names, name_count, qtype };
	enum filter_verdict v;

	if (rule == NULL || levels == NULL)
		abort();
	for (size_t i = 0; i < n; i++)
		take_apart(forms[i], &rule[i]);
	v = judge(&c, addresses, address_count, levels, ret_rule);
	free(rule);
	free(levels);
	return v;
}

enum filter_verdict naive_question(const char *const *forms, size_t n, struct name qname, uint16_t qtype, size_t *ret_rule)
{
	return naive_answer(forms, n, &qname, 1, qtype, NULL, 0, ret_rule);
}
