/*
 * meddle.c: replies taken apart, changed, and put together again. First the records are changed, then signed anew if wanted, then octets; records with the mark come last and only
 * where nothing else could move them to a name at which they would be right.
 */
#include "tests/fuzz/meddle.h"

#include <stdlib.h>

#include "base/arena.h"
#include "dns/build.h"
#include "dns/rdata.h"
#include "tests/fuzz/script_routes.h"

#define SETS 64u
#define TEMPLATES 8u

struct change {
	struct meddler *m BORROWED_FIELD;
	struct model_server *v BORROWED_FIELD;
	struct arena *a BORROWED_FIELD;
	struct msg_query q;
	struct msg msg;
	const struct rrset *sets[3][SETS] ARENA_FIELD;
	size_t count[3];
	uint16_t flags, rcode;
	const struct script_op *edns BORROWED_FIELD;
	bool resign, no_room;
};

static uint8_t blob_at(const struct script_op *op, size_t i)
{
	return i < op->len ? op->blob[i] : 0;
}

/* ---- rules --------------------------------------------------------------------------------------------------------------------------------- */

enum { ARG_ZONE, ARG_SERVER, ARG_WHICH, ARG_SKIP, ARG_COUNT, ARG_ACTION, ARG_ARGUMENT };

/* Zone numbers: 0 all; 1 the root; then those of the script. */
bool meddle_is_of_root(const struct script_op *op, size_t zone_count)
{
	return op->arg[ARG_ZONE] % (zone_count + 1) < 2;
}

void meddle_add(struct meddler *m, const struct script_op *op)
{
	size_t which = op->arg[ARG_ZONE] % (m->zone_count + 1);

	if (m->count < SCRIPT_OPS)
		m->rules[m->count++] = (struct meddle_rule){ .op = op, .zone = which == 0 ? NULL : m->zones[which - 1] };
}

static bool serves_it(const struct model_server *v, const struct model_zone *z)
{
	for (const struct model_serves *x = v->zones; x != NULL; x = x->next) {
		if (x->zone == z)
			return true;
	}
	return z == NULL;
}

static bool is_number(const struct model_server *v, const struct model_zone *z, unsigned int number)
{
	/* Of the zone's servers, as they were made. */
	for (const struct model_server *x = v->world->servers; z != NULL && x != NULL; x = x->next) {
		if (!serves_it(x, z))
			continue;
		if (number == 0)
			return x == v;
		number--;
	}
	return z == NULL;
}

static bool is_meant(struct meddle_rule *rule, const struct model_server *v, const struct msg_query *q, bool tcp)
{
	static const uint16_t types[] = { 0, RR_A, RR_NS, RR_DS, RR_DNSKEY, RR_AAAA };
	const uint8_t *arg = rule->op->arg;
	unsigned int which = arg[ARG_WHICH] % 16;

	if (!serves_it(v, rule->zone) || (arg[ARG_SERVER] != 0 && !is_number(v, rule->zone, arg[ARG_SERVER] - 1u)))
		return false;
	if (which < 6 ? which > 0 && q->q.type != types[which] : which == 6 ? !tcp : which == 7 ? tcp : false)
		return false;
	if (which >= 8 && rule->zone != NULL && name_equal(q->q.name, rule->zone->apex) != (which % 2 == 0))
		return false;
	if (rule->seen++ < arg[ARG_SKIP])
		return false;
	if (arg[ARG_COUNT] != 0 && rule->done >= arg[ARG_COUNT])
		return false;
	rule->done++;
	return true;
}

static enum meddle_action action_of(const struct meddle_rule *rule)
{
	return (enum meddle_action)(rule->op->arg[ARG_ACTION] % MEDDLE_ACTIONS);
}

/* ---- the reply as records -------------------------------------------------------------------------------------------------------------------- */

static void take_section(struct change *c, unsigned int i, const struct msg_section *s)
{
	for (size_t k = 0; k < s->count && k < SETS; k++)
		c->sets[i][c->count[i]++] = s->sets[k];
}

