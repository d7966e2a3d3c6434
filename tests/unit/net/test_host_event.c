/* The production host on loopback: what net/host.h promises of exchanges, and of all of it without memory. */
#include "tests/unit/net/host_event_test.h"

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

static void a_question_gets_every_answer_until_closed(void **state)
{
	struct user *u = (struct user *)*state;
	struct endpoint e;
	int fd = server("127.0.0.1", SOCK_DGRAM, &e);
	struct sockaddr_in from;
	socklen_t len = sizeof from;
	char got[32];

	assert_true(OK(ask(u, &e, &u->x)));
	assert_int_equal(recvfrom(fd, got, sizeof got, 0, (struct sockaddr *)&from, &len), 8);
	assert_true(ntohs(from.sin_port) >= 1024);
	sendto(fd, "one", 3, 0, (struct sockaddr *)&from, len);
	RUN_UNTIL(u, u->packets == 1);
	sendto(fd, "three", 5, 0, (struct sockaddr *)&from, len);
	RUN_UNTIL(u, u->packets == 2);
	assert_int_equal(u->last_len, 5);
	host_ask_close(u->host, u->x);
	host_ask_close(u->host, u->x);
	assert_null(exchange_get(u->loop, u->x));
	close(fd);
}

static void an_answer_from_elsewhere_is_not_heard(void **state)
{
	struct user *u = (struct user *)*state;
	struct endpoint e, other;
	int fd = server("127.0.0.1", SOCK_DGRAM, &e), forger = server("127.0.0.2", SOCK_DGRAM, &other);
	struct sockaddr_in from;
	socklen_t len = sizeof from;
	char got[32];

	assert_true(OK(ask(u, &e, &u->x)));
	assert_int_equal(recvfrom(fd, got, sizeof got, 0, (struct sockaddr *)&from, &len), 8);
	sendto(forger, "evil", 4, 0, (struct sockaddr *)&from, len);
	sendto(fd, "good!", 5, 0, (struct sockaddr *)&from, len);
	RUN_UNTIL(u, u->packets == 1);
	assert_int_equal(u->last_len, 5);
	close(forger);
	close(fd);
}

static void port_unreachable_is_told_and_does_not_end_the_wait(void **state)
{
	struct user *u = (struct user *)*state;
	struct endpoint e;
	int fd = server("127.0.0.1", SOCK_DGRAM, &e);

	close(fd);
	assert_true(OK(ask(u, &e, &u->x)));
	RUN_UNTIL(u, u->errors == 1);
	assert_int_equal(u->error, ERR_SYSTEM);
	assert_non_null(exchange_get(u->loop, u->x));
	assert_int_equal(u->host->counts.exchange_unreachable, 1);
}

/* udp-connect: no */
static void an_unconnected_exchange_sorts_out_by_itself_and_does_not_rest(void **state)
{
	struct user *u = (struct user *)*state;
	struct exchange_events ev = { &user_loop_type, u->self.v, on_packet, on_exchange_error };
	struct exchange_options o = { .no_fragment = true, .unconnected = true };
	struct endpoint other;
	int fd = server("127.0.0.1", SOCK_DGRAM, &o.to), forger = server("127.0.0.2", SOCK_DGRAM, &other);
	struct sockaddr_in from;
	socklen_t len = sizeof from;
	exchange_h nobody;
	char got[32];

	host_event_rest(u->host, 4);
	assert_true(OK(host_ask(u->host, &o, span_text("question"), &ev, &u->x)));
	assert_int_equal(recvfrom(fd, got, sizeof got, 0, (struct sockaddr *)&from, &len), 8);
	sendto(forger, "evil", 4, 0, (struct sockaddr *)&from, len);
	sendto(fd, "good!", 5, 0, (struct sockaddr *)&from, len);
	RUN_UNTIL(u, u->packets == 1);
	assert_int_equal(u->last_len, 5);
	assert_int_equal(u->host->counts.exchange_foreign, 1); /* the kernel let it through */
	close(forger);
	close(fd);
	assert_true(OK(host_ask(u->host, &o, span_text("question"), &ev, &nobody)));
	/* By now the kernel has said "port unreachable", to nobody: the next exchange hears what is said to it. */
	assert_true(OK(ask(u, &o.to, &nobody)));
	RUN_UNTIL(u, u->errors == 1);
	assert_int_equal(u->host->counts.exchange_unreachable, 1);
	host_ask_close(u->host, u->x);
	assert_true(OK(ask(u, &o.to, &u->x)));
	assert_int_equal(u->host->counts.exchanges_rested, 0);
}

