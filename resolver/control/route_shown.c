#include "resolver/control/route_shown.h"

#include <inttypes.h>

uint64_t route_age_sec(const struct route_scene *s, uint64_t mono_ms)
{
	uint64_t now = now_ms(s->now);

	return now > mono_ms ? (now - mono_ms) / 1000 : 0;
}

/* A route has a time of its own, or that of its source. */
static uint64_t age_of(const struct route_scene *s, const struct announced_route *r, const struct route_source *from)
{
	if (r->since != 0)
		return s->now->wall_sec > (int64_t)r->since ? (uint64_t)(s->now->wall_sec - (int64_t)r->since) : 0;
	return from != NULL ? route_age_sec(s, from->at_ms) : 0;
}

static struct prefix host_of(const struct addr *a)
{
	return (struct prefix){ .a = *a, .len = a->family == ADDR_V4 ? 32 : 128 };
}

/* --- what covers a prefix */

struct covering {
	struct vrp vrp[ROUTE_SHOWN_VRPS];
	size_t shown, all;
};

static bool take_vrp(void *ctx, const struct vrp *v)
{
	struct covering *c = (struct covering *)ctx;

	if (c->shown < ROUTE_SHOWN_VRPS)
		c->vrp[c->shown++] = *v;
	c->all++;
	return true;
}

static void text_vrp_list(const struct covering *c, unsigned int indent, struct strbuf *out)
{
	char text[ADDR_TEXT];

	for (size_t i = 0; i < c->shown; i++) {
		struct prefix p = vrp_prefix(&c->vrp[i]);

		strbuf_printf(out, "%*s", (int)indent, "");
		strbuf_printf(out, "VRP %s/%u-%u AS%u\n", addr_text(&p.a, text), p.len, c->vrp[i].maxlen, c->vrp[i].asn);
	}
	if (c->all > c->shown)
		strbuf_printf(out, "%*s%zu more VRPs\n", (int)indent, "", c->all - c->shown);
}

static void json_vrp(struct json_out *j, const char *name, const struct vrp *v)
{
	struct prefix p = vrp_prefix(v);

	json_open(j, name, '{');
	json_put_prefix(j, "prefix", &p);
	json_put_number(j, "max_length", v->maxlen);
	json_put_number(j, "origin", v->asn);
	json_close(j, '}');
}

static void json_vrp_list(struct json_out *j, const struct covering *c)
{
	json_open(j, "vrps", '[');
	for (size_t i = 0; i < c->shown; i++)
		json_vrp(j, NULL, &c->vrp[i]);
	json_close(j, ']');
	json_put_number(j, "vrps_in_all", c->all);
}

/* --- routes */

static void text_origin(uint32_t origin, struct strbuf *out)
{
	if (origin != 0)
		strbuf_printf(out, "AS%u", origin);
	else
		strbuf_puts(out, "a set of ASes");
}

static void text_told(const struct route_scene *s, const struct announced_route *r, struct strbuf *out)
{
	const struct route_source *from = route_sheet_source(s->sheet, r->source);

	if (from != NULL)
		strbuf_printf(out, "told by %s, %" PRIu64 " s ago", from->name, age_of(s, r, from));
	else
		strbuf_puts(out, "told by a source that is gone");
}

static void text_route(const struct route_scene *s, const struct prefix *p, const struct announced_route *r, const char *word, unsigned int indent, struct strbuf *out)
{
	struct route_verdict v = route_judge_one(s->sheet->view, p, r);
	char text[ADDR_TEXT];

	strbuf_printf(out, "%*s%s%s/%u by ", (int)indent, "", word, addr_text(&p->a, text), p->len);
	text_origin(r->origin, out);
	strbuf_printf(out, ": %s, ", verdict_state_text(v.state));
	text_told(s, r, out);
	strbuf_putc(out, '\n');
}

static void json_route(const struct route_scene *s, struct json_out *j, const char *name, const struct prefix *p, const struct announced_route *r)
{
	const struct route_source *from = route_sheet_source(s->sheet, r->source);
	struct route_verdict v = route_judge_one(s->sheet->view, p, r);

	json_open(j, name, '{');
	json_put_prefix(j, "prefix", p);
	if (r->origin != 0)
		json_put_number(j, "origin", r->origin);
	else
		json_put_text(j, "origin", NULL);
	json_put_text(j, "state", verdict_state_text(v.state));
	json_put_text(j, "source", from != NULL ? from->name : NULL);
	json_put_number(j, "age_sec", age_of(s, r, from));
	json_close(j, '}');
}

static bool same_route(const struct announced_route *a, const struct announced_route *b)
{
	return a->origin == b->origin && a->source == b->source && a->path == b->path;
}

