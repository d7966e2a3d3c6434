/* planted_unit.c: unit tests of functions with faults that show when allocations fail, and that sweep.c must find. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"

static void leaks(void **state)
{
	char *a = mem_strdup("one");
	char *b = mem_strdup("two");

	(void)state;
	if (b == NULL)
		return;
	mem_free(a);
	mem_free(b);
}

static void crashes(void **state)
{
	volatile char *a = mem_alloc(1);

	(void)state;
	*a = 1;
	mem_free((void *)(uintptr_t)a);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(leaks), cmocka_unit_test(crashes) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
