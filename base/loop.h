/*
 * loop.h: the event loop of one thread. A *turn* is one pass over what is ready. The loop owns handles, timers, the grave and the
 * queue of messages from other threads; waiting for descriptors and the clock are a back end: libevent in production
 * (loop_event.h), virtual time in the simulator (tests/sim).
 *
 * Three rules make a callback after its owner's death harmless (docs/ownership.md, section 5):
 *  1. A callback's context is a handle. When its object is gone, the event is counted as stale and dropped.
 *  2. Close now, free later: x_close() retires the handle at once and buries the object.
 *  3. Nothing buried is freed inside a turn: what was borrowed from it is good until the turn ends.
 *
 * Order within a turn: clock read, posted messages, due timers, descriptors; then end-of-turn hooks (send batches are flushed),
 * the grave, epoch_quiesce. All functions but loop_post and loop_stop belong to the loop's own thread.
 */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include "base/clock.h"
#include "base/own.h"
#include "base/role.h"

struct loop;
struct rng;
struct epoch_member;
struct log_limit;

/* What a loop waits with. Calls come from the loop's thread, but for wake. */
struct loop_backend {
	void *ctx PARENT_FIELD;
	void (*now)(void *ctx, struct now *ret);
	/* Waits until something is ready or wait_ns has passed (UINT64_MAX: for ever), then calls loop_fd_ready() for each ready
	 * descriptor. blocking is about to happen when wait_ns > 0: the loop has gone offline in its epoch before. */
	void (*wait)(void *ctx, struct loop *l, uint64_t wait_ns);
	RESULT (*watch)(void *ctx, struct loop *l, int fd, unsigned int events, uint32_t slot, void **ret_watch);
	void (*unwatch)(void *ctx, void *watch);
	void (*wake)(void *ctx); /* from any thread: ends a wait */
	void (*free)(void *ctx);
};

void loop_free(struct loop *l) TAKES(1); /* all objects have been closed; empties the grave, drops posted messages */
/* rng and member (may be NULL: no shared objects) are borrowed for the loop's life. The back end's ctx becomes the loop's. */
struct loop *loop_new(const struct loop_backend *b, struct rng *rng, struct epoch_member *member) OWNED_BY(loop_free);
DEFINE_AUTO(struct loop, loop_free)

void loop_run(struct loop *l) NONNULL;             /* turns until loop_stop() */
void loop_turn(struct loop *l, bool may_wait) NONNULL; /* one turn, for the simulator and tests */
void loop_stop(struct loop *l) NONNULL;            /* any thread */
const struct now *loop_now(const struct loop *l) BORROWED NONNULL; /* read once a turn */
struct rng *loop_rng(struct loop *l) BORROWED NONNULL;
uint64_t loop_stale_events(const struct loop *l) NONNULL;
uint64_t loop_live_handles(const struct loop *l) NONNULL;

/*
 * Handles. Each kind of object has a static const struct loop_type, whose address is the kind. LOOP_HANDLE(query) declares
 * query_h and, for the one .c file that implements it, LOOP_HANDLE_IMPL(query) makes the typed functions:
 *     query_h query_enlist(struct loop *, struct query *), query_h is {0} when memory ran out
 *     struct query *query_get(struct loop *, query_h)      NULL once it was retired
 *     void query_retire(struct loop *, query_h)
 */
struct loop_type {
	const char *name BORROWED_FIELD;
};
uint64_t loop_slot_add(struct loop *l, const struct loop_type *t, void *object) NONNULL; /* 0: out of memory */
void *loop_slot_get(const struct loop *l, const struct loop_type *t, uint64_t slot) BORROWED NONNULL;
void loop_slot_retire(struct loop *l, uint64_t slot) NONNULL;

