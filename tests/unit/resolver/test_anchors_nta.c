/* Bookkeeping of negative trust anchors, and its file. */
#include "cache_unit.h"

#include "base/strbuf.h"
#include "resolver/anchors_nta.h"

#define NOW INT64_C(1800000000)

static struct name_buf named(const char *text)
{
	struct name_buf b;

	assert_true(OK(name_from_text(text, NULL, &b)));
	return b;
}

static void set(struct negatives *n, const char *name, uint32_t lifetime, bool force)
{
	struct name_buf b = named(name);

	assert_true(OK(negatives_set(n, name_of(&b), lifetime, force, NOW, 300)));
}

static void setting_one_again_renews_it(void **state)
{
	struct negatives n = { .n = 0 };
	struct name_buf b = named("a.example.");

	(void)state;
	set(&n, "A.example.", 10, false);
	assert_int_equal(n.list[0].recheck, NOW + 300);
	set(&n, "a.EXAMPLE.", 20, true);
	assert_int_equal(n.n, 1);
	assert_int_equal(n.list[0].until, NOW + 20);
	assert_int_equal(n.list[0].recheck, 0);
	assert_int_equal(negatives_set(&n, name_of(&b), 0, false, NOW, 0).e, ERR_RANGE);
	assert_int_equal(negatives_set(&n, name_of(&b), NTA_LIFETIME_MAX + 1, false, NOW, 0).e, ERR_RANGE);
	assert_int_equal(n.list[0].until, NOW + 20);
	assert_true(negatives_remove(&n, name_of(&b)));
	assert_false(negatives_remove(&n, name_of(&b)));
	negatives_done(&n);
}

static void they_end(void **state)
{
	struct negatives n = { .n = 0 };
	struct name_buf ended;
	char text[NAME_TEXT];

	(void)state;
	set(&n, "a.", 10, false);
	set(&n, "b.", 20, false);
	assert_false(negatives_ended(&n, NOW + 9, &ended));
	assert_true(negatives_ended(&n, NOW + 10, &ended));
	assert_string_equal(name_to_text(name_of(&ended), text), "a.");
	negatives_done(&n);
}

static void the_set_to_validate_by_can_leave_one_out(void **state)
{
	struct negatives n = { .n = 0 };
	struct name_buf a = named("a."), b = named("b.");
	struct name but = name_of(&a);
	struct ntas *made = NULL;
	int64_t until;

	(void)state;
	set(&n, "a.", 10, false);
	set(&n, "b.", 20, false);
	assert_true(OK(negatives_make(&n, NULL, NOW, &made)));
	assert_int_equal(ntas_count(made), 2);
	ntas_free(made);
	assert_true(OK(negatives_make(&n, &but, NOW, &made)));
	assert_int_equal(ntas_count(made), 1);
	assert_true(name_equal(ntas_at(made, 0, &until), name_of(&b)));
	assert_int_equal(until, NOW + 20);
	ntas_free(made);
	assert_true(OK(negatives_make(&n, NULL, NOW + 15, &made)));
	assert_int_equal(ntas_count(made), 1);
	ntas_free(made);
	negatives_done(&n);
}

static void the_file_comes_back(void **state)
{
	struct negatives n = { .n = 0 }, back = { .n = 0 };
	AUTO(strbuf_free) struct strbuf *text = strbuf_new(65536), *report = strbuf_new(4096);

	(void)state;
	set(&n, "a\\032b.example.", 10, false);
	set(&n, "b.", 20, true);
	negatives_write(&n, text);
	assert_true(OK(negatives_read(&back, "f", strbuf_span(text), NOW + 10, 300, report)));
	assert_string_equal(strbuf_text(report), "");
	assert_int_equal(back.n, 1); /* the first has ended meanwhile */
	assert_true(back.list[0].force);
	assert_int_equal(back.list[0].until, NOW + 20);
	negatives_done(&back);
	assert_true(OK(negatives_read(&back, "f", strbuf_span(text), NOW, 300, report)));
	assert_int_equal(back.n, 2);
	negatives_done(&n);
	negatives_done(&back);
}

static void damaged_lines_are_left_out(void **state)
{
	static const char *const bad[] = { "a.", "a. 1800000010", "a. x recheck", "a. 1800000010 maybe", "a. 1800000010 force more", "..a 1800000010 force",
		"a. 99999999999999999999 force", "a. -1 force", " ", "\001 1800000010 force" };
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(4096);

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct negatives n = { .n = 0 };
		AUTO_CHARS char *text = mem_printf("%s\ngood. 1800000010 recheck", bad[i]);

		strbuf_clear(report);
		assert_true(OK(negatives_read(&n, "f", span_text(text), NOW, 300, report)));
		if (n.n != (bad[i][0] == '\001' ? 2 : 1))
			fail_msg("\"%s\": %zu entries, report %s", bad[i], n.n, strbuf_text(report));
		if (bad[i][0] != '\001')
			assert_string_equal(strbuf_text(report), "f:1: found a line that is no negative trust anchor; it is left out\n");
		negatives_done(&n);
	}
}

static void none_outlives_a_week_whatever_the_file_says(void **state)
{
	struct negatives n = { .n = 0 };
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(4096);

	(void)state;
	assert_true(OK(negatives_read(&n, "f", span_text("a. 1900000000 force\n"), NOW, 300, report)));
	assert_int_equal(n.list[0].until, NOW + NTA_LIFETIME_MAX);
	negatives_done(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(setting_one_again_renews_it),
		cmocka_unit_test(they_end),
		cmocka_unit_test(the_set_to_validate_by_can_leave_one_out),
		cmocka_unit_test(the_file_comes_back),
		cmocka_unit_test(damaged_lines_are_left_out),
		cmocka_unit_test(none_outlives_a_week_whatever_the_file_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
