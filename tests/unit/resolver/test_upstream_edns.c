/* One question to one server: what serve/upstream.h promises of EDNS and cookies. */
#include "tests/unit/resolver/upstream_world.h"

/* -------------------------------------------------------------------------------------------------------------------- EDNS */

static void formerr_is_asked_again_without_edns(void **state)
{
	struct world *w = (struct world *)*state;

	for (size_t i = 0; i < 3; i++) {
		assert_int_not_equal(world_facts(w).edns, EDNS_BROKEN); /* one such reply proves nothing */
		w->me.told = 0;
		world_must_ask(w);
		assert_true(query_has_edns(udp_query(w, 2 * i)));
		udp_reply(w, 2 * i, &(struct reply_spec){ .rcode = RCODE_FORMERR });
		assert_int_equal(w->fake->udps, 2 * i + 2);
		assert_false(query_has_edns(udp_query(w, 2 * i + 1)));
		udp_reply(w, 2 * i + 1, &(struct reply_spec){ .rcode = 0 });
		assert_told(w, ASK_REPLY);
		assert_false(w->me.reply.edns);
		world_turn(w);
	}
	assert_int_equal(world_facts(w).edns, EDNS_BROKEN);
	world_must_ask(w);
	assert_false(query_has_edns(udp_query(w, 6)));
}

static void a_second_formerr_is_told(void **state)
{
	struct world *w = (struct world *)*state;

	world_must_ask(w);
	udp_reply(w, 0, &(struct reply_spec){ .rcode = RCODE_FORMERR });
	udp_reply(w, 1, &(struct reply_spec){ .rcode = RCODE_FORMERR });
	assert_told(w, ASK_REPLY);
	assert_int_equal(w->me.msg.rcode, RCODE_FORMERR);
	assert_int_equal(world_facts(w).edns, EDNS_UNTRIED);
}

static void formerr_with_opt_is_asked_again_without_options(void **state)
{
	struct world *w = (struct world *)*state;

	world_must_ask(w);
	assert_int_equal(query_cookie_octets(udp_query(w, 0)), 8);
	udp_reply(w, 0, &(struct reply_spec){ .rcode = RCODE_FORMERR, .opt = true });
	assert_true(query_has_edns(udp_query(w, 1)));
	assert_int_equal(query_cookie_octets(udp_query(w, 1)), 0);
	udp_reply(w, 1, &good);
	assert_told(w, ASK_REPLY);
	assert_int_equal(world_facts(w).edns, EDNS_WORKS);
}

static void over_tcp_one_formerr_is_proof(void **state)
{
	struct world *w = (struct world *)*state;

	w->request.tcp = true;
	world_must_ask(w);
	tcp_connected(w, 0);
	tcp_reply(w, 0, 0, &(struct reply_spec){ .rcode = RCODE_FORMERR, .no_question = true });
	assert_int_equal(w->me.told, 0);
	assert_false(query_has_edns(tcp_query(w, 0, 1)));
	tcp_reply(w, 0, 1, &(struct reply_spec){ .rcode = 0 });
	assert_told(w, ASK_REPLY);
	assert_int_equal(world_facts(w).edns, EDNS_BROKEN);
	assert_int_equal(w->fake->tcps, 1);
}

static void a_hundred_forged_formerrs_do_not_switch_edns_off(void **state)
{
	struct world *w = (struct world *)*state;

	w->budget.left.packets = 1000;
	for (size_t i = 0; i < 100; i++) {
		size_t at = w->fake->udps;

		world_must_ask(w);
		assert_true(query_has_edns(udp_query(w, at)));
		udp_reply(w, at, &(struct reply_spec){ .rcode = RCODE_FORMERR });
		udp_reply(w, at, &good);
		assert_true(w->me.reply.edns);
		world_turn(w);
	}
	assert_int_equal(world_facts(w).edns, EDNS_WORKS);
}

/* ----------------------------------------------------------------------------------------------------------------- cookies */

static const struct reply_spec with_cookie = { .opt = true, .cookie = RC_OURS, .server_cookie = 0x51 };

static void learn_a_cookie(struct world *w)
{
	world_must_ask(w);
	assert_int_equal(query_cookie_octets(udp_query(w, w->fake->udps - 1)), 8);
	udp_reply(w, w->fake->udps - 1, &with_cookie);
	assert_told(w, ASK_REPLY);
	assert_true(w->me.reply.strong);
	w->me.told = 0;
	world_turn(w);
}

