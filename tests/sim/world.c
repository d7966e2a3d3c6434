/* world.c: drawing the zones, and the model's answers. The servers' behaviour is in servers.c. */
#include "tests/sim/world.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/strbuf.h"
#include "dns/zonefile.h"
#include "tests/sim/heard.h"
#include "tests/sim/signed.h"

#define CHAIN_MAX 8 /* aliases that surely are followed */

static const char *const roots[][2] = {
	{ "198.41.0.4", "2001:503:ba3e::2:30" }, { "170.247.170.2", "2801:1b8:10::b" }, { "192.33.4.12", "2001:500:2::c" },
	{ "199.7.91.13", "2001:500:2d::d" }, { "192.203.230.10", "2001:500:a8::e" }, { "192.5.5.241", "2001:500:2f::f" },
	{ "192.112.36.4", "2001:500:12::d0d" }, { "198.97.190.53", "2001:500:1::53" }, { "192.36.148.17", "2001:7fe::53" },
	{ "192.58.128.30", "2001:503:c27::2:30" }, { "193.0.14.129", "2001:7fd::1" }, { "199.7.83.42", "2001:500:9f::42" },
	{ "202.12.27.33", "2001:dc3::35" },
};

void world_free(struct world *w)
{
	if (w == NULL)
		return;
	heard_free(MOVE(w->heard));
	arena_free(MOVE(w->arena));
	mem_free(w);
}

static void *get(struct world *w, size_t n) IN_ARENA;
static void *get(struct world *w, size_t n)
{
	void *p = arena_alloc(w->arena, n);

	if (p == NULL)
		abort(); /* the simulator's own memory is not what is tested */
	return p;
}

static void add_text(struct world *w, struct model_zone *z, const char *text)
{
	uint8_t room[4096];
	struct writer out = writer_of(room, sizeof room);
	struct name_buf owner;
	struct zone_rr rr;
	const char *msg = "";
	struct model_rr *m = get(w, sizeof *m);

	if (!OK(zone_read_rr(text, z->apex, 3600, &owner, &rr, &out, &msg))) {
		fprintf(stderr, "simulator: \"%s\": %s\n", text, msg);
		abort();
	}
	m->rr = (struct world_rr){ name_dup_in(w->arena, name_of(&owner)), rr.type, rr.ttl,
		span_of(arena_dup(w->arena, rr.rdata.p, rr.rdata.n), rr.rdata.n), false };
	m->next = z->rrs;
	z->rrs = m;
}

static void PRINTF_LIKE(3, 4) add(struct world *w, struct model_zone *z, const char *fmt, ...)
{
	char text[4096];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	add_text(w, z, text);
}

void model_add(struct world *w, struct model_zone *z, struct name owner, uint16_t type, uint32_t ttl, struct span rdata)
{
	struct model_rr *m = get(w, sizeof *m);

	m->rr = (struct world_rr){ owner, type, ttl, rdata, false };
	m->next = z->rrs;
	z->rrs = m;
}

static struct model_server *new_server(struct world *w, const char *a4, const char *a6, enum temper temper) BORROWED;
static struct model_server *new_server(struct world *w, const char *a4, const char *a6, enum temper temper)
{
	struct model_server *v = get(w, sizeof *v);

	v->world = w;
	v->temper = temper;
	if (!OK(addr_parse(a4, &v->v4)) || !OK(addr_parse(a6, &v->v6)))
		abort();
	server_start(v);
	v->next = w->servers;
	w->servers = v;
	w->server_count++;
	return v;
}

static struct model_zone *new_zone(struct world *w, struct model_zone *parent, const char *label) BORROWED;
static struct model_zone *new_zone(struct world *w, struct model_zone *parent, const char *label)
{
	struct model_zone *z = get(w, sizeof *z);
	struct name_buf apex;

	if (!OK(name_from_text(label, parent == NULL ? NULL : &parent->apex, &apex)))
		abort();
	z->apex = name_dup_in(w->arena, name_of(&apex));
	z->parent = parent;
	z->next = w->zones;
	w->zones = z;
	w->zone_count++;
	add(w, z, "@ SOA ns host 1 1800 900 604800 %u", (unsigned int)sim_draw(w->sim, 5, 600));
	return z;
}

