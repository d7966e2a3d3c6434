/*
 * rtr_session.h: the cache's side of one RTR connection, as a state machine without I/O. Octets of the router go in, pieces of what it shall get come out; what
 * is large in them is the feed's, by reference.
 *
 *   RTR_NEW       no query yet, so no version (8210bis section 7). Nothing is sent unasked.
 *   RTR_OPEN      a version is agreed upon. Serial Notify may be sent.
 *   RTR_LAST      a last PDU, an Error Report, is on its way; nothing is read any more
 *   RTR_ENDED     the connection is to be closed
 *
 * In RTR_NEW and RTR_OPEN there may be a response under way: then nothing is read (rtr_session_reading), and what has been read already waits. Invariants: an
 * Error Report is never answered; after RTR_OPEN no PDU has another version than the agreed one; a Notify never stands inside a response.
 */
#ifndef RPKI_SERVE_RTR_SESSION_H
#define RPKI_SERVE_RTR_SESSION_H

#include "rpki/serve/rtr_feed.h"

#define RTR_WAITING_MAX 4096u       /* octets of queries that wait for a response under way; a router that sends more is closed */
#define RTR_VERSION_OFFERS 4u       /* queries of too high a version before the connection is closed */

enum rtr_session_state { RTR_NEW, RTR_OPEN, RTR_LAST, RTR_ENDED };

/* Why a session has ended, for counters and the log. */
enum rtr_session_end {
	RTR_END_NONE,
	RTR_END_MALFORMED, /* we sent an Error Report */
	RTR_END_REPORT,    /* the router sent one */
	RTR_END_FLOOD,     /* RTR_WAITING_MAX */
	RTR_END_MEMORY,
	RTR_END_GOODBYE,   /* ours, at a restart */
};

struct rtr_counts {
	uint64_t reset_queries, serial_queries, responses_full, responses_delta, cache_resets, no_data, notifies, reports_sent, reports_received;
};

/* A value type, so that an idle router costs no more than this. Fields are rtr_session.c's own but for those that are said to be read. */
struct rtr_session {
	struct rtr_feed *feed PARENT_FIELD;
	struct rtr_counts *counts PARENT_FIELD;
	struct rtr_image *image OWNED_FIELD; /* of the response under way */
	uint8_t *waiting OWNED_FIELD;        /* octets read while a response was under way */
	uint8_t *report OWNED_FIELD;         /* an Error Report */
	size_t image_at;
	uint64_t began;         /* read: the feed's generation when the response under way began */
	uint32_t serial;        /* the last that the router was told, if told */
	uint32_t skip;          /* octets of a PDU of too high a version that are passed over */
	uint16_t nwaiting, nreport, report_at;
	uint16_t peer_error;    /* read: the code of the router's Error Report */
	uint8_t state, end;     /* read: enum rtr_session_state, enum rtr_session_end */
	uint8_t version;        /* read: from RTR_OPEN on */
	uint8_t offers;
	bool told, established; /* established: a Cache Response was sent */
	bool notify;            /* a Serial Notify is to be sent as soon as it may be */
	uint8_t part[12], npart; /* of a query that has not come whole */
	uint8_t head[12], nhead, head_at;
	uint8_t tail[24], ntail, tail_at;
};

void rtr_session_init(struct rtr_session *s, struct rtr_feed *f, struct rtr_counts *counts) NONNULL;
void rtr_session_done(struct rtr_session *s) NONNULL;
void rtr_session_input(struct rtr_session *s, struct span octets) NONNULL;
/* False while nothing should be read: input may come nevertheless, within RTR_WAITING_MAX. */
bool rtr_session_reading(const struct rtr_session *s) NONNULL;
/* The next piece to send, at most max octets; empty: nothing for now. It counts as sent and is good until the next call for s. */
struct span rtr_session_output(struct rtr_session *s, size_t max) NONNULL;
bool rtr_session_has_output(const struct rtr_session *s) NONNULL;
/* A response is under way: when it does not move, the router is slow. */
bool rtr_session_responding(const struct rtr_session *s) NONNULL;
/* The feed has changed: a Serial Notify is sent when the router does not know yet. True when there is now output. */
bool rtr_session_notify(struct rtr_session *s) NONNULL;
/* The cache goes away: routers of version 2 are told so (8210bis section 12), unless a response is under way. The session ends when its output is sent. */
void rtr_session_goodbye(struct rtr_session *s, enum rtr_error code) NONNULL;

#endif
