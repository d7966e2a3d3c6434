/* What is known of repositories that fail goes from one process to the next through the store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/cursor.h"
#include "rpki/fetch/patience.h"
#include "tests/unit/rpki/store_here.h"

static const char dead[] = "https://dead.example/n.xml";

static struct patience *patience_usual(void) OWNED_BY(patience_free);
static struct patience *patience_usual(void)
{
	AUTO(patience_free) struct patience *x = patience_new();

	assert_non_null(x);
	patience_set(x, &(struct patience_options){ 15000, 4000, 3, 100 });
	return MOVE(x);
}

#define NOW 1800000000

static void keep(struct patience *x, int64_t now)
{
	assert_true(OK(patience_keep(x, store, now)));
}

static struct patience *recalled(int64_t now) OWNED_BY(patience_free);
static struct patience *recalled(int64_t now)
{
	AUTO(patience_free) struct patience *x = patience_usual();

	assert_true(OK(patience_recall(x, store, now)));
	return MOVE(x);
}

static void a_process_that_begins_anew_goes_on_with_it(void **state)
{
	AUTO(patience_free) struct patience *x = patience_usual(), *y = recalled(NOW), *z = NULL, *late = NULL, *early = NULL, *after = NULL;

	(void)state;
	assert_int_equal(patience_failures(y, dead), 0); /* there is nothing yet */
	for (unsigned int i = 0; i < 3; i++)
		patience_note(x, dead, true);
	patience_note(x, "rsync://a.example/m/", true);
	patience_note(x, "https://back.example/n.xml", true);
	patience_note(x, "https://back.example/n.xml", false);
	keep(x, NOW);
	z = recalled(NOW + PATIENCE_KEPT_SEC);
	assert_int_equal(patience_failures(z, dead), 3);
	assert_int_equal(patience_ms(z, dead), 7500);
	assert_int_equal(patience_failures(z, "rsync://a.example/m/"), 1);
	assert_int_equal(patience_failures(z, "https://back.example/n.xml"), 0);
	late = recalled(NOW + PATIENCE_KEPT_SEC + 1);
	assert_int_equal(patience_failures(late, dead), 0);
	early = recalled(NOW - 1); /* the clock was set back: how old it is nobody knows */
	assert_int_equal(patience_failures(early, dead), 0);
	keep(z, NOW + 5000); /* nothing has changed: it stays as old as it was */
	patience_free(MOVE(late));
	late = recalled(NOW + PATIENCE_KEPT_SEC + 1);
	assert_int_equal(patience_failures(late, dead), 0);
	patience_note(z, dead, false);
	keep(z, NOW + 5000);
	after = recalled(NOW + 5000);
	assert_int_equal(patience_failures(after, dead), 0);
	assert_int_equal(patience_failures(after, "rsync://a.example/m/"), 1);
}

static void put_note(const void *octets, size_t n)
{
	const struct store_note note = { .key = span_text("patience"), .value = span_of(octets, n) };

	assert_true(OK(store_notes_put(store, &note, 1)));
}

static void a_note_that_is_none_is_not_believed(void **state)
{
	static const char good[] = "\0\0\0\0\0\0\0\5\0\0\0\2\0\0\0\1b\0\0\0\3\0\0\0\1c";
	static const struct {
		size_t at;
		char octet;
		uint32_t a, b; /* failures of b and c that are left */
	} all[] = { { 25, 'c', 2, 3 }, { 25, 'a', 2, 0 }, { 25, 'b', 2, 0 }, { 25, '\0', 2, 0 }, { 24, 2, 2, 0 }, { 24, 0, 2, 0 }, { 20, 0, 2, 0 }, { 16, '\0', 0, 0 }, { 15, 0, 0, 0 }, { 11, 0, 0, 0 }, { 12, 1, 0, 0 }, { 0, 1, 0, 0 } };

	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		AUTO(patience_free) struct patience *x = NULL;
		char octets[sizeof good];

		memcpy(octets, good, sizeof good);
		octets[all[i].at] = all[i].octet;
		put_note(octets, sizeof good - 1);
		x = recalled(6);
		assert_int_equal(patience_failures(x, "b"), all[i].a);
		assert_int_equal(patience_failures(x, "c"), all[i].b);
	}
	for (size_t n = 1; n < sizeof good - 1; n++) {
		AUTO(patience_free) struct patience *x = NULL;

		put_note(good, n);
		x = recalled(6);
		assert_int_equal(patience_failures(x, "b"), n >= 17 ? 2 : 0);
		assert_int_equal(patience_failures(x, "c"), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_process_that_begins_anew_goes_on_with_it, begin, end),
		cmocka_unit_test_setup_teardown(a_note_that_is_none_is_not_believed, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
