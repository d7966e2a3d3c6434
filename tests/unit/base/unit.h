/* unit.h: what every unit test of base/ starts with: cmocka and its needs, and loops over failing allocations. */
#ifndef TESTS_UNIT_BASE_UNIT_H
#define TESTS_UNIT_BASE_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"

#define assert_ok(x) assert_int_equal((x).e, ERR_NONE)
#define assert_err(x, err) assert_int_equal((x).e, (err))

/*
 * Runs attempt() with the first, second, ... allocation failing, until it ends without a failure. After each, nothing may be
 * left. attempt() says true when it got what it wanted, which it must exactly when nothing failed. Gives the number of failures.
 */
static inline unsigned int for_each_failing_allocation(bool (*attempt)(void))
{
	for (unsigned int n = 1;; n++) {
		struct mem_usage before = mem_usage();
		bool got, failed;

		mem_fail_at(n, false);
		got = attempt();
		failed = mem_failed();
		mem_fail_at(0, false);
		assert_int_equal(mem_usage().objects, before.objects);
		assert_int_equal(mem_usage().octets, before.octets);
		assert_int_equal(got, !failed);
		if (!failed)
			return n - 1;
		assert_true(n < 100000);
	}
}

#endif
