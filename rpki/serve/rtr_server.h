/*
 * rtr_server.h: the RTR service on the sockets of a host: its listeners, and a session (rtr_session.h) for each connection. It writes in pieces, the next one when
 * the one before has left, so that a router that is synchronising costs one piece of buffer. No timer ticks for a router: there is one for the next Serial Notify
 * and, while responses are under way, one that looks for those that do not move.
 */
#ifndef RPKI_SERVE_RTR_SERVER_H
#define RPKI_SERVE_RTR_SERVER_H

#include "net/host.h"
#include "rpki/serve/rtr_session.h"

struct rtr_server;

struct rtr_server_options {
	uint32_t max_clients;     /* the next connection is closed at once */
	uint32_t piece;           /* octets written at a time */
	uint32_t notify_ms;       /* between two Serial Notifies; the protocol says at least a minute (8210bis section 5.2) */
	uint32_t stall_ms;        /* a response of which no piece leaves in this time is given up; 0: three times the retry interval (8210bis section 12) */
	uint32_t max_behind;      /* publications during one response before it is given up: bounds the old images that slow routers keep alive */
};
#define RTR_SERVER_USUAL ((struct rtr_server_options){ 10000, 32768, 60000, 0, 4 })

struct rtr_server_counts {
	struct rtr_counts sessions;
	uint64_t accepted, refused, octets_sent, octets_read;
	uint64_t ended_malformed, ended_report, ended_flood, ended_memory, dropped_stalled, dropped_behind;
	uint32_t clients; /* now */
};

/* A router that is connected. Times are seconds since 1970, 0: never. */
struct rtr_client {
	struct addr from;         /* ADDR_NONE: on a Unix socket */
	bool told;                /* it has been told a serial: */
	uint32_t serial;
	uint32_t reset_queries, serial_queries;
	uint64_t octets_read, octets_sent;
	int64_t updated, reset;   /* when it last got data, and when everything */
};

void rtr_server_free(struct rtr_server *s) TAKES(1); /* closes all at once */
/* h and f outlive it. ERR_NOMEM: NULL. */
struct rtr_server *rtr_server_new(struct host *h, struct rtr_feed *f, const struct rtr_server_options *o) OWNED_BY(rtr_server_free) NONNULL;
DEFINE_AUTO(struct rtr_server, rtr_server_free)
/* As host_accept(). May be called several times. */
RESULT rtr_server_listen(struct rtr_server *s, const struct listen_options *o) NONNULL;
/* On another host of the same loop, which outlives s: TLS (net/tls_server.h). */
RESULT rtr_server_listen_on(struct rtr_server *s, struct host *h, const struct listen_options *o) NONNULL;
/* The feed has something new: routers are notified, now or when the last notification is long enough ago. */
void rtr_server_published(struct rtr_server *s) NONNULL;
/* Stops listening, and ends all sessions as 8210bis section 12 asks: what is still to be sent is sent while the loop runs on. */
void rtr_server_goodbye(struct rtr_server *s, enum rtr_error code) NONNULL;
typedef void rtr_client_fn(void *ctx, const struct rtr_client *c);
void rtr_server_each(const struct rtr_server *s, rtr_client_fn *fn, void *ctx) __attribute__((nonnull(1, 2)));
const struct rtr_server_counts *rtr_server_counts(const struct rtr_server *s) BORROWED NONNULL;

#endif
