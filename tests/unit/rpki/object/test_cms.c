/* The wrapper of signed objects: DER and BER of the same object are the same object. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/strbuf.h"
#include "rpki/object/roa.h"
#include "tests/unit/rpki/object/toy.h"


#define S(literal) span_of(literal, sizeof(literal) - 1)

static struct toy *toy;

static void object_types(void **state)
{
	(void)state;
	assert_int_equal(object_type_of_name(S("a/b.roa")), OBJECT_ROA);
	assert_int_equal(object_type_of_name(S(".mft")), OBJECT_MANIFEST);
	assert_int_equal(object_type_of_name(S("a.ROA")), OBJECT_UNKNOWN);
	assert_int_equal(object_type_of_name(S("roa")), OBJECT_UNKNOWN);
	assert_string_equal(object_type_text(OBJECT_ASPA), "ASPA");
}

/* The toy's ROA with indefinite lengths around everything that is not signed, its content in chunks of n octets. */
static struct span as_ber(struct arena *a, struct strbuf *b, size_t n)
{
	struct node *root = tree_parse(a, toy_object(toy, TOY_ROA)), *sd = tree_child(tree_child(root, 1), 0), *encap = tree_child(sd, 2);
	struct reader r = reader_of(tree_contents(a, tree_child(tree_child(encap, 1), 0)));

	strbuf_add(b, "\x30\x80", 2);
	strbuf_add_span(b, tree_write(a, tree_child(root, 0)));
	strbuf_add(b, "\xa0\x80\x30\x80", 4);
	strbuf_add_span(b, tree_write(a, tree_child(sd, 0)));
	strbuf_add_span(b, tree_write(a, tree_child(sd, 1)));
	strbuf_add(b, "\x30\x80", 2);
	strbuf_add_span(b, tree_write(a, tree_child(encap, 0)));
	strbuf_add(b, "\xa0\x80\x24\x80", 4);
	while (!reader_end(&r)) {
		struct span chunk = read_span(&r, reader_left(&r) < n ? reader_left(&r) : n);

		strbuf_add_span(b, tree_tlv(a, DER_OCTET_STRING, &chunk, 1));
	}
	strbuf_add(b, "\0\0\0\0\0\0\xa0\x80", 8);
	strbuf_add_span(b, tree_contents(a, tree_child(sd, 3)));
	strbuf_add(b, "\0\0", 2);
	strbuf_add_span(b, tree_write(a, tree_child(sd, 4)));
	strbuf_add(b, "\0\0\0\0\0\0", 6);
	return strbuf_span(b);
}

static void ber_is_read(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct report rep;
	struct cms der, ber;
	struct roa roa;

	(void)state;
	report_init(&rep);
	assert_true(OK(cms_read(toy_object(toy, TOY_ROA), OBJECT_ROA, a, &rep, &der)));
	assert_false(der.ber);
	for (size_t n = 1; n < 70; n += 7) {
		AUTO(strbuf_free) struct strbuf *b = strbuf_new(1 << 16);

		assert_true(OK(cms_read(as_ber(a, b, n), OBJECT_ROA, a, &rep, &ber)));
		assert_true(ber.ber && span_equal(der.content, ber.content) && span_equal(der.ee.whole, ber.ee.whole));
		assert_true(OK(cms_check_signature(&ber, &rep)) && OK(roa_read(&ber, &rep, &roa)));
		assert_int_equal(roa.as, 64496);
	}
}

static void signing_time(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct report rep;
	struct cms cms;

	(void)state;
	report_init(&rep);
	assert_true(OK(cms_read(toy_object(toy, TOY_ROA), OBJECT_ROA, a, &rep, &cms)));
	assert_true(cms.has_signing_time && cms.signing_time == 1767225600);
	/* both names of the algorithm are good, where there is a signing time */
	assert_true(OK(cms_read(toy_edited(toy, TOY_ROA, "signer", "4.0:2a864886f70d01010b", 0), OBJECT_ROA, a, &rep, &cms)));
	assert_true(OK(cms_check_signature(&cms, &rep)));
}

static void flipping_any_octet_is_noticed(void **state)
{
	struct span good = toy_object(toy, TOY_ROA);
	AUTO(arena_free) struct arena *kept = arena_new(0);
	uint8_t *copy = arena_dup(kept, good.p, good.n);
	struct inspect_context ctx = toy_context(toy);

	(void)state;
	for (size_t i = 0; i < good.n; i += 3) {
		AUTO(arena_free) struct arena *a = arena_new(0);
		struct inspection in;

		copy[i] ^= 0x11;
		assert_true(OK(rpki_inspect(span_of(copy, good.n), S("toy.roa"), &ctx, a, &in)));
		assert_false(in.valid);
		copy[i] ^= 0x11;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(object_types),
		cmocka_unit_test(ber_is_read),
		cmocka_unit_test(signing_time),
		cmocka_unit_test(flipping_any_octet_is_noticed),
	};
	int failed;

	toy = toy_new();
	if (toy == NULL)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	toy_free(toy);
	return failed;
}
