/*
 * Random operations on the caches beside a naive model: tables indexed by name, type and kind, with the rules of rrcache.h
 * written out once more in the plainest way. A roomy cache must agree with the model in everything. One with little memory,
 * which evicts and refuses, must never answer with what was not stored under that key, and must stay within its limit.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/cursor.h"
#include "base/epoch.h"
#include "base/hash.h"
#include "base/mem.h"
#include "resolver/cache/anscache.h"
#include "resolver/cache/rrcache.h"
#include "tests/fuzz/failing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x) \
	do { \
		if (!(x)) \
			abort(); \
	} while (0)

#define NAMES 8u
#define TYPES 4u
#define KEEP 50u
#define MAX_TTL 100u
#define MAX_NEGATIVE 60u
#define MAX_OPS 4000u

static const struct hash_key hash_key = { { 11, 22 } };
/* Each is its parent's number and a label. */
static const struct {
	const char *wire BORROWED_FIELD;
	uint8_t len, labels, parent;
} names[NAMES] = {
	{ "\0", 1, 0, 0 },
	{ "\1a\0", 3, 1, 0 },
	{ "\1B\1a\0", 5, 2, 1 },
	{ "\1c\1b\1A\0", 7, 3, 2 },
	{ "\1d\1C\1b\1a\0", 9, 4, 3 },
	{ "\2xy\1A\0", 6, 2, 1 },
	{ "\11some-name\1z\0", 13, 2, 7 },
	{ "\1z\0", 3, 1, 0 },
};
static const uint16_t types[TYPES] = { RR_A, RR_MX, RR_CNAME, 4711 };
#define CNAME_INDEX 2u
#define RARE_INDEX 3u /* no common type */

struct cell {
	bool there;
	uint8_t mark, rank, security;
	uint32_t stored, expires, stale_from; /* the last two may differ by do_prolong() */
	uint16_t failures;
};

struct model {
	struct cell cell[BUNDLE_KINDS][NAMES][TYPES]; /* kinds without a type stand at type 0 */
	uint32_t now;
};

struct run {
	struct reader in;
	struct model *model BORROWED_FIELD; /* NULL: the cache is too small for exactness */
	struct rrcache *c OWNED_FIELD;
	struct epoch_member *m OWNED_FIELD;
	struct arena *a OWNED_FIELD;
	uint32_t now;
};

static struct name name_at(unsigned int n)
{
	return (struct name){ (const uint8_t *)names[n].wire, names[n].len, names[n].labels };
}

static bool has_type(unsigned int kind)
{
	return kind == BUNDLE_DATA || kind == BUNDLE_NODATA || kind == BUNDLE_FAILURE;
}

static bool is_under(unsigned int n, unsigned int top)
{
	while (n != top && n != 0)
		n = names[n].parent;
	return n == top;
}

static struct now time_at(uint32_t sec)
{
	return (struct now){ .mono_ns = sec * UINT64_C(1000000000), .wall_sec = sec };
}

static struct bundle_key key_at(unsigned int kind, unsigned int n, unsigned int type)
{
	return (struct bundle_key){ name_at(n), has_type(kind) ? types[type] : 0, CLASS_IN, (uint8_t)kind };
}

/* --- the model */

static struct cell *cell_at(struct model *mo, unsigned int kind, unsigned int n, unsigned int type) BORROWED;
static struct cell *cell_at(struct model *mo, unsigned int kind, unsigned int n, unsigned int type)
{
	return &mo->cell[kind][n][has_type(kind) ? type : 0];
}

static unsigned int rank_of(const struct cell *c, unsigned int kind)
{
	if (kind != BUNDLE_NODATA && kind != BUNDLE_NXDOMAIN)
		return c->rank;
	return c->rank == RANK_LOCAL ? RANK_LOCAL : c->rank >= RANK_AUTHORITY ? RANK_ANSWER_AUTH : RANK_ANSWER_NONAUTH;
}

static bool is_better(const struct model *mo, const struct cell *old, unsigned int old_kind, const struct cell *new, unsigned int kind)
{
	if (!old->there || mo->now >= old->expires)
		return false;
	if (rank_of(old, old_kind) != rank_of(new, kind))
		return rank_of(old, old_kind) > rank_of(new, kind);
	return old->security == SECURITY_SECURE && new->security != SECURITY_SECURE;
}

