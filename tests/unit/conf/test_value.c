#include "conf_test.h"

#include "conf/value.h"

static struct value_type type(const char *spec, int64_t min, int64_t max)
{
	struct value_type t;

	assert_true(value_type_parse(span_text(spec), &t));
	t.min = min;
	t.max = max;
	return t;
}

static bool reads(const char *spec, const char *word)
{
	struct value_type t = type(spec, 0, 65535);
	struct value v;

	return value_read(&t, word, &v);
}

static void assert_reads(const char *spec, const char *const *good, const char *const *bad)
{
	for (; *good != NULL; good++) {
		if (!reads(spec, *good))
			fail_msg("%s refuses %s", spec, *good);
	}
	for (; *bad != NULL; bad++) {
		if (reads(spec, *bad))
			fail_msg("%s takes %s", spec, *bad);
	}
}

#define LIST(...) ((const char *const[]){ __VA_ARGS__, NULL })

static int64_t number(const char *spec, int64_t min, int64_t max, const char *word)
{
	struct value_type t = type(spec, min, max);
	struct value v;

	return value_read(&t, word, &v) ? v.num : INT64_MIN;
}

static void numbers_have_bounds(void **state)
{
	(void)state;
	assert_int_equal(number("int", -1, 10, "-1"), -1);
	assert_int_equal(number("int", -1, 10, "10"), 10);
	assert_int_equal(number("int", -1, 10, "11"), INT64_MIN);
	assert_int_equal(number("int", -1, 10, "-2"), INT64_MIN);
	assert_int_equal(number("seconds", 0, UINT32_MAX, "4294967295"), UINT32_MAX);
	assert_reads("int", LIST("0", "007", "65535"), LIST("", "-", "+1", "1x", "1 ", " 1", "0x1", "99999999999999999999"));
	assert_reads("interval", LIST("", "0", "60"), LIST("x", "-1"));
	assert_reads("port", LIST("0", "53", "65535"), LIST("65536", "", "dns"));
}

static void sizes_have_units(void **state)
{
	const int64_t max = INT64_C(1) << 40;

	(void)state;
	assert_int_equal(number("size", 0, max, "4m"), 4 << 20);
	assert_int_equal(number("size", 0, max, "4Mb"), 4 << 20);
	assert_int_equal(number("size", 0, max, "4 m"), 4 << 20);
	assert_int_equal(number("size", 0, max, "3k"), 3 << 10);
	assert_int_equal(number("size", 0, max, "2G"), INT64_C(2) << 30);
	assert_int_equal(number("size", 0, max, "77"), 77);
	assert_int_equal(number("size", 0, max, "77B"), 77);
	assert_int_equal(number("size", 0, INT64_MAX, "9223372036854775807g"), INT64_MIN);
	assert_reads("size", LIST("0", "63k"), LIST("", "m", "4kk", "4t", "-4m", "65k", "4m4"));
}

static void booleans_are_yes_or_no(void **state)
{
	(void)state;
	assert_int_equal(number("bool", 0, 0, "yes"), 1);
	assert_int_equal(number("bool", 0, 0, "no"), 0);
	assert_reads("bool", LIST("yes"), LIST("", "Yes", "on", "true", "1", "no "));
}

static void ports_may_be_ranges(void **state)
{
	(void)state;
	assert_reads("ports", LIST("0", "53", "3200-3208", "1-1"), LIST("", "-", "9-8", "1-65536", "1-", "1-2-3", "a"));
	assert_reads("intlist", LIST("3 2 1 0 0", "-1", " 1  2 "), LIST("", " ", "a", "1,2", "1 -"));
}

static void netblocks_lose_their_host_bits(void **state)
{
	struct value_type t = type("netblock", 0, 0);
	struct prefix p;
	struct value v;

	(void)state;
	assert_reads("netblock", LIST("10.0.0.0/8", "10.0.0.1", "::1", "::ffff:127.0.0.1", "2001:db8::/64", "0.0.0.0/0", "::/0"),
	    LIST("", "10.0.0.0/33", "10/8", "::/129", "10.0.0.0/", "10.0.0.0/8x", "10.0.0.0/-1", "localhost"));
	assert_true(value_read(&t, "127.0.0.1/8", &v));
	assert_string_equal(v.normal, "127.0.0.0/8");
	assert_true(value_read(&t, "2001:db8::1/63", &v));
	assert_string_equal(v.normal, "2001:db8::/63");
	assert_true(value_read(&t, "127.0.0.0/8", &v));
	assert_string_equal(v.normal, "");
	assert_ok(value_prefix("192.168.255.255/17", &p));
	assert_int_equal(p.len, 17);
	assert_int_equal(load32(p.a.b), 0xc0a88000);
	assert_err(value_prefix("1.2.3.4/99", &p), ERR_RANGE);
	assert_err(value_prefix("1.2.3/8", &p), ERR_FORMAT);
}

