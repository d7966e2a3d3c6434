/*
 * Whole runs of the relying party, up to three over one store: trust anchor, RRDP and rsync are served by this target, well, badly, in part or never to the end; the repository is the toy's,
 * changed as a script says (publication.h). Each run ends once, unless it is stopped; what it leaves in the store gives the same table without a network; nothing is left open.
 *
 * Input, for each run: an octet for the trust anchor (2 bits), notification (3), snapshot (2), delta (1); one for the two rsync modules (2 and 2), whether RRDP and rsync are used, and which
 * limit is small (2); one for what happens after how many turns (7, and 1: a stop, or else a hurry); the number of changes to the repository (2 bits), and these as in publication.h.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/base64.h"
#include "base/log.h"
#include "base/loop_event.h"
#include "base/rng.h"
#include "base/strbuf.h"
#include "rpki/cycle.h"
#include "rpki/routes/table.h"
#include "rpki/store/store.h"
#include "tests/fuzz/kit.h"
#include "tests/fuzz/publication.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

#define NOTIFY "https://toy.example/notify.xml"
#define SNAPSHOT "https://toy.example/snapshot.xml"
#define DELTA "https://toy.example/delta.xml"
#define ANCHOR "https://toy.example/ta/toy.cer"
#define REPO "rsync://toy.example/repo/"
#define SESSION "xmlns='http://www.ripe.net/rpki/rrdp' version='1' session_id='b4772554-7369-4e0e-94f8-883d01bcabc8'"
#define MOST_RUNS 3u
#define MOST_TURNS 200000u

enum { ANCHOR_GOOD, ANCHOR_ABSENT, ANCHOR_OTHER, ANCHOR_NONE };
enum { NOTIFY_GOOD, NOTIFY_ABSENT, NOTIFY_GARBAGE, NOTIFY_NOT_MODIFIED, NOTIFY_CUT, NOTIFY_HANGS, NOTIFY_FAILS, NOTIFY_OTHER_HASH };
enum { SNAPSHOT_GOOD, SNAPSHOT_CHANGED, SNAPSHOT_CUT, SNAPSHOT_ABSENT };
enum { RSYNC_GOOD, RSYNC_FAILS, RSYNC_PART, RSYNC_HANGS };

static struct toy *toy BORROWED_FIELD;
static struct toy_place pristine[TOY_PLACES];
static struct span locator;

/* The toy's places, but the CA's certificate names an RRDP repository. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char edit[] = "sia 1.0+302a06082b0601050507300d861e68747470733a2f2f746f792e6578616d706c652f6e6f746966792e786d6c";
	static struct publication p; /* lasts, as what is made of it does */
	static struct pub_state state;
	struct pub_op op = { .code = PUB_EDITED, .place = TOY_PLACE_CA, .n = sizeof edit - 1 };
	struct arena *a = arena_new(0); /* likewise */

	(void)argc;
	(void)argv;
	log_set_level(LOG_LEVEL_ERROR);
	toy = toy_new();
	CHECK(toy != NULL && a != NULL);
	toy_places(toy, pristine);
	locator = toy_locator(toy);
	memcpy(op.argument, edit, sizeof edit - 1);
	publication_begin(&p, a, toy, pristine);
	publication_change(&p, &op);
	publication_state(&p, &state);
	CHECK(state.n == TOY_PLACES && span_equal(state.files[TOY_PLACE_ROA].octets, pristine[TOY_PLACE_ROA].octets));
	for (size_t i = 0; i < TOY_PLACES; i++)
		pristine[i].octets = state.files[i].octets;
	return 0;
}

/* --- what is served */

struct asked {
	struct asked *next OWNED_FIELD;
	uint64_t id;
	struct fetch_events ev;
	bool rsync;
	char uri[300];
	uint8_t folder[FETCH_FOLDER];
};

LOOP_HANDLE(server)
LOOP_HANDLE_IMPL(server)

