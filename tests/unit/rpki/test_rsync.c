/* rsync as a child, with scripts in its place, and the folder that it leaves. */
#include "tests/unit/net/net_test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/strbuf.h"
#include "rpki/fetch/rsync_run.h"
#include "rpki/fetch/rsync_tree.h"
#include "tests/unit/top.h"

LOOP_HANDLE_IMPL(user)

struct heard {
	unsigned int ended;
	enum err e;
	char why[300];
};

static struct heard heard;

static void on_ended(struct loop *l, void *object, rsync_run_h r, enum err e, const char *why)
{
	(void)l, (void)object, (void)r;
	heard.ended++;
	heard.e = e;
	(void)snprintf(heard.why, sizeof heard.why, "%s", why);
}

static void put(const char *name, const char *text, mode_t mode)
{
	write_file(path(name), span_text(text), mode);
}

static char *read_text(const char *name)
{
	static char room[2000];
	int fd = open(path(name), O_RDONLY | O_CLOEXEC);
	ssize_t n;

	room[0] = '\0';
	if (fd < 0)
		return room;
	n = read(fd, room, sizeof room - 1);
	room[n > 0 ? n : 0] = '\0';
	(void)close(fd);
	return room;
}

static struct rsync_options options(const char *script)
{
	struct rsync_options o = rsync_options_default();

	put("script", script, 0700);
	o.command = path("script");
	return o;
}

static struct rsync_runner *begin(struct user *u, const struct rsync_options *o, rsync_run_h *run)
{
	struct rsync_runner *x = rsync_runner_new(u->loop, o);
	struct rsync_events ev = { .type = &user_loop_type, .who = u->self.v, .ended = on_ended };

	assert_non_null(x);
	heard = (struct heard){ 0 };
	assert_true(OK(rsync_run(x, "rsync://h.example/m/", path("tree"), 0, &ev, run)));
	return x;
}

static void run(struct user *u, const struct rsync_options *o, enum err e, const char *why)
{
	rsync_run_h h;
	struct rsync_runner *x = begin(u, o, &h);

	RUN_UNTIL(u, heard.ended > 0);
	if (heard.e != e || strstr(heard.why, why) == NULL)
		fail_msg("error %d: %s", heard.e, heard.why);
	assert_int_equal(rsync_counts(x)->runs, 1);
	assert_int_equal(rsync_counts(x)->failed, e != ERR_NONE);
	rsync_runner_free(x);
}

static void it_is_begun_as_it_should_be(void **state)
{
	struct user *u = (struct user *)*state;
	char script[600];
	struct rsync_options o;

	(void)snprintf(script, sizeof script, "#!/bin/sh\ncd '%s'\necho \"$@\" > args\nenv > env\nls -l /proc/self/fd > fds\ncat > in\necho '17 a'\necho '5 b c'\n", top);
	o = options(script);
	o.proxy = "proxy.example:3128";
	run(u, &o, ERR_NONE, "");
	assert_string_equal(read_text("args"),
		strcat(strcat(strcpy((char[300]){ "" }, "-rt -ii --no-motd --out-format=%l %i %n --max-size=8388608 --contimeout=15 --timeout=30 --delete -- rsync://h.example/m/ "), path("tree")),
			"/\n"));
	assert_non_null(strstr(read_text("env"), "RSYNC_PROXY=proxy.example:3128\n"));
	assert_null(strstr(read_text("env"), "HOME="));
	assert_string_equal(read_text("in"), "");
	assert_null(strstr(read_text("fds"), "eventpoll")); /* nothing of ours */
}

static void what_goes_wrong_is_told(void **state)
{
	struct user *u = (struct user *)*state;
	struct rsync_options o = options("#!/bin/sh\nprintf 'rsync: no\\033 such module\\nmore\\n' >&2\nexit 5\n");

	run(u, &o, ERR_SYSTEM, "rsync ended with 5: rsync: no? such module");
	o = options("#!/bin/sh\nkill -9 $$\n");
	run(u, &o, ERR_SYSTEM, "killed");
}

