/* http_url.h: the parts of an https: URI (RFC 9110 section 4.2.2) that a client needs. Strict: what is unusual there is refused, not guessed at. */
#ifndef NET_HTTP_URL_H
#define NET_HTTP_URL_H

#include "base/cursor.h"

#define HTTP_URL_MAX 2048u /* octets */

struct http_url {
	struct span host;   /* without the brackets of an IPv6 address */
	struct span target; /* path and query, from the '/' */
	uint16_t port;      /* 443 when there is none */
	bool literal;       /* the host is an address */
};

/*
 * "https://HOST[:PORT]/PATH[?QUERY]"; *ret points into text. ERR_FORMAT: another scheme, no host, a user name, a fragment, octets that no URI has, segments "." or
 * ".."; ERR_LIMIT: longer than HTTP_URL_MAX.
 */
RESULT http_url_parse(struct span text, struct http_url *ret) NONNULL;
bool http_url_same_origin(const struct http_url *a, const struct http_url *b) NONNULL; /* RFC 6454: host without case, and port */

#endif
