/* output_forms.c: the formats, one after the other. */
#include "base/base64.h"
#include "base/clock.h"
#include "rpki/serve/output_inside.h"

static struct vrp vrp_at(const struct output *o, size_t i)
{
	return table_vrp(o->table, i);
}

/* "2026-01-31 12:00:00" */
static void spaced_time(struct strbuf *out, int64_t sec)
{
	char iso[32];

	strbuf_printf(out, "%.10s %.8s", clock_iso(sec, iso), iso + 11);
}

static void iso_time(struct strbuf *out, int64_t sec)
{
	char iso[32];

	strbuf_puts(out, clock_iso(sec, iso));
}

static void json_text(struct strbuf *out, const char *s)
{
	strbuf_json_string(out, span_text(s));
}

/* --------------------------------------------------------------------------------------------------------------------- csv */

static void csv_begin(struct output *o, struct strbuf *out)
{
	(void)o;
	strbuf_puts(out, "ASN,IP Prefix,Max Length,Trust Anchor\n");
}

static void csv_vrp(struct output *o, struct strbuf *out, size_t i)
{
	struct vrp v = vrp_at(o, i);

	strbuf_puts(out, "AS");
	strbuf_number(out, v.asn);
	strbuf_putc(out, ',');
	output_prefix(out, &v);
	strbuf_putc(out, ',');
	strbuf_number(out, v.maxlen);
	strbuf_putc(out, ',');
	strbuf_puts(out, output_ta(o, PAYLOAD_VRP, i));
	strbuf_putc(out, '\n');
}

static void csvcompat_begin(struct output *o, struct strbuf *out)
{
	(void)o;
	strbuf_puts(out, "\"ASN\",\"IP Prefix\",\"Max Length\",\"Trust Anchor\"\n");
}

static void csvcompat_vrp(struct output *o, struct strbuf *out, size_t i)
{
	struct vrp v = vrp_at(o, i);

	strbuf_printf(out, "\"AS%u\",\"", v.asn);
	output_prefix(out, &v);
	strbuf_printf(out, "\",\"%u\",\"%s\"\n", v.maxlen, output_ta(o, PAYLOAD_VRP, i));
}

static void csvext_begin(struct output *o, struct strbuf *out)
{
	(void)o;
	strbuf_puts(out, "URI,ASN,IP Prefix,Max Length,Not Before,Not After\n");
}

/* The first source that is an object speaks for the VRP. */
static bool object_source(const struct output *o, enum payload_kind k, size_t i, struct payload_source *ret)
{
	for (size_t w = 0; w < table_sources(o->table, k, i); w++) {
		*ret = table_source(o->table, k, i, w);
		if (ret->kind != SOURCE_EXCEPTION)
			return true;
	}
	return false;
}

static void csvext_vrp(struct output *o, struct strbuf *out, size_t i)
{
	struct vrp v = vrp_at(o, i);
	struct payload_source s = { .uri = NULL };
	bool object = object_source(o, PAYLOAD_VRP, i, &s);

	strbuf_printf(out, "%s,AS%u,", object && s.uri != NULL ? s.uri : "N/A", v.asn);
	output_prefix(out, &v);
	strbuf_printf(out, ",%u,", v.maxlen);
	if (object) {
		spaced_time(out, s.not_before);
		strbuf_putc(out, ',');
		spaced_time(out, s.not_after);
	} else {
		strbuf_puts(out, "N/A,N/A");
	}
	strbuf_putc(out, '\n');
}

/* ---------------------------------------------------------------------------------------------------------- json, jsonext */

static void json_begin(struct output *o, struct strbuf *out)
{
	strbuf_printf(out, "{\n  \"metadata\": {\n    \"generated\": %lld,\n    \"generatedTime\": \"", (long long)o->info->generated_sec);
	iso_time(out, o->info->generated_sec);
	strbuf_puts(out, "\"\n  }");
}

static void json_end(struct output *o, struct strbuf *out)
{
	(void)o;
	strbuf_puts(out, "\n}\n");
}

static void json_vrps(struct output *o, struct strbuf *out)
{
	(void)o;
	strbuf_puts(out, ",\n  \"roas\": [\n");
}

