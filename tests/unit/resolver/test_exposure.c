/* Exposure of zones: what counts as signed, how routes are guarded, what hangs on one prefix or one AS. */
#include "explain_world.h"

#include "resolver/core/exposure_zone.h"
#include "tests/unit/resolver/route_world.h"

/* 192.0.2.0/30 announced by AS 64496, which may; or, without VRPs, only announced. covers: all of the world's servers are in it. */
static struct route_view *view(bool vrps, bool covers) OWNED_BY(route_view_unref);
static struct route_view *view(bool vrps, bool covers)
{
	const struct route_world_row row = { covers ? "192.0.2.0/30" : "203.0.113.0/24", 64496, 64496 };

	return route_world_of(&row, 1, vrps, 1);
}

static struct zone_exposure examine(struct explain_world *w, const struct route_view *v, bool validates, const char *zone)
{
	struct exposure_env e = { .rrcache = w->cache, .keycache = w->keys, .validation = validates ? w->validation : NULL, .routes = v, .now = &w->now };
	struct deleg_env d = { .arena = w->t.a, .settings = w->settings, .cache = w->cache, .now = &w->now };
	struct deleg *found = NULL;

	assert_true(OK(deleg_find(&d, nm(&w->t, zone), RR_A, 0, &found)));
	assert_non_null(found);
	return exposure_examine(&e, found);
}

static void what_counts_as_signed(void **state)
{
	static const struct {
		struct explain_world world;
		bool validates;
		enum zone_signed want;
	} of[] = { { { .conf = NULL }, true, ZONE_SIGNED }, { { .conf = NULL }, false, ZONE_UNSIGNED }, { { .no_ds = true }, true, ZONE_UNSIGNED },
		{ { .ds_missing = true }, true, ZONE_SIGNED_UNKNOWN }, { { .no_ds_unproven = true }, true, ZONE_UNSIGNED },
		{ { .conf = "\tdomain-insecure: \"example.com\"\n" }, true, ZONE_UNSIGNED } };
	AUTO(route_view_unref) struct route_view *v = view(true, true);

	(void)state;
	for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
		struct explain_world w = of[i].world;

		world_fill(&w);
		assert_int_equal(examine(&w, v, of[i].validates, "example.com.").is_signed, of[i].want);
		if (of[i].validates)
			assert_int_equal(examine(&w, v, true, ".").is_signed, ZONE_SIGNED); /* it has the anchor */
		world_done(&w);
	}
}

static void remembered_is(struct explain_world *w, const char *zone, enum trust_state s, const struct route_view *v, enum zone_signed want)
{
	keycache_put(w->keys, w->t.m, trust_new(s, nm(&w->t, zone), 300, NULL, NULL, 0, NULL), 300, &w->now);
	assert_int_equal(examine(w, v, true, "example.com.").is_signed, want);
	(void)keycache_flush(w->keys, w->t.m, name_root);
}

static void what_validation_has_found_out_goes_first(void **state)
{
	AUTO(route_view_unref) struct route_view *v = view(true, true);
	struct explain_world w = { .conf = NULL };

	(void)state;
	world_fill(&w);
	remembered_is(&w, "example.com.", TRUST_INSECURE, v, ZONE_UNSIGNED);
	remembered_is(&w, "com.", TRUST_INSECURE, v, ZONE_UNSIGNED); /* and below it */
	remembered_is(&w, "com.", TRUST_NO_CUT, v, ZONE_SIGNED);     /* says nothing: the DS records do */
	world_done(&w);
}

static void what_hangs_on_one(void **state)
{
	AUTO(route_view_unref) struct route_view *v = view(true, true), *no_vrps = view(false, true), *elsewhere = view(true, false);
	struct explain_world w = { .no_ds = true };
	struct zone_exposure x;

	(void)state;
	world_fill(&w);
	x = examine(&w, v, true, "example.com.");
	assert_int_equal(x.exposure, EXPOSURE_NONE);
	assert_int_equal(x.guards.n[GUARD_COVERED], 1);
	assert_true(x.one_prefix && x.one_origin && !x.prefix_assumed && zone_exposure_any(&x));
	assert_int_equal(x.origin, 64496);
	assert_int_equal(x.prefix.len, 30);
	x = examine(&w, no_vrps, true, "example.com."); /* no verdict, but a route */
	assert_int_equal(x.guards.n[GUARD_UNKNOWN], 1);
	assert_true(x.one_prefix && x.one_origin);
	x = examine(&w, elsewhere, true, "example.com."); /* nobody has told of one */
	assert_true(x.one_prefix && x.prefix_assumed && !x.one_origin);
	assert_int_equal(x.prefix.len, 24);
	assert_int_equal(x.exposure, EXPOSURE_NONE);
	world_done(&w);
}

static void an_invalid_route_is_more_than_uncovered(void **state)
{
	static const struct route_world_row taken = { "192.0.2.0/30", 64511, 64496 }, nobodys = { "192.0.2.0/30", 64511, 0 };
	static const enum exposure want[2][2] = { { EXPOSURE_SIGNED_INVALID, EXPOSURE_SIGNED }, { EXPOSURE_UNSIGNED_INVALID, EXPOSURE_UNSIGNED } };
	AUTO(route_view_unref) struct route_view *invalid = route_world_of(&taken, 1, true, 1), *uncovered = route_world_of(&nobodys, 1, true, 2);

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		struct explain_world w = { .no_ds = i == 1 };

		world_fill(&w);
		assert_int_equal(examine(&w, invalid, true, "example.com.").exposure, want[i][0]);
		assert_int_equal(examine(&w, uncovered, true, "example.com.").exposure, want[i][1]);
		world_done(&w);
	}
}

static void what_is_worse(void **state)
{
	const struct guard_counts none = { { [GUARD_COVERED] = 3, [GUARD_UNKNOWN] = 1 } }, open = { { [GUARD_COVERED] = 3, [GUARD_UNCOVERED] = 1 } },
				  invalid = { { [GUARD_UNCOVERED] = 1, [GUARD_INVALID] = 1 } };

	(void)state;
	assert_int_equal(exposure_of(&none, false), EXPOSURE_NONE);
	assert_int_equal(exposure_of(&open, true), EXPOSURE_SIGNED);
	assert_int_equal(exposure_of(&invalid, true), EXPOSURE_SIGNED_INVALID);
	assert_int_equal(exposure_of(&open, false), EXPOSURE_UNSIGNED);
	assert_int_equal(exposure_of(&invalid, false), EXPOSURE_UNSIGNED_INVALID);
	assert_null(exposure_text(EXPOSURE_NONE));
	assert_string_equal(exposure_text(EXPOSURE_SIGNED), "signed but hijackable");
	assert_string_equal(exposure_text(EXPOSURE_UNSIGNED), "unsigned and uncovered");
	assert_string_equal(exposure_text(EXPOSURE_SIGNED_INVALID), "signed with an invalid route");
	assert_string_equal(exposure_text(EXPOSURE_UNSIGNED_INVALID), "unsigned with an invalid route");
	for (enum verdict_state s = 0; s < VERDICT_STATES; s++) /* what policies take for invalid is not covered */
		assert_true(verdict_rank(s) != 2 || route_guard_of(s) == GUARD_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_worse),
		cmocka_unit_test(what_counts_as_signed),
		cmocka_unit_test(what_validation_has_found_out_goes_first),
		cmocka_unit_test(what_hangs_on_one),
		cmocka_unit_test(an_invalid_route_is_more_than_uncovered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
