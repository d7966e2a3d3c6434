/* serve/upstream_match.c and upstream_query.c: the packet that asks, and what counts as its reply. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/rng.h"
#include "dns/rrtype.h"
#include "resolver/serve/upstream_match.h"
#include "resolver/serve/upstream_query.h"

static struct name_buf asked;

static struct match_expected expect(void)
{
	assert_int_equal(name_from_text("wWw.ExaMple.", NULL, &asked).e, ERR_NONE);
	return (struct match_expected){ name_of(&asked), RR_A, CLASS_IN, 0x1234 };
}

/* The reply to it, 12 + 13 + 4 octets. */
static size_t reply(uint8_t out[64])
{
	static const char text[] = "\x12\x34\x84\0\0\1\0\0\0\0\0\0\3wWw\7ExaMple\0\0\1\0\1";

	memcpy(out, text, sizeof text - 1);
	return sizeof text - 1;
}

static enum match match_with(size_t at, uint8_t value)
{
	struct match_expected e = expect();
	uint8_t p[64];
	size_t n = reply(p);
	uint16_t flags;

	p[at] = value;
	return match_reply(span_of(p, n), &e, &flags);
}

static void each_field_counts(void **state)
{
	(void)state;
	assert_int_equal(match_with(0, 0x12), MATCH_YES);
	assert_int_equal(match_with(0, 0x13), MATCH_ID);
	assert_int_equal(match_with(1, 0x35), MATCH_ID);
	assert_int_equal(match_with(2, 0x04), MATCH_NOT); /* QR */
	assert_int_equal(match_with(2, 0xac), MATCH_NOT); /* opcode */
	assert_int_equal(match_with(2, 0x86), MATCH_YES); /* TC is the caller's */
	assert_int_equal(match_with(5, 0), MATCH_NOT);    /* QDCOUNT */
	assert_int_equal(match_with(5, 2), MATCH_NOT);
	assert_int_equal(match_with(4, 1), MATCH_NOT);
	assert_int_equal(match_with(12, 2), MATCH_NOT);    /* name */
	assert_int_equal(match_with(13, 'v'), MATCH_NOT);
	assert_int_equal(match_with(13, 'W'), MATCH_CASE);
	assert_int_equal(match_with(24, 0xc0), MATCH_NOT); /* no pointer in a question */
	assert_int_equal(match_with(26, 28), MATCH_NOT);   /* type */
	assert_int_equal(match_with(28, 3), MATCH_NOT);    /* class */
}

static void every_cut_is_no_reply(void **state)
{
	struct match_expected e = expect();
	uint8_t p[64];
	size_t n = reply(p);
	uint16_t flags;

	(void)state;
	for (size_t i = 0; i < n; i++)
		assert_int_equal(match_reply(span_of(p, i), &e, &flags), MATCH_NOT);
	assert_int_equal(match_reply(span_of(p, n), &e, &flags), MATCH_YES);
	assert_int_equal(flags, MSG_QR | MSG_AA);
}

static void an_error_may_come_without_a_question(void **state)
{
	struct match_expected e = expect();
	uint8_t p[12] = { 0x12, 0x34, 0x80, RCODE_FORMERR };
	uint16_t flags;

	(void)state;
	assert_int_equal(match_reply(span_of(p, 12), &e, &flags), MATCH_NO_QUESTION);
	p[7] = 1; /* with an answer */
	assert_int_equal(match_reply(span_of(p, 12), &e, &flags), MATCH_NOT);
	p[7] = 0;
	p[3] = RCODE_NOERROR;
	assert_int_equal(match_reply(span_of(p, 12), &e, &flags), MATCH_NOT);
}

static enum cookie_match cookie(const char *octets, size_t n, struct span *ret_server)
{
	static const uint8_t ours[8] = "abcdefgh";
	struct edns e = { .present = true, .options = span_of(octets, n) };

	*ret_server = span_of(NULL, 0);
	return match_cookie(&e, ours, ret_server);
}

