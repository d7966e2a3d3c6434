#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

#define ORPHANS_OCTETS ((size_t)1 << 20) /* of the kernel's list of children */

static int ready_fd = -1; /* own-ok: R14 the process has one parent to tell, and one thread when it does */

/* The process that was started: its end tells how the start went. */
static _Noreturn void wait_for_child(int fd)
{
	char c;
	ssize_t n;

	do
		n = read(fd, &c, 1);
	while (n < 0 && errno == EINTR);
	_exit(n == 1 ? 0 : 1);
}

RESULT process_background(void)
{
	int ends[2], null;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return FAIL(ERR_SYSTEM);
	pid = fork();
	if (pid < 0) {
		(void)close(ends[0]);
		(void)close(ends[1]);
		return FAIL(ERR_SYSTEM);
	}
	if (pid > 0) {
		(void)close(ends[1]);
		wait_for_child(ends[0]);
	}
	(void)close(ends[0]);
	ready_fd = ends[1];
	if (setsid() < 0)
		return FAIL(ERR_SYSTEM);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		return FAIL(ERR_SYSTEM);
	/* standard error stays until we are ready: errors of the start are for whoever started us */
	(void)dup2(null, STDIN_FILENO);
	(void)dup2(null, STDOUT_FILENO);
	(void)close(null);
	return DONE;
}

void process_ready(void)
{
	int null;

	if (ready_fd < 0)
		return;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0) {
		(void)dup2(null, STDERR_FILENO);
		(void)close(null);
	}
	if (write(ready_fd, "", 1) != 1) {
		/* nobody waits any more: fine */
	}
	(void)close(ready_fd);
	ready_fd = -1;
}

RESULT process_find_user(const char *name, struct process_user *ret)
{
	struct passwd pw, *found = NULL;
	char room[16384];

	*ret = (struct process_user){ 0, 0, false };
	if (*name == '\0' || geteuid() != 0)
		return DONE;
	if (getpwnam_r(name, &pw, room, sizeof room, &found) != 0 || found == NULL)
		return FAIL(ERR_NOTFOUND);
	*ret = (struct process_user){ found->pw_uid, found->pw_gid, true };
	return DONE;
}

RESULT process_confine(const char *chroot_dir, const struct process_user *u)
{
	gid_t gid = u->gid;

	if (*chroot_dir != '\0' && (chroot(chroot_dir) != 0 || chdir("/") != 0))
		return FAIL(ERR_SYSTEM);
	if (!u->change)
		return DONE;
	if (setgroups(1, &gid) != 0 || setresgid(gid, gid, gid) != 0 || setresuid(u->uid, u->uid, u->uid) != 0)
		return FAIL(ERR_SYSTEM);
	return u->uid == 0 || setuid(0) != 0 ? DONE : FAIL(ERR_SYSTEM); /* there must be no way back */
}

/* ------------------------------------------------------------------------------------------------------------ other processes */

/* All but the standard ones and those in keep. */
static void close_others(const int *keep, size_t n)
{
	int from = STDERR_FILENO + 1, next;

	do {
		next = -1;
		for (size_t i = 0; i < n; i++)
			if (keep[i] >= from && (next < 0 || keep[i] < next))
				next = keep[i];
		if (next != from)
			(void)close_range((unsigned int)from, next < 0 ? ~0u : (unsigned int)next - 1, 0);
		from = next + 1;
	} while (next >= 0);
}

static void signals_as_at_first(void)
{
	struct sigaction usual = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int s = 1; s < NSIG; s++)
		(void)sigaction(s, &usual, NULL); /* of some it cannot be said, nor need be */
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

bool process_die_with_parent(int parent_pid)
{
	return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 && getppid() == parent_pid;
}

RESULT process_begin(process_fn *fn, void *ctx, const int *keep, size_t n, int *ret_pid)
{
	int parent = getpid();
	pid_t pid;

	(void)fflush(NULL); /* what waits there would be written twice */
	pid = fork();
	if (pid < 0)
		return FAIL(ERR_SYSTEM);
	if (pid == 0) {
		ready_fd = -1;
		signals_as_at_first();
		close_others(keep, n);
		_exit(process_die_with_parent(parent) ? fn(ctx) : 1);
	}
	*ret_pid = pid;
	return DONE;
}

void process_adopt_orphans(void)
{
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

static void end_orphan(int pid, const int *mine, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (mine[i] == pid)
			return;
	if (getpgid(pid) == pid) /* with its whole group, where it leads one */
		(void)kill(-pid, SIGKILL);
	(void)kill(pid, SIGKILL); /* ours, and not reaped yet: no other process can have its number */
	(void)waitpid(pid, NULL, WNOHANG);
}

void process_end_orphans(const int *mine, size_t n)
{
	AUTO_CHARS char *text = NULL;
	char path[64];
	size_t octets;

	(void)snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
	if (!OK(file_read_all(path, ORPHANS_OCTETS, &text, &octets)))
		return;
	for (char *at = text, *end;; at = end) {
		long pid = strtol(at, &end, 10);

		if (end == at)
			return;
		if (pid > 1)
			end_orphan((int)pid, mine, n);
	}
}

uint64_t process_raise_files(uint64_t wanted)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) != 0)
		return 0;
	if (l.rlim_cur >= wanted)
		return l.rlim_cur;
	if (l.rlim_max < wanted) {
		struct rlimit more = { wanted, wanted };

		if (setrlimit(RLIMIT_NOFILE, &more) == 0) /* root may */
			return wanted;
	}
	l.rlim_cur = l.rlim_max < wanted ? l.rlim_max : (rlim_t)wanted;
	(void)setrlimit(RLIMIT_NOFILE, &l);
	return l.rlim_cur;
}

RESULT process_write_pid(const char *path)
{
	char text[32];
	int n = snprintf(text, sizeof text, "%ld\n", (long)getpid());

	return file_write_atomic(path, span_of(text, (size_t)n), 0644);
}

void process_remove_pid(const char *path)
{
	if (unlink(path) != 0 && errno != ENOENT) {
		/* after privileges were dropped its directory may not be ours: it is emptied, so that no other process is taken for
		 * us */
		int fd = open(path, O_WRONLY | O_TRUNC | O_NOFOLLOW | O_CLOEXEC);

		if (fd >= 0)
			(void)close(fd);
	}
}
