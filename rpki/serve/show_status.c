/* The status as JSON, with Routinator's names where the meaning is the same, and as its lines of text. */
#include "rpki/serve/http_inside.h"

#include <inttypes.h>
#include <time.h>

void iso_time(struct strbuf *out, int64_t sec)
{
	time_t at = (time_t)sec;
	struct tm t;

	if (gmtime_r(&at, &t) == NULL)
		t = (struct tm){ .tm_year = 70, .tm_mday = 1 };
	strbuf_printf(out, "%04d-%02d-%02dT%02d:%02d:%02dZ", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec);
}

struct status_payloads vrps_of(const struct status_payloads p[STATUS_PAYLOADS])
{
	const struct status_payloads *a = &p[STATUS_V4], *b = &p[STATUS_V6];

	return (struct status_payloads){ a->valid + b->valid, a->duplicate + b->duplicate, a->filtered + b->filtered, a->contributed + b->contributed, a->unsafe + b->unsafe };
}

int http_status_of(const struct status_repository *r)
{
	if (r->http_status != 0 || r->outcome == STATUS_NOT_TRIED)
		return r->http_status;
	return r->outcome == STATUS_FAILED ? -1 : r->outcome == STATUS_UNCHANGED ? 304 : 200;
}

int http_payload_status_of(const struct status_repository *r)
{
	if (r->http_payload_status != 0)
		return r->http_payload_status;
	return r->outcome == STATUS_DELTAS || r->outcome == STATUS_SNAPSHOT ? 200 : 0;
}

int http_both_status_of(const struct status_repository *r)
{
	return http_payload_status_of(r) != 0 ? http_payload_status_of(r) : http_status_of(r);
}

int exit_status_of(const struct status_repository *r)
{
	return r->exit_status < 0 && (r->outcome == STATUS_FETCHED || r->outcome == STATUS_UNCHANGED) ? 0 : r->exit_status;
}

/* -------------------------------------------------------------------------------------------------------------------- JSON */

struct json_out {
	struct strbuf *out BORROWED_FIELD;
	unsigned int depth;
	bool first;
};

static void member(struct json_out *j, const char *name)
{
	strbuf_puts(j->out, j->first ? "\n" : ",\n");
	j->first = false;
	for (unsigned int i = 0; i < j->depth; i++)
		strbuf_puts(j->out, "  ");
	if (name == NULL)
		return;
	strbuf_json_string(j->out, span_text(name));
	strbuf_puts(j->out, ": ");
}

static void begin(struct json_out *j, const char *name, char bracket)
{
	if (j->depth > 0)
		member(j, name);
	strbuf_putc(j->out, bracket);
	j->depth++;
	j->first = true;
}

static void end(struct json_out *j, char bracket)
{
	j->depth--;
	strbuf_putc(j->out, '\n');
	for (unsigned int i = 0; i < j->depth; i++)
		strbuf_puts(j->out, "  ");
	strbuf_putc(j->out, bracket);
	j->first = false;
}

static void number(struct json_out *j, const char *name, uint64_t v)
{
	member(j, name);
	strbuf_printf(j->out, "%" PRIu64, v);
}

static void whole(struct json_out *j, const char *name, int64_t v)
{
	member(j, name);
	strbuf_printf(j->out, "%" PRId64, v);
}

static void truth(struct json_out *j, const char *name, bool v)
{
	member(j, name);
	strbuf_puts(j->out, v ? "true" : "false");
}

static void seconds(struct json_out *j, const char *name, uint64_t ms)
{
	member(j, name);
	strbuf_printf(j->out, "%" PRIu64 ".%03" PRIu64, ms / 1000, ms % 1000);
}

/* "" and NULL: null */
static void text(struct json_out *j, const char *name, const char *v)
{
	member(j, name);
	if (v != NULL && *v != '\0')
		strbuf_json_string(j->out, span_text(v));
	else
		strbuf_puts(j->out, "null");
}

