/* The serving side between a host and a core that are played by the test: what is answered, what waits, what gives way. */
#include "tests/unit/resolver/serve_world.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "resolver/serve/listener.h"

static void a_miss_waits_and_a_hit_does_not(void **state)
{
	BEGIN("");
	ask("www.example.com.", 0x1234, 1);
	assert_int_equal(asked_count, 1);
	assert_int_equal(sent_count, 0);
	tell_addresses(0, 2, 300);
	assert_int_equal(sent_count, 1);
	assert_int_equal(sent_id(0), 0x1234);
	assert_int_equal(sent_flags(0), MSG_QR | MSG_RD | MSG_RA);
	assert_int_equal(sent_answers(0), 2);
	turn();
	ask("WWW.Example.com.", 0x4321, 2);
	assert_int_equal(asked_count, 1);
	assert_int_equal(sent_count, 2);
	assert_int_equal(sent_id(1), 0x4321);
	assert_memory_equal(sent[1].b + 13, "WWW", 3); /* the client's letter case */
	assert_int_equal(stats_get(&world.stats, COUNT_CACHE_HITS), 1);
	assert_int_equal(stats_get(&world.stats, COUNT_CACHE_MISSES), 1);
	serve_world_end();
}

static void ttls_count_down_and_an_expired_answer_is_asked_for_again(void **state)
{
	BEGIN("");
	ask("a.test-a.org.", 1, 1);
	tell_addresses(0, 1, 300);
	pass_ms(100000);
	ask("a.test-a.org.", 2, 1);
	assert_int_equal(sent_count, 2);
	assert_int_equal(load32(sent[1].b + sent[1].n - 10), 200);
	pass_ms(199000);
	ask("a.test-a.org.", 3, 1);
	assert_int_equal(asked_count, 1);
	pass_ms(2000);
	ask("a.test-a.org.", 4, 1);
	assert_int_equal(asked_count, 2);
	serve_world_end();
}

static void a_raised_stamp_sends_hits_to_core(void **state)
{
	BEGIN("");
	ask("a.org.", 1, 1);
	tell_addresses(0, 1, 300);
	turn();
	atomic_fetch_add(&world.stamp, 1);
	ask("a.org.", 2, 1);
	assert_int_equal(asked_count, 2);
	tell_addresses(1, 1, 300);
	turn();
	ask("a.org.", 3, 1);
	assert_int_equal(asked_count, 2);
	serve_world_end();
}

static void everyone_who_waits_is_answered(void **state)
{
	BEGIN("");
	for (unsigned int i = 0; i < 50; i++)
		ask("a.org.", (uint16_t)i, i);
	assert_int_equal(asked_count, 50);
	for (unsigned int i = 0; i < 50; i++)
		tell_addresses(i, 1, 60);
	assert_int_equal(sent_count, 50);
	for (unsigned int i = 0; i < 50; i++)
		assert_int_equal(sent_id(i), i);
	turn();
	assert_int_equal(world.serve->clients.count, 0);
	serve_world_end();
}

static void what_must_not_be_stored_is_asked_for_each_time(void **state)
{
	struct answer failed = {
		.rcode = RCODE_SERVFAIL, .ede = { { EDE_NO_REACHABLE, NULL } }, .ede_count = 1, .why = "all dead"
	};

	BEGIN("");
	ask("zero.org.", 1, 1);
	tell_addresses(0, 1, 0);
	ask("zero.org.", 2, 1);
	assert_int_equal(asked_count, 2);
	tell(1, &failed);
	assert_int_equal(msg_rcode(sent_flags(1)), RCODE_SERVFAIL);
	receive(question("fail.org.", RR_A, 3, MSG_RD, 1232, (struct span){ NULL, 0 }), 1);
	tell(2, &failed);
	assert_int_equal(load16(sent[2].b + sent[2].n - 6), EDNS_ERROR);
	assert_int_equal(load16(sent[2].b + sent[2].n - 2), EDE_NO_REACHABLE);
	serve_world_end();
}

