/* The keeper of the filter: what a configuration and its files make of it, and what happens when files change, go, or are too large. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/strbuf.h"
#include "conf/conf.h"
#include "resolver/filter_keeper.h"
#include "resolver/plan.h"
#include "resolver/serve/filter_board.h"
#include "tests/unit/resolver/virtual_time.h"

static char folder[64], path[96];
static uint64_t time_ns;
static struct rng *rng;
static struct loop *loop;
static struct filter_board *board;
static struct filter_keeper *keeper;
static unsigned int changes;

static void changed(void *ctx)
{
	assert_ptr_equal(ctx, &changes);
	changes++;
}

static void begin(void)
{
	struct loop_backend b = virtual_time(&time_ns);

	(void)snprintf(folder, sizeof folder, "/tmp/cairn-filter-XXXXXX");
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof path, "%s/rules", folder);
	time_ns = 1000000000000u;
	changes = 0;
	rng = rng_new_seeded(1);
	loop = loop_new(&b, rng, NULL);
	board = filter_board_new();
	keeper = filter_keeper_open(loop, board, changed, &changes);
	assert_non_null(keeper);
}

static void end(void)
{
	filter_keeper_close(keeper);
	filter_board_free(board);
	loop_free(loop);
	rng_free(rng);
	(void)unlink(path);
	assert_int_equal(rmdir(folder), 0);
}

/* The file is replaced: another inode. */
static void put(const char *text)
{
	char other[128];
	FILE *f;

	(void)snprintf(other, sizeof other, "%s.new", path);
	f = fopen(other, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(rename(other, path), 0);
}

static void set(const char *clause)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(10000);
	AUTO_CHARS char *text = mem_printf("server:\n interface: 127.0.0.1@5300\nfilter:\n%s", clause);
	AUTO(plan_unref) struct plan *p = NULL;
	struct conf *c = NULL;

	if (!OK(conf_load_text(text, "test", report, &c)) || !OK(plan_make(c, NULL, rng, report, &p)))
		fail_msg("%s", strbuf_text(report));
	assert_true(OK(filter_keeper_set(keeper, p)));
}

static void set_file(const char *more)
{
	AUTO_CHARS char *text = mem_printf(" rule-file: \"%s\"\n%s", path, more);

	set(text);
}

static void pass_sec(unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		time_ns += UINT64_C(1000000000);
		loop_turn(loop, false);
	}
}

static bool blocks(const char *name)
{
	AUTO(filter_sheet_unref) struct filter_sheet *s = filter_board_get(board);
	struct filter_hit h;
	struct name_buf nb;

	assert_true(OK(name_from_text(name, NULL, &nb)));
	return s != NULL && filter_question(s->filter, name_of(&nb), RR_A, &h) == FILTER_BLOCKED;
}

static void nothing_hangs_there_where_nothing_is_asked_for(void **state)
{
	(void)state;
	begin();
	set("");
	assert_int_equal(filter_board_number(board), 0);
	assert_int_equal(changes, 0);
	set(" rule: \"||ads.example^\"\n");
	assert_true(blocks("x.ads.example"));
	assert_int_equal(changes, 1);
	set("");
	assert_false(blocks("x.ads.example"));
	assert_int_equal(changes, 2);
	end();
}

static void options_are_on_the_sheet(void **state)
{
	static const struct {
		const char *word;
		enum filter_told told;
	} words[] = { { "null", FILTER_TOLD_NULL }, { "nxdomain", FILTER_TOLD_NXDOMAIN }, { "nodata", FILTER_TOLD_NODATA }, { "refuse", FILTER_TOLD_REFUSED }, { "drop", FILTER_TOLD_NOTHING } };

	(void)state;
	begin();
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		AUTO_CHARS char *text = mem_printf(" rule: \"||ads.example^\"\n block-answer: %s\n block-ttl: 7\n dry-run: yes\n", words[i].word);
		AUTO(filter_sheet_unref) struct filter_sheet *s = NULL;

		set(text);
		s = filter_board_get(board);
		assert_int_equal(s->options.told, words[i].told);
		assert_int_equal(s->options.ttl, 7);
		assert_true(s->options.dry_run);
	}
	end();
}

