/* Heads and bodies of answers (net/http_head.h, net/http_body.h), in any pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/libz.h"
#include "base/mem.h"
#include "net/http_body.h"

static struct result parse(const char *text, struct http_head *h)
{
	return http_head_parse(span_text(text), h);
}

static void a_head_is_read(void **state)
{
	struct http_head h;

	(void)state;
	assert_true(OK(parse("HTTP/1.1 200 Fine\r\nContent-LENGTH:  17 \r\netag: W/\"a\"\r\nLast-Modified: Sat, 21 Nov 2026 18:00:00 GMT\r\n"
			     "Content-Encoding: gzip\r\nConnection: x, Close\r\nLocation: /x\r\n\r\n", &h)));
	assert_int_equal(h.status, 200);
	assert_true(h.has_length && h.length == 17 && h.gzip && h.close && !h.chunked);
	assert_string_equal(h.etag, "W/\"a\"");
	assert_string_equal(h.modified, "Sat, 21 Nov 2026 18:00:00 GMT");
	assert_string_equal(h.location, "/x");
	assert_true(OK(parse("HTTP/1.0 404\r\n\r\n", &h)));
	assert_true(h.status == 404 && h.close && !h.has_length);
	assert_true(OK(parse("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\nContent-Encoding: identity\r\nTransfer: x\r\n\r\n", &h)));
	assert_true(h.length == 3 && !h.close && !h.gzip);
	assert_int_equal(http_head_end(span_text("HTTP/1.1 200 OK\r\n\r\nbody")), 19);
	assert_int_equal(http_head_end(span_text("HTTP/1.1 200 OK\r\n\r")), 0);
}

static void a_tag_that_is_too_long_is_none(void **state)
{
	char text[2000];
	struct http_head h;

	(void)state;
	(void)snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nETag: \"%0600d\"\r\n\r\n", 0);
	assert_true(OK(parse(text, &h)));
	assert_string_equal(h.etag, "");
}

static void bad_heads(void **state)
{
	static const char *const format[] = { "", "\r\n", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\n\n", "HTTP/2 200 OK\r\n\r\n", "HTTP/1.x 200 OK\r\n\r\n", "http/1.1 200 OK\r\n\r\n",
		"HTTP/1.1  200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 600 OK\r\n\r\n", "HTTP/1.1 2000\r\n\r\n", "HTTP/1.1 200 OK\r\nx\r\n\r\n",
		"HTTP/1.1 200 OK\r\n: x\r\n\r\n", "HTTP/1.1 200 OK\r\na b: x\r\n\r\n", "HTTP/1.1 200 OK\r\na : x\r\n\r\n", "HTTP/1.1 200 OK\r\n a: x\r\n\r\n",
		"HTTP/1.1 200 OK\r\na: x\x01\r\n\r\n", "HTTP/1.1 200 OK\r\na: x\ry\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1234567890123456789\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.1 200 OK\r\n\r\nx" };
	static const char *const unsupported[] = { "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Encoding: gzip\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" };
	struct http_head h;

	(void)state;
	for (size_t i = 0; i < sizeof format / sizeof format[0]; i++)
		if (parse(format[i], &h).e != ERR_FORMAT)
			fail_msg("%s", format[i]);
	for (size_t i = 0; i < sizeof unsupported / sizeof unsupported[0]; i++)
		assert_int_equal(parse(unsupported[i], &h).e, ERR_UNSUPPORTED);
}

struct heard {
	char text[200000];
	size_t n;
};

static RESULT hear(void *ctx, struct span octets)
{
	struct heard *h = (struct heard *)ctx;

	assert_true(octets.n > 0 && h->n + octets.n < sizeof h->text);
	memcpy(h->text + h->n, octets.p, octets.n);
	h->n += octets.n;
	h->text[h->n] = '\0';
	return DONE;
}

static struct heard heard;

/* In pieces; *ret_left: octets that were not the body's. */
static struct result read_body(const char *head, struct span wire, uint64_t max, size_t piece, size_t *ret_left)
{
	struct http_head h;
	AUTO(http_body_free) struct http_body *b = NULL;
	struct result r = DONE;
	size_t taken = 0;

	heard.n = 0;
	heard.text[0] = '\0';
	assert_true(OK(parse(head, &h)));
	b = http_body_new(&h, max);
	assert_non_null(b);
	for (size_t at = 0; OK(r) && at < wire.n && !http_body_ended(b); at += piece) {
		struct reader in = reader_of(span_of(wire.p + at, wire.n - at < piece ? wire.n - at : piece));

		r = http_body_feed(b, &in, hear, &heard);
		taken = at + in.pos;
	}
	*ret_left = wire.n - taken;
	return OK(r) ? http_body_close(b) : r;
}

static void gives(const char *head, struct span wire, const char *body, size_t left)
{
	for (size_t piece = 1; piece <= wire.n + 1; piece++) {
		size_t rest;
		struct result r = read_body(head, wire, 1000, piece, &rest);

		if (!OK(r) || strcmp(heard.text, body) != 0 || rest != left)
			fail_msg("%s: error %d, \"%s\", %zu left", head, r.e, heard.text, rest);
	}
}

static void fails(const char *head, struct span wire, enum err e)
{
	for (size_t piece = 1; piece <= wire.n + 1; piece++) {
		size_t rest;
		struct result r = read_body(head, wire, 1000, piece, &rest);

		if (r.e != e)
			fail_msg("%s: %.*s: error %d", head, (int)wire.n, (const char *)wire.p, r.e);
	}
}

