/* Lists become filters: what is taken, what is refused and told, limits, $badfilter, and that memory may run out. */
#include "filter/filter.h"

#include "tests/unit/filter/made.h"

static const struct filter_limits none = { .told = 100 };

static enum filter_verdict ask(const struct filter *f, const char *name)
{
	struct name_buf nb = name_buf(name);
	struct filter_hit hit;
	enum filter_verdict v = filter_question(f, name_of(&nb), RR_A, &hit);

	assert_int_equal(hit.verdict, v);
	return v;
}

static void a_list_may_be_of_all_kinds(void **state)
{
	AUTO(filter_free) struct filter *f = NULL;
	struct told told;

	(void)state;
	f = made_within(&none,
	    "\xef\xbb\xbf[Adblock Plus]\r\n"
	    "! a comment\r\n"
	    "||sub.example^\r\n"
	    "example.com##.banner\r\n"
	    "0.0.0.0 one.example Two.Example. localhost nodot # rest\r\n"
	    "192.0.2.1 elsewhere.example\n"
	    "name.example\n"
	    "@@||not.sub.example^\n"
	    "||x.example^$third-party\n"
	    "*ads*\n"
	    "*$route=invalid",
	    &told);
	assert_string_equal(told.text,
	    "list:5: a name without a dot: write ||NAME^: nodot\n"
	    "list:6: a hosts line blocks by 0.0.0.0, :: or a loopback address, and names are not sent elsewhere: elsewhere.example\n"
	    "list:9: a modifier that is not known: the rule is dropped whole: ||x.example^$third-party\n");
	const struct filter_counts *c = filter_count(f);
	assert_int_equal(c->rules, 7);
	assert_int_equal(c->exceptions, 1);
	assert_int_equal(c->patterns, 2);
	assert_int_equal(c->conditions, 1);
	assert_int_equal(c->refused, 3);
	assert_int_equal(c->skipped, 2);
	assert_int_equal(c->over_limit, 0);
	assert_int_equal(ask(f, "a.sub.example"), FILTER_BLOCKED);
	assert_int_equal(ask(f, "a.not.sub.example"), FILTER_ALLOWED);
	assert_int_equal(ask(f, "ONE.example"), FILTER_BLOCKED);
	assert_int_equal(ask(f, "two.example"), FILTER_BLOCKED);
	assert_int_equal(ask(f, "a.two.example"), FILTER_PASS);
	assert_int_equal(ask(f, "name.example"), FILTER_BLOCKED);
	assert_int_equal(ask(f, "loads.example"), FILTER_BLOCKED);
	assert_int_equal(ask(f, "x.example"), FILTER_PASS);
	assert_true(filter_octets(f) > 0);
}

static void a_hit_tells_the_line_it_came_from(void **state)
{
	AUTO(filter_builder_free) struct filter_builder *b = filter_builder_new(&none, &test_key, NULL, NULL);
	AUTO(filter_free) struct filter *f = NULL;
	struct name_buf nb = name_buf("x.b.example");
	struct filter_hit hit;

	(void)state;
	assert_true(OK(filter_add_text(b, "one list", span_text("a.example\n  ||B.example^$important  # why\n"))));
	assert_true(OK(filter_add_rule(b, "filter: rule:", 17, span_text("0.0.0.0 c.example d.example"))));
	assert_true(OK(filter_add_rule(b, "filter: rule:", 18, span_text("! nothing"))));
	assert_int_equal(filter_add_rule(b, "filter: rule:", 19, span_text("0.0.0.0 c.example bad")).e, ERR_FORMAT);
	assert_int_equal(filter_add_rule(b, "filter: rule:", 20, span_text("a.example\nb.example")).e, ERR_FORMAT);
	assert_true(OK(filter_build(MOVE(b), &f)));
	assert_int_equal(filter_question(f, name_of(&nb), RR_A, &hit), FILTER_BLOCKED);
	assert_string_equal(hit.rule, "||B.example^$important");
	assert_string_equal(hit.source, "one list");
	assert_int_equal(hit.line, 2);
	assert_true(hit.important);
	assert_null(hit.address);
	assert_true(name_equal(hit.name, name_of(&nb)));
	nb = name_buf("d.example");
	assert_int_equal(filter_question(f, name_of(&nb), RR_A, &hit), FILTER_BLOCKED);
	assert_string_equal(hit.rule, "0.0.0.0 c.example d.example");
	assert_string_equal(hit.source, "filter: rule:");
	assert_int_equal(hit.line, 17);
	assert_false(hit.important);
	nb = name_buf("e.example");
	assert_int_equal(filter_question(f, name_of(&nb), RR_A, &hit), FILTER_PASS);
	assert_null(hit.rule);
}

