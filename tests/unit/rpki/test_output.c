/* Formats of output: small ones whole, and beside the samples of their programs where those are at hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "rpki/serve/output_inside.h"
#include "rpki/serve/json.h"
#include "rpki/serve/output.h"
#include "rpki/serve/slurm.h"

static void put(struct table_builder *b, const char *prefix, uint8_t maxlen, uint32_t asn, uint32_t source)
{
	struct prefix p;
	struct vrp v = { .asn = 0 };

	assert_true(OK(prefix_parse(prefix, &p)));
	assert_true(OK(vrp_make(&p, maxlen, asn, &v)));
	assert_true(OK(table_builder_add_vrp(b, &v, source)));
}

static char *render(enum output_format f, const struct payload_table *t, const struct output_info *info, size_t want) OWNED_BY(mem_free);
static char *render(enum output_format f, const struct payload_table *t, const struct output_info *info, size_t want)
{
	AUTO(strbuf_free) struct strbuf *all = strbuf_new(1u << 28), *piece = strbuf_new(1u << 20);
	AUTO(output_free) struct output *o = NULL;
	bool more;

	assert_true(all != NULL && piece != NULL);
	assert_true(OK(output_new(f, t, info, &o)));
	do {
		strbuf_clear(piece);
		more = output_more(o, piece, want);
		assert_true(strbuf_ok(piece));
		strbuf_add_span(all, strbuf_span(piece));
	} while (more);
	return strbuf_take(all);
}

static void expect(enum output_format f, const struct payload_table *t, const struct output_info *info, const char *want)
{
	AUTO_CHARS char *whole = render(f, t, info, 1u << 20), *bits = render(f, t, info, 1);

	assert_string_equal(whole, want);
	assert_string_equal(bits, want);
}

/* A ROA with two prefixes, an exception, a router key, an ASPA. */
static struct payload_table *small_table(void) OWNED_BY(table_unref);
static struct payload_table *small_table(void)
{
	AUTO(table_builder_free) struct table_builder *b = table_builder_new(NULL);
	struct payload_source roa = { .kind = SOURCE_ROA, .tal = "ripe", .uri = "rsync://a.example/x.roa", .not_before = 1000000000,
		.not_after = 2000000000, .chain_not_before = 1100000000, .chain_not_after = 1900000000, .stale = 1800000000 };
	struct payload_source mine = { .kind = SOURCE_EXCEPTION, .uri = "/etc/slurm.json", .comment = "a \"test\"" };
	struct router_key k = { .ski = { 0xab, 1 }, .asn = 64496, .spki = span_text("\xff\xfe\xfd!") };
	struct payload_table *t = NULL;
	uint32_t first, second, providers[] = { 64501, 64500 };

	assert_non_null(b);
	assert_true(OK(table_builder_add_source(b, &roa, &first)));
	assert_true(OK(table_builder_add_source(b, &mine, &second)));
	put(b, "2001:db8::/32", 48, 64496, first);
	put(b, "192.0.2.0/24", 24, 64496, first);
	put(b, "192.0.2.0/24", 24, 64496, second);
	put(b, "198.51.100.0/24", 25, 64497, second);
	assert_true(OK(table_builder_add_key(b, &k, first)));
	assert_true(OK(table_builder_add_aspa(b, 64498, providers, 2, first)));
	assert_true(OK(table_builder_finish(MOVE(b), 1, &t)));
	return t;
}

static const struct output_info at_ten = { .generated_sec = 1767268800 };

static void csv_forms(void **state)
{
	AUTO(table_unref) struct payload_table *t = small_table();

	(void)state;
	expect(OUTPUT_CSV, t, &at_ten,
		"ASN,IP Prefix,Max Length,Trust Anchor\n"
		"AS64496,192.0.2.0/24,24,ripe\n"
		"AS64497,198.51.100.0/24,25,N/A\n"
		"AS64496,2001:db8::/32,48,ripe\n");
	expect(OUTPUT_CSVCOMPAT, t, &at_ten,
		"\"ASN\",\"IP Prefix\",\"Max Length\",\"Trust Anchor\"\n"
		"\"AS64496\",\"192.0.2.0/24\",\"24\",\"ripe\"\n"
		"\"AS64497\",\"198.51.100.0/24\",\"25\",\"N/A\"\n"
		"\"AS64496\",\"2001:db8::/32\",\"48\",\"ripe\"\n");
	expect(OUTPUT_CSVEXT, t, &at_ten,
		"URI,ASN,IP Prefix,Max Length,Not Before,Not After\n"
		"rsync://a.example/x.roa,AS64496,192.0.2.0/24,24,2001-09-09 01:46:40,2033-05-18 03:33:20\n"
		"N/A,AS64497,198.51.100.0/24,25,N/A,N/A\n"
		"rsync://a.example/x.roa,AS64496,2001:db8::/32,48,2001-09-09 01:46:40,2033-05-18 03:33:20\n");
}

