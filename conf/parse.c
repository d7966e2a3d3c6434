#include "conf/parse.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "conf/cross.h"
#include "conf/lex.h"
#include "conf/print.h"
#include "conf/report.h"
#include "conf/schema.h"
#include "conf/store.h"

/* A file that is being read; those that include it are on the C stack. */
struct source {
	const struct source *from PARENT_FIELD; /* NULL: the first */
	struct lex lex;
	uint16_t file;
};

/*
 * Where the parser stands: outside of a clause (clause NULL), in one, or behind an option whose words are awaited (want > 0), which
 * may go on in another file. Words go to the pool as they come.
 */
struct parser {
	struct conf *conf BORROWED_FIELD;
	struct schema_index *index BORROWED_FIELD;
	const struct conf_files *files BORROWED_FIELD;
	struct report report;

	struct conf_clause *clause BORROWED_FIELD;
	enum conf_opt opt; /* the last option, for messages too */
	bool have_opt;
	size_t want, got;     /* words of its value */
	bool bad;             /* the value has a mistake, which was reported */
	int64_t num;
	struct conf_item item;

	uint32_t included, depth, guesses;
	uint64_t octets;
	bool warned[OPT_COUNT];
	bool warned_clause[CLAUSE_KINDS];
};

void conf_names_done(struct conf_names *n)
{
	for (size_t i = 0; i < n->n; i++)
		mem_free(MOVE(n->v[i]));
	mem_free(MOVE(n->v));
	*n = (struct conf_names){ 0 };
}

RESULT conf_names_add(struct conf_names *n, const char *name)
{
	AUTO_CHARS char *copy = mem_strdup(name);

	if (copy == NULL)
		return FAIL(ERR_NOMEM);
	if (n->n == n->room) {
		size_t room = n->room != 0 ? n->room * 2 : 8;

		TRY(mem_resize((void **)&n->v, n->room, room, sizeof(char *)));
		n->room = room;
	}
	n->v[n->n++] = MOVE(copy);
	return DONE;
}

static const char *name_of(const struct parser *p, const struct source *s) BORROWED;
static const char *name_of(const struct parser *p, const struct source *s)
{
	return store_file_name(p->conf, s->file);
}

#define error_at(p, s, line, option, ...) report_add(&(p)->report, SEVERITY_ERROR, name_of(p, s), line, option, __VA_ARGS__)
#define warn_at(p, s, line, option, ...) report_add(&(p)->report, SEVERITY_WARNING, name_of(p, s), line, option, __VA_ARGS__)

static const char *option_name(const struct parser *p) BORROWED;
static const char *option_name(const struct parser *p)
{
	return schema_option(p->opt)->name;
}

/* An option, a clause or include: begins with this word. */
static bool is_keyword(const struct parser *p, struct span name)
{
	enum conf_clause_kind k;
	enum conf_opt o;

	return schema_find_clause(name, &k) || schema_find_any(p->index, name, &o) || span_equal(name, span_text("include")) ||
	    span_equal(name, span_text("include-toplevel"));
}

/* A word without quotes that is a known keyword with its colon. */
static bool token_is_keyword(const struct parser *p, const struct lex_token *t)
{
	return t->kind == LEX_WORD && !t->quoted && t->text.n > 1 && t->text.p[t->text.n - 1] == ':' &&
	    is_keyword(p, span_of(t->text.p, t->text.n - 1));
}

/* After a mistake: on to the next line, or the next known keyword of this one. */
static void recover(const struct parser *p, struct source *s)
{
	for (;;) {
		struct lex_token t = lex_value(&s->lex);

		if (t.kind == LEX_END)
			return;
		if (t.new_line || token_is_keyword(p, &t)) {
			lex_back(&s->lex, &t);
			return;
		}
	}
}

/* --- values --- */

