/* A sandbox: each case is a child that enters one, tries something, and tells by its exit status what it met. What is forbidden must fail, and what is allowed must go on. */
#include "tests/unit/base/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sandbox.h"

#define WENT 100 /* the exit status of a try that went well; else it is errno */
#define NO_SANDBOX 101

static char top[] = "/tmp/test_sandbox.XXXXXX";
static int listener;
static struct sockaddr_in where;

typedef int try_fn(void);

/* How the child ended: its exit status, or its signal negated. */
static int attempt(const struct sandbox *s, try_fn *fn)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		struct sandbox_held held;

		_exit(OK(sandbox_enter(s, &held)) ? fn() : NO_SANDBOX);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int told(int r)
{
	return r >= 0 ? WENT : errno;
}

static const char *below(const char *name)
{
	static char room[100];

	(void)snprintf(room, sizeof room, "%s/%s", top, name);
	return room;
}

/* ------------------------------------------------------------------------------------------------------------------- tries */

static int try_nothing(void)
{
	return WENT;
}

static int try_read_passwd(void)
{
	return told(open("/etc/passwd", O_RDONLY | O_CLOEXEC));
}

static int try_read_mine(void)
{
	return told(open(below("file"), O_RDONLY | O_CLOEXEC));
}

static int try_write_mine(void)
{
	return told(open(below("file"), O_RDWR | O_CLOEXEC));
}

