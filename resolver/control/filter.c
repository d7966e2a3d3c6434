/*
 * filter.c: "filter": what the filter is made of. "filter NAME [TYPE]": what it says of a question, and of the answer, as far as that can be made from what the caches have: nobody
 * is asked for it.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "dns/rrtype.h"
#include "resolver/control/verbs.h"
#include "resolver/routes/board.h"
#include "resolver/serve/filter_board.h"
#include "resolver/serve/filtering.h"

#define FILTER_SAID 1024u

static void reply_off(struct command *c)
{
	reply_line(c, "nothing is filtered: filter: has neither rule: nor rule-file:");
}

static const char *told_text(enum filter_told t) BORROWED;
static const char *told_text(enum filter_told t)
{
	static const char *const texts[] = { [FILTER_TOLD_NULL] = "null", [FILTER_TOLD_NXDOMAIN] = "nxdomain", [FILTER_TOLD_NODATA] = "nodata", [FILTER_TOLD_REFUSED] = "refuse",
		[FILTER_TOLD_NOTHING] = "drop" };

	return texts[t];
}

static void show_counts(struct command *c, const struct filter_sheet *s)
{
	const struct filter_counts *n = filter_count(s->filter);

	reply_line(c, "rules: %llu, %llu of them exceptions, %llu with conditions on the answer, %llu tried one by one; %zu octets", (unsigned long long)n->rules,
	    (unsigned long long)n->exceptions, (unsigned long long)n->conditions, (unsigned long long)n->patterns, filter_octets(s->filter));
	reply_line(c, "left out: %llu, %llu of them for a limit; cosmetic or of the machine itself: %llu; taken back: %llu; said twice: %llu", (unsigned long long)n->refused,
	    (unsigned long long)n->over_limit, (unsigned long long)n->skipped, (unsigned long long)n->disabled, (unsigned long long)n->duplicates);
	reply_line(c, "what is blocked: %s, %u s%s", told_text(s->options.told), s->options.ttl, s->options.dry_run ? "; dry run: only counted and logged" : "");
}

static const char *verdict_text(const struct filter_sheet *s, enum filter_verdict v) BORROWED;
static const char *verdict_text(const struct filter_sheet *s, enum filter_verdict v)
{
	if (v == FILTER_BLOCKED)
		return s->options.dry_run ? "would be blocked" : "blocked";
	return v == FILTER_ALLOWED ? "allowed" : "passes";
}

static void show_hit(struct command *c, const struct filter_sheet *s, const char *what, const struct filter_hit *h)
{
	char name[NAME_TEXT], addr[ADDR_TEXT];

	reply_line(c, "%s: %s", what, verdict_text(s, h->verdict));
	if (h->verdict == FILTER_PASS)
		return;
	reply_line(c, "  %s", h->rule);
	reply_line(c, "  of %s:%u%s, for %s", h->source, h->line, h->important ? ", important" : "", name_to_text(h->name, name));
	if (h->address == NULL)
		return;
	if (h->address->origin != 0)
		reply_line(c, "  address %s: route %s, by AS%u", addr_text(&h->address->addr, addr), filter_route_text(h->address->state), h->address->origin);
	else
		reply_line(c, "  address %s: route %s", addr_text(&h->address->addr, addr), filter_route_text(h->address->state));
}

/* The answer is judged by the sheets of now. */
static void show_answer(struct command *c, const struct answer *a)
{
	AUTO(filter_sheet_unref) struct filter_sheet *s = filter_board_get(daemon_shared(c->daemon)->filters);
	AUTO(route_sheet_unref) struct route_sheet *routes = route_board_get(daemon_shared(c->daemon)->routes);
	struct filtering f = { .view = routes != NULL ? routes->view : NULL };
	struct filter_hit h;

	if (s == NULL) {
		reply_off(c);
		return;
	}
	(void)filter_question(s->filter, name_of(&c->name), c->type, &h);
	show_hit(c, s, "question", &h);
	if (h.verdict == FILTER_BLOCKED)
		return;
	if (a == NULL || (a->rcode != RCODE_NOERROR && a->rcode != RCODE_NXDOMAIN)) {
		reply_line(c, "answer: not in the cache");
		return;
	}
	f.filter = s->filter;
	if (OK(filtering_answer(&f, a, 0, c->arena, &h)))
		show_hit(c, s, "answer", &h);
	else
		reply_error(c, "out of memory");
}

static void on_answer(struct loop *l, void *object, uint32_t tag, const struct answer *a)
{
	struct command *c = object;

	(void)l;
	(void)tag;
	c->waiting = false;
	show_answer(c, a);
	command_resume(c);
}

static bool take_type(struct command *c)
{
	c->type = RR_A;
	if (c->words.count < 3 || OK(rrtype_parse(c->words.word[2], &c->type)))
		return true;
	reply_error(c, "found \"%s\", expected a type", c->words.word[2]);
	return false;
}

static void verb_filter(struct command *c)
{
	AUTO(filter_sheet_unref) struct filter_sheet *s = filter_board_get(daemon_shared(c->daemon)->filters);
	struct resolve_request r = { .no_upstream = true };

	if (c->words.count > 1 && (!command_name(c, 1, &c->name) || !take_type(c)))
		return;
	if (s == NULL) {
		reply_off(c);
		return;
	}
	if (c->words.count == 1) {
		show_counts(c, s);
		return;
	}
	r.q = (struct question){ name_of(&c->name), c->type, CLASS_IN };
	if (OK(daemon_ask(c->daemon, &r, &command_loop_type, c->self.v, 0, on_answer)))
		c->waiting = true;
	else
		reply_error(c, "out of memory");
}

const struct verb filter_verbs[] = {
	{ "filter", 0, 2, verb_filter, "[NAME [TYPE]]" },
	{ NULL, 0, 0, NULL, NULL },
};
