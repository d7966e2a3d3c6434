#include "tests/unit/dns/dns_test.h"

/* --- messages written octet by octet, to be independent of the builder */

struct raw {
	uint8_t b[66000];
	struct writer w;
};

static struct raw raw;

static void raw_start(uint16_t flags, uint16_t qd, uint16_t an, uint16_t ns, uint16_t ar)
{
	raw.w = writer_of(raw.b, sizeof raw.b);
	write16(&raw.w, 0x1234);
	write16(&raw.w, flags);
	write16(&raw.w, qd);
	write16(&raw.w, an);
	write16(&raw.w, ns);
	write16(&raw.w, ar);
}

static void raw_name(const char *text)
{
	struct name_buf n = nb(text);

	write_octets(&raw.w, n.b, n.len);
}

static void raw_question(const char *name, uint16_t type)
{
	raw_name(name);
	write16(&raw.w, type);
	write16(&raw.w, CLASS_IN);
}

/* owner 0: the root; else a pointer */
static void raw_rr(uint16_t owner, uint16_t type, uint16_t rclass, uint32_t ttl, const void *rdata, size_t n)
{
	if (owner == 0)
		write8(&raw.w, 0);
	else
		write16(&raw.w, (uint16_t)(0xc000 | owner));
	write16(&raw.w, type);
	write16(&raw.w, rclass);
	write32(&raw.w, ttl);
	write16(&raw.w, (uint16_t)n);
	write_octets(&raw.w, rdata, n);
}

static struct result read_raw(struct arena *a, struct msg *m)
{
	assert_true(writer_ok(&raw.w));
	return msg_read(a, writer_done(&raw.w), NULL, m);
}

/* --- queries */

static enum msg_verdict query(struct msg_query *q)
{
	uint8_t *exact = (uint8_t *)malloc(raw.w.pos);
	enum msg_verdict v;

	assert_non_null(exact);
	memcpy(exact, raw.b, raw.w.pos);
	v = msg_read_query((struct span){ exact, raw.w.pos }, 0, q);
	if (q->q.name.wire != name_root.wire)
		q->q.name.wire = raw.b + (q->q.name.wire - exact);
	if (q->edns.options.n != 0)
		q->edns.options.p = raw.b + (q->edns.options.p - exact);
	if (q->tail.n != 0)
		q->tail.p = raw.b + (q->tail.p - exact);
	free(exact);
	return v;
}

static void a_plain_query_is_read_in_place(void **state)
{
	struct msg_query q;
	struct name_buf want = nb("WwW.example.");

	(void)state;
	raw_start(MSG_RD, 1, 0, 0, 0);
	raw_question("WwW.example.", RR_AAAA);
	assert_int_equal(query(&q), MSG_GOOD);
	assert_int_equal(q.id, 0x1234);
	assert_int_equal(q.flags, MSG_RD);
	assert_true(name_equal_case(q.q.name, name_of(&want)));
	assert_int_equal(q.q.type, RR_AAAA);
	assert_int_equal(q.q.rclass, CLASS_IN);
	assert_int_equal(q.question_end, 12 + 13 + 4);
	assert_false(q.edns.present);
	assert_int_equal(q.tail.n, 0);
}

static void a_query_with_edns(void **state)
{
	static const uint8_t cookie[12] = { 0, EDNS_COOKIE, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8 };
	struct msg_query q;
	struct reader r;
	uint16_t code;
	struct span data;

	(void)state;
	raw_start(MSG_RD | MSG_CD, 1, 0, 0, 1);
	raw_question("a.", RR_A);
	raw_rr(0, RR_OPT, 1232, 0xc000, cookie, sizeof cookie);
	assert_int_equal(query(&q), MSG_GOOD);
	assert_true(q.edns.present && q.edns.dnssec_ok && q.edns.compact_ok);
	assert_int_equal(q.edns.udp_size, 1232);
	r = reader_of(q.edns.options);
	assert_true(edns_next_option(&r, &code, &data));
	assert_int_equal(code, EDNS_COOKIE);
	assert_int_equal(data.n, 8);
	assert_false(edns_next_option(&r, &code, &data));
}

