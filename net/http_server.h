/*
 * http_server.h: HTTP/1.1 for whoever has pages to show: metrics, tables, an interface for people. It reads requests strictly (http_request.h), one after the other on each
 * connection, hands each to its owner, and sends what that says, in pieces of pages that all clients share (http_page.h). It knows nothing of what it serves.
 *
 *   HEAD      octets of a request's head are awaited. None yet: idle
 *   BODY      octets of its body are
 *   ASKED     the owner has the request; what comes meanwhile waits, within bounds
 *   SENDING   the answer is on its way
 *   LAST      the connection is to end: what still comes is thrown away, so that the answer is not lost to a reset
 *
 * One timer looks at all connections once a second while there are any; none ticks for each.
 */
#ifndef NET_HTTP_SERVER_H
#define NET_HTTP_SERVER_H

#include "net/host.h"
#include "net/http_page.h"
#include "net/http_request.h"

LOOP_HANDLE(http_ask)

struct http_server;

struct http_server_options {
	uint32_t max_clients; /* the next one takes the place of the one that is idle longest; when none is, it is closed at once */
	struct http_request_limits request;
	size_t max_head;      /* octets */
	size_t max_body;      /* octets, of what is posted */
	uint32_t idle_ms;     /* between two requests */
	uint32_t head_ms, body_ms; /* from the first octet of a request to the end of its head; of its body */
	uint32_t stall_ms;    /* a piece of an answer that has not left in this time: the client is dropped */
	size_t max_held;      /* octets of pages that clients hold: above it those who have made the least way are dropped */
};
#define HTTP_SERVER_USUAL ((struct http_server_options){ 256, { 8192, 100 }, 16384, 131072, 60000, 10000, 30000, 30000, (size_t)256 << 20 })

struct http_server_counts {
	uint64_t accepted, refused, requests, octets_read, octets_sent;
	uint64_t malformed;  /* requests answered by 4xx or 5xx before anybody was asked */
	uint64_t not_modified, late, dropped_stalled, dropped_held;
	uint32_t clients;    /* now */
};

struct http_server_events {
	const struct loop_type *type BORROWED_FIELD;
	uint64_t who;
	/* GET, HEAD or POST. Request and body are good during the call; the answer is given in it or later, once. A client that goes meanwhile makes `ask` stale. */
	void (*asked)(struct loop *l, void *object, http_ask_h ask, const struct http_request *q, struct span body);
};

struct http_response {
	unsigned int status;
	const char *type BORROWED_FIELD;   /* Content-Type; NULL: none */
	const char *etag BORROWED_FIELD;   /* with its quotes; NULL: none. It becomes weak where the page is gzip */
	int64_t modified;                  /* Last-Modified; 0: none */
	const char *fields BORROWED_FIELD; /* further lines of the head, each with its end; NULL: none */
};

void http_server_free(struct http_server *s) TAKES(1); /* closes all at once */
/* h outlives it. NULL: out of memory. */
struct http_server *http_server_new(struct host *h, const struct http_server_options *o, const struct http_server_events *ev) OWNED_BY(http_server_free) NONNULL;
DEFINE_AUTO(struct http_server, http_server_free)
/* As host_accept(), on h, which may be another host on the same loop (TLS). May be called several times. */
RESULT http_server_listen(struct http_server *s, struct host *h, const struct listen_options *o) NONNULL;

/*
 * Answers. page may be NULL: no body. Where etag or modified say that the client has it already (GET and HEAD, 200) it becomes 304 and nothing of the page is rendered; nor is
 * it for HEAD. A stale ask is fine.
 */
void http_server_respond(struct http_server *s, http_ask_h ask, const struct http_response *r, struct http_page *page) TAKES(4) __attribute__((nonnull(1, 3)));
/* The same with a line of text. */
void http_server_refuse(struct http_server *s, http_ask_h ask, unsigned int status, const char *text) NONNULL;
const char *http_status_text(unsigned int status) BORROWED;

const struct http_server_counts *http_server_counts(const struct http_server *s) BORROWED NONNULL;

#endif
