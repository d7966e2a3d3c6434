/* one_stream.h: a host with one connection, whose other end is the input of a fuzz target. It takes all that is written, and keeps it. */
#ifndef TESTS_FUZZ_ONE_STREAM_H
#define TESTS_FUZZ_ONE_STREAM_H

#include <stdlib.h>

#include "base/loop_event.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/strbuf.h"
#include "net/host.h"
#include "tests/fuzz/failing.h"

/* What must hold, but where memory failed. */
#define MUST(x) \
	do { \
		if (!(x) && !mem_failed()) \
			abort(); \
	} while (0)

struct world {
	struct host host;
	struct loop *loop BORROWED_FIELD;
	struct rng *rng BORROWED_FIELD;
	struct stream_events ev;
	const struct loop_type *type BORROWED_FIELD;
	uint64_t who;
	host_accept_fn *accepted;
	struct strbuf *said BORROWED_FIELD;
	size_t unsent;
	bool open, paused;
};

static struct world *world_of(struct host *h) BORROWED;
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

static const struct host_ops one_stream_ops = { .accept = w_accept, .accept_close = w_accept_close, .stream_adopt = w_adopt, .stream_write = w_write, .stream_unsent = w_unsent,
	.stream_pause = w_pause, .stream_close = w_close };

static inline void world_begin(struct world *w)
{
	struct loop_backend b;

	*w = (struct world){ .host = { .ops = &one_stream_ops } };
	w->rng = MINE(rng_new_seeded(1));
	if (w->rng == NULL || !OK(MINE(loop_event_backend(&b))))
		abort();
	w->loop = w->host.loop = MINE(loop_new(&b, w->rng, NULL));
	w->said = MINE(strbuf_new(64 << 20));
	if (w->loop == NULL || w->said == NULL)
		abort();
}

static inline void world_end(struct world *w)
{
	strbuf_free(w->said);
	loop_free(w->loop);
	rng_free(w->rng);
}

static inline void drain(struct world *w)
{
	while (w->open && w->unsent > 0) {
		void *c = loop_slot_get(w->loop, w->ev.type, w->ev.who);

		w->unsent = 0;
		if (c != NULL)
			w->ev.drained(w->loop, c, (stream_h){ 1 });
	}
}

static inline void talk(struct world *w, struct span wire, size_t piece)
{
	struct reader r = reader_of(wire);
	struct endpoint e = { .port = 1 };

	w->accepted(w->loop, loop_slot_get(w->loop, w->type, w->who), (acceptor_h){ 1 }, (stream_h){ 1 }, &e, &e);
	w->open = true;
	while (w->open && !reader_end(&r)) {
		struct span s = read_span(&r, reader_left(&r) < piece ? reader_left(&r) : piece);
		void *c = w->ev.type != NULL ? loop_slot_get(w->loop, w->ev.type, w->ev.who) : NULL; /* nobody took the stream */

		if (c == NULL)
			break;
		w->ev.data(w->loop, c, (stream_h){ 1 }, s);
		drain(w);
	}
	drain(w);
}

#endif
