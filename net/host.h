/*
 * host.h: the seam between what decides and what does I/O. Everything above it (admission, framing, sessions, matching of
 * replies, the iterator, the caches) is plain code that is driven by two hosts: host_event.c on real sockets and libevent, and
 * the simulator in tests/sim with a virtual network. One host per worker, used on that worker's loop only. Time and timers are
 * the loop's, randomness the generator's.
 *
 *   datagram socket  a UDP socket that clients write to; received in batches, answers gathered in a send batch
 *   exchange         one UDP question from a fresh unpredictable port to one server; stays open until closed, so that a
 *                    forged packet does not end the wait for the right one
 *   stream           a TCP connection, ours or accepted; layers (framing, TLS, HTTP) stack on it
 */
#ifndef NET_HOST_H
#define NET_HOST_H

#include "base/addr.h"
#include "base/cursor.h"
#include "base/loop.h"

struct host;
struct dgram_sock; /* belongs to the host */
LOOP_HANDLE(exchange)
LOOP_HANDLE(stream)
LOOP_HANDLE(acceptor)

struct datagram {
	const uint8_t *data BORROWED_FIELD; /* good during the call */
	size_t len;
	struct endpoint from;
	struct addr local; /* where it arrived; ADDR_NONE when the socket is bound to one address */
	uint32_t waited_us; /* from its arrival to this turn, when host_dgram_stamp() asks for it; else 0 */
};
/* A batch arrived. Replies are put in the send batch with host_dgram_room/commit, now or in a later turn. */
typedef void host_datagrams_fn(struct loop *l, void *object, struct dgram_sock *s, const struct datagram *in, size_t n);

typedef void host_packet_fn(struct loop *l, void *object, exchange_h x, struct span packet);
/* ERR_SYSTEM: the network says "unreachable"; ERR_REFUSED: a fragmented answer was dropped. The exchange stays open. Both may be
 * an attacker's work. */
typedef void host_exchange_error_fn(struct loop *l, void *object, exchange_h x, enum err e);
struct exchange_events {
	const struct loop_type *type BORROWED_FIELD;
	uint64_t who; /* handle of the asker */
	host_packet_fn *packet;
	host_exchange_error_fn *error;
};

struct stream_events {
	const struct loop_type *type BORROWED_FIELD;
	uint64_t who;
	void (*connected)(struct loop *l, void *object, stream_h s); /* ours only */
	void (*data)(struct loop *l, void *object, stream_h s, struct span octets);
	void (*drained)(struct loop *l, void *object, stream_h s);   /* everything written has left */
	/* By the other end or an error; the stream is gone. ERR_CLOSED: orderly; ERR_REFUSED: nobody listens there; ERR_SYSTEM:
	 * any other error. */
	void (*closed)(struct loop *l, void *object, stream_h s, enum err e);
};
typedef void host_accept_fn(
	struct loop *l, void *object, acceptor_h a, stream_h s, const struct endpoint *from, const struct endpoint *local);

struct listen_options {
	struct endpoint at;
	const char *path BORROWED_FIELD; /* streams: of a Unix socket, in place of at; a socket that lies there is replaced. NULL: none */
	bool is_open;      /* streams: fd listens already (sock_listen_stream), in place of at and path, which say where; it is taken, also on failure */
	int fd;
	bool reuse_port;   /* one socket per worker on the same port */
	bool keepalive;    /* streams: the kernel finds out when the other end is gone */
	bool transparent, freebind;
	int rcvbuf, sndbuf; /* octets; 0: the system's */
	unsigned int backlog; /* streams; 0: 256 */
	uint16_t mss;         /* streams: segment size of accepted connections; 0: the system's */
	unsigned int batch;   /* datagrams received at once; 0: 64, at most 1024 */
	unsigned int max_datagram; /* octets of the longest datagram taken in, longer ones are counted and dropped; 0: 4096 */
	int dscp;             /* -1: none */
};

struct exchange_options {
	struct endpoint to;
	const char *path BORROWED_FIELD; /* connections: of a Unix socket, in place of to; NULL: none */
	struct addr from;   /* outgoing interface; ADDR_NONE: any */
	uint16_t mss;       /* connections: segment size; 0: the system's */
	bool unconnected;   /* exchanges: the socket hears everybody and the host alone sorts out; what the network says of the server is not heard */
	bool no_fragment;   /* path MTU discovery off (RFC 9715); an answer in fragments is dropped and told as ERR_REFUSED */
};

