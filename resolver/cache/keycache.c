/* keycache.c: one entry a zone: a name and a reference of its trust. The index and its eviction are in slots.c. */
#include "resolver/cache/keycache.h"

#include "base/mem.h"
#include "resolver/cache/key.h"
#include "resolver/cache/rrcache.h"
#include "resolver/cache/slots.h"

struct known {
	struct slot_item item;
	struct trust *trust OWNED_FIELD;
	uint32_t expires_sec; /* mono */
	uint8_t name_len;
	uint8_t name_labels;
	uint8_t name[];       /* in lower case */
};

struct keycache {
	struct slots *slots OWNED_FIELD;
	struct hash_key key;
};

static void known_free(struct known *k) TAKES(1);
static void known_free(struct known *k)
{
	if (k == NULL)
		return;
	trust_unref(k->trust);
	mem_free(k);
}
DEFINE_AUTO(struct known, known_free)

static void known_release(struct slot_item *item)
{
	struct known *k = (struct known *)(void *)item;

	trust_unref(MOVE(k->trust));
}

static const struct known *known_of(const struct slot_item *item)
{
	return (const struct known *)(const void *)item;
}

static struct name known_name(const struct known *k)
{
	return (struct name){ k->name, k->name_len, k->name_labels };
}

static inline bool is_of(const void *key, const struct slot_item *item)
{
	const struct name *n = key;
	const struct known *k = known_of(item);

	return k->name_len == n->len && key_equal(k->name, n->wire, n->len);
}

static uint64_t hash_of(const struct keycache *c, struct name n)
{
	KEY_SCRATCH uint8_t lower[NAME_MAX_OCTETS];

	key_lower(lower, n.wire, n.len);
	return siphash13(&c->key, lower, n.len);
}

const struct trust *keycache_get(struct keycache *c, struct name zone, const struct now *now)
{
	uint64_t hash = hash_of(c, zone);
	const struct slot_item *item = slots_find(c->slots, hash, is_of, &zone, false);
	bool live = item != NULL && now_sec(now) < known_of(item)->expires_sec;

	slots_count(c->slots, hash, live);
	return live ? known_of(item)->trust : NULL;
}

/* Keys that are known are worth more than the DS RRset that led to them. */
static bool may_replace(const void *user, const struct slot_item *old, const struct slot_item *item)
{
	const uint32_t *now = user;
	const struct known *a = old != NULL ? known_of(old) : NULL, *b = known_of(item);

	if (a == NULL || a->expires_sec <= *now)
		return true;
	return a->trust->state != TRUST_KEYS || b->trust->state != TRUST_DS || a->expires_sec < b->expires_sec;
}

static struct known *known_new(const struct keycache *c, struct trust *given, uint32_t ttl, uint32_t now) OWNED_BY(known_free) TAKES(2);
static struct known *known_new(const struct keycache *c, struct trust *given, uint32_t ttl, uint32_t now)
{
	AUTO(trust_unref) struct trust *t = given;
	size_t size = sizeof(struct known) + t->zone.len;
	AUTO(known_free) struct known *k = mem_alloc(size);
	size_t all;

	if (k == NULL)
		return NULL;
	all = slots_octets(size) + trust_octets(t);
	k->item.octets = all < UINT32_MAX ? (uint32_t)all : UINT32_MAX;
	k->item.hash = hash_of(c, name_of(&t->zone));
	k->expires_sec = now > UINT32_MAX - ttl ? UINT32_MAX : now + ttl;
	k->name_len = t->zone.len;
	k->name_labels = t->zone.labels;
	key_lower(k->name, t->zone.b, t->zone.len);
	k->trust = MOVE(t);
	return MOVE(k);
}

void keycache_put(struct keycache *c, struct epoch_member *m, struct trust *given, uint32_t max_ttl, const struct now *now)
{
	AUTO(trust_unref) struct trust *t = given;
	uint32_t ttl = t->ttl < max_ttl ? t->ttl : max_ttl, at = now_sec(now);
	AUTO(known_free) struct known *k = known_new(c, MOVE(t), ttl > KEYCACHE_MIN_TTL ? ttl : KEYCACHE_MIN_TTL, at);
	struct name zone;

	if (k == NULL)
		return;
	zone = known_name(k);
	(void)slots_put(c->slots, m, &MOVE(k)->item, is_of, &zone, may_replace, &at, false);
}

static bool is_under(void *user, const struct slot_item *item)
{
	return name_is_under(known_name(known_of(item)), *(const struct name *)user);
}

size_t keycache_flush(struct keycache *c, struct epoch_member *m, struct name zone)
{
	return slots_sweep(c->slots, m, is_under, &zone);
}

static bool is_negative(void *user, const struct slot_item *item)
{
	enum trust_state s = known_of(item)->trust->state;

	(void)user;
	return s == TRUST_INSECURE || s == TRUST_NO_CUT || s == TRUST_NO_NAME;
}

size_t keycache_flush_negative(struct keycache *c, struct epoch_member *m)
{
	return slots_sweep(c->slots, m, is_negative, NULL);
}

void keycache_free(struct keycache *c)
{
	if (c == NULL)
		return;
	slots_free(c->slots);
	mem_free(c);
}

struct keycache *keycache_new(size_t octets, const struct hash_key *key)
{
	AUTO(keycache_free) struct keycache *c = mem_alloc(sizeof *c);

	if (c == NULL)
		return NULL;
	c->key = *key;
	c->slots = slots_new(octets);
	if (c->slots == NULL)
		return NULL;
	slots_set_release(c->slots, known_release);
	return MOVE(c);
}

void keycache_set_limit(struct keycache *c, size_t octets)
{
	slots_set_limit(c->slots, octets);
}

void keycache_usage(const struct keycache *c, struct cache_usage *ret)
{
	struct slots_usage u = slots_usage(c->slots);

	*ret = (struct cache_usage){ u.entries, u.octets, u.limit, u.evicted, u.hits, u.misses, u.refused };
}
