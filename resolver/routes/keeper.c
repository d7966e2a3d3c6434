/* The keeper's thread alone touches what is in the struct, once it runs; the main thread posts plans to its loop. */
#include "resolver/routes/keeper.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/loop_event.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/strbuf.h"
#include "net/host.h"
#include "resolver/plan.h"
#include "resolver/routes/board.h"
#include "resolver/routes/caches.h"
#include "rpki/routes/route_file.h"

#define WATCH_MS 2000u
#define RTR_PORT 323u
#define LINE 4096u
#define UNSENT (64u * 1024)

LOOP_HANDLE(route_keeper)
LOOP_HANDLE_IMPL(route_keeper)

struct route_input {
	char *path OWNED_FIELD;
	uint32_t source;  /* number in the table of routes */
	struct file_seen seen;
	bool looked;      /* seen is how it looked then */
	uint64_t at_ms;   /* when it was read; 0: never, or not to an end */
	uint64_t routes;
};

struct route_keeper {
	struct route_board *board PARENT_FIELD;
	struct rng *rng OWNED_FIELD;
	struct loop *loop OWNED_FIELD;
	struct host *host OWNED_FIELD;
	route_keeper_h self;
	pthread_t id;
	bool running;                            /* main thread only */
	struct plan *plan OWNED_FIELD;
	struct route_caches *caches OWNED_FIELD;
	struct route_input *inputs OWNED_FIELD;
	size_t input_count;
	uint32_t next_source;
	struct announced *announced OWNED_FIELD; /* NULL: no source is configured */
	struct route_view *view OWNED_FIELD;     /* that hangs on the board */
	/* That the view was made from, and holds. */
	const struct payload_table *table SHARED_FIELD;
	const struct announced *routes SHARED_FIELD;
	uint64_t generation;
	timer_h watch;
};

static const struct conf_clause *clause_of(const struct plan *p)
{
	return conf_single(p->conf, CLAUSE_ROUTE_VALIDATION);
}

/* -------------------------------------------------------------------------------------------------------------- publishing */

static RESULT make_view(struct route_keeper *k, const struct payload_table *table, struct route_view **ret)
{
	if (k->view != NULL && table == k->table && k->announced == k->routes) {
		*ret = route_view_ref(k->view);
		return DONE;
	}
	if (k->view != NULL && table == k->table)
		return route_view_with(k->view, k->announced, k->generation + 1, ret);
	return route_view_new(table, k->announced, k->generation + 1, ret);
}

static RESULT describe(const struct route_keeper *k, const struct rtr_client *c, const char *name, struct route_sheet *s)
{
	if (c != NULL) {
		s->cache = mem_strdup(name);
		if (s->cache == NULL)
			return FAIL(ERR_NOMEM);
		s->serial = rtr_client_serial(c);
		s->version = rtr_client_version(c);
		s->updated_ms = rtr_client_updated(c);
		s->vrps = table_count(rtr_client_table(c), PAYLOAD_VRP);
	}
	if (k->announced != NULL) {
		s->has_sources = true;
		s->prefixes = announced_prefixes(k->announced);
		s->routes = announced_count(k->announced);
	}
	for (size_t i = 0; i < k->input_count; i++)
		if (k->inputs[i].at_ms != 0)
			TRY(route_sheet_add_source(s, k->inputs[i].source, k->inputs[i].path, k->inputs[i].at_ms, k->inputs[i].routes));
	return DONE;
}

static RESULT publish(struct route_keeper *k)
{
	const char *name = NULL;
	const struct rtr_client *c = k->caches != NULL ? route_caches_best(k->caches, &name) : NULL;
	const struct payload_table *table = c != NULL ? rtr_client_table(c) : NULL;
	AUTO(route_sheet_unref) struct route_sheet *s = route_sheet_new();
	AUTO(route_view_unref) struct route_view *v = NULL;

	if (s == NULL)
		return FAIL(ERR_NOMEM);
	TRY(make_view(k, table, &v));
	s->view = route_view_ref(v);
	TRY(describe(k, c, name, s));
	k->generation++;
	route_view_unref(MOVE(k->view));
	k->view = MOVE(v);
	k->table = table;
	k->routes = k->announced;
	route_board_put(k->board, MOVE(s));
	return DONE;
}

static void publish_or_say(struct route_keeper *k)
{
	if (!OK(publish(k)))
		log_error("routes: out of memory: verdicts are made from what was known before");
}

static void on_caches_changed(void *owner)
{
	publish_or_say((struct route_keeper *)owner);
}

/* ------------------------------------------------------------------------------------------------------------------- files */

