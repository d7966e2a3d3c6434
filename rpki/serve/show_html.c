/* The status as a page for people: whole in itself, nothing is loaded from anywhere, no script. What stands in it comes from the network and is escaped. */
#include "rpki/serve/http_inside.h"

#include <inttypes.h>

static const char style[] =
	"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>cairn-rpki</title>"
	"<meta name=\"viewport\" content=\"width=device-width\"><style>"
	":root{color-scheme:light dark;--line:#8884;--soft:#8881;--bad:#c0392b;--warn:#b9770e;--good:#1e8449}"
	"body{font:15px/1.45 system-ui,sans-serif;max-width:76rem;margin:1.5rem auto;padding:0 1rem}"
	"h1{font-size:1.4rem;margin:0 0 .2rem}h2{font-size:1.1rem;margin:1.8rem 0 .5rem}p{margin:.3rem 0}.soft{opacity:.7}"
	".tiles{display:flex;flex-wrap:wrap;gap:.7rem;margin:1rem 0}.tile{border:1px solid var(--line);border-radius:.5rem;padding:.6rem .9rem;min-width:8.5rem}"
	".tile b{display:block;font-size:1.35rem;font-variant-numeric:tabular-nums}.tile span{opacity:.75;font-size:.85rem}"
	".wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.9rem;font-variant-numeric:tabular-nums}"
	"th,td{padding:.3rem .6rem;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}th{font-weight:600;background:var(--soft)}"
	"th:first-child,td:first-child,.left{text-align:left}td.uri{white-space:normal;overflow-wrap:anywhere;min-width:16rem}"
	".bad{color:var(--bad);font-weight:600}.warn{color:var(--warn);font-weight:600}.good{color:var(--good)}"
	"ul.alarms{list-style:none;padding:0}ul.alarms li{border-left:.3rem solid var(--warn);padding:.3rem .7rem;margin:.3rem 0;background:var(--soft)}"
	"ul.alarms li.alarm{border-color:var(--bad)}ul.alarms li.note{border-color:var(--line)}a{color:inherit}"
	"</style></head><body>\n";

static void escaped(struct strbuf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		switch (*text) {
		case '&':
			strbuf_puts(out, "&amp;");
			break;
		case '<':
			strbuf_puts(out, "&lt;");
			break;
		case '>':
			strbuf_puts(out, "&gt;");
			break;
		case '"':
			strbuf_puts(out, "&quot;");
			break;
		default:
			strbuf_putc(out, (uint8_t)*text >= 0x20 && (uint8_t)*text < 0x7f ? *text : '?');
			break;
		}
	}
}

/* 1 234 567 */
static void grouped(struct strbuf *out, uint64_t n)
{
	if (n >= 1000)
		grouped(out, n / 1000);
	strbuf_printf(out, n >= 1000 ? "&#8239;%03" PRIu64 : "%" PRIu64, n % 1000);
}

/* A span of time in its two largest units. */
static void span_text_of(struct strbuf *out, int64_t sec)
{
	if (sec < 0)
		sec = 0;
	if (sec < 120)
		strbuf_printf(out, "%" PRId64 " s", sec);
	else if (sec < 7200)
		strbuf_printf(out, "%" PRId64 " min %" PRId64 " s", sec / 60, sec % 60);
	else if (sec < 172800)
		strbuf_printf(out, "%" PRId64 " h %" PRId64 " min", sec / 3600, sec / 60 % 60);
	else
		strbuf_printf(out, "%" PRId64 " d %" PRId64 " h", sec / 86400, sec / 3600 % 24);
}

static void ago(struct strbuf *out, int64_t at, int64_t now)
{
	if (at == 0) {
		strbuf_puts(out, "never");
		return;
	}
	strbuf_puts(out, "<span title=\"");
	iso_time(out, at);
	strbuf_puts(out, "\">");
	span_text_of(out, now - at);
	strbuf_puts(out, " ago</span>");
}

static void tile(struct strbuf *out, uint64_t n, const char *what)
{
	strbuf_puts(out, "<div class=\"tile\"><b>");
	grouped(out, n);
	strbuf_printf(out, "</b><span>%s</span></div>", what);
}

static void cell(struct strbuf *out, uint64_t n, const char *class)
{
	strbuf_printf(out, "<td class=\"%s\">", n > 0 ? class : "");
	grouped(out, n);
	strbuf_puts(out, "</td>");
}

