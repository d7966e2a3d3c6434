#include "rpki/process/operator_verbs.h"

#include <inttypes.h>

#include "base/clock.h"
#include "rpki/process/fetch_wire.h"
#include "rpki/serve/http_inside.h"
#include "rpki/serve/status_words.h"

typedef void verb_fn(const struct operator_desk *d, operator_ask_h ask, const struct operator_line *line);

struct span operator_message_write(const struct operator_message *m, uint8_t room[OPERATOR_MESSAGE])
{
	struct writer w = writer_of(room, OPERATOR_MESSAGE);

	write64(&w, m->ask.v);
	write8(&w, m->what);
	write8(&w, m->value);
	return writer_done(&w);
}

RESULT operator_message_read(struct span body, struct operator_message *ret)
{
	struct reader r = reader_of(body);

	ret->ask.v = read64(&r);
	ret->what = read8(&r);
	ret->value = read8(&r);
	return reader_ok(&r) && reader_end(&r) && ret->what >= WISH_RUN && ret->what < WISHES ? DONE : FAIL(ERR_FORMAT);
}

/* --- what is shown */

/* NULL: the question has been answered, for there is none. */
static struct status *status_of(const struct operator_desk *d, operator_ask_h ask) OWNED_BY(status_free);
static struct status *status_of(const struct operator_desk *d, operator_ask_h ask)
{
	AUTO(status_free) struct status *s = NULL;

	if (d->status.n == 0)
		operator_refuse(d->server, ask, "no run has ended yet");
	else if (!OK(status_decode(d->status, &s)))
		operator_refuse(d->server, ask, "out of memory");
	return MOVE(s);
}

static void on_status(const struct operator_desk *d, operator_ask_h ask, const struct operator_line *line)
{
	AUTO(status_free) struct status *s = status_of(d, ask);
	AUTO(strbuf_free) struct strbuf *out = NULL;

	if (s == NULL)
		return;
	out = strbuf_new(OPERATOR_ANSWER_MAX);
	if (out != NULL && line->json)
		status_words_json(s, d->now, out);
	else if (out != NULL) {
		strbuf_printf(out, "cairn-rpki %s, %" PRIu32 " routers are connected\n", d->version, rtr_server_counts(d->rtr)->clients);
		status_words(s, d->now, out);
	}
	operator_answer(d->server, ask, MOVE(out));
}

static void on_log(const struct operator_desk *d, operator_ask_h ask, const struct operator_line *line)
{
	AUTO(status_free) struct status *s = status_of(d, ask);
	AUTO(strbuf_free) struct strbuf *out = NULL;

	if (s == NULL)
		return;
	out = strbuf_new(OPERATOR_ANSWER_MAX);
	if (out != NULL && line->json) {
		strbuf_puts(out, "{\"log\":");
		strbuf_json_string(out, span_text(s->log));
		strbuf_puts(out, "}\n");
	} else if (out != NULL) {
		strbuf_puts(out, *s->log != '\0' ? s->log : "[INFO] the last run had nothing to say\n");
	}
	operator_answer(d->server, ask, MOVE(out));
}

static void put_router(const struct rtr_client_sum *c, bool json, bool first, struct strbuf *out)
{
	char iso[32];

	if (json) {
		strbuf_printf(out, "%s{\"address\":\"%s\",\"connections\":%" PRIu32 ",\"serial\":", first ? "" : ",", c->name, c->connections);
		if (c->sum.told)
			strbuf_printf(out, "%" PRIu32, c->sum.serial);
		else
			strbuf_puts(out, "null");
		strbuf_printf(out, ",\"updated\":%" PRId64 ",\"resetQueries\":%" PRIu32 ",\"serialQueries\":%" PRIu32 ",\"written\":%" PRIu64 "}", c->sum.updated,
			c->sum.reset_queries, c->sum.serial_queries, c->sum.octets_sent);
		return;
	}
	strbuf_printf(out, "%s: %" PRIu32 " connection%s, ", c->name, c->connections, c->connections == 1 ? "" : "s");
	if (c->sum.told)
		strbuf_printf(out, "serial %" PRIu32 " of %s", c->sum.serial, c->sum.updated > 0 ? clock_iso(c->sum.updated, iso) : "before");
	else
		strbuf_puts(out, "no data yet");
	strbuf_printf(out, ", %" PRIu32 " reset and %" PRIu32 " serial queries, %" PRIu64 " octets\n", c->sum.reset_queries, c->sum.serial_queries, c->sum.octets_sent);
}

