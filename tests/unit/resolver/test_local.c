/* What a local zone of each type says, what the special names are, and that changes are made in a copy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "conf/conf.h"
#include "resolver/local/local.h"
#include "resolver/local/zones.h"

struct asked {
	enum local_verdict verdict;
	struct answer a;
	char follow[NAME_TEXT];
	char text[4096]; /* the answer section */
};

static struct name_buf name_buf(const char *text)
{
	struct name_buf nb;

	assert_true(OK(name_from_text(text, NULL, &nb)));
	return nb;
}

static void ask(const struct local_zones *z, const char *name, uint16_t type, struct asked *ret)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(4000);
	struct name_buf nb = name_buf(name);
	struct question q = { name_of(&nb), type, CLASS_IN };
	struct endpoint client = { .port = 4242 };
	struct name follow;

	assert_true(OK(addr_parse("192.0.2.7", &client.a)));
	memset(ret, 0, sizeof *ret);
	ret->verdict = local_answer(z, &q, &client, a, &ret->a, &follow);
	for (size_t i = 0; ret->verdict == LOCAL_ANSWER && i < ret->a.answer_count; i++)
		rrset_print(ret->a.sets[i].rs, ret->a.sets[i].ttl, out);
	if (follow.wire != NULL)
		(void)name_to_text(follow, ret->follow);
	(void)snprintf(ret->text, sizeof ret->text, "%s", strbuf_text(out));
	if (ret->verdict == LOCAL_ANSWER)
		assert_true(local_may_match(z, q.name));
}

static struct local_zones *make(const char *const *zones, const char *const *data) OWNED_BY(local_zones_free);
static struct local_zones *make(const char *const *zones, const char *const *data)
{
	AUTO(local_zones_free) struct local_zones *z = NULL;
	const char *msg;

	assert_true(OK(local_zones_new(&z)));
	for (; zones[0] != NULL; zones += 2) {
		struct name_buf nb = name_buf(zones[0]);
		enum local_type t;

		assert_true(OK(local_type_parse(zones[1], &t)));
		assert_true(OK(local_add_zone(z, name_of(&nb), CLASS_IN, t)));
	}
	for (; data[0] != NULL; data++)
		assert_true(OK(local_add_data(z, data[0], &msg)));
	return MOVE(z);
}

static void expect(const struct local_zones *z, const char *name, uint16_t type, enum local_verdict verdict, int rcode, const char *text)
{
	struct asked got;

	ask(z, name, type, &got);
	if (got.verdict != verdict)
		fail_msg("%s: verdict %d, expected %d", name, got.verdict, verdict);
	if (verdict != LOCAL_ANSWER)
		return;
	if (got.a.rcode != rcode)
		fail_msg("%s: rcode %d, expected %d", name, got.a.rcode, rcode);
	if (text != NULL)
		assert_string_equal(got.text, text);
	assert_true(got.a.authoritative);
}

