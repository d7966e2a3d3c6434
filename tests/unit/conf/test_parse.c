#include "conf_test.h"

static void values_stand_on_any_line(void **state)
{
	AUTO(conf_free)
	struct conf *c = load_clean("server:port: 54 verbosity:\n# no\n 2 identity: 'it is'\r\nserver: do-ip6: \"no\"\n"
	                            "access-control: 10.1.2.3/8 # c\n\t allow\naccess-control: \"::1\"refuse");
	const struct conf_clause *s = conf_server(c);

	(void)state;
	assert_int_equal(conf_int(s, OPT_PORT), 54);
	assert_int_equal(conf_int(s, OPT_VERBOSITY), 2);
	assert_string_equal(conf_text(s, OPT_IDENTITY), "it is");
	assert_false(conf_bool(s, OPT_DO_IP6));
	assert_int_equal(conf_count(s, OPT_ACCESS_CONTROL), 2);
	assert_string_equal(conf_word(s, OPT_ACCESS_CONTROL, 0, 0), "10.0.0.0/8");
	assert_int_equal(conf_word_int(s, OPT_ACCESS_CONTROL, 0, 1), CONF_ACL_ALLOW);
	assert_string_equal(conf_word(s, OPT_ACCESS_CONTROL, 1, 1), "refuse");
	assert_string_equal(conf_where(s, OPT_ACCESS_CONTROL, 0), "t:5");
	assert_string_equal(conf_where(s, OPT_ACCESS_CONTROL, 1), "t:7");
}

static void every_mistake_is_reported(void **state)
{
	(void)state;
	assert_report("server:\n"
	              "port: 70000\n"
	              "acces-control: 10.0.0.0/8 allow\n"
	              "access-control: 10.0.0.0/8 alow\n"
	              "interface 1.2.3.4\n"
	              "cache-min-ttl:\n"
	              "cache-max-ttl: 100\n"
	              "identity: \"open\n"
	              "version: a b\n"
	              "stub-addr: 1.2.3.4\n"
	              "verbosity: 1 : 2\n"
	              "hide-version: maybe do-tcp: perhaps\n"
	              "private-address: \\\n"
	              "edns-buffer-size: 1232",
	    "t:2: error: port: found '70000', expected a port number from 0 to 65535\n"
	    "t:3: error: found the unknown option 'acces-control', expected perhaps access-control:\n"
	    "t:4: error: access-control: found 'alow', expected one of deny refuse allow allow_setrd allow_snoop allow_cookie "
	    "deny_non_local refuse_non_local\n"
	    "t:5: error: found 'interface' without a colon, expected one\n"
	    "t:6: error: cache-min-ttl: found no value, expected seconds from 0 to 4294967295\n"
	    "t:8: error: identity: found a quote that is not closed on its line, expected a text\n"
	    "t:9: error: version: found 'b' behind the value, expected an option or the end of the line\n"
	    "t:10: error: stub-addr: found in server:, expected in stub-zone:\n"
	    "t:11: error: verbosity: found ':' behind the value, expected an option or the end of the line\n"
	    "t:12: error: hide-version: found 'maybe', expected yes or no\n"
	    "t:12: error: do-tcp: found 'perhaps', expected yes or no\n"
	    "t:13: error: private-address: found a backslash at the end of the line, expected an address or a netblock "
	    "ADDRESS/LENGTH\n");
}

static void what_is_wrong_does_not_hide_what_follows(void **state)
{
	(void)state;
	assert_report("port: 1\nfoo bar\nserver: quux: 1 port: x\nblah:\nwait-limit-netblock: 1.2.3.4\n",
	    "t:1: error: port: found outside of a clause, expected in server:\n"
	    "t:2: error: found 'foo', expected an option or a clause, with a colon\n"
	    "t:3: error: found the unknown option 'quux', expected an option of server\n"
	    "t:3: error: port: found 'x', expected a port number from 0 to 65535\n"
	    "t:4: error: found the unknown option 'blah', expected an option of server\n"
	    "t:5: error: wait-limit-netblock: found only a part of the value, expected a number from -1 to 4294967295\n");
	assert_report("server: port: verbosity: 1\n", "t:1: error: port: found no value, expected a port number from 0 to 65535\n");
	assert_report("server: port:", "t:1: error: port: found no value, expected a port number from 0 to 65535\n");
	assert_report("sever:\n\tport: 1\n", "t:1: error: found the unknown option 'sever', expected perhaps server:\n"
					     "t:2: error: port: found outside of a clause, expected in server:\n");
}

