#include "conf/check.h"

#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "conf/conf.h"

#define REPORT_OCTETS ((size_t)16 << 20)

static const char *plural(uint32_t n) BORROWED;
static const char *plural(uint32_t n)
{
	return n == 1 ? "" : "s";
}

/* Lines that more added. */
static uint32_t lines_with(const char *text, const char *mark)
{
	uint32_t n = 0;

	while ((text = strstr(text, mark)) != NULL) {
		n++;
		text += strlen(mark);
	}
	return n;
}

static void check_more(conf_check_fn *more, struct conf *c, struct strbuf *report, struct conf_counts *counts) TAKES(2);
static void check_more(conf_check_fn *more, struct conf *c, struct strbuf *report, struct conf_counts *counts)
{
	size_t before = strbuf_len(report);

	more(c, report);
	counts->errors += lines_with(strbuf_text(report) + before, ": error: ");
	counts->warnings += lines_with(strbuf_text(report) + before, ": warning: ");
}

int conf_check_main(const char *path, conf_check_fn *more)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(REPORT_OCTETS);
	AUTO(conf_free) struct conf *c = NULL;
	const char *name = path != NULL ? path : "built-in configuration";
	struct conf_counts counts = { 0 };
	struct result r;

	if (report == NULL) {
		fprintf(stderr, "%s: %s\n", name, err_text(ERR_NOMEM));
		return 2;
	}
	r = conf_load_partly(path, report, &counts, &c);
	if (c != NULL && more != NULL)
		check_more(more, MOVE(c), report, &counts);
	fputs(strbuf_text(report), stdout);
	if (counts.errors != 0)
		printf("%s: %u error%s", name, counts.errors, plural(counts.errors));
	else if (!OK(r))
		printf("%s: %s", name, err_text(r.e));
	else
		printf("%s: no errors", name);
	if (counts.warnings != 0)
		printf(", %u warning%s", counts.warnings, plural(counts.warnings));
	putchar('\n');
	fflush(stdout);
	if (!OK(r) && r.e != ERR_FORMAT)
		return 2;
	return counts.errors != 0;
}
