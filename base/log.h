/*
 * log.h: the levelled log. Sinks: standard error, syslog, a file, and JSON lines to either of the first or the file. A line is one
 * write; control and non-ASCII octets in it are escaped, so that no name from the network can forge one. Each call site
 * that foreign traffic can reach uses log_limited, which lets a few lines a second through and tells how many it held back.
 * Any thread may log. Library code does not log; the edges do (style.md section 6).
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/own.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_NOTICE, LOG_LEVEL_INFO, LOG_LEVEL_VERBOSE, LOG_LEVEL_DEBUG, LOG_LEVEL_TRACE };

/* How times are written, in text that does not go to syslog, which writes its own. JSON lines have LOG_TIME_ISO. */
enum log_time {
	LOG_TIME_ISO,     /* 2026-01-31T23:59:59.123Z */
	LOG_TIME_TEXT,    /* Jan 31 23:59:59, UTC too */
	LOG_TIME_SECONDS, /* [1769903999] since 1970 */
};

struct log_config {
	const char *ident BORROWED_FIELD; /* program name in each line */
	const char *file BORROWED_FIELD;  /* NULL: standard error */
	bool syslog;
	bool relay;          /* lines go to `relay_fd`, one write each, as log_relayed() reads them: for a process whose lines another one logs */
	int relay_fd;        /* stays open; a line that would block there is lost */
	bool json;
	enum log_time time;
	bool thread_id;      /* the system's number of the thread in each line, behind that of the process; not with `relay` */
	enum log_level level; /* lines above it are not made */
};

/* Logs what a process with `relay` has written: its line, as if it were said here. It is not believed: anything goes. */
void log_relayed(const char *line, size_t n) NONNULL;
/* Applies a configuration (also at reload and log_reopen). The old sink stays when the file cannot be opened. */
RESULT log_setup(const struct log_config *c) NONNULL;
RESULT log_reopen(void);
void log_set_level(enum log_level level);
bool log_wants(enum log_level level);
void log_msg(enum log_level level, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* With a word of its own where the level's name would be, and before the message in syslog. NULL: as log_msg. */
void log_tagged(enum log_level level, const char *tag, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Each line of the text by itself, with this before it. */
void log_lines(enum log_level level, const char *prefix, const char *text) NONNULL;

struct log_limit { /* one per call site, static */
	uint64_t second;
	uint32_t lines, held;
};
void log_limited_(struct log_limit *l, enum log_level level, const char *fmt, ...) PRINTF_LIKE(3, 4);
#define log_limited(level, ...) \
	do { \
		static struct log_limit limit_; \
		if (log_wants(level)) \
			log_limited_(&limit_, (level), __VA_ARGS__); \
	} while (0)

#define log_error(...) log_msg(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...) log_msg(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_notice(...) log_msg(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...) log_msg(LOG_LEVEL_INFO, __VA_ARGS__)

#endif
