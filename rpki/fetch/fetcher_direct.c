/*
 *   waiting --> naming --> running --> (ended)
 *      |          |           `- its own end, or too late
 *      `----------`- cancelled, or nothing to be had
 *
 * Each operation holds its host's record; a host counts what runs for it (naming included), and remembers its addresses for a minute.
 */
#include "rpki/fetch/fetcher_direct.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

#define REMEMBER_NS UINT64_C(60000000000)
#define DAY 86400
#define FOLDERS_OPEN 16 /* while one is removed */

LOOP_HANDLE(fetcher_direct)
LOOP_HANDLE_IMPL(fetcher_direct)
LOOP_HANDLE(direct_op)
LOOP_HANDLE_IMPL(direct_op)

struct site {
	struct site *next OWNED_FIELD;
	char *name OWNED_FIELD;
	uint32_t holders, gets, rsyncs;
	struct names_answer known; /* n 0: not */
	uint64_t known_ns;
};

enum op_state { OP_WAITING, OP_NAMING, OP_RUNNING, OP_CLOSED };

struct direct_op {
	struct fetcher_direct *f PARENT_FIELD;
	struct direct_op *next OWNED_FIELD;
	struct direct_op **at PARENT_FIELD;
	struct dead dead;
	direct_op_h self;
	struct fetch_events ev;
	struct site *site BORROWED_FIELD; /* of the fetcher's list; it is held */
	enum op_state state;
	bool is_rsync;
	bool paused;       /* before there is a transfer, too: names are asked for first */
	char *uri OWNED_FIELD, *etag OWNED_FIELD, *modified OWNED_FIELD;
	uint64_t max_octets, octets;
	uint8_t folder[FETCH_FOLDER];
	uint32_t deadline_ms, connect_ms;
	timer_h deadline;
	http_transfer_h transfer;
	rsync_run_h run;
};

struct fetcher_direct {
	struct fetcher fetcher;
	struct host *host PARENT_FIELD;
	struct fetcher_direct_options o;
	char *dir OWNED_FIELD;
	struct http_client *http OWNED_FIELD;
	struct rsync_runner *rsync OWNED_FIELD;
	struct names *names OWNED_FIELD;
	struct site *sites OWNED_FIELD;
	struct direct_op *ops OWNED_FIELD;
	struct direct_op **end PARENT_FIELD; /* the oldest come first */
	uint32_t gets, rsyncs;               /* that run */
	fetcher_direct_h self;
	timer_h again;
	struct fetch_counts counts;
};

struct fetcher_direct_options fetcher_direct_options_default(void)
{
	return (struct fetcher_direct_options){ .http = http_options_default(), .rsync = rsync_options_default(), .host_gets = 4, .gets = 128, .host_rsyncs = 4,
		.rsyncs = 32, .folder_days = 14, .name_threads = 8 };
}

static struct fetcher_direct *direct_of(struct fetcher *f) BORROWED;
static struct fetcher_direct *direct_of(struct fetcher *f)
{
	return (struct fetcher_direct *)(void *)f;
}

/* ------------------------------------------------------------------------------------------------------------------- hosts */

static void site_free(struct site *s) TAKES(1);
static void site_free(struct site *s)
{
	if (s == NULL)
		return;
	mem_free(s->name);
	mem_free(s);
}
DEFINE_AUTO(struct site, site_free)

/* The host of a URI, without its port; one that both kinds of URI have is one host. */
static struct span host_of(const char *uri)
{
	const char *p = strstr(uri, "://");
	struct http_url u;
	size_t n;

	if (OK(http_url_parse(span_text(uri), &u)))
		return u.host;
	p = p != NULL ? p + 3 : "";
	n = strcspn(p, "/:");
	return span_of(p, n);
}

static RESULT hold_site(struct fetcher_direct *f, const char *uri, struct site **ret)
{
	AUTO(site_free) struct site *s = NULL;
	struct span host = host_of(uri);

	for (struct site *i = f->sites; i != NULL; i = i->next) {
		if (strlen(i->name) != host.n || strncasecmp(i->name, (const char *)host.p, host.n) != 0)
			continue;
		i->holders++;
		*ret = i;
		return DONE;
	}
	s = mem_alloc(sizeof *s);
	if (s == NULL)
		return FAIL(ERR_NOMEM);
	s->name = mem_strndup((const char *)host.p, host.n);
	if (s->name == NULL)
		return FAIL(ERR_NOMEM);
	s->holders = 1;
	s->next = MOVE(f->sites);
	f->sites = MOVE(s);
	*ret = f->sites;
	return DONE;
}