static void closing_an_exchange_in_its_callback_is_safe(void **state)
{
	struct user *u = (struct user *)*state;
	struct endpoint e;
	int fd = server("127.0.0.1", SOCK_DGRAM, &e);
	struct sockaddr_in from;
	socklen_t len = sizeof from;
	char got[32];

	u->close_now = true;
	assert_true(OK(ask(u, &e, &u->x)));
	assert_int_equal(recvfrom(fd, got, sizeof got, 0, (struct sockaddr *)&from, &len), 8);
	sendto(fd, "one", 3, 0, (struct sockaddr *)&from, len);
	sendto(fd, "two", 3, 0, (struct sockaddr *)&from, len);
	RUN_UNTIL(u, u->packets == 1);
	loop_turn(u->loop, false);
	assert_int_equal(u->packets, 1);
	close(fd);
}

/* 4000 draws over 64512 ports: each sixteenth of the range is hit about 250 times, ports repeat rarely, and neighbours do not
 * follow each other. */
static void check_spread(struct user *u)
{
	struct endpoint e;
	int fd = server("127.0.0.1", SOCK_DGRAM, &e);
	static unsigned int bucket[16];
	unsigned int steps = 0;
	uint16_t before = 0;

	memset(bucket, 0, sizeof bucket);
	for (int i = 0; i < 4000; i++) {
		struct sockaddr_in from;
		socklen_t len = sizeof from;
		char got[32];
		uint16_t port;

		assert_true(OK(ask(u, &e, &u->x)));
		host_ask_close(u->host, u->x);
		assert_int_equal(recvfrom(fd, got, sizeof got, 0, (struct sockaddr *)&from, &len), 8);
		port = ntohs(from.sin_port);
		assert_true(port >= 1024);
		bucket[(port - 1024u) * 16u / 64512u]++;
		if (port - before == 1 || port - before == 2)
			steps++;
		before = port;
		if (i % 64 == 0)
			loop_turn(u->loop, false);
	}
	for (int i = 0; i < 16; i++)
		assert_in_range(bucket[i], 170, 340);
	assert_true(steps < 8);
	close(fd);
}

static void ports_are_spread_over_the_whole_range(void **state)
{
	struct user *u = (struct user *)*state;

	check_spread(u);
	assert_int_equal(u->host->counts.exchanges_rested, 0);
}

/* A kernel that cannot give a socket another port (before Linux 6.3), or may not draw from 40000 to 40063, lets none rest. */
static bool sockets_can_rest(void)
{
	static const uint32_t range = 40000u | 40063u << 16;
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof name;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	bool can = setsockopt(fd, IPPROTO_IP, 51 /* IP_LOCAL_PORT_RANGE */, &range, sizeof range) == 0 && connect(fd, (struct sockaddr *)&name, len) == 0 &&
		   getsockname(fd, (struct sockaddr *)&name, &len) == 0;

	close(fd);
	return can && ntohs(name.sin_port) >= 40000 && ntohs(name.sin_port) <= 40063;
}

static void ports_of_sockets_that_rested_are_as_spread(void **state)
{
	struct user *u = (struct user *)*state;

	host_event_rest(u->host, 4);
	check_spread(u);
	if (sockets_can_rest())
		assert_in_range(u->host->counts.exchanges_rested, 1000, 4000); /* where the kernel may draw from all ports; 28,000 are usual */
}

/* Asks until a socket that rested is used for it; what the server has got before is read away. */
static void ask_from_rested(struct user *u, int fd, const struct endpoint *e, struct sockaddr_in *ret_from)
{
	uint64_t before = u->host->counts.exchanges_rested;
	struct sockaddr_in from;
	socklen_t len = sizeof from;
	char got[32];

	for (int i = 0; i < 1000; i++) {
		assert_true(OK(ask(u, e, &u->x)));
		assert_int_equal(recvfrom(fd, got, sizeof got, 0, (struct sockaddr *)&from, &len), 8);
		if (u->host->counts.exchanges_rested > before) {
			*ret_from = from;
			return;
		}
		host_ask_close(u->host, u->x);
	}
	fail_msg("no socket rested");
}

