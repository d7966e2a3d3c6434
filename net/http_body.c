#include "net/http_body.h"

#include "base/libz.h"
#include "base/mem.h"

#define OUT ((size_t)32 * 1024) /* of gzip at once */
#define WIRE_SPARE 65536u
#define CHUNK_LINE 256u         /* octets of a chunk's size with its extensions */
#define TRAILER 8192u           /* octets behind the last chunk */

enum part {
	PART_LENGTH,     /* left octets */
	PART_CLOSE,      /* until the connection closes */
	PART_SIZE,       /* the digits of a chunk's size */
	PART_EXTENSION,  /* behind them, to the end of the line */
	PART_SIZE_LF,
	PART_CHUNK,      /* left octets */
	PART_CHUNK_CR,
	PART_CHUNK_LF,
	PART_TRAILER,    /* lines up to an empty one */
	PART_TRAILER_LF,
	PART_ENDED,
};

struct http_body {
	enum part part;
	uint64_t left;
	uint64_t octets, wire, max;
	uint32_t line;      /* octets of this line, or of the trailer */
	uint32_t column;    /* in a line of the trailer */
	bool keeps, gzip, opened, whole; /* whole: the gzip stream has come to its end */
	z_stream z;
	uint8_t *out OWNED_FIELD;
};

void http_body_free(struct http_body *b)
{
	if (b == NULL)
		return;
	if (b->opened)
		(void)inflateEnd(&b->z);
	mem_free(b->out);
	mem_free(b);
}

/* RFC 9110 section 6.4.1 */
static bool has_body(const struct http_head *h)
{
	return h->status >= 200 && h->status != 204 && h->status != 304;
}

struct http_body *http_body_new(const struct http_head *h, uint64_t max)
{
	AUTO(http_body_free) struct http_body *b = (struct http_body *)mem_alloc(sizeof *b);

	if (b == NULL)
		return NULL;
	b->max = max;
	b->keeps = !h->close;
	if (!has_body(h)) {
		b->part = PART_ENDED;
		return MOVE(b);
	}
	b->part = h->chunked ? PART_SIZE : h->has_length ? PART_LENGTH : PART_CLOSE;
	b->left = h->chunked ? 0 : h->length;
	if (b->part == PART_LENGTH && b->left == 0)
		b->part = PART_ENDED;
	else if (b->part == PART_CLOSE)
		b->keeps = false;
	if (h->gzip && b->part != PART_ENDED) {
		b->gzip = true;
		b->z.zalloc = libz_alloc;
		b->z.zfree = libz_free;
		b->out = (uint8_t *)mem_alloc_raw(OUT);
		b->opened = b->out != NULL && inflateInit2(&b->z, 15 + 16) == Z_OK;
		if (!b->opened)
			return NULL;
	}
	return MOVE(b);
}

static RESULT tell(struct http_body *b, struct span s, http_body_fn *fn, void *ctx)
{
	if (s.n > b->max - b->octets)
		return FAIL(ERR_LIMIT);
	b->octets += s.n;
	return s.n > 0 ? fn(ctx, s) : DONE;
}

static RESULT unzip(struct http_body *b, struct span s, http_body_fn *fn, void *ctx)
{
	bool more = true;

	b->z.next_in = s.p;
	b->z.avail_in = (unsigned int)s.n;
	while (b->z.avail_in > 0 || more) {
		int e;

		if (b->whole)
			return b->z.avail_in > 0 ? FAIL(ERR_FORMAT) : DONE; /* a second member: nobody sends that */
		b->z.next_out = b->out;
		b->z.avail_out = (unsigned int)OUT;
		e = inflate(&b->z, Z_NO_FLUSH);
		if (e == Z_MEM_ERROR)
			return FAIL(ERR_NOMEM);
		if (e != Z_OK && e != Z_STREAM_END && e != Z_BUF_ERROR)
			return FAIL(ERR_FORMAT);
		b->whole = e == Z_STREAM_END;
		more = b->z.avail_out == 0;
		TRY(tell(b, span_of(b->out, OUT - b->z.avail_out), fn, ctx));
		if (e == Z_BUF_ERROR)
			break;
	}
	return DONE;
}

