/* One question to one server: what serve/upstream.h promises, rule by rule: UDP, letter case, budgets and limits, cancelling. */
#include "tests/unit/resolver/upstream_world.h"

#include <ctype.h>

#include "base/epoch.h"
#include "base/strbuf.h"
#include "conf/conf.h"
#include "dns/rrtype.h"
#include "resolver/cache/rrcache.h"
#include "resolver/worker.h"

/* --------------------------------------------------------------------------------------------------------------------- UDP */

static void a_reply_that_fits_is_told(void **state)
{
	struct world *w = (struct world *)*state;

	world_must_ask(w);
	assert_int_equal(w->fake->udps, 1);
	assert_int_equal(w->me.told, 0);
	world_run(w, 30);
	udp_reply(w, 0, &good);
	assert_told(w, ASK_REPLY);
	assert_false(w->me.reply.tcp);
	assert_false(w->me.reply.strong);
	assert_true(w->me.reply.edns);
	assert_in_range(w->me.reply.rtt_us, 30000, 31000);
	assert_int_equal(w->me.msg.answer.count, 1);
	assert_false(w->fake->udp[0]->open);
	assert_in_range(world_facts(w).srtt_us, 30000, 31000);
	assert_int_equal(world_facts(w).edns, EDNS_WORKS);
	assert_int_equal(w->budget.left.packets, 99);
	assert_true(w->budget.left.octets < 100000);
}

static void every_query_has_its_own_id_and_case(void **state)
{
	struct world *w = (struct world *)*state;
	unsigned int upper = 0, letters = 0, same_id = 0;
	uint16_t before = 0;

	for (size_t i = 0; i < 64; i++) {
		struct msg_query q;

		world_must_ask(w);
		assert_int_equal(msg_read_query(udp_query(w, i), 20, &q), MSG_GOOD);
		assert_true(name_equal(q.q.name, w->request.q.name));
		assert_true(q.edns.dnssec_ok);
		assert_int_equal(q.edns.udp_size, 1232);
		assert_int_equal(q.flags, 0);
		for (unsigned int o = 0; o < q.q.name.len; o++) {
			letters += isalpha(q.q.name.wire[o]) != 0;
			upper += isupper(q.q.name.wire[o]) != 0;
		}
		same_id += q.id == before;
		before = q.id;
		assert_true(w->fake->udp[i]->o.no_fragment);
		upstream_cancel(w->up, w->ask);
	}
	assert_true(same_id <= 1);
	assert_false(w->fake->udp[0]->o.unconnected);
	w->set.udp_unconnected = true;
	upstream_set(w->up, &w->set);
	world_must_ask(w);
	assert_true(w->fake->udp[64]->o.unconnected);
	assert_in_range(upper, letters * 4 / 10, letters * 6 / 10);
}

static void flags_and_plain_case_follow_the_request(void **state)
{
	struct world *w = (struct world *)*state;
	struct msg_query q;

	w->request.recurse = true;
	w->request.check_disabled = true;
	w->request.plain_case = true;
	w->request.no_edns = true;
	world_must_ask(w);
	assert_int_equal(msg_read_query(udp_query(w, 0), 20, &q), MSG_GOOD);
	assert_int_equal(q.flags, MSG_RD | MSG_CD);
	assert_false(q.edns.present);
	assert_true(name_equal_case(q.q.name, w->request.q.name));
	udp_reply(w, 0, &(struct reply_spec){ .other_case = true }); /* the case was not meant as a secret */
	assert_told(w, ASK_REPLY);
	assert_false(w->me.reply.edns);
}

