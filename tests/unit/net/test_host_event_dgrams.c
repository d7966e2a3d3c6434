/* The production host on loopback: what net/host.h promises of datagrams. */
#include "tests/unit/net/host_event_test.h"

static void a_batch_is_answered_with_two_calls(void **state)
{
	struct user *u = (struct user *)*state;
	struct endpoint e = dgram_listen(u, "127.0.0.1", 64);
	int fd = client(&e, SOCK_DGRAM);
	char got[64];

	u->echo = true;
	for (int i = 0; i < 64; i++) {
		char m[16];
		int n = snprintf(m, sizeof m, "question %d", i);

		assert_int_equal(send(fd, m, (size_t)n, 0), n);
	}
	RUN_UNTIL(u, u->datagrams == 64);
	assert_int_equal(u->batches, 1);
	assert_int_equal(u->host->counts.dgram_batches_in, 1);
	assert_int_equal(u->host->counts.dgram_batches_out, 1);
	assert_int_equal(u->host->counts.dgrams_out, 64);
	for (int i = 0; i < 64; i++) {
		char m[16];
		int n = snprintf(m, sizeof m, "question %d", i);

		assert_int_equal(recv(fd, got, sizeof got, 0), n);
		assert_memory_equal(got, m, (size_t)n);
	}
	assert_int_equal(u->local.family, ADDR_NONE);
	assert_int_equal(u->from.a.family, ADDR_V4);
	close(fd);
}

static void an_answer_of_a_later_turn_leaves(void **state)
{
	struct user *u = (struct user *)*state;
	struct endpoint e = dgram_listen(u, "::1", 0);
	int fd = client(&e, SOCK_DGRAM);
	struct addr none = { .family = ADDR_NONE };
	char got[16];
	uint8_t *room;

	assert_int_equal(send(fd, "one", 3, 0), 3);
	RUN_UNTIL(u, u->datagrams == 1);
	room = host_dgram_room(u->host, u->sock, 512);
	assert_non_null(room);
	memcpy(room, "answer", 6);
	host_dgram_commit(u->host, u->sock, 6, &u->from, &none);
	assert_int_equal(u->host->counts.dgrams_out, 0);
	loop_turn(u->loop, false);
	assert_int_equal(u->host->counts.dgrams_out, 1);
	assert_int_equal(recv(fd, got, sizeof got, 0), 6);
	close(fd);
}

static void a_wildcard_socket_answers_from_the_address_asked(void **state)
{
	struct user *u = (struct user *)*state;
	struct endpoint e = dgram_listen(u, "0.0.0.0", 0), asked = at("127.0.0.7");
	char got[16];
	int fd;

	asked.port = e.port;
	fd = client(&asked, SOCK_DGRAM); /* connected: an answer from 127.0.0.1 would not arrive */
	u->echo = true;
	assert_int_equal(send(fd, "hello", 5, 0), 5);
	RUN_UNTIL(u, u->datagrams == 1);
	assert_true(addr_equal(&u->local, &asked.a));
	assert_int_equal(recv(fd, got, sizeof got, 0), 5);
	close(fd);
}

static void ipv6_wildcard_too(void **state)
{
	struct user *u = (struct user *)*state;
	struct endpoint e = dgram_listen(u, "::", 0), asked = at("::1");
	char got[16];
	int fd;

	asked.port = e.port;
	fd = client(&asked, SOCK_DGRAM);
	u->echo = true;
	assert_int_equal(send(fd, "hello", 5, 0), 5);
	RUN_UNTIL(u, u->datagrams == 1);
	assert_true(addr_equal(&u->local, &asked.a));
	assert_int_equal(recv(fd, got, sizeof got, 0), 5);
	close(fd);
}

static uint64_t since_ns(const struct now *then)
{
	return clock_read().mono_ns - then->mono_ns;
}

/* The kernel begins to note arrivals a little after it was asked to: a datagram of before has not waited. */
static void waits(struct user *u, const char *address)
{
	struct endpoint e = dgram_listen(u, address, 0), asked = e;
	struct now begun = clock_read();
	uint32_t most = 0;
	int fd;

	if (addr_is_unspecified(&e.a))
		asked = at("127.0.0.1");
	asked.port = e.port;
	fd = client(&asked, SOCK_DGRAM);
	assert_true(OK(host_dgram_stamp(u->host, u->sock, true)));
	assert_true(OK(host_dgram_stamp(u->host, u->sock, true)));
	while (most < 20000 && since_ns(&begun) < 5000000000u) {
		unsigned int before = u->datagrams;
		struct now sent;

		assert_int_equal(send(fd, "hello", 5, 0), 5);
		sent = clock_read();
		while (since_ns(&sent) < 25000000u)
			;
		RUN_UNTIL(u, u->datagrams == before + 1);
		most = u->waited_us;
	}
	assert_true(most >= 20000);
	assert_true(OK(host_dgram_stamp(u->host, u->sock, false)));
	assert_int_equal(send(fd, "hello", 5, 0), 5);
	RUN_UNTIL(u, u->last_len == 5 && u->waited_us == 0);
	close(fd);
}

