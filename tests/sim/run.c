/* run.c: a run from its beginning to its end. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/strbuf.h"
#include "conf/conf.h"
#include "resolver/dnstap/ring.h"
#include "tests/sim/hunger.h"
#include "tests/sim/run.h"

#define TOLD_OCTETS (256u * 1024)

/* ---- configuration ---------------------------------------------------------------------------------------------------------------------- */

RESULT run_make_plan(struct run *r, const char *more, struct plan **ret_plan)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(1u << 20), *text = strbuf_new(65536);
	struct conf *c = NULL;
	struct result done;

	if (report == NULL || text == NULL)
		return FAIL(ERR_NOMEM);
	strbuf_printf(text, "server:\n interface: 10.0.0.1@53\n access-control: 0.0.0.0/0 allow_snoop\n ip-ratelimit: 0\n unblock-lan-zones: yes\n"
	    " root-anchors: none\n username: \"\"\n chroot: \"\"\n directory: \"\"\n use-syslog: no\n verbosity: 0\n cache-snapshot: \"\"\n num-threads: %u\n",
	    r->workers);
	if (strstr(r->conf, "discard-timeout") == NULL)
		strbuf_puts(text, " discard-timeout: 0\n");
	world_trust(r->world, text);
	strbuf_puts(text, r->conf);
	strbuf_puts(text, more);
	world_clauses(r->world, r->setup, text);
	strbuf_puts(text, r->clauses);
	strbuf_puts(text, "dnstap:\n dnstap-enable: yes\n dnstap-send-identity: yes\n dnstap-identity: simulated\n dnstap-log-resolver-query-messages: yes\n"
	    " dnstap-log-resolver-response-messages: yes\n dnstap-log-client-query-messages: yes\n dnstap-log-client-response-messages: yes\n"
	    " dnstap-log-forwarder-query-messages: yes\n dnstap-log-forwarder-response-messages: yes\n");
	done = conf_load_text(strbuf_text(text), "simulator", report, &c);
	if (OK(done))
		done = plan_make(c, r->plan, r->rng, report, ret_plan);
	if (!OK(done))
		fprintf(stderr, "%s%s", strbuf_text(text), strbuf_text(report));
	return done;
}

/* ---- workers ----------------------------------------------------------------------------------------------------------------------------- */

/* Most runs tell dnstap of everything, until the queue is full; what was told is whole. */
static struct tap_bell no_bell = { .fd = -1 };

static void take_told(struct run *r, unsigned int i)
{
	struct span frame;

	while (r->w[i].tap.ring != NULL && tap_ring_next(r->w[i].tap.ring, &frame))
		tap_ring_done(r->w[i].tap.ring);
}

static bool start_worker(struct run *r, unsigned int i)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(65536);
	struct worker_env env = { .shared = r->shared, .plan = r->plan, .zones = r->plan->zones, .validation = r->plan->validation, .number = i,
		.workers = r->workers };
	struct addr a4 = run_resolver().a, a6;
	size_t failed;

	if (report == NULL || !OK(addr_parse("2001:db8:ffff::1", &a6)))
		return false;
	r->w[i].rng = rng_new_seeded(r->seed * 31 + i);
	r->w[i].member = epoch_join(r->shared->epoch);
	r->w[i].loop = sim_loop_new(r->sim, r->w[i].rng, r->w[i].member);
	r->w[i].host = sim_host_new(r->sim, r->w[i].loop, &a4, &a6);
	env.loop = r->w[i].loop;
	env.host = r->w[i].host;
	env.member = r->w[i].member;
	r->w[i].tap.bell = &no_bell;
	if (r->seed % 4 != 3)
		r->w[i].tap.ring = tap_ring_new(TOLD_OCTETS);
	env.tap = &r->w[i].tap;
	r->w[i].worker = worker_new(&env);
	if (r->w[i].worker != NULL && OK(worker_listen(r->w[i].worker, report, &failed)))
		return true;
	fprintf(stderr, "%s", strbuf_text(report));
	return false;
}

bool run_start_workers(struct run *r)
{
	r->rng = rng_new_seeded(r->seed ^ 0xc0ffee);
	if (r->rng == NULL || !OK(run_make_plan(r, "", &r->plan)))
		return false;
	r->shared = shared_new(r->plan, r->rng);
	if (r->shared == NULL)
		return false;
	r->member = epoch_join(r->shared->epoch);
	if (r->hijacked && r->plant != PLANT_HIJACK)
		routes_hijack(r);
	for (unsigned int i = 0; i < r->workers; i++) {
		if (!start_worker(r, i))
			return false;
	}
	return true;
}

