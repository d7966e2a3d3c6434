/*
 * event_exchange.c: one UDP question to one server, from a socket of its own whose port is drawn by us, not by the kernel, from
 * the whole range. The socket is connected, so the kernel drops what comes from elsewhere; what slipped in between bind and
 * connect is dropped here, and so is all of that for a socket that is to stay unconnected (udp-connect: no), which never rests.
 *
 * Making, watching and closing a socket costs three times what it costs to give one another port, and a port that was bound by its
 * number is never given up. So where the kernel lets us (Linux 6.3, and within net.ipv4.ip_local_port_range), we draw the port's
 * block of 64 and the kernel, when it connects, the port in it: each port is as likely as before. Such a socket is disconnected
 * when its question is over, which gives the port up, and rests, still watched, until the next question.
 */
#include "net/event_host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/rng.h"

#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51 /* linux/in.h, since 6.3 */
#endif

#define PORT_FIRST 1024u
#define PORT_BLOCK 64u
#define PORT_DRAWS 32u   /* before "no port" is said: with half of all ports taken one question in 2^32 fails */
#define PACKETS_PER_TURN 16u

struct exchange {
	struct host_event *he PARENT_FIELD;
	struct exchange *next OWNED_FIELD;
	struct exchange **at PARENT_FIELD;
	struct dead dead;
	exchange_h self; /* the question's; {0}: at rest */
	uint64_t sock;   /* the slot of the socket: its events, and those alone */
	watch_h watch;
	int fd;
	sa_family_t family;
	bool refuse_fragments;
	bool tied; /* to its port for good */
	struct endpoint to;
	struct exchange_events ev;
};

static const struct loop_type socket_type = { "socket of an exchange" };

static void exchange_free(struct exchange *x) TAKES(1);
DEFINE_AUTO(struct exchange, exchange_free)
static void exchange_free(struct exchange *x)
{
	if (x == NULL)
		return;
	if (x->sock != 0) {
		loop_unwatch(x->he->host.loop, &x->watch);
		loop_slot_retire(x->he->host.loop, x->sock);
	}
	if (x->fd >= 0)
		close(x->fd);
	mem_free(x);
}

static void exchange_bury(struct dead *d)
{
	exchange_free(PARENT_OF(d, struct exchange, dead));
}

static void find_whole_blocks(struct host_event *he, const uint8_t (*permitted)[8192])
{
	memset(he->whole, 0, sizeof he->whole);
	for (uint32_t b = PORT_FIRST / PORT_BLOCK; b < HOST_PORT_BLOCKS; b++) {
		bool whole = true;

		for (uint32_t i = 0; permitted != NULL && i < PORT_BLOCK / 8; i++)
			whole &= (*permitted)[b * (PORT_BLOCK / 8) + i] == 0xff;
		he->whole[b / 8] |= (uint8_t)(whole << b % 8);
	}
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
		find_whole_blocks(he, NULL);
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
	find_whole_blocks(he, permitted);
	return DONE;
}

/* What the kernel draws ports from. 0 to 0 when it does not say. */
static void read_port_range(struct host_event *he)
{
	int fd = open("/proc/sys/net/ipv4/ip_local_port_range", O_RDONLY | O_CLOEXEC);
	char text[64];
	ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
	unsigned long first, last;
	char *end;

	if (fd >= 0)
		close(fd);
	he->kernel_first = he->kernel_last = 0;
	if (n <= 0)
		return;
	text[n] = '\0';
	first = strtoul(text, &end, 10);
	last = strtoul(end, NULL, 10);
	if (first > 0 && first <= last && last <= UINT16_MAX) {
		he->kernel_first = (uint16_t)first;
		he->kernel_last = (uint16_t)last;
	}
}

void host_event_rest(struct host *h, uint32_t most)
{
	struct host_event *he = host_event_of(h);

	if (he->ports == NULL)
		find_whole_blocks(he, NULL);
	read_port_range(he);
	he->rest_most = most;
}

static uint16_t draw_port(struct host_event *he)
{
	struct rng *r = loop_rng(he->host.loop);

	if (he->ports != NULL)
		return he->ports[rng_below(r, he->port_count)];
	return (uint16_t)(PORT_FIRST + rng_below(r, 65536 - PORT_FIRST));
}

/* Binds to a port that is ours alone, the given one first. */
static RESULT bind_drawn(struct host_event *he, int fd, const struct exchange_options *o, uint16_t port)
{
	for (unsigned int i = 0; i < PORT_DRAWS; i++) {
		struct endpoint own = { .a = o->from, .port = port };
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
		port = draw_port(he);
	}
	return FAIL(ERR_LIMIT);
}