/* Packets with the right ID from the right address that are no reply to the question, or that cannot be read. */
static const struct {
	const char *what;
	struct reply_spec spec;
} forged[] = {
	{ "a question", { .clear = MSG_QR } },
	{ "opcode UPDATE", { .set = OPCODE_UPDATE << 11 } },
	{ "opcode STATUS", { .set = OPCODE_STATUS << 11 } },
	{ "no question", { .no_question = true } },
	{ "two questions", { .two_questions = true } },
	{ "another name", { .name = "www.example.net." } },
	{ "a name below", { .name = "a.www.example.org." } },
	{ "another type", { .type = RR_AAAA } },
	{ "another class", { .rclass = CLASS_CH } },
	{ "another case", { .other_case = true } },
	{ "half a header", { .no_question = true, .cut = 6 } },
	{ "half a question", { .no_answer = true, .cut = 3 } },
	{ "half an answer", { .cut = 3 } },
	{ "more behind the end", { .extra = 1 } },
	{ "truncated", { .set = MSG_TC, .no_answer = true } },
	{ "SERVFAIL without a question", { .rcode = RCODE_SERVFAIL, .no_question = true } },
	{ "FORMERR", { .rcode = RCODE_FORMERR } },
	{ "FORMERR without a question", { .rcode = RCODE_FORMERR, .no_question = true } },
	{ "NOTIMP", { .rcode = RCODE_NOTIMP } },
	{ "BADVERS", { .rcode = RCODE_BADVERS, .opt = true } },
	{ "BADCOOKIE", { .rcode = RCODE_BADCOOKIE, .opt = true } },
	{ "a wrong cookie", { .opt = true, .cookie = RC_WRONG } },
};

static void no_forged_packet_is_taken_nor_loses_the_real_one(void **state)
{
	struct world *w = (struct world *)*state;

	for (size_t i = 0; i < sizeof forged / sizeof forged[0]; i++) {
		size_t at = w->fake->udps;

		w->me.told = 0;
		world_must_ask(w);
		for (int n = 0; n < 3; n++) {
			udp_reply(w, at, &forged[i].spec);
			if (w->me.told != 0)
				fail_msg("%s was taken", forged[i].what);
		}
		world_turn(w);
		udp_reply(w, at, &good);
		if (w->me.told != 1 || w->me.reply.outcome != ASK_REPLY || w->me.msg.answer.count != 1)
			fail_msg("the real reply was lost behind: %s", forged[i].what);
		world_turn(w);
		infra_flush(w->infra, NULL);
	}
}

/* The same where the server has no TCP and says so at once. */
static void nor_when_the_server_refuses_tcp(void **state)
{
	struct world *w = (struct world *)*state;

	for (int sync = 0; sync < 2; sync++) {
		w->fake->connect_error = sync ? ERR_REFUSED : ERR_NONE;
		for (size_t i = 0; i < sizeof forged / sizeof forged[0]; i++) {
			size_t at = w->fake->udps, tcp = w->fake->tcps;

			w->me.told = 0;
			world_must_ask(w);
			udp_reply(w, at, &forged[i].spec);
			if (w->fake->tcps > tcp)
				tcp_closed(w, tcp, ERR_REFUSED);
			world_turn(w);
			if (w->me.told != 0)
				fail_msg("%s ended it", forged[i].what);
			udp_reply(w, at, &good);
			if (w->me.told != 1 || w->me.reply.outcome != ASK_REPLY || w->me.msg.answer.count != 1)
				fail_msg("the real reply was lost behind: %s", forged[i].what);
			world_turn(w);
			infra_flush(w->infra, NULL);
		}
	}
}

static void a_wrong_id_sends_the_question_to_tcp(void **state)
{
	struct world *w = (struct world *)*state;

	world_must_ask(w);
	udp_reply(w, 0, &(struct reply_spec){ .id_xor = 1 });
	assert_int_equal(w->fake->tcps, 1);
	udp_reply(w, 0, &good); /* held, for it may be a guess */
	assert_int_equal(w->me.told, 0);
	tcp_connected(w, 0);
	tcp_reply(w, 0, 0, &(struct reply_spec){ .opt = true, .no_answer = true });
	assert_told(w, ASK_REPLY);
	assert_true(w->me.reply.tcp);
	assert_true(w->me.reply.strong);
	assert_int_equal(w->me.msg.answer.count, 0);
	assert_int_equal(world_facts(w).timeouts, 0);
	assert_false(world_facts(w).tcp_only);
}

