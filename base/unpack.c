#include "base/unpack.h"

#include "base/libbz2.h"
#include "base/libz.h"
#include "base/mem.h"

#define OUT (64u * 1024)
#define PIECE (1u << 30) /* both libraries count in unsigned int */
#define MAGIC 3u         /* octets that tell how a file is packed */

enum packing { UNKNOWN, PLAIN, GZIP, BZIP2 };

struct unpack {
	enum packing how;
	uint8_t head[MAGIC];
	size_t nhead;
	uint64_t left;     /* octets that may still come out */
	uint8_t *out OWNED_FIELD;
	z_stream z;
	bz_stream b;
	bool open;         /* within a member */
	bool failed;       /* an earlier call has */
};

static void *b_alloc(void *opaque, int n, int size) OWNED_BY(mem_free);
static void *b_alloc(void *opaque, int n, int size)
{
	(void)opaque;
	return n >= 0 && size >= 0 ? mem_alloc_array((size_t)n, (size_t)size) : NULL;
}

static void member_close(struct unpack *u)
{
	if (u->open && u->how == GZIP)
		(void)inflateEnd(&u->z);
	else if (u->open)
		(void)BZ2_bzDecompressEnd(&u->b);
	u->open = false;
}

static RESULT member_open(struct unpack *u)
{
	if (u->how == GZIP) {
		u->z = (z_stream){ .zalloc = libz_alloc, .zfree = libz_free };
		u->open = inflateInit2(&u->z, 15 + 16) == Z_OK;
	} else {
		u->b = (bz_stream){ .bzalloc = b_alloc, .bzfree = libz_free };
		u->open = BZ2_bzDecompressInit(&u->b, 0, 0) == BZ_OK;
	}
	return u->open ? DONE : FAIL(ERR_NOMEM);
}

void unpack_free(struct unpack *u)
{
	if (u == NULL)
		return;
	member_close(u);
	mem_free(MOVE(u->out));
	mem_free(u);
}

struct unpack *unpack_new(uint64_t max)
{
	AUTO(unpack_free) struct unpack *u = (struct unpack *)mem_alloc(sizeof *u);

	if (u != NULL)
		u->left = max;
	return MOVE(u);
}

static RESULT tell(struct unpack *u, struct span s, unpack_fn *fn, void *ctx)
{
	if (s.n > u->left)
		return FAIL(ERR_LIMIT);
	u->left -= s.n;
	return s.n > 0 ? fn(ctx, s) : DONE;
}

/* One call of the library. What was not used yet stays in *in; *ret_out: octets that came out. */
static RESULT step_gzip(struct unpack *u, struct span *in, size_t *ret_out, bool *ret_end)
{
	int e;

	u->z.next_in = in->p;
	u->z.avail_in = (unsigned int)in->n;
	u->z.next_out = u->out;
	u->z.avail_out = OUT;
	e = inflate(&u->z, Z_NO_FLUSH);
	if (e != Z_OK && e != Z_STREAM_END && e != Z_BUF_ERROR)
		return FAIL(e == Z_MEM_ERROR ? ERR_NOMEM : ERR_FORMAT);
	*in = span_of(u->z.next_in, u->z.avail_in);
	*ret_out = OUT - u->z.avail_out;
	*ret_end = e == Z_STREAM_END;
	return DONE;
}

static RESULT step_bzip2(struct unpack *u, struct span *in, size_t *ret_out, bool *ret_end)
{
	int e;

	u->b.next_in = (char *)(uintptr_t)in->p; /* which the library does not write */
	u->b.avail_in = (unsigned int)in->n;
	u->b.next_out = (char *)u->out;
	u->b.avail_out = OUT;
	e = BZ2_bzDecompress(&u->b);
	if (e != BZ_OK && e != BZ_STREAM_END)
		return FAIL(e == BZ_MEM_ERROR ? ERR_NOMEM : ERR_FORMAT);
	*in = span_of(u->b.next_in, u->b.avail_in);
	*ret_out = OUT - u->b.avail_out;
	*ret_end = e == BZ_STREAM_END;
	return DONE;
}

/* in: at most PIECE octets. What a full output leaves within the library is asked for until there is no more. */
static RESULT members(struct unpack *u, struct span in, unpack_fn *fn, void *ctx)
{
	size_t out = OUT;

	while (in.n > 0 || (u->open && out == OUT)) {
		size_t before = in.n;
		bool end = false;

		if (!u->open)
			TRY(member_open(u));
		TRY(u->how == GZIP ? step_gzip(u, &in, &out, &end) : step_bzip2(u, &in, &out, &end));
		TRY(tell(u, span_of(u->out, out), fn, ctx));
		if (end)
			member_close(u);
		else if (in.n == before && out == 0)
			return in.n == 0 ? DONE : FAIL(ERR_FORMAT); /* it does not go on */
	}
	return DONE;
}

static RESULT decide(struct unpack *u)
{
	bool gzip = u->nhead >= 2 && u->head[0] == 0x1f && u->head[1] == 0x8b;
	bool bzip2 = u->nhead == MAGIC && memcmp(u->head, "BZh", MAGIC) == 0;

	u->how = gzip ? GZIP : bzip2 ? BZIP2 : PLAIN;
	if (u->how == PLAIN)
		return DONE;
	u->out = (uint8_t *)mem_alloc_raw(OUT);
	return u->out != NULL ? DONE : FAIL(ERR_NOMEM);
}

static RESULT feed(struct unpack *u, struct span octets, unpack_fn *fn, void *ctx)
{
	struct reader r = reader_of(octets);

	while (!reader_end(&r)) {
		struct span part = read_span(&r, reader_left(&r) < PIECE ? reader_left(&r) : PIECE);

		TRY(u->how == PLAIN ? tell(u, part, fn, ctx) : members(u, part, fn, ctx));
	}
	return DONE;
}

static RESULT begin(struct unpack *u, unpack_fn *fn, void *ctx)
{
	TRY(decide(u));
	return feed(u, span_of(u->head, u->nhead), fn, ctx);
}

static RESULT head_and_feed(struct unpack *u, struct span octets, unpack_fn *fn, void *ctx)
{
	struct reader r = reader_of(octets);

	while (u->how == UNKNOWN && u->nhead < MAGIC && !reader_end(&r))
		u->head[u->nhead++] = read8(&r);
	if (u->how == UNKNOWN && u->nhead < MAGIC)
		return DONE;
	if (u->how == UNKNOWN)
		TRY(begin(u, fn, ctx));
	return feed(u, read_rest(&r), fn, ctx);
}

RESULT unpack_feed(struct unpack *u, struct span octets, unpack_fn *fn, void *ctx)
{
	struct result r = u->failed ? FAIL(ERR_FORMAT) : head_and_feed(u, octets, fn, ctx);

	u->failed = !OK(r);
	return r;
}

RESULT unpack_end(struct unpack *u, unpack_fn *fn, void *ctx)
{
	if (u->failed)
		return FAIL(ERR_FORMAT);
	if (u->how == UNKNOWN)
		TRY(begin(u, fn, ctx));
	return u->open ? FAIL(ERR_FORMAT) : DONE;
}
