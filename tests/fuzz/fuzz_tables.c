/*
 * What the caches are made of, each by operations beside a model: the first octet says which. The index of slots (what is found was put last, and every sum is what a recount says),
 * ordered strings (the same as in an array that is sorted), what is known of servers (within its bounds, whatever was said of them), and of zones' keys (what was put last, until it
 * expires or is flushed).
 */
#include "base/arena.h"
#include "base/cursor.h"
#include "base/epoch.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "resolver/cache/infra.h"
#include "resolver/cache/keycache.h"
#include "resolver/cache/rrcache.h"
#include "resolver/cache/slots.h"
#include "resolver/cache/sorted.h"
#include "tests/fuzz/kit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MOST_OPS 3000u

static const struct hash_key hash_key = { { 3, 4 } };

struct turn {
	struct epoch *e BORROWED_FIELD;
	struct epoch_member *m BORROWED_FIELD;
};

static struct turn turn_begin(void)
{
	struct turn t = { .e = epoch_new() };

	CHECK(t.e != NULL);
	t.m = epoch_join(t.e);
	CHECK(t.m != NULL);
	epoch_online(t.m);
	return t;
}

static void turn_end(struct turn *t)
{
	epoch_offline(t->m);
	epoch_leave(t->m);
	epoch_free(t->e);
}

/* --- slots */

#define THINGS 2048u

struct thing {
	struct slot_item item;
	uint32_t number, version;
	uint8_t filling[];
};

/* Some share their bucket, some their tag. */
static uint64_t thing_hash(uint32_t n)
{
	uint64_t h = siphash13(&hash_key, &n, sizeof n);

	return (n & 7) == 7 ? (h & ~UINT64_C(0xff000000ffffffff)) | (n & 8) : h;
}

static bool is_thing(const void *key, const struct slot_item *item)
{
	return ((const struct thing *)(const void *)item)->number == *(const uint32_t *)key;
}

static bool newer(const void *user, const struct slot_item *old, const struct slot_item *item)
{
	const struct thing *a = (const struct thing *)(const void *)old, *b = (const struct thing *)(const void *)item;

	(void)user;
	return a == NULL || a->version < b->version || b->version % 3 == 0;
}

static bool has_third(void *user, const struct slot_item *item)
{
	return ((const struct thing *)(const void *)item)->number % 3 == *(const uint32_t *)user;
}

static bool count_it(void *user, const struct slot_item *item)
{
	CHECK(((const struct thing *)(const void *)item)->number < THINGS);
	++*(uint64_t *)user;
	return true;
}

struct slots_run {
	struct turn t;
	struct slots *s BORROWED_FIELD;
	uint32_t version[THINGS]; /* put last; 0: never, or taken out */
	uint32_t versions;
	uint32_t limit;
};

static void put_thing(struct slots_run *x, uint32_t n, size_t filling, bool again)
{
	struct thing *it = mem_alloc(sizeof *it + filling);
	uint32_t version = ++x->versions;
	enum slots_verdict v;

	CHECK(it != NULL);
	it->item.hash = thing_hash(n);
	it->item.octets = slots_octets(sizeof *it + filling);
	it->number = n;
	it->version = version;
	v = slots_put(x->s, x->t.m, &it->item, is_thing, &n, newer, NULL, again);
	if (v == SLOTS_NEW || v == SLOTS_REPLACED)
		x->version[n] = version;
	else if (v == SLOTS_FULL)
		x->version[n] = 0; /* what is older must not be found */
}

static void find_thing(struct slots_run *x, uint32_t n, bool peek)
{
	const struct thing *it = (const struct thing *)(const void *)slots_find(x->s, thing_hash(n), is_thing, &n, peek);

	slots_prefetch(x->s, thing_hash(n));
	slots_prefetch_item(x->s, thing_hash(n));
	CHECK(it == NULL || (it->number == n && it->version == x->version[n]));
	if (it == NULL)
		x->version[n] = 0; /* it was evicted, and stays away */
	slots_count(x->s, thing_hash(n), it != NULL);
}

static void drop_thing(struct slots_run *x, uint32_t n)
{
	const struct slot_item *it = slots_find(x->s, thing_hash(n), is_thing, &n, true);

	if (it == NULL)
		return;
	CHECK(slots_drop(x->s, x->t.m, it) && !slots_drop(x->s, x->t.m, it));
	x->version[n] = 0;
}