static void what_came_after_one_wrong_id_is_taken_when_tcp_fails(void **state)
{
	struct world *w = (struct world *)*state;

	world_must_ask(w);
	udp_reply(w, 0, &(struct reply_spec){ .id_xor = 1 });
	udp_reply(w, 0, &good);
	assert_int_equal(w->me.told, 0);
	tcp_closed(w, 0, ERR_REFUSED);
	assert_told(w, ASK_REPLY);
	assert_false(w->me.reply.tcp);
}

static void a_silent_tcp_does_not_hold_it_for_long(void **state)
{
	struct world *w = (struct world *)*state;

	world_must_ask(w);
	udp_reply(w, 0, &(struct reply_spec){ .id_xor = 1 });
	udp_reply(w, 0, &good);
	world_run(w, 501);
	assert_told(w, ASK_REPLY);
}

static void after_two_wrong_ids_nothing_is_taken_over_that_port(void **state)
{
	struct world *w = (struct world *)*state;

	world_must_ask(w);
	for (uint16_t i = 1; i < 1000; i++)
		udp_reply(w, 0, &(struct reply_spec){ .id_xor = i });
	assert_false(w->fake->udp[0]->open);
	udp_reply(w, 0, &good);
	assert_int_equal(w->me.told, 0);
	assert_int_equal(stats_get(w->stats, COUNT_UPSTREAM_NEAR_MISS), 2);
	tcp_closed(w, 0, ERR_REFUSED);
	assert_int_equal(w->me.told, 0);
	assert_int_equal(w->fake->udps, 2); /* a fresh port, once */
	for (uint16_t i = 1; i < 3; i++)
		udp_reply(w, 1, &(struct reply_spec){ .id_xor = i });
	assert_told(w, ASK_TIMEOUT);
	assert_int_equal(world_facts(w).timeouts, 0); /* not the server's fault */
}

static void a_cookie_tells_even_after_a_wrong_id(void **state)
{
	struct world *w = (struct world *)*state;

	world_must_ask(w);
	udp_reply(w, 0, &(struct reply_spec){ .id_xor = 1 });
	udp_reply(w, 0, &(struct reply_spec){ .opt = true, .cookie = RC_OURS, .server_cookie = 1 });
	assert_told(w, ASK_REPLY);
	assert_true(w->me.reply.strong);
}

struct alarm {
	struct upstream_alarm a; /* first */
	unsigned int times;
};

static void count_alarm(struct upstream_alarm *a)
{
	((struct alarm *)(void *)a)->times++;
}

/* unwanted-reply-threshold */
static void so_many_unwanted_replies_raise_an_alarm(void **state)
{
	static const struct reply_spec wrong = { .id_xor = 1 };
	struct world *w = (struct world *)*state;
	struct alarm alarm = { { count_alarm }, 0 };

	upstream_set_alarm(w->up, &alarm.a);
	w->set.tcp = false; /* near misses do not end the wait */
	upstream_set(w->up, &w->set);
	world_must_ask(w);
	for (int i = 0; i < 10; i++)
		udp_reply(w, 0, &wrong);
	assert_int_equal(alarm.times, 0);
	upstream_cancel(w->up, w->ask);
	w->set.unwanted_most = 20;
	upstream_set(w->up, &w->set);
	for (size_t q = 1; q < 4; q++) { /* of different questions, and those before count */
		world_must_ask(w);
		for (int i = 0; i < 10; i++)
			udp_reply(w, q, i % 2 ? &wrong : &(struct reply_spec){ .type = RR_AAAA });
		assert_int_equal(alarm.times, (q + 1) / 2);
		udp_reply(w, q, &good);
	}
	assert_int_equal(alarm.times, 2);
	assert_int_equal(stats_get(w->stats, COUNT_UNWANTED_REPLIES), 40);
}

