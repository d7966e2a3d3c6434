/* Names held against patterns. */
#include "filter/pattern.h"

#include "tests/unit/filter/made.h"

static bool holds(const char *core, enum pattern_start start, bool end, const char *name)
{
	const struct pattern p = { span_text(core), start, end };
	struct name_buf nb = name_buf(name);
	struct pattern_text t;

	pattern_text_of(name_of(&nb), &t);
	return pattern_holds(&p, &t);
}

static void anchors_are_where_labels_and_names_start_and_end(void **state)
{
	static const struct {
		const char *core;
		enum pattern_start start;
		bool end;
		const char *name;
		bool holds;
	} row[] = {
		{ "ads", PATTERN_ANYWHERE, false, "loads.example", true },
		{ "ads", PATTERN_LABEL, false, "loads.example", false },
		{ "ads", PATTERN_LABEL, false, "x.adserver.example", true },
		{ "ads", PATTERN_LABEL, false, "loads.ads.example", true },
		{ "ads", PATTERN_FIRST, false, "adserver.example", true },
		{ "ads", PATTERN_FIRST, false, "x.ads.example", false },
		{ "ample", PATTERN_ANYWHERE, true, "www.example", true },
		{ "ample", PATTERN_LABEL, true, "www.example", false },
		{ "example", PATTERN_LABEL, true, "example", true },
		{ "example", PATTERN_LABEL, true, "www.example", true },
		{ "example", PATTERN_FIRST, true, "example", true },
		{ "example", PATTERN_FIRST, true, "www.example", false },
		{ "example", PATTERN_ANYWHERE, true, "example.org", false },
		{ "longer.than.it", PATTERN_ANYWHERE, true, "than.it", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
		if (holds(row[i].core, row[i].start, row[i].end, row[i].name) != row[i].holds)
			fail_msg("%s in %s", row[i].core, row[i].name);
}

static void stars_are_any_run_of_octets(void **state)
{
	(void)state;
	assert_true(holds("ad*.example", PATTERN_LABEL, true, "x.ad.example"));
	assert_true(holds("ad*.example", PATTERN_LABEL, true, "ad.server.example"));
	assert_false(holds("ad*.example", PATTERN_LABEL, true, "ad.server.example.org"));
	assert_true(holds("ad*.example", PATTERN_LABEL, false, "ad.server.example.org"));
	assert_false(holds("ad*ad", PATTERN_FIRST, true, "ad"));       /* no octet is for two parts */
	assert_true(holds("ad*ad", PATTERN_FIRST, true, "adad"));
	assert_true(holds("a*b*c", PATTERN_ANYWHERE, false, "xaxbxxc"));
	assert_false(holds("a*b*c", PATTERN_ANYWHERE, false, "xcxbxxa"));
	assert_true(holds("a*b", PATTERN_ANYWHERE, true, "a.b.a.b"));
	assert_false(holds("aa*aa", PATTERN_FIRST, true, "aaa"));
}

static void names_are_seen_without_case_and_odd_octets_are_of_their_own_kind(void **state)
{
	(void)state;
	assert_true(holds("ads.example", PATTERN_FIRST, true, "ADS.Example"));
	assert_false(holds("a.b", PATTERN_ANYWHERE, false, "a\\.b.example")); /* that dot is in a label */
	assert_true(holds("a*b", PATTERN_ANYWHERE, false, "a\\.b.example"));
	assert_false(holds("b", PATTERN_LABEL, false, "a\\.b"));
	assert_true(holds("x", PATTERN_LABEL, false, "\\001.x"));
	assert_false(holds("x", PATTERN_ANYWHERE, false, "."));
}

static void the_longest_name_fits(void **state)
{
	struct name_buf nb = { .len = 255, .labels = 127 };
	struct pattern_text t;

	(void)state;
	for (unsigned int i = 0; i < 254; i += 2) {
		nb.b[i] = 1;
		nb.b[i + 1] = 'a';
	}
	pattern_text_of(name_of(&nb), &t);
	assert_int_equal(t.n, 253);
	const struct pattern p = { span_text("a*a*a*a*a*a*a*a*a*b"), PATTERN_LABEL, false };
	assert_false(pattern_holds(&p, &t));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(anchors_are_where_labels_and_names_start_and_end),
		cmocka_unit_test(stars_are_any_run_of_octets),
		cmocka_unit_test(names_are_seen_without_case_and_odd_octets_are_of_their_own_kind),
		cmocka_unit_test(the_longest_name_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
