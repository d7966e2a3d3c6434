#include "rpki/schedule.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/strbuf.h"
#include "conf/conf.h"
#include "rpki/routes/table.h"
#include "rpki/run_log.h"
#include "rpki/settings.h"
#include "rpki/store/store.h"
#include "rpki/tidy.h"

#define WHY_OCTETS 65536u
#define REFUSED_OCTETS (8u << 20)
#define SOONEST_MS 10000u /* between the end of a run and the next */

LOOP_HANDLE(schedule)
LOOP_HANDLE_IMPL(schedule)

struct schedule {
	struct loop *loop PARENT_FIELD;
	schedule_h self;
	struct schedule_events ev;
	struct fetcher *fetcher PARENT_FIELD;
	bool once, at_given;
	int64_t at_sec;
	char *cache OWNED_FIELD, *rsync_dir OWNED_FIELD;
	struct store *store OWNED_FIELD;
	struct store_limits store_limits;
	struct cycle_options settings;     /* of the next run, without what a run adds */
	uint32_t refresh_s, jitter_s;
	struct locators *locators OWNED_FIELD;
	struct locators *newer OWNED_FIELD; /* came while a run was under way */
	struct strbuf *refused OWNED_FIELD;
	struct patience *patience OWNED_FIELD;
	struct run_log *said OWNED_FIELD;   /* of the last run, or the one under way */
	const struct hash_key *points_key BORROWED_FIELD; /* outlives it */
	cycle_h cycle;                     /* {0}: none is under way */
	timer_h timer;
	uint64_t begun_ms, generation;
	int64_t next_sec;
	bool again, retried;               /* again: somebody wants another run at once */
};

/* ------------------------------------------------------------------------------------------------------------------ store, locators */

static RESULT open_store(struct schedule *s)
{
	AUTO(strbuf_free) struct strbuf *why = strbuf_new(WHY_OCTETS);
	struct result r;

	if (why == NULL)
		return FAIL(ERR_NOMEM);
	r = store_open(s->cache, &s->store_limits, why, &s->store);
	if (r.e == ERR_FORMAT) {
		log_error("%s; it is set aside, and everything is fetched anew", strbuf_text(why));
		TRY(store_set_aside(s->cache));
		strbuf_clear(why);
		r = store_open(s->cache, &s->store_limits, why, &s->store);
	}
	if (!OK(r))
		log_error("%s", strbuf_len(why) > 0 ? strbuf_text(why) : err_text(r.e));
	return r;
}

static void take_settings(struct schedule *s, const struct conf *c)
{
	const struct conf_clause *rpki = conf_single(c, CLAUSE_RPKI);
	const struct patience_options p = settings_patience(rpki);

	s->settings = settings_cycle(c);
	patience_set(s->patience, &p);
	s->refresh_s = (uint32_t)conf_int(rpki, OPT_RPKI_REFRESH);
	s->jitter_s = (uint32_t)conf_int(rpki, OPT_RPKI_REFRESH_JITTER);
}

/* ------------------------------------------------------------------------------------------------------------------------------ runs */

static void begin(struct schedule *s);

static void on_timer(struct loop *l, void *object)
{
	struct schedule *s = (struct schedule *)object;

	(void)l;
	s->timer.v = 0;
	begin(s);
}

static void plan(struct schedule *s, uint64_t wait_ms)
{
	loop_timer_stop(s->loop, &s->timer);
	s->next_sec = loop_now(s->loop)->wall_sec + (int64_t)(wait_ms / 1000);
	if (!OK(loop_timer(s->loop, &schedule_loop_type, s->self.v, on_timer, wait_ms, &s->timer)))
		log_error("out of memory: no run follows until one is asked for");
}

static void plan_next(struct schedule *s)
{
	uint64_t due = s->begun_ms + (uint64_t)s->refresh_s * 1000, now = now_ms(loop_now(s->loop));

	due += rng_below(loop_rng(s->loop), s->jitter_s * 1000 + 1);
	if (s->again)
		plan(s, 0);
	else if (!s->once)
		plan(s, due > now + SOONEST_MS ? due - now : SOONEST_MS);
}

/* Where the reason names a file, its URI is said once. */
static void say_of_repository(const struct schedule *s, const struct cycle_repository *r)
{
	size_t n = strlen(r->uri);
	bool named = strncmp(r->why, r->uri, n) == 0 && strncmp(r->why + n, ": ", 2) == 0;

	if (r->how == CYCLE_FAILED)
		run_log_say(s->said, LOG_LEVEL_WARN, "repository %s: %s", r->uri, named ? r->why + n + 2 : r->why);
	else if (r->why[0] != '\0')
		run_log_say(s->said, LOG_LEVEL_INFO, "repository %s: %s", r->uri, r->why);
}