static void a_scalar_given_again_gives_a_warning(void **state)
{
	(void)state;
	assert_report("server:\nport: 1\nport: 2", "t:3: warning: port: given again: the value of t:2 does not count any more\n");
	assert_report("server:\ninterface: 1.2.3.4\ninterface: 1.2.3.4", "");
	assert_report("stub-zone:\nname: a\nstub-zone:\nname: b", "");
}

static void what_is_not_used_is_said_once(void **state)
{
	(void)state;
	assert_report("server:\nresponse-ip: 192.0.2.0/24 deny\nresponse-ip: 198.51.100.0/24 deny\nrrset-cache-slabs: 4\naggressive-nsec: no\n",
	    "t:2: warning: response-ip: is not used yet: addresses in answers are not changed; use private-address: to remove them\n"
	    "t:4: warning: rrset-cache-slabs: has no effect here: the caches divide themselves by num-threads:\n");
	assert_report("rpz:\nname: a\nzonefile: b\nrpz:\nname: c\n",
	    "t:2: warning: rpz: is not used yet: no response policy zone is loaded; use local-zone: for single names\n");
	assert_report("server: module-config: 'iterator'", "");
	assert_report("server: module-config: 'respip validator iterator'",
	    "t:1: warning: module-config: respip is not used yet: questions are resolved by the validator and the iterator alone\n");
	assert_report("server: local-zone: a ipset", "t:1: warning: local-zone: type ipset has no effect here: no kernel address "
	                                             "sets are filled; take addresses from log-replies:\n");
	assert_report("python:\ndynlib:\nrpz:\nname: a\nrpz-log: no",
	    "t:4: warning: rpz: is not used yet: no response policy zone is loaded; use local-zone: for single names\n");
}

static void foreign_octets_give_messages(void **state)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(REPORT_MAX);
	AUTO(conf_free) struct conf *c = NULL;
	struct memory_file none[] = { { NULL, NULL } };
	struct conf_files files = { none, memory_read, memory_match };
	static const char text[] =
	    "server:\nidentity: \"a\0b\"\nversion: \"\x01\"\nnsid: \"ascii_\xe4\"\nlog-identity: \xc3\xa4\n\0\xff";
	struct conf_counts counts;

	(void)state;
	assert_err(conf_parse(span_of(text, sizeof(text) - 1), "t", &files, report, &counts, &c), ERR_FORMAT);
	assert_string_equal(strbuf_text(report),
	    "t:2: error: identity: found the octet 0x00 in 'a\\x00b', expected text\n"
	    "t:3: error: version: found the octet 0x01 in '\\x01', expected text\n"
	    "t:4: warning: nsid: found 'ascii_\\xe4', which is not UTF-8; it is taken as it is\n"
	    "t:6: error: found '\\x00\\xff', expected an option or a clause, with a colon\n");
}

static void words_have_a_limit(void **state)
{
	AUTO_CHARS char *text = mem_alloc(200000);
	size_t n;

	(void)state;
	n = (size_t)sprintf(text, "server:\nidentity: ");
	memset(text + n, 'x', PARSE_WORD_OCTETS);
	{
		AUTO(conf_free) struct conf *c = load_clean(text);

		assert_int_equal(strlen(conf_text(conf_server(c), OPT_IDENTITY)), PARSE_WORD_OCTETS);
	}
	memset(text + n, 'x', PARSE_WORD_OCTETS + 1);
	assert_report(text, "t:2: error: identity: found a word of 65536 octets, expected at most 65535\n");
	memset(text, '#', 199999);
	assert_report(text, "");
	memset(text, 'x', 199999);
	assert_report(text, "t:1: error: found 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...', expected an "
	                    "option or a clause, "
	                    "with a colon\n");
}

