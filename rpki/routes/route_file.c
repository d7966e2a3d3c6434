#include "rpki/routes/route_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "base/unpack.h"
#include "rpki/routes/announced.h"
#include "rpki/routes/mrt.h"
#include "rpki/routes/route_text.h"

#define HEAD 12u            /* octets by which the formats are told apart: MRT's header */
#define CHUNK (256u * 1024)

struct route_reader {
	struct source_sink counted;  /* first: the readers tell this one */
	struct source_sink *to BORROWED_FIELD;
	struct route_file_limits limits;
	uint64_t told;
	struct unpack *unpack OWNED_FIELD;
	struct mrt *mrt OWNED_FIELD;
	struct route_text *text OWNED_FIELD;
	uint8_t head[HEAD];
	size_t nhead;
	bool decided;
};

struct route_file_limits route_file_limits_default(void)
{
	return (struct route_file_limits){ .octets = (uint64_t)16 << 30, .max_record = 16u << 20, .routes = 20000000 };
}

void route_reader_free(struct route_reader *x)
{
	if (x == NULL)
		return;
	unpack_free(MOVE(x->unpack));
	mrt_free(MOVE(x->mrt));
	route_text_free(MOVE(x->text));
	mem_free(x);
}

static RESULT count(struct source_sink *s, const struct prefix *p, uint32_t origin)
{
	struct route_reader *x = (struct route_reader *)(void *)s;

	if (x->told++ >= x->limits.routes)
		return FAIL(ERR_LIMIT);
	return x->to->route(x->to, p, origin);
}

struct route_reader *route_reader_new(struct source_sink *to, const struct route_file_limits *limits)
{
	AUTO(route_reader_free) struct route_reader *x = (struct route_reader *)mem_alloc(sizeof *x);

	if (x == NULL)
		return NULL;
	x->counted.route = count;
	x->to = to;
	x->limits = *limits;
	x->unpack = unpack_new(limits->octets);
	return x->unpack != NULL ? MOVE(x) : NULL;
}

/* A text has no NUL; the type of an MRT record, below 256, begins with one. */
static RESULT decide(struct route_reader *x)
{
	struct span head = span_of(x->head, x->nhead);

	x->decided = true;
	if (x->nhead == HEAD && x->head[4] == 0) {
		x->mrt = mrt_new(&x->counted, x->limits.max_record);
		return x->mrt != NULL ? mrt_feed(x->mrt, head) : FAIL(ERR_NOMEM);
	}
	x->text = route_text_new(&x->counted);
	return x->text != NULL ? route_text_feed(x->text, head) : FAIL(ERR_NOMEM);
}

static RESULT take(void *ctx, struct span octets)
{
	struct route_reader *x = (struct route_reader *)ctx;
	struct reader r = reader_of(octets);

	while (!x->decided && x->nhead < HEAD && !reader_end(&r))
		x->head[x->nhead++] = read8(&r);
	if (!x->decided && x->nhead < HEAD)
		return DONE;
	if (!x->decided)
		TRY(decide(x));
	return x->mrt != NULL ? mrt_feed(x->mrt, read_rest(&r)) : route_text_feed(x->text, read_rest(&r));
}

RESULT route_reader_feed(struct route_reader *x, struct span octets)
{
	return unpack_feed(x->unpack, octets, take, x);
}

RESULT route_reader_end(struct route_reader *x)
{
	TRY(unpack_end(x->unpack, take, x));
	if (!x->decided)
		TRY(decide(x));
	return x->mrt != NULL ? mrt_end(x->mrt) : route_text_end(x->text);
}

struct source_counts route_reader_counts(const struct route_reader *x)
{
	return x->mrt != NULL ? *mrt_counts(x->mrt) : x->text != NULL ? *route_text_counts(x->text) : (struct source_counts){ .routes = 0 };
}

const char *route_reader_format(const struct route_reader *x)
{
	return x->mrt != NULL ? "MRT" : x->text != NULL ? "text" : "nothing";
}

/* ------------------------------------------------------------------------------------------------------------------- files */

static RESULT read_all(int fd, struct route_reader *x)
{
	AUTO(mem_free) void *chunk = mem_alloc_raw(CHUNK);
	ssize_t n;

	if (chunk == NULL)
		return FAIL(ERR_NOMEM);
	while ((n = read(fd, chunk, CHUNK)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return FAIL(ERR_SYSTEM);
		TRY(route_reader_feed(x, span_of(chunk, (size_t)n)));
	}
	return route_reader_end(x);
}

static void tell(const char *path, const struct route_reader *x, struct result r, struct strbuf *what)
{
	struct source_counts c = route_reader_counts(x);
	bool text = x->text != NULL;

	if (OK(r))
		strbuf_printf(what, "%s: %" PRIu64 " routes (%s)", path, c.routes, route_reader_format(x));
	else if (r.e == ERR_LIMIT)
		strbuf_printf(what, "%s: too large, after %" PRIu64 " routes", path, c.routes);
	else if (r.e == ERR_FORMAT)
		strbuf_printf(what, "%s: found %s with %" PRIu64 " routes, expected a whole MRT table dump or lines of prefixes and origins", path, route_reader_format(x), c.routes);
	else
		strbuf_printf(what, "%s: %s", path, err_text(r.e));
	if (c.bad > 0)
		strbuf_printf(what, "; %" PRIu64 " bad %s, the first at %s %" PRIu64, c.bad, text ? "lines" : "records", text ? "line" : "octet", c.first_bad);
}

RESULT route_file_load(const char *path, const struct route_file_limits *limits, struct announced_edit *e, uint32_t source, struct strbuf *what)
{
	struct announced_sink into = announced_sink(e, source);
	AUTO(route_reader_free) struct route_reader *x = route_reader_new(&into.sink, limits);
	struct result r = FAIL(ERR_NOMEM);
	int fd;

	if (x == NULL)
		return r;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		int error;

		r = read_all(fd, x);
		error = errno;
		(void)close(fd);
		errno = error;
	} else {
		r = FAIL(ERR_SYSTEM);
	}
	if (r.e == ERR_SYSTEM)
		strbuf_printf(what, "%s: %s", path, strerror(errno));
	else
		tell(path, x, r, what);
	return r;
}
