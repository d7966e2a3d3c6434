/* What a filter says: classes of rules, chains of names, conditions on addresses; and that it says what a slow model says. */
#include "base/rng.h"
#include "tests/unit/filter/made.h"
#include "tests/unit/filter/naive.h"

static struct filter_address address(const char *text, enum filter_route state, uint32_t origin)
{
	struct filter_address a = { .state = state, .origin = origin, .excepted = 77 };

	assert_true(OK(addr_parse(text, &a.addr)));
	return a;
}

/* "VERDICT RULE NAME [ADDRESS]" for a chain of names, a blank between them. */
static const char *asked(const char *rules, const char *chain, uint16_t type, const struct filter_address *addresses, size_t n)
{
	static const char *const verdicts[] = { "pass", "allowed", "blocked" };
	static char said[1000];
	AUTO(filter_free) struct filter *f = made(rules);
	AUTO_CHARS char *copy = mem_strdup(chain);
	struct filter_address list[8];
	struct name_buf room[8];
	struct name names[8];
	struct filter_hit hit;
	char text[NAME_TEXT], where[ADDR_TEXT];
	size_t count = 0;

	for (char *word = strtok(copy, " "); word != NULL; word = strtok(NULL, " "), count++) {
		room[count] = name_buf(word);
		names[count] = name_of(&room[count]);
	}
	for (size_t i = 0; i < n; i++)
		list[i] = addresses[i];
	enum filter_verdict v = filter_answer(f, names, count, type, n == 0 ? NULL : list, n, &hit);
	assert_int_equal(v, hit.verdict);
	(void)snprintf(said, sizeof said, "%s%s%s%s%s%s%s", verdicts[hit.verdict], hit.rule == NULL ? "" : " ", hit.rule == NULL ? "" : hit.rule, hit.rule == NULL ? "" : " ",
	    hit.rule == NULL ? "" : name_to_text(hit.name, text), hit.address == NULL ? "" : " ", hit.address == NULL ? "" : addr_text(&hit.address->addr, where));
	return said;
}

static const char *asked_name(const char *rules, const char *name)
{
	return asked(rules, name, RR_A, NULL, 0);
}

static void classes_have_an_order(void **state)
{
	(void)state;
	assert_string_equal(asked_name("||a.b^", "x.a.b"), "blocked ||a.b^ x.a.b.");
	assert_string_equal(asked_name("||a.b^\n@@||x.a.b^", "x.a.b"), "allowed @@||x.a.b^ x.a.b.");
	assert_string_equal(asked_name("@@||x.a.b^\n||a.b^$important", "x.a.b"), "blocked ||a.b^$important x.a.b.");
	assert_string_equal(asked_name("@@||x.a.b^$important\n||a.b^$important\n@@||a.b^", "x.a.b"), "allowed @@||x.a.b^$important x.a.b.");
	assert_string_equal(asked_name("*x.a.b*\n|x.a.b^\n||a.b^", "x.a.b"), "blocked *x.a.b* x.a.b."); /* the first that was added */
	assert_string_equal(asked_name("||a.b^\n|x.a.b^\n*x.a.b*", "x.a.b"), "blocked ||a.b^ x.a.b.");
	assert_string_equal(asked_name("||c.b^", "x.a.b"), "pass");
}

static void kinds_hold_for_their_names(void **state)
{
	(void)state;
	assert_string_equal(asked_name("|a.b^", "a.b"), "blocked |a.b^ a.b.");
	assert_string_equal(asked_name("|a.b^", "x.a.b"), "pass");
	assert_string_equal(asked_name("|a.b^", "b"), "pass");
	assert_string_equal(asked_name(".a.b^", "a.b"), "pass");
	assert_string_equal(asked_name(".a.b^", "x.a.b"), "blocked .a.b^ x.a.b.");
	assert_string_equal(asked_name("||a.b^", "xa.b"), "pass");
	assert_string_equal(asked_name("*.a.b", "A.B"), "blocked *.a.b A.B.");
	assert_string_equal(asked_name("||b^", "b"), "blocked ||b^ b.");
}

