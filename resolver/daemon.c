/*
 * Order of things. Start: configuration -> shared objects -> workers, listening -> privileges dropped -> threads -> warm start, trust anchors followed. Stop: workers leave their loops -> threads
 * joined -> snapshot -> everything freed. Invariants: (1) a worker is touched by its own thread only, once that runs; the main thread reads its counters. (2) d->plan and
 * d->zones are those that were posted last; each worker has a count of its own.
 */
#include "resolver/daemon.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/epoch.h"
#include "base/log.h"
#include "base/loop_event.h"
#include "base/mem.h"
#include "base/process.h"
#include "base/rng.h"
#include "base/strbuf.h"
#include "config.h"
#include "resolver/anchors.h"
#include "resolver/ask.h"
#include "resolver/cache/denials.h"
#include "resolver/cache/keycache.h"
#include "resolver/filter_keeper.h"
#include "resolver/log_options.h"
#include "resolver/dnstap/hub.h"
#include "resolver/routes/keeper.h"
#include "resolver/serve/filter_board.h"
#include "resolver/serve/serve_settings.h"
#include "resolver/stats_base.h"
#include "resolver/warm.h"

#define MAX_UNSENT (256u * 1024) /* octets of one stream */
#define LOOK_MS 250u /* between looks whether routes to addresses in stored answers are others */
#define REPORT_OCTETS (64u * 1024)
#define DEFAULT_CONF SYSCONFDIR "/cairn/cairn.conf"

LOOP_HANDLE(daemon)
LOOP_HANDLE_IMPL(daemon)

struct thread {
	struct daemon *daemon PARENT_FIELD;
	unsigned int number;
	bool running;
	pthread_t id;
	struct rng *rng OWNED_FIELD;
	struct epoch_member *member OWNED_FIELD;
	struct loop *loop OWNED_FIELD;
	struct host *host OWNED_FIELD;
	struct worker *worker OWNED_FIELD;
	struct plan_message *mail OWNED_FIELD; /* within post_plan(): made, not yet sent */
};

struct daemon {
	struct daemon_options options;
	const char *conf_path BORROWED_FIELD; /* that a reload reads; NULL: built in */
	struct plan *plan OWNED_FIELD;
	struct zones *zones OWNED_FIELD;
	struct shared *shared OWNED_FIELD;
	struct rng *rng OWNED_FIELD;
	struct epoch_member *member OWNED_FIELD;
	struct loop *loop OWNED_FIELD;
	struct warm *warm OWNED_FIELD;
	struct anchor_keeper *keeper OWNED_FIELD;
	struct route_keeper *routes OWNED_FIELD;
	struct filter_keeper *filters OWNED_FIELD;
	struct tap_hub *taps OWNED_FIELD;
	struct control *control OWNED_FIELD;
	struct thread *threads OWNED_FIELD;
	unsigned int thread_count;
	struct stats_base *stats OWNED_FIELD;
	unsigned int verbosity;
	uint64_t started_ms;
	uint64_t files; /* that may be open */
	daemon_h self;
	timer_h look;
	char *pid_file OWNED_FIELD; /* written, to be removed */
};

/* --- what the control socket asks --- */

struct loop *daemon_loop(struct daemon *d)
{
	return d->loop;
}

struct epoch_member *daemon_member(struct daemon *d)
{
	return d->member;
}

struct shared *daemon_shared(struct daemon *d)
{
	return d->shared;
}

struct warm *daemon_warm(struct daemon *d)
{
	return d->warm;
}

struct anchor_keeper *daemon_keeper(struct daemon *d)
{
	return d->keeper;
}

const struct filter_keeper *daemon_filters(const struct daemon *d)
{
	return d->filters;
}

const struct plan *daemon_plan(const struct daemon *d)
{
	return d->plan;
}

const struct zones *daemon_zones(const struct daemon *d)
{
	return d->zones;
}

uint64_t daemon_started_ms(const struct daemon *d)
{
	return d->started_ms;
}

const struct tap_hub *daemon_taps(const struct daemon *d)
{
	return d->taps;
}

unsigned int daemon_workers(const struct daemon *d)
{
	return d->thread_count;
}

const struct stats *daemon_stats(const struct daemon *d, unsigned int worker)
{
	return &d->threads[worker].worker->stats;
}

struct stats_base *daemon_stats_base(struct daemon *d)
{
	return d->stats;
}

