/*
 * serve.h: the serving side of one worker: from a client's packet to its reply. It sits above net/host.h, on one loop, and shares
 * with other workers only the answer cache and what core shares.
 *
 *   listener.c   batches of datagrams: read, judged (admission.c), hashed and prefetched, then answered one by one
 *   tcp.c        sessions: frames cut out of the stream, then the same
 *   serve.c      the order of things for one question: local data, answer cache (hit.c), and what is left waits
 *   client.c     questions that wait for core; when it tells, the answer is rendered (render.c), published, and sent
 *
 * The struct is known to these files, to worker.c, and to nobody else.
 */
#ifndef RESOLVER_SERVE_SERVE_H
#define RESOLVER_SERVE_SERVE_H

#include <stdatomic.h>

#include "net/host.h"
#include "resolver/core/answer.h"
#include "resolver/core/route.h"
#include "resolver/serve/admission.h"
#include "resolver/serve/filter_board.h"

struct anscache;
struct ans_entry;
struct arena;
struct client;
struct core;
struct epoch_member;
struct local_zones;
struct port;
struct quota;
struct policy_note;
struct session;
struct stats;
struct tap;
struct watched;

struct serve_env {
	struct loop *loop PARENT_FIELD;
	struct host *host PARENT_FIELD;
	struct core *core PARENT_FIELD;
	struct anscache *anscache PARENT_FIELD;
	struct epoch_member *member PARENT_FIELD;
	struct stats *stats PARENT_FIELD;
	const struct serve_settings *settings SHARED_FIELD;
	const struct local_zones *zones SHARED_FIELD;
	const _Atomic uint64_t *stamp PARENT_FIELD; /* generation that answers are judged under; raised by reload and flush */
	unsigned int workers;
	const struct validation *validation SHARED_FIELD; /* of which the anchors are told; NULL: none */
	struct route_board *routes PARENT_FIELD;  /* NULL: nothing is known of routes */
	struct watched *watched PARENT_FIELD;     /* NULL as well */
	struct filter_board *filters PARENT_FIELD; /* NULL: nothing is filtered */
};

/* Lists of objects that are owned by the serving side, in order of arrival. */
struct client_list {
	struct client *oldest OWNED_FIELD;
	struct client *newest BORROWED_FIELD;
	size_t count;
};
struct session_list {
	struct session *first OWNED_FIELD;
	size_t count;
};

#define SERVE_BATCH 64u      /* datagrams read and prefetched before the first is answered */
#define SERVE_REFRESHES 512u /* places in which refreshes that were just started are noted */
#define SERVE_SYNTHESIZED 4096u /* places in which answers made from denials are noted */

struct serve {
	struct serve_env env;
	struct admission admission;
	struct quota *quota OWNED_FIELD;
	struct arena *arena OWNED_FIELD;        /* for one local answer at a time */
	uint8_t *scratch OWNED_FIELD;           /* RENDER_SCRATCH octets: a message being rendered */
	uint8_t *frame OWNED_FIELD;             /* 2 + MSG_MAX octets: a reply over TCP */
	struct request *batch OWNED_FIELD;      /* SERVE_BATCH */
	struct route_seat seat;
	struct filter_seat filter_seat;
	struct arena *filter_arena OWNED_FIELD; /* for one verdict of the filter at a time */
	struct tap *tap PARENT_FIELD;           /* the worker's, for dnstap; NULL: nothing is told */
	const struct policy_note *policy BORROWED_FIELD; /* of the next reply that is a code (policy_note.h); NULL: none */
	struct port *ports OWNED_FIELD;
	struct client_list clients;             /* replies that are owed */
	struct client_list refreshes;           /* resolutions that nobody waits for */
	struct session_list sessions;
	size_t unsent;                          /* octets that wait in all sessions */
	struct {
		uint32_t hash;
		uint32_t sec;
	} refreshed[SERVE_REFRESHES];
	uint16_t synthesized[SERVE_SYNTHESIZED]; /* questions answered from denials of other names lately, by hash */
	bool stopping;                          /* no new questions */
};

void serve_free(struct serve *s) TAKES(1); /* waiting clients are dropped */
struct serve *serve_new(const struct serve_env *env) OWNED_BY(serve_free) NONNULL;
DEFINE_AUTO(struct serve, serve_free)
void serve_set(struct serve *s, const struct serve_settings *settings, const struct local_zones *zones)
    NONNULL; /* reload, run-time changes */
void serve_set_tap(struct serve *s, struct tap *t) __attribute__((nonnull(1))); /* until the next call */
void serve_set_validation(struct serve *s, const struct validation *v) __attribute__((nonnull(1))); /* until the next call */

/* One admitted question; a reply is sent, or a client waits, or it is dropped by policy. */
void serve_question(struct serve *s, struct request *r) NONNULL;
/* After admission_judge(): looks at what the next steps will need, and asks the processor to fetch it. */
void serve_prepare(struct serve *s, struct request *r) NONNULL;
/* After that was done for a whole batch: the same for what the first look leads to. */
void serve_fetch(const struct serve *s, const struct request *r) NONNULL;

/* Where the reply is composed: NULL when the client can no longer be reached. Then serve_send() with its length; 0 sends nothing.
 */
uint8_t *serve_room(struct serve *s, const struct origin *o, size_t limit) BORROWED NONNULL;
void serve_send(struct serve *s, const struct origin *o, size_t len) NONNULL;
/* A reply that is a code. ede: the extended error, when has_ede and the configuration wants it. */
struct reply_code;
void serve_code(struct serve *s, const struct origin *o, const struct reply_to *to, const struct reply_code *c) NONNULL;
/* An answer that is not stored: local data and the like. */
void serve_answer(struct serve *s, const struct origin *o, const struct reply_to *to, uint32_t variant, const struct answer *a)
    NONNULL;
uint64_t serve_stamp(const struct serve *s) NONNULL;
/* May it be stored? What is made here again in a moment, and a flood of random names is all made so, is only when it is asked for again. */
bool serve_is_worth_a_place(struct serve *s, const struct answer *a, uint64_t hash) NONNULL;

/* log-replies: */
void serve_log_reply(struct serve *s, const struct origin *o, const struct reply_to *to, unsigned int rcode, uint64_t took_us,
    bool cached, size_t len) NONNULL;

#endif
