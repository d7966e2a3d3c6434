/* ROAs and prefix lists: the walk over what is in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "rpki/object/prefix_list.h"
#include "rpki/object/roa.h"
#include "tests/unit/rpki/object/toy.h"


static struct toy *toy;

static void both_families(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct report rep;
	struct roa_prefix p;
	struct roa_walk w;
	struct cms cms;
	struct roa roa;
	char room[PREFIX_TEXT];

	(void)state;
	report_init(&rep);
	assert_true(OK(cms_read(toy_object(toy, TOY_ROA), OBJECT_ROA, a, &rep, &cms)) && OK(roa_read(&cms, &rep, &roa)));
	assert_int_equal(roa.prefixes, 2);
	w = roa_begin(&roa);
	assert_true(roa_next(&w, &p));
	assert_string_equal(ip_prefix_text(&p.p, room), "10.1.0.0/16");
	assert_int_equal(p.max_len, 24);
	assert_true(roa_next(&w, &p));
	assert_string_equal(ip_prefix_text(&p.p, room), "2001:db8:1::/48");
	assert_int_equal(p.max_len, 48);
	assert_false(roa_next(&w, &p));
	assert_false(roa_next(&w, &p));
}

static void a_family_twice_is_met(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct inspect_context ctx = toy_context(toy);
	struct inspection i;

	(void)state;
	assert_true(OK(rpki_inspect(toy_edited(toy, TOY_ROA, "content", "0.1.0*", 0), span_text("a.roa"), &ctx, a, &i)));
	assert_true(i.valid && i.u.roa.prefixes == 3);
}

static void prefix_lists(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct report rep;
	struct prefix_list_walk w;
	struct prefix_list l;
	struct ip_prefix p;
	struct cms cms;
	char room[PREFIX_TEXT];

	(void)state;
	report_init(&rep);
	assert_true(OK(cms_read(toy_object(toy, TOY_PREFIX_LIST), OBJECT_PREFIX_LIST, a, &rep, &cms)) && OK(prefix_list_read(&cms, &rep, &l)));
	assert_int_equal(l.count, 3);
	w = prefix_list_begin(&l);
	assert_true(prefix_list_next(&w, &p) && prefix_list_next(&w, &p) && prefix_list_next(&w, &p));
	assert_string_equal(ip_prefix_text(&p, room), "2001:db8::/32");
	assert_false(prefix_list_next(&w, &p));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_families),
		cmocka_unit_test(a_family_twice_is_met),
		cmocka_unit_test(prefix_lists),
	};
	int failed;

	toy = toy_new();
	if (toy == NULL)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	toy_free(toy);
	return failed;
}
