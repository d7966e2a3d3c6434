/* What a run found, counted; and how far it is, told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "rpki/process/progress.h"
#include "rpki/serve/tally.h"

static uint32_t source(struct table_builder *b, enum source_kind kind, const char *tal)
{
	struct payload_source s = { .kind = kind, .tal = tal, .uri = "u" };
	uint32_t id = 0;

	assert_true(OK(table_builder_add_source(b, &s, &id)));
	return id;
}

static void add(struct table_builder *b, uint8_t family, uint32_t asn, uint32_t id)
{
	struct vrp v = { .family = family, .len = 8, .maxlen = 8, .addr = { 10 }, .asn = asn };

	assert_true(OK(table_builder_add_vrp(b, &v, id)));
}

static struct payload_table *finish(struct table_builder *b) TAKES(1) OWNED_BY(table_unref);
static struct payload_table *finish(struct table_builder *b)
{
	struct payload_table *t = NULL;

	assert_true(OK(table_builder_finish(b, 1, &t)));
	return t;
}

/* 1 and 2 of "one", 2 of "two" as well, 3 of "two" in IPv6; an ASPA of "two". */
static struct payload_table *found(void) OWNED_BY(table_unref);
static struct payload_table *found(void)
{
	AUTO(table_builder_free) struct table_builder *b = table_builder_new(NULL);
	uint32_t one, two, provider = 5;

	assert_non_null(b);
	one = source(b, SOURCE_ROA, "one");
	two = source(b, SOURCE_ROA, "two");
	add(b, ADDR_V4, 1, one);
	add(b, ADDR_V4, 2, one);
	add(b, ADDR_V4, 2, two);
	add(b, ADDR_V6, 3, two);
	assert_true(OK(table_builder_add_aspa(b, 7, &provider, 1, two)));
	return finish(MOVE(b));
}

/* The same without 1, and with two exceptions: 3 that is there, 9 that is not. */
static struct payload_table *served(void) OWNED_BY(table_unref);
static struct payload_table *served(void)
{
	AUTO(table_builder_free) struct table_builder *b = table_builder_new(NULL);
	uint32_t own, one, two, provider = 5;

	assert_non_null(b);
	one = source(b, SOURCE_ROA, "one");
	two = source(b, SOURCE_ROA, "two");
	own = source(b, SOURCE_EXCEPTION, "");
	add(b, ADDR_V4, 2, one);
	add(b, ADDR_V4, 2, two);
	add(b, ADDR_V6, 3, two);
	add(b, ADDR_V6, 3, own);
	add(b, ADDR_V4, 9, own);
	assert_true(OK(table_builder_add_aspa(b, 7, &provider, 1, two)));
	return finish(MOVE(b));
}

static void check(const struct status_payloads *p, uint64_t valid, uint64_t duplicate, uint64_t filtered, uint64_t contributed)
{
	assert_int_equal(p->valid, valid);
	assert_int_equal(p->duplicate, duplicate);
	assert_int_equal(p->filtered, filtered);
	assert_int_equal(p->contributed, contributed);
}

static void payloads_are_counted_by_anchor(void **state)
{
	AUTO(table_unref) struct payload_table *t = found(), *s = served();
	AUTO(status_free) struct status *x = status_new(), *copy = NULL;

	(void)state;
	assert_non_null(x);
	assert_non_null(status_add_anchor(x, "two"));
	for (unsigned int again = 0; again < 2; again++) {
		assert_true(OK(tally_payloads(x, t, s)));
		assert_int_equal(x->nanchors, 2);
		assert_string_equal(x->anchors->name, "two");
		check(&x->anchors->payloads[STATUS_V4], 1, 1, 0, 0);
		check(&x->anchors->payloads[STATUS_V6], 1, 0, 0, 1);
		check(&x->anchors->payloads[STATUS_ASPAS], 1, 0, 0, 1);
		check(&x->anchors->next->payloads[STATUS_V4], 2, 0, 1, 1);
		check(&x->exceptions[STATUS_V4], 1, 0, 0, 1);
		check(&x->exceptions[STATUS_V6], 1, 1, 0, 0);
		check(&x->total[STATUS_V4], 4, 1, 1, 2);
		check(&x->total[STATUS_V6], 2, 1, 0, 1);
	}
	assert_true(OK(status_copy(x, &copy)));
	check(&copy->total[STATUS_V4], 4, 1, 1, 2);
}

