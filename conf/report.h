/*
 * report.h: what is wrong with a configuration, one line each: "FILE:LINE: error|warning: OPTION: found X, expected Y". Text from
 * the file is quoted and escaped, so that a line stays a line and a terminal is safe.
 */
#ifndef CONF_REPORT_H
#define CONF_REPORT_H

#include "base/cursor.h"
#include "base/own.h"

struct strbuf;

#define REPORT_MESSAGES 10000u /* messages that are written; more are counted */
#define REPORT_FOUND 64u       /* octets of foreign text shown in one message */

enum severity { SEVERITY_WARNING, SEVERITY_ERROR };

struct report {
	struct strbuf *out BORROWED_FIELD; /* NULL: nobody reads it */
	uint32_t errors, warnings;
	uint32_t held; /* messages not written */
};

/* option may be NULL. line 0: the file as a whole. */
void report_add(struct report *r, enum severity s, const char *file, uint32_t line, const char *option, const char *fmt, ...)
    __attribute__((nonnull(1, 3, 6))) PRINTF_LIKE(6, 7);
void report_end(struct report *r) NONNULL; /* says how many were held back */
/* Foreign text in single quotes, escaped and cut. Good until this thread's next call. */
const char *report_quote(struct span s) BORROWED;

#endif
