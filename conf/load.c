#include "conf/conf.h"

#include <errno.h>
#include <glob.h>
#include <string.h>

#include "base/file.h"
#include "base/strbuf.h"
#include "conf/parse.h"

/* What an unprivileged run without any file does: loopback, a high port, the log on standard error, nothing written. */
static const char builtin[] = "server:\n"
			      "\tinterface: 127.0.0.1\n"
			      "\tinterface: ::1\n"
			      "\tport: 5335\n"
			      "\tdo-daemonize: no\n"
			      "\tuse-syslog: no\n"
			      "\tusername: \"\"\n";

static RESULT disk_read(void *ctx, const char *path, size_t max, char **ret_text, size_t *ret_n)
{
	(void)ctx;
	return file_read_all(path, max, ret_text, ret_n);
}

static RESULT disk_match(void *ctx, const char *pattern, struct conf_names *names)
{
	glob_t g = { 0 };
	int r = glob(pattern, GLOB_ERR | GLOB_BRACE | GLOB_TILDE, NULL, &g);
	struct result done = DONE;

	(void)ctx;
	if (r == GLOB_NOSPACE)
		done = FAIL(ERR_NOMEM);
	else if (r != 0 && r != GLOB_NOMATCH)
		done = FAIL(ERR_SYSTEM);
	for (size_t i = 0; OK(done) && r == 0 && i < g.gl_pathc; i++)
		done = conf_names_add(names, g.gl_pathv[i]);
	globfree(&g);
	return done;
}

static const struct conf_files disk = { NULL, disk_read, disk_match };

RESULT conf_load_text(const char *text, const char *origin, struct strbuf *report, struct conf **ret_conf)
{
	struct conf_counts counts;

	return conf_parse(span_text(text), origin, &disk, report, &counts, ret_conf);
}

typedef struct result parse_fn(struct span text, const char *origin, const struct conf_files *files, struct strbuf *report,
    struct conf_counts *ret_counts, struct conf **ret);

static RESULT load(const char *path, parse_fn *parse, struct strbuf *report, struct conf_counts *ret_counts, struct conf **ret_conf)
{
	AUTO_CHARS char *text = NULL;
	bool standard_input = path != NULL && strcmp(path, "-") == 0;
	const char *name = standard_input ? "standard input" : path;
	struct result r;
	size_t n = 0;

	if (path == NULL)
		return parse(span_text(builtin), "built-in configuration", &disk, report, ret_counts, ret_conf);
	r = file_read_all(standard_input ? "/dev/stdin" : path, PARSE_FILE_OCTETS, &text, &n);
	if (OK(r))
		return parse(span_of(text, n), name, &disk, report, ret_counts, ret_conf);
	*ret_counts = (struct conf_counts){ .errors = 1 };
	if (report != NULL)
		strbuf_printf(report, "%s: error: found no file that can be read, expected a configuration: %s\n", name,
		    r.e == ERR_SYSTEM ? strerror(errno) : r.e == ERR_NOTFOUND ? "no such file" : err_text(r.e));
	return r;
}

RESULT conf_load_counted(const char *path, struct strbuf *report, struct conf_counts *ret_counts, struct conf **ret_conf)
{
	return load(path, conf_parse, report, ret_counts, ret_conf);
}

RESULT conf_load_partly(const char *path, struct strbuf *report, struct conf_counts *ret_counts, struct conf **ret_conf)
{
	return load(path, conf_parse_partly, report, ret_counts, ret_conf);
}

RESULT conf_load(const char *path, struct strbuf *report, struct conf **ret_conf)
{
	struct conf_counts counts;

	return conf_load_counted(path, report, &counts, ret_conf);
}

RESULT conf_with_option(const struct conf *c, const char *name, const char *value, struct strbuf *report, struct conf **ret_conf)
{
	return conf_parse_option(c, name, value, report, ret_conf);
}
