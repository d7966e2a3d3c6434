/* What was counted since the last zero, and its lines in the log. */
#include "tests/unit/resolver/virtual_time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "resolver/stats_base.h"

static uint64_t time_ns;
static struct rng *rng;
static struct loop *loop;
static struct stats_base *base;
static struct stats workers[2];
static char path[40];

static void begin(void)
{
	struct loop_backend b = virtual_time(&time_ns);
	struct log_config to = { .ident = "tester", .file = path, .level = LOG_LEVEL_INFO };
	int fd;

	strcpy(path, "/tmp/cairn-stats-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	(void)close(fd);
	time_ns = 1000000000000u;
	memset(workers, 0, sizeof workers);
	rng = rng_new_seeded(1);
	loop = loop_new(&b, rng, NULL);
	base = stats_base_new(loop, 2);
	assert_non_null(base);
	for (unsigned int i = 0; i < 3; i++) /* one too many */
		stats_base_add(base, &workers[i % 2]);
	assert_true(OK(log_setup(&to)));
}

static void end(void)
{
	struct log_config to = { .ident = "tester", .level = LOG_LEVEL_ERROR };

	assert_true(OK(log_setup(&to)));
	(void)unlink(path);
	stats_base_free(base);
	loop_free(loop);
	rng_free(rng);
}

static void count(unsigned int worker, enum counter k, uint64_t n)
{
	stats_add(&workers[worker], k, n);
}

/* Returns how many lines with it were logged. */
static unsigned int logged(const char *what)
{
	AUTO_CHARS char *text = NULL;
	unsigned int n = 0;
	size_t len;

	assert_true(OK(file_read_all(path, 100000, &text, &len)));
	for (const char *p = strstr(text, what); p != NULL; p = strstr(p + 1, what))
		n++;
	return n;
}

static void stop_here(struct loop *l, void *object)
{
	(void)object;
	loop_stop(l);
}

LOOP_HANDLE(watcher)
LOOP_HANDLE_IMPL(watcher)
struct watcher {
	int unused;
};

static void pass_sec(uint64_t sec)
{
	struct watcher w = { 0 };
	watcher_h h = watcher_enlist(loop, &w);
	timer_h t;

	assert_true(h.v != 0);
	assert_true(OK(loop_timer(loop, &watcher_loop_type, h.v, stop_here, sec * 1000, &t)));
	loop_run(loop);
	watcher_retire(loop, h);
}

static void counters_begin_anew_when_they_were_told(void **state)
{
	(void)state;
	begin();
	assert_int_equal(stats_base_workers(base), 2);
	count(0, COUNT_QUERIES, 5);
	count(1, COUNT_QUERIES, 2);
	assert_int_equal(stats_base_count(base, 0, COUNT_QUERIES), 5);
	assert_int_equal(stats_base_total(base, COUNT_QUERIES), 7);
	pass_sec(3);
	stats_base_told(base);
	assert_int_equal(stats_base_total(base, COUNT_QUERIES), 0);
	assert_int_equal(stats_base_since_ms(base), 1003000);
	count(1, COUNT_QUERIES, 1);
	assert_int_equal(stats_base_count(base, 1, COUNT_QUERIES), 1);
	end();
}

static void cumulative_ones_go_on_until_they_are_set_to_zero(void **state)
{
	(void)state;
	begin();
	assert_true(OK(stats_base_set(base, 0, true)));
	count(0, COUNT_QUERIES, 5);
	pass_sec(3);
	stats_base_told(base);
	assert_int_equal(stats_base_total(base, COUNT_QUERIES), 5);
	assert_int_equal(stats_base_since_ms(base), 1003000);
	stats_base_zero(base);
	assert_int_equal(stats_base_total(base, COUNT_QUERIES), 0);
	end();
}

static void a_maximum_is_no_sum_and_has_no_zero(void **state)
{
	(void)state;
	begin();
	count(0, COUNT_LIST_MAX, 7);
	count(1, COUNT_LIST_MAX, 3);
	assert_int_equal(stats_base_total(base, COUNT_LIST_MAX), 7);
	stats_base_zero(base);
	assert_int_equal(stats_base_count(base, 1, COUNT_LIST_MAX), 3);
	end();
}

static void nothing_is_logged_unless_it_is_wanted(void **state)
{
	(void)state;
	begin();
	assert_true(OK(stats_base_set(base, 0, false)));
	pass_sec(100000);
	assert_int_equal(logged("\n"), 0);
	end();
}

static void each_worker_is_logged_and_begins_anew(void **state)
{
	(void)state;
	begin();
	assert_true(OK(stats_base_set(base, 10, false)));
	count(0, COUNT_QUERIES, 9);
	count(0, COUNT_CACHE_HITS, 5);
	count(0, COUNT_CACHE_MISSES, 4);
	count(0, COUNT_PREFETCHES, 3);
	count(0, COUNT_QUERIES_RATELIMITED, 2);
	count(0, COUNT_LIST_SUM, 6);
	count(0, COUNT_LIST_MAX, 8);
	count(0, COUNT_LIST_EXCEEDED, 11);
	count(0, COUNT_LIST_OVERWRITTEN, 12);
	count(0, COUNT_RECURSIVE_REPLIES, 2);
	count(0, COUNT_RECURSION_US, 3000014);
	pass_sec(9);
	assert_int_equal(logged("\n"), 0);
	pass_sec(2);
	assert_int_equal(logged("info: server stats for thread 0: 9 queries, 5 answers from cache, 4 recursions, 3 prefetch, 2 rejected by ip ratelimiting\n"), 1);
	assert_int_equal(logged("info: server stats for thread 0: requestlist max 8 avg 1.5 exceeded 11 jostled 12\n"), 1);
	assert_int_equal(logged("info: server stats for thread 0: 2 recursion replies sent, average recursion processing time 1.500007 sec\n"), 1);
	assert_int_equal(logged("info: server stats for thread 1: 0 queries, "), 1);
	assert_int_equal(logged("info: server stats for thread 1: requestlist max 0 avg 0 exceeded 0 jostled 0\n"), 1);
	assert_int_equal(logged("\n"), 5);
	assert_int_equal(stats_base_total(base, COUNT_QUERIES), 0);
	pass_sec(10);
	assert_int_equal(logged("info: server stats for thread 0: 0 queries, "), 1);
	assert_int_equal(logged("\n"), 9);
	end();
}

static void a_reload_changes_the_interval_and_lets_one_that_has_begun_go_on(void **state)
{
	(void)state;
	begin();
	assert_true(OK(stats_base_set(base, 10, false)));
	count(0, COUNT_QUERIES, 1);
	pass_sec(6);
	assert_true(OK(stats_base_set(base, 10, true)));
	pass_sec(6);
	assert_int_equal(logged("thread 0: 1 queries"), 1);
	pass_sec(10);
	assert_int_equal(logged("thread 0: 1 queries"), 2); /* cumulative now */
	assert_true(OK(stats_base_set(base, 3, true)));
	pass_sec(4);
	assert_int_equal(logged("thread 0: 1 queries"), 3);
	assert_true(OK(stats_base_set(base, 0, true)));
	pass_sec(1000);
	assert_int_equal(logged("thread 0: 1 queries"), 3);
	end();
}

static void it_may_end_while_an_interval_runs(void **state)
{
	(void)state;
	begin();
	assert_true(OK(stats_base_set(base, 1, false)));
	stats_base_free(base);
	base = NULL;
	pass_sec(5);
	assert_int_equal(logged("\n"), 0);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counters_begin_anew_when_they_were_told),
		cmocka_unit_test(cumulative_ones_go_on_until_they_are_set_to_zero),
		cmocka_unit_test(a_maximum_is_no_sum_and_has_no_zero),
		cmocka_unit_test(nothing_is_logged_unless_it_is_wanted),
		cmocka_unit_test(each_worker_is_logged_and_begins_anew),
		cmocka_unit_test(a_reload_changes_the_interval_and_lets_one_that_has_begun_go_on),
		cmocka_unit_test(it_may_end_while_an_interval_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
