/*
 * Control sessions over a real socket, before a daemon of one thread and on a virtual clock: workers without a network, all its caches, its keeper of trust anchors. The first octet
 * switches things on, the second says how long the pieces are in which a client writes; the rest is what clients send, one after another, cut at lines "%%".
 *
 * Whatever is sent: every session ends, what says that it is JSON is, what the daemon lists of its local data it takes again, and nothing is left afterwards.
 */
#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/epoch.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/strbuf.h"
#include "resolver/anchors.h"
#include "resolver/cache/denials.h"
#include "resolver/cache/keycache.h"
#include "resolver/control/control.h"
#include "resolver/daemon.h"
#include "resolver/dnstap/hub.h"
#include "resolver/filter_keeper.h"
#include "resolver/routes/board.h"
#include "resolver/stats_base.h"
#include "tests/fuzz/failing.h"
#include "tests/fuzz/kit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the first octet switches on. */
enum {
	HALF_CLOSES = 1,  /* clients close their side when they have written */
	CROWD = 2,        /* more clients that say nothing than there are places */
	LEAVES = 4,       /* clients close at once, without reading */
	LATE = 8,         /* what must wait for its end waits until time is over */
	ANSWERS = 16,     /* questions are answered; else told that they cannot be asked */
	BAD_PLACES = 32,  /* other interfaces in the configuration, none of which can be, and a socket of an earlier run */
	ROUTES = 64,      /* something is known of routes, and of servers that they lead to */
	FULL = 128,       /* thousands of names in the cache, and clients that read slowly */
};
#define WORKERS 2u
#define ASKED 64u
#define REPLY_MAX ((size_t)32 << 20)

struct asked {
	const struct loop_type *type BORROWED_FIELD;
	uint64_t who;
	uint32_t tag;
	resolve_fn *fn;
	struct name_buf name;
	uint16_t qtype;
};

struct waiting_round {
	round_each_fn *each;
	round_done_fn *done;
	void *ctx BORROWED_FIELD;
};

/* The daemon as its header has it; the target is its only user and its only thread. */
struct daemon {
	struct kit_loop clock;
	struct rng *rng OWNED_FIELD;
	struct plan *plan OWNED_FIELD;
	struct zones *zones OWNED_FIELD;
	struct shared *shared OWNED_FIELD;
	struct epoch_member *member OWNED_FIELD;
	struct loop *loop OWNED_FIELD;
	struct host *host OWNED_FIELD;
	struct worker *worker[WORKERS] OWNED_FIELD;
	struct anchor_keeper *keeper OWNED_FIELD;
	struct tap_hub *taps OWNED_FIELD;
	struct filter_keeper *filters OWNED_FIELD;
	struct stats_base *stats OWNED_FIELD;
	struct control *control OWNED_FIELD;
	unsigned int verbosity;
	bool stopping, answers;
	struct waiting_round rounds[ASKED];
	size_t round_count;
	struct asked asked[ASKED];
	size_t ask_count;
	char dir[64], path[80];
};

/* --- a host whose network is unreachable */

static struct result no_ask(struct host *h, const struct exchange_options *o, struct span packet, const struct exchange_events *ev, exchange_h *ret)
{
	(void)h, (void)o, (void)packet, (void)ev, (void)ret;
	return FAIL(ERR_SYSTEM);
}
static void no_ask_close(struct host *h, exchange_h x)
{
	(void)h, (void)x;
}
static struct result no_connect(struct host *h, const struct exchange_options *o, const struct stream_events *ev, stream_h *ret)
{
	(void)h, (void)o, (void)ev, (void)ret;
	return FAIL(ERR_SYSTEM);
}
static void no_stream_close(struct host *h, stream_h s)
{
	(void)h, (void)s;
}
static void no_host_free(struct host *h)
{
	mem_free(h);
}
static const struct host_ops no_network = { .ask = no_ask, .ask_close = no_ask_close, .connect = no_connect, .stream_close = no_stream_close, .free = no_host_free };

/* --- daemon.h */