static void on_progress(struct loop *l, void *object, const struct cycle_repository *r, const struct cycle_anchor *a, size_t anchor, const struct cycle_counts *counts)
{
	struct schedule *s = (struct schedule *)object;
	void *who = loop_slot_get(l, s->ev.type, s->ev.who);

	if (a != NULL && a->why[0] != '\0')
		run_log_lines(s->said, a->fetched ? LOG_LEVEL_NOTICE : LOG_LEVEL_WARN, "trust anchor ", a->why);
	if (r != NULL)
		say_of_repository(s, r);
	if (who != NULL && s->ev.progress != NULL)
		s->ev.progress(l, who, r, a, anchor, counts);
}

/* One line for the log, and for those who look closer all of them. */
static void say_unsafe(const struct schedule *s, const struct cycle_report *r)
{
	static const struct {
		enum log_level level;
		const char *what BORROWED_FIELD;
	} by[] = { [UNSAFE_ACCEPT] = { LOG_LEVEL_INFO, "they are served" }, [UNSAFE_WARN] = { LOG_LEVEL_WARN, "they are served" }, [UNSAFE_REJECT] = { LOG_LEVEL_WARN, "they are not served" } };

	if (r->unsafe_left_out > 0)
		run_log_say(s->said, LOG_LEVEL_WARN, "%" PRIu64 " ranges of addresses of CAs that failed were not looked at (max-unsafe-ranges:)", r->unsafe_left_out);
	if (r->unsafe == NULL)
		return;
	run_log_say(s->said, by[s->settings.unsafe].level, "unsafe-vrps: %zu VRPs overlap addresses of CAs whose publication point failed; %s", table_count(r->unsafe, PAYLOAD_VRP),
		by[s->settings.unsafe].what);
	for (size_t i = 0; i < table_count(r->unsafe, PAYLOAD_VRP); i++) {
		struct vrp v = table_vrp(r->unsafe, i);
		struct prefix p = vrp_prefix(&v);
		char room[ADDR_TEXT];

		run_log_say(s->said, LOG_LEVEL_VERBOSE, "unsafe VRP: %s/%u-%u AS%" PRIu32, addr_text(&p.a, room), p.len, v.maxlen, v.asn);
	}
}

static void say_what_was_found(const struct schedule *s, const struct cycle_report *r)
{
	AUTO(strbuf_free) struct strbuf *lines = strbuf_new(WHY_OCTETS);

	if (lines == NULL)
		return;
	engine_report(s->locators, r->anchors, lines);
	run_log_lines(s->said, LOG_LEVEL_NOTICE, "", strbuf_text(lines));
	run_log_say(s->said, LOG_LEVEL_NOTICE, "run: %" PRIu64 " repositories, %" PRIu64 " of them not reached, %" PRIu32 ".%03" PRIu32 " s", r->counts.repositories, r->counts.failed,
		r->took_ms / 1000, r->took_ms % 1000);
	say_unsafe(s, r);
	if (r->counts.over_limit > 0)
		run_log_say(s->said, LOG_LEVEL_WARN, "%" PRIu64 " publication points are in repositories above the limits of max-repositories*", r->counts.over_limit);
	if (r->counts.store_full > 0)
		run_log_say(s->said, LOG_LEVEL_ERROR, "%" PRIu64 " repositories have objects that are too large, or the store is full (store-size:)", r->counts.store_full);
	if (r->counts.dubious > 0)
		run_log_say(s->said, LOG_LEVEL_INFO, "%" PRIu64 " publication points are at hosts that are not asked (dubious-hosts)", r->counts.dubious);
	run_log_lines(s->said, LOG_LEVEL_VERBOSE, "", strbuf_text(s->refused)); /* last: there may be many */
}

/* Decision 6: what cannot be read any more is kept for whoever wants to look into it, and fetched anew. */
static bool recover(struct schedule *s)
{
	if (s->retried)
		return false;
	s->retried = true;
	log_error("%s: the store is damaged; it is set aside, and everything is fetched anew", s->cache);
	store_close(MOVE(s->store));
	return OK(store_set_aside(s->cache)) && OK(open_store(s));
}

/* One run alone neither leaves anything of it nor goes by it. */
static void keep_patience(struct schedule *s)
{
	struct result r = s->once ? DONE : patience_keep(s->patience, s->store, loop_now(s->loop)->wall_sec);

	if (!OK(r))
		log_warn("which repositories have failed is not kept: %s", err_text(r.e));
}

static void recall_patience(struct schedule *s)
{
	struct result r = s->once ? DONE : patience_recall(s->patience, s->store, clock_read().wall_sec);

	if (!OK(r))
		log_warn("which repositories had failed is not known: %s", err_text(r.e));
}

static void on_ended(struct loop *l, void *object, cycle_h h, const struct cycle_report *r)
{
	struct schedule *s = (struct schedule *)object;
	void *who = loop_slot_get(l, s->ev.type, s->ev.who);

	(void)h;
	s->cycle.v = 0;
	if (r->result.e == ERR_FORMAT && recover(s)) {
		plan(s, 0);
		return;
	}
	if (OK(r->result))
		say_what_was_found(s, r);
	else
		run_log_say(s->said, LOG_LEVEL_ERROR, "the run failed: %s", r->result.e == ERR_LIMIT ? "the store is full (store-size:)" : err_text(r->result.e));
	s->retried = s->retried && !OK(r->result);
	if (who != NULL)
		s->ev.ended(l, who, r, s->locators);
	if (s->store != NULL)
		keep_patience(s);
	if (OK(r->result) && s->store != NULL)
		tidy(s->store, r, s->settings.now);
	plan_next(s);
}

