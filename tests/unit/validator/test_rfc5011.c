#include "tests/unit/dns/dns_test.h"

#include "validator/rfc5011.h"

#define DAYS 86400
#define KEY_A "example. 3600 IN DNSKEY 257 3 13 AAAA\n"
static const uint8_t key_a[] = { 1, 1, 3, 13, 0, 0, 0 };
static const uint8_t key_a_revoked[] = { 1, 0x81, 3, 13, 0, 0, 0 };
static const uint8_t key_b[] = { 1, 1, 3, 13, 4, 5, 6 };
static const uint8_t zsk[] = { 1, 0, 3, 13, 7, 8, 9 };

static struct autotrust *read_ok(const char *text)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(4096);
	AUTO(autotrust_free) struct autotrust *t = NULL;

	if (!OK(autotrust_read("f", span_text(text), &t, report)))
		fail_msg("%s", strbuf_text(report));
	return MOVE(t);
}

static bool probe(struct autotrust *t, const struct ta_seen *keys, size_t n, bool validated, int64_t now)
{
	struct ta_probe p = { keys, n, validated, 172800, 14 * DAYS };
	bool changed = false;

	assert_ok(autotrust_probe(t, &ta_policy_default, &p, now, &changed));
	return changed;
}

#define SEEN(k) { span_of(k, sizeof(k)), false, false }
#define SEEN_SELF(k) { span_of(k, sizeof(k)), true, false }

static void every_state_and_event(void **state)
{
	static const enum ta_state want[6][6] = {
		/* NEWKEY, ADDTIME, KEYREM, KEYPRES, REVBIT, REMTIME */
		{ TA_ADDPEND, TA_START, TA_START, TA_START, TA_START, TA_START },
		{ TA_ADDPEND, TA_VALID, TA_START, TA_ADDPEND, TA_START, TA_ADDPEND },
		{ TA_VALID, TA_VALID, TA_MISSING, TA_VALID, TA_REVOKED, TA_VALID },
		{ TA_MISSING, TA_MISSING, TA_MISSING, TA_VALID, TA_REVOKED, TA_MISSING },
		{ TA_REVOKED, TA_REVOKED, TA_REVOKED, TA_REVOKED, TA_REVOKED, TA_REMOVED },
		{ TA_REMOVED, TA_REMOVED, TA_REMOVED, TA_REMOVED, TA_REMOVED, TA_REMOVED },
	};

	(void)state;
	for (int s = 0; s < 6; s++) {
		for (int e = 0; e < 6; e++)
			assert_int_equal(ta_next((enum ta_state)s, (enum ta_event)e), want[s][e]);
	}
}

static void a_rollover_takes_its_years(void **state)
{
	AUTO(autotrust_free) struct autotrust *t = read_ok(KEY_A);
	struct ta_seen both[] = { SEEN(key_a), SEEN(key_b), SEEN(zsk) };
	struct ta_seen revoked[] = { SEEN(key_a_revoked), SEEN(key_b) };
	struct ta_seen signed_off[] = { SEEN_SELF(key_a_revoked), SEEN(key_b) };
	int64_t now = 1000000000;

	(void)state;
	assert_false(probe(t, both, 1, true, now));
	assert_false(probe(t, both, 3, true, now));
	assert_int_equal(t->count, 2); /* the ZSK is none of ours */
	assert_int_equal(t->keys[1].state, TA_ADDPEND);
	assert_false(probe(t, both, 3, true, now + 30 * DAYS - 1));
	assert_false(probe(t, both, 3, false, now + 31 * DAYS)); /* what is not validated proves nothing */
	assert_true(probe(t, both, 3, true, now + 31 * DAYS));
	assert_int_equal(t->keys[1].state, TA_VALID);
	now += 365 * DAYS;
	assert_false(probe(t, revoked, 2, true, now)); /* not signed by itself: merely missing */
	assert_int_equal(t->keys[0].state, TA_MISSING);
	assert_false(probe(t, both, 2, true, now + DAYS));
	assert_int_equal(t->keys[0].state, TA_VALID);
	assert_true(probe(t, signed_off, 2, false, now + 2 * DAYS)); /* a revocation needs nobody else */
	assert_int_equal(t->keys[0].state, TA_REVOKED);
	assert_false(probe(t, both, 2, true, now + 3 * DAYS));
	assert_int_equal(t->keys[0].state, TA_REVOKED);
	assert_false(probe(t, both, 2, true, now + 32 * DAYS));
	assert_int_equal(t->keys[0].state, TA_REMOVED);
	assert_false(probe(t, both, 2, true, now + 3000 * (int64_t)DAYS)); /* never again */
	assert_int_equal(t->keys[0].state, TA_REMOVED);
	assert_int_equal(t->count, 2);
	assert_false(autotrust_is_revoked(t));
}

