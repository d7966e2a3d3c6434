/* Who is served, and what is refused before anything is looked up. The settings come from text, as an operator writes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/strbuf.h"
#include "conf/conf.h"
#include "resolver/cache/anscache.h"
#include "resolver/serve/admission.h"
#include "resolver/serve/quota.h"
#include "resolver/stats.h"

static struct conf *conf;
static struct serve_settings *settings;
static struct quota *quota;
static struct stats stats;
static struct now now = { 1000000000u, 1559731985, 0 };
static struct admission admission;
static uint8_t packet[1200];

static void begin(const char *text)
{
	static const struct hash_key key = { { 1, 2 } };
	AUTO(rng_free) struct rng *rng = rng_new_seeded(1);
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(10000);
	AUTO_CHARS char *whole = mem_printf("server:\n%s", text);

	if (!OK(conf_load_text(whole, "test", report, &conf)))
		fail_msg("%s", strbuf_text(report));
	assert_true(OK(serve_settings_make(conf, rng, NULL, report, &settings)));
	quota = quota_new(&key, 10000);
	memset(&stats, 0, sizeof stats);
	admission = (struct admission){ settings, quota, &stats, &now, 1, { ADDR_NONE, { 0 } }, ACCESS_UNSAID, ACCESS_UNSAID, false };
}

static void end(void)
{
	quota_free(quota);
	serve_settings_free(settings);
	conf_free(conf);
}

struct asking {
	const char *from;
	uint16_t flags, type, rclass;
	bool tcp;
	bool edns, dnssec_ok;
	uint8_t version;
	uint16_t udp_size;
	struct span options;
	uint16_t authority;
};

static struct request judged(const struct asking *q)
{
	struct writer w = writer_of(packet, sizeof packet);
	struct request r = { .verdict = ADMIT };

	write16(&w, 77);
	write16(&w, q->flags);
	write16(&w, 1);
	write16(&w, 0);
	write16(&w, q->authority);
	write16(&w, q->edns);
	write_octets(&w, "\1a\3org", 7);
	write16(&w, q->type);
	write16(&w, q->rclass);
	if (q->authority != 0) {
		write_octets(&w, "\1a\3org", 7);
		write16(&w, RR_A);
		write16(&w, CLASS_IN);
		write32(&w, 0);
		write16(&w, 4);
		write32(&w, 0);
	}
	if (q->edns) {
		write8(&w, 0);
		write16(&w, RR_OPT);
		write16(&w, q->udp_size);
		write32(&w, (uint32_t)q->version << 16 | (q->dnssec_ok ? 0x8000 : 0));
		write16(&w, (uint16_t)q->options.n);
		write_span(&w, q->options);
	}
	assert_true(OK(addr_parse(q->from, &r.origin.from.a)));
	r.origin.from.port = 5000;
	if (q->tcp)
		r.origin.session.v = 1;
	admission_judge(&admission, writer_done(&w), ACCESS_UNSAID, 30000, &r);
	return r;
}

static struct request from(const char *client)
{
	return judged(&(struct asking){ .from = client, .flags = MSG_RD, .type = RR_A, .rclass = CLASS_IN });
}

static void by_default_this_machine_is_served_and_nobody_else(void **state)
{
	struct request r;

	(void)state;
	begin("");
	assert_int_equal(from("127.0.0.1").verdict, ADMIT);
	assert_int_equal(from("127.9.9.9").verdict, ADMIT);
	assert_int_equal(from("::1").verdict, ADMIT);
	r = from("192.0.2.1");
	assert_int_equal(r.verdict, ADMIT_REPLY);
	assert_int_equal(r.rcode, RCODE_REFUSED);
	assert_true(r.bare); /* without EDNS there is nothing to say */
	r = judged(&(struct asking){ .from = "2001:db8::1", .flags = MSG_RD, .type = RR_A, .rclass = CLASS_IN, .edns = true });
	assert_int_equal(r.ede, EDE_PROHIBITED);
	assert_true(r.has_ede && !r.bare);
	end();
}

