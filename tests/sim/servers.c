/* servers.c: how name servers behave: a plain authoritative server, and the ways in which others fall short of one. */
#include <stdlib.h>

#include "base/mem.h"
#include "base/arena.h"
#include "dns/build.h"
#include "tests/sim/world_inside.h"

#define PLAIN_LIMIT 512

/* One question at a server, being answered. */
struct reply {
	struct model_server *v BORROWED_FIELD;
	struct arena *arena BORROWED_FIELD;
	struct msg_query q;
	struct builder b;
	bool tcp, did_not_fit;
	unsigned int rcode;
	uint16_t flags;
};

static void put(struct reply *r, enum msg_part part, struct name owner, uint16_t type, const struct model_zone *z, struct name source)
{
	struct span rdata[64];
	size_t n = 0;
	uint32_t ttl = UINT32_MAX;
	const struct rrset *rs;

	for (const struct model_rr *m = z->rrs; m != NULL && n < 64; m = m->next) {
		if (m->rr.type == type && name_equal(m->rr.owner, source)) {
			rdata[n++] = m->rr.rdata;
			ttl = m->rr.ttl < ttl ? m->rr.ttl : ttl;
		}
	}
	if (n == 0)
		return;
	rs = rrset_make_in(r->arena, owner, type, CLASS_IN, ttl, rdata, n, 0);
	if (rs == NULL)
		abort();
	if (!build_rrset(&r->b, part, rs, ttl, false, 0) && part != PART_ADDITIONAL)
		r->did_not_fit = true;
}

static void put_soa(struct reply *r, const struct model_zone *z)
{
	put(r, PART_AUTHORITY, z->apex, RR_SOA, z, z->apex);
}

/* The deepest zone of this server that the name belongs to. */
static const struct model_zone *served(const struct model_server *v, struct name n) BORROWED;
static const struct model_zone *served(const struct model_server *v, struct name n)
{
	const struct model_zone *best = NULL;

	for (const struct model_serves *x = v->zones; x != NULL; x = x->next) {
		if (name_is_under(n, x->zone->apex) && (best == NULL || x->zone->apex.labels > best->apex.labels))
			best = x->zone;
	}
	return best;
}

/* The cut between the zone and the name, nearest to the apex; false: none. */
static bool find_cut(const struct model_zone *z, struct name n, uint16_t type, struct name *ret_cut)
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

static void refer(struct reply *r, const struct model_zone *z, struct name cut)
{
	r->flags &= (uint16_t)~MSG_AA;
	put(r, PART_AUTHORITY, cut, RR_NS, z, cut);
	for (const struct model_rr *m = z->rrs; m != NULL; m = m->next) {
		struct name host;

		if (m->rr.type != RR_NS || !name_equal(m->rr.owner, cut) || !OK(name_from_wire(m->rr.rdata, &host)))
			continue;
		put(r, PART_ADDITIONAL, host, RR_A, z, host);
		put(r, PART_ADDITIONAL, host, RR_AAAA, z, host);
	}
}

static void answer(struct reply *r)
{
	struct name n = r->q.q.name, cut;

	for (unsigned int steps = 0; steps < 8; steps++) {
		const struct model_zone *z = served(r->v, n);
		struct model_find f;
		struct name_buf made;

		if (z == NULL) {
			if (steps == 0)
				r->rcode = RCODE_REFUSED;
			return;
		}
		if (find_cut(z, n, r->q.q.type, &cut)) {
			if (steps == 0)
				refer(r, z, cut);
			return;
		}
		model_find(z, n, &f);
		if (f.dname != NULL) {
			struct name target;
			struct span rdata;
			const struct rrset *rs;

			put(r, PART_ANSWER, f.dname->rr.owner, RR_DNAME, z, f.dname->rr.owner);
			if (!OK(name_from_wire(f.dname->rr.rdata, &target)) ||
			    !OK(name_concat(n, n.labels - f.dname->rr.owner.labels, target, &made))) {
				r->rcode = RCODE_YXDOMAIN;
				return;
			}
			rdata = span_of(made.b, made.len);
			rs = rrset_make_in(r->arena, n, RR_CNAME, CLASS_IN, f.dname->rr.ttl, &rdata, 1, 0);
			if (rs == NULL)
				abort();
			(void)build_rrset(&r->b, PART_ANSWER, rs, rs->ttl, false, 0);
			if (r->q.q.type == RR_CNAME)
				return;
			n = name_dup_in(r->arena, name_of(&made));
			continue;
		}
		if (!f.exists) {
			r->rcode = RCODE_NXDOMAIN;
			put_soa(r, z);
			return;
		}
		if (f.cname != NULL && r->q.q.type != RR_CNAME) {
			put(r, PART_ANSWER, n, RR_CNAME, z, f.source);
			if (!OK(name_from_wire(f.cname->rr.rdata, &n)))
				abort();
			continue;
		}
		uint16_t before = r->b.counts[PART_ANSWER];

		put(r, PART_ANSWER, n, r->q.q.type, z, f.source);
		if (r->b.counts[PART_ANSWER] == before && !r->did_not_fit)
			put_soa(r, z);
		return;
	}
}

