/* Explanations as text and as JSON: what stands in them, how wide they are, and that nothing of the network can command a terminal. */
#include "explain_world.h"

#include "resolver/control/explain_json.h"
#include "resolver/control/explain_text.h"
#include "tests/unit/resolver/route_world.h"

static void check_has(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("no \"%s\" in\n%s", part, text);
}

struct shown {
	struct strbuf *text, *json;
};

static struct shown show(struct explain_world *w, const char *name, uint16_t type, const struct explain_told *told)
{
	WORLD_EXPLAIN(w, name, type);
	struct shown s = { strbuf_new(1 << 20), strbuf_new(1 << 20) };

	assert_non_null(x);
	explain_text(x, told, s.text);
	explain_json(x, told, s.json);
	assert_true(strbuf_ok(s.text) && strbuf_ok(s.json));
	return s;
}

static void shown_done(struct shown *s)
{
	strbuf_free(s->text);
	strbuf_free(s->json);
}

static void check_clean(const char *text, bool lines)
{
	for (const char *p = text; *p != '\0'; p++) {
		if ((*p < ' ' || *p > '~') && !(lines && *p == '\n'))
			fail_msg("octet %d in\n%s", *p, text);
	}
}

/* Braces, brackets, quotes and commas as JSON has them; numbers, true, false and null are not looked at closely. */
static void check_json(const char *p)
{
	char stack[64];
	size_t depth = 0;
	bool value = false; /* one has just ended */

	for (; *p != '\0' && *p != '\n'; p++) {
		if (*p == '"') {
			assert_false(value);
			for (p++; *p != '"'; p++) {
				assert_true(*p != '\0');
				p += *p == '\\';
			}
			value = p[1] != ':';
			p += p[1] == ':';
		} else if (*p == '{' || *p == '[') {
			assert_false(value);
			assert_true(depth < sizeof stack);
			stack[depth++] = *p;
		} else if (*p == '}' || *p == ']') {
			assert_true(depth > 0 && stack[--depth] == (*p == '}' ? '{' : '['));
			assert_true(p[-1] != ',');
			value = true;
		} else if (*p == ',') {
			assert_true(value);
			value = false;
		} else {
			assert_false(value);
			p += strspn(p, "0123456789-truefalsn") - 1;
			value = true;
		}
	}
	assert_int_equal(depth, 0);
	assert_string_equal(p, "\n");
}

static void a_tree_has_every_link(void **state)
{
	struct explain_world w = { .conf = NULL };
	struct explain_told told = { .told = true, .security = SECURITY_SECURE };
	char line[200];
	struct shown s;

	(void)state;
	world_fill(&w);
	s = show(&w, "alias.example.com.", RR_A, &told);
	assert_int_equal(strncmp(strbuf_text(s.text), "SECURE alias.example.com. A\n  answer  NOERROR, secure\n", 50), 0);
	(void)snprintf(line, sizeof line, "|- anchor    %u ECDSAP256SHA256 DNSKEY: names a key\n", signer_tag(w.signer[Z_ROOT]));
	check_has(strbuf_text(s.text), line);
	check_has(strbuf_text(s.text), "\n`- com.                           secure\n");
	(void)snprintf(line, sizeof line, "   |- DS        %u ECDSAP256SHA256 SHA256: names a key\n", signer_tag(w.signer[Z_COM]));
	check_has(strbuf_text(s.text), line);
	(void)snprintf(line, sizeof line, "   |- DNSKEY    %u ECDSAP256SHA256 257 KSK, named by DS\n", signer_tag(w.signer[Z_COM]));
	check_has(strbuf_text(s.text), line);
	(void)snprintf(line, sizeof line, "   |- RRSIG     by com. key %u ECDSAP256SHA256, 2023-11-14T21:30:00Z to 2023-11-14T23:30:00Z: good\n",
	    signer_tag(w.signer[Z_COM]));
	check_has(strbuf_text(s.text), line);
	check_has(strbuf_text(s.text), "      |- alias.example.com. CNAME       secure\n");
	check_has(strbuf_text(s.text), "         |- A         198.51.100.80\n");
	check_json(strbuf_text(s.json));
	check_has(strbuf_text(s.json), "{\"question\":{\"name\":\"alias.example.com.\",\"type\":\"A\"},\"time\":\"2023-11-14T22:30:00Z\"");
	check_has(strbuf_text(s.json), "\"kind\":\"alias\",\"zone\":\"example.com.\"");
	check_has(strbuf_text(s.json), "\"target\":\"www.example.com.\"");
	check_has(strbuf_text(s.json), "\"inception\":\"2023-11-14T21:30:00Z\",\"expiration\":\"2023-11-14T23:30:00Z\",\"verified\":true");
	shown_done(&s);
	world_done(&w);
}

