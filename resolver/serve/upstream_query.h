/* upstream_query.h: the packet that asks a server: header, question in mixed case, OPT with cookie and keepalive. */
#ifndef RESOLVER_SERVE_UPSTREAM_QUERY_H
#define RESOLVER_SERVE_UPSTREAM_QUERY_H

#include "base/addr.h"
#include "dns/msg.h"

struct rng;

#define QUERY_MOST 512u /* header 12, question 259, OPT 11, cookie 44, keepalive 4 */
#define QUERY_COOKIE_MOST 40u

struct query_form {
	struct question q; /* the name in the case to send */
	uint16_t id;
	bool recurse, check_disabled;
	bool edns, dnssec_ok;
	bool keepalive;     /* over TCP: ask how long the connection may stay (RFC 7828) */
	uint16_t edns_size; /* UDP payload size that we take */
	uint8_t cookie_len; /* 0: no cookie option */
	uint8_t cookie[QUERY_COOKIE_MOST]; /* client cookie and, when known, the server's (RFC 7873 section 4) */
};

/* Octets written, 0 when they did not fit into cap. */
size_t query_write(const struct query_form *f, uint8_t *buf, size_t cap) NONNULL;
/* Gives every letter a random case (draft-vixie-dnsext-dns0x20): one bit each that a forger has to guess. */
void query_mix_case(struct name_buf *n, struct rng *r) NONNULL;
/* The client cookie for a server as seen from one of our addresses (RFC 7873 section 4.1, RFC 9018 section 3): nobody else can
 * tell it. */
void query_client_cookie(
	const struct hash_key *secret, const struct endpoint *server, const struct addr *from, uint8_t ret_cookie[8]) NONNULL;

#endif
