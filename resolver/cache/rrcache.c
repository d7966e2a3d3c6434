/*
 * The rules of rank, security and opposites (a name that has data and is denied at the same time) are in "what may replace
 * what"; the index and its eviction are in slots.c, remembered flushes in flushes.c.
 *
 * A denied name: NXDOMAIN stands at (name, 0), so it cannot take the DATA of every type out. It takes out those of types that
 * people ask for (common_types); a look-up of any other type looks whether the name is denied meanwhile.
 */
#include "resolver/cache/rrcache.h"

#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"
#include "resolver/cache/flushes.h"
#include "resolver/cache/key.h"
#include "resolver/cache/slots.h"

#define MAX_BUNDLE_OCTETS 65536u
#define MAX_FLUSHES 4096u
#define MAX_TEXT 255u

struct bundle {
	struct slot_item item;
	uint64_t flush_count; /* flushes up to this one do not concern it */
	struct bundle_info info;
	uint32_t size;        /* octets */
	uint32_t name_at;     /* offset of the name in lower case, followed by the text and its NUL */
	uint16_t type;
	uint16_t rclass;
	uint16_t count;       /* sets */
	uint8_t kind;
	uint8_t name_len;
	uint8_t name_labels;
	uint32_t at[];        /* offsets of the sets */
};

struct rrcache {
	struct slots *slots OWNED_FIELD;
	struct hash_key key;
	struct flushes flushes;
	_Atomic uint32_t latest_end; /* mono, seconds: when the last of all entries expires */
	_Atomic uint32_t min_ttl, max_ttl, min_negative_ttl, max_negative_ttl, keep_expired_sec, max_bundle_octets, max_flushes;
};

static const uint16_t common_types[] = { RR_A, RR_NS, RR_CNAME, RR_SOA, RR_PTR, RR_MX, RR_TXT, RR_AAAA, RR_SRV, RR_NAPTR, RR_DNAME, RR_DS, RR_DNSKEY,
	RR_TLSA, RR_SVCB, RR_HTTPS, RR_CAA };
#define COMMON_TYPES (sizeof(common_types) / sizeof(common_types[0]))

static uint32_t load(const _Atomic uint32_t *x)
{
	return atomic_load_explicit(x, memory_order_relaxed);
}

/* --- bundles */

static void bundle_free(struct bundle *b) TAKES(1);
static void bundle_free(struct bundle *b)
{
	mem_free(b);
}
DEFINE_AUTO(struct bundle, bundle_free)

static const struct bundle *bundle_of(const struct slot_item *item) BORROWED;
static const struct bundle *bundle_of(const struct slot_item *item)
{
	return (const struct bundle *)(const void *)item;
}

const struct bundle_info *bundle_info(const struct bundle *b)
{
	return &b->info;
}

size_t bundle_count(const struct bundle *b)
{
	return b->count;
}

const struct rrset *bundle_set(const struct bundle *b, size_t i)
{
	return (const struct rrset *)(const void *)((const char *)b + b->at[i]);
}

static const uint8_t *bundle_name(const struct bundle *b) BORROWED;
static const uint8_t *bundle_name(const struct bundle *b)
{
	return (const uint8_t *)b + b->name_at;
}

struct bundle_key bundle_key(const struct bundle *b)
{
	return (struct bundle_key){ { bundle_name(b), b->name_len, b->name_labels }, b->type, b->rclass, b->kind };
}

const char *bundle_text(const struct bundle *b)
{
	return (const char *)bundle_name(b) + b->name_len;
}

const struct rrset *bundle_find(const struct bundle *b, struct name owner, uint16_t type)
{
	for (size_t i = 0; i < b->count; i++) {
		const struct rrset *rs = bundle_set(b, i);

		if (rs->type == type && name_equal(rrset_name(rs), owner))
			return rs;
	}
	return NULL;
}

