/* stats.c: statistics as name=value, with unbound-control's names where it has them. "stats" begins to count anew, unless statistics-cumulative: is given; "stats_noreset" does not. */
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
#include "resolver/stats_base.h"

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

/* Those that statistics-inhibit-zero: is for: kinds of questions and replies of which most are never seen. */
static bool is_inhibited(enum counter k)
{
	return (k >= COUNT_TYPE_A && k <= COUNT_OPCODE_OTHER) || k == COUNT_RCODE_OTHER || k == COUNT_RCODE_NODATA;
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
	const struct stats_base *b = daemon_stats_base(c->daemon);
	char prefix[32];

	for (unsigned int i = 0; i <= stats_base_workers(b); i++) {
		bool total = i == stats_base_workers(b);
		uint64_t v[4];

		for (unsigned int k = 0; k < 4; k++)
			v[k] = total ? stats_base_total(b, of[k]) : stats_base_count(b, i, of[k]);
		(void)snprintf(prefix, sizeof prefix, total ? "total." : "thread%u.", i);
		average(c, prefix, "requestlist.avg", v[0], v[1], 1);
		average(c, prefix, "recursion.time.avg", v[2], v[3], 1e6);
	}
}

static void plain_counters(struct command *c)
{
	const struct stats_base *b = daemon_stats_base(c->daemon);
	char prefix[32];

	for (unsigned int i = 0; i < stats_base_workers(b); i++) {
		(void)snprintf(prefix, sizeof prefix, "thread%u.", i);
		for (unsigned int k = 0; k < COUNTERS; k++) {
			if (!is_extended(counter_name((enum counter)k)))
				named(c, prefix, counter_name((enum counter)k), stats_base_count(b, i, (enum counter)k));
		}
	}
	for (unsigned int k = 0; k < COUNTERS; k++)
		if (!is_extended(counter_name((enum counter)k)))
			named(c, "total.", counter_name((enum counter)k), stats_base_total(b, (enum counter)k));
}

static bool option(const struct command *c, enum conf_opt o)
{
	return conf_bool(conf_server(daemon_plan(c->daemon)->conf), o);
}

/* The usual class and opcode are what is left of all questions: nobody counts them one by one. */
static void usual_ones(struct command *c)
{
	const struct stats_base *b = daemon_stats_base(c->daemon);
	uint64_t in = 0, query = stats_base_total(b, COUNT_QUERIES);

	for (unsigned int k = COUNT_TYPE_A; k <= COUNT_TYPE_OTHER; k++)
		in += stats_base_total(b, (enum counter)k);
	for (unsigned int k = COUNT_CLASS_CH; k <= COUNT_CLASS_OTHER; k++)
		in -= stats_base_total(b, (enum counter)k);
	for (unsigned int k = COUNT_OPCODE_IQUERY; k <= COUNT_OPCODE_OTHER; k++)
		query -= stats_base_total(b, (enum counter)k);
	reply_value(c, "num.query.class.IN", in);
	reply_value(c, "num.query.opcode.QUERY", query);
}

static void extended_counters(struct command *c)
{
	const struct stats_base *b = daemon_stats_base(c->daemon);
	bool inhibit_zero = option(c, OPT_STATISTICS_INHIBIT_ZERO);

	for (unsigned int k = 0; k < COUNTERS; k++) {
		const char *name = counter_name((enum counter)k);
		uint64_t n = stats_base_total(b, (enum counter)k);

		if (is_extended(name) && (n != 0 || !inhibit_zero || !is_inhibited((enum counter)k)))
			reply_value(c, name, n);
	}
	usual_ones(c);
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
	(void)snprintf(text, sizeof text, "%.6f", (double)(now - stats_base_since_ms(daemon_stats_base(c->daemon))) / 1000);
	reply_text_value(c, "time.elapsed", "=", text);
}

static void each_gauges(struct worker *w, struct strbuf *out, void *ctx)
{
	struct worker_gauges g = worker_gauges(w);

	(void)ctx;
	strbuf_add(out, &g, sizeof g);
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
	times(c);
	if (option(c, OPT_EXTENDED_STATISTICS)) {
		extended_counters(c);
		caches(c);
		routes(c);
		filters(c);
		taps(c);
	}
	if (c->flag)
		stats_base_told(daemon_stats_base(c->daemon));
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
	stats_base_zero(daemon_stats_base(c->daemon));
	reply_ok(c);
}

const struct verb stats_verbs[] = {
	{ "stats", 0, 0, verb_stats, "" },
	{ "stats_noreset", 0, 0, verb_stats_noreset, "" },
	{ "flush_stats", 0, 0, verb_flush_stats, "" },
	{ NULL, 0, 0, NULL, NULL },
};
