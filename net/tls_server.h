/*
 * tls_server.h: TLS (1.2 and 1.3) for servers, as a layer: a host (host.h) on top of another. What listens on it is given streams that carry what is inside TLS; whoever serves
 * RTR or HTTP need not know. A connection is given up when its handshake takes longer than it may; a stream closes with an error when its client has no certificate that it should have.
 *
 * Only what listens can be asked of such a host: accept and the streams that come of it.
 */
#ifndef NET_TLS_SERVER_H
#define NET_TLS_SERVER_H

#include "net/host.h"

struct strbuf;
struct tls_identity;

/* PEM, as octets: who serves may not read files any more. */
struct tls_identity_pem {
	struct span certificate; /* the server's, then those up to its root */
	struct span key;
	struct span client_ca;   /* clients must have a certificate by one of these; empty: none is asked for */
	bool client_address;     /* with client_ca: it must name the address that the client comes from (RFC 8210 section 9.2) */
};

void tls_identity_free(struct tls_identity *i) TAKES(1);
/* ERR_FORMAT: something cannot be used, *why says what; ERR_NOMEM. */
RESULT tls_identity_new(const struct tls_identity_pem *pem, struct strbuf *why, struct tls_identity **ret) NONNULL;
DEFINE_AUTO(struct tls_identity, tls_identity_free)

struct tls_server_counts {
	uint64_t accepted, ready;     /* connections; handshakes that ended well */
	uint64_t failed, refused, late; /* handshakes: broken; without a good certificate of the client's; too slow */
	uint32_t shaking;             /* now */
};

struct tls_server_options {
	uint32_t handshake_ms;
	uint32_t max_shaking; /* handshakes at a time: the next connection is closed at once */
};
#define TLS_SERVER_USUAL ((struct tls_server_options){ 10000, 1000 })

/* under outlives it. NULL: out of memory. Ended by host_free(). */
struct host *host_tls_new(struct host *under, struct tls_identity *i, const struct tls_server_options *o) OWNED_BY(host_free) TAKES(2) NONNULL;
/* For connections from now on; those that are open stay as they are. */
void host_tls_set(struct host *h, struct tls_identity *i) TAKES(2) NONNULL;
const struct tls_server_counts *host_tls_counts(const struct host *h) BORROWED NONNULL;

#endif
