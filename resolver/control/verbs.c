/* verbs.c: finding the verb, the reply in both forms, rounds of all workers, and the verbs of the daemon itself. */
#include "resolver/control/verbs.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "config.h"
#include "conf/conf.h"
#include "resolver/anchors.h"
#include "resolver/control/loading.h"
#include "resolver/local/local.h"

#define OUT_MAX (256u << 20) /* octets of a reply that waits to be sent */
#define ROUND_MAX (64u << 20)
#define REPORT_MAX (1u << 20)

LOOP_HANDLE_IMPL(command)

void command_free(struct command *c)
{
	if (c == NULL)
		return;
	request_words_done(&c->words);
	strbuf_free(MOVE(c->out));
	local_zones_free(MOVE(c->zones));
	loading_free(MOVE(c->loading));
	arena_free(MOVE(c->arena));
	rrcache_free(MOVE(c->kept));
	mem_free(c);
}

struct command *command_new(struct daemon *d)
{
	AUTO(command_free) struct command *c = (struct command *)mem_alloc(sizeof *c);

	if (c == NULL)
		return NULL;
	c->daemon = d;
	c->loop = daemon_loop(d);
	c->out = strbuf_new(OUT_MAX);
	c->arena = arena_new(0);
	if (c->out == NULL || c->arena == NULL)
		return NULL;
	c->self = command_enlist(c->loop, c);
	return c->self.v == 0 ? NULL : MOVE(c);
}

static void bury(struct dead *d)
{
	command_free(PARENT_OF(d, struct command, dead));
}

void command_close(struct command *c)
{
	if (c->closed)
		return;
	c->closed = true;
	command_retire(c->loop, c->self);
	loop_bury(c->loop, &c->dead, bury);
}

/* ---- the reply ------------------------------------------------------------------------------------------------------------------------- */

static void begin_part(struct command *c, enum reply_part part)
{
	if (!c->words.json || c->part == part)
		return;
	strbuf_puts(c->out, c->part == REPLY_NOTHING ? "{" : c->part == REPLY_LINES ? "]," : "},");
	strbuf_puts(c->out, part == REPLY_LINES ? "\"lines\":[" : "\"values\":{");
	c->part = part;
	c->first = true;
}

static void comma(struct command *c)
{
	if (!c->first)
		strbuf_putc(c->out, ',');
	c->first = false;
}

void reply_end(struct command *c)
{
	if (c->words.json && c->part != REPLY_ENDED)
		strbuf_puts(c->out, c->part == REPLY_NOTHING ? "{}\n" : c->part == REPLY_LINES ? "]}\n" : "}}\n");
	c->part = REPLY_ENDED;
}

void reply_ok(struct command *c)
{
	strbuf_puts(c->out, c->words.json ? "{\"ok\":true}\n" : "ok\n");
	c->part = REPLY_ENDED;
}

void reply_error(struct command *c, const char *fmt, ...)
{
	AUTO(strbuf_free) struct strbuf *text = strbuf_new(REPORT_MAX);
	va_list ap;

	if (text == NULL)
		return;
	va_start(ap, fmt);
	strbuf_vprintf(text, fmt, ap);
	va_end(ap);
	if (c->words.json) {
		strbuf_puts(c->out, "{\"error\":");
		strbuf_json_string(c->out, strbuf_span(text));
		strbuf_puts(c->out, "}\n");
	} else {
		strbuf_printf(c->out, "error %s\n", strbuf_text(text));
	}
	c->part = REPLY_ENDED;
}

static void one_line(struct command *c, struct span line)
{
	begin_part(c, REPLY_LINES);
	if (c->words.json) {
		comma(c);
		strbuf_json_string(c->out, line);
	} else {
		strbuf_add_span(c->out, line);
		strbuf_putc(c->out, '\n');
	}
}

void reply_line(struct command *c, const char *fmt, ...)
{
	AUTO(strbuf_free) struct strbuf *text = strbuf_new(REPORT_MAX);
	va_list ap;

	if (text == NULL)
		return;
	va_start(ap, fmt);
	strbuf_vprintf(text, fmt, ap);
	va_end(ap);
	one_line(c, strbuf_span(text));
}