static void serves(struct world *w, struct model_server *v, struct model_zone *z)
{
	struct model_serves *x = get(w, sizeof *x);

	x->zone = z;
	x->next = v->zones;
	v->zones = x;
	z->honest += v->temper == HONEST;
	z->empties += v->temper == EMPTY;
}

static enum temper bad_temper(struct world *w)
{
	static const enum temper all[] = { REFUSES, SILENT, SERVFAILS, NOT_EDNS, EMPTY, UPWARD, SELF, SHUTS, GARBAGE, LIAR, LIAR, LIAR_DNAME };
	unsigned int n = sizeof all / sizeof all[0] - (w->o.liars ? 0 : 3);

	return all[sim_draw(w->sim, 0, n - 1)];
}

static enum temper odd_temper(struct world *w)
{
	static const enum temper all[] = { HONEST, HONEST, HONEST, FOLDS_CASE, TRUNCATES, COOKIES, NO_TCP, SLOW, STAMMERS, TWICE, PROMISCUOUS, STUFFS,
		DRIPS };

	return all[sim_draw(w->sim, 0, sizeof all / sizeof all[0] - 1)];
}

/* Number i of the servers in the zone itself, with glue at the parent. */
static struct model_server *own_server(struct world *w, struct model_zone *z, unsigned int i, enum temper temper) BORROWED;
static struct model_server *own_server(struct world *w, struct model_zone *z, unsigned int i, enum temper temper)
{
	char a4[32], a6[48], apex[NAME_TEXT];
	struct model_server *v;

	(void)name_to_text(z->apex, apex);
	(void)snprintf(a4, sizeof a4, "20.%u.%u.53", w->server_count >> 8 & 255, w->server_count & 255);
	(void)snprintf(a6, sizeof a6, "2400:%x::53", w->server_count);
	v = new_server(w, a4, a6, temper);
	serves(w, v, z);
	add(w, z, "@ NS ns%u", i);
	add(w, z, "ns%u A %s", i, a4);
	add(w, z, "ns%u AAAA %s", i, a6);
	add(w, z->parent, "%s NS ns%u.%s", apex, i, apex);
	add(w, z->parent, "ns%u.%s A %s", i, apex, a4);
	add(w, z->parent, "ns%u.%s AAAA %s", i, apex, a6);
	return v;
}

/* The servers of a zone: names in it (with glue at the parent) or in the providers' zone (without). */
static void give_servers(struct world *w, struct model_zone *z, bool broken)
{
	unsigned int n = (unsigned int)sim_draw(w->sim, z == w->provider ? 2 : 1, 3);
	char apex[NAME_TEXT];

	(void)name_to_text(z->apex, apex);
	if (w->provider != NULL && z != w->provider && z->parent != w->provider && sim_chance(w->sim, 300000) && !broken) {
		for (unsigned int i = 0; i < 2; i++) {
			add(w, z, "@ NS ns%u.provider.t0.", i);
			add(w, z->parent, "%s NS ns%u.provider.t0.", apex, i);
			serves(w, w->provider_servers[i], z);
		}
		z->at_provider = true;
		return;
	}
	for (unsigned int i = 0; i < n; i++) {
		bool bad = broken || (i > 0 && sim_chance(w->sim, w->o.bad_servers));
		struct model_server *v = own_server(w, z, i, bad ? bad_temper(w) : i == 0 ? HONEST : odd_temper(w));

		if (z == w->provider)
			w->provider_servers[i] = v;
	}
}

static void fill(struct world *w, struct model_zone *z)
{
	char big[1600] = "";
	unsigned int n = (unsigned int)sim_draw(w->sim, 2, 6);

	for (unsigned int i = 0; i < n; i++) {
		for (unsigned int k = 0; k <= sim_draw(w->sim, 0, 3); k++)
			add(w, z, "h%u %u A 30.%u.%u.%u", i, (unsigned int)sim_draw(w->sim, 0, 900), (unsigned int)sim_draw(w->sim, 0, 255),
			    (unsigned int)sim_draw(w->sim, 0, 255), k + 1);
		if (sim_chance(w->sim, 500000))
			add(w, z, "h%u AAAA 2600:%x::%u", i, (unsigned int)sim_draw(w->sim, 0, 65535), i + 1);
	}
	add(w, z, "clock 60 A 31.0.0.0");
	z->rrs->rr.clock = true;
	add(w, z, "@ MX 10 h0");
	add(w, z, "a.ent.h0 A 30.1.1.1");
	if (sim_chance(w->sim, 400000))
		add(w, z, "*.wild A 30.2.2.2");
	if (sim_chance(w->sim, 300000)) {
		for (unsigned int i = 0; i < 10; i++) {
			(void)snprintf(big, sizeof big, "%0200u", i);
			add(w, z, "big TXT \"%s\"", big);
		}
	}
	z->hosts = n;
}

