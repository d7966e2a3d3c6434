/*
 * event_dgram.c: sockets that clients write to. This is the way of a cache hit, so it costs two system calls a batch and little
 * else: buffers, iovecs and headers are laid out once, datagrams are handed up where the kernel put them, answers are composed
 * where the kernel takes them from.
 *
 * The send batch:    slots  0 .. sent .. queued .. room for more
 *   open      sent == 0; what is committed waits for the flush
 *   blocked   the kernel took `sent` and then no more; the socket is watched for writing. Answers may still be added until the
 *             slots, four batches, are full; then all that waits is dropped and counted
 */
#include "net/event_host.h"

#include <errno.h>
#include <unistd.h>

LOOP_HANDLE_IMPL(dgram_sock)

#define BATCH_DEFAULT 64u
#define BATCH_MOST 1024u
#define DATAGRAM_DEFAULT 4096u
#define DATAGRAM_MOST 65535u
#define BATCHES_PER_TURN 4u /* received before others get their turn */
#define WATCH_AGAIN_MS 10u    /* when memory ran out */
#define BATCHES_KEPT 4u     /* of answers, while the kernel takes none */
#define ANSWER_TYPICAL 1280u

union packet_info {
	uint8_t octets[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	struct cmsghdr align;
};

/* What the kernel says of a datagram. */
union arrival {
	uint8_t octets[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(struct timespec))];
	struct cmsghdr align;
};

struct dgram_sock {
	struct host_event *he PARENT_FIELD;
	struct dgram_sock *next OWNED_FIELD;
	struct dgram_sock **at PARENT_FIELD;
	struct dead dead;
	dgram_sock_h self;
	watch_h watch, write_watch;
	int fd;
	bool v6, wildcard, closed, blocked, flush_asked;
	bool stamped; /* datagrams say when they arrived */
	bool receiving; /* host_datagrams_fn runs; a flush follows */
	timer_h busy;   /* {0}: the kernel tells when there is something to read; else it is asked every turn */

	const struct loop_type *type BORROWED_FIELD;
	uint64_t who;
	host_datagrams_fn *fn;

	unsigned int batch;
	size_t in_cap;
	uint8_t *in_octets OWNED_FIELD;
	struct mmsghdr *in_head OWNED_FIELD;
	struct iovec *in_iov OWNED_FIELD;
	union sock_name *in_from OWNED_FIELD;
	union arrival *in_info OWNED_FIELD; /* NULL when bound to one address and never stamped */
	struct datagram *in OWNED_FIELD;

	unsigned int slots, queued, sent;
	size_t out_cap, out_used;
	uint8_t *out_octets OWNED_FIELD;
	struct mmsghdr *out_head OWNED_FIELD;
	struct iovec *out_iov OWNED_FIELD;
	union sock_name *out_to OWNED_FIELD;
	union packet_info *out_info OWNED_FIELD;
};

static void sock_free(struct dgram_sock *s) TAKES(1);
DEFINE_AUTO(struct dgram_sock, sock_free)
static void sock_free(struct dgram_sock *s)
{
	if (s == NULL)
		return;
	if (s->fd >= 0)
		close(s->fd);
	mem_free(s->in_octets);
	mem_free(s->in_head);
	mem_free(s->in_iov);
	mem_free(s->in_from);
	mem_free(s->in_info);
	mem_free(s->in);
	mem_free(s->out_octets);
	mem_free(s->out_head);
	mem_free(s->out_iov);
	mem_free(s->out_to);
	mem_free(s->out_info);
	mem_free(s);
}

static void sock_bury(struct dead *d)
{
	sock_free(PARENT_OF(d, struct dgram_sock, dead));
}

static bool lay_out_info(struct dgram_sock *s)
{
	s->in_info = (union arrival *)mem_alloc_array(s->batch, sizeof *s->in_info);
	for (unsigned int i = 0; s->in_info != NULL && i < s->batch; i++) {
		s->in_head[i].msg_hdr.msg_control = &s->in_info[i];
		s->in_head[i].msg_hdr.msg_controllen = sizeof s->in_info[i];
	}
	return s->in_info != NULL;
}

