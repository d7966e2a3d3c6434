#include "resolver/core/scrub.h"

#include <string.h>

#include "base/arena.h"
#include "resolver/core/alias.h"
#include "resolver/core/settings.h"

struct scrubber {
	struct arena *arena BORROWED_FIELD;
	const struct scrub_request *r BORROWED_FIELD;
	const struct msg *m BORROWED_FIELD;
	struct scrubbed *out BORROWED_FIELD;
};

const char *reply_kind_text(enum reply_kind k)
{
	static const char *const text[REPLY_KINDS] = { "answer", "alias", "referral", "no data", "no such name", "empty reply", "lame", "error" };

	return k < REPLY_KINDS ? text[k] : "?";
}

const struct rrset *scrub_find(const struct scrub_sets *s, struct name owner, uint16_t type)
{
	for (size_t i = 0; i < s->count; i++) {
		if (s->sets[i]->type == type && name_equal(rrset_name(s->sets[i]), owner))
			return s->sets[i];
	}
	return NULL;
}

static RESULT put(struct scrubber *s, struct scrub_sets *to, const struct rrset *rs)
{
	const struct rrset **sets;

	if (to->count == to->cap) {
		sets = arena_alloc_array(s->arena, to->cap * 2 + 4, sizeof *sets);
		if (sets == NULL)
			return FAIL(ERR_NOMEM);
		if (to->count > 0)
			memcpy(sets, to->sets, to->count * sizeof *sets);
		to->sets = sets;
		to->cap = to->cap * 2 + 4;
	}
	to->sets[to->count++] = rs;
	return DONE;
}

/* --- private addresses */

#define SIGNATURES_KEPT 64 /* where iter-scrub-rrsig sets no limit */
#define SVCB_IPV4HINT 4
#define SVCB_IPV6HINT 6

static bool private_octets(const struct core_settings *set, enum addr_family f, struct span octets)
{
	struct addr a = { .family = (uint8_t)f };

	memcpy(a.b, octets.p, octets.n);
	return settings_is_private(set, &a);
}

/* RFC 9460 section 2.2: priority, target, then parameters; the reader of rdata has checked the form. */
static bool private_hint(const struct core_settings *set, struct span rdata)
{
	struct reader r = reader_of(rdata);
	struct name target;

	read_skip(&r, 2);
	if (!OK(name_from_wire((struct span){ rdata.p + r.pos, reader_left(&r) }, &target)))
		return false;
	read_skip(&r, target.len);
	while (reader_left(&r) >= 4) {
		uint16_t key = read16(&r), len = read16(&r);
		struct reader hints = reader_of(read_span(&r, len));
		size_t step = key == SVCB_IPV4HINT ? 4 : key == SVCB_IPV6HINT ? 16 : 0;

		while (step != 0 && reader_left(&hints) >= step) {
			if (private_octets(set, step == 4 ? ADDR_V4 : ADDR_V6, read_span(&hints, step)))
				return true;
		}
	}
	return false;
}

static bool private_rdata(const struct core_settings *set, uint16_t type, struct span rdata)
{
	switch (type) {
	case RR_A:
		return rdata.n == 4 && private_octets(set, ADDR_V4, rdata);
	case RR_AAAA:
		return rdata.n == 16 && private_octets(set, ADDR_V6, rdata);
	case RR_SVCB:
	case RR_HTTPS:
		return private_hint(set, rdata);
	default:
		return false;
	}
}

static bool needs_filter(const struct core_settings *set, const struct rrset *rs)
{
	if (set->private_addrs == NULL)
		return false;
	if (rs->type != RR_A && rs->type != RR_AAAA && rs->type != RR_SVCB && rs->type != RR_HTTPS)
		return false;
	return !settings_is_private_domain(set, rrset_name(rs));
}

