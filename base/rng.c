/*
 * ChaCha20 (RFC 8439) as a generator with fast key erasure: a refill makes BATCH octets of key stream under a key that
 * is used once (so the nonce may be zero), the first 32 become the next key at once, the rest is handed out and wiped as it
 * goes. So the state never tells what was drawn before.
 */
#include "base/rng.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/chacha.h"
#include "base/hash.h"
#include "base/mem.h"

#define BATCH ((size_t)768)

struct rng {
	uint8_t key[CHACHA_KEY];
	uint8_t batch[BATCH]; /* what was handed out is zero */
	size_t pos;           /* the next octet of batch to hand out; BATCH: empty */
};

static struct rng *rng_with_key(const uint8_t key[CHACHA_KEY]) OWNED_BY(rng_free);
static struct rng *rng_with_key(const uint8_t key[CHACHA_KEY])
{
	AUTO(rng_free) struct rng *r = mem_alloc(sizeof(*r));

	if (r == NULL)
		return NULL;
	memcpy(r->key, key, CHACHA_KEY);
	r->pos = BATCH;
	return MOVE(r);
}

static bool system_random(uint8_t *p, size_t n)
{
	while (n > 0) {
		ssize_t got = getrandom(p, n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		p += got;
		n -= (size_t)got;
	}
	return true;
}

struct rng *rng_new(void)
{
	uint8_t key[CHACHA_KEY];
	AUTO(rng_free) struct rng *r = NULL;

	if (!system_random(key, sizeof(key)))
		return NULL;
	r = rng_with_key(key);
	explicit_bzero(key, sizeof(key));
	return MOVE(r);
}

struct rng *rng_new_seeded(uint64_t seed)
{
	uint8_t key[CHACHA_KEY] = { 0 };

	for (unsigned int i = 0; i < 8; i++)
		key[i] = (uint8_t)(seed >> (8 * i));
	return rng_with_key(key);
}

void rng_free(struct rng *r)
{
	if (r == NULL)
		return;
	explicit_bzero(r, sizeof(*r));
	mem_free(r);
}

static void rng_refill(struct rng *r)
{
	static const uint8_t nonce[CHACHA_NONCE];

	for (size_t i = 0; i < BATCH / CHACHA_BLOCK; i++)
		chacha20_block(r->key, (uint32_t)i, nonce, r->batch + i * CHACHA_BLOCK);
	memcpy(r->key, r->batch, CHACHA_KEY);
	memset(r->batch, 0, CHACHA_KEY);
	r->pos = CHACHA_KEY;
}

void rng_fill(struct rng *r, void *p, size_t n)
{
	uint8_t *out = p;

	while (n > 0) {
		size_t part;

		if (r->pos == BATCH)
			rng_refill(r);
		part = n < BATCH - r->pos ? n : BATCH - r->pos;
		memcpy(out, r->batch + r->pos, part);
		memset(r->batch + r->pos, 0, part);
		r->pos += part;
		out += part;
		n -= part;
	}
}

uint16_t rng16(struct rng *r)
{
	uint16_t v;

	rng_fill(r, &v, sizeof(v));
	return le16toh(v);
}

uint32_t rng32(struct rng *r)
{
	uint32_t v;

	rng_fill(r, &v, sizeof(v));
	return le32toh(v);
}

uint64_t rng64(struct rng *r)
{
	uint64_t v;

	rng_fill(r, &v, sizeof(v));
	return le64toh(v);
}

/* The product's high half is the number, unless its low half falls into the part that would make some numbers likelier. */
uint32_t rng_below(struct rng *r, uint32_t bound)
{
	uint64_t m;
	uint32_t unfair;

	if (bound == 0)
		return 0;
	m = (uint64_t)rng32(r) * bound;
	if ((uint32_t)m < bound) {
		unfair = (uint32_t)(0 - bound) % bound;
		while ((uint32_t)m < unfair)
			m = (uint64_t)rng32(r) * bound;
	}
	return (uint32_t)(m >> 32);
}

struct hash_key rng_hash_key(struct rng *r)
{
	struct hash_key k;

	k.k[0] = rng64(r);
	k.k[1] = rng64(r);
	return k;
}
