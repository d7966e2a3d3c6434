/* The loss guard: what vanished for want of data stays, what was withdrawn goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rpki/guard.h"
#include "rpki/validate/collect.h"

#define NOW 1000
#define MOST 500
#define EXPIRY 5000

static const struct hash_key key = { { 1, 2 } };

/* Trust anchors "one" and "two". Point P of an anchor is rsync://ANCHOR/P/; 0 is the anchor's own, all others are below it, 9 is below 1. */
struct world {
	struct guard *g OWNED_FIELD;
	struct guard_anchor anchors[2];
	struct point_fact points[40];
	size_t npoints;
};

static uint64_t id_of(const char *anchor, unsigned int point)
{
	char uri[64];

	(void)snprintf(uri, sizeof uri, "rsync://%s/%u/x", anchor, point);
	return point_id(&key, span_text(uri));
}

/* Points that this run has looked at. */
static void looked_at(struct world *w, const char *anchor, unsigned int point, bool failed)
{
	w->points[w->npoints++] = (struct point_fact){ id_of(anchor, point), point == 0 ? 0 : id_of(anchor, point == 9 ? 1 : 0), NO_REPOSITORY, failed };
}

static void all_good(struct world *w, const char *anchor)
{
	for (unsigned int p = 0; p < 10; p++)
		looked_at(w, anchor, p, false);
}

/* `each` VRPs in each point of an anchor from `first` to `last`. */
static void add_vrps(struct table_builder *b, const char *anchor, unsigned int first, unsigned int last, unsigned int each, int64_t end)
{
	for (unsigned int p = first; p <= last; p++) {
		for (unsigned int i = 0; i < each; i++) {
			char uri[64];
			struct payload_source s = { .kind = SOURCE_ROA, .tal = anchor, .uri = uri, .chain_not_after = end };
			struct vrp v = { .family = ADDR_V4, .len = 24, .maxlen = 24, .addr = { anchor[0] == 'o' ? 10 : 20, (uint8_t)p, (uint8_t)i }, .asn = 1 };
			uint32_t id = 0;

			(void)snprintf(uri, sizeof uri, "rsync://%s/%u/%u.roa", anchor, p, i);
			assert_true(OK(table_builder_add_source(b, &s, &id)));
			assert_true(OK(table_builder_add_vrp(b, &v, id)));
		}
	}
}

static struct payload_table *finish(struct table_builder *b) TAKES(1) OWNED_BY(table_unref);
static struct payload_table *finish(struct table_builder *b)
{
	struct payload_table *t = NULL;

	assert_true(OK(table_builder_finish(b, 1, &t)));
	return t;
}

/* VRPs of points first to last of "one" (first > last: none), and all ten points of "two"; ten in each. */
static struct payload_table *fresh(unsigned int first, unsigned int last) OWNED_BY(table_unref);
static struct payload_table *fresh(unsigned int first, unsigned int last)
{
	AUTO(table_builder_free) struct table_builder *b = table_builder_new(NULL);

	add_vrps(b, "one", first, last, 10, EXPIRY);
	add_vrps(b, "two", 0, 9, 10, EXPIRY);
	return finish(MOVE(b));
}

/* Applies, and forgets the run. Returns how many VRPs are served. */
static size_t apply(struct world *w, struct payload_table *t, int64_t now) TAKES(2);
static size_t apply(struct world *w, struct payload_table *t, int64_t now)
{
	AUTO(table_unref) struct payload_table *own = t, *served = NULL;
	struct guard_run run = { w->anchors, 2, w->points, w->npoints, now };

	assert_true(OK(guard_apply(w->g, &run, own, &served)));
	w->npoints = 0;
	return table_count(served, PAYLOAD_VRP);
}

static const struct guard_report *report(const struct world *w, const char *anchor)
{
	size_t n = 0;
	const struct guard_report *r = guard_reports(w->g, &n);

	for (size_t i = 0; i < n; i++)
		if (strcmp(r[i].anchor, anchor) == 0)
			return &r[i];
	fail();
	return NULL;
}

static int set_up(void **state)
{
	struct guard_options o = { true, 10, MOST };
	struct world *w = mem_alloc(sizeof *w);

	assert_non_null(w);
	w->g = guard_new(&o, &key);
	assert_non_null(w->g);
	w->anchors[0] = (struct guard_anchor){ "one", true };
	w->anchors[1] = (struct guard_anchor){ "two", true };
	all_good(w, "one");
	all_good(w, "two");
	assert_int_equal(apply(w, fresh(0, 9), NOW), 200);
	assert_int_equal(guard_held(w->g), 0);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	guard_free(MOVE(w->g));
	mem_free(w);
	return 0;
}

