/*
 * Who talks to whom:
 *
 *   monitor --- control link of each ---> engine, fetch (HTTPS), rsync, serve
 *   engine ---- one link each ----------> fetch, rsync     (made here, one end to each; made anew when either ends)
 *   engine ---- tables, status ---------> monitor ---> serve
 *
 * The first time that a process ends before it is ready, the program ends with its status: something is wrong with the configuration. Later it is started again.
 */
#include "rpki/daemon.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/loop_event.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/strbuf.h"
#include "rpki/process/child.h"
#include "rpki/process/control.h"
#include "rpki/process/engine_process.h"
#include "rpki/process/fetch_process.h"
#include "rpki/process/fetcher_link.h"
#include "rpki/process/identity.h"
#include "rpki/process/memory_file.h"
#include "rpki/process/operator_verbs.h"
#include "rpki/process/serve_process.h"
#include "rpki/routes/rtr_pdu.h"
#include "rpki/serve/output.h"
#include "rpki/settings.h"

#define REPORT_OCTETS (64u * 1024)
#define ONCE_STARTS 4u       /* of an engine that crashes, with --once */
#define CRASHES_ON_STORE 2u  /* after so many in a row without an end of a run the store is set aside */
#define LINES_PER_TURN 64u

LOOP_HANDLE(rpki_daemon)
LOOP_HANDLE_IMPL(rpki_daemon)

struct rpki_daemon {
	struct setup setup;
	struct rng *rng OWNED_FIELD;
	struct loop *loop OWNED_FIELD;
	struct monitor *monitor OWNED_FIELD;
	rpki_daemon_h self;
	struct monitor_role roles[CHILD_ROLES];
	bool wanted[CHILD_ROLES], was_ready[CHILD_ROLES];
	int snapshot, status_file;   /* the last of each; -1: none */
	int for_child[FETCH_WAYS];   /* the end of the link that the process which is being started gets; -1: none */
	int for_engine[FETCH_WAYS];  /* the other, until the engine runs; -1: none */
	int log_from;                /* what the others have to log; -1: they do it themselves */
	watch_h log_watch;
	unsigned int crashes;        /* of the engine, in a row, without an end of a run */
	bool later, ready, ending;
	int status;
};

static void daemon_free(struct rpki_daemon *d) TAKES(1);
DEFINE_AUTO(struct rpki_daemon, daemon_free)

static const enum child_role role_of_way[FETCH_WAYS] = { [FETCH_BY_HTTPS] = CHILD_HTTPS, [FETCH_BY_RSYNC] = CHILD_RSYNC };

static void close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

/* ----------------------------------------------------------------------------------------------------------- configuration */

static struct rtr_timers timers_of(const struct conf *c)
{
	const struct conf_clause *rtr = conf_single(c, CLAUSE_RTR);

	return (struct rtr_timers){ .refresh = (uint32_t)conf_int(rtr, OPT_RTR_REFRESH), .retry = (uint32_t)conf_int(rtr, OPT_RTR_RETRY),
		.expire = (uint32_t)conf_int(rtr, OPT_RTR_EXPIRE) };
}

static bool may_have_anchors(const struct conf_clause *rpki)
{
	const char *dir = conf_text(rpki, OPT_RPKI_TAL_DIR);

	return conf_count(rpki, OPT_RPKI_TAL) > 0 || (dir != NULL && *dir != '\0');
}

/* A folder that cannot be read is the engine's to complain about. */
static bool has_anchors(const struct conf_clause *rpki)
{
	const char *dir = conf_text(rpki, OPT_RPKI_TAL_DIR);
	bool found = conf_count(rpki, OPT_RPKI_TAL) > 0;
	const struct dirent *e;
	DIR *d;

	if (found || dir == NULL || *dir == '\0')
		return found;
	d = opendir(dir);
	if (d == NULL)
		return true;
	while (!found && (e = readdir(d)) != NULL) {
		size_t n = strlen(e->d_name);

		found = n > 4 && strcmp(e->d_name + n - 4, ".tal") == 0;
	}
	(void)closedir(d);
	return found;
}