static void what_comes_late_is_not_heard_by_the_next_question(void **state)
{
	struct user *u = (struct user *)*state;
	struct endpoint e;
	int fd = server("127.0.0.1", SOCK_DGRAM, &e);
	struct sockaddr_in first, second;

	if (!sockets_can_rest())
		skip();
	host_event_rest(u->host, 1);
	ask_from_rested(u, fd, &e, &first);
	sendto(fd, "late", 4, 0, (struct sockaddr *)&first, sizeof first); /* lies in the socket when it goes to rest */
	host_ask_close(u->host, u->x);
	ask_from_rested(u, fd, &e, &second);
	assert_int_not_equal(first.sin_port, second.sin_port);
	sendto(fd, "later", 5, 0, (struct sockaddr *)&first, sizeof first);
	sendto(fd, "in time", 7, 0, (struct sockaddr *)&second, sizeof second);
	RUN_UNTIL(u, u->packets == 1);
	assert_int_equal(u->last_len, 7);
	close(fd);
}

/* Its packet is answered by another question, which takes the very socket and fails: nobody may broadcast. */
static void on_packet_ask_nowhere(struct loop *l, void *object, exchange_h x, struct span packet)
{
	struct user *u = (struct user *)object;
	struct endpoint everybody = at("255.255.255.255");
	uint64_t before = u->host->counts.exchanges_rested;
	exchange_h none;

	(void)l;
	(void)packet;
	u->packets++;
	everybody.port = 53;
	host_ask_close(u->host, x);
	for (int i = 0; i < 1000 && u->host->counts.exchanges_rested == before; i++)
		assert_false(OK(ask(u, &everybody, &none)));
	assert_int_equal(u->host->counts.exchanges_rested, before + 1);
}

static void a_socket_that_is_taken_up_again_while_it_is_read_may_fail(void **state)
{
	struct user *u = (struct user *)*state;
	struct endpoint e;
	int fd = server("127.0.0.1", SOCK_DGRAM, &e);
	struct exchange_options o = { .to = e, .no_fragment = true };
	struct exchange_events ev = { &user_loop_type, u->self.v, on_packet_ask_nowhere, on_exchange_error };
	struct sockaddr_in from;
	socklen_t len = sizeof from;
	char got[32];

	if (!sockets_can_rest())
		skip();
	host_event_rest(u->host, 1);
	for (int i = 0; i < 1000 && u->host->counts.exchanges_rested == 0; i++) { /* until it is from a port that the kernel may draw */
		if (i > 0)
			host_ask_close(u->host, u->x);
		assert_true(OK(host_ask(u->host, &o, span_text("question"), &ev, &u->x)));
		assert_int_equal(recvfrom(fd, got, sizeof got, 0, (struct sockaddr *)&from, &len), 8);
	}
	assert_int_equal(u->host->counts.exchanges_rested, 1);
	sendto(fd, "one", 3, 0, (struct sockaddr *)&from, len);
	sendto(fd, "two", 3, 0, (struct sockaddr *)&from, len);
	RUN_UNTIL(u, u->packets == 1);
	loop_turn(u->loop, false);
	assert_int_equal(u->packets, 1);
	assert_int_equal(u->errors, 0);
	assert_int_equal(loop_stale_events(u->loop), 0);
	close(fd);
}

static void a_socket_at_rest_hears_nothing(void **state)
{
	struct user *u = (struct user *)*state;
	struct endpoint e;
	int fd = server("127.0.0.1", SOCK_DGRAM, &e);
	struct sockaddr_in from;
	unsigned int turns = 0;
	timer_h t;

	if (!sockets_can_rest())
		skip();
	host_event_rest(u->host, 1);
	ask_from_rested(u, fd, &e, &from);
	sendto(fd, "late", 4, 0, (struct sockaddr *)&from, sizeof from);
	host_ask_close(u->host, u->x);
	for (int i = 0; i < 4; i++)
		loop_turn(u->loop, false);
	assert_int_equal(u->packets, 0);
	assert_int_equal(u->errors, 0);
	assert_int_equal(loop_stale_events(u->loop), 0);
	assert_true(OK(loop_timer(u->loop, &user_loop_type, u->self.v, user_late, 10, &t)));
	for (; !u->late; turns++)
		loop_turn(u->loop, true);
	assert_in_range(turns, 1, 20); /* what was in it was read away: the loop can sleep */
	close(fd);
}

