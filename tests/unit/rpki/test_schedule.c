/* schedule, tidy, settings: when runs begin, what becomes of a store that is damaged, what is thrown away, and what the configuration means. */
#include "tests/unit/net/net_test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/strbuf.h"
#include "conf/conf.h"
#include "rpki/schedule.h"
#include "rpki/settings.h"
#include "rpki/tidy.h"
#include "tests/unit/rpki/object/toy.h"
#include "tests/unit/top.h"

LOOP_HANDLE_IMPL(user)

#define DAY 86400

static unsigned int ended;
static struct result result;
static uint64_t generation;

static struct conf *conf(const char *more) OWNED_BY(conf_free);
static struct conf *conf(const char *more)
{
	AUTO(strbuf_free) struct strbuf *why = strbuf_new(10000);
	AUTO_CHARS char *text = mem_printf("rpki:\n\tcache-dir: \"%s\"\n\ttal: \"%s\"\n\tstore-size: 16m\n%s", top, path("toy.tal"), more);
	struct conf *c = NULL;

	if (!OK(conf_load_text(text, "test", why, &c)))
		fail_msg("%s", strbuf_text(why));
	return c;
}

static void on_ended(struct loop *l, void *object, const struct cycle_report *r, const struct locators *locators)
{
	(void)l, (void)object;
	ended++;
	result = r->result;
	generation++;
	assert_int_equal(r->anchor_count, locators_count(locators));
}

static struct schedule *begin(struct user *u, const struct conf *c, bool once)
{
	struct schedule_options o = { .conf = c, .once = once, .at_given = true, .at_sec = TOY_NOW };
	struct schedule_events ev = { .type = &user_loop_type, .who = u->self.v, .ended = on_ended };
	struct schedule *s = NULL;

	ended = 0;
	assert_true(OK(schedule_new(u->loop, &o, &ev, &s)));
	return s;
}

static void one_run_and_no_more(void **state)
{
	struct user *u = (struct user *)*state;
	AUTO(conf_free) struct conf *c = conf("");
	struct schedule *s = begin(u, c, true);

	assert_int_equal(ended, 0);
	RUN_UNTIL(u, ended == 1);
	assert_true(OK(result));
	assert_int_equal(schedule_next_sec(s), 0);
	schedule_free(s);
}

static void runs_follow_one_another(void **state)
{
	struct user *u = (struct user *)*state;
	AUTO(conf_free) struct conf *c = conf("\trefresh: 3600\n\trefresh-jitter: 100\n"), *bad = NULL, *other = conf("\trefresh: 60\n\trefresh-jitter: 0\n");
	struct schedule *s = begin(u, c, false);
	int64_t now;

	RUN_UNTIL(u, ended == 1);
	now = loop_now(u->loop)->wall_sec;
	assert_in_range(schedule_next_sec(s) - now, 3598, 3702);
	schedule_run_now(s); /* somebody asks for one: twice is once */
	schedule_run_now(s);
	RUN_UNTIL(u, ended == 2);
	assert_in_range(schedule_next_sec(s) - now, 3598, 3720);
	bad = conf("\ttal: \"/nowhere\"\n");
	assert_false(OK(schedule_reload(s, bad)));
	assert_in_range(schedule_next_sec(s) - now, 3598, 3720);
	assert_true(OK(schedule_reload(s, other)));
	RUN_UNTIL(u, ended == 3);
	assert_in_range(schedule_next_sec(s) - now, 58, 80);
	schedule_run_now(s);
	loop_turn(u->loop, false);
	schedule_free(s); /* in the middle of a run */
	loop_turn(u->loop, false);
	assert_int_equal(ended, 3);
}

static void a_damaged_store_is_set_aside(void **state)
{
	struct user *u = (struct user *)*state;
	AUTO(conf_free) struct conf *c = conf("");
	struct schedule *s;
	struct stat st;
	char junk[20000];

	memset(junk, 'x', sizeof junk);
	(void)unlink(path("objects.mdb.bad"));
	write_file(path("objects.mdb"), span_of(junk, sizeof junk), 0600);
	s = begin(u, c, true);
	assert_int_equal(stat(path("objects.mdb.bad"), &st), 0);
	assert_int_equal(st.st_size, (off_t)sizeof junk);
	RUN_UNTIL(u, ended == 1);
	assert_true(OK(result));
	schedule_free(s);
}

static void what_cannot_begin(void **state)
{
	struct user *u = (struct user *)*state;
	AUTO(conf_free) struct conf *c = conf("\ttal: \"/nowhere\"\n"), *d = conf("\tcache-dir: \"/dev/null\"\n");
	struct schedule_options o = { .conf = c };
	struct schedule_events ev = { .type = &user_loop_type, .who = u->self.v, .ended = on_ended };
	struct schedule *s = NULL;

	assert_int_equal(schedule_new(u->loop, &o, &ev, &s).e, ERR_NOTFOUND);
	o.conf = d;
	assert_false(OK(schedule_new(u->loop, &o, &ev, &s)));
}

/* --- tidy */

static struct store *store;

static void publish(enum store_kind kind, const char *source, const char *uri, const char *octets, int64_t at)
{
	AUTO(store_update_free) struct store_update *u = NULL;

	assert_true(OK(store_update_begin(store, kind, span_text(source), STORE_REPLACE, &u)));
	assert_true(OK(store_update_publish(u, span_text(uri), NULL, span_text(octets))));
	assert_true(OK(store_update_commit(u, span_of("", 0), at)));
}