/* A flood of names that denials answer for must not take the answer cache. */
static void what_denials_answer_is_stored_when_it_is_asked_for_again(void **state)
{
	BEGIN("");
	for (unsigned int i = 0; i < 2; i++) {
		struct answer a;

		ask("gap.org.", (uint16_t)i, 1);
		assert_int_equal(asked_count, i + 1);
		a = addresses(i, 1, 60);
		a.synthesized = true;
		tell(i, &a);
	}
	ask("gap.org.", 3, 1);
	assert_int_equal(asked_count, 2);
	assert_int_equal(sent_count, 3);
	serve_world_end();
}

static void answers_that_do_not_fit_are_cut_at_an_rr_and_say_so(void **state)
{
	BEGIN("");
	ask("big.org.", 1, 1);
	tell_addresses(0, 100, 60);
	assert_int_equal(sent_flags(0) & MSG_TC, MSG_TC);
	assert_in_range(sent[0].n, 480, 512);
	assert_int_equal(sent[0].n, 12 + 9 + 4 + 16u * sent_answers(0));
	turn();
	receive(question("big.org.", RR_A, 2, MSG_RD, 4096, (struct span){ NULL, 0 }), 1);
	assert_in_range(sent[1].n, 1200, 1232); /* max-udp-size */
	assert_int_equal(sent_flags(1) & MSG_TC, MSG_TC);
	serve_world_end();
}

static void a_reply_that_comes_too_late_is_dropped_but_kept_for_the_next(void **state)
{
	BEGIN(" discard-timeout: 1900\n");
	ask("slow.org.", 1, 1);
	pass_ms(1901);
	tell_addresses(0, 1, 60);
	assert_int_equal(sent_count, 0);
	assert_int_equal(stats_get(&world.stats, COUNT_QUERIES_DISCARDED), 1);
	turn();
	ask("slow.org.", 2, 1);
	assert_int_equal(sent_count, 1);
	serve_world_end();
	serve_world_start(" discard-timeout: 0\n");
	ask("slow.org.", 1, 1);
	pass_ms(60000);
	tell_addresses(0, 1, 60);
	assert_int_equal(sent_count, 1);
	serve_world_end();
}

static void a_failure_is_told_however_late(void **state)
{
	struct answer failed = { .rcode = RCODE_SERVFAIL, .why = "all silent" };

	BEGIN(" discard-timeout: 1900\n");
	ask("slow.org.", 1, 1);
	pass_ms(3000);
	tell(0, &failed);
	assert_int_equal(sent_count, 1);
	assert_int_equal(sent_flags(0) & 15, RCODE_SERVFAIL);
	assert_int_equal(stats_get(&world.stats, COUNT_QUERIES_DISCARDED), 0);
	serve_world_end();
}

static void who_waits_too_long_is_told_and_the_resolution_goes_on(void **state)
{
	BEGIN(" discard-timeout: 1900\n");
	ask("slow.org.", 1, 1);
	pass_ms(4499);
	assert_int_equal(sent_count, 0);
	pass_ms(2);
	assert_int_equal(sent_count, 1);
	assert_int_equal(sent_flags(0) & 15, RCODE_SERVFAIL);
	assert_int_equal(cancelled, 0);
	assert_int_equal(stats_get(&world.stats, COUNT_QUERIES_GIVEN_UP), 1);
	assert_int_equal(quota_count(world.serve->quota, &(struct addr){ ADDR_V4, { 127, 0, 0, 1 } }, QUOTA_WAITING), 0);
	pass_ms(4000);
	tell_addresses(0, 1, 60); /* for the next one */
	assert_int_equal(sent_count, 1);
	turn();
	ask("slow.org.", 2, 1);
	assert_int_equal(sent_count, 2);
	assert_int_equal(asked_count, 1);
	serve_world_end();
	serve_world_start(" discard-timeout: 0\n");
	ask("slow.org.", 1, 1);
	pass_ms(11000);
	assert_int_equal(sent_count, 0);
	serve_world_end();
}

