/*
 * Nanoseconds for what a hit asks of the answer cache: hash and look-up, for few entries (all in the processor's caches) and
 * for a million, without and with prefetching for batches of 32 as the listener does; and for a store, a miss, and the
 * iterator's look-ups. Not a test.
 *
 *   bench_cache [ENTRIES...]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/epoch.h"
#include "base/hash.h"
#include "dns/rrset.h"
#include "resolver/cache/anscache.h"
#include "resolver/cache/rrcache.h"

#define ROUNDS UINT64_C(4000000)
#define BATCH 32u

static const struct hash_key key = { { 1, 2 } };

/* "www.dNNNNNNN.example." with some capitals, as clients that play 0x20 write it. */
static void number_name(uint8_t buf[32], uint64_t n, struct ans_key *k)
{
	memcpy(buf, "\3wWw\10dxxxxxxx\7exAMPle", 22);
	for (int i = 0; i < 7; i++)
		buf[6 + i] = (uint8_t)('a' + (n >> (4 * i) & 15));
	*k = (struct ans_key){ { buf, 22, 3 }, RR_A, CLASS_IN, ANS_DO };
}

static struct ans_entry *entry(const struct ans_key *k, uint64_t hash) OWNED_BY(ans_entry_free);
static struct ans_entry *entry(const struct ans_key *k, uint64_t hash)
{
	struct ans_entry *e = ans_entry_new(2, 12 + k->name.len + 4 + 32, 0);
	uint8_t *p;

	if (e == NULL)
		exit(1);
	p = (uint8_t *)(e + 1) + 4;
	octets_lower(p + 12, k->name.wire, k->name.len);
	store16(p + 12 + k->name.len, k->type);
	store16(p + 14 + k->name.len, k->rclass);
	e->question_end = (uint16_t)(16 + k->name.len);
	e->variant = k->variant;
	e->hash = hash;
	return e;
}

