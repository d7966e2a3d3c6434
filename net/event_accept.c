/*
 * event_accept.c: listening for TCP. When descriptors run out, the reserve is lent for a moment to accept and close one
 * connection, so that the other end knows, and then accepting rests for a while instead of spinning.
 */
#include "net/event_host.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define ACCEPTS_PER_TURN 32u
#define REST_MS 100u

struct acceptor {
	struct host_event *he PARENT_FIELD;
	struct acceptor *next OWNED_FIELD;
	struct acceptor **at PARENT_FIELD;
	struct dead dead;
	acceptor_h self;
	watch_h watch;
	timer_h rest;
	int fd;
	bool closed, paused, resting, wildcard;
	struct endpoint bound;
	const struct loop_type *type BORROWED_FIELD;
	uint64_t who;
	host_accept_fn *fn;
};

static void acceptor_free(struct acceptor *a) TAKES(1);
DEFINE_AUTO(struct acceptor, acceptor_free)
static void acceptor_free(struct acceptor *a)
{
	if (a == NULL)
		return;
	if (a->fd >= 0)
		close(a->fd);
	mem_free(a);
}

static void acceptor_bury(struct dead *d)
{
	acceptor_free(PARENT_OF(d, struct acceptor, dead));
}

static void acceptor_ready(struct loop *l, void *object, unsigned int events);
static void rest_over(struct loop *l, void *object);

/* Without memory for the watch the acceptor rests and tries again. */
static void set_watch(struct loop *l, struct acceptor *a)
{
	if (a->paused || a->resting) {
		loop_unwatch(l, &a->watch);
		return;
	}
	if (a->watch.v != 0 || OK(loop_watch(l, &acceptor_loop_type, a->self.v, a->fd, LOOP_READ, acceptor_ready, &a->watch)))
		return;
	a->resting = OK(loop_timer(l, &acceptor_loop_type, a->self.v, rest_over, REST_MS, &a->rest));
}

static void rest_over(struct loop *l, void *object)
{
	struct acceptor *a = (struct acceptor *)object;

	a->rest.v = 0;
	a->resting = false;
	set_watch(l, a);
}

static void take_rest(struct loop *l, struct acceptor *a)
{
	if (a->resting || a->closed)
		return;
	a->resting = OK(loop_timer(l, &acceptor_loop_type, a->self.v, rest_over, REST_MS, &a->rest));
	set_watch(l, a);
}

static void shed_one(struct acceptor *a)
{
	struct host_event *he = a->he;
	int fd;

	if (he->reserve_fd >= 0)
		close(he->reserve_fd);
	fd = accept4(a->fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		close(fd);
	he->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	he->host.counts.accepts_shed++;
}

static void local_of(const struct acceptor *a, int fd, struct endpoint *ret)
{
	union sock_name name = { .v6 = { .sin6_family = AF_UNSPEC } };
	socklen_t len = sizeof name;

	*ret = a->bound;
	if (a->wildcard && getsockname(fd, &name.any, &len) == 0)
		sock_name_get(&name, ret);
}

static void hand_up(struct loop *l, struct acceptor *a, int fd, const union sock_name *name)
{
	struct host *h = &a->he->host;
	struct endpoint from, local;
	stream_h s;
	void *object;

	sock_name_get(name, &from);
	local_of(a, fd, &local);
	if (!OK(event_stream_new(a->he, fd, &s))) {
		h->counts.accepts_shed++;
		return;
	}
	h->counts.streams_accepted++;
	object = loop_slot_get(l, a->type, a->who);
	if (object != NULL)
		a->fn(l, object, a->self, s, &from, &local);
	if (!event_stream_adopted(h, s))
		event_stream_close(h, s);
}

/* False when there is nothing more to accept for now. */
static bool accept_one(struct loop *l, struct acceptor *a)
{
	union sock_name name = { .v6 = { .sin6_family = AF_UNSPEC } };
	socklen_t len = sizeof name;
	int fd = accept4(a->fd, &name.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0) {
		hand_up(l, a, fd, &name);
		return true;
	}
	if (errno == EAGAIN)
		return false;
	if (sock_errno(errno) == ERR_LIMIT) {
		a->he->host.counts.no_descriptor++;
		shed_one(a);
		take_rest(l, a);
		return false;
	}
	return true; /* that connection is gone already */
}

static void acceptor_ready(struct loop *l, void *object, unsigned int events)
{
	struct acceptor *a = (struct acceptor *)object;

	(void)events;
	for (unsigned int i = 0; i < ACCEPTS_PER_TURN && !a->closed && !a->paused; i++)
		if (!accept_one(l, a))
			break;
}

RESULT event_accept(struct host *h, const struct listen_options *o, const struct loop_type *t, uint64_t who, host_accept_fn *fn,
	acceptor_h *ret)
{
	struct host_event *he = host_event_of(h);
	AUTO(acceptor_free) struct acceptor *a = (struct acceptor *)mem_alloc(sizeof *a);
	struct result r;

	if (a == NULL) {
		if (o->is_open)
			(void)close(o->fd);
		return FAIL(ERR_NOMEM);
	}
	a->fd = -1;
	a->he = he;
	a->type = t;
	a->who = who;
	a->fn = fn;
	a->bound = o->at;
	a->wildcard = o->path == NULL && (o->at.port == 0 || addr_is_unspecified(&o->at.a));
	if (o->is_open)
		a->fd = o->fd;
	else
		TRY(sock_listen_stream(o, &a->fd));
	a->self = acceptor_enlist(h->loop, a);
	if (a->self.v == 0)
		return FAIL(ERR_NOMEM);
	r = loop_watch(h->loop, &acceptor_loop_type, a->self.v, a->fd, LOOP_READ, acceptor_ready, &a->watch);
	if (!OK(r)) {
		acceptor_retire(h->loop, a->self);
		return r;
	}
	*ret = a->self;
	HOST_LINK(&he->acceptors, a);
	return DONE;
}

void event_accept_pause(struct host *h, acceptor_h handle, bool paused)
{
	struct acceptor *a = acceptor_get(h->loop, handle);

	if (a == NULL || a->paused == paused)
		return;
	a->paused = paused;
	set_watch(h->loop, a);
}

void event_accept_close(struct host *h, acceptor_h handle)
{
	struct acceptor *a = acceptor_get(h->loop, handle);

	if (a == NULL)
		return;
	a->closed = true;
	loop_unwatch(h->loop, &a->watch);
	loop_timer_stop(h->loop, &a->rest);
	acceptor_retire(h->loop, a->self);
	close(a->fd);
	a->fd = -1;
	HOST_UNLINK(a);
	loop_bury(h->loop, &a->dead, acceptor_bury);
}

void event_close_acceptors(struct host_event *he)
{
	while (he->acceptors != NULL)
		event_accept_close(&he->host, he->acceptors->self);
}