/* Says that a word of the option's value is not what it should be. */
static RESULT bad_word(struct parser *p, const struct source *s, uint32_t line, const char *found)
{
	const struct value_type *types;
	AUTO(strbuf_free) struct strbuf *expected = strbuf_new(1024);

	if (expected == NULL)
		return FAIL(ERR_NOMEM);
	schema_index_types(p->index, p->opt, &types);
	value_expected(&types[p->got < p->want ? p->got : p->want - 1], expected);
	error_at(p, s, line, option_name(p), "found %s, expected %s", found, strbuf_text(expected));
	p->bad = true;
	return strbuf_result(expected);
}

/* The value ends before its last word. */
static RESULT no_value(struct parser *p, const struct source *s, const char *found)
{
	if (!p->bad)
		TRY(bad_word(p, s, p->item.line, found));
	p->want = 0;
	return DONE;
}

/* UTF-8 as of RFC 3629, without looking for overlong forms. */
static bool is_utf8(struct span s)
{
	for (size_t i = 0; i < s.n;) {
		uint8_t c = s.p[i];
		size_t n = c < 0x80 ? 1 : (c & 0xe0) == 0xc0 ? 2 : (c & 0xf0) == 0xe0 ? 3 : (c & 0xf8) == 0xf0 ? 4 : 0;

		if (n == 0 || n > s.n - i)
			return false;
		for (size_t k = 1; k < n; k++) {
			if ((s.p[i + k] & 0xc0) != 0x80)
				return false;
		}
		i += n;
	}
	return true;
}

/* Octets that no value may have. False when there are some, which is reported. */
static bool check_octets(struct parser *p, const struct source *s, const struct lex_token *t)
{
	if (t->text.n > PARSE_WORD_OCTETS) {
		error_at(
		    p, s, t->line, option_name(p), "found a word of %zu octets, expected at most %u", t->text.n, PARSE_WORD_OCTETS);
		return false;
	}
	for (size_t i = 0; i < t->text.n; i++) {
		if ((t->text.p[i] < ' ' && t->text.p[i] != '\t') || t->text.p[i] == 0x7f) {
			error_at(p, s, t->line, option_name(p), "found the octet 0x%02x in %s, expected text", t->text.p[i],
			    report_quote(t->text));
			return false;
		}
	}
	if (!is_utf8(t->text))
		warn_at(p, s, t->line, option_name(p), "found %s, which is not UTF-8; it is taken as it is", report_quote(t->text));
	return true;
}

/* A word of the value: into the pool, checked, and perhaps replaced by its normal form. */
static RESULT take_word(struct parser *p, const struct source *s, const struct lex_token *t)
{
	const struct value_type *types;
	struct value v;
	uint32_t at;

	schema_index_types(p->index, p->opt, &types);
	if (p->bad || !check_octets(p, s, t)) {
		p->bad = true;
		return DONE;
	}
	TRY(store_word(p->conf, t->text, &at));
	if (p->got == 0)
		p->item.text = at;
	if (!value_read(&types[p->got], store_text(p->conf, at), &v))
		return bad_word(p, s, t->line, report_quote(t->text));
	p->num = v.num;
	if (v.normal[0] == '\0')
		return DONE;
	store_rewind(p->conf, at);
	return store_word(p->conf, span_text(v.normal), &at);
}

/* Modules other than the iterator are not used; the option itself is. */
static void warn_modules(struct parser *p, const struct source *s)
{
	const char *text = store_text(p->conf, p->item.text), *from = text;
	char list[128];
	size_t n = 0;

	while (*from != '\0') {
		size_t len = strcspn(from, " \t");

		if (len != 0 && !span_equal(span_of(from, len), span_text("iterator")) && !span_equal(span_of(from, len), span_text("validator")) &&
		    n + len + 2 < sizeof(list))
			n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%.*s", n != 0 ? " " : "", (int)len, from);
		from += len + strspn(from + len, " \t");
	}
	if (n != 0)
		warn_at(p, s, p->item.line, option_name(p),
		    "%s is not used yet: questions are resolved by the validator and the iterator alone", list);
}