static uint64_t refused(const struct status_objects *o)
{
	uint64_t n = 0;

	for (unsigned int i = 0; i < COUNTED; i++)
		n += o->invalid[i];
	return n;
}

static void begin_page(struct strbuf *out, const struct shown *d, const struct live *l)
{
	const struct status *s = d->status;

	strbuf_puts(out, style);
	strbuf_puts(out, "<h1>cairn-rpki</h1><p class=\"soft\">version ");
	escaped(out, l->version);
	strbuf_puts(out, " &middot; data of ");
	iso_time(out, d->info.generated_sec);
	strbuf_printf(out, " &middot; serial %u</p><p>Last update: ", d->serial);
	ago(out, s->run_done, l->now);
	if (s->run_done != 0)
		strbuf_printf(out, ", took %" PRIu64 ".%" PRIu64 " s", s->run_ms / 1000, s->run_ms % 1000 / 100);
	if (s->run_next > l->now) {
		strbuf_puts(out, ". Next in ");
		span_text_of(out, s->run_next - l->now);
	}
	strbuf_puts(out, ".</p>\n");
}

static void alarms(struct strbuf *out, const struct status *s, int64_t now)
{
	static const char *const classes[STATUS_GRAVITIES] = { "note", "warning", "alarm" };

	if (s->alarms == NULL)
		return;
	strbuf_puts(out, "<ul class=\"alarms\">");
	for (const struct status_alarm *a = s->alarms; a != NULL; a = a->next) {
		strbuf_printf(out, "<li class=\"%s\">", classes[a->gravity]);
		escaped(out, a->what);
		strbuf_puts(out, " <span class=\"soft\">");
		ago(out, a->since, now);
		strbuf_puts(out, "</span></li>");
	}
	strbuf_puts(out, "</ul>\n");
}

static void tiles(struct strbuf *out, const struct shown *d, const struct live *l)
{
	const struct status *s = d->status;

	strbuf_puts(out, "<div class=\"tiles\">");
	tile(out, vrps_of(s->total).contributed, "VRPs served");
	tile(out, s->total[STATUS_V4].contributed, "of them IPv4");
	tile(out, s->total[STATUS_V6].contributed, "of them IPv6");
	tile(out, s->total[STATUS_ASPAS].contributed, "ASPAs");
	tile(out, s->total[STATUS_KEYS].contributed, "router keys");
	if (l->rtr != NULL)
		tile(out, l->rtr->clients, "routers connected");
	tile(out, vrps_of(s->exceptions).contributed, "VRPs added locally");
	tile(out, vrps_of(s->total).filtered, "VRPs filtered locally");
	strbuf_puts(out, "</div>\n");
}

static void anchors(struct strbuf *out, const struct status *s, int64_t now)
{
	if (s->anchors == NULL)
		return;
	strbuf_puts(out, "<h2>Trust anchors</h2><div class=\"wide\"><table><tr><th>name<th>state<th title=\"publication points\">points<th>failed"
			 "<th title=\"points shown by their last good data\">kept<th>ROAs<th>ASPAs<th title=\"router certificates\">routers<th>refused<th title=\"manifests that are missing\">missing"
			 "<th title=\"manifests and CRLs that are out of date\">stale<th>VRPs<th>duplicate"
			 "<th>served<th title=\"served on because they vanished for want of data\">held<th title=\"the trust anchor's certificate\">expires</tr>\n");
	for (const struct status_anchor *a = s->anchors; a != NULL; a = a->next) {
		struct status_payloads v = vrps_of(a->payloads);

		strbuf_puts(out, "<tr><td>");
		escaped(out, a->name);
		strbuf_puts(out, a->usable ? "</td><td class=\"good\">usable</td>" : "</td><td class=\"bad\">not usable</td>");
		cell(out, a->objects.points, "");
		cell(out, a->objects.points_failed, "bad");
		cell(out, a->objects.points_kept, "warn");
		cell(out, a->objects.valid[COUNTED_ROA], "");
		cell(out, a->objects.valid[COUNTED_ASPA], "");
		cell(out, a->objects.valid[COUNTED_ROUTER], "");
		cell(out, refused(&a->objects), "warn");
		cell(out, a->objects.missing_manifests, "warn");
		cell(out, a->objects.stale_manifests + a->objects.stale_crls, "warn");
		cell(out, v.valid, "");
		cell(out, v.duplicate, "");
		cell(out, v.contributed, "");
		cell(out, a->held_back, "bad");
		strbuf_puts(out, "<td>");
		if (a->not_after != 0) {
			strbuf_puts(out, "in ");
			span_text_of(out, a->not_after - now);
		}
		strbuf_puts(out, "</td></tr>\n");
	}
	strbuf_puts(out, "</table></div>\n");
}