static void when_full_the_oldest_slow_question_gives_way(void **state)
{
	BEGIN(" num-queries-per-thread: 4\n jostle-timeout: 200\n");
	for (unsigned int i = 0; i < 4; i++) {
		const char *names[] = { "a.org.", "b.org.", "c.org.", "d.org." };

		ask(names[i], (uint16_t)i, 1);
	}
	ask("e.org.", 9, 1); /* nobody has been slow yet */
	assert_int_equal(asked_count, 4);
	assert_int_equal(stats_get(&world.stats, COUNT_LIST_EXCEEDED), 1);
	pass_ms(201);
	ask("f.org.", 10, 1);
	assert_int_equal(asked_count, 5);
	assert_int_equal(dropped_oldest, 1);
	assert_int_equal(sent_count, 1);
	assert_int_equal(sent_id(0), 0);
	assert_int_equal(msg_rcode(sent_flags(0)), RCODE_SERVFAIL);
	serve_world_end();
}

static void hits_are_answered_while_the_queue_is_full(void **state)
{
	BEGIN(" num-queries-per-thread: 2\n");
	ask("hit.org.", 1, 1);
	tell_addresses(0, 1, 60);
	turn();
	ask("a.org.", 2, 1);
	ask("b.org.", 3, 1);
	ask("c.org.", 4, 1);
	ask("hit.org.", 5, 1);
	assert_int_equal(sent_count, 2);
	assert_int_equal(sent_id(1), 5);
	serve_world_end();
}

static void one_client_may_not_have_all_places(void **state)
{
	BEGIN(" wait-limit: 2\n wait-limit-netblock: 127.0.0.9/32 -1\n");
	ask("a.org.", 1, 1);
	ask("b.org.", 2, 1);
	ask("c.org.", 3, 1);
	assert_int_equal(asked_count, 2);
	assert_int_equal(stats_get(&world.stats, COUNT_QUERIES_WAIT_LIMIT), 1);
	ask("c.org.", 4, 2);
	assert_int_equal(asked_count, 3);
	for (unsigned int i = 0; i < 5; i++)
		ask("x.org.", 4, 9);
	assert_int_equal(asked_count, 8);
	tell_addresses(0, 1, 60);
	ask("d.org.", 5, 1);
	assert_int_equal(asked_count, 9);
	serve_world_end();
}

static void a_hit_near_its_end_starts_one_refresh(void **state)
{
	BEGIN(" prefetch: yes\n");
	ask("a.org.", 1, 1);
	tell_addresses(0, 1, 100);
	pass_ms(89000);
	ask("a.org.", 2, 1);
	assert_int_equal(asked_count, 1);
	pass_ms(2000);
	ask("a.org.", 3, 1);
	ask("a.org.", 4, 1);
	assert_int_equal(asked_count, 2);
	assert_true(asked[1].r.refresh);
	assert_int_equal(sent_count, 4);
	tell_addresses(1, 1, 100);
	assert_int_equal(sent_count, 4);
	pass_ms(50000);
	ask("a.org.", 5, 1);
	assert_int_equal(asked_count, 2);
	serve_world_end();
}

static void expired_data_comes_with_its_ttl_and_mark_and_is_renewed(void **state)
{
	struct answer a;

	BEGIN(" serve-expired: yes\n serve-expired-reply-ttl: 33\n ede-serve-expired: yes\n");
	receive(question("old.org.", RR_A, 1, MSG_RD, 1232, (struct span){ NULL, 0 }), 1);
	assert_true(asked[0].r.stale_ok);
	assert_int_equal(asked[0].r.stale_after_ms, 1800);
	a = addresses(0, 1, 600);
	a.stale = true;
	a.cacheable = false;
	a.sets[0].ttl = 0;
	tell(0, &a);
	assert_int_equal(sent_count, 1);
	assert_int_equal(load32(sent[0].b + 12 + 9 + 4 + 6), 33);
	assert_int_equal(load16(sent[0].b + sent[0].n - 2), EDE_STALE);
	assert_int_equal(asked_count, 2); /* the resolution goes on */
	assert_false(asked[1].r.stale_ok);
	tell_addresses(1, 1, 600);
	turn();
	receive(question("old.org.", RR_A, 2, MSG_RD, 1232, (struct span){ NULL, 0 }), 1);
	assert_int_equal(asked_count, 2);
	assert_int_equal(sent_count, 2);
	serve_world_end();
}