static size_t round4(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

static size_t sets_octets(const struct rrset *const *sets, size_t n)
{
	size_t octets = 0;

	for (size_t i = 0; i < n; i++)
		octets += round4(sets[i]->octets);
	return octets;
}

static void copy_sets(struct bundle *b, const struct rrset *const *sets, size_t n, size_t at)
{
	b->info.rank = n != 0 ? UINT8_MAX : RANK_NONE;
	b->info.security = n != 0 ? UINT8_MAX : SECURITY_UNCHECKED;
	for (size_t i = 0; i < n; i++) {
		memcpy((char *)b + at, sets[i], sets[i]->octets);
		b->at[i] = (uint32_t)at;
		at += round4(sets[i]->octets);
		if (sets[i]->rank < b->info.rank)
			b->info.rank = sets[i]->rank;
		if (sets[i]->security < b->info.security)
			b->info.security = sets[i]->security;
	}
}

/* NULL when out of memory. n and the sizes have been checked. */
static struct bundle *bundle_new(const struct bundle_key *k, const struct rrset *const *sets, size_t n, struct span text)
    OWNED_BY(bundle_free);
static struct bundle *bundle_new(const struct bundle_key *k, const struct rrset *const *sets, size_t n, struct span text)
{
	size_t first = sizeof(struct bundle) + n * sizeof(uint32_t);
	size_t name_at = first + sets_octets(sets, n);
	size_t size = name_at + k->name.len + text.n + 1;
	AUTO(bundle_free) struct bundle *b = mem_alloc(size);

	if (b == NULL)
		return NULL;
	b->item.octets = slots_octets(size);
	b->size = (uint32_t)size;
	b->name_at = (uint32_t)name_at;
	b->type = k->type;
	b->rclass = k->rclass;
	b->kind = k->kind;
	b->name_len = k->name.len;
	b->name_labels = k->name.labels;
	b->count = (uint16_t)n;
	copy_sets(b, sets, n, first);
	key_lower((uint8_t *)b + name_at, k->name.wire, k->name.len);
	if (text.n != 0)
		memcpy((char *)b + name_at + k->name.len, text.p, text.n);
	return MOVE(b);
}

static void bundle_set_times(struct bundle *b, uint32_t stored_sec, uint32_t ttl)
{
	b->info.stored_sec = stored_sec;
	b->info.ttl = ttl;
	b->info.expires_sec = stored_sec > UINT32_MAX - ttl ? UINT32_MAX : stored_sec + ttl;
	b->info.stale_from_sec = b->info.expires_sec;
	/* What stands beside the first set may last longer, and says so where it is shown; nothing lasts less than the bundle. */
	for (size_t i = 0; i < b->count; i++) {
		struct rrset *rs = (struct rrset *)(void *)((char *)b + b->at[i]);

		if (i == 0 || rs->ttl < ttl)
			rs->ttl = ttl;
	}
}

/* Another worker's clock may have been ahead a little. */
static uint32_t sec_since(uint32_t then, uint32_t now)
{
	return now > then ? now - then : 0;
}

/* --- finding */

static uint64_t key_hash(const struct rrcache *c, uint64_t name, uint16_t type, uint16_t rclass, uint8_t kind)
{
	return key_mix(&c->key, name, (uint64_t)type << 32 | (uint64_t)rclass << 8 | kind);
}

static inline bool bundle_matches(const void *key, const struct slot_item *item)
{
	const struct bundle_key *k = key;
	const struct bundle *b = bundle_of(item);

	return b->kind == k->kind && b->type == k->type && b->rclass == k->rclass && b->name_len == k->name.len &&
	    key_equal(bundle_name(b), k->name.wire, k->name.len);
}

static const struct bundle *find(struct rrcache *c, const struct bundle_key *k, uint64_t name_hash, bool peek) BORROWED;
static const struct bundle *find(struct rrcache *c, const struct bundle_key *k, uint64_t name_hash, bool peek)
{
	return bundle_of(slots_find(c->slots, key_hash(c, name_hash, k->type, k->rclass, k->kind), bundle_matches, k, peek));
}

static bool is_flushed(const struct rrcache *c, const struct bundle *b)
{
	return flushes_cover(&c->flushes, bundle_name(b), b->name_len, b->name_labels, b->flush_count);
}

/* May it be used now? With RRCACHE_STALE also some time after its end. */
static bool is_live(const struct rrcache *c, const struct bundle *b, uint32_t now, unsigned int flags)
{
	if (b == NULL)
		return false;
	if (now >= b->info.expires_sec && ((flags & RRCACHE_STALE) == 0 || sec_since(b->info.stale_from_sec, now) >= load(&c->keep_expired_sec)))
		return false;
	return !is_flushed(c, b);
}

static bool is_common(uint16_t type)
{
	for (size_t i = 0; i < COMMON_TYPES; i++)
		if (common_types[i] == type)
			return true;
	return false;
}

/* See the top: has the name of this rare type been denied since? */
static bool is_denied(struct rrcache *c, const struct bundle_key *k, uint64_t name_hash, uint32_t now)
{
	struct bundle_key denial = { k->name, 0, k->rclass, BUNDLE_NXDOMAIN };

	return (k->kind == BUNDLE_DATA || k->kind == BUNDLE_NODATA) && !is_common(k->type) && is_live(c, find(c, &denial, name_hash, true), now, 0);
}

const struct bundle *rrcache_get(struct rrcache *c, const struct bundle_key *k, const struct now *now, unsigned int flags)
{
	KEY_SCRATCH struct key_chain chain;
	const struct bundle *b;

	key_chain_init(&chain, &c->key, k->name);
	b = find(c, k, chain.of[chain.labels], false);
	if (!is_live(c, b, now_sec(now), flags) || is_denied(c, k, chain.of[chain.labels], now_sec(now)))
		b = NULL;
	slots_count(c->slots, chain.of[chain.labels], b != NULL);
	return b;
}

/* The first live one of a kind without type from name upwards, at least `least` labels. */
static const struct bundle *find_upwards(struct rrcache *c, struct name name, unsigned int least, uint16_t rclass, uint8_t kind,
    uint32_t now) BORROWED;
static const struct bundle *find_upwards(struct rrcache *c, struct name name, unsigned int least, uint16_t rclass, uint8_t kind,
    uint32_t now)
{
	KEY_SCRATCH struct key_chain chain;
	const struct bundle *b = NULL;

	key_chain_init(&chain, &c->key, name);
	for (unsigned int i = least; i <= chain.labels; i++)
		slots_prefetch(c->slots, key_hash(c, chain.of[i], 0, rclass, kind));
	for (unsigned int i = chain.labels + 1; i-- > least; ) {
		struct bundle_key k = { name, 0, rclass, kind };

		b = find(c, &k, chain.of[i], false);
		if (is_live(c, b, now, 0))
			break;
		b = NULL;
		name = name_parent(name);
	}
	slots_count(c->slots, chain.of[chain.labels], b != NULL);
	return b;
}

const struct bundle *rrcache_deepest_delegation(struct rrcache *c, struct name name, uint16_t rclass, const struct now *now)
{
	return find_upwards(c, name, 0, rclass, BUNDLE_DELEGATION, now_sec(now));
}

const struct bundle *rrcache_covering_nxdomain(struct rrcache *c, struct name name, struct name top, uint16_t rclass, const struct now *now)
{
	if (!name_is_under(name, top))
		return NULL;
	return find_upwards(c, name, top.labels, rclass, BUNDLE_NXDOMAIN, now_sec(now));
}

/* --- what may replace what */

/* A negative answer ranks as the answer it is, though its SOA comes from the authority section. */
static unsigned int rank_of(const struct bundle *b)
{
	if (b->kind != BUNDLE_NODATA && b->kind != BUNDLE_NXDOMAIN)
		return b->info.rank;
	if (b->info.rank == RANK_LOCAL)
		return RANK_LOCAL;
	return b->info.rank >= RANK_AUTHORITY ? RANK_ANSWER_AUTH : RANK_ANSWER_NONAUTH;
}

/* What a new bundle is worth, and when it comes. */
struct replacing {
	const struct rrcache *c BORROWED_FIELD;
	uint32_t now;
	unsigned int rank;
	bool secure;
	bool doubtful;
};

static struct replacing replacing_by(const struct rrcache *c, const struct bundle *b, uint32_t now)
{
	return (struct replacing){ c, now, rank_of(b), b->info.security == SECURITY_SECURE, false };
}

static bool is_better(const struct replacing *r, const struct bundle *old)
{
	if (r->doubtful && !r->secure && old->info.security == SECURITY_SECURE && is_live(r->c, old, r->now, RRCACHE_STALE))
		return true;
	if (!is_live(r->c, old, r->now, 0))
		return false;
	if (rank_of(old) != r->rank)
		return rank_of(old) > r->rank;
	return old->info.security == SECURITY_SECURE && !r->secure;
}

static bool may_replace(const void *user, const struct slot_item *old, const struct slot_item *item)
{
	(void)item;
	return old == NULL || !is_better(user, bundle_of(old));
}

static bool only_when_nothing(const void *user, const struct slot_item *old, const struct slot_item *item)
{
	const struct replacing *r = user;

	(void)item;
	return old == NULL || is_flushed(r->c, bundle_of(old));
}

static bool only_this(const void *user, const struct slot_item *old, const struct slot_item *item)
{
	(void)item;
	return old != NULL && old == user;
}

/* What contradicts a new bundle: DATA its NODATA and NXDOMAIN, and the reverse; a CNAME every NODATA. */
#define MAX_OPPOSITES (2 * COMMON_TYPES + 2)
struct opposites {
	size_t n;
	const struct bundle *b[MAX_OPPOSITES] BORROWED_FIELD;
};

static void opposite_add(struct opposites *o, struct rrcache *c, const struct bundle_key *k, uint64_t name_hash)
{
	const struct bundle *b = find(c, k, name_hash, true);

	if (b != NULL && o->n < MAX_OPPOSITES)
		o->b[o->n++] = b;
}

static void opposites_of_types(struct opposites *o, struct rrcache *c, struct bundle_key k, uint64_t name_hash)
{
	for (size_t i = 0; i < COMMON_TYPES; i++)
		slots_prefetch(c->slots, key_hash(c, name_hash, common_types[i], k.rclass, k.kind));
	for (size_t i = 0; i < COMMON_TYPES; i++) {
		k.type = common_types[i];
		opposite_add(o, c, &k, name_hash);
	}
}

static void opposites_find(struct opposites *o, struct rrcache *c, const struct bundle_key *k, uint64_t name_hash)
{
	struct bundle_key other = *k;

	o->n = 0;
	switch ((enum bundle_kind)k->kind) {
	case BUNDLE_DATA:
	case BUNDLE_NODATA:
		other.kind = k->kind == BUNDLE_DATA ? BUNDLE_NODATA : BUNDLE_DATA;
		opposite_add(o, c, &other, name_hash);
		other = (struct bundle_key){ k->name, 0, k->rclass, BUNDLE_NXDOMAIN };
		opposite_add(o, c, &other, name_hash);
		if (k->kind == BUNDLE_DATA && k->type == RR_CNAME)
			opposites_of_types(o, c, (struct bundle_key){ k->name, 0, k->rclass, BUNDLE_NODATA }, name_hash);
		break;
	case BUNDLE_NXDOMAIN:
		opposites_of_types(o, c, (struct bundle_key){ k->name, 0, k->rclass, BUNDLE_DATA }, name_hash);
		opposites_of_types(o, c, (struct bundle_key){ k->name, 0, k->rclass, BUNDLE_NODATA }, name_hash);
		break;
	case BUNDLE_DELEGATION:
	case BUNDLE_FAILURE:
	case BUNDLE_KINDS:
		break;
	}
}

static void opposites_drop(const struct opposites *o, struct rrcache *c, struct epoch_member *m)
{
	for (size_t i = 0; i < o->n; i++)
		slots_drop(c->slots, m, &o->b[i]->item);
}

/* A name that exists is no longer below a name that does not, unless that is known better. */
static void drop_nxdomain_above(struct rrcache *c, struct epoch_member *m, const struct bundle_key *of, const struct key_chain *chain,
    const struct replacing *r)
{
	struct bundle_key k = { of->name, 0, of->rclass, BUNDLE_NXDOMAIN };

	for (unsigned int i = chain->labels; i-- > 0; ) {
		k.name = name_parent(k.name);
		const struct bundle *above = find(c, &k, chain->of[i], true);

		if (above != NULL && !is_better(r, above))
			slots_drop(c->slots, m, &above->item);
	}
}

/* --- storing */

static void note_end(struct rrcache *c, uint32_t end)
{
	uint32_t seen = load(&c->latest_end);

	while (end > seen && !atomic_compare_exchange_weak_explicit(&c->latest_end, &seen, end, memory_order_relaxed, memory_order_relaxed))
		;
}

static RESULT publish(struct rrcache *c, struct epoch_member *m, struct bundle *given, slots_replace_fn *replace, const void *user,
    bool used_again) TAKES(3);
static RESULT publish(struct rrcache *c, struct epoch_member *m, struct bundle *given, slots_replace_fn *replace, const void *user,
    bool used_again)
{
	AUTO(bundle_free) struct bundle *b = given;
	struct bundle_key k = bundle_key(b);

	note_end(c, b->info.stale_from_sec);
	switch (slots_put(c->slots, m, (struct slot_item *)MOVE(b), bundle_matches, &k, replace, user, used_again)) {
	case SLOTS_NEW:
	case SLOTS_REPLACED:
		return DONE;
	case SLOTS_REFUSED:
		return FAIL(ERR_EXISTS);
	case SLOTS_FULL:
		break;
	}
	return FAIL(ERR_LIMIT);
}

static uint32_t bounded(uint32_t x, uint32_t low, uint32_t high)
{
	return x > high ? high : x < low ? low : x;
}

static uint32_t least_ttl(const struct rrset *const *sets, size_t n, uint32_t ttl)
{
	uint32_t least = ttl != 0 || n == 0 ? ttl : UINT32_MAX;

	for (size_t i = 0; i < n; i++)
		if (sets[i]->ttl < least)
			least = sets[i]->ttl;
	return least;
}

static uint32_t ttl_for(const struct rrcache *c, uint8_t kind, const struct rrset *const *sets, size_t n, uint32_t ttl)
{
	if (kind == BUNDLE_NODATA || kind == BUNDLE_NXDOMAIN)
		return bounded(bounded(ttl, load(&c->min_negative_ttl), load(&c->max_negative_ttl)), 0, load(&c->max_ttl));
	return bounded(least_ttl(sets, n, ttl), load(&c->min_ttl), load(&c->max_ttl));
}

static RESULT check_size(const struct rrcache *c, const struct bundle_key *k, const struct rrset *const *sets, size_t n)
{
	if (k->kind >= BUNDLE_FAILURE || (n == 0 && (k->kind == BUNDLE_DATA || k->kind == BUNDLE_DELEGATION)))
		return FAIL(ERR_RANGE);
	if (n > UINT16_MAX || sets_octets(sets, n) > load(&c->max_bundle_octets))
		return FAIL(ERR_LIMIT);
	return DONE;
}

/* Data, or its proven absence, ends the failure of its key. */
static void end_failure(struct rrcache *c, struct epoch_member *m, const struct bundle_key *k, uint64_t name_hash, bool checked)
{
	struct bundle_key failure = { k->name, k->type, k->rclass, BUNDLE_FAILURE };
	const struct bundle *b = find(c, &failure, name_hash, true);

	/* What nobody has validated does not end a failure of validation. */
	if (b != NULL && (checked || !ede_is_dnssec(b->info.ede)))
		slots_drop(c->slots, m, &b->item);
}

/* A new bundle with its hash, its times still to be set. NULL when out of memory. */
static struct bundle *bundle_for(struct rrcache *c, const struct bundle_key *k, const struct key_chain *chain, const struct rrset *const *sets,
    size_t n, struct span text) OWNED_BY(bundle_free);
static struct bundle *bundle_for(struct rrcache *c, const struct bundle_key *k, const struct key_chain *chain, const struct rrset *const *sets,
    size_t n, struct span text)
{
	AUTO(bundle_free) struct bundle *b = bundle_new(k, sets, n, text);

	if (b == NULL)
		return NULL;
	b->flush_count = flushes_count(&c->flushes);
	b->item.hash = key_hash(c, chain->of[chain->labels], k->type, k->rclass, k->kind);
	return MOVE(b);
}

/* News that may not be kept (TTL 0) still ends what had expired: it is not to be served as stale any more. */
static void forget_expired(struct rrcache *c, struct epoch_member *m, const struct bundle_key *k, bool doubtful, const struct now *now)
{
	KEY_SCRATCH struct opposites o;
	KEY_SCRATCH struct key_chain chain;

	key_chain_init(&chain, &c->key, k->name);
	opposites_find(&o, c, k, chain.of[chain.labels]);
	opposite_add(&o, c, k, chain.of[chain.labels]);
	for (size_t i = 0; i < o.n; i++) {
		if (!is_live(c, o.b[i], now_sec(now), 0) && !(doubtful && o.b[i]->info.security == SECURITY_SECURE))
			slots_drop(c->slots, m, &o.b[i]->item);
	}
}

RESULT rrcache_put(struct rrcache *c, struct epoch_member *m, const struct bundle_key *k, const struct rrset *const *sets, size_t n, uint32_t ttl,
    const struct now *now)
{
	return rrcache_put_noted(c, m, k, sets, n, ttl, NULL, now);
}

static RESULT put(struct rrcache *c, struct epoch_member *m, const struct bundle_key *k, const struct rrset *const *sets, size_t n, uint32_t ttl,
    const char *note, bool doubtful, const struct now *now)
{
	struct span text = note != NULL ? (struct span){ (const uint8_t *)note, strnlen(note, MAX_TEXT) } : (struct span){ NULL, 0 };
	KEY_SCRATCH struct opposites o;
	KEY_SCRATCH struct key_chain chain;

	TRY(check_size(c, k, sets, n));
	ttl = ttl_for(c, k->kind, sets, n, ttl);
	if (ttl == 0) {
		forget_expired(c, m, k, doubtful, now);
		return FAIL(ERR_RANGE);
	}
	flushes_age(&c->flushes, m, now_sec(now));
	key_chain_init(&chain, &c->key, k->name);
	AUTO(bundle_free) struct bundle *b = bundle_for(c, k, &chain, sets, n, text);
	if (b == NULL)
		return FAIL(ERR_NOMEM);
	bundle_set_times(b, now_sec(now), ttl);
	struct replacing r = replacing_by(c, b, now_sec(now));
	b->info.doubtful = r.doubtful = doubtful && !r.secure;
	bool checked = n > 0 && sets[0]->security != SECURITY_UNCHECKED;
	opposites_find(&o, c, k, chain.of[chain.labels]);
	for (size_t i = 0; i < o.n; i++)
		if (is_better(&r, o.b[i]))
			return FAIL(ERR_EXISTS);
	TRY(publish(c, m, MOVE(b), may_replace, &r, true));
	opposites_drop(&o, c, m);
	if (k->kind == BUNDLE_DATA || k->kind == BUNDLE_NODATA) {
		drop_nxdomain_above(c, m, k, &chain, &r);
		end_failure(c, m, k, chain.of[chain.labels], checked);
	}
	return DONE;
}

RESULT rrcache_put_noted(struct rrcache *c, struct epoch_member *m, const struct bundle_key *k, const struct rrset *const *sets, size_t n, uint32_t ttl,
    const char *note, const struct now *now)
{
	return put(c, m, k, sets, n, ttl, note, false, now);
}

RESULT rrcache_put_doubtful(struct rrcache *c, struct epoch_member *m, const struct bundle_key *k, const struct rrset *const *sets, size_t n, uint32_t ttl,
    const char *note, const struct now *now)
{
	return put(c, m, k, sets, n, ttl, note, true, now);
}

/* How many failures in a row there are with this one: an earlier one counts until as long after its end as it lasted. */
static uint16_t failures_with(const struct rrcache *c, const struct bundle *old, uint32_t now)
{
	if (old == NULL || is_flushed(c, old) || (now >= old->info.expires_sec && now - old->info.expires_sec > old->info.ttl))
		return 1;
	return old->info.failures < UINT16_MAX ? old->info.failures + 1 : UINT16_MAX;
}

static uint32_t doubled(uint32_t first, uint32_t max, unsigned int times)
{
	uint64_t x = first;

	for (unsigned int i = 0; i < times && x < max; i++)
		x *= 2;
	return x < max ? (uint32_t)x : max;
}

RESULT rrcache_put_failure(struct rrcache *c, struct epoch_member *m, const struct bundle_key *k, uint16_t rcode, uint16_t ede, const char *text,
    uint32_t first_sec, uint32_t max_sec, const struct now *now)
{
	struct span why = text != NULL ? (struct span){ (const uint8_t *)text, strnlen(text, MAX_TEXT) } : (struct span){ NULL, 0 };
	struct bundle_key key = *k;
	KEY_SCRATCH struct key_chain chain;

	if (first_sec == 0 || max_sec == 0)
		return FAIL(ERR_RANGE);
	key.kind = BUNDLE_FAILURE;
	key_chain_init(&chain, &c->key, k->name);
	AUTO(bundle_free) struct bundle *b = bundle_for(c, &key, &chain, NULL, 0, why);
	if (b == NULL)
		return FAIL(ERR_NOMEM);
	b->info.rcode = rcode;
	b->info.ede = (uint16_t)(ede & ~FAILURE_BY_ROUTE);
	b->info.by_route = (ede & FAILURE_BY_ROUTE) != 0;
	b->info.failures = failures_with(c, find(c, &key, chain.of[chain.labels], true), now_sec(now));
	bundle_set_times(b, now_sec(now), doubled(first_sec, max_sec, b->info.failures - 1u));
	return publish(c, m, MOVE(b), NULL, NULL, true);
}

/* NULL: no memory. */
static struct bundle *bundle_copy(const struct bundle *old) OWNED_BY(bundle_free);
static struct bundle *bundle_copy(const struct bundle *old)
{
	AUTO(bundle_free) struct bundle *b = mem_alloc(old->size);

	if (b == NULL)
		return NULL;
	memcpy((char *)b + sizeof(b->item), (const char *)old + sizeof(old->item), old->size - sizeof(old->item));
	b->item.octets = slots_octets(old->size);
	b->item.hash = old->item.hash;
	return MOVE(b);
}

RESULT rrcache_prolong(struct rrcache *c, struct epoch_member *m, const struct bundle *old, const struct now *now)
{
	AUTO(bundle_free) struct bundle *b = NULL;
	struct result r;

	if (now_sec(now) <= old->info.stale_from_sec)
		return DONE;
	b = bundle_copy(old);
	if (b == NULL)
		return FAIL(ERR_NOMEM);
	b->info.stale_from_sec = now_sec(now);
	r = publish(c, m, MOVE(b), only_this, old, false);
	return r.e == ERR_EXISTS ? FAIL(ERR_NOTFOUND) : r;
}

RESULT rrcache_set_security(struct rrcache *c, struct epoch_member *m, const struct bundle *old, enum security s, uint32_t max_ttl, const struct now *now)
{
	AUTO(bundle_free) struct bundle *b = bundle_copy(old);
	uint32_t end = now_sec(now) > UINT32_MAX - max_ttl ? UINT32_MAX : now_sec(now) + max_ttl;
	struct result r;

	if (b == NULL)
		return FAIL(ERR_NOMEM);
	b->info.security = (uint8_t)s;
	for (size_t i = 0; i < b->count; i++)
		((struct rrset *)(void *)((char *)b + b->at[i]))->security = (uint8_t)s;
	if (b->info.expires_sec > end)
		bundle_set_times(b, b->info.stored_sec, end > b->info.stored_sec ? end - b->info.stored_sec : 0);
	r = publish(c, m, MOVE(b), only_this, old, false);
	return r.e == ERR_EXISTS ? FAIL(ERR_NOTFOUND) : r;
}

/* An entry that is older than the machine's clock: the age before that is cut off, together with its TTL. */
static void bundle_set_age(struct bundle *b, uint64_t age_sec, uint32_t ttl, uint32_t now)
{
	uint32_t stored = age_sec < now ? now - (uint32_t)age_sec : 0;
	uint64_t before = age_sec - (now - stored);

	bundle_set_times(b, stored, before < ttl ? ttl - (uint32_t)before : 0);
}

RESULT rrcache_restore(struct rrcache *c, struct epoch_member *m, const struct bundle_key *k, const struct rrset *const *sets, size_t n,
    uint32_t ttl, uint64_t age_sec, uint64_t flush_count, const struct now *now)
{
	KEY_SCRATCH struct opposites o;
	KEY_SCRATCH struct key_chain chain;

	TRY(check_size(c, k, sets, n));
	if (ttl > load(&c->max_ttl))
		ttl = load(&c->max_ttl);
	if (age_sec >= (uint64_t)ttl + load(&c->keep_expired_sec))
		return FAIL(ERR_RANGE);
	key_chain_init(&chain, &c->key, k->name);
	AUTO(bundle_free) struct bundle *b = bundle_for(c, k, &chain, sets, n, (struct span){ NULL, 0 });
	if (b == NULL)
		return FAIL(ERR_NOMEM);
	bundle_set_age(b, age_sec, ttl, now_sec(now));
	b->flush_count = flush_count;
	struct replacing r = replacing_by(c, b, now_sec(now));
	opposites_find(&o, c, k, chain.of[chain.labels]);
	if (o.n != 0)
		return FAIL(ERR_EXISTS);
	return publish(c, m, MOVE(b), only_when_nothing, &r, false);
}

/* --- flushing */

struct flush_match {
	struct name name;
	enum rrcache_class what;
};

static bool is_of_name(void *user, const struct slot_item *item)
{
	const struct flush_match *f = user;
	const struct bundle *b = bundle_of(item);

	return b->name_len == f->name.len && key_equal(bundle_name(b), f->name.wire, f->name.len);
}

static bool is_in_zone(void *user, const struct slot_item *item)
{
	const struct flush_match *f = user;

	return name_is_under(bundle_key(bundle_of(item)).name, f->name);
}

static bool is_of_class(void *user, const struct slot_item *item)
{
	const struct flush_match *f = user;
	const struct bundle *b = bundle_of(item);

	switch (f->what) {
	case FLUSH_BOGUS:
		return b->info.security == SECURITY_BOGUS;
	case FLUSH_NEGATIVE:
		return b->kind == BUNDLE_NODATA || b->kind == BUNDLE_NXDOMAIN || b->kind == BUNDLE_FAILURE;
	case FLUSH_ALL:
		break;
	}
	return true;
}

static size_t flush_key(struct rrcache *c, struct epoch_member *m, const struct bundle_key *k, uint64_t name_hash)
{
	const struct bundle *b = find(c, k, name_hash, true);

	return b != NULL && slots_drop(c->slots, m, &b->item) ? 1 : 0;
}

/* One type: its data, absence and failure, and what says that the name is not there; NS and DS are also in the delegation. */
static size_t flush_type(struct rrcache *c, struct epoch_member *m, struct name name, uint16_t type)
{
	static const uint16_t classes[] = { CLASS_IN, CLASS_CH, CLASS_HS };
	KEY_SCRATCH struct key_chain chain;
	size_t n = 0;

	key_chain_init(&chain, &c->key, name);
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		for (unsigned int kind = 0; kind < BUNDLE_KINDS; kind++) {
			bool whole_name = kind == BUNDLE_DELEGATION || kind == BUNDLE_NXDOMAIN;
			struct bundle_key k = { name, whole_name ? 0 : type, classes[i], (uint8_t)kind };

			if (kind != BUNDLE_DELEGATION || type == RR_NS || type == RR_DS)
				n += flush_key(c, m, &k, chain.of[chain.labels]);
		}
	}
	return n;
}