static void json_keys(struct output *o, struct strbuf *out)
{
	(void)o;
	strbuf_puts(out, ",\n  \"routerKeys\": [\n");
}

static void json_aspas(struct output *o, struct strbuf *out)
{
	(void)o;
	strbuf_puts(out, ",\n  \"aspas\": [\n");
}

static void json_foot(struct output *o, struct strbuf *out)
{
	(void)o;
	strbuf_puts(out, "\n  ]");
}

static void json_vrp_part(struct output *o, struct strbuf *out, size_t i)
{
	struct vrp v = vrp_at(o, i);

	strbuf_puts(out, "    { \"asn\": \"AS");
	strbuf_number(out, v.asn);
	strbuf_puts(out, "\", \"prefix\": \"");
	output_prefix(out, &v);
	strbuf_puts(out, "\", \"maxLength\": ");
	strbuf_number(out, v.maxlen);
	strbuf_puts(out, ", ");
}

static void json_key_part(struct output *o, struct strbuf *out, size_t i)
{
	struct router_key k = table_key(o->table, i);

	strbuf_printf(out, "    { \"asn\": \"AS%u\", \"SKI\": \"", k.asn);
	output_hex(out, k.ski, sizeof k.ski);
	strbuf_puts(out, "\", \"routerPublicKey\": \"");
	base64_print(out, k.spki, BASE64_URL | BASE64_UNPADDED);
	strbuf_puts(out, "\", ");
}

static void json_aspa_part(struct output *o, struct strbuf *out, size_t i)
{
	struct aspa_payload a = table_aspa(o->table, i);

	strbuf_printf(out, "    { \"customer\": \"AS%u\", \"providers\": [", a.customer);
	for (size_t p = 0; p < a.n; p++)
		strbuf_printf(out, "%s\"AS%u\"", p > 0 ? ", " : "", a.providers[p]);
	strbuf_puts(out, "], ");
}

static void json_ta(struct output *o, struct strbuf *out, enum payload_kind k, size_t i)
{
	strbuf_puts(out, "\"ta\": ");
	json_text(out, output_ta(o, k, i));
	strbuf_puts(out, " }");
}

static void json_vrp(struct output *o, struct strbuf *out, size_t i)
{
	json_vrp_part(o, out, i);
	json_ta(o, out, PAYLOAD_VRP, i);
}

static void json_key(struct output *o, struct strbuf *out, size_t i)
{
	json_key_part(o, out, i);
	json_ta(o, out, PAYLOAD_KEY, i);
}

static void json_aspa(struct output *o, struct strbuf *out, size_t i)
{
	json_aspa_part(o, out, i);
	json_ta(o, out, PAYLOAD_ASPA, i);
}

static void json_or_null(struct strbuf *out, const char *s)
{
	if (s != NULL)
		json_text(out, s);
	else
		strbuf_puts(out, "null");
}

static void jsonext_times(struct strbuf *out, const char *name, int64_t from, int64_t to)
{
	strbuf_printf(out, ", \"%s\": { \"notBefore\": \"", name);
	iso_time(out, from);
	strbuf_puts(out, "\", \"notAfter\": \"");
	iso_time(out, to);
	strbuf_puts(out, "\" }");
}

static void jsonext_source(struct strbuf *out, const struct payload_source *s)
{
	static const char *const kinds[] = { "roa", "cer", "aspa", "exception" };

	strbuf_printf(out, " { \"type\": \"%s\", \"%s\": ", kinds[s->kind], s->kind == SOURCE_EXCEPTION ? "path" : "uri");
	json_or_null(out, s->uri);
	if (s->kind == SOURCE_EXCEPTION) {
		if (s->comment != NULL) {
			strbuf_puts(out, ", \"comment\": ");
			json_text(out, s->comment);
		}
	} else {
		strbuf_puts(out, ", \"tal\": ");
		json_text(out, s->tal);
		jsonext_times(out, "validity", s->not_before, s->not_after);
		jsonext_times(out, "chainValidity", s->chain_not_before, s->chain_not_after);
		strbuf_puts(out, ", \"stale\": \"");
		iso_time(out, s->stale);
		strbuf_putc(out, '"');
	}
	strbuf_puts(out, " }");
}

