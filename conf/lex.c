#include "conf/lex.h"

#include <string.h>

struct lex lex_of(struct span text)
{
	struct lex l = { text, 0, 1 };

	if (text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0)
		l.pos = 3;
	return l;
}

void lex_back(struct lex *l, const struct lex_token *t)
{
	l->pos = t->start;
	l->line = t->line;
}

static bool at_end(const struct lex *l)
{
	return l->pos >= l->text.n;
}

/* The octet at pos; a NUL at the end, where at_end() says which it is. */
static uint8_t here(const struct lex *l)
{
	return at_end(l) ? 0 : l->text.p[l->pos];
}

static bool is_line_end(uint8_t c)
{
	return c == '\n' || c == '\r';
}

static void skip_line_end(struct lex *l)
{
	if (here(l) == '\r' && l->pos + 1 < l->text.n && l->text.p[l->pos + 1] == '\n')
		l->pos++;
	l->pos++;
	l->line++;
}

/* Blanks, line ends and comments. True when a line ended. */
static bool skip_space(struct lex *l)
{
	bool new_line = l->pos == 0;

	while (!at_end(l)) {
		uint8_t c = here(l);

		if (is_line_end(c)) {
			skip_line_end(l);
			new_line = true;
		} else if (c == ' ' || c == '\t') {
			l->pos++;
		} else if (c == '#') {
			while (!at_end(l) && !is_line_end(here(l)))
				l->pos++;
		} else {
			break;
		}
	}
	return new_line;
}

static struct lex_token token_at(struct lex *l)
{
	bool new_line = skip_space(l);

	return (struct lex_token){ .kind = LEX_END, .line = l->line, .new_line = new_line, .start = l->pos };
}

static struct lex_token finish(const struct lex *l, struct lex_token t, enum lex_kind kind)
{
	t.kind = kind;
	t.text = span_of(l->text.p + t.start, l->pos - t.start);
	return t;
}

/* Moves over a backslash with the character behind it. False at a backslash that ends the line or the text. */
static bool skip_escape(struct lex *l)
{
	if (l->pos + 1 >= l->text.n || l->text.p[l->pos + 1] == '\n')
		return false;
	l->pos += 2;
	return true;
}

/* Moves over the characters of a word without quotes; a colon ends it when asked. */
static void skip_word(struct lex *l, bool colon_ends)
{
	while (!at_end(l)) {
		uint8_t c = here(l);

		if (c == '\\') {
			if (!skip_escape(l))
				return;
			continue;
		}
		if (c == ' ' || c == '\t' || c == '"' || c == '\'' || is_line_end(c) || (colon_ends && c == ':'))
			return;
		l->pos++;
	}
}

struct lex_token lex_keyword(struct lex *l)
{
	struct lex_token t = token_at(l);

	if (at_end(l))
		return t;
	skip_word(l, true);
	if (l->pos == t.start) {
		l->pos++;
		return finish(l, t, LEX_STRAY);
	}
	t = finish(l, t, LEX_WORD);
	if (here(l) == ':' && !at_end(l)) {
		l->pos++;
		t.kind = LEX_KEYWORD;
	}
	return t;
}

static struct lex_token quoted(struct lex *l, struct lex_token t)
{
	uint8_t quote = here(l);
	enum lex_kind kind = LEX_UNFINISHED;

	l->pos++;
	t.quoted = true;
	while (!at_end(l) && !is_line_end(here(l))) {
		if (here(l) == quote) {
			kind = LEX_WORD;
			break;
		}
		if (here(l) != '\\')
			l->pos++;
		else if (!skip_escape(l))
			break;
	}
	t = finish(l, t, kind);
	t.text = span_of(t.text.p + 1, t.text.n - 1);
	if (kind == LEX_WORD)
		l->pos++;
	return t;
}

struct lex_token lex_value(struct lex *l)
{
	struct lex_token t = token_at(l);

	if (at_end(l))
		return t;
	if (here(l) == '"' || here(l) == '\'')
		return quoted(l, t);
	skip_word(l, false);
	if (l->pos == t.start) {
		l->pos++;
		return finish(l, t, LEX_STRAY);
	}
	return finish(l, t, LEX_WORD);
}
