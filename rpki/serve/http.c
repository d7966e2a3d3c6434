#include "rpki/serve/http.h"

#include <stdio.h>

#include "rpki/serve/http_inside.h"

#define ANSWER_MOST ((size_t)64 << 20) /* of what is rendered at once: status, metrics, validity */
#define TEXT_PLAIN "text/plain;charset=utf-8"
#define JSON "application/json"
#define FORM "application/x-www-form-urlencoded" /* says curl of all that it posts */
#define EVERYBODY "Access-Control-Allow-Origin: *\r\n"

LOOP_HANDLE(rpki_http)
LOOP_HANDLE_IMPL(rpki_http)

struct rpki_http {
	struct host *host PARENT_FIELD;
	const struct rtr_feed *feed PARENT_FIELD;
	const struct rtr_server *rtr PARENT_FIELD;
	struct rpki_http_options o;
	rpki_http_h self;
	struct http_server *server OWNED_FIELD;
	struct http_shelf *shelf OWNED_FIELD;
	struct shown *shown OWNED_FIELD;            /* NULL: nothing has been published */
	struct validity_index *validity OWNED_FIELD; /* of the table shown; NULL: nobody has asked yet */
	http_ask_h *waiting OWNED_FIELD;            /* for the next serial; some may be stale */
	size_t nwaiting, room;
	uint64_t number;
	int64_t published;                          /* when */
};

/* One request on its way through. */
struct asked {
	struct rpki_http *x BORROWED_FIELD;
	http_ask_h ask;
	const struct http_request *q BORROWED_FIELD;
	struct span body;
};

/* ----------------------------------------------------------------------------------------------------------------- answers */

static bool is_path(const struct asked *a, const char *path)
{
	return span_equal(a->q->path, span_text(path));
}

static bool starts(struct span path, const char *with)
{
	return path.n >= strlen(with) && memcmp(path.p, with, strlen(with)) == 0;
}

static void refuse(const struct asked *a, unsigned int status, const char *why)
{
	struct http_response r = { .status = status, .type = JSON, .fields = EVERYBODY };
	AUTO(strbuf_free) struct strbuf *b = NULL;

	if (!starts(a->q->path, "/api/")) {
		http_server_refuse(a->x->server, a->ask, status, why);
		return;
	}
	if (status == 405)
		r.fields = EVERYBODY "Allow: GET, HEAD\r\n";
	b = strbuf_new(ANSWER_MOST);
	if (b != NULL) {
		strbuf_puts(b, "{\n  \"error\": ");
		strbuf_json_string(b, span_text(why));
		strbuf_puts(b, "\n}\n");
	}
	http_server_respond(a->x->server, a->ask, &r, b != NULL ? http_page_text(strbuf_span(b), false) : NULL);
}

static void refuse_for_memory(const struct asked *a)
{
	refuse(a, 503, "out of memory");
}

/* Is there something to show? */
static bool ready(const struct asked *a)
{
	if (a->x->shown == NULL)
		refuse(a, 503, "Initial validation is under way. Please wait.");
	return a->x->shown != NULL;
}

/* What was rendered for this request alone. */
static void give(const struct asked *a, const char *type, const char *fields, const struct strbuf *b)
{
	struct http_response r = { .status = 200, .type = type, .fields = fields };
	AUTO(http_page_unref) struct http_page *p = strbuf_ok(b) ? http_page_text(strbuf_span(b), a->q->takes_gzip && strbuf_len(b) > 1000) : NULL;

	if (p == NULL)
		refuse_for_memory(a);
	else
		http_server_respond(a->x->server, a->ask, &r, MOVE(p));
}

/* A page that does not change until the next publication. */
static void give_page(const struct asked *a, const char *type, struct http_page *page) TAKES(3);
static void give_page(const struct asked *a, const char *type, struct http_page *page)
{
	AUTO(http_page_unref) struct http_page *own = page;
	const struct shown *d = a->x->shown;
	char etag[96];
	struct http_response r = { .status = 200, .type = type, .etag = etag, .modified = a->x->published, .fields = EVERYBODY };

	/* Session and serial outlive a restart, and sources and times may differ where payloads do not. */
	(void)snprintf(etag, sizeof etag, "\"%llx-%u-%llx.%llu\"", (unsigned long long)d->session, d->serial, (unsigned long long)a->x->published,
		(unsigned long long)d->number);
	http_server_respond(a->x->server, a->ask, &r, MOVE(own));
}

/* ------------------------------------------------------------------------------------------------------------------ tables */

struct format {
	const char *path BORROWED_FIELD;
	enum output_format format;
	const char *type BORROWED_FIELD;
};