/* What nobody should ask for. */
static bool conf_is_usable(const struct conf *c)
{
	const struct conf_clause *rpki = conf_single(c, CLAUSE_RPKI);
	struct rtr_timers t = timers_of(c);

	if (conf_count(rpki, OPT_RPKI_SLURM) == 0 && !may_have_anchors(rpki)) {
		log_error("rpki: there is nothing to serve: no slurm: and no trust anchors");
		return false;
	}
	if (!rtr_timers_sound(&t)) {
		log_error("rtr: found expire: %u, expected more than refresh: %u and retry: %u", t.expire, t.refresh, t.retry);
		return false;
	}
	return true;
}

static RESULT load_conf(const char *path, struct conf **ret_conf)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(REPORT_OCTETS);
	AUTO(conf_free) struct conf *c = NULL;
	struct result r = FAIL(ERR_NOMEM);

	if (report != NULL)
		r = conf_load(path, report, &c);
	if (report != NULL)
		log_lines(OK(r) ? LOG_LEVEL_WARN : LOG_LEVEL_ERROR, "", strbuf_text(report));
	if (!OK(r) && (report == NULL || strbuf_len(report) == 0))
		log_error("%s: %s", path, err_text(r.e));
	TRY(r);
	if (!conf_is_usable(c))
		return FAIL(ERR_FORMAT);
	*ret_conf = MOVE(c);
	return DONE;
}

/* Which processes there are to be. */
static void decide(struct rpki_daemon *d)
{
	const struct conf_clause *rpki = setup_rpki(&d->setup);
	bool fetch;

	d->setup.anchors = has_anchors(rpki);
	fetch = d->setup.anchors && !d->setup.o.offline;
	d->wanted[CHILD_ENGINE] = true;
	d->wanted[CHILD_SERVE] = !d->setup.o.once;
	d->wanted[CHILD_HTTPS] = fetch; /* trust anchors' certificates come so, whatever rrdp: says */
	d->wanted[CHILD_RSYNC] = fetch && conf_bool(rpki, OPT_RPKI_RSYNC);
}

/* ------------------------------------------------------------------------------------------------------------- their ends */

static void end_when_all_have(struct rpki_daemon *d)
{
	for (size_t i = 0; i < CHILD_ROLES; i++)
		if (monitor_runs(d->monitor, i))
			return;
	loop_stop(d->loop);
}

/* A process whose link is closed ends; the one that serves tells its routers first. */
static void end_all(struct rpki_daemon *d, int status)
{
	if (d->ending)
		return;
	d->ending = true;
	d->status = status;
	for (size_t i = 0; i < CHILD_ROLES; i++)
		monitor_stop(d->monitor, i, false);
	end_when_all_have(d);
}

static bool is_crash(int status)
{
	int s = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

	return s == SIGSEGV || s == SIGBUS || s == SIGABRT || s == SIGILL || s == SIGFPE;
}

static void say_how_it_ended(const struct rpki_daemon *d, size_t i, int status)
{
	const char *name = child_name((enum child_role)i);
	uint32_t ms = monitor_pause_ms(d->monitor, i);

	if (WIFSIGNALED(status))
		log_error("%s was killed by signal %d (%s); it is started again in %u.%u s", name, WTERMSIG(status), strsignal(WTERMSIG(status)), ms / 1000, ms % 1000 / 100);
	else
		log_error("%s ended with status %d; it is started again in %u.%u s", name, WEXITSTATUS(status), ms / 1000, ms % 1000 / 100);
}