static bool take_apart(struct change *c, struct span reply)
{
	if (!OK(msg_read(c->a, reply, NULL, &c->msg)) || !c->msg.has_question)
		return false;
	take_section(c, 0, &c->msg.answer);
	take_section(c, 1, &c->msg.authority);
	take_section(c, 2, &c->msg.additional);
	c->flags = c->msg.flags;
	c->rcode = c->msg.rcode;
	return true;
}

static void add_set(struct change *c, unsigned int section, const struct rrset *rs)
{
	if (rs != NULL && c->count[section] < SETS)
		c->sets[section][c->count[section]++] = rs;
}

static void add_one(struct change *c, unsigned int section, struct name owner, uint16_t type, struct span rdata)
{
	add_set(c, section, rrset_make_in(c->a, owner, type, CLASS_IN, 3600, &rdata, 1, 0));
}

static void put_edns(const struct change *c, struct builder *b)
{
	const struct script_op *op = c->edns;
	struct reader o = reader_of(c->msg.edns.options);
	struct edns_out e = { .udp_size = 1232, .rcode = c->rcode, .dnssec_ok = c->msg.edns.dnssec_ok };
	unsigned int kind = op == NULL ? 99 : op->arg[ARG_ARGUMENT] % 8;
	struct span data;
	uint16_t code;

	if (!(c->msg.edns.present || kind == 6) || kind == 0)
		return;
	build_edns_start(b, &e);
	while (c->msg.edns.present && kind != 4 && edns_next_option(&o, &code, &data))
		(void)build_edns_option(b, code, data);
	if (kind == 4 || kind == 5)
		(void)build_edns_option(b, (uint16_t)(kind == 5 ? EDNS_COOKIE : blob_at(op, 0)), span_of(op->blob, op->len));
	build_edns_end(b);
}

static size_t put_together(struct change *c, uint8_t *out, size_t cap)
{
	struct builder b;
	unsigned int kind = c->edns == NULL ? 99 : c->edns->arg[ARG_ARGUMENT] % 8;
	size_t n, opt;

	build_start(&b, out, cap, cap, c->msg.edns.present ? 64 : 0, c->msg.id, c->flags);
	build_question(&b, &c->msg.q);
	for (unsigned int i = 0; i < 3; i++) {
		for (size_t k = 0; k < c->count[i]; k++)
			(void)build_rrset(&b, (enum msg_part)(i + 1), c->sets[i][k], c->sets[i][k]->ttl, true, 0);
	}
	build_set_rcode(&b, c->rcode & 15);
	put_edns(c, &b);
	n = build_finish(&b);
	opt = n >= MSG_HEADER + 11 && c->msg.edns.present && c->edns != NULL ? n - 11 : 0;
	/* The OPT without options is the last 11 octets: name, type, class, extended rcode, version, flags, length. */
	if (opt == 0 || load16(out + opt + 1) != RR_OPT)
		return n;
	if (kind == 1)
		out[opt + 6] = 1;
	else if (kind == 3)
		store16(out + opt + 3, blob_at(c->edns, 0));
	else if (kind == 7)
		out[opt + 5] = blob_at(c->edns, 0);
	if (kind == 2 && n + 11 <= cap) {
		memcpy(out + n, out + opt, 11);
		store16(out + 10, (uint16_t)(load16(out + 10) + 1));
		n += 11;
	}
	return n;
}

/* ---- names and addresses ----------------------------------------------------------------------------------------------------------------------- */

static const struct model_zone *zone_number(const struct meddler *m, unsigned int i) BORROWED;
static const struct model_zone *zone_number(const struct meddler *m, unsigned int i)
{
	return m->zones[i % m->zone_count];
}

static struct name made_name(struct change *c, const char *label, struct name zone)
{
	struct name_buf b;

	/* Where the name would be too long, the zone's own. */
	return OK(name_from_text(label, &zone, &b)) ? name_dup_in(c->a, name_of(&b)) : zone;
}

