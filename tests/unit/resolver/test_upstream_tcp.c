/* One question to one server: what serve/upstream.h promises of TCP. */
#include "tests/unit/resolver/upstream_world.h"

static void truncation_goes_to_tcp(void **state)
{
	struct world *w = (struct world *)*state;

	world_must_ask(w);
	udp_reply(w, 0, &(struct reply_spec){ .opt = true, .set = MSG_TC, .cut = 2 });
	assert_int_equal(w->me.told, 0);
	assert_int_equal(w->fake->tcps, 1);
	assert_int_equal(w->budget.left.packets, 100 - 3); /* query, connect, query */
	world_run(w, 10);
	tcp_connected(w, 0);
	world_run(w, 20);
	tcp_reply(w, 0, 0, &good);
	assert_told(w, ASK_REPLY);
	assert_true(w->me.reply.tcp);
	assert_in_range(w->me.reply.rtt_us, 20000, 21000); /* without the connecting */
}

static void questions_share_a_connection_and_replies_come_in_any_order(void **state)
{
	struct world *w = (struct world *)*state;
	uint8_t frame[1024];

	for (int i = 0; i < 3; i++)
		ask_tcp(w);
	assert_int_equal(w->fake->tcps, 1);
	assert_int_equal(w->budget.left.packets, 100 - 4);
	tcp_connected(w, 0);
	tcp_reply(w, 0, 2, &good);
	assert_int_equal(w->me.told, 1);
	tcp_reply(w, 0, 0, &good);
	assert_int_equal(w->me.told, 2);
	for (size_t o = 0, n = make_reply(tcp_query(w, 0, 1), &good, frame + 2, sizeof frame - 2) + 2; o < n; o++) {
		assert_int_equal(w->me.told, 2);
		store16(frame, (uint16_t)(n - 2));
		tcp_octets(w, 0, span_of(frame + o, 1));
	}
	assert_int_equal(w->me.told, 3);
	assert_int_equal(w->me.reply.outcome, ASK_REPLY);
	world_turn(w);
	ask_tcp(w);
	assert_int_equal(w->fake->tcps, 1); /* kept */
	tcp_reply(w, 0, 3, &good);
	assert_int_equal(w->me.told, 4);
}

static void two_frames_in_one_piece(void **state)
{
	struct world *w = (struct world *)*state;
	uint8_t frame[1024];
	size_t a, b;

	ask_tcp(w);
	ask_tcp(w);
	tcp_connected(w, 0);
	a = make_reply(tcp_query(w, 0, 1), &good, frame + 2, 500);
	store16(frame, (uint16_t)a);
	b = make_reply(tcp_query(w, 0, 0), &good, frame + 4 + a, 500);
	store16(frame + 2 + a, (uint16_t)b);
	tcp_octets(w, 0, span_of(frame, 1));
	tcp_octets(w, 0, span_of(frame + 1, a + b));
	assert_int_equal(w->me.told, 1);
	tcp_octets(w, 0, span_of(frame + 1 + a + b, 3));
	assert_int_equal(w->me.told, 2);
}

static void an_idle_connection_is_closed(void **state)
{
	struct world *w = (struct world *)*state;

	ask_tcp(w);
	tcp_connected(w, 0);
	tcp_reply(w, 0, 0, &good);
	world_run(w, 9990);
	assert_true(w->fake->tcp[0]->open);
	world_run(w, 20);
	assert_false(w->fake->tcp[0]->open);
}

/* max-reuse-tcp-queries */
static void a_connection_takes_so_many_questions_and_closes(void **state)
{
	struct world *w = (struct world *)*state;

	w->set.tcp_questions = 3;
	w->set.tcp_mss = 1220;
	upstream_set(w->up, &w->set);
	for (int i = 0; i < 4; i++)
		ask_tcp(w);
	assert_int_equal(w->fake->tcps, 2);
	assert_int_equal(w->fake->tcp[0]->o.mss, 1220);
	assert_int_equal(stats_get(w->stats, COUNT_UPSTREAM_WORN), 1);
	tcp_connected(w, 0);
	tcp_connected(w, 1);
	for (size_t i = 0; i < 3; i++) {
		assert_true(w->fake->tcp[0]->open);
		tcp_reply(w, 0, i, &good);
		assert_int_equal(w->me.reply.outcome, ASK_REPLY);
	}
	assert_false(w->fake->tcp[0]->open); /* nobody may use it any more */
	tcp_reply(w, 1, 0, &good);
	assert_true(w->fake->tcp[1]->open);
	assert_int_equal(w->me.told, 4);
	w->set.tcp_questions = 1; /* a reload: also for those that are open */
	upstream_set(w->up, &w->set);
	ask_tcp(w);
	assert_int_equal(w->fake->tcps, 3);
	assert_int_equal(stats_get(w->stats, COUNT_UPSTREAM_WORN), 2);
}

