/*
 * Order of things: log and loop -> another user -> exceptions read, store opened -> sandbox -> runs. Every WATCH_MS the exceptions' files are looked at; when one was changed or replaced
 * all are read again, and the table of the last run goes out with the new ones.
 */
#include "rpki/process/engine_process.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/strbuf.h"
#include "rpki/engine.h"
#include "rpki/guard.h"
#include "rpki/process/child.h"
#include "rpki/process/control.h"
#include "rpki/process/exceptions.h"
#include "rpki/process/fetcher_link.h"
#include "rpki/process/memory_file.h"
#include "rpki/process/progress.h"
#include "rpki/process/repository_map.h"
#include "rpki/process/run_status.h"
#include "rpki/serve/tally.h"
#include "rpki/routes/table_image.h"
#include "rpki/schedule.h"
#include "rpki/serve/http_inside.h"
#include "rpki/serve/output.h"
#include "rpki/serve/rtr_keep.h"
#include "rpki/serve/status_file.h"
#include "rpki/settings.h"
#include "rpki/store/store.h"
#include "rpki/validate/tree.h"

#define WATCH_MS 2000u
#define TICK_MS 1000u  /* of the progress on a terminal; in a log PROGRESS_LOG_MS */
#define RETRY_MS 30000u /* to the next run while no trust anchor has been usable; doubled each time, up to refresh: */
#define REPORT_OCTETS (64u * 1024)
#define REFUSED_OCTETS (8u << 20)

LOOP_HANDLE(engine_process)
LOOP_HANDLE_IMPL(engine_process)

struct engine_process {
	struct child child;
	engine_process_h self;
	struct exceptions *exceptions OWNED_FIELD;
	struct fetcher *fetcher OWNED_FIELD;    /* NULL: nothing is fetched */
	struct schedule *schedule OWNED_FIELD;  /* NULL: there are no trust anchors, or a tree of files is at hand */
	struct payload_table *validated OWNED_FIELD; /* by the last run; NULL: none has ended, or there are no trust anchors */
	struct payload_table *guarded OWNED_FIELD;   /* the same with what the loss guard keeps: what goes to routers and HTTP */
	struct payload_table *unsafe OWNED_FIELD;    /* what the last run found to be unsafe; NULL: nothing */
	struct repository_map *map OWNED_FIELD;      /* of the last run; NULL: none, or out of memory */
	struct guard *guard OWNED_FIELD;        /* NULL: one run, and nobody is served */
	struct progress progress;
	struct status *status OWNED_FIELD;      /* of the last run; NULL: none has ended */
	uint64_t generation;
	timer_h watch, retry, tick;
	bool was_usable; /* a trust anchor, since this process began */
	bool kept;       /* routers may have data of an earlier start */
	bool holding;    /* nothing is published, as nothing is known */
	int64_t begun;
	uint32_t retry_ms;
	int exit_status;
};

static const struct conf_clause *rpki_clause(const struct engine_process *p)
{
	return setup_rpki(p->child.setup);
}

static int64_t time_now(const struct engine_process *p)
{
	return p->child.setup->o.at_given ? p->child.setup->o.at_sec : clock_read().wall_sec;
}

static void say(struct engine_process *p, enum control_message what, int fd)
{
	struct result r = link_send(p->child.loop, p->child.control, what, span_of(NULL, 0), fd);

	if (!OK(r) && p->child.linked)
		log_error("the monitor cannot be told: %s", r.e == ERR_SYSTEM ? strerror(errno) : err_text(r.e));
}

/* -------------------------------------------------------------------------------------------------------------- publishing */

static RESULT tally(const struct engine_process *p, struct status *s, const struct payload_table *validated, const struct payload_table *served)
{
	TRY(p->map != NULL && validated != NULL ? repository_map_tally(p->map, s, validated, served) : tally_payloads(s, validated, served));
	return p->unsafe != NULL ? tally_unsafe(s, p->unsafe, settings_unsafe(rpki_clause(p)) == UNSAFE_REJECT) : DONE;
}

