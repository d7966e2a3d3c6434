/*
 * sandbox_calls.c: the filter of system calls. A table says which group has which calls; names that this machine's kernel interface does not have are passed over, so
 * that one table does for all. Calls that have no line fail with ENOSYS: the C library then takes the older way that it knows, also for calls that are newer than this table.
 */
#include "config.h"

#ifdef HAVE_LIBSECCOMP

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/libseccomp.h"
#include "base/sandbox.h"
#include "base/sandbox_inside.h"

#define EVERYBODY 0u

struct allowed {
	unsigned int group;
	const char *const *names BORROWED_FIELD; /* NULL at the end */
};

#define NAMES(...) (const char *const[]){ __VA_ARGS__, NULL }

static const struct allowed allowed[] = {
	{ EVERYBODY,
	  NAMES("read", "write", "readv", "writev", "pread64", "pwrite64", "preadv", "pwritev", "close", "close_range", "fstat", "newfstatat",
	      "fstatat64", "statx", "lseek", "fcntl", "dup", "dup2", "dup3", "fadvise64") },
	{ EVERYBODY,
	  NAMES("brk", "mmap", "munmap", "mprotect", "mremap", "madvise", "msync", "mincore", "mlock", "munlock", "membarrier", "memfd_create",
	      "ftruncate", "fallocate") },
	{ EVERYBODY,
	  NAMES("epoll_create", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2", "eventfd2", "signalfd4", "timerfd_create",
	      "timerfd_settime", "poll", "ppoll", "select", "pselect6", "pipe", "pipe2") },
	{ EVERYBODY,
	  NAMES("sendmsg", "recvmsg", "sendto", "recvfrom", "sendmmsg", "recvmmsg", "getsockopt", "setsockopt", "getsockname", "getpeername",
	      "shutdown") },
	{ EVERYBODY,
	  NAMES("futex", "set_robust_list", "get_robust_list", "rseq", "set_tid_address", "sched_yield", "sched_getaffinity", "sched_getparam",
	      "sched_getscheduler", "getcpu", "arch_prctl", "prctl") },
	{ EVERYBODY,
	  NAMES("rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigpending", "rt_sigtimedwait", "rt_sigsuspend", "sigaltstack", "tgkill",
	      "restart_syscall") },
	{ EVERYBODY,
	  NAMES("clock_gettime", "clock_getres", "gettimeofday", "time", "nanosleep", "clock_nanosleep", "getrandom", "getrusage", "times",
	      "sysinfo", "uname", "umask") },
	{ EVERYBODY,
	  NAMES("getpid", "gettid", "getppid", "getpgrp", "getpgid", "getsid", "getuid", "geteuid", "getgid", "getegid", "getresuid", "getresgid",
	      "getgroups", "getrlimit", "exit", "exit_group") },
	{ SANDBOX_READ | SANDBOX_WRITE,
	  NAMES("stat", "lstat", "access", "faccessat", "faccessat2", "readlink", "readlinkat", "getdents", "getdents64", "getcwd", "chdir",
	      "fchdir", "statfs", "fstatfs", "flock") },
	{ SANDBOX_WRITE,
	  NAMES("mkdir", "mkdirat", "rename", "renameat", "renameat2", "unlink", "unlinkat", "rmdir", "truncate", "fsync", "fdatasync",
	      "sync_file_range", "chmod", "fchmod", "fchmodat", "utime", "utimes", "futimesat", "utimensat", "symlink", "symlinkat",
	      "copy_file_range", "creat") },
	{ SANDBOX_CONNECT,
	  NAMES("connect", "bind", "socketpair") },
	{ SANDBOX_ACCEPT,
	  NAMES("accept", "accept4") },
	{ SANDBOX_FORK,
	  NAMES("fork", "vfork", "clone", "wait4", "waitid", "kill", "pidfd_open", "pidfd_send_signal", "setpgid", "setsid", "alarm", "setitimer",
	      "getitimer", "prlimit64", "socketpair") },
	{ SANDBOX_EXECUTE,
	  NAMES("execve") },
	{ SANDBOX_PRIVILEGES,
	  NAMES("setuid", "setgid", "setgroups", "setresuid", "setresgid", "setreuid", "setregid", "setfsuid", "setfsgid", "capget", "capset",
	      "chown", "fchown", "lchown", "fchownat", "setrlimit", "prlimit64", "seccomp", "landlock_create_ruleset", "landlock_add_rule",
	      "landlock_restrict_self", "socket", "socketpair", "bind", "connect", "listen", "chroot") },
};

