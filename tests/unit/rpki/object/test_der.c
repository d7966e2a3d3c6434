/* DER: what is strict and what is not, octet by octet; the BER of one registry written out as DER. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "rpki/object/der.h"


#define S(literal) span_of(literal, sizeof(literal) - 1)

static void lengths_are_minimal(void **state)
{
	uint8_t tag, big[300] = { 0x04, 0x82, 0x01, 0x00 };
	struct reader r = reader_of(S("\x04\x02" "ab"));

	(void)state;
	assert_true(span_equal(der_get(&r, DER_OCTET_STRING), S("ab")));
	assert_true(reader_ok(&r) && reader_end(&r));
	r = reader_of(S("\x04\x81\x02" "ab")); /* 2 needs no long form */
	der_any(&r, &tag);
	assert_false(reader_ok(&r));
	r = reader_of(span_of(big, 260));
	assert_int_equal(der_any(&r, &tag).n, 256);
	assert_true(reader_ok(&r));
	big[1] = 0x83; /* the same with a zero before it */
	big[2] = 0;
	big[3] = 1;
	r = reader_of(span_of(big, sizeof big));
	der_any(&r, &tag);
	assert_false(reader_ok(&r));
	r = reader_of(S("\x30\x80\x00\x00")); /* indefinite */
	der_any(&r, &tag);
	assert_false(reader_ok(&r));
	r = reader_of(S("\x04\x03" "ab")); /* past the end */
	der_any(&r, &tag);
	assert_false(reader_ok(&r));
	r = reader_of(S("\x1f\x81\x01\x00")); /* a long tag */
	der_any(&r, &tag);
	assert_false(reader_ok(&r));
}

static void another_tag_fails_for_good(void **state)
{
	struct reader r = reader_of(S("\x02\x01\x05\x02\x01\x06")), in;

	(void)state;
	assert_int_equal(der_peek(&r), DER_INTEGER);
	assert_int_equal(der_get(&r, DER_OCTET_STRING).n, 0);
	assert_false(reader_ok(&r));
	assert_int_equal(der_get(&r, DER_INTEGER).n, 0);
	in = der_enter(&r, DER_SEQUENCE);
	assert_false(reader_ok(&in));
	assert_int_equal(der_peek(&r), 0);
}

static void integers(void **state)
{
	static const struct {
		const char *octets;
		size_t n;
		bool good;
	} cases[] = { { "\x02\x01\x00", 3, true }, { "\x02\x02\x00\x80", 4, true }, { "\x02\x02\x00\x7f", 4, false }, { "\x02\x02\xff\x80", 4, false },
		{ "\x02\x02\xff\x7f", 4, true }, { "\x02\x00", 2, false } };
	uint64_t v = 9;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct reader r = reader_of(span_of(cases[i].octets, cases[i].n));

		der_integer(&r);
		assert_int_equal(reader_ok(&r), cases[i].good);
	}
	assert_true(der_small(S("\x00\xff\xff\xff\xff"), UINT32_MAX, &v) && v == UINT32_MAX);
	assert_false(der_small(S("\x01\x00\x00\x00\x00"), UINT32_MAX, &v));
	assert_false(der_small(S("\xff"), UINT32_MAX, &v));
	assert_true(der_small(S("\x00\xff\xff\xff\xff\xff\xff\xff\xff"), UINT64_MAX, &v) && v == UINT64_MAX);
	assert_false(der_small(S("\x01\x00\x00\x00\x00\x00\x00\x00\x00"), UINT64_MAX, &v));
	assert_true(der_negative(S("\x80")) && !der_negative(S("\x00\x80")) && der_zero(S("\x00")));
}

