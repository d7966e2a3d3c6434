/*
 * line.h: one connection to the collector, for a thread that may wait: over a Unix socket, TCP or TLS. What is written is gathered, and leaves when it is flushed or much. Every wait ends
 * soon after somebody says "stop" and rings the bell.
 */
#ifndef RESOLVER_DNSTAP_LINE_H
#define RESOLVER_DNSTAP_LINE_H

#include <stdatomic.h>

#include "base/cursor.h"

struct tap_bell;
struct tap_line;
struct tap_settings;
struct tls_trust;

struct tap_line_env {
	const struct tap_settings *settings BORROWED_FIELD; /* where to; they outlive the line */
	const struct tls_trust *trust BORROWED_FIELD;       /* with TLS */
	struct tap_bell *bell PARENT_FIELD;
	const _Atomic bool *stop PARENT_FIELD;
};

void tap_line_free(struct tap_line *l) TAKES(1);
struct tap_line *tap_line_new(const struct tap_line_env *e) OWNED_BY(tap_line_free) NONNULL;
DEFINE_AUTO(struct tap_line, tap_line_free)

/* What is waited for from now on has to come within so many milliseconds; 0: it may take as long as it likes, as at the beginning. */
void tap_line_due(struct tap_line *l, unsigned int ms) NONNULL;
/* False, here and below: the connection is of no use any more, tap_line_why() says why. */
bool tap_line_open(struct tap_line *l) NONNULL;
bool tap_line_write(struct tap_line *l, struct span octets) NONNULL;
bool tap_line_flush(struct tap_line *l) NONNULL;
bool tap_line_read(struct tap_line *l, uint8_t *to, size_t n) NONNULL; /* exactly n octets */
/* Waits at most so long for the bell. False: the other end has hung up. */
bool tap_line_idle(struct tap_line *l, unsigned int ms) NONNULL;
void tap_line_close(struct tap_line *l) NONNULL; /* what was not flushed is gone */
const char *tap_line_why(const struct tap_line *l) BORROWED NONNULL;

/* The same wait without a connection. */
void tap_bell_wait(struct tap_bell *b, unsigned int ms) NONNULL;

#endif