static void jsonext_sources(struct output *o, struct strbuf *out, enum payload_kind k, size_t i)
{
	static const struct payload_source unknown = { .kind = SOURCE_EXCEPTION };
	size_t n = table_sources(o->table, k, i);

	strbuf_puts(out, "\"source\": [");
	for (size_t w = 0; w < n; w++) {
		struct payload_source s = table_source(o->table, k, i, w);

		strbuf_puts(out, w > 0 ? "," : "");
		jsonext_source(out, &s);
	}
	if (n == 0)
		jsonext_source(out, &unknown);
	strbuf_puts(out, "] }");
}

static void jsonext_vrp(struct output *o, struct strbuf *out, size_t i)
{
	json_vrp_part(o, out, i);
	jsonext_sources(o, out, PAYLOAD_VRP, i);
}

static void jsonext_key(struct output *o, struct strbuf *out, size_t i)
{
	json_key_part(o, out, i);
	jsonext_sources(o, out, PAYLOAD_KEY, i);
}

static void jsonext_aspa(struct output *o, struct strbuf *out, size_t i)
{
	json_aspa_part(o, out, i);
	jsonext_sources(o, out, PAYLOAD_ASPA, i);
}

/* ------------------------------------------------------------------------------------------------------------ for routers */

static void openbgpd_begin(struct output *o, struct strbuf *out)
{
	(void)o;
	strbuf_puts(out, "roa-set {\n");
}

static void openbgpd_end(struct output *o, struct strbuf *out)
{
	(void)o;
	strbuf_puts(out, "}\n");
}

static void openbgpd_vrp(struct output *o, struct strbuf *out, size_t i)
{
	struct vrp v = vrp_at(o, i);

	strbuf_puts(out, "    ");
	output_prefix(out, &v);
	if (v.maxlen != v.len)
		strbuf_printf(out, " maxlen %u", v.maxlen);
	strbuf_printf(out, " source-as %u\n", v.asn);
}

static void bird(struct output *o, struct strbuf *out, size_t i, const char *word)
{
	struct vrp v = vrp_at(o, i);

	strbuf_printf(out, "%s ", word);
	output_prefix(out, &v);
	strbuf_printf(out, " max %u as %u;\n", v.maxlen, v.asn);
}

static void bird1_vrp(struct output *o, struct strbuf *out, size_t i)
{
	bird(o, out, i, "roa");
}

static void bird2_vrp(struct output *o, struct strbuf *out, size_t i)
{
	bird(o, out, i, "route");
}

static void rpsl_vrp(struct output *o, struct strbuf *out, size_t i)
{
	struct vrp v = vrp_at(o, i);

	strbuf_printf(out, "\r\n%s: ", v.family == ADDR_V4 ? "route" : "route6");
	output_prefix(out, &v);
	strbuf_printf(out, "\r\norigin: AS%u\r\ndescr: RPKI attestation\r\nmnt-by: NA\r\ncreated: ", v.asn);
	iso_time(out, o->info->generated_sec);
	strbuf_puts(out, "\r\nlast-modified: ");
	iso_time(out, o->info->generated_sec);
	strbuf_puts(out, "\r\nsource: ROA-");
	for (const char *c = output_ta(o, PAYLOAD_VRP, i); *c != '\0'; c++)
		strbuf_putc(out, *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c);
	strbuf_puts(out, "-RPKI-ROOT\r\n");
}

/* ------------------------------------------------------------------------------------------------------------------- slurm */

static void slurm_begin(struct output *o, struct strbuf *out)
{
	(void)o;
	strbuf_puts(out, "{\n  \"slurmVersion\": 1,\n  \"validationOutputFilters\": {\n    \"prefixFilters\": [ ],\n    \"bgpsecFilters\": [ ]\n  },\n"
		"  \"locallyAddedAssertions\": {\n");
}

