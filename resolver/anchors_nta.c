#include "resolver/anchors_nta.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/strbuf.h"

void negatives_done(struct negatives *n)
{
	mem_free(MOVE(n->list));
	n->n = 0;
}

struct negative *negatives_find(struct negatives *n, struct name name)
{
	for (size_t i = 0; i < n->n; i++) {
		if (name_equal(name_of(&n->list[i].name), name))
			return &n->list[i];
	}
	return NULL;
}

RESULT negatives_set(struct negatives *n, struct name name, uint32_t lifetime, bool force, int64_t wall, uint32_t recheck_sec)
{
	struct negative *e = negatives_find(n, name);
	void *list = n->list;

	if (lifetime == 0 || lifetime > NTA_LIFETIME_MAX)
		return FAIL(ERR_RANGE);
	if (e == NULL && n->n >= NTA_MAX)
		return FAIL(ERR_LIMIT);
	if (e == NULL) {
		TRY(mem_resize(&list, n->n, n->n + 1, sizeof *n->list));
		n->list = list;
		e = &n->list[n->n++];
		name_copy(&e->name, name);
		name_lower(&e->name);
	}
	e->until = wall + lifetime;
	e->force = force;
	e->recheck = force || recheck_sec == 0 ? 0 : wall + recheck_sec;
	return DONE;
}

bool negatives_remove(struct negatives *n, struct name name)
{
	struct negative *e = negatives_find(n, name);
	size_t i;

	if (e == NULL)
		return false;
	i = (size_t)(e - n->list);
	n->n--;
	memmove(n->list + i, n->list + i + 1, (n->n - i) * sizeof *n->list);
	return true;
}

bool negatives_ended(const struct negatives *n, int64_t wall, struct name_buf *ret)
{
	for (size_t i = 0; i < n->n; i++) {
		if (n->list[i].until <= wall) {
			*ret = n->list[i].name;
			return true;
		}
	}
	return false;
}

RESULT negatives_make(const struct negatives *n, const struct name *but, int64_t wall, struct ntas **ret)
{
	AUTO(ntas_free) struct ntas *made = ntas_new(NTA_MAX);

	if (made == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t i = 0; i < n->n; i++) {
		const struct negative *e = &n->list[i];
		int64_t left = e->until - wall;

		if (left <= 0 || (but != NULL && name_equal(*but, name_of(&e->name))))
			continue;
		/* a clock that was set back: no anchor outlives a week */
		TRY(ntas_set(made, name_of(&e->name), left > NTA_LIFETIME_MAX ? NTA_LIFETIME_MAX : (uint32_t)left, wall));
	}
	*ret = MOVE(made);
	return DONE;
}

/* --- the file */

/* Decimal digits, up to 2^40. false: something else. */
static bool read_time(struct span s, int64_t *ret)
{
	int64_t v = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9' || v >= INT64_C(1) << 40)
			return false;
		v = v * 10 + (s.p[i] - '0');
	}
	*ret = v;
	return s.n > 0;
}

static struct span word_of(struct span *line)
{
	size_t n = 0;
	struct span word;

	while (line->n > 0 && *line->p == ' ')
		*line = span_of(line->p + 1, line->n - 1);
	while (n < line->n && line->p[n] != ' ')
		n++;
	word = span_of(line->p, n);
	*line = span_of(line->p + n, line->n - n);
	return word;
}

/* ERR_FORMAT: it is damaged. */
static RESULT read_line(struct negatives *n, struct span line, int64_t wall, uint32_t recheck_sec)
{
	struct span name_word = word_of(&line), until_word = word_of(&line), how = word_of(&line);
	bool force = span_equal(how, span_text("force"));
	struct name_buf name;
	int64_t until;

	if (name_word.n == 0 || !OK(name_from_text_n((const char *)name_word.p, name_word.n, NULL, &name)) || !read_time(until_word, &until) || line.n > 0 ||
	    (!force && !span_equal(how, span_text("recheck"))))
		return FAIL(ERR_FORMAT);
	if (until <= wall)
		return DONE;
	if (until > wall + NTA_LIFETIME_MAX)
		until = wall + NTA_LIFETIME_MAX;
	return negatives_set(n, name_of(&name), (uint32_t)(until - wall), force, wall, recheck_sec);
}

RESULT negatives_read(struct negatives *n, const char *where, struct span text, int64_t wall, uint32_t recheck_sec, struct strbuf *report)
{
	unsigned int number = 0;

	for (size_t at = 0; at < text.n;) {
		const uint8_t *end = memchr(text.p + at, '\n', text.n - at);
		struct span line = span_of(text.p + at, end != NULL ? (size_t)(end - text.p) - at : text.n - at);
		struct result r = DONE;

		number++;
		at += line.n + 1;
		if (line.n > 0 && line.p[0] != ';')
			r = read_line(n, line, wall, recheck_sec);
		if (r.e == ERR_NOMEM)
			return r;
		if (!OK(r))
			strbuf_printf(report, "%s:%u: found a line that is no negative trust anchor; it is left out\n", where, number);
	}
	return DONE;
}

void negatives_write(const struct negatives *n, struct strbuf *out)
{
	char name[NAME_TEXT], iso[32];

	strbuf_puts(out, "; negative trust anchors (RFC 7646): name, end in seconds since 1970, and whether it ends when the zone validates again\n");
	for (size_t i = 0; i < n->n; i++)
		strbuf_printf(out, "; until %s\n%s %lld %s\n", clock_iso(n->list[i].until, iso), name_to_text(name_of(&n->list[i].name), name),
		    (long long)n->list[i].until, n->list[i].force ? "force" : "recheck");
}