static void types_are_asked_for(void **state)
{
	(void)state;
	assert_string_equal(asked("||a.b^$dnstype=AAAA", "a.b", RR_A, NULL, 0), "pass");
	assert_string_equal(asked("||a.b^$dnstype=AAAA", "a.b", RR_AAAA, NULL, 0), "blocked ||a.b^$dnstype=AAAA a.b.");
	assert_string_equal(asked("||a.b^$dnstype=AAAA", "c.d a.b", RR_AAAA, NULL, 0), "blocked ||a.b^$dnstype=AAAA a.b.");
	assert_string_equal(asked("||a.b^$dnstype=CNAME", "c.d a.b", RR_AAAA, NULL, 0), "blocked ||a.b^$dnstype=CNAME a.b.");
	assert_string_equal(asked("||a.b^$dnstype=~CNAME", "c.d a.b", RR_AAAA, NULL, 0), "pass");
	assert_string_equal(asked("*$denyallow=b|d", "a.b c.d", RR_A, NULL, 0), "pass");
	assert_string_equal(asked("*$denyallow=b|d", "a.b c.e", RR_A, NULL, 0), "blocked *$denyallow=b|d c.e.");
}

static void exceptions_cover_what_a_name_leads_to(void **state)
{
	(void)state;
	assert_string_equal(asked_name("||t.e^", "a.b x.t.e"), "blocked ||t.e^ x.t.e.");
	assert_string_equal(asked_name("||t.e^\n@@||a.b^", "a.b x.t.e"), "allowed @@||a.b^ a.b.");
	assert_string_equal(asked_name("||t.e^\n@@||c.d^", "a.b x.t.e c.d"), "blocked ||t.e^ x.t.e."); /* not by pointing at it */
	assert_string_equal(asked_name("||t.e^$important\n@@||a.b^", "a.b x.t.e"), "blocked ||t.e^$important x.t.e.");
	assert_string_equal(asked_name("||t.e^$important\n@@||a.b^\n@@||x.t.e^$important", "a.b x.t.e"), "allowed @@||x.t.e^$important x.t.e.");
}

static void conditions_hold_for_one_address(void **state)
{
	const struct filter_address a[] = { address("192.0.2.1", FILTER_ROUTE_VALID, 64500), address("2001:db8::1", FILTER_ROUTE_INVALID, 64501) };

	(void)state;
	assert_string_equal(asked("*$route=invalid", "a.b", RR_A, a, 2), "blocked *$route=invalid a.b. 2001:db8::1");
	assert_string_equal(asked("*$route=invalid", "a.b", RR_A, a, 1), "pass");
	assert_string_equal(asked("*$route=invalid", "a.b", RR_A, NULL, 0), "pass");
	assert_string_equal(asked("*$route=invalid,asn=64500", "a.b", RR_A, a, 2), "pass"); /* each for another address */
	assert_string_equal(asked("*$route=invalid,asn=64501,address=2001:db8::/32", "a.b", RR_A, a, 2),
	    "blocked *$route=invalid,asn=64501,address=2001:db8::/32 a.b. 2001:db8::1");
	assert_string_equal(asked("||192.0.2.1^", "a.b", RR_A, a, 2), "blocked ||192.0.2.1^ a.b. 192.0.2.1");
	assert_string_equal(asked("||c.d^$asn=64500", "a.b", RR_A, a, 2), "pass");
	assert_string_equal(asked("||c.d^$asn=64500", "a.b x.c.d", RR_A, a, 2), "blocked ||c.d^$asn=64500 x.c.d. 192.0.2.1");
	assert_string_equal(asked("*$asn=64500\n*$route=invalid,important", "a.b", RR_A, a, 2), "blocked *$route=invalid,important a.b. 2001:db8::1");
}