enum opposite_deed { IS_NONE_BETTER, REMOVE, REMOVE_EXPIRED };

/* For each cell that contradicts: false when one of them is better; or it is taken out. */
static bool opposites(struct model *mo, unsigned int kind, unsigned int n, unsigned int type, const struct cell *new, enum opposite_deed deed)
{
	for (unsigned int k = BUNDLE_DATA; k <= BUNDLE_NXDOMAIN; k++) {
		for (unsigned int t = 0; t < TYPES; t++) {
			struct cell *c = cell_at(mo, k, n, t);
			bool against = false;

			if (kind == BUNDLE_DATA || kind == BUNDLE_NODATA)
				against = (k == BUNDLE_NXDOMAIN && t == 0) ||
				    (t == type && k == (kind == BUNDLE_DATA ? BUNDLE_NODATA : BUNDLE_DATA)) ||
				    (kind == BUNDLE_DATA && type == CNAME_INDEX && k == BUNDLE_NODATA && t != RARE_INDEX);
			else if (kind == BUNDLE_NXDOMAIN)
				against = (k == BUNDLE_DATA || k == BUNDLE_NODATA) && t != RARE_INDEX;
			if (against && (deed == REMOVE || (deed == REMOVE_EXPIRED && mo->now >= c->expires)))
				c->there = false;
			else if (against && deed == IS_NONE_BETTER && is_better(mo, c, k, new, kind))
				return false;
		}
	}
	return true;
}

static enum err model_put(struct model *mo, unsigned int kind, unsigned int n, unsigned int type, struct cell new)
{
	struct cell *c = cell_at(mo, kind, n, type);

	if (new.expires == new.stored) {
		opposites(mo, kind, n, type, &new, REMOVE_EXPIRED);
		c->there = c->there && mo->now < c->expires;
		return ERR_RANGE;
	}
	if (!opposites(mo, kind, n, type, &new, IS_NONE_BETTER) || is_better(mo, c, kind, &new, kind))
		return ERR_EXISTS;
	opposites(mo, kind, n, type, &new, REMOVE);
	*c = new;
	if (kind == BUNDLE_DATA || kind == BUNDLE_NODATA) {
		cell_at(mo, BUNDLE_FAILURE, n, type)->there = false;
		for (unsigned int up = n; up != 0; up = names[up].parent) {
			struct cell *above = cell_at(mo, BUNDLE_NXDOMAIN, names[up].parent, 0);

			if (!is_better(mo, above, BUNDLE_NXDOMAIN, &new, kind))
				above->there = false;
		}
	}
	return ERR_NONE;
}

static const struct cell *model_get(struct model *mo, unsigned int kind, unsigned int n, unsigned int type, bool stale)
{
	const struct cell *c = cell_at(mo, kind, n, type);
	const struct cell *denial = cell_at(mo, BUNDLE_NXDOMAIN, n, 0);

	if (!c->there || (mo->now >= c->expires && (!stale || mo->now - c->stale_from >= KEEP)))
		return NULL;
	if ((kind == BUNDLE_DATA || kind == BUNDLE_NODATA) && type == RARE_INDEX && denial->there && mo->now < denial->expires)
		return NULL;
	return c;
}

/* --- both */

/* Without memory the cache holds less than the model says; what it gives must still be what was put. */
static void expect_less(struct run *r)
{
	if (mem_failed())
		r->model = NULL;
}

/* One record whose octets tell the key and a mark. */
static const struct rrset *make_set(struct run *r, unsigned int kind, unsigned int n, unsigned int type, uint32_t ttl, uint8_t mark, uint8_t rank,
    uint8_t security)
{
	uint8_t octets[4] = { (uint8_t)kind, (uint8_t)n, (uint8_t)type, mark };
	struct span rdata = span_of(octets, 4);
	struct rrset *rs = MINE(rrset_make_in(r->a, name_at(n), 4711, CLASS_IN, ttl, &rdata, 1, 0));

	CHECK(rs != NULL);
	rs->rank = rank;
	rs->security = security;
	return rs;
}

static void check_found(const struct bundle *b, unsigned int kind, unsigned int n, unsigned int type)
{
	struct span d = rrset_rdata(bundle_set(b, 0), 0);

	CHECK(bundle_count(b) == 1 && d.n == 4 && d.p[0] == kind && d.p[1] == n && d.p[2] == (has_type(kind) ? type : 0));
	CHECK(name_equal(bundle_key(b).name, name_at(n)) && bundle_key(b).kind == kind);
	CHECK(bundle_info(b)->expires_sec - bundle_info(b)->stored_sec == bundle_info(b)->ttl);
}