static void badfilter_takes_back_what_has_the_same_form(void **state)
{
	AUTO(filter_free) struct filter *f = NULL;

	(void)state;
	f = made("||a.example^$badfilter\n"
		 "||A.example|\n"
		 "b.example\n"
		 "|b.example^$badfilter\n"
		 "||c.example^$important,dnstype=A\n"
		 "||c.example^$dnstype=A,badfilter,important\n"
		 "||d.example^\n"
		 "||d.example^$important,badfilter\n"
		 "*e.ex*\n"
		 "@@e.ex$badfilter\n"
		 "||nobody.example^$badfilter\n"
		 "||f.example^\n");
	assert_int_equal(ask(f, "a.example"), FILTER_PASS);
	assert_int_equal(ask(f, "b.example"), FILTER_PASS);
	assert_int_equal(ask(f, "c.example"), FILTER_PASS);
	assert_int_equal(ask(f, "d.example"), FILTER_BLOCKED);
	assert_int_equal(ask(f, "e.example"), FILTER_BLOCKED);
	assert_int_equal(ask(f, "f.example"), FILTER_BLOCKED);
	assert_int_equal(filter_count(f)->disabled, 3);
	assert_int_equal(filter_count(f)->rules, 3);
}

static void what_was_said_before_is_kept_once(void **state)
{
	AUTO(filter_free) struct filter *f = NULL;

	(void)state;
	f = made("a.example\n0.0.0.0 a.example\n|A.example^\n||a.example^\na.example.\n");
	assert_int_equal(filter_count(f)->rules, 2);
	assert_int_equal(filter_count(f)->duplicates, 3);
}

static void limits_bite_rule_by_rule_and_are_counted(void **state)
{
	static const char text[] = "||a.example^\n*bcd*\n||e.example^\n*fgh*\n||ijk.example^\n";
	struct filter_limits limits = { .rules = 3, .told = 1 };
	AUTO(filter_free) struct filter *f = NULL;
	struct told told;

	(void)state;
	f = made_within(&limits, text, &told);
	assert_int_equal(filter_count(f)->rules, 3);
	assert_int_equal(filter_count(f)->over_limit, 2);
	assert_int_equal(filter_count(f)->refused, 2);
	assert_string_equal(told.text, "list:4: more rules than the limit: *fgh*\n"); /* one is told */
	assert_int_equal(ask(f, "e.example"), FILTER_BLOCKED);
	assert_int_equal(ask(f, "ijk.example"), FILTER_PASS);
	filter_free(MOVE(f));
	limits = (struct filter_limits){ .patterns = 1, .told = 9 };
	f = made_within(&limits, text, &told);
	assert_string_equal(told.text, "list:4: more patterns than the limit: *fgh*\n");
	assert_int_equal(ask(f, "ijk.example"), FILTER_BLOCKED);
	filter_free(MOVE(f));
	limits = (struct filter_limits){ .line = 12, .told = 9 };
	f = made_within(&limits, text, &told);
	assert_string_equal(told.text, "list:5: a line over the limit: ||ijk.example^\n");
	filter_free(MOVE(f));
	limits = (struct filter_limits){ .octets = 500, .told = 9 };
	f = made_within(&limits, text, &told);
	assert_true(filter_count(f)->rules > 0 && filter_count(f)->rules < 5);
	assert_int_equal(filter_count(f)->over_limit, 5 - filter_count(f)->rules);
	assert_non_null(strstr(told.text, "more octets than the limit"));
}

