/*
 * A router that sends whatever octets it likes as BMP, in pieces that the first octet says: they make no difference. Peers come up once and go down once, changes are of peers that
 * are up and of sound prefixes; the table of announced routes follows them, and is empty when the session has ended.
 */
#include <stdlib.h>

#include "rpki/routes/announced.h"
#include "rpki/routes/bmp.h"
#include "tests/fuzz/failing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x) \
	do { \
		if (!(x) && !mem_failed()) \
			abort(); \
	} while (0)

#define PEERS 8u /* that may be up; numbers go on beyond */

struct world {
	struct bmp_sink sink; /* first */
	struct announced_edit *e BORROWED_FIELD; /* NULL: only summed */
	uint32_t up[PEERS], nup, next;
	uint64_t sum;
};

static size_t find(const struct world *w, uint32_t number)
{
	size_t i;

	for (i = 0; i < w->nup; i++)
		if (w->up[i] == number)
			break;
	return i;
}

static void add_sum(struct world *w, uint64_t v)
{
	w->sum = (w->sum ^ v) * 1099511628211u;
}

static RESULT on_up(struct bmp_sink *s, uint32_t number, const struct bmp_peer *p)
{
	struct world *w = (struct world *)(void *)s;

	CHECK(number == w->next && w->nup < PEERS);
	w->up[w->nup++] = number;
	w->next++;
	add_sum(w, p->as + ((uint64_t)p->address.b[15] << 32) + (uint64_t)p->view);
	return DONE;
}

static RESULT on_change(struct bmp_sink *s, uint32_t number, const struct bgp_change *c)
{
	struct world *w = (struct world *)(void *)s;
	struct announced_route r = { .origin = c->origin, .source = number, .path = c->path, .since = 1 };
	struct result e = DONE;

	CHECK(find(w, number) < w->nup);
	add_sum(w, number + ((uint64_t)c->origin << 16) + c->prefix.len + ((uint64_t)c->path << 40) + c->announced);
	if (w->e == NULL)
		return DONE;
	e = c->announced ? announced_set(w->e, &c->prefix, &r) : announced_remove(w->e, &c->prefix, number, c->path);
	CHECK(OK(e) || (!c->announced && e.e == ERR_NOTFOUND));
	return DONE;
}

static RESULT on_down(struct bmp_sink *s, uint32_t number)
{
	struct world *w = (struct world *)(void *)s;
	size_t i = find(w, number);

	CHECK(i < w->nup);
	if (i < w->nup)
		w->up[i] = w->up[--w->nup];
	add_sum(w, number);
	return w->e != NULL ? announced_drop(w->e, number) : DONE;
}

static const struct bmp_sink_ops ops = { on_up, on_change, on_down };

static struct result session(struct world *w, struct span in, size_t piece)
{
	const struct bmp_limits limits = { .message = 8192, .peers = PEERS };
	AUTO(bmp_free) struct bmp *b = bmp_new(&w->sink, &limits);
	struct reader r = reader_of(in);
	struct result e = DONE;

	if (b == NULL)
		return FAIL(ERR_NOMEM);
	while (OK(e) && !reader_end(&r))
		e = bmp_feed(b, read_span(&r, reader_left(&r) < piece ? reader_left(&r) : piece));
	CHECK(bmp_peers(b) == w->nup);
	if (!OK(bmp_end(b)))
		return FAIL(ERR_NOMEM);
	CHECK(w->nup == 0);
	return e;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_of(span_of(data, size));
	size_t piece = (size_t)read8(&r) + 1;
	struct span in = read_rest(&r);
	AUTO(announced_unref) struct announced *empty = announced_new(), *a = NULL;
	AUTO(announced_edit_free) struct announced_edit *e = NULL;
	struct world one = { .sink = { &ops } }, other = { .sink = { &ops } };
	struct result whole;

	if (empty == NULL)
		return 0;
	e = announced_edit_new(empty);
	if (e == NULL)
		return 0;
	one.e = e;
	whole = session(&one, in, SIZE_MAX);
	CHECK(session(&other, in, piece).e == whole.e && one.sum == other.sum);
	if (!OK(announced_edit_publish(MOVE(e), 1, &a)))
		return 0;
	CHECK(announced_count(a) == 0);
	return 0;
}