uint64_t daemon_count(const struct daemon *d, enum counter c)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < d->thread_count; i++)
		sum += stats_get(daemon_stats(d, i), c);
	return sum;
}

void daemon_flushed(struct daemon *d)
{
	shared_raise_stamp(d->shared);
}

/* --- log --- */

unsigned int daemon_verbosity(const struct daemon *d)
{
	return d->verbosity;
}

void daemon_set_verbosity(struct daemon *d, unsigned int verbosity)
{
	d->verbosity = verbosity;
	log_set_level(log_options_level(verbosity));
}

static void set_up_log(struct daemon *d)
{
	struct log_config l = log_options_read(d->plan->conf, d->options.foreground);

	d->verbosity = (unsigned int)conf_int(conf_server(d->plan->conf), OPT_VERBOSITY) + d->options.verbosity;
	l.level = log_options_level(d->verbosity);
	if (!OK(log_setup(&l)))
		log_error("logfile: %s cannot be opened: %s", l.file != NULL ? l.file : "(none)", strerror(errno));
}

/* --- plans: a new configuration goes to every worker --- */

struct plan_message {
	struct message m;
	struct worker *worker PARENT_FIELD;
	struct plan *plan OWNED_FIELD; /* NULL: only the zones change */
	struct zones *zones OWNED_FIELD;
	bool listen; /* the interfaces may have changed */
};

static void plan_message_done(struct plan_message *p) TAKES(1);
DEFINE_AUTO(struct plan_message, plan_message_done)
static void plan_message_done(struct plan_message *p)
{
	if (p == NULL)
		return;
	plan_unref(MOVE(p->plan));
	zones_unref(MOVE(p->zones));
	mem_free(p);
}

static void plan_message_free(struct message *m)
{
	plan_message_done((struct plan_message *)(void *)m); /* own-ok: R4 the queue owned it */
}

static void plan_message_run(struct loop *l, struct message *m)
{
	struct plan_message *p = (struct plan_message *)(void *)m;
	AUTO(strbuf_free) struct strbuf *report = NULL;
	size_t failed = 0;

	(void)l;
	if (p->plan == NULL) {
		worker_set_zones(p->worker, p->zones);
		return;
	}
	worker_set_plan(p->worker, p->plan, p->zones);
	report = strbuf_new(REPORT_OCTETS);
	if (report == NULL)
		return;
	(void)OK(worker_listen(p->worker, report, &failed));
	if (failed > 0)
		log_lines(LOG_LEVEL_ERROR, "", strbuf_text(report));
}

static struct plan_message *plan_message_new(struct worker *w, const struct plan *p, const struct zones *z) OWNED_BY(plan_message_done);
static struct plan_message *plan_message_new(struct worker *w, const struct plan *p, const struct zones *z)
{
	AUTO(plan_message_done) struct plan_message *m = mem_alloc(sizeof *m);

	if (m == NULL)
		return NULL;
	m->m = (struct message){ NULL, plan_message_run, plan_message_free };
	m->worker = w;
	if (p != NULL)
		m->plan = plan_ref(p);
	m->zones = zones_ref(z);
	return MOVE(m);
}

/* To all workers, or to none. */
static RESULT post_plan(struct daemon *d, const struct plan *p, const struct zones *z)
{
	bool good = true;

	for (unsigned int i = 0; i < d->thread_count && good; i++) {
		d->threads[i].mail = plan_message_new(d->threads[i].worker, p, z);
		good = d->threads[i].mail != NULL;
	}
	for (unsigned int i = 0; i < d->thread_count; i++) {
		AUTO(plan_message_done) struct plan_message *m = MOVE(d->threads[i].mail);

		if (good) {
			loop_post(d->threads[i].loop, &m->m);
			(void)MOVE(m); /* own-ok: R3 the queue has it: the message is the first thing in it */
		}
	}
	return good ? DONE : FAIL(ERR_NOMEM);
}

/* --- routes to addresses in answers --- */

static void look_later(struct daemon *d);

static void on_look(struct loop *l, void *object)
{
	struct daemon *d = (struct daemon *)object;

	(void)l;
	d->look = (timer_h){ 0 };
	shared_look_at_routes(d->shared, d->member);
	look_later(d);
}

