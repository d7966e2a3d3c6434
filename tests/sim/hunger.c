#include "tests/sim/hunger.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

#define RECOVERY (6 * SEC)  /* after it what failed for want of memory is forgotten (RFC 9520: failures are kept for 5 s) */
#define CHILD_SECONDS 60    /* a child that takes longer hangs */
#define FRESH_QUESTIONS 3u

void __sanitizer_print_stack_trace(void) __attribute__((weak)); /* in sanitizer builds */

enum kind { ALONE, NEIGHBOURS, EVERY_OTHER, ALL, KINDS };

static struct {
	struct hunger *h BORROWED_FIELD; /* of the hunger_run() under way */
	bool counting;
	enum plant plant;
	uint64_t seen, next, chosen;
	uint64_t left; /* in a child: allocations that may still fail */
	enum kind kind;
} now;

/* The i-th of the points: spread over the run, not quite evenly. */
static uint64_t point_at(uint64_t i)
{
	uint64_t width = now.h->allocations / now.h->points;

	if (now.h->allocations <= now.h->points)
		return i + 1;
	return 1 + i * now.h->allocations / now.h->points + (i * UINT64_C(0x9e3779b97f4a7c15) >> 32) % (width > 0 ? width : 1);
}

static void choose_next(void)
{
	if (now.h->points == 0)
		now.next = now.chosen++ == 0 ? now.h->only : UINT64_MAX;
	else
		now.next = now.chosen < now.h->points ? point_at(now.chosen++) : UINT64_MAX;
}

/* --- the child */

static void feed(struct sim *s, void *ctx, uint64_t arg)
{
	(void)s, (void)ctx, (void)arg;
	mem_fail_at(0, false);
}

static void ask_fresh(struct sim *s, void *ctx, uint64_t arg)
{
	struct run *r = ctx;
	struct name_buf name;
	uint16_t type;
	struct asked *q;

	(void)s, (void)arg;
	if (!world_fresh_question(r->world, &name, &type))
		return;
	q = clients_ask(r, 3, name_of(&name), type);
	if (q != NULL)
		q->must = true;
}

/* There is memory from now on, the network is good, and soon there is nothing to excuse a failure. */
static void recover(struct sim *s, void *ctx, uint64_t arg)
{
	static const struct sim_link good = { .delay_min_us = 100, .delay_max_us = 20000 };
	struct run *r = ctx;

	feed(s, r, arg);
	sim_set_link(s, &good);
	for (uint64_t i = 0; i < FRESH_QUESTIONS; i++)
		sim_at(s, RECOVERY + i * SEC, ask_fresh, r, 0);
}

static void tell_where(void)
{
	if (now.h->verbose && __sanitizer_print_stack_trace != NULL)
		__sanitizer_print_stack_trace();
}

static bool fails_too(void *ctx)
{
	bool fails;

	(void)ctx;
	if (now.left == 0) {
		mem_fail_at(0, false);
		return false;
	}
	now.left--;
	fails = now.kind != EVERY_OTHER || now.left % 2 == 0;
	if (fails)
		tell_where();
	return fails;
}

static bool starve(struct run *r)
{
	uint64_t for_ns = (1 + now.seen % 3000) * MS;

	tell_where();
	now.kind = (enum kind)(now.seen * 2654435761u >> 7 & 3);
	(void)alarm(CHILD_SECONDS);
	r->in_child = true;
	r->calm = false;
	r->closed_early = true;
	r->wrong = 0;
	weather_end_calm(r);
	for (unsigned int i = 0; i < r->count; i++)
		r->asked[i].must = false;
	sim_set_verbose(r->sim, now.h->verbose);
	sim_set_plant(r->sim, now.plant);
	world_plant(r->world, now.plant == PLANT_WRONG, now.plant == PLANT_FORGE);
	if (now.h->crash)
		raise(SIGSEGV);
	if (now.kind == NEIGHBOURS || now.kind == EVERY_OTHER) {
		now.left = 2 + now.seen % 50;
		mem_fail_ask(fails_too, NULL);
	} else {
		mem_fail_at(now.kind == ALL, true);
	}
	if (now.kind == ALL)
		sim_at(r->sim, for_ns, feed, r, 0);
	if (r->setup == SETUP_PLAIN && !r->limits && !r->outages && !r->damaged && !r->floods)
		sim_at(r->sim, for_ns, recover, r, 0);
	return true;
}

/* --- the run */

static void reap(struct run *r, pid_t child)
{
	static const char *const words[KINDS] = { "alone", "with those next to it", "with every other of some", "with all for a while" };
	int status = 0;

	while (waitpid(child, &status, 0) < 0)
		continue;
	now.h->forks++;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return;
	now.h->failures++;
	complain(r, NULL, "allocation %llu failing (%s) ended with %s %d; again: simulate -v -m @%llu %llu", (unsigned long long)now.seen,
	    words[now.seen * 2654435761u >> 7 & 3], WIFEXITED(status) ? "status" : "signal", WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status),
	    (unsigned long long)now.seen, (unsigned long long)r->seed);
}

static bool asked(void *ctx)
{
	struct run *r = ctx;
	pid_t child;

	now.seen++;
	if (now.counting || now.seen < now.next)
		return false;
	fflush(NULL);
	child = fork();
	if (child < 0)
		abort();
	if (child == 0)
		return starve(r);
	reap(r, child);
	choose_next();
	return false;
}

void hunger_begin(struct run *r)
{
	if (now.h == NULL)
		return;
	r->oom = false; /* its forks would fork */
	mem_fail_ask(asked, r);
}

bool hunger_run(struct hunger *h, uint64_t seed, enum plant plant)
{
	static struct run r;
	bool good;

	now.h = h;
	now.plant = plant;
	now.counting = true;
	now.seen = 0;
	run_seed(&r, seed, PLANT_NONE, false);
	good = r.wrong == 0;
	h->allocations = now.seen;
	now.counting = false;
	now.seen = now.chosen = 0;
	choose_next();
	run_seed(&r, seed, PLANT_NONE, false);
	now.h = NULL;
	return good && r.wrong == 0;
}