static void a_trust_anchor_that_vanishes_stays_served(void **state)
{
	struct world *w = *state;

	w->anchors[0].usable = false;
	all_good(w, "two");
	assert_int_equal(apply(w, fresh(1, 0), NOW + 10), 200);
	assert_int_equal(guard_held(w->g), 100);
	assert_int_equal(report(w, "one")->held, 100);
	assert_int_equal(report(w, "one")->since, NOW + 10);
	assert_int_equal(report(w, "two")->held, 0);
	/* It comes back: all is as before. */
	w->anchors[0].usable = true;
	all_good(w, "one");
	all_good(w, "two");
	assert_int_equal(apply(w, fresh(0, 9), NOW + 20), 200);
	assert_int_equal(guard_held(w->g), 0);
	assert_int_equal(report(w, "one")->since, 0);
}

static void no_longer_than_the_limit(void **state)
{
	struct world *w = *state;

	w->anchors[0].usable = false;
	all_good(w, "two");
	assert_int_equal(apply(w, fresh(1, 0), NOW + 10), 200);
	all_good(w, "two");
	assert_int_equal(apply(w, fresh(1, 0), NOW + 10 + MOST), 200);
	all_good(w, "two");
	assert_int_equal(apply(w, fresh(1, 0), NOW + 11 + MOST), 100);
	assert_true(report(w, "one")->given_up);
	all_good(w, "two");
	assert_int_equal(apply(w, fresh(1, 0), NOW + 12 + MOST), 100);
}

static void never_past_its_own_expiry(void **state)
{
	struct world *w = *state;
	AUTO(table_builder_free) struct table_builder *b = table_builder_new(NULL);

	add_vrps(b, "one", 0, 4, 10, NOW + 50);
	add_vrps(b, "one", 5, 9, 10, NOW + 100);
	all_good(w, "one");
	assert_int_equal(apply(w, finish(MOVE(b)), NOW + 1), 100);
	b = table_builder_new(NULL);
	w->anchors[0].usable = false;
	assert_int_equal(apply(w, finish(MOVE(b)), NOW + 50), 100);
	b = table_builder_new(NULL);
	assert_int_equal(apply(w, finish(MOVE(b)), NOW + 51), 50);
	assert_int_equal(report(w, "one")->gone, 50);
	b = table_builder_new(NULL);
	assert_int_equal(apply(w, finish(MOVE(b)), NOW + 101), 0);
	assert_int_equal(guard_held(w->g), 0);
}

static void what_its_ca_withdrew_goes(void **state)
{
	struct world *w = *state;

	all_good(w, "one");
	all_good(w, "two");
	assert_int_equal(apply(w, fresh(1, 0), NOW + 10), 100);
	assert_int_equal(report(w, "one")->gone, 100);
}

static void a_ca_that_was_revoked_goes(void **state)
{
	struct world *w = *state;

	looked_at(w, "one", 0, false); /* the anchor's own point is good, and has no children any more */
	all_good(w, "two");
	assert_int_equal(apply(w, fresh(0, 0), NOW + 10), 110);
	assert_int_equal(report(w, "one")->gone, 90);
}

static void points_below_one_that_failed_are_wanting(void **state)
{
	struct world *w = *state;

	for (unsigned int p = 0; p < 9; p++)
		looked_at(w, "one", p, p == 1);
	all_good(w, "two");
	/* 1 failed, and 9 below it was not looked at: 20 of 100. 2 was good and gave its ten up. */
	{
		AUTO(table_builder_free) struct table_builder *b = table_builder_new(NULL);

		add_vrps(b, "one", 0, 0, 10, EXPIRY);
		add_vrps(b, "one", 3, 8, 10, EXPIRY);
		add_vrps(b, "two", 0, 9, 10, EXPIRY);
		assert_int_equal(apply(w, finish(MOVE(b)), NOW + 10), 190);
	}
	assert_int_equal(report(w, "one")->held, 20);
	assert_int_equal(report(w, "one")->gone, 10);
	/* The next run finds the same: what is below is still known to be below. */
	for (unsigned int p = 0; p < 9; p++)
		looked_at(w, "one", p, p == 1);
	all_good(w, "two");
	assert_int_equal(apply(w, fresh(2, 8), NOW + 20), 190 + 10 - 10);
	/* 1 is good again, without 9: now it is withdrawn. */
	for (unsigned int p = 0; p < 9; p++)
		looked_at(w, "one", p, false);
	all_good(w, "two");
	assert_int_equal(apply(w, fresh(0, 8), NOW + 30), 190);
	assert_int_equal(guard_held(w->g), 0);
}

