/*
 * routes.c: "route [ADDRESS | PREFIX | NAME]": what is known of the route to an address; what covers a prefix, and what is announced of it; for a name the routes to the servers
 * of its zone and to its own addresses. The name is resolved as a client's question would be; then the addresses of servers that no referral brought are asked for.
 */
#include <stdio.h>
#include <string.h>

#include "resolver/control/route_shown.h"
#include "resolver/control/verbs.h"
#include "resolver/core/alias.h"
#include "resolver/core/deleg.h"

#define SHOWN_MAX (1u << 20)
#define ROUTE_WAIT_MS 15000u /* for the answers of one round */
#define ROUTE_NAMES 8u       /* aliases that are followed */
#define ROUTE_ADDRS 64u      /* addresses of the name that are shown */
#define ROUTE_ASKED 64u      /* questions for addresses of servers */

struct route_job {
	struct name names[ROUTE_NAMES]; /* as asked, then where aliases lead */
	size_t name_count;
	struct addr addrs[ROUTE_ADDRS];
	size_t addr_count;
	bool failed;
	uint16_t rcode;
	uint32_t round;                 /* answers of others come too late */
	uint32_t outstanding;
	timer_h timer;
};

static struct route_scene scene_of(const struct command *c, const struct route_sheet *s)
{
	return (struct route_scene){ .sheet = s, .now = loop_now(c->loop) };
}

static void reply_nothing_known(struct command *c)
{
	if (c->words.json)
		strbuf_puts(c->out, "{\"data\":null}\n");
	else
		reply_line(c, "nothing is known of routes: route-validation: has neither rtr-server: nor a source of routes");
	if (c->words.json)
		c->part = REPLY_ENDED;
}

/* --- at once: addresses, prefixes, where data come from */

static void text_at_once(const struct route_scene *s, const struct addr *a, const struct prefix *p, struct strbuf *out)
{
	char text[ADDR_TEXT];

	if (a != NULL)
		route_text_addr(s, a, addr_text(a, text), 0, out);
	else if (p != NULL)
		route_text_prefix(s, p, out);
	route_text_vrps(s, out);
	if (a != NULL)
		return;
	route_text_rtrs(s, out);
	route_text_sources(s, out);
}

static void json_at_once(const struct route_scene *s, const struct addr *a, const struct prefix *p, struct strbuf *out)
{
	struct json_out j = { .out = out };

	json_open(&j, NULL, '{');
	if (a != NULL)
		route_json_addr(s, a, &j);
	else if (p != NULL)
		route_json_prefix(s, p, &j);
	route_json_data(s, &j);
	json_close(&j, '}');
	strbuf_putc(out, '\n');
}

static void show_at_once(struct command *c, const struct route_sheet *sheet, const struct addr *a, const struct prefix *p)
{
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(SHOWN_MAX);
	struct route_scene s = scene_of(c, sheet);

	if (out == NULL) {
		reply_error(c, "out of memory");
		return;
	}
	if (c->words.json) {
		json_at_once(&s, a, p, c->out);
		c->part = REPLY_ENDED;
		return;
	}
	text_at_once(&s, a, p, out);
	reply_lines(c, strbuf_text(out));
}

/* --- a name: what is shown of it */

static const char *policy_text(enum route_policy p)
{
	static const char *const texts[] = { [ROUTE_POLICY_OFF] = "off", [ROUTE_POLICY_LOG] = "log", [ROUTE_POLICY_PREFER] = "prefer",
		[ROUTE_POLICY_NOT_INVALID] = "require-not-invalid", [ROUTE_POLICY_VALID] = "require-valid" };

	return texts[p];
}

static const char *source_text(const struct deleg *d)
{
	static const char *const texts[] = { [DELEG_REFERRAL] = "referral", [DELEG_STUB] = "stub-zone", [DELEG_FORWARD] = "forward-zone", [DELEG_HINTS] = "root-hints" };

	return texts[d->source];
}