/* Its fetching is for nobody any more; and perhaps it was the store that it died of. */
static void engine_ended(struct rpki_daemon *d, int status)
{
	for (size_t way = 0; way < FETCH_WAYS; way++) {
		close_fd(&d->for_engine[way]);
		if (d->wanted[role_of_way[way]])
			monitor_stop(d->monitor, role_of_way[way], true);
	}
	if (!is_crash(status) || !d->setup.anchors)
		return;
	d->crashes++;
	if (d->crashes >= CRASHES_ON_STORE) {
		d->setup.set_store_aside = true;
		d->crashes = 0;
	}
}

static bool on_ended(struct loop *l, void *object, size_t i, int status, bool expected)
{
	struct rpki_daemon *d = (struct rpki_daemon *)object;
	bool by_itself = WIFEXITED(status);

	(void)l;
	if (d->ending) {
		end_when_all_have(d);
		return false;
	}
	if (expected)
		return false;
	if (by_itself && (!d->was_ready[i] || (i == CHILD_ENGINE && d->setup.o.once))) {
		end_all(d, WEXITSTATUS(status));
		return false;
	}
	say_how_it_ended(d, i, status);
	if (i == CHILD_ENGINE && d->setup.o.once && monitor_starts(d->monitor, i) >= ONCE_STARTS) {
		end_all(d, 1);
		return false;
	}
	if (i == CHILD_ENGINE)
		engine_ended(d, status);
	return true;
}

/* --------------------------------------------------------------------------------------------------------- their beginnings */

static RESULT link_to_engine(struct rpki_daemon *d, enum fetch_way way)
{
	int ends[2];

	close_fd(&d->for_engine[way]);
	close_fd(&d->for_child[way]);
	TRY(link_pair(ends));
	d->for_child[way] = ends[0];
	d->for_engine[way] = ends[1];
	return DONE;
}

static void connect_engine(struct rpki_daemon *d)
{
	for (size_t way = 0; way < FETCH_WAYS; way++) {
		const uint8_t w = (uint8_t)way;

		if (d->for_engine[way] >= 0 && OK(monitor_send(d->monitor, CHILD_ENGINE, CONTROL_PEER, span_of(&w, 1), d->for_engine[way])))
			close_fd(&d->for_engine[way]);
	}
}

static RESULT on_starting(struct loop *l, void *object, size_t i, struct monitor_along *a)
{
	struct rpki_daemon *d = (struct rpki_daemon *)object;

	(void)l;
	if (d->setup.log_to >= 0)
		a->fds[a->n++] = d->setup.log_to;
	if (i == CHILD_SERVE) {
		for (size_t k = 0; k < d->setup.listeners.n && a->n < MONITOR_ALONG_MAX; k++)
			a->fds[a->n++] = d->setup.listeners.list[k].fd;
	}
	for (size_t way = 0; way < FETCH_WAYS; way++) {
		if (i != (size_t)role_of_way[way])
			continue;
		TRY(link_to_engine(d, (enum fetch_way)way));
		a->fds[a->n++] = d->for_child[way];
	}
	return DONE;
}

static void hand_to_serve(struct rpki_daemon *d, enum control_message what, int fd)
{
	struct result r = d->wanted[CHILD_SERVE] ? monitor_send(d->monitor, CHILD_SERVE, what, span_of(NULL, 0), fd) : DONE;

	if (!OK(r) && r.e != ERR_CLOSED) /* it does not run: it gets the last ones when it does */
		log_error("serve cannot be told: %s", err_text(r.e));
}

static void on_started(struct loop *l, void *object, size_t i)
{
	struct rpki_daemon *d = (struct rpki_daemon *)object;

	(void)l;
	log_info("%s runs as process %d", child_name((enum child_role)i), monitor_pid(d->monitor, i));
	for (size_t way = 0; way < FETCH_WAYS; way++)
		close_fd(&d->for_child[way]);
	connect_engine(d);
	if (i == CHILD_ENGINE)
		d->setup.set_store_aside = false;
	if (i != CHILD_SERVE)
		return;
	if (d->snapshot >= 0)
		hand_to_serve(d, CONTROL_SNAPSHOT, d->snapshot);
	else if (d->later)
		hand_to_serve(d, CONTROL_LATER, -1);
	if (d->status_file >= 0)
		hand_to_serve(d, CONTROL_STATUS, d->status_file);
}