static void look_later(struct daemon *d)
{
	if (d->look.v != 0 || (d->plan->serve->answer_routes == ANSWER_ROUTES_OFF && d->shared->watched_for == WATCHED_INVALID))
		return;
	if (!OK(loop_timer(d->loop, &daemon_loop_type, d->self.v, on_look, LOOK_MS, &d->look)))
		log_error("routes: out of memory: stored answers are not judged again before the next reload");
}

/* Another filter hangs on the board: all answers are judged by it. */
static void filter_changed(void *ctx)
{
	struct daemon *d = ctx;
	AUTO(filter_sheet_unref) struct filter_sheet *s = filter_board_get(d->shared->filters);

	d->shared->watched_for = s != NULL && filter_wants_routes(s->filter) ? WATCHED_FACTS : WATCHED_INVALID;
	shared_raise_stamp(d->shared);
	look_later(d);
}

static RESULT set_statistics(struct daemon *d)
{
	const struct conf_clause *c = conf_server(d->plan->conf);

	return stats_base_set(d->stats, (uint64_t)conf_int(c, OPT_STATISTICS_INTERVAL), conf_bool(c, OPT_STATISTICS_CUMULATIVE));
}

/* Puts p in force. afresh: it was read from the file. */
static RESULT adopt(struct daemon *d, struct plan *p, bool afresh) TAKES(2);
static RESULT adopt(struct daemon *d, struct plan *p, bool afresh)
{
	AUTO(plan_unref) struct plan *next = p;
	bool same = plan_same_answers(d->plan, next);

	TRY(tap_hub_set(d->taps, next));
	TRY(post_plan(d, next, next->zones));
	plan_unref(MOVE(d->plan));
	zones_unref(MOVE(d->zones));
	d->zones = zones_ref(next->zones);
	d->plan = MOVE(next);
	shared_set_plan(d->shared, d->plan);
	if (!same)
		shared_raise_stamp(d->shared); /* answers are made anew from the RRset cache, which stays */
	warm_set_plan(d->warm, d->plan);
	anchor_keeper_set(d->keeper, d->plan, afresh);
	look_later(d);
	TRY(set_statistics(d));
	TRY(filter_keeper_set(d->filters, d->plan));
	return route_keeper_set(d->routes, d->plan);
}

/* Options that only a start applies. */
static void name_unchanged(const struct conf *before, const struct conf *after, struct strbuf *report)
{
	static const struct {
		enum conf_opt o;
		const char *name BORROWED_FIELD; /* static text */
	} numbers[] = { { OPT_NUM_THREADS, "num-threads" } }, texts[] = { { OPT_CHROOT, "chroot" }, { OPT_USERNAME, "username" },
		{ OPT_DIRECTORY, "directory" }, { OPT_PIDFILE, "pidfile" } };
	const struct conf_clause *a = conf_server(before), *b = conf_server(after);

	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		if (conf_int(a, numbers[i].o) != conf_int(b, numbers[i].o))
			strbuf_printf(report, "%s: warning: %s: applied at the next start\n", conf_where(b, numbers[i].o, 0), numbers[i].name);
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		const char *x = conf_text(a, texts[i].o), *y = conf_text(b, texts[i].o);

		if (strcmp(x != NULL ? x : "", y != NULL ? y : "") != 0)
			strbuf_printf(report, "%s: warning: %s: applied at the next start\n", conf_where(b, texts[i].o, 0), texts[i].name);
	}
}

static RESULT set_conf(struct daemon *d, struct conf *c, bool afresh, struct strbuf *report) TAKES(2);
static RESULT set_conf(struct daemon *d, struct conf *c, bool afresh, struct strbuf *report)
{
	AUTO(plan_unref) struct plan *next = NULL;
	AUTO(conf_free) struct conf *mine = c;

	name_unchanged(d->plan->conf, mine, report);
	TRY(plan_make(MOVE(mine), d->plan, d->rng, report, &next));
	plan_fit_files(next, d->files);
	return adopt(d, MOVE(next), afresh);
}

RESULT daemon_set_conf(struct daemon *d, struct conf *c, struct strbuf *report)
{
	bool same_log = log_options_same(d->plan->conf, c);
	unsigned int verbosity = d->verbosity;

	TRY(set_conf(d, MOVE(c), false, report));
	if (!same_log) {
		set_up_log(d);
		daemon_set_verbosity(d, verbosity); /* as it was set last, by whatever way */
	}
	return DONE;
}

