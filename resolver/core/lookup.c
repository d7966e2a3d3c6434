#include "resolver/core/lookup.h"

#include "base/arena.h"
#include "resolver/core/alias.h"
#include "resolver/core/settings.h"

uint32_t bundle_ttl_left(const struct bundle *b, const struct now *now)
{
	uint32_t at = now_sec(now), end = bundle_info(b)->expires_sec;

	return serial_before(at, end) ? end - at : 0;
}

static const struct bundle *get(struct rrcache *c, struct name n, uint16_t type, enum bundle_kind kind, const struct now *now, unsigned int flags)
{
	struct bundle_key k = { n, type, CLASS_IN, (uint8_t)kind };

	return rrcache_get(c, &k, now, flags);
}

/* Data that may be told to clients: glue and what came along unasked may not (RFC 2181 section 5.4.1). */
static const struct bundle *get_data(struct rrcache *c, struct name n, uint16_t type, const struct now *now, unsigned int flags)
{
	const struct bundle *b = get(c, n, type, BUNDLE_DATA, now, flags);

	return b != NULL && bundle_info(b)->rank >= RANK_ANSWER_NONAUTH ? b : NULL;
}

bool lookup_is_known(struct rrcache *c, struct name n, uint16_t type, const struct now *now)
{
	return get_data(c, n, type, now, 0) != NULL || get(c, n, type, BUNDLE_NODATA, now, 0) != NULL ||
	    get_data(c, n, RR_CNAME, now, 0) != NULL;
}

/* --- one name */

/* What the cache learnt later about a name server set that stands beside an answer: the same set, fresher. Its addresses stand with it. */
static const struct bundle *later_ns(const struct lookup *k, const struct bundle *b)
{
	for (size_t i = 1; i < bundle_count(b); i++) {
		const struct rrset *rs = bundle_set(b, i);
		const struct bundle *later = rs->type == RR_NS ? get(k->cache, rrset_name(rs), RR_NS, BUNDLE_DATA, k->now, 0) : NULL;

		if (later != NULL && serial_before(bundle_info(b)->stored_sec, bundle_info(later)->stored_sec + 1))
			return later;
	}
	return NULL;
}

static RESULT take_beside(struct lookup *k, const struct bundle *b, const struct bundle *later, const struct rrset *rs)
{
	const struct rrset *fresh = later == NULL ? NULL : bundle_find(later, rrset_name(rs), rs->type);
	const struct bundle *from = fresh != NULL ? later : b;
	uint32_t left = bundle_ttl_left(from, k->now), lived = bundle_info(from)->ttl - left, ttl;

	rs = fresh != NULL ? fresh : rs;
	ttl = left == 0 ? 0 : rs->ttl > lived ? rs->ttl - lived : left;
	return draft_add_copy(k->draft, k->arena, rs->type == RR_A || rs->type == RR_AAAA ? PART_ADDITIONAL : PART_AUTHORITY, rs, ttl);
}

/* Its set goes to the answer; what stood beside it, when it was kept, to authority and additional. Each has its own TTL. */
static RESULT take_data(struct lookup *k, const struct bundle *b, uint16_t type, bool beside)
{
	struct name owner = bundle_key(b).name;
	const struct bundle *later = beside && bundle_count(b) > 1 ? later_ns(k, b) : NULL;
	uint32_t left = bundle_ttl_left(b, k->now);

	if (left == 0)
		k->stale = true;
	if (bundle_text(b)[0] != '\0')
		k->draft->note = arena_strdup(k->arena, bundle_text(b));
	for (size_t i = 0; i < bundle_count(b); i++) {
		const struct rrset *rs = bundle_set(b, i);

		if (rs->type == type && name_equal(rrset_name(rs), owner))
			TRY(draft_add_copy(k->draft, k->arena, PART_ANSWER, rs, left));
		else if (beside)
			TRY(take_beside(k, b, later, rs));
	}
	k->authority_kept = beside && bundle_count(b) > 1;
	return DONE;
}

static RESULT take_negative(struct lookup *k, const struct bundle *b)
{
	uint32_t left = bundle_ttl_left(b, k->now);

	if (left == 0)
		k->stale = true;
	for (size_t i = 0; i < bundle_count(b); i++) {
		const struct rrset *rs = bundle_set(b, i);

		TRY(draft_add_copy(k->draft, k->arena, rs->type == RR_A || rs->type == RR_AAAA ? PART_ADDITIONAL : PART_AUTHORITY, rs, left));
	}
	return DONE;
}

static const struct bundle *covering_nxdomain(const struct lookup *k)
{
	const struct bundle *cut, *nx = get(k->cache, k->name, 0, BUNDLE_NXDOMAIN, k->now, k->flags & RRCACHE_STALE);
	struct name top = name_root;

	if (nx != NULL || !k->settings->harden_below_nxdomain)
		return nx;
	/* A delegation that is known says more than an older denial above it. */
	cut = rrcache_deepest_delegation(k->cache, k->name, CLASS_IN, k->now);
	if (cut != NULL)
		top = bundle_key(cut).name;
	return rrcache_covering_nxdomain(k->cache, k->name, top, CLASS_IN, k->now);
}

/* ANY (RFC 8482): a subset will do. What we have, if anything, of the types that are asked for most. */
static RESULT take_any(struct lookup *k, bool *ret_found)
{
	static const uint16_t types[] = { RR_A, RR_AAAA, RR_CNAME, RR_MX, RR_NS, RR_SOA, RR_TXT, RR_HTTPS, RR_SRV, RR_PTR };

	*ret_found = false;
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		const struct bundle *b = get_data(k->cache, k->name, types[i], k->now, k->flags & RRCACHE_STALE);

		if (b != NULL) {
			TRY(take_data(k, b, types[i], false));
			*ret_found = true;
		}
	}
	return DONE;
}

