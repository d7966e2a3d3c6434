/* The three files of RRDP (RFC 8182 section 3.5): what is taken, and each thing that is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "rpki/fetch/rrdp_read.h"

#define SESSION "b4772554-7369-4e0e-94f8-883d01bcabc8"
#define NS "xmlns=\"http://www.ripe.net/rpki/rrdp\""
#define HASH_A "a2ec91597c26d42fd03d2ca11a2dc8a12573182c7d89f103f1cff21bebbe1aff"
#define HEAD(kind, serial) "<" kind " version=\"1\" session_id=\"" SESSION "\" serial=\"" serial "\" " NS ">\n"
#define SNAPSHOT_REF "<snapshot uri=\"https://h/s.xml\" hash=\"" HASH_A "\"/>"
#define DELTA_REF(serial) "<delta serial=\"" serial "\" uri=\"https://h/d" serial ".xml\" hash=\"" HASH_A "\"/>"

struct told {
	struct strbuf *b;
	enum err answer;
};

static RESULT publish(void *ctx, struct span uri, const uint8_t *replaces, struct span octets)
{
	struct told *t = (struct told *)ctx;

	strbuf_printf(t->b, "+%.*s %s ", (int)uri.n, (const char *)uri.p, replaces == NULL ? "new" : replaces[0] == 0xa2 ? "a2" : "??");
	strbuf_add_span(t->b, octets);
	strbuf_putc(t->b, '\n');
	return t->answer == ERR_NONE ? DONE : FAIL(t->answer);
}

static RESULT withdraw(void *ctx, struct span uri, const uint8_t hash[RRDP_HASH])
{
	struct told *t = (struct told *)ctx;

	strbuf_printf(t->b, "-%.*s %02x\n", (int)uri.n, (const char *)uri.p, hash[0]);
	return t->answer == ERR_NONE ? DONE : FAIL(t->answer);
}

struct outcome {
	struct result r;
	char told[4096], why[1024];
	struct rrdp_counts counts;
	struct rrdp_notification *n;
};

static struct rrdp_limits limits;

static struct outcome read_by(enum rrdp_file kind, const char *text, size_t piece, enum err answer)
{
	AUTO(strbuf_free) struct strbuf *why = strbuf_new(1000);
	AUTO(strbuf_free) struct strbuf *told = strbuf_new(4000);
	struct told t = { told, answer };
	struct rrdp_expected expected = { SESSION, 7 };
	struct rrdp_sink sink = { .ctx = &t, .publish = publish, .withdraw = withdraw };
	AUTO(rrdp_reader_free) struct rrdp_reader *r = rrdp_reader_new(kind, &limits, &expected, &sink, why);
	struct outcome o = { .r = DONE };
	size_t n = strlen(text);

	assert_true(why != NULL && told != NULL && r != NULL);
	for (size_t at = 0; OK(o.r) && at < n; at += piece)
		o.r = rrdp_read(r, span_of(text + at, n - at < piece ? n - at : piece), false);
	if (OK(o.r))
		o.r = rrdp_read(r, span_of("", 0), true);
	o.counts = *rrdp_counts(r);
	(void)snprintf(o.told, sizeof o.told, "%s", strbuf_text(told));
	(void)snprintf(o.why, sizeof o.why, "%s", strbuf_text(why));
	if (kind == RRDP_NOTIFICATION && OK(o.r))
		o.n = rrdp_reader_take(r);
	return o;
}

static void refused(enum rrdp_file kind, const char *text, enum err e, const char *why)
{
	for (size_t piece = 1; piece < 10000; piece *= 9) {
		struct outcome o = read_by(kind, text, piece, ERR_NONE);

		if (o.r.e != e || strstr(o.why, why) == NULL)
			fail_msg("%s\nerror %d, \"%s\"", text, o.r.e, o.why);
	}
}

static void a_notification_is_read(void **state)
{
	static const char text[] = "<?xml version=\"1.0\" encoding=\"US-ASCII\"?><!-- x -->\n" HEAD("notification", "9") SNAPSHOT_REF
		"\n  " DELTA_REF("8") DELTA_REF("9") " " DELTA_REF("7") "</notification>\n";

	(void)state;
	for (size_t piece = 1; piece < sizeof text; piece += 13) {
		struct outcome o = read_by(RRDP_NOTIFICATION, text, piece, ERR_NONE);

		assert_true(OK(o.r));
		assert_non_null(o.n);
		assert_string_equal(o.n->session, SESSION);
		assert_int_equal(o.n->serial, 9);
		assert_string_equal(o.n->snapshot, "https://h/s.xml");
		assert_int_equal(o.n->snapshot_hash[31], 0xff);
		assert_int_equal(o.n->count, 3);
		assert_false(o.n->gaps);
		for (size_t i = 0; i < 3; i++)
			assert_int_equal(o.n->deltas[i].serial, 7 + i);
		assert_string_equal(o.n->deltas[0].uri, "https://h/d7.xml");
		rrdp_notification_free(o.n);
	}
}

static void a_prefix_may_name_the_namespace(void **state)
{
	struct outcome o = read_by(RRDP_NOTIFICATION,
		"<r:notification version=\"1\" session_id=\"B4772554-7369-4E0E-94F8-883D01BCABC8\" serial=\"18446744073709551615\" "
		"xmlns:r=\"http://www.ripe.net/rpki/rrdp\"><r:snapshot uri=\"https://h/s.xml\" hash=\"" HASH_A "\"/></r:notification>",
		1000, ERR_NONE);

	(void)state;
	assert_true(OK(o.r));
	assert_string_equal(o.n->session, SESSION);
	assert_true(o.n->serial == UINT64_MAX);
	rrdp_notification_free(o.n);
}

static void gaps_and_doubles_make_the_list_useless(void **state)
{
	static const char *const lists[] = { DELTA_REF("7") DELTA_REF("9"), DELTA_REF("8"), DELTA_REF("8") DELTA_REF("8") DELTA_REF("9"), DELTA_REF("10"),
		DELTA_REF("9") DELTA_REF("10") };
	char text[2048];

	(void)state;
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		struct outcome o;

		(void)snprintf(text, sizeof text, "%s%s%s</notification>", HEAD("notification", "9"), SNAPSHOT_REF, lists[i]);
		o = read_by(RRDP_NOTIFICATION, text, 1000, ERR_NONE);
		assert_true(OK(o.r));
		assert_true(o.n->gaps);
		rrdp_notification_free(o.n);
	}
	limits.list = 2;
	(void)snprintf(text, sizeof text, "%s%s%s</notification>", HEAD("notification", "9"), SNAPSHOT_REF, DELTA_REF("9") DELTA_REF("8") DELTA_REF("7"));
	{
		struct outcome o = read_by(RRDP_NOTIFICATION, text, 1000, ERR_NONE);

		limits = rrdp_limits_default();
		assert_true(OK(o.r) && o.n->gaps && o.n->count == 2);
		rrdp_notification_free(o.n);
	}
}

#define N(body) HEAD("notification", "9") body "</notification>"

static void bad_notifications(void **state)
{
	(void)state;
	refused(RRDP_NOTIFICATION, "", ERR_FORMAT, "no element");
	refused(RRDP_NOTIFICATION, "<notification", ERR_FORMAT, "unclosed");
	refused(RRDP_NOTIFICATION, N(""), ERR_FORMAT, "no <snapshot>");
	refused(RRDP_NOTIFICATION, N(SNAPSHOT_REF SNAPSHOT_REF), ERR_FORMAT, "second <snapshot>");
	refused(RRDP_NOTIFICATION, N(SNAPSHOT_REF "x"), ERR_FORMAT, "text where");
	refused(RRDP_NOTIFICATION, N(SNAPSHOT_REF "<publish/>"), ERR_FORMAT, "<publish> where");
	refused(RRDP_NOTIFICATION, N("<snapshot uri=\"https://h/s\" hash=\"" HASH_A "\"><x/></snapshot>"), ERR_FORMAT, "<x> where");
	refused(RRDP_NOTIFICATION, N("<snapshot uri=\"https://h/s\"/>"), ERR_FORMAT, "has no hash");
	refused(RRDP_NOTIFICATION, N("<snapshot hash=\"" HASH_A "\"/>"), ERR_FORMAT, "has no uri");
	refused(RRDP_NOTIFICATION, N("<snapshot uri=\"http://h/s\" hash=\"" HASH_A "\"/>"), ERR_FORMAT, "not an https");
	refused(RRDP_NOTIFICATION, N("<snapshot uri=\"https://h/../s\" hash=\"" HASH_A "\"/>"), ERR_FORMAT, "not an https");
	refused(RRDP_NOTIFICATION, N("<snapshot uri=\"https://h/s\" hash=\"" HASH_A "0\"/>"), ERR_FORMAT, "no SHA-256");
	refused(RRDP_NOTIFICATION, N("<snapshot uri=\"https://h/s\" hash=\"\"/>"), ERR_FORMAT, "no SHA-256");
	refused(RRDP_NOTIFICATION, N("<snapshot uri=\"https://h/s\" uri=\"https://h/s\" hash=\"" HASH_A "\"/>"), ERR_FORMAT, "duplicate attribute");
	refused(RRDP_NOTIFICATION, N("<snapshot uri=\"https://h/s\" hash=\"" HASH_A "\" x=\"\"/>"), ERR_FORMAT, "not known: x");
	refused(RRDP_NOTIFICATION, N(SNAPSHOT_REF DELTA_REF("0")), ERR_FORMAT, "serial is 0");
	refused(RRDP_NOTIFICATION, N(SNAPSHOT_REF DELTA_REF("-1")), ERR_FORMAT, "no number");
	refused(RRDP_NOTIFICATION, N(SNAPSHOT_REF DELTA_REF("")), ERR_FORMAT, "no number");
	refused(RRDP_NOTIFICATION, N(SNAPSHOT_REF DELTA_REF("1x")), ERR_FORMAT, "no number");
	refused(RRDP_NOTIFICATION, N(SNAPSHOT_REF DELTA_REF("18446744073709551616")), ERR_LIMIT, "64 bits");
	refused(RRDP_NOTIFICATION, N(SNAPSHOT_REF) "<x/>", ERR_FORMAT, "junk after");
	refused(RRDP_NOTIFICATION, HEAD("snapshot", "9") "</snapshot>", ERR_FORMAT, "another document");
	refused(RRDP_NOTIFICATION, "<notification version=\"2\" session_id=\"" SESSION "\" serial=\"1\" " NS "/>", ERR_FORMAT, "another version");
	refused(RRDP_NOTIFICATION, "<notification version=\"1\" session_id=\"x\" serial=\"1\" " NS "/>", ERR_FORMAT, "no UUID");
	refused(RRDP_NOTIFICATION, "<notification version=\"1\" session_id=\"b4772554-7369-4e0e-94f8-883d01bcabcg\" serial=\"1\" " NS "/>", ERR_FORMAT, "no UUID");
	refused(RRDP_NOTIFICATION, "<notification version=\"1\" session_id=\"" SESSION "\" serial=\"1\" xmlns=\"http://x/\"/>", ERR_FORMAT, "another namespace");
	refused(RRDP_NOTIFICATION, "<notification version=\"1\" session_id=\"" SESSION "\" serial=\"1\"/>", ERR_FORMAT, "has no xmlns");
	refused(RRDP_NOTIFICATION, "<a:notification version=\"1\" session_id=\"" SESSION "\" serial=\"1\" " NS "/>", ERR_FORMAT, "not known: xmlns");
	refused(RRDP_NOTIFICATION, N("<q:snapshot uri=\"https://h/s\" hash=\"" HASH_A "\"/>"), ERR_FORMAT, "<q:snapshot> where");
	refused(RRDP_NOTIFICATION, N("<snapshot uri=\"https://h/\xc3\xa4\" hash=\"" HASH_A "\"/>"), ERR_FORMAT, "not well-formed");
}

static void a_document_type_is_refused(void **state)
{
	(void)state;
	refused(RRDP_NOTIFICATION, "<!DOCTYPE x [<!ENTITY a \"b\">]>" N(SNAPSHOT_REF), ERR_FORMAT, "document type");
	refused(RRDP_NOTIFICATION, "<!DOCTYPE x SYSTEM \"file:///etc/passwd\">" N(SNAPSHOT_REF), ERR_FORMAT, "document type");
	refused(RRDP_NOTIFICATION, "<!DOCTYPE x>" N(SNAPSHOT_REF), ERR_FORMAT, "document type");
}

static void files_and_tokens_have_limits(void **state)
{
	char *text = (char *)malloc(300000);

	(void)state;
	assert_non_null(text);
	limits.notification_octets = 100;
	refused(RRDP_NOTIFICATION, N(SNAPSHOT_REF), ERR_LIMIT, "more than 100 octets");
	limits = rrdp_limits_default();
	memset(text, 'x', 299999);
	text[299999] = '\0';
	memcpy(text, "<!--", 4);
	refused(RRDP_NOTIFICATION, text, ERR_LIMIT, "tag or comment of more than 65536");
	memcpy(text, "<a b='", 6);
	refused(RRDP_NOTIFICATION, text, ERR_LIMIT, "tag or comment of more than 65536");
	free(text);
}

#define P(uri, text) "<publish uri=\"rsync://a/m/" uri "\">" text "</publish>"
#define PH(uri, text) "<publish hash=\"" HASH_A "\" uri=\"rsync://a/m/" uri "\">" text "</publish>"
#define W(uri) "<withdraw uri=\"rsync://a/m/" uri "\" hash=\"" HASH_A "\"/>"
#define S(body) HEAD("snapshot", "7") body "</snapshot>"
#define D(body) HEAD("delta", "7") body "</delta>"

static void a_snapshot_is_told_in_order(void **state)
{
	static const char text[] = S(P("x", "TWFu") "\n" P("y", " TW\nE= ") P("z", "") "<!-- c -->" P("w", "TW<!-- in it -->Fu"));

	(void)state;
	for (size_t piece = 1; piece < sizeof text; piece += 7) {
		struct outcome o = read_by(RRDP_SNAPSHOT, text, piece, ERR_NONE);

		assert_true(OK(o.r));
		assert_string_equal(o.told, "+rsync://a/m/x new Man\n+rsync://a/m/y new Ma\n+rsync://a/m/z new \n+rsync://a/m/w new Man\n");
		assert_int_equal(o.counts.published, 4);
	}
}

static void a_delta_is_told_in_order(void **state)
{
	static const char text[] = D(P("x", "TWFu") W("y") PH("z", "TWE="));

	(void)state;
	for (size_t piece = 1; piece < sizeof text; piece += 7) {
		struct outcome o = read_by(RRDP_DELTA, text, piece, ERR_NONE);

		assert_true(OK(o.r));
		assert_string_equal(o.told, "+rsync://a/m/x new Man\n-rsync://a/m/y a2\n+rsync://a/m/z a2 Ma\n");
		assert_int_equal(o.counts.published, 2);
		assert_int_equal(o.counts.withdrawn, 1);
	}
}

static void bad_snapshots_and_deltas(void **state)
{
	(void)state;
	refused(RRDP_SNAPSHOT, S(PH("x", "TWFu")), ERR_FORMAT, "not known: hash");
	refused(RRDP_SNAPSHOT, S(W("x")), ERR_FORMAT, "<withdraw> where");
	refused(RRDP_SNAPSHOT, S(P("x", "TW")), ERR_FORMAT, "no base64");
	refused(RRDP_SNAPSHOT, S(P("x", "T!Fu")), ERR_FORMAT, "no base64");
	refused(RRDP_SNAPSHOT, S(P("../x", "TWFu")), ERR_FORMAT, "not an rsync");
	refused(RRDP_SNAPSHOT, S("<publish uri=\"https://a/m/x\"/>"), ERR_FORMAT, "not an rsync");
	refused(RRDP_SNAPSHOT, S("<publish/>"), ERR_FORMAT, "has no uri");
	refused(RRDP_SNAPSHOT, S(P("x", "<publish/>")), ERR_FORMAT, "<publish> where");
	refused(RRDP_SNAPSHOT, S("TWFu"), ERR_FORMAT, "text where");
	refused(RRDP_SNAPSHOT, HEAD("snapshot", "8") "</snapshot>", ERR_REFUSED, "of serial 8, announced was 7");
	refused(RRDP_SNAPSHOT, "<snapshot version=\"1\" session_id=\"00000000-0000-0000-0000-000000000000\" serial=\"7\" " NS "/>", ERR_REFUSED, "of session 0");
	refused(RRDP_DELTA, S(""), ERR_FORMAT, "another document");
	refused(RRDP_DELTA, D("<withdraw uri=\"rsync://a/m/x\"/>"), ERR_FORMAT, "has no hash");
	refused(RRDP_DELTA, D("<withdraw uri=\"rsync://a/m/x\" hash=\"" HASH_A "\">TWFu</withdraw>"), ERR_FORMAT, "text where");
	refused(RRDP_DELTA, "<!DOCTYPE x>" D(""), ERR_FORMAT, "document type");
	refused(RRDP_SNAPSHOT, S(P("x", "&lol;")), ERR_FORMAT, "undefined entity");
	limits.elements = 2;
	refused(RRDP_DELTA, D(P("x", "") W("y") W("z")), ERR_LIMIT, "more than 2 elements");
	limits = rrdp_limits_default();
}

static void what_the_sink_refuses_ends_it(void **state)
{
	struct outcome o = read_by(RRDP_DELTA, D(W("x") W("y")), 1000, ERR_NOTFOUND);

	(void)state;
	assert_int_equal(o.r.e, ERR_NOTFOUND);
	assert_string_equal(o.told, "-rsync://a/m/x a2\n");
	assert_non_null(strstr(o.why, "rsync://a/m/x"));
}

static void an_object_that_is_too_large_is_left_out(void **state)
{
	struct outcome o;

	(void)state;
	limits.object_octets = 3;
	refused(RRDP_SNAPSHOT, S(P("y", "TWFuTWFuTWFu!")), ERR_FORMAT, "no base64");
	refused(RRDP_SNAPSHOT, S(P("y", "TWFuTWFuTWFuT")), ERR_FORMAT, "no base64");
	o = read_by(RRDP_SNAPSHOT, S(P("x", "TWFu") P("y", "TWFuTWFuTWFu") P("z", "TWE=")), 5, ERR_NONE);
	limits = rrdp_limits_default();
	assert_true(OK(o.r));
	assert_string_equal(o.told, "+rsync://a/m/x new Man\n+rsync://a/m/z new Ma\n");
	assert_int_equal(o.counts.published, 2);
	assert_int_equal(o.counts.too_large, 1);
}

static int start(void **state)
{
	(void)state;
	limits = rrdp_limits_default();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_notification_is_read),
		cmocka_unit_test(a_prefix_may_name_the_namespace),
		cmocka_unit_test(gaps_and_doubles_make_the_list_useless),
		cmocka_unit_test(bad_notifications),
		cmocka_unit_test(a_document_type_is_refused),
		cmocka_unit_test(files_and_tokens_have_limits),
		cmocka_unit_test(a_snapshot_is_told_in_order),
		cmocka_unit_test(a_delta_is_told_in_order),
		cmocka_unit_test(bad_snapshots_and_deltas),
		cmocka_unit_test(what_the_sink_refuses_ends_it),
		cmocka_unit_test(an_object_that_is_too_large_is_left_out),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