static void slurm2_begin(struct output *o, struct strbuf *out)
{
	(void)o;
	strbuf_puts(out, "{\n  \"slurmVersion\": 2,\n  \"validationOutputFilters\": {\n    \"prefixFilters\": [ ],\n    \"bgpsecFilters\": [ ],\n"
		"    \"aspaFilters\": [ ]\n  },\n  \"locallyAddedAssertions\": {\n");
}

static void slurm_comment(struct output *o, struct strbuf *out, enum payload_kind k, size_t i)
{
	strbuf_puts(out, "        \"comment\": ");
	json_text(out, output_ta(o, k, i));
	strbuf_puts(out, "\n      }");
}

static void slurm_vrp(struct output *o, struct strbuf *out, size_t i)
{
	struct vrp v = vrp_at(o, i);

	strbuf_printf(out, "      {\n        \"asn\": %u,\n        \"prefix\": \"", v.asn);
	output_prefix(out, &v);
	strbuf_puts(out, "\",\n");
	if (v.maxlen != v.len)
		strbuf_printf(out, "        \"maxPrefixLength\": %u,\n", v.maxlen);
	slurm_comment(o, out, PAYLOAD_VRP, i);
}

static void slurm_key(struct output *o, struct strbuf *out, size_t i)
{
	struct router_key k = table_key(o->table, i);

	strbuf_printf(out, "      {\n        \"asn\": %u,\n        \"SKI\": \"", k.asn);
	base64_print(out, span_of(k.ski, sizeof k.ski), BASE64_URL | BASE64_UNPADDED);
	strbuf_puts(out, "\",\n        \"routerPublicKey\": \"");
	base64_print(out, k.spki, BASE64_URL | BASE64_UNPADDED);
	strbuf_puts(out, "\",\n");
	slurm_comment(o, out, PAYLOAD_KEY, i);
}

static void slurm_aspa(struct output *o, struct strbuf *out, size_t i)
{
	struct aspa_payload a = table_aspa(o->table, i);

	strbuf_printf(out, "      { \n        \"customerAsn\": %u, \n        \"providerAsns\": [\n", a.customer);
	for (size_t p = 0; p < a.n; p++)
		strbuf_printf(out, "          %u%s", a.providers[p], p + 1 < a.n ? ", \n" : "\n");
	strbuf_puts(out, "        ],\n");
	slurm_comment(o, out, PAYLOAD_ASPA, i);
}

/* The lists stand there even when their kind is left out, empty: so they belong to what is around them. */
static void slurm_vrps(struct output *o, struct strbuf *out)
{
	(void)o;
	strbuf_puts(out, "    \"prefixAssertions\": [\n");
}

static void slurm_keys(struct output *o, struct strbuf *out)
{
	(void)o;
	strbuf_puts(out, "\n    ],\n    \"bgpsecAssertions\": [\n");
}

static void slurm_aspas(struct output *o, struct strbuf *out)
{
	(void)o;
	strbuf_puts(out, "\n    ],\n    \"aspaAssertions\": [\n");
}

static void slurm_end(struct output *o, struct strbuf *out)
{
	(void)o;
	strbuf_puts(out, "\n    ]\n  }\n}\n");
}

/* ----------------------------------------------------------------------------------------------------------------- summary */

#define SUMMARY_LINE "%16s: %7llu verified"

static void tally(struct strbuf *out, const char *name, const struct output_tally *t)
{
	strbuf_printf(out, "%s: \n", name);
	strbuf_printf(out, SUMMARY_LINE ";\n", "ROAs", (unsigned long long)t->roas);
	strbuf_printf(out, SUMMARY_LINE ", %7llu final;\n", "VRPs", (unsigned long long)t->vrps, (unsigned long long)t->vrps_final);
	strbuf_printf(out, SUMMARY_LINE ";\n", "router certs", (unsigned long long)t->router_certs);
	strbuf_printf(out, SUMMARY_LINE ", %7llu final;\n", "router keys", (unsigned long long)t->router_keys,
		(unsigned long long)t->router_keys_final);
	strbuf_printf(out, SUMMARY_LINE ", %7llu final;\n", "ASPAs", (unsigned long long)t->aspas, (unsigned long long)t->aspas_final);
}