static void servers_have_address_port_and_name(void **state)
{
	(void)state;
	assert_reads("server", LIST("1.2.3.4", "1.2.3.4@53", "::1@853#dns.example", "1.2.3.4#a", "fe80::1%eth99@53"),
	    LIST("", "@53", "1.2.3.4@", "1.2.3.4@65536", "1.2.3.4@53x", "ns.example", "1.2.3.4#", "1.2.3.4#a b"));
	assert_reads("host", LIST("ns.example.com.", "ns.example@53#x", "1.2.3.4", "a"), LIST("", "1.2.3", "ns..example", "a b"));
	assert_reads("listen", LIST("0.0.0.0", "::0@53", "eth0", "eth0@5003", "br-lan.2"),
	    LIST("", "1.2.3.400", "1.2.3", ":::", "eth0@x", "a/b", "name-that-is-too-long", "1.2.3.4#a"));
	assert_reads("control", LIST("/run/x.ctl", "127.0.0.1", "lo@8953"), LIST("", "/", "run/x", "1.2.3.4.5"));
}

static void endpoints_are_split(void **state)
{
	struct value_server s;
	struct endpoint e;
	char text[ENDPOINT_TEXT];

	(void)state;
	assert_ok(value_server_split("ns.example@54#auth.example", 53, &s));
	assert_memory_equal(s.host.p, "ns.example", s.host.n);
	assert_int_equal(s.port, 54);
	assert_string_equal(s.auth, "auth.example");
	assert_ok(value_server_split("::1", 53, &s));
	assert_int_equal(s.port, 53);
	assert_null(s.auth);
	assert_ok(value_endpoint("192.0.2.1@5300#x", 53, &e));
	assert_string_equal(endpoint_text(&e, text), "192.0.2.1@5300");
	assert_err(value_endpoint("eth0@53", 53, &e), ERR_FORMAT);
	assert_err(value_endpoint("/run/x", 53, &e), ERR_FORMAT);
	assert_err(value_endpoint("0123456789012345678901234567890123456789012345678901234567890123456789012345678901", 53, &e),
	    ERR_FORMAT);
}

static void names_follow_the_rfc(void **state)
{
	char label[66], name[300] = "";

	(void)state;
	assert_reads("name",
	    LIST(".", "a", "example.com", "example.com.", "_x._tcp.a", "a\\.b.c", "a\\000b.", "*.x", "\xc3\xa4.de"),
	    LIST("", "..", ".a", "a..b", "a b", "a\\", "a\\25", "a\\256.b", "a@b"));
	memset(label, 'a', sizeof(label));
	label[63] = '\0';
	assert_true(reads("name", label));
	label[63] = 'a';
	label[64] = '\0';
	assert_false(reads("name", label));
	for (int i = 0; i < 126; i++)
		strcat(name, "a.");
	strcat(name, "a"); /* 127 labels: 255 octets */
	assert_true(reads("name", name));
	strcat(name, "a");
	assert_false(reads("name", name));
}

static void the_other_types(void **state)
{
	(void)state;
	assert_reads("rr", LIST("a A 1.2.3.4", "\ta.  IN A 1.2.3.4", "x APL"), LIST("", "a", "a..b A 1.2.3.4", " "));
	assert_reads("ptr", LIST("1.2.3.4 a.b", "::1  3600 a", "1.2.3.4\ta"),
	    LIST("", "1.2.3.4", "a 1.2.3.4", "1.2.3.4 x y", "1.2.3.4 1 a b"));
	assert_reads(
	    "date", LIST("", "0", "-1", "20260101000000", "1700000000"), LIST("x", "-2", "2026010100000", "202601010000000"));
	assert_reads(
	    "modules", LIST("validator iterator", "iterator", "respip dns64 cachedb"), LIST("", "iterate", "validator,iterator"));
	assert_reads("text", LIST("", "anything at all"), (const char *const[]){ NULL });
	assert_int_equal(number("hex", 4, 4, "12aF"), 0);
	assert_int_equal(number("hex", 4, 4, ""), 0);
	assert_int_equal(number("hex", 4, 4, "12a"), INT64_MIN);
	assert_int_equal(number("hex", 4, 4, "12ag"), INT64_MIN);
}

static void enumerations_are_words(void **state)
{
	(void)state;
	assert_int_equal(number("enum:ACL", 0, 0, "allow_snoop"), CONF_ACL_ALLOW_SNOOP);
	assert_int_equal(number("enum:LOCAL", 0, 0, "refuse"), CONF_LOCAL_REFUSE);
	assert_int_equal(number("enum:ACL", 0, 0, "refuse"), CONF_ACL_REFUSE);
	assert_int_equal(number("enum:ACL", 0, 0, "redirect"), INT64_MIN);
	assert_int_equal(number("enum:LOCAL", 0, 0, ""), INT64_MIN);
}

static void unknown_types_are_refused(void **state)
{
	struct value_type t;

	(void)state;
	assert_false(value_type_parse(span_text("integer"), &t));
	assert_false(value_type_parse(span_text("enum:NONE"), &t));
	assert_false(value_type_parse(span_text("enum:"), &t));
	assert_false(value_type_parse(span_text(""), &t));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_have_bounds),
		cmocka_unit_test(sizes_have_units),
		cmocka_unit_test(booleans_are_yes_or_no),
		cmocka_unit_test(ports_may_be_ranges),
		cmocka_unit_test(netblocks_lose_their_host_bits),
		cmocka_unit_test(servers_have_address_port_and_name),
		cmocka_unit_test(endpoints_are_split),
		cmocka_unit_test(names_follow_the_rfc),
		cmocka_unit_test(the_other_types),
		cmocka_unit_test(enumerations_are_words),
		cmocka_unit_test(unknown_types_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
