/*
 * http_client.h: files by HTTP/1.1 over TLS (RFC 9110, RFC 9112), as many at once as one likes, on one loop. It stands on the stream operations of net/host.h, so
 * the simulator drives it as production does. Nothing here trusts a server: heads, bodies, redirects and time are bounded, and each refusal is a clear text.
 *
 * Names are not resolved here: who asks brings addresses. Connections that a server leaves open are used again for the same origin (scheme, host, port).
 * A body is told in pieces while it comes; a transfer ends exactly once, by `ended`, unless http_cancel ended it.
 */
#ifndef NET_HTTP_CLIENT_H
#define NET_HTTP_CLIENT_H

#include "net/host.h"
#include "net/http_url.h"

struct tls_trust;
struct http_client;
LOOP_HANDLE(http_transfer)

struct http_options {
	const struct tls_trust *trust BORROWED_FIELD; /* for the client's life. NULL: no TLS at all, in spite of https: (for tests and the simulator) */
	const char *agent BORROWED_FIELD;             /* User-Agent; copied */
	bool by_proxy;                                /* all connections go to `proxy`, and on from there by CONNECT (RFC 9110 section 9.3.6) */
	struct endpoint proxy;
	uint32_t head_octets;     /* of an answer's head */
	uint32_t connect_ms;      /* for each address, TLS included */
	uint32_t deadline_ms;     /* for a whole transfer, redirects included */
	uint32_t rate_octets;     /* a second, over the wire; 0: any */
	uint32_t rate_ms;         /* over which it is measured */
	uint32_t idle_ms;         /* that an unused connection is kept */
	uint32_t idle_max;        /* unused connections kept */
	unsigned int redirects;   /* that are followed, to the same origin only (RFC 9674 section 2) */
};
struct http_options http_options_default(void); /* 64 KiB, 15 s, 600 s, 1000 octets over 10 s, 30 s, 64, 5 */

struct http_wish {
	const char *uri BORROWED_FIELD;
	const char *etag BORROWED_FIELD, *modified BORROWED_FIELD; /* for If-None-Match and If-Modified-Since; NULL or "": none */
	const struct addr *addresses BORROWED_FIELD; /* of the host, in the order to be tried; not needed with a proxy or when the host is an address */
	size_t count;
	uint64_t max_octets;      /* of the body, after gzip was undone */
	bool gzip;                /* offer it */
	uint32_t connect_ms;      /* in place of the client's, and also for the first octet of the answer; 0: the client's, and no such limit */
};

struct http_answer {
	unsigned int status;
	const char *etag BORROWED_FIELD, *modified BORROWED_FIELD; /* "": none */
};

struct http_events {
	const struct loop_type *type BORROWED_FIELD;
	uint64_t who;
	/* The head of the last answer, redirects followed. */
	void (*answer)(struct loop *l, void *object, http_transfer_h t, const struct http_answer *a);
	void (*body)(struct loop *l, void *object, http_transfer_h t, struct span octets);
	/* ERR_NONE: all is there. ERR_TIMEOUT: too slow; ERR_LIMIT: too large; ERR_FORMAT: no HTTP or TLS; ERR_REFUSED: certificate, redirect, or nobody listens;
	 * ERR_CLOSED: broken off; ERR_SYSTEM, ERR_NOMEM. why: one line. */
	void (*ended)(struct loop *l, void *object, http_transfer_h t, enum err e, const char *why);
};

struct http_counts {
	uint64_t transfers, completed, failed;
	uint64_t connections, reused;
	uint64_t octets_in, octets_out;     /* over the wire */
	uint64_t too_slow, too_late, too_large; /* transfers that the rate, the deadline, a limit of octets ended */
	uint64_t redirects;
};

void http_client_free(struct http_client *c) TAKES(1); /* no event follows */
struct http_client *http_client_new(struct host *h, const struct http_options *o) OWNED_BY(http_client_free) NONNULL;
DEFINE_AUTO(struct http_client, http_client_free)

/* Begins a GET. Events follow in later turns. ERR_FORMAT: not a URI that can be used; ERR_RANGE: no address; ERR_NOMEM. Everything in q is copied. */
RESULT http_get(struct http_client *c, const struct http_wish *q, const struct http_events *ev, http_transfer_h *ret) NONNULL;
/* No event follows. A stale handle is fine. */
void http_cancel(struct http_client *c, http_transfer_h t) NONNULL;
/* Whoever cannot take more for now; the rate does not count meanwhile. */
void http_pause(struct http_client *c, http_transfer_h t, bool paused) NONNULL;
const struct http_counts *http_counts(const struct http_client *c) BORROWED NONNULL;

#endif
