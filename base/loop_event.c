/*
 * Waiting with libevent. Its callbacks only note what is ready; the loop runs its own callbacks after the wait. Time: the
 * loop computes each wait from its own clock, and libevent's clock measures that one wait only, so a clock that jumps (a laptop
 * that slept, a test) is noticed at the next wake-up, whatever woke it.
 *
 * Waking. `state` says whether a wake-up must be written to the eventfd: wait() goes from AWAKE to WAITING, and wake() goes to WOKEN
 * from either, writing only when it found WAITING. wait() that finds WOKEN does not sleep. So a busy loop costs its posters no
 * system call, and no wake-up is lost.
 */
#include "base/loop_event.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/libevent.h"
#include "base/mem.h"

#define LONGEST_WAIT_SEC 30 /* a clock that jumped while nothing happens is noticed after so long */

enum wake_state { AWAKE, WAITING, WOKEN };

/* One descriptor or signal of the loop. */
struct event_watch {
	struct event *ev OWNED_FIELD;
	struct event_loop *parent PARENT_FIELD;
	struct event_watch *next OWNED_FIELD; /* of signals: they last as long as the loop */
	uint32_t slot;
};

struct event_loop {
	struct event_base *base OWNED_FIELD;
	struct event *timeout OWNED_FIELD;
	struct event *woken OWNED_FIELD;
	struct event_watch *signals OWNED_FIELD;
	struct loop *loop PARENT_FIELD; /* during a wait */
	int wake_fd;
	_Atomic int state; /* enum wake_state */
};

static void event_watch_free(struct event_watch *w) TAKES(1);
static void event_watch_free(struct event_watch *w)
{
	if (w == NULL)
		return;
	if (w->ev != NULL)
		event_free(w->ev);
	mem_free(w);
}
DEFINE_AUTO(struct event_watch, event_watch_free)

static void event_loop_free(struct event_loop *e) TAKES(1);
static void event_loop_free(struct event_loop *e)
{
	if (e == NULL)
		return;
	while (e->signals != NULL) {
		struct event_watch *w = e->signals;

		e->signals = w->next;
		event_watch_free(w);
	}
	if (e->timeout != NULL)
		event_free(e->timeout);
	if (e->woken != NULL)
		event_free(e->woken);
	if (e->base != NULL)
		event_base_free(e->base);
	if (e->wake_fd >= 0)
		close(e->wake_fd);
	mem_free(e);
}
DEFINE_AUTO(struct event_loop, event_loop_free)

static void backend_free(void *ctx)
{
	event_loop_free(ctx); /* own-ok: R4 the loop owns what its back end is and ends it here */
}

static void backend_now(void *ctx, struct now *ret)
{
	(void)ctx;
	*ret = clock_read();
}

/* --- what libevent calls --- */

static void on_timeout(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	(void)ctx; /* the wait ends, that is all */
}

static void on_woken(evutil_socket_t fd, short what, void *ctx)
{
	uint64_t times;

	(void)what;
	(void)ctx;
	(void)!read(fd, &times, sizeof(times));
}

static void on_ready(evutil_socket_t fd, short what, void *ctx)
{
	const struct event_watch *w = ctx;
	unsigned int events = 0;

	(void)fd;
	if (what & (EV_READ | EV_SIGNAL))
		events |= LOOP_READ;
	if (what & EV_WRITE)
		events |= LOOP_WRITE;
	loop_fd_ready(w->parent->loop, w->slot, events);
}

/* --- what the loop calls --- */

/* The timeout for the coming wait. A failure is answered by not waiting: rather busy than late. */
static bool arm(struct event_loop *e, uint64_t wait_ns)
{
	struct timeval tv = { .tv_sec = LONGEST_WAIT_SEC };

	if (wait_ns < LONGEST_WAIT_SEC * UINT64_C(1000000000)) {
		tv.tv_sec = (time_t)(wait_ns / 1000000000u);
		tv.tv_usec = (suseconds_t)((wait_ns % 1000000000u + 999) / 1000);
		if (tv.tv_usec == 1000000)
			tv = (struct timeval){ .tv_sec = tv.tv_sec + 1 };
	}
	return event_add(e->timeout, &tv) == 0;
}