void reply_lines(struct command *c, const char *text)
{
	while (*text != '\0') {
		size_t n = strcspn(text, "\n");

		one_line(c, span_of(text, n));
		text += n + (text[n] == '\n');
	}
}

void reply_value(struct command *c, const char *name, uint64_t value)
{
	begin_part(c, REPLY_VALUES);
	if (c->words.json) {
		comma(c);
		strbuf_json_string(c->out, span_text(name));
		strbuf_printf(c->out, ":%llu", (unsigned long long)value);
	} else {
		strbuf_printf(c->out, "%s=%llu\n", name, (unsigned long long)value);
	}
}

void reply_text_value(struct command *c, const char *name, const char *separator, const char *value)
{
	begin_part(c, REPLY_VALUES);
	if (c->words.json) {
		comma(c);
		strbuf_json_string(c->out, span_text(name));
		strbuf_putc(c->out, ':');
		strbuf_json_string(c->out, span_text(value));
	} else {
		strbuf_printf(c->out, "%s%s%s\n", name, separator, value);
	}
}

bool command_name(struct command *c, size_t i, struct name_buf *ret)
{
	if (OK(name_from_text(c->words.word[i], NULL, ret)))
		return true;
	reply_error(c, "found \"%s\", expected a domain name", c->words.word[i]);
	return false;
}

/* ---- rounds ---------------------------------------------------------------------------------------------------------------------------- */

struct round {
	struct loop *loop PARENT_FIELD;
	command_h command;
	round_each_fn *each;
	command_done_fn *done;
	struct name_buf name; /* of the command, for each */
};

static void round_each(struct worker *w, struct strbuf *out, void *ctx)
{
	struct round *r = ctx;

	r->each(w, out, &r->name);
}

static void round_free(struct round *r) TAKES(1);
static void round_free(struct round *r)
{
	mem_free(r);
}
DEFINE_AUTO(struct round, round_free)

static void round_done(struct daemon *d, struct strbuf *const *outs, size_t n, void *ctx) TAKES(4);
static void round_done(struct daemon *d, struct strbuf *const *outs, size_t n, void *ctx)
{
	AUTO(round_free) struct round *r = ctx;
	struct command *c = command_get(r->loop, r->command);

	(void)d;
	if (c != NULL) {
		c->waiting = false;
		if (n == 0)
			reply_error(c, "the daemon is stopping");
		else
			r->done(c, outs, n);
		command_resume(c);
	}
}

void command_round(struct command *c, round_each_fn *each, command_done_fn *done)
{
	AUTO(round_free) struct round *r = (struct round *)mem_alloc(sizeof *r);

	if (r != NULL) {
		*r = (struct round){ c->loop, c->self, each, done, c->name };
		c->waiting = true;
		if (OK(daemon_round(c->daemon, ROUND_MAX, round_each, round_done, r))) {
			(void)MOVE(r); /* own-ok: R3 round_done frees it, whether or not the client is still there */
			return;
		}
		c->waiting = false;
	}
	reply_error(c, "out of memory");
}

void command_resume(struct command *c)
{
	if (!c->waiting && c->step == NULL && c->line == NULL && c->part != REPLY_ENDED)
		reply_end(c);
	c->ready(c->loop, c->ready_ctx, c);
}

/* ---- verbs of the daemon itself -------------------------------------------------------------------------------------------------------- */

static void verb_status(struct command *c)
{
	char text[64];

	reply_text_value(c, "version", ": ", PACKAGE_VERSION);
	(void)snprintf(text, sizeof text, "%u", daemon_verbosity(c->daemon));
	reply_text_value(c, "verbosity", ": ", text);
	(void)snprintf(text, sizeof text, "%u", daemon_workers(c->daemon));
	reply_text_value(c, "threads", ": ", text);
	reply_text_value(c, "modules", ": ",
	    anchor_keeper_validation(daemon_keeper(c->daemon)) != NULL ? "2 [ validator iterator ]" : "1 [ iterator ]");
	(void)snprintf(text, sizeof text, "%llu seconds",
	    (unsigned long long)((now_ms(loop_now(c->loop)) - daemon_started_ms(c->daemon)) / 1000));
	reply_text_value(c, "uptime", ": ", text);
	reply_text_value(c, "options", ": ", "control(open)");
	if (c->words.json)
		reply_value(c, "pid", (uint64_t)getpid());
	else
		strbuf_printf(c->out, "cairnd (pid %ld) is running...\n", (long)getpid());
}