/* What the formats tell besides payloads: of this table, which has nothing of the loss guard's. */
static struct shown *facts_for(const struct engine_process *p, const struct payload_table *t) OWNED_BY(shown_unref);
static struct shown *facts_for(const struct engine_process *p, const struct payload_table *t)
{
	AUTO(status_free) struct status *s = NULL;
	struct result r = DONE;

	if (p->status != NULL)
		r = status_copy(p->status, &s);
	else
		s = status_new();
	if (!OK(r) || s == NULL || !OK(tally(p, s, p->validated, t)))
		return NULL;
	s->table_time = time_now(p);
	return shown_new(t, MOVE(s), time_now(p));
}

static RESULT write_outputs(const struct engine_process *p, const struct payload_table *t)
{
	AUTO(shown_unref) struct shown *facts = NULL; /* of the first format that is wanted on */
	struct result all = DONE;

	for (unsigned int f = 0; f < OUTPUT_FORMATS; f++) {
		const char *path = conf_text(rpki_clause(p), output_option(f));
		struct result r;

		if (path == NULL || *path == '\0')
			continue;
		if (facts == NULL && (facts = facts_for(p, t)) == NULL)
			return FAIL(ERR_NOMEM);
		r = output_write_file(f, t, &facts->info, path);
		if (!OK(r)) {
			log_error("%s: cannot be written: %s", path, r.e == ERR_SYSTEM ? strerror(errno) : err_text(r.e));
			all = r;
		}
	}
	return all;
}

static RESULT send_table(struct engine_process *p, const struct payload_table *t)
{
	int fd;

	if (p->child.setup->o.once)
		return DONE;
	TRY(table_image_file(t, &fd));
	say(p, CONTROL_SNAPSHOT, fd);
	(void)close(fd);
	return DONE;
}

/* After the table that it is about (NULL: none goes out). */
static RESULT send_status(struct engine_process *p, const struct payload_table *served) __attribute__((nonnull(1)));
static RESULT send_status(struct engine_process *p, const struct payload_table *served)
{
	AUTO(strbuf_free) struct strbuf *octets = strbuf_new(STATUS_OCTETS_MAX);
	AUTO(status_free) struct status *none = NULL;
	int fd;

	if (p->child.setup->o.once)
		return DONE;
	if (p->status == NULL) {
		none = status_new();
		if (none == NULL)
			return FAIL(ERR_NOMEM);
		none->table_time = time_now(p);
		if (served != NULL) /* exceptions alone */
			TRY(tally_payloads(none, NULL, served));
	}
	if (octets == NULL)
		return FAIL(ERR_NOMEM);
	TRY(status_encode(p->status != NULL ? p->status : none, octets));
	TRY(memory_file_make(strbuf_span(octets), &fd));
	say(p, CONTROL_STATUS, fd);
	(void)close(fd);
	return DONE;
}

/* For `cairn-rpki status`. */
static void keep_status(const struct engine_process *p)
{
	AUTO_CHARS char *path = mem_printf("%s/" STATUS_FILE_NAME, conf_text(rpki_clause(p), OPT_RPKI_CACHE_DIR));
	struct result r = path != NULL ? status_file_write(path, p->status) : FAIL(ERR_NOMEM);

	if (!OK(r))
		log_warn("%s: cannot be written: %s", path != NULL ? path : STATUS_FILE_NAME, r.e == ERR_SYSTEM ? strerror(errno) : err_text(r.e));
}

/* The table, after the exceptions, goes out to files, and to whom routers ask. */
static RESULT publish(struct engine_process *p)
{
	AUTO(table_unref) struct payload_table *t = NULL, *served = NULL;
	struct slurm_counts counts;
	struct result sent;

	TRY(slurm_apply(exceptions_now(p->exceptions), p->validated, NULL, p->generation + 1, &counts, &t));
	if (p->guarded == p->validated)
		served = table_ref(t);
	else
		TRY(slurm_apply(exceptions_now(p->exceptions), p->guarded, NULL, p->generation + 1, &counts, &served));
	p->generation++;
	if (p->status != NULL && !p->child.setup->o.once)
		TRY(tally(p, p->status, p->guarded, served));
	sent = send_table(p, served);
	if (OK(sent))
		sent = send_status(p, served);
	if (p->status != NULL && !p->child.setup->o.once)
		keep_status(p);
	if (!p->holding) /* files say what was found: not that nothing is known */
		TRY(write_outputs(p, t));
	return sent;
}