static void instant(struct json_out *j, const char *name, int64_t sec)
{
	member(j, name);
	if (sec == 0) {
		strbuf_puts(j->out, "null");
		return;
	}
	strbuf_putc(j->out, '"');
	iso_time(j->out, sec);
	strbuf_putc(j->out, '"');
}

static void payload(struct json_out *j, const char *name, const struct status_payloads *p, bool unsafe)
{
	begin(j, name, '{');
	number(j, "total", p->valid);
	if (unsafe)
		number(j, "unsafe", p->unsafe);
	number(j, "locallyFiltered", p->filtered);
	number(j, "duplicate", p->duplicate);
	number(j, "final", p->contributed);
	end(j, '}');
}

static void payloads(struct json_out *j, const struct status_payloads p[STATUS_PAYLOADS])
{
	begin(j, "payload", '{');
	payload(j, "routeOriginsIPv4", &p[STATUS_V4], true);
	payload(j, "routeOriginsIPv6", &p[STATUS_V6], true);
	payload(j, "routerKeys", &p[STATUS_KEYS], false);
	payload(j, "aspas", &p[STATUS_ASPAS], false);
	end(j, '}');
}

static void vrps_and_payloads(struct json_out *j, const struct status_payloads p[STATUS_PAYLOADS])
{
	struct status_payloads v = vrps_of(p);

	number(j, "vrpsTotal", v.valid);
	number(j, "vrpsUnsafe", v.unsafe);
	number(j, "vrpsLocallyFiltered", v.filtered);
	number(j, "vrpsDuplicate", v.duplicate);
	number(j, "vrpsFinal", v.contributed);
	payloads(j, p);
}

static void objects(struct json_out *j, const struct status_objects *o)
{
	number(j, "validPublicationPoints", o->points - o->points_failed);
	number(j, "rejectedPublicationPoints", o->points_failed);
	number(j, "lastGoodPublicationPoints", o->points_kept);
	number(j, "validManifests", o->valid[COUNTED_MANIFEST]);
	number(j, "invalidManifests", o->invalid[COUNTED_MANIFEST]);
	number(j, "staleManifests", o->stale_manifests);
	number(j, "missingManifests", o->missing_manifests);
	number(j, "validCRLs", o->valid[COUNTED_CRL]);
	number(j, "invalidCRLs", o->invalid[COUNTED_CRL]);
	number(j, "staleCRLs", o->stale_crls);
	number(j, "validCACerts", o->valid[COUNTED_CERT]);
	number(j, "validRouterCerts", o->valid[COUNTED_ROUTER]);
	number(j, "invalidCerts", o->invalid[COUNTED_CERT] + o->invalid[COUNTED_ROUTER]);
	number(j, "validROAs", o->valid[COUNTED_ROA]);
	number(j, "invalidROAs", o->invalid[COUNTED_ROA]);
	number(j, "validGBRs", o->valid[COUNTED_GHOSTBUSTERS]);
	number(j, "invalidGBRs", o->invalid[COUNTED_GHOSTBUSTERS]);
	number(j, "validASPAs", o->valid[COUNTED_ASPA]);
	number(j, "invalidASPAs", o->invalid[COUNTED_ASPA]);
	number(j, "validTAKs", o->valid[COUNTED_TAK]);
	number(j, "invalidTAKs", o->invalid[COUNTED_TAK]);
	number(j, "otherObjects", o->valid[COUNTED_OTHER] + o->invalid[COUNTED_OTHER]);
}

static void anchors(struct json_out *j, const struct status *s)
{
	begin(j, "tals", '{');
	for (const struct status_anchor *a = s->anchors; a != NULL; a = a->next) {
		begin(j, a->name, '{');
		truth(j, "usable", a->usable);
		instant(j, "certificateNotAfter", a->not_after);
		number(j, "limitsReached", a->limits);
		number(j, "heldBack", a->held_back);
		vrps_and_payloads(j, a->payloads);
		objects(j, &a->objects);
		end(j, '}');
	}
	end(j, '}');
}

