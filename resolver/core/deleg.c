#include "resolver/core/deleg.h"

#include <string.h>

#include "base/arena.h"
#include "base/rng.h"
#include "base/strbuf.h"
#include "resolver/core/lookup.h"

#define DNS_PORT 53
#define MAX_ADDRS 4 /* of one target and family: more add nothing but work */

/* --- making one */

static RESULT new_deleg(const struct deleg_env *e, struct name zone, enum deleg_source source, size_t targets, size_t servers, struct deleg **ret)
{
	struct deleg *d = arena_alloc(e->arena, sizeof *d);

	if (d == NULL)
		return FAIL(ERR_NOMEM);
	d->zone = name_dup_in(e->arena, zone);
	d->source = source;
	d->targets = arena_alloc_array(e->arena, targets + 1, sizeof *d->targets);
	d->servers = arena_alloc_array(e->arena, servers + 1, sizeof *d->servers);
	d->server_cap = servers + 1;
	if (d->zone.wire == NULL || d->targets == NULL || d->servers == NULL)
		return FAIL(ERR_NOMEM);
	*ret = d;
	return DONE;
}

static RESULT add_server(const struct deleg_env *e, struct deleg *d, const struct endpoint *at, uint16_t target)
{
	for (size_t i = 0; i < d->server_count; i++) {
		if (endpoint_equal(&d->servers[i].at, at))
			return DONE; /* many names, one address: one server */
	}
	if (d->server_count == d->server_cap) {
		size_t cap = d->server_cap * 2 + 4;
		struct deleg_server *list = arena_alloc_array(e->arena, cap, sizeof *list);

		if (list == NULL)
			return FAIL(ERR_NOMEM);
		memcpy(list, d->servers, d->server_count * sizeof *list);
		d->servers = list;
		d->server_cap = cap;
	}
	d->servers[d->server_count++] = (struct deleg_server){ .at = *at, .target = target };
	return DONE;
}

static RESULT add_addr(const struct deleg_env *e, struct deleg *d, size_t target, const struct addr *a, bool *ret_used)
{
	struct endpoint at = { .a = *a, .port = d->targets[target].port };

	*ret_used = settings_may_ask(e->settings, a);
	return *ret_used ? add_server(e, d, &at, (uint16_t)target) : DONE;
}

static RESULT add_addresses(const struct deleg_env *e, struct deleg *d, size_t target, int family, const struct rrset *rs, bool *ret_any)
{
	size_t octets = family == FAMILY_V4 ? 4 : 16;
	bool any = false;

	for (size_t i = 0; rs != NULL && i < rs->count && i < MAX_ADDRS; i++) {
		struct span rdata = rrset_rdata(rs, i);
		struct addr a = { .family = family == FAMILY_V4 ? ADDR_V4 : ADDR_V6 };
		bool used;

		if (rdata.n != octets)
			continue;
		memcpy(a.b, rdata.p, octets);
		TRY(add_addr(e, d, target, &a, &used));
		any = any || used;
	}
	*ret_any = any;
	return DONE;
}

bool deleg_must_verify(const struct deleg_env *e, const struct deleg *d, struct name target)
{
	return e->settings->verify_glue && !name_is_under(target, d->zone);
}

static RESULT hold_addresses(const struct deleg_env *e, struct deleg *d, size_t target, enum addr_family family, const struct rrset *rs)
{
	for (size_t i = 0; rs != NULL && i < rs->count && i < MAX_ADDRS; i++) {
		struct span rdata = rrset_rdata(rs, i);
		struct held_glue *h;

		if (rdata.n != (family == ADDR_V4 ? 4 : 16))
			continue;
		h = arena_alloc(e->arena, sizeof *h);
		if (h == NULL)
			return FAIL(ERR_NOMEM);
		*h = (struct held_glue){ .next = d->held, .at = { .family = (uint8_t)family }, .target = (uint16_t)target };
		memcpy(h->at.b, rdata.p, rdata.n);
		d->held = h;
	}
	return DONE;
}

RESULT deleg_use_held(const struct deleg_env *e, struct deleg *d, bool *ret_more)
{
	size_t before = d->server_count;

	for (; d->held != NULL; d->held = d->held->next) {
		bool used;

		TRY(add_addr(e, d, d->held->target, &d->held->at, &used));
	}
	*ret_more = d->server_count > before;
	return DONE;
}

RESULT deleg_add_addresses(const struct deleg_env *e, struct deleg *d, size_t target, int family, const struct rrset *rs)
{
	bool any;

	TRY(add_addresses(e, d, target, family, rs, &any));
	d->targets[target].state[family] = any ? TARGET_FOUND : TARGET_NONE;
	return DONE;
}

