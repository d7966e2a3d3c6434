/*
 * work.h: what checking costs, in units of one RSA-2048 verification, and a counter that shrinks. Whoever asks the validator brings the counter; it is
 * spent before the work is done, so nothing starts that cannot be paid. An empty one is ERR_BUDGET, which is evidence of nothing: the caller stops
 * or goes on another turn with a new one, and never remembers it for a zone.
 *
 * The figures are what tests/bench/bench_validator measures on x86-64 with OpenSSL 3.0, rounded up: an RSA-2048 verification takes 15 us there. Digests and hashes are counted
 * at twice to three times that, for processors without instructions for SHA.
 */
#ifndef VALIDATOR_WORK_H
#define VALIDATOR_WORK_H

#include "base/own.h"

struct work {
	uint32_t left; /* thousandths of a unit */
};

#define WORK_UNIT 1000u         /* one RSA-2048 verification */
#define WORK_RSA_1024 350u
#define WORK_RSA_2048 1000u
#define WORK_RSA_3072 2200u
#define WORK_RSA_4096 4000u
#define WORK_P256 4500u
#define WORK_P384 35000u
#define WORK_ED25519 6000u
#define WORK_ED448 10000u
#define WORK_KEY_MADE 700u      /* one key taken from its rdata, with what its first verification takes longer than the next */
#define WORK_DIGEST 40u         /* one DS digest */
#define WORK_HASHED_KIB 100u    /* signed data, beyond the first KiB */
#define WORK_NSEC3_HASH 15u     /* one round */

/* Takes amount; false: not enough left, and what is left stays. */
static inline bool work_spend(struct work *w, uint32_t amount)
{
	if (w->left < amount)
		return false;
	w->left -= amount;
	return true;
}

#endif
