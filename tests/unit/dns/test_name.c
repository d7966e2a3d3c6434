#include "tests/unit/dns/dns_test.h"

static const struct hash_key key = { { 0x0706050403020100u, 0x0f0e0d0c0b0a0908u } };

static uint32_t seed = 1;
static uint32_t draw(uint32_t below) /* the same numbers in each run */
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % below;
}

/* A name of random labels, with letters of both cases and every other octet. */
static struct name_buf random_name(unsigned int max_labels)
{
	struct name_buf n = { 1, 0, { 0 } };
	unsigned int labels = draw(max_labels + 1);
	size_t at = 0;

	for (unsigned int i = 0; i < labels; i++) {
		unsigned int len = 1 + (draw(8) == 0 ? draw(63) : draw(6));

		if (at + len + 2 > NAME_MAX_OCTETS)
			break;
		n.b[at++] = (uint8_t)len;
		while (len-- > 0)
			n.b[at++] = (uint8_t)(draw(3) == 0 ? draw(256) : (draw(2) ? 'a' : 'A') + draw(3));
		n.labels++;
	}
	n.b[at] = 0;
	n.len = (uint8_t)(at + 1);
	return n;
}

static uint8_t slow_lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static void wire_names_are_checked(void **state)
{
	static const uint8_t good[] = { 3, 'w', 'W', 'w', 1, 0, 0, 99 };
	uint8_t wire[400];
	struct name n;

	(void)state;
	assert_ok(name_from_wire(span_of(good, sizeof good), &n));
	assert_int_equal(n.len, 7);
	assert_int_equal(n.labels, 2);
	for (size_t cut = 0; cut < 7; cut++)
		assert_err(name_from_wire(span_of(good, cut), &n), ERR_FORMAT);
	memset(wire, 1, sizeof wire);
	wire[254] = 0; /* 127 labels, 255 octets */
	assert_ok(name_from_wire(span_of(wire, sizeof wire), &n));
	assert_int_equal(n.len, 255);
	assert_int_equal(n.labels, 127);
	wire[254] = 1;
	wire[256] = 0;
	assert_err(name_from_wire(span_of(wire, sizeof wire), &n), ERR_FORMAT);
	wire[0] = 64;
	wire[65] = 0;
	assert_err(name_from_wire(span_of(wire, sizeof wire), &n), ERR_FORMAT);
	wire[0] = 0xc0;
	assert_err(name_from_wire(span_of(wire, sizeof wire), &n), ERR_FORMAT);
	wire[0] = 2;
	wire[1] = 1;
	wire[2] = 1;
	wire[3] = 252; /* a label of 252 would end at 256 */
	assert_err(name_from_wire(span_of(wire, sizeof wire), &n), ERR_FORMAT);
}

static void pointers_are_followed_backwards_only(void **state)
{
	uint8_t m[64] = { 0 };
	struct name_buf n;
	char text[NAME_TEXT];
	struct reader r;

	(void)state;
	memcpy(m + 12, "\1a\0\1b\xc0\x0c\1c\xc0\x0f", 11);
	r = (struct reader){ m, 23, 19, false };
	assert_ok(name_read(&r, &n)); /* c -> b -> a */
	assert_string_equal(name_to_text(name_of(&n), text), "c.b.a.");
	assert_int_equal(r.pos, 23);
}

