/*
 * hunger.h: a run of the simulator whose memory runs out at many points. The run is made once to count its allocations, and a second time; there, at each of the chosen
 * allocations, the process forks, and in the child that allocation fails (alone, with those next to it, every other of some, or all for a while). The child goes on to its end, under
 * all the oracles; then memory is there again and fresh questions must be answered rightly, and nothing may be left. Nothing is replayed from its beginning.
 */
#ifndef TESTS_SIM_HUNGER_H
#define TESTS_SIM_HUNGER_H

#include "tests/sim/run.h"

struct hunger {
	uint64_t points; /* to choose; 0: only the allocation `only` */
	uint64_t only;
	bool verbose;    /* children tell what happens */
	bool crash;      /* a plant: children crash */
	uint64_t allocations, forks, failures; /* out: what there was */
};

/* True when the run and all its children held. plant: in the children alone. */
bool hunger_run(struct hunger *h, uint64_t seed, enum plant plant) NONNULL;

/* run_seed() calls it when the network, the workers and the clients are there, and before the weather. */
void hunger_begin(struct run *r) NONNULL;

#endif
