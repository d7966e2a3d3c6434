/* CRLs: the look-up among many serial numbers, in any order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "rpki/object/crl.h"
#include "tests/unit/rpki/object/toy.h"


#define S(literal) span_of(literal, sizeof(literal) - 1)

static struct toy *toy;

static void one(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct report rep;
	struct crl crl;

	(void)state;
	report_init(&rep);
	assert_true(OK(crl_read(toy_object(toy, TOY_CRL), a, &rep, &crl)));
	assert_true(crl_has(&crl, S("\x06\x66")));
	assert_false(crl_has(&crl, S("\x06\x67")));
	assert_false(crl_has(&crl, S("\x66")));
	assert_true(span_equal(crl.number, S("\x01\x01")));
}

static void none(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct report rep;
	struct crl crl;

	(void)state;
	report_init(&rep);
	assert_true(OK(crl_read(toy_edited(toy, TOY_CRL, "tbs", "5-", 0), a, &rep, &crl)));
	assert_int_equal(crl.revoked_count, 0);
	assert_false(crl_has(&crl, S("\x06\x66")));
}

static void many_in_any_order(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct toy_tree tree = toy_tree(a, toy_object(toy, TOY_CRL), TOY_CRL);
	struct node *list = tree_child(tree_child(tree.cert, 0), 5);
	struct report rep;
	struct crl crl;
	struct writer w = writer_of(arena_alloc(a, 1000 * 32), 1000 * 32);

	(void)state;
	for (unsigned int i = 0; i < 1000; i++) { /* 17, 34, ... mod 1009, and 256 more */
		write_octets(&w, "\x30\x13\x02\x02", 4);
		write16(&w, (uint16_t)(256 + (i + 1) * 17 % 1009));
		write_octets(&w, "\x17\x0d" "260101000000Z", 15);
	}
	list->inside = false;
	list->octets = writer_done(&w);
	report_init(&rep);
	assert_true(OK(crl_read(toy_sign(toy, a, &tree, 0), a, &rep, &crl)));
	assert_int_equal(crl.revoked_count, 1000);
	for (unsigned int n = 256; n < 256 + 1009; n++) {
		uint8_t serial[2] = { (uint8_t)(n >> 8), (uint8_t)n };
		bool there = false;

		for (unsigned int i = 0; i < 1000; i++)
			there = there || 256 + (i + 1) * 17 % 1009 == n;
		assert_int_equal(crl_has(&crl, span_of(serial, 2)), there);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one),
		cmocka_unit_test(none),
		cmocka_unit_test(many_in_any_order),
	};
	int failed;

	toy = toy_new();
	if (toy == NULL)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	toy_free(toy);
	return failed;
}