static const struct format *format_of(struct span path) BORROWED;
static const struct format *format_of(struct span path)
{
	static const char csv[] = "text/csv;charset=utf-8;header=present";
	static const struct format formats[] = {
		{ "/json", OUTPUT_JSON, JSON },
		{ "/jsonext", OUTPUT_JSONEXT, JSON },
		{ "/csv", OUTPUT_CSV, csv },
		{ "/csvcompat", OUTPUT_CSVCOMPAT, csv },
		{ "/csvext", OUTPUT_CSVEXT, csv },
		{ "/openbgpd", OUTPUT_OPENBGPD, TEXT_PLAIN },
		{ "/bird1", OUTPUT_BIRD1, TEXT_PLAIN },
		{ "/bird2", OUTPUT_BIRD2, TEXT_PLAIN },
		{ "/rpsl", OUTPUT_RPSL, TEXT_PLAIN },
		{ "/slurm", OUTPUT_SLURM, JSON },
		{ "/slurm2", OUTPUT_SLURM2, JSON },
		{ "/summary", OUTPUT_SUMMARY, TEXT_PLAIN },
		{ "/api/v1/origins/", OUTPUT_JSON, JSON },
		{ "/rpki-client.json", OUTPUT_RPKI_CLIENT, JSON },
		{ "/rpki.json", OUTPUT_RPKI_CLIENT, JSON }, /* StayRTR's */
	};

	for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
		if (span_equal(path, span_text(formats[i].path)))
			return &formats[i];
	return NULL;
}

/* Tables whole are kept; what somebody has selected is his alone. */
static void give_table(const struct asked *a, const struct format *f, const struct selection *s)
{
	struct rpki_http *x = a->x;
	AUTO(http_page_unref) struct http_page *page = NULL;
	bool keep = selection_is_all(s);
	char key[64];

	(void)snprintf(key, sizeof key, "%u %d%d%d %d", (unsigned int)f->format, s->exclude[0], s->exclude[1], s->exclude[2], a->q->takes_gzip);
	if (keep)
		page = http_shelf_find(x->shelf, key);
	if (page == NULL && !OK(table_page(x->shown, f->format, s, a->q->takes_gzip, &page))) {
		refuse_for_memory(a);
		return;
	}
	if (keep)
		http_shelf_put(x->shelf, key, page);
	give_page(a, f->type, MOVE(page));
}

static void on_table(const struct asked *a, const struct format *f)
{
	struct selection s;
	const char *why;
	struct result r = selection_read(a->q->query, &s, &why);

	if (r.e == ERR_NOMEM)
		refuse_for_memory(a);
	else if (!OK(r))
		refuse(a, 400, why);
	else if (ready(a))
		give_table(a, f, &s);
	selection_done(&s);
}

/* ------------------------------------------------------------------------------------------------------------- differences */

struct version {
	bool has_session, has_serial;
	uint64_t session, serial;
};

/* "session=...&serial=...": both or none */
static RESULT read_version(struct span query, struct version *ret)
{
	AUTO(mem_free) void *room = mem_alloc_raw(query.n + 1);
	const char *key, *value;

	*ret = (struct version){ .serial = 0 };
	if (room == NULL)
		return FAIL(ERR_NOMEM);
	while (http_query_next(&query, (char *)room, &key, &value)) {
		bool session = strcmp(key, "session") == 0;

		if (session ? ret->has_session : ret->has_serial || strcmp(key, "serial") != 0)
			return FAIL(ERR_FORMAT);
		if (!http_read_number(span_text(value), session ? &ret->session : &ret->serial) || (!session && ret->serial > UINT32_MAX))
			return FAIL(ERR_FORMAT);
		if (session)
			ret->has_session = true;
		else
			ret->has_serial = true;
	}
	return query.n == 0 && ret->has_session == ret->has_serial ? DONE : FAIL(ERR_FORMAT);
}

static bool refuse_version(const struct asked *a, struct result r)
{
	if (r.e == ERR_NOMEM)
		refuse_for_memory(a);
	else if (!OK(r))
		refuse(a, 400, "session and serial belong together, and are numbers");
	return !OK(r);
}

