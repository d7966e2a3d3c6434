/* servers.c: how name servers behave: a plain authoritative server, and the ways in which others fall short of one. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/arena.h"
#include "base/rng.h"
#include "dns/build.h"
#include "tests/sim/heard.h"
#include "tests/sim/signed.h"

#define PLAIN_LIMIT 512
#define MAX_RRS 1000u /* in a set */

/* One question at a server, being answered. */
struct reply {
	struct model_server *v BORROWED_FIELD;
	struct arena *arena BORROWED_FIELD;
	struct msg_query q;
	struct builder b;
	struct proofs proofs; /* denials that belong to what was said so far */
	bool tcp, did_not_fit;
	bool dnssec;          /* the question has DO: signatures are wanted */
	unsigned int rcode;
	uint16_t flags;
};

/* What a clock says now; and what the plants make of an honest address. */
static struct span other_address(const struct reply *r, const struct model_rr *m, uint8_t out[4])
{
	if (r->v->temper == HIJACKED)
		store32(out, UINT32_C(66) << 24 | 66 << 16 | 5);
	else if (r->v->world->sign_plant == PLANT_SIGN_FORGERY)
		store32(out, UINT32_C(66) << 24 | 67 << 16 | 1);
	else if (m->rr.clock)
		store32(out, UINT32_C(31) << 24 | (uint32_t)(sim_now_ns(r->v->world->sim) / 1000000000u));
	else if (r->v->world->forges)
		store32(out, UINT32_C(66) << 24 | 66 << 16 | 1);
	else
		store32(out, load32(m->rr.rdata.p) ^ 1);
	return span_of(out, 4);
}

