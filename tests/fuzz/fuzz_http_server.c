/*
 * A client's side of a connection, in pieces as long as the first octet says. However it is cut, the server says the same; what it says begins with a sound head; it never asks for more
 * than came; and nothing is left when it is closed.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/loop_event.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/strbuf.h"
#include "net/http_head.h"
#include "net/http_server.h"
#include "tests/fuzz/failing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold, but where memory failed. */
#define MUST(x) \
	do { \
		if (!(x) && !mem_failed()) \
			abort(); \
	} while (0)

LOOP_HANDLE(world)
LOOP_HANDLE_IMPL(world)

/* A host with one connection, whose other end is the input. */
struct world {
	struct host host;
	struct loop *loop;
	struct http_server *server;
	world_h self;
	struct stream_events ev;
	const struct loop_type *type;
	uint64_t who;
	host_accept_fn *accepted;
	struct strbuf *said;
	size_t unsent;
	unsigned int asked;
	bool open, paused;
};

static struct world *world_of(struct host *h)
{
	return (struct world *)(void *)h;
}

static struct result w_accept(struct host *h, const struct listen_options *o, const struct loop_type *t, uint64_t who, host_accept_fn *fn, acceptor_h *ret)
{
	struct world *w = world_of(h);

	(void)o;
	w->type = t;
	w->who = who;
	w->accepted = fn;
	ret->v = 1;
	return DONE;
}

static void w_accept_close(struct host *h, acceptor_h a)
{
	(void)h, (void)a;
}

static struct result w_adopt(struct host *h, stream_h s, const struct stream_events *ev)
{
	(void)s;
	world_of(h)->ev = *ev;
	return DONE;
}

static struct result w_write(struct host *h, stream_h s, struct span octets)
{
	(void)s;
	strbuf_add_span(world_of(h)->said, octets);
	world_of(h)->unsent += octets.n;
	return DONE;
}

static size_t w_unsent(struct host *h, stream_h s)
{
	(void)s;
	return world_of(h)->unsent;
}

static void w_pause(struct host *h, stream_h s, bool paused)
{
	(void)s;
	world_of(h)->paused = paused;
}

static void w_close(struct host *h, stream_h s)
{
	(void)s;
	world_of(h)->open = false;
}

static const struct host_ops ops = { .accept = w_accept, .accept_close = w_accept_close, .stream_adopt = w_adopt, .stream_write = w_write, .stream_unsent = w_unsent,
	.stream_pause = w_pause, .stream_close = w_close };

/* Says what it was asked, at once. */
static void on_asked(struct loop *l, void *object, http_ask_h ask, const struct http_request *q, struct span body)
{
	struct world *w = (struct world *)object;
	struct http_response r = { .status = 200, .type = "text/plain", .etag = "\"a\"", .modified = 1 };
	struct http_page *p = http_page_text(q->method == HTTP_POST ? body : q->path, q->takes_gzip);

	(void)l;
	w->asked++;
	MUST(body.n <= 100);
	http_server_respond(w->server, ask, &r, p);
}

static void drain(struct world *w)
{
	while (w->open && w->unsent > 0) {
		void *c = loop_slot_get(w->loop, w->ev.type, w->ev.who);

		w->unsent = 0;
		if (c != NULL)
			w->ev.drained(w->loop, c, (stream_h){ 1 });
	}
}

static void talk(struct world *w, struct span wire, size_t piece)
{
	struct reader r = reader_of(wire);
	struct endpoint e = { .port = 1 };

	w->accepted(w->loop, loop_slot_get(w->loop, w->type, w->who), (acceptor_h){ 1 }, (stream_h){ 1 }, &e, &e);
	w->open = true;
	while (w->open && !reader_end(&r)) {
		struct span s = read_span(&r, reader_left(&r) < piece ? reader_left(&r) : piece);
		void *c = loop_slot_get(w->loop, w->ev.type, w->ev.who);

		if (c == NULL)
			break;
		w->ev.data(w->loop, c, (stream_h){ 1 }, s);
		drain(w);
	}
	drain(w);
}

/* The date may change between two runs: it is not looked at. */
static uint64_t sum_of(const struct strbuf *said)
{
	const char *p = strbuf_text(said), *end = p + strbuf_len(said), *date;
	uint64_t sum = 0;

	while (p < end) {
		date = memmem(p, (size_t)(end - p), "\r\nDate: ", 8);
		for (const char *stop = date != NULL ? date : end; p < stop; p++)
			sum = sum * 31 + (uint8_t)*p + 1;
		p = date != NULL ? date + 8 + 29 : end;
	}
	return sum;
}

static uint64_t serve(struct span wire, size_t piece, unsigned int *ret_asked)
{
	struct http_server_options o = HTTP_SERVER_USUAL;
	struct loop_backend b;
	struct world w = { .host = { .ops = &ops } };
	struct rng *rng = MINE(rng_new_seeded(1));
	struct http_server_events ev = { .type = &world_loop_type, .asked = on_asked };
	struct listen_options lo = { .dscp = -1 };
	struct http_head head;
	struct span said;
	uint64_t sum;

	o.max_body = 100;
	o.max_head = 500;
	if (rng == NULL || !OK(MINE(loop_event_backend(&b))))
		abort();
	w.loop = w.host.loop = MINE(loop_new(&b, rng, NULL));
	w.said = MINE(strbuf_new(64 << 20));
	w.self = MINE(world_enlist(w.loop, &w));
	ev.who = w.self.v;
	w.server = MINE(http_server_new(&w.host, &o, &ev));
	if (w.said == NULL || w.server == NULL || !OK(MINE(http_server_listen(w.server, &w.host, &lo))))
		abort();
	talk(&w, wire, piece);
	said = strbuf_span(w.said);
	MUST(said.n == 0 || (said.n > 12 && memcmp(said.p, "HTTP/1.1 ", 9) == 0));
	MUST(said.n == 0 || memcmp(said.p, "HTTP/1.1 100", 12) == 0 || (http_head_end(said) > 0 && OK(http_head_parse(span_of(said.p, http_head_end(said)), &head))));
	sum = sum_of(w.said);
	*ret_asked = w.asked;
	strbuf_free(w.said);
	http_server_free(w.server);
	world_retire(w.loop, w.self);
	loop_free(w.loop);
	rng_free(rng);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned int a, b;
	uint64_t x, y;

	if (size < 1 || size > 20000)
		return 0;
	x = serve(span_of(data + 1, size - 1), 20000, &a);
	y = serve(span_of(data + 1, size - 1), (size_t)data[0] + 1, &b);
	HOLDS(x == y && a == b && a <= size / 16);
	return 0;
}