struct server {
	struct fetcher fetcher;
	server_h self;
	struct asked *asked OWNED_FIELD;
	uint64_t last;
	timer_h timer;
	const char *top BORROWED_FIELD;
	struct pub_state state, before;
	unsigned int serial, anchor, notify, snapshot, repo, rest;
	bool delta;
	struct strbuf *notification OWNED_FIELD, *snapshot_text OWNED_FIELD, *delta_text OWNED_FIELD;
	unsigned int ended;
	bool stopped;
	struct result result;
	size_t count[PAYLOAD_KINDS];
	uint64_t points;
};

static struct server *of(struct fetcher *f) BORROWED;
static struct server *of(struct fetcher *f) { return (struct server *)(void *)f; }

static bool begins(const char *text, const char *with) { return strncmp(text, with, strlen(with)) == 0; }

static void add_hash(struct strbuf *b, struct span s)
{
	uint8_t hash[32];

	sha256_of(s, hash);
	for (unsigned int i = 0; i < 32; i++)
		strbuf_printf(b, "%02x", hash[i]);
}

static void add_publish(struct strbuf *b, const struct toy_file *f, const struct toy_file *replaces)
{
	strbuf_printf(b, "<publish uri='%s'", f->uri);
	if (replaces != NULL) {
		strbuf_puts(b, " hash='");
		add_hash(b, replaces->octets);
		strbuf_putc(b, '\'');
	}
	strbuf_putc(b, '>');
	base64_print(b, f->octets, 0);
	strbuf_puts(b, "</publish>");
}

static const struct toy_file *find(const struct pub_state *s, const char *uri) BORROWED;
static const struct toy_file *find(const struct pub_state *s, const char *uri)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->files[i].uri, uri) == 0)
			return &s->files[i];
	return NULL;
}

static void make_delta(struct server *v)
{
	strbuf_printf(v->delta_text, "<delta %s serial='%u'>", SESSION, v->serial);
	for (size_t i = 0; i < v->state.n; i++) {
		const struct toy_file *f = &v->state.files[i], *old = find(&v->before, f->uri);

		if (begins(f->uri, REPO) && find(&v->state, f->uri) == f && (old == NULL || !span_equal(old->octets, f->octets)))
			add_publish(v->delta_text, f, old);
	}
	for (size_t i = 0; i < v->before.n; i++) {
		const struct toy_file *f = &v->before.files[i];

		if (!begins(f->uri, REPO) || find(&v->state, f->uri) != NULL)
			continue;
		strbuf_printf(v->delta_text, "<withdraw uri='%s' hash='", f->uri);
		add_hash(v->delta_text, f->octets);
		strbuf_puts(v->delta_text, "'/>");
	}
	strbuf_puts(v->delta_text, "</delta>");
}

static void make_rrdp(struct server *v)
{
	strbuf_clear(v->notification);
	strbuf_clear(v->snapshot_text);
	strbuf_clear(v->delta_text);
	strbuf_printf(v->snapshot_text, "<snapshot %s serial='%u'>", SESSION, v->serial);
	for (size_t i = 0; i < v->state.n; i++)
		if (begins(v->state.files[i].uri, REPO) && find(&v->state, v->state.files[i].uri) == &v->state.files[i])
			add_publish(v->snapshot_text, &v->state.files[i], NULL);
	strbuf_puts(v->snapshot_text, "</snapshot>");
	make_delta(v);
	strbuf_printf(v->notification, "<notification %s serial='%u'><snapshot uri='" SNAPSHOT "' hash='", SESSION, v->serial);
	if (v->notify == NOTIFY_OTHER_HASH)
		add_hash(v->notification, span_text("another"));
	else
		add_hash(v->notification, strbuf_span(v->snapshot_text));
	strbuf_puts(v->notification, "'/>");
	if (v->delta && v->serial > 1) {
		strbuf_printf(v->notification, "<delta serial='%u' uri='" DELTA "' hash='", v->serial);
		add_hash(v->notification, strbuf_span(v->delta_text));
		strbuf_puts(v->notification, "'/>");
	}
	strbuf_puts(v->notification, "</notification>");
	CHECK(strbuf_ok(v->notification) && strbuf_ok(v->snapshot_text) && strbuf_ok(v->delta_text));
}