static void do_put(struct run *r, unsigned int kind, unsigned int n, unsigned int type)
{
	uint32_t ttl = read8(&r->in) % 128, most;
	uint8_t mark = read8(&r->in), how = read8(&r->in);
	struct cell new = { true, mark, how % 7 + 1, how / 8 % 5, r->now, 0, 0, 0 };
	struct bundle_key k = key_at(kind, n, type);
	const struct rrset *rs = make_set(r, kind, n, has_type(kind) ? type : 0, ttl, mark, new.rank, new.security);
	struct now now = time_at(r->now);
	struct result got = rrcache_put(r->c, r->m, &k, &rs, 1, ttl, &now);

	expect_less(r);
	most = kind == BUNDLE_NODATA || kind == BUNDLE_NXDOMAIN ? MAX_NEGATIVE : MAX_TTL;
	new.expires = new.stale_from = r->now + (ttl < most ? ttl : most);
	if (r->model != NULL)
		CHECK(got.e == model_put(r->model, kind, n, type, new));
}

static void do_failure(struct run *r, unsigned int n, unsigned int type)
{
	struct bundle_key k = key_at(BUNDLE_FAILURE, n, type);
	struct now now = time_at(r->now);
	struct result got = rrcache_put_failure(r->c, r->m, &k, 2, 22, "why", 5, 40, &now);
	struct cell *c;
	uint16_t before = 0;
	uint32_t lasts = 5;

	expect_less(r);
	if (r->model == NULL)
		return;
	CHECK(OK(got));
	c = cell_at(r->model, BUNDLE_FAILURE, n, type);
	if (c->there && (r->now < c->expires || r->now - c->expires <= c->expires - c->stored))
		before = c->failures;
	for (unsigned int i = 0; i < before && lasts < 40; i++)
		lasts *= 2;
	lasts = r->now + (lasts < 40 ? lasts : 40);
	*c = (struct cell){ true, 0, 0, 0, r->now, lasts, lasts, (uint16_t)(before + 1) };
}

static void do_get(struct run *r, unsigned int kind, unsigned int n, unsigned int type, bool stale)
{
	struct bundle_key k = key_at(kind, n, type);
	struct now now = time_at(r->now);
	const struct bundle *b = rrcache_get(r->c, &k, &now, stale ? RRCACHE_STALE : 0);

	if (b != NULL && kind != BUNDLE_FAILURE)
		check_found(b, kind, n, type);
	if (r->model == NULL)
		return;
	const struct cell *c = model_get(r->model, kind, n, type, stale);
	CHECK((b != NULL) == (c != NULL));
	if (c == NULL)
		return;
	CHECK(bundle_info(b)->expires_sec == c->expires && bundle_info(b)->failures == c->failures);
	if (kind != BUNDLE_FAILURE)
		CHECK(rrset_rdata(bundle_set(b, 0), 0).p[3] == c->mark && bundle_info(b)->security == c->security && bundle_info(b)->rank == c->rank);
}

static void do_security(struct run *r, unsigned int kind, unsigned int n, unsigned int type)
{
	struct bundle_key k = key_at(kind, n, type);
	struct now now = time_at(r->now);
	const struct bundle *b = rrcache_get(r->c, &k, &now, 0);
	uint8_t s = read8(&r->in) % 5, max = read8(&r->in) % 100;

	if (b == NULL || kind == BUNDLE_FAILURE)
		return;
	struct result got = rrcache_set_security(r->c, r->m, b, (enum security)s, max, &now);
	expect_less(r);
	if (r->model == NULL)
		return;
	struct cell *c = cell_at(r->model, kind, n, type);
	CHECK(OK(got));
	c->security = s;
	if (c->expires > r->now + max)
		c->expires = c->stale_from = r->now + max;
}

static void do_prolong(struct run *r, unsigned int kind, unsigned int n, unsigned int type)
{
	struct bundle_key k = key_at(kind, n, type);
	struct now now = time_at(r->now);
	const struct bundle *b = rrcache_get(r->c, &k, &now, RRCACHE_STALE);

	if (b == NULL)
		return;
	struct result got = rrcache_prolong(r->c, r->m, b, &now);
	expect_less(r);
	if (r->model == NULL)
		return;
	struct cell *c = cell_at(r->model, kind, n, type);
	CHECK(OK(got));
	if (c->stale_from < r->now)
		c->stale_from = r->now;
}

