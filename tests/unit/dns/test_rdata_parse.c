#include "tests/unit/dns/dns_test.h"

#include "tests/unit/dns/rr_table.h"

static size_t parse(uint16_t type, const char *text, uint8_t *out, size_t cap)
{
	struct writer w = writer_of(out, cap);
	const char *msg = "";

	if (!OK(rdata_parse(type, text, NULL, &w, &msg)))
		fail_msg("%s: %s", text, msg);
	return w.pos;
}

static bool parse_params(void)
{
	uint8_t out[512];
	struct writer w = writer_of(out, sizeof out);
	const char *msg = "";
	struct result r = rdata_parse(RR_SVCB, "1 . alpn=h2 port=1 ipv4hint=1.2.3.4 ech=AA== ohttp mandatory=port key800=\"ab\" key700 key701 key702 key703",
	    NULL, &w, &msg);

	assert_true(OK(r) || r.e == ERR_NOMEM);
	return OK(r);
}

static void every_type_reads_its_own_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < RR_CASES; i++) {
		const struct rr_case *c = &rr_table[i];
		uint8_t want[2048];
		uint8_t got[2048];
		struct writer w = writer_of(got, sizeof got);
		size_t n = unhex(c->hex, want, sizeof want);
		const char *msg = "";

		if (!OK(rdata_parse(c->type, c->text, NULL, &w, &msg)))
			fail_msg("type %u: \"%s\": expected %s", (unsigned int)c->type, c->text, msg);
		if (w.pos != n || memcmp(got, want, n) != 0)
			fail_msg("type %u: other octets for \"%s\"", (unsigned int)c->type, c->text);
	}
}

static void every_type_refuses_malformed_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < RR_CASES; i++) {
		const struct rr_case *c = &rr_table[i];
		char text[1024];

		for (unsigned int k = 0; c->bad_text != NULL && part(c->bad_text, k, text, sizeof text); k++) {
			uint8_t out[2048];
			struct writer w = writer_of(out, sizeof out);
			const char *msg = NULL;

			write8(&w, 7);
			if (OK(rdata_parse(c->type, text, NULL, &w, &msg)))
				fail_msg("type %u: \"%s\" was taken", (unsigned int)c->type, text);
			assert_non_null(msg);
			assert_int_equal(w.pos, 1);
			assert_true(writer_ok(&w));
		}
	}
}

static void the_generic_form_works_for_every_type(void **state)
{
	(void)state;
	for (size_t i = 0; i < RR_CASES; i++) {
		const struct rr_case *c = &rr_table[i];
		uint8_t want[2048];
		uint8_t got[2048];
		char text[5000];
		size_t n = unhex(c->hex, want, sizeof want);
		struct writer w = writer_of(got, sizeof got);
		const char *msg = "";

		snprintf(text, sizeof text, "\\# %zu %s", n, c->hex);
		if (!OK(rdata_parse(c->type, text, NULL, &w, &msg)))
			fail_msg("type %u: %s", (unsigned int)c->type, msg);
		assert_int_equal(w.pos, n);
		assert_memory_equal(got, want, n);
	}
}

static void relative_names_take_the_origin(void **state)
{
	uint8_t out[64];
	struct writer w = writer_of(out, sizeof out);
	struct name_buf origin = nb("example.");
	struct name top = name_of(&origin);
	const char *msg = "";
	AUTO(strbuf_free) struct strbuf *text = NULL;

	(void)state;
	assert_ok(rdata_parse(RR_RP, "mbox @", &top, &w, &msg));
	text = print(RR_RP, writer_done(&w));
	assert_string_equal(strbuf_text(text), "mbox.example. example.");
}

static void words_may_spread_over_lines_in_parentheses(void **state)
{
	uint8_t out[64];
	const char *msg = "";
	struct writer w = writer_of(out, sizeof out);

	(void)state;
	assert_ok(rdata_parse(RR_DS, "1 8 2 ( ab ; one\n cd ) ; two\n\n", NULL, &w, &msg));
	assert_int_equal(w.pos, 6);
	assert_err(rdata_parse(RR_DS, "1 8 2 ( ab", NULL, &w, &msg), ERR_FORMAT);
	assert_err(rdata_parse(RR_DS, "1 8 2 ab )", NULL, &w, &msg), ERR_FORMAT);
	assert_err(rdata_parse(RR_DS, "1 8 2 ab\n1 8 2 ab", NULL, &w, &msg), ERR_FORMAT);
	assert_string_equal(msg, "one record only");
}

static void mnemonics_and_units_are_understood(void **state)
{
	uint8_t a[64];
	uint8_t b[64];
	size_t n;

	(void)state;
	n = parse(RR_DNSKEY, "257 3 ECDSAP256SHA256 AA==", a, sizeof a);
	assert_int_equal(n, parse(RR_DNSKEY, "257 3 13 AA==", b, sizeof b));
	assert_memory_equal(a, b, n);
	n = parse(RR_SOA, ". . 1 1h 1M 2w1d 1d12h30m5s", a, sizeof a);
	assert_int_equal(n, parse(RR_SOA, ". . 1 3600 60 1296000 131405", b, sizeof b));
	assert_memory_equal(a, b, n);
	n = parse(RR_WKS, "1.2.3.4 TCP smtp domain", a, sizeof a);
	assert_int_equal(n, parse(RR_WKS, "1.2.3.4 6 25 53", b, sizeof b));
	assert_memory_equal(a, b, n);
	n = parse(RR_RRSIG, "TYPE1 8 1 1 1924991999 0 1 . AA==", a, sizeof a);
	assert_int_equal(n, parse(RR_RRSIG, "A 8 1 1 20301231235959 19700101000000 1 . AA==", b, sizeof b));
	assert_memory_equal(a, b, n);
}

static void memory_may_run_out(void **state)
{
	(void)state;
	assert_true(for_each_failing_allocation(parse_params) >= 2);
}

static void many_params_are_cheap(void **state)
{
	static char text[400000];
	static uint8_t out[65536];
	size_t n = (size_t)sprintf(text, "1 .");
	struct writer w = writer_of(out, sizeof out);
	const char *msg = "";
	double start = cpu_ms();

	(void)state;
	for (unsigned int i = 0; i < 16000; i++)
		n += (size_t)sprintf(text + n, " key%u", 20000 + (i * 7919) % 16000);
	if (!OK(rdata_parse(RR_SVCB, text, NULL, &w, &msg)))
		fail_msg("%s", msg);
	assert_int_equal(w.pos, 3 + 16000 * 4);
	assert_true(cpu_ms() - start < 20 * CPU_BOUND);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_reads_its_own_text),
		cmocka_unit_test(every_type_refuses_malformed_text),
		cmocka_unit_test(the_generic_form_works_for_every_type),
		cmocka_unit_test(relative_names_take_the_origin),
		cmocka_unit_test(words_may_spread_over_lines_in_parentheses),
		cmocka_unit_test(mnemonics_and_units_are_understood),
		cmocka_unit_test(memory_may_run_out),
		cmocka_unit_test(many_params_are_cheap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
