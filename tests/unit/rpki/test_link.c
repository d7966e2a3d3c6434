/* Messages between two processes, both ends on one loop; and an end that sends what is no message. */
#include "tests/unit/net/net_test.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "rpki/process/link.h"

LOOP_HANDLE_IMPL(user)

struct heard {
	unsigned int messages, drained, closed;
	enum err e;
	uint32_t type;
	size_t octets;
	uint8_t last[LINK_BODY_MAX];
	size_t last_n;
	int fd;
	link_h to_close;
};

static struct heard heard;

static void on_message(struct loop *l, void *object, link_h k, struct link_message *m)
{
	(void)object;
	heard.messages++;
	heard.type = m->type;
	heard.octets += m->body.n;
	heard.last_n = m->body.n;
	memcpy(heard.last, m->body.p, m->body.n);
	if (heard.fd == -2) { /* kept */
		heard.fd = m->fd;
		m->fd = -1;
	}
	if (heard.to_close.v != 0)
		link_close(l, k);
}

static void on_drained(struct loop *l, void *object, link_h k)
{
	(void)l, (void)object, (void)k;
	heard.drained++;
}

static void on_closed(struct loop *l, void *object, link_h k, enum err e)
{
	(void)object;
	assert_null(link_get(l, k));
	heard.closed++;
	heard.e = e;
}

static link_h open_link(struct user *u, int fd)
{
	const struct link_events ev = { .type = &user_loop_type, .who = u->self.v, .message = on_message, .drained = on_drained, .closed = on_closed };
	link_h k;

	assert_true(OK(link_open(u->loop, fd, &ev, &k)));
	return k;
}

static void open_two(struct user *u, link_h *a, link_h *b)
{
	int fds[2];

	heard = (struct heard){ .fd = -1 };
	assert_true(OK(link_pair(fds)));
	*a = open_link(u, fds[0]);
	*b = open_link(u, fds[1]);
}

static void close_two(struct user *u, link_h a, link_h b)
{
	link_close(u->loop, a);
	link_close(u->loop, b);
	link_close(u->loop, b);
	loop_turn(u->loop, false);
}

static void a_message_arrives_whole(void **state)
{
	struct user *u = (struct user *)*state;
	static uint8_t large[LINK_BODY_MAX + 1];
	link_h a, b;

	open_two(u, &a, &b);
	assert_true(OK(link_send(u->loop, a, 0xfedcba98, span_text("so"), -1)));
	RUN_UNTIL(u, heard.messages == 1);
	assert_int_equal(heard.type, 0xfedcba98);
	assert_memory_equal(heard.last, "so", 2);
	assert_int_equal(heard.last_n, 2);
	assert_true(OK(link_send(u->loop, b, 7, span_of(NULL, 0), -1)));
	RUN_UNTIL(u, heard.messages == 2);
	assert_int_equal(heard.last_n, 0);
	memset(large, 'x', sizeof large);
	assert_true(OK(link_send(u->loop, a, 1, span_of(large, LINK_BODY_MAX), -1)));
	RUN_UNTIL(u, heard.messages == 3);
	assert_int_equal(heard.last_n, LINK_BODY_MAX);
	assert_int_equal(link_send(u->loop, a, 1, span_of(large, LINK_BODY_MAX + 1), -1).e, ERR_RANGE);
	close_two(u, a, b);
}

