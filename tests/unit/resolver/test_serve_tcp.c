/* The serving side over TCP: how questions come, in which order they are answered, who makes room and who is closed. */
#include "tests/unit/resolver/serve_world.h"

static void a_question_may_come_octet_by_octet(void **state)
{
	struct wire q = framed("a.org.", 5);

	BEGIN("");
	connect_from(1, 1);
	assert_true(streams[1].adopted);
	for (size_t i = 0; i < q.n; i++)
		stream_gives(1, q.b + i, 1);
	assert_int_equal(asked_count, 1);
	tell_addresses(0, 200, 60);
	assert_int_equal(load16(streams[1].out), streams[1].n - 2);
	assert_int_equal(load16(streams[1].out + 2), 5);
	assert_int_equal(load16(streams[1].out + 8), 200); /* nothing is cut over TCP */
	serve_world_end();
}

static void connections_have_the_segment_size_that_is_configured(void **state)
{
	BEGIN("");
	assert_int_equal(accepting.mss, 0);
	serve_world_end();
	BEGIN(" tcp-mss: 1220\n");
	assert_int_equal(accepting.mss, 1220);
	serve_world_end();
}

static void questions_are_answered_in_the_order_in_which_they_are_ready(void **state)
{
	uint8_t all[512];
	size_t n = 0;

	BEGIN("");
	connect_from(1, 1);
	for (uint16_t i = 0; i < 3; i++) {
		const char *names[] = { "a.org.", "b.org.", "c.org." };
		struct wire q = framed(names[i], i);

		memcpy(all + n, q.b, q.n);
		n += q.n;
	}
	stream_gives(1, all, n - 5);
	assert_int_equal(asked_count, 2);
	stream_gives(1, all + n - 5, 5);
	assert_int_equal(asked_count, 3);
	tell_addresses(2, 1, 60);
	tell_addresses(0, 1, 60);
	assert_int_equal(load16(streams[1].out + 2), 2);
	assert_int_equal(load16(streams[1].out + 2 + 2 + load16(streams[1].out)), 0);
	serve_world_end();
}

static void an_idle_session_is_closed_and_a_working_one_is_not(void **state)
{
	struct wire q = framed("a.org.", 5);

	BEGIN(" tcp-idle-timeout: 1000\n discard-timeout: 0\n");
	connect_from(1, 1);
	connect_from(2, 2);
	stream_gives(2, q.b, q.n);
	for (int i = 0; i < 12; i++)
		pass_ms(200);
	assert_true(streams[1].closed);
	assert_false(streams[2].closed);
	tell_addresses(0, 1, 60);
	assert_true(streams[2].n > 0);
	for (int i = 0; i < 12; i++)
		pass_ms(200);
	assert_true(streams[2].closed);
	serve_world_end();
}

static void a_question_that_drips_in_is_given_up(void **state)
{
	struct wire q = framed("a.org.", 5);

	BEGIN(" tcp-idle-timeout: 1000\n");
	connect_from(1, 1);
	for (int i = 0; i < 12 && !streams[1].closed; i++) {
		stream_gives(1, q.b + i, 1);
		pass_ms(200);
	}
	assert_true(streams[1].closed);
	assert_int_equal(stats_get(&world.stats, COUNT_TCP_IDLE_CLOSED), 1);
	serve_world_end();
}

static void the_greediest_client_makes_room(void **state)
{
	BEGIN(" incoming-num-tcp: 4\n");
	connect_from(1, 1);
	connect_from(2, 2);
	pass_ms(10);
	connect_from(3, 2);
	connect_from(4, 2);
	pass_ms(10);
	connect_from(5, 3);
	assert_true(streams[5].adopted);
	assert_false(streams[1].closed);
	assert_true(streams[2].closed); /* of client 2 the longest idle */
	assert_false(streams[3].closed);
	assert_int_equal(stats_get(&world.stats, COUNT_TCP_EVICTED), 1);
	serve_world_end();
}

static void a_limit_of_connections_holds_for_a_netblock(void **state)
{
	BEGIN(" incoming-num-tcp: 10\n tcp-connection-limit: 127.0.0.1/32 2\n tcp-connection-limit: 127.0.0.5/32 0\n");
	connect_from(1, 1);
	connect_from(2, 1);
	connect_from(3, 1);
	assert_true(streams[2].adopted);
	assert_false(streams[3].adopted);
	connect_from(4, 5);
	assert_false(streams[4].adopted);
	serve_world_end();
}

