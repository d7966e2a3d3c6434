#include "rpki/serve/status_words.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"

static const char *const payload_names[STATUS_PAYLOADS] = { "vrps4", "vrps6", "routerKeys", "aspas" };
static const char *const gravity_names[STATUS_GRAVITIES] = { "note", "warning", "ALARM" };

int64_t status_age(const struct status *s, int64_t now)
{
	return s->table_time > 0 ? now - s->table_time : STATUS_AGE_UNKNOWN;
}

/* --- in words */

static uint64_t invalid_of(const struct status_objects *o)
{
	uint64_t n = 0;

	for (unsigned int k = 0; k < COUNTED; k++)
		n += o->invalid[k];
	return n;
}

static void put_payloads(const struct status_payloads *p, struct strbuf *out)
{
	strbuf_printf(out, "%" PRIu64 " VRPs (%" PRIu64 " IPv4, %" PRIu64 " IPv6), %" PRIu64 " router keys, %" PRIu64 " ASPAs",
		p[STATUS_V4].contributed + p[STATUS_V6].contributed, p[STATUS_V4].contributed, p[STATUS_V6].contributed, p[STATUS_KEYS].contributed,
		p[STATUS_ASPAS].contributed);
}

static void put_anchor(const struct status_anchor *a, struct strbuf *out)
{
	const struct status_objects *o = &a->objects;

	strbuf_printf(out, "%s: %s", a->name, a->usable ? "" : "NOT USABLE: ");
	put_payloads(a->payloads, out);
	strbuf_printf(out, "; %" PRIu64 " publication points", o->points);
	if (o->points_failed > 0 || o->points_kept > 0)
		strbuf_printf(out, " (%" PRIu64 " failed, %" PRIu64 " by their last good state)", o->points_failed, o->points_kept);
	if (o->missing_manifests + o->stale_manifests + o->stale_crls > 0)
		strbuf_printf(out, ", manifests missing: %" PRIu64 ", out of date: %" PRIu64 ", CRLs out of date: %" PRIu64, o->missing_manifests, o->stale_manifests, o->stale_crls);
	if (invalid_of(o) > 0)
		strbuf_printf(out, ", %" PRIu64 " objects refused", invalid_of(o));
	if (a->payloads[STATUS_V4].unsafe + a->payloads[STATUS_V6].unsafe > 0)
		strbuf_printf(out, ", %" PRIu64 " VRPs unsafe", a->payloads[STATUS_V4].unsafe + a->payloads[STATUS_V6].unsafe);
	if (a->held_back > 0)
		strbuf_printf(out, ", %" PRIu64 " payloads kept by the loss guard", a->held_back);
	if (a->limits > 0)
		strbuf_printf(out, ", %" PRIu64 " times a limit was reached", a->limits);
	strbuf_putc(out, '\n');
}

static bool has_trouble(const struct status_repository *r)
{
	return r->outcome == STATUS_FAILED || r->fallback;
}

/* Where the reason names a file, its URI is said once. */
static const char *why_of(const struct status_repository *r) BORROWED;
static const char *why_of(const struct status_repository *r)
{
	size_t n = strlen(r->uri);

	return strncmp(r->why, r->uri, n) == 0 && strncmp(r->why + n, ": ", 2) == 0 ? r->why + n + 2 : r->why;
}

static void put_repositories(const struct status *s, int64_t now, struct strbuf *out)
{
	size_t troubled = 0;

	for (const struct status_repository *r = s->repositories; r != NULL; r = r->next)
		troubled += has_trouble(r);
	strbuf_printf(out, "repositories: %zu, %zu of them failed or by rsync instead of RRDP\n", s->nrepositories, troubled);
	for (const struct status_repository *r = s->repositories; r != NULL; r = r->next) {
		if (!has_trouble(r))
			continue;
		strbuf_printf(out, "  %s: %s%s%s%s", r->uri, r->fallback ? "by rsync; " : "", status_outcome_text(r->outcome), *r->why != '\0' ? ": " : "", why_of(r));
		if (r->failures > 1)
			strbuf_printf(out, "; failed in %" PRIu32 " runs in a row", r->failures);
		if (r->patience_ms > 0)
			strbuf_printf(out, ", so only %" PRIu32 ".%" PRIu32 " s were waited for an answer", r->patience_ms / 1000, r->patience_ms % 1000 / 100);
		if (r->succeeded > 0)
			strbuf_printf(out, "; last good %" PRId64 " s ago", now - r->succeeded);
		strbuf_putc(out, '\n');
	}
}