struct loop *daemon_loop(struct daemon *d) { return d->loop; }
struct epoch_member *daemon_member(struct daemon *d) { return d->member; }
struct shared *daemon_shared(struct daemon *d) { return d->shared; }
struct anchor_keeper *daemon_keeper(struct daemon *d) { return d->keeper; }
const struct filter_keeper *daemon_filters(const struct daemon *d) { return d->filters; }
const struct tap_hub *daemon_taps(const struct daemon *d) { return d->taps; }
const struct plan *daemon_plan(const struct daemon *d) { return d->plan; }
const struct zones *daemon_zones(const struct daemon *d) { return d->zones; }
uint64_t daemon_started_ms(const struct daemon *d) { (void)d; return 1000; }
unsigned int daemon_verbosity(const struct daemon *d) { return d->verbosity; }
void daemon_set_verbosity(struct daemon *d, unsigned int verbosity) { d->verbosity = verbosity; }
void daemon_flushed(struct daemon *d) { shared_raise_stamp(d->shared); }
void daemon_stop(struct daemon *d) { d->stopping = true; }
unsigned int daemon_workers(const struct daemon *d) { (void)d; return WORKERS; }
const struct stats *daemon_stats(const struct daemon *d, unsigned int worker) { return &d->worker[worker]->stats; }
struct stats_base *daemon_stats_base(struct daemon *d) { return d->stats; }

uint64_t daemon_count(const struct daemon *d, enum counter c)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < WORKERS; i++)
		sum += stats_get(daemon_stats(d, i), c);
	return sum;
}

static struct result plan_of(struct daemon *d, struct conf *c, struct strbuf *report)
{
	struct plan *next = NULL;

	TRY(plan_make(c, d->plan, d->rng, report, &next));
	for (unsigned int i = 0; i < WORKERS && d->worker[i] != NULL; i++)
		worker_set_plan(d->worker[i], next, next->zones);
	plan_unref(d->plan);
	zones_unref(d->zones);
	d->plan = next;
	d->zones = zones_ref(next->zones);
	if (d->shared != NULL)
		shared_set_plan(d->shared, next);
	if (d->keeper != NULL)
		anchor_keeper_set(d->keeper, next, false);
	if (d->filters != NULL)
		TRY(filter_keeper_set(d->filters, next));
	if (d->stats != NULL)
		TRY(stats_base_set(d->stats, (uint64_t)conf_int(conf_server(next->conf), OPT_STATISTICS_INTERVAL), conf_bool(conf_server(next->conf), OPT_STATISTICS_CUMULATIVE)));
	return DONE;
}

struct result daemon_set_conf(struct daemon *d, struct conf *c, struct strbuf *report)
{
	const struct conf_clause *s = conf_server(c);

	/* Files are written to the target's own directory only. */
	if (conf_count(s, OPT_AUTO_TRUST_ANCHOR_FILE) > 0 || strcmp(conf_text(s, OPT_STATE_DIRECTORY), d->dir) != 0) {
		conf_free(c);
		strbuf_puts(report, "not here");
		return FAIL(ERR_REFUSED);
	}
	return plan_of(d, c, report);
}

static const char base[] = "server:\n interface: 127.0.0.1@5300\n username: \"\"\n chroot: \"\"\n directory: \"\"\n num-threads: 2\n cache-snapshot: \"\"\n"
    " trust-anchor: \"example. DS 19036 8 2 49AAC11D7B6F6446702E54A1607371607A1A41855200FD2CE1CDDE32F24E8FB5\"\n"
    " domain-insecure: corp.example\n local-zone: block.example always_nxdomain\n local-data: \"host.lan.example A 192.0.2.1\"\n"
    " local-data: 'host.lan.example TXT \"a b\"'\n"
    "filter:\n rule: \"||blocked.example^\"\n rule: \"@@||ok.blocked.example^$important\"\n rule: \"||www.example^$route=invalid\"\n rule: \"*$asn=64511|64496\"\n"
    " rule: \"||www.example^$address=192.0.2.0/24\"\n"
    "stub-zone:\n name: stub.example\n stub-addr: 192.0.2.53\nforward-zone:\n name: fwd.example\n forward-addr: 192.0.2.54@5353\n forward-first: yes\n";

