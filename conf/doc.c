#include "conf/doc.h"

#include <inttypes.h>
#include <string.h>

#include "base/strbuf.h"
#include "conf/schema.h"

/* How an option's value is shown behind its name. */
static const char *const type_names[] = {
	[VALUE_BOOL] = "yes|no",
	[VALUE_INT] = "NUMBER",
	[VALUE_SIZE] = "SIZE",
	[VALUE_SECONDS] = "SECONDS",
	[VALUE_INTERVAL] = "SECONDS",
	[VALUE_MS] = "MILLISECONDS",
	[VALUE_PORT] = "PORT",
	[VALUE_PORTS] = "PORT[-PORT]",
	[VALUE_INTLIST] = "\"NUMBER...\"",
	[VALUE_TEXT] = "TEXT",
	[VALUE_PATH] = "PATH",
	[VALUE_NETBLOCK] = "ADDRESS[/LENGTH]",
	[VALUE_LISTEN] = "ADDRESS|INTERFACE[@PORT]",
	[VALUE_CONTROL] = "PATH|ADDRESS[@PORT]",
	[VALUE_SERVER] = "ADDRESS[@PORT][#NAME]",
	[VALUE_HOST] = "HOST[@PORT][#NAME]",
	[VALUE_NAME] = "NAME",
	[VALUE_RR] = "\"RECORD\"",
	[VALUE_PTR] = "\"ADDRESS [TTL] NAME\"",
	[VALUE_HEX] = "HEX",
	[VALUE_DATE] = "TIME",
	[VALUE_MODULES] = "\"MODULE...\"",
	[VALUE_ENUM] = "",
};

/* One of the two forms: how its special characters are escaped, and what stands around the parts. */
struct form {
	void (*text)(struct strbuf *out, const char *s); /* escaped */
	bool roff;
};

static void roff_text(struct strbuf *out, const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '-' || *s == '\\')
			strbuf_putc(out, '\\');
		strbuf_putc(out, *s);
	}
}

static void markdown_text(struct strbuf *out, const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '*' || *s == '_' || *s == '<' || *s == '[' || *s == '\\')
			strbuf_putc(out, '\\');
		strbuf_putc(out, *s);
	}
}

static void roff_code(struct strbuf *out, const char *s)
{
	strbuf_puts(out, "\\fB");
	roff_text(out, s);
	strbuf_puts(out, "\\fR");
}

static void markdown_code(struct strbuf *out, const char *s)
{
	strbuf_printf(out, "`%s`", s);
}

static void code(const struct form *f, struct strbuf *out, const char *s)
{
	if (f->roff)
		roff_code(out, s);
	else
		markdown_code(out, s);
}

/* Empties the scratch buffer; what went wrong in it counts for the output. */
static void begin_scratch(struct strbuf *scratch, struct strbuf *out)
{
	if (!strbuf_ok(scratch))
		strbuf_fail(out, strbuf_result(scratch).e);
	strbuf_clear(scratch);
}

/* The words of an enumeration are named with the option's text, not here: the list may be long. */
static void show_types(enum conf_opt o, struct strbuf *out)
{
	struct value_type types[SCHEMA_WORDS];
	size_t n = schema_types(o, types);

	for (size_t i = 0; i < n; i++)
		strbuf_printf(out, " %s", types[i].kind == VALUE_ENUM ? "WORD" : type_names[types[i].kind]);
}

static void show_enum(const struct form *f, enum conf_opt o, struct strbuf *out, struct strbuf *scratch)
{
	struct value_type types[SCHEMA_WORDS];
	size_t n = schema_types(o, types);

	for (size_t i = 0; i < n; i++) {
		if (types[i].kind != VALUE_ENUM)
			continue;
		begin_scratch(scratch, out);
		value_expected(&types[i], scratch);
		strbuf_puts(out, " WORD is ");
		f->text(out, strbuf_text(scratch));
		strbuf_puts(out, ".");
	}
}

/* The range of a number, unless it is only "not negative, and some large number". */
static void show_range(enum conf_opt o, struct strbuf *out)
{
	const struct schema_option *opt = schema_option(o);
	struct value_type types[SCHEMA_WORDS];
	size_t n = schema_types(o, types);

	for (size_t i = 0; i < n; i++) {
		if (!value_is_number(types[i].kind) || types[i].kind == VALUE_BOOL || types[i].kind == VALUE_ENUM)
			continue;
		strbuf_printf(out, " From %" PRId64 " to %" PRId64 ".", opt->min, opt->max);
	}
}

static void show_default(const struct form *f, const struct schema_option *o, struct strbuf *out)
{
	if (o->dflt == NULL) {
		strbuf_puts(out, (o->flags & SCHEMA_NEEDED) != 0 ? " Must be given." : " Default: none.");
		return;
	}
	strbuf_puts(out, " Default: ");
	code(f, out, o->dflt[0] != '\0' ? o->dflt : "\"\"");
	strbuf_puts(out, ".");
}

static void show_names(const struct form *f, const struct schema_option *o, struct strbuf *out)
{
	if (strcmp(o->unbound, "-") == 0) {
		strbuf_puts(out, " Unbound does not have it.");
	} else if (o->unbound[0] != '\0') {
		strbuf_puts(out, " Also written ");
		f->text(out, o->unbound);
		strbuf_puts(out, ".");
	}
}

