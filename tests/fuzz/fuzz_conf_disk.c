/*
 * Configurations on disk, and options that are set one by one. The input is cut at lines "%%": texts that begin with "set " are a name and a value for set_option; of the others the
 * first is the configuration, the rest the files "1", "2", ... beside it. "@@" in a text stands for their directory, with its slash.
 *
 * Read from disk, from memory, and read as far as it goes, it is the same; so says --check-config by its exit status. What can be set prints, and reads back the same.
 */
#include <fcntl.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "conf/check.h"
#include "conf/conf.h"
#include "conf/doc.h"
#include "conf/schema.h"
#include "tests/fuzz/kit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PARTS 12
#define OUTPUT_MAX ((size_t)16 << 20)

/* The text with the directory put in. */
static char *with_dir(struct span t, const char *dir) OWNED_BY(mem_free);
static char *with_dir(struct span t, const char *dir)
{
	AUTO(strbuf_free) struct strbuf *b = strbuf_new(OUTPUT_MAX);

	CHECK(b != NULL);
	for (size_t i = 0; i < t.n; i++) {
		if (t.p[i] == '@' && i + 1 < t.n && t.p[i + 1] == '@') {
			strbuf_printf(b, "%s/", dir);
			i++;
		} else {
			strbuf_putc(b, (char)t.p[i]);
		}
	}
	return strbuf_take(b);
}

/* What a program finds beside. */
static void find_more(struct conf *c, struct strbuf *report) TAKES(1);
static void find_more(struct conf *c, struct strbuf *report)
{
	strbuf_puts(report, "more:1: error: one\nmore:2: warning: two\n");
	conf_free(c);
}

static void quiet_check(const char *path, conf_check_fn *more, int *ret_status)
{
	int out = dup(STDOUT_FILENO), null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	CHECK(out >= 0 && null >= 0 && fflush(stdout) == 0 && dup2(null, STDOUT_FILENO) >= 0);
	*ret_status = conf_check_main(path, more);
	CHECK(fflush(stdout) == 0 && dup2(out, STDOUT_FILENO) >= 0 && close(out) == 0 && close(null) == 0);
}

/* Places are told, and rise within a list. */
static void check_places(const struct conf_clause *c)
{
	enum conf_opt first;
	size_t n = schema_clause_options(CLAUSE_SERVER, &first);

	for (size_t o = first; o < first + n; o++) {
		const char *where = conf_where(c, (enum conf_opt)o, 0);

		CHECK(where != NULL && *where != '\0');
		for (size_t i = 0; i + 1 < conf_count(c, (enum conf_opt)o) && conf_given(c, (enum conf_opt)o); i++)
			CHECK(conf_order(c, (enum conf_opt)o, i) < conf_order(c, (enum conf_opt)o, i + 1));
	}
}

static void check_same(const struct conf *a, const struct conf *b, bool same)
{
	CHECK(conf_equal(a, b) == same && conf_equal(b, a) == same);
}

static bool prints_the_same(const struct conf *a, const struct conf *b)
{
	AUTO(strbuf_free) struct strbuf *x = strbuf_new(OUTPUT_MAX), *y = strbuf_new(OUTPUT_MAX);

	CHECK(x != NULL && y != NULL && OK(conf_print(a, x)) && OK(conf_print(b, y)));
	return span_equal(strbuf_span(x), strbuf_span(y));
}

/* "set NAME VALUE" */
static void set_one(struct conf **c, const char *text)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(OUTPUT_MAX), *out = strbuf_new(OUTPUT_MAX);
	AUTO(conf_free) struct conf *changed = NULL, *again = NULL;
	AUTO_CHARS char *name = NULL;
	size_t n;

	text += 4;
	n = strcspn(text, " ");
	name = mem_strndup(text, n);
	text += n + (text[n] == ' ');
	CHECK(name != NULL && report != NULL && out != NULL);
	if (!OK(conf_print_option(*c, name, out))) {
		CHECK(!OK(conf_with_option(*c, name, text, report, &changed)) || name[n - 1] == ':');
		return;
	}
	strbuf_clear(out);
	if (!OK(conf_with_option(*c, name, text, report, &changed))) {
		CHECK(strbuf_len(report) > 0);
		return;
	}
	CHECK(OK(conf_print(changed, out)) && OK(conf_load_text(strbuf_text(out), "set", NULL, &again)));
	check_same(changed, again, true);
	check_same(changed, *c, prints_the_same(changed, *c));
	conf_free(*c);
	*c = MOVE(changed);
}