static void the_longest_netblock_counts(void **state)
{
	(void)state;
	begin(" access-control: 20.0.0.0/8 allow\n access-control: 20.40.0.0/16 refuse\n access-control: 20.40.80.0/24 deny\n"
	      " access-control: 127.0.0.2/32 refuse\n access-control: ::ffff:0:0/96 allow\n");
	assert_int_equal(from("20.1.2.3").verdict, ADMIT);
	assert_int_equal(from("20.40.2.3").verdict, ADMIT_REPLY);
	assert_int_equal(from("20.40.80.3").verdict, ADMIT_DROP);
	assert_int_equal(from("127.0.0.2").verdict, ADMIT_REPLY);
	assert_int_equal(from("::ffff:20.40.80.3").verdict, ADMIT_DROP); /* a mapped address is its IPv4 address */
	end();
}

static void without_rd_only_those_who_may_snoop_get_the_cache(void **state)
{
	struct asking q = { .from = "10.0.0.1", .type = RR_A, .rclass = CLASS_IN };
	struct request r;

	(void)state;
	begin(" access-control: 10.0.0.1/32 allow\n access-control: 10.0.0.2/32 allow_snoop\n access-control: 10.0.0.3/32 "
	      "allow_setrd\n"
	      " access-control: 10.0.0.4/32 deny_non_local\n access-control: 10.0.0.5/32 refuse_non_local\n");
	r = judged(&q);
	assert_int_equal(r.verdict, ADMIT_LOCAL);
	assert_true(r.refuse_other);
	q.from = "10.0.0.2";
	r = judged(&q);
	assert_int_equal(r.verdict, ADMIT);
	assert_false(r.recurse);
	q.from = "10.0.0.3";
	r = judged(&q);
	assert_int_equal(r.verdict, ADMIT);
	assert_true(r.recurse);
	q.flags = MSG_RD;
	q.from = "10.0.0.4";
	r = judged(&q);
	assert_int_equal(r.verdict, ADMIT_LOCAL);
	assert_false(r.refuse_other);
	q.from = "10.0.0.5";
	r = judged(&q);
	assert_int_equal(r.verdict, ADMIT_LOCAL);
	assert_true(r.refuse_other);
	end();
}

static void transfers_and_other_classes_are_refused(void **state)
{
	struct asking q = { .from = "127.0.0.1", .flags = MSG_RD, .type = RR_AXFR, .rclass = CLASS_IN };
	struct request r;

	(void)state;
	begin("");
	r = judged(&q);
	assert_int_equal(r.rcode, RCODE_REFUSED);
	assert_false(r.bare);
	q.type = RR_IXFR;
	assert_int_equal(judged(&q).rcode, RCODE_REFUSED);
	q.authority = 1;
	r = judged(&q);
	assert_int_equal(r.rcode, RCODE_FORMERR);
	assert_true(r.bare);
	q.authority = 0;
	q.type = RR_A;
	q.rclass = CLASS_HS;
	assert_int_equal(judged(&q).rcode, RCODE_REFUSED);
	q.rclass = CLASS_CH;
	assert_int_equal(judged(&q).verdict, ADMIT_CHAOS);
	q.rclass = 1234;
	assert_int_equal(judged(&q).rcode, RCODE_REFUSED);
	q.rclass = CLASS_IN;
	q.type = RR_OPT;
	assert_int_equal(judged(&q).rcode, RCODE_FORMERR);
	q.type = RR_ANY;
	assert_int_equal(judged(&q).verdict, ADMIT);
	end();
}

static void other_opcodes_are_not_implemented(void **state)
{
	struct asking q = { .from = "127.0.0.1", .type = RR_A, .rclass = CLASS_IN };

	(void)state;
	begin("");
	for (unsigned int opcode = 1; opcode < 16; opcode++) {
		struct request r;

		q.flags = (uint16_t)(opcode << 11);
		r = judged(&q);
		assert_int_equal(r.verdict, ADMIT_REPLY);
		assert_int_equal(r.rcode, RCODE_NOTIMP);
		assert_true(r.bare);
	}
	assert_int_equal(stats_get(&stats, COUNT_QUERIES), 15);
	for (unsigned int k = COUNT_OPCODE_IQUERY; k < COUNT_OPCODE_OTHER; k++)
		assert_int_equal(stats_get(&stats, (enum counter)k), 1);
	assert_int_equal(stats_get(&stats, COUNT_OPCODE_OTHER), 11);
	end();
}