static void booleans_and_bits(void **state)
{
	struct reader r = reader_of(S("\x01\x01\xff\x01\x01\x00\x01\x01\x01"));
	struct bits b;

	(void)state;
	assert_true(der_boolean(&r));
	assert_false(der_boolean(&r));
	assert_true(reader_ok(&r));
	der_boolean(&r); /* true is 0xff */
	assert_false(reader_ok(&r));
	r = reader_of(S("\x03\x02\x04\xa0"));
	b = der_bit_string(&r);
	assert_true(reader_ok(&r) && bits_count(b) == 4);
	r = reader_of(S("\x03\x02\x04\xa8")); /* an unused bit is set */
	der_bit_string(&r);
	assert_false(reader_ok(&r));
	r = reader_of(S("\x03\x01\x01")); /* no octet has the unused bit */
	der_bit_string(&r);
	assert_false(reader_ok(&r));
	r = reader_of(S("\x03\x02\x08\x00"));
	der_bit_string(&r);
	assert_false(reader_ok(&r));
	r = reader_of(S("\x03\x00"));
	der_bit_string(&r);
	assert_false(reader_ok(&r));
}

static int64_t utc(const char *s)
{
	int64_t t = -1;

	return der_time_value(DER_UTC_TIME, span_text(s), &t) ? t : -1;
}
static int64_t generalized(const char *s)
{
	int64_t t = -1;

	return der_time_value(DER_GENERALIZED_TIME, span_text(s), &t) ? t : -1;
}

static void times(void **state)
{
	(void)state;
	assert_int_equal(utc("700101000000Z"), 0);
	assert_int_equal(utc("260228235959Z"), 1772323199);
	assert_int_equal(utc("491231235959Z"), INT64_C(2524607999));
	assert_int_equal(generalized("20500101000000Z"), INT64_C(2524608000));
	assert_int_equal(generalized("20240229000000Z"), 1709164800);
	assert_int_equal(generalized("20230229000000Z"), -1);
	assert_int_equal(generalized("21000229000000Z"), -1);
	assert_int_equal(generalized("20000229000000Z"), 951782400);
	assert_int_equal(generalized("99991231235959Z"), INT64_C(253402300799));
	assert_int_equal(utc("2601010000Z"), -1);
	assert_int_equal(utc("260101000000+0000"), -1);
	assert_int_equal(utc("260101000060Z"), -1);
	assert_int_equal(utc("260001000000Z"), -1);
	assert_int_equal(utc("260101240000Z"), -1);
	assert_int_equal(utc("260101006000Z"), -1);
	assert_int_equal(generalized("20260101000000.5Z"), -1);
	assert_int_equal(generalized("2026010100000 Z"), -1);
}