static void on_delta(const struct asked *a)
{
	struct rpki_http *x = a->x;
	AUTO(http_page_unref) struct http_page *page = NULL;
	AUTO(delta_free) struct payload_delta *delta = NULL;
	struct version v;
	struct result r = read_version(a->q->query, &v);
	char key[64];

	if (refuse_version(a, r) || !ready(a))
		return;
	if (v.has_session && v.session == x->shown->session)
		r = history_since(rtr_feed_history(x->feed), (uint32_t)v.serial, &delta);
	if (r.e == ERR_NOMEM) {
		refuse_for_memory(a);
		return;
	}
	(void)snprintf(key, sizeof key, "delta %d %u %d", delta != NULL, delta != NULL ? (uint32_t)v.serial : 0, a->q->takes_gzip);
	page = http_shelf_find(x->shelf, key);
	if (page == NULL && !OK(delta_page(x->shown, MOVE(delta), (uint32_t)v.serial, a->q->takes_gzip, &page))) {
		refuse_for_memory(a);
		return;
	}
	http_shelf_put(x->shelf, key, page);
	give_page(a, JSON, MOVE(page));
}

static void give_version(struct rpki_http *x, http_ask_h ask)
{
	struct http_response r = { .status = 200, .type = JSON, .fields = EVERYBODY };
	char text[96];

	(void)snprintf(text, sizeof text, "{\n  \"session\": %llu,\n  \"serial\": %u\n}\n", (unsigned long long)x->shown->session, x->shown->serial);
	http_server_respond(x->server, ask, &r, http_page_text(span_text(text), false));
}

/* Leaves out those who have gone. */
static void tidy_waiting(struct rpki_http *x)
{
	size_t n = 0;

	for (size_t i = 0; i < x->nwaiting; i++)
		if (http_ask_get(x->host->loop, x->waiting[i]) != NULL)
			x->waiting[n++] = x->waiting[i];
	x->nwaiting = n;
}

/* ERR_LIMIT: half of all connections wait already; the others are for those who ask something now. */
static RESULT wait_for_next(struct rpki_http *x, http_ask_h ask)
{
	size_t most = x->o.server.max_clients / 2;
	void *list = x->waiting;

	if (x->nwaiting == x->room || x->nwaiting >= most)
		tidy_waiting(x);
	if (x->nwaiting >= most)
		return FAIL(ERR_LIMIT);
	if (x->nwaiting == x->room) {
		TRY(mem_resize(&list, x->room, x->room + 16, sizeof *x->waiting));
		x->waiting = (http_ask_h *)list;
		x->room += 16;
	}
	x->waiting[x->nwaiting++] = ask;
	return DONE;
}

/* Answered at once when the client is not at what is shown, else when that changes. */
static void on_notify(const struct asked *a)
{
	struct version v;
	struct result r;

	if (refuse_version(a, read_version(a->q->query, &v)) || !ready(a))
		return;
	if (v.has_session && (v.session != a->x->shown->session || v.serial != a->x->shown->serial)) {
		give_version(a->x, a->ask);
		return;
	}
	r = wait_for_next(a->x, a->ask);
	if (r.e == ERR_LIMIT)
		refuse(a, 503, "too many wait already");
	else if (!OK(r))
		refuse_for_memory(a);
}

/* ---------------------------------------------------------------------------------------------------------------- validity */

static bool has_index(const struct asked *a)
{
	struct rpki_http *x = a->x;

	if (!ready(a))
		return false;
	if (x->validity == NULL && !OK(validity_new(x->shown->table, &x->validity))) {
		refuse_for_memory(a);
		return false;
	}
	return true;
}

static void give_validity(const struct asked *a, const char *asn, const char *prefix)
{
	AUTO(strbuf_free) struct strbuf *b = strbuf_new(ANSWER_MOST);
	struct route r;

	if (!OK(route_read(asn, prefix, &r))) {
		refuse(a, 400, "expected an AS number and a prefix");
		return;
	}
	if (b == NULL) {
		refuse_for_memory(a);
		return;
	}
	if (!has_index(a))
		return;
	validity_show(a->x->validity, &r, a->x->shown->info.generated_sec, b);
	give(a, JSON, EVERYBODY, b);
}

/* /api/v1/validity/ASN/PREFIX, where the prefix has a '/' of its own */
static void on_validity_path(const struct asked *a, size_t skip)
{
	struct span rest = span_of(&a->q->path.p[skip], a->q->path.n - skip);
	AUTO_CHARS char *text = (char *)mem_alloc_raw(rest.n + 1);
	char *slash;
	size_t n;

	if (text == NULL) {
		refuse_for_memory(a);
		return;
	}
	slash = http_decode(rest, false, text, &n) ? strchr(text, '/') : NULL;
	if (slash == NULL) {
		refuse(a, 400, "expected /api/v1/validity/ASN/PREFIX");
		return;
	}
	*slash = '\0';
	give_validity(a, text, slash + 1);
}

