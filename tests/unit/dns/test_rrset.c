#include "tests/unit/dns/dns_test.h"

static void a_set_is_one_block(void **state)
{
	static const char *const rdata[] = { "10 a.example.", "20 B.example." };
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct rrset *rs = make_set(a, "Example.", RR_MX, 300, rdata, 2);
	AUTO(rrset_free) struct rrset *copy = rrset_copy(rs);
	struct rrset *other = rrset_copy_in(a, rs);
	struct name_buf owner = nb("Example.");
	struct name_buf b = nb("B.example.");
	struct name target;

	(void)state;
	assert_non_null(copy);
	memset(rs, 0xee, rs->octets); /* nothing points back */
	for (int i = 0; i < 2; i++) {
		const struct rrset *s = i == 0 ? copy : other;

		assert_int_equal(s->count, 2);
		assert_int_equal(s->sigs, 0);
		assert_int_equal(s->ttl, 300);
		assert_int_equal(s->type, RR_MX);
		assert_true(name_equal_case(rrset_name(s), name_of(&owner)));
		assert_true(rrset_target(s, 1, &target));
		assert_true(name_equal_case(target, name_of(&b)));
		assert_ok(rrset_check_block((struct span){ (const uint8_t *)s, s->octets }));
	}
}

static void duplicates_are_removed(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct name_buf owner = nb("x.");
	struct span spans[3000];
	uint8_t rdata[3000][2];

	(void)state;
	for (size_t n = 1; n <= 3000; n = n * 2 + 1) {
		size_t distinct = n < 7 ? n : n / 3 + 1;
		struct rrset *rs;

		for (size_t i = 0; i < n; i++) {
			store16(rdata[i], (uint16_t)(i * 31 % distinct));
			spans[i] = (struct span){ rdata[i], 2 };
		}
		rs = rrset_make_in(a, name_of(&owner), 65280, CLASS_IN, 1, spans, n, 0);
		assert_non_null(rs);
		if (31 % distinct != 0)
			assert_int_equal(rs->count, distinct);
		assert_memory_equal(rrset_rdata(rs, 0).p, rdata[0], 2); /* the first one stays the first */
		for (size_t i = 1; i < rs->count; i++)
			assert_memory_equal(rrset_rdata(rs, i).p, rdata[i], 2);
	}
}

static void names_in_another_case_are_duplicates(void **state)
{
	static const char *const rdata[] = { "a.example.", "A.EXAMPLE.", "b.example." };
	static const char *const texts[] = { "\"a\"", "\"A\"" };
	AUTO(arena_free) struct arena *a = arena_new(0);

	(void)state;
	assert_int_equal(make_set(a, "x.", RR_NS, 1, rdata, 3)->count, 2);
	assert_int_equal(make_set(a, "x.", RR_TXT, 1, texts, 2)->count, 2);
}

static void signatures_stand_behind(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(10000);
	uint8_t sig[100];
	struct writer w = writer_of(sig, sizeof sig);
	struct name_buf owner = nb("x.");
	const char *msg = "";
	struct span spans[3];
	struct rrset *rs;

	(void)state;
	assert_ok(rdata_parse(RR_RRSIG, "A 13 1 100 20301231235959 20201231235959 7 x. AQID", NULL, &w, &msg));
	spans[0] = span_text("\1\2\3\4");
	spans[1] = spans[2] = writer_done(&w);
	rs = rrset_make_in(a, name_of(&owner), RR_A, CLASS_IN, 100, spans, 1, 2);
	assert_int_equal(rs->count, 1);
	assert_int_equal(rs->sigs, 1);
	assert_true(span_equal(rrset_sig(rs, 0), spans[1]));
	rrset_print(rs, 7, out);
	assert_string_equal(strbuf_text(out), "x. 7 IN A 1.2.3.4\nx. 7 IN RRSIG A 13 1 100 20301231235959 20201231235959 7 x. AQID\n");
	rs = rrset_make_in(a, name_of(&owner), RR_NSEC, CLASS_IN, 100, spans + 1, 0, 1); /* stray */
	assert_int_equal(rs->count, 0);
	assert_int_equal(rs->sigs, 1);
	assert_ok(rrset_check_block((struct span){ (const uint8_t *)rs, rs->octets }));
}

static void the_owner_can_be_changed(void **state)
{
	static const char *const rdata[] = { "192.0.2.1", "192.0.2.2" };
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct rrset *rs = make_set(a, "*.example.", RR_A, 300, rdata, 2);
	struct name_buf owner = nb("a.much.longer.name.example.");
	struct rrset *renamed = rrset_renamed_in(a, rs, name_of(&owner));

	(void)state;
	assert_true(name_equal_case(rrset_name(renamed), name_of(&owner)));
	assert_ok(rrset_check_block((struct span){ (const uint8_t *)renamed, renamed->octets }));
	assert_false(rrset_same_data(rs, renamed));
	renamed = rrset_renamed_in(a, renamed, rrset_name(rs));
	assert_true(rrset_same_data(rs, renamed));
	assert_int_equal(renamed->octets, rs->octets);
	assert_memory_equal(renamed, rs, rs->octets);
}

static void same_data_in_any_order(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct name_buf owner = nb("x.");
	static struct span one[2000];
	static struct span two[2000];
	static uint8_t rdata[2001][4];

	(void)state;
	for (size_t i = 0; i <= 2000; i++)
		store32(rdata[i], (uint32_t)i);
	for (size_t n = 1; n <= 2000; n = n < 40 ? n + 1 : n * 3) {
		struct rrset *x;
		struct rrset *y;

		for (size_t i = 0; i < n; i++) {
			one[i] = (struct span){ rdata[i], 4 };
			two[i] = (struct span){ rdata[n - 1 - i], 4 };
		}
		x = rrset_make_in(a, name_of(&owner), RR_A, CLASS_IN, 1, one, n, 0);
		y = rrset_make_in(a, name_of(&owner), RR_A, CLASS_IN, 2, two, n, 0);
		assert_true(rrset_same_data(x, y));
		two[n / 2].p = rdata[2000];
		y = rrset_make_in(a, name_of(&owner), RR_A, CLASS_IN, 2, two, n, 0);
		if (n < 2000)
			assert_false(rrset_same_data(x, y));
	}
}

