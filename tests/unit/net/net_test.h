/* net_test.h: a loop on real sockets, for the tests of net/. Everything stays on loopback and no wait is longer than a few
 * seconds. */
#ifndef TESTS_UNIT_NET_TEST_H
#define TESTS_UNIT_NET_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/loop_event.h"
#include "base/mem.h"
#include "base/rng.h"
#include "net/host.h"

LOOP_HANDLE(user)

/* The one that hears events; each test uses the fields that it needs. */
struct user {
	struct loop *loop PARENT_FIELD;
	struct host *host PARENT_FIELD;
	user_h self;
	bool late; /* the guard timer went off */
	timer_h guard;

	unsigned int packets, errors, connected, drained, closed, accepted, batches, datagrams;
	enum err error, close_error;
	uint8_t last[65536];
	size_t last_len, octets;
	uint32_t waited_us;
	struct addr local;
	struct endpoint from, accepted_local;
	struct dgram_sock *sock PARENT_FIELD;
	exchange_h x;
	stream_h s, peer;
	acceptor_h a;
	bool echo, adopt, close_now, later;
	size_t answer_octets; /* of each echo; 0: as many as came */
};

static void user_late(struct loop *l, void *object)
{
	struct user *u = (struct user *)object;

	(void)l;
	u->late = true;
}

/* Turns until cond holds; fails the test after ten seconds. */
#define RUN_UNTIL(u, cond) \
	do { \
		(u)->late = false; \
		assert_true(OK(loop_timer((u)->loop, &user_loop_type, (u)->self.v, user_late, 10000, &(u)->guard))); \
		while (!(cond) && !(u)->late) \
			loop_turn((u)->loop, true); \
		loop_timer_stop((u)->loop, &(u)->guard); \
		assert_true(cond); \
	} while (0)

static int user_start(void **state)
{
	struct loop_backend b;
	struct user *u = (struct user *)mem_alloc(sizeof *u);

	assert_non_null(u);
	assert_true(OK(loop_event_backend(&b)));
	u->loop = loop_new(&b, rng_new_seeded((uint64_t)getpid()), NULL);
	assert_non_null(u->loop);
	u->host = host_event_new(u->loop, 1 << 20);
	assert_non_null(u->host);
	u->self = user_enlist(u->loop, u);
	*state = u;
	return 0;
}

static int user_end(void **state)
{
	struct user *u = (struct user *)*state;
	struct rng *r = loop_rng(u->loop);

	user_retire(u->loop, u->self);
	host_free(MOVE(u->host));
	assert_int_equal(loop_live_handles(u->loop), 0);
	loop_free(MOVE(u->loop));
	rng_free(r);
	mem_free(u);
	assert_int_equal(mem_usage().objects, 0);
	return 0;
}

static inline struct endpoint at(const char *text)
{
	struct endpoint e;

	assert_true(OK(endpoint_parse(text, 0, &e)));
	return e;
}

#endif