static void a_question_that_is_over_hears_nothing_though_its_socket_rests(void **state)
{
	struct user *u = (struct user *)*state;
	struct endpoint e;
	int fd = server("127.0.0.1", SOCK_DGRAM, &e);
	struct sockaddr_in from;

	if (!sockets_can_rest())
		skip();
	host_event_rest(u->host, 1);
	ask_from_rested(u, fd, &e, &from);
	sendto(fd, "one", 3, 0, (struct sockaddr *)&from, sizeof from);
	sendto(fd, "two", 3, 0, (struct sockaddr *)&from, sizeof from);
	u->close_now = true;
	RUN_UNTIL(u, u->packets == 1);
	loop_turn(u->loop, false);
	assert_int_equal(u->packets, 1);
	assert_int_equal(u->errors, 0);
	close(fd);
}

/* 40000 to 40063 is a block that the kernel may draw from. */
static void permit_a_block(struct user *u, uint8_t of_each_eight)
{
	static uint8_t permitted[8192];

	memset(permitted, 0, sizeof permitted);
	memset(permitted + 40000 / 8, of_each_eight, 8);
	assert_true(OK(host_event_permit_ports(u->host, &permitted)));
}

static void no_more_sockets_rest_than_may(void **state)
{
	struct user *u = (struct user *)*state;
	struct endpoint e;
	int fd = server("127.0.0.1", SOCK_DGRAM, &e);
	exchange_h x[3];

	if (!sockets_can_rest())
		skip();
	permit_a_block(u, 0xff);
	host_event_rest(u->host, 2);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 3; i++)
			assert_true(OK(ask(u, &e, &x[i])));
		for (int i = 0; i < 3; i++)
			host_ask_close(u->host, x[i]);
	}
	assert_int_equal(u->host->counts.exchanges_rested, 2);
	close(fd);
}

/* Asks 50 times; how many ports that was from. All of them are 40000 to `last`, and of each eight among the first `of_eight`. */
static unsigned int ports_drawn(struct user *u, uint16_t last, unsigned int of_eight)
{
	struct endpoint e;
	int fd = server("127.0.0.1", SOCK_DGRAM, &e);
	bool seen[64] = { false };
	unsigned int ports = 0;

	for (int i = 0; i < 50; i++) {
		struct sockaddr_in from;
		socklen_t len = sizeof from;
		char got[32];
		unsigned int at;

		assert_true(OK(ask(u, &e, &u->x)));
		host_ask_close(u->host, u->x);
		assert_int_equal(recvfrom(fd, got, sizeof got, 0, (struct sockaddr *)&from, &len), 8);
		assert_in_range(ntohs(from.sin_port), 40000, last);
		at = ntohs(from.sin_port) - 40000u;
		assert_true(at % 8 < of_eight);
		ports += !seen[at];
		seen[at] = true;
	}
	close(fd);
	return ports;
}

static void only_permitted_ports_are_drawn(void **state)
{
	struct user *u = (struct user *)*state;
	static uint8_t permitted[8192];

	memset(permitted, 0, sizeof permitted);
	assert_int_equal(host_event_permit_ports(u->host, &permitted).e, ERR_RANGE);
	permitted[40000 / 8] = 0xff;
	assert_true(OK(host_event_permit_ports(u->host, &permitted)));
	host_event_rest(u->host, 1);
	assert_in_range(ports_drawn(u, 40007, 8), 3, 8);
	permit_a_block(u, 0x0f); /* some of each eight */
	assert_in_range(ports_drawn(u, 40063, 4), 8, 32);
	assert_int_equal(u->host->counts.exchanges_rested, 0);
	permit_a_block(u, 0xff);
	assert_in_range(ports_drawn(u, 40063, 8), 8, 50);
	assert_int_equal(u->host->counts.exchanges_rested, sockets_can_rest() ? 49 : 0);
	assert_true(OK(host_event_permit_ports(u->host, NULL)));
}

