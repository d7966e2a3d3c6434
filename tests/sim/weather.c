/* weather.c: what kind of run a seed is, and what happens to the resolver and the network while clients ask. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/strbuf.h"
#include "tests/sim/run.h"

#define RECOVERY (5 * SEC) /* so long after an outage everything works again */

/* ---- configurations -------------------------------------------------------------------------------------------------------------------- */

static void option(struct run *r, uint32_t chance, const char *text)
{
	size_t n = strlen(r->conf);

	if (sim_chance(r->sim, chance))
		(void)snprintf(r->conf + n, sizeof r->conf - n, " %s\n", text);
}

static void draw_options(struct run *r)
{
	option(r, 300000, "minimal-responses: no");
	option(r, 150000, "qname-minimisation: no");
	option(r, 100000, "qname-minimisation-strict: yes");
	option(r, 200000, "use-caps-for-id: no");
	option(r, 100000, "do-ip6: no");
	option(r, 200000, "prefetch: yes");
	option(r, 100000, "target-fetch-policy: \"0 0 0 0 0\"");
	option(r, 100000, "discard-timeout: 1900");
	option(r, 50000, "tcp-upstream: yes");
	option(r, 100000, "iter-scrub-promiscuous: yes");
	option(r, 100000, "aggressive-nsec: no");
	option(r, 50000, "harden-below-nxdomain: no");
	if (sim_chance(r->sim, 100000)) {
		r->small = true;
		r->calm = false; /* what was learnt may be forgotten before it is used */
		option(r, 1000000, "msg-cache-size: 16k\n rrset-cache-size: 32k\n infra-cache-numhosts: 16");
	}
	if (sim_chance(r->sim, 200000)) {
		r->stale_ok = true;
		option(r, 1000000, "serve-expired: yes");
		option(r, 300000, "serve-expired-client-timeout: 0");
	}
	if (r->floods)
		option(r, 1000000, "incoming-num-tcp: 40");
}

void weather_draw(struct run *r)
{
	struct sim *s = r->sim;
	struct world_options o = { .tops = (unsigned int)sim_draw(s, 1, 4), .zones = (unsigned int)sim_draw(s, 2, 14), .liars = true };

	r->calm = sim_chance(s, 400000);
	r->workers = (unsigned int)sim_draw(s, 1, MAX_WORKERS);
	o.bad_servers = (uint32_t)sim_draw(s, 0, 500000);
	o.broken_zones = sim_chance(s, 300000) ? 150000 : 0;
	o.circles = sim_chance(s, 200000);
	o.deep = sim_chance(s, 150000);
	r->link = (struct sim_link){ .delay_min_us = (uint32_t)sim_draw(s, 10, 1000), .delay_max_us = (uint32_t)sim_draw(s, 1000, 60000) };
	r->lonely = sim_chance(s, 120000);
	if (!r->calm) {
		r->link.loss = (uint32_t)sim_draw(s, 0, 200000);
		r->link.duplicate = (uint32_t)sim_draw(s, 0, 100000);
		r->link.damage = sim_chance(s, 200000) ? (uint32_t)sim_draw(s, 0, 20000) : 0;
		r->link.delay_max_us = (uint32_t)sim_draw(s, 1000, 400000);
		r->limits = sim_chance(s, 200000);
	}
	r->damaged = r->link.damage > 0;
	r->outages = !r->lonely && !r->damaged && !r->limits && sim_chance(s, 250000);
	r->forgers = sim_chance(s, 500000);
	r->tcp = !r->lonely && sim_chance(s, 600000);
	r->floods = r->tcp && sim_chance(s, 150000);
	r->reloads = !r->lonely && sim_chance(s, 200000);
	r->flushes = !r->lonely && sim_chance(s, 200000);
	r->oom = sim_chance(s, 100000);
	r->closed_early = r->reloads || r->limits || r->floods;
	r->setup = sim_chance(s, 700000) ? SETUP_PLAIN : (enum world_setup)sim_draw(s, 1, SETUPS - 1);
	sim_set_link(s, &r->link);
	r->world = world_new(s, &o);
	if (r->seed % 3 == 1) { /* not drawn: the other seeds' runs stay what they were */
		r->is_signed = true;
		world_sign(r->world, r->seed, r->plant);
	}
	if (r->seed % 8 == 5) { /* nor this */
		r->hijacked = true;
		world_hijack(r->world);
		(void)snprintf(r->clauses, sizeof r->clauses, "route-validation:\n policy: require-not-invalid\n");
	}
	if (r->seed % 11 == 4) /* nor this */
		world_half_close(r->world);
	draw_options(r);
}

