/*
 * http_inside.h: what the two files of the HTTP client share. http_conn.c: a connection, through a proxy if there is one, with TLS; it carries octets. http_client.c:
 * requests, answers, limits. Nobody else includes it.
 *
 *   connecting --> proxy (CONNECT was sent) --> tls --> open --> closed        without a proxy, and without TLS, the part is left out
 *
 * A connection has one user at a time, or none: then it waits to be used again, and anything that comes ends it. User and connection know each other; who goes first
 * tells the other (http_conn_leave, transfer_lost).
 */
#ifndef NET_HTTP_INSIDE_H
#define NET_HTTP_INSIDE_H

#include "base/mem.h"
#include "base/strbuf.h"
#include "net/http_client.h"
#include "net/tls_client.h"

LOOP_HANDLE(http_conn)

struct http_body;

enum conn_state { CONN_CONNECTING, CONN_PROXY, CONN_TLS, CONN_OPEN, CONN_CLOSED };

struct http_conn {
	struct http_client *client PARENT_FIELD;
	struct http_conn *next OWNED_FIELD;
	struct http_conn **at PARENT_FIELD;
	struct dead dead;
	http_conn_h self;
	stream_h stream;
	enum conn_state state;
	char *host OWNED_FIELD;
	uint16_t port;
	bool literal;
	bool used; /* an answer has come over it before */
	struct tls_client *tls OWNED_FIELD;
	struct strbuf *proxy_head OWNED_FIELD;
	struct http_transfer *user PARENT_FIELD; /* NULL: unused */
	timer_h idle;
};

struct http_client {
	struct host *host PARENT_FIELD;
	struct http_options o;
	char *agent OWNED_FIELD;
	struct http_counts counts;
	struct http_conn *conns OWNED_FIELD;
	struct http_transfer *transfers OWNED_FIELD;
	uint32_t idle;       /* unused connections */
	uint8_t *room OWNED_FIELD; /* for plaintext */
};

/* Opens one. ERR_SYSTEM and the like as host_connect; conn events follow. */
RESULT http_conn_open(struct http_client *c, struct http_transfer *user, const struct endpoint *to, const struct http_url *u, struct http_conn **ret) NONNULL;
/* An unused one for the origin, or NULL; it has the user now. */
struct http_conn *http_conn_reuse(struct http_client *c, struct http_transfer *user, const struct http_url *u) BORROWED NONNULL;
RESULT http_conn_write(struct http_conn *x, struct span octets) NONNULL; /* while open */
/* The user goes: the connection stays for another one (keep), or is closed. */
void http_conn_leave(struct http_conn *x, bool keep) NONNULL;
void http_conn_close(struct http_conn *x) NONNULL;

/* What a connection tells its user; transfer functions of http_client.c. */
void transfer_open(struct http_transfer *t) NONNULL;                                        /* write the request */
void transfer_octets(struct http_transfer *t, struct span octets) NONNULL;                  /* of answers */
void transfer_wire(struct http_transfer *t, size_t octets) NONNULL;                         /* came over the wire, of any kind */
void transfer_lost(struct http_transfer *t, enum err e, bool in_order, const char *why) NONNULL; /* the connection is gone */

#endif
