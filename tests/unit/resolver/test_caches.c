/*
 * RTR servers that fail in every way that one can: they are away, silent, speak something else, restart with another session or serial, lose their data, stop within an answer.
 * What counts are the data of the first in order that has some; what one said before holds until it expires.
 */
#include "tests/unit/resolver/routes_world.h"

#include "resolver/routes/caches.h"
#include "rpki/routes/rtr_pdu.h"

#define REFRESH 3600u
#define RETRY 600u
#define EXPIRE 7200u

struct fixture {
	struct routes_world w;
	struct route_caches *c;
	uint8_t room[4000];
	struct writer out;
};

static void open_caches(struct fixture *f, size_t n)
{
	static const char *const names[] = { "192.0.2.1@323", "192.0.2.2@323", "/run/rtr.sock" };
	struct route_cache_at at[3] = { { .name = NULL } };

	world_open(&f->w);
	f->out = writer_of(f->room, sizeof f->room);
	for (size_t i = 0; i < n; i++) {
		at[i].name = names[i];
		at[i].at = (struct endpoint){ .port = 323, .a = { .family = ADDR_V4, .b = { 192, 0, 2, (uint8_t)(i + 1) } } };
	}
	f->c = route_caches_new(&f->w.host->host, at, n, world_changed, &f->w);
	assert_non_null(f->c);
	world_turn(&f->w);
}

static void finish(struct fixture *f)
{
	route_caches_free(MOVE(f->c));
	world_turn(&f->w);
	world_close(&f->w);
}

/* The last connection; it is a new one. */
static size_t connects(struct fixture *f, size_t *before)
{
	size_t s = f->w.host->stream_count - 1;

	assert_true(f->w.host->stream_count > *before);
	*before = f->w.host->stream_count;
	world_connected(&f->w, s);
	return s;
}

/* The query that the client sent last: its type, and of a Serial Query its serial. */
static unsigned int asked(struct fixture *f, size_t s, uint32_t *ret_serial)
{
	struct span out = world_wrote(&f->w, s);
	struct reader r = reader_of(out);
	unsigned int type = 255;

	while (reader_left(&r) >= RTR_HEADER) {
		uint32_t length;

		read_skip(&r, 1);
		type = read8(&r);
		read_skip(&r, 2);
		length = read32(&r);
		*ret_serial = type == RTR_SERIAL_QUERY ? read32(&r) : 0;
		if (type != RTR_SERIAL_QUERY)
			read_skip(&r, length - RTR_HEADER);
	}
	return type;
}

static void send(struct fixture *f, size_t s)
{
	assert_true(writer_ok(&f->out));
	world_data(&f->w, s, writer_done(&f->out));
	f->out = writer_of(f->room, sizeof f->room);
}

static void answers(struct fixture *f, size_t s, uint16_t session, uint32_t serial, uint32_t first, uint32_t n, bool ends)
{
	const struct rtr_timers t = { REFRESH, RETRY, EXPIRE };

	rtr_write_cache_response(&f->out, 2, session);
	for (uint32_t i = 0; i < n; i++) {
		struct vrp v = { .family = ADDR_V4, .len = 8, .maxlen = 8, .addr = { 10 }, .asn = first + i };

		rtr_write_vrp(&f->out, 2, true, &v);
	}
	if (ends)
		rtr_write_end_of_data(&f->out, 2, session, serial, &t);
	send(f, s);
}

/* One cache, which has told of n VRPs: session 9, serial 10. */
static void open_told(struct fixture *f, uint32_t n)
{
	open_caches(f, 1);
	world_connected(&f->w, 0);
	answers(f, 0, 9, 10, 1, n, true);
}

/* name NULL: nobody's data count. */
static void counts(struct fixture *f, const char *name, uint32_t serial, size_t vrps)
{
	const char *got = NULL;
	const struct rtr_client *c = route_caches_best(f->c, &got);

	if (name == NULL) {
		assert_null(c);
		return;
	}
	assert_non_null(c);
	assert_string_equal(got, name);
	assert_int_equal(rtr_client_serial(c), serial);
	assert_int_equal(table_count(rtr_client_table(c), PAYLOAD_VRP), vrps);
}

/* Is a connection to 192.0.2.last open, or being opened? */
static bool tries(struct fixture *f, uint8_t last, size_t *ret_stream)
{
	for (size_t i = f->w.host->stream_count; i-- > 0;) {
		if (f->w.host->streams[i]->to.a.b[3] != last || !world_is_open(&f->w, i))
			continue;
		if (ret_stream != NULL)
			*ret_stream = i;
		return true;
	}
	return false;
}