/* EVLOOP_NONBLOCK alone would go round while any descriptor is ready; with EVLOOP_ONCE it looks once. */
static void backend_wait(void *ctx, struct loop *l, uint64_t wait_ns)
{
	struct event_loop *e = ctx;
	int awake = AWAKE;

	e->loop = l;
	if (wait_ns == 0 || !arm(e, wait_ns)) {
		(void)event_base_loop(e->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
		atomic_store_explicit(&e->state, AWAKE, memory_order_seq_cst);
		return;
	}
	if (atomic_compare_exchange_strong_explicit(&e->state, &awake, WAITING, memory_order_seq_cst, memory_order_seq_cst))
		(void)event_base_loop(e->base, EVLOOP_ONCE);
	else
		(void)event_base_loop(e->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	atomic_store_explicit(&e->state, AWAKE, memory_order_seq_cst); /* messages are read after this */
}

static void backend_wake(void *ctx)
{
	struct event_loop *e = ctx;
	const uint64_t once = 1;

	if (atomic_exchange_explicit(&e->state, WOKEN, memory_order_seq_cst) == WAITING)
		(void)!write(e->wake_fd, &once, sizeof(once)); /* EAGAIN: it is readable already */
}

static struct event_watch *watch_new(struct event_loop *e, int fd, short what, uint32_t slot) OWNED_BY(event_watch_free);
static struct event_watch *watch_new(struct event_loop *e, int fd, short what, uint32_t slot)
{
	AUTO(event_watch_free) struct event_watch *w = mem_alloc(sizeof(*w));

	if (w == NULL)
		return NULL;
	*w = (struct event_watch){ .parent = e, .slot = slot };
	w->ev = event_new(e->base, fd, (short)(what | EV_PERSIST), on_ready, w);
	if (w->ev == NULL)
		return NULL;
	return MOVE(w);
}

static RESULT backend_watch(void *ctx, struct loop *l, int fd, unsigned int events, uint32_t slot, void **ret_watch)
{
	short what = (short)((events & LOOP_READ ? EV_READ : 0) | (events & LOOP_WRITE ? EV_WRITE : 0));
	AUTO(event_watch_free) struct event_watch *w = watch_new(ctx, fd, what, slot);

	(void)l;
	if (w == NULL)
		return FAIL(ERR_NOMEM);
	if (event_add(w->ev, NULL) != 0)
		return FAIL(ERR_SYSTEM);
	*ret_watch = MOVE(w);
	return DONE;
}

static void backend_unwatch(void *ctx, void *watch)
{
	(void)ctx;
	event_watch_free(watch); /* own-ok: R4 made by backend_watch, which gave it to the loop until now */
}

static struct event_base *make_base(void) OWNED_BY(event_base_free);
static struct event_base *make_base(void)
{
	AUTO(event_config_free) struct event_config *c = event_config_new();

	if (c == NULL || event_config_set_flag(c, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_NO_CACHE_TIME | EVENT_BASE_FLAG_IGNORE_ENV) != 0)
		return NULL;
	return event_base_new_with_config(c);
}

static RESULT event_loop_fill(struct event_loop *e)
{
	e->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (e->wake_fd < 0)
		return FAIL(ERR_SYSTEM);
	e->base = make_base();
	if (e->base == NULL)
		return FAIL(ERR_NOMEM);
	e->timeout = event_new(e->base, -1, 0, on_timeout, NULL);
	e->woken = event_new(e->base, e->wake_fd, EV_READ | EV_PERSIST, on_woken, NULL);
	if (e->timeout == NULL || e->woken == NULL)
		return FAIL(ERR_NOMEM);
	return event_add(e->woken, NULL) == 0 ? DONE : FAIL(ERR_SYSTEM);
}

RESULT loop_event_backend(struct loop_backend *ret_backend)
{
	AUTO(event_loop_free) struct event_loop *e = mem_alloc(sizeof(*e));

	if (e == NULL)
		return FAIL(ERR_NOMEM);
	atomic_init(&e->state, AWAKE);
	TRY(event_loop_fill(e));
	*ret_backend = (struct loop_backend){
		.ctx = MOVE(e), /* own-ok: R3 loop_new takes it */
		.now = backend_now,
		.wait = backend_wait,
		.watch = backend_watch,
		.unwatch = backend_unwatch,
		.wake = backend_wake,
		.free = backend_free,
	};
	return DONE;
}

RESULT loop_event_signal(struct loop *l, int signo, const struct loop_type *t, uint64_t who, loop_fn *fn)
{
	struct event_loop *e = loop_backend_ctx(l, backend_free);
	AUTO(event_watch_free) struct event_watch *w = NULL;
	uint32_t slot;

	if (e == NULL)
		return FAIL(ERR_UNSUPPORTED);
	TRY(loop_source(l, t, who, fn, &slot));
	w = watch_new(e, signo, EV_SIGNAL, slot);
	if (w == NULL)
		return FAIL(ERR_NOMEM);
	if (event_add(w->ev, NULL) != 0)
		return FAIL(ERR_SYSTEM);
	w->next = e->signals;
	e->signals = MOVE(w);
	return DONE;
}
