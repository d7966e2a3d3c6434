/*
 * The BBN conformance suite beside the table of verdicts under the present RFCs: of all its objects the valid ones are found valid, and the invalid ones for
 * one of the reasons that the table names; with the checks of the column "also" left out each invalid one is so for its own reason. Skipped where the suite is not.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "rpki/object/inspect.h"

#define MOST 1024
#define NOW 1790000000

static char folder[512];
static struct span certs[MOST], crls[MOST];
static size_t cert_count, crl_count;
static struct arena *kept;

static struct span load(const char *path)
{
	AUTO_CHARS char *text = NULL;
	size_t n = 0;

	if (!OK(file_read_all(path, 1 << 20, &text, &n)))
		return (struct span){ NULL, 0 };
	return span_of(arena_dup(kept, text, n), n);
}

static void collect(const char *dir)
{
	DIR *d = opendir(dir);

	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
		char path[1024];
		struct stat st;
		enum object_type t = object_type_of_name(span_text(e->d_name));

		snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
		if (e->d_name[0] == '.' || stat(path, &st) != 0)
			continue;
		if (S_ISDIR(st.st_mode))
			collect(path);
		else if (t == OBJECT_CERT && cert_count < MOST)
			certs[cert_count++] = load(path);
		else if (t == OBJECT_CRL && crl_count < MOST)
			crls[crl_count++] = load(path);
	}
	if (d != NULL)
		closedir(d);
}

struct row {
	char file[128], verdict[16], rules[256], also[256];
};

/* The columns file, type, verdict, rules, also. */
static bool read_row(const char *line, size_t n, struct row *ret)
{
	char *columns[5] = { ret->file, NULL, ret->verdict, ret->rules, ret->also };
	const size_t rooms[5] = { sizeof ret->file, 0, sizeof ret->verdict, sizeof ret->rules, sizeof ret->also };
	const char *end = line + n;

	for (unsigned int i = 0; i < 5; i++) {
		size_t width = 0;

		while (line + width < end && line[width] != '\t')
			width++;
		if (columns[i] != NULL && width >= rooms[i])
			return false;
		if (columns[i] != NULL) {
			memcpy(columns[i], line, width);
			columns[i][width] = '\0';
		}
		line += width + (line + width < end);
	}
	return true;
}

static bool names_one(const struct report *rep, const char *rules)
{
	for (const char *p = rules; *p != '\0';) {
		char name[64];
		size_t n = strcspn(p, ";");

		assert_true(n < sizeof name);
		memcpy(name, p, n);
		name[n] = '\0';
		if (report_names(rep, name))
			return true;
		p += n + (p[n] == ';');
	}
	return false;
}

static void inspect(const struct row *row, const char *ignore, struct arena *a, struct inspection *ret)
{
	struct inspect_context ctx = { NOW, ignore, certs, cert_count, crls, crl_count };
	char path[1024];
	struct span s;

	snprintf(path, sizeof path, "%s/conformance/%s", folder, row->file);
	s = load(path);
	assert_non_null(s.p);
	assert_true(OK(rpki_inspect(s, span_text(row->file), &ctx, a, ret)));
}

static unsigned int wrong, absent;

static void complain(const struct row *row, const char *how, const struct inspection *i)
{
	AUTO(strbuf_free) struct strbuf *b = strbuf_new(1 << 16);

	report_print(&i->report, row->file, b);
	printf("%s: %s; the table: %s %s, %s here\n%s", row->file, how, row->verdict, row->rules, i->valid ? "valid" : "invalid", strbuf_text(b));
	wrong++;
}

/* What is printed of foreign octets is printable. */
static void print_both(const struct inspection *i, const char *name)
{
	for (unsigned int json = 0; json < 2; json++) {
		AUTO(strbuf_free) struct strbuf *b = strbuf_new(1 << 20);

		inspection_print(i, name, json == 1, b);
		assert_true(strbuf_ok(b));
		for (const char *p = strbuf_text(b); *p != '\0'; p++)
			assert_true(*p == '\n' || (*p >= 0x20 && *p < 0x7f));
	}
}

static void check_row(const struct row *row, bool ignoring)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct inspection i;

	inspect(row, ignoring ? "rfc9589#4/signing-time,rfc9582#5/as-resources" : NULL, a, &i);
	if (i.state == CHAIN_ABSENT && absent++ >= 2)
		complain(row, "no issuer was found", &i);
	print_both(&i, row->file);
	if (!ignoring) { /* the table's rule, or one of "also" */
		if (strcmp(row->also, "-") != 0 && !(!i.valid && names_one(&i.report, row->also)))
			complain(row, "not invalid for what nearly all are", &i);
		if (strcmp(row->verdict, "invalid") == 0 && !names_one(&i.report, row->rules))
			complain(row, "its own reason is not among those found", &i);
		return;
	}
	if (strcmp(row->verdict, "valid") == 0 && !i.valid)
		complain(row, "should be valid", &i);
	if (strcmp(row->verdict, "invalid") == 0 && (i.valid || !names_one(&i.report, row->rules)))
		complain(row, "should be invalid for its own reason", &i);
	if (strcmp(row->verdict, "either") == 0 && !i.valid && !names_one(&i.report, row->rules))
		complain(row, "may be invalid, but not for this", &i);
}

static void check_all(bool ignoring)
{
	AUTO_CHARS char *table = NULL;
	char path[600];
	size_t n = 0, rows = 0;

	wrong = absent = 0;
	snprintf(path, sizeof path, "%s/conformance-verdicts.tsv", folder);
	assert_true(OK(file_read_all(path, 1 << 20, &table, &n)));
	for (const char *p = table + strcspn(table, "\n") + 1; *p != '\0';) {
		size_t len = strcspn(p, "\n");
		struct row row;

		assert_true(read_row(p, len, &row));
		check_row(&row, ignoring);
		rows++;
		p += len + (p[len] == '\n');
	}
	assert_int_equal(rows, 483);
	assert_int_equal(absent, 2); /* a record from another repository, and an object without a certificate */
	assert_int_equal(wrong, 0);
}

static void every_object_for_its_own_reason(void **state)
{
	(void)state;
	check_all(true);
}

static void nothing_ignored(void **state)
{
	(void)state;
	check_all(false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_object_for_its_own_reason),
		cmocka_unit_test(nothing_ignored),
	};
	const char *shared = getenv("CAIRN_SHARED"), *src = getenv("CAIRN_SRC");
	struct stat st;
	int failed;

	if (shared != NULL)
		snprintf(folder, sizeof folder, "%s/data/rpki/rpki-commons", shared);
	else
		snprintf(folder, sizeof folder, "%s/../shared/data/rpki/rpki-commons", src != NULL ? src : ".");
	if (stat(folder, &st) != 0) {
		printf("skipped: no %s\n", folder);
		return 77;
	}
	kept = arena_new(0);
	collect(folder);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_free(kept);
	return failed;
}
