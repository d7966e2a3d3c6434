/* virtual_time.h: for tests: a loop on a time of the test's own, which passes as soon as there is nothing else to do. Nothing can be watched. */
#ifndef TESTS_UNIT_RESOLVER_VIRTUAL_TIME_H
#define TESTS_UNIT_RESOLVER_VIRTUAL_TIME_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/loop.h"

static inline void virtual_now(void *ctx, struct now *ret)
{
	const uint64_t *ns = (const uint64_t *)ctx;

	*ret = (struct now){ .mono_ns = *ns, .wall_sec = (int64_t)(*ns / 1000000000u) };
}

static inline void virtual_wait(void *ctx, struct loop *l, uint64_t wait_ns)
{
	uint64_t *ns = (uint64_t *)ctx;

	(void)l;
	assert_true(wait_ns != UINT64_MAX); /* nothing would ever happen */
	*ns += wait_ns;
}

static inline RESULT virtual_watch(void *ctx, struct loop *l, int fd, unsigned int events, uint32_t slot, void **ret)
{
	(void)ctx, (void)l, (void)fd, (void)events, (void)slot, (void)ret;
	return FAIL(ERR_UNSUPPORTED);
}

static inline void virtual_unwatch(void *ctx, void *watch)
{
	(void)ctx, (void)watch;
}

static inline void virtual_nothing(void *ctx)
{
	(void)ctx;
}

/* now_ns outlives the loop. */
static inline struct loop_backend virtual_time(uint64_t *now_ns)
{
	return (struct loop_backend){ .ctx = now_ns, .now = virtual_now, .wait = virtual_wait, .watch = virtual_watch, .unwatch = virtual_unwatch, .wake = virtual_nothing,
		.free = virtual_nothing };
}

#endif
