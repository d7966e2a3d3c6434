/* explain_zone.c: the zones on the way down, and how each is tied to the one above. */
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "resolver/cache/keycache.h"
#include "resolver/core/explain_inside.h"
#include "resolver/core/explain_words.h"
#include "resolver/core/lookup.h"
#include "validator/ds.h"

/* --- where the zones are */

static const struct zone_conf *configured_zone(const struct explaining *w, struct name n) BORROWED;
static const struct zone_conf *configured_zone(const struct explaining *w, struct name n)
{
	const struct zone_conf *c = settings_zone(w->e->settings, n, 0);

	return c != NULL && name_equal(c->name, n) ? c : NULL;
}

static const struct trust *trust_of(const struct explaining *w, struct name n) BORROWED;
static const struct trust *trust_of(const struct explaining *w, struct name n)
{
	return w->e->keycache == NULL ? NULL : keycache_get(w->e->keycache, n, w->e->now);
}

/* Something shows that a zone begins there. */
static bool is_cut(const struct explaining *w, struct name n)
{
	const struct trust *t = trust_of(w, n);

	if (n.labels == 0 || configured_zone(w, n) != NULL || explain_entry(w, n, 0, BUNDLE_DELEGATION) != NULL)
		return true;
	if (w->e->validation != NULL && anchors_has(w->e->validation->anchors, n))
		return true;
	if (t != NULL && (t->state == TRUST_KEYS || t->state == TRUST_DS || t->state == TRUST_INSECURE))
		return true;
	return explain_entry(w, n, RR_DNSKEY, BUNDLE_DATA) != NULL || explain_entry(w, n, RR_DS, BUNDLE_DATA) != NULL;
}

/* Something says about DS there: perhaps that an unsigned zone begins. */
static bool may_be_cut(const struct explaining *w, struct name n)
{
	return explain_entry(w, n, RR_DS, BUNDLE_NODATA) != NULL;
}

/* --- servers */

static struct explain_server server_of(const struct explaining *w, const struct deleg *d, const struct deleg_server *s)
{
	struct explain_server r = { .at = s->at };
	struct server_facts f;

	if (s->target < d->target_count)
		r.name = d->targets[s->target].name;
	infra_get(w->e->infra, &s->at, w->e->now, &f);
	r.asked = f.srtt_us != 0 || f.timeouts != 0;
	r.rtt_ms = f.srtt_us / 1000;
	r.timeouts = f.timeouts;
	r.backoff = f.blocked_until_ms > now_ms(w->e->now);
	r.lame = infra_lame(w->e->infra, &s->at, d->zone, w->e->now);
	r.judged = w->e->routes != NULL;
	if (r.judged)
		r.route = route_judge(w->e->routes, &s->at.a);
	return r;
}

static RESULT add_servers(struct explaining *w, struct explain_zone *z)
{
	struct deleg_env env = { .arena = w->x->arena, .settings = w->e->settings, .cache = w->e->rrcache, .now = w->e->now };
	const struct zone_conf *conf = configured_zone(w, z->name);
	const struct bundle *b = explain_entry(w, z->name, 0, BUNDLE_DELEGATION);
	struct deleg *d = NULL;

	if (conf != NULL)
		TRY(deleg_from_conf(&env, conf, &d));
	else if (b != NULL)
		TRY(deleg_from_bundle(&env, b, &d));
	else if (z->name.labels == 0)
		TRY(deleg_from_hints(&env, &d));
	if (d == NULL)
		return DONE;
	z->cut_known = true;
	z->source = d->source;
	z->cut_ttl = conf == NULL && b != NULL ? bundle_ttl_left(b, w->e->now) : 0;
	z->servers = arena_alloc_array(w->x->arena, d->server_count + 1, sizeof *z->servers);
	if (z->servers == NULL)
		return FAIL(ERR_NOMEM);
	z->judged = w->e->routes != NULL;
	for (size_t i = 0; i < d->server_count; i++) {
		struct explain_server s = server_of(w, d, &d->servers[i]);

		z->servers[z->server_count++] = s;
		z->guards.n[route_guard_of(s.route.state)]++;
	}
	return DONE;
}