RESULT daemon_reload(struct daemon *d, struct strbuf *report)
{
	AUTO(conf_free) struct conf *c = NULL;

	TRY(conf_load(d->conf_path, report, &c));
	TRY(set_conf(d, MOVE(c), true, report));
	set_up_log(d);
	return DONE;
}

RESULT daemon_set_zones(struct daemon *d, struct local_zones *z)
{
	AUTO(zones_unref) struct zones *next = zones_new(z);

	if (next == NULL)
		return FAIL(ERR_NOMEM);
	TRY(post_plan(d, NULL, next));
	zones_unref(MOVE(d->zones));
	d->zones = MOVE(next);
	return DONE;
}

/* --- rounds --- */

struct round;
struct round_part {
	struct message there, back;
	struct round *round PARENT_FIELD;
	struct worker *worker PARENT_FIELD;
	bool ran;
};

struct round {
	struct daemon *daemon PARENT_FIELD;
	round_each_fn *each;
	round_done_fn *done;
	void *ctx PARENT_FIELD; /* own-ok: R15 the caller's, taken with the call and given back by it */
	struct round_part *parts OWNED_FIELD;
	struct strbuf **outs OWNED_FIELD;
	size_t n;
	size_t left;             /* answers to come; main loop only */
	bool told;
	_Atomic size_t messages; /* not yet freed */
};

static void round_free(struct round *r) TAKES(1);
DEFINE_AUTO(struct round, round_free)
static void round_free(struct round *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; r->outs != NULL && i < r->n; i++)
		strbuf_free(MOVE(r->outs[i]));
	mem_free(MOVE(r->outs));
	mem_free(MOVE(r->parts));
	mem_free(r);
}

/* n messages are done with; the last one ends the round. */
static void round_release(struct round *r, size_t n)
{
	if (atomic_fetch_sub_explicit(&r->messages, n, memory_order_acq_rel) != n)
		return;
	if (!r->told)
		r->done(r->daemon, NULL, 0, r->ctx);
	round_free(r); /* own-ok: R4 its messages owned it together, and this was the last */
}

static void there_run(struct loop *l, struct message *m)
{
	struct round_part *p = (struct round_part *)(void *)m;
	struct round *r = p->round;

	(void)l;
	p->ran = true;
	r->each(p->worker, r->outs[p - r->parts], r->ctx);
	loop_post(r->daemon->loop, &p->back);
}

static void there_free(struct message *m)
{
	struct round_part *p = (struct round_part *)(void *)m;

	round_release(p->round, p->ran ? 1 : 2);
}

static struct round_part *part_of_back(struct message *m) BORROWED;
static struct round_part *part_of_back(struct message *m)
{
	return PARENT_OF(m, struct round_part, back);
}

static void back_run(struct loop *l, struct message *m)
{
	struct round *r = part_of_back(m)->round;

	(void)l;
	if (--r->left > 0)
		return;
	r->told = true;
	r->done(r->daemon, r->outs, r->n, r->ctx);
}

static void back_free(struct message *m)
{
	round_release(part_of_back(m)->round, 1);
}

RESULT daemon_round(struct daemon *d, size_t max, round_each_fn *each, round_done_fn *done, void *ctx)
{
	AUTO(round_free) struct round *made = mem_alloc(sizeof *made);
	struct round *r = made;
	bool good;

	if (r == NULL)
		return FAIL(ERR_NOMEM);
	*r = (struct round){ .daemon = d, .each = each, .done = done, .ctx = ctx, .n = d->thread_count, .left = d->thread_count };
	r->parts = mem_alloc_array(r->n, sizeof *r->parts);
	r->outs = mem_alloc_array(r->n, sizeof *r->outs);
	good = r->parts != NULL && r->outs != NULL;
	for (size_t i = 0; good && i < r->n; i++) {
		r->outs[i] = strbuf_new(max);
		good = r->outs[i] != NULL;
	}
	if (!good)
		return FAIL(ERR_NOMEM);
	atomic_init(&r->messages, 2 * r->n);
	for (size_t i = 0; i < r->n; i++)
		r->parts[i] = (struct round_part){ { NULL, there_run, there_free }, { NULL, back_run, back_free }, r, d->threads[i].worker, false };
	(void)MOVE(made); /* own-ok: R3 its messages have it */
	for (size_t i = 0, n = r->n; i < n; i++)
		loop_post(d->threads[i].loop, &r->parts[i].there); /* lint-ok: analyzer:unix.Malloc the message is a part of the round, which ends with the last of them */
	return DONE;
}