static void repositories(struct json_out *j, const struct status *s)
{
	begin(j, "repositories", '{');
	for (const struct status_repository *r = s->repositories; r != NULL; r = r->next) {
		begin(j, r->uri, '{');
		text(j, "type", r->way == STATUS_RRDP ? "RRDP" : r->way == STATUS_RSYNC ? "rsync" : "other");
		text(j, "tal", r->anchor);
		text(j, "outcome", status_outcome_text(r->outcome));
		text(j, "reason", r->why);
		number(j, "failuresInARow", r->failures);
		number(j, "patienceMs", r->patience_ms);
		instant(j, "lastAttempt", r->tried);
		instant(j, "lastSuccess", r->succeeded);
		number(j, "bytesReceived", r->octets);
		number(j, "objectsPublished", r->objects_new);
		number(j, "objectsWithdrawn", r->objects_withdrawn);
		vrps_and_payloads(j, r->payloads);
		objects(j, &r->objects);
		end(j, '}');
	}
	end(j, '}');
}

static void transports(struct json_out *j, const struct status *s)
{
	begin(j, "rsync", '{');
	for (const struct status_repository *r = s->repositories; r != NULL; r = r->next) {
		if (r->way != STATUS_RSYNC)
			continue;
		begin(j, r->uri, '{');
		whole(j, "status", exit_status_of(r));
		seconds(j, "duration", r->duration_ms);
		truth(j, "fallback", r->fallback);
		end(j, '}');
	}
	end(j, '}');
	begin(j, "rrdp", '{');
	for (const struct status_repository *r = s->repositories; r != NULL; r = r->next) {
		if (r->way != STATUS_RRDP)
			continue;
		begin(j, r->uri, '{');
		whole(j, "status", http_both_status_of(r));
		whole(j, "notifyStatus", http_status_of(r));
		whole(j, "payloadStatus", http_payload_status_of(r));
		seconds(j, "duration", r->duration_ms);
		number(j, "serial", r->serial);
		text(j, "session", r->session);
		truth(j, "delta", r->outcome == STATUS_DELTAS);
		number(j, "deltas", r->deltas);
		text(j, "snapshot_reason", r->outcome == STATUS_SNAPSHOT ? r->why : "");
		end(j, '}');
	}
	end(j, '}');
}

static void clients(struct json_out *j, const struct live *l)
{
	begin(j, "clients", '{');
	for (size_t i = 0; i < l->nclients; i++) {
		const struct rtr_client_sum *c = &l->clients[i];

		begin(j, c->name, '{');
		number(j, "connections", c->connections);
		if (c->sum.told)
			number(j, "serial", c->sum.serial);
		else
			text(j, "serial", NULL);
		instant(j, "updated", c->sum.updated);
		instant(j, "lastReset", c->sum.reset);
		number(j, "resetQueries", c->sum.reset_queries);
		number(j, "serialQueries", c->sum.serial_queries);
		number(j, "read", c->sum.octets_read);
		number(j, "written", c->sum.octets_sent);
		end(j, '}');
	}
	end(j, '}');
}

static void servers(struct json_out *j, const struct live *l)
{
	begin(j, "rtr", '{');
	if (l->rtr != NULL) {
		number(j, "currentConnections", l->rtr->clients);
		number(j, "totalConnections", l->rtr->accepted);
		number(j, "refusedConnections", l->rtr->refused);
		number(j, "bytesRead", l->rtr->octets_read);
		number(j, "bytesWritten", l->rtr->octets_sent);
		number(j, "resetQueries", l->rtr->sessions.reset_queries);
		number(j, "serialQueries", l->rtr->sessions.serial_queries);
		number(j, "notifies", l->rtr->sessions.notifies);
		number(j, "droppedStalled", l->rtr->dropped_stalled);
		number(j, "droppedBehind", l->rtr->dropped_behind);
		if (l->clients != NULL)
			clients(j, l);
	}
	end(j, '}');
	begin(j, "http", '{');
	number(j, "totalConnections", l->http->accepted);
	number(j, "currentConnections", l->http->clients);
	number(j, "requests", l->http->requests);
	number(j, "bytesRead", l->http->octets_read);
	number(j, "bytesWritten", l->http->octets_sent);
	number(j, "notModified", l->http->not_modified);
	number(j, "malformed", l->http->malformed);
	number(j, "refusedConnections", l->http->refused);
	end(j, '}');
}