static void verdicts_on_queries(void **state)
{
	static const uint8_t bad_option[3] = { 0, 10, 0 };
	static const uint8_t tsig[3] = { 0, 0, 0 };
	struct msg_query q;

	(void)state;
	raw_start(0, 1, 0, 0, 0);
	raw_question("a.", RR_A);
	for (size_t n = raw.w.pos; n-- > 0;) {
		enum msg_verdict v;

		raw.w.pos = n;
		v = query(&q);
		assert_int_equal(v, n < 12 ? MSG_DROP : MSG_FORMERR);
	}
	raw_start(MSG_QR, 1, 0, 0, 0);
	raw_question("a.", RR_A);
	assert_int_equal(query(&q), MSG_DROP);
	raw_start(OPCODE_NOTIFY << 11, 1, 0, 0, 0);
	raw_question("a.", RR_A);
	assert_int_equal(query(&q), MSG_NOTIMP);
	raw_start(0, 2, 0, 0, 0);
	raw_question("a.", RR_A);
	raw_question("b.", RR_A);
	assert_int_equal(query(&q), MSG_FORMERR);
	assert_int_equal(q.question_end, 0);
	raw_start(0, 0, 0, 0, 0);
	assert_int_equal(query(&q), MSG_FORMERR);
	raw_start(0, 1, 0, 0, 0);
	raw_question("a.", RR_A);
	write8(&raw.w, 0);
	assert_int_equal(query(&q), MSG_FORMERR); /* something behind */
	assert_int_equal(q.question_end, 12 + 3 + 4);
	raw_start(0, 1, 1, 0, 0);
	raw_question("a.", RR_A);
	raw_rr(12, RR_A, CLASS_IN, 0, "abcd", 4);
	assert_int_equal(query(&q), MSG_FORMERR); /* an answer in a query */
	raw_start(0, 1, 0, 1, 0);
	raw_question("a.", RR_IXFR);
	raw_rr(12, RR_SOA, CLASS_IN, 0, "abcd", 4);
	assert_int_equal(query(&q), MSG_GOOD);
	raw_start(0, 1, 0, 0, 1);
	raw_question("a.", RR_A);
	raw_rr(0, RR_OPT, 1232, 0x10000, NULL, 0);
	assert_int_equal(query(&q), MSG_BADVERS);
	assert_true(q.edns.present);
	raw_start(0, 1, 0, 0, 2);
	raw_question("a.", RR_A);
	raw_rr(0, RR_OPT, 1232, 0, NULL, 0);
	raw_rr(0, RR_OPT, 1232, 0, NULL, 0);
	assert_int_equal(query(&q), MSG_FORMERR);
	raw_start(0, 1, 0, 0, 1);
	raw_question("a.", RR_A);
	raw_rr(12, RR_OPT, 1232, 0, NULL, 0);
	assert_int_equal(query(&q), MSG_FORMERR); /* not at the root */
	raw_start(0, 1, 0, 1, 0);
	raw_question("a.", RR_A);
	raw_rr(0, RR_OPT, 1232, 0, NULL, 0);
	assert_int_equal(query(&q), MSG_FORMERR); /* in the wrong section */
	raw_start(0, 1, 0, 0, 1);
	raw_question("a.", RR_A);
	raw_rr(0, RR_OPT, 1232, 0, bad_option, sizeof bad_option);
	assert_int_equal(query(&q), MSG_FORMERR);
	raw_start(0, 1, 0, 0, 2);
	raw_question("a.", RR_A);
	raw_rr(0, RR_OPT, 1232, 0, NULL, 0);
	raw_rr(0, RR_TSIG, CLASS_ANY, 0, tsig, sizeof tsig);
	assert_int_equal(query(&q), MSG_GOOD);
	assert_int_equal(q.tail.n, 11 + 3);
	raw_start(0, 1, 0, 0, 2);
	raw_question("a.", RR_A);
	raw_rr(0, RR_TSIG, CLASS_ANY, 0, tsig, sizeof tsig);
	raw_rr(0, RR_OPT, 1232, 0, NULL, 0);
	assert_int_equal(query(&q), MSG_FORMERR); /* TSIG is last */
	raw_start(0, 1, 0, 0, 65535);
	raw_question("a.", RR_A);
	assert_int_equal(query(&q), MSG_FORMERR);
}