static void kinds_of_questions_are_counted(void **state)
{
	static const uint16_t classes[] = { CLASS_IN, CLASS_CH, CLASS_ANY, CLASS_HS, 17 };
	struct asking q = { .from = "127.0.0.1", .flags = MSG_RD, .type = RR_A };

	(void)state;
	begin("");
	for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
		q.rclass = classes[i];
		(void)judged(&q);
	}
	assert_int_equal(stats_get(&stats, COUNT_TYPE_A), 5);
	assert_int_equal(stats_get(&stats, COUNT_CLASS_CH), 1);
	assert_int_equal(stats_get(&stats, COUNT_CLASS_ANY), 1);
	assert_int_equal(stats_get(&stats, COUNT_CLASS_OTHER), 2);
	assert_int_equal(stats_get(&stats, COUNT_OPCODE_OTHER), 0);
	end();
}

static void a_newer_edns_gets_badvers(void **state)
{
	struct request r;

	(void)state;
	begin("");
	r = judged(&(struct asking){
	    .from = "127.0.0.1", .flags = MSG_RD, .type = RR_A, .rclass = CLASS_IN, .edns = true, .version = 1, .udp_size = 1232 });
	assert_int_equal(r.rcode, RCODE_BADVERS);
	assert_true(r.to.edns);
	end();
}

static void the_reply_may_be_as_large_as_client_and_configuration_allow(void **state)
{
	struct asking q = { .from = "127.0.0.1", .flags = MSG_RD, .type = RR_A, .rclass = CLASS_IN };

	(void)state;
	begin(" max-udp-size: 1400\n");
	assert_int_equal(judged(&q).to.limit, 512);
	q.edns = true;
	q.udp_size = 100;
	assert_int_equal(judged(&q).to.limit, 512);
	q.udp_size = 1232;
	assert_int_equal(judged(&q).to.limit, 1232);
	q.udp_size = 65535;
	assert_int_equal(judged(&q).to.limit, 1400);
	q.tcp = true;
	assert_int_equal(judged(&q).to.limit, MSG_MAX);
	end();
}

/* RFC 6891 section 6.2.3, and what harden-short-bufsize: no makes of it. */
static void a_size_under_512_counts_when_it_is_not_hardened(void **state)
{
	struct asking q = { .from = "127.0.0.1", .flags = MSG_RD, .type = RR_A, .rclass = CLASS_IN, .edns = true, .udp_size = 100 };
	struct request r;

	(void)state;
	begin(" harden-short-bufsize: no\n nsid: ascii_here\n");
	assert_int_equal(judged(&q).to.limit, 100);
	q.udp_size = 511;
	assert_int_equal(judged(&q).to.limit, 511);
	q.udp_size = 512;
	assert_int_equal(judged(&q).to.limit, 512);
	q.udp_size = 12;
	assert_int_equal(judged(&q).to.limit, 12 + 7 + 4 + 11); /* a.org, and an OPT without options */
	q.options = span_of("\0\3\0\0", 4);
	r = judged(&q);
	assert_int_equal(r.to.limit, 12 + 7 + 4 + 11 + 8);
	assert_int_equal(r.verdict, ADMIT);
	q.udp_size = 11;
	r = judged(&q);
	assert_int_equal(r.verdict, ADMIT_REPLY);
	assert_int_equal(r.rcode, RCODE_FORMERR);
	assert_true(r.bare);
	q.tcp = true;
	r = judged(&q);
	assert_int_equal(r.verdict, ADMIT);
	assert_int_equal(r.to.limit, MSG_MAX);
	q = (struct asking){ .from = "127.0.0.1", .flags = MSG_RD, .type = RR_A, .rclass = CLASS_IN };
	assert_int_equal(judged(&q).to.limit, 512);
	end();
	begin(" harden-short-bufsize: no\n access-control: 10.0.0.0/8 refuse\n access-control: 11.0.0.0/8 deny\n");
	q = (struct asking){ .from = "10.0.0.1", .flags = MSG_RD, .type = RR_A, .rclass = CLASS_IN, .edns = true, .udp_size = 1 };
	assert_int_equal(judged(&q).rcode, RCODE_REFUSED); /* the verdict of before stands */
	q.from = "11.0.0.1";
	assert_int_equal(judged(&q).verdict, ADMIT_DROP);
	end();
}