size_t rrcache_flush_name(struct rrcache *c, struct epoch_member *m, struct name name, uint16_t type)
{
	struct flush_match f = { name, FLUSH_ALL };

	return type != 0 ? flush_type(c, m, name, type) : slots_sweep(c->slots, m, is_of_name, &f);
}

size_t rrcache_flush_zone(struct rrcache *c, struct epoch_member *m, struct name zone)
{
	struct flush_match f = { zone, FLUSH_ALL };
	uint32_t until = load(&c->latest_end);

	until = until > UINT32_MAX - load(&c->keep_expired_sec) ? UINT32_MAX : until + load(&c->keep_expired_sec);
	flushes_add(&c->flushes, m, zone, until, load(&c->max_flushes));
	return slots_sweep(c->slots, m, is_in_zone, &f);
}

size_t rrcache_flush_class(struct rrcache *c, struct epoch_member *m, enum rrcache_class what)
{
	struct flush_match f = { name_root, what };

	return slots_sweep(c->slots, m, is_of_class, &f);
}

uint64_t rrcache_flush_count(const struct rrcache *c)
{
	return flushes_count(&c->flushes);
}

bool rrcache_flushed_since(const struct rrcache *c, struct name name, uint64_t count)
{
	return flushes_cover(&c->flushes, name.wire, name.len, name.labels, count);
}

