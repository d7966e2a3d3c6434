#include "tests/unit/dns/dns_test.h"

#include "validator/anchors.h"
#include "validator/bindkeys.h"

#define DIGEST "E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D"
#define KEY "mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ=="

static void expect_text(const char *in, const char *out)
{
	AUTO(strbuf_free) struct strbuf *made = strbuf_new(65536);
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(4096);
	struct result r = bindkeys_text("t", span_text(in), made, report);

	assert_string_equal(strbuf_text(report), "");
	assert_ok(r);
	assert_string_equal(strbuf_text(made), out);
}

static void expect_report(const char *in, const char *message)
{
	AUTO(strbuf_free) struct strbuf *made = strbuf_new(65536);
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(4096);

	assert_int_equal(bindkeys_text("t", span_text(in), made, report).e, ERR_FORMAT);
	assert_string_equal(strbuf_text(report), message);
}

static void each_clause_that_names_keys_is_read(void **state)
{
	(void)state;
	expect_text("trusted-keys { \"example.\" 257 3 13 \"AB CD\n  EF\"; };", "\nexample. IN DNSKEY 257 3 13 ABCDEF\n");
	expect_text("managed-keys {\n. initial-key 257 3 8 \"AB\"; };", "\n. IN DNSKEY 257 3 8 AB\n");
	expect_text("trust-anchors { . static-ds 20326 8 2 \"E0\"; a. initial-ds 1 8 2 \"E1\"; b. static-key 257 3 8 \"AB\"; };",
	    "\n. IN DS 20326 8 2 E0\na. IN DS 1 8 2 E1\nb. IN DNSKEY 257 3 8 AB\n");
}

static void comments_and_other_clauses_are_passed_over(void **state)
{
	(void)state;
	expect_text("# one\n// two\n/* { three\n */ options { directory \"/x\"; listen-on { any; }; };\ntrusted-keys { a. 257 3 8 \"A//B\"; }; logging;",
	    "\na. IN DNSKEY 257 3 8 A//B\n");
	expect_text("", "\n");
}

static void what_is_wrong_is_said_with_its_line(void **state)
{
	(void)state;
	expect_report("\ntrusted-keys { a. 257 3 8; };", "t:2: found an entry that is cut off, expected three numbers and a key or digest\n");
	expect_report("trusted-keys { a. 257 3 8 \"AB\" };", "t:1: found something else, expected \";\" at the end of the entry\n");
	expect_report("trusted-keys a;", "t:1: found something else, expected \"{\"\n");
	expect_report("trusted-keys { a. 257 3 8 \"AB\"; }", "t:1: found something else, expected \";\" behind \"}\"\n");
	expect_report("trusted-keys { a. 257 3 8 \"AB\n", "t:2: found an entry that is cut off, expected three numbers and a key or digest\n");
	expect_report("options { a;", "t:1: found a clause that is cut off, expected \";\"\n");
	expect_report("};", "t:1: found something else, expected a clause\n");
	expect_report("/* no end", "t:1: found something else, expected a clause\n");
}

static void nothing_gets_out_of_its_record(void **state)
{
	(void)state;
	expect_report("trusted-keys { \"a.\nb. IN DS\" 257 3 8 \"AB\"; };", "t:2: found something else, expected the name of a zone, or \"}\"\n");
	expect_report("trusted-keys { \"$INCLUDE\" 257 3 8 \"AB\"; };", "t:1: found something else, expected the name of a zone, or \"}\"\n");
	expect_report("trusted-keys { a. 257 3 8 \"A;B\"; };", "t:1: found an entry that is cut off, expected three numbers and a key or digest\n");
}

static void the_text_is_one_of_anchors(void **state)
{
	AUTO(strbuf_free) struct strbuf *made = strbuf_new(65536);
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(4096);
	AUTO(anchors_free) struct anchors *a = anchors_new();

	(void)state;
	assert_ok(bindkeys_text("t", span_text("trust-anchors { . initial-ds 20326 8 2 \"" DIGEST "\"; x. static-key 257 3 13 \"" KEY "\"; };"), made, report));
	assert_ok(anchors_add_text(a, "t", strbuf_span(made), report));
	assert_ok(anchors_seal(a));
	assert_int_equal(anchors_zones(a), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_clause_that_names_keys_is_read),
		cmocka_unit_test(comments_and_other_clauses_are_passed_over),
		cmocka_unit_test(what_is_wrong_is_said_with_its_line),
		cmocka_unit_test(nothing_gets_out_of_its_record),
		cmocka_unit_test(the_text_is_one_of_anchors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
