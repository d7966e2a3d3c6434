/* chacha.h: the ChaCha20 block function of RFC 8439 section 2.3. For rng.c; a header of its own so that its vectors can be tested. */
#ifndef BASE_CHACHA_H
#define BASE_CHACHA_H

#include "base/own.h"

#define CHACHA_KEY 32
#define CHACHA_NONCE 12
#define CHACHA_BLOCK 64

void chacha20_block(const uint8_t key[CHACHA_KEY], uint32_t counter, const uint8_t nonce[CHACHA_NONCE], uint8_t out[CHACHA_BLOCK]);

#endif
