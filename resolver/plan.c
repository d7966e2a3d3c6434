#include "resolver/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "resolver/core/settings.h"
#include "resolver/filter_keeper.h"

#define MAX_BUNDLE_OCTETS (128u * 1024)
#define MAX_BACKOFF_MS 4000u     /* a dead server gets a probe at least so often: a packet is cheap, and after an outage of any length all is well within seconds */
#define MAX_UPSTREAM_RRS 4096u
#define MAX_UPSTREAM_OPTIONS 100u
#define TCP_PIPELINE 32u

void zones_unref(struct zones *z)
{
	if (z == NULL || atomic_fetch_sub_explicit(&z->refs, 1, memory_order_acq_rel) != 1)
		return;
	local_zones_free(MOVE(z->z));
	mem_free(z);
}

struct zones *zones_new(struct local_zones *z)
{
	AUTO(local_zones_free) struct local_zones *mine = z;
	AUTO(zones_unref) struct zones *out = mem_alloc(sizeof *out);

	if (out == NULL)
		return NULL;
	atomic_init(&out->refs, 1);
	out->z = MOVE(mine);
	return MOVE(out);
}

struct zones *zones_ref(const struct zones *z)
{
	/* the count is not part of what is immutable */
	struct zones *counted = (struct zones *)(uintptr_t)z;

	atomic_fetch_add_explicit(&counted->refs, 1, memory_order_relaxed);
	return counted;
}

void plan_unref(struct plan *p)
{
	if (p == NULL || atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) != 1)
		return;
	conf_free(MOVE(p->conf));
	core_settings_free(MOVE(p->core));
	serve_settings_free(MOVE(p->serve));
	tap_settings_free(MOVE(p->tap));
	zones_unref(MOVE(p->zones));
	validation_unref(MOVE(p->validation));
	mem_free(MOVE(p->from));
	mem_free(MOVE(p->ports));
	mem_free(MOVE(p->snapshot));
	mem_free(p);
}

struct plan *plan_ref(const struct plan *p)
{
	struct plan *counted = (struct plan *)(uintptr_t)p;

	atomic_fetch_add_explicit(&counted->refs, 1, memory_order_relaxed);
	return counted;
}

