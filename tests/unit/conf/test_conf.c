#include "conf_test.h"

#include "base/addr.h"
#include "conf/schema.h"
#include "conf/store.h"

static void an_empty_configuration_has_unbounds_defaults(void **state)
{
	AUTO(conf_free) struct conf *c = load_clean("");
	const struct conf_clause *s = conf_server(c);

	(void)state;
	assert_int_equal(conf_int(s, OPT_PORT), 53);
	assert_int_equal(conf_count(s, OPT_INTERFACE), 2);
	assert_string_equal(conf_item(s, OPT_INTERFACE, 0), "127.0.0.1");
	assert_string_equal(conf_item(s, OPT_INTERFACE, 1), "::1");
	assert_false(conf_given(s, OPT_INTERFACE));
	assert_string_equal(conf_where(s, OPT_INTERFACE, 0), "default");
	assert_true(conf_bool(s, OPT_USE_CAPS_FOR_ID));
	assert_true(conf_bool(s, OPT_EDE));
	assert_true(conf_bool(s, OPT_ANSWER_COOKIE));
	assert_int_equal(conf_int(s, OPT_EDNS_BUFFER_SIZE), 1232);
	assert_int_equal(conf_int(s, OPT_MAX_UDP_SIZE), 1232);
	assert_int_equal(conf_int(s, OPT_MSG_CACHE_SIZE), 4 << 20);
	assert_int_equal(conf_int(s, OPT_ROOT_ANCHORS), CONF_ANCHORS_BUILTIN);
	assert_string_equal(conf_text(s, OPT_TARGET_FETCH_POLICY), "3 2 1 0 0");
	assert_string_equal(conf_text(s, OPT_PIDFILE), "");
	assert_int_equal(conf_count(s, OPT_ACCESS_CONTROL), 0);
	assert_int_equal(conf_count(s, OPT_HOSTS_FILE), 0);
	assert_null(conf_item(s, OPT_ACCESS_CONTROL, 0));
	assert_false(conf_bool(conf_single(c, CLAUSE_REMOTE_CONTROL), OPT_REMOTE_CONTROL_CONTROL_ENABLE));
	assert_int_equal(conf_clause_count(c, CLAUSE_STUB_ZONE), 0);
	assert_int_equal(conf_clause_count(c, CLAUSE_REMOTE_CONTROL), 0);
}

static void a_list_that_is_given_replaces_its_default(void **state)
{
	AUTO(conf_free) struct conf *c = load_clean("server: interface: 192.0.2.1@5300\ninterface: eth0");
	const struct conf_clause *s = conf_server(c);
	char text[ENDPOINT_TEXT];
	struct endpoint e;

	(void)state;
	assert_int_equal(conf_count(s, OPT_INTERFACE), 2);
	assert_true(conf_given(s, OPT_INTERFACE));
	assert_ok(conf_word_endpoint(s, OPT_INTERFACE, 0, 0, 53, &e));
	assert_string_equal(endpoint_text(&e, text), "192.0.2.1@5300");
	assert_err(conf_word_endpoint(s, OPT_INTERFACE, 1, 0, 53, &e), ERR_FORMAT);
	assert_err(conf_word_endpoint(s, OPT_INTERFACE, 2, 0, 53, &e), ERR_NOTFOUND);
	assert_string_equal(conf_where(s, OPT_INTERFACE, 1), "t:2");
}

static void words_are_values(void **state)
{
	AUTO(conf_free) struct conf *c = load_clean("server:\nwait-limit-netblock: 10.0.0.0/8 -1\nlocal-zone: 'ab.c' static\n"
						    "local-zone: x.y. always_null");
	const struct conf_clause *s = conf_server(c);
	struct prefix p;

	(void)state;
	assert_ok(conf_word_prefix(s, OPT_WAIT_LIMIT_NETBLOCK, 0, 0, &p));
	assert_int_equal(p.len, 8);
	assert_int_equal(conf_word_int(s, OPT_WAIT_LIMIT_NETBLOCK, 0, 1), -1);
	assert_err(conf_word_prefix(s, OPT_WAIT_LIMIT_NETBLOCK, 1, 0, &p), ERR_NOTFOUND);
	assert_int_equal(conf_word_int(s, OPT_LOCAL_ZONE, 1, 1), CONF_LOCAL_ALWAYS_NULL);
	assert_string_equal(conf_word(s, OPT_LOCAL_ZONE, 1, 0), "x.y.");
	assert_null(conf_word(s, OPT_LOCAL_ZONE, 1, 2));
	assert_int_equal(conf_word_int(s, OPT_LOCAL_ZONE, 9, 1), 0);
}

