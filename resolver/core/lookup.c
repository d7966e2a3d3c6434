#include "resolver/core/lookup.h"

#include "base/arena.h"
#include "resolver/cache/denials.h"
#include "resolver/core/alias.h"
#include "resolver/core/settings.h"
#include "resolver/core/validation.h"
#include "validator/signature.h"

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

enum security lookup_security(const struct bundle *b)
{
	return bundle_key(b).kind == BUNDLE_DATA && bundle_count(b) > 0 ? bundle_set(b, 0)->security : bundle_info(b)->security;
}

/* Failures of validation are none to those that do not validate (CD, RFC 4035 section 3.2.2). */
static const struct bundle *get_failure(const struct lookup *k)
{
	const struct bundle *b = get(k->cache, k->name, k->type, BUNDLE_FAILURE, k->now, 0);
	bool bogus = b != NULL && ede_is_dnssec(bundle_info(b)->ede);

	if (b == NULL || (k->flags & LOOKUP_STALE) != 0)
		return NULL;
	return (k->flags & (bogus ? LOOKUP_CHECKED : LOOKUP_NO_FAILURES)) == (bogus ? LOOKUP_CHECKED : 0) ? b : NULL;
}

/* Is the entry one that the validator must see first? Then *ret_kind says so; or that it has lately been found bogus, so that it is not judged for each question. */
static bool needs_check(struct lookup *k, const struct bundle *b, enum lookup_kind *ret_kind)
{
	if ((k->flags & LOOKUP_CHECKED) == 0 || ((k->flags & LOOKUP_REJUDGE) == 0 && lookup_security(b) != SECURITY_UNCHECKED))
		return false;
	k->failure = get_failure(k);
	k->unchecked = b;
	*ret_kind = k->failure != NULL ? LOOKUP_FAILURE : LOOKUP_UNCHECKED;
	return true;
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

/* Nobody is told to keep a DNAME that is itself only kept for a moment (RFC 1035 section 3.2.1: a TTL of 0 is for the transaction in progress). */
static uint32_t shown_ttl(const struct bundle *b, uint16_t type, const struct now *now)
{
	return type == RR_DNAME && bundle_info(b)->ttl <= DNAME_GRACE_SEC ? 0 : bundle_ttl_left(b, now);
}

/* What has expired is the reason of a stale answer, and may be for longer, where that is wished. No memory: it is not. */
static void note_expired(struct lookup *k, const struct bundle *b)
{
	if (bundle_ttl_left(b, k->now) != 0)
		return;
	k->stale = true;
	if (k->prolong != NULL)
		(void)OK(rrcache_prolong(k->cache, k->prolong, b, k->now));
}

/* Its set goes to the answer; what stood beside it, when it was kept, to authority and additional. Each has its own TTL. */
static RESULT take_data(struct lookup *k, const struct bundle *b, uint16_t type, bool beside)
{
	bool alias = type == RR_CNAME || type == RR_DNAME;

	struct name owner = bundle_key(b).name;
	const struct bundle *later = beside && bundle_count(b) > 1 ? later_ns(k, b) : NULL;
	uint32_t left = shown_ttl(b, type, k->now);

	note_expired(k, b);
	if (bundle_text(b)[0] != '\0')
		k->draft->note = arena_strdup(k->arena, bundle_text(b));
	for (size_t i = 0; i < bundle_count(b); i++) {
		const struct rrset *rs = bundle_set(b, i);

		if (rs->type == type && name_equal(rrset_name(rs), owner))
			TRY(draft_add_copy(k->draft, k->arena, PART_ANSWER, rs, left));
		else if (beside || (alias && (rs->type == RR_NSEC || rs->type == RR_NSEC3))) /* the proof that goes with a wildcard's */
			TRY(take_beside(k, b, later, rs));
	}
	k->authority_kept = beside && bundle_count(b) > 1;
	return DONE;
}

static RESULT take_negative(struct lookup *k, const struct bundle *b)
{
	uint32_t left = bundle_ttl_left(b, k->now);

	note_expired(k, b);
	k->draft->bare = bundle_count(b) == 0;
	for (size_t i = 0; i < bundle_count(b); i++) {
		const struct rrset *rs = bundle_set(b, i);

		TRY(draft_add_copy(k->draft, k->arena, rs->type == RR_A || rs->type == RR_AAAA ? PART_ADDITIONAL : PART_AUTHORITY, rs, left));
	}
	return DONE;
}

/* What zones above this name deny does not count: a delegation that is known, or a configured zone, says more. */
static struct name floor_of(struct lookup *k, struct name from)
{
	const struct bundle *cut;
	const struct zone_conf *conf;

	if (k->floor.wire != NULL && k->floor_from.wire == from.wire && k->floor_from.len == from.len)
		return k->floor;
	cut = rrcache_deepest_delegation(k->cache, from, CLASS_IN, k->now);
	conf = settings_zone(k->settings, from, 0);
	k->floor = cut != NULL ? bundle_key(cut).name : name_root;
	if (conf != NULL && conf->name.labels > k->floor.labels)
		k->floor = conf->name;
	k->floor_from = from;
	return k->floor;
}

static const struct bundle *covering_nxdomain(struct lookup *k)
{
	const struct bundle *nx = get(k->cache, k->name, 0, BUNDLE_NXDOMAIN, k->now, k->flags & RRCACHE_STALE);

	if (nx != NULL || !k->settings->harden_below_nxdomain)
		return nx;
	return rrcache_covering_nxdomain(k->cache, k->name, floor_of(k, k->name), CLASS_IN, k->now);
}

/* ANY (RFC 8482): a subset will do. What we have, if anything, of the types that are asked for most. */
static RESULT take_any(struct lookup *k, bool *ret_found)
{
	static const uint16_t types[] = { RR_A, RR_AAAA, RR_CNAME, RR_MX, RR_NS, RR_SOA, RR_TXT, RR_HTTPS, RR_SRV, RR_PTR };

	*ret_found = false;
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		const struct bundle *b = get_data(k->cache, k->name, types[i], k->now, k->flags & RRCACHE_STALE);

		if (b != NULL && ((k->flags & LOOKUP_CHECKED) == 0 || lookup_security(b) != SECURITY_UNCHECKED)) {
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

	if (needs_check(k, b, ret_kind))
		return DONE;
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

	if (needs_check(k, b, ret_kind))
		return DONE;
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
	TRY(draft_add(k->draft, k->arena, PART_ANSWER, cname, shown_ttl(b, RR_DNAME, k->now)));
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

/* --- what the denials of other names say (RFC 8198) */

static RESULT take_proofs(struct lookup *k, const struct denied_answer *d)
{
	for (size_t i = 0; i < d->n; i++)
		TRY(draft_add(k->draft, k->arena, PART_AUTHORITY, d->sets[i], d->sets[i]->type == RR_SOA && d->ttl < d->sets[i]->ttl ? d->ttl : d->sets[i]->ttl));
	k->synthesized = true;
	return DONE;
}

/* A wildcard shows that the name above it exists; but only if it is of the zone that denies what is between (a delegation may stand there). */
static bool is_of_that_zone(const struct rrset *wildcard, const struct denied_answer *d)
{
	struct rrsig mine, theirs;

	return wildcard->sigs > 0 && d->n > 0 && d->sets[0]->sigs > 0 && OK(rrsig_parse(rrset_sig(wildcard, 0), &mine)) &&
	    OK(rrsig_parse(rrset_sig(d->sets[0], 0), &theirs)) && name_equal(mine.signer, theirs.signer);
}

/* The wildcard's own set, when it is at hand and was found secure, under the name asked for. *ret NULL: it is not. */
static RESULT expand(struct lookup *k, const struct denied_answer *d, uint16_t type, struct rrset **ret)
{
	const struct bundle *b = get_data(k->cache, d->wildcard, type, k->now, 0);
	uint32_t left = b == NULL ? 0 : bundle_ttl_left(b, k->now);

	*ret = NULL;
	if (b == NULL || lookup_security(b) != SECURITY_SECURE || bundle_find(b, d->wildcard, type) == NULL ||
	    (d->guess && !is_of_that_zone(bundle_find(b, d->wildcard, type), d)))
		return DONE;
	*ret = rrset_renamed_in(k->arena, bundle_find(b, d->wildcard, type), k->name);
	if (*ret == NULL)
		return FAIL(ERR_NOMEM);
	TRY(draft_add(k->draft, k->arena, PART_ANSWER, *ret, left < d->ttl ? left : d->ttl));
	return take_proofs(k, d);
}

static RESULT take_wildcard(struct lookup *k, const struct denied_answer *d, enum lookup_kind *ret_kind, bool *ret_moved)
{
	struct name target;
	struct rrset *rs;

	TRY(expand(k, d, k->type, &rs));
	if (rs != NULL) {
		*ret_kind = LOOKUP_ANSWER;
		return DONE;
	}
	if (k->type == RR_CNAME)
		return DONE;
	TRY(expand(k, d, RR_CNAME, &rs));
	if (rs == NULL || !alias_target(rs, &target))
		return DONE;
	*ret_moved = true;
	return move_to(k, target, ret_kind);
}

void lookup_denied(struct lookup *k, struct denied_answer *ret)
{
	*ret = (struct denied_answer){ .what = DENIED_NOTHING };
	if (k->denials == NULL || (k->flags & LOOKUP_CHECKED) == 0 || rrtype_is_meta(k->type) || k->name.labels == 0)
		return;
	denials_find(k->denials, k->name, k->type, floor_of(k, k->type == RR_DS ? name_parent(k->name) : k->name), k->hasher, k->validation->hash_attempts, k->arena, k->now, ret);
	if (ret->what != DENIED_NOTHING &&
	    anchors_find_with(k->validation->anchors, k->validation->ntas, k->now->wall_sec, k->type == RR_DS ? name_parent(k->name) : k->name).kind != ANCHOR_KEYS)
		ret->what = DENIED_NOTHING;
}

static RESULT use_denials(struct lookup *k, enum lookup_kind *ret_kind, bool *ret_moved)
{
	struct denied_answer d;

	lookup_denied(k, &d);
	if (d.no_soa)
		return DONE;
	switch (d.what) {
	case DENIED_NOTHING:
		break;
	case DENIED_NXDOMAIN:
		*ret_kind = LOOKUP_NXDOMAIN;
		return take_proofs(k, &d);
	case DENIED_NODATA:
		*ret_kind = LOOKUP_NODATA;
		return take_proofs(k, &d);
	case DENIED_WILDCARD:
		return take_wildcard(k, &d, ret_kind, ret_moved);
	}
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
		if (needs_check(k, b, ret_kind))
			return DONE;
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
		if (*ret_kind == LOOKUP_NOTHING || *ret_kind == LOOKUP_LOOP)
			*ret_kind = LOOKUP_ANSWER; /* where it leads was not asked */
		return DONE;
	}
	b = get(k->cache, k->name, k->type, BUNDLE_NODATA, k->now, stale);
	if (b != NULL) {
		if (needs_check(k, b, ret_kind))
			return DONE;
		*ret_kind = LOOKUP_NODATA;
		return take_negative(k, b);
	}
	b = covering_nxdomain(k);
	if (b != NULL) {
		if (needs_check(k, b, ret_kind))
			return DONE;
		*ret_kind = LOOKUP_NXDOMAIN;
		return take_negative(k, b);
	}
	/* Servers that fail are of no account where denials suffice; a bogus answer is. */
	k->failure = get_failure(k);
	if (k->failure == NULL || !ede_is_dnssec(bundle_info(k->failure)->ede))
		TRY(use_denials(k, ret_kind, ret_moved));
	if (k->failure != NULL && *ret_kind == LOOKUP_NOTHING && !*ret_moved)
		*ret_kind = LOOKUP_FAILURE;
	return DONE;
}

RESULT lookup_answer(struct lookup *k, enum lookup_kind *ret_kind)
{
	enum lookup_kind kind = LOOKUP_NOTHING;
	struct name first = k->name;
	bool moved = true;

	k->stale = k->synthesized = false;
	k->failure = k->unchecked = NULL;
	while (moved && kind == LOOKUP_NOTHING)
		TRY(look_at(k, &kind, &moved));
	/* What failed lately as a whole is not tried again because some of the aliases on its way are known meanwhile. */
	if (kind == LOOKUP_NOTHING && k->name.wire != first.wire) {
		struct name end = k->name;

		k->name = first;
		k->failure = get_failure(k);
		k->name = end;
		if (k->failure != NULL && ede_is_dnssec(bundle_info(k->failure)->ede))
			kind = LOOKUP_FAILURE;
	}
	*ret_kind = kind;
	return DONE;
}