static const char *class_of(const struct status_repository *r)
{
	if (r->outcome == STATUS_FAILED)
		return "bad";
	return r->outcome == STATUS_NOT_TRIED || r->fallback ? "warn" : "good";
}

static void repository(struct strbuf *out, const struct status_repository *r, int64_t now)
{
	strbuf_puts(out, "<tr><td class=\"uri\">");
	escaped(out, r->uri);
	if (*r->why != '\0' && r->outcome != STATUS_UNCHANGED) {
		strbuf_puts(out, "<br><span class=\"soft\">");
		escaped(out, r->why);
		strbuf_puts(out, "</span>");
	}
	strbuf_puts(out, "</td><td class=\"left\">");
	escaped(out, r->anchor);
	strbuf_printf(out, "</td><td class=\"left\">%s%s</td><td class=\"left %s\">%s</td><td>", status_way_text(r->way), r->fallback ? ", in place of rrdp" : "", class_of(r),
		status_outcome_text(r->outcome));
	if (r->http_status > 0)
		strbuf_printf(out, "%d", r->http_status);
	else if (r->http_status < 0)
		strbuf_puts(out, "no answer");
	else if (r->way == STATUS_RSYNC && r->exit_status >= 0)
		strbuf_printf(out, "exit %d", r->exit_status);
	strbuf_puts(out, "</td><td>");
	if (r->serial != 0)
		strbuf_printf(out, "%" PRIu64, r->serial);
	strbuf_printf(out, "</td><td>%" PRIu64 ".%03" PRIu64 "</td>", r->duration_ms / 1000, r->duration_ms % 1000);
	cell(out, r->octets, "");
	strbuf_puts(out, "<td>");
	ago(out, r->succeeded, now);
	strbuf_puts(out, "</td></tr>\n");
}

/* Those in trouble first. */
static void repositories(struct strbuf *out, const struct status *s, int64_t now)
{
	if (s->repositories == NULL)
		return;
	strbuf_printf(out, "<h2>Repositories (%zu)</h2><div class=\"wide\"><table><tr><th>URI<th class=\"left\">anchor<th class=\"left\">by<th class=\"left\">outcome"
			   "<th>status<th>serial<th>seconds<th>octets<th>last success</tr>\n", s->nrepositories);
	for (unsigned int pass = 0; pass < 2; pass++)
		for (const struct status_repository *r = s->repositories; r != NULL; r = r->next)
			if ((pass == 0) == (r->outcome == STATUS_FAILED || r->outcome == STATUS_NOT_TRIED))
				repository(out, r, now);
	strbuf_puts(out, "</table></div>\n");
}

static void end_page(struct strbuf *out, const struct live *l)
{
	static const char *const paths[] = { "json", "jsonext", "csv", "csvcompat", "csvext", "openbgpd", "bird1", "bird2", "rpsl", "slurm", "slurm2", "summary", "rpki-client.json",
		"json-delta", "metrics", "api/v1/status" };

	strbuf_puts(out, "<h2>Data</h2><p>");
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
		strbuf_printf(out, "%s<a href=\"/%s\">%s</a>", i > 0 ? " &middot; " : "", paths[i], paths[i]);
	strbuf_puts(out, "</p><h2>Clients</h2><p class=\"soft\">");
	if (l->rtr != NULL)
		strbuf_printf(out, "RTR: %u connected, %" PRIu64 " accepted, %" PRIu64 " octets sent, %" PRIu64 " full and %" PRIu64 " partial answers. ", l->rtr->clients,
			l->rtr->accepted, l->rtr->octets_sent, l->rtr->sessions.responses_full, l->rtr->sessions.responses_delta);
	strbuf_printf(out, "HTTP: %u connected, %" PRIu64 " requests, %" PRIu64 " octets sent.</p></body></html>\n", l->http->clients, l->http->requests, l->http->octets_sent);
}

void show_html(const struct shown *d, const struct live *l, struct strbuf *out)
{
	begin_page(out, d, l);
	alarms(out, d->status, l->now);
	tiles(out, d, l);
	anchors(out, d->status, l->now);
	repositories(out, d->status, l->now);
	end_page(out, l);
}
