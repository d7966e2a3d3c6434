/* cycle: whole runs over a toy repository that a fetcher of this test serves: by RRDP, by rsync, not at all, or never to the end. */
#include "tests/unit/net/net_test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/base64.h"
#include "base/strbuf.h"
#include "rpki/cycle.h"
#include "rpki/fetch/rsync_fetch.h"
#include "rpki/fetch/patience.h"
#include "rpki/routes/table.h"
#include "rpki/store/store.h"
#include "rpki/validate/collect.h"
#include "tests/unit/rpki/object/toy.h"
#include "tests/unit/top.h"

LOOP_HANDLE_IMPL(user)

#define NOTIFY "https://toy.example/notify.xml"
#define SNAPSHOT "https://toy.example/snapshot.xml"
#define ANCHOR "https://toy.example/ta/toy.cer"
#define MODULE "rsync://toy.example/repo/"
#define MODULE_OF_ANCHOR "rsync://toy.example/ta/"
#define MOST 100

/* --- the world */

static struct toy *toy;
static struct toy_file files[TOY_FILES];
static struct locators *locators;
static struct store *store;

static struct {
	bool notify, anchor_by_https, anchor_bad, repo_by_rsync, rest_by_rsync, hang_rsync, hang_https;
	char notification[2000], *snapshot;
	unsigned int serial;
} serves;

static void hex_of(struct span octets, char ret[65])
{
	uint8_t hash[32];

	sha256_of(octets, hash);
	for (unsigned int i = 0; i < 32; i++)
		(void)snprintf(ret + 2 * (size_t)i, 3, "%02x", hash[i]);
}

