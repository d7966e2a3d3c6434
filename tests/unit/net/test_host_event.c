/* The production host on loopback: what net/host.h promises. */
#include "tests/unit/net/net_test.h"

#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

LOOP_HANDLE_IMPL(user)

/* --------------------------------------------------------------------------------------------------------------- datagrams */

static void echo_one(struct user *u, const struct datagram *d)
{
	size_t n = u->answer_octets != 0 ? u->answer_octets : d->len;
	uint8_t *room = host_dgram_room(u->host, u->sock, n);

	assert_non_null(room);
	memset(room, 0, n);
	memcpy(room, d->data, d->len < n ? d->len : n);
	host_dgram_commit(u->host, u->sock, n, &d->from, &d->local);
}

static void on_datagrams(struct loop *l, void *object, struct dgram_sock *s, const struct datagram *in, size_t n)
{
	struct user *u = (struct user *)object;

	(void)l;
	u->sock = s;
	u->batches++;
	for (size_t i = 0; i < n; i++) {
		u->datagrams++;
		u->local = in[i].local;
		u->from = in[i].from;
		u->last_len = in[i].len;
		memcpy(u->last, in[i].data, in[i].len);
		if (u->echo)
			echo_one(u, &in[i]);
	}
	if (u->close_now)
		host_dgram_close(u->host, s);
}

static struct endpoint dgram_listen(struct user *u, const char *address, unsigned int batch)
{
	struct listen_options o = { .batch = batch, .dscp = -1, .reuse_port = true, .rcvbuf = 1 << 20 };

	for (int tries = 0; tries < 100; tries++) {
		o.at = at(address);
		o.at.port = (uint16_t)(20000 + rng_below(loop_rng(u->loop), 10000));
		if (OK(host_dgram_listen(u->host, &o, &user_loop_type, u->self.v, on_datagrams, &u->sock)))
			return o.at;
	}
	fail_msg("no port for %s", address);
	return o.at;
}

