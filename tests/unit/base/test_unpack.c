/* base/unpack: gzip, bzip2 and neither, in any pieces, several members, bounded; what is cut off or damaged is refused. */
#include "unit.h"

#include "base/libbz2.h"
#include "base/libz.h"
#include "base/strbuf.h"
#include "base/unpack.h"

#define TEXT 200000u
#define MIN_PACKED 4u /* fewer octets are no packed file */

struct packed {
	uint8_t *p;
	size_t n;
};

static void fill(uint8_t *text)
{
	for (size_t i = 0; i < TEXT; i++)
		text[i] = (uint8_t)("cairn"[i % 5] + (i * i >> 13) % 3);
}

static struct packed gzip(const uint8_t *text, size_t n)
{
	struct packed out = { mem_alloc(n + 1000), 0 };
	z_stream z = { .next_in = text, .avail_in = (unsigned int)n, .next_out = out.p, .avail_out = (unsigned int)n + 1000 };

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	out.n = z.total_out;
	assert_int_equal(deflateEnd(&z), Z_OK);
	return out;
}

static struct packed bzip2(const uint8_t *text, size_t n)
{
	struct packed out = { mem_alloc(n + 1000), 0 };
	unsigned int len = (unsigned int)n + 1000;

	assert_int_equal(BZ2_bzBuffToBuffCompress((char *)out.p, &len, (char *)(uintptr_t)text, (unsigned int)n, 1, 0, 0), BZ_OK);
	out.n = len;
	return out;
}

static RESULT take(void *ctx, struct span s)
{
	strbuf_add_span(ctx, s);
	return strbuf_result(ctx);
}

/* All of it in pieces of `piece` octets. */
static struct result unpacked(struct span in, size_t piece, uint64_t max, struct strbuf *out)
{
	AUTO(unpack_free) struct unpack *u = unpack_new(max);
	struct reader r = reader_of(in);

	if (u == NULL)
		return FAIL(ERR_NOMEM);
	while (!reader_end(&r))
		TRY(unpack_feed(u, read_span(&r, reader_left(&r) < piece ? reader_left(&r) : piece), take, out));
	return unpack_end(u, take, out);
}

static void what_was_packed_comes_out(void **state)
{
	static const size_t sizes[] = { 0, 1, 2, 3, 1000, TEXT }, pieces[] = { 1, 2, 7, 65536, SIZE_MAX };
	uint8_t *text = mem_alloc(TEXT);

	(void)state;
	fill(text);
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		struct packed of[3] = { gzip(text, sizes[i]), bzip2(text, sizes[i]), { mem_dup(text, sizes[i] > 0 ? sizes[i] : 1), sizes[i] } };

		for (size_t k = 0; k < 3; k++) {
			for (size_t j = sizes[i] == TEXT && k == 2; j < sizeof pieces / sizeof pieces[0]; j++) {
				AUTO(strbuf_free) struct strbuf *out = strbuf_new(2 * TEXT), *two = strbuf_new(4 * TEXT), *twice = strbuf_new(4 * TEXT);

				assert_ok(unpacked(span_of(of[k].p, of[k].n), pieces[j], TEXT, out));
				assert_true(span_equal(strbuf_span(out), span_of(text, sizes[i])));
				strbuf_add(twice, of[k].p, of[k].n);
				strbuf_add(twice, of[k].p, of[k].n); /* two members */
				assert_ok(unpacked(strbuf_span(twice), pieces[j], 2 * TEXT, two));
				assert_int_equal(strbuf_len(two), 2 * sizes[i]);
				if (sizes[i] > 0)
					assert_err(unpacked(strbuf_span(twice), pieces[j], 2 * sizes[i] - 1, two), ERR_LIMIT);
			}
			mem_free(of[k].p);
		}
	}
	mem_free(text);
}

static void what_is_not_whole_is_refused(void **state)
{
	uint8_t *text = mem_alloc(TEXT);
	struct packed of[2];

	(void)state;
	fill(text);
	of[0] = gzip(text, 500);
	of[1] = bzip2(text, 500);
	for (size_t k = 0; k < 2; k++) {
		AUTO(strbuf_free) struct strbuf *out = strbuf_new(100 * TEXT);

		for (size_t n = MIN_PACKED; n < of[k].n; n++)
			assert_err(unpacked(span_of(of[k].p, n), 10, TEXT, out), ERR_FORMAT);
		of[k].p[of[k].n / 2] ^= 0x10;
		assert_err(unpacked(span_of(of[k].p, of[k].n), 10, TEXT, out), ERR_FORMAT);
		mem_free(of[k].p);
	}
	mem_free(text);
}

static void memory_may_run_out(void **state)
{
	static const uint8_t text[300];
	struct packed of[2] = { gzip(text, sizeof text), bzip2(text, sizeof text) };

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		AUTO(strbuf_free) struct strbuf *out = strbuf_new(TEXT);
		struct result r = FAIL(ERR_NOMEM);

		strbuf_add(out, text, 200); /* has its memory */
		for (uint64_t n = 1; !OK(r) && n < 100; n++) {
			strbuf_clear(out);
			mem_fail_at(n, false);
			r = unpacked(span_of(of[k].p, of[k].n), 50, TEXT, out);
			mem_fail_at(0, false);
			assert_true(OK(r) || r.e == ERR_NOMEM);
		}
		assert_ok(r);
		mem_free(of[k].p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_packed_comes_out),
		cmocka_unit_test(what_is_not_whole_is_refused),
		cmocka_unit_test(memory_may_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