static void too_few_descriptors_is_an_error_not_a_crash(void **state)
{
	struct user *u = (struct user *)*state;
	struct endpoint e = at("127.0.0.1@9");
	struct rlimit old, few;
	struct result r = DONE;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	few = (struct rlimit){ 20, old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	for (int i = 0; i < 30 && OK(r); i++)
		r = ask(u, &e, &u->x);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(r.e, ERR_LIMIT);
	assert_int_equal(u->host->counts.no_descriptor, 1);
}

/* In a network namespace of its own, whose loopback has an MTU of 1280, an answer of 3000 octets comes in fragments. */
static int fragments_in_own_network(void)
{
	struct ifreq f = { .ifr_name = "lo" };
	void *state = NULL;
	struct user *u;
	struct endpoint e;
	struct sockaddr_in from;
	socklen_t len = sizeof from;
	static char big[3000];
	char got[32];
	int fd;

	if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
		return 77;
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	f.ifr_mtu = 1280;
	if (fd < 0 || ioctl(fd, SIOCSIFMTU, &f) != 0)
		return 77;
	f.ifr_flags = IFF_UP | IFF_LOOPBACK | IFF_RUNNING;
	if (ioctl(fd, SIOCSIFFLAGS, &f) != 0)
		return 77;
	close(fd);
	user_start(&state);
	u = (struct user *)state;
	fd = server("127.0.0.1", SOCK_DGRAM, &e);
	if (!OK(ask(u, &e, &u->x)) || recvfrom(fd, got, sizeof got, 0, (struct sockaddr *)&from, &len) != 8)
		return 1;
	if (sendto(fd, big, sizeof big, 0, (struct sockaddr *)&from, len) != sizeof big ||
		sendto(fd, big, 1200, 0, (struct sockaddr *)&from, len) != 1200)
		return 2;
	for (int i = 0; i < 100 && u->packets == 0; i++) {
		loop_turn(u->loop, false);
		usleep(1000);
	}
	if (u->packets != 1 || u->last_len != 1200 || u->errors != 1 || u->error != ERR_REFUSED ||
		u->host->counts.exchange_fragmented != 1)
		return 3;
	close(fd);
	user_end(&state);
	return 0;
}

static void an_answer_in_fragments_is_refused(void **state)
{
	pid_t child = fork();
	int status = -1;

	(void)state;
	if (child == 0)
		_exit(fragments_in_own_network());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* Each allocation of opening everything fails once: an error is said, and nothing is left behind. */
static void opening_without_memory_leaves_nothing(void **state)
{
	struct user *u = (struct user *)*state;
	struct endpoint e;
	int fd = server("127.0.0.1", SOCK_DGRAM, &e);
	unsigned int failures = 0;

	for (uint64_t n = 1; n < 200; n++) {
		struct listen_options o = { .at = at("127.0.0.1"), .dscp = -1 };
		struct dgram_sock *s = NULL;
		struct result r;

		mem_fail_at(n, false);
		r = host_dgram_listen(u->host, &o, &user_loop_type, u->self.v, on_datagrams, &s);
		if (OK(r)) {
			r = host_dgram_stamp(u->host, s, true);
			host_dgram_close(u->host, s);
		}
		if (OK(r)) {
			r = ask(u, &e, &u->x);
		}
		if (OK(r)) {
			host_ask_close(u->host, u->x);
			r = host_accept(u->host, &o, &user_loop_type, u->self.v, on_accept, &u->a);
		}
		if (OK(r)) {
			host_accept_close(u->host, u->a);
			r = connect_to(u, &e);
			if (OK(r))
				host_stream_close(u->host, u->s);
		}
		mem_fail_at(0, false);
		loop_turn(u->loop, false);
		assert_int_equal(loop_live_handles(u->loop), 1);
		if (r.e == ERR_NOMEM)
			failures++;
	}
	assert_true(failures >= 15);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_question_gets_every_answer_until_closed),
		CASE(an_answer_from_elsewhere_is_not_heard),
		CASE(port_unreachable_is_told_and_does_not_end_the_wait),
		CASE(an_unconnected_exchange_sorts_out_by_itself_and_does_not_rest),
		CASE(closing_an_exchange_in_its_callback_is_safe),
		CASE(ports_are_spread_over_the_whole_range),
		CASE(ports_of_sockets_that_rested_are_as_spread),
		CASE(what_comes_late_is_not_heard_by_the_next_question),
		CASE(a_socket_that_is_taken_up_again_while_it_is_read_may_fail),
		CASE(a_socket_at_rest_hears_nothing),
		CASE(a_question_that_is_over_hears_nothing_though_its_socket_rests),
		CASE(no_more_sockets_rest_than_may),
		CASE(only_permitted_ports_are_drawn),
		CASE(too_few_descriptors_is_an_error_not_a_crash),
		cmocka_unit_test(an_answer_in_fragments_is_refused),
		CASE(opening_without_memory_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