/* Of a zone of which nothing was found out it is not said that it is unsigned. */
static enum exposure exposure_of_zone(const struct explain_zone *z)
{
	switch (z->finding.verdict) {
	case EXPLAIN_SECURE:
	case EXPLAIN_BOGUS:
		return exposure_of(&z->guards, true);
	case EXPLAIN_INSECURE:
	case EXPLAIN_INDETERMINATE:
		return exposure_of(&z->guards, false);
	case EXPLAIN_UNKNOWN:
		break;
	}
	return EXPOSURE_NONE;
}

/* --- keys */

static bool names_any(const struct explain_zone *z)
{
	for (size_t i = 0; i < z->key_count; i++) {
		if (z->keys[i].named && z->keys[i].fault == KEY_GOOD)
			return true;
	}
	return false;
}

static bool link_usable(const struct explain_zone *z)
{
	for (size_t i = 0; i < z->link_count; i++) {
		if (z->links[i].usable)
			return true;
	}
	return false;
}

/* harden-algo-downgrade: an algorithm that a link speaks of and no signature is of; 0: none. */
static uint8_t algorithm_missing(const struct explain_zone *z)
{
	for (size_t i = 0; i < z->link_count; i++) {
		bool have = !z->links[i].usable;

		for (size_t s = 0; s < z->dnskey.sig_count && !have; s++)
			have = z->dnskey.sigs[s].verdict == SIG_GOOD && z->dnskey.sigs[s].algorithm == z->links[i].algorithm;
		if (!have)
			return z->links[i].algorithm;
	}
	return 0;
}

static bool any_data(const struct explaining *w)
{
	for (size_t i = 0; i < w->x->record_count; i++) {
		if (w->x->records[i].kind != EXPLAIN_MISSING)
			return true;
	}
	return false;
}

static struct explain_finding no_keys(struct explaining *w, struct explain_zone *z)
{
	struct arena *a = w->x->arena;
	const char *name = explain_name(a, z->name);

	explain_want(w, z->name, RR_DNSKEY);
	if (explain_entry(w, z->name, RR_DNSKEY, BUNDLE_NODATA) != NULL || explain_entry(w, z->name, 0, BUNDLE_NXDOMAIN) != NULL)
		return (struct explain_finding){ .verdict = EXPLAIN_BOGUS, .ede = EDE_DNSKEY_MISSING,
			.reason = arena_printf(a, "%s has %s, but publishes no DNSKEY records", name, z->anchored ? "a trust anchor" : "DS records"),
			.mend = z->anchored ? arena_printf(a, "Publish the keys of %s, or take its trust anchor out of the configuration.", name) :
					      arena_printf(a, "Sign zone %s and publish its keys, or have its parent remove the DS records.", name) };
	if (z->key_failure != NULL) /* data that cannot be verified is as bad as bogus; without data nothing can be said */
		return (struct explain_finding){ .verdict = any_data(w) ? EXPLAIN_BOGUS : EXPLAIN_UNKNOWN, .ede = EDE_DNSKEY_MISSING,
			.reason = arena_printf(a, "the DNSKEY RRset of %s could not be had: %s", name, z->key_failure),
			.mend = arena_printf(a, "See that the servers of %s answer DNSKEY questions with the DO bit, over UDP and TCP, and that they can be reached from here.", name) };
	return explain_unknown(arena_printf(a, "the DNSKEY RRset of %s is not in the cache", name));
}

static struct explain_finding judge_keys(struct explaining *w, const struct explain_zone *z, struct name parent)
{
	struct arena *a = w->x->arena;
	const char *name = explain_name(a, z->name);
	uint8_t missing;