/*
 * Where the name server's name has been referred to, the glue of that referral: the servers that would be asked for its address are at these very
 * addresses. The name still counts as not looked up, so that its zone's own word is asked for when nobody is found there (RFC 9471).
 */
static RESULT fill_from_glue(const struct deleg_env *e, struct deleg *d, size_t target)
{
	static const uint16_t types[FAMILIES] = { RR_A, RR_AAAA };
	struct deleg_target *t = &d->targets[target];
	const struct bundle *b = rrcache_deepest_delegation(e->cache, t->name, CLASS_IN, e->now);

	if (b == NULL || name_equal(bundle_key(b).name, d->zone) || deleg_must_verify(e, d, t->name))
		return DONE;
	for (int f = 0; f < FAMILIES; f++) {
		const struct rrset *rs = t->state[f] == TARGET_UNASKED ? bundle_find(b, t->name, types[f]) : NULL;
		bool any = false;

		if (rs != NULL)
			TRY(add_addresses(e, d, target, f, rs, &any));
		t->has_glue = t->has_glue || any;
	}
	return DONE;
}

/* What the cache knows of a target: addresses that were asked for, or that there are none. */
static RESULT fill_from_cache(const struct deleg_env *e, struct deleg *d, size_t target)
{
	static const uint16_t types[FAMILIES] = { RR_A, RR_AAAA };
	struct deleg_target *t = &d->targets[target];

	for (int f = 0; f < FAMILIES; f++) {
		struct bundle_key k = { t->name, types[f], CLASS_IN, BUNDLE_DATA };
		const struct bundle *b;

		if (t->state[f] != TARGET_UNASKED)
			continue;
		if (f == FAMILY_V4 ? !e->settings->ipv4 : !e->settings->ipv6) {
			t->state[f] = TARGET_NONE;
			continue;
		}
		b = rrcache_get(e->cache, &k, e->now, 0);
		if (b != NULL && bundle_info(b)->rank >= RANK_ANSWER_NONAUTH) {
			TRY(deleg_add_addresses(e, d, target, f, bundle_find(b, t->name, types[f])));
			continue;
		}
		k.kind = BUNDLE_NODATA;
		if (rrcache_get(e->cache, &k, e->now, 0) != NULL)
			t->state[f] = TARGET_NONE;
	}
	return t->state[FAMILY_V4] == TARGET_FOUND || t->state[FAMILY_V6] == TARGET_FOUND ? DONE : fill_from_glue(e, d, target);
}

RESULT deleg_refresh(const struct deleg_env *e, struct deleg *d)
{
	for (size_t i = 0; i < d->target_count; i++) {
		if (d->targets[i].state[FAMILY_V4] == TARGET_UNASKED && !d->targets[i].has_glue)
			TRY(fill_from_cache(e, d, i));
	}
	return DONE;
}

RESULT deleg_from_conf(const struct deleg_env *e, const struct zone_conf *z, struct deleg **ret)
{
	struct deleg *d;

	TRY(new_deleg(e, z->name, z->kind == ZONE_STUB ? DELEG_STUB : DELEG_FORWARD, z->host_count, z->addr_count, &d));
	d->conf = z;
	for (size_t i = 0; i < z->addr_count; i++) {
		if (settings_may_ask(e->settings, &z->addrs[i].a))
			TRY(add_server(e, d, &z->addrs[i], UINT16_MAX));
	}
	for (size_t i = 0; i < z->host_count; i++) {
		d->targets[d->target_count++] = (struct deleg_target){ .name = z->hosts[i].name, .port = z->hosts[i].port };
		TRY(fill_from_cache(e, d, i));
	}
	*ret = d;
	return DONE;
}

RESULT deleg_from_hints(const struct deleg_env *e, struct deleg **ret)
{
	const struct core_settings *s = e->settings;
	struct deleg *d;

	TRY(new_deleg(e, name_root, DELEG_HINTS, s->root_count, s->root_count * 2, &d));
	for (size_t i = 0; i < s->root_count; i++) {
		d->targets[d->target_count++] = (struct deleg_target){ .name = s->roots[i].name, .port = DNS_PORT, .state = { TARGET_NONE, TARGET_NONE } };
		for (size_t k = 0; k < s->roots[i].addr_count; k++) {
			bool used;

			TRY(add_addr(e, d, i, &s->roots[i].addrs[k], &used));
		}
	}
	*ret = d;
	return DONE;
}

