#include "cache_unit.h"

#include "resolver/cache/keycache.h"
#include "resolver/cache/rrcache.h"

static struct trust *trust(struct turn *t, enum trust_state s, const char *zone, uint32_t ttl) OWNED_BY(trust_unref);
static struct trust *trust(struct turn *t, enum trust_state s, const char *zone, uint32_t ttl)
{
	uint8_t ds[36] = { 0, 1, 13, 2 };
	const struct rrset *rs = s == TRUST_DS ? make_set(t, zone, RR_DS, ttl, span_of(ds, sizeof ds), RANK_AUTHORITY, SECURITY_SECURE) : NULL;
	struct trust *made = trust_new(s, nm(t, zone), ttl, NULL, rs, 0, s == TRUST_INSECURE ? "why" : NULL);

	assert_non_null(made);
	return made;
}

static void put(struct turn *t, struct keycache *c, enum trust_state s, const char *zone, uint32_t ttl, uint32_t at)
{
	struct now now = at_sec(at);

	keycache_put(c, t->m, trust(t, s, zone, ttl), 3600, &now);
}

static int state_of(struct turn *t, struct keycache *c, const char *zone, uint32_t at)
{
	struct now now = at_sec(at);
	const struct trust *got = keycache_get(c, nm(t, zone), &now);

	if (got == NULL)
		return -1;
	assert_true(name_equal(name_of(&got->zone), nm(t, zone)));
	return (int)got->state;
}

static struct cache_usage usage(struct keycache *c)
{
	struct cache_usage u;

	keycache_usage(c, &u);
	return u;
}

static struct keycache *cache(size_t octets) OWNED_BY(keycache_free);
static struct keycache *cache(size_t octets)
{
	struct keycache *c = keycache_new(octets, &test_key);

	assert_non_null(c);
	return c;
}

static void what_was_put_is_there_for_its_ttl_within_bounds(void **state)
{
	struct turn t = turn_begin();
	struct keycache *c = cache(1 << 20);

	(void)state;
	put(&t, c, TRUST_KEYS, "Example.COM.", 100, 1000);
	put(&t, c, TRUST_NO_CUT, "short.example.com.", 0, 1000);
	put(&t, c, TRUST_INSECURE, "long.example.com.", 86400, 1000);
	assert_int_equal(state_of(&t, c, "example.com.", 1099), TRUST_KEYS);
	assert_int_equal(state_of(&t, c, "example.com.", 1100), -1);
	assert_int_equal(state_of(&t, c, "com.", 1000), -1);
	assert_int_equal(state_of(&t, c, "SHORT.example.com.", 1000 + KEYCACHE_MIN_TTL - 1), TRUST_NO_CUT);
	assert_int_equal(state_of(&t, c, "short.example.com.", 1000 + KEYCACHE_MIN_TTL), -1);
	assert_int_equal(state_of(&t, c, "long.example.com.", 1000 + 3599), TRUST_INSECURE);
	assert_int_equal(state_of(&t, c, "long.example.com.", 1000 + 3600), -1);
	assert_int_equal(usage(c).entries, 3);
	assert_int_equal(usage(c).hits, 3);
	assert_int_equal(usage(c).misses, 4);
	keycache_free(c);
	turn_end(&t);
}

static void ds_does_not_replace_keys_that_last_as_long(void **state)
{
	struct turn t = turn_begin();
	struct keycache *c = cache(1 << 20);

	(void)state;
	put(&t, c, TRUST_DS, "a.test.", 100, 1000);
	put(&t, c, TRUST_KEYS, "a.test.", 100, 1000);
	put(&t, c, TRUST_DS, "a.test.", 100, 1000);
	assert_int_equal(state_of(&t, c, "a.test.", 1050), TRUST_KEYS);
	put(&t, c, TRUST_DS, "a.test.", 101, 1000);
	assert_int_equal(state_of(&t, c, "a.test.", 1050), TRUST_DS);
	put(&t, c, TRUST_KEYS, "a.test.", 60, 1000); /* keys do, whatever their life */
	assert_int_equal(state_of(&t, c, "a.test.", 1050), TRUST_KEYS);
	put(&t, c, TRUST_INSECURE, "a.test.", 10, 1000);
	assert_int_equal(state_of(&t, c, "a.test.", 1005), TRUST_INSECURE);
	put(&t, c, TRUST_KEYS, "b.test.", 100, 1000);
	put(&t, c, TRUST_DS, "b.test.", 10, 1100); /* the keys have expired */
	assert_int_equal(state_of(&t, c, "b.test.", 1105), TRUST_DS);
	assert_int_equal(usage(c).entries, 2);
	keycache_free(c);
	turn_end(&t);
}