RESULT scrub_private(struct arena *a, const struct core_settings *s, const struct rrset *rs, const struct rrset **ret)
{
	struct span *rdata;
	struct rrset *rest;
	size_t n = 0;

	*ret = rs;
	if (!needs_filter(s, rs))
		return DONE;
	rdata = arena_alloc_array(a, rs->count + 1u, sizeof *rdata);
	if (rdata == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t i = 0; i < rs->count; i++) {
		if (!private_rdata(s, rs->type, rrset_rdata(rs, i)))
			rdata[n++] = rrset_rdata(rs, i);
	}
	if (n == rs->count)
		return DONE;
	*ret = NULL;
	if (n == 0)
		return DONE;
	rest = rrset_make_in(a, rrset_name(rs), rs->type, rs->rclass, rs->ttl, rdata, n, 0);
	if (rest == NULL)
		return FAIL(ERR_NOMEM);
	rest->rank = rs->rank;
	rest->security = rs->security == SECURITY_SECURE ? SECURITY_INSECURE : rs->security;
	*ret = rest;
	return DONE;
}

/* --- one RRset that is kept: TTL limits, rank, few enough signatures, one CNAME, no private addresses */

static uint32_t bounded_ttl(const struct core_settings *set, uint32_t ttl)
{
	if (ttl < set->min_ttl)
		ttl = set->min_ttl;
	return ttl > set->max_ttl ? set->max_ttl : ttl;
}

/* Its signatures, `most` of them; those that stand in another section than what they sign (some servers do that) are its own all the same. */
static size_t take_signatures(const struct scrubber *s, const struct rrset *rs, struct span *ret, size_t most)
{
	const struct msg_section *secs[] = { &s->m->answer, &s->m->authority, &s->m->additional };
	size_t n = 0;

	for (size_t i = 0; i < rs->sigs && n < most; i++)
		ret[n++] = rrset_sig(rs, i);
	for (size_t k = 0; k < sizeof secs / sizeof secs[0]; k++) {
		for (size_t i = 0; i < secs[k]->count; i++) {
			const struct rrset *stray = secs[k]->sets[i];

			if (stray->count > 0 || stray->type != rs->type || stray->rclass != rs->rclass || stray == rs || !name_equal(rrset_name(stray), rrset_name(rs)))
				continue;
			for (size_t x = 0; x < stray->sigs && n < most; x++)
				ret[n++] = rrset_sig(stray, x);
		}
	}
	return n;
}

/* *ret is NULL when nothing is left of it. */
static RESULT keep(struct scrubber *s, const struct rrset *rs, enum rank rank, const struct rrset **ret)
{
	const struct core_settings *set = s->r->settings;
	size_t count = rs->type == RR_CNAME || rs->type == RR_DNAME ? (rs->count > 0 ? 1 : 0) : rs->count;
	size_t most = set->max_rrsigs > 0 ? set->max_rrsigs : SIGNATURES_KEPT, sigs;
	struct span *rdata = arena_alloc_array(s->arena, count + most + 1, sizeof *rdata);
	bool filter = !s->r->judged && needs_filter(set, rs);
	struct rrset *copy;
	size_t n = 0;

	if (rdata == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t i = 0; i < count; i++) {
		if (filter && private_rdata(set, rs->type, rrset_rdata(rs, i)))
			s->out->filtered = true;
		else
			rdata[n++] = rrset_rdata(rs, i);
	}
	*ret = NULL;
	if (n == 0 && rs->count > 0)
		return DONE;
	/* Where something was taken out, they sign what is no longer there. */
	sigs = n < count ? 0 : take_signatures(s, rs, rdata + n, most);
	copy = rrset_make_in(s->arena, rrset_name(rs), rs->type, rs->rclass, bounded_ttl(set, rs->ttl), rdata, n, sigs);
	if (copy == NULL)
		return FAIL(ERR_NOMEM);
	copy->rank = (uint8_t)rank;
	*ret = copy;
	return DONE;
}

static RESULT keep_in(struct scrubber *s, struct scrub_sets *to, const struct rrset *rs, enum rank rank)
{
	const struct rrset *kept;

	TRY(keep(s, rs, rank, &kept));
	return kept == NULL ? DONE : put(s, to, kept);
}

static bool in_zone(const struct scrubber *s, const struct rrset *rs)
{
	return rs->rclass == s->r->q.rclass && name_is_under(rrset_name(rs), s->r->zone);
}

/* --- the answer section */

static enum rank answer_rank(const struct scrubber *s)
{
	return s->out->authoritative ? RANK_ANSWER_AUTH : RANK_ANSWER_NONAUTH;
}