/* -------------------------------------------------------------------------------------------------------- what they say */

static void on_ready(struct rpki_daemon *d, size_t i, const struct link_message *m)
{
	struct reader r = reader_of(m->body);
	uint8_t calls = read8(&r), paths = read8(&r);
	bool all = true;

	d->was_ready[i] = true;
	if (reader_ok(&r) && !calls && conf_bool(setup_rpki(&d->setup), OPT_RPKI_SANDBOX) && !d->ready && i == CHILD_ENGINE)
		log_warn("this build does not filter system calls (libseccomp); Landlock version %u", paths);
	for (size_t k = 0; k < CHILD_ROLES; k++)
		all = all && (!d->wanted[k] || d->was_ready[k]);
	if (all && !d->ready) {
		d->ready = true;
		d->setup.started = true;
		child_log(&d->setup, "");
		process_ready();
	}
}

/* The last one of each is kept, for a process that is started anew. */
static void keep_and_hand_on(struct rpki_daemon *d, struct link_message *m)
{
	int *kept = m->type == CONTROL_SNAPSHOT ? &d->snapshot : &d->status_file;

	if (m->fd < 0)
		return;
	close_fd(kept);
	*kept = m->fd;
	m->fd = -1;
	hand_to_serve(d, (enum control_message)m->type, *kept);
}

static bool reload(struct rpki_daemon *d);

static bool run_now(struct rpki_daemon *d)
{
	return OK(monitor_send(d->monitor, CHILD_ENGINE, CONTROL_RUN_NOW, span_of(NULL, 0), -1));
}

static void set_verbosity(struct rpki_daemon *d, uint8_t n)
{
	d->setup.o.verbosity = n; /* also of those that are started again */
	child_set_verbosity(n);
	for (size_t i = 0; i < CHILD_ROLES; i++)
		if (d->wanted[i] && !OK(monitor_send(d->monitor, i, CONTROL_VERBOSITY, span_of(&n, 1), -1)))
			log_warn("%s logs as before until it is started again", child_name((enum child_role)i));
}

/* What an operator wants. The process that says so is believed in that: who has taken it over could stop serving anyway. */
static void on_wish(struct rpki_daemon *d, struct span body)
{
	uint8_t room[OPERATOR_MESSAGE];
	struct operator_message m;
	bool stop;

	if (d->ending || !OK(operator_message_read(body, &m)))
		return;
	stop = m.what == WISH_STOP;
	if (m.what == WISH_VERBOSITY)
		set_verbosity(d, m.value);
	m.value = m.what == WISH_RELOAD ? reload(d) : m.what == WISH_RUN ? run_now(d) : true;
	if (!OK(monitor_send(d->monitor, CHILD_SERVE, CONTROL_GRANTED, operator_message_write(&m, room), -1)))
		log_warn("serve cannot be told");
	if (stop)
		end_all(d, 0);
}

static void on_message(struct loop *l, void *object, size_t i, struct link_message *m)
{
	struct rpki_daemon *d = (struct rpki_daemon *)object;

	(void)l;
	if (m->type == CONTROL_READY)
		on_ready(d, i, m);
	if (i == CHILD_SERVE && m->type == CONTROL_WISH)
		on_wish(d, m->body);
	if (i != CHILD_ENGINE)
		return;
	if (m->type == CONTROL_SNAPSHOT || m->type == CONTROL_STATUS) {
		keep_and_hand_on(d, m);
	} else if (m->type == CONTROL_LATER) {
		d->later = true;
		hand_to_serve(d, CONTROL_LATER, -1);
	} else if (m->type == CONTROL_RUN_DONE) {
		d->crashes = 0;
	}
}

