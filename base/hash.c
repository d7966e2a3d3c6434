#include "base/hash.h"

#include <endian.h>
#include <string.h>

struct sip {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotl(uint64_t x, unsigned int n)
{
	return x << n | x >> (64 - n);
}

static inline uint64_t load_le64(const uint8_t *p)
{
	uint64_t x;

	memcpy(&x, p, sizeof(x));
	return le64toh(x);
}

static inline __attribute__((always_inline)) void sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v1 = rotl(s->v1, 13) ^ s->v0;
	s->v0 = rotl(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotl(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotl(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotl(s->v1, 17) ^ s->v2;
	s->v2 = rotl(s->v2, 32);
}

static inline __attribute__((always_inline)) void sip_word(struct sip *s, uint64_t m, unsigned int rounds)
{
	s->v3 ^= m;
	for (unsigned int i = 0; i < rounds; i++)
		sip_round(s);
	s->v0 ^= m;
}

/* The last word: the octets that are left, and the length modulo 256 in the top octet. */
static inline uint64_t sip_tail(const uint8_t *p, size_t n)
{
	uint64_t m = (uint64_t)n << 56;

	for (size_t i = 0; i < (n & 7); i++)
		m |= (uint64_t)p[i] << (8 * i);
	return m;
}

static inline __attribute__((always_inline)) uint64_t siphash(const struct hash_key *key, const uint8_t *p, size_t n, unsigned int c,
    unsigned int d)
{
	struct sip s = {
		key->k[0] ^ 0x736f6d6570736575u,
		key->k[1] ^ 0x646f72616e646f6du,
		key->k[0] ^ 0x6c7967656e657261u,
		key->k[1] ^ 0x7465646279746573u,
	};

	for (size_t left = n; left >= 8; left -= 8, p += 8)
		sip_word(&s, load_le64(p), c);
	sip_word(&s, sip_tail(p, n), c);
	s.v2 ^= 0xff;
	for (unsigned int i = 0; i < d; i++)
		sip_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

uint64_t siphash24(const struct hash_key *key, const void *p, size_t n)
{
	return siphash(key, p, n, 2, 4);
}

uint64_t siphash13(const struct hash_key *key, const void *p, size_t n)
{
	return siphash(key, p, n, 1, 3);
}
