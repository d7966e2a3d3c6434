/* What is told in class CH. */
#include "cache_unit.h"

#include "base/rng.h"
#include "base/strbuf.h"
#include "conf/conf.h"
#include "resolver/serve/chaos.h"
#include "validator/anchors.h"

struct bench {
	struct arena *arena;
	struct serve_settings *settings;
	struct anchors *anchors;
};

static struct bench bench_of(const char *conf)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(4096);
	AUTO(rng_free) struct rng *rng = rng_new_seeded(1);
	AUTO(conf_free) struct conf *c = NULL;
	struct bench b = { .arena = arena_new(0), .anchors = anchors_new() };
	struct name_buf lan;

	assert_true(OK(conf_load_text(conf, "test", report, &c)));
	assert_true(OK(serve_settings_make(c, rng, NULL, report, &b.settings)));
	assert_true(OK(anchors_add_text(b.anchors, "t",
	    span_text(". DS 20326 13 2 0000000000000000000000000000000000000000000000000000000000000001\n"
		      ". DS 38696 13 2 0000000000000000000000000000000000000000000000000000000000000001\n"
		      "corp. DS 7 13 2 0000000000000000000000000000000000000000000000000000000000000001\n"), report)));
	assert_true(OK(name_from_text("lan.", NULL, &lan)) && OK(anchors_add_insecure(b.anchors, name_of(&lan))));
	assert_true(OK(anchors_seal(b.anchors)));
	return b;
}

static void bench_end(struct bench *b)
{
	anchors_free(b->anchors);
	serve_settings_free(b->settings);
	arena_free(b->arena);
}

/* What is told, the strings one behind the other with "|" between; "hidden"; "other". */
static const char *told(struct bench *b, const char *name, uint16_t type, bool validates)
{
	static char text[2048];
	struct name_buf n;
	struct answer a;
	size_t at = 0;

	assert_true(OK(name_from_text(name, NULL, &n)));
	switch (chaos_answer(b->settings, validates ? b->anchors : NULL, &(struct question){ name_of(&n), type, CLASS_CH }, b->arena, &a)) {
	case CHAOS_HIDDEN:
		return "hidden";
	case CHAOS_OTHER:
		return "other";
	case CHAOS_ANSWER:
		break;
	}
	text[0] = '\0';
	for (size_t i = 0; a.answer_count > 0 && i < a.sets[0].rs->count; i++) {
		struct span s = rrset_rdata(a.sets[0].rs, i);

		assert_int_equal(s.n, s.p[0] + 1u);
		at += (size_t)snprintf(text + at, sizeof text - at, "%s%.*s", i > 0 ? "|" : "", (int)s.p[0], (const char *)s.p + 1);
	}
	return text;
}

static void who_we_are_is_told_unless_it_is_hidden(void **state)
{
	struct bench open = bench_of("server:\nidentity: \"here\"\nversion: \"1\"\n");
	struct bench shut = bench_of("server:\nhide-identity: yes\nhide-version: yes\n");

	(void)state;
	assert_string_equal(told(&open, "ID.server.", RR_TXT, true), "here");
	assert_string_equal(told(&open, "hostname.bind.", RR_ANY, true), "here");
	assert_string_equal(told(&open, "version.bind.", RR_TXT, true), "1");
	assert_string_equal(told(&open, "version.bind.", RR_A, true), "other");
	assert_string_equal(told(&open, "authors.bind.", RR_TXT, true), "other");
	assert_string_equal(told(&shut, "id.server.", RR_TXT, true), "hidden");
	assert_string_equal(told(&shut, "version.server.", RR_TXT, true), "hidden");
	bench_end(&open);
	bench_end(&shut);
}

static void the_tags_of_the_anchors_are_told_zone_by_zone(void **state)
{
	struct bench open = bench_of("server:\n");
	struct bench shut = bench_of("server:\nhide-trustanchor: yes\n");

	(void)state;
	assert_string_equal(told(&open, "trustanchor.unbound.", RR_TXT, true), ". 20326 38696|corp. 7");
	assert_string_equal(told(&open, "trustanchor.cairn.", RR_TXT, true), ". 20326 38696|corp. 7");
	assert_string_equal(told(&open, "trustanchor.cairn.", RR_TXT, false), "");
	assert_string_equal(told(&shut, "trustanchor.cairn.", RR_TXT, true), "hidden");
	bench_end(&open);
	bench_end(&shut);
}

static void what_does_not_fit_a_string_is_left_out(void **state)
{
	struct bench b = bench_of("server:\n");
	AUTO(strbuf_free) struct strbuf *text = strbuf_new(1 << 16), *report = strbuf_new(4096);
	const char *s;

	(void)state;
	anchors_free(b.anchors);
	b.anchors = anchors_new();
	for (unsigned int i = 0; i < 100; i++)
		strbuf_printf(text, ". DS %u 13 2 0000000000000000000000000000000000000000000000000000000000000001\n", 10000 + i);
	assert_true(OK(anchors_add_text(b.anchors, "t", strbuf_span(text), report)) && OK(anchors_seal(b.anchors)));
	s = told(&b, "trustanchor.cairn.", RR_TXT, true);
	assert_true(strlen(s) > 240 && strlen(s) <= 255);
	assert_int_equal(strncmp(s, ". 10000 10001 ", 14), 0);
	bench_end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_we_are_is_told_unless_it_is_hidden),
		cmocka_unit_test(the_tags_of_the_anchors_are_told_zone_by_zone),
		cmocka_unit_test(what_does_not_fit_a_string_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
