/* Processes that are watched: small ones, which do what their role says and end. */
#include "tests/unit/net/net_test.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/process.h"
#include "rpki/process/monitor.h"

LOOP_HANDLE_IMPL(user)

enum { ECHOES, ENDS, CRASHES, BABBLES, DEAF, PARENT, ROLES };

struct heard {
	unsigned int started[ROLES], ended[ROLES], expected[ROLES], messages;
	int status[ROLES];
	uint32_t type;
	uint8_t last[100];
	size_t last_n;
	int got_fd;
	int along;
	bool no_more, refuse;
};

static struct heard heard;

/* ------------------------------------------------------------------------------------------------- in the other processes */

/* Blocking, on purpose: it needs no loop. */
static ssize_t hear(int control, void *room, size_t n)
{
	(void)fcntl(control, F_SETFL, 0);
	return recv(control, room, n, 0);
}

static int run_echo(void *ctx, int control, const struct monitor_along *along)
{
	uint8_t room[100];
	ssize_t n;

	(void)ctx;
	if (along->n == 1 && write(along->fds[0], "x", 1) != 1)
		return 3;
	while ((n = hear(control, room, sizeof room)) > 0)
		if (send(control, room, (size_t)n, 0) != n)
			return 4;
	return 0;
}

static int run_end(void *ctx, int control, const struct monitor_along *along)
{
	(void)control, (void)along;
	return *(const int *)ctx;
}

static int run_crash(void *ctx, int control, const struct monitor_along *along)
{
	(void)ctx, (void)control, (void)along;
	(void)raise(SIGSEGV);
	return 0;
}

static int run_babble(void *ctx, int control, const struct monitor_along *along)
{
	uint8_t room[10];

	(void)ctx, (void)along;
	(void)send(control, "x", 1, 0); /* no message: too short */
	(void)hear(control, room, sizeof room);
	while (pause() != 0)
		continue;
	return 0;
}

static int run_deaf(void *ctx, int control, const struct monitor_along *along)
{
	(void)ctx, (void)control, (void)along;
	while (pause() != 0)
		continue;
	return 0;
}

/* Leaves a process behind, in a group of its own, and tells who that is. */
static int run_parent(void *ctx, int control, const struct monitor_along *along)
{
	pid_t pid = fork();
	uint32_t said[2] = { 0, (uint32_t)pid };

	if (pid == 0) {
		(void)setpgid(0, 0);
		while (pause() != 0)
			continue;
	}
	(void)send(control, said, sizeof said, 0);
	return run_deaf(ctx, control, along);
}

static const int status_seven = 7;

/* ------------------------------------------------------------------------------------------------------------- in this one */

static RESULT on_starting(struct loop *l, void *object, size_t i, struct monitor_along *a)
{
	(void)l, (void)object;
	if (heard.refuse)
		return FAIL(ERR_LIMIT);
	if (i == ECHOES && heard.along > 0)
		a->fds[a->n++] = heard.along;
	return DONE;
}

static void on_started(struct loop *l, void *object, size_t i)
{
	(void)l, (void)object;
	heard.started[i]++;
}

static void on_message(struct loop *l, void *object, size_t i, struct link_message *m)
{
	(void)l, (void)object, (void)i;
	heard.messages++;
	heard.type = m->type;
	heard.last_n = m->body.n;
	memcpy(heard.last, m->body.p, m->body.n);
}

static bool on_ended(struct loop *l, void *object, size_t i, int status, bool expected)
{
	(void)l, (void)object;
	heard.ended[i]++;
	heard.expected[i] += expected;
	heard.status[i] = status;
	return !heard.no_more;
}

static struct monitor *begin(struct user *u)
{
	static int seven;
	static const struct monitor_role roles[ROLES] = { [ECHOES] = { "echo", run_echo, NULL }, [ENDS] = { "end", run_end, &seven }, [CRASHES] = { "crash", run_crash, NULL },
		[BABBLES] = { "babble", run_babble, NULL }, [DEAF] = { "deaf", run_deaf, NULL }, [PARENT] = { "parent", run_parent, NULL } };
	const struct monitor_events ev = { .type = &user_loop_type, .who = u->self.v, .starting = on_starting, .started = on_started, .message = on_message, .ended = on_ended };
	struct monitor *m;

