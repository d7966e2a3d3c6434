#include "conf/report.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/strbuf.h"

void report_add(struct report *r, enum severity s, const char *file, uint32_t line, const char *option, const char *fmt, ...)
{
	va_list ap;

	if (s == SEVERITY_ERROR)
		r->errors++;
	else
		r->warnings++;
	if (r->errors + r->warnings > REPORT_MESSAGES) {
		r->held++;
		return;
	}
	if (r->out == NULL)
		return;
	strbuf_puts(r->out, file);
	if (line != 0)
		strbuf_printf(r->out, ":%u", line);
	strbuf_puts(r->out, s == SEVERITY_ERROR ? ": error: " : ": warning: ");
	if (option != NULL)
		strbuf_printf(r->out, "%s: ", option);
	va_start(ap, fmt);
	strbuf_vprintf(r->out, fmt, ap);
	va_end(ap);
	strbuf_putc(r->out, '\n');
}

void report_end(struct report *r)
{
	if (r->held != 0 && r->out != NULL)
		strbuf_printf(r->out, "%u more messages are not shown\n", r->held);
}

const char *report_quote(struct span s)
{
	static _Thread_local char text[REPORT_FOUND * 4 + 8];
	size_t n = s.n < REPORT_FOUND ? s.n : REPORT_FOUND, at = 0;

	text[at++] = '\'';
	for (size_t i = 0; i < n; i++) {
		if (s.p[i] >= ' ' && s.p[i] < 0x7f)
			text[at++] = (char)s.p[i];
		else
			at += (size_t)snprintf(text + at, 5, "\\x%02x", s.p[i]);
	}
	if (n < s.n) {
		for (int i = 0; i < 3; i++)
			text[at++] = '.';
	}
	text[at++] = '\'';
	text[at] = '\0';
	return text;
}
