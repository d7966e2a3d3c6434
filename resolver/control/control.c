#include "resolver/control/control.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/log.h"
#include "base/mem.h"
#include "resolver/control/verbs.h"

#define SESSIONS_MAX 64      /* at once; the next one is closed */
#define SESSION_MS 600000    /* from connect to the end of the reply */
#define READ_OCTETS 65536
#define OUT_LOW (64u << 10)  /* below it a stepwise reply is made longer */
#define BACKLOG 16

LOOP_HANDLE(control)
LOOP_HANDLE_IMPL(control)
LOOP_HANDLE(control_session)
LOOP_HANDLE_IMPL(control_session)

struct listener {
	int fd;
	watch_h watch;
	char *path OWNED_FIELD; /* of a Unix socket, removed at the end */
};

struct control_session {
	struct control *control PARENT_FIELD;
	struct control_session *next OWNED_FIELD;
	struct control_session **at PARENT_FIELD;
	struct dead dead;
	control_session_h self;
	int fd;
	bool closed, running;
	bool writing; /* the watch is for writing, not reading */
	watch_h watch;
	timer_h deadline;
	struct request_lines lines;
	struct command *command OWNED_FIELD; /* closed with the session */
};

struct control {
	struct daemon *daemon PARENT_FIELD;
	struct loop *loop PARENT_FIELD;
	control_h self;
	struct dead dead;
	struct listener *listeners OWNED_FIELD;
	size_t listener_count, listener_room;
	struct control_session *sessions OWNED_FIELD;
	size_t session_count;
};

/* ---- sessions --------------------------------------------------------------------------------------------------------------------------- */

static void session_free(struct control_session *s) TAKES(1);
static void session_free(struct control_session *s)
{
	if (s == NULL)
		return;
	request_lines_done(&s->lines);
	mem_free(s);
}
DEFINE_AUTO(struct control_session, session_free)

static void session_bury(struct dead *d) TAKES(1);
static void session_bury(struct dead *d)
{
	struct control_session *s = PARENT_OF(d, struct control_session, dead);

	session_free(s);
}

static void session_close(struct control_session *s)
{
	struct loop *l = s->control->loop;

	if (s->closed)
		return;
	s->closed = true;
	control_session_retire(l, s->self);
	loop_timer_stop(l, &s->deadline);
	loop_unwatch(l, &s->watch);
	(void)close(s->fd);
	if (s->command != NULL) {
		command_close(s->command);
		s->command = NULL;
	}
	*s->at = s->next;
	if (s->next != NULL)
		s->next->at = s->at;
	s->control->session_count--;
	loop_bury(l, &s->dead, session_bury);
}

static void on_ready(struct loop *l, void *object, unsigned int events);

static void watch_for(struct control_session *s, bool writing)
{
	struct loop *l = s->control->loop;

	if (s->writing == writing)
		return;
	loop_unwatch(l, &s->watch);
	s->writing = writing;
	if (!OK(loop_watch(l, &control_session_loop_type, s->self.v, s->fd, writing ? LOOP_WRITE : LOOP_READ, on_ready, &s->watch)))
		session_close(s);
}

/* Sends what there is, makes more while there is more, and ends the session when all is sent. */
static void send_reply(struct control_session *s)
{
	struct command *c = s->command;

	for (;;) {
		struct span out;
		ssize_t n;

		while (c->step != NULL && strbuf_len(c->out) < OUT_LOW) {
			if (c->step(c))
				c->step = NULL;
		}
		out = strbuf_span(c->out);
		if (out.n == 0 || !strbuf_ok(c->out))
			break;
		n = send(s->fd, out.p, out.n, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
			watch_for(s, true);
			return;
		}
		if (n < 0)
			break;
		strbuf_drop(c->out, (size_t)n);
		if (strbuf_len(c->out) == 0 && c->step != NULL) {
			watch_for(s, true); /* the next slice in another turn */
			return;
		}
	}
	if (!c->waiting && c->line == NULL)
		session_close(s);
}

