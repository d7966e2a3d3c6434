/* Files of announced routes: MRT and the forms of text, what is bad in them, and that pieces of any size make no difference. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/libz.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "rpki/routes/announced.h"
#include "rpki/routes/route_file.h"
#include "tests/unit/rpki/bgp_bytes.h"
#include "tests/unit/rpki/heard_routes.h"

static struct result read_in_pieces(struct span in, size_t piece, const struct route_file_limits *limits, struct strbuf *out, struct source_counts *counts)
{
	struct heard h = { { hear }, out };
	AUTO(route_reader_free) struct route_reader *x = route_reader_new(&h.sink, limits);
	struct reader r = reader_of(in);
	struct result e = x != NULL ? DONE : FAIL(ERR_NOMEM);

	while (OK(e) && !reader_end(&r))
		e = route_reader_feed(x, read_span(&r, reader_left(&r) < piece ? reader_left(&r) : piece));
	if (OK(e))
		e = route_reader_end(x);
	if (x != NULL)
		*counts = route_reader_counts(x);
	return e;
}

static void reads(struct span in, enum err e, uint64_t bad, uint64_t first, const char *want)
{
	const struct route_file_limits limits = route_file_limits_default();
	static const size_t pieces[] = { 1, 3, 13, SIZE_MAX };

	for (size_t i = 0; i < 4; i++) {
		AUTO(strbuf_free) struct strbuf *out = strbuf_new(10000);
		struct source_counts counts = { .routes = 0 };

		assert_int_equal(read_in_pieces(in, pieces[i], &limits, out, &counts).e, e);
		assert_string_equal(strbuf_text(out), want);
		assert_int_equal(counts.bad, bad);
		assert_int_equal(counts.first_bad, first);
	}
}

static void a_table_dump_has_each_origin_once(void **state)
{
	uint8_t room[3000];
	struct writer w = writer_of(room, sizeof room);
	size_t at, last, end;

	(void)state;
	write_peers(&w);
	write_rib(&w, 2, "192.0.2.0/24", false, (const uint32_t[]){ 64496, 64497, 64496, 64496 }, 4);
	at = mrt_begin(&w, 13, 6); /* RIB_GENERIC */
	write32(&w, 0);
	write_length(&w, at, 4, 0);
	at = mrt_begin(&w, 16, 4); /* BGP4MP */
	write_length(&w, at, 4, 0);
	write_rib(&w, 4, "2001:db8::/32", false, (const uint32_t[]){ 4200000000u }, 1);
	write_rib(&w, 8, "10.0.0.0/7", true, (const uint32_t[]){ 1, 2 }, 2);
	last = w.pos;
	write_rib(&w, 10, "::/0", true, (const uint32_t[]){ 3 }, 1);
	end = w.pos;
	reads(writer_done(&w), ERR_NONE, 0, 0, "192.0.2.0/24=64496 192.0.2.0/24=64497 2001:db8::/32=4200000000 10.0.0.0/7=1 10.0.0.0/7=2 ::/0=3 ");
	reads(span_of(room, end - 1), ERR_FORMAT, 1, last + 1, "192.0.2.0/24=64496 192.0.2.0/24=64497 2001:db8::/32=4200000000 10.0.0.0/7=1 10.0.0.0/7=2 ");
}

static void bad_records_are_left_out(void **state)
{
	uint8_t room[3000];
	struct writer w = writer_of(room, sizeof room);
	uint64_t first;

	(void)state;
	write_rib(&w, 2, "10.0.0.0/8", false, (const uint32_t[]){ 1 }, 1); /* before the peers */
	write_peers(&w);
	first = w.pos;
	write_rib(&w, 2, "11.0.0.0/8", false, (const uint32_t[]){ 1 }, 1);
	room[first + 12 + 4] = 33;
	write_rib(&w, 2, "12.0.0.0/8", false, (const uint32_t[]){ 7 }, 1);
	reads(writer_done(&w), ERR_NONE, 2, 1, "12.0.0.0/8=7 ");
	room[first + 8] = 0xff; /* longer than any record may be */
	reads(writer_done(&w), ERR_LIMIT, 2, 1, "");
	room[first + 5] = 99; /* no type */
	reads(writer_done(&w), ERR_FORMAT, 2, 1, "");
	w.pos = (size_t)first;
	reads(writer_done(&w), ERR_FORMAT, 1, 1, ""); /* without routes */
	reads(span_of(room, 0), ERR_FORMAT, 0, 0, "");
	reads(span_of(room, 12), ERR_FORMAT, 1, 1, "");
}

