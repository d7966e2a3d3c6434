/*
 * Order of things. Start: configuration -> exceptions -> sockets -> privileges dropped -> first table published -> loop. Then every WATCH_MS the exceptions' files are looked at, and
 * when one was changed or replaced all are read again; what is wrong with them leaves the old ones in force. Stop: routers are told, for at most GOODBYE_MS.
 */
#include "rpki/daemon.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/loop_event.h"
#include "base/mem.h"
#include "base/process.h"
#include "base/rng.h"
#include "base/strbuf.h"
#include "conf/conf.h"
#include "rpki/engine.h"
#include "rpki/once.h"
#include "rpki/serve/output.h"
#include "rpki/serve/rtr_keep.h"
#include "rpki/serve/rtr_server.h"
#include "rpki/serve/slurm.h"
#include "rpki/validate/tree.h"

#define WATCH_MS 2000u
#define GOODBYE_MS 2000u
#define REPORT_OCTETS (64u * 1024)
#define REFUSED_OCTETS (8u << 20)
#define SLURM_OCTETS ((size_t)1 << 30) /* of a file with exceptions */
#define HISTORY_SERIALS 20u
#define HISTORY_OCTETS ((size_t)64 << 20)
#define FILES_BESIDES 64u /* descriptors that are no router's */

LOOP_HANDLE(rpki_daemon)
LOOP_HANDLE_IMPL(rpki_daemon)

/* By what a file is known to be another one. */
struct seen {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec changed;
	bool there;
};

struct rpki_daemon {
	struct rpki_options o;
	struct conf *conf OWNED_FIELD;
	struct rng *rng OWNED_FIELD;
	struct loop *loop OWNED_FIELD;
	struct host *host OWNED_FIELD;
	struct rtr_feed *feed OWNED_FIELD;
	struct rtr_server *server OWNED_FIELD;
	struct slurm *slurm OWNED_FIELD;
	struct payload_table *validated OWNED_FIELD; /* NULL: there are no trust anchors */
	bool all_usable;                             /* of the trust anchors */
	struct seen *seen OWNED_FIELD; /* of each file in slurm: */
	size_t nseen;
	rpki_daemon_h self;
	timer_h watch, goodbye;
	uint64_t generation;
	bool ending;
};

static void daemon_free(struct rpki_daemon *d) TAKES(1);
DEFINE_AUTO(struct rpki_daemon, daemon_free)

static const struct conf_clause *rpki_clause(const struct rpki_daemon *d)
{
	return conf_single(d->conf, CLAUSE_RPKI);
}

static const struct conf_clause *rtr_clause(const struct rpki_daemon *d)
{
	return conf_single(d->conf, CLAUSE_RTR);
}

/* One log line for each line of a report. */
static void log_report(enum log_level level, const struct strbuf *report)
{
	const char *line = strbuf_text(report);

	while (*line != '\0') {
		size_t n = strcspn(line, "\n");

		log_msg(level, "%.*s", (int)n, line);
		line += n + (line[n] == '\n');
	}
}

/* ----------------------------------------------------------------------------------------------------------- configuration */

static void set_up_log(struct rpki_daemon *d)
{
	static const enum log_level levels[] = { LOG_LEVEL_NOTICE, LOG_LEVEL_INFO, LOG_LEVEL_VERBOSE, LOG_LEVEL_DEBUG };
	struct log_config l = { .ident = "cairn-rpki", .syslog = !d->o.foreground };

	l.level = d->o.verbosity < sizeof levels / sizeof levels[0] ? levels[d->o.verbosity] : LOG_LEVEL_TRACE;
	if (!OK(log_setup(&l)))
		log_error("the log cannot be opened: %s", strerror(errno));
}

static struct rtr_timers timers_of(const struct conf *c)
{
	const struct conf_clause *rtr = conf_single(c, CLAUSE_RTR);

	return (struct rtr_timers){ .refresh = (uint32_t)conf_int(rtr, OPT_RTR_REFRESH), .retry = (uint32_t)conf_int(rtr, OPT_RTR_RETRY),
		.expire = (uint32_t)conf_int(rtr, OPT_RTR_EXPIRE) };
}