/* What nobody honest asks for. */
static const char *const killed[] = {
	"execveat", "process_vm_readv", "process_vm_writev", "kcmp", "pidfd_getfd", "mount", "umount2", "pivot_root", "move_mount",
	"fsopen", "open_tree", "unshare", "setns", "init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "bpf",
	"perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter", "add_key", "request_key", "keyctl", "reboot", "swapon",
	"swapoff", "settimeofday", "clock_settime", "adjtimex", "sethostname", "iopl", "ioperm", "modify_ldt", "acct", "quotactl",
	"open_by_handle_at", "mknod", "mknodat", "personality", NULL
};

bool sandbox_has_calls(void)
{
	return true;
}

/* 0, or a negated errno as libseccomp gives it. A name that this machine does not have needs no rule. */
static int rule(scmp_filter_ctx c, uint32_t action, const char *name, unsigned int n, const struct scmp_arg_cmp *args)
{
	int nr = seccomp_syscall_resolve_name(name);

	return nr < 0 ? 0 : seccomp_rule_add_array(c, action, nr, n, args);
}

static int allow_names(scmp_filter_ctx c, const char *const *names, uint32_t action)
{
	int e = 0;

	for (size_t i = 0; names[i] != NULL && e == 0; i++)
		e = rule(c, action, names[i], 0, NULL);
	return e;
}

static int allow_groups(scmp_filter_ctx c, unsigned int groups)
{
	int e = 0;

	for (size_t i = 0; i < sizeof allowed / sizeof allowed[0] && e == 0; i++)
		if (allowed[i].group == EVERYBODY || (allowed[i].group & groups) != 0)
			e = allow_names(c, allowed[i].names, SCMP_ACT_ALLOW);
	return e;
}

/* For reading only, unless the group for writing is there; refused as a missing permission would be, which libraries that look for their files cope with. */
static int allow_open(scmp_filter_ctx c, unsigned int groups)
{
	const uint64_t writes = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC;
	const struct scmp_arg_cmp open_reads = SCMP_A1_64(SCMP_CMP_MASKED_EQ, writes, 0), openat_reads = SCMP_A2_64(SCMP_CMP_MASKED_EQ, writes, 0);
	const struct scmp_arg_cmp open_writes[] = { SCMP_A1_64(SCMP_CMP_MASKED_EQ, O_WRONLY, O_WRONLY), SCMP_A1_64(SCMP_CMP_MASKED_EQ, O_RDWR, O_RDWR),
		SCMP_A1_64(SCMP_CMP_MASKED_EQ, O_CREAT, O_CREAT), SCMP_A1_64(SCMP_CMP_MASKED_EQ, O_TRUNC, O_TRUNC) };
	int e;

	if ((groups & SANDBOX_WRITE) != 0) {
		e = rule(c, SCMP_ACT_ALLOW, "open", 0, NULL);
		return e != 0 ? e : rule(c, SCMP_ACT_ALLOW, "openat", 0, NULL);
	}
	if ((groups & SANDBOX_READ) == 0) {
		e = rule(c, SCMP_ACT_ERRNO(EACCES), "open", 0, NULL);
		return e != 0 ? e : rule(c, SCMP_ACT_ERRNO(EACCES), "openat", 0, NULL);
	}
	e = rule(c, SCMP_ACT_ALLOW, "open", 1, &open_reads);
	if (e == 0)
		e = rule(c, SCMP_ACT_ALLOW, "openat", 1, &openat_reads);
	for (size_t i = 0; i < sizeof open_writes / sizeof open_writes[0] && e == 0; i++) {
		struct scmp_arg_cmp at = open_writes[i];

		e = rule(c, SCMP_ACT_ERRNO(EACCES), "open", 1, &at);
		at.arg = 2;
		if (e == 0)
			e = rule(c, SCMP_ACT_ERRNO(EACCES), "openat", 1, &at);
	}
	return e;
}

static int allow_threads(scmp_filter_ctx c, unsigned int groups)
{
	const struct scmp_arg_cmp thread = SCMP_A0_64(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD);

	if ((groups & (SANDBOX_THREADS | SANDBOX_FORK)) != SANDBOX_THREADS)
		return 0;
	return rule(c, SCMP_ACT_ALLOW, "clone", 1, &thread); /* clone3, whose arguments lie in memory, fails with ENOSYS: then it is clone */
}

