#include "rpki/process/monitor.h"

#include <errno.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/process.h"

LOOP_HANDLE(ward)
LOOP_HANDLE_IMPL(ward)

enum state { RESTING, RUNNING, PAUSING, STOPPING };

/* One role's process. */
struct ward {
	struct monitor *m PARENT_FIELD;
	size_t i;
	ward_h self;
	enum state state;
	bool again;         /* when it has stopped */
	int pid, pidfd;     /* 0 and -1: none */
	watch_h end_watch;
	timer_h timer;      /* pausing: to the next start; stopping: to the kill */
	link_h link;
	bool linked;
	uint32_t pause_ms;
	uint64_t started_ms, starts;
};

struct monitor {
	struct loop *loop PARENT_FIELD;
	const struct monitor_role *roles PARENT_FIELD;
	struct monitor_events ev;
	struct ward *wards OWNED_FIELD;
	size_t n;
};

/* What a new process is begun with. */
struct beginning {
	const struct monitor_role *role BORROWED_FIELD;
	const struct monitor_along *along BORROWED_FIELD;
	int control;
};

static uint64_t time_ms(const struct monitor *m)
{
	return loop_now(m->loop)->mono_ns / 1000000u;
}

static void *listener(const struct monitor *m) BORROWED;
static void *listener(const struct monitor *m)
{
	return loop_slot_get(m->loop, m->ev.type, m->ev.who);
}

static void drop_link(struct ward *w)
{
	if (w->linked)
		link_close(w->m->loop, w->link);
	w->linked = false;
}

static void start_or_pause(struct ward *w);

/* --------------------------------------------------------------------------------------------------------------- its end */

/* What it had started, and can stop no more. */
static void end_orphans(const struct monitor *m)
{
	AUTO(mem_free) void *pids = mem_alloc_array(m->n, sizeof(int));
	int *mine = (int *)pids;

	if (mine == NULL)
		return;
	for (size_t i = 0; i < m->n; i++)
		mine[i] = m->wards[i].pid;
	process_end_orphans(mine, m->n);
}

/* Its first process has ended, or is about to. Returns the status; -1: there is none. */
static int reap(struct ward *w)
{
	int status = -1;
	pid_t got;

	loop_unwatch(w->m->loop, &w->end_watch);
	loop_timer_stop(w->m->loop, &w->timer);
	do
		got = waitpid(w->pid, &status, 0);
	while (got < 0 && errno == EINTR);
	(void)close(w->pidfd);
	w->pidfd = -1;
	w->pid = 0;
	drop_link(w);
	end_orphans(w->m);
	return got > 0 ? status : -1;
}

static void on_pause_over(struct loop *l, void *object)
{
	struct ward *w = (struct ward *)object;

	(void)l;
	w->timer.v = 0;
	w->state = RESTING;
	start_or_pause(w);
}

static void pause_then_start(struct ward *w)
{
	uint32_t ms = w->pause_ms;

	w->state = PAUSING;
	w->pause_ms = ms < MONITOR_PAUSE_MAX_MS / 2 ? 2 * ms : MONITOR_PAUSE_MAX_MS;
	if (!OK(loop_timer(w->m->loop, &ward_loop_type, w->self.v, on_pause_over, ms, &w->timer)))
		w->state = RESTING; /* no memory for a timer: nothing else will work either, and whoever asks for it starts it */
}

static void on_end(struct loop *l, void *object, unsigned int events)
{
	struct ward *w = (struct ward *)object;
	bool expected = w->state == STOPPING, again = true;
	void *who;
	int status;

	(void)events;
	status = reap(w);
	if (time_ms(w->m) - w->started_ms >= MONITOR_LASTS_MS)
		w->pause_ms = MONITOR_PAUSE_FIRST_MS;
	w->state = RESTING;
	who = listener(w->m);
	if (who != NULL)
		again = w->m->ev.ended(l, who, w->i, status, expected);
	if (w->state != RESTING) /* started by whoever heard it */
		return;
	if (expected && w->again)
		start_or_pause(w);
	else if (!expected && again)
		pause_then_start(w);
}

/* ------------------------------------------------------------------------------------------------------------ its beginning */

static int in_the_child(void *ctx)
{
	const struct beginning *b = (const struct beginning *)ctx;

	return b->role->run(b->role->ctx, b->control, b->along);
}

static void on_message(struct loop *l, void *object, link_h k, struct link_message *msg)
{
	struct ward *w = (struct ward *)object;
	void *who = listener(w->m);

	(void)k;
	if (who != NULL && w->state == RUNNING)
		w->m->ev.message(l, who, w->i, msg);
}

/* A process that has closed its link and goes on is none of ours: it is on its way out, or has gone bad. */
static void on_closed(struct loop *l, void *object, link_h k, enum err e)
{
	struct ward *w = (struct ward *)object;

	(void)l, (void)k, (void)e;
	w->linked = false;
	if (w->pid != 0 && e == ERR_FORMAT)
		(void)kill(w->pid, SIGKILL);
}