static void cookies_are_ours_or_wrong(void **state)
{
	struct span server;
	static const char longest[] = "\0\12\0\50abcdefgh01234567012345670123456701234567";
	static const char too_long[] = "\0\12\0\51abcdefgh012345670123456701234567012345678";

	(void)state;
	assert_int_equal(cookie("", 0, &server), COOKIE_NONE);
	assert_int_equal(cookie("\0\3\0\1x", 5, &server), COOKIE_NONE);
	assert_int_equal(cookie("\0\12\0\20abcdefgh12345678", 20, &server), COOKIE_OURS);
	assert_int_equal(server.n, 8);
	assert_memory_equal(server.p, "12345678", 8);
	assert_int_equal(cookie("\0\3\0\1x\0\12\0\10abcdefgh", 17, &server), COOKIE_OURS);
	assert_int_equal(server.n, 0);
	assert_int_equal(cookie("\0\12\0\20abcdefgH12345678", 20, &server), COOKIE_WRONG);
	assert_int_equal(cookie("\0\12\0\7abcdefg", 11, &server), COOKIE_WRONG);
	assert_int_equal(cookie("\0\12\0\17abcdefgh1234567", 19, &server), COOKIE_WRONG);
	assert_int_equal(cookie(longest, sizeof longest - 1, &server), COOKIE_OURS);
	assert_int_equal(server.n, 32);
	assert_int_equal(cookie(too_long, sizeof too_long - 1, &server), COOKIE_WRONG);
}

static void a_query_says_what_it_was_told(void **state)
{
	struct query_form f = {.id = 0xbeef,
		.recurse = true,
		.edns = true,
		.dnssec_ok = true,
		.keepalive = true,
		.edns_size = 1232,
		.cookie_len = 16};
	struct match_expected e = expect();
	uint8_t buf[QUERY_MOST];
	struct msg_query q;
	struct reader options;
	struct span data;
	uint16_t code;
	size_t n;

	(void)state;
	f.q = (struct question){ e.name, RR_AAAA, CLASS_IN };
	memcpy(f.cookie, "0123456789abcdef", 16);
	n = query_write(&f, buf, sizeof buf);
	assert_int_equal(msg_read_query(span_of(buf, n), 10, &q), MSG_GOOD);
	assert_int_equal(q.id, 0xbeef);
	assert_int_equal(q.flags, MSG_RD);
	assert_true(name_equal_case(q.q.name, e.name));
	assert_int_equal(q.q.type, RR_AAAA);
	assert_true(q.edns.dnssec_ok);
	options = reader_of(q.edns.options);
	assert_true(edns_next_option(&options, &code, &data));
	assert_int_equal(code, EDNS_COOKIE);
	assert_int_equal(data.n, 16);
	assert_true(edns_next_option(&options, &code, &data));
	assert_int_equal(code, EDNS_TCP_KEEPALIVE);
	assert_int_equal(data.n, 0);
	assert_false(edns_next_option(&options, &code, &data));
	assert_int_equal(query_write(&f, buf, 40), 0);
}

static void the_longest_name_fits(void **state)
{
	struct query_form f = { .edns = true, .keepalive = true, .edns_size = 1232, .cookie_len = QUERY_COOKIE_MOST };
	uint8_t wire[255], buf[QUERY_MOST];
	struct name name;

	(void)state;
	memset(wire, 'x', sizeof wire);
	for (size_t i = 0; i < 254; i += i == 192 ? 62 : 64)
		wire[i] = i == 192 ? 61 : 63;
	wire[254] = 0;
	assert_int_equal(name_from_wire(span_of(wire, sizeof wire), &name).e, ERR_NONE);
	assert_int_equal(name.len, 255);
	f.q = (struct question){ name, RR_A, CLASS_IN };
	assert_true(query_write(&f, buf, sizeof buf) > 0);
}

static void mixing_changes_nothing_but_letters(void **state)
{
	struct rng *r = rng_new_seeded(1);
	struct name_buf n, m;
	unsigned int changed = 0;

	(void)state;
	assert_int_equal(name_from_text("a-very.long9name.with_letters.\\200\\@[`{.example.", NULL, &n).e, ERR_NONE);
	for (int i = 0; i < 100; i++) {
		m = n;
		query_mix_case(&m, r);
		assert_true(name_equal(name_of(&m), name_of(&n)));
		for (unsigned int o = 0; o < n.len; o++)
			assert_true(m.b[o] == n.b[o] || (m.b[o] ^ n.b[o]) == 0x20);
		changed += memcmp(m.b, n.b, n.len) != 0;
	}
	assert_true(changed > 95);
	rng_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_field_counts),
		cmocka_unit_test(every_cut_is_no_reply),
		cmocka_unit_test(an_error_may_come_without_a_question),
		cmocka_unit_test(cookies_are_ours_or_wrong),
		cmocka_unit_test(a_query_says_what_it_was_told),
		cmocka_unit_test(the_longest_name_fits),
		cmocka_unit_test(mixing_changes_nothing_but_letters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