static void bad_pointers_fail(void **state)
{
	static const struct {
		uint8_t at;
		const char *octets;
		size_t n;
	} cases[] = {
		{ 12, "\xc0\x0c", 2 },         /* at itself */
		{ 12, "\xc0\x0e", 2 },         /* forwards */
		{ 12, "\1a\xc0\x0c", 4 },      /* into its own fragment: a loop */
		{ 14, "\xc0\x02", 2 },         /* into the header */
		{ 12, "\xc0", 1 },             /* cut off */
		{ 12, "\1a", 2 },              /* no end */
		{ 12, "\5a", 2 },              /* a label cut off */
		{ 12, "\x80\0", 2 },           /* reserved kinds of label */
		{ 12, "\x40\0", 2 },
		{ 12, "", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		uint8_t m[64] = { 0 };
		struct reader r = { m, cases[i].at + cases[i].n, cases[i].at, false };
		struct name_buf n;

		memcpy(m + cases[i].at, cases[i].octets, cases[i].n);
		if (OK(name_read(&r, &n)))
			fail_msg("case %zu was read", i);
		assert_false(reader_ok(&r));
	}
}

static void a_pointer_forwards_fails_even_at_a_name(void **state)
{
	uint8_t m[32] = { 0 };
	struct reader r = { m, 17, 12, false };
	struct name_buf n;

	(void)state;
	memcpy(m + 12, "\xc0\x0e\1a", 4); /* and the root behind */
	assert_err(name_read(&r, &n), ERR_FORMAT);
	r = (struct reader){ m, 17, 14, false };
	assert_ok(name_read(&r, &n));
}

static void two_pointers_cannot_loop(void **state)
{
	uint8_t m[32] = { 0 };
	struct reader r = { m, 18, 14, false };
	struct name_buf n;

	(void)state;
	memcpy(m + 12, "\xc0\x0e\xc0\x0c", 4);
	assert_err(name_read(&r, &n), ERR_FORMAT);
}

static void hops_have_a_budget(void **state)
{
	uint8_t m[1024] = { 0 };
	struct reader r;
	struct name_buf n;
	unsigned int hops = 1000;

	(void)state;
	m[12] = 0;
	store16(m + 13, 0xc000 | 12);
	for (size_t i = 1; i < 300; i++)
		store16(m + 13 + 2 * i, (uint16_t)(0xc000 | (13 + 2 * (i - 1))));
	r = (struct reader){ m, sizeof m, 13 + 2 * 99, false };
	assert_ok(name_read_budget(&r, &hops, &n));
	assert_int_equal(hops, 900);
	assert_int_equal(n.len, 1);
	assert_int_equal(r.pos, 13 + 200);
	r = (struct reader){ m, sizeof m, 13 + 2 * 299, false };
	assert_err(name_read(&r, &n), ERR_FORMAT); /* more than a name has labels */
	hops = 50;
	r = (struct reader){ m, sizeof m, 13 + 2 * 99, false };
	assert_err(name_read_budget(&r, &hops, &n), ERR_FORMAT);
	assert_true(hops == 0);
}

static void compressed_names_keep_the_limit_of_length(void **state)
{
	uint8_t m[1024] = { 0 };
	struct name_buf n;
	struct reader r;
	size_t at = 12;

	(void)state;
	for (int i = 0; i < 3; i++, at += 64)
		m[at] = 63;
	m[at] = 61;
	at += 62;
	m[at++] = 0; /* 192 + 62 + 1: 255 */
	r = (struct reader){ m, sizeof m, 12, false };
	assert_ok(name_read(&r, &n));
	assert_int_equal(n.len, 255);
	memcpy(m + at, "\0\xc0\x0c\1a\xc0\x0c", 7);
	r = (struct reader){ m, sizeof m, at + 1, false };
	assert_ok(name_read(&r, &n));
	assert_int_equal(n.len, 255);
	r = (struct reader){ m, sizeof m, at + 3, false };
	assert_err(name_read(&r, &n), ERR_FORMAT); /* 257 */
	m[12 + 192] = 62;
	m[12 + 192 + 63] = 0;
	r = (struct reader){ m, sizeof m, 12, false };
	assert_err(name_read(&r, &n), ERR_FORMAT); /* 256 */
}

static void skipping_ends_where_reading_ends(void **state)
{
	(void)state;
	for (int round = 0; round < 20000; round++) {
		uint8_t m[80];
		struct reader a = { m, 20 + draw(60), 12, false };
		struct reader b = a;
		struct name_buf n;

		for (size_t i = 0; i < sizeof m; i++)
			m[i] = (uint8_t)(draw(3) == 0 ? 0xc0 : draw(5));
		if (OK(name_read(&a, &n))) {
			struct name again;

			assert_ok(name_skip(&b));
			assert_int_equal(a.pos, b.pos);
			assert_ok(name_from_wire(span_of(n.b, n.len), &again));
			assert_int_equal(again.len, n.len);
			assert_int_equal(again.labels, n.labels);
		}
	}
}

static void text_is_read_with_escapes(void **state)
{
	static const struct {
		const char *text;
		const char *back; /* NULL: refused */
	} cases[] = {
		{ ".", "." },
		{ "a", "a.example." },
		{ "a.", "a." },
		{ "A.b.C.", "A.b.C." },
		{ "@", "example." },
		{ "\\@", "\\@.example." },
		{ "a\\.b.", "a\\.b." },
		{ "a\\046b.", "a\\.b." },
		{ "\\000\\255.", "\\000\\255." },
		{ "a b.", "a\\032b." },
		{ "\\\\\\\".", "\\\\\\\"." },
		{ "*.x.", "*.x." },
		{ "_dmarc._tcp-1/2.", "_dmarc._tcp-1/2." },
		{ "x\\\n.", "x\\010." },
		{ "", NULL },
		{ "..", NULL },
		{ ".a.", NULL },
		{ "a..", NULL },
		{ "a..b.", NULL },
		{ "a\\", NULL },
		{ "a\\1.", NULL },
		{ "a\\12x.", NULL },
		{ "a\\256.", NULL },
		{ "0123456789012345678901234567890123456789012345678901234567890123.", NULL },
	};
	struct name_buf origin = nb("example.");
	struct name top = name_of(&origin);

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct name_buf n;
		char text[NAME_TEXT];
		bool got = OK(name_from_text(cases[i].text, &top, &n));

		if (got != (cases[i].back != NULL))
			fail_msg("\"%s\"", cases[i].text);
		if (got)
			assert_string_equal(name_to_text(name_of(&n), text), cases[i].back);
	}
}

