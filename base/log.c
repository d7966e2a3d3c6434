/*
 * A line is formatted on the stack and written with one write. The sink's settings are copied under a lock that is held for
 * nothing else, so that a slow disk stops only the thread that logs.
 *
 * The log file keeps one descriptor number for the life of the process: a reopened file is put in its place with dup3, so a
 * thread that is about to write has a good descriptor at each moment.
 */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cursor.h"

#define LINE_MAX_OCTETS 4096     /* of one line as written; what is longer ends in "..." */
#define MESSAGE_MAX_OCTETS 2048  /* of a message before octets in it are escaped */
#define LIMITED_LINES_PER_SEC 10 /* of one call site that foreign traffic reaches */

static const struct {
	const char *name SHARED_FIELD;
	int priority;
} levels[] = {
	[LOG_LEVEL_ERROR] = { "error", LOG_ERR },
	[LOG_LEVEL_WARN] = { "warning", LOG_WARNING },
	[LOG_LEVEL_NOTICE] = { "notice", LOG_NOTICE },
	[LOG_LEVEL_INFO] = { "info", LOG_INFO },
	[LOG_LEVEL_VERBOSE] = { "verbose", LOG_DEBUG },
	[LOG_LEVEL_DEBUG] = { "debug", LOG_DEBUG },
	[LOG_LEVEL_TRACE] = { "trace", LOG_DEBUG },
};

struct sink {
	int fd; /* where lines go, unless to syslog */
	bool syslog;
	bool relay;
	bool json;
	bool thread_id;
	enum log_time time;
	char ident[64]; /* a longer one is cut */
};

static pthread_mutex_t sink_lock = PTHREAD_MUTEX_INITIALIZER;
static struct sink sink = { .fd = STDERR_FILENO, .ident = "cairn" }; /* own-ok: R14 under sink_lock */
/* own-ok: R14 under sink_lock, as is file_fd; "" for none */
static char file_path[PATH_MAX];
static int file_fd = -1; /* once opened, never closed */ /* own-ok: R14 under sink_lock */
static char syslog_ident[sizeof(sink.ident)]; /* own-ok: R14 under sink_lock */
static _Atomic int wanted_level = LOG_LEVEL_INFO;

/* Opens path as the log file, in the place of the one before. sink_lock is held. */
static RESULT open_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
	int rc, saved;

	if (fd < 0)
		return FAIL(ERR_SYSTEM);
	if (file_fd < 0) {
		file_fd = fd;
		return DONE;
	}
	rc = dup3(fd, file_fd, O_CLOEXEC);
	saved = errno;
	close(fd);
	errno = saved;
	return rc < 0 ? FAIL(ERR_SYSTEM) : DONE;
}

static RESULT setup_locked(const struct log_config *c)
{
	if (c->file != NULL && !c->syslog) {
		if (strlen(c->file) >= sizeof(file_path)) {
			errno = ENAMETOOLONG;
			return FAIL(ERR_SYSTEM);
		}
		TRY(open_file(c->file));
		if (c->file != file_path)
			snprintf(file_path, sizeof(file_path), "%s", c->file);
		sink.fd = file_fd;
	} else {
		if (file_fd >= 0)
			(void)dup3(STDERR_FILENO, file_fd, O_CLOEXEC); /* lets go of the old file */
		file_path[0] = '\0';
		sink.fd = STDERR_FILENO;
	}
	if (c->relay)
		sink.fd = c->relay_fd;
	sink.relay = c->relay;
	sink.syslog = c->syslog && !c->relay;
	sink.json = c->json;
	sink.time = c->time;
	sink.thread_id = c->thread_id;
	snprintf(sink.ident, sizeof(sink.ident), "%s", c->ident != NULL ? c->ident : "cairn");
	if (sink.syslog) {
		snprintf(syslog_ident, sizeof(syslog_ident), "%s", sink.ident);
		openlog(syslog_ident, LOG_PID, LOG_DAEMON);
	}
	return DONE;
}

RESULT log_setup(const struct log_config *c)
{
	struct result r;

	pthread_mutex_lock(&sink_lock);
	r = setup_locked(c);
	pthread_mutex_unlock(&sink_lock);
	if (OK(r))
		log_set_level(c->level);
	return r;
}