static void show_flags(const struct form *f, const struct schema_option *o, struct strbuf *out)
{
	if ((o->flags & SCHEMA_LIST) != 0)
		strbuf_puts(out, " May be given several times.");
	if ((o->flags & (SCHEMA_NOT_YET | SCHEMA_IGNORED)) == 0) {
		strbuf_puts(out, (o->flags & SCHEMA_RELOAD) != 0 ? " Changes at a reload." : " Changes at a restart.");
		return;
	}
	strbuf_puts(
	    out, (o->flags & SCHEMA_NOT_YET) != 0 ? " Accepted, but not used yet: " : " Accepted, but has no effect here: ");
	f->text(out, schema_theme_text(o->theme));
	strbuf_puts(out, ".");
}

static void show_option(const struct form *f, enum conf_opt o, struct strbuf *out, struct strbuf *scratch)
{
	const struct schema_option *opt = schema_option(o);

	begin_scratch(scratch, out);
	strbuf_printf(scratch, "%s:", opt->name);
	show_types(o, scratch);
	strbuf_puts(out, f->roff ? ".TP\n" : "- ");
	code(f, out, strbuf_text(scratch));
	strbuf_puts(out, f->roff ? "\n" : "  \n  ");
	f->text(out, opt->doc);
	show_enum(f, o, out, scratch);
	show_range(o, out);
	show_default(f, opt, out);
	show_flags(f, opt, out);
	show_names(f, opt, out);
	strbuf_puts(out, "\n");
}

static RESULT show_all(const struct form *f, struct strbuf *out)
{
	AUTO(strbuf_free) struct strbuf *scratch = strbuf_new(4096);

	if (scratch == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t k = 0; k < CLAUSE_KINDS; k++) {
		const struct schema_clause *c = schema_clause((enum conf_clause_kind)k);
		enum conf_opt first;
		size_t n = schema_clause_options((enum conf_clause_kind)k, &first);

		strbuf_printf(out, f->roff ? ".SS \"%s:\"\n" : "\n## %s:\n\n", c->name);
		f->text(out, c->doc);
		if (c->many)
			strbuf_puts(out, " Each such clause is one of its own.");
		strbuf_puts(out, f->roff ? "\n" : "\n\n");
		for (size_t i = 0; i < n; i++)
			show_option(f, (enum conf_opt)(first + i), out, scratch);
	}
	begin_scratch(scratch, out);
	return strbuf_result(out);
}

/* The text around the options. Paragraphs are separated by empty lines; both forms are made from it. */
static const char *const story[] = {
	("One file configures all of Cairn's programs, and each acts on its own clauses. Its syntax and the names "
	 "of its options are those of unbound.conf(5) of the Unbound resolver, so that an existing file can be used "
	 "as it is. An option of Unbound that has no effect in Cairn is accepted with one warning that says what "
	 "happens instead."),

	("A clause begins with its name and a colon, such as server:, and goes on to the next clause. In it stand "
	 "options: a name with a colon, and one or more words, on the same line or on later ones. Several options "
	 "may stand on one line. A word that contains blanks, or is empty, is put in double or single quotes; a "
	 "backslash before a quote keeps it from ending the word and stays in the value. A comment begins with # "
	 "where a word could begin and ends with the line."),

	("A clause may be given in several places. An option that takes one value has the one given last, and a "
	 "warning says so; options that may be given several times collect their values. Of stub-zone:, "
	 "forward-zone:, auth-zone:, rpz: and view: each clause is one of its own."),

	("include: PATH puts another file's text in its place. The name may have wildcards (*, ?, [...], {...}, ~); "
	 "the files are taken in order of their names, and no match is no mistake. A relative name is below "
	 "directory: when that was given before, and else below the directory the program was started in. "
	 "include-toplevel: PATH does the same, and closes the clause before and behind it. Files may include each "
	 "other 64 deep, 10000 in all; a file may have 256 MiB, all together 1 GiB."),

	("Without a file cairnd uses a built-in configuration: it listens on 127.0.0.1 and ::1, port 5335, stays in "
	 "the foreground, logs to standard error and writes no files. With a file the port is 53 unless the file "
	 "says otherwise."),

	("cairnd --check-config FILE reads a file and prints every mistake in it with the file, the line, the "
	 "option, what was found and what was expected."),
};

static void show_story(const struct form *f, struct strbuf *out)
{
	for (size_t i = 0; i < sizeof(story) / sizeof(story[0]); i++) {
		if (i != 0)
			strbuf_puts(out, f->roff ? ".PP\n" : "\n");
		f->text(out, story[i]);
		strbuf_puts(out, "\n");
	}
}

RESULT conf_schema_print_man(struct strbuf *out)
{
	static const struct form f = { roff_text, true };

	strbuf_puts(out, ".\\\" Made by conf/confdoc from conf/schema.def: change that, not this.\n"
			 ".TH CAIRN.CONF 5 \"\" \"cairn 0.1\" \"Cairn\"\n"
			 ".SH NAME\ncairn.conf \\- configuration of cairnd, cairn\\-rpki and cairn\\-home\n"
			 ".SH DESCRIPTION\n");
	show_story(&f, out);
	strbuf_puts(out, ".SH OPTIONS\n");
	TRY(show_all(&f, out));
	strbuf_puts(out, ".SH FILES\n.TP\n\\fI/etc/cairn/cairn.conf\\fR\nThe configuration that is read unless another is named.\n"
			 ".SH SEE ALSO\n\\fBcairnd\\fR(8), \\fBcairnctl\\fR(1)\n");
	return strbuf_result(out);
}

RESULT conf_schema_print_guide(struct strbuf *out)
{
	static const struct form f = { markdown_text, false };

	strbuf_puts(out, "<!-- Made by conf/confdoc from conf/schema.def: change that, not this. -->\n# Configuration\n\n");
	show_story(&f, out);
	return show_all(&f, out);
}