static void exceptions_alone_are_counted(void **state)
{
	AUTO(table_builder_free) struct table_builder *b = table_builder_new(NULL);
	AUTO(status_free) struct status *x = status_new();
	AUTO(table_unref) struct payload_table *t = NULL;

	(void)state;
	add(b, ADDR_V4, 9, source(b, SOURCE_EXCEPTION, ""));
	t = finish(MOVE(b));
	assert_true(OK(tally_payloads(x, NULL, t)));
	check(&x->total[STATUS_V4], 1, 0, 0, 1);
	assert_int_equal(x->nanchors, 0);
}

/* Of what is served, or of what was left out: then it was found all the same. */
static void the_unsafe_are_counted(void **state)
{
	AUTO(table_unref) struct payload_table *t = found(), *s = served(), *unsafe = NULL;
	AUTO(table_builder_free) struct table_builder *b = table_builder_new(NULL);
	AUTO(status_free) struct status *x = status_new();

	(void)state;
	add(b, ADDR_V4, 2, source(b, SOURCE_ROA, "one"));
	add(b, ADDR_V4, 2, source(b, SOURCE_ROA, "two"));
	unsafe = finish(MOVE(b));
	assert_non_null(x);
	assert_true(OK(tally_payloads(x, t, s)));
	assert_true(OK(tally_unsafe(x, unsafe, false)));
	assert_true(x->total[STATUS_V4].unsafe == 2 && x->anchors->payloads[STATUS_V4].unsafe == 1 && x->total[STATUS_V6].unsafe == 0);
	check(&x->total[STATUS_V4], 4, 1, 1, 2);
	assert_true(OK(tally_payloads(x, t, s)));
	assert_true(OK(tally_unsafe(x, unsafe, true)));
	assert_int_equal(x->total[STATUS_V4].unsafe, 2); /* not four: each count begins anew */
	check(&x->total[STATUS_V4], 6, 1, 1, 2);
}

static void progress_is_told_now_and_then(void **state)
{
	struct progress p;
	char room[PROGRESS_TEXT];

	(void)state;
	progress_begin(&p, true, 1000);
	assert_false(progress_is_due(&p, 1000 + PROGRESS_DRAW_MS - 1));
	assert_true(progress_is_due(&p, 1000 + PROGRESS_DRAW_MS));
	progress_note(&p, false, 100, 5000, 3);
	progress_note(&p, true, 0, 0, 3);
	assert_string_equal(progress_text(&p, 3000, room), "2 of 3 repositories, 1 failed, 100 objects, 50/s, 2 s");
	assert_true(p.drawn);
	assert_false(progress_is_due(&p, 3000 + PROGRESS_DRAW_MS - 1));
	progress_begin(&p, false, 1000);
	assert_false(progress_is_due(&p, 1000 + PROGRESS_DRAW_MS));
	assert_true(progress_is_due(&p, 1000 + PROGRESS_LOG_MS));
	progress_note(&p, false, 1, 1, 0);
	assert_string_equal(progress_text(&p, 1000, room), "1 of 1 repositories, 0 failed, 1 objects, 0/s, 0 s");
	assert_false(p.drawn);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(payloads_are_counted_by_anchor),
		cmocka_unit_test(exceptions_alone_are_counted),
		cmocka_unit_test(the_unsafe_are_counted),
		cmocka_unit_test(progress_is_told_now_and_then),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
