#include "resolver/serve/answer_route.h"

#include <stdio.h>

#include "base/log.h"
#include "base/strbuf.h"
#include "dns/rrtype.h"
#include "resolver/core/route.h"
#include "resolver/routes/board.h"
#include "resolver/serve/answer_addresses.h"
#include "resolver/serve/serve.h"
#include "resolver/serve/watched.h"
#include "resolver/stats.h"

#define REASON_MAX 400u

struct look {
	struct serve *serve BORROWED_FIELD;
	const struct route_view *view BORROWED_FIELD;
	uint32_t mask;
	struct addr found; /* the address that was looked at last */
};

static bool is_not_invalid(void *ctx, const struct addr *a)
{
	struct look *k = ctx;
	struct route_facts f = route_facts_of(k->view, a); /* before anything is known of routes: watched all the same */
	bool full;

	k->mask |= watched_note(k->serve->env.watched, a, &f, &full);
	if (full)
		stats_inc(k->serve->env.stats, COUNT_ROUTE_FORGOTTEN);
	k->found = *a;
	return verdict_rank(f.state) != 2;
}

static bool find(struct look *k, const struct answer_set *sets, size_t n, struct addr *ret)
{
	for (size_t i = 0; i < n; i++) {
		if (!answer_addresses(sets[i].rs, is_not_invalid, k)) {
			*ret = k->found;
			return true;
		}
	}
	return false;
}

static void say(const struct answer *a, const char *why, bool blocked)
{
	char name[NAME_TEXT], type[RRTYPE_TEXT];

	log_limited(LOG_LEVEL_NOTICE, "answer %s %s: %s: %s", name_to_text(a->q.name, name), rrtype_text(a->q.type, type), why, blocked ? "blocked" : "would be blocked");
}

static void explain(const struct look *k, const struct addr *addr, struct answer_route *j)
{
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(REASON_MAX);

	if (out == NULL)
		return; /* without a text */
	route_say(k->view, addr, out);
	(void)snprintf(j->text, sizeof j->text, "%s", strbuf_text(out));
}

static void block(const struct answer *a, struct answer_route *j)
{
	j->instead = (struct answer){ .q = a->q, .rcode = RCODE_NOERROR, .cacheable = a->cacheable, .ttl = a->ttl, .security = SECURITY_INSECURE };
	j->instead.ede[0] = (struct ede){ EDE_BLOCKED, j->text[0] != '\0' ? j->text : NULL };
	j->instead.ede_count = 1;
}

/* Tells those who watch, unless another policy has spoken already. */
static const struct answer *noted(const struct answer *a, struct answer_route *j) BORROWED;
static const struct answer *noted(const struct answer *a, struct answer_route *j)
{
	if (a->policy != NULL)
		return a;
	if (a != &j->instead)
		j->instead = *a;
	j->note.type = "route";
	j->instead.policy = &j->note;
	return &j->instead;
}

/* The server that a reason is about: "... ADDRESS: route ...". */
static bool server_in(const char *reason, struct addr *ret)
{
	const char *end = strstr(reason, ": route "), *begin = end;
	char text[ADDR_TEXT];

	while (begin != NULL && begin > reason && begin[-1] != ' ')
		begin--;
	if (begin == NULL || (size_t)(end - begin) >= sizeof text)
		return false;
	memcpy(text, begin, (size_t)(end - begin));
	text[end - begin] = '\0';
	return OK(addr_parse(text, ret));
}

/* No server was left that might be asked (require-not-invalid, require-valid). There is no action for SERVFAIL among dnstap's. */
static const struct answer *note_refused(const struct answer *a, struct answer_route *j) BORROWED;
static const struct answer *note_refused(const struct answer *a, struct answer_route *j)
{
	const char *why = a->ede_count > 0 && a->ede[0].text != NULL ? a->ede[0].text : "";
	struct addr server;

	j->note = (struct policy_note){ .match = POLICY_NS_IP };
	policy_note_rule(&j->note, why);
	if (server_in(why, &server))
		policy_note_addr(&j->note, &server);
	return noted(a, j);
}

const struct answer *answer_route_judge(struct serve *s, const struct answer *a, struct answer_route *j)
{
	enum answer_routes policy = s->env.settings->answer_routes;
	struct look k = { .serve = s };
	struct addr addr;
	bool found;

	j->mask = 0;
	j->text[0] = '\0';
	if (a->by_route)
		return note_refused(a, j);
	if (policy == ANSWER_ROUTES_OFF || s->env.routes == NULL || a->sets == NULL)
		return a;
	k.view = route_seat_view(&s->seat, s->env.routes);
	j->number = s->seat.number;
	found = find(&k, a->sets, a->answer_count, &addr);
	if (found) {
		explain(&k, &addr, j);
		say(a, j->text, policy == ANSWER_ROUTES_BLOCK);
		stats_inc(s->env.stats, policy == ANSWER_ROUTES_BLOCK ? COUNT_ROUTE_ANSWERS_BLOCKED : COUNT_ROUTE_ANSWERS_LOGGED);
		if (policy == ANSWER_ROUTES_BLOCK)
			block(a, j);
		j->note = (struct policy_note){ .action = policy == ANSWER_ROUTES_BLOCK ? POLICY_NODATA : POLICY_PASS, .match = POLICY_RESPONSE_IP };
		policy_note_rule(&j->note, j->text);
		policy_note_addr(&j->note, &addr);
		j->mask = k.mask;
		return noted(policy == ANSWER_ROUTES_BLOCK ? &j->instead : a, j);
	} else if (policy == ANSWER_ROUTES_BLOCK && find(&k, a->sets + a->answer_count + a->authority_count, a->additional_count, &addr)) {
		j->instead = *a; /* what comes along is a courtesy, and no reason to block */
		j->instead.additional_count = 0;
		found = true;
	}
	j->mask = k.mask;
	return found && policy == ANSWER_ROUTES_BLOCK ? &j->instead : a;
}

void answer_route_stored(struct serve *s, const struct ans_key *k, uint64_t hash, const struct answer_route *j)
{
	const struct ans_entry *e;

	if (j->mask == 0 || route_board_number(s->env.routes) == j->number)
		return;
	e = anscache_get(s->env.anscache, k, hash);
	if (e != NULL)
		anscache_drop(s->env.anscache, s->env.member, e);
}
