/* The loop on libevent: real descriptors, threads, signals and clocks. */
#include "unit.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/loop_event.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true /* a sanitizer's runtime wants to be loaded before libfaketime */
#elif defined(__has_feature)
#define SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer))
#else
#define SANITIZED false
#endif

LOOP_HANDLE(peer)
LOOP_HANDLE_IMPL(peer)

struct peer {
	peer_h self;
	int fd;
	timer_h timer;
	watch_h watch, write_watch;
	unsigned int reads, writes, timers, signals;
	unsigned int stop_after; /* callbacks of any kind */
};

static struct loop *new_loop(void) OWNED_BY(loop_free);
static struct loop *new_loop(void)
{
	struct loop_backend b;

	if (!OK(loop_event_backend(&b)))
		return NULL;
	return loop_new(&b, NULL, NULL);
}

static void enlist(struct loop *l, struct peer *p, int fd, unsigned int stop_after)
{
	*p = (struct peer){ .fd = fd, .stop_after = stop_after };
	p->self = peer_enlist(l, p);
	assert_true(p->self.v != 0);
}

static void count_down(struct loop *l, struct peer *p)
{
	if (--p->stop_after == 0)
		loop_stop(l);
}

static void on_timer(struct loop *l, void *object)
{
	struct peer *p = object;

	p->timers++;
	count_down(l, p);
}

static void on_signal(struct loop *l, void *object)
{
	struct peer *p = object;

	p->signals++;
	count_down(l, p);
}

static void on_fd(struct loop *l, void *object, unsigned int events)
{
	struct peer *p = object;
	char c;

	if (events & LOOP_READ) {
		p->reads++;
		assert_int_equal(read(p->fd, &c, 1), 1);
		count_down(l, p);
	}
	if (events & LOOP_WRITE) {
		p->writes++;
		loop_unwatch(l, &p->write_watch);
		count_down(l, p);
	}
}

static void a_timer_takes_its_time(void **state)
{
	AUTO(loop_free) struct loop *l = new_loop();
	struct peer p;
	uint64_t start = clock_read().mono_ns, took;

	(void)state;
	enlist(l, &p, -1, 1);
	assert_ok(loop_timer(l, &peer_loop_type, p.self.v, on_timer, 50, &p.timer));
	loop_run(l);
	took = clock_read().mono_ns - start;
	assert_int_equal(p.timers, 1);
	assert_true(took >= 50000000);
	assert_true(took < 5000000000);
}

static void descriptors_are_level_triggered(void **state)
{
	AUTO(loop_free) struct loop *l = new_loop();
	struct peer p;
	int fd[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	enlist(l, &p, fd[0], 4);
	assert_ok(loop_watch(l, &peer_loop_type, p.self.v, fd[0], LOOP_READ, on_fd, &p.watch));
	assert_ok(loop_watch(l, &peer_loop_type, p.self.v, fd[0], LOOP_WRITE, on_fd, &p.write_watch)); /* two on one descriptor */
	assert_int_equal(write(fd[1], "abc", 3), 3);
	loop_run(l);
	assert_int_equal(p.reads, 3);
	assert_int_equal(p.writes, 1);
	loop_unwatch(l, &p.watch);
	assert_int_equal(write(fd[1], "d", 1), 1);
	loop_turn(l, false);
	assert_int_equal(p.reads, 3);
	close(fd[0]);
	close(fd[1]);
}

static void a_bad_descriptor_cannot_be_watched(void **state)
{
	AUTO(loop_free) struct loop *l = new_loop();
	struct peer p;

	(void)state;
	enlist(l, &p, -1, 1);
	assert_err(loop_watch(l, &peer_loop_type, p.self.v, 1000, LOOP_READ, on_fd, &p.watch), ERR_SYSTEM);
}

static void signals_arrive_in_a_turn(void **state)
{
	AUTO(loop_free) struct loop *l = new_loop();
	struct peer p;

	(void)state;
	enlist(l, &p, -1, 1);
	assert_ok(loop_event_signal(l, SIGUSR1, &peer_loop_type, p.self.v, on_signal));
	for (unsigned int i = 1; i <= 3; i++) {
		p.stop_after = 1;
		assert_int_equal(kill(getpid(), SIGUSR1), 0);
		loop_run(l);
		assert_int_equal(p.signals, i);
	}
}

struct ping {
	struct message m;
	struct peer *to;
};

static void ping_run(struct loop *l, struct message *m)
{
	struct ping *p = (struct ping *)(void *)m;

	p->to->timers++;
	count_down(l, p->to);
}

static void ping_free(struct message *m)
{
	mem_free(m);
}

struct poster {
	struct loop *l;
	struct peer *to;
	unsigned int n;
};

static void *post_many(void *ctx)
{
	struct poster *me = ctx;

	for (unsigned int i = 0; i < me->n; i++) {
		struct ping *p = mem_alloc(sizeof(*p));

		*p = (struct ping){ .m = { .run = ping_run, .free = ping_free }, .to = me->to };
		loop_post(me->l, &p->m);
		if (i % 64 == 0)
			usleep(20);
	}
	return NULL;
}

/* No wake-up is lost: the loop has nothing else to wake it for 30 seconds. */
static void messages_wake_a_sleeping_loop(void **state)
{
	AUTO(loop_free) struct loop *l = new_loop();
	struct peer p;
	struct poster poster;
	pthread_t t[3];

	(void)state;
	enlist(l, &p, -1, 3 * 5000);
	poster = (struct poster){ l, &p, 5000 };
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&t[i], NULL, post_many, &poster), 0);
	loop_run(l);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(p.timers, 15000);
}