/* Says once what happens in place of an option that is not used, or of its whole clause. */
static void warn_unused(struct parser *p, const struct source *s)
{
	const struct schema_option *o = schema_option(p->opt);
	bool off = strcmp(o->type, "bool") == 0 && p->num == 0;
	const char *what = (o->flags & SCHEMA_NOT_YET) != 0 ? "is not used yet" : "has no effect here";
	bool whole;

	if (p->opt == OPT_MODULE_CONFIG)
		warn_modules(p, s);
	if (p->opt == OPT_LOCAL_ZONE && p->num == CONF_LOCAL_IPSET)
		warn_at(p, s, p->item.line, o->name, "type ipset has no effect here: %s", schema_theme_text(THEME_IPSET));
	if ((o->flags & (SCHEMA_NOT_YET | SCHEMA_IGNORED)) == 0 || off || p->warned[p->opt] || p->warned_clause[o->clause])
		return;
	whole = schema_clause_unused(o->clause);
	p->warned[p->opt] = true;
	p->warned_clause[o->clause] = whole;
	warn_at(p, s, p->item.line, whole ? schema_clause(o->clause)->name : o->name, "%s: %s", what, schema_theme_text(o->theme));
}

static void warn_replaced(struct parser *p, const struct source *s)
{
	if ((schema_option(p->opt)->flags & SCHEMA_LIST) == 0 && conf_given(p->clause, p->opt))
		warn_at(p, s, p->item.line, option_name(p), "given again: the value of %s does not count any more",
		    conf_where(p->clause, p->opt, 0));
}

/* The last word is there. */
static RESULT end_value(struct parser *p, const struct source *s)
{
	if (p->bad) {
		p->want = 0;
		return DONE;
	}
	warn_replaced(p, s);
	warn_unused(p, s);
	p->item.words = (uint8_t)p->want;
	p->want = 0;
	return store_item(p->clause, &p->item, p->num);
}

/* --- files --- */

static RESULT parse_source(struct parser *p, struct source *s);

/* Name as it is opened: below directory:, when it is relative and that was given. NULL: out of memory. */
static char *resolve(const struct parser *p, struct span name) OWNED_BY(mem_free);
static char *resolve(const struct parser *p, struct span name)
{
	const struct conf_clause *server = conf_server(p->conf);
	const char *dir = conf_text(server, OPT_DIRECTORY);

	if (name.p[0] != '/' && dir != NULL && dir[0] != '\0' && name.p[0] != '~')
		return mem_printf("%s/%.*s", dir, (int)name.n, (const char *)name.p);
	return mem_strndup((const char *)name.p, name.n);
}

static bool is_open(const struct parser *p, const struct source *s, const char *path)
{
	for (; s != NULL; s = s->from) {
		if (strcmp(name_of(p, s), path) == 0)
			return true;
	}
	return false;
}

/* Reads one file in place of the include. Mistakes are reported, so that only ERR_NOMEM and ERR_LIMIT of the store come back. */
static RESULT include_file(struct parser *p, struct source *s, uint32_t line, const char *path)
{
	struct source next = { .from = s };
	AUTO_CHARS char *text = NULL;
	struct result r;
	size_t n = 0;

	if (is_open(p, s, path)) {
		error_at(
		    p, s, line, "include", "found %s, which is being read and so includes itself", report_quote(span_text(path)));
		return DONE;
	}
	if (p->depth >= PARSE_DEPTH || p->included >= PARSE_FILES) {
		error_at(p, s, line, "include", "found more than %u files within each other or %u in all, expected fewer",
		    PARSE_DEPTH, PARSE_FILES);
		return DONE;
	}
	r = p->files->read(p->files->ctx, path, PARSE_FILE_OCTETS, &text, &n);
	if (r.e == ERR_NOMEM)
		return r;
	if (!OK(r) || p->octets + n > PARSE_TOTAL_OCTETS) {
		const char *why = r.e == ERR_SYSTEM ? strerror(errno) : r.e == ERR_NOTFOUND ? "no such file" : "too large";

		error_at(p, s, line, "include", "found %s, which cannot be read: %s", report_quote(span_text(path)), why);
		return DONE;
	}
	p->octets += n;
	p->included++;
	p->depth++;
	TRY(store_file(p->conf, path, &next.file));
	next.lex = lex_of(span_of(text, n));
	TRY(parse_source(p, &next));
	p->depth--;
	return DONE;
}