static void options_have_a_limit(void **state)
{
	static const uint8_t options[12] = { 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0 };
	struct msg_query q;

	(void)state;
	raw_start(0, 1, 0, 0, 1);
	raw_question("a.", RR_A);
	raw_rr(0, RR_OPT, 1232, 0, options, sizeof options);
	assert_int_equal(msg_read_query(writer_done(&raw.w), 3, &q), MSG_GOOD);
	assert_int_equal(msg_read_query(writer_done(&raw.w), 2, &q), MSG_FORMERR);
}

/* --- whole messages */

static void records_are_grouped_with_their_signatures(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	uint8_t sig[64];
	struct writer w = writer_of(sig, sizeof sig);
	const char *why = "";
	struct msg m;
	struct name target;
	struct name_buf want = nb("b.a.");

	(void)state;
	assert_ok(rdata_parse(RR_RRSIG, "A 13 1 100 20301231235959 20201231235959 7 a. AQID", NULL, &w, &why));
	raw_start(MSG_QR | MSG_AA, 1, 5, 1, 0);
	raw_question("a.", RR_A);
	raw_rr(12, RR_A, CLASS_IN, 300, "\1\2\3\4", 4);
	raw_rr(12, RR_RRSIG, CLASS_IN, 300, sig, w.pos);
	raw_rr(12, RR_MX, CLASS_IN, 300, "\0\1\1b\xc0\x0c", 6);
	raw_rr(12, RR_A, CLASS_IN, 200, "\5\6\7\10", 4);
	raw_rr(12, RR_A, CLASS_IN, 400, "\1\2\3\4", 4); /* again */
	raw_rr(12, RR_NS, CLASS_IN, 0x80000001, "\1n\xc0\x0c", 4);
	assert_ok(read_raw(a, &m));
	assert_true(m.has_question);
	assert_int_equal(m.id, 0x1234);
	assert_int_equal(m.answer.count, 2);
	assert_int_equal(m.answer.sets[0]->type, RR_A);
	assert_int_equal(m.answer.sets[0]->count, 2);
	assert_int_equal(m.answer.sets[0]->sigs, 1);
	assert_int_equal(m.answer.sets[0]->ttl, 200);
	assert_memory_equal(rrset_rdata(m.answer.sets[0], 0).p, "\1\2\3\4", 4);
	assert_memory_equal(rrset_rdata(m.answer.sets[0], 1).p, "\5\6\7\10", 4);
	assert_int_equal(m.answer.sets[1]->type, RR_MX);
	assert_true(rrset_target(m.answer.sets[1], 0, &target));
	assert_true(name_equal(target, name_of(&want)));
	assert_int_equal(m.authority.count, 1);
	assert_int_equal(m.authority.sets[0]->ttl, 0);
	assert_int_equal(m.additional.count, 0);
}

static void a_stray_signature_is_a_set_without_records(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	uint8_t sig[64];
	struct writer w = writer_of(sig, sizeof sig);
	const char *why = "";
	struct msg m;

	(void)state;
	assert_ok(rdata_parse(RR_RRSIG, "NSEC 13 1 100 20301231235959 20201231235959 7 a. AQID", NULL, &w, &why));
	raw_start(MSG_QR, 1, 1, 0, 0);
	raw_question("a.", RR_RRSIG);
	raw_rr(12, RR_RRSIG, CLASS_IN, 300, sig, w.pos);
	assert_ok(read_raw(a, &m));
	assert_int_equal(m.answer.count, 1);
	assert_int_equal(m.answer.sets[0]->type, RR_NSEC);
	assert_int_equal(m.answer.sets[0]->count, 0);
	assert_int_equal(m.answer.sets[0]->sigs, 1);
}

static void owners_are_grouped_without_case(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct name_buf want = nb("WWW.example.");
	struct msg m;

	(void)state;
	raw_start(MSG_QR, 0, 3, 0, 0);
	for (int i = 0; i < 3; i++) {
		raw_name(i == 0 ? "WWW.example." : i == 1 ? "www.EXAMPLE." : "wwx.example.");
		write16(&raw.w, RR_A);
		write16(&raw.w, CLASS_IN);
		write32(&raw.w, 5);
		write16(&raw.w, 4);
		write32(&raw.w, (uint32_t)i);
	}
	assert_ok(read_raw(a, &m));
	assert_false(m.has_question);
	assert_int_equal(m.answer.count, 2);
	assert_int_equal(m.answer.sets[0]->count, 2);
	assert_true(name_equal_case(rrset_name(m.answer.sets[0]), name_of(&want)));
}