/* Receive buffers: an odd number of cache lines apart, so that the first lines of a batch do not fall into one set of the cache. */
static bool lay_out_input(struct dgram_sock *s)
{
	size_t stride = ((s->in_cap + 63) / 64 | 1) * 64;

	s->in_octets = (uint8_t *)mem_alloc_raw(stride * s->batch);
	s->in_head = (struct mmsghdr *)mem_alloc_array(s->batch, sizeof *s->in_head);
	s->in_iov = (struct iovec *)mem_alloc_array(s->batch, sizeof *s->in_iov);
	s->in_from = (union sock_name *)mem_alloc_array(s->batch, sizeof *s->in_from);
	s->in = (struct datagram *)mem_alloc_array(s->batch, sizeof *s->in);
	if (s->in_octets == NULL || s->in_head == NULL || s->in_iov == NULL || s->in_from == NULL || s->in == NULL ||
		(s->wildcard && !lay_out_info(s)))
		return false;
	for (unsigned int i = 0; i < s->batch; i++) {
		struct msghdr *h = &s->in_head[i].msg_hdr;

		s->in_iov[i] = (struct iovec){ s->in_octets + stride * i, s->in_cap };
		h->msg_iov = &s->in_iov[i];
		h->msg_iovlen = 1;
		h->msg_name = &s->in_from[i];
		h->msg_namelen = sizeof s->in_from[i];
	}
	return true;
}

static bool lay_out_output(struct dgram_sock *s)
{
	s->slots = s->batch * BATCHES_KEPT;
	s->out_cap = (size_t)s->slots * ANSWER_TYPICAL;
	if (s->out_cap < 2 * (size_t)DATAGRAM_MOST)
		s->out_cap = 2 * (size_t)DATAGRAM_MOST;
	s->out_octets = (uint8_t *)mem_alloc_raw(s->out_cap);
	s->out_head = (struct mmsghdr *)mem_alloc_array(s->slots, sizeof *s->out_head);
	s->out_iov = (struct iovec *)mem_alloc_array(s->slots, sizeof *s->out_iov);
	s->out_to = (union sock_name *)mem_alloc_array(s->slots, sizeof *s->out_to);
	if (s->wildcard)
		s->out_info = (union packet_info *)mem_alloc_array(s->slots, sizeof *s->out_info);
	if (s->out_octets == NULL || s->out_head == NULL || s->out_iov == NULL || s->out_to == NULL ||
		(s->wildcard && s->out_info == NULL))
		return false;
	for (unsigned int i = 0; i < s->slots; i++) {
		struct msghdr *h = &s->out_head[i].msg_hdr;

		h->msg_iov = &s->out_iov[i];
		h->msg_iovlen = 1;
		h->msg_name = &s->out_to[i];
	}
	return true;
}

/* ----------------------------------------------------------------------------------------------------------------- sending */

static void sock_writable(struct loop *l, void *object, unsigned int events);

static void batch_reset(struct dgram_sock *s)
{
	s->queued = 0;
	s->sent = 0;
	s->out_used = 0;
}

/* Without memory for the watch the batch stays open, and the next flush tries again. */
static void set_blocked(struct dgram_sock *s, bool blocked)
{
	struct loop *l = s->he->host.loop;

	if (s->blocked == blocked)
		return;
	if (blocked) {
		s->blocked = OK(loop_watch(l, &dgram_sock_loop_type, s->self.v, s->fd, LOOP_WRITE, sock_writable, &s->write_watch));
	} else {
		loop_unwatch(l, &s->write_watch);
		s->blocked = false;
	}
}