/* The whole worker, as cairn.conf has it. */
static void a_workers_caches_are_emptied_then(void **state)
{
	static const char text[] = "server:\n\tunwanted-reply-threshold: 2\n\tmodule-config: \"iterator\"\n\tmax-reuse-tcp-queries: 7\n\toutgoing-tcp-mss: 1220\n"
		"\tudp-connect: no\n\tunknown-server-time-limit: 1128\n";
	struct world *w = (struct world *)*state;
	struct strbuf *report = strbuf_new(10000);
	struct bundle_key key = { w->request.q.name, RR_A, CLASS_IN, BUNDLE_DATA };
	const uint8_t address[4] = { 192, 0, 2, 1 };
	const struct span rdata = span_of(address, 4);
	const struct rrset *rs = rrset_make_in(w->arena, w->request.q.name, RR_A, CLASS_IN, 300, &rdata, 1, 0);
	struct upstream *before = w->up;
	struct worker_env env = { .loop = w->loop, .host = &w->fake->host, .workers = 1 };
	struct epoch_member *member;
	struct worker *k;
	struct conf *c = NULL;
	struct plan *p = NULL;
	uint64_t stamp;

	assert_non_null(report);
	assert_non_null(rs);
	if (!OK(conf_load_text(text, "test", report, &c)) || !OK(plan_make(c, NULL, w->rng, report, &p)))
		fail_msg("%s", strbuf_text(report));
	assert_int_equal(p->upstream.tcp_questions, 7);
	assert_int_equal(p->upstream.tcp_mss, 1220);
	assert_true(p->upstream.udp_unconnected);
	assert_int_equal(p->infra.unknown_ms, 1128);
	env.plan = p;
	env.zones = p->zones;
	env.shared = shared_new(p, w->rng);
	assert_non_null(env.shared);
	env.member = member = epoch_join(env.shared->epoch);
	assert_non_null(member);
	epoch_online(member);
	k = worker_new(&env);
	assert_non_null(k);
	w->up = k->upstream;
	assert_true(OK(rrcache_put(env.shared->rrcache, member, &key, &rs, 1, 300, loop_now(w->loop))));
	stamp = env.shared->stamp;
	world_must_ask(w);
	udp_reply(w, 0, &(struct reply_spec){ .type = RR_AAAA });
	assert_non_null(rrcache_get(env.shared->rrcache, &key, loop_now(w->loop), 0));
	assert_int_equal(env.shared->stamp, stamp);
	udp_reply(w, 0, &(struct reply_spec){ .type = RR_AAAA });
	assert_null(rrcache_get(env.shared->rrcache, &key, loop_now(w->loop), 0));
	assert_true(env.shared->stamp > stamp);
	assert_int_equal(stats_get(&k->stats, COUNT_UNWANTED_ALARMS), 1);
	udp_reply(w, 0, &good);
	assert_told(w, ASK_REPLY);
	w->up = before;
	worker_free(k);
	world_turn(w);
	epoch_leave(member);
	shared_free(env.shared);
	plan_unref(p);
	strbuf_free(report);
}

static void malformed_replies_only(void **state)
{
	struct world *w = (struct world *)*state;

	world_must_ask(w);
	udp_reply(w, 0, &(struct reply_spec){ .cut = 3 });
	assert_int_equal(w->me.told, 0);
	world_run(w, 399);
	assert_int_equal(w->me.told, 0);
	world_run(w, 2);
	assert_told(w, ASK_MALFORMED);
}

static void silence_is_a_timeout_and_a_late_reply_is_learnt_from(void **state)
{
	struct world *w = (struct world *)*state;

	world_must_ask(w);
	world_run(w, 399);
	assert_int_equal(w->me.told, 0);
	world_run(w, 2);
	assert_told(w, ASK_TIMEOUT);
	assert_int_equal(world_facts(w).timeouts, 1);
	assert_null(ask_get(w->loop, w->ask));
	world_run(w, 300);
	udp_reply(w, 0, &(struct reply_spec){ .id_xor = 1 });
	assert_int_equal(world_facts(w).timeouts, 1);
	udp_reply(w, 0, &good);
	assert_int_equal(w->me.told, 1);
	assert_int_equal(world_facts(w).timeouts, 0);
	assert_in_range(world_facts(w).srtt_us, 700000, 702000);
	assert_false(w->fake->udp[0]->open);
}

