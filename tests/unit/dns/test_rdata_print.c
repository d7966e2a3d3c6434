#include "tests/unit/dns/dns_test.h"

#include "tests/unit/dns/rr_table.h"

static void every_type_prints_what_it_reads(void **state)
{
	(void)state;
	for (size_t i = 0; i < RR_CASES; i++) {
		const struct rr_case *c = &rr_table[i];
		uint8_t rdata[2048];
		size_t n = unhex(c->hex, rdata, sizeof rdata);
		AUTO(strbuf_free) struct strbuf *out = print(c->type, (struct span){ rdata, n });

		assert_string_equal(strbuf_text(out), c->text);
	}
}

static void what_text_cannot_express_is_printed_as_octets(void **state)
{
	static const struct {
		uint16_t type;
		const char *hex;
	} cases[] = {
		{ RR_LOC, "0100" },                             /* a version of the future */
		{ RR_LOC, "00fa1613800000008000000000989680" }, /* mantissa 15 */
		{ RR_LOC, "00121613ffffffff8000000000989680" }, /* north of the pole */
		{ RR_IPSECKEY, "0a07020102" },
		{ RR_AMTRELAY, "0a070102" },
		{ RR_APL, "0003080101" },
		{ RR_ATMA, "0512" },
		{ RR_ATMA, "01ff" },
		{ RR_NXT, "0080" },
		{ RR_NXT, "004000" },
		{ RR_WKS, "c00002010600" },
		{ RR_A6, "41ffffffffffffffff00" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		uint8_t rdata[64];
		uint8_t back[64];
		struct writer w = writer_of(back, sizeof back);
		size_t n = unhex(cases[i].hex, rdata, sizeof rdata);
		AUTO(strbuf_free) struct strbuf *out = print(cases[i].type, (struct span){ rdata, n });
		const char *msg = "";

		if (strncmp(strbuf_text(out), "\\# ", 3) != 0)
			fail_msg("case %zu: %s", i, strbuf_text(out));
		assert_ok(rdata_parse(cases[i].type, strbuf_text(out), NULL, &w, &msg));
		assert_int_equal(w.pos, n);
		assert_memory_equal(back, rdata, n);
	}
}

static void malformed_rdata_prints_as_octets(void **state)
{
	static const uint8_t three[3] = { 1, 2, 3 };
	AUTO(strbuf_free) struct strbuf *out = print(RR_A, (struct span){ three, 3 });

	(void)state;
	assert_string_equal(strbuf_text(out), "\\# 3 010203");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_prints_what_it_reads),
		cmocka_unit_test(what_text_cannot_express_is_printed_as_octets),
		cmocka_unit_test(malformed_rdata_prints_as_octets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
