/* script_run.h: a script (script.h) acted out in the simulator, with the oracles of tests/sim/judge.c. */
#ifndef TESTS_FUZZ_SCRIPT_RUN_H
#define TESTS_FUZZ_SCRIPT_RUN_H

#include "resolver/core/resolution.h"
#include "tests/fuzz/script.h"

struct script_result {
	unsigned int wrong;   /* oracles that found something; said on standard error */
	uint64_t trace;       /* hash of everything that happened */
	uint16_t moves[QUERY_STATES]; /* from each state: bits of those that came after it */
};

void script_run(const struct script *s, bool verbose, struct script_result *ret) NONNULL;

#endif