#define ROA_SOURCE \
	"{ \"type\": \"roa\", \"uri\": \"rsync://a.example/x.roa\", \"tal\": \"ripe\", \"validity\": { \"notBefore\": \"2001-09-09T01:46:40Z\", " \
	"\"notAfter\": \"2033-05-18T03:33:20Z\" }, \"chainValidity\": { \"notBefore\": \"2004-11-09T11:33:20Z\", \"notAfter\": " \
	"\"2030-03-17T17:46:40Z\" }, \"stale\": \"2027-01-15T08:00:00Z\" }"
#define MY_SOURCE "{ \"type\": \"exception\", \"path\": \"/etc/slurm.json\", \"comment\": \"a \\\"test\\\"\" }"
#define META "{\n  \"metadata\": {\n    \"generated\": 1767268800,\n    \"generatedTime\": \"2026-01-01T12:00:00Z\"\n  }"

static void json_forms(void **state)
{
	AUTO(table_unref) struct payload_table *t = small_table();
	struct output_info some = at_ten;

	(void)state;
	expect(OUTPUT_JSON, t, &at_ten,
		META ",\n  \"roas\": [\n"
		     "    { \"asn\": \"AS64496\", \"prefix\": \"192.0.2.0/24\", \"maxLength\": 24, \"ta\": \"ripe\" },\n"
		     "    { \"asn\": \"AS64497\", \"prefix\": \"198.51.100.0/24\", \"maxLength\": 25, \"ta\": \"N/A\" },\n"
		     "    { \"asn\": \"AS64496\", \"prefix\": \"2001:db8::/32\", \"maxLength\": 48, \"ta\": \"ripe\" }\n  ],\n"
		     "  \"routerKeys\": [\n    { \"asn\": \"AS64496\", \"SKI\": \"AB01000000000000000000000000000000000000\", "
		     "\"routerPublicKey\": \"__79IQ\", \"ta\": \"ripe\" }\n  ],\n"
		     "  \"aspas\": [\n    { \"customer\": \"AS64498\", \"providers\": [\"AS64500\", \"AS64501\"], \"ta\": \"ripe\" }\n  ]\n}\n");
	some.exclude[PAYLOAD_KEY] = some.exclude[PAYLOAD_ASPA] = true;
	expect(OUTPUT_JSONEXT, t, &some,
		META ",\n  \"roas\": [\n"
		     "    { \"asn\": \"AS64496\", \"prefix\": \"192.0.2.0/24\", \"maxLength\": 24, \"source\": [ " ROA_SOURCE ", " MY_SOURCE "] },\n"
		     "    { \"asn\": \"AS64497\", \"prefix\": \"198.51.100.0/24\", \"maxLength\": 25, \"source\": [ " MY_SOURCE "] },\n"
		     "    { \"asn\": \"AS64496\", \"prefix\": \"2001:db8::/32\", \"maxLength\": 48, \"source\": [ " ROA_SOURCE "] }\n  ]\n}\n");
}

