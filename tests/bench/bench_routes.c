/*
 * What route verdicts cost: memory of a table of VRPs with its index, of a million announced routes; look-ups, verdicts, updates. Not a test, but it says when a bar is passed.
 *
 *   bench_routes [VRPS]     a file of VRPs, "prefix maxlength asn" a line; without it: 700,000 random ones
 */
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/mem.h"
#include "base/rng.h"
#include "rpki/routes/judge.h"

#define ROUTES 1000000u
#define LOOKS 2000000u
#define UPDATES 1000u
#define ROUNDS 10u

static unsigned int passed, failed;

static void bar(const char *what, double value, double most, const char *unit)
{
	bool good = value <= most;

	passed += good;
	failed += !good;
	printf("%-52s %9.1f %-4s (at most %.0f)%s\n", what, value, unit, most, good ? "" : "  FAILED");
}

static double cpu(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* As the tables of the Internet are: four of five IPv4, most of them /24. */
static struct prefix random_prefix(struct rng *g, uint32_t i)
{
	struct prefix p = { .a = { .family = i % 5 == 0 ? ADDR_V6 : ADDR_V4 } };
	uint32_t v;

	if (i % 5 != 0) {
		p.len = (uint8_t)(i % 10 < 7 ? 24 : 16 + rng_below(g, 8));
		v = (rng_below(g, 0xdf000000u) + 0x01000000u) & ~0u << (32 - p.len);
		store32(p.a.b, v);
		return p;
	}
	p.len = i % 2 != 0 ? 48 : 32;
	store32(p.a.b, 0x20010000u + rng_below(g, 30000));
	if (p.len == 48)
		store16(p.a.b + 4, (uint16_t)rng_below(g, 65536));
	return p;
}

static RESULT add(struct table_builder *b, const struct prefix *p, uint8_t maxlen, uint32_t asn)
{
	struct vrp v;

	TRY(vrp_make(p, maxlen, asn, &v));
	return table_builder_add_vrp(b, &v, SOURCE_NONE);
}

static RESULT add_file(struct table_builder *b, const char *path)
{
	FILE *f = fopen(path, "r");
	char word[100];
	unsigned int maxlen;
	uint32_t asn;
	struct result r = DONE;

	if (f == NULL)
		return FAIL(ERR_SYSTEM);
	while (OK(r) && fscanf(f, "%99s %u %" SCNu32, word, &maxlen, &asn) == 3) {
		struct prefix p;

		r = prefix_parse(word, &p);
		if (OK(r))
			r = add(b, &p, (uint8_t)maxlen, asn);
	}
	(void)fclose(f);
	return r;
}

static RESULT make_vrps(struct rng *g, const char *path, struct payload_table **ret)
{
	AUTO(table_builder_free) struct table_builder *b = table_builder_new(NULL);

	if (b == NULL)
		return FAIL(ERR_NOMEM);
	if (path != NULL)
		TRY(add_file(b, path));
	for (uint32_t i = 0; path == NULL && i < 700000; i++) {
		struct prefix p = random_prefix(g, i);

		TRY(add(b, &p, p.len, rng_below(g, 400000) + 1));
	}
	return table_builder_finish(MOVE(b), 1, ret);
}

static RESULT make_routes(struct rng *g, const struct announced *empty, struct prefix *all, struct announced **ret)
{
	AUTO(announced_edit_free) struct announced_edit *e = announced_edit_new(empty);

	if (e == NULL)
		return FAIL(ERR_NOMEM);
	for (uint32_t i = 0; i < ROUTES; i++) {
		struct announced_route r = { .origin = rng_below(g, 400000) + 1 };

		r.path = r.origin;
		all[i] = random_prefix(g, i);
		TRY(announced_set(e, &all[i], &r));
	}
	return announced_edit_publish(MOVE(e), 1, ret);
}

static struct addr drawn(struct rng *g, const struct prefix *all, uint32_t i)
{
	struct addr a = all[rng_below(g, ROUTES)].a;

	a.b[3] |= (uint8_t)i;
	return a;
}

/* What it costs to draw the addresses alone, which no look-up pays. */
static double drawing(struct rng *g, const struct prefix *all)
{
	double from = cpu();
	uint64_t sum = 0;

	for (uint32_t i = 0; i < LOOKS; i++)
		sum += drawn(g, all, i).b[3];
	from = cpu() - from;
	printf("%-52s %9.1f ns   (left out below; %" PRIu64 ")\n", "an address, drawn", from * 1e9 / LOOKS, sum);
	return from;
}

static void measure_vrps(struct rng *g, const struct payload_table *t, const struct prefix *all, double alone)
{
	AUTO(validity_free) struct validity_index *x = NULL;
	uint64_t valid = 0;
	double from;

	if (!OK(validity_new(t, &x)))
		abort();
	printf("%zu VRPs\n", table_count(t, PAYLOAD_VRP));
	bar("VRPs and their index", (double)(table_octets(t) + validity_octets(x)) / 1048576, 64, "MiB");
	from = cpu();
	for (uint32_t i = 0; i < LOOKS; i++)
		valid += validity_of(x, &all[rng_below(g, ROUTES)], i) == ROUTE_VALID;
	bar("validity of a route", (cpu() - from - alone) * 1e9 / LOOKS, 1000, "ns");
	printf("%" PRIu64 " of them valid\n", valid);
}

static void measure_look_ups(struct rng *g, const struct announced *a, const struct route_view *view, const struct prefix *all, double alone)
{
	uint64_t hits = 0, states[VERDICT_STATES] = { 0 };
	double from, best = 1e18;

	for (unsigned int round = 0; round < ROUNDS; round++) { /* beside other work memory is slower at times: the best counts */
		from = cpu();
		for (uint32_t i = 0; i < LOOKS / ROUNDS; i++) {
			struct addr at = drawn(g, all, i);
			struct announced_routes found;

			hits += announced_find(a, &at, &found);
		}
		from = cpu() - from - alone / ROUNDS;
		best = from < best ? from : best;
	}
	bar("the route to an address", best * 1e9 * ROUNDS / LOOKS, 1000, "ns");
	from = cpu();
	for (uint32_t i = 0; i < LOOKS; i++) {
		struct addr at = drawn(g, all, i);

		states[route_judge(view, &at).state]++;
	}
	printf("%-52s %9.1f ns\n", "a verdict: both, with the evidence", (cpu() - from - alone) * 1e9 / LOOKS);
	printf("%" PRIu64 " of %u addresses found, %" PRIu64 " verdicts valid\n", hits, LOOKS, states[VERDICT_VALID]);
}

static RESULT measure_updates(const struct announced *from, const struct prefix *all)
{
	AUTO(announced_unref) struct announced *a = announced_ref(from);
	double begun = cpu();

	for (uint32_t i = 0; i < UPDATES; i++) {
		AUTO(announced_edit_free) struct announced_edit *e = announced_edit_new(a);
		struct announced_route r = { .origin = i, .since = 5 };

		if (e == NULL)
			return FAIL(ERR_NOMEM);
		TRY(announced_set(e, &all[i * 7], &r));
		announced_unref(MOVE(a));
		TRY(announced_edit_publish(MOVE(e), 2, &a));
	}
	printf("%-52s %9.1f us\n", "a change, published by itself", (cpu() - begun) * 1e6 / UPDATES);
	return DONE;
}

int main(int argc, char **argv)
{
	AUTO(rng_free) struct rng *g = rng_new_seeded(1);
	AUTO(mem_free) void *room = mem_alloc_array(ROUTES, sizeof(struct prefix));
	AUTO(announced_unref) struct announced *empty = announced_new(), *a = NULL;
	AUTO(table_unref) struct payload_table *t = NULL;
	AUTO(route_view_unref) struct route_view *view = NULL;
	struct prefix *all = room;
	size_t before = mallinfo2().uordblks;
	double from = cpu(), alone;

	if (g == NULL || all == NULL || empty == NULL || !OK(make_routes(g, empty, all, &a)))
		return 1;
	printf("%zu routes of %zu prefixes, made in %.2f s\n", announced_count(a), announced_prefixes(a), cpu() - from);
	bar("a million announced routes", (double)announced_octets(a) / 1048576, 128, "MiB");
	bar("with what the allocator needs", (double)(mallinfo2().uordblks - before) / 1048576, 128, "MiB");
	if (!OK(make_vrps(g, argc > 1 ? argv[1] : NULL, &t)) || !OK(route_view_new(t, a, 1, &view))) {
		(void)fprintf(stderr, "%s: cannot be read\n", argc > 1 ? argv[1] : "random VRPs");
		return 1;
	}
	alone = drawing(g, all);
	measure_vrps(g, t, all, alone);
	measure_look_ups(g, a, view, all, alone);
	if (!OK(measure_updates(a, all)))
		return 1;
	printf("%u passed, %u failed\n", passed, failed);
	return failed > 0;
}