/* Before the first run has ended there is no table yet that exceptions could be applied to. */
static void publish_again(struct engine_process *p)
{
	if (!OK(exceptions_read(p->exceptions)))
		log_error("the exceptions read before stay in force");
	else if ((p->schedule == NULL || (p->validated != NULL && !p->holding)) && !OK(publish(p)))
		log_error("not everything was published");
}

/* ------------------------------------------------------------------------------------------------------------------ events */

static void watch_again(struct engine_process *p);

static void on_watch(struct loop *l, void *object)
{
	struct engine_process *p = (struct engine_process *)object;

	(void)l;
	p->watch.v = 0;
	if (exceptions_changed(p->exceptions))
		publish_again(p);
	watch_again(p);
}

static void watch_again(struct engine_process *p)
{
	if (!OK(loop_timer(p->child.loop, &engine_process_loop_type, p->self.v, on_watch, WATCH_MS, &p->watch)))
		log_error("out of memory: changes of slurm: are not noticed any more");
}

static void note_status(struct engine_process *p, const struct cycle_report *r, const struct locators *locators)
{
	int64_t now = clock_read().wall_sec;
	struct run_times t = { .start = now - r->took_ms / 1000, .done = now };
	AUTO(status_free) struct status *s = NULL;

	if (!p->child.setup->o.once)
		t.next = t.start + conf_int(rpki_clause(p), OPT_RPKI_REFRESH);
	if (!OK(run_status_make(r, locators, &t, p->status, &s))) {
		log_error("out of memory: the status is as of an earlier run");
		return;
	}
	if (p->schedule != NULL)
		s->log = status_text(s, schedule_said(p->schedule));
	status_free(MOVE(p->status));
	p->status = MOVE(s);
}

/* -------------------------------------------------------------------------------------------------------------- loss guard */

static void tell_held(struct engine_process *p, const struct guard_report *r)
{
	char since[32];
	AUTO_CHARS char *what = NULL;
	bool told = false;

	if (r->given_up)
		log_error("loss guard: %s: %" PRIu64 " payloads are still wanting after %" PRId64 " seconds, and are served no longer", r->anchor, r->missing,
			conf_int(rpki_clause(p), OPT_RPKI_LOSS_GUARD_TIME));
	if (r->held == 0)
		return;
	what = mem_printf("loss guard: %s: %" PRIu64 " of %" PRIu64 " payloads have vanished for want of data, and stay served since %s, at most for %" PRId64 " seconds", r->anchor,
		r->held, r->served, clock_iso(r->since, since), conf_int(rpki_clause(p), OPT_RPKI_LOSS_GUARD_TIME));
	if (what != NULL)
		log_error("%s", what);
	if (p->status == NULL)
		return;
	for (struct status_anchor *a = p->status->anchors; a != NULL; a = a->next) {
		if (strcmp(a->name, r->anchor) == 0) {
			a->held_back = r->held;
			told = true;
		}
	}
	if (what != NULL && (!told || status_add_alarm(p->status, STATUS_ALARM, r->since, what) == NULL))
		log_error("out of memory: the status does not tell of the loss guard");
}