static void the_order_across_lists_is_kept(void **state)
{
	AUTO(conf_free)
	struct conf *c = load_clean("server:\noutgoing-port-avoid: 0-65535\noutgoing-port-permit: 7\noutgoing-port-avoid: 6");
	const struct conf_clause *s = conf_server(c);

	(void)state;
	assert_true(conf_order(s, OPT_OUTGOING_PORT_AVOID, 0) < conf_order(s, OPT_OUTGOING_PORT_PERMIT, 0));
	assert_true(conf_order(s, OPT_OUTGOING_PORT_PERMIT, 0) < conf_order(s, OPT_OUTGOING_PORT_AVOID, 1));
	assert_true(conf_order(s, OPT_OUTGOING_PORT_AVOID, 2) == SIZE_MAX);
}

static void clauses_stand_in_file_order(void **state)
{
	AUTO(conf_free)
	struct conf *c = load_clean("stub-zone:\nname: a\nstub-addr: 1.1.1.1\nserver: port: 1\nstub-zone:\nname: b\n"
	                            "stub-prime: yes\nserver: do-ip6: no\nforward-zone: name: .");

	(void)state;
	assert_int_equal(conf_clause_count(c, CLAUSE_STUB_ZONE), 2);
	assert_int_equal(conf_clause_count(c, CLAUSE_FORWARD_ZONE), 1);
	assert_string_equal(conf_text(conf_clause(c, CLAUSE_STUB_ZONE, 0), OPT_STUB_ZONE_NAME), "a");
	assert_false(conf_bool(conf_clause(c, CLAUSE_STUB_ZONE, 0), OPT_STUB_ZONE_STUB_PRIME));
	assert_true(conf_bool(conf_clause(c, CLAUSE_STUB_ZONE, 1), OPT_STUB_ZONE_STUB_PRIME));
	assert_int_equal(conf_count(conf_clause(c, CLAUSE_STUB_ZONE, 1), OPT_STUB_ZONE_STUB_ADDR), 0);
	assert_int_equal(conf_int(conf_server(c), OPT_PORT), 1);
	assert_false(conf_bool(conf_server(c), OPT_DO_IP6));
}

static void equality_is_about_what_was_said(void **state)
{
	AUTO(conf_free) struct conf *a = load_clean("server: port: 1\nlocal-zone: a static");
	AUTO(conf_free) struct conf *b = load_clean("server:\n\n\tport: \"1\"\nserver: local-zone: 'a' static");
	AUTO(conf_free) struct conf *other = load_clean("server: port: 1\nlocal-zone: a refuse");
	AUTO(conf_free) struct conf *more = load_clean("server: port: 1\nlocal-zone: a static\nstub-zone: name: x");
	AUTO(conf_free) struct conf *less = load_clean("server: port: 1");

	(void)state;
	assert_true(conf_equal(a, b));
	assert_false(conf_equal(a, other));
	assert_false(conf_equal(a, more));
	assert_false(conf_equal(a, less));
	assert_false(conf_equal(less, a));
}

static void an_option_can_be_set_in_a_copy(void **state)
{
	AUTO(conf_free) struct conf *a = load_clean("server: port: 1\nlocal-zone: a static\nlocal-data: 'a A 1.2.3.4'");
	AUTO(conf_free) struct conf *b = NULL, *d = NULL, *e = NULL;

	(void)state;
	assert_ok(conf_with_option(a, "port", "2", NULL, &b));
	assert_int_equal(conf_int(conf_server(a), OPT_PORT), 1);
	assert_int_equal(conf_int(conf_server(b), OPT_PORT), 2);
	assert_string_equal(conf_where(conf_server(b), OPT_PORT, 0), "set_option");
	assert_ok(conf_with_option(b, "local-zone:", "b.c redirect", NULL, &d));
	assert_int_equal(conf_count(conf_server(d), OPT_LOCAL_ZONE), 2);
	assert_string_equal(conf_word(conf_server(d), OPT_LOCAL_ZONE, 1, 1), "redirect");
	assert_ok(conf_with_option(d, "local-data", "b.c. TXT \"some words\"", NULL, &e));
	assert_string_equal(conf_item(conf_server(e), OPT_LOCAL_DATA, 1), "b.c. TXT \"some words\"");
	conf_free(MOVE(a));
	assert_string_equal(conf_item(conf_server(e), OPT_LOCAL_DATA, 0), "a A 1.2.3.4");
}

