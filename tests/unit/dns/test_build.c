#include "tests/unit/dns/dns_test.h"

static uint8_t buf[65536];

static struct question question_of(const struct name_buf *n, uint16_t type)
{
	return (struct question){ name_of(n), type, CLASS_IN };
}

static void a_message_is_built_and_read_back(void **state)
{
	static const char *const addresses[] = { "192.0.2.1", "192.0.2.2", "192.0.2.3" };
	static const char *const servers[] = { "ns1.example.com.", "ns2.example.com.", "ns.other.net." };
	static const char *const soa[] = { "ns1.example.com. host.example.com. 1 2 3 4 5" };
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct name_buf qname = nb("www.Example.com.");
	struct question q = question_of(&qname, RR_A);
	struct rrset *sets[3];
	struct builder b;
	struct msg m;
	size_t n;

	(void)state;
	sets[0] = make_set(a, "WWW.example.com.", RR_A, 300, addresses, 3);
	sets[1] = make_set(a, "example.com.", RR_NS, 300, servers, 3);
	sets[2] = make_set(a, "example.com.", RR_SOA, 300, soa, 1);
	build_start(&b, buf, sizeof buf, 1232, 0, 77, MSG_QR | MSG_RD);
	build_question(&b, &q);
	assert_true(build_rrset(&b, PART_ANSWER, sets[0], 60, true, 1));
	assert_true(build_rrset(&b, PART_AUTHORITY, sets[1], 61, true, 0));
	assert_true(build_rrset(&b, PART_ADDITIONAL, sets[2], 62, true, 0));
	build_set_flags(&b, MSG_AA, MSG_RD);
	build_set_rcode(&b, RCODE_NXDOMAIN);
	n = build_finish(&b);
	/* header, question, A: a pointer each; NS: a label and a pointer, the whole name once; SOA: a pointer, a label and a pointer */
	assert_int_equal(n, 12 + 21 + 3 * (12 + 4) + 2 * (12 + 6) + 12 + 14 + 12 + 2 + 7 + 20);
	assert_ok(msg_read(a, (struct span){ buf, n }, NULL, &m));
	assert_int_equal(m.id, 77);
	assert_int_equal(m.flags, MSG_QR | MSG_AA | RCODE_NXDOMAIN);
	assert_true(name_equal_case(m.q.name, name_of(&qname)));
	assert_int_equal(m.answer.count, 1);
	assert_true(rrset_same_data(m.answer.sets[0], sets[0]));
	assert_int_equal(m.answer.sets[0]->ttl, 60);
	assert_memory_equal(rrset_rdata(m.answer.sets[0], 0).p, "\xc0\0\2\2", 4); /* rotated by one */
	assert_true(rrset_same_data(m.authority.sets[0], sets[1]));
	assert_true(rrset_same_data(m.additional.sets[0], sets[2]));
}

static void the_owner_has_the_case_of_the_question(void **state)
{
	static const char *const addresses[] = { "192.0.2.1" };
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct name_buf qname = nb("wWw.eXample.com.");
	struct question q = question_of(&qname, RR_A);
	struct builder b;
	struct msg m;
	size_t n;

	(void)state;
	build_start(&b, buf, sizeof buf, 512, 0, 1, MSG_QR);
	build_question(&b, &q);
	assert_true(build_rrset(&b, PART_ANSWER, make_set(a, "www.example.com.", RR_A, 1, addresses, 1), 1, false, 0));
	n = build_finish(&b);
	assert_int_equal(n, 12 + 21 + 16);
	assert_ok(msg_read(a, (struct span){ buf, n }, NULL, &m));
	assert_true(name_equal_case(rrset_name(m.answer.sets[0]), name_of(&qname)));
}

