/*
 * link.h: messages between two processes of cairn-rpki, each with at most one descriptor, over a pair of SOCK_SEQPACKET sockets on a loop. A message comes whole or not at all. The
 * other end is not believed: what is longer than a message may be, has no type, or brings more than one descriptor ends the link.
 *
 * Nothing blocks. What the socket does not take waits here, up to a limit; whoever produces much asks link_unsent() and rests until `drained`.
 */
#ifndef RPKI_PROCESS_LINK_H
#define RPKI_PROCESS_LINK_H

#include "base/cursor.h"
#include "base/loop.h"

#define LINK_BODY_MAX ((size_t)32 << 10)     /* octets of a message, without its type */
#define LINK_UNSENT_MAX ((size_t)16 << 20)   /* octets that may wait */
#define LINK_UNSENT_HIGH ((size_t)512 << 10) /* past this, `drained` follows when all has left */

LOOP_HANDLE(link)

struct link_message {
	uint32_t type; /* what it means is for the two ends to agree on */
	struct span body;
	int fd;        /* -1: none. Who keeps it puts -1 here; else it is closed after the call */
};

struct link_events {
	const struct loop_type *type BORROWED_FIELD;
	uint64_t who;
	void (*message)(struct loop *l, void *object, link_h k, struct link_message *m);
	void (*drained)(struct loop *l, void *object, link_h k); /* NULL: nobody waits for that */
	/* The link is gone. ERR_CLOSED: the other process closed it, or ended; ERR_FORMAT: it sent what is no message; ERR_SYSTEM, ERR_NOMEM. */
	void (*closed)(struct loop *l, void *object, link_h k, enum err e);
};

RESULT link_pair(int ret_fds[2]); /* two ends, which do not survive an exec. ERR_SYSTEM */
/* Takes fd, also when it fails. ERR_NOMEM, ERR_SYSTEM. */
RESULT link_open(struct loop *l, int fd, const struct link_events *ev, link_h *ret) NONNULL;
/* Copies; fd (-1: none) stays the caller's. ERR_RANGE: longer than LINK_BODY_MAX; ERR_LIMIT: too much waits, nothing was taken; ERR_CLOSED; ERR_NOMEM; ERR_SYSTEM. No event comes
 * from within. */
RESULT link_send(struct loop *l, link_h k, uint32_t type, struct span body, int fd) NONNULL;
size_t link_unsent(const struct loop *l, link_h k) NONNULL; /* octets that wait; 0 when it is gone */
void link_pause(struct loop *l, link_h k, bool paused) NONNULL; /* reading */
void link_close(struct loop *l, link_h k) NONNULL;              /* no event follows; what waits is not sent. A stale handle is fine */

#endif
