/* kit.h: what several fuzz targets need: a check that aborts with its place, a loop on a virtual clock that polls real descriptors, a reader of JSON that takes no more than JSON. */
#ifndef TESTS_FUZZ_KIT_H
#define TESTS_FUZZ_KIT_H

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/loop.h"
#include "base/mem.h"

#define CHECK(x) \
	do { \
		if (!(x)) { \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #x); \
			abort(); \
		} \
	} while (0)

/*
 * A target whose allocations do not fail where corpora are replayed without memory (failing.h), but within KIT_FAILING(x), the value of an expression of code that is under test then.
 */
#define KIT_TARGET(body) \
	int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) \
	{ \
		mem_fail_hold(true); \
		body(data, size); \
		mem_fail_hold(false); \
		return 0; \
	}
#define KIT_FAILING(x) \
	__extension__({ \
		mem_fail_hold(false); \
		__typeof__(x) failing_ = (x); \
		mem_fail_hold(true); \
		failing_; \
	})

/* --- a loop: poll() without waiting, and a clock that the target moves */

#define KIT_WATCHES 1024

struct kit_watch {
	int fd;
	unsigned int events;
	uint32_t slot;
	bool used;
};
struct kit_loop {
	struct now now;
	struct kit_watch watch[KIT_WATCHES];
};

static inline void kit_now(void *ctx, struct now *ret)
{
	*ret = ((struct kit_loop *)ctx)->now;
}

static inline void kit_wait(void *ctx, struct loop *l, uint64_t wait_ns)
{
	struct kit_loop *k = (struct kit_loop *)ctx;

	(void)wait_ns;
	for (size_t i = 0; i < KIT_WATCHES; i++) {
		struct kit_watch *w = &k->watch[i];
		struct pollfd p = { w->fd, (short)((w->events & LOOP_READ ? POLLIN : 0) | (w->events & LOOP_WRITE ? POLLOUT : 0)), 0 };

		if (w->used && poll(&p, 1, 0) > 0)
			loop_fd_ready(l, w->slot, (p.revents & (POLLIN | POLLHUP | POLLERR) ? LOOP_READ : 0) | (p.revents & (POLLOUT | POLLERR) ? LOOP_WRITE : 0));
	}
}

static inline RESULT kit_watch(void *ctx, struct loop *l, int fd, unsigned int events, uint32_t slot, void **ret_watch)
{
	struct kit_loop *k = (struct kit_loop *)ctx;

	(void)l;
	for (size_t i = 0; i < KIT_WATCHES; i++) {
		if (!k->watch[i].used) {
			k->watch[i] = (struct kit_watch){ fd, events, slot, true };
			*ret_watch = &k->watch[i];
			return DONE;
		}
	}
	return FAIL(ERR_LIMIT);
}

static inline void kit_unwatch(void *ctx, void *watch)
{
	(void)ctx;
	((struct kit_watch *)watch)->used = false;
}

static inline void kit_nothing(void *ctx)
{
	(void)ctx;
}

static inline struct loop_backend kit_backend(struct kit_loop *k)
{
	return (struct loop_backend){ k, kit_now, kit_wait, kit_watch, kit_unwatch, kit_nothing, kit_nothing };
}

static inline void kit_advance(struct kit_loop *k, uint64_t ms)
{
	k->now.mono_ns += ms * 1000000u;
	k->now.wall_sec += (int64_t)(ms / 1000);
}

/* --- JSON (RFC 8259): the text behind one value; NULL: none is there */

static inline const char *kit_json_string(const char *p)
{
	if (*p++ != '"')
		return NULL;
	for (; *p != '"'; p++) {
		if ((unsigned char)*p < ' ' || (unsigned char)*p > '~')
			return NULL; /* ours is plain ASCII */
		if (*p != '\\')
			continue;
		p++;
		if (*p == 'u') {
			if (strspn(p + 1, "0123456789abcdefABCDEF") < 4)
				return NULL;
			p += 4;
		} else if (*p == '\0' || strchr("\"\\/bfnrt", *p) == NULL) {
			return NULL;
		}
	}
	return p + 1;
}

static inline const char *kit_json_number(const char *p)
{
	const char *digits = p + (*p == '-');
	size_t n = strspn(digits, "0123456789");

	if (n == 0 || (n > 1 && *digits == '0'))
		return NULL;
	p = digits + n;
	if (*p == '.') {
		n = strspn(p + 1, "0123456789");
		if (n == 0)
			return NULL;
		p += 1 + n;
	}
	return p;
}

static inline const char *kit_json(const char *p, unsigned int depth)
{
	bool object = *p == '{';
	char end = object ? '}' : ']';

	if (*p == '"')
		return kit_json_string(p);
	if (strncmp(p, "true", 4) == 0 || strncmp(p, "null", 4) == 0)
		return p + 4;
	if (strncmp(p, "false", 5) == 0)
		return p + 5;
	if ((!object && *p != '[') || depth > 30)
		return kit_json_number(p);
	if (p[1] == end)
		return p + 2;
	do {
		p++;
		if (object && ((p = kit_json_string(p)) == NULL || *p++ != ':'))
			return NULL;
		p = kit_json(p, depth + 1);
	} while (p != NULL && *p == ',');
	return p != NULL && *p == end ? p + 1 : NULL;
}

#endif
