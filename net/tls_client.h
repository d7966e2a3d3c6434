/*
 * tls_client.h: the client's side of TLS 1.2 and 1.3 as a layer without I/O: ciphertext goes in and out by the caller, who has a stream. The server must show a
 * certificate that a known authority has signed and that is for the name (or address) asked for.
 */
#ifndef NET_TLS_CLIENT_H
#define NET_TLS_CLIENT_H

#include "base/cursor.h"

struct strbuf;
struct tls_trust;
struct tls_client;

/* Which authorities are known; used by any number of clients of one thread. */
void tls_trust_free(struct tls_trust *t) TAKES(1);
/* bundle: a PEM file; NULL: the system's. ERR_SYSTEM: it cannot be read, or has no certificate; why says more. */
RESULT tls_trust_new(const char *bundle, struct strbuf *why, struct tls_trust **ret) __attribute__((nonnull(2, 3)));
DEFINE_AUTO(struct tls_trust, tls_trust_free)
/* Who we are, for servers that ask: PEM files with our certificate (and those up to its root), and its private key. ERR_SYSTEM: they cannot be read, or do not belong together; why
 * says more. */
RESULT tls_trust_identity(struct tls_trust *t, const char *certificate, const char *key, struct strbuf *why) NONNULL;

void tls_client_free(struct tls_client *c) TAKES(1);
/* trust is borrowed for the client's life. host: a name, or an address where literal. NULL: out of memory, or no name. */
struct tls_client *tls_client_new(const struct tls_trust *trust, const char *host, bool literal) OWNED_BY(tls_client_free) NONNULL;
DEFINE_AUTO(struct tls_client, tls_client_free)
/* The same for another protocol than HTTP: none is offered by ALPN (RFC 7301). */
struct tls_client *tls_client_new_plain(const struct tls_trust *trust, const char *host, bool literal) OWNED_BY(tls_client_free) NONNULL;

/* Ciphertext from the server; then look what there is to read. At first once with no octets: the client speaks first. ERR_REFUSED: it cannot be trusted;
 * ERR_FORMAT: no TLS; ERR_NOMEM; tls_client_why says more. */
RESULT tls_client_input(struct tls_client *c, struct span octets) NONNULL;
bool tls_client_ready(const struct tls_client *c) NONNULL; /* the server is who it should be: write */
RESULT tls_client_write(struct tls_client *c, struct span octets) NONNULL; /* once ready */
/* Plaintext into room: *ret_n octets, 0 when there are none now. Errors as of input. */
RESULT tls_client_read(struct tls_client *c, uint8_t *room, size_t size, size_t *ret_n) NONNULL;
bool tls_client_ended(const struct tls_client *c) NONNULL; /* the server has said that nothing more comes */
/* Ciphertext for the server, good until the next call; tls_client_sent says that it is on its way. */
struct span tls_client_output(struct tls_client *c) NONNULL;
void tls_client_sent(struct tls_client *c) NONNULL;
const char *tls_client_why(const struct tls_client *c) BORROWED NONNULL; /* what went wrong; "" when nothing did */

#endif