/* One that is known is kept for a while: the next file is usually of the same host. */
static bool is_wanted(const struct fetcher_direct *f, const struct site *s)
{
	return s->holders > 0 || (s->known.n > 0 && loop_now(f->fetcher.loop)->mono_ns - s->known_ns < REMEMBER_NS);
}

static void let_go(struct fetcher_direct *f, struct site *s)
{
	if (s != NULL)
		s->holders--;
	for (struct site **at = &f->sites; *at != NULL;) {
		AUTO(site_free) struct site *gone = NULL;

		if (is_wanted(f, *at)) {
			at = &(*at)->next;
			continue;
		}
		gone = MOVE(*at);
		*at = MOVE(gone->next);
	}
}

/* -------------------------------------------------------------------------------------------------------------- operations */

static void op_free(struct direct_op *o) TAKES(1);
static void op_free(struct direct_op *o)
{
	if (o == NULL)
		return;
	mem_free(o->uri);
	mem_free(o->etag);
	mem_free(o->modified);
	mem_free(o);
}
DEFINE_AUTO(struct direct_op, op_free)

static void op_bury(struct dead *d)
{
	op_free(PARENT_OF(d, struct direct_op, dead));
}

static void count_running(struct direct_op *o, int by)
{
	uint32_t *site = o->is_rsync ? &o->site->rsyncs : &o->site->gets, *all = o->is_rsync ? &o->f->rsyncs : &o->f->gets;

	*site = (uint32_t)((int64_t)*site + by);
	*all = (uint32_t)((int64_t)*all + by);
}

static void start_some_later(struct fetcher_direct *f);

static void op_close(struct direct_op *o)
{
	struct fetcher_direct *f = o->f;
	struct loop *l = f->fetcher.loop;

	if (o->state == OP_CLOSED)
		return;
	if (o->state != OP_WAITING)
		count_running(o, -1);
	o->state = OP_CLOSED;
	direct_op_retire(l, o->self);
	loop_timer_stop(l, &o->deadline);
	http_cancel(f->http, o->transfer);
	if (f->rsync != NULL)
		rsync_stop(f->rsync, o->run);
	let_go(f, o->site);
	o->site = NULL;
	*o->at = o->next;
	if (o->next != NULL)
		o->next->at = o->at;
	else
		f->end = o->at;
	o->next = NULL;
	loop_bury(l, &o->dead, op_bury);
	start_some_later(f);
}

static void op_end(struct direct_op *o, enum err e, const char *why)
{
	struct loop *l = o->f->fetcher.loop;
	void *object = loop_slot_get(l, o->ev.type, o->ev.who);
	struct fetch_end end = { .e = e, .why = why, .octets = o->octets };

	if (o->state == OP_CLOSED)
		return;
	o->f->counts.failed += e != ERR_NONE;
	op_close(o);
	if (object != NULL)
		o->ev.ended(l, object, (fetch_h){ o->self.v }, &end);
}

static void on_deadline(struct loop *l, void *object)
{
	struct direct_op *o = (struct direct_op *)object;

	(void)l;
	o->f->counts.too_late++;
	op_end(o, ERR_TIMEOUT, "not done within its time");
}

/* --- by HTTPS */

static void on_answer(struct loop *l, void *object, http_transfer_h t, const struct http_answer *a)
{
	struct direct_op *o = (struct direct_op *)object;
	struct fetch_head h = { .status = a->status, .etag = a->etag, .modified = a->modified };
	void *who = loop_slot_get(l, o->ev.type, o->ev.who);

	(void)t;
	if (strlen(h.etag) >= FETCH_TAG_MAX)
		h.etag = "";
	if (strlen(h.modified) >= FETCH_TAG_MAX)
		h.modified = "";
	if (who == NULL)
		op_close(o);
	else
		o->ev.head(l, who, (fetch_h){ o->self.v }, &h);
}

static void on_body(struct loop *l, void *object, http_transfer_h t, struct span octets)
{
	struct direct_op *o = (struct direct_op *)object;
	void *who = loop_slot_get(l, o->ev.type, o->ev.who);

	(void)t;
	o->octets += octets.n;
	if (who == NULL)
		op_close(o);
	else
		o->ev.body(l, who, (fetch_h){ o->self.v }, octets);
}

