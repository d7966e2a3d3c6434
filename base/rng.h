/*
 * rng.h: randomness as an argument. One generator per worker: ChaCha20 keyed by getrandom, with fast key erasure, so that a
 * later leak of its state tells nothing of earlier draws. The simulator seeds one with a number and so replays a run.
 */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include "base/own.h"

struct rng;
struct hash_key;

void rng_free(struct rng *r) TAKES(1); /* wipes the state */
struct rng *rng_new(void) OWNED_BY(rng_free);                    /* NULL when memory or getrandom fails */
struct rng *rng_new_seeded(uint64_t seed) OWNED_BY(rng_free);    /* reproducible: tests and the simulator only */
void rng_fill(struct rng *r, void *p, size_t n) NONNULL;
uint16_t rng16(struct rng *r) NONNULL;
uint32_t rng32(struct rng *r) NONNULL;
uint64_t rng64(struct rng *r) NONNULL;
uint32_t rng_below(struct rng *r, uint32_t bound) NONNULL;       /* unbiased, 0 <= x < bound; bound 0 gives 0 */
struct hash_key rng_hash_key(struct rng *r) NONNULL;
DEFINE_AUTO(struct rng, rng_free)

#endif