static void on_routers(const struct operator_desk *d, operator_ask_h ask, const struct operator_line *line)
{
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(OPERATOR_ANSWER_MAX);
	AUTO(mem_free) void *list = NULL;
	struct rtr_client_sum *clients = NULL;
	size_t n = 0;

	if (out == NULL || !OK(clients_gather(d->rtr, &clients, &n))) {
		operator_refuse(d->server, ask, "out of memory");
		return;
	}
	list = clients;
	strbuf_puts(out, line->json ? "[" : "");
	for (size_t i = 0; i < n; i++)
		put_router(&clients[i], line->json, i == 0, out);
	strbuf_puts(out, line->json ? "]\n" : n == 0 ? "no router is connected\n" : "");
	operator_answer(d->server, ask, MOVE(out));
}

/* --- what the monitor does */

static void say_ok(const struct operator_desk *d, operator_ask_h ask)
{
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(16);

	if (out != NULL)
		strbuf_puts(out, "ok\n");
	operator_answer(d->server, ask, MOVE(out));
}

static void wish(const struct operator_desk *d, operator_ask_h ask, enum operator_wish what, uint8_t value)
{
	const struct operator_message m = { ask, (uint8_t)what, value };

	if (!OK(d->wish(d->ctx, &m)))
		operator_refuse(d->server, ask, "the monitor cannot be told");
}

static void on_run(const struct operator_desk *d, operator_ask_h ask, const struct operator_line *line)
{
	(void)line;
	wish(d, ask, WISH_RUN, 0);
}

static void on_reload(const struct operator_desk *d, operator_ask_h ask, const struct operator_line *line)
{
	(void)line;
	wish(d, ask, WISH_RELOAD, 0);
}

/* Answered before it is asked for: afterwards nobody is there to do it. */
static void on_stop(const struct operator_desk *d, operator_ask_h ask, const struct operator_line *line)
{
	(void)line;
	say_ok(d, ask);
	wish(d, ask, WISH_STOP, 0);
}

static void on_verbosity(const struct operator_desk *d, operator_ask_h ask, const struct operator_line *line)
{
	const char *n = line->word[1];

	if (n[0] < '0' || n[0] > '0' + (int)OPERATOR_VERBOSITY_MAX || n[1] != '\0')
		operator_refuse(d->server, ask, "found \"%s\", expected a number from 0 to %u", n, OPERATOR_VERBOSITY_MAX);
	else
		wish(d, ask, WISH_VERBOSITY, (uint8_t)(n[0] - '0'));
}

void operator_granted(const struct operator_desk *d, const struct operator_message *m)
{
	if (m->value != 0)
		say_ok(d, m->ask);
	else if (m->what == WISH_RELOAD)
		operator_refuse(d->server, m->ask, "the configuration cannot be used (the log says why): the one read before stays in force");
	else
		operator_refuse(d->server, m->ask, "the engine does not run just now: a run begins when it is started again");
}

void operator_do(const struct operator_desk *d, operator_ask_h ask, const struct operator_line *line)
{
	static const struct {
		const char *name BORROWED_FIELD;
		const char *argument BORROWED_FIELD; /* NULL: none */
		verb_fn *fn;
	} verbs[] = { { "status", NULL, on_status }, { "log", NULL, on_log }, { "routers", NULL, on_routers }, { "run", NULL, on_run }, { "reload", NULL, on_reload }, { "stop", NULL, on_stop },
		{ "verbosity", "N", on_verbosity } };

	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
		size_t wanted = verbs[i].argument != NULL ? 2 : 1;

		if (strcmp(verbs[i].name, line->word[0]) != 0)
			continue;
		if (line->words != wanted)
			operator_refuse(d->server, ask, "found %zu words, expected: %s%s%s", line->words, verbs[i].name, verbs[i].argument != NULL ? " " : "",
				verbs[i].argument != NULL ? verbs[i].argument : "");
		else
			verbs[i].fn(d, ask, line);
		return;
	}
	operator_refuse(d->server, ask, "unknown command '%s'; there are status, log, routers, run, reload, stop and verbosity", line->word[0]);
}