static void a_large_question_is_dropped_only_when_it_is_hardened(void **state)
{
	static uint8_t filler[600] = { 0xfd, 0xe9, 0x01, 0xd2 }; /* an option of local use with 466 octets */
	struct asking q = { .from = "127.0.0.1", .flags = MSG_RD, .type = RR_A, .rclass = CLASS_IN, .edns = true, .udp_size = 1232 };

	(void)state;
	q.options = span_of(filler, 4 + 466);
	begin("");
	assert_int_equal(judged(&q).verdict, ADMIT);
	end();
	begin(" harden-large-queries: yes\n");
	assert_int_equal(12 + 7 + 4 + 11 + q.options.n, 504);
	assert_int_equal(judged(&q).verdict, ADMIT);
	store16(filler + 2, 474); /* 512 octets in all */
	q.options.n = 4 + 474;
	assert_int_equal(judged(&q).verdict, ADMIT);
	assert_int_equal(stats_get(&stats, COUNT_DROPPED_LARGE), 0);
	store16(filler + 2, 475);
	q.options.n = 4 + 475;
	assert_int_equal(judged(&q).verdict, ADMIT_DROP);
	q.tcp = true;
	assert_int_equal(judged(&q).verdict, ADMIT_DROP);
	assert_int_equal(stats_get(&stats, COUNT_DROPPED_LARGE), 2);
	end();
}

#define COOKIE_OPTION "\0\x0a\0\x08\x24\x64\xc4\xab\xcf\x10\xc9\x57"

static void allow_cookie_asks_for_one_over_udp(void **state)
{
	struct asking q = { .from = "10.0.0.1", .flags = MSG_RD, .type = RR_A, .rclass = CLASS_IN, .edns = true, .udp_size = 1232 };
	uint8_t full[4 + COOKIE_FULL] = { 0, EDNS_COOKIE, 0, COOKIE_FULL };
	struct request r;

	(void)state;
	begin(" access-control: 10.0.0.0/8 allow_cookie\n cookie-secret: e5e973e5a6b2a43f48e7dc849e37bfcf\n");
	r = judged(&q);
	assert_int_equal(r.rcode, RCODE_REFUSED);
	assert_true(r.truncate);
	q.options = span_of(COOKIE_OPTION, 12);
	r = judged(&q);
	assert_int_equal(r.rcode, RCODE_BADCOOKIE);
	assert_int_equal(r.to.cookie_len, COOKIE_FULL);
	memcpy(full + 4, r.to.cookie, COOKIE_FULL);
	q.options = span_of(full, sizeof full);
	r = judged(&q);
	assert_int_equal(r.verdict, ADMIT);
	assert_true(r.good_cookie);
	q.from = "10.0.0.2";
	assert_int_equal(judged(&q).rcode, RCODE_BADCOOKIE);
	q.tcp = true;
	q.options.n = 0;
	assert_int_equal(judged(&q).verdict, ADMIT);
	q.options = span_of("\0\x0a\0\x03" "abc", 7);
	assert_int_equal(judged(&q).rcode, RCODE_FORMERR);
	end();
}

static void nsid_is_given_when_there_is_one_and_it_is_asked_for(void **state)
{
	struct asking q = { .from = "127.0.0.1",
		.flags = MSG_RD,
		.type = RR_A,
		.rclass = CLASS_IN,
		.edns = true,
		.options = span_of("\0\3\0\0", 4) };

	(void)state;
	begin("");
	assert_false(judged(&q).to.nsid);
	end();
	begin(" nsid: 0123ff\n");
	assert_int_equal(settings->nsid_len, 3);
	assert_memory_equal(settings->nsid, "\x01\x23\xff", 3);
	assert_true(judged(&q).to.nsid);
	q.options.n = 0;
	assert_false(judged(&q).to.nsid);
	end();
	begin(" nsid: \"ascii_here\"\n");
	assert_memory_equal(settings->nsid, "here", 4);
	end();
}