/* --- trust anchors --- */

struct validation_change {
	struct validation *v OWNED_FIELD; /* NULL: nothing is validated */
	bool flush;
	struct name_buf top;
	uint8_t digest[ANCHOR_KEEPER_DIGEST];
};

static void validation_change_free(struct validation_change *c) TAKES(1);
DEFINE_AUTO(struct validation_change, validation_change_free)
static void validation_change_free(struct validation_change *c)
{
	if (c == NULL)
		return;
	validation_unref(MOVE(c->v));
	mem_free(c);
}

static void change_each(struct worker *w, struct strbuf *out, void *ctx)
{
	const struct validation_change *c = ctx;

	(void)out;
	worker_set_validation(w, c->v);
}

/* Every worker validates by the new one: what came before is dropped now, and nothing of it comes after. */
static void change_done(struct daemon *d, struct strbuf *const *outs, size_t n, void *ctx) TAKES(4);
static void change_done(struct daemon *d, struct strbuf *const *outs, size_t n, void *ctx)
{
	AUTO(validation_change_free) struct validation_change *c = ctx;
	struct name top = name_of(&c->top);

	(void)outs;
	if (n == 0 || !c->flush)
		return;
	(void)keycache_flush(d->shared->keycache, d->member, top);
	(void)denials_flush(d->shared->denials, top);
	(void)rrcache_flush_zone(d->shared->rrcache, d->member, top);
	shared_raise_stamp(d->shared);
}

static RESULT publish_validation(void *user, const struct validation *v, const struct name *top)
{
	struct daemon *d = user;
	AUTO(validation_change_free) struct validation_change *c = mem_alloc(sizeof *c);
	uint8_t digest[ANCHOR_KEEPER_DIGEST];

	if (c == NULL)
		return FAIL(ERR_NOMEM);
	if (v != NULL)
		c->v = validation_ref(v);
	c->flush = top != NULL;
	name_copy(&c->top, top != NULL ? *top : name_root);
	TRY(daemon_round(d, 1, change_each, change_done, c));
	(void)MOVE(c); /* own-ok: R3 change_done frees it */
	anchor_keeper_digest(d->keeper, digest);
	warm_set_digest(d->warm, digest);
	return DONE;
}

static RESULT ask_for_keeper(void *user, const struct resolve_request *r, const struct validation *by, const struct loop_type *t, uint64_t who, uint32_t tag,
    resolve_fn *fn)
{
	struct daemon *d = user;
	struct worker *w = d->threads[rng_below(d->rng, d->thread_count)].worker;

	return by == NULL ? ask_worker(w, d->loop, r, t, who, tag, fn) : ask_apart(w, d->loop, r, by, t, who, tag, fn);
}

static RESULT open_keeper(struct daemon *d, struct strbuf *report)
{
	struct anchor_keeper_env e = { .loop = d->loop, .user = d, .publish = publish_validation, .ask = ask_for_keeper };

	return anchor_keeper_open(&e, d->plan, report, &d->keeper);
}

RESULT daemon_ask(struct daemon *d, const struct resolve_request *r, const struct loop_type *t, uint64_t who, uint32_t tag, resolve_fn *fn)
{
	return ask_worker(d->threads[rng_below(d->rng, d->thread_count)].worker, d->loop, r, t, who, tag, fn);
}

/* --- signals --- */

static void on_stop(struct loop *l, void *object)
{
	struct daemon *d = object;

	(void)l;
	daemon_stop(d);
}

static void on_reload(struct loop *l, void *object)
{
	struct daemon *d = object;
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(REPORT_OCTETS);
	struct result r;

	(void)l;
	if (report == NULL) {
		log_error("out of memory: the configuration was not read again");
		return;
	}
	r = daemon_reload(d, report);
	log_lines(OK(r) ? LOG_LEVEL_WARN : LOG_LEVEL_ERROR, "", strbuf_text(report));
	if (OK(r))
		log_notice("configuration read again");
	else
		log_error("the new configuration cannot be used (%s): nothing was changed", err_text(r.e));
}

static void on_reopen(struct loop *l, void *object)
{
	struct daemon *d = object;

	(void)l;
	(void)d;
	(void)OK(log_reopen());
}