#define LENGTH "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
#define CHUNKED "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
#define CLOSED "HTTP/1.1 200 OK\r\n\r\n"
#define GZIP "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"

static void bodies(void **state)
{
	(void)state;
	gives(LENGTH, span_text("hello"), "hello", 0);
	gives(LENGTH, span_text("helloHTTP"), "hello", 4);
	gives("HTTP/1.1 204 No\r\n\r\n", span_text("x"), "", 1);
	gives("HTTP/1.1 304 No\r\nContent-Length: 5\r\n\r\n", span_text("x"), "", 1);
	gives("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", span_text("x"), "", 1);
	gives(CHUNKED, span_text("5\r\nhello\r\n0\r\n\r\n"), "hello", 0);
	gives(CHUNKED, span_text("5;a=\"b\"\r\nhello\r\n01 \r\n!\r\n000\r\nTrailer: x\r\n\r\nmore"), "hello!", 4);
	gives(CLOSED, span_text("hello"), "hello", 0);
	gives(CLOSED, span_text(""), "", 0);
}

static void bad_bodies(void **state)
{
	(void)state;
	fails(LENGTH, span_text("hell"), ERR_CLOSED);
	fails(CHUNKED, span_text("5\r\nhello\r\n0\r\n\r"), ERR_CLOSED);
	fails(CHUNKED, span_text("5\r\nhello\r\n"), ERR_CLOSED);
	fails(CHUNKED, span_text("\r\n"), ERR_FORMAT);
	fails(CHUNKED, span_text("x\r\n"), ERR_FORMAT);
	fails(CHUNKED, span_text("-1\r\n"), ERR_FORMAT);
	fails(CHUNKED, span_text("5\nhello"), ERR_FORMAT);
	fails(CHUNKED, span_text("5;\nhello"), ERR_FORMAT);
	fails(CHUNKED, span_text("5\rxhello"), ERR_FORMAT);
	fails(CHUNKED, span_text("5\r\nhellox\r\n"), ERR_FORMAT);
	fails(CHUNKED, span_text("5\r\nhello\rx"), ERR_FORMAT);
	fails(CHUNKED, span_text("0\r\na\nb"), ERR_FORMAT);
	fails(CHUNKED, span_text("fffffffffffffffff\r\n"), ERR_LIMIT);
	fails(CHUNKED, span_text("3e9\r\n"), ERR_CLOSED);
}

static void chunk_lines_and_trailers_have_limits(void **state)
{
	char text[10000];
	size_t rest;

	(void)state;
	memset(text, '0', sizeof text);
	assert_int_equal(read_body(CHUNKED, span_of(text, sizeof text), 10, 100, &rest).e, ERR_LIMIT);
	memcpy(text, "1;", 2);
	assert_int_equal(read_body(CHUNKED, span_of(text, sizeof text), 10, 100, &rest).e, ERR_LIMIT);
	memcpy(text, "0\r\n", 3);
	assert_int_equal(read_body(CHUNKED, span_of(text, sizeof text), 10, 100, &rest).e, ERR_LIMIT);
}

static size_t zip(const void *p, size_t n, uint8_t *out, size_t size)
{
	z_stream z = { 0 };

	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = p;
	z.avail_in = (unsigned int)n;
	z.next_out = out;
	z.avail_out = (unsigned int)size;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	n = size - z.avail_out;
	assert_int_equal(deflateEnd(&z), Z_OK);
	return n;
}

static void gzip_is_undone(void **state)
{
	static uint8_t zipped[1000];
	char head[200];
	size_t n = zip("hello hello hello", 17, zipped, sizeof zipped);

	(void)state;
	gives(GZIP, span_of(zipped, n), "hello hello hello", 0);
	(void)snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n", n);
	gives(head, span_of(zipped, n), "hello hello hello", 0);
	fails(GZIP, span_of(zipped, n - 1), ERR_CLOSED);
	zipped[n] = 'x';
	fails(GZIP, span_of(zipped, n + 1), ERR_FORMAT);
	(void)snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n", n - 1);
	fails(head, span_of(zipped, n - 1), ERR_FORMAT);
	zipped[n - 5] ^= 1;
	fails(GZIP, span_of(zipped, n), ERR_FORMAT); /* its check sum */
}

static void what_gzip_makes_has_a_limit(void **state)
{
	static uint8_t zeros[150000], zipped[2000];
	size_t n = zip(zeros, sizeof zeros, zipped, sizeof zipped), rest;

	(void)state;
	assert_int_equal(read_body(GZIP, span_of(zipped, n), sizeof zeros - 1, 500, &rest).e, ERR_LIMIT);
	assert_true(heard.n < sizeof zeros);
	assert_true(OK(read_body(GZIP, span_of(zipped, n), sizeof zeros, 500, &rest)));
	assert_int_equal(heard.n, sizeof zeros);
	assert_int_equal(mem_usage().objects, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_head_is_read),
		cmocka_unit_test(a_tag_that_is_too_long_is_none),
		cmocka_unit_test(bad_heads),
		cmocka_unit_test(bodies),
		cmocka_unit_test(bad_bodies),
		cmocka_unit_test(chunk_lines_and_trailers_have_limits),
		cmocka_unit_test(gzip_is_undone),
		cmocka_unit_test(what_gzip_makes_has_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