static int allow_sockets(scmp_filter_ctx c, unsigned int groups)
{
	static const int families[] = { AF_INET, AF_INET6, AF_UNIX, AF_NETLINK /* getaddrinfo asks which addresses there are */ };
	int e = 0;

	if ((groups & SANDBOX_PRIVILEGES) != 0)
		return 0;
	if ((groups & SANDBOX_CONNECT) == 0) {
		e = rule(c, SCMP_ACT_ERRNO(EACCES), "socket", 0, NULL);
		return e != 0 ? e : rule(c, SCMP_ACT_ERRNO(EACCES), "connect", 0, NULL);
	}
	for (size_t i = 0; i < sizeof families / sizeof families[0] && e == 0; i++) {
		const struct scmp_arg_cmp family = SCMP_A0_32(SCMP_CMP_EQ, (uint32_t)families[i], 0);

		e = rule(c, SCMP_ACT_ALLOW, "socket", 1, &family);
	}
	return e;
}

/* What a terminal is asked for, and how much there is to read; nothing that changes a device. */
static int allow_ioctl(scmp_filter_ctx c)
{
	static const unsigned long requests[] = { TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO };
	int e = 0;

	for (size_t i = 0; i < sizeof requests / sizeof requests[0] && e == 0; i++) {
		const struct scmp_arg_cmp request = SCMP_A1_32(SCMP_CMP_EQ, (uint32_t)requests[i], 0);

		e = rule(c, SCMP_ACT_ALLOW, "ioctl", 1, &request);
	}
	return e;
}

/* A sanitizer's report runs a program that names functions: it is refused there, so that the report is not cut short. */
static int kill_others(scmp_filter_ctx c, unsigned int groups)
{
	const uint32_t action = SANITIZED ? SCMP_ACT_ERRNO(EPERM) : SCMP_ACT_KILL_PROCESS;
	int e = allow_names(c, killed, action);

	/* LeakSanitizer looks at its own process so, at the end of the program */
	if (e == 0)
		e = rule(c, SANITIZED && (groups & SANDBOX_PRIVILEGES) != 0 ? SCMP_ACT_ALLOW : action, "ptrace", 0, NULL);
	if (e == 0 && (groups & SANDBOX_EXECUTE) == 0)
		e = rule(c, action, "execve", 0, NULL);
	return e;
}

/* prlimit64 of oneself, to ask (the new limit is NULL). */
static int allow_limits(scmp_filter_ctx c, unsigned int groups)
{
	const struct scmp_arg_cmp ask[] = { SCMP_A0_32(SCMP_CMP_EQ, 0, 0), SCMP_A2_64(SCMP_CMP_EQ, 0, 0) };

	return (groups & (SANDBOX_FORK | SANDBOX_PRIVILEGES)) != 0 ? 0 : rule(c, SCMP_ACT_ALLOW, "prlimit64", 2, ask);
}

static int fill(scmp_filter_ctx c, unsigned int groups)
{
	int e = seccomp_attr_set(c, SCMP_FLTATR_CTL_TSYNC, 1);

	(void)seccomp_attr_set(c, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a tree, not a row: where the library can */
	if (e == 0)
		e = allow_groups(c, groups);
	if (e == 0)
		e = allow_open(c, groups);
	if (e == 0)
		e = allow_threads(c, groups);
	if (e == 0)
		e = allow_sockets(c, groups);
	if (e == 0)
		e = allow_ioctl(c);
	if (e == 0)
		e = allow_limits(c, groups);
	return e == 0 ? kill_others(c, groups) : e;
}

RESULT sandbox_restrict_calls(unsigned int groups)
{
	AUTO(seccomp_release) void *c = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	int e;

	if (c == NULL)
		return FAIL(ERR_NOMEM);
	e = fill(c, groups);
	if (e == 0)
		e = seccomp_load(c);
	else
		e = e == -EINVAL ? -EFAULT : e; /* a mistake in the table is none of the kernel's */
	if (e == 0)
		return DONE;
	if (e == -EINVAL || e == -ENOSYS) /* of seccomp_load(): a kernel without filters */
		return FAIL(ERR_UNSUPPORTED);
	errno = -e;
	return FAIL(e == -ENOMEM ? ERR_NOMEM : ERR_SYSTEM);
}

#endif