static const struct rrset *find_in(const struct scrubber *s, const struct msg_section *sec, struct name owner, uint16_t type)
{
	for (size_t i = 0; i < sec->count; i++) {
		const struct rrset *rs = sec->sets[i];

		if (rs->type == type && rs->count > 0 && in_zone(s, rs) && name_equal(rrset_name(rs), owner))
			return rs;
	}
	return NULL;
}

/* Signatures are asked for by their own type: they stand in the sets they cover. */
static bool type_matches(uint16_t asked, const struct rrset *rs)
{
	if (asked == RR_ANY)
		return true;
	if (asked == RR_RRSIG)
		return rs->sigs > 0;
	return rs->type == asked && rs->count > 0;
}

static RESULT take_matching(struct scrubber *s, struct name owner, bool *ret_found)
{
	const struct msg_section *sec = &s->m->answer;
	size_t before = s->out->answer.count;

	for (size_t i = 0; i < sec->count; i++) {
		if (in_zone(s, sec->sets[i]) && name_equal(rrset_name(sec->sets[i]), owner) && type_matches(s->r->q.type, sec->sets[i]))
			TRY(keep_in(s, &s->out->answer, sec->sets[i], answer_rank(s)));
	}
	*ret_found = s->out->answer.count > before || s->out->filtered;
	return DONE;
}

static const struct rrset *dname_above(const struct scrubber *s, struct name n)
{
	const struct msg_section *sec = &s->m->answer;

	for (size_t i = 0; i < sec->count; i++) {
		const struct rrset *rs = sec->sets[i];

		if (rs->type == RR_DNAME && rs->count > 0 && in_zone(s, rs) && name_is_strictly_under(n, rrset_name(rs)))
			return rs;
	}
	return NULL;
}

/* One step along an alias of the name reached. *ret_moved is false when there is none, or none that is new. */
static RESULT step_alias(struct scrubber *s, bool *ret_moved)
{
	const struct rrset *dname = dname_above(s, s->out->final), *cname;
	struct name_buf target;
	struct name next;

	*ret_moved = false;
	if (dname != NULL) {
		struct result sub = dname_substitute(dname, s->out->final, &target);

		TRY(keep(s, dname, answer_rank(s), &dname));
		if (dname == NULL)
			return DONE;
		if (scrub_find(&s->out->answer, rrset_name(dname), RR_DNAME) == NULL)
			TRY(put(s, &s->out->answer, dname));
		if (!OK(sub)) {
			s->out->rcode = RCODE_YXDOMAIN;
			return DONE;
		}
		next = name_dup_in(s->arena, name_of(&target));
		cname = next.wire == NULL ? NULL : dname_cname(s->arena, dname, s->out->final, next);
		if (cname == NULL)
			return FAIL(ERR_NOMEM);
	} else {
		cname = find_in(s, &s->m->answer, s->out->final, RR_CNAME);
		if (cname == NULL)
			return DONE;
		TRY(keep(s, cname, answer_rank(s), &cname));
		if (cname == NULL || !alias_target(cname, &next))
			return DONE;
	}
	TRY(put(s, &s->out->answer, cname));
	s->out->final = next;
	*ret_moved = true;
	return DONE;
}

static bool follows_aliases(uint16_t type)
{
	return type != RR_CNAME && type != RR_ANY && type != RR_RRSIG;
}

/* Follows the chain as far as the zone reaches. *ret_found: it ends in what was asked for. */
static RESULT walk_answer(struct scrubber *s, bool *ret_found)
{
	*ret_found = false;
	/* A CNAME below a DNAME is no data of its own: the DNAME is what answers, and what is kept (RFC 6672 section 3.1). */
	if (s->r->q.type == RR_CNAME && dname_above(s, s->out->final) != NULL)
		return step_alias(s, ret_found);
	for (uint32_t i = 0; i <= s->r->settings->max_chain; i++) {
		bool moved;

		TRY(take_matching(s, s->out->final, ret_found));
		if (*ret_found || !follows_aliases(s->r->q.type))
			return DONE;
		TRY(step_alias(s, &moved));
		if (!moved || !name_is_under(s->out->final, s->r->zone))
			return DONE;
	}
	return DONE;
}

/* --- authority and additional */

static enum rank authority_rank(const struct scrubber *s)
{
	return s->out->authoritative ? RANK_AUTHORITY : RANK_ADDITIONAL;
}