/* Those of the prefix beside the one that decided, or all of them: NULL. */
static void text_others(const struct route_scene *s, const struct announced_routes *routes, const struct announced_route *but, const char *word, unsigned int indent, struct strbuf *out)
{
	size_t shown = 0;

	for (size_t i = 0; i < routes->n; i++) {
		struct announced_route r = announced_at(routes, i);

		if (but != NULL && same_route(&r, but))
			continue;
		if (shown++ < ROUTE_SHOWN_ROUTES)
			text_route(s, &routes->prefix, &r, word, indent, out);
	}
	if (shown > ROUTE_SHOWN_ROUTES)
		strbuf_printf(out, "%*s%zu more routes\n", (int)indent, "", shown - ROUTE_SHOWN_ROUTES);
}

static void json_routes(const struct route_scene *s, struct json_out *j, const char *name, const struct announced_routes *routes)
{
	json_open(j, name, '[');
	for (size_t i = 0; i < routes->n && i < ROUTE_SHOWN_ROUTES; i++) {
		struct announced_route r = announced_at(routes, i);

		json_route(s, j, NULL, &routes->prefix, &r);
	}
	json_close(j, ']');
}

/* --- an address */

/* What is announced for it, whether or not there are VRPs to judge it by. */
static bool find_routes(const struct route_scene *s, const struct addr *a, struct announced_routes *ret)
{
	return route_view_find(s->sheet->view, a, ret);
}

void route_text_addr(const struct route_scene *s, const struct addr *a, const char *head, unsigned int indent, struct strbuf *out)
{
	struct route_verdict v = route_judge(s->sheet->view, a);
	struct prefix p = v.has_route ? v.route : host_of(a);
	struct announced_routes routes = { .n = 0 };
	struct covering c = { .shown = 0 };

	strbuf_printf(out, "%*s%s: %s%s\n", (int)indent, "", head, verdict_state_text(v.state), v.contested ? ", contested" : "");
	if (v.has_route || v.has_vrp) {
		strbuf_printf(out, "%*s", (int)indent + 2, "");
		verdict_evidence(&v, out);
		strbuf_putc(out, '\n');
	}
	if (v.has_route) {
		strbuf_printf(out, "%*s", (int)indent + 2, "");
		text_told(s, &v.from, out);
		strbuf_putc(out, '\n');
	}
	if (find_routes(s, a, &routes))
		text_others(s, &routes, v.has_route ? &v.from : NULL, v.has_route ? "also " : "", indent + 2, out);
	route_view_covering(s->sheet->view, &p, take_vrp, &c);
	if (c.all > 1)
		text_vrp_list(&c, indent + 2, out);
}

void route_json_addr(const struct route_scene *s, const struct addr *a, struct json_out *j)
{
	struct route_verdict v = route_judge(s->sheet->view, a);
	struct prefix p = v.has_route ? v.route : host_of(a);
	struct announced_routes routes = { .n = 0 };
	struct covering c = { .shown = 0 };
	char text[ADDR_TEXT];

	json_put_text(j, "address", addr_text(a, text));
	json_put_text(j, "state", verdict_state_text(v.state));
	json_put_bool(j, "contested", v.contested);
	if (v.has_route)
		json_route(s, j, "route", &v.route, &v.from);
	else
		json_put_text(j, "route", NULL);
	if (v.has_vrp)
		json_vrp(j, "vrp", &v.vrp);
	else
		json_put_text(j, "vrp", NULL);
	(void)find_routes(s, a, &routes);
	json_routes(s, j, "routes", &routes);
	json_put_number(j, "routes_in_all", routes.n);
	route_view_covering(s->sheet->view, &p, take_vrp, &c);
	json_vrp_list(j, &c);
}

/* --- a prefix */

/* Prefixes inside of one, as the walk comes by them. */
struct inside {
	const struct route_scene *s BORROWED_FIELD;
	const struct prefix *of BORROWED_FIELD;
	struct strbuf *out BORROWED_FIELD;  /* either */
	struct json_out *json BORROWED_FIELD;
	size_t n;
};

static bool show_inside(void *ctx, const struct announced_routes *routes)
{
	struct inside *i = (struct inside *)ctx;

	if (routes->prefix.len == i->of->len)
		return true;
	if (i->n++ >= ROUTE_SHOWN_ROUTES)
		return i->n < 100000; /* counted that far */
	for (size_t k = 0; k < routes->n && k < ROUTE_SHOWN_ROUTES; k++) {
		struct announced_route r = announced_at(routes, k);

		if (i->json != NULL)
			json_route(i->s, i->json, NULL, &routes->prefix, &r);
		else
			text_route(i->s, &routes->prefix, &r, "within: ", 2, i->out);
	}
	return true;
}

void route_text_prefix(const struct route_scene *s, const struct prefix *p, struct strbuf *out)
{
	const struct announced *all = route_view_announced(s->sheet->view);
	struct announced_routes routes = { .n = 0 };
	struct covering c = { .shown = 0 };
	struct inside in = { .s = s, .of = p, .out = out };
	char text[ADDR_TEXT];

	route_view_covering(s->sheet->view, p, take_vrp, &c);
	strbuf_printf(out, "%s/%u: covered by %zu VRP%s\n", addr_text(&p->a, text), p->len, c.all, c.all == 1 ? "" : "s");
	text_vrp_list(&c, 2, out);
	if (all == NULL)
		return;
	if (announced_find_over(all, p, &routes))
		text_others(s, &routes, NULL, "", 2, out);
	else
		strbuf_puts(out, "  nobody has told of a route to all of it\n");
	announced_within(all, p, show_inside, &in);
	if (in.n > ROUTE_SHOWN_ROUTES)
		strbuf_printf(out, "  %zu more prefixes within it\n", in.n - ROUTE_SHOWN_ROUTES);
}