static void a_file_is_read_again_when_it_is_replaced_and_stays_when_it_goes(void **state)
{
	(void)state;
	begin();
	put("||one.example^\n");
	set_file("");
	assert_true(blocks("one.example"));
	pass_sec(10);
	assert_int_equal(changes, 1);
	put("||two.example^\n||three.example^$nonsense\n");
	pass_sec(3);
	assert_int_equal(changes, 2);
	assert_false(blocks("one.example"));
	assert_true(blocks("two.example"));
	assert_false(blocks("three.example"));
	assert_int_equal(unlink(path), 0);
	pass_sec(10);
	assert_int_equal(changes, 2);
	assert_true(blocks("two.example"));
	assert_int_equal(filter_keeper_counts(keeper).failed, 1); /* said once */
	set_file(" rule: \"||conf.example^\"\n"); /* at a reload, too */
	assert_true(blocks("two.example"));
	assert_true(blocks("conf.example"));
	put("||four.example^\n");
	pass_sec(3);
	assert_true(blocks("four.example"));
	assert_true(blocks("conf.example"));
	assert_int_equal(filter_keeper_counts(keeper).read, 3);
	set("");
	put("||five.example^\n");
	pass_sec(3);
	assert_false(blocks("five.example"));
	end();
}

static void what_is_too_large_is_left_out(void **state)
{
	AUTO(filter_sheet_unref) struct filter_sheet *s = NULL;

	(void)state;
	begin();
	put("||one.example^\n||two.example^\n||three.example^\n");
	set_file(" max-rules: 2\n max-file-size: 1k\n");
	s = filter_board_get(board);
	assert_int_equal(filter_count(s->filter)->rules, 2);
	assert_int_equal(filter_count(s->filter)->over_limit, 1);
	assert_true(truncate(path, 1025) == 0);
	pass_sec(3);
	assert_int_equal(filter_keeper_counts(keeper).failed, 1);
	assert_true(blocks("one.example"));
	end();
}

static void a_rule_that_is_none_is_an_error_of_the_configuration(void **state)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(10000);
	AUTO(conf_free) struct conf *c = NULL;

	(void)state;
	assert_true(OK(conf_load_text("filter:\n rule: \"||a.example^\"\n rule: \"||b.example^$nonsense\"\n rule: \"||c.example^\"\n", "some.conf", report, &c)));
	assert_int_equal(filter_check(c, report).e, ERR_FORMAT);
	assert_non_null(strstr(strbuf_text(report), "some.conf:3: error: rule: found \"||b.example^$nonsense\", which cannot be used: "));
	assert_null(strstr(strbuf_text(report), "a.example"));
}

static void memory_may_run_out_at_each_allocation(void **state)
{
	unsigned int caught_up = 0;

	(void)state;
	begin();
	put("||one.example^\n");
	set_file("");
	for (unsigned int i = 1; i <= 100; i++) {
		put("||two.example^\n");
		mem_fail_at(i, false);
		pass_sec(3);
		mem_fail_at(0, false);
		assert_true(blocks("one.example") || blocks("two.example"));
		pass_sec(3);
		caught_up += blocks("two.example");
		put("||one.example^\n");
		set_file("");
		pass_sec(3);
		assert_true(blocks("one.example"));
	}
	assert_int_equal(caught_up, 100);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_hangs_there_where_nothing_is_asked_for),
		cmocka_unit_test(options_are_on_the_sheet),
		cmocka_unit_test(a_file_is_read_again_when_it_is_replaced_and_stays_when_it_goes),
		cmocka_unit_test(what_is_too_large_is_left_out),
		cmocka_unit_test(a_rule_that_is_none_is_an_error_of_the_configuration),
		cmocka_unit_test(memory_may_run_out_at_each_allocation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