static void on_transfer_ended(struct loop *l, void *object, http_transfer_h t, enum err e, const char *why)
{
	(void)l, (void)t;
	op_end((struct direct_op *)object, e, why);
}

static void get(struct direct_op *o)
{
	const struct site *s = o->site;
	struct http_events ev = { .type = &direct_op_loop_type, .who = o->self.v, .answer = on_answer, .body = on_body, .ended = on_transfer_ended };
	struct http_wish q = { .uri = o->uri, .etag = o->etag, .modified = o->modified, .addresses = s->known.a, .count = s->known.n, .max_octets = o->max_octets, .gzip = true,
		.connect_ms = o->connect_ms };
	struct result r = http_get(o->f->http, &q, &ev, &o->transfer);

	o->state = OP_RUNNING;
	if (OK(r) && o->paused)
		http_pause(o->f->http, o->transfer, true);
	if (!OK(r))
		op_end(o, r.e, r.e == ERR_FORMAT ? "not a URI that can be used" : r.e == ERR_RANGE ? "no address" : err_text(r.e));
}

static void on_name(struct loop *l, void *object, const struct names_answer *a)
{
	struct direct_op *o = (struct direct_op *)object;
	char why[200];

	if (o->state != OP_NAMING)
		return;
	if (a->n == 0) {
		o->f->counts.names_failed++;
		(void)snprintf(why, sizeof why, "no address: %s", a->why);
		op_end(o, ERR_NOTFOUND, why);
		return;
	}
	o->site->known = *a;
	o->site->known_ns = loop_now(l)->mono_ns;
	get(o);
}

static bool needs_name(const struct direct_op *o)
{
	const struct fetcher_direct *f = o->f;
	struct http_url u;

	if (f->o.http.by_proxy || !OK(http_url_parse(span_text(o->uri), &u)) || u.literal)
		return false;
	return o->site->known.n == 0 || loop_now(f->fetcher.loop)->mono_ns - o->site->known_ns >= REMEMBER_NS;
}

static void start_get(struct direct_op *o)
{
	struct result r;

	if (!needs_name(o)) {
		get(o);
		return;
	}
	o->f->counts.names++;
	r = names_ask(o->f->names, o->site->name, &direct_op_loop_type, o->self.v, on_name);
	if (!OK(r))
		op_end(o, r.e == ERR_RANGE ? ERR_FORMAT : r.e, "the name cannot be looked up");
}

/* --- by rsync */

static void on_run_ended(struct loop *l, void *object, rsync_run_h run, enum err e, const char *why)
{
	(void)l, (void)run;
	op_end((struct direct_op *)object, e, why);
}

/* The folder of this repository, and in it the one that rsync may do with as it likes: the outer one keeps the time of its last use. */
static RESULT make_folder(const char *tree)
{
	AUTO_CHARS char *outer = mem_strndup(tree, strlen(tree) - strlen(FETCH_TREE));

	if (outer == NULL)
		return FAIL(ERR_NOMEM);
	if ((mkdir(outer, 0750) != 0 && errno != EEXIST) || (mkdir(tree, 0750) != 0 && errno != EEXIST))
		return FAIL(ERR_SYSTEM);
	(void)utimensat(AT_FDCWD, outer, NULL, AT_SYMLINK_NOFOLLOW);
	return DONE;
}

static void start_rsync(struct direct_op *o)
{
	struct rsync_events ev = { .type = &direct_op_loop_type, .who = o->self.v, .ended = on_run_ended };
	AUTO_CHARS char *path = fetch_folder_path(o->f->dir, o->folder);
	struct result r = path != NULL ? make_folder(path) : FAIL(ERR_NOMEM);
	char why[200];

	o->state = OP_RUNNING;
	if (OK(r))
		r = rsync_run(o->f->rsync, o->uri, path, o->connect_ms / 1000 + (o->connect_ms % 1000 > 0), &ev, &o->run);
	if (OK(r))
		return;
	(void)snprintf(why, sizeof why, "rsync cannot be run: %s", r.e == ERR_SYSTEM ? strerror(errno) : r.e == ERR_FORMAT ? "not a URI that can be used" : err_text(r.e));
	op_end(o, r.e, why);
}

/* --- whose turn it is */

static bool may_start(const struct direct_op *o)
{
	const struct fetcher_direct_options *x = &o->f->o;

	if (o->state != OP_WAITING)
		return false;
	return o->is_rsync ? o->site->rsyncs < x->host_rsyncs && o->f->rsyncs < x->rsyncs : o->site->gets < x->host_gets && o->f->gets < x->gets;
}

