/* BGP: the origin of a path as RFC 6811 section 2 wants it, and the changes of an UPDATE. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/strbuf.h"
#include "rpki/routes/bgp.h"
#include "tests/unit/rpki/bgp_bytes.h"

#define SPEAKER 65000u

struct segment {
	uint8_t type, n;
	uint32_t as[4];
};

static size_t path_of(const struct segment *s, size_t n, unsigned int octets, uint8_t room[200])
{
	struct writer w = writer_of(room, 200);

	for (size_t i = 0; i < n; i++) {
		write8(&w, s[i].type);
		write8(&w, s[i].n);
		for (unsigned int k = 0; k < s[i].n; k++) {
			if (octets == 4)
				write32(&w, s[i].as[k]);
			else
				write16(&w, (uint16_t)s[i].as[k]);
		}
	}
	return w.pos;
}

static void the_origin_is_that_of_rfc_6811(void **state)
{
	static const struct {
		struct segment s[3];
		size_t n;
		uint32_t want;
	} of[] = {
		{ { { 2, 3, { 1, 2, 3 } } }, 1, 3 },
		{ { { 2, 1, { 1 } }, { 2, 2, { 5, 4 } } }, 2, 4 },
		{ { { 2, 1, { 1 } }, { 1, 2, { 5, 4 } } }, 2, BGP_AS_NONE },
		{ { { 1, 2, { 5, 4 } }, { 2, 1, { 9 } } }, 2, 9 },
		{ { { 2, 1, { 1 } }, { 3, 2, { 5, 4 } } }, 2, SPEAKER },
		{ { { 4, 1, { 1 } } }, 1, SPEAKER },
		{ { { 2, 1, { 0 } } }, 1, BGP_AS_NONE },
		{ { { 0, 0, { 0 } } }, 0, SPEAKER },
	};
	uint8_t value[200], room[256];

	(void)state;
	for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
		for (unsigned int octets = 2; octets <= 4; octets += 2) {
			struct writer w = writer_of(room, sizeof room);
			struct bgp_attributes a;

			write_attribute(&w, 1, "", 1);
			write_attribute(&w, 2, value, path_of(of[i].s, of[i].n, octets, value));
			assert_true(OK(bgp_attributes_read(writer_done(&w), octets, SPEAKER, &a)));
			assert_true(a.path);
			assert_int_equal(a.origin, of[i].want);
		}
	}
}

/* RFC 6793: the long path counts unless it is longer than the short one. */
static void large_numbers_come_beside_the_path(void **state)
{
	static const struct segment two = { 2, 2, { 1, BGP_AS_TRANS } }, four[] = { { 2, 2, { 1, 4200000001u } }, { 2, 3, { 7, 1, 4200000001u } }, { 2, 1, { 4200000001u } } };
	static const uint32_t want[] = { 4200000001u, BGP_AS_TRANS, 4200000001u };
	uint8_t value[200], room[256];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct writer w = writer_of(room, sizeof room);
		struct bgp_attributes a;

		write_attribute(&w, 17, value, path_of(&four[i], 1, 4, value));
		write_attribute(&w, 2, value, path_of(&two, 1, 2, value));
		assert_true(OK(bgp_attributes_read(writer_done(&w), 2, SPEAKER, &a)));
		assert_int_equal(a.origin, want[i]);
	}
}

static void bad_attributes_are_refused(void **state)
{
	static const struct {
		const char *octets;
		size_t n;
	} of[] = {
		{ "\x40\x02\x05\x02\x01\x00\x00\x00", 8 }, /* the value is cut off */
		{ "\x40\x02\x06\x02\x02\x00\x00\x00\x01", 9 }, /* the segment is */
		{ "\x40\x02\x02\x02\x00", 5 }, /* a segment of none */
		{ "\x40\x02\x06\x05\x01\x00\x00\x00\x01", 9 }, /* of no known kind */
		{ "\x50\x02\x00", 3 },
		{ "\x40", 1 },
		{ "\x40\x0e\x00\x40\x0e\x00", 6 }, /* MP_REACH_NLRI twice */
	};
	struct bgp_attributes a;

	(void)state;
	for (size_t i = 0; i < sizeof of / sizeof of[0]; i++)
		assert_int_equal(bgp_attributes_read(span_of(of[i].octets, of[i].n), 4, SPEAKER, &a).e, ERR_FORMAT);
}