static void the_head_says_what_clients_are_told_and_what_to_mend(void **state)
{
	struct explain_world w = { .data_spoilt = true };
	struct explain_told told = { .told = true, .rcode = RCODE_SERVFAIL, .security = SECURITY_BOGUS, .ede = { { EDE_BOGUS, "some\033reason" } }, .ede_count = 1 };
	struct shown s;

	(void)state;
	world_fill(&w);
	s = show(&w, "www.example.com.", RR_A, &told);
	check_has(strbuf_text(s.text), "BOGUS www.example.com. A\n  answer  SERVFAIL\n  error   6 (DNSSEC Bogus): some\\027reason\n  why     the signature of");
	check_has(strbuf_text(s.text), "\n  mend    Sign zone example.com anew");
	check_has(strbuf_text(s.text), "|- FAULT     the signature of");
	check_has(strbuf_text(s.json), "\"answer\":{\"rcode\":\"SERVFAIL\",\"security\":\"bogus\",\"extended_errors\":[{\"code\":6,\"purpose\":\"DNSSEC Bogus\",\"text\":\"some\\u001breason\"}]");
	check_has(strbuf_text(s.json), "\"verdict\":\"bogus\"");
	check_json(strbuf_text(s.json));
	check_clean(strbuf_text(s.text), true);
	shown_done(&s);
	told = (struct explain_told){ .told = false };
	s = show(&w, "www.example.com.", RR_A, &told);
	check_has(strbuf_text(s.text), "  answer  none came in time\n");
	check_has(strbuf_text(s.json), "\"rcode\":null");
	shown_done(&s);
	world_done(&w);
}

static void a_failure_of_good_data_is_remarked_upon(void **state)
{
	struct explain_world w = { .conf = NULL };
	struct explain_told told = { .told = true, .rcode = RCODE_SERVFAIL };
	struct shown s;

	(void)state;
	world_fill(&w);
	s = show(&w, "www.example.com.", RR_A, &told);
	check_has(strbuf_text(s.text), "  note    what is in the caches now validates");
	shown_done(&s);
	world_done(&w);
}

static void what_terminals_obey_is_escaped(void **state)
{
	struct explain_world w = { .hostile = true };
	struct explain_told told = { .told = true };
	struct shown s;

	(void)state;
	world_fill(&w);
	s = show(&w, "\\027[31m.example.com.", RR_TXT, &told);
	check_clean(strbuf_text(s.text), true);
	check_clean(strbuf_text(s.json), true);
	check_json(strbuf_text(s.json));
	check_has(strbuf_text(s.text), "\\027[31m.example.com. TXT");
	shown_done(&s);
	world_done(&w);
}

/* No line is wider than 112 columns, unless a word alone is. */
static void check_width(const char *text)
{
	while (*text != '\0') {
		size_t n = strcspn(text, "\n");

		if (n > 112 && memchr(text + 40, ' ', n - 40) != NULL)
			fail_msg("%zu columns: %.*s", n, (int)n, text);
		text += n + (text[n] == '\n');
	}
}

