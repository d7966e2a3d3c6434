/*
 * rsync_run.h: the program rsync as a child: for repositories without RRDP, and where RRDP fails. Each run is a process group of its own, with nothing of ours open but a
 * pipe for each of its outputs. It is stopped when it takes too long or brings too much; and when it has ended, by itself or not, whatever is left of its group is killed,
 * before its first process is reaped, so that no other process can have got its number.
 *
 * Where and as whom it may write is the caller's matter (a sandbox around this process); what it has written is read by rsync_tree.h.
 */
#ifndef RPKI_FETCH_RSYNC_RUN_H
#define RPKI_FETCH_RSYNC_RUN_H

#include "base/loop.h"

struct rsync_runner;
LOOP_HANDLE(rsync_run)

struct rsync_options {
	const char *command BORROWED_FIELD; /* a path, or a name in /usr/local/bin, /usr/bin or /bin */
	const char *proxy BORROWED_FIELD;   /* for RSYNC_PROXY: "HOST:PORT"; NULL: none */
	uint32_t connect_s, io_s;           /* what rsync itself waits: --contimeout, --timeout */
	uint32_t deadline_ms;               /* for all of it */
	uint32_t stall_ms;                  /* in which it names no file, new or known: then it is too slow; 0: any */
	uint32_t object_octets;             /* larger files are left out: --max-size */
	uint64_t octets;                    /* of all files there, new or known */
	uint32_t files;                     /* likewise */
};
struct rsync_options rsync_options_default(void); /* "rsync", none, 15, 30, 300 s, 45 s, 8 MiB, 2 GiB, 1000000 */

struct rsync_events {
	const struct loop_type *type BORROWED_FIELD;
	uint64_t who;
	/* ERR_NONE: all is there. ERR_TIMEOUT, ERR_LIMIT: it was stopped; ERR_SYSTEM: rsync says so, or could not be begun. why: one line. */
	void (*ended)(struct loop *l, void *object, rsync_run_h r, enum err e, const char *why);
};

struct rsync_counts {
	uint64_t runs, failed, too_slow, too_late, too_large;
	uint64_t files, octets; /* that were there */
};

void rsync_runner_free(struct rsync_runner *x) TAKES(1); /* kills what runs, and waits for its end; no event follows */
/* o: copied, with its texts. */
struct rsync_runner *rsync_runner_new(struct loop *l, const struct rsync_options *o) OWNED_BY(rsync_runner_free) NONNULL;
DEFINE_AUTO(struct rsync_runner, rsync_runner_free)

/*
 * Brings what is at uri (a folder of rsync: or an object, see uri.h) into dir, an existing folder with an absolute path; what is there and not at uri is deleted when uri
 * is a folder. connect_s: in place of the runner's; 0: that. ERR_FORMAT: not such a URI; ERR_NOTFOUND: no such command; ERR_SYSTEM (errno); ERR_NOMEM.
 */
RESULT rsync_run(struct rsync_runner *x, const char *uri, const char *dir, uint32_t connect_s, const struct rsync_events *ev, rsync_run_h *ret) NONNULL;
void rsync_stop(struct rsync_runner *x, rsync_run_h r) NONNULL; /* no event follows. A stale handle is fine */
const struct rsync_counts *rsync_counts(const struct rsync_runner *x) BORROWED NONNULL;

#endif
