/*
 * fuzz_conf: any octets as a configuration, and as the files that it includes: the input is cut at each line "%%" into texts, of
 * which the first is the configuration and the others are the files "1", "2", ... What was accepted must come back the same when it
 * is printed, and setting an option to the value that it has must be accepted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "conf/conf.h"
#include "conf/parse.h"
#include "conf/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FILES 8
#define INPUT_MAX ((size_t)1 << 16)
#define OUTPUT_MAX ((size_t)16 << 20)

struct texts {
	struct span t[FILES];
	size_t n;
	unsigned int reads; /* left: files that include each other often are no mistake of the parser, but take long */
};

static void require(bool holds, const char *what)
{
	if (holds || mem_failed())
		return;
	fprintf(stderr, "fuzz_conf: %s\n", what);
	abort();
}

static void cut(struct span in, struct texts *ret)
{
	while (ret->n < FILES - 1) {
		const uint8_t *end = in.n != 0 ? memmem(in.p, in.n, "\n%%\n", 4) : NULL;

		if (end == NULL)
			break;
		ret->t[ret->n++] = span_of(in.p, (size_t)(end - in.p));
		in = span_of(end + 4, in.n - (size_t)(end - in.p) - 4);
	}
	ret->t[ret->n++] = in;
}

static RESULT read_text(void *ctx, const char *path, size_t max, char **ret_text, size_t *ret_n)
{
	struct texts *x = ctx;
	AUTO_CHARS char *copy = NULL;
	size_t i = (size_t)(path[0] - '0');

	(void)max;
	if (path[0] < '1' || path[1] != '\0' || i >= x->n || x->reads == 0)
		return FAIL(ERR_NOTFOUND);
	x->reads--;
	copy = mem_alloc(x->t[i].n + 1);
	if (copy == NULL)
		return FAIL(ERR_NOMEM);
	if (x->t[i].n != 0)
		memcpy(copy, x->t[i].p, x->t[i].n);
	*ret_n = x->t[i].n;
	*ret_text = MOVE(copy);
	return DONE;
}

static RESULT match_texts(void *ctx, const char *pattern, struct conf_names *names)
{
	struct texts *x = ctx;
	char name[2] = "1";

	(void)pattern;
	for (size_t i = 1; i < x->n; i++, name[0]++)
		TRY(conf_names_add(names, name));
	return DONE;
}

/* One option that was given, another for each length of the input. */
static void check_option(const struct conf *c, size_t from)
{
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(OUTPUT_MAX);
	AUTO(conf_free) struct conf *changed = NULL;
	enum conf_opt first, o = OPT_COUNT;
	size_t n = schema_clause_options(CLAUSE_SERVER, &first);

	for (size_t i = 0; i < n && o == OPT_COUNT; i++) {
		enum conf_opt at = (enum conf_opt)(first + (from + i) % n);

		if (conf_given(conf_server(c), at) && (schema_option(at)->flags & SCHEMA_LIST) == 0)
			o = at;
	}
	if (o == OPT_COUNT || out == NULL)
		return;
	require(OK(conf_print_option(c, schema_option(o)->name, out)), "an option cannot be printed");
	require(OK(conf_with_option(c, schema_option(o)->name, conf_text(conf_server(c), o), NULL, &changed)) ||
	        strpbrk(strbuf_text(out), "\\\"'") != NULL,
	    "an option cannot be set to what it is");
}

static void check_print(const struct conf *c, const struct conf_files *files)
{
	AUTO(strbuf_free) struct strbuf *first = strbuf_new(OUTPUT_MAX), *second = strbuf_new(OUTPUT_MAX);
	AUTO(conf_free) struct conf *again = NULL;
	struct conf_counts counts;

	if (first == NULL || second == NULL)
		return;
	require(OK(conf_print(c, first)), "a configuration cannot be printed");
	require(OK(conf_parse(strbuf_span(first), "printed", files, NULL, &counts, &again)), "what was printed is not accepted");
	if (again == NULL)
		return;
	require(conf_equal(c, again), "what was printed reads back differently");
	require(OK(conf_print(again, second)) && strcmp(strbuf_text(first), strbuf_text(second)) == 0, "the second print differs");
}

/* Memory ran out on the way, and the parser says that all is well: then nothing may be missing. */
static void check_whole(const struct conf *c, struct texts *x, unsigned int reads)
{
	AUTO(conf_free) struct conf *want = NULL;
	struct conf_files files = { x, read_text, match_texts };
	struct conf_counts counts;

	x->reads = reads;
	mem_fail_hold(true);
	if (!OK(conf_parse(x->t[0], "input", &files, NULL, &counts, &want)) || !conf_equal(c, want))
		abort();
	mem_fail_hold(false);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(OUTPUT_MAX);
	AUTO(conf_free) struct conf *c = NULL;
	struct texts x = { .reads = 200 };
	struct conf_files files = { &x, read_text, match_texts };
	struct conf_counts counts;
	struct result r;

	if (size > INPUT_MAX || report == NULL)
		return 0;
	cut(span_of(data, size), &x);
	r = conf_parse(x.t[0], "input", &files, report, &counts, &c);
	require(OK(r) == (counts.errors == 0) && OK(r) == (c != NULL), "errors and the result do not agree");
	require(counts.errors + counts.warnings == 0 || strbuf_len(report) > 0, "an error without a message");
	if (!OK(r))
		return 0;
	if (mem_failed())
		check_whole(c, &x, 200);
	check_print(c, &files);
	check_option(c, size);
	return 0;
}