static void sweep_things(struct slots_run *x, uint32_t third)
{
	size_t gone = slots_sweep(x->s, x->t.m, has_third, &third), most = 0;

	for (uint32_t i = third; i < THINGS; i += 3) {
		most += x->version[i] != 0;
		x->version[i] = 0;
	}
	CHECK(gone <= most);
}

static void slots_step(struct slots_run *x, struct reader *r)
{
	uint8_t op = read8(r);
	uint32_t n = read16(r) % THINGS;
	uint64_t seen = 0, cursor = 0;

	switch (op & 15) {
	case 0:
		drop_thing(x, n);
		break;
	case 1:
		x->limit = (op & 0x80) != 0 ? 1u << 20 : (1u + n) * 64;
		slots_set_limit(x->s, x->limit);
		break;
	case 2:
		sweep_things(x, n % 3);
		break;
	case 3: /* many at once */
		for (uint32_t i = 0; i < (op >> 4) * 16u; i++)
			put_thing(x, (n + i * 8) % THINGS, n % 200, (op & 0x10) != 0);
		break;
	case 4:
		do
			cursor = slots_visit(x->s, cursor, 16, count_it, &seen);
		while (cursor != 0);
		CHECK(seen == slots_usage(x->s).entries);
		break;
	case 5:
		put_thing(x, n, (size_t)(op >> 4) * 5000, false);
		break;
	case 6: case 7: case 8: case 9:
		find_thing(x, n, (op & 0x10) != 0);
		break;
	default:
		put_thing(x, n, op, (op & 0x20) != 0);
		break;
	}
	if ((op & 0xe0) == 0xe0)
		epoch_quiesce(x->t.m);
}

static void run_slots(struct reader *r)
{
	struct slots_run *x = calloc(1, sizeof *x);

	CHECK(x != NULL);
	x->t = turn_begin();
	x->limit = 1024u << (read8(r) & 7);
	x->s = slots_new(x->limit);
	CHECK(x->s != NULL);
	for (unsigned int i = 0; i < MOST_OPS && !reader_end(r); i++) {
		slots_step(x, r);
		if (i % 16 == 0)
			CHECK(slots_check(x->s));
	}
	for (uint32_t n = 0; n < THINGS; n++)
		find_thing(x, n, true);
	CHECK(slots_check(x->s));
	slots_free(x->s);
	turn_end(&x->t);
	free(x);
}

/* --- ordered strings */

#define STRINGS 64u

struct string {
	struct sorted_node node;
	uint8_t octets[12];
	size_t n;
	bool in;
};

static const struct string *string_of(const struct sorted_node *n)
{
	return (const struct string *)(const void *)n;
}

static void check_order(const struct sorted *s, const struct string *list, struct span key)
{
	const struct string *floor = NULL, *above = NULL, *first = NULL, *last = NULL;

	for (size_t i = 0; i < STRINGS; i++) {
		struct span k = span_of(list[i].octets, list[i].n);

		if (!list[i].in)
			continue;
		if (sorted_compare(k, key) <= 0 && (floor == NULL || sorted_compare(k, span_of(floor->octets, floor->n)) > 0))
			floor = &list[i];
		if (sorted_compare(k, key) > 0 && (above == NULL || sorted_compare(k, span_of(above->octets, above->n)) < 0))
			above = &list[i];
		if (first == NULL || sorted_compare(k, span_of(first->octets, first->n)) < 0)
			first = &list[i];
		if (last == NULL || sorted_compare(k, span_of(last->octets, last->n)) > 0)
			last = &list[i];
	}
	CHECK(string_of(sorted_floor(s, key)) == floor && string_of(sorted_above(s, key)) == above);
	CHECK(string_of(sorted_first(s)) == first && string_of(sorted_last(s)) == last);
}

static void run_sorted(struct reader *r)
{
	static struct string list[STRINGS];
	struct sorted s = { .count = 0 };

	memset(list, 0, sizeof list);
	for (unsigned int i = 0; i < 500 && !reader_end(r); i++) {
		uint8_t at = read8(r), n = read8(r);
		struct string *x = &list[at % STRINGS];
		struct span key = read_span(r, n % 12 < reader_left(r) ? n % 12 : reader_left(r));
		bool there = false;

		if (key.p == NULL)
			key = span_of("", 0);
		for (size_t k = 0; k < STRINGS; k++)
			there = there || (list[k].in && span_equal(span_of(list[k].octets, list[k].n), key));
		if (x->in) {
			sorted_remove(&s, &x->node);
			x->in = false;
		} else if (!there) {
			memcpy(x->octets, key.p, key.n);
			x->n = key.n;
			x->in = true;
			sorted_add(&s, &x->node, span_of(x->octets, x->n), (uint32_t)n * 0x9e3779b9u);
		}
		CHECK(sorted_check(&s));
		check_order(&s, list, key);
	}
}

