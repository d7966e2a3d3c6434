#include "tests/unit/resolver/route_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct addr route_world_addr(const char *text)
{
	struct addr a;

	assert_true(OK(addr_parse(text, &a)));
	return a;
}

struct route_view *route_world_of(const struct route_world_row *rows, size_t n, bool vrps, uint64_t generation)
{
	AUTO(announced_unref) struct announced *empty = announced_new(), *a = NULL;
	AUTO(table_unref) struct payload_table *t = NULL;
	struct announced_edit *e = announced_edit_new(empty);
	struct table_builder *b = table_builder_new(NULL);
	struct route_view *v = NULL;

	for (size_t i = 0; i < n; i++) {
		struct announced_route r = { .origin = rows[i].origin, .path = rows[i].origin };
		struct prefix p;
		struct vrp vrp;

		assert_true(OK(prefix_parse(rows[i].prefix, &p)));
		assert_true(OK(vrp_make(&p, 0, rows[i].vrp, &vrp)));
		if (rows[i].origin != 0)
			assert_true(OK(announced_set(e, &p, &r)));
		if (rows[i].vrp != 0)
			assert_true(OK(table_builder_add_vrp(b, &vrp, SOURCE_NONE)));
	}
	assert_true(OK(announced_edit_publish(MOVE(e), 1, &a)));
	assert_true(OK(table_builder_finish(MOVE(b), 1, &t)));
	assert_true(OK(route_view_new(vrps ? t : NULL, a, generation, &v)));
	return v;
}

struct route_view *route_world_view(bool vrps, bool taken)
{
	const struct route_world_row rows[] = { { "192.0.2.0/24", 64496, 64496 }, { "198.51.100.0/24", taken ? 64511 : 64496, 64496 } };
	static uint64_t generation;

	return route_world_of(rows, 2, vrps, ++generation);
}

void route_world_put(struct route_board *b, bool vrps, bool taken)
{
	struct route_sheet *s = route_sheet_new();

	assert_non_null(s);
	s->view = route_world_view(vrps, taken);
	route_board_put(b, s);
}