static uint32_t number(const struct conf_clause *c, enum conf_opt o)
{
	int64_t v = conf_int(c, o);

	return v < 0 ? 0 : v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

/* outgoing-interface: addresses; of a netblock its first one (host_event draws within it when it can). */
static RESULT read_from(const struct conf_clause *c, struct plan *p)
{
	size_t n = conf_count(c, OPT_OUTGOING_INTERFACE);

	if (n == 0)
		return DONE;
	p->from = mem_alloc_array(n, sizeof *p->from);
	if (p->from == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t i = 0; i < n; i++) {
		struct prefix block;

		TRY(conf_word_prefix(c, OPT_OUTGOING_INTERFACE, i, 0, &block));
		p->from[i] = block.a;
	}
	p->upstream.from = p->from;
	p->upstream.from_count = n;
	return DONE;
}

static void read_upstream(const struct conf_clause *c, struct plan *p)
{
	bool tcp_only = conf_bool(c, OPT_TCP_UPSTREAM);

	p->upstream.ipv4 = conf_bool(c, OPT_DO_IP4);
	p->upstream.ipv6 = conf_bool(c, OPT_DO_IP6);
	p->upstream.udp = !tcp_only && (conf_bool(c, OPT_DO_UDP) || conf_bool(c, OPT_UDP_UPSTREAM_WITHOUT_DOWNSTREAM));
	p->upstream.tcp = tcp_only || conf_bool(c, OPT_DO_TCP);
	p->upstream.use_0x20 = conf_bool(c, OPT_USE_CAPS_FOR_ID);
	p->upstream.cookies = true;
	p->upstream.edns_size = (uint16_t)number(c, OPT_EDNS_BUFFER_SIZE);
	p->upstream.max_asks = p->upstream.max_waiting = number(c, OPT_OUTGOING_RANGE);
	p->upstream.tcp_idle_ms = number(c, OPT_TCP_REUSE_TIMEOUT);
	p->upstream.tcp_max = number(c, OPT_OUTGOING_NUM_TCP);
	p->upstream.tcp_pipeline = TCP_PIPELINE;
	p->upstream.tcp_questions = number(c, OPT_MAX_REUSE_TCP_QUERIES);
	p->upstream.tcp_mss = (uint16_t)number(c, OPT_OUTGOING_TCP_MSS);
	p->upstream.udp_unconnected = !conf_bool(c, OPT_UDP_CONNECT);
	p->upstream.tcp_timeout_ms = number(c, OPT_TCP_AUTH_QUERY_TIMEOUT);
	p->upstream.min_timeout_ms = number(c, OPT_INFRA_CACHE_MIN_RTT);
	p->upstream.max_timeout_ms = number(c, OPT_INFRA_CACHE_MAX_RTT);
	p->upstream.unwanted_most = (uint64_t)conf_int(c, OPT_UNWANTED_REPLY_THRESHOLD);
	p->upstream.limits = (struct msg_limits){ .max_rrs = MAX_UPSTREAM_RRS, .max_options = MAX_UPSTREAM_OPTIONS, .drop_bad_rdata = true };
}

static void read_caches(const struct conf_clause *c, struct plan *p)
{
	p->answer_octets = (size_t)conf_int(c, OPT_MSG_CACHE_SIZE);
	p->key_octets = (size_t)conf_int(c, OPT_KEY_CACHE_SIZE);
	p->denial_octets = (size_t)conf_int(c, OPT_NEG_CACHE_SIZE);
	p->watched_addresses = (size_t)conf_int(conf_single(p->conf, CLAUSE_ROUTE_VALIDATION), OPT_ROUTE_VALIDATION_ANSWER_POLICY_ADDRESSES);
	p->rrcache = (struct rrcache_limits){ .octets = (size_t)conf_int(c, OPT_RRSET_CACHE_SIZE), .min_ttl = number(c, OPT_CACHE_MIN_TTL),
		.max_ttl = number(c, OPT_CACHE_MAX_TTL), .max_negative_ttl = number(c, OPT_CACHE_MAX_NEGATIVE_TTL),
		.min_negative_ttl = number(c, OPT_CACHE_MIN_NEGATIVE_TTL), .max_bundle_octets = MAX_BUNDLE_OCTETS };
	if (conf_bool(c, OPT_SERVE_EXPIRED))
		p->rrcache.keep_expired_sec = number(c, OPT_SERVE_EXPIRED_TTL) > 0 ? number(c, OPT_SERVE_EXPIRED_TTL) : INT32_MAX;
	p->infra = (struct infra_limits){ .host_ttl_sec = number(c, OPT_INFRA_HOST_TTL), .max_entries = number(c, OPT_INFRA_CACHE_NUMHOSTS),
		.min_rtt_ms = number(c, OPT_INFRA_CACHE_MIN_RTT), .max_rtt_ms = number(c, OPT_INFRA_CACHE_MAX_RTT), .unknown_ms = number(c, OPT_UNKNOWN_SERVER_TIME_LIMIT),
		.max_backoff_ms = MAX_BACKOFF_MS,
		.lame_ttl_sec = number(c, OPT_INFRA_HOST_TTL), .keep_probing = conf_bool(c, OPT_INFRA_KEEP_PROBING) };
}

static void permit(uint8_t *ports, const char *range, bool yes)
{
	char *end;
	unsigned long first = strtoul(range, &end, 10), last = *end == '-' ? strtoul(end + 1, NULL, 10) : first;

	for (unsigned long i = first; i <= last && i <= UINT16_MAX; i++) {
		if (yes)
			ports[i / 8] |= (uint8_t)(1u << i % 8);
		else
			ports[i / 8] &= (uint8_t)~(1u << i % 8);
	}
}

/* outgoing-port-permit: and outgoing-port-avoid:, in the order in which they stand. */
static RESULT read_ports(const struct conf_clause *c, struct plan *p)
{
	static const enum conf_opt lists[] = { OPT_OUTGOING_PORT_AVOID, OPT_OUTGOING_PORT_PERMIT };
	size_t n[] = { conf_count(c, lists[0]), conf_count(c, lists[1]) }, i[] = { 0, 0 };

	if (n[0] + n[1] == 0)
		return DONE;
	p->ports = mem_alloc(PLAN_PORTS);
	if (p->ports == NULL)
		return FAIL(ERR_NOMEM);
	permit(p->ports, "1024-65535", true);
	while (i[0] < n[0] || i[1] < n[1]) {
		size_t next = i[0] == n[0] || (i[1] < n[1] && conf_order(c, lists[1], i[1]) < conf_order(c, lists[0], i[0]));

		permit(p->ports, conf_item(c, lists[next], i[next]), next == 1);
		i[next]++;
	}
	return DONE;
}

static RESULT read_snapshot(const struct conf_clause *c, struct plan *p)
{
	const char *path = conf_text(c, OPT_CACHE_SNAPSHOT), *dir = conf_text(c, OPT_STATE_DIRECTORY);

	p->snapshot_sec = number(c, OPT_CACHE_SNAPSHOT_INTERVAL);
	if (path == NULL || *path == '\0')
		return DONE;
	p->snapshot = *path == '/' || dir == NULL || *dir == '\0' ? mem_strdup(path) : mem_printf("%s/%s", dir, path);
	return p->snapshot != NULL ? DONE : FAIL(ERR_NOMEM);
}

RESULT plan_make(struct conf *conf, const struct plan *before, struct rng *rng, struct strbuf *report, struct plan **ret_plan)
{
	AUTO(plan_unref) struct plan *p = mem_alloc(sizeof *p);
	AUTO(conf_free) struct conf *mine = conf;
	AUTO(local_zones_free) struct local_zones *z = NULL;
	const struct conf_clause *c;

	if (p == NULL)
		return FAIL(ERR_NOMEM);
	atomic_init(&p->refs, 1);
	p->conf = MOVE(mine);
	c = conf_server(p->conf);
	TRY(local_zones_make(c, report, &z)); /* first: what is wrong there is said, but is no reason to stop */
	p->threads = conf_bool(c, OPT_SO_REUSEPORT) ? number(c, OPT_NUM_THREADS) : 1;
	read_upstream(c, p);
	read_caches(c, p);
	TRY(read_from(c, p));
	TRY(read_ports(c, p));
	TRY(read_snapshot(c, p));
	TRY(core_settings_make(p->conf, report, &p->core));
	if (p->rrcache.keep_expired_sec == 0 && settings_requires_routes(p->core)) /* for when that leaves nobody to ask */
		p->rrcache.keep_expired_sec = number(c, OPT_SERVE_EXPIRED_TTL) > 0 ? number(c, OPT_SERVE_EXPIRED_TTL) : INT32_MAX;
	TRY(serve_settings_make(p->conf, rng, before != NULL ? &before->serve->secrets : NULL, report, &p->serve));
	TRY(tap_settings_make(p->conf, report, &p->tap));
	TRY(validation_make(p->conf, report, &p->validation));
	if (conf_bool(c, OPT_DISABLE_EDNS_DO) && p->validation != NULL)
		strbuf_printf(report, "%s: warning: disable-edns-do: not obeyed: answers are validated; use module-config: \"iterator\" to stop that\n",
		    conf_where(c, OPT_DISABLE_EDNS_DO, 0));
	TRY(filter_check(p->conf, report));
	p->zones = zones_new(MOVE(z));
	if (p->zones == NULL)
		return FAIL(ERR_NOMEM);
	*ret_plan = MOVE(p);
	return DONE;
}

#define FILES_BESIDE 256u      /* descriptors that are neither of clients nor of servers */
#define RESTING_MOST 256u
#define FILES_BESIDE_LEAST 24u /* when they are few */

uint32_t plan_resting(const struct plan *p)
{
	return p->upstream.max_asks / 16 < RESTING_MOST ? p->upstream.max_asks / 16 : RESTING_MOST;
}

static uint64_t files_of_worker(const struct plan *p)
{
	return (uint64_t)p->upstream.max_asks + plan_resting(p) + p->upstream.tcp_max + p->serve->tcp_sessions;
}

static uint64_t files_fixed(const struct plan *p)
{
	return 2u * p->serve->listen_count + 8; /* of a worker: its listeners, its loop */
}

uint64_t plan_files(const struct plan *p)
{
	return FILES_BESIDE + (files_of_worker(p) + files_fixed(p)) * p->threads;
}

static uint32_t part_of(uint32_t limit, uint64_t room, uint64_t all)
{
	uint64_t part = limit * room / all;

	return part > 0 || limit == 0 ? (uint32_t)part : 1;
}

void plan_fit_files(struct plan *p, uint64_t files)
{
	uint64_t beside = FILES_BESIDE_LEAST + files_fixed(p) * p->threads, all = files_of_worker(p);
	uint64_t room = files > beside ? (files - beside) / p->threads : 0;

	if (room >= all)
		return;
	p->upstream.max_asks = part_of(p->upstream.max_asks, room / 2, all); /* a question that is sent again has two */
	p->upstream.tcp_max = part_of(p->upstream.tcp_max, room, all);
	p->serve->tcp_sessions = part_of(p->serve->tcp_sessions, room, all);
}

bool plan_same_answers(const struct plan *a, const struct plan *b)
{
	return conf_equal(a->conf, b->conf);
}
