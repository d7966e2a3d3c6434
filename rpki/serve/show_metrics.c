/* Metrics in Prometheus' text format 0.0.4, under Routinator's names where they mean the same, so that its dashboards and alerts go on working; others are cairn_rpki_. */
#include "rpki/serve/http_inside.h"

#include <inttypes.h>

static void head(struct strbuf *out, const char *name, const char *help, const char *type)
{
	strbuf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void gauge(struct strbuf *out, const char *name, const char *help, int64_t v)
{
	head(out, name, help, "gauge");
	strbuf_printf(out, "%s %" PRId64 "\n", name, v);
}

static void counter(struct strbuf *out, const char *name, const char *help, uint64_t v)
{
	head(out, name, help, "counter");
	strbuf_printf(out, "%s %" PRIu64 "\n", name, v);
}

/* --------------------------------------------------------------------------------------- by trust anchor, by repository */

struct group {
	const char *prefix BORROWED_FIELD, *label BORROWED_FIELD, *of BORROWED_FIELD;
	const struct status *status BORROWED_FIELD;
	bool repositories;
};

struct member {
	const char *name BORROWED_FIELD;
	const struct status_objects *objects BORROWED_FIELD;
	const struct status_payloads *payloads BORROWED_FIELD;
};

typedef void member_fn(struct strbuf *out, const struct group *g, const char *metric, const struct member *m);

static void group_head(struct strbuf *out, const struct group *g, const char *metric, const char *help)
{
	strbuf_printf(out, "# HELP %s_%s %s %s\n# TYPE %s_%s gauge\n", g->prefix, metric, help, g->of, g->prefix, metric);
}

static void each(struct strbuf *out, const struct group *g, const char *metric, member_fn *fn)
{
	if (g->repositories) {
		for (const struct status_repository *r = g->status->repositories; r != NULL; r = r->next) {
			struct member m = { r->uri, &r->objects, r->payloads };

			fn(out, g, metric, &m);
		}
	} else {
		for (const struct status_anchor *a = g->status->anchors; a != NULL; a = a->next) {
			struct member m = { a->name, &a->objects, a->payloads };

			fn(out, g, metric, &m);
		}
	}
}

static void line(struct strbuf *out, const struct group *g, const char *metric, const char *name, const char *more, uint64_t v)
{
	strbuf_printf(out, "%s_%s{", g->prefix, metric);
	strbuf_metric_label(out, g->label, name);
	strbuf_printf(out, "%s} %" PRIu64 "\n", more, v);
}

static void points(struct strbuf *out, const struct group *g, const char *metric, const struct member *m)
{
	line(out, g, metric, m->name, ",state=\"valid\"", m->objects->points - m->objects->points_failed);
	line(out, g, metric, m->name, ",state=\"rejected\"", m->objects->points_failed);
}

static void objects(struct strbuf *out, const struct group *g, const char *metric, const struct member *m)
{
	const struct status_objects *o = m->objects;

	line(out, g, metric, m->name, ",type=\"manifest\",state=\"valid\"", o->valid[COUNTED_MANIFEST]);
	line(out, g, metric, m->name, ",type=\"manifest\",state=\"invalid\"", o->invalid[COUNTED_MANIFEST]);
	line(out, g, metric, m->name, ",type=\"manifest\",state=\"stale\"", o->stale_manifests);
	line(out, g, metric, m->name, ",type=\"manifest\",state=\"missing\"", o->missing_manifests);
	line(out, g, metric, m->name, ",type=\"crl\",state=\"valid\"", o->valid[COUNTED_CRL]);
	line(out, g, metric, m->name, ",type=\"crl\",state=\"invalid\"", o->invalid[COUNTED_CRL]);
	line(out, g, metric, m->name, ",type=\"crl\",state=\"stale\"", o->stale_crls);
	line(out, g, metric, m->name, ",type=\"ca_cert\",state=\"valid\"", o->valid[COUNTED_CERT]);
	line(out, g, metric, m->name, ",type=\"router_cert\",state=\"valid\"", o->valid[COUNTED_ROUTER]);
	line(out, g, metric, m->name, ",type=\"cert\",state=\"invalid\"", o->invalid[COUNTED_CERT] + o->invalid[COUNTED_ROUTER]);
	line(out, g, metric, m->name, ",type=\"roa\",state=\"valid\"", o->valid[COUNTED_ROA]);
	line(out, g, metric, m->name, ",type=\"roa\",state=\"invalid\"", o->invalid[COUNTED_ROA]);
	line(out, g, metric, m->name, ",type=\"gbr\",state=\"valid\"", o->valid[COUNTED_GHOSTBUSTERS]);
	line(out, g, metric, m->name, ",type=\"gbr\",state=\"invalid\"", o->invalid[COUNTED_GHOSTBUSTERS]);
	line(out, g, metric, m->name, ",type=\"aspa\",state=\"valid\"", o->valid[COUNTED_ASPA]);
	line(out, g, metric, m->name, ",type=\"aspa\",state=\"invalid\"", o->invalid[COUNTED_ASPA]);
	line(out, g, metric, m->name, ",type=\"tak\",state=\"valid\"", o->valid[COUNTED_TAK]);
	line(out, g, metric, m->name, ",type=\"tak\",state=\"invalid\"", o->invalid[COUNTED_TAK]);
	line(out, g, metric, m->name, ",type=\"other\",state=\"invalid\"", o->valid[COUNTED_OTHER] + o->invalid[COUNTED_OTHER]);
}

static void valid(struct strbuf *out, const struct group *g, const char *metric, const struct member *m)
{
	line(out, g, metric, m->name, "", vrps_of(m->payloads).valid);
}

static void unsafe(struct strbuf *out, const struct group *g, const char *metric, const struct member *m)
{
	line(out, g, metric, m->name, "", vrps_of(m->payloads).unsafe);
}

static void filtered(struct strbuf *out, const struct group *g, const char *metric, const struct member *m)
{
	line(out, g, metric, m->name, "", vrps_of(m->payloads).filtered);
}

static void duplicate(struct strbuf *out, const struct group *g, const char *metric, const struct member *m)
{
	line(out, g, metric, m->name, "", vrps_of(m->payloads).duplicate);
}

static void contributed(struct strbuf *out, const struct group *g, const char *metric, const struct member *m)
{
	line(out, g, metric, m->name, "", vrps_of(m->payloads).contributed);
}

static const char *const types[STATUS_PAYLOADS] = { ",type=\"route_origins_ipv4\"", ",type=\"route_origins_ipv6\"", ",type=\"router_keys\"", ",type=\"aspas\"" };

static void valid_payload(struct strbuf *out, const struct group *g, const char *metric, const struct member *m)
{
	for (unsigned int i = 0; i < STATUS_PAYLOADS; i++)
		line(out, g, metric, m->name, types[i], m->payloads[i].valid);
}

static void unsafe_payload(struct strbuf *out, const struct group *g, const char *metric, const struct member *m)
{
	for (unsigned int i = 0; i < STATUS_PAYLOADS; i++)
		line(out, g, metric, m->name, types[i], m->payloads[i].unsafe);
}

static void filtered_payload(struct strbuf *out, const struct group *g, const char *metric, const struct member *m)
{
	for (unsigned int i = 0; i < STATUS_PAYLOADS; i++)
		line(out, g, metric, m->name, types[i], m->payloads[i].filtered);
}

static void duplicate_payload(struct strbuf *out, const struct group *g, const char *metric, const struct member *m)
{
	for (unsigned int i = 0; i < STATUS_PAYLOADS; i++)
		line(out, g, metric, m->name, types[i], m->payloads[i].duplicate);
}

static void contributed_payload(struct strbuf *out, const struct group *g, const char *metric, const struct member *m)
{
	for (unsigned int i = 0; i < STATUS_PAYLOADS; i++)
		line(out, g, metric, m->name, types[i], m->payloads[i].contributed);
}

static void show_group(struct strbuf *out, const struct group *g)
{
	static const struct {
		const char *metric BORROWED_FIELD, *help BORROWED_FIELD;
		member_fn *fn;
	} metrics[] = {
		{ "publication_points_total", "number of publication points per", points },
		{ "objects_total", "number of objects per", objects },
		{ "valid_vrps_total", "number of VRPs, duplicates included, per", valid },
		{ "unsafe_vrps_total", "number of VRPs that overlap a refused CA per", unsafe },
		{ "locally_filtered_vrps_total", "number of VRPs that local exceptions take away per", filtered },
		{ "duplicate_vrps_total", "number of VRPs found before per", duplicate },
		{ "contributed_vrps_total", "number of VRPs in the final set per", contributed },
		{ "valid_payload_total", "number of payloads, duplicates included, per", valid_payload },
		{ "unsafe_payload_total", "number of payloads that overlap a refused CA per", unsafe_payload },
		{ "locally_filtered_payload_total", "number of payloads that local exceptions take away per", filtered_payload },
		{ "duplicate_payload_total", "number of payloads found before per", duplicate_payload },
		{ "contributed_payload_total", "number of payloads in the final set per", contributed_payload },
	};

	for (size_t i = 0; i < sizeof metrics / sizeof metrics[0]; i++) {
		group_head(out, g, metrics[i].metric, metrics[i].help);
		each(out, g, metrics[i].metric, metrics[i].fn);
	}
}

/* ---------------------------------------------------------------------------------------------------------------- transports */

typedef void repository_fn(const struct status_repository *r, struct strbuf *out);

static void rrdp_status(const struct status_repository *r, struct strbuf *out)
{
	strbuf_printf(out, "%d", http_both_status_of(r));
}

static void rrdp_notification(const struct status_repository *r, struct strbuf *out)
{
	strbuf_printf(out, "%d", http_status_of(r));
}

static void rrdp_payload(const struct status_repository *r, struct strbuf *out)
{
	strbuf_printf(out, "%d", http_payload_status_of(r));
}

static void duration(const struct status_repository *r, struct strbuf *out)
{
	strbuf_printf(out, "%" PRIu64 ".%03" PRIu64, r->duration_ms / 1000, r->duration_ms % 1000);
}

static void serial(const struct status_repository *r, struct strbuf *out)
{
	strbuf_printf(out, "%" PRIu64, r->serial);
}

static void exit_status(const struct status_repository *r, struct strbuf *out)
{
	strbuf_printf(out, "%d", exit_status_of(r));
}

static void last_success(const struct status_repository *r, struct strbuf *out)
{
	strbuf_printf(out, "%" PRId64, r->succeeded);
}

static void octets(const struct status_repository *r, struct strbuf *out)
{
	strbuf_printf(out, "%" PRIu64, r->octets);
}

static void failures(const struct status_repository *r, struct strbuf *out)
{
	strbuf_printf(out, "%u", r->failures);
}

/* way STATUS_WAYS: all */
static void by_repository(struct strbuf *out, const struct status *s, enum status_way way, const char *name, const char *help, repository_fn *fn)
{
	head(out, name, help, "gauge");
	for (const struct status_repository *r = s->repositories; r != NULL; r = r->next) {
		if (way != STATUS_WAYS && r->way != way)
			continue;
		strbuf_printf(out, "%s{", name);
		strbuf_metric_label(out, "uri", r->uri);
		strbuf_puts(out, "} ");
		fn(r, out);
		strbuf_putc(out, '\n');
	}
}

static void outcomes(struct strbuf *out, const struct status *s)
{
	head(out, "cairn_rpki_repository_outcome", "how the last attempt to fetch a repository ended", "gauge");
	for (const struct status_repository *r = s->repositories; r != NULL; r = r->next) {
		strbuf_puts(out, "cairn_rpki_repository_outcome{");
		strbuf_metric_label(out, "uri", r->uri);
		strbuf_printf(out, ",way=\"%s\",outcome=\"%s\"} 1\n", status_way_text(r->way), status_outcome_text(r->outcome));
	}
}

static void transports(struct strbuf *out, const struct status *s)
{
	by_repository(out, s, STATUS_RRDP, "routinator_rrdp_status", "combined HTTP status of an RRDP update", rrdp_status);
	by_repository(out, s, STATUS_RRDP, "routinator_rrdp_notification_status", "HTTP status of the RRDP notification file", rrdp_notification);
	by_repository(out, s, STATUS_RRDP, "routinator_rrdp_payload_status", "HTTP status of the last RRDP delta or snapshot", rrdp_payload);
	by_repository(out, s, STATUS_RRDP, "routinator_rrdp_duration", "duration of an RRDP update in seconds", duration);
	by_repository(out, s, STATUS_RRDP, "routinator_rrdp_serial_info", "serial number of the last RRDP update", serial);
	by_repository(out, s, STATUS_RSYNC, "routinator_rsync_status", "exit status of rsync", exit_status);
	by_repository(out, s, STATUS_RSYNC, "routinator_rsync_duration", "duration of rsync in seconds", duration);
	by_repository(out, s, STATUS_WAYS, "cairn_rpki_repository_last_success_seconds", "when a repository was last fetched well, since 1970", last_success);
	by_repository(out, s, STATUS_WAYS, "cairn_rpki_repository_received_bytes", "octets received in the last update of a repository", octets);
	by_repository(out, s, STATUS_WAYS, "cairn_rpki_repository_failures", "runs in a row in which a repository could not be fetched", failures);
	outcomes(out, s);
}

/* --------------------------------------------------------------------------------------------------------------------- whole */

static void run(struct strbuf *out, const struct shown *d, const struct live *l)
{
	const struct status *s = d->status;

	gauge(out, "routinator_last_update_start", "seconds since the start of the last update", s->run_start != 0 ? l->now - s->run_start : -1);
	gauge(out, "routinator_last_update_done", "seconds since the end of the last update", s->run_done != 0 ? l->now - s->run_done : -1);
	head(out, "routinator_last_update_duration", "duration of the last update in seconds", "gauge");
	strbuf_printf(out, "routinator_last_update_duration %" PRIu64 ".%03" PRIu64 "\n", s->run_ms / 1000, s->run_ms % 1000);
	gauge(out, "routinator_serial", "current RTR serial number", (int64_t)d->serial);
	gauge(out, "routinator_vrps_final", "final number of VRPs", (int64_t)vrps_of(s->total).contributed);
	gauge(out, "routinator_vrps_added_locally", "VRPs added by local exceptions", (int64_t)vrps_of(s->exceptions).contributed);
	gauge(out, "cairn_rpki_data_age_seconds", "seconds since the data that are served were valid", l->now - d->info.generated_sec);
	gauge(out, "cairn_rpki_next_update_seconds", "seconds until the next update", s->run_next != 0 ? s->run_next - l->now : -1);
	counter(out, "cairn_rpki_updates_total", "updates since the start", s->runs);
	gauge(out, "cairn_rpki_limits_reached", "how often a limit has bitten in the last update", (int64_t)s->limits);
	gauge(out, "cairn_rpki_points_validated", "publication points validated anew in the last update", (int64_t)s->validated);
	gauge(out, "cairn_rpki_points_remembered", "publication points whose remembered result still held", (int64_t)s->remembered);
	gauge(out, "cairn_rpki_stored_objects", "objects in the store", (int64_t)s->objects_stored);
	gauge(out, "cairn_rpki_stored_bytes", "octets in the store", (int64_t)s->octets_stored);
	gauge(out, "routinator_aspa_large_provider_set", "ASPA customers withheld for having too many providers", (int64_t)s->customers_withheld);
}

static void alarms(struct strbuf *out, const struct status *s)
{
	static const char *const words[STATUS_GRAVITIES] = { "note", "warning", "alarm" };

	head(out, "cairn_rpki_alarms", "conditions that somebody should look at", "gauge");
	for (unsigned int g = 0; g < STATUS_GRAVITIES; g++) {
		unsigned int n = 0;

		for (const struct status_alarm *a = s->alarms; a != NULL; a = a->next)
			n += a->gravity == (enum status_gravity)g ? 1 : 0;
		strbuf_printf(out, "cairn_rpki_alarms{gravity=\"%s\"} %u\n", words[g], n);
	}
}

static void anchors(struct strbuf *out, const struct status *s)
{
	uint64_t stale = 0;

	head(out, "cairn_rpki_ta_usable", "1: the trust anchor and its publication point are valid", "gauge");
	for (const struct status_anchor *a = s->anchors; a != NULL; a = a->next) {
		strbuf_puts(out, "cairn_rpki_ta_usable{");
		strbuf_metric_label(out, "name", a->name);
		strbuf_printf(out, "} %d\n", a->usable ? 1 : 0);
	}
	head(out, "cairn_rpki_ta_held_back", "payloads that are served on because they vanished for want of data", "gauge");
	for (const struct status_anchor *a = s->anchors; a != NULL; a = a->next) {
		strbuf_puts(out, "cairn_rpki_ta_held_back{");
		strbuf_metric_label(out, "name", a->name);
		strbuf_printf(out, "} %" PRIu64 "\n", a->held_back);
		stale += a->objects.stale_manifests + a->objects.stale_crls;
	}
	gauge(out, "routinator_stale_objects", "number of stale manifests and CRLs", (int64_t)stale);
}

typedef int64_t client_fn(const struct rtr_client_sum *c, int64_t now);

static int64_t connections(const struct rtr_client_sum *c, int64_t now) { return (void)now, (int64_t)c->connections; }
static int64_t told(const struct rtr_client_sum *c, int64_t now) { return (void)now, c->sum.told ? (int64_t)c->sum.serial : -1; }
static int64_t updated(const struct rtr_client_sum *c, int64_t now) { return c->sum.updated != 0 ? now - c->sum.updated : -1; }
static int64_t was_reset(const struct rtr_client_sum *c, int64_t now) { return c->sum.reset != 0 ? now - c->sum.reset : -1; }
static int64_t reset_queries(const struct rtr_client_sum *c, int64_t now) { return (void)now, (int64_t)c->sum.reset_queries; }
static int64_t serial_queries(const struct rtr_client_sum *c, int64_t now) { return (void)now, (int64_t)c->sum.serial_queries; }
static int64_t read_octets(const struct rtr_client_sum *c, int64_t now) { return (void)now, (int64_t)c->sum.octets_read; }
static int64_t sent_octets(const struct rtr_client_sum *c, int64_t now) { return (void)now, (int64_t)c->sum.octets_sent; }

/* Counters of what is connected now go down when it goes: gauges. */
static void clients(struct strbuf *out, const struct live *l)
{
	static const struct {
		const char *metric BORROWED_FIELD, *help BORROWED_FIELD;
		client_fn *fn;
	} metrics[] = {
		{ "routinator_rtr_client_connections", "open RTR connections of an address", connections },
		{ "routinator_rtr_client_serial", "last serial that an address was told", told },
		{ "routinator_rtr_client_last_update_seconds", "seconds since an address got data", updated },
		{ "routinator_rtr_client_last_reset_seconds", "seconds since an address got all data", was_reset },
		{ "routinator_rtr_client_reset_queries", "Reset Queries of an address", reset_queries },
		{ "routinator_rtr_client_serial_queries", "Serial Queries of an address", serial_queries },
		{ "routinator_rtr_client_read_bytes", "octets read from an address", read_octets },
		{ "routinator_rtr_client_written_bytes", "octets written to an address", sent_octets },
	};

	for (size_t m = 0; m < sizeof metrics / sizeof metrics[0]; m++) {
		head(out, metrics[m].metric, metrics[m].help, "gauge");
		for (size_t i = 0; i < l->nclients; i++) {
			strbuf_printf(out, "%s{", metrics[m].metric);
			strbuf_metric_label(out, "addr", l->clients[i].name);
			strbuf_printf(out, "} %" PRId64 "\n", metrics[m].fn(&l->clients[i], l->now));
		}
	}
}

static void servers(struct strbuf *out, const struct live *l)
{
	const struct rtr_server_counts *r = l->rtr;
	const struct http_server_counts *h = l->http;

	if (r != NULL) {
		gauge(out, "routinator_rtr_current_connections", "open RTR connections", r->clients);
		counter(out, "routinator_rtr_bytes_read", "octets read from RTR connections", r->octets_read);
		counter(out, "routinator_rtr_bytes_written", "octets written to RTR connections", r->octets_sent);
		counter(out, "cairn_rpki_rtr_connections_total", "RTR connections accepted", r->accepted);
		counter(out, "cairn_rpki_rtr_refused_total", "RTR connections refused for want of places", r->refused);
		counter(out, "cairn_rpki_rtr_reset_queries_total", "Reset Queries", r->sessions.reset_queries);
		counter(out, "cairn_rpki_rtr_serial_queries_total", "Serial Queries", r->sessions.serial_queries);
		counter(out, "cairn_rpki_rtr_cache_resets_total", "Serial Queries answered by Cache Reset", r->sessions.cache_resets);
		counter(out, "cairn_rpki_rtr_notifies_total", "Serial Notifies sent", r->sessions.notifies);
		counter(out, "cairn_rpki_rtr_malformed_total", "RTR connections closed for breaking the protocol", r->ended_malformed);
		counter(out, "cairn_rpki_rtr_slow_total", "RTR connections closed for not reading", r->dropped_stalled + r->dropped_behind);
	}
	counter(out, "routinator_http_connections", "HTTP connections opened", h->accepted);
	gauge(out, "routinator_http_current_connections", "open HTTP connections", h->clients);
	counter(out, "routinator_http_bytes_read", "octets read from HTTP connections", h->octets_read);
	counter(out, "routinator_http_bytes_written", "octets written to HTTP connections", h->octets_sent);
	counter(out, "routinator_http_requests", "HTTP requests", h->requests);
	counter(out, "cairn_rpki_http_malformed_total", "HTTP requests refused for what they look like", h->malformed);
	counter(out, "cairn_rpki_http_not_modified_total", "HTTP requests answered by 304", h->not_modified);
}

void show_metrics(const struct shown *d, const struct live *l, struct strbuf *out)
{
	struct group ta = { "routinator_ta", "name", "trust anchor", d->status, false };
	struct group repository = { "routinator_repository", "uri", "repository", d->status, true };

	head(out, "cairn_rpki_info", "the program", "gauge");
	strbuf_puts(out, "cairn_rpki_info{");
	strbuf_metric_label(out, "version", l->version);
	strbuf_puts(out, "} 1\n");
	run(out, d, l);
	show_group(out, &ta);
	show_group(out, &repository);
	anchors(out, d->status);
	transports(out, d->status);
	alarms(out, d->status);
	if (l->clients != NULL)
		clients(out, l);
	servers(out, l);
}
