/* Signed TCP on the loopback: who has the key gets through, who has another or none does not. Where the kernel has it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/sock.h"
#include "net/sock_key.h"

enum how { WITH_MD5, WITH_AO };

static struct prefix loopback(void)
{
	struct prefix p;

	assert_true(OK(prefix_parse("127.0.0.0/8", &p)));
	return p;
}

static struct result give(enum how how, int fd, const char *key)
{
	struct prefix p = loopback();

	return how == WITH_MD5 ? sock_key_md5(fd, &p, span_text(key)) : sock_key_ao(fd, &p, 7, span_text(key));
}

/* key NULL: none. A client without the key is not answered: that it gets nowhere in a quarter of a second is all that can be seen. */
static bool gets_through(enum how how, uint16_t port, const char *key)
{
	struct endpoint to;
	union sock_name name;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	bool through;

	assert_true(fd >= 0 && OK(endpoint_parse("127.0.0.1", port, &to)));
	if (key != NULL)
		assert_true(OK(give(how, fd, key)));
	(void)connect(fd, &name.any, sock_name_set(&name, &to));
	through = poll(&p, 1, 250) == 1 && (p.revents & (POLLERR | POLLHUP)) == 0;
	close(fd);
	return through;
}

static void try(enum how how)
{
	struct endpoint at;
	union sock_name name;
	socklen_t n = sizeof name;
	struct result r;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0 && OK(endpoint_parse("127.0.0.1", 0, &at)));
	assert_int_equal(bind(fd, &name.any, sock_name_set(&name, &at)), 0);
	assert_int_equal(give(how, fd, "").e, ERR_RANGE);
	assert_int_equal(give(how, fd, "0123456789012345678901234567890123456789012345678901234567890123456789012345678901").e, ERR_RANGE);
	r = give(how, fd, "secret");
	if (r.e == ERR_UNSUPPORTED) {
		close(fd);
		skip();
	}
	assert_true(OK(r));
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, &name.any, &n), 0);
	sock_name_get(&name, &at);
	assert_true(gets_through(how, at.port, "secret"));
	assert_false(gets_through(how, at.port, "another"));
	assert_false(gets_through(how, at.port, NULL));
	close(fd);
}

static void md5(void **state)
{
	(void)state;
	try(WITH_MD5);
}

static void ao(void **state)
{
	(void)state;
	try(WITH_AO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(md5),
		cmocka_unit_test(ao),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
