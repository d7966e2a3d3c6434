/* The keeper's thread alone touches what is in the struct, once it runs; the main thread posts plans to its loop. */
#include "resolver/routes/keeper.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/loop_event.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/strbuf.h"
#include "conf/value.h"
#include "net/host.h"
#include "net/tls_client.h"
#include "resolver/interfaces.h"
#include "resolver/plan.h"
#include "resolver/routes/bmp_listener.h"
#include "resolver/routes/board.h"
#include "resolver/routes/caches.h"
#include "rpki/routes/asn_db.h"
#include "rpki/routes/route_file.h"

#define WATCH_MS 2000u
#define RTR_PORT 323u
#define RTR_TLS_PORT 324u
#define TLS_NAME 256u
#define BMP_PORT 11019u
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
	struct bmp_listener *bmp OWNED_FIELD;    /* NULL: nobody may tell */
	struct route_live *live OWNED_FIELD;
	struct route_input db;                   /* asn-db:; path NULL: none */
	struct announced *database OWNED_FIELD;  /* what is in it; NULL: not read yet */
	struct route_view *view OWNED_FIELD;     /* that hangs on the board */
	/* That the view was made from, and holds. */
	const struct payload_table *table SHARED_FIELD;
	const struct announced *routes SHARED_FIELD; /* NULL: no source is configured */
	const struct announced *networks SHARED_FIELD; /* of the database */
	uint64_t generation;
	timer_h watch;
};

static const struct conf_clause *clause_of(const struct plan *p)
{
	return conf_single(p->conf, CLAUSE_ROUTE_VALIDATION);
}

/* -------------------------------------------------------------------------------------------------------------- publishing */

/* NULL: no source is configured. */
static const struct announced *routes_now(const struct route_keeper *k) BORROWED;
static const struct announced *routes_now(const struct route_keeper *k)
{
	return k->input_count > 0 || k->bmp != NULL ? route_live_now(k->live) : NULL;
}

static RESULT make_view(struct route_keeper *k, const struct payload_table *table, struct route_view **ret)
{
	const struct announced *routes = routes_now(k);
	AUTO(route_view_unref) struct route_view *v = NULL;

	if (k->view != NULL && table == k->table && routes == k->routes && k->database == k->networks) {
		*ret = route_view_ref(k->view);
		return DONE;
	}
	if (k->view != NULL && table == k->table)
		TRY(route_view_with(k->view, routes, k->generation + 1, &v));
	else
		TRY(route_view_new(table, routes, k->generation + 1, &v));
	return route_view_with_database(v, k->database, k->generation + 1, ret);
}

static RESULT describe_rtr(const struct route_keeper *k, const struct rtr_client *best, struct route_sheet *s)
{
	for (size_t i = 0; k->caches != NULL && i < route_caches_count(k->caches); i++) {
		const char *name = NULL;
		const struct rtr_client *c = route_caches_at(k->caches, i, &name);
		struct route_rtr r = { .connected = rtr_client_state(c) != RTR_CLIENT_AWAY, .in_use = c == best, .has_data = rtr_client_table(c) != NULL };

		if (r.has_data) {
			r.version = rtr_client_version(c);
			r.serial = rtr_client_serial(c);
			r.vrps = table_count(rtr_client_table(c), PAYLOAD_VRP);
			r.updated_ms = rtr_client_updated(c);
		}
		TRY(route_sheet_add_rtr(s, name, &r));
	}
	return DONE;
}

