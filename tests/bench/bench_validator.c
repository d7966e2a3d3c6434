/*
 * What checks cost here: CPU time of this thread in nanoseconds, and in thousandths of one RSA-2048 verification of the same run beside the figure that
 * validator/work.h has for it. Those should be about the same or larger. Not a test.
 *
 *   make tests/bench/bench_validator && tests/bench/bench_validator
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/arena.h"
#include "base/libcrypto.h"
#include "dns/rdata.h"
#include "tests/unit/validator/signer.h"
#include "validator/ds.h"
#include "validator/key.h"
#include "validator/nsec3.h"

#define BLOCKS 9

static double unit; /* ns of an RSA-2048 verification */

static double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Of several blocks the best one: what else the machine does only adds. */
static double best_ns(void (*fn)(void *), void *arg)
{
	double best = 1e18;
	unsigned int n = 1;

	for (int block = 0; block < BLOCKS; block++) {
		double t = cpu_ns(), ns;

		for (unsigned int i = 0; i < n; i++)
			fn(arg);
		t = cpu_ns() - t;
		ns = t / n;
		best = ns < best ? ns : best;
		n = (unsigned int)(2e7 / ns) + 1; /* 20 ms */
	}
	return best;
}

static void say(const char *what, double ns, unsigned int figure)
{
	printf("%-36s %10.0f ns %8.0f of 1000, counted as %u\n", what, ns, ns / unit * 1000, figure);
}

struct verification {
	struct key *key;
	struct span dnskey, data, sig;
};

static void verify(void *arg)
{
	const struct verification *v = arg;

	if (!OK(key_verify(v->key, v->sig, &v->data, 1)))
		exit(1);
}

static void make_and_verify(void *arg)
{
	struct verification fresh = *(struct verification *)arg;
	struct key_limits limits = KEY_LIMITS;

	fresh.key = key_new(fresh.dnskey, NULL, &limits);
	if (fresh.key == NULL)
		exit(1);
	verify(&fresh);
	key_free(MOVE(fresh.key));
}

static void measure(const char *name, struct verification *v)
{
	struct key_limits limits = KEY_LIMITS;
	double once, fresh;
	char what[64];

	v->key = key_new(v->dnskey, NULL, &limits);
	if (v->key == NULL)
		exit(1);
	once = best_ns(verify, v);
	fresh = best_ns(make_and_verify, v);
	if (unit == 0)
		unit = once;
	say(name, once, key_cost(v->key));
	snprintf(what, sizeof what, "%s: its key, made", name);
	say(what, fresh - once, WORK_KEY_MADE);
	key_free(MOVE(v->key));
}

static void measure_rsa(struct arena *a, unsigned int bits, const char *name)
{
	EVP_PKEY *pkey = EVP_RSA_gen(bits);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	BIGNUM *n = NULL;
	uint8_t *dnskey = arena_alloc(a, 8 + bits / 8), *data = arena_alloc(a, 300), *sig = arena_alloc(a, bits / 8);
	size_t sig_len = bits / 8;
	struct verification v;

	memcpy(dnskey, "\1\0\3\10\3\1\0\1", 8);
	if (pkey == NULL || EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n) != 1 || BN_bn2bin(n, dnskey + 8) != (int)bits / 8 ||
	    EVP_DigestSignInit_ex(ctx, NULL, "SHA256", NULL, NULL, pkey, NULL) != 1 || EVP_DigestSign(ctx, sig, &sig_len, data, 300) != 1)
		exit(1);
	v = (struct verification){ NULL, { dnskey, 8 + bits / 8 }, { data, 300 }, { sig, sig_len } };
	measure(name, &v);
	BN_free(n);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
}

static void measure_other(struct arena *a, uint8_t algorithm, const char *name)
{
	struct signer *s = signer_new(algorithm, 256, 1);
	struct span data = { arena_alloc(a, 300), 300 };
	struct verification v = { NULL, signer_dnskey(s), data, signer_sign_in(a, s, data) };

	measure(name, &v);
	signer_free(s);
}

static uint8_t kib[64 * 1024], digest[HASH_MAX_OCTETS];
static void hash_64_kib(void *arg)
{
	hash_pieces(*(enum hash_kind *)arg, &(struct span){ kib, sizeof kib }, 1, digest);
}

struct digesting {
	struct ds ds;
	struct span dnskey;
	struct name owner;
};
static void match(void *arg)
{
	const struct digesting *d = arg;
	struct work work = { 1000 };

	(void)!OK(ds_matches(&d->ds, d->owner, d->dnskey, &work));
	if (work.left == 1000)
		exit(1);
}

struct hashing {
	struct nsec3_hasher *h;
	struct span salt;
	unsigned int iterations;
};
static void hash3(void *arg)
{
	const struct hashing *x = arg;

	if (!OK(nsec3_hash(x->h, (struct name){ (const uint8_t *)"\3www\7example", 13, 2 }, x->salt, x->iterations, digest)))
		exit(1);
}

int main(void)
{
	static const struct {
		uint8_t number;
		const char *name;
	} algs[] = { { 13, "P-256" }, { 14, "P-384" }, { 15, "Ed25519" }, { 16, "Ed448" } };
	enum hash_kind kinds[] = { HASH_SHA1, HASH_SHA256, HASH_SHA384 };
	AUTO(arena_free) struct arena *a = arena_new(0);
	AUTO(nsec3_hasher_free) struct nsec3_hasher *h = nsec3_hasher_new();
	AUTO(signer_free) struct signer *s = signer_new(8, 257, 0);
	struct digesting d = { { signer_tag(s), 8, 2, { kib, 32 } }, signer_dnskey(s), { (const uint8_t *)"\3com", 5, 1 } };
	struct hashing salted = { h, { kib, 8 }, 0 };

	measure_rsa(a, 2048, "RSA-2048");
	measure_rsa(a, 1024, "RSA-1024");
	measure_rsa(a, 3072, "RSA-3072");
	measure_rsa(a, 4096, "RSA-4096");
	for (size_t i = 0; i < sizeof algs / sizeof *algs; i++)
		measure_other(a, algs[i].number, algs[i].name);
	say("DS digest, SHA-256", best_ns(match, &d), WORK_DIGEST);
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		say(i == 0 ? "a KiB hashed, SHA-1" : i == 1 ? "a KiB hashed, SHA-256" : "a KiB hashed, SHA-384", best_ns(hash_64_kib, &kinds[i]) / 64,
		    WORK_HASHED_KIB);
	say("NSEC3, no further iteration", best_ns(hash3, &salted), WORK_NSEC3_HASH);
	salted.iterations = 500;
	say("NSEC3, a further iteration", best_ns(hash3, &salted) / 500, WORK_NSEC3_HASH);
	salted.salt.n = 255;
	say("the same, salt of 255 octets", best_ns(hash3, &salted) / 500, WORK_NSEC3_HASH);
	return 0;
}