static const struct rrset *find_set(const struct rrset *const *sets, size_t n, struct name owner, uint16_t type)
{
	for (size_t i = 0; i < n; i++) {
		if (sets[i]->type == type && name_equal(rrset_name(sets[i]), owner))
			return sets[i];
	}
	return NULL;
}

/* Root servers whose address a priming answer leaves out are known from the hints. */
static RESULT fill_from_hints(const struct deleg_env *e, struct deleg *d, size_t target)
{
	const struct core_settings *s = e->settings;

	for (size_t i = 0; i < s->root_count; i++) {
		for (size_t k = 0; name_equal(s->roots[i].name, d->targets[target].name) && k < s->roots[i].addr_count; k++) {
			bool used;

			TRY(add_addr(e, d, target, &s->roots[i].addrs[k], &used));
			if (used)
				d->targets[target].state[s->roots[i].addrs[k].family == ADDR_V4 ? FAMILY_V4 : FAMILY_V6] = TARGET_FOUND;
		}
	}
	return DONE;
}

static RESULT fill_target(const struct deleg_env *e, struct deleg *d, size_t target, const struct rrset *const *sets, size_t n)
{
	struct name name = d->targets[target].name;
	const struct rrset *a = find_set(sets, n, name, RR_A), *aaaa = find_set(sets, n, name, RR_AAAA);

	if (deleg_must_verify(e, d, name)) {
		TRY(hold_addresses(e, d, target, ADDR_V4, a));
		TRY(hold_addresses(e, d, target, ADDR_V6, aaaa));
		return fill_from_cache(e, d, target);
	}
	if (a != NULL)
		TRY(deleg_add_addresses(e, d, target, FAMILY_V4, a));
	if (aaaa != NULL)
		TRY(deleg_add_addresses(e, d, target, FAMILY_V6, aaaa));
	if (a == NULL && aaaa == NULL && name_is_root(d->zone))
		TRY(fill_from_hints(e, d, target));
	return fill_from_cache(e, d, target);
}

RESULT deleg_from_sets(const struct deleg_env *e, struct name zone, const struct rrset *const *sets, size_t n, uint32_t expires_sec, struct deleg **ret)
{
	const struct rrset *ns = find_set(sets, n, zone, RR_NS);
	size_t count = ns == NULL ? 0 : ns->count, used = count < e->settings->max_ns ? count : e->settings->max_ns;
	size_t first = used < count && e->rng != NULL ? rng_below(e->rng, (uint32_t)count) : 0;
	struct deleg *d;

	TRY(new_deleg(e, zone, DELEG_REFERRAL, used, used, &d));
	d->expires = true;
	d->expires_sec = d->shown_until_sec = expires_sec;
	for (size_t i = 0; ns != NULL && i < used; i++) {
		struct name target;

		if (!rrset_target(ns, (first + i) % count, &target))
			continue;
		target = name_dup_in(e->arena, target);
		if (target.wire == NULL)
			return FAIL(ERR_NOMEM);
		d->targets[d->target_count] = (struct deleg_target){ .name = target, .port = DNS_PORT };
		d->target_count++;
		TRY(fill_target(e, d, d->target_count - 1, sets, n));
	}
	*ret = d;
	return DONE;
}

RESULT deleg_from_bundle(const struct deleg_env *e, const struct bundle *b, struct deleg **ret)
{
	size_t n = bundle_count(b);
	const struct rrset **sets = arena_alloc_array(e->arena, n + 1, sizeof *sets);

	if (sets == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t i = 0; i < n; i++)
		sets[i] = bundle_set(b, i);
	TRY(deleg_from_sets(e, bundle_key(b).name, sets, n, bundle_info(b)->expires_sec, ret));
	(*ret)->doubtful = bundle_info(b)->doubtful;
	return DONE;
}

RESULT deleg_add_names(const struct deleg_env *e, struct deleg *d, const struct rrset *ns, bool *ret_more)
{
	size_t n = ns == NULL ? 0 : ns->count < e->settings->max_ns ? ns->count : e->settings->max_ns;
	struct deleg_target *list = arena_alloc_array(e->arena, d->target_count + n + 1, sizeof *list);
	size_t before = d->target_count;

	if (list == NULL)
		return FAIL(ERR_NOMEM);
	if (before > 0)
		memcpy(list, d->targets, before * sizeof *list);
	d->targets = list;
	for (size_t i = 0; i < n; i++) {
		struct name target;

		if (!rrset_target(ns, i, &target) || deleg_has_target(d, target))
			continue;
		target = name_dup_in(e->arena, target);
		if (target.wire == NULL)
			return FAIL(ERR_NOMEM);
		d->targets[d->target_count++] = (struct deleg_target){ .name = target, .port = DNS_PORT };
		TRY(fill_from_cache(e, d, d->target_count - 1));
	}
	*ret_more = d->target_count > before;
	return DONE;
}