	seven = status_seven;
	heard = (struct heard){ .messages = 0 };
	m = monitor_new(u->loop, roles, ROLES, &ev);
	assert_non_null(m);
	return m;
}

static void finish(struct user *u, struct monitor *m)
{
	monitor_free(m);
	loop_turn(u->loop, false);
}

static void a_process_is_talked_to(void **state)
{
	struct user *u = (struct user *)*state;
	struct monitor *m = begin(u);

	assert_false(monitor_runs(m, ECHOES));
	assert_int_equal(monitor_send(m, ECHOES, 1, span_text("x"), -1).e, ERR_CLOSED);
	assert_true(OK(monitor_start(m, ECHOES)));
	assert_true(OK(monitor_start(m, ECHOES))); /* it runs: nothing is done */
	assert_int_equal(heard.started[ECHOES], 1);
	assert_true(monitor_runs(m, ECHOES) && monitor_pid(m, ECHOES) > 0);
	assert_true(OK(monitor_send(m, ECHOES, 5, span_text("hello"), -1)));
	RUN_UNTIL(u, heard.messages == 1);
	assert_int_equal(heard.type, 5);
	assert_memory_equal(heard.last, "hello", 5);
	monitor_stop(m, ECHOES, false);
	RUN_UNTIL(u, heard.ended[ECHOES] == 1);
	assert_int_equal(heard.expected[ECHOES], 1);
	assert_int_equal(heard.status[ECHOES], 0);
	assert_false(monitor_runs(m, ECHOES));
	finish(u, m);
}

static void descriptors_go_along_and_no_others(void **state)
{
	struct user *u = (struct user *)*state;
	struct monitor *m = begin(u);
	int p[2];
	char c = 0;

	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	heard.along = p[1];
	assert_true(OK(monitor_start(m, ECHOES)));
	assert_true(OK(monitor_start(m, DEAF)));
	(void)close(p[1]);
	heard.along = 0;
	assert_int_equal(read(p[0], &c, 1), 1);
	assert_int_equal(c, 'x');
	monitor_stop(m, ECHOES, false);
	RUN_UNTIL(u, heard.ended[ECHOES] == 1);
	assert_int_equal(read(p[0], &c, 1), 0); /* the other process does not have it */
	(void)close(p[0]);
	finish(u, m);
}

static void one_that_ends_comes_again_after_longer_and_longer(void **state)
{
	struct user *u = (struct user *)*state;
	struct monitor *m = begin(u);

	assert_int_equal(monitor_pause_ms(m, ENDS), MONITOR_PAUSE_FIRST_MS);
	assert_true(OK(monitor_start(m, ENDS)));
	RUN_UNTIL(u, heard.started[ENDS] == 3);
	assert_int_equal(heard.status[ENDS], 7 << 8);
	assert_int_equal(heard.expected[ENDS], 0);
	assert_int_equal(monitor_starts(m, ENDS), 3);
	assert_int_equal(monitor_pause_ms(m, ENDS), 4 * MONITOR_PAUSE_FIRST_MS);
	heard.no_more = true;
	RUN_UNTIL(u, heard.ended[ENDS] == 3);
	loop_turn(u->loop, false);
	assert_false(monitor_runs(m, ENDS));
	finish(u, m);
}

static void a_crash_is_told_and_the_next_one_starts(void **state)
{
	struct user *u = (struct user *)*state;
	struct monitor *m = begin(u);

	assert_true(OK(monitor_start(m, CRASHES)));
	RUN_UNTIL(u, heard.started[CRASHES] == 2);
	assert_true((WIFSIGNALED(heard.status[CRASHES]) && WTERMSIG(heard.status[CRASHES]) == SIGSEGV) || WIFEXITED(heard.status[CRASHES]) /* a sanitizer's report */);
	finish(u, m);
}

static void one_that_talks_nonsense_is_killed(void **state)
{
	struct user *u = (struct user *)*state;
	struct monitor *m = begin(u);

	assert_true(OK(monitor_start(m, BABBLES)));
	RUN_UNTIL(u, heard.ended[BABBLES] == 1);
	assert_true(WIFSIGNALED(heard.status[BABBLES]));
	assert_int_equal(heard.messages, 0);
	finish(u, m);
}