static bool has_anchors(const struct conf_clause *rpki)
{
	const char *dir = conf_text(rpki, OPT_RPKI_TAL_DIR);

	return conf_count(rpki, OPT_RPKI_TAL) > 0 || (dir != NULL && *dir != '\0');
}

/* What nobody should ask for. */
static bool conf_is_usable(const struct conf *c)
{
	const struct conf_clause *rpki = conf_single(c, CLAUSE_RPKI);
	struct rtr_timers t = timers_of(c);

	if (conf_count(rpki, OPT_RPKI_SLURM) == 0 && !has_anchors(rpki)) {
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
		log_report(OK(r) ? LOG_LEVEL_WARN : LOG_LEVEL_ERROR, report);
	if (!OK(r) && (report == NULL || strbuf_len(report) == 0))
		log_error("%s: %s", path, err_text(r.e));
	TRY(r);
	if (!conf_is_usable(c))
		return FAIL(ERR_FORMAT);
	*ret_conf = MOVE(c);
	return DONE;
}

/* -------------------------------------------------------------------------------------------------------------- exceptions */

static struct seen look(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return (struct seen){ .there = false };
	return (struct seen){ .dev = st.st_dev, .ino = st.st_ino, .size = st.st_size, .changed = st.st_mtim, .there = true };
}

static bool same(const struct seen *a, const struct seen *b)
{
	return a->there == b->there && a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	    a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

/* Notes how the files look now. True when one of them looks different than before. */
static bool look_at_files(struct rpki_daemon *d)
{
	const struct conf_clause *rpki = rpki_clause(d);
	size_t n = conf_count(rpki, OPT_RPKI_SLURM);
	bool changed = n != d->nseen;

	if (changed) {
		void *p = d->seen;
		struct result r = mem_resize(&p, d->nseen, n, sizeof *d->seen);

		d->seen = (struct seen *)p;
		if (!OK(r))
			return false; /* another time */
		d->nseen = n;
	}
	for (size_t i = 0; i < n; i++) {
		struct seen now = look(conf_item(rpki, OPT_RPKI_SLURM, i));

		changed |= !same(&now, &d->seen[i]);
		d->seen[i] = now;
	}
	return changed;
}

static RESULT read_file(const char *path, char **ret_text, size_t *ret_n)
{
	struct result r = file_read_all(path, SLURM_OCTETS, ret_text, ret_n);

	if (!OK(r))
		log_error("slurm: %s cannot be read: %s", path, r.e == ERR_SYSTEM ? strerror(errno) : err_text(r.e));
	return r;
}

/* texts: n pointers, made and freed by the caller */
static RESULT read_files(const struct conf_clause *rpki, size_t n, char **texts, struct slurm_file *files, struct slurm **ret_slurm)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(REPORT_OCTETS);
	struct result r;

	if (report == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t i = 0; i < n; i++) {
		const char *path = conf_item(rpki, OPT_RPKI_SLURM, i);
		size_t octets;

		TRY(read_file(path, &texts[i], &octets));
		files[i] = (struct slurm_file){ .name = path, .text = span_of(texts[i], octets) };
	}
	r = slurm_read(files, n, report, ret_slurm);
	log_report(LOG_LEVEL_ERROR, report);
	return r;
}

/* All files; on an error the old exceptions stay. */
static RESULT read_exceptions(struct rpki_daemon *d)
{
	const struct conf_clause *rpki = rpki_clause(d);
	size_t n = conf_count(rpki, OPT_RPKI_SLURM);
	AUTO(mem_free) void *texts = mem_alloc_array(n, sizeof(char *)), *files = mem_alloc_array(n, sizeof(struct slurm_file));
	AUTO(slurm_free) struct slurm *s = NULL;
	struct result r = FAIL(ERR_NOMEM);

	(void)look_at_files(d);
	if (texts != NULL && files != NULL)
		r = read_files(rpki, n, (char **)texts, (struct slurm_file *)files, &s);
	for (size_t i = 0; texts != NULL && i < n; i++)
		mem_free(((char **)texts)[i]); /* own-ok: R4 the array owned it */
	TRY(r);
	slurm_free(MOVE(d->slurm));
	d->slurm = MOVE(s);
	mem_trim(); /* reading takes many times what is kept */
	return DONE;
}

/* -------------------------------------------------------------------------------------------------------------- publishing */

static int64_t time_now(const struct rpki_daemon *d)
{
	struct now now = clock_read();

	return d->o.at_given ? d->o.at_sec : now.wall_sec;
}

/* From the tree of files: what d->validated is then. */
static RESULT validate(struct rpki_daemon *d, const struct locators *l)
{
	const struct conf_clause *rpki = rpki_clause(d);
	AUTO(tree_free) struct tree *tree = tree_new(conf_text(rpki, OPT_RPKI_RPKI_TREE));
	AUTO(strbuf_free) struct strbuf *lines = strbuf_new(REPORT_OCTETS), *refused = strbuf_new(REFUSED_OCTETS);
	AUTO(mem_free) void *anchors = mem_alloc_array(locators_count(l), sizeof(struct anchor_result));
	struct engine_options o = { .now = time_now(d), .threads = (unsigned int)conf_int(rpki, OPT_RPKI_THREADS), .limits = validate_limits_default(),
		.locators = l, .generation = d->generation, .refused = refused };

	if (tree == NULL) {
		log_error("rpki-tree: %s cannot be opened: %s", conf_text(rpki, OPT_RPKI_RPKI_TREE), strerror(errno));
		return FAIL(ERR_SYSTEM);
	}
	if (lines == NULL || refused == NULL || anchors == NULL)
		return FAIL(ERR_NOMEM);
	o.objects = tree_objects(tree);
	TRY(engine_run(&o, anchors, &d->validated));
	engine_report(l, anchors, lines);
	log_report(LOG_LEVEL_VERBOSE, refused);
	log_report(LOG_LEVEL_NOTICE, lines);
	d->all_usable = true;
	for (size_t i = 0; i < locators_count(l); i++)
		d->all_usable = d->all_usable && ((const struct anchor_result *)anchors)[i].usable;
	return DONE;
}

static void make_directories(const struct rpki_daemon *d, const struct process_user *u);

/* Validates, when there are trust anchors. ERR_UNSUPPORTED: that would take what this build does not do. */
static RESULT validate_if_wanted(struct rpki_daemon *d)
{
	const struct conf_clause *rpki = rpki_clause(d);
	size_t n = conf_count(rpki, OPT_RPKI_TAL);
	AUTO(strbuf_free) struct strbuf *why = strbuf_new(REPORT_OCTETS);
	AUTO(mem_free) void *files = mem_alloc_array(n, sizeof(const char *));
	AUTO(locators_free) struct locators *l = NULL;
	const char *tree = conf_text(rpki, OPT_RPKI_RPKI_TREE);
	struct result r;

	d->all_usable = true;
	if (why == NULL || files == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t i = 0; i < n; i++)
		((const char **)files)[i] = conf_item(rpki, OPT_RPKI_TAL, i);
	r = locators_load(conf_text(rpki, OPT_RPKI_TAL_DIR), (const char *const *)files, n, why, &l);
	log_report(LOG_LEVEL_ERROR, why);
	TRY(r);
	if (locators_count(l) == 0)
		return DONE;
	if (!d->o.once) {
		log_error("there are %zu trust anchors, and fetching again and again is not part of this build yet: use --once, or leave tal-dir: empty to serve the "
			  "assertions of slurm: alone", locators_count(l));
		return FAIL(ERR_UNSUPPORTED);
	}
	if (d->o.offline && tree != NULL && *tree != '\0')
		return validate(d, l);
	make_directories(d, &(struct process_user){ .change = false });
	return once_run(&(struct once_options){ .conf = d->conf, .rng = d->rng, .offline = d->o.offline, .at_given = d->o.at_given, .at_sec = d->o.at_sec }, &d->validated,
		&d->all_usable);
}

static RESULT write_outputs(const struct rpki_daemon *d, const struct payload_table *t)
{
	struct output_info info = { .generated_sec = time_now(d) };
	struct result all = DONE;

	for (unsigned int f = 0; f < OUTPUT_FORMATS; f++) {
		const char *path = conf_text(rpki_clause(d), output_option(f));
		struct result r;

		if (path == NULL || *path == '\0')
			continue;
		r = output_write_file(f, t, &info, path);
		if (!OK(r)) {
			log_error("%s: cannot be written: %s", path, r.e == ERR_SYSTEM ? strerror(errno) : err_text(r.e));
			all = r;
		}
	}
	return all;
}

/* Where the service's state is kept; NULL: nowhere. */
static char *keep_path(const struct rpki_daemon *d) OWNED_BY(mem_free);
static char *keep_path(const struct rpki_daemon *d)
{
	const char *cache = conf_text(rpki_clause(d), OPT_RPKI_CACHE_DIR);

	return !d->o.once && cache != NULL && *cache != '\0' ? mem_printf("%s/" RTR_KEEP_NAME, cache) : NULL;
}

static void keep_state(const struct rpki_daemon *d)
{
	AUTO_CHARS char *path = keep_path(d);
	struct result r = path != NULL ? rtr_keep_save(path, d->feed, time_now(d)) : DONE;

	if (!OK(r))
		log_warn("%s: cannot be written, so routers begin anew after a restart: %s", path, r.e == ERR_SYSTEM ? strerror(errno) : err_text(r.e));
}

/* Routers go on where they were, when what was kept is not too old. */
static void recall_state(struct rpki_daemon *d)
{
	AUTO_CHARS char *path = keep_path(d);
	struct history_limits limits = { HISTORY_SERIALS, HISTORY_OCTETS };
	int64_t at = 0;
	struct result r;

	if (path == NULL)
		return;
	r = rtr_keep_read(path, d->feed, &limits, time_now(d), conf_int(rtr_clause(d), OPT_RTR_EXPIRE), &at);
	if (OK(r))
		log_notice("routers go on with serial %u: %zu VRPs as of %" PRId64 " seconds ago", rtr_feed_state(d->feed).serial,
			table_count(rtr_feed_table(d->feed), PAYLOAD_VRP), time_now(d) - at);
	else if (r.e == ERR_TIMEOUT)
		log_notice("%s: older than expire: or of the future, not used", path);
	else if (r.e != ERR_NOTFOUND)
		log_warn("%s: not used: %s", path, r.e == ERR_SYSTEM ? strerror(errno) : r.e == ERR_FORMAT ? "damaged, or of another version" : err_text(r.e));
}

/* The table, after the exceptions, goes out to files, and to routers when it differs from the one before. */
static RESULT publish(struct rpki_daemon *d)
{
	AUTO(table_unref) struct payload_table *t = NULL, *kept = NULL;
	struct slurm_counts counts;
	bool changed = false;
	struct result written;

	TRY(slurm_apply(d->slurm, d->validated, NULL, d->generation + 1, &counts, &t));
	d->generation++;
	kept = table_ref(t);
	TRY(rtr_feed_publish(d->feed, MOVE(t), &changed));
	written = write_outputs(d, kept);
	keep_state(d);
	if (changed) {
		log_notice("serial %u: %zu VRPs, %zu router keys, %zu ASPAs", rtr_feed_state(d->feed).serial, table_count(kept, PAYLOAD_VRP),
			table_count(kept, PAYLOAD_KEY), table_count(kept, PAYLOAD_ASPA));
		if (d->server != NULL)
			rtr_server_published(d->server);
	}
	return written;
}

static void refresh(struct rpki_daemon *d)
{
	if (!OK(read_exceptions(d)))
		log_error("the exceptions read before stay in force");
	else if (!OK(publish(d)))
		log_error("not everything was published");
}

/* ------------------------------------------------------------------------------------------------------------------ events */

static void watch_again(struct rpki_daemon *d);

static void on_watch(struct loop *l, void *object)
{
	struct rpki_daemon *d = (struct rpki_daemon *)object;

	(void)l;
	d->watch.v = 0;
	if (d->ending)
		return;
	if (look_at_files(d))
		refresh(d);
	watch_again(d);
}

static void watch_again(struct rpki_daemon *d)
{
	if (!OK(loop_timer(d->loop, &rpki_daemon_loop_type, d->self.v, on_watch, WATCH_MS, &d->watch)))
		log_error("out of memory: changes of slurm: are not noticed until SIGHUP");
}

static void on_reload(struct loop *l, void *object)
{
	struct rpki_daemon *d = (struct rpki_daemon *)object;
	AUTO(conf_free) struct conf *c = NULL;
	struct rtr_timers t;

	(void)l;
	if (d->ending)
		return;
	if (!OK(load_conf(d->o.conf_path, &c))) {
		log_error("the configuration read before stays in force");
		return;
	}
	t = timers_of(c);
	conf_free(MOVE(d->conf));
	d->conf = MOVE(c);
	rtr_feed_set_timers(d->feed, &t);
	refresh(d);
	if (d->watch.v == 0)
		watch_again(d);
}

static void on_goodbye(struct loop *l, void *object)
{
	struct rpki_daemon *d = (struct rpki_daemon *)object;

	d->goodbye.v = 0;
	(void)d;
	loop_stop(l);
}

/* 8210bis section 12: routers of version 2 keep their data, and come back. Who has not taken the last PDU when time is up is closed. */
static void on_stop(struct loop *l, void *object)
{
	struct rpki_daemon *d = (struct rpki_daemon *)object;
	uint64_t ms = GOODBYE_MS;

	if (d->ending)
		return;
	d->ending = true;
	rtr_server_goodbye(d->server, RTR_CACHE_RESTART);
	if (rtr_server_counts(d->server)->clients == 0)
		ms = 0;
	if (!OK(loop_timer(l, &rpki_daemon_loop_type, d->self.v, on_goodbye, ms, &d->goodbye)))
		loop_stop(l);
}

/* ------------------------------------------------------------------------------------------------------------------- start */

static RESULT listen_all(struct rpki_daemon *d)
{
	const struct conf_clause *rtr = rtr_clause(d);

	for (size_t i = 0; i < conf_count(rtr, OPT_RTR_INTERFACE); i++) {
		struct listen_options o = { .dscp = -1, .keepalive = true, .backlog = 1024 };
		const char *where = conf_item(rtr, OPT_RTR_INTERFACE, i);
		struct result r = DONE;

		if (strchr(where, '/') != NULL)
			o.path = where;
		else
			r = conf_word_endpoint(rtr, OPT_RTR_INTERFACE, i, 0, 323, &o.at);
		if (OK(r))
			r = rtr_server_listen(d->server, &o);
		if (!OK(r)) {
			log_error("%s: %s cannot be opened: %s", conf_where(rtr, OPT_RTR_INTERFACE, i), where,
				r.e == ERR_SYSTEM ? strerror(errno) : err_text(r.e));
			return r;
		}
	}
	return DONE;
}

static void unlink_paths(const struct rpki_daemon *d)
{
	const struct conf_clause *rtr = rtr_clause(d);

	for (size_t i = 0; i < conf_count(rtr, OPT_RTR_INTERFACE); i++)
		if (strchr(conf_item(rtr, OPT_RTR_INTERFACE, i), '/') != NULL)
			(void)unlink(conf_item(rtr, OPT_RTR_INTERFACE, i));
}

static RESULT make_feed(struct rpki_daemon *d)
{
	struct rtr_feed_options fo = { .timers = timers_of(d->conf), .history = { HISTORY_SERIALS, HISTORY_OCTETS } };
	struct rtr_state ids = rtr_state_draw(d->rng);

	d->feed = rtr_feed_new(&fo, &ids);
	return d->feed != NULL ? DONE : FAIL(ERR_NOMEM);
}

static RESULT make_service(struct rpki_daemon *d)
{
	struct rtr_server_options so = RTR_SERVER_USUAL;
	struct loop_backend b;

	so.max_clients = (uint32_t)conf_int(rtr_clause(d), OPT_RTR_MAX_CLIENTS);
	(void)process_raise_files((uint64_t)so.max_clients + FILES_BESIDES);
	TRY(loop_event_backend(&b));
	d->loop = loop_new(&b, d->rng, NULL);
	if (d->loop == NULL)
		return FAIL(ERR_NOMEM);
	d->self = rpki_daemon_enlist(d->loop, d);
	d->host = host_event_new(d->loop, 0);
	if (d->self.v == 0 || d->host == NULL)
		return FAIL(ERR_NOMEM);
	d->server = rtr_server_new(d->host, d->feed, &so);
	if (d->server == NULL)
		return FAIL(ERR_NOMEM);
	TRY(listen_all(d));
	TRY(loop_event_signal(d->loop, SIGHUP, &rpki_daemon_loop_type, d->self.v, on_reload));
	TRY(loop_event_signal(d->loop, SIGTERM, &rpki_daemon_loop_type, d->self.v, on_stop));
	return loop_event_signal(d->loop, SIGINT, &rpki_daemon_loop_type, d->self.v, on_stop);
}

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

static void make_directories(const struct rpki_daemon *d, const struct process_user *u)
{
	const char *cache = conf_text(rpki_clause(d), OPT_RPKI_CACHE_DIR);

	if (cache != NULL && conf_given(rpki_clause(d), OPT_RPKI_CACHE_DIR))
		make_directory(cache, u);
	for (unsigned int f = 0; f < OUTPUT_FORMATS; f++) {
		const char *path = conf_text(rpki_clause(d), output_option(f));
		const char *slash = path != NULL ? strrchr(path, '/') : NULL;
		AUTO_CHARS char *dir = slash != NULL && slash != path ? mem_strndup(path, (size_t)(slash - path)) : NULL;

		if (dir != NULL)
			make_directory(dir, u);
	}
}

static void daemon_free(struct rpki_daemon *d)
{
	if (d == NULL)
		return;
	rtr_server_free(MOVE(d->server));
	host_free(MOVE(d->host));
	if (d->self.v != 0)
		rpki_daemon_retire(d->loop, d->self);
	loop_free(MOVE(d->loop));
	rtr_feed_free(MOVE(d->feed));
	slurm_free(MOVE(d->slurm));
	table_unref(MOVE(d->validated));
	rng_free(MOVE(d->rng));
	conf_free(MOVE(d->conf));
	mem_free(MOVE(d->seen));
	mem_free(d);
}

static RESULT start(struct rpki_daemon *d)
{
	const char *name = conf_text(rpki_clause(d), OPT_RPKI_USERNAME);
	struct process_user user = { .change = false };

	if (name != NULL && !OK(process_find_user(name, &user)))
		log_warn("username: there is no user %s: the user stays", name);
	make_directories(d, &user);
	if (!d->o.foreground)
		TRY(process_background());
	if (!d->o.once)
		TRY(make_service(d));
	TRY(process_confine("", &user));
	recall_state(d);
	return publish(d);
}

int rpki_daemon_run(const struct rpki_options *o)
{
	AUTO(daemon_free) struct rpki_daemon *d = (struct rpki_daemon *)mem_alloc(sizeof *d);
	struct result r;

	if (d == NULL)
		return 1;
	d->o = *o;
	set_up_log(d);
	if (!OK(load_conf(o->conf_path, &d->conf)))
		return 2;
	d->rng = rng_new();
	if (d->rng == NULL || !OK(make_feed(d)))
		return 1;
	r = read_exceptions(d);
	if (!OK(r))
		return r.e == ERR_NOMEM ? 1 : 2;
	r = validate_if_wanted(d);
	if (!OK(r)) {
		if (r.e != ERR_UNSUPPORTED)
			log_error("validation failed: %s", err_text(r.e));
		return r.e == ERR_NOMEM ? 1 : 2;
	}
	r = start(d);
	if (!OK(r)) {
		log_error("the start failed: %s", err_text(r.e));
		return 1;
	}
	if (o->once)
		return d->all_usable ? 0 : 1;
	watch_again(d);
	process_ready();
	loop_run(d->loop);
	unlink_paths(d);
	log_notice("stopped");
	return 0;
}
