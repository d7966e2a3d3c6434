/* The board of routes: what hangs there is counted, and stays good for whoever took it down. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "resolver/routes/board.h"

static struct route_sheet *sheet(uint64_t generation) OWNED_BY(route_sheet_unref);
static struct route_sheet *sheet(uint64_t generation)
{
	AUTO(route_sheet_unref) struct route_sheet *s = route_sheet_new();

	assert_non_null(s);
	assert_true(OK(route_view_new(NULL, NULL, generation, &s->view)));
	assert_true(OK(route_sheet_add_source(s, 7, "seven", 1000, 5)));
	assert_true(OK(route_sheet_add_source(s, 9, "nine", 2000, 6)));
	assert_true(OK(route_sheet_add_rtr(s, "first", &(struct route_rtr){ .in_use = false })));
	assert_true(OK(route_sheet_add_rtr(s, "second", &(struct route_rtr){ .connected = true, .in_use = true, .has_data = true, .serial = 7 })));
	return MOVE(s);
}

static void what_was_taken_down_stays(void **state)
{
	AUTO(route_board_free) struct route_board *b = route_board_new();
	AUTO(route_sheet_unref) struct route_sheet *first = NULL, *second = NULL;
	uint64_t number = route_board_number(b);

	(void)state;
	assert_null(route_board_get(b));
	route_board_put(b, sheet(1));
	assert_int_not_equal(route_board_number(b), number);
	number = route_board_number(b);
	first = route_board_get(b);
	assert_int_equal(route_board_number(b), number);
	route_board_put(b, sheet(2));
	assert_int_not_equal(route_board_number(b), number);
	second = route_board_get(b);
	assert_int_equal(route_view_generation(first->view), 1);
	assert_int_equal(route_view_generation(second->view), 2);
	route_board_free(MOVE(b));
	assert_int_equal(route_view_generation(second->view), 2);
	assert_string_equal(route_sheet_source(first, 9)->name, "nine");
	assert_int_equal(first->rtr_count, 2);
	assert_string_equal(first->rtrs[1].name, "second");
	assert_int_equal(first->rtrs[1].serial, 7);
	assert_true(first->rtrs[1].in_use && !first->rtrs[0].in_use);
	assert_true(first->rtrs[1].connected && first->rtrs[1].has_data && !first->rtrs[0].connected);
	assert_int_equal(route_sheet_source(first, 7)->routes, 5);
	assert_null(route_sheet_source(first, 8));
}

static void memory_may_run_out(void **state)
{
	AUTO(route_sheet_unref) struct route_sheet *s = route_sheet_new();

	(void)state;
	for (uint64_t n = 1; n < 3; n++) {
		mem_fail_at(n, false);
		assert_int_equal(route_sheet_add_source(s, 1, "one", 1, 1).e, ERR_NOMEM);
		mem_fail_at(0, false);
		assert_int_equal(s->source_count, 0);
	}
	assert_true(OK(route_sheet_add_source(s, 1, "one", 1, 1)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_taken_down_stays),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