static void alarms(struct json_out *j, const struct status *s)
{
	static const char *const words[STATUS_GRAVITIES] = { "note", "warning", "alarm" };

	begin(j, "alarms", '[');
	for (const struct status_alarm *a = s->alarms; a != NULL; a = a->next) {
		begin(j, NULL, '{');
		text(j, "gravity", words[a->gravity]);
		instant(j, "since", a->since);
		text(j, "what", a->what);
		end(j, '}');
	}
	end(j, ']');
}

void show_json(const struct shown *d, const struct live *l, struct strbuf *out)
{
	struct json_out j = { .out = out };
	const struct status *s = d->status;
	AUTO_CHARS char *version = mem_printf("cairn-rpki/%s", l->version);

	begin(&j, NULL, '{');
	text(&j, "version", version);
	number(&j, "serial", d->serial);
	member(&j, "session");
	strbuf_printf(out, "\"%" PRIu64 "\"", d->session);
	instant(&j, "now", l->now);
	instant(&j, "lastUpdateStart", s->run_start);
	instant(&j, "lastUpdateDone", s->run_done);
	seconds(&j, "lastUpdateDuration", s->run_ms);
	instant(&j, "nextUpdate", s->run_next);
	instant(&j, "dataTime", d->info.generated_sec);
	number(&j, "updates", s->runs);
	number(&j, "limitsReached", s->limits);
	number(&j, "pointsRemembered", s->remembered);
	number(&j, "pointsValidated", s->validated);
	number(&j, "objectsStored", s->objects_stored);
	number(&j, "bytesStored", s->octets_stored);
	number(&j, "aspaCustomersWithheld", s->customers_withheld);
	alarms(&j, s);
	payloads(&j, s->total);
	anchors(&j, s);
	repositories(&j, s);
	number(&j, "vrpsAddedLocally", vrps_of(s->exceptions).contributed);
	transports(&j, s);
	servers(&j, l);
	end(&j, '}');
	strbuf_putc(out, '\n');
}

/* -------------------------------------------------------------------------------------------------------------------- text */

typedef uint64_t count_fn(const struct status_anchor *a);

static uint64_t roas(const struct status_anchor *a) { return a->objects.valid[COUNTED_ROA]; }
static uint64_t total(const struct status_anchor *a) { return vrps_of(a->payloads).valid; }
static uint64_t unsafe(const struct status_anchor *a) { return vrps_of(a->payloads).unsafe; }
static uint64_t filtered(const struct status_anchor *a) { return vrps_of(a->payloads).filtered; }
static uint64_t duplicate(const struct status_anchor *a) { return vrps_of(a->payloads).duplicate; }
static uint64_t contributed(const struct status_anchor *a) { return vrps_of(a->payloads).contributed; }

static void per_anchor(const struct status *s, const char *name, count_fn *fn, struct strbuf *out)
{
	strbuf_printf(out, "%s: ", name);
	for (const struct status_anchor *a = s->anchors; a != NULL; a = a->next)
		strbuf_printf(out, "%s=%" PRIu64 " ", a->name, fn(a));
	strbuf_putc(out, '\n');
}

static void at_and_ago(const char *name, int64_t at, int64_t now, struct strbuf *out)
{
	strbuf_printf(out, "%s-at:  ", name);
	if (at != 0)
		iso_time(out, at);
	strbuf_printf(out, "%s\n%s-ago: ", at == 0 ? "-" : "", name);
	if (at != 0)
		strbuf_printf(out, "PT%" PRId64 "S\n", now - at);
	else
		strbuf_puts(out, "-\n");
}