static void on_validity_query(const struct asked *a)
{
	struct span query = a->q->query;
	AUTO(mem_free) void *room = mem_alloc_raw(query.n + 1);
	AUTO_CHARS char *asn = NULL, *prefix = NULL;
	const char *key, *value;
	bool wrong = false;

	while (room != NULL && !wrong && http_query_next(&query, (char *)room, &key, &value)) {
		if (strcmp(key, "asn") == 0 && asn == NULL)
			asn = mem_strdup(value);
		else if (strcmp(key, "prefix") == 0 && prefix == NULL)
			prefix = mem_strdup(value);
		else
			wrong = true;
	}
	if (room == NULL)
		refuse_for_memory(a);
	else if (wrong || query.n > 0 || asn == NULL || prefix == NULL)
		refuse(a, 400, "expected asn= and prefix=, once each");
	else
		give_validity(a, asn, prefix);
}

static void on_validity_post(const struct asked *a)
{
	AUTO(strbuf_free) struct strbuf *b = strbuf_new(ANSWER_MOST);
	AUTO(mem_free) void *list = NULL;
	struct route *routes = NULL;
	struct result r;
	size_t n = 0;

	if (a->q->type.p != NULL && !starts(a->q->type, JSON) && !starts(a->q->type, FORM)) {
		refuse(a, 415, "expected application/json");
		return;
	}
	r = b != NULL ? routes_read(a->body, &routes, &n) : FAIL(ERR_NOMEM);
	if (!OK(r)) {
		if (r.e == ERR_NOMEM)
			refuse_for_memory(a);
		else
			refuse(a, 400, "expected {\"routes\": [{\"asn\": ..., \"prefix\": ...}, ...]}");
		return;
	}
	list = routes;
	if (!has_index(a))
		return;
	validity_show_all(a->x->validity, routes, n, a->x->shown->info.generated_sec, b);
	give(a, JSON, EVERYBODY, b);
}

static void on_validity(const struct asked *a)
{
	if (a->q->method == HTTP_POST)
		on_validity_post(a);
	else
		on_validity_query(a);
}

/* ------------------------------------------------------------------------------------------------------------------ status */

typedef void show_fn(const struct shown *d, const struct live *l, struct strbuf *out);

static void show(const struct asked *a, const char *type, const char *fields, show_fn *fn)
{
	struct rpki_http *x = a->x;
	AUTO(strbuf_free) struct strbuf *b = NULL;
	AUTO(mem_free) void *clients = NULL;
	struct rtr_client_sum *list = NULL;
	struct live l = { .now = loop_now(x->host->loop)->wall_sec, .version = x->o.version, .http = http_server_counts(x->server),
		.rtr = x->rtr != NULL ? rtr_server_counts(x->rtr) : NULL };

	if (!ready(a))
		return;
	b = strbuf_new(ANSWER_MOST);
	if (b == NULL || (x->rtr != NULL && x->o.clients && !OK(clients_gather(x->rtr, &list, &l.nclients)))) {
		refuse_for_memory(a);
		return;
	}
	clients = list;
	l.clients = list;
	fn(x->shown, &l, b);
	give(a, type, fields, b);
}

static void on_status_json(const struct asked *a)
{
	show(a, JSON, EVERYBODY "Cache-Control: no-cache\r\n", show_json);
}

/* For people, for programs, and for those who know Routinator's lines. */
static void on_status(const struct asked *a)
{
	if (a->q->takes_html)
		show(a, "text/html;charset=utf-8",
			"Cache-Control: no-cache\r\nContent-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'\r\nReferrer-Policy: no-referrer\r\n", show_html);
	else if (a->q->takes_json)
		on_status_json(a);
	else
		show(a, TEXT_PLAIN, "Cache-Control: no-cache\r\n", show_text);
}

static void on_metrics(const struct asked *a)
{
	show(a, "text/plain;version=0.0.4;charset=utf-8", "Cache-Control: no-cache\r\n", show_metrics);
}

static void show_log(const struct shown *d, const struct live *l, struct strbuf *out)
{
	(void)l;
	strbuf_puts(out, d->status->log);
}

/* What the log said of the last run. */
static void on_log(const struct asked *a)
{
	show(a, TEXT_PLAIN, "Cache-Control: no-cache\r\n", show_log);
}

static void on_version(const struct asked *a)
{
	struct http_response r = { .status = 200, .type = TEXT_PLAIN, .fields = EVERYBODY };

	http_server_respond(a->x->server, a->ask, &r, http_page_text(span_text(a->x->o.version), false));
}

static void on_front(const struct asked *a)
{
	struct http_response r = { .status = 302, .fields = "Location: /status\r\n" };

	http_server_respond(a->x->server, a->ask, &r, NULL);
}