/* --- servers */

static void check_facts(struct infra *i, const struct endpoint *e, const struct infra_limits *l, const struct now *now)
{
	struct server_facts f;
	bool may;

	infra_get(i, e, now, &f);
	CHECK(f.timeout_ms >= l->min_rtt_ms && f.timeout_ms <= (l->max_rtt_ms > 6000 ? l->max_rtt_ms : 6000) && f.edns <= EDNS_BROKEN && f.cookie_len <= 32);
	CHECK(f.cookie_len == 0 || (f.cookie_len >= 8 && f.knows_cookies));
	CHECK(f.blocked_until_ms <= now_ms(now) + (l->max_backoff_ms != 0 ? l->max_backoff_ms : 15000));
	may = infra_may_ask(i, e, now);
	CHECK(may || f.timeouts >= INFRA_DOWN_AFTER);
	CHECK(f.timeouts >= INFRA_DOWN_AFTER || may);
}

static struct infra_limits limits_of(uint8_t c)
{
	return (struct infra_limits){ .host_ttl_sec = (c & 1) != 0 ? 3 : 900, .max_entries = (c & 2) != 0 ? 4 : 200, .min_rtt_ms = 50, .max_rtt_ms = (c & 4) != 0 ? 200 : 120000,
		.lame_ttl_sec = (c & 8) != 0 ? 2 : 900, .keep_probing = (c & 16) != 0, .max_backoff_ms = (c & 32) != 0 ? 2000 : 0, .max_wait_ms = (c & 64) != 0 ? 500 : 0 };
}

static void infra_step(struct infra *i, struct infra_limits *l, struct now *now, struct reader *r)
{
	static const struct name zones[4] = { { (const uint8_t *)"", 1, 0 }, { (const uint8_t *)"\1a", 3, 1 }, { (const uint8_t *)"\1B\1a", 5, 2 }, { (const uint8_t *)"\1b\1A", 5, 2 } };
	uint8_t op = read8(r), who = read8(r), c = read8(r), cookie[40] = { c, who };
	struct endpoint e = { { (who & 0x80) != 0 ? ADDR_V6 : ADDR_V4, { 192, 0, 2, who & 31 } }, (who & 0x40) != 0 ? 5353 : 53, 0 };
	struct name zone = zones[c & 3];

	switch (op & 15) {
	case 0:
		now->mono_ns += (uint64_t)c * UINT64_C(100000000);
		break;
	case 1:
		infra_note_rtt(i, &e, (uint32_t)c << (op >> 4), now);
		break;
	case 2:
		infra_note_timeout(i, &e, now);
		break;
	case 3:
		infra_note_timeout_of(i, &e, c & 3, now);
		break;
	case 4:
		infra_note_edns(i, &e, (c & 1) != 0, (c & 2) != 0, now);
		break;
	case 5:
		infra_note_no_0x20(i, &e, now);
		break;
	case 6:
		infra_note_tcp_only(i, &e, c, now);
		break;
	case 7:
		infra_note_cookie(i, &e, cookie, cookie + 1, c % 40, now);
		break;
	case 8:
	case 9:
		infra_note_lame(i, &e, zone, (enum lame_kind)(c >> 4) % (LAME_GARBAGE + 1), now);
		CHECK(infra_lame(i, &e, zone, now) == (enum lame_kind)(c >> 4) % (LAME_GARBAGE + 1) || l->lame_ttl_sec == 0);
		break;
	case 10:
		infra_flush(i, (c & 1) != 0 ? &e.a : NULL);
		CHECK((c & 1) != 0 || infra_count(i) == 0);
		CHECK(infra_lame(i, &e, zone, now) == LAME_NO);
		break;
	case 11:
		*l = limits_of(c);
		infra_set_limits(i, l);
		break;
	default:
		(void)lame_text(infra_lame(i, &e, zone, now));
		break;
	}
	if ((op & 15) != 11)
		check_facts(i, &e, l, now);
}

