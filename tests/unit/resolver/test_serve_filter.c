/* filter: in the serving side: who is not asked, what is kept, and what comes first. */
#include "tests/unit/resolver/serve_world.h"

static void filter_by(const char *rules, enum filter_told told, uint32_t ttl)
{
	static const struct filter_limits limits = { .rules = 100 };
	static const struct hash_key key = { { 5, 6 } };
	struct filter_builder *b = filter_builder_new(&limits, &key, NULL, NULL);
	struct filter_options o = { told, ttl, false };
	struct filter *f = NULL;

	assert_true(OK(filter_add_text(b, "rules", span_text(rules))));
	assert_true(OK(filter_build(b, &f)));
	filter_board_put(world.filters, filter_sheet_new(f, &o));
	world.stamp++;
}

static void a_blocked_question_costs_nobody_anything(void **state)
{
	(void)state;
	serve_world_start(" prefetch: yes\n");
	filter_by("||ads.net^\n", FILTER_TOLD_NULL, 60);
	for (uint16_t i = 1; i <= 3; i++) {
		receive(question("x.ads.net", RR_A, i, MSG_RD | MSG_AD, 1232, (struct span){ NULL, 0 }), 1);
		assert_int_equal(sent_count, i);
		assert_int_equal(load16(sent[i - 1].b), i);
		assert_int_equal(sent_answers(i - 1), 1);
		assert_int_equal(sent_flags(i - 1) & (MSG_AD | 15), 0);
		assert_true(says(i - 1, "rules:1: ||ads.net^"));
		pass_ms(18000); /* near its end it is not refreshed: that would ask */
	}
	assert_int_equal(asked_count, 0);
	assert_int_equal(stats_get(&world.stats, COUNT_FILTER_BLOCKED), 2); /* who asks twice is worth a place in the cache */
	assert_int_equal(stats_get(&world.stats, COUNT_FILTER_HITS), 1);
	pass_ms(21000);
	receive(question("x.ads.net", RR_A, 4, MSG_RD, 1232, (struct span){ NULL, 0 }), 1);
	assert_int_equal(asked_count, 0);
	assert_int_equal(sent_answers(3), 1);
	/* Another filter: the answer of before does not count any more. */
	filter_by("||other.net^\n", FILTER_TOLD_NULL, 60);
	receive(question("x.ads.net", RR_A, 5, MSG_RD, 1232, (struct span){ NULL, 0 }), 1);
	assert_int_equal(asked_count, 1);
	serve_world_end();
}

static void an_answer_with_a_blocked_address_is_kept_as_blocked_until_its_origin_moves(void **state)
{
	AUTO(route_view_unref) struct route_view *taken = NULL;
	uint32_t bits;
	size_t i;

	(void)state;
	serve_world_start("");
	filter_by("*$asn=64496\n", FILTER_TOLD_NXDOMAIN, 60);
	route_world_put(world.board, true, false);
	i = answered_by_address("first.net", "198.51.100.7");
	assert_int_equal(sent_flags(i) & 15, RCODE_NXDOMAIN);
	assert_int_equal(sent_flags(i) & MSG_AD, 0);
	assert_int_equal(load16(sent[i].b + 8), 1); /* SOA */
	receive(question("first.net", RR_A, 2, MSG_RD, 1232, (struct span){ NULL, 0 }), 1);
	assert_int_equal(asked_count, 1);
	assert_int_equal(stats_get(&world.stats, COUNT_FILTER_HITS), 1);
	route_world_put(world.board, true, true);
	taken = route_world_view(true, true);
	bits = watched_look(world.watched, taken, WATCHED_FACTS);
	assert_int_equal(flush_moved(bits), 1);
	assert_int_equal(sent_answers(answered_by_address("first.net", "198.51.100.7")), 1);
	serve_world_end();
}

static void what_is_dropped_is_not_answered(void **state)
{
	(void)state;
	serve_world_start("");
	filter_by("||ads.net^\n*$address=192.0.2.1\n", FILTER_TOLD_NOTHING, 60);
	ask("ads.net", 1, 1);
	assert_int_equal(sent_count, 0);
	assert_int_equal(asked_count, 0);
	assert_int_equal(stats_get(&world.stats, COUNT_DROPPED_POLICY), 1);
	(void)answered_by_address("first.net", "192.0.2.1");
	assert_int_equal(sent_count, 0);
	assert_int_equal(stats_get(&world.stats, COUNT_DROPPED_POLICY), 2);
	assert_int_equal(world.serve->clients.count, 0);
	assert_int_equal(sent_answers(answered_by_address("first.net", "192.0.2.2")), 1); /* nothing was kept */
	serve_world_end();
}

static void route_policy_comes_before_the_filter(void **state)
{
	size_t i;

	(void)state;
	serve_world_start(BLOCK);
	filter_by("*$route=invalid\n", FILTER_TOLD_NXDOMAIN, 60);
	route_world_put(world.board, true, true);
	i = answered_by_address("taken.net", "198.51.100.7");
	assert_int_equal(sent_flags(i) & 15, RCODE_NOERROR);
	assert_true(says(i, "198.51.100.7: route invalid"));
	assert_int_equal(stats_get(&world.stats, COUNT_FILTER_BLOCKED), 0);
	serve_world_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_blocked_question_costs_nobody_anything),
		cmocka_unit_test(an_answer_with_a_blocked_address_is_kept_as_blocked_until_its_origin_moves),
		cmocka_unit_test(what_is_dropped_is_not_answered),
		cmocka_unit_test(route_policy_comes_before_the_filter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
