/* An object looked at for people: verdict, chain, fields in words and as JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/strbuf.h"
#include "tests/unit/rpki/object/toy.h"


static struct toy *toy;

static const char *look(enum toy_what w, struct span s, const struct inspect_context *ctx, bool json, struct arena *a, struct strbuf *b, struct inspection *i)
{
	assert_true(OK(rpki_inspect(s, span_text(toy_name(w)), ctx, a, i)));
	strbuf_clear(b);
	inspection_print(i, toy_name(w), json, b);
	return strbuf_text(b);
}

static void fields(void **state)
{
	static const struct {
		enum toy_what what;
		const char *words[4];
	} cases[] = {
		{ TOY_TA, { "kind: trust anchor", "subject: CN=toy-ta", "resources: IPv4 10.0.0.0/8; IPv6 2001:db8::/32; AS 64496-64511", "verdict: valid" } },
		{ TOY_CA, { "manifest: rsync://toy.example/repo/toy.mft", "notify: https://toy.example/notify.xml", "cps: https://toy.example/cps", "chain: good" } },
		{ TOY_ROUTER, { "kind: BGPsec router", "routerPublicKey: 3059", "AS 64496", "verdict: valid" } },
		{ TOY_CRL, { "revoked: \n  0666\n", "number: 0101", "nextUpdate: 2036-01-01T00:00:00Z", "chain: good" } },
		{ TOY_ROA, { "asn: 64496\n", "  10.1.0.0/16 maxlen 24\n  2001:db8:1::/48 maxlen 48\n", "signingTime: 2026-01-01T00:00:00Z", "type: ROA" } },
		{ TOY_MANIFEST, { "number: 07", "  toy.crl ", "effective: IPv4 10.0.0.0/9; IPv6", "resources: IPv4 inherit; IPv6 inherit; AS inherit" } },
		{ TOY_GHOSTBUSTERS, { "name: A Toy", "organization: Toys", "email: toy@toy.example", "type: Ghostbusters" } },
		{ TOY_ASPA, { "customer: 64496", "providers: \n  1\n  2\n", "type: ASPA", "verdict: valid" } },
		{ TOY_TAK, { "current: \n  rsync://toy.example/ta/toy.cer\n", "successor: \n", "type: TAK", "verdict: valid" } },
		{ TOY_RSC, { "signedResources: IPv4 10.1.0.0/16", "  file 3b9c358f36f0a31b6ad3e14f309c7cf198ac9246e8316f9ce543d5b19ac02b80\n", "type: RSC", "verdict: valid" } },
		{ TOY_PREFIX_LIST, { "asn: 64496", "  10.1.0.0/16\n  10.2.0.0/16\n  2001:db8::/32\n", "type: prefix list", "verdict: valid" } },
	};
	AUTO(strbuf_free) struct strbuf *b = strbuf_new(1 << 20);
	struct inspect_context ctx = toy_context(toy);

	(void)state;
	for (size_t n = 0; n < sizeof cases / sizeof cases[0]; n++) {
		AUTO(arena_free) struct arena *a = arena_new(0);
		struct inspection i;
		const char *text = look(cases[n].what, toy_object(toy, cases[n].what), &ctx, false, a, b, &i);

		for (unsigned int k = 0; k < 4; k++)
			if (strstr(text, cases[n].words[k]) == NULL)
				fail_msg("no \"%s\" in:\n%s", cases[n].words[k], text);
	}
}

static void json(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	AUTO(strbuf_free) struct strbuf *b = strbuf_new(1 << 20);
	struct inspect_context ctx = toy_context(toy);
	struct inspection i;
	const char *text = look(TOY_ROA, toy_object(toy, TOY_ROA), &ctx, true, a, b, &i);

	(void)state;
	assert_memory_equal(text, "{\"file\":\"toy.roa\",\"sha256\":\"", 27);
	assert_non_null(strstr(text, "\"verdict\":\"valid\",\"chain\":\"good\",\"signingTime\":\"2026-01-01T00:00:00Z\""));
	assert_non_null(strstr(text, "\"asn\":64496,\"prefixes\":[{\"prefix\":\"10.1.0.0/16\",\"maxLength\":24},{\"prefix\":\"2001:db8:1::/48\",\"maxLength\":48}]}\n"));
	text = look(TOY_ROA, toy_edited(toy, TOY_ROA, "content", "0.1.0.1.0.0:000a02", 0), &ctx, true, a, b, &i);
	assert_non_null(strstr(text, "\"verdict\":\"invalid\""));
	assert_non_null(strstr(text, "\"rules\":[{\"rule\":\"rfc9582#5/contained\",\"place\":\"RFC 9582 section 5\",\"message\":\"a prefix that the EE certificate has not\","
				     "\"detail\":\"10.2.0.0/16\"}]"));
}

static void without_a_chain(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct inspect_context ctx = toy_context(toy);
	struct inspection i;

	(void)state;
	ctx.cert_count = 0;
	assert_true(OK(rpki_inspect(toy_object(toy, TOY_ROA), span_text("a.roa"), &ctx, a, &i)));
	assert_true(i.valid && i.state == CHAIN_ABSENT && i.chain_count == 0);
	ctx.certs++; /* the CA, but not its trust anchor */
	ctx.cert_count = 1;
	assert_true(OK(rpki_inspect(toy_object(toy, TOY_ROA), span_text("a.roa"), &ctx, a, &i)));
	assert_true(i.valid && i.state == CHAIN_BROKEN && i.chain_count == 1);
	assert_true(OK(rpki_inspect(toy_object(toy, TOY_CRL), span_text("a.crl"), &ctx, a, &i)));
	assert_true(i.valid && i.state == CHAIN_BROKEN && i.chain_count == 1);
	ctx.ignore = "no-such-rule";
	assert_int_equal(rpki_inspect(toy_object(toy, TOY_ROA), span_text("a.roa"), &ctx, a, &i).e, ERR_NOTFOUND);
}

