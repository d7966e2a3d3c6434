/*
 * monitor.h: starts processes, and starts them again when they end: after a pause that grows while one does not last. Each has a link to here (link.h); what comes over it is not
 * believed, and a process that sends what is no message is killed.
 *
 *   resting   not started yet, or told to stop, and gone
 *   running
 *   pausing   it has ended; its timer is set
 *   (and when it has ended, what it had started and left behind is killed)
 *   stopping  its link is closed, which tells it to end; killed when it takes longer than MONITOR_STOP_MS
 */
#ifndef RPKI_PROCESS_MONITOR_H
#define RPKI_PROCESS_MONITOR_H

#include "rpki/process/link.h"

#define MONITOR_ALONG_MAX 128u        /* descriptors that a process is given */
#define MONITOR_PAUSE_FIRST_MS 100u   /* before it is started again; doubled each time */
#define MONITOR_PAUSE_MAX_MS 60000u
#define MONITOR_LASTS_MS 60000u       /* a process that lasted so long begins with the first pause again */
#define MONITOR_STOP_MS 5000u

struct monitor;

struct monitor_along {
	int fds[MONITOR_ALONG_MAX];
	size_t n;
};

/* A kind of process. */
struct monitor_role {
	const char *name BORROWED_FIELD; /* for the log */
	/* In the new process; control is its end of the link. Its result is the exit status. */
	int (*run)(void *ctx, int control, const struct monitor_along *along);
	void *ctx BORROWED_FIELD;
};

struct monitor_events {
	const struct loop_type *type BORROWED_FIELD;
	uint64_t who;
	/* Role i is about to be started: what goes along (copies of these descriptors stay open there). An error: it is tried again after the pause. */
	struct result (*starting)(struct loop *l, void *object, size_t i, struct monitor_along *ret_along);
	/* It runs: descriptors that were for it alone can be closed here. */
	void (*started)(struct loop *l, void *object, size_t i);
	void (*message)(struct loop *l, void *object, size_t i, struct link_message *m);
	/* It has ended, with a status as waitpid() tells it; expected: it was told to. Is it to be started again? (Not asked when it was told to stop for good.) */
	bool (*ended)(struct loop *l, void *object, size_t i, int status, bool expected);
};

void monitor_free(struct monitor *m) TAKES(1); /* kills what runs, and waits for its end; not from within an event */
/* roles: n of them, which outlive it. NULL: out of memory. */
struct monitor *monitor_new(struct loop *l, const struct monitor_role *roles, size_t n, const struct monitor_events *ev) OWNED_BY(monitor_free) NONNULL;
DEFINE_AUTO(struct monitor, monitor_free)

/* From resting to running. ERR_SYSTEM, ERR_NOMEM, or what `starting` said: it rests on. */
RESULT monitor_start(struct monitor *m, size_t i) NONNULL;
/* Tells it to end; again: and starts it anew, at once. Resting: nothing is done, or it is started. */
void monitor_stop(struct monitor *m, size_t i, bool again) NONNULL;
void monitor_kill(struct monitor *m, size_t i) NONNULL; /* at once; it is started again after a pause, as if it had ended by itself */
RESULT monitor_send(struct monitor *m, size_t i, uint32_t type, struct span body, int fd) NONNULL; /* as link_send(). ERR_CLOSED: it does not run */
bool monitor_runs(const struct monitor *m, size_t i) NONNULL;
uint64_t monitor_starts(const struct monitor *m, size_t i) NONNULL; /* so far */
int monitor_pid(const struct monitor *m, size_t i) NONNULL;         /* 0: none */
uint32_t monitor_pause_ms(const struct monitor *m, size_t i) NONNULL; /* the one that is, or would be next */

#endif