static RESULT read_into(struct route_keeper *k, const struct route_input *in, struct strbuf *what, struct announced **ret)
{
	const struct route_file_limits limits = route_file_limits_default();
	AUTO(announced_edit_free) struct announced_edit *e = announced_edit_new(k->announced);

	if (e == NULL)
		return FAIL(ERR_NOMEM);
	TRY(announced_drop(e, in->source));
	TRY(route_file_load(in->path, &limits, e, in->source, what));
	return announced_edit_publish(MOVE(e), 0, ret);
}

static RESULT read_file(struct route_keeper *k, struct route_input *in)
{
	AUTO(strbuf_free) struct strbuf *what = strbuf_new(LINE);
	AUTO(announced_unref) struct announced *a = NULL;
	struct result r = FAIL(ERR_NOMEM);

	if (what != NULL)
		r = read_into(k, in, what, &a);
	if (!OK(r)) {
		log_error("routes: %s%s", what != NULL && strbuf_len(what) > 0 ? strbuf_text(what) : err_text(r.e), in->at_ms != 0 ? "; the routes read before stay" : "");
		return r;
	}
	log_notice("routes: %s", strbuf_text(what));
	in->at_ms = now_ms(loop_now(k->loop));
	announced_unref(MOVE(k->announced));
	k->announced = MOVE(a);
	mem_trim();
	return DONE;
}

/* Reads those that look different than before. True: there is something new. */
static bool look_at_files(struct route_keeper *k)
{
	bool changed = false;

	for (size_t i = 0; i < k->input_count; i++) {
		struct route_input *in = &k->inputs[i];
		struct file_seen now = file_look(in->path);
		size_t before = announced_count(k->announced);

		if (in->looked && file_same(&now, &in->seen))
			continue;
		in->looked = true;
		in->seen = now;
		if (!OK(read_file(k, in)))
			continue;
		in->routes = announced_count(k->announced) + in->routes - before;
		changed = true;
	}
	return changed;
}

static void watch_again(struct route_keeper *k);

static void on_watch(struct loop *l, void *object)
{
	struct route_keeper *k = (struct route_keeper *)object;

	(void)l;
	k->watch.v = 0;
	if (look_at_files(k))
		publish_or_say(k);
	watch_again(k);
}

static void watch_again(struct route_keeper *k)
{
	loop_timer_stop(k->loop, &k->watch);
	if (k->input_count > 0 && !OK(loop_timer(k->loop, &route_keeper_loop_type, k->self.v, on_watch, WATCH_MS, &k->watch)))
		log_error("routes: out of memory: changes of route-file: are not noticed until the next reload");
}

/* ------------------------------------------------------------------------------------------------------------------- plans */