/* The block of the port, as IP_LOCAL_PORT_RANGE has it; 0 when the kernel may not draw from all of it. */
static uint32_t block_of(const struct host_event *he, const struct exchange_options *o, uint16_t port)
{
	uint32_t block = port / PORT_BLOCK, first = block * PORT_BLOCK, last = first + PORT_BLOCK - 1;

	if (he->rest_most == 0 || o->from.family != ADDR_NONE || o->unconnected || first < he->kernel_first || last > he->kernel_last ||
		(he->whole[block / 8] >> block % 8 & 1) == 0)
		return 0;
	return last << 16 | first;
}

static RESULT make_socket(struct exchange *x)
{
	x->fd = socket(x->family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (x->fd < 0)
		return FAIL(sock_errno(errno));
	if (!x->refuse_fragments)
		return DONE;
	sock_ignore_path_mtu(x->fd, x->family);
	if (x->family == AF_INET)
		sock_try_option(x->fd, IPPROTO_IP, IP_RECVFRAGSIZE, 1);
	else
		sock_try_option(x->fd, IPPROTO_IPV6, IPV6_RECVFRAGSIZE, 1);
	return DONE;
}

/* Connects from a port that the kernel draws from the block. ERR_LIMIT: it has none of them, or cannot do that at all. */
static RESULT connect_from_block(struct exchange *x, uint32_t block, const union sock_name *to, socklen_t len)
{
	if (setsockopt(x->fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &block, sizeof block) != 0) {
		x->he->kernel_first = x->he->kernel_last = 0;
		return FAIL(ERR_LIMIT);
	}
	if (connect(x->fd, &to->any, len) == 0)
		return DONE;
	if (errno != EAGAIN)
		return FAIL(sock_errno(errno));
	x->he->host.counts.exchange_port_taken++;
	return FAIL(ERR_LIMIT);
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

/* Reads away what came for a question that is over. False: it does not end. */
static bool is_emptied(const struct exchange *x)
{
	for (unsigned int i = 0; i < PACKETS_PER_TURN; i++)
		if (recv(x->fd, x->he->scratch, HOST_SCRATCH, MSG_DONTWAIT) < 0 && errno == EAGAIN)
			return true;
	return false;
}

/* Closes the socket of what is in no list. It may be one whose packets are being read, further up: so it stays until the turn is over. */
static void exchange_close(struct exchange *x) TAKES(1);
static void exchange_close(struct exchange *x)
{
	struct loop *l = x->he->host.loop;

	loop_unwatch(l, &x->watch);
	loop_slot_retire(l, x->sock);
	x->sock = 0;
	close(x->fd);
	x->fd = -1;
	loop_bury(l, &x->dead, exchange_bury);
}

/* Of a question or at rest. */
static void exchange_end(struct exchange *x)
{
	struct host_event *he = x->he;
	AUTO(exchange_free) struct exchange *mine = NULL;

	if (x->self.v != 0)
		exchange_retire(he->host.loop, x->self);
	else
		he->rest_count--;
	x->self.v = 0;
	mine = MOVE(*x->at);
	HOST_UNLINK(mine);
	exchange_close(MOVE(mine));
}

static void exchange_ready(struct loop *l, void *object, unsigned int events)
{
	struct exchange *x = (struct exchange *)object;
	exchange_h self = x->self;

	(void)events;
	if (self.v == 0 && !is_emptied(x)) {
		exchange_end(x);
		return;
	}
	for (unsigned int i = 0; i < PACKETS_PER_TURN && x->self.v == self.v && self.v != 0; i++)
		if (!receive_one(l, x))
			break;
}

/* A packet that the kernel has no buffer for is one that got lost on the way: the asker's timer sees to it. */
static RESULT send_packet(struct exchange *x, bool unconnected, struct span packet)
{
	union sock_name to;
	socklen_t len = unconnected ? sock_name_set(&to, &x->to) : 0;

	if (sendto(x->fd, packet.p, packet.n, MSG_DONTWAIT | MSG_NOSIGNAL, unconnected ? &to.any : NULL, len) >= 0)
		return DONE;
	return errno == EAGAIN || errno == ENOBUFS || errno == EINTR ? DONE : FAIL(sock_errno(errno));
}

/* A socket that rests, with nothing in it of the question before. False: none is there. */
static bool wake_one(struct host_event *he, sa_family_t family, bool refuse_fragments, struct exchange **ret)
{
	struct exchange **list = &he->resting[family == AF_INET6][refuse_fragments];

	while (*list != NULL) {
		AUTO(exchange_free) struct exchange *x = NULL;

		if (!is_emptied(*list)) {
			exchange_end(*list);
			continue;
		}
		x = MOVE(*list);
		HOST_UNLINK(x);
		he->rest_count--;
		he->host.counts.exchanges_rested++;
		*ret = MOVE(x);
		return true;
	}
	return false;
}

static RESULT exchange_new(struct host_event *he, sa_family_t family, bool refuse_fragments, struct exchange **ret)
{
	AUTO(exchange_free) struct exchange *x = (struct exchange *)mem_alloc(sizeof *x);
	struct result r;

	if (x == NULL)
		return FAIL(ERR_NOMEM);
	*x = (struct exchange){ .he = he, .fd = -1, .family = family, .refuse_fragments = refuse_fragments };
	r = make_socket(x);
	if (r.e == ERR_LIMIT)
		he->host.counts.no_descriptor++;
	TRY(r);
	x->sock = loop_slot_add(he->host.loop, &socket_type, x);
	if (x->sock == 0)
		return FAIL(ERR_NOMEM);
	TRY(loop_watch(he->host.loop, &socket_type, x->sock, x->fd, LOOP_READ, exchange_ready, &x->watch));
	*ret = MOVE(x);
	return DONE;
}

static RESULT connect_somehow(struct exchange *x, const struct exchange_options *o, uint16_t port, uint32_t block)
{
	union sock_name to;
	socklen_t len = sock_name_set(&to, &o->to);
	struct result r;

	if (block != 0) {
		r = connect_from_block(x, block, &to, len);
		if (r.e != ERR_LIMIT)
			return r;
	}
	x->tied = true;
	TRY(bind_drawn(x->he, x->fd, o, port));
	return o->unconnected || connect(x->fd, &to.any, len) == 0 ? DONE : FAIL(sock_errno(errno));
}

RESULT event_ask(
	struct host *h, const struct exchange_options *o, struct span packet, const struct exchange_events *ev, exchange_h *ret)
{
	struct host_event *he = host_event_of(h);
	AUTO(exchange_free) struct exchange *x = NULL;
	sa_family_t family = o->to.a.family == ADDR_V6 ? AF_INET6 : AF_INET;
	uint16_t port = draw_port(he);
	uint32_t block = block_of(he, o, port);
	struct result r;

	if (o->to.a.family == ADDR_NONE)
		return FAIL(ERR_RANGE);
	if (block == 0 || !wake_one(he, family, o->no_fragment, &x))
		TRY(exchange_new(he, family, o->no_fragment, &x));
	x->to = o->to;
	x->ev = *ev;
	r = connect_somehow(x, o, port, block);
	if (OK(r))
		r = send_packet(x, o->unconnected, packet);
	if (OK(r)) {
		x->self = exchange_enlist(h->loop, x);
		r = x->self.v != 0 ? DONE : FAIL(ERR_NOMEM);
	}
	if (!OK(r)) {
		exchange_close(MOVE(x));
		return r;
	}
	he->host.counts.exchanges++;
	*ret = x->self;
	HOST_LINK(&he->exchanges, x);
	return DONE;
}

/* Gives its port up, so that it can have another one. */
static bool goes_to_rest(const struct exchange *x)
{
	static const struct sockaddr nobody = { .sa_family = AF_UNSPEC };

	return !x->tied && x->he->rest_count < x->he->rest_most && connect(x->fd, &nobody, sizeof nobody) == 0;
}

void event_ask_close(struct host *h, exchange_h handle)
{
	struct exchange *x = exchange_get(h->loop, handle), **list;
	AUTO(exchange_free) struct exchange *mine = NULL;

	if (x == NULL)
		return;
	if (!goes_to_rest(x)) {
		exchange_end(x);
		return;
	}
	exchange_retire(h->loop, handle);
	x->self.v = 0;
	list = &x->he->resting[x->family == AF_INET6][x->refuse_fragments];
	mine = MOVE(*x->at);
	HOST_UNLINK(mine);
	x->he->rest_count++;
	HOST_LINK(list, mine);
}

static void end_list(struct exchange **list)
{
	while (*list != NULL)
		exchange_end(*list);
}

void event_close_exchanges(struct host_event *he)
{
	end_list(&he->exchanges);
	for (unsigned int i = 0; i < 4; i++)
		end_list(&he->resting[i / 2][i % 2]);
}
