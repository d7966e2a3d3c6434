#include "tests/unit/dns/dns_test.h"

static void a_message_as_dig_prints_it(void **state)
{
	static const char *const addresses[] = { "192.0.2.1", "192.0.2.2" };
	static const char *const servers[] = { "ns1.example." };
	static const struct edns_out e = { .udp_size = 1232, .rcode = RCODE_NOERROR, .dnssec_ok = true, .compact_ok = true };
	static const uint8_t zeros[5] = { 0 };
	static uint8_t buf[1000];
	AUTO(arena_free) struct arena *a = arena_new(0);
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(100000);
	struct name_buf qname = nb("a\\010b.example.");
	struct question q = { name_of(&qname), RR_A, CLASS_IN };
	struct builder b;
	struct msg m;

	(void)state;
	build_start(&b, buf, sizeof buf, sizeof buf, 11, 7, MSG_QR | MSG_AA | MSG_RD | MSG_RA | MSG_AD);
	build_question(&b, &q);
	assert_true(build_rrset(&b, PART_ANSWER, make_set(a, "a\\010b.example.", RR_A, 60, addresses, 2), 60, true, 0));
	assert_true(build_rrset(&b, PART_AUTHORITY, make_set(a, "example.", RR_NS, 61, servers, 1), 61, true, 0));
	build_edns_start(&b, &e);
	assert_true(build_edns_option(&b, EDNS_NSID, span_text("x\ny")));
	assert_true(build_edns_option(&b, 4711, span_text("z")));
	assert_true(build_edns_error(&b, EDE_STALE, "two\nlines"));
	assert_true(build_edns_option(&b, EDNS_PADDING, span_of(zeros, sizeof zeros)));
	build_edns_end(&b);
	assert_ok(msg_read(a, (struct span){ buf, build_finish(&b) }, NULL, &m));
	msg_print(&m, out);
	assert_string_equal(strbuf_text(out), ";; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 7\n"
					      ";; flags: qr aa rd ra ad; QUERY: 1, ANSWER: 2, AUTHORITY: 1, ADDITIONAL: 1\n"
					      ";; OPT PSEUDOSECTION:\n"
					      "; EDNS: version: 0, flags: do co; udp: 1232\n"
					      "; NSID: 780a79 \"x\\010y\"\n"
					      "; OPT=4711: 7a\n"
					      "; EDE: 3 (Stale Answer) \"two\\010lines\"\n"
					      "; PADDING: 5 octets\n"
					      "\n"
					      ";; QUESTION SECTION:\n"
					      ";a\\010b.example. IN A\n"
					      "\n"
					      ";; ANSWER SECTION:\n"
					      "a\\010b.example. 60 IN A 192.0.2.1\n"
					      "a\\010b.example. 60 IN A 192.0.2.2\n"
					      "\n"
					      ";; AUTHORITY SECTION:\n"
					      "example. 61 IN NS ns1.example.\n");
}

static void an_empty_message(void **state)
{
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(1000);
	struct msg m = { .flags = OPCODE_NOTIFY << 11, .rcode = 3000 };

	(void)state;
	msg_print(&m, out);
	assert_string_equal(strbuf_text(out), ";; ->>HEADER<<- opcode: NOTIFY, status: RCODE3000, id: 0\n"
					      ";; flags:; QUERY: 0, ANSWER: 0, AUTHORITY: 0, ADDITIONAL: 0\n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_as_dig_prints_it),
		cmocka_unit_test(an_empty_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