/* What the run found, with what is not plausible to have gone. Without memory: as it was found. */
static void guard_run(struct engine_process *p, const struct cycle_report *r, const struct locators *locators)
{
	AUTO(mem_free) void *room = mem_alloc_array(r->anchor_count, sizeof(struct guard_anchor));
	struct guard_anchor *anchors = room;
	struct guard_run run = { .anchors = anchors, .nanchors = r->anchor_count, .points = r->points, .npoints = r->point_count, .now = time_now(p) };
	const struct guard_report *reports;
	size_t n;

	table_unref(MOVE(p->guarded));
	p->guarded = table_ref(p->validated);
	if (p->guard == NULL || anchors == NULL)
		return;
	for (size_t i = 0; i < r->anchor_count; i++)
		anchors[i] = (struct guard_anchor){ locators_list(locators)[i].name, r->anchors[i].usable };
	table_unref(MOVE(p->guarded));
	if (!OK(guard_apply(p->guard, &run, p->validated, &p->guarded))) {
		log_error("out of memory: the loss guard did not look at this run");
		p->guarded = table_ref(p->validated);
		return;
	}
	reports = guard_reports(p->guard, &n);
	for (size_t i = 0; i < n; i++)
		tell_held(p, &reports[i]);
}

/* ---------------------------------------------------------------------------------------------------------------- progress */

static void tell_progress(struct engine_process *p, uint64_t now)
{
	char room[PROGRESS_TEXT];

	if (!progress_is_due(&p->progress, now))
		return;
	if (p->progress.terminal)
		(void)fprintf(stderr, "\r\033[K%s\r", progress_text(&p->progress, now, room));
	else
		log_notice("the run so far: %s", progress_text(&p->progress, now, room));
}

/* While nothing happens, too: somebody may be waiting for a repository that is slow. */
static void on_tick(struct loop *l, void *object)
{
	struct engine_process *p = (struct engine_process *)object;
	uint64_t now = now_ms(loop_now(l));

	p->tick.v = 0;
	if (schedule_is_running(p->schedule) && p->progress.begun_ms == 0)
		progress_begin(&p->progress, p->progress.terminal, now);
	if (schedule_is_running(p->schedule))
		tell_progress(p, now);
	if (!OK(loop_timer(l, &engine_process_loop_type, p->self.v, on_tick, p->progress.terminal ? TICK_MS : PROGRESS_LOG_MS, &p->tick)))
		log_info("out of memory: progress is told when something happens");
}

static void on_progress(struct loop *l, void *object, const struct cycle_repository *r, const struct cycle_anchor *a, size_t anchor, const struct cycle_counts *counts)
{
	struct engine_process *p = (struct engine_process *)object;
	uint64_t now = now_ms(loop_now(l));

	(void)a, (void)anchor;
	if (p->progress.begun_ms == 0)
		progress_begin(&p->progress, p->progress.terminal, now);
	if (r != NULL)
		progress_note(&p->progress, r->how == CYCLE_FAILED, r->published, r->octets, counts->repositories);
	tell_progress(p, now);
}

static void progress_over(struct engine_process *p)
{
	if (p->progress.drawn)
		(void)fputs("\r\033[K", stderr);
	p->progress = (struct progress){ .terminal = p->progress.terminal };
}

/* ------------------------------------------------------------------------------------------------- while nothing is known */

static void on_retry(struct loop *l, void *object)
{
	struct engine_process *p = (struct engine_process *)object;

	(void)l;
	p->retry.v = 0;
	schedule_run_now(p->schedule);
}

static void retry_soon(struct engine_process *p)
{
	uint32_t most = (uint32_t)conf_int(rpki_clause(p), OPT_RPKI_REFRESH) * 1000u;

	if (p->retry_ms >= most)
		return; /* the next run comes by itself */
	log_warn("no trust anchor is usable, as without a network: nothing is published, and the next run begins in %u s", p->retry_ms / 1000);
	loop_timer_stop(p->child.loop, &p->retry);
	if (!OK(loop_timer(p->child.loop, &engine_process_loop_type, p->self.v, on_retry, p->retry_ms, &p->retry)))
		log_error("out of memory: the next run begins after refresh:");
	if (p->status != NULL)
		p->status->run_next = clock_read().wall_sec + p->retry_ms / 1000;
	p->retry_ms = 2 * p->retry_ms;
}

static bool has_assertions(const struct engine_process *p)
{
	AUTO(table_unref) struct payload_table *t = NULL;
	struct slurm_counts counts;

	return OK(slurm_apply(exceptions_now(p->exceptions), NULL, NULL, 0, &counts, &t)) && counts.asserted[PAYLOAD_VRP] + counts.asserted[PAYLOAD_KEY] + counts.asserted[PAYLOAD_ASPA] > 0;
}