static void who_does_not_read_is_not_read_from(void **state)
{
	struct wire q = framed("a.org.", 5);

	BEGIN(" tcp-idle-timeout: 1000\n");
	connect_from(1, 1);
	stream_gives(1, q.b, q.n);
	streams[1].unsent = 100000;
	tell_addresses(0, 1, 60);
	turn();
	stream_gives(1, q.b, q.n);
	assert_true(streams[1].paused);
	assert_int_equal(streams[1].n, load16(streams[1].out) + 2);
	stream_drains(1);
	assert_false(streams[1].paused);
	assert_int_equal(streams[1].n, 2u * (load16(streams[1].out) + 2));
	streams[1].unsent = 100000;
	stream_gives(1, q.b, q.n);
	for (int i = 0; i < 12 && !streams[1].closed; i++)
		pass_ms(200);
	assert_true(streams[1].closed);
	assert_int_equal(stats_get(&world.stats, COUNT_TCP_SLOW_CLOSED), 1);
	serve_world_end();
}

static void at_most_so_many_questions_of_a_session_are_under_way(void **state)
{
	static uint8_t all[200 * 64];
	size_t n = 0;

	BEGIN("");
	connect_from(1, 1);
	for (uint16_t i = 0; i < 200; i++) {
		char name[32];
		struct wire q;

		(void)snprintf(name, sizeof name, "n%u.org.", i);
		q = framed(name, i);
		memcpy(all + n, q.b, q.n);
		n += q.n;
	}
	stream_gives(1, all, n);
	assert_int_equal(asked_count, 64);
	assert_true(streams[1].paused);
	for (size_t i = 0; i < asked_count; i++) {
		tell_addresses(i, 1, 60);
		turn();
	}
	assert_int_equal(asked_count, 200);
	assert_false(streams[1].paused);
	serve_world_end();
}

static void questions_go_with_their_session(void **state)
{
	struct wire q = framed("a.org.", 5);

	BEGIN("");
	connect_from(1, 1);
	stream_gives(1, q.b, q.n);
	streams[1].ev.closed(world.loop, loop_slot_get(world.loop, streams[1].ev.type, streams[1].ev.who), (stream_h){ 1 }, ERR_CLOSED);
	assert_int_equal(cancelled, 1);
	turn();
	assert_int_equal(world.serve->clients.count, 0);
	assert_int_equal(world.serve->sessions.count, 0);
	serve_world_end();
}

static void keepalive_tells_a_time_that_shrinks_under_load(void **state)
{
	uint8_t option[4] = { 0, EDNS_TCP_KEEPALIVE, 0, 0 };
	struct wire q = question("a.org.", RR_A, 1, MSG_RD, 1232, span_of(option, 4));

	BEGIN(" incoming-num-tcp: 2\n edns-tcp-keepalive: yes\n edns-tcp-keepalive-timeout: 60000\n");
	memmove(q.b + 2, q.b, q.n);
	store16(q.b, (uint16_t)q.n);
	q.n += 2;
	connect_from(1, 1);
	stream_gives(1, q.b, q.n);
	tell_addresses(0, 1, 60);
	assert_int_equal(load16(streams[1].out + streams[1].n - 6), EDNS_TCP_KEEPALIVE);
	assert_int_equal(load16(streams[1].out + streams[1].n - 2), 600);
	connect_from(2, 2);
	stream_gives(2, q.b, q.n);
	assert_in_range(load16(streams[2].out + streams[2].n - 2), 1, 300);
	serve_world_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_question_may_come_octet_by_octet),
		cmocka_unit_test(connections_have_the_segment_size_that_is_configured),
		cmocka_unit_test(questions_are_answered_in_the_order_in_which_they_are_ready),
		cmocka_unit_test(an_idle_session_is_closed_and_a_working_one_is_not),
		cmocka_unit_test(a_question_that_drips_in_is_given_up),
		cmocka_unit_test(the_greediest_client_makes_room),
		cmocka_unit_test(a_limit_of_connections_holds_for_a_netblock),
		cmocka_unit_test(who_does_not_read_is_not_read_from),
		cmocka_unit_test(at_most_so_many_questions_of_a_session_are_under_way),
		cmocka_unit_test(questions_go_with_their_session),
		cmocka_unit_test(keepalive_tells_a_time_that_shrinks_under_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
