/* host_event_test.h: for the tests of net/host_event.c: what hears its events, and plain sockets for the other side. */
#ifndef TESTS_UNIT_NET_HOST_EVENT_TEST_H
#define TESTS_UNIT_NET_HOST_EVENT_TEST_H

#include "tests/unit/net/net_test.h"

#include <netinet/in.h>
#include <sys/socket.h>

LOOP_HANDLE_IMPL(user)

#define CASE(f) cmocka_unit_test_setup_teardown(f, user_start, user_end)

static inline void echo_one(struct user *u, const struct datagram *d)
{
	size_t n = u->answer_octets != 0 ? u->answer_octets : d->len;
	uint8_t *room = host_dgram_room(u->host, u->sock, n);

	assert_non_null(room);
	memset(room, 0, n);
	memcpy(room, d->data, d->len < n ? d->len : n);
	host_dgram_commit(u->host, u->sock, n, &d->from, &d->local);
}

static inline void on_datagrams(struct loop *l, void *object, struct dgram_sock *s, const struct datagram *in, size_t n)
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
		u->waited_us = in[i].waited_us;
		memcpy(u->last, in[i].data, in[i].len);
		if (u->echo)
			echo_one(u, &in[i]);
	}
	if (u->close_now)
		host_dgram_close(u->host, s);
}

static inline struct endpoint dgram_listen(struct user *u, const char *address, unsigned int batch)
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

static inline int client(const struct endpoint *to, int type)
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

static inline void on_packet(struct loop *l, void *object, exchange_h x, struct span packet)
{
	struct user *u = (struct user *)object;

	(void)l;
	u->packets++;
	u->last_len = packet.n;
	memcpy(u->last, packet.p, packet.n);
	if (u->close_now)
		host_ask_close(u->host, x);
}

static inline void on_exchange_error(struct loop *l, void *object, exchange_h x, enum err e)
{
	struct user *u = (struct user *)object;

	(void)l;
	(void)x;
	u->errors++;
	u->error = e;
}

static inline struct result ask(struct user *u, const struct endpoint *to, exchange_h *ret)
{
	struct exchange_options o = { .to = *to, .no_fragment = true };
	struct exchange_events ev = { &user_loop_type, u->self.v, on_packet, on_exchange_error };

	return host_ask(u->host, &o, span_text("question"), &ev, ret);
}

static inline int server(const char *address, int type, struct endpoint *ret)
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

static inline void on_connected(struct loop *l, void *object, stream_h s)
{
	struct user *u = (struct user *)object;

	(void)l;
	(void)s;
	u->connected++;
}

static inline void on_data(struct loop *l, void *object, stream_h s, struct span octets)
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

static inline void on_drained(struct loop *l, void *object, stream_h s)
{
	struct user *u = (struct user *)object;

	(void)l;
	(void)s;
	u->drained++;
}

static inline void on_closed(struct loop *l, void *object, stream_h s, enum err e)
{
	struct user *u = (struct user *)object;

	assert_null(stream_get(l, s));
	u->closed++;
	u->close_error = e;
}

static inline void on_accept(
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

static inline struct endpoint listen_tcp_mss(struct user *u, const char *address, uint16_t mss)
{
	struct listen_options o = { .dscp = -1, .backlog = 16, .mss = mss };

	for (int tries = 0; tries < 100; tries++) {
		o.at = at(address);
		o.at.port = (uint16_t)(20000 + rng_below(loop_rng(u->loop), 10000));
		if (OK(host_accept(u->host, &o, &user_loop_type, u->self.v, on_accept, &u->a)))
			return o.at;
	}
	fail_msg("no port for %s", address);
	return o.at;
}

static inline struct endpoint listen_tcp(struct user *u, const char *address)
{
	return listen_tcp_mss(u, address, 0);
}

static inline struct result connect_to(struct user *u, const struct endpoint *to)
{
	struct exchange_options o = { .to = *to };
	struct stream_events ev = { &user_loop_type, u->self.v, on_connected, on_data, on_drained, on_closed };

	return host_connect(u->host, &o, &ev, &u->s);
}

#endif
