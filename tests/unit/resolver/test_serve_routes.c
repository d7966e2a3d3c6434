/* answer-policy: what is done with addresses in answers whose routes are invalid, and with stored answers when routes change. */
#include "tests/unit/resolver/serve_world.h"

static size_t look_at_routes(bool vrps, bool taken)
{
	AUTO(route_view_unref) struct route_view *v = route_world_view(vrps, taken);
	uint32_t bits = watched_look(world.watched, v, WATCHED_INVALID);

	return flush_moved(bits);
}

static void an_answer_with_an_invalid_route_is_blocked(void **state)
{
	size_t i;

	(void)state;
	serve_world_start(BLOCK);
	route_world_put(world.board, true, true);
	i = answered_by_address("honest.net", "192.0.2.1");
	assert_int_equal(sent_answers(i), 1);
	assert_true((sent_flags(i) & MSG_AD) != 0);
	i = answered_by_address("taken.net", "198.51.100.7");
	assert_int_equal(sent_answers(i), 0);
	assert_int_equal(sent_flags(i) & 15, RCODE_NOERROR);
	assert_int_equal(sent_flags(i) & MSG_AD, 0);
	assert_true(says(i, "198.51.100.7: route invalid origin, 198.51.100.0/24 by AS64511, VRP 198.51.100.0/24-24 AS64496"));
	assert_int_equal(stats_get(&world.stats, COUNT_ROUTE_ANSWERS_BLOCKED), 1);
	/* From the cache, and not judged again. */
	receive(question("taken.net", RR_A, 2, MSG_RD, 1232, (struct span){ NULL, 0 }), 1);
	assert_int_equal(asked_count, 2);
	assert_int_equal(sent_answers(sent_count - 1), 0);
	assert_true(says(sent_count - 1, "198.51.100.7: route invalid"));
	assert_int_equal(stats_get(&world.stats, COUNT_ROUTE_ANSWERS_BLOCKED), 1);
	/* An address of IPv6 that is one of IPv4. */
	i = answered_by_address("mapped.net", "::ffff:198.51.100.7");
	assert_int_equal(sent_answers(i), 0);
	serve_world_end();
}

static void a_stored_answer_is_judged_again_when_a_verdict_of_its_own_moves(void **state)
{
	(void)state;
	serve_world_start(BLOCK);
	(void)answered_by_address("first.net", "198.51.100.7"); /* nothing is known of routes yet */
	(void)answered_by_address("other.net", "192.0.2.1");
	route_world_put(world.board, true, false);
	assert_int_equal(look_at_routes(true, false), 0);
	route_world_put(world.board, true, true);
	assert_int_equal(look_at_routes(true, true), 1);
	receive(question("other.net", RR_A, 2, MSG_RD, 1232, (struct span){ NULL, 0 }), 1);
	assert_int_equal(asked_count, 2); /* that one stayed */
	assert_int_equal(sent_answers(answered_by_address("first.net", "198.51.100.7")), 0);
	route_world_put(world.board, true, false);
	assert_int_equal(look_at_routes(true, false), 1); /* the blocked one is taken out, too */
	assert_int_equal(sent_answers(answered_by_address("first.net", "198.51.100.7")), 1);
	/* Without VRPs nothing is invalid. */
	route_world_put(world.board, true, true);
	assert_int_equal(look_at_routes(true, true), 1);
	(void)answered_by_address("first.net", "198.51.100.7");
	route_world_put(world.board, false, true);
	assert_int_equal(look_at_routes(false, true), 1);
	assert_int_equal(sent_answers(answered_by_address("first.net", "198.51.100.7")), 1);
	serve_world_end();
}

static void what_was_judged_while_routes_changed_is_not_kept(void **state)
{
	struct answer_route judged = { .mask = 1 };
	struct ans_key k = { .type = RR_A, .rclass = CLASS_IN };
	uint64_t hash;

	(void)state;
	serve_world_start(BLOCK);
	route_world_put(world.board, true, false);
	(void)answered_by_address("honest.net", "192.0.2.1");
	k.name = asked[0].r.q.name;
	hash = anscache_hash(world.anscache, &k);
	judged.number = route_board_number(world.board);
	answer_route_stored(world.serve, &k, hash, &judged);
	assert_non_null(anscache_get(world.anscache, &k, hash));
	route_world_put(world.board, true, true);
	answer_route_stored(world.serve, &k, hash, &judged);
	assert_null(anscache_get(world.anscache, &k, hash));
	serve_world_end();
}