static int client(const struct endpoint *to, int type)
{
	struct timeval patience = { .tv_sec = 5 };
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(to->port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(to->port) };
	bool is4 = to->a.family == ADDR_V4;
	int fd = socket(is4 ? AF_INET : AF_INET6, type | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	memcpy(&v4.sin_addr, to->a.b, 4);
	memcpy(&v6.sin6_addr, to->a.b, 16);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
	if (is4)
		assert_int_equal(connect(fd, (struct sockaddr *)&v4, sizeof v4), 0);
	else
		assert_int_equal(connect(fd, (struct sockaddr *)&v6, sizeof v6), 0);
	return fd;
}

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

/* --------------------------------------------------------------------------------------------------------------- exchanges */

static void on_packet(struct loop *l, void *object, exchange_h x, struct span packet)
{
	struct user *u = (struct user *)object;

	(void)l;
	u->packets++;
	u->last_len = packet.n;
	memcpy(u->last, packet.p, packet.n);
	if (u->close_now)
		host_ask_close(u->host, x);
}

static void on_exchange_error(struct loop *l, void *object, exchange_h x, enum err e)
{
	struct user *u = (struct user *)object;

	(void)l;
	(void)x;
	u->errors++;
	u->error = e;
}

static struct result ask(struct user *u, const struct endpoint *to, exchange_h *ret)
{
	struct exchange_options o = { .to = *to, .no_fragment = true };
	struct exchange_events ev = { &user_loop_type, u->self.v, on_packet, on_exchange_error };

	return host_ask(u->host, &o, span_text("question"), &ev, ret);
}

static int server(const char *address, int type, struct endpoint *ret)
{
	*ret = at(address);
	for (int tries = 0; tries < 100; tries++) {
		struct sockaddr_in v4 = { .sin_family = AF_INET };
		socklen_t len = sizeof v4;
		int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

		memcpy(&v4.sin_addr, ret->a.b, 4);
		if (fd >= 0 && bind(fd, (struct sockaddr *)&v4, sizeof v4) == 0 &&
			getsockname(fd, (struct sockaddr *)&v4, &len) == 0) {
			ret->port = ntohs(v4.sin_port);
			return fd;
		}
		close(fd);
	}
	fail_msg("no server socket");
	return -1;
}

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

/* A kernel that cannot give a socket another port (before Linux 6.3) lets none rest. */
static bool sockets_can_rest(void)
{
	static const uint32_t range = 40000u | 40063u << 16;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	bool can = setsockopt(fd, IPPROTO_IP, 51 /* IP_LOCAL_PORT_RANGE */, &range, sizeof range) == 0;

	close(fd);
	return can;
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
	do { /* until it is from a port that the kernel may draw */
		if (u->x.v != 0)
			host_ask_close(u->host, u->x);
		assert_true(OK(host_ask(u->host, &o, span_text("question"), &ev, &u->x)));
		assert_int_equal(recvfrom(fd, got, sizeof got, 0, (struct sockaddr *)&from, &len), 8);
	} while (u->host->counts.exchanges_rested == 0);
	sendto(fd, "one", 3, 0, (struct sockaddr *)&from, len);
	sendto(fd, "two", 3, 0, (struct sockaddr *)&from, len);
	RUN_UNTIL(u, u->packets == 1);
	loop_turn(u->loop, false);
	assert_int_equal(u->packets, 1);
	assert_int_equal(loop_stale_events(u->loop), 0);
	close(fd);
}

static void a_socket_at_rest_hears_nothing(void **state)
{
	struct user *u = (struct user *)*state;
	struct endpoint e;
	int fd = server("127.0.0.1", SOCK_DGRAM, &e);
	struct sockaddr_in from;

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
	close(fd);
}

static void only_permitted_ports_are_drawn(void **state)
{
	struct user *u = (struct user *)*state;
	static uint8_t permitted[8192];
	struct endpoint e;
	int fd = server("127.0.0.1", SOCK_DGRAM, &e);

	memset(permitted, 0, sizeof permitted);
	assert_int_equal(host_event_permit_ports(u->host, &permitted).e, ERR_RANGE);
	permitted[40000 / 8] = 0xff;
	assert_true(OK(host_event_permit_ports(u->host, &permitted)));
	host_event_rest(u->host, 1);
	for (int i = 0; i < 100; i++) {
		struct sockaddr_in from;
		socklen_t len = sizeof from;
		char got[32];

		assert_true(OK(ask(u, &e, &u->x)));
		host_ask_close(u->host, u->x);
		assert_int_equal(recvfrom(fd, got, sizeof got, 0, (struct sockaddr *)&from, &len), 8);
		assert_in_range(ntohs(from.sin_port), 40000, i < 50 ? 40007 : 40063);
		if (i == 49) { /* from here on a block that the kernel may draw from */
			assert_int_equal(u->host->counts.exchanges_rested, 0);
			memset(permitted + 40000 / 8, 0xff, 8);
			assert_true(OK(host_event_permit_ports(u->host, &permitted)));
		}
	}
	assert_true(OK(host_event_permit_ports(u->host, NULL)));
	close(fd);
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

/* ----------------------------------------------------------------------------------------------------------------- streams */

static void on_connected(struct loop *l, void *object, stream_h s)
{
	struct user *u = (struct user *)object;

	(void)l;
	(void)s;
	u->connected++;
}

static void on_data(struct loop *l, void *object, stream_h s, struct span octets)
{
	struct user *u = (struct user *)object;

	(void)l;
	u->octets += octets.n;
	u->last_len = octets.n;
	memcpy(u->last, octets.p, octets.n < sizeof u->last ? octets.n : sizeof u->last);
	if (u->echo)
		assert_true(OK(host_stream_write(u->host, s, octets)));
	if (u->close_now)
		host_stream_close(u->host, s);
}

static void on_drained(struct loop *l, void *object, stream_h s)
{
	struct user *u = (struct user *)object;

	(void)l;
	(void)s;
	u->drained++;
}

static void on_closed(struct loop *l, void *object, stream_h s, enum err e)
{
	struct user *u = (struct user *)object;

	assert_null(stream_get(l, s));
	u->closed++;
	u->close_error = e;
}

static void on_accept(
	struct loop *l, void *object, acceptor_h a, stream_h s, const struct endpoint *from, const struct endpoint *local)
{
	struct user *u = (struct user *)object;
	struct stream_events ev = { &user_loop_type, u->self.v, on_connected, on_data, on_drained, on_closed };

	(void)l;
	u->a = a;
	u->accepted++;
	u->peer = s;
	u->from = *from;
	u->accepted_local = *local;
	if (u->adopt)
		assert_true(OK(host_stream_adopt(u->host, s, &ev)));
}

static struct endpoint listen_tcp(struct user *u, const char *address)
{
	struct listen_options o = { .dscp = -1, .backlog = 16 };

	for (int tries = 0; tries < 100; tries++) {
		o.at = at(address);
		o.at.port = (uint16_t)(20000 + rng_below(loop_rng(u->loop), 10000));
		if (OK(host_accept(u->host, &o, &user_loop_type, u->self.v, on_accept, &u->a)))
			return o.at;
	}
	fail_msg("no port for %s", address);
	return o.at;
}

static struct result connect_to(struct user *u, const struct endpoint *to)
{
	struct exchange_options o = { .to = *to };
	struct stream_events ev = { &user_loop_type, u->self.v, on_connected, on_data, on_drained, on_closed };

	return host_connect(u->host, &o, &ev, &u->s);
}

static void a_client_is_accepted_and_answered(void **state)
{
	struct user *u = (struct user *)*state;
	struct endpoint e = listen_tcp(u, "127.0.0.1");
	int fd = client(&e, SOCK_STREAM);
	char got[16];

	u->adopt = true;
	u->echo = true;
	assert_int_equal(send(fd, "hello", 5, 0), 5);
	RUN_UNTIL(u, u->octets == 5);
	assert_int_equal(u->accepted, 1);
	assert_true(endpoint_equal(&u->accepted_local, &e));
	assert_int_equal(recv(fd, got, sizeof got, 0), 5);
	assert_int_equal(u->drained, 1);
	close(fd);
	RUN_UNTIL(u, u->closed == 1);
	assert_int_equal(u->close_error, ERR_CLOSED);
}

static void a_stream_that_nobody_adopts_is_closed(void **state)
{
	struct user *u = (struct user *)*state;
	struct endpoint e = listen_tcp(u, "::1");
	int fd = client(&e, SOCK_STREAM);
	char got[16];

	RUN_UNTIL(u, u->accepted == 1);
	assert_int_equal(recv(fd, got, sizeof got, 0), 0);
	assert_null(stream_get(u->loop, u->peer));
	close(fd);
}

static void we_connect_write_and_read(void **state)
{
	struct user *u = (struct user *)*state;
	struct endpoint e;
	int listener = server("127.0.0.1", SOCK_STREAM, &e), fd;
	char got[32];

	assert_int_equal(listen(listener, 1), 0);
	assert_true(OK(connect_to(u, &e)));
	assert_true(OK(host_stream_write(u->host, u->s, span_text("before "))));
	RUN_UNTIL(u, u->connected == 1);
	assert_true(OK(host_stream_write(u->host, u->s, span_text("and after"))));
	RUN_UNTIL(u, u->drained == 2);
	fd = accept(listener, NULL, NULL);
	assert_true(fd >= 0);
	assert_int_equal(recv(fd, got, 16, MSG_WAITALL), 16);
	assert_memory_equal(got, "before and after", 16);
	assert_int_equal(send(fd, "ok", 2, 0), 2);
	RUN_UNTIL(u, u->octets == 2);
	host_stream_close(u->host, u->s);
	host_stream_close(u->host, u->s);
	assert_int_equal(host_stream_write(u->host, u->s, span_text("x")).e, ERR_CLOSED);
	assert_int_equal(recv(fd, got, sizeof got, 0), 0);
	assert_int_equal(u->closed, 0);
	close(fd);
	close(listener);
}

static void a_refused_connection_is_told(void **state)
{
	struct user *u = (struct user *)*state;
	struct endpoint e;
	struct result r;
	int fd = server("127.0.0.1", SOCK_STREAM, &e);

	r = connect_to(u, &e); /* bound but not listening */
	if (OK(r)) {
		RUN_UNTIL(u, u->closed == 1);
		assert_int_equal(u->close_error, ERR_REFUSED);
	} else {
		assert_int_equal(r.e, ERR_REFUSED);
	}
	close(fd);
}

static void a_slow_reader_fills_the_queue_up_to_its_limit(void **state)
{
	struct user *u = (struct user *)*state;
	struct endpoint e = listen_tcp(u, "127.0.0.1");
	int fd = client(&e, SOCK_STREAM);
	static uint8_t block[65536], sink[65536];
	struct result r = DONE;
	size_t written = 0, read_back = 0;

	u->adopt = true;
	RUN_UNTIL(u, u->accepted == 1);
	for (int i = 0; i < 10000 && OK(r); i++) {
		r = host_stream_write(u->host, u->peer, span_of(block, sizeof block));
		if (OK(r))
			written += sizeof block;
		loop_turn(u->loop, false);
	}
	assert_int_equal(r.e, ERR_LIMIT);
	assert_true(host_stream_unsent(u->host, u->peer) <= 1 << 20);
	assert_true(host_stream_unsent(u->host, u->peer) > (1 << 20) - sizeof block);
	while (read_back < written) {
		ssize_t n = recv(fd, sink, sizeof sink, MSG_DONTWAIT);

		if (n > 0)
			read_back += (size_t)n;
		else
			RUN_UNTIL(u, (loop_turn(u->loop, false), true));
	}
	RUN_UNTIL(u, u->drained >= 1);
	assert_int_equal(host_stream_unsent(u->host, u->peer), 0);
	close(fd);
}

static void a_paused_stream_is_not_read(void **state)
{
	struct user *u = (struct user *)*state;
	struct endpoint e = listen_tcp(u, "127.0.0.1");
	int fd = client(&e, SOCK_STREAM);

	u->adopt = true;
	RUN_UNTIL(u, u->accepted == 1);
	host_stream_pause(u->host, u->peer, true);
	assert_int_equal(send(fd, "hello", 5, 0), 5);
	for (int i = 0; i < 5; i++)
		loop_turn(u->loop, false);
	assert_int_equal(u->octets, 0);
	host_stream_pause(u->host, u->peer, false);
	RUN_UNTIL(u, u->octets == 5);
	close(fd);
}

static void a_paused_acceptor_accepts_later(void **state)
{
	struct user *u = (struct user *)*state;
	struct endpoint e = listen_tcp(u, "127.0.0.1");
	int fd;

	u->adopt = true;
	host_accept_pause(u->host, u->a, true);
	fd = client(&e, SOCK_STREAM);
	for (int i = 0; i < 5; i++)
		loop_turn(u->loop, false);
	assert_int_equal(u->accepted, 0);
	host_accept_pause(u->host, u->a, false);
	RUN_UNTIL(u, u->accepted == 1);
	host_accept_close(u->host, u->a);
	host_accept_close(u->host, u->a);
	close(fd);
}

static void connections_are_shed_when_descriptors_run_out(void **state)
{
	struct user *u = (struct user *)*state;
	struct endpoint e = listen_tcp(u, "127.0.0.1");
	int fd[3];
	struct rlimit old, few;
	char got[4];

	u->adopt = true;
	for (int i = 0; i < 3; i++)
		fd[i] = client(&e, SOCK_STREAM);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	few = (struct rlimit){ (rlim_t)fd[2] + 1, old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	RUN_UNTIL(u, u->host->counts.accepts_shed == 1);
	assert_int_equal(recv(fd[0], got, sizeof got, 0), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	RUN_UNTIL(u, u->accepted == 2); /* after the rest */
	for (int i = 0; i < 3; i++)
		close(fd[i]);
}

static void closing_a_stream_in_its_callback_is_safe(void **state)
{
	struct user *u = (struct user *)*state;
	struct endpoint e = listen_tcp(u, "127.0.0.1");
	int fd = client(&e, SOCK_STREAM);
	char got[8];

	u->adopt = true;
	u->echo = true;
	u->close_now = true;
	assert_int_equal(send(fd, "bye", 3, 0), 3);
	RUN_UNTIL(u, u->octets == 3);
	assert_int_equal(recv(fd, got, sizeof got, MSG_WAITALL), 3); /* what was written in the turn has left */
	assert_int_equal(u->closed, 0);
	close(fd);
}

static void a_reset_is_told_as_an_error(void **state)
{
	struct user *u = (struct user *)*state;
	struct endpoint e = listen_tcp(u, "127.0.0.1");
	int fd = client(&e, SOCK_STREAM);
	struct linger now = { 1, 0 };

	u->adopt = true;
	RUN_UNTIL(u, u->accepted == 1);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
	close(fd);
	RUN_UNTIL(u, u->closed == 1);
	assert_int_equal(u->close_error, ERR_SYSTEM);
}

/* ---------------------------------------------------------------------------------------------------------- without memory */

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
			host_dgram_close(u->host, s);
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

#define CASE(f) cmocka_unit_test_setup_teardown(f, user_start, user_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_batch_is_answered_with_two_calls),
		CASE(an_answer_of_a_later_turn_leaves),
		CASE(a_wildcard_socket_answers_from_the_address_asked),
		CASE(ipv6_wildcard_too),
		CASE(a_datagram_past_the_limit_is_dropped_and_counted),
		CASE(a_full_send_batch_leaves_at_once),
		CASE(a_refused_answer_does_not_hold_up_the_others),
		CASE(closing_inside_the_callback_is_safe),
		CASE(a_question_gets_every_answer_until_closed),
		CASE(an_answer_from_elsewhere_is_not_heard),
		CASE(port_unreachable_is_told_and_does_not_end_the_wait),
		CASE(closing_an_exchange_in_its_callback_is_safe),
		CASE(ports_are_spread_over_the_whole_range),
		CASE(ports_of_sockets_that_rested_are_as_spread),
		CASE(what_comes_late_is_not_heard_by_the_next_question),
		CASE(a_socket_that_is_taken_up_again_while_it_is_read_may_fail),
		CASE(a_socket_at_rest_hears_nothing),
		CASE(only_permitted_ports_are_drawn),
		CASE(too_few_descriptors_is_an_error_not_a_crash),
		cmocka_unit_test(an_answer_in_fragments_is_refused),
		CASE(a_client_is_accepted_and_answered),
		CASE(a_stream_that_nobody_adopts_is_closed),
		CASE(we_connect_write_and_read),
		CASE(a_refused_connection_is_told),
		CASE(a_slow_reader_fills_the_queue_up_to_its_limit),
		CASE(a_paused_stream_is_not_read),
		CASE(a_paused_acceptor_accepts_later),
		CASE(connections_are_shed_when_descriptors_run_out),
		CASE(closing_a_stream_in_its_callback_is_safe),
		CASE(a_reset_is_told_as_an_error),
		CASE(opening_without_memory_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