static void reply_ready(struct loop *l, void *ctx, struct command *c)
{
	struct control_session *s = ctx;

	(void)l;
	if (s->command == c)
		send_reply(s);
}

static void run_command(struct control_session *s, struct span line)
{
	const char *problem;
	struct result r;

	s->command = command_new(s->control->daemon);
	if (s->command == NULL) {
		session_close(s);
		return;
	}
	s->command->ready = reply_ready;
	s->command->ready_ctx = s;
	r = request_words_read(line, &s->command->words, &problem);
	if (OK(r))
		command_run(s->command);
	else if (r.e == ERR_NOMEM)
		reply_error(s->command, "out of memory");
	else
		reply_error(s->command, "expected %s", problem);
	if (s->command->line == NULL)
		send_reply(s);
}

static void take_lines(struct control_session *s)
{
	struct span line;

	while (!s->closed && request_lines_next(&s->lines, &line)) {
		struct command *c = s->command;

		if (c == NULL) {
			run_command(s, line);
		} else if (c->line != NULL) {
			c->line(c, request_line_is_end(line) ? span_of(NULL, 0) : line.n == 0 ? span_of("", 0) : line);
			if (c->line == NULL)
				send_reply(s);
		}
	}
}

static void read_more(struct control_session *s)
{
	uint8_t octets[READ_OCTETS];
	ssize_t n = recv(s->fd, octets, sizeof octets, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		/* A client that closes its side after the last line, without the end mark, means the end of its lines. */
		if (n == 0 && s->command != NULL && s->command->line != NULL) {
			s->command->line(s->command, span_of(NULL, 0));
			send_reply(s);
		} else {
			session_close(s);
		}
		return;
	}
	if (!OK(request_lines_add(&s->lines, span_of(octets, (size_t)n)))) {
		session_close(s);
		return;
	}
	take_lines(s);
}

static void on_ready(struct loop *l, void *object, unsigned int events)
{
	struct control_session *s = object;

	(void)l, (void)events;
	if (s->writing)
		send_reply(s);
	else
		read_more(s);
}

static void on_deadline(struct loop *l, void *object)
{
	struct control_session *s = object;

	(void)l;
	session_close(s);
}

static void session_open(struct control *c, int fd)
{
	AUTO(session_free) struct control_session *made = (struct control_session *)mem_alloc(sizeof *made);
	struct control_session *s = made;

	if (s == NULL || !OK(request_lines_init(&s->lines))) {
		(void)close(fd);
		return;
	}
	s->control = c;
	s->fd = fd;
	s->next = c->sessions;
	if (c->sessions != NULL)
		c->sessions->at = &s->next;
	s->at = &c->sessions;
	c->sessions = MOVE(made);
	c->session_count++;
	s->self = control_session_enlist(c->loop, s);
	if (s->self.v == 0 || !OK(loop_watch(c->loop, &control_session_loop_type, s->self.v, fd, LOOP_READ, on_ready, &s->watch)) ||
	    !OK(loop_timer(c->loop, &control_session_loop_type, s->self.v, on_deadline, SESSION_MS, &s->deadline)))
		session_close(s);
}

/* ---- listening ---------------------------------------------------------------------------------------------------------------------------- */

static void on_connection(struct loop *l, void *object, unsigned int events)
{
	struct control *c = object;

	(void)l, (void)events;
	for (size_t i = 0; i < c->listener_count; i++) {
		int fd = accept4(c->listeners[i].fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0)
			continue;
		if (c->session_count >= SESSIONS_MAX)
			(void)close(fd);
		else
			session_open(c, fd);
	}
}

