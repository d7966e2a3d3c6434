#include "base/chacha.h"

#include <endian.h>
#include <string.h>

static inline uint32_t rotl(uint32_t x, unsigned int n)
{
	return x << n | x >> (32 - n);
}

static inline uint32_t load_le32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

static inline __attribute__((always_inline)) void quarter_round(uint32_t s[16], unsigned int a, unsigned int b, unsigned int c,
    unsigned int d)
{
	s[a] += s[b];
	s[d] = rotl(s[d] ^ s[a], 16);
	s[c] += s[d];
	s[b] = rotl(s[b] ^ s[c], 12);
	s[a] += s[b];
	s[d] = rotl(s[d] ^ s[a], 8);
	s[c] += s[d];
	s[b] = rotl(s[b] ^ s[c], 7);
}

void chacha20_block(const uint8_t key[CHACHA_KEY], uint32_t counter, const uint8_t nonce[CHACHA_NONCE], uint8_t out[CHACHA_BLOCK])
{
	uint32_t start[16] = { 0x61707865u, 0x3320646eu, 0x79622d32u, 0x6b206574u }; /* "expand 32-byte k" */
	uint32_t s[16];

	for (unsigned int i = 0; i < 8; i++)
		start[4 + i] = load_le32(key + 4 * i);
	start[12] = counter;
	for (unsigned int i = 0; i < 3; i++)
		start[13 + i] = load_le32(nonce + 4 * i);
	memcpy(s, start, sizeof(s));
	for (unsigned int i = 0; i < 10; i++) {
		quarter_round(s, 0, 4, 8, 12);
		quarter_round(s, 1, 5, 9, 13);
		quarter_round(s, 2, 6, 10, 14);
		quarter_round(s, 3, 7, 11, 15);
		quarter_round(s, 0, 5, 10, 15);
		quarter_round(s, 1, 6, 11, 12);
		quarter_round(s, 2, 7, 8, 13);
		quarter_round(s, 3, 4, 9, 14);
	}
	for (unsigned int i = 0; i < 16; i++) {
		uint32_t v = htole32(s[i] + start[i]);

		memcpy(out + 4 * i, &v, sizeof(v));
	}
}
