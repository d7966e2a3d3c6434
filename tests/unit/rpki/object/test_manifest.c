/* Manifests: names of files, numbers, files that are there twice far apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/strbuf.h"
#include "rpki/object/manifest.h"
#include "tests/unit/rpki/object/toy.h"


#define S(literal) span_of(literal, sizeof(literal) - 1)

static struct toy *toy;

static void file_names(void **state)
{
	(void)state;
	assert_true(manifest_name_is_good(S("a.roa")) && manifest_name_is_good(S("-_aZ09.xyz")));
	assert_false(manifest_name_is_good(S(".roa")) || manifest_name_is_good(S("a.ro")) || manifest_name_is_good(S("a.ROA")));
	assert_false(manifest_name_is_good(S("a/b.roa")) || manifest_name_is_good(S("a.b.roa")) || manifest_name_is_good(S("a\0.roa")));
	assert_false(manifest_name_is_good(S("..roa")) || manifest_name_is_good(S("")) || manifest_name_is_good(S("\xc3\xa4.roa")));
}

static void numbers(void **state)
{
	(void)state;
	assert_true(manifest_number_compare(S("\x01"), S("\x02")) < 0);
	assert_true(manifest_number_compare(S("\x01\x00"), S("\x7f")) > 0);
	assert_true(manifest_number_compare(S("\x7f"), S("\x7f")) == 0);
}

static void a_file_twice_anywhere(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);

	(void)state;
	for (unsigned int twice = 0; twice < 2; twice++) {
		struct toy_tree tree = toy_tree(a, toy_object(toy, TOY_MANIFEST), TOY_MANIFEST);
		struct node *list = tree_child(tree_child(tree.content, 0), 4);
		AUTO(strbuf_free) struct strbuf *b = strbuf_new(1 << 20);
		struct inspect_context ctx = toy_context(toy);
		struct inspection i;

		for (unsigned int n = 0; n < 500; n++) { /* not in the order of their names */
			strbuf_add(b, "\x30\x2d\x16\x08", 4);
			strbuf_printf(b, "%04u.roa", twice == 1 && n == 400 ? 0 : n * 7 % 503);
			strbuf_add(b, "\x03\x21\x00" "01234567890123456789012345678901", 35);
		}
		list->inside = false;
		list->octets = strbuf_span(b);
		assert_true(OK(rpki_inspect(toy_sign(toy, a, &tree, 0), S("a.mft"), &ctx, a, &i)));
		assert_int_equal(i.valid, twice == 0);
		assert_int_equal(report_has(&i.report, RULE_MFT_FILE_TWICE), twice == 1);
		assert_int_equal(i.u.manifest.count, 500);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(file_names),
		cmocka_unit_test(numbers),
		cmocka_unit_test(a_file_twice_anywhere),
	};
	int failed;

	toy = toy_new();
	if (toy == NULL)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	toy_free(toy);
	return failed;
}