/*
 * No trust anchor was usable since this process began: a machine that has no network yet, or a store that was set aside. An empty table would take from routers what they have, and tell
 * others that there is nothing; so for as long as data may be used without being confirmed nothing goes out, but assertions where there is nothing else.
 */
static bool is_nothing_known(struct engine_process *p, const struct cycle_report *r)
{
	for (size_t i = 0; i < r->anchor_count; i++)
		p->was_usable = p->was_usable || r->anchors[i].usable;
	if (p->child.setup->o.once || p->was_usable || clock_read().wall_sec - p->begun >= conf_int(setup_rtr(p->child.setup), OPT_RTR_EXPIRE))
		return false;
	return p->kept || !has_assertions(p);
}

/* No table goes out, but why should be known. */
static void tell_status_alone(struct engine_process *p)
{
	if (p->holding && p->status != NULL)
		p->status->table_time = 0; /* none is out that it could be of */
	if (!p->child.setup->o.once && p->status != NULL)
		keep_status(p);
	if (!OK(send_status(p, NULL)))
		log_error("out of memory: the status is as of an earlier run");
}

/* Where somebody is served: a single run's files do not tell of repositories. */
static void note_repositories(struct engine_process *p, const struct cycle_report *r)
{
	repository_map_free(MOVE(p->map));
	if (p->guard != NULL && !OK(repository_map_make(r, guard_key(p->guard), &p->map)))
		log_error("out of memory: payloads are not counted by repository");
}

static void on_run_ended(struct loop *l, void *object, const struct cycle_report *r, const struct locators *locators)
{
	struct engine_process *p = (struct engine_process *)object;
	bool usable = OK(r->result), published = false;

	progress_over(p);
	note_status(p, r, locators);
	for (size_t i = 0; i < r->anchor_count; i++)
		usable = usable && r->anchors[i].usable;
	p->exit_status = usable ? 0 : 1;
	if (OK(r->result)) {
		table_unref(MOVE(p->validated));
		p->validated = table_ref(r->table);
		table_unref(MOVE(p->unsafe));
		p->unsafe = r->unsafe != NULL ? table_ref(r->unsafe) : NULL;
		note_repositories(p, r);
		guard_run(p, r, locators);
		say(p, CONTROL_RUN_DONE, -1);
		p->holding = is_nothing_known(p, r);
		if (p->holding)
			retry_soon(p);
		published = !p->holding || (p->guard != NULL && guard_held(p->guard) > 0);
		if (published && !OK(publish(p))) {
			log_error("not everything was published");
			p->exit_status = 1;
		}
	}
	if (!OK(r->result) || (p->holding && !published))
		tell_status_alone(p);
	if (p->child.setup->o.once)
		loop_stop(l);
}

static void on_control(struct loop *l, void *object, link_h k, struct link_message *m)
{
	struct engine_process *p = (struct engine_process *)object;
	struct reader r = reader_of(m->body);
	uint8_t way;

	(void)l, (void)k;
	if (child_heard(m))
		return;
	if (m->type == CONTROL_RUN_NOW && p->schedule != NULL)
		schedule_run_now(p->schedule);
	if (m->type != CONTROL_PEER || m->fd < 0 || p->fetcher == NULL)
		return;
	way = read8(&r);
	if (!reader_ok(&r) || way >= FETCH_WAYS)
		return;
	if (!OK(fetcher_link_attach(p->fetcher, (enum fetch_way)way, m->fd)))
		log_error("the process that fetches cannot be reached: out of memory");
	m->fd = -1;
}

static void on_control_closed(struct loop *l, void *object, link_h k, enum err e)
{
	struct engine_process *p = (struct engine_process *)object;

	(void)k, (void)e;
	p->child.linked = false;
	loop_stop(l);
}

/* ----------------------------------------------------------------------------------------------- a tree of files, once */

