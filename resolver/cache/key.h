/*
 * key.h: names as keys of the caches: lower-cased and compared eight octets at a time, and hashed label by label from the root
 * down, so that a walk up a name's labels has every suffix's hash for the price of one.
 */
#ifndef RESOLVER_CACHE_KEY_H
#define RESOLVER_CACHE_KEY_H

#include <string.h>

#include "base/hash.h"
#include "dns/name.h"

/* A buffer on the way of a hit that is written before it is read: builds that clear every local leave it out. */
#if defined(__has_attribute)
#if __has_attribute(uninitialized)
#define KEY_SCRATCH __attribute__((uninitialized))
#endif
#endif
#ifndef KEY_SCRATCH
#define KEY_SCRATCH
#endif

/* Eight octets with A-Z made a-z. Length octets of labels are below 'A' and stay. */
static inline uint64_t lower8(uint64_t x)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t low7 = x & 0x7f * ones;
	uint64_t from_a = low7 + (0x80 - 'A') * ones;
	uint64_t past_z = low7 + (0x7f - 'Z') * ones;

	return x | ((from_a & ~past_z & ~x & 0x80 * ones) >> 2);
}

static inline uint64_t key_load8(const uint8_t *p)
{
	uint64_t x;

	memcpy(&x, p, sizeof(x));
	return x;
}

/* n octets, n < 8, in a word with zeros behind them. */
static inline uint64_t key_load_few(const uint8_t *p, size_t n)
{
	uint64_t x = 0;

	for (size_t i = 0; i < n; i++)
		x |= (uint64_t)p[i] << (8 * i);
	return x;
}

/* Is `lower`, which has no capitals, the same as `any` without case? */
static inline bool key_equal(const uint8_t *lower, const uint8_t *any, size_t n)
{
	size_t i = 0;

	for (; i + 8 <= n; i += 8)
		if (key_load8(lower + i) != lower8(key_load8(any + i)))
			return false;
	if (i == n)
		return true;
	if (n >= 8) /* the last eight, some of them for the second time */
		return key_load8(lower + n - 8) == lower8(key_load8(any + n - 8));
	return key_load_few(lower, n) == lower8(key_load_few(any, n));
}

static inline void key_lower(uint8_t *to, const uint8_t *from, size_t n)
{
	size_t i = 0;
	uint64_t x;

	for (; i + 8 <= n; i += 8) {
		x = lower8(key_load8(from + i));
		memcpy(to + i, &x, 8);
	}
	for (; i < n; i++)
		to[i] = from[i] >= 'A' && from[i] <= 'Z' ? from[i] | 0x20 : from[i];
}

/* The hashes of a name's suffixes: of[0] the root's, of[labels] the whole name's. */
struct key_chain {
	unsigned int labels;
	uint64_t of[NAME_MAX_LABELS + 1];
};
void key_chain_init(struct key_chain *ret, const struct hash_key *k, struct name n) NONNULL;

/* A hash for (suffix, what): cheap, for the suffix's is secret and well mixed. One-to-one in the suffix's hash for each `what`. */
static inline uint64_t key_mix(const struct hash_key *k, uint64_t suffix, uint64_t what)
{
	uint64_t x = suffix ^ (k->k[1] + what * UINT64_C(0x9e3779b97f4a7c15));

	x ^= x >> 33;
	x *= UINT64_C(0xff51afd7ed558ccd);
	x ^= x >> 33;
	x *= UINT64_C(0xc4ceb9fe1a85ec53);
	return x ^ x >> 33;
}

#endif