/* The SOA of the zone or of a zone between it and the name (one server may serve both): one above would let a child deny its siblings. */
static const struct rrset *find_soa(const struct scrubber *s)
{
	const struct msg_section *sec = &s->m->authority;

	for (size_t i = 0; i < sec->count; i++) {
		const struct rrset *rs = sec->sets[i];

		if (rs->type == RR_SOA && rs->count > 0 && in_zone(s, rs) && name_is_under(s->out->final, rrset_name(rs)))
			return rs;
	}
	return NULL;
}

static bool is_denial(uint16_t type)
{
	return type == RR_NSEC || type == RR_NSEC3;
}

static RESULT take_denials(struct scrubber *s)
{
	const struct msg_section *sec = &s->m->authority;

	for (size_t i = 0; i < sec->count; i++) {
		if (is_denial(sec->sets[i]->type) && sec->sets[i]->count > 0 && in_zone(s, sec->sets[i]))
			TRY(keep_in(s, &s->out->authority, sec->sets[i], authority_rank(s)));
	}
	return DONE;
}

/* Is n named by an NS, MX, SRV or such record among the sets kept? */
static bool is_kept_target(const struct scrub_sets *kept, struct name n)
{
	for (size_t i = 0; i < kept->count; i++) {
		const struct rrset *rs = kept->sets[i];
		struct name target;

		for (size_t k = 0; rs->type != RR_CNAME && rs->type != RR_DNAME && k < rs->count; k++) {
			if (rrset_target(rs, k, &target) && name_equal(target, n))
				return true;
		}
	}
	return false;
}

static RESULT take_addresses(struct scrubber *s, const struct scrub_sets *ns, enum rank rank, bool only_in_zone)
{
	const struct msg_section *sec = &s->m->additional;

	for (size_t i = 0; i < sec->count; i++) {
		const struct rrset *rs = sec->sets[i];

		if ((rs->type != RR_A && rs->type != RR_AAAA) || rs->count == 0 || rs->rclass != s->r->q.rclass)
			continue;
		if ((only_in_zone && !in_zone(s, rs)) || !is_kept_target(ns, rrset_name(rs)))
			continue;
		TRY(keep_in(s, &s->out->additional, rs, rank));
	}
	return DONE;
}

/* NS records that come with an answer: dropped as unasked for (they could move the zone), unless the configuration keeps them for clients to see. */
static RESULT take_spare_ns(struct scrubber *s)
{
	const struct msg_section *sec = &s->m->authority;

	if (s->r->settings->drop_spare_ns)
		return DONE;
	for (size_t i = 0; i < sec->count; i++) {
		const struct rrset *rs = sec->sets[i];

		if (rs->type == RR_NS && rs->count > 0 && in_zone(s, rs) && name_is_under(s->out->final, rrset_name(rs)))
			TRY(keep_in(s, &s->out->authority, rs, authority_rank(s)));
	}
	return DONE;
}

/* --- kinds */

static RESULT finish_answer(struct scrubber *s)
{
	s->out->kind = REPLY_ANSWER;
	TRY(take_denials(s));
	TRY(take_spare_ns(s));
	TRY(take_addresses(s, &s->out->authority, RANK_ADDITIONAL, true));
	/* A courtesy, where the configuration wants such: the addresses of mail servers and the like. */
	return s->r->q.type == RR_NS || s->r->q.type == RR_ANY || !s->r->settings->drop_spare_ns ? take_addresses(s, &s->out->answer, RANK_ADDITIONAL, true) : DONE;
}

/* RFC 2308 section 5: the lesser of the SOA's TTL and its MINIMUM field. */
static uint32_t negative_ttl(const struct core_settings *set, const struct rrset *soa)
{
	struct span rdata = rrset_rdata(soa, 0);
	uint32_t minimum = rdata.n >= 4 ? load32(rdata.p + rdata.n - 4) : 0;
	uint32_t ttl = soa->ttl < minimum ? soa->ttl : minimum;

	if (ttl > set->max_negative_ttl)
		ttl = set->max_negative_ttl;
	if (ttl < set->min_negative_ttl)
		ttl = set->min_negative_ttl;
	return bounded_ttl(set, ttl);
}