/* ---- off-path forgers: now and then a guess, and now and then one that knows the port and guesses the ID --------------------------------- */

static void forge(struct sim *s, void *ctx, uint64_t left)
{
	struct run *r = ctx;
	struct endpoint server, victim = { .a = run_resolver().a };
	struct name_buf name;
	struct question q;
	uint8_t out[512];
	uint16_t type, id = (uint16_t)sim_draw(s, 0, 65535), right_id;

	world_some_server(r->world, &server);
	world_question(r->world, &name, &type);
	q = (struct question){ name_of(&name), RR_A, CLASS_IN };
	victim.port = (uint16_t)sim_draw(s, 1024, 65535);
	if (sim_waiting_port(s, &server, &victim.port, &right_id) && right_id == id)
		id ^= 1; /* one in 65536 would be luck, not a fault */
	if (server.a.family == ADDR_V4)
		sim_send(s, &server, &victim, span_of(out, world_forge(out, sizeof out, id, &q)));
	if (left > 0)
		sim_at(s, sim_draw(s, 1, 200) * MS, forge, r, left - 1);
}

/* ---- outages ---------------------------------------------------------------------------------------------------------------------------- */

void weather_end_calm(struct run *r)
{
	for (unsigned int i = 0; i < r->count; i++)
		r->asked[i].calm = false;
}

static void still(struct sim *s, void *ctx, uint64_t arg)
{
	static const struct sim_link good = { .delay_min_us = 100, .delay_max_us = 20000 };
	struct run *r = ctx;

	(void)arg;
	sim_set_link(s, &good);
	for (unsigned int i = 0; i < r->workers; i++)
		sim_host_limit(r->w[i].host, 0);
}

/* The network is whole again: questions are answered, and soon. What was learnt while nothing worked is no excuse. */
static void ask_fresh(struct sim *s, void *ctx, uint64_t must)
{
	struct run *r = ctx;
	struct name_buf name;
	uint16_t type;
	struct asked *q;

	(void)s;
	if (r->setup != SETUP_PLAIN || r->in_child || !world_fresh_question(r->world, &name, &type))
		return;
	q = clients_ask(r, 3, name_of(&name), type);
	if (q != NULL)
		q->must = must != 0;
}

static void outage(struct sim *s, void *ctx, uint64_t kind)
{
	struct run *r = ctx;

	world_outage(r->world, kind != 0, kind == 2);
	weather_end_calm(r);
	if (kind != 0) {
		r->calm = false;
		return;
	}
	still(s, r, 0);
	sim_at(s, r->link.delay_max_us * UINT64_C(1000), ask_fresh, r, 0);
	for (uint64_t i = 0; i < 4; i++)
		sim_at(s, RECOVERY + sim_draw(s, 0, 3000) * MS, ask_fresh, r, 1);
}

static void plan_outage(struct run *r)
{
	struct sim *s = r->sim;
	uint64_t at = sim_draw(s, 1, 10) * SEC, length = sim_draw(s, 1, 600) * SEC;

	sim_at(s, at, outage, r, sim_draw(s, 1, 2));
	sim_at(s, at + length, outage, r, 0);
}

/* ---- reloads, flushes, limits ------------------------------------------------------------------------------------------------------------ */

struct order {
	struct message m; /* first */
	struct run *r BORROWED_FIELD;
	unsigned int worker;
};

static void order_free(struct message *m)
{
	mem_free(m);
}

static void set_plan(struct loop *l, struct message *m)
{
	struct order *o = (struct order *)(void *)m;
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(65536);
	struct worker *w = o->r->w[o->worker].worker;
	size_t failed = 0;

	(void)l;
	if (w == NULL)
		return;
	worker_set_plan(w, o->r->plan, o->r->plan->zones);
	worker_set_validation(w, o->r->plan->validation);
	if (report != NULL)
		(void)OK(worker_listen(w, report, &failed));
}

void weather_reload(struct run *r, const char *change)
{
	struct plan *next, *before = r->plan;

	/* Silent servers take all places, or what was learnt is forgotten before it is used. */
	if (strstr(change, "outgoing") != NULL || strstr(change, "cache-size") != NULL) {
		r->calm = false;
		weather_end_calm(r);
	}
	if (!OK(run_make_plan(r, change, &next)))
		abort();
	r->small = r->small || strstr(change, "cache-size") != NULL;
	r->plan = next;
	shared_set_plan(r->shared, next);
	if (!plan_same_answers(before, next))
		shared_raise_stamp(r->shared);
	for (unsigned int i = 0; i < r->workers; i++) {
		struct order *o = (struct order *)mem_alloc(sizeof *o);

		if (o == NULL)
			abort();
		*o = (struct order){ .m = { .run = set_plan, .free = order_free }, .r = r, .worker = i };
		loop_post(r->w[i].loop, &o->m);
	}
	plan_unref(MOVE(before));
}

