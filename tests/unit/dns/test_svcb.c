#include "tests/unit/dns/dns_test.h"

#include "dns/svcb.h"

/* Appendix D of RFC 9460: SVCB and HTTPS RRs that must and must not be read. */
static const struct {
	const char *text;
	const char *hex; /* NULL: refused */
} vectors[] = {
	{ "0 foo.example.com.", "0000 03666f6f076578616d706c6503636f6d00" },
	{ "1 .", "0001 00" },
	{ "16 foo.example.com. port=53", "0010 03666f6f076578616d706c6503636f6d00 0003 0002 0035" },
	{ "1 foo.example.com. key667=hello", "0001 03666f6f076578616d706c6503636f6d00 029b 0005 68656c6c6f" },
	{ "1 foo.example.com. key667=\"hello\\210qoo\"", "0001 03666f6f076578616d706c6503636f6d00 029b 0009 68656c6c6fd2716f6f" },
	{ "1 foo.example.com. ( ipv6hint=\"2001:db8::1,2001:db8::53:1\" )",
	    "0001 03666f6f076578616d706c6503636f6d00 0006 0020 20010db8000000000000000000000001 20010db8000000000000000000530001" },
	{ "1 example.com. ipv6hint=\"2001:db8:122:344::192.0.2.33\"", "0001 076578616d706c6503636f6d00 0006 0010 20010db80122034400000000c0000221" },
	{ "16 foo.example.org. ( alpn=h2,h3-19 mandatory=ipv4hint,alpn ipv4hint=192.0.2.1 )",
	    "0010 03666f6f076578616d706c65036f726700 0000 0004 0001 0004 0001 0009 02 6832 05 68332d3139 0004 0004 c0000201" },
	{ "16 foo.example.org. alpn=\"f\\\\\\\\oo\\\\,bar,h2\"", "0010 03666f6f076578616d706c65036f726700 0001 000c 08 665c6f6f2c626172 02 6832" },
	{ "16 foo.example.org. alpn=f\\\\\\092oo\\092,bar,h2", "0010 03666f6f076578616d706c65036f726700 0001 000c 08 665c6f6f2c626172 02 6832" },
	{ "1 foo.example.com. ( key123=abc key123=def )", NULL },
	{ "1 foo.example.com. mandatory", NULL },
	{ "1 foo.example.com. alpn", NULL },
	{ "1 foo.example.com. port", NULL },
	{ "1 foo.example.com. ipv4hint", NULL },
	{ "1 foo.example.com. ipv6hint", NULL },
	{ "1 foo.example.com. no-default-alpn=abc", NULL },
	{ "1 foo.example.com. mandatory=key123", NULL },
	{ "1 foo.example.com. mandatory=mandatory", NULL },
	{ "1 foo.example.com. ( mandatory=key123,key123 key123=abc)", NULL },
};

static void vectors_of_rfc_9460(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
		uint8_t got[512];
		uint8_t want[512];
		struct writer w = writer_of(got, sizeof got);
		const char *msg = "";
		bool ok = OK(rdata_parse(RR_SVCB, vectors[i].text, NULL, &w, &msg));
		size_t n;

		if (ok != (vectors[i].hex != NULL))
			fail_msg("%s: %s", vectors[i].text, msg);
		if (!ok)
			continue;
		n = unhex(vectors[i].hex, want, sizeof want);
		assert_int_equal(w.pos, n);
		assert_memory_equal(got, want, n);
	}
}

static void what_mandatory_lists_may_be_missing_on_the_wire(void **state)
{
	uint8_t rdata[32];
	size_t n = unhex("0001 00 0000 0002 0003", rdata, sizeof rdata);

	(void)state;
	assert_ok(rdata_check(RR_SVCB, (struct span){ rdata, n })); /* a resolver passes it on; a client ignores it */
}

/* The invalid key too may be called mandatory on the wire; in text it is a key like any other that is not there (found by fuzz_rdata). */
static void the_invalid_key_is_never_there(void **state)
{
	static const char *const bad[][2] = { { "1 . mandatory=key65535", "mandatory" }, { "1 . key65535=a", "keyNNNNN" }, { "1 . mandatory=key65536", "form that its key has" } };
	uint8_t rdata[32], back[64];
	size_t n = unhex("0000 00 0000 0004 feff ffff", rdata, sizeof rdata);

	(void)state;
	assert_ok(rdata_check(RR_SVCB, span_of(rdata, n)));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct writer w = writer_of(back, sizeof back);
		const char *msg = "";

		assert_int_equal(rdata_parse(RR_SVCB, bad[i][0], NULL, &w, &msg).e, ERR_FORMAT);
		assert_non_null(strstr(msg, bad[i][1]));
	}
}

static void lists_keep_every_octet(void **state)
{
	for (unsigned int c = 0; c < 256; c++) {
		uint8_t rdata[] = { 0, 1, 0, 0, 1, 0, 6, 3, 'a', (uint8_t)c, 'b', 1, (uint8_t)c };
		uint8_t back[64];
		struct writer w = writer_of(back, sizeof back);
		AUTO(strbuf_free) struct strbuf *out = strbuf_new(1000);
		const char *msg = "";

		(void)state;
		rdata_print(RR_SVCB, (struct span){ rdata, sizeof rdata }, out);
		if (!OK(rdata_parse(RR_SVCB, strbuf_text(out), NULL, &w, &msg)))
			fail_msg("%s: %s", strbuf_text(out), msg);
		assert_int_equal(w.pos, sizeof rdata);
		assert_memory_equal(back, rdata, sizeof rdata);
	}
}

static void the_reader_fails_on_the_first_fault(void **state)
{
	static const char *const bad[] = { "0003 0002 0035 0003 0002 0035", "0003 0002 0035 0001 0003 026832", "0003", "0003 00", "0003 0002 00" };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		uint8_t octets[64];
		struct reader r = reader_of(span_of(octets, unhex(bad[i], octets, sizeof octets)));

		svcb_skip(&r);
		assert_false(reader_ok(&r));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_of_rfc_9460),
		cmocka_unit_test(what_mandatory_lists_may_be_missing_on_the_wire),
		cmocka_unit_test(the_invalid_key_is_never_there),
		cmocka_unit_test(lists_keep_every_octet),
		cmocka_unit_test(the_reader_fails_on_the_first_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