static void verb_reload(struct command *c)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(REPORT_MAX);

	if (report == NULL || !OK(daemon_reload(c->daemon, report)))
		reply_error(c, "the configuration stays as it was:\n%s", report == NULL ? "out of memory" : strbuf_text(report));
	else
		reply_ok(c);
}

static void verb_stop(struct command *c)
{
	reply_ok(c);
	daemon_stop(c->daemon);
}

static void verb_verbosity(struct command *c)
{
	char *end;
	unsigned long n = strtoul(c->words.word[1], &end, 10);

	if (*end != '\0' || n > 5) {
		reply_error(c, "found \"%s\", expected a number from 0 to 5", c->words.word[1]);
		return;
	}
	daemon_set_verbosity(c->daemon, (unsigned int)n);
	reply_ok(c);
}

static void verb_log_reopen(struct command *c)
{
	if (OK(log_reopen()))
		reply_ok(c);
	else
		reply_error(c, "the log file cannot be opened; the old one is written on");
}

static void verb_get_option(struct command *c)
{
	AUTO(strbuf_free) struct strbuf *text = strbuf_new(REPORT_MAX);

	if (text == NULL || !OK(conf_print_option(daemon_plan(c->daemon)->conf, c->words.word[1], text)))
		reply_error(c, "found \"%s\", expected the name of an option", c->words.word[1]);
	else
		reply_lines(c, strbuf_text(text));
}

static void verb_set_option(struct command *c)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(REPORT_MAX);
	AUTO_CHARS char *name = mem_strdup(c->words.word[1]);
	AUTO(conf_free) struct conf *changed = NULL;
	size_t n = name == NULL ? 0 : strlen(name);

	if (report == NULL || n == 0) {
		reply_error(c, "out of memory");
		return;
	}
	if (name[n - 1] == ':')
		name[n - 1] = '\0';
	if (!OK(conf_with_option(daemon_plan(c->daemon)->conf, name, c->words.rest[2], report, &changed)) ||
	    !OK(daemon_set_conf(c->daemon, MOVE(changed), report))) {
		reply_error(c, "%s", strbuf_text(report));
		return;
	}
	reply_ok(c);
}

static const struct verb daemon_verbs[] = {
	{ "status", 0, 0, verb_status, "" },
	{ "reload", 0, 0, verb_reload, "" },
	{ "reload_keep_cache", 0, 0, verb_reload, "" },
	{ "fast_reload", 0, 4, verb_reload, "" },
	{ "stop", 0, 0, verb_stop, "" },
	{ "verbosity", 1, 1, verb_verbosity, "NUMBER" },
	{ "log_reopen", 0, 0, verb_log_reopen, "" },
	{ "get_option", 1, 1, verb_get_option, "NAME" },
	{ "set_option", 2, REQUEST_WORDS, verb_set_option, "NAME: VALUE" },
	{ NULL, 0, 0, NULL, NULL },
};

static const struct verb *find(const char *name) BORROWED;
static const struct verb *find(const char *name)
{
	const struct verb *const tables[] = { daemon_verbs, cache_verbs, zone_verbs, stats_verbs, anchor_verbs, explain_verbs, route_verbs, metrics_verbs, exposure_verbs, filter_verbs };

	for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++) {
		for (const struct verb *v = tables[t]; v->name != NULL; v++) {
			if (strcmp(v->name, name) == 0)
				return v;
		}
	}
	return NULL;
}

void command_run(struct command *c)
{
	const struct verb *v = find(c->words.word[0]);
	size_t n = c->words.count - 1;

	if (v == NULL)
		reply_error(c, "unknown command '%s'", c->words.word[0]);
	else if (n < v->min || n > v->max)
		reply_error(c, "%s: found %zu arguments, expected: %s %s", v->name, n, v->name, v->usage);
	else
		v->fn(c);
	if (!c->waiting && c->step == NULL && c->line == NULL && c->part != REPLY_ENDED)
		reply_end(c);
}