static void keepalive_of_the_server_counts(void **state)
{
	struct world *w = (struct world *)*state;

	ask_tcp(w);
	tcp_connected(w, 0);
	tcp_reply(w, 0, 0, &(struct reply_spec){ .opt = true, .keepalive = 20 + 1 });
	world_run(w, 1990);
	assert_true(w->fake->tcp[0]->open);
	world_run(w, 20);
	assert_false(w->fake->tcp[0]->open);
	ask_tcp(w);
	tcp_connected(w, 1);
	tcp_reply(w, 1, 0, &(struct reply_spec){ .opt = true, .keepalive = 0 + 1 });
	assert_false(w->fake->tcp[1]->open);
}

static void a_kept_connection_that_is_lost_is_replaced_once(void **state)
{
	struct world *w = (struct world *)*state;

	ask_tcp(w);
	tcp_connected(w, 0);
	tcp_reply(w, 0, 0, &good);
	w->me.told = 0;
	world_turn(w);
	ask_tcp(w);
	assert_int_equal(w->fake->tcps, 1);
	tcp_closed(w, 0, ERR_CLOSED);
	assert_int_equal(w->me.told, 0);
	assert_int_equal(w->fake->tcps, 2);
	tcp_closed(w, 1, ERR_CLOSED);
	assert_told(w, ASK_UNREACHABLE);
}

static void a_server_that_answers_one_question_a_connection(void **state)
{
	struct world *w = (struct world *)*state;

	ask_tcp(w);
	ask_tcp(w);
	tcp_connected(w, 0);
	tcp_reply(w, 0, 0, &good);
	tcp_closed(w, 0, ERR_CLOSED);
	assert_int_equal(w->me.told, 1);
	tcp_connected(w, 1);
	tcp_reply(w, 1, 0, &good);
	assert_int_equal(w->me.told, 2);
	assert_int_equal(w->me.reply.outcome, ASK_REPLY);
	assert_false(w->fake->tcp[1]->open); /* was for that one alone */
}

static void a_new_connection_that_is_lost_is_unreachable(void **state)
{
	struct world *w = (struct world *)*state;

	ask_tcp(w);
	tcp_closed(w, 0, ERR_REFUSED);
	assert_told(w, ASK_UNREACHABLE);
	assert_int_equal(w->fake->tcps, 1);
	assert_int_equal(world_facts(w).timeouts, 1);
}

static void tcp_silence_is_a_timeout(void **state)
{
	struct world *w = (struct world *)*state;

	ask_tcp(w);
	tcp_connected(w, 0);
	world_run(w, 3001);
	assert_told(w, ASK_TIMEOUT);
	assert_false(w->fake->tcp[0]->open);
}

static void nonsense_over_tcp_is_malformed(void **state)
{
	struct world *w = (struct world *)*state;
	const struct reply_spec bad[] = {{.set = MSG_TC}, {.name = "example.net."}, {.clear = MSG_QR}, {.cut = 2}, {.extra = 1}};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		w->me.told = 0;
		ask_tcp(w);
		if (i == 0)
			tcp_connected(w, 0);
		tcp_reply(w, 0, i, &bad[i]);
		assert_told(w, ASK_MALFORMED);
		world_turn(w);
	}
}

static void a_frame_without_an_id_closes_the_connection(void **state)
{
	struct world *w = (struct world *)*state;

	ask_tcp(w);
	tcp_connected(w, 0);
	tcp_octets(w, 0, span_of("\0\1x", 3));
	assert_told(w, ASK_MALFORMED);
	assert_false(w->fake->tcp[0]->open);
}

