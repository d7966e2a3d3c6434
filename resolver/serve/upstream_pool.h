/*
 * upstream_pool.h: TCP connections to servers, kept and shared by questions (RFC 7766). A connection carries several questions at
 * once, each under an ID of its own, and gives their replies in any order.
 *
 *   connecting -> open -> idle (no question under way) -> closed
 *
 * An idle connection waits for the next question until its time is over: ours, or what the server said (RFC 7828). When all
 * connections that may be open are, the one idle for longest makes room; when none is idle, one that got nothing for a second, so
 * that servers which drip hold nobody up. Nor can one server take the whole pool.
 */
#ifndef RESOLVER_SERVE_UPSTREAM_POOL_H
#define RESOLVER_SERVE_UPSTREAM_POOL_H

#include "base/addr.h"
#include "base/cursor.h"
#include "base/loop.h"

struct host;
struct pool;
LOOP_HANDLE(conn)

struct pool_limits {
	uint32_t max;      /* connections */
	uint32_t pipeline; /* questions under way on one */
	uint32_t idle_ms;
	uint32_t questions; /* over one connection, then it closes (max-reuse-tcp-queries); 0: no limit */
	uint16_t mss;       /* segment size; 0: the system's */
};

/* The user of a connection is a question: an object of the type below. What was told is no longer on the connection. */
struct pool_user {
	const struct loop_type *type BORROWED_FIELD; /* static */
	/* A frame with the question's ID. rtt_us: since it was asked, or the connection opened. */
	void (*answer)(struct loop *l, void *object, conn_h c, struct span message, uint32_t rtt_us);
	/* The connection ended. used: it had given answers before or since the question was put on it, so a new one may help. */
	void (*lost)(struct loop *l, void *object, enum err e, bool used);
	void (*room)(struct loop *l, void *object); /* to the owner: a connection or a place on one has become free */
	const struct loop_type *owner_type BORROWED_FIELD;
	uint64_t owner;
};

void pool_free(struct pool *p) TAKES(1); /* nobody is told */
struct pool *pool_new(struct loop *l, struct host *h, const struct pool_limits *limits, const struct pool_user *user)
	OWNED_BY(pool_free) NONNULL;
DEFINE_AUTO(struct pool, pool_free)
void pool_set_limits(struct pool *p, const struct pool_limits *limits) NONNULL;

struct pool_request {
	struct endpoint server;
	struct addr from; /* ADDR_NONE: any */
	bool alone;       /* a new connection, which no other question shares */
	uint64_t who;     /* handle of the question */
};
struct pool_place {
	conn_h conn;
	uint16_t id;   /* the query's; no other question on the connection has it */
	bool first;    /* the first question of a new connection */
};
/* True when a place on a connection that is there already can be had: no connect is needed. */
bool pool_has_place(const struct pool *p, const struct pool_request *r) NONNULL;
/* ERR_LIMIT: all connections are in use, or this server's share of them; ERR_REFUSED or ERR_SYSTEM: connecting failed at once;
 * ERR_NOMEM. */
RESULT pool_join(struct pool *p, const struct pool_request *r, struct pool_place *ret) NONNULL;
/* Sends a query, with its length in front. ERR_SPACE: longer than 1024 octets, which no query is; ERR_CLOSED; or as
 * host_stream_write. */
RESULT pool_send(struct pool *p, const struct pool_place *at, struct span message) NONNULL;
/* The question is given up. silent: it got no answer in time; a connection that gave none to anybody since is closed. */
void pool_leave(struct pool *p, const struct pool_place *at, bool silent) NONNULL;
/* What the server's keepalive option said, in units of 100 ms; 0: it wants the connection closed. */
void pool_keepalive(struct pool *p, conn_h c, uint16_t units) NONNULL;
size_t pool_count(const struct pool *p) NONNULL;
uint64_t pool_opened(const struct pool *p) NONNULL; /* since the beginning */
uint64_t pool_worn(const struct pool *p) NONNULL;   /* connections that had all the questions they may have, since the beginning */

#endif
