#include "conf_test.h"

#include "conf/print.h"

/* What is printed reads back to the same, and prints the same again. */
static void assert_returns(const char *text)
{
	AUTO(strbuf_free) struct strbuf *first = strbuf_new(REPORT_MAX), *second = strbuf_new(REPORT_MAX);
	AUTO(conf_free) struct conf *a = NULL, *b = NULL;
	struct conf_counts counts;

	assert_ok(load_plain(text, NULL, &counts, &a));
	assert_ok(conf_print(a, first));
	assert_ok(load_plain(strbuf_text(first), NULL, &counts, &b));
	assert_true(conf_equal(a, b));
	assert_ok(conf_print(b, second));
	assert_string_equal(strbuf_text(first), strbuf_text(second));
}

static void what_is_printed_reads_back(void **state)
{
	(void)state;
	assert_returns("");
	assert_returns("server: port: 1");
	assert_returns("server: port: 1 port: 2 identity: \"\" version: 'a b' nsid: \"ascii_it's\" http-user-agent: '\"'");
	assert_returns(
	    "server: local-data: 'a.b. TXT \"x y\" \"z\"' local-data: \"a TXT \\\"esc\\\" 'q'\" identity: a\\ b\\\"c\\'");
	assert_returns(
	    "server: outgoing-port-avoid: 1-9 outgoing-port-permit: 7 outgoing-port-avoid: 3\nserver: interface: ::0@53");
	assert_returns("stub-zone: name: . stub-zone: name: a stub-addr: 1.2.3.4@53#x server: do-ip6: no forward-zone: name: b");
	assert_returns("server: access-control-tag: 1.2.3.0/24 \"a b\" access-control: 10.1.1.1/8 allow define-tag: 'a b'");
	assert_returns("remote-control: control-enable: yes control-interface: /run/x");
	assert_returns("server: log-identity: #c\n '#no' identity: a#b");
}

static void plain_words_have_no_quotes(void **state)
{
	AUTO(conf_free) struct conf *c = load_clean("server: identity: 'a b' local-zone: \"x.\" 'static' version: ''");
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(REPORT_MAX);

	(void)state;
	assert_ok(conf_print(c, out));
	assert_string_equal(strbuf_text(out), "server:\n\tidentity: \"a b\"\n\tlocal-zone: x. static\n\tversion: \"\"\n");
}

static void a_quote_is_found_for_what_can_be_quoted(void **state)
{
	(void)state;
	assert_int_equal(conf_quote_of(""), '"');
	assert_int_equal(conf_quote_of("it's"), '"');
	assert_int_equal(conf_quote_of("say \"x\""), '\'');
	assert_int_equal(conf_quote_of("both \\\" and '"), '"');
	assert_int_equal(conf_quote_of("both \" and '"), '\0');
	assert_int_equal(conf_quote_of("end\\"), '\0');
	assert_int_equal(conf_quote_of("end\\\\"), '"');
	assert_int_equal(conf_quote_of("two\nlines"), '\0');
}

static void assert_option(const struct conf *c, const char *name, const char *expected)
{
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(REPORT_MAX);

	assert_ok(conf_print_option(c, name, out));
	assert_string_equal(strbuf_text(out), expected);
}

static void one_option_is_printed_by_its_values(void **state)
{
	AUTO(conf_free)
	struct conf *c = load_clean("server: port: 54 local-zone: a static local-zone: b. 'refuse' identity: 'a b'\n"
	                            "remote-control: control-enable: yes");
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(REPORT_MAX);

	(void)state;
	assert_option(c, "port", "54\n");
	assert_option(c, "verbosity", "1\n");
	assert_option(c, "identity", "a b\n");
	assert_option(c, "version", "\n");
	assert_option(c, "local-zone", "a static\nb. refuse\n");
	assert_option(c, "interface", "127.0.0.1\n::1\n");
	assert_option(c, "access-control", "");
	assert_option(c, "control-enable", "yes\n");
	assert_err(conf_print_option(c, "stub-addr", out), ERR_NOTFOUND);
	assert_err(conf_print_option(c, "nothing", out), ERR_NOTFOUND);
}

static void a_full_buffer_is_an_error(void **state)
{
	AUTO(conf_free) struct conf *c = load_clean("server: port: 54");
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(8);

	(void)state;
	assert_err(conf_print(c, out), ERR_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_printed_reads_back),
		cmocka_unit_test(plain_words_have_no_quotes),
		cmocka_unit_test(a_quote_is_found_for_what_can_be_quoted),
		cmocka_unit_test(one_option_is_printed_by_its_values),
		cmocka_unit_test(a_full_buffer_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