static struct span part_of(struct span s) { return span_of(s.p, s.n / 2); }

/* n 0: it is not there. */
static struct span body_of(const struct server *v, const char *uri, struct arena *a)
{
	struct span s = { NULL, 0 };

	if (strcmp(uri, NOTIFY) == 0 && v->notify != NOTIFY_ABSENT && v->notify != NOTIFY_NOT_MODIFIED) {
		s = v->notify == NOTIFY_GARBAGE ? span_text("<html>") : strbuf_span(v->notification);
		return v->notify == NOTIFY_CUT ? part_of(s) : s;
	}
	if (strcmp(uri, SNAPSHOT) == 0 && v->snapshot != SNAPSHOT_ABSENT) {
		s = strbuf_span(v->snapshot_text);
		if (v->snapshot == SNAPSHOT_CHANGED) {
			uint8_t *copy = arena_dup(a, s.p, s.n);

			copy[s.n / 2] ^= 1;
			return span_of(copy, s.n);
		}
		return v->snapshot == SNAPSHOT_CUT ? part_of(s) : s;
	}
	if (strcmp(uri, DELTA) == 0)
		return v->snapshot == SNAPSHOT_GOOD ? strbuf_span(v->delta_text) : part_of(strbuf_span(v->delta_text));
	if (strcmp(uri, ANCHOR) == 0 && v->anchor != ANCHOR_ABSENT) {
		const struct toy_file *f = find(&v->state, pristine[v->anchor == ANCHOR_OTHER ? TOY_PLACE_CA : TOY_PLACE_TA].uri);

		return v->anchor == ANCHOR_NONE ? span_text("nothing") : f != NULL ? f->octets : s;
	}
	return s;
}

static void put_file(const char *path, struct span s)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd >= 0)
		CHECK(write(fd, s.p, s.n) == (ssize_t)s.n && close(fd) == 0);
}

static void bring(const struct server *v, const struct asked *q, bool part)
{
	AUTO_CHARS char *tree = fetch_folder_path(v->top, q->folder);
	AUTO_CHARS char *outer = mem_strndup(tree, strlen(tree) - strlen(FETCH_TREE));
	size_t base = (size_t)(pub_name(q->uri) - q->uri);

	(void)mkdir(outer, 0700);
	(void)mkdir(tree, 0700);
	for (size_t i = part ? 1 : 0; i < v->state.n; i += part ? 2 : 1) {
		const char *uri = v->state.files[i].uri;
		AUTO_CHARS char *path = mem_printf("%s/%s", tree, begins(uri, q->uri) ? uri + base : "");

		if (begins(uri, q->uri) && strchr(uri + base, '/') == NULL)
			put_file(path, v->state.files[i].octets);
	}
}

static bool hangs(const struct server *v, const struct asked *q)
{
	if (q->rsync)
		return (begins(q->uri, REPO) ? v->repo : v->rest) == RSYNC_HANGS;
	return v->notify == NOTIFY_HANGS && strcmp(q->uri, NOTIFY) == 0;
}

static struct fetch_end answer(struct server *v, const struct asked *q, void *who)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct fetch_end end = { .why = "" };
	struct loop *l = v->fetcher.loop;
	struct span body;

	if (q->rsync) {
		unsigned int how = begins(q->uri, REPO) ? v->repo : v->rest;

		if (how == RSYNC_FAILS)
			return (struct fetch_end){ .e = ERR_SYSTEM, .why = "no such module" };
		bring(v, q, how == RSYNC_PART);
		return end;
	}
	if (v->notify == NOTIFY_FAILS && strcmp(q->uri, NOTIFY) == 0)
		return (struct fetch_end){ .e = ERR_REFUSED, .why = "nobody listens" };
	body = body_of(v, q->uri, a);
	q->ev.head(l, who, (fetch_h){ q->id }, &(struct fetch_head){ .status = body.n > 0 ? 200 : v->notify == NOTIFY_NOT_MODIFIED ? 304 : 404, .etag = "\"a\"", .modified = "" });
	for (size_t at = 0; at < body.n; at += 5000) {
		who = loop_slot_get(l, q->ev.type, q->ev.who);
		if (who != NULL)
			q->ev.body(l, who, (fetch_h){ q->id }, span_of(body.p + at, body.n - at < 5000 ? body.n - at : 5000));
	}
	end.octets = body.n;
	return end;
}

