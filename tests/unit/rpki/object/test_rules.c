/*
 * Every rule of the table fires: an object of the toy RPKI (toy.h) that is valid is changed in one place and signed again, and the rule is among those that it
 * is found to break; on the way to routers, too, it is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "tests/unit/rpki/object/toy.h"

static const struct {
	enum rule rule;
	enum toy_what what;
	const char *part, *edits;
	unsigned int keep;
} breaks[] = {
#define X(rule, what, part, edits, keep) { RULE_##rule, TOY_##what, part, edits, keep },
#include "tests/unit/rpki/object/breaks.def"
#undef X
};

static struct toy *toy;
static bool fired[RULE_COUNT];

static bool breaks_rule(struct span s, const char *name, enum rule rule, int64_t now)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct inspect_context ctx = toy_context(toy);
	struct inspection i;

	ctx.now = now;
	assert_true(OK(rpki_inspect(s, span_text(name), &ctx, a, &i)));
	for (unsigned int r = 1; r < RULE_COUNT; r++)
		fired[r] = fired[r] || report_has(&i.report, (enum rule)r);
	return !i.valid && report_has(&i.report, rule);
}

static void toys_are_valid(void **state)
{
	(void)state;
	for (unsigned int w = 0; w < TOY_KINDS; w++) {
		AUTO(arena_free) struct arena *a = arena_new(0);
		AUTO(strbuf_free) struct strbuf *b = strbuf_new(1 << 20);
		struct inspect_context ctx = toy_context(toy);
		struct inspection i;
		struct toy_tree tree = toy_tree(a, toy_object(toy, (enum toy_what)w), (enum toy_what)w);

		assert_true(OK(rpki_inspect(toy_object(toy, (enum toy_what)w), span_text(toy_name((enum toy_what)w)), &ctx, a, &i)));
		inspection_print(&i, toy_name((enum toy_what)w), false, b);
		if (!i.valid || i.state != CHAIN_GOOD)
			fail_msg("%s", strbuf_text(b));
		/* taken apart and signed again it is what it was */
		assert_true(span_equal(toy_sign(toy, a, &tree, 0), toy_object(toy, (enum toy_what)w)));
		/* and known without a name */
		assert_true(OK(rpki_inspect(toy_object(toy, (enum toy_what)w), span_text(""), &ctx, a, &i)));
		assert_true(i.valid && i.type == object_type_of_name(span_text(toy_name((enum toy_what)w))));
	}
}