static RESULT describe(const struct route_keeper *k, const struct rtr_client *c, const char *name, struct route_sheet *s)
{
	const struct announced *routes = routes_now(k);

	if (c != NULL) {
		s->cache = mem_strdup(name);
		if (s->cache == NULL)
			return FAIL(ERR_NOMEM);
		s->serial = rtr_client_serial(c);
		s->version = rtr_client_version(c);
		s->updated_ms = rtr_client_updated(c);
		s->vrps = table_count(rtr_client_table(c), PAYLOAD_VRP);
	}
	if (routes != NULL) {
		s->has_sources = true;
		s->prefixes = announced_prefixes(routes);
		s->routes = announced_count(routes);
	}
	for (size_t i = 0; i < k->input_count; i++)
		if (k->inputs[i].at_ms != 0)
			TRY(route_sheet_add_source(s, k->inputs[i].source, k->inputs[i].path, k->inputs[i].at_ms, k->inputs[i].routes));
	if (k->database != NULL) {
		s->has_sources = true;
		TRY(route_sheet_add_source(s, k->db.source, k->db.path, k->db.at_ms, k->db.routes));
	}
	TRY(describe_rtr(k, c, s));
	return k->bmp != NULL ? bmp_listener_describe(k->bmp, s) : DONE;
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
	k->routes = routes_now(k);
	k->networks = k->database;
	route_board_put(k->board, MOVE(s));
	route_counts_add(route_board_counts(k->board), ROUTES_PUBLISHED, 1);
	return DONE;
}

static void publish_or_say(struct route_keeper *k)
{
	if (!OK(publish(k)))
		log_error("routes: out of memory: verdicts are made from what was known before");
}

static void on_changed(void *owner)
{
	publish_or_say((struct route_keeper *)owner);
}

/* ------------------------------------------------------------------------------------------------------------------- files */

/* On the state before, without what the file said then. */
static RESULT read_routes(struct route_keeper *k, struct route_input *in, struct strbuf *what)
{
	const struct route_file_limits limits = route_file_limits_default();
	AUTO(announced_edit_free) struct announced_edit *e = NULL;
	AUTO(announced_unref) struct announced *a = NULL;
	size_t before;

	TRY(route_live_settle(k->live));
	e = announced_edit_new(route_live_now(k->live));
	if (e == NULL)
		return FAIL(ERR_NOMEM);
	TRY(announced_drop(e, in->source));
	before = announced_edit_count(e);
	TRY(route_file_load(in->path, &limits, e, in->source, what));
	TRY(announced_edit_publish(MOVE(e), 0, &a));
	in->routes = announced_count(a) - before;
	route_live_replace(k->live, MOVE(a));
	return DONE;
}

static RESULT read_database(struct route_keeper *k, struct route_input *in, struct strbuf *what)
{
	const struct asn_db_limits limits = asn_db_limits_default();
	AUTO(announced_unref) struct announced *empty = announced_new(), *a = NULL;
	AUTO(announced_edit_free) struct announced_edit *e = empty != NULL ? announced_edit_new(empty) : NULL;

	if (e == NULL)
		return FAIL(ERR_NOMEM);
	TRY(asn_db_load(in->path, &limits, e, in->source, what));
	TRY(announced_edit_publish(MOVE(e), 0, &a));
	in->routes = announced_count(a);
	announced_unref(MOVE(k->database));
	k->database = MOVE(a);
	return DONE;
}

static RESULT read_input(struct route_keeper *k, struct route_input *in)
{
	AUTO(strbuf_free) struct strbuf *what = strbuf_new(LINE);
	struct result r = FAIL(ERR_NOMEM);

	if (what != NULL)
		r = in == &k->db ? read_database(k, in, what) : read_routes(k, in, what);
	route_counts_add(route_board_counts(k->board), OK(r) ? ROUTES_FILES_READ : ROUTES_FILES_FAILED, 1);
	if (!OK(r)) {
		log_error("routes: %s%s", what != NULL && strbuf_len(what) > 0 ? strbuf_text(what) : err_text(r.e), in->at_ms != 0 ? "; the routes read before stay" : "");
		return r;
	}
	log_notice("routes: %s", strbuf_text(what));
	in->at_ms = now_ms(loop_now(k->loop));
	mem_trim();
	return DONE;
}

/* Reads it when it looks different than before: one that is missing or broken is said so once. True: there is something new. */
static bool look_at(struct route_keeper *k, struct route_input *in)
{
	struct file_seen now = file_look(in->path);

	if (in->looked && file_same(&now, &in->seen))
		return false;
	in->looked = true;
	in->seen = now;
	return OK(read_input(k, in));
}

