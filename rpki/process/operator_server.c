#include "rpki/process/operator_server.h"

#include <stdio.h>

#include "base/mem.h"

#define PIECE ((size_t)64 << 10)
#define ERROR_OCTETS 4096u

LOOP_HANDLE_IMPL(operator_ask)
LOOP_HANDLE(operator_server)
LOOP_HANDLE_IMPL(operator_server)

enum state { READING, ASKED, ANSWERING };

struct operator_ask {
	struct operator_server *server PARENT_FIELD;
	struct operator_ask *next OWNED_FIELD;
	struct operator_ask **at PARENT_FIELD;
	struct dead dead;
	operator_ask_h self;
	stream_h stream;
	timer_h deadline;
	enum state state;
	bool closed, json;
	struct strbuf *line OWNED_FIELD;   /* that has come of the question */
	struct strbuf *answer OWNED_FIELD; /* that has not left */
};

struct listening {
	struct listening *next OWNED_FIELD;
	acceptor_h acceptor;
};

struct operator_server {
	struct host *host PARENT_FIELD;
	operator_server_h self;
	struct operator_events ev;
	struct listening *listening OWNED_FIELD;
	struct operator_ask *sessions OWNED_FIELD;
	uint32_t clients;
	struct operator_counts counts;
};

static void session_free(struct operator_ask *x) TAKES(1);
static void session_free(struct operator_ask *x)
{
	if (x == NULL)
		return;
	strbuf_free(MOVE(x->line));
	strbuf_free(MOVE(x->answer));
	mem_free(x);
}
DEFINE_AUTO(struct operator_ask, session_free)

static void session_bury(struct dead *d)
{
	session_free(PARENT_OF(d, struct operator_ask, dead));
}

static void session_close(struct operator_ask *x)
{
	struct operator_server *s = x->server;
	struct loop *l = s->host->loop;

	if (x->closed)
		return;
	x->closed = true;
	loop_timer_stop(l, &x->deadline);
	if (x->self.v != 0)
		operator_ask_retire(l, x->self);
	host_stream_close(s->host, x->stream);
	*x->at = x->next;
	if (x->next != NULL)
		x->next->at = x->at;
	s->clients--;
	loop_bury(l, &x->dead, session_bury);
}

/* The next piece, when the one before has left. */
static void send_more(struct operator_ask *x)
{
	struct host *h = x->server->host;
	struct span left = strbuf_span(x->answer);

	if (left.n == 0) {
		if (host_stream_unsent(h, x->stream) == 0)
			session_close(x);
		return;
	}
	if (left.n > PIECE)
		left.n = PIECE;
	if (!OK(host_stream_write(h, x->stream, left)))
		session_close(x);
	else
		strbuf_drop(x->answer, left.n);
}

static void begin_answer(struct operator_ask *x, struct strbuf *text) TAKES(2);
static void begin_answer(struct operator_ask *x, struct strbuf *text)
{
	x->state = ANSWERING;
	x->answer = MOVE(text);
	if (x->answer == NULL || strbuf_len(x->answer) == 0)
		session_close(x);
	else
		send_more(x);
}

static void refuse(struct operator_ask *x, const char *why)
{
	AUTO(strbuf_free) struct strbuf *b = strbuf_new(2 * ERROR_OCTETS);

	if (b != NULL && x->json) {
		strbuf_puts(b, "{\"error\":");
		strbuf_json_string(b, span_text(why));
		strbuf_puts(b, "}\n");
	} else if (b != NULL) {
		strbuf_printf(b, "error %s\n", why);
	}
	begin_answer(x, MOVE(b));
}

void operator_answer(struct operator_server *s, operator_ask_h ask, struct strbuf *text)
{
	AUTO(strbuf_free) struct strbuf *own = text;
	struct operator_ask *x = operator_ask_get(s->host->loop, ask);

	if (x == NULL || x->state != ASKED)
		return;
	if (own == NULL || !strbuf_ok(own))
		refuse(x, own == NULL || strbuf_result(own).e == ERR_NOMEM ? "out of memory" : "the answer is too long");
	else
		begin_answer(x, MOVE(own));
}

void operator_refuse(struct operator_server *s, operator_ask_h ask, const char *fmt, ...)
{
	struct operator_ask *x = operator_ask_get(s->host->loop, ask);
	char why[ERROR_OCTETS];
	va_list ap;

	if (x == NULL || x->state != ASKED)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof why, fmt, ap);
	va_end(ap);
	refuse(x, why);
}