static RESULT validate_tree(struct engine_process *p, const struct locators *locators)
{
	const struct conf_clause *rpki = rpki_clause(p);
	AUTO(tree_free) struct tree *tree = tree_new(conf_text(rpki, OPT_RPKI_RPKI_TREE));
	AUTO(strbuf_free) struct strbuf *lines = strbuf_new(REPORT_OCTETS), *refused = strbuf_new(REFUSED_OCTETS);
	AUTO(mem_free) void *anchors = mem_alloc_array(locators_count(locators), sizeof(struct anchor_result));
	struct engine_options o = { .now = time_now(p), .threads = (unsigned int)conf_int(rpki, OPT_RPKI_THREADS), .limits = settings_validate(rpki),
		.locators = locators, .unsafe = settings_unsafe(rpki), .unsafe_ranges = (uint32_t)conf_int(rpki, OPT_RPKI_MAX_UNSAFE_RANGES), .generation = p->generation,
		.refused = refused };

	if (tree == NULL) {
		log_error("rpki-tree: %s cannot be opened: %s", conf_text(rpki, OPT_RPKI_RPKI_TREE), strerror(errno));
		return FAIL(ERR_SYSTEM);
	}
	if (lines == NULL || refused == NULL || anchors == NULL)
		return FAIL(ERR_NOMEM);
	o.objects = tree_objects(tree);
	TRY(engine_run(&o, anchors, &p->validated, &p->unsafe));
	p->guarded = table_ref(p->validated);
	engine_report(locators, anchors, lines);
	note_status(p, &(struct cycle_report){ .table = p->validated, .anchors = anchors, .anchor_count = locators_count(locators) }, locators);
	log_lines(LOG_LEVEL_VERBOSE, "", strbuf_text(refused));
	log_lines(LOG_LEVEL_NOTICE, "", strbuf_text(lines));
	for (size_t i = 0; i < locators_count(locators); i++)
		if (!((const struct anchor_result *)anchors)[i].usable)
			p->exit_status = 1;
	return DONE;
}

static bool has_tree(const struct setup *s)
{
	const char *tree = conf_text(setup_rpki(s), OPT_RPKI_RPKI_TREE);

	return s->o.offline && tree != NULL && *tree != '\0';
}

/* ------------------------------------------------------------------------------------------------------------------- start */

static RESULT make_fetcher(struct engine_process *p)
{
	const struct conf_clause *rpki = rpki_clause(p);
	const bool has[FETCH_WAYS] = { [FETCH_BY_HTTPS] = true, [FETCH_BY_RSYNC] = conf_bool(rpki, OPT_RPKI_RSYNC) };

	if (p->child.setup->o.offline)
		return DONE;
	p->fetcher = fetcher_link_new(p->child.loop, has);
	return p->fetcher != NULL ? DONE : FAIL(ERR_NOMEM);
}

static struct guard_options guard_options(const struct conf_clause *rpki)
{
	return (struct guard_options){ conf_bool(rpki, OPT_RPKI_LOSS_GUARD), (uint32_t)conf_int(rpki, OPT_RPKI_LOSS_GUARD_SHARE), conf_int(rpki, OPT_RPKI_LOSS_GUARD_TIME) };
}

/* What was served before this process began: what the serving process has kept, if it is not too old. That process says what is wrong with it. */
static void recall_served(const struct engine_process *p)
{
	struct rtr_feed_options fo = { .timers = RTR_TIMERS_USUAL, .history = { 1, 1 } };
	struct rtr_state ids = rtr_state_draw(p->child.rng);
	AUTO(rtr_feed_free) struct rtr_feed *f = rtr_feed_new(&fo, &ids);
	AUTO_CHARS char *path = mem_printf("%s/" SERVE_FOLDER "/" RTR_KEEP_NAME, conf_text(rpki_clause(p), OPT_RPKI_CACHE_DIR));
	int64_t at;

	if (f != NULL && path != NULL && OK(rtr_keep_read(path, f, &fo.history, time_now(p), conf_int(rpki_clause(p), OPT_RPKI_LOSS_GUARD_TIME), &at)))
		guard_recall(p->guard, rtr_feed_table(f));
}

