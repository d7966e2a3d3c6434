/* Addresses in answers: which of them moved when routes did, and what happens when there are too many, or no memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "resolver/core/route.h"
#include "resolver/serve/watched.h"
#include "tests/unit/resolver/route_world.h"

static const struct hash_key key = { { 1, 2 } };
static const struct route_facts good = { VERDICT_VALID, 64496, false }, bad = { VERDICT_INVALID_ORIGIN, 64511, false };

static void only_what_moved_is_told(void **state)
{
	AUTO(route_view_unref) struct route_view *honest = route_world_view(true, false), *taken = route_world_view(true, true);
	AUTO(watched_free) struct watched *w = watched_new(1000, &key);
	struct addr stays = route_world_addr("192.0.2.1"), moves = route_world_addr("198.51.100.1");
	uint32_t bit;
	bool full;

	(void)state;
	(void)watched_note(w, &stays, &good, &full);
	bit = watched_note(w, &moves, &good, &full);
	assert_false(full);
	assert_int_equal(watched_count(w), 2);
	assert_int_equal(watched_look(w, honest, WATCHED_INVALID), 0);
	assert_int_equal(watched_look(w, taken, WATCHED_INVALID), bit);
	assert_int_equal(watched_look(w, taken, WATCHED_INVALID), 0);
	assert_int_equal(watched_note(w, &moves, &bad, &full), bit);
	assert_int_equal(watched_look(w, honest, WATCHED_INVALID), bit);
	/* A worker with the newer view came before the look: the look must tell all the same, for answers of before. */
	assert_int_equal(watched_note(w, &moves, &bad, &full), bit);
	assert_int_equal(watched_look(w, taken, WATCHED_INVALID), bit);
	assert_int_equal(watched_count(w), 2);
}

static void an_origin_moves_only_who_goes_by_it(void **state)
{
	AUTO(route_view_unref) struct route_view *honest = route_world_view(true, false), *blind = route_world_view(false, false), *taken = route_world_view(false, true);
	AUTO(watched_free) struct watched *w = watched_new(1000, &key);
	struct addr a = route_world_addr("198.51.100.1");
	uint32_t bit;
	bool full;

	(void)state;
	bit = watched_note(w, &a, &good, &full);
	assert_int_equal(watched_look(w, honest, WATCHED_FACTS), 0);
	assert_int_equal(watched_look(w, blind, WATCHED_INVALID), 0); /* valid, then unknown */
	assert_int_equal(watched_look(w, honest, WATCHED_FACTS), bit); /* it was noted all the same */
	assert_int_equal(watched_look(w, blind, WATCHED_FACTS), bit);
	assert_int_equal(watched_look(w, taken, WATCHED_FACTS), bit); /* unknown as before, but of another origin */
	assert_int_equal(watched_look(w, taken, WATCHED_FACTS), 0);
	assert_int_equal(watched_look(w, blind, WATCHED_INVALID), 0);
}

static void many_are_found_again(void **state)
{
	AUTO(route_view_unref) struct route_view *taken = route_world_view(true, true);
	AUTO(watched_free) struct watched *w = watched_new(100000, &key);
	uint32_t bits[3000], all = 0;
	bool full;

	(void)state;
	for (unsigned int i = 0; i < 3000; i++) {
		struct addr a = { .family = ADDR_V6, .b = { 0x20, 1, 0xd, 0xb8, (uint8_t)(i >> 8), (uint8_t)i } };

		bits[i] = watched_note(w, &a, &bad, &full);
		assert_false(full);
		all |= bits[i];
	}
	assert_int_equal(watched_count(w), 3000);
	assert_int_equal(all, UINT32_MAX); /* the bits are used evenly */
	for (unsigned int i = 0; i < 3000; i++) {
		struct addr a = { .family = ADDR_V6, .b = { 0x20, 1, 0xd, 0xb8, (uint8_t)(i >> 8), (uint8_t)i } };

		assert_int_equal(watched_note(w, &a, &bad, &full), bits[i]);
	}
	assert_int_equal(watched_count(w), 3000);
	assert_int_equal(watched_look(w, taken, WATCHED_INVALID), UINT32_MAX); /* none of them is */
	assert_int_equal(watched_look(w, taken, WATCHED_INVALID), 0);
}

static void too_many_are_forgotten_and_all_is_judged_again(void **state)
{
	AUTO(route_view_unref) struct route_view *honest = route_world_view(true, false);
	AUTO(watched_free) struct watched *w = watched_new(4, &key);
	struct addr a = route_world_addr("192.0.2.1");
	bool full = false;

	(void)state;
	for (uint8_t i = 0; i < 4; i++) {
		a.b[3] = i;
		(void)watched_note(w, &a, &good, &full);
		assert_false(full);
	}
	a.b[3] = 9;
	assert_true(watched_note(w, &a, &good, &full) != 0);
	assert_true(full);
	assert_int_equal(watched_count(w), 0);
	assert_int_equal(watched_look(w, honest, WATCHED_INVALID), UINT32_MAX);
	assert_int_equal(watched_look(w, honest, WATCHED_INVALID), 0);
	(void)watched_note(w, &a, &good, &full);
	assert_int_equal(watched_count(w), 1);
	watched_set_max(w, 0);
	assert_int_equal(watched_look(w, honest, WATCHED_INVALID), UINT32_MAX);
}

static void without_memory_it_is_as_if_full(void **state)
{
	AUTO(route_view_unref) struct route_view *honest = route_world_view(true, false);
	AUTO(watched_free) struct watched *w = watched_new(4, &key);
	struct addr a = route_world_addr("192.0.2.1");
	bool full = false;

	(void)state;
	mem_fail_at(1, false);
	(void)watched_note(w, &a, &good, &full);
	mem_fail_at(0, false);
	assert_true(full);
	assert_int_equal(watched_look(w, honest, WATCHED_INVALID), UINT32_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_moved_is_told),
		cmocka_unit_test(an_origin_moves_only_who_goes_by_it),
		cmocka_unit_test(many_are_found_again),
		cmocka_unit_test(too_many_are_forgotten_and_all_is_judged_again),
		cmocka_unit_test(without_memory_it_is_as_if_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