/* --- finding one */

/* Past nine tenths of its life. */
static bool is_ageing(const struct bundle *b, const struct now *now)
{
	return bundle_ttl_left(b, now) <= bundle_info(b)->ttl / 10;
}

static const struct bundle *find_cut(const struct deleg_env *e, struct name n) BORROWED;
static const struct bundle *find_cut(const struct deleg_env *e, struct name n)
{
	const struct bundle *b = rrcache_deepest_delegation(e->cache, n, CLASS_IN, e->now);

	while (b != NULL && e->renew && is_ageing(b, e->now) && !name_is_root(bundle_key(b).name))
		b = rrcache_deepest_delegation(e->cache, name_parent(bundle_key(b).name), CLASS_IN, e->now);
	return b;
}

RESULT deleg_find(const struct deleg_env *e, struct name n, uint16_t type, uint64_t except, struct deleg **ret)
{
	struct name from = rrtype_is_at_parent(type) && !name_is_root(n) ? name_parent(n) : n;
	const struct zone_conf *z = settings_zone(e->settings, from, except);
	const struct bundle *b = find_cut(e, from);

	*ret = NULL;
	if (z != NULL && z->kind == ZONE_FORWARD && z->addr_count + z->host_count > 0)
		return deleg_from_conf(e, z, ret);
	if (z != NULL && z->kind == ZONE_FORWARD) /* a forward-zone without servers: not forwarded */
		z = NULL;
	if (z != NULL && z->prime && b != NULL && bundle_key(b).name.labels == z->name.labels)
		z = NULL; /* primed: what its servers say counts */
	if (z != NULL && (b == NULL || bundle_key(b).name.labels <= z->name.labels))
		return deleg_from_conf(e, z, ret);
	return b == NULL ? DONE : deleg_from_bundle(e, b, ret);
}

/* --- targets */

bool deleg_has_target(const struct deleg *d, struct name n)
{
	for (size_t i = 0; i < d->target_count; i++) {
		if (name_equal(d->targets[i].name, n))
			return true;
	}
	return false;
}

/* A name below the zone can only be looked up at the servers that are wanted; with an address of it at hand that failed, the others of it would too. */
static bool is_hopeless(const struct deleg *d, const struct deleg_target *t)
{
	if (d->source != DELEG_REFERRAL || !name_is_under(t->name, d->zone))
		return false;
	return d->server_count == 0 || t->state[FAMILY_V4] == TARGET_FOUND || t->state[FAMILY_V6] == TARGET_FOUND;
}

/* Names in one zone share their fate: a second one is no help until what was found by the first has been tried. */
static bool sibling_is_asked(const struct deleg *d, const struct deleg_target *t)
{
	for (size_t i = 0; i < d->target_count; i++) {
		const struct deleg_target *o = &d->targets[i];

		if (o != t && (o->state[FAMILY_V4] == TARGET_ASKING || o->state[FAMILY_V6] == TARGET_ASKING) &&
		    name_equal(name_parent(o->name), name_parent(t->name)))
			return true;
	}
	return false;
}

bool deleg_may_look_for(const struct deleg *d, size_t target)
{
	return !is_hopeless(d, &d->targets[target]) && !sibling_is_asked(d, &d->targets[target]);
}

static bool next_target(const struct deleg *d, size_t first, bool has_glue, size_t *ret_target, int *ret_family)
{
	size_t n = d->target_count;

	for (int f = 0; f < FAMILIES; f++) {
		for (size_t i = 0; i < n; i++) {
			size_t at = (first + i) % n;
			const struct deleg_target *t = &d->targets[at];

			if (t->state[f] != TARGET_UNASKED || t->has_glue != has_glue || !deleg_may_look_for(d, at))
				continue;
			/* The second family only when the first one has nothing to give. */
			if (f == FAMILY_V6 && (t->state[FAMILY_V4] == TARGET_ASKING || t->state[FAMILY_V4] == TARGET_FAILED ||
			    t->state[FAMILY_V4] == TARGET_LOOP))
				continue;
			*ret_target = at;
			*ret_family = f;
			return true;
		}
	}
	return false;
}

bool deleg_next_target(const struct deleg_env *e, const struct deleg *d, size_t *ret_target, int *ret_family)
{
	size_t first = d->target_count > 0 ? rng_below(e->rng, (uint32_t)d->target_count) : 0;

	if (d->dead_targets >= e->settings->dead_targets)
		return false;
	return next_target(d, first, false, ret_target, ret_family) || next_target(d, first, true, ret_target, ret_family);
}