struct host_ops {
	RESULT (*dgram_listen)(struct host *h, const struct listen_options *o, const struct loop_type *t, uint64_t who,
		host_datagrams_fn *fn, struct dgram_sock **ret_sock);
	void (*dgram_close)(struct host *h, struct dgram_sock *s);
	uint8_t *(*dgram_room)(struct dgram_sock *s, size_t cap);
	void (*dgram_commit)(struct dgram_sock *s, size_t len, const struct endpoint *to, const struct addr *local);
	void (*dgram_flush)(struct dgram_sock *s);
	RESULT (*dgram_stamp)(struct dgram_sock *s, bool on); /* NULL: nothing waits here */
	RESULT (*ask)(struct host *h, const struct exchange_options *o, struct span packet, const struct exchange_events *ev,
		exchange_h *ret);
	void (*ask_close)(struct host *h, exchange_h x);
	RESULT (*accept)(struct host *h, const struct listen_options *o, const struct loop_type *t, uint64_t who,
		host_accept_fn *fn, acceptor_h *ret);
	void (*accept_close)(struct host *h, acceptor_h a);
	void (*accept_pause)(struct host *h, acceptor_h a, bool paused);
	RESULT (*connect)(struct host *h, const struct exchange_options *o, const struct stream_events *ev, stream_h *ret);
	RESULT (*stream_adopt)(struct host *h, stream_h s, const struct stream_events *ev);
	RESULT (*stream_write)(struct host *h, stream_h s, struct span octets);
	size_t (*stream_unsent)(struct host *h, stream_h s);
	void (*stream_pause)(struct host *h, stream_h s, bool paused);
	void (*stream_close)(struct host *h, stream_h s);
	void (*free)(struct host *h);
};

/* What a host did, since its beginning. Read on the loop's thread. A host that cannot do a thing leaves its count at 0. */
struct host_counts {
	uint64_t dgrams_in, dgram_batches_in;
	uint64_t dgrams_out, dgram_batches_out;
	uint64_t dgrams_too_long;      /* longer than max_datagram: dropped */
	uint64_t dgrams_unsent;        /* answers that the kernel refused, or that found no room behind those that wait for it */
	uint64_t exchanges;
	uint64_t exchanges_rested;     /* with a socket that had rested */
	uint64_t exchange_port_taken;  /* a drawn port was in use: drawn again */
	uint64_t exchange_fragmented;  /* answers dropped because they came in fragments */
	uint64_t exchange_foreign;     /* datagrams from elsewhere that came between bind and connect */
	uint64_t exchange_unreachable; /* ICMP errors */
	uint64_t no_descriptor;        /* a socket could not be made for want of descriptors or buffers */
	uint64_t streams_opened, streams_accepted;
	uint64_t accepts_shed;         /* connections closed at once for want of descriptors or memory */
};

/* Every host's struct begins with this. */
struct host {
	const struct host_ops *ops BORROWED_FIELD;
	struct loop *loop PARENT_FIELD;
	struct host_counts counts;
};

void host_free(struct host *h) TAKES(1); /* closes everything that is open */
DEFINE_AUTO(struct host, host_free)
/* The production host. max_unsent: octets a stream may have queued (ERR_LIMIT past it); 0: 1 MiB. */
struct host *host_event_new(struct loop *l, size_t max_unsent) OWNED_BY(host_free) NONNULL;
/* Which source ports the exchanges of a production host draw from (outgoing-port-permit, outgoing-port-avoid): bit p%8 of octet
 * p/8 permits port p. NULL: 1024 to 65535, as at the beginning. ERR_RANGE: no port is permitted; ERR_NOMEM. Either way the old
 * ones stay. */
RESULT host_event_permit_ports(struct host *h, const uint8_t (*permitted)[8192]) __attribute__((nonnull(1)));
/* So many sockets of exchanges may be kept for the next ones (0, as at the beginning: none), where the kernel can give a socket another port. Ports are drawn as before.
 * Reads the kernel's range of ports. */
