/*
 * metrics.c: "metrics": what is counted and measured, in Prometheus' text format 0.0.4, for its textfile collector and exporters. Counters count from the start of the process, whatever
 * "stats" resets. A counter's name is cairn_ and its own, with "_" for what Prometheus does not allow, and _total; those with a label are listed below.
 */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "resolver/cache/anscache.h"
#include "resolver/cache/denials.h"
#include "resolver/cache/keycache.h"
#include "resolver/control/route_shown.h"
#include "resolver/control/verbs.h"
#include "resolver/filter_keeper.h"
#include "resolver/serve/filter_board.h"
#include "resolver/dnstap/hub.h"

#define METRICS_MAX (4u << 20)

/* Counters whose names end in the value of a label. */
static const struct family {
	const char *begin BORROWED_FIELD, *metric BORROWED_FIELD, *label BORROWED_FIELD, *help BORROWED_FIELD;
} families[] = {
	{ "upstream.route.", "cairn_upstream_queries_total", "route", "questions to servers by the state of the route to them" },
	{ "num.query.type.", "cairn_queries_by_type_total", "type", "questions from clients by type" },
	{ "num.answer.rcode.", "cairn_answers_total", "rcode", "replies to clients by their code" },
};

static const struct family *family_of(const char *name) BORROWED;
static const struct family *family_of(const char *name)
{
	for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
		if (strncmp(name, families[i].begin, strlen(families[i].begin)) == 0)
			return &families[i];
	return NULL;
}

static void head(struct strbuf *out, const char *name, const char *help, const char *type)
{
	strbuf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void gauge(struct strbuf *out, const char *name, const char *help, uint64_t v)
{
	head(out, name, help, "gauge");
	strbuf_printf(out, "%s %" PRIu64 "\n", name, v);
}

static void put_counter(struct strbuf *out, const char *name, const char *doc, uint64_t v)
{
	bool most = strcmp(name, "requestlist.max") == 0; /* one that does not add up */
	AUTO(strbuf_free) struct strbuf *own = strbuf_new(256);

	if (own == NULL)
		return;
	strbuf_puts(own, "cairn_");
	for (const char *p = name; *p != '\0'; p++)
		strbuf_putc(own, isalnum((unsigned char)*p) ? (char)tolower((unsigned char)*p) : '_');
	strbuf_puts(own, most ? "" : "_total");
	head(out, strbuf_text(own), doc, most ? "gauge" : "counter");
	strbuf_printf(out, "%s %" PRIu64 "\n", strbuf_text(own), v);
}

static void counters(struct command *c, struct strbuf *out)
{
	for (unsigned int k = 0; k < COUNTERS; k++)
		if (family_of(counter_name((enum counter)k)) == NULL)
			put_counter(out, counter_name((enum counter)k), counter_doc((enum counter)k), daemon_count(c->daemon, (enum counter)k));
	for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
		const struct family *f = &families[i];

		head(out, f->metric, f->help, "counter");
		for (unsigned int k = 0; k < COUNTERS; k++) {
			const char *name = counter_name((enum counter)k);

			if (family_of(name) == f)
				strbuf_printf(out, "%s{%s=\"%s\"} %" PRIu64 "\n", f->metric, f->label, name + strlen(f->begin), daemon_count(c->daemon, (enum counter)k));
		}
	}
}

static void put_cache(struct strbuf *out, const char *metric, const char *which, uint64_t v)
{
	strbuf_printf(out, "%s{cache=\"%s\"} %" PRIu64 "\n", metric, which, v);
}

static void caches(struct command *c, struct strbuf *out)
{
	static const char *const names[] = { "rrset", "message", "key", "negative" };
	const struct shared *s = daemon_shared(c->daemon);
	struct cache_usage of[4] = { rrcache_usage(s->rrcache) };

	anscache_usage(s->anscache, &of[1]);
	keycache_usage(s->keycache, &of[2]);
	denials_usage(s->denials, &of[3]);
	head(out, "cairn_cache_bytes", "octets that a cache takes", "gauge");
	for (size_t i = 0; i < 4; i++)
		put_cache(out, "cairn_cache_bytes", names[i], of[i].octets);
	head(out, "cairn_cache_entries", "entries of a cache", "gauge");
	for (size_t i = 0; i < 4; i++)
		put_cache(out, "cairn_cache_entries", names[i], of[i].entries);
	head(out, "cairn_cache_evicted_total", "entries that made room for others", "counter");
	for (size_t i = 0; i < 4; i++)
		put_cache(out, "cairn_cache_evicted_total", names[i], of[i].evicted);
	gauge(out, "cairn_servers_known", "servers of which something is known", infra_count(s->infra));
}

