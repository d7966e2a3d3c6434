#include "cache_unit.h"

#include "base/strbuf.h"
#include "resolver/cache/infra.h"

static const struct infra_limits usual = { .host_ttl_sec = 900, .max_entries = 1000, .min_rtt_ms = 50, .max_rtt_ms = 120000,
	.max_backoff_ms = 10000, .lame_ttl_sec = 300 };

static struct endpoint server(unsigned int n)
{
	return (struct endpoint){ { ADDR_V4, { 192, 0, (uint8_t)(n >> 8), (uint8_t)n } }, 53, 0 };
}

static struct server_facts facts(struct infra *i, unsigned int n, uint64_t ms)
{
	struct endpoint e = server(n);
	struct server_facts f;
	struct now now = at_ms(ms);

	infra_get(i, &e, &now, &f);
	return f;
}

static void rtt(struct infra *i, unsigned int n, uint32_t us, uint64_t ms)
{
	struct endpoint e = server(n);
	struct now now = at_ms(ms);

	infra_note_rtt(i, &e, us, &now);
}

static void timeout(struct infra *i, unsigned int n, uint64_t ms)
{
	struct endpoint e = server(n);
	struct now now = at_ms(ms);

	infra_note_timeout(i, &e, &now);
}

static bool may_ask(struct infra *i, unsigned int n, uint64_t ms)
{
	struct endpoint e = server(n);
	struct now now = at_ms(ms);

	return infra_may_ask(i, &e, &now);
}

#define BEGIN \
	struct infra *i = infra_new(&usual, &test_key); \
	(void)state; \
	assert_non_null(i)
#define END infra_free(i)

static void a_server_never_heard_has_defaults(void **state)
{
	BEGIN;
	struct server_facts f = facts(i, 1, 0);
	struct infra_limits l = usual;

	assert_int_equal(f.srtt_us, 0);
	assert_int_equal(f.timeout_ms, INFRA_UNKNOWN_RTT_MS);
	assert_int_equal(f.edns, EDNS_UNTRIED);
	assert_true(may_ask(i, 1, 0));
	assert_int_equal(infra_count(i), 0);
	l.unknown_ms = 1128;
	infra_set_limits(i, &l);
	assert_int_equal(facts(i, 1, 0).timeout_ms, 1128);
	l.unknown_ms = 0;
	infra_set_limits(i, &l);
	assert_int_equal(facts(i, 1, 0).timeout_ms, INFRA_UNKNOWN_RTT_MS);
	END;
}

static void round_trips_are_smoothed(void **state)
{
	BEGIN;
	struct server_facts f;

	rtt(i, 1, 100000, 0);
	f = facts(i, 1, 0);
	assert_int_equal(f.srtt_us, 100000);
	assert_int_equal(f.rttvar_us, 50000);
	assert_int_equal(f.timeout_ms, 300);
	rtt(i, 1, 180000, 0);
	f = facts(i, 1, 0);
	assert_int_equal(f.srtt_us, 110000);
	assert_int_equal(f.rttvar_us, 57500);
	for (int n = 0; n < 100; n++)
		rtt(i, 1, 1000, 0);
	assert_int_equal(facts(i, 1, 0).timeout_ms, 50);
	assert_int_equal(infra_count(i), 1);
	END;
}

static void timeouts_double_the_wait_and_three_lead_into_backoff(void **state)
{
	BEGIN;
	rtt(i, 1, 100000, 0);
	timeout(i, 1, 1000);
	assert_int_equal(facts(i, 1, 1000).timeout_ms, 600);
	assert_true(may_ask(i, 1, 1000));
	timeout(i, 1, 2000);
	assert_int_equal(facts(i, 1, 2000).timeout_ms, 1200);
	assert_true(may_ask(i, 1, 2000));
	timeout(i, 1, 4000);
	assert_int_equal(facts(i, 1, 4000).blocked_until_ms, 5000);
	assert_false(may_ask(i, 1, 4999));
	assert_true(may_ask(i, 1, 5000));
	END;
}

static void timeouts_of_questions_in_flight_together_count_once(void **state)
{
	BEGIN;
	for (int n = 0; n < 100; n++)
		timeout(i, 1, 1000 + (uint64_t)n % 50);
	assert_int_equal(facts(i, 1, 1100).timeouts, 1);
	END;
}

