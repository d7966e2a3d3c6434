/* check.h: cairnd --check-config. */
#ifndef CONF_CHECK_H
#define CONF_CHECK_H

#include "base/own.h"

struct conf;
struct strbuf;

/* What a program checks beyond the form of its options: adds its findings to report, one a line, as "FILE:LINE: error|warning: ...". */
typedef void conf_check_fn(struct conf *c, struct strbuf *report);

/*
 * Reads the configuration at path (NULL: the built-in one, "-": standard input), prints to standard output every error and warning,
 * one a line, those of more (may be NULL) as well, which takes what could be read, and at the end "FILE: no errors" or "FILE: N errors", with
 * the number of warnings when there are some. Returns the exit status: 0, 1 when there were errors, 2 when the file could not be read or memory
 * ran out.
 */
int conf_check_main(const char *path, conf_check_fn *more);

#endif