static bool same_list(const struct plan *a, const struct plan *b, enum conf_opt o)
{
	const struct conf_clause *x = clause_of(a), *y = clause_of(b);
	size_t n = conf_count(x, o);

	if (conf_count(y, o) != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (strcmp(conf_item(x, o, i), conf_item(y, o, i)) != 0)
			return false;
	return true;
}

static RESULT set_caches(struct route_keeper *k, const struct conf_clause *c)
{
	size_t n = conf_count(c, OPT_ROUTE_VALIDATION_RTR_SERVER);
	AUTO(mem_free) void *room = mem_alloc_array(n, sizeof(struct route_cache_at));
	struct route_cache_at *at = room;

	route_caches_free(MOVE(k->caches));
	if (at == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t i = 0; i < n; i++) {
		at[i].name = conf_item(c, OPT_ROUTE_VALIDATION_RTR_SERVER, i);
		if (strchr(at[i].name, '/') == NULL)
			TRY(conf_word_endpoint(c, OPT_ROUTE_VALIDATION_RTR_SERVER, i, 0, RTR_PORT, &at[i].at));
	}
	if (n > 0) {
		k->caches = route_caches_new(k->host, at, n, on_caches_changed, k);
		return k->caches != NULL ? DONE : FAIL(ERR_NOMEM);
	}
	return DONE;
}

static void inputs_free(struct route_keeper *k)
{
	for (size_t i = 0; i < k->input_count; i++)
		mem_free(MOVE(k->inputs[i].path));
	mem_free(MOVE(k->inputs));
	k->input_count = 0;
}

static RESULT set_files(struct route_keeper *k, const struct conf_clause *c)
{
	size_t n = conf_count(c, OPT_ROUTE_VALIDATION_ROUTE_FILE);

	inputs_free(k);
	announced_unref(MOVE(k->announced));
	if (n == 0)
		return DONE;
	k->announced = announced_new();
	k->inputs = (struct route_input *)mem_alloc_array(n, sizeof *k->inputs);
	if (k->announced == NULL || k->inputs == NULL)
		return FAIL(ERR_NOMEM);
	for (; k->input_count < n; k->input_count++) {
		struct route_input *in = &k->inputs[k->input_count];

		in->path = mem_strdup(conf_item(c, OPT_ROUTE_VALIDATION_ROUTE_FILE, k->input_count));
		if (in->path == NULL)
			return FAIL(ERR_NOMEM);
		in->source = k->next_source++;
	}
	return DONE;
}

static RESULT apply(struct route_keeper *k, struct plan *p) TAKES(2);
static RESULT apply(struct route_keeper *k, struct plan *p)
{
	AUTO(plan_unref) struct plan *before = MOVE(k->plan);
	struct result r = DONE;

	k->plan = p;
	if (before == NULL || !same_list(before, k->plan, OPT_ROUTE_VALIDATION_ROUTE_FILE))
		r = set_files(k, clause_of(k->plan));
	if (OK(r) && (before == NULL || !same_list(before, k->plan, OPT_ROUTE_VALIDATION_RTR_SERVER)))
		r = set_caches(k, clause_of(k->plan));
	(void)look_at_files(k);
	watch_again(k);
	return OK(r) ? publish(k) : r;
}

struct keeper_message {
	struct message m; /* first */
	struct route_keeper *keeper PARENT_FIELD;
	struct plan *plan OWNED_FIELD;
};

static void keeper_message_done(struct keeper_message *m) TAKES(1);
DEFINE_AUTO(struct keeper_message, keeper_message_done)
static void keeper_message_done(struct keeper_message *m)
{
	if (m == NULL)
		return;
	plan_unref(MOVE(m->plan));
	mem_free(m);
}

static void keeper_message_free(struct message *m) TAKES(1);
static void keeper_message_free(struct message *m)
{
	keeper_message_done((struct keeper_message *)(void *)m);
}

static void keeper_message_run(struct loop *l, struct message *m)
{
	struct keeper_message *x = (struct keeper_message *)(void *)m;

	(void)l;
	if (!OK(apply(x->keeper, MOVE(x->plan))))
		log_error("routes: out of memory: not all of route-validation: is in force");
}

/* ------------------------------------------------------------------------------------------------------------------ thread */

static void *thread_main(void *arg) /* own-ok: R1 pthread's signature; always NULL */
{
	struct route_keeper *k = (struct route_keeper *)arg;

	(void)pthread_setname_np(pthread_self(), "cairnd/routes");
	loop_run(k->loop);
	return NULL;
}

static RESULT run(struct route_keeper *k)
{
	sigset_t all, before;
	int e;

	(void)sigfillset(&all); /* signals are the main loop's */
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	e = pthread_create(&k->id, NULL, thread_main, k);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	k->running = e == 0;
	return k->running ? DONE : FAIL(ERR_SYSTEM);
}

void route_keeper_close(struct route_keeper *k)
{
	if (k == NULL)
		return;
	if (k->running) {
		loop_stop(k->loop);
		(void)pthread_join(k->id, NULL);
	}
	route_caches_free(MOVE(k->caches));
	if (k->loop != NULL)
		loop_timer_stop(k->loop, &k->watch);
	if (k->self.v != 0)
		route_keeper_retire(k->loop, k->self);
	host_free(MOVE(k->host));
	loop_free(MOVE(k->loop));
	rng_free(MOVE(k->rng));
	inputs_free(k);
	announced_unref(MOVE(k->announced));
	route_view_unref(MOVE(k->view));
	plan_unref(MOVE(k->plan));
	mem_free(k);
}

struct route_keeper *route_keeper_open(struct route_board *b)
{
	AUTO(route_keeper_close) struct route_keeper *k = (struct route_keeper *)mem_alloc(sizeof *k);
	struct loop_backend backend;

	if (k == NULL)
		return NULL;
	k->board = b;
	k->rng = rng_new();
	if (k->rng == NULL || !OK(loop_event_backend(&backend)))
		return NULL;
	k->loop = loop_new(&backend, k->rng, NULL);
	if (k->loop == NULL)
		return NULL;
	k->self = route_keeper_enlist(k->loop, k);
	k->host = host_event_new(k->loop, UNSENT);
	return k->self.v != 0 && k->host != NULL ? MOVE(k) : NULL;
}

RESULT route_keeper_set(struct route_keeper *k, const struct plan *p)
{
	const struct conf_clause *c = clause_of(p);
	AUTO(keeper_message_done) struct keeper_message *m = NULL;

	if (!k->running && conf_count(c, OPT_ROUTE_VALIDATION_RTR_SERVER) == 0 && conf_count(c, OPT_ROUTE_VALIDATION_ROUTE_FILE) == 0)
		return DONE;
	m = (struct keeper_message *)mem_alloc(sizeof *m);
	if (m == NULL)
		return FAIL(ERR_NOMEM);
	m->m = (struct message){ NULL, keeper_message_run, keeper_message_free };
	m->keeper = k;
	m->plan = plan_ref(p);
	if (!k->running)
		TRY(run(k));
	loop_post(k->loop, &m->m);
	(void)MOVE(m); /* own-ok: R3 the queue has it: the message is the first thing in it */
	return DONE;
}