static void a_flush_takes_a_subtree(void **state)
{
	struct turn t = turn_begin();
	struct keycache *c = cache(1 << 20);

	(void)state;
	put(&t, c, TRUST_KEYS, ".", 100, 1000);
	put(&t, c, TRUST_KEYS, "test.", 100, 1000);
	put(&t, c, TRUST_KEYS, "a.test.", 100, 1000);
	put(&t, c, TRUST_KEYS, "atest.", 100, 1000);
	assert_int_equal(keycache_flush(c, t.m, nm(&t, "Test.")), 2);
	assert_int_equal(state_of(&t, c, "test.", 1000), -1);
	assert_int_equal(state_of(&t, c, "atest.", 1000), TRUST_KEYS);
	assert_int_equal(keycache_flush(c, t.m, name_root), 2);
	assert_int_equal(usage(c).entries, 0);
	keycache_free(c);
	turn_end(&t);
}

static void what_says_no_can_be_flushed_alone(void **state)
{
	struct turn t = turn_begin();
	struct keycache *c = cache(1 << 20);

	(void)state;
	put(&t, c, TRUST_KEYS, "keys.test.", 100, 1000);
	put(&t, c, TRUST_DS, "ds.test.", 100, 1000);
	put(&t, c, TRUST_NONE, "none.test.", 100, 1000);
	put(&t, c, TRUST_INSECURE, "insecure.test.", 100, 1000);
	put(&t, c, TRUST_NO_CUT, "cut.test.", 100, 1000);
	put(&t, c, TRUST_NO_NAME, "name.test.", 100, 1000);
	assert_int_equal(keycache_flush_negative(c, t.m), 3);
	assert_int_equal(state_of(&t, c, "keys.test.", 1000), TRUST_KEYS);
	assert_int_equal(state_of(&t, c, "insecure.test.", 1000), -1);
	keycache_free(c);
	turn_end(&t);
}

/* What somebody holds stays when the cache lets go of it; what nobody holds is freed: turn_end() counts. */
static void references_are_given_back_after_the_turn(void **state)
{
	struct turn t = turn_begin();
	struct keycache *c = cache(1 << 20);
	AUTO(trust_unref) struct trust *mine = trust(&t, TRUST_DS, "test.", 100);
	struct now now = at_sec(1000);

	(void)state;
	keycache_put(c, t.m, trust_ref(mine), 3600, &now);
	assert_int_equal(atomic_load(&mine->refs), 2);
	put(&t, c, TRUST_DS, "test.", 200, 1000);
	assert_int_equal(atomic_load(&mine->refs), 2); /* a reader of this turn may still look at it */
	epoch_quiesce(t.m);
	epoch_offline(t.m);
	epoch_online(t.m);
	epoch_quiesce(t.m);
	assert_int_equal(atomic_load(&mine->refs), 1);
	assert_int_equal(mine->ds->type, RR_DS);
	trust_unref(MOVE(mine));
	keycache_free(c);
	turn_end(&t);
}

static void it_stays_within_its_limit(void **state)
{
	struct turn t = turn_begin();
	struct keycache *c = cache(100000);
	char zone[32];

	(void)state;
	for (unsigned int i = 0; i < 3000; i++) {
		(void)snprintf(zone, sizeof zone, "z%u.test.", i);
		put(&t, c, TRUST_DS, zone, 100, 1000);
		epoch_quiesce(t.m);
		assert_true(usage(c).octets <= 100000);
		if (i % 64 == 0)
			arena_reset(t.a);
	}
	assert_true(usage(c).entries > 50 && usage(c).evicted > 1000);
	keycache_set_limit(c, 0);
	put(&t, c, TRUST_DS, "last.test.", 100, 1000);
	assert_int_equal(state_of(&t, c, "last.test.", 1000), -1);
	keycache_free(c);
	turn_end(&t);
}

static void without_memory_nothing_leaks(void **state)
{
	struct turn t = turn_begin();
	struct now now = at_sec(1000);

	(void)state;
	for (unsigned int i = 1; i < 12; i++) {
		struct trust *x = trust(&t, TRUST_DS, "test.", 100);
		struct keycache *c;

		mem_fail_at(i, true);
		c = keycache_new(1 << 20, &test_key);
		if (c != NULL)
			keycache_put(c, t.m, x, 3600, &now);
		else
			trust_unref(x);
		mem_fail_at(0, false);
		keycache_free(c);
	}
	turn_end(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_put_is_there_for_its_ttl_within_bounds),
		cmocka_unit_test(ds_does_not_replace_keys_that_last_as_long),
		cmocka_unit_test(a_flush_takes_a_subtree),
		cmocka_unit_test(what_says_no_can_be_flushed_alone),
		cmocka_unit_test(references_are_given_back_after_the_turn),
		cmocka_unit_test(it_stays_within_its_limit),
		cmocka_unit_test(without_memory_nothing_leaks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
