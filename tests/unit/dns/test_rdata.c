#include "tests/unit/dns/dns_test.h"

#include "tests/unit/dns/rr_table.h"

static struct strbuf *print(uint16_t type, struct span rdata) OWNED_BY(strbuf_free);
static struct strbuf *print(uint16_t type, struct span rdata)
{
	struct strbuf *out = strbuf_new(1 << 20);

	assert_non_null(out);
	rdata_print(type, rdata, out);
	assert_true(strbuf_ok(out));
	return out;
}

/* The k-th part of a list separated by '|'; false: there are fewer. */
static bool part(const char *list, unsigned int k, char *buf, size_t cap)
{
	const char *end;

	while (k-- > 0) {
		list = strchr(list, '|');
		if (list == NULL)
			return false;
		list++;
	}
	end = strchr(list, '|');
	if (end == NULL)
		end = list + strlen(list);
	assert_true((size_t)(end - list) < cap);
	memcpy(buf, list, (size_t)(end - list));
	buf[end - list] = '\0';
	return true;
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

static void every_type_is_read_from_a_message(void **state)
{
	(void)state;
	for (size_t i = 0; i < RR_CASES; i++) {
		const struct rr_case *c = &rr_table[i];
		uint8_t msg[2060] = { 0 };
		uint8_t out[2060];
		size_t n = unhex(c->hex, msg + 12, sizeof msg - 12);
		struct reader r = { msg, 12 + n + 5, 12, false };
		struct writer w = writer_of(out, sizeof out);

		assert_ok(rdata_check(c->type, (struct span){ msg + 12, n }));
		assert_ok(rdata_read(&r, c->type, (uint16_t)n, &w));
		assert_int_equal(r.pos, 12 + n);
		assert_int_equal(w.pos, n);
		assert_memory_equal(out, msg + 12, n);
		w = writer_of(out, n == 0 ? 0 : n - 1);
		r.pos = 12;
		if (n != 0)
			assert_err(rdata_read(&r, c->type, (uint16_t)n, &w), ERR_SPACE);
	}
}

static void every_type_refuses_malformed_rdata(void **state)
{
	(void)state;
	for (size_t i = 0; i < RR_CASES; i++) {
		const struct rr_case *c = &rr_table[i];
		char hex[1024];

		for (unsigned int k = 0; c->bad != NULL && part(c->bad, k, hex, sizeof hex); k++) {
			uint8_t msg[1100] = { 0 };
			uint8_t out[1100];
			size_t n = unhex(hex, msg + 12, sizeof msg - 12);
			struct reader r = { msg, 12 + n, 12, false };
			struct writer w = writer_of(out, sizeof out);
			bool opaque = c->type == RR_NULL || (c->type >= RR_UINFO && c->type <= RR_UNSPEC) || c->type >= 65280;

			if (opaque)
				continue;
			if (OK(rdata_check(c->type, (struct span){ msg + 12, n })))
				fail_msg("type %u: %s was taken", (unsigned int)c->type, hex);
			if (OK(rdata_read(&r, c->type, (uint16_t)n, &w)))
				fail_msg("type %u: %s was read", (unsigned int)c->type, hex);
			assert_false(reader_ok(&r));
		}
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

static void a_field_cut_anywhere_never_reads_on(void **state)
{
	(void)state;
	for (size_t i = 0; i < RR_CASES; i++) {
		const struct rr_case *c = &rr_table[i];
		uint8_t rdata[2048];
		size_t n = unhex(c->hex, rdata, sizeof rdata);

		for (size_t cut = 0; cut < n; cut++) {
			uint8_t *exact = (uint8_t *)malloc(cut + (cut == 0)); /* so that AddressSanitizer sees one octet too much */

			assert_non_null(exact);
			memcpy(exact, rdata, cut);
			if (OK(rdata_check(c->type, (struct span){ exact, cut }))) {
				AUTO(strbuf_free) struct strbuf *out = print(c->type, (struct span){ exact, cut });

				assert_null(strpbrk(strbuf_text(out), "\n\r\t"));
			}
			free(exact);
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

static void names_are_decompressed_only_where_they_may_be(void **state)
{
	static const uint8_t msg[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 'a', 0, 0, 1, 1, 'b', 0xc0, 12 };
	static const uint16_t may[] = { RR_AFSDB, RR_RT, RR_MX };
	static const uint16_t may_not[] = { RR_KX, RR_LP, RR_SVCB, RR_HTTPS };
	static const uint8_t want[] = { 0, 1, 1, 'b', 1, 'a', 0 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		uint8_t out[64];
		struct writer w = writer_of(out, sizeof out);
		struct reader r = { msg, sizeof msg, 15, false };

		assert_ok(rdata_read(&r, may[i], 6, &w));
		assert_int_equal(w.pos, sizeof want);
		assert_memory_equal(out, want, sizeof want);
	}
	for (size_t i = 0; i < 4; i++) {
		uint8_t out[64];
		struct writer w = writer_of(out, sizeof out);
		struct reader r = { msg, sizeof msg, 15, false };

		assert_err(rdata_read(&r, may_not[i], 6, &w), ERR_FORMAT);
	}
}

static size_t parse(uint16_t type, const char *text, uint8_t *out, size_t cap)
{
	struct writer w = writer_of(out, cap);
	const char *msg = "";

	if (!OK(rdata_parse(type, text, NULL, &w, &msg)))
		fail_msg("%s: %s", text, msg);
	return w.pos;
}

static void canonical_form_lowers_names_of_the_listed_types(void **state)
{
	static const struct {
		uint16_t type;
		const char *text;
		const char *canonical;
	} cases[] = {
		{ RR_NS, "NS.Example.", "ns.example." },
		{ RR_SOA, "A.B. C.D. 1 2 3 4 5", "a.b. c.d. 1 2 3 4 5" },
		{ RR_MX, "1 Mail.Example.", "1 mail.example." },
		{ RR_SRV, "1 2 3 Sip.Example.", "1 2 3 sip.example." },
		{ RR_NAPTR, "1 2 \"U\" \"E2U\" \"R\" Repl.Example.", "1 2 \"U\" \"E2U\" \"R\" repl.example." },
		{ RR_RRSIG, "A 8 2 1 20300101000000 20200101000000 1 Signer.Example. AQID",
		    "A 8 2 1 20300101000000 20200101000000 1 signer.example. AQID" },
		{ RR_A6, "64 ::1 Pre.Fix.", "64 ::1 pre.fix." },
		{ RR_DNAME, "T.Example.", "t.example." },
		{ RR_KX, "1 K.", "1 k." },
		{ RR_NSEC, "Next.Example. A", "Next.Example. A" },
		{ RR_TXT, "\"ABC\"", "\"ABC\"" },
		{ RR_SVCB, "1 Svc.Example.", "1 Svc.Example." },
		{ RR_HINFO, "\"ABC\" \"D\"", "\"ABC\" \"D\"" },
	};
	static const struct hash_key key = { { 1, 2 } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		uint8_t rdata[512];
		uint8_t want[512];
		uint8_t got[512];
		size_t n = parse(cases[i].type, cases[i].text, rdata, sizeof rdata);
		struct span s = { rdata, n };
		struct span canonical = { want, parse(cases[i].type, cases[i].canonical, want, sizeof want) };
		bool same = strcmp(cases[i].text, cases[i].canonical) == 0;

		assert_int_equal(n, canonical.n);
		rdata_canonical(cases[i].type, s, got);
		assert_memory_equal(got, want, n);
		assert_int_equal(rdata_compare(cases[i].type, s, canonical), 0);
		assert_true(rdata_hash(&key, cases[i].type, s) == rdata_hash(&key, cases[i].type, canonical));
		if (same)
			continue;
		for (size_t k = 0; k < n; k++) /* the same letters in an opaque type differ */
			if (rdata[k] != want[k])
				assert_true(rdata_compare(65280, s, canonical) < 0);
	}
}

static void order_is_that_of_canonical_octets(void **state)
{
	uint8_t a[300];
	uint8_t b[300];
	uint8_t low_a[300];
	uint8_t low_b[300];
	static const char *const texts[] = { "1 b.", "1 B.a.", "1 a.z.", "2 a.", "1 ab.", "1 Aa.", "1 .", "10 b.", "1 aa.b.", "1 zzzzzzzz." };

	(void)state;
	for (size_t i = 0; i < 10; i++)
		for (size_t j = 0; j < 10; j++) {
			struct span x = { a, parse(RR_MX, texts[i], a, sizeof a) };
			struct span y = { b, parse(RR_MX, texts[j], b, sizeof b) };
			size_t min = x.n < y.n ? x.n : y.n;
			int want;
			int got = rdata_compare(RR_MX, x, y);

			rdata_canonical(RR_MX, x, low_a);
			rdata_canonical(RR_MX, y, low_b);
			want = memcmp(low_a, low_b, min);
			if (want == 0)
				want = (int)x.n - (int)y.n;
			assert_int_equal((got > 0) - (got < 0), (want > 0) - (want < 0));
			assert_int_equal(got == 0, i == j);
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
		cmocka_unit_test(every_type_prints_what_it_reads),
		cmocka_unit_test(every_type_is_read_from_a_message),
		cmocka_unit_test(every_type_refuses_malformed_rdata),
		cmocka_unit_test(every_type_refuses_malformed_text),
		cmocka_unit_test(a_field_cut_anywhere_never_reads_on),
		cmocka_unit_test(the_generic_form_works_for_every_type),
		cmocka_unit_test(what_text_cannot_express_is_printed_as_octets),
		cmocka_unit_test(malformed_rdata_prints_as_octets),
		cmocka_unit_test(names_are_decompressed_only_where_they_may_be),
		cmocka_unit_test(canonical_form_lowers_names_of_the_listed_types),
		cmocka_unit_test(order_is_that_of_canonical_octets),
		cmocka_unit_test(relative_names_take_the_origin),
		cmocka_unit_test(words_may_spread_over_lines_in_parentheses),
		cmocka_unit_test(mnemonics_and_units_are_understood),
		cmocka_unit_test(memory_may_run_out),
		cmocka_unit_test(many_params_are_cheap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
