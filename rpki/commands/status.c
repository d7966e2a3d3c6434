/* cairn-rpki status */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "conf/conf.h"
#include "rpki/commands/commands.h"
#include "rpki/serve/status_file.h"

#define AGE_UNKNOWN (-1)

static const char *const payload_names[STATUS_PAYLOADS] = { "vrps4", "vrps6", "routerKeys", "aspas" };
static const char *const gravity_names[STATUS_GRAVITIES] = { "note", "warning", "ALARM" };

static int64_t age_of(const struct status *s, int64_t now)
{
	return s->table_time > 0 ? now - s->table_time : AGE_UNKNOWN;
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
	if (invalid_of(o) > 0)
		strbuf_printf(out, ", %" PRIu64 " objects refused", invalid_of(o));
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

static void put_repositories(const struct status *s, int64_t now, struct strbuf *out)
{
	size_t troubled = 0;

	for (const struct status_repository *r = s->repositories; r != NULL; r = r->next)
		troubled += has_trouble(r);
	strbuf_printf(out, "repositories: %zu, %zu of them failed or by rsync instead of RRDP\n", s->nrepositories, troubled);
	for (const struct status_repository *r = s->repositories; r != NULL; r = r->next) {
		if (!has_trouble(r))
			continue;
		strbuf_printf(out, "  %s: %s%s%s%s", r->uri, r->fallback ? "by rsync; " : "", status_outcome_text(r->outcome), *r->why != '\0' ? ": " : "", r->why);
		if (r->succeeded > 0)
			strbuf_printf(out, "; last good %" PRId64 " s ago", now - r->succeeded);
		strbuf_putc(out, '\n');
	}
}

static void put_words(const struct status *s, int64_t now, struct strbuf *out)
{
	char iso[32];

	strbuf_printf(out, "last run: %s, %" PRIu64 " ms", s->run_done > 0 ? clock_iso(s->run_done, iso) : "never", s->run_ms);
	if (s->run_next > 0)
		strbuf_printf(out, ", next at %s", clock_iso(s->run_next, iso));
	strbuf_printf(out, "\npublication points: %" PRIu64 " unchanged, %" PRIu64 " validated\n", s->remembered, s->validated);
	if (age_of(s, now) >= 0)
		strbuf_printf(out, "table: %" PRId64 " s old, ", age_of(s, now));
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
		strbuf_printf(out, "%s\"%s\":{\"valid\":%" PRIu64 ",\"duplicate\":%" PRIu64 ",\"filtered\":%" PRIu64 ",\"contributed\":%" PRIu64 "}", k > 0 ? "," : "",
			payload_names[k], p[k].valid, p[k].duplicate, p[k].filtered, p[k].contributed);
	strbuf_putc(out, '}');
}

static void json_text(struct strbuf *out, const char *name, const char *text)
{
	strbuf_printf(out, "\"%s\":", name);
	strbuf_json_string(out, span_text(text));
}

static void put_json(const struct status *s, int64_t now, struct strbuf *out)
{
	strbuf_printf(out, "{\"lastRun\":%" PRId64 ",\"nextRun\":%" PRId64 ",\"durationMs\":%" PRIu64 ",\"tableAge\":%" PRId64 ",\"remembered\":%" PRIu64
		",\"validated\":%" PRIu64 ",\"limits\":%" PRIu64 ",\"payloads\":", s->run_done, s->run_next, s->run_ms, age_of(s, now), s->remembered, s->validated,
		s->limits);
	json_payloads(s->total, out);
	strbuf_puts(out, ",\"tals\":[");
	for (const struct status_anchor *a = s->anchors; a != NULL; a = a->next) {
		strbuf_puts(out, a != s->anchors ? ",{" : "{");
		json_text(out, "name", a->name);
		strbuf_printf(out, ",\"usable\":%s,\"points\":%" PRIu64 ",\"pointsFailed\":%" PRIu64 ",\"pointsKept\":%" PRIu64 ",\"refused\":%" PRIu64
			",\"heldBack\":%" PRIu64 ",\"payloads\":", a->usable ? "true" : "false", a->objects.points, a->objects.points_failed, a->objects.points_kept,
			invalid_of(&a->objects), a->held_back);
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
			",\"serial\":%" PRIu64 "}", status_way_text(r->way), status_outcome_text(r->outcome), r->fallback ? "true" : "false", r->tried, r->succeeded,
			r->duration_ms, r->serial);
	}
	strbuf_puts(out, "],\"alarms\":[");
	for (const struct status_alarm *a = s->alarms; a != NULL; a = a->next) {
		strbuf_puts(out, a != s->alarms ? ",{" : "{");
		json_text(out, "what", a->what);
		strbuf_printf(out, ",\"gravity\":\"%s\",\"since\":%" PRId64 "}", gravity_names[a->gravity], a->since);
	}
	strbuf_puts(out, "]}\n");
}

static int show(const struct conf *c, bool json)
{
	const char *dir = conf_text(conf_single(c, CLAUSE_RPKI), OPT_RPKI_CACHE_DIR);
	AUTO_CHARS char *path = mem_printf("%s/" STATUS_FILE_NAME, dir != NULL ? dir : "");
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(COMMAND_TEXT_MAX);
	AUTO(status_free) struct status *s = NULL;
	int64_t now = clock_read().wall_sec, most = conf_int(conf_single(c, CLAUSE_RTR), OPT_RTR_EXPIRE);
	struct result r;

	if (path == NULL || out == NULL)
		return command_fail("status", "%s", err_text(ERR_NOMEM));
	r = status_file_read(path, &s);
	if (r.e == ERR_NOTFOUND)
		return command_fail("status", "%s: there is no such file: no daemon with this configuration has finished a run", path);
	if (!OK(r))
		return command_fail("status", "%s: %s", path, r.e == ERR_SYSTEM ? strerror(errno) : r.e == ERR_FORMAT ? "damaged, or of another version" : err_text(r.e));
	if (json)
		put_json(s, now, out);
	else
		put_words(s, now, out);
	if (!command_print(out) || fflush(stdout) != 0)
		return command_fail("status", "the output cannot be written");
	return age_of(s, now) >= 0 && age_of(s, now) <= most ? 0 : 1;
}

int command_status(int argc, char **argv)
{
	static const struct option longs[] = { { "json", no_argument, NULL, 'j' }, { "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 } };
	const char *path = command_conf_path();
	AUTO(conf_free) struct conf *conf = NULL;
	bool json = false;
	int c;

	while ((c = getopt_long(argc, argv, "c:jh", longs, NULL)) != -1) {
		if (c == 'c')
			path = optarg;
		else if (c == 'j')
			json = true;
		else
			return command_usage("status");
	}
	if (optind != argc)
		return command_usage("status");
	return OK(command_conf("status", path, &conf)) ? show(conf, json) : COMMAND_ERROR;
}