static void lie(struct reply *r)
{
	static const uint8_t bad[4] = { 66, 66, 6, 6 };
	struct span a = span_of(bad, 4);
	struct name_buf victim;
	const struct rrset *rs, *ns;
	const struct model_zone *z = r->v->world->zones;

	/* Somebody else's name in every section, in the hope that it sticks. */
	must(name_from_text("h0", &z->apex, &victim));
	rs = rrset_make_in(r->arena, name_of(&victim), RR_A, CLASS_IN, 86400, &a, 1, 0);
	(void)build_rrset(&r->b, PART_ANSWER, rs, 86400, false, 0);
	must(name_from_text("ns.liar", NULL, &victim));
	a = span_of(victim.b, victim.len);
	ns = rrset_make_in(r->arena, z->parent == NULL ? z->apex : z->parent->apex, RR_NS, CLASS_IN, 86400, &a, 1, 0);
	(void)build_rrset(&r->b, PART_AUTHORITY, ns, 86400, false, 0);
	a = span_of(bad, 4);
	rs = rrset_make_in(r->arena, name_of(&victim), RR_A, CLASS_IN, 86400, &a, 1, 0);
	(void)build_rrset(&r->b, PART_ADDITIONAL, rs, 86400, false, 0);
}

static bool has_our_cookie(const struct msg_query *q, uint8_t cookie[16])
{
	struct reader o = reader_of(q->edns.options);
	uint16_t code;
	struct span data;

	while (q->edns.present && edns_next_option(&o, &code, &data)) {
		if (code != EDNS_COOKIE || data.n < 8)
			continue;
		memcpy(cookie, data.p, 8);
		memcpy(cookie + 8, "simulate", 8);
		return data.n == 16 && memcmp(data.p + 8, "simulate", 8) == 0;
	}
	memset(cookie, 0, 16);
	return true; /* who has no cookies is served as ever */
}

/* The octets of the reply in out; 0: none. */
static size_t make_reply(struct model_server *v, struct span packet, bool tcp, uint8_t *out, size_t cap)
{
	AUTO(arena_free) struct arena *arena = arena_new(0);
	struct reply r = { .v = v, .arena = arena, .tcp = tcp };
	uint8_t cookie[16];
	bool cookie_ok;
	size_t limit;

	if (arena == NULL)
		abort();
	if (msg_read_query(packet, 0, &r.q) != MSG_GOOD || v->temper == SILENT)
		return 0;
	cookie_ok = has_our_cookie(&r.q, cookie);
	limit = tcp ? cap : r.q.edns.present ? r.q.edns.udp_size : PLAIN_LIMIT;
	r.flags = MSG_QR | MSG_AA | (r.q.flags & MSG_RD);
	if (v->temper == NOT_EDNS && r.q.edns.present)
		r.q.edns.present = false;
	build_start(&r.b, out, cap, limit < cap ? limit : cap, r.q.edns.present ? 40 : 0, r.q.id, r.flags);
	build_question(&r.b, &r.q.q);
	switch (v->temper) {
	case HONEST:
	case FOLDS_CASE:
	case TRUNCATES:
	case NO_TCP:
		answer(&r);
		break;
	case COOKIES:
		if (cookie_ok || tcp)
			answer(&r);
		else
			r.rcode = RCODE_BADCOOKIE;
		break;
	case REFUSES:
		r.rcode = RCODE_REFUSED;
		break;
	case SERVFAILS:
		r.rcode = RCODE_SERVFAIL;
		break;
	case NOT_EDNS:
		r.rcode = RCODE_FORMERR;
		break;
	case UPWARD:
		refer(&r, v->world->root, name_root);
		break;
	case LIAR:
		lie(&r);
		break;
	case EMPTY:
	case SILENT:
		break;
	}
	if (r.did_not_fit || (v->temper == TRUNCATES && !tcp)) {
		build_start(&r.b, out, cap, limit < cap ? limit : cap, r.q.edns.present ? 40 : 0, r.q.id, r.flags | MSG_TC);
		build_question(&r.b, &r.q.q);
	}
	build_set_flags(&r.b, 0, r.flags & MSG_AA ? 0 : MSG_AA);
	build_set_rcode(&r.b, r.rcode & 15);
	if (r.q.edns.present) {
		struct edns_out e = { .udp_size = 1232, .rcode = (uint16_t)r.rcode, .dnssec_ok = r.q.edns.dnssec_ok };

		build_edns_start(&r.b, &e);
		if (v->temper == COOKIES)
			(void)build_edns_option(&r.b, EDNS_COOKIE, span_of(cookie, 16));
		build_edns_end(&r.b);
	}
	size_t n = build_finish(&r.b);

	if (v->temper == FOLDS_CASE && n > 0)
		octets_lower(out + MSG_HEADER, out + MSG_HEADER, r.q.q.name.len);
	return n;
}

