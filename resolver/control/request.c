#include "resolver/control/request.h"

#include "base/mem.h"

#define MAGIC "UBCT1"

void request_words_done(struct request_words *w)
{
	mem_free(MOVE(w->text));
	mem_free(MOVE(w->whole));
	w->count = 0;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

/* Cuts at runs of blanks; text is changed, whole is what `rest` points into. */
static void cut(struct request_words *w)
{
	char *p = w->text;

	while (w->count < REQUEST_WORDS) {
		while (is_space(*p))
			p++;
		if (*p == '\0')
			return;
		w->word[w->count] = p;
		w->rest[w->count] = w->whole + (p - w->text);
		w->count++;
		if (w->count == REQUEST_WORDS)
			return;
		while (*p != '\0' && !is_space(*p))
			p++;
		if (*p != '\0')
			*p++ = '\0';
	}
}

RESULT request_words_read(struct span line, struct request_words *ret, const char **ret_problem)
{
	struct request_words w = { .text = NULL };
	size_t skip = sizeof MAGIC - 1;

	*ret_problem = "a line that begins with " MAGIC " and a blank, without NUL octets";
	if (line.n <= skip || memcmp(line.p, MAGIC, skip) != 0 || !is_space((char)line.p[skip]) || memchr(line.p, 0, line.n) != NULL)
		return FAIL(ERR_FORMAT);
	w.whole = mem_strndup((const char *)line.p + skip, line.n - skip);
	w.text = w.whole == NULL ? NULL : mem_strdup(w.whole);
	if (w.text == NULL) {
		request_words_done(&w);
		return FAIL(ERR_NOMEM);
	}
	cut(&w);
	if (w.count > 0 && strcmp(w.word[0], "--json") == 0) {
		w.json = true;
		memmove(w.word, w.word + 1, --w.count * sizeof w.word[0]);
		memmove(w.rest, w.rest + 1, w.count * sizeof w.rest[0]);
	}
	if (w.count == 0) {
		*ret_problem = "a verb";
		request_words_done(&w);
		return FAIL(ERR_FORMAT);
	}
	*ret = w;
	return DONE;
}

RESULT request_lines_init(struct request_lines *l)
{
	l->used = 0;
	l->have = strbuf_new(2 * REQUEST_LINE_MAX);
	return l->have != NULL ? DONE : FAIL(ERR_NOMEM);
}

void request_lines_done(struct request_lines *l)
{
	strbuf_free(MOVE(l->have));
}

RESULT request_lines_add(struct request_lines *l, struct span octets)
{
	strbuf_drop(l->have, l->used);
	l->used = 0;
	if (strbuf_len(l->have) + octets.n > REQUEST_LINE_MAX && (octets.n == 0 || memchr(octets.p, '\n', octets.n) == NULL))
		return FAIL(ERR_LIMIT);
	strbuf_add_span(l->have, octets);
	return strbuf_result(l->have);
}

bool request_lines_next(struct request_lines *l, struct span *ret_line)
{
	struct span all = strbuf_span(l->have), left = span_of(all.p + l->used, all.n - l->used);
	const uint8_t *end = left.n == 0 ? NULL : memchr(left.p, '\n', left.n);

	if (end == NULL)
		return false;
	l->used += (size_t)(end - left.p) + 1;
	*ret_line = span_of(left.p, (size_t)(end - left.p));
	if (ret_line->n > 0 && ret_line->p[ret_line->n - 1] == '\r')
		ret_line->n--;
	return true;
}