static void model_flush(struct model *mo, unsigned int kind, unsigned int n, unsigned int type)
{
	cell_at(mo, kind, n, type)->there = false;
}

static void do_flush(struct run *r, unsigned int how, unsigned int n, unsigned int type)
{
	if (how == 0)
		rrcache_flush_zone(r->c, r->m, name_at(n));
	else if (how == 1)
		rrcache_flush_name(r->c, r->m, name_at(n), 0);
	else if (how == 2)
		rrcache_flush_name(r->c, r->m, name_at(n), types[type]);
	else
		rrcache_flush_class(r->c, r->m, (enum rrcache_class)(how - 3));
	expect_less(r);
	for (unsigned int k = 0; r->model != NULL && k < BUNDLE_KINDS; k++)
		for (unsigned int i = 0; i < NAMES; i++)
			for (unsigned int t = 0; t < TYPES; t++)
				if ((how == 0 && is_under(i, n)) || (how == 1 && i == n) ||
				    (how == 2 && i == n && k != BUNDLE_DELEGATION && (t == type || k == BUNDLE_NXDOMAIN)) ||
				    (how == 3 && k != BUNDLE_FAILURE && cell_at(r->model, k, i, t)->security == SECURITY_BOGUS) ||
				    (how == 4 && (k == BUNDLE_NODATA || k == BUNDLE_NXDOMAIN || k == BUNDLE_FAILURE)) || how == 5)
					model_flush(r->model, k, i, t);
}

static void do_upwards(struct run *r, unsigned int n, unsigned int top)
{
	struct now now = time_at(r->now);
	const struct bundle *d = rrcache_deepest_delegation(r->c, name_at(n), CLASS_IN, &now);
	const struct bundle *x = rrcache_covering_nxdomain(r->c, name_at(n), name_at(top), CLASS_IN, &now);
	unsigned int up;

	if (r->model == NULL)
		return;
	for (up = n; model_get(r->model, BUNDLE_DELEGATION, up, 0, false) == NULL && up != 0; )
		up = names[up].parent;
	CHECK((d != NULL) == (model_get(r->model, BUNDLE_DELEGATION, up, 0, false) != NULL));
	if (d != NULL)
		check_found(d, BUNDLE_DELEGATION, up, 0);
	for (up = n; model_get(r->model, BUNDLE_NXDOMAIN, up, 0, false) == NULL && up != top && up != 0; )
		up = names[up].parent;
	CHECK((x != NULL) == (is_under(n, top) && model_get(r->model, BUNDLE_NXDOMAIN, up, 0, false) != NULL));
	if (x != NULL)
		check_found(x, BUNDLE_NXDOMAIN, up, 0);
}

static struct result count_bundle(void *user, const struct bundle *b)
{
	(void)b;
	(*(uint64_t *)user)++;
	return DONE;
}

static void do_visit(struct run *r)
{
	uint64_t cursor = 0, seen = 0;
	struct result res;

	do
		cursor = rrcache_visit(r->c, cursor, 64, count_bundle, &seen, &res);
	while (cursor != 0);
	CHECK(seen == rrcache_usage(r->c).entries);
}

static void one_op(struct run *r)
{
	uint8_t op = read8(&r->in), which = read8(&r->in);
	unsigned int n = which % NAMES, type = which / NAMES % TYPES, kind = which / (NAMES * TYPES) % BUNDLE_KINDS;

	switch (op % 16) {
	case 0: case 1: case 2: case 3: case 4:
		if (kind != BUNDLE_FAILURE)
			do_put(r, kind, n, type);
		else
			do_failure(r, n, type);
		break;
	case 5: case 6: case 7: case 8:
		do_get(r, kind, n, type, (op & 16) != 0);
		break;
	case 9:
		do_upwards(r, n, (which >> 3) % NAMES);
		break;
	case 10:
		if ((op & 16) != 0)
			do_prolong(r, kind, n, type);
		else
			do_security(r, kind, n, type);
		break;
	case 11:
		do_flush(r, (op >> 4) % 6, n, type);
		break;
	case 12:
		do_visit(r);
		break;
	case 13:
		epoch_quiesce(r->m);
		arena_reset(r->a);
		break;
	default:
		r->now += which % 40;
		if (r->model != NULL)
			r->model->now = r->now;
		break;
	}
}