static struct name templ(struct change *c, unsigned int i, const struct model_zone *z)
{
	static const char *const labels[TEMPLATES] = { "h0", "c0", "nothing0", "any0.wild", "ns0", "moved", "h1", "a.ent.h0" };

	return made_name(c, labels[i % TEMPLATES], z->apex);
}

/* The deepest zone of the server that the set stands in. */
static const struct model_zone *zone_of_set(const struct model_server *v, const struct rrset *rs) BORROWED;
static const struct model_zone *zone_of_set(const struct model_server *v, const struct rrset *rs)
{
	const struct model_zone *best = NULL;

	for (const struct model_serves *x = v->zones; x != NULL; x = x->next) {
		if (name_is_under(rrset_name(rs), x->zone->apex) && (best == NULL || x->zone->apex.labels > best->apex.labels) &&
		    !(rs->type == RR_DS && name_equal(rrset_name(rs), x->zone->apex)))
			best = x->zone;
	}
	return best;
}

static const struct rrset *with_items(struct change *c, const struct rrset *rs, struct name owner, uint32_t ttl, bool sigs) IN_ARENA;
static const struct rrset *with_items(struct change *c, const struct rrset *rs, struct name owner, uint32_t ttl, bool sigs)
{
	size_t n = rs->count + (sigs ? rs->sigs : 0u);
	struct span *items = arena_alloc_array(c->a, n + 1, sizeof *items);

	if (items == NULL)
		abort();
	for (size_t i = 0; i < n; i++)
		items[i] = i < rs->count ? rrset_rdata(rs, (unsigned int)i) : rrset_sig(rs, (unsigned int)(i - rs->count));
	return rrset_make_in(c->a, owner, rs->type, CLASS_IN, ttl, items, rs->count, n - rs->count);
}

/* ---- changes of records ------------------------------------------------------------------------------------------------------------------------ */

typedef const struct rrset *set_fn(struct change *c, const struct script_op *op, const struct rrset *rs);

static void each_set(struct change *c, const struct script_op *op, set_fn *fn)
{
	for (unsigned int i = 0; i < 3; i++) {
		for (size_t k = 0; k < c->count[i]; k++) {
			const struct rrset *changed = fn(c, op, c->sets[i][k]);

			if (changed != NULL)
				c->sets[i][k] = changed;
		}
	}
}

static const struct rrset *without_sigs(struct change *c, const struct script_op *op, const struct rrset *rs)
{
	(void)op;
	return rs->count == 0 ? NULL : with_items(c, rs, rrset_name(rs), rs->ttl, false);
}

static const struct rrset *bad_sigs(struct change *c, const struct script_op *op, const struct rrset *rs)
{
	struct span *items = arena_alloc_array(c->a, rs->count + rs->sigs + 1u, sizeof *items);

	if (items == NULL)
		abort();
	for (unsigned int i = 0; i < rs->count; i++)
		items[i] = rrset_rdata(rs, i);
	for (unsigned int i = 0; i < rs->sigs; i++) {
		struct span sig = rrset_sig(rs, i);
		uint8_t *d = arena_dup(c->a, sig.p, sig.n);

		if (d == NULL)
			abort();
		if (sig.n > 19) /* the type that it covers stays: the set would be another */
			d[2 + blob_at(op, 0) % (sig.n - 2)] ^= (uint8_t)(blob_at(op, 1) | 1);
		items[rs->count + i] = span_of(d, sig.n);
	}
	return rrset_make_in(c->a, rrset_name(rs), rs->type, CLASS_IN, rs->ttl, items, rs->count, rs->sigs);
}

static const struct rrset *other_ttl(struct change *c, const struct script_op *op, const struct rrset *rs)
{
	static const uint32_t ttls[] = { 0, 1, 60, 604800, 0x7fffffff, 0x80000000, 0xffffffff, 5 };

	return with_items(c, rs, rrset_name(rs), ttls[op->arg[ARG_ARGUMENT] % 8], true);
}