static void ask(struct operator_ask *x, struct span line)
{
	struct operator_server *s = x->server;
	void *who = loop_slot_get(s->host->loop, s->ev.type, s->ev.who);
	struct operator_line words;
	const char *expected;

	x->state = ASKED;
	if (!OK(operator_line_read(line, &words, &expected))) {
		char why[200];

		s->counts.malformed++;
		(void)snprintf(why, sizeof why, "expected %s", expected);
		refuse(x, why);
		return;
	}
	x->json = words.json;
	if (who != NULL)
		s->ev.asked(s->host->loop, who, x->self, &words);
	else
		session_close(x);
}

static void on_data(struct loop *l, void *object, stream_h h, struct span octets)
{
	struct operator_ask *x = (struct operator_ask *)object;
	struct span all;
	const uint8_t *end;

	(void)l, (void)h;
	if (x->state != READING)
		return; /* one line is all */
	strbuf_add_span(x->line, octets);
	all = strbuf_span(x->line);
	end = strbuf_ok(x->line) ? memchr(all.p, '\n', all.n) : NULL;
	if (!strbuf_ok(x->line)) {
		x->server->counts.malformed++;
		session_close(x);
	} else if (end != NULL) {
		size_t n = (size_t)(end - all.p);

		ask(x, span_of(all.p, n > 0 && all.p[n - 1] == '\r' ? n - 1 : n));
	}
}

static void on_drained(struct loop *l, void *object, stream_h h)
{
	struct operator_ask *x = (struct operator_ask *)object;

	(void)l, (void)h;
	if (x->state == ANSWERING)
		send_more(x);
}

static void on_closed(struct loop *l, void *object, stream_h h, enum err e)
{
	(void)l, (void)h, (void)e;
	session_close((struct operator_ask *)object);
}

static void on_late(struct loop *l, void *object)
{
	struct operator_ask *x = (struct operator_ask *)object;

	(void)l;
	x->deadline.v = 0;
	x->server->counts.late++;
	session_close(x);
}

static void on_accept(struct loop *l, void *object, acceptor_h a, stream_h stream, const struct endpoint *from, const struct endpoint *local)
{
	struct operator_server *s = (struct operator_server *)object;
	AUTO(session_free) struct operator_ask *made = NULL;
	struct stream_events ev = { .type = &operator_ask_loop_type, .data = on_data, .drained = on_drained, .closed = on_closed };
	struct operator_ask *x;

	(void)a, (void)from, (void)local;
	made = s->clients < OPERATOR_CLIENTS ? (struct operator_ask *)mem_alloc(sizeof *made) : NULL;
	x = made;
	if (made != NULL)
		made->line = strbuf_new(OPERATOR_LINE_MAX + 2);
	if (made == NULL || made->line == NULL) {
		s->counts.refused++;
		return;
	}
	x->server = s;
	x->stream = stream;
	x->self = operator_ask_enlist(l, x);
	ev.who = x->self.v;
	if (x->self.v == 0 || !OK(host_stream_adopt(s->host, stream, &ev))) {
		s->counts.refused++;
		if (x->self.v != 0)
			operator_ask_retire(l, x->self);
		return;
	}
	x->next = s->sessions;
	if (x->next != NULL)
		x->next->at = &x->next;
	x->at = &s->sessions;
	s->sessions = MOVE(made);
	s->clients++;
	s->counts.accepted++;
	if (!OK(loop_timer(l, &operator_ask_loop_type, x->self.v, on_late, OPERATOR_MS, &x->deadline)))
		session_close(x);
}

void operator_server_free(struct operator_server *s)
{
	if (s == NULL)
		return;
	while (s->listening != NULL) {
		AUTO(mem_free) void *first = s->listening;
		struct listening *at = first;

		host_accept_close(s->host, at->acceptor);
		s->listening = at->next;
	}
	while (s->sessions != NULL)
		session_close(s->sessions);
	if (s->self.v != 0)
		operator_server_retire(s->host->loop, s->self);
	mem_free(s);
}

struct operator_server *operator_server_new(struct host *h, const struct operator_events *ev)
{
	AUTO(operator_server_free) struct operator_server *s = (struct operator_server *)mem_alloc(sizeof *s);

	if (s == NULL)
		return NULL;
	s->host = h;
	s->ev = *ev;
	s->self = operator_server_enlist(h->loop, s);
	return s->self.v != 0 ? MOVE(s) : NULL;
}

RESULT operator_server_listen(struct operator_server *s, const struct listen_options *o)
{
	AUTO(mem_free) void *room = mem_alloc(sizeof(struct listening));
	struct listening *at = room;

	if (at == NULL)
		return FAIL(ERR_NOMEM);
	TRY(host_accept(s->host, o, &operator_server_loop_type, s->self.v, on_accept, &at->acceptor));
	at->next = s->listening;
	s->listening = MOVE(room);
	return DONE;
}

struct operator_counts operator_server_counts(const struct operator_server *s)
{
	return s->counts;
}