static void each_type(void **state)
{
	static const char *const zones[] = { "deny.test", "deny", "refuse.test", "refuse", "static.test", "static", "trans.test", "transparent", "ttrans.test",
		"typetransparent", "redirect.test", "redirect", "inform.test", "inform", "ideny.test", "inform_deny", "iredir.test", "inform_redirect", "atrans.test",
		"always_transparent", "arefuse.test", "always_refuse", "anx.test", "always_nxdomain", "anod.test", "always_nodata", "anull.test", "always_null",
		"adeny.test", "always_deny", "ba.test", "block_a", "baaaa.test", "block_aaaa", "bad.test", "block_a_wdata", "trunc.test", "truncate", "noview.test",
		"noview", NULL };
	static const char *const data[] = { "x.deny.test A 192.0.2.1", "x.refuse.test A 192.0.2.1", "x.static.test A 192.0.2.1", "a.ent.static.test A 192.0.2.1",
		"x.trans.test A 192.0.2.1", "a.ent.trans.test A 192.0.2.1", "x.ttrans.test A 192.0.2.1", "redirect.test 60 A 192.0.2.2", "x.inform.test A 192.0.2.1",
		"x.ideny.test A 192.0.2.1", "iredir.test A 192.0.2.3", "x.atrans.test A 192.0.2.1", "x.arefuse.test A 192.0.2.1", "x.anx.test A 192.0.2.1",
		"x.ba.test A 192.0.2.1", "x.bad.test A 192.0.2.1", NULL };
	AUTO(local_zones_free) struct local_zones *z = make(zones, data);

	(void)state;
	expect(z, "x.deny.test", RR_A, LOCAL_ANSWER, 0, "x.deny.test. 3600 IN A 192.0.2.1\n");
	expect(z, "y.deny.test", RR_A, LOCAL_DROP, 0, NULL);
	expect(z, "x.refuse.test", RR_A, LOCAL_ANSWER, 0, NULL);
	expect(z, "x.refuse.test", RR_AAAA, LOCAL_ANSWER, RCODE_REFUSED, "");
	expect(z, "x.static.test", RR_A, LOCAL_ANSWER, 0, NULL);
	expect(z, "x.static.test", RR_AAAA, LOCAL_ANSWER, 0, "");
	expect(z, "ent.static.test", RR_A, LOCAL_ANSWER, 0, "");
	expect(z, "static.test", RR_A, LOCAL_ANSWER, RCODE_NOERROR, "");
	expect(z, "y.static.test", RR_A, LOCAL_ANSWER, RCODE_NXDOMAIN, "");
	expect(z, "x.trans.test", RR_AAAA, LOCAL_ANSWER, 0, "");
	expect(z, "ent.trans.test", RR_AAAA, LOCAL_PASS, 0, NULL);
	expect(z, "y.trans.test", RR_A, LOCAL_PASS, 0, NULL);
	expect(z, "x.ttrans.test", RR_A, LOCAL_ANSWER, 0, NULL);
	expect(z, "x.ttrans.test", RR_AAAA, LOCAL_PASS, 0, NULL);
	expect(z, "any.below.redirect.test", RR_A, LOCAL_ANSWER, 0, "any.below.redirect.test. 60 IN A 192.0.2.2\n");
	expect(z, "redirect.test", RR_AAAA, LOCAL_ANSWER, 0, "");
	expect(z, "x.inform.test", RR_A, LOCAL_ANSWER, 0, NULL);
	expect(z, "y.inform.test", RR_A, LOCAL_PASS, 0, NULL);
	expect(z, "y.ideny.test", RR_A, LOCAL_DROP, 0, NULL);
	expect(z, "b.iredir.test", RR_A, LOCAL_ANSWER, 0, "b.iredir.test. 3600 IN A 192.0.2.3\n");
	expect(z, "x.atrans.test", RR_A, LOCAL_PASS, 0, NULL);
	expect(z, "x.arefuse.test", RR_A, LOCAL_ANSWER, RCODE_REFUSED, "");
	expect(z, "x.anx.test", RR_A, LOCAL_ANSWER, RCODE_NXDOMAIN, "");
	expect(z, "q.anod.test", RR_A, LOCAL_ANSWER, 0, "");
	expect(z, "q.anull.test", RR_A, LOCAL_ANSWER, 0, "q.anull.test. 3600 IN A 0.0.0.0\n");
	expect(z, "q.anull.test", RR_AAAA, LOCAL_ANSWER, 0, "q.anull.test. 3600 IN AAAA ::\n");
	expect(z, "q.anull.test", RR_HTTPS, LOCAL_ANSWER, 0, "");
	expect(z, "x.adeny.test", RR_A, LOCAL_DROP, 0, NULL);
	expect(z, "x.ba.test", RR_A, LOCAL_ANSWER, 0, "");
	expect(z, "x.ba.test", RR_AAAA, LOCAL_PASS, 0, NULL);
	expect(z, "x.baaaa.test", RR_AAAA, LOCAL_ANSWER, 0, "");
	expect(z, "x.bad.test", RR_A, LOCAL_ANSWER, 0, "x.bad.test. 3600 IN A 192.0.2.1\n");
	expect(z, "y.bad.test", RR_A, LOCAL_ANSWER, 0, "");
	expect(z, "x.trunc.test", RR_A, LOCAL_TRUNCATE_UDP, 0, NULL);
	expect(z, "x.noview.test", RR_A, LOCAL_PASS, 0, NULL);
	expect(z, "elsewhere.example", RR_A, LOCAL_PASS, 0, NULL);
	expect(z, "static.test", RR_DS, LOCAL_PASS, 0, NULL); /* the parent's business */
}