static void silence_after_forged_packets_is_not_held_against_the_server(void **state)
{
	struct world *w = (struct world *)*state;
	const struct reply_spec bad[] = { { .name = "example.net." }, { .set = MSG_TC } };

	for (size_t i = 0; i < 2; i++) {
		w->me.told = 0;
		world_must_ask(w);
		udp_reply(w, i, &bad[i]);
		if (i == 0)
			world_run(w, 401); /* then TCP is tried */
		tcp_closed(w, i, ERR_REFUSED);
		world_run(w, 500);
		assert_int_equal(w->me.told, 1);
		assert_int_not_equal(w->me.reply.outcome, ASK_REPLY);
		assert_int_equal(world_facts(w).timeouts, 0);
	}
}

static void nobody_listens_for_ever(void **state)
{
	struct world *w = (struct world *)*state;

	world_must_ask(w);
	world_run(w, 401);
	assert_true(w->fake->udp[0]->open);
	world_run(w, 2001);
	assert_false(w->fake->udp[0]->open);
}

static void unreachable_is_believed_after_a_moment(void **state)
{
	struct world *w = (struct world *)*state;

	world_must_ask(w);
	udp_error(w, 0, ERR_SYSTEM);
	assert_int_equal(w->me.told, 0);
	world_run(w, 51);
	assert_told(w, ASK_UNREACHABLE);
	assert_int_equal(world_facts(w).timeouts, 1);
}

static void a_reply_may_follow_unreachable(void **state)
{
	struct world *w = (struct world *)*state;

	world_must_ask(w);
	udp_error(w, 0, ERR_SYSTEM);
	world_run(w, 20);
	udp_reply(w, 0, &good);
	assert_told(w, ASK_REPLY);
}

static void fragments_go_to_tcp(void **state)
{
	struct world *w = (struct world *)*state;

	world_must_ask(w);
	udp_error(w, 0, ERR_REFUSED);
	tcp_connected(w, 0);
	tcp_reply(w, 0, 0, &good);
	assert_told(w, ASK_REPLY);
	assert_true(w->me.reply.tcp);
}

/* -------------------------------------------------------------------------------------------------------------------- 0x20 */

static void a_server_that_folds_case_is_asked_over_tcp_and_remembered(void **state)
{
	struct world *w = (struct world *)*state;
	struct msg_query q;

	world_must_ask(w);
	udp_reply(w, 0, &(struct reply_spec){ .opt = true, .lower = true });
	assert_int_equal(w->me.told, 0);
	assert_int_equal(w->fake->tcps, 1);
	tcp_connected(w, 0);
	tcp_reply(w, 0, 0, &(struct reply_spec){ .opt = true, .lower = true });
	assert_told(w, ASK_REPLY);
	assert_true(world_facts(w).no_0x20);
	world_turn(w);
	world_must_ask(w);
	assert_int_equal(msg_read_query(udp_query(w, 1), 20, &q), MSG_GOOD);
	assert_true(name_equal_case(q.q.name, w->request.q.name));
}

static void without_tcp_it_is_asked_in_plain_case(void **state)
{
	struct world *w = (struct world *)*state;
	struct msg_query q;

	world_must_ask(w);
	udp_reply(w, 0, &(struct reply_spec){ .opt = true, .lower = true });
	tcp_closed(w, 0, ERR_REFUSED);
	assert_int_equal(w->fake->udps, 2);
	assert_int_equal(msg_read_query(udp_query(w, 1), 20, &q), MSG_GOOD);
	assert_true(name_equal_case(q.q.name, w->request.q.name));
	udp_reply(w, 1, &good);
	assert_told(w, ASK_REPLY);
	assert_true(world_facts(w).no_0x20);
}

static void a_forged_case_alone_does_not_switch_it_off(void **state)
{
	struct world *w = (struct world *)*state;

	world_must_ask(w);
	udp_reply(w, 0, &(struct reply_spec){ .opt = true, .other_case = true });
	tcp_closed(w, 0, ERR_REFUSED);
	udp_reply(w, 0, &good); /* the real one, to the first query */
	assert_told(w, ASK_REPLY);
	assert_false(world_facts(w).no_0x20);
}

/* ------------------------------------------------------------------------------------------------------- budget and limits */

