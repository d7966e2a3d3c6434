/*
 * failing.h: a corpus replayed with allocations failing (failing.c), and what a target needs to take part in it: MINE() around what it allocates for itself, and
 * mem_failed() before it insists on what cannot be had without memory.
 */
#ifndef TESTS_FUZZ_FAILING_H
#define TESTS_FUZZ_FAILING_H

#include "base/mem.h"

/* The value of an expression in which no allocation is made to fail. */
#define MINE(x) \
	__extension__({ \
		mem_fail_hold(true); \
		__typeof__(x) mine_ = (x); \
		mem_fail_hold(false); \
		mine_; \
	})

/* For LLVMFuzzerTestOneInput() itself: what must hold, but where memory failed; then the run ends. */
#define HOLDS(x) \
	do { \
		if (!(x)) { \
			if (mem_failed()) \
				return 0; \
			abort(); \
		} \
	} while (0)

/* how: what follows "--failing" in the argument. Returns main()'s result. */
int failing_main(const char *how, int count, char **paths);

#endif