static void on_log(struct loop *l, void *object, unsigned int events)
{
	struct rpki_daemon *d = (struct rpki_daemon *)object;
	char line[4096];

	(void)l, (void)events;
	for (unsigned int i = 0; i < LINES_PER_TURN; i++) {
		ssize_t n = read(d->log_from, line, sizeof line);

		if (n <= 0)
			return;
		log_relayed(line, (size_t)n);
	}
}

/* ----------------------------------------------------------------------------------------------------------------- signals */

static void tell_timers(struct rpki_daemon *d)
{
	struct rtr_timers t = timers_of(d->setup.conf);
	uint8_t room[12];
	struct writer w = writer_of(room, sizeof room);

	write32(&w, t.refresh);
	write32(&w, t.retry);
	write32(&w, t.expire);
	if (d->wanted[CHILD_SERVE] && !OK(monitor_send(d->monitor, CHILD_SERVE, CONTROL_TIMERS, writer_done(&w), -1)))
		log_warn("serve hears of the timers when it is started again");
}

/* What cannot be read leaves the old certificate in use. */
static RESULT tell_identity(struct rpki_daemon *d)
{
	const uint8_t client_address = conf_bool(setup_rtr(&d->setup), OPT_RTR_TLS_CLIENT_ADDRESS);
	AUTO(strbuf_free) struct strbuf *octets = strbuf_new(IDENTITY_OCTETS);
	struct result r;
	int fd;

	if (octets == NULL)
		return FAIL(ERR_NOMEM);
	TRY(identity_gather(d->setup.conf, octets));
	TRY(memory_file_make(strbuf_span(octets), &fd));
	r = monitor_send(d->monitor, CHILD_SERVE, CONTROL_IDENTITY, span_of(&client_address, 1), fd);
	(void)close(fd);
	return r;
}

static bool reload(struct rpki_daemon *d)
{
	AUTO(conf_free) struct conf *c = NULL;

	if (d->ending)
		return false;
	if (!OK(load_conf(d->setup.o.conf_path, &c)) || c == NULL) {
		log_error("the configuration read before stays in force");
		return false;
	}
	conf_free(MOVE(d->setup.conf));
	d->setup.conf = MOVE(c);
	decide(d);
	tell_timers(d);
	if (d->wanted[CHILD_SERVE] && identity_wanted(d->setup.conf) && !OK(tell_identity(d)))
		log_error("the TLS certificate read before stays in use");
	monitor_stop(d->monitor, CHILD_ENGINE, true);
	for (size_t way = 0; way < FETCH_WAYS; way++)
		monitor_stop(d->monitor, role_of_way[way], d->wanted[role_of_way[way]]);
	return true;
}

static void on_reload(struct loop *l, void *object)
{
	(void)l;
	(void)reload((struct rpki_daemon *)object);
}

static void on_run_now(struct loop *l, void *object)
{
	struct rpki_daemon *d = (struct rpki_daemon *)object;

	(void)l;
	if (!d->ending && !run_now(d))
		log_warn("the engine does not run: its first run begins when it is started");
}

static void on_stop(struct loop *l, void *object)
{
	(void)l;
	end_all((struct rpki_daemon *)object, 0);
}

/* ------------------------------------------------------------------------------------------------------------------- start */

/* A directory that is missing is made, with those above it, and given to the user. */
static void make_directory(const char *path, const struct process_user *u)
{
	AUTO_CHARS char *copy = mem_strdup(path);

	if (copy == NULL || *path == '\0')
		return;
	for (char *slash = strchr(copy + 1, '/');; slash = strchr(slash + 1, '/')) {
		if (slash != NULL)
			*slash = '\0';
		if (mkdir(copy, 0755) == 0 && u->change && chown(copy, u->uid, u->gid) != 0)
			log_warn("%s: cannot be given to the user: %s", copy, strerror(errno));
		if (slash == NULL)
			return;
		*slash = '/';
	}
}