static bool look_at_files(struct route_keeper *k)
{
	bool changed = k->db.path != NULL && look_at(k, &k->db);

	for (size_t i = 0; i < k->input_count; i++)
		changed = look_at(k, &k->inputs[i]) || changed;
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
	if ((k->input_count > 0 || k->db.path != NULL) && !OK(loop_timer(k->loop, &route_keeper_loop_type, k->self.v, on_watch, WATCH_MS, &k->watch)))
		log_error("routes: out of memory: changes of files are not noticed until the next reload");
}

/* ------------------------------------------------------------------------------------------------------- RTR servers, by plan */

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

/* Server i of the option; room: for a name or an address. */
static RESULT cache_at(const struct conf_clause *c, enum conf_opt o, size_t i, struct route_cache_at *ret, char room[TLS_NAME])
{
	bool tls = o == OPT_ROUTE_VALIDATION_RTR_TLS_SERVER;
	struct value_server parts;

	*ret = (struct route_cache_at){ .name = conf_item(c, o, i), .tls = tls };
	if (!tls && strchr(ret->name, '/') != NULL)
		return DONE;
	TRY(conf_word_endpoint(c, o, i, 0, tls ? RTR_TLS_PORT : RTR_PORT, &ret->at));
	if (!tls)
		return DONE;
	TRY(value_server_split(ret->name, RTR_TLS_PORT, &parts));
	ret->literal = parts.auth == NULL;
	ret->host = room;
	if (ret->literal)
		(void)addr_text(&ret->at.a, room);
	else if (snprintf(room, TLS_NAME, "%s", parts.auth) >= (int)TLS_NAME)
		return FAIL(ERR_RANGE);
	return DONE;
}

/* Both options' servers, in the order in which they stand in the file. */
static RESULT caches_of(struct route_keeper *k, const struct conf_clause *c, struct route_cache_at *at, char (*names)[TLS_NAME])
{
	static const enum conf_opt o[2] = { OPT_ROUTE_VALIDATION_RTR_SERVER, OPT_ROUTE_VALIDATION_RTR_TLS_SERVER };
	size_t next[2] = { 0, 0 }, n = 0;

	while (next[0] < conf_count(c, o[0]) || next[1] < conf_count(c, o[1])) {
		unsigned int which = next[0] == conf_count(c, o[0]) || (next[1] < conf_count(c, o[1]) && conf_order(c, o[1], next[1]) < conf_order(c, o[0], next[0]));

		TRY(cache_at(c, o[which], next[which]++, &at[n], names[n]));
		n++;
	}
	k->caches = route_caches_new(k->host, at, n, on_changed, k);
	return k->caches != NULL ? DONE : FAIL(ERR_NOMEM);
}

/* Files are read anew at each reload, for connections from then on. */
static RESULT set_trust(struct route_keeper *k, const struct conf_clause *c)
{
	const char *ca = conf_text(c, OPT_ROUTE_VALIDATION_RTR_TLS_CA), *own = conf_text(c, OPT_ROUTE_VALIDATION_RTR_TLS_CERTIFICATE),
		   *key = conf_text(c, OPT_ROUTE_VALIDATION_RTR_TLS_KEY);
	AUTO(tls_trust_free) struct tls_trust *t = NULL;
	AUTO(strbuf_free) struct strbuf *why = strbuf_new(LINE);
	struct result r;

	if (k->caches == NULL || conf_count(c, OPT_ROUTE_VALIDATION_RTR_TLS_SERVER) == 0)
		return DONE;
	if (why == NULL)
		return FAIL(ERR_NOMEM);
	r = tls_trust_new(ca[0] != '\0' ? ca : NULL, why, &t);
	if (OK(r) && own[0] != '\0')
		r = tls_trust_identity(t, own, key[0] != '\0' ? key : own, why);
	if (!OK(r) && r.e != ERR_SYSTEM)
		return r;
	if (OK(r))
		route_caches_trust(k->caches, MOVE(t));
	else
		log_error("routes: RTR over TLS: %s; what was there before stays", strbuf_text(why));
	return DONE;
}

