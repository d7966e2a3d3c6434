/*
 * A file of announced routes, in any format and packing. The first octet says in what pieces it comes: they make no difference. What is told are sound prefixes, which the
 * table of announced routes takes and gives back: by address, by prefix, within a prefix, and not any more when their source goes.
 */
#include <stdlib.h>

#include "rpki/routes/announced.h"
#include "rpki/routes/route_file.h"
#include "tests/fuzz/heard_routes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct result read_in_pieces(struct heard *h, struct span in, size_t piece, struct source_counts *counts)
{
	const struct route_file_limits limits = { .octets = 1u << 20, .max_record = 4096, .routes = 100000 };
	AUTO(route_reader_free) struct route_reader *x = route_reader_new(&h->sink, &limits);
	struct reader r = reader_of(in);

	if (x == NULL)
		return FAIL(ERR_NOMEM);
	while (!reader_end(&r))
		TRY(route_reader_feed(x, read_span(&r, reader_left(&r) < piece ? reader_left(&r) : piece)));
	TRY(route_reader_end(x));
	*counts = route_reader_counts(x);
	return DONE;
}

struct looking {
	const struct announced *a BORROWED_FIELD;
	const struct prefix *within BORROWED_FIELD;
	size_t n, routes;
};

static bool count_within(void *ctx, const struct announced_routes *routes)
{
	struct looking *l = (struct looking *)ctx;

	CHECK(prefix_covers(l->within, &routes->prefix.a) && routes->prefix.len >= l->within->len);
	CHECK(l->n > 0 || l->within->len == 0 || routes->prefix.len == l->within->len); /* the prefix itself comes first */
	l->n++;
	l->routes += routes->n;
	return true;
}

static bool look_up(void *ctx, const struct announced_routes *routes)
{
	struct looking *all = (struct looking *)ctx, inside = { .a = all->a, .within = &routes->prefix };
	struct announced_routes found;

	CHECK(announced_find(all->a, &routes->prefix.a, &found));
	CHECK(found.prefix.len >= routes->prefix.len);
	CHECK(announced_find_over(all->a, &routes->prefix, &found) && found.prefix.len == routes->prefix.len && found.n == routes->n);
	if (all->n < 100)
		announced_within(all->a, &routes->prefix, count_within, &inside);
	CHECK(all->n >= 100 || inside.n >= 1);
	all->n++;
	all->routes += routes->n;
	return true;
}

/* A state from the middle of a change stays as it was when more changes. */
static bool goes_with_its_source(const struct announced *a)
{
	AUTO(announced_edit_free) struct announced_edit *e = announced_edit_new(a);
	AUTO(announced_unref) struct announced *before = NULL, *held = announced_ref(a);

	if (e == NULL || !OK(announced_edit_state(e, 2, &before)) || !OK(announced_drop(e, 1)))
		return mem_failed();
	return announced_edit_count(e) == 0 && announced_generation(before) == 2 && announced_count(before) == announced_count(held) &&
	    announced_octets(before) == announced_octets(held);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_of(span_of(data, size));
	size_t piece = (size_t)read8(&r) % 64 + 1;
	struct span in = read_rest(&r);
	AUTO(announced_unref) struct announced *empty = announced_new(), *a = NULL;
	AUTO(announced_edit_free) struct announced_edit *e = NULL;
	struct heard whole = { .sink = { hear } }, pieces = { .sink = { hear } };
	struct source_counts counts[2] = { { .routes = 0 }, { .routes = 0 } };
	const struct prefix everything[2] = { { .a = { .family = ADDR_V4 } }, { .a = { .family = ADDR_V6 } } };
	struct looking all = { .n = 0 };
	struct result one, other;
	size_t sum = 0;

	if (empty == NULL)
		return 0;
	e = announced_edit_new(empty);
	if (e == NULL)
		return 0;
	whole.e = e;
	one = read_in_pieces(&whole, in, SIZE_MAX, &counts[0]);
	other = read_in_pieces(&pieces, in, piece, &counts[1]);
	CHECK(OK(one) == OK(other)); /* a packed file that is damaged is known as such sooner or later, and so what is told before, and which error comes first, may differ */
	if (OK(one)) {
		CHECK(whole.n == pieces.n && whole.sum == pieces.sum && counts[0].routes == whole.n);
		CHECK(counts[0].bad == counts[1].bad && counts[0].first_bad == counts[1].first_bad);
	}
	if (!OK(announced_edit_publish(MOVE(e), 1, &a)))
		return 0;
	CHECK(announced_count(a) <= whole.n);
	all.a = a;
	announced_each(a, look_up, &all);
	CHECK(all.n == announced_prefixes(a) && all.routes == announced_count(a));
	for (size_t i = 0; i < 2; i++) {
		struct looking inside = { .a = a, .within = &everything[i] };

		announced_within(a, &everything[i], count_within, &inside);
		sum += inside.routes;
	}
	CHECK(sum == announced_count(a));
	CHECK(goes_with_its_source(a));
	return 0;
}