static int listen_path(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct stat st;
	mode_t mask;
	int fd, r;

	if (strlen(path) >= sizeof at.sun_path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(at.sun_path, path, strlen(path) + 1);
	/* What an earlier run left there goes; anything but a socket stays. */
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		(void)unlink(path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	mask = umask(0117);
	r = bind(fd, (const struct sockaddr *)&at, sizeof at);
	(void)umask(mask);
	if (r == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	if (r == 0) {
		r = errno;
		(void)unlink(path); /* which bind() has made */
		errno = r;
	}
	r = errno;
	(void)close(fd);
	errno = r;
	return -1;
}

static int listen_address(const struct endpoint *e)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(e->port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(e->port) };
	int one = 1, r, fd;

	if (!addr_is_loopback(&e->a)) {
		errno = EACCES; /* the protocol without TLS is for this host alone */
		return -1;
	}
	fd = socket(e->a.family == ADDR_V4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	memcpy(&v4.sin_addr, e->a.b, 4);
	memcpy(&v6.sin6_addr, e->a.b, 16);
	r = e->a.family == ADDR_V4 ? bind(fd, (const struct sockaddr *)&v4, sizeof v4) : bind(fd, (const struct sockaddr *)&v6, sizeof v6);
	if (r == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	r = errno;
	(void)close(fd);
	errno = r;
	return -1;
}

static RESULT add_listener(struct control *c, const char *where, uint16_t port)
{
	struct listener *li;
	struct endpoint e;
	void *room = c->listeners;
	bool is_path = strchr(where, '/') != NULL;
	AUTO_CHARS char *path = is_path ? mem_strdup(where) : NULL;

	if (is_path && path == NULL)
		return FAIL(ERR_NOMEM);
	if (c->listener_count == c->listener_room) {
		TRY(mem_resize(&room, c->listener_room, c->listener_room + 4, sizeof *c->listeners));
		c->listeners = room;
		c->listener_room += 4;
	}
	li = &c->listeners[c->listener_count];
	*li = (struct listener){ .fd = -1 };
	if (is_path)
		li->fd = listen_path(where);
	else if (OK(endpoint_parse(where, port, &e)))
		li->fd = listen_address(&e);
	else
		errno = EINVAL;
	if (li->fd < 0) {
		log_warn("control socket %s cannot be opened: %s", where, strerror(errno));
		return DONE;
	}
	if (is_path)
		li->path = MOVE(path);
	c->listener_count++;
	return loop_watch(c->loop, &control_loop_type, c->self.v, li->fd, LOOP_READ, on_connection, &li->watch);
}

void control_close(struct control *c)
{
	if (c == NULL)
		return;
	while (c->sessions != NULL)
		session_close(c->sessions);
	for (size_t i = 0; i < c->listener_count; i++) {
		loop_unwatch(c->loop, &c->listeners[i].watch);
		(void)close(c->listeners[i].fd);
		if (c->listeners[i].path != NULL)
			(void)unlink(c->listeners[i].path);
		mem_free(MOVE(c->listeners[i].path));
	}
	if (c->self.v != 0)
		control_retire(c->loop, c->self);
	mem_free(MOVE(c->listeners));
	mem_free(c);
}

DEFINE_AUTO(struct control, control_close)

/* The daemon goes on without. */
static struct control *refuse(enum err e) OWNED_BY(control_close);
static struct control *refuse(enum err e)
{
	log_error("control: there is no control socket: %s", err_text(e));
	return NULL;
}

struct control *control_open(struct daemon *d)
{
	AUTO(control_close) struct control *c = NULL;
	const struct conf_clause *remote = conf_single(daemon_plan(d)->conf, CLAUSE_REMOTE_CONTROL);

	if (!conf_bool(remote, OPT_REMOTE_CONTROL_CONTROL_ENABLE))
		return NULL;
	c = (struct control *)mem_alloc(sizeof *c);
	if (c == NULL)
		return refuse(ERR_NOMEM);
	c->daemon = d;
	c->loop = daemon_loop(d);
	c->self = control_enlist(c->loop, c);
	if (c->self.v == 0)
		return refuse(ERR_NOMEM);
	for (size_t i = 0; i < conf_count(remote, OPT_REMOTE_CONTROL_CONTROL_INTERFACE); i++) {
		struct result r = add_listener(c, conf_item(remote, OPT_REMOTE_CONTROL_CONTROL_INTERFACE, i),
		    (uint16_t)conf_int(remote, OPT_REMOTE_CONTROL_CONTROL_PORT));

		if (!OK(r))
			return refuse(r.e);
	}
	return MOVE(c);
}
