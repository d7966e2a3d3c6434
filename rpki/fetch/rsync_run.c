#include "rpki/fetch/rsync_run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "rpki/fetch/uri.h"

#define SAID_MAX 1000u /* of what it writes to standard error */
#define ARGUMENTS 32u

LOOP_HANDLE_IMPL(rsync_run)

/*
 *   running --> stopped (killed: too late, too much, or nobody wants it) --> reaped
 *      `--------------------------------------------------------------------^
 */
struct rsync_run {
	struct rsync_runner *runner PARENT_FIELD;
	struct rsync_run *next OWNED_FIELD;
	struct rsync_run **at PARENT_FIELD;
	struct dead dead;
	rsync_run_h self;
	struct rsync_events ev;
	pid_t pid;           /* 0: none */
	int out, err, pidfd; /* -1: none */
	watch_h out_watch, err_watch, end_watch;
	timer_h deadline, stall;
	bool heard; /* something since the stall's timer was set */
	bool stopped, reaped, mute; /* mute: nobody is to be told */
	enum err why;
	struct strbuf *said OWNED_FIELD;
	uint64_t octets, length; /* length: of the line that is read */
	uint32_t files;
	bool in_length;          /* the digits at the start of a line */
};

struct rsync_runner {
	struct loop *loop PARENT_FIELD;
	struct rsync_options o;
	char *command OWNED_FIELD, *proxy OWNED_FIELD; /* proxy: "RSYNC_PROXY=..." */
	struct rsync_counts counts;
	struct rsync_run *runs OWNED_FIELD;
};