static void lines_are_no_wider_than_a_page(void **state)
{
	static const struct explain_world cases[] = { { .conf = NULL }, { .data_spoilt = true }, { .ds_other = true }, { .no_ds = true }, { .keys_by_other = true },
		{ .denial_gap = true }, { .all_from = -864000, .all_to = -432000 } };
	struct explain_told told = { .told = true };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct explain_world w = cases[i];
		struct shown s;

		world_fill(&w);
		s = show(&w, i % 2 == 0 ? "www.example.com." : "nope.example.com.", RR_A, &told);
		check_width(strbuf_text(s.text));
		check_json(strbuf_text(s.json));
		shown_done(&s);
		world_done(&w);
	}
}

/* Of the servers' addresses 192.0.2.1 (the root's) is announced by who may, 192.0.2.2 (com.) by somebody, 192.0.2.3 (example.com.) by who may not. */
static const struct route_world_row some_routes[] = { { "192.0.2.0/31", 64496, 64496 }, { "192.0.2.2/32", 64497, 0 }, { "192.0.2.3/32", 64498, 64499 } };

static void routes_stand_beside_signatures(void **state)
{
	AUTO(route_view_unref) struct route_view *routes = route_world_of(some_routes, 3, true, 1);
	struct explain_world w = { .no_ds = true, .routes = routes };
	struct explain_told told = { .told = true };
	struct shown s;

	(void)state;
	world_fill(&w);
	s = show(&w, "www.example.com.", RR_A, &told);
	check_has(strbuf_text(s.text), "\n  routes  unsigned with an invalid route: example.com.\n  routes  signed but hijackable: com.\n");
	check_has(strbuf_text(s.text), "|  `- server    192.0.2.2 ns.com. not asked; route not-found: 192.0.2.2/32 by AS64497, no VRP\n");
	check_has(strbuf_text(s.text), "not asked; route invalid origin: 192.0.2.3/32 by");
	check_has(strbuf_text(s.text), "|- routes    1 covered, 0 uncovered, 0 invalid, 0 unknown\n");
	check_has(strbuf_text(s.text), "|- routes    0 covered, 0 uncovered, 1 invalid, 0 unknown\n");
	check_has(strbuf_text(s.text), "|- EXPOSED   signed but hijackable: who takes over");
	check_has(strbuf_text(s.text), "|- EXPOSED   unsigned with an invalid route: who announces");
	check_width(strbuf_text(s.text));
	check_clean(strbuf_text(s.text), true);
	check_has(strbuf_text(s.json), "\"route\":{\"state\":\"valid\",\"guard\":\"covered\",\"contested\":false,\"prefix\":\"192.0.2.0/31\",\"origin\":64496,\"vrp\":\"192.0.2.0/31\","
				       "\"vrp_max_length\":31,\"vrp_origin\":64496}}],\"exposure\":null,");
	check_has(strbuf_text(s.json), "\"exposure\":\"signed but hijackable\",\"routes\":{\"unknown\":0,\"covered\":0,\"uncovered\":1,\"invalid\":0}");
	check_has(strbuf_text(s.json), "\"exposure\":\"unsigned with an invalid route\",\"routes\":{\"unknown\":0,\"covered\":0,\"uncovered\":0,\"invalid\":1}");
	check_json(strbuf_text(s.json));
	shown_done(&s);
	world_done(&w);
	w = (struct explain_world){ .ds_missing = true, .routes = routes }; /* whether it is signed nobody knows */
	world_fill(&w);
	s = show(&w, "www.example.com.", RR_A, &told);
	check_has(strbuf_text(s.json), "\"exposure\":null,\"routes\":{\"unknown\":0,\"covered\":0,\"uncovered\":0,\"invalid\":1}");
	shown_done(&s);
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tree_has_every_link),
		cmocka_unit_test(the_head_says_what_clients_are_told_and_what_to_mend),
		cmocka_unit_test(a_failure_of_good_data_is_remarked_upon),
		cmocka_unit_test(what_terminals_obey_is_escaped),
		cmocka_unit_test(lines_are_no_wider_than_a_page),
		cmocka_unit_test(routes_stand_beside_signatures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
