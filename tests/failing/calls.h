/*
 * calls.h: system calls that can be made to fail. The program is linked with --wrap for each of them (Makefile.inc), so that whatever our own code calls comes to wrap.c first. What a test
 * does for itself stands between calls_mine(true) and calls_mine(false); a thread of its own never leaves that state. Our code
 * maps no memory itself; what the allocator maps is the business of mem_fail_at().
 */
#ifndef TESTS_FAILING_CALLS_H
#define TESTS_FAILING_CALLS_H

#include <stdbool.h>

#define CALLS(X) \
	X(open) X(mkostemp) X(read) X(write) X(fsync) X(rename) X(fchmod) X(fstat) X(ftruncate) X(flock) X(glob) X(access) X(chdir) \
	X(socket) X(bind) X(listen) X(connect) X(accept4) X(setsockopt) X(getsockopt) X(getsockname) X(sendmmsg) X(recvmmsg) X(recvmsg) X(send) X(recv) \
	X(eventfd) X(pipe2) X(dup3) X(getrandom) X(getifaddrs) X(pthread_create) X(getrlimit) X(setrlimit) \
	X(event_base_new_with_config) X(event_new) X(event_add)

enum call {
#define X(name) CALL_##name,
	CALLS(X)
#undef X
	CALL_COUNT
};

#define SHORT (-1) /* instead of an errno: half of what was asked for is done (read, write, send, getrandom) */

const char *call_name(enum call c);
/* The n-th of these calls from now on, by whatever thread, fails with e. n 0: none. Counts start anew. */
void calls_fail(enum call c, unsigned int n, int e);
bool calls_failed(void);               /* it has happened */
unsigned int calls_seen(enum call c);  /* since calls_fail() */
void calls_mine(bool mine);            /* of this thread; nests */

#endif
