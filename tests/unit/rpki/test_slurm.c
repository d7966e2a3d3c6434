/* Local exceptions (RFC 8416). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rpki/serve/slurm.h"

#define EMPTY_FILTERS "\"validationOutputFilters\": { \"prefixFilters\": [], \"bgpsecFilters\": [] }"
#define EMPTY_ASSERTIONS "\"locallyAddedAssertions\": { \"prefixAssertions\": [], \"bgpsecAssertions\": [] }"
#define V1(filters, keys, prefixes, router_keys) \
	"{ \"slurmVersion\": 1, \"validationOutputFilters\": { \"prefixFilters\": [" filters "], \"bgpsecFilters\": [" keys "] }, " \
	"\"locallyAddedAssertions\": { \"prefixAssertions\": [" prefixes "], \"bgpsecAssertions\": [" router_keys "] } }"
#define V2(customers, aspas) \
	"{ \"slurmVersion\": 2, \"validationOutputFilters\": { \"prefixFilters\": [], \"bgpsecFilters\": [], \"aspaFilters\": [" customers \
	"] }, \"locallyAddedAssertions\": { \"prefixAssertions\": [], \"bgpsecAssertions\": [], \"aspaAssertions\": [" aspas "] } }"
#define SKI20 "AAAAAAAAAAAAAAAAAAAAAAAAAAE"

static struct result read_texts(const char *const *texts, size_t n, struct strbuf *report, struct slurm **ret)
{
	static const char *const names[] = { "a.json", "b.json", "c.json" };
	struct slurm_file files[3];

	for (size_t i = 0; i < n; i++)
		files[i] = (struct slurm_file){ names[i], span_text(texts[i]) };
	return slurm_read(files, n, report, ret);
}

static struct slurm *read_ok(const char *text) OWNED_BY(slurm_free);
static struct slurm *read_ok(const char *text)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(65536);
	struct slurm *s = NULL;
	struct result r;

	assert_non_null(report);
	r = read_texts(&text, 1, report, &s);
	assert_string_equal(strbuf_text(report), "");
	assert_true(OK(r));
	return s;
}

static void expect_report(const char *const *texts, size_t n, const char *want)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(65536);
	struct slurm *s = NULL;

	assert_non_null(report);
	assert_int_equal(read_texts(texts, n, report, &s).e, ERR_FORMAT);
	assert_string_equal(strbuf_text(report), want);
	assert_null(s);
}

static void expect_finding(const char *text, const char *want)
{
	expect_report(&text, 1, want);
}

static void add(struct table_builder *b, const char *prefix, uint8_t maxlen, uint32_t asn)
{
	struct prefix p;
	struct vrp v = { .asn = 0 };

	assert_true(OK(prefix_parse(prefix, &p)));
	assert_true(OK(vrp_make(&p, maxlen, asn, &v)));
	assert_true(OK(table_builder_add_vrp(b, &v, SOURCE_NONE)));
}

static struct payload_table *validated(void) OWNED_BY(table_unref);
static struct payload_table *validated(void)
{
	AUTO(table_builder_free) struct table_builder *b = table_builder_new(NULL);
	struct router_key k = { .ski = { [19] = 1 }, .asn = 5, .spki = span_text("key") };
	struct payload_table *t = NULL;
	uint32_t providers[] = { 1, 2 };

	assert_non_null(b);
	add(b, "192.0.2.0/24", 24, 1);
	add(b, "192.0.2.128/25", 25, 2);
	add(b, "192.0.0.0/16", 24, 2);
	add(b, "198.51.100.0/24", 24, 3);
	add(b, "2001:db8::/32", 48, 1);
	assert_true(OK(table_builder_add_key(b, &k, SOURCE_NONE)));
	k.ski[19] = 2;
	assert_true(OK(table_builder_add_key(b, &k, SOURCE_NONE)));
	assert_true(OK(table_builder_add_aspa(b, 7, providers, 2, SOURCE_NONE)));
	assert_true(OK(table_builder_add_aspa(b, 8, providers, 2, SOURCE_NONE)));
	assert_true(OK(table_builder_finish(MOVE(b), 1, &t)));
	return t;
}

static struct payload_table *apply(const char *text, struct slurm_counts *counts) OWNED_BY(table_unref);
static struct payload_table *apply(const char *text, struct slurm_counts *counts)
{
	AUTO(slurm_free) struct slurm *s = read_ok(text);
	AUTO(table_unref) struct payload_table *t = validated();
	struct payload_table *out = NULL;

	assert_true(OK(slurm_apply(s, t, NULL, 2, counts, &out)));
	return out;
}

static bool has(const struct payload_table *t, const char *prefix, uint8_t maxlen, uint32_t asn)
{
	struct prefix p;
	struct vrp v = { .asn = 0 };

	assert_true(OK(prefix_parse(prefix, &p)));
	assert_true(OK(vrp_make(&p, maxlen, asn, &v)));
	return table_has_vrp(t, &v);
}

static void prefix_filters_match_what_they_cover(void **state)
{
	struct slurm_counts n;
	AUTO(table_unref) struct payload_table *t = NULL, *u = NULL, *v = NULL;

	(void)state;
	t = apply(V1("{ \"prefix\": \"192.0.2.0/24\" }", "", "", ""), &n);
	assert_int_equal(n.filtered[PAYLOAD_VRP], 2);
	assert_true(has(t, "192.0.0.0/16", 24, 2));
	assert_false(has(t, "192.0.2.0/24", 24, 1));
	u = apply(V1("{ \"asn\": 1 }", "", "", ""), &n);
	assert_int_equal(n.filtered[PAYLOAD_VRP], 2);
	assert_false(has(u, "2001:db8::/32", 48, 1));
	v = apply(V1("{ \"asn\": 2, \"prefix\": \"192.0.2.0/24\", \"comment\": \"x\" }, { \"prefix\": \"::/0\" }", "", "", ""), &n);
	assert_int_equal(n.filtered[PAYLOAD_VRP], 2);
	assert_false(has(v, "192.0.2.128/25", 25, 2));
	assert_true(has(v, "192.0.2.0/24", 24, 1));
	assert_int_equal(table_count(v, PAYLOAD_KEY), 2);
}

static void key_and_customer_filters(void **state)
{
	struct slurm_counts n;
	AUTO(table_unref) struct payload_table *t = NULL, *u = NULL, *v = NULL;

	(void)state;
	t = apply(V1("", "{ \"SKI\": \"" SKI20 "\" }", "", ""), &n);
	assert_int_equal(n.filtered[PAYLOAD_KEY], 1);
	u = apply(V1("", "{ \"asn\": 5 }, { \"SKI\": \"" SKI20 "\", \"asn\": 6 }", "", ""), &n);
	assert_int_equal(n.filtered[PAYLOAD_KEY], 2);
	v = apply(V2("{ \"customerAsn\": 7 }", ""), &n);
	assert_int_equal(n.filtered[PAYLOAD_ASPA], 1);
	assert_int_equal(table_aspa(v, 0).customer, 8);
}

static void assertions_come_after_filters_and_know_their_source(void **state)
{
	struct slurm_counts n;
	AUTO(table_unref) struct payload_table *t = NULL, *u = NULL;

	(void)state;
	t = apply(V1("{ \"prefix\": \"0.0.0.0/0\" }, { \"prefix\": \"::/0\" }", "",
			  "{ \"asn\": 9, \"prefix\": \"10.0.0.0/8\", \"maxPrefixLength\": 9, \"comment\": \"ours\" }, "
			  "{ \"asn\": 9, \"prefix\": \"2001:DB8::/32\" }",
			  "{ \"asn\": 4, \"SKI\": \"" SKI20 "\", \"routerPublicKey\": \"a2V5\" }"),
		&n);
	assert_int_equal(table_count(t, PAYLOAD_VRP), 2);
	assert_true(n.asserted[PAYLOAD_VRP] == 2 && n.asserted[PAYLOAD_KEY] == 1 && n.asserted[PAYLOAD_ASPA] == 0);
	assert_true(has(t, "10.0.0.0/8", 9, 9));
	assert_true(has(t, "2001:db8::/32", 32, 9));
	assert_int_equal(table_sources(t, PAYLOAD_VRP, 0), 1);
	assert_int_equal(table_source(t, PAYLOAD_VRP, 0, 0).kind, SOURCE_EXCEPTION);
	assert_string_equal(table_source(t, PAYLOAD_VRP, 0, 0).comment, "ours");
	assert_string_equal(table_source(t, PAYLOAD_VRP, 0, 0).uri, "a.json");
	assert_null(table_source(t, PAYLOAD_VRP, 1, 0).comment);
	assert_int_equal(table_count(t, PAYLOAD_KEY), 3);
	assert_true(span_equal(table_key(t, 0).spki, span_text("key")));
	u = apply(V2("{ \"customerAsn\": 7 }", "{ \"customerAsn\": 7, \"providerAsns\": [ 6, 5 ] }, { \"customerAsn\": 8, \"providerAsns\": [ 3 ] }"), &n);
	assert_int_equal(table_aspa(u, 0).n, 2);
	assert_int_equal(table_aspa(u, 0).providers[0], 5);
	assert_int_equal(table_aspa(u, 1).n, 3);
}

static void nothing_is_served_from_nothing_but_assertions(void **state)
{
	AUTO(slurm_free) struct slurm *s = read_ok(V1("", "", "{ \"asn\": 9, \"prefix\": \"10.0.0.0/8\" }", ""));
	AUTO(table_unref) struct payload_table *t = NULL;
	struct slurm_counts n;

	(void)state;
	assert_true(OK(slurm_apply(s, NULL, NULL, 1, &n, &t)));
	assert_int_equal(table_count(t, PAYLOAD_VRP), 1);
}

static void errors_name_file_and_place(void **state)
{
	(void)state;
	expect_finding("{", "a.json:1:2: a string expected\n");
	expect_finding("[]", "a.json: found an array, expected an object\n");
	expect_finding("{ \"slurmVersion\": 3 }", "a.json: slurmVersion: found 3, expected 1 or 2\n");
	expect_finding("{ " EMPTY_FILTERS "}", "a.json: slurmVersion: found nothing, expected 1 or 2\n");
	expect_finding("{ \"slurmVersion\": 1, " EMPTY_FILTERS "}", "a.json: locallyAddedAssertions: found nothing, expected an object\n");
	expect_finding("{ \"slurmVersion\": 1, \"more\": 1, " EMPTY_FILTERS ", " EMPTY_ASSERTIONS "}",
		"a.json: found the member \"more\", expected no such\n");
	expect_finding("{ \"slurmVersion\": 2, " EMPTY_FILTERS ", " EMPTY_ASSERTIONS "}",
		"a.json: validationOutputFilters.aspaFilters: found nothing, expected an array\n"
		"a.json: locallyAddedAssertions.aspaAssertions: found nothing, expected an array\n");
	expect_finding(V1("{}", "{}", "{}", "{}"),
		"a.json: validationOutputFilters.prefixFilters[0]: found neither prefix nor asn, expected at least one\n"
		"a.json: validationOutputFilters.bgpsecFilters[0]: found neither asn nor SKI, expected at least one\n"
		"a.json: locallyAddedAssertions.prefixAssertions[0].prefix: found nothing, expected a prefix\n"
		"a.json: locallyAddedAssertions.bgpsecAssertions[0].asn: found nothing, expected an AS number\n");
	expect_finding(V1("{ \"prefix\": \"10.0.0.1/8\" }, { \"prefix\": \"10.0.0.1\" }, { \"prefix\": 10 }, 7", "", "", ""),
		"a.json: validationOutputFilters.prefixFilters[0].prefix: found \"10.0.0.1/8\", expected no bits behind the length\n"
		"a.json: validationOutputFilters.prefixFilters[1].prefix: found \"10.0.0.1\", expected ADDRESS/LENGTH\n"
		"a.json: validationOutputFilters.prefixFilters[2].prefix: found a number, expected a prefix as text\n"
		"a.json: validationOutputFilters.prefixFilters[3]: found a number, expected an object\n");
	expect_finding(V1("", "", "{ \"prefix\": \"10.0.0.0/8\", \"asn\": 4294967296 }, { \"prefix\": \"10.0.0.0/8\", \"asn\": \"AS1\" }, "
				  "{ \"prefix\": \"10.0.0.0/8\", \"asn\": 1, \"maxPrefixLength\": 7 }, { \"prefix\": \"10.0.0.0/8\", \"asn\": 1, \"x\": 1 }", ""),
		"a.json: locallyAddedAssertions.prefixAssertions[0].asn: found 4294967296, expected 0 to 4294967295\n"
		"a.json: locallyAddedAssertions.prefixAssertions[1].asn: found a string, expected a whole number\n"
		"a.json: locallyAddedAssertions.prefixAssertions[2].maxPrefixLength: found 7, expected 8 to 32\n"
		"a.json: locallyAddedAssertions.prefixAssertions[3]: found the member \"x\", expected no such\n");
	expect_finding(V1("", "{ \"SKI\": \"Zm9v\" }", "", "{ \"asn\": 1, \"SKI\": \"" SKI20 "\", \"routerPublicKey\": \"*\" }"),
		"a.json: validationOutputFilters.bgpsecFilters[0].SKI: found \"Zm9v\", expected 20 octets in base64\n"
		"a.json: locallyAddedAssertions.bgpsecAssertions[0].routerPublicKey: found no key of 1 to 65503 octets in base64\n");
	expect_finding(V2("{}", "{ \"customerAsn\": 1, \"providerAsns\": [] }, { \"customerAsn\": 1, \"providerAsns\": [ -1 ] }"),
		"a.json: validationOutputFilters.aspaFilters[0].customerAsn: found nothing, expected the AS number of a customer\n"
		"a.json: locallyAddedAssertions.aspaAssertions[0].providerAsns: found 0 providers, expected an array of 1 to 16380\n"
		"a.json: locallyAddedAssertions.aspaAssertions[1].providerAsns: found a number, expected AS numbers\n");
}

static void files_that_overlap_are_refused_together(void **state)
{
	static const char *const prefixes[] = { V1("{ \"prefix\": \"10.0.0.0/8\" }", "", "", ""),
		V1("", "", "{ \"prefix\": \"11.0.0.0/8\", \"asn\": 1 }, { \"prefix\": \"10.1.0.0/16\", \"asn\": 1 }", "") };
	static const char *const keys[] = { V1("", "{ \"asn\": 1 }", "", ""),
		V1("", "", "", "{ \"asn\": 1, \"SKI\": \"" SKI20 "\", \"routerPublicKey\": \"a2V5\" }") };
	static const char *const customers[] = { V2("{ \"customerAsn\": 1 }", ""), V2("", "{ \"customerAsn\": 1, \"providerAsns\": [ 2 ] }") };
	static const char *const apart[] = { V1("{ \"prefix\": \"10.0.0.0/8\" }, { \"prefix\": \"10.0.0.0/9\" }", "", "", ""),
		V1("", "{ \"asn\": 1 }", "{ \"prefix\": \"11.0.0.0/8\", \"asn\": 1 }", ""), V2("{ \"customerAsn\": 1 }", "") };
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(65536);
	AUTO(slurm_free) struct slurm *s = NULL;

	(void)state;
	expect_report(prefixes, 2, "b.json: found the prefix 10.1.0.0/16, which a.json speaks of too; expected files that do not overlap\n");
	expect_report(keys, 2, "b.json: found router keys of AS1, which a.json speaks of too; expected files that do not overlap\n");
	expect_report(customers, 2, "b.json: found the customer AS1, which a.json speaks of too; expected files that do not overlap\n");
	assert_true(OK(read_texts(apart, 3, report, &s)));
}

static void no_memory_leaves_nothing(void **state)
{
	static const char *const text = V1("{ \"prefix\": \"10.0.0.0/8\" }", "{ \"asn\": 1 }", "{ \"prefix\": \"11.0.0.0/8\", \"asn\": 1, \"comment\": \"x\" }",
		"{ \"asn\": 1, \"SKI\": \"" SKI20 "\", \"routerPublicKey\": \"a2V5\" }");
	uint64_t before = mem_usage().objects;

	(void)state;
	for (uint64_t n = 1; n < 1000; n++) {
		struct slurm *s = NULL;
		struct strbuf *report;
		struct result r = FAIL(ERR_NOMEM);

		mem_fail_at(n, false);
		report = strbuf_new(65536);
		if (report != NULL)
			r = read_texts(&text, 1, report, &s);
		mem_fail_at(0, false);
		strbuf_free(report);
		slurm_free(s);
		assert_int_equal(mem_usage().objects, before);
		if (OK(r))
			return;
	}
	fail();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prefix_filters_match_what_they_cover),
		cmocka_unit_test(key_and_customer_filters),
		cmocka_unit_test(assertions_come_after_filters_and_know_their_source),
		cmocka_unit_test(nothing_is_served_from_nothing_but_assertions),
		cmocka_unit_test(errors_name_file_and_place),
		cmocka_unit_test(files_that_overlap_are_refused_together),
		cmocka_unit_test(no_memory_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