/* Octets of the body, of which left are still to come where its length is known. */
static RESULT content(struct http_body *b, struct reader *in, http_body_fn *fn, void *ctx)
{
	size_t n = reader_left(in);
	struct span s;

	if (b->part != PART_CLOSE && n > b->left)
		n = (size_t)b->left;
	if (n > UINT32_MAX)
		n = UINT32_MAX;
	s = read_span(in, n);
	b->left -= b->part == PART_CLOSE ? 0 : n;
	b->wire += n;
	if (b->wire > b->max && b->wire - b->max > b->max + WIRE_SPARE)
		return FAIL(ERR_LIMIT);
	if (b->left == 0 && b->part == PART_LENGTH)
		b->part = PART_ENDED;
	else if (b->left == 0 && b->part == PART_CHUNK)
		b->part = PART_CHUNK_CR;
	return b->gzip ? unzip(b, s, fn, ctx) : tell(b, s, fn, ctx);
}

static int hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static RESULT size_octet(struct http_body *b, uint8_t c)
{
	int v = hex_value(c);

	if (v < 0) {
		if (b->line == 0 || (c != '\r' && c != ';' && c != ' ' && c != '\t'))
			return FAIL(ERR_FORMAT);
		b->part = c == '\r' ? PART_SIZE_LF : PART_EXTENSION;
		return DONE;
	}
	if (b->left >> 56 != 0)
		return FAIL(ERR_LIMIT);
	b->left = b->left << 4 | (uint64_t)v;
	b->line++;
	return b->line > CHUNK_LINE ? FAIL(ERR_LIMIT) : DONE;
}

static RESULT trailer_octet(struct http_body *b, uint8_t c)
{
	if (++b->line > TRAILER)
		return FAIL(ERR_LIMIT);
	if (c == '\n' || c == '\0')
		return FAIL(ERR_FORMAT);
	if (c == '\r')
		b->part = PART_TRAILER_LF;
	else
		b->column++;
	return DONE;
}

static RESULT next_octet(struct http_body *b, uint8_t c)
{
	switch (b->part) {
	case PART_SIZE:
		return size_octet(b, c);
	case PART_EXTENSION:
		if (c == '\n' || c == '\0')
			return FAIL(ERR_FORMAT);
		if (c == '\r')
			b->part = PART_SIZE_LF;
		return ++b->line > CHUNK_LINE ? FAIL(ERR_LIMIT) : DONE;
	case PART_SIZE_LF:
		b->part = b->left > 0 ? PART_CHUNK : PART_TRAILER;
		b->line = b->column = 0;
		return c == '\n' ? DONE : FAIL(ERR_FORMAT);
	case PART_CHUNK_CR:
		b->part = PART_CHUNK_LF;
		return c == '\r' ? DONE : FAIL(ERR_FORMAT);
	case PART_CHUNK_LF:
		b->part = PART_SIZE;
		b->line = 0;
		return c == '\n' ? DONE : FAIL(ERR_FORMAT);
	case PART_TRAILER:
		return trailer_octet(b, c);
	case PART_TRAILER_LF:
		b->part = b->column == 0 ? PART_ENDED : PART_TRAILER;
		b->column = 0;
		return c == '\n' ? DONE : FAIL(ERR_FORMAT);
	case PART_LENGTH:
	case PART_CLOSE:
	case PART_CHUNK:
	case PART_ENDED:
		break;
	}
	return FAIL(ERR_FORMAT);
}

RESULT http_body_feed(struct http_body *b, struct reader *in, http_body_fn *fn, void *ctx)
{
	while (!reader_end(in) && b->part != PART_ENDED) {
		if (b->part == PART_LENGTH || b->part == PART_CLOSE || b->part == PART_CHUNK)
			TRY(content(b, in, fn, ctx));
		else
			TRY(next_octet(b, read8(in)));
	}
	return b->part == PART_ENDED && b->gzip && !b->whole ? FAIL(ERR_FORMAT) : DONE;
}

bool http_body_ended(const struct http_body *b)
{
	return b->part == PART_ENDED;
}

RESULT http_body_close(struct http_body *b)
{
	if (b->part == PART_ENDED)
		return DONE;
	if (b->part != PART_CLOSE || (b->gzip && !b->whole))
		return FAIL(ERR_CLOSED);
	b->part = PART_ENDED;
	return DONE;
}

bool http_body_keeps(const struct http_body *b)
{
	return b->keeps;
}