/* The servers that would be asked about name i; NULL: none are known, or they are those of an earlier name, or there is no memory. */
static struct deleg *deleg_of(struct command *c, size_t i) IN_ARENA;
static struct deleg *deleg_of(struct command *c, size_t i)
{
	struct deleg_env e = { .arena = c->arena, .settings = daemon_plan(c->daemon)->core, .cache = daemon_shared(c->daemon)->rrcache, .now = loop_now(c->loop) };
	struct deleg *d = NULL, *before = NULL;

	if (!OK(deleg_find(&e, c->route->names[i], RR_A, 0, &d)) || d == NULL)
		return NULL;
	for (size_t k = 0; k < i; k++)
		if (OK(deleg_find(&e, c->route->names[k], RR_A, 0, &before)) && before != NULL && name_equal(before->zone, d->zone))
			return NULL;
	(void)OK(deleg_refresh(&e, d)); /* what was found out for it meanwhile */
	return d;
}

static bool has_address(const struct deleg *d, size_t target)
{
	for (size_t i = 0; i < d->server_count; i++)
		if (d->servers[i].target == target)
			return true;
	return false;
}

static void text_zone(struct command *c, const struct route_scene *s, const struct deleg *d, struct strbuf *out)
{
	char name[NAME_TEXT], at[ADDR_TEXT], head[NAME_TEXT + ADDR_TEXT + 16];

	strbuf_printf(out, "zone %s by %s, policy %s\n", name_to_text(d->zone, name), source_text(d), policy_text(settings_route_policy(daemon_plan(c->daemon)->core, d->zone)));
	for (size_t i = 0; i < d->server_count; i++) {
		const struct deleg_server *x = &d->servers[i];
		bool named = x->target < d->target_count;

		(void)snprintf(head, sizeof head, "server %s%s%s", named ? name_to_text(d->targets[x->target].name, name) : "", named ? " " : "", addr_text(&x->at.a, at));
		route_text_addr(s, &x->at.a, head, 2, out);
	}
	for (size_t i = 0; i < d->target_count; i++)
		if (!has_address(d, i))
			strbuf_printf(out, "  server %s: no address is known\n", name_to_text(d->targets[i].name, name));
}

static void json_zone(struct command *c, const struct route_scene *s, const struct deleg *d, struct json_out *j)
{
	json_open(j, NULL, '{');
	json_put_name(j, "name", d->zone);
	json_put_text(j, "source", source_text(d));
	json_put_text(j, "policy", policy_text(settings_route_policy(daemon_plan(c->daemon)->core, d->zone)));
	json_open(j, "servers", '[');
	for (size_t i = 0; i < d->server_count; i++) {
		const struct deleg_server *x = &d->servers[i];

		json_open(j, NULL, '{');
		json_put_name(j, "name", x->target < d->target_count ? d->targets[x->target].name : (struct name){ .wire = NULL });
		route_json_addr(s, &x->at.a, j);
		json_close(j, '}');
	}
	for (size_t i = 0; i < d->target_count; i++) {
		if (has_address(d, i))
			continue;
		json_open(j, NULL, '{');
		json_put_name(j, "name", d->targets[i].name);
		json_put_text(j, "address", NULL);
		json_close(j, '}');
	}
	json_close(j, ']');
	json_close(j, '}');
}

static void text_name(struct command *c, const struct route_scene *s, struct strbuf *out)
{
	const struct route_job *r = c->route;
	char name[NAME_TEXT], at[ADDR_TEXT], head[ADDR_TEXT + 16], rcode[RRTYPE_TEXT];

	for (size_t i = 0; i < r->name_count; i++)
		strbuf_printf(out, "%s%s%s", i == 0 ? "" : " is an alias of ", name_to_text(r->names[i], name), i + 1 == r->name_count ? "\n" : "");
	for (size_t i = 0; i < r->name_count; i++) {
		const struct deleg *d = deleg_of(c, i);

		if (d != NULL)
			text_zone(c, s, d, out);
	}
	if (r->addr_count == 0)
		strbuf_printf(out, "no address: %s\n", r->failed ? rcode_text(r->rcode, rcode) : "there is none");
	for (size_t i = 0; i < r->addr_count; i++) {
		(void)snprintf(head, sizeof head, "address %s", addr_text(&r->addrs[i], at));
		route_text_addr(s, &r->addrs[i], head, 0, out);
	}
	route_text_vrps(s, out);
}