	if (z->keyset == NULL && z->key_count > w->t.policy->keys.max_keys)
		return (struct explain_finding){ .verdict = EXPLAIN_BOGUS, .ede = EDE_BOGUS,
			.reason = arena_printf(a, "%s has %zu keys, more than are looked at", name, z->key_count),
			.mend = arena_printf(a, "Publish fewer DNSKEY records in zone %s.", name) };
	if (z->too_many_misses)
		return (struct explain_finding){ .verdict = EXPLAIN_BOGUS, .ede = EDE_DNSKEY_MISSING,
			.reason = arena_printf(a, "too many DS records of %s have the tags of its keys and match none of them", name),
			.mend = arena_printf(a, "Have the parent of %s take away the DS records that match no key.", name) };
	if (!names_any(z))
		return w->t.out_of_work ? explain_unknown("the work for an explanation was spent") : explain_bad_links(a, z, parent);
	if (z->dnskey.verdict != SIG_GOOD)
		return z->dnskey.tried || z->dnskey.sig_count == 0 || z->dnskey.verdict < SIG_GOOD ? explain_bad_set(a, &z->dnskey, z->name, w->x->wall) :
												     explain_unknown("the work for an explanation was spent");
	missing = w->t.policy->all_algorithms ? algorithm_missing(z) : 0;
	if (missing != 0)
		return (struct explain_finding){ .verdict = EXPLAIN_BOGUS, .ede = EDE_DNSKEY_MISSING,
			.reason = arena_printf(a, "the DNSKEY RRset of %s has no good signature of algorithm %u, which harden-algo-downgrade asks for", name, missing),
			.mend = arena_printf(a, "Sign the DNSKEY RRset of %s with every algorithm of its DS records, or take the DS records of algorithm %u away.", name, missing) };
	return (struct explain_finding){ .verdict = EXPLAIN_SECURE };
}

static RESULT examine_keys(struct explaining *w, struct explain_zone *z, struct name parent, const struct rrset *ds, const struct anchor_zone *anchor)
{
	const struct bundle *b = explain_entry(w, z->name, RR_DNSKEY, BUNDLE_DATA);
	const struct rrset *dnskeys = b == NULL ? NULL : bundle_find(b, z->name, RR_DNSKEY);

	if (dnskeys == NULL || dnskeys->count == 0) {
		TRY(explain_failure(w, z->name, RR_DNSKEY, &z->key_failure));
		z->finding = no_keys(w, z);
		return DONE;
	}
	TRY(explain_keys_make(&w->t, dnskeys, bundle_ttl_left(b, w->e->now), ds, anchor, z));
	z->finding = judge_keys(w, z, parent);
	return DONE;
}

/* --- from the zone above */

static RESULT examine_ds(struct explaining *w, struct explain_zone *z, const struct explain_zone *parent, const struct rrset *ds, uint32_t ttl)
{
	uint16_t ede = 0;

	TRY(explain_links_make(&w->t, ds, NULL, z));
	TRY(explain_set_make(&w->t, ds, ttl, parent->keyset, NULL, &z->ds));
	if (z->ds.verdict != SIG_GOOD) {
		z->finding = explain_bad_set(w->x->arena, &z->ds, parent->name, w->x->wall);
		return DONE;
	}
	if (!ds_any_usable(ds, &w->t.policy->algorithms, &ede)) {
		z->finding = explain_unusable_links(w->x->arena, z, ede);
		return DONE;
	}
	return examine_keys(w, z, parent->name, z->ds.rs, NULL);
}

/* *ret_zone: false: it turned out that no zone begins here. last: there is no other proof to look at. */
static RESULT examine_no_ds(struct explaining *w, struct explain_zone *z, const struct explain_zone *parent, const struct bundle *b, bool *ret_zone)
{
	const struct rrset **sets = arena_alloc_array(w->x->arena, bundle_count(b) + 1, sizeof *sets);
	const char *about;
	size_t n = 0;

	if (sets == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t i = 0; i < bundle_count(b); i++) {
		if (bundle_set(b, i)->type == RR_NSEC || bundle_set(b, i)->type == RR_NSEC3)
			sets[n++] = bundle_set(b, i);
	}
	TRY(explain_proof_make(&w->t, sets, n, bundle_ttl_left(b, w->e->now), parent->keyset, &z->no_ds));
	explain_proof_judge(&w->t, &z->no_ds, parent->name, z->name, RR_DS);
	switch (z->no_ds.what) {
	case DENIAL_NO_DS_INSECURE:
	case DENIAL_INSECURE_OPTOUT:
	case DENIAL_ITERATIONS_INSECURE:
		z->finding = explain_insecure_cut(w->x->arena, z, parent->name);
		return DONE;
	case DENIAL_PROVEN_NODATA:
	case DENIAL_PROVEN_NXDOMAIN:
	case DENIAL_WILDCARD_NODATA:
		*ret_zone = z->cut_known;
		break;
	case DENIAL_TOO_MUCH_WORK:
	case DENIAL_FAILED:
		z->finding = explain_unknown("the work for an explanation was spent");
		return DONE;
	case DENIAL_NOT_PROVEN:
	case DENIAL_WILDCARD_ANSWER:
		break;
	}
	about = arena_printf(w->x->arena, "that %s is an unsigned delegation", explain_name(w->x->arena, z->name));
	z->finding = explain_bad_proof(w->x->arena, &z->no_ds, parent->name, about != NULL ? about : "", w->x->wall);
	return DONE;
}