static RESULT set_caches(struct route_keeper *k, const struct conf_clause *c)
{
	size_t n = conf_count(c, OPT_ROUTE_VALIDATION_RTR_SERVER) + conf_count(c, OPT_ROUTE_VALIDATION_RTR_TLS_SERVER);
	AUTO(mem_free) void *room = mem_alloc_array(n + 1, sizeof(struct route_cache_at));
	AUTO(mem_free) void *names = mem_alloc_array(n + 1, TLS_NAME);

	route_caches_free(MOVE(k->caches));
	if (room == NULL || names == NULL)
		return FAIL(ERR_NOMEM);
	return n > 0 ? caches_of(k, c, (struct route_cache_at *)room, (char(*)[TLS_NAME])names) : DONE;
}

/* ------------------------------------------------------------------------------------------------------------------ files, by plan */

static void input_free(struct route_keeper *k, size_t i)
{
	mem_free(MOVE(k->inputs[i].path));
	k->inputs[i] = k->inputs[--k->input_count];
	k->inputs[k->input_count].path = NULL;
}

static bool is_listed(const struct conf_clause *c, const char *path)
{
	for (size_t i = 0; i < conf_count(c, OPT_ROUTE_VALIDATION_ROUTE_FILE); i++)
		if (strcmp(conf_item(c, OPT_ROUTE_VALIDATION_ROUTE_FILE, i), path) == 0)
			return true;
	return false;
}

static bool is_input(const struct route_keeper *k, const char *path)
{
	for (size_t i = 0; i < k->input_count; i++)
		if (strcmp(k->inputs[i].path, path) == 0)
			return true;
	return false;
}

/* Files that are not listed any more, and their routes. */
static RESULT drop_files(struct route_keeper *k, const struct conf_clause *c)
{
	for (size_t i = k->input_count; i-- > 0;) {
		struct announced_edit *e;

		if (is_listed(c, k->inputs[i].path))
			continue;
		e = route_live_edit(k->live);
		if (e == NULL)
			return FAIL(ERR_NOMEM);
		TRY(announced_drop(e, k->inputs[i].source));
		input_free(k, i);
	}
	return route_live_settle(k->live);
}

/* What was listed before stays as it was read. */
static RESULT set_files(struct route_keeper *k, const struct conf_clause *c)
{
	TRY(drop_files(k, c));
	for (size_t i = 0; i < conf_count(c, OPT_ROUTE_VALIDATION_ROUTE_FILE); i++) {
		const char *path = conf_item(c, OPT_ROUTE_VALIDATION_ROUTE_FILE, i);
		struct route_input in = { .source = 0 };

		if (is_input(k, path))
			continue;
		TRY(mem_resize((void **)(void *)&k->inputs, k->input_count, k->input_count + 1, sizeof *k->inputs));
		in.path = mem_strdup(path);
		if (in.path == NULL)
			return FAIL(ERR_NOMEM);
		in.source = route_live_source(k->live);
		k->inputs[k->input_count++] = in;
	}
	return DONE;
}

static RESULT set_database(struct route_keeper *k, const struct conf_clause *c)
{
	const char *path = conf_text(c, OPT_ROUTE_VALIDATION_ASN_DB);

	mem_free(MOVE(k->db.path));
	announced_unref(MOVE(k->database));
	k->db = (struct route_input){ .source = route_live_source(k->live) | SOURCE_WITHOUT_LENGTH };
	if (path[0] == '\0')
		return DONE;
	k->db.path = mem_strdup(path);
	return k->db.path != NULL ? DONE : FAIL(ERR_NOMEM);
}

/* -------------------------------------------------------------------------------------------------------------- BMP, by plan */