/* The loop looks for messages before it waits; what comes between must not sleep until something else happens. */
static void a_wake_up_before_the_wait_is_not_lost(void **state)
{
	struct loop_backend b;
	AUTO(loop_free) struct loop *l = OK(loop_event_backend(&b)) ? loop_new(&b, NULL, NULL) : NULL;
	uint64_t start = clock_precise_ns();

	(void)state;
	assert_non_null(l);
	b.wake(b.ctx);
	b.wait(b.ctx, l, 20000000000);
	assert_true(clock_precise_ns() - start < 10000000000);
	start = clock_precise_ns();
	b.wait(b.ctx, l, 20000000); /* it counts once */
	assert_true(clock_precise_ns() - start > 10000000);
}

static void *stop_soon(void *l)
{
	usleep(20000);
	loop_stop(l);
	return NULL;
}

static void another_thread_stops_a_sleeping_loop(void **state)
{
	AUTO(loop_free) struct loop *l = new_loop();
	pthread_t t;

	(void)state;
	assert_int_equal(pthread_create(&t, NULL, stop_soon, l), 0);
	loop_run(l);
	pthread_join(t, NULL);
}

static bool make_and_use(void)
{
	AUTO(loop_free) struct loop *l = new_loop();
	struct peer p = { .fd = -1 };

	if (l == NULL)
		return false;
	p.self = peer_enlist(l, &p);
	return p.self.v != 0 && OK(loop_watch(l, &peer_loop_type, p.self.v, STDIN_FILENO, LOOP_READ, on_fd, &p.watch)) &&
	    OK(loop_event_signal(l, SIGUSR2, &peer_loop_type, p.self.v, on_signal));
}

static void memory_may_run_out(void **state)
{
	int fd[2], saved = dup(STDIN_FILENO);

	(void)state;
	assert_int_equal(pipe(fd), 0); /* a descriptor that epoll takes */
	dup2(fd[0], STDIN_FILENO);
	assert_true(for_each_failing_allocation(make_and_use) >= 6);
	dup2(saved, STDIN_FILENO);
	close(saved);
	close(fd[0]);
	close(fd[1]);
}

/*
 * Under libfaketime. The program runs itself again with the library loaded: with a clock that runs ten times as fast, and with one
 * that jumps by an hour while the loop sleeps.
 */
static const char *const faketime_paths[] = {
	"/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
	"/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
	"/usr/lib/faketime/libfaketime.so.1",
};
static char clock_file[] = "/tmp/cairn-test-clock.XXXXXX";