static void exceptions_with_conditions_are_of_addresses(void **state)
{
	const struct filter_address a[] = { address("192.0.2.1", FILTER_ROUTE_INVALID, 64500), address("192.0.2.2", FILTER_ROUTE_INVALID, 64501) };

	(void)state;
	assert_string_equal(asked("*$route=invalid\n@@*$asn=64500", "a.b", RR_A, a, 1), "allowed @@*$asn=64500 a.b. 192.0.2.1");
	assert_string_equal(asked("*$route=invalid\n@@*$asn=64500", "a.b", RR_A, a, 2), "blocked *$route=invalid a.b. 192.0.2.2");
	assert_string_equal(asked("*$route=invalid,important\n@@*$asn=64500", "a.b", RR_A, a, 1), "blocked *$route=invalid,important a.b. 192.0.2.1");
	assert_string_equal(asked("*$route=invalid,important\n@@*$asn=64500,important", "a.b", RR_A, a, 1), "allowed @@*$asn=64500,important a.b. 192.0.2.1");
	assert_string_equal(asked("||a.b^\n@@||a.b^$asn=64500", "a.b", RR_A, a, 1), "blocked ||a.b^ a.b."); /* a name stays blocked */
	assert_string_equal(asked("*$route=invalid\n@@||c.d^", "a.b c.d", RR_A, a, 2), "allowed @@||c.d^ c.d.");
	assert_string_equal(asked("||a.b^$route=invalid,important\n@@||c.d^", "a.b c.d", RR_A, a, 2), "blocked ||a.b^$route=invalid,important a.b. 192.0.2.1");
}

static void a_question_knows_no_addresses(void **state)
{
	AUTO(filter_free) struct filter *f = made("||a.b^$route=invalid\n@@*$asn=1\n||c.d^");
	struct name_buf nb = name_buf("a.b");
	struct filter_hit hit;

	(void)state;
	assert_int_equal(filter_question(f, name_of(&nb), RR_A, &hit), FILTER_PASS);
	nb = name_buf("c.d");
	assert_int_equal(filter_question(f, name_of(&nb), RR_A, &hit), FILTER_BLOCKED);
}

/* --- the model */

static const char *one_of(struct rng *r, const char *const *of, uint32_t n)
{
	return of[rng_below(r, n)];
}

static void random_name(struct rng *r, struct strbuf *out)
{
	static const char *const labels[] = { "a", "b", "ab", "ba", "aa", "abc", "x" };

	for (uint32_t n = 1 + rng_below(r, 4); n > 0; n--) {
		strbuf_puts(out, one_of(r, labels, 7));
		if (n > 1)
			strbuf_putc(out, rng_below(r, 12) == 0 ? '*' : '.');
	}
}

static void random_rule(struct rng *r, struct strbuf *out)
{
	static const char *const start[] = { "||", "||", "|", "", "*.", "." }, *const end[] = { "^", "^", "^", "", "*" };
	static const char *const modifier[] = { "important", "denyallow=a|x.b", "dnstype=A", "dnstype=~CNAME", "dnstype=CNAME|AAAA", "route=invalid", "route=~valid", "asn=1-2|~2", "asn=~3",
		"address=10.0.0.0/8|~10.0.0.1", "route=valid|unknown", "badfilter" };
	bool any = rng_below(r, 6) == 0;

	strbuf_puts(out, rng_below(r, 3) == 0 ? "@@" : "");
	if (any) {
		strbuf_putc(out, '*');
	} else {
		strbuf_puts(out, one_of(r, start, 6));
		random_name(r, out);
		strbuf_puts(out, one_of(r, end, 5));
	}
	for (uint32_t i = 0, n = rng_below(r, 3) + any; i < n; i++) {
		strbuf_putc(out, i == 0 ? '$' : ',');
		strbuf_puts(out, one_of(r, modifier, 12));
	}
	strbuf_putc(out, '\n');
}

#define RULES 12

