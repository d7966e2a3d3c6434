/*
 * simulate.c: whole runs of the resolver in a virtual Internet, one for each seed, with what must hold in every one of them:
 *
 *   O2  every question gets exactly one reply (or none where a stated policy drops it)
 *   O3  when all is closed, nothing is left
 *   O4  upstream packets stay within what the budgets allow
 *   O5  no forged record reaches a client, whoever sent it
 *   O6  every reply is the model's right answer, or SERVFAIL where the network or the servers are to blame
 *   O7  the same seed gives the same run
 *
 *     simulate [-v] SEED            one run; -v tells what happens
 *     simulate FIRST LAST           many; a failing seed is named; the last line is "N passed, N failed"
 *
 * CAIRN_SIM_TWICE=N: each N-th seed is run twice and the traces compared (default 20).
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/epoch.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/strbuf.h"
#include "conf/conf.h"
#include "dns/build.h"
#include "resolver/worker.h"
#include "tests/sim/world.h"

#define SEC UINT64_C(1000000000)
#define MS UINT64_C(1000000)
#define MAX_WORKERS 3
#define CLIENTS 8
#define MAX_QUESTIONS 400
#define PACKETS_PER_QUESTION 60 /* the promise for one question, all retries counted */

struct asked {
	struct name_buf name;
	uint16_t type;
	uint16_t id;
	uint8_t client;
	bool tcp, edns, dropped;
	unsigned int replies;
	uint64_t at_ns;
};

struct run {
	uint64_t seed;
	struct sim *sim OWNED_FIELD;
	struct world *world OWNED_FIELD;
	struct epoch *epoch OWNED_FIELD;
	struct shared *shared OWNED_FIELD;
	struct plan *plan OWNED_FIELD;
	unsigned int workers;
	struct {
		struct rng *rng OWNED_FIELD;
		struct epoch_member *member OWNED_FIELD;
		struct loop *loop OWNED_FIELD;
		struct host *host OWNED_FIELD;
		struct worker *worker OWNED_FIELD;
	} w[MAX_WORKERS];
	struct sim_link link;
	bool calm;     /* no loss, no outage: failures need a broken zone */
	bool outages, forgers;
	struct asked asked[MAX_QUESTIONS];
	unsigned int count, wrong, failures;
	uint64_t trace, packets;
};

struct client {
	struct run *r PARENT_FIELD;
	struct addr at;
	uint8_t number;
	size_t have; /* octets of the stream that is being read */
	uint8_t octets[70000];
};

static void complain(struct run *r, const struct asked *q, const char *what)
{
	char name[NAME_TEXT], type[RRTYPE_TEXT];

	r->wrong++;
	fprintf(stderr, "seed %llu: %s %s: %s\n", (unsigned long long)r->seed, q == NULL ? "" : name_to_text(name_of(&q->name), name),
	    q == NULL ? "" : rrtype_text(q->type, type), what);
}

/* ---- judging a reply ------------------------------------------------------------------------------------------------------------------- */

static bool has_rr(const struct msg *m, const struct world_rr *w)
{
	for (size_t i = 0; i < m->answer.count; i++) {
		const struct rrset *rs = m->answer.sets[i];

		if (rs->type != w->type || !name_equal(rrset_name(rs), w->owner))
			continue;
		for (unsigned int k = 0; k < rs->count; k++) {
			struct span d = rrset_rdata(rs, k);

			if (d.n == w->rdata.n && (span_equal(d, w->rdata) || (w->type == RR_CNAME || w->type == RR_NS || w->type == RR_DNAME)))
				return rs->ttl <= w->ttl;
		}
	}
	return false;
}

static bool is_marked(const struct msg_section *s)
{
	for (size_t i = 0; i < s->count; i++) {
		for (unsigned int k = 0; k < s->sets[i]->count; k++) {
			if (world_is_marked(s->sets[i]->type, rrset_rdata(s->sets[i], k)))
				return true;
		}
	}
	return false;
}