/* Only where somebody is served: a single run says what it has found. */
static RESULT make_guard(struct engine_process *p)
{
	struct guard_options o = guard_options(rpki_clause(p));
	struct hash_key key = rng_hash_key(p->child.rng);

	if (p->child.setup->o.once)
		return DONE;
	p->guard = guard_new(&o, &key);
	if (p->guard == NULL)
		return FAIL(ERR_NOMEM);
	recall_served(p);
	return DONE;
}

static RESULT look_for_kept(struct engine_process *p, const char *cache)
{
	AUTO_CHARS char *path = mem_printf("%s/" SERVE_FOLDER "/" RTR_KEEP_NAME, cache);

	if (path == NULL)
		return FAIL(ERR_NOMEM);
	p->kept = access(path, F_OK) == 0;
	p->begun = clock_read().wall_sec;
	p->retry_ms = RETRY_MS;
	return DONE;
}

static RESULT make_schedule(struct engine_process *p)
{
	const struct setup *s = p->child.setup;
	struct schedule_options o = { .conf = s->conf, .once = s->o.once, .at_given = s->o.at_given, .at_sec = s->o.at_sec };
	const struct schedule_events ev = { .type = &engine_process_loop_type, .who = p->self.v, .progress = on_progress, .ended = on_run_ended };
	const char *cache = conf_text(rpki_clause(p), OPT_RPKI_CACHE_DIR);

	TRY(look_for_kept(p, cache));
	if (s->set_store_aside) {
		log_error("the engine has died twice without an end of its run: the store in %s is set aside, and everything is fetched anew", cache);
		TRY(store_set_aside(cache));
	}
	TRY(make_fetcher(p));
	o.fetcher = p->fetcher;
	TRY(make_guard(p));
	o.points_key = p->guard != NULL ? guard_key(p->guard) : NULL;
	p->progress.terminal = s->log_to < 0 && s->o.foreground && isatty(STDERR_FILENO);
	TRY(loop_timer(p->child.loop, &engine_process_loop_type, p->self.v, on_tick, TICK_MS, &p->tick));
	return schedule_new(p->child.loop, &o, &ev, &p->schedule);
}

/* The folder that a file is in, so that it may be replaced. */
static char *folder_of(const char *path) OWNED_BY(mem_free);
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return mem_strdup(".");
	return slash == path ? mem_strdup("/") : mem_strndup(path, (size_t)(slash - path));
}

/* Paths of the sandbox; texts of folders are owned by the list. */
struct paths {
	struct sandbox_path *p OWNED_FIELD;
	char **texts OWNED_FIELD;
	size_t n, room;
};

static void paths_done(struct paths *x)
{
	for (size_t i = 0; x->texts != NULL && i < x->n; i++)
		mem_free(x->texts[i]); /* own-ok: R4 the array owned it */
	mem_free(MOVE(x->p));
	mem_free(MOVE(x->texts));
}

static RESULT add_path(struct paths *x, char *folder, unsigned int groups) TAKES(2);
static RESULT add_path(struct paths *x, char *folder, unsigned int groups)
{
	if (folder == NULL)
		return FAIL(ERR_NOMEM);
	x->texts[x->n] = folder;
	x->p[x->n] = (struct sandbox_path){ folder, groups };
	x->n++;
	return DONE;
}

static RESULT fill_paths(struct paths *x, const struct conf_clause *rpki)
{
	const char *tree = conf_text(rpki, OPT_RPKI_RPKI_TREE), *cache = conf_text(rpki, OPT_RPKI_CACHE_DIR), *tals = conf_text(rpki, OPT_RPKI_TAL_DIR);

	if (tals != NULL && *tals != '\0')
		TRY(add_path(x, mem_strdup(tals), SANDBOX_READ));
	for (size_t i = 0; i < conf_count(rpki, OPT_RPKI_TAL); i++)
		TRY(add_path(x, folder_of(conf_item(rpki, OPT_RPKI_TAL, i)), SANDBOX_READ));
	TRY(add_path(x, mem_strdup(cache), SANDBOX_READ | SANDBOX_WRITE));
	if (tree != NULL && *tree != '\0')
		TRY(add_path(x, mem_strdup(tree), SANDBOX_READ));
	for (size_t i = 0; i < conf_count(rpki, OPT_RPKI_SLURM); i++)
		TRY(add_path(x, folder_of(conf_item(rpki, OPT_RPKI_SLURM, i)), SANDBOX_READ));
	for (unsigned int f = 0; f < OUTPUT_FORMATS; f++) {
		const char *path = conf_text(rpki, output_option(f));

		if (path != NULL && *path != '\0')
			TRY(add_path(x, folder_of(path), SANDBOX_READ | SANDBOX_WRITE));
	}
	return DONE;
}