size_t deleg_count_asking(const struct deleg *d)
{
	size_t n = 0;

	for (size_t i = 0; i < d->target_count; i++) {
		for (int f = 0; f < FAMILIES; f++)
			n += d->targets[i].state[f] == TARGET_ASKING;
	}
	return n;
}

bool deleg_is_asking(const struct deleg *d)
{
	return deleg_count_asking(d) > 0;
}

/* --- words */

static void explain_server(const struct deleg_server *s, struct strbuf *out)
{
	static const char *const words[] = { [SERVER_UNTRIED] = "not asked", [SERVER_TIMEOUT] = "timed out", [SERVER_UNREACHABLE] = "unreachable",
		[SERVER_MALFORMED] = "sent a malformed reply", [SERVER_LAME] = "lame", [SERVER_RCODE] = "", [SERVER_EMPTY] = "sent an empty reply",
		[SERVER_SECOND_HAND] = "is no authority", [SERVER_BOGUS] = "sent bogus data", [SERVER_UNSIGNED] = "sent no signatures",
		[SERVER_ROUTE] = "may not be asked", [SERVER_ANSWERED] = "answered" };
	char text[ENDPOINT_TEXT], rc[RRTYPE_TEXT];

	strbuf_printf(out, "%s %s", endpoint_text(&s->at, text), s->outcome == SERVER_RCODE ? rcode_text(s->rcode, rc) : words[s->outcome]);
	if (s->timeouts > 1)
		strbuf_printf(out, " %u times", s->timeouts);
}

static const char *target_words(const struct deleg_target *t)
{
	uint8_t worst = t->state[FAMILY_V4] > t->state[FAMILY_V6] ? t->state[FAMILY_V4] : t->state[FAMILY_V6];

	switch ((enum target_state)worst) {
	case TARGET_NONE:
		return t->state[FAMILY_V4] == TARGET_NONE && t->state[FAMILY_V6] == TARGET_NONE ? "has no address that may be asked" : NULL;
	case TARGET_FAILED:
		return "could not be looked up";
	case TARGET_LOOP:
		return "depends on itself";
	case TARGET_UNASKED:
	case TARGET_ASKING:
	case TARGET_FOUND:
		break;
	}
	return NULL;
}

void deleg_explain(const struct deleg *d, struct strbuf *out)
{
	char text[NAME_TEXT];
	const char *sep = "";

	strbuf_printf(out, "zone %s: ", name_to_text(d->zone, text));
	for (size_t i = 0; i < d->server_count; i++) {
		if (d->servers[i].tries == 0 && d->servers[i].outcome == SERVER_UNTRIED)
			continue;
		strbuf_puts(out, sep);
		explain_server(&d->servers[i], out);
		sep = ", ";
	}
	if (d->route_why != NULL)
		strbuf_printf(out, " (%s)", d->route_why);
	for (size_t i = 0; i < d->target_count; i++) {
		const char *words = target_words(&d->targets[i]);

		if (words == NULL)
			continue;
		strbuf_printf(out, "%s%s %s", sep, name_to_text(d->targets[i].name, text), words);
		sep = ", ";
	}
	if (sep[0] == '\0')
		strbuf_puts(out, d->server_count == 0 && d->target_count == 0 ? "has no servers" : "no server could be asked");
}

void deleg_list_servers(const struct deleg *d, struct infra *infra, const struct now *now, struct strbuf *out)
{
	char text[NAME_TEXT], at[ENDPOINT_TEXT];

	strbuf_printf(out, "delegation of %s from %s\n", name_to_text(d->zone, text),
	    d->source == DELEG_REFERRAL ? "its parent" : d->source == DELEG_HINTS ? "the root hints" : "the configuration");
	for (size_t i = 0; i < d->target_count; i++)
		strbuf_printf(out, "name server %s\n", name_to_text(d->targets[i].name, text));
	for (size_t i = 0; i < d->server_count; i++) {
		struct server_facts f;
		bool blocked;

		infra_get(infra, &d->servers[i].at, now, &f);
		blocked = f.blocked_until_ms > now_ms(now);
		strbuf_printf(out, "%s rtt %u ms, timeout %u ms, %u timeouts%s%s\n", endpoint_text(&d->servers[i].at, at), f.srtt_us / 1000, f.timeout_ms,
		    f.timeouts, blocked ? ", in back-off" : "", infra_lame(infra, &d->servers[i].at, d->zone, now) != LAME_NO ? ", lame" : "");
	}
}