static const struct rrset *signed_anew(struct change *c, const struct script_op *op, const struct rrset *rs)
{
	const struct model_zone *z = zone_of_set(c->v, rs);
	const struct rrset *bare = rs->count == 0 ? NULL : with_items(c, rs, rrset_name(rs), rs->ttl, false);

	(void)op;
	if (z == NULL || z->signing == NULL || bare == NULL)
		return NULL;
	c->m->r->resigned = true;
	return signed_set(c->v, c->a, z, bare, rrset_name(rs));
}

static void rename_section(struct change *c, const struct script_op *op)
{
	unsigned int i = op->arg[ARG_ARGUMENT] % 3;
	const struct model_zone *z = zone_number(c->m, blob_at(op, 0));

	for (size_t k = 0; k < c->count[i]; k++)
		c->sets[i][k] = with_items(c, c->sets[i][k], templ(c, blob_at(op, 1), z), c->sets[i][k]->ttl, true);
}

static void drop_set(struct change *c, unsigned int n)
{
	size_t all = c->count[0] + c->count[1] + c->count[2];

	n = all == 0 ? 0 : n % (unsigned int)all;
	for (unsigned int i = 0; i < 3; i++) {
		if (n < c->count[i]) {
			for (size_t k = n + 1; k < c->count[i]; k++)
				c->sets[i][k - 1] = c->sets[i][k];
			c->count[i]--;
			return;
		}
		n -= (unsigned int)c->count[i];
	}
}

/* The marks, and whatever could be taken for them. */
static void take_out_marks(uint8_t *p, size_t n)
{
	for (size_t i = 0; i + 1 < n; i++) {
		if (p[i] == 66 && (p[i + 1] == 66 || p[i + 1] == 67))
			p[i + 1] = 68;
	}
}

static void add_rr(struct change *c, const struct script_op *op)
{
	uint8_t *d = arena_dup(c->a, op->blob, op->len + 1u);
	const struct model_zone *z = zone_number(c->m, blob_at(op, 2));
	unsigned int where = blob_at(op, 2) >> 6;
	struct name owner = where == 0 ? c->q.q.name : where == 1 ? z->apex : where == 2 ? templ(c, blob_at(op, 3), z) : name_root;
	static const uint16_t types[] = { RR_A, RR_NS, RR_CNAME, RR_SOA, RR_DNAME, RR_TXT, RR_NSEC, RR_NSEC3, RR_DS, RR_DNSKEY, RR_MX, RR_AAAA, RR_HTTPS, RR_RRSIG, RR_NSEC3PARAM };
	uint16_t type = (uint16_t)(blob_at(op, 0) << 8 | blob_at(op, 1));

	if (d == NULL || op->len < 4)
		return;
	if (type < 0x100)
		type = types[type % (sizeof types / sizeof types[0])];
	if (type == RR_OPT || type == RR_RRSIG || rrtype_is_meta(type))
		return;
	take_out_marks(d, op->len);
	if (!OK(rdata_check(type, span_of(d + 4, op->len - 4u))))
		return; /* what is malformed comes by MEDDLE_XOR */
	add_one(c, op->arg[ARG_ARGUMENT] % 3, owner, type, span_of(d + 4, op->len - 4u));
}

static void become_alias(struct change *c, const struct script_op *op, bool dname)
{
	const struct model_zone *z = zone_number(c->m, blob_at(op, 0)), *own = NULL;
	struct name target = dname ? z->apex : templ(c, op->arg[ARG_ARGUMENT], z), owner = c->q.q.name;

	for (const struct model_serves *x = c->v->zones; dname && x != NULL; x = x->next) {
		if (name_is_strictly_under(owner, x->zone->apex))
			own = x->zone;
	}
	if (dname && own == NULL)
		return;
	if ((blob_at(op, 1) & 1) == 0)
		c->count[0] = c->count[1] = c->count[2] = 0;
	c->rcode = 0;
	c->flags |= MSG_AA;
	if (dname)
		owner = (blob_at(op, 1) & 2) != 0 ? name_parent(owner) : own->apex;
	add_one(c, 0, owner, dname ? RR_DNAME : RR_CNAME, span_of(target.wire, target.len));
}