static void without_budget_nothing_is_sent(void **state)
{
	struct world *w = (struct world *)*state;

	w->budget.left.packets = 0;
	assert_int_equal(world_ask(w).e, ERR_BUDGET);
	assert_int_equal(w->fake->udps, 0);
	w->request.tcp = true;
	w->budget.left.packets = 1;
	assert_int_equal(world_ask(w).e, ERR_BUDGET);
	assert_int_equal(w->fake->tcps, 0);
}

static void the_fallback_to_tcp_is_charged(void **state)
{
	struct world *w = (struct world *)*state;

	w->budget.left.packets = 2;
	world_must_ask(w);
	udp_reply(w, 0, &(struct reply_spec){ .set = MSG_TC });
	assert_int_equal(w->fake->tcps, 0);
	world_run(w, 401);
	assert_int_equal(w->me.told, 1);
	assert_int_not_equal(w->me.reply.outcome, ASK_REPLY);
}

static void octets_are_charged(void **state)
{
	struct world *w = (struct world *)*state;

	w->budget.left.octets = 20;
	world_must_ask(w);
	udp_reply(w, 0, &good);
	assert_told(w, ASK_BUDGET);
	assert_int_equal(w->budget.left.octets, 20);
}

static void what_finds_no_room_waits(void **state)
{
	struct world *w = (struct world *)*state;
	ask_h waiting = { 0 };

	w->set.max_asks = 2;
	upstream_set(w->up, &w->set);
	for (int i = 0; i < 4; i++) {
		world_must_ask(w);
		if (i == 2)
			waiting = w->ask;
	}
	assert_int_equal(world_ask(w).e, ERR_LIMIT);
	assert_int_equal(w->fake->udps, 2);
	upstream_cancel(w->up, waiting);
	udp_reply(w, 0, &good);
	world_turn(w);
	assert_int_equal(w->fake->udps, 3);
	assert_int_equal(w->me.told, 1);
}

static void waiting_for_room_has_an_end(void **state)
{
	struct world *w = (struct world *)*state;

	w->set.max_asks = 1;
	w->request.timeout_ms = 5000;
	upstream_set(w->up, &w->set);
	world_must_ask(w);
	world_must_ask(w);
	world_run(w, 1001);
	assert_told(w, ASK_NO_ROOM);
}

static void late_ones_give_way(void **state)
{
	struct world *w = (struct world *)*state;

	w->set.max_asks = 1;
	upstream_set(w->up, &w->set);
	world_must_ask(w);
	world_run(w, 401);
	assert_told(w, ASK_TIMEOUT);
	assert_true(w->fake->udp[0]->open);
	world_must_ask(w);
	assert_false(w->fake->udp[0]->open);
	assert_int_equal(w->fake->udps, 2);
}

static void settings_say_what_may_be_used(void **state)
{
	struct world *w = (struct world *)*state;
	struct addr from[2] = { { .family = ADDR_V4, .b = { 127, 0, 0, 9 } }, { .family = ADDR_V4, .b = { 127, 0, 0, 8 } } };
	unsigned int nine = 0;

	w->set.ipv4 = false;
	upstream_set(w->up, &w->set);
	assert_int_equal(world_ask(w).e, ERR_UNSUPPORTED);
	w->set.ipv4 = true;
	w->set.from = from;
	w->set.from_count = 2;
	upstream_set(w->up, &w->set);
	for (size_t i = 0; i < 40; i++) {
		world_must_ask(w);
		nine += w->fake->udp[i]->o.from.b[3] == 9;
		upstream_cancel(w->up, w->ask);
	}
	assert_in_range(nine, 8, 32);
	w->set.from_count = 0;
	w->set.udp = false;
	upstream_set(w->up, &w->set);
	world_must_ask(w);
	assert_int_equal(w->fake->tcps, 1);
	w->set.tcp = false;
	upstream_set(w->up, &w->set);
	assert_int_equal(world_ask(w).e, ERR_UNSUPPORTED);
}