static void on_datagram(struct sim *s, void *ctx, const struct endpoint *from, const struct endpoint *to, struct span packet)
{
	struct model_server *v = ctx;
	uint8_t out[4096];
	size_t n;

	v->world->packets++;
	if (to->port != 53)
		return;
	n = make_reply(v, packet, false, out, sizeof out);
	if (n > 0)
		sim_send(s, to, from, span_of(out, n));
}

/* What came on a connection and is not a whole message yet. */
struct pending {
	struct model_server *v BORROWED_FIELD;
	size_t n;
	uint8_t octets[4096];
};

static bool on_connection(struct sim *s, void *ctx, struct sim_conn *c)
{
	struct model_server *v = ctx;
	struct pending *p;

	(void)s;
	v->world->packets++;
	if (v->temper == NO_TCP || v->temper == REFUSES)
		return false;
	p = arena_alloc(v->world->arena, sizeof *p);
	if (p == NULL)
		abort();
	p->v = v;
	sim_conn_set_ctx(c, p);
	return true;
}

static void on_data(struct sim *s, void *ctx, struct sim_conn *c, struct span octets)
{
	struct pending *p = ctx;
	struct model_server *v = p->v;

	if (octets.n > sizeof p->octets - p->n) {
		sim_conn_close(s, c);
		return;
	}
	memcpy(p->octets + p->n, octets.p, octets.n);
	p->n += octets.n;
	while (p->n >= 2 && p->n >= 2u + load16(p->octets)) {
		size_t len = load16(p->octets), n;
		static uint8_t out[2 + 65535];

		n = make_reply(v, span_of(p->octets + 2, len), true, out + 2, 65535);
		if (n > 0) {
			store16(out, (uint16_t)n);
			sim_conn_write(s, c, span_of(out, n + 2));
		}
		p->n -= len + 2;
		memmove(p->octets, p->octets + len + 2, p->n);
	}
}

static void on_closed(struct sim *s, void *ctx, struct sim_conn *c)
{
	(void)s, (void)ctx, (void)c;
}

static const struct sim_node_events server_events = { .datagram = on_datagram, .connection = on_connection, .data = on_data, .closed = on_closed };

void server_start(struct model_server *v)
{
	if (!OK(sim_node(v->world->sim, &v->v4, &server_events, v)) || !OK(sim_node(v->world->sim, &v->v6, &server_events, v)))
		abort();
}

bool world_is_marked(uint16_t type, struct span rdata)
{
	return type == RR_A && rdata.n == 4 && rdata.p[0] == 66 && rdata.p[1] == 66;
}

size_t world_forge(uint8_t *out, size_t cap, uint16_t id, const struct question *q)
{
	AUTO(arena_free) struct arena *arena = arena_new(0);
	static const uint8_t bad[4] = { 66, 66, 66, 66 };
	struct span a = span_of(bad, 4);
	struct builder b;
	const struct rrset *rs = rrset_make_in(arena, q->name, RR_A, CLASS_IN, 86400, &a, 1, 0);

	if (rs == NULL)
		abort();
	build_start(&b, out, cap, cap, 0, id, MSG_QR | MSG_AA);
	build_question(&b, q);
	(void)build_rrset(&b, PART_ANSWER, rs, 86400, false, 0);
	return build_finish(&b);
}