static void edns_of_a_response(void **state)
{
	static const uint8_t nsid[6] = { 0, EDNS_NSID, 0, 2, 'h', 'i' };
	AUTO(arena_free) struct arena *a = arena_new(0);
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(100000);
	struct msg m;

	(void)state;
	raw_start(MSG_QR | RCODE_NXDOMAIN, 1, 0, 0, 1);
	raw_question("a.", RR_A);
	raw_rr(0, RR_OPT, 4096, 0x01000000 | 0x8000, nsid, sizeof nsid);
	assert_ok(read_raw(a, &m));
	assert_int_equal(m.rcode, 16 + RCODE_NXDOMAIN);
	assert_int_equal(m.additional.count, 0);
	assert_true(m.edns.present && m.edns.dnssec_ok);
	memset(raw.b, 0xee, sizeof raw.b); /* nothing is borrowed from the packet */
	assert_memory_equal(m.edns.options.p, nsid, sizeof nsid);
	msg_print(&m, out);
	assert_non_null(strstr(strbuf_text(out), "NSID: 6869 \"hi\""));
	assert_non_null(strstr(strbuf_text(out), ";a. IN A"));
	assert_non_null(strstr(strbuf_text(out), "flags: do; udp: 4096"));
}

static void nothing_is_borrowed_from_the_packet(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	AUTO(strbuf_free) struct strbuf *before = strbuf_new(100000);
	AUTO(strbuf_free) struct strbuf *after = strbuf_new(100000);
	struct msg m;

	(void)state;
	raw_start(MSG_QR, 1, 2, 0, 1);
	raw_question("a.", RR_ANY);
	raw_rr(12, RR_A, CLASS_IN, 300, "\1\2\3\4", 4);
	raw_rr(12, RR_NS, CLASS_IN, 300, "\1n\xc0\x0c", 4);
	raw_rr(12, RR_TXT, CLASS_IN, 300, "\3abc", 4);
	assert_ok(read_raw(a, &m));
	msg_print(&m, before);
	memset(raw.b, 0xee, sizeof raw.b);
	msg_print(&m, after);
	assert_string_equal(strbuf_text(before), strbuf_text(after));
	assert_non_null(strstr(strbuf_text(after), "a. 300 IN NS n.a.\n"));
}

static void malformed_messages(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct msg m;
	size_t whole;

	(void)state;
	raw_start(MSG_QR, 1, 1, 0, 1);
	raw_question("a.", RR_A);
	raw_rr(12, RR_A, CLASS_IN, 300, "\1\2\3\4", 4);
	raw_rr(0, RR_OPT, 512, 0, "\0\1\0\0", 4);
	whole = raw.w.pos;
	assert_ok(read_raw(a, &m));
	for (size_t n = 0; n < whole; n++) {
		raw.w.pos = n;
		assert_err(read_raw(a, &m), ERR_FORMAT);
	}
	raw.w.pos = whole;
	write8(&raw.w, 0);
	assert_err(read_raw(a, &m), ERR_FORMAT); /* something behind */

	raw_start(MSG_QR, 2, 0, 0, 0);
	raw_question("a.", RR_A);
	raw_question("a.", RR_A);
	assert_err(read_raw(a, &m), ERR_FORMAT);
	raw_start(MSG_QR, 1, 1, 0, 0);
	raw_question("a.", RR_A);
	raw_rr(12, RR_A, CLASS_IN, 300, "\1\2\3", 3); /* rdata of the wrong length */
	assert_err(read_raw(a, &m), ERR_FORMAT);
	raw_start(MSG_QR, 1, 1, 0, 0);
	raw_question("a.", RR_A);
	raw_rr(0, RR_OPT, 512, 0, NULL, 0); /* OPT in the answer */
	assert_err(read_raw(a, &m), ERR_FORMAT);
	raw_start(MSG_QR, 1, 0, 0, 2);
	raw_question("a.", RR_A);
	raw_rr(0, RR_OPT, 512, 0, NULL, 0);
	raw_rr(0, RR_OPT, 512, 0, NULL, 0);
	assert_err(read_raw(a, &m), ERR_FORMAT);
	raw_start(MSG_QR, 1, 0, 0, 1);
	raw_question("a.", RR_A);
	raw_rr(12, RR_OPT, 512, 0, NULL, 0); /* not at the root */
	assert_err(read_raw(a, &m), ERR_FORMAT);
	for (unsigned int type = RR_IXFR; type <= RR_ANY; type++) {
		raw_start(MSG_QR, 1, 1, 0, 0);
		raw_question("a.", RR_ANY);
		raw_rr(12, (uint16_t)type, CLASS_IN, 300, "\1\2\3\4", 4);
		assert_err(read_raw(a, &m), ERR_FORMAT);
	}
	raw_start(MSG_QR, 1, 65535, 65535, 65535);
	raw_question("a.", RR_A);
	assert_err(read_raw(a, &m), ERR_FORMAT);
	assert_err(msg_read(a, (struct span){ NULL, 0 }, NULL, &m), ERR_FORMAT);
}

