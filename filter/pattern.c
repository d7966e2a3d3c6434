#include "filter/pattern.h"

/* What stands for an octet that no pattern can name. */
#define OTHER 1u

static uint8_t seen_as(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return (uint8_t)(c - 'A' + 'a');
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ? c : OTHER;
}

void pattern_text_of(struct name n, struct pattern_text *ret)
{
	ret->n = 0;
	for (unsigned int i = 0; i < n.labels; i++) {
		struct span label = name_label(n, i);

		if (i > 0)
			ret->b[ret->n++] = '.';
		for (size_t k = 0; k < label.n; k++)
			ret->b[ret->n++] = seen_as(label.p[k]);
	}
}

/* What is up to the next "*" of the core, and leaves that out of the rest. */
static struct span next_part(struct reader *core)
{
	struct span rest = span_of(core->base + core->pos, reader_left(core));
	const uint8_t *star = rest.n > 0 ? (const uint8_t *)memchr(rest.p, '*', rest.n) : NULL;

	if (star == NULL)
		return read_rest(core);
	rest = read_span(core, (size_t)(star - rest.p));
	read_skip(core, 1);
	return rest;
}

static bool at(const struct pattern_text *t, size_t where, struct span part)
{
	return where <= t->n && part.n <= t->n - where && span_equal(span_of(t->b + where, part.n), part);
}

static bool starts_label(const struct pattern_text *t, size_t where)
{
	return where == 0 || t->b[where - 1] == '.';
}

/* The first place from `from` on where the part is; false: nowhere. */
static bool find(const struct pattern_text *t, size_t from, struct span part, bool at_label, size_t *ret_where)
{
	const uint8_t *found;

	while (part.p != NULL && from < t->n && (found = (const uint8_t *)memmem(t->b + from, t->n - from, part.p, part.n)) != NULL) {
		*ret_where = (size_t)(found - t->b);
		if (!at_label || starts_label(t, *ret_where))
			return true;
		from = *ret_where + 1;
	}
	return false;
}

static bool find_first(const struct pattern *p, const struct pattern_text *t, struct span part, size_t *ret_where)
{
	if (p->start != PATTERN_FIRST)
		return find(t, 0, part, p->start == PATTERN_LABEL, ret_where);
	*ret_where = 0;
	return at(t, 0, part);
}

/* The whole pattern is one part that ends where the name does. */
static bool holds_at_end(const struct pattern *p, const struct pattern_text *t)
{
	size_t where;

	if (p->core.n > t->n)
		return false;
	where = t->n - p->core.n;
	if (!at(t, where, p->core))
		return false;
	return p->start == PATTERN_ANYWHERE || where == 0 || (p->start == PATTERN_LABEL && starts_label(t, where));
}

/* Parts are taken where they come first: that leaves the most room to those behind them. */
bool pattern_holds(const struct pattern *p, const struct pattern_text *t)
{
	struct reader core = reader_of(p->core);
	struct span part = next_part(&core);
	size_t where;

	if (reader_end(&core) && p->end)
		return holds_at_end(p, t);
	if (!find_first(p, t, part, &where))
		return false;
	while (!reader_end(&core)) {
		size_t from = where + part.n;

		part = next_part(&core);
		if (reader_end(&core) && p->end)
			return part.n <= t->n && t->n - part.n >= from && at(t, t->n - part.n, part);
		if (!find(t, from, part, false, &where))
			return false;
	}
	return true;
}