static struct result load(struct daemon *d, bool bad_places)
{
	AUTO(strbuf_free) struct strbuf *text = MINE(strbuf_new(65536)), *report = MINE(strbuf_new(65536));
	struct conf *c = NULL;

	mem_fail_hold(true);
	strbuf_puts(text, base);
	strbuf_printf(text, "server:\n state-directory: \"%s\"\nremote-control:\n control-enable: yes\n control-interface: \"%s\"\n", d->dir, d->path);
	if (bad_places)
		strbuf_printf(text, " control-port: 1\n control-interface: 192.0.2.1\n control-interface: 127.0.0.1@65533\n control-interface: ::1@65533\n"
		    " control-interface: 127.0.0.1@65533\n control-interface: localhost\n"
		    " control-interface: \"/%0200d\"\n control-interface: \"/proc/none/ctl\"\n control-interface: \"%s\"\n", 0, d->dir);
	mem_fail_hold(false);
	TRY(conf_load_text(strbuf_text(text), "fuzz", report, &c));
	return plan_of(d, c, report);
}

struct result daemon_reload(struct daemon *d, struct strbuf *report)
{
	if (d->verbosity == 5) {
		strbuf_puts(report, "fuzz:1: error: a file that cannot be read\nfuzz:2: another line");
		return FAIL(ERR_FORMAT);
	}
	return load(d, false);
}

struct result daemon_set_zones(struct daemon *d, struct local_zones *z)
{
	struct zones *next = zones_new(z);

	if (next == NULL)
		return FAIL(ERR_NOMEM);
	zones_unref(d->zones);
	d->zones = next;
	return DONE;
}

struct result daemon_round(struct daemon *d, size_t max, round_each_fn *each, round_done_fn *done, void *ctx)
{
	(void)max;
	if (d->round_count == ASKED)
		return FAIL(ERR_NOMEM);
	d->rounds[d->round_count++] = (struct waiting_round){ each, done, ctx };
	return DONE;
}

struct result daemon_ask(struct daemon *d, const struct resolve_request *r, const struct loop_type *t, uint64_t who, uint32_t tag, resolve_fn *fn)
{
	struct asked *a = &d->asked[d->ask_count];

	if (d->ask_count == ASKED)
		return FAIL(ERR_NOMEM);
	*a = (struct asked){ .type = t, .who = who, .tag = tag, .fn = fn, .qtype = r->q.type };
	name_copy(&a->name, r->q.name);
	d->ask_count++;
	return DONE;
}

/* --- between turns: rounds and questions */

static void run_rounds(struct daemon *d)
{
	size_t n = d->round_count;
	struct waiting_round rounds[ASKED];

	memcpy(rounds, d->rounds, sizeof rounds);
	d->round_count = 0;
	for (size_t i = 0; i < n; i++) {
		struct strbuf *outs[WORKERS];

		for (unsigned int w = 0; w < WORKERS; w++) {
			outs[w] = MINE(strbuf_new(1 << 20));
			CHECK(outs[w] != NULL);
			rounds[i].each(d->worker[w], outs[w], rounds[i].ctx);
		}
		rounds[i].done(d, outs, d->stopping ? 0 : WORKERS, rounds[i].ctx);
		for (unsigned int w = 0; w < WORKERS; w++)
			strbuf_free(outs[w]);
	}
}

static void answer_one(struct daemon *d, const struct asked *a, void *object)
{
	static const uint8_t octets[4] = { 192, 0, 2, 7 };
	struct span rdata = span_of(octets, 4);
	AUTO(arena_free) struct arena *arena = MINE(arena_new(0));
	struct answer_set set = { MINE(rrset_make_in(arena, name_of(&a->name), RR_A, CLASS_IN, 0, &rdata, 1, 0)), 0 };
	struct answer ans = { .q = { name_of(&a->name), a->qtype, CLASS_IN }, .sets = &set };

	if (a->qtype == RR_A) {
		ans.answer_count = 1;
	} else {
		ans.rcode = RCODE_SERVFAIL;
		ans.why = "nobody\033 knows";
		ans.ede[ans.ede_count++] = (struct ede){ EDE_BOGUS, "a reason" };
	}
	a->fn(d->loop, object, a->tag, &ans);
}