static void a_pending_key_that_goes_starts_anew(void **state)
{
	AUTO(autotrust_free) struct autotrust *t = read_ok(KEY_A);
	struct ta_seen both[] = { SEEN(key_a), SEEN(key_b) };
	int64_t now = 1000000000;

	(void)state;
	probe(t, both, 2, true, now);
	probe(t, both, 1, true, now + 20 * DAYS);
	assert_int_equal(t->count, 1);
	probe(t, both, 2, true, now + 21 * DAYS);
	assert_false(probe(t, both, 2, true, now + 40 * DAYS));
	assert_int_equal(t->keys[1].state, TA_ADDPEND);
	assert_true(probe(t, both, 2, true, now + 51 * DAYS));
	probe(t, both + 1, 1, true, now + 52 * DAYS);
	assert_int_equal(t->keys[0].state, TA_MISSING);
	assert_true(ta_is_anchor(&t->keys[0]));
	assert_true(probe(t, both + 1, 1, true, now + 420 * DAYS));
	assert_int_equal(t->keys[0].state, TA_REMOVED);
}

static void timers_are_those_of_section_2_3(void **state)
{
	static const struct {
		uint32_t ttl, left, interval, retry;
	} cases[] = { { 172800, 14 * DAYS, DAYS, 17280 }, { 60, 60, 3600, 3600 }, { 90 * DAYS, 90 * DAYS, 15 * DAYS, DAYS }, { 90 * DAYS, 20 * DAYS, 10 * DAYS, DAYS } };
	AUTO(autotrust_free) struct autotrust *t = read_ok(KEY_A);
	struct ta_seen a = SEEN(key_a);
	bool changed;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct ta_probe p = { &a, 1, true, cases[i].ttl, cases[i].left };

		assert_ok(autotrust_probe(t, &ta_policy_default, &p, 5000, &changed));
		assert_int_equal(t->next_probe, 5000 + cases[i].interval);
		autotrust_failed(t, 6000);
		assert_int_equal(t->next_probe, 6000 + cases[i].retry);
		assert_int_equal(t->failed, 1);
	}
}

static void a_ds_hands_over_to_its_key(void **state)
{
	/* key_b's tag: 0x0101 + 0x030d + 0x0405 + 0x0600 = 3603 */
	AUTO(autotrust_free) struct autotrust *t = read_ok("example. DS 3603 13 1 0000000000000000000000000000000000000000\n"
							   "example. DS 9 13 1 0000000000000000000000000000000000000000\n");
	struct ta_seen b = { span_of(key_b, sizeof key_b), false, true };

	(void)state;
	assert_true(probe(t, &b, 1, true, 1000));
	assert_int_equal(t->count, 2);
	assert_int_equal(t->keys[0].type, RR_DS); /* of a key to come */
	assert_int_equal(t->keys[1].state, TA_VALID);
}

static void the_file_reads_as_it_was_written(void **state)
{
	AUTO(autotrust_free) struct autotrust *t = read_ok(KEY_A);
	AUTO(autotrust_free) struct autotrust *back = NULL;
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(65536);
	AUTO(strbuf_free) struct strbuf *again = strbuf_new(65536);
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(65536);
	struct ta_seen both[] = { SEEN_SELF(key_a_revoked), SEEN(key_b) };

	(void)state;
	probe(t, both, 2, true, 1700000000);
	assert_true(autotrust_is_revoked(t));
	autotrust_write(t, out);
	back = read_ok(strbuf_text(out));
	autotrust_write(back, again);
	assert_string_equal(strbuf_text(out), strbuf_text(again));
	assert_int_equal(back->next_probe, t->next_probe);
	for (size_t n = 0; n < strbuf_len(out); n++) { /* no beginning of it passes for a whole file */
		AUTO(autotrust_free) struct autotrust *none = NULL;

		strbuf_clear(report);
		assert_err(autotrust_read("f", span_of(strbuf_text(out), n), &none, report), ERR_FORMAT);
		assert_true(strbuf_len(report) != 0);
	}
}

/* A clock may have been centuries ahead: what was written then is read (found by fuzz_rfc5011). */
static void late_times_are_read(void **state)
{
	AUTO(autotrust_free) struct autotrust *t = read_ok(";;last_queried: 253402300797\n;;last_success: 253402300798\n;;next_probe_time: 253402300799\n"
							   "example. 10800 IN DNSKEY 257 3 13 AAAA ;;state=2 ;;count=0 ;;lastchange=253402300796\n");
	AUTO(autotrust_free) struct autotrust *none = NULL;
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(65536);

	(void)state;
	assert_true(t->last_queried == INT64_C(253402300797) && t->last_success == INT64_C(253402300798) && t->next_probe == INT64_C(253402300799));
	assert_true(t->keys[0].since == INT64_C(253402300796));
	assert_err(autotrust_read("f", span_text(";;last_queried: 253402300800\nexample. 10800 IN DNSKEY 257 3 13 AAAA ;;state=2\n"), &none, report), ERR_FORMAT);
}