static void one_probe_at_a_time_goes_out_after_the_backoff(void **state)
{
	BEGIN;
	for (uint64_t n = 1; n <= 3; n++)
		timeout(i, 1, n * 5000);
	assert_true(may_ask(i, 1, 16000));
	assert_false(may_ask(i, 1, 16000));
	assert_false(may_ask(i, 1, 17000));
	timeout(i, 1, 18000);
	assert_int_equal(facts(i, 1, 18000).blocked_until_ms, 20000);
	for (int n = 0; n < 10; n++)
		timeout(i, 1, 18001); /* stragglers */
	assert_int_equal(facts(i, 1, 18001).blocked_until_ms, 20000);
	assert_true(may_ask(i, 1, 20000));
	assert_true(may_ask(i, 1, 40000)); /* the last probe was lost with its question */
	END;
}

static void a_single_reply_ends_the_backoff(void **state)
{
	BEGIN;
	for (uint64_t n = 1; n <= 3; n++)
		timeout(i, 1, n * 5000);
	rtt(i, 1, 20000, 15100);
	assert_int_equal(facts(i, 1, 15100).timeouts, 0);
	assert_int_equal(facts(i, 1, 15100).blocked_until_ms, 0);
	assert_true(may_ask(i, 1, 15100));
	assert_true(may_ask(i, 1, 15100));
	END;
}

static void a_longest_backoff_that_was_lowered_is_the_longest_at_once(void **state)
{
	BEGIN;
	struct infra_limits less = usual;

	for (uint64_t n = 1; n <= 3; n++)
		timeout(i, 1, n * 5000);
	assert_true(may_ask(i, 1, 16000));
	timeout(i, 1, 18000);
	assert_int_equal(facts(i, 1, 18000).blocked_until_ms, 20000);
	less.max_backoff_ms = 500;
	infra_set_limits(i, &less);
	assert_int_equal(facts(i, 1, 18000).blocked_until_ms, 18500);
	assert_false(may_ask(i, 1, 18499));
	assert_true(may_ask(i, 1, 18500));
	END;
}

/* Five days without a network: thirteen servers, a question each half a second. */
static void after_an_outage_of_any_length_every_server_is_asked_again_within_the_longest_backoff(void **state)
{
	BEGIN;
	uint64_t ms = 0, end = UINT64_C(5) * 86400 * 1000;
	unsigned int asked = 0;

	for (ms = 0; ms < end; ms += ms < 600000 || ms > end - 600000 ? 500 : 60000)
		for (unsigned int n = 0; n < 13; n++)
			if (may_ask(i, n, ms))
				timeout(i, n, ms + 499);
	for (; asked == 0; ms += 500) {
		for (unsigned int n = 0; n < 13; n++)
			asked += may_ask(i, n, ms);
		assert_true(ms <= end + usual.max_backoff_ms + 500);
	}
	END;
}

static void the_first_reply_after_an_outage_of_ours_releases_all(void **state)
{
	BEGIN;
	for (uint64_t ms = 0; ms < 600000; ms += 500)
		for (unsigned int n = 0; n < 13; n++)
			if (may_ask(i, n, ms) || ms == 599500)
				timeout(i, n, ms + 499);
	for (unsigned int n = 0; n < 13; n++)
		while (facts(i, n, 600000).blocked_until_ms < 609000) { /* each at the beginning of a long back-off */
			(void)may_ask(i, n, 600000 + 10000);
			timeout(i, n, 600000);
			timeout(i, n, 600000 + 10001);
		}
	for (unsigned int n = 0; n < 13; n++)
		assert_false(may_ask(i, n, 610100));
	rtt(i, 3, 20000, 610200);
	for (unsigned int n = 0; n < 13; n++) {
		assert_true(may_ask(i, n, 610300));
		assert_int_equal(may_ask(i, n, 610300), n == 3); /* still one probe at a time */
	}
	END;
}

static void a_dead_server_costs_one_probe_a_backoff_while_others_answer(void **state)
{
	BEGIN;
	unsigned int probes = 0;

	for (uint64_t ms = 0; ms < 600000; ms += 100) {
		rtt(i, 2, 20000, ms);
		if (may_ask(i, 1, ms)) {
			probes++;
			timeout(i, 1, ms + 50);
		}
	}
	assert_in_range(probes, 50, 100);
	END;
}

static void keep_probing_does_not_double(void **state)
{
	struct infra_limits l = usual;
	BEGIN;

	l.keep_probing = true;
	infra_set_limits(i, &l);
	for (uint64_t n = 1; n <= 10; n++) {
		assert_true(may_ask(i, 1, n * 5000));
		timeout(i, 1, n * 5000 + 400);
	}
	assert_int_equal(facts(i, 1, 50500).blocked_until_ms, 51400);
	END;
}

