#include "resolver/log_options.h"

#include <string.h>

#include "conf/conf.h"

enum log_level log_options_level(unsigned int verbosity)
{
	static const enum log_level levels[] = { LOG_LEVEL_NOTICE, LOG_LEVEL_INFO, LOG_LEVEL_VERBOSE, LOG_LEVEL_DEBUG };

	return verbosity < sizeof levels / sizeof levels[0] ? levels[verbosity] : LOG_LEVEL_TRACE;
}

static enum log_time time_of(const struct conf_clause *c)
{
	if (!conf_bool(c, OPT_LOG_TIME_ASCII))
		return LOG_TIME_SECONDS;
	return conf_bool(c, OPT_LOG_TIME_ISO) ? LOG_TIME_ISO : LOG_TIME_TEXT;
}

struct log_config log_options_read(const struct conf *conf, bool foreground)
{
	const struct conf_clause *c = conf_server(conf);
	const char *file = conf_text(c, OPT_LOGFILE), *ident = conf_text(c, OPT_LOG_IDENTITY);
	bool to_file = file != NULL && *file != '\0';

	return (struct log_config){ .ident = ident != NULL && *ident != '\0' ? ident : "cairnd",
		.file = to_file ? file : NULL,
		.syslog = !to_file && !foreground && conf_bool(c, OPT_USE_SYSLOG),
		.json = conf_bool(c, OPT_LOG_JSON),
		.time = time_of(c),
		.thread_id = conf_bool(c, OPT_LOG_THREAD_ID) };
}

static bool same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

bool log_options_same(const struct conf *a, const struct conf *b)
{
	struct log_config x = log_options_read(a, false), y = log_options_read(b, false);

	return same_text(x.ident, y.ident) && same_text(x.file, y.file) && x.syslog == y.syslog && x.json == y.json && x.time == y.time &&
	       x.thread_id == y.thread_id;
}