static void read_all_ways(const char *path, const char *text, char *const *sets, size_t set_count)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(OUTPUT_MAX), *second = strbuf_new(OUTPUT_MAX), *third = strbuf_new(OUTPUT_MAX);
	AUTO(conf_free) struct conf *disk = NULL, *counted = NULL, *partly = NULL, *memory = NULL;
	struct conf_counts a = { 0, 0 }, b = { 0, 0 };
	struct result r = conf_load(path, report, &disk), m;
	int status;

	CHECK(OK(conf_load_counted(path, second, &a, &counted)) == OK(r) && OK(conf_load_partly(path, third, &b, &partly)) == OK(r));
	CHECK(a.errors == b.errors && a.warnings == b.warnings && (a.errors == 0) == OK(r) && partly != NULL);
	CHECK(span_equal(strbuf_span(report), strbuf_span(second)) && span_equal(strbuf_span(report), strbuf_span(third)));
	quiet_check(path, NULL, &status);
	CHECK(status == !OK(r));
	quiet_check(path, find_more, &status);
	CHECK(status == 1);
	m = conf_load_text(text, path, NULL, &memory);
	CHECK(OK(m) == OK(r));
	if (!OK(r))
		return;
	check_same(disk, counted, true);
	check_same(disk, partly, true);
	check_same(disk, memory, true);
	check_places(conf_server(disk));
	for (size_t i = 0; i < set_count; i++)
		set_one(&disk, sets[i]);
}

/* What needs no input. */
static void read_nothing(void)
{
	AUTO(strbuf_free) struct strbuf *man = strbuf_new(OUTPUT_MAX), *guide = strbuf_new(OUTPUT_MAX), *report = strbuf_new(OUTPUT_MAX);
	AUTO(conf_free) struct conf *c = NULL;
	struct conf_counts counts;
	int status;

	CHECK(OK(conf_schema_print_man(man)) && OK(conf_schema_print_guide(guide)) && strbuf_len(man) > 10000 && strbuf_len(guide) > 10000);
	CHECK(OK(conf_load(NULL, report, &c)) && strbuf_len(report) == 0);
	quiet_check("/nowhere/at/all", NULL, &status);
	CHECK(status == 2 && conf_load_counted("/nowhere/at/all", report, &counts, &c).e == ERR_NOTFOUND && counts.errors == 1);
}

static void put_file(const char *dir, size_t i, const char *text, char path[80])
{
	FILE *f;

	(void)snprintf(path, 80, "%s/%zu", dir, i);
	f = fopen(path, "wb");
	CHECK(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0);
}

static void one_input(const uint8_t *data, size_t size)
{
	char dir[] = "/tmp/cairn-fuzz-XXXXXX", path[80], *text[PARTS], *set[PARTS];
	size_t files = 0, sets = 0;
	struct span in = span_of(data, size);

	if (size == 0)
		read_nothing();
	/* Nothing of the machine's own is read: it may not end. */
	if (size == 0 || size > 1 << 14 || memchr(data, '/', size) != NULL || memchr(data, '~', size) != NULL || memchr(data, 0, size) != NULL ||
	    memmem(data, size, "include: -", 10) != NULL)
		return;
	CHECK(mkdtemp(dir) != NULL);
	while (in.p != NULL && files + sets < PARTS) {
		const uint8_t *cut = memmem(in.p, in.n, "%%\n", 3);
		struct span part = span_of(in.p, cut == NULL ? in.n : (size_t)(cut - in.p));
		char *t = with_dir(part, dir);

		CHECK(t != NULL);
		in = cut == NULL ? span_of(NULL, 0) : span_of(cut + 3, in.n - part.n - 3);
		if (strncmp(t, "set ", 4) == 0) {
			t[strcspn(t, "\n")] = '\0';
			set[sets++] = t;
		} else {
			text[files++] = t;
		}
	}
	for (size_t i = files; i-- > 0;)
		put_file(dir, i, text[i], path);
	if (files > 0)
		read_all_ways(path, text[0], set, sets);
	for (size_t i = 0; i < files; i++) {
		(void)snprintf(path, sizeof path, "%s/%zu", dir, i);
		CHECK(unlink(path) == 0);
		mem_free(text[i]);
	}
	for (size_t i = 0; i < sets; i++)
		mem_free(set[i]);
	CHECK(rmdir(dir) == 0);
}

KIT_TARGET(one_input)