static RESULT listen_there(void *user, const struct endpoint *at)
{
	return bmp_listener_add((struct bmp_listener *)user, at);
}

static RESULT listen_at(struct bmp_listener *b, const struct conf_clause *c, size_t i)
{
	const char *text = conf_item(c, OPT_ROUTE_VALIDATION_BMP_LISTEN, i);
	struct endpoint at;
	struct result r = conf_word_endpoint(c, OPT_ROUTE_VALIDATION_BMP_LISTEN, i, 0, BMP_PORT, &at);

	if (OK(r))
		return bmp_listener_add(b, &at);
	r = interfaces_addresses(text, BMP_PORT, listen_there, b);
	if (OK(r) || r.e == ERR_NOMEM)
		return r;
	log_error("routes: bmp-listen: %s is no network interface of this machine", text);
	return DONE;
}

static RESULT allowed_of(const struct conf_clause *c, struct prefix **ret)
{
	size_t n = conf_count(c, OPT_ROUTE_VALIDATION_BMP_ALLOW);
	AUTO(mem_free) void *room = mem_alloc_array(n + 1, sizeof(struct prefix));
	struct prefix *p = room;

	if (p == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t i = 0; i < n; i++)
		TRY(conf_word_prefix(c, OPT_ROUTE_VALIDATION_BMP_ALLOW, i, 0, &p[i]));
	*ret = MOVE(room);
	return DONE;
}

static RESULT bmp_of(struct route_keeper *k, const struct conf_clause *c, struct bmp_listener **ret)
{
	struct bmp_listener_options o = {
		.limits = { .message = (uint32_t)conf_int(c, OPT_ROUTE_VALIDATION_BMP_MAX_MESSAGE), .peers = (uint32_t)conf_int(c, OPT_ROUTE_VALIDATION_BMP_MAX_PEERS) },
		.max_sessions = (uint32_t)conf_int(c, OPT_ROUTE_VALIDATION_BMP_MAX_SESSIONS),
		.max_routes = (uint64_t)conf_int(c, OPT_ROUTE_VALIDATION_BMP_MAX_ROUTES),
		.hold_ms = (uint64_t)conf_int(c, OPT_ROUTE_VALIDATION_BMP_HOLD_TIME) * 1000,
		.stall_ms = (uint64_t)conf_int(c, OPT_ROUTE_VALIDATION_BMP_STALL_TIME) * 1000,
	};
	AUTO(mem_free) void *room = NULL;
	struct prefix *allowed = NULL;
	AUTO(bmp_listener_free) struct bmp_listener *b = NULL;

	TRY(allowed_of(c, &allowed));
	room = allowed;
	o.allowed = allowed;
	o.allowed_count = conf_count(c, OPT_ROUTE_VALIDATION_BMP_ALLOW);
	b = bmp_listener_new(k->host, k->live, route_board_counts(k->board), &o);
	if (b == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t i = 0; i < conf_count(c, OPT_ROUTE_VALIDATION_BMP_LISTEN); i++)
		TRY(listen_at(b, c, i));
	*ret = MOVE(b);
	return DONE;
}

static bool same_bmp(const struct plan *a, const struct plan *b)
{
	static const enum conf_opt numbers[] = { OPT_ROUTE_VALIDATION_BMP_MAX_SESSIONS, OPT_ROUTE_VALIDATION_BMP_MAX_PEERS, OPT_ROUTE_VALIDATION_BMP_MAX_ROUTES,
		OPT_ROUTE_VALIDATION_BMP_MAX_MESSAGE, OPT_ROUTE_VALIDATION_BMP_HOLD_TIME, OPT_ROUTE_VALIDATION_BMP_STALL_TIME };

	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		if (conf_int(clause_of(a), numbers[i]) != conf_int(clause_of(b), numbers[i]))
			return false;
	return same_list(a, b, OPT_ROUTE_VALIDATION_BMP_LISTEN) && same_list(a, b, OPT_ROUTE_VALIDATION_BMP_ALLOW);
}