static void a_stamped_socket_tells_how_long_a_datagram_waited(void **state)
{
	waits((struct user *)*state, "127.0.0.1");
}

static void a_stamped_wildcard_socket_tells_where_it_arrived_as_well(void **state)
{
	struct user *u = (struct user *)*state;
	struct addr asked = at("127.0.0.1").a;

	waits(u, "0.0.0.0");
	assert_true(addr_equal(&u->local, &asked));
}

static void a_datagram_past_the_limit_is_dropped_and_counted(void **state)
{
	struct user *u = (struct user *)*state;
	struct endpoint e = dgram_listen(u, "127.0.0.1", 8);
	int fd = client(&e, SOCK_DGRAM);
	static char big[5000];

	assert_int_equal(send(fd, big, sizeof big, 0), sizeof big);
	assert_int_equal(send(fd, "ok", 2, 0), 2);
	RUN_UNTIL(u, u->datagrams == 1);
	assert_int_equal(u->last_len, 2);
	assert_int_equal(u->host->counts.dgrams_too_long, 1);
	close(fd);
}

static void a_full_send_batch_leaves_at_once(void **state)
{
	struct user *u = (struct user *)*state;
	struct endpoint e = dgram_listen(u, "127.0.0.1", 4);
	int fd = client(&e, SOCK_DGRAM);
	struct addr none = { .family = ADDR_NONE };

	assert_int_equal(send(fd, "x", 1, 0), 1);
	RUN_UNTIL(u, u->datagrams == 1);
	for (int i = 0; i < 9; i++) {
		uint8_t *room = host_dgram_room(u->host, u->sock, 60000);

		assert_non_null(room);
		room[0] = (uint8_t)i;
		host_dgram_commit(u->host, u->sock, 1, &u->from, &none);
	}
	assert_int_equal(u->host->counts.dgrams_out, 8);
	host_dgram_flush(u->host, u->sock);
	assert_int_equal(u->host->counts.dgrams_out, 9);
	for (int i = 0; i < 9; i++) {
		uint8_t got[4];

		assert_int_equal(recv(fd, got, sizeof got, 0), 1);
		assert_int_equal(got[0], i);
	}
	assert_null(host_dgram_room(u->host, u->sock, 65536));
	close(fd);
}

static void a_refused_answer_does_not_hold_up_the_others(void **state)
{
	struct user *u = (struct user *)*state;
	struct endpoint e = dgram_listen(u, "127.0.0.1", 16), nowhere = at("255.255.255.255@9");
	int fd = client(&e, SOCK_DGRAM);
	struct addr none = { .family = ADDR_NONE };
	char got[16];

	assert_int_equal(send(fd, "x", 1, 0), 1);
	RUN_UNTIL(u, u->datagrams == 1);
	for (int i = 0; i < 4; i++) {
		uint8_t *room = host_dgram_room(u->host, u->sock, 10);

		room[0] = (uint8_t)i;
		host_dgram_commit(u->host, u->sock, 1, i == 1 ? &nowhere : &u->from, &none);
	}
	loop_turn(u->loop, false);
	assert_int_equal(u->host->counts.dgrams_out, 3);
	assert_int_equal(u->host->counts.dgrams_unsent, 1);
	assert_int_equal(recv(fd, got, sizeof got, 0), 1);
	close(fd);
}

static void closing_inside_the_callback_is_safe(void **state)
{
	struct user *u = (struct user *)*state;
	struct endpoint e = dgram_listen(u, "127.0.0.1", 2);
	int fd = client(&e, SOCK_DGRAM);

	u->echo = true;
	u->close_now = true;
	for (int i = 0; i < 6; i++)
		assert_int_equal(send(fd, "x", 1, 0), 1);
	RUN_UNTIL(u, u->datagrams == 2);
	loop_turn(u->loop, false);
	assert_int_equal(u->datagrams, 2);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_batch_is_answered_with_two_calls),
		CASE(an_answer_of_a_later_turn_leaves),
		CASE(a_wildcard_socket_answers_from_the_address_asked),
		CASE(ipv6_wildcard_too),
		CASE(a_stamped_socket_tells_how_long_a_datagram_waited),
		CASE(a_stamped_wildcard_socket_tells_where_it_arrived_as_well),
		CASE(a_datagram_past_the_limit_is_dropped_and_counted),
		CASE(a_full_send_batch_leaves_at_once),
		CASE(a_refused_answer_does_not_hold_up_the_others),
		CASE(closing_inside_the_callback_is_safe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
