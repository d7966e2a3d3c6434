/*
 * The flagship: the whole core in the simulator. The input is a script (script.h) that writes the world, the conversation, what goes wrong on the network, what servers say instead
 * of what they should, what the operator does meanwhile, and which allocation fails. What must hold: see tests/sim/judge.c; and the same input gives the same run.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "tests/fuzz/script_run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out, size_t max, unsigned int seed);

static uint32_t hash(const uint8_t *data, size_t size)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < size; i++)
		h = (h ^ data[i]) * 16777619u;
	return h ^ h >> 16;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct script *s = malloc(sizeof *s);
	struct script_result first, second;

	if (s == NULL)
		abort();
	log_set_level(LOG_LEVEL_ERROR);
	script_read(span_of(data, size), s);
	script_run(s, getenv("CAIRN_FUZZ_VERBOSE") != NULL, &first);
	if (first.wrong != 0)
		abort();
	if (hash(data, size) % 8 == 0) { /* O7, for one in eight */
		script_run(s, false, &second);
		if (second.trace != first.trace || second.wrong != 0) {
			fputs("the second run of this input differs from the first\n", stderr);
			abort();
		}
	}
	free(s);
	return 0;
}

/* ---- mutation: also of AFL++, by its shim for these two (custom_mutators/libfuzzer) ----------------------------------------------------------------- */

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	struct script *s = malloc(sizeof *s);
	struct script_dice d = { UINT64_C(0x9e3779b97f4a7c15) ^ seed };

	if (s == NULL)
		abort();
	script_read(span_of(data, size), s);
	script_mutate(s, &d);
	size = script_write(s, data, max);
	free(s);
	return size;
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out, size_t max, unsigned int seed)
{
	struct script *s = malloc(sizeof *s), *with = malloc(sizeof *with);
	struct script_dice d = { UINT64_C(0x9e3779b97f4a7c15) ^ seed };
	size_t n;

	if (s == NULL || with == NULL)
		abort();
	script_read(span_of(a, a_size), s);
	script_read(span_of(b, b_size), with);
	script_cross(s, with, &d);
	n = script_write(s, out, max);
	free(s);
	free(with);
	return n;
}