static void a_client_that_asks_too_often_is_dropped_unless_it_has_a_cookie(void **state)
{
	struct asking q = { .from = "127.0.0.1",
		.flags = MSG_RD,
		.type = RR_A,
		.rclass = CLASS_IN,
		.edns = true,
		.options = span_of(COOKIE_OPTION, 12) };
	uint8_t full[4 + COOKIE_FULL] = { 0, EDNS_COOKIE, 0, COOKIE_FULL };
	unsigned int passed = 0;
	struct request r;

	(void)state;
	begin(" ip-ratelimit: 5\n ip-ratelimit-factor: 0\n");
	r = judged(&q);
	memcpy(full + 4, r.to.cookie, COOKIE_FULL);
	for (unsigned int i = 0; i < 100; i++)
		passed += judged(&q).verdict == ADMIT;
	assert_int_equal(passed, 4);
	assert_int_equal(stats_get(&stats, COUNT_QUERIES_RATELIMITED), 96);
	q.options = span_of(full, sizeof full);
	assert_int_equal(judged(&q).verdict, ADMIT);
	q.options.n = 0;
	q.tcp = true;
	assert_int_equal(judged(&q).verdict, ADMIT);
	end();
}

static void the_variant_tells_do_and_cd_apart(void **state)
{
	(void)state;
	begin("");
	assert_int_equal(from("127.0.0.1").variant, 0);
	assert_int_equal(
	    judged(&(struct asking){ .from = "127.0.0.1", .flags = MSG_RD | MSG_CD, .type = RR_A, .rclass = CLASS_IN }).variant,
	    ANS_CD);
	end();
	begin("ignore-cd-flag: yes\n");
	assert_int_equal(
	    judged(&(struct asking){ .from = "127.0.0.1", .flags = MSG_RD | MSG_CD, .type = RR_A, .rclass = CLASS_IN }).variant, 0);
	end();
}

static void with_disable_edns_do_a_client_with_do_gets_no_edns_unless_we_validate(void **state)
{
	struct asking q = { .from = "127.0.0.1", .flags = MSG_RD, .type = RR_A, .rclass = CLASS_IN, .edns = true, .dnssec_ok = true, .udp_size = 1232 };
	struct request r;

	(void)state;
	begin("");
	r = judged(&q);
	assert_true(r.to.edns && r.to.dnssec_ok);
	assert_int_equal(r.variant, ANS_DO);
	end();
	begin("disable-edns-do: yes\n");
	r = judged(&q);
	assert_false(r.to.edns || r.to.dnssec_ok);
	assert_int_equal(r.variant, 0);
	assert_int_equal(r.to.limit, 1232);
	admission.validates = true;
	r = judged(&q);
	assert_true(r.to.edns && r.to.dnssec_ok);
	admission.validates = false;
	q.dnssec_ok = false;
	assert_true(judged(&q).to.edns);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_default_this_machine_is_served_and_nobody_else),
		cmocka_unit_test(the_longest_netblock_counts),
		cmocka_unit_test(without_rd_only_those_who_may_snoop_get_the_cache),
		cmocka_unit_test(transfers_and_other_classes_are_refused),
		cmocka_unit_test(other_opcodes_are_not_implemented),
		cmocka_unit_test(kinds_of_questions_are_counted),
		cmocka_unit_test(a_newer_edns_gets_badvers),
		cmocka_unit_test(the_reply_may_be_as_large_as_client_and_configuration_allow),
		cmocka_unit_test(a_size_under_512_counts_when_it_is_not_hardened),
		cmocka_unit_test(a_large_question_is_dropped_only_when_it_is_hardened),
		cmocka_unit_test(allow_cookie_asks_for_one_over_udp),
		cmocka_unit_test(nsid_is_given_when_there_is_one_and_it_is_asked_for),
		cmocka_unit_test(a_client_that_asks_too_often_is_dropped_unless_it_has_a_cookie),
		cmocka_unit_test(with_disable_edns_do_a_client_with_do_gets_no_edns_unless_we_validate),
		cmocka_unit_test(the_variant_tells_do_and_cd_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
