#include "conf_test.h"

#include <regex.h>

#include "base/file.h"
#include "conf/schema.h"

/* Where Debian's package puts the example of Unbound. */
#define EXAMPLE "/usr/share/doc/unbound/examples/unbound.conf"

static bool seen[OPT_COUNT];
static unsigned int options;

static bool is_many(const char *clause)
{
	enum conf_clause_kind k;

	return schema_find_clause(span_text(clause), &k) && schema_clause(k)->many;
}

/* One option alone in its clause: no error, and at most one warning, which names it or its clause and says more than that. */
static void enable(const char *clause, const char *name, const char *line)
{
	bool helper = is_many(clause) && strcmp(name, "name") != 0;
	AUTO_CHARS char *text = mem_printf("%s:\n%s%s\n", clause, helper ? "name: \"example.com\"\n" : "", line);
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(REPORT_MAX), *out = strbuf_new(REPORT_MAX);
	AUTO(conf_free) struct conf *c = NULL;
	struct conf_counts counts;

	if (!OK(load_plain(text, report, &counts, &c)))
		fail_msg("%s: %s is not accepted: %s", clause, line, strbuf_text(report));
	if (counts.warnings > 1)
		fail_msg("%s: %s gives more than one warning: %s", clause, line, strbuf_text(report));
	if (counts.warnings == 1 && strstr(strbuf_text(report), "is not used yet: ") == NULL &&
	    strstr(strbuf_text(report), "has no effect here: ") == NULL)
		fail_msg("%s: %s gives a warning that does not say what happens instead: %s", clause, line, strbuf_text(report));
	assert_ok(conf_print(c, out));
	options++;
}

static void note(const struct schema_index *x, const char *clause, const char *name)
{
	enum conf_clause_kind k;
	enum conf_opt o = OPT_COUNT;

	if (!schema_find_clause(span_text(clause), &k) || !schema_find(x, k, span_text(name), &o))
		fail_msg("%s: %s: is not in the table", clause, name);
	seen[o] = true;
}

/* Each option that stands in text, one by one. pattern: (1) the name, (2) what is behind the colon. Lines that only talk about an
 * option have a '<', or words in place of a value. */
static void enable_each(char *text, const char *pattern)
{
	AUTO(schema_index_free) struct schema_index *x = schema_index_new();
	char clause[64] = "";
	regmatch_t m[3];
	char *save = NULL;
	regex_t re;

	assert_int_equal(regcomp(&re, pattern, REG_EXTENDED), 0);
	for (char *line = strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
		enum conf_clause_kind k;
		char name[64];

		if (regexec(&re, line, 3, m, 0) != 0 || m[1].rm_eo - m[1].rm_so >= (regoff_t)sizeof(name))
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)(m[1].rm_eo - m[1].rm_so), line + m[1].rm_so);
		if (schema_find_clause(span_text(name), &k)) {
			snprintf(clause, sizeof(clause), "%s", name);
		} else if (strncmp(name, "include", 7) != 0 && strchr(line, '<') == NULL && strstr(line, ": portno") == NULL) {
			note(x, clause, name);
			enable(clause, name, line + m[1].rm_so);
		}
	}
	regfree(&re);
}

static void every_option_of_ours_is_accepted(void **state)
{
	const char *src = getenv("CAIRN_SRC");
	AUTO_CHARS char *path = mem_printf("%s/tests/unit/conf/every-option.conf", src != NULL ? src : ".");
	AUTO_CHARS char *text = NULL;
	size_t n;

	(void)state;
	assert_ok(file_read_all(path, REPORT_MAX, &text, &n));
	memset(seen, 0, sizeof(seen));
	enable_each(text, "^[ \t]*([a-z0-9-]+):(.*)$");
	for (size_t i = 0; i < OPT_COUNT; i++) {
		if (!seen[i])
			fail_msg("%s: is not in every-option.conf", schema_option((enum conf_opt)i)->name);
	}
}

static void all_of_them_together_are_accepted_and_come_back(void **state)
{
	const char *src = getenv("CAIRN_SRC");
	AUTO_CHARS char *path = mem_printf("%s/tests/unit/conf/every-option.conf", src != NULL ? src : ".");
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(REPORT_MAX), *out = strbuf_new(REPORT_MAX);
	AUTO(conf_free) struct conf *a = NULL, *b = NULL;
	struct conf_counts counts;

	(void)state;
	if (!OK(conf_load(path, report, &a)))
		fail_msg("%s", strbuf_text(report));
	assert_ok(conf_print(a, out));
	assert_ok(load_plain(strbuf_text(out), NULL, &counts, &b));
	assert_true(conf_equal(a, b));
}

static void each_commented_option_of_unbounds_example_is_accepted(void **state)
{
	AUTO_CHARS char *text = NULL;
	size_t n;

	(void)state;
	if (!OK(file_read_all(EXAMPLE, REPORT_MAX, &text, &n))) {
		print_message("%s is not there (Debian package unbound): not tested\n", EXAMPLE);
		skip();
	}
	options = 0;
	enable_each(text, "^[ \t]*#?[ \t]*([a-z][a-z0-9-]+):([ \t].*)?$");
	print_message("%u options of %s\n", options, EXAMPLE);
	assert_true(options > 300);
}

static void unbounds_example_itself_is_accepted(void **state)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(REPORT_MAX);
	AUTO(conf_free) struct conf *c = NULL;
	struct result r = conf_load(EXAMPLE, report, &c);

	(void)state;
	if (r.e == ERR_NOTFOUND)
		skip();
	assert_ok(r);
	assert_string_equal(strbuf_text(report), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_option_of_ours_is_accepted),
		cmocka_unit_test(all_of_them_together_are_accepted_and_come_back),
		cmocka_unit_test(each_commented_option_of_unbounds_example_is_accepted),
		cmocka_unit_test(unbounds_example_itself_is_accepted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
