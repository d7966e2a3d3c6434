/*
 * event_stream.c: TCP connections, ours and accepted.
 *
 *   connecting  watched for writing; what is written waits
 *   open        read while not paused; what a turn wrote is sent at its end, and the rest when the socket is writable
 *   closed      off the list, handle stale, buried
 *
 * A call from above never calls back: errors of sending are told from the end of the turn or from a watch.
 */
#include "net/event_host.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <unistd.h>

#define READS_PER_TURN 4u
#define OUT_FIRST ((size_t)2048)
#define OUT_KEPT ((size_t)16384) /* a larger queue is given back when it has run empty */

struct stream {
	struct host_event *he PARENT_FIELD;
	struct stream *next OWNED_FIELD;
	struct stream **at PARENT_FIELD;
	struct dead dead;
	stream_h self;
	watch_h read_watch, write_watch;
	int fd;
	bool connecting, adopted, closed, paused, flush_asked;
	struct stream_events ev;
	uint8_t *out OWNED_FIELD; /* what waits: out_len octets from out_at */
	size_t out_cap, out_at, out_len;
};

static void stream_ready_to_read(struct loop *l, void *object, unsigned int events);
static void stream_ready_to_write(struct loop *l, void *object, unsigned int events);

static void stream_free(struct stream *s) TAKES(1);
DEFINE_AUTO(struct stream, stream_free)
static void stream_free(struct stream *s)
{
	if (s == NULL)
		return;
	if (s->fd >= 0)
		close(s->fd);
	mem_free(s->out);
	mem_free(s);
}

static void stream_bury(struct dead *d)
{
	stream_free(PARENT_OF(d, struct stream, dead));
}

static void stream_drop(struct stream *s)
{
	struct loop *l = s->he->host.loop;

	if (s->closed)
		return;
	s->closed = true;
	loop_unwatch(l, &s->read_watch);
	loop_unwatch(l, &s->write_watch);
	stream_retire(l, s->self);
	close(s->fd);
	s->fd = -1;
	HOST_UNLINK(s);
	loop_bury(l, &s->dead, stream_bury);
}

/* The stream ends by itself, and its user is told. */
static void stream_end(struct stream *s, enum err e)
{
	struct loop *l = s->he->host.loop;
	void *object;

	if (s->closed)
		return;
	object = s->adopted ? loop_slot_get(l, s->ev.type, s->ev.who) : NULL;
	stream_drop(s);
	if (object != NULL)
		s->ev.closed(l, object, s->self, e);
}

static enum err stream_errno(int e)
{
	return e == ECONNREFUSED ? ERR_REFUSED : sock_errno(e);
}

/* The user, or NULL after the stream was dropped because it has none any more. */
static void *stream_user(struct loop *l, struct stream *s) BORROWED;
static void *stream_user(struct loop *l, struct stream *s)
{
	void *object = loop_slot_get(l, s->ev.type, s->ev.who);

	if (object == NULL)
		stream_drop(s);
	return object;
}

/* ----------------------------------------------------------------------------------------------------------------- writing */

/* Sends what waits. ERR_NONE: all of it or as much as the kernel takes. */
static enum err send_some(struct stream *s)
{
	while (s->out_len > 0) {
		ssize_t n = send(s->fd, s->out + s->out_at, s->out_len, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n >= 0) {
			s->out_at += (size_t)n;
			s->out_len -= (size_t)n;
		} else if (errno == EAGAIN) {
			return ERR_NONE;
		} else if (errno != EINTR) {
			return stream_errno(errno);
		}
	}
	s->out_at = 0;
	if (s->out_cap > OUT_KEPT) {
		mem_free(MOVE(s->out));
		s->out_cap = 0;
	}
	return ERR_NONE;
}

/* Invariant of an open stream: when octets wait, then for the end of the turn or for the socket to become writable. */
static void stream_flush(struct loop *l, struct stream *s)
{
	bool waited = s->out_len > 0;
	enum err e = send_some(s);
	void *object;

	if (e != ERR_NONE) {
		stream_end(s, e);
	} else if (s->out_len > 0) {
		if (s->write_watch.v == 0 &&
		    !OK(loop_watch(l, &stream_loop_type, s->self.v, s->fd, LOOP_WRITE, stream_ready_to_write, &s->write_watch)))
			stream_end(s, ERR_NOMEM);
	} else {
		loop_unwatch(l, &s->write_watch);
		if (waited && (object = stream_user(l, s)) != NULL && s->ev.drained != NULL)
			s->ev.drained(l, object, s->self);
	}
}

static void flush_at_end(struct loop *l, void *object)
{
	struct stream *s = (struct stream *)object;

	s->flush_asked = false;
	if (!s->closed && !s->connecting && s->adopted)
		stream_flush(l, s);
}