static void messages_have_a_limit(void **state)
{
	AUTO(strbuf_free) struct strbuf *text = strbuf_new(REPORT_MAX), *report = strbuf_new(REPORT_MAX * 4);
	AUTO(conf_free) struct conf *c = NULL;
	struct conf_counts counts;

	(void)state;
	strbuf_puts(text, "server:\n");
	for (int i = 0; i < 10010; i++)
		strbuf_puts(text, "port: x\n");
	assert_err(load_plain(strbuf_text(text), report, &counts, &c), ERR_FORMAT);
	assert_int_equal(counts.errors, 10010);
	assert_non_null(strstr(strbuf_text(report), "\n10 more messages are not shown\n"));
}

static struct memory_file disk[] = {
	{ "a.conf", "port: 1\n" },
	{ "d/1", "interface: 1.1.1.1\n" },
	{ "d/2", "interface: 2.2.2.2\n" },
	{ "self", "port: 3\ninclude: self\n" },
	{ "ring1", "include: 'ring2'" },
	{ "ring2", "include: \"ring1\"" },
	{ "top", "stub-zone:\nname: a\n" },
	{ "value", "4.4.4.4" },
	{ "half", "interface:" },
	{ "/sub/b.conf", "port: 5\n" },
	{ "bad", "\n\nport: x\n" },
	{ NULL, NULL },
};

static void assert_included(const char *text, const char *expected_report, const char *expected)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(REPORT_MAX), *out = strbuf_new(REPORT_MAX);
	AUTO(conf_free) struct conf *c = NULL;
	struct conf_counts counts;
	struct result r = load_with(disk, text, report, &counts, &c);

	assert_string_equal(strbuf_text(report), expected_report);
	if (!OK(r))
		return;
	assert_ok(conf_print(c, out));
	assert_string_equal(strbuf_text(out), expected);
}

static void files_are_included(void **state)
{
	(void)state;
	assert_included("server: include: a.conf do-tcp: no", "", "server:\n\tport: 1\n\tdo-tcp: no\n");
	assert_included("server:\ninclude:\n \"d/*\"\n", "", "server:\n\tinterface: 1.1.1.1\n\tinterface: 2.2.2.2\n");
	assert_included("server:\ninclude: x/*\nport: 9", "", "server:\n\tport: 9\n");
	assert_included("server: directory: /sub include: b.conf", "", "server:\n\tdirectory: /sub\n\tport: 5\n");
	assert_included("server: interface: include: value port: 2", "", "server:\n\tinterface: 4.4.4.4\n\tport: 2\n");
	assert_included("server: include: half 5.5.5.5", "", "server:\n\tinterface: 5.5.5.5\n");
	assert_included("server:\ninclude: top\nstub-addr: 1.2.3.4", "", "stub-zone:\n\tname: a\n\tstub-addr: 1.2.3.4\n");
}

static void include_toplevel_closes_the_clause(void **state)
{
	(void)state;
	assert_included("server: port: 1\ninclude-toplevel: top\nserver: do-ip6: no", "",
	    "server:\n\tport: 1\n\tdo-ip6: no\nstub-zone:\n\tname: a\n");
	assert_included(
	    "server:\ninclude-toplevel: a.conf", "a.conf:1: error: port: found outside of a clause, expected in server:\n", "");
	assert_included("include-toplevel: top\nstub-addr: 1.2.3.4",
	    "t:2: error: stub-addr: found outside of a clause, expected in stub-zone:\n", "");
}

