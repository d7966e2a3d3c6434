/* process.h: what a daemon does to its own process: background, privileges, limits, pid file. Each is called once, by the main
 * thread, before there are others. */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include "base/own.h"

/* Goes to the background; the process that was started waits until process_ready() or the end of the new one, and exits 0 or 1
 * accordingly. Returns in the new process only. ERR_SYSTEM. */
RESULT process_background(void);
void process_ready(void); /* fine when there is no process that waits */

/* Looked up before chroot. ERR_NOTFOUND: no such user. */
struct process_user {
	unsigned int uid, gid;
	bool change; /* false: stay who we are */
};
RESULT process_find_user(const char *name, struct process_user *ret) NONNULL; /* "" or not root: no change */
RESULT process_confine(const char *chroot_dir, const struct process_user *u)
    NONNULL; /* "" stays; then becomes the user, for good */

/*
 * Another process, of this program: it has the memory of this one as it is now, runs fn(ctx), and ends with what that returns as its exit status. Of the descriptors it has the
 * standard ones and those in keep; all signals do what they did when the program was started, but that it dies with this process (see process_die_with_parent). Before there are
 * threads here. ERR_SYSTEM.
 */
typedef int process_fn(void *ctx);
RESULT process_begin(process_fn *fn, void *ctx, const int *keep, size_t n, int *ret_pid) __attribute__((nonnull(1, 5)));
/* To be said again after process_confine, which ends it. False: the parent, parent_pid, is gone already. */
bool process_die_with_parent(int parent_pid);

/*
 * From now on what others have started becomes this process's when they die without having waited for it; process_end_orphans() kills and reaps such processes, all but those in mine,
 * which this one has begun itself. One that takes a moment to die is reaped the next time. Where the kernel does not tell who they are, nothing is done.
 */
void process_adopt_orphans(void);
void process_end_orphans(const int *mine, size_t n);

/* Descriptors that may be open at a time: raised to `wanted` as far as the system lets us. Returns what holds now. */
uint64_t process_raise_files(uint64_t wanted);
RESULT process_write_pid(const char *path) NONNULL; /* replaces the file; never through a link */
void process_remove_pid(const char *path) NONNULL;

#endif
