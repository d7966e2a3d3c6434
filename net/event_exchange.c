/*
 * event_exchange.c: one UDP question to one server, from a socket of its own whose port is drawn by us, not by the kernel, from
 * the whole range. The socket is connected, so the kernel drops what comes from elsewhere; what slipped in between bind and
 * connect is dropped here.
 */
#include "net/event_host.h"

#include <errno.h>
#include <unistd.h>

#include "base/rng.h"

#define PORT_FIRST 1024u
#define PORT_DRAWS 32u   /* before "no port" is said: with half of all ports taken one question in 2^32 fails */
#define PACKETS_PER_TURN 16u

struct exchange {
	struct host_event *he PARENT_FIELD;
	struct exchange *next OWNED_FIELD;
	struct exchange **at PARENT_FIELD;
	struct dead dead;
	exchange_h self;
	watch_h watch;
	int fd;
	bool closed, refuse_fragments;
	struct endpoint to;
	struct exchange_events ev;
};

static void exchange_free(struct exchange *x) TAKES(1);
DEFINE_AUTO(struct exchange, exchange_free)
static void exchange_free(struct exchange *x)
{
	if (x == NULL)
		return;
	if (x->fd >= 0)
		close(x->fd);
	mem_free(x);
}

static void exchange_bury(struct dead *d)
{
	exchange_free(PARENT_OF(d, struct exchange, dead));
}

RESULT host_event_permit_ports(struct host *h, const uint8_t (*permitted)[8192])
{
	struct host_event *he = host_event_of(h);
	AUTO(mem_free) void *made = NULL;
	uint16_t *ports;
	uint32_t n = 0;

	if (permitted == NULL) {
		mem_free(MOVE(he->ports));
		he->port_count = 0;
		return DONE;
	}
	for (uint32_t p = 1; p < 65536; p++)
		n += (*permitted)[p / 8] >> p % 8 & 1;
	if (n == 0)
		return FAIL(ERR_RANGE);
	made = mem_alloc_array(n, sizeof *ports);
	if (made == NULL)
		return FAIL(ERR_NOMEM);
	ports = (uint16_t *)made;
	n = 0;
	for (uint32_t p = 1; p < 65536; p++)
		if (((*permitted)[p / 8] >> p % 8 & 1) != 0)
			ports[n++] = (uint16_t)p;
	mem_free(MOVE(he->ports));
	he->ports = (uint16_t *)MOVE(made);
	he->port_count = n;
	return DONE;
}

static uint16_t draw_port(struct host_event *he)
{
	struct rng *r = loop_rng(he->host.loop);

	if (he->ports != NULL)
		return he->ports[rng_below(r, he->port_count)];
	return (uint16_t)(PORT_FIRST + rng_below(r, 65536 - PORT_FIRST));
}

/* Binds to a port that is ours alone. */
static RESULT bind_drawn(struct host_event *he, int fd, const struct exchange_options *o)
{
	for (unsigned int i = 0; i < PORT_DRAWS; i++) {
		struct endpoint own = { .a = o->from, .port = draw_port(he) };
		union sock_name name;
		socklen_t len;

		if (own.a.family == ADDR_NONE)
			own.a.family = o->to.a.family;
		else if (own.a.family != o->to.a.family)
			return FAIL(ERR_RANGE);
		len = sock_name_set(&name, &own);
		if (bind(fd, &name.any, len) == 0)
			return DONE;
		if (errno != EADDRINUSE && errno != EACCES) /* EACCES: a port that this host reserves */
			return FAIL(sock_errno(errno));
		he->host.counts.exchange_port_taken++;
	}
	return FAIL(ERR_LIMIT);
}

static RESULT open_socket(struct host_event *he, const struct exchange_options *o, struct exchange *x)
{
	union sock_name to;
	socklen_t len = sock_name_set(&to, &o->to);

	if (len == 0)
		return FAIL(ERR_RANGE);
	x->fd = socket(to.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (x->fd < 0)
		return FAIL(sock_errno(errno));
	if (o->no_fragment) {
		sock_ignore_path_mtu(x->fd, to.any.sa_family);
		if (to.any.sa_family == AF_INET)
			sock_try_option(x->fd, IPPROTO_IP, IP_RECVFRAGSIZE, 1);
		else
			sock_try_option(x->fd, IPPROTO_IPV6, IPV6_RECVFRAGSIZE, 1);
	}
	TRY(bind_drawn(he, x->fd, o));
	return connect(x->fd, &to.any, len) == 0 ? DONE : FAIL(sock_errno(errno));
}

static bool came_in_fragments(struct msghdr *h)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c != NULL; c = CMSG_NXTHDR(h, c))
		if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVFRAGSIZE) ||
		    (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVFRAGSIZE))
			return true;
	return false;
}