static RESULT finish_negative(struct scrubber *s, enum reply_kind kind, const struct rrset *soa)
{
	s->out->kind = kind;
	if (soa != NULL) {
		struct rrset *kept;
		const struct rrset *tidy;

		s->out->negative_ttl = negative_ttl(s->r->settings, soa);
		TRY(keep(s, soa, authority_rank(s), &tidy));
		kept = tidy == NULL ? NULL : rrset_copy_in(s->arena, tidy);
		if (kept == NULL)
			return FAIL(ERR_NOMEM);
		kept->ttl = s->out->negative_ttl; /* what clients may keep it for as well */
		TRY(put(s, &s->out->authority, kept));
	}
	return take_denials(s);
}

/* The NS set of a cut strictly below the zone and at or above the name. */
static const struct rrset *find_cut(const struct scrubber *s)
{
	const struct msg_section *sec = &s->m->authority;
	const struct rrset *best = NULL;

	for (size_t i = 0; i < sec->count; i++) {
		const struct rrset *rs = sec->sets[i];
		struct name owner = rrset_name(rs);

		if (rs->type != RR_NS || rs->count == 0 || rs->rclass != s->r->q.rclass)
			continue;
		if (!name_is_strictly_under(owner, s->r->zone) || !name_is_under(s->out->final, owner))
			continue;
		if (best == NULL || owner.labels < rrset_name(best).labels)
			best = rs;
	}
	return best;
}

static bool names_any_ns(const struct scrubber *s)
{
	for (size_t i = 0; i < s->m->authority.count; i++) {
		if (s->m->authority.sets[i]->type == RR_NS && s->m->authority.sets[i]->rclass == s->r->q.rclass)
			return true;
	}
	return false;
}

static RESULT finish_referral(struct scrubber *s, const struct rrset *ns)
{
	const struct rrset *ds = find_in(s, &s->m->authority, rrset_name(ns), RR_DS);

	s->out->kind = REPLY_REFERRAL;
	s->out->cut = rrset_name(ns);
	s->out->answer.count = 0;
	TRY(keep_in(s, &s->out->authority, ns, RANK_DELEGATION));
	if (ds != NULL)
		TRY(keep_in(s, &s->out->authority, ds, authority_rank(s) == RANK_AUTHORITY ? RANK_AUTHORITY : RANK_DELEGATION));
	TRY(take_denials(s));
	return take_addresses(s, &s->out->authority, RANK_GLUE, s->r->settings->harden_glue);
}

static RESULT finish_lame(struct scrubber *s, enum lame_kind why, const char *note)
{
	s->out->kind = REPLY_LAME;
	s->out->lame = why;
	s->out->note = note;
	return DONE;
}

static bool answers_about_name(const struct scrubber *s)
{
	for (size_t i = 0; i < s->m->answer.count; i++) {
		if (!in_zone(s, s->m->answer.sets[i]) || !name_equal(rrset_name(s->m->answer.sets[i]), s->r->q.name))
			return false;
	}
	return true;
}

/* How long a denial without a SOA is worth: as long as its proofs, and not longer than any other (RFC 9077 section 3). */
static uint32_t ttl_of_denials(const struct scrubber *s)
{
	const struct core_settings *set = s->r->settings;
	uint32_t ttl = set->max_negative_ttl;

	for (size_t i = 0; i < s->out->authority.count; i++) {
		if (is_denial(s->out->authority.sets[i]->type) && s->out->authority.sets[i]->ttl < ttl)
			ttl = s->out->authority.sets[i]->ttl;
	}
	return ttl;
}

static bool has_signed_denials(const struct scrubber *s)
{
	for (size_t i = 0; i < s->m->authority.count; i++) {
		const struct rrset *rs = s->m->authority.sets[i];

		if (is_denial(rs->type) && rs->count > 0 && rs->sigs > 0 && in_zone(s, rs))
			return true;
	}
	return false;
}

/* A referral to the name itself in reply to a question for its DS: what it says of the DS is the answer, if it says anything (RFC 4035 section 3.1.4.1 wants it in the answer). */
static RESULT answer_from_referral(struct scrubber *s)
{
	const struct rrset *ds = find_in(s, &s->m->authority, s->r->q.name, RR_DS);

	if (ds == NULL)
		return finish_negative(s, REPLY_NODATA, NULL);
	s->out->kind = REPLY_ANSWER;
	return keep_in(s, &s->out->answer, ds, authority_rank(s) == RANK_AUTHORITY ? RANK_AUTHORITY : RANK_ANSWER_NONAUTH);
}