static void core_without_memory_is_a_servfail(void **state)
{
	BEGIN("");
	core_error = ERR_NOMEM;
	ask("a.org.", 1, 1);
	assert_int_equal(sent_count, 1);
	assert_int_equal(msg_rcode(sent_flags(0)), RCODE_SERVFAIL);
	turn();
	assert_int_equal(world.serve->clients.count, 0);
	serve_world_end();
}

/* Whichever allocation fails: nothing is left under way, and no other client is hurt. */
static void memory_may_run_out_at_each_allocation(void **state)
{
	(void)state;
	for (uint64_t n = 1; n < 60; n++) {
		serve_world_start(" prefetch: yes\n local-data: \"alias.example. 60 IN CNAME www.example.com.\"\n");
		mem_fail_at(n, false);
		ask("a.org.", 1, 1);
		ask("alias.example.", 2, 2);
		connect_from(1, 3);
		if (streams[1].adopted && !streams[1].closed) {
			struct wire q = framed("b.org.", 3);

			stream_gives(1, q.b, 5);
			if (!streams[1].closed)
				stream_gives(1, q.b + 5, q.n - 5);
		}
		for (size_t i = 0; i < asked_count; i++) {
			uint64_t who = asked[i].who;

			if (asked[i].open && loop_slot_get(world.loop, asked[i].type, who) != NULL) {
				struct answer failed = { .rcode = RCODE_SERVFAIL, .why = "test" };

				tell(i, &failed);
			}
		}
		mem_fail_at(0, false);
		turn();
		assert_int_equal(world.serve->clients.count, 0);
		assert_int_equal(quota_count(world.serve->quota, &(struct addr){ ADDR_V4, { 127, 0, 0, 1 } }, QUOTA_WAITING), 0);
		ask("c.org.", 4, 4);
		assert_true(asked[asked_count - 1].open);
		tell_addresses(asked_count - 1, 1, 60);
		assert_int_equal(sent_id(sent_count - 1), 4);
		serve_world_end();
	}
}

static void an_alias_in_local_data_is_followed(void **state)
{
	BEGIN(" local-data: \"alias.example. 60 IN CNAME www.example.com.\"\n");
	ask("alias.example.", 1, 1);
	assert_int_equal(asked_count, 1);
	assert_int_equal(asked[0].name.b[0], 3);
	tell_addresses(0, 1, 60);
	assert_int_equal(sent_count, 1);
	assert_int_equal(sent_answers(0), 2);
	ask("alias.example.", 2, 1);
	assert_int_equal(asked_count, 2);
	serve_world_end();
}

static void replies_and_echo_services_are_never_answered(void **state)
{
	struct wire q = question("a.org.", RR_A, 1, MSG_RD | MSG_QR, 0, (struct span){ NULL, 0 });
	struct datagram d;
	struct wire echo = question("a.org.", RR_A, 1, MSG_RD, 0, (struct span){ NULL, 0 });

	BEGIN("");
	receive(q, 1);
	for (size_t n = 0; n < 12; n++) {
		q.n = n;
		receive(q, 1);
	}
	d = (struct datagram){ echo.b, echo.n, client(1), { ADDR_NONE, { 0 } }, 0 };
	d.from.port = 7;
	deliver(&d, 1);
	d.from.port = 0;
	deliver(&d, 1);
	assert_int_equal(sent_count, 0);
	assert_int_equal(asked_count, 0);
	assert_int_equal(stats_get(&world.stats, COUNT_DROPPED_MALFORMED), 15);
	serve_world_end();
}