static void tell_error(struct loop *l, struct exchange *x, enum err e)
{
	void *object = loop_slot_get(l, x->ev.type, x->ev.who);

	if (object != NULL)
		x->ev.error(l, object, x->self, e);
}

static void take_packet(struct loop *l, struct exchange *x, struct msghdr *h, const union sock_name *name, size_t n)
{
	struct endpoint from;
	void *object;

	sock_name_get(name, &from);
	if (from.port != x->to.port || !addr_equal(&from.a, &x->to.a)) {
		x->he->host.counts.exchange_foreign++;
	} else if (x->refuse_fragments && came_in_fragments(h)) {
		x->he->host.counts.exchange_fragmented++;
		tell_error(l, x, ERR_REFUSED);
	} else {
		object = loop_slot_get(l, x->ev.type, x->ev.who);
		if (object != NULL)
			x->ev.packet(l, object, x->self, span_of(x->he->scratch, n));
	}
}

/* False when nothing more is there. */
static bool receive_one(struct loop *l, struct exchange *x)
{
	union {
		uint8_t octets[CMSG_SPACE(sizeof(int)) * 2];
		struct cmsghdr align;
	} control;
	union sock_name name = { .v6 = { .sin6_family = AF_UNSPEC } };
	struct iovec iov = { x->he->scratch, HOST_SCRATCH };
	struct msghdr h = { .msg_name = &name, .msg_namelen = sizeof name, .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (x->refuse_fragments) {
		h.msg_control = &control;
		h.msg_controllen = sizeof control;
	}
	n = recvmsg(x->fd, &h, MSG_DONTWAIT);
	if (n >= 0) {
		take_packet(l, x, &h, &name, (size_t)n);
		return true;
	}
	if (errno == EAGAIN)
		return false;
	if (errno != EINTR) {
		x->he->host.counts.exchange_unreachable++;
		tell_error(l, x, ERR_SYSTEM);
	}
	return true;
}

static void exchange_ready(struct loop *l, void *object, unsigned int events)
{
	struct exchange *x = (struct exchange *)object;

	(void)events;
	for (unsigned int i = 0; i < PACKETS_PER_TURN && !x->closed; i++)
		if (!receive_one(l, x))
			break;
}

/* A packet that the kernel has no buffer for is one that got lost on the way: the asker's timer sees to it. */
static RESULT send_packet(struct exchange *x, struct span packet)
{
	if (send(x->fd, packet.p, packet.n, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return DONE;
	return errno == EAGAIN || errno == ENOBUFS || errno == EINTR ? DONE : FAIL(sock_errno(errno));
}

RESULT event_ask(
	struct host *h, const struct exchange_options *o, struct span packet, const struct exchange_events *ev, exchange_h *ret)
{
	struct host_event *he = host_event_of(h);
	AUTO(exchange_free) struct exchange *x = (struct exchange *)mem_alloc(sizeof *x);
	struct result r;

	if (x == NULL)
		return FAIL(ERR_NOMEM);
	x->fd = -1;
	x->he = he;
	x->to = o->to;
	x->ev = *ev;
	x->refuse_fragments = o->no_fragment;
	r = open_socket(he, o, x);
	if (r.e == ERR_LIMIT)
		he->host.counts.no_descriptor++;
	TRY(r);
	x->self = exchange_enlist(h->loop, x);
	if (x->self.v == 0)
		return FAIL(ERR_NOMEM);
	r = loop_watch(h->loop, &exchange_loop_type, x->self.v, x->fd, LOOP_READ, exchange_ready, &x->watch);
	if (OK(r))
		r = send_packet(x, packet);
	if (!OK(r)) {
		loop_unwatch(h->loop, &x->watch);
		exchange_retire(h->loop, x->self);
		return r;
	}
	he->host.counts.exchanges++;
	*ret = x->self;
	HOST_LINK(&he->exchanges, x);
	return DONE;
}

void event_ask_close(struct host *h, exchange_h handle)
{
	struct exchange *x = exchange_get(h->loop, handle);

	if (x == NULL)
		return;
	x->closed = true;
	loop_unwatch(h->loop, &x->watch);
	exchange_retire(h->loop, x->self);
	close(x->fd);
	x->fd = -1;
	HOST_UNLINK(x);
	loop_bury(h->loop, &x->dead, exchange_bury);
}

void event_close_exchanges(struct host_event *he)
{
	while (he->exchanges != NULL)
		event_ask_close(&he->host, he->exchanges->self);
}
