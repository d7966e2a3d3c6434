#include "rpki/commands/commands.h"

#include <errno.h>
#include <stdio.h>

#include "conf/conf.h"
#include "config.h"

#define REPORT_OCTETS (64u * 1024)

static const struct command all[] = {
	{ "inspect", command_inspect,
	    "usage: cairn-rpki inspect FILE|URI|HASH... [--ignore RULE,...] [--at TIME] [--json] [--certs DIR]... [-c FILE]\n"
	    "  An object in words: what it says, whether it is valid, every rule that it breaks, and the chain up to the trust anchor. The certificates are looked for beside a file and in\n"
	    "  the folders above it, in DIR, and in the store; URI and HASH (SHA-256, hexadecimal) are looked up in the store.\n"
	    "  --ignore   leave out the rules of these names, e.g. rfc6487#4.8.3\n"
	    "  --at       the time it shall be, in seconds since 1970 or as in 2026-01-31T12:00:00Z\n"
	    "  --json     one JSON object for each\n"
	    "  exit status: 0 all valid, 1 not all, 2 an error\n" },
	{ "validate", command_validate,
	    "usage: cairn-rpki validate [--json] [--table FILE | --offline [--at TIME]] [-c FILE] ASN PREFIX...\n"
	    "       cairn-rpki validate [...] -f FILE\n"
	    "  Whether routes are valid (RFC 6811), with the VRPs that decide.\n"
	    "  -f FILE    routes of a file (\"-\": of standard input), one a line: AS number and prefix in any order\n"
	    "  --table    by the VRPs of an output file, in any format; otherwise by what the daemon serves or has last served\n"
	    "  --offline  by a run over what has been fetched, or over rpki-tree:, as of now or --at TIME\n" },
	{ "status", command_status,
	    "usage: cairn-rpki status [--json] [-c FILE]\n"
	    "  How the last run went, of the daemon with this configuration: trust anchors, repositories, alarms.\n"
	    "  exit status: 0 the table is recent, 1 it is not, 2 an error\n" },
	{ "diff", command_diff,
	    "usage: cairn-rpki diff [--json] OLD NEW\n"
	    "  What one table has and the other has not: output files in any format (also of Routinator, rpki-client and FORT), exceptions, or rtr-state of cache-dir:.\n"
	    "  exit status: 0 the same, 1 different, 2 an error\n" },
};

const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		if (strcmp(all[i].name, name) == 0)
			return &all[i];
	return NULL;
}

const char *commands_usage(void)
{
	return "       cairn-rpki inspect FILE|URI|HASH...   an object in words, and why it is valid or not\n"
	       "       cairn-rpki validate ASN PREFIX...     whether routes are valid\n"
	       "       cairn-rpki status                     how the last run of the daemon went\n"
	       "       cairn-rpki diff OLD NEW               what changed between two tables\n";
}

int command_fail(const char *name, const char *fmt, ...)
{
	va_list ap;

	(void)fprintf(stderr, "cairn-rpki %s: ", name);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
	return COMMAND_ERROR;
}

int command_usage(const char *name)
{
	const struct command *c = command_find(name);

	(void)fputs(c != NULL ? c->usage : "", stderr);
	return COMMAND_ERROR;
}

int command_report(const char *name, const struct strbuf *why, struct result r)
{
	if (strbuf_len(why) == 0)
		return command_fail(name, "%s", r.e == ERR_SYSTEM ? strerror(errno) : err_text(r.e));
	(void)fputs(strbuf_text(why), stderr);
	if (strbuf_text(why)[strbuf_len(why) - 1] != '\n')
		(void)fputc('\n', stderr);
	return COMMAND_ERROR;
}

bool command_print(struct strbuf *out)
{
	struct span s = strbuf_span(out);
	bool good = strbuf_ok(out) && fwrite(s.p, 1, s.n, stdout) == s.n;

	strbuf_clear(out);
	return good;
}

RESULT command_conf(const char *name, const char *path, struct conf **ret)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(REPORT_OCTETS);
	struct result r = report != NULL ? conf_load(path, report, ret) : FAIL(ERR_NOMEM);

	if (report != NULL)
		(void)fputs(strbuf_text(report), stderr);
	if (!OK(r) && (report == NULL || strbuf_len(report) == 0))
		(void)command_fail(name, "%s: %s", path, r.e == ERR_SYSTEM ? strerror(errno) : err_text(r.e));
	return r;
}

const char *command_conf_path(void)
{
	return SYSCONFDIR "/cairn/cairn.conf";
}
