/*
 * What a validation costs here: CPU time of rpki/engine.h over a tree of files (HOST/PATH, as rsync lays it out), beside the bare signature checks and hashes of the same work in
 * libcrypto, in one run: of several rounds the best of each. Not a test.
 *
 *   bench_rpki [-r ROUNDS] TREE LOCATORS TIME     LOCATORS: a folder of trust anchor locators; TIME: seconds or ISO 8601
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "rpki/engine.h"
#include "rpki/object/cert.h"
#include "rpki/routes/table.h"
#include "rpki/validate/tree.h"

/* A tree's objects, weighed as they pass. */
struct scale {
	struct objects objects;
	const struct objects *tree BORROWED_FIELD;
	uint64_t octets;
	uint8_t *anchor OWNED_FIELD; /* the first trust anchor's certificate */
	size_t anchor_n;
};
struct scale_reader {
	struct objects_reader reader;
	struct objects_reader *in OWNED_FIELD;
	struct scale *scale BORROWED_FIELD;
};

static double cpu(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static struct scale_reader *mine(struct objects_reader *r) BORROWED;
static struct scale_reader *mine(struct objects_reader *r)
{
	return (struct scale_reader *)(void *)r;
}

static RESULT scale_find(struct objects_reader *r, struct span notify, struct span uri, size_t max, struct arena *a, struct span *ret, uint8_t ret_hash[OBJECT_HASH])
{
	TRY(mine(r)->in->ops->find(mine(r)->in, notify, uri, max, a, ret, ret_hash));
	mine(r)->scale->octets += ret->n;
	return DONE;
}

static RESULT scale_anchor(struct objects_reader *r, struct span uri, size_t max, struct arena *a, struct span *ret)
{
	struct scale *s = mine(r)->scale;

	TRY(mine(r)->in->ops->anchor(mine(r)->in, uri, max, a, ret));
	s->octets += ret->n;
	if (s->anchor != NULL)
		return DONE;
	s->anchor = mem_dup(ret->p, ret->n);
	s->anchor_n = ret->n;
	return s->anchor != NULL ? DONE : FAIL(ERR_NOMEM);
}

static RESULT scale_recall(struct objects_reader *r, struct span key, struct span *ret)
{
	return mine(r)->in->ops->recall(mine(r)->in, key, ret);
}

static RESULT scale_by_hash(struct objects_reader *r, const uint8_t hash[OBJECT_HASH], size_t max, struct span *ret)
{
	return mine(r)->in->ops->by_hash(mine(r)->in, hash, max, ret);
}

static void scale_close(struct objects_reader *r)
{
	objects_close(MOVE(mine(r)->in));
	mem_free(r); /* own-ok: R4 objects_close() took it */
}

static RESULT scale_open(const struct objects *o, struct objects_reader **ret);
static const struct objects_ops ops = { .open = scale_open, .close = scale_close, .find = scale_find, .anchor = scale_anchor, .recall = scale_recall, .by_hash = scale_by_hash };

static RESULT scale_open(const struct objects *o, struct objects_reader **ret)
{
	struct scale *s = (struct scale *)(uintptr_t)(const void *)o;
	AUTO(objects_close) struct objects_reader *in = NULL;
	struct scale_reader *r;

	TRY(s->tree->ops->open(s->tree, &in));
	r = mem_alloc(sizeof *r); /* own-ok: R3 becomes the caller's by its first field */
	if (r == NULL)
		return FAIL(ERR_NOMEM);
	r->reader.ops = &ops;
	r->scale = s;
	r->in = MOVE(in);
	*ret = &r->reader;
	return DONE;
}

struct work {
	uint64_t objects, kept, fresh; /* signature checks: with a CA's key, and with a key made for it */
};

static struct work work_of(const struct anchor_result *a, size_t n)
{
	struct work w = { 0 };

	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < COUNTED; k++) {
			bool is_signed = k != COUNTED_CERT && k != COUNTED_CRL && k != COUNTED_ROUTER;

			w.objects += a[i].valid[k] + a[i].invalid[k];
			w.kept += a[i].valid[k];
			w.fresh += is_signed ? a[i].valid[k] : 0;
		}
	}
	return w;
}

