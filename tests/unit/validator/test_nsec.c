#include "tests/unit/dns/dns_test.h"
#include "validator/nsec.h"

static struct nsec read_one(struct arena *a, const char *owner, const char *rdata)
{
	struct rrset *rs = make_set(a, owner, RR_NSEC, 300, &rdata, 1);
	struct name_buf zone = nb("example.");
	struct nsec n;

	rs->security = SECURITY_SECURE;
	assert_ok(nsec_read(rs, name_of(&zone), &n));
	return n;
}
static bool covered(const struct nsec *n, const char *text)
{
	struct name_buf name = nb(text);

	return nsec_covers(n, name_of(&name));
}

static void types_are_found_in_their_window(void **state)
{
	static const uint8_t map[] = { 0, 1, 0x40, 1, 1, 0x40 }; /* A, CAA */
	struct span s = span_of(map, sizeof map);

	(void)state;
	assert_true(bitmap_has(s, RR_A));
	assert_true(bitmap_has(s, RR_CAA));
	assert_false(bitmap_has(s, RR_URI));
	assert_false(bitmap_has(s, RR_AAAA));
	s.n = 5; /* cut off */
	assert_true(bitmap_has(s, RR_A));
	assert_false(bitmap_has(s, RR_CAA));
}

static void a_record_covers_what_is_between(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct nsec n = read_one(a, "B.example.", "x.d.example. A RRSIG NSEC");

	(void)state;
	assert_true(covered(&n, "c.example."));
	assert_true(covered(&n, "a.b.example."));
	assert_true(covered(&n, "D.example."));
	assert_false(covered(&n, "b.example."));
	assert_false(covered(&n, "x.d.example."));
	assert_false(covered(&n, "y.d.example."));
	assert_false(covered(&n, "a.example."));
	n = read_one(a, "y.example.", "example. A RRSIG NSEC");
	assert_true(n.last);
	assert_true(covered(&n, "zz.example."));
	assert_false(covered(&n, "x.example."));
}

static void a_cut_or_dname_says_nothing_of_what_is_below(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct nsec cut = read_one(a, "b.example.", "d.example. NS RRSIG NSEC");
	struct nsec dname = read_one(a, "b.example.", "d.example. DNAME RRSIG NSEC");

	(void)state;
	assert_false(covered(&cut, "x.b.example."));
	assert_false(covered(&dname, "x.b.example."));
	assert_true(covered(&cut, "c.example."));
	assert_true(covered(&dname, "c.example."));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types_are_found_in_their_window),
		cmocka_unit_test(a_record_covers_what_is_between),
		cmocka_unit_test(a_cut_or_dname_says_nothing_of_what_is_below),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