static uint64_t next(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

/* Of this thread: other work on the machine does not count. */
static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void say(const char *what, uint64_t n, uint64_t ns, uint64_t rounds)
{
	printf("%-44s %9" PRIu64 " entries %8.1f ns\n", what, n, (double)ns / (double)rounds);
}

static void fill(struct anscache *c, struct epoch_member *m, uint64_t n)
{
	uint64_t from = cpu_ns();

	for (uint64_t i = 0; i < n; i++) {
		uint8_t name[32];
		struct ans_key k;

		number_name(name, i, &k);
		anscache_put(c, m, entry(&k, anscache_hash(c, &k)));
		epoch_quiesce(m);
	}
	say("store", n, cpu_ns() - from, n);
}

static void time_hits(struct anscache *c, uint64_t n)
{
	uint64_t x = 88172645463325252u, found = 0, sum = 0;
	uint64_t from = cpu_ns();

	for (uint64_t i = 0; i < ROUNDS; i++) {
		uint8_t name[32];
		struct ans_key k;

		number_name(name, next(&x) % n, &k);
		sum += k.name.wire[8];
	}
	uint64_t idle = cpu_ns() - from;
	from = cpu_ns();
	for (uint64_t i = 0; i < ROUNDS; i++) {
		uint8_t name[32];
		struct ans_key k;

		number_name(name, next(&x) % n, &k);
		sum += anscache_hash(c, &k);
	}
	uint64_t hash = cpu_ns() - from;
	from = cpu_ns();
	for (uint64_t i = 0; i < ROUNDS; i++) {
		uint8_t name[32];
		struct ans_key k;

		number_name(name, next(&x) % n, &k);
		found += anscache_get(c, &k, anscache_hash(c, &k)) != NULL;
	}
	uint64_t all = cpu_ns() - from;
	say("hash", n, hash - idle, ROUNDS);
	say("hash + get", n, all - idle, ROUNDS);
	if (found != ROUNDS || sum == 0)
		printf("%" PRIu64 " of %" PRIu64 " found\n", found, ROUNDS);
	from = cpu_ns();
	for (uint64_t i = 0; i < ROUNDS; i++) {
		uint8_t name[32];
		struct ans_key k;

		number_name(name, n + next(&x) % n, &k);
		found += anscache_get(c, &k, anscache_hash(c, &k)) != NULL;
	}
	say("hash + get, a miss", n, cpu_ns() - from - idle, ROUNDS);
}

static void time_batches(struct anscache *c, uint64_t n)
{
	uint64_t x = 88172645463325252u, found = 0, inside = 0;

	for (uint64_t i = 0; i < ROUNDS; i += BATCH) {
		uint8_t name[BATCH][32];
		struct ans_key k[BATCH];
		uint64_t h[BATCH];

		for (unsigned int j = 0; j < BATCH; j++)
			number_name(name[j], next(&x) % n, &k[j]);
		uint64_t from = cpu_ns();
		for (unsigned int j = 0; j < BATCH; j++) {
			h[j] = anscache_hash(c, &k[j]);
			anscache_prefetch(c, h[j]);
		}
		for (unsigned int j = 0; j < BATCH; j++)
			anscache_prefetch_entry(c, h[j]);
		for (unsigned int j = 0; j < BATCH; j++)
			found += anscache_get(c, &k[j], h[j]) != NULL;
		inside += cpu_ns() - from;
	}
	say("hash + prefetch + get, in batches", n, inside, ROUNDS);
	if (found != ROUNDS)
		printf("%" PRIu64 " of %" PRIu64 " found\n", found, ROUNDS);
}

static void bench_answers(struct epoch_member *m, uint64_t n)
{
	struct anscache *c = anscache_new((size_t)n * 400 + (4 << 20), &key);

	if (c == NULL)
		exit(1);
	fill(c, m, n);
	time_hits(c, n);
	time_batches(c, n);
	struct cache_usage u;
	anscache_usage(c, &u);
	printf("%-44s %9" PRIu64 " entries %8.1f octets each\n", "memory", u.entries, (double)u.octets / (double)u.entries);
	anscache_free(c);
}

static void bench_rrsets(struct epoch_member *m, uint64_t n)
{
	struct rrcache_limits l = { .octets = (size_t)n * 600 + (4 << 20), .max_ttl = 86400, .max_negative_ttl = 3600 };
	struct rrcache *c = rrcache_new(&l, &key);
	struct arena *a = arena_new(0);
	struct now now = { .mono_ns = 1000000000u };
	uint8_t address[4] = { 192, 0, 2, 1 }, ns[] = "\2ns\7example";
	struct span rdata = span_of(address, 4), target = span_of(ns, sizeof(ns));
	uint64_t from = cpu_ns(), x = 1, found = 0;

	if (c == NULL || a == NULL)
		exit(1);
	for (uint64_t i = 0; i < n; i++) {
		uint8_t name[32];
		struct ans_key k;

		number_name(name, i, &k);
		struct bundle_key bk = { k.name, RR_A, CLASS_IN, BUNDLE_DATA };
		const struct rrset *rs = rrset_make_in(a, k.name, RR_A, CLASS_IN, 3600, &rdata, 1, 0);
		if (!OK(rrcache_put(c, m, &bk, &rs, 1, 0, &now)))
			exit(1);
		bk = (struct bundle_key){ name_parent(k.name), 0, CLASS_IN, BUNDLE_DELEGATION };
		rs = rrset_make_in(a, bk.name, RR_NS, CLASS_IN, 3600, &target, 1, 0);
		if (!OK(rrcache_put(c, m, &bk, &rs, 1, 0, &now)))
			exit(1);
		arena_reset(a);
		epoch_quiesce(m);
	}
	say("rrcache_put", 2 * n, cpu_ns() - from, 2 * n);
	from = cpu_ns();
	for (uint64_t i = 0; i < ROUNDS / 4; i++) {
		uint8_t name[32];
		struct ans_key k;

		number_name(name, next(&x) % n, &k);
		struct bundle_key bk = { k.name, RR_A, CLASS_IN, BUNDLE_DATA };
		found += rrcache_get(c, &bk, &now, 0) != NULL;
	}
	say("rrcache_get", 2 * n, cpu_ns() - from, ROUNDS / 4);
	from = cpu_ns();
	for (uint64_t i = 0; i < ROUNDS / 4; i++) {
		uint8_t name[32];
		struct ans_key k;

		number_name(name, next(&x) % n, &k);
		found += rrcache_deepest_delegation(c, k.name, CLASS_IN, &now) != NULL;
	}
	say("rrcache_deepest_delegation", 2 * n, cpu_ns() - from, ROUNDS / 4);
	if (found != ROUNDS / 2)
		printf("%" PRIu64 " of %" PRIu64 " found\n", found, ROUNDS / 2);
	arena_free(a);
	rrcache_free(c);
}

int main(int argc, char **argv)
{
	struct epoch *e = epoch_new();
	struct epoch_member *m = e != NULL ? epoch_join(e) : NULL;

	if (m == NULL)
		return 1;
	epoch_online(m);
	for (int i = 1; i < (argc > 1 ? argc : 3); i++) {
		uint64_t n = argc > 1 ? strtoull(argv[i], NULL, 10) : i == 1 ? 10000 : 1000000;

		if (n == 0 || n > 8000000)
			return 1;
		bench_answers(m, n);
		bench_rrsets(m, n);
		epoch_quiesce(m);
	}
	epoch_leave(m);
	epoch_free(e);
	return 0;
}