static void text_transports(const struct status *s, struct strbuf *out)
{
	strbuf_puts(out, "rsync-durations:\n");
	for (const struct status_repository *r = s->repositories; r != NULL; r = r->next)
		if (r->way == STATUS_RSYNC)
			strbuf_printf(out, "   %s: status=%d, duration=%" PRIu64 ".%03" PRIu64 "s\n", r->uri, exit_status_of(r), r->duration_ms / 1000, r->duration_ms % 1000);
	strbuf_puts(out, "rrdp-durations:\n");
	for (const struct status_repository *r = s->repositories; r != NULL; r = r->next)
		if (r->way == STATUS_RRDP)
			strbuf_printf(out, "   %s: status=%d, notification-status=%d, payload-status=%d, duration=%" PRIu64 ".%03" PRIu64 "s, serial=%" PRIu64 "\n", r->uri,
				http_both_status_of(r), http_status_of(r), http_payload_status_of(r), r->duration_ms / 1000, r->duration_ms % 1000, r->serial);
}

void show_text(const struct shown *d, const struct live *l, struct strbuf *out)
{
	const struct status *s = d->status;
	struct status_payloads v = vrps_of(s->total);
	uint64_t valid_roas = 0, stale = 0;

	for (const struct status_anchor *a = s->anchors; a != NULL; a = a->next) {
		valid_roas += roas(a);
		stale += a->objects.stale_manifests + a->objects.stale_crls;
	}
	strbuf_printf(out, "version: cairn-rpki/%s\nserial: %u\n", l->version, d->serial);
	at_and_ago("last-update-start", s->run_start, l->now, out);
	at_and_ago("last-update-done", s->run_done, l->now, out);
	strbuf_printf(out, "last-update-duration:  PT%" PRIu64 ".%03" PRIu64 "S\n", s->run_ms / 1000, s->run_ms % 1000);
	strbuf_printf(out, "valid-roas: %" PRIu64 "\n", valid_roas);
	per_anchor(s, "valid-roas-per-tal", roas, out);
	strbuf_printf(out, "vrps: %" PRIu64 "\n", v.valid);
	per_anchor(s, "vrps-per-tal", total, out);
	strbuf_printf(out, "unsafe-filtered-vrps: %" PRIu64 "\n", v.unsafe);
	per_anchor(s, "unsafe-vrps-per-tal", unsafe, out);
	strbuf_printf(out, "locally-filtered-vrps: %" PRIu64 "\n", v.filtered);
	per_anchor(s, "locally-filtered-vrps-per-tal", filtered, out);
	per_anchor(s, "duplicate-vrps-per-tal", duplicate, out);
	strbuf_printf(out, "locally-added-vrps: %" PRIu64 "\nfinal-vrps: %" PRIu64 "\n", vrps_of(s->exceptions).contributed, v.contributed);
	per_anchor(s, "final-vrps-per-tal", contributed, out);
	strbuf_printf(out, "stale-count: %" PRIu64 "\n", stale);
	text_transports(s, out);
	if (l->rtr != NULL)
		strbuf_printf(out, "rtr-connections: %u current\nrtr-data: %" PRIu64 " bytes sent, %" PRIu64 " bytes received\n", l->rtr->clients, l->rtr->octets_sent,
			l->rtr->octets_read);
	strbuf_printf(out, "http-connections: %u current, %" PRIu64 " total\nhttp-data: %" PRIu64 " bytes sent, %" PRIu64 " bytes received\nhttp-requests: %" PRIu64 " \n",
		l->http->clients, l->http->accepted, l->http->octets_sent, l->http->octets_read, l->http->requests);
	for (const struct status_alarm *a = s->alarms; a != NULL; a = a->next)
		strbuf_printf(out, "alarm: %s\n", a->what);
}