static void a_wrong_value_is_not_set(void **state)
{
	AUTO(conf_free) struct conf *a = load_clean("");
	AUTO(conf_free) struct conf *b = NULL;
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(REPORT_MAX);

	(void)state;
	assert_err(conf_with_option(a, "port", "70000", report, &b), ERR_FORMAT);
	assert_string_equal(
	    strbuf_text(report), "set_option: error: port: found '70000', expected a port number from 0 to 65535\n");
	assert_err(conf_with_option(a, "prot", "7", report, &b), ERR_NOTFOUND);
	assert_err(conf_with_option(a, "stub-addr", "1.2.3.4", report, &b), ERR_NOTFOUND);
	assert_err(conf_with_option(a, "local-zone", "a", report, &b), ERR_FORMAT);
	assert_err(conf_with_option(a, "local-zone", "a static port: 1", report, &b), ERR_FORMAT);
	assert_err(conf_with_option(a, "local-zone", "", report, &b), ERR_FORMAT);
	assert_err(conf_with_option(a, "identity", "a\nport: 1", report, &b), ERR_FORMAT);
	assert_err(conf_with_option(a, "identity", "both \" and '", report, &b), ERR_FORMAT);
	assert_err(conf_with_option(a, "identity", "a\\", report, &b), ERR_FORMAT);
	assert_err(conf_with_option(a, "do-ip4", "maybe", report, &b), ERR_FORMAT);
	assert_err(conf_with_option(a, "", "", report, &b), ERR_NOTFOUND);
	assert_null(b);
}

static const struct conf *set_from BORROWED;

static bool set_once(void)
{
	AUTO(conf_free) struct conf *b = NULL;
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(REPORT_MAX);
	struct result r = FAIL(ERR_NOMEM);

	if (report != NULL)
		r = conf_with_option(set_from, "trust-anchor", ". DS 1 2 3 00", report, &b);
	assert_true(OK(r) || r.e == ERR_NOMEM);
	return OK(r);
}

static void setting_survives_any_failing_allocation(void **state)
{
	AUTO(conf_free) struct conf *a = load_clean("server: port: 1\nlocal-zone: a static\nstub-zone: name: x stub-addr: 1.2.3.4");

	(void)state;
	set_from = a;
	assert_true(for_each_failing_allocation(set_once) > 10);
	set_from = NULL;
}

static bool store_once(void)
{
	AUTO(conf_free) struct conf *a = NULL, *b = NULL;
	struct conf_clause *cl;
	struct conf_item item = { .opt = OPT_LOCAL_DATA, .words = 1 };
	uint16_t file;

	if (!OK(store_new(&a)) || !OK(store_file(a, "x", &file)) || !OK(store_clause(a, CLAUSE_SERVER, &cl)) ||
	    !OK(store_word(a, span_text("w"), &item.text)) || !OK(store_item(cl, &item, 0)) || !OK(store_copy(a, &b)))
		return false;
	assert_true(conf_equal(a, b));
	assert_string_equal(store_file_name(b, 0), "x");
	return true;
}

static void the_store_survives_any_failing_allocation(void **state)
{
	(void)state;
	assert_true(for_each_failing_allocation(store_once) > 10);
}

static void two_hundred_thousand_zones_are_compact(void **state)
{
	const unsigned int n = 200000;
	AUTO(strbuf_free) struct strbuf *text = strbuf_new((size_t)64 << 20);
	AUTO(conf_free) struct conf *c = NULL;
	struct conf_counts counts;
	struct mem_usage before, after;

	(void)state;
	strbuf_puts(text, "server:\n");
	for (unsigned int i = 0; i < n; i++)
		strbuf_printf(text, "\tlocal-zone: \"name%u.example.com\" always_null\n", i);
	before = mem_usage();
	assert_ok(load_plain(strbuf_text(text), NULL, &counts, &c));
	after = mem_usage();
	assert_int_equal(conf_count(conf_server(c), OPT_LOCAL_ZONE), n);
	assert_string_equal(conf_word(conf_server(c), OPT_LOCAL_ZONE, n - 1, 0), "name199999.example.com");
	/* the words have 35 octets; arrays double, so that there is at most twice of what is used */
	assert_true(after.octets - before.octets < (uint64_t)n * 2 * (35 + sizeof(struct conf_item) + sizeof(uint32_t)));
	assert_true(after.objects - before.objects < 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_configuration_has_unbounds_defaults),
		cmocka_unit_test(a_list_that_is_given_replaces_its_default),
		cmocka_unit_test(words_are_values),
		cmocka_unit_test(the_order_across_lists_is_kept),
		cmocka_unit_test(clauses_stand_in_file_order),
		cmocka_unit_test(equality_is_about_what_was_said),
		cmocka_unit_test(an_option_can_be_set_in_a_copy),
		cmocka_unit_test(a_wrong_value_is_not_set),
		cmocka_unit_test(setting_survives_any_failing_allocation),
		cmocka_unit_test(the_store_survives_any_failing_allocation),
		cmocka_unit_test(two_hundred_thousand_zones_are_compact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
