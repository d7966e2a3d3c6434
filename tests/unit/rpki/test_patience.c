/* How long a repository is waited for that has failed before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/mem.h"
#include "rpki/fetch/patience.h"

static const struct patience_options usual = { 15000, 4000, 3, 100 };
static const char dead[] = "https://dead.example/n.xml";

static struct patience *with(const struct patience_options *o) OWNED_BY(patience_free);
static struct patience *with(const struct patience_options *o)
{
	AUTO(patience_free) struct patience *x = patience_new();

	assert_non_null(x);
	patience_set(x, o);
	return MOVE(x);
}

static void it_is_waited_for_less_and_less(void **state)
{
	static const uint32_t ms[] = { 0, 0, 0, 7500, 4000, 4000, 4000, 4000, 0, 4000 };
	AUTO(patience_free) struct patience *x = with(&usual);

	(void)state;
	for (uint32_t failures = 0; failures < sizeof ms / sizeof ms[0]; failures++) {
		assert_int_equal(patience_failures(x, dead), failures);
		assert_int_equal(patience_ms(x, dead), ms[failures]); /* of eight one in full */
		patience_note(x, dead, true);
	}
	patience_note(x, dead, false);
	assert_int_equal(patience_failures(x, dead), 0);
	assert_int_equal(patience_ms(x, dead), 0);
	patience_note(x, dead, false);
	patience_note(x, dead, true);
	assert_int_equal(patience_failures(x, dead), 1);
}

static void it_can_be_switched_off(void **state)
{
	const struct patience_options off = { 15000, 0, 3, 100 }, same = { 3000, 4000, 3, 100 };
	AUTO(patience_free) struct patience *x = with(&off);

	(void)state;
	for (unsigned int i = 0; i < 5; i++)
		patience_note(x, dead, true);
	assert_int_equal(patience_ms(x, dead), 0);
	patience_set(x, &same); /* nobody is waited for that long anyway */
	assert_int_equal(patience_ms(x, dead), 0);
	patience_set(x, &usual);
	assert_int_equal(patience_ms(x, dead), 4000);
}

static void each_is_by_itself_and_there_are_only_so_many(void **state)
{
	AUTO(patience_free) struct patience *x = with(&usual);
	char uri[40];

	(void)state;
	for (unsigned int round = 0; round < 4; round++)
		for (unsigned int i = 0; i < 150; i++) {
			(void)snprintf(uri, sizeof uri, "rsync://%u.example/m/", i * 7919 % 150);
			patience_note(x, uri, true);
		}
	for (unsigned int i = 0; i < 150; i++) {
		(void)snprintf(uri, sizeof uri, "rsync://%u.example/m/", i * 7919 % 150);
		assert_int_equal(patience_failures(x, uri), i < 100 ? 4 : 0);
		if (i < 100 && i % 2 == 0)
			patience_note(x, uri, false);
	}
	for (unsigned int i = 0; i < 100; i++) {
		(void)snprintf(uri, sizeof uri, "rsync://%u.example/m/", i * 7919 % 150);
		assert_int_equal(patience_failures(x, uri), i % 2 == 0 ? 0 : 4);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_waited_for_less_and_less),
		cmocka_unit_test(it_can_be_switched_off),
		cmocka_unit_test(each_is_by_itself_and_there_are_only_so_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
