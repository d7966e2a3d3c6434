/* cache_unit.h: what the tests of resolver/cache share: a thread's place in an epoch, names, RRsets and time. */
#ifndef TESTS_UNIT_RESOLVER_CACHE_UNIT_H
#define TESTS_UNIT_RESOLVER_CACHE_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/epoch.h"
#include "base/hash.h"
#include "base/mem.h"
#include "dns/rrset.h"

static const struct hash_key test_key = { { 0x0706050403020100u, 0x0f0e0d0c0b0a0908u } };

struct turn {
	struct epoch *e;
	struct epoch_member *m;
	struct arena *a;
	struct mem_usage before;
};

static inline struct turn turn_begin(void)
{
	struct turn t = { .before = mem_usage() };

	t.e = epoch_new();
	assert_non_null(t.e);
	t.m = epoch_join(t.e);
	assert_non_null(t.m);
	t.a = arena_new(0);
	assert_non_null(t.a);
	epoch_online(t.m);
	return t;
}

/* Nothing may be left of what was made since turn_begin(). */
static inline void turn_end(struct turn *t)
{
	epoch_leave(t->m);
	epoch_free(t->e);
	arena_free(t->a);
	assert_int_equal(mem_usage().objects, t->before.objects);
}

static inline struct now at_sec(uint32_t sec)
{
	return (struct now){ .mono_ns = sec * UINT64_C(1000000000), .wall_sec = INT64_C(1700000000) + sec };
}

static inline struct now at_ms(uint64_t ms)
{
	return (struct now){ .mono_ns = ms * 1000000u, .wall_sec = INT64_C(1700000000) + (int64_t)(ms / 1000) };
}

static inline struct name nm(struct turn *t, const char *text)
{
	struct name_buf b;
	struct name n;

	assert_true(OK(name_from_text(text, NULL, &b)));
	n = name_dup_in(t->a, name_of(&b));
	assert_non_null(n.wire);
	return n;
}

static inline const struct rrset *make_set(struct turn *t, const char *owner, uint16_t type, uint32_t ttl, struct span rdata, enum rank rank,
    enum security s)
{
	struct rrset *rs = rrset_make_in(t->a, nm(t, owner), type, CLASS_IN, ttl, &rdata, 1, 0);

	assert_non_null(rs);
	rs->rank = (uint8_t)rank;
	rs->security = (uint8_t)s;
	return rs;
}

/* One address record; the last octet tells sets apart. */
static inline const struct rrset *a_set(struct turn *t, const char *owner, uint32_t ttl, uint8_t last, enum rank rank, enum security s)
{
	uint8_t *rdata = arena_dup(t->a, (const uint8_t[]){ 192, 0, 2, last }, 4);

	return make_set(t, owner, RR_A, ttl, span_of(rdata, 4), rank, s);
}

static inline const struct rrset *ns_set(struct turn *t, const char *owner, const char *target, uint32_t ttl)
{
	struct name n = nm(t, target);

	return make_set(t, owner, RR_NS, ttl, span_of(n.wire, n.len), RANK_DELEGATION, SECURITY_UNCHECKED);
}

static inline const struct rrset *soa_set(struct turn *t, const char *owner, uint32_t ttl, enum rank rank, enum security s)
{
	uint8_t *rdata = arena_alloc(t->a, 22); /* two root names, five numbers */

	return make_set(t, owner, RR_SOA, ttl, span_of(rdata, 22), rank, s);
}

#endif