/* Aliases, once all zones are there: to hosts of other zones, to other aliases, to nothing. */
static void add_aliases(struct world *w)
{
	struct model_zone *targets[256];
	unsigned int n = 0;

	for (struct model_zone *z = w->zones; z != NULL && n < 256; z = z->next) {
		if (z->hosts > 0)
			targets[n++] = z;
	}
	for (unsigned int i = 0; i < n; i++) {
		for (unsigned int k = 0; k < 3; k++) {
			struct model_zone *t = targets[sim_draw(w->sim, 0, n - 1)];
			char apex[NAME_TEXT];

			(void)name_to_text(t->apex, apex);
			if (sim_chance(w->sim, 300000) && t != targets[i] && k == 0)
				add(w, targets[i], "moved DNAME %s", apex);
			else if (sim_chance(w->sim, 800000))
				add(w, targets[i], "c%u CNAME h%u.%s", k, (unsigned int)sim_draw(w->sim, 0, t->hosts), apex);
			else
				add(w, targets[i], "c%u CNAME c%u.%s", k, (unsigned int)sim_draw(w->sim, 0, 2), apex);
		}
	}
}

static void make_root(struct world *w)
{
	struct model_zone *root = new_zone(w, NULL, ".");

	for (unsigned int i = 0; i < sizeof roots / sizeof roots[0]; i++) {
		struct model_server *v = new_server(w, roots[i][0], roots[i][1], HONEST);

		v->root = true;
		serves(w, v, root);
		add(w, root, ". 518400 NS %c.root-servers.net.", 'a' + i);
		add(w, root, "%c.root-servers.net. 518400 A %s", 'a' + i, roots[i][0]);
		add(w, root, "%c.root-servers.net. 518400 AAAA %s", 'a' + i, roots[i][1]);
	}
	w->root = root;
}

/* A delegation at each of many labels. */
static void add_ladder(struct world *w, struct model_zone *from)
{
	for (uint64_t i = sim_draw(w->sim, 2, 9); i > 0; i--) {
		from = new_zone(w, from, "deep");
		give_servers(w, from, false);
	}
	fill(w, from);
}

/* Two zones whose servers have names in the other, without glue: nobody can find them. */
static void add_circle(struct world *w, struct model_zone *top)
{
	char apex[NAME_TEXT];

	for (unsigned int i = 0; i < 2; i++) {
		char label[16];
		struct model_zone *z;

		(void)snprintf(label, sizeof label, "circle%u", i);
		z = new_zone(w, top, label);
		(void)name_to_text(top->apex, apex);
		add(w, top, "circle%u NS ns.circle%u.%s", i, 1 - i, apex);
		add(w, z, "@ NS ns.circle%u.%s", 1 - i, apex);
		z->lost = true;
		z->hosts = 1;
	}
}

static void make_forwarders(struct world *w, enum temper second)
{
	w->forwarders[0] = new_server(w, "40.0.0.1", "2400:ffff::1", FORWARDER);
	w->forwarders[1] = new_server(w, "40.0.0.2", "2400:ffff::2", second);
}

struct world *world_new(struct sim *s, const struct world_options *o)
{
	AUTO(world_free) struct world *w = (struct world *)mem_alloc(sizeof *w);
	struct model_zone *tops[16];