static void text_has_three_forms(void **state)
{
	static const struct {
		const char *text, *want;
		uint64_t bad, first;
		enum err e;
	} of[] = {
		{ "192.0.2.0/24 64496\n2001:db8::/32\tAS64497\r\n\n# no\n10.0.0.0/8,as1", "192.0.2.0/24=64496 2001:db8::/32=64497 10.0.0.0/8=1 ", 0, 0, ERR_NONE },
		{ "% RIS\n64496\t192.0.2.0/24\t311\n{64496,64497}\t10.0.0.0/8\t3\n", "192.0.2.0/24=64496 10.0.0.0/8=0 ", 0, 0, ERR_NONE },
		{ "192.0.2.0\t24\t64496_64497\n2001:db8::\t32\t64496,64497\n10.0.0.0\t8\t1_{2,3}_4 \n", "192.0.2.0/24=64496 192.0.2.0/24=64497 2001:db8::/32=0 10.0.0.0/8=1 10.0.0.0/8=0 10.0.0.0/8=4 ",
			0, 0, ERR_NONE },
		{ "prefix,origin\n192.0.2.0/24,64496\n", "192.0.2.0/24=64496 ", 0, 0, ERR_NONE },
		{ "192.0.2.0/24 64496\n192.0.2.1/24 1\n10.0.0.0/8 1\n10.0.0.0/8 x\n10.0.0.0/8 4294967296\n10.0.0.0/8 2\n10.0.0.0/8 3", "192.0.2.0/24=64496 10.0.0.0/8=1 10.0.0.0/8=2 10.0.0.0/8=3 ", 3, 2, ERR_NONE },
		{ "192.0.2.0/24\n10.0.0.0/8 1\n", "10.0.0.0/8=1 ", 1, 1, ERR_NONE },
		{ "hello\nworld again\n", "", 1, 2, ERR_FORMAT },
		{ "10.0.0.0/8 1\nx\ny\n", "10.0.0.0/8=1 ", 2, 2, ERR_FORMAT },
		{ "", "", 0, 0, ERR_FORMAT },
	};
	AUTO(strbuf_free) struct strbuf *wide = strbuf_new(20000);

	(void)state;
	for (size_t i = 0; i < sizeof of / sizeof of[0]; i++)
		reads(span_text(of[i].text), of[i].e, of[i].bad, of[i].first, of[i].want);
	strbuf_puts(wide, "10.0.0.0/8 1\n10.0.0.0/8 2");
	for (size_t i = 0; i < 5000; i++)
		strbuf_putc(wide, ' ');
	strbuf_puts(wide, "\n11.0.0.0/8 3\n");
	reads(strbuf_span(wide), ERR_NONE, 1, 2, "10.0.0.0/8=1 11.0.0.0/8=3 ");
}

static void limits_bite(void **state)
{
	struct route_file_limits limits = route_file_limits_default();
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(1000);
	struct source_counts counts;

	(void)state;
	limits.routes = 1;
	assert_int_equal(read_in_pieces(span_text("10.0.0.0/8 1\n11.0.0.0/8 1\n"), 5, &limits, out, &counts).e, ERR_LIMIT);
	limits.routes = 2;
	assert_int_equal(read_in_pieces(span_text("10.0.0.0/8 1\n11.0.0.0/8 1\n"), 5, &limits, out, &counts).e, ERR_NONE);
	limits.octets = 25;
	assert_int_equal(read_in_pieces(span_text("10.0.0.0/8 1\n11.0.0.0/8 1\n"), 5, &limits, out, &counts).e, ERR_LIMIT);
}

static void loads(const char *path, enum err e, size_t routes, const char *want)
{
	const struct route_file_limits limits = route_file_limits_default();
	AUTO(announced_unref) struct announced *empty = announced_new(), *a = NULL;
	AUTO(announced_edit_free) struct announced_edit *edit = announced_edit_new(empty);
	AUTO(strbuf_free) struct strbuf *what = strbuf_new(1000);
	AUTO_CHARS char *line = mem_printf("%s: %s", path, want);

	assert_int_equal(route_file_load(path, &limits, edit, 5, what).e, e);
	assert_string_equal(strbuf_text(what), line);
	assert_true(OK(announced_edit_publish(MOVE(edit), 1, &a)));
	assert_int_equal(announced_count(a), routes);
}

static void a_file_says_what_it_was(void **state)
{
	char path[] = "/tmp/cairn-routes-XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	(void)close(fd);
	assert_true(OK(file_write_atomic(path, span_text("10.0.0.0/8 1\nx\n11.0.0.0/8 2\n10.0.0.0/8 1\n"), 0600)));
	loads(path, ERR_NONE, 2, "3 routes (text); 1 bad lines, the first at line 2");
	assert_true(OK(file_write_atomic(path, span_text("?"), 0600)));
	loads(path, ERR_FORMAT, 0, "found text with 0 routes, expected a whole MRT table dump or lines of prefixes and origins");
	(void)unlink(path);
	loads(path, ERR_SYSTEM, 0, "No such file or directory");
}

/* What was unpacked of half a packed file are whole lines, perhaps; it is half a file all the same. */
static void half_a_packed_file_is_none(void **state)
{
	const struct route_file_limits limits = route_file_limits_default();
	AUTO(strbuf_free) struct strbuf *text = strbuf_new(100000), *out = strbuf_new(100000);
	uint8_t room[20000];
	z_stream z = { .next_out = room, .avail_out = sizeof room };
	struct source_counts counts;

	(void)state;
	for (unsigned int i = 0; i < 1000; i++)
		strbuf_printf(text, "10.%u.%u.0/24 %u\n", i % 200, i / 200, 64496 + i);
	z.next_in = strbuf_span(text).p;
	z.avail_in = (unsigned int)strbuf_len(text);
	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(deflateEnd(&z), Z_OK);
	assert_true(OK(read_in_pieces(span_of(room, z.total_out), SIZE_MAX, &limits, out, &counts)));
	assert_int_equal(counts.routes, 1000);
	for (size_t n = 1; n < 10; n++) {
		strbuf_clear(out);
		assert_int_equal(read_in_pieces(span_of(room, z.total_out - n), 100, &limits, out, &counts).e, ERR_FORMAT);
	}
	strbuf_clear(out);
	assert_int_equal(read_in_pieces(span_of(room, z.total_out / 2), 100, &limits, out, &counts).e, ERR_FORMAT);
	assert_in_range(counts.routes, 100, 900);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_dump_has_each_origin_once),
		cmocka_unit_test(bad_records_are_left_out),
		cmocka_unit_test(text_has_three_forms),
		cmocka_unit_test(limits_bite),
		cmocka_unit_test(a_file_says_what_it_was),
		cmocka_unit_test(half_a_packed_file_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
