#include "unit.h"

#include "base/cursor.h"

static void integers_are_read_in_network_order(void **state)
{
	const uint8_t d[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	struct reader r = reader_of(span_of(d, sizeof(d)));

	(void)state;
	assert_int_equal(read8(&r), 1);
	assert_int_equal(read16(&r), 0x0203);
	assert_int_equal(read32(&r), 0x04050607);
	assert_int_equal(reader_left(&r), 1);
	assert_false(reader_end(&r));
	assert_int_equal(read8(&r), 8);
	assert_true(reader_end(&r));
	assert_true(reader_ok(&r));
}

static void a_read_error_is_sticky(void **state)
{
	const uint8_t d[] = { 1, 2, 3 };
	struct reader r = reader_of(span_of(d, sizeof(d)));

	(void)state;
	assert_int_equal(read32(&r), 0);
	assert_false(reader_ok(&r));
	assert_int_equal(read8(&r), 0);
	assert_int_equal(read_span(&r, 1).n, 0);
	assert_null(read_span(&r, 1).p);
	reader_seek(&r, 0);
	assert_int_equal(read8(&r), 0);
	assert_false(reader_ok(&r));
	assert_true(reader_end(&r));
}

static void spans_are_bounded(void **state)
{
	const uint8_t d[] = { 1, 2, 3 };
	struct reader r = reader_of(span_of(d, sizeof(d)));

	(void)state;
	assert_true(span_equal(read_span(&r, 2), span_of(d, 2)));
	assert_int_equal(read_rest(&r).n, 1);
	assert_int_equal(read_rest(&r).n, 0);
	assert_true(reader_ok(&r));
	reader_seek(&r, 1);
	assert_int_equal(read8(&r), 2);
	read_skip(&r, 1);
	assert_true(reader_ok(&r));
	read_skip(&r, SIZE_MAX);
	assert_false(reader_ok(&r));
	r = reader_of(span_of(d, sizeof(d)));
	reader_seek(&r, 4);
	assert_false(reader_ok(&r));
	assert_true(span_equal(span_of(NULL, 0), span_text("")));
	assert_false(span_equal(span_text("a"), span_text("ab")));
}

static void a_writer_stops_at_its_end(void **state)
{
	uint8_t d[8] = { 0 };
	struct writer w = writer_of(d, 7);

	(void)state;
	write8(&w, 1);
	write16(&w, 0x0203);
	write32(&w, 0x04050607);
	assert_true(writer_ok(&w));
	assert_int_equal(writer_left(&w), 0);
	write8(&w, 9);
	assert_false(writer_ok(&w));
	assert_int_equal(d[7], 0);
	assert_memory_equal(d, "\1\2\3\4\5\6\7", 7);
	assert_int_equal(writer_done(&w).n, 7);
	writer_rewind(&w, 3);
	assert_true(writer_ok(&w));
	write_octets(&w, "xyz!!", 5);
	assert_false(writer_ok(&w));
	assert_int_equal(writer_done(&w).n, 3);
	write8(&w, 1); /* sticky: also what would fit is not written */
	assert_int_equal(writer_done(&w).n, 3);
}

static void patches_stay_inside(void **state)
{
	uint8_t d[4] = { 0 };
	struct writer w = writer_of(d, 4);

	(void)state;
	write16(&w, 0);
	patch16(&w, 0, 0xabcd);
	assert_int_equal(load16(d), 0xabcd);
	patch16(&w, 1, 1);
	assert_false(writer_ok(&w));
	assert_int_equal(load32(d), 0xabcd0000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_are_read_in_network_order),
		cmocka_unit_test(a_read_error_is_sticky),
		cmocka_unit_test(spans_are_bounded),
		cmocka_unit_test(a_writer_stops_at_its_end),
		cmocka_unit_test(patches_stay_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