static void a_small_loss_is_plausible(void **state)
{
	struct world *w = *state;
	AUTO(table_builder_free) struct table_builder *b = table_builder_new(NULL);

	for (unsigned int p = 0; p < 10; p++)
		looked_at(w, "one", p, p == 5);
	all_good(w, "two");
	add_vrps(b, "one", 0, 4, 10, EXPIRY);
	add_vrps(b, "one", 5, 5, 1, EXPIRY); /* nine of 100 are missing */
	add_vrps(b, "one", 6, 9, 10, EXPIRY);
	add_vrps(b, "two", 0, 9, 10, EXPIRY);
	assert_int_equal(apply(w, finish(MOVE(b)), NOW + 10), 191);
	assert_int_equal(report(w, "one")->missing, 9);
	assert_int_equal(report(w, "one")->held, 0);
}

static void a_locator_that_was_taken_away_is_no_loss(void **state)
{
	struct world *w = *state;
	AUTO(table_unref) struct payload_table *t = fresh(1, 0), *served = NULL;
	struct guard_run run = { &w->anchors[1], 1, NULL, 0, NOW + 10 };

	assert_true(OK(guard_apply(w->g, &run, t, &served)));
	assert_int_equal(table_count(served, PAYLOAD_VRP), 100);
}

static void off_is_off(void **state)
{
	struct world *w = *state;
	struct guard_options o = { false, 10, MOST };

	guard_set_options(w->g, &o);
	w->anchors[0].usable = false;
	all_good(w, "two");
	assert_int_equal(apply(w, fresh(1, 0), NOW + 10), 100);
}

static void after_a_restart_trust_anchors_are_guarded(void **state)
{
	struct world *w = *state;
	AUTO(table_unref) struct payload_table *was = fresh(0, 9);
	struct guard_options o = { true, 10, MOST };

	guard_free(MOVE(w->g));
	w->g = guard_new(&o, &key);
	guard_recall(w->g, was);
	w->anchors[0].usable = false;
	all_good(w, "two");
	assert_int_equal(apply(w, fresh(1, 0), NOW + 10), 200);
}

static void an_aspa_of_the_customer_counts(void **state)
{
	struct world *w = *state;
	struct payload_source s = { .kind = SOURCE_ASPA, .tal = "one", .uri = "rsync://one/1/a.asa" };
	uint32_t providers[] = { 5, 6 }, id = 0;
	AUTO(table_unref) struct payload_table *served = NULL, *first = NULL, *second = NULL, *again = NULL;

	for (unsigned int i = 0; i < 2; i++) {
		AUTO(table_builder_free) struct table_builder *b = table_builder_new(NULL);

		assert_true(OK(table_builder_add_source(b, &s, &id)));
		assert_true(OK(table_builder_add_aspa(b, 7, providers, 2 - i, id)));
		*(i == 0 ? &first : &second) = finish(MOVE(b));
	}
	{
		struct guard_run run = { w->anchors, 2, NULL, 0, NOW + 10 };

		assert_true(OK(guard_apply(w->g, &run, first, &served)));
		w->anchors[0].usable = false;
		assert_true(OK(guard_apply(w->g, &run, second, &again)));
	}
	assert_int_equal(table_count(again, PAYLOAD_ASPA), 1);
	assert_int_equal(table_aspa(again, 0).n, 1); /* not united with the old one */
}

static void without_memory_nothing_is_remembered(void **state)
{
	struct world *w = *state;
	AUTO(table_unref) struct payload_table *t = fresh(1, 0);
	struct guard_run run = { w->anchors, 2, w->points, 0, NOW + 10 };
	struct result r = FAIL(ERR_NOMEM);

	w->anchors[0].usable = false;
	for (uint64_t i = 1; !OK(r); i++) {
		AUTO(table_unref) struct payload_table *served = NULL;

		mem_fail_at(i, true);
		r = guard_apply(w->g, &run, t, &served);
		mem_fail_at(0, false);
		assert_true(OK(r) || r.e == ERR_NOMEM);
		if (OK(r))
			assert_int_equal(table_count(served, PAYLOAD_VRP), 200);
	}
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_trust_anchor_that_vanishes_stays_served),
		CASE(no_longer_than_the_limit),
		CASE(never_past_its_own_expiry),
		CASE(what_its_ca_withdrew_goes),
		CASE(a_ca_that_was_revoked_goes),
		CASE(points_below_one_that_failed_are_wanting),
		CASE(a_small_loss_is_plausible),
		CASE(a_locator_that_was_taken_away_is_no_loss),
		CASE(off_is_off),
		CASE(after_a_restart_trust_anchors_are_guarded),
		CASE(an_aspa_of_the_customer_counts),
		CASE(without_memory_nothing_is_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
