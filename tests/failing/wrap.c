/*
 * wrap.c: each wrapper asks whether its call is to fail now, and else makes it. A sanitizer's run-time library, linked into the program, calls some of them before it is ready for code
 * that it watches over: so these functions are not watched.
 */
#include "tests/failing/calls.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <ifaddrs.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/libevent.h"

#define UNWATCHED __attribute__((no_sanitize("address"), no_sanitize("undefined"), no_sanitize("thread")))

static _Atomic unsigned int seen[CALL_COUNT];
static _Atomic int which = CALL_COUNT;
static _Atomic unsigned int at;
static _Atomic int as;
static atomic_bool happened;
static _Thread_local unsigned int mine;

const char *call_name(enum call c)
{
	static const char *const names[] = {
#define X(name) #name,
		CALLS(X)
#undef X
	};
	return c < CALL_COUNT ? names[c] : "none";
}

void calls_fail(enum call c, unsigned int n, int e)
{
	for (unsigned int i = 0; i < CALL_COUNT; i++)
		seen[i] = 0;
	as = e;
	at = n;
	happened = false;
	which = (int)c;
}

bool calls_failed(void)
{
	return happened;
}

unsigned int calls_seen(enum call c)
{
	return seen[c];
}

void calls_mine(bool is)
{
	if (is)
		mine++;
	else
		mine--;
}

/* True: fail, and errno is set; or, where half of it is wanted, errno is 0. */
UNWATCHED static bool fails(enum call c)
{
	if (mine > 0)
		return false;
	if (atomic_fetch_add(&seen[c], 1) + 1 != at || which != (int)c)
		return false;
	happened = true;
	errno = as == SHORT ? 0 : as;
	return true;
}

#define WRAP(type, bad, name, params, args) \
	type __real_##name params; \
	type __wrap_##name params; \
	UNWATCHED type __wrap_##name params \
	{ \
		return fails(CALL_##name) ? (bad) : __real_##name args; \
	}
/* n octets at p: half of them, when that is what is wanted */
#define WRAP_PART(name, params, args, n) \
	ssize_t __real_##name params; \
	ssize_t __wrap_##name params; \
	UNWATCHED ssize_t __wrap_##name params \
	{ \
		if (fails(CALL_##name)) { \
			if (errno != 0) \
				return -1; \
			n = n > 1 ? n / 2 : n; \
		} \
		return __real_##name args; \
	}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
UNWATCHED int __wrap_open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;

	va_start(ap, flags);
	if ((flags & O_CREAT) != 0)
		mode = va_arg(ap, mode_t);
	va_end(ap);
	return fails(CALL_open) ? -1 : __real_open(path, flags, mode);
}

WRAP(int, -1, mkostemp, (char *path, int flags), (path, flags))
WRAP_PART(read, (int fd, void *p, size_t n), (fd, p, n), n)
WRAP_PART(write, (int fd, const void *p, size_t n), (fd, p, n), n)
WRAP(int, -1, fsync, (int fd), (fd))
WRAP(int, -1, rename, (const char *from, const char *to), (from, to))
WRAP(int, -1, fchmod, (int fd, mode_t m), (fd, m))
WRAP(int, -1, fstat, (int fd, struct stat *st), (fd, st))
WRAP(int, -1, ftruncate, (int fd, off_t n), (fd, n))
WRAP(int, -1, flock, (int fd, int op), (fd, op))
WRAP(int, -1, access, (const char *path, int how), (path, how))
WRAP(int, -1, chdir, (const char *path), (path))
WRAP(int, -1, socket, (int family, int type, int protocol), (family, type, protocol))
WRAP(int, -1, bind, (int fd, const struct sockaddr *a, socklen_t n), (fd, a, n))
WRAP(int, -1, listen, (int fd, int n), (fd, n))
WRAP(int, -1, connect, (int fd, const struct sockaddr *a, socklen_t n), (fd, a, n))
WRAP(int, -1, accept4, (int fd, struct sockaddr *a, socklen_t *n, int flags), (fd, a, n, flags))
WRAP(int, -1, setsockopt, (int fd, int level, int o, const void *v, socklen_t n), (fd, level, o, v, n))
WRAP(int, -1, getsockopt, (int fd, int level, int o, void *v, socklen_t *n), (fd, level, o, v, n))
WRAP(int, -1, getsockname, (int fd, struct sockaddr *a, socklen_t *n), (fd, a, n))
WRAP(int, -1, sendmmsg, (int fd, struct mmsghdr *m, unsigned int n, int flags), (fd, m, n, flags))
WRAP(int, -1, recvmmsg, (int fd, struct mmsghdr *m, unsigned int n, int flags, struct timespec *t), (fd, m, n, flags, t))
WRAP(ssize_t, -1, recvmsg, (int fd, struct msghdr *m, int flags), (fd, m, flags))
WRAP_PART(send, (int fd, const void *p, size_t n, int flags), (fd, p, n, flags), n)
WRAP_PART(recv, (int fd, void *p, size_t n, int flags), (fd, p, n, flags), n)
WRAP(int, -1, eventfd, (unsigned int n, int flags), (n, flags))
WRAP(int, -1, pipe2, (int ends[2], int flags), (ends, flags))
WRAP(int, -1, dup3, (int from, int to, int flags), (from, to, flags))
WRAP_PART(getrandom, (void *p, size_t n, unsigned int flags), (p, n, flags), n)
WRAP(int, -1, getifaddrs, (struct ifaddrs **l), (l))
WRAP(int, errno, pthread_create, (pthread_t *t, const pthread_attr_t *a, void *(*fn)(void *), void *arg), (t, a, fn, arg))
WRAP(int, -1, getrlimit, (__rlimit_resource_t r, struct rlimit *l), (r, l))
WRAP(int, -1, setrlimit, (__rlimit_resource_t r, const struct rlimit *l), (r, l))
WRAP(int, errno, glob, (const char *p, int flags, int (*err)(const char *, int), glob_t *g), (p, flags, err, g))
WRAP(struct event_base *, NULL, event_base_new_with_config, (const struct event_config *c), (c))
WRAP(struct event *, NULL, event_new, (struct event_base *b, evutil_socket_t fd, short what, event_callback_fn fn, void *arg), (b, fd, what, fn, arg))
WRAP(int, -1, event_add, (struct event *e, const struct timeval *t), (e, t))