static RESULT include_names(struct parser *p, struct source *s, uint32_t line, const char *pattern, struct conf_names *names)
{
	struct result r;

	if (strpbrk(pattern, "*?[{~") == NULL)
		return include_file(p, s, line, pattern);
	r = p->files->match(p->files->ctx, pattern, names);
	if (r.e == ERR_NOMEM)
		return r;
	if (!OK(r))
		return include_file(p, s, line, pattern); /* which then says what is wrong */
	for (size_t i = 0; i < names->n; i++)
		TRY(include_file(p, s, line, names->v[i]));
	return DONE;
}

/* Behind "include:". Values that go on behind it are allowed, as for Unbound. */
static RESULT include(struct parser *p, struct source *s, bool toplevel)
{
	struct lex_token t = lex_value(&s->lex);
	struct conf_names names = { 0 };
	AUTO_CHARS char *path = NULL;
	struct result r;

	if (t.kind != LEX_WORD || t.text.n == 0 || t.text.n > 4095 || memchr(t.text.p, 0, t.text.n) != NULL) {
		error_at(p, s, t.line, "include", "found %s, expected the name of a file",
		    t.kind == LEX_END ? "the end of the file" : report_quote(t.text));
		recover(p, s);
		return DONE;
	}
	path = resolve(p, t.text);
	if (path == NULL)
		return FAIL(ERR_NOMEM);
	if (toplevel)
		p->clause = NULL;
	r = include_names(p, s, t.line, path, &names);
	conf_names_done(&names);
	if (toplevel)
		p->clause = NULL;
	return r;
}

/* --- keywords --- */

static RESULT begin_clause(struct parser *p, const struct source *s, const struct lex_token *t, enum conf_clause_kind k)
{
	p->have_opt = false;
	TRY(store_clause(p->conf, k, &p->clause));
	if (!p->clause->given || schema_clause(k)->many) {
		p->clause->line = t->line;
		p->clause->file = s->file;
	}
	return DONE;
}

static void begin_option(struct parser *p, const struct source *s, const struct lex_token *t, enum conf_opt o)
{
	const struct value_type *types;

	p->opt = o;
	p->have_opt = true;
	p->want = schema_index_types(p->index, o, &types);
	p->got = 0;
	p->bad = false;
	p->num = 0;
	p->item = (struct conf_item){ .line = t->line, .file = s->file, .opt = (uint16_t)o };
}

/* Known, but not in the clause that is open, or outside of any. Its value is read and forgotten. */
static void misplaced(struct parser *p, const struct source *s, const struct lex_token *t, enum conf_opt o)
{
	const char *home = schema_clause(schema_option(o)->clause)->name;

	begin_option(p, s, t, o);
	p->bad = true;
	if (p->clause == NULL)
		error_at(p, s, t->line, option_name(p), "found outside of a clause, expected in %s:", home);
	else
		error_at(
		    p, s, t->line, option_name(p), "found in %s:, expected in %s:", schema_clause(p->clause->kind)->name, home);
}