static int try_make_mine(void)
{
	if (open(below("new"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600) < 0 || mkdir(below("folder"), 0700) != 0 || rmdir(below("folder")) != 0)
		return errno;
	return told(unlink(below("new")));
}

static int try_write_etc(void)
{
	return told(open("/etc/test_sandbox_was_here", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static int try_connect(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? errno : told(connect(fd, (const struct sockaddr *)&where, sizeof where));
}

static int try_listen(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? errno : told(bind(fd, (const struct sockaddr *)&any, sizeof any));
}

static int try_packet_socket(void)
{
	return told(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
}

static int try_accept(void)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	return fd >= 0 || errno == EAGAIN ? WENT : errno;
}

static int try_execute(void)
{
	char name[] = "true";
	char *const argv[] = { name, NULL };

	(void)execv("/bin/true", argv);
	return errno;
}

static int try_fork(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(0);
	return pid < 0 ? errno : told(waitpid(pid, &status, 0));
}

static void *in_thread(void *p)
{
	return p;
}

static int try_thread(void)
{
	pthread_t t;
	int e = pthread_create(&t, NULL, in_thread, NULL);

	if (e != 0)
		return e;
	(void)pthread_join(t, NULL);
	return WENT;
}

static int try_kill_parent(void)
{
	return told(kill(getppid(), 0));
}

static int try_trace(void)
{
	return told((int)syscall(101 /* any: the number is of the machine at hand */, 0, 0, 0, 0));
}

static int try_setuid(void)
{
	return told(setuid(getuid()));
}

static int try_large_file(void)
{
	int fd = open(below("large"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	char octets[4096] = "";

	(void)signal(SIGXFSZ, SIG_IGN);
	for (unsigned int i = 0; fd >= 0 && i < 4; i++)
		if (write(fd, octets, sizeof octets) < 0)
			break;
	return errno == EFBIG ? WENT : 1;
}

static int try_many_files(void)
{
	while (dup(0) >= 0)
		continue;
	return errno == EMFILE ? WENT : errno;
}

static int try_core(void)
{
	struct rlimit l;

	return getrlimit(RLIMIT_CORE, &l) == 0 && l.rlim_max == 0 ? WENT : 1;
}

/* ------------------------------------------------------------------------------------------------------------------- cases */

static void skip_unless_calls(void)
{
	if (!sandbox_has_calls())
		skip();
}

static void skip_unless_paths(int version)
{
	if (sandbox_landlock() < version)
		skip();
}

static void nothing_allowed_is_still_something(void **state)
{
	const struct sandbox s = { .groups = 0 };

	(void)state;
	assert_int_equal(attempt(&s, try_nothing), WENT);
	assert_int_equal(attempt(&s, try_core), WENT);
}

static void files_are_opened_by_group(void **state)
{
	struct sandbox s = { .groups = 0, .any_path = true };

	(void)state;
	skip_unless_calls();
	assert_int_equal(attempt(&s, try_read_passwd), EACCES);
	s.groups = SANDBOX_READ;
	assert_int_equal(attempt(&s, try_read_passwd), WENT);
	assert_int_equal(attempt(&s, try_write_mine), EACCES);
	s.groups = SANDBOX_READ | SANDBOX_WRITE;
	assert_int_equal(attempt(&s, try_write_mine), WENT);
	assert_int_equal(attempt(&s, try_make_mine), WENT);
}

static void paths_bound_what_files(void **state)
{
	const struct sandbox_path p[] = { { top, SANDBOX_READ | SANDBOX_WRITE }, { "/nowhere/at/all", SANDBOX_READ } };
	struct sandbox s = { .groups = SANDBOX_READ | SANDBOX_WRITE, .paths = p, .npaths = 2 };

	(void)state;
	skip_unless_paths(1);
	assert_int_equal(attempt(&s, try_read_passwd), EACCES);
	assert_int_equal(attempt(&s, try_write_etc), EACCES);
	assert_int_equal(attempt(&s, try_read_mine), WENT);
	assert_int_equal(attempt(&s, try_write_mine), WENT);
	assert_int_equal(attempt(&s, try_make_mine), WENT);
}

static void a_path_for_reading_is_not_written(void **state)
{
	const struct sandbox_path folder = { top, SANDBOX_READ }, file = { below("file"), SANDBOX_READ };
	struct sandbox s = { .groups = SANDBOX_READ | SANDBOX_WRITE, .paths = &folder, .npaths = 1 };

	(void)state;
	skip_unless_paths(1);
	assert_int_equal(attempt(&s, try_read_mine), WENT);
	assert_int_equal(attempt(&s, try_write_mine), EACCES);
	assert_int_equal(attempt(&s, try_make_mine), EACCES);
	s.paths = &file;
	assert_int_equal(attempt(&s, try_read_mine), WENT);
	assert_int_equal(attempt(&s, try_write_mine), EACCES);
}

static void sockets_by_group(void **state)
{
	struct sandbox s = { .groups = SANDBOX_READ };

	(void)state;
	skip_unless_calls();
	assert_int_equal(attempt(&s, try_connect), EACCES);
	assert_int_equal(attempt(&s, try_accept), ENOSYS);
	s.groups = SANDBOX_ACCEPT;
	assert_int_equal(attempt(&s, try_accept), WENT);
	assert_int_equal(attempt(&s, try_connect), EACCES);
	s.groups = SANDBOX_CONNECT;
	assert_int_equal(attempt(&s, try_connect), WENT);
	assert_int_equal(attempt(&s, try_packet_socket), ENOSYS);
	assert_int_equal(attempt(&s, try_accept), ENOSYS);
}

static void who_connects_does_not_listen(void **state)
{
	const struct sandbox s = { .groups = SANDBOX_CONNECT };

	(void)state;
	skip_unless_paths(4);
	assert_int_equal(attempt(&s, try_listen), EACCES);
}

static void programs_by_group(void **state)
{
	struct sandbox s = { .groups = SANDBOX_READ | SANDBOX_WRITE | SANDBOX_FORK | SANDBOX_THREADS, .any_path = true };
	int r;

	(void)state;
	skip_unless_calls();
	r = attempt(&s, try_execute);
	assert_true(r == -SIGSYS || r == EPERM /* under a sanitizer */);
	s.groups |= SANDBOX_EXECUTE;
	assert_int_equal(attempt(&s, try_execute), 0);
}

static void processes_and_threads_by_group(void **state)
{
	struct sandbox s = { .groups = 0 };

	(void)state;
	skip_unless_calls();
	assert_int_equal(attempt(&s, try_fork), ENOSYS);
	assert_true(attempt(&s, try_thread) != WENT);
	assert_int_equal(attempt(&s, try_kill_parent), ENOSYS);
	s.groups = SANDBOX_THREADS;
	assert_int_equal(attempt(&s, try_thread), WENT);
	assert_int_equal(attempt(&s, try_fork), ENOSYS);
	s.groups = SANDBOX_FORK;
	assert_int_equal(attempt(&s, try_fork), WENT);
}

static void signals_stay_inside(void **state)
{
	const struct sandbox s = { .groups = SANDBOX_FORK };

	(void)state;
	skip_unless_paths(6);
	assert_int_equal(attempt(&s, try_kill_parent), EPERM);
}

static void what_nobody_asks_for_kills(void **state)
{
	const struct sandbox s = { .groups = SANDBOX_READ };
	int r;

	(void)state;
	skip_unless_calls();
#if defined(__x86_64__)
	r = attempt(&s, try_trace);
	assert_true(r == -SIGSYS || r == EPERM);
#else
	(void)r;
	(void)try_trace;
	skip();
#endif
}

static void privileges_by_group(void **state)
{
	struct sandbox s = { .groups = 0 };

	(void)state;
	skip_unless_calls();
	assert_int_equal(attempt(&s, try_setuid), ENOSYS);
	s.groups = SANDBOX_PRIVILEGES;
	assert_int_equal(attempt(&s, try_setuid), WENT);
}

/* The second sandbox, inside the first, counts too. */
static int enter_again(void)
{
	const struct sandbox s = { .groups = SANDBOX_READ, .any_path = true };
	struct sandbox_held held;

	if (!OK(sandbox_enter(&s, &held)))
		return NO_SANDBOX;
	return try_write_mine();
}

static void a_sandbox_in_a_sandbox(void **state)
{
	const struct sandbox s = { .groups = SANDBOX_READ | SANDBOX_WRITE | SANDBOX_PRIVILEGES, .any_path = true };

	(void)state;
	skip_unless_calls();
	assert_int_equal(attempt(&s, enter_again), EACCES);
}

static void resources_are_bounded(void **state)
{
	const struct sandbox s = { .groups = SANDBOX_READ | SANDBOX_WRITE, .any_path = true, .files = 40, .file_octets = 8192 };

	(void)state;
	assert_int_equal(attempt(&s, try_many_files), WENT);
	assert_int_equal(attempt(&s, try_large_file), WENT);
}

static void what_holds_is_told(void **state)
{
	const struct sandbox s = { .groups = 0 };
	struct sandbox_held held = { false, -1 };
	int version = sandbox_landlock(), status;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(OK(sandbox_enter(&s, &held)) && held.calls == sandbox_has_calls() && held.paths == version ? WENT : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, WENT << 8);
}

static int set_up(void **state)
{
	socklen_t n = sizeof where;

	(void)state;
	if (mkdtemp(top) == NULL || close(open(below("file"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)) != 0)
		return -1;
	where.sin_family = AF_INET;
	where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (listener < 0 || bind(listener, (const struct sockaddr *)&where, sizeof where) != 0 || listen(listener, 10) != 0)
		return -1;
	return getsockname(listener, (struct sockaddr *)&where, &n);
}

static int tear_down(void **state)
{
	(void)state;
	(void)close(listener);
	(void)unlink(below("file"));
	(void)unlink(below("large"));
	return rmdir(top);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_allowed_is_still_something),
		cmocka_unit_test(files_are_opened_by_group),
		cmocka_unit_test(paths_bound_what_files),
		cmocka_unit_test(a_path_for_reading_is_not_written),
		cmocka_unit_test(sockets_by_group),
		cmocka_unit_test(who_connects_does_not_listen),
		cmocka_unit_test(programs_by_group),
		cmocka_unit_test(processes_and_threads_by_group),
		cmocka_unit_test(signals_stay_inside),
		cmocka_unit_test(what_nobody_asks_for_kills),
		cmocka_unit_test(privileges_by_group),
		cmocka_unit_test(a_sandbox_in_a_sandbox),
		cmocka_unit_test(resources_are_bounded),
		cmocka_unit_test(what_holds_is_told),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