static void reload(struct sim *s, void *ctx, uint64_t left)
{
	static const char *const changes[] = { "", " minimal-responses: no\n", " qname-minimisation: no\n", " msg-cache-size: 8k\n rrset-cache-size: 16k\n",
		" prefetch: yes\n", " outgoing-num-tcp: 4\n", " num-queries-per-thread: 8\n" };
	struct run *r = ctx;

	weather_reload(r, changes[sim_draw(s, 0, sizeof changes / sizeof changes[0] - 1)]);
	if (left > 0)
		sim_at(s, sim_draw(s, 0, 10000) * MS, reload, r, left - 1);
}

static void flush(struct sim *s, void *ctx, uint64_t left)
{
	struct run *r = ctx;

	epoch_online(r->member);
	if (sim_chance(s, 500000)) {
		(void)rrcache_flush_zone(r->shared->rrcache, r->member, world_some_zone(r->world));
	} else {
		(void)rrcache_flush_class(r->shared->rrcache, r->member, FLUSH_ALL);
		r->flushed_ns = sim_now_ns(s);
	}
	shared_raise_stamp(r->shared);
	epoch_quiesce(r->member);
	epoch_offline(r->member);
	if (left > 0)
		sim_at(s, sim_draw(s, 0, 10000) * MS, flush, r, left - 1);
}

static void limit(struct sim *s, void *ctx, uint64_t left)
{
	struct run *r = ctx;

	weather_end_calm(r);
	for (unsigned int i = 0; i < r->workers; i++)
		sim_host_limit(r->w[i].host, left % 2 == 0 ? 0 : sim_host_open(r->w[i].host) + (unsigned int)sim_draw(s, 0, 3));
	if (left > 0)
		sim_at(s, sim_draw(s, 1, 5000) * MS, limit, r, left - 1);
}

/* ---- memory ------------------------------------------------------------------------------------------------------------------------------ */

/* A burst ends: there is memory again. */
static void have_again(struct sim *s, void *ctx, uint64_t arg)
{
	(void)s, (void)ctx, (void)arg;
	mem_fail_at(0, false);
}

/* From here on a child lives in a world where the n-th allocation fails; what is wrong there is wrong here. */
static void run_out(struct sim *s, void *ctx, uint64_t left)
{
	struct run *r = ctx;
	bool burst = sim_chance(s, 200000);
	uint64_t n = sim_chance(s, 500000) ? sim_draw(s, 1, 40) : sim_draw(s, 1, 2000);
	int status = 0;
	pid_t child;

	if (left > 0)
		sim_at(s, sim_draw(s, 1, 8000) * MS, run_out, r, left - 1);
	if (r->in_child)
		return;
	fflush(NULL);
	child = fork();
	if (child < 0)
		abort();
	if (child > 0) {
		while (waitpid(child, &status, 0) < 0)
			continue;
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
			complain(r, NULL, "the run in which allocation %llu after %.3f s fails%s ended with %s %d", (unsigned long long)n,
			    (double)sim_now_ns(s) / 1e9, burst ? ", and all after it," : "", WIFEXITED(status) ? "status" : "signal",
			    WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
		return;
	}
	r->in_child = true;
	r->calm = false;
	r->closed_early = true;
	r->wrong = 0;
	weather_end_calm(r);
	mem_fail_at(n, burst);
	if (burst)
		sim_at(s, sim_draw(s, 1, 5000) * MS, have_again, r, 0);
}

void weather_start(struct run *r)
{
	struct sim *s = r->sim;

	if (r->forgers)
		sim_at(s, SEC, forge, r, 200);
	if (r->outages)
		plan_outage(r);
	if (r->reloads)
		sim_at(s, sim_draw(s, 0, 10000) * MS, reload, r, sim_draw(s, 0, 4));
	if (r->flushes)
		sim_at(s, sim_draw(s, 0, 10000) * MS, flush, r, sim_draw(s, 0, 4));
	if (r->limits)
		sim_at(s, sim_draw(s, 0, 5000) * MS, limit, r, 2 * sim_draw(s, 1, 3));
	if (r->oom)
		sim_at(s, sim_draw(s, 0, 3000) * MS, run_out, r, 2);
}
