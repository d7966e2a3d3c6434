#include "resolver/cache/anscache.h"

#include <string.h>

#include "base/mem.h"
#include "resolver/cache/key.h"
#include "resolver/cache/rrcache.h"
#include "resolver/cache/slots.h"

_Static_assert(offsetof(struct ans_entry, item) == 0, "an entry begins with what the index needs");
_Static_assert(offsetof(struct ans_entry, hash) == offsetof(struct slot_item, hash), "one hash under two names");
_Static_assert(offsetof(struct ans_entry, retired) == offsetof(struct slot_item, retired), "one grave under two names");

struct anscache {
	struct slots *slots OWNED_FIELD;
	struct hash_key key;
};

/* --- entries */

static size_t entry_size(size_t ttl_count, size_t len, size_t ede_len, size_t note_len)
{
	return sizeof(struct ans_entry) + 2 * ttl_count + len + ede_len + note_len;
}

void ans_entry_free(struct ans_entry *e)
{
	mem_free(e);
}

struct ans_entry *ans_entry_new_noted(size_t ttl_count, size_t len, size_t ede_len, size_t note_len)
{
	if (ttl_count > UINT16_MAX || len > UINT16_MAX || ede_len > UINT16_MAX || note_len > UINT16_MAX)
		return NULL;
	AUTO(ans_entry_free) struct ans_entry *e = mem_alloc(entry_size(ttl_count, len, ede_len, note_len));
	if (e == NULL)
		return NULL;
	e->item.octets = slots_octets(entry_size(ttl_count, len, ede_len, note_len));
	e->ttl_count = (uint16_t)ttl_count;
	e->len = (uint16_t)len;
	e->ede_len = (uint16_t)ede_len;
	e->note_len = (uint16_t)note_len;
	return MOVE(e);
}

struct ans_entry *ans_entry_new(size_t ttl_count, size_t len, size_t ede_len)
{
	return ans_entry_new_noted(ttl_count, len, ede_len, 0);
}

static const struct ans_entry *entry_of(const struct slot_item *item) BORROWED;
static inline const struct ans_entry *entry_of(const struct slot_item *item)
{
	return (const struct ans_entry *)(const void *)item;
}

/* The stored question: header, name, type, class. */
static bool has_question(const struct ans_entry *e)
{
	return e->question_end >= MSG_HEADER + 5 && e->question_end <= MSG_HEADER + NAME_MAX_OCTETS + 4 && e->question_end <= e->len;
}

static inline bool entry_matches(const void *key, const struct slot_item *item)
{
	const struct ans_key *k = key;
	const struct ans_entry *e = entry_of(item);
	const uint8_t *name = ans_packet(e) + MSG_HEADER;
	size_t n = k->name.len;

	return e->variant == k->variant && e->question_end == MSG_HEADER + n + 4 && load16(name + n) == k->type &&
	    load16(name + n + 2) == k->rclass && key_equal(name, k->name.wire, n);
}

/* --- the cache */

void anscache_free(struct anscache *c)
{
	if (c == NULL)
		return;
	slots_free(c->slots);
	mem_free(c);
}

struct anscache *anscache_new(size_t octets, const struct hash_key *key)
{
	AUTO(anscache_free) struct anscache *c = mem_alloc(sizeof(*c));

	if (c == NULL)
		return NULL;
	c->key = *key;
	c->slots = slots_new(octets);
	if (c->slots == NULL)
		return NULL;
	return MOVE(c);
}

void anscache_set_limit(struct anscache *c, size_t octets)
{
	slots_set_limit(c->slots, octets);
}

uint64_t anscache_hash(const struct anscache *c, const struct ans_key *k)
{
	KEY_SCRATCH uint8_t buf[NAME_MAX_OCTETS + 8];
	uint8_t *end = buf + k->name.len;

	key_lower(buf, k->name.wire, k->name.len);
	store16(end, k->type);
	store16(end + 2, k->rclass);
	store32(end + 4, k->variant);
	return siphash13(&c->key, buf, k->name.len + 8u);
}

void anscache_prefetch(const struct anscache *c, uint64_t hash)
{
	slots_prefetch(c->slots, hash);
}

void anscache_prefetch_entry(const struct anscache *c, uint64_t hash)
{
	slots_prefetch_item(c->slots, hash);
}

const struct ans_entry *anscache_get(struct anscache *c, const struct ans_key *k, uint64_t hash)
{
	return entry_of(slots_find(c->slots, hash, entry_matches, k, false));
}

/* The key of an entry, its name borrowed from its packet. */
static struct ans_key key_of(const struct ans_entry *e)
{
	uint8_t len = (uint8_t)(e->question_end - MSG_HEADER - 4);
	const uint8_t *name = ans_packet(e) + MSG_HEADER;

	return (struct ans_key){ { name, len, 0 }, load16(name + len), load16(name + len + 2), e->variant };
}

void anscache_put(struct anscache *c, struct epoch_member *m, struct ans_entry *given)
{
	AUTO(ans_entry_free) struct ans_entry *e = given;

	if (!has_question(e))
		return;
	struct ans_key k = key_of(e);
	(void)slots_put(c->slots, m, (struct slot_item *)MOVE(e), entry_matches, &k, NULL, NULL, true);
}

void anscache_drop(struct anscache *c, struct epoch_member *m, const struct ans_entry *e)
{
	(void)slots_drop(c->slots, m, &e->item);
}

struct flush {
	bool (*match)(void *user, const struct ans_entry *e);
	void *user BORROWED_FIELD;
};

static bool is_doomed(void *user, const struct slot_item *item)
{
	const struct flush *f = user;

	return f->match == NULL || f->match(f->user, entry_of(item));
}

size_t anscache_flush(struct anscache *c, struct epoch_member *m, bool (*match)(void *user, const struct ans_entry *e), void *user)
{
	struct flush f = { match, user };

	return slots_sweep(c->slots, m, is_doomed, &f);
}

void anscache_usage(const struct anscache *c, struct cache_usage *ret)
{
	struct slots_usage u = slots_usage(c->slots);

	*ret = (struct cache_usage){ u.entries, u.octets, u.limit, u.evicted, u.hits, u.misses, u.refused };
}
