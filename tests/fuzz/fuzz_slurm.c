/*
 * Files with local exceptions, one or two, split where an octet 0 stands. What is read without a finding applies to a table: no payload passes that a filter names, all
 * assertions are there, and what is written as SLURM of version 2 reads back to the same assertions.
 */
#include <stdlib.h>

#include "rpki/serve/output.h"
#include "rpki/serve/slurm.h"
#include "tests/fuzz/failing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MOST (1u << 20)

static struct payload_table *base_table(void) OWNED_BY(table_unref);
static struct payload_table *base_table(void)
{
	AUTO(table_builder_free) struct table_builder *b = table_builder_new(NULL);
	struct payload_table *t = NULL;
	struct router_key k = { .asn = 1, .spki = span_text("key") };
	uint32_t provider = 2;
	bool good = b != NULL;

	for (uint8_t i = 0; i < 20 && good; i++) {
		struct vrp v = { .family = i & 1 ? ADDR_V4 : ADDR_V6, .len = 8, .maxlen = (uint8_t)(8 + i), .addr = { (uint8_t)(i + 1) }, .asn = i };

		good = OK(table_builder_add_vrp(b, &v, SOURCE_NONE));
	}
	good = good && OK(table_builder_add_key(b, &k, SOURCE_NONE)) && OK(table_builder_add_aspa(b, 1, &provider, 1, SOURCE_NONE));
	return good && OK(table_builder_finish(MOVE(b), 1, &t)) ? t : NULL;
}

static struct slurm *read_two(struct span first, struct span second, size_t n, struct strbuf *report) OWNED_BY(slurm_free);
static struct slurm *read_two(struct span first, struct span second, size_t n, struct strbuf *report)
{
	struct slurm_file files[2] = { { "one", first }, { "two", second } };
	struct slurm *s = NULL;
	struct result r = slurm_read(files, n, report, &s);

	if (r.e == ERR_FORMAT && strbuf_len(report) == 0 && strbuf_ok(report) && !mem_failed())
		abort(); /* wrong, and nobody says what */
	if (OK(r) && strbuf_len(report) != 0)
		abort();
	return s;
}

static char *as_text(const struct payload_table *t) OWNED_BY(mem_free);
static char *as_text(const struct payload_table *t)
{
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(MOST);
	AUTO(output_free) struct output *o = NULL;
	struct output_info info = { .generated_sec = 0 };

	if (out == NULL || !OK(output_new(OUTPUT_SLURM2, t, &info, &o)))
		return NULL;
	while (output_more(o, out, strbuf_len(out) + 100))
		if (!strbuf_ok(out))
			return NULL;
	return strbuf_take(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *zero = size > 0 ? memchr(data, 0, size) : NULL;
	struct span first = span_of(data, zero != NULL ? (size_t)(zero - data) : size);
	struct span second = span_of(data + first.n + 1, zero != NULL ? size - first.n - 1 : 0);
	AUTO(strbuf_free) struct strbuf *report = MINE(strbuf_new(MOST));
	AUTO(table_unref) struct payload_table *base = MINE(base_table()), *all = NULL, *alone = NULL, *again = NULL;
	AUTO(slurm_free) struct slurm *s = read_two(first, second, zero != NULL ? 2 : 1, report), *back = NULL;
	AUTO_CHARS char *text = NULL;
	struct slurm_counts n, m;

	if (s == NULL)
		return 0;
	HOLDS(OK(slurm_apply(s, base, NULL, 1, &n, &all)) && OK(slurm_apply(s, NULL, NULL, 1, &m, &alone)));
	HOLDS(table_count(alone, PAYLOAD_VRP) <= n.asserted[PAYLOAD_VRP]);
	HOLDS(table_count(all, PAYLOAD_VRP) >= 20 - n.filtered[PAYLOAD_VRP]);
	for (size_t i = 0; i < table_count(alone, PAYLOAD_VRP); i++) {
		struct vrp v = table_vrp(alone, i);

		HOLDS(table_has_vrp(all, &v));
	}
	if (table_customers_withheld(alone) > 0)
		return 0;
	text = as_text(alone);
	if (text == NULL)
		return 0;
	back = read_two(span_text(text), span_of(NULL, 0), 1, report);
	HOLDS(back != NULL);
	HOLDS(OK(slurm_apply(back, NULL, NULL, 1, &m, &again)));
	HOLDS(table_equal(alone, again));
	return 0;
}