static void run_questions(struct daemon *d)
{
	size_t n = d->ask_count;
	struct asked asked[ASKED];

	memcpy(asked, d->asked, sizeof asked);
	d->ask_count = 0;
	for (size_t i = 0; i < n; i++) {
		void *object = loop_slot_get(d->loop, asked[i].type, asked[i].who);

		if (object != NULL && d->answers)
			answer_one(d, &asked[i], object);
		else if (object != NULL)
			asked[i].fn(d->loop, object, asked[i].tag, NULL);
	}
}

static void turn(struct daemon *d, bool late)
{
	loop_turn(d->loop, false);
	epoch_online(d->member);
	run_rounds(d);
	if (!late)
		run_questions(d);
	epoch_quiesce(d->member);
	epoch_offline(d->member);
	kit_advance(&d->clock, 1);
}

/* --- start and end */

static struct result published(void *user, const struct validation *v, const struct name *top)
{
	(void)user, (void)v, (void)top;
	return DONE;
}

static struct result keeper_asks(void *user, const struct resolve_request *r, const struct validation *by, const struct loop_type *t, uint64_t who, uint32_t tag, resolve_fn *fn)
{
	(void)user, (void)r, (void)by, (void)t, (void)who, (void)tag, (void)fn;
	return FAIL(ERR_NOMEM);
}

static struct sockaddr_un address_of(const struct daemon *d)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	memcpy(at.sun_path, d->path, strlen(d->path));
	return at;
}

static void filter_changed(void *ctx)
{
	(void)ctx;
}

static void start_worker(struct daemon *d, unsigned int i)
{
	struct worker_env e = { d->loop, d->host, d->member, d->shared, d->plan, d->zones, i, WORKERS, anchor_keeper_validation(d->keeper), tap_hub_seat(d->taps, i) };

	d->worker[i] = worker_new(&e);
	CHECK(d->worker[i] != NULL);
}

/* Something in each cache, for what lists and flushes. */
static void fill_caches(struct daemon *d, bool many)
{
	static const uint8_t octets[4] = { 192, 0, 2, 9 };
	struct span rdata = span_of(octets, 4);
	AUTO(arena_free) struct arena *a = arena_new(0);
	const struct now *now = loop_now(d->loop);
	struct endpoint server = { { ADDR_V4, { 192, 0, 2, 53 } }, 53, 0 };
	struct name_buf n, zone;
	const struct rrset *rs;
	struct bundle_key k;

	CHECK(OK(name_from_text("www.example.", NULL, &n)) && OK(name_from_text("example.", NULL, &zone)));
	rs = rrset_make_in(a, name_of(&n), RR_A, CLASS_IN, 300, &rdata, 1, 0);
	k = (struct bundle_key){ name_of(&n), RR_A, CLASS_IN, BUNDLE_DATA };
	epoch_online(d->member);
	CHECK(OK(rrcache_put(d->shared->rrcache, d->member, &k, &rs, 1, 300, now)));
	k = (struct bundle_key){ name_of(&zone), RR_TXT, CLASS_IN, BUNDLE_NODATA };
	CHECK(OK(rrcache_put(d->shared->rrcache, d->member, &k, NULL, 0, 300, now)));
	keycache_put(d->shared->keycache, d->member, trust_new(TRUST_INSECURE, name_of(&zone), 300, NULL, NULL, EDE_UNSUPPORTED_DS, "said so"), 86400, now);
	for (unsigned int i = 0; many && i < 8000; i++) {
		char text[64];

		(void)snprintf(text, sizeof text, "a-name-of-some-length-to-make-dumps-long-%u.example.", i);
		CHECK(OK(name_from_text(text, NULL, &n)));
		rs = rrset_make_in(a, name_of(&n), RR_A, CLASS_IN, 300, &rdata, 1, 0);
		k = (struct bundle_key){ name_of(&n), RR_A, CLASS_IN, BUNDLE_DATA };
		CHECK(OK(rrcache_put(d->shared->rrcache, d->member, &k, &rs, 1, 300, now)));
	}
	infra_note_rtt(d->shared->infra, &server, 20000, now);
	infra_note_lame(d->shared->infra, &server, name_of(&zone), LAME_REFUSED, now);
	epoch_offline(d->member);
	stats_add(&d->worker[0]->stats, COUNT_CACHE_MISSES, 3);
	stats_add(&d->worker[1]->stats, COUNT_LIST_SUM, 7);
}