static void make_cache(const struct rpki_daemon *d, const char *cache)
{
	AUTO_CHARS char *rsync = settings_rsync_dir(cache), *serve = mem_printf("%s/" SERVE_FOLDER, cache);

	make_directory(cache, &d->setup.user);
	if (rsync != NULL && d->wanted[CHILD_RSYNC])
		make_directory(rsync, &d->setup.user);
	if (serve != NULL && d->wanted[CHILD_SERVE])
		make_directory(serve, &d->setup.user);
}

static void make_folder_of(const struct rpki_daemon *d, const char *path)
{
	const char *slash = path != NULL ? strrchr(path, '/') : NULL;
	AUTO_CHARS char *dir = slash != NULL && slash != path ? mem_strndup(path, (size_t)(slash - path)) : NULL;

	if (dir != NULL)
		make_directory(dir, &d->setup.user);
}

static void make_directories(const struct rpki_daemon *d)
{
	const char *cache = conf_text(setup_rpki(&d->setup), OPT_RPKI_CACHE_DIR);

	if (cache != NULL && *cache != '\0' && (d->setup.anchors || conf_given(setup_rpki(&d->setup), OPT_RPKI_CACHE_DIR)))
		make_cache(d, cache);
	for (unsigned int f = 0; f < OUTPUT_FORMATS; f++)
		make_folder_of(d, conf_text(setup_rpki(&d->setup), output_option(f)));
}

static RESULT open_log_relay(struct rpki_daemon *d)
{
	int ends[2];

	if (d->setup.o.foreground)
		return DONE;
	TRY(link_pair(ends)); /* of which each write is one line */
	d->log_from = ends[0];
	d->setup.log_to = ends[1];
	return loop_watch(d->loop, &rpki_daemon_loop_type, d->self.v, d->log_from, LOOP_READ, on_log, &d->log_watch);
}

static RESULT make_loop(struct rpki_daemon *d)
{
	struct loop_backend b;

	d->rng = rng_new();
	if (d->rng == NULL)
		return FAIL(ERR_NOMEM);
	TRY(loop_event_backend(&b));
	d->loop = loop_new(&b, d->rng, NULL);
	if (d->loop == NULL)
		return FAIL(ERR_NOMEM);
	d->self = rpki_daemon_enlist(d->loop, d);
	if (d->self.v == 0)
		return FAIL(ERR_NOMEM);
	TRY(loop_event_signal(d->loop, SIGHUP, &rpki_daemon_loop_type, d->self.v, on_reload));
	TRY(loop_event_signal(d->loop, SIGUSR1, &rpki_daemon_loop_type, d->self.v, on_run_now));
	TRY(loop_event_signal(d->loop, SIGTERM, &rpki_daemon_loop_type, d->self.v, on_stop));
	return loop_event_signal(d->loop, SIGINT, &rpki_daemon_loop_type, d->self.v, on_stop);
}

static RESULT make_monitor(struct rpki_daemon *d)
{
	const struct monitor_events ev = { .type = &rpki_daemon_loop_type, .who = d->self.v, .starting = on_starting, .started = on_started, .message = on_message,
		.ended = on_ended };

	d->roles[CHILD_ENGINE] = (struct monitor_role){ child_name(CHILD_ENGINE), engine_process, &d->setup };
	d->roles[CHILD_HTTPS] = (struct monitor_role){ child_name(CHILD_HTTPS), fetch_process_https, &d->setup };
	d->roles[CHILD_RSYNC] = (struct monitor_role){ child_name(CHILD_RSYNC), fetch_process_rsync, &d->setup };
	d->roles[CHILD_SERVE] = (struct monitor_role){ child_name(CHILD_SERVE), serve_process, &d->setup };
	d->monitor = monitor_new(d->loop, d->roles, CHILD_ROLES, &ev);
	return d->monitor != NULL ? DONE : FAIL(ERR_NOMEM);
}