static void utf8(void **state)
{
	/* the first and last of each length, and around what is left out */
	static const char *const good[] = { "", "a\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf3\xbf\xbf\xbf",
		"\xf4\x8f\xbf\xbf", "\xc3\xa4\xe2\x82\xac" };
	static const char *const bad[] = { "\x80", "a\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x7f", "\xc2\xc0", "\xe0\x9f\xbf", "\xe1\x80", "\xe1\x80\x7f", "\xe1\x80\xc0", "\xed\xa0\x80",
		"\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf1\x80\x80", "\xf1\x80\x80\xc0", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff" };

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		assert_true(der_utf8_is_good(span_text(good[i])));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(der_utf8_is_good(span_text(bad[i])));
	assert_false(der_is_strict(S("\x0c\x01\x96"), 1));
}

static void sets_and_oids(void **state)
{
	char room[DER_OID_TEXT];

	(void)state;
	assert_true(der_set_is_sorted(S("\x02\x01\x01\x02\x01\x02\x04\x01\x00")));
	assert_false(der_set_is_sorted(S("\x02\x01\x02\x02\x01\x01")));
	assert_true(der_set_is_sorted(S("")));
	assert_string_equal(der_oid_text(S("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x18"), room), "1.2.840.113549.1.9.16.1.24");
	assert_string_equal(der_oid_text(S("\x88\x37\x03"), room), "2.999.3");
}

static void whole_elements(void **state)
{
	(void)state;
	assert_true(der_is_strict(S("\x30\x06\x02\x01\x05\x31\x01\x00"), 4) == false); /* SET with rubbish */
	assert_true(der_is_strict(S("\x30\x05\x02\x01\x05\x05\x00"), 4));
	assert_false(der_is_strict(S("\x30\x05\x02\x01\x05\x05\x00\x00"), 4));
	assert_false(der_is_strict(S("\x24\x03\x04\x01" "a"), 4)); /* a constructed string */
	assert_false(der_is_strict(S("\x30\x04\x30\x02\x30\x00"), 2));
	assert_true(der_is_strict(S("\x30\x04\x30\x02\x30\x00"), 3));
	assert_false(der_is_strict(S("\x06\x02\x80\x01"), 3));
	assert_false(der_is_strict(S("\x10\x00"), 3)); /* a SEQUENCE that is not constructed */
	assert_false(der_is_strict(S(""), 3));
}

static void ber_of_the_wrapper(void **state)
{
	/* SEQUENCE { OID, [0] { SEQUENCE { INTEGER, SEQUENCE { OCTET STRING in three chunks, one of them constructed } } } }, all lengths indefinite */
	static const char ber[] = "\x30\x80\x06\x01\x2a\xa0\x80\x30\x80\x02\x01\x03\x30\x80\x24\x80\x04\x02" "ab" "\x24\x80\x04\x01" "c" "\x00\x00\x04\x01" "d" "\x00\x00"
				  "\x00\x00\x00\x00\x00\x00\x00\x00";
	static const char der[] = "\x30\x12\x06\x01\x2a\xa0\x0d\x30\x0b\x02\x01\x03\x30\x06\x04\x04" "abcd";
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct span out;

	(void)state;
	assert_true(OK(ber_to_der(S(ber), a, &out)));
	assert_true(span_equal(out, S(der)));
	for (size_t n = 0; n < sizeof ber - 1; n++) /* cut anywhere it is nothing */
		assert_false(OK(ber_to_der(span_of(ber, n), a, &out)));
	assert_false(OK(ber_to_der(S("\x30\x80\x00\x00\x00"), a, &out)));
	assert_false(OK(ber_to_der(S("\x04\x80" "a" "\x00\x00"), a, &out)));
}

static void what_is_signed_is_not_rewritten(void **state)
{
	/* a certificate with an indefinite length, in SignedData's [0] */
	static const char cert[] = "\x30\x80\xa0\x80\x30\x80\xa0\x80\x30\x80\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00";
	static const char definite[] = "\x30\x80\xa0\x80\x30\x80\xa0\x80\x30\x03\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00";
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct span out;

	(void)state;
	assert_false(OK(ber_to_der(S(cert), a, &out)));
	assert_true(OK(ber_to_der(S(definite), a, &out)));
}

static void depth_is_bounded(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	uint8_t deep[4 * (BER_MAX_DEPTH + 2)] = { 0 };
	struct span out;

	(void)state;
	for (unsigned int depth = 1; depth <= BER_MAX_DEPTH + 1; depth++) {
		for (unsigned int i = 0; i < depth; i++) {
			deep[2 * i] = DER_CONSTRUCTED + 2; /* a tag that nothing is signed in */
			deep[2 * i + 1] = 0x80;
		}
		memset(deep + 2 * (size_t)depth, 0, 2 * (size_t)depth);
		assert_int_equal(OK(ber_to_der(span_of(deep, 4 * (size_t)depth), a, &out)), depth <= BER_MAX_DEPTH);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lengths_are_minimal),
		cmocka_unit_test(another_tag_fails_for_good),
		cmocka_unit_test(integers),
		cmocka_unit_test(booleans_and_bits),
		cmocka_unit_test(times),
		cmocka_unit_test(utf8),
		cmocka_unit_test(sets_and_oids),
		cmocka_unit_test(whole_elements),
		cmocka_unit_test(ber_of_the_wrapper),
		cmocka_unit_test(what_is_signed_is_not_rewritten),
		cmocka_unit_test(depth_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