static RESULT hear_signals(struct daemon *d)
{
	static const struct {
		int signo;
		loop_fn *fn;
	} heard[] = { { SIGTERM, on_stop }, { SIGINT, on_stop }, { SIGQUIT, on_stop }, { SIGHUP, on_reload }, { SIGUSR1, on_reopen } };

	(void)sigaction(SIGPIPE, &(const struct sigaction){ .sa_handler = SIG_IGN }, NULL);
	/* What these were before comes back when the loop goes: a late wish to reload must not end the program that is about to end by itself. */
	(void)sigaction(SIGHUP, &(const struct sigaction){ .sa_handler = SIG_IGN }, NULL);
	(void)sigaction(SIGUSR1, &(const struct sigaction){ .sa_handler = SIG_IGN }, NULL);
	for (size_t i = 0; i < sizeof heard / sizeof heard[0]; i++)
		TRY(loop_event_signal(d->loop, heard[i].signo, &daemon_loop_type, d->self.v, heard[i].fn));
	return DONE;
}

/* --- threads --- */

static RESULT make_loop(struct shared *s, struct rng **ret_rng, struct epoch_member **ret_member, struct loop **ret_loop)
{
	struct loop_backend b;

	*ret_rng = rng_new();
	*ret_member = epoch_join(s->epoch);
	if (*ret_rng == NULL || *ret_member == NULL)
		return FAIL(ERR_NOMEM);
	TRY(loop_event_backend(&b));
	*ret_loop = loop_new(&b, *ret_rng, *ret_member);
	return *ret_loop != NULL ? DONE : FAIL(ERR_NOMEM);
}

static RESULT make_worker(struct daemon *d, struct thread *t)
{
	struct worker_env env;

	TRY(make_loop(d->shared, &t->rng, &t->member, &t->loop));
	t->host = host_event_new(t->loop, MAX_UNSENT);
	if (t->host == NULL)
		return FAIL(ERR_NOMEM);
	if (d->plan->ports != NULL)
		TRY(host_event_permit_ports(t->host, (const uint8_t(*)[8192])d->plan->ports));
	host_event_rest(t->host, plan_resting(d->plan));
	env = (struct worker_env){ t->loop, t->host, t->member, d->shared, d->plan, d->zones, t->number, d->thread_count,
		anchor_keeper_validation(d->keeper), tap_hub_seat(d->taps, t->number) };
	t->worker = worker_new(&env);
	return t->worker != NULL ? DONE : FAIL(ERR_NOMEM);
}

static void thread_free(struct thread *t)
{
	worker_free(MOVE(t->worker));
	host_free(MOVE(t->host));
	loop_free(MOVE(t->loop));
	epoch_leave(MOVE(t->member));
	rng_free(MOVE(t->rng));
}

static void *thread_main(void *arg) /* own-ok: R1 pthread's signature; always NULL */
{
	struct thread *t = arg;
	char name[16];

	(void)snprintf(name, sizeof name, "cairnd/%u", t->number);
	(void)pthread_setname_np(pthread_self(), name);
	loop_run(t->loop);
	return NULL;
}

static RESULT start_threads(struct daemon *d)
{
	sigset_t all, before;
	int e = 0;

	/* signals are the main loop's */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	for (unsigned int i = 0; i < d->thread_count && e == 0; i++) {
		e = pthread_create(&d->threads[i].id, NULL, thread_main, &d->threads[i]);
		d->threads[i].running = e == 0;
	}
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = e;
	return e == 0 ? DONE : FAIL(ERR_SYSTEM);
}

static void stop_threads(struct daemon *d)
{
	for (unsigned int i = 0; d->threads != NULL && i < d->thread_count; i++)
		if (d->threads[i].running)
			loop_stop(d->threads[i].loop);
	for (unsigned int i = 0; d->threads != NULL && i < d->thread_count; i++)
		if (d->threads[i].running)
			(void)pthread_join(d->threads[i].id, NULL);
}

void daemon_stop(struct daemon *d)
{
	loop_stop(d->loop);
}

/* --- start --- */

static void remove_pid(struct daemon *d)
{
	if (d->pid_file != NULL)
		process_remove_pid(d->pid_file);
	mem_free(MOVE(d->pid_file));
}

