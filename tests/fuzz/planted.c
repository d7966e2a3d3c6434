/*
 * Faults on purpose, one for each thing that an engine and its sanitizers are there to notice: tests/stages/full/61-fuzz-planted runs them and wants each found within
 * seconds. The environment variable CAIRN_FUZZ_PLANT chooses; without it there is no fault. A fault lies behind three octets of which each
 * opens a branch: it is found by what the engine learns of the code.
 */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile unsigned int sink;
static void *volatile kept BORROWED_FIELD; /* hides from the compiler what happens to a pointer */

static void overflow(const uint8_t *data, size_t size)
{
	sink = data[size + (sink & 1)];
}

static void after_free(const uint8_t *data, size_t size)
{
	uint8_t *copy = mem_dup(data, size);

	kept = copy;
	mem_free(copy);
	copy = kept;
	if (copy != NULL)
		sink = copy[0];
}

static void after_reset(const uint8_t *data, size_t size)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	const uint8_t *copy = a != NULL ? arena_dup(a, data, size) : NULL;

	if (copy != NULL) {
		arena_reset(a);
		sink = copy[0];
	}
}

static void leak(const uint8_t *data, size_t size)
{
	kept = mem_dup(data, size);
	kept = NULL;
}

static void undefined(const uint8_t *data, size_t size)
{
	int n = INT32_MAX - (int)data[0] % 2;

	sink = (unsigned int)(n + (int)size);
}

static void endless(const uint8_t *data, size_t size)
{
	for (size_t i = 0; kept == NULL || size > 0; i++)
		sink += data[i % size];
}

static void greedy(const uint8_t *data, size_t size)
{
	void *all[64] = { NULL };

	for (size_t i = 0; i < 64; i++) {
		all[i] = mem_alloc_raw((size_t)16 << 20);
		if (all[i] != NULL)
			memset(all[i], data[i % size], (size_t)16 << 20);
	}
	for (size_t i = 0; i < 64; i++)
		mem_free(all[i]);
}

static const struct {
	const char *name BORROWED_FIELD;
	void (*fault)(const uint8_t *data, size_t size);
} plants[] = {
	{ "overflow", overflow }, { "after-free", after_free }, { "after-reset", after_reset }, { "leak", leak }, { "undefined", undefined }, { "endless", endless },
	{ "greedy", greedy },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *plant = getenv("CAIRN_FUZZ_PLANT");
	const volatile uint8_t *octets = data; /* a branch for each octet, not one comparison of all */

	if (size < 4 || octets[0] != 'C')
		return 0;
	sink++;
	if (octets[1] != 'R')
		return 0;
	sink++;
	if (octets[2] != 'N')
		return 0;
	for (size_t i = 0; plant != NULL && i < sizeof plants / sizeof plants[0]; i++)
		if (strcmp(plant, plants[i].name) == 0)
			plants[i].fault(data, size);
	return 0;
}