static RESULT begin(struct ward *w, const struct monitor_along *along, int control)
{
	struct beginning b = { .role = &w->m->roles[w->i], .along = along, .control = control };
	int keep[MONITOR_ALONG_MAX + 1];

	memcpy(keep, along->fds, along->n * sizeof keep[0]);
	keep[along->n] = control;
	TRY(process_begin(in_the_child, &b, keep, along->n + 1, &w->pid));
	w->pidfd = pidfd_open(w->pid, 0);
	if (w->pidfd < 0)
		return FAIL(ERR_SYSTEM);
	return loop_watch(w->m->loop, &ward_loop_type, w->self.v, w->pidfd, LOOP_READ, on_end, &w->end_watch);
}

static RESULT start(struct ward *w)
{
	const struct link_events ev = { .type = &ward_loop_type, .who = w->self.v, .message = on_message, .closed = on_closed };
	struct monitor_along along = { .n = 0 };
	void *who = listener(w->m);
	struct result r;
	int ends[2];

	if (who != NULL)
		TRY(w->m->ev.starting(w->m->loop, who, w->i, &along));
	TRY(link_pair(ends));
	r = link_open(w->m->loop, ends[0], &ev, &w->link);
	w->linked = OK(r);
	if (OK(r))
		r = begin(w, &along, ends[1]);
	(void)close(ends[1]);
	if (!OK(r)) {
		if (w->pid != 0) {
			(void)kill(w->pid, SIGKILL);
			(void)reap(w);
		}
		drop_link(w);
		return r;
	}
	w->state = RUNNING;
	w->again = false;
	w->starts++;
	w->started_ms = time_ms(w->m);
	if (who != NULL)
		w->m->ev.started(w->m->loop, who, w->i);
	return DONE;
}

static void start_or_pause(struct ward *w)
{
	if (!OK(start(w)) && w->state == RESTING)
		pause_then_start(w);
}

RESULT monitor_start(struct monitor *m, size_t i)
{
	return m->wards[i].state == RESTING ? start(&m->wards[i]) : DONE;
}

/* ------------------------------------------------------------------------------------------------------------------- whole */

static void on_stop_late(struct loop *l, void *object)
{
	struct ward *w = (struct ward *)object;

	(void)l;
	w->timer.v = 0;
	(void)kill(w->pid, SIGKILL);
}

void monitor_stop(struct monitor *m, size_t i, bool again)
{
	struct ward *w = &m->wards[i];

	w->again = again;
	if (w->state == PAUSING) {
		loop_timer_stop(m->loop, &w->timer);
		w->state = RESTING;
	}
	if (w->state == RUNNING) {
		w->state = STOPPING;
		drop_link(w);
		if (!OK(loop_timer(m->loop, &ward_loop_type, w->self.v, on_stop_late, MONITOR_STOP_MS, &w->timer)))
			(void)kill(w->pid, SIGKILL);
	} else if (w->state == RESTING && again) {
		start_or_pause(w);
	}
}

void monitor_kill(struct monitor *m, size_t i)
{
	if (m->wards[i].pid != 0)
		(void)kill(m->wards[i].pid, SIGKILL);
}

RESULT monitor_send(struct monitor *m, size_t i, uint32_t type, struct span body, int fd)
{
	const struct ward *w = &m->wards[i];

	return w->state == RUNNING && w->linked ? link_send(m->loop, w->link, type, body, fd) : FAIL(ERR_CLOSED);
}

bool monitor_runs(const struct monitor *m, size_t i)
{
	return m->wards[i].state == RUNNING || m->wards[i].state == STOPPING;
}

uint64_t monitor_starts(const struct monitor *m, size_t i)
{
	return m->wards[i].starts;
}

int monitor_pid(const struct monitor *m, size_t i)
{
	return m->wards[i].pid;
}

uint32_t monitor_pause_ms(const struct monitor *m, size_t i)
{
	return m->wards[i].pause_ms;
}

void monitor_free(struct monitor *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; m->wards != NULL && i < m->n; i++)
		monitor_kill(m, i);
	for (size_t i = 0; m->wards != NULL && i < m->n; i++) {
		struct ward *w = &m->wards[i];

		if (w->pid != 0)
			(void)reap(w);
		loop_timer_stop(m->loop, &w->timer);
		if (w->self.v != 0)
			ward_retire(m->loop, w->self);
	}
	mem_free(m->wards);
	mem_free(m);
}

struct monitor *monitor_new(struct loop *l, const struct monitor_role *roles, size_t n, const struct monitor_events *ev)
{
	AUTO(monitor_free) struct monitor *m = (struct monitor *)mem_alloc(sizeof *m);

	if (m == NULL)
		return NULL;
	m->loop = l;
	m->roles = roles;
	m->ev = *ev;
	m->n = n;
	process_adopt_orphans();
	m->wards = (struct ward *)mem_alloc_array(n, sizeof *m->wards);
	for (size_t i = 0; m->wards != NULL && i < n; i++) {
		struct ward *w = &m->wards[i];

		*w = (struct ward){ .m = m, .i = i, .pidfd = -1, .pause_ms = MONITOR_PAUSE_FIRST_MS };
		w->self = ward_enlist(l, w);
		if (w->self.v == 0)
			return NULL;
	}
	return m->wards != NULL ? MOVE(m) : NULL;
}