	assert(o->tops >= 1 && o->tops <= 16);
	if (w == NULL || (w->arena = arena_new(0)) == NULL || (w->heard = heard_new()) == NULL)
		return NULL;
	w->sim = s;
	w->o = *o;
	make_root(w);
	for (unsigned int i = 0; i < o->tops; i++) {
		char label[16];

		(void)snprintf(label, sizeof label, "t%u", i);
		tops[i] = new_zone(w, w->root, label);
		give_servers(w, tops[i], false);
	}
	w->provider = new_zone(w, tops[0], "provider");
	give_servers(w, w->provider, false);
	fill(w, w->provider);
	for (unsigned int i = 0; i < o->zones; i++) {
		struct model_zone *z;
		char label[16];
		bool broken = sim_chance(s, o->broken_zones);

		(void)snprintf(label, sizeof label, "z%u", i);
		/* Below a top level, or below another zone. */
		z = new_zone(w, sim_chance(s, 250000) && w->zones->hosts > 0 ? w->zones : tops[sim_draw(s, 0, o->tops - 1)], label);
		give_servers(w, z, broken);
		fill(w, z);
	}
	if (o->deep)
		add_ladder(w, tops[0]);
	add_aliases(w);
	if (o->circles)
		add_circle(w, tops[0]);
	make_forwarders(w, sim_chance(s, 500000) ? FORWARDER_STUFFS : FORWARDER);
	return MOVE(w);
}

/* ---- worlds by hand ------------------------------------------------------------------------------------------------------------------- */

struct world *world_new_by_hand(struct sim *s)
{
	AUTO(world_free) struct world *w = (struct world *)mem_alloc(sizeof *w);

	if (w == NULL || (w->arena = arena_new(0)) == NULL || (w->heard = heard_new()) == NULL)
		return NULL;
	w->sim = s;
	make_root(w);
	make_forwarders(w, FORWARDER);
	return MOVE(w);
}

struct model_zone *world_add_zone(struct world *w, struct model_zone *parent, const char *label)
{
	return new_zone(w, parent, label);
}

struct model_server *world_add_server(struct world *w, struct model_zone *z, enum temper temper)
{
	unsigned int i = 0;

	for (const struct model_rr *m = z->rrs; m != NULL; m = m->next)
		i += m->rr.type == RR_NS && name_equal(m->rr.owner, z->apex);
	return own_server(w, z, i, temper);
}

void world_serve_at(struct world *w, struct model_zone *z, struct model_zone *host)
{
	char apex[NAME_TEXT], at[NAME_TEXT];
	unsigned int i = 0;

	(void)name_to_text(z->apex, apex);
	(void)name_to_text(host->apex, at);
	for (struct model_server *v = w->servers; v != NULL; v = v->next) {
		for (const struct model_serves *x = v->zones; x != NULL; x = x->next) {
			if (x->zone == host) {
				serves(w, v, z);
				i++;
				break;
			}
		}
	}
	while (i-- > 0) {
		add(w, z, "@ NS ns%u.%s", i, at);
		add(w, z->parent, "%s NS ns%u.%s", apex, i, at);
	}
	z->at_provider = true;
	w->provider = host;
}

void world_put(struct world *w, struct model_zone *z, const char *text)
{
	add_text(w, z, text);
}

/* ---- questions ------------------------------------------------------------------------------------------------------------------------ */

void world_question(struct world *w, struct name_buf *ret_name, uint16_t *ret_type)
{
	static const uint16_t types[] = { RR_A, RR_A, RR_A, RR_AAAA, RR_MX, RR_TXT, RR_NS, RR_SOA, RR_CNAME, RR_HTTPS };
	const struct model_zone *z = w->zones;
	char text[64];

	for (uint64_t skip = sim_draw(w->sim, 0, w->zone_count - 1); skip > 0; skip--)
		z = z->next;
	if (w->is_signed && sim_chance(w->sim, 60000)) {
		*ret_type = sim_chance(w->sim, 500000) ? RR_DS : RR_DNSKEY;
		name_copy(ret_name, z->apex);
		return;
	}
	*ret_type = types[sim_draw(w->sim, 0, sizeof types / sizeof types[0] - 1)];
	switch (sim_draw(w->sim, 0, 11)) {
	case 10:
		*ret_type = RR_A;
		(void)snprintf(text, sizeof text, "clock");
		break;
	case 0:
		(void)snprintf(text, sizeof text, "nothing%u", (unsigned int)sim_draw(w->sim, 0, 3));
		break;
	case 1:
		(void)snprintf(text, sizeof text, "below.h%u", (unsigned int)sim_draw(w->sim, 0, 3));
		break;
	case 2:
	case 3:
		(void)snprintf(text, sizeof text, "c%u", (unsigned int)sim_draw(w->sim, 0, 2));
		break;
	case 4:
		(void)snprintf(text, sizeof text, "any%u.wild", (unsigned int)sim_draw(w->sim, 0, 3));
		break;
	case 5:
		(void)snprintf(text, sizeof text, sim_chance(w->sim, 500000) ? "big" : "ent.h0");
		break;
	case 6:
		(void)snprintf(text, sizeof text, "h%u.moved", (unsigned int)sim_draw(w->sim, 0, 2));
		break;
	case 7:
		(void)snprintf(text, sizeof text, "@");
		break;
	default:
		(void)snprintf(text, sizeof text, "h%u", (unsigned int)sim_draw(w->sim, 0, 4));
		break;
	}
	if (strcmp(text, "@") == 0)
		name_copy(ret_name, z->apex);
	else if (!OK(name_from_text(text, &z->apex, ret_name)))
		abort();
}