static void negative_answers_carry_the_soa(void **state)
{
	static const char *const zones[] = { "s.test", "static", "b.test", "always_nxdomain", NULL };
	static const char *const data[] = { "s.test 7200 SOA ns.s.test host.s.test 1 2 3 4 600", NULL };
	AUTO(local_zones_free) struct local_zones *z = make(zones, data);
	struct asked got;

	(void)state;
	ask(z, "q.s.test", RR_A, &got);
	assert_int_equal(got.a.authority_count, 1);
	assert_int_equal(got.a.ttl, 600); /* its MINIMUM, RFC 2308 section 5 */
	ask(z, "q.b.test", RR_A, &got);
	assert_int_equal(got.a.authority_count, 0);
	assert_int_equal(got.a.ede_count, 1);
	assert_int_equal(got.a.ede[0].code, EDE_BLOCKED);
}

static void an_alias_is_given_to_be_followed(void **state)
{
	static const char *const zones[] = { "r.test", "redirect", NULL };
	static const char *const data[] = { "r.test CNAME www.example.com", "one.example CNAME two.example", NULL };
	AUTO(local_zones_free) struct local_zones *z = make(zones, data);
	struct asked got;

	(void)state;
	ask(z, "deep.r.test", RR_A, &got);
	assert_string_equal(got.text, "deep.r.test. 3600 IN CNAME www.example.com.\n");
	assert_string_equal(got.follow, "www.example.com.");
	ask(z, "deep.r.test", RR_CNAME, &got);
	assert_string_equal(got.follow, "");
	ask(z, "one.example", RR_AAAA, &got);
	assert_string_equal(got.follow, "two.example.");
}

static void the_closest_zone_decides(void **state)
{
	static const char *const zones[] = { "example", "always_refuse", "open.example", "always_transparent", ".", "always_nxdomain", NULL };
	static const char *const data[] = { NULL };
	AUTO(local_zones_free) struct local_zones *z = make(zones, data);

	(void)state;
	expect(z, "a.example", RR_A, LOCAL_ANSWER, RCODE_REFUSED, "");
	expect(z, "A.B.OPEN.example", RR_A, LOCAL_PASS, 0, NULL);
	expect(z, "com", RR_A, LOCAL_ANSWER, RCODE_NXDOMAIN, "");
	expect(z, ".", RR_NS, LOCAL_ANSWER, RCODE_NXDOMAIN, "");
}

static struct local_zones *from_conf(const char *text, struct strbuf *report) OWNED_BY(local_zones_free);
static struct local_zones *from_conf(const char *text, struct strbuf *report)
{
	AUTO(conf_free) struct conf *c = NULL;
	AUTO(local_zones_free) struct local_zones *z = NULL;

	assert_true(OK(conf_load_text(text, "test", report, &c)));
	assert_true(OK(local_zones_make(conf_server(c), report, &z)));
	return MOVE(z);
}