void host_event_rest(struct host *h, uint32_t most) NONNULL;

/* Clients' datagrams. ERR_SYSTEM with errno when the address cannot be bound. */
static inline RESULT host_dgram_listen(struct host *h, const struct listen_options *o, const struct loop_type *t, uint64_t who,
    host_datagrams_fn *fn, struct dgram_sock **ret_sock)
{
	return h->ops->dgram_listen(h, o, t, who, fn, ret_sock);
}
static inline void host_dgram_close(struct host *h, struct dgram_sock *s) { h->ops->dgram_close(h, s); }
/* Room for one reply of at most cap octets in the send batch (which is sent first when it is full); NULL when cap is too large
 * (over 65535). */
static inline uint8_t *host_dgram_room(struct host *h, struct dgram_sock *s, size_t cap) BORROWED;
static inline uint8_t *host_dgram_room(struct host *h, struct dgram_sock *s, size_t cap) { return h->ops->dgram_room(s, cap); }
/* len octets of the room given last become a datagram to *to, from *local (may be ADDR_NONE). The batch leaves when
 * it is full, when host_datagrams_fn has returned, and at the end of the turn. */
static inline void host_dgram_commit(
	struct host *h, struct dgram_sock *s, size_t len, const struct endpoint *to, const struct addr *local)
{
	h->ops->dgram_commit(s, len, to, local);
}
static inline void host_dgram_flush(struct host *h, struct dgram_sock *s) { h->ops->dgram_flush(s); }
/* Whether datagrams say how long they waited in the socket. ERR_SYSTEM, ERR_NOMEM: they do not. */
static inline RESULT host_dgram_stamp(struct host *h, struct dgram_sock *s, bool on)
{
	return h->ops->dgram_stamp != NULL ? h->ops->dgram_stamp(s, on) : DONE;
}

/* Sends packet from a fresh socket with an unpredictable port, connected to o->to unless o says not to. ERR_SYSTEM: no route and the like; ERR_LIMIT:
 * no descriptor left. */
static inline RESULT host_ask(
	struct host *h, const struct exchange_options *o, struct span packet, const struct exchange_events *ev, exchange_h *ret)
{
	return h->ops->ask(h, o, packet, ev, ret);
}
static inline void host_ask_close(struct host *h, exchange_h x) { h->ops->ask_close(h, x); } /* a stale handle is fine */

static inline RESULT host_accept(struct host *h, const struct listen_options *o, const struct loop_type *t, uint64_t who,
	host_accept_fn *fn, acceptor_h *ret)
{
	return h->ops->accept(h, o, t, who, fn, ret);
}
static inline void host_accept_close(struct host *h, acceptor_h a) { h->ops->accept_close(h, a); }
/* No free session. */
static inline void host_accept_pause(struct host *h, acceptor_h a, bool paused)
{
	h->ops->accept_pause(h, a, paused);
}

/* Opens a connection; ev->connected or ev->closed follows. No time limit of its own: the caller arms a timer. */
static inline RESULT host_connect(struct host *h, const struct exchange_options *o, const struct stream_events *ev, stream_h *ret)
{
	return h->ops->connect(h, o, ev, ret);
}
/* Says who hears an accepted stream's events; to be called in host_accept_fn, else the stream is closed. ERR_CLOSED: it is gone. */
static inline RESULT host_stream_adopt(struct host *h, stream_h s, const struct stream_events *ev)
{
	return h->ops->stream_adopt(h, s, ev);
}
/* Copies; what one turn writes leaves together at its end. ERR_LIMIT: more than max_unsent would wait, nothing was taken;
 * ERR_CLOSED; ERR_NOMEM. */
static inline RESULT host_stream_write(struct host *h, stream_h s, struct span octets)
{
	return h->ops->stream_write(h, s, octets);
}
static inline size_t host_stream_unsent(struct host *h, stream_h s) { return h->ops->stream_unsent(h, s); }
static inline void host_stream_pause(struct host *h, stream_h s, bool paused) { h->ops->stream_pause(h, s, paused); } /* reading */
/* No event follows. A stale handle is fine. */
static inline void host_stream_close(struct host *h, stream_h s)
{
	h->ops->stream_close(h, s);
}

#endif