static void a_server_cookie_is_learnt_and_sent(void **state)
{
	struct world *w = (struct world *)*state;

	learn_a_cookie(w);
	assert_true(world_facts(w).knows_cookies);
	world_must_ask(w);
	assert_int_equal(query_cookie_octets(udp_query(w, 1)), 16);
	udp_reply(w, 1, &with_cookie);
	assert_told(w, ASK_REPLY);
	assert_true(w->me.reply.strong);
}

static void cookies_differ_between_servers(void **state)
{
	struct world *w = (struct world *)*state;
	struct span a, b;

	world_must_ask(w);
	w->request.server.a.b[3]++;
	world_must_ask(w);
	a = udp_query(w, 0);
	b = udp_query(w, 1);
	assert_memory_not_equal(a.p + a.n - 8, b.p + b.n - 8, 8);
}

static void without_its_cookie_a_reply_is_not_taken_over_udp(void **state)
{
	struct world *w = (struct world *)*state;
	const struct reply_spec bad[] = {{.opt = true}, {.opt = false}, {.opt = true, .cookie = RC_WRONG, .server_cookie = 1}};

	learn_a_cookie(w);
	for (size_t i = 0; i < 3; i++) {
		size_t udp = w->fake->udps, last = w->fake->tcps;

		w->me.told = 0;
		world_must_ask(w);
		udp_reply(w, udp, &bad[i]);
		assert_int_equal(w->me.told, 0);
		assert_int_equal(w->fake->tcps, last + 1);
		tcp_connected(w, last);
		tcp_reply(w, last, 0, &good);
		assert_told(w, ASK_REPLY);
		assert_true(w->me.reply.tcp);
		tcp_closed(w, last, ERR_CLOSED);
		world_turn(w);
	}
	assert_int_equal(world_facts(w).timeouts, 0);
}

static void a_client_cookie_alone_is_an_echo(void **state)
{
	struct world *w = (struct world *)*state;

	world_must_ask(w);
	udp_reply(w, 0, &(struct reply_spec){ .opt = true, .cookie = RC_CLIENT_ONLY });
	assert_told(w, ASK_REPLY);
	assert_true(w->me.reply.strong);
	assert_false(world_facts(w).knows_cookies);
}

static void badcookie_is_asked_again_with_the_new_one(void **state)
{
	struct world *w = (struct world *)*state;
	struct span q;

	learn_a_cookie(w);
	world_must_ask(w);
	udp_reply(w, 1, &(struct reply_spec){ .rcode = RCODE_BADCOOKIE, .opt = true, .cookie = RC_OURS, .server_cookie = 0x77 });
	assert_int_equal(w->me.told, 0);
	assert_int_equal(w->fake->udps, 3);
	q = udp_query(w, 2);
	assert_int_equal(query_cookie_octets(q), 16);
	assert_int_equal(q.p[q.n - 1], 0x77);
	udp_reply(w, 2, &(struct reply_spec){ .opt = true, .cookie = RC_OURS, .server_cookie = 0x77 });
	assert_told(w, ASK_REPLY);
}

static void a_second_badcookie_goes_to_tcp(void **state)
{
	struct world *w = (struct world *)*state;
	const struct reply_spec bad = { .rcode = RCODE_BADCOOKIE, .opt = true, .cookie = RC_OURS, .server_cookie = 0x77 };

	world_must_ask(w);
	udp_reply(w, 0, &bad);
	udp_reply(w, 1, &bad);
	assert_int_equal(w->fake->tcps, 1);
	tcp_connected(w, 0);
	tcp_reply(w, 0, 0, &good);
	assert_told(w, ASK_REPLY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(formerr_is_asked_again_without_edns),
		CASE(a_second_formerr_is_told),
		CASE(formerr_with_opt_is_asked_again_without_options),
		CASE(over_tcp_one_formerr_is_proof),
		CASE(a_hundred_forged_formerrs_do_not_switch_edns_off),
		CASE(a_server_cookie_is_learnt_and_sent),
		CASE(cookies_differ_between_servers),
		CASE(without_its_cookie_a_reply_is_not_taken_over_udp),
		CASE(a_client_cookie_alone_is_an_echo),
		CASE(badcookie_is_asked_again_with_the_new_one),
		CASE(a_second_badcookie_goes_to_tcp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