RESULT log_reopen(void)
{
	struct result r = DONE;

	pthread_mutex_lock(&sink_lock);
	if (file_path[0] != '\0')
		r = open_file(file_path);
	pthread_mutex_unlock(&sink_lock);
	return r;
}

void log_set_level(enum log_level level)
{
	atomic_store_explicit(&wanted_level, (int)level, memory_order_relaxed);
}

bool log_wants(enum log_level level)
{
	return (int)level <= atomic_load_explicit(&wanted_level, memory_order_relaxed);
}

static void add_text(struct writer *w, const char *s)
{
	write_octets(w, s, strlen(s));
}

/* One octet of a message. A backslash stays in text, where names carry it already, and is doubled in JSON. */
static void add_octet(struct writer *w, uint8_t c, bool json)
{
	static const char hex[] = "0123456789abcdef";
	char digits[3] = { hex[c >> 4], hex[c & 15], '\0' };

	if (c >= 0x20 && c <= 0x7e) {
		if (json && (c == '"' || c == '\\'))
			write8(w, '\\');
		write8(w, c);
		return;
	}
	if (json)
		add_text(w, c < 0x80 ? "\\u00" : "\\\\x");
	else
		add_text(w, "\\x");
	add_text(w, digits);
}

/* Adds the message escaped; what does not fit before the line's last `keep` octets is cut at an octet of the message. */
static void add_message(struct writer *w, const char *message, bool json, size_t keep)
{
	for (const char *s = message; *s != '\0'; s++) {
		size_t before = w->pos;

		add_octet(w, (uint8_t)*s, json);
		if (w->full || writer_left(w) < keep) {
			writer_rewind(w, before);
			add_text(w, "...");
			return;
		}
	}
}

static void format_time(const struct now *n, enum log_time how, char buf[40])
{
	static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	char iso[32];
	unsigned int month;

	if (how == LOG_TIME_SECONDS) {
		snprintf(buf, 40, "[%lld]", (long long)n->wall_sec);
		return;
	}
	clock_iso(n->wall_sec, iso);
	if (how == LOG_TIME_ISO || strlen(iso) != 20) { /* a clock beyond the year 9999 has no other form */
		iso[strcspn(iso, "Z")] = '\0';
		snprintf(buf, 40, "%s.%03uZ", iso, (unsigned int)(n->wall_nsec / 1000000u % 1000));
		return;
	}
	month = (unsigned int)(iso[5] - '0') * 10 + (unsigned int)(iso[6] - '0') - 1;
	snprintf(buf, 40, "%s %.2s %.8s", months[month % 12], iso + 8, iso + 11);
}

/* "PID", and "BETWEEN TID" where the thread's number is wanted. */
static void format_process(const struct sink *s, const char *between, char buf[64])
{
	if (s->thread_id)
		snprintf(buf, 64, "%ld%s%ld", (long)getpid(), between, (long)gettid());
	else
		snprintf(buf, 64, "%ld", (long)getpid());
}

static void add_head(struct writer *w, const struct sink *s, const char *word, const char *tag)
{
	char time[40], process[64], head[40 + sizeof(s->ident) + 128];
	struct now n = clock_read();

	format_time(&n, s->json ? LOG_TIME_ISO : s->time, time);
	if (s->json) {
		format_process(s, ",\"tid\":", process);
		snprintf(head, sizeof(head), "{\"time\":\"%s\",\"level\":\"%s\",\"pid\":%s,\"ident\":\"", time, word, process);
		add_text(w, head);
		add_message(w, s->ident, true, 8);
		add_text(w, "\",\"message\":\"");
		return;
	}
	format_process(s, ":", process);
	if (s->syslog) /* which has its own time, process and level */
		snprintf(head, sizeof(head), "%s%s%s%s%s", s->thread_id ? "[" : "", s->thread_id ? process : "", s->thread_id ? "] " : "",
		    tag != NULL ? tag : "", tag != NULL ? ": " : "");
	else
		snprintf(head, sizeof(head), "%s %s[%s] %s: ", time, s->ident, process, word);
	add_message(w, head, false, 8);
}

static struct span format_line(char *line, const struct sink *s, enum log_level level, const char *tag, const char *message)
{
	struct writer w = writer_of(line, LINE_MAX_OCTETS);