/* --- routes */

static void rtr_line(struct strbuf *out, const char *metric, const struct route_rtr *r, uint64_t v)
{
	strbuf_printf(out, "%s{", metric);
	strbuf_metric_label(out, "server", r->name);
	strbuf_printf(out, "} %" PRIu64 "\n", v);
}

static void rtr_servers(const struct route_scene *s, struct strbuf *out)
{
	const struct route_sheet *x = s->sheet;

	head(out, "cairn_rtr_connected", "1: there is a session with this RTR server", "gauge");
	for (size_t i = 0; i < x->rtr_count; i++)
		rtr_line(out, "cairn_rtr_connected", &x->rtrs[i], x->rtrs[i].connected);
	head(out, "cairn_rtr_in_use", "1: its VRPs are the ones that count", "gauge");
	for (size_t i = 0; i < x->rtr_count; i++)
		rtr_line(out, "cairn_rtr_in_use", &x->rtrs[i], x->rtrs[i].in_use);
	head(out, "cairn_rtr_vrps", "VRPs that it has given and that have not expired", "gauge");
	for (size_t i = 0; i < x->rtr_count; i++)
		rtr_line(out, "cairn_rtr_vrps", &x->rtrs[i], x->rtrs[i].vrps);
	head(out, "cairn_rtr_serial", "serial number of these", "gauge");
	for (size_t i = 0; i < x->rtr_count; i++)
		if (x->rtrs[i].has_data)
			rtr_line(out, "cairn_rtr_serial", &x->rtrs[i], x->rtrs[i].serial);
	head(out, "cairn_rtr_age_seconds", "time since it said that they are up to date", "gauge");
	for (size_t i = 0; i < x->rtr_count; i++)
		if (x->rtrs[i].has_data)
			rtr_line(out, "cairn_rtr_age_seconds", &x->rtrs[i], route_age_sec(s, x->rtrs[i].updated_ms));
}

static void source_line(struct strbuf *out, const char *metric, const struct route_source *r, uint64_t v)
{
	strbuf_printf(out, "%s{", metric);
	strbuf_metric_label(out, "source", r->name);
	strbuf_printf(out, "} %" PRIu64 "\n", v);
}

static void sources(const struct route_scene *s, struct strbuf *out)
{
	const struct route_sheet *x = s->sheet;

	head(out, "cairn_route_source_routes", "routes that a source has told of", "gauge");
	for (size_t i = 0; i < x->source_count; i++)
		source_line(out, "cairn_route_source_routes", &x->sources[i], x->sources[i].routes);
	head(out, "cairn_route_source_age_seconds", "time since a file was read, or a router's session came up", "gauge");
	for (size_t i = 0; i < x->source_count; i++)
		source_line(out, "cairn_route_source_age_seconds", &x->sources[i], route_age_sec(s, x->sources[i].at_ms));
}

static void taps(struct command *c, struct strbuf *out)
{
	for (unsigned int k = 0; k < TAP_COUNTS; k++)
		put_counter(out, tap_count_name((enum tap_count)k), tap_count_doc((enum tap_count)k), tap_hub_count(daemon_taps(c->daemon), (enum tap_count)k));
}