/* ---------------------------------------------------------------------------------------------------------------- messages */

static RESULT note(void *ctx, const struct bgp_change *c)
{
	char text[ADDR_TEXT];

	strbuf_printf(ctx, "%c%s/%u", c->announced ? '+' : '-', addr_text(&c->prefix.a, text), c->prefix.len);
	if (c->path != 0)
		strbuf_printf(ctx, "#%u", c->path);
	if (c->announced)
		strbuf_printf(ctx, "=%u", c->origin);
	strbuf_putc(ctx, ' ');
	return DONE;
}

static void says(struct span message, const struct bgp_session *s, enum err e, bool mended, const char *want)
{
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(10000);
	bool got;

	assert_int_equal(bgp_update_read(message, s, note, out, &got).e, e);
	assert_string_equal(strbuf_text(out), want);
	assert_int_equal(got, mended);
}

static void an_update_is_its_changes(void **state)
{
	const struct bgp_session plain = { .as_octets = 4, .speaker = SPEAKER }, paths = { .as_octets = 4, .paths4 = true, .paths6 = true, .speaker = SPEAKER };
	uint8_t room[500], reach[100];
	struct writer w = writer_of(room, sizeof room), v = writer_of(reach, sizeof reach);
	size_t attributes;

	(void)state;
	write_update(&w, "10.0.0.0/8", "192.0.2.0/24", 64496);
	says(writer_done(&w), &plain, ERR_NONE, false, "-10.0.0.0/8 +192.0.2.0/24=64496 ");
	says(span_of(room, w.pos - 1), &plain, ERR_FORMAT, false, "");
	room[w.pos - 4] = 33; /* no length of a prefix */
	says(writer_done(&w), &plain, ERR_FORMAT, false, "-10.0.0.0/8 ");
	room[18] = 4; /* a KEEPALIVE, it says */
	says(writer_done(&w), &plain, ERR_NONE, false, "");

	/* IPv6, with path identifiers; and a path that is no path: what it announces is withdrawn (RFC 7606). */
	for (unsigned int bad = 0; bad < 2; bad++) {
		w = writer_of(room, sizeof room);
		v = writer_of(reach, sizeof reach);
		write_update(&w, NULL, NULL, 0);
		attributes = w.pos - 2;
		write16(&v, 2);
		write8(&v, 1);
		write8(&v, 16);
		write_octets(&v, "0123456789abcdef", 16);
		write8(&v, 0);
		write32(&v, 7);
		write_nlri(&v, "2001:db8::/33");
		write_attribute(&w, 14, reach, v.pos);
		write_attribute(&w, 15, "\0\2\1\0\0\0\x9\x20\x20\x01\xd\xb9", 12);
		if (bad == 0)
			write_path(&w, 64497);
		else
			write_attribute(&w, 2, "\2\1", 2);
		write_length(&w, attributes, 2, 0);
		store16(room + 16, (uint16_t)w.pos);
		says(writer_done(&w), &paths, ERR_NONE, bad == 1, bad == 0 ? "-2001:db9::/32#9 +2001:db8::/33#7=64497 " : "-2001:db9::/32#9 -2001:db8::/33#7 ");
	}
}

static void other_families_are_passed_over(void **state)
{
	const struct bgp_session plain = { .as_octets = 4, .speaker = SPEAKER };
	uint8_t room[300];
	struct writer w = writer_of(room, sizeof room);
	size_t attributes;

	(void)state;
	write_update(&w, NULL, NULL, 0);
	says(writer_done(&w), &plain, ERR_NONE, false, ""); /* End-of-RIB (RFC 4724) */
	attributes = w.pos - 2;
	write_path(&w, 64497);
	write_attribute(&w, 14, "\0\1\2\4\1\2\3\4\0\x8\xa", 11); /* multicast */
	write_attribute(&w, 15, "\0\x19\x46", 3);              /* EVPN */
	write_length(&w, attributes, 2, 0);
	store16(room + 16, (uint16_t)w.pos);
	says(writer_done(&w), &plain, ERR_NONE, false, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_origin_is_that_of_rfc_6811),
		cmocka_unit_test(large_numbers_come_beside_the_path),
		cmocka_unit_test(bad_attributes_are_refused),
		cmocka_unit_test(an_update_is_its_changes),
		cmocka_unit_test(other_families_are_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