static void set_fake_clock(const char *text)
{
	char tmp[64];
	FILE *f;

	snprintf(tmp, sizeof(tmp), "%s.new", clock_file);
	f = fopen(tmp, "w");
	if (f == NULL || fprintf(f, "%s\n", text) < 0 || fclose(f) != 0 || rename(tmp, clock_file) != 0)
		abort();
}

/* Runs `mode` in a child under the fake clock; gives the real time that it took in ms, or 0 when it failed. */
static uint64_t run_under_fake_clock(const char *lib, const char *mode)
{
	uint64_t start = clock_precise_ns();
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		setenv("LD_PRELOAD", lib, 1);
		setenv("FAKETIME_TIMESTAMP_FILE", clock_file, 1);
		setenv("FAKETIME_NO_CACHE", "1", 1);
		execl("/proc/self/exe", "test_loop_event", mode, clock_file, (char *)NULL);
		_exit(99);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		return 0;
	return (clock_precise_ns() - start) / 1000000 + 1;
}

static void fake_clocks_are_obeyed(void **state)
{
	const char *lib = NULL;
	int fd;
	uint64_t took;

	(void)state;
	for (size_t i = 0; i < sizeof(faketime_paths) / sizeof(faketime_paths[0]); i++)
		if (access(faketime_paths[i], R_OK) == 0)
			lib = faketime_paths[i];
	if (lib == NULL || getenv("LD_PRELOAD") != NULL || SANITIZED)
		skip();
	fd = mkstemp(clock_file);
	assert_true(fd >= 0);
	close(fd);
	set_fake_clock("+0 x10");
	took = run_under_fake_clock(lib, "--timer-of-5-seconds");
	assert_in_range(took, 400, 4000);
	set_fake_clock("+0");
	took = run_under_fake_clock(lib, "--timer-of-an-hour");
	assert_in_range(took, 1, 20000);
	unlink(clock_file);
}

static int child_timer_of_5_seconds(void)
{
	AUTO(loop_free) struct loop *l = new_loop();
	struct peer p = { .stop_after = 1 };

	p.self = peer_enlist(l, &p);
	if (!OK(loop_timer(l, &peer_loop_type, p.self.v, on_timer, 5000, &p.timer)))
		return 1;
	loop_run(l);
	return p.timers == 1 ? 0 : 2;
}

static int jump_pipe[2];

static void *jump(void *ctx)
{
	(void)ctx;
	usleep(100000);
	set_fake_clock("+1h");
	return write(jump_pipe[1], "x", 1) == 1 ? NULL : &jump_pipe;
}

static int child_timer_of_an_hour(void)
{
	AUTO(loop_free) struct loop *l = new_loop();
	struct peer p = { .stop_after = 2 };
	pthread_t t;

	if (pipe(jump_pipe) != 0)
		return 1;
	p.self = peer_enlist(l, &p);
	p.fd = jump_pipe[0];
	if (!OK(loop_timer(l, &peer_loop_type, p.self.v, on_timer, 3590 * 1000, &p.timer)) ||
	    !OK(loop_watch(l, &peer_loop_type, p.self.v, p.fd, LOOP_READ, on_fd, &p.watch)) || pthread_create(&t, NULL, jump, NULL) != 0)
		return 2;
	loop_run(l);
	pthread_join(t, NULL);
	loop_unwatch(l, &p.watch);
	return p.timers == 1 && p.reads == 1 ? 0 : 3;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_timer_takes_its_time),
		cmocka_unit_test(descriptors_are_level_triggered),
		cmocka_unit_test(a_bad_descriptor_cannot_be_watched),
		cmocka_unit_test(signals_arrive_in_a_turn),
		cmocka_unit_test(messages_wake_a_sleeping_loop),
		cmocka_unit_test(a_wake_up_before_the_wait_is_not_lost),
		cmocka_unit_test(another_thread_stops_a_sleeping_loop),
		cmocka_unit_test(memory_may_run_out),
		cmocka_unit_test(fake_clocks_are_obeyed),
	};

	alarm(100);
	if (argc == 3) {
		snprintf(clock_file, sizeof(clock_file), "%s", argv[2]);
		return strcmp(argv[1], "--timer-of-an-hour") == 0 ? child_timer_of_an_hour() : child_timer_of_5_seconds();
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
