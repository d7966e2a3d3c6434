/*
 * client.h: questions that wait. One struct client is one reply that is owed (or, for a refresh, a resolution that nobody waits
 * for). It is told once by core; then the answer is rendered, published if it may be, and sent. A client that is dropped is dropped
 * for a stated reason, which is counted.
 */
#ifndef RESOLVER_SERVE_CLIENT_H
#define RESOLVER_SERVE_CLIENT_H

#include "resolver/serve/serve.h"

LOOP_HANDLE(client)

/* Takes the question on: resolves it and answers later, or now when it cannot wait. chain: local data (an alias) that comes first
 * in the answer, whose target is what is resolved: both NULL for most. */
void client_wait(struct serve *s, const struct request *r, const struct answer *chain, const struct name *target)
    __attribute__((nonnull(1, 2)));
/* Renews what the answer cache has for this question, unless that was just begun. prefetch: it is not expired yet. */
void client_refresh(struct serve *s, const struct question *q, uint32_t variant, uint64_t hash, bool prefetch) NONNULL;
/* The session has gone: its questions are left. */
void client_drop_session(struct serve *s, session_h h) NONNULL;
void client_drop_all(struct serve *s) NONNULL; /* end of the worker */

#endif