/* The forms of its rules, as naive.h wants them. */
static void forms_of(const struct filter *f, char *forms[RULES])
{
	for (size_t i = 0; i < f->rules; i++) {
		AUTO(strbuf_free) struct strbuf *out = strbuf_new(2000);

		filter_rule_print(&f->rule[i], out);
		forms[i] = strbuf_take(out);
		assert_non_null(forms[i]);
	}
}

static void same_as_the_model(const struct filter *f, const char *const *forms, const struct name *names, size_t n, uint16_t type, struct filter_address *a, size_t addresses, uint64_t seen[3])
{
	struct filter_hit hit;
	size_t rule = 0;
	enum filter_verdict want = naive_answer(forms, f->rules, names, n, type, a, addresses, &rule);

	assert_int_equal(filter_answer(f, names, n, type, a, addresses, &hit), want);
	seen[want]++;
	if (want == FILTER_BLOCKED) {
		assert_ptr_equal(hit.rule, f->rule[rule].text);
		assert_int_equal(hit.address != NULL, filter_rule_asks_address(&f->rule[rule]));
	}
	want = naive_question(forms, f->rules, names[0], type, &rule);
	assert_int_equal(filter_question(f, names[0], type, &hit), want);
	if (want == FILTER_BLOCKED)
		assert_ptr_equal(hit.rule, f->rule[rule].text);
}

static void random_question(struct rng *r, const struct filter *f, const char *const *forms, uint64_t seen[3])
{
	static const char *const where[] = { "10.0.0.1", "10.0.0.2", "192.0.2.1", "2001:db8::1" };
	static const uint16_t types[] = { RR_A, RR_AAAA, RR_TXT };
	struct filter_address a[3];
	struct name_buf room[3];
	struct name names[3];
	uint32_t n = 1 + rng_below(r, 3), addresses = rng_below(r, 4);

	for (uint32_t i = 0; i < n; i++) {
		AUTO(strbuf_free) struct strbuf *text = strbuf_new(100);

		random_name(r, text);
		room[i] = name_buf(strbuf_text(text));
		names[i] = name_of(&room[i]);
	}
	for (uint32_t i = 0; i < addresses; i++)
		a[i] = address(one_of(r, where, 4), (enum filter_route)rng_below(r, FILTER_ROUTES), rng_below(r, 5));
	same_as_the_model(f, forms, names, n, types[rng_below(r, 3)], a, addresses, seen);
}

static void it_says_what_a_slow_model_says(void **state)
{
	AUTO(rng_free) struct rng *r = rng_new_seeded(4711);
	uint64_t seen[3] = { 0 };

	(void)state;
	for (unsigned int turn = 0; turn < 400; turn++) {
		const struct filter_limits none = { .told = 0 };
		AUTO(strbuf_free) struct strbuf *text = strbuf_new(4000);
		AUTO(filter_free) struct filter *f = NULL;
		char *forms[RULES] = { NULL };

		for (uint32_t n = 1 + rng_below(r, RULES); n > 0; n--)
			random_rule(r, text);
		f = made_within(&none, strbuf_text(text), NULL); /* some have a modifier twice, or are too short */
		forms_of(f, forms);
		for (unsigned int i = 0; i < 20; i++)
			random_question(r, f, (const char *const *)forms, seen);
		for (size_t i = 0; i < RULES; i++)
			mem_free(MOVE(forms[i]));
	}
	assert_true(seen[FILTER_PASS] > 500 && seen[FILTER_ALLOWED] > 500 && seen[FILTER_BLOCKED] > 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(classes_have_an_order),
		cmocka_unit_test(kinds_hold_for_their_names),
		cmocka_unit_test(types_are_asked_for),
		cmocka_unit_test(exceptions_cover_what_a_name_leads_to),
		cmocka_unit_test(conditions_hold_for_one_address),
		cmocka_unit_test(exceptions_with_conditions_are_of_addresses),
		cmocka_unit_test(a_question_knows_no_addresses),
		cmocka_unit_test(it_says_what_a_slow_model_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