/* ---- the model ------------------------------------------------------------------------------------------------------------------------ */

/* The zone that is authoritative for a name: the deepest; for the DS of a zone the one above. */
static struct model_zone *zone_of(struct world *w, struct name n, uint16_t type) BORROWED;
static struct model_zone *zone_of(struct world *w, struct name n, uint16_t type)
{
	struct model_zone *best = w->root;

	for (struct model_zone *z = w->zones; z != NULL; z = z->next) {
		if (name_is_under(n, z->apex) && z->apex.labels >= best->apex.labels && !(type == RR_DS && z->parent != NULL && name_equal(n, z->apex)))
			best = z;
	}
	return best;
}

/* May a question about it go wrong, with the network as good as can be? */
static bool is_broken(const struct world *w, const struct model_zone *z)
{
	bool at_provider = false;

	for (; z != NULL; z = z->parent) {
		if (z->honest == 0 || z->empties > 0 || z->lost)
			return true;
		at_provider |= z->at_provider;
	}
	return at_provider && is_broken(w, w->provider);
}

static void take(struct world_answer *a, struct name owner, const struct model_rr *m)
{
	a->rrs[a->count] = m->rr;
	a->rrs[a->count++].owner = owner;
}

/* What a link of the chain is worth: what its zone is, but for denials that say less. */
static void weaken(struct world_answer *a, const struct model_zone *z, uint16_t type, bool weakly)
{
	enum world_security s = z->security;

	/* The keys themselves are as the parent says; the rest is signed by another one. */
	if (type == RR_DNSKEY && z->signing != NULL && z->signing->fault == FAULT_KEY && (z->anchored || z->parent->security == WORLD_SECURE) && !weakly && s == WORLD_BOGUS)
		s = WORLD_SECURE;
	if (s == WORLD_SECURE && weakly)
		s = WORLD_INSECURE;
	if (s == WORLD_BOGUS)
		a->faulty |= z->signing == NULL || z->signing->fault != FAULT_NONE;
	if (s > a->security)
		a->security = s;
}

/* From the root down nothing of it leaves a liar a choice: signed, few iterations, no opt-out. */
static bool is_firm(const struct model_zone *z)
{
	for (; z != NULL; z = z->parent) {
		if (z->switched_off || (z->signing == NULL ? z->security != WORLD_BOGUS : zone_denies_weakly(z, z->apex, true)))
			return false;
	}
	return true;
}

