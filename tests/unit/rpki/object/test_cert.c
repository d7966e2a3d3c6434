/* Certificates: names, URIs, serial numbers; what kind a file is; resources down a chain, RFC 8360 among them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "rpki/object/crl.h"
#include "tests/unit/rpki/object/toy.h"


#define S(literal) span_of(literal, sizeof(literal) - 1)

static struct toy *toy;

static void names(void **state)
{
	static const char printable[] = "\x30\x0b\x31\x09\x30\x07\x06\x03\x55\x04\x03\x13\x00";
	char room[256];
	struct span one = S("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x13\x01" "A"), utf8 = S("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01" "a");
	struct span other = S("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x13\x01" "B"), serial = S("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x05\x13\x01" "A");

	(void)state;
	assert_true(name_is_good(one) && name_is_good(utf8));
	assert_false(name_is_good(span_of(printable, sizeof printable - 1))); /* empty */
	assert_false(name_is_good(serial)); /* no CommonName */
	assert_false(name_is_good(S("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x13\x01" "_")));
	assert_false(name_is_good(S("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01" "\x96"))); /* no UTF-8 */
	assert_true(name_equal(one, utf8)); /* neither types nor case count */
	assert_false(name_equal(one, other));
	assert_false(name_equal(one, serial));
	assert_string_equal(name_text(one, room), "CN=A");
	assert_string_equal(name_text(serial, room), "serialNumber=A");
}

static void uris(void **state)
{
	static const char *const good[] = { "rsync://a/b", "rsync://a.example/m/p/x.cer", "RSYNC://a/b/", "rsync://a:873/b", "rsync://a/b//c", "rsync://a/b/.c", "rsync://a/" };
	static const char *const bad[] = { "rsync://", "rsync:///b", "rsync://a", "https://a/b", "rsync://a/../b", "rsync://a/b/..", "rsync://a/./b", "rsync://a/b c",
		"rsync://u@a/b", "rsync://a/\\b", "rsync://a/\x01", "rsync://a/\xc3\xa4", "rsync:/a/b" };

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		assert_true(uri_is(span_text(good[i]), "rsync://"));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(uri_is(span_text(bad[i]), "rsync://"));
	assert_false(uri_is(S("rsync://a/b\0c"), "rsync://"));
}

static void serial_numbers(void **state)
{
	(void)state;
	assert_int_equal(serial_fault(S("\x01")), SERIAL_GOOD);
	assert_int_equal(serial_fault(S("\x00")), SERIAL_ZERO);
	assert_int_equal(serial_fault(S("\xff")), SERIAL_NEGATIVE);
	assert_int_equal(serial_fault(S("\x7f" "0123456789012345678")), SERIAL_GOOD);
	assert_int_equal(serial_fault(S("\x00\xff" "0123456789012345678")), SERIAL_LONG);
}

static void kinds(void **state)
{
	(void)state;
	assert_int_equal(cert_kind_of(toy_object(toy, TOY_TA)), CERT_TA);
	assert_int_equal(cert_kind_of(toy_object(toy, TOY_CA)), CERT_CA);
	assert_int_equal(cert_kind_of(toy_object(toy, TOY_ROUTER)), CERT_ROUTER);
	assert_int_equal(cert_kind_of(S("rubbish")), CERT_CA);
}

/* A CA with resources beyond its issuer's, under the policies of RFC 6487 and of RFC 8360. */
static struct result check_ca(struct span s, struct arena *a, struct report *rep, struct resources *ret)
{
	AUTO(public_key_free) struct public_key *key = NULL;
	struct cert ta, ca;
	struct issuer by = { &ta, NULL, &ta.claimed, NULL };

	assert_true(OK(cert_read(toy_object(toy, TOY_TA), CERT_TA, CERT_USE_ANY, a, rep, &ta)));
	assert_true(OK(public_key_make(&ta.key, &key)));
	by.key = key;
	assert_true(OK(cert_read(s, CERT_CA, CERT_USE_ANY, a, rep, &ca)));
	return cert_check(&ca, &by, TOY_NOW, a, rep, ret);
}

static void overclaiming(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct report rep;
	struct resources e;
	/* 10.0.0.0/7 instead of 10.0.0.0/9, of which the trust anchor has 10.0.0.0/8 */
	struct span beyond = toy_edited(toy, TOY_CA, "ip", "2.0.0.1.0:010a", 0);
	struct span v2 = toy_edited(toy, TOY_CA, "tbs", "7.0.8.0:2b0601050507011c 7.0.9.0:2b0601050507011d 7.0.7.2.0.0.0:2b06010505070e03 7.0.8.2.0.0.1.0:010a", 0);

	(void)state;
	report_init(&rep);
	assert_true(OK(check_ca(toy_object(toy, TOY_CA), a, &rep, &e)));
	assert_true(set32_has(&e.v4, 0x0a000000, 0x0a7fffff));
	assert_int_equal(check_ca(beyond, a, &rep, &e).e, ERR_FORMAT);
	assert_int_equal(rep.first, RULE_OVERCLAIM);
	assert_int_equal(e.ip4, CLAIM_NONE);
	report_init(&rep);
	assert_true(OK(check_ca(v2, a, &rep, &e))); /* what is too much is left out */
	assert_true(set32_has(&e.v4, 0x0a000000, 0x0affffff));
	assert_false(set32_has(&e.v4, 0x0b000000, 0x0b000000));
}

static void what_is_pointed_at(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct report rep;
	struct cert c;

	(void)state;
	report_init(&rep);
	assert_true(OK(cert_read(toy_object(toy, TOY_CA), CERT_CA, CERT_USE_ANY, a, &rep, &c)));
	assert_true(span_equal(c.manifest, S("rsync://toy.example/repo/toy.mft")) && span_equal(c.notify, S("https://toy.example/notify.xml")));
	assert_true(span_equal(c.crl_uri, S("rsync://toy.example/repo/toy.crl")) && span_equal(c.serial, S("\x02")));
	assert_int_equal(c.not_before, 1767225600);
	assert_true(c.has_aia && c.has_crldp && c.has_sia && c.has_aki && !c.reconsidered);
	assert_true(c.key.kind == KEY_KIND_RSA && c.key.modulus.n == 256);
}

static void memory_may_run_out(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(16); /* room for nothing */
	struct report rep;
	struct cert c;

	(void)state;
	report_init(&rep);
	assert_int_equal(cert_read(toy_object(toy, TOY_CA), CERT_CA, CERT_USE_ANY, a, &rep, &c).e, ERR_NOMEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(uris),
		cmocka_unit_test(serial_numbers),
		cmocka_unit_test(kinds),
		cmocka_unit_test(overclaiming),
		cmocka_unit_test(what_is_pointed_at),
		cmocka_unit_test(memory_may_run_out),
	};
	int failed;

	toy = toy_new();
	if (toy == NULL)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	toy_free(toy);
	return failed;
}
