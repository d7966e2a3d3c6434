#include "conf_test.h"

#include "base/file.h"
#include "conf/doc.h"
#include "conf/schema.h"

typedef struct result print_fn(struct strbuf *out);

/* The file in docs/ is what the table makes; after a change of the table, `make confdoc` makes it anew. */
static void assert_same(const char *name, print_fn *print)
{
	const char *src = getenv("CAIRN_SRC");
	AUTO_CHARS char *path = mem_printf("%s/%s", src != NULL ? src : ".", name);
	AUTO_CHARS char *text = NULL;
	AUTO(strbuf_free) struct strbuf *out = strbuf_new((size_t)4 << 20);
	size_t n;

	assert_ok(print(out));
	assert_ok(file_read_all(path, (size_t)4 << 20, &text, &n));
	if (n != strbuf_len(out) || memcmp(text, strbuf_text(out), n) != 0)
		fail_msg("%s is not what conf/schema.def makes: run `make confdoc`", name);
}

static void the_manual_page_is_made_from_the_table(void **state)
{
	(void)state;
	assert_same("docs/man/cairn.conf.5", conf_schema_print_man);
}

static void the_guide_is_made_from_the_table(void **state)
{
	(void)state;
	assert_same("docs/guide/configuration.md", conf_schema_print_guide);
}

static void every_option_is_documented(void **state)
{
	AUTO(strbuf_free) struct strbuf *out = strbuf_new((size_t)4 << 20);

	(void)state;
	assert_ok(conf_schema_print_guide(out));
	for (size_t i = 0; i < OPT_COUNT; i++) {
		AUTO_CHARS char *head = mem_printf("\n- `%s: ", schema_option((enum conf_opt)i)->name);

		if (strstr(strbuf_text(out), head) == NULL)
			fail_msg("%s is not in the guide", schema_option((enum conf_opt)i)->name);
	}
}

static bool print_once(void)
{
	AUTO(strbuf_free) struct strbuf *out = strbuf_new((size_t)4 << 20);

	return out != NULL && OK(conf_schema_print_man(out));
}

static void printing_survives_any_failing_allocation(void **state)
{
	(void)state;
	assert_true(for_each_failing_allocation(print_once) > 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_manual_page_is_made_from_the_table),
		cmocka_unit_test(the_guide_is_made_from_the_table),
		cmocka_unit_test(every_option_is_documented),
		cmocka_unit_test(printing_survives_any_failing_allocation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
