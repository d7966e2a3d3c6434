/* A database of autonomous systems: its networks, whatever the tree; and what is none, is half, or points in circles. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "rpki/routes/announced.h"
#include "rpki/routes/asn_db.h"
#include "tests/unit/rpki/heard_routes.h"
#include "tests/unit/rpki/mmdb_bytes.h"

#define ROOM 20000u

static void reads(struct span s, uint64_t networks, enum err e, const char *want, uint64_t passed)
{
	const struct asn_db_limits limits = { .octets = 1u << 20, .networks = networks };
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(100000);
	struct heard h = { { hear }, out };
	struct source_counts c;

	assert_non_null(out);
	assert_int_equal(asn_db_read(s, &limits, &h.sink, &c).e, e);
	if (want != NULL)
		assert_string_equal(strbuf_text(out), want);
	assert_int_equal(c.passed, passed);
}

static void networks_of_both_families_are_told(void **state)
{
	static struct mmdb m;
	uint8_t room[ROOM];
	struct writer w = writer_of(room, sizeof room);

	(void)state;
	mmdb_begin(&m, 6);
	mmdb_add(&m, "192.0.2.0/24", 64496);
	mmdb_add(&m, "198.51.100.0/25", 4200000000u);
	mmdb_add(&m, "2001:db8::/32", 64497);
	mmdb_put(&m, "203.0.113.0/24", MMDB_DATA | mmdb_data(&m, 0, "AS64499"));
	mmdb_put(&m, "203.0.114.0/24", MMDB_DATA | mmdb_data(&m, 0, "nobody"));
	mmdb_put(&m, "2002::/16", mmdb_v4(&m)); /* as such databases have it */
	mmdb_write(&m, &w);
	reads(writer_done(&w), 100, ERR_NONE, "192.0.2.0/24=64496 198.51.100.0/25=4200000000 203.0.113.0/24=64499 2001:db8::/32=64497 ", 1);
	reads(writer_done(&w), 4, ERR_NONE, NULL, 1);
	reads(writer_done(&w), 3, ERR_LIMIT, NULL, 1);
	mmdb_begin(&m, 4);
	mmdb_add(&m, "192.0.2.0/24", 64496);
	mmdb_add(&m, "10.0.0.1/32", 64497);
	for (m.bits = 24; m.bits <= 32; m.bits += 4) {
		w = writer_of(room, sizeof room);
		mmdb_write(&m, &w);
		reads(writer_done(&w), 100, ERR_NONE, "10.0.0.1/32=64497 192.0.2.0/24=64496 ", 0);
	}
	m.bits = 20;
	w = writer_of(room, sizeof room);
	mmdb_write(&m, &w);
	reads(writer_done(&w), 100, ERR_FORMAT, "", 0);
}

static void what_is_none_or_half_is_refused(void **state)
{
	static struct mmdb m;
	uint8_t room[ROOM];
	struct writer w = writer_of(room, sizeof room);
	struct span all;

	(void)state;
	reads(span_of("", 0), 100, ERR_FORMAT, "", 0);
	reads(span_text("192.0.2.0/24 64496\n"), 100, ERR_FORMAT, "", 0);
	mmdb_begin(&m, 6);
	mmdb_add(&m, "2001:db8::/32", 64497);
	mmdb_write(&m, &w);
	all = writer_done(&w);
	for (size_t n = 0; n < all.n; n++) { /* a file that is not all there yet */
		struct heard h = { { hear }, strbuf_new(1000) };
		const struct asn_db_limits limits = asn_db_limits_default();
		AUTO(strbuf_free) struct strbuf *out = h.out;
		struct source_counts c;

		assert_false(OK(asn_db_read(span_of(room, n), &limits, &h.sink, &c)));
	}
	mmdb_begin(&m, 6);
	w = writer_of(room, sizeof room);
	mmdb_write(&m, &w); /* without networks */
	reads(writer_done(&w), 100, ERR_FORMAT, "", 0);
}

