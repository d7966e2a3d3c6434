/* cairn-rpki diff OLD NEW */
#include <getopt.h>
#include <stdio.h>

#include "base/base64.h"
#include "rpki/commands/commands.h"
#include "rpki/commands/table_file.h"
#include "rpki/routes/delta.h"
#include "rpki/serve/output_inside.h"

#define PIECE 65536u
#define WHY_MAX 65536u

struct telling {
	struct strbuf *out BORROWED_FIELD;
	bool json, failed;
};

static void put_vrp(struct telling *t, const struct payload_table *p, size_t i, char sign)
{
	struct vrp v = table_vrp(p, i);

	if (t->json)
		strbuf_printf(t->out, "{\"type\":\"routeOrigin\",\"asn\":\"AS%u\",\"prefix\":\"", v.asn);
	else
		strbuf_printf(t->out, "%c AS%u ", sign, v.asn);
	output_prefix(t->out, &v);
	strbuf_printf(t->out, t->json ? "\",\"maxLength\":%u}" : "-%u\n", v.maxlen);
}

static void put_key(struct telling *t, const struct payload_table *p, size_t i, char sign)
{
	struct router_key k = table_key(p, i);

	if (t->json)
		strbuf_puts(t->out, "{\"type\":\"routerKey\",\"keyIdentifier\":\"");
	else
		strbuf_printf(t->out, "%c router key AS%u ", sign, k.asn);
	output_hex(t->out, k.ski, sizeof k.ski);
	if (!t->json) {
		strbuf_putc(t->out, '\n');
		return;
	}
	strbuf_printf(t->out, "\",\"asn\":\"AS%u\",\"keyInfo\":\"", k.asn);
	base64_print(t->out, k.spki, 0);
	strbuf_puts(t->out, "\"}");
}

static void put_aspa(struct telling *t, const struct payload_table *p, size_t i, char sign)
{
	struct aspa_payload a = table_aspa(p, i);

	if (t->json)
		strbuf_printf(t->out, "{\"type\":\"aspa\",\"customerAsn\":\"AS%u\",\"providerAsns\":[", a.customer);
	else
		strbuf_printf(t->out, "%c ASPA AS%u:", sign, a.customer);
	for (size_t k = 0; k < a.n; k++)
		strbuf_printf(t->out, t->json ? "%s\"AS%u\"" : "%s AS%u", t->json && k > 0 ? "," : "", a.providers[k]);
	strbuf_puts(t->out, t->json ? "]}" : "\n");
}

static void tell(struct telling *t, const struct payload_table *p, char sign)
{
	static void (*const put[PAYLOAD_KINDS])(struct telling *, const struct payload_table *, size_t, char) = { put_vrp, put_key, put_aspa };
	bool first = true;

	for (unsigned int k = 0; k < PAYLOAD_KINDS; k++) {
		for (size_t i = 0; i < table_count(p, k); i++) {
			if (t->json && !first)
				strbuf_puts(t->out, ",\n    ");
			put[k](t, p, i, sign);
			first = false;
			if (strbuf_len(t->out) > PIECE)
				t->failed = !command_print(t->out) || t->failed;
		}
	}
}

static bool tell_all(const struct payload_delta *d, bool json)
{
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(COMMAND_TEXT_MAX);
	struct telling t = { .out = out, .json = json };

	if (out == NULL)
		return false;
	if (json)
		strbuf_puts(out, "{\n  \"announced\": [\n    ");
	tell(&t, delta_announced(d), '+');
	if (json)
		strbuf_puts(out, "\n  ],\n  \"withdrawn\": [\n    ");
	tell(&t, delta_withdrawn(d), '-');
	if (json)
		strbuf_puts(out, "\n  ]\n}\n");
	return command_print(out) && !t.failed && fflush(stdout) == 0;
}

static int compare(const char *old_path, const char *new_path, bool json)
{
	AUTO(strbuf_free) struct strbuf *why = strbuf_new(WHY_MAX);
	AUTO(table_unref) struct payload_table *before = NULL, *after = NULL;
	AUTO(delta_free) struct payload_delta *d = NULL;
	struct result r;

	if (why == NULL)
		return command_fail("diff", "%s", err_text(ERR_NOMEM));
	r = table_file_read(old_path, why, &before);
	if (OK(r))
		r = table_file_read(new_path, why, &after);
	if (OK(r))
		r = delta_between(before, after, &d);
	if (!OK(r))
		return command_report("diff", why, r);
	if (!tell_all(d, json))
		return command_fail("diff", "the output cannot be written");
	return delta_is_empty(d) ? 0 : 1;
}

int command_diff(int argc, char **argv)
{
	static const struct option longs[] = { { "json", no_argument, NULL, 'j' }, { "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 } };
	bool json = false;
	int c;

	while ((c = getopt_long(argc, argv, "jh", longs, NULL)) != -1) {
		if (c != 'j')
			return command_usage("diff");
		json = true;
	}
	if (argc - optind != 2)
		return command_usage("diff");
	return compare(argv[optind], argv[optind + 1], json);
}