static void run_rrcache(struct span input, struct model *model, size_t octets)
{
	struct rrcache_limits l = { .octets = octets, .max_ttl = MAX_TTL, .max_negative_ttl = MAX_NEGATIVE, .keep_expired_sec = KEEP, .max_flushes = 5 };
	struct epoch *e = MINE(epoch_new());
	struct run r = { .in = reader_of(input), .model = model, .c = MINE(rrcache_new(&l, &hash_key)), .m = MINE(epoch_join(e)), .a = MINE(arena_new(0)), .now = 1 };

	CHECK(r.c != NULL && r.m != NULL && r.a != NULL);
	epoch_online(r.m);
	for (unsigned int i = 0; i < MAX_OPS && !reader_end(&r.in); i++)
		one_op(&r);
	epoch_quiesce(r.m);
	CHECK(rrcache_usage(r.c).octets <= octets);
	rrcache_free(r.c);
	epoch_leave(r.m);
	epoch_free(e);
	arena_free(r.a);
}

/* --- answers */

static struct ans_entry *answer(const struct anscache *c, const struct ans_key *k, uint8_t mark) OWNED_BY(ans_entry_free);
static struct ans_entry *answer(const struct anscache *c, const struct ans_key *k, uint8_t mark)
{
	struct ans_entry *e = MINE(ans_entry_new(0, 12 + k->name.len + 4 + mark, 0));
	uint8_t *p;

	CHECK(e != NULL);
	p = (uint8_t *)(e + 1);
	octets_lower(p + 12, k->name.wire, k->name.len);
	store16(p + 12 + k->name.len, k->type);
	store16(p + 14 + k->name.len, k->rclass);
	e->question_end = (uint16_t)(16 + k->name.len);
	e->variant = k->variant;
	e->stamp = mark;
	e->hash = anscache_hash(c, k);
	return e;
}

static bool has_mark(void *user, const struct ans_entry *e)
{
	return e->stamp == *(uint8_t *)user;
}

static void run_anscache(struct span input, size_t octets, bool exact)
{
	uint16_t model[NAMES][TYPES] = { { 0 } }; /* mark + 1 */
	struct anscache *c = MINE(anscache_new(octets, &hash_key));
	struct epoch *e = MINE(epoch_new());
	struct epoch_member *m = MINE(epoch_join(e));
	struct reader in = reader_of(input);

	CHECK(c != NULL && m != NULL);
	epoch_online(m);
	for (unsigned int i = 0; i < MAX_OPS && !reader_end(&in); i++) {
		uint8_t op = read8(&in), which = read8(&in), mark = read8(&in);
		unsigned int n = which % NAMES, t = which / NAMES % TYPES;
		struct ans_key k = { name_at(n), types[t], CLASS_IN, which / 64 };
		uint16_t *cell = &model[n][t];
		const struct ans_entry *found;

		k.variant = 0;
		if (op % 8 < 3) {
			anscache_put(c, m, answer(c, &k, mark));
			*cell = mark + 1;
		} else if (op % 8 == 3 && op >= 128) {
			anscache_flush(c, m, has_mark, &mark);
			for (unsigned int j = 0; j < NAMES * TYPES; j++)
				if (model[j / TYPES][j % TYPES] == mark + 1)
					model[j / TYPES][j % TYPES] = 0;
		} else if (op % 8 == 4) {
			epoch_quiesce(m);
		}
		found = anscache_get(c, &k, anscache_hash(c, &k));
		CHECK(found == NULL || found->stamp + 1 == *cell);
		CHECK(!exact || mem_failed() || (found != NULL) == (*cell != 0));
		if (found != NULL && op % 8 == 7) {
			anscache_drop(c, m, found);
			*cell = 0;
		}
	}
	anscache_free(c);
	epoch_leave(m);
	epoch_free(e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct model *model = MINE(mem_alloc(sizeof(*model)));
	struct span input = span_of(data, size);

	CHECK(model != NULL);
	model->now = 1;
	run_rrcache(input, model, 4 << 20);
	run_rrcache(input, NULL, 6000);
	run_anscache(input, 4 << 20, true);
	run_anscache(input, 6000, false);
	mem_free(model);
	return 0;
}
