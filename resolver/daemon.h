/*
 * daemon.h: the process: threads, shared objects, configuration in force. The main thread has a loop of its own for what takes time
 * (signals, reload, control socket, snapshots), so that no worker ever waits for it. This is the only file of the resolver that
 * makes threads.
 *
 *   settings   the main loop reads a configuration into a plan (plan.h), and posts it to every worker, which switches between two
 * turns rounds     work that each worker does on its own loop (dump what is under way, cancel something), then something that the
 * main loop does with what they found statistics are read from the workers' counters at any time, by any thread
 *
 * All functions but daemon_run() are for the main loop: the control socket lives there.
 */
#ifndef RESOLVER_DAEMON_H
#define RESOLVER_DAEMON_H

#include "resolver/worker.h"

struct anchor_keeper;
struct control;
struct daemon;
struct filter_keeper;
struct stats_base;
struct strbuf;
struct tap_hub;
struct warm;

struct daemon_options {
	const char *conf_path BORROWED_FIELD; /* NULL: the usual place, or the built-in configuration when there is none */
	bool foreground;                      /* -d */
	bool no_pid_file;                     /* -p */
	unsigned int verbosity;               /* -v, so many times */
	/* The control socket, opened before privileges are dropped and closed when workers have stopped. Both NULL: none. */
	struct control *(*control_open)(struct daemon *d);
	void (*control_close)(struct control *c);
};
/* Runs until it is told to stop. Returns the exit status: 0, or 1 when it could not start (said on standard error or in the log).
 */
int daemon_run(const struct daemon_options *o) NONNULL;

struct loop *daemon_loop(struct daemon *d) BORROWED NONNULL;
struct epoch_member *daemon_member(struct daemon *d) BORROWED NONNULL;
struct shared *daemon_shared(struct daemon *d) BORROWED NONNULL;
struct warm *daemon_warm(struct daemon *d) BORROWED NONNULL;
struct anchor_keeper *daemon_keeper(struct daemon *d) BORROWED NONNULL;
const struct filter_keeper *daemon_filters(const struct daemon *d) BORROWED NONNULL;
const struct plan *daemon_plan(const struct daemon *d) BORROWED NONNULL;
const struct zones *daemon_zones(const struct daemon *d) BORROWED NONNULL;
const struct tap_hub *daemon_taps(const struct daemon *d) BORROWED NONNULL;
uint64_t daemon_started_ms(const struct daemon *d) NONNULL; /* mono */
unsigned int daemon_verbosity(const struct daemon *d) NONNULL;
void daemon_set_verbosity(struct daemon *d, unsigned int verbosity) NONNULL; /* until the next reload */

/* The configuration is read again. On an error nothing changes, and report (which gets warnings, too) says why. */
RESULT daemon_reload(struct daemon *d, struct strbuf *report) NONNULL;
/* Works by c from now on (set_option, forward_add, ...), until the next reload. */
RESULT daemon_set_conf(struct daemon *d, struct conf *c, struct strbuf *report) TAKES(2) NONNULL;
/* Answers from z locally from now on, until the next reload. */
RESULT daemon_set_zones(struct daemon *d, struct local_zones *z) TAKES(2) NONNULL;
/* The answer cache judges everything again: after a flush of the RRset cache. */
void daemon_flushed(struct daemon *d) NONNULL;
/* Ends daemon_run(), soon: workers stop first, then a snapshot is written. */
void daemon_stop(struct daemon *d) NONNULL;

unsigned int daemon_workers(const struct daemon *d) NONNULL;
const struct stats *daemon_stats(const struct daemon *d, unsigned int worker) BORROWED NONNULL;
struct stats_base *daemon_stats_base(struct daemon *d) BORROWED NONNULL; /* what they were when they were last set to zero */
/* Sums of all workers. */
uint64_t daemon_count(const struct daemon *d, enum counter c) NONNULL;

/* each(w, out, ctx) runs on every worker's loop, then done(d, outs, n, ctx) on the main loop, with what each of them wrote. ctx is
 * read by all threads at the same time: immutable, and good until done; done is called once, with n == 0 when the daemon ends
 * first. max: octets of each out. */
typedef void round_each_fn(struct worker *w, struct strbuf *out, void *ctx);
typedef void round_done_fn(struct daemon *d, struct strbuf *const *outs, size_t n, void *ctx);
RESULT daemon_round(struct daemon *d, size_t max, round_each_fn *each, round_done_fn *done, void *ctx)
    __attribute__((nonnull(1, 3, 4)));

/* core_resolve() at one of the workers; fn(loop, object, tag, answer) runs on the main loop, as ask.h says. ERR_NOMEM. */
RESULT daemon_ask(struct daemon *d, const struct resolve_request *r, const struct loop_type *t, uint64_t who, uint32_t tag, resolve_fn *fn) NONNULL;

#endif