static RESULT confine(struct engine_process *p)
{
	const struct conf_clause *rpki = rpki_clause(p);
	struct paths x = { .room = 3 + conf_count(rpki, OPT_RPKI_TAL) + conf_count(rpki, OPT_RPKI_SLURM) + OUTPUT_FORMATS };
	struct result r = FAIL(ERR_NOMEM);

	x.p = (struct sandbox_path *)mem_alloc_array(x.room, sizeof *x.p);
	x.texts = (char **)mem_alloc_array(x.room, sizeof *x.texts);
	if (x.p != NULL && x.texts != NULL)
		r = fill_paths(&x, rpki);
	if (OK(r))
		r = child_confine(&p->child, x.p, x.n);
	paths_done(&x);
	return r;
}

static RESULT start(struct engine_process *p, const struct setup *s, int control)
{
	struct link_events ev = { .type = &engine_process_loop_type, .message = on_control, .closed = on_control_closed };

	TRY(child_begin(&p->child, s, CHILD_ENGINE));
	p->self = engine_process_enlist(p->child.loop, p);
	if (p->self.v == 0)
		return FAIL(ERR_NOMEM);
	ev.who = p->self.v;
	TRY(child_link(&p->child, control, &ev));
	TRY(child_become_user(&p->child));
	TRY(exceptions_new(rpki_clause(p), &p->exceptions));
	if (s->anchors && !has_tree(s))
		TRY(make_schedule(p));
	return confine(p);
}

/* Without a schedule: at once what there is. */
static RESULT publish_at_once(struct engine_process *p)
{
	AUTO(locators_free) struct locators *l = NULL;

	if (p->child.setup->anchors) {
		TRY(settings_locators(rpki_clause(p), &l));
		TRY(validate_tree(p, l));
	}
	if (!OK(publish(p)))
		p->exit_status = 1;
	return DONE;
}

static RESULT work(struct engine_process *p)
{
	if (p->schedule == NULL)
		TRY(publish_at_once(p));
	else
		say(p, CONTROL_LATER, -1);
	if (p->child.setup->o.once && p->schedule == NULL)
		return DONE;
	if (!p->child.setup->o.once)
		watch_again(p);
	loop_run(p->child.loop);
	return DONE;
}

static void end(struct engine_process *p)
{
	schedule_free(MOVE(p->schedule));
	fetcher_free(MOVE(p->fetcher));
	exceptions_free(MOVE(p->exceptions));
	guard_free(MOVE(p->guard));
	repository_map_free(MOVE(p->map));
	table_unref(MOVE(p->guarded));
	table_unref(MOVE(p->validated));
	table_unref(MOVE(p->unsafe));
	status_free(MOVE(p->status));
	if (p->self.v != 0)
		engine_process_retire(p->child.loop, p->self);
	child_end(&p->child);
}

int engine_process(void *ctx, int control, const struct monitor_along *along)
{
	struct engine_process p = { .self = { 0 } };
	struct result r = start(&p, (const struct setup *)ctx, control);
	int status;

	(void)along;
	if (OK(r))
		r = work(&p);
	if (!OK(r))
		log_error("the engine cannot work: %s", err_text(r.e));
	status = OK(r) ? p.exit_status : r.e == ERR_NOMEM || r.e == ERR_CLOSED ? 1 : 2;
	end(&p);
	return status;
}
