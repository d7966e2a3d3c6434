/* The table of rules, and what collects their findings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/strbuf.h"
#include "rpki/object/rule.h"


static void names_are_well_formed(void **state)
{
	char room[64];

	(void)state;
	for (unsigned int r = 1; r < RULE_COUNT; r++) {
		assert_non_null(strchr(rule_name((enum rule)r), '#'));
		assert_null(strpbrk(rule_name((enum rule)r), " ,;"));
		assert_true(strlen(rule_text((enum rule)r)) > 5);
		assert_true(strlen(rule_place((enum rule)r, room)) > 5);
	}
	assert_string_equal(rule_place(RULE_AKI_FORM, room), "RFC 6487 section 4.8.3");
	assert_string_equal(rule_place(RULE_ROA_CONTAINED, room), "RFC 9582 section 5");
	assert_string_equal(rule_place(RULE_ASPA_EMPTY, room), "draft-ietf-sidrops-aspa-profile section 3.3");
}

static void the_first_stops(void **state)
{
	struct report rep;

	(void)state;
	report_init(&rep);
	assert_true(report_good(&rep));
	assert_true(report_broken(&rep, RULE_SKI_HASH));
	assert_true(report_broken_at(&rep, RULE_AKI_FORM, "%d", 1));
	assert_int_equal(rep.first, RULE_SKI_HASH);
	assert_true(report_has(&rep, RULE_SKI_HASH) && !report_good(&rep));
}

static void all_are_collected(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	AUTO(strbuf_free) struct strbuf *b = strbuf_new(1 << 20);
	struct report rep;

	(void)state;
	report_init_all(&rep, a);
	assert_false(report_broken(&rep, RULE_SKI_HASH));
	assert_false(report_broken_at(&rep, RULE_ROA_CONTAINED, "%s", "10.0.0.0/8"));
	report_print(&rep, "x.roa", b);
	assert_string_equal(strbuf_text(b), "x.roa: RFC 6487 section 4.8.2: the Subject Key Identifier is not the SHA-1 of the key\n"
					    "x.roa: RFC 9582 section 5: a prefix that the EE certificate has not (10.0.0.0/8)\n");
	assert_true(report_names(&rep, "rfc6487#4.8.2") && !report_names(&rep, "rfc6487#4.8.3"));
	for (unsigned int i = 0; i < REPORT_MAX_FINDINGS + 50; i++)
		assert_false(report_broken(&rep, RULE_SKI_HASH));
	strbuf_clear(b);
	report_print(&rep, "x", b);
	assert_non_null(strstr(strbuf_text(b), "x: and 52 more\n"));
}

static void rules_can_be_left_out(void **state)
{
	struct report rep;
	const char *bad = NULL;

	(void)state;
	report_init(&rep);
	assert_true(OK(report_ignore(&rep, "rfc9589#4/signing-time,rfc6487#4.8.3", &bad)));
	assert_false(report_broken(&rep, RULE_CMS_NO_TIME) || report_broken(&rep, RULE_AKI_FORM) || report_broken(&rep, RULE_AKI_MISMATCH));
	assert_true(report_good(&rep) && rep.count == 0);
	assert_true(report_broken(&rep, RULE_SKI_HASH));
	assert_int_equal(report_ignore(&rep, "rfc6487#4.8.3,rfc1", &bad).e, ERR_NOTFOUND);
	assert_string_equal(bad, "rfc1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_well_formed),
		cmocka_unit_test(the_first_stops),
		cmocka_unit_test(all_are_collected),
		cmocka_unit_test(rules_can_be_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