static void daemon_free(struct daemon *d) TAKES(1);
static void daemon_free(struct daemon *d)
{
	if (d == NULL)
		return;
	stop_threads(d);
	if (d->control != NULL)
		d->options.control_close(MOVE(d->control));
	anchor_keeper_close(MOVE(d->keeper));
	route_keeper_close(MOVE(d->routes));
	filter_keeper_close(MOVE(d->filters));
	warm_close(MOVE(d->warm));
	stats_base_free(MOVE(d->stats));
	for (unsigned int i = 0; d->threads != NULL && i < d->thread_count; i++)
		thread_free(&d->threads[i]);
	mem_free(MOVE(d->threads));
	tap_hub_close(MOVE(d->taps));
	loop_free(MOVE(d->loop));
	epoch_leave(MOVE(d->member));
	shared_free(MOVE(d->shared));
	zones_unref(MOVE(d->zones));
	plan_unref(MOVE(d->plan));
	rng_free(MOVE(d->rng));
	remove_pid(d); /* still there when the start failed */
	mem_free(d);
}
DEFINE_AUTO(struct daemon, daemon_free)

/* The file that was named; else the usual one, else what is built in. */
static RESULT first_plan(struct daemon *d, struct strbuf *report)
{
	AUTO(conf_free) struct conf *c = NULL;
	AUTO(rng_free) struct rng *rng = rng_new();

	d->conf_path = d->options.conf_path;
	if (d->conf_path == NULL && access(DEFAULT_CONF, F_OK) == 0)
		d->conf_path = DEFAULT_CONF;
	if (rng == NULL)
		return FAIL(ERR_NOMEM);
	TRY(conf_load(d->conf_path, report, &c));
	TRY(plan_make(MOVE(c), NULL, rng, report, &d->plan));
	d->zones = zones_ref(d->plan->zones);
	return DONE;
}

static RESULT make_shared(struct daemon *d)
{
	AUTO(rng_free) struct rng *rng = rng_new();

	if (rng == NULL)
		return FAIL(ERR_SYSTEM);
	d->shared = shared_new(d->plan, rng);
	if (d->shared == NULL)
		return FAIL(ERR_NOMEM);
	TRY(make_loop(d->shared, &d->rng, &d->member, &d->loop));
	d->self = daemon_enlist(d->loop, d);
	d->warm = d->self.v != 0 ? warm_open(d->loop, d->shared, d->member) : NULL;
	d->routes = route_keeper_open(d->shared->routes);
	d->filters = filter_keeper_open(d->loop, d->shared->filters, filter_changed, d);
	if (d->warm == NULL || d->routes == NULL || d->filters == NULL)
		return FAIL(ERR_NOMEM);
	d->started_ms = now_ms(loop_now(d->loop));
	return DONE;
}

static RESULT make_taps(struct daemon *d)
{
	d->taps = tap_hub_open(d->plan->threads);
	return d->taps != NULL ? tap_hub_set(d->taps, d->plan) : FAIL(ERR_NOMEM);
}

static RESULT make_workers(struct daemon *d, struct strbuf *report)
{
	bool tolerant = !conf_given(conf_server(d->plan->conf), OPT_INTERFACE); /* "::1" of the default need not exist */

	d->threads = mem_alloc_array(d->plan->threads, sizeof *d->threads);
	if (d->threads == NULL)
		return FAIL(ERR_NOMEM);
	d->thread_count = d->plan->threads;
	d->stats = stats_base_new(d->loop, d->thread_count);
	if (d->stats == NULL)
		return FAIL(ERR_NOMEM);
	for (unsigned int i = 0; i < d->thread_count; i++) {
		struct thread *t = &d->threads[i];
		size_t failed;

		t->daemon = d;
		t->number = i;
		TRY(make_worker(d, t));
		TRY(worker_listen(t->worker, report, &failed));
		if (failed > 0 && !tolerant)
			return FAIL(ERR_SYSTEM);
		stats_base_add(d->stats, &t->worker->stats);
	}
	return DONE;
}

static RESULT confine(struct daemon *d, const struct process_user *u)
{
	const struct conf_clause *c = conf_server(d->plan->conf);
	const char *root = conf_text(c, OPT_CHROOT);

	if (OK(process_confine(root != NULL ? root : "", u)))
		return DONE;
	log_error("cannot give up privileges (username, chroot): %s", strerror(errno));
	return FAIL(ERR_SYSTEM);
}