static void start(struct direct_op *o)
{
	count_running(o, 1);
	o->state = OP_NAMING;
	if (o->deadline_ms > 0 && !OK(loop_timer(o->f->fetcher.loop, &direct_op_loop_type, o->self.v, on_deadline, o->deadline_ms, &o->deadline)))
		op_end(o, ERR_NOMEM, err_text(ERR_NOMEM));
	else if (o->is_rsync)
		start_rsync(o);
	else
		start_get(o);
}

/* What is begun may end at once, and who hears of it may cancel others: they leave the list, and live until the turn ends. */
static void on_again(struct loop *l, void *object)
{
	struct fetcher_direct *f = (struct fetcher_direct *)object;
	struct direct_op *o = f->ops;

	(void)l;
	f->again.v = 0;
	while (o != NULL) {
		struct direct_op *next = o->next;

		if (may_start(o))
			start(o);
		o = next;
	}
}

static void start_some_later(struct fetcher_direct *f)
{
	if (f->again.v == 0 && f->self.v != 0 && !OK(loop_timer(f->fetcher.loop, &fetcher_direct_loop_type, f->self.v, on_again, 0, &f->again)))
		f->again.v = 0; /* the next that is asked for, or ends, tries again */
}

/* ---------------------------------------------------------------------------------------------------------------- interface */

static RESULT begin(struct fetcher_direct *f, struct direct_op *given, const struct fetch_events *ev, fetch_h *ret) TAKES(2);
static RESULT begin(struct fetcher_direct *f, struct direct_op *given, const struct fetch_events *ev, fetch_h *ret)
{
	AUTO(op_free) struct direct_op *o = given;
	struct direct_op **at;

	o->f = f;
	o->ev = *ev;
	o->state = OP_WAITING;
	TRY(hold_site(f, o->uri, &o->site));
	o->self = direct_op_enlist(f->fetcher.loop, o);
	if (o->self.v == 0) {
		let_go(f, o->site);
		return FAIL(ERR_NOMEM);
	}
	f->counts.waited += !may_start(o);
	*ret = (fetch_h){ o->self.v };
	at = f->end;
	o->at = at;
	f->end = &o->next;
	*at = MOVE(o);
	start_some_later(f);
	return DONE;
}

static RESULT direct_get(struct fetcher *given, const struct fetch_get *q, const struct fetch_events *ev, fetch_h *ret)
{
	struct fetcher_direct *f = direct_of(given);
	AUTO(op_free) struct direct_op *o = mem_alloc(sizeof *o);

	if (o == NULL)
		return FAIL(ERR_NOMEM);
	o->uri = mem_strdup(q->uri);
	o->etag = mem_strdup(q->etag);
	o->modified = mem_strdup(q->modified);
	if (o->uri == NULL || o->etag == NULL || o->modified == NULL)
		return FAIL(ERR_NOMEM);
	o->max_octets = q->max_octets;
	o->deadline_ms = q->deadline_ms;
	o->connect_ms = q->connect_ms;
	TRY(begin(f, MOVE(o), ev, ret));
	f->counts.gets++;
	return DONE;
}

static RESULT direct_rsync(struct fetcher *given, const struct fetch_rsync *q, const struct fetch_events *ev, fetch_h *ret)
{
	struct fetcher_direct *f = direct_of(given);
	AUTO(op_free) struct direct_op *o = mem_alloc(sizeof *o);

	if (f->rsync == NULL)
		return FAIL(ERR_UNSUPPORTED);
	if (o == NULL)
		return FAIL(ERR_NOMEM);
	o->uri = mem_strdup(q->uri);
	if (o->uri == NULL)
		return FAIL(ERR_NOMEM);
	o->is_rsync = true;
	memcpy(o->folder, q->folder, sizeof o->folder);
	o->deadline_ms = q->deadline_ms;
	o->connect_ms = q->connect_ms;
	TRY(begin(f, MOVE(o), ev, ret));
	f->counts.rsyncs++;
	return DONE;
}

static void direct_pause(struct fetcher *given, fetch_h h, bool paused)
{
	struct fetcher_direct *f = direct_of(given);
	struct direct_op *o = direct_op_get(f->fetcher.loop, (direct_op_h){ h.v });

	if (o == NULL)
		return;
	o->paused = paused;
	http_pause(f->http, o->transfer, paused);
}