static bool ask_flush(struct stream *s)
{
	if (!s->flush_asked && !s->connecting && s->write_watch.v == 0)
		s->flush_asked = OK(loop_at_turn_end(s->he->host.loop, &stream_loop_type, s->self.v, flush_at_end));
	return s->flush_asked || s->connecting || s->write_watch.v != 0;
}

static bool make_room(struct stream *s, size_t n)
{
	size_t cap = s->out_cap != 0 ? s->out_cap : OUT_FIRST;
	void *p = s->out;

	if (s->out_cap - s->out_at - s->out_len >= n)
		return true;
	if (s->out_at > 0 && s->out_len > 0)
		memmove(s->out, s->out + s->out_at, s->out_len);
	s->out_at = 0;
	while (cap < s->out_len + n)
		cap *= 2;
	if (cap == s->out_cap)
		return true;
	if (!OK(mem_resize(&p, s->out_cap, cap, 1)))
		return false;
	s->out = (uint8_t *)p;
	s->out_cap = cap;
	return true;
}

RESULT event_stream_write(struct host *h, stream_h handle, struct span octets)
{
	struct stream *s = stream_get(h->loop, handle);

	if (s == NULL)
		return FAIL(ERR_CLOSED);
	if (octets.n == 0)
		return DONE;
	if (octets.n > s->he->max_unsent || s->out_len > s->he->max_unsent - octets.n)
		return FAIL(ERR_LIMIT);
	if (!make_room(s, octets.n))
		return FAIL(ERR_NOMEM);
	memcpy(s->out + s->out_at + s->out_len, octets.p, octets.n);
	s->out_len += octets.n;
	if (!ask_flush(s)) {
		s->out_len -= octets.n;
		return FAIL(ERR_NOMEM);
	}
	return DONE;
}

size_t event_stream_unsent(struct host *h, stream_h handle)
{
	const struct stream *s = stream_get(h->loop, handle);

	return s != NULL ? s->out_len : 0;
}

/* ----------------------------------------------------------------------------------------------------------------- reading */

static bool set_reading(struct loop *l, struct stream *s)
{
	bool want = s->adopted && !s->connecting && !s->paused;

	if (!want)
		loop_unwatch(l, &s->read_watch);
	else if (s->read_watch.v == 0)
		return OK(loop_watch(l, &stream_loop_type, s->self.v, s->fd, LOOP_READ, stream_ready_to_read, &s->read_watch));
	return true;
}

/* False when nothing more is to be read in this turn. */
static bool read_once(struct loop *l, struct stream *s)
{
	ssize_t n = recv(s->fd, s->he->scratch, HOST_SCRATCH, MSG_DONTWAIT);
	void *object;

	if (n > 0) {
		object = stream_user(l, s);
		if (object == NULL)
			return false;
		s->ev.data(l, object, s->self, span_of(s->he->scratch, (size_t)n));
		return n == HOST_SCRATCH;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n == 0 && s->out_len > 0)
		(void)send_some(s); /* a last try: the other end may still read */
	stream_end(s, n == 0 ? ERR_CLOSED : stream_errno(errno));
	return false;
}

static void stream_ready_to_read(struct loop *l, void *object, unsigned int events)
{
	struct stream *s = (struct stream *)object;

	(void)events;
	for (unsigned int i = 0; i < READS_PER_TURN && !s->closed && !s->paused; i++)
		if (!read_once(l, s))
			break;
}

static void end_without_memory(struct loop *l, void *object)
{
	(void)l;
	stream_end((struct stream *)object, ERR_NOMEM);
}

void event_stream_pause(struct host *h, stream_h handle, bool paused)
{
	struct stream *s = stream_get(h->loop, handle);

	if (s == NULL || s->paused == paused)
		return;
	s->paused = paused;
	if (!set_reading(h->loop, s) && !OK(loop_at_turn_end(h->loop, &stream_loop_type, s->self.v, end_without_memory)))
		s->paused = true;
}

/* -------------------------------------------------------------------------------------------------------------- connecting */

static void connect_done(struct loop *l, struct stream *s)
{
	int e = 0;
	socklen_t n = sizeof e;
	void *object;

	if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &e, &n) != 0)
		e = errno;
	if (e != 0) {
		stream_end(s, stream_errno(e));
		return;
	}
	s->connecting = false;
	loop_unwatch(l, &s->write_watch);
	if (!set_reading(l, s)) {
		stream_end(s, ERR_NOMEM);
		return;
	}
	object = stream_user(l, s);
	if (object == NULL)
		return;
	s->ev.connected(l, object, s->self);
	if (!s->closed && s->out_len > 0 && !ask_flush(s))
		stream_end(s, ERR_NOMEM);
}