static void unknown(struct parser *p, struct source *s, const struct lex_token *t)
{
	const char *near = NULL;

	if (p->guesses++ < PARSE_GUESSES)
		near = schema_nearest(p->clause != NULL ? p->clause->kind : CLAUSE_KINDS, t->text);
	if (near != NULL)
		error_at(p, s, t->line, NULL, "found the unknown option %s, expected perhaps %s:", report_quote(t->text), near);
	else
		error_at(p, s, t->line, NULL, "found the unknown option %s, expected an option of %s", report_quote(t->text),
		    p->clause != NULL ? schema_clause(p->clause->kind)->name : "a clause such as server:");
	recover(p, s);
}

static void stray(struct parser *p, struct source *s, const struct lex_token *t)
{
	if (t->kind == LEX_WORD && is_keyword(p, t->text))
		error_at(p, s, t->line, NULL, "found %s without a colon, expected one", report_quote(t->text));
	else if (p->have_opt && !t->new_line)
		error_at(p, s, t->line, option_name(p), "found %s behind the value, expected an option or the end of the line",
		    report_quote(t->text));
	else
		error_at(p, s, t->line, NULL, "found %s, expected an option or a clause, with a colon", report_quote(t->text));
	recover(p, s);
}

static RESULT keyword(struct parser *p, struct source *s, const struct lex_token *t)
{
	enum conf_clause_kind k;
	enum conf_opt o;

	if (span_equal(t->text, span_text("include")))
		return include(p, s, false);
	if (span_equal(t->text, span_text("include-toplevel")))
		return include(p, s, true);
	if (p->clause != NULL && schema_find(p->index, p->clause->kind, t->text, &o))
		begin_option(p, s, t, o);
	else if (schema_find_clause(t->text, &k))
		return begin_clause(p, s, t, k);
	else if (schema_find_any(p->index, t->text, &o))
		misplaced(p, s, t, o);
	else
		unknown(p, s, t);
	return DONE;
}

static RESULT value_token(struct parser *p, struct source *s, const struct lex_token *t)
{
	if (t->kind == LEX_STRAY || t->kind == LEX_UNFINISHED) {
		const char *found =
		    t->kind == LEX_STRAY ? "a backslash at the end of the line" : "a quote that is not closed on its line";

		return no_value(p, s, found);
	}
	if (!t->quoted && span_equal(t->text, span_text("include:")))
		return include(p, s, false);
	if (token_is_keyword(p, t)) {
		lex_back(&s->lex, t);
		return no_value(p, s, p->got == 0 ? "no value" : "only a part of the value");
	}
	TRY(take_word(p, s, t));
	if (++p->got < p->want)
		return DONE;
	return end_value(p, s);
}

static RESULT parse_source(struct parser *p, struct source *s)
{
	for (;;) {
		struct lex_token t = p->want > 0 ? lex_value(&s->lex) : lex_keyword(&s->lex);

		if (t.kind == LEX_END)
			return DONE;
		if (p->want > 0)
			TRY(value_token(p, s, &t));
		else if (t.kind == LEX_KEYWORD)
			TRY(keyword(p, s, &t));
		else
			stray(p, s, &t);
	}
}

/* --- whole texts --- */

/* The last look, and what it all comes to. A report that is full is no failure, one that memory ran out for is. */
static RESULT finish(struct parser *p)
{
	conf_cross_check(p->conf, &p->report);
	report_end(&p->report);
	if (p->report.out != NULL && strbuf_result(p->report.out).e == ERR_NOMEM)
		return FAIL(ERR_NOMEM);
	return p->report.errors != 0 ? FAIL(ERR_FORMAT) : DONE;
}

static RESULT parse_into(struct parser *p, struct span text, const char *origin)
{
	struct source s = { .lex = lex_of(text) };

	TRY(store_file(p->conf, origin, &s.file));
	TRY(parse_source(p, &s));
	if (p->want > 0)
		TRY(no_value(p, &s, p->got == 0 ? "no value" : "only a part of the value"));
	return finish(p);
}

static RESULT parse_with(struct parser *p, struct span text, const char *origin)
{
	AUTO(schema_index_free) struct schema_index *index = schema_index_new();

	if (index == NULL)
		return FAIL(ERR_NOMEM);
	p->index = index;
	return parse_into(p, text, origin);
}