/* -------------------------------------------------------------------------------------------------------------------- cases */

static void the_first_that_has_data_counts(void **state)
{
	struct fixture f;
	uint32_t serial;

	(void)state;
	open_caches(&f, 3);
	assert_int_equal(f.w.host->stream_count, 3);
	assert_string_equal(f.w.host->streams[2]->path, "/run/rtr.sock");
	for (size_t i = 3; i-- > 0;) {
		world_connected(&f.w, i);
		assert_int_equal(asked(&f, i, &serial), RTR_RESET_QUERY);
	}
	counts(&f, NULL, 0, 0);
	answers(&f, 2, 7, 30, 1, 3, true);
	counts(&f, "/run/rtr.sock", 30, 3);
	answers(&f, 1, 8, 20, 1, 2, true);
	counts(&f, "192.0.2.2@323", 20, 2);
	answers(&f, 0, 9, 10, 1, 1, true);
	counts(&f, "192.0.2.1@323", 10, 1);
	assert_true(f.w.changed >= 3);
	world_closed(&f.w, 0, ERR_SYSTEM); /* what it said holds */
	counts(&f, "192.0.2.1@323", 10, 1);
	finish(&f);
}

/* The first goes away for good: its data expire, the second's count at once, and the first's again when it is back. */
static void who_expires_is_followed_by_the_next(void **state)
{
	struct fixture f;
	size_t s;
	uint32_t serial;

	(void)state;
	open_caches(&f, 2);
	world_connected(&f.w, 0);
	world_connected(&f.w, 1);
	answers(&f, 0, 9, 10, 1, 1, true);
	answers(&f, 1, 8, 20, 1, 2, true);
	f.w.host->connect_error = ERR_SYSTEM;
	world_closed(&f.w, 0, ERR_REFUSED);
	world_pass(&f.w, (uint64_t)REFRESH * 1000 + 1000);
	assert_int_equal(asked(&f, 1, &serial), RTR_SERIAL_QUERY); /* by the refresh interval */
	assert_int_equal(serial, 20);
	answers(&f, 1, 8, 21, 3, 1, true);
	counts(&f, "192.0.2.1@323", 10, 1);
	world_pass(&f.w, (uint64_t)(EXPIRE - REFRESH) * 1000 - 3000);
	counts(&f, "192.0.2.1@323", 10, 1);
	world_pass(&f.w, 3000);
	counts(&f, "192.0.2.2@323", 21, 3);
	f.w.host->connect_error = ERR_NONE;
	for (s = 0; s <= RETRY && !tries(&f, 1, NULL); s++) /* tries have become as rare as the retry interval */
		world_pass(&f.w, 1000);
	assert_true(tries(&f, 1, &s));
	world_connected(&f.w, s);
	assert_int_equal(asked(&f, s, &serial), RTR_RESET_QUERY); /* it has nothing to go on from */
	answers(&f, s, 9, 11, 1, 1, true);
	counts(&f, "192.0.2.1@323", 11, 1);
	finish(&f);
}

static void nobody_is_left(void **state)
{
	struct fixture f;

	(void)state;
	open_told(&f, 1);
	f.w.host->connect_error = ERR_SYSTEM;
	world_closed(&f.w, 0, ERR_CLOSED);
	f.w.changed = 0;
	world_pass(&f.w, (uint64_t)EXPIRE * 1000 + 1000);
	counts(&f, NULL, 0, 0);
	assert_int_equal(f.w.changed, 1);
	finish(&f);
}