/* Gives the kernel what waits. One datagram that it refuses for its own sake is skipped. */
static void send_queued(struct dgram_sock *s)
{
	struct host_counts *c = &s->he->host.counts;

	while (s->sent < s->queued) {
		int n = sendmmsg(s->fd, s->out_head + s->sent, s->queued - s->sent, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n > 0) {
			s->sent += (unsigned int)n;
			c->dgrams_out += (unsigned int)n;
			c->dgram_batches_out++;
		} else if (n < 0 && (errno == EAGAIN)) {
			set_blocked(s, true);
			return;
		} else if (n == 0 || errno != EINTR) {
			s->sent++;
			c->dgrams_unsent++;
		}
	}
	batch_reset(s);
	set_blocked(s, false);
}

static void sock_writable(struct loop *l, void *object, unsigned int events)
{
	struct dgram_sock *s = (struct dgram_sock *)object;

	(void)l;
	(void)events;
	send_queued(s);
}

void event_dgram_flush(struct dgram_sock *s)
{
	if (s->queued > s->sent && !s->blocked && !s->closed)
		send_queued(s);
}

static void flush_at_end(struct loop *l, void *object)
{
	struct dgram_sock *s = (struct dgram_sock *)object;

	(void)l;
	s->flush_asked = false;
	event_dgram_flush(s);
}

/* Invariant: after this there is a free slot and cap octets behind out_used. */
static void make_room(struct dgram_sock *s, size_t cap)
{
	if (!s->blocked && (s->queued >= s->batch || s->out_cap - s->out_used < cap))
		event_dgram_flush(s);
	if (s->queued == s->slots || s->out_cap - s->out_used < cap) {
		s->he->host.counts.dgrams_unsent += s->queued - s->sent;
		batch_reset(s);
	}
}

uint8_t *event_dgram_room(struct dgram_sock *s, size_t cap)
{
	if (cap > DATAGRAM_MOST || s->closed)
		return NULL;
	make_room(s, cap);
	return s->out_octets + s->out_used;
}

/* Says which of our addresses the answer leaves from. */
static void set_source(struct dgram_sock *s, unsigned int slot, const struct endpoint *to, const struct addr *local)
{
	struct msghdr *h = &s->out_head[slot].msg_hdr;
	struct cmsghdr *c = &s->out_info[slot].align;

	h->msg_control = NULL;
	h->msg_controllen = 0;
	if (local->family == ADDR_V4 && !s->v6) {
		struct in_pktinfo info = { .ipi_ifindex = 0 };

		memcpy(&info.ipi_spec_dst, local->b, 4);
		*c = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof info), .cmsg_level = IPPROTO_IP, .cmsg_type = IP_PKTINFO };
		memcpy(CMSG_DATA(c), &info, sizeof info);
		h->msg_control = c;
		h->msg_controllen = CMSG_SPACE(sizeof info);
	} else if (local->family == ADDR_V6 && s->v6) {
		struct in6_pktinfo info = { .ipi6_ifindex = to->scope };

		memcpy(&info.ipi6_addr, local->b, 16);
		*c = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof info), .cmsg_level = IPPROTO_IPV6, .cmsg_type = IPV6_PKTINFO };
		memcpy(CMSG_DATA(c), &info, sizeof info);
		h->msg_control = c;
		h->msg_controllen = CMSG_SPACE(sizeof info);
	}
}

void event_dgram_commit(struct dgram_sock *s, size_t len, const struct endpoint *to, const struct addr *local)
{
	unsigned int slot = s->queued;

	if (s->closed || slot == s->slots || len > s->out_cap - s->out_used)
		return;
	s->out_iov[slot] = (struct iovec){ s->out_octets + s->out_used, len };
	s->out_head[slot].msg_hdr.msg_namelen = sock_name_set(&s->out_to[slot], to);
	if (s->wildcard)
		set_source(s, slot, to, local);
	s->queued++;
	s->out_used += (len + 15) & ~(size_t)15;
	if (s->out_used > s->out_cap)
		s->out_used = s->out_cap;
	/* when the hook cannot be had, waiting would be for ever */
	if (!s->flush_asked && !s->receiving) {
		s->flush_asked = OK(loop_at_turn_end(s->he->host.loop, &dgram_sock_loop_type, s->self.v, flush_at_end));
		if (!s->flush_asked)
			event_dgram_flush(s);
	}
}