static void long_names_from_text_are_refused(void **state)
{
	char text[600];
	struct name_buf n;
	struct name_buf origin = nb("abc.");
	struct name top = name_of(&origin);
	size_t len = 0;

	(void)state;
	for (int i = 0; i < 125; i++, len += 2)
		memcpy(text + len, "a.", 2);
	text[len] = '\0';
	assert_ok(name_from_text(text, NULL, &n)); /* 251 octets */
	memcpy(text + len, "b.c", 4);
	assert_ok(name_from_text(text, NULL, &n)); /* 255 */
	assert_int_equal(n.len, 255);
	assert_int_equal(n.labels, 127);
	assert_err(name_from_text(text, &top, &n), ERR_FORMAT); /* too long with its origin */
	memcpy(text + len, "b.cc", 5);
	assert_err(name_from_text(text, NULL, &n), ERR_FORMAT);
}

static void text_round_trips(void **state)
{
	(void)state;
	for (int i = 0; i < 5000; i++) {
		struct name_buf n = random_name(20);
		struct name_buf back;
		char text[NAME_TEXT];

		name_to_text(name_of(&n), text);
		for (const char *p = text; *p != '\0'; p++)
			assert_true(*p > ' ' && *p < 127);
		assert_ok(name_from_text(text, NULL, &back));
		assert_true(name_equal_case(name_of(&n), name_of(&back)));
		assert_int_equal(n.labels, back.labels);
	}
}

static void the_longest_text_fits(void **state)
{
	struct name_buf n = { 255, 4, { 0 } };
	char text[NAME_TEXT];

	(void)state;
	memset(n.b, 1, sizeof n.b);
	n.b[0] = n.b[64] = n.b[128] = 63;
	n.b[192] = 61;
	n.b[254] = 0;
	assert_int_equal(strlen(name_to_text(name_of(&n), text)), 250 * 4 + 4);
}