static void stopped_and_started_again(void **state)
{
	struct user *u = (struct user *)*state;
	struct monitor *m = begin(u);
	int first;

	assert_true(OK(monitor_start(m, ECHOES)));
	first = monitor_pid(m, ECHOES);
	monitor_stop(m, ECHOES, true);
	RUN_UNTIL(u, heard.started[ECHOES] == 2);
	assert_int_equal(heard.expected[ECHOES], 1);
	assert_int_not_equal(monitor_pid(m, ECHOES), first);
	assert_true(OK(monitor_send(m, ECHOES, 6, span_text("x"), -1)));
	RUN_UNTIL(u, heard.messages == 1);
	finish(u, m);
}

static void one_that_does_not_stop_is_killed(void **state)
{
	struct user *u = (struct user *)*state;
	struct monitor *m = begin(u);

	assert_true(OK(monitor_start(m, DEAF)));
	monitor_stop(m, DEAF, false);
	RUN_UNTIL(u, heard.ended[DEAF] == 1);
	assert_true(WIFSIGNALED(heard.status[DEAF]) && WTERMSIG(heard.status[DEAF]) == SIGKILL);
	finish(u, m);
}

static void killed_it_comes_again(void **state)
{
	struct user *u = (struct user *)*state;
	struct monitor *m = begin(u);

	assert_true(OK(monitor_start(m, DEAF)));
	monitor_kill(m, DEAF);
	RUN_UNTIL(u, heard.started[DEAF] == 2);
	assert_int_equal(heard.expected[DEAF], 0);
	finish(u, m);
}

static void what_it_leaves_behind_is_killed(void **state)
{
	struct user *u = (struct user *)*state;
	struct monitor *m = begin(u);
	uint32_t pid = 0;

	heard.no_more = true;
	assert_true(OK(monitor_start(m, DEAF)));
	assert_true(OK(monitor_start(m, PARENT)));
	RUN_UNTIL(u, heard.messages == 1);
	memcpy(&pid, heard.last, sizeof pid);
	assert_int_equal(kill((pid_t)pid, 0), 0);
	monitor_kill(m, PARENT);
	RUN_UNTIL(u, heard.ended[PARENT] == 1);
	for (unsigned int i = 0; i < 1000 && kill((pid_t)pid, 0) == 0; i++) {
		(void)poll(NULL, 0, 5);
		process_end_orphans((const int[]){ monitor_pid(m, DEAF) }, 1); /* it may have taken a moment */
	}
	assert_int_equal(kill((pid_t)pid, 0), -1);
	assert_true(monitor_runs(m, DEAF) && kill(monitor_pid(m, DEAF), 0) == 0);
	finish(u, m);
}

static void a_start_that_fails_is_tried_again(void **state)
{
	struct user *u = (struct user *)*state;
	struct monitor *m = begin(u);

	heard.refuse = true;
	assert_int_equal(monitor_start(m, ECHOES).e, ERR_LIMIT);
	monitor_stop(m, ECHOES, true);
	assert_false(monitor_runs(m, ECHOES));
	heard.refuse = false;
	RUN_UNTIL(u, heard.started[ECHOES] == 1);
	finish(u, m);
}

static void signals_are_as_at_first(void **state)
{
	struct user *u = (struct user *)*state;
	struct monitor *m;
	struct sigaction ignore = { .sa_handler = SIG_IGN }, was;

	assert_int_equal(sigaction(SIGSEGV, &ignore, &was), 0);
	m = begin(u);
	assert_true(OK(monitor_start(m, CRASHES)));
	RUN_UNTIL(u, heard.ended[CRASHES] == 1);
	assert_int_not_equal(heard.status[CRASHES], 0);
	finish(u, m);
	assert_int_equal(sigaction(SIGSEGV, &was, NULL), 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, user_start, user_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_process_is_talked_to),
		CASE(descriptors_go_along_and_no_others),
		CASE(one_that_ends_comes_again_after_longer_and_longer),
		CASE(a_crash_is_told_and_the_next_one_starts),
		CASE(one_that_talks_nonsense_is_killed),
		CASE(stopped_and_started_again),
		CASE(one_that_does_not_stop_is_killed),
		CASE(killed_it_comes_again),
		CASE(what_it_leaves_behind_is_killed),
		CASE(a_start_that_fails_is_tried_again),
		CASE(signals_are_as_at_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