/* A restart of the cache: it has forgotten the session, and says so by Cache Reset, by another session ID, or by a serial that it cannot know. */
static void a_cache_that_restarts_is_asked_for_everything(void **state)
{
	struct fixture f;
	size_t seen = 1, s;
	uint32_t serial;

	(void)state;
	open_told(&f, 2);
	world_closed(&f.w, 0, ERR_CLOSED);
	world_pass(&f.w, 2000);
	s = connects(&f, &seen);
	assert_int_equal(asked(&f, s, &serial), RTR_SERIAL_QUERY); /* goes on where it was */
	assert_int_equal(serial, 10);
	rtr_write_cache_reset(&f.out, 2);
	send(&f, s);
	counts(&f, "192.0.2.1@323", 10, 2); /* the old hold until the new ones are whole */
	assert_int_equal(asked(&f, s, &serial), RTR_RESET_QUERY);
	answers(&f, s, 77, 1, 5, 1, false);
	counts(&f, "192.0.2.1@323", 10, 2);
	world_closed(&f.w, s, ERR_SYSTEM); /* half an answer is none */
	counts(&f, "192.0.2.1@323", 10, 2);
	world_pass(&f.w, 5000);
	s = connects(&f, &seen);
	assert_int_equal(asked(&f, s, &serial), RTR_RESET_QUERY);
	answers(&f, s, 77, 1, 5, 1, true);
	counts(&f, "192.0.2.1@323", 1, 1);
	rtr_write_serial_notify(&f.out, 2, 78, 2); /* another session, in the middle of this one: its data are not believed any more */
	send(&f, s);
	assert_false(world_is_open(&f.w, s));
	counts(&f, NULL, 0, 0);
	world_pass(&f.w, 5000);
	s = connects(&f, &seen);
	assert_int_equal(asked(&f, s, &serial), RTR_RESET_QUERY);
	answers(&f, s, 78, 2, 6, 3, true);
	counts(&f, "192.0.2.1@323", 2, 3);
	finish(&f);
}

/* A difference that does not fit what is here: a serial that is not the one that it says. Everything is asked for anew. */
static void a_wrong_difference_is_not_taken(void **state)
{
	struct fixture f;
	size_t seen = 1, s;
	uint32_t serial;

	(void)state;
	open_told(&f, 2);
	rtr_write_serial_notify(&f.out, 2, 9, 11);
	send(&f, 0);
	assert_int_equal(asked(&f, 0, &serial), RTR_SERIAL_QUERY);
	answers(&f, 0, 9, 11, 1, 1, true); /* what is there is announced again */
	assert_false(world_is_open(&f.w, 0));
	world_pass(&f.w, 2000);
	s = connects(&f, &seen);
	assert_int_equal(asked(&f, s, &serial), RTR_RESET_QUERY);
	answers(&f, s, 9, 11, 1, 3, true);
	counts(&f, "192.0.2.1@323", 11, 3);
	finish(&f);
}

static void who_is_silent_or_speaks_something_else_is_left(void **state)
{
	struct fixture f;
	size_t seen = 3;

	(void)state;
	open_caches(&f, 3);
	world_connected(&f.w, 0);
	world_data(&f.w, 0, span_text("HTTP/1.0 400 Bad Request\r\n\r\n"));
	assert_false(world_is_open(&f.w, 0));
	world_connected(&f.w, 1); /* and never answers; the third is never connected */
	world_pass(&f.w, 9000);
	assert_true(world_is_open(&f.w, 2));
	world_pass(&f.w, 2000);
	assert_false(world_is_open(&f.w, 2));
	assert_true(world_is_open(&f.w, 1));
	world_pass(&f.w, 60000);
	assert_false(world_is_open(&f.w, 1));
	assert_true(f.w.host->stream_count > seen); /* all are tried again, ever more rarely */
	assert_true(f.w.host->stream_count < 60);
	counts(&f, NULL, 0, 0);
	finish(&f);
}

/* A refused report of no data is asked again by the retry interval, on the same connection. */
static void who_has_no_data_yet_is_asked_again(void **state)
{
	struct fixture f;
	uint32_t serial;

	(void)state;
	open_caches(&f, 1);
	world_connected(&f.w, 0);
	assert_int_equal(asked(&f, 0, &serial), RTR_RESET_QUERY);
	rtr_write_error(&f.out, 2, RTR_NO_DATA, span_of("", 0), "");
	send(&f, 0);
	assert_int_equal(asked(&f, 0, &serial), 255);
	world_pass(&f.w, (uint64_t)RETRY * 1000 + 1000);
	assert_int_equal(asked(&f, 0, &serial), RTR_RESET_QUERY);
	answers(&f, 0, 9, 10, 1, 2, true);
	counts(&f, "192.0.2.1@323", 10, 2);
	finish(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_that_has_data_counts),
		cmocka_unit_test(who_expires_is_followed_by_the_next),
		cmocka_unit_test(nobody_is_left),
		cmocka_unit_test(a_cache_that_restarts_is_asked_for_everything),
		cmocka_unit_test(a_wrong_difference_is_not_taken),
		cmocka_unit_test(who_is_silent_or_speaks_something_else_is_left),
		cmocka_unit_test(who_has_no_data_yet_is_asked_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