void world_right_answer(struct world *w, struct arena *arena, struct name name, uint16_t type, struct world_answer *ret)
{
	struct name_buf made;
	unsigned int steps = 0;

	*ret = (struct world_answer){ .rcode = RCODE_NOERROR, .firm = true, .rrs = arena_alloc_array(arena, 512, sizeof *ret->rrs) };
	name = name_dup_in(arena, name);
	for (;; steps++) {
		struct model_zone *z = zone_of(w, name, type);
		struct model_find f;

		ret->may_fail |= is_broken(w, z) || steps > CHAIN_MAX;
		ret->zone = z;
		ret->firm &= is_firm(z);
		ret->deniable |= z->empties > 0 && zone_denies_weakly(z, name, false);
		if (steps > 40) {
			ret->may_fail = true;
			return;
		}
		model_find(z, name, &f);
		weaken(ret, z, name_equal(name, z->apex) ? type : 0, f.dname == NULL && (!f.exists || !name_equal(f.source, name)) && zone_denies_weakly(z, name, true));
		if (f.dname != NULL) {
			struct name target = { f.dname->rr.rdata.p, (uint8_t)f.dname->rr.rdata.n, 0 };

			must(name_from_wire(f.dname->rr.rdata, &target));
			take(ret, f.dname->rr.owner, f.dname);
			if (!OK(name_concat(name, name.labels - f.dname->rr.owner.labels, target, &made))) {
				ret->rcode = RCODE_YXDOMAIN;
				return;
			}
			ret->rrs[ret->count++] = (struct world_rr){ name, RR_CNAME, f.dname->rr.ttl,
				span_of(arena_dup(arena, made.b, made.len), made.len), false };
			if (type == RR_CNAME)
				return;
			name = name_dup_in(arena, name_of(&made));
			continue;
		}
		if (!f.exists) {
			ret->rcode = RCODE_NXDOMAIN;
			ret->last_empty = true;
			return;
		}
		ret->last_empty = true;
		for (const struct model_rr *m = z->rrs; m != NULL; m = m->next) {
			if (m->rr.type != type || !name_equal(m->rr.owner, f.source))
				continue;
			take(ret, name, m);
			ret->last_empty = false;
		}
		if (f.cname == NULL || type == RR_CNAME) {
			weaken(ret, z, ret->last_empty ? 0 : type, ret->last_empty && zone_denies_weakly(z, name, false));
			return;
		}
		take(ret, name, f.cname);
		if (!OK(name_from_wire(f.cname->rr.rdata, &name)))
			abort();
	}
}

bool model_cut(const struct model_zone *z, struct name n, uint16_t type, struct name *ret_cut)
{
	bool found = false;

	for (const struct model_rr *m = z->rrs; m != NULL; m = m->next) {
		if (m->rr.type != RR_NS || name_equal(m->rr.owner, z->apex) || !name_is_under(n, m->rr.owner))
			continue;
		if (type == RR_DS && name_equal(n, m->rr.owner))
			continue;
		if (!found || m->rr.owner.labels < ret_cut->labels)
			*ret_cut = m->rr.owner;
		found = true;
	}
	return found;
}

void model_find(const struct model_zone *z, struct name name, struct model_find *ret)
{
	*ret = (struct model_find){ .source = name };
	for (const struct model_rr *m = z->rrs; m != NULL; m = m->next) {
		if (m->rr.type == RR_DNAME && name_is_strictly_under(name, m->rr.owner)) {
			ret->dname = m;
			return;
		}
		ret->exists |= name_is_under(m->rr.owner, name) && name_is_under(m->rr.owner, z->apex);
	}
	if (!ret->exists) {
		/* The closest encloser's wildcard (RFC 4592). */
		for (struct name up = name; up.labels > z->apex.labels && !ret->exists;) {
			struct name_buf star;
			bool encloser = false;

			up = name_parent(up);
			must(name_from_text("*", &up, &star));
			for (const struct model_rr *m = z->rrs; m != NULL; m = m->next) {
				encloser |= name_is_under(m->rr.owner, up);
				if (name_equal(m->rr.owner, name_of(&star))) {
					ret->exists = true;
					ret->source = m->rr.owner;
				}
			}
			if (encloser)
				break;
		}
	}
	for (const struct model_rr *m = z->rrs; m != NULL && ret->exists; m = m->next) {
		if (m->rr.type == RR_CNAME && name_equal(m->rr.owner, ret->source))
			ret->cname = m;
	}
}

uint64_t world_packets(const struct world *w)
{
	return w->packets;
}

void world_some_server(struct world *w, struct endpoint *ret_server)
{
	const struct model_server *v = w->servers;

	for (uint64_t skip = sim_draw(w->sim, 0, w->server_count - 1); skip > 0; skip--)
		v = v->next;
	*ret_server = (struct endpoint){ .a = sim_chance(w->sim, 500000) ? v->v4 : v->v6, .port = 53 };
}

struct name world_some_zone(struct world *w)
{
	const struct model_zone *z = w->zones;

	for (uint64_t skip = sim_draw(w->sim, 0, w->zone_count - 1); skip > 0; skip--)
		z = z->next;
	return z->apex;
}