static void json_of_name(struct command *c, const struct route_scene *s, struct strbuf *out)
{
	const struct route_job *r = c->route;
	struct json_out j = { .out = out };
	char rcode[RRTYPE_TEXT];

	json_open(&j, NULL, '{');
	json_put_name(&j, "name", r->names[0]);
	json_open(&j, "aliases", '[');
	for (size_t i = 1; i < r->name_count; i++)
		json_put_name(&j, NULL, r->names[i]);
	json_close(&j, ']');
	json_put_text(&j, "failure", r->failed ? rcode_text(r->rcode, rcode) : NULL);
	json_open(&j, "zones", '[');
	for (size_t i = 0; i < r->name_count; i++) {
		const struct deleg *d = deleg_of(c, i);

		if (d != NULL)
			json_zone(c, s, d, &j);
	}
	json_close(&j, ']');
	json_open(&j, "addresses", '[');
	for (size_t i = 0; i < r->addr_count; i++) {
		json_open(&j, NULL, '{');
		route_json_addr(s, &r->addrs[i], &j);
		json_close(&j, '}');
	}
	json_close(&j, ']');
	route_json_data(s, &j);
	json_close(&j, '}');
	strbuf_putc(out, '\n');
}

static void show_name(struct command *c)
{
	AUTO(route_sheet_unref) struct route_sheet *sheet = route_board_get(daemon_shared(c->daemon)->routes);
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(SHOWN_MAX);
	struct route_scene s = scene_of(c, sheet);

	if (sheet == NULL) {
		reply_nothing_known(c);
	} else if (out == NULL) {
		reply_error(c, "out of memory");
	} else if (c->words.json) {
		json_of_name(c, &s, c->out);
		c->part = REPLY_ENDED;
	} else {
		text_name(c, &s, out);
		reply_lines(c, strbuf_text(out));
	}
}

/* --- a name: what is asked for */

static void go_on(struct command *c);

static void end_round(struct command *c)
{
	struct route_job *r = c->route;

	loop_timer_stop(c->loop, &r->timer);
	r->round++;
	r->outstanding = 0;
	go_on(c);
}

static void on_time(struct loop *l, void *object)
{
	struct command *c = object;

	(void)l;
	c->route->timer = (timer_h){ 0 };
	end_round(c);
}

static void take_addr(struct route_job *r, struct addr a)
{
	for (size_t i = 0; i < r->addr_count; i++)
		if (addr_equal(&r->addrs[i], &a))
			return;
	if (r->addr_count < ROUTE_ADDRS)
		r->addrs[r->addr_count++] = a;
}

static void take_addrs(struct route_job *r, const struct rrset *rs)
{
	for (size_t i = 0; i < rs->count; i++) {
		struct span data = rrset_rdata(rs, i);
		struct addr a = { .family = rs->type == RR_A ? ADDR_V4 : ADDR_V6 };

		if (data.n != addr_octets(&a))
			continue;
		memcpy(a.b, data.p, data.n);
		take_addr(r, a);
	}
}

static void take_alias(struct command *c, const struct rrset *rs)
{
	struct route_job *r = c->route;
	struct name target;

	if (!alias_target(rs, &target))
		return;
	for (size_t i = 0; i < r->name_count; i++)
		if (name_equal(r->names[i], target))
			return;
	target = name_dup_in(c->arena, target);
	if (r->name_count < ROUTE_NAMES && target.wire != NULL)
		r->names[r->name_count++] = target;
}