static void become_referral(struct change *c, const struct script_op *op)
{
	static const char *const down[] = { "h0", "deep", "x", "y" };
	const struct model_zone *z = zone_number(c->m, blob_at(op, 1));
	unsigned int n = 1u + blob_at(op, 0) % 40u;
	struct name cut = c->q.q.name;
	struct span *d = arena_alloc_array(c->a, n, sizeof *d);

	if (d == NULL)
		abort();
	switch (op->arg[ARG_ARGUMENT] % 5) {
	case 0:
		break; /* at the name itself */
	case 1:
		cut = cut.labels == 0 ? cut : name_parent(cut);
		break;
	case 2:
		cut = name_root;
		break;
	case 3:
		cut = made_name(c, down[blob_at(op, 2) % 4], z->apex);
		break;
	default:
		cut = c->v->zones == NULL ? cut : c->v->zones->zone->apex;
		break;
	}
	c->count[0] = c->count[1] = c->count[2] = 0;
	c->rcode = 0;
	c->flags &= (uint16_t)~MSG_AA;
	for (unsigned int i = 0; i < n; i++) {
		char label[16] = { 'n', 's', (char)('0' + i / 10), (char)('0' + i % 10) };
		struct name host = (blob_at(op, 3) & 1) != 0 ? made_name(c, "ns0", z->apex) : made_name(c, label, (blob_at(op, 3) & 2) != 0 ? cut : z->apex);

		d[i] = span_of(host.wire, host.len);
	}
	add_set(c, 1, rrset_make_in(c->a, cut, RR_NS, CLASS_IN, 3600, d, n, 0));
	if ((blob_at(op, 3) & 4) != 0) { /* glue: a server of ours */
		struct name host = (blob_at(op, 3) & 1) != 0 ? made_name(c, "ns0", z->apex) : made_name(c, "ns00", z->apex);

		add_one(c, 2, host, RR_A, span_of(c->v->v4.b, 4));
	}
}

/* What another name of the zone has. */
static void swap(struct change *c, const struct script_op *op)
{
	const struct model_zone *z = zone_number(c->m, blob_at(op, 0));
	struct name other = templ(c, op->arg[ARG_ARGUMENT], z);
	struct proofs p = { .n = 0 };
	const struct rrset *rs = NULL;

	if (z->signing == NULL || !serves_it(c->v, z))
		return;
	for (const struct model_rr *rr = z->rrs; rr != NULL; rr = rr->next) {
		if (name_equal(rr->rr.owner, other) && rr->rr.type == c->q.q.type)
			rs = signed_set(c->v, c->a, z, rrset_make_in(c->a, other, rr->rr.type, CLASS_IN, rr->rr.ttl, &rr->rr.rdata, 1, 0), other);
	}
	if (rs != NULL) {
		c->count[0] = 0;
		add_set(c, 0, (blob_at(op, 1) & 1) != 0 ? rs : rrset_renamed_in(c->a, rs, c->q.q.name));
		return;
	}
	if ((blob_at(op, 1) & 2) != 0)
		prove_nodata(c->v, c->a, z, other, other, &p);
	else
		prove_nxdomain(c->v, c->a, z, other, &p);
	c->count[1] = 0;
	for (unsigned int i = 0; i < p.n; i++)
		add_set(c, 1, p.sets[i]);
}