static void mistakes_of_includes_are_reported_where_they_are(void **state)
{
	(void)state;
	assert_included("server:\ninclude: none", "t:2: error: include: found 'none', which cannot be read: no such file\n", "");
	assert_included("server:\ninclude: bad\nport: y", "bad:3: error: port: found 'x', expected a port number from 0 to 65535\n"
							 "t:3: error: port: found 'y', expected a port number from 0 to 65535\n",
	    "");
	assert_included(
	    "server: include: self", "self:2: error: include: found 'self', which is being read and so includes itself\n", "");
	assert_included(
	    "include: ring1", "ring2:1: error: include: found 'ring1', which is being read and so includes itself\n", "");
	assert_included("include:", "t:1: error: include: found the end of the file, expected the name of a file\n", "");
	assert_included("include: \"\"", "t:1: error: include: found '', expected the name of a file\n", "");
}

/* Each file includes the next one twice: without a limit that would be 2^63 files. */
static RESULT doubling_read(void *ctx, const char *path, size_t max, char **ret_text, size_t *ret_n)
{
	int n = (int)strtol(path, NULL, 10);
	AUTO_CHARS char *text = mem_printf("include: %d include: %d ", n + 1, n + 1);

	(void)ctx;
	(void)max;
	if (text == NULL)
		return FAIL(ERR_NOMEM);
	*ret_n = strlen(text);
	*ret_text = MOVE(text);
	return DONE;
}

static void includes_have_limits(void **state)
{
	struct conf_files files = { NULL, doubling_read, memory_match };
	AUTO(conf_free) struct conf *c = NULL;
	struct conf_counts counts;

	(void)state;
	assert_err(conf_parse(span_text("include: 0"), "t", &files, NULL, &counts, &c), ERR_FORMAT);
	assert_true(counts.errors >= 1 && counts.errors < 20000);
}

static const char torture[] =
    "server:\n\tinterface: 1.2.3.4\n\taccess-control: 10.0.0.1/8 allow\n\tlocal-zone: 'a.b' static\n"
    "\tport: 1\n\tport: 2\n\tdomain-insecure: x\n\tinclude: \"d/*\"\nstub-zone:\n\tname: a\n\tstub-addr: 1.2.3.4\n"
    "view:\n\tname: v\n\tlocal-data: 'a A 1.2.3.4'\n";

static bool load_torture(void)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(REPORT_MAX);
	AUTO(conf_free) struct conf *c = NULL;
	struct conf_counts counts;
	struct result r = FAIL(ERR_NOMEM);

	if (report != NULL)
		r = load_with(disk, torture, report, &counts, &c);
	assert_true(OK(r) || r.e == ERR_NOMEM);
	return OK(r);
}

static bool load_wrong(void)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(REPORT_MAX);
	AUTO(conf_free) struct conf *c = NULL;
	struct conf_counts counts;
	struct result r = FAIL(ERR_NOMEM);

	if (report != NULL)
		r = load_with(disk, "server: port: x interface:\nfoo: 1 include: self\nstub-zone:", report, &counts, &c);
	assert_true(r.e == ERR_FORMAT || r.e == ERR_NOMEM);
	return r.e == ERR_FORMAT;
}

static void memory_may_run_out_anywhere(void **state)
{
	(void)state;
	assert_true(for_each_failing_allocation(load_torture) > 20);
	assert_true(for_each_failing_allocation(load_wrong) > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_stand_on_any_line),
		cmocka_unit_test(every_mistake_is_reported),
		cmocka_unit_test(what_is_wrong_does_not_hide_what_follows),
		cmocka_unit_test(a_scalar_given_again_gives_a_warning),
		cmocka_unit_test(what_is_not_used_is_said_once),
		cmocka_unit_test(foreign_octets_give_messages),
		cmocka_unit_test(words_have_a_limit),
		cmocka_unit_test(messages_have_a_limit),
		cmocka_unit_test(files_are_included),
		cmocka_unit_test(include_toplevel_closes_the_clause),
		cmocka_unit_test(mistakes_of_includes_are_reported_where_they_are),
		cmocka_unit_test(includes_have_limits),
		cmocka_unit_test(memory_may_run_out_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
