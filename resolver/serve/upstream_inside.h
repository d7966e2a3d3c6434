/*
 * upstream_inside.h: what upstream.c (making, admitting, ending) and upstream_ask.c (one question's way) share. Nobody else
 * includes it.
 *
 * An ask is on one list of its upstream: *waiting* for room, *active*, or *late* (its asker was told "timeout", and the socket
 * stays a while to learn the round trip from a reply that comes after all). It has two handles: `self` is the asker's, `inner`
 * the one that sockets, connections and timers know.
 */
#ifndef RESOLVER_SERVE_UPSTREAM_INSIDE_H
#define RESOLVER_SERVE_UPSTREAM_INSIDE_H

#include "base/hash.h"
#include "net/host.h"
#include "resolver/cache/infra.h"
#include "resolver/serve/upstream.h"
#include "resolver/serve/upstream_match.h"
#include "resolver/serve/upstream_pool.h"
#include "resolver/stats.h"

LOOP_HANDLE(upstream)
extern const struct loop_type ask_inner_loop_type;

/* UDP queries of one ask: the first; without options; without EDNS; with the new cookie or in plain case; from a fresh port after
 * TCP failed */
#define ATTEMPTS 5u

/* Which EDNS a query has. */
enum ask_form { FORM_FULL, FORM_BARE, FORM_NONE }; /* with options; OPT alone; no OPT */

/* One query that was sent. */
struct attempt {
	exchange_h x; /* UDP */
	uint64_t sent_ns;
	uint16_t id;
	enum ask_form form;
	bool edns;
	bool mixed;        /* name has random case */
	bool cookie;       /* with a cookie option */
	bool cookie_known; /* the server has answered with one before */
	uint8_t client_cookie[8];
	uint8_t near_misses;
	struct name_buf name; /* in the case that was sent */
};

struct ask_list {
	struct ask *first PARENT_FIELD; /* an ask is its handles': ask_end() buries it */
	struct ask *last PARENT_FIELD;
	uint32_t count;
};
enum { LINK_LIFE, LINK_TCP, LINKS };

struct ask {
	struct upstream *u PARENT_FIELD;
	struct {
		struct ask_list *list PARENT_FIELD; /* NULL: on none */
		struct ask *prev PARENT_FIELD;
		struct ask *next PARENT_FIELD;
	} link[LINKS];
	struct dead dead;
	ask_h self;
	uint64_t inner;
	timer_h timer;

	struct ask_request request; /* request.q.name borrows from name */
	struct name_buf name;
	struct arena *arena PARENT_FIELD;   /* the asker's, who outlives the ask or cancels it */
	struct budget *budget PARENT_FIELD; /* likewise */
	const struct loop_type *type BORROWED_FIELD; /* static */
	uint64_t who;
	uint32_t tag;
	ask_fn *fn;

	struct server_facts facts; /* as they were at the beginning, with the cookie learnt since */
	enum ask_form form;
	bool plain;        /* no mixed case */
	bool doubted;      /* FORM_NONE because an error without OPT came */
	bool doubt_strong; /* and that was protected */
	bool cookie_renewed, freshened;
	bool suspect;      /* something with the right ID that was no reply to our question: a forger, or a broken server */
	bool malformed;    /* a reply that fits but cannot be read */
	bool unreachable;  /* the network says so, or somebody who wants us to believe it */
	bool folded;       /* a reply in another case */
	bool truncated;    /* or in fragments: UDP will not do */

	unsigned int udp_count;
	uint64_t udp_due_ns;

	struct pool_place place;
	bool tcp_on;      /* a question is at `place` */
	bool tcp_tried, tcp_charged, tcp_alone;

	const struct msg *held ARENA_FIELD; /* a good reply that came after one near miss: taken when TCP fails */
	const struct attempt *held_by PARENT_FIELD;
	uint32_t held_rtt_us;

	/* Last, and not cleared: each is written as a whole when its query is composed, and most never are. */
	struct attempt udp[ATTEMPTS]; /* udp_count of them */
	struct attempt tcp;
};

struct upstream {
	struct loop *loop PARENT_FIELD;
	struct host *host PARENT_FIELD;
	struct infra *infra PARENT_FIELD;
	struct stats *stats PARENT_FIELD;
	struct tap *tap PARENT_FIELD; /* NULL: nothing is told */
	struct upstream_settings set;
	uint64_t unwanted; /* packets that were no replies, since the last alarm */
	struct upstream_alarm *alarm PARENT_FIELD; /* NULL: nobody hears it */
	struct pool *pool OWNED_FIELD;
	struct hash_key secret; /* of client cookies */
	uint32_t secret_sec;    /* when it was drawn */
	struct hash_key parse_key;
	upstream_h self;
	struct ask_list active, waiting, late;
	struct ask_list tcp_queue; /* active ones that wait for a connection */
	bool admit_asked;
};

void ask_list_add(struct ask_list *list, int link, struct ask *a) NONNULL; /* at the end */
void ask_list_remove(int link, struct ask *a) NONNULL;                     /* from its list, if any */
/* Ends a: sockets, timer, handles, lists; its memory lasts until the turn ends. Nobody is told. */
void ask_end(struct ask *a) NONNULL;
void upstream_room(struct upstream *u) NONNULL; /* something has become free: those that wait are looked at when the turn ends */
void upstream_unwanted(struct upstream *u) NONNULL; /* a packet that is no reply to our question came */
struct hash_key *upstream_secret(struct upstream *u) BORROWED NONNULL;

/* upstream_ask.c */
RESULT ask_start(struct ask *a) NONNULL;      /* sends the first packet, or queues for a connection; tells nobody */
RESULT ask_start_tcp(struct ask *a) NONNULL;  /* also for one in the queue: ERR_LIMIT while there is no room */
void ask_fail(struct ask *a, enum err e) NONNULL;
void ask_tcp_failed(struct ask *a, enum err e) NONNULL;
RESULT ask_arm(struct ask *a, uint64_t ms) NONNULL;
void ask_tcp_answer(struct loop *l, void *object, conn_h c, struct span message, uint32_t rtt_us);
void ask_tcp_lost(struct loop *l, void *object, enum err e, bool used);

#endif