static void change_records(struct change *c, enum meddle_action action, const struct script_op *op)
{
	uint8_t argument = op->arg[ARG_ARGUMENT];

	switch (action) {
	case MEDDLE_TC:
		c->flags |= MSG_TC;
		c->count[0] = c->count[1] = c->count[2] = 0;
		break;
	case MEDDLE_RCODE:
		c->rcode = argument % 24;
		break;
	case MEDDLE_FLAGS:
		c->flags ^= (uint16_t)((argument & 1 ? MSG_AA : 0) | (argument & 2 ? MSG_RA : 0) | (argument & 4 ? MSG_AD : 0) | (argument & 8 ? MSG_CD : 0) |
		    (argument & 16 ? MSG_Z : 0) | (argument & 32 ? MSG_RD : 0) | (argument & 64 ? MSG_TC : 0));
		break;
	case MEDDLE_NO_SECTION:
		for (unsigned int i = 0; i < 3; i++)
			c->count[i] = (argument >> i & 1) != 0 ? 0 : c->count[i];
		break;
	case MEDDLE_NO_SET:
		drop_set(c, argument);
		break;
	case MEDDLE_NO_SIGS:
		each_set(c, op, without_sigs);
		break;
	case MEDDLE_BAD_SIGS:
		each_set(c, op, bad_sigs);
		break;
	case MEDDLE_TTL:
		each_set(c, op, other_ttl);
		break;
	case MEDDLE_RR:
		add_rr(c, op);
		break;
	case MEDDLE_EDNS:
		c->edns = op;
		break;
	case MEDDLE_RENAME:
		rename_section(c, op);
		break;
	case MEDDLE_ALIAS:
		become_alias(c, op, false);
		break;
	case MEDDLE_DNAME:
		become_alias(c, op, true);
		break;
	case MEDDLE_REFER:
		become_referral(c, op);
		break;
	case MEDDLE_RESIGN:
		c->resign = true;
		break;
	case MEDDLE_SWAP:
		swap(c, op);
		break;
	case MEDDLE_DROP:
	case MEDDLE_DELAY:
	case MEDDLE_TWICE:
	case MEDDLE_CUT:
	case MEDDLE_STUFF:
	case MEDDLE_REPLACE:
	case MEDDLE_XOR:
	case MEDDLE_NEAR_MISS:
	case MEDDLE_TRAIL:
	case MEDDLE_REPLAY:
	case MEDDLE_ACTIONS:
		break;
	}
}

/* Another top level's names in a section: the server can have no say in them, whatever zone it is asked about below the root. */
static bool stuff(struct change *c, const struct script_op *op)
{
	static const uint8_t marked[4] = { 66, 66, 9, 9 }, unmarked[4] = { 66, 68, 9, 9 };
	const struct meddler *m = c->m;
	struct span address = span_of(m->trusting ? unmarked : marked, 4);
	unsigned int section = op->arg[ARG_ARGUMENT] % 3;

	for (size_t i = 1; i < m->zone_count; i++) {
		const struct model_zone *z = m->zones[(i + blob_at(op, 0)) % (m->zone_count - 1) + 1];
		struct name host;

		if (c->q.q.name.labels == 0 || name_equal(name_suffix(z->apex, 1), name_suffix(c->q.q.name, 1)))
			continue;
		host = templ(c, blob_at(op, 1), z);
		if ((blob_at(op, 2) & 1) != 0)
			add_one(c, 1, z->apex, RR_NS, span_of(host.wire, host.len));
		if ((blob_at(op, 2) & 2) != 0) {
			c->count[0] = 0;
			add_one(c, 0, c->q.q.name, RR_CNAME, span_of(host.wire, host.len));
		}
		add_one(c, section, host, RR_A, address);
		return true;
	}
	return false;
}

/* ---- changes of octets ------------------------------------------------------------------------------------------------------------------------- */

static size_t change_octets(enum meddle_action action, const struct script_op *op, const struct msg_query *q, uint8_t *out, size_t n, size_t cap)
{
	switch (action) {
	case MEDDLE_CUT:
		return n > op->arg[ARG_ARGUMENT] ? op->arg[ARG_ARGUMENT] : n;
	case MEDDLE_REPLACE:
		memcpy(out, op->blob, op->len);
		n = op->len;
		if (n >= 4 && (op->arg[ARG_ARGUMENT] & 1) != 0) {
			store16(out, q->id);
			out[2] |= 0x80;
		}
		return n;
	case MEDDLE_XOR:
		for (size_t i = 0; i + 2 < op->len && n > 0; i += 3)
			out[load16(op->blob + i) % n] ^= op->blob[i + 2];
		return n;
	case MEDDLE_TRAIL:
		if (op->len <= cap - n && n > 0) {
			memcpy(out + n, op->blob, op->len);
			n += op->len;
		}
		return n;
	default:
		return n;
	}
}