/* --------------------------------------------------------------------------------------------------------------- receiving */

/* By the wall clock, which may have been set meanwhile: a time in the future is none, and the longest is 71 minutes. */
static uint32_t waited_us(const struct now *now, const struct timespec *arrived)
{
	int64_t us = (now->wall_sec - arrived->tv_sec) * 1000000 + ((int64_t)now->wall_nsec - arrived->tv_nsec) / 1000;

	return us < 0 ? 0 : us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

static void get_arrival(struct msghdr *h, const struct now *now, struct datagram *ret)
{
	ret->local = (struct addr){ .family = ADDR_NONE };
	ret->waited_us = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c != NULL; c = CMSG_NXTHDR(h, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof info);
			ret->local.family = ADDR_V4;
			memcpy(ret->local.b, &info.ipi_spec_dst, 4);
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof info);
			ret->local.family = ADDR_V6;
			memcpy(ret->local.b, &info.ipi6_addr, 16);
		} else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
			struct timespec arrived;

			memcpy(&arrived, CMSG_DATA(c), sizeof arrived);
			ret->waited_us = waited_us(now, &arrived);
		}
	}
}

/* Puts n received headers into s->in and makes them ready for the next call. The number of datagrams that are whole. */
static size_t take_in(struct dgram_sock *s, unsigned int n)
{
	size_t good = 0;

	for (unsigned int i = 0; i < n; i++) {
		struct msghdr *h = &s->in_head[i].msg_hdr;
		struct datagram *d = &s->in[good];

		if ((h->msg_flags & MSG_TRUNC) != 0) {
			s->he->host.counts.dgrams_too_long++;
		} else {
			d->data = (const uint8_t *)s->in_iov[i].iov_base;
			d->len = s->in_head[i].msg_len;
			sock_name_get(&s->in_from[i], &d->from);
			if (s->in_info != NULL)
				get_arrival(h, loop_now(s->he->host.loop), d);
			good++;
		}
		h->msg_namelen = sizeof s->in_from[i];
		if (s->in_info != NULL)
			h->msg_controllen = sizeof s->in_info[i];
	}
	return good;
}

/* False when there is nothing more to read in this turn. */
static bool receive_batch(struct loop *l, struct dgram_sock *s)
{
	int n = recvmmsg(s->fd, s->in_head, s->batch, MSG_DONTWAIT, NULL);
	void *object;
	size_t good;

	if (n <= 0) /* nothing there, or an error that concerns one datagram of before: the next turn tries again */
		return false;
	s->he->host.counts.dgrams_in += (unsigned int)n;
	s->he->host.counts.dgram_batches_in++;
	good = take_in(s, (unsigned int)n);
	object = loop_slot_get(l, s->type, s->who);
	if (good > 0 && object != NULL) {
		s->receiving = true;
		s->fn(l, object, s, s->in, good);
		s->receiving = false;
		event_dgram_flush(s);
	}
	return (unsigned int)n == s->batch;
}

static void sock_readable(struct loop *l, void *object, unsigned int events);

/* True: there is more to read than a turn takes. */
static bool receive_batches(struct loop *l, struct dgram_sock *s)
{
	bool more = true;

	for (unsigned int i = 0; more && i < BATCHES_PER_TURN && !s->closed; i++)
		more = receive_batch(l, s);
	return more && !s->closed;
}

/*
 * A watched socket costs the kernel a visit to the watcher for each datagram that arrives. One that has more to read than a turn
 * takes is not watched but asked again every turn, until it has been emptied.
 */
static void sock_busy(struct loop *l, void *object)
{
	struct dgram_sock *s = (struct dgram_sock *)object;
	bool more = receive_batches(l, s);

	s->busy = (timer_h){ 0 };
	if (s->closed || (more && OK(loop_timer(l, &dgram_sock_loop_type, s->self.v, sock_busy, 0, &s->busy))))
		return;
	if (!OK(loop_watch(l, &dgram_sock_loop_type, s->self.v, s->fd, LOOP_READ, sock_readable, &s->watch)))
		(void)OK(loop_timer(l, &dgram_sock_loop_type, s->self.v, sock_busy, WATCH_AGAIN_MS, &s->busy));
}