static void a_bad_record_can_be_left_out(void **state)
{
	const struct msg_limits tolerant = { .drop_bad_rdata = true };
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct msg m;

	(void)state;
	raw_start(MSG_QR, 1, 3, 0, 0);
	raw_question("www.example.com.", RR_A);
	raw_rr(12, RR_A, CLASS_IN, 60, "\x0a\x01\x02", 3);
	raw_rr(12, RR_A, CLASS_IN, 60, "\x0a\x01\x02\x03", 4);
	raw_rr(12, RR_CNAME, CLASS_IN, 60, "\xc0\xff", 2); /* points past itself */
	assert_int_equal(read_raw(a, &m).e, ERR_FORMAT);
	assert_true(OK(msg_read(a, writer_done(&raw.w), &tolerant, &m)));
	assert_int_equal(m.bad_rdata, 2);
	assert_int_equal(m.answer.count, 1);
	assert_int_equal(m.answer.sets[0]->count, 1);
	assert_memory_equal(rrset_rdata(m.answer.sets[0], 0).p, "\x0a\x01\x02\x03", 4);
	/* Rdata that does not end in the message leaves nothing to go on from. */
	raw_start(MSG_QR, 1, 1, 0, 0);
	raw_question("www.example.com.", RR_A);
	raw_rr(12, RR_A, CLASS_IN, 60, "\x0a\x01\x02\x03", 4);
	raw.w.pos--;
	assert_int_equal(msg_read(a, writer_done(&raw.w), &tolerant, &m).e, ERR_FORMAT);
}

static void limits_are_kept(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	AUTO(arena_free) struct arena *small = arena_new(100);
	struct msg_limits l = { .max_rrs = 3, .max_options = 1 };
	struct msg m;

	(void)state;
	raw_start(MSG_QR, 1, 2, 0, 1);
	raw_question("a.", RR_A);
	raw_rr(12, RR_A, CLASS_IN, 300, "\1\2\3\4", 4);
	raw_rr(12, RR_NS, CLASS_IN, 300, "\xc0\x0c", 2);
	raw_rr(0, RR_OPT, 512, 0, "\0\1\0\0\0\2\0\0", 8);
	assert_err(msg_read(a, writer_done(&raw.w), &l, &m), ERR_LIMIT);
	l.max_options = 2;
	assert_ok(msg_read(a, writer_done(&raw.w), &l, &m));
	l.max_rrs = 2;
	assert_err(msg_read(a, writer_done(&raw.w), &l, &m), ERR_LIMIT);
	l.max_rrs = 0;
	l.max_hops = 1;
	assert_err(msg_read(a, writer_done(&raw.w), &l, &m), ERR_FORMAT);
	assert_err(msg_read(small, writer_done(&raw.w), NULL, &m), ERR_LIMIT); /* of the arena */
}

static bool read_it(void)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct msg m;
	struct result r;

	if (a == NULL)
		return false;
	r = read_raw(a, &m);
	assert_true(OK(r) || r.e == ERR_NOMEM);
	return OK(r);
}

static void memory_may_run_out(void **state)
{
	(void)state;
	raw_start(MSG_QR, 1, 2000, 0, 1);
	raw_question("a.", RR_MX);
	for (unsigned int i = 0; i < 2000; i++) {
		uint8_t rdata[6] = { (uint8_t)(i >> 8), (uint8_t)i, 1, 'b', 0xc0, 12 };

		raw_rr(12, RR_MX, CLASS_IN, 300, rdata, sizeof rdata);
	}
	raw_rr(0, RR_OPT, 512, 0, "\0\1\0\0\0\2\0\0", 8);
	assert_true(for_each_failing_allocation(read_it) >= 3);
}

