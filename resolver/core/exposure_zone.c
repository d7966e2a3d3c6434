#include "resolver/core/exposure_zone.h"

#include "resolver/cache/keycache.h"
#include "resolver/core/validation.h"

const char *zone_signed_text(enum zone_signed s)
{
	return s == ZONE_SIGNED ? "signed" : s == ZONE_UNSIGNED ? "unsigned" : "unknown";
}

/* --- signed? */

static const struct bundle *entry(const struct exposure_env *e, struct name n, uint16_t type, enum bundle_kind kind) BORROWED;
static const struct bundle *entry(const struct exposure_env *e, struct name n, uint16_t type, enum bundle_kind kind)
{
	struct bundle_key k = { n, type, CLASS_IN, (uint8_t)kind };

	return rrcache_get(e->rrcache, &k, e->now, 0);
}

/* What is remembered of the zone itself. */
static enum zone_signed remembered(const struct exposure_env *e, struct name zone)
{
	const struct trust *t = e->keycache != NULL ? keycache_get(e->keycache, zone, e->now) : NULL;

	if (t == NULL)
		return ZONE_SIGNED_UNKNOWN;
	if (t->state == TRUST_KEYS || t->state == TRUST_DS)
		return ZONE_SIGNED;
	return t->state == TRUST_INSECURE || t->state == TRUST_NONE ? ZONE_UNSIGNED : ZONE_SIGNED_UNKNOWN;
}

static bool has_type(const struct bundle *b, uint16_t type)
{
	for (size_t i = 0; i < bundle_count(b); i++)
		if (bundle_set(b, i)->type == type && bundle_set(b, i)->count > 0)
			return true;
	return false;
}

/* What its parent has said of DS. */
static enum zone_signed by_parent(const struct exposure_env *e, struct name zone)
{
	const struct bundle *cut = entry(e, zone, 0, BUNDLE_DELEGATION);

	if (entry(e, zone, RR_DS, BUNDLE_DATA) != NULL)
		return ZONE_SIGNED;
	if (entry(e, zone, RR_DS, BUNDLE_NODATA) != NULL)
		return ZONE_UNSIGNED;
	if (cut == NULL)
		return ZONE_SIGNED_UNKNOWN;
	if (has_type(cut, RR_DS))
		return ZONE_SIGNED;
	return has_type(cut, RR_NSEC) || has_type(cut, RR_NSEC3) ? ZONE_UNSIGNED : ZONE_SIGNED_UNKNOWN;
}

enum zone_signed exposure_signed(const struct exposure_env *e, struct name zone)
{
	struct anchor_found found;
	enum zone_signed own;

	if (e->validation == NULL)
		return ZONE_UNSIGNED;
	found = anchors_find_with(e->validation->anchors, e->validation->ntas, e->now->wall_sec, zone);
	if (found.kind != ANCHOR_KEYS)
		return ZONE_UNSIGNED;
	if (found.zone.labels == zone.labels)
		return ZONE_SIGNED;
	own = remembered(e, zone);
	if (own != ZONE_SIGNED_UNKNOWN)
		return own;
	for (unsigned int labels = zone.labels - 1u; labels > found.zone.labels; labels--) { /* below an unsigned zone none is signed */
		enum zone_signed above = remembered(e, name_suffix(zone, labels));

		if (above == ZONE_UNSIGNED)
			return above;
		if (above == ZONE_SIGNED)
			break;
	}
	return by_parent(e, zone);
}

/* --- on what its servers hang */

struct place {
	bool has_route;
	struct prefix prefix;
	uint32_t origin; /* 0: not known */
};

static struct prefix assumed(const struct addr *a)
{
	struct prefix p = { .a = { .family = a->family }, .len = a->family == ADDR_V4 ? 24 : 48 };

	for (unsigned int i = 0; i < p.len / 8u; i++)
		p.a.b[i] = a->b[i];
	return p;
}

/* Without VRPs there is no verdict, but there may be a route. */
static struct place place_of(const struct route_view *view, const struct addr *a, const struct route_verdict *v)
{
	struct announced_routes routes;

	if (v->has_route)
		return (struct place){ true, v->route, v->from.origin };
	if (route_view_find(view, a, &routes))
		return (struct place){ true, routes.prefix, announced_at(&routes, 0).origin };
	return (struct place){ false, assumed(a), 0 };
}

static bool same_prefix(const struct prefix *a, const struct prefix *b)
{
	return a->len == b->len && addr_equal(&a->a, &b->a);
}

/* The same address under another name is not another one. */
static bool seen_before(const struct deleg *d, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (addr_equal(&d->servers[i].at.a, &d->servers[n].at.a))
			return true;
	return false;
}

struct zone_exposure exposure_examine(const struct exposure_env *e, const struct deleg *d)
{
	struct zone_exposure x = { .is_signed = exposure_signed(e, d->zone), .one_prefix = true, .one_origin = true };

	for (size_t i = 0; i < d->server_count; i++) {
		const struct addr *a = &d->servers[i].at.a;
		struct route_verdict v = route_judge(e->routes, a);
		struct place p = place_of(e->routes, a, &v);

		if (seen_before(d, i))
			continue;
		x.guards.n[route_guard_of(v.state)]++;
		if (x.addresses++ == 0) {
			x.prefix = p.prefix;
			x.origin = p.origin;
		}
		x.prefix_assumed = x.prefix_assumed || !p.has_route;
		x.one_prefix = x.one_prefix && same_prefix(&p.prefix, &x.prefix);
		x.one_origin = x.one_origin && p.origin != 0 && p.origin == x.origin;
	}
	x.one_prefix = x.one_prefix && x.addresses > 0;
	x.one_origin = x.one_origin && x.addresses > 0;
	if (x.is_signed != ZONE_SIGNED_UNKNOWN)
		x.exposure = exposure_of(&x.guards, x.is_signed == ZONE_SIGNED);
	return x;
}

bool zone_exposure_any(const struct zone_exposure *x)
{
	return x->exposure != EXPOSURE_NONE || x->one_prefix || x->one_origin;
}