static void a_descriptor_comes_along(void **state)
{
	struct user *u = (struct user *)*state;
	struct stat was, is;
	link_h a, b;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	open_two(u, &a, &b);
	heard.fd = -2;
	assert_true(OK(link_send(u->loop, a, 1, span_text("x"), fd)));
	RUN_UNTIL(u, heard.messages == 1);
	assert_true(heard.fd >= 0 && heard.fd != fd);
	assert_int_equal(fcntl(heard.fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fstat(fd, &was), 0);
	assert_int_equal(fstat(heard.fd, &is), 0);
	assert_int_equal(was.st_ino, is.st_ino);
	(void)close(heard.fd);
	(void)close(fd);
	close_two(u, a, b);
}

static unsigned int open_files(void)
{
	unsigned int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void a_descriptor_that_nobody_keeps_is_closed(void **state)
{
	struct user *u = (struct user *)*state;
	unsigned int before;
	link_h a, b;

	open_two(u, &a, &b);
	before = open_files();
	for (unsigned int i = 0; i < 3; i++)
		assert_true(OK(link_send(u->loop, a, 1, span_text("x"), 0)));
	RUN_UNTIL(u, heard.messages == 3);
	assert_int_equal(open_files(), before);
	close_two(u, a, b);
}

/* While the other end does not read, messages wait in order, descriptors with them; past the limit none is taken. */
static void what_the_socket_does_not_take_waits(void **state)
{
	struct user *u = (struct user *)*state;
	static uint8_t piece[LINK_BODY_MAX];
	unsigned int before = open_files(), sent = 0;
	link_h a, b;
	struct result r;

	open_two(u, &a, &b);
	link_pause(u->loop, b, true);
	do {
		store32(piece, sent);
		r = link_send(u->loop, a, sent, span_of(piece, sizeof piece), sent % 50 == 49 ? 0 : -1);
		sent += OK(r);
	} while (OK(r));
	assert_int_equal(r.e, ERR_LIMIT);
	assert_true(link_unsent(u->loop, a) > LINK_UNSENT_MAX - sizeof piece - 100 && link_unsent(u->loop, a) <= LINK_UNSENT_MAX);
	for (unsigned int i = 0; i < 5; i++)
		loop_turn(u->loop, false);
	assert_int_equal(heard.messages, 0);
	link_pause(u->loop, b, false);
	RUN_UNTIL(u, heard.messages == sent);
	assert_int_equal(heard.type, sent - 1);
	assert_int_equal(load32(heard.last), sent - 1);
	assert_int_equal(heard.octets, sent * sizeof piece);
	RUN_UNTIL(u, heard.drained == 1);
	assert_int_equal(link_unsent(u->loop, a), 0);
	close_two(u, a, b);
	assert_int_equal(open_files(), before);
}

static void the_other_end_goes(void **state)
{
	struct user *u = (struct user *)*state;
	link_h a, b;

	open_two(u, &a, &b);
	assert_true(OK(link_send(u->loop, a, 1, span_text("last words"), -1)));
	link_close(u->loop, a);
	RUN_UNTIL(u, heard.closed == 1);
	assert_int_equal(heard.e, ERR_CLOSED);
	assert_int_equal(heard.messages, 1);
	assert_int_equal(link_send(u->loop, b, 1, span_text("x"), -1).e, ERR_CLOSED);
	assert_int_equal(link_unsent(u->loop, b), 0);
	close_two(u, a, b);
}

static void sending_to_who_is_gone_is_no_signal(void **state)
{
	struct user *u = (struct user *)*state;
	link_h a;
	int fds[2];

	heard = (struct heard){ .fd = -1 };
	assert_true(OK(link_pair(fds)));
	a = open_link(u, fds[0]);
	(void)close(fds[1]);
	assert_int_equal(link_send(u->loop, a, 1, span_text("x"), -1).e, ERR_CLOSED);
	RUN_UNTIL(u, heard.closed == 1);
}

static void a_link_may_be_closed_from_its_own_event(void **state)
{
	struct user *u = (struct user *)*state;
	link_h a, b;

	open_two(u, &a, &b);
	heard.to_close = b;
	for (unsigned int i = 0; i < 3; i++)
		assert_true(OK(link_send(u->loop, a, 1, span_text("x"), -1)));
	RUN_UNTIL(u, heard.closed == 1); /* a hears that b is gone */
	assert_int_equal(heard.messages, 1);
	close_two(u, a, b);
}

/* --- an end that is not ours: n octets, and nfds descriptors */

static void raw(int fd, size_t n, unsigned int nfds)
{
	static uint8_t octets[LINK_BODY_MAX + 100];
	union {
		struct cmsghdr align;
		uint8_t room[CMSG_SPACE(4 * sizeof(int))];
	} control = { .room = { 0 } };
	struct iovec v = { octets, n };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	const int fds[4] = { 0, 0, 0, 0 };

	if (nfds > 0) {
		m.msg_control = &control;
		m.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		CMSG_FIRSTHDR(&m)->cmsg_level = SOL_SOCKET;
		CMSG_FIRSTHDR(&m)->cmsg_type = SCM_RIGHTS;
		CMSG_FIRSTHDR(&m)->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), fds, nfds * sizeof(int));
	}
	assert_int_equal(sendmsg(fd, &m, MSG_NOSIGNAL), (ssize_t)n);
}

static void refused(struct user *u, size_t n, unsigned int nfds, enum err e)
{
	unsigned int before = open_files();
	int fds[2];

	heard = (struct heard){ .fd = -1 };
	assert_true(OK(link_pair(fds)));
	(void)open_link(u, fds[0]);
	raw(fds[1], n, nfds);
	RUN_UNTIL(u, heard.closed == 1);
	assert_int_equal(heard.e, e);
	assert_int_equal(heard.messages, 0);
	loop_turn(u->loop, false);
	(void)close(fds[1]);
	assert_int_equal(open_files(), before);
}

static void what_is_no_message_ends_the_link(void **state)
{
	struct user *u = (struct user *)*state;

	refused(u, 1, 0, ERR_FORMAT);
	refused(u, 3, 1, ERR_FORMAT);
	refused(u, 4 + LINK_BODY_MAX + 1, 0, ERR_FORMAT);
	refused(u, 4 + LINK_BODY_MAX + 50, 1, ERR_FORMAT);
	refused(u, 8, 2, ERR_FORMAT);
	refused(u, 8, 4, ERR_FORMAT);
	refused(u, 0, 1, ERR_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_message_arrives_whole, user_start, user_end),
		cmocka_unit_test_setup_teardown(a_descriptor_comes_along, user_start, user_end),
		cmocka_unit_test_setup_teardown(a_descriptor_that_nobody_keeps_is_closed, user_start, user_end),
		cmocka_unit_test_setup_teardown(what_the_socket_does_not_take_waits, user_start, user_end),
		cmocka_unit_test_setup_teardown(the_other_end_goes, user_start, user_end),
		cmocka_unit_test_setup_teardown(sending_to_who_is_gone_is_no_signal, user_start, user_end),
		cmocka_unit_test_setup_teardown(a_link_may_be_closed_from_its_own_event, user_start, user_end),
		cmocka_unit_test_setup_teardown(what_is_no_message_ends_the_link, user_start, user_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