static void stop_workers(struct run *r)
{
	for (unsigned int i = 0; i < r->workers; i++)
		worker_stop_listening(r->w[i].worker);
	(void)sim_run(r->sim, sim_now_ns(r->sim) + 300 * SEC);
	for (unsigned int i = 0; i < r->workers; i++) {
		epoch_online(r->w[i].member);
		worker_free(MOVE(r->w[i].worker));
		epoch_offline(r->w[i].member);
		if (sim_host_open(r->w[i].host) != 0)
			complain(r, NULL, "%u sockets are left open", sim_host_open(r->w[i].host));
		host_free(MOVE(r->w[i].host));
		take_told(r, i);
		tap_ring_free(MOVE(r->w[i].tap.ring));
	}
	for (unsigned int i = 0; i < r->workers; i++) {
		loop_turn(r->w[i].loop, false);
		if (loop_live_handles(r->w[i].loop) != 0)
			complain(r, NULL, "%llu handles are left", (unsigned long long)loop_live_handles(r->w[i].loop));
		loop_free(MOVE(r->w[i].loop));
		epoch_leave(MOVE(r->w[i].member));
		rng_free(MOVE(r->w[i].rng));
	}
	epoch_leave(MOVE(r->member));
	shared_free(MOVE(r->shared));
	plan_unref(MOVE(r->plan));
	rng_free(MOVE(r->rng));
}

/* ---- all of it ---------------------------------------------------------------------------------------------------------------------------- */

static struct mem_usage before;

bool run_start(struct run *r, uint64_t seed, enum plant plant, bool verbose)
{
	before = mem_usage();
	*r = (struct run){ .seed = seed, .plant = plant };
	r->sim = sim_new(seed);
	if (r->sim == NULL)
		return false;
	sim_set_verbose(r->sim, verbose);
	sim_set_plant(r->sim, plant);
	return true;
}

void run_stop(struct run *r)
{
	struct mem_usage after;

	stop_workers(r);
	r->trace = sim_trace(r->sim);
	clients_stop(r);
	world_free(MOVE(r->world));
	sim_free(MOVE(r->sim));
	after = mem_usage();
	if (after.objects != before.objects)
		complain(r, NULL, "memory is left: %llu objects", (unsigned long long)(after.objects - before.objects));
}

static void tell_counters(const struct run *r)
{
	for (unsigned int c = 0; c < COUNTERS; c++) {
		uint64_t n = 0;

		for (unsigned int i = 0; i < r->workers; i++)
			n += stats_get(&r->w[i].worker->stats, (enum counter)c);
		if (n > 0)
			fprintf(stderr, "%s=%llu\n", counter_name((enum counter)c), (unsigned long long)n);
	}
}

void run_seed(struct run *r, uint64_t seed, enum plant plant, bool verbose)
{
	if (!run_start(r, seed, plant, verbose))
		abort();
	weather_draw(r);
	world_plant(r->world, plant == PLANT_WRONG, plant == PLANT_FORGE);
	if (!run_start_workers(r))
		abort();
	if (verbose)
		fprintf(stderr, "%s, %u workers%s%s%s%s%s%s%s%s%s%s%s, setup %d,\n%s", r->calm ? "calm" : "rough", r->workers, r->is_signed ? ", signed" : "", r->damaged ? ", damage" : "",
		    r->lonely ? ", lonely" : "", r->tcp ? ", tcp" : "", r->floods ? ", floods" : "", r->forgers ? ", forgers" : "",
		    r->reloads ? ", reloads" : "", r->flushes ? ", flushes" : "", r->limits ? ", limits" : "", r->outages ? ", outage" : "",
		    r->oom ? ", memory" : "", (int)r->setup, r->conf);
	if (verbose)
		world_tell_zones(r->world);
	clients_start(r);
	clients_schedule(r);
	hunger_begin(r);
	weather_start(r);
	if (!sim_run(r->sim, sim_now_ns(r->sim) + 4 * 3600 * SEC) || !sim_at_rest(r->sim) || sim_turns(r->sim) > 1000000)
		complain(r, NULL, "it never comes to rest");
	mem_fail_at(0, false);
	if (verbose)
		tell_counters(r);
	judge_all(r);
	run_stop(r);
	if (r->in_child) {
		fflush(NULL);
		_exit(r->wrong != 0);
	}
	if (verbose)
		fprintf(stderr, "seed %llu: %u questions, %u failures, %u without a reply, %llu upstream packets, dearest %llu, trace %016llx\n",
		    (unsigned long long)seed, r->count, r->failures, r->missing, (unsigned long long)r->packets, (unsigned long long)r->dearest,
		    (unsigned long long)r->trace);
}