static bool starts(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* RRDP's files of the CA's repository, of this serial, without that file. */
static void publish(unsigned int serial, unsigned int without)
{
	AUTO(strbuf_free) struct strbuf *b = strbuf_new(1 << 20), *text = strbuf_new(1 << 20);
	const char *head = "xmlns='http://www.ripe.net/rpki/rrdp' version='1' session_id='b4772554-7369-4e0e-94f8-883d01bcabc8'";
	char hex[65];

	strbuf_printf(b, "<snapshot %s serial='%u'>", head, serial);
	for (unsigned int i = 0; i < TOY_FILES; i++) {
		if (!starts(files[i].uri, MODULE) || i == without)
			continue;
		strbuf_clear(text);
		base64_print(text, files[i].octets, 0);
		strbuf_printf(b, "<publish uri='%s'>%s</publish>", files[i].uri, strbuf_text(text));
	}
	strbuf_puts(b, "</snapshot>");
	hex_of(strbuf_span(b), hex);
	mem_free(serves.snapshot);
	serves.snapshot = strbuf_take(b);
	assert_non_null(serves.snapshot);
	(void)snprintf(serves.notification, sizeof serves.notification, "<notification %s serial='%u'><snapshot uri='" SNAPSHOT "' hash='%s'/></notification>", head, serial, hex);
}

/* --- a fetcher */

struct fake_op {
	struct fake_op *next;
	uint64_t id;
	struct fetch_events ev;
	bool rsync;
	char uri[200];
	uint8_t folder[FETCH_FOLDER];
};

struct fake {
	struct fetcher fetcher;
	struct fake_op *ops;
	uint64_t last;
	timer_h timer;
	char asked[4000];
	uint32_t least_connect_ms; /* of all that was asked for; 0: nothing but what the fetcher has */
};

LOOP_HANDLE(fake)
LOOP_HANDLE_IMPL(fake)

static struct fake fake;
static fake_h fake_self;

static void bring(const struct fake_op *o)
{
	AUTO_CHARS char *tree = fetch_folder_path(top, o->folder);
	AUTO_CHARS char *outer = mem_strndup(tree, strlen(tree) - strlen(FETCH_TREE));
	size_t base = strlen(o->uri);

	if (o->uri[base - 1] != '/')
		base = (size_t)(strrchr(o->uri, '/') - o->uri) + 1;
	(void)mkdir(outer, 0700);
	(void)mkdir(tree, 0700);
	for (unsigned int i = 0; i < TOY_FILES; i++) {
		AUTO_CHARS char *to = starts(files[i].uri, o->uri) ? mem_printf("%s/%s", tree, files[i].uri + base) : NULL;

		if (to != NULL)
			write_file(to, i == TOY_FILE_TA && serves.anchor_bad ? span_text("nothing") : files[i].octets, 0600);
	}
}

static enum err answer_get(struct loop *l, void *who, const struct fake_op *o)
{
	fetch_h h = { o->id };
	struct fetch_head head = { .status = 404, .etag = "", .modified = "" };
	struct span body = span_text("");

	if (strcmp(o->uri, NOTIFY) == 0 && serves.notify)
		body = span_text(serves.notification);
	else if (strcmp(o->uri, SNAPSHOT) == 0)
		body = span_text(serves.snapshot);
	else if (strcmp(o->uri, ANCHOR) == 0 && serves.anchor_by_https)
		body = serves.anchor_bad ? files[TOY_FILE_CA].octets : files[TOY_FILE_TA].octets;
	if (body.n > 0)
		head.status = 200;
	o->ev.head(l, who, h, &head);
	if (body.n > 0)
		o->ev.body(l, who, h, body);
	return ERR_NONE;
}

static bool hangs(const struct fake_op *o)
{
	return o->rsync ? serves.hang_rsync && starts(o->uri, MODULE) : serves.hang_https;
}

static void fake_timer(struct loop *l, void *object);

static void fake_later(void)
{
	if (fake.timer.v == 0)
		assert_true(OK(loop_timer(fake.fetcher.loop, &fake_loop_type, fake_self.v, fake_timer, 0, &fake.timer)));
}

static void fake_timer(struct loop *l, void *object)
{
	struct fake_op **at = &fake.ops, *o;
	struct fetch_end end = { .why = "" };
	void *who;

	(void)object;
	fake.timer.v = 0;
	while (*at != NULL && hangs(*at))
		at = &(*at)->next;
	o = *at;
	if (o == NULL)
		return;
	*at = o->next;
	who = loop_slot_get(l, o->ev.type, o->ev.who);
	if (o->rsync && (starts(o->uri, MODULE) ? serves.repo_by_rsync : serves.rest_by_rsync))
		bring(o);
	else if (o->rsync)
		end = (struct fetch_end){ .e = ERR_SYSTEM, .why = "no such module" };
	if (who != NULL && !o->rsync)
		end.e = answer_get(l, who, o);
	who = loop_slot_get(l, o->ev.type, o->ev.who);
	if (who != NULL)
		o->ev.ended(l, who, (fetch_h){ o->id }, &end);
	mem_free(o);
	fake_later();
}

static RESULT fake_begin(const char *uri, const uint8_t *folder, const struct fetch_events *ev, fetch_h *ret)
{
	struct fake_op *o = mem_alloc(sizeof *o);

	if (o == NULL)
		return FAIL(ERR_NOMEM);
	(void)strncat(fake.asked, uri, 200);
	(void)strncat(fake.asked, "\n", 2);
	(void)snprintf(o->uri, sizeof o->uri, "%s", uri);
	if (folder != NULL)
		memcpy(o->folder, folder, FETCH_FOLDER);
	o->rsync = folder != NULL;
	o->ev = *ev;
	o->id = ++fake.last;
	o->next = fake.ops;
	fake.ops = o;
	ret->v = o->id;
	fake_later();
	return DONE;
}

static void note_connect(uint32_t ms)
{
	if (ms > 0 && (fake.least_connect_ms == 0 || ms < fake.least_connect_ms))
		fake.least_connect_ms = ms;
}

static RESULT fake_get_file(struct fetcher *f, const struct fetch_get *q, const struct fetch_events *ev, fetch_h *ret)
{
	(void)f;
	note_connect(q->connect_ms);
	return fake_begin(q->uri, NULL, ev, ret);
}

static RESULT fake_rsync(struct fetcher *f, const struct fetch_rsync *q, const struct fetch_events *ev, fetch_h *ret)
{
	(void)f;
	note_connect(q->connect_ms);
	return fake_begin(q->uri, q->folder, ev, ret);
}

static void fake_pause(struct fetcher *f, fetch_h h, bool paused)
{
	(void)f, (void)h, (void)paused;
}

static void fake_cancel(struct fetcher *f, fetch_h h)
{
	(void)f;
	for (struct fake_op **at = &fake.ops; *at != NULL; at = &(*at)->next) {
		struct fake_op *o = *at;

		if (o->id != h.v)
			continue;
		*at = o->next;
		mem_free(o);
		return;
	}
}

static struct fetch_counts fake_counts(const struct fetcher *f)
{
	(void)f;
	return (struct fetch_counts){ 0 };
}

static void fake_free(struct fetcher *f)
{
	(void)f;
}

static const struct fetcher_ops fake_ops = { fake_get_file, fake_rsync, fake_pause, fake_cancel, fake_counts, fake_free };

/* --- runs */

static struct {
	unsigned int n, progress;
	struct result result;
	size_t vrps;
	struct anchor_result anchor;
	bool fetched;
	struct cycle_counts counts;
	size_t count;
	uint64_t roas_by_rrdp, roas_by_rsync; /* the latter: points */
	uint64_t manifests_missing;           /* of those by RRDP */
	struct {
		char uri[100], why[200];
		struct cycle_repository r; /* without its texts */
		enum cycle_how how;
	} r[MOST];
} got;

static void on_progress(struct loop *l, void *object, const struct cycle_repository *r, const struct cycle_anchor *a, size_t anchor, const struct cycle_counts *counts)
{
	(void)l, (void)object, (void)counts;
	assert_int_equal(anchor, 0);
	assert_true((r != NULL) != (a != NULL));
	got.progress++;
}

static void on_ended(struct loop *l, void *object, cycle_h c, const struct cycle_report *r)
{
	(void)l, (void)object, (void)c;
	got.n++;
	got.result = r->result;
	got.vrps = r->table != NULL ? table_count(r->table, PAYLOAD_VRP) : 0;
	if (r->anchor_count > 0) { /* none: there was no memory to tell of them */
		got.anchor = r->anchors[0];
		got.fetched = r->fetched[0].fetched;
	}
	got.counts = r->counts;
	got.count = r->repository_count;
	got.roas_by_rrdp = got.roas_by_rsync = got.manifests_missing = 0;
	for (size_t i = 0; i < r->fact_count; i++) {
		got.roas_by_rrdp += strcmp(r->facts[i].uri, NOTIFY) == 0 ? r->facts[i].valid[COUNTED_ROA] : 0;
		got.manifests_missing += strcmp(r->facts[i].uri, NOTIFY) == 0 ? r->facts[i].wanting[WANTING_MANIFEST] : 0;
		got.roas_by_rsync += strcmp(r->facts[i].uri, MODULE_OF_ANCHOR) == 0 ? r->facts[i].points : 0;
	}
	for (size_t i = 0; i < r->repository_count && i < MOST; i++) {
		got.r[i].how = r->repositories[i].how;
		got.r[i].r = r->repositories[i];
		(void)snprintf(got.r[i].uri, sizeof got.r[i].uri, "%s", r->repositories[i].uri);
		(void)snprintf(got.r[i].why, sizeof got.r[i].why, "%s", r->repositories[i].why);
	}
}

static enum cycle_how how(const char *uri)
{
	for (size_t i = 0; i < got.count; i++)
		if (strcmp(got.r[i].uri, uri) == 0)
			return got.r[i].how;
	return CYCLE_UNDER_WAY;
}

static const struct cycle_repository *of(const char *uri)
{
	for (size_t i = 0; i < got.count; i++)
		if (strcmp(got.r[i].uri, uri) == 0)
			return &got.r[i].r;
	fail_msg("%s was not fetched", uri);
	return &got.r[0].r;
}

static struct cycle_options options(struct user *u)
{
	fake.fetcher = (struct fetcher){ &fake_ops, u->loop };
	fake.asked[0] = '\0';
	fake.least_connect_ms = 0;
	got.n = got.progress = 0;
	return (struct cycle_options){ .fetcher = &fake.fetcher, .store = store, .dir = top, .rsync_dir = top, .locators = locators, .rrdp = true, .rsync = true,
		.limits = cycle_limits_default(), .rrdp_limits = rrdp_limits_default(), .tree_limits = rsync_tree_limits_default(), .validate_limits = validate_limits_default(),
		.threads = 2, .now = TOY_NOW, .generation = 1 };
}

static cycle_h begin(struct user *u, const struct cycle_options *o)
{
	struct cycle_events ev = { .type = &user_loop_type, .who = u->self.v, .progress = on_progress, .ended = on_ended };
	cycle_h c;

	assert_true(OK(cycle_begin(u->loop, o, &ev, &c)));
	assert_int_equal(got.n, 0);
	return c;
}

static void run(struct user *u, const struct cycle_options *o)
{
	(void)begin(u, o);
	RUN_UNTIL(u, got.n == 1);
	if (!OK(got.result))
		fail_msg("%s", err_text(got.result.e));
}

static void put_ca(struct span octets, uint8_t number)
{
	files[TOY_FILE_CA].octets = octets;
	files[TOY_FILE_TA_MANIFEST].octets = toy_manifest(toy, true, number, files + TOY_FILE_TA_CRL, 2);
}

/* The CA's certificate is one that names an RRDP repository. */
static void make_world(void)
{
	AUTO(strbuf_free) struct strbuf *why = strbuf_new(1000);
	const char *tal = path("toy.tal");

	toy = toy_new();
	toy_repository(toy, files);
	put_ca(toy_object(toy, TOY_CA), 7);
	write_file(tal, toy_locator(toy), 0600);
	assert_true(OK(locators_load(NULL, &tal, 1, why, &locators)));
}

static int start(void **state)
{
	AUTO(strbuf_free) struct strbuf *why = strbuf_new(1000);
	struct store_limits limits = store_limits_default();

	assert_int_equal(user_start(state), 0);
	make_world();
	memset(&serves, 0, sizeof serves);
	serves.anchor_by_https = serves.repo_by_rsync = serves.rest_by_rsync = serves.notify = true;
	publish(1, TOY_FILES);
	fake.fetcher.loop = ((struct user *)*state)->loop;
	fake_self = fake_enlist(fake.fetcher.loop, &fake);
	limits.octets = 64u << 20;
	assert_true(OK(store_set_aside(top)));
	assert_true(OK(store_open(top, &limits, why, &store)));
	return 0;
}

static int stop(void **state)
{
	loop_timer_stop(fake.fetcher.loop, &fake.timer);
	fake_retire(fake.fetcher.loop, fake_self);
	while (fake.ops != NULL)
		fake_cancel(&fake.fetcher, (fetch_h){ fake.ops->id });
	store_close(MOVE(store));
	mem_free(MOVE(serves.snapshot));
	locators_free(MOVE(locators));
	toy_free(MOVE(toy));
	loop_turn(fake.fetcher.loop, false); /* what was closed is buried */
	return user_end(state);
}

static size_t all_of_it;

static void everything_by_rsync(void **state)
{
	struct user *u = (struct user *)*state;
	struct cycle_options o = options(u);

	o.rrdp = false;
	run(u, &o);
	assert_true(got.anchor.usable && got.fetched);
	assert_int_equal(got.anchor.points, 2);
	assert_int_equal(got.anchor.points_failed, 0);
	assert_true(got.vrps > 0);
	all_of_it = got.vrps;
	assert_int_equal(got.count, 2);
	assert_true(how(MODULE) == CYCLE_RSYNC && how(MODULE_OF_ANCHOR) == CYCLE_RSYNC);
	assert_null(strstr(fake.asked, "https:"));
	assert_int_equal(got.progress, 3);
	o = options(u);
	o.rrdp = false;
	run(u, &o);
	assert_true(how(MODULE) == CYCLE_UNCHANGED && got.vrps == all_of_it);
	o = options(u);
	o.fetcher = NULL;
	o.rrdp = false;
	run(u, &o);
	assert_true(got.vrps == all_of_it && got.count == 0 && fake.asked[0] == '\0'); /* from the store */
}

static void rrdp_comes_first(void **state)
{
	struct user *u = (struct user *)*state;
	struct cycle_options o = options(u);

	run(u, &o);
	assert_int_equal(got.vrps, all_of_it);
	assert_true(how(NOTIFY) == CYCLE_SNAPSHOT && how(MODULE) == CYCLE_UNDER_WAY);
	assert_null(strstr(fake.asked, MODULE));
	assert_non_null(strstr(fake.asked, ANCHOR));
	assert_string_equal(of(NOTIFY)->session, "b4772554-7369-4e0e-94f8-883d01bcabc8");
	assert_true(of(NOTIFY)->serial == 1 && of(NOTIFY)->notification_status == 200 && of(NOTIFY)->file_status == 200);
	o = options(u);
	run(u, &o);
	assert_true(of(NOTIFY)->notification_status == 200 && of(NOTIFY)->file_status == 0);
	assert_true(how(NOTIFY) == CYCLE_UNCHANGED && got.vrps == all_of_it);
	assert_true(got.roas_by_rrdp == 1 && got.roas_by_rsync == 1);
}

static void rsync_stands_in_and_goes_again(void **state)
{
	struct user *u = (struct user *)*state;
	struct cycle_options o = options(u);

	publish(1, TOY_FILE_ROA); /* by RRDP a file is missing */
	run(u, &o);
	assert_int_equal(got.anchor.points_failed, 1);
	assert_int_equal(how(NOTIFY), CYCLE_SNAPSHOT);
	serves.notify = false;
	o = options(u);
	run(u, &o);
	assert_true(how(NOTIFY) == CYCLE_FAILED && how(MODULE) == CYCLE_RSYNC);
	assert_true(of(NOTIFY)->notification_status == 404 && of(MODULE)->fallback && !of(MODULE_OF_ANCHOR)->fallback);
	assert_int_equal(got.vrps, all_of_it); /* what rsync brought counts, though RRDP had brought something before */
	assert_int_equal(got.counts.failed, 1);
	serves.notify = true;
	publish(2, TOY_FILE_ROA);
	o = options(u);
	run(u, &o);
	assert_int_equal(how(NOTIFY), CYCLE_SNAPSHOT);
	assert_int_equal(how(MODULE), CYCLE_UNDER_WAY);
	assert_int_equal(got.anchor.points_kept, 1); /* ... and RRDP's again when it is back: its last good state, for a file is missing */
	assert_int_equal(got.vrps, all_of_it);
}

static void a_manifest_that_is_missing_is_counted_where_it_is(void **state)
{
	struct user *u = (struct user *)*state;
	struct cycle_options o = options(u);

	run(u, &o);
	assert_int_equal(got.manifests_missing, 0);
	publish(2, TOY_FILE_MANIFEST);
	o = options(u);
	run(u, &o);
	assert_true(got.manifests_missing == 1 && got.anchor.wanting[WANTING_MANIFEST] == 1 && got.anchor.points_kept == 1 && got.vrps == all_of_it);
	o = options(u);
	run(u, &o); /* as remembered */
	assert_true(got.manifests_missing == 1 && got.anchor.points_remembered == 2);
}

static void what_fails_leaves_what_was_there(void **state)
{
	struct user *u = (struct user *)*state;
	struct cycle_options o = options(u);

	run(u, &o);
	serves.notify = serves.repo_by_rsync = serves.rest_by_rsync = serves.anchor_by_https = false;
	o = options(u);
	run(u, &o);
	assert_true(how(NOTIFY) == CYCLE_FAILED && how(MODULE) == CYCLE_FAILED && how(MODULE_OF_ANCHOR) == CYCLE_FAILED);
	assert_true(got.anchor.usable && !got.fetched);
	assert_int_equal(got.vrps, all_of_it);
	for (size_t i = 0; i < got.count; i++)
		assert_true(got.r[i].why[0] != '\0' && strchr(got.r[i].why, '\n') == NULL);
}

/* A repository that fails is asked in every run, waited for less, and found at once when it is back. */
static void what_failed_before_is_waited_for_less(void **state)
{
	struct user *u = (struct user *)*state;
	const struct patience_options po = { 15000, 4000, 3, 100 };
	AUTO(patience_free) struct patience *patience = patience_new();
	struct cycle_options o = options(u);

	patience_set(patience, &po);
	run(u, &o);
	serves.notify = serves.repo_by_rsync = serves.rest_by_rsync = false;
	for (uint32_t round = 1; round <= 5; round++) {
		o = options(u);
		o.patience = patience;
		run(u, &o);
		assert_true(how(NOTIFY) == CYCLE_FAILED && of(NOTIFY)->failures == round);
		assert_int_equal(of(NOTIFY)->patience_ms, round <= 3 ? 0 : round == 4 ? 7500 : 4000);
		assert_int_equal(fake.least_connect_ms, round <= 3 ? 0 : round == 4 ? 7500 : 4000);
		assert_int_equal(of(MODULE)->failures, round);
	}
	serves.notify = true;
	o = options(u);
	o.patience = patience;
	run(u, &o);
	assert_int_equal(how(NOTIFY), CYCLE_UNCHANGED);
	assert_true(of(NOTIFY)->failures == 0 && of(NOTIFY)->patience_ms == 4000);
	assert_int_equal(patience_failures(patience, NOTIFY), 0);
}

static void nobody_waits_for_ever(void **state)
{
	struct user *u = (struct user *)*state;
	struct cycle_options o = options(u);
	cycle_h c;

	run(u, &o);
	serves.notify = false;
	serves.hang_rsync = true;
	o = options(u);
	o.limits.repository_ms = 300;
	run(u, &o);
	assert_true(how(MODULE) != CYCLE_RSYNC);
	assert_true(got.counts.too_late >= 1);
	assert_int_equal(got.vrps, all_of_it);
	o = options(u);
	o.limits.run_ms = 300;
	run(u, &o);
	assert_true(got.counts.too_late >= 1 && got.vrps == all_of_it);
	serves.hang_https = true;
	o = options(u);
	o.limits.run_ms = 50; /* not even the trust anchor's certificate comes */
	run(u, &o);
	assert_true(!got.fetched && got.vrps == all_of_it);
	o = options(u);
	c = begin(u, &o);
	for (unsigned int i = 0; i < 3; i++)
		loop_turn(u->loop, false);
	cycle_hurry(u->loop, c);
	RUN_UNTIL(u, got.n == 1);
	assert_int_equal(got.vrps, all_of_it);
}

static void a_false_trust_anchor_is_not_taken(void **state)
{
	struct user *u = (struct user *)*state;
	struct cycle_options o = options(u);

	serves.anchor_bad = true;
	run(u, &o);
	assert_false(got.anchor.usable || got.fetched);
	assert_int_equal(got.vrps, 0);
	assert_non_null(strstr(fake.asked, "rsync://toy.example/ta/toy.cer")); /* the other URI was tried too */
	serves.anchor_bad = false;
	serves.anchor_by_https = false;
	o = options(u);
	run(u, &o);
	assert_true(got.anchor.usable && got.fetched && got.vrps == all_of_it);
	serves.anchor_bad = serves.anchor_by_https = true;
	o = options(u);
	run(u, &o);
	assert_true(got.anchor.usable && !got.fetched && got.vrps == all_of_it); /* the one from before */
}

static void there_are_limits(void **state)
{
	struct user *u = (struct user *)*state;
	struct cycle_options o = options(u);

	o.limits.anchor_repositories = 1;
	run(u, &o);
	assert_int_equal(got.count, 1);
	assert_int_equal(got.counts.over_limit, 1); /* by RRDP and by rsync it is one point */
	assert_int_equal(got.anchor.points_failed, 1);
	o = options(u);
	o.limits.repositories = 1;
	run(u, &o);
	assert_int_equal(got.counts.repositories, 1);
}

/* A stranger's word is no reason to ask this machine, or one of its network. */
static void hosts_that_a_stranger_may_not_name_are_not_asked(void **state)
{
	static const char *const hosts[] = { "localhost", "LocalHost", "a.localhost", "10.0.0.1", "intranet", "127.1" };
	struct user *u = (struct user *)*state;
	uint8_t number = 8;

	for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
		struct cycle_options o = options(u);
		char uri[60], edit[200] = "1.0.2.1:";

		(void)snprintf(uri, sizeof uri, "https://%s/n.xml", hosts[i]);
		for (size_t n = 0; uri[n] != '\0'; n++)
			(void)snprintf(edit + 8 + 2 * n, sizeof edit - 8 - 2 * n, "%02x", (unsigned int)uri[n]);
		put_ca(toy_edited(toy, TOY_CA, "sia", edit, 0), number++);
		run(u, &o);
		assert_int_equal(got.counts.dubious, 1);
		assert_null(strstr(fake.asked, uri));
		assert_int_equal(got.vrps, all_of_it); /* by rsync, from a host that has a name */
		o = options(u);
		o.dubious_hosts = true;
		run(u, &o);
		assert_int_equal(got.counts.dubious, 0);
		assert_non_null(strstr(fake.asked, uri));
	}
	put_ca(toy_object(toy, TOY_CA), 7);
}

static void a_run_may_be_stopped(void **state)
{
	struct user *u = (struct user *)*state;

	for (unsigned int turns = 0; turns < 40; turns++) {
		struct cycle_options o = options(u);
		cycle_h c = begin(u, &o);

		for (unsigned int i = 0; i < turns && got.n == 0; i++)
			loop_turn(u->loop, false);
		cycle_stop(u->loop, c);
		cycle_stop(u->loop, c);
		loop_turn(u->loop, false);
	}
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = { CASE(everything_by_rsync), CASE(rrdp_comes_first), CASE(rsync_stands_in_and_goes_again), CASE(a_manifest_that_is_missing_is_counted_where_it_is),
		CASE(what_fails_leaves_what_was_there),
		CASE(what_failed_before_is_waited_for_less), CASE(nobody_waits_for_ever), CASE(a_false_trust_anchor_is_not_taken), CASE(there_are_limits),
		CASE(hosts_that_a_stranger_may_not_name_are_not_asked), CASE(a_run_may_be_stopped) };

	return cmocka_run_group_tests(tests, make_top, remove_top);
}
