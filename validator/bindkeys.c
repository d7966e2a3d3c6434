#include "validator/bindkeys.h"

#include "base/strbuf.h"

enum token { TOKEN_END, TOKEN_OPEN, TOKEN_CLOSE, TOKEN_SEMICOLON, TOKEN_WORD, TOKEN_BAD };

struct lexer {
	struct span text;
	size_t at;
	unsigned int line;
	struct span word; /* of TOKEN_WORD, without quotes */
	const char *where BORROWED_FIELD;
	struct strbuf *report BORROWED_FIELD;
};

static struct result wrong(const struct lexer *l, const char *found, const char *expected)
{
	strbuf_printf(l->report, "%s:%u: found %s, expected %s\n", l->where, l->line, found, expected);
	return FAIL(ERR_FORMAT);
}

static bool looking_at(const struct lexer *l, const char *what)
{
	size_t n = strlen(what);

	return l->text.n - l->at >= n && memcmp(l->text.p + l->at, what, n) == 0;
}

static void next_octet(struct lexer *l)
{
	l->line += l->text.p[l->at] == '\n';
	l->at++;
}

static void skip_line(struct lexer *l)
{
	while (l->at < l->text.n && l->text.p[l->at] != '\n')
		l->at++;
}

/* Blanks and the three kinds of comment. false: a comment without its end. */
static bool skip_blanks(struct lexer *l)
{
	while (l->at < l->text.n) {
		uint8_t c = l->text.p[l->at];

		if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
			next_octet(l);
		} else if (c == '#' || looking_at(l, "//")) {
			skip_line(l);
		} else if (looking_at(l, "/*")) {
			l->at += 2;
			while (l->at < l->text.n && !looking_at(l, "*/"))
				next_octet(l);
			if (l->at >= l->text.n)
				return false;
			l->at += 2;
		} else {
			break;
		}
	}
	return true;
}

static enum token quoted(struct lexer *l)
{
	size_t from = ++l->at;

	while (l->at < l->text.n && l->text.p[l->at] != '"')
		next_octet(l);
	if (l->at >= l->text.n)
		return TOKEN_BAD;
	l->word = span_of(l->text.p + from, l->at - from);
	l->at++;
	return TOKEN_WORD;
}

static enum token next(struct lexer *l)
{
	size_t from;

	if (!skip_blanks(l))
		return TOKEN_BAD;
	if (l->at >= l->text.n)
		return TOKEN_END;
	switch (l->text.p[l->at]) {
	case '{':
		l->at++;
		return TOKEN_OPEN;
	case '}':
		l->at++;
		return TOKEN_CLOSE;
	case ';':
		l->at++;
		return TOKEN_SEMICOLON;
	case '"':
		return quoted(l);
	default:
		break;
	}
	from = l->at;
	while (l->at < l->text.n && memchr(" \t\r\n{};\"#", l->text.p[l->at], 9) == NULL)
		l->at++;
	l->word = span_of(l->text.p + from, l->at - from);
	return l->word.n > 0 ? TOKEN_WORD : TOKEN_BAD;
}

static bool word_is(const struct lexer *l, const char *what)
{
	return span_equal(l->word, span_text(what));
}

/* Blanks and ends of lines, of which a key may have many, become nothing; what could mean something in a zone file is refused. */
static bool add_word(struct strbuf *out, struct span word, bool is_name)
{
	strbuf_putc(out, is_name ? '\n' : ' ');
	for (size_t i = 0; i < word.n; i++) {
		uint8_t c = word.p[i];

		if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
			if (is_name)
				return false;
			continue;
		}
		if (c < ' ' || c > '~' || c == ';' || c == '(' || c == ')' || c == '"' || c == '$' || c == '@')
			return false;
		strbuf_putc(out, (char)c);
	}
	return word.n > 0;
}

static enum token word_or(struct lexer *l, struct strbuf *out, bool is_name)
{
	enum token t = next(l);

	return t != TOKEN_WORD || add_word(out, l->word, is_name) ? t : TOKEN_BAD;
}

/* "NAME [initial-key|static-key|initial-ds|static-ds] NUMBER NUMBER NUMBER DATA;", its name already read. */
static struct result entry(struct lexer *l, struct strbuf *out)
{
	enum token t = next(l);
	bool ds = t == TOKEN_WORD && (word_is(l, "initial-ds") || word_is(l, "static-ds"));

	if (ds || (t == TOKEN_WORD && (word_is(l, "initial-key") || word_is(l, "static-key"))))
		t = next(l);
	strbuf_puts(out, ds ? " IN DS" : " IN DNSKEY");
	if (t != TOKEN_WORD || !add_word(out, l->word, false))
		return wrong(l, "something else", "a number");
	for (unsigned int i = 0; i < 3; i++) {
		if (word_or(l, out, false) != TOKEN_WORD)
			return wrong(l, "an entry that is cut off", "three numbers and a key or digest");
	}
	return next(l) == TOKEN_SEMICOLON ? DONE : wrong(l, "something else", "\";\" at the end of the entry");
}

static struct result entries(struct lexer *l, struct strbuf *out)
{
	if (next(l) != TOKEN_OPEN)
		return wrong(l, "something else", "\"{\"");
	for (;;) {
		enum token t = next(l);

		if (t == TOKEN_CLOSE)
			break;
		if (t != TOKEN_WORD || !add_word(out, l->word, true))
			return wrong(l, "something else", "the name of a zone, or \"}\"");
		TRY(entry(l, out));
		TRY(strbuf_result(out));
	}
	return next(l) == TOKEN_SEMICOLON ? DONE : wrong(l, "something else", "\";\" behind \"}\"");
}

/* The rest of a clause that is none of ours. */
static struct result pass_over(struct lexer *l)
{
	unsigned int depth = 0;

	for (;;) {
		switch (next(l)) {
		case TOKEN_OPEN:
			depth++;
			break;
		case TOKEN_CLOSE:
			if (depth == 0)
				return wrong(l, "\"}\"", "a clause");
			depth--;
			break;
		case TOKEN_SEMICOLON:
			if (depth == 0)
				return DONE;
			break;
		case TOKEN_WORD:
			break;
		case TOKEN_END:
		case TOKEN_BAD:
			return wrong(l, "a clause that is cut off", "\";\"");
		}
	}
}

struct result bindkeys_text(const char *where, struct span text, struct strbuf *out, struct strbuf *report)
{
	struct lexer l = { .text = text, .line = 1, .where = where, .report = report };

	for (;;) {
		enum token t = next(&l);

		if (t == TOKEN_END)
			break;
		if (t != TOKEN_WORD)
			return wrong(&l, "something else", "a clause");
		if (word_is(&l, "trusted-keys") || word_is(&l, "managed-keys") || word_is(&l, "trust-anchors"))
			TRY(entries(&l, out));
		else
			TRY(pass_over(&l));
	}
	strbuf_putc(out, '\n');
	return strbuf_result(out);
}