static void only_rdata_of_rfc_1035_is_compressed(void **state)
{
	static const struct {
		uint16_t type;
		const char *rdata;
		bool compressed;
	} cases[] = {
		{ RR_NS, "x.example.", true },
		{ RR_CNAME, "x.example.", true },
		{ RR_PTR, "x.example.", true },
		{ RR_MX, "1 x.example.", true },
		{ RR_SOA, "x.example. y.example. 1 2 3 4 5", true },
		{ RR_MINFO, "x.example. y.example.", true },
		{ RR_SRV, "1 2 3 x.example.", false },
		{ RR_DNAME, "x.example.", false },
		{ RR_RP, "x.example. y.example.", false },
		{ RR_NAPTR, "1 2 \"\" \"\" \"\" x.example.", false },
		{ RR_KX, "1 x.example.", false },
		{ RR_NSEC, "x.example. A", false },
		{ RR_SVCB, "1 x.example.", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		AUTO(arena_free) struct arena *a = arena_new(0);
		struct name_buf qname = nb("example.");
		struct question q = question_of(&qname, RR_ANY);
		struct rrset *rs = make_set(a, "example.", cases[i].type, 1, &cases[i].rdata, 1);
		size_t plain = rrset_rdata(rs, 0).n;
		struct builder b;
		struct msg m;
		size_t start;

		build_start(&b, buf, sizeof buf, 512, 0, 1, MSG_QR);
		build_question(&b, &q);
		start = b.w.pos + 12;
		assert_true(build_rrset(&b, PART_ANSWER, rs, 1, false, 0));
		if ((b.w.pos - start < plain) != cases[i].compressed)
			fail_msg("type %u: %zu of %zu octets", (unsigned int)cases[i].type, b.w.pos - start, plain);
		assert_ok(msg_read(a, (struct span){ buf, build_finish(&b) }, NULL, &m));
		assert_true(rrset_same_data(m.answer.sets[0], rs));
	}
}

static void what_does_not_fit_is_taken_back_whole(void **state)
{
	static const char *const few[] = { "ns1.example.", "ns2.example." };
	static const char *const many[] = { "a.long-label-one.", "b.long-label-one.", "c.long-label-two." };
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct name_buf qname = nb("example.");
	struct question q = question_of(&qname, RR_NS);
	struct rrset *first = make_set(a, "example.", RR_NS, 1, few, 2);
	struct rrset *second = make_set(a, "sub.example.", RR_NS, 1, many, 3);
	size_t full = 0;

	(void)state;
	for (size_t limit = 0; limit < 400; limit++) {
		uint8_t *exact = (uint8_t *)malloc(limit + 1);
		struct builder b;
		struct msg m;
		bool one;
		bool two;
		bool again;
		size_t n;

		assert_non_null(exact);
		build_start(&b, exact, limit + 1, limit, 0, 1, MSG_QR);
		build_question(&b, &q);
		one = build_rrset(&b, PART_ANSWER, first, 1, true, 0);
		two = build_rrset(&b, PART_AUTHORITY, second, 1, true, 0);
		again = build_rrset(&b, PART_ADDITIONAL, first, 1, true, 0);
		n = build_finish(&b);
		assert_true(n <= limit);
		assert_true(n == 0 || n >= 12);
		if (n != 0) {
			assert_ok(msg_read(a, (struct span){ exact, n }, NULL, &m));
			assert_int_equal(m.answer.count, one);
			assert_int_equal(m.authority.count, two);
			assert_int_equal(m.additional.count, again);
			if (two)
				assert_true(rrset_same_data(m.authority.sets[0], second));
			if (again)
				assert_true(rrset_same_data(m.additional.sets[0], first));
		} else {
			assert_false(one || two || again);
		}
		full += one && two && again;
		free(exact);
	}
	assert_true(full > 100);
}

static void what_was_taken_back_is_not_pointed_at(void **state)
{
	static const char *const many[] = { "a.gone.", "b.gone.", "c.a-label-that-makes-it-too-long-for-the-limit.gone." };
	static const char *const few[] = { "d.gone." };
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct rrset *small = make_set(a, "e.gone.", RR_NS, 1, few, 1);
	struct builder b;
	struct msg m;

	(void)state;
	build_start(&b, buf, sizeof buf, 80, 0, 1, MSG_QR);
	assert_false(build_rrset(&b, PART_ANSWER, make_set(a, "gone.", RR_NS, 1, many, 3), 1, true, 0));
	assert_int_equal(b.names, 0);
	assert_true(build_rrset(&b, PART_ANSWER, small, 1, true, 0));
	assert_ok(msg_read(a, (struct span){ buf, build_finish(&b) }, NULL, &m));
	assert_true(rrset_same_data(m.answer.sets[0], small));
}

/* Equal labels below other names, so many that some fall on the same place and tag of the table. */
static void a_label_is_known_below_its_parent_only(void **state)
{
	(void)state;
	for (unsigned int round = 0; round < 200; round++) {
		AUTO(arena_free) struct arena *a = arena_new(0);
		struct name_buf owner = nb("q.");
		struct span spans[100];
		uint8_t rdata[100][8];
		struct rrset *rs;
		struct builder b;
		struct msg m;

		for (unsigned int i = 0; i < 100; i++) {
			uint8_t wire[] = { 1, (uint8_t)('a' + round % 26), 2, (uint8_t)(128 + round / 26), (uint8_t)(i + 150), 0 };

			memcpy(rdata[i], wire, sizeof wire);
			spans[i] = (struct span){ rdata[i], sizeof wire };
		}
		rs = rrset_make_in(a, name_of(&owner), RR_NS, CLASS_IN, 1, spans, 100, 0);
		build_start(&b, buf, sizeof buf, sizeof buf, 0, 1, MSG_QR);
		assert_true(build_rrset(&b, PART_ANSWER, rs, 1, true, 0));
		assert_true(build_rrset(&b, PART_AUTHORITY, rs, 1, true, 0));
		assert_ok(msg_read(a, (struct span){ buf, build_finish(&b) }, NULL, &m));
		assert_true(rrset_same_data(m.answer.sets[0], rs));
		assert_true(rrset_same_data(m.authority.sets[0], rs));
	}
}

static void names_behind_16384_octets_are_not_pointed_at(void **state)
{
	static const char *const servers[] = { "a.far.away.", "b.far.away.", "c.far.away." };
	static uint8_t filler[16400];
	struct span fill = { filler, sizeof filler };
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct rrset *rs = make_set(a, "far.away.", RR_NS, 1, servers, 3);
	struct builder b;
	struct msg m;

	(void)state;
	build_start(&b, buf, sizeof buf, sizeof buf, 0, 1, MSG_QR);
	assert_true(build_rrset(&b, PART_ANSWER, rrset_make_in(a, name_root, 65280, CLASS_IN, 1, &fill, 1, 0), 1, true, 0));
	assert_true(build_rrset(&b, PART_ANSWER, rs, 1, true, 0));
	assert_ok(msg_read(a, (struct span){ buf, build_finish(&b) }, NULL, &m));
	assert_true(rrset_same_data(m.answer.sets[1], rs));
}

static void a_reserve_is_kept_for_edns(void **state)
{
	static const char *const texts[] = { "\"0123456789012345678901234567890123456789\"" };
	static const struct edns_out e = { .udp_size = 1232, .rcode = RCODE_BADVERS, .dnssec_ok = true };
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct rrset *rs = make_set(a, "example.", RR_TXT, 1, texts, 1);
	struct builder b;
	struct msg m;
	size_t n;

	(void)state;
	build_start(&b, buf, sizeof buf, 100, 11, 1, MSG_QR);
	assert_true(build_rrset(&b, PART_ANSWER, rs, 1, false, 0)); /* 12 + 60 */
	assert_false(build_rrset(&b, PART_ADDITIONAL, rs, 1, false, 0));
	build_edns_start(&b, &e);
	assert_true(build_edns_option(&b, EDNS_NSID, span_text("id")));
	assert_true(build_edns_error(&b, EDE_BLOCKED, NULL));
	assert_false(build_edns_error(&b, EDE_BLOCKED, "much too long for this"));
	build_edns_end(&b);
	n = build_finish(&b);
	assert_int_equal(n, 12 + 60 + 11 + 6 + 6);
	assert_ok(msg_read(a, (struct span){ buf, n }, NULL, &m));
	assert_true(m.edns.present && m.edns.dnssec_ok && !m.edns.compact_ok);
	assert_int_equal(m.rcode, RCODE_BADVERS);
	assert_int_equal(m.edns.udp_size, 1232);
	assert_int_equal(m.edns.options.n, 12);
}

static void padding_ends_at_a_multiple(void **state)
{
	static const struct edns_out e = { .udp_size = 1232 };

	(void)state;
	for (size_t octets = 0; octets < 300; octets++) {
		struct builder b;
		uint8_t data[300] = { 0 };

		build_start(&b, buf, sizeof buf, 1232, 11, 1, MSG_QR);
		build_edns_start(&b, &e);
		assert_true(build_edns_option(&b, EDNS_NSID, (struct span){ data, octets }));
		build_edns_pad(&b, 128);
		assert_int_equal(build_finish(&b) % 128, 0);
		build_start(&b, buf, sizeof buf, octets + 40, 11, 1, MSG_QR);
		build_edns_start(&b, &e);
		assert_true(build_edns_option(&b, EDNS_NSID, (struct span){ data, octets }));
		build_edns_pad(&b, 468);
		assert_int_equal(build_finish(&b), octets + 40); /* as far as there is room */
	}
}

static void without_an_opt_there_are_no_options(void **state)
{
	struct builder b;

	(void)state;
	build_start(&b, buf, sizeof buf, 512, 0, 1, MSG_QR);
	assert_false(build_edns_option(&b, EDNS_NSID, span_text("x")));
	assert_false(build_edns_error(&b, EDE_OTHER, "x"));
	build_edns_pad(&b, 128);
	assert_int_equal(build_finish(&b), 12);
}

static void places_of_ttls_are_found(void **state)
{
	static const char *const addresses[] = { "192.0.2.1", "192.0.2.2" };
	static const char *const servers[] = { "ns1.example." };
	static const struct edns_out e = { .udp_size = 1232 };
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct name_buf qname = nb("example.");
	struct question q = question_of(&qname, RR_A);
	struct builder b;
	uint16_t at[8];
	size_t count = 99;
	size_t n;
	struct msg m;

	(void)state;
	build_start(&b, buf, sizeof buf, 512, 11, 1, MSG_QR);
	build_question(&b, &q);
	assert_true(build_rrset(&b, PART_ANSWER, make_set(a, "example.", RR_A, 1, addresses, 2), 0x01020304, true, 0));
	assert_true(build_rrset(&b, PART_AUTHORITY, make_set(a, "example.", RR_NS, 1, servers, 1), 0x05060708, true, 0));
	build_edns_start(&b, &e);
	n = build_finish(&b);
	assert_ok(msg_ttl_offsets((struct span){ buf, n }, at, 8, &count));
	assert_int_equal(count, 3);
	assert_int_equal(load32(buf + at[0]), 0x01020304);
	assert_int_equal(load32(buf + at[1]), 0x01020304);
	assert_int_equal(load32(buf + at[2]), 0x05060708);
	for (size_t i = 0; i < 3; i++)
		store32(buf + at[i], 9);
	assert_ok(msg_read(a, (struct span){ buf, n }, NULL, &m));
	assert_int_equal(m.answer.sets[0]->ttl, 9);
	assert_int_equal(m.authority.sets[0]->ttl, 9);
	assert_err(msg_ttl_offsets((struct span){ buf, n }, at, 2, &count), ERR_SPACE);
	assert_err(msg_ttl_offsets((struct span){ buf, n - 1 }, at, 8, &count), ERR_FORMAT);
	assert_err(msg_ttl_offsets((struct span){ buf, 11 }, at, 8, &count), ERR_FORMAT);
	assert_int_equal(count, 3);
}

static void messages_above_16384_octets_stay_right(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	AUTO(arena_free) struct arena *back = arena_new(0);
	static struct span spans[900];
	static uint8_t rdata[900][80];
	struct name_buf owner = nb("example.");
	struct name_buf names[900];
	struct rrset *sets[30];
	struct builder b;
	struct msg m;
	size_t n;

	(void)state;
	for (unsigned int i = 0; i < 900; i++) {
		char text[100];
		struct writer w = writer_of(rdata[i], sizeof rdata[i]);

		snprintf(text, sizeof text, "a-rather-long-first-label-number-%u.zone%u.example.", i, i % 200);
		names[i] = nb(text);
		write16(&w, (uint16_t)i);
		write_octets(&w, names[i].b, names[i].len);
		spans[i] = writer_done(&w);
	}
	build_start(&b, buf, sizeof buf, sizeof buf, 0, 1, MSG_QR);
	for (unsigned int i = 0; i < 30; i++) {
		sets[i] = rrset_make_in(a, i == 0 ? name_of(&owner) : name_of(&names[i]), RR_MX, CLASS_IN, 5, spans + (size_t)i * 30, 30, 0);
		assert_non_null(sets[i]);
		assert_true(build_rrset(&b, PART_ANSWER, sets[i], 5, true, 0));
	}
	n = build_finish(&b);
	assert_true(n > 20000 && n < 65000);
	assert_ok(msg_read(back, (struct span){ buf, n }, NULL, &m));
	assert_int_equal(m.answer.count, 30);
	for (unsigned int i = 0; i < 30; i++)
		assert_true(rrset_same_data(m.answer.sets[i], sets[i]));
}

/* Labels made so that they fall into few places of the table must cost no more than others. */
static void compressing_is_bounded(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	static struct span spans[1100];
	static uint8_t rdata[1100][260];
	struct name_buf owner = nb("example.");
	struct rrset *rs;
	double best = 1e9;
	size_t n = 0;

	(void)state;
	for (unsigned int i = 0; i < 1100; i++) {
		struct writer w = writer_of(rdata[i], sizeof rdata[i]);

		write16(&w, (uint16_t)i);
		for (unsigned int k = 0; k < 121; k++) {
			write8(&w, 1);
			write8(&w, (uint8_t)(k < 3 ? 'a' + (i >> 4 * k & 15) : 'a'));
		}
		write8(&w, 0);
		spans[i] = writer_done(&w);
	}
	rs = rrset_make_in(a, name_of(&owner), RR_MX, CLASS_IN, 5, spans, 1100, 0);
	assert_non_null(rs);
	for (int i = 0; i < 5; i++) {
		struct builder b;
		double start = cpu_ms();

		build_start(&b, buf, sizeof buf, sizeof buf, 0, 1, MSG_QR);
		assert_true(build_rrset(&b, PART_ANSWER, rs, 5, true, 0));
		n = build_finish(&b);
		if (cpu_ms() - start < best)
			best = cpu_ms() - start;
	}
	print_message("    MX x 1,100 deep names, built: %.3f ms, %zu octets\n", best, n);
	assert_true(n < 30000);
	assert_true(best < CPU_BOUND);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_is_built_and_read_back),
		cmocka_unit_test(the_owner_has_the_case_of_the_question),
		cmocka_unit_test(only_rdata_of_rfc_1035_is_compressed),
		cmocka_unit_test(what_does_not_fit_is_taken_back_whole),
		cmocka_unit_test(what_was_taken_back_is_not_pointed_at),
		cmocka_unit_test(a_label_is_known_below_its_parent_only),
		cmocka_unit_test(names_behind_16384_octets_are_not_pointed_at),
		cmocka_unit_test(a_reserve_is_kept_for_edns),
		cmocka_unit_test(padding_ends_at_a_multiple),
		cmocka_unit_test(without_an_opt_there_are_no_options),
		cmocka_unit_test(places_of_ttls_are_found),
		cmocka_unit_test(messages_above_16384_octets_stay_right),
		cmocka_unit_test(compressing_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
