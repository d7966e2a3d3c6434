/* routes.c: verbs about routes: what is known of the one to an address, and where that comes from. */
#include <inttypes.h>

#include "base/strbuf.h"
#include "resolver/control/verbs.h"
#include "resolver/routes/board.h"
#include "resolver/worker.h"

#define EVIDENCE_MAX 1000u

static uint64_t age_sec(const struct command *c, uint64_t at_ms)
{
	uint64_t now = now_ms(loop_now(c->loop));

	return now > at_ms ? (now - at_ms) / 1000 : 0;
}

static void tell_caches(struct command *c, const struct route_sheet *s)
{
	if (s->cache != NULL)
		reply_line(c, "VRPs: %" PRIu64 " of %s, serial %u, RTR version %u, confirmed %" PRIu64 " s ago", s->vrps, s->cache, s->serial, s->version, age_sec(c, s->updated_ms));
	else
		reply_line(c, "VRPs: none that have not expired");
}

static void tell_sources(struct command *c, const struct route_sheet *s)
{
	if (!s->has_sources) {
		reply_line(c, "announced routes: no source is configured");
		return;
	}
	reply_line(c, "announced routes: %" PRIu64 " of %" PRIu64 " prefixes", s->routes, s->prefixes);
	for (size_t i = 0; i < s->source_count; i++)
		reply_line(c, "  %s: %" PRIu64 ", read %" PRIu64 " s ago", s->sources[i].name, s->sources[i].routes, age_sec(c, s->sources[i].at_ms));
}

static void tell_verdict(struct command *c, const struct route_sheet *s, const struct addr *a)
{
	struct route_verdict v = route_judge(s->view, a);
	AUTO(strbuf_free) struct strbuf *evidence = strbuf_new(EVIDENCE_MAX);
	const struct route_source *from = v.has_route ? route_sheet_source(s, v.from.source) : NULL;
	char text[ADDR_TEXT];

	if (evidence == NULL) {
		reply_error(c, "out of memory");
		return;
	}
	verdict_evidence(&v, evidence);
	reply_line(c, "%s: %s%s", addr_text(a, text), verdict_state_text(v.state), v.contested ? ", contested" : "");
	if (strbuf_len(evidence) > 0)
		reply_line(c, "  %s", strbuf_text(evidence));
	if (from != NULL)
		reply_line(c, "  told by %s, %" PRIu64 " s ago", from->name, age_sec(c, from->at_ms));
	tell_caches(c, s);
}

static void verb_route(struct command *c)
{
	AUTO(route_sheet_unref) struct route_sheet *s = route_board_get(daemon_shared(c->daemon)->routes);
	struct addr a;

	if (c->words.count > 1 && (!OK(addr_parse(c->words.word[1], &a)) || (a.family != ADDR_V4 && a.family != ADDR_V6))) {
		reply_error(c, "expected: route [ADDRESS]; found %s, which is no address", c->words.word[1]);
	} else if (s == NULL) {
		reply_line(c, "nothing is known of routes: route-validation: has neither rtr-server: nor route-file:");
	} else if (c->words.count > 1) {
		tell_verdict(c, s, &a);
	} else {
		tell_caches(c, s);
		tell_sources(c, s);
	}
}

const struct verb route_verbs[] = {
	{ "route", 0, 1, verb_route, "[ADDRESS]" },
	{ NULL, 0, 0, NULL, NULL },
};