static bool is_planted(const struct world *w)
{
	return w->wrong || w->forges || w->sign_plant == PLANT_SIGN_FORGERY;
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

static bool serves_above(const struct reply *r, struct name n)
{
	if (r->v->temper == FORWARDER)
		return true;
	if (r->v->temper == FORWARDER_STUFFS)
		return name_is_under(n, r->v->forwards);
	return served(r->v, n) != NULL;
}

/* Puts the set into the reply, and notes what it says of names that this server has a say on. False: no room. */
static bool say(struct reply *r, enum msg_part part, const struct rrset *rs, uint32_t ttl, bool dnssec, struct name source)
{
	if (serves_above(r, rrset_name(rs)))
		heard_add(r->v->world->heard, rs, source);
	return build_rrset(&r->b, part, rs, ttl, dnssec, 0);
}

static void put(struct reply *r, enum msg_part part, struct name owner, uint16_t type, const struct model_zone *z, struct name source)
{
	struct span rdata[MAX_RRS];
	uint8_t changed[4];
	size_t n = 0;
	uint32_t ttl = UINT32_MAX;
	const struct rrset *rs;

	for (const struct model_rr *m = z->rrs; m != NULL && n < MAX_RRS; m = m->next) {
		if (m->rr.type == type && name_equal(m->rr.owner, source)) {
			rdata[n++] = m->rr.rdata;
			ttl = m->rr.ttl < ttl ? m->rr.ttl : ttl;
			if (m->rr.clock || (type == RR_A && part == PART_ANSWER && z->parent != NULL && (is_planted(r->v->world) || r->v->temper == HIJACKED)))
				rdata[n - 1] = other_address(r, m, changed);
		}
	}
	if (n == 0)
		return;
	rs = rrset_make_in(r->arena, owner, type, CLASS_IN, ttl, rdata, n, 0);
	if (rs == NULL)
		abort();
	if (r->dnssec)
		rs = signed_set(r->v, r->arena, z, rs, source);
	if (!say(r, part, rs, ttl, r->dnssec, source) && part != PART_ADDITIONAL)
		r->did_not_fit = true;
}

static void put_proofs(struct reply *r)
{
	for (unsigned int i = 0; i < r->proofs.n; i++) {
		if (!say(r, PART_AUTHORITY, r->proofs.sets[i], r->proofs.sets[i]->ttl, true, rrset_name(r->proofs.sets[i])))
			r->did_not_fit = true;
	}
}

static void put_soa(struct reply *r, const struct model_zone *z)
{
	put(r, PART_AUTHORITY, z->apex, RR_SOA, z, z->apex);
}

/* RFC 4035 section 3.1.4.1: the DS belongs to the zone above, when both are here. */
static const struct model_zone *zone_for(const struct model_server *v, struct name n, uint16_t type) BORROWED;
static const struct model_zone *zone_for(const struct model_server *v, struct name n, uint16_t type)
{
	const struct model_zone *z = served(v, n), *above;

	if (z == NULL || type != RR_DS || z->parent == NULL || !name_equal(n, z->apex))
		return z;
	above = served(v, name_parent(n));
	return above == z->parent ? above : z;
}

static void refer(struct reply *r, const struct model_zone *z, struct name cut)
{
	r->flags &= (uint16_t)~MSG_AA;
	put(r, PART_AUTHORITY, cut, RR_NS, z, cut);
	if (r->dnssec && z->signing != NULL && !(zone_is_watched(z) && r->v->temper == STRIPS)) {
		uint16_t before = r->b.counts[PART_AUTHORITY];

		put(r, PART_AUTHORITY, cut, RR_DS, z, cut);
		if (r->b.counts[PART_AUTHORITY] == before)
			prove_nodata(r->v, r->arena, z, cut, cut, &r->proofs);
		put_proofs(r);
	}
	for (const struct model_rr *m = z->rrs; m != NULL; m = m->next) {
		struct name host;

		if (m->rr.type != RR_NS || !name_equal(m->rr.owner, cut) || !OK(name_from_wire(m->rr.rdata, &host)))
			continue;
		put(r, PART_ADDITIONAL, host, RR_A, z, host);
		put(r, PART_ADDITIONAL, host, RR_AAAA, z, host);
	}
}

static void follow(struct reply *r)
{
	struct name n = r->q.q.name, cut;

	for (unsigned int steps = 0; steps < 8; steps++) {
		const struct model_zone *z = zone_for(r->v, n, r->q.q.type);
		struct model_find f;
		struct name_buf made;

		if (z == NULL) {
			if (steps == 0)
				r->rcode = RCODE_REFUSED;
			return;
		}
		if (model_cut(z, n, r->q.q.type, &cut)) {
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
			(void)say(r, PART_ANSWER, rs, rs->ttl, false, n);
			if (r->q.q.type == RR_CNAME)
				return;
			n = name_dup_in(r->arena, name_of(&made));
			continue;
		}
		if (!f.exists) {
			r->rcode = RCODE_NXDOMAIN;
			put_soa(r, z);
			prove_nxdomain(r->v, r->arena, z, n, &r->proofs);
			return;
		}
		if (f.cname != NULL && r->q.q.type != RR_CNAME) {
			put(r, PART_ANSWER, n, RR_CNAME, z, f.source);
			if (!name_equal(n, f.source))
				prove_expansion(r->v, r->arena, z, n, &r->proofs);
			if (!OK(name_from_wire(f.cname->rr.rdata, &n)))
				abort();
			continue;
		}
		uint16_t before = r->b.counts[PART_ANSWER];

		put(r, PART_ANSWER, n, r->q.q.type, z, f.source);
		if (r->did_not_fit)
			return;
		if (r->b.counts[PART_ANSWER] == before) {
			put_soa(r, z);
			prove_nodata(r->v, r->arena, z, n, f.source, &r->proofs);
		} else if (!name_equal(n, f.source)) {
			prove_expansion(r->v, r->arena, z, n, &r->proofs);
		}
		return;
	}
}

static void answer(struct reply *r)
{
	follow(r);
	if (r->dnssec && (r->flags & MSG_AA) != 0)
		put_proofs(r);
}

static const uint8_t bad[4] = { 66, 66, 6, 6 }, bad_bogus[4] = { 66, 67, 6, 6 };

static void put_one(struct reply *r, enum msg_part part, struct name owner, uint16_t type, struct span rdata)
{
	const struct rrset *rs = rrset_make_in(r->arena, owner, type, CLASS_IN, 86400, &rdata, 1, 0);

	if (rs == NULL)
		abort();
	(void)say(r, part, rs, 86400, false, owner);
}

/* A zone that this server has no say in. NULL: none. */
static const struct model_zone *victim_of(const struct reply *r) BORROWED;
static const struct model_zone *victim_of(const struct reply *r)
{
	for (const struct model_zone *z = r->v->world->zones; z != NULL; z = z->next) {
		if (z->hosts > 0 && !serves_above(r, z->apex))
			return z;
	}
	return NULL;
}

/* Somebody else's names in every section, in the hope that it sticks. */
static void lie(struct reply *r)
{
	const struct model_zone *z = victim_of(r);
	struct name_buf host, liar;

	if (z == NULL) {
		if (r->v->temper == LIAR)
			r->rcode = RCODE_REFUSED; /* nobody to lie about */
		return;
	}
	must(name_from_text("h0", &z->apex, &host));
	must(name_from_text("ns.liar", NULL, &liar));
	put_one(r, PART_ANSWER, name_of(&host), RR_A, span_of(bad, 4));
	put_one(r, PART_AUTHORITY, z->apex, RR_NS, span_of(liar.b, liar.len));
	put_one(r, PART_ADDITIONAL, name_of(&liar), RR_A, span_of(bad, 4));
	put_one(r, PART_ADDITIONAL, name_of(&host), RR_A, span_of(bad, 4));
}

/* A DNAME that moves a tree that is not its own. */
static void lie_dname(struct reply *r)
{
	const struct model_zone *z = victim_of(r);
	struct name_buf liar;

	must(name_from_text("liar", NULL, &liar));
	if (z == NULL)
		r->rcode = RCODE_REFUSED;
	else
		put_one(r, PART_ANSWER, z->apex, RR_DNAME, span_of(liar.b, liar.len));
}

/* Name servers of its own zone that nobody asked for. */
static void promise(struct reply *r)
{
	const struct model_zone *z = served(r->v, r->q.q.name);
	struct name_buf liar;

	if (z == NULL || (r->flags & MSG_AA) == 0 || r->b.counts[PART_ANSWER] == 0)
		return;
	must(name_from_text("evil", &z->apex, &liar));
	put_one(r, PART_AUTHORITY, z->apex, RR_NS, span_of(liar.b, liar.len));
	put_one(r, PART_ADDITIONAL, name_of(&liar), RR_A, span_of(bad, 4));
}

/* An address under this name with the signature of another one. */
static void put_forged(struct reply *r, const struct model_zone *z, struct name n)
{
	struct span items[8] = { span_of(bad, 4) };
	const struct rrset *rs = rrset_make_in(r->arena, n, RR_A, CLASS_IN, 300, items, 1, 0);
	unsigned int count = 1;

	if (rs == NULL)
		abort();
	rs = signed_set(r->v, r->arena, z, rs, n);
	for (unsigned int i = 0; i < rs->sigs && count < 8; i++)
		items[count++] = rrset_sig(rs, i);
	items[0] = span_of(bad_bogus, 4);
	rs = rrset_make_in(r->arena, n, RR_A, CLASS_IN, 300, items, 1, count - 1);
	if (rs == NULL)
		abort();
	(void)say(r, PART_ANSWER, rs, 300, r->dnssec, n);
}

/* Another host's addresses and signatures under this name. false: there is no other. */
static bool put_swapped(struct reply *r, const struct model_zone *z, struct name n)
{
	for (const struct model_rr *m = z->rrs; m != NULL; m = m->next) {
		struct span rdata = m->rr.rdata;
		const struct rrset *rs;

		if (m->rr.type != RR_A || name_equal(m->rr.owner, n) || m->rr.clock)
			continue;
		rs = rrset_make_in(r->arena, m->rr.owner, RR_A, CLASS_IN, m->rr.ttl, &rdata, 1, 0);
		if (rs == NULL)
			abort();
		rs = rrset_renamed_in(r->arena, signed_set(r->v, r->arena, z, rs, m->rr.owner), n);
		if (rs == NULL)
			abort();
		(void)say(r, PART_ANSWER, rs, rs->ttl, r->dnssec, n);
		return true;
	}
	return false;
}

/* Wrong about a zone of its own, which only validation can tell. false: nothing that it could be wrong about and be found out. */
static bool deceive(struct reply *r)
{
	const struct model_zone *z = served(r->v, r->q.q.name);
	struct name n = r->q.q.name, cut;
	struct name_buf other;
	struct model_find f;

	/* Addresses of name servers are believed by those who need them on their way: that costs them the zone, but deceives nobody. */
	if (z == NULL || !zone_is_watched(z) || r->q.q.type != RR_A || model_cut(z, n, RR_A, &cut) ||
	    (n.labels > 0 && name_label(n, 0).n == 3 && octets_equal_nocase(name_label(n, 0).p, (const uint8_t *)"ns", 2)))
		return false;
	model_find(z, n, &f);
	/* There might be an unsigned delegation, also where a wildcard answers: no denial says that there is none (RFC 5155 section 6). */
	if ((!f.exists || !name_equal(f.source, n)) && f.dname == NULL && z->signing->denial == BY_OPT_OUT)
		return false;
	switch (r->v->temper) {
	case FORGES:
		put_one(r, PART_ANSWER, n, RR_A, span_of(bad_bogus, 4));
		return true;
	case FORGES_SIGNED:
		put_forged(r, z, n);
		return true;
	case SWAPS:
		return f.exists && put_swapped(r, z, n);
	default:
		break;
	}
	if (!f.exists && f.dname == NULL)
		return false;
	r->rcode = RCODE_NXDOMAIN;
	r->dnssec &= r->v->temper == REPLAYS;
	put_soa(r, z);
	must(name_from_text("nothing-here", &z->apex, &other));
	if (r->dnssec) {
		prove_nxdomain(r->v, r->arena, z, name_dup_in(r->arena, name_of(&other)), &r->proofs);
		put_proofs(r);
	}
	return true;
}

/* A forwarder's: right, whatever it takes to know it. */
static void recurse(struct reply *r)
{
	struct world_answer want;

	if (r->v->world->is_signed) {
		answer(r);
		r->flags = (uint16_t)((r->flags & ~MSG_AA) | MSG_RA);
		if (r->v->temper == FORWARDER_STUFFS && r->b.counts[PART_AUTHORITY] == 0)
			lie(r);
		return;
	}
	world_right_answer(r->v->world, r->arena, r->q.q.name, r->q.q.type, &want);
	r->flags = (uint16_t)((r->flags & ~MSG_AA) | MSG_RA);
	r->rcode = want.rcode;
	for (size_t i = 0; i < want.count; i++) {
		const struct rrset *rs;
		uint8_t changed[4];
		struct model_rr m = { .rr = want.rrs[i] };
		struct span rdata = want.rrs[i].clock ? other_address(r, &m, changed) : want.rrs[i].rdata;

		rs = rrset_make_in(r->arena, want.rrs[i].owner, want.rrs[i].type, CLASS_IN, want.rrs[i].ttl, &rdata, 1, 0);
		if (rs == NULL)
			abort();
		if (!say(r, PART_ANSWER, rs, rs->ttl, false, rrset_name(rs)))
			r->did_not_fit = true;
	}
	if (want.count == 0 || want.last_empty)
		put_soa(r, want.zone);
	if (r->v->temper == FORWARDER_STUFFS)
		lie(r);
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

static void tell(const struct model_server *v, const struct msg_query *q, bool tcp, const char *what, const struct builder *b)
{
	static const char *const words[] = { "honest", "folds case", "truncates", "cookies", "no tcp", "slow", "stammers", "twice", "promiscuous", "stuffs",
		"drips", "refuses", "silent", "servfails", "no edns", "upward", "liar", "liar dname", "self", "shuts", "garbage", "empty", "hijacked", "forwarder",
		"forwarder that stuffs", "strips", "corrupts", "outdated", "forges", "forges signed", "denies", "replays", "swaps", "no proofs" };
	char name[NAME_TEXT], type[RRTYPE_TEXT], at[ADDR_TEXT];

	if (!sim_verbose(v->world->sim))
		return;
	fprintf(stderr, "%10.3f   %s (%s)%s: %s %s%s", (double)sim_now_ns(v->world->sim) / 1e9, addr_text(&v->v4, at), words[v->temper], tcp ? " tcp" : "",
	    name_to_text(q->q.name, name), rrtype_text(q->q.type, type), what);
	if (b != NULL)
		fprintf(stderr, " -> flags %04x, %u %u %u", load16(b->w.base + 2), b->counts[1], b->counts[2], b->counts[3]);
	fputc('\n', stderr);
}

size_t server_reply(struct model_server *v, struct span packet, bool tcp, uint8_t *out, size_t cap)
{
	AUTO(arena_free) struct arena *arena = arena_new(0);
	struct reply r = { .v = v, .arena = arena, .tcp = tcp };
	uint8_t cookie[16];
	bool cookie_ok;
	size_t limit;

	if (arena == NULL)
		abort();
	if (msg_read_query(packet, 0, &r.q) != MSG_GOOD)
		return 0;
	if (v->temper == SILENT) {
		tell(v, &r.q, tcp, "", NULL);
		return 0;
	}
	cookie_ok = has_our_cookie(&r.q, cookie);
	limit = tcp ? cap : r.q.edns.present ? r.q.edns.udp_size : PLAIN_LIMIT;
	r.flags = MSG_QR | MSG_AA | (r.q.flags & MSG_RD);
	r.dnssec = v->world->is_signed && r.q.edns.present && r.q.edns.dnssec_ok && v->temper != HIJACKED;
	if (v->temper == NOT_EDNS && r.q.edns.present)
		r.q.edns.present = false;
	build_start(&r.b, out, cap, limit < cap ? limit : cap, r.q.edns.present ? 40 : 0, r.q.id, r.flags);
	build_question(&r.b, &r.q.q);
	switch (v->temper) {
	case HONEST:
	case FOLDS_CASE:
	case TRUNCATES:
	case NO_TCP:
	case SLOW:
	case STAMMERS:
	case TWICE:
	case DRIPS:
	case STRIPS:
	case CORRUPTS:
	case OUTDATED:
	case NO_PROOFS:
	case HIJACKED:
		answer(&r);
		break;
	case FORGES:
	case FORGES_SIGNED:
	case DENIES:
	case REPLAYS:
	case SWAPS:
		if (!deceive(&r))
			answer(&r);
		break;
	case PROMISCUOUS:
		answer(&r);
		promise(&r);
		break;
	case STUFFS:
		answer(&r);
		if (r.b.counts[PART_AUTHORITY] == 0) /* sections have their order */
			lie(&r);
		break;
	case FORWARDER:
	case FORWARDER_STUFFS:
		recurse(&r);
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
	case LIAR_DNAME:
		lie_dname(&r);
		break;
	case SELF: {
		const struct model_zone *own = served(v, r.q.q.name);

		if (own != NULL)
			refer(&r, own, own->apex);
		break;
	}
	case SHUTS:
		r.did_not_fit = !tcp;
		r.rcode = RCODE_SERVFAIL;
		break;
	case GARBAGE:
		store16(out, r.q.id);
		rng_fill(sim_rng(v->world->sim), out + 2, 60);
		out[2] |= 0x80;
		return 62;
	case EMPTY:
	case SILENT:
	case TEMPERS:
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

	tell(v, &r.q, tcp, cookie_ok ? "" : " without our cookie", &r.b);
	if (v->temper == FOLDS_CASE && n > 0)
		octets_lower(out + MSG_HEADER, out + MSG_HEADER, r.q.q.name.len);
	return n;
}

/* Something that is not the reply to this question, but looks like it. */
static size_t stammer(struct sim *s, const uint8_t *reply, size_t n, uint8_t *out)
{
	size_t type_at = MSG_HEADER;

	memcpy(out, reply, n);
	while (out[type_at] != 0)
		type_at += out[type_at] + 1u;
	type_at++;
	switch (sim_draw(s, 0, 5)) {
	case 0:
		out[0] ^= 0x40; /* ID */
		break;
	case 1:
		out[2] &= 0x7f; /* QR */
		break;
	case 2:
		out[2] |= 5 << 3; /* opcode UPDATE */
		break;
	case 3:
		out[MSG_HEADER + 1] ^= 1; /* another name */
		break;
	case 4:
		out[type_at + 1] ^= 2; /* another type */
		break;
	default:
		out[type_at + 3] ^= 2; /* another class */
		break;
	}
	/* If it were believed: whatever addresses it has are forged ones. */
	for (size_t i = type_at + 4; i + 14 <= n; i++) {
		if (memcmp(out + i, "\0\1\0\1", 4) == 0 && load16(out + i + 8) == 4) {
			out[i + 10] = 66;
			out[i + 11] = 66;
		}
	}
	return n;
}

struct later {
	struct endpoint from, to;
	size_t n;
	uint8_t octets[];
};

static void send_now(struct sim *s, void *ctx, uint64_t arg)
{
	const struct later *l = ctx;

	(void)arg;
	sim_send(s, &l->from, &l->to, span_of(l->octets, l->n));
}

static void send_later(struct model_server *v, uint64_t wait_ns, const struct endpoint *from, const struct endpoint *to, const uint8_t *out, size_t n)
{
	struct later *l = arena_alloc(v->world->arena, sizeof *l + n);

	if (l == NULL)
		abort();
	l->from = *from;
	l->to = *to;
	l->n = n;
	memcpy(l->octets, out, n);
	sim_at(v->world->sim, wait_ns, send_now, l, 0);
}

static void on_datagram(struct sim *s, void *ctx, const struct endpoint *from, const struct endpoint *to, struct span packet)
{
	struct model_server *v = ctx;
	uint8_t out[4096], other[4096];
	uint64_t wait = 0;
	size_t n;

	v->world->packets++;
	if (to->port != 53)
		return;
	n = server_reply(v, packet, false, out, sizeof out);
	if (v->world->meddle != NULL)
		n = v->world->meddle(v->world->meddle_ctx, v, to, from, packet, false, out, n, sizeof out, &wait);
	if (n == 0)
		return;
	if (wait > 0) {
		send_later(v, wait, to, from, out, n);
		return;
	}
	if (v->temper == SLOW) {
		send_later(v, sim_draw(s, 1, 1500) * 1000000u, to, from, out, n);
		return;
	}
	if (v->temper == STAMMERS) {
		size_t m = stammer(s, out, n, other);

		sim_send(s, to, from, span_of(other, m));
		send_later(v, sim_draw(s, 0, 30) * 1000000u, to, from, out, n);
		return;
	}
	if (v->temper == TWICE)
		sim_send(s, to, from, span_of(out, n));
	sim_send(s, to, from, span_of(out, n));
}

/* What came on a connection and is not a whole message yet. */
struct pending {
	struct model_server *v BORROWED_FIELD;
	size_t n;
	bool ended;
	uint8_t octets[4096];
};

static bool on_connection(struct sim *s, void *ctx, struct sim_conn *c)
{
	struct model_server *v = ctx;
	struct pending *p;

	v->world->packets++;
	if (v->temper == NO_TCP || v->temper == REFUSES || (v->temper == SHUTS && sim_chance(s, 500000)))
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

	if (p->ended)
		return;
	if (octets.n > sizeof p->octets - p->n) {
		sim_conn_close(s, c);
		return;
	}
	memcpy(p->octets + p->n, octets.p, octets.n);
	p->n += octets.n;
	while (p->n >= 2 && p->n >= 2u + load16(p->octets)) {
		size_t len = load16(p->octets), n;
		static uint8_t out[2 + 65535];

		n = server_reply(v, span_of(p->octets + 2, len), true, out + 2, 65535);
		if (v->world->meddle != NULL) {
			uint64_t wait = 0;

			n = v->world->meddle(v->world->meddle_ctx, v, sim_conn_here(c), sim_conn_peer(c), span_of(p->octets + 2, len), true, out + 2, n, 65535, &wait);
		}
		if (v->temper == SHUTS) {
			sim_conn_close(s, c);
			return;
		}
		if (n > 0) {
			store16(out, (uint16_t)n);
			if (v->temper == DRIPS) {
				for (size_t i = 0; i < n + 2; i++)
					sim_conn_write(s, c, span_of(out + i, 1));
			} else {
				sim_conn_write(s, c, span_of(out, n + 2));
			}
		}
		if (n > 0 && v->world->half_closes) {
			p->ended = true;
			sim_conn_end(s, c);
			return;
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

/* ---- guests: servers of one's own ------------------------------------------------------------------------------------------------------ */

struct world_guest {
	struct world *world PARENT_FIELD;
	world_reply_fn *fn;
	void *ctx BORROWED_FIELD;
	uint64_t packets;
	size_t have;
	uint8_t octets[4096];
};

static size_t guest_reply(struct world_guest *g, struct span packet, bool tcp, uint8_t *out, size_t cap)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct msg_query q;
	struct builder b;

	if (a == NULL)
		abort();
	if (msg_read_query(packet, 0, &q) != MSG_GOOD)
		return 0;
	build_start(&b, out, cap, tcp ? cap : 1232, 11, q.id, MSG_QR | MSG_AA);
	build_question(&b, &q.q);
	if (!g->fn(g->ctx, &q, a, &b, tcp))
		return 0;
	if (q.edns.present) {
		struct edns_out e = { .udp_size = 1232, .rcode = load16(out + 2) & 15 };

		build_edns_start(&b, &e);
		build_edns_end(&b);
	}
	return build_finish(&b);
}

static void guest_datagram(struct sim *s, void *ctx, const struct endpoint *from, const struct endpoint *to, struct span packet)
{
	struct world_guest *g = ctx;
	static uint8_t out[65535];
	size_t n;

	g->packets++;
	n = guest_reply(g, packet, false, out, sizeof out);
	if (n > 0)
		sim_send(s, to, from, span_of(out, n));
}

static bool guest_connection(struct sim *s, void *ctx, struct sim_conn *c)
{
	struct world_guest *g = ctx;

	(void)s, (void)c;
	g->packets++;
	g->have = 0;
	return true;
}

static void guest_data(struct sim *s, void *ctx, struct sim_conn *c, struct span octets)
{
	struct world_guest *g = ctx;
	static uint8_t out[2 + 65535];
	size_t n;

	g->packets++;
	if (octets.n > sizeof g->octets - g->have)
		return;
	memcpy(g->octets + g->have, octets.p, octets.n);
	g->have += octets.n;
	if (g->have < 2 || g->have < 2u + load16(g->octets))
		return;
	n = guest_reply(g, span_of(g->octets + 2, load16(g->octets)), true, out + 2, 65535);
	g->have = 0;
	store16(out, (uint16_t)n);
	if (n > 0)
		sim_conn_write(s, c, span_of(out, n + 2));
	else
		sim_conn_close(s, c);
}

static const struct sim_node_events guest_events = { .datagram = guest_datagram, .connection = guest_connection, .data = guest_data,
	.closed = on_closed };

struct world_guest *world_guest(struct world *w, const char *zone, const char *address4, world_reply_fn *fn, void *ctx)
{
	struct world_guest *g = arena_alloc(w->arena, sizeof *g);
	struct addr at;

	if (g == NULL || !OK(addr_parse(address4, &at)) || !OK(sim_node(w->sim, &at, &guest_events, g)))
		abort();
	g->world = w;
	g->fn = fn;
	g->ctx = ctx;
	world_delegate(w, zone, address4);
	return g;
}

uint64_t world_guest_packets(const struct world_guest *g)
{
	return g->packets;
}

/* ---- marks ----------------------------------------------------------------------------------------------------------------------------- */

uint32_t world_clock_age(struct span rdata, uint64_t now_sec)
{
	return ((uint32_t)now_sec - load32(rdata.p)) & 0xffffff;
}

bool world_is_marked(uint16_t type, struct span rdata)
{
	return type == RR_A && rdata.n == 4 && rdata.p[0] == 66 && rdata.p[1] == 66;
}

bool world_is_marked_bogus(uint16_t type, struct span rdata)
{
	return type == RR_A && rdata.n == 4 && rdata.p[0] == 66 && rdata.p[1] == 67;
}

size_t world_forge(uint8_t *out, size_t cap, uint16_t id, const struct question *q)
{
	AUTO(arena_free) struct arena *arena = arena_new(0);
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
