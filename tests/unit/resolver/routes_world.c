#include "tests/unit/resolver/routes_world.h"

#include "tests/unit/resolver/virtual_time.h"

#define NS 1000000u

/* ---------------------------------------------------------------------------------------------------------------- the host */

static struct stream *stream_add(struct routes_host *f)
{
	struct stream *s = (struct stream *)mem_alloc(sizeof *s);

	if (s == NULL)
		return NULL;
	assert_true(f->stream_count < MOST_STREAMS);
	s->self = stream_enlist(f->host.loop, s);
	if (s->self.v == 0) {
		mem_free(s);
		return NULL;
	}
	s->open = true;
	f->streams[f->stream_count++] = s;
	return s;
}

static struct result fake_connect(struct host *h, const struct exchange_options *o, const struct stream_events *ev, stream_h *ret)
{
	struct routes_host *f = (struct routes_host *)(void *)h;
	struct stream *s;

	if (f->connect_error != ERR_NONE)
		return FAIL(f->connect_error);
	s = stream_add(f);
	if (s == NULL)
		return FAIL(ERR_NOMEM);
	s->to = o->to;
	for (size_t i = 0; o->path != NULL && o->path[i] != '\0' && i + 1 < sizeof s->path; i++)
		s->path[i] = o->path[i];
	s->ev = *ev;
	*ret = s->self;
	return DONE;
}

static struct result fake_write(struct host *h, stream_h sh, struct span octets)
{
	struct stream *s = stream_get(h->loop, sh);

	if (s == NULL)
		return FAIL(ERR_CLOSED);
	assert_true(octets.n <= sizeof s->out - s->out_len);
	memcpy(s->out + s->out_len, octets.p, octets.n);
	s->out_len += octets.n;
	return DONE;
}

static void fake_stream_close(struct host *h, stream_h sh)
{
	struct stream *s = stream_get(h->loop, sh);

	if (s == NULL)
		return;
	s->open = false;
	stream_retire(h->loop, sh);
}

static struct result fake_accept(struct host *h, const struct listen_options *o, const struct loop_type *t, uint64_t who, host_accept_fn *fn, acceptor_h *ret)
{
	struct routes_host *f = (struct routes_host *)(void *)h;
	struct acceptor *a;

	if (f->accept_error != ERR_NONE)
		return FAIL(f->accept_error);
	a = (struct acceptor *)mem_alloc(sizeof *a);
	if (a == NULL)
		return FAIL(ERR_NOMEM);
	assert_true(f->acceptor_count < MOST_STREAMS);
	a->self = acceptor_enlist(h->loop, a);
	if (a->self.v == 0) {
		mem_free(a);
		return FAIL(ERR_NOMEM);
	}
	a->open = true;
	a->at = o->at;
	a->type = t;
	a->who = who;
	a->fn = fn;
	f->acceptors[f->acceptor_count++] = a;
	*ret = a->self;
	return DONE;
}

static void fake_accept_close(struct host *h, acceptor_h ah)
{
	struct acceptor *a = acceptor_get(h->loop, ah);

	if (a == NULL)
		return;
	a->open = false;
	acceptor_retire(h->loop, ah);
}

static struct result fake_adopt(struct host *h, stream_h sh, const struct stream_events *ev)
{
	struct stream *s = stream_get(h->loop, sh);

	if (s == NULL)
		return FAIL(ERR_CLOSED);
	s->ev = *ev;
	s->adopted = true;
	return DONE;
}

static const struct host_ops fake_ops = { .connect = fake_connect, .stream_write = fake_write, .stream_close = fake_stream_close, .accept = fake_accept,
	.accept_close = fake_accept_close, .stream_adopt = fake_adopt };

/* --------------------------------------------------------------------------------------------------------------- the world */

void world_open(struct routes_world *w)
{
	struct loop_backend b = virtual_time(&w->now_ns);

	*w = (struct routes_world){ .now_ns = (uint64_t)1000000 * 1000000000u };
	w->rng = rng_new();
	assert_non_null(w->rng);
	w->loop = loop_new(&b, w->rng, NULL);
	assert_non_null(w->loop);
	w->host = (struct routes_host *)mem_alloc(sizeof *w->host);
	assert_non_null(w->host);
	w->host->host.ops = &fake_ops;
	w->host->host.loop = w->loop;
	loop_turn(w->loop, false);
}

void world_close(struct routes_world *w)
{
	for (size_t i = 0; i < w->host->stream_count; i++) {
		assert_false(w->host->streams[i]->open);
		mem_free(w->host->streams[i]);
	}
	for (size_t i = 0; i < w->host->acceptor_count; i++) {
		assert_false(w->host->acceptors[i]->open);
		mem_free(w->host->acceptors[i]);
	}
	mem_free(MOVE(w->host));
	assert_int_equal(loop_live_handles(w->loop), 0);
	loop_free(MOVE(w->loop));
	rng_free(MOVE(w->rng));
}

void world_turn(struct routes_world *w)
{
	loop_turn(w->loop, false);
}

void world_pass(struct routes_world *w, uint64_t ms)
{
	uint64_t end = w->now_ns + ms * NS;

	while (w->now_ns < end) { /* in steps: timers come in their order, and none late */
		w->now_ns += end - w->now_ns < 50 * NS ? end - w->now_ns : 50 * NS;
		loop_turn(w->loop, false);
	}
	loop_turn(w->loop, false);
}

size_t world_accept(struct routes_world *w, size_t i, const char *from)
{
	struct acceptor *a = w->host->acceptors[i];
	struct endpoint at = { .port = 40000 };
	struct addr none = { .family = ADDR_NONE };
	struct endpoint local = { .a = none };
	struct stream *s = stream_add(w->host);
	void *who = loop_slot_get(w->loop, a->type, a->who);

	assert_non_null(s);
	assert_non_null(who);
	assert_true(OK(addr_parse(from, &at.a)));
	a->fn(w->loop, who, a->self, s->self, &at, &local);
	if (!s->adopted)
		fake_stream_close(&w->host->host, s->self); /* as a host does */
	loop_turn(w->loop, false);
	return w->host->stream_count - 1;
}

static struct stream *stream_at(struct routes_world *w, size_t i, void **ret_who)
{
	struct stream *s = w->host->streams[i];

	assert_true(i < w->host->stream_count && s->open);
	*ret_who = loop_slot_get(w->loop, s->ev.type, s->ev.who);
	assert_non_null(*ret_who);
	return s;
}

void world_connected(struct routes_world *w, size_t i)
{
	void *who;
	struct stream *s = stream_at(w, i, &who);

	s->ev.connected(w->loop, who, s->self);
	loop_turn(w->loop, false);
}

void world_data(struct routes_world *w, size_t i, struct span octets)
{
	void *who;
	struct stream *s = stream_at(w, i, &who);

	s->ev.data(w->loop, who, s->self, octets);
	loop_turn(w->loop, false);
}

void world_closed(struct routes_world *w, size_t i, enum err e)
{
	void *who;
	struct stream *s = stream_at(w, i, &who);

	s->open = false;
	stream_retire(w->loop, s->self);
	s->ev.closed(w->loop, who, s->self, e);
	loop_turn(w->loop, false);
}

bool world_is_open(const struct routes_world *w, size_t i)
{
	return i < w->host->stream_count && w->host->streams[i]->open;
}

struct span world_wrote(struct routes_world *w, size_t i)
{
	struct stream *s = w->host->streams[i];
	struct span out = span_of(s->out, s->out_len);

	s->out_len = 0;
	return out;
}

void world_changed(void *owner)
{
	struct routes_world *w = (struct routes_world *)owner;

	w->changed++;
}