static bool has_denials(const struct bundle *b)
{
	for (size_t i = 0; i < bundle_count(b); i++) {
		if (bundle_set(b, i)->type == RR_NSEC || bundle_set(b, i)->type == RR_NSEC3)
			return true;
	}
	return false;
}

/* What is known of DS at z: the DS question's answer goes before what the referral brought. */
static RESULT examine_cut(struct explaining *w, struct explain_zone *z, const struct explain_zone *parent, bool *ret_zone)
{
	const struct bundle *data = explain_entry(w, z->name, RR_DS, BUNDLE_DATA), *none = explain_entry(w, z->name, RR_DS, BUNDLE_NODATA);
	const struct bundle *referral = explain_entry(w, z->name, 0, BUNDLE_DELEGATION), *from = data != NULL ? data : referral;
	const struct rrset *ds = from == NULL ? NULL : bundle_find(from, z->name, RR_DS);
	const char *name;

	if (ds != NULL && ds->count > 0 && (data != NULL || none == NULL)) {
		TRY(examine_ds(w, z, parent, ds, bundle_ttl_left(from, w->e->now)));
		if (data == NULL && z->ds.verdict != SIG_GOOD)
			explain_want(w, z->name, RR_DS); /* an answer may be better than the referral */
		return DONE;
	}
	if (none != NULL)
		return examine_no_ds(w, z, parent, none, ret_zone);
	explain_want(w, z->name, RR_DS);
	if (referral != NULL && has_denials(referral))
		return examine_no_ds(w, z, parent, referral, ret_zone);
	TRY(explain_failure(w, z->name, RR_DS, &z->ds_failure));
	name = explain_name(w->x->arena, z->name);
	z->finding = explain_unknown(z->ds_failure != NULL ? arena_printf(w->x->arena, "whether %s has DS records could not be found out: %s", name, z->ds_failure) :
							     arena_printf(w->x->arena, "whether %s has DS records is not in the cache", name));
	if (explain_entry(w, z->name, 0, BUNDLE_NXDOMAIN) != NULL)
		*ret_zone = z->cut_known;
	return DONE;
}

static void read_configuration(struct explaining *w, struct explain_zone *z, struct anchor_found *ret)
{
	const struct validation *v = w->e->validation;
	size_t n = ntas_count(v->ntas);

	*ret = anchors_find_with(v->anchors, v->ntas, w->e->now->wall_sec, z->name);
	z->config = ret->kind;
	z->config_at = name_suffix(z->name, ret->zone.labels);
	z->anchored = ret->kind == ANCHOR_KEYS && ret->zone.labels == z->name.labels;
	for (size_t i = 0; ret->kind == ANCHOR_NEGATIVE && i < n; i++) {
		int64_t until = 0;

		if (name_equal(ntas_at(v->ntas, i, &until), ret->zone))
			z->nta_until = until;
	}
}