/* A value may point to another one; what points nowhere, or to what points on, tells of no AS. */
static void values_may_be_elsewhere(void **state)
{
	static struct mmdb m;
	uint8_t room[ROOM];
	struct writer w = writer_of(room, sizeof room);
	uint32_t first, at[3];

	(void)state;
	mmdb_begin(&m, 4);
	first = mmdb_data(&m, 64496, NULL);
	for (unsigned int i = 0; i < 3; i++) {
		at[i] = (uint32_t)m.w.pos;
		write8(&m.w, 1u << 5);
		write8(&m.w, (uint8_t)(i == 0 ? first : i == 1 ? at[0] : 255)); /* to the map, to a pointer, beyond */
	}
	mmdb_put(&m, "192.0.2.0/24", MMDB_DATA | at[0]);
	mmdb_put(&m, "192.0.3.0/24", MMDB_DATA | at[1]);
	mmdb_put(&m, "192.0.4.0/24", MMDB_DATA | at[2]);
	mmdb_put(&m, "192.0.5.0/24", MMDB_DATA | 3000);
	mmdb_write(&m, &w);
	reads(writer_done(&w), 100, ERR_NONE, "192.0.2.0/24=64496 ", 2);
}

/* Nodes that lead back to themselves, or to others many times over: as few steps as there are nodes. */
static void a_tree_that_is_none_ends(void **state)
{
	static struct mmdb m;
	uint8_t room[ROOM];
	struct writer w = writer_of(room, sizeof room);

	(void)state;
	mmdb_begin(&m, 6);
	mmdb_add(&m, "2001:db8::/32", 64497);
	mmdb_put(&m, "8000::/2", 1); /* up again */
	mmdb_write(&m, &w);
	reads(writer_done(&w), 100, ERR_FORMAT, NULL, 0);
	mmdb_begin(&m, 6);
	mmdb_add(&m, "2001:db8::/128", 64497);
	for (uint32_t i = 0; i + 1 < m.nodes; i++)
		m.side[i][0] = m.side[i][1] = i + 1; /* 2^127 ways */
	w = writer_of(room, sizeof room);
	mmdb_write(&m, &w);
	reads(writer_done(&w), 1000000, ERR_FORMAT, NULL, 0);
}

static void a_file_becomes_routes_of_its_source(void **state)
{
	char path[] = "/tmp/cairn-asn-XXXXXX";
	int fd = mkstemp(path);
	static struct mmdb m;
	uint8_t room[ROOM];
	struct writer w = writer_of(room, sizeof room);
	const struct asn_db_limits limits = asn_db_limits_default();
	AUTO(strbuf_free) struct strbuf *what = strbuf_new(1000);
	AUTO(announced_unref) struct announced *empty = announced_new(), *a = NULL;
	AUTO(announced_edit_free) struct announced_edit *e = announced_edit_new(empty);
	struct announced_routes found;
	struct prefix p;

	(void)state;
	assert_true(fd >= 0);
	mmdb_begin(&m, 6);
	mmdb_add(&m, "192.0.2.0/24", 64496);
	mmdb_write(&m, &w);
	assert_int_equal(write(fd, room, w.pos), (ssize_t)w.pos);
	assert_true(OK(asn_db_load(path, &limits, e, 7, what)));
	assert_non_null(strstr(strbuf_text(what), ": 1 networks (ASN database)"));
	assert_int_equal(ftruncate(fd, 100), 0);
	strbuf_clear(what);
	assert_int_equal(asn_db_load(path, &limits, e, 7, what).e, ERR_FORMAT);
	assert_non_null(strstr(strbuf_text(what), "expected a whole database"));
	assert_int_equal(close(fd), 0);
	assert_int_equal(unlink(path), 0);
	strbuf_clear(what);
	assert_false(OK(asn_db_load(path, &limits, e, 7, what)));
	assert_true(strbuf_len(what) > 0);
	assert_true(OK(announced_edit_publish(MOVE(e), 1, &a)));
	assert_true(OK(prefix_parse("192.0.2.1/32", &p)));
	assert_true(announced_find(a, &p.a, &found));
	assert_int_equal(announced_at(&found, 0).origin, 64496);
	assert_int_equal(announced_at(&found, 0).source, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(networks_of_both_families_are_told),
		cmocka_unit_test(what_is_none_or_half_is_refused),
		cmocka_unit_test(values_may_be_elsewhere),
		cmocka_unit_test(a_tree_that_is_none_ends),
		cmocka_unit_test(a_file_becomes_routes_of_its_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
