/* planted_target.c: a fuzz target with faults that show when allocations fail, and that failing.c must find. The first octet of the input says which. */
#include <string.h>

#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void leak(void)
{
	char *a = mem_strdup("one");
	char *b = mem_strdup("two");

	if (b == NULL)
		return; /* and a? */
	mem_free(a);
	mem_free(b);
}

static void crash(void)
{
	char *a = mem_alloc(10);
	char *b = mem_alloc(10);

	if (a != NULL)
		memset(b, 1, 10);
	mem_free(a);
	mem_free(b);
}

/* What a failure leaves behind changes the next run. */
static void remember(void)
{
	static bool broken;
	char *a = broken ? NULL : mem_alloc(10);

	if (a == NULL)
		broken = true;
	mem_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] == 'l')
		leak();
	else if (data[0] == 'c')
		crash();
	else if (data[0] == 's')
		remember();
	return 0;
}
