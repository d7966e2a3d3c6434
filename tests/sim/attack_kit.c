/* attack_kit.c: guests, questions and bars for attacks.c and attacks_dnssec.c. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/attacks.h"

/* ---- what guests say --------------------------------------------------------------------------------------------------------------------- */

struct name text_name(struct arena *a, const char *text)
{
	struct name_buf nb;

	if (!OK(name_from_text(text, NULL, &nb)))
		abort();
	return name_dup_in(a, name_of(&nb));
}

bool put(struct builder *b, struct arena *a, enum msg_part part, struct name owner, uint16_t type, const struct span *rdata, size_t n, uint32_t ttl)
{
	const struct rrset *rs = rrset_make_in(a, owner, type, CLASS_IN, ttl, rdata, n, 0);

	if (rs == NULL)
		abort();
	return build_rrset(b, part, rs, ttl, false, 0);
}

void put_address(struct builder *b, struct arena *a, enum msg_part part, struct name owner, const char *address)
{
	struct addr at;
	struct span d;

	if (!OK(addr_parse(address, &at)))
		abort();
	d = span_of(arena_dup(a, at.b, 4), 4);
	(void)put(b, a, part, owner, RR_A, &d, 1, 300);
}

void put_soa(struct builder *b, struct arena *a, struct name zone)
{
	uint8_t *d = arena_alloc(a, 22);
	struct span s = span_of(d, 22);

	for (unsigned int i = 0; i < 5; i++)
		store32(d + 2 + 4 * i, 300);
	(void)put(b, a, PART_AUTHORITY, zone, RR_SOA, &s, 1, 300);
}

void no_such_name(struct builder *b, struct arena *a, struct name zone)
{
	put_soa(b, a, zone);
	build_set_rcode(b, RCODE_NXDOMAIN);
}

void put_alias(struct builder *b, struct arena *a, struct name owner, uint16_t type, struct name target)
{
	struct span d = span_of(target.wire, target.len);

	(void)put(b, a, PART_ANSWER, owner, type, &d, 1, 300);
}

/* A referral to n servers with a number between these words. Over UDP it may be too long: TC. */
void refer(struct builder *b, struct arena *a, struct name cut, unsigned int n, const char *before, unsigned int base, const char *after)
{
	struct span *d = arena_alloc_array(a, n, sizeof *d);

	build_set_flags(b, 0, MSG_AA);
	for (unsigned int i = 0; i < n; i++) {
		char text[80];
		struct name t;

		(void)snprintf(text, sizeof text, "%s%u%s", before, base + i, after);
		t = text_name(a, text);
		d[i] = span_of(t.wire, t.len);
	}
	if (!put(b, a, PART_AUTHORITY, cut, RR_NS, d, n, 300))
		build_set_flags(b, MSG_TC, 0);
}

bool is_direct_child(struct name n, struct name zone)
{
	return name_is_strictly_under(n, zone) && n.labels >= zone.labels + 1u;
}

/* ---- the scene ---------------------------------------------------------------------------------------------------------------------------- */

void guest(struct attack *k, const char *zone, const char *address, world_reply_fn *fn)
{
	if (k->guest_count == GUESTS)
		abort();
	k->guests[k->guest_count++] = world_guest(k->run.world, zone, address, fn, k);
}

uint64_t packets(const struct attack *k)
{
	uint64_t n = world_packets(k->run.world);

	for (unsigned int i = 0; i < k->guest_count; i++)
		n += world_guest_packets(k->guests[i]);
	return n;
}

static void begin_with(struct attack *k, uint64_t seed, bool is_signed)
{
	static const struct sim_link near = { .delay_min_us = 500, .delay_max_us = 5000 };
	struct world_options o = { .tops = 1, .zones = 1 };

	if (!run_start(&k->run, seed, PLANT_NONE, k->verbose))
		abort();
	k->run.workers = 1;
	k->run.damaged = k->run.guests = true; /* the model knows nothing of the guests */
	k->run.calm = true;
	sim_set_link(k->run.sim, &near);
	k->run.world = world_new(k->run.sim, &o);
	if (k->run.world == NULL)
		abort();
	if (is_signed) {
		world_sign(k->run.world, seed, PLANT_NONE);
		k->run.is_signed = true;
		k->run.plain = true;
	}
	k->guest_count = 0;
	k->drawn = 0;
}

void begin(struct attack *k, uint64_t seed)
{
	begin_with(k, seed, false);
}

void begin_signed(struct attack *k, uint64_t seed)
{
	begin_with(k, seed, true);
}

void start(struct attack *k)
{
	if (!run_start_workers(&k->run))
		abort();
	clients_start(&k->run);
}

struct asked *ask(struct attack *k, const char *name, uint16_t type, unsigned int wait_ms)
{
	struct name_buf nb;
	struct asked *q;

	if (!OK(name_from_text(name, NULL, &nb)))
		abort();
	q = clients_ask(&k->run, 3, name_of(&nb), type);
	if (q == NULL)
		abort();
	if (wait_ms > 0)
		(void)sim_run(k->run.sim, sim_now_ns(k->run.sim) + wait_ms * MS);
	return q;
}

/* Until it is answered, and what that leads to has been sent. */
void ask_and_wait(struct attack *k, const char *name)
{
	const struct asked *q = ask(k, name, RR_A, 10);

	for (unsigned int i = 0; i < 1400 && q->replies == 0; i++)
		(void)sim_run(k->run.sim, sim_now_ns(k->run.sim) + 10 * MS);
	(void)sim_run(k->run.sim, sim_now_ns(k->run.sim) + 500 * MS);
}

/* What one question costs, everything that it leads to counted. */
uint64_t cost(struct attack *k, const char *name, struct asked **ret_asked)
{
	uint64_t before = packets(k);
	struct asked *q = ask(k, name, RR_A, 60000);

	if (ret_asked != NULL)
		*ret_asked = q;
	return packets(k) - before;
}

void bar(struct attack *k, const char *what, double value, double most)
{
	bool good = value <= most;

	k->passed += good;
	k->failed += !good;
	if (!good || k->verbose)
		fprintf(stderr, "%s: %s: %g, at most %g\n", good ? "ok" : "FAILED", what, value, most);
}

void end(struct attack *k)
{
	judge_all(&k->run);
	run_stop(&k->run);
	bar(k, "other things that must hold", k->run.wrong, 0);
}

double seconds(const struct asked *q)
{
	return q->replies == 0 ? 1e6 : (double)q->took_ns / 1e9;
}