static void write_pid(struct daemon *d)
{
	const char *path = conf_text(conf_server(d->plan->conf), OPT_PIDFILE);

	if (d->options.no_pid_file || path == NULL || *path == '\0')
		return;
	d->pid_file = mem_strdup(path); /* first, so that what is written will be removed */
	if (d->pid_file == NULL || !OK(process_write_pid(path))) {
		log_warn("pidfile: %s cannot be written: %s", path, d->pid_file == NULL ? err_text(ERR_NOMEM) : strerror(errno));
		mem_free(MOVE(d->pid_file));
	}
}

static RESULT enter_directory(const struct daemon *d)
{
	const char *dir = conf_text(conf_server(d->plan->conf), OPT_DIRECTORY);

	if (dir == NULL || *dir == '\0' || chdir(dir) == 0)
		return DONE;
	log_error("directory: %s: %s", dir, strerror(errno));
	return FAIL(ERR_SYSTEM);
}

static void find_user(const struct daemon *d, struct process_user *u)
{
	const char *name = conf_text(conf_server(d->plan->conf), OPT_USERNAME);

	if (!OK(process_find_user(name != NULL ? name : "", u)))
		log_warn("username: there is no user %s: staying root", name);
}

static void raise_files(struct daemon *d)
{
	uint64_t want = plan_files(d->plan), got = process_raise_files(want);

	d->files = got;
	plan_fit_files(d->plan, got);
	if (got < want)
		log_warn("only %llu descriptors may be open, %llu could be used: outgoing-range, incoming-num-tcp or the system's limit", (unsigned long long)got,
		    (unsigned long long)want);
}

static RESULT start(struct daemon *d, struct strbuf *report)
{
	const struct conf_clause *c = conf_server(d->plan->conf);
	uint8_t digest[ANCHOR_KEEPER_DIGEST];
	struct process_user user;

	set_up_log(d);
	log_lines(LOG_LEVEL_WARN, "", strbuf_text(report));
	strbuf_clear(report);
	if (!d->options.foreground && conf_bool(c, OPT_DO_DAEMONIZE))
		TRY(process_background());
	TRY(enter_directory(d));
	find_user(d, &user);
	raise_files(d);
	TRY(make_shared(d));
	TRY(open_keeper(d, report));
	TRY(make_taps(d));
	TRY(make_workers(d, report));
	log_lines(LOG_LEVEL_WARN, "", strbuf_text(report));
	strbuf_clear(report);
	write_pid(d);
	if (d->options.control_open != NULL)
		d->control = d->options.control_open(d);
	TRY(confine(d, &user));
	TRY(hear_signals(d));
	TRY(filter_keeper_set(d->filters, d->plan)); /* before the first question is read */
	TRY(start_threads(d));
	TRY(set_statistics(d));
	TRY(tap_hub_start(d->taps));
	TRY(route_keeper_set(d->routes, d->plan));
	look_later(d);
	warm_set_plan(d->warm, d->plan);
	anchor_keeper_digest(d->keeper, digest);
	warm_set_digest(d->warm, digest);
	warm_start_reading(d->warm);
	anchor_keeper_start(d->keeper);
	process_ready();
	return DONE;
}

static void finish(struct daemon *d)
{
	stop_threads(d);
	for (unsigned int i = 0; i < d->thread_count; i++)
		d->threads[i].running = false;
	epoch_online(d->member);
	warm_write_all(d->warm);
	epoch_offline(d->member);
	remove_pid(d);
	log_notice("stopped");
}

int daemon_run(const struct daemon_options *o)
{
	AUTO(daemon_free) struct daemon *d = mem_alloc(sizeof *d);
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(REPORT_OCTETS);
	struct result r = FAIL(ERR_NOMEM);

	if (d != NULL && report != NULL) {
		d->options = *o;
		r = first_plan(d, report);
		if (OK(r))
			r = start(d, report);
	}
	if (!OK(r)) {
		if (report != NULL)
			log_lines(LOG_LEVEL_ERROR, "", strbuf_text(report));
		log_error("cannot start: %s", err_text(r.e));
		return 1;
	}
	log_notice("cairn %s started: %u thread%s, configuration %s", PACKAGE_VERSION, d->thread_count, d->thread_count == 1 ? "" : "s",
	    d->conf_path != NULL ? d->conf_path : "built in");
	loop_run(d->loop);
	finish(d);
	return 0;
}