/* partly: what could be read is given although there were errors. */
static RESULT parse_text(struct span text, const char *origin, const struct conf_files *files, struct strbuf *report,
    struct conf_counts *ret_counts, bool partly, struct conf **ret)
{
	AUTO(conf_free) struct conf *c = NULL;
	struct parser p = { .files = files, .report = { .out = report } };
	struct result r = store_new(&c);

	p.conf = c;
	if (OK(r))
		r = parse_with(&p, text, origin);
	*ret_counts = (struct conf_counts){ p.report.errors, p.report.warnings };
	if (OK(r) || (partly && r.e == ERR_FORMAT))
		*ret = MOVE(c);
	return r;
}

RESULT conf_parse(struct span text, const char *origin, const struct conf_files *files, struct strbuf *report,
    struct conf_counts *ret_counts, struct conf **ret)
{
	return parse_text(text, origin, files, report, ret_counts, false, ret);
}

RESULT conf_parse_partly(struct span text, const char *origin, const struct conf_files *files, struct strbuf *report,
    struct conf_counts *ret_counts, struct conf **ret)
{
	return parse_text(text, origin, files, report, ret_counts, true, ret);
}

/* The option of this name in a clause that exists once. */
static bool find_single(struct span name, enum conf_opt *ret)
{
	for (size_t i = 0; i < OPT_COUNT; i++) {
		const struct schema_option *o = schema_option((enum conf_opt)i);

		if (!schema_clause(o->clause)->many && span_equal(span_text(o->name), name)) {
			*ret = (enum conf_opt)i;
			return true;
		}
	}
	return false;
}

/* The words of a value given by itself. The only word of an option needs no quotes. */
static RESULT option_words(struct parser *p, const struct source *s, const char *value)
{
	struct lex l = lex_of(span_text(value));
	struct lex_token t = lex_value(&l);

	if (p->want == 1 && !t.quoted) {
		t = (struct lex_token){ .kind = LEX_WORD, .text = span_text(value) };
		l.pos = l.text.n;
		if (conf_quote_of(value) == '\0') /* could not be written to a file */
			t.kind = LEX_STRAY;
	}
	for (; t.kind == LEX_WORD && p->got < p->want; t = lex_value(&l)) {
		t.line = 0; /* it is in no file */
		TRY(take_word(p, s, &t));
		p->got++;
	}
	if (t.kind != LEX_END || p->got != p->want)
		return no_value(p, s, t.kind == LEX_END ? "no value" : report_quote(span_text(value)));
	return DONE;
}

RESULT conf_parse_option(const struct conf *c, const char *name, const char *value, struct strbuf *report, struct conf **ret)
{
	AUTO(conf_free) struct conf *copy = NULL;
	AUTO(schema_index_free) struct schema_index *index = schema_index_new();
	struct parser p = { .index = index, .report = { .out = report } };
	struct lex_token t = { .line = 0 };
	size_t len = strlen(name);
	struct source s = { 0 };
	enum conf_opt o;

	if (index == NULL)
		return FAIL(ERR_NOMEM);
	if (!find_single(span_of(name, len != 0 && name[len - 1] == ':' ? len - 1 : len), &o))
		return FAIL(ERR_NOTFOUND);
	TRY(store_copy(c, &copy));
	p.conf = copy;
	TRY(store_file(copy, "set_option", &s.file));
	TRY(store_clause(copy, schema_option(o)->clause, &p.clause));
	begin_option(&p, &s, &t, o);
	TRY(option_words(&p, &s, value));
	if (!p.bad) {
		warn_unused(&p, &s);
		p.item.words = (uint8_t)p.want;
		TRY(store_item(p.clause, &p.item, p.num));
	}
	TRY(finish(&p));
	*ret = MOVE(copy);
	return DONE;
}