static void edns_counts_as_broken_only_with_evidence(void **state)
{
	BEGIN;
	struct endpoint e = server(1);
	struct now n = at_sec(1);

	infra_note_edns(i, &e, false, false, &n);
	infra_note_edns(i, &e, false, false, &n);
	assert_int_equal(facts(i, 1, 1000).edns, EDNS_UNTRIED);
	infra_note_edns(i, &e, true, false, &n);
	infra_note_edns(i, &e, false, false, &n);
	infra_note_edns(i, &e, false, false, &n);
	assert_int_equal(facts(i, 1, 1000).edns, EDNS_WORKS);
	infra_note_edns(i, &e, false, false, &n);
	assert_int_equal(facts(i, 1, 1000).edns, EDNS_BROKEN);
	infra_note_edns(i, &e, true, true, &n);
	assert_int_equal(facts(i, 1, 1000).edns, EDNS_WORKS);
	infra_note_edns(i, &e, false, true, &n);
	assert_int_equal(facts(i, 1, 1000).edns, EDNS_BROKEN);
	END;
}

static void cookies_are_kept_and_their_knowledge_outlives_them(void **state)
{
	static const uint8_t client[8] = { 1, 2, 3 }, cookie[40] = { 9, 8, 7 };
	BEGIN;
	struct endpoint e = server(1);
	struct now n = at_sec(1);

	infra_note_cookie(i, &e, client, cookie, 7, &n);
	infra_note_cookie(i, &e, client, cookie, 33, &n);
	assert_false(facts(i, 1, 1000).knows_cookies);
	infra_note_cookie(i, &e, client, cookie, 32, &n);
	assert_true(facts(i, 1, 1000).knows_cookies);
	assert_int_equal(facts(i, 1, 1000).cookie_len, 32);
	assert_memory_equal(facts(i, 1, 1000).cookie, cookie, 32);
	assert_memory_equal(facts(i, 1, 1000).client_cookie, client, 8);
	infra_note_cookie(i, &e, client, NULL, 0, &n);
	assert_int_equal(facts(i, 1, 1000).cookie_len, 0);
	assert_true(facts(i, 1, 1000).knows_cookies);
	END;
}

static void other_facts_last_as_long_as_they_may(void **state)
{
	BEGIN;
	struct endpoint e = server(1);
	struct now n = at_sec(1);

	infra_note_no_0x20(i, &e, &n);
	infra_note_tcp_only(i, &e, 60, &n);
	assert_true(facts(i, 1, 2000).no_0x20);
	assert_true(facts(i, 1, 60999).tcp_only);
	assert_false(facts(i, 1, 61000).tcp_only);
	assert_true(facts(i, 1, 900999).no_0x20);
	assert_false(facts(i, 1, 901000).no_0x20); /* infra-host-ttl */
	END;
}

static void lameness_is_for_one_server_and_one_zone(void **state)
{
	struct turn t = turn_begin();
	BEGIN;
	struct endpoint one = server(1), two = server(2);
	struct now n = at_sec(10), later = at_sec(310);

	infra_note_lame(i, &one, nm(&t, "Example.org."), LAME_REFUSED, &n);
	assert_int_equal(infra_lame(i, &one, nm(&t, "exAmple.org."), &n), LAME_REFUSED);
	assert_int_equal(infra_lame(i, &two, nm(&t, "example.org."), &n), LAME_NO);
	assert_int_equal(infra_lame(i, &one, nm(&t, "www.example.org."), &n), LAME_NO);
	infra_note_lame(i, &one, nm(&t, "example.org."), LAME_SERVFAIL, &n);
	assert_int_equal(infra_lame(i, &one, nm(&t, "example.org."), &n), LAME_SERVFAIL);
	assert_int_equal(infra_lame(i, &one, nm(&t, "example.org."), &later), LAME_NO);
	infra_note_lame(i, &one, nm(&t, "example.org."), LAME_NO, &n);
	assert_int_equal(infra_lame(i, &one, nm(&t, "example.org."), &n), LAME_NO);
	for (int k = LAME_NO; k <= LAME_GARBAGE; k++)
		assert_string_not_equal(lame_text((enum lame_kind)k), "");
	END;
	turn_end(&t);
}

static void the_least_recently_used_go_first(void **state)
{
	struct infra_limits l = usual;
	BEGIN;

	l.max_entries = 100;
	infra_free(i);
	i = infra_new(&l, &test_key);
	for (unsigned int n = 0; n < 100; n++)
		rtt(i, n, 10000, 0);
	assert_int_equal(facts(i, 0, 0).srtt_us, 10000);
	rtt(i, 1000, 10000, 0);
	assert_int_equal(infra_count(i), 100);
	assert_int_equal(infra_evicted(i), 1);
	assert_int_equal(facts(i, 0, 0).srtt_us, 10000);
	assert_int_equal(facts(i, 1, 0).srtt_us, 0);
	l.max_entries = 10;
	infra_set_limits(i, &l);
	assert_int_equal(infra_count(i), 10);
	END;
}