/* By TCP alone: who was never heard is not waited for as long as one who answered before; a forwarder has work to do. */
static void a_server_that_is_silent_over_tcp_is_left_soon(void **state)
{
	struct world *w = (struct world *)*state;

	w->set.udp = false;
	upstream_set(w->up, &w->set);
	world_must_ask(w);
	world_run(w, 1499);
	assert_int_equal(w->me.told, 0);
	world_run(w, 2);
	assert_told(w, ASK_TIMEOUT);
	w->me.told = 0;
	w->request.timeout_ms = 700;
	world_must_ask(w);
	world_run(w, 2099);
	assert_int_equal(w->me.told, 0);
	world_run(w, 2);
	assert_told(w, ASK_TIMEOUT);
	w->me.told = 0;
	w->request.recurse = true;
	world_must_ask(w);
	world_run(w, 2999);
	assert_int_equal(w->me.told, 0);
	world_run(w, 2);
	assert_told(w, ASK_TIMEOUT);
}

static void an_error_of_the_host_is_given_back(void **state)
{
	struct world *w = (struct world *)*state;

	w->fake->ask_error = ERR_SYSTEM;
	assert_int_equal(world_ask(w).e, ERR_SYSTEM);
	w->fake->ask_error = ERR_LIMIT;
	assert_int_equal(world_ask(w).e, ERR_LIMIT);
	w->fake->connect_error = ERR_REFUSED;
	w->request.tcp = true;
	assert_int_equal(world_ask(w).e, ERR_REFUSED);
	assert_int_equal(w->me.told, 0);
}

/* -------------------------------------------------------------------------------------------------------------- cancelling */

static void cancelling_in_every_state(void **state)
{
	struct world *w = (struct world *)*state;

	for (int step = 0; step < 8; step++) {
		size_t udp = w->fake->udps, tcp = w->fake->tcps;

		w->request.tcp = false;
		w->set.max_asks = step == 7 ? 1 : 100;
		upstream_set(w->up, &w->set);
		if (step == 7)
			world_must_ask(w); /* the next one waits for room */
		world_must_ask(w);
		if (step >= 1 && step < 7)
			udp_reply(w, udp, &(struct reply_spec){ .set = MSG_TC }); /* connecting */
		if (step == 2)
			tcp_connected(w, tcp);
		if (step == 3)
			udp_reply(w, udp, &(struct reply_spec){ .id_xor = 3 });
		if (step == 4)
			udp_reply(w, udp, &(struct reply_spec){ .rcode = RCODE_FORMERR });
		if (step == 5)
			tcp_closed(w, tcp, ERR_REFUSED);
		if (step == 6)
			world_run(w, 10);
		upstream_cancel(w->up, w->ask);
		upstream_cancel(w->up, w->ask);
		assert_null(ask_get(w->loop, w->ask));
		for (size_t i = udp; step < 7 && i < w->fake->udps; i++)
			assert_false(w->fake->udp[i]->open);
		udp_reply(w, udp, &good);
		world_run(w, 20000); /* idle connections are closed as well */
		assert_int_equal(w->me.told, step == 7);
	}
}

static void a_cancelled_question_leaves_the_connection_to_others(void **state)
{
	struct world *w = (struct world *)*state;

	ask_tcp(w);
	ask_tcp(w);
	tcp_connected(w, 0);
	upstream_cancel(w->up, w->ask);
	tcp_reply(w, 0, 1, &good); /* to nobody */
	assert_int_equal(w->me.told, 0);
	tcp_reply(w, 0, 0, &good);
	assert_told(w, ASK_REPLY);
}

static void an_asker_that_is_gone_is_not_called(void **state)
{
	struct world *w = (struct world *)*state;

	world_must_ask(w);
	asker_retire(w->loop, w->me.self);
	udp_reply(w, 0, &good);
	assert_int_equal(w->me.told, 0);
	assert_false(w->fake->udp[0]->open);
	w->me.self = asker_enlist(w->loop, &w->me);
}

static void ending_with_everything_under_way(void **state)
{
	struct world *w = (struct world *)*state;

	w->set.max_asks = 3;
	upstream_set(w->up, &w->set);
	world_must_ask(w);
	world_run(w, 401); /* late */
	world_must_ask(w);
	ask_tcp(w);
	ask_tcp(w);
	ask_tcp(w);
	/* world_end() frees and looks for what is left */
}