static void replies_to_nobody_close_it_too(void **state)
{
	struct world *w = (struct world *)*state;

	ask_tcp(w);
	tcp_connected(w, 0);
	for (int i = 0; i < 65; i++)
		tcp_reply(w, 0, 0, &(struct reply_spec){ .id_xor = 1 });
	assert_told(w, ASK_MALFORMED);
	assert_false(w->fake->tcp[0]->open);
}

/* Four connections may be open. */
static void a_fifth_server_waits_for_a_connection(void **state)
{
	struct world *w = (struct world *)*state;

	for (int i = 0; i < 5; i++) {
		w->request.server.a.b[3] = (uint8_t)i;
		ask_tcp(w);
	}
	assert_int_equal(w->fake->tcps, 4);
	tcp_connected(w, 1);
	tcp_reply(w, 1, 0, &good);
	assert_int_equal(w->me.told, 1);
	world_turn(w); /* the idle one makes room */
	assert_int_equal(w->fake->tcps, 5);
	assert_false(w->fake->tcp[1]->open);
	tcp_connected(w, 4);
	tcp_reply(w, 4, 0, &good);
	assert_int_equal(w->me.told, 2);
}

static void one_server_does_not_get_all_connections(void **state)
{
	struct world *w = (struct world *)*state;

	w->set.tcp_max = 8;
	w->set.tcp_pipeline = 2;
	upstream_set(w->up, &w->set);
	for (int i = 0; i < 20; i++)
		ask_tcp(w);
	assert_int_equal(w->fake->tcps, 4);
	w->request.server.a.b[3]++;
	ask_tcp(w); /* another one, behind twelve that wait */
	assert_int_equal(w->fake->tcps, 5);
	tcp_connected(w, 0);
	tcp_reply(w, 0, 0, &good);
	assert_int_equal(w->me.told, 1);
	world_turn(w);
	assert_true(tcp_query(w, 0, 2).n > 0); /* a place on a connection has become free */
	assert_int_equal(w->fake->tcps, 5);
}

static void a_connection_that_does_not_move_makes_room(void **state)
{
	struct world *w = (struct world *)*state;

	for (int i = 0; i < 4; i++) {
		w->request.server.a.b[3] = (uint8_t)i;
		ask_tcp(w);
		tcp_connected(w, (size_t)i);
		world_run(w, 100);
	}
	world_run(w, 1000);
	w->request.server.a.b[3] = 100;
	ask_tcp(w);
	assert_int_equal(w->fake->tcps, 5);
	assert_false(w->fake->tcp[0]->open);
	assert_int_equal(w->me.told, 0);
	world_turn(w);
	assert_told(w, ASK_TIMEOUT);
}

static void waiting_for_a_connection_has_an_end(void **state)
{
	struct world *w = (struct world *)*state;

	w->set.tcp_timeout_ms = 500; /* less than what makes a connection give way */
	upstream_set(w->up, &w->set);
	for (int i = 0; i < 5; i++) {
		w->request.server.a.b[3] = (uint8_t)i;
		ask_tcp(w);
		if (i < 4)
			world_run(w, 1);
	}
	world_run(w, 490);
	assert_int_equal(w->me.told, 0);
	world_run(w, 20);
	assert_true(w->me.told >= 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(truncation_goes_to_tcp),
		CASE(questions_share_a_connection_and_replies_come_in_any_order),
		CASE(two_frames_in_one_piece),
		CASE(an_idle_connection_is_closed),
		CASE(a_connection_takes_so_many_questions_and_closes),
		CASE(keepalive_of_the_server_counts),
		CASE(a_kept_connection_that_is_lost_is_replaced_once),
		CASE(a_server_that_answers_one_question_a_connection),
		CASE(a_new_connection_that_is_lost_is_unreachable),
		CASE(tcp_silence_is_a_timeout),
		CASE(nonsense_over_tcp_is_malformed),
		CASE(a_frame_without_an_id_closes_the_connection),
		CASE(replies_to_nobody_close_it_too),
		CASE(a_fifth_server_waits_for_a_connection),
		CASE(one_server_does_not_get_all_connections),
		CASE(a_connection_that_does_not_move_makes_room),
		CASE(waiting_for_a_connection_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