static void an_anchor_that_did_not_sign_itself_is_none(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct inspect_context ctx = toy_context(toy);
	struct span certs[2] = { toy_edited(toy, TOY_TA, "tbs", "1:05", TOY_KEEP_SIGNATURE), toy_object(toy, TOY_CA) };
	struct inspection i;

	(void)state;
	ctx.certs = certs;
	assert_true(OK(rpki_inspect(toy_object(toy, TOY_ROA), span_text("a.roa"), &ctx, a, &i)));
	assert_true(i.state == CHAIN_BROKEN && i.chain_count == 1);
}

static void several_faults_are_all_said(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	AUTO(strbuf_free) struct strbuf *b = strbuf_new(1 << 20);
	struct inspect_context ctx = toy_context(toy);
	struct inspection i;
	struct span s = toy_edited(toy, TOY_CA, "tbs", "7.0.0- 7.0.3- 1:00", 0);
	const char *text = look(TOY_CA, s, &ctx, false, a, b, &i);

	(void)state;
	assert_non_null(strstr(text, "rfc6487#4.2: RFC 6487 section 4.2: the serial number is not positive\n"));
	assert_non_null(strstr(text, "rfc6487#4.8.1: RFC 6487 section 4.8.1: no Basic Constraints in a CA certificate\n"));
	assert_non_null(strstr(text, "rfc6487#4.8.4: RFC 6487 section 4.8.4: no Key Usage\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields),
		cmocka_unit_test(json),
		cmocka_unit_test(without_a_chain),
		cmocka_unit_test(an_anchor_that_did_not_sign_itself_is_none),
		cmocka_unit_test(several_faults_are_all_said),
	};
	int failed;

	toy = toy_new();
	if (toy == NULL)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	toy_free(toy);
	return failed;
}