static void take_answer(struct command *c, const struct answer *a)
{
	if (a->rcode != RCODE_NOERROR) {
		c->route->failed = true;
		c->route->rcode = a->rcode;
	}
	for (size_t i = 0; i < a->answer_count; i++) {
		const struct rrset *rs = a->sets[i].rs;

		if (rs->type == RR_A || rs->type == RR_AAAA)
			take_addrs(c->route, rs);
		else if (rs->type == RR_CNAME)
			take_alias(c, rs);
	}
}

static void on_answer(struct loop *l, void *object, uint32_t tag, const struct answer *a)
{
	struct command *c = object;
	struct route_job *r = c->route;

	(void)l;
	if (tag != r->round)
		return;
	if (tag == 0 && a != NULL)
		take_answer(c, a);
	if (--r->outstanding == 0)
		end_round(c);
}

static void ask(struct command *c, struct name n, uint16_t type)
{
	struct resolve_request q = { .q = { n, type, CLASS_IN } };

	if (OK(daemon_ask(c->daemon, &q, &command_loop_type, c->self.v, c->route->round, on_answer)))
		c->route->outstanding++;
}

static bool wait_for_round(struct command *c)
{
	struct route_job *r = c->route;

	return r->outstanding > 0 && OK(loop_timer(c->loop, &command_loop_type, c->self.v, on_time, ROUTE_WAIT_MS, &r->timer));
}

/* Names of servers of which no address is at hand. */
static bool ask_for_servers(struct command *c)
{
	const struct core_settings *s = daemon_plan(c->daemon)->core;

	for (size_t i = 0; i < c->route->name_count; i++) {
		const struct deleg *d = deleg_of(c, i);

		for (size_t k = 0; d != NULL && k < d->target_count; k++) {
			const struct deleg_target *t = &d->targets[k];

			if (t->state[FAMILY_V4] == TARGET_UNASKED && s->ipv4 && c->route->outstanding < ROUTE_ASKED)
				ask(c, t->name, RR_A);
			if (t->state[FAMILY_V6] == TARGET_UNASKED && s->ipv6 && c->route->outstanding < ROUTE_ASKED)
				ask(c, t->name, RR_AAAA);
		}
	}
	return wait_for_round(c);
}

static void go_on(struct command *c)
{
	if (c->route->round == 1 && ask_for_servers(c))
		return;
	c->waiting = false;
	show_name(c);
	command_resume(c);
}

static void begin_name(struct command *c)
{
	struct route_job *r = arena_alloc(c->arena, sizeof *r);

	if (r == NULL) {
		reply_error(c, "out of memory");
		return;
	}
	c->route = r;
	r->names[r->name_count++] = name_of(&c->name);
	c->waiting = true;
	ask(c, r->names[0], RR_A);
	ask(c, r->names[0], RR_AAAA);
	if (!wait_for_round(c)) {
		c->waiting = false;
		reply_error(c, "out of memory");
	}
}

/* --- the verb */

static bool is_inet(const struct addr *a)
{
	return a->family == ADDR_V4 || a->family == ADDR_V6;
}

static void verb_route(struct command *c)
{
	AUTO(route_sheet_unref) struct route_sheet *s = route_board_get(daemon_shared(c->daemon)->routes);
	const char *word = c->words.count > 1 ? c->words.word[1] : NULL;
	struct addr a;
	struct prefix p;

	if (word != NULL && strchr(word, '/') != NULL && !OK(prefix_parse(word, &p))) {
		reply_error(c, "found %s, expected ADDRESS/LENGTH with no bits set beyond its length", word);
		return;
	}
	if (s == NULL)
		reply_nothing_known(c);
	else if (word == NULL)
		show_at_once(c, s, NULL, NULL);
	else if (strchr(word, '/') != NULL)
		show_at_once(c, s, NULL, &p);
	else if (OK(addr_parse(word, &a)) && is_inet(&a))
		show_at_once(c, s, &a, NULL);
	else if (command_name(c, 1, &c->name))
		begin_name(c);
}

const struct verb route_verbs[] = {
	{ "route", 0, 1, verb_route, "[ADDRESS | PREFIX | NAME]" },
	{ NULL, 0, 0, NULL, NULL },
};