static void stream_ready_to_write(struct loop *l, void *object, unsigned int events)
{
	struct stream *s = (struct stream *)object;

	(void)events;
	if (s->connecting)
		connect_done(l, s);
	else
		stream_flush(l, s);
}

static RESULT connect_path(struct stream *s, const char *path)
{
	struct sockaddr_un name;

	TRY(sock_name_path(path, &name));
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		return FAIL(sock_errno(errno));
	/* EAGAIN: too many wait there to be accepted */
	return connect(s->fd, (const struct sockaddr *)&name, sizeof name) == 0 ? DONE : FAIL(stream_errno(errno));
}

static RESULT start_connect(struct stream *s, const struct exchange_options *o)
{
	union sock_name to, own;
	socklen_t len = sock_name_set(&to, &o->to);
	struct endpoint from = { .a = o->from };

	if (o->path != NULL)
		return connect_path(s, o->path);
	if (len == 0)
		return FAIL(ERR_RANGE);
	s->fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		return FAIL(sock_errno(errno));
	sock_try_option(s->fd, IPPROTO_TCP, TCP_NODELAY, 1);
	if (o->mss != 0)
		sock_try_option(s->fd, IPPROTO_TCP, TCP_MAXSEG, o->mss);
	if (from.a.family != ADDR_NONE) {
		if (from.a.family != o->to.a.family)
			return FAIL(ERR_RANGE);
		sock_try_option(s->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
		if (bind(s->fd, &own.any, sock_name_set(&own, &from)) != 0)
			return FAIL(sock_errno(errno));
	}
	if (connect(s->fd, &to.any, len) != 0 && errno != EINPROGRESS)
		return FAIL(stream_errno(errno));
	return DONE;
}

/* Gives s its handle and its place in the host's list, which owns it from here on. */
static RESULT stream_enter(struct host_event *he, struct stream *s) TAKES(2);
static RESULT stream_enter(struct host_event *he, struct stream *s)
{
	AUTO(stream_free) struct stream *own = s;

	own->he = he;
	own->self = stream_enlist(he->host.loop, own);
	if (own->self.v == 0)
		return FAIL(ERR_NOMEM);
	HOST_LINK(&he->streams, own);
	return DONE;
}

RESULT event_connect(struct host *h, const struct exchange_options *o, const struct stream_events *ev, stream_h *ret)
{
	struct host_event *he = host_event_of(h);
	AUTO(stream_free) struct stream *s = (struct stream *)mem_alloc(sizeof *s);
	struct stream *entered;
	struct result r;

	if (s == NULL)
		return FAIL(ERR_NOMEM);
	s->fd = -1;
	r = start_connect(s, o);
	if (r.e == ERR_LIMIT)
		he->host.counts.no_descriptor++;
	TRY(r);
	s->connecting = true;
	s->adopted = true;
	s->ev = *ev;
	entered = s;
	TRY(stream_enter(he, MOVE(s)));
	r = loop_watch(
		h->loop, &stream_loop_type, entered->self.v, entered->fd, LOOP_WRITE, stream_ready_to_write, &entered->write_watch);
	if (!OK(r)) {
		stream_drop(entered);
		return r;
	}
	he->host.counts.streams_opened++;
	*ret = entered->self;
	return DONE;
}

/* ---------------------------------------------------------------------------------------------- accepted ones, and closing */

RESULT event_stream_new(struct host_event *he, int fd, stream_h *ret)
{
	AUTO(stream_free) struct stream *s = (struct stream *)mem_alloc(sizeof *s);
	struct stream *entered = s;

	if (s == NULL) {
		close(fd);
		return FAIL(ERR_NOMEM);
	}
	s->fd = fd;
	sock_try_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	TRY(stream_enter(he, MOVE(s)));
	*ret = entered->self;
	return DONE;
}

RESULT event_stream_adopt(struct host *h, stream_h handle, const struct stream_events *ev)
{
	struct stream *s = stream_get(h->loop, handle);

	if (s == NULL)
		return FAIL(ERR_CLOSED);
	s->ev = *ev;
	s->adopted = true;
	if (set_reading(h->loop, s))
		return DONE;
	s->adopted = false;
	return FAIL(ERR_NOMEM);
}

bool event_stream_adopted(struct host *h, stream_h handle)
{
	const struct stream *s = stream_get(h->loop, handle);

	return s != NULL && s->adopted;
}

void event_stream_close(struct host *h, stream_h handle)
{
	struct stream *s = stream_get(h->loop, handle);

	if (s == NULL)
		return;
	if (s->out_len > 0 && !s->connecting && s->write_watch.v == 0)
		(void)send_some(s); /* what this turn wrote */
	stream_drop(s);
}

void event_close_streams(struct host_event *he)
{
	while (he->streams != NULL)
		event_stream_close(&he->host, he->streams->self);
}