static void summary_begin(struct output *o, struct strbuf *out)
{
	strbuf_puts(out, "Summary at ");
	spaced_time(out, o->info->generated_sec);
	strbuf_puts(out, " UTC\n");
	for (size_t i = 0; i < o->info->ntallies; i++)
		tally(out, o->info->tallies[i].name, &o->info->tallies[i]);
	tally(out, "total", &o->info->total);
}

/* ------------------------------------------------------------------------------------------------------- rpki-client: json */

static void client_member(struct strbuf *out, const struct output_member *m)
{
	strbuf_printf(out, "\t\t\"%s\": ", m->name);
	if (m->text != NULL) {
		json_text(out, m->text);
	} else if (m->list != NULL) {
		strbuf_puts(out, "[\n");
		for (size_t i = 0; i < m->n; i++) {
			strbuf_puts(out, i > 0 ? ",\n\t\t\t" : "\t\t\t");
			json_text(out, m->list[i]);
		}
		strbuf_puts(out, "\n\t\t]");
	} else {
		strbuf_printf(out, "%lld", (long long)m->number);
	}
}

static void client_begin(struct output *o, struct strbuf *out)
{
	strbuf_puts(out, "{\n\t\"metadata\": {\n");
	for (size_t i = 0; i < o->info->nmembers; i++) {
		strbuf_puts(out, i > 0 ? ",\n" : "");
		client_member(out, &o->info->members[i]);
	}
	strbuf_puts(out, "\n\t},\n");
}

static void client_vrps(struct output *o, struct strbuf *out)
{
	(void)o;
	strbuf_puts(out, "\t\"roas\": [\n");
}

static void client_keys(struct output *o, struct strbuf *out)
{
	(void)o;
	strbuf_puts(out, "\t\"bgpsec_keys\": [\n");
}

static void client_aspas(struct output *o, struct strbuf *out)
{
	(void)o;
	strbuf_puts(out, "\t\"aspas\": [\n");
}

static void client_foot(struct output *o, struct strbuf *out)
{
	(void)o;
	strbuf_puts(out, "\n\t],\n");
}

static void client_nonfunctional(const struct output *o, struct strbuf *out)
{
	strbuf_puts(out, "\t\"nonfunc_cas\": [\n");
	for (size_t i = 0; i < o->info->nnonfunctional; i++) {
		const struct output_nonfunctional *n = &o->info->nonfunctional[i];

		strbuf_puts(out, i > 0 ? ",\n\t\t{ \"location\": " : "\t\t{ \"location\": ");
		json_text(out, n->location);
		strbuf_puts(out, ", \"ta\": ");
		json_text(out, n->ta);
		strbuf_puts(out, ", \"caRepository\": ");
		json_text(out, n->ca_repository);
		strbuf_puts(out, ", \"rpkiManifest\": ");
		json_text(out, n->manifest);
		strbuf_puts(out, ", \"ski\": ");
		json_text(out, n->ski);
		strbuf_puts(out, " }");
	}
	strbuf_puts(out, "\n\t],\n");
}

static void client_keys_foot(struct output *o, struct strbuf *out)
{
	client_foot(o, out);
	client_nonfunctional(o, out);
}

static void client_end(struct output *o, struct strbuf *out)
{
	(void)o;
	strbuf_puts(out, "\t\"signedprefixlists\": [\n\n\t]\n}\n");
}

/* When a payload ends: with the source that lasts longest, as routers would lose it then; 0 for exceptions, which do not end. */
static long long expires(const struct output *o, enum payload_kind k, size_t i)
{
	int64_t last = 0;

	for (size_t w = 0; w < table_sources(o->table, k, i); w++) {
		struct payload_source s = table_source(o->table, k, i, w);
		int64_t end = s.stale < s.chain_not_after ? s.stale : s.chain_not_after;

		last = end > last ? end : last;
	}
	return (long long)last;
}