static bool right(struct run *r, const struct msg *m, const struct asked *q, bool *ret_failure)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct world_answer want;
	size_t got = 0;

	world_right_answer(r->world, a, name_of(&q->name), q->type, &want);
	*ret_failure = m->rcode == RCODE_SERVFAIL;
	if (*ret_failure)
		return want.may_fail || !r->calm;
	if ((m->flags & MSG_TC) != 0)
		return !q->tcp;
	if (want.may_fail)
		return true; /* a part of the way is broken: whatever is said is not forged, which is judged elsewhere */
	if (m->rcode != want.rcode)
		return false;
	for (size_t i = 0; i < m->answer.count; i++)
		got += m->answer.sets[i]->count;
	for (size_t i = 0; i < want.count; i++) {
		if (!has_rr(m, &want.rrs[i]))
			return false;
	}
	return got == want.count;
}

static void judge(struct run *r, unsigned int client, bool tcp, struct span packet)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct asked *q = NULL;
	struct msg m;
	bool failure;

	if (packet.n < MSG_HEADER) {
		complain(r, NULL, "a reply shorter than a header");
		return;
	}
	for (unsigned int i = 0; i < r->count; i++) {
		if (r->asked[i].client == client && r->asked[i].tcp == tcp && r->asked[i].id == load16(packet.p))
			q = &r->asked[i];
	}
	if (q == NULL) {
		complain(r, NULL, "a reply to a question that was not asked");
		return;
	}
	if (++q->replies > 1) {
		complain(r, q, "a second reply");
		return;
	}
	if (!OK(msg_read(a, packet, NULL, &m))) {
		complain(r, q, "a reply that cannot be read");
		return;
	}
	if (!m.has_question || !name_equal_case(m.q.name, name_of(&q->name)) || m.q.type != q->type || (m.flags & (MSG_QR | MSG_RA)) != (MSG_QR | MSG_RA) ||
	    m.edns.present != q->edns)
		complain(r, q, "question, flags or EDNS of the reply are not those of the question");
	if (is_marked(&m.answer) || is_marked(&m.authority) || is_marked(&m.additional))
		complain(r, q, "FORGED data reached a client");
	if (!right(r, &m, q, &failure)) {
		AUTO(strbuf_free) struct strbuf *text = strbuf_new(100000);

		complain(r, q, "not the right answer:");
		msg_print(&m, text);
		fputs(strbuf_text(text), stderr);
	}
	r->failures += failure;
	if (sim_verbose(r->sim)) {
		char name[NAME_TEXT], type[RRTYPE_TEXT];

		fprintf(stderr, "%10.3f reply to %u: %s %s rcode %u, %zu octets, after %.1f ms\n", (double)sim_now_ns(r->sim) / 1e9, client, name_to_text(m.q.name, name),
		    rrtype_text(m.q.type, type), m.rcode, packet.n, (double)(sim_now_ns(r->sim) - q->at_ns) / 1e6);
	}
}

/* ---- clients --------------------------------------------------------------------------------------------------------------------------- */

static const struct endpoint *resolver_at(void) BORROWED;
static const struct endpoint *resolver_at(void)
{
	static const struct endpoint at = { .a = { ADDR_V4, { 10, 0, 0, 1 } }, .port = 53 };

	return &at;
}

static void client_datagram(struct sim *s, void *ctx, const struct endpoint *from, const struct endpoint *to, struct span packet)
{
	struct client *c = ctx;

	(void)s, (void)to;
	if (endpoint_equal(from, resolver_at()))
		judge(c->r, c->number, false, packet);
}

static void client_data(struct sim *s, void *ctx, struct sim_conn *conn, struct span octets)
{
	struct client *c = ctx;

	(void)s, (void)conn;
	assert(octets.n <= sizeof c->octets - c->have);
	memcpy(c->octets + c->have, octets.p, octets.n);
	c->have += octets.n;
	while (c->have >= 2 && c->have >= 2u + load16(c->octets)) {
		size_t len = load16(c->octets);

		judge(c->r, c->number, true, span_of(c->octets + 2, len));
		c->have -= len + 2;
		memmove(c->octets, c->octets + len + 2, c->have);
	}
}

