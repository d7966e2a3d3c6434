/* stats.c: statistics as name=value, with unbound-control's names where it has them. "stats" begins to count anew; "stats_noreset" does not. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "resolver/cache/anscache.h"
#include "resolver/cache/denials.h"
#include "resolver/cache/keycache.h"
#include "resolver/control/route_shown.h"
#include "resolver/control/verbs.h"
#include "resolver/filter_keeper.h"
#include "resolver/serve/filter_board.h"
#include "resolver/dnstap/hub.h"

/* What the counters were at the last reset: workers' counters themselves are written by workers only. */
struct stats_base {
	uint64_t reset_ms;
	unsigned int workers;
	uint64_t count[];
};

void stats_base_free(struct stats_base *b)
{
	mem_free(b);
}

struct stats_base *stats_base_new(struct daemon *d)
{
	AUTO(stats_base_free) struct stats_base *b = (struct stats_base *)mem_alloc(sizeof *b + sizeof b->count[0] * COUNTERS * daemon_workers(d));

	if (b == NULL)
		return NULL;
	b->workers = daemon_workers(d);
	b->reset_ms = daemon_started_ms(d);
	return MOVE(b);
}

static bool starts(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* Unbound gives these for the whole process only. */
static bool is_extended(const char *name)
{
	static const char *const begins[] = { "num.query.", "num.answer.", "unwanted.", "core.", "route.", "filter.", "upstream.", "tcp.", "dropped." };

	for (size_t i = 0; i < sizeof begins / sizeof begins[0]; i++)
		if (starts(name, begins[i]))
			return true;
	return false;
}

static uint64_t value_of(const struct command *c, unsigned int worker, enum counter k)
{
	uint64_t now = stats_get(daemon_stats(c->daemon, worker), k), base = c->stats->count[(size_t)worker * COUNTERS + k];

	return now < base ? 0 : now - base;
}

static void named(struct command *c, const char *prefix, const char *name, uint64_t value)
{
	char text[128];

	(void)snprintf(text, sizeof text, "%s%s", prefix, name);
	reply_value(c, text, value);
}

/* Unbound has averages where we count sums. */
static void average(struct command *c, const char *prefix, const char *name, uint64_t sum, uint64_t n, double unit)
{
	char text[128], value[64];

	(void)snprintf(text, sizeof text, "%s%s", prefix, name);
	(void)snprintf(value, sizeof value, "%.6f", n == 0 ? 0.0 : (double)sum / (double)n / unit);
	reply_text_value(c, text, "=", value);
}

static void averages(struct command *c)
{
	static const enum counter of[] = { COUNT_LIST_SUM, COUNT_CACHE_MISSES, COUNT_RECURSION_US, COUNT_RECURSIVE_REPLIES };
	uint64_t all[4] = { 0 }, v[4];
	char prefix[32];

	for (unsigned int i = 0; i <= c->stats->workers; i++) {
		bool total = i == c->stats->workers;

		for (unsigned int k = 0; k < 4; k++) {
			v[k] = total ? all[k] : value_of(c, i, of[k]);
			all[k] += total ? 0 : v[k];
		}
		(void)snprintf(prefix, sizeof prefix, total ? "total." : "thread%u.", i);
		average(c, prefix, "requestlist.avg", v[0], v[1], 1);
		average(c, prefix, "recursion.time.avg", v[2], v[3], 1e6);
	}
}

static void plain_counters(struct command *c)
{
	char prefix[32];

	for (unsigned int i = 0; i < c->stats->workers; i++) {
		(void)snprintf(prefix, sizeof prefix, "thread%u.", i);
		for (unsigned int k = 0; k < COUNTERS; k++) {
			if (!is_extended(counter_name((enum counter)k)))
				named(c, prefix, counter_name((enum counter)k), value_of(c, i, (enum counter)k));
		}
	}
	for (unsigned int k = 0; k < COUNTERS; k++) {
		uint64_t sum = 0;

		for (unsigned int i = 0; i < c->stats->workers; i++)
			sum += value_of(c, i, (enum counter)k);
		named(c, is_extended(counter_name((enum counter)k)) ? "" : "total.", counter_name((enum counter)k), sum);
	}
}

static void caches(struct command *c)
{
	const struct shared *s = daemon_shared(c->daemon);
	struct cache_usage rr = rrcache_usage(s->rrcache), ans, key, neg;

	anscache_usage(s->anscache, &ans);
	keycache_usage(s->keycache, &key);
	denials_usage(s->denials, &neg);
	reply_value(c, "mem.cache.rrset", rr.octets);
	reply_value(c, "mem.cache.message", ans.octets);
	reply_value(c, "mem.cache.key", key.octets);
	reply_value(c, "mem.cache.neg", neg.octets);
	reply_value(c, "rrset.cache.count", rr.entries);
	reply_value(c, "msg.cache.count", ans.entries);
	reply_value(c, "infra.cache.count", infra_count(s->infra));
	reply_value(c, "key.cache.count", key.entries);
	reply_value(c, "neg.cache.count", neg.entries);
	reply_value(c, "rrset.cache.evicted", rr.evicted);
	reply_value(c, "msg.cache.evicted", ans.evicted);
	reply_value(c, "key.cache.evicted", key.evicted);
	reply_value(c, "neg.cache.evicted", neg.evicted);
	reply_value(c, "neg.cache.hits", neg.hits);
	reply_value(c, "neg.cache.misses", neg.misses);
}

static void route_source_value(struct command *c, const char *what, const char *name, const char *value, uint64_t n)
{
	char text[512];

	(void)snprintf(text, sizeof text, "routes.%s.%s.%s", what, name, value);
	reply_value(c, text, n);
}

static void taps(struct command *c)
{
	for (unsigned int k = 0; k < TAP_COUNTS; k++)
		reply_value(c, tap_count_name((enum tap_count)k), tap_hub_count(daemon_taps(c->daemon), (enum tap_count)k));
}

static void routes(struct command *c)
{
	const struct shared *shared = daemon_shared(c->daemon);
	AUTO(route_sheet_unref) struct route_sheet *x = route_board_get(shared->routes);
	struct route_scene s = { .sheet = x, .now = loop_now(c->loop) };
	const struct announced *announced;

	for (unsigned int k = 0; k < ROUTE_COUNTERS; k++)
		reply_value(c, route_counter_name((enum route_counter)k), route_counts_get(route_board_counts(shared->routes), (enum route_counter)k));
	reply_value(c, "routes.unguarded", core_shared_is_unguarded(shared->core));
	if (x == NULL)
		return;
	announced = route_view_announced(x->view);
	reply_value(c, "routes.vrps", x->vrps);
	reply_value(c, "routes.announced", x->routes);
	reply_value(c, "routes.prefixes", x->prefixes);
	reply_value(c, "routes.bmp_sessions", x->bmp_sessions);
	reply_value(c, "routes.bmp_peers", x->bmp_peers);
	reply_value(c, "mem.routes.vrps", route_view_octets(x->view));
	reply_value(c, "mem.routes.announced", announced != NULL ? announced_octets(announced) : 0);
	for (size_t i = 0; i < x->rtr_count; i++) {
		const struct route_rtr *r = &x->rtrs[i];

		route_source_value(c, "rtr", r->name, "connected", r->connected);
		route_source_value(c, "rtr", r->name, "in_use", r->in_use);
		route_source_value(c, "rtr", r->name, "vrps", r->vrps);
		if (!r->has_data)
			continue;
		route_source_value(c, "rtr", r->name, "serial", r->serial);
		route_source_value(c, "rtr", r->name, "age", route_age_sec(&s, r->updated_ms));
	}
	for (size_t i = 0; i < x->source_count; i++) {
		route_source_value(c, "source", x->sources[i].name, "routes", x->sources[i].routes);
		route_source_value(c, "source", x->sources[i].name, "age", route_age_sec(&s, x->sources[i].at_ms));
	}
}

static void filters(struct command *c)
{
	AUTO(filter_sheet_unref) struct filter_sheet *s = filter_board_get(daemon_shared(c->daemon)->filters);
	struct filter_keeper_counts k = filter_keeper_counts(daemon_filters(c->daemon));
	const struct filter_counts *n;

	reply_value(c, "filter.files_read", k.read);
	reply_value(c, "filter.files_failed", k.failed);
	if (s == NULL)
		return;
	n = filter_count(s->filter);
	reply_value(c, "filter.rules", n->rules);
	reply_value(c, "filter.exceptions", n->exceptions);
	reply_value(c, "filter.conditions", n->conditions);
	reply_value(c, "filter.patterns", n->patterns);
	reply_value(c, "filter.left_out", n->refused);
	reply_value(c, "filter.over_limit", n->over_limit);
	reply_value(c, "mem.filter", filter_octets(s->filter));
}

static void times(struct command *c)
{
	uint64_t now = now_ms(loop_now(c->loop));
	char text[64];

	(void)snprintf(text, sizeof text, "%lld.%06u", (long long)loop_now(c->loop)->wall_sec, loop_now(c->loop)->wall_nsec / 1000);
	reply_text_value(c, "time.now", "=", text);
	(void)snprintf(text, sizeof text, "%.6f", (double)(now - daemon_started_ms(c->daemon)) / 1000);
	reply_text_value(c, "time.up", "=", text);
	(void)snprintf(text, sizeof text, "%.6f", (double)(now - c->stats->reset_ms) / 1000);
	reply_text_value(c, "time.elapsed", "=", text);
}

static void each_gauges(struct worker *w, struct strbuf *out, void *ctx)
{
	struct worker_gauges g = worker_gauges(w);

	(void)ctx;
	strbuf_add(out, &g, sizeof g);
}

static void reset(struct command *c)
{
	c->stats->reset_ms = now_ms(loop_now(c->loop));
	for (unsigned int i = 0; i < c->stats->workers; i++) {
		for (unsigned int k = 0; k < COUNTERS; k++)
			c->stats->count[(size_t)i * COUNTERS + k] = stats_get(daemon_stats(c->daemon, i), (enum counter)k);
	}
}

static void done_gauges(struct command *c, struct strbuf *const *outs, size_t n)
{
	struct worker_gauges sum = { 0, 0, 0, 0 };

	for (size_t i = 0; i < n; i++) {
		struct span s = strbuf_span(outs[i]);
		struct worker_gauges g;

		if (s.n != sizeof g)
			continue;
		memcpy(&g, s.p, sizeof g);
		sum.waiting += g.waiting;
		sum.refreshing += g.refreshing;
		sum.sessions += g.sessions;
		sum.resolutions += g.resolutions;
	}
	plain_counters(c);
	averages(c);
	reply_value(c, "total.requestlist.current.all", sum.resolutions);
	reply_value(c, "total.requestlist.current.user", sum.waiting);
	reply_value(c, "total.tcpusage", sum.sessions);
	caches(c);
	routes(c);
	filters(c);
	taps(c);
	times(c);
	if (c->flag)
		reset(c);
}

static void verb_stats(struct command *c)
{
	c->flag = true;
	command_round(c, each_gauges, done_gauges);
}

static void verb_stats_noreset(struct command *c)
{
	command_round(c, each_gauges, done_gauges);
}

static void verb_flush_stats(struct command *c)
{
	reset(c);
	reply_ok(c);
}

const struct verb stats_verbs[] = {
	{ "stats", 0, 0, verb_stats, "" },
	{ "stats_noreset", 0, 0, verb_stats_noreset, "" },
	{ "flush_stats", 0, 0, verb_flush_stats, "" },
	{ NULL, 0, 0, NULL, NULL },
};