static void routes(struct command *c, struct strbuf *out)
{
	const struct shared *shared = daemon_shared(c->daemon);
	AUTO(route_sheet_unref) struct route_sheet *x = route_board_get(shared->routes);
	struct route_counts *counts = route_board_counts(shared->routes);
	struct route_scene s = { .sheet = x, .now = loop_now(c->loop) };
	const struct announced *announced;

	gauge(out, "cairn_routes_unguarded", "1: require-not-invalid or require-valid acts as log, for want of VRPs that have not expired", core_shared_is_unguarded(shared->core));
	for (unsigned int k = 0; k < ROUTE_COUNTERS; k++)
		put_counter(out, route_counter_name((enum route_counter)k), route_counter_doc((enum route_counter)k), route_counts_get(counts, (enum route_counter)k));
	if (x == NULL)
		return;
	announced = route_view_announced(x->view);
	gauge(out, "cairn_vrps", "VRPs that count", x->vrps);
	if (x->cache != NULL)
		gauge(out, "cairn_vrps_age_seconds", "time since their server said that they are up to date", route_age_sec(&s, x->updated_ms));
	gauge(out, "cairn_announced_routes", "announced routes that are known", x->routes);
	gauge(out, "cairn_announced_prefixes", "their prefixes", x->prefixes);
	gauge(out, "cairn_routes_generation", "number of the state of VRPs and routes that verdicts are made from", route_view_generation(x->view));
	head(out, "cairn_routes_bytes", "octets that a table takes", "gauge");
	strbuf_printf(out, "cairn_routes_bytes{table=\"vrps\"} %zu\n", route_view_octets(x->view));
	strbuf_printf(out, "cairn_routes_bytes{table=\"announced\"} %zu\n", announced != NULL ? announced_octets(announced) : 0);
	gauge(out, "cairn_bmp_sessions", "BMP sessions that are up", x->bmp_sessions);
	gauge(out, "cairn_bmp_peers", "BGP peers that routers tell of, and that are up", x->bmp_peers);
	rtr_servers(&s, out);
	sources(&s, out);
}

/* --- the filter */

static void filters(struct command *c, struct strbuf *out)
{
	AUTO(filter_sheet_unref) struct filter_sheet *s = filter_board_get(daemon_shared(c->daemon)->filters);
	struct filter_keeper_counts k = filter_keeper_counts(daemon_filters(c->daemon));
	const struct filter_counts *n;

	put_counter(out, "filter.files_read", "files of rules that were read, each time they were", k.read);
	put_counter(out, "filter.files_failed", "files of rules that could not be read", k.failed);
	if (s == NULL)
		return;
	n = filter_count(s->filter);
	gauge(out, "cairn_filter_rules", "rules of the filter", n->rules);
	gauge(out, "cairn_filter_rules_left_out", "lines that are no rules, or for which there was no room", n->refused);
	gauge(out, "cairn_filter_rules_over_limit", "of these, because of a limit", n->over_limit);
	gauge(out, "cairn_filter_bytes", "octets that the filter takes", filter_octets(s->filter));
	gauge(out, "cairn_filter_age_seconds", "time since it was made", (now_ms(loop_now(c->loop)) - k.made_ms) / 1000);
}

/* --- the verb */

static void each_gauges(struct worker *w, struct strbuf *out, void *ctx)
{
	struct worker_gauges g = worker_gauges(w);

	(void)ctx;
	strbuf_add(out, &g, sizeof g);
}

static void workers(struct strbuf *const *outs, size_t n, struct strbuf *out)
{
	struct worker_gauges sum = { 0, 0, 0, 0 };

	for (size_t i = 0; i < n; i++) {
		struct worker_gauges g;

		if (strbuf_len(outs[i]) != sizeof g)
			continue;
		memcpy(&g, strbuf_span(outs[i]).p, sizeof g);
		sum.waiting += g.waiting;
		sum.sessions += g.sessions;
		sum.resolutions += g.resolutions;
	}
	gauge(out, "cairn_clients_waiting", "questions of clients that wait for an answer", sum.waiting);
	gauge(out, "cairn_resolutions", "resolutions under way", sum.resolutions);
	gauge(out, "cairn_tcp_sessions", "TCP connections of clients", sum.sessions);
	gauge(out, "cairn_workers", "threads that answer", n);
}

static void done_metrics(struct command *c, struct strbuf *const *outs, size_t n)
{
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(METRICS_MAX);

	if (out == NULL) {
		reply_error(c, "out of memory");
		return;
	}
	gauge(out, "cairn_uptime_seconds", "time since the process began to serve", (now_ms(loop_now(c->loop)) - daemon_started_ms(c->daemon)) / 1000);
	workers(outs, n, out);
	counters(c, out);
	caches(c, out);
	routes(c, out);
	filters(c, out);
	taps(c, out);
	if (strbuf_ok(out))
		reply_lines(c, strbuf_text(out));
	else
		reply_error(c, "out of memory");
}

static void verb_metrics(struct command *c)
{
	command_round(c, each_gauges, done_metrics);
}

const struct verb metrics_verbs[] = {
	{ "metrics", 0, 0, verb_metrics, "" },
	{ NULL, 0, 0, NULL, NULL },
};