#define LOOP_HANDLE(T) \
	typedef struct { \
		uint64_t v; \
	} T##_h; \
	extern const struct loop_type T##_loop_type; \
	struct T; \
	static inline UNUSED struct T *T##_get(const struct loop *l, T##_h h) BORROWED; \
	static inline UNUSED struct T *T##_get(const struct loop *l, T##_h h) \
	{ \
		return (struct T *)loop_slot_get(l, &T##_loop_type, h.v); \
	} \
	static inline UNUSED T##_h T##_enlist(struct loop *l, struct T *object) \
	{ \
		return (T##_h){ loop_slot_add(l, &T##_loop_type, object) }; \
	} \
	static inline UNUSED void T##_retire(struct loop *l, T##_h h) \
	{ \
		loop_slot_retire(l, h.v); \
	}
#define LOOP_HANDLE_IMPL(T) const struct loop_type T##_loop_type = { #T };

/* The grave: embedded in what dies between turns. bury runs fn(d) after the hooks of this turn. */
struct dead {
	struct dead *next OWNED_FIELD;
	void (*fn)(struct dead *d); /* frees the object that embeds this */
};
void loop_bury(struct loop *l, struct dead *d, void (*fn)(struct dead *)) NONNULL;

/*
 * Callbacks. object is that of the handle, of the type given when it was set: the first line of a callback assigns it to a typed
 * variable, and the callback is static in the file that implements the type.
 */
typedef void loop_fn(struct loop *l, void *object);
typedef void loop_fd_fn(struct loop *l, void *object, unsigned int events);

typedef struct {
	uint64_t v;
} timer_h; /* {0}: no timer */

/* Calls fn once, wait_ms from now. A timer of a retired object is dropped and counted as stale. */
RESULT loop_timer(struct loop *l, const struct loop_type *t, uint64_t who, loop_fn *fn, uint64_t wait_ms, timer_h *ret_timer) NONNULL;
void loop_timer_stop(struct loop *l, timer_h *timer) NONNULL; /* *timer becomes {0}; stopping twice is fine */

#define LOOP_READ 1u
#define LOOP_WRITE 2u
typedef struct {
	uint64_t v;
} watch_h;
/* Level-triggered. The descriptor stays the caller's, who calls loop_unwatch before closing it. */
RESULT loop_watch(struct loop *l, const struct loop_type *t, uint64_t who, int fd, unsigned int events, loop_fd_fn *fn,
    watch_h *ret_watch) NONNULL;
void loop_unwatch(struct loop *l, watch_h *watch) NONNULL;

/*
 * For back ends only. loop_fd_ready notes that a slot is ready; its callback runs in this turn, after the timers. A source is a slot
 * without a descriptor, for what else a back end waits for (signals): fn(l, object) runs when it was made ready; it lasts as
 * long as the loop. loop_backend_ctx gives a back end its ctx; it shows by its free function who it is.
 */
void loop_fd_ready(struct loop *l, uint32_t slot, unsigned int events) NONNULL;
RESULT loop_source(struct loop *l, const struct loop_type *t, uint64_t who, loop_fn *fn, uint32_t *ret_slot) NONNULL;
void *loop_backend_ctx(const struct loop *l, void (*free_fn)(void *ctx)) BORROWED NONNULL; /* NULL: another back end */

/* fn(l, object) at the end of this turn, once, in order of asking, before the grave. What a hook asks for runs in the same turn
 * too, unless hooks have asked for hooks many times over: then in the next, which does not wait. */
RESULT loop_at_turn_end(struct loop *l, const struct loop_type *t, uint64_t who, loop_fn *fn) NONNULL;

/* Messages: the only way from one thread's loop to another's. run(l, m) runs on the target in a later turn, then the
 * message is freed by m->free, also when the target never runs it (loop_free). Order per sender is kept. Any thread. */
struct message {
	struct message *next OWNED_FIELD;
	void (*run)(struct loop *l, struct message *m);
	void (*free)(struct message *m);
};
void loop_post(struct loop *to, struct message *m) TAKES(2) NONNULL;

/* Signals of the process, on one loop only: loop_event_signal() in base/loop_event.h. */
#endif
