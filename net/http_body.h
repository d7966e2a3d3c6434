/* http_body.h: the body of an answer (RFC 9112 section 6): by length, in chunks or until the connection closes; and gzip undone, with a limit on what comes out. */
#ifndef NET_HTTP_BODY_H
#define NET_HTTP_BODY_H

#include "net/http_head.h"

struct http_body;

void http_body_free(struct http_body *b) TAKES(1);
/* max: octets of the body, when gzip is undone; what comes over the wire is bounded by twice that and 64 KiB. NULL: out of memory. */
struct http_body *http_body_new(const struct http_head *h, uint64_t max) OWNED_BY(http_body_free) NONNULL;
DEFINE_AUTO(struct http_body, http_body_free)

/* Hears what the body is; an error ends it. */
typedef struct result http_body_fn(void *ctx, struct span octets);
/* Reads as much of in as is the body's. ERR_FORMAT, ERR_LIMIT, ERR_NOMEM, or what fn said. */
RESULT http_body_feed(struct http_body *b, struct reader *in, http_body_fn *fn, void *ctx) __attribute__((nonnull(1, 2, 3)));
bool http_body_ended(const struct http_body *b) NONNULL; /* all of it was there: what follows in `in` is not of it */
/* The connection was closed, in order. ERR_CLOSED: the body is not complete. */
RESULT http_body_close(struct http_body *b) NONNULL;
bool http_body_keeps(const struct http_body *b) NONNULL; /* the connection can be used again, once it has ended */

#endif