static void special_names(void **state)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(10000);
	AUTO(local_zones_free) struct local_zones *z = from_conf("server:\n", report);

	(void)state;
	expect(z, "localhost", RR_A, LOCAL_ANSWER, 0, "localhost. 10800 IN A 127.0.0.1\n");
	expect(z, "app.localhost", RR_AAAA, LOCAL_ANSWER, 0, "app.localhost. 10800 IN AAAA ::1\n");
	expect(z, "1.0.0.127.in-addr.arpa", RR_PTR, LOCAL_ANSWER, 0, "1.0.0.127.in-addr.arpa. 10800 IN PTR localhost.\n");
	expect(z, "9.0.0.10.in-addr.arpa", RR_PTR, LOCAL_ANSWER, RCODE_NXDOMAIN, "");
	expect(z, "1.1.31.172.in-addr.arpa", RR_PTR, LOCAL_ANSWER, RCODE_NXDOMAIN, "");
	expect(z, "1.1.32.172.in-addr.arpa", RR_PTR, LOCAL_PASS, 0, NULL);
	expect(z, "1.1.127.100.in-addr.arpa", RR_PTR, LOCAL_ANSWER, RCODE_NXDOMAIN, "");
	expect(z, "x.test", RR_A, LOCAL_ANSWER, RCODE_NXDOMAIN, "");
	expect(z, "x.invalid", RR_A, LOCAL_ANSWER, RCODE_NXDOMAIN, "");
	expect(z, "x.onion", RR_A, LOCAL_ANSWER, RCODE_NXDOMAIN, "");
	expect(z, "home.arpa", RR_SOA, LOCAL_ANSWER, 0, NULL);
	expect(z, "_dns.resolver.arpa", RR_SVCB, LOCAL_ANSWER, RCODE_NXDOMAIN, "");
	expect(z, "example.com", RR_A, LOCAL_PASS, 0, NULL);
}

static void defaults_switched_off(void **state)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(10000);
	AUTO(local_zones_free) struct local_zones *z = from_conf("server:\n local-zone: \"test.\" nodefault\n unblock-lan-zones: yes\n"
		" local-data: 'printer.lan A 10.1.1.1'\n local-data-ptr: \"10.1.1.1 printer.lan\"\n", report);

	(void)state;
	assert_string_equal(strbuf_text(report), "");
	expect(z, "x.test", RR_A, LOCAL_PASS, 0, NULL);
	expect(z, "9.0.0.10.in-addr.arpa", RR_PTR, LOCAL_PASS, 0, NULL);
	expect(z, "x.invalid", RR_A, LOCAL_ANSWER, RCODE_NXDOMAIN, "");
	expect(z, "printer.lan", RR_A, LOCAL_ANSWER, 0, "printer.lan. 3600 IN A 10.1.1.1\n");
	expect(z, "printer.lan", RR_AAAA, LOCAL_ANSWER, 0, "");
	expect(z, "1.1.1.10.in-addr.arpa", RR_PTR, LOCAL_ANSWER, 0, "1.1.1.10.in-addr.arpa. 3600 IN PTR printer.lan.\n");
}

static void hosts_file(void **state)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(10000);
	AUTO(local_zones_free) struct local_zones *z = NULL;
	char path[] = "/tmp/cairn-hosts-XXXXXX";
	static const char text[] = "# comment\n127.0.0.1\tlocalhost\n192.168.1.5  nas.lan nas # two names\nfe80::1%eth0 router.lan\n\n300.1.1.1 wrong.lan\n"
		"2001:db8::5 nas.lan";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
	(void)close(fd);
	assert_true(OK(local_zones_new(&z)));
	assert_true(OK(local_add_hosts(z, path, report)));
	(void)unlink(path);
	expect(z, "nas.lan", RR_A, LOCAL_ANSWER, 0, "nas.lan. 3600 IN A 192.168.1.5\n");
	expect(z, "nas", RR_A, LOCAL_ANSWER, 0, "nas. 3600 IN A 192.168.1.5\n");
	expect(z, "nas.lan", RR_AAAA, LOCAL_ANSWER, 0, "nas.lan. 3600 IN AAAA 2001:db8::5\n");
	expect(z, "router.lan", RR_AAAA, LOCAL_ANSWER, 0, NULL);
	expect(z, "5.1.168.192.in-addr.arpa", RR_PTR, LOCAL_ANSWER, 0, "5.1.168.192.in-addr.arpa. 3600 IN PTR nas.lan.\n");
	expect(z, "wrong.lan", RR_A, LOCAL_PASS, 0, NULL);
	assert_non_null(strstr(strbuf_text(report), ":6: warning: found \"300.1.1.1\""));
	assert_int_equal(local_add_hosts(z, "/nonexistent/hosts", report).e == ERR_NONE, 0);
}