static void direct_cancel(struct fetcher *given, fetch_h h)
{
	struct direct_op *o = direct_op_get(direct_of(given)->fetcher.loop, (direct_op_h){ h.v });

	if (o != NULL)
		op_close(o);
}

static struct fetch_counts direct_counts(const struct fetcher *given)
{
	const struct fetcher_direct *f = (const struct fetcher_direct *)(const void *)given;
	const struct http_counts *h = http_counts(f->http);
	struct fetch_counts c = f->counts;

	c.octets = h->octets_in + h->octets_out;
	c.connections = h->connections;
	c.reused = h->reused;
	c.redirects = h->redirects;
	c.too_slow = h->too_slow;
	c.too_late += h->too_late;
	c.too_large = h->too_large;
	if (f->rsync != NULL) {
		const struct rsync_counts *r = rsync_counts(f->rsync);

		c.too_slow += r->too_slow;
		c.too_late += r->too_late;
		c.too_large += r->too_large;
	}
	return c;
}

static void direct_free(struct fetcher *given) TAKES(1);
static void direct_free(struct fetcher *given)
{
	struct fetcher_direct *f = direct_of(given);
	struct loop *l = f->fetcher.loop;

	if (f->self.v != 0)
		fetcher_direct_retire(l, f->self);
	f->self.v = 0;
	loop_timer_stop(l, &f->again);
	while (f->ops != NULL)
		op_close(f->ops);
	while (f->sites != NULL) {
		AUTO(site_free) struct site *s = MOVE(f->sites);

		f->sites = MOVE(s->next);
	}
	names_free(MOVE(f->names));
	http_client_free(MOVE(f->http));
	rsync_runner_free(MOVE(f->rsync));
	mem_free(f->dir);
	mem_free(f);
}

static const struct fetcher_ops ops = { direct_get, direct_rsync, direct_pause, direct_cancel, direct_counts, direct_free };

/* --------------------------------------------------------------------------------------------------------------- old folders */

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st, (void)kind, (void)where;
	(void)remove(path);
	return 0;
}

static bool is_folder_name(const char *name)
{
	return strlen(name) == 2 * (size_t)FETCH_FOLDER && strspn(name, "0123456789abcdef") == 2 * (size_t)FETCH_FOLDER;
}

static void sweep(const char *dir, uint32_t days)
{
	DIR *d = opendir(dir);
	const struct dirent *e;
	int64_t oldest = clock_read().wall_sec - (int64_t)days * DAY;

	if (d == NULL)
		return;
	while ((e = readdir(d)) != NULL) {
		AUTO_CHARS char *path = is_folder_name(e->d_name) ? mem_printf("%s/%s", dir, e->d_name) : NULL;
		struct stat st;

		if (path != NULL && lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_mtime < oldest)
			(void)nftw(path, remove_one, FOLDERS_OPEN, FTW_PHYS | FTW_DEPTH);
	}
	(void)closedir(d);
}

/* ------------------------------------------------------------------------------------------------------------------ whole */

static RESULT fill(struct fetcher_direct *f, struct host *h, const struct fetcher_direct_options *o)
{
	f->o = *o;
	f->o.rsync_dir = NULL;
	f->o.rsync.command = f->o.rsync.proxy = f->o.http.agent = NULL; /* theirs who copied them */
	f->http = http_client_new(h, &o->http);
	f->names = names_new(h->loop, o->name_threads, o->lookup);
	if (f->http == NULL || f->names == NULL)
		return FAIL(ERR_NOMEM);
	if (o->rsync_dir != NULL) {
		f->dir = mem_strdup(o->rsync_dir);
		f->rsync = rsync_runner_new(h->loop, &o->rsync);
		if (f->dir == NULL || f->rsync == NULL)
			return FAIL(ERR_NOMEM);
		if (o->folder_days > 0)
			sweep(f->dir, o->folder_days);
	}
	f->self = fetcher_direct_enlist(h->loop, f);
	return f->self.v != 0 ? DONE : FAIL(ERR_NOMEM);
}

struct fetcher *fetcher_direct_new(struct host *h, const struct fetcher_direct_options *o)
{
	AUTO(fetcher_free) struct fetcher *made = mem_alloc(sizeof(struct fetcher_direct));
	struct fetcher_direct *f;

	if (made == NULL)
		return NULL;
	f = direct_of(made);
	f->fetcher.ops = &ops;
	f->fetcher.loop = h->loop;
	f->host = h;
	f->end = &f->ops;
	return OK(fill(f, h, o)) ? MOVE(made) : NULL;
}