static void run_infra(struct reader *r)
{
	struct infra_limits l = limits_of(read8(r) & 3);
	struct infra *i = infra_new(&l, &hash_key);
	struct now now = { .mono_ns = UINT64_C(1000000000000) };
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(1 << 22);

	CHECK(i != NULL && out != NULL);
	for (unsigned int n = 0; n < MOST_OPS && !reader_end(r); n++)
		infra_step(i, &l, &now, r);
	infra_dump(i, &now, out);
	CHECK(strbuf_ok(out) && infra_evicted(i) < 1000000);
	for (const char *p = strbuf_text(out); *p != '\0'; p++)
		CHECK((*p >= ' ' && *p <= '~') || *p == '\n');
	infra_free(i);
}

/* --- keys of zones */

#define ZONES 6u

struct key_cell {
	enum trust_state state;
	uint32_t mark, expires;
	bool there;
};

static const struct name key_zones[ZONES] = { { (const uint8_t *)"", 1, 0 }, { (const uint8_t *)"\1a", 3, 1 }, { (const uint8_t *)"\1B\1a", 5, 2 }, { (const uint8_t *)"\1c\1b\1a", 7, 3 },
	{ (const uint8_t *)"\1z", 3, 1 }, { (const uint8_t *)"\1A\1z", 5, 2 } };

static void put_key(struct keycache *c, struct turn *t, struct key_cell *cell, unsigned int at, struct reader *r, const struct now *now)
{
	uint8_t how = read8(r), ttl = read8(r);
	enum trust_state s = (enum trust_state)(how % (TRUST_KEYS + 1));
	uint32_t life = ttl < KEYCACHE_MIN_TTL ? KEYCACHE_MIN_TTL : ttl > 100 ? 100 : ttl;
	struct trust *made = trust_new(s, key_zones[at], ttl, NULL, NULL, how, (how & 0x40) != 0 ? "why" : NULL);

	CHECK(made != NULL && *trust_state_text(s) != '\0' && trust_octets(made) > 0);
	keycache_put(c, t->m, made, 100, now);
	if (cell->there && now_sec(now) < cell->expires && cell->state == TRUST_KEYS && s == TRUST_DS && cell->expires >= now_sec(now) + life)
		return;
	*cell = (struct key_cell){ s, how, now_sec(now) + life, true };
}

static void run_keycache(struct reader *r)
{
	struct turn t = turn_begin();
	struct keycache *c = keycache_new(1 << 20, &hash_key);
	struct key_cell cell[ZONES] = { { TRUST_NONE, 0, 0, false } };
	struct now now = { .mono_ns = UINT64_C(1000000000000) };
	struct cache_usage u;
	bool exact = true;

	CHECK(c != NULL);
	for (unsigned int n = 0; n < MOST_OPS && !reader_end(r); n++) {
		uint8_t op = read8(r);
		unsigned int at = (op >> 3) % ZONES;

		switch (op & 7) {
		case 0:
			now.mono_ns += (uint64_t)read8(r) % 16 * UINT64_C(1000000000);
			break;
		case 1:
			(void)keycache_flush(c, t.m, key_zones[at]);
			for (unsigned int i = 0; i < ZONES; i++)
				cell[i].there = cell[i].there && !name_is_under(key_zones[i], key_zones[at]);
			break;
		case 2:
			(void)keycache_flush_negative(c, t.m);
			for (unsigned int i = 0; i < ZONES; i++)
				cell[i].there = cell[i].there && (cell[i].state == TRUST_NONE || cell[i].state >= TRUST_DS);
			break;
		case 3:
			exact = exact && op < 0xf0;
			if (!exact)
				keycache_set_limit(c, 2000);
			break;
		default:
			put_key(c, &t, &cell[at], at, r, &now);
			break;
		}
		for (unsigned int i = 0; i < ZONES; i++) {
			const struct trust *k = keycache_get(c, key_zones[i], &now);

			CHECK(k == NULL || name_equal(name_of(&k->zone), key_zones[i]));
			if (exact)
				CHECK((k != NULL) == (cell[i].there && now_sec(&now) < cell[i].expires) && (k == NULL || (k->state == cell[i].state && k->ede == cell[i].mark)));
		}
	}
	keycache_usage(c, &u);
	CHECK(u.entries <= ZONES);
	keycache_free(c);
	turn_end(&t);
}

static void one_input(const uint8_t *data, size_t size)
{
	static void (*const runs[])(struct reader *r) = { run_slots, run_sorted, run_infra, run_keycache };
	struct reader r = reader_of(span_of(data, size));

	if (size > 0)
		runs[read8(&r) & 3](&r);
}

KIT_TARGET(one_input)