/* No error, and nothing in the answer section that counts. */
static RESULT classify_no_answer(struct scrubber *s)
{
	const struct rrset *soa = find_soa(s), *cut = find_cut(s);

	if (cut != NULL && soa == NULL && !s->r->recursive) {
		/* DS lives above the cut: a server that does not know this, or does not serve the parent, refers to the child. */
		if (s->r->q.type == RR_DS && name_equal(rrset_name(cut), s->r->q.name))
			return answer_from_referral(s);
		return finish_referral(s, cut);
	}
	if (soa != NULL)
		return finish_negative(s, REPLY_NODATA, soa);
	if (s->r->recursive && names_any_ns(s))
		return finish_lame(s, LAME_REFERRAL, "referral from a forwarder");
	if (names_any_ns(s) && !s->out->authoritative)
		return finish_lame(s, LAME_REFERRAL, "referral that leads nowhere");
	if (s->m->answer.count == 0 && has_signed_denials(s)) { /* a proof says more than a SOA */
		TRY(finish_negative(s, REPLY_NODATA, NULL));
		s->out->negative_ttl = ttl_of_denials(s);
		return DONE;
	}
	s->out->note = "neither answer nor SOA";
	/* Records of other names are no way to say that there are none; another type of the name is what careless servers send for "not this type". */
	if (s->m->answer.count > 0 && !answers_about_name(s)) {
		s->out->kind = REPLY_ERROR;
		s->out->lame = LAME_GARBAGE;
		return DONE;
	}
	s->out->kind = REPLY_EMPTY;
	TRY(take_spare_ns(s));
	return take_addresses(s, &s->out->authority, RANK_ADDITIONAL, true);
}

static RESULT classify_error(struct scrubber *s)
{
	static const struct {
		uint16_t rcode;
		enum lame_kind lame;
	} kinds[] = {
		{ RCODE_SERVFAIL, LAME_SERVFAIL }, { RCODE_REFUSED, LAME_REFUSED }, { RCODE_NOTAUTH, LAME_NOTAUTH },
	};

	s->out->kind = REPLY_ERROR;
	s->out->lame = LAME_GARBAGE;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if (kinds[i].rcode == s->m->rcode)
			s->out->lame = kinds[i].lame;
	}
	return DONE;
}

static RESULT classify(struct scrubber *s)
{
	bool found;

	if (s->m->rcode != RCODE_NOERROR && s->m->rcode != RCODE_NXDOMAIN && s->m->rcode != RCODE_YXDOMAIN)
		return classify_error(s);
	TRY(walk_answer(s, &found));
	if (s->out->rcode == RCODE_YXDOMAIN) {
		bool real = s->out->answer.count > 0 && s->out->answer.sets[s->out->answer.count - 1]->type == RR_DNAME;

		return real ? finish_answer(s) : classify_error(s);
	}
	if (found)
		return finish_answer(s);
	if (s->out->answer.count > 0) {
		s->out->kind = REPLY_ALIAS;
		return take_denials(s);
	}
	if (s->m->rcode == RCODE_NXDOMAIN)
		return finish_negative(s, REPLY_NXDOMAIN, find_soa(s));
	return classify_no_answer(s);
}

RESULT scrub_reply(struct arena *a, const struct scrub_request *r, const struct msg *m, struct scrubbed *ret)
{
	struct scrubbed out = { .kind = REPLY_LAME, .rcode = m->rcode, .final = r->q.name, .note = "" };
	struct scrubber s = { a, r, m, &out };
	size_t total = m->answer.count + m->authority.count + m->additional.count, kept;

	out.authoritative = (m->flags & MSG_AA) != 0;
	out.second_hand = !r->recursive && !out.authoritative && (m->flags & MSG_RA) != 0;
	out.spoilt = m->bad_rdata > 0;
	if (!name_is_under(r->q.name, r->zone))
		return FAIL(ERR_RANGE);
	TRY(classify(&s));
	kept = out.answer.count + out.authority.count + out.additional.count;
	out.dropped = kept < total ? (uint32_t)(total - kept) : 0;
	*ret = out;
	return DONE;
}