static void on_timer(struct loop *l, void *object)
{
	struct server *v = (struct server *)object;
	struct asked **at = &v->asked, *q;
	struct fetch_end end = { .why = "" };
	void *who;

	v->timer.v = 0;
	while (*at != NULL && hangs(v, *at))
		at = &(*at)->next;
	q = *at;
	if (q != NULL) {
		*at = q->next;
		who = loop_slot_get(l, q->ev.type, q->ev.who);
		if (who != NULL)
			end = answer(v, q, who);
		who = loop_slot_get(l, q->ev.type, q->ev.who);
		if (who != NULL)
			q->ev.ended(l, who, (fetch_h){ q->id }, &end);
		mem_free(q);
		if (v->timer.v == 0)
			CHECK(OK(loop_timer(l, &server_loop_type, v->self.v, on_timer, 0, &v->timer)));
	}
}

/* --- a fetcher */

static RESULT ask(struct server *v, const char *uri, const uint8_t *folder, const struct fetch_events *ev, fetch_h *ret)
{
	struct asked *q = mem_alloc(sizeof *q);

	if (q == NULL)
		return FAIL(ERR_NOMEM);
	if (v->timer.v == 0 && !OK(loop_timer(v->fetcher.loop, &server_loop_type, v->self.v, on_timer, 0, &v->timer))) {
		mem_free(q);
		return FAIL(ERR_NOMEM);
	}
	(void)snprintf(q->uri, sizeof q->uri, "%s", uri);
	q->rsync = folder != NULL;
	if (folder != NULL)
		memcpy(q->folder, folder, FETCH_FOLDER);
	q->ev = *ev;
	q->id = ++v->last;
	q->next = v->asked;
	v->asked = q;
	ret->v = q->id;
	return DONE;
}

static RESULT f_get(struct fetcher *f, const struct fetch_get *q, const struct fetch_events *ev, fetch_h *ret) { return ask(of(f), q->uri, NULL, ev, ret); }

static RESULT f_rsync(struct fetcher *f, const struct fetch_rsync *q, const struct fetch_events *ev, fetch_h *ret) { return ask(of(f), q->uri, q->folder, ev, ret); }

static void f_pause(struct fetcher *f, fetch_h h, bool paused) { (void)f, (void)h, (void)paused; }

static void f_cancel(struct fetcher *f, fetch_h h)
{
	for (struct asked **at = &of(f)->asked; *at != NULL; at = &(*at)->next) {
		struct asked *q = *at;

		if (q->id != h.v)
			continue;
		*at = q->next;
		mem_free(q);
		return;
	}
}

static struct fetch_counts f_counts(const struct fetcher *f)
{
	(void)f;
	return (struct fetch_counts){ 0 };
}

static void f_free(struct fetcher *f) { (void)f; }

static const struct fetcher_ops fetcher_ops = { f_get, f_rsync, f_pause, f_cancel, f_counts, f_free };

/* --- runs */

static void on_progress(struct loop *l, void *object, const struct cycle_repository *r, const struct cycle_anchor *a, size_t anchor, const struct cycle_counts *counts)
{
	struct server *v = (struct server *)object;

	(void)l;
	CHECK(anchor == 0 && (r != NULL) != (a != NULL) && counts->failed <= counts->repositories && !v->stopped && v->ended == 0);
	CHECK(r == NULL || (r->how != CYCLE_UNDER_WAY && strchr(r->why, '\n') == NULL && (r->how != CYCLE_FAILED || r->why[0] != '\0')));
}

