#include "tests/unit/dns/dns_test.h"

static void every_number_has_a_text_that_means_it(void **state)
{
	char buf[RRTYPE_TEXT];
	uint16_t back;
	unsigned int named = 0;

	(void)state;
	for (unsigned int v = 0; v <= 65535; v++) {
		const char *text = rrtype_text((uint16_t)v, buf);

		assert_ok(rrtype_parse(text, &back));
		assert_int_equal(back, v);
		named += strncmp(text, "TYPE", 4) != 0;
		text = rrclass_text((uint16_t)v, buf);
		assert_ok(rrclass_parse(text, &back));
		assert_int_equal(back, v);
		if (v < 4096) {
			text = rcode_text((uint16_t)v, buf);
			assert_ok(rcode_parse(text, &back));
			assert_int_equal(back, v);
		}
	}
	assert_int_equal(named, 95);
}

static void texts_are_read_without_case(void **state)
{
	uint16_t v;

	(void)state;
	assert_ok(rrtype_parse("aaaa", &v));
	assert_int_equal(v, RR_AAAA);
	assert_ok(rrtype_parse("nSaP-pTr", &v));
	assert_int_equal(v, RR_NSAP_PTR);
	assert_ok(rrtype_parse("type28", &v));
	assert_int_equal(v, RR_AAAA);
	assert_ok(rrclass_parse("chaos", &v));
	assert_int_equal(v, CLASS_CH);
	assert_ok(rrclass_parse("Hesiod", &v));
	assert_int_equal(v, CLASS_HS);
	assert_ok(rrclass_parse("class255", &v));
	assert_int_equal(v, CLASS_ANY);
	assert_ok(rcode_parse("nxdomain", &v));
	assert_int_equal(v, RCODE_NXDOMAIN);
}

static void other_texts_are_refused(void **state)
{
	static const char *const bad[] = { "", "TYPE", "TYPE65536", "TYPE-1", "TYPE1x", "AAAAA", "TYPE99999999999999999999" };
	uint16_t v = 7;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_false(OK(rrtype_parse(bad[i], &v)));
		assert_false(OK(rrclass_parse(bad[i], &v)));
		assert_false(OK(rcode_parse(bad[i], &v)));
	}
	assert_err(rcode_parse("RCODE4096", &v), ERR_RANGE);
	assert_int_equal(v, 7);
}

static void meta_types(void **state)
{
	static const uint16_t meta[] = { 0, RR_OPT, RR_TKEY, RR_TSIG, RR_IXFR, RR_AXFR, RR_MAILB, RR_MAILA, RR_ANY };
	unsigned int n = 0;

	(void)state;
	for (unsigned int v = 0; v <= 65535; v++)
		n += rrtype_is_meta((uint16_t)v);
	for (size_t i = 0; i < 9; i++)
		assert_true(rrtype_is_meta(meta[i]));
	assert_int_equal(n, 9);
	assert_true(rrtype_is_at_parent(RR_DS));
	assert_false(rrtype_is_at_parent(RR_NS));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_number_has_a_text_that_means_it),
		cmocka_unit_test(texts_are_read_without_case),
		cmocka_unit_test(other_texts_are_refused),
		cmocka_unit_test(meta_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