static const struct sim_node_events client_events = { .datagram = client_datagram, .data = client_data };

static size_t compose(const struct asked *q, uint8_t *out, size_t cap)
{
	struct question question = { name_of(&q->name), q->type, CLASS_IN };
	struct edns_out e = { .udp_size = 1232, .dnssec_ok = q->id % 2 == 0 };
	struct builder b;

	build_start(&b, out, cap, cap, q->edns ? 11 : 0, q->id, MSG_RD);
	build_question(&b, &question);
	if (q->edns) {
		build_edns_start(&b, &e);
		build_edns_end(&b);
	}
	return build_finish(&b);
}

static void ask(struct sim *s, void *ctx, uint64_t arg)
{
	struct client *c = ctx;
	struct run *r = c->r;
	struct asked *q = &r->asked[r->count];
	struct endpoint from = { .a = c->at, .port = (uint16_t)(20000 + r->count) };
	uint8_t out[2 + 512];
	size_t n;

	(void)arg;
	if (r->count == MAX_QUESTIONS)
		return;
	*q = (struct asked){ .id = (uint16_t)(r->count + 1), .client = c->number, .tcp = c->number == 0, .edns = sim_chance(s, 800000), .at_ns = sim_now_ns(s) };
	world_question(r->world, &q->name, &q->type);
	r->count++;
	n = compose(q, out + 2, sizeof out - 2);
	if (!q->tcp) {
		sim_send(s, &from, resolver_at(), span_of(out + 2, n));
		return;
	}
	store16(out, (uint16_t)n);
	struct sim_conn *conn = sim_connect(s, &from, resolver_at(), c);

	sim_conn_write(s, conn, span_of(out, n + 2));
}

/* An off-path forger: now and then a guess, and now and then one that knows the port and guesses the ID. */
static void forge(struct sim *s, void *ctx, uint64_t arg)
{
	struct run *r = ctx;
	struct endpoint server, victim = { .a = resolver_at()->a };
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
	if (arg > 0)
		sim_at(s, sim_draw(s, 1, 200) * MS, forge, r, arg - 1);
}

static void outage(struct sim *s, void *ctx, uint64_t down)
{
	struct run *r = ctx;

	(void)s;
	world_outage(r->world, down != 0);
}

/* ---- a run ----------------------------------------------------------------------------------------------------------------------------- */

static bool start_workers(struct run *r)
{
	static const char conf[] =
	    "server:\n interface: 10.0.0.1@53\n access-control: 0.0.0.0/0 allow\n discard-timeout: 0\n ip-ratelimit: 0\n"
	    " unblock-lan-zones: yes\n username: \"\"\n chroot: \"\"\n directory: \"\"\n use-syslog: no\n verbosity: 0\n cache-snapshot: \"\"\n num-threads: %u\n%s";
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(1u << 20);
	AUTO_CHARS char *text = NULL;
	AUTO(rng_free) struct rng *rng = rng_new_seeded(r->seed ^ 0xc0ffee);
	struct conf *c = NULL;
	struct addr a4 = resolver_at()->a, a6;

	text = mem_printf(conf, r->workers, sim_chance(r->sim, 300000) ? " minimal-responses: no\n" : "");
	if (report == NULL || rng == NULL || text == NULL || !OK(addr_parse("2001:db8:ffff::1", &a6)) || !OK(conf_load_text(text, "simulator", report, &c)) ||
	    !OK(plan_make(c, NULL, rng, report, &r->plan))) {
		fprintf(stderr, "%s", report == NULL ? "out of memory" : strbuf_text(report));
		return false;
	}
	r->shared = shared_new(r->plan, rng);
	if (r->shared == NULL)
		return false;
	for (unsigned int i = 0; i < r->workers; i++) {
		struct worker_env env = { .shared = r->shared, .plan = r->plan, .zones = r->plan->zones, .number = i, .workers = r->workers };
		size_t failed;

		r->w[i].rng = rng_new_seeded(r->seed * 31 + i);
		r->w[i].member = epoch_join(r->shared->epoch);
		r->w[i].loop = sim_loop_new(r->sim, r->w[i].rng, r->w[i].member);
		r->w[i].host = sim_host_new(r->sim, r->w[i].loop, &a4, &a6);
		env.loop = r->w[i].loop;
		env.host = r->w[i].host;
		env.member = r->w[i].member;
		r->w[i].worker = worker_new(&env);
		if (r->w[i].worker == NULL || !OK(worker_listen(r->w[i].worker, report, &failed))) {
			fprintf(stderr, "%s", strbuf_text(report));
			return false;
		}
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
			complain(r, NULL, "sockets are left open");
		host_free(MOVE(r->w[i].host));
	}
	for (unsigned int i = 0; i < r->workers; i++) {
		loop_turn(r->w[i].loop, false);
		if (loop_live_handles(r->w[i].loop) != 0)
			complain(r, NULL, "handles are left");
		loop_free(MOVE(r->w[i].loop));
		epoch_leave(MOVE(r->w[i].member));
		rng_free(MOVE(r->w[i].rng));
	}
	shared_free(MOVE(r->shared));
	plan_unref(MOVE(r->plan));
}

