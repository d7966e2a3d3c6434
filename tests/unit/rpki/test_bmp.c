/* BMP: peers come up and go down, their routes with them; views, path identifiers and short AS numbers as the peers' OPENs and flags say; what is strange is counted, what is bad ends the session. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "rpki/routes/bmp.h"
#include "tests/unit/rpki/bgp_bytes.h"

struct heard {
	struct bmp_sink sink; /* first */
	struct strbuf *out;
};

static RESULT hear_up(struct bmp_sink *s, uint32_t number, const struct bmp_peer *p)
{
	struct heard *h = (struct heard *)(void *)s;
	char text[ADDR_TEXT];

	strbuf_printf(h->out, "up%u:%s:%u:%d ", number, p->address.family != ADDR_NONE ? addr_text(&p->address, text) : "-", p->as, (int)p->view);
	return DONE;
}

static RESULT hear_change(struct bmp_sink *s, uint32_t number, const struct bgp_change *c)
{
	struct heard *h = (struct heard *)(void *)s;
	char text[ADDR_TEXT];

	strbuf_printf(h->out, "%u%c%s/%u", number, c->announced ? '+' : '-', addr_text(&c->prefix.a, text), c->prefix.len);
	if (c->path != 0)
		strbuf_printf(h->out, "#%u", c->path);
	if (c->announced)
		strbuf_printf(h->out, "=%u", c->origin);
	strbuf_putc(h->out, ' ');
	return DONE;
}

static RESULT hear_down(struct bmp_sink *s, uint32_t number)
{
	struct heard *h = (struct heard *)(void *)s;

	strbuf_printf(h->out, "down%u ", number);
	return DONE;
}

static const struct bmp_sink_ops ops = { hear_up, hear_change, hear_down };

/* The same whole and in pieces. */
static void says(struct span in, enum err e, const char *want, uint64_t strange, uint64_t bad)
{
	static const size_t pieces[] = { 1, 5, 49, SIZE_MAX };
	const struct bmp_limits limits = bmp_limits_default();

	for (size_t i = 0; i < 4; i++) {
		AUTO(strbuf_free) struct strbuf *out = strbuf_new(10000);
		struct heard h = { { &ops }, out };
		AUTO(bmp_free) struct bmp *b = bmp_new(&h.sink, &limits);
		struct reader r = reader_of(in);
		struct result got = DONE;

		while (OK(got) && !reader_end(&r))
			got = bmp_feed(b, read_span(&r, reader_left(&r) < pieces[i] ? reader_left(&r) : pieces[i]));
		assert_int_equal(got.e, e);
		strbuf_puts(out, "| ");
		assert_true(OK(bmp_end(b)));
		assert_int_equal(bmp_peers(b), 0);
		assert_string_equal(strbuf_text(out), want);
		assert_int_equal(bmp_counts(b)->strange, strange);
		assert_int_equal(bmp_counts(b)->bad, bad);
	}
}

/* -------------------------------------------------------------------------------------------------------------------- cases */

static void routes_come_with_their_peers(void **state)
{
	uint8_t room[4000];
	struct writer w = writer_of(room, sizeof room);
	size_t at = bmp_begin(&w, BMP_INITIATION);

	(void)state;
	bmp_finish(&w, at);
	write_up(&w, 0, 0, 1, 64500, 0, 0);
	write_up(&w, 0, 0x80, 2, 64501, 0, 0);
	write_up(&w, 0, 0x40, 1, 64500, 0, 0); /* the first one's routes after policy */
	write_up(&w, 3, 0, 0, 64499, 0, 0);
	write_monitoring(&w, 0, 0, 1, 64500, NULL, "10.0.0.0/8", 64496);
	write_monitoring(&w, 0, 0x80, 2, 64501, "11.0.0.0/8", NULL, 0);
	write_monitoring(&w, 0, 0x40, 1, 64500, NULL, "10.0.0.0/8", 64497);
	write_monitoring(&w, 3, 0, 0, 64499, NULL, "12.0.0.0/8", 64498);
	at = bmp_begin(&w, BMP_STATISTICS);
	bmp_finish(&w, at);
	write_down(&w, 0, 0, 1, 64500);
	write_monitoring(&w, 0, 0, 1, 64500, NULL, "10.0.0.0/8", 64496); /* of one that is down */
	write_down(&w, 0, 0, 1, 64500);
	write_up(&w, 0, 0, 1, 64500, 0, 0);
	write_up(&w, 0, 0, 1, 64500, 0, 0);
	says(writer_done(&w), ERR_NONE, "up0:0.0.0.1:64500:0 up1:::2:64501:0 up2:0.0.0.1:64500:1 up3:-:64499:2 0+10.0.0.0/8=64496 1-11.0.0.0/8 2+10.0.0.0/8=64497 3+12.0.0.0/8=64498 "
		"down0 up4:0.0.0.1:64500:0 down4 up5:0.0.0.1:64500:0 | down5 down2 down1 down3 ", 3, 0);
}

