#include "conf/check.h"

#include <stdio.h>

#include "base/strbuf.h"
#include "conf/conf.h"

#define REPORT_OCTETS ((size_t)16 << 20)

static const char *plural(uint32_t n) BORROWED;
static const char *plural(uint32_t n)
{
	return n == 1 ? "" : "s";
}

int conf_check_main(const char *path)
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
	r = conf_load_counted(path, report, &counts, &c);
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
	return OK(r) ? 0 : r.e == ERR_FORMAT ? 1 : 2;
}
