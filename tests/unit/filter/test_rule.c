/* What text is which rule, what is none, and that a rule's form is read as the same rule. */
#include "filter/rule.h"

#include "tests/unit/filter/made.h"

/* The form of a rule, or the reason why it is none. */
static const char *form_of(const char *text)
{
	static char room[4][2000];
	static unsigned int turn;
	AUTO(arena_free) struct arena *a = arena_new(0);
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(1900);
	const char *reason = "";
	struct filter_rule rule;
	struct result r;

	assert_non_null(a);
	assert_non_null(out);
	turn = (turn + 1) % 4;
	r = filter_rule_read(span_text(text), a, &rule, &reason);
	if (OK(r)) {
		if (rule.badfilter)
			strbuf_puts(out, "badfilter ");
		filter_rule_print(&rule, out);
		assert_true(strbuf_ok(out));
		(void)snprintf(room[turn], sizeof room[turn], "%s", strbuf_text(out));
	} else {
		assert_int_equal(r.e, ERR_FORMAT);
		(void)snprintf(room[turn], sizeof room[turn], "%s", reason);
	}
	return room[turn];
}

static void names_are_told_from_patterns(void **state)
{
	static const char *const row[][2] = {
		{ "||example.org^", "||example.org^" },
		{ "||Example.ORG.^", "||example.org^" },
		{ "||example.org|", "||example.org^" },
		{ "||example.org^|", "||example.org^" },
		{ "||org^", "||org^" },
		{ "*.example.org", "||example.org^" },
		{ "*.org", "||org^" },
		{ "|example.org^", "|example.org^" },
		{ "|example.org|", "|example.org^" },
		{ "example.org", "|example.org^" },
		{ "example.org.", "|example.org^" },
		{ "_dmarc.1-2.xn--bcher-kva.example", "|_dmarc.1-2.xn--bcher-kva.example^" },
		{ "||*.example.org^", ".example.org^" },
		{ "*.example.org^", ".example.org^" },
		{ ".example.org|", ".example.org^" },
		{ "||example.org", "||example.org*" },
		{ "||example.", "||example.*" },
		{ "|example.org", "|example.org*" },
		{ "example.org^", "*example.org^" },
		{ ".example.org", "*.example.org*" },
		{ "banner", "*banner*" },
		{ "com.", "*com.*" },
		{ "*banner*", "*banner*" },
		{ "example.org*", "*example.org*" },
		{ "||ad*.example.org^", "||ad*.example.org^" },
		{ "||ad**s***t^", "||ad*s*t^" },
		{ "|*ads^", "*ads^" },
		{ "||ads.*", "||ads.*" },
		{ "||ads.*^", "||ads.*" },
		{ "||a*.^", "||a*" },
		{ "@@||example.org^", "@@||example.org^" },
		{ "@@example.org", "@@*example.org*" },
		{ "example.org$important", "*example.org*$important" },
		{ "example.org$badfilter", "badfilter |example.org^" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
		assert_string_equal(form_of(row[i][0]), row[i][1]);
}

static void modifiers_have_one_form(void **state)
{
	static const char *const row[][2] = {
		{ "||a.b^$important", "||a.b^$important" },
		{ "@@||a.b^$dnstype=a|Aaaa,important", "@@||a.b^$important,dnstype=A|AAAA" },
		{ "||a.b^$dnstype=~A|~TYPE65280", "||a.b^$dnstype=~A|~TYPE65280" },
		{ "||a.b^$dnstype=A|~CNAME", "||a.b^$dnstype=A" },
		{ "*$denyallow=net|Com.|b.com", "*$denyallow=com|b.com|net" },
		{ "$route=invalid", "*$route=invalid" },
		{ "*$route=as0|not-found|INVALID", "*$route=invalid|not-found|as0" },
		{ "*$route=~valid", "*$route=invalid|not-found|unknown|covered|uncovered|as0" },
		{ "*$route=invalid|unknown|~unknown", "*$route=invalid" },
		{ "*$asn=AS64500|64512-65534|~as64513-AS64514", "*$asn=64500|64512-65534|~64513-64514" },
		{ "*$asn=4294967295", "*$asn=4294967295" },
		{ "*$address=192.0.2.0/24|~192.0.2.1|2001:db8::/32", "*$address=192.0.2.0/24|~192.0.2.1/32|2001:db8::/32" },
		{ "||192.0.2.1^", "*$address=192.0.2.1/32" },
		{ "@@|2001:db8::1^$important", "@@*$important,address=2001:db8::1/128" },
		{ "*$badfilter,route=invalid", "badfilter *$route=invalid" },
		{ "||a.b^$asn=1,address=::/0,route=valid,dnstype=A,denyallow=c.a.b,important",
		    "||a.b^$important,denyallow=c.a.b,dnstype=A,route=valid,asn=1,address=::/0" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
		assert_string_equal(form_of(row[i][0]), row[i][1]);
}

static void a_form_reads_as_itself(void **state)
{
	static const char *const row[] = { "||a.b^", "|a.b^", ".a.b^", "||a.b*", "|a.b*", "*ab.c^", "*ab.c*", "*.ab.c*", "||a.*", "||a*b^", "@@*ab.c*", "*abc*$important", "|a.b^$important",
		"@@||a.b^$important,denyallow=c|d,dnstype=~A,route=valid,asn=1-2|~3,address=10.0.0.0/8|~::1/128", "*$route=invalid" };

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
		assert_string_equal(form_of(row[i]), row[i]);
}

static void what_is_no_rule_is_refused_with_its_reason(void **state)
{
	static const char *const row[][2] = {
		{ "@@", "a name is missing" },
		{ "||", "a name is missing" },
		{ "|", "a name is missing" },
		{ "||^", "a name is missing" },
		{ "^$route=invalid", "a name is missing" },
		{ "*", "it holds for each name: it needs a condition" },
		{ "@@*$important", "it holds for each name: it needs a condition" },
		{ "||*^", "it holds for each name: it needs a condition" },
		{ "$important", "it holds for each name: it needs a condition" },
		{ "*ad*", "too short: it holds for too many names" },
		{ "m^", "too short: it holds for too many names" },
		{ "*.*", "too short: it holds for too many names" },
		{ "/ads[0-9]+/", "regular expressions are not read: \"*\" is any run of octets, and \"||\" the start of a label" },
		{ "@@/ads/$important", "regular expressions are not read: \"*\" is any run of octets, and \"||\" the start of a label" },
		{ "||example.org/ads", "a URL, or something else that is no name" },
		{ "https://example.org", "a URL, or something else that is no name" },
		{ "||example.org:80^", "a URL, or something else that is no name" },
		{ "||example.org^path", "\"^\" and \"|\" are at the ends of a pattern only" },
		{ "a|b.example", "\"^\" and \"|\" are at the ends of a pattern only" },
		{ "a=b.example", "an octet that no name of a rule has" },
		{ "b\xc3\xbc" "cher.example", "not ASCII: names are written in their xn-- form" },
		{ "||a..example^", "a label without octets" },
		{ "||.example^", "a label without octets" },
		{ "||example..^", "a label without octets" },
		{ "|1234567890123456789012345678901234567890123456789012345678901234.example^", "a label over 63 octets" },
		{ "192.0.2.1", "an address: write ||ADDRESS^" },
		{ "||192.0.2.1", "an address: write ||ADDRESS^" },
		{ "||192.0.2.1^$address=192.0.2.2", "an address, and $address" },
		{ "||a.b^$third-party", "a modifier that is not known: the rule is dropped whole" },
		{ "||a.b^$important,popup,route=invalid", "a modifier that is not known: the rule is dropped whole" },
		{ "||a.b^$important=1", "a modifier that is not known: the rule is dropped whole" },
		{ "||a.b^$", "a modifier is missing" },
		{ "||a.b^$important,", "a modifier is missing" },
		{ "||a.b^$important,important", "a modifier is said twice" },
		{ "||a.b^$badfilter,badfilter", "a modifier is said twice" },
		{ "||a.b^$asn=1,asn=2", "a modifier is said twice" },
		{ "||a.b^$dnstype=A,dnstype=AAAA", "a modifier is said twice" },
		{ "||a.b^$route=valid,route=valid", "a modifier is said twice" },
		{ "||a.b^$address=::1,address=::1", "a modifier is said twice" },
		{ "||a.b^$denyallow=a,denyallow=b", "a modifier is said twice" },
		{ "*$denyallow=", "$denyallow wants names, \"|\" between them" },
		{ "*$denyallow=~a", "$denyallow wants names, \"|\" between them" },
		{ "*$denyallow=a||b", "$denyallow wants names, \"|\" between them" },
		{ "*$denyallow=*.a", "$denyallow wants names, \"|\" between them" },
		{ "*$denyallow=a..b", "$denyallow wants names, \"|\" between them" },
		{ "*$denyallow=.", "$denyallow wants names, \"|\" between them" },
		{ "*$dnstype", "$dnstype wants types of records, \"|\" between them" },
		{ "*$dnstype=A|", "$dnstype wants types of records, \"|\" between them" },
		{ "*$dnstype=~", "$dnstype wants types of records, \"|\" between them" },
		{ "*$dnstype=QQ", "$dnstype wants types of records, \"|\" between them" },
		{ "*$route=", "$route wants valid, invalid, not-found, unknown, covered, uncovered or as0, \"|\" between them, and some state must be left" },
		{ "*$route=bogus", "$route wants valid, invalid, not-found, unknown, covered, uncovered or as0, \"|\" between them, and some state must be left" },
		{ "*$route=valid|~valid", "$route wants valid, invalid, not-found, unknown, covered, uncovered or as0, \"|\" between them, and some state must be left" },
		{ "*$asn=0", "$asn wants AS numbers from 1 on or FIRST-LAST, \"|\" between them" },
		{ "*$asn=AS", "$asn wants AS numbers from 1 on or FIRST-LAST, \"|\" between them" },
		{ "*$asn=2-1", "$asn wants AS numbers from 1 on or FIRST-LAST, \"|\" between them" },
		{ "*$asn=4294967296", "$asn wants AS numbers from 1 on or FIRST-LAST, \"|\" between them" },
		{ "*$asn=1-", "$asn wants AS numbers from 1 on or FIRST-LAST, \"|\" between them" },
		{ "*$address=192.0.2.1/24", "$address wants addresses or prefixes without host bits, \"|\" between them" },
		{ "*$address=", "$address wants addresses or prefixes without host bits, \"|\" between them" },
		{ "*$address=0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000",
		    "$address wants addresses or prefixes without host bits, \"|\" between them" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
		if (strcmp(form_of(row[i][0]), row[i][1]) != 0)
			fail_msg("%s: %s", row[i][0], form_of(row[i][0]));
}

static void names_have_at_most_255_octets(void **state)
{
	char text[400] = "||";

	(void)state;
	for (unsigned int i = 0; i < 127; i++)
		strcat(text, "a.");
	strcat(text, "^");
	assert_int_equal(strlen(form_of(text)), 2 + 253 + 1); /* 127 labels */
	(void)memcpy(text + strlen(text) - 1, "b.c^", 5);
	assert_string_equal(form_of(text), "a name over 255 octets");
	for (unsigned int i = 0; i < 40; i++)
		(void)memcpy(text + 2 + (size_t)i * 4, "abc*", 5);
	strcat(text, "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghij.abcdefghijabcdefghijabcdefghijabcdefghijabcdefghij");
	assert_string_equal(form_of(text), "a name over 255 octets");
}

/* With the n-th allocation failing it says so, whatever n is, and a copy needs nothing of what it is a copy of. */
static void memory_may_run_out(void **state)
{
	static const char *const row[] = { "||example.org^", "||a*b^$denyallow=c|d,dnstype=A,route=valid,asn=1,address=10.0.0.0/8", "||192.0.2.1^" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		for (size_t limit = 1; limit < 3000; limit += 16) {
			AUTO(arena_free) struct arena *a = arena_new(0), *b = arena_new(limit);
			AUTO(strbuf_free) struct strbuf *one = strbuf_new(1000), *other = strbuf_new(1000);
			struct filter_rule rule, copy;
			const char *reason;
			struct result r;

			assert_true(OK(filter_rule_read(span_text(row[i]), a, &rule, &reason)));
			filter_rule_print(&rule, one);
			r = filter_rule_copy(&rule, b, &copy);
			if (OK(r)) {
				arena_reset(a);
				filter_rule_print(&copy, other);
				assert_string_equal(strbuf_text(one), strbuf_text(other));
			} else {
				assert_int_equal(r.e, ERR_NOMEM);
			}
			arena_reset(b);
			r = filter_rule_read(span_text(row[i]), b, &rule, &reason);
			assert_true(OK(r) || r.e == ERR_NOMEM);
			assert_true(OK(r) || limit < 1000);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_told_from_patterns),
		cmocka_unit_test(modifiers_have_one_form),
		cmocka_unit_test(a_form_reads_as_itself),
		cmocka_unit_test(what_is_no_rule_is_refused_with_its_reason),
		cmocka_unit_test(names_have_at_most_255_octets),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
