/*
 * crypto_fail.h: lets libcrypto's allocations fail as base/mem.h lets ours. crypto_fail_init() comes before anything else in main(): libcrypto takes other
 * functions for memory only before its first allocation.
 */
#ifndef TESTS_UNIT_VALIDATOR_CRYPTO_FAIL_H
#define TESTS_UNIT_VALIDATOR_CRYPTO_FAIL_H

#include <stdlib.h>

#include "tests/unit/base/unit.h"

#include "base/libcrypto.h"

static unsigned int crypto_fail_n, crypto_fail_count; /* the n-th from now on fails; 0: none */

static inline bool crypto_fails(void) /* nothing is counted while nothing is to fail: other threads may be at work then */
{
	return crypto_fail_n != 0 && ++crypto_fail_count == crypto_fail_n;
}

static inline void *crypto_test_malloc(size_t n, const char *file, int line)
{
	void *p = crypto_fails() ? NULL : malloc(n);

	(void)file;
	(void)line;
	return p;
}

static inline void crypto_test_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	free(p);
}

static inline void *crypto_test_realloc(void *p, size_t n, const char *file, int line)
{
	if (n == 0) {
		crypto_test_free(p, file, line);
		return NULL;
	}
	return crypto_fails() ? NULL : realloc(p, n);
}

static inline void crypto_fail_init(void)
{
	if (CRYPTO_set_mem_functions(crypto_test_malloc, crypto_test_realloc, crypto_test_free) != 1)
		abort();
}

/* Calls attempt() with the first, second, ... allocation of libcrypto failing, until it gets by without one: it gives whether all went well. No error may be left in
 * libcrypto's queue (leaks are LeakSanitizer's to find: libcrypto keeps some memory of errors for the thread). How many failures there were. */
static inline UNUSED unsigned int for_each_failing_crypto_allocation(bool (*attempt)(void))
{
	unsigned int n = 0;
	bool failed;

	assert_true(attempt()); /* what libcrypto makes once, it makes now */
	do {
		n++;
		assert_true(n < 10000);
		crypto_fail_count = 0;
		crypto_fail_n = n;
		(void)attempt();
		failed = crypto_fail_count >= n;
		crypto_fail_n = 0;
		assert_int_equal(ERR_peek_error(), 0);
	} while (failed);
	assert_true(attempt());
	return n - 1;
}

#endif
