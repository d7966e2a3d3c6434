/*
 * tcp.h: sessions of clients over streams (RFC 7766): questions framed by two octets of length, several under way at a time,
 * answered in the order in which they are ready.
 *
 *   Limits: connections of a worker (incoming-num-tcp) and of a client (tcp-connection-limit); a session that has no question under
 * way is closed after the idle time, which shrinks as connections become scarce; a question must come in whole within that time
 * from its first octet, and replies must be read within it. When all places are taken, the longest idle session of the client with
 * most of them gives way.
 */
#ifndef RESOLVER_SERVE_TCP_H
#define RESOLVER_SERVE_TCP_H

#include "resolver/serve/serve.h"

void session_open(struct serve *s, stream_h stream, const struct endpoint *from, const struct endpoint *local, enum access of_interface)
    NONNULL;
/* The reply of len octets is in s->frame + 2. */
void session_reply(struct serve *s, session_h h, size_t len) NONNULL;
/* A question of this session waits for core, or has stopped waiting. */
void session_question_waits(struct serve *s, session_h h) NONNULL;
void session_question_done(struct serve *s, session_h h) NONNULL;
void tcp_close_all(struct serve *s) NONNULL;
/* How long an idle session is kept at the present load, in milliseconds. */
uint32_t tcp_idle_now(const struct serve *s, bool keepalive) NONNULL;

#endif