	if (s->relay) { /* who logs it escapes it */
		write8(&w, (uint8_t)('0' + (unsigned int)level));
		write_octets(&w, s->ident, strlen(s->ident));
		add_text(&w, ": ");
		write_octets(&w, message, strlen(message));
		return writer_done(&w);
	}
	add_head(&w, s, tag != NULL ? tag : levels[level].name, tag);
	add_message(&w, message, s->json, 8);
	add_text(&w, s->json ? "\"}\n" : "\n");
	return writer_done(&w);
}

static void write_line(const struct sink *s, enum log_level level, struct span line)
{
	size_t done = 0;

	if (s->syslog) {
		syslog(levels[level].priority, "%.*s", (int)line.n - 1, (const char *)line.p);
		return;
	}
	while (done < line.n) { /* all at once, unless the disk is filling up */
		ssize_t n = write(s->fd, line.p + done, line.n - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
}

static void log_line(enum log_level level, const char *tag, const char *message)
{
	char line[LINE_MAX_OCTETS];
	int saved = errno;
	struct sink s;

	pthread_mutex_lock(&sink_lock);
	s = sink;
	pthread_mutex_unlock(&sink_lock);
	write_line(&s, level, format_line(line, &s, level, tag, message));
	errno = saved;
}

static void log_va(enum log_level level, const char *tag, const char *fmt, va_list ap) PRINTF_LIKE(3, 0);
static void log_va(enum log_level level, const char *tag, const char *fmt, va_list ap)
{
	char message[MESSAGE_MAX_OCTETS];
	int n = vsnprintf(message, sizeof(message), fmt, ap);

	if (n < 0)
		return;
	if ((size_t)n >= sizeof(message))
		memcpy(message + sizeof(message) - 4, "...", 4);
	log_line(level, tag, message);
}

void log_relayed(const char *line, size_t n)
{
	unsigned int level = n > 0 && line[0] >= '0' && line[0] <= '6' ? (unsigned int)(line[0] - '0') : LOG_LEVEL_WARN;

	if (n > 1)
		log_msg((enum log_level)level, "%.*s", (int)(n < MESSAGE_MAX_OCTETS ? n : MESSAGE_MAX_OCTETS) - 1, line + 1);
}

void log_msg(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	if (!log_wants(level))
		return;
	va_start(ap, fmt);
	log_va(level, NULL, fmt, ap);
	va_end(ap);
}

void log_tagged(enum log_level level, const char *tag, const char *fmt, ...)
{
	va_list ap;

	if (!log_wants(level))
		return;
	va_start(ap, fmt);
	log_va(level, tag, fmt, ap);
	va_end(ap);
}

/* Whoever moves the call site to a new second tells what the one before held back. */
static uint32_t limit_second(struct log_limit *l, uint64_t second)
{
	uint64_t was = __atomic_load_n(&l->second, __ATOMIC_RELAXED);

	if (was == second || !__atomic_compare_exchange_n(&l->second, &was, second, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		return 0;
	__atomic_store_n(&l->lines, 0, __ATOMIC_RELAXED);
	return __atomic_exchange_n(&l->held, 0, __ATOMIC_RELAXED);
}

void log_limited_(struct log_limit *l, enum log_level level, const char *fmt, ...)
{
	uint64_t second = clock_read().mono_ns / 1000000000u + 1; /* never 0, which a fresh limit has */
	uint32_t held = limit_second(l, second);
	va_list ap;

	if (held != 0)
		log_msg(level, "%u lines like the next one were held back", held);
	if (__atomic_fetch_add(&l->lines, 1, __ATOMIC_RELAXED) >= LIMITED_LINES_PER_SEC) {
		__atomic_fetch_add(&l->held, 1, __ATOMIC_RELAXED);
		return;
	}
	va_start(ap, fmt);
	log_va(level, NULL, fmt, ap);
	va_end(ap);
}

void log_lines(enum log_level level, const char *prefix, const char *text)
{
	while (*text != '\0') {
		size_t n = strcspn(text, "\n");

		log_msg(level, "%s%.*s", prefix, (int)n, text);
		text += n + (text[n] == '\n');
	}
}