static void forms_for_routers(void **state)
{
	AUTO(table_unref) struct payload_table *t = small_table();

	(void)state;
	expect(OUTPUT_OPENBGPD, t, &at_ten,
		"roa-set {\n    192.0.2.0/24 source-as 64496\n    198.51.100.0/24 maxlen 25 source-as 64497\n"
		"    2001:db8::/32 maxlen 48 source-as 64496\n}\n");
	expect(OUTPUT_BIRD1, t, &at_ten,
		"roa 192.0.2.0/24 max 24 as 64496;\nroa 198.51.100.0/24 max 25 as 64497;\nroa 2001:db8::/32 max 48 as 64496;\n");
	expect(OUTPUT_BIRD2, t, &at_ten,
		"route 192.0.2.0/24 max 24 as 64496;\nroute 198.51.100.0/24 max 25 as 64497;\nroute 2001:db8::/32 max 48 as 64496;\n");
#define OBJECT(class, prefix, asn, ta) \
	"\r\n" class ": " prefix "\r\norigin: " asn "\r\ndescr: RPKI attestation\r\nmnt-by: NA\r\ncreated: 2026-01-01T12:00:00Z\r\n" \
	"last-modified: 2026-01-01T12:00:00Z\r\nsource: ROA-" ta "-RPKI-ROOT\r\n"
	expect(OUTPUT_RPSL, t, &at_ten,
		OBJECT("route", "192.0.2.0/24", "AS64496", "RIPE") OBJECT("route", "198.51.100.0/24", "AS64497", "N/A")
			OBJECT("route6", "2001:db8::/32", "AS64496", "RIPE"));
}

static void a_summary_of_trust_anchors(void **state)
{
	AUTO(table_unref) struct payload_table *t = small_table();
	struct output_tally one = { "ripe", 1, 2, 2, 1, 1, 1, 1, 1 };
	struct output_info info = { .generated_sec = 1767268800, .tallies = &one, .ntallies = 1, .total = { NULL, 1, 2, 3, 1, 1, 1, 1, 1 } };

	(void)state;
	expect(OUTPUT_SUMMARY, t, &info,
		"Summary at 2026-01-01 12:00:00 UTC\n"
		"ripe: \n            ROAs:       1 verified;\n            VRPs:       2 verified,       2 final;\n"
		"    router certs:       1 verified;\n     router keys:       1 verified,       1 final;\n"
		"           ASPAs:       1 verified,       1 final;\n"
		"total: \n            ROAs:       1 verified;\n            VRPs:       2 verified,       3 final;\n"
		"    router certs:       1 verified;\n     router keys:       1 verified,       1 final;\n"
		"           ASPAs:       1 verified,       1 final;\n");
}

static void slurm_reads_back(void **state)
{
	AUTO(table_unref) struct payload_table *t = small_table(), *back = NULL;
	AUTO_CHARS char *text = render(OUTPUT_SLURM2, t, &at_ten, 100);
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(1000);
	struct slurm_file file = { "x", span_text(text) };
	AUTO(slurm_free) struct slurm *s = NULL;
	struct slurm_counts n;

	(void)state;
	assert_true(OK(slurm_read(&file, 1, report, &s)));
	assert_true(OK(slurm_apply(s, NULL, NULL, 1, &n, &back)));
	assert_true(table_equal(t, back));
}

static void a_file_is_replaced_whole(void **state)
{
	AUTO(table_unref) struct payload_table *t = small_table();
	char path[] = "/tmp/cairn-output-XXXXXX";
	int fd = mkstemp(path);
	AUTO_CHARS char *got = NULL, *want = render(OUTPUT_JSON, t, &at_ten, 1u << 20);
	size_t n;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	assert_true(OK(output_write_file(OUTPUT_JSON, t, &at_ten, path)));
	assert_true(OK(file_read_all(path, 1u << 20, &got, &n)));
	assert_string_equal(got, want);
	assert_int_equal(output_write_file(OUTPUT_JSON, t, &at_ten, "/nowhere/at/all").e, ERR_SYSTEM);
	assert_int_equal(unlink(path), 0);
}

/* ------------------------------------------------------------------------------------------------------------ the samples */

/* NULL: it is not there. */
static char *sample(const char *name) OWNED_BY(mem_free);
static char *sample(const char *name)
{
	const char *shared = getenv("CAIRN_SHARED"), *src = getenv("CAIRN_SRC");
	AUTO_CHARS char *path = shared != NULL ? mem_printf("%s/data/rpki/%s", shared, name) :
						 mem_printf("%s/../shared/data/rpki/%s", src != NULL ? src : ".", name);
	char *text = NULL;
	size_t n;

	assert_non_null(path);
	return OK(file_read_all(path, 1u << 28, &text, &n)) ? text : NULL;
}