static void targets_of_types(void **state)
{
	static const struct {
		uint16_t type;
		const char *text;
		const char *target; /* NULL: none */
	} cases[] = {
		{ RR_NS, "t.", "t." },
		{ RR_CNAME, "t.", "t." },
		{ RR_DNAME, "t.", "t." },
		{ RR_PTR, "t.", "t." },
		{ RR_MX, "1 t.", "t." },
		{ RR_SRV, "1 2 3 t.", "t." },
		{ RR_KX, "1 t.", "t." },
		{ RR_AFSDB, "1 t.", "t." },
		{ RR_SVCB, "1 t. port=1", "t." },
		{ RR_HTTPS, "0 t.", "t." },
		{ RR_LP, "1 t.", "t." },
		{ RR_A, "1.2.3.4", NULL },
		{ RR_TXT, "\"t.\"", NULL },
		{ RR_SOA, "a. b. 1 2 3 4 5", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		AUTO(arena_free) struct arena *a = arena_new(0);
		struct rrset *rs = make_set(a, "x.", cases[i].type, 1, &cases[i].text, 1);
		struct name_buf want = nb(cases[i].target != NULL ? cases[i].target : ".");
		struct name got;

		assert_int_equal(rrset_target(rs, 0, &got), cases[i].target != NULL);
		if (cases[i].target != NULL)
			assert_true(name_equal(got, name_of(&want)));
	}
}

static void damaged_blocks_are_refused(void **state)
{
	static const char *const rdata[] = { "10 a.example.", "20 b.example." };
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct rrset *rs = make_set(a, "x.example.", RR_MX, 1, rdata, 2);
	unsigned int taken = 0;

	(void)state;
	for (size_t n = 0; n < rs->octets; n++) {
		uint8_t *exact = (uint8_t *)malloc(n + (n == 0));

		assert_non_null(exact);
		memcpy(exact, rs, n);
		assert_err(rrset_check_block((struct span){ exact, n }), ERR_FORMAT);
		free(exact);
	}
	for (size_t at = 0; at < rs->octets; at++)
		for (int bit = 0; bit < 8; bit++) {
			uint8_t *block = (uint8_t *)malloc(rs->octets);

			assert_non_null(block);
			memcpy(block, rs, rs->octets);
			block[at] ^= (uint8_t)(1 << bit);
			if (OK(rrset_check_block((struct span){ block, rs->octets }))) { /* whatever it says, it can be used */
				AUTO(strbuf_free) struct strbuf *out = strbuf_new(1 << 20);

				rrset_print((const struct rrset *)(const void *)block, 1, out);
				taken++;
			}
			free(block);
		}
	assert_true(taken > 0 && taken + 150 < rs->octets * 8); /* lengths, counts and offsets leave no choice */
	assert_err(rrset_check_block((struct span){ NULL, 0 }), ERR_FORMAT);
}

static bool make_and_copy(void)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	AUTO(rrset_free) struct rrset *copy = NULL;
	static struct span spans[100];
	static uint8_t rdata[100];
	struct name_buf owner = nb("x.");
	struct rrset *rs;
	struct rrset *other;

	for (size_t i = 0; i < 100; i++) {
		rdata[i] = (uint8_t)i;
		spans[i] = (struct span){ rdata + i, 1 };
	}
	rs = a == NULL ? NULL : rrset_make_in(a, name_of(&owner), 65280, CLASS_IN, 1, spans, 100, 0);
	if (rs == NULL)
		return false;
	copy = rrset_copy(rs);
	if (copy == NULL)
		return false;
	for (size_t i = 0; i < 100; i++)
		spans[99 - i] = (struct span){ rdata + i, 1 };
	other = rrset_make_in(a, name_of(&owner), 65280, CLASS_IN, 1, spans, 100, 0);
	return other != NULL && rrset_renamed_in(a, rs, name_root) != NULL && rrset_same_data(copy, other);
}

static void memory_may_run_out(void **state)
{
	(void)state;
	assert_true(for_each_failing_allocation(make_and_copy) >= 4);
}

static void sets_that_are_too_large_are_refused(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct name_buf owner = nb("x.");
	static uint8_t big[70000];
	struct span one = { big, 65536 };

	(void)state;
	assert_null(rrset_make_in(a, name_of(&owner), 65280, CLASS_IN, 1, &one, 1, 0));
	one.n = 65535;
	assert_non_null(rrset_make_in(a, name_of(&owner), 65280, CLASS_IN, 1, &one, 1, 0));
	assert_null(rrset_make_in(a, name_of(&owner), 65280, CLASS_IN, 1, &one, 65536, 0));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_set_is_one_block),
		cmocka_unit_test(duplicates_are_removed),
		cmocka_unit_test(names_in_another_case_are_duplicates),
		cmocka_unit_test(signatures_stand_behind),
		cmocka_unit_test(the_owner_can_be_changed),
		cmocka_unit_test(same_data_in_any_order),
		cmocka_unit_test(targets_of_types),
		cmocka_unit_test(damaged_blocks_are_refused),
		cmocka_unit_test(memory_may_run_out),
		cmocka_unit_test(sets_that_are_too_large_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
