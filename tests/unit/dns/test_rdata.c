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

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_is_read_from_a_message),
		cmocka_unit_test(every_type_refuses_malformed_rdata),
		cmocka_unit_test(a_field_cut_anywhere_never_reads_on),
		cmocka_unit_test(names_are_decompressed_only_where_they_may_be),
		cmocka_unit_test(canonical_form_lowers_names_of_the_listed_types),
		cmocka_unit_test(order_is_that_of_canonical_octets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
