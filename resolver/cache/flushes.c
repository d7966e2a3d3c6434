#include "resolver/cache/flushes.h"

#include <string.h>

#include "base/epoch.h"
#include "base/mem.h"
#include "resolver/cache/key.h"

struct flush {
	uint64_t zone; /* hash of its name */
	uint64_t count;
	uint32_t until_sec;
};

struct flush_set {
	struct retired retired;
	uint64_t newest;
	uint32_t until_sec; /* of the last to run out */
	uint32_t n;
	struct flush by_zone[]; /* sorted */
};

static void flush_set_free(struct flush_set *s) TAKES(1);
static void flush_set_free(struct flush_set *s)
{
	mem_free(s);
}
DEFINE_AUTO(struct flush_set, flush_set_free)

static void set_destroy(struct retired *r)
{
	flush_set_free(PARENT_OF(r, struct flush_set, retired));
}

static struct flush_set *current(const struct flushes *f) BORROWED;
static struct flush_set *current(const struct flushes *f)
{
	return atomic_load_explicit(&f->set, memory_order_acquire);
}

void flushes_init(struct flushes *f, const struct hash_key *key)
{
	atomic_init(&f->set, NULL);
	atomic_init(&f->count, 0);
	f->key = *key;
	lock_init(&f->lock);
}

void flushes_done(struct flushes *f)
{
	flush_set_free(current(f)); /* own-ok: R4 the last set, which no reader is left to see */
	lock_done(&f->lock);
}

static void publish(struct flushes *f, struct epoch_member *m, struct flush_set *next) TAKES(3);
static void publish(struct flushes *f, struct epoch_member *m, struct flush_set *next)
{
	struct flush_set *old = atomic_exchange_explicit(&f->set, next, memory_order_acq_rel);

	if (old != NULL)
		epoch_retire(m, &old->retired, sizeof(*old) + old->n * sizeof(old->by_zone[0]), set_destroy);
}

/* How many are dropped so that one more is within max: the count of the newest of them. */
static uint64_t drop_up_to(const struct flush_set *old, uint32_t max)
{
	uint64_t oldest = UINT64_MAX;

	if (old == NULL || old->n < max)
		return 0;
	for (uint32_t i = 0; i < old->n; i++)
		if (old->by_zone[i].count < oldest)
			oldest = old->by_zone[i].count;
	return oldest;
}

static void set_add(struct flush_set *s, struct flush one)
{
	s->by_zone[s->n++] = one;
	if (one.until_sec > s->until_sec)
		s->until_sec = one.until_sec;
}

bool flushes_add(struct flushes *f, struct epoch_member *m, struct name zone, uint32_t until_sec, uint32_t max)
{
	KEY_SCRATCH struct key_chain chain;

	key_chain_init(&chain, &f->key, zone);
	lock_take(&f->lock);
	const struct flush_set *old = current(f);
	uint64_t dropped = drop_up_to(old, max);
	struct flush one = { chain.of[chain.labels], flushes_count(f) + 1, until_sec };
	AUTO(flush_set_free) struct flush_set *s = mem_alloc(sizeof(*s) + ((old != NULL ? old->n : 0) + 1u) * sizeof(s->by_zone[0]));
	if (s != NULL) {
		bool placed = false;

		s->newest = one.count;
		for (uint32_t i = 0; old != NULL && i < old->n; i++) {
			const struct flush *o = &old->by_zone[i];

			if (!placed && o->zone >= one.zone) {
				set_add(s, one);
				placed = true;
			}
			if (o->zone != one.zone && o->count > dropped)
				set_add(s, *o);
		}
		if (!placed)
			set_add(s, one);
		publish(f, m, MOVE(s));
		atomic_store_explicit(&f->count, one.count, memory_order_release);
	}
	bool added = flushes_count(f) == one.count;
	lock_give(&f->lock);
	return added;
}

void flushes_age(struct flushes *f, struct epoch_member *m, uint32_t now_sec)
{
	const struct flush_set *s = current(f);

	if (s == NULL || s->until_sec >= now_sec)
		return;
	lock_take(&f->lock);
	s = current(f);
	if (s != NULL && s->until_sec < now_sec)
		publish(f, m, NULL);
	lock_give(&f->lock);
}

static const struct flush *find(const struct flush_set *s, uint64_t zone) BORROWED;
static const struct flush *find(const struct flush_set *s, uint64_t zone)
{
	uint32_t low = 0;
	uint32_t high = s->n;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (s->by_zone[mid].zone < zone)
			low = mid + 1;
		else
			high = mid;
	}
	return low < s->n && s->by_zone[low].zone == zone ? &s->by_zone[low] : NULL;
}

bool flushes_cover(const struct flushes *f, const uint8_t *name, uint8_t len, uint8_t labels, uint64_t count)
{
	const struct flush_set *s = current(f);
	KEY_SCRATCH struct key_chain chain;

	if (s == NULL || count >= s->newest)
		return false;
	key_chain_init(&chain, &f->key, (struct name){ name, len, labels });
	for (unsigned int i = 0; i <= chain.labels; i++) {
		const struct flush *one = find(s, chain.of[i]);

		if (one != NULL && count < one->count)
			return true;
	}
	return false;
}

size_t flushes_remembered(const struct flushes *f)
{
	const struct flush_set *s = current(f);

	return s != NULL ? s->n : 0;
}