static void begin(struct schedule *s)
{
	struct cycle_events ev = { .type = &schedule_loop_type, .who = s->self.v, .progress = on_progress, .ended = on_ended };
	struct result r;

	if (s->cycle.v != 0) {
		s->again = true;
		return;
	}
	if (s->newer != NULL) {
		locators_free(MOVE(s->locators));
		s->locators = MOVE(s->newer);
	}
	s->again = false;
	s->next_sec = 0;
	s->begun_ms = now_ms(loop_now(s->loop));
	strbuf_clear(s->refused);
	run_log_clear(s->said);
	s->settings.fetcher = s->fetcher;
	s->settings.store = s->store;
	s->settings.dir = s->cache;
	s->settings.rsync_dir = s->rsync_dir;
	s->settings.locators = s->locators;
	s->settings.refused = s->refused;
	s->settings.points_key = s->points_key;
	s->settings.patience = s->patience;
	s->settings.now = s->at_given ? s->at_sec : loop_now(s->loop)->wall_sec;
	s->settings.generation = ++s->generation;
	r = s->store != NULL ? cycle_begin(s->loop, &s->settings, &ev, &s->cycle) : FAIL(ERR_SYSTEM);
	if (OK(r))
		return;
	log_error("a run cannot begin: %s", err_text(r.e));
	plan_next(s);
}

void schedule_run_now(struct schedule *s)
{
	if (s->cycle.v != 0)
		s->again = true;
	else
		plan(s, 0);
}

void schedule_hurry(struct schedule *s)
{
	cycle_hurry(s->loop, s->cycle);
}

bool schedule_is_running(const struct schedule *s)
{
	return s->cycle.v != 0;
}

const char *schedule_said(const struct schedule *s)
{
	return run_log_text(s->said);
}

int64_t schedule_next_sec(const struct schedule *s)
{
	return s->cycle.v == 0 && s->timer.v != 0 ? s->next_sec : 0;
}

RESULT schedule_reload(struct schedule *s, const struct conf *conf)
{
	AUTO(locators_free) struct locators *l = NULL;

	TRY(settings_locators(conf_single(conf, CLAUSE_RPKI), &l));
	take_settings(s, conf);
	locators_free(MOVE(s->newer));
	s->newer = MOVE(l);
	schedule_run_now(s);
	return DONE;
}

/* ------------------------------------------------------------------------------------------------------------------------------ whole */

void schedule_free(struct schedule *s)
{
	if (s == NULL)
		return;
	cycle_stop(s->loop, s->cycle);
	loop_timer_stop(s->loop, &s->timer);
	if (s->self.v != 0)
		schedule_retire(s->loop, s->self);
	locators_free(MOVE(s->locators));
	locators_free(MOVE(s->newer));
	store_close(MOVE(s->store));
	strbuf_free(s->refused);
	run_log_free(MOVE(s->said));
	patience_free(MOVE(s->patience));
	mem_free(s->cache);
	mem_free(s->rsync_dir);
	mem_free(s);
}

RESULT schedule_new(struct loop *l, const struct schedule_options *o, const struct schedule_events *ev, struct schedule **ret)
{
	AUTO(schedule_free) struct schedule *s = mem_alloc(sizeof *s);
	const char *cache = conf_text(conf_single(o->conf, CLAUSE_RPKI), OPT_RPKI_CACHE_DIR);

	if (s == NULL)
		return FAIL(ERR_NOMEM);
	s->loop = l;
	s->ev = *ev;
	s->fetcher = o->fetcher;
	s->once = o->once;
	s->at_given = o->at_given;
	s->at_sec = o->at_sec;
	s->points_key = o->points_key;
	s->cache = mem_strdup(cache != NULL ? cache : "");
	s->rsync_dir = settings_rsync_dir(cache != NULL ? cache : "");
	s->refused = strbuf_new(REFUSED_OCTETS);
	s->patience = patience_new();
	s->said = run_log_new((size_t)conf_int(conf_single(o->conf, CLAUSE_RPKI), OPT_RPKI_RUN_LOG_SIZE));
	if (s->cache == NULL || s->rsync_dir == NULL || s->refused == NULL || s->said == NULL || s->patience == NULL)
		return FAIL(ERR_NOMEM);
	s->store_limits = settings_store(o->conf);
	take_settings(s, o->conf);
	TRY(settings_locators(conf_single(o->conf, CLAUSE_RPKI), &s->locators));
	TRY(open_store(s));
	recall_patience(s);
	s->self = schedule_enlist(l, s);
	if (s->self.v == 0)
		return FAIL(ERR_NOMEM);
	plan(s, 0);
	*ret = MOVE(s);
	return DONE;
}