static void many_shards_hold_as_many_as_they_may(void **state)
{
	struct infra_limits l = usual;
	BEGIN;

	l.max_entries = 4096;
	infra_free(i);
	i = infra_new(&l, &test_key);
	for (unsigned int n = 0; n < 60000; n++)
		rtt(i, n, 10000, 0);
	assert_in_range(infra_count(i), 4000, 4096);
	END;
}

static void flushing_forgets_one_address_or_all(void **state)
{
	struct turn t = turn_begin();
	BEGIN;
	struct endpoint one = server(1);
	struct now n = at_sec(0);

	rtt(i, 1, 10000, 0);
	rtt(i, 2, 10000, 0);
	infra_note_lame(i, &one, nm(&t, "example."), LAME_REFUSED, &n);
	infra_flush(i, &one.a);
	assert_int_equal(infra_count(i), 1);
	assert_int_equal(infra_lame(i, &one, nm(&t, "example."), &n), LAME_NO);
	infra_flush(i, NULL);
	assert_int_equal(infra_count(i), 0);
	END;
	turn_end(&t);
}

static void the_dump_has_a_line_for_each_server_and_each_lameness(void **state)
{
	struct turn t = turn_begin();
	BEGIN;
	struct endpoint one = server(1);
	struct now n = at_sec(0);
	struct strbuf *out = strbuf_new(10000);

	assert_non_null(out);
	rtt(i, 1, 10000, 0);
	infra_note_lame(i, &one, nm(&t, "example."), LAME_REFUSED, &n);
	infra_dump(i, &n, out);
	assert_non_null(strstr(strbuf_text(out), "192.0.0.1@53 . ttl 900 ping 10 var 5 rtt 30 rto 50 "));
	assert_non_null(strstr(strbuf_text(out), "192.0.0.1@53 example. ttl 300 lame dnssec 0 rec 0 A 0 other 1 reason \"refused\"\n"));
	strbuf_free(out);
	END;
	turn_end(&t);
}

static void without_memory_nothing_is_noted_and_nothing_breaks(void **state)
{
	uint64_t before = mem_usage().objects;
	static const uint8_t client[8], cookie[8];
	struct now now = at_sec(1);
	struct endpoint e = server(1);

	(void)state;
	for (uint64_t n = 1;; n++) {
		mem_fail_at(n, false);
		struct infra *i = infra_new(&usual, &test_key);
		if (i != NULL) {
			infra_note_rtt(i, &e, 1000, &now);
			infra_note_timeout(i, &e, &now);
			infra_note_cookie(i, &e, client, cookie, 8, &now);
			infra_note_lame(i, &e, name_root, LAME_GARBAGE, &now);
			assert_true(infra_may_ask(i, &e, &now));
			(void)infra_lame(i, &e, name_root, &now);
		}
		bool failed = mem_failed();
		mem_fail_at(0, false);
		infra_free(i);
		assert_int_equal(mem_usage().objects, before);
		if (!failed)
			break;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_server_never_heard_has_defaults),
		cmocka_unit_test(round_trips_are_smoothed),
		cmocka_unit_test(timeouts_double_the_wait_and_three_lead_into_backoff),
		cmocka_unit_test(timeouts_of_questions_in_flight_together_count_once),
		cmocka_unit_test(one_probe_at_a_time_goes_out_after_the_backoff),
		cmocka_unit_test(a_single_reply_ends_the_backoff),
		cmocka_unit_test(a_longest_backoff_that_was_lowered_is_the_longest_at_once),
		cmocka_unit_test(after_an_outage_of_any_length_every_server_is_asked_again_within_the_longest_backoff),
		cmocka_unit_test(the_first_reply_after_an_outage_of_ours_releases_all),
		cmocka_unit_test(a_dead_server_costs_one_probe_a_backoff_while_others_answer),
		cmocka_unit_test(keep_probing_does_not_double),
		cmocka_unit_test(edns_counts_as_broken_only_with_evidence),
		cmocka_unit_test(cookies_are_kept_and_their_knowledge_outlives_them),
		cmocka_unit_test(other_facts_last_as_long_as_they_may),
		cmocka_unit_test(lameness_is_for_one_server_and_one_zone),
		cmocka_unit_test(the_least_recently_used_go_first),
		cmocka_unit_test(many_shards_hold_as_many_as_they_may),
		cmocka_unit_test(flushing_forgets_one_address_or_all),
		cmocka_unit_test(the_dump_has_a_line_for_each_server_and_each_lameness),
		cmocka_unit_test(without_memory_nothing_is_noted_and_nothing_breaks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