static void the_dry_run_counts_and_blocks_nothing(void **state)
{
	size_t i;

	(void)state;
	serve_world_start("route-validation:\n answer-policy: log\n");
	route_world_put(world.board, true, true);
	i = answered_by_address("taken.net", "198.51.100.7");
	assert_int_equal(sent_answers(i), 1);
	assert_true((sent_flags(i) & MSG_AD) != 0);
	assert_int_equal(stats_get(&world.stats, COUNT_ROUTE_ANSWERS_LOGGED), 1);
	assert_int_equal(stats_get(&world.stats, COUNT_ROUTE_ANSWERS_BLOCKED), 0);
	serve_world_end();
	serve_world_start("");
	route_world_put(world.board, true, true);
	assert_int_equal(sent_answers(answered_by_address("taken.net", "198.51.100.7")), 1);
	assert_int_equal(watched_count(world.watched), 0);
	assert_int_equal(stats_get(&world.stats, COUNT_ROUTE_ANSWERS_LOGGED), 0);
	serve_world_end();
}

static void hints_count_and_what_comes_along_is_left_out(void **state)
{
	static const uint8_t good_hints[] = { 0, 1, 0, 0, 4, 0, 4, 192, 0, 2, 1 };
	static const uint8_t bad_hints[] = { 0, 1, 3, 'w', 'w', 'w', 0, 0, 1, 0, 3, 2, 'h', '2', 0, 4, 0, 8, 192, 0, 2, 1, 198, 51, 100, 7 };
	static const uint8_t bad_6[] = { 0, 1, 0, 0, 6, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 198, 51, 100, 7 };
	static const uint8_t bad[] = { 198, 51, 100, 7 }, mx[] = { 0, 10, 4, 'm', 'a', 'i', 'l', 3, 'n', 'e', 't', 0 };
	const struct rrset *sets[2];
	size_t i;

	(void)state;
	serve_world_start("server:\n minimal-responses: no\n" BLOCK);
	route_world_put(world.board, true, true);
	sets[0] = set_of("a.net", RR_HTTPS, good_hints, sizeof good_hints);
	assert_int_equal(sent_answers(answered_with("a.net", RR_HTTPS, sets, 1, 0)), 1);
	sets[0] = set_of("b.net", RR_HTTPS, bad_hints, sizeof bad_hints);
	i = answered_with("b.net", RR_HTTPS, sets, 1, 0);
	assert_int_equal(sent_answers(i), 0);
	assert_true(says(i, "198.51.100.7: route invalid"));
	sets[0] = set_of("c.net", RR_SVCB, bad_6, sizeof bad_6);
	assert_int_equal(sent_answers(answered_with("c.net", RR_SVCB, sets, 1, 0)), 0);
	sets[0] = set_of("d.net", RR_MX, mx, sizeof mx);
	sets[1] = set_of("mail.net", RR_A, bad, sizeof bad);
	i = answered_with("d.net", RR_MX, sets, 2, 1);
	assert_int_equal(sent_answers(i), 1);
	assert_int_equal(load16(sent[i].b + 10), 1); /* OPT alone */
	assert_false(says(i, "route invalid"));
	assert_int_equal(stats_get(&world.stats, COUNT_ROUTE_ANSWERS_BLOCKED), 2);
	serve_world_end();
}

static void failures_stay_failures(void **state)
{
	struct answer a = { .rcode = RCODE_SERVFAIL, .bogus = true, .ede = { { EDE_BOGUS, NULL } }, .ede_count = 1 };

	(void)state;
	serve_world_start(BLOCK);
	route_world_put(world.board, true, true);
	ask("bogus.net", 1, 1);
	a.q = asked[0].r.q;
	tell(0, &a);
	assert_int_equal(sent_flags(0) & 15, RCODE_SERVFAIL);
	assert_int_equal(stats_get(&world.stats, COUNT_ROUTE_ANSWERS_BLOCKED), 0);
	serve_world_end();
}

static void local_data_are_judged_like_others(void **state)
{
	(void)state;
	serve_world_start("server:\n local-data: \"taken.local A 198.51.100.7\"\n local-data: \"honest.local A 192.0.2.1\"\n" BLOCK);
	route_world_put(world.board, true, true);
	receive(question("taken.local", RR_A, 1, MSG_RD, 1232, (struct span){ NULL, 0 }), 1);
	receive(question("honest.local", RR_A, 2, MSG_RD, 1232, (struct span){ NULL, 0 }), 1);
	assert_int_equal(sent_count, 2);
	assert_int_equal(sent_answers(0), 0);
	assert_true(says(0, "198.51.100.7: route invalid"));
	assert_int_equal(sent_answers(1), 1);
	serve_world_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_with_an_invalid_route_is_blocked),
		cmocka_unit_test(a_stored_answer_is_judged_again_when_a_verdict_of_its_own_moves),
		cmocka_unit_test(what_was_judged_while_routes_changed_is_not_kept),
		cmocka_unit_test(the_dry_run_counts_and_blocks_nothing),
		cmocka_unit_test(hints_count_and_what_comes_along_is_left_out),
		cmocka_unit_test(failures_stay_failures),
		cmocka_unit_test(local_data_are_judged_like_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