static bool is_of_octets(enum meddle_action action)
{
	return action == MEDDLE_CUT || action == MEDDLE_REPLACE || action == MEDDLE_XOR || action == MEDDLE_TRAIL || action == MEDDLE_REPLAY;
}

/* ---- near misses --------------------------------------------------------------------------------------------------------------------------------- */

static size_t type_offset(const uint8_t *out, size_t n)
{
	size_t at = MSG_HEADER;

	while (at < n && out[at] != 0)
		at += out[at] + 1u;
	return at + 5 > n ? 0 : at + 1;
}

/* Everything right but for one thing, and with the mark as its address. */
static void near_miss(struct change *c, unsigned int kind, struct endpoint server, struct endpoint to)
{
	static const uint8_t marked[4] = { 66, 66, 7, 7 };
	uint8_t out[1500];
	size_t n, type_at;
	bool mixed = false;

	c->count[0] = c->count[1] = c->count[2] = 0;
	c->rcode = 0;
	c->flags = MSG_QR | MSG_AA;
	add_one(c, 0, c->q.q.name, RR_A, span_of(marked, 4));
	n = put_together(c, out, sizeof out);
	type_at = type_offset(out, n);
	if (n == 0 || type_at == 0)
		return;
	for (size_t i = MSG_HEADER; i < type_at; i++)
		mixed |= out[i] >= 'A' && out[i] <= 'Z';
	switch (kind % 10) {
	case 1:
		to.port ^= 1;
		break;
	case 2:
		server.port = 54;
		break;
	case 3:
		server.a.b[3] ^= 1;
		break;
	case 4:
		if (!mixed || c->m->plain_case) {
			out[1] ^= 1;
			break;
		}
		for (size_t i = MSG_HEADER; i < type_at; i++)
			out[i] = out[i] >= 'A' && out[i] <= 'Z' ? (uint8_t)(out[i] | 0x20) : out[i];
		break;
	case 5:
		out[type_at] ^= 0x40; /* type */
		break;
	case 6:
		out[type_at + 3] ^= 2; /* class */
		break;
	case 7:
		out[2] &= 0x7f; /* QR */
		break;
	case 8:
		out[2] ^= 5 << 3; /* opcode */
		break;
	case 9:
		out[out[MSG_HEADER] > 0 ? MSG_HEADER + 1 : 0] ^= 1; /* another name */
		break;
	default:
		out[0] ^= 1; /* ID */
		break;
	}
	sim_send(c->m->r->sim, &server, &to, span_of(out, n));
}

bool meddle_forge(struct meddler *m, const struct model_server *v, unsigned int kind)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct endpoint server = { .a = v->v4, .port = 53 }, to = { .a = run_resolver().a };
	struct change c = { .m = m, .a = a };
	uint16_t id;

	if (a == NULL)
		abort();
	if (!sim_waiting_port(m->r->sim, &server, &to.port, &id))
		return false;
	/* It sees neither the name nor its case: one that may well be asked. */
	c.msg.id = id ^ 0x100;
	c.msg.q = c.q.q = (struct question){ templ(&c, kind >> 4, m->zones[m->zone_count - 1]), RR_A, CLASS_IN };
	near_miss(&c, 0, server, to);
	return true;
}

/* ---- all of it ------------------------------------------------------------------------------------------------------------------------------------ */

static bool has_marks_of_its_own(const struct model_server *v)
{
	switch (v->temper) {
	case PROMISCUOUS:
	case STUFFS:
	case LIAR:
	case LIAR_DNAME:
	case STAMMERS:
	case FORWARDER_STUFFS:
	case FORGES:
	case FORGES_SIGNED:
		return true;
	default:
		return false;
	}
}