static struct store_usage usage(void)
{
	struct store_usage x;

	assert_true(OK(store_usage(store, &x)));
	return x;
}

static void what_nobody_wants_is_thrown_away(void **state)
{
	AUTO(strbuf_free) struct strbuf *why = strbuf_new(1000);
	struct store_limits limits = store_limits_default();
	struct cycle_repository list[] = { { .rrdp = true, .uri = "https://a/wanted" } };
	struct anchor_result anchor = { .usable = false };
	struct cycle_report r = { .anchors = &anchor, .anchor_count = 1, .repositories = list, .repository_count = 1 };
	int64_t now = TOY_NOW;

	(void)state;
	limits.octets = 16u << 20;
	assert_true(OK(store_set_aside(top)));
	assert_true(OK(store_open(top, &limits, why, &store)));
	publish(STORE_RRDP, "https://a/wanted", "rsync://a/m/1", "one", now - 100 * DAY);
	publish(STORE_RRDP, "https://a/old", "rsync://a/m/2", "two", now - 100 * DAY);
	publish(STORE_RRDP, "https://a/recent", "rsync://a/m/3", "three", now - 3 * DAY);
	publish(STORE_RSYNC, "https://a/wanted", "rsync://a/m/4", "four", now - 100 * DAY); /* another kind */
	publish(STORE_ANCHOR, "https://a/t.cer", "https://a/t.cer", "five", now - 1000 * DAY);
	publish(STORE_RRDP, "https://a/recent", "rsync://a/m/3", "three, changed", now - 3 * DAY);
	assert_int_equal(usage().objects, 6);
	tidy(store, &r, now); /* notes when it was */
	tidy(store, &r, now + DAY - 1);
	assert_true(usage().objects == 6 && usage().sources == 5);
	tidy(store, &r, now + DAY); /* a trust anchor is not usable: only what nothing names goes */
	assert_true(usage().objects == 5 && usage().sources == 5);
	anchor.usable = true;
	tidy(store, &r, now + 2 * DAY - 1);
	assert_int_equal(usage().sources, 5);
	tidy(store, &r, now + 2 * DAY);
	assert_true(usage().objects == 3 && usage().sources == 3);
	store_close(MOVE(store));
}

/* --- settings */

static void options_mean_what_they_say(void **state)
{
	AUTO(conf_free) struct conf *usual = conf(""), *c = conf("\trrdp: no\n\trsync-proxy: \"p:1\"\n\thttps-proxy: \"192.0.2.1@8080\"\n\ttransfer-timeout: 7\n\trun-timeout: 100\n"
		"\tobject-size: 1m\n\tmax-deltas: 3\n\tmax-repositories-per-member: 9\n\trsync-stall: 5\n\tthreads: 3\n\ttransfers-per-host: 2\n\tdubious-hosts: yes\n"),
			   *bad = conf("\thttps-proxy: \"some where\"\n");
	struct fetcher_direct_options f;
	struct cycle_options o = settings_cycle(usual);
	const struct cycle_limits l = cycle_limits_default();

	(void)state;
	assert_true(o.rrdp && o.rsync && !o.dubious_hosts && o.threads == 4);
	assert_memory_equal(&o.limits, &l, sizeof l);
	assert_true(OK(settings_fetcher(usual, &f)));
	assert_true(!f.http.by_proxy && f.rsync.proxy == NULL && f.host_gets == fetcher_direct_options_default().host_gets &&
		f.rsyncs == fetcher_direct_options_default().rsyncs && f.rsync.stall_ms == rsync_options_default().stall_ms);
	assert_true(OK(settings_fetcher(c, &f)));
	assert_true(f.http.by_proxy && f.http.proxy.port == 8080 && f.http.deadline_ms == 7000 && f.rsync.deadline_ms == 7000 && f.rsync.stall_ms == 5000 && f.host_gets == 2);
	assert_string_equal(f.rsync.proxy, "p:1");
	assert_int_equal(f.rsync.object_octets, 1 << 20);
	o = settings_cycle(c);
	assert_true(!o.rrdp && o.rsync && o.dubious_hosts && o.threads == 3 && o.limits.run_ms == 100000 && o.limits.transfer_ms == 7000 && o.limits.branch_repositories == 9);
	assert_true(o.rrdp_limits.deltas == 3 && o.rrdp_limits.object_octets == 1 << 20 && o.tree_limits.object_octets == 1 << 20 && o.validate_limits.object == 1 << 20);
	assert_int_equal(settings_store(c).octets, 16 << 20);
	assert_true(settings_store(c).readers > 3);
	assert_int_equal(settings_fetcher(bad, &f).e, ERR_FORMAT);
}

static int make_locator(void **state)
{
	struct toy *t = toy_new();

	if (make_top(state) != 0)
		return -1;
	write_file(path("toy.tal"), toy_locator(t), 0600);
	toy_free(t);
	return 0;
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, user_start, user_end)

int main(void)
{
	const struct CMUnitTest tests[] = { CASE(one_run_and_no_more), CASE(runs_follow_one_another), CASE(a_damaged_store_is_set_aside), CASE(what_cannot_begin),
		CASE(what_nobody_wants_is_thrown_away), CASE(options_mean_what_they_say) };

	return cmocka_run_group_tests(tests, make_locator, remove_top);
}
