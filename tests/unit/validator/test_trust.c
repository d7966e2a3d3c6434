#include "tests/unit/validator/validator_test.h"

#include "validator/trust.h"

static void references_are_counted(void **state)
{
	struct name_buf zone = nb("Example.COM.");
	struct trust *t = trust_new(TRUST_NO_CUT, name_of(&zone), 60, NULL, NULL, 0, NULL), *again;
	char text[NAME_TEXT];

	(void)state;
	assert_non_null(t);
	assert_string_equal(name_to_text(name_of(&t->zone), text), "example.com."); /* as keys of caches want it */
	again = trust_ref(t);
	assert_ptr_equal(t, again);
	trust_unref(t);
	assert_int_equal(again->state, TRUST_NO_CUT); /* still there */
	trust_unref(again);
	trust_unref(NULL);
}

static void what_it_holds_is_its_own(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct rrset *ds = signed_set(a, "example.net.", RR_DS, 3600, TEXTS(DS_RFC6605_13), NULL);
	AUTO(trust_unref) struct trust *t = trust_new(TRUST_DS, rrset_name(ds), 60, NULL, ds, 0, "why");

	(void)state;
	assert_non_null(t);
	assert_ptr_not_equal(t->ds, ds);
	assert_int_equal(t->ds->ttl, 60); /* what is left of its signature */
	assert_string_equal(t->text, "why");
	assert_true(trust_octets(t) > sizeof *t + ds->octets);
}

static struct keyset *keys_of(struct arena *a)
{
	struct rrset *set = signed_set(a, "example.net.", RR_DNSKEY, 3600, TEXTS(KEY_RFC6605_13, KEY_RFC8080_15), NULL);
	struct key_limits limits = KEY_LIMITS;
	struct work work = { 100000 };
	struct keyset *ks = NULL;

	assert_ok(keyset_make(set, NULL, &limits, &work, &ks));
	return ks;
}

static void keys_go_along(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct name_buf zone = nb("example.net.");
	AUTO(trust_unref) struct trust *t = trust_new(TRUST_KEYS, name_of(&zone), 60, keys_of(a), NULL, 0, NULL);

	(void)state;
	assert_int_equal(keyset_count(t->keys), 2);
	assert_true(trust_octets(t) > 2000);
}

static struct arena *oom_arena;
static bool attempt(void)
{
	struct rrset *ds;
	struct keyset *ks;
	struct trust *t;

	mem_fail_hold(true);
	ds = signed_set(oom_arena, "example.net.", RR_DS, 3600, TEXTS(DS_RFC6605_13), NULL);
	ks = keys_of(oom_arena);
	mem_fail_hold(false);
	t = trust_new(TRUST_KEYS, rrset_name(ds), 60, ks, ds, 1, "text");
	mem_fail_hold(true);
	arena_reset(oom_arena);
	mem_fail_hold(false);
	if (t == NULL)
		return false;
	trust_unref(t);
	return true;
}

/* It takes the keys on every path. */
static void nothing_is_lost_without_memory(void **state)
{
	(void)state;
	oom_arena = arena_new(0);
	(void)attempt();
	assert_int_equal(for_each_failing_allocation(attempt), 3);
	arena_free(MOVE(oom_arena));
}

static void states_have_words(void **state)
{
	(void)state;
	for (int s = TRUST_NONE; s <= TRUST_KEYS; s++)
		assert_string_not_equal(trust_state_text((enum trust_state)s), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(references_are_counted),
		cmocka_unit_test(what_it_holds_is_its_own),
		cmocka_unit_test(keys_go_along),
		cmocka_unit_test(nothing_is_lost_without_memory),
		cmocka_unit_test(states_have_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