struct rsync_options rsync_options_default(void)
{
	return (struct rsync_options){ .command = "rsync", .connect_s = 15, .io_s = 30,
		.deadline_ms = 300000, .stall_ms = 45000, .object_octets = 8u << 20, .octets = 2ull << 30,
		.files = 1000000 };
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

static void run_free(struct rsync_run *r) TAKES(1);
static void run_free(struct rsync_run *r)
{
	if (r == NULL)
		return;
	close_fd(&r->out);
	close_fd(&r->err);
	close_fd(&r->pidfd);
	strbuf_free(r->said);
	mem_free(r);
}
DEFINE_AUTO(struct rsync_run, run_free)

static void run_bury(struct dead *d)
{
	run_free(PARENT_OF(d, struct rsync_run, dead));
}

/* Its first process has ended, or is about to: the group goes first. Returns the status that waitpid gives, -1 when there is none. */
static int reap(struct rsync_run *r)
{
	int status = -1;
	pid_t got;

	if (r->pid == 0 || r->reaped)
		return -1;
	(void)kill(-r->pid, SIGKILL);
	do
		got = waitpid(r->pid, &status, 0);
	while (got < 0 && errno == EINTR);
	r->reaped = true;
	return got == r->pid ? status : -1;
}

static void run_close(struct rsync_run *r)
{
	struct loop *l = r->runner->loop;

	rsync_run_retire(l, r->self);
	loop_unwatch(l, &r->out_watch);
	loop_unwatch(l, &r->err_watch);
	loop_unwatch(l, &r->end_watch);
	loop_timer_stop(l, &r->deadline);
	loop_timer_stop(l, &r->stall);
	*r->at = r->next;
	if (r->next != NULL)
		r->next->at = r->at;
	r->next = NULL;
	loop_bury(l, &r->dead, run_bury);
}

/* Kills it; its end comes by end_watch. */
static void stop(struct rsync_run *r, enum err why)
{
	if (r->stopped)
		return;
	r->stopped = true;
	r->why = why;
	(void)kill(-r->pid, SIGKILL);
}

/* ------------------------------------------------------------------------------------------------------------ its outputs */

/* Standard output has a line "OCTETS CHANGES NAME" for each file and folder. */
static void count(struct rsync_run *r, struct span s)
{
	const struct rsync_options *o = &r->runner->o;
	struct reader in = reader_of(s);

	r->heard = true;
	while (!reader_end(&in) && !r->stopped) {
		uint8_t c = read8(&in);

		if (c == '\n') {
			r->octets += r->length;
			r->files++;
			r->runner->counts.octets += r->length;
			r->runner->counts.files++;
			r->length = 0;
			r->in_length = true;
		} else if (r->in_length && c >= '0' && c <= '9' && r->length < UINT64_MAX / 100) {
			r->length = r->length * 10 + (uint64_t)(c - '0');
		} else {
			r->in_length = false;
		}
		if (r->files > o->files || r->octets > o->octets)
			stop(r, ERR_LIMIT);
	}
}

static void keep_said(struct rsync_run *r, struct span s)
{
	size_t room = SAID_MAX - strbuf_len(r->said);

	strbuf_add(r->said, s.p, s.n < room ? s.n : room);
}

/* Reads what is there. False: the other end is closed. */
static bool read_some(struct rsync_run *r, int fd, void (*hear)(struct rsync_run *r, struct span s))
{
	uint8_t room[4096];

	for (unsigned int i = 0; i < 16; i++) {
		ssize_t n = read(fd, room, sizeof room);

		if (n <= 0)
			return n < 0 && (errno == EAGAIN || errno == EINTR);
		hear(r, span_of(room, (size_t)n));
	}
	return true;
}

static void on_out(struct loop *l, void *object, unsigned int events)
{
	struct rsync_run *r = (struct rsync_run *)object;

	(void)events;
	if (!read_some(r, r->out, count))
		loop_unwatch(l, &r->out_watch);
}

static void on_err(struct loop *l, void *object, unsigned int events)
{
	struct rsync_run *r = (struct rsync_run *)object;

	(void)events;
	if (!read_some(r, r->err, keep_said))
		loop_unwatch(l, &r->err_watch);
}

/* ----------------------------------------------------------------------------------------------------------------- its end */

static void on_deadline(struct loop *l, void *object)
{
	struct rsync_run *r = (struct rsync_run *)object;

	(void)l;
	r->runner->counts.too_late++;
	stop(r, ERR_TIMEOUT);
}

static void arm_stall(struct rsync_run *r);

static void on_stall(struct loop *l, void *object)
{
	struct rsync_run *r = (struct rsync_run *)object;

	(void)l;
	if (r->heard) {
		arm_stall(r);
		return;
	}
	r->runner->counts.too_slow++;
	stop(r, ERR_TIMEOUT);
}

static void arm_stall(struct rsync_run *r)
{
	r->heard = false;
	if (r->runner->o.stall_ms > 0 && !OK(loop_timer(r->runner->loop, &rsync_run_loop_type, r->self.v, on_stall, r->runner->o.stall_ms, &r->stall)))
		stop(r, ERR_NOMEM);
}

/* The first line of what it said, without what does not belong into a line. */
static void first_line(const struct rsync_run *r, char *to, size_t size)
{
	struct span s = strbuf_span(r->said);
	size_t n = 0;

	while (n + 1 < size && n < s.n && s.p[n] != '\n') {
		to[n] = s.p[n] >= 0x20 && s.p[n] < 0x7f ? (char)s.p[n] : '?';
		n++;
	}
	to[n] = '\0';
}

static enum err verdict(const struct rsync_run *r, int status, char *why, size_t size)
{
	char line[200];

