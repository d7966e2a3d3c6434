#include "conf_test.h"

#include "conf/schema.h"

/* Whatever the table says must hold together; a mistake in a row is found here and not by a user. */
static void every_row_is_sound(void **state)
{
	(void)state;
	for (size_t i = 0; i < OPT_COUNT; i++) {
		const struct schema_option *o = schema_option((enum conf_opt)i);
		struct value_type types[SCHEMA_WORDS];
		size_t n = schema_types((enum conf_opt)i, types), numbers = 0, words = 1;
		bool list = (o->flags & SCHEMA_LIST) != 0;
		struct value v;

		for (const char *p = o->type; *p != '\0'; p++)
			words += *p == ' ';
		if (n != words)
			fail_msg("%s: a type of '%s' is unknown", o->name, o->type);
		for (size_t k = 0; k < n; k++)
			numbers += value_is_number(types[k].kind) && types[k].kind != VALUE_BOOL && types[k].kind != VALUE_ENUM;
		if (numbers > 1 || (numbers == 1 && o->min >= o->max))
			fail_msg("%s: more than one number, or no range", o->name);
		if (!list && n != 1)
			fail_msg("%s: a scalar of %zu words", o->name, n);
		if (!list && o->dflt != NULL && !value_read(&types[0], o->dflt, &v) && o->dflt[0] != '\0')
			fail_msg("%s: the default '%s' is not of its type", o->name, o->dflt);
		if (!list && o->dflt == NULL && value_is_number(types[0].kind) && types[0].kind != VALUE_ENUM)
			fail_msg("%s: a number without a default", o->name);
		if (strlen(o->doc) < 4 || o->doc[strlen(o->doc) - 1] != '.' || strlen(o->since) == 0)
			fail_msg("%s: the text is no sentence, or there is no version", o->name);
	}
}

static void a_clause_has_its_options_together(void **state)
{
	size_t all = 0;

	(void)state;
	for (size_t k = 0; k < CLAUSE_KINDS; k++) {
		enum conf_opt first;

		assert_true(schema_clause_options((enum conf_clause_kind)k, &first) > 0);
		all += schema_clause_options((enum conf_clause_kind)k, &first);
	}
	assert_int_equal(all, OPT_COUNT);
}

static void every_name_is_found_in_its_clause_once(void **state)
{
	AUTO(schema_index_free) struct schema_index *x = schema_index_new();

	(void)state;
	assert_non_null(x);
	for (size_t i = 0; i < OPT_COUNT; i++) {
		const struct schema_option *o = schema_option((enum conf_opt)i);
		enum conf_opt found;

		assert_true(schema_find(x, o->clause, span_text(o->name), &found));
		assert_int_equal(found, i);
		assert_true(schema_find_any(x, span_text(o->name), &found));
	}
}

static void further_names_lead_to_the_same_option(void **state)
{
	AUTO(schema_index_free) struct schema_index *x = schema_index_new();
	enum conf_opt o;

	(void)state;
	assert_true(schema_find(x, CLAUSE_SERVER, span_text("ip-address"), &o));
	assert_int_equal(o, OPT_INTERFACE);
	assert_true(schema_find(x, CLAUSE_SERVER, span_text("tls-additional-ports"), &o));
	assert_int_equal(o, OPT_TLS_ADDITIONAL_PORT);
	assert_true(schema_find(x, CLAUSE_AUTH_ZONE, span_text("master"), &o));
	assert_int_equal(o, OPT_AUTH_ZONE_PRIMARY);
	assert_false(schema_find(x, CLAUSE_SERVER, span_text("stub-addr"), &o));
	assert_false(schema_find(x, CLAUSE_SERVER, span_text("Port"), &o));
	assert_false(schema_find_any(x, span_text("-"), &o));
	assert_false(schema_find_any(x, span_text(""), &o));
}

static void the_nearest_spelling_is_told(void **state)
{
	(void)state;
	assert_string_equal(schema_nearest(CLAUSE_SERVER, span_text("acces-control")), "access-control");
	assert_string_equal(schema_nearest(CLAUSE_SERVER, span_text("Interface")), "interface");
	assert_string_equal(schema_nearest(CLAUSE_SERVER, span_text("num_threads")), "num-threads");
	assert_string_equal(schema_nearest(CLAUSE_SERVER, span_text("qname-minimization")), "qname-minimisation");
	assert_string_equal(schema_nearest(CLAUSE_SERVER, span_text("prot")), "port");
	assert_string_equal(schema_nearest(CLAUSE_STUB_ZONE, span_text("nmae")), "name");
	assert_string_equal(schema_nearest(CLAUSE_KINDS, span_text("sever")), "server");
	assert_string_equal(schema_nearest(CLAUSE_RPKI, span_text("tag")), "tal"); /* its own clause first */
	assert_string_equal(schema_nearest(CLAUSE_RPZ, span_text("tag")), "tags");
	assert_null(schema_nearest(CLAUSE_SERVER, span_text("qqqqqqqq")));
	assert_null(schema_nearest(CLAUSE_SERVER, span_text("")));
	assert_null(schema_nearest(CLAUSE_SERVER, span_text("0123456789012345678901234567890123456789012345678901234567890")));
}

static void whole_clauses_can_be_unused(void **state)
{
	(void)state;
	assert_true(schema_clause_unused(CLAUSE_RPZ));
	assert_true(schema_clause_unused(CLAUSE_DNSCRYPT));
	assert_false(schema_clause_unused(CLAUSE_SERVER));
	assert_false(schema_clause_unused(CLAUSE_STUB_ZONE));
	assert_true(strlen(schema_theme_text(THEME_RPZ)) > 10);
	assert_string_equal(schema_theme_text(THEME_COUNT), "");
}

static bool make_index(void)
{
	AUTO(schema_index_free) struct schema_index *x = schema_index_new();

	return x != NULL;
}

static void an_index_survives_any_failing_allocation(void **state)
{
	(void)state;
	assert_int_equal(for_each_failing_allocation(make_index), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_sound),
		cmocka_unit_test(a_clause_has_its_options_together),
		cmocka_unit_test(every_name_is_found_in_its_clause_once),
		cmocka_unit_test(further_names_lead_to_the_same_option),
		cmocka_unit_test(the_nearest_spelling_is_told),
		cmocka_unit_test(whole_clauses_can_be_unused),
		cmocka_unit_test(an_index_survives_any_failing_allocation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