/* 192.0.2.0/24 by its AS and by another; the zone's name server is in it. 198.51.100.0/24 by another alone. */
static void know_routes(struct daemon *d)
{
	static const struct {
		const char *prefix BORROWED_FIELD;
		uint32_t origin, vrp;
	} of[] = { { "192.0.2.0/24", 64500, 64500 }, { "192.0.2.0/24", 64501, 0 }, { "198.51.100.0/24", 64501, 64500 }, { "2001:db8::/32", 64502, 0 } };
	static const uint8_t name[] = "\2ns\7example", at[2][4] = { { 192, 0, 2, 53 }, { 198, 51, 100, 53 } };
	struct span ns = span_of(name, sizeof name), a4[2] = { span_of(at[0], 4), span_of(at[1], 4) };
	AUTO(announced_unref) struct announced *empty = announced_new(), *routes = NULL;
	AUTO(table_unref) struct payload_table *t = NULL;
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct announced_edit *e = announced_edit_new(empty);
	struct table_builder *b = table_builder_new(NULL);
	struct route_sheet *s = route_sheet_new();
	const struct now *now = loop_now(d->loop);
	struct name_buf zone, host;
	const struct rrset *rs;
	struct bundle_key k;

	for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
		struct announced_route r = { .origin = of[i].origin, .source = 1, .path = of[i].origin };
		struct prefix p;
		struct vrp v;

		CHECK(OK(prefix_parse(of[i].prefix, &p)) && OK(announced_set(e, &p, &r)));
		if (of[i].vrp != 0)
			CHECK(OK(vrp_make(&p, 0, of[i].vrp, &v)) && OK(table_builder_add_vrp(b, &v, SOURCE_NONE)));
	}
	CHECK(OK(announced_edit_publish(e, 1, &routes)) && OK(table_builder_finish(b, 1, &t)) && OK(route_view_new(t, routes, 1, &s->view)));
	s->has_sources = true;
	CHECK(OK(route_sheet_add_source(s, 1, "a file", 1, 4)));
	route_board_put(d->shared->routes, s);
	CHECK(OK(name_from_text("example.", NULL, &zone)) && OK(name_from_text("ns.example.", NULL, &host)));
	epoch_online(d->member);
	rs = rrset_make_in(a, name_of(&zone), RR_NS, CLASS_IN, 300, &ns, 1, 0);
	k = (struct bundle_key){ name_of(&zone), RR_NS, CLASS_IN, BUNDLE_DATA };
	CHECK(OK(rrcache_put(d->shared->rrcache, d->member, &k, &rs, 1, 300, now)));
	rs = rrset_make_in(a, name_of(&host), RR_A, CLASS_IN, 300, a4, 2, 0);
	k = (struct bundle_key){ name_of(&host), RR_A, CLASS_IN, BUNDLE_DATA };
	CHECK(OK(rrcache_put(d->shared->rrcache, d->member, &k, &rs, 1, 300, now)));
	epoch_offline(d->member);
}

static void leave_socket(const struct daemon *d)
{
	struct sockaddr_un at = address_of(d);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(fd >= 0 && bind(fd, (const struct sockaddr *)&at, sizeof at) == 0);
	(void)close(fd);
}