static void client_vrp(struct output *o, struct strbuf *out, size_t i)
{
	struct vrp v = vrp_at(o, i);

	strbuf_printf(out, "\t\t{ \"asn\": %u, \"prefix\": \"", v.asn);
	output_prefix(out, &v);
	strbuf_printf(out, "\", \"maxLength\": %u, \"ta\": ", v.maxlen);
	json_text(out, output_ta(o, PAYLOAD_VRP, i));
	strbuf_printf(out, ", \"expires\": %lld }", expires(o, PAYLOAD_VRP, i));
}

static void client_key(struct output *o, struct strbuf *out, size_t i)
{
	struct router_key k = table_key(o->table, i);

	strbuf_printf(out, "\t\t{\n\t\t\t\"asn\": %u,\n\t\t\t\"ski\": \"", k.asn);
	output_hex(out, k.ski, sizeof k.ski);
	strbuf_puts(out, "\",\n\t\t\t\"pubkey\": \"");
	base64_print(out, k.spki, 0);
	strbuf_puts(out, "\",\n\t\t\t\"ta\": ");
	json_text(out, output_ta(o, PAYLOAD_KEY, i));
	strbuf_printf(out, ",\n\t\t\t\"expires\": %lld\n\t\t}", expires(o, PAYLOAD_KEY, i));
}

static void client_aspa(struct output *o, struct strbuf *out, size_t i)
{
	struct aspa_payload a = table_aspa(o->table, i);

	strbuf_printf(out, "\t\t{ \"customer_asid\": %u, \"expires\": %lld, \"providers\": [", a.customer, expires(o, PAYLOAD_ASPA, i));
	for (size_t p = 0; p < a.n; p++)
		strbuf_printf(out, "%s%u", p > 0 ? ", " : " ", a.providers[p]);
	strbuf_puts(out, " ] }");
}

/* ------------------------------------------------------------------------------------------------------------------- tables */

const struct output_form output_forms[OUTPUT_FORMATS] = {
	[OUTPUT_CSV] = { .begin = csv_begin, .item = { csv_vrp }, .between = "" },
	[OUTPUT_CSVCOMPAT] = { .begin = csvcompat_begin, .item = { csvcompat_vrp }, .between = "" },
	[OUTPUT_CSVEXT] = { .begin = csvext_begin, .item = { csvext_vrp }, .between = "" },
	[OUTPUT_JSON] = { .begin = json_begin, .end = json_end, .head = { json_vrps, json_keys, json_aspas },
		.foot = { json_foot, json_foot, json_foot }, .item = { json_vrp, json_key, json_aspa }, .between = ",\n" },
	[OUTPUT_JSONEXT] = { .begin = json_begin, .end = json_end, .head = { json_vrps, json_keys, json_aspas },
		.foot = { json_foot, json_foot, json_foot }, .item = { jsonext_vrp, jsonext_key, jsonext_aspa }, .between = ",\n" },
	[OUTPUT_OPENBGPD] = { .begin = openbgpd_begin, .end = openbgpd_end, .item = { openbgpd_vrp }, .between = "" },
	[OUTPUT_BIRD1] = { .item = { bird1_vrp }, .between = "" },
	[OUTPUT_BIRD2] = { .item = { bird2_vrp }, .between = "" },
	[OUTPUT_RPSL] = { .item = { rpsl_vrp }, .between = "" },
	[OUTPUT_SLURM] = { .begin = slurm_begin, .end = slurm_end, .head = { slurm_vrps, slurm_keys }, .item = { slurm_vrp, slurm_key },
		.between = ",\n", .lists_always = true },
	[OUTPUT_SLURM2] = { .begin = slurm2_begin, .end = slurm_end, .head = { slurm_vrps, slurm_keys, slurm_aspas },
		.item = { slurm_vrp, slurm_key, slurm_aspa }, .between = ",\n", .lists_always = true },
	[OUTPUT_SUMMARY] = { .begin = summary_begin },
	[OUTPUT_RPKI_CLIENT] = { .begin = client_begin, .end = client_end, .head = { client_vrps, client_keys, client_aspas },
		.foot = { client_foot, client_keys_foot, client_foot }, .item = { client_vrp, client_key, client_aspa }, .between = ",\n" },
};