static void a_question_that_waited_too_long_in_the_socket_is_dropped(void **state)
{
	struct wire q = question("a.org.", RR_A, 1, MSG_RD, 0, (struct span){ NULL, 0 });

	BEGIN("");
	assert_false(stamped);
	receive_late(q, 1, UINT32_MAX);
	assert_int_equal(asked_count, 1);
	serve_world_end();
	BEGIN(" sock-queue-timeout: 3\n");
	assert_true(stamped);
	receive_late(q, 1, 3000001);
	assert_int_equal(asked_count, 0);
	assert_int_equal(stats_get(&world.stats, COUNT_QUERIES_TIMED_OUT), 1);
	receive_late(q, 1, 3000000);
	assert_int_equal(asked_count, 1);
	assert_int_equal(stats_get(&world.stats, COUNT_QUERIES_TIMED_OUT), 1);
	serve_world_end();
	BEGIN(" sock-queue-timeout: 3600\n");
	receive_late(q, 1, 3600000000u);
	assert_int_equal(asked_count, 1);
	serve_world_end();
}

static void the_socket_is_asked_for_times_as_the_settings_say_now(void **state)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(1000);
	size_t failed;

	BEGIN("");
	assert_false(stamped);
	world.settings->queue_us = 1000000; /* what a reload does: other settings, then the listener */
	assert_true(OK(listener_open(world.serve, report, &failed)));
	assert_true(stamped);
	stamp_fails = true;
	assert_true(OK(listener_open(world.serve, report, &failed)));
	stamp_fails = false;
	assert_int_equal(failed, 0);
	assert_non_null(strstr(strbuf_text(report), "sock-queue-timeout has no effect at "));
	world.settings->queue_us = 0;
	assert_true(OK(listener_open(world.serve, report, &failed)));
	assert_false(stamped);
	serve_world_end();
}

static void a_batch_is_answered_in_order(void **state)
{
	static struct wire q[100];
	static struct datagram d[100];

	BEGIN("");
	ask("a.org.", 1, 1);
	tell_addresses(0, 1, 60);
	turn();
	sent_count = 0;
	for (unsigned int i = 0; i < 100; i++) {
		q[i] = question("a.org.", RR_A, (uint16_t)i, MSG_RD, 0, (struct span){ NULL, 0 });
		d[i] = (struct datagram){ q[i].b, q[i].n, client(i), { ADDR_NONE, { 0 } }, 0 };
	}
	deliver(d, 100);
	assert_int_equal(sent_count, 100);
	for (unsigned int i = 0; i < 100; i++)
		assert_int_equal(sent_id(i), i);
	serve_world_end();
}

/* Asks, over UDP and TCP, what a local zone answers, and returns what was logged meanwhile. */
static char *logged(const char *more) OWNED_BY(mem_free);
static char *logged(const char *more)
{
	AUTO_CHARS char *conf = mem_printf(" local-data: 'here.example. A 192.0.2.1'\n%s", more);
	struct log_config to = { .ident = "tester", .level = LOG_LEVEL_NOTICE };
	struct wire q = framed("here.example.", 5);
	char path[] = "/tmp/cairn-serve-log-XXXXXX";
	int fd = mkstemp(path);
	char *text = NULL;
	size_t n;

	assert_true(fd >= 0);
	(void)close(fd);
	to.file = path;
	serve_world_start(conf);
	assert_true(OK(log_setup(&to)));
	ask("here.example.", 1, 1);
	connect_from(1, 1);
	stream_gives(1, q.b, q.n);
	serve_world_end();
	to.file = NULL;
	assert_true(OK(log_setup(&to)));
	assert_true(OK(file_read_all(path, 10000, &text, &n)));
	(void)unlink(path);
	return text;
}

#define ASKED " here.example. A IN\n"
#define TOLD " here.example. A IN NOERROR 0.000000 1 46"