static void many_rules_are_found(void **state)
{
	AUTO(strbuf_free) struct strbuf *text = strbuf_new(1 << 20);
	AUTO(filter_free) struct filter *f = NULL;
	char name[64];

	(void)state;
	for (unsigned int i = 0; i < 20000; i++)
		strbuf_printf(text, "||n%u.example^\n", i);
	f = made(strbuf_text(text));
	assert_int_equal(filter_count(f)->rules, 20000);
	for (unsigned int i = 0; i < 20000; i += 7) {
		(void)snprintf(name, sizeof name, "www.n%u.example", i);
		assert_int_equal(ask(f, name), FILTER_BLOCKED);
		(void)snprintf(name, sizeof name, "m%u.example", i);
		assert_int_equal(ask(f, name), FILTER_PASS);
	}
}

static void a_filter_may_have_no_rule(void **state)
{
	AUTO(filter_free) struct filter *f = NULL;

	(void)state;
	filter_free(NULL);
	filter_builder_free(NULL);
	f = made("# nothing\n||a.example^$badfilter\n");
	assert_true(filter_is_empty(f));
	assert_false(filter_wants_answers(f));
	assert_false(filter_wants_routes(f));
	assert_int_equal(ask(f, "."), FILTER_PASS);
	filter_free(MOVE(f));
	f = made("*$address=192.0.2.1");
	assert_false(filter_is_empty(f));
	assert_true(filter_wants_answers(f));
	assert_false(filter_wants_routes(f));
	filter_free(MOVE(f));
	f = made("||a.example^$asn=1");
	assert_true(filter_wants_answers(f));
	assert_true(filter_wants_routes(f));
}

/* All of it, with the n-th allocation failing. */
static bool make_all(uint64_t n)
{
	static const char text[] = "||a.example^$denyallow=b.a.example\n0.0.0.0 c.example\n*def*$route=invalid,asn=1,address=10.0.0.0/8,dnstype=A\n||a.example^$badfilter\nbad name\n";
	struct filter_limits limits = { .told = 1 };
	AUTO(filter_builder_free) struct filter_builder *b = NULL;
	AUTO(filter_free) struct filter *f = NULL;
	struct told told = { .n = 0 };
	struct result r = FAIL(ERR_NOMEM);

	mem_fail_at(n, false);
	b = filter_builder_new(&limits, &test_key, tell, &told);
	if (b != NULL)
		r = filter_add_text(b, "list", span_text(text));
	for (unsigned int i = 0; i < 200 && OK(r); i++) {
		char line[40];

		(void)snprintf(line, sizeof line, "||n%u.example^", i);
		r = filter_add_rule(b, "rule", i, span_text(line));
	}
	if (OK(r))
		r = filter_build(MOVE(b), &f);
	mem_fail_at(0, false);
	assert_true(OK(r) || r.e == ERR_NOMEM);
	assert_int_equal(OK(r), f != NULL);
	return OK(r) && !mem_failed();
}

static void memory_may_run_out_at_any_time(void **state)
{
	struct mem_usage before = mem_usage();
	uint64_t n = 1;

	(void)state;
	while (!make_all(n)) {
		assert_true(n++ < 10000);
		assert_int_equal(mem_usage().objects, before.objects);
	}
	assert_true(n > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_may_be_of_all_kinds),
		cmocka_unit_test(a_hit_tells_the_line_it_came_from),
		cmocka_unit_test(badfilter_takes_back_what_has_the_same_form),
		cmocka_unit_test(what_was_said_before_is_kept_once),
		cmocka_unit_test(limits_bite_rule_by_rule_and_are_counted),
		cmocka_unit_test(many_rules_are_found),
		cmocka_unit_test(a_filter_may_have_no_rule),
		cmocka_unit_test(memory_may_run_out_at_any_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