static void sock_readable(struct loop *l, void *object, unsigned int events)
{
	struct dgram_sock *s = (struct dgram_sock *)object;

	(void)events;
	if (receive_batches(l, s) && OK(loop_timer(l, &dgram_sock_loop_type, s->self.v, sock_busy, 0, &s->busy)))
		loop_unwatch(l, &s->watch);
}

/* ----------------------------------------------------------------------------------------------------- opening and closing */

static RESULT sock_prepare(struct dgram_sock *s, const struct listen_options *o)
{
	const int one = 1;

	TRY(sock_listen(o, SOCK_DGRAM, &s->fd));
	sock_ignore_path_mtu(s->fd, s->v6 ? AF_INET6 : AF_INET);
	if (!s->wildcard)
		return DONE;
	if (setsockopt(s->fd, s->v6 ? IPPROTO_IPV6 : IPPROTO_IP, s->v6 ? IPV6_RECVPKTINFO : IP_PKTINFO, &one, sizeof one) != 0)
		return FAIL(ERR_SYSTEM);
	return DONE;
}

RESULT event_dgram_listen(struct host *h, const struct listen_options *o, const struct loop_type *t, uint64_t who,
	host_datagrams_fn *fn, struct dgram_sock **ret_sock)
{
	struct host_event *he = host_event_of(h);
	AUTO(sock_free) struct dgram_sock *s = (struct dgram_sock *)mem_alloc(sizeof *s);
	struct result r;

	if (s == NULL)
		return FAIL(ERR_NOMEM);
	s->fd = -1;
	s->he = he;
	s->type = t;
	s->who = who;
	s->fn = fn;
	s->v6 = o->at.a.family == ADDR_V6;
	s->wildcard = addr_is_unspecified(&o->at.a);
	s->batch = o->batch == 0 ? BATCH_DEFAULT : o->batch > BATCH_MOST ? BATCH_MOST : o->batch;
	s->in_cap = o->max_datagram == 0 ? DATAGRAM_DEFAULT : o->max_datagram > DATAGRAM_MOST ? DATAGRAM_MOST : o->max_datagram;
	if (!lay_out_input(s) || !lay_out_output(s))
		return FAIL(ERR_NOMEM);
	TRY(sock_prepare(s, o));
	s->self = dgram_sock_enlist(h->loop, s);
	if (s->self.v == 0)
		return FAIL(ERR_NOMEM);
	r = loop_watch(h->loop, &dgram_sock_loop_type, s->self.v, s->fd, LOOP_READ, sock_readable, &s->watch);
	if (!OK(r)) {
		dgram_sock_retire(h->loop, s->self);
		return r;
	}
	HOST_LINK(&he->dgrams, s);
	*ret_sock = he->dgrams;
	return DONE;
}

RESULT event_dgram_stamp(struct dgram_sock *s, bool on)
{
	const int value = on;

	if (s->stamped == on || s->closed)
		return DONE;
	if (s->in_info == NULL && !lay_out_info(s))
		return FAIL(ERR_NOMEM);
	if (setsockopt(s->fd, SOL_SOCKET, SO_TIMESTAMPNS, &value, sizeof value) != 0)
		return FAIL(ERR_SYSTEM);
	s->stamped = on;
	return DONE;
}

void event_dgram_close(struct host *h, struct dgram_sock *s)
{
	if (s->closed)
		return;
	event_dgram_flush(s);
	s->he->host.counts.dgrams_unsent += s->queued - s->sent;
	s->closed = true;
	loop_unwatch(h->loop, &s->watch);
	loop_unwatch(h->loop, &s->write_watch);
	loop_timer_stop(h->loop, &s->busy);
	dgram_sock_retire(h->loop, s->self);
	close(s->fd);
	s->fd = -1;
	HOST_UNLINK(s);
	loop_bury(h->loop, &s->dead, sock_bury);
}