/* The monitor's own sandbox: what it starts inherits it, so it allows what any of them needs, and no more. */
static RESULT confine(const struct rpki_daemon *d)
{
	struct sandbox s = { .groups = SANDBOX_PRIVILEGES | SANDBOX_FORK, .any_path = true };
	struct sandbox_held held;

	if (!conf_bool(setup_rpki(&d->setup), OPT_RPKI_SANDBOX)) {
		log_warn("sandbox: no: processes may do whatever their user may");
		return DONE;
	}
	for (unsigned int i = 0; i < CHILD_ROLES; i++)
		s.groups |= child_groups((enum child_role)i);
	return sandbox_enter(&s, &held);
}

static void daemon_free(struct rpki_daemon *d)
{
	if (d == NULL)
		return;
	monitor_free(MOVE(d->monitor));
	if (d->self.v != 0) {
		loop_unwatch(d->loop, &d->log_watch);
		rpki_daemon_retire(d->loop, d->self);
	}
	loop_free(MOVE(d->loop));
	rng_free(MOVE(d->rng));
	listeners_done(&d->setup.listeners);
	conf_free(MOVE(d->setup.conf));
	close_fd(&d->snapshot);
	close_fd(&d->status_file);
	close_fd(&d->log_from);
	close_fd(&d->setup.log_to);
	for (size_t way = 0; way < FETCH_WAYS; way++) {
		close_fd(&d->for_child[way]);
		close_fd(&d->for_engine[way]);
	}
	mem_free(d);
}

static RESULT open_listeners(struct rpki_daemon *d)
{
	TRY(listeners_open(&d->setup.listeners, d->setup.conf));
	if (d->setup.user.change)
		listeners_give(&d->setup.listeners, d->setup.user.gid);
	return DONE;
}

static RESULT start(struct rpki_daemon *d)
{
	const char *name = conf_text(setup_rpki(&d->setup), OPT_RPKI_USERNAME);

	if (name != NULL && !OK(process_find_user(name, &d->setup.user)))
		log_warn("username: there is no user %s: the user stays", name);
	make_directories(d);
	if (d->wanted[CHILD_SERVE])
		TRY(open_listeners(d));
	if (!d->setup.o.foreground)
		TRY(process_background());
	d->setup.monitor_pid = getpid();
	TRY(make_loop(d));
	TRY(open_log_relay(d));
	TRY(make_monitor(d));
	TRY(confine(d));
	for (size_t i = 0; i < CHILD_ROLES; i++)
		if (d->wanted[i])
			TRY(monitor_start(d->monitor, i));
	return DONE;
}

static struct rpki_daemon *daemon_new(const struct rpki_options *o) OWNED_BY(daemon_free);
static struct rpki_daemon *daemon_new(const struct rpki_options *o)
{
	AUTO(daemon_free) struct rpki_daemon *d = (struct rpki_daemon *)mem_alloc(sizeof *d);

	if (d == NULL)
		return NULL;
	d->setup.o = *o;
	d->setup.log_to = d->log_from = d->snapshot = d->status_file = -1;
	for (size_t way = 0; way < FETCH_WAYS; way++)
		d->for_child[way] = d->for_engine[way] = -1;
	return MOVE(d);
}

int rpki_daemon_run(const struct rpki_options *o)
{
	AUTO(daemon_free) struct rpki_daemon *d = daemon_new(o);
	struct result r;

	if (d == NULL)
		return 1;
	child_log(&d->setup, "");
	if (!OK(load_conf(o->conf_path, &d->setup.conf)) || d->setup.conf == NULL)
		return 2;
	decide(d);
	r = start(d);
	if (!OK(r)) {
		log_error("the start failed: %s", r.e == ERR_SYSTEM ? strerror(errno) : err_text(r.e));
		return 1;
	}
	loop_run(d->loop);
	listeners_unlink(&d->setup.listeners);
	if (!o->once)
		log_notice("stopped");
	return d->status;
}