static void changes_are_made_in_a_copy(void **state)
{
	static const char *const zones[] = { "z.test", "static", NULL };
	static const char *const data[] = { "a.z.test A 192.0.2.1", "a.z.test A 192.0.2.2", "b.c.z.test TXT \"t\"", NULL };
	AUTO(local_zones_free) struct local_zones *z = make(zones, data), *copy = NULL;
	AUTO(strbuf_free) struct strbuf *before = strbuf_new(10000), *after = strbuf_new(10000);
	struct name_buf a = name_buf("a.z.test"), c = name_buf("b.c.z.test"), zone = name_buf("z.test");
	const char *msg;

	(void)state;
	assert_true(OK(local_zones_copy(z, &copy)));
	local_print_data(z, before);
	local_print_data(copy, after);
	assert_string_equal(strbuf_text(before), strbuf_text(after));
	assert_string_equal(strbuf_text(before), "a.z.test. 3600 IN A 192.0.2.1\na.z.test. 3600 IN A 192.0.2.2\nb.c.z.test. 3600 IN TXT \"t\"\n");

	assert_true(OK(local_remove_data(copy, name_of(&a), CLASS_IN)));
	assert_int_equal(local_remove_data(copy, name_of(&a), CLASS_IN).e, ERR_NOTFOUND);
	expect(copy, "a.z.test", RR_A, LOCAL_ANSWER, RCODE_NXDOMAIN, "");
	expect(copy, "c.z.test", RR_A, LOCAL_ANSWER, RCODE_NOERROR, "");
	assert_true(OK(local_remove_data(copy, name_of(&c), CLASS_IN)));
	assert_true(OK(local_add_data(copy, "d.z.test. 5 IN AAAA 2001:db8::1", &msg)));
	expect(copy, "d.z.test", RR_AAAA, LOCAL_ANSWER, 0, "d.z.test. 5 IN AAAA 2001:db8::1\n");
	assert_int_equal(local_add_data(copy, "d.z.test. A not-an-address", &msg).e, ERR_FORMAT);
	assert_true(OK(local_remove_zone(copy, name_of(&zone), CLASS_IN)));
	expect(copy, "d.z.test", RR_AAAA, LOCAL_PASS, 0, NULL);
	assert_int_equal(local_zone_count(copy), 0);
	expect(z, "a.z.test", RR_A, LOCAL_ANSWER, 0, NULL); /* the original is as it was */
	assert_int_equal(local_zone_count(z), 1);
}

static void overrides_by_client(void **state)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(10000);
	AUTO(local_zones_free) struct local_zones *z = from_conf("server:\n local-zone: a.example transparent\n local-zone-override: a.example 192.0.2.0/24 refuse\n"
		" local-zone-override: a.example 192.0.2.7/32 always_nxdomain\n local-zone: b.example static\n local-zone-override: b.example 10.0.0.0/8 transparent\n", report),
		*copy = NULL;

	(void)state;
	assert_string_equal(strbuf_text(report), "");
	expect(z, "x.a.example", RR_A, LOCAL_ANSWER, RCODE_NXDOMAIN, ""); /* the longest prefix of 192.0.2.7 */
	expect(z, "x.b.example", RR_A, LOCAL_ANSWER, RCODE_NXDOMAIN, ""); /* another client's */
	assert_true(OK(local_zones_copy(z, &copy)));
	expect(copy, "x.a.example", RR_A, LOCAL_ANSWER, RCODE_NXDOMAIN, "");
}

static void many_zones(void **state)
{
	AUTO(local_zones_free) struct local_zones *z = NULL;
	char text[64];

	(void)state;
	assert_true(OK(local_zones_new(&z)));
	for (int i = 0; i < 20000; i++) {
		struct name_buf nb;

		(void)snprintf(text, sizeof text, "ads%d.example%d.com", i, i % 100);
		nb = name_buf(text);
		assert_true(OK(local_add_zone(z, name_of(&nb), CLASS_IN, LOCAL_ALWAYS_NXDOMAIN)));
	}
	expect(z, "x.ads19999.example99.com", RR_A, LOCAL_ANSWER, RCODE_NXDOMAIN, "");
	expect(z, "x.ads19999.example98.com", RR_A, LOCAL_PASS, 0, NULL);
}