/* --- attacks: each must be linear */

static double cost_of_reading(enum err *e, size_t *sets, size_t *rrs)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct msg m = { 0 };
	double best = 1e9;

	for (int i = 0; i < 5; i++) {
		double start = cpu_ms();

		arena_reset(a);
		*e = read_raw(a, &m).e;
		if (cpu_ms() - start < best)
			best = cpu_ms() - start;
	}
	*sets = *rrs = 0;
	for (size_t i = 0; *e == ERR_NONE && i < m.answer.count; i++, ++*sets)
		*rrs += m.answer.sets[i]->count;
	return best;
}

static void check_cost(const char *what, enum err want, size_t want_sets, size_t want_rrs)
{
	enum err e;
	size_t sets;
	size_t rrs;
	double ms = cost_of_reading(&e, &sets, &rrs);

	print_message("    %s: %.3f ms\n", what, ms);
	assert_int_equal(e, want);
	assert_int_equal(sets, want_sets);
	assert_int_equal(rrs, want_rrs);
	assert_true(ms < CPU_BOUND);
}

static void one_set_of_four_thousand(void **state)
{
	(void)state;
	raw_start(MSG_QR, 1, 4000, 0, 0);
	raw_question("a.", RR_A);
	for (uint32_t i = 0; i < 4000; i++) {
		uint8_t rdata[4];

		store32(rdata, i);
		raw_rr(12, RR_A, CLASS_IN, 300, rdata, 4);
	}
	check_cost("4,000 A of one name", ERR_NONE, 1, 4000);
}

static void the_same_record_four_thousand_times(void **state)
{
	(void)state;
	raw_start(MSG_QR, 1, 4000, 0, 0);
	raw_question("a.", RR_A);
	for (uint32_t i = 0; i < 4000; i++)
		raw_rr(12, RR_A, CLASS_IN, 300, "abcd", 4);
	check_cost("4,000 duplicates", ERR_NONE, 1, 1);
}

static void four_thousand_names(void **state)
{
	(void)state;
	raw_start(MSG_QR, 0, 3000, 0, 0);
	for (uint32_t i = 0; i < 3000; i++) {
		write8(&raw.w, 4);
		write32(&raw.w, 0x61616161 + (i & 15) + ((i >> 4 & 15) << 8) + (i >> 8 << 16));
		raw_rr(0, RR_A, CLASS_IN, 300, "abcd", 4);
	}
	check_cost("3,000 names", ERR_NONE, 3000, 3000);
}

static void four_thousand_types(void **state)
{
	(void)state;
	raw_start(MSG_QR, 1, 4000, 0, 0);
	raw_question("a.", RR_ANY);
	for (uint32_t i = 0; i < 4000; i++)
		raw_rr(12, (uint16_t)(1000 + i * 16), (uint16_t)(i % 7), 300, "abcd", 4);
	check_cost("4,000 types of one name", ERR_NONE, 4000, 4000);
}

static void texts_that_differ_in_case_only(void **state)
{
	(void)state;
	raw_start(MSG_QR, 1, 2500, 0, 0);
	raw_question("a.", RR_TXT);
	for (uint32_t i = 0; i < 2500; i++) {
		uint8_t rdata[13] = { 12 };

		for (unsigned int k = 0; k < 12; k++)
			rdata[1 + k] = (i >> k & 1) != 0 ? 'a' : 'A';
		raw_rr(12, RR_TXT, CLASS_IN, 300, rdata, sizeof rdata);
	}
	check_cost("2,500 TXT in all cases", ERR_NONE, 1, 2500);
}

static void names_that_differ_in_case_only(void **state)
{
	(void)state;
	raw_start(MSG_QR, 1, 2300, 0, 0);
	raw_question("a.", RR_MX);
	for (uint32_t i = 0; i < 2300; i++) {
		uint8_t rdata[16] = { 0, 1, 12 };

		for (unsigned int k = 0; k < 12; k++)
			rdata[3 + k] = (i >> k & 1) != 0 ? 'a' : 'A';
		raw_rr(12, RR_MX, CLASS_IN, 300, rdata, sizeof rdata);
	}
	check_cost("2,300 MX to one name in all cases", ERR_NONE, 1, 1);
}

