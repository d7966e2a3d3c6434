/* conf_test.h: what the unit tests of conf/ share: a configuration from text, with files that exist in memory only. */
#ifndef TESTS_UNIT_CONF_CONF_TEST_H
#define TESTS_UNIT_CONF_CONF_TEST_H

#include "tests/unit/base/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "conf/conf.h"
#include "conf/parse.h"

#define REPORT_MAX ((size_t)1 << 20)

struct memory_file {
	const char *name BORROWED_FIELD;
	const char *text BORROWED_FIELD;
};

static inline RESULT memory_read(void *ctx, const char *path, size_t max, char **ret_text, size_t *ret_n)
{
	for (const struct memory_file *f = ctx; f->name != NULL; f++) {
		AUTO_CHARS char *copy = NULL;

		if (strcmp(f->name, path) != 0)
			continue;
		if (strlen(f->text) > max)
			return FAIL(ERR_LIMIT);
		copy = mem_strdup(f->text);
		if (copy == NULL)
			return FAIL(ERR_NOMEM);
		*ret_n = strlen(copy);
		*ret_text = MOVE(copy);
		return DONE;
	}
	return FAIL(ERR_NOTFOUND);
}

/* A pattern here is a prefix with a '*' behind it. */
static inline RESULT memory_match(void *ctx, const char *pattern, struct conf_names *names)
{
	size_t n = strcspn(pattern, "*");

	for (const struct memory_file *f = ctx; f->name != NULL; f++) {
		if (strncmp(f->name, pattern, n) == 0)
			TRY(conf_names_add(names, f->name));
	}
	return DONE;
}

static inline RESULT load_with(struct memory_file *disk, const char *text, struct strbuf *report, struct conf_counts *counts,
    struct conf **ret)
{
	struct conf_files files = { disk, memory_read, memory_match };

	return conf_parse(span_text(text), "t", &files, report, counts, ret);
}

static inline RESULT load_plain(const char *text, struct strbuf *report, struct conf_counts *counts, struct conf **ret)
{
	struct memory_file none[] = { { NULL, NULL } };

	return load_with(none, text, report, counts, ret);
}

/* The configuration in text, which has no errors and no warnings. */
static UNUSED struct conf *load_clean(const char *text) OWNED_BY(conf_free);
static UNUSED struct conf *load_clean(const char *text)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(REPORT_MAX);
	AUTO(conf_free) struct conf *c = NULL;
	struct conf_counts counts;

	assert_ok(load_plain(text, report, &counts, &c));
	assert_string_equal(strbuf_text(report), "");
	return MOVE(c);
}

/* What is reported of text is exactly this. */
static inline void assert_report(const char *text, const char *expected)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(REPORT_MAX);
	AUTO(conf_free) struct conf *c = NULL;
	struct conf_counts counts;
	struct result r = load_plain(text, report, &counts, &c);

	assert_string_equal(strbuf_text(report), expected);
	assert_int_equal(r.e, counts.errors != 0 ? ERR_FORMAT : ERR_NONE);
	assert_int_equal(OK(r), c != NULL);
}

#endif