static size_t apply(struct change *c, const struct meddle_rule *const *rules, size_t count, uint8_t *out, size_t n, size_t cap)
{
	bool octets = false, apart, marks = has_marks_of_its_own(c->v);
	struct meddler *m = c->m;

	apart = !marks && n > 0 && take_apart(c, span_of(out, n));
	for (size_t i = 0; apart && i < count; i++)
		change_records(c, action_of(rules[i]), rules[i]->op);
	if (apart && c->resign)
		each_set(c, NULL, signed_anew);
	for (size_t i = 0; i < count; i++)
		octets |= is_of_octets(action_of(rules[i]));
	for (size_t i = 0; apart && !octets && i < count; i++) {
		if (action_of(rules[i]) == MEDDLE_STUFF && stuff(c, rules[i]->op))
			break;
	}
	if (apart)
		n = put_together(c, out, cap);
	for (size_t i = 0; !marks && i < count; i++) {
		enum meddle_action action = action_of(rules[i]);

		if (action == MEDDLE_REPLAY && m->before_n > MSG_HEADER && m->before_n <= cap) {
			memcpy(out, m->before, m->before_n);
			n = m->before_n;
			store16(out, c->q.id);
			if ((rules[i]->op->arg[ARG_ARGUMENT] & 1) == 0 && apart && take_apart(c, span_of(out, n))) {
				c->msg.q = c->q.q;
				n = put_together(c, out, cap);
			}
		} else if (is_of_octets(action)) {
			n = change_octets(action, rules[i]->op, &c->q, out, n, cap);
			take_out_marks(out, n);
		}
	}
	return n;
}

static size_t meddle(void *ctx, struct model_server *v, const struct endpoint *server, const struct endpoint *to, struct span query, bool tcp, uint8_t *out, size_t n,
    size_t cap, uint64_t *ret_wait_ns)
{
	struct meddler *m = ctx;
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct change c = { .m = m, .v = v, .a = a };
	const struct meddle_rule *now[SCRIPT_OPS];
	size_t count = 0, honest = 0;
	uint8_t before[1500];

	if (a == NULL)
		abort();
	if (script_routes_forbid(m->routes, v, &server->a))
		complain(m->r, NULL, "a server is asked that the policy of routes forbids");
	if (msg_read_query(query, 0, &c.q) != MSG_GOOD)
		return n;
	for (size_t i = 0; i < m->count; i++) {
		if (is_meant(&m->rules[i], v, &c.q, tcp))
			now[count++] = &m->rules[i];
	}
	if (!has_marks_of_its_own(v) && n > 0 && n <= sizeof before) {
		memcpy(before, out, n);
		honest = n;
	}
	for (size_t i = 0; i < count; i++) {
		if (action_of(now[i]) == MEDDLE_NEAR_MISS && !tcp && n > 0 && take_apart(&c, span_of(out, n)))
			near_miss(&c, now[i]->op->arg[ARG_ARGUMENT], *server, *to);
		c.count[0] = c.count[1] = c.count[2] = 0;
	}
	if (count > 0)
		n = apply(&c, now, count, out, n, cap);
	for (size_t i = 0; i < count; i++) {
		enum meddle_action action = action_of(now[i]);

		if (action == MEDDLE_DROP)
			n = 0;
		else if (action == MEDDLE_DELAY)
			*ret_wait_ns += now[i]->op->arg[ARG_ARGUMENT] * 10 * MS;
		else if (action == MEDDLE_TWICE && !tcp && n > 0)
			sim_send(m->r->sim, server, to, span_of(out, n));
	}
	if (honest > 0) {
		memcpy(m->before, before, honest);
		m->before_n = honest;
	}
	return n;
}

void meddle_start(struct meddler *m)
{
	m->r->world->meddle = meddle;
	m->r->world->meddle_ctx = m;
}