static void each_break_is_found(void **state)
{
	unsigned int wrong = 0;

	(void)state;
	for (size_t n = 0; n < sizeof breaks / sizeof breaks[0]; n++) {
		struct span s = toy_edited(toy, breaks[n].what, breaks[n].part, breaks[n].edits, breaks[n].keep);

		if (s.p == NULL) {
			print_message("%s %s %s: no such place\n", toy_name(breaks[n].what), breaks[n].part, breaks[n].edits);
			wrong++;
		} else if (!breaks_rule(s, toy_name(breaks[n].what), breaks[n].rule, TOY_NOW)) {
			print_message("%s %s %s: not \"%s\"\n", toy_name(breaks[n].what), breaks[n].part, breaks[n].edits, rule_text(breaks[n].rule));
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
}

/* What routers' data goes through stops at the first broken rule, and refuses the same. */
static bool refused_on_the_way(struct span s, enum toy_what w, int64_t now)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	AUTO(public_key_free) struct public_key *key = NULL;
	struct report rep;
	struct resources effective;
	struct cert issuer;
	struct cms cms;
	struct roa roa;
	struct aspa aspa;
	struct crl crl;
	struct issuer by = { &issuer, NULL, NULL, &crl };

	report_init(&rep);
	assert_true(OK(crl_read(toy_object(toy, TOY_CRL), a, &rep, &crl)));
	assert_true(OK(cert_read(toy_object(toy, w == TOY_CA ? TOY_TA : TOY_CA), w == TOY_CA ? CERT_TA : CERT_CA, CERT_USE_ANY, a, &rep, &issuer)));
	assert_true(OK(public_key_make(&issuer.key, &key)));
	by.key = key;
	by.resources = &issuer.claimed;
	if (w == TOY_CA)
		return !OK(cert_read(s, CERT_CA, CERT_USE_ANY, a, &rep, &cms.ee)) || !OK(cert_check(&cms.ee, &by, now, a, &rep, &effective));
	if (!OK(cms_read(s, w == TOY_ROA ? OBJECT_ROA : OBJECT_ASPA, a, &rep, &cms)))
		return true;
	if (w == TOY_ROA)
		return !OK(roa_read(&cms, &rep, &roa)) || !OK(cms_check(&cms, &by, now, a, &rep, &effective)) ||
		       !OK(roa_check(&roa, &cms.ee, &effective, &rep));
	return !OK(aspa_read(&cms, &rep, &aspa)) || !OK(cms_check(&cms, &by, now, a, &rep, &effective)) ||
	       !OK(aspa_check(&aspa, &cms.ee, &effective, &rep));
}

static void each_break_is_refused_on_the_way(void **state)
{
	unsigned int tried = 0;

	(void)state;
	assert_false(refused_on_the_way(toy_object(toy, TOY_ROA), TOY_ROA, TOY_NOW));
	assert_false(refused_on_the_way(toy_object(toy, TOY_ASPA), TOY_ASPA, TOY_NOW));
	assert_false(refused_on_the_way(toy_object(toy, TOY_CA), TOY_CA, TOY_NOW));
	for (size_t n = 0; n < sizeof breaks / sizeof breaks[0]; n++) {
		enum toy_what w = breaks[n].what;

		if (w != TOY_ROA && w != TOY_ASPA && w != TOY_CA)
			continue;
		if (!refused_on_the_way(toy_edited(toy, w, breaks[n].part, breaks[n].edits, breaks[n].keep), w, TOY_NOW))
			fail_msg("%s %s %s: taken", toy_name(w), breaks[n].part, breaks[n].edits);
		tried++;
	}
	assert_true(tried > 100);
}

static void times(void **state)
{
	(void)state;
	assert_true(breaks_rule(toy_object(toy, TOY_CA), "toy.cer", RULE_NOT_YET_VALID, 1700000000));
	assert_true(breaks_rule(toy_object(toy, TOY_CA), "toy.cer", RULE_EXPIRED, 2100000000));
	assert_true(breaks_rule(toy_object(toy, TOY_TA), "ta.cer", RULE_EXPIRED, 2100000000));
	assert_true(breaks_rule(toy_object(toy, TOY_ROA), "toy.roa", RULE_NOT_YET_VALID, 1767225599)); /* a second before */
	assert_false(breaks_rule(toy_object(toy, TOY_ROA), "toy.roa", RULE_NOT_YET_VALID, 1767225600));
	assert_false(breaks_rule(toy_object(toy, TOY_ROA), "toy.roa", RULE_EXPIRED, 2082758400));
	assert_true(breaks_rule(toy_object(toy, TOY_ROA), "toy.roa", RULE_EXPIRED, 2082758401));
}

static void content_of_no_known_type(void **state)
{
	(void)state;
	assert_true(breaks_rule(toy_edited(toy, TOY_ROA, "sd", "2.0:2a03", 0), "toy", RULE_CMS_ECONTENT_TYPE, TOY_NOW));
}

static void a_router_must_say_so(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct report rep;
	struct cert c;

	(void)state;
	report_init_all(&rep, a);
	assert_false(OK(cert_read(toy_edited(toy, TOY_ROUTER, "eku", "-", 0), CERT_ROUTER, CERT_USE_ANY, a, &rep, &c)));
	assert_true(report_has(&rep, RULE_ROUTER_EKU));
	fired[RULE_ROUTER_EKU] = true;
}

static void the_locators_key(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	AUTO(public_key_free) struct public_key *key = NULL;
	struct report rep;
	struct cert ta, ca;

	(void)state;
	report_init(&rep);
	assert_true(OK(cert_read(toy_object(toy, TOY_TA), CERT_TA, CERT_USE_ANY, a, &rep, &ta)));
	assert_true(OK(cert_read(toy_object(toy, TOY_CA), CERT_CA, CERT_USE_ANY, a, &rep, &ca)));
	assert_true(OK(cert_check_ta(&ta, &ta.key.whole, TOY_NOW, &rep, &key)));
	public_key_free(MOVE(key));
	assert_false(OK(cert_check_ta(&ta, &ca.key.whole, TOY_NOW, &rep, &key)));
	assert_int_equal(rep.first, RULE_TA_KEY);
	assert_null(key);
	fired[RULE_TA_KEY] = true;
}

static void locators(void **state)
{
	struct span good = toy_locator(toy);
	AUTO_CHARS char *text = mem_strndup((const char *)good.p, good.n);
	AUTO_CHARS char *no_uri = mem_strdup(strstr(text, "\n\n") + 1);
	AUTO_CHARS char *path = mem_strdup(text);
	AUTO_CHARS char *odd = mem_printf("%s!", text);
	AUTO_CHARS char *other = mem_printf("rsync://a/b\n\nMAMCAQE=\n");

	(void)state;
	assert_false(breaks_rule(good, "toy.tal", RULE_TAL_KEY, TOY_NOW));
	assert_true(breaks_rule(span_text(no_uri), "toy.tal", RULE_TAL_NO_URI, TOY_NOW));
	memcpy(strstr(path, "rsync"), "rsink", 5);
	assert_true(breaks_rule(span_text(path), "toy.tal", RULE_TAL_URI, TOY_NOW));
	assert_true(breaks_rule(span_text(odd), "toy.tal", RULE_TAL_BASE64, TOY_NOW));
	assert_true(breaks_rule(span_text(other), "toy.tal", RULE_TAL_KEY, TOY_NOW));
}

/* n elements of these octets as the contents of what is at the path. */
static struct span many(enum toy_what w, const char *part, const unsigned int *path, size_t depth, const char *element, size_t n)
{
	struct arena *a = toy_arena(toy);
	struct toy_tree tree = toy_tree(a, toy_object(toy, w), w);
	struct node *at = strcmp(part, "content") == 0 ? tree.content : tree_child(tree.cert, 0);
	size_t len = strlen(element) / 2;
	struct span one = tree_hex(a, element, len * 2);
	uint8_t *all = arena_alloc(a, len * n);

	for (size_t i = 0; i < n; i++)
		memcpy(all + i * len, one.p, len);
	for (size_t i = 0; i < depth; i++)
		at = tree_child(at, path[i]);
	assert_non_null(at);
	at->inside = false;
	at->octets = span_of(all, len * n);
	return toy_sign(toy, a, &tree, 0);
}

static void limits(void **state)
{
	static const unsigned int files[] = { 0, 4 }, revoked[] = { 5 }, addresses[] = { 7, 0, 8, 2, 0, 0, 1 };
	AUTO(strbuf_free) struct strbuf *b = strbuf_new(1 << 20);

	(void)state;
	assert_true(breaks_rule(many(TOY_MANIFEST, "content", files, 2, "3000", MANIFEST_MAX_FILES + 1), "toy.mft", RULE_MFT_LIMIT, TOY_NOW));
	assert_true(breaks_rule(many(TOY_CRL, "tbs", revoked, 1, "3000", CRL_MAX_ENTRIES + 1), "toy.crl", RULE_CRL_LIMIT, TOY_NOW));
	assert_true(breaks_rule(many(TOY_CA, "tbs", addresses, 7, "030100", RESOURCES_MAX_RANGES + 1), "toy.cer", RULE_RESOURCES_LIMIT, TOY_NOW));
	for (unsigned int i = 0; i <= TAL_MAX_URIS; i++)
		strbuf_printf(b, "rsync://a/%u\n", i);
	strbuf_add_span(b, toy_locator(toy));
	assert_true(breaks_rule(strbuf_span(b), "toy.tal", RULE_TAL_LIMIT, TOY_NOW));
}

/* The last test: the table has no row that nothing breaks. */
static void no_rule_is_without_a_test(void **state)
{
	unsigned int silent = 0;

	(void)state;
	for (unsigned int r = 1; r < RULE_COUNT; r++) {
		if (!fired[r])
			print_message("never fired: %s %s\n", rule_name((enum rule)r), rule_text((enum rule)r));
		silent += !fired[r];
	}
	assert_int_equal(silent, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(toys_are_valid),
		cmocka_unit_test(each_break_is_found),
		cmocka_unit_test(each_break_is_refused_on_the_way),
		cmocka_unit_test(times),
		cmocka_unit_test(content_of_no_known_type),
		cmocka_unit_test(a_router_must_say_so),
		cmocka_unit_test(the_locators_key),
		cmocka_unit_test(locators),
		cmocka_unit_test(limits),
		cmocka_unit_test(no_rule_is_without_a_test),
	};
	int failed;

	toy = toy_new();
	if (toy == NULL)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	toy_free(toy);
	return failed;
}
