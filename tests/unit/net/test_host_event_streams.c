/* The production host on loopback: what net/host.h promises of streams. */
#include "tests/unit/net/host_event_test.h"

#include <netinet/tcp.h>
#include <sys/resource.h>

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

/* outgoing-tcp-mss: the other end is told in the handshake and sends no larger segments. */
static void a_connection_has_the_segment_size_that_is_asked_for(void **state)
{
	struct user *u = (struct user *)*state;
	struct stream_events ev = { &user_loop_type, u->self.v, on_connected, on_data, on_drained, on_closed };
	struct exchange_options o = { .mss = 600 };
	int listener = server("127.0.0.1", SOCK_STREAM, &o.to), fd, mss = 0;
	socklen_t len = sizeof mss;

	assert_int_equal(listen(listener, 1), 0);
	assert_true(OK(host_connect(u->host, &o, &ev, &u->s)));
	RUN_UNTIL(u, u->connected == 1);
	fd = accept(listener, NULL, NULL);
	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &mss, &len), 0);
	assert_in_range(mss, 500, 600);
	close(fd);
	close(listener);
}

/* tcp-mss */
static void so_has_one_that_is_accepted(void **state)
{
	struct user *u = (struct user *)*state;
	struct endpoint e = listen_tcp_mss(u, "127.0.0.1", 600);
	int fd = client(&e, SOCK_STREAM), mss = 0;
	socklen_t len = sizeof mss;

	u->adopt = true;
	RUN_UNTIL(u, u->accepted == 1);
	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &mss, &len), 0);
	assert_in_range(mss, 500, 600);
	close(fd);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_client_is_accepted_and_answered),
		CASE(a_stream_that_nobody_adopts_is_closed),
		CASE(we_connect_write_and_read),
		CASE(a_connection_has_the_segment_size_that_is_asked_for),
		CASE(so_has_one_that_is_accepted),
		CASE(a_refused_connection_is_told),
		CASE(a_slow_reader_fills_the_queue_up_to_its_limit),
		CASE(a_paused_stream_is_not_read),
		CASE(a_paused_acceptor_accepts_later),
		CASE(connections_are_shed_when_descriptors_run_out),
		CASE(closing_a_stream_in_its_callback_is_safe),
		CASE(a_reset_is_told_as_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