static void case_is_ignored_and_only_case(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++)
		for (int d = 0; d < 256; d++)
			for (size_t at = 1; at <= 9; at += 8) { /* in the words of eight and in the rest */
				uint8_t x[12] = "\11aaaaaaaaa";
				uint8_t y[12] = "\11aaaaaaaaa";
				struct name a = { x, 11, 1 };
				struct name b = { y, 11, 1 };
				bool same = slow_lower((uint8_t)c) == slow_lower((uint8_t)d);

				x[at] = (uint8_t)c;
				y[at] = (uint8_t)d;
				assert_int_equal(name_equal(a, b), same);
				assert_int_equal(name_equal_case(a, b), c == d);
				assert_int_equal(name_compare(a, b) == 0, same);
				if (same)
					assert_true(name_hash(&key, a) == name_hash(&key, b));
			}
}

static void lowering_is_that_of_ascii(void **state)
{
	uint8_t in[256 + 7];
	uint8_t out[256 + 7];

	(void)state;
	for (size_t i = 0; i < sizeof in; i++)
		in[i] = (uint8_t)i;
	for (size_t n = 0; n <= sizeof in; n++) {
		memset(out, 0xee, sizeof out);
		octets_lower(out, in, n);
		for (size_t i = 0; i < sizeof in; i++)
			assert_int_equal(out[i], i < n ? slow_lower((uint8_t)i) : 0xee);
	}
}

static void the_hash_is_that_of_the_lower_case_name(void **state)
{
	(void)state;
	for (int i = 0; i < 2000; i++) {
		struct name_buf n = random_name(12);
		uint64_t h = name_hash(&key, name_of(&n));

		name_lower(&n);
		assert_true(h == name_hash(&key, name_of(&n)));
		assert_true(h == siphash13(&key, n.b, n.len));
	}
}

static void order_of_rfc_4034(void **state)
{
	static const char *const sorted[] = { ".", "example.", "a.example.", "yljkjljk.a.example.", "Z.a.example.", "zABC.a.EXAMPLE.", "z.example.",
		"\\001.z.example.", "*.z.example.", "\\200.z.example." }; /* section 6.1 */

	(void)state;
	for (size_t i = 0; i < 10; i++)
		for (size_t j = 0; j < 10; j++) {
			struct name_buf a = nb(sorted[i]);
			struct name_buf b = nb(sorted[j]);
			int c = name_compare(name_of(&a), name_of(&b));

			assert_int_equal((c > 0) - (c < 0), (i > j) - (i < j));
		}
}

static void order_is_total(void **state)
{
	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct name_buf a = random_name(3);
		struct name_buf b = random_name(3);
		struct name_buf c = random_name(3);
		int ab = name_compare(name_of(&a), name_of(&b));
		int bc = name_compare(name_of(&b), name_of(&c));

		assert_int_equal(ab == 0, name_equal(name_of(&a), name_of(&b)));
		assert_int_equal(ab, -name_compare(name_of(&b), name_of(&a)));
		if (ab <= 0 && bc <= 0)
			assert_true(name_compare(name_of(&a), name_of(&c)) <= 0);
		if (name_is_under(name_of(&a), name_of(&b)))
			assert_true(ab >= 0);
	}
}

static void trees_of_names(void **state)
{
	struct name_buf n = nb("a.B.example.COM.");
	struct name_buf top = nb("Example.com.");
	struct name_buf other = nb("xexample.com.");
	struct name_buf want = nb("b.example.com.");

	(void)state;
	assert_true(name_is_under(name_of(&n), name_of(&top)));
	assert_true(name_is_under(name_of(&top), name_of(&top)));
	assert_true(name_is_strictly_under(name_of(&n), name_of(&top)));
	assert_false(name_is_strictly_under(name_of(&top), name_of(&top)));
	assert_false(name_is_under(name_of(&other), name_of(&top)));
	assert_false(name_is_under(name_of(&top), name_of(&n)));
	assert_true(name_is_under(name_of(&n), name_root));
	assert_true(name_is_root(name_strip(name_of(&n), 4)));
	assert_true(name_is_root(name_strip(name_of(&n), 400)));
	assert_true(name_is_root(name_parent(name_root)));
	assert_true(name_equal(name_parent(name_of(&n)), name_of(&want)));
	assert_int_equal(name_parent(name_of(&n)).labels, 3);
	assert_true(name_equal(name_suffix(name_of(&n), 3), name_of(&want)));
	assert_true(name_is_root(name_suffix(name_of(&n), 0)));
	assert_true(name_equal(name_suffix(name_of(&n), 9), name_of(&n)));
	assert_int_equal(name_common_labels(name_of(&n), name_of(&top)), 2);
	assert_int_equal(name_common_labels(name_of(&n), name_of(&other)), 1);
	assert_int_equal(name_common_labels(name_root, name_of(&other)), 0);
	assert_true(span_equal(name_label(name_of(&n), 2), span_text("example")));
	assert_int_equal(name_label(name_of(&n), 4).n, 0);
}

