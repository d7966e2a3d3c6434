/*
 * event_host.h: the inside of the production host, shared by the files that make it: host_event.c (making and ending),
 * event_dgram.c (clients' datagrams), event_exchange.c (UDP questions of ours), event_stream.c (TCP). Nobody else includes it.
 *
 * Every object is on its host's list and has a handle. Closing retires the handle, closes the descriptor, leaves the list and
 * buries the object, so a callback that closes what it was called for finds the memory good until the turn ends.
 */
#ifndef NET_EVENT_HOST_H
#define NET_EVENT_HOST_H

#include "base/mem.h"
#include "net/host.h"
#include "net/sock.h"

LOOP_HANDLE(dgram_sock)

#define HOST_PORT_BLOCKS 1024u /* of 64 ports */

#define HOST_SCRATCH 65536 /* octets: a datagram or one read of a stream; the contents last until the callback returns */

struct host_event {
	struct host host; /* first */
	size_t max_unsent;
	uint8_t *scratch OWNED_FIELD;
	uint16_t *ports OWNED_FIELD; /* that exchanges draw from; NULL: 1024 to 65535 */
	uint32_t port_count;
	uint16_t kernel_first, kernel_last; /* what the kernel draws ports from; 0 and 0: it is not asked to */
	uint8_t whole[HOST_PORT_BLOCKS / 8]; /* blocks of ports of which all may be drawn */
	uint32_t rest_most, rest_count;
	struct exchange *resting[2][2] OWNED_FIELD; /* by IPv6 and by refusing fragments */
	int reserve_fd; /* given up for a moment to shed a connection when descriptors have run out; -1: lent */
	struct dgram_sock *dgrams OWNED_FIELD;
	struct exchange *exchanges OWNED_FIELD;
	struct stream *streams OWNED_FIELD;
	struct acceptor *acceptors OWNED_FIELD;
};

/* Intrusive lists: `at` is what points here. The list takes x. */
#define HOST_LINK(head, x) \
	do { \
		(x)->next = MOVE(*(head)); \
		(x)->at = (head); \
		if ((x)->next != NULL) \
			(x)->next->at = &(x)->next; \
		*(head) = MOVE(x); \
	} while (0)
#define HOST_UNLINK(x) \
	do { \
		*(x)->at = (x)->next; \
		if ((x)->next != NULL) \
			(x)->next->at = (x)->at; \
		(x)->next = NULL; \
	} while (0)

static inline struct host_event *host_event_of(struct host *h) BORROWED;
static inline struct host_event *host_event_of(struct host *h) { return (struct host_event *)(void *)h; }

RESULT event_dgram_listen(struct host *h, const struct listen_options *o, const struct loop_type *t, uint64_t who,
	host_datagrams_fn *fn, struct dgram_sock **ret_sock) NONNULL;
void event_dgram_close(struct host *h, struct dgram_sock *s) NONNULL;
uint8_t *event_dgram_room(struct dgram_sock *s, size_t cap) BORROWED NONNULL;
void event_dgram_commit(struct dgram_sock *s, size_t len, const struct endpoint *to, const struct addr *local) NONNULL;
void event_dgram_flush(struct dgram_sock *s) NONNULL;
RESULT event_dgram_stamp(struct dgram_sock *s, bool on) NONNULL;

RESULT event_ask(struct host *h, const struct exchange_options *o, struct span packet, const struct exchange_events *ev,
	exchange_h *ret) NONNULL;
void event_ask_close(struct host *h, exchange_h x) NONNULL;
void event_close_exchanges(struct host_event *he) NONNULL;

RESULT event_accept(struct host *h, const struct listen_options *o, const struct loop_type *t, uint64_t who, host_accept_fn *fn,
	acceptor_h *ret) NONNULL;
void event_accept_close(struct host *h, acceptor_h a) NONNULL;
void event_accept_pause(struct host *h, acceptor_h a, bool paused) NONNULL;

RESULT event_connect(struct host *h, const struct exchange_options *o, const struct stream_events *ev, stream_h *ret) NONNULL;
RESULT event_stream_adopt(struct host *h, stream_h s, const struct stream_events *ev) NONNULL;
RESULT event_stream_write(struct host *h, stream_h s, struct span octets) NONNULL;
size_t event_stream_unsent(struct host *h, stream_h s) NONNULL;
void event_stream_pause(struct host *h, stream_h s, bool paused) NONNULL;
void event_stream_close(struct host *h, stream_h s) NONNULL;
/* A stream on a descriptor that was accepted; takes fd, also when it fails. It reads nothing until adopted. */
RESULT event_stream_new(struct host_event *he, int fd, stream_h *ret) NONNULL;
bool event_stream_adopted(struct host *h, stream_h s) NONNULL; /* false also when it is gone */
void event_close_streams(struct host_event *he) NONNULL;
void event_close_acceptors(struct host_event *he) NONNULL;

#endif