static void draw_weather(struct run *r)
{
	struct sim *s = r->sim;
	struct world_options o = { .tops = (unsigned int)sim_draw(s, 1, 4), .zones = (unsigned int)sim_draw(s, 2, 14), .liars = true };

	r->calm = sim_chance(s, 400000);
	r->workers = (unsigned int)sim_draw(s, 1, MAX_WORKERS);
	o.bad_servers = (uint32_t)sim_draw(s, 0, 500000);
	o.broken_zones = sim_chance(s, 300000) ? 150000 : 0;
	r->link = (struct sim_link){ .delay_min_us = (uint32_t)sim_draw(s, 10, 1000), .delay_max_us = (uint32_t)sim_draw(s, 1000, 60000) };
	if (!r->calm) {
		r->link.loss = (uint32_t)sim_draw(s, 0, 200000);
		r->link.duplicate = (uint32_t)sim_draw(s, 0, 100000);
		r->link.damage = sim_chance(s, 300000) ? (uint32_t)sim_draw(s, 0, 20000) : 0;
		r->link.delay_max_us = (uint32_t)sim_draw(s, 1000, 400000);
		r->outages = sim_chance(s, 300000);
	}
	r->forgers = sim_chance(s, 500000);
	sim_set_link(s, &r->link);
	r->world = world_new(s, &o);
}

static void start_clients(struct run *r, struct client *clients)
{
	static const struct sim_link wire = { .delay_min_us = 10, .delay_max_us = 300 };

	for (unsigned int i = 0; i < CLIENTS; i++) {
		struct client *c = &clients[i];

		c->r = r;
		c->number = (uint8_t)i;
		c->at = (struct addr){ ADDR_V4, { 10, 1, 0, (uint8_t)(i + 1) } };
		if (!OK(sim_node(r->sim, &c->at, &client_events, c)))
			abort();
		sim_node_link(r->sim, &c->at, &wire);
	}
	for (uint64_t i = sim_draw(r->sim, 20, 120), at = 0; i > 0; i--) {
		at += sim_chance(r->sim, 300000) ? 0 : sim_draw(r->sim, 0, 400) * MS;
		if (sim_chance(r->sim, 20000))
			at += sim_draw(r->sim, 1, 2000) * SEC; /* long enough for things to expire */
		sim_at(r->sim, at, ask, &clients[sim_draw(r->sim, 0, CLIENTS - 1)], 0);
	}
	if (r->forgers)
		sim_at(r->sim, SEC, forge, r, 200);
	if (r->outages) {
		sim_at(r->sim, 3 * SEC, outage, r, 1);
		sim_at(r->sim, sim_draw(r->sim, 4, 200) * SEC, outage, r, 0);
	}
}