static void on_ended(struct loop *l, void *object, cycle_h c, const struct cycle_report *r)
{
	struct server *v = (struct server *)object;

	(void)l;
	(void)c;
	CHECK(!v->stopped && v->ended++ == 0 && r->anchor_count == 1 && OK(r->result) == (r->table != NULL));
	v->result = r->result;
	v->points = r->anchors[0].points * 1000000 + r->anchors[0].points_failed * 1000 + r->anchors[0].points_kept;
	for (unsigned int k = 0; k < PAYLOAD_KINDS; k++)
		v->count[k] = r->table != NULL ? table_count(r->table, (enum payload_kind)k) : 0;
	for (size_t i = 0; i < r->repository_count; i++)
		CHECK(r->repositories[i].how != CYCLE_UNDER_WAY || r->counts.over_limit > 0);
}

struct world {
	char top[64];
	struct loop *loop OWNED_FIELD;
	struct rng *rng OWNED_FIELD;
	struct store *store OWNED_FIELD;
	struct locators *locators OWNED_FIELD;
	struct server server;
};

/* turns 255: as many as it takes. */
static void run(struct world *w, const struct cycle_options *o, unsigned int turns, bool stop)
{
	struct server *v = &w->server;
	struct cycle_events ev = { .type = &server_loop_type, .who = v->self.v, .progress = on_progress, .ended = on_ended };
	unsigned int n = 0;
	cycle_h c;

	v->ended = 0;
	v->stopped = false;
	CHECK(OK(cycle_begin(w->loop, o, &ev, &c)));
	CHECK(v->ended == 0);
	for (; n < MOST_TURNS && v->ended == 0 && !v->stopped; n++) {
		if (n == turns && stop) {
			cycle_stop(w->loop, c);
			cycle_stop(w->loop, c);
			v->stopped = true;
		} else if (n == turns)
			cycle_hurry(w->loop, c);
		loop_turn(w->loop, !v->stopped && v->ended == 0 && (n > turns || v->asked == NULL));
	}
	CHECK(n < MOST_TURNS);
	for (unsigned int i = 0; i < 3; i++)
		loop_turn(w->loop, false);
}

static bool serves_all(const struct server *v)
{
	return v->anchor <= ANCHOR_ABSENT && v->repo == RSYNC_GOOD && v->rest == RSYNC_GOOD;
}

static void one_run(struct world *w, struct publication *p, struct reader *in, unsigned int number)
{
	uint8_t a = read8(in), b = read8(in), turns = read8(in), changes = read8(in) & 3;
	struct server *v = &w->server;
	struct cycle_options o = { .fetcher = &v->fetcher, .store = w->store, .dir = w->top, .rsync_dir = w->top, .locators = w->locators, .rrdp = (b & 16) == 0, .rsync = (b & 32) == 0,
		.limits = cycle_limits_default(), .rrdp_limits = rrdp_limits_default(), .tree_limits = rsync_tree_limits_default(), .validate_limits = validate_limits_default(),
		.threads = 1, .now = TOY_NOW, .generation = number + 1u };
	size_t count[PAYLOAD_KINDS];
	uint64_t points;

	for (unsigned int i = 0; i < changes && !reader_end(in); i++) {
		struct pub_op op = { .code = (uint8_t)(read8(in) % PUB_STEP), .place = (uint8_t)(read8(in) % TOY_PLACES) };
		struct span s;

		op.label = read16(in);
		s = read_span(in, read8(in) & 63);
		op.n = (uint8_t)s.n;
		if (s.n > 0)
			memcpy(op.argument, s.p, s.n);
		publication_change(p, &op);
	}
	v->before = v->state;
	publication_state(p, &v->state);
	v->serial++;
	v->anchor = a & 3;
	v->notify = a >> 2 & 7;
	v->snapshot = a >> 5 & 3;
	v->delta = a >> 7 != 0;
	v->repo = b & 3;
	v->rest = b >> 2 & 3;
	if (b >> 6 == 1)
		o.limits.repositories = 1;
	else if (b >> 6 == 2)
		o.limits.anchor_repositories = 1;
	else if (b >> 6 == 3)
		o.limits.branch_repositories = 0;
	make_rrdp(v);
	if ((turns >> 1) == 0 && (v->notify == NOTIFY_HANGS || v->repo == RSYNC_HANGS || v->rest == RSYNC_HANGS))
		turns = 60; /* for nobody waits here for minutes */
	run(w, &o, (turns >> 1) == 0 ? MOST_TURNS : turns >> 1, (turns & 1) != 0);
	if (v->stopped || !OK(v->result))
		return;
	if (number == 0 && changes == 0 && (turns >> 1) == 0 && (b >> 5) == 0 && serves_all(v)) /* the repository as it is: nothing is missing, whichever way it came */
		CHECK(v->count[PAYLOAD_VRP] == 4 && v->count[PAYLOAD_ASPA] == 1 && v->count[PAYLOAD_KEY] == 1);
	memcpy(count, v->count, sizeof count);
	points = v->points;
	o.fetcher = NULL;
	run(w, &o, MOST_TURNS, false);
	CHECK(OK(v->result));
	if ((turns >> 1) == 0 && serves_all(v))
		CHECK(memcmp(count, v->count, sizeof count) == 0 && points == v->points);
}