	first_line(r, line, sizeof line);
	if (r->stopped) {
		(void)snprintf(why, size, "%s", r->why == ERR_TIMEOUT ? "rsync took too long" : "rsync brought too much");
		return r->why;
	}
	if (status != -1 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return ERR_NONE;
	if (status != -1 && WIFEXITED(status))
		(void)snprintf(why, size, "rsync ended with %d: %s", WEXITSTATUS(status), line);
	else
		(void)snprintf(why, size, "rsync was killed: %s", line);
	return ERR_SYSTEM;
}

static void on_end(struct loop *l, void *object, unsigned int events)
{
	struct rsync_run *r = (struct rsync_run *)object;
	char why[300] = "";
	int status = reap(r);
	enum err e;
	void *who;

	(void)events;
	(void)read_some(r, r->out, count); /* what is still in the pipes */
	(void)read_some(r, r->err, keep_said);
	e = verdict(r, status, why, sizeof why);
	r->runner->counts.failed += e != ERR_NONE;
	r->runner->counts.too_large += e == ERR_LIMIT;
	who = r->mute ? NULL : loop_slot_get(l, r->ev.type, r->ev.who);
	run_close(r);
	if (who != NULL)
		r->ev.ended(l, who, r->self, e, why);
}

/* ------------------------------------------------------------------------------------------------------------ its beginning */

/* Pipes of which the end that is ours does not block, and no other child gets either. */
static RESULT make_pipe(int *ret_read, int *ret_write)
{
	int fd[2];

	if (pipe2(fd, O_CLOEXEC) != 0)
		return FAIL(ERR_SYSTEM);
	*ret_read = fd[0];
	*ret_write = fd[1];
	return fcntl(fd[0], F_SETFL, O_NONBLOCK) == 0 ? DONE : FAIL(ERR_SYSTEM);
}

struct words { /* the child's arguments: texts of others, during the call */
	const char *w[ARGUMENTS] BORROWED_FIELD;
	size_t n;
};

static void say(struct words *a, const char *word)
{
	if (a->n < ARGUMENTS - 1)
		a->w[a->n++] = word;
}

static RESULT spawn_with(struct rsync_run *r, const struct words *a, posix_spawn_file_actions_t *files, posix_spawnattr_t *attr)
{
	static const char *const fixed[] = { "PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", NULL, NULL };
	const char *environment[4];
	char *const *argv, *const *envp;
	sigset_t none, all;
	int e;

	memcpy(environment, fixed, sizeof environment);
	environment[2] = r->runner->proxy;
	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	(void)posix_spawnattr_setflags(attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	(void)posix_spawnattr_setpgroup(attr, 0);
	(void)posix_spawnattr_setsigmask(attr, &none);
	(void)posix_spawnattr_setsigdefault(attr, &all);
	memcpy(&argv, &(const char *const *){ a->w }, sizeof argv); /* POSIX: they are not written */
	memcpy(&envp, &(const char *const *){ environment }, sizeof envp);
	e = posix_spawn(&r->pid, r->runner->command, files, attr, argv, envp);
	if (e != 0) {
		r->pid = 0;
		errno = e;
		return FAIL(e == ENOENT ? ERR_NOTFOUND : ERR_SYSTEM);
	}
	return DONE;
}

static RESULT spawn(struct rsync_run *r, const struct words *a, int out, int err)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	struct result x = FAIL(ERR_NOMEM);

	if (posix_spawn_file_actions_init(&files) != 0)
		return x;
	if (posix_spawnattr_init(&attr) == 0) {
		if (posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0) == 0 && posix_spawn_file_actions_adddup2(&files, out, 1) == 0 &&
		    posix_spawn_file_actions_adddup2(&files, err, 2) == 0)
			x = spawn_with(r, a, &files, &attr);
		(void)posix_spawnattr_destroy(&attr);
	}
	(void)posix_spawn_file_actions_destroy(&files);
	return x;
}

static RESULT start(struct rsync_run *r, const char *uri, const char *dir, uint32_t connect_s)
{
	const struct rsync_options *o = &r->runner->o;
	AUTO_CHARS char *size = mem_printf("--max-size=%u", o->object_octets);
	AUTO_CHARS char *connect = mem_printf("--contimeout=%u", connect_s > 0 ? connect_s : o->connect_s);
	AUTO_CHARS char *timeout = mem_printf("--timeout=%u", o->io_s);
	AUTO_CHARS char *to = mem_printf("%s/", dir);
	struct words a = { .n = 0 };
	int out = -1, err = -1;
	struct result x;

	if (size == NULL || connect == NULL || timeout == NULL || to == NULL)
		return FAIL(ERR_NOMEM);
	say(&a, "rsync");
	say(&a, "-rt");
	say(&a, "-ii"); /* each file is named, known ones too: so it is seen how many there are, and that it goes on */
	say(&a, "--no-motd");
	say(&a, "--out-format=%l %i %n");
	say(&a, size);
	say(&a, connect);
	say(&a, timeout);
	if (uri[strlen(uri) - 1] == '/')
		say(&a, "--delete");
	say(&a, "--");
	say(&a, uri);
	say(&a, to);
	x = make_pipe(&r->out, &out);
	if (OK(x))
		x = make_pipe(&r->err, &err);
	if (OK(x))
		x = spawn(r, &a, out, err);
	close_fd(&out);
	close_fd(&err);
	return x;
}

static RESULT watch(struct rsync_run *r)
{
	struct loop *l = r->runner->loop;

	r->pidfd = pidfd_open(r->pid, 0);
	if (r->pidfd < 0)
		return FAIL(ERR_SYSTEM);
	TRY(loop_watch(l, &rsync_run_loop_type, r->self.v, r->out, LOOP_READ, on_out, &r->out_watch));
	TRY(loop_watch(l, &rsync_run_loop_type, r->self.v, r->err, LOOP_READ, on_err, &r->err_watch));
	TRY(loop_watch(l, &rsync_run_loop_type, r->self.v, r->pidfd, LOOP_READ, on_end, &r->end_watch));
	TRY(loop_timer(l, &rsync_run_loop_type, r->self.v, on_deadline, r->runner->o.deadline_ms, &r->deadline));
	arm_stall(r);
	return DONE;
}

RESULT rsync_run(struct rsync_runner *x, const char *uri, const char *dir, uint32_t connect_s, const struct rsync_events *ev, rsync_run_h *ret)
{
	AUTO(run_free) struct rsync_run *made = NULL;
	struct rsync_run *r;
	struct result done;

	if ((!rsync_uri_ok(span_text(uri)) && !rsync_folder_ok(span_text(uri))) || dir[0] != '/')
		return FAIL(ERR_FORMAT);
	made = (struct rsync_run *)mem_alloc(sizeof *made);
	if (made == NULL)
		return FAIL(ERR_NOMEM);
	r = made;
	r->out = r->err = r->pidfd = -1;
	r->runner = x;
	r->ev = *ev;
	r->in_length = true;
	r->said = strbuf_new(SAID_MAX);
	if (r->said == NULL)
		return FAIL(ERR_NOMEM);
	r->self = rsync_run_enlist(x->loop, r);
	if (r->self.v == 0)
		return FAIL(ERR_NOMEM);
	done = start(r, uri, dir, connect_s);
	r->next = x->runs;
	if (r->next != NULL)
		r->next->at = &r->next;
	r->at = &x->runs;
	x->runs = MOVE(made);
	if (OK(done))
		done = watch(r);
	if (!OK(done)) {
		int kept = errno;

		(void)reap(r);
		run_close(r);
		errno = kept;
		return done;
	}
	x->counts.runs++;
	*ret = r->self;
	return DONE;
}

void rsync_stop(struct rsync_runner *x, rsync_run_h h)
{
	struct rsync_run *r = rsync_run_get(x->loop, h);

	if (r == NULL)
		return;
	r->mute = true;
	stop(r, ERR_CLOSED);
}

/* ------------------------------------------------------------------------------------------------------------------- whole */

void rsync_runner_free(struct rsync_runner *x)
{
	if (x == NULL)
		return;
	while (x->runs != NULL) {
		(void)reap(x->runs);
		run_close(x->runs);
	}
	mem_free(x->command);
	mem_free(x->proxy);
	mem_free(x);
}

/* The command's path: no search by an environment that somebody else has set. */
static char *find_command(const char *command) OWNED_BY(mem_free);
static char *find_command(const char *command)
{
	static const char *const folders[] = { "/usr/local/bin", "/usr/bin", "/bin" };

	if (strchr(command, '/') != NULL)
		return mem_strdup(command);
	for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
		AUTO_CHARS char *path = mem_printf("%s/%s", folders[i], command);

		if (path == NULL)
			return NULL;
		if (access(path, X_OK) == 0)
			return MOVE(path);
	}
	return mem_printf("/usr/bin/%s", command); /* which is not there: rsync_run says so */
}

struct rsync_runner *rsync_runner_new(struct loop *l, const struct rsync_options *o)
{
	AUTO(rsync_runner_free) struct rsync_runner *x = (struct rsync_runner *)mem_alloc(sizeof *x);

	if (x == NULL)
		return NULL;
	x->loop = l;
	x->o = *o;
	x->command = find_command(o->command);
	x->proxy = o->proxy != NULL ? mem_printf("RSYNC_PROXY=%s", o->proxy) : NULL;
	if (x->command == NULL || (o->proxy != NULL && x->proxy == NULL))
		return NULL;
	return MOVE(x);
}

const struct rsync_counts *rsync_counts(const struct rsync_runner *x)
{
	return &x->counts;
}