/* The process whose number is in a file is gone; init may need a moment to say so. */
static bool gone(const char *name)
{
	pid_t pid = (pid_t)strtol(read_text(name), NULL, 10);

	assert_true(pid > 1);
	for (unsigned int i = 0; i < 2000; i++) {
		char proc[64], line[200] = "";
		int fd;

		(void)snprintf(proc, sizeof proc, "/proc/%d/stat", (int)pid);
		fd = open(proc, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return true;
		if (read(fd, line, sizeof line - 1) > 0 && strstr(line, ") Z ") != NULL) {
			(void)close(fd);
			return true; /* dead, and not yet reaped by whoever inherited it */
		}
		(void)close(fd);
		(void)usleep(1000);
	}
	return false;
}

static const char *sleeper(void)
{
	static char script[300];

	(void)unlink(path("other"));
	(void)snprintf(script, sizeof script, "#!/bin/sh\ntrap '' TERM\nsleep 600 &\necho $! > '%s/other'\necho '1 begun'\n", top);
	return script;
}

static void its_whole_group_ends_with_it(void **state)
{
	struct user *u = (struct user *)*state;
	struct rsync_options o = options(sleeper());

	run(u, &o, ERR_NONE, ""); /* the script ends, what it began does not */
	assert_true(gone("other"));
}

static void it_may_not_take_too_long(void **state)
{
	struct user *u = (struct user *)*state;
	char script[400];
	struct rsync_options o;

	(void)snprintf(script, sizeof script, "%swait\n", sleeper());
	o = options(script);
	o.deadline_ms = 300;
	run(u, &o, ERR_TIMEOUT, "too long");
	assert_true(gone("other"));
}

static void it_may_not_stall(void **state)
{
	struct user *u = (struct user *)*state;
	struct rsync_options o = options("#!/bin/sh\nfor i in 1 2 3 4 5 6; do echo \"1 .f $i\"; sleep 0.2; done\n");

	o.stall_ms = 900;
	run(u, &o, ERR_NONE, "");
	o = options("#!/bin/sh\necho '1 .f a'\nsleep 600\n");
	o.stall_ms = 200;
	run(u, &o, ERR_TIMEOUT, "too long");
}

static void it_may_not_bring_too_much(void **state)
{
	struct user *u = (struct user *)*state;
	struct rsync_options o = options("#!/bin/sh\necho '600 a'\necho '401 b'\nsleep 600\n");

	o.octets = 1000;
	run(u, &o, ERR_LIMIT, "too much");
	o = options("#!/bin/sh\nwhile echo '1 a'; do :; done\n");
	o.files = 1000;
	run(u, &o, ERR_LIMIT, "too much");
	o = options("#!/bin/sh\necho '600 a'\necho '400 b'\necho 'no number'\n");
	o.octets = 1000;
	run(u, &o, ERR_NONE, "");
}

static void who_asked_may_stop_it(void **state)
{
	struct user *u = (struct user *)*state;
	struct rsync_options o = options(sleeper());
	rsync_run_h h;
	struct rsync_runner *x;
	char script[400];

	(void)snprintf(script, sizeof script, "%swait\n", sleeper());
	o = options(script);
	x = begin(u, &o, &h);
	RUN_UNTIL(u, rsync_counts(x)->files > 0);
	rsync_stop(x, h);
	rsync_stop(x, h);
	RUN_UNTIL(u, rsync_run_get(u->loop, h) == NULL);
	assert_int_equal(heard.ended, 0);
	assert_true(gone("other"));
	rsync_runner_free(x);
	x = begin(u, &o, &h);
	RUN_UNTIL(u, rsync_counts(x)->files > 0);
	rsync_runner_free(x); /* with one that runs */
	assert_true(gone("other"));
	assert_int_equal(heard.ended, 0);
}

static void what_cannot_be_run(void **state)
{
	struct user *u = (struct user *)*state;
	struct rsync_options o = options("");
	struct rsync_events ev = { .type = &user_loop_type, .who = u->self.v, .ended = on_ended };
	struct rsync_runner *x;
	rsync_run_h h;

	o.command = "no-such-command-anywhere";
	x = rsync_runner_new(u->loop, &o);
	assert_non_null(x);
	assert_int_equal(rsync_run(x, "rsync://h/m/", top, 0, &ev, &h).e, ERR_NOTFOUND);
	assert_int_equal(rsync_run(x, "--rsh=x", top, 0, &ev, &h).e, ERR_FORMAT);
	assert_int_equal(rsync_run(x, "rsync://h/m/../x", top, 0, &ev, &h).e, ERR_FORMAT);
	assert_int_equal(rsync_run(x, "h::m", top, 0, &ev, &h).e, ERR_FORMAT);
	assert_int_equal(rsync_run(x, "rsync://h/m/", "here", 0, &ev, &h).e, ERR_FORMAT);
	rsync_runner_free(x);
}

/* --- the folder */

static RESULT list(void *ctx, struct span uri, struct span octets)
{
	struct strbuf *b = (struct strbuf *)ctx;

	strbuf_printf(b, "%.*s=%.*s\n", (int)uri.n, (const char *)uri.p, (int)octets.n, (const char *)octets.p);
	return DONE;
}

static void a_folder_is_read(void **state)
{
	struct rsync_tree_limits limits = rsync_tree_limits_default();
	AUTO(strbuf_free) struct strbuf *b = strbuf_new(10000);
	struct rsync_tree_counts c;
	struct span base = span_text("rsync://h/m/");

	(void)state;
	assert_int_equal(mkdir(path("t"), 0700) | mkdir(path("t/d"), 0700) | mkdir(path("t/d/e"), 0700), 0);
	put("t/a.cer", "A", 0600);
	put("t/d/b.roa", "BB", 0600);
	put("t/d/e/c.mft", "CCC", 0600);
	put("t/large", "0123456789", 0600);
	put("t/.hidden", "H", 0600);
	put("t/d/with blank", "W", 0600);
	assert_int_equal(symlink("/etc/passwd", path("t/link")) | symlink("..", path("t/d/up")) | mkfifo(path("t/fifo"), 0600), 0);
	limits.object_octets = 9;
	assert_true(OK(rsync_tree_read(path("t"), base, &limits, list, b, &c)));
	assert_non_null(strstr(strbuf_text(b), "rsync://h/m/a.cer=A\n"));
	assert_non_null(strstr(strbuf_text(b), "rsync://h/m/d/b.roa=BB\n"));
	assert_non_null(strstr(strbuf_text(b), "rsync://h/m/d/e/c.mft=CCC\n"));
	assert_int_equal(c.files, 3);
	assert_int_equal(c.octets, 6);
	assert_int_equal(c.too_large, 1);
	assert_int_equal(c.odd, 5);
	limits.depth = 2;
	assert_true(OK(rsync_tree_read(path("t"), base, &limits, list, b, &c)));
	assert_true(c.files == 3 && c.odd == 5);
	limits.depth = 1;
	assert_true(OK(rsync_tree_read(path("t"), base, &limits, list, b, &c)));
	assert_true(c.files == 2 && c.odd == 6);
	limits.files = 1;
	assert_int_equal(rsync_tree_read(path("t"), base, &limits, list, b, &c).e, ERR_LIMIT);
	limits.files = 10;
	limits.octets = 2;
	assert_int_equal(rsync_tree_read(path("t"), base, &limits, list, b, &c).e, ERR_LIMIT);
	assert_int_equal(rsync_tree_read(path("none"), base, &limits, list, b, &c).e, ERR_SYSTEM);
	assert_int_equal(rsync_tree_read(path("t/link"), base, &limits, list, b, &c).e, ERR_SYSTEM);
}

static int group_start(void **state)
{
	return make_top(state) == 0 && mkdir(path("tree"), 0700) == 0 ? 0 : -1;
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, user_start, user_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(it_is_begun_as_it_should_be),
		CASE(what_goes_wrong_is_told),
		CASE(its_whole_group_ends_with_it),
		CASE(it_may_not_take_too_long), CASE(it_may_not_stall),
		CASE(it_may_not_bring_too_much),
		CASE(who_asked_may_stop_it),
		CASE(what_cannot_be_run),
		cmocka_unit_test(a_folder_is_read),
	};

	return cmocka_run_group_tests(tests, group_start, remove_top);
}