void route_json_prefix(const struct route_scene *s, const struct prefix *p, struct json_out *j)
{
	const struct announced *all = route_view_announced(s->sheet->view);
	struct announced_routes routes = { .n = 0 };
	struct covering c = { .shown = 0 };
	struct inside in = { .s = s, .of = p, .json = j };

	json_put_prefix(j, "prefix", p);
	route_view_covering(s->sheet->view, p, take_vrp, &c);
	json_vrp_list(j, &c);
	if (all != NULL)
		(void)announced_find_over(all, p, &routes);
	json_routes(s, j, "routes", &routes);
	json_put_number(j, "routes_in_all", routes.n);
	json_open(j, "within", '[');
	if (all != NULL)
		announced_within(all, p, show_inside, &in);
	json_close(j, ']');
	json_put_number(j, "prefixes_within", in.n);
}

/* --- where it all comes from */

void route_text_vrps(const struct route_scene *s, struct strbuf *out)
{
	const struct route_sheet *x = s->sheet;

	if (x->cache != NULL)
		strbuf_printf(out, "VRPs: %" PRIu64 " of %s, serial %u, RTR version %u, confirmed %" PRIu64 " s ago\n", x->vrps, x->cache, x->serial, x->version,
		    route_age_sec(s, x->updated_ms));
	else
		strbuf_puts(out, "VRPs: none that have not expired\n");
}

void route_text_rtrs(const struct route_scene *s, struct strbuf *out)
{
	for (size_t i = 0; i < s->sheet->rtr_count; i++) {
		const struct route_rtr *r = &s->sheet->rtrs[i];

		strbuf_printf(out, "  %s: %s%s", r->name, r->connected ? "connected" : "away", r->in_use ? ", in use" : "");
		if (r->has_data)
			strbuf_printf(out, ", %" PRIu64 " VRPs, serial %u, confirmed %" PRIu64 " s ago\n", r->vrps, r->serial, route_age_sec(s, r->updated_ms));
		else
			strbuf_puts(out, ", no data\n");
	}
}

static void json_rtrs(const struct route_scene *s, struct json_out *j)
{
	json_open(j, "rtr_servers", '[');
	for (size_t i = 0; i < s->sheet->rtr_count; i++) {
		const struct route_rtr *r = &s->sheet->rtrs[i];

		json_open(j, NULL, '{');
		json_put_text(j, "name", r->name);
		json_put_bool(j, "connected", r->connected);
		json_put_bool(j, "in_use", r->in_use);
		if (r->has_data) {
			json_put_number(j, "vrps", r->vrps);
			json_put_number(j, "serial", r->serial);
			json_put_number(j, "rtr_version", r->version);
			json_put_number(j, "confirmed_sec", route_age_sec(s, r->updated_ms));
		}
		json_close(j, '}');
	}
	json_close(j, ']');
}

void route_text_sources(const struct route_scene *s, struct strbuf *out)
{
	const struct route_sheet *x = s->sheet;

	if (!x->has_sources) {
		strbuf_puts(out, "announced routes: no source is configured\n");
		return;
	}
	strbuf_printf(out, "announced routes: %" PRIu64 " of %" PRIu64 " prefixes\n", x->routes, x->prefixes);
	for (size_t i = 0; i < x->source_count; i++)
		strbuf_printf(out, "  %s: %" PRIu64 ", read %" PRIu64 " s ago\n", x->sources[i].name, x->sources[i].routes, route_age_sec(s, x->sources[i].at_ms));
}

void route_json_data(const struct route_scene *s, struct json_out *j)
{
	const struct route_sheet *x = s->sheet;

	json_open(j, "data", '{');
	json_put_text(j, "rtr_server", x->cache);
	json_put_number(j, "vrps", x->vrps);
	json_put_number(j, "serial", x->serial);
	json_put_number(j, "rtr_version", x->version);
	if (x->cache != NULL)
		json_put_number(j, "confirmed_sec", route_age_sec(s, x->updated_ms));
	else
		json_put_text(j, "confirmed_sec", NULL);
	json_rtrs(s, j);
	json_put_bool(j, "has_sources", x->has_sources);
	json_put_number(j, "routes", x->routes);
	json_put_number(j, "prefixes", x->prefixes);
	json_open(j, "sources", '[');
	for (size_t i = 0; i < x->source_count; i++) {
		json_open(j, NULL, '{');
		json_put_text(j, "name", x->sources[i].name);
		json_put_number(j, "routes", x->sources[i].routes);
		json_put_number(j, "age_sec", route_age_sec(s, x->sources[i].at_ms));
		json_close(j, '}');
	}
	json_close(j, ']');
	json_close(j, '}');
}