static void run(struct run *r, uint64_t seed, bool verbose)
{
	struct mem_usage before = mem_usage(), after;
	struct client *clients = (struct client *)mem_alloc_array(CLIENTS, sizeof *clients);

	*r = (struct run){ .seed = seed };
	r->sim = sim_new(seed);
	assert(r->sim != NULL && clients != NULL);
	sim_set_verbose(r->sim, verbose);
	draw_weather(r);
	assert(r->world != NULL);
	if (!start_workers(r))
		abort();
	start_clients(r, clients);
	if (!sim_run(r->sim, sim_now_ns(r->sim) + 7200 * SEC))
		complain(r, NULL, "it never comes to rest");
	for (unsigned int i = 0; i < r->count; i++) {
		if (r->asked[i].replies == 0) {
			fprintf(stderr, "client %u tcp %d id %u at %.3f ", r->asked[i].client, r->asked[i].tcp, r->asked[i].id, (double)r->asked[i].at_ns / 1e9);
			complain(r, &r->asked[i], "no reply");
		}
	}
	r->packets = world_packets(r->world);
	if (r->packets > (uint64_t)PACKETS_PER_QUESTION * (r->count + 1))
		complain(r, NULL, "more upstream packets than the budgets allow");
	if (verbose) {
		for (unsigned int w = 0; w < r->workers; w++)
			for (unsigned int c = 0; c < COUNTERS; c++)
				if (stats_get(&r->w[w].worker->stats, (enum counter)c))
					fprintf(stderr, "w%u %s %llu\n", w, counter_name((enum counter)c), (unsigned long long)stats_get(&r->w[w].worker->stats, (enum counter)c));
	}
	stop_workers(r);
	r->trace = sim_trace(r->sim);
	world_free(MOVE(r->world));
	sim_free(MOVE(r->sim));
	mem_free(clients);
	after = mem_usage();
	if (after.objects != before.objects)
		complain(r, NULL, "memory is left");
	if (verbose)
		fprintf(stderr, "seed %llu: %s, %u workers, %u questions, %u failures, %llu upstream packets, trace %016llx\n", (unsigned long long)seed,
		    r->calm ? "calm" : "rough", r->workers, r->count, r->failures, (unsigned long long)r->packets, (unsigned long long)r->trace);
}

int main(int argc, char **argv)
{
	static struct run r;
	bool verbose = argc > 1 && strcmp(argv[1], "-v") == 0;
	uint64_t first, last, every = 20, passed = 0, failed = 0, questions = 0, packets = 0, servfails = 0;
	const char *twice = getenv("CAIRN_SIM_TWICE");

	argc -= verbose;
	argv += verbose;
	if (argc < 2 || argc > 3) {
		fputs("simulate [-v] SEED | simulate FIRST LAST\n", stderr);
		return 2;
	}
	first = strtoull(argv[1], NULL, 10);
	last = argc == 3 ? strtoull(argv[2], NULL, 10) : first;
	if (twice != NULL)
		every = strtoull(twice, NULL, 10);
	log_set_level(verbose ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR);
	for (uint64_t seed = first; seed <= last; seed++) {
		uint64_t trace;

		run(&r, seed, verbose);
		trace = r.trace;
		questions += r.count;
		packets += r.packets;
		servfails += r.failures;
		if (every != 0 && seed % every == 0) {
			run(&r, seed, false);
			if (r.trace != trace)
				complain(&r, NULL, "the second run of this seed differs from the first");
		}
		if (r.wrong == 0)
			passed++;
		else
			failed++;
	}
	printf("%llu questions, %llu upstream packets, %llu failures told\n", (unsigned long long)questions, (unsigned long long)packets,
	    (unsigned long long)servfails);
	printf("%llu passed, %llu failed\n", (unsigned long long)passed, (unsigned long long)failed);
	return failed != 0;
}