/* Each allocation on the way over UDP, truncation and TCP fails once: an outcome or an error, and nothing left. */
static void memory_running_out_at_every_step(void **state)
{
	struct world *w = (struct world *)*state;
	unsigned int failures = 0;

	for (uint64_t n = 1; n < 60; n++) {
		size_t udp = w->fake->udps, tcp = w->fake->tcps;
		struct result r;

		w->me.told = 0;
		w->request.tcp = n % 2;
		mem_fail_at(n / 2, false);
		r = world_ask(w);
		if (w->fake->udps > udp)
			udp_octets(w, udp, span_of("x", 1));
		mem_fail_at(0, false);
		if (w->fake->udps > udp) {
			uint8_t buf[600];
			size_t len = make_reply(udp_query(w, udp), &(struct reply_spec){ .set = MSG_TC }, buf, sizeof buf);

			mem_fail_at(n / 2, false);
			udp_octets(w, udp, span_of(buf, len));
			mem_fail_at(0, false);
		}
		if (w->fake->tcps > tcp && tcp_query(w, tcp, 0).n > 0) {
			uint8_t buf[600];
			size_t len = make_reply(tcp_query(w, tcp, 0), &good, buf + 2, sizeof buf - 2);

			tcp_connected(w, tcp);
			store16(buf, (uint16_t)len);
			mem_fail_at(n / 2, false);
			tcp_octets(w, tcp, span_of(buf, 5));
			tcp_octets(w, tcp, span_of(buf + 5, len - 3));
			mem_fail_at(0, false);
		}
		failures += !OK(r) || w->me.reply.outcome != ASK_REPLY;
		world_run(w, 20000);
		if (OK(r))
			assert_int_equal(w->me.told, 1);
		assert_int_equal(loop_live_handles(w->loop), 2); /* the asker and the upstream */
	}
	assert_true(failures > 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_reply_that_fits_is_told),
		CASE(every_query_has_its_own_id_and_case),
		CASE(flags_and_plain_case_follow_the_request),
		CASE(no_forged_packet_is_taken_nor_loses_the_real_one),
		CASE(nor_when_the_server_refuses_tcp),
		CASE(a_wrong_id_sends_the_question_to_tcp),
		CASE(what_came_after_one_wrong_id_is_taken_when_tcp_fails),
		CASE(a_silent_tcp_does_not_hold_it_for_long),
		CASE(after_two_wrong_ids_nothing_is_taken_over_that_port),
		CASE(a_cookie_tells_even_after_a_wrong_id),
		CASE(so_many_unwanted_replies_raise_an_alarm),
		CASE(a_workers_caches_are_emptied_then),
		CASE(malformed_replies_only),
		CASE(silence_is_a_timeout_and_a_late_reply_is_learnt_from),
		CASE(silence_after_forged_packets_is_not_held_against_the_server),
		CASE(nobody_listens_for_ever),
		CASE(unreachable_is_believed_after_a_moment),
		CASE(a_reply_may_follow_unreachable),
		CASE(fragments_go_to_tcp),
		CASE(a_server_that_folds_case_is_asked_over_tcp_and_remembered),
		CASE(without_tcp_it_is_asked_in_plain_case),
		CASE(a_forged_case_alone_does_not_switch_it_off),
		CASE(without_budget_nothing_is_sent),
		CASE(the_fallback_to_tcp_is_charged),
		CASE(octets_are_charged),
		CASE(what_finds_no_room_waits),
		CASE(waiting_for_room_has_an_end),
		CASE(late_ones_give_way),
		CASE(settings_say_what_may_be_used),
		CASE(a_server_that_is_silent_over_tcp_is_left_soon),
		CASE(an_error_of_the_host_is_given_back),
		CASE(cancelling_in_every_state),
		CASE(a_cancelled_question_leaves_the_connection_to_others),
		CASE(an_asker_that_is_gone_is_not_called),
		CASE(ending_with_everything_under_way),
		CASE(memory_running_out_at_every_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