/* RFC 7911: identifiers are there when the router takes them and the peer sends them. */
static void identifiers_are_there_when_both_said_so(void **state)
{
	for (uint8_t sent = 0; sent < 4; sent++) {
		for (uint8_t received = 0; received < 4; received++) {
			bool paths = (sent & 1) != 0 && (received & 2) != 0;
			uint8_t room[2000];
			struct writer w = writer_of(room, sizeof room);
			size_t at;

			(void)state;
			write_up(&w, 0, 0, 1, 64500, sent, received);
			at = bmp_begin(&w, BMP_MONITORING);
			write_peer(&w, 0, 0, 1, 64500);
			size_t update = w.pos;

			write_update(&w, NULL, "10.0.0.0/8", 64496);
			w.pos -= 2;
			if (paths)
				write32(&w, 77);
			write_nlri(&w, "10.0.0.0/8");
			store16(w.base + update + 16, (uint16_t)(w.pos - update));
			bmp_finish(&w, at);
			says(writer_done(&w), ERR_NONE, paths ? "up0:0.0.0.1:64500:0 0+10.0.0.0/8#77=64496 | down0 " : "up0:0.0.0.1:64500:0 0+10.0.0.0/8=64496 | down0 ", 0, 0);
		}
	}
}

static void what_tells_nothing_is_passed_over(void **state)
{
	uint8_t room[2000];
	struct writer w = writer_of(room, sizeof room);
	size_t at;

	(void)state;
	write_up(&w, 0, 0x10, 1, 64500, 0, 0); /* Adj-RIB-Out */
	write_up(&w, 9, 0, 1, 64500, 0, 0);
	at = bmp_begin(&w, 77);
	bmp_finish(&w, at);
	says(writer_done(&w), ERR_NONE, "| ", 0, 0);
}

static void a_bad_update_is_left_out_and_a_bad_message_ends_it(void **state)
{
	uint8_t room[2000];
	struct writer w = writer_of(room, sizeof room);
	size_t bad, at;

	(void)state;
	write_up(&w, 0, 0, 1, 64500, 0, 0);
	bad = w.pos;
	write_monitoring(&w, 0, 0, 1, 64500, NULL, "10.0.0.0/8", 64496);
	room[bad + 6 + 42 + 16] = 0xff; /* the UPDATE's own length */
	write_monitoring(&w, 0, 0, 1, 64500, NULL, "11.0.0.0/8", 64496);
	says(writer_done(&w), ERR_NONE, "up0:0.0.0.1:64500:0 0+11.0.0.0/8=64496 | down0 ", 0, 1);
	at = bmp_begin(&w, BMP_TERMINATION);
	bmp_finish(&w, at);
	says(writer_done(&w), ERR_CLOSED, "up0:0.0.0.1:64500:0 0+11.0.0.0/8=64496 | down0 ", 0, 1);
	room[bad] = 2; /* version */
	says(writer_done(&w), ERR_FORMAT, "up0:0.0.0.1:64500:0 | down0 ", 0, 0);
	room[bad] = 3;
	store32(room + bad + 1, 5);
	says(writer_done(&w), ERR_FORMAT, "up0:0.0.0.1:64500:0 | down0 ", 0, 0);
	store32(room + bad + 1, (1u << 20) + 1);
	says(writer_done(&w), ERR_LIMIT, "up0:0.0.0.1:64500:0 | down0 ", 0, 0);
	store32(room + bad + 1, 20); /* no room for the peer */
	says(writer_done(&w), ERR_FORMAT, "up0:0.0.0.1:64500:0 | down0 ", 0, 0);
	room[6 + 42 + 20 + 18] = 2; /* no OPEN */
	says(writer_done(&w), ERR_FORMAT, "| ", 0, 0);
}

static void peers_have_a_limit(void **state)
{
	uint8_t room[2000];
	struct writer w = writer_of(room, sizeof room);
	const struct bmp_limits limits = { .message = 4096, .peers = 1 };
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(10000);
	struct heard h = { { &ops }, out };
	AUTO(bmp_free) struct bmp *b = bmp_new(&h.sink, &limits);

	(void)state;
	write_up(&w, 0, 0, 1, 64500, 0, 0);
	assert_true(OK(bmp_feed(b, writer_done(&w))));
	w = writer_of(room, sizeof room);
	write_up(&w, 0, 0, 2, 64500, 0, 0);
	assert_int_equal(bmp_feed(b, writer_done(&w)).e, ERR_LIMIT);
	assert_int_equal(bmp_peers(b), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(routes_come_with_their_peers),
		cmocka_unit_test(identifiers_are_there_when_both_said_so),
		cmocka_unit_test(what_tells_nothing_is_passed_over),
		cmocka_unit_test(a_bad_update_is_left_out_and_a_bad_message_ends_it),
		cmocka_unit_test(peers_have_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