static void wildcards(void **state)
{
	struct name_buf a = nb("*.example.");
	struct name_buf b = nb("\\042.example."); /* the same octet */
	struct name_buf c = nb("**.example.");

	(void)state;
	assert_true(name_is_wildcard(name_of(&a)));
	assert_true(name_is_wildcard(name_of(&b)));
	assert_false(name_is_wildcard(name_of(&c)));
	assert_false(name_is_wildcard(name_root));
}

static void names_are_joined(void **state)
{
	struct name_buf n = nb("a.b.old.");
	struct name_buf to = nb("new.example.");
	struct name_buf want = nb("a.b.new.example.");
	struct name_buf long1 = random_name(0);
	struct name_buf got;

	(void)state;
	assert_ok(name_concat(name_of(&n), 2, name_of(&to), &got));
	assert_true(name_equal(name_of(&got), name_of(&want)));
	assert_int_equal(got.labels, 4);
	assert_ok(name_concat(name_of(&n), 0, name_of(&to), &got));
	assert_true(name_equal(name_of(&got), name_of(&to)));
	assert_ok(name_concat(name_of(&got), 1, name_of(&got), &got)); /* its own argument */
	assert_int_equal(got.labels, 3);
	while (long1.len < 240)
		assert_ok(name_concat(name_of(&to), 2, name_of(&long1), &long1));
	assert_err(name_concat(name_of(&long1), 100, name_of(&long1), &got), ERR_SPACE);
}

static bool dup_name(void)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct name_buf n = nb("a.example.");
	struct name copy;

	if (a == NULL)
		return false;
	copy = name_dup_in(a, name_of(&n));
	if (copy.wire == NULL)
		return false;
	assert_true(name_equal_case(copy, name_of(&n)) && copy.wire != n.b);
	return true;
}

static void copies_live_in_the_arena(void **state)
{
	(void)state;
	assert_true(for_each_failing_allocation(dup_name) >= 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(wire_names_are_checked),
		cmocka_unit_test(pointers_are_followed_backwards_only),
		cmocka_unit_test(bad_pointers_fail),
		cmocka_unit_test(a_pointer_forwards_fails_even_at_a_name),
		cmocka_unit_test(two_pointers_cannot_loop),
		cmocka_unit_test(hops_have_a_budget),
		cmocka_unit_test(compressed_names_keep_the_limit_of_length),
		cmocka_unit_test(skipping_ends_where_reading_ends),
		cmocka_unit_test(text_is_read_with_escapes),
		cmocka_unit_test(long_names_from_text_are_refused),
		cmocka_unit_test(text_round_trips),
		cmocka_unit_test(the_longest_text_fits),
		cmocka_unit_test(case_is_ignored_and_only_case),
		cmocka_unit_test(lowering_is_that_of_ascii),
		cmocka_unit_test(the_hash_is_that_of_the_lower_case_name),
		cmocka_unit_test(order_of_rfc_4034),
		cmocka_unit_test(order_is_total),
		cmocka_unit_test(trees_of_names),
		cmocka_unit_test(wildcards),
		cmocka_unit_test(names_are_joined),
		cmocka_unit_test(copies_live_in_the_arena),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