static void remove_all(const char *path)
{
	DIR *d = opendir(path);

	for (struct dirent *e = d != NULL ? readdir(d) : NULL; e != NULL; e = readdir(d)) {
		AUTO_CHARS char *sub = mem_printf("%s/%s", path, e->d_name);

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (unlink(sub) != 0)
			remove_all(sub);
	}
	if (d != NULL)
		closedir(d);
	(void)rmdir(path);
}

static void world_begin(struct world *w)
{
	AUTO(strbuf_free) struct strbuf *why = strbuf_new(1000);
	AUTO_CHARS char *tal = NULL;
	struct store_limits limits = store_limits_default();
	struct loop_backend back;

	(void)snprintf(w->top, sizeof w->top, "%s/cairn-fuzz-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	CHECK(mkdtemp(w->top) != NULL && OK(loop_event_backend(&back)));
	w->rng = rng_new_seeded(1);
	w->loop = loop_new(&back, w->rng, NULL);
	tal = mem_printf("%s/toy.tal", w->top);
	put_file(tal, locator);
	limits.octets = 16u << 20;
	CHECK(w->loop != NULL && OK(locators_load(NULL, (const char *const *)&tal, 1, why, &w->locators)) && OK(store_open(w->top, &limits, why, &w->store)));
	w->server.fetcher = (struct fetcher){ &fetcher_ops, w->loop };
	w->server.self = server_enlist(w->loop, &w->server);
	w->server.top = w->top;
	w->server.notification = strbuf_new(1 << 20);
	w->server.snapshot_text = strbuf_new(1 << 20);
	w->server.delta_text = strbuf_new(1 << 20);
}

static void world_end(struct world *w)
{
	loop_timer_stop(w->loop, &w->server.timer);
	while (w->server.asked != NULL)
		f_cancel(&w->server.fetcher, (fetch_h){ w->server.asked->id });
	server_retire(w->loop, w->server.self);
	CHECK(loop_live_handles(w->loop) == 0);
	loop_free(MOVE(w->loop));
	rng_free(MOVE(w->rng));
	store_close(MOVE(w->store));
	locators_free(MOVE(w->locators));
	strbuf_free(MOVE(w->server.notification));
	strbuf_free(MOVE(w->server.snapshot_text));
	strbuf_free(MOVE(w->server.delta_text));
	remove_all(w->top);
}

static void one(const uint8_t *data, size_t size)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	AUTO(mem_free) void *room = mem_alloc(sizeof(struct world));
	AUTO(mem_free) void *points = mem_alloc(sizeof(struct publication));
	struct world *w = room;
	struct publication *p = points;
	struct reader in = reader_of(span_of(data, size));

	CHECK(a != NULL && w != NULL && p != NULL);
	publication_begin(p, a, toy, pristine);
	world_begin(w);
	for (unsigned int i = 0; i < MOST_RUNS && (i == 0 || !reader_end(&in)); i++)
		one_run(w, p, &in, i);
	world_end(w);
}

static void target(const uint8_t *data, size_t size)
{
	uint64_t before = mem_usage().objects;

	one(data, size);
	CHECK(mem_usage().objects == before);
}

KIT_TARGET(target)
