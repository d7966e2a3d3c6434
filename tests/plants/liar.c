/*
 * Makes an honest cairnd lie, to see whether the rigs notice: a library that is loaded before the others (LD_PRELOAD) and stands between the daemon
 * and the system. CAIRN_LIE says how:
 *
 *     address    the first address in each reply by UDP is another one
 *     accept     SERVFAIL becomes NOERROR
 *     secure     each reply says that its data are validated (AD)
 *     control    the control socket's "ok" becomes "no"
 *     words      the control socket says "valid" where it should say "bogus"
 *     torn       of each file that is put into its place half is lost before
 *     race       all threads count in one plain variable (for a ThreadSanitizer build, with which this file must be compiled then)
 *
 * tests/stages/full/54-plants uses it.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/own.h"

static unsigned long counted; /* the race */

static int lies(const char *how)
{
	const char *lie = getenv("CAIRN_LIE");

	return lie != NULL && strcmp(lie, how) == 0;
}

static void *real(const char *name) BORROWED;
static void *real(const char *name)
{
	void *p = dlsym(RTLD_NEXT, name);

	if (p == NULL)
		abort();
	return p;
}

/* A record of type A in class IN with four octets behind its name. */
static void bend_address(uint8_t *p, size_t n)
{
	static const uint8_t type[] = { 0, 1, 0, 1 }, four[] = { 0, 4 };

	for (size_t i = 12; i + 14 <= n; i++) {
		if (memcmp(p + i, type, sizeof(type)) == 0 && memcmp(p + i + 8, four, sizeof(four)) == 0) {
			p[i + 13] ^= 1;
			return;
		}
	}
}

static void bend(uint8_t *p, size_t n)
{
	if (n < 12 || (p[2] & 0x80) == 0)
		return;
	if (lies("address"))
		bend_address(p, n);
	else if (lies("accept") && (p[3] & 15) == 2)
		p[3] &= 0xf0;
	else if (lies("secure"))
		p[3] |= 0x20;
}

int sendmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags)
{
	int (*fn)(int, struct mmsghdr *, unsigned int, int);

	*(void **)&fn = real("sendmmsg");
	for (unsigned int i = 0; i < count; i++)
		if (messages[i].msg_hdr.msg_iovlen > 0)
			bend(messages[i].msg_hdr.msg_iov[0].iov_base, messages[i].msg_hdr.msg_iov[0].iov_len);
	return fn(fd, messages, count, flags);
}

/* What the loop of each thread calls in each turn; the sanitizer's runtime has nothing of its own in this place. */
struct event_base;
int event_base_loop(struct event_base *base, int flags);
int event_base_loop(struct event_base *base, int flags)
{
	int (*fn)(struct event_base *, int);

	*(void **)&fn = real("event_base_loop");
	if (lies("race"))
		counted++;
	return fn(base, flags);
}

ssize_t send(int fd, const void *p, size_t n, int flags)
{
	ssize_t (*fn)(int, const void *, size_t, int);
	struct sockaddr_storage a;
	socklen_t len = sizeof(a);

	*(void **)&fn = real("send");
	if (n >= 6 && (lies("control") || lies("words")) && getsockname(fd, (struct sockaddr *)&a, &len) == 0 && a.ss_family == AF_UNIX) {
		char *copy = malloc(n);
		ssize_t r;

		if (copy == NULL)
			abort();
		memcpy(copy, p, n);
		if (lies("control") && memcmp(copy, "ok", 2) == 0)
			memcpy(copy, "no", 2);
		for (char *at = copy; lies("words") && (at = memmem(at, n - (size_t)(at - copy), "bogus", 5)) != NULL;)
			memcpy(at, "valid", 5);
		r = fn(fd, copy, n, flags);
		free(copy);
		return r;
	}
	return fn(fd, p, n, flags);
}

int rename(const char *from, const char *to)
{
	int (*fn)(const char *, const char *);
	struct stat st;

	*(void **)&fn = real("rename");
	if (lies("torn") && stat(from, &st) == 0)
		(void)!truncate(from, st.st_size / 2);
	return fn(from, to);
}