/* As many checks and twice as many octets hashed (a file, and what is signed in it), bare: with the first trust anchor's key over its own certificate. */
static double bare(const struct work *w, uint64_t octets, struct span certificate)
{
	AUTO(public_key_free) struct public_key *key = NULL;
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct report rep;
	uint8_t digest[32];
	struct cert c;
	double from;

	report_init(&rep);
	if (a == NULL || !OK(cert_read(certificate, CERT_TA, CERT_USE_ANY, a, &rep, &c)) || !OK(public_key_make(&c.key, &key)))
		return 0;
	from = cpu();
	for (uint64_t done = 0; done < 2 * octets; done += c.tbs.n)
		sha256_of(c.tbs, digest);
	sha256_of(c.tbs, digest);
	for (uint64_t i = 0; i < w->kept; i++)
		if (!public_key_verify(key, digest, c.signature))
			abort();
	for (uint64_t i = 0; i < w->fresh; i++) {
		AUTO(public_key_free) struct public_key *fresh = NULL;

		if (!OK(public_key_make(&c.key, &fresh)) || !public_key_verify(fresh, digest, c.signature))
			abort();
	}
	return cpu() - from;
}

static int measure(const struct locators *l, const struct tree *tree, int64_t now, unsigned long rounds)
{
	AUTO(mem_free) void *anchors = mem_alloc_array(locators_count(l), sizeof(struct anchor_result));
	AUTO(strbuf_free) struct strbuf *words = strbuf_new(1u << 20);
	double best = 1e18, floor = 1e18;
	struct scale s = { .objects = { &ops }, .tree = tree_objects(tree) };
	struct engine_options o = { .now = now, .threads = 1, .limits = validate_limits_default(), .objects = &s.objects, .locators = l, .generation = 1 };
	struct work w = { 0 };

	if (anchors == NULL || words == NULL)
		return 2;
	for (unsigned long i = 0; i < rounds; i++) {
		AUTO(table_unref) struct payload_table *t = NULL;
		double from = cpu(), took;

		s.octets = 0;
		if (!OK(engine_run(&o, anchors, &t, NULL)))
			return 2;
		took = cpu() - from;
		best = took < best ? took : best;
		w = work_of(anchors, locators_count(l));
		took = bare(&w, s.octets, span_of(s.anchor, s.anchor_n));
		floor = took < floor ? took : floor;
	}
	engine_report(l, anchors, words);
	fputs(strbuf_text(words), stdout);
	printf("%.3f s of CPU, %.3f s bare (%" PRIu64 " checks with kept keys, %" PRIu64 " with fresh ones, %" PRIu64 " kB): %.2f times; %.0f objects/s\n", best, floor, w.kept, w.fresh,
		s.octets / 1024, best / floor, (double)w.objects / best);
	mem_free(MOVE(s.anchor));
	return 0;
}

int main(int argc, char **argv)
{
	AUTO(locators_free) struct locators *l = NULL;
	AUTO(tree_free) struct tree *tree = NULL;
	AUTO(strbuf_free) struct strbuf *why = strbuf_new(10000);
	unsigned long rounds = 3;
	int64_t now;
	int c;

	while ((c = getopt(argc, argv, "r:")) != -1)
		rounds = c == 'r' ? strtoul(optarg, NULL, 10) : 0;
	if (rounds == 0 || argc - optind != 3 || !OK(clock_parse(argv[optind + 2], &now)) || why == NULL) {
		fprintf(stderr, "usage: bench_rpki [-r ROUNDS] TREE LOCATORS TIME\n");
		return 2;
	}
	if (!OK(locators_load(argv[optind + 1], NULL, 0, why, &l))) {
		fputs(strbuf_text(why), stderr);
		return 2;
	}
	tree = tree_new(argv[optind]);
	if (tree == NULL) {
		perror(argv[optind]);
		return 2;
	}
	return measure(l, tree, now, rounds);
}