static void questions_and_replies_are_logged_when_that_is_wanted(void **state)
{
	AUTO_CHARS char *none = logged("");
	AUTO_CHARS char *both = logged(" log-queries: yes\n log-replies: yes\n log-tag-queryreply: no\n log-destaddr: no\n");

	(void)state;
	assert_string_equal(none, "");
	assert_non_null(strstr(both, "] notice: 127.0."));
	assert_non_null(strstr(both, ASKED));
	assert_non_null(strstr(both, TOLD "\n"));
	assert_null(strstr(both, "query:"));
	assert_null(strstr(both, "reply:"));
	assert_null(strstr(both, " on "));
}

static void lines_can_be_told_apart_by_a_tag(void **state)
{
	AUTO_CHARS char *text = logged(" log-queries: yes\n log-replies: yes\n log-tag-queryreply: yes\n");
	const char *query = strstr(text, "] query: 127.0."), *reply = strstr(text, "] reply: 127.0.");

	(void)state;
	assert_non_null(query);
	assert_non_null(reply);
	assert_true(strstr(query, ASKED) < reply);
	assert_non_null(strstr(reply, TOLD "\n"));
	assert_null(strstr(text, "notice:"));
}

static void a_line_for_a_reply_tells_where_the_question_came_to(void **state)
{
	AUTO_CHARS char *text = logged(" log-queries: yes\n log-replies: yes\n log-destaddr: yes\n");

	(void)state;
	assert_non_null(strstr(text, ASKED));
	assert_non_null(strstr(text, TOLD " on udp 127.0.0.1 5300\n"));
	assert_non_null(strstr(text, TOLD " on tcp 127.0.0.1 4000\n"));
}

static void the_end_leaves_nothing_under_way(void **state)
{
	BEGIN("");
	ask("a.org.", 1, 1);
	ask("b.org.", 1, 1);
	serve_world_end();
	assert_int_equal(cancelled, 2);
	assert_false(sock_open);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_miss_waits_and_a_hit_does_not),
		cmocka_unit_test(ttls_count_down_and_an_expired_answer_is_asked_for_again),
		cmocka_unit_test(a_raised_stamp_sends_hits_to_core),
		cmocka_unit_test(everyone_who_waits_is_answered),
		cmocka_unit_test(what_must_not_be_stored_is_asked_for_each_time),
		cmocka_unit_test(what_denials_answer_is_stored_when_it_is_asked_for_again),
		cmocka_unit_test(answers_that_do_not_fit_are_cut_at_an_rr_and_say_so),
		cmocka_unit_test(a_reply_that_comes_too_late_is_dropped_but_kept_for_the_next),
		cmocka_unit_test(a_failure_is_told_however_late),
		cmocka_unit_test(who_waits_too_long_is_told_and_the_resolution_goes_on),
		cmocka_unit_test(when_full_the_oldest_slow_question_gives_way),
		cmocka_unit_test(hits_are_answered_while_the_queue_is_full),
		cmocka_unit_test(one_client_may_not_have_all_places),
		cmocka_unit_test(a_hit_near_its_end_starts_one_refresh),
		cmocka_unit_test(expired_data_comes_with_its_ttl_and_mark_and_is_renewed),
		cmocka_unit_test(core_without_memory_is_a_servfail),
		cmocka_unit_test(memory_may_run_out_at_each_allocation),
		cmocka_unit_test(an_alias_in_local_data_is_followed),
		cmocka_unit_test(replies_and_echo_services_are_never_answered),
		cmocka_unit_test(a_question_that_waited_too_long_in_the_socket_is_dropped),
		cmocka_unit_test(the_socket_is_asked_for_times_as_the_settings_say_now),
		cmocka_unit_test(a_batch_is_answered_in_order),
		cmocka_unit_test(questions_and_replies_are_logged_when_that_is_wanted),
		cmocka_unit_test(lines_can_be_told_apart_by_a_tag),
		cmocka_unit_test(a_line_for_a_reply_tells_where_the_question_came_to),
		cmocka_unit_test(the_end_leaves_nothing_under_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