/* 100 labels in the question; each target is another of its suffixes or a new label on it. */
static void deep_mail_servers(void **state)
{
	char deep[300] = "";

	(void)state;
	for (int i = 0; i < 120; i++)
		strcat(deep, "a.");
	raw_start(MSG_QR, 1, 1100, 0, 0);
	raw_question(deep, RR_MX);
	for (unsigned int i = 0; i < 1100; i++) {
		uint8_t rdata[8] = { 0, 0, 3 };

		store16(rdata, (uint16_t)i);
		rdata[3] = (uint8_t)i;
		rdata[4] = (uint8_t)(i >> 8);
		rdata[5] = 'x';
		store16(rdata + 6, (uint16_t)(0xc00c + 2 * (i % 3)));
		raw_rr(12, RR_MX, CLASS_IN, 300, rdata, sizeof rdata);
	}
	check_cost("MX x 1,100 deep names", ERR_NONE, 1, 1100);
}

/* A chain of pointers in unused rdata, and names that go through all of it. */
static void chain(unsigned int hops, unsigned int names, enum err want, const char *what)
{
	size_t base;

	raw_start(MSG_QR, 0, (uint16_t)(1 + names), 0, 0);
	write8(&raw.w, 0);
	write16(&raw.w, 65280);
	write16(&raw.w, CLASS_IN);
	write32(&raw.w, 0);
	write16(&raw.w, (uint16_t)(1 + 2 * hops));
	base = raw.w.pos;
	write8(&raw.w, 0);
	for (unsigned int i = 0; i < hops; i++)
		write16(&raw.w, (uint16_t)(0xc000 | (i == 0 ? base : base + 1 + 2 * (size_t)(i - 1))));
	for (unsigned int i = 0; i < names; i++) {
		uint8_t rdata[2];

		store16(rdata, (uint16_t)(0xc000 | (base + 1 + 2 * (size_t)(hops - 1))));
		write16(&raw.w, (uint16_t)(0xc000 | (base + 1 + 2 * (size_t)(hops - 1 - (i & 1)))));
		write16(&raw.w, RR_NS);
		write16(&raw.w, CLASS_IN);
		write32(&raw.w, i);
		write16(&raw.w, 2);
		write_octets(&raw.w, rdata, 2);
	}
	check_cost(what, want, want == ERR_NONE ? 2 : 0, want == ERR_NONE ? 2 : 0);
}

static void pointer_chains(void **state)
{
	(void)state;
	chain(8000, 3000, ERR_FORMAT, "pointer chain 8,000 x 3,000 names");
	chain(240, 4000, ERR_FORMAT, "pointer chain 240 x 4,000 names");
	chain(120, 4000, ERR_FORMAT, "pointer chain 120 x 4,000 names");
	chain(10, 2500, ERR_NONE, "pointer chain 10 x 2,500 names");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_query_is_read_in_place),
		cmocka_unit_test(a_query_with_edns),
		cmocka_unit_test(verdicts_on_queries),
		cmocka_unit_test(options_have_a_limit),
		cmocka_unit_test(records_are_grouped_with_their_signatures),
		cmocka_unit_test(a_stray_signature_is_a_set_without_records),
		cmocka_unit_test(owners_are_grouped_without_case),
		cmocka_unit_test(edns_of_a_response),
		cmocka_unit_test(nothing_is_borrowed_from_the_packet),
		cmocka_unit_test(malformed_messages),
		cmocka_unit_test(a_bad_record_can_be_left_out),
		cmocka_unit_test(limits_are_kept),
		cmocka_unit_test(memory_may_run_out),
		cmocka_unit_test(one_set_of_four_thousand),
		cmocka_unit_test(the_same_record_four_thousand_times),
		cmocka_unit_test(four_thousand_names),
		cmocka_unit_test(four_thousand_types),
		cmocka_unit_test(texts_that_differ_in_case_only),
		cmocka_unit_test(names_that_differ_in_case_only),
		cmocka_unit_test(deep_mail_servers),
		cmocka_unit_test(pointer_chains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
