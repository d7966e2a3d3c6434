#include "rpki/run_log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"

#define LINE_OCTETS 2048u /* of one line; a longer one is cut */
#define END_OCTETS 128u   /* for what is said of lines left out */

struct run_log {
	struct strbuf *text OWNED_FIELD;
	size_t max;
	uint64_t left_out;
	bool ended; /* the last line says how many were left out */
};

void run_log_free(struct run_log *x)
{
	if (x == NULL)
		return;
	strbuf_free(MOVE(x->text));
	mem_free(x);
}

struct run_log *run_log_new(size_t max_octets)
{
	AUTO(run_log_free) struct run_log *x = (struct run_log *)mem_alloc(sizeof *x);

	if (x == NULL)
		return NULL;
	x->max = max_octets;
	x->text = strbuf_new(max_octets + END_OCTETS);
	return x->text != NULL ? MOVE(x) : NULL;
}

void run_log_clear(struct run_log *x)
{
	strbuf_clear(x->text);
	x->left_out = 0;
	x->ended = false;
}

static const char *word_of(enum log_level level) BORROWED;
static const char *word_of(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_ERROR:
		return "ERROR";
	case LOG_LEVEL_WARN:
		return "WARN";
	case LOG_LEVEL_NOTICE:
	case LOG_LEVEL_INFO:
		return "INFO";
	case LOG_LEVEL_VERBOSE:
	case LOG_LEVEL_DEBUG:
	case LOG_LEVEL_TRACE:
		break;
	}
	return "DEBUG";
}

/* A line that does not fit leaves what was there; shorter ones may still fit. */
static void keep(struct run_log *x, enum log_level level, const char *prefix, const char *line, size_t n)
{
	char room[LINE_OCTETS];
	int len = snprintf(room, sizeof room, "[%s] %s%.*s", word_of(level), prefix, (int)(n < LINE_OCTETS ? n : LINE_OCTETS), line);
	size_t octets = len < 0 ? 0 : (size_t)len < sizeof room ? (size_t)len : sizeof room - 1;

	if (octets == 0 || strbuf_len(x->text) + octets + 1 > x->max || !strbuf_ok(x->text)) {
		x->left_out++;
		return;
	}
	for (size_t i = 0; i < octets; i++)
		if ((uint8_t)room[i] < 0x20 || (uint8_t)room[i] > 0x7e)
			room[i] = '?';
	strbuf_add(x->text, room, octets);
	strbuf_putc(x->text, '\n');
}

void run_log_say(struct run_log *x, enum log_level level, const char *fmt, ...)
{
	char line[LINE_OCTETS];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	log_msg(level, "%s", line);
	keep(x, level, "", line, strlen(line));
}

void run_log_lines(struct run_log *x, enum log_level level, const char *prefix, const char *text)
{
	log_lines(level, prefix, text);
	while (*text != '\0') {
		size_t n = strcspn(text, "\n");

		keep(x, level, prefix, text, n);
		text += n + (text[n] == '\n');
	}
}

const char *run_log_text(struct run_log *x)
{
	if (x->left_out > 0 && !x->ended && strbuf_ok(x->text)) {
		strbuf_printf(x->text, "[WARN] %" PRIu64 " more lines do not fit (run-log-size)\n", x->left_out);
		x->ended = true;
	}
	return strbuf_text(x->text);
}

uint64_t run_log_left_out(const struct run_log *x)
{
	return x->left_out;
}
