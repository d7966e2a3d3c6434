/* The queue of one worker: frames come out as they went in, in order, whole, over the end of the block too; what finds no room is left out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "resolver/dnstap/ring.h"

static bool put(struct tap_ring *r, uint32_t number, size_t n)
{
	uint8_t *room = tap_ring_room(r, n);

	if (room == NULL)
		return false;
	memset(room, (int)(number & 0xff), n);
	if (n >= sizeof number)
		memcpy(room, &number, sizeof number);
	(void)tap_ring_commit(r, n);
	return true;
}

static uint32_t number_of(struct span frame)
{
	uint32_t number;

	assert_true(frame.n >= sizeof number);
	memcpy(&number, frame.p, sizeof number);
	for (size_t i = sizeof number; i < frame.n; i++)
		assert_int_equal(frame.p[i], number & 0xff);
	return number;
}

static void what_goes_in_comes_out(void **state)
{
	AUTO(tap_ring_free) struct tap_ring *r = tap_ring_new(1);
	struct span frame;
	uint32_t in = 0, out = 0;

	(void)state;
	assert_non_null(r);
	assert_false(tap_ring_next(r, &frame));
	for (unsigned int round = 0; round < 1000; round++) {
		for (unsigned int i = 0; i < 3; i++)
			if (put(r, in, 4 + (in * 37) % 600))
				in++;
		assert_true(tap_ring_next(r, &frame));
		assert_int_equal(number_of(frame), out);
		assert_int_equal(frame.n, 4 + (out * 37) % 600);
		tap_ring_done(r);
		out++;
	}
	for (; tap_ring_next(r, &frame); tap_ring_done(r), out++)
		assert_int_equal(number_of(frame), out);
	assert_int_equal(in, out);
	assert_true(in > 1000);
}

static void a_full_one_takes_no_more(void **state)
{
	AUTO(tap_ring_free) struct tap_ring *r = tap_ring_new(4096);
	struct span frame;
	unsigned int n = 0;

	(void)state;
	assert_null(tap_ring_room(r, 1025)); /* more than a quarter */
	while (put(r, n, 252))
		n++;
	assert_int_equal(n, 4096 / 256);
	assert_false(put(r, n, 4));
	assert_true(tap_ring_next(r, &frame));
	assert_false(put(r, n, 252)); /* as long as it is looked at */
	tap_ring_done(r);
	assert_true(put(r, n, 252));
	assert_false(put(r, n, 4));
}

/* The bell is rung once when a queue gets half full, not for each frame. */
static void half_full_is_said_once(void **state)
{
	AUTO(tap_ring_free) struct tap_ring *r = tap_ring_new(4096);
	unsigned int said = 0;

	(void)state;
	for (unsigned int i = 0; i < 16; i++) {
		assert_non_null(tap_ring_room(r, 252));
		said += tap_ring_commit(r, 252) ? 1u + 100u * (i != 8) : 0;
	}
	assert_int_equal(said, 1);
}

static void an_empty_frame_is_one(void **state)
{
	AUTO(tap_ring_free) struct tap_ring *r = tap_ring_new(4096);
	struct span frame;

	(void)state;
	assert_true(put(r, 0, 0));
	assert_true(tap_ring_next(r, &frame));
	assert_int_equal(frame.n, 0);
	tap_ring_done(r);
	assert_false(tap_ring_next(r, &frame));
}

#define MANY 20000u

static void *put_many(void *arg) /* own-ok: R1 pthread's signature; always NULL */
{
	for (uint32_t i = 0; i < MANY;) {
		if (put(arg, i, 4 + (i * 7) % 300))
			i++;
		else
			(void)sched_yield();
	}
	return NULL;
}

static void two_threads(void **state)
{
	AUTO(tap_ring_free) struct tap_ring *r = tap_ring_new(4096);
	struct span frame;
	pthread_t id;

	(void)state;
	assert_int_equal(pthread_create(&id, NULL, put_many, r), 0);
	for (uint32_t i = 0; i < MANY;) {
		if (!tap_ring_next(r, &frame)) {
			(void)sched_yield();
			continue;
		}
		assert_int_equal(number_of(frame), i);
		assert_int_equal(frame.n, 4 + (i * 7) % 300);
		tap_ring_done(r);
		i++;
	}
	(void)pthread_join(id, NULL);
	assert_false(tap_ring_next(r, &frame));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_goes_in_comes_out),
		cmocka_unit_test(a_full_one_takes_no_more),
		cmocka_unit_test(half_full_is_said_once),
		cmocka_unit_test(an_empty_frame_is_one),
		cmocka_unit_test(two_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
