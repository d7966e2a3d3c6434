/* confdoc: prints the manual page or the guide that the schema table makes. `make confdoc` puts them in their places. */
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "conf/doc.h"

int main(int argc, char **argv)
{
	AUTO(strbuf_free) struct strbuf *out = strbuf_new((size_t)4 << 20);
	struct result r = FAIL(ERR_NOMEM);

	if (argc != 2 || (strcmp(argv[1], "man") != 0 && strcmp(argv[1], "guide") != 0)) {
		fprintf(stderr, "usage: confdoc man|guide\n");
		return 2;
	}
	if (out != NULL)
		r = strcmp(argv[1], "man") == 0 ? conf_schema_print_man(out) : conf_schema_print_guide(out);
	if (!OK(r) || out == NULL) {
		fprintf(stderr, "confdoc: %s\n", err_text(r.e));
		return 1;
	}
	fputs(strbuf_text(out), stdout);
	return fflush(stdout) == 0 ? 0 : 1;
}