static RESULT examine(struct explaining *w, struct explain_zone *z, bool *ret_zone)
{
	const struct explain_zone *parent = z->parent == EXPLAIN_TOP ? NULL : &w->x->zones[z->parent];
	const struct trust *t = trust_of(w, z->name);
	struct anchor_found found;

	TRY(add_servers(w, z));
	z->remembered = t != NULL;
	z->trust = t != NULL ? t->state : TRUST_NONE;
	if (w->e->validation == NULL) {
		z->finding = (struct explain_finding){ .verdict = EXPLAIN_INDETERMINATE, .inherited = parent != NULL, .reason = "nothing is validated: module-config has no "
			"validator, or there is no trust anchor" };
		return DONE;
	}
	read_configuration(w, z, &found);
	if (found.kind != ANCHOR_KEYS) {
		z->finding = explain_configured(w->x->arena, z, w->e->now->wall_sec);
		z->finding.inherited = parent != NULL && parent->config == z->config && (z->config == ANCHOR_NONE || name_equal(parent->config_at, z->config_at));
		return DONE;
	}
	if (z->anchored) {
		TRY(explain_links_make(&w->t, NULL, found.keys, z));
		if (link_usable(z))
			return examine_keys(w, z, z->name, NULL, found.keys);
		z->finding = explain_unusable_links(w->x->arena, z, EDE_UNSUPPORTED_DNSKEY);
		return DONE;
	}
	if (parent == NULL) {
		z->finding = explain_unknown("the zone of the trust anchor above is not known");
		return DONE;
	}
	if (parent->finding.verdict != EXPLAIN_SECURE) {
		z->finding = explain_inherit(w, parent);
		return DONE;
	}
	return examine_cut(w, z, parent, ret_zone);
}

/* --- the list */

static size_t find_zone(const struct explanation *x, struct name n)
{
	for (size_t i = 0; i < x->zone_count; i++) {
		if (name_equal(x->zones[i].name, n))
			return i;
	}
	return EXPLAIN_TOP;
}

static RESULT room_for_zone(struct explanation *x)
{
	void *room = x->zones;

	if (x->zone_count < x->zone_cap)
		return DONE;
	TRY(mem_resize(&room, x->zone_cap, x->zone_cap + 16, sizeof *x->zones));
	x->zones = room;
	x->zone_cap += 16;
	return DONE;
}

static RESULT add_zone(struct explaining *w, struct name n, size_t parent, bool sure, size_t *ret)
{
	struct explanation *x = w->x;
	struct explain_zone *z;
	bool is_zone = true;

	TRY(room_for_zone(x));
	z = &x->zones[x->zone_count];
	*z = (struct explain_zone){ .name = name_dup_in(x->arena, n), .parent = parent };
	if (z->name.wire == NULL)
		return FAIL(ERR_NOMEM);
	x->zone_count++; /* from here on it is freed with the others */
	TRY(examine(w, z, &is_zone));
	z->exposure = exposure_of_zone(z);
	if (is_zone && (sure || (z->finding.verdict == EXPLAIN_INSECURE && !z->finding.inherited))) {
		*ret = x->zone_count - 1;
		return DONE;
	}
	keyset_free(MOVE(z->keyset));
	x->zone_count--;
	return DONE;
}

RESULT explain_add_zones(struct explaining *w, struct name name, uint16_t type, const bool signers[NAME_MAX_LABELS + 1])
{
	unsigned int most = type == RR_DS && name.labels > 0 ? name.labels - 1u : name.labels;
	size_t above = EXPLAIN_TOP;

	for (unsigned int labels = 0; labels <= most; labels++) {
		struct name n = name_suffix(name, labels);
		size_t at = find_zone(w->x, n);
		bool sure;

		if (at != EXPLAIN_TOP) {
			above = at;
			continue;
		}
		sure = signers[labels] || is_cut(w, n);
		if (sure || may_be_cut(w, n))
			TRY(add_zone(w, n, above, sure, &above));
	}
	return DONE;
}

size_t explain_zone_of(const struct explanation *x, struct name name, uint16_t type)
{
	size_t best = EXPLAIN_TOP;

	for (size_t i = 0; i < x->zone_count; i++) {
		struct name z = x->zones[i].name;

		if (!name_is_under(name, z) || (type == RR_DS && name.labels > 0 && z.labels == name.labels))
			continue;
		if (best == EXPLAIN_TOP || z.labels > x->zones[best].name.labels)
			best = i;
	}
	return best;
}