void status_words(const struct status *s, int64_t now, struct strbuf *out)
{
	char iso[32];

	strbuf_printf(out, "last run: %s, %" PRIu64 " ms", s->run_done > 0 ? clock_iso(s->run_done, iso) : "never", s->run_ms);
	if (s->run_next > 0)
		strbuf_printf(out, ", next at %s", clock_iso(s->run_next, iso));
	strbuf_printf(out, "\npublication points: %" PRIu64 " unchanged, %" PRIu64 " validated; store: %" PRIu64 " objects, %" PRIu64 " KiB\n", s->remembered, s->validated,
		s->objects_stored, s->octets_stored / 1024);
	if (status_age(s, now) >= 0)
		strbuf_printf(out, "table: %" PRId64 " s old, ", status_age(s, now));
	else
		strbuf_puts(out, "table: none yet, ");
	put_payloads(s->total, out);
	strbuf_putc(out, '\n');
	for (const struct status_anchor *a = s->anchors; a != NULL; a = a->next)
		put_anchor(a, out);
	put_repositories(s, now, out);
	for (const struct status_alarm *a = s->alarms; a != NULL; a = a->next)
		strbuf_printf(out, "%s: since %s: %s\n", gravity_names[a->gravity], clock_iso(a->since, iso), a->what);
}

/* --- as JSON */

static void json_payloads(const struct status_payloads *p, struct strbuf *out)
{
	strbuf_putc(out, '{');
	for (unsigned int k = 0; k < STATUS_PAYLOADS; k++)
		strbuf_printf(out, "%s\"%s\":{\"valid\":%" PRIu64 ",\"duplicate\":%" PRIu64 ",\"filtered\":%" PRIu64 ",\"contributed\":%" PRIu64 ",\"unsafe\":%" PRIu64 "}",
			k > 0 ? "," : "", payload_names[k], p[k].valid, p[k].duplicate, p[k].filtered, p[k].contributed, p[k].unsafe);
	strbuf_putc(out, '}');
}

static void json_text(struct strbuf *out, const char *name, const char *text)
{
	strbuf_printf(out, "\"%s\":", name);
	strbuf_json_string(out, span_text(text));
}

void status_words_json(const struct status *s, int64_t now, struct strbuf *out)
{
	strbuf_printf(out, "{\"lastRun\":%" PRId64 ",\"nextRun\":%" PRId64 ",\"durationMs\":%" PRIu64 ",\"tableAge\":%" PRId64 ",\"remembered\":%" PRIu64
		",\"validated\":%" PRIu64 ",\"limits\":%" PRIu64 ",\"objectsStored\":%" PRIu64 ",\"bytesStored\":%" PRIu64 ",\"payloads\":",
		s->run_done, s->run_next, s->run_ms, status_age(s, now), s->remembered, s->validated,
		s->limits, s->objects_stored, s->octets_stored);
	json_payloads(s->total, out);
	strbuf_puts(out, ",\"tals\":[");
	for (const struct status_anchor *a = s->anchors; a != NULL; a = a->next) {
		strbuf_puts(out, a != s->anchors ? ",{" : "{");
		json_text(out, "name", a->name);
		strbuf_printf(out, ",\"usable\":%s,\"points\":%" PRIu64 ",\"pointsFailed\":%" PRIu64 ",\"pointsKept\":%" PRIu64 ",\"refused\":%" PRIu64
			",\"missingManifests\":%" PRIu64 ",\"staleManifests\":%" PRIu64 ",\"staleCRLs\":%" PRIu64 ",\"heldBack\":%" PRIu64 ",\"payloads\":",
			a->usable ? "true" : "false", a->objects.points, a->objects.points_failed, a->objects.points_kept, invalid_of(&a->objects), a->objects.missing_manifests,
			a->objects.stale_manifests, a->objects.stale_crls, a->held_back);
		json_payloads(a->payloads, out);
		strbuf_putc(out, '}');
	}
	strbuf_puts(out, "],\"repositories\":[");
	for (const struct status_repository *r = s->repositories; r != NULL; r = r->next) {
		strbuf_puts(out, r != s->repositories ? ",{" : "{");
		json_text(out, "uri", r->uri);
		strbuf_putc(out, ',');
		json_text(out, "why", r->why);
		strbuf_printf(out, ",\"way\":\"%s\",\"outcome\":\"%s\",\"fallback\":%s,\"tried\":%" PRId64 ",\"succeeded\":%" PRId64 ",\"durationMs\":%" PRIu64
			",\"serial\":%" PRIu64 ",\"failures\":%" PRIu32 ",\"patienceMs\":%" PRIu32 "}",
			status_way_text(r->way), status_outcome_text(r->outcome), r->fallback ? "true" : "false", r->tried, r->succeeded,
			r->duration_ms, r->serial, r->failures, r->patience_ms);
	}
	strbuf_puts(out, "],\"alarms\":[");
	for (const struct status_alarm *a = s->alarms; a != NULL; a = a->next) {
		strbuf_puts(out, a != s->alarms ? ",{" : "{");
		json_text(out, "what", a->what);
		strbuf_printf(out, ",\"gravity\":\"%s\",\"since\":%" PRId64 "}", gravity_names[a->gravity], a->since);
	}
	strbuf_puts(out, "]}\n");
}