/* --- aliases */

static const struct bundle *dname_above(const struct lookup *k)
{
	for (unsigned int labels = 1; labels < k->name.labels; labels++) {
		const struct bundle *b = get_data(k->cache, name_strip(k->name, labels), RR_DNAME, k->now, k->flags & RRCACHE_STALE);

		if (b != NULL)
			return b;
	}
	return NULL;
}

/* A name that was in the chain before: the chain is a loop. */
static bool seen_before(const struct lookup *k, struct name n)
{
	return draft_has(k->draft, PART_ANSWER, n, RR_CNAME);
}

static RESULT move_to(struct lookup *k, struct name target, enum lookup_kind *ret_kind)
{
	struct name copy = name_dup_in(k->arena, target);

	if (copy.wire == NULL)
		return FAIL(ERR_NOMEM);
	if (k->aliases_left == 0 || seen_before(k, target)) {
		*ret_kind = LOOKUP_LOOP;
		return DONE;
	}
	k->aliases_left--;
	k->name = copy;
	return DONE;
}

static RESULT follow_cname(struct lookup *k, const struct bundle *b, enum lookup_kind *ret_kind)
{
	const struct rrset *rs = bundle_find(b, k->name, RR_CNAME);
	struct name target;

	if (rs == NULL || !alias_target(rs, &target))
		return FAIL(ERR_FORMAT);
	TRY(take_data(k, b, RR_CNAME, false));
	return move_to(k, target, ret_kind);
}

static RESULT follow_dname(struct lookup *k, const struct bundle *b, enum lookup_kind *ret_kind)
{
	const struct rrset *rs = bundle_find(b, bundle_key(b).name, RR_DNAME), *cname;
	struct name_buf target;
	struct result r;

	if (rs == NULL)
		return FAIL(ERR_FORMAT);
	TRY(take_data(k, b, RR_DNAME, false));
	r = dname_substitute(rs, k->name, &target);
	if (r.e == ERR_SPACE) {
		*ret_kind = LOOKUP_TOO_LONG;
		return DONE;
	}
	TRY(r);
	cname = dname_cname(k->arena, rs, k->name, name_of(&target));
	if (cname == NULL)
		return FAIL(ERR_NOMEM);
	TRY(draft_add(k->draft, k->arena, PART_ANSWER, cname, bundle_ttl_left(b, k->now)));
	return move_to(k, name_of(&target), ret_kind);
}

/* *ret_found: an alias was followed, or found to be a loop, in which case *ret_kind says so. */
static RESULT follow(struct lookup *k, enum lookup_kind *ret_kind, bool *ret_found)
{
	const struct bundle *b;

	*ret_found = true;
	b = get_data(k->cache, k->name, RR_CNAME, k->now, k->flags & RRCACHE_STALE);
	if (b != NULL)
		return follow_cname(k, b, ret_kind);
	b = dname_above(k);
	if (b != NULL)
		return follow_dname(k, b, ret_kind);
	*ret_found = false;
	return DONE;
}

/* --- all of it */

/* One name: *ret_kind stays LOOKUP_NOTHING when nothing is known; *ret_moved: look at the next name. */
static RESULT look_at(struct lookup *k, enum lookup_kind *ret_kind, bool *ret_moved)
{
	unsigned int stale = k->flags & RRCACHE_STALE;
	const struct bundle *b;
	bool found = false;

	*ret_moved = false;
	if (k->type == RR_ANY) {
		TRY(take_any(k, &found));
		*ret_kind = found ? LOOKUP_ANSWER : LOOKUP_NOTHING;
		if (found)
			return DONE;
	}
	b = get_data(k->cache, k->name, k->type, k->now, stale);
	if (b != NULL) {
		*ret_kind = LOOKUP_ANSWER;
		return take_data(k, b, k->type, true);
	}
	if (k->type != RR_CNAME && k->type != RR_ANY) {
		TRY(follow(k, ret_kind, ret_moved));
		if (*ret_moved)
			return DONE;
	}
	if (k->type == RR_CNAME && (b = dname_above(k)) != NULL) {
		TRY(follow_dname(k, b, ret_kind));
		if (*ret_kind != LOOKUP_TOO_LONG)
			*ret_kind = LOOKUP_ANSWER; /* where it leads was not asked */
		return DONE;
	}
	b = get(k->cache, k->name, k->type, BUNDLE_NODATA, k->now, stale);
	if (b != NULL) {
		*ret_kind = LOOKUP_NODATA;
		return take_negative(k, b);
	}
	b = covering_nxdomain(k);
	if (b != NULL) {
		*ret_kind = LOOKUP_NXDOMAIN;
		return take_negative(k, b);
	}
	b = (k->flags & LOOKUP_NO_FAILURES) != 0 ? NULL : get(k->cache, k->name, k->type, BUNDLE_FAILURE, k->now, 0);
	if (b != NULL) {
		*ret_kind = LOOKUP_FAILURE;
		k->failure = b;
	}
	return DONE;
}

RESULT lookup_answer(struct lookup *k, enum lookup_kind *ret_kind)
{
	enum lookup_kind kind = LOOKUP_NOTHING;
	bool moved = true;

	k->stale = false;
	k->failure = NULL;
	while (moved && kind == LOOKUP_NOTHING)
		TRY(look_at(k, &kind, &moved));
	*ret_kind = kind;
	return DONE;
}