/* The samples have each payload twice, a table once: so here it is twice with neighbouring AS numbers, which are made one in the text. */
static struct payload_table *sample_table(void) OWNED_BY(table_unref);
static struct payload_table *sample_table(void)
{
	AUTO(table_builder_free) struct table_builder *b = table_builder_new(NULL);
	static const uint8_t zeros[64];
	struct payload_table *t = NULL;
	uint32_t providers[] = { 1, 2, 3, 4 };

	assert_non_null(b);
	for (uint32_t asn = 1234; asn <= 1235; asn++) {
		struct router_key k = { .asn = asn, .spki = span_of(zeros, sizeof zeros) };

		put(b, "12.34.56.0/24", 24, asn, SOURCE_NONE);
		assert_true(OK(table_builder_add_key(b, &k, SOURCE_NONE)));
		assert_true(OK(table_builder_add_aspa(b, asn, providers, 4, SOURCE_NONE)));
	}
	assert_true(OK(table_builder_finish(MOVE(b), 1, &t)));
	return t;
}

static void routinators_samples(void **state)
{
	static const char *const suffix[] = { "csv", "csvcompat", "csvext", "json", "jsonext", "openbgpd", "bird1", "bird2", NULL, "slurm", "slurm2",
		"summary" };
	AUTO(table_unref) struct payload_table *t = sample_table();
	unsigned int compared = 0;

	(void)state;
	for (unsigned int f = 0; f < sizeof suffix / sizeof suffix[0]; f++) {
		for (unsigned int set = 0; set < 8 && suffix[f] != NULL; set++) {
			struct output_info info = { .exclude = { (set & 4) == 0, (set & 2) == 0, (set & 1) == 0 } };
			AUTO_CHARS char *name = mem_printf("routinator/output/%u%u%u.%s", set >> 2 & 1, set >> 1 & 1, set & 1, suffix[f]);
			AUTO_CHARS char *want = sample(name), *got = render(f, t, &info, 1000);

			if (want == NULL)
				skip();
			for (char *at = got; (at = strstr(at, "1235")) != NULL;)
				at[3] = '4';
			assert_string_equal(got, want);
			compared++;
		}
	}
	assert_int_equal(compared, 11 * 8);
}

static const char *text_of(const struct json *object, const char *key)
{
	const struct json *m = json_member(object, key);

	assert_true(m != NULL && m->type == JSON_STRING);
	return m->text;
}

static int64_t number_of(const struct json *object, const char *key)
{
	const struct json *m = json_member(object, key);

	assert_true(m != NULL && m->type == JSON_INTEGER);
	return m->number;
}

/* rpki-client's sample, read, and written again. */
static void rpki_clients_sample(void **state)
{
	AUTO_CHARS char *want = sample("rpki-monitoring/expected/pilot.json"), *got = NULL;
	AUTO(arena_free) struct arena *a = arena_new(1u << 26);
	AUTO(table_builder_free) struct table_builder *b = table_builder_new(NULL);
	AUTO(table_unref) struct payload_table *t = NULL;
	struct output_member members[64] = { { .name = NULL } };
	struct output_nonfunctional ca = { .location = NULL };
	struct output_info info = { .members = members, .nonfunctional = &ca, .nnonfunctional = 1 };
	const struct json *top, *list, *value;
	struct json_error error;
	const char *talfile;

	(void)state;
	if (want == NULL)
		skip();
	assert_true(a != NULL && b != NULL);
	assert_true(OK(json_read(span_text(want), a, &top, &error)));
	list = json_member(top, "metadata");
	assert_non_null(list);
	for (value = list->child; value != NULL; value = value->next) {
		struct output_member *m = &members[info.nmembers++];

		m->name = value->key;
		m->text = value->type == JSON_STRING ? value->text : NULL;
		m->number = value->type == JSON_INTEGER ? value->number : 0;
		if (value->type == JSON_ARRAY) {
			assert_int_equal(value->n, 1);
			talfile = value->child->text;
			m->list = &talfile;
			m->n = 1;
		}
	}
	list = json_member(top, "nonfunc_cas");
	assert_true(list != NULL && list->n == 1);
	value = list->child;
	ca = (struct output_nonfunctional){ text_of(value, "location"), text_of(value, "ta"), text_of(value, "caRepository"), text_of(value, "rpkiManifest"),
		text_of(value, "ski") };
	list = json_member(top, "roas");
	assert_non_null(list);
	for (value = list->child; value != NULL; value = value->next) {
		int64_t expires = number_of(value, "expires");
		struct payload_source s = { .kind = SOURCE_ROA, .tal = "pilot", .chain_not_after = expires + 10, .stale = expires };
		uint32_t id;

		assert_true(OK(table_builder_add_source(b, &s, &id)));
		put(b, text_of(value, "prefix"), (uint8_t)number_of(value, "maxLength"), (uint32_t)number_of(value, "asn"), id);
	}
	assert_true(OK(table_builder_finish(MOVE(b), 1, &t)));
	got = render(OUTPUT_RPKI_CLIENT, t, &info, 1000);
	assert_string_equal(got, want);
}