static void start(struct daemon *d, uint8_t how)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(65536);
	struct anchor_keeper_env e = { .user = d, .publish = published, .ask = keeper_asks };
	struct loop_backend b = kit_backend(&d->clock);

	log_set_level(LOG_LEVEL_ERROR);
	d->clock.now = (struct now){ UINT64_C(2000000000), 1800000000, 500000 };
	d->answers = (how & ANSWERS) != 0;
	d->rng = rng_new_seeded(1);
	(void)snprintf(d->dir, sizeof d->dir, "/tmp/cairn-fuzz-XXXXXX");
	CHECK(mkdtemp(d->dir) != NULL);
	(void)snprintf(d->path, sizeof d->path, "%s/ctl", d->dir);
	CHECK(OK(load(d, (how & BAD_PLACES) != 0)));
	if ((how & BAD_PLACES) != 0)
		leave_socket(d);
	d->shared = shared_new(d->plan, d->rng);
	d->member = epoch_join(d->shared->epoch);
	d->loop = loop_new(&b, d->rng, d->member);
	loop_turn(d->loop, false);
	d->host = mem_alloc(sizeof *d->host);
	*d->host = (struct host){ .ops = &no_network, .loop = d->loop };
	e.loop = d->loop;
	CHECK(OK(anchor_keeper_open(&e, d->plan, report, &d->keeper)));
	d->taps = tap_hub_open(WORKERS);
	d->filters = filter_keeper_open(d->loop, d->shared->filters, filter_changed, NULL);
	CHECK(d->taps != NULL && d->filters != NULL && OK(filter_keeper_set(d->filters, d->plan)));
	d->stats = stats_base_new(d->loop, WORKERS);
	CHECK(d->stats != NULL);
	for (unsigned int i = 0; i < WORKERS; i++) {
		start_worker(d, i);
		stats_base_add(d->stats, &d->worker[i]->stats);
	}
	fill_caches(d, (how & FULL) != 0);
	if ((how & ROUTES) != 0)
		know_routes(d);
	d->control = control_open(d);
	CHECK(d->control != NULL);
}

static void stop(struct daemon *d)
{
	char nta[128];

	control_close(d->control);
	d->stopping = true;
	turn(d, true);
	anchor_keeper_close(d->keeper);
	filter_keeper_close(MOVE(d->filters));
	stats_base_free(MOVE(d->stats));
	epoch_online(d->member);
	for (unsigned int i = 0; i < WORKERS; i++)
		worker_free(d->worker[i]);
	epoch_offline(d->member);
	host_free(d->host);
	loop_turn(d->loop, false);
	CHECK(loop_live_handles(d->loop) == 0);
	loop_free(d->loop);
	epoch_leave(d->member);
	tap_hub_close(MOVE(d->taps));
	shared_free(d->shared);
	zones_unref(d->zones);
	plan_unref(d->plan);
	rng_free(d->rng);
	(void)snprintf(nta, sizeof nta, "%s/negative-anchors", d->dir);
	(void)unlink(nta);
	CHECK(rmdir(d->dir) == 0);
}

/* --- clients */