static void unbounds_file_is_read(void **state)
{
	AUTO(autotrust_free) struct autotrust *t = read_ok("; autotrust trust anchor file\n;;id: example. 1\n"
							   ";;last_queried: 1258962400 ;;Mon Nov 23 08:46:40 2009\n;;query_failed: 2\n"
							   ";;query_interval: 5400\n;;retry_time: 3600\n"
							   "example. 10800 IN DNSKEY 257 3 13 AAAA ;{id = 1 (ksk), size = 16b} ;;state=1 [ ADDPEND ] "
							   ";;count=3 ;;lastchange=1258962300 ;;Mon Nov 23 08:45:00 2009\n"
							   "example. 10800 IN DNSKEY 257 3 13 BAUG ;{id = 2} ;;state=2 [  VALID  ] ;;count=0 ;;lastchange=7 ;;x\n");

	(void)state;
	assert_int_equal(t->last_queried, 1258962400);
	assert_int_equal(t->failed, 2);
	assert_int_equal(t->interval, 5400);
	assert_int_equal(t->count, 2);
	assert_int_equal(t->keys[0].state, TA_ADDPEND);
	assert_int_equal(t->keys[0].count, 3);
	assert_int_equal(t->keys[0].since, 1258962300);
	assert_int_equal(t->keys[1].state, TA_VALID);
}

static void damage_is_refused_with_a_reason(void **state)
{
	static const char *const bad[] = { "", "; nothing\n", "example. A 192.0.2.1\n", KEY_A "other. DS 1 8 1 0000000000000000000000000000000000000000\n",
		";;id: example. 1\n" KEY_A, "example. DNSKEY ( 257 3 13 AAAA\n", ") \n", KEY_A ";;query_failed: x\n",
		"example. DNSKEY 257 3 13 AAAA ;;state=6\n", "example. DNSKEY 257 3 13 AAAA ;;count=99999999999\n" };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		AUTO(strbuf_free) struct strbuf *report = strbuf_new(4096);
		AUTO(autotrust_free) struct autotrust *t = NULL;

		assert_err(autotrust_read("my.key", span_text(bad[i]), &t, report), ERR_FORMAT);
		assert_null(t);
		assert_non_null(strstr(strbuf_text(report), "my.key:"));
	}
}

static bool read_and_probe(void)
{
	struct ta_seen seen[] = { SEEN_SELF(key_a_revoked), SEEN(key_b), SEEN(zsk) };
	struct ta_probe p = { seen, 3, true, 172800, 14 * DAYS };
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(4096), *out = strbuf_new(65536);
	AUTO(autotrust_free) struct autotrust *t = NULL;
	bool changed;

	if (report == NULL || out == NULL || !OK(autotrust_read("f", span_text(KEY_A), &t, report)) ||
	    !OK(autotrust_probe(t, &ta_policy_default, &p, 1000000000, &changed)))
		return false;
	autotrust_write(t, out);
	return OK(strbuf_result(out));
}

static void memory_may_run_out(void **state)
{
	(void)state;
	assert_true(for_each_failing_allocation(read_and_probe) >= 5);
}

/* A probe that memory ended is made again, and it is as if it had been the first. */
static void a_probe_cut_short_is_made_again(void **state)
{
	struct ta_seen seen[] = { SEEN_SELF(key_a_revoked), SEEN(key_b), SEEN(zsk) };
	struct ta_probe p = { seen, 3, true, 172800, 14 * DAYS };
	AUTO(strbuf_free) struct strbuf *want = strbuf_new(65536);
	AUTO(autotrust_free) struct autotrust *whole = read_ok(KEY_A);
	unsigned int n;
	bool changed, failed = true;

	(void)state;
	assert_ok(autotrust_probe(whole, &ta_policy_default, &p, 1000000000, &changed));
	autotrust_write(whole, want);
	for (n = 1; failed; n++) {
		AUTO(autotrust_free) struct autotrust *t = read_ok(KEY_A);
		AUTO(strbuf_free) struct strbuf *got = strbuf_new(65536);
		struct result r;

		mem_fail_at(n, false);
		r = autotrust_probe(t, &ta_policy_default, &p, 1000000000, &changed);
		failed = mem_failed();
		mem_fail_at(0, false);
		assert_int_equal(OK(r), !failed);
		if (failed)
			assert_ok(autotrust_probe(t, &ta_policy_default, &p, 1000000000, &changed));
		autotrust_write(t, got);
		assert_string_equal(strbuf_text(got), strbuf_text(want));
	}
	assert_true(n > 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_state_and_event),
		cmocka_unit_test(a_rollover_takes_its_years),
		cmocka_unit_test(a_pending_key_that_goes_starts_anew),
		cmocka_unit_test(timers_are_those_of_section_2_3),
		cmocka_unit_test(a_ds_hands_over_to_its_key),
		cmocka_unit_test(the_file_reads_as_it_was_written),
		cmocka_unit_test(late_times_are_read),
		cmocka_unit_test(unbounds_file_is_read),
		cmocka_unit_test(damage_is_refused_with_a_reason),
		cmocka_unit_test(memory_may_run_out),
		cmocka_unit_test(a_probe_cut_short_is_made_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