static void rpki_clients_keys_and_aspas(void **state)
{
	AUTO(table_unref) struct payload_table *t = small_table();
	struct output_member m = { .name = "vrps", .number = 3 };
	struct output_info info = { .members = &m, .nmembers = 1 };

	(void)state;
	expect(OUTPUT_RPKI_CLIENT, t, &info,
		"{\n\t\"metadata\": {\n\t\t\"vrps\": 3\n\t},\n\t\"roas\": [\n"
		"\t\t{ \"asn\": 64496, \"prefix\": \"192.0.2.0/24\", \"maxLength\": 24, \"ta\": \"ripe\", \"expires\": 1800000000 },\n"
		"\t\t{ \"asn\": 64497, \"prefix\": \"198.51.100.0/24\", \"maxLength\": 25, \"ta\": \"N/A\", \"expires\": 0 },\n"
		"\t\t{ \"asn\": 64496, \"prefix\": \"2001:db8::/32\", \"maxLength\": 48, \"ta\": \"ripe\", \"expires\": 1800000000 }\n\t],\n"
		"\t\"bgpsec_keys\": [\n\t\t{\n\t\t\t\"asn\": 64496,\n\t\t\t\"ski\": \"AB01000000000000000000000000000000000000\",\n"
		"\t\t\t\"pubkey\": \"//79IQ==\",\n\t\t\t\"ta\": \"ripe\",\n\t\t\t\"expires\": 1800000000\n\t\t}\n\t],\n"
		"\t\"nonfunc_cas\": [\n\n\t],\n"
		"\t\"aspas\": [\n\t\t{ \"customer_asid\": 64498, \"expires\": 1800000000, \"providers\": [ 64500, 64501 ] }\n\t],\n"
		"\t\"signedprefixlists\": [\n\n\t]\n}\n");
}

/* Prefixes are printed without printf(), as inet_ntop() would. */
static void prefixes_are_as_inet_ntop_has_them(void **state)
{
	struct strbuf *out = strbuf_new(100);
	uint32_t random = 1;

	(void)state;
	for (unsigned int n = 0; n < 20000; n++) {
		struct vrp v = { .family = n % 4 == 0 ? ADDR_V4 : ADDR_V6, .len = n % 4 == 0 ? 32 : 128 };
		struct prefix p;
		char text[ADDR_TEXT], whole[ADDR_TEXT + 8];

		for (unsigned int i = 0; i < (n % 4 == 0 ? 4 : 16); i++) {
			random = random * 1664525 + 1013904223;
			v.addr[i] = (random >> 28) < 11 ? 0 : (random >> 28) == 15 ? 0xff : (uint8_t)(random >> 16);
		}
		p = vrp_prefix(&v);
		snprintf(whole, sizeof whole, "%s/%u", addr_text(&p.a, text), v.len);
		strbuf_clear(out);
		output_prefix(out, &v);
		assert_string_equal(strbuf_text(out), whole);
	}
	strbuf_free(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prefixes_are_as_inet_ntop_has_them),
		cmocka_unit_test(csv_forms),
		cmocka_unit_test(json_forms),
		cmocka_unit_test(forms_for_routers),
		cmocka_unit_test(a_summary_of_trust_anchors),
		cmocka_unit_test(slurm_reads_back),
		cmocka_unit_test(a_file_is_replaced_whole),
		cmocka_unit_test(routinators_samples),
		cmocka_unit_test(rpki_clients_sample),
		cmocka_unit_test(rpki_clients_keys_and_aspas),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