/* ------------------------------------------------------------------------------------------------------------------- paths */

typedef void path_fn(const struct asked *a);

static void on_asked(struct loop *l, void *object, http_ask_h ask, const struct http_request *q, struct span body)
{
	static const struct {
		const char *path BORROWED_FIELD;
		path_fn *fn;
		bool post;
	} paths[] = { { "/metrics", on_metrics, false }, { "/status", on_status, false }, { "/api/v1/status", on_status_json, false }, { "/version", on_version, false }, { "/log", on_log, false },
		{ "/json-delta", on_delta, false }, { "/json-delta/notify", on_notify, false }, { "/validity", on_validity, true }, { "/", on_front, false }, { "/ui", on_front, false } };
	static const char validity[] = "/api/v1/validity/";
	struct asked a = { (struct rpki_http *)object, ask, q, body };
	const struct format *f = format_of(q->path);
	bool post = q->method == HTTP_POST;

	(void)l;
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		if (!is_path(&a, paths[i].path))
			continue;
		if (post && !paths[i].post)
			refuse(&a, 405, "only GET and HEAD");
		else
			paths[i].fn(&a);
		return;
	}
	if (f == NULL && !starts(q->path, validity))
		refuse(&a, 404, "there is nothing of that name");
	else if (post)
		refuse(&a, 405, "only GET and HEAD");
	else if (f != NULL)
		on_table(&a, f);
	else
		on_validity_path(&a, strlen(validity));
}

/* -------------------------------------------------------------------------------------------------------------- publishing */

/* The sessions of RTR's versions that outlive a restart, in one number: it lives as long as they do. */
static uint64_t session_of(const struct rtr_state *s)
{
	uint64_t n = 0;

	for (unsigned int i = 1; i < RTR_VERSIONS; i++)
		n = n << 16 | s->session[i];
	return n;
}

RESULT rpki_http_publish(struct rpki_http *x, struct status *s)
{
	AUTO(status_free) struct status *own = s;
	AUTO(shown_unref) struct shown *d = NULL;
	const struct payload_table *t = rtr_feed_table(x->feed);
	struct rtr_state state = rtr_feed_state(x->feed);
	bool moved, trim;

	if (t == NULL)
		return DONE;
	d = shown_new(t, MOVE(own), loop_now(x->host->loop)->wall_sec);
	if (d == NULL)
		return FAIL(ERR_NOMEM);
	d->session = session_of(&state);
	d->serial = state.serial;
	d->number = ++x->number;
	x->published = loop_now(x->host->loop)->wall_sec;
	moved = x->shown == NULL || x->shown->session != d->session || x->shown->serial != d->serial;
	trim = http_shelf_count(x->shelf) > 0;
	http_shelf_clear(x->shelf);
	validity_free(MOVE(x->validity));
	shown_unref(MOVE(x->shown));
	x->shown = MOVE(d);
	if (trim)
		mem_trim(); /* they were large */
	for (size_t i = 0; moved && i < x->nwaiting; i++)
		give_version(x, x->waiting[i]);
	if (moved)
		x->nwaiting = 0;
	return DONE;
}

void rpki_http_free(struct rpki_http *x)
{
	if (x == NULL)
		return;
	http_server_free(MOVE(x->server));
	http_shelf_free(MOVE(x->shelf));
	validity_free(MOVE(x->validity));
	shown_unref(MOVE(x->shown));
	mem_free(MOVE(x->waiting));
	if (x->self.v != 0)
		rpki_http_retire(x->host->loop, x->self);
	mem_free(x);
}

struct rpki_http *rpki_http_new(struct host *h, const struct rtr_feed *feed, const struct rtr_server *rtr, const struct rpki_http_options *o)
{
	AUTO(rpki_http_free) struct rpki_http *x = (struct rpki_http *)mem_alloc(sizeof *x);
	struct http_server_events ev = { .type = &rpki_http_loop_type, .asked = on_asked };

	if (x == NULL)
		return NULL;
	x->host = h;
	x->feed = feed;
	x->rtr = rtr;
	x->o = *o;
	x->self = rpki_http_enlist(h->loop, x);
	ev.who = x->self.v;
	x->shelf = http_shelf_new(o->shelf);
	x->server = http_server_new(h, &o->server, &ev);
	return x->self.v != 0 && x->shelf != NULL && x->server != NULL ? MOVE(x) : NULL;
}

RESULT rpki_http_listen(struct rpki_http *x, struct host *h, const struct listen_options *o)
{
	return http_server_listen(x->server, h, o);
}

const struct http_server_counts *rpki_http_counts(const struct rpki_http *x)
{
	return http_server_counts(x->server);
}