static int dial(struct daemon *d)
{
	struct sockaddr_un at = address_of(d);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	CHECK(fd >= 0);
	if (connect(fd, (const struct sockaddr *)&at, sizeof at) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

/* What there is to read now. False: the other end has closed. */
static bool drain(int fd, struct strbuf *reply)
{
	static char buf[65536];
	ssize_t n;

	mem_fail_hold(true);
	while ((n = recv(fd, buf, sizeof buf, MSG_DONTWAIT)) > 0)
		strbuf_add(reply, buf, (size_t)n);
	mem_fail_hold(false);
	return n < 0 && errno == EAGAIN;
}

static bool starts(struct span s, const char *with)
{
	return s.n >= strlen(with) && memcmp(s.p, with, strlen(with)) == 0;
}

static void check_reply(struct span said, struct strbuf *reply)
{
	const char *text = strbuf_text(reply), *end;

	if (!strbuf_ok(reply) || strbuf_len(reply) == 0 || !starts(said, "UBCT1 --json ") || starts(strbuf_span(reply), "error expected a verb"))
		return;
	if (mem_failed() && starts(strbuf_span(reply), "error out of memory"))
		return;
	if (starts(strbuf_span(reply), "error expected a line")) /* what could not be cut into words is not known to want JSON */
		return;
	end = kit_json(text, 0);
	CHECK(end != NULL && strcmp(end, "\n") == 0);
}

static void one_client(struct daemon *d, struct span said, size_t piece, uint8_t how)
{
	AUTO(strbuf_free) struct strbuf *reply = MINE(strbuf_new(REPLY_MAX));
	int fd = dial(d);
	bool open = fd >= 0;

	CHECK(reply != NULL);
	for (size_t at = 0; open && at < said.n;) {
		ssize_t n = send(fd, said.p + at, said.n - at < piece ? said.n - at : piece, MSG_NOSIGNAL | MSG_DONTWAIT);

		at += n > 0 ? (size_t)n : 0;
		turn(d, (how & LATE) != 0);
		open = (n > 0 || errno == EAGAIN) && drain(fd, reply);
	}
	if (open && (how & HALF_CLOSES) != 0)
		(void)shutdown(fd, SHUT_WR);
	for (unsigned int i = 0; open && i < 400 && (how & LEAVES) == 0; i++) {
		turn(d, (how & LATE) != 0);
		if ((how & FULL) == 0 || i % 32 == 31)
			open = drain(fd, reply);
	}
	if (open && (how & LEAVES) == 0) {
		kit_advance(&d->clock, 20000); /* explain waits no longer for its questions */
		for (unsigned int i = 0; open && i < 20; i++, open = drain(fd, reply))
			turn(d, true);
		kit_advance(&d->clock, 600000); /* and a session for nobody */
		for (unsigned int i = 0; open && i < 20; i++, open = drain(fd, reply))
			turn(d, true);
		CHECK(!open);
	}
	if (fd >= 0)
		(void)close(fd);
	turn(d, false);
	if ((how & LEAVES) == 0)
		check_reply(said, reply);
}

static void crowd(struct daemon *d)
{
	int fds[70];

	for (size_t i = 0; i < 70; i++) {
		fds[i] = dial(d);
		turn(d, false);
	}
	for (size_t i = 0; i < 70; i++) {
		if (fds[i] >= 0)
			(void)close(fds[i]);
	}
	turn(d, false);
}

/* Everything that is listed is taken again, and lists as the same. */
static void check_local(struct daemon *d)
{
	AUTO(strbuf_free) struct strbuf *first = strbuf_new(REPLY_MAX), *second = strbuf_new(REPLY_MAX);
	struct local_zones *copy = NULL;
	const char *msg;

	CHECK(first != NULL && second != NULL && OK(local_zones_copy(d->zones->z, &copy)));
	local_print_data(d->zones->z, first);
	CHECK(strbuf_ok(first));
	for (const char *p = strbuf_text(first); *p != '\0';) {
		size_t n = strcspn(p, "\n");
		AUTO_CHARS char *line = mem_strndup(p, n);

		CHECK(OK(local_add_data(copy, line, &msg)));
		p += n + 1;
	}
	local_print_data(copy, second);
	CHECK(span_equal(strbuf_span(first), strbuf_span(second)));
	local_zones_free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mem_usage before = mem_usage();
	struct daemon *d;
	struct span in;

	if (size < 2 || size > 1 << 16)
		return 0;
	d = calloc(1, sizeof *d);
	CHECK(d != NULL);
	mem_fail_hold(true); /* but for what clients ask for */
	start(d, data[0]);
	mem_fail_hold(false);
	if ((data[0] & CROWD) != 0)
		crowd(d);
	in = span_of(data + 2, size - 2);
	for (unsigned int clients = 0; in.n > 0 && clients < 40; clients++) {
		const uint8_t *cut = memmem(in.p, in.n, "%%\n", 3);
		struct span said = span_of(in.p, cut == NULL ? in.n : (size_t)(cut - in.p));

		one_client(d, said, data[1] < ' ' ? data[1] + 1u : data[1] * 64u, data[0]);
		in = cut == NULL ? span_of(in.p, 0) : span_of(cut + 3, in.n - said.n - 3);
	}
	mem_fail_hold(true);
	check_local(d);
	stop(d);
	mem_fail_hold(false);
	free(d);
	CHECK(mem_usage().objects == before.objects);
	return 0;
}