/* With other options all begins anew. */
static RESULT set_bmp(struct route_keeper *k, const struct conf_clause *c)
{
	if (k->bmp != NULL) {
		TRY(bmp_listener_forget(k->bmp));
		TRY(route_live_settle(k->live));
	}
	bmp_listener_free(MOVE(k->bmp));
	return conf_count(c, OPT_ROUTE_VALIDATION_BMP_LISTEN) > 0 ? bmp_of(k, c, &k->bmp) : DONE;
}

/* ------------------------------------------------------------------------------------------------------------------- plans */

static RESULT apply(struct route_keeper *k, struct plan *p) TAKES(2);
static RESULT apply(struct route_keeper *k, struct plan *p)
{
	AUTO(plan_unref) struct plan *before = MOVE(k->plan);
	struct result r = DONE;

	k->plan = p;
	if (before == NULL || !same_list(before, k->plan, OPT_ROUTE_VALIDATION_ROUTE_FILE))
		r = set_files(k, clause_of(k->plan));
	if (OK(r) && (before == NULL || strcmp(conf_text(clause_of(before), OPT_ROUTE_VALIDATION_ASN_DB), conf_text(clause_of(k->plan), OPT_ROUTE_VALIDATION_ASN_DB)) != 0))
		r = set_database(k, clause_of(k->plan));
	if (OK(r) && (before == NULL || !same_list(before, k->plan, OPT_ROUTE_VALIDATION_RTR_SERVER) || !same_list(before, k->plan, OPT_ROUTE_VALIDATION_RTR_TLS_SERVER)))
		r = set_caches(k, clause_of(k->plan));
	if (OK(r))
		r = set_trust(k, clause_of(k->plan));
	if (OK(r) && (before == NULL || !same_bmp(before, k->plan)))
		r = set_bmp(k, clause_of(k->plan));
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
	if (k->running && k->loop != NULL) {
		loop_stop(k->loop);
		(void)pthread_join(k->id, NULL);
	}
	route_caches_free(MOVE(k->caches));
	if (k->loop != NULL)
		loop_timer_stop(k->loop, &k->watch);
	if (k->loop != NULL && k->self.v != 0)
		route_keeper_retire(k->loop, k->self);
	bmp_listener_free(MOVE(k->bmp));
	route_live_free(MOVE(k->live));
	host_free(MOVE(k->host));
	loop_free(MOVE(k->loop));
	rng_free(MOVE(k->rng));
	while (k->input_count > 0)
		input_free(k, k->input_count - 1);
	mem_free(MOVE(k->inputs));
	mem_free(MOVE(k->db.path));
	announced_unref(MOVE(k->database));
	route_view_unref(MOVE(k->view));
	plan_unref(MOVE(k->plan));
	mem_free(k);
}

struct route_keeper *route_keeper_open(struct route_board *b)
{
	AUTO(route_keeper_close) struct route_keeper *k = (struct route_keeper *)mem_alloc(sizeof *k);
	struct loop_backend backend = { .ctx = NULL };

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
	k->live = route_live_new(k->loop, on_changed, k);
	return k->self.v != 0 && k->host != NULL && k->live != NULL ? MOVE(k) : NULL;
}

RESULT route_keeper_set(struct route_keeper *k, const struct plan *p)
{
	const struct conf_clause *c = clause_of(p);
	AUTO(keeper_message_done) struct keeper_message *m = NULL;

	if (!k->running && conf_count(c, OPT_ROUTE_VALIDATION_RTR_SERVER) == 0 && conf_count(c, OPT_ROUTE_VALIDATION_RTR_TLS_SERVER) == 0 &&
	    conf_count(c, OPT_ROUTE_VALIDATION_ROUTE_FILE) == 0 &&
	    conf_count(c, OPT_ROUTE_VALIDATION_BMP_LISTEN) == 0 && conf_text(c, OPT_ROUTE_VALIDATION_ASN_DB)[0] == '\0')
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