bool world_fresh_question(struct world *w, struct name_buf *ret_name, uint16_t *ret_type)
{
	const struct model_zone *z = w->zones;
	char text[32];

	while (z != NULL && (z->hosts == 0 || is_broken(w, z)))
		z = z->next;
	if (z == NULL)
		return false;
	(void)snprintf(text, sizeof text, "fresh%u", w->fresh++);
	*ret_type = RR_A;
	return OK(name_from_text(text, &z->apex, ret_name));
}

bool world_was_said(const struct world *w, const struct rrset *rs)
{
	return heard_has(w->heard, rs);
}

void world_half_close(struct world *w)
{
	w->half_closes = true;
}

void world_plant(struct world *w, bool wrong, bool forges)
{
	w->wrong = wrong;
	w->forges = forges;
}

void world_delegate(struct world *w, const char *zone, const char *address4)
{
	add(w, w->root, "%s. NS ns.%s.", zone, zone);
	add(w, w->root, "ns.%s. A %s", zone, address4);
}

void world_guest_ds(struct world *w, const char *zone, const struct span *ds, size_t n)
{
	struct name_buf apex;

	must(name_from_text(zone, NULL, &apex));
	for (size_t i = 0; i < n; i++)
		model_add(w, w->root, name_dup_in(w->arena, name_of(&apex)), RR_DS, 3600, span_of(arena_dup(w->arena, ds[i].p, ds[i].n), ds[i].n));
}

/* ---- configurations --------------------------------------------------------------------------------------------------------------------- */

static const struct model_zone *zone_to_configure(struct world *w) BORROWED;
static const struct model_zone *zone_to_configure(struct world *w)
{
	for (const struct model_zone *z = w->zones; z != NULL; z = z->next) {
		if (z->hosts > 0 && !is_broken(w, z))
			return z;
	}
	return NULL;
}

void world_clauses(struct world *w, enum world_setup setup, struct strbuf *out)
{
	const struct model_zone *z = setup == SETUP_FORWARD_ALL ? w->root : zone_to_configure(w);
	char apex[NAME_TEXT], at[ADDR_TEXT];

	if (setup == SETUP_PLAIN || z == NULL)
		return;
	(void)name_to_text(z->apex, apex);
	strbuf_printf(out, "%s-zone:\n name: \"%s\"\n", setup == SETUP_STUB ? "stub" : "forward", apex);
	if (w->clause != NULL)
		strbuf_puts(out, w->clause);
	if (setup != SETUP_STUB) {
		w->forwarders[0]->forwards = w->forwarders[1]->forwards = z->apex;
		strbuf_puts(out, " forward-addr: 40.0.0.1\n forward-addr: 40.0.0.2\n");
		return;
	}
	for (const struct model_server *v = w->servers; v != NULL; v = v->next) {
		for (const struct model_serves *x = v->zones; x != NULL; x = x->next) {
			if (x->zone == z && v->temper == HONEST)
				strbuf_printf(out, " stub-addr: %s\n", addr_text(&v->v4, at));
		}
	}
	if (sim_chance(w->sim, 300000))
		strbuf_puts(out, " stub-prime: yes\n");
}

/* ---- outages ---------------------------------------------------------------------------------------------------------------------------- */

void world_outage(struct world *w, bool down, bool roots_too)
{
	for (const struct model_server *v = w->servers; v != NULL; v = v->next) {
		if (v->root && !roots_too && down)
			continue;
		sim_node_down(w->sim, &v->v4, down);
		sim_node_down(w->sim, &v->v6, down);
	}
}

/* ---- routes ------------------------------------------------------------------------------------------------------------------------------ */

void world_hijack(struct world *w)
{
	for (struct model_server *v = w->servers; v != NULL; v = v->next) {
		if (!v->root && v->temper >= REFUSES && v->temper < HIJACKED && v->temper != EMPTY)
			v->temper = HIJACKED;
	}
}

size_t world_hijacked(const struct world *w, struct addr *ret, size_t max)
{
	size_t n = 0;

	for (const struct model_server *v = w->servers; v != NULL && n + 2 <= max; v = v->next) {
		if (v->temper == HIJACKED) {
			ret[n++] = v->v4;
			ret[n++] = v->v6;
		}
	}
	return n;
}