static void memory_may_run_out(void **state)
{
	AUTO(conf_free) struct conf *c = NULL;
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(10000);

	(void)state;
	assert_true(OK(conf_load_text("server:\n local-zone: a.example static\n local-data: 'b.a.example A 192.0.2.1'\n", "test", report, &c)));
	for (uint64_t n = 1;; n++) {
		AUTO(local_zones_free) struct local_zones *z = NULL;
		struct result r;

		mem_fail_at(n, false);
		r = local_zones_make(conf_server(c), report, &z);
		if (!mem_failed()) {
			mem_fail_at(0, false);
			assert_true(OK(r));
			break;
		}
		mem_fail_at(0, false);
		assert_int_equal(r.e, ERR_NOMEM);
		assert_null(z);
	}
}

/* Its exceptions go with a zone, in the copy that it is removed from as in the next one. */
static void a_zone_made_again_is_another(void **state)
{
	AUTO(local_zones_free) struct local_zones *z = NULL;
	struct name_buf nb = name_buf("a.example.");
	struct prefix all;
	struct asked q;

	(void)state;
	assert_true(OK(local_zones_new(&z)) && OK(prefix_parse("0.0.0.0/0", &all)));
	assert_true(OK(local_add_zone(z, name_of(&nb), CLASS_IN, LOCAL_STATIC)));
	assert_true(OK(local_add_override(z, name_of(&nb), CLASS_IN, &all, LOCAL_REFUSE)));
	ask(z, "x.a.example.", RR_A, &q);
	assert_int_equal(q.a.rcode, RCODE_REFUSED);
	assert_true(OK(local_remove_zone(z, name_of(&nb), CLASS_IN)));
	assert_true(OK(local_add_zone(z, name_of(&nb), CLASS_IN, LOCAL_STATIC)));
	ask(z, "x.a.example.", RR_A, &q);
	assert_int_equal(q.a.rcode, RCODE_NXDOMAIN);
}

static void the_last_override_of_a_netblock_counts_in_a_copy_too(void **state)
{
	AUTO(local_zones_free) struct local_zones *z = NULL, *copy = NULL;
	struct name_buf nb = name_buf("a.example.");
	struct prefix all;
	struct asked q;

	(void)state;
	assert_true(OK(local_zones_new(&z)) && OK(prefix_parse("192.0.2.0/24", &all)));
	assert_true(OK(local_add_zone(z, name_of(&nb), CLASS_IN, LOCAL_STATIC)));
	assert_true(OK(local_add_override(z, name_of(&nb), CLASS_IN, &all, LOCAL_ALWAYS_NULL)));
	assert_true(OK(local_add_override(z, name_of(&nb), CLASS_IN, &all, LOCAL_REFUSE)));
	ask(z, "x.a.example.", RR_A, &q);
	assert_int_equal(q.a.rcode, RCODE_REFUSED);
	assert_true(OK(local_zones_copy(z, &copy)));
	ask(copy, "x.a.example.", RR_A, &q);
	assert_int_equal(q.a.rcode, RCODE_REFUSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_override_of_a_netblock_counts_in_a_copy_too),
		cmocka_unit_test(a_zone_made_again_is_another),
		cmocka_unit_test(each_type),
		cmocka_unit_test(negative_answers_carry_the_soa),
		cmocka_unit_test(an_alias_is_given_to_be_followed),
		cmocka_unit_test(the_closest_zone_decides),
		cmocka_unit_test(special_names),
		cmocka_unit_test(defaults_switched_off),
		cmocka_unit_test(hosts_file),
		cmocka_unit_test(changes_are_made_in_a_copy),
		cmocka_unit_test(overrides_by_client),
		cmocka_unit_test(many_zones),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
