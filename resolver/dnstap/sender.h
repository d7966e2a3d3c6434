/*
 * sender.h: what the thread does that sends: it connects, with growing pauses where that fails, says hello as Frame Streams has it, and takes frames out of the workers' queues. A hub
 * (hub.h) makes it.
 */
#ifndef RESOLVER_DNSTAP_SENDER_H
#define RESOLVER_DNSTAP_SENDER_H

#include <stdatomic.h>

#include "resolver/dnstap/hub.h"

struct tap_settings;
struct tls_trust;

struct tap_sender {
	const struct tap_settings *settings PARENT_FIELD; /* the hub's, which outlives it */
	const struct tls_trust *trust PARENT_FIELD;       /* likewise; NULL: none */
	const struct tap_seat *seats PARENT_FIELD;        /* n of them, with rings */
	size_t n;
	struct tap_bell *bell PARENT_FIELD;
	_Atomic uint64_t *counts PARENT_FIELD;            /* TAP_COUNTS */
	_Atomic bool stop;                                /* then the bell is rung */
};

/* Until it is told to stop. */
void tap_sender_run(struct tap_sender *s) NONNULL;
/* "libfstrm"; NULL: there is none, and tap_sender_run() does nothing. */
const char *tap_sender_by(void) BORROWED;

#endif
