/* Trust anchor locators: comments, several URIs, line ends, Base64 with and without padding. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/mem.h"
#include "rpki/object/tal.h"
#include "tests/unit/rpki/object/toy.h"

static struct toy *toy;

static enum rule reads(const char *text, struct arena *a, struct tal *t)
{
	struct report rep;
	bool good;

	report_init(&rep);
	good = OK(tal_read(span_text(text), a, &rep, t)); /* before the report is looked at */
	assert_int_equal(good, report_good(&rep));
	return rep.first;
}

static void forms(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct span good = toy_locator(toy);
	AUTO_CHARS char *text = mem_strndup((const char *)good.p, good.n);
	const char *key = strstr(text, "\n\n") + 2;
	AUTO_CHARS char *dos = mem_printf("# one\r\n# two\r\nrsync://a/b\r\n\r\n%.100s\r\n%s\r\n\r\n", key, key + 100);
	AUTO_CHARS char *later = mem_printf("rsync://a/b\n# not here\n\n%s", key);
	AUTO_CHARS char *padded = mem_printf("rsync://a/b\n\n%s=", key);
	struct tal t;

	(void)state;
	assert_int_equal(reads(text, a, &t), RULE_NONE);
	assert_int_equal(t.count, 2);
	assert_true(span_equal(t.uris[1], span_text("https://toy.example/ta/toy.cer")));
	assert_int_equal(t.key_octets.n, 294);
	assert_int_equal(reads(dos, a, &t), RULE_NONE);
	assert_int_equal(t.count, 1);
	assert_int_equal(reads(later, a, &t), RULE_TAL_URI);
	assert_int_equal(reads(padded, a, &t), RULE_TAL_BASE64);
	assert_int_equal(reads("", a, &t), RULE_TAL_NO_URI);
	assert_int_equal(reads("rsync://a/b\n\n", a, &t), RULE_TAL_KEY);
	assert_int_equal(reads("rsync://a/b\n\nAA==\n", a, &t), RULE_TAL_KEY);
	assert_int_equal(reads("rsync://a/b\n\nAB==\n", a, &t), RULE_TAL_BASE64); /* bits that are none */
	assert_int_equal(reads("rsync://a/b\n\nA\n", a, &t), RULE_TAL_BASE64);
}

/* Those of the five registries, as they are installed: each with an https: and an rsync: URI. */
static void installed_ones(void **state)
{
	static const char *const names[] = { "afrinic", "apnic", "arin", "lacnic", "ripe" };
	const char *src = getenv("CAIRN_SRC");

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		AUTO(arena_free) struct arena *a = arena_new(0);
		AUTO_CHARS char *path = mem_printf("%s/rpki/tals/%s.tal", src != NULL ? src : ".", names[i]);
		AUTO_CHARS char *text = NULL;
		struct tal t;
		size_t n;

		assert_true(OK(file_read_all(path, TAL_MAX, &text, &n)));
		assert_int_equal(reads(text, a, &t), RULE_NONE);
		assert_int_equal(t.count, 2);
		assert_true((memcmp(t.uris[0].p, "https:", 6) == 0) != (memcmp(t.uris[1].p, "https:", 6) == 0));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms),
		cmocka_unit_test(installed_ones),
	};
	int failed;

	toy = toy_new();
	if (toy == NULL)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	toy_free(toy);
	return failed;
}