/* --- visits */

struct visit {
	const struct rrcache *c BORROWED_FIELD;
	rrcache_visit_fn *fn;
	void *user BORROWED_FIELD;
	struct result result;
};

static bool visit_one(void *user, const struct slot_item *item)
{
	struct visit *v = user;

	if (is_flushed(v->c, bundle_of(item)))
		return true;
	v->result = v->fn(v->user, bundle_of(item));
	return OK(v->result);
}

uint64_t rrcache_visit(struct rrcache *c, uint64_t cursor, size_t slots, rrcache_visit_fn *fn, void *user, struct result *ret)
{
	struct visit v = { c, fn, user, DONE };

	cursor = slots_visit(c->slots, cursor, (slots + SLOTS_BUCKET - 1) / SLOTS_BUCKET, visit_one, &v);
	*ret = v.result;
	return cursor;
}

/* --- life */

void rrcache_free(struct rrcache *c)
{
	if (c == NULL)
		return;
	slots_free(c->slots);
	flushes_done(&c->flushes);
	mem_free(c);
}

struct rrcache *rrcache_new(const struct rrcache_limits *l, const struct hash_key *key)
{
	AUTO(rrcache_free) struct rrcache *c = mem_alloc_aligned(64, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->key = *key;
	flushes_init(&c->flushes, key);
	c->slots = slots_new(l->octets);
	if (c->slots == NULL)
		return NULL;
	rrcache_set_limits(c, l);
	return MOVE(c);
}

static void set(_Atomic uint32_t *x, uint32_t value)
{
	atomic_store_explicit(x, value, memory_order_relaxed);
}

void rrcache_set_limits(struct rrcache *c, const struct rrcache_limits *l)
{
	slots_set_limit(c->slots, l->octets);
	set(&c->min_ttl, l->min_ttl);
	set(&c->max_ttl, l->max_ttl);
	set(&c->min_negative_ttl, l->min_negative_ttl);
	set(&c->max_negative_ttl, l->max_negative_ttl);
	set(&c->keep_expired_sec, l->keep_expired_sec);
	set(&c->max_bundle_octets, l->max_bundle_octets != 0 ? l->max_bundle_octets : MAX_BUNDLE_OCTETS);
	set(&c->max_flushes, l->max_flushes != 0 ? l->max_flushes : MAX_FLUSHES);
}

struct cache_usage rrcache_usage(const struct rrcache *c)
{
	struct slots_usage u = slots_usage(c->slots);

	return (struct cache_usage){ u.entries, u.octets, u.limit, u.evicted, u.hits, u.misses, u.refused };
}
