#include "conf/print.h"

#include <string.h>

#include "base/strbuf.h"
#include "conf/schema.h"
#include "conf/store.h"

/* The quote ends text early, or a backslash would swallow it. */
static bool quote_fits(const char *text, char quote)
{
	for (; *text != '\0'; text++) {
		if (*text == quote || *text == '\n' || *text == '\r')
			return false;
		if (*text == '\\' && *++text == '\0')
			return false;
	}
	return true;
}

char conf_quote_of(const char *text)
{
	return quote_fits(text, '"') ? '"' : quote_fits(text, '\'') ? '\'' : '\0';
}

/* Words that mean the same with and without quotes are written without: numbers, addresses, plain words. */
static bool is_plain(const char *word)
{
	return word[0] != '\0' &&
	       strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_@/") == strlen(word);
}

static void print_word(const char *word, bool quotes, struct strbuf *out)
{
	char quote = conf_quote_of(word);

	if (!quotes || is_plain(word)) {
		strbuf_puts(out, word);
		return;
	}
	strbuf_putc(out, quote);
	strbuf_puts(out, word);
	strbuf_putc(out, quote);
}

static void print_item(const struct conf_clause *cl, const struct conf_item *item, bool quotes, struct strbuf *out)
{
	const char *word = store_text(cl->conf, item->text);

	for (unsigned int w = 0; w < item->words; w++) {
		if (w != 0)
			strbuf_putc(out, ' ');
		print_word(word, quotes, out);
		word += strlen(word) + 1;
	}
	strbuf_putc(out, '\n');
}

static void print_clause(const struct conf_clause *cl, struct strbuf *out)
{
	strbuf_printf(out, "%s:\n", schema_clause(cl->kind)->name);
	for (uint32_t i = 0; i < cl->item_count; i++) {
		const struct conf_item *item = &cl->items[i];

		if (item->flags != 0)
			continue;
		strbuf_printf(out, "\t%s: ", schema_option((enum conf_opt)item->opt)->name);
		print_item(cl, item, true, out);
	}
}

RESULT conf_print(const struct conf *c, struct strbuf *out)
{
	for (size_t k = 0; k < CLAUSE_KINDS; k++) {
		for (size_t i = 0; i < c->clauses[k].n; i++) {
			if (c->clauses[k].v[i]->given || schema_clause((enum conf_clause_kind)k)->many)
				print_clause(c->clauses[k].v[i], out);
		}
	}
	return strbuf_result(out);
}

static void print_values(const struct conf_clause *cl, enum conf_opt o, struct strbuf *out)
{
	const struct schema_option *opt = schema_option(o);
	const struct conf_slot *s = store_slot(cl, o);

	for (uint32_t i = 0; i < s->n; i++) {
		const struct conf_item *item = &cl->items[s->items[i]];

		print_item(cl, item, item->words > 1, out);
	}
	if (s->n == 0 && (opt->flags & SCHEMA_LIST) == 0 && opt->dflt != NULL)
		strbuf_printf(out, "%s\n", opt->dflt);
}

RESULT conf_print_option(const struct conf *c, const char *name, struct strbuf *out)
{
	for (size_t i = 0; i < OPT_COUNT; i++) {
		const struct schema_option *o = schema_option((enum conf_opt)i);

		if (schema_clause(o->clause)->many || strcmp(o->name, name) != 0)
			continue;
		print_values(conf_single(c, o->clause), (enum conf_opt)i, out);
		return strbuf_result(out);
	}
	return FAIL(ERR_NOTFOUND);
}
